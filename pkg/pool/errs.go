// SPDX-License-Identifier: Apache-2.0

// This file owns the error budget of a disk (R3.10), the same rule as kmod/rmr/core/errs.c.

package pool

import "slices"

// Bounds of an error budget.
const (
	ErrsMax        = 8       // places that spend the budget
	ErrsForget     = 600_000 // milliseconds without an error until a place is forgotten
	ErrsPlaceShift = 16      // log2 of the bytes of a place
)

type badPlace struct{ place, at uint64 }

// Errs is the error budget of a disk; its zero value is calm. Places count, not errors: a bad sector that is
// asked for again and again is one. Times are milliseconds of a clock that never goes back.
type Errs struct {
	places []badPlace
	spent  bool
}

// Failed notes that a request failed at a place, and tells whether that spent the budget just now.
func (e *Errs) Failed(place, now uint64) bool {
	e.Pass(now)
	if i := slices.IndexFunc(e.places, func(b badPlace) bool { return b.place == place }); i >= 0 {
		e.places[i].at = now
	} else if len(e.places) < ErrsMax {
		e.places = append(e.places, badPlace{place, now})
	}
	if len(e.places) < ErrsMax || e.spent {
		return false
	}
	e.spent = true
	return true
}

// Pass forgets what is long ago. A budget that is spent stays so.
func (e *Errs) Pass(now uint64) {
	e.places = slices.DeleteFunc(e.places, func(b badPlace) bool { return now-b.at >= ErrsForget })
}

// Forgive makes the budget new, by an operator's word.
func (e *Errs) Forgive() { *e = Errs{} }

// Places is how many places count.
func (e *Errs) Places() int { return len(e.places) }

// Spent tells whether too many places failed within the time.
func (e *Errs) Spent() bool { return e.spent }
