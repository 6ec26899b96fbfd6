// SPDX-License-Identifier: Apache-2.0

// This file owns the I/O of a simulated client: the application's threads, ordering of overlapping I/O,
// fan-out, marks, acknowledgements and reads.

package sim

import "github.com/rmr-block/rmr/pkg/pool"

// op is one request of the application.
type op struct {
	kind     pool.Op
	fua      bool
	first, n int
	value    uint32
	record   int // in the history
	thread   int
	seq      uint64

	sent, ok pool.Mask
	miss     pool.Mask // legs that lack this write: lost before they answered, or MISSED
	markedOn pool.Mask
	marking  pool.Mask
	needMark pool.Mask // only for the mutant of F_MARKALL
	tried    pool.Mask // of a read
	flying   bool
	wasSent  bool // under this or an older attachment
}

func (o *op) overlaps(p *op) bool { return o.first < p.first+p.n && p.first < o.first+o.n }
func (o *op) isRead() bool        { return o.kind == pool.OpRead }
func (o *op) chunks() []uint64 {
	list := []uint64{uint64(o.first / blocksPerChunk)}
	if last := uint64((o.first + o.n - 1) / blocksPerChunk); last != list[0] {
		list = append(list, last)
	}
	return list
}

type clientIO struct {
	c       *Client
	ops     []*op // in order of arrival, flying or waiting
	nextSeq uint64
	stopped bool
}

// reset drops what an attachment knew; requests go out again under the next one.
func (q *clientIO) reset() {
	for _, o := range q.ops {
		o.forget()
	}
	q.nextSeq = 1
}

func (o *op) forget() {
	o.sent, o.ok, o.miss, o.markedOn, o.marking, o.needMark, o.tried, o.flying, o.seq = 0, 0, 0, 0, 0, 0, 0, false, 0
}

// golive starts sending. What an older attachment sent without an answer is sent again only if no other
// client went live in between; else it would take effect twice, so it fails (F_REPLAY).
func (q *clientIO) golive(alone bool) {
	q.reset()
	var rest []*op
	for _, o := range q.ops {
		if o.wasSent && !o.isRead() && !alone && q.c.w.on(FReplay) {
			q.c.log("fails %v blocks %d+%d value %d", o.kind, o.first, o.n, o.value)
			q.c.w.later(q.c.Node, Millisecond, func() { q.c.w.nextOp(q.c, o.thread) })
			continue
		}
		rest = append(rest, o)
	}
	q.ops = rest
	q.pump()
}

func (q *clientIO) stop() { q.ops, q.stopped = nil, true }

// below is the completion mark: every write with a lower number has ended.
func (q *clientIO) below() uint64 {
	s := q.nextSeq
	for _, o := range q.ops {
		if o.flying && o.kind.Modifies() {
			s = min(s, o.seq)
		}
	}
	return s
}

func (q *clientIO) missedBy(id int) bool {
	for _, o := range q.ops {
		if o.miss.Has(id) {
			return true
		}
	}
	return false
}

// submit takes a request of the application.
func (q *clientIO) submit(o *op) {
	if q.stopped {
		return
	}
	o.record = q.c.w.hist.begin(q.c, o)
	q.ops = append(q.ops, o)
	q.pump()
}

// pump sends whatever may go: of overlapping requests only the oldest (F_WSER, F_RSER, F_RWSER).
func (q *clientIO) pump() {
	if q.c.phase != live {
		return
	}
	for i, o := range q.ops {
		if o.flying || q.heldBack(i) {
			continue
		}
		if q.c.phase != live {
			return
		}
		switch {
		case o.isRead():
			q.sendRead(o)
		case !o.flying:
			q.sendWrite(o)
		}
	}
}

func (q *clientIO) heldBack(i int) bool {
	w, o := q.c.w, q.ops[i]
	if o.kind == pool.OpFlush {
		return false
	}
	for _, p := range q.ops[:i] {
		if p.kind == pool.OpFlush || !o.overlaps(p) || o.isRead() && p.isRead() {
			continue
		}
		switch {
		case o.isRead() && !w.on(FRSer):
		case !o.isRead() && p.isRead() && !w.on(FRWSer) && p.flying:
		case !o.isRead() && !p.isRead() && !w.on(FWSer):
		default:
			return true
		}
	}
	return false
}

// sendWrite fans a write, discard or flush out to all legs that get writes.
func (q *clientIO) sendWrite(o *op) {
	c := q.c
	sending := c.vm.Sending()
	o.flying, o.wasSent = true, true
	if o.kind.Modifies() {
		o.seq = q.nextSeq
		q.nextSeq++
	}
	if o.kind == pool.OpFlush && !c.w.on(MFlushOne) {
		sending = pool.MaskOf(sending.Lowest())
	}
	o.sent = sending
	msg := &pool.IO{Epoch: c.epoch, View: c.vm.Proposed().Number, Seq: o.seq, CompletedBelow: q.below(), Op: o.kind}
	if o.kind.Modifies() {
		msg.Offset, msg.Length = uint64(o.first)*pool.BlockSize, uint32(o.n)*pool.BlockSize
		msg.Missing = c.data() &^ sending
	}
	if o.fua {
		msg.Flags = pool.IOFUA
	}
	c.log("sends %v seq %d blocks %d+%d value %d to %v missing %v", o.kind, o.seq, o.first, o.n, o.value, sending, msg.Missing)
	for id := range sending.All() {
		q.send(o, msg, id, func(r ioReply, ok bool) { q.written(o, id, r, ok) })
	}
}

// send passes one IO message through its wire format.
func (q *clientIO) send(o *op, msg *pool.IO, id int, done func(r ioReply, ok bool)) {
	c, m := q.c, q.c.w.members[id]
	handle, round := c.legs[id].handle, c.round
	msg.Header.Handle = uint32(handle)
	wire, err := pool.EncodeMessage(msg)
	if err != nil {
		c.w.fail("I10", "client made a bad request: %v", err)
		return
	}
	value := o.value
	c.w.call(c.Node, &m.Node, func(reply func(any)) { m.serveIO(handle, wire, value, reply) }, func(v any, ok bool) {
		if c.round != round || c.phase != live {
			return
		}
		if c.legs[id].handle != handle {
			if o.isRead() {
				done(ioReply{}, false)
			}
			return
		}
		r, _ := v.(ioReply)
		done(r, ok)
	})
}

// written takes one leg's answer to a write or flush.
func (q *clientIO) written(o *op, id int, r ioReply, ok bool) {
	c := q.c
	switch {
	case ok && r.status == pool.StatusOK:
		o.ok = o.ok.With(id)
	case ok && r.status == pool.StatusMissed:
		o.miss, o.markedOn, o.marking = o.miss.With(id), 0, 0
		c.log("leg %d missed seq %d", id, o.seq)
		if c.w.on(FMissView) {
			was := c.legs[id].state
			c.event(id, pool.LegMissed)
			if was == pool.LegUpToDate {
				c.becameActive(id)
			}
			c.changed(c.vm.Lose(0, pool.MaskOf(id)))
		}
	default:
		c.lose(id, "write or flush failed")
		return
	}
	if c.phase == live {
		q.check()
	}
}

// legLost notes what a leg misses that was just lost.
func (q *clientIO) legLost(id int) {
	for _, o := range q.ops {
		switch {
		case !o.flying || o.isRead():
		case o.kind == pool.OpFlush:
			o.sent = o.sent.Without(id)
		case o.sent.Has(id) && !o.ok.Has(id):
			o.miss, o.markedOn, o.marking = o.miss.With(id), 0, 0
		}
	}
	if q.c.phase == live {
		q.check()
	}
}

// check acknowledges what may be acknowledged.
func (q *clientIO) check() {
	for again := true; again && q.c.phase == live; {
		again = false
		for _, o := range q.ops {
			if o.flying && !o.isRead() && q.complete(o) {
				q.finish(o, nil)
				again = true
				break
			}
		}
	}
	q.pump()
}

func (q *clientIO) complete(o *op) bool {
	c := q.c
	if !c.w.on(MAckEarly) && o.ok != 0 {
		return true
	}
	if !o.sent.Within(o.ok | o.miss) {
		return false
	}
	if o.miss != 0 && c.w.on(MNoMark) && !q.marked(o) {
		return false
	}
	return (c.vm.Settled() || !c.w.on(MViewGate)) && !c.vm.Broken()
}

// marked tells whether every active leg has persisted who misses a write, and asks those that have not.
func (q *clientIO) marked(o *op) bool {
	c := q.c
	need := c.vm.Sending()
	if !c.w.on(FMarkAll) {
		if o.needMark == 0 {
			o.needMark = need
		}
		need &= o.needMark
	}
	if need.Within(o.markedOn) {
		return true
	}
	round, miss := c.round, o.miss
	for id := range (need &^ o.markedOn &^ o.marking).All() {
		handle := c.legs[id].handle
		o.marking = o.marking.With(id)
		c.sendMark(id, c.vm.Proposed(), miss.Without(id), 0, o.chunks(), func(ok bool) {
			if c.round != round || c.phase != live || c.legs[id].handle != handle {
				return
			}
			if !ok {
				c.lose(id, "mark")
				return
			}
			if o.miss == miss {
				o.markedOn = o.markedOn.With(id)
				q.check()
			}
		})
	}
	return false
}

// finish ends a request and lets the thread go on.
func (q *clientIO) finish(o *op, values []uint32) {
	c := q.c
	for i, p := range q.ops {
		if p == o {
			q.ops = append(append([]*op{}, q.ops[:i]...), q.ops[i+1:]...)
			break
		}
	}
	o.flying = false
	c.log("ends %v blocks %d+%d value %d read %v", o.kind, o.first, o.n, o.value, values)
	c.w.hist.end(o.record, values)
	c.w.stats.Ops++
	c.w.later(c.Node, c.w.between(100, 8*Millisecond), func() { c.w.nextOp(c, o.thread) })
}

// sendRead asks one leg that may have the data and was not asked yet.
func (q *clientIO) sendRead(o *op) {
	c := q.c
	est := c.vm.Established()
	from := est.UpToDate & c.vm.Proposed().UpToDate
	if c.w.chance(0.3) { // perhaps a syncing leg has the chunk clean: it answers STALE if not
		from = pool.ReadLegs(est, c.vm.Proposed().Active(), 0) & c.vm.Sending()
	}
	from &^= o.tried
	for id := range c.legs {
		if c.legs[id].handle == 0 {
			from = from.Without(id)
		}
	}
	if from == 0 {
		o.tried = 0
		return // the next tick tries again
	}
	id := c.w.members[0].pick(from)
	o.flying = true
	msg := &pool.IO{Epoch: c.epoch, View: est.Number, Op: pool.OpRead, CompletedBelow: q.below(), Offset: uint64(o.first) * pool.BlockSize, Length: uint32(o.n) * pool.BlockSize}
	q.send(o, msg, id, func(r ioReply, ok bool) {
		o.flying = false
		switch {
		case ok && r.status == pool.StatusOK && (c.leased() || !c.w.on(FLease)):
			q.finish(o, r.values[:o.n])
			q.pump()
			return
		case ok && r.status == pool.StatusOK:
			return // no lease: the next tick tries again
		}
		o.tried = o.tried.With(id)
		q.pump()
	})
}
