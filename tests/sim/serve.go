// SPDX-License-Identifier: Apache-2.0

// This file owns the requests a simulated member serves to clients: attach, view, mark, I/O, keepalive.

package sim

import (
	"github.com/rmr-block/rmr/pkg/dirtymap"
	"github.com/rmr-block/rmr/pkg/pool"
)

// promiseReply answers ATTACH.
type promiseReply struct {
	ok       bool
	busy     bool
	promised pool.Epoch
	handle   int
	promise  pool.Promise
	says     saysReply
}

func (m *Member) attach(e pool.Epoch, c *Client, reply func(any)) {
	order := e.Compare(m.sb.Promised)
	if !m.w.on(FEpoch) { // order by number alone
		order = int(int64(e.Seq) - int64(m.sb.Promised.Seq))
	}
	switch {
	case m.retired:
		reply(promiseReply{})
		return
	case order < 0:
		reply(promiseReply{promised: m.sb.Promised})
		return
	case order > 0 && c.polite && m.handle != 0 && m.w.now-m.heard < 10*tickTime:
		reply(promiseReply{promised: m.sb.Promised, busy: true})
		return
	}
	m.sb.Promised = e
	m.sb.Flags |= pool.FlagUsed
	m.handle, m.heard, m.forced = m.w.number(), m.w.now, c.force
	m.kept.add(m.window.Uncertain())
	if !m.w.on(FKeep) && order > 0 {
		defer func() { m.kept, m.restarted = chunkSet{}, false }()
	}
	m.window = dirtymap.NewWindow()
	m.intents.Hold()
	m.held, m.marksSeen = map[uint64]uint64{}, map[uint64]bool{}
	m.attaching = true
	m.fresh, m.pullOK, m.pulling, m.clearedOn = true, false, false, 0
	handle := m.handle
	answer := promiseReply{ok: true, promised: e, handle: handle, says: m.says(), promise: pool.Promise{
		Member: m.id, View: m.sb.View, Restarted: m.restarted, Uncertain: m.kept.list(), Discarded: m.discarded(),
	}}
	m.w.logf("member %d promises %v to handle %d: view %v restarted %v uncertain %v", m.id, e, handle, m.sb.View, m.restarted, answer.promise.Uncertain)
	m.syncSB(func() {
		m.drain(func() {
			if m.handle == handle {
				reply(answer)
			}
		})
	})
}

// drain calls done when nothing that an older session asked for is under way.
func (m *Member) drain(done func()) {
	if m.active == 0 || !m.w.on(MNoDrain) {
		done()
		return
	}
	m.drained = append(m.drained, done)
}

func (m *Member) begin() { m.active++ }

func (m *Member) end() {
	m.active--
	if m.active == 0 {
		waiters := m.drained
		m.drained = nil
		for _, fn := range waiters {
			fn()
		}
	}
}

// mine tells whether a request belongs to the promised epoch and the present session.
func (m *Member) mine(e pool.Epoch, handle int) bool {
	if !m.w.on(MNoFence) {
		return true
	}
	return e == m.sb.Promised && (handle == m.handle || !m.w.on(MNoDrain))
}

func (m *Member) setView(handle int, wire []byte, reply func(any)) {
	msg, err := pool.DecodeMessage(wire)
	if err != nil {
		m.w.fail("I10", "VIEW refused: %v", err)
		return
	}
	v := msg.(*pool.ViewSet).View
	if !m.mine(v.Epoch, handle) || v.Compare(m.sb.View) < 0 || !m.mayBeTold(v) || !v.Active().Within(m.sb.DataMembers()) {
		reply(false)
		return
	}
	m.heard = m.w.now
	m.see(v)
	if v != m.sb.View {
		m.enter(v)
	}
	m.syncSB(func() { reply(m.handle == handle) })
}

// enter takes over a newer view.
func (m *Member) enter(v pool.View) {
	m.sb.View = v
	m.clearedOn = 0
	if m.witness || v.Syncing.Has(m.id) {
		m.sb.Flags &^= pool.FlagDiscarded
	}
	switch {
	case m.witness:
	case !v.Active().Has(m.id): // F_OUTVOID
		m.plan.Reset()
		m.mapOK, m.pullOK = false, false
	case m.fresh && v.UpToDate.Has(m.id):
		m.fresh, m.mapOK, m.since = false, true, nil
		m.plan.Reset()
		m.overlay.Reset()
		m.fine.Reset()
	case m.fresh, m.attaching && v.Syncing.Has(m.id) && m.w.on(FRepull):
		m.fresh, m.mapOK = false, false
		m.plan.Reset()
		m.overlay.Reset()
		m.fine.Reset()
		m.since = dirtymap.New(numChunks, 0)
	}
}

// applyMark serves a MARK.
func (m *Member) applyMark(handle int, a *pool.Mark, reply func(any)) {
	if !m.mine(a.Epoch, handle) {
		reply(false)
		return
	}
	if m.w.on(FWView) {
		m.see(pool.View{Epoch: a.Epoch, Number: a.View})
	}
	if m.marksSeen[a.Number] && m.w.on(MDupMark) {
		return // a late duplicate must not set bits again that were cleared since; the first one answers
	}
	m.marksSeen[a.Number] = true
	for _, r := range a.Ranges {
		m.mark(r.First, r.First+r.Count-1, a.Bits)
	}
	for _, c := range chunksOf(a.Ranges) {
		if m.w.on(FSrcBits) {
			m.dirty.Clear(c, c, a.Source&^m.self())
		}
		if m.w.on(MFineKeep) {
			m.fine.Drop(c)
		}
		if a.Bits.Has(m.id) && m.sb.View.Syncing.Has(m.id) {
			m.plan.Add(c)
		}
	}
	m.syncMap(func() { reply(m.handle == handle) })
}

// settle ends the keeping of the uncertain set: its marks are persisted everywhere (F_KEEP).
func (m *Member) settle(handle int, wire []byte) {
	if s, ok := decode[*pool.Settle](m.w, wire); ok && m.mine(s.Epoch, handle) {
		m.kept, m.restarted, m.attaching = chunkSet{}, false, false
		m.intents.Release()
	}
}

// ready tells the member that every write issued before its join has ended (F_PULLALL).
func (m *Member) ready(handle int, wire []byte) {
	if r, ok := decode[*pool.Ready](m.w, wire); ok && m.mine(r.Epoch, handle) {
		m.pullOK, m.attaching = true, false
		m.tryPull()
	}
}

func (m *Member) keepalive(handle int, wire []byte, reply func(any)) {
	k, ok := decode[*pool.Keepalive](m.w, wire)
	if !ok || !m.mine(k.Epoch, handle) {
		reply(nil)
		return
	}
	m.heard = m.w.now
	m.completed(k.CompletedBelow)
	r := &pool.KeepaliveReply{View: m.sb.View.Number, Lacking: uint64(m.plan.Left()), ClearedOn: m.clearedOn, Table: m.tableSum()}
	if m.mapOK {
		r.Flags |= pool.AliveMap
	}
	reply(replied(m.w, r))
}

func (m *Member) completed(s uint64) {
	m.window.Completed(s)
	for key := range m.held {
		if key>>8 < m.window.Below() {
			delete(m.held, key)
		}
	}
}

// prepare gets a syncing member ready for promotion: cache flushed (F_RETFLUSH), map persisted.
func (m *Member) prepare(handle int, wire []byte, reply func(any)) {
	p, ok := decode[*pool.Prepare](m.w, wire)
	if !ok || !m.mine(p.Epoch, handle) {
		reply(false)
		return
	}
	sync := func(ok bool) { m.syncMap(func() { reply(ok && m.handle == handle) }) }
	if !m.w.on(FRetFlush) {
		sync(true)
		return
	}
	m.flush(sync)
}

type ioReply struct {
	status pool.Status
	values [4]uint32
}

func (m *Member) serveIO(handle int, wire []byte, value uint32, reply func(any)) {
	msg, err := pool.DecodeMessage(wire)
	if err != nil {
		m.w.fail("I10", "IO refused: %v", err)
		return
	}
	io := msg.(*pool.IO)
	if !m.mine(io.Epoch, handle) {
		reply(ioReply{status: pool.StatusFenced})
		return
	}
	m.heard, m.attaching = m.w.now, false
	if m.w.on(FWView) {
		m.see(pool.View{Epoch: io.Epoch, Number: io.View})
	}
	m.completed(io.CompletedBelow)
	switch {
	case io.Op == pool.OpRead:
		m.serveRead(io, reply)
	case io.Op == pool.OpFlush:
		m.begin()
		m.flush(func(ok bool) {
			m.end()
			reply(ioReply{status: status(ok)})
		})
	default:
		m.serveWrite(io, value, reply)
	}
}

func status(ok bool) pool.Status {
	if ok {
		return pool.StatusOK
	}
	return -5
}

func (m *Member) serveRead(io *pool.IO, reply func(any)) {
	e := extent(io)
	for c := e.First; c <= e.Last; c++ {
		if !m.mayServe(c) {
			reply(ioReply{status: pool.StatusStale})
			return
		}
	}
	bad := m.fault(m.w.cfg.ReadFault)
	m.w.later(&m.Node, m.w.between(20, 500), func() {
		r := ioReply{status: status(!bad)}
		first, n := blocks(io)
		for i := range n {
			r.values[i] = m.disk.get(first + i)
		}
		if !m.mine(io.Epoch, m.handle) { // a higher epoch was promised meanwhile
			r.status = pool.StatusFenced
		}
		reply(r)
	})
}

func (m *Member) mayServe(c uint64) bool {
	if !m.w.on(MReady) {
		return m.sb.View.Active().Has(m.id) && !m.fresh
	}
	return !m.fresh && pool.MayServe(m.sb.View, m.id, m.mapOK || !m.w.on(MTrustY), m.lacks(c))
}

func extent(io *pool.IO) dirtymap.Extent {
	return dirtymap.Extent{First: io.Offset / chunkSize, Last: (io.Offset + uint64(io.Length) - 1) / chunkSize}
}

func blocks(io *pool.IO) (first, n int) {
	return int(io.Offset / pool.BlockSize), int(io.Length / pool.BlockSize)
}

func (m *Member) serveWrite(io *pool.IO, value uint32, reply func(any)) {
	e := extent(io)
	arrival, st := m.window.Arrive(io.Seq, e)
	if !m.w.on(FDup) && arrival != dirtymap.ArrivalRunning {
		arrival = dirtymap.ArrivalNew
	}
	switch arrival {
	case dirtymap.ArrivalAnswered:
		reply(ioReply{status: st})
		return
	case dirtymap.ArrivalRefused:
		reply(ioReply{status: pool.StatusFenced})
		return
	case dirtymap.ArrivalRunning:
		return // the first one answers, to the same request
	}
	m.begin()
	m.startWrite(io, value, reply, m.window)
}

// startWrite waits while a resync copy of the chunk is being written, then applies or misses the write.
func (m *Member) startWrite(io *pool.IO, value uint32, reply func(any), window *dirtymap.Window) {
	e := extent(io)
	for c := e.First; c <= e.Last; c++ {
		if m.applying[c] && m.w.on(MNoOverlay) {
			m.w.later(&m.Node, 100, func() { m.startWrite(io, value, reply, window) })
			return
		}
	}
	tracked := e
	if !m.w.on(MBoundary) {
		tracked.Last = tracked.First
	}
	if !m.w.on(MDiscard) && io.Op == pool.OpDiscard {
		tracked = dirtymap.Extent{First: 1, Last: 0}
	}
	m.trackFine(io, tracked)
	if m.w.on(MNoMask) && tracked.First <= tracked.Last {
		m.mark(tracked.First, tracked.Last, io.Missing)
	}
	if m.fault(m.w.cfg.WriteFault) || !m.overlaid(io) {
		m.miss(io, window, reply)
		return
	}
	if m.w.on(MNoIntent) && tracked.First <= tracked.Last {
		m.dirty.Set(tracked.First, tracked.Last, m.self())
	}
	for c := e.First; c <= e.Last; c++ {
		m.intents.Begin(c, io.Seq)
	}
	if !m.w.on(MMapLate) {
		m.applyWrite(io, value, window, reply)
		m.syncMap(func() {})
		return
	}
	m.syncMap(func() { m.applyWrite(io, value, window, reply) })
}

func (m *Member) applyWrite(io *pool.IO, value uint32, window *dirtymap.Window, reply func(any)) {
	first, n := blocks(io)
	e := extent(io)
	m.write(first, n, func(int) (uint32, bool) { return value, true }, func() {
		for c := e.First; c <= e.Last; c++ {
			m.intents.Applied(c)
		}
		done := func(ok bool) {
			m.end()
			st := status(ok)
			window.Answer(io.Seq, st)
			if !m.w.on(FList) && window == m.window {
				m.window.Completed(io.Seq + 1)
			}
			reply(ioReply{status: st})
		}
		if io.Flags&pool.IOFUA == 0 {
			done(true)
			return
		}
		m.flush(done)
	})
}

// miss answers MISSED: the write was not applied here.
func (m *Member) miss(io *pool.IO, window *dirtymap.Window, reply func(any)) {
	e := extent(io)
	first, n := blocks(io)
	m.w.logf("member %d misses write %d of chunks %v", m.id, io.Seq, e)
	for c := e.First; c <= e.Last; c++ {
		if m.w.on(FVoid) || !m.plan.Lacks(c) {
			m.plan.Add(c)
		}
		if m.w.on(FOvlMiss) {
			for b := first; b < first+n; b++ {
				if uint64(b/blocksPerChunk) == c {
					m.overlay.Remove(c, b%blocksPerChunk, b%blocksPerChunk)
				}
			}
		}
		if m.w.on(FHold) {
			newest := io.Seq
			if m.w.on(FHoldAll) {
				newest = window.Newest(c) // writes of the chunk before this one are in no overlay
			}
			m.held[newest<<8|c] = c
		}
	}
	m.syncMap(func() {
		m.end()
		window.Answer(io.Seq, pool.StatusMissed)
		reply(ioReply{status: pool.StatusMissed})
	})
}

// overlaid notes a write to dirty chunks in the overlay; false if there is no room.
func (m *Member) overlaid(io *pool.IO) bool {
	first, n := blocks(io)
	for b := first; b < first+n; b++ {
		c := uint64(b / blocksPerChunk)
		if m.lacks(c) && m.w.on(MNoOverlay) && !m.overlay.Add(c, b%blocksPerChunk, b%blocksPerChunk) {
			return false
		}
	}
	return true
}

// trackFine keeps 4 KiB bits of chunks that become dirty for somebody by this write.
func (m *Member) trackFine(io *pool.IO, tracked dirtymap.Extent) {
	if io.Missing == 0 || m.lacksMap() {
		return
	}
	first, n := blocks(io)
	for c := tracked.First; c <= tracked.Last; c++ {
		clean := m.dirty.Get(c)&^m.self() == 0
		if clean {
			m.fine.Drop(c)
		}
		for b := first; b < first+n; b++ {
			if uint64(b/blocksPerChunk) == c && (clean || m.fine.Known(c)) {
				m.fine.Add(c, b%blocksPerChunk, b%blocksPerChunk)
			}
		}
	}
}
