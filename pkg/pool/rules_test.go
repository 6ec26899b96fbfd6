// SPDX-License-Identifier: Apache-2.0

// Each test is named after the failure it guards against; the letters behind it are the rule.

package pool

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func view(seq, number uint64, u, y Mask) View {
	return View{Epoch: Epoch{seq, 1}, Number: number, UpToDate: u, Syncing: y}
}

func TestPromotionKnownToOneMemberOnlyDoesNotCount(t *testing.T) { // F_PROMO
	m := NewViewMaker(Voters{Data: MaskOf(0, 1)}, view(1, 3, MaskOf(0), MaskOf(1)))
	if !m.Grow(0, MaskOf(1)) || m.Persisted(1, 4) || m.Settled() {
		t.Fatal("promotion counts without member 0")
	}
	if m.Lose(MaskOf(0), 0) || !m.Broken() {
		t.Fatalf("went on with %v after losing the only member of U", m.Proposed())
	}
}

func TestEqualNumbersOfTwoClientsAreOrderedByEpoch(t *testing.T) { // F_ORDER
	old := Promise{Member: 1, View: view(1, 4, MaskOf(0, 1), 0)}
	young := Promise{Member: 0, View: view(2, 4, MaskOf(0), 0)}
	for _, order := range [][]Promise{{old, young}, {young, old}} {
		a, err := DecideAttach(Voters{Data: MaskOf(0, 1)}, Epoch{3, 1}, order)
		if err != nil || a.First.UpToDate != MaskOf(0) {
			t.Fatalf("attach decides %v, %v", a.First, err)
		}
	}
}

func TestEqualEpochSequenceOfTwoClientsIsNotSharedByThem(t *testing.T) { // F_EPOCH
	a, b := NextEpoch(Epoch{}, 1), NextEpoch(Epoch{}, 2)
	if !MayPromise(a, b) || MayPromise(b, a) || MayPromise(a, a) {
		t.Fatal("both or none may be promised")
	}
}

func TestStaleMemberAloneIsRefused(t *testing.T) { // I6
	_, err := DecideAttach(Voters{Data: MaskOf(0, 1)}, Epoch{3, 1}, []Promise{{Member: 1, View: view(1, 4, MaskOf(0), MaskOf(1))}})
	if !errors.Is(err, ErrMissingMembers) {
		t.Fatal(err)
	}
	_, err = DecideAttach(Voters{Data: MaskOf(0, 1), Witnesses: MaskOf(2), Quorum: true}, Epoch{3, 1}, []Promise{
		{Member: 1, View: view(1, 4, MaskOf(0), 0)}, {Member: 2, View: view(1, 4, MaskOf(0), 0)},
	})
	if !errors.Is(err, ErrMissingMembers) {
		t.Fatal("a majority without a member of U went on:", err)
	}
}

func TestReconcileMarksAbsentMembersAndKeepsOneSource(t *testing.T) { // F_ABSENT F_SRCU F_DEMOTE F_TWOVIEWS
	v := view(1, 4, MaskOf(0, 1), MaskOf(2))
	a, err := DecideAttach(Voters{Data: MaskOf(0, 1, 2, 3)}, Epoch{3, 1}, []Promise{
		{Member: 0, View: v, Restarted: true, Uncertain: []uint64{5}}, {Member: 1, View: v, Uncertain: []uint64{5, 9}}, {Member: 2, View: v},
	})
	if err != nil {
		t.Fatal(err)
	}
	if a.Source != 1 || a.Marked != MaskOf(0, 2, 3) || a.First.UpToDate != MaskOf(0, 1) || a.Live().UpToDate != MaskOf(1) || a.Live().Syncing != MaskOf(0, 2) || a.Live().Number != 6 || len(a.Uncertain) != 2 || a.MustWait {
		t.Fatalf("reconcile: %+v", a)
	}
}

func TestAttachWithoutAllActiveMembersWaitsForTheLease(t *testing.T) { // F_LEASE
	v := view(1, 4, MaskOf(0), MaskOf(1))
	a, err := DecideAttach(Voters{Data: MaskOf(0, 1)}, Epoch{3, 1}, []Promise{{Member: 0, View: v}})
	if err != nil || !a.MustWait {
		t.Fatalf("%+v, %v", a, err)
	}
}

func TestCleanRecordOfAnotherEpochDoesNotEndTheLease(t *testing.T) { // R2.11, M_CLEANANY
	v := view(4, 7, MaskOf(0), MaskOf(1))
	for clean, wait := range map[Epoch]bool{{}: true, {4, 1}: false, {4, 2}: true, {3, 1}: true, {5, 1}: true} {
		a, err := DecideAttach(Voters{Data: MaskOf(0, 1)}, Epoch{9, 9}, []Promise{{Member: 0, View: v, Clean: clean}})
		if err != nil || a.MustWait != wait {
			t.Errorf("clean of %v: wait %v, %v", clean, a.MustWait, err)
		}
	}
	never := View{Number: 1, UpToDate: MaskOf(0, 1)}
	a, err := DecideAttach(Voters{Data: MaskOf(0, 1), Witnesses: MaskOf(2), Quorum: true}, Epoch{1, 1}, []Promise{{Member: 0, View: never}, {Member: 2, View: never}})
	if err != nil || !a.MustWait {
		t.Errorf("no record at all counts as clean: %+v, %v", a, err)
	}
}

func TestViewNumbersNeverWrap(t *testing.T) { // F_ORDER
	last := view(1, math.MaxUint64, MaskOf(0, 1), 0)
	if next, err := last.Next(0, Change{Ejected: MaskOf(1)}); !errors.Is(err, ErrInvalid) {
		t.Errorf("next view %v, %v", next, err)
	}
	if a, err := DecideAttach(Voters{Data: MaskOf(0, 1)}, Epoch{9, 9}, []Promise{{Member: 0, View: last}, {Member: 1, View: last}}); !errors.Is(err, ErrInvalid) {
		t.Errorf("attach %+v, %v", a, err)
	}
}

func TestDifferentLineagesAreSplitBrain(t *testing.T) {
	other := view(9, 4, MaskOf(1), 0)
	other.Lineage = sampleUUID(1)
	_, err := DecideAttach(Voters{Data: MaskOf(0, 1)}, Epoch{10, 1}, []Promise{{Member: 0, View: view(1, 4, MaskOf(0), 0)}, {Member: 1, View: other}})
	if !errors.Is(err, ErrSplitBrain) {
		t.Fatal(err)
	}
}

func TestMissedByASyncingLegMakesAViewToo(t *testing.T) { // F_MISSVIEW
	m := NewViewMaker(Voters{Data: MaskOf(0, 1)}, view(1, 3, MaskOf(0), MaskOf(1)))
	if !m.Lose(0, MaskOf(1)) || m.Proposed().Number != 4 || m.Proposed().Syncing != MaskOf(1) {
		t.Fatal(m.Proposed())
	}
	if !m.Lose(0, MaskOf(1)) || m.Proposed().Number != 5 {
		t.Fatal("the second MISSED made no view")
	}
}

// TestViewsKeepTheirRules: whatever is lost, gained and confirmed in whatever order, U of each established
// view is a subset of the one before plus promotions, is never empty, and numbers rise.
func TestViewsKeepTheirRules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 8).Draw(t, "n")
		all := Mask(1<<n - 1)
		m := NewViewMaker(Voters{Data: all, Quorum: rapid.Bool().Draw(t, "quorum")}, view(1, 1, all, 0))
		before, last := m.Established(), uint64(1)
		var promoting Mask
		mask := func(name string) Mask { return Mask(rapid.Uint8().Draw(t, name)) & all }
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			switch rapid.IntRange(0, 3).Draw(t, "step") {
			case 0:
				if m.Lose(mask("ejected")&mask("less"), mask("demoted")&mask("less")) {
					promoting = 0
				}
			case 1:
				p := mask("promoted") & m.Established().Syncing
				if m.Grow(mask("joined"), p) {
					promoting = p
				}
			default:
				m.Persisted(rapid.IntRange(0, n-1).Draw(t, "by"), m.Proposed().Number)
			}
			if m.Broken() {
				return
			}
			p, e := m.Proposed(), m.Established()
			if p.UpToDate&p.Syncing != 0 || p.UpToDate == 0 || p.Number < last || e.Compare(p) > 0 {
				t.Fatalf("proposed %v after number %d", p, last)
			}
			last = p.Number
			if e != before {
				if !e.UpToDate.Within(before.UpToDate | promoting&before.Syncing) {
					t.Fatalf("U grew from %v to %v, promoting %v", before, e, promoting)
				}
				before, promoting = e, 0
			}
			if !m.Sending().Within(e.Active()) {
				t.Fatal("sends to a member whose view is not established")
			}
		}
	})
}

func TestLegTableKnowsEveryStateAndEndsNowhere(t *testing.T) {
	table := legTable()
	reached := map[LegState]bool{LegAbsent: true}
	for s := LegState(0); s < legStates; s++ {
		for e := LegEvent(0); e < legEvents; e++ {
			next, err := s.Next(e)
			want, legal := table[s][e]
			if legal != (err == nil) || legal && next != want || !legal && next != s {
				t.Errorf("%v on %v: %v, %v", s, e, next, err)
			}
			if legal {
				reached[next] = true
			}
		}
		if next, err := s.Next(LegLost); err != nil || next != LegAbsent {
			t.Errorf("leg %v lost: %v, %v", s, next, err)
		}
		if strings.HasPrefix(s.String(), "state-") {
			t.Errorf("state %d has no name", s)
		}
	}
	if len(reached) != int(legStates) || len(table) != int(legStates) {
		t.Errorf("reached %v of %d states", reached, legStates)
	}
}

func TestPromotionNeedsEveryFact(t *testing.T) {
	good := PromotionFacts{Syncing: true, MapComplete: true, ClearedOn: MaskOf(0), OthersActive: MaskOf(0), Flushed: true}
	if ok, why := MayPromote(good); !ok {
		t.Fatal(why)
	}
	for name, spoil := range map[string]func(*PromotionFacts){
		"not syncing": func(f *PromotionFacts) { f.Syncing = false }, "map": func(f *PromotionFacts) { f.MapComplete = false },
		"lacking": func(f *PromotionFacts) { f.Lacking = 1 }, "bits left": func(f *PromotionFacts) { f.ClearedOn = 0 },
		"flush": func(f *PromotionFacts) { f.Flushed = false }, "missed": func(f *PromotionFacts) { f.MissedPending = true },
	} {
		bad := good
		spoil(&bad)
		if ok, why := MayPromote(bad); ok || why == "" {
			t.Errorf("promoted in spite of %s", name)
		}
	}
}

func TestDirtyMemberIsNeitherReadNorSource(t *testing.T) { // I6
	v := view(1, 1, MaskOf(0), MaskOf(1, 2))
	if ReadLegs(v, MaskOf(1, 2), MaskOf(2)) != MaskOf(0, 1) || ResyncSources(v, 2, MaskOf(1, 2)) != MaskOf(0) {
		t.Fatal("a dirty member was chosen")
	}
	for _, c := range []struct {
		self            int
		complete, lacks bool
		want            bool
	}{{0, true, false, true}, {0, true, true, false}, {1, true, false, true}, {1, false, false, false}, {1, true, true, false}, {3, true, false, false}} {
		if got := MayServe(v, c.self, c.complete, c.lacks); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

func TestPlanFitsEveryStore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spec := Spec{Name: "vol1", ChunkSize: uint32(1) << rapid.IntRange(16, 24).Draw(t, "chunk")}
		n := rapid.IntRange(1, 8).Draw(t, "members")
		ids := IDs{Pool: sampleUUID(1), Lineage: sampleUUID(2)}
		for i := range n {
			spec.Members = append(spec.Members, NewMember{Node: fmt.Sprint("n", i), StoreSize: rapid.Uint64Range(0, 1<<44).Draw(t, "store")})
			ids.Stores = append(ids.Stores, sampleUUID(byte(i+3)))
		}
		p, err := MakePlan(spec)
		if err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Fatal(err)
			}
			return
		}
		for i := range n {
			s, err := p.Superblock(i, ids)
			if err != nil {
				t.Fatal(err)
			}
			b, err := s.Encode()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := DecodeSuperblock(b, spec.Members[i].StoreSize); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestLargestPoolLeavesNoBlockUnused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		store, chunk := rapid.Uint64().Draw(t, "store"), uint32(1)<<rapid.IntRange(16, 24).Draw(t, "chunk")
		fits := func(size uint64) bool {
			return size <= PoolSizeMax && size+MapLen(Chunks(size, chunk)) <= UsableSize(store)-MDTail
		}
		size := PoolSizeMaxOn(store, chunk)
		if size == 0 {
			if UsableSize(store) >= MDTail && fits(PoolSizeMin) {
				t.Fatal("room for the smallest pool, none planned")
			}
			return
		}
		if !fits(size) || fits(size+BlockSize) || size%BlockSize != 0 {
			t.Fatalf("store %d chunk %d: size %d", store, chunk, size)
		}
	})
}

func TestPlanNamesWhatItRefuses(t *testing.T) {
	good := func() Spec {
		return Spec{Name: "vol1", Size: 1 << 30, Quorum: true, Members: []NewMember{{Node: "a", StoreSize: 2 << 30, Addrs: []string{"192.0.2.1"}}, {Node: "b", StoreSize: 2 << 30}, {Node: "w", Witness: true}}}
	}
	if _, err := MakePlan(good()); err != nil {
		t.Fatal(err)
	}
	for want, spoil := range map[string]func(*Spec){
		"name":             func(s *Spec) { s.Name = "-x" },
		"chunk_size":       func(s *Spec) { s.ChunkSize = 3 },
		"members: 0":       func(s *Spec) { s.Members = nil },
		"none holds data":  func(s *Spec) { s.Members = s.Members[2:] },
		"node \"\"":        func(s *Spec) { s.Members[1].Node = "" },
		"already":          func(s *Spec) { s.Members[1].Node = "a" },
		"no IP address":    func(s *Spec) { s.Members[0].Addrs[0] = "host" },
		"at most 2":        func(s *Spec) { s.Members[0].Addrs = []string{"::1", "::2", "::3"} },
		"too small":        func(s *Spec) { s.Members[1].StoreSize = 1000 },
		"not a multiple":   func(s *Spec) { s.Size++ },
		"below":            func(s *Spec) { s.Size = 4096 },
		"member 0 has":     func(s *Spec) { s.Size = 4 << 30 },
		"small for a witn": func(s *Spec) { s.Members[2].StoreSize = 4096 },
		"without quorum":   func(s *Spec) { s.Quorum = false },
	} {
		s := good()
		spoil(&s)
		if _, err := MakePlan(s); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("want a refusal naming %q, got %v", want, err)
		}
	}
}

func TestPlannedSuperblocksAreValid(t *testing.T) {
	plan, err := MakePlan(Spec{Name: "vol1", Size: 1 << 30, Quorum: true, Members: []NewMember{
		{Node: "a", StoreSize: 2 << 30, Zeroed: true}, {Node: "b", StoreSize: 3 << 30, Zeroed: true}, {Node: "w", StoreSize: WitnessStoreSize, Witness: true},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for id := range plan.Members {
		s, err := plan.Superblock(id, IDs{Pool: sampleUUID(1), Lineage: sampleUUID(2), Stores: []UUID{sampleUUID(3), sampleUUID(4), sampleUUID(5)}})
		if err != nil {
			t.Fatal(err)
		}
		b, err := s.Encode()
		if err != nil {
			t.Fatalf("member %d: %v", id, err)
		}
		again, err := DecodeSuperblock(b, plan.Members[id].StoreSize)
		if err != nil || again.View.UpToDate != MaskOf(0, 1) || again.Voters() != (Voters{Data: MaskOf(0, 1), Witnesses: MaskOf(2), Quorum: true}) {
			t.Errorf("member %d: %v, view %v, voters %+v", id, err, again.View, again.Voters())
		}
	}
}

func TestForcedAttachBeginsANewLineage(t *testing.T) {
	old, forced := UUID{1}, UUID{2}
	voters := Voters{Data: MaskOf(0, 1), Witnesses: MaskOf(2), Quorum: true}
	one := Promise{Member: 1, View: View{Epoch: Epoch{3, 1}, Number: 4, UpToDate: MaskOf(0, 1), Lineage: old}}
	if _, err := DecideAttach(voters, Epoch{4, 2}, []Promise{one}); !errors.Is(err, ErrMissingMembers) {
		t.Errorf("one of three attached: %v", err)
	}
	a, err := ForceAttach(voters, Epoch{4, 2}, forced, []Promise{one})
	if err != nil || a.Live().UpToDate != MaskOf(1) || a.Live().Lineage != forced || a.Live().Number != 5 || !a.MustWait {
		t.Fatalf("%+v, %v", a, err)
	}
	// The others, whether they went on or not, do not meet it again unless one side gives up.
	zero := Promise{Member: 0, View: View{Epoch: Epoch{9, 1}, Number: 7, UpToDate: MaskOf(0), Lineage: old}}
	one.View = a.Live()
	for _, attach := range []func([]Promise) (Attachment, error){
		func(p []Promise) (Attachment, error) { return DecideAttach(voters, Epoch{10, 3}, p) },
		func(p []Promise) (Attachment, error) { return ForceAttach(voters, Epoch{10, 3}, UUID{3}, p) },
	} {
		if _, err := attach([]Promise{zero, one}); !errors.Is(err, ErrSplitBrain) {
			t.Errorf("two histories were taken for one: %v", err)
		}
	}
	zero.Discarded = true
	if _, err = DecideAttach(voters, Epoch{10, 3}, []Promise{zero, one}); !errors.Is(err, ErrMissingMembers) {
		t.Errorf("a member that knows of no view made up a majority: %v", err)
	}
	voters.Quorum = false
	if a, err = DecideAttach(voters, Epoch{10, 3}, []Promise{zero, one}); err != nil || a.Live().Active() != MaskOf(1) || a.Live().Lineage != forced {
		t.Errorf("%+v, %v", a, err)
	}
}

func TestForcedAttachWithoutUTakesTheNewestCopyAlone(t *testing.T) {
	voters := Voters{Data: MaskOf(0, 1, 2)}
	promise := func(id int, number uint64) Promise {
		return Promise{Member: id, View: View{Number: number, UpToDate: MaskOf(0), Syncing: MaskOf(1)}}
	}
	a, err := ForceAttach(voters, Epoch{4, 2}, UUID{2}, []Promise{promise(1, 3), promise(2, 5)})
	if err != nil || a.Live().Active() != MaskOf(2) {
		t.Errorf("%+v, %v", a, err)
	}
	if a, err = ForceAttach(voters, Epoch{4, 2}, UUID{2}, []Promise{promise(2, 5), promise(1, 5)}); err != nil || a.Live().Active() != MaskOf(1) {
		t.Errorf("%+v, %v", a, err)
	}
	witness := Promise{Member: 3, View: View{Number: 9, UpToDate: MaskOf(0)}}
	if _, err = ForceAttach(Voters{Data: MaskOf(0, 1), Witnesses: MaskOf(3)}, Epoch{4, 2}, UUID{2}, []Promise{witness}); !errors.Is(err, ErrMissingMembers) {
		t.Errorf("a witness alone was forced to serve: %v", err)
	}
}
