// SPDX-License-Identifier: Apache-2.0

// This file owns the names of the rules that can be switched off, to show that the checks notice.

package sim

// Rule names a rule of the protocol. F_ names are those of docs/protocol.md, M_ names are plain rules
// broken on purpose.
type Rule string

// The rules.
const (
	None        Rule = ""
	FOrder      Rule = "F_ORDER"    // views compare by number only
	FEpoch      Rule = "F_EPOCH"    // epochs without client id
	FAttach     Rule = "F_ATTACH"   // live without a view of its own
	FPromo      Rule = "F_PROMO"    // a promotion counts before it is established
	FLease      Rule = "F_LEASE"    // no lease
	FMissView   Rule = "F_MISSVIEW" // MISSED without a view
	FVoid       Rule = "F_VOID"     // MISSED leaves a running copy valid
	FOvlMiss    Rule = "F_OVLMISS"  // MISSED leaves overlay bits
	FHold       Rule = "F_HOLD"     // a missed chunk is copied at once
	FPullAll    Rule = "F_PULLALL"  // map pulled at once after the join
	FWView      Rule = "F_WVIEW"    // views seen in writes and marks are not noted
	FFullMap    Rule = "F_FULLMAP"  // only its own bits pulled
	FPromoClr   Rule = "F_PROMOCLR" // promotion with bits left
	FAbsent     Rule = "F_ABSENT"   // reconcile marks only those that answered
	FSrcU       Rule = "F_SRCU"     // source from anywhere
	FList       Rule = "F_LIST"     // answered writes leave the list
	FIntent     Rule = "F_INTENT"   // intents cleared after a flush alone
	FDemote     Rule = "F_DEMOTE"   // marked members stay in U
	FKeep       Rule = "F_KEEP"     // uncertain sets dropped at attach
	FRetFlush   Rule = "F_RETFLUSH" // no flush before promotion
	FWSer       Rule = "F_WSER"     // overlapping writes in flight
	FRSer       Rule = "F_RSER"     // reads overlap running writes
	FRWSer      Rule = "F_RWSER"    // writes overlap running reads
	FDup        Rule = "F_DUP"      // duplicates applied again
	FPullClr    Rule = "F_PULLCLR"  // CLEAR confirmed by a member whose map is not complete
	FClrStable  Rule = "F_CLRSTABLE"
	FReplay     Rule = "F_REPLAY"   // unanswered writes sent again though another client was live
	FYield      Rule = "F_YIELD"    // a superseded client attaches again
	FCopyList   Rule = "F_COPYLIST" // a copy counts though the source has writes in its list
	FSilent     Rule = "R5.9"       // a member that restarted is a source before it was told a view
	MDupMark    Rule = "M_DUPMARK"  // duplicates of MARK set bits again
	FTwoViews   Rule = "F_TWOVIEWS" // reconcile demotes in the first view
	FSrcBits    Rule = "F_SRCBITS"  // bits against the source stay
	FRepull     Rule = "F_REPULL"   // a leg demoted at attach trusts its map
	FPullAdd    Rule = "F_PULLADD"  // a pulled map replaces what was missed since the join
	FMarkAll    Rule = "F_MARKALL"  // marks on the legs active when they were sent, not on all active at the end
	MNoDrain    Rule = "M_NODRAIN"
	MNoIntent   Rule = "M_NOINTENT"
	MNoMark     Rule = "M_NOMARK"
	MNoMask     Rule = "M_NOMASK"
	MAckEarly   Rule = "M_ACKEARLY"   // acknowledged by the first leg
	MViewGate   Rule = "M_NOVIEWGATE" // acknowledged before the view is established
	MMapLate    Rule = "M_MAPLATE"    // dirty bits persisted after the answer
	MFlushOne   Rule = "M_FLUSHONE"   // FLUSH to one leg
	MReady      Rule = "M_READY"      // dirty chunks served
	MOneU       Rule = "M_ONEU"       // a stale member alone is enough
	MNoOverlay  Rule = "M_NOOVL"      // resync overwrites newer writes
	MClrAll     Rule = "M_CLRALL"     // views of CLEAR not compared
	MTrustY     Rule = "M_TRUSTY"     // old map trusted before the pull
	MNoFence    Rule = "M_NOFENCE"    // older epochs served
	MNoRec      Rule = "M_NOREC"      // no reconcile
	MPromoteAny Rule = "M_UNSYNCED"   // promotion without resync
	MRetNoUnc   Rule = "M_RETNOUNC"   // a returning leg's uncertain set ignored
	MDiscard    Rule = "M_DISCARD"    // discards not tracked as writes
	MBoundary   Rule = "M_BOUNDARY"   // the second chunk of a write is not tracked
	MPartial    Rule = "M_PARTIAL"    // a resync copies all blocks but the last of a chunk
	MNoMaj      Rule = "M_NOMAJ"      // quorum without majority
	MFineKeep   Rule = "M_FINEKEEP"   // a mark of a whole chunk keeps its fine map
)

// Rules lists every rule that can be switched off.
func Rules() []Rule {
	return []Rule{
		FOrder, FEpoch, FAttach, FPromo, FLease, FMissView, FVoid, FOvlMiss, FHold, FPullAll, FWView, FFullMap, FPromoClr,
		FAbsent, FSrcU, FList, FIntent, FDemote, FKeep, FRetFlush, FWSer, FRSer, FRWSer, FDup, FPullClr, FClrStable, FReplay, FYield, FTwoViews, FSrcBits, FRepull, FPullAdd, FMarkAll, FSilent, FCopyList, MDupMark,
		MNoDrain, MNoIntent, MNoMark, MNoMask, MAckEarly, MViewGate, MMapLate, MFlushOne, MReady, MOneU, MNoOverlay, MClrAll,
		MTrustY, MNoFence, MNoRec, MPromoteAny, MRetNoUnc, MDiscard, MBoundary, MPartial, MNoMaj, MFineKeep,
	}
}
