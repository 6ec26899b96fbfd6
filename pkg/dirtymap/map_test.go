// SPDX-License-Identifier: Apache-2.0

package dirtymap

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/rmr-block/rmr/pkg/pool"
)

// naive is the map as one byte per chunk, and the disk as the bytes last written.
type naive struct {
	now, disk []uint8
}

func drawRange(t *rapid.T, chunks uint64) (first, last uint64) {
	return rapid.Uint64Range(0, chunks+2).Draw(t, "first"), rapid.Uint64Range(0, chunks+2).Draw(t, "last")
}

// TestMapAgainstNaiveModel drives random operations through the map and through plain bytes.
func TestMapAgainstNaiveModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		chunks := rapid.Uint64Range(1, 3*pool.MapSectorChunks+5).Draw(t, "chunks")
		m := New(chunks, 9)
		n := naive{make([]uint8, chunks), make([]uint8, chunks)}
		images := map[uint32]pool.MapSectorImage{}
		gens := map[uint32]uint64{}
		bits := rapid.Uint8()
		t.Repeat(map[string]func(*rapid.T){
			"set": func(t *rapid.T) {
				first, last := drawRange(t, chunks)
				b := bits.Draw(t, "bits")
				changed := false
				for c := first; c <= last && c < chunks; c++ {
					changed = changed || n.now[c]|b != n.now[c]
					n.now[c] |= b
				}
				if got := m.Set(first, last, pool.Mask(b)); got != changed {
					t.Fatalf("set says changed %v, is %v", got, changed)
				}
			},
			"clear": func(t *rapid.T) {
				first, last := drawRange(t, chunks)
				b := bits.Draw(t, "bits")
				changed := false
				for c := first; c <= last && c < chunks; c++ {
					changed = changed || n.now[c]&b != 0
					n.now[c] &^= b
				}
				if got := m.Clear(first, last, pool.Mask(b)); got != changed {
					t.Fatalf("clear says changed %v, is %v", got, changed)
				}
			},
			"setall": func(t *rapid.T) {
				b := bits.Draw(t, "bits")
				m.SetAll(pool.Mask(b))
				for c := range n.now {
					n.now[c] |= b
				}
			},
			"write": func(t *rapid.T) { // an image goes out
				index := rapid.Uint32Range(0, m.Sectors()-1).Draw(t, "sector")
				images[index], gens[index] = m.Image(index)
			},
			"written": func(t *rapid.T) { // and is stable
				for index, image := range images {
					base := int(index) * pool.MapSectorChunks
					copy(n.disk[base:], image.Chunks[:])
					m.Persisted(index, gens[index])
					delete(images, index)
				}
			},
			"": func(t *rapid.T) { n.compare(t, m) },
		})
	})
}

func (n *naive) compare(t *rapid.T, m *Map) {
	var dirty []uint64
	for c, b := range n.now {
		if got := m.Get(uint64(c)); uint8(got) != b {
			t.Fatalf("chunk %d is %#x, want %#x", c, got, b)
		}
		if b&0x5 != 0 {
			dirty = append(dirty, uint64(c))
		}
		if m.Stable(uint64(c), uint64(c)) && n.disk[c] != b {
			t.Fatalf("chunk %d called stable, disk has %#x, memory %#x", c, n.disk[c], b)
		}
	}
	var got []uint64
	for c := range m.Dirty(0x5) {
		got = append(got, c)
	}
	if !slices.Equal(got, dirty) || m.Count(0x5) != uint64(len(dirty)) || m.Any(0x5) != (len(dirty) > 0) {
		t.Fatalf("iterates over %v, want %v", got, dirty)
	}
	pending := m.Pending()
	for c := range n.now {
		index := uint32(c / pool.MapSectorChunks)
		if n.disk[c] != n.now[c] && !slices.Contains(pending, index) {
			t.Fatalf("sector %d is not pending but differs from the disk", index)
		}
	}
}

func TestMergeKeepsOnlyAskedBits(t *testing.T) {
	a, b := New(1000, 1), New(1000, 1)
	a.Set(1, 1, 1)
	b.Set(0, 999, 6)
	if err := a.Merge(b, 2); err != nil {
		t.Fatal(err)
	}
	if a.Get(1) != 3 || a.Get(999) != 2 {
		t.Fatalf("merged to %v and %v", a.Get(1), a.Get(999))
	}
	if err := a.Merge(New(5, 1), 2); err == nil {
		t.Fatal("merged maps of different pools")
	}
}

func TestAllDirtyOfAHugePoolTakesOneWordPerSector(t *testing.T) {
	m := New(1<<20, 1)
	m.SetAll(2)
	if m.Count(2) != 1<<20 || len(m.sectors) != int(m.Sectors()) {
		t.Fatal("not all dirty")
	}
	for _, s := range m.sectors {
		if !s.sparse {
			t.Fatal("bytes are in use")
		}
	}
	m.Clear(5, 5, 2)
	if m.Get(5) != 0 || m.Get(4) != 2 || m.Count(2) != 1<<20-1 {
		t.Fatal("clearing one chunk went wrong")
	}
}

func TestLoadRefusesChunksPastTheEnd(t *testing.T) {
	image := pool.MapSectorImage{Tag: 3}
	image.Chunks[10] = 1
	m := New(10, 3)
	err := m.Load(0, image.Encode())
	var fe *pool.FieldError
	if !errors.As(err, &fe) || fe.Field != "chunk[10]" || m.Count(0xff) != 10 {
		t.Fatalf("load says %v, %d dirty", err, m.Count(0xff))
	}
}

func TestBlocksAgainstNaiveModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		per := rapid.IntRange(16, 130).Draw(t, "per")
		b, want := NewBlocks(per, 2), map[[2]int]bool{}
		known := func(c int) bool {
			for k := range want {
				if k[0] == c {
					return true
				}
			}
			return false
		}
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				c, first, last := rapid.IntRange(0, 3).Draw(t, "c"), rapid.IntRange(-1, per).Draw(t, "first"), rapid.IntRange(-1, per).Draw(t, "last")
				chunks := map[int]bool{}
				for k := range want {
					chunks[k[0]] = true
				}
				ok := first >= 0 && first <= last && last < per && (chunks[c] || len(chunks) < 2)
				if got := b.Add(uint64(c), first, last); got != ok {
					t.Fatalf("add %d %d..%d: %v, want %v", c, first, last, got, ok)
				}
				for i := first; ok && i <= last; i++ {
					want[[2]int{c, i}] = true
				}
			},
			"remove": func(t *rapid.T) {
				c, first, last := rapid.IntRange(0, 3).Draw(t, "c"), rapid.IntRange(-1, per).Draw(t, "first"), rapid.IntRange(-1, per).Draw(t, "last")
				b.Remove(uint64(c), first, last)
				for i := first; i <= last; i++ {
					delete(want, [2]int{c, i})
				}
			},
			"drop": func(t *rapid.T) {
				c := rapid.IntRange(0, 3).Draw(t, "c")
				b.Drop(uint64(c))
				for i := range per {
					delete(want, [2]int{c, i})
				}
			},
			"": func(t *rapid.T) {
				total := 0
				for c := range 4 {
					if b.Known(uint64(c)) != known(c) {
						t.Fatalf("chunk %d known %v", c, b.Known(uint64(c)))
					}
					for i := range b.Of(uint64(c)) {
						total++
						if !want[[2]int{c, i}] || !b.Has(uint64(c), i) {
							t.Fatalf("block %d of chunk %d should not be there", i, c)
						}
					}
				}
				if total != len(want) {
					t.Fatalf("%d blocks, want %d", total, len(want))
				}
			},
		})
	})
}

func ExampleMap() {
	m := New(1000, 42) // a pool of 1000 chunks
	m.Set(10, 12, pool.MaskOf(1))
	for chunk, lacking := range m.Dirty(pool.MaskOf(1)) {
		fmt.Println(chunk, lacking)
	}
	for _, sector := range m.Pending() { // to be written before the write is answered
		image, gen := m.Image(sector)
		_ = image.Encode()
		m.Persisted(sector, gen)
	}
	fmt.Println(m.Stable(10, 12))
	// Output:
	// 10 {1}
	// 11 {1}
	// 12 {1}
	// true
}

func TestSettingWhatAWholeSectorHasChangesNothing(t *testing.T) {
	m := New(2, 9)
	m.Set(0, 0, 3)
	m.Set(1, 1, 2)
	if m.Set(0, 1, 2) {
		t.Error("a set that adds no bit says it changed the map")
	}
	if !m.SetAll(1) || m.SetAll(3) {
		t.Error("want the first set of all chunks to change the map, the second not")
	}
}

func TestLateReportAfterTheSectorWasForgotten(t *testing.T) {
	m := New(10, 9)
	m.Set(1, 1, 2)
	_, old := m.Image(0)
	m.Clear(1, 1, 2)
	_, gen := m.Image(0)
	m.Persisted(0, gen) // all clear: forgotten
	m.Set(2, 2, 2)
	m.Persisted(0, old)
	m.Persisted(0, gen)
	if m.Stable(2, 2) {
		t.Error("a bit that was never written counts as persisted")
	}
}
