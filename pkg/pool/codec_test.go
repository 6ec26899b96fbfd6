// SPDX-License-Identifier: Apache-2.0

// Hostile input: truncated, bit-flipped, oversized, of another version. Each must be refused with the
// field named, or be harmless; none may allocate more than the decoded value.

package pool

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"runtime"
	"testing"
)

// decoders is every decoder with a good input.
func decoders(t *testing.T) map[string]struct {
	good   []byte
	decode func([]byte) error
} {
	t.Helper()
	must := func(b []byte, err error) []byte {
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	type entry = struct {
		good   []byte
		decode func([]byte) error
	}
	sector := MapSectorImage{Index: 3, Tag: 7}
	all := map[string]entry{
		"superblock":  {must(sampleSuperblock().Encode()), func(b []byte) error { _, err := DecodeSuperblock(b, sampleStoreSize); return err }},
		"map sector":  {sector.Encode(), func(b []byte) error { _, err := DecodeMapSector(b, 3, 7); return err }},
		"hello reply": {must(sampleHelloReply().Encode()), func(b []byte) error { _, err := DecodeHelloReply(b); return err }},
		"pool reply":  {must(samplePoolReply().Encode()), func(b []byte) error { _, err := DecodePoolReply(b); return err }},
	}
	for name, r := range map[string]encoder{
		"rmr_rsp_keepalive": sampleKeepaliveReply(), "rmr_rsp_map_pull": sampleMapReply(),
		"rmr_rsp_list": sampleListReply(), "rmr_rsp_fine": sampleFineReply(), "rmr_rsp_digest": sampleDigestReply(),
	} {
		decode := recoveryReplies()[name]
		all[name] = entry{must(r.Encode()), func(b []byte) error { _, _, err := decode(b); return err }}
	}
	for name, m := range sampleMessages() {
		all[name] = entry{must(EncodeMessage(m)), func(b []byte) error { _, err := DecodeMessage(b); return err }}
	}
	return all
}

func TestWrongLengthIsRefusedAtEveryLength(t *testing.T) {
	for name, d := range decoders(t) {
		if err := d.decode(d.good); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for n := range d.good {
			if err := d.decode(d.good[:n]); !errors.Is(err, ErrLength) {
				t.Fatalf("%s cut to %d bytes: %v", name, n, err)
			}
		}
		if err := d.decode(append(d.good[:len(d.good):len(d.good)], 0)); !errors.Is(err, ErrLength) {
			t.Errorf("%s one byte too long: %v", name, err)
		}
		if err := d.decode(make([]byte, 1<<20)); err == nil {
			t.Errorf("%s: a megabyte of zeros was accepted", name)
		}
	}
}

func TestEveryFlippedBitOfADiskStructureIsNoticed(t *testing.T) {
	for _, name := range []string{"superblock", "map sector"} {
		d := decoders(t)[name]
		for bit := range len(d.good) * 8 {
			b := append([]byte{}, d.good...)
			b[bit/8] ^= 1 << (bit % 8)
			if err := d.decode(b); !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrNotOurs) {
				t.Fatalf("%s with bit %d flipped: %v", name, bit, err)
			}
		}
	}
}

func TestFlippedBitOfAMessageIsRefusedByNameOrDecodesToItself(t *testing.T) {
	for name, m := range sampleMessages() {
		good, _ := EncodeMessage(m)
		for bit := range len(good) * 8 {
			b := append([]byte{}, good...)
			b[bit/8] ^= 1 << (bit % 8)
			got, err := DecodeMessage(b)
			if err != nil {
				mustName(t, err)
				continue
			}
			if again, err := EncodeMessage(got); err != nil || string(again) != string(b) {
				t.Fatalf("%s with bit %d flipped: %v", name, bit, err)
			}
		}
	}
}

// reseal changes a superblock behind its checksum.
func reseal(b []byte, change func([]byte)) []byte {
	b = append([]byte{}, b...)
	change(b)
	binary.LittleEndian.PutUint32(b[sbCRCOff:], crc32.Checksum(b[:sbCRCOff], castagnoli))
	return b
}

func TestBadSuperblockFieldIsNamed(t *testing.T) {
	good, _ := sampleSuperblock().Encode()
	le := binary.LittleEndian
	cases := []struct {
		field  string
		class  error
		change func(b []byte)
	}{
		{"magic", ErrNotOurs, func(b []byte) { b[0] = 'X' }},
		{"version", ErrVersion, func(b []byte) { b[8] = 2 }},
		{"feat_incompat", ErrVersion, func(b []byte) { b[24] = 2 }},
		{"flags", ErrInvalid, func(b []byte) { b[15] = 1 }},
		{"write_seq", ErrInvalid, func(b []byte) { le.PutUint64(b[40:], 0) }},
		{"pool_uuid", ErrInvalid, func(b []byte) { clear(b[48:64]) }},
		{"pool_name", ErrInvalid, func(b []byte) { b[80] = '/' }},
		{"pool_name", ErrInvalid, func(b []byte) { b[100] = 'x' }},
		{"pool_size", ErrInvalid, func(b []byte) { le.PutUint64(b[144:], 1<<63) }},
		{"pool_size", ErrInvalid, func(b []byte) { le.PutUint64(b[144:], 4097) }},
		{"chunk_size", ErrInvalid, func(b []byte) { le.PutUint32(b[152:], 1<<15) }},
		{"member_id", ErrInvalid, func(b []byte) { b[156] = 8 }},
		{"member_id", ErrInvalid, func(b []byte) { b[156] = 5 }},
		{"map_off", ErrInvalid, func(b []byte) { le.PutUint64(b[160:], 4096) }},
		{"map_off", ErrInvalid, func(b []byte) { le.PutUint64(b[160:], ^uint64(4095)) }},
		{"map_len", ErrInvalid, func(b []byte) { le.PutUint64(b[168:], 0) }},
		{"map_len", ErrInvalid, func(b []byte) { le.PutUint64(b[168:], ^uint64(4095)) }},
		{"store_size", ErrInvalid, func(b []byte) { le.PutUint64(b[176:], 1<<62) }},
		{"view.up_to_date", ErrInvalid, func(b []byte) { b[232] = 0 }},
		{"view.up_to_date", ErrInvalid, func(b []byte) { b[232] |= 4 }},
		{"view.syncing", ErrInvalid, func(b []byte) { b[233] = b[232] }},
		{"view.epoch", ErrInvalid, func(b []byte) { le.PutUint64(b[208:], 99) }},
		{"view.reserved", ErrInvalid, func(b []byte) { b[235] = 1 }},
		{"member[0].state", ErrInvalid, func(b []byte) { b[512] = 3 }},
		{"member[3].state", ErrInvalid, func(b []byte) { b[512+3*224+8] = 3 }},
		{"member[1].node", ErrInvalid, func(b []byte) { b[512+224+32] = 0; b[512+224+33] = 0 }},
		{"member[0].addr[0]", ErrInvalid, func(b []byte) { b[512+96] = ' ' }},
		{"reserved2", ErrInvalid, func(b []byte) { b[4000] = 1 }},
	}
	for _, c := range cases {
		_, err := DecodeSuperblock(reseal(good, c.change), sampleStoreSize)
		var fe *FieldError
		if !errors.As(err, &fe) || fe.Field != c.field || !errors.Is(err, c.class) {
			t.Errorf("want %s refused, got %v", c.field, err)
		}
	}
}

func TestDecodersAllocateNoMoreThanTheirValue(t *testing.T) {
	for name, d := range decoders(t) {
		huge := make([]byte, 1<<16)
		if n := allocated(func() { _ = d.decode(huge) }); n > 2048 {
			t.Errorf("%s: %d bytes allocated to refuse 64 KiB", name, n)
		}
		if n := allocated(func() { _ = d.decode(d.good) }); n > uint64(4*len(d.good)+4096) {
			t.Errorf("%s: %d bytes allocated for %d bytes of input", name, n, len(d.good))
		}
	}
}

// allocated is the number of bytes that one call of fn allocates, on average.
func allocated(fn func()) uint64 {
	const runs = 50
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		fn()
	}
	runtime.ReadMemStats(&after)
	return (after.TotalAlloc - before.TotalAlloc) / runs
}

func TestNewerValidCopyWinsOverADamagedOne(t *testing.T) {
	s := sampleSuperblock()
	older, _ := s.Encode()
	s.WriteSeq++
	newer, _ := s.Encode()
	torn := append(append([]byte{}, newer[:512]...), older[512:]...)
	for i, c := range []struct {
		copies  [2][]byte
		seq     uint64
		damaged uint8
		err     error
	}{
		{[2][]byte{newer, older}, 44, 0, nil},
		{[2][]byte{older, newer}, 44, 0, nil},
		{[2][]byte{torn, older}, 43, 1, nil},
		{[2][]byte{older, nil}, 43, 2, nil},
		{[2][]byte{torn, make([]byte, 4096)}, 0, 3, ErrDamaged},
		{[2][]byte{make([]byte, 4096), torn}, 0, 3, ErrDamaged},
		{[2][]byte{make([]byte, 4096), make([]byte, 4096)}, 0, 3, ErrNotOurs},
	} {
		got, damaged, err := ChooseSuperblock(c.copies, sampleStoreSize)
		if damaged != c.damaged || !errors.Is(err, c.err) || c.err == nil && (err != nil || got.WriteSeq != c.seq) {
			t.Errorf("case %d: %v damaged %b, %v", i, got, damaged, err)
		}
	}
}

func ExampleDecodeSuperblock() {
	b := make([]byte, SuperblockSize) // read from the end of a device of 1 GiB
	_, err := DecodeSuperblock(b, 1<<30)
	fmt.Println(err, errors.Is(err, ErrNotOurs))
	// Output: decode superblock: rmr_sb.magic: no superblock (0x0) true
}

func ExampleDecodeMessage() {
	b, _ := EncodeMessage(&Keepalive{Header: Header{Handle: 7}, Epoch: Epoch{Seq: 2, Client: 9}, View: 3, CompletedBelow: 12})
	m, err := DecodeMessage(b)
	fmt.Println(len(b), m.MsgType(), m.(*Keepalive).CompletedBelow, err)
	b[2] = 9
	_, err = DecodeMessage(b)
	fmt.Println(err)
	// Output:
	// 64 KEEPALIVE 12 <nil>
	// decode message: rmr_msg_hdr.hdr.major: unknown protocol version (0x9)
}

func ExampleMakePlan() {
	p, err := MakePlan(Spec{Name: "vol1", Members: []NewMember{{Node: "stor1", StoreSize: 10 << 30}, {Node: "stor2", StoreSize: 11 << 30}}})
	fmt.Println(p.Size, p.Chunks, p.MapLen, err)
	// Output: 10737274880 10240 12288 <nil>
}
