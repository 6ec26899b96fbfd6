// SPDX-License-Identifier: Apache-2.0

package dirtymap_test

import (
	"fmt"

	"github.com/rmr-block/rmr/pkg/dirtymap"
	"github.com/rmr-block/rmr/pkg/pool"
)

// A bit counts once the image that holds it is stable on disk.
func ExampleMap() {
	m := dirtymap.New(1000, 0x1234)
	m.Set(10, 11, pool.MaskOf(2)) // member 2 misses a write of chunks 10 and 11
	fmt.Println(m.Count(pool.MaskOf(2)), m.Stable(10, 11), m.Pending())

	image, generation := m.Image(0)
	block := image.Encode() // 512 bytes, to be written at map_off + 512 * 0
	m.Persisted(0, generation)
	fmt.Println(len(block), m.Stable(10, 11))
	for chunk, bits := range m.Dirty(0xff) {
		fmt.Println(chunk, bits)
	}
	// Output:
	// 2 false [0]
	// 512 true
	// 10 {2}
	// 11 {2}
}

// Damage on disk makes chunks dirty, never clean.
func ExampleMap_Load() {
	m := dirtymap.New(1000, 0x1234)
	err := m.Load(1, make([]byte, pool.MapSector))
	fmt.Println(err)
	fmt.Println(m.Get(0), m.Get(500))
	// Output:
	// load dirty map: decode map sector 1: rmr_map_sector.magic: no map sector (0x0)
	// {} {0,1,2,3,4,5,6,7}
}

func ExampleWindow() {
	w := dirtymap.NewWindow()
	w.Arrive(1, dirtymap.Extent{First: 7, Last: 7})
	w.Arrive(2, dirtymap.Extent{First: 7, Last: 8})
	w.Answer(1, pool.StatusOK)
	again, status := w.Arrive(1, dirtymap.Extent{First: 7, Last: 7})
	fmt.Println(again == dirtymap.ArrivalAnswered, status)
	fmt.Println(w.Uncertain(), w.Newest(7))
	w.Completed(3) // the client says: all below 3 are complete
	fmt.Println(w.Uncertain(), w.Newest(7))
	// Output:
	// true ok
	// [7 8] 2
	// [] 0
}

// An intent goes only when its writes are complete everywhere and flushed here.
func ExampleIntents() {
	t := dirtymap.NewIntents()
	t.Begin(7, 1)
	t.Applied(7)
	fmt.Println(t.Clearable(2))
	mark := t.FlushStart()
	t.Flushed(mark)
	fmt.Println(t.Clearable(1), t.Clearable(2))
	// Output:
	// []
	// [] [7]
}

func ExamplePlanner() {
	p := dirtymap.NewPlanner()
	p.Add(5)
	p.Add(9)
	none := func(uint64) bool { return false }
	from := func(uint64) pool.Mask { return pool.MaskOf(0, 2) }
	a, _ := p.Next(none, from)
	b, _ := p.Next(none, from)
	fmt.Println(a.Chunk, a.Source, b.Chunk, b.Source)
	p.Add(5) // a write of chunk 5 was missed meanwhile: its copy is void
	fmt.Println(p.Done(a), p.Done(b), p.Chunks())
	// Output:
	// 5 0 9 2
	// false true [5]
}

func ExampleBlocks() {
	overlay := dirtymap.NewBlocks(16, 1) // 16 blocks of 4 KiB in a chunk, one chunk at most
	fmt.Println(overlay.Add(3, 4, 6), overlay.Has(3, 5), overlay.Has(3, 7))
	fmt.Println(overlay.Add(4, 0, 0)) // no room: the write is to be missed
	// Output:
	// true true false
	// false
}
