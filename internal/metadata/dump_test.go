// SPDX-License-Identifier: Apache-2.0

// A dump is a file that somebody hands in: whatever is in it, it is used whole or refused with a reason.

package metadata_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/fuzzbound"
	"github.com/rmr-block/rmr/internal/metadata"
	"github.com/rmr-block/rmr/pkg/pool"
)

func readDump(b []byte) (*metadata.Dump, error) {
	return metadata.ReadDump(bytes.NewReader(b), int64(len(b)))
}

// reseal gives a changed dump a checksum that fits.
func reseal(b []byte) []byte {
	body := b[:max(len(b)-65, 0)]
	return fmt.Appendf(bytes.Clone(body), "%x\n", sha256.Sum256(body))
}

// withHeader replaces the header of a dump and seals it again.
func withHeader(t testing.TB, b []byte, change func(h map[string]any)) []byte {
	t.Helper()
	line, rest, _ := bytes.Cut(b, []byte("\n"))
	h := map[string]any{}
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.UseNumber()
	require.NoError(t, decoder.Decode(&h))
	change(h)
	line, err := json.Marshal(h)
	require.NoError(t, err)
	return reseal(append(append(line, '\n'), rest...))
}

func section(h map[string]any, i int) map[string]any {
	return h["sections"].([]any)[i].(map[string]any)
}

func TestDumpSaysWhatItIs(t *testing.T) {
	x := fixed(t, nil)
	b := x.dump(t)
	line, _, _ := bytes.Cut(b, []byte("\n"))
	require.JSONEq(t, fmt.Sprintf(`{"format":"rmr-metadata","version":1,"made":1800000001,
		"pool_uuid":"01000000-0000-0000-0000-000000000000","pool_name":"vol1","store_uuid":"03000000-0000-0000-0000-000000000000",
		"member_id":0,"write_seq":43,"clean":true,"device_size":%d,"store_size":%d,"sections":[
		{"name":"superblock copy 0","offset":%d,"length":4096},{"name":"superblock copy 1","offset":%d,"length":4096},
		{"name":"map","offset":%d,"length":4096}]}`, x.size, x.size, x.size-4096, x.size-68<<10, x.sb.MapOff), string(line))
	require.Equal(t, b, reseal(b), "the last line is the checksum of the rest")
	d := parse(t, b)
	require.Equal(t, x.sb, d.Store.Superblock)
	require.Equal(t, uint64(22), d.Store.Map.Count(pool.MaskOf(1)))
}

func TestNoDumpOfWhatIsNoStore(t *testing.T) {
	x := fixed(t, nil)
	var out bytes.Buffer
	_, err := metadata.WriteDump(&out, bytes.NewReader(make([]byte, 1<<20)), 1<<20, time.Time{})
	require.ErrorIs(t, err, pool.ErrNotOurs)
	_, err = metadata.WriteDump(&out, bytes.NewReader(nil), 0, time.Time{})
	require.ErrorIs(t, err, metadata.ErrTooSmall)
	require.Zero(t, out.Len())
	bad := int64(x.sb.MapOff) + 700
	_, err = metadata.WriteDump(&out, failing{x, bad, bad}, x.size, time.Time{})
	require.ErrorContains(t, err, "medium error")
}

func TestCutDumpIsRefusedAtEveryLength(t *testing.T) {
	b := fixed(t, nil).dump(t)
	for n := range b {
		_, err := readDump(b[:n])
		require.ErrorIs(t, err, metadata.ErrDump, "%d of %d bytes", n, len(b))
		_, err = readDump(reseal(b[:n]))
		require.ErrorIs(t, err, metadata.ErrDump, "%d of %d bytes, sealed", n, len(b))
	}
	_, err := readDump(append(bytes.Clone(b), 0))
	require.ErrorIs(t, err, metadata.ErrDump)
}

func TestEveryFlippedBitOfADumpIsNoticed(t *testing.T) {
	b := fixed(t, nil).dump(t)
	rng := rand.New(rand.NewPCG(3, 4))
	for i := range 3000 {
		bit := rng.IntN(len(b) * 8)
		if i < 1000 {
			bit = i // all of the header's start
		}
		c := bytes.Clone(b)
		c[bit/8] ^= 1 << (bit % 8)
		_, err := readDump(c)
		require.ErrorIs(t, err, metadata.ErrDump, "bit %d", bit)
	}
}

// A dump with a fitting checksum whose header lies.
func TestDumpWithAFalseHeaderIsRefused(t *testing.T) {
	b := fixed(t, nil).dump(t)
	for want, change := range map[string]func(h map[string]any){
		"header: format":                 func(h map[string]any) { h["format"] = "tar" },
		"header: version: 2":             func(h map[string]any) { h["version"] = 2 },
		"unknown field":                  func(h map[string]any) { h["extra"] = 1 },
		"sections: 2, not 3":             func(h map[string]any) { h["sections"] = h["sections"].([]any)[:2] },
		"longer than the file":           func(h map[string]any) { section(h, 2)["length"] = json.Number("18446744073709551615") },
		"not as long as they say":        func(h map[string]any) { section(h, 2)["length"] = 512 },
		"is not where a device":          func(h map[string]any) { section(h, 1)["offset"] = 0 },
		"is not where a device of 4096":  func(h map[string]any) { h["device_size"] = 4096 },
		"something else than":            func(h map[string]any) { h["member_id"] = 1 },
		"than the superblock":            func(h map[string]any) { h["store_uuid"] = "04000000-0000-0000-0000-000000000000" },
		"header: says something else":    func(h map[string]any) { section(h, 2)["offset"] = 0 },
		"says something else than the s": func(h map[string]any) { h["write_seq"] = 44 },
		"cannot unmarshal":               func(h map[string]any) { h["device_size"] = -1 },
		"no line of JSON":                func(h map[string]any) { h["pool_name"] = string(bytes.Repeat([]byte("x"), 5000)) },
	} {
		_, err := readDump(withHeader(t, b, change))
		require.ErrorIs(t, err, metadata.ErrDump)
		require.ErrorContains(t, err, want)
	}
	sb := bytes.Clone(b)
	head := bytes.IndexByte(b, '\n') + 1
	sb[head+100] ^= 1
	sb[head+4096+100] ^= 1
	_, err := readDump(reseal(sb))
	require.ErrorIs(t, err, metadata.ErrDump)
	require.ErrorContains(t, err, "crc32c")
}

// Whatever the bytes, with a fitting checksum or not: refused with ErrDump, or a store that Check and PlanRestore can
// deal with; and never more memory than the file justifies.
func FuzzReadDump(f *testing.F) {
	x := fixed(f, nil)
	good := x.dump(f)
	f.Add(good, false)
	f.Add(good[:len(good)/2], true)
	f.Add(withHeader(f, good, func(h map[string]any) { h["device_size"] = 1 << 50 }), true)
	f.Add([]byte(`{"format":"rmr-metadata","version":1}`+"\n"), true)
	f.Fuzz(func(t *testing.T, b []byte, seal bool) {
		if seal {
			b = reseal(b)
		}
		var d *metadata.Dump
		var err error
		fuzzbound.Allocates(t, 1<<20+64*uint64(len(b)), func() { d, err = readDump(b) })
		if err != nil {
			if !errors.Is(err, metadata.ErrDump) {
				t.Fatalf("not a refusal: %v", err)
			}
			return
		}
		if d.Store.Superblock == nil || len(d.Header.Sections) != 3 {
			t.Fatal("accepted without a superblock")
		}
		metadata.Check(d.Store)
		var refusal *metadata.Refusal
		if _, err := metadata.PlanRestore(d, x, x.size, false, newLineage); err != nil && !errors.As(err, &refusal) {
			t.Fatalf("plan: %v", err)
		}
	})
}
