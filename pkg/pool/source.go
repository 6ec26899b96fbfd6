// SPDX-License-Identifier: Apache-2.0

// This file owns who may be asked for data, and who may be promoted.

package pool

// ReadLegs is the set of members a read may be sent to: all of U, and those of Y that the reader knows
// clean for the range. dirty is what the reader knows of the chunk: bit j set if member j may lack it.
func ReadLegs(view View, knownClean, dirty Mask) Mask {
	return view.UpToDate | view.Syncing&knownClean&^dirty
}

// ResyncSources is the set of members a syncing member may copy a chunk from: members of its view that have
// the chunk clean. A dirty member is never a source.
func ResyncSources(view View, self int, dirty Mask) Mask {
	return view.Active().Without(self) &^ dirty
}

// MayServe tells whether a member may serve a chunk: it is in U, or in Y with a complete map and without
// lacking the chunk. A member that is in neither never serves.
func MayServe(view View, self int, mapComplete, lacks bool) bool {
	if view.UpToDate.Has(self) {
		return !lacks
	}
	return view.Syncing.Has(self) && mapComplete && !lacks
}

// PromotionFacts is what a promotion from Y to U rests on.
type PromotionFacts struct {
	Syncing       bool // the member is in Y of the established view
	MapComplete   bool // it pulled a complete map (F_FULLMAP)
	Lacking       int  // chunks it still lacks
	ClearedOn     Mask // active members that confirmed under this view that its bits are clear (F_PROMOCLR)
	OthersActive  Mask // all other active members
	Flushed       bool // it flushed after that (F_RETFLUSH)
	MissedPending bool // a MISSED of it waits for its view
}

// MayPromote tells whether a member may move from Y to U, and if not, why.
func MayPromote(f PromotionFacts) (bool, string) {
	switch {
	case !f.Syncing:
		return false, "not syncing"
	case !f.MapComplete:
		return false, "map not complete"
	case f.Lacking > 0:
		return false, "chunks left to copy"
	case f.MissedPending:
		return false, "a missed write is not settled"
	case !f.OthersActive.Within(f.ClearedOn):
		return false, "bits left on another member"
	case !f.Flushed:
		return false, "not flushed"
	}
	return true, ""
}
