// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"errors"
	"testing"
	"time"
)

// lineageOf is a UUID of version 7 of that time.
func lineageOf(t time.Time, salt byte) UUID {
	var u UUID
	for i, ms := 5, t.UnixMilli(); i >= 0; i, ms = i-1, ms>>8 {
		u[i] = byte(ms)
	}
	u[6], u[8], u[15] = 0x70, 0x80, salt
	return u
}

func TestOneSideOfASplitBrainGivesUp(t *testing.T) {
	begin := time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)
	old := Side{Lineage: lineageOf(begin, 1), OthersLack: 7}
	young := Side{Lineage: lineageOf(begin.Add(time.Millisecond), 2), OthersLack: 3}
	if got, ok := LineageBegun(young.Lineage); !ok || !got.Equal(begin.Add(time.Millisecond)) {
		t.Fatalf("begun %v, %v", got, ok)
	}
	for policy, goes := range map[ResolvePolicy]Side{DiscardYounger: young, DiscardOlder: old, DiscardFewerChanges: young} {
		for _, pair := range [][2]Side{{old, young}, {young, old}} {
			got, err := policy.GivesUp(pair[0], pair[1])
			if err != nil || got != (pair[0] == goes) {
				t.Errorf("%s: %v against %v: %v, %v", policy, pair[0], pair[1], got, err)
			}
		}
	}
}

func TestNoSideGivesUpWhereFactsDoNotDecide(t *testing.T) {
	now := time.Now()
	a, b := Side{Lineage: lineageOf(now, 1)}, Side{Lineage: lineageOf(now, 2)}
	random := Side{Lineage: UUID{1, 2, 3, 4, 5, 6, 0x47}}
	gone := a
	gone.Discarded = true
	for _, c := range []struct {
		mine, theirs Side
		policy       ResolvePolicy
		want         error
	}{
		{a, a, DiscardOlder, ErrOneHistory},
		{a, gone, DiscardOlder, ErrOneHistory},
		{gone, b, DiscardFewerChanges, ErrGivenUp},
		{b, gone, DiscardYounger, ErrGivenUp},
		{a, random, DiscardYounger, ErrUnknownAge},
		{random, a, DiscardOlder, ErrUnknownAge},
		{a, b, DiscardYounger, ErrSameFigures},
		{a, b, DiscardFewerChanges, ErrSameFigures},
	} {
		if got, err := c.policy.GivesUp(c.mine, c.theirs); got || !errors.Is(err, c.want) {
			t.Errorf("%s: %v, %v; want %v", c.policy, got, err, c.want)
		}
	}
	if got, err := ResolvePolicy("manual").GivesUp(a, b); got || err == nil {
		t.Errorf("unknown policy: %v, %v", got, err)
	}
}
