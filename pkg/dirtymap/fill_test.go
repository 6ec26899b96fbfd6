// SPDX-License-Identifier: Apache-2.0

package dirtymap

import (
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/rmr-block/rmr/pkg/pool"
)

// fillDisk is a store as it would be found: bytes of the sectors, fills of the superblock, and what is on its way there.
type fillDisk struct {
	m       *Map
	now     []uint8 // the bits that were set and not cleared since
	told    []uint8 // those of them that once counted as persisted
	sectors map[uint32]pool.MapSectorImage
	sb      Fills
	image   map[uint32]pool.MapSectorImage // on their way
	gen     map[uint32]uint64
	sbWay   *Fills
	members pool.Mask
}

func newFillDisk(chunks uint64) *fillDisk {
	return &fillDisk{
		m: New(chunks, 5), now: make([]uint8, chunks), told: make([]uint8, chunks), members: 0x7f, sectors: map[uint32]pool.MapSectorImage{},
		image: map[uint32]pool.MapSectorImage{}, gen: map[uint32]uint64{},
	}
}

// byteAt is what counts on disk for a chunk, with the superblock before or after the write under way.
func (d *fillDisk) byteAt(c uint64, sb Fills) uint8 {
	index, at := locate(c)
	v := uint8(0)
	if image, ok := d.sectors[index]; ok {
		v = image.Chunks[at]
	}
	for j, n := range sb {
		if n != 0 && index >= n-1 {
			v |= 1 << j
		}
	}
	return v
}

func (d *fillDisk) write(index uint32) {
	if _, busy := d.image[index]; !busy {
		d.image[index], d.gen[index] = d.m.Image(index)
	}
}

func (d *fillDisk) written(index uint32) {
	if image, busy := d.image[index]; busy {
		d.sectors[index] = image
		d.m.Persisted(index, d.gen[index])
		delete(d.image, index)
	}
}

func (d *fillDisk) writeSB() {
	if d.sbWay == nil {
		f := d.m.PutFills(d.members)
		d.sbWay = &f
	}
}

func (d *fillDisk) sbWritten() {
	if d.sbWay != nil {
		d.sb = *d.sbWay
		d.m.FillsWritten(d.sb)
		d.sbWay = nil
	}
}

// settle writes until nothing is left to write.
func (d *fillDisk) settle(t *rapid.T) {
	for range 100 {
		for index := range d.m.Sectors() {
			d.written(index)
		}
		d.sbWritten()
		pending := d.m.Pending()
		if len(pending) == 0 && !d.m.FillsPending(d.members) {
			return
		}
		for _, index := range pending {
			d.write(index)
		}
		if len(pending) == 0 {
			d.writeSB()
		}
	}
	t.Fatal("the map is never at rest")
}

// crash loads what is found, with each write under way done or not.
func (d *fillDisk) crash(t *rapid.T) {
	for index, image := range d.image {
		if rapid.Bool().Draw(t, "landed") {
			d.sectors[index] = image
		}
	}
	if d.sbWay != nil && rapid.Bool().Draw(t, "superblock landed") {
		d.sb = *d.sbWay
	}
	d.sbWay = nil
	clear(d.image)
	m := New(d.m.Chunks(), 5)
	for index := range m.Sectors() {
		image, ok := d.sectors[index]
		if !ok {
			image = pool.MapSectorImage{Index: index, Tag: 5}
		}
		if err := m.Load(index, image.Encode()); err != nil {
			t.Fatal(err)
		}
	}
	m.LoadFills(d.sb)
	d.m = m
	for c := range d.now {
		d.now[c] = d.byteAt(uint64(c), d.sb)
	}
}

// checkCleared: once nothing is left to write, a crash does not bring a bit back that was cleared everywhere.
func (d *fillDisk) checkCleared(t *rapid.T) {
	if len(d.m.Pending()) > 0 || d.m.FillsPending(d.members) {
		return
	}
	for j := range (d.members & 7).All() {
		for c := uint64(0); d.m.fills.fill[j] == noSector && !d.m.Any(pool.MaskOf(j)) && c < d.m.Chunks(); c += 1 + d.m.Chunks()/500 {
			found := d.byteAt(c, d.sb)
			if d.sbWay != nil {
				found |= d.byteAt(c, *d.sbWay)
			}
			if pool.Mask(found).Has(j) {
				t.Fatalf("chunk %d: bit %d was cleared everywhere, a crash brings it back (fills %v, on their way %v)", c, j, d.sb, d.sbWay)
			}
		}
	}
}

// check: what counts as persisted would be found after a crash at this moment, however the writes under way end.
func (d *fillDisk) check(t *rapid.T) {
	for c := uint64(0); c < uint64(len(d.now)); c += 1 + uint64(len(d.now))/500 {
		if got := uint8(d.m.Get(c)); got != d.now[c] {
			t.Fatalf("chunk %d: %#x in memory, want %#x", c, got, d.now[c])
		}
		if d.told[c] &= d.now[c]; d.m.Stable(c, c) {
			d.told[c] = d.now[c]
		}
		found := d.byteAt(c, d.sb)
		if d.sbWay != nil {
			found &= d.byteAt(c, *d.sbWay)
		}
		if lost := d.told[c] &^ found; lost != 0 {
			t.Fatalf("chunk %d: bits %#x count as persisted, a crash loses them (disk %#x, fills %v, on their way %v)", c, lost, found, d.sb, d.sbWay)
		}
	}
}

// TestNoBitOfAFillIsLost drives marks, clears, writes and crashes in any order. At rest the disk says what memory says,
// but for bits that a fill still sets, and a bit that was cleared everywhere is nowhere.
func TestNoBitOfAFillIsLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		chunks := rapid.SampledFrom([]uint64{1, 40, 496, 500, 1500, 10*pool.MapSectorChunks + 5}).Draw(t, "chunks")
		d := newFillDisk(chunks)
		member := rapid.IntRange(0, 2)
		sector := func(t *rapid.T) uint32 { return rapid.Uint32Range(0, d.m.Sectors()-1).Draw(t, "sector") }
		add := func(first, last uint64, bits pool.Mask) {
			for c := first; c <= last && c < chunks; c++ {
				d.now[c] |= uint8(bits)
			}
		}
		remove := func(first, last uint64, bits pool.Mask) {
			d.m.Clear(first, last, bits)
			for c := first; c <= last && c < chunks; c++ {
				d.now[c] &^= uint8(bits)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"mark all": func(t *rapid.T) {
				bits := pool.MaskOf(member.Draw(t, "member"))
				d.m.Mark(0, chunks-1, bits)
				add(0, chunks-1, bits)
			},
			"fill": func(t *rapid.T) {
				first, bits := rapid.Uint64Range(0, chunks).Draw(t, "first"), pool.MaskOf(member.Draw(t, "member"))
				d.m.Fill(first, bits)
				add(first, chunks-1, bits)
			},
			"set": func(t *rapid.T) {
				first, last := drawRange(t, chunks)
				bits := pool.MaskOf(member.Draw(t, "member"))
				d.m.Set(first, last, bits)
				add(first, last, bits)
			},
			"clear": func(t *rapid.T) {
				first, last := drawRange(t, chunks)
				remove(first, last, pool.MaskOf(member.Draw(t, "member")))
			},
			"copied": func(t *rapid.T) { // as a copy does: from the start on
				j := pool.MaskOf(member.Draw(t, "member"))
				for c := range d.m.Dirty(j) {
					remove(0, c+rapid.Uint64Range(0, 900).Draw(t, "more"), j)
					break
				}
			},
			"clear all": func(t *rapid.T) { remove(0, chunks-1, pool.MaskOf(member.Draw(t, "member"))) },
			"freed": func(t *rapid.T) {
				j := member.Draw(t, "member")
				d.sbWritten()
				d.members = d.members.Without(j)
				d.writeSB()
				d.sbWritten()
				remove(0, chunks-1, pool.MaskOf(j))
				d.members = d.members.With(j)
			},
			"look":               d.checkCleared,
			"advance":            func(*rapid.T) { d.m.AdvanceFills() },
			"write":              func(t *rapid.T) { d.write(sector(t)) },
			"written":            func(t *rapid.T) { d.written(sector(t)) },
			"write superblock":   func(*rapid.T) { d.writeSB() },
			"superblock written": func(*rapid.T) { d.sbWritten() },
			"settle": func(t *rapid.T) {
				d.settle(t)
				for c := range d.now {
					found := d.byteAt(uint64(c), d.sb)
					for j := range pool.Mask(found &^ d.now[c]).All() {
						if n := d.sb[j]; n == 0 || uint32(c/pool.MapSectorChunks) < n-1 {
							t.Fatalf("at rest chunk %d has bit %d on disk alone", c, j)
						}
					}
				}
				for j, n := range d.sb {
					if n != 0 && !d.m.Any(pool.MaskOf(j)) {
						d.m.AdvanceFills()
						if d.settle(t); d.sb[j] != 0 {
							t.Fatalf("nothing has bit %d, its fill stays", j)
						}
					}
				}
			},
			"crash": func(t *rapid.T) { d.crash(t) },
			"":      d.check,
		})
	})
}

// TestANewDiskCostsOneWrite: all chunks are marked, no sector has to be written; copied from the start on, the fill
// follows, and what is cleared as a whole is never written.
func TestANewDiskCostsOneWrite(t *testing.T) {
	const sectors = 2000
	d := newFillDisk(sectors * pool.MapSectorChunks)
	d.m.Mark(0, d.m.Chunks()-1, 4)
	if n := len(d.m.Pending()); n != 0 || d.m.Stable(7, 7) || d.m.Count(4) != d.m.Chunks() {
		t.Fatalf("marked: %d sectors pending, stable %v, %d chunks", n, d.m.Stable(7, 7), d.m.Count(4))
	}
	d.writeSB()
	if d.m.Stable(7, 7) {
		t.Fatal("a fill counts before its superblock is stable")
	}
	d.sbWritten()
	if !d.m.Stable(0, d.m.Chunks()-1) || d.sb != (Fills{2: 1}) {
		t.Fatalf("fills %v on disk", d.sb)
	}
	for c := uint64(0); c < 1000*pool.MapSectorChunks; c += pool.MapSectorChunks {
		d.m.Clear(c, c+pool.MapSectorChunks-1, 4)
	}
	d.m.Clear(1000*pool.MapSectorChunks, 1000*pool.MapSectorChunks+9, 4) // a chunk of the next sector
	d.m.AdvanceFills()
	if got := d.m.Pending(); len(got) != 1 || got[0] != 1000 {
		t.Fatalf("sectors %v are to be written", got)
	}
	d.writeSB()
	d.sbWritten()
	if d.sb[2] == 0 || d.sb[2]-1 > 1000 {
		t.Fatalf("the fill began behind a sector that owes: %v", d.sb)
	}
	rapid.Check(t, func(t *rapid.T) { d.settle(t) })
	if d.sb[2]-1 != 1001 {
		t.Fatalf("the fill begins at sector %d, 1001 are done", d.sb[2]-1)
	}
	if err := d.m.Resize(d.m.Chunks() + 1); !errors.Is(err, ErrFill) {
		t.Fatalf("a map with a fill was made larger: %v", err)
	}
}

// A bit that all chunks of a sector have by a merge stays one of the sector: a later fill owes the new bits alone. With
// the bit in the bytes, a fill of other bits owed it too, and the superblock kept a fill that the kernel's did not.
func TestAMergeLeavesNoDebtOfWhatASectorHasAsAWhole(t *testing.T) {
	m, other := New(2*pool.MapSectorChunks, 1), New(2*pool.MapSectorChunks, 1)
	other.SetAll(0x08)
	if err := m.Merge(other, 0xff); err != nil {
		t.Fatal(err)
	}
	for _, index := range m.Pending() {
		_, gen := m.Image(index)
		m.Persisted(index, gen)
	}
	m.Mark(0, m.Chunks()-1, 0x09)
	if f := m.PutFills(0xff); f != (Fills{1}) {
		t.Fatalf("fills %v: the merged bit is in the sectors already", f)
	}
}
