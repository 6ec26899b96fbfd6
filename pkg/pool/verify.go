// SPDX-License-Identifier: Apache-2.0

// This file owns when a difference between two members counts, and whose copy is the wrong one (R5.11).

package pool

// VerifyFacts is what two members of U knew of a chunk around a comparison of their digests. "At the end" is once the
// digests of the other member have come; "there" is on the other member, once it had read its data.
type VerifyFacts struct {
	View        uint64 // number of this member's view before its data was read
	ViewEnd     uint64 // and at the end
	ViewOther   uint64 // there
	Below       uint64 // completion mark at the end
	NewestOther uint64 // highest number of a listed write of the chunk there, 0: none
	Self, Other int    // member ids
	Dirty       Mask   // bits of the chunk at the end
	DirtyOther  Mask   // there
	Quiet       bool   // no write of the chunk was listed before, and none came until the end
	Steady      bool   // in U, settled, under one promise from before to the end
	SteadyOther bool   // in U and settled there
}

// Counts tells whether blocks that differ are different copies. If not, the comparison is to be done again.
func (f VerifyFacts) Counts() bool {
	oneView := f.View == f.ViewEnd && f.View == f.ViewOther
	complete := f.NewestOther == 0 || f.NewestOther < f.Below
	return f.Quiet && f.Steady && f.SteadyOther && oneView && complete && !f.Dirty.Has(f.Other) && !f.DirtyOther.Has(f.Self)
}

// Outvoted tells whether copy 0 is wrong by majority: labels are equal where bytes are, and more than half of all
// copies agree on other bytes.
func Outvoted(labels []byte) bool {
	votes := map[byte]int{}
	for _, label := range labels {
		votes[label]++
	}
	for label, n := range votes {
		if label != labels[0] && 2*n > len(labels) {
			return true
		}
	}
	return false
}
