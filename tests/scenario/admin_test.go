// SPDX-License-Identifier: Apache-2.0

// Promise: no command hangs, whatever has failed: it ends in stated time, or names at once who holds what it
// wants. Nothing holds a module when its pools are gone.
//
//	client0 --- brmr0 --+--- stor0
//	                    +--- stor1    <- dead, cut off, frozen

package scenario_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/rig"
)

// Limits of commands under a fault. An unmap waits for a view to settle, twice the deadline of 5 s, and for the answer
// of the legs; the end of a session to a silent node takes RTRS as long as it needs to give the node up.
const (
	unmapLimit  = 25 * time.Second
	quickLimit  = 10 * time.Second
	unloadLimit = 90 * time.Second
)

func TestCommandsEndUnderFaults(t *testing.T) {
	onlyInFull(t)
	c := start(t, rig.Storage(2), rig.Client(1), rig.Disks(48*mib, 48*mib, 48*mib))
	for i, fault := range []struct {
		name        string
		begin, heal func(t *testing.T, p *pool, n *rig.Node)
	}{
		{
			"cut link", func(t *testing.T, _ *pool, n *rig.Node) { require.NoError(t, n.Link().Cut()) },
			func(t *testing.T, _ *pool, n *rig.Node) { require.NoError(t, n.Link().Heal(t.Context())) },
		},
		{
			"dead storage node", func(t *testing.T, _ *pool, n *rig.Node) { require.NoError(t, n.Kill()) },
			func(t *testing.T, p *pool, _ *rig.Node) { p.restart(t, 1) },
		},
		{
			"frozen storage node", func(t *testing.T, _ *pool, n *rig.Node) { require.NoError(t, n.Pause()) },
			func(t *testing.T, _ *pool, n *rig.Node) { require.NoError(t, n.Resume()) },
		},
	} {
		t.Run(fault.name, func(t *testing.T) {
			p := makePool(t, c, pool{name: "admin" + string(rune('a'+i)), legs: 2, disk: i, size: 40 * mib})
			client, n := c.Client(0), c.Storage(1)
			recording := p.record(t, client, p.attach(t), 3)
			recording.wait(t, time.Minute)
			fault.begin(t, p, n)
			// At once, so that it meets the failed leg before the client has found out.
			commands := []string{"brmr show", "rmrctl leg show", "rmrctl leg eject " + p.name + " 1"}
			if i == 0 {
				commands = commands[:2]
			}
			for _, command := range commands {
				require.NotEqual(t, exitError, within(t, client, quickLimit, command).Code)
			}
			within(t, client, unmapLimit, "brmr unmap "+p.name)
			require.Empty(t, client.MustSh(t, "rmrctl device show -o json | grep "+p.name+" || true"), "still mapped")
			require.Zero(t, within(t, client, unloadLimit, "modprobe -r brmr_client rmr_rtrs_client rmr && ! lsmod | grep rmr").Code)
			bringUp(t, client)
			within(t, client, commandLimit, p.mapCommand()) // a member of U is missing
			within(t, c.Storage(0), quickLimit, "rmrctl pool stop "+p.name)
			c.Storage(0).MustSh(t, "rmrctl pool show -o json | grep "+p.name+" || rmrctl pool assemble "+c.Storage(0).DiskDevice(p.disk))
			fault.heal(t, p, n)
			eventually(t, func() bool {
				return try(t, client, "rmrctl device show -o json | grep "+p.name+" || "+p.mapCommand()).Code == 0
			}, healLimit, time.Second, "the pool cannot be mapped again")
			p.finishWith(t)
		})
	}
}
