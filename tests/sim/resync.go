// SPDX-License-Identifier: Apache-2.0

// This file owns the traffic between simulated members: map pull, copies of chunks, CLEAR.

package sim

import (
	"github.com/rmr-block/rmr/pkg/dirtymap"
	"github.com/rmr-block/rmr/pkg/pool"
)

const copiesAtOnce = 2

func (m *Member) lacksMap() bool {
	return m.fresh || !m.mapOK
}

// same tells whether a peer serves the epoch of a request between members.
func (m *Member) same(e pool.Epoch) bool { return e == m.sb.Promised && !m.witness }

// servePull answers nil if the member may not tell.
func (m *Member) servePull(wire []byte, reply func(any)) {
	p, ok := decode[*pool.MapPull](m.w, wire)
	if !ok || !m.same(p.Epoch) || !m.sb.View.UpToDate.Has(m.id) || m.fresh {
		reply(nil)
		return
	}
	r := &pool.MapReply{First: p.First, Next: pool.NoMore, Chunks: numChunks}
	for c := p.First; c < numChunks; c++ {
		if bits := m.dirty.Get(c) &^ m.self(); bits != 0 {
			r.Runs = append(r.Runs, pool.MapRun{First: c, Count: 1, Bits: bits})
		}
	}
	reply(replied(m.w, r))
}

// tryPull gets a complete map from a leg of U.
func (m *Member) tryPull() {
	if !m.pullOK || m.mapOK || m.pulling || m.fresh || !m.sb.View.Syncing.Has(m.id) {
		return
	}
	from := m.pick(m.sb.View.UpToDate.Without(m.id))
	if from < 0 {
		return
	}
	m.pulling = true
	handle := m.handle
	peer := m.w.members[from]
	wire := m.w.encode(&pool.MapPull{Header: free(), Pool: poolID(), Epoch: m.sb.Promised, From: uint8(m.id)})
	m.w.call(&m.Node, &peer.Node, func(reply func(any)) { peer.servePull(wire, reply) }, func(v any, ok bool) {
		if m.handle != handle {
			return
		}
		m.pulling = false
		if wire, _ := v.([]byte); ok && wire != nil && !m.mapOK {
			r, err := pool.DecodeMapReply(wire, 0)
			m.pulled(must(m.w, r, err))
		}
	})
}

func (m *Member) pulled(r *pool.MapReply) {
	var told [numChunks]pool.Mask
	for _, run := range r.Runs {
		for c := range uint64(run.Count) {
			told[run.First+c] = run.Bits
		}
	}
	m.w.logf("member %d pulled its map: %v, since %d chunks", m.id, told, m.since.Count(0xff))
	if !m.w.on(FPullAdd) {
		m.plan.Reset()
	}
	if m.w.on(FFullMap) {
		m.dirty.Clear(0, numChunks-1, 0xff&^m.self())
		everywhere := pool.Mask(0xff) &^ m.self()
		for c := range told {
			everywhere &= told[c]
		}
		if m.w.cfg.Change && m.w.on(RRemove) {
			everywhere &= m.sb.DataMembers()
		}
		m.dirty.Mark(0, numChunks-1, everywhere)
	}
	for c := range uint64(numChunks) {
		bits := (told[c] | m.since.Get(c)) &^ m.self()
		if m.w.cfg.Change && m.w.on(RRemove) { // the source may have heard later of a slot that was freed
			bits &= m.sb.DataMembers()
		}
		if m.w.on(FFullMap) {
			m.dirty.Set(c, c, bits)
		}
		if told[c] != 0 {
			m.fine.Drop(c)
		}
		if told[c].Has(m.id) {
			m.plan.Add(c)
		} else if !m.plan.Lacks(c) {
			m.overlay.Drop(c)
		}
	}
	m.mapOK, m.since = true, nil
	m.pump()
}

func (m *Member) pick(from pool.Mask) int {
	if from == 0 {
		return -1
	}
	k := m.w.rng.IntN(from.Count())
	for id := range from.All() {
		if k == 0 {
			return id
		}
		k--
	}
	return -1
}

// copyReply is the data of a chunk, with what FINE says of it before and after.
type copyReply struct {
	ok     bool
	newest uint64 // write in the source's list that touches the chunk, 0: none
	values [blocksPerChunk]uint32
	copied [blocksPerChunk]bool
}

func (m *Member) serveCopy(wire []byte, reply func(any)) {
	msg, ok := decode[*pool.ResyncRead](m.w, wire)
	if !ok {
		return
	}
	e, c := msg.Epoch, msg.Offset/chunkSize
	if !m.same(e) || !m.mayServe(c) || m.fault(m.w.cfg.ReadFault) {
		reply(copyReply{})
		return
	}
	m.w.later(&m.Node, m.w.between(20, 800), func() {
		r := copyReply{ok: m.same(e) && m.mayServe(c)}
		for b := range r.values {
			r.values[b] = m.disk.get(int(c)*blocksPerChunk + b)
			r.copied[b] = !m.fine.Known(c) || m.fine.Has(c, b)
		}
		r.newest = m.window.Newest(c)
		reply(r)
	})
}

// pump starts copies while there is room.
func (m *Member) pump() {
	if m.lacksMap() || !m.sb.View.Syncing.Has(m.id) {
		return
	}
	held := func(c uint64) bool {
		for _, h := range m.held {
			if h == c {
				return true
			}
		}
		return false
	}
	sources := func(c uint64) pool.Mask { return pool.ResyncSources(m.sb.View, m.id, m.dirty.Get(c)) }
	for m.plan.Running() < copiesAtOnce {
		cp, ok := m.plan.Next(held, sources)
		if !ok {
			return
		}
		m.copy(cp)
	}
}

func (m *Member) copy(cp dirtymap.Copy) {
	peer, handle := m.w.members[cp.Source], m.handle
	wire := m.w.encode(&pool.ResyncRead{
		Header: free(), Pool: poolID(), Epoch: m.sb.Promised, Offset: cp.Chunk * chunkSize, Length: chunkSize, From: uint8(m.id),
	})
	m.w.call(&m.Node, &peer.Node, func(reply func(any)) { peer.serveCopy(wire, reply) }, func(v any, ok bool) {
		if m.handle != handle || !m.plan.Valid(cp) {
			return
		}
		r, _ := v.(copyReply)
		if !ok || !r.ok {
			m.plan.Fail(cp)
			return
		}
		m.apply(cp, r)
	})
}

// apply writes a copy around the overlay, makes it stable, and only then takes the chunk for clean.
func (m *Member) apply(cp dirtymap.Copy, r copyReply) {
	c, handle := cp.Chunk, m.handle
	first := int(c) * blocksPerChunk
	m.applying[c] = true
	m.begin()
	m.write(first, blocksPerChunk, func(i int) (uint32, bool) {
		b := i - first
		skip := m.overlay.Has(c, b) || !r.copied[b] || !m.w.on(MPartial) && b == blocksPerChunk-1
		return r.values[b], !skip
	}, func() {
		m.applying[c] = false
		m.end()
		m.flush(func(ok bool) {
			switch {
			case m.handle != handle:
			case !ok:
				m.plan.Fail(cp)
			default:
				m.hold(cp, r.newest)
			}
		})
	})
}

// hold takes a copied chunk for clean, once every write that the copy may contain is complete: a write that
// the other legs never got must not spread without a trace (F_COPYLIST).
func (m *Member) hold(cp dirtymap.Copy, newest uint64) {
	handle := m.handle
	if newest >= m.window.Below() && m.w.on(FCopyList) {
		m.w.later(&m.Node, tickTime/4, func() {
			if m.handle == handle {
				m.hold(cp, newest)
			}
		})
		return
	}
	if m.plan.Done(cp) {
		m.overlay.Drop(cp.Chunk)
		m.w.logf("member %d holds chunk %d, copied from %d", m.id, cp.Chunk, cp.Source)
		m.clear(m.sb.View.Active().Without(m.id), []uint64{cp.Chunk}, nil)
		m.pump()
	}
}

// clear tells others that this member durably holds chunks.
func (m *Member) clear(to pool.Mask, chunks []uint64, done func(id int)) {
	v := m.sb.View
	wire := m.w.encode(&pool.Clear{Header: free(), Pool: poolID(), Epoch: v.Epoch, View: v.Number, From: uint8(m.id), Ranges: ranges(chunks)})
	for id := range to.All() {
		peer := m.w.members[id]
		m.w.call(&m.Node, &peer.Node, func(reply func(any)) { peer.serveClear(wire, reply) }, func(v any, ok bool) {
			if cleared, _ := v.(bool); ok && cleared && done != nil {
				done(id)
			}
		})
	}
}

func (m *Member) serveClear(wire []byte, reply func(any)) {
	msg, ok := decode[*pool.Clear](m.w, wire)
	if !ok {
		return
	}
	view := pool.View{Epoch: msg.Epoch, Number: msg.View}
	current := view.Compare(m.seen) >= 0 || !m.w.on(MClrAll)
	if !m.same(view.Epoch) || !current || m.lacksMap() && m.w.on(FPullClr) {
		reply(false)
		return
	}
	for _, r := range msg.Ranges {
		m.dirty.Clear(r.First, r.First+r.Count-1, pool.MaskOf(int(msg.From)))
	}
	if !m.w.on(FClrStable) {
		reply(true)
		return
	}
	m.syncMap(func() { reply(true) })
}

// announce repeats CLEAR for everything under the present view until each active member confirmed it
// (F_PROMOCLR).
func (m *Member) announce() {
	if m.lacksMap() || !m.sb.View.Syncing.Has(m.id) || m.plan.Left() > 0 || m.seen.Compare(m.sb.View) > 0 {
		return
	}
	view := m.sb.View
	all := make([]uint64, numChunks)
	for c := range all {
		all[c] = uint64(c)
	}
	m.clear(view.Active().Without(m.id)&^m.clearedOn, all, func(id int) {
		if m.sb.View == view && m.plan.Left() == 0 {
			m.clearedOn = m.clearedOn.With(id)
		}
	})
}
