// SPDX-License-Identifier: Apache-2.0

// This file owns how views follow one another: the changes a client may make, and when a view is
// established.

package pool

import "fmt"

// Voters says whose persisted copies decide.
type Voters struct {
	Data      Mask // members that hold data
	Witnesses Mask // members that only vote
	Quorum    bool // false: no majority is asked for, safety rests on U alone
}

// Majority tells whether the members in got are more than half of all voters. Without quorum it is always
// true.
func (v Voters) Majority(got Mask) bool {
	all := v.Data | v.Witnesses
	return !v.Quorum || 2*(got&all).Count() > all.Count()
}

// Established tells whether a view counts: it is persisted on every active member and, with quorum, on a
// majority of voters. persisted is the set of members that confirmed it.
func (v Voters) Established(view View, persisted Mask) bool {
	return view.UpToDate != 0 && view.Active().Within(persisted) && v.Majority(persisted)
}

// Change is what a client wants of its next view.
type Change struct {
	Ejected  Mask // leave the view
	Demoted  Mask // U to Y: a leg answered MISSED (F_MISSVIEW); members of Y stay there
	Joined   Mask // absent to Y
	Promoted Mask // Y to U (F_PROMO)
}

// Empty tells whether the change names nobody.
func (c Change) Empty() bool { return c == Change{} }

// Next makes the view that follows. established is the last established view of the client's own epoch,
// number the highest number it used so far. Losses since then have to be repeated in the change until a
// view with them is established; a join or promotion whose view was not established is asked for again, or
// not (F_PROMO). The error says which rule the change breaks; ErrNoUpToDate if nobody is left in U.
func (v View) Next(number uint64, change Change) (View, error) {
	next := v
	next.Number = max(number, v.Number) + 1
	next.UpToDate = v.UpToDate &^ change.Ejected &^ change.Demoted
	next.Syncing = (v.Syncing&^change.Ejected | v.UpToDate&change.Demoted) &^ change.Ejected
	grow := change.Joined | change.Promoted
	lost := change.Ejected | change.Demoted
	switch {
	case grow&lost != 0:
		return View{}, fmt.Errorf("next view of %s: member %s both lost and gained: %w", v, grow&lost, ErrInvalid)
	case change.Joined&v.Active() != 0:
		return View{}, fmt.Errorf("next view of %s: member %s joins but is active: %w", v, change.Joined&v.Active(), ErrInvalid)
	case !change.Promoted.Within(v.Syncing):
		return View{}, fmt.Errorf("next view of %s: member %s promoted but not syncing: %w", v, change.Promoted, ErrInvalid)
	case next.UpToDate == 0:
		return View{}, fmt.Errorf("next view of %s: %w", v, ErrNoUpToDate)
	case next.Number == 0: // wrapped: it would be older than all others (F_ORDER)
		return View{}, fmt.Errorf("next view of %s: no number is left: %w", v, ErrInvalid)
	}
	next.Syncing = (next.Syncing | change.Joined) &^ change.Promoted
	next.UpToDate |= change.Promoted
	return next, nil
}

// LineageTold tells whether a member whose history is that of v may take a view of another lineage over (R2.15,
// R2.16): told by a forced attachment and active in it, or if its history was given up. One that was given up is
// never in U.
func (v View) LineageTold(told View, self int, forced, discarded bool) bool {
	if discarded {
		return !told.UpToDate.Has(self)
	}
	return told.Lineage == v.Lineage || forced && told.Active().Has(self)
}

// ErrNoUpToDate: no up-to-date member would be left. The pool suspends or errors by policy; a syncing leg
// is never promoted in its place.
var ErrNoUpToDate = fmt.Errorf("no up-to-date member left")
