// SPDX-License-Identifier: Apache-2.0

// This file owns the rules that can be switched off, one mutant each, to show that the checks notice.

package sim

// Rule names a rule of the protocol. F_ and R names are those of docs/protocol.md, M_ names are plain rules
// broken on purpose.
type Rule string

// The rules.
const (
	None        Rule = ""
	FOrder      Rule = "F_ORDER"
	FEpoch      Rule = "F_EPOCH"
	FAttach     Rule = "F_ATTACH"
	FPromo      Rule = "F_PROMO"
	FLease      Rule = "F_LEASE"
	FMissView   Rule = "F_MISSVIEW"
	FVoid       Rule = "F_VOID"
	FOvlMiss    Rule = "F_OVLMISS"
	FHold       Rule = "F_HOLD"
	FHoldAll    Rule = "F_HOLDALL"
	FPullAll    Rule = "F_PULLALL"
	FWView      Rule = "F_WVIEW"
	FFullMap    Rule = "F_FULLMAP"
	FPromoClr   Rule = "F_PROMOCLR"
	FAbsent     Rule = "F_ABSENT"
	FSrcU       Rule = "F_SRCU"
	FList       Rule = "F_LIST"
	FIntent     Rule = "F_INTENT"
	FDemote     Rule = "F_DEMOTE"
	FKeep       Rule = "F_KEEP"
	FRetFlush   Rule = "F_RETFLUSH"
	FWSer       Rule = "F_WSER"
	FRSer       Rule = "F_RSER"
	FRWSer      Rule = "F_RWSER"
	FDup        Rule = "F_DUP"
	FPullClr    Rule = "F_PULLCLR"
	FClrStable  Rule = "F_CLRSTABLE"
	FReplay     Rule = "F_REPLAY"
	FYield      Rule = "F_YIELD"
	FCopyList   Rule = "F_COPYLIST"
	FSilent     Rule = "R5.9"
	RLineage    Rule = "R2.15"
	RDiscard    Rule = "R2.16"
	MDupMark    Rule = "M_DUPMARK"
	FTwoViews   Rule = "F_TWOVIEWS"
	FSrcBits    Rule = "F_SRCBITS"
	FRepull     Rule = "F_REPULL"
	FPullAdd    Rule = "F_PULLADD"
	FMarkAll    Rule = "F_MARKALL"
	MNoDrain    Rule = "M_NODRAIN"
	MNoIntent   Rule = "M_NOINTENT"
	MNoMark     Rule = "M_NOMARK"
	MNoMask     Rule = "M_NOMASK"
	MAckEarly   Rule = "M_ACKEARLY"
	MViewGate   Rule = "M_NOVIEWGATE"
	MMapLate    Rule = "M_MAPLATE"
	MFlushOne   Rule = "M_FLUSHONE"
	MReady      Rule = "M_READY"
	MOneU       Rule = "M_ONEU"
	MNoOverlay  Rule = "M_NOOVL"
	MClrAll     Rule = "M_CLRALL"
	MTrustY     Rule = "M_TRUSTY"
	MNoFence    Rule = "M_NOFENCE"
	MNoRec      Rule = "M_NOREC"
	MPromoteAny Rule = "M_UNSYNCED"
	MRetNoUnc   Rule = "M_RETNOUNC"
	MDiscard    Rule = "M_DISCARD"
	MBoundary   Rule = "M_BOUNDARY"
	MPartial    Rule = "M_PARTIAL"
	MNoMaj      Rule = "M_NOMAJ"
	MFineKeep   Rule = "M_FINEKEEP"

	FSlot        Rule = "F_SLOT"
	FLine        Rule = "F_LINE"
	FClaim       Rule = "F_CLAIM"
	FTable       Rule = "F_TABLE"
	FOneVoter    Rule = "F_ONEVOTER"
	FStandIn     Rule = "F_STANDIN"
	FRetire      Rule = "F_RETIRE"
	FToldLast    Rule = "F_TOLDLAST"
	RBlank       Rule = "R9.3"
	RIdentity    Rule = "R9.5"
	RRemove      Rule = "R9.7"
	RMaintenance Rule = "R9.8"
	FSuccession  Rule = "F_SUCCESSION"
	FFillStable  Rule = "F_FILLSTABLE"
	FFillOwed    Rule = "F_FILLOWED"
	FFillEnd     Rule = "F_FILLEND"
)

// Mutant is the protocol without one rule. Seed is one whose run shows it; 0: none is known, the race is rarer
// than the seeds that were played.
type Mutant struct {
	Rule   Rule
	Broken string // what the mutant does
	Seed   uint64
}

// Mutants lists every rule that can be switched off.
func Mutants() []Mutant {
	return []Mutant{
		{FOrder, "views compare by number only", 56},
		{FEpoch, "epochs without client id", 56},
		{FAttach, "live without a view of its own", 2},
		{FPromo, "a promotion counts before it is established", 3},
		{FLease, "no lease", 0},
		{FMissView, "MISSED without a view", 8},
		{FVoid, "MISSED leaves a running copy valid", 118},
		{FOvlMiss, "MISSED leaves overlay bits", 12},
		{FHold, "a missed chunk is copied at once", 17},
		{FHoldAll, "a missed chunk is copied though earlier writes of it are not complete", 383134},
		{FPullAll, "map pulled at once after the join", 41},
		{FWView, "views seen in writes and marks are not noted", 0},
		{FFullMap, "only its own bits pulled", 1},
		{FPromoClr, "promotion with bits left", 6},
		{FAbsent, "reconcile marks only those that answered", 69},
		{FSrcU, "source from anywhere", 5},
		{FList, "answered writes leave the list", 38},
		{FIntent, "intents cleared after a flush alone", 27},
		{FDemote, "marked members stay in U", 2},
		{FKeep, "uncertain sets dropped at attach", 2},
		{FRetFlush, "no flush before promotion", 0},
		{FWSer, "overlapping writes in flight", 6},
		{FRSer, "reads overlap running writes", 104},
		{FRWSer, "writes overlap running reads", 1099511628108},
		{FDup, "duplicates applied again", 48},
		{FPullClr, "CLEAR confirmed by a member whose map is not complete", 3},
		{FClrStable, "CLEAR confirmed before the cleared bit is stable", 139},
		{FReplay, "unanswered writes sent again though another client was live", 57},
		{FYield, "a superseded client attaches again", 3},
		{FCopyList, "a copy counts though the source has writes in its list", 307955},
		{FSilent, "a member that restarted is a source before it was told a view", 1099511649413},
		{RLineage, "members of two lineages taken for one history", 2199023256356},
		{RDiscard, "a discarded member joins with its own uncertain chunks marked", 2199023255557},
		{MDupMark, "duplicates of MARK set bits again", 4676},
		{FTwoViews, "reconcile demotes in the first view", 0},
		{FSrcBits, "bits against the source stay", 0},
		{FRepull, "a leg demoted at attach trusts its map", 114},
		{FPullAdd, "a pulled map replaces what was missed since the join", 1099511628149},
		{FMarkAll, "marks on the legs active when they were sent, not on all active at the end", 0},
		{MNoDrain, "a promise does not wait for what older sessions left in flight", 28},
		{MNoIntent, "no write intent", 2},
		{MNoMark, "acknowledged without marks on the other legs", 1},
		{MNoMask, "the mask of a write sets no bits", 1},
		{MAckEarly, "acknowledged by the first leg", 1099511627777},
		{MViewGate, "acknowledged before the view is established", 1099511627792},
		{MMapLate, "dirty bits persisted after the answer", 30},
		{MFlushOne, "FLUSH to one leg", 1099511627845},
		{MReady, "dirty chunks served", 6},
		{MOneU, "a stale member alone is enough", 1},
		{MNoOverlay, "resync overwrites newer writes", 13},
		{MClrAll, "views of CLEAR not compared", 345},
		{MTrustY, "old map trusted before the pull", 6},
		{MNoFence, "older epochs served", 1099511627776},
		{MNoRec, "no reconcile", 2},
		{MPromoteAny, "promotion without resync", 1099511627779},
		{MRetNoUnc, "a returning leg's uncertain set ignored", 19},
		{MDiscard, "discards not tracked as writes", 2},
		{MBoundary, "the second chunk of a write is not tracked", 1099511627779},
		{MPartial, "a resync copies all blocks but the last of a chunk", 1},
		{MNoMaj, "quorum without majority", 56},
		{MFineKeep, "a mark of a whole chunk keeps its fine map", 1},
		{FSlot, "a wish counts as a change of store", 4398046511177},
		{FLine, "tables merged slot by slot", 4398046511177},
		{FClaim, "a claim is taken for what is so", 4398046511339},
		{FTable, "views told before the table", 4398046511109},
		{FOneVoter, "changes do not wait for each other", 4398046511382},
		{FRetire, "a removed store gives its history up", 0},
		{FToldLast, "a removed store is told before the others", 4398046517552},
		{RBlank, "a blank store joins with its own uncertain chunks marked", 4398046511104},
		{RIdentity, "a replaced store answers as the member", 4398046511108},
		{RRemove, "bits of a removed store stay", 4398046511104},
		{RMaintenance, "wishes do not keep a leg out", 4398046511527},
		{FFillStable, "a fill counts before the superblock is stable", 2199023256459},
		{FFillOwed, "a fill ends before the sectors have what it stood for", 4398046511110},
		{FFillEnd, "CLEAR confirmed before the fill has ended on disk", 2199023256141},
		{FSuccession, "whom a store replaces is told by a step of its own", 4398046511111},
		{FStandIn, "a blank store counts for the one that had its id", 0},
	}
}
