// SPDX-License-Identifier: Apache-2.0

// This file owns the comparison of the codecs: the fixtures both languages share, and spoiled ones.

package diff

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rmr-block/rmr/pkg/pool"
)

// fixture is a pair of files in testdata; see the tests of pkg/pool, which write them.
type fixture struct {
	Kind      string `json:"kind"`
	StoreSize uint64 `json:"store_size"`
	Index     uint32 `json:"index"`
	Tag       uint32 `json:"tag"`
	Errno     string `json:"errno"`
	Field     string `json:"field"`

	name  string
	bytes []byte
}

// errnos are the errors of the C core's checks, by the names of the fixtures.
var errnos = map[string]int{"ENODATA": -61, "EBADMSG": -74, "EPROTO": -71, "EPROTONOSUPPORT": -93, "EINVAL": -22}

// asked is the chunk that the request of a fixture named.
var asked = map[string]uint64{"rmr_rsp_map_pull": 5000, "rmr_rsp_list": 300, "rmr_rsp_fine": 4095, "rmr_rsp_digest": 4095}

func readFixtures(t *testing.T) []fixture {
	t.Helper()
	files, err := filepath.Glob(repo + "/testdata/*.hex")
	if err != nil || len(files) < 40 {
		t.Fatalf("%d fixtures, %v", len(files), err)
	}
	list := make([]fixture, len(files))
	for i, file := range files {
		f := &list[i]
		f.name = strings.TrimSuffix(filepath.Base(file), ".hex")
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if f.bytes, err = hex.DecodeString(strings.ReplaceAll(string(text), "\n", "")); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if text, err = os.ReadFile(strings.TrimSuffix(file, ".hex") + ".json"); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, f); err != nil {
			t.Fatalf("%s: %v", f.name, err)
		}
	}
	return list
}

// operation is how the driver is asked to decode and encode b as this kind of structure.
func (f *fixture) operation(b []byte) (string, []any) {
	text := hex.EncodeToString(b)
	if text == "" {
		text = "-"
	}
	switch f.Kind {
	case "rmr_sb":
		return "sb", []any{f.StoreSize, text}
	case "rmr_map_sector":
		return "sector", []any{f.Index, f.Tag, text}
	case "rmr_rsp_hello", "rmr_rsp_pool", "rmr_rsp_keepalive":
		return strings.TrimPrefix(f.Kind, "rmr_"), []any{text}
	case "rmr_rsp_map_pull", "rmr_rsp_list", "rmr_rsp_fine", "rmr_rsp_digest":
		return strings.TrimPrefix(f.Kind, "rmr_"), []any{asked[f.Kind], text}
	}
	return "msg", []any{text}
}

// TestFixturesInC: the C core accepts each good fixture and writes it again byte for byte, and refuses
// each bad one with the errno and the field that the Go package names.
func TestFixturesInC(t *testing.T) {
	c := startCore(t)
	for _, f := range readFixtures(t) {
		answer := hex.EncodeToString(f.bytes)
		if f.Errno != "" {
			answer = fmt.Sprintf("%d %s", errnos[f.Errno], plainField(f.Field))
		}
		operation, args := f.operation(f.bytes)
		c.want(answer, operation, args...)
		c.settle()
	}
}

// recode is what the Go package makes of b.
func (f *fixture) recode(b []byte) ([]byte, error) {
	switch f.Kind {
	case "rmr_sb":
		s, err := pool.DecodeSuperblock(b, f.StoreSize)
		if err != nil {
			return nil, err
		}
		return s.Encode()
	case "rmr_map_sector":
		s, err := pool.DecodeMapSector(b, f.Index, f.Tag)
		if err != nil {
			return nil, err
		}
		return s.Encode(), nil
	}
	if r, err := f.recodeReply(b); r != nil || err != nil {
		return r, err
	}
	m, err := pool.DecodeMessage(b)
	if err != nil {
		return nil, err
	}
	return pool.EncodeMessage(m)
}

// recodeReply is recode for answers; nothing and no error for other kinds.
func (f *fixture) recodeReply(b []byte) ([]byte, error) {
	var r interface{ Encode() ([]byte, error) }
	var err error
	switch f.Kind {
	case "rmr_rsp_hello":
		r, err = pool.DecodeHelloReply(b)
	case "rmr_rsp_pool":
		r, err = pool.DecodePoolReply(b)
	case "rmr_rsp_keepalive":
		r, err = pool.DecodeKeepaliveReply(b)
	case "rmr_rsp_map_pull":
		r, err = pool.DecodeMapReply(b, asked[f.Kind])
	case "rmr_rsp_list":
		r, err = pool.DecodeListReply(b, asked[f.Kind])
	case "rmr_rsp_fine":
		r, err = pool.DecodeFineReply(b, asked[f.Kind])
	case "rmr_rsp_digest":
		r, err = pool.DecodeDigestReply(b, asked[f.Kind])
	default:
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return r.Encode()
}

// errno is the C core's error for a refusal.
func (f *fixture) errno(err error) int {
	disk := f.Kind == "rmr_sb" || f.Kind == "rmr_map_sector"
	switch {
	case errors.Is(err, pool.ErrVersion):
		return errnos["EPROTONOSUPPORT"]
	case !disk:
		return errnos["EPROTO"]
	case errors.Is(err, pool.ErrNotOurs):
		return errnos["ENODATA"]
	case errors.Is(err, pool.ErrDamaged):
		return errnos["EBADMSG"]
	}
	return errnos["EINVAL"]
}

// seal puts the right checksum on structures that have one.
func (f *fixture) seal(b []byte) {
	switch {
	case f.Kind == "rmr_sb" && len(b) == pool.SuperblockSize:
		binary.LittleEndian.PutUint32(b[len(b)-4:], crc32.Checksum(b[:len(b)-4], castagnoli))
	case f.Kind == "rmr_map_sector" && len(b) == pool.MapSector:
		binary.LittleEndian.PutUint32(b[12:], 0)
		binary.LittleEndian.PutUint32(b[12:], crc32.Checksum(b, castagnoli))
	}
}

// spoil changes one place of b: bits, a byte, a word, the length, or a copy of another place. It tells
// whether only one byte differs.
func spoil(r *rand.Rand, b []byte) (spoilt []byte, oneByte bool) {
	at := r.IntN(len(b))
	if r.IntN(2) == 0 {
		at = r.IntN(min(len(b), 512)) // most fields are in front
	}
	what := r.IntN(10)
	switch what {
	case 0, 1, 2, 3:
		b[at] ^= 1 << r.IntN(8)
	case 4, 5:
		b[at] = []byte{0, 1, 2, 0x7f, 0x80, 0xff, 'a', '-'}[r.IntN(8)]
	case 6:
		b[at] = byte(r.Uint32())
	case 7:
		at &^= 7
		for i := at; i < min(at+8, len(b)); i++ {
			b[i] = []byte{0, 0xff}[at/8%2]
		}
	case 8:
		from := r.IntN(len(b))
		copy(b[at:], b[from:min(from+4, len(b))])
	case 9:
		if r.IntN(8) == 0 {
			return append(b[:at:at], b[:r.IntN(2)]...), false
		}
	}
	return b, what <= 6
}

// sameOrder tells whether both codecs look at the fields of b in the same order. The lists of the recovery
// messages let one byte spoil many entries.
func (f *fixture) sameOrder(b []byte) bool {
	_, list := asked[f.Kind]
	return !list && (!strings.HasPrefix(f.Kind, "rmr_msg_") || b[0] <= byte(pool.MsgMemberSet))
}

// TestCodecsAgree spoils good fixtures in up to three places. Both codecs accept the same bytes and write
// them the same; of a single changed byte also the refused field agrees.
func TestCodecsAgree(t *testing.T) {
	good := slices.DeleteFunc(readFixtures(t), func(f fixture) bool { return f.Errno != "" })
	accepted, refused := 0, 0
	c := startCore(t)
	c.episodes(func(c *core, r *rand.Rand) {
		for range batchSize {
			f := good[r.IntN(len(good))]
			b := slices.Clone(f.bytes)
			changes, oneByte := r.IntN(4), false
			for i := 0; i < changes && len(b) > 0; i++ {
				b, oneByte = spoil(r, b)
			}
			if r.IntN(8) > 0 {
				f.seal(b)
			}
			again, err := f.recode(b)
			answer := hex.EncodeToString(again)
			if err != nil {
				refused++
				answer = refusal // of several bad fields each side may name another one
			}
			if err != nil && changes == 1 && oneByte && f.sameOrder(b) {
				answer = fmt.Sprintf("%d %s", f.errno(err), fieldOf(err))
			} else if err == nil {
				accepted++
			}
			operation, args := f.operation(b)
			c.want(answer, operation, args...)
		}
	})
	t.Logf("%d accepted, %d refused", accepted, refused)
}

func TestLayoutsAgree(t *testing.T) {
	c := startCore(t)
	c.episodes(func(c *core, r *rand.Rand) {
		for range batchSize {
			store, chunk := r.Uint64()>>r.IntN(60), uint32(pool.ChunkSizeMin)<<r.IntN(9)
			size := pool.PoolSizeMaxOn(store, chunk)
			answer := fmt.Sprint(size)
			if size > 0 {
				answer = fmt.Sprintf("%d %d %d", size, pool.Chunks(size, chunk), pool.MapLen(pool.Chunks(size, chunk)))
			}
			c.want(answer, "layout", store, chunk)
		}
	})
}
