// SPDX-License-Identifier: Apache-2.0

// Stores for the tests: sparse image files with the metadata of random pools.

package metadata_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rmr-block/rmr/internal/metadata"
	"github.com/rmr-block/rmr/pkg/dirtymap"
	"github.com/rmr-block/rmr/pkg/pool"
)

// image is a store in a file.
type image struct {
	*os.File
	size uint64
	sb   *pool.Superblock
}

// randomUUID is never zero.
func randomUUID(t *rapid.T, label string) (u pool.UUID) {
	copy(u[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, label))
	u[15] |= 1
	return u
}

// randomSuperblock draws a pool of one to four data members, perhaps with a witness, and the superblock of one of them.
func randomSuperblock(t *rapid.T) (*pool.Superblock, uint64) {
	chunk := uint32(pool.ChunkSizeMin) << rapid.IntRange(0, 8).Draw(t, "chunk shift")
	size := pool.PoolSizeMin + uint64(rapid.IntRange(0, 1<<16).Draw(t, "pool blocks"))*pool.BlockSize
	spec := pool.Spec{Name: "vol1", Size: size, ChunkSize: chunk}
	ids := pool.IDs{Pool: randomUUID(t, "pool"), Lineage: randomUUID(t, "lineage"), Created: 1_800_000_000}
	device := size + pool.MapLen(pool.Chunks(size, chunk)) + pool.MDTail + uint64(rapid.IntRange(0, 20_000).Draw(t, "spare"))&^511
	members := rapid.IntRange(1, 4).Draw(t, "members")
	all := members + rapid.IntRange(0, 1).Draw(t, "witness")
	spec.Quorum = all > members
	for id := range all {
		m := pool.NewMember{Node: fmt.Sprintf("stor%d", id), Addrs: []string{fmt.Sprintf("192.0.2.%d", id+1)}, StoreSize: device, Zeroed: true}
		m.Witness = id == members
		spec.Members = append(spec.Members, m)
		ids.Stores = append(ids.Stores, randomUUID(t, "store"))
		ids.Stores[id][14] = byte(id) // no two alike
	}
	plan, err := pool.MakePlan(spec)
	require.NoError(t, err)
	sb, err := plan.Superblock(rapid.IntRange(0, all-1).Draw(t, "id"), ids)
	require.NoError(t, err)
	sb.WriteSeq = rapid.Uint64Range(2, 1<<60).Draw(t, "write_seq")
	for id := range sb.Fillable().All() {
		sectors := (sb.Chunks() + pool.MapSectorChunks - 1) / pool.MapSectorChunks
		sb.Fill[id] = uint32(rapid.Uint64Range(0, sectors).Draw(t, "fill"))
	}
	if rapid.Bool().Draw(t, "used") {
		sb.Flags = sb.Flags&pool.FlagQuorum | pool.FlagUsed
		if rapid.Bool().Draw(t, "clean") {
			sb.Flags |= pool.FlagClean
		}
		sb.Promised = pool.Epoch{Seq: rapid.Uint64Range(2, 1<<40).Draw(t, "epoch"), Client: rapid.Uint64().Draw(t, "client")}
		sb.View.Epoch = pool.Epoch{Seq: rapid.Uint64Range(1, sb.Promised.Seq-1).Draw(t, "view epoch"), Client: 7}
		sb.View.Number = rapid.Uint64Range(1, 1<<40).Draw(t, "view")
		data := sb.DataMembers()
		sb.View.UpToDate = data & pool.Mask(rapid.Byte().Draw(t, "up to date"))
		if sb.View.UpToDate == 0 {
			sb.View.UpToDate = pool.MaskOf(data.Lowest())
		}
		sb.View.Syncing = data &^ sb.View.UpToDate & pool.Mask(rapid.Byte().Draw(t, "syncing"))
	}
	return sb, device
}

// randomMap draws runs of dirty chunks, some as long as the pool.
func randomMap(t *rapid.T, sb *pool.Superblock) *dirtymap.Map {
	m := dirtymap.New(sb.Chunks(), pool.MapTag(sb.Store))
	if sb.MapLen == 0 { // a witness
		return m
	}
	for range rapid.IntRange(0, 6).Draw(t, "runs") {
		first := rapid.Uint64Range(0, sb.Chunks()-1).Draw(t, "first")
		last := rapid.Uint64Range(first, sb.Chunks()-1).Draw(t, "last")
		m.Set(first, last, sb.DataMembers()&pool.Mask(rapid.Byte().Draw(t, "bits")))
	}
	return m
}

// writeImage makes the file of a store as the product leaves it at rest.
func writeImage(t require.TestingT, dir string, sb *pool.Superblock, device uint64, m *dirtymap.Map) *image {
	f, err := os.CreateTemp(dir, "store-*.img")
	require.NoError(t, err)
	require.NoError(t, f.Truncate(int64(device)))
	x := &image{f, device, sb}
	for i := range pool.SuperblockCopies {
		x.writeCopy(t, i, sb)
	}
	x.writeMap(t, m)
	return x
}

func (x *image) writeCopy(t require.TestingT, number int, sb *pool.Superblock) {
	b, err := sb.Encode()
	require.NoError(t, err)
	off, ok := pool.SuperblockOff(x.size, number)
	require.True(t, ok)
	x.write(t, off, b)
}

func (x *image) writeMap(t require.TestingT, m *dirtymap.Map) {
	var all bytes.Buffer
	for index := range uint32(x.sb.MapLen / pool.MapSector) {
		sector, _ := m.Image(index)
		all.Write(sector.Encode())
	}
	x.write(t, x.sb.MapOff, all.Bytes())
}

func (x *image) write(t require.TestingT, off uint64, b []byte) {
	_, err := x.WriteAt(b, int64(off))
	require.NoError(t, err)
}

func (x *image) read(t require.TestingT, off, length uint64) []byte {
	b := make([]byte, length)
	_, err := x.ReadAt(b, int64(off))
	require.NoError(t, err)
	return b
}

// metadata is all bytes behind the data area.
func (x *image) metadata(t require.TestingT) []byte {
	return x.read(t, x.sb.PoolSize, x.size-x.sb.PoolSize)
}

func (x *image) store(t require.TestingT) *metadata.Store {
	s, err := metadata.Read(x, x.size)
	require.NoError(t, err)
	return s
}

func (x *image) dump(t require.TestingT) []byte {
	var b bytes.Buffer
	_, err := metadata.WriteDump(&b, x, x.size, time.Unix(1_800_000_001, 0))
	require.NoError(t, err)
	return b.Bytes()
}

func parse(t require.TestingT, b []byte) *metadata.Dump {
	d, err := metadata.ReadDump(bytes.NewReader(b), int64(len(b)))
	require.NoError(t, err)
	return d
}

// worst is the severity of the worst finding, -1 if there is none.
func worst(list []metadata.Finding) metadata.Severity {
	w := metadata.Severity(-1)
	for _, f := range list {
		w = max(w, f.Severity)
	}
	return w
}

// fixed is a used and clean pool of two data members with three sectors of map and bits for member 1.
func fixed(t testing.TB, change func(sb *pool.Superblock, m *dirtymap.Map)) *image {
	t.Helper()
	const chunk, size = 64 << 10, 1200 * (64 << 10)
	device := uint64(size + 4096 + pool.MDTail)
	plan, err := pool.MakePlan(pool.Spec{Name: "vol1", Size: size, ChunkSize: chunk, Members: []pool.NewMember{
		{Node: "stor0", Addrs: []string{"192.0.2.1"}, StoreSize: device}, {Node: "stor1", Addrs: []string{"192.0.2.2"}, StoreSize: device},
	}})
	require.NoError(t, err)
	sb, err := plan.Superblock(0, pool.IDs{Pool: pool.UUID{1}, Lineage: pool.UUID{2}, Stores: []pool.UUID{{3}, {4}}, Created: 1})
	require.NoError(t, err)
	sb.Flags, sb.WriteSeq, sb.Promised = pool.FlagUsed|pool.FlagClean, 43, pool.Epoch{Seq: 5, Client: 9}
	sb.View.Epoch, sb.View.Number, sb.View.UpToDate = sb.Promised, 12, pool.MaskOf(0)
	m := dirtymap.New(sb.Chunks(), pool.MapTag(sb.Store))
	m.Set(100, 120, pool.MaskOf(1))
	m.Set(1100, 1100, pool.MaskOf(1))
	if change != nil {
		change(sb, m)
	}
	x := writeImage(t, t.TempDir(), sb, device, m)
	t.Cleanup(func() { x.Close() })
	return x
}

// failing fails reads that touch a range of bytes, as a disk with a medium error.
type failing struct {
	io.ReaderAt
	first, last int64
}

func (f failing) ReadAt(b []byte, off int64) (int, error) {
	if off <= f.last && off+int64(len(b)) > f.first {
		return 0, fmt.Errorf("medium error")
	}
	return f.ReaderAt.ReadAt(b, off)
}
