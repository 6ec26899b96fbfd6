// SPDX-License-Identifier: Apache-2.0

// This file owns the way back of a dump, by R2.17 of docs/protocol.md. Old metadata can hide differences (I5), take a
// promise back (I7) and make a stale member enough for an attach (I6). So bytes go back as they were only if nothing
// was promised on the store since; what the store itself still holds is the proof. Otherwise the store comes back as
// one that knows nothing and is believed by nobody.
//
// No structure is ever written that does not decode, and none that the device still has is replaced.

package metadata

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/rmr-block/rmr/pkg/pool"
)

// Refusal: the dump does not belong on this device, now or ever. No option changes that.
type Refusal struct{ Text string }

func (r *Refusal) Error() string { return r.Text }

func refuse(format string, args ...any) error { return &Refusal{fmt.Sprintf(format, args...)} }

// Mode is how a dump goes back.
type Mode int

// Modes of a restore.
const (
	Exact     Mode = iota // the generation of the dump: its bytes
	Uncertain             // another one, or nobody knows: a store that knows nothing (R2.17)
)

// String names the mode as the CLI does.
func (m Mode) String() string { return [...]string{"exact", "uncertain"}[m] }

// MarshalText gives the words of String.
func (m Mode) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// Device is where a dump goes.
type Device interface {
	io.ReaderAt
	io.WriterAt
	Sync() error
}

// Restore is what has to be written, decided and not yet done.
type Restore struct {
	Mode      Mode
	Proven    bool // the device's own superblock is of the dump's generation
	Unchanged bool // the operator says that nothing ran on the store since
	Copies    []int
	Sectors   uint32 // of the map, to be written
	AllDirty  uint32 // of those, how many become dirty in every bit because the dump's may be too old
	dump      *Dump
	sb        [pool.SuperblockCopies][]byte // to be written; nil: stays
	trust     bool                          // sectors that the device lost come from the dump
}

// Nothing tells whether the device has all that the dump would give it.
func (p *Restore) Nothing() bool { return len(p.Copies) == 0 && p.Sectors == 0 }

// PlanRestore decides how the dump goes back to a device of size bytes, by what the device still says. unchanged is
// the operator's word that no node served the store since the dump was made. lineage is a new random one, for Mode
// Uncertain. Errors are *Refusal, or those of reading.
func PlanRestore(d *Dump, r io.ReaderAt, size uint64, unchanged bool, lineage pool.UUID) (*Restore, error) {
	p := &Restore{dump: d, Unchanged: unchanged}
	if pool.UsableSize(size) != d.Header.StoreSize {
		return nil, refuse("the dump is of a store of %d bytes, the device has %d", d.Header.StoreSize, pool.UsableSize(size))
	}
	now, err := readSuperblocks(r, size)
	if err != nil {
		return nil, err
	}
	if p.Proven, err = d.sameGeneration(now); err != nil {
		return nil, err
	}
	found, err := p.compareMap(r)
	if err != nil {
		return nil, err
	}
	if unchanged && found.differ > 0 {
		return nil, refuse("the store went on after the dump was made: %d sectors of its map are valid and differ, the first is %d", found.differ, found.first)
	}
	p.trust = unchanged || p.Proven && d.Header.Clean
	if !p.Proven && !unchanged {
		p.Mode = Uncertain
	}
	if err := p.chooseCopies(now, lineage); err != nil {
		return nil, err
	}
	return p, p.eachBlock(r, func(_ uint64, _ []byte, changed, allDirty uint32) error {
		p.Sectors += changed
		p.AllDirty += allDirty
		return nil
	})
}

// sameGeneration tells whether the superblocks on the device are those of the dump. Without a valid one nobody knows;
// one of another store, or of another moment, is refused: it is worth more than the dump.
func (d *Dump) sameGeneration(now *Store) (proven bool, err error) {
	dumped := d.Store.Superblock
	for i, c := range now.Copies {
		if c.Err != nil {
			if errors.Is(c.Err, pool.ErrVersion) {
				return false, refuse("superblock copy %d was written by a newer version: %v", i, c.Err)
			}
			continue
		}
		sb := c.Superblock
		switch {
		case sb.Pool != dumped.Pool || sb.Store != dumped.Store || sb.MemberID != dumped.MemberID:
			return false, refuse("the device is member %d of pool %s (%s, store %s), the dump is of member %d of pool %s (%s, store %s)",
				sb.MemberID, sb.Name, sb.Pool, sb.Store, dumped.MemberID, dumped.Name, dumped.Pool, dumped.Store)
		case bytes.Equal(c.Bytes, d.Store.Copies[i].Bytes), bytes.Equal(c.Bytes, d.Store.Copies[d.Store.Used].Bytes):
			proven = true
		default:
			return false, refuse("the store's own superblock is valid and of another moment (write %d, the dump has %d): it counts, the dump does not; "+
				"what its map lost is copied again by itself", sb.WriteSeq, dumped.WriteSeq)
		}
	}
	return proven, nil
}

// mapState is how the map on the device compares with the dump's.
type mapState struct {
	differ uint32 // valid sectors of this store that are not the dump's
	first  uint32 // of those
}

func (p *Restore) compareMap(r io.ReaderAt) (m mapState, err error) {
	sb := p.dump.Store.Superblock
	old := make([]byte, pool.MapSector)
	for index, found := range sectors(r, sb.MapOff, sb.MapLen) {
		if found.bytes == nil {
			continue
		}
		if checkSector(found.bytes, index, sb) == nil {
			if err := p.dump.sector(old, index); err != nil {
				return m, err
			}
			if bytes.Equal(found.bytes, old) || checkSector(old, index, sb) != nil { // damage in the dump says nothing
				continue
			}
			if m.differ == 0 {
				m.first = index
			}
			m.differ++
			continue
		}
		// A whole sector of another store in its place: the superblocks that are gone were that store's.
		tag := binary.LittleEndian.Uint32(found.bytes[8:])
		if _, err := pool.DecodeMapSector(found.bytes, index, tag); err == nil && tag != pool.MapTag(sb.Store) && !p.Proven {
			return m, refuse("map sector %d on the device is of another store (tag %#x, the dump has %#x)", index, tag, pool.MapTag(sb.Store))
		}
	}
	return m, nil
}

// sector reads a sector of the dump's map.
func (d *Dump) sector(b []byte, index uint32) error {
	if _, err := d.device.ReadAt(b, int64(d.Store.sectorOffset(index))); err != nil {
		return fmt.Errorf("read dump: map sector %d: %w", index, err)
	}
	return nil
}

// chooseCopies decides what becomes of the two superblock copies.
func (p *Restore) chooseCopies(now *Store, lineage pool.UUID) error {
	var stranger []byte
	if p.Mode == Uncertain {
		var err error
		if stranger, err = p.dump.stranger(lineage); err != nil {
			return err
		}
	}
	for i, c := range now.Copies {
		old := p.dump.Store.Copies[i]
		switch {
		case p.Mode == Uncertain:
			p.sb[i] = stranger
		case c.Err == nil:
			continue
		case old.Err == nil:
			p.sb[i] = old.Bytes
		default: // the dump was made of a damaged copy
			p.sb[i] = p.dump.Store.Copies[p.dump.Store.Used].Bytes
		}
		p.Copies = append(p.Copies, i)
	}
	return nil
}

// stranger is the superblock of a store that knows nothing: all data members are required for an attach, so that alone
// it is never enough unless there is no other; the new lineage makes it a split brain beside another member (R2.15);
// and it is neither clean nor unused.
func (d *Dump) stranger(lineage pool.UUID) ([]byte, error) {
	sb := *d.Store.Superblock
	sb.Flags = sb.Flags&^pool.FlagClean | pool.FlagUsed
	sb.WriteSeq++
	sb.View.UpToDate, sb.View.Syncing, sb.View.Lineage = sb.DataMembers(), 0, lineage
	sb.Fill = [pool.MaxMembers]uint32{} // every bit is in the map
	sb.Room = 0                         // what lies behind the pool may have been data since
	b, err := sb.Encode()
	if err != nil {
		return nil, fmt.Errorf("superblock of the restored store: %w", err)
	}
	return b, nil
}

// allDirty is a sector whose chunks are marked for every data member and have a write intent.
func (d *Dump) allDirty(index uint32) []byte {
	sb := d.Store.Superblock
	image := pool.MapSectorImage{Index: index, Tag: pool.MapTag(sb.Store)}
	for i := range sectorChunks(sb.Chunks(), index) {
		image.Chunks[i] = uint8(sb.DataMembers().With(int(sb.MemberID)))
	}
	return image.Encode()
}

// next puts the new content of a sector into b, which holds the dump's, and tells whether it became all dirty. found
// is the device's.
func (p *Restore) next(b []byte, index uint32, found sector) (allDirty bool) {
	sb := p.dump.Store.Superblock
	switch {
	case p.Mode == Uncertain:
	case found.bytes != nil && checkSector(found.bytes, index, sb) == nil:
		copy(b, found.bytes)
		return false
	case p.trust && checkSector(b, index, sb) == nil:
		return false
	}
	copy(b, p.dump.allDirty(index))
	return sectorChunks(sb.Chunks(), index) > 0
}

// eachBlock calls f for each metadata block of the map that has to be written, with its place on the device, its new
// bytes, and how many of its sectors change and become all dirty.
func (p *Restore) eachBlock(r io.ReaderAt, f func(off uint64, b []byte, changed, allDirty uint32) error) error {
	sb := p.dump.Store.Superblock
	block := make([]byte, pool.MDBlock)
	var changed, allDirty uint32
	for index, found := range sectors(r, sb.MapOff, sb.MapLen) {
		part := index % pool.MapBlockSectors
		b := block[part*pool.MapSector:][:pool.MapSector]
		if err := p.dump.sector(b, index); err != nil {
			return err
		}
		dirty := p.next(b, index, found)
		if found.bytes == nil || !bytes.Equal(b, found.bytes) {
			changed++
			if dirty {
				allDirty++
			}
		}
		if part < pool.MapBlockSectors-1 {
			continue
		}
		if changed > 0 {
			if err := f(sb.MapOff+uint64(index-part)*pool.MapSector, block, changed, allDirty); err != nil {
				return err
			}
		}
		changed, allDirty = 0, 0
	}
	return nil
}

// Apply writes: the map, made stable, then the superblocks, so that a restore that is cut short leaves no superblock
// over a map that is not there. Then everything is read again and compared.
func (p *Restore) Apply(dev Device) error {
	err := p.eachBlock(dev, func(off uint64, b []byte, _, _ uint32) error { return put(dev, "map", b, off) })
	if err != nil {
		return err
	}
	if err := dev.Sync(); err != nil {
		return fmt.Errorf("flush the map: %w", err)
	}
	for _, i := range p.Copies {
		if err := put(dev, fmt.Sprintf("superblock copy %d", i), p.sb[i], p.dump.Store.Copies[i].Offset); err != nil {
			return err
		}
	}
	if err := dev.Sync(); err != nil {
		return fmt.Errorf("flush the superblocks: %w", err)
	}
	return p.verify(dev)
}

func put(dev Device, what string, b []byte, off uint64) error {
	if _, err := dev.WriteAt(b, int64(off)); err != nil {
		return fmt.Errorf("write %s at byte %d: %w", what, off, err)
	}
	return nil
}

// verify reads what was written.
func (p *Restore) verify(dev Device) error {
	b := make([]byte, pool.SuperblockSize)
	for _, i := range p.Copies {
		off := p.dump.Store.Copies[i].Offset
		if n, err := dev.ReadAt(b, int64(off)); n < len(b) || !bytes.Equal(b, p.sb[i]) {
			return fmt.Errorf("superblock copy %d at byte %d does not read as it was written: %w", i, off, errors.Join(err, io.ErrShortWrite))
		}
	}
	return p.eachBlock(dev, func(off uint64, _ []byte, _, _ uint32) error {
		return fmt.Errorf("map block at byte %d does not read as it was written: %w", off, io.ErrShortWrite)
	})
}
