// SPDX-License-Identifier: Apache-2.0

// This file owns exchanges of a store for one in another place (R9.13): who takes part dies at any point, and at rest
// each has ended by itself.

package sim

import (
	"slices"

	"github.com/rmr-block/rmr/pkg/pool"
)

// exchange is one that an operator began.
type exchange struct {
	old, place int
	goes       pool.UUID // store of the member whose place is taken
	comes      pool.UUID // store that takes it
}

// exchange makes a blank store in a free place, which is to take that of a member.
func (w *World) exchange() {
	known := *w.anyTable()
	if known.Flags&pool.FlagDiscarded != 0 { // its own slot there is a claim, of no member
		return
	}
	used := pool.TableVoters(&known.Members, true)
	ids := slices.Collect((used.Data | used.Witnesses).All())
	e := exchange{old: ids[w.rng.IntN(len(ids))]}
	slot := known.Members[e.old]
	if e.place = pool.Place(&known.Members, w.inUse(), e.old); e.place < 0 || slot.Flags&pool.SlotLeaving != 0 {
		return
	}
	m := w.members[e.place]
	if w.on(FSuccession) {
		known.Members[e.old] = slot.Succeeded(e.place)
	}
	if !m.vacant {
		m.takeOut()
	}
	m.blank(slot.State, &known)
	e.goes, e.comes = slot.Store, m.sb.Store
	w.exchanges = append(w.exchanges, e)
	w.logf("operator: store %v is to take the place of member %d", e.comes, e.old)
	m.start()
	if !w.on(FSuccession) { // as a step of its own, after the store is there
		w.later(&m.Node, w.between(0, 60*Millisecond), func() { m.tellSuccession(e.old, slot.Succeeded(e.place)) })
	}
	for w.chance(0.4) {
		w.after(w.between(0, 120*Millisecond), func() { w.interrupt(e) })
	}
}

// inUse are the places where no new store can be put in.
func (w *World) inUse() pool.Mask {
	var mask pool.Mask
	for id := range pool.MaxMembers {
		if id >= len(w.members) || !w.members[id].vacant && !w.members[id].retired {
			mask = mask.With(id)
		}
	}
	return mask
}

// interrupt is the death of somebody who takes part in an exchange.
func (w *World) interrupt(e exchange) {
	if w.calm {
		return
	}
	w.stats.Faults++
	switch w.rng.IntN(4) {
	case 0:
		w.crashClient()
	case 1:
		w.crashMember(w.members[e.old], w.between(5*Millisecond, 300*Millisecond))
	default: // it ran the command
		w.crashMember(w.members[e.place], w.between(5*Millisecond, 300*Millisecond))
	}
}

// succeed says now and then whom this store replaces, as long as it is blank.
func (m *Member) succeed() {
	if !m.w.cfg.Change || !m.discarded() || m.retired || m.handle != 0 || !m.w.on(FSuccession) {
		return
	}
	if of := pool.Succeeds(&m.sb.Members, m.id); of >= 0 && m.w.chance(0.1) {
		m.tellSuccession(of, m.sb.Members[of])
	}
}

// tellSuccession tells a member of the wish that this store takes the place of another.
func (m *Member) tellSuccession(of int, wish pool.Member) {
	w := m.w
	peer := w.members[w.rng.IntN(len(w.members))]
	if peer == m || m.sb.Members[peer.id].State == pool.MemberNone {
		return
	}
	w.call(&m.Node, &peer.Node, func(reply func(any)) { reply(peer.sb.Members[of]) }, func(v any, ok bool) {
		theirs, _ := v.(pool.Member)
		say, tells := wish.Tell(&theirs, true)
		if !ok || !tells {
			return
		}
		wire := w.encode(&pool.MemberSet{Header: free(), Pool: poolID(), MemberID: uint8(of), Member: say})
		w.call(&m.Node, &peer.Node, func(reply func(any)) { peer.hearWish(wire, reply) }, func(any, bool) {})
	})
}

// hearWish is a wish that another node tells.
func (m *Member) hearWish(wire []byte, reply func(any)) {
	set, ok := decode[*pool.MemberSet](m.w, wire)
	if !ok || m.retired {
		reply(false)
		return
	}
	mine := &m.sb.Members[set.MemberID]
	switch {
	case *mine == set.Member:
		reply(true)
	case mine.CheckWish(&set.Member) != nil:
		reply(false)
	default:
		*mine = set.Member
		m.w.logf("member %d hears of wish %d, successor %d, about slot %d", m.id, mine.Flags, mine.Successor, set.MemberID)
		m.syncSB(func() { reply(true) })
	}
}

// unended tells whether a store that was taken up by an exchange has an old one beside it that is to stay. Another
// successor may have been wished for, and without a client wishes wait.
func (w *World) unended(e exchange) bool {
	sb := w.newestServed()
	if sb == nil || !w.served() {
		return false
	}
	comes, goes := &sb.Members[e.place], &sb.Members[e.old]
	switch {
	case comes.Store != e.comes || goes.Store != e.goes:
		return false
	case comes.State == pool.MemberData && !sb.View.UpToDate.Has(e.place):
		return false
	}
	return goes.Flags&pool.SlotLeaving == 0 || goes.Successor == 0 || int(goes.Successor) == e.place+1
}
