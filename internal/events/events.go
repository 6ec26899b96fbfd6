// SPDX-License-Identifier: Apache-2.0

// Package events holds what pools, legs and devices report against the grammar of their states. It reads the
// kernel's log, where every change of state is one line, and the output of `rmrctl events -o json`, and
// reports every change that no state table allows.
//
// The table of legs is generated from the core (table_gen.go). Those of pools, of devices and of a resync are
// no tables of the core; they are written down in this file from the rules named there.
//
// A Checker belongs to one goroutine.
package events

import (
	"fmt"
	"math/bits"
	"slices"
)

// Change is one change of state, or one report of a state.
type Change struct {
	Object string // leg, pool, resync or device
	Key    string // of the object, unique among those of its kind
	Pool   string // of a leg
	From   string // "": not told
	To     string
}

// Violation is one broken rule of the grammar.
type Violation struct {
	Line int // from 1
	Text string
	Why  string
}

func (v Violation) String() string { return fmt.Sprintf("line %d: %s: %s", v.Line, v.Why, v.Text) }

// shownLeg maps the states of a leg as they are shown to those of the core: states without promise differ
// only in what is shown.
func shownLeg() map[string]string {
	return map[string]string{
		"connecting": "ABSENT", "failed": "ABSENT", "promised": "PROMISED", "joining": "JOINING", "syncing": "SYNCING", "up-to-date": "UP_TO_DATE",
		"voting": "PROMISED",
	}
}

// tables lists, for each kind of object, the states that may follow a state.
func tables() map[string]map[string][]string {
	legs := map[string][]string{}
	for from, a := range shownLeg() {
		for to, b := range shownLeg() {
			if slices.Contains(legTable()[a], b) {
				legs[from] = append(legs[from], to)
			}
		}
	}
	return map[string]map[string][]string{
		"leg": legs,
		// A store that failed stays failed until the pool is assembled again, which is another object, or until an
		// operator lets a member return that left (R3.10).
		"pool": {"idle": {"attached", "failed"}, "attached": {"idle", "failed"}, "failed": {"idle", "attached"}},
		// Attach goes live (2.7), the loss of the last leg of U suspends, only a new attach resumes (2.3), detach
		// is possible at any time and final.
		"device": {
			"attaching": {"live", "detaching"}, "live": {"suspended", "detaching"},
			"suspended": {"live", "detaching"}, "detaching": {},
		},
		// Any of its states may follow any other, and the same one with another reason: only the chain is checked.
		"resync": anyOf("none", "waiting", "copying", "stalled", "paused", "done"),
	}
}

func anyOf(states ...string) map[string][]string {
	table := map[string][]string{}
	for _, s := range states {
		table[s] = states
	}
	return table
}

// first are the states in which objects begin.
var first = map[string]string{"leg": "connecting", "pool": "idle", "device": "attaching", "resync": "none"}

// Checker follows objects. Make it with NewChecker.
type Checker struct {
	// Changes counts what was looked at.
	Changes    int
	violations []Violation
	tables     map[string]map[string][]string
	state      map[string]string // by object and key
	views      map[string]view   // by pool
	pools      map[string]string // of a stream: pool by object and key
	line       int
	text       string
}

// NewChecker makes a checker that knows no object yet.
func NewChecker() *Checker {
	return &Checker{tables: tables(), state: map[string]string{}, views: map[string]view{}, pools: map[string]string{}}
}

// Violations lists what was found.
func (c *Checker) Violations() []Violation { return c.violations }

// Err is nil if nothing was found, else it names the first violations.
func (c *Checker) Err() error {
	if len(c.violations) == 0 {
		return nil
	}
	return fmt.Errorf("%d illegal changes: %v", len(c.violations), c.violations[:min(3, len(c.violations))])
}

func (c *Checker) violate(format string, args ...any) {
	c.violations = append(c.violations, Violation{c.line, c.text, fmt.Sprintf(format, args...)})
}

// change takes a line that tells both states. The old one must be the one told before, and a new life must begin
// in the first state.
func (c *Checker) change(x Change) {
	c.Changes++
	id := x.Object + " " + x.Key
	last, known := c.state[id]
	if !known || c.reborn(x, last) {
		last = first[x.Object]
	}
	c.state[id] = x.To
	next, ok := c.tables[x.Object][x.From]
	switch {
	case !ok:
		c.violate("%s has no state %q", x.Object, x.From)
	case last != x.From:
		c.violate("%s was %s and is said to leave %s", id, last, x.From)
	case x.From != x.To && !slices.Contains(next, x.To):
		c.violate("%s: %s -> %s is in no table", id, x.From, x.To)
	}
}

// reborn tells whether an object of that name may have been made again since. Legs of a map that was refused go
// without a word, and so do pools that are stopped.
func (c *Checker) reborn(x Change, last string) bool {
	if x.From != first[x.Object] {
		return false
	}
	switch x.Object {
	case "leg":
		_, live := c.state["device "+x.Pool]
		return !live
	case "pool":
		return last == "failed"
	case "resync":
		return c.state["pool "+x.Key] == "idle"
	}
	return false
}

// report takes a line that tells one state. States in between may not have been told.
func (c *Checker) report(x Change) {
	c.Changes++
	if _, ok := c.tables[x.Object][x.To]; !ok {
		c.violate("%s has no state %q", x.Object, x.To)
		return
	}
	id := x.Object + " " + x.Key
	last, known := c.state[id]
	c.state[id] = x.To
	if known && last != x.To && !c.reachable(x.Object, last, x.To) {
		c.violate("%s: nothing leads from %s to %s", id, last, x.To)
	}
}

// reachable follows the table over any number of states.
func (c *Checker) reachable(object, from, to string) bool {
	seen, queue := map[string]bool{}, []string{from}
	for len(queue) > 0 {
		for _, next := range c.tables[object][queue[0]] {
			if next == to {
				return true
			}
			if !seen[next] {
				seen[next] = true
				queue = append(queue, next)
			}
		}
		queue = queue[1:]
	}
	return false
}

// forget ends the life of all objects, or of those that one pool has here.
func (c *Checker) forget(match func(id string) bool) {
	for id := range c.state {
		if match(id) {
			delete(c.state, id)
		}
	}
}

// view is an established view as a client's log tells it.
type view struct {
	number            uint64
	upToDate, syncing uint8
}

// established takes a view that counts: numbers rise, U is never empty and disjoint from Y (R2.3), and U gains no
// member that was not in Y before (R2.4).
func (c *Checker) established(pool string, v view) {
	c.Changes++
	old, known := c.views[pool]
	c.views[pool] = v
	switch {
	case v.upToDate == 0:
		c.violate("view %d: U is empty (R2.3)", v.number)
	case v.upToDate&v.syncing != 0:
		c.violate("view %d: member in U and Y", v.number)
	case known && v.number <= old.number:
		c.violate("view %d after view %d (R2.1)", v.number, old.number)
	case known && v.upToDate&^(old.upToDate|old.syncing) != 0:
		c.violate("view %d: U gains member %d, which was not in Y (R2.4)", v.number, bits.TrailingZeros8(v.upToDate&^(old.upToDate|old.syncing)))
	}
}
