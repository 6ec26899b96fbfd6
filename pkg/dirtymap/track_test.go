// SPDX-License-Identifier: Apache-2.0

package dirtymap

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/rmr-block/rmr/pkg/pool"
)

func TestDuplicateOfACompletedWriteIsRefused(t *testing.T) { // F_DUP
	w := NewWindow()
	if a, _ := w.Arrive(1, Extent{4, 5}); a != ArrivalNew {
		t.Fatal(a)
	}
	if a, _ := w.Arrive(1, Extent{4, 5}); a != ArrivalRunning {
		t.Fatal(a)
	}
	w.Answer(1, pool.StatusMissed)
	if a, s := w.Arrive(1, Extent{4, 5}); a != ArrivalAnswered || s != pool.StatusMissed {
		t.Fatal(a, s)
	}
	if !slices.Equal(w.Uncertain(), []uint64{4, 5}) { // F_LIST: answered, yet not known complete
		t.Fatal(w.Uncertain())
	}
	if !w.Completed(2) || w.Completed(1) || w.Len() != 0 || w.Below() != 2 {
		t.Fatal("completion mark wrong")
	}
	if a, s := w.Arrive(1, Extent{4, 5}); a != ArrivalRefused || s != pool.StatusFenced {
		t.Fatal(a, s)
	}
}

func TestIntentStaysUntilCompleteAndFlushed(t *testing.T) { // F_INTENT
	i := NewIntents()
	i.Begin(7, 3)
	early := i.FlushStart()
	i.Applied(7)
	i.Flushed(early)
	if len(i.Clearable(10)) != 0 {
		t.Fatal("cleared by a flush that started before the write was applied")
	}
	i.Flushed(i.FlushStart())
	if len(i.Clearable(3)) != 0 {
		t.Fatal("cleared before its write is known complete")
	}
	if !slices.Equal(i.Clearable(4), []uint64{7}) {
		t.Fatal("not cleared")
	}
	i.Hold()
	if len(i.Clearable(4)) != 0 {
		t.Fatal("cleared while uncertain") // F_KEEP
	}
	i.Release()
	if !slices.Equal(i.Clearable(1), []uint64{7}) {
		t.Fatal("not cleared after the release")
	}
	i.Cleared(7)
	i.Restore(8)
	i.Release()
	if len(i.Clearable(1)) != 0 {
		t.Fatal("a restored intent was cleared without a flush")
	}
}

func TestMissedWriteVoidsARunningCopy(t *testing.T) { // F_VOID
	p := NewPlanner()
	p.Add(4)
	free := func(uint64) bool { return false }
	from := func(uint64) pool.Mask { return pool.MaskOf(0, 2) }
	first, ok := p.Next(free, from)
	if !ok || first.Chunk != 4 || first.Source != 0 {
		t.Fatal(first, ok)
	}
	p.Add(4)
	second, ok := p.Next(free, from)
	if !ok || p.Done(first) || !p.Lacks(4) {
		t.Fatal("a void copy counted")
	}
	if !p.Done(second) || p.Lacks(4) || p.Running() != 0 {
		t.Fatal("the valid copy did not count")
	}
}

// TestPlannerEnds: whatever fails in whatever order, a planner with sources that work in the end copies
// every chunk, never hands out a held one, one without source, or the same chunk twice at once.
func TestPlannerEnds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := NewPlanner()
		for _, c := range rapid.SliceOfN(rapid.Uint64Range(0, 40), 1, 20).Draw(t, "chunks") {
			p.Add(c)
		}
		held := func(c uint64) bool { return c%7 == 3 }
		var running []Copy
		failures := rapid.IntRange(0, 30).Draw(t, "failures")
		for steps := 0; p.Left() > 0 && steps < 500; steps++ {
			if c, ok := p.Next(held, func(c uint64) pool.Mask { return pool.Mask(c)&0xfe | 4 }); ok {
				if held(c.Chunk) || c.Source == 0 || slices.ContainsFunc(running, func(r Copy) bool { return r.Chunk == c.Chunk }) {
					t.Fatalf("handed out %+v", c)
				}
				running = append(running, c)
				if len(running) < 4 {
					continue
				}
			}
			if len(running) == 0 {
				continue
			}
			k := rapid.IntRange(0, len(running)-1).Draw(t, "which")
			c := running[k]
			running = slices.Delete(running, k, k+1)
			if failures > 0 && rapid.Bool().Draw(t, "fail") {
				failures--
				p.Fail(c)
			} else if !p.Done(c) {
				t.Fatal("copy did not count")
			}
		}
		for _, c := range p.Chunks() {
			if !held(c) {
				t.Fatalf("chunk %d was never copied", c)
			}
		}
	})
}

func ExampleWindow() {
	w := NewWindow()
	w.Arrive(1, Extent{0, 0})
	w.Answer(1, pool.StatusOK)
	fmt.Println(w.Uncertain()) // answered, but the client has not said that it is complete
	w.Completed(2)
	fmt.Println(w.Uncertain())
	// Output:
	// [0]
	// []
}

// TestWindowAgainstNaiveModel drives random writes through the window and through a plain list.
func TestWindowAgainstNaiveModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := NewWindow()
		list := map[uint64]Extent{}
		below := uint64(1)
		t.Repeat(map[string]func(*rapid.T){
			"arrive": func(t *rapid.T) {
				seq, first := rapid.Uint64Range(1, 12).Draw(t, "seq"), rapid.Uint64Range(0, 6).Draw(t, "first")
				e := Extent{first, first + rapid.Uint64Range(0, 2).Draw(t, "more")}
				got, _ := w.Arrive(seq, e)
				_, known := list[seq]
				if refused := seq < below; (got == ArrivalRefused) != refused || (got == ArrivalNew) != (!refused && !known) {
					t.Fatalf("write %d, mark %d, known %v: arrival %d", seq, below, known, got)
				}
				if got == ArrivalNew {
					list[seq] = e
				}
			},
			"completed": func(t *rapid.T) {
				s := rapid.Uint64Range(0, 13).Draw(t, "s")
				if w.Completed(s) != (s > below) {
					t.Fatalf("mark %d to %d", below, s)
				}
				below = max(below, s)
				for seq := range list {
					if seq < below {
						delete(list, seq)
					}
				}
			},
			"": func(t *rapid.T) {
				uncertain := w.Uncertain()
				for c := range uint64(10) {
					newest := uint64(0)
					for seq, e := range list {
						if e.First <= c && c <= e.Last {
							newest = max(newest, seq)
						}
					}
					if w.Newest(c) != newest || w.Touches(c) != (newest != 0) || slices.Contains(uncertain, c) != (newest != 0) {
						t.Fatalf("chunk %d: newest %d, want %d; uncertain %v", c, w.Newest(c), newest, uncertain)
					}
				}
			},
		})
	})
}
