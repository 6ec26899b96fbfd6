// SPDX-License-Identifier: Apache-2.0

// This file owns a simulated member: its memory, its life and death, and how it persists superblock and
// map. The requests it serves are in serve.go, its resync in resync.go.

package sim

import (
	"github.com/rmr-block/rmr/pkg/dirtymap"
	"github.com/rmr-block/rmr/pkg/pool"
)

type chunkSet [numChunks]bool

func (s *chunkSet) list() (l []uint64) {
	for c, in := range s {
		if in {
			l = append(l, uint64(c))
		}
	}
	return l
}

func (s *chunkSet) add(chunks []uint64) {
	for _, c := range chunks {
		s[c] = true
	}
}

// Member is one storage node, or a witness.
type Member struct {
	Node
	w       *World
	id      int
	witness bool
	disk    *Disk
	vacant  bool    // no store was ever put in
	shelf   []*Disk // stores that were taken out
	retired bool    // told that it is no member any more
	outcast bool    // heard that it is no member any more
	tableNo int     // of the newest table told, so that a copy of an older one changes nothing

	// All below is memory, lost in a crash.
	sb        *pool.Superblock
	dirty     *dirtymap.Map
	since     *dirtymap.Map // bits set since the join, until the map is complete
	intents   *dirtymap.Intents
	window    *dirtymap.Window
	fine      *dirtymap.Blocks
	overlay   *dirtymap.Blocks
	plan      *dirtymap.Planner
	mapOK     bool
	fresh     bool // promised or started since the last view: silent (R5.9)
	forced    bool // promised to a client that an operator let go on (R2.15)
	attaching bool // promised, and the client has not shown yet that it is live
	restarted bool
	kept      chunkSet  // uncertain from before the present session (F_KEEP)
	seen      pool.View // highest view seen in any message (F_WVIEW)
	handle    int
	heard     Time // last word of the epoch's holder
	active    int  // requests being worked on
	drained   []func()
	held      map[uint64]uint64 // write that has to be complete first, and chunk, to the chunk (F_HOLD, F_HOLDALL)
	marksSeen map[uint64]bool   // of this session (F_MARKDUP)
	applying  chunkSet
	clearedOn pool.Mask
	pullOK    bool
	pulling   bool

	own *Client // recovery attachment run by this node

	mapBusy, sbBusy bool
	mapWait, sbWait []func()
}

func newMember(w *World, id int, witness bool) *Member {
	return &Member{Node: Node{index: id}, w: w, id: id, witness: witness, disk: &Disk{dataWay: map[uint64]func(){}}}
}

func (m *Member) self() pool.Mask { return pool.MaskOf(m.id) }

// create writes superblock and map as the creation of the pool does.
func (m *Member) create(sb pool.Superblock) {
	sb.MemberID = uint8(m.id)
	sb.Store = sb.Members[m.id].Store
	sb.WriteSeq = 2
	if m.witness {
		sb.MapOff, sb.MapLen = 0, 0
	}
	b, err := sb.Encode()
	if err != nil {
		panic(err)
	}
	m.disk.sb[0] = b
	sb.WriteSeq = 1
	if m.disk.sb[1], err = sb.Encode(); err != nil {
		panic(err)
	}
	image := pool.MapSectorImage{Tag: pool.MapTag(sb.Store)}
	m.disk.sectors[0] = image.Encode()
}

// start boots the member from its disk.
func (m *Member) start() {
	sb, _, err := pool.ChooseSuperblock(m.disk.sb, storeSize)
	if err != nil {
		m.w.fail("I10", "member %d cannot read its superblock: %v", m.id, err)
		return
	}
	m.up = true
	m.boot++
	m.sb = sb
	m.seen = sb.View
	m.tableNo, m.retired, m.outcast = 0, m.disk.wiped, false
	m.witness = sb.Members[sb.MemberID].State == pool.MemberWitness
	m.dirty = dirtymap.New(numChunks, pool.MapTag(sb.Store))
	if err := m.dirty.Load(0, m.disk.sectors[0]); err != nil {
		m.w.fail("I5", "member %d map sector: %v", m.id, err)
	}
	m.dirty.LoadFills(sb.Fill)
	if m.w.cfg.Change && m.w.on(RRemove) { // bits of a slot that was freed right before the crash
		m.dirty.Clear(0, numChunks-1, 0xff&^(sb.DataMembers()|m.self()))
	}
	m.intents = dirtymap.NewIntents()
	m.window = dirtymap.NewWindow()
	m.fine = dirtymap.NewBlocks(blocksPerChunk, numChunks)
	m.overlay = dirtymap.NewBlocks(blocksPerChunk, 2)
	m.plan = dirtymap.NewPlanner()
	m.since, m.mapOK, m.fresh, m.restarted = nil, false, m.w.on(FSilent), m.boot > 1
	m.attaching = false
	m.kept, m.applying = chunkSet{}, chunkSet{}
	for c := range m.dirty.Dirty(m.self()) {
		m.kept[c] = true
		m.intents.Restore(c)
	}
	m.handle, m.heard, m.active, m.drained, m.held = 0, m.w.now, 0, nil, map[uint64]uint64{}
	m.clearedOn, m.pullOK, m.pulling = 0, false, false
	m.own = nil
	m.mapBusy, m.sbBusy, m.mapWait, m.sbWait = false, false, nil, nil
	m.w.logf("member %d starts: promised %v view %v kept %v", m.id, sb.Promised, sb.View, m.kept.list())
	m.tick()
}

// settled notes, for the checks only, that the member is part of U since the last crash of its node: unless it
// crashed again before the client knew, which its session tells.
func (m *Member) settled(handle int) {
	if m.up && m.handle == handle {
		m.disk.settled()
	}
}

// crash stops the member; with power, its disk loses its cache too.
func (m *Member) crash(power bool) {
	m.w.logf("member %d crashes, power loss %v", m.id, power)
	m.up = false
	m.boot++
	m.disk.crash(m.w, power)
	m.w.checkMaps()
}

// tick is everything periodic.
func (m *Member) tick() {
	m.w.later(&m.Node, m.w.between(tickTime/2, tickTime*3/2), m.tick)
	m.succeed()
	if m.witness {
		return
	}
	m.announce()
	m.pump()
	m.tryPull()
	if m.w.chance(0.1) {
		m.flush(func(bool) {})
	}
	if m.w.chance(0.3) { // the disk writes back on its own
		b := &m.disk.blocks[m.w.rng.IntN(numBlocks)]
		b.writeBack(b.cached, b.cachedVer)
	}
	m.clearIntents()
	m.recover()
}

// clearIntents clears those that may go (F_INTENT), lazily.
func (m *Member) clearIntents() {
	below := m.window.Below()
	if !m.w.on(FIntent) {
		below = 1 << 62
	}
	for _, c := range m.intents.Clearable(below) {
		m.dirty.Clear(c, c, m.self())
		m.intents.Cleared(c)
	}
	if len(m.dirty.Pending()) > 0 && m.w.chance(0.3) {
		m.syncMap(func() {})
	}
}

// syncMap calls done when the present state of the map is stable, its fills in the superblock included (R9.14).
func (m *Member) syncMap(done func()) {
	fills := func() { m.syncFills(done) }
	if len(m.dirty.Pending()) == 0 && !m.mapBusy {
		fills()
		return
	}
	m.mapWait = append(m.mapWait, fills)
	if !m.mapBusy {
		m.writeMap()
	}
}

// fillable are the members that the map may have fills of.
func (m *Member) fillable() pool.Mask { return m.sb.Fillable() }

// syncFills calls done when the superblock has the fills of the map.
func (m *Member) syncFills(done func()) {
	if m.dirty.HasFill() && m.w.chance(0.3) {
		m.dirty.AdvanceFills()
	}
	if !m.dirty.FillsPending(m.fillable()) {
		done()
		return
	}
	rule := FFillStable
	if m.sb.Fill != (dirtymap.Fills{}) {
		rule = FFillEnd
	}
	if !m.w.on(rule) {
		m.syncSB(func() {})
		done()
		return
	}
	m.syncSB(done)
}

// putFills puts the fills of the map into the superblock.
func (m *Member) putFills() {
	was := m.sb.Fill
	m.sb.Fill = m.dirty.PutFills(m.fillable())
	for id := range m.sb.Fill {
		if !m.w.on(FFillOwed) && was[id] != 0 {
			m.sb.Fill[id] = 0
		}
	}
}

func (m *Member) writeMap() {
	waiters := m.mapWait
	m.mapWait, m.mapBusy = nil, true
	image, gen := m.dirty.Image(0)
	b := image.Encode()
	d := m.disk
	d.inflight = chain(d.inflight, func(keep bool) {
		if keep {
			d.sectors[0] = b
		}
	})
	m.w.later(&m.Node, m.w.between(50, 800), func() {
		d.inflight = nil
		d.sectors[0] = b
		m.dirty.Persisted(0, gen)
		m.mapBusy = false
		for _, fn := range waiters {
			fn()
		}
		if len(m.mapWait) > 0 && !m.mapBusy {
			m.writeMap()
		}
	})
}

func chain(a, b func(bool)) func(bool) {
	if a == nil {
		return b
	}
	return func(keep bool) { a(keep); b(keep) }
}

// syncSB calls done when the present superblock is stable.
func (m *Member) syncSB(done func()) {
	m.sbWait = append(m.sbWait, done)
	if !m.sbBusy {
		m.writeSB()
	}
}

func (m *Member) writeSB() {
	waiters := m.sbWait
	m.sbWait, m.sbBusy = nil, true
	m.sb.WriteSeq++
	m.putFills()
	fills := m.sb.Fill
	b, err := m.sb.Encode()
	if err != nil {
		m.w.fail("I10", "member %d superblock: %v", m.id, err)
		return
	}
	d, at := m.disk, m.sb.WriteSeq%pool.SuperblockCopies
	done := false
	d.inflight = chain(d.inflight, func(keep bool) {
		switch {
		case done:
		case keep:
			d.sb[at] = b
		default: // torn
			d.sb[at] = append(append([]byte{}, b[:512]...), d.sb[at][512:]...)
		}
	})
	m.w.later(&m.Node, m.w.between(50, 800), func() {
		done = true
		d.sb[at] = b
		m.dirty.FillsWritten(fills)
		m.sbBusy = false
		for _, fn := range waiters {
			fn()
		}
		if len(m.sbWait) > 0 && !m.sbBusy {
			m.writeSB()
		}
	})
}

// write puts a value into the disk's cache after a while.
func (m *Member) write(first, n int, v func(i int) (uint32, bool), done func()) {
	d := m.disk
	d.ways++
	way := d.ways
	apply := func() {
		for i := first; i < first+n; i++ {
			if value, ok := v(i); ok {
				d.put(i, value)
			}
		}
	}
	d.dataWay[way] = apply
	m.w.later(&m.Node, m.w.between(30, 1000), func() {
		delete(d.dataWay, way)
		apply()
		done()
	})
}

// flush makes everything in the disk's cache stable.
func (m *Member) flush(done func(ok bool)) {
	mark := m.intents.FlushStart()
	snap := m.disk.snapshot()
	bad := m.fault(m.w.cfg.FlushFault)
	m.w.later(&m.Node, m.w.between(100, 2000), func() {
		if !bad {
			m.disk.flushed(&snap)
			m.intents.Flushed(mark)
		}
		done(!bad)
	})
}

func (m *Member) fault(p float64) bool {
	if m.w.calm || !m.w.chance(p) {
		return false
	}
	m.w.stats.Faults++
	return true
}

// lacks tells whether the member must treat a chunk as dirty for itself.
func (m *Member) lacks(c uint64) bool {
	if m.sb.View.UpToDate.Has(m.id) && !m.fresh {
		return m.plan.Lacks(c)
	}
	return (!m.mapOK && m.w.on(MTrustY)) || m.plan.Lacks(c)
}

// see notes the view of a message.
func (m *Member) see(v pool.View) {
	if v.Compare(m.seen) > 0 {
		m.seen = v
	}
}

// mark sets bits of others on chunks.
func (m *Member) mark(first, last uint64, bits pool.Mask) {
	bits &^= m.self()
	if m.w.cfg.Change && m.w.on(RRemove) {
		bits &= m.sb.DataMembers()
	}
	m.dirty.Mark(first, last, bits)
	if m.since != nil {
		m.since.Set(first, last, bits)
	}
}
