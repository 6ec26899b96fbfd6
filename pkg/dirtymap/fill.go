// SPDX-License-Identifier: Apache-2.0

// This file owns fills (R9.14): a bit of every chunk from a sector on, set by a word of the superblock, so that a new
// disk lacks everything at the cost of one write. What counts on disk is sector | fill.
//
// A sector owes a bit that all its chunks have in memory, and only those on disk that had it before. It owes only what it
// got while it was not pending: whatever image is taken later has the bit too. Cleared everywhere, an owed bit needs no
// write if no chunk had it before; a write of the sector pays the debt; the fill may begin behind a sector, or end, once
// no sector below owes.

package dirtymap

import (
	"math"

	"github.com/rmr-block/rmr/pkg/pool"
)

// Fills are those of a superblock: 0, or sector + 1, for each member.
type Fills = [pool.MaxMembers]uint32

// noSector is no fill.
const noSector = math.MaxUint32

const (
	fillSectors = 64 // marks that reach the end of the map are fills from so many sectors on, or if they are all
	fillBehind  = 8  // a fill leaves one sector that owes behind, to be written, for so many that do not
)

// fills are where sectors may owe, what the superblock says, and what it says once it is written: until then only the
// larger of the two counts, and a fill that ends has not.
type fills struct {
	fill, filled, coming [pool.MaxMembers]uint32
}

func newFills() (f fills) {
	for j := range f.fill {
		f.fill[j], f.filled[j], f.coming[j] = noSector, noSector, noSector
	}
	return f
}

// HasFill tells whether there is a fill in the map or in the superblock.
func (m *Map) HasFill() bool { return m.fills != newFills() }

// rests tells whether the bits that a sector owes are on disk by fills.
func (m *Map) rests(index uint32, owed pool.Mask) bool {
	for j := range owed.All() {
		if max(m.fills.filled[j], m.fills.coming[j]) > index {
			return false
		}
	}
	return true
}

// Mark adds bits to chunks first to last, by a fill if that is the whole map, or most of it and its end. It tells
// whether that changed anything. The bits are those of other members, never the own intent.
func (m *Map) Mark(first, last uint64, bits pool.Mask) bool {
	if first >= m.chunks || last < m.chunks-1 || first > 0 && m.chunks-first < fillSectors*pool.MapSectorChunks {
		return m.Set(first, last, bits)
	}
	return m.Fill(first, bits)
}

// Fill adds bits to chunk first and all behind it, by a fill but for a sector that first is inside of.
func (m *Map) Fill(first uint64, bits pool.Mask) bool {
	low := (first + pool.MapSectorChunks - 1) / pool.MapSectorChunks
	if bits == 0 || first >= m.chunks {
		return false
	}
	if low >= uint64(m.Sectors()) {
		return m.Set(first, m.chunks-1, bits)
	}
	changed := low > 0 && m.Set(first, low*pool.MapSectorChunks-1, bits)
	owed := pool.Mask(0)
	for index := uint32(low); index < m.Sectors(); index++ {
		now, hit := m.fillSector(index, bits)
		owed |= now
		changed = changed || hit
	}
	for j := range owed.All() {
		m.fills.fill[j] = min(m.fills.fill[j], uint32(low))
	}
	return changed
}

// fillSector gives bits to all chunks of a sector; owed are those that it owes now.
func (m *Map) fillSector(index uint32, bits pool.Mask) (owed pool.Mask, changed bool) {
	s := m.sectors[index]
	if s == nil {
		s = &sector{sparse: true}
	}
	if bits &^= s.fill; bits == 0 {
		return 0, false
	}
	last := int(min(pool.MapSectorChunks, m.chunks-uint64(index)*pool.MapSectorChunks)) - 1
	if !s.lacks(last, bits) {
		return 0, false
	}
	s.fill |= bits
	m.sectors[index] = s
	if s.gen != s.persisted {
		m.touch(index, s)
		return 0, true
	}
	s.owed |= bits
	return bits, true
}

// LoadFills takes the fills of a superblock that passed its check, once every sector is loaded.
func (m *Map) LoadFills(f Fills) {
	for j, n := range f {
		if n == 0 || n > m.Sectors() {
			continue
		}
		m.Fill(uint64(n-1)*pool.MapSectorChunks, pool.MaskOf(j))
		m.fills.fill[j], m.fills.filled[j], m.fills.coming[j] = n-1, n-1, n-1
	}
}

// owes tells whether one of the sectors from to end-1 owes bit j.
func (m *Map) owes(j int, from, end uint32) bool {
	for index, s := range m.sectors {
		if index >= from && index < end && s.owed.Has(j) {
			return true
		}
	}
	return false
}

// wanted is where the fill on disk may begin now.
func (m *Map) wanted(j int, members pool.Mask) uint32 {
	f := &m.fills
	switch {
	case !members.Has(j):
		return noSector
	case f.fill[j] > f.filled[j] && m.owes(j, f.filled[j], f.fill[j]):
		return f.filled[j]
	}
	return f.fill[j]
}

// FillsPending tells whether the superblock is to say something else about these members.
func (m *Map) FillsPending(members pool.Mask) bool {
	for j := range m.fills.fill {
		if want := m.wanted(j, members); want != m.fills.filled[j] || want != m.fills.coming[j] {
			return true
		}
	}
	return false
}

// PutFills is what the superblock is to say; of others than members nothing. It is about to be written: until
// FillsWritten, only what it says before and after counts as persisted.
func (m *Map) PutFills(members pool.Mask) (f Fills) {
	for j := range f {
		n := m.wanted(j, members)
		if n != noSector {
			f[j] = n + 1
		}
		m.fills.coming[j] = n
	}
	return f
}

// FillsWritten notes that the superblock with these fills is stable.
func (m *Map) FillsWritten(f Fills) {
	for j, n := range f {
		m.fills.filled[j] = noSector
		if n != 0 {
			m.fills.filled[j] = n - 1
		}
		m.fills.coming[j] = m.fills.filled[j]
	}
}

// goal is where the fill of j may begin, with few sectors that owe below; no further than it pays to look.
func (m *Map) goal(j int) uint32 {
	best, owing, paid := m.fills.fill[j], uint32(0), uint32(0)
	for index := best; index < m.Sectors(); index++ {
		if s := m.sectors[index]; s != nil && s.owed.Has(j) && s.gen == s.persisted {
			owing++
		} else if paid++; owing*fillBehind <= paid {
			best = index + 1
		}
		if owing > fillSectors+paid/fillBehind {
			break
		}
	}
	return best
}

// AdvanceFills lets fills begin behind what is cleared or in its own sectors by now, so that a crash does not take that
// back. A few sectors may be pending afterwards; the superblock follows them.
func (m *Map) AdvanceFills() {
	for j := range m.fills.fill {
		from := m.fills.fill[j]
		if from == noSector {
			continue
		}
		to := m.goal(j)
		for index := from; index < to; index++ {
			if s := m.sectors[index]; s != nil && s.owed.Has(j) && s.gen == s.persisted {
				m.touch(index, s)
			}
		}
		if to >= m.Sectors() {
			to = noSector
		}
		m.fills.fill[j] = to
	}
}

// endFills: nothing has these bits any more.
func (m *Map) endFills(bits pool.Mask) {
	for j := range bits.All() {
		m.fills.fill[j] = noSector
	}
}
