// SPDX-License-Identifier: Apache-2.0

// Fixtures shared with the C core: testdata/NAME.hex holds the bytes, testdata/NAME.json what they mean or
// how they are refused. Both languages decode and re-encode them, so that neither codec can drift.

package pool

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const fixtureDir = "../../testdata/"

// fixture is the content of a .json file.
type fixture struct {
	Kind      string          `json:"kind"`                 // structure of the headers
	StoreSize uint64          `json:"store_size,omitempty"` // bytes of the store, for rmr_sb
	Index     uint32          `json:"index,omitempty"`      // of a map sector
	Tag       uint32          `json:"tag,omitempty"`        // of a map sector
	Errno     string          `json:"errno,omitempty"`      // of a refused input, as the C core names it
	Field     string          `json:"field,omitempty"`      // of a refused input
	Value     json.RawMessage `json:"value,omitempty"`      // of an accepted one
}

// errnoOf is the C core's error for a class of refusal.
func errnoOf(kind string, class error) string {
	wire := kind != "rmr_sb" && kind != "rmr_map_sector"
	switch {
	case errors.Is(class, ErrVersion):
		return "EPROTONOSUPPORT"
	case wire:
		return "EPROTO"
	case errors.Is(class, ErrNotOurs):
		return "ENODATA"
	case errors.Is(class, ErrDamaged):
		return "EBADMSG"
	}
	return "EINVAL"
}

// decodeFixture returns the decoded value and its bytes encoded anew.
func decodeFixture(f fixture, b []byte) (value any, again []byte, err error) {
	switch f.Kind {
	case "rmr_sb":
		s, err := DecodeSuperblock(b, f.StoreSize)
		if err != nil {
			return nil, nil, err
		}
		again, err = s.Encode()
		return s, again, err
	case "rmr_map_sector":
		s, err := DecodeMapSector(b, f.Index, f.Tag)
		if err != nil {
			return nil, nil, err
		}
		return s, s.Encode(), nil
	case "rmr_rsp_hello":
		r, err := DecodeHelloReply(b)
		if err != nil {
			return nil, nil, err
		}
		again, err = r.Encode()
		return r, again, err
	case "rmr_rsp_pool":
		r, err := DecodePoolReply(b)
		if err != nil {
			return nil, nil, err
		}
		again, err = r.Encode()
		return r, again, err
	}
	if decode, ok := recoveryReplies()[f.Kind]; ok {
		return decode(b)
	}
	m, err := DecodeMessage(b)
	if err != nil {
		return nil, nil, err
	}
	again, err = EncodeMessage(m)
	return m, again, err
}

type encoder interface{ Encode() ([]byte, error) }

// recoveryReplies decodes and encodes anew each reply of failure handling, asked for as the samples are.
func recoveryReplies() map[string]func([]byte) (any, []byte, error) {
	again := func(r encoder, err error) (any, []byte, error) {
		if err != nil {
			return nil, nil, err
		}
		b, err := r.Encode()
		return r, b, err
	}
	return map[string]func([]byte) (any, []byte, error){
		"rmr_rsp_keepalive": func(b []byte) (any, []byte, error) { r, err := DecodeKeepaliveReply(b); return again(r, err) },
		"rmr_rsp_map_pull":  func(b []byte) (any, []byte, error) { r, err := DecodeMapReply(b, 5000); return again(r, err) },
		"rmr_rsp_list":      func(b []byte) (any, []byte, error) { r, err := DecodeListReply(b, 300); return again(r, err) },
		"rmr_rsp_digest":    func(b []byte) (any, []byte, error) { r, err := DecodeDigestReply(b, 4095); return again(r, err) },
		"rmr_rsp_fine":      func(b []byte) (any, []byte, error) { r, err := DecodeFineReply(b, 4095); return again(r, err) },
	}
}

type newFixture struct {
	name string
	f    fixture
	b    []byte
}

func goodFixtures(t *testing.T) []newFixture {
	t.Helper()
	must := func(b []byte, err error) []byte {
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	sector := MapSectorImage{Index: 3, Tag: MapTag(sampleUUID(2))}
	sector.Chunks[0], sector.Chunks[1], sector.Chunks[MapSectorChunks-1] = 0x82, 0xff, 1
	fresh := sampleSuperblock()
	fresh.Flags, fresh.View, fresh.Promised, fresh.WriteSeq = FlagClean, View{Number: 1, UpToDate: MaskOf(0), Lineage: sampleUUID(9)}, Epoch{}, 1
	list := []newFixture{
		{"superblock", fixture{Kind: "rmr_sb", StoreSize: sampleStoreSize}, must(sampleSuperblock().Encode())},
		{"superblock-fresh", fixture{Kind: "rmr_sb", StoreSize: sampleStoreSize}, must(fresh.Encode())},
		{"superblock-witness", fixture{Kind: "rmr_sb", StoreSize: WitnessStoreSize}, must(sampleWitness().Encode())},
		{"superblock-split", fixture{Kind: "rmr_sb", StoreSize: 64 << 20}, must(sampleSplit().Encode())},
		{"map_sector", fixture{Kind: "rmr_map_sector", Index: 3, Tag: sector.Tag}, sector.Encode()},
		{"rsp_hello", fixture{Kind: "rmr_rsp_hello"}, must(sampleHelloReply().Encode())},
		{"rsp_pool", fixture{Kind: "rmr_rsp_pool"}, must(samplePoolReply().Encode())},
	}
	for kind, r := range map[string]encoder{
		"rmr_rsp_keepalive": sampleKeepaliveReply(), "rmr_rsp_map_pull": sampleMapReply(),
		"rmr_rsp_list": sampleListReply(), "rmr_rsp_fine": sampleFineReply(), "rmr_rsp_digest": sampleDigestReply(),
	} {
		list = append(list, newFixture{strings.TrimPrefix(kind, "rmr_"), fixture{Kind: kind}, must(r.Encode())})
	}
	for name, m := range sampleMessages() {
		k, _ := kindOf(m.MsgType())
		list = append(list, newFixture{"msg_" + name, fixture{Kind: k.structure}, must(EncodeMessage(m))})
	}
	return list
}

// badFixtures spoils good ones in one place each.
func badFixtures(good []newFixture) []newFixture {
	by := map[string]newFixture{}
	for _, g := range good {
		by[g.name] = g
	}
	var list []newFixture
	add := func(from, why string, change func(b []byte) []byte) {
		g := by[from]
		list = append(list, newFixture{"bad_" + from + "-" + why, g.f, change(append([]byte{}, g.b...))})
	}
	set := func(off int, v byte) func([]byte) []byte {
		return func(b []byte) []byte { b[off] = v; return b }
	}
	sealed := func(off int, v byte) func([]byte) []byte {
		return func(b []byte) []byte { return reseal(b, func(b []byte) { b[off] = v }) }
	}
	add("superblock", "short", func(b []byte) []byte { return b[:4095] })
	add("superblock", "magic", set(0, 'X'))
	add("superblock", "crc", set(4095, 0xee))
	add("superblock", "version", sealed(8, 2))
	add("superblock", "incompat", sealed(24, 2))
	add("superblock", "chunk_size", sealed(152, 1))
	add("superblock", "member_id", sealed(156, 9))
	add("superblock", "map_off", sealed(167, 0x80))
	add("superblock", "overlap", sealed(233, 0x81))
	add("superblock", "reserved", sealed(3000, 1))
	add("superblock", "data_size", sealed(290, 1))
	add("superblock", "data_label", sealed(296, 1))
	add("superblock", "room", sealed(318, 0xff))
	add("superblock-split", "data_size", sealed(292, 1))
	add("superblock-split", "room", sealed(316, 5))
	add("superblock-split", "room-small", sealed(316, 1))
	add("superblock-split", "reserved", sealed(362, 1))
	add("superblock-split", "fill", sealed(330, 1))
	add("superblock-witness", "split", sealed(24, 1))
	add("superblock-witness", "map_len", sealed(169, 1))
	add("superblock-witness", "map_off", sealed(161, 0x10))
	add("map_sector", "magic", set(0, 0))
	add("map_sector", "crc", set(100, 1))
	add("msg_io-write", "long", func(b []byte) []byte { return append(b, 0) })
	add("msg_io-write", "major", set(2, 2))
	add("msg_io-write", "type", set(0, 15))
	add("msg_io-write", "op", set(60, 5))
	add("msg_io-write", "flags", set(63, 1))
	add("msg_io-write", "reserved", set(79, 1))
	add("msg_io-read", "fua", set(62, 1))
	add("msg_io-flush", "length", set(57, 16))
	add("msg_view", "overlap", set(33, 0x81))
	add("msg_attach", "member_id", set(44, 8))
	add("msg_member_set", "state", set(56, 7))
	add("msg_member_set", "flags", set(57, 4))
	add("msg_member_set", "successor", set(58, 9))
	add("msg_member_set", "itself", set(58, 4))
	add("msg_member_set", "stays", set(57, 2))
	add("msg_member_set", "epoch", set(40, 1))
	add("msg_member_set-held", "epoch", set(40, 0))
	add("msg_member_set-held", "version", set(24, 1))
	add("msg_member_set-held", "more", set(33, 2))
	add("msg_member_set-free", "more", set(33, 1))
	add("msg_member_set-free", "flags", set(57, 1))
	add("superblock", "member", sealed(512+4*224+40, 1))
	add("superblock", "successor", sealed(512+224+2, 2))
	add("msg_pool_info-uuid", "to", set(88, 9))
	add("msg_digest", "to", set(49, 9))
	add("msg_hello", "unterminated", func(b []byte) []byte {
		for i := 24; i < 88; i++ {
			b[i] = 'a'
		}
		return b
	})
	add("rsp_pool", "busy", set(93, 2))
	add("rsp_pool", "claim_id", set(2280, 8))
	add("rsp_pool", "claim", set(2056, 0))
	add("rsp_hello", "major", set(0, 9))
	add("msg_resize", "size", set(24, 1))
	add("msg_resize", "from", set(32, 1))
	add("msg_resize", "flags", set(44, 4))
	add("msg_resize", "smaller", set(44, 0))
	add("msg_resize", "larger", set(29, 255))
	add("msg_mark", "count", set(43, 1))
	add("msg_mark", "unused", set(96, 1))
	add("msg_mark", "beyond", set(71, 1))
	add("msg_mark-reconcile", "source", set(41, 3))
	add("msg_clear", "from", set(48, 8))
	add("msg_clear", "to", set(49, 9))
	add("msg_fine", "to", set(49, 9))
	add("msg_clear", "empty", func(b []byte) []byte { clear(b[72:80]); return b })
	add("msg_resync_read", "length", set(48, 1))
	add("msg_ready", "view", set(24, 0))
	add("rsp_list", "asked", set(0, 45))
	add("rsp_list", "order", set(81, 0))
	add("rsp_map_pull", "next", set(9, 0))
	add("rsp_map_pull", "overlap", set(72, 4))
	add("rsp_fine", "known", set(8, 0))
	add("msg_digest", "count", set(52, 0))
	add("msg_digest", "behind", set(52, 97))
	add("msg_digest", "reserved", set(127, 1))
	add("rsp_digest", "count", set(11, 2))
	add("rsp_digest", "unused", set(10, 2))
	add("rsp_keepalive", "flags", set(25, 0x80))
	return list
}

func writeFixture(t *testing.T, n newFixture) {
	t.Helper()
	value, _, err := decodeFixture(n.f, n.b)
	var fe *FieldError
	if errors.As(err, &fe) {
		n.f.Errno, n.f.Field = errnoOf(n.f.Kind, fe.Class), fe.Field
	} else if n.f.Value, err = json.Marshal(value); err != nil {
		t.Fatal(err)
	}
	text, err := json.MarshalIndent(n.f, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	var lines strings.Builder
	for i := 0; i < len(n.b); i += 32 {
		fmt.Fprintln(&lines, hex.EncodeToString(n.b[i:min(i+32, len(n.b))]))
	}
	for ext, content := range map[string]string{".hex": lines.String(), ".json": string(text) + "\n"} {
		if err := os.WriteFile(fixtureDir+n.name+ext, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSharedFixturesDecodeAndEncodeAnew(t *testing.T) {
	if *update {
		good := goodFixtures(t)
		for _, n := range append(good, badFixtures(good)...) {
			writeFixture(t, n)
		}
	}
	files, err := filepath.Glob(fixtureDir + "*.hex")
	if err != nil || len(files) < 40 {
		t.Fatalf("%d fixtures, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".hex"), func(t *testing.T) { checkFixture(t, file) })
	}
}

func checkFixture(t *testing.T, file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	b, err := hex.DecodeString(strings.ReplaceAll(string(text), "\n", ""))
	if err != nil {
		t.Fatal(err)
	}
	text, err = os.ReadFile(strings.TrimSuffix(file, ".hex") + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var f fixture
	if err := json.Unmarshal(text, &f); err != nil {
		t.Fatal(err)
	}
	value, again, err := decodeFixture(f, b)
	if f.Errno != "" {
		var fe *FieldError
		if !errors.As(err, &fe) || fe.Field != f.Field || errnoOf(f.Kind, fe.Class) != f.Errno {
			t.Errorf("want %s of %s, got %v", f.Errno, f.Field, err)
		}
		return
	}
	if err != nil || !bytes.Equal(again, b) {
		t.Fatalf("does not encode to itself: %v", err)
	}
	got, err := json.Marshal(value)
	var want bytes.Buffer
	if err != nil || json.Compact(&want, f.Value) != nil || !bytes.Equal(got, want.Bytes()) {
		t.Errorf("decodes to %s\nwant %s", got, want.Bytes())
	}
}
