// SPDX-License-Identifier: Apache-2.0

// Promise: one command sets a pool up on several nodes, one command moves a member from a node to another; both go
// through the daemons of the nodes, over TLS, and both may be interrupted and given again.
//
//	client0 --- TLS --- stor0 rmr-storaged
//	        --- TLS --- stor1 rmr-storaged    <- a member moves away
//	        --- TLS --- stor2 rmr-storaged    <- to here

package scenario_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/api/apitest"
	"github.com/rmr-block/rmr/internal/rig"
)

const tlsConfig = storagedConfig + "tls: {listen: ':9743', cert: /share/node.crt, key: /share/node.key, ca: /share/ca.crt}\n"

func TestOneCommandForSeveralNodes(t *testing.T) {
	c := start(t, rig.Storage(3), rig.Client(1), rig.Disks(48*mib), rig.File("/etc/rmr/storaged.yaml", []byte(tlsConfig)))
	pki := apitest.NewAuthority(t, c.ShareDir(), "stor0", "stor1", "stor2")
	pki.Make("node")
	pki.Make("admin")
	for i := range 3 {
		startStoraged(t, c.Storage(i))
	}
	const keys = " --cert /share/admin.crt --key /share/admin.key --ca /share/ca.crt"
	p := &pool{c: c, name: "nodes", legs: 2, size: 40 * mib}
	client := c.Client(0)
	create := "rmrctl pool create nodes --size 40M --leg stor0:/dev/ubda --leg stor1:/dev/ubda" + keys
	unchanged(t, c, func() {
		require.Contains(t, client.MustSh(t, create+" --dry-run"), "risk: none")
		refuses(t, client, "rmrctl pool create nodes --leg stor9:/dev/ubda"+keys, exitError, "stor9")
	})
	client.MustSh(t, create)
	require.Equal(t, []int{0, 1}, p.member(t, 1).UpToDate)
	client.MustSh(t, create)
	require.Len(t, ask[poolStatus](t, c.Storage(1), "rmrctl pool show"), 1)

	dev := p.attach(t)
	client.MustSh(t, fmt.Sprintf("dd if=/dev/urandom of=%s bs=1M count=24 oflag=direct status=none", dev))
	recording := p.record(t, client, dev, 10)
	move := "rmrctl leg move nodes --leg 1 --to stor2:/dev/ubda" + keys
	require.Contains(t, client.MustSh(t, move+" --dry-run"), "risk: starts full sync")
	// The command is killed, with its connection; what it began goes on.
	try(t, client, "timeout -s KILL 1 "+move+" --wait")
	require.Contains(t, client.MustSh(t, move+" --wait"), "member 2")
	legs := p.device(t).Legs
	require.Len(t, legs, 2)
	require.Equal(t, "up-to-date", p.waitLeg(t, 2, "up-to-date", 0).State)
	require.Contains(t, client.MustSh(t, move), "member 2", "given again it says that nothing is left to do")
	recording.wait(t, time.Minute)
	p.nowOn(place{0, 0}, place{2, 0})
	p.finished(t)
}
