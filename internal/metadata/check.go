// SPDX-License-Identifier: Apache-2.0

// This file owns what is wrong with a store's metadata: the findings, how bad each is, and what to do.

package metadata

import (
	"errors"
	"fmt"

	"github.com/rmr-block/rmr/pkg/pool"
)

// Severity of a finding.
type Severity int

// Severities, from harmless to worst.
const (
	Note       Severity = iota // worth knowing, nothing is wrong
	Repairable                 // the product goes on and repairs it; until then a safeguard or time is lost
	Broken                     // the product refuses the store, or must not be trusted with it
)

// String names the severity as reports do.
func (s Severity) String() string { return [...]string{"note", "repairable", "broken"}[s] }

// MarshalText gives the words of String.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Finding is one thing that Check has to say.
type Finding struct {
	Severity Severity `json:"severity"`
	Object   string   `json:"object"` // "superblock copy 1", "map sector 12", "view"
	Offset   uint64   `json:"offset"` // bytes from the start of the device
	Length   uint64   `json:"length"` // bytes
	Field    string   `json:"field"`  // as docs/formats.md names it, "" if it is about more than one
	Problem  string   `json:"problem"`
	Todo     string   `json:"todo"`
}

// Check judges the metadata of a store: copies and map sectors that were refused, and what single structures cannot
// show: copies against each other, the view against the flags, the map against the member table. In the order of their
// objects.
func Check(s *Store) []Finding {
	var list []Finding
	for i := range s.Copies {
		if s.Copies[i].Err != nil {
			list = append(list, s.badCopy(i))
		}
	}
	if s.Superblock == nil {
		return list
	}
	list = append(list, s.checkPair()...)
	list = append(list, s.checkTable()...)
	list = append(list, s.checkView()...)
	for _, f := range s.Faults {
		list = append(list, badSectors(f))
	}
	return append(list, s.checkBits()...)
}

// field is the field that a decoder refused, or "".
func field(err error) string {
	var fe *pool.FieldError
	if errors.As(err, &fe) {
		return fe.Field
	}
	return ""
}

func (s *Store) badCopy(number int) Finding {
	c := s.Copies[number]
	f := Finding{
		Severity: Repairable, Object: fmt.Sprintf("superblock copy %d", number), Offset: c.Offset, Length: pool.SuperblockSize,
		Field: field(c.Err), Problem: c.Err.Error(), Todo: "assemble the pool, the next change writes both copies; look at the disk",
	}
	switch {
	case s.Superblock == nil:
		f.Severity = Broken
		f.Todo = "was the size of the device changed? otherwise restore a dump (rmrctl disk restore-md) or make the store anew"
	case errors.Is(c.Err, pool.ErrVersion):
		f.Severity, f.Todo = Broken, "written by a newer version: use that version"
	}
	return f
}

// checkPair compares two valid copies.
func (s *Store) checkPair() []Finding {
	a, b := s.Copies[0], s.Copies[1]
	if a.Err != nil || b.Err != nil {
		return nil
	}
	older, newer := a, b
	if a.Superblock.WriteSeq > b.Superblock.WriteSeq {
		older, newer = b, a
	}
	f := Finding{Object: fmt.Sprintf("superblock copy %d", older.Number), Offset: older.Offset, Length: pool.SuperblockSize}
	old, now := older.Superblock, newer.Superblock
	switch {
	case old.Pool != now.Pool || old.Store != now.Store || old.MemberID != now.MemberID:
		f.Severity, f.Problem = Broken, "is of another store than the other copy"
		f.Todo = "find out which store this is; do not assemble it"
	case old.WriteSeq == now.WriteSeq && string(a.Bytes) != string(b.Bytes):
		f.Severity, f.Field, f.Problem = Broken, "write_seq", fmt.Sprintf("both copies are write %d and differ", now.WriteSeq)
		f.Todo = "two programs wrote this store; do not assemble it"
	case now.Promised.Compare(old.Promised) < 0 || now.View.Compare(old.View) < 0 || now.TableVersion < old.TableVersion:
		f.Severity, f.Problem = Broken, "has a newer promise, view or member table than the newer write"
		f.Todo = "two programs wrote this store; do not assemble it"
	case old.WriteSeq < now.WriteSeq:
		f.Severity, f.Field = Repairable, "write_seq"
		f.Problem = fmt.Sprintf("is write %d, the other copy %d: a write ended between the copies", old.WriteSeq, now.WriteSeq)
		f.Todo = "assemble the pool, the next change writes both copies"
	default:
		return nil
	}
	return []Finding{f}
}

// about makes a finding on the superblock in use.
func (s *Store) about(severity Severity, object, field, todo, format string, args ...any) Finding {
	return Finding{
		Severity: severity, Object: object, Offset: s.Copies[s.Used].Offset, Length: pool.SuperblockSize, Field: field,
		Problem: fmt.Sprintf(format, args...), Todo: todo,
	}
}

func (s *Store) checkTable() (list []Finding) {
	sb := s.Superblock
	seen := map[pool.UUID]int{}
	for id, m := range sb.Members {
		if m.State == pool.MemberNone {
			continue
		}
		field := fmt.Sprintf("member[%d]", id)
		if first, twice := seen[m.Store]; twice {
			list = append(list, s.about(Broken, "member table", field+".store_uuid", "do not assemble it; look at the other members' tables",
				"member %d has the store of member %d", id, first))
		}
		seen[m.Store] = id
		if m.Addrs == [pool.MemberAddrs]string{} {
			list = append(list, s.about(Note, "member table", field+".addr", "clients and peers cannot find it", "member %d has no address", id))
		}
	}
	if !sb.Writable() {
		list = append(list, s.about(Broken, "superblock", "feat_ro", "use the version that wrote it", "feature %#x is not known here: the store can only be read", sb.FeatRO))
	}
	return list
}

func (s *Store) checkView() (list []Finding) {
	sb, self := s.Superblock, int(s.Superblock.MemberID)
	if sb.View.Number != 0 && sb.View.Lineage.IsZero() {
		list = append(list, s.about(Broken, "view", "view.lineage", "do not assemble it; look at the other members' views", "a numbered view without a lineage"))
	}
	if sb.Flags&pool.FlagUsed != 0 && sb.Promised.IsZero() {
		list = append(list, s.about(Broken, "view", "promised", "do not assemble it; look at the other members' epochs", "used by a client, and no epoch was promised"))
	}
	if sb.DataMembers().Has(self) && !sb.View.Active().Has(self) {
		list = append(list, s.about(Note, "view", "view.up_to_date", "it returns by itself when a client has the pool mapped", "member %d is not active in its own view", self))
	}
	return list
}

func badSectors(f Fault) Finding {
	object := fmt.Sprintf("map sector %d", f.First)
	if f.Last > f.First {
		object = fmt.Sprintf("map sectors %d to %d", f.First, f.Last)
	}
	x := Finding{
		Severity: Repairable, Object: object, Offset: f.Offset, Length: uint64(f.Last-f.First+1) * pool.MapSector,
		Field: field(f.Err), Problem: f.Err.Error(),
		Todo: fmt.Sprintf("its %d chunks count as dirty for every member and are copied again; look at the disk", f.Chunks),
	}
	if f.Chunks == 0 {
		x.Todo = "holds no chunk; the next write of its block repairs it; look at the disk"
	}
	return x
}

// checkBits holds the map against the superblock. Damaged sectors count as all dirty and are left out: they have their
// own finding.
func (s *Store) checkBits() (list []Finding) {
	sb := s.Superblock
	var counts [pool.MaxMembers]uint64
	for chunk, bits := range s.Map.Dirty(0xff) {
		if s.damaged(uint32(chunk / pool.MapSectorChunks)) {
			continue
		}
		for id := range bits.All() {
			counts[id]++
		}
	}
	note := func(field, todo, format string, args ...any) {
		list = append(list, Finding{
			Severity: Note, Object: "map", Offset: sb.MapOff, Length: sb.MapLen, Field: field, Problem: fmt.Sprintf(format, args...), Todo: todo,
		})
	}
	for id, fill := range sb.Fill {
		if fill != 0 {
			list = append(list, s.about(Note, "superblock", fmt.Sprintf("fill[%d]", id), "it ends when the member has copied them",
				"all chunks from map sector %d on count as marked for member %d, whatever the map says", fill-1, id))
		}
	}
	self := int(sb.MemberID)
	for id, n := range counts {
		switch {
		case n == 0:
		case id == self && sb.Flags&pool.FlagClean != 0:
			note("", "they are settled at the next attach", "%d chunks have a write intent though the store was detached cleanly", n)
		case id == self:
		case !sb.DataMembers().Has(id):
			note("", "nobody copies for them; harmless", "%d chunks are marked for slot %d, which holds no data", n, id)
		case sb.View.UpToDate.Has(id) && sb.View.UpToDate.Has(self):
			note("", "writes that were not acknowledged; the next attach settles them",
				"%d chunks are marked for member %d, which the view says is up to date", n, id)
		}
	}
	return list
}
