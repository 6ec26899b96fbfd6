// SPDX-License-Identifier: Apache-2.0

// Promise: a leg fails, I/O goes on; it returns, copies exactly what it missed from the others, and is up to
// date again without an operator. Checked on the host: the data areas of all legs are equal bytes.
//
//	client0 --- brmr0 --+--- stor0
//	                    +--- stor1   <- its cable is cut, its power fails
//	                    +--- stor2

package scenario_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/rig"
)

const (
	// ejectLimit: how long an application may see I/O stand still when a leg fails.
	ejectLimit = 10 * time.Second
	// returnLimit: connecting again takes up to 30 s in the RDMA connection manager, and the machine may be busy.
	returnLimit = 150 * time.Second
)

func TestReturnOfALeg(t *testing.T) {
	c := start(t, rig.Storage(2), rig.Client(1), rig.Disks(128*mib, 128*mib))
	t.Run("cut link", func(t *testing.T) {
		returns(t, makePool(t, c, pool{name: "cut", legs: 2, disk: 0, size: 96 * mib}), func(n *rig.Node) func() {
			require.NoError(t, n.Link().Cut())
			return func() { require.NoError(t, n.Link().Heal(t.Context())) }
		})
	})
	t.Run("killed storage node", func(t *testing.T) {
		p := makePool(t, c, pool{name: "killed", legs: 2, disk: 1, size: 96 * mib})
		returns(t, p, func(n *rig.Node) func() {
			require.NoError(t, n.Kill())
			return func() {
				require.NoError(t, n.Restart(t.Context()))
				bringUp(t, n)
				n.MustSh(t, "rmrctl pool assemble "+n.DiskDevice(p.disk))
			}
		})
	})
}

// returns lets leg 1 fail under a write load and come back.
func returns(t *testing.T, p *pool, fail func(n *rig.Node) (heal func())) {
	dev, client := p.attach(t), p.c.Client(0)
	client.MustSh(t, fio(dev, verified, "--rw=randwrite --bsrange=4k-64k --blockalign=4k --iodepth=16 --size=32m"))
	before := p.member(t, 1).UpToDate
	require.Equal(t, []int{0, 1}, before)
	load := background(t, client, fio(dev, verified, "--rw=randwrite --bs=4k --iodepth=8 --offset=32m --size=32m --rate=400k"))
	time.Sleep(2 * time.Second)
	heal := fail(p.c.Storage(1))
	writes := p.device(t).Legs[0].Counters.Writes
	begin := time.Now()
	require.Eventually(t, func() bool { return p.device(t).Legs[0].Counters.Writes > writes+50 }, 2*ejectLimit, 100*time.Millisecond,
		"I/O stands still")
	t.Logf("I/O goes on %v after the failure", time.Since(begin).Round(time.Millisecond))
	client.MustSh(t, fmt.Sprintf("dd if=/dev/urandom of=%s bs=4k count=64 seek=20000 oflag=direct status=none", dev))
	heal()
	begin = time.Now()
	require.Eventually(t, func() bool { return p.device(t).Legs[1].State == "up-to-date" }, returnLimit, 200*time.Millisecond,
		"the leg never came back")
	t.Logf("leg up to date %v after healing", time.Since(begin).Round(time.Millisecond))
	load.wait(t, 3*time.Minute)
	p.detach(t)
	p.requireEqualLegs(t)
}
