// SPDX-License-Identifier: Apache-2.0

// This file owns the dirty map in memory and which of its sectors are persisted.

package dirtymap

import (
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/rmr-block/rmr/pkg/pool"
)

// Map is the dirty map of one store: for each chunk one byte, bit j set if member j lacks writes there.
// The bit of the store's own member is its write intent. Sectors without any bit that differs from the
// fill take no memory. The zero value is not usable; see New.
type Map struct {
	chunks  uint64
	tag     uint32
	clock   uint64 // last generation given, never used again in this map
	sectors map[uint32]*sector
	pending map[uint32]struct{} // sectors whose last change is not persisted
	fills   fills
}

// sector is one disk sector. gen is of the last change, persisted of the newest image that is known
// stable.
type sector struct {
	bytes     [pool.MapSectorChunks]uint8
	fill      pool.Mask // bits set in every byte, kept once ("all dirty" regions)
	owed      pool.Mask // of fill: not in the image on disk, see fill.go
	sparse    bool      // bytes are all zero, only fill counts
	gen       uint64
	persisted uint64
}

// New makes an empty map of so many chunks for the store with the given tag (pool.MapTag).
func New(chunks uint64, tag uint32) *Map {
	return &Map{chunks: chunks, tag: tag, sectors: map[uint32]*sector{}, pending: map[uint32]struct{}{}, fills: newFills()}
}

// Chunks is the number of chunks the map covers.
func (m *Map) Chunks() uint64 { return m.chunks }

// Sectors is the number of disk sectors of the map that hold chunks.
func (m *Map) Sectors() uint32 {
	return uint32((m.chunks + pool.MapSectorChunks - 1) / pool.MapSectorChunks)
}

// ErrFill: the map has a fill, which must not grow with it.
var ErrFill = errors.New("it has a fill")

// Resize makes the map larger or smaller. New chunks have no bit and count as persisted; what is known of chunks behind
// a smaller end is forgotten, and a sector with some of both is pending if it had bits there. A map with a fill stays as
// it is: ErrFill.
func (m *Map) Resize(chunks uint64) error {
	if m.HasFill() {
		return fmt.Errorf("resize a map of %d chunks to %d: %w", m.chunks, chunks, ErrFill)
	}
	if chunks < m.chunks {
		m.cut(chunks)
		return nil
	}
	if m.chunks > 0 { // what every chunk of the last sector has is not what its new ones have
		index, at := locate(m.chunks - 1)
		if s := m.sectors[index]; s != nil {
			s.spread(s.fill)
			clear(s.bytes[at+1:])
			s.sparse = s.bytes == [pool.MapSectorChunks]uint8{}
		}
	}
	m.chunks = chunks
	return nil
}

func (m *Map) cut(chunks uint64) {
	old := m.chunks
	m.chunks = chunks
	for index := range m.sectors {
		if index >= m.Sectors() {
			delete(m.sectors, index)
			delete(m.pending, index)
		}
	}
	index, at := locate(chunks)
	s := m.sectors[index]
	if s == nil || at == 0 {
		return
	}
	end := min(old-chunks, uint64(pool.MapSectorChunks-at))
	behind := s.bytes[at : at+int(end)]
	had := s.fill != 0 // on disk its new end has what all of its chunks have
	for _, b := range behind {
		had = had || b != 0
	}
	clear(s.bytes[at:])
	s.sparse = s.bytes == [pool.MapSectorChunks]uint8{}
	if had {
		m.touch(index, s)
	}
}

func locate(chunk uint64) (index uint32, at int) {
	return uint32(chunk / pool.MapSectorChunks), int(chunk % pool.MapSectorChunks)
}

// Get returns the byte of a chunk; a chunk past the end has none.
func (m *Map) Get(chunk uint64) pool.Mask {
	index, at := locate(chunk)
	s := m.sectors[index]
	if s == nil || chunk >= m.chunks {
		return 0
	}
	return s.fill | pool.Mask(s.bytes[at])
}

// Set adds bits to chunks first to last and tells whether that changed anything. Chunks past the end are
// left out.
func (m *Map) Set(first, last uint64, bits pool.Mask) bool {
	changed := false
	m.span(first, last, func(index uint32, from, to int) {
		s := m.sectors[index]
		if s == nil {
			s = &sector{sparse: true}
		}
		if bits.Within(s.fill) {
			return
		}
		if m.wholeSector(index, from, to) {
			if !s.lacks(to, bits) {
				return
			}
			s.fill |= bits
		} else if !s.setBytes(from, to, bits) {
			return
		}
		m.sectors[index] = s
		m.touch(index, s)
		changed = true
	})
	return changed
}

func (m *Map) touch(index uint32, s *sector) {
	m.clock++
	s.gen = m.clock
	m.pending[index] = struct{}{}
}

// lacks tells whether one of the chunks up to last lacks one of the bits.
func (s *sector) lacks(last int, bits pool.Mask) bool {
	for _, b := range s.bytes[:last+1] {
		if !bits.Within(pool.Mask(b) | s.fill) {
			return true
		}
	}
	return false
}

// setBytes adds bits to the bytes from..to and tells whether one changed.
func (s *sector) setBytes(from, to int, bits pool.Mask) bool {
	changed := false
	for i := from; i <= to; i++ {
		if !bits.Within(pool.Mask(s.bytes[i]) | s.fill) {
			s.bytes[i] |= uint8(bits)
			s.sparse = false
			changed = true
		}
	}
	return changed
}

// SetAll adds bits to every chunk, as for a member whose disk was replaced. It costs one word per sector.
func (m *Map) SetAll(bits pool.Mask) bool {
	if m.chunks == 0 {
		return false
	}
	return m.Set(0, m.chunks-1, bits)
}

// Clear removes bits from chunks first to last and tells whether that changed anything. A cleared bit may
// be persisted at leisure: losing the clear only costs a resync of the chunk.
func (m *Map) Clear(first, last uint64, bits pool.Mask) bool {
	changed := false
	m.span(first, last, func(index uint32, from, to int) {
		s := m.sectors[index]
		if s == nil {
			return
		}
		hit, owed := pool.Mask(0), s.owed
		if m.wholeSector(index, from, to) {
			hit = s.fill & bits
			s.fill &^= bits
			s.owed &^= bits
		} else if s.fill&bits != 0 {
			s.spread(bits)
		}
		own := false
		for i := from; i <= to && !s.sparse; i++ {
			own = own || pool.Mask(s.bytes[i])&bits != 0
			s.bytes[i] &^= uint8(bits)
		}
		s.sparse = s.sparse || s.bytes == [pool.MapSectorChunks]uint8{}
		if hit == 0 && !own {
			return
		}
		changed = true
		if own || s.gen != s.persisted || !hit.Within(owed) {
			m.touch(index, s)
		} else if s.sparse && s.fill == 0 {
			delete(m.sectors, index)
		}
	})
	if first == 0 && m.chunks > 0 && last >= m.chunks-1 {
		m.endFills(bits)
	}
	return changed
}

// spread moves bits from the fill into the bytes, so that some chunks can lose them.
func (s *sector) spread(bits pool.Mask) {
	for i := range s.bytes {
		s.bytes[i] |= uint8(s.fill & bits)
	}
	s.fill &^= bits
	s.sparse = false
}

func (m *Map) wholeSector(index uint32, from, to int) bool {
	end := min(uint64(pool.MapSectorChunks), m.chunks-uint64(index)*pool.MapSectorChunks)
	return from == 0 && uint64(to) == end-1
}

// span calls f for each sector that chunks first to last touch, with the first and last chunk in it.
func (m *Map) span(first, last uint64, f func(index uint32, from, to int)) {
	if m.chunks == 0 || first > last || first >= m.chunks {
		return
	}
	last = min(last, m.chunks-1)
	low, from := locate(first)
	high, to := locate(last)
	for index := uint64(low); index <= uint64(high); index++ {
		a, b := 0, pool.MapSectorChunks-1
		if uint32(index) == low {
			a = from
		}
		if uint32(index) == high {
			b = to
		}
		f(uint32(index), a, b)
	}
}

// Merge adds all bits of other, which must cover as many chunks, that are in mask.
func (m *Map) Merge(other *Map, mask pool.Mask) error {
	if other.chunks != m.chunks {
		return fmt.Errorf("merge dirty maps: %d chunks into %d", other.chunks, m.chunks)
	}
	for _, index := range other.indexes() { // what a sector has as a whole stays so: what it owes depends on that
		base := uint64(index) * pool.MapSectorChunks
		end := min(base+pool.MapSectorChunks, m.chunks)
		m.Set(base, end-1, other.sectors[index].fill&mask)
		for c := base; c < end && !other.sectors[index].sparse; c++ {
			m.Set(c, c, other.Get(c)&mask)
		}
	}
	return nil
}

// Dirty iterates in rising order over the chunks that have a bit of mask, with their whole byte. The map
// may be changed by the loop body; sectors are looked at when the iteration reaches them.
func (m *Map) Dirty(mask pool.Mask) iter.Seq2[uint64, pool.Mask] {
	return m.DirtyFrom(0, mask)
}

// DirtyFrom is Dirty from a chunk on.
func (m *Map) DirtyFrom(from uint64, mask pool.Mask) iter.Seq2[uint64, pool.Mask] {
	return func(yield func(uint64, pool.Mask) bool) {
		for _, index := range m.indexes() {
			base := uint64(index) * pool.MapSectorChunks
			end := min(base+pool.MapSectorChunks, m.chunks)
			for c := max(base, from); c < end; c++ {
				s := m.sectors[index]
				if s == nil { // cleared by the loop body
					break
				}
				bits := s.fill | pool.Mask(s.bytes[c-base])
				if bits&mask != 0 && !yield(c, bits) {
					return
				}
				if s.sparse && s.fill&mask == 0 {
					break
				}
			}
		}
	}
}

func (m *Map) indexes() []uint32 {
	list := make([]uint32, 0, len(m.sectors))
	for index := range m.sectors {
		list = append(list, index)
	}
	slices.Sort(list)
	return list
}

// Count is the number of chunks that have a bit of mask.
func (m *Map) Count(mask pool.Mask) uint64 {
	n := uint64(0)
	for range m.Dirty(mask) {
		n++
	}
	return n
}

// Any tells whether some chunk has a bit of mask.
func (m *Map) Any(mask pool.Mask) bool {
	for range m.Dirty(mask) {
		return true
	}
	return false
}

// Stable tells whether the present state of chunks first to last is persisted. It may say false because
// of a neighbour in the same sector, never true wrongly.
func (m *Map) Stable(first, last uint64) bool {
	stable := true
	m.span(first, last, func(index uint32, _, _ int) {
		if s := m.sectors[index]; s != nil && (s.persisted != s.gen || !m.rests(index, s.owed)) {
			stable = false
		}
	})
	return stable
}

// Pending lists, in rising order, the sectors whose last change is not persisted.
func (m *Map) Pending() []uint32 {
	list := make([]uint32, 0, len(m.pending))
	for index := range m.pending {
		list = append(list, index)
	}
	slices.Sort(list)
	return list
}

// Image is sector index as it has to be written, and its generation for Persisted.
func (m *Map) Image(index uint32) (pool.MapSectorImage, uint64) {
	image := pool.MapSectorImage{Index: index, Tag: m.tag}
	s := m.sectors[index]
	if s == nil {
		return image, 0
	}
	base := uint64(index) * pool.MapSectorChunks
	fill := s.fill
	if s.gen == s.persisted { // goes out, with its block, as it is on disk
		fill &^= s.owed
	}
	for i := range image.Chunks {
		if base+uint64(i) < m.chunks {
			image.Chunks[i] = s.bytes[i] | uint8(fill)
		}
	}
	return image, s.gen
}

// Persisted notes that the image of that generation is stable. An older one than already noted is ignored.
func (m *Map) Persisted(index uint32, gen uint64) {
	s := m.sectors[index]
	if s == nil || gen > s.gen || gen < s.persisted {
		return
	}
	if gen != s.persisted { // what is owed was in memory before anything newer than the last image on disk
		s.owed = 0
	}
	s.persisted = gen
	if gen == s.gen {
		delete(m.pending, index)
		if s.sparse && s.fill == 0 {
			delete(m.sectors, index)
		}
	}
}

// Load reads sector index from disk into a map that was just made. A sector that is refused counts as
// dirty in every bit, own intent included; the error says why and is to be reported. Bits of slots that
// never held a member do no harm: nobody resyncs them.
func (m *Map) Load(index uint32, b []byte) error {
	if index >= m.Sectors() {
		return fmt.Errorf("load map sector %d: map has %d: %w", index, m.Sectors(), pool.ErrInvalid)
	}
	first := uint64(index) * pool.MapSectorChunks
	last := min(first+pool.MapSectorChunks, m.chunks) - 1
	image, err := pool.DecodeMapSector(b, index, m.tag)
	if err == nil {
		err = pastEnd(image, m.chunks-first)
	}
	if err != nil {
		m.Set(first, last, 0xff)
		return fmt.Errorf("load dirty map: %w", err)
	}
	if image.Chunks == [pool.MapSectorChunks]uint8{} {
		return nil
	}
	m.sectors[index] = &sector{bytes: image.Chunks}
	return nil
}

// pastEnd refuses bits of chunks that the pool does not have.
func pastEnd(image *pool.MapSectorImage, chunks uint64) error {
	for i := chunks; i < pool.MapSectorChunks; i++ {
		if v := image.Chunks[i]; v != 0 {
			return &pool.FieldError{Class: pool.ErrInvalid, Struct: "rmr_map_sector", Field: fmt.Sprintf("chunk[%d]", i), Value: uint64(v), Why: "past the end of the pool"}
		}
	}
	return nil
}
