// SPDX-License-Identifier: Apache-2.0

// This file owns the dump: a file with the exact bytes of a store's metadata and what they are. docs/formats.md has the
// format under "Dump of a store's metadata".
//
//	one line of JSON             the header, at most 4096 bytes
//	bytes                        the sections, as long and in the order as the header says
//	64 hex digits and a newline  SHA-256 of everything before
//
// The header repeats what the sections say, for people and other programs; a dump whose header and sections differ is
// refused.

package metadata

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"time"

	"github.com/rmr-block/rmr/pkg/pool"
)

const (
	dumpFormat  = "rmr-metadata"
	dumpVersion = 1
	headerMax   = 4096
	trailerLen  = 2*sha256.Size + 1
)

// ErrDump: a file is no dump that this code can use; the text says why.
var ErrDump = errors.New("not a usable dump")

// Section is a part of the device that a dump holds.
type Section struct {
	Name   string `json:"name"`
	Offset uint64 `json:"offset"` // bytes from the start of the device
	Length uint64 `json:"length"` // bytes
}

// Header is the first line of a dump.
type Header struct {
	Format     string    `json:"format"`
	Version    int       `json:"version"`
	Made       int64     `json:"made"` // seconds since 1970, UTC
	PoolUUID   pool.UUID `json:"pool_uuid"`
	PoolName   string    `json:"pool_name"`
	StoreUUID  pool.UUID `json:"store_uuid"`
	MemberID   uint8     `json:"member_id"`
	WriteSeq   uint64    `json:"write_seq"` // of the superblock that counts
	Clean      bool      `json:"clean"`     // detached cleanly
	DeviceSize uint64    `json:"device_size"`
	StoreSize  uint64    `json:"store_size"` // bytes, usable part of the device
	Sections   []Section `json:"sections"`
}

// header describes a store that has a superblock.
func (s *Store) header(made int64) Header {
	sb := s.Superblock
	h := Header{
		Format: dumpFormat, Version: dumpVersion, Made: made, PoolUUID: sb.Pool, PoolName: sb.Name, StoreUUID: sb.Store,
		MemberID: sb.MemberID, WriteSeq: sb.WriteSeq, Clean: sb.Flags&pool.FlagClean != 0, DeviceSize: s.Size, StoreSize: sb.StoreSize,
	}
	for i, c := range s.Copies {
		h.Sections = append(h.Sections, Section{fmt.Sprintf("superblock copy %d", i), c.Offset, pool.SuperblockSize})
	}
	h.Sections = append(h.Sections, Section{"map", sb.MapOff, sb.MapLen})
	return h
}

// WriteDump writes the dump of a store, which must not change meanwhile. It refuses what has no valid superblock.
func WriteDump(w io.Writer, r io.ReaderAt, size uint64, made time.Time) (*Header, error) {
	s, err := readSuperblocks(r, size)
	if err != nil {
		return nil, err
	}
	if s.Err != nil {
		return nil, s.Err
	}
	h := s.header(made.Unix())
	line, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("encode header: %w", err)
	}
	sum := sha256.New()
	out := io.MultiWriter(w, sum)
	if _, err := out.Write(append(line, '\n')); err != nil {
		return nil, err
	}
	for _, part := range h.Sections {
		n, err := io.Copy(out, io.NewSectionReader(r, int64(part.Offset), int64(part.Length)))
		if err == nil && uint64(n) < part.Length {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return nil, fmt.Errorf("%s: byte %d: %w", part.Name, part.Offset+uint64(n), err)
		}
	}
	_, err = fmt.Fprintf(w, "%x\n", sum.Sum(nil))
	return &h, err
}

// Dump is a dump that was read and found whole: header, sections and checksum agree.
type Dump struct {
	Header Header
	Store  *Store // the metadata as it was on the device
	device dumpDevice
}

// dumpDevice reads the sections of a dump at the places where they were on the device.
type dumpDevice struct {
	file  io.ReaderAt
	start uint64 // of the first section in the file
	parts []Section
}

// ReadAt reads bytes of the device; a range that is not inside one section is io.EOF.
func (d dumpDevice) ReadAt(b []byte, off int64) (int, error) {
	at := d.start
	for _, p := range d.parts {
		if from := uint64(off) - p.Offset; uint64(off) >= p.Offset && from <= p.Length && p.Length-from >= uint64(len(b)) {
			return d.file.ReadAt(b, int64(at+from))
		}
		at += p.Length
	}
	return 0, io.EOF
}

func badDump(format string, args ...any) error {
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), ErrDump)
}

// ReadDump reads a dump of size bytes. Nothing of it is believed before the checksum and the structures agree. Errors
// match ErrDump and name what was refused, or are those of reading.
func ReadDump(r io.ReaderAt, size int64) (*Dump, error) {
	d := &Dump{}
	start, err := d.readHeader(r, size)
	if err != nil {
		return nil, err
	}
	d.device = dumpDevice{r, start, d.Header.Sections}
	if err := d.checkSections(uint64(size) - start); err != nil {
		return nil, err
	}
	if err := checkSum(r, size); err != nil {
		return nil, err
	}
	s, err := readSuperblocks(d.device, d.Header.DeviceSize)
	if err == nil {
		err = s.Err
	}
	if err != nil {
		return nil, badDump("%v", err)
	}
	if !reflect.DeepEqual(s.header(d.Header.Made), d.Header) {
		return nil, badDump("header: says something else than the superblock")
	}
	s.readMap(d.device)
	d.Store = s
	return d, nil
}

// readHeader reads the first line and returns where the sections start.
func (d *Dump) readHeader(r io.ReaderAt, size int64) (start uint64, err error) {
	line := make([]byte, min(headerMax, max(size, 0)))
	if n, err := r.ReadAt(line, 0); n < len(line) {
		return 0, fmt.Errorf("read header: %w", err)
	}
	end := bytes.IndexByte(line, '\n')
	if end < 0 {
		return 0, badDump("header: no line of JSON at the start")
	}
	var kind struct {
		Format  string `json:"format"`
		Version int    `json:"version"`
	}
	if err := json.Unmarshal(line[:end], &kind); err != nil || kind.Format != dumpFormat {
		return 0, badDump("header: format: not %q", dumpFormat)
	}
	if kind.Version != dumpVersion {
		return 0, badDump("header: version: %d, this program reads %d", kind.Version, dumpVersion)
	}
	decoder := json.NewDecoder(bytes.NewReader(line[:end]))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&d.Header); err != nil {
		return 0, badDump("header: %v", err)
	}
	return uint64(end) + 1, nil
}

// checkSections holds the lengths against the size of the file, rest bytes behind the header, before anything is read
// by them.
func (d *Dump) checkSections(rest uint64) error {
	parts := d.Header.Sections
	if len(parts) != pool.SuperblockCopies+1 {
		return badDump("header: sections: %d, not %d", len(parts), pool.SuperblockCopies+1)
	}
	for _, p := range parts {
		if p.Length > rest {
			return badDump("header: sections: %q is longer than the file", p.Name)
		}
		rest -= p.Length
	}
	if rest != trailerLen {
		return badDump("header: sections: the file is not as long as they say")
	}
	for i := range pool.SuperblockCopies {
		off, ok := pool.SuperblockOff(d.Header.DeviceSize, i)
		if !ok || parts[i].Offset != off || parts[i].Length != pool.SuperblockSize {
			return badDump("header: sections: %q is not where a device of %d bytes has it", parts[i].Name, d.Header.DeviceSize)
		}
	}
	return nil
}

func checkSum(r io.ReaderAt, size int64) error {
	sum := sha256.New()
	if _, err := io.Copy(sum, io.NewSectionReader(r, 0, size-trailerLen)); err != nil {
		return fmt.Errorf("read: %w", err)
	}
	trailer := make([]byte, trailerLen)
	if n, err := r.ReadAt(trailer, size-trailerLen); n < len(trailer) {
		return fmt.Errorf("read checksum: %w", err)
	}
	if string(trailer) != hex.EncodeToString(sum.Sum(nil))+"\n" {
		return badDump("checksum: does not match")
	}
	return nil
}
