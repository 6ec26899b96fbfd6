// SPDX-License-Identifier: Apache-2.0

// Fuzz targets of every decoder. Each states the same promise: whatever the bytes, the decoder returns;
// what it accepts encodes to the same bytes; what it refuses is refused with a named field; and the memory it
// takes is bounded by the size of the structure, not by what its counts and lengths say.

package pool

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"testing"

	"github.com/rmr-block/rmr/internal/fuzzbound"
)

// room is the most that decoding may allocate: the value has at most twice the bytes of the structure, and
// each nested field adds its name.
func room(structure int) uint64 { return 16<<10 + 8*uint64(structure) }

func mustName(t *testing.T, err error) {
	t.Helper()
	var fe *FieldError
	if !errors.As(err, &fe) || fe.Field == "" || fe.Struct == "" || fe.Why == "" {
		t.Fatalf("refusal does not name its field: %v", err)
	}
}

func FuzzSuperblock(f *testing.F) {
	good, err := sampleSuperblock().Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good, uint64(sampleStoreSize), false)
	f.Add(good[:100], uint64(0), false)
	f.Add(make([]byte, SuperblockSize), uint64(1<<40), true)
	f.Fuzz(func(t *testing.T, b []byte, storeSize uint64, reseal bool) {
		if reseal && len(b) == SuperblockSize { // past the checksum, where the field checks are
			b = bytes.Clone(b)
			copy(b, sbMagic)
			binary.LittleEndian.PutUint32(b[sbCRCOff:], crc32.Checksum(b[:sbCRCOff], castagnoli))
		}
		var s *Superblock
		var err error
		fuzzbound.Allocates(t, room(SuperblockSize), func() { s, err = DecodeSuperblock(b, storeSize) })
		if err != nil {
			mustName(t, err)
			return
		}
		again, err := s.Encode()
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("accepted superblock does not encode to itself: %v", err)
		}
		if s.MapOff+s.MapLen > UsableSize(storeSize)-MDTail || !s.Split() && s.MapOff < s.PoolSize || s.MapLen < MapLen(s.Chunks()) {
			t.Fatalf("accepted layout does not fit: %+v", s)
		}
	})
}

func FuzzSuperblockChoice(f *testing.F) {
	sb := sampleSuperblock()
	a, _ := sb.Encode()
	sb.WriteSeq++
	b, _ := sb.Encode()
	f.Add(b, a, uint64(sampleStoreSize))
	f.Add(a, []byte{}, uint64(sampleStoreSize))
	f.Fuzz(func(t *testing.T, a, b []byte, storeSize uint64) {
		sa, ea := DecodeSuperblock(a, storeSize)
		sb, eb := DecodeSuperblock(b, storeSize)
		got, damaged, err := ChooseSuperblock([2][]byte{a, b}, storeSize)
		if (ea != nil) != (damaged&1 != 0) || (eb != nil) != (damaged&2 != 0) || (err != nil) != (ea != nil && eb != nil) {
			t.Fatalf("damaged %b, errors %v / %v, choice %v", damaged, ea, eb, err)
		}
		if err != nil {
			mustName(t, err)
			return
		}
		for _, s := range []*Superblock{sa, sb} {
			if s != nil && s.WriteSeq > got.WriteSeq {
				t.Fatalf("chose write %d over %d", got.WriteSeq, s.WriteSeq)
			}
		}
	})
}

func FuzzMapSector(f *testing.F) {
	s := MapSectorImage{Index: 3, Tag: 0x0f080108}
	s.Chunks[0], s.Chunks[MapSectorChunks-1] = 0xff, 1
	f.Add(s.Encode(), uint32(3), s.Tag, false)
	f.Add([]byte("RRMP"), uint32(0), uint32(0), true)
	f.Fuzz(func(t *testing.T, b []byte, index, tag uint32, reseal bool) {
		if reseal && len(b) == MapSector {
			b = bytes.Clone(b)
			binary.LittleEndian.PutUint32(b, mapMagic)
			binary.LittleEndian.PutUint32(b[mapSectorCRC:], mapSectorSum(b))
		}
		var s *MapSectorImage
		var err error
		fuzzbound.Allocates(t, room(MapSector), func() { s, err = DecodeMapSector(b, index, tag) })
		if err != nil {
			mustName(t, err)
			return
		}
		if !bytes.Equal(s.Encode(), b) || s.Index != index || s.Tag != tag {
			t.Fatal("accepted sector does not encode to itself")
		}
	})
}

func FuzzMessage(f *testing.F) {
	for _, m := range sampleMessages() {
		b, err := EncodeMessage(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var m Message
		var err error
		fuzzbound.Allocates(t, room(MsgMax), func() { m, err = DecodeMessage(b) })
		if err != nil {
			mustName(t, err)
			return
		}
		again, err := EncodeMessage(m)
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("accepted message does not encode to itself: %v", err)
		}
		if io, ok := m.(*IO); ok && io.Offset+uint64(io.Length) > PoolSizeMax {
			t.Fatalf("accepted range %d+%d", io.Offset, io.Length)
		}
	})
}

func FuzzHelloReply(f *testing.F) {
	b, err := sampleHelloReply().Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		var r *HelloReply
		var err error
		fuzzbound.Allocates(t, room(helloReplySize), func() { r, err = DecodeHelloReply(b) })
		if err != nil {
			mustName(t, err)
			return
		}
		if again, err := r.Encode(); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("accepted reply does not encode to itself: %v", err)
		}
	})
}

func FuzzPoolReply(f *testing.F) {
	b, err := samplePoolReply().Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		var r *PoolReply
		var err error
		fuzzbound.Allocates(t, room(poolReplySize), func() { r, err = DecodePoolReply(b) })
		if err != nil {
			mustName(t, err)
			return
		}
		if again, err := r.Encode(); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("accepted reply does not encode to itself: %v", err)
		}
	})
}

func FuzzRecoveryReplies(f *testing.F) {
	for _, r := range []encoder{sampleKeepaliveReply(), sampleMapReply(), sampleListReply(), sampleFineReply(), sampleDigestReply()} {
		b, err := r.Encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for kind, decode := range recoveryReplies() {
			var again []byte
			var err error
			// The encoded copy counts too.
			fuzzbound.Allocates(t, 3*room(mapReplySize), func() { _, again, err = decode(b) })
			if err != nil {
				mustName(t, err)
				continue
			}
			if !bytes.Equal(again, b) {
				t.Fatalf("accepted %s does not encode to itself", kind)
			}
		}
	})
}
