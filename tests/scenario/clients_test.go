// SPDX-License-Identifier: Apache-2.0

// Promise: one client at a time, and a superseded or dead one changes nothing any more. A client that was only
// frozen while another one took its pool over gets no write through and no old data read when it goes on. What a
// dead client left under way is on every leg or on none before the next one is live, and no late copy of it
// overwrites anything, whichever of the legs dies with it.
//
//	client0 --+-- brmr0 --+--- stor0
//	client1 --+           +--- stor1    <- stops a write before it is applied

package scenario_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/rig"
)

// commandLimit is for commands that have to give up on something: deadlines of 5 s to 12 s, up to three times.
const commandLimit = 60 * time.Second

func TestTwoClients(t *testing.T) {
	c := start(t, rig.Storage(2), rig.Client(2), rig.Disks(32*mib, 64*mib, 64*mib, 32*mib, 64*mib))
	t.Run("a map through a node that has just restarted", func(t *testing.T) {
		justRestarted(t, makePool(t, c, pool{name: "other", legs: 2, disk: 3, size: 16 * mib}),
			makePool(t, c, pool{name: "wanted", legs: 1, disk: 0, size: 16 * mib}))
	})
	t.Run("a paused client is fenced", func(t *testing.T) {
		pausedClient(t, makePool(t, c, pool{name: "paused", legs: 2, disk: 4, size: 48 * mib}))
	})
	t.Run("a held write of a dead client", func(t *testing.T) {
		heldWrite(t, makePool(t, c, pool{name: "held", legs: 2, disk: 1, size: 48 * mib}))
	})
	t.Run("the only leg with a write dies too", func(t *testing.T) {
		onlyLegDies(t, makePool(t, c, pool{name: "only", legs: 2, disk: 2, size: 48 * mib}))
	})
}

// justRestarted: the client's session to the node is that of its life before, and nobody has noticed yet.
//
// Bug guarded: map asked over the dead session and failed with "connection lost".
func justRestarted(t *testing.T, other, wanted *pool) {
	client, n := other.c.Client(1), other.c.Storage(0)
	other.attachOn(t, client)
	require.NoError(t, n.Restart(t.Context()))
	bringUp(t, n)
	n.MustSh(t, fmt.Sprintf("rmrctl pool assemble %s && rmrctl pool assemble %s", n.DiskDevice(other.disk), n.DiskDevice(wanted.disk)))
	require.Zero(t, within(t, client, commandLimit, wanted.mapCommand()).Code)
	client.MustSh(t, "brmr unmap wanted")
	other.waitLegOn(t, client, 0, "up-to-date", healLimit)
	other.waitLegOn(t, client, 1, "up-to-date", healLimit)
	client.MustSh(t, "brmr unmap other")
}

func pausedClient(t *testing.T, p *pool) {
	old, successor := p.c.Client(0), p.c.Client(1)
	frozen := p.record(t, old, p.attach(t), 120)
	time.Sleep(time.Second)
	require.NoError(t, old.Pause())
	p.opts = "--takeover"
	dev := p.attachOn(t, successor)
	recording := p.record(t, successor, dev, 8)
	require.NoError(t, old.Resume())
	p.waitDevice(t, "suspended", ejectLimit)
	recording.wait(t, time.Minute)
	require.Equal(t, "suspended", p.device(t).State)
	successor.MustSh(t, "brmr unmap "+p.name)
	// Nobody is in the way any more; it still never comes back by itself, and says why.
	eventually(t, func() bool { return p.device(t).Reason == "fenced" }, ejectLimit, 50*time.Millisecond, "it does not say that it is fenced")
	require.True(t, frozen.running())
	old.MustSh(t, "kill $(pidof rmr-recorder)")
	frozen.end(t, ejectLimit) // its I/O fails: a task that waited could not end
	require.Equal(t, "suspended", p.device(t).State)
	require.Zero(t, within(t, old, commandLimit, "brmr unmap paused --force").Code)
	p.requireEqualLegs(t)
	p.judge(t)
}

// writeHeld writes chunk 5 as client0 and returns when leg 1 holds the write before it is applied, and leg 0 has it.
func writeHeld(t *testing.T, p *pool) {
	t.Helper()
	dev, client := p.attach(t), p.c.Client(0)
	client.MustSh(t, fmt.Sprintf("dd if=/dev/urandom of=%s bs=1M count=8 oflag=direct status=none && sync", dev))
	recording := p.record(t, client, dev, 3)
	recording.wait(t, time.Minute)
	trigger(t, p.c.Storage(1), "write-arrived 1 write 1 5-5 hold")
	before := p.member(t, 0).Counters.Writes
	background(t, client, fmt.Sprintf("dd if=/dev/urandom of=%s bs=64k count=1 seek=80 oflag=direct status=none", dev))
	waitTrigger(t, p.c.Storage(1), "write-arrived")
	eventually(t, func() bool { return p.member(t, 0).Counters.Writes > before }, ejectLimit, 20*time.Millisecond, "leg 0 did not get it")
}

// requireOneValue reads the block often, so that every leg is asked.
func requireOneValue(t *testing.T, n *rig.Node, dev string) {
	t.Helper()
	n.MustSh(t, fmt.Sprintf(`for i in $(seq 20); do dd if=%s bs=64k count=1 skip=80 iflag=direct status=none | md5sum; done | sort -u > /tmp/sums
		test $(wc -l < /tmp/sums) = 1`, dev))
}

func heldWrite(t *testing.T, p *pool) {
	writeHeld(t, p)
	require.NoError(t, p.c.Client(0).Kill())
	p.audit(t)
	successor := p.c.Client(1)
	p.opts = "--takeover"
	mapping := background(t, successor, p.mapCommand())
	time.Sleep(3 * time.Second)
	require.True(t, mapping.running(), "a leg promised while it held a write of the older client")
	trigger(t, p.c.Storage(1), "release")
	mapping.wait(t, commandLimit)
	dev := p.device1(t).Device
	requireTakenOver(t, p, successor, dev)
	trigger(t, p.c.Storage(1), "clear")
}

func onlyLegDies(t *testing.T, p *pool) {
	require.NoError(t, p.c.Client(0).Restart(t.Context()))
	bringUp(t, p.c.Client(0))
	writeHeld(t, p)
	require.NoError(t, p.c.Client(0).Kill())
	p.kill(t, 1)
	p.kill(t, 0)
	p.audit(t)
	p.restart(t, 1)
	successor := p.c.Client(1)
	if everyCase() { // half a minute of attempts
		alone := fmt.Sprintf("brmr map %s --node %s", p.name, p.c.Storage(1).Address())
		r := within(t, successor, commandLimit, alone)
		require.Equal(t, exitError, r.Code, r.Stderr)
		require.Contains(t, r.Stderr, "member 0")
	}
	p.restart(t, 0)
	dev := p.attachOn(t, successor)
	requireTakenOver(t, p, successor, dev)
}

// device1 is the pool as the second client shows it.
func (p *pool) device1(t *testing.T) deviceStatus {
	t.Helper()
	list := ask[deviceStatus](t, p.c.Client(1), "brmr show "+p.name)
	require.Len(t, list, 1)
	return list[0]
}

// requireTakenOver: a client that has the pool after another one sees one value, gets both legs up to date, and
// leaves them equal.
func requireTakenOver(t *testing.T, p *pool, successor *rig.Node, dev string) {
	t.Helper()
	requireOneValue(t, successor, dev)
	recording := p.record(t, successor, dev, 3)
	recording.wait(t, time.Minute)
	p.waitLegOn(t, successor, 0, "up-to-date", healLimit)
	p.waitLegOn(t, successor, 1, "up-to-date", healLimit)
	requireOneValue(t, successor, dev)
	successor.MustSh(t, "brmr unmap "+p.name)
	p.requireEqualLegs(t)
	p.judge(t)
}
