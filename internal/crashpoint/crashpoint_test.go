// SPDX-License-Identifier: Apache-2.0

// The oracle must notice: each case breaks one rule of a log that is good otherwise.

package crashpoint

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/rig"
	"github.com/rmr-block/rmr/pkg/dirtymap"
	"github.com/rmr-block/rmr/pkg/pool"
)

const (
	chunk  = 64 << 10
	size   = 1200 * chunk
	device = size + 4096 + pool.MDTail
	grown  = device + 16<<20
)

// store writes the log of a store.
type store struct {
	t   *testing.T
	sb  *pool.Superblock
	m   *dirtymap.Map
	log []rig.LogEntry
}

func newStore(t *testing.T) *store {
	t.Helper()
	plan, err := pool.MakePlan(pool.Spec{Name: "vol1", Size: size, ChunkSize: chunk, Members: []pool.NewMember{
		{Node: "stor0", Addrs: []string{"192.0.2.1"}, StoreSize: device}, {Node: "stor1", Addrs: []string{"192.0.2.2"}, StoreSize: device},
	}})
	require.NoError(t, err)
	sb, err := plan.Superblock(0, pool.IDs{Pool: pool.UUID{1}, Lineage: pool.UUID{2}, Stores: []pool.UUID{{3}, {4}}, Created: 1})
	require.NoError(t, err)
	sb.WriteSeq = 0
	s := &store{t: t, sb: sb, m: dirtymap.New(sb.Chunks(), pool.MapTag(sb.Store))}
	s.writeMap()
	s.commit()
	s.commit()
	return s
}

func (s *store) add(off uint64, b []byte, flush, fua bool) {
	s.log = append(s.log, rig.LogEntry{Sector: off / sectorSize, Count: uint64(len(b)) / sectorSize, Flush: flush, FUA: fua, Data: b})
}

// commit writes one copy of the superblock.
func (s *store) commit() {
	s.sb.WriteSeq++
	b, err := s.sb.Encode()
	require.NoError(s.t, err)
	off, _ := pool.SuperblockOff(s.sb.StoreSize, int(s.sb.WriteSeq%2))
	s.add(off, b, false, true)
}

func (s *store) writeMap() {
	var all bytes.Buffer
	for index := range uint32(s.sb.MapLen / pool.MapSector) {
		sector, _ := s.m.Image(index)
		all.Write(sector.Encode())
	}
	s.add(s.sb.MapOff, all.Bytes(), false, true)
}

func (s *store) set(c uint64, members ...int) {
	for _, id := range members {
		s.m.Set(c, c, pool.MaskOf(id))
	}
	s.writeMap()
}

func (s *store) data(c uint64) {
	s.add(c*chunk, make([]byte, 4096), false, false)
	s.add(0, nil, true, false)
}

func (s *store) mark(m Mark) { s.log = append(s.log, rig.LogEntry{Mark: m.Text()}) }

func (s *store) replay() (Result, error) {
	return Replay(s.log, Options{DiskSize: device, Most: grown, Tail: grown - size, Torn: 8, Random: rand.New(rand.NewPCG(1, 2))})
}

func TestAGoodLogIsLegal(t *testing.T) {
	s := newStore(t)
	s.set(5, 0)
	s.data(5)
	s.mark(Mark{Name: "alone", Lost: 2})
	s.data(5)
	s.set(1100, 0, 1)
	s.data(1100)
	s.mark(Mark{Name: "told", Lost: 2, Missed: [2]uint64{1100, 1100}})
	s.m.Clear(1100, 1100, pool.MaskOf(0))
	s.writeMap()
	s.sb.Promised, s.sb.Flags = pool.Epoch{Seq: 7, Client: 1}, s.sb.Flags|pool.FlagUsed
	s.commit()
	s.mark(Mark{Name: "copies", Seq: 7, Copies: true})
	s.data(900)
	s.m.Clear(1100, 1100, pool.MaskOf(1))
	s.writeMap()
	r, err := s.replay()
	require.NoError(t, err)
	require.Equal(t, Result{Points: 75, Torn: 56, Superblocks: 3, MapBlocks: 5, Data: 4, Marks: 3}, Result{75, 56, r.Superblocks, r.MapBlocks, r.Data, r.Marks})
	require.Equal(t, (r.Superblocks+r.MapBlocks)*8, r.Torn)
}

// grow moves the metadata to the end of a larger device, and has the pool follow.
func (s *store) grow() {
	s.mark(Mark{Name: "larger", Size: grown})
	old := *s.sb
	s.sb.StoreSize, s.sb.MapOff = grown, grown-pool.MDTail-s.sb.MapLen
	s.writeMap()
	s.commit()
	s.commit()
	for _, part := range [][2]uint64{{old.MapOff, old.MapLen}, {old.StoreSize - 68<<10, 4096}, {old.StoreSize - 4096, 4096}} {
		s.add(part[0], make([]byte, part[1]), false, false)
	}
	s.add(0, nil, true, false)
	s.sb.Room = size + 8<<20
	s.commit()
	s.commit()
	s.sb.PoolSize = s.sb.Room
	s.commit()
	s.commit()
	s.m.Resize(s.sb.Chunks())
}

func TestAGrownStoreIsLegalAtEveryMoment(t *testing.T) {
	s := newStore(t)
	s.set(5, 0)
	s.data(5)
	s.grow()
	s.set(1250, 0) // where the metadata was
	s.data(1250)
	_, err := s.replay()
	require.NoError(t, err)
	s.mark(Mark{Name: "removed", Gone: true})
	for n := range pool.SuperblockCopies {
		off, _ := pool.SuperblockOff(grown, 1-n)
		s.add(off, make([]byte, 4096), false, true)
	}
	_, err = s.replay()
	require.NoError(t, err)
}

func TestABrokenLogIsNoticed(t *testing.T) {
	for words, spoil := range map[string]func(s *store){
		"written without an intent":        func(s *store) { s.data(7) },
		"metadata was written without FUA": func(s *store) { s.commit(); s.log[len(s.log)-1].FUA = false },
		"of data and metadata":             func(s *store) { s.add(size-4096, make([]byte, 8192), false, true) },
		"acknowledged without":             func(s *store) { s.mark(Mark{Lost: 2, Missed: [2]uint64{3, 3}}) },
		"were told":                        func(s *store) { s.mark(Mark{Seq: 9}) },
		"newer promise, view or member table": func(s *store) {
			s.sb.Promised = pool.Epoch{Seq: 7, Client: 1}
			s.commit()
			s.commit()
			s.sb.Promised.Seq = 6
			s.commit()
			s.commit()
		},
		"write_seq goes back": func(s *store) {
			s.commit()
			s.sb.WriteSeq -= 3
			s.commit()
		},
		"no valid superblock": func(s *store) {
			for n := range pool.SuperblockCopies { // the older one first
				off, _ := pool.SuperblockOff(device, 1-n)
				s.add(off, make([]byte, 4096), false, true)
			}
		},
		"map sector": func(s *store) {
			s.writeMap()
			s.log[len(s.log)-1].Data[100] ^= 1
		},
		"(I5)": func(s *store) {
			s.mark(Mark{Lost: 2})
			s.set(9, 0)
			s.data(9)
			s.m.Clear(9, 9, pool.MaskOf(0))
			s.writeMap()
		},
		"pool and room go back": func(s *store) {
			s.grow()
			s.sb.Room, s.sb.PoolSize = 0, size
			s.commit()
		},
		"no valid superblock:": func(s *store) { // the old metadata goes before the new is there
			s.mark(Mark{Name: "larger", Size: grown})
			for n := range pool.SuperblockCopies {
				off, _ := pool.SuperblockOff(device, 1-n)
				s.add(off, make([]byte, 4096), false, true)
			}
		},
		"is not": func(s *store) {
			s.sb.Flags &^= pool.FlagClean
			s.commit()
			s.mark(Mark{Clean: true})
		},
	} {
		t.Run(words, func(t *testing.T) {
			s := newStore(t)
			spoil(s)
			_, err := s.replay()
			require.ErrorContains(t, err, words)
		})
	}
}
