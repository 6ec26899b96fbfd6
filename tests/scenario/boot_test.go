// SPDX-License-Identifier: Apache-2.0

// Promise: a pool that is mapped right after its client booted keeps its legs.
//
// Bug guarded: deadlines were "now minus the deadline", which wrapped around while the client was up for less
// than that: every leg was ejected over and over, 35 times within 1.5 s of mapping.

package scenario_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/rig"
)

func TestLegsStayRightAfterBoot(t *testing.T) {
	c := start(t, rig.Storage(2), rig.Client(1), rig.Disks(64*mib))
	p := makePool(t, c, pool{name: "boot", legs: 2, disk: 0, size: 32 * mib})
	client := c.Client(0)
	dev := client.MustSh(t, p.mapCommand()+" --stall 60s")
	client.MustSh(t, "test $(cut -d. -f1 /proc/uptime) -lt 50") // else the test would show nothing
	recording := p.record(t, client, dev, 3)
	recording.wait(t, ejectLimit)
	p.detachEqual(t)
	p.judge(t)
	console, err := os.ReadFile(client.ConsolePath())
	require.NoError(t, err)
	require.Contains(t, string(console), "rmr boot: live")
	require.NotContains(t, string(console), "-> failed")
	require.NotContains(t, string(console), "-> suspended")
}
