// SPDX-License-Identifier: Apache-2.0

// This file owns attach: the epoch to ask for, what the promises allow, and reconcile.

package pool

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// MayPromise tells whether a member that promised an epoch before may promise this one: only a higher one
// (F_EPOCH). The same one again is the same client coming back.
func MayPromise(promised, asked Epoch) bool { return asked.Compare(promised) > 0 }

// NextEpoch is the epoch a client asks for: one above the highest it has seen anywhere.
func NextEpoch(highest Epoch, client uint64) Epoch { return Epoch{highest.Seq + 1, client} }

// Promise is a member's answer to ATTACH.
type Promise struct {
	Member    int
	View      View     // highest it knows
	Restarted bool     // it lost its memory since it last was active
	Uncertain []uint64 // chunks of writes it does not know complete, rising (F_LIST)
	Clean     Epoch    // of the clean detach it persisted; zero: none (R2.11)
	Discarded bool     // its history was given up: it counts, its copy does not (R2.16)
}

// Errors of DecideAttach.
var (
	// ErrMissingMembers: members without which nobody may go on have not promised.
	ErrMissingMembers = errors.New("required members have not promised")
	// ErrSplitBrain: members answer with views of different lineages.
	ErrSplitBrain = errors.New("members have different histories")
)

// Attachment is what the promises allow.
type Attachment struct {
	Highest   View     // V
	Promised  Mask     // who promised
	Discarded Mask     // of these, who lacks everything (R2.16)
	Source    int      // member the uncertain chunks are taken from; -1 if there are none
	Uncertain []uint64 // chunks to mark dirty on everybody for everybody but Source (F_ABSENT)
	Marked    Mask     // members to mark: all data members but Source; empty without uncertain chunks
	Demoted   Mask     // members that a second view moves from U to Y before the marks (F_DEMOTE, F_TWOVIEWS)
	MustWait  bool     // active members of V did not promise and its client left no clean record: tell no view to anybody before the lease time is over (F_LEASE)
	First     View     // to be established before anything else (F_ATTACH)
}

// Live is the view under which the device goes live: First, or the one after it that demotes.
func (a *Attachment) Live() View {
	if a.Demoted == 0 {
		return a.First
	}
	v := a.First
	v.Number++
	v.UpToDate &^= a.Demoted
	v.Syncing |= a.Demoted
	return v
}

// DecideAttach applies the rules of attach to the promises. Without quorum every member of U(V) must have
// promised; with quorum a majority of voters, and one of U(V). The source of uncertain chunks is a member of
// U(V) (F_SRCU), one that did not restart before one that did, then the lowest id. Bits that others hold
// against it do not count (F_SRCBITS). The other members of U go to Y by a second view, made when the first one
// is established (F_DEMOTE, F_TWOVIEWS). Nothing is ejected here (F_ATTACH).
func DecideAttach(voters Voters, epoch Epoch, promises []Promise) (Attachment, error) {
	return decideAttach(voters, epoch, nil, promises)
}

// ForceAttach is DecideAttach by an operator's word, without the members that are missing (R2.15): who of U(V)
// promised goes on; if nobody did, the one data member with the newest view, alone. The views begin a new lineage; a
// member that has it already was told by an attempt that failed. Who is not active in the first view lacks everything.
func ForceAttach(voters Voters, epoch Epoch, lineage UUID, promises []Promise) (Attachment, error) {
	return decideAttach(voters, epoch, &lineage, promises)
}

// newestCopy is the data member with the newest view, or nobody.
func newestCopy(voters Voters, promises []Promise) Mask {
	var best *Promise
	for i := range promises {
		p := &promises[i]
		if p.Discarded || !voters.Data.Has(p.Member) {
			continue
		}
		if best == nil || p.View.Compare(best.View) > 0 || p.View.Compare(best.View) == 0 && p.Member < best.Member {
			best = p
		}
	}
	if best == nil {
		return 0
	}
	return MaskOf(best.Member)
}

func decideAttach(voters Voters, epoch Epoch, lineage *UUID, promises []Promise) (Attachment, error) {
	a := Attachment{Source: -1}
	var restarted, stores Mask // a blank store does not stand in for the one that had its id in an older view (F_STANDIN)
	for _, p := range promises {
		if !p.Discarded || p.View.Number != 0 {
			stores = stores.With(p.Member)
		}
		a.Promised = a.Promised.With(p.Member)
		if p.Discarded {
			a.Discarded = a.Discarded.With(p.Member)
			continue
		}
		if p.View.Compare(a.Highest) > 0 || a.Highest.UpToDate == 0 {
			a.Highest = p.View
		}
		if p.Restarted {
			restarted = restarted.With(p.Member)
		}
		a.Uncertain = append(a.Uncertain, p.Uncertain...)
	}
	known := -1 // the first of a lineage that this attach does not begin itself
	for i, p := range promises {
		switch {
		case p.Discarded || lineage != nil && p.View.Lineage == *lineage:
		case known < 0:
			known = i
		case p.View.Lineage != promises[known].View.Lineage:
			return a, fmt.Errorf("attach: member %d: %w", p.Member, ErrSplitBrain)
		}
	}
	slices.Sort(a.Uncertain)
	a.Uncertain = slices.Compact(a.Uncertain)
	upToDate, syncing := a.Highest.UpToDate&a.Promised&^a.Discarded, a.Highest.Syncing&a.Promised&^a.Discarded
	enough := a.Highest.UpToDate.Within(stores)
	if voters.Quorum { // who gave its history up knows of no view: it makes up no majority
		enough = voters.Majority(a.Promised &^ a.Discarded)
	}
	if lineage != nil {
		enough = true
		if upToDate == 0 {
			upToDate, syncing = newestCopy(voters, promises), 0
		}
	}
	if !enough || upToDate == 0 {
		return a, fmt.Errorf("attach: promised %s of U %s: %w", a.Promised, a.Highest.UpToDate, ErrMissingMembers)
	}
	if a.Highest.Number > math.MaxUint64-2 { // First, and perhaps one that demotes
		return a, fmt.Errorf("attach: after %s no number is left: %w", a.Highest, ErrInvalid)
	}
	a.MustWait = !a.Highest.Active().Within(stores) && !leftClean(promises, a.Highest.Epoch)
	a.First = View{Epoch: epoch, Number: a.Highest.Number + 1, UpToDate: upToDate, Syncing: syncing, Lineage: a.Highest.Lineage}
	if lineage != nil {
		a.First.Lineage = *lineage
	}
	if len(a.Uncertain) > 0 {
		a.reconcile(voters, restarted)
	}
	return a, nil
}

// leftClean tells whether the client of the epoch ended its reads itself; a clean record of any other epoch
// means nothing (R2.11).
func leftClean(promises []Promise, epoch Epoch) bool {
	return epoch.Seq != 0 && slices.ContainsFunc(promises, func(p Promise) bool { return p.Clean == epoch })
}

// reconcile picks the one source. One source for all chunks, because two would leave nobody in U.
func (a *Attachment) reconcile(voters Voters, restarted Mask) {
	candidates := a.First.UpToDate
	if kept := candidates &^ restarted; kept != 0 {
		candidates = kept
	}
	a.Source = candidates.Lowest()
	a.Marked = voters.Data.Without(a.Source)
	a.Demoted = a.First.UpToDate.Without(a.Source)
}
