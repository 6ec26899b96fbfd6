// SPDX-License-Identifier: Apache-2.0

// This file owns the client's half of members and their stores (section 9 of the protocol): the table it puts together
// at attach, telling it, and what it does about wishes and claims.

package sim

import (
	"maps"
	"slices"

	"github.com/rmr-block/rmr/pkg/pool"
)

type slots = [pool.MaxMembers]pool.Member

// legTable is what a leg of a client has to do with the table.
type legTable struct {
	knows   int // version of the client's table that the member persisted, 0: none
	telling bool
	asking  bool
	claimed Time // when the store there was last seen to claim the slot
	freed   int  // handle of the store whose slot was freed, until it is told
}

// clientTable is what a client knows of the slots while it holds an epoch.
type clientTable struct {
	table   pool.Table
	claims  slots
	version int // of the table, rises with every change of it
	legs    []legTable
}

// saysReply is what a member tells of itself and its table.
type saysReply struct {
	slots slots
	view  pool.View
	own   pool.Member
	blank bool
}

func (m *Member) says() saysReply {
	return saysReply{slots: m.sb.Members, view: m.sb.View, own: m.sb.Members[m.id], blank: m.discarded()}
}

// merge puts together what promises say; the answers of stores that are no members are dropped.
func (c *Client) mergePromises() {
	if !c.w.cfg.Change {
		return
	}
	t := &c.tab
	*t = clientTable{version: t.version + 1, legs: make([]legTable, len(c.w.members))}
	ids := slices.Sorted(maps.Keys(c.said)) // mutants depend on the order, and a seed has to replay exactly
	for _, id := range ids {
		c.mergeTable(c.said[id])
	}
	t.table.Held = true
	for _, id := range ids { // the mutant takes claims for what is so
		r := c.said[id]
		if !c.w.on(FClaim) && r.blank && pool.Identify(&t.table.Slots, id, &r.own, true) == pool.StoreClaim {
			t.table.Slots[id] = r.own
		}
	}
	var members []pool.Promise
	for _, p := range c.promises {
		r := c.said[p.Member]
		if c.identify(p.Member, r) == pool.StoreMember {
			members = append(members, p)
			continue
		}
		c.log("member %d is %v", p.Member, c.identify(p.Member, r))
		c.event(p.Member, pool.LegLost)
		c.legs[p.Member] = leg{state: c.legs[p.Member].state}
	}
	c.promises = members
}

// mergeTable adds one member's table, by the rules in force.
func (c *Client) mergeTable(r saysReply) pool.Mask {
	t := &c.tab.table
	view := &r.view
	if r.blank {
		view = nil
	}
	changed := t.Merge(&r.slots, view)
	if t.Held && c.w.on(FSlot) || c.w.on(FLine) && c.w.on(FSlot) {
		return changed
	}
	for id := range r.slots { // slot by slot, by stores alone or by wishes too
		theirs, mine := r.slots[id], t.Slots[id]
		ahead := theirs.Stores() > mine.Stores()
		if !c.w.on(FSlot) {
			ahead = wishSum(theirs) > wishSum(mine)
		}
		if ahead && !(r.blank && r.own.Store == theirs.Store) {
			t.Slots[id], changed = theirs, changed.With(id)
		}
	}
	return changed
}

// wishSum is a generation that counts stores and wishes alike.
func wishSum(m pool.Member) uint64 { return m.Stores() + m.Generation&0xffff }

func (c *Client) identify(id int, r saysReply) pool.Identity {
	who := pool.Identify(&c.tab.table.Slots, id, &r.own, r.blank)
	if !c.w.on(RIdentity) && who == pool.StoreReplaced && !r.blank {
		return pool.StoreMember
	}
	return who
}

// impostor tells whether the mutant takes a replaced store for the member; it cannot be told who has its place.
func (c *Client) impostor(id int) bool {
	return !c.w.on(RIdentity) && c.w.members[id].sb.Store != c.tab.table.Slots[id].Store
}

// data are the members that hold data, as this client knows.
func (c *Client) data() pool.Mask { return c.voters().Data }

// knowsTable tells whether the member persisted the present table; if not it is told, and then tells next.
func (c *Client) knowsTable(id int, next func()) bool {
	if !c.w.cfg.Change || !c.w.on(FTable) {
		return true
	}
	l := &c.tab.legs[id]
	if l.knows == c.tab.version || c.impostor(id) {
		return true
	}
	c.tellTable(id, func(ok bool) {
		if ok && next != nil {
			next()
		}
	})
	return false
}

// tellTable makes a member persist the table.
func (c *Client) tellTable(id int, done func(ok bool)) {
	l := &c.tab.legs[id]
	if l.telling || c.legs[id].handle == 0 {
		return
	}
	l.telling = true
	m, handle, round, version := c.w.members[id], c.legs[id].handle, c.round, c.tab.version
	var wire [][]byte
	for slot := range pool.MaxMembers {
		wire = append(wire, c.w.encode(&pool.MemberSet{
			Header: pool.Header{Handle: uint32(handle)}, Pool: poolID(), MemberID: uint8(slot), Epoch: c.epoch, More: slot < pool.MaxMembers-1,
			Member: c.tab.table.Slots[slot],
		}))
	}
	number := c.w.number()
	c.request(id, func(reply func(any)) { m.setTable(handle, number, wire, reply) }, func(ok bool) {
		if c.round != round || c.legs[id].handle != handle {
			return
		}
		l.telling = false
		if ok {
			l.knows = version
		} else if c.phase == live {
			c.lose(id, "table not persisted")
		}
		done(ok)
	})
}

// table is everything periodic about the table: news, claims, and the next act.
func (c *Client) tables() {
	if !c.w.cfg.Change || c.phase != live {
		return
	}
	for id := range c.legs {
		if c.legs[id].handle != 0 {
			c.knowsTable(id, nil)
			if !c.w.on(FTable) && c.tab.legs[id].knows != c.tab.version && c.w.chance(0.1) {
				c.tellTable(id, func(bool) {})
			}
		}
	}
	claims := slots{}
	for id := range claims {
		if id < len(c.tab.legs) && c.w.now-c.tab.legs[id].claimed < 5*tickTime && c.tab.legs[id].claimed > 0 {
			claims[id] = c.tab.claims[id]
		}
	}
	s := c.tableState(&claims)
	if s.Complete() {
		c.tellRemoved()
	}
	act, id := s.Next()
	if act == pool.TableTake && !c.w.on(FOneVoter) { // as if every change were told
		s.Persisted = 0xff
	}
	switch act {
	case pool.TableEject:
		c.log("ejects leg %d, as wished", id)
		if c.ejects++; c.ejects > 20 {
			c.w.fail("I9", "leg %d is ejected again and again", id)
		}
		c.lose(id, "as wished")
	case pool.TableFree:
		c.setSlot(id, c.tab.table.Slots[id].Freed())
	case pool.TableTake:
		c.setSlot(id, claims[id])
	}
}

func (c *Client) tableState(claims *slots) *pool.TableState {
	s := &pool.TableState{
		Slots: &c.tab.table.Slots, Claims: claims, View: c.vm.Established(), Settled: c.vm.Settled(), Quorum: c.voters().Quorum,
	}
	for id := range c.legs {
		l := &c.legs[id]
		if l.handle == 0 {
			continue
		}
		if c.tab.legs[id].knows == c.tab.version || !c.w.on(FOneVoter) {
			s.Persisted = s.Persisted.With(id)
		}
		if c.w.now-l.alive < leaseT && !l.blank {
			s.Answering = s.Answering.With(id)
		}
		if l.state == pool.LegJoining || l.state == pool.LegPromised && c.stays(id) && l.marking|l.markedOn != 0 {
			s.Joining = s.Joining.With(id)
		}
	}
	if !c.w.on(FOneVoter) {
		s.Persisted |= s.View.Active()
		s.Quorum = false
	}
	return s
}

// setSlot changes who is in a slot.
func (c *Client) setSlot(id int, to pool.Member) {
	t := &c.tab
	c.log("slot %d: %v of %v, generation %d.%d", id, to.State, to.Store, to.Stores(), to.Generation&0xffff)
	t.table.Slots[id] = to
	t.version++
	c.dieHalfWay()
	if c.legs[id].handle != 0 {
		if to.State == pool.MemberNone && c.w.chance(0.5) {
			t.legs[id].freed = c.legs[id].handle
		}
		c.lose(id, "another store has the slot")
		if !c.w.on(FToldLast) {
			c.tellRemoved()
		}
	}
	c.vm = pool.NewViewMaker(c.voters(), c.vm.Established())
	for k := range c.legs {
		if c.legs[k].handle != 0 {
			c.knowsTable(k, nil)
		}
	}
}

// dieHalfWay is a crash at the worst moment: who is in a slot has changed, and not everybody knows.
func (c *Client) dieHalfWay() {
	if w := c.w; !w.calm && w.chance(0.1) {
		w.later(c.Node, w.between(0, 4*Millisecond), func() {
			switch {
			case w.calm:
			case c.polite:
				w.crashMember(w.members[int(c.id)-recoveryID], w.between(5*Millisecond, 300*Millisecond))
			default:
				w.crashClient()
			}
		})
	}
}

// tellRemoved tells stores that they are no members any more. Before the table without them counts the pool may still
// need their promises (F_TOLDLAST).
func (c *Client) tellRemoved() {
	for id := range c.tab.legs {
		m, handle, epoch := c.w.members[id], c.tab.legs[id].freed, c.epoch
		if c.tab.legs[id].freed = 0; handle == 0 {
			continue
		}
		c.request(id, func(reply func(any)) {
			if !m.mine(epoch, handle) {
				reply(false)
				return
			}
			m.retire()
			reply(true)
		}, func(bool) {})
	}
}

// news asks a member whose table is another one for it.
func (c *Client) news(id int, sum uint64) {
	t := &c.tab
	if !c.w.cfg.Change || c.phase != live || sum == pool.TableSum(&t.table.Slots) || t.legs[id].asking {
		return
	}
	t.legs[id].asking = true
	round, handle := c.round, c.legs[id].handle
	m := c.w.members[id]
	c.w.call(c.Node, &m.Node, func(reply func(any)) { reply(m.says()) }, func(v any, ok bool) {
		if c.round != round || c.phase != live {
			return
		}
		t.legs[id].asking = false
		r, _ := v.(saysReply)
		if !ok || c.legs[id].handle != handle || c.identify(id, r) != pool.StoreMember {
			return
		}
		if changed := c.mergeTable(r); changed != 0 {
			c.log("wishes about %v from member %d", changed, id)
			t.version++
		} else if pool.TableSum(&r.slots) != pool.TableSum(&t.table.Slots) {
			t.legs[id].knows = 0
		}
	})
}

// meet asks a node without a session who its store is; only a member's is asked for a promise.
func (c *Client) meet(id int) {
	m := c.w.members[id]
	if !c.w.cfg.Change {
		c.connect(id)
		return
	}
	if m.vacant || c.tab.legs[id].asking {
		return
	}
	l := &c.tab.legs[id]
	l.asking = true
	round := c.round
	c.w.call(c.Node, &m.Node, func(reply func(any)) { reply(m.says()) }, func(v any, ok bool) {
		if c.round != round || c.phase != live {
			return
		}
		l.asking = false
		r, _ := v.(saysReply)
		if !ok {
			return
		}
		switch c.identify(id, r) {
		case pool.StoreMember:
			if c.mergeTable(r) != 0 {
				c.tab.version++
			}
			c.connect(id)
		case pool.StoreClaim:
			c.tab.claims[id], l.claimed = r.own, c.w.now
		}
	})
}

// stays tells whether a leg may be taken into the view, by the wishes about it (R9.7, R9.8).
func (c *Client) stays(id int) bool {
	if !c.w.cfg.Change || !c.w.on(RMaintenance) {
		return true
	}
	return pool.MayJoin(&c.tab.table.Slots, c.vm.Established(), id)
}
