// SPDX-License-Identifier: Apache-2.0

// This file owns stores that come and go (section 9 of the protocol): what operators do with them, the member's half
// of the table, and what the checks expect of members then. A store that was taken out lies on its node's shelf and
// may be put in again at any time.

package sim

import (
	"math/rand/v2"
	"slices"

	"github.com/rmr-block/rmr/pkg/pool"
)

// Changing is the first of the seeds in which members and their stores change.
const Changing = uint64(1) << 42

func (c *Config) drawChanges(r *rand.Rand) {
	c.Members = []int{1, 2, 2, 2, 3, 3, 3, 4, 5}[r.IntN(9)]
	voters := c.Members
	if c.Witness {
		voters++
	}
	c.Quorum = voters >= 3 && r.IntN(3) > 0
	c.Change, c.Spare, c.Force = true, 1+r.IntN(min(3, pool.MaxMembers-voters)), false
	c.Faults, c.Ops = r.IntN(10), 100+r.IntN(200)
	c.Slow, c.Duplicate = c.Slow/2, c.Duplicate/2
}

func (w *World) scheduleChanges() {
	for range 1 + w.rng.IntN(8) {
		w.after(w.between(50*Millisecond, 1450*Millisecond), w.operate)
	}
}

// operate is one thing an operator does.
func (w *World) operate() {
	if w.calm {
		return
	}
	w.stats.Faults++
	switch p := w.rng.IntN(100); {
	case p < 12:
		w.add()
	case p < 30:
		w.exchange()
	case p < 50:
		m := w.members[w.rng.IntN(len(w.members))]
		w.replace(m)
		for w.chance(0.5) { // again, or back
			w.after(w.between(20*Millisecond, 900*Millisecond), func() {
				switch {
				case w.calm:
				case w.chance(0.4):
					w.replace(m)
				default:
					w.putBack(m)
				}
			})
		}
	case p < 62:
		w.putBack(w.members[w.rng.IntN(len(w.members))])
	case p < 85:
		w.wish(pool.SlotLeaving, true)
	default:
		w.wish(pool.SlotMaintenance, w.chance(0.6))
	}
}

// add claims the slot of a node that has no store, for data or, with quorum, for a witness.
func (w *World) add() {
	for _, m := range w.members {
		if m.vacant {
			state := pool.MemberData
			if w.cfg.Quorum && w.chance(0.4) {
				state = pool.MemberWitness
			}
			m.blank(state, w.anyTable())
			m.start()
			return
		}
	}
}

// anyTable is the table of some member that is up, or of none if nobody is.
func (w *World) anyTable() *pool.Superblock {
	var up []*Member
	for _, m := range w.members {
		if m.up && !m.vacant && !m.discarded() && !m.retired {
			up = append(up, m)
		}
	}
	if len(up) == 0 {
		return w.members[0].sb
	}
	return up[w.rng.IntN(len(up))].sb
}

// replace puts a blank store into a node, which knows the table of its old one or asks another member.
func (w *World) replace(m *Member) {
	if m.vacant {
		return
	}
	known := m.sb
	if w.chance(0.6) {
		known = w.anyTable()
	}
	state := m.sb.Members[m.id].State
	m.takeOut()
	m.blank(state, known)
	w.startLater(m)
}

// putBack swaps the store of a node for one that was taken out of it before.
func (w *World) putBack(m *Member) {
	if len(m.shelf) == 0 {
		return
	}
	k := w.rng.IntN(len(m.shelf))
	m.takeOut()
	m.putIn(k)
	w.startLater(m)
}

func (w *World) startLater(m *Member) {
	boot := m.boot
	w.after(w.between(5*Millisecond, 200*Millisecond), func() {
		if !m.up && m.boot == boot {
			m.start()
		}
	})
}

// takeOut ends the node and puts its store on the shelf.
func (m *Member) takeOut() {
	if m.up {
		m.crash(m.w.cfg.PowerLoss && m.w.chance(0.5))
	} else {
		m.boot++
	}
	m.w.logf("operator: store %v is taken out of node %d", m.sb.Store, m.id)
	if !m.disk.wiped {
		m.shelf = append(m.shelf, m.disk)
	}
	m.disk = nil
}

func (m *Member) putIn(k int) {
	m.disk = m.shelf[k]
	m.shelf = slices.Delete(m.shelf, k, k+1)
	m.sb = m.disk.superblock()
	m.w.logf("operator: store %v is put into node %d again", m.sb.Store, m.id)
}

func (d *Disk) superblock() *pool.Superblock {
	sb, _, err := pool.ChooseSuperblock(d.sb, storeSize)
	if err != nil {
		panic(err)
	}
	return sb
}

// blank makes a new store that claims the node's slot of the table as known.
func (m *Member) blank(state pool.MemberState, known *pool.Superblock) {
	w := m.w
	sb := pool.Superblock{
		Name: known.Name, Pool: known.Pool, PoolSize: poolSize, ChunkSize: chunkSize, StoreSize: storeSize, TableVersion: 1,
		MapLen: pool.MapLen(numChunks), Members: known.Members,
		Flags: pool.FlagZeroed | pool.FlagUsed | pool.FlagDiscarded | known.Flags&pool.FlagQuorum,
	}
	sb.MapOff = pool.MapOff(storeSize, sb.MapLen)
	store := pool.UUID{byte(m.id) + 1, 0xbb, byte(w.number()), byte(w.number() >> 8)}
	sb.Members[m.id] = pool.Member{State: state, Store: store, Node: "node", Generation: known.Members[m.id].ClaimGeneration()}
	m.disk = &Disk{dataWay: map[uint64]func(){}}
	for b := range m.disk.blocks { // whatever was on the disk
		if w.chance(0.2) {
			m.disk.blocks[b] = block{cached: 1 << 31, stable: 1 << 31}
		}
	}
	m.vacant, m.witness = false, state == pool.MemberWitness
	m.create(sb)
	m.sb = m.disk.superblock()
	w.logf("operator: blank store %v claims slot %d as %v, generation %d", store, m.id, state, sb.Members[m.id].Stores())
}

// wish sets or clears a flag of some slot on some node.
func (w *World) wish(flag uint8, set bool) {
	m := w.members[w.rng.IntN(len(w.members))]
	if m.vacant || !m.up || m.discarded() {
		return
	}
	var used []int
	for id := range m.sb.Members {
		if m.sb.Members[id].State != pool.MemberNone {
			used = append(used, id)
		}
	}
	id := used[w.rng.IntN(len(used))]
	maintenance := pool.MaintenanceAsItIs
	if flag == pool.SlotMaintenance {
		maintenance = pool.MaintenanceEnds
		if set {
			maintenance = pool.MaintenanceBegins
		}
	}
	if set && flag == pool.SlotLeaving {
		if s := w.rng.IntN(len(w.members)); s != id && w.chance(0.3) {
			m.wish(id, m.sb.Members[id].Succeeded(s))
			return
		}
	}
	m.operator(id, flag == pool.SlotLeaving, maintenance)
}

// operator wishes something about a slot on this node.
func (m *Member) operator(id int, leaving bool, maintenance pool.Maintenance) {
	if wish, wished := pool.WishSlot(&m.sb.Members, id, leaving, maintenance); wished != pool.WishedAlready {
		m.wish(id, wish)
	}
}

func (m *Member) wish(id int, wish pool.Member) {
	if m.retired {
		return // the pool has ended on this node: refused
	}
	if err := m.sb.Members[id].CheckWish(&wish); err != nil {
		m.w.fail("I10", "wish on member %d: %v", m.id, err)
		return
	}
	m.w.logf("operator: wish %d, successor %d, about slot %d on member %d", wish.Flags, wish.Successor, id, m.id)
	m.sb.Members[id] = wish
	m.syncSB(func() {})
}

// tableSum is what the member tells of its table in keepalives.
func (m *Member) tableSum() uint64 {
	if !m.w.cfg.Change {
		return 0
	}
	return pool.TableSum(&m.sb.Members)
}

// setTable takes the slots over that the client tells, in one write (F_WHOLE). A copy of an older one changes nothing.
func (m *Member) setTable(handle, number int, wire [][]byte, reply func(any)) {
	var gone pool.Mask
	for id, b := range wire {
		set, ok := decode[*pool.MemberSet](m.w, b)
		if !ok || !m.mine(set.Epoch, handle) || number < m.tableNo || id == m.id && set.Member.Store != m.sb.Store {
			reply(false)
			return
		}
		if m.takeSlot(id, set.Member) {
			gone = gone.With(id)
		}
	}
	m.tableNo, m.outcast = number, false
	m.syncSB(func() {
		m.dropBits(gone)
		m.syncMap(func() { reply(m.handle == handle) })
	})
}

// takeSlot tells whether another store was there before.
func (m *Member) takeSlot(id int, to pool.Member) (gone bool) {
	was := m.sb.Members[id]
	if slot, news := was.Told(&to); m.w.on(FSlot) {
		if to = slot; !news {
			return false
		}
	}
	m.sb.Members[id] = to
	return id != m.id && !was.SameStore(&to)
}

// dropBits drops those of stores that are gone, once the superblock says so: the map may be written at any time, and a
// table as it was before would find a member that lacks nothing.
func (m *Member) dropBits(gone pool.Mask) {
	if gone == 0 || !m.w.on(RRemove) {
		return
	}
	m.dirty.Clear(0, numChunks-1, gone)
	if m.since != nil {
		m.since.Clear(0, numChunks-1, gone)
	}
}

// retire is what a store does that the client tells that it is no member any more: it promises to nobody, but what it
// knows of views and tables is not given up (F_RETIRE). Mostly its superblocks are deleted; now and then that fails.
func (m *Member) retire() {
	if !m.w.on(FRetire) {
		m.discard()
		return
	}
	m.w.logf("member %d ends: it was removed", m.id)
	m.handle, m.fresh, m.mapOK, m.retired = 0, true, false, true
	m.disk.wiped = m.w.chance(0.7)
	m.plan.Reset()
}

// outcast tells whether this is the recovery attachment of a store that is no member any more, as others tell. It
// leaves the pool alone, but ends only when the client tells it: what it heard of need not be settled yet (F_TOLDLAST).
func (c *Client) outcast() bool {
	if !c.w.cfg.Change || !c.polite {
		return false
	}
	m := c.w.members[int(c.id)-recoveryID]
	if c.w.on(RIdentity) && pool.Identify(&c.tab.table.Slots, m.id, &m.sb.Members[m.id], m.discarded()) != pool.StoreMember {
		if m.outcast = true; !c.w.on(FRetire) {
			m.discard()
		}
		return true
	}
	return false
}

// forgetTable starts the table's part of a new session.
func (c *Client) forgetTable(id int) {
	if c.w.cfg.Change {
		c.tab.legs[id] = legTable{}
	}
}

// tellView tells a view in an attach, the table first (F_TABLE).
func (c *Client) tellView(id int, v pool.View, done func(ok bool)) {
	if !c.w.cfg.Change || !c.w.on(FTable) || c.tab.legs[id].knows == c.tab.version || c.impostor(id) {
		c.sendView(id, v, done)
		return
	}
	c.tellTable(id, func(ok bool) {
		if !ok {
			done(false)
			return
		}
		c.sendView(id, v, done)
	})
}

// wanted is whom a member expects in U.
func (m *Member) wanted() pool.Mask {
	data := m.sb.DataMembers()
	if !m.w.cfg.Change {
		return data
	}
	for id := range data.All() {
		if !pool.MayJoin(&m.sb.Members, m.sb.View, id) {
			data = data.Without(id)
		}
	}
	return data | m.sb.View.UpToDate
}

// knowsMore tells whose table counts: that of the highest view, of equal ones that with most changes (F_LINE).
func knowsMore(a, b *pool.Superblock) bool {
	changes := func(sb *pool.Superblock) (n uint64) {
		for id := range sb.Members {
			n += sb.Members[id].Stores()
		}
		return n
	}
	order := a.View.Compare(b.View)
	return order > 0 || order == 0 && changes(a) > changes(b)
}

// newest is the table that counts, wherever the store lies that has it.
func (w *World) newest() *pool.Superblock {
	var best *pool.Superblock
	look := func(sb *pool.Superblock) {
		if sb.Flags&pool.FlagDiscarded == 0 && (best == nil || knowsMore(sb, best)) {
			best = sb
		}
	}
	for _, m := range w.members {
		if m.vacant {
			continue
		}
		if !m.disk.wiped {
			look(m.disk.superblock())
		}
		for _, d := range m.shelf {
			look(d.superblock())
		}
	}
	return best
}

// healStores puts back what the pool cannot do without, and ends maintenance here and there.
func (w *World) healStores() {
	w.repairStores(false)
	for _, m := range w.members { // an old disk once more: it has to be refused until somebody sees the mistake
		if m.up && len(m.shelf) > 0 && w.chance(0.3) {
			w.putBack(m)
		}
	}
	for _, m := range w.members {
		if m.vacant || !m.up || m.discarded() || !w.chance(0.7) {
			continue
		}
		for id, slot := range m.sb.Members {
			if slot.Flags&pool.SlotMaintenance != 0 {
				m.operator(id, false, pool.MaintenanceEnds)
			}
		}
	}
	w.after(5*Second, w.healAgain)
}

func (w *World) healAgain() {
	w.repairStores(true) // by now the pool goes without what was taken out, or it cannot
	for _, m := range w.members {
		if !m.vacant && !m.up {
			m.start()
		}
	}
	w.after(5*Second, w.healAgain)
}

// repairStores is the operator who looks after each node: a store that is a member is put back if it is asked for by
// the newest view, if too few others are there, if a store that was refused is in its place, or after a while anyway.
func (w *World) repairStores(all bool) {
	sb := w.newest()
	in := pool.Mask(0)
	for _, m := range w.members {
		if !m.vacant && m.sb.Store == sb.Members[m.id].Store && !m.discarded() && !m.disk.wiped {
			in = in.With(m.id)
		}
	}
	short := all || !sb.Voters().Majority(in)
	for _, m := range w.members {
		if m.vacant {
			continue
		}
		own := m.sb.Members[m.id]
		who := pool.Identify(&sb.Members, m.id, &own, m.discarded())
		slot := sb.Members[m.id]
		needed := short || sb.View.UpToDate.Has(m.id) || who != pool.StoreClaim
		switch k := m.onShelf(slot.Store); {
		case who == pool.StoreMember:
		case slot.State != pool.MemberNone && needed && k >= 0:
			m.takeOut()
			m.putIn(k)
			m.start()
		}
	}
}

func (m *Member) onShelf(store pool.UUID) int {
	return slices.IndexFunc(m.shelf, func(d *Disk) bool { return d.superblock().Store == store })
}

// comparable are the members whose data the checks compare: the store of the slot is in, and its history counts.
func (w *World) comparable() pool.Mask {
	if !w.cfg.Change {
		return w.voters.Data
	}
	data := pool.Mask(0xff)
	for u := range w.established.UpToDate.All() {
		if m := w.members[u]; !m.vacant && m.disk != nil {
			data &= m.disk.superblock().DataMembers()
		}
	}
	newest := w.newest()
	for id := range data.All() {
		if id >= len(w.members) || w.members[id].vacant || w.members[id].sb.Store != newest.Members[id].Store || w.members[id].disk.superblock().Flags&pool.FlagDiscarded != 0 {
			data = data.Without(id)
		}
	}
	return data
}

// served tells whether there is a client to carry wishes out.
func (w *World) served() bool {
	return slices.ContainsFunc(w.clients, func(c *Client) bool { return c.up && c.phase == live })
}

// newestServed is the table that counts among those of members that are up; nil if there is none.
func (w *World) newestServed() (sb *pool.Superblock) {
	for _, m := range w.members {
		if m.up && !m.vacant && !m.discarded() && !m.retired && (sb == nil || knowsMore(m.sb, sb)) {
			sb = m.sb
		}
	}
	return sb
}

// unheard tells whether nobody with data knows the store of a slot: who took it up died before, so its store is still
// blank, and what a witness knows waits for the next client.
func (w *World) unheard(id int, sb *pool.Superblock) bool {
	for u := range sb.View.UpToDate.All() {
		if m := w.members[u]; m.up && m.sb.Members[id].SameStore(&sb.Members[id]) {
			return false
		}
	}
	return w.members[id].discarded()
}

// expected are the data members at rest, and those of them that stay out as somebody wished. One that leaves may still
// be in Y when its successor is ready and the client is gone: the wish waits for the next one (R9.2).
func (w *World) expected() (data, out pool.Mask) {
	if !w.cfg.Change {
		return w.voters.Data, 0
	}
	sb := w.newestServed()
	if sb == nil {
		return 0xff, 0
	}
	data = sb.DataMembers()
	in := sb.View.UpToDate
	if w.served() {
		in = sb.View.Active()
	}
	for id := range data.All() {
		if !in.Has(id) && (!pool.MayJoin(&sb.Members, sb.View, id) || w.unheard(id, sb)) {
			out = out.With(id)
		}
	}
	return data, out
}
