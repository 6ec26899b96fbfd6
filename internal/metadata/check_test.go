// SPDX-License-Identifier: Apache-2.0

package metadata_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rmr-block/rmr/internal/metadata"
	"github.com/rmr-block/rmr/pkg/dirtymap"
	"github.com/rmr-block/rmr/pkg/pool"
)

// What a correct writer leaves has no finding but notes, and is read as it was written.
func TestGoodStoresHaveNoFinding(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		sb, device := randomSuperblock(t)
		m := randomMap(t, sb)
		x := writeImage(t, dir, sb, device, m)
		defer x.Close()
		s := x.store(t)
		require.Less(t, worst(metadata.Check(s)), metadata.Repairable, "%v", metadata.Check(s))
		require.Equal(t, sb, s.Superblock)
		require.Equal(t, 0, s.Used)
		m.LoadFills(sb.Fill)
		for chunk := range sb.Chunks() {
			require.Equal(t, m.Get(chunk), s.Map.Get(chunk), "chunk %d", chunk)
		}
		require.Equal(t, x.read(t, 0, 0), []byte{})
	})
}

// Every bit of the metadata that flips is found, at the structure that holds it; and nothing is written. Of the
// superblock copies all bits, of the map as many as there is time for.
func TestEveryFlippedBitIsFound(t *testing.T) {
	x := fixed(t, nil)
	bits := []uint64{}
	for _, part := range parse(t, x.dump(t)).Header.Sections {
		for bit := range part.Length * 8 {
			bits = append(bits, part.Offset*8+bit)
		}
	}
	rng := rand.New(rand.NewPCG(1, 2))
	rng.Shuffle(len(bits), func(i, j int) { bits[i], bits[j] = bits[j], bits[i] })
	if testing.Short() {
		bits = bits[:2000]
	}
	tail := x.metadata(t)
	device := overlay{x, x.sb.PoolSize, bytes.Clone(tail)}
	for _, bit := range bits {
		at := bit/8 - x.sb.PoolSize
		device.tail[at] ^= 1 << (bit % 8)
		s, err := metadata.Read(device, x.size)
		require.NoError(t, err)
		require.NotNil(t, s.Superblock, "bit %d", bit)
		found := false
		for _, f := range metadata.Check(s) {
			found = found || f.Severity >= metadata.Repairable && f.Offset <= bit/8 && bit/8 < f.Offset+f.Length && f.Todo != ""
		}
		require.True(t, found, "bit %d of byte %d: %v", bit%8, bit/8, metadata.Check(s))
		device.tail[at] ^= 1 << (bit % 8)
	}
	require.Equal(t, tail, x.metadata(t))
}

// overlay is a device whose tail is in memory.
type overlay struct {
	*image
	start uint64
	tail  []byte
}

func (o overlay) ReadAt(b []byte, off int64) (int, error) {
	if uint64(off) < o.start {
		return o.image.ReadAt(b, off)
	}
	return copy(b, o.tail[uint64(off)-o.start:]), nil
}

// findingCase is a change of a good store and the worst finding that it must give.
type findingCase struct {
	name     string
	change   func(t *testing.T, x *image)
	severity metadata.Severity
	object   string
	problem  string
}

func findingCases() []findingCase {
	write := func(number int, change func(sb *pool.Superblock)) func(*testing.T, *image) {
		return func(t *testing.T, x *image) {
			sb := *x.sb
			change(&sb)
			for i := range pool.SuperblockCopies {
				if number < 0 || i == number {
					x.writeCopy(t, i, &sb)
				}
			}
		}
	}
	zero := func(t *testing.T, x *image, number int) {
		t.Helper()
		off, _ := pool.SuperblockOff(x.size, number)
		x.write(t, off, make([]byte, pool.SuperblockSize))
	}
	return []findingCase{
		{"older copy", write(1, func(sb *pool.Superblock) { sb.WriteSeq-- }), metadata.Repairable, "superblock copy 1", "is write 42, the other copy 43"},
		{"blank copy", func(t *testing.T, x *image) { zero(t, x, 1) }, metadata.Repairable, "superblock copy 1", "no superblock"},
		{"no copy", func(t *testing.T, x *image) { zero(t, x, 0); zero(t, x, 1) }, metadata.Broken, "superblock copy 0", "no superblock"},
		{"copy of another store", write(1, func(sb *pool.Superblock) { sb.Pool[0]++ }), metadata.Broken, "superblock copy 0", "of another store"},
		{"two writers", write(1, func(sb *pool.Superblock) { sb.Created++ }), metadata.Broken, "superblock copy 0", "both copies are write 43 and differ"},
		{
			"promise taken back", write(1, func(sb *pool.Superblock) { sb.WriteSeq++; sb.Promised.Seq--; sb.View.Epoch.Seq-- }),
			metadata.Broken, "superblock copy 0", "newer promise",
		},
		{"view taken back", write(1, func(sb *pool.Superblock) { sb.WriteSeq++; sb.View.Number-- }), metadata.Broken, "superblock copy 0", "newer promise"},
		{"no lineage", write(-1, func(sb *pool.Superblock) { sb.View.Lineage = pool.UUID{} }), metadata.Broken, "view", "without a lineage"},
		{
			"used without promise", write(-1, func(sb *pool.Superblock) { sb.Promised, sb.View.Epoch = pool.Epoch{}, pool.Epoch{} }),
			metadata.Broken, "view", "no epoch was promised",
		},
		{"two slots, one store", write(-1, func(sb *pool.Superblock) { sb.Members[5] = sb.Members[1] }), metadata.Broken, "member table", "member 5 has the store of member 1"},
		{"unknown feature", write(-1, func(sb *pool.Superblock) { sb.FeatRO = 1 }), metadata.Broken, "superblock", "can only be read"},
		{"no address", write(-1, func(sb *pool.Superblock) { sb.Members[1].Addrs[0] = "" }), metadata.Note, "member table", "member 1 has no address"},
		{"left out", write(-1, func(sb *pool.Superblock) { sb.View.UpToDate = pool.MaskOf(1) }), metadata.Note, "view", "member 0 is not active"},
		{
			"marked though up to date", write(-1, func(sb *pool.Superblock) { sb.View.UpToDate = pool.MaskOf(0, 1) }),
			metadata.Note, "map", "22 chunks are marked for member 1",
		},
		{"zeros over the map", func(t *testing.T, x *image) { x.write(t, x.sb.MapOff, make([]byte, 1024)) }, metadata.Repairable, "map sectors 0 to 1", "no map sector"},
		{"damage behind the last chunk", func(t *testing.T, x *image) { x.write(t, x.sb.MapOff+4000, []byte{1}) }, metadata.Repairable, "map sector 7", "crc32c"},
		{"chunk behind the end", func(t *testing.T, x *image) {
			sector := pool.MapSectorImage{Index: 2, Tag: pool.MapTag(x.sb.Store)}
			sector.Chunks[1200-2*496] = 1
			x.write(t, x.sb.MapOff+1024, sector.Encode())
		}, metadata.Repairable, "map sector 2", "past the end of the pool"},
		{"bits of nobody", func(t *testing.T, x *image) {
			sector := pool.MapSectorImage{Index: 2, Tag: pool.MapTag(x.sb.Store)}
			sector.Chunks[1], sector.Chunks[2] = 0x80, 0x82
			x.write(t, x.sb.MapOff+1024, sector.Encode())
		}, metadata.Note, "map", "2 chunks are marked for slot 7"},
	}
}

func TestFindings(t *testing.T) {
	for _, c := range findingCases() {
		t.Run(c.name, func(t *testing.T) {
			x := fixed(t, nil)
			c.change(t, x)
			list := metadata.Check(x.store(t))
			require.Equal(t, c.severity, worst(list), "%v", list)
			for _, f := range list {
				if f.Severity == c.severity && f.Object == c.object {
					require.Contains(t, f.Problem, c.problem)
					require.NotEmpty(t, f.Todo)
					return
				}
			}
			t.Fatalf("nothing about %s in %v", c.object, list)
		})
	}
}

// A medium error is a finding at its sector, and its chunks count as dirty; the sectors beside it are read.
func TestUnreadableSectorCountsAsDirty(t *testing.T) {
	x := fixed(t, nil)
	bad := int64(x.sb.MapOff) + 512
	s, err := metadata.Read(failing{x, bad, bad + 511}, x.size)
	require.NoError(t, err)
	require.Len(t, s.Faults, 1)
	require.Equal(t, uint64(bad), s.Faults[0].Offset)
	require.ErrorContains(t, s.Faults[0].Err, "medium error")
	require.Equal(t, uint64(496), s.Map.Count(pool.MaskOf(0)))
	require.Equal(t, uint64(496+21+1), s.Map.Count(pool.MaskOf(1)))
	off, _ := pool.SuperblockOff(x.size, 0)
	s, err = metadata.Read(failing{x, int64(off), int64(off)}, x.size)
	require.NoError(t, err)
	require.Equal(t, 1, s.Used)
	require.ErrorContains(t, s.Copies[0].Err, "medium error")
}

func TestDeviceTooSmallForAStore(t *testing.T) {
	for _, size := range []uint64{0, 1, 4096, pool.MDTail - 1} {
		_, err := metadata.Read(bytes.NewReader(make([]byte, size)), size)
		require.ErrorIs(t, err, metadata.ErrTooSmall)
	}
	s, err := metadata.Read(bytes.NewReader(make([]byte, pool.MDTail)), pool.MDTail)
	require.NoError(t, err)
	require.ErrorIs(t, s.Err, pool.ErrNotOurs)
	require.Equal(t, -1, s.Used)
}

// A map as long as the pool is one fault if all of it is gone, whatever is there.
func TestScribbledMapIsOneFault(t *testing.T) {
	x := fixed(t, func(sb *pool.Superblock, m *dirtymap.Map) { m.SetAll(pool.MaskOf(1)) })
	x.write(t, x.sb.MapOff, bytes.Repeat([]byte{0xa5}, int(x.sb.MapLen)))
	s := x.store(t)
	require.Len(t, s.Faults, 2, "with chunks and behind them")
	require.Equal(t, uint64(1200), s.Faults[0].Chunks)
	require.Equal(t, uint64(1200), s.Map.Count(pool.MaskOf(0)))
}
