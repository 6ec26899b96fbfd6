// SPDX-License-Identifier: Apache-2.0

// Package audit compares the stores of one pool with what their metadata says about them, from outside: no
// node takes part. It decides whether the dirty maps are sound, and tells how precise they are.
//
// Sound (docs/protocol.md, I5): where a 4 KiB block differs between a member of U and another member, the
// member of U has the chunk marked for the other one, or one of the two has its own intent there. This must
// hold at every moment, also right after the power failed. U is that of the highest view on any store, which
// R2.4 allows even if that view was not established: its members are of U of the last established view, or
// hold a complete and persisted map (R5.7). At rest, with all members in U and without bits and intents, it
// says that the data areas are equal (I4).
//
// The stores must not change meanwhile: their nodes are down, or nobody writes. Nothing is kept between calls.
package audit

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/rmr-block/rmr/internal/metadata"
	"github.com/rmr-block/rmr/pkg/dirtymap"
	"github.com/rmr-block/rmr/pkg/pool"
)

// Store is one store as it is read: its bytes and how many there are.
type Store struct {
	Name string // for reports
	Data io.ReaderAt
	Size int64 // bytes, of the whole device
}

// Member is what one store says.
type Member struct {
	Store    string    `json:"store"`
	ID       int       `json:"member_id"`
	View     pool.View `json:"view"`
	Clean    bool      `json:"clean"`
	Intents  uint64    `json:"intents"`        // chunks with its own intent
	Dirty    []uint64  `json:"dirty"`          // chunks marked for each member slot, its own slot 0
	Damaged  uint8     `json:"damaged_copies"` // mask of superblock copies
	Problems []string  `json:"problems"`       // runs of map sectors that were refused and count as all dirty
}

// Extent is a range of 4 KiB blocks, first to last, that differ and nothing says so.
type Extent struct {
	First uint64 `json:"first"`
	Last  uint64 `json:"last"`
}

// Pair compares a member of U with another member. Bytes are of the data area.
type Pair struct {
	UpToDate  int      `json:"up_to_date"`
	Other     int      `json:"other"`
	Different uint64   `json:"different_bytes"` // in whole blocks
	Dirty     uint64   `json:"dirty_bytes"`     // in chunks that UpToDate has marked for Other
	Intent    uint64   `json:"intent_bytes"`    // in chunks with an intent of one of the two, not marked
	Uncovered []Extent `json:"uncovered"`       // different blocks in chunks with neither: unsound
}

// Precision is dirty bytes for each byte that differs; ok is false if none differs.
func (p Pair) Precision() (ratio float64, ok bool) {
	if p.Different == 0 {
		return 0, false
	}
	return float64(p.Dirty) / float64(p.Different), true
}

// Report is the result of an audit.
type Report struct {
	Pool      pool.UUID `json:"pool_uuid"`
	Name      string    `json:"pool_name"`
	Size      uint64    `json:"size"`
	ChunkSize uint32    `json:"chunk_size"`
	View      pool.View `json:"view"`    // the highest one
	Members   []Member  `json:"members"` // in order of their ids
	Missing   []int     `json:"missing"` // data members whose store was not given
	Pairs     []Pair    `json:"pairs"`
	Equal     bool      `json:"equal"` // all data areas given are the same bytes
	Sound     bool      `json:"sound"`
}

// Err is nil if the maps are sound, else it names what is not covered.
func (r *Report) Err() error {
	for _, p := range r.Pairs {
		if len(p.Uncovered) > 0 {
			x := p.Uncovered[0]
			return fmt.Errorf("pool %s: map not sound: blocks %d to %d (chunk %d) differ between member %d of U and member %d, no bit and no intent is persisted "+
				"(first of %d extents, view %v)", r.Name, x.First, x.Last, x.First*pool.BlockSize/uint64(r.ChunkSize), p.UpToDate, p.Other, len(p.Uncovered), r.View)
		}
	}
	return nil
}

// Files audits the backing files of stores.
func Files(paths ...string) (*Report, error) {
	var stores []Store
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("audit: %w", err)
		}
		defer f.Close()
		size, err := f.Seek(0, io.SeekEnd) // of block devices too
		if err != nil {
			return nil, fmt.Errorf("audit: size of %s: %w", path, err)
		}
		stores = append(stores, Store{path, f, size})
	}
	return Stores(stores...)
}

// loaded is a store whose metadata was read.
type loaded struct {
	Store
	sb    *pool.Superblock
	id    int
	dirty *dirtymap.Map
}

// Stores audits stores of one pool.
func Stores(stores ...Store) (*Report, error) {
	var members []*loaded
	r := &Report{Missing: []int{}, Pairs: []Pair{}, Equal: true, Sound: true}
	for _, s := range stores {
		l, m, err := load(s)
		if err != nil {
			return nil, fmt.Errorf("audit %s: %w", s.Name, err)
		}
		for _, other := range members {
			if err := compatible(other, l); err != nil {
				return nil, fmt.Errorf("audit %s: %w", s.Name, err)
			}
		}
		members, r.Members = append(members, l), append(r.Members, m)
	}
	if len(members) < 2 {
		return nil, fmt.Errorf("audit: %d data stores given, two or more are compared", len(members))
	}
	slices.SortFunc(members, func(a, b *loaded) int { return a.id - b.id })
	slices.SortFunc(r.Members, func(a, b Member) int { return a.ID - b.ID })
	r.describe(members)
	return r, r.compare(members)
}

// describe fills in what the superblocks say.
func (r *Report) describe(members []*loaded) {
	newest := members[0].sb
	var given pool.Mask
	for _, l := range members {
		given = given.With(l.id)
		if l.sb.View.Compare(r.View) > 0 {
			r.View = l.sb.View
		}
		if l.sb.TableVersion > newest.TableVersion {
			newest = l.sb
		}
	}
	r.Pool, r.Name, r.Size, r.ChunkSize = newest.Pool, newest.Name, newest.PoolSize, newest.ChunkSize
	for id := range (newest.DataMembers() &^ given).All() {
		r.Missing = append(r.Missing, id)
	}
}

func compatible(a, b *loaded) error {
	switch {
	case a.sb.Pool != b.sb.Pool:
		return fmt.Errorf("store of pool %s (%s), %s is of %s (%s)", b.sb.Name, b.sb.Pool, a.Name, a.sb.Name, a.sb.Pool)
	case a.id == b.id:
		return fmt.Errorf("member %d, as %s", b.id, a.Name)
	case a.sb.PoolSize != b.sb.PoolSize || a.sb.ChunkSize != b.sb.ChunkSize:
		return fmt.Errorf("pool size or chunk size differ from %s", a.Name)
	case a.sb.View.Lineage != b.sb.View.Lineage:
		return fmt.Errorf("lineage %s, %s has %s: split brain", b.sb.View.Lineage, a.Name, a.sb.View.Lineage)
	}
	return nil
}

// load reads superblock and map of a store.
func load(s Store) (*loaded, Member, error) {
	md, err := metadata.Read(s.Data, uint64(s.Size))
	if err != nil {
		return nil, Member{}, err
	}
	if md.Err != nil {
		return nil, Member{}, md.Err
	}
	sb := md.Superblock
	l := &loaded{Store: s, sb: sb, id: int(sb.MemberID), dirty: md.Map}
	m := Member{Store: s.Name, ID: l.id, View: sb.View, Clean: sb.Flags&pool.FlagClean != 0, Problems: []string{}}
	for i, c := range md.Copies {
		if c.Err != nil {
			m.Damaged |= 1 << i
		}
	}
	if !sb.DataMembers().Has(l.id) {
		return nil, m, fmt.Errorf("member %d holds no data", l.id)
	}
	for _, f := range md.Faults { // those behind the last chunk are no matter of a map
		if f.Chunks > 0 {
			m.Problems = append(m.Problems, fmt.Sprintf("map sectors %d to %d: %v", f.First, f.Last, f.Err))
		}
	}
	m.Dirty = make([]uint64, pool.MaxMembers)
	for id := range pool.MaxMembers {
		m.Dirty[id] = l.dirty.Count(pool.MaskOf(id))
	}
	m.Intents, m.Dirty[l.id] = m.Dirty[l.id], 0
	return l, m, nil
}

// compare reads all data areas once, chunk by chunk.
func (r *Report) compare(members []*loaded) error {
	type pair struct {
		Pair
		a, b int // indexes
	}
	var pairs []*pair
	for a, u := range members {
		for b, m := range members {
			if a != b && r.View.UpToDate.Has(u.id) {
				pairs = append(pairs, &pair{Pair{UpToDate: u.id, Other: m.id, Uncovered: []Extent{}}, a, b})
			}
		}
	}
	if len(pairs) == 0 {
		return fmt.Errorf("audit: no store is of a member of U, %v", r.View)
	}
	data := make([][]byte, len(members))
	for i := range data {
		data[i] = make([]byte, r.ChunkSize)
	}
	for chunk := range pool.Chunks(r.Size, r.ChunkSize) {
		at := chunk * uint64(r.ChunkSize)
		length := min(uint64(r.ChunkSize), r.Size-at)
		for i, l := range members {
			if _, err := l.Data.ReadAt(data[i][:length], int64(at)); err != nil {
				return fmt.Errorf("audit %s: read data at byte %d: %w", l.Name, at, err)
			}
			r.Equal = r.Equal && bytes.Equal(data[0][:length], data[i][:length])
		}
		for _, p := range pairs {
			p.chunk(members[p.a], members[p.b], chunk, data[p.a][:length], data[p.b][:length])
		}
	}
	for _, p := range pairs {
		r.Pairs = append(r.Pairs, p.Pair)
		r.Sound = r.Sound && len(p.Uncovered) == 0
	}
	return nil
}

// chunk compares one chunk of a pair.
func (p *Pair) chunk(u, other *loaded, chunk uint64, a, b []byte) {
	bits := u.dirty.Get(chunk)
	marked := bits.Has(other.id)
	intent := bits.Has(u.id) || other.dirty.Get(chunk).Has(other.id)
	switch {
	case marked:
		p.Dirty += uint64(len(a))
	case intent:
		p.Intent += uint64(len(a))
	}
	if bytes.Equal(a, b) {
		return
	}
	for at := 0; at < len(a); at += pool.BlockSize {
		if bytes.Equal(a[at:at+pool.BlockSize], b[at:at+pool.BlockSize]) {
			continue
		}
		p.Different += pool.BlockSize
		if !marked && !intent {
			p.uncovered(chunk*uint64(u.sb.ChunkSize)/pool.BlockSize + uint64(at/pool.BlockSize))
		}
	}
}

// uncovered adds a block; they come in rising order.
func (p *Pair) uncovered(block uint64) {
	if n := len(p.Uncovered); n > 0 && p.Uncovered[n-1].Last+1 == block {
		p.Uncovered[n-1].Last = block
		return
	}
	p.Uncovered = append(p.Uncovered, Extent{block, block})
}
