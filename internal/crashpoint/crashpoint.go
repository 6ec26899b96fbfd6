// SPDX-License-Identifier: Apache-2.0

// Package crashpoint replays the log of what reached a store and judges the metadata at every moment at which its node
// may have lost power: after each write that a FLUSH or FUA made stable, and with any part of the write that was under
// way then. It is the oracle of a scenario; the product does not use it.
//
// A value belongs to one goroutine.
package crashpoint

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"

	"github.com/rmr-block/rmr/internal/metadata"
	"github.com/rmr-block/rmr/internal/rig"
	"github.com/rmr-block/rmr/pkg/pool"
)

const sectorSize = 512

// Mark is what a test knows at a moment, from what it was told before: the store has it at every later moment.
type Mark struct {
	Name  string `json:"name"`
	Seq   uint64 `json:"seq,omitempty"`  // of the epoch that was promised
	View  uint64 `json:"view,omitempty"` // number of the view that was told
	Clean bool   `json:"clean,omitempty"`
	// Lost is a mask of members that get nothing of what is written here from this mark to the next one.
	Lost uint8 `json:"lost,omitempty"`
	// Missed are chunks, first and last, that were acknowledged without the lost members.
	Missed [2]uint64 `json:"missed,omitzero"`
	// Copies: up to the next mark, what is written here may be copied from another member, and has no intent then.
	Copies bool `json:"copies,omitempty"`
	// Size is what the device has from this mark on, in bytes; 0: as before. Up to the end of a growth the store may be
	// that of the size before.
	Size uint64 `json:"size,omitempty"`
	// Gone: from this mark on the store may be none any more, as its member was removed.
	Gone bool `json:"gone,omitempty"`
}

// Text is the mark for the log.
func (m Mark) Text() string {
	b, err := json.Marshal(m)
	if err != nil {
		panic(err) // plain fields only
	}
	return string(b)
}

// Options say how thorough Replay is.
type Options struct {
	DiskSize uint64 // bytes of the device, at first
	Most     uint64 // bytes of it at the end; 0: it does not grow
	Tail     uint64 // bytes at the end of the largest device: metadata is never before them
	Torn     int    // states for each metadata write in which a part of it is on the disk, by chance
	Random   *rand.Rand
}

// Result counts what was judged.
type Result struct {
	Points, Torn           int // states of the metadata, and how many of them with a write under way
	Superblocks, MapBlocks int // writes of them
	Data                   int // writes of data, each judged for its intent
	Marks                  int
}

// image is the end of a disk.
type image struct {
	off uint64
	b   []byte
}

// ReadAt reads as from the disk; what lies before the image reads as zeros.
func (i *image) ReadAt(p []byte, off int64) (int, error) {
	clear(p)
	if uint64(off) < i.off {
		return len(p), nil
	}
	n := copy(p, i.b[min(uint64(off)-i.off, uint64(len(i.b))):])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (i *image) sector(n uint64) []byte {
	at := n*sectorSize - i.off
	return i.b[at : at+sectorSize]
}

type judge struct {
	Options
	now       image
	size, old uint64          // of the device, and before it grew
	store     *metadata.Store // of now, nil: none yet
	gone      bool            // it may be none any more
	mark      Mark
	alone     map[uint64]bool // chunks written while Lost
	missed    map[uint64]bool
	epoch     pool.Epoch // highest told
	view      uint64     // highest told, of that epoch or an older one
	result    Result
}

// Replay applies a log to a disk of zeros, entry by entry, and judges every state.
func Replay(log []rig.LogEntry, o Options) (Result, error) {
	o.Most = max(o.Most, o.DiskSize)
	j := &judge{Options: o, size: o.DiskSize, old: o.DiskSize, alone: map[uint64]bool{}, missed: map[uint64]bool{}}
	if o.Tail%sectorSize != 0 || o.Tail > o.Most {
		return j.result, fmt.Errorf("tail of %d bytes on a disk of %d", o.Tail, o.Most)
	}
	j.now = image{o.Most - o.Tail, make([]byte, o.Tail)}
	for n := range log {
		if err := j.step(&log[n]); err != nil {
			return j.result, fmt.Errorf("entry %d of %d (sector %d, %d sectors), after mark %q: %w", n, len(log), log[n].Sector, log[n].Count, j.mark.Name, err)
		}
	}
	return j.result, nil
}

func (j *judge) step(e *rig.LogEntry) error {
	switch {
	case e.Mark != "":
		return j.noteMark(e.Mark)
	case e.Count == 0:
	case isMetadata(e), e.FUA && j.inUse(e) && e.Sector*sectorSize >= j.store.Superblock.MapOff:
		if e.Sector*sectorSize < j.now.off {
			return errors.New("metadata before its part of the disk")
		}
		return j.metadataWrite(e)
	case j.inUse(e) && e.Sector*sectorSize < j.store.Superblock.MapOff:
		return errors.New("one write of data and metadata")
	case j.inUse(e):
		return errors.New("metadata was written without FUA")
	default:
		if err := j.dataWrite(e); err != nil {
			return err
		}
	}
	if !e.Flush && !e.FUA {
		return nil // its flush comes
	}
	return j.judge(true)
}

// isMetadata goes by what is written, as its place may become data. Metadata is always written with FUA.
func isMetadata(e *rig.LogEntry) bool {
	return e.FUA && (bytes.HasPrefix(e.Data, []byte("RMRSTORE")) || bytes.HasPrefix(e.Data, []byte("RRMP")))
}

// inUse tells whether an entry touches superblocks or map of the store as it is.
func (j *judge) inUse(e *rig.LogEntry) bool {
	if j.store == nil {
		return false
	}
	sb, first, end := j.store.Superblock, e.Sector*sectorSize, (e.Sector+e.Count)*sectorSize
	if first < sb.MapOff+sb.MapLen && end > sb.MapOff {
		return true
	}
	for i := range pool.SuperblockCopies {
		if off, ok := pool.SuperblockOff(sb.StoreSize, i); ok && first < off+pool.SuperblockSize && end > off {
			return true
		}
	}
	return false
}

// noteMark holds the store against what the test was told before it made the mark.
func (j *judge) noteMark(text string) error {
	var m Mark
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		return fmt.Errorf("mark %q: %w", text, err)
	}
	j.result.Marks++
	if m.Lost == 0 {
		clear(j.missed)
	}
	if m.Lost != j.mark.Lost {
		clear(j.alone)
	}
	if m.Missed != [2]uint64{} {
		for c := m.Missed[0]; c <= m.Missed[1]; c++ {
			j.missed[c] = true
		}
	}
	if m.Size != 0 {
		j.old, j.size = j.size, m.Size
	}
	j.gone = j.gone || m.Gone
	j.mark = m
	j.epoch.Seq, j.view = max(j.epoch.Seq, m.Seq), max(j.view, m.View)
	if err := j.judge(true); err != nil {
		return err
	}
	if m.Clean && (j.store == nil || j.store.Superblock.Flags&pool.FlagClean == 0) {
		return errors.New("was told to be clean, and is not")
	}
	return nil
}

// metadataWrite judges states with a part of the write on the disk, by sectors, and then all of it.
func (j *judge) metadataWrite(e *rig.LogEntry) error {
	if e.Count == pool.SuperblockSize/sectorSize && bytes.HasPrefix(e.Data, []byte("RMRSTORE")) {
		j.result.Superblocks++
	} else {
		j.result.MapBlocks++
	}
	var before []byte
	for s := range e.Count {
		before = append(before, j.now.sector(e.Sector+s)...)
	}
	for range j.Torn {
		for s := range e.Count {
			from := before
			if j.Random.IntN(2) == 0 {
				from = e.Data
			}
			copy(j.now.sector(e.Sector+s), from[s*sectorSize:])
		}
		j.result.Torn++
		if err := j.judge(false); err != nil {
			return fmt.Errorf("with a part of the write: %w", err)
		}
	}
	j.apply(e)
	return j.judge(true)
}

// apply puts what an entry writes into the image, as far as that goes.
func (j *judge) apply(e *rig.LogEntry) {
	for s := range e.Count {
		if at := (e.Sector + s) * sectorSize; at >= j.now.off && e.Data != nil {
			copy(j.now.sector(e.Sector+s), e.Data[s*sectorSize:(s+1)*sectorSize])
		}
	}
}

// dataWrite: it was submitted at some moment before, and its chunks have had their intent from before that moment to
// this one, as it becomes stable only with the entry's flush (R3.2, R3.8).
func (j *judge) dataWrite(e *rig.LogEntry) error {
	j.result.Data++
	j.apply(e)
	if j.store == nil {
		return nil // before there is a store
	}
	sb := j.store.Superblock
	last := ((e.Sector+e.Count)*sectorSize - 1) / uint64(sb.ChunkSize)
	for c := e.Sector * sectorSize / uint64(sb.ChunkSize); c <= last && c < sb.Chunks(); c++ {
		if !j.mark.Copies && !j.store.Map.Get(c).Has(int(sb.MemberID)) {
			return fmt.Errorf("chunk %d was written without an intent", c)
		}
		if j.mark.Lost != 0 {
			j.alone[c] = true
		}
	}
	return nil
}

// read finds the store at the end of the device or, if that has grown, where the end was.
func (j *judge) read() (*metadata.Store, error) {
	s, err := metadata.Read(&j.now, j.size)
	if err != nil || s.Superblock != nil || j.old == j.size {
		return s, err
	}
	return metadata.Read(&j.now, j.old)
}

// judge holds the state against the rules of the format, what was stable before and what was told. whole: no write is
// under way.
func (j *judge) judge(whole bool) error {
	j.result.Points++
	s, err := j.read()
	if err != nil {
		return err
	}
	if s.Superblock == nil {
		if j.gone || j.store == nil && j.mark.View == 0 {
			return nil // not made yet, or no member any more
		}
		return fmt.Errorf("no valid superblock: %w", s.Err)
	}
	for _, f := range metadata.Check(s) {
		if f.Severity == metadata.Broken {
			return fmt.Errorf("%s %s: %s", f.Object, f.Field, f.Problem)
		}
	}
	if len(s.Faults) > 0 {
		return fmt.Errorf("map sector %d: %w", s.Faults[0].First, s.Faults[0].Err)
	}
	if err := j.keeps(s); err != nil {
		return err
	}
	if whole {
		j.store = s
	}
	return nil
}

// keeps: nothing that was stable or told is gone.
func (j *judge) keeps(s *metadata.Store) error {
	sb := s.Superblock
	if j.store != nil {
		old := j.store.Superblock
		switch {
		case sb.Store != old.Store:
			return errors.New("another store")
		case sb.Cuts < old.Cuts:
			return fmt.Errorf("the number of shrinks goes back from %d to %d", old.Cuts, sb.Cuts)
		case sb.Cuts == old.Cuts && (sb.PoolSize < old.PoolSize || sb.Room < old.Room):
			return fmt.Errorf("pool and room go back from %d, %d to %d, %d", old.PoolSize, old.Room, sb.PoolSize, sb.Room)
		case sb.WriteSeq < old.WriteSeq:
			return fmt.Errorf("write_seq goes back from %d to %d", old.WriteSeq, sb.WriteSeq)
		case sb.Promised.Compare(old.Promised) < 0:
			return fmt.Errorf("the promise goes back from %v to %v", old.Promised, sb.Promised)
		case sb.View.Compare(old.View) < 0:
			return fmt.Errorf("the view goes back from %v to %v", old.View, sb.View)
		case sb.TableVersion < old.TableVersion:
			return fmt.Errorf("the member table goes back from %d to %d", old.TableVersion, sb.TableVersion)
		}
	}
	if sb.Promised.Seq < j.epoch.Seq || sb.View.Number < j.view {
		return fmt.Errorf("promise %v and view %v, and epoch %d and view %d were told", sb.Promised, sb.View, j.epoch.Seq, j.view)
	}
	lost := pool.Mask(j.mark.Lost)
	for c := range j.missed {
		if s.Map.Get(c)&lost != lost {
			return fmt.Errorf("chunk %d was acknowledged without %v and has bits %v", c, lost, s.Map.Get(c))
		}
	}
	for c := range j.alone {
		if bits := s.Map.Get(c); bits&lost != lost && !bits.Has(int(sb.MemberID)) {
			return fmt.Errorf("chunk %d was written without %v and has bits %v (I5)", c, lost, bits)
		}
	}
	return nil
}
