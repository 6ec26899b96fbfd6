// SPDX-License-Identifier: Apache-2.0

// This file owns the rules of members and their stores (docs/protocol.md, section 9): what the tables of several
// members say together, which store is which member, and what the client that holds the epoch does next.

package pool

import (
	"cmp"
	"errors"
	"fmt"
	"hash/crc32"
	"strings"
)

// slotWishBits of a generation count the wishes about the present store, the others the stores (F_SLOT).
const slotWishBits = 16

const (
	slotWishes = 1<<slotWishBits - 1
	memberSize = 224 // bytes of a slot
)

// Stores is how many stores the slot has seen, the present one included.
func (m *Member) Stores() uint64 { return m.Generation >> slotWishBits }

// SameStore tells whether both have the same store in the same place: they differ in wishes at most.
func (m *Member) SameStore(other *Member) bool {
	return m.State == other.State && m.Store == other.Store && m.Stores() == other.Stores()
}

// Freed is the slot without a store, of the generation that follows.
func (m *Member) Freed() Member { return Member{Generation: (m.Stores() + 1) << slotWishBits} }

// ClaimGeneration is the generation of a claim to the slot: two stores on, because it is freed first, so that at no
// time more than one voter changes (F_ONEVOTER).
func (m *Member) ClaimGeneration() uint64 { return (m.Stores() + 2) << slotWishBits }

// ErrNoWishLeft: the generation has no room for another wish about this store.
var ErrNoWishLeft = errors.New("no generation is left for wishes about this store")

// CheckWish tells whether the node of a member may change the slot to wish by itself: the same store, one wish
// later, and leaving if it was. Errors match ErrInvalid or ErrNoWishLeft.
func (m *Member) CheckWish(wish *Member) error {
	switch {
	case m.State == MemberNone || !m.SameStore(wish):
		return fmt.Errorf("wish about store %s: not the store of the slot: %w", wish.Store, ErrInvalid)
	case m.Generation&slotWishes == slotWishes:
		return fmt.Errorf("wish about store %s: %w", wish.Store, ErrNoWishLeft)
	case m.Flags&^wish.Flags&SlotLeaving != 0:
		return fmt.Errorf("wish about store %s: leaving is taken back: %w", wish.Store, ErrInvalid)
	case wish.Generation != m.Generation+1:
		return fmt.Errorf("wish about store %s: generation %d after %d: %w", wish.Store, wish.Generation, m.Generation, ErrInvalid)
	}
	return nil
}

// compareWish orders two slots of the same store as their bytes on disk.
func (m *Member) compareWish(other *Member) int {
	return cmp.Or(cmp.Compare(m.Generation, other.Generation), cmp.Compare(m.Flags, other.Flags), cmp.Compare(m.Successor, other.Successor),
		strings.Compare(m.Node, other.Node), strings.Compare(m.Addrs[0], other.Addrs[0]), strings.Compare(m.Addrs[1], other.Addrs[1]))
}

// keepLeaving: a wish about the same store that knew nothing of one to leave does not undo it (F_LEAVING).
func (m *Member) keepLeaving(other *Member) {
	if other.Flags&SlotLeaving != 0 && m.Flags&SlotLeaving == 0 {
		m.Flags |= SlotLeaving
		m.Successor = other.Successor
	}
}

// Told is what a member's slot becomes when the client of its epoch tells it: another store always; of the same store
// the later wish, or one that came in meanwhile would be lost (F_SLOT), and leaving if either says so (F_LEAVING).
// False: it stays as it is.
func (m *Member) Told(told *Member) (Member, bool) {
	if !m.SameStore(told) {
		return *told, *told != *m
	}
	slot := *m
	if told.compareWish(m) > 0 {
		slot = *told
	}
	slot.keepLeaving(m)
	slot.keepLeaving(told)
	return slot, slot != *m
}

// Maintenance is what a wish says about a member's maintenance.
type Maintenance int

// Wishes about maintenance.
const (
	MaintenanceAsItIs Maintenance = -1
	MaintenanceEnds   Maintenance = 0
	MaintenanceBegins Maintenance = 1
)

// Wished is what a wish of an operator comes to.
type Wished int

// What wishes come to.
const (
	WishedAlready Wished = iota // the slot is like that
	WishedBack                  // the pool gets back what it went without
	WishedAway                  // the pool has to do without the member
)

// WishSlot is the slot of a member as an operator wishes it, one generation on unless it is like that already. Who is
// to leave forgets a successor whose slot is free, or it would wait for nobody.
func WishSlot(slots *[MaxMembers]Member, id int, leaving bool, maintenance Maintenance) (Member, Wished) {
	old, wish := &slots[id], slots[id]
	if leaving {
		wish.Flags |= SlotLeaving
		if wish.Successor != 0 && slots[wish.Successor-1].State == MemberNone {
			wish.Successor = 0
		}
	}
	switch maintenance {
	case MaintenanceBegins:
		wish.Flags |= SlotMaintenance
	case MaintenanceEnds:
		wish.Flags &^= SlotMaintenance
	case MaintenanceAsItIs:
	}
	if wish == *old {
		return wish, WishedAlready
	}
	wish.Generation++
	if wish.Flags&^old.Flags != 0 || wish.Successor != old.Successor {
		return wish, WishedAway
	}
	return wish, WishedBack
}

// Succeeded is the wish that store id takes the place of the slot's store (R9.13), one generation on.
func (m *Member) Succeeded(id int) Member {
	wish := *m
	wish.Flags |= SlotLeaving
	wish.Successor = uint8(id) + 1
	wish.Generation++
	return wish
}

// Succeeds is the member whose successor is id, or -1. Whoever else came to that place would be taken for the
// successor, and the member would go.
func Succeeds(slots *[MaxMembers]Member, id int) int {
	return firstOf(func(i int) bool { return slots[i].State != MemberNone && int(slots[i].Successor) == id+1 })
}

// Place is a place for a store that replaces a member, or -1 for nobody: free, not among those that blank stores were
// heard to claim, and kept for no successor of another one; -1 if there is none.
func Place(slots *[MaxMembers]Member, claimed Mask, replaces int) int {
	return firstOf(func(id int) bool {
		keeper := Succeeds(slots, id)
		return slots[id].State == MemberNone && !claimed.Has(id) && (keeper < 0 || keeper == replaces)
	})
}

// Tell is a wish of a node about a slot, for a member that has it as theirs: one on from theirs, or theirs if they have
// it. With succession it is that of a blank successor, which adds to theirs, and is one that they have if their store
// leaves anyhow. False: another store is there, so there is nothing to wish; whatever was said would be heard as its
// claim.
func (m *Member) Tell(theirs *Member, succession bool) (Member, bool) {
	say := *m
	if m.State == MemberNone || !m.SameStore(theirs) {
		return say, false
	}
	say.keepLeaving(theirs)
	if succession {
		say.Flags |= theirs.Flags
	}
	if succession && theirs.Flags&SlotLeaving != 0 || say.Flags == theirs.Flags && say.Successor == theirs.Successor {
		return *theirs, true
	}
	say.Generation = theirs.Generation + 1
	return say, true
}

// TableSum is a checksum of a member table: another one means that there is news (R9.10).
func TableSum(slots *[MaxMembers]Member) uint64 {
	c := coder{mode: encoding, buf: make([]byte, MaxMembers*memberSize)}
	c.members(slots)
	return uint64(crc32.Checksum(c.buf, castagnoli))
}

// TableVoters says whose copies decide by this table.
func TableVoters(slots *[MaxMembers]Member, quorum bool) Voters {
	return Voters{Data: membersIn(slots, MemberData), Witnesses: membersIn(slots, MemberWitness), Quorum: quorum}
}

// Table is what is known of the slots. Who is in them is told by the member with the highest view, of equal ones by
// the one that knows most changes (F_LINE); wishes come from anybody (F_SLOT).
type Table struct {
	Slots [MaxMembers]Member
	Held  bool // by the client of the epoch: it alone changes stores
	view  View // of who told the stores
	known bool // somebody told something
}

// changes rises by one with each change of who is in a slot.
func changes(slots *[MaxMembers]Member) (sum uint64) {
	for i := range slots {
		sum += slots[i].Stores()
	}
	return sum
}

// Merge adds what a member tells: its slots and its view, nil if its history was given up, so that it knows nothing
// of stores. It returns the slots that changed. The answer of a store that is no member must not come here: its own
// claim is a wish, see Identity.
func (t *Table) Merge(said *[MaxMembers]Member, view *View) Mask {
	take := false
	if view != nil && !t.Held {
		order := view.Compare(t.view)
		take = !t.known || order > 0 || order == 0 && changes(said) > changes(&t.Slots)
	}
	var changed Mask
	for i := range said {
		mine := &t.Slots[i]
		if !take && !mine.SameStore(&said[i]) {
			continue
		}
		if slot, news := mine.Told(&said[i]); news {
			*mine = slot
			changed = changed.With(i)
		}
	}
	if take {
		t.view, t.known = *view, true
	}
	return changed
}

// Identity is who a store is, as a table has it (R9.5).
type Identity int

// Identities.
const (
	StoreMember   Identity = iota // the store of its slot
	StoreClaim                    // blank, and may be taken up (F_CLAIM)
	StoreReplaced                 // another store has its place
	StoreRemoved                  // its slot is free
	StoreUnknown                  // of no slot that it could be in
)

// String names the identity as logs do.
func (i Identity) String() string {
	if i >= 0 && i < StoreUnknown {
		return [...]string{"member", "claim", "replaced", "removed"}[i]
	}
	return "unknown"
}

// Identify tells who a store is that answers as member id; own is its own slot as it tells it, blank that its
// history was given up or never was (R9.3).
func Identify(slots *[MaxMembers]Member, id int, own *Member, blank bool) Identity {
	if id < 0 || id >= MaxMembers || own.State == MemberNone {
		return StoreUnknown
	}
	if slots[id].State != MemberNone && slots[id].Store == own.Store {
		return StoreMember
	}
	for i := range slots {
		if slots[i].Store == own.Store {
			return StoreUnknown
		}
	}
	switch {
	case blank && own.Stores() > slots[id].Stores():
		return StoreClaim
	case slots[id].State == MemberNone:
		return StoreRemoved
	}
	return StoreReplaced
}

// TableAct is what the client that holds the epoch does next (R9.6 to R9.8).
type TableAct int

// Acts.
const (
	TableNothing TableAct = iota
	TableEject            // the leg leaves the view
	TableFree             // the slot becomes free
	TableTake             // the slot becomes what the claim says
)

// TableState is what that client knows when it asks for the next act.
type TableState struct {
	Slots     *[MaxMembers]Member // the table
	Claims    *[MaxMembers]Member // of each id, as Identify judged it; MemberNone: none
	View      View                // established
	Settled   bool                // no other view is under way
	Quorum    bool
	Persisted Mask // members that confirmed this table to this client
	Answering Mask // voters that answer now and whose history counts
	Joining   Mask // legs between their promise and the view that takes them in
}

func (s *TableState) majority(voters, got Mask) bool {
	return Voters{Data: voters, Quorum: s.Quorum}.Majority(got)
}

func (s *TableState) voters() Mask {
	v := TableVoters(s.Slots, s.Quorum)
	return v.Data | v.Witnesses
}

// Complete tells whether every change is where it has to be before the next one (R9.6), and before a removed store is
// told (F_TOLDLAST).
func (s *TableState) Complete() bool {
	return s.View.Active().Within(s.Persisted) && s.majority(s.voters(), s.Persisted)
}

// Next is the one next act, and the member it is about; -1 with TableNothing.
func (s *TableState) Next() (TableAct, int) {
	if !s.Settled {
		return TableNothing, -1
	}
	if id := firstOf(s.mayEject); id >= 0 {
		return TableEject, id
	}
	if s.Complete() {
		if id := firstOf(s.mayFree); id >= 0 {
			return TableFree, id
		}
		if id := firstOf(s.mayTake); id >= 0 {
			return TableTake, id
		}
	}
	return TableNothing, -1
}

func firstOf(may func(id int) bool) int {
	for id := range MaxMembers {
		if may(id) {
			return id
		}
	}
	return -1
}

// mayEject: never the last leg of U, nor one whose successor is not ready. Maintenance is for a while, and nobody
// takes the place meanwhile.
func (s *TableState) mayEject(id int) bool {
	slot := &s.Slots[id]
	switch {
	case slot.Flags&(SlotLeaving|SlotMaintenance) == 0:
		return false
	case !s.View.Active().Has(id) || s.View.UpToDate.Without(id) == 0:
		return false
	}
	return slot.Flags&SlotMaintenance != 0 || slot.Successor == 0 || s.View.UpToDate.Has(int(slot.Successor)-1)
}

// MayJoin tells whether the wishes about a member let it be taken into the view: not in maintenance, and not leaving,
// unless its successor is not up to date.
func MayJoin(slots *[MaxMembers]Member, view View, id int) bool {
	slot := &slots[id]
	if slot.State != MemberData || slot.Flags&SlotMaintenance != 0 {
		return false
	}
	return slot.Flags&SlotLeaving == 0 || slot.Successor != 0 && !view.UpToDate.Has(int(slot.Successor)-1)
}

func (s *TableState) successorReady(slot *Member) bool {
	id := int(slot.Successor) - 1
	switch {
	case id < 0:
		return true
	case slot.State == MemberWitness:
		return s.Slots[id].State == MemberWitness
	}
	return s.View.UpToDate.Has(id)
}

// mayFree: one that leaves, or that a new store in its place waits for.
func (s *TableState) mayFree(id int) bool {
	slot := &s.Slots[id]
	leaves := slot.Flags&SlotLeaving != 0 && s.successorReady(slot)
	replaced := s.Claims[id].State != MemberNone
	switch {
	case slot.State == MemberNone || !leaves && !replaced:
		return false
	case (s.View.Active() | s.Joining).Has(id):
		return false
	}
	return s.majority(s.voters().Without(id), s.Answering)
}

// mayTake: the new one does not vote before it knows something, so the others must do without it.
func (s *TableState) mayTake(id int) bool {
	claim, slot := &s.Claims[id], &s.Slots[id]
	if claim.State == MemberNone || slot.State != MemberNone || claim.Stores() <= slot.Stores() {
		return false
	}
	return s.majority(s.voters().With(id), s.Answering.Without(id))
}
