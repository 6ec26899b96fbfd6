// SPDX-License-Identifier: Apache-2.0

// Package metadata reads what the project keeps at the end of a store, from outside: the superblock copies and the
// dirty map. It judges them (Check), copies them to a file (WriteDump) and puts such a copy back (PlanRestore).
// Every structure is decoded by pkg/pool and pkg/dirtymap, so that these tools and the product cannot differ.
//
// Only Restore.Apply writes. Nothing is kept between calls; a value belongs to one goroutine.
package metadata

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"sort"

	"github.com/rmr-block/rmr/pkg/dirtymap"
	"github.com/rmr-block/rmr/pkg/pool"
)

// ErrTooSmall: the device cannot hold a store's tail.
var ErrTooSmall = errors.New("too small for a store")

// Copy is one superblock copy as it was found.
type Copy struct {
	Number     int
	Offset     uint64           // bytes from the start of the device
	Bytes      []byte           // nil: not readable
	Superblock *pool.Superblock // nil: refused, see Err
	Err        error            // of reading, or a *pool.FieldError
}

// Fault is a run of map sectors that were refused for the same field or cannot be read. Their chunks count as dirty in
// every bit.
type Fault struct {
	First, Last uint32 // sectors
	Offset      uint64 // of the first, bytes from the start of the device
	Chunks      uint64 // how many chunks they hold; 0 behind the last one
	Err         error  // of the first
}

// Store is the metadata of one store.
type Store struct {
	Size       uint64 // bytes of the device
	Copies     [pool.SuperblockCopies]Copy
	Used       int              // copy that counts, -1: none is valid
	Superblock *pool.Superblock // of that copy
	Err        error            // why none is valid
	Map        *dirtymap.Map    // as the product would load it, fills of the superblock included
	Faults     []Fault          // in rising order
}

// Sectors is the number of sectors of the map on disk, those behind the last chunk included.
func (s *Store) Sectors() uint32 { return uint32(s.Superblock.MapLen / pool.MapSector) }

// sectorOffset is where a map sector lies on the device.
func (s *Store) sectorOffset(index uint32) uint64 {
	return s.Superblock.MapOff + uint64(index)*pool.MapSector
}

// sectorChunks is how many chunks a sector of the map holds.
func sectorChunks(chunks uint64, index uint32) uint64 {
	first := uint64(index) * pool.MapSectorChunks
	if first >= chunks {
		return 0
	}
	return min(chunks-first, pool.MapSectorChunks)
}

// Read reads the metadata of a device of size bytes. A store without a valid superblock comes back with Used -1 and
// Err, and without a map; only a device too small for any store is an error.
func Read(r io.ReaderAt, size uint64) (*Store, error) {
	s, err := readSuperblocks(r, size)
	if err == nil && s.Superblock != nil {
		s.readMap(r)
	}
	return s, err
}

func readSuperblocks(r io.ReaderAt, size uint64) (*Store, error) {
	s := &Store{Size: size, Used: -1}
	var copies [pool.SuperblockCopies][]byte
	for i := range s.Copies {
		off, ok := pool.SuperblockOff(size, i)
		if !ok {
			return nil, fmt.Errorf("%d bytes: %w", size, ErrTooSmall)
		}
		s.Copies[i] = readCopy(r, i, off, size)
		copies[i] = s.Copies[i].Bytes
	}
	if s.Superblock, _, s.Err = pool.ChooseSuperblock(copies, size); s.Err != nil {
		for _, c := range s.Copies { // what cannot be read is no missing store
			if c.Bytes == nil {
				s.Err = c.Err
			}
		}
		return s, nil
	}
	for i := len(s.Copies) - 1; i >= 0; i-- { // the first of equal ones, as ChooseSuperblock does
		if c := s.Copies[i]; c.Err == nil && c.Superblock.WriteSeq == s.Superblock.WriteSeq {
			s.Used = i
		}
	}
	return s, nil
}

func readCopy(r io.ReaderAt, number int, off, size uint64) Copy {
	c := Copy{Number: number, Offset: off}
	b := make([]byte, pool.SuperblockSize)
	if n, err := r.ReadAt(b, int64(off)); n < len(b) {
		c.Err = fmt.Errorf("read superblock copy %d at byte %d: %w", number, off, err)
		return c
	}
	c.Bytes = b
	c.Superblock, c.Err = pool.DecodeSuperblock(b, size)
	return c
}

// sector is one map sector as it was read.
type sector struct {
	bytes []byte // nil: not readable
	err   error
}

// readStep is how much of a map is read at once, whole metadata blocks.
const readStep = 16 * pool.MDBlock

// sectors iterates over the map sectors in length bytes at off. Where a step cannot be read, its sectors are read one
// by one. The bytes are valid until the next round.
func sectors(r io.ReaderAt, off, length uint64) iter.Seq2[uint32, sector] {
	return func(yield func(uint32, sector) bool) {
		buf := make([]byte, readStep)
		for done := uint64(0); done < length; done += readStep {
			b := buf[:min(readStep, length-done)]
			n, _ := r.ReadAt(b, int64(off+done))
			for at := 0; at < len(b); at += pool.MapSector {
				s := sector{bytes: b[at : at+pool.MapSector]}
				if at+pool.MapSector > n {
					s = readSector(r, s.bytes, off+done+uint64(at))
				}
				if !yield(uint32((done+uint64(at))/pool.MapSector), s) {
					return
				}
			}
		}
	}
}

func readSector(r io.ReaderAt, b []byte, off uint64) sector {
	if n, err := r.ReadAt(b, int64(off)); n < len(b) {
		return sector{err: fmt.Errorf("read map sector at byte %d: %w", off, err)}
	}
	return sector{bytes: b}
}

// readMap loads the map as the product does, and looks at the sectors behind the last chunk too.
func (s *Store) readMap(r io.ReaderAt) {
	sb := s.Superblock
	s.Map = dirtymap.New(sb.Chunks(), pool.MapTag(sb.Store))
	for index, found := range sectors(r, sb.MapOff, sb.MapLen) {
		err := found.err
		switch {
		case index >= s.Map.Sectors():
			if err == nil {
				err = checkSector(found.bytes, index, sb)
			}
		case err != nil:
			_ = s.Map.Load(index, nil) // counts as all dirty; the cause is the read error
		default:
			err = s.Map.Load(index, found.bytes)
		}
		if err != nil {
			s.fault(index, err)
		}
	}
	s.Map.LoadFills(sb.Fill)
}

// fault notes a refused sector; they come in rising order.
func (s *Store) fault(index uint32, err error) {
	chunks := sectorChunks(s.Superblock.Chunks(), index)
	if n := len(s.Faults); n > 0 {
		last := &s.Faults[n-1]
		if last.Last+1 == index && (last.Chunks == 0) == (chunks == 0) && field(last.Err) == field(err) {
			last.Last, last.Chunks = index, last.Chunks+chunks
			return
		}
	}
	s.Faults = append(s.Faults, Fault{index, index, s.sectorOffset(index), chunks, err})
}

// damaged tells whether a sector was refused.
func (s *Store) damaged(index uint32) bool {
	at := sort.Search(len(s.Faults), func(i int) bool { return s.Faults[i].Last >= index })
	return at < len(s.Faults) && s.Faults[at].First <= index
}

// checkSector refuses what is not a valid sector of the store's map, as the product would.
func checkSector(b []byte, index uint32, sb *pool.Superblock) error {
	image, err := pool.DecodeMapSector(b, index, pool.MapTag(sb.Store))
	if err != nil {
		return err
	}
	for i := sectorChunks(sb.Chunks(), index); i < pool.MapSectorChunks; i++ {
		if v := image.Chunks[i]; v != 0 {
			return &pool.FieldError{
				Class: pool.ErrInvalid, Struct: "rmr_map_sector", Field: fmt.Sprintf("chunk[%d]", i), Value: uint64(v),
				Why: "past the end of the pool",
			}
		}
	}
	return nil
}
