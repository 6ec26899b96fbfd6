// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"errors"
	"fmt"
	"time"
)

// ResolvePolicy names which side of a split brain gives its history up (R2.16).
type ResolvePolicy string

// The policies beside the operator's own choice of a member.
const (
	// DiscardYounger: the side whose history began later, as by a forced attach.
	DiscardYounger ResolvePolicy = "discard-younger"
	// DiscardOlder: the side whose history began earlier.
	DiscardOlder ResolvePolicy = "discard-older"
	// DiscardFewerChanges: the side that wrote to fewer chunks since it lost the other one.
	DiscardFewerChanges ResolvePolicy = "discard-fewer-changes"
)

// ResolvePolicies are all policies.
var ResolvePolicies = []ResolvePolicy{DiscardYounger, DiscardOlder, DiscardFewerChanges}

// Side is what one member tells of its history.
type Side struct {
	Lineage    UUID
	OthersLack uint64 // chunks marked for a data member outside its view, of several the most
	Discarded  bool   // given up already
}

// Reasons why a policy gives no answer; the operator chooses a member then.
var (
	ErrOneHistory  = errors.New("both members have the same history: no split brain")
	ErrGivenUp     = errors.New("a history was given up already")
	ErrUnknownAge  = errors.New("a history does not tell when it began")
	ErrSameFigures = errors.New("both sides are equal by this policy")
)

// LineageBegun is when a history began, by the clock of the host that began it: the 48 bits of milliseconds
// since 1970 of a UUID of version 7 (RFC 9562, 5.7). False for UUIDs of other versions.
func LineageBegun(lineage UUID) (time.Time, bool) {
	if lineage[6]>>4 != 7 {
		return time.Time{}, false
	}
	var ms int64
	for _, b := range lineage[:6] {
		ms = ms<<8 | int64(b)
	}
	return time.UnixMilli(ms), true
}

// GivesUp tells whether mine is the side to give its history up. Asked on the other side with the arguments
// exchanged it answers the opposite, so that never both nor neither give up. It errs where the facts do not decide.
func (p ResolvePolicy) GivesUp(mine, theirs Side) (bool, error) {
	if mine.Lineage == theirs.Lineage {
		return false, ErrOneHistory
	}
	if mine.Discarded || theirs.Discarded {
		return false, ErrGivenUp
	}
	switch p {
	case DiscardYounger:
		return p.begunLater(mine, theirs)
	case DiscardOlder:
		return p.begunLater(theirs, mine)
	case DiscardFewerChanges:
		if mine.OthersLack == theirs.OthersLack {
			return false, fmt.Errorf("%s: %w: %d chunks", p, ErrSameFigures, mine.OthersLack)
		}
		return mine.OthersLack < theirs.OthersLack, nil
	}
	return false, fmt.Errorf("policy %q: want one of %v", string(p), ResolvePolicies)
}

func (p ResolvePolicy) begunLater(one, other Side) (bool, error) {
	t, ok := LineageBegun(one.Lineage)
	u, ok2 := LineageBegun(other.Lineage)
	if !ok || !ok2 {
		return false, fmt.Errorf("%s: %w", p, ErrUnknownAge)
	}
	if t.Equal(u) {
		return false, fmt.Errorf("%s: %w: begun %v", p, ErrSameFigures, t.UTC())
	}
	return t.After(u), nil
}
