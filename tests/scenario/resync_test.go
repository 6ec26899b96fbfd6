// SPDX-License-Identifier: Apache-2.0

// Promise: a return that is cut off at any of its pieces begins again and ends well, under writes to the very
// chunks that are copied: the returning node dies after 1 %, 50 % or 99 % of the chunks, the node that it copies
// from dies (with two legs I/O waits for it, with three another one takes over), each message of a return is the
// last one that a node saw, a CLEAR is late and meets a write that failed meanwhile.
//
//	client0 --- brmr0 --+--- stor0    <- source, dies
//	                    +--- stor1    <- returns, dies
//	                    +--- stor2    (not in the tests of two legs)

package scenario_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/rig"
)

func TestInterruptedResync(t *testing.T) {
	c := start(t, rig.Storage(3), rig.Client(1), rig.Disks(64*mib, 64*mib, 64*mib, 64*mib, 64*mib, 64*mib, 64*mib, 64*mib))
	for i, each := range []struct {
		name   string
		legs   int
		victim int
		part   int // chunk of missedChunks that is being counted as held when the victim dies
		always bool
	}{
		{"source of three dies at 50 %", 3, 0, missedChunks / 2, true},
		{"only source dies at 50 %", 2, 0, missedChunks / 2, false},
		{"returning node dies at 1 %", 2, 1, 1, false},
		{"returning node dies at 50 %", 2, 1, missedChunks / 2, false},
		{"returning node dies at 99 %", 2, 1, missedChunks, false},
		{"only source dies at 1 %", 2, 0, 1, false},
		{"only source dies at 99 %", 2, 0, missedChunks, false},
		{"source of three dies at 99 %", 3, 0, missedChunks, false},
	} {
		t.Run(each.name, func(t *testing.T) {
			if !each.always {
				onlyInFull(t)
			}
			p := makePool(t, c, pool{name: fmt.Sprintf("cut%d", i), legs: each.legs, disk: i, size: 56 * mib})
			interrupted(t, p, each.victim, each.part)
		})
	}
}

func interrupted(t *testing.T, p *pool, victim, part int) {
	dev, client, target := p.attach(t), p.c.Client(0), p.c.Storage(1)
	p.missWhileDead(t, dev, 1)
	require.NoError(t, target.Restart(t.Context()))
	bringUp(t, target)
	trigger(t, target, fmt.Sprintf("copy-held 1 %d hold", part))
	target.MustSh(t, "rmrctl pool assemble "+target.DiskDevice(p.disk))
	waitTrigger(t, target, "copy-held")
	// Both write to chunks that are being copied.
	job, recording := background(t, client, slowly(dev, 12)), p.record(t, client, dev, 12)
	time.Sleep(time.Second)
	p.kill(t, victim)
	p.audit(t)
	if victim == 1 {
		p.waitLeg(t, 1, "failed", ejectLimit)
		p.restart(t, 1)
	} else if trigger(t, target, "release"); p.legs == 2 {
		p.waitDevice(t, "suspended", ejectLimit)
		require.True(t, job.running(), "I/O ended while no leg was up to date")
		p.restart(t, 0)
		p.waitDevice(t, "live", healLimit)
	} else {
		p.waitLeg(t, 0, "failed", ejectLimit)
		p.waitLeg(t, 1, "up-to-date", healLimit)
		p.restart(t, 0)
	}
	allUpToDate(t, p)
	job.wait(t, 2*time.Minute)
	recording.wait(t, time.Minute)
	trigger(t, target, "clear")
	p.finishWith(t)
}

// piece is a moment of a return: a point of a node that is killed when it gets there.
type piece struct {
	point  string
	node   int
	always bool
}

func TestReturnCutAtEachPiece(t *testing.T) {
	c := start(t, rig.Storage(3), rig.Client(1), rig.Disks(64*mib))
	p := makePool(t, c, pool{name: "pieces", legs: 3, disk: 0, size: 56 * mib, opts: "--stall 2s"})
	dev := p.attach(t)
	for _, at := range []piece{
		{"map-pull", 1, true},
		{"clear", 0, false},
		{"promise", 1, false},
		{"sb-write", 1, false},
		{"view", 1, false},
		{"view", 0, false},
		{"mark", 0, false},
		{"map-write", 1, false},
		{"copy-read", 1, false},
		{"copy-apply", 1, false},
		{"copy-held", 1, false},
		{"resync-read", 0, false},
	} {
		t.Run(fmt.Sprintf("%s of stor%d", at.point, at.node), func(t *testing.T) {
			if !at.always {
				onlyInFull(t)
			}
			cutAt(t, p, dev, at)
		})
	}
	p.finishWith(t)
}

func cutAt(t *testing.T, p *pool, dev string, at piece) {
	p.missWhileDead(t, dev, 1)
	recording := p.record(t, p.c.Client(0), dev, 6)
	target, victim := p.c.Storage(1), p.c.Storage(at.node)
	require.NoError(t, target.Restart(t.Context()))
	bringUp(t, target)
	trigger(t, victim, at.point+" any 1 hold")
	target.MustSh(t, "rmrctl pool assemble "+target.DiskDevice(p.disk))
	p.undamp(t, 1)
	waitTrigger(t, victim, at.point)
	p.kill(t, at.node)
	p.audit(t)
	p.waitLeg(t, at.node, "failed", ejectLimit)
	p.restart(t, at.node)
	p.undamp(t, at.node)
	p.undamp(t, 1)
	allUpToDate(t, p)
	recording.wait(t, time.Minute)
}

// TestLateClearMeetsAFailedWrite: leg 1 holds a chunk again and says so; the CLEAR lies in leg 0 while leg 1 fails a
// new write of that chunk. If the CLEAR then counted, nobody would know that leg 1 lacks the chunk.
func TestLateClearMeetsAFailedWrite(t *testing.T) {
	c := start(t, rig.Storage(2), rig.Client(1), rig.Disks(64*mib))
	p := makePool(t, c, pool{name: "late", legs: 2, disk: 0, size: 56 * mib})
	dev := p.attach(t)
	p.missWhileDead(t, dev, 1)
	source, target := c.Storage(0), c.Storage(1)
	require.NoError(t, target.Restart(t.Context()))
	bringUp(t, target)
	trigger(t, source, "clear any 1 0-0 hold")
	// Chunks are copied from the lowest on; chunk 20 keeps the resync from ending meanwhile.
	trigger(t, target, "copy-held 1 1 20-20 hold")
	target.MustSh(t, "rmrctl pool assemble "+target.DiskDevice(p.disk))
	waitTrigger(t, source, "clear")
	trigger(t, target, "copy-read 1 1 0-0 hold")
	trigger(t, target, "store 1 write 1 0-0 fail -5")
	c.Client(0).MustSh(t, fmt.Sprintf("dd if=/dev/urandom of=%s bs=64k count=1 seek=3 oflag=direct status=none", dev))
	waitTrigger(t, target, "store")
	p.audit(t)
	trigger(t, source, "release")
	// Chunk 20 is held up and stays marked. Had the CLEAR counted, it would be the only one: 0 is lacked anew.
	marked := steadyMarks(t, p)
	t.Logf("%d chunks are marked on leg 0", marked)
	require.Greater(t, marked, uint64(1), "an old CLEAR took the mark of a failed write away")
	trigger(t, target, "clear")
	trigger(t, source, "clear")
	recording := p.record(t, c.Client(0), dev, 3)
	allUpToDate(t, p)
	recording.wait(t, time.Minute)
	p.finishWith(t)
}

// steadyMarks is how many chunks leg 0 has marked for leg 1 when no copy ends any more.
func steadyMarks(t *testing.T, p *pool) uint64 {
	t.Helper()
	last, since := uint64(0), time.Now()
	for begin := time.Now(); time.Since(begin) < healLimit; time.Sleep(200 * time.Millisecond) {
		for _, m := range p.audit(t).Members {
			if n := m.Dirty[1]; m.ID == 0 && n != last {
				last, since = n, time.Now()
			}
		}
		if time.Since(since) > 3*time.Second {
			return last
		}
	}
	t.Fatalf("copies go on for ever")
	return 0
}
