// SPDX-License-Identifier: Apache-2.0

// Promise: whatever a network does to packets, nothing that was acknowledged is lost, no pause is longer than
// the deadline of a leg, and the legs are equal when it has become good again: a link that comes and goes, two
// storage nodes that do not see each other while the client sees both, packets lost, late, out of order, twice,
// damaged; a node that is frozen and goes on with what it had received.
//
//	client0 --- brmr0 --+--- stor0
//	                    |      x        <- nothing passes between the two
//	                    +--- stor1      <- its link flaps; its packets suffer; it is frozen

package scenario_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/rig"
)

func TestBadLinks(t *testing.T) {
	c := start(t, rig.Storage(2), rig.Client(1), rig.Disks(64*mib, 64*mib, 64*mib, 64*mib, 64*mib))
	followEvents(t, c.Client(0), c.ShareDir())
	t.Run("flapping link", func(t *testing.T) {
		flappingLink(t, makePool(t, c, pool{name: "flap", legs: 2, disk: 0, size: 48 * mib}))
	})
	t.Run("storage nodes do not see each other", func(t *testing.T) {
		separated(t, makePool(t, c, pool{name: "separated", legs: 2, disk: 1, size: 48 * mib}))
	})
	t.Run("frozen storage node", func(t *testing.T) {
		frozenStorage(t, makePool(t, c, pool{name: "frozen", legs: 2, disk: 2, size: 48 * mib}))
	})
	t.Run("packets", func(t *testing.T) {
		badPackets(t, makePool(t, c, pool{name: "packets", legs: 2, disk: 3, size: 48 * mib}))
	})
	t.Run("frozen client", func(t *testing.T) {
		frozenClient(t, makePool(t, c, pool{name: "thaw", legs: 2, disk: 4, size: 48 * mib}))
	})
}

// attached counts how often clients attached a member, for all of the node's log.
func attached(t *testing.T, p *pool, i int) int {
	t.Helper()
	return strings.Count(p.c.Storage(i).MustSh(t, "dmesg | grep 'rmr "+p.name+"/' || true"), " attached, epoch ")
}

func flappingLink(t *testing.T, p *pool) {
	dev, client, lost := p.attach(t), p.c.Client(0), p.c.Storage(1)
	job, recording := background(t, client, slowly(dev, 22)), p.record(t, client, dev, 22)
	for _, seconds := range []struct{ cut, good float64 }{{0.3, 0.5}, {1, 1}, {6, 1}, {2, 2}, {6, 0.3}, {0.5, 1}} {
		require.NoError(t, lost.Link().Cut())
		time.Sleep(time.Duration(seconds.cut * float64(time.Second)))
		require.NoError(t, lost.Link().Heal(t.Context()))
		time.Sleep(time.Duration(seconds.good * float64(time.Second)))
	}
	p.waitLeg(t, 1, "up-to-date", healLimit)
	job.wait(t, 2*time.Minute)
	recording.wait(t, time.Minute)
	n := attached(t, p, 1)
	t.Logf("leg 1 was attached %d times", n)
	require.LessOrEqual(t, n, 12, "a storm of attempts")
	p.detachEqual(t)
	require.LessOrEqual(t, p.judge(t).Gap, pauseLimit)
}

func separated(t *testing.T, p *pool) {
	dev, client := p.attach(t), p.c.Client(0)
	p.missWhileDead(t, dev, 1)
	require.NoError(t, p.c.Separate(p.c.Storage(0), p.c.Storage(1)))
	p.restart(t, 1)
	p.waitLeg(t, 1, "syncing", healLimit)
	job, recording := background(t, client, slowly(dev, 10)), p.record(t, client, dev, 10)
	time.Sleep(6 * time.Second)
	require.Equal(t, "syncing", p.device(t).Legs[1].State, "up to date without a source")
	p.audit(t)
	require.NoError(t, p.c.Join(p.c.Storage(0), p.c.Storage(1)))
	p.waitLeg(t, 1, "up-to-date", healLimit)
	job.wait(t, 2*time.Minute)
	recording.wait(t, time.Minute)
	p.detachEqual(t)
	require.LessOrEqual(t, p.judge(t).Gap, pauseLimit)
}

// frozenStorage: the node goes on with requests of a session that was closed meanwhile, after newer ones.
func frozenStorage(t *testing.T, p *pool) {
	onlyInFull(t)
	const pause = time.Minute
	dev, client, frozen := p.attach(t), p.c.Client(0), p.c.Storage(1)
	seconds := int(pause.Seconds()) + 8
	job, recording := background(t, client, slowly(dev, seconds)), p.record(t, client, dev, seconds)
	time.Sleep(2 * time.Second)
	require.NoError(t, frozen.Pause())
	p.waitLeg(t, 1, "failed", ejectLimit)
	p.audit(t)
	time.Sleep(pause)
	require.NoError(t, frozen.Resume())
	p.waitLeg(t, 1, "up-to-date", healLimit)
	job.wait(t, 2*time.Minute)
	recording.wait(t, time.Minute)
	p.detachEqual(t)
	require.LessOrEqual(t, p.judge(t).Gap, pauseLimit)
}

// frozenClient: the members give the client up after a minute; it attaches anew by itself.
func frozenClient(t *testing.T, p *pool) {
	onlyInFull(t)
	dev, client := p.attach(t), p.c.Client(0)
	job, recording := background(t, client, slowly(dev, 80)), p.record(t, client, dev, 80)
	time.Sleep(2 * time.Second)
	require.NoError(t, client.Pause())
	time.Sleep(time.Minute)
	p.audit(t)
	require.NoError(t, client.Resume())
	p.waitDevice(t, "live", healLimit)
	job.wait(t, 3*time.Minute)
	recording.wait(t, 2*time.Minute)
	p.finishWith(t)
}

func badPackets(t *testing.T, p *pool) {
	ms := time.Millisecond
	cases := []struct {
		name  string
		netem rig.Netem
	}{
		{"a few lost", rig.Netem{Delay: ms / 2, Loss: 0.05}},
		{"all together", rig.Netem{Delay: 2 * ms, Jitter: ms / 2, Loss: 0.3, Duplicate: 0.5, Corrupt: 0.3, Reorder: 1}},
		{"loss", rig.Netem{Loss: 1}},
		{"delay", rig.Netem{Delay: 20 * ms}},
		{"jitter", rig.Netem{Delay: 5 * ms, Jitter: 3 * ms}},
		{"reorder", rig.Netem{Delay: 2 * ms, Reorder: 5}},
		{"duplicate", rig.Netem{Duplicate: 5}},
		{"corrupt", rig.Netem{Corrupt: 1}},
	}
	if !everyCase() {
		cases = cases[:1]
	}
	dev, client, link, reached := p.attach(t), p.c.Client(0), p.c.Storage(1).Link(), uint64(0)
	for _, bad := range cases {
		require.NoError(t, link.Netem(t.Context(), rig.Netem{}))
		allUpToDate(t, p) // each case begins with both legs
		before := p.device(t).Legs[1].Counters.Writes
		require.NoError(t, link.Netem(t.Context(), bad.netem))
		job, recording := background(t, client, slowly(dev, 8)), p.record(t, client, dev, 8)
		job.wait(t, 2*time.Minute)
		recording.wait(t, time.Minute)
		after := p.device(t)
		reached += after.Legs[1].Counters.Writes - before
		t.Logf("%s: %d writes reached leg 1, which is %s", bad.name, after.Legs[1].Counters.Writes-before, after.Legs[1].State)
		require.Equal(t, "up-to-date", after.Legs[0].State, bad.name)
	}
	require.Positive(t, reached, "no case let the leg live")
	require.NoError(t, link.Heal(t.Context()))
	p.detachEqual(t)
	require.LessOrEqual(t, p.judge(t).Gap, pauseLimit)
}
