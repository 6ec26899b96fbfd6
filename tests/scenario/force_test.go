// SPDX-License-Identifier: Apache-2.0

// Promise: by an operator's word a pool is served without the members that are missing, with a history of its
// own from then on. A member of the other history is recognised when it comes back, is neither served nor
// copied from, and joins as an empty one once its history was given up. All legs are equal then, and what
// was written before the force on both sides, or after it on the side that stayed, is what is read.
//
//	client0 --- brmr0 --+--- stor0 /dev/ubda..   <- dead, comes back with the old history
//	client1             +--- stor1 /dev/ubda..   <- goes on by force

package scenario_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/rig"
)

func TestForce(t *testing.T) {
	c := start(t, rig.Storage(3), rig.Client(2), rig.Disks(64*mib, 64*mib, 64*mib))
	followEvents(t, c.Client(0), c.ShareDir())
	t.Run("lost member", func(t *testing.T) {
		lostMember(t, makePool(t, c, pool{name: "lost", legs: 2, disk: 0, size: 32 * mib}))
	})
	t.Run("lost majority", func(t *testing.T) {
		onlyInFull(t)
		lostMember(t, makePool(t, c, pool{name: "few", legs: 2, disk: 1, size: 32 * mib, witness: true}))
	})
	t.Run("two histories", func(t *testing.T) {
		twoHistories(t, makePool(t, c, pool{name: "split", legs: 2, disk: 2, size: 32 * mib}))
	})
}

// lineages are the histories that the members say they have.
func (p *pool) lineage(t *testing.T, i int) string {
	t.Helper()
	return p.member(t, i).Lineage
}

// discard gives the history of a member up, by force and only by force.
func (p *pool) discard(t *testing.T, i int) {
	t.Helper()
	command := fmt.Sprintf("rmrctl pool resolve %s --discard %d", p.name, i)
	refuses(t, p.c.Storage(i), command, exitRefused, "could lose data", "--force")
	p.c.Storage(i).MustSh(t, command+" --force")
}

// lostMember: leg 0 is dead and never comes back in time; with quorum the witness is away too.
func lostMember(t *testing.T, p *pool) {
	dev, client := p.attach(t), p.c.Client(0)
	allUpToDate(t, p)
	p.record(t, client, dev, 5).wait(t, time.Minute)
	p.detach(t)
	dead := []int{0}
	if p.witness {
		dead = append(dead, p.legs)
	}
	for _, i := range dead {
		require.NoError(t, p.c.Storage(i).Kill())
	}
	before := p.lineage(t, 1)
	refuses(t, client, p.mapFrom(1), exitError, "member 0")
	dev = client.MustSh(t, p.mapFrom(1)+" --force")
	require.NotEqual(t, before, p.lineage(t, 1))
	p.waitLeg(t, 1, "up-to-date", healLimit)
	p.record(t, client, dev, 5).wait(t, time.Minute)
	for _, i := range dead {
		p.restart(t, i)
	}
	require.Equal(t, before, p.lineage(t, 0))
	requireSplitBrain(t, p, 0)
	recording := p.record(t, client, dev, 20)
	for _, i := range dead {
		p.discard(t, i)
	}
	p.waitLeg(t, 0, "up-to-date", healLimit)
	recording.wait(t, time.Minute)
	require.Equal(t, p.lineage(t, 1), p.lineage(t, 0))
	require.False(t, p.member(t, 0).Discarded)
	p.detachEqual(t)
	// Whole again: nothing has to be forced any more.
	dev = p.attach(t)
	allUpToDate(t, p)
	if p.witness {
		p.waitLeg(t, p.legs, "voting", healLimit)
		require.Equal(t, p.lineage(t, 1), p.lineage(t, p.legs))
	}
	p.record(t, client, dev, 3).wait(t, time.Minute)
	p.detachEqual(t)
	p.judge(t)
}

// requireSplitBrain waits until the client has met the member and says what it is; it never serves.
func requireSplitBrain(t *testing.T, p *pool, id int) {
	t.Helper()
	eventually(t, func() bool { return p.device(t).Legs[id].Reason == "split-brain" }, healLimit, 100*time.Millisecond,
		"the member of another history was not recognised")
	require.Equal(t, "failed", p.device(t).Legs[id].State)
	reads, writes := p.member(t, id).Counters.Reads, p.member(t, id).Counters.Writes
	time.Sleep(3 * time.Second)
	require.Equal(t, reads, p.member(t, id).Counters.Reads)
	require.Equal(t, writes, p.member(t, id).Counters.Writes)
}

// twoHistories: client0 goes on with leg 0 alone while client1 forces leg 1; both write. Side 0 stays.
func twoHistories(t *testing.T, p *pool) {
	client, other := p.c.Client(0), p.c.Client(1)
	dev := p.attach(t)
	allUpToDate(t, p)
	p.record(t, client, dev, 4).wait(t, time.Minute)
	heal := []func(){apart(t, client, p.c.Storage(1)), apart(t, other, p.c.Storage(0)), apart(t, p.c.Storage(0), p.c.Storage(1))}
	p.waitLeg(t, 1, "failed", detectLimit)
	recording := p.record(t, client, dev, 40)
	forced := other.MustSh(t, p.mapFrom(1)+" --force --takeover")
	// Never looked at by the recorder's oracle: all of it is given up.
	other.MustSh(t, fio(forced, verified, fmt.Sprintf("--rw=randwrite --bs=16k --iodepth=8 --offset=%d --size=8m", recorded)))
	for _, h := range heal {
		h()
	}
	requireSplitBrain(t, p, 1)
	refuses(t, p.c.Storage(1), "rmrctl pool resolve split --discard 1 --force", exitRefused, "in use by client client1")
	other.MustSh(t, "brmr unmap split")
	refuses(t, other, p.mapFrom(0)+" --takeover", exitError, "different histories: split brain", "rmrctl pool resolve")
	refuses(t, other, p.mapFrom(0)+" --takeover --force", exitError, "different histories: split brain")
	refuses(t, p.c.Storage(1), "rmrctl pool resolve split --discard 0 --force", exitError, "this node has member 1")
	// By the facts: side 0 is older, and the member of side 1 goes, each told by its own node.
	younger := "rmrctl pool resolve split --policy discard-younger --peer "
	require.Contains(t, p.c.Storage(0).MustSh(t, younger+p.c.Storage(1).Address()+" --force"), "member 0 stays")
	refuses(t, p.c.Storage(1), younger+p.c.Storage(0).Address(), exitRefused, "could lose data", "--force")
	require.Contains(t, p.c.Storage(1).MustSh(t, "rmrctl pool resolve split --policy discard-older --force --peer "+p.c.Storage(0).Address()), "member 1 stays")
	require.Positive(t, p.member(t, 0).OthersLack)
	require.Positive(t, p.member(t, 1).OthersLack)
	require.Contains(t, p.c.Storage(1).MustSh(t, younger+p.c.Storage(0).Address()+" --force"), "member 1 discarded")
	p.waitLeg(t, 1, "up-to-date", healLimit)
	recording.wait(t, 2*time.Minute)
	p.detachEqual(t)
	p.judge(t)
}
