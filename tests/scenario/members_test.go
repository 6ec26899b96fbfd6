// SPDX-License-Identifier: Apache-2.0

// Promise: the members of a pool and their stores change while it is in use. A blank store joins with one command,
// gets the data from the others and is up to date; a member is removed, kept out for maintenance, moved to another
// node or gets another disk, dead or alive, without a client noticing; a store that was replaced is refused
// wherever it comes back. All legs are equal afterwards, and nothing that was acknowledged is lost.
//
//	client0 --- brmr0 --+--- stor0 /dev/ubda..
//	client1             +--- stor1 /dev/ubda..   <- removed, maintained, gets another disk
//	                    +--- stor2 /dev/ubda..   <- joins later
//	                    +--- stor3 /dev/ubda..   <- a member moves here; witness

package scenario_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/rig"
)

func TestMembers(t *testing.T) {
	c := start(t, rig.Storage(4), rig.Client(2), rig.Disks(64*mib, 64*mib, 64*mib, 64*mib, 64*mib, 64*mib))
	followEvents(t, c.Client(0), c.ShareDir())
	pool2 := func(name string, disk int) *pool {
		return makePool(t, c, pool{name: name, legs: 2, disk: disk, size: 32 * mib})
	}
	t.Run("third leg, then the second goes", func(t *testing.T) { thirdLeg(t, pool2("third", 0)) })
	t.Run("moved to another node", func(t *testing.T) { moved(t, pool2("moved", 1)) })
	t.Run("maintenance", func(t *testing.T) { maintained(t, pool2("kept", 2)) })
	t.Run("join without a client", func(t *testing.T) { joinAtRest(t, pool2("rest", 3)) })
	t.Run("witness", func(t *testing.T) {
		witnessComesAndGoes(t, makePool(t, c, pool{name: "voter", legs: 3, disk: 4, size: 32 * mib, quorum: true}))
	})
}

// join makes a disk of a node a member of the pool.
func (p *pool) join(t *testing.T, at place, options string) {
	t.Helper()
	n := p.c.Storage(at.node)
	n.MustSh(t, fmt.Sprintf("rmrctl pool join %s --device %s --peer %s %s", p.name, n.DiskDevice(at.disk), p.c.Storage(0).Address(), options))
}

// leg is what the first client shows of a member, if it is one.
func (p *pool) leg(t *testing.T, id int) (legStatus, bool) {
	t.Helper()
	for _, l := range p.device(t).Legs {
		if l.ID == id {
			return l, true
		}
	}
	return legStatus{}, false
}

// waitGone waits until a member is none any more.
func (p *pool) waitGone(t *testing.T, id int) {
	t.Helper()
	eventually(t, func() bool { _, there := p.leg(t, id); return !there }, healLimit, 100*time.Millisecond, "member %d is still there", id)
}

// noStore checks that a store that was a member is none any more.
func (p *pool) noStore(t *testing.T, at place) {
	t.Helper()
	n := p.c.Storage(at.node)
	eventually(t, func() bool { return try(t, n, "rmrctl pool show "+p.name).Code == exitError }, healLimit, 100*time.Millisecond,
		"the removed member is still served")
	refuses(t, n, "rmrctl pool assemble "+n.DiskDevice(at.disk), exitError, "no superblock")
}

// finished detaches and lets all oracles look.
func (p *pool) finished(t *testing.T) {
	t.Helper()
	p.detachEqual(t)
	p.judge(t)
}

func thirdLeg(t *testing.T, p *pool) {
	dev, client := p.attach(t), p.c.Client(0)
	client.MustSh(t, fmt.Sprintf("dd if=/dev/urandom of=%s bs=1M count=20 oflag=direct status=none", dev))
	recording := p.record(t, client, dev, 12)
	p.join(t, place{2, p.disk}, "")
	p.waitLeg(t, 2, "up-to-date", healLimit)
	_, copied := p.resynced(t, 2)
	t.Logf("%d bytes copied of %d", copied, p.size)
	ends(t, client, fmt.Sprintf("rmrctl leg remove %s 1 --wait", p.name))
	p.namedByEvents(t, "stor1")
	p.noStore(t, place{1, p.disk})
	refuses(t, client, fmt.Sprintf("rmrctl leg remove %s 1", p.name), exitError, "no member 1")
	recording.wait(t, time.Minute)
	p.nowOn(place{0, p.disk}, place{2, p.disk})
	p.finished(t)
	// The place is free again for anybody, and the last copy is not.
	dev = p.attach(t)
	recording = p.record(t, client, dev, 6)
	p.join(t, place{1, p.disk}, "")
	p.waitLeg(t, 1, "up-to-date", healLimit)
	ends(t, client, fmt.Sprintf("rmrctl leg remove %s 2 --wait && rmrctl leg remove %s 1 --wait", p.name, p.name))
	refuses(t, client, fmt.Sprintf("rmrctl leg remove %s 0", p.name), exitRefused, "last member")
	refuses(t, p.c.Storage(0), fmt.Sprintf("rmrctl leg remove %s 0", p.name), exitRefused, "last member")
	recording.wait(t, time.Minute)
	p.nowOn(place{0, p.disk})
	p.finished(t)
}

func moved(t *testing.T, p *pool) {
	dev, client := p.attach(t), p.c.Client(0)
	client.MustSh(t, fmt.Sprintf("dd if=/dev/urandom of=%s bs=1M count=20 oflag=direct status=none", dev))
	recording := p.record(t, client, dev, 8)
	p.join(t, place{3, p.disk}, "--replaces 1")
	refuses(t, p.c.Storage(2), fmt.Sprintf("rmrctl pool join %s --device %s --peer %s --replaces 1", p.name, p.c.Storage(2).DiskDevice(p.disk),
		p.c.Storage(0).Address()), exitRefused, "replaced by member 2")
	p.waitLeg(t, 2, "up-to-date", healLimit)
	p.waitGone(t, 1)
	p.noStore(t, place{1, p.disk})
	recording.wait(t, time.Minute)
	p.nowOn(place{0, p.disk}, place{3, p.disk})
	p.finished(t)
}

func maintained(t *testing.T, p *pool) {
	dev, client := p.attach(t), p.c.Client(0)
	recording := p.record(t, client, dev, 4)
	p.c.Storage(0).MustSh(t, fmt.Sprintf("rmrctl leg maintenance %s 1 on", p.name))
	require.Equal(t, "maintenance", p.waitLeg(t, 1, "failed", detectLimit).Reason)
	refuses(t, client, fmt.Sprintf("rmrctl leg maintenance %s 0 on", p.name), exitRefused, "last up-to-date")
	recording.wait(t, time.Minute)
	p.detach(t)
	// Another client keeps to it, though the member is there.
	other := p.c.Client(1)
	dev = p.attachOn(t, other)
	recording = p.record(t, other, dev, 5)
	p.waitLegOn(t, other, 1, "failed", detectLimit)
	time.Sleep(2 * time.Second)
	require.Equal(t, "maintenance", p.waitLegOn(t, other, 1, "failed", detectLimit).Reason)
	other.MustSh(t, fmt.Sprintf("rmrctl leg maintenance %s 1 off", p.name))
	p.waitLegOn(t, other, 1, "up-to-date", healLimit)
	recording.wait(t, time.Minute)
	other.MustSh(t, "brmr unmap "+p.name)
	p.requireEqualLegs(t)
	p.judge(t)
}

func joinAtRest(t *testing.T, p *pool) {
	dev, client := p.attach(t), p.c.Client(0)
	p.record(t, client, dev, 3).wait(t, time.Minute)
	p.detach(t)
	p.join(t, place{2, p.disk}, "")
	require.True(t, p.member(t, 2).Discarded)
	dev = p.attach(t)
	recording := p.record(t, client, dev, 5)
	p.waitLeg(t, 2, "up-to-date", healLimit)
	recording.wait(t, time.Minute)
	p.nowOn(place{0, p.disk}, place{1, p.disk}, place{2, p.disk})
	p.finished(t)
}

func witnessComesAndGoes(t *testing.T, p *pool) {
	dev, client := p.attach(t), p.c.Client(0)
	allUpToDate(t, p)
	recording := p.record(t, client, dev, 30)
	ends(t, client, fmt.Sprintf("rmrctl leg remove %s 2 --wait", p.name))
	p.noStore(t, place{2, p.disk})
	p.join(t, place{3, p.disk}, "--witness")
	p.waitLeg(t, 2, "voting", healLimit)
	// It votes: one of the legs may be lost.
	require.NoError(t, p.c.Storage(1).Kill())
	p.waitLeg(t, 1, "failed", ejectLimit)
	require.Equal(t, "live", p.device(t).State)
	p.goesOn(t, 0)
	refuses(t, client, fmt.Sprintf("rmrctl leg remove %s 2", p.name), exitRefused, "no majority")
	p.legs = 2
	p.restart(t, 1)
	p.waitLeg(t, 1, "up-to-date", healLimit)
	ends(t, client, fmt.Sprintf("rmrctl leg remove %s 2 --wait", p.name))
	recording.wait(t, time.Minute)
	p.finished(t)
}

// namedByEvents: the first client told at once which leg is none any more, and why. A comparison would find it
// missing later, with the reason it had before.
func (p *pool) namedByEvents(t *testing.T, node string) {
	t.Helper()
	line := regexp.MustCompile(fmt.Sprintf(`{"action":"destroy","object":"leg","key":"brmr\d+/\d","name":%q,"state":"[a-z-]+","reason":"leaving","detail":"node:%s `, p.name, node))
	eventually(t, func() bool {
		text, err := os.ReadFile(filepath.Join(p.c.ShareDir(), "events-client0.json"))
		return err == nil && line.Match(text)
	}, 3*time.Second, 100*time.Millisecond, "events did not name the leg on %s", node)
}
