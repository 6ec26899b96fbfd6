// SPDX-License-Identifier: Apache-2.0

// Promise: whenever a storage node loses power, what is on its disk is a legal store that keeps what was promised,
// told and acknowledged: superblock and map are valid, epoch, view and write_seq never go back, what a lost leg missed
// is marked, what may differ has its bit or its intent (I5, R2.5, R3.2, R3.8).
//
//	client0 --- brmr0 --+--- stor0 /dev/mapper/store0 on cached0    <- every write is logged; in full it grows
//	                    +--- stor1 /dev/mapper/store0 on cached0    <- the same; lost and back; in full it is
//	                               /dev/mapper/cached2                 exchanged for this one, which is logged too
//
// The logs are replayed on the host, entry by entry. Weaker than asked: the logs have no common clock, so that what a
// CLEAR needs of the other leg's disk is left to TestLostWriteCache/during_its_resync; while a leg may copy, its data
// is not held against intents, as copies have none.

package scenario_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/crashpoint"
	"github.com/rmr-block/rmr/internal/rig"
)

// loggedPool is a pool of two legs whose writes are logged.
type loggedPool struct {
	*pool
	log    [2]*rig.WriteLog
	most   int64         // bytes of the disks
	fresh  *rig.WriteLog // of the disk that stor1 gets
	lost   uint8         // mask of legs that get nothing now
	writes int           // calls of write
}

const (
	crashDisk = 264 * mib
	crashPool = 260 * mib // two blocks of map
	crashMost = 288 * mib // of the disk, and what the devices have in the end
)

func TestEveryCrashPointIsALegalImage(t *testing.T) {
	most, disks := crashDisk, []int64{crashDisk, 1024 * mib}
	if everyCase() {
		most, disks = crashMost, []int64{crashMost, 1024 * mib, crashMost, 1024 * mib}
	}
	c := start(t, rig.Storage(2), rig.Client(1), rig.Disks(disks...))
	p := &loggedPool{most: most, pool: &pool{c: c, name: "crash", legs: 2, size: crashPool}}
	var device [2]string
	for i := range p.log {
		var err error
		p.log[i], err = rig.NewWriteLog(c.Storage(i), 0, 1)
		require.NoError(t, err)
		device[i], err = p.log[i].Start(t.Context())
		require.NoError(t, err)
		c.Storage(i).MustSh(t, fmt.Sprintf("echo '0 %d linear %s 0' | dmsetup create --noudevsync store0 && dmsetup mknodes", crashDisk/512, device[i]))
		device[i] = "/dev/mapper/store0"
	}
	c.Storage(0).MustSh(t, fmt.Sprintf("rmrctl pool create crash --assume-zeroed --chunk-size 64K --device %s --size %d", device[0], p.size))
	c.Storage(1).MustSh(t, fmt.Sprintf("rmrctl pool join crash --assume-zeroed --device %s --peer %s", device[1], c.Storage(0).Address()))
	p.mark(t, "joined", false, false)
	rounds := 1
	if everyCase() {
		rounds = 4
	}
	for round := range rounds {
		p.life(t, round)
	}
	least := 400
	if everyCase() {
		least = 2000
		require.NoError(t, sameBytes(p.data(t, 0), p.data(t, 1))) // the audit wants stores that take all of a disk
		p.grows(t)
		p.exchange(t)
	} else {
		p.requireEqualLegs(t)
	}
	points := 0
	for i := range p.log {
		points += p.replay(t, i, p.log[i], crashDisk)
	}
	if p.fresh != nil {
		points += p.replay(t, 1, p.fresh, crashMost)
	}
	require.Greater(t, points, least, "moments of a loss of power")
}

// life maps the pool, writes, loses a leg, writes, takes it back, writes, lets intents go and unmaps.
func (p *loggedPool) life(t *testing.T, round int) {
	dev, client := p.attach(t), p.c.Client(0)
	p.mark(t, "mapped", false, false)
	p.write(t, dev, 40)
	p.mark(t, "written", false, false)
	if round%2 == 0 {
		client.MustSh(t, "rmrctl leg eject crash 1")
	} else {
		require.NoError(t, p.c.Storage(1).Link().Cut())
	}
	p.waitLeg(t, 1, "failed", ejectLimit)
	p.lost = 1 << 1
	p.mark(t, "alone", false, false)
	for range 5 {
		first := p.write(t, dev, 8)
		p.markMissed(t, first, first+7)
	}
	p.lost = 0
	p.mark(t, "returns", true, false)
	if round%2 == 1 {
		require.NoError(t, p.c.Storage(1).Link().Heal(t.Context()))
	}
	p.undamp(t, 1)
	p.write(t, dev, 20) // while it copies
	p.waitLeg(t, 1, "up-to-date", healLimit)
	p.mark(t, "promoted", false, false)
	p.write(t, dev, 40)
	if round == 0 {
		for i := range p.legs {
			eventually(t, func() bool { return p.member(t, i).Intents == 0 }, intentLimit, 200*time.Millisecond, "intents stay")
		}
	}
	p.detach(t)
	p.mark(t, "unmapped", false, true)
}

// grows makes the devices, the stores and the pool larger while it is written to.
func (p *loggedPool) grows(t *testing.T) {
	dev, client := p.attach(t), p.c.Client(0)
	p.mark(t, "mapped-to-grow", false, false)
	for i := range p.log {
		p.c.Storage(i).MustSh(t, fmt.Sprintf("echo '0 %d linear /dev/mapper/cached0 0' | dmsetup reload store0 && dmsetup suspend --noudevsync store0 && dmsetup resume --noudevsync store0",
			crashMost/512))
		s := p.now(t, i)
		p.put(t, i, crashpoint.Mark{Name: "larger-device", Seq: s.Epoch.Seq, View: s.View, Size: uint64(crashMost)})
		p.c.Storage(i).MustSh(t, "rmrctl disk grow crash")
		p.write(t, dev, 8)
	}
	p.mark(t, "has-room", false, false)
	p.size += 16 * mib
	client.MustSh(t, fmt.Sprintf("brmr resize crash --size %d", p.size))
	p.mark(t, "resized", false, false)
	client.MustSh(t, fmt.Sprintf("dd if=/dev/urandom of=%s bs=64k seek=%d count=100 oflag=direct status=none && sync", dev, crashPool/(64<<10)))
	p.mark(t, "written-behind", false, false)
	p.detach(t)
	p.mark(t, "unmapped-grown", false, true)
	p.requireEqualLegs(t)
}

// exchange gives stor1 another disk, which is logged as well; the old one ends.
func (p *loggedPool) exchange(t *testing.T) {
	var err error
	p.fresh, err = rig.NewWriteLog(p.c.Storage(1), 2, 3)
	require.NoError(t, err)
	path, err := p.fresh.Start(t.Context())
	require.NoError(t, err)
	dev := p.attach(t)
	s := p.now(t, 1)
	p.put(t, 1, crashpoint.Mark{Name: "replaced", Seq: s.Epoch.Seq, View: s.View, Gone: true})
	s = p.now(t, 0)
	p.put(t, 0, crashpoint.Mark{Name: "beside", Seq: s.Epoch.Seq, View: s.View})
	require.NoError(t, p.fresh.Mark(t.Context(), crashpoint.Mark{Name: "new", Copies: true}.Text()))
	p.c.Storage(1).MustSh(t, "rmrctl disk replace crash --leg 1 --device "+path)
	p.write(t, dev, 20) // while it copies
	p.waitGone(t, 1)
	p.waitLeg(t, 2, "up-to-date", healLimit)
	s = p.now(t, 1)
	require.NoError(t, p.fresh.Mark(t.Context(), crashpoint.Mark{Name: "promoted", Seq: s.Epoch.Seq, View: s.View}.Text()))
	p.write(t, dev, 40)
	p.detach(t)
	s = p.now(t, 1)
	require.NoError(t, p.fresh.Mark(t.Context(), crashpoint.Mark{Name: "end", Seq: s.Epoch.Seq, View: s.View, Clean: true}.Text()))
	p.nowOn(place{0, 0}, place{1, 2})
	p.requireEqualLegs(t)
}

// write fills chunks, one after the other, flushes, and writes into the first of them again without a flush.
func (p *loggedPool) write(t *testing.T, dev string, chunks int) (first int) {
	t.Helper()
	const all = int(crashPool / (64 << 10))
	script := "dd if=/dev/urandom of=%[1]s bs=64k seek=%[2]d count=%[3]d oflag=direct status=none && sync && dd if=/dev/urandom of=%[1]s bs=4k seek=%[4]d count=%[3]d oflag=direct status=none"
	p.writes++
	first = p.writes * 997 % (all - chunks) // in both blocks of the map
	p.c.Client(0).MustSh(t, fmt.Sprintf(script, dev, first, chunks, first*16))
	return first
}

// told is what the tool says of a member: it is on its disk.
type told struct {
	Epoch struct {
		Seq uint64 `json:"seq"`
	} `json:"epoch"`
	View uint64 `json:"view"`
}

func (p *loggedPool) now(t *testing.T, i int) told {
	t.Helper()
	list := ask[told](t, p.c.Storage(i), "rmrctl pool show crash")
	require.Len(t, list, 1)
	return list[0]
}

// mark notes the present state on both logs.
func (p *loggedPool) mark(t *testing.T, name string, copies, clean bool) {
	t.Helper()
	for i := range p.log {
		s := p.now(t, i)
		m := crashpoint.Mark{Name: name, Seq: s.Epoch.Seq, View: s.View, Clean: clean}
		if i == 0 {
			m.Lost = p.lost
		} else {
			m.Copies = copies || p.lost != 0
		}
		p.put(t, i, m)
	}
}

// markMissed notes what was acknowledged without the lost leg.
func (p *loggedPool) markMissed(t *testing.T, first, last int) {
	t.Helper()
	s := p.now(t, 0)
	p.put(t, 0, crashpoint.Mark{
		Name: fmt.Sprintf("missed-%d", first), Seq: s.Epoch.Seq, View: s.View, Lost: p.lost, Missed: [2]uint64{uint64(first), uint64(last)},
	})
}

func (p *loggedPool) put(t *testing.T, i int, m crashpoint.Mark) {
	t.Helper()
	require.NoError(t, p.log[i].Mark(t.Context(), m.Text()))
}

// replay ends a log and judges every moment of it. size is of the device when it began.
func (p *loggedPool) replay(t *testing.T, i int, log *rig.WriteLog, size int64) (points int) {
	t.Helper()
	p.c.Storage(i).MustSh(t, "if rmrctl pool show crash > /dev/null; then rmrctl pool stop crash; fi; if [ -e /dev/mapper/store0 ]; then dmsetup remove --noudevsync store0; dmsetup mknodes; fi")
	entries, err := log.End(t.Context())
	require.NoError(t, err)
	torn := 2
	if everyCase() {
		torn = 8
	}
	begin := time.Now()
	seed := uint64(begin.UnixNano())
	r, err := crashpoint.Replay(entries, crashpoint.Options{
		DiskSize: uint64(size), Most: uint64(p.most), Tail: uint64(p.most - crashPool), Torn: torn, Random: rand.New(rand.NewPCG(uint64(i), seed)),
	})
	t.Logf("leg %d: %d entries: %+v in %v, seed %d", i, len(entries), r, time.Since(begin).Round(time.Millisecond), seed)
	require.NoError(t, err, "leg %d", i)
	return r.Points
}
