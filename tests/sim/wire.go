// SPDX-License-Identifier: Apache-2.0

// This file owns how requests travel: as the bytes that pkg/pool makes and reads. A message that a node made
// and another one refuses breaks I10.

package sim

import "github.com/rmr-block/rmr/pkg/pool"

func (w *World) encode(m pool.Message) []byte {
	b, err := pool.EncodeMessage(m)
	if err != nil {
		w.fail("I10", "a node made a bad %v: %v", m.MsgType(), err)
	}
	return b
}

// decode tells false, and the run has failed, if the message is refused.
func decode[M pool.Message](w *World, wire []byte) (m M, ok bool) {
	any, err := pool.DecodeMessage(wire)
	if err != nil {
		w.fail("I10", "a node refused a message: %v", err)
		return m, false
	}
	m, ok = any.(M)
	return m, ok
}

// replied is a reply with a wire format, encoded.
func replied(w *World, r interface{ Encode() ([]byte, error) }) []byte {
	b, err := r.Encode()
	if err != nil {
		w.fail("I10", "a node made a bad reply: %v", err)
	}
	return b
}

// must is a decoded reply.
func must[R any](w *World, r R, err error) R {
	if err != nil {
		w.fail("I10", "a node refused a reply: %v", err)
	}
	return r
}

// ranges packs chunks in rising order.
func ranges(chunks []uint64) []pool.Range {
	var list []pool.Range
	for _, c := range chunks {
		if n := len(list); n > 0 && list[n-1].First+list[n-1].Count == c {
			list[n-1].Count++
			continue
		}
		list = append(list, pool.Range{First: c, Count: 1})
	}
	return list
}

// chunksOf unpacks them.
func chunksOf(list []pool.Range) []uint64 {
	var chunks []uint64
	for _, r := range list {
		for i := range r.Count {
			chunks = append(chunks, r.First+i)
		}
	}
	return chunks
}

// free heads messages between members.
func free() pool.Header { return pool.Header{Handle: pool.NoHandle} }

// poolID is the UUID of the simulated pool.
func poolID() pool.UUID { return pool.UUID{1} }

// sendMark asks a member to set bits on chunks, and for a reconcile to remove those against its source. A
// member that alone missed a write has nothing to mark, for which the wire has no message: it is only asked to
// make its map stable.
func (c *Client) sendMark(id int, v pool.View, bits, source pool.Mask, chunks []uint64, done func(ok bool)) {
	m, handle := c.w.members[id], c.legs[id].handle
	mark := &pool.Mark{
		Header: pool.Header{Handle: uint32(handle)}, Epoch: c.epoch, View: v.Number, Number: uint64(c.w.number()),
		Bits: bits, Source: source, Ranges: ranges(chunks),
	}
	if bits|source == 0 {
		c.request(id, func(reply func(any)) { m.applyMark(handle, mark, reply) }, done)
		return
	}
	wire := c.w.encode(mark)
	c.request(id, func(reply func(any)) {
		if mark, ok := decode[*pool.Mark](c.w, wire); ok {
			m.applyMark(handle, mark, reply)
		}
	}, done)
}

// sendSettle tells a member that its uncertain set is marked everywhere.
func (c *Client) sendSettle(id int, view uint64) {
	m, handle := c.w.members[id], c.legs[id].handle
	s := &pool.Settle{}
	s.Header.Handle, s.Epoch, s.View = uint32(handle), c.epoch, view
	wire := c.w.encode(s)
	c.w.call(c.Node, &m.Node, func(reply func(any)) { m.settle(handle, wire); reply(true) }, func(any, bool) {})
}

// sendReady tells a member that every write issued before its join has ended.
func (c *Client) sendReady(id int, done func(ok bool)) {
	m, handle := c.w.members[id], c.legs[id].handle
	r := &pool.Ready{}
	r.Header.Handle, r.Epoch, r.View = uint32(handle), c.epoch, c.vm.Proposed().Number
	wire := c.w.encode(r)
	c.w.call(c.Node, &m.Node, func(reply func(any)) { m.ready(handle, wire); reply(true) }, func(_ any, ok bool) { done(ok) })
}

// sendPrepare asks a member to flush and to persist its map.
func (c *Client) sendPrepare(id int, view uint64, done func(ok bool)) {
	m, handle := c.w.members[id], c.legs[id].handle
	p := &pool.Prepare{}
	p.Header.Handle, p.Epoch, p.View = uint32(handle), c.epoch, view
	wire := c.w.encode(p)
	c.request(id, func(reply func(any)) { m.prepare(handle, wire, reply) }, done)
}
