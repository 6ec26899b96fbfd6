// SPDX-License-Identifier: Apache-2.0

package audit_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/audit"
	"github.com/rmr-block/rmr/pkg/pool"
)

const (
	mib       = 1 << 20
	storeSize = 8 * mib
	poolSize  = 5*mib + 8192 // the last chunk is short
	chunkSize = mib
)

// member is a store in the making.
type member struct {
	sb   *pool.Superblock
	data []byte
	bits map[uint64]pool.Mask
}

func (m *member) fill(block uint64, v byte) {
	for i := range pool.BlockSize {
		m.data[block*pool.BlockSize+uint64(i)] = v
	}
}

// write makes the files of a pool.
func write(t *testing.T, members []*member) []string {
	t.Helper()
	var paths []string
	for _, m := range members {
		image := pool.MapSectorImage{Tag: pool.MapTag(m.sb.Store)}
		for chunk, bits := range m.bits {
			image.Chunks[chunk] = uint8(bits)
		}
		copy(m.data[m.sb.MapOff:], image.Encode())
		sb, err := m.sb.Encode()
		require.NoError(t, err)
		for c := range pool.SuperblockCopies {
			off, ok := pool.SuperblockOff(storeSize, c)
			require.True(t, ok)
			copy(m.data[off:], sb)
		}
		path := filepath.Join(t.TempDir(), "disk")
		require.NoError(t, os.WriteFile(path, m.data, 0o600))
		paths = append(paths, path)
	}
	return paths
}

// three members with equal data, U={0,1}, Y={2}.
func three(t *testing.T) []*member {
	t.Helper()
	var table [pool.MaxMembers]pool.Member
	for i := range 3 {
		table[i] = pool.Member{State: pool.MemberData, Store: pool.UUID{byte(i + 1)}, Node: "node", Addrs: [pool.MemberAddrs]string{"192.0.2.1"}}
	}
	var members []*member
	for i := range 3 {
		mapLen := pool.MapLen(pool.Chunks(poolSize, chunkSize))
		members = append(members, &member{
			sb: &pool.Superblock{
				WriteSeq: 3, Pool: pool.UUID{9}, Store: table[i].Store, Name: "vol", PoolSize: poolSize, ChunkSize: chunkSize,
				MemberID: uint8(i), MapOff: pool.MapOff(storeSize, mapLen), MapLen: mapLen, StoreSize: storeSize,
				Promised: pool.Epoch{Seq: 1, Client: 1}, TableVersion: 1, Members: table, Flags: pool.FlagUsed,
				View: pool.View{Epoch: pool.Epoch{Seq: 1, Client: 1}, Number: 4, UpToDate: pool.MaskOf(0, 1), Syncing: pool.MaskOf(2), Lineage: pool.UUID{5}},
			},
			data: make([]byte, storeSize), bits: map[uint64]pool.Mask{},
		})
	}
	return members
}

func TestEqualMembersAreSound(t *testing.T) {
	m := three(t)
	r, err := audit.Files(write(t, m)...)
	require.NoError(t, err)
	require.NoError(t, r.Err())
	require.True(t, r.Equal)
	require.Len(t, r.Pairs, 4)
	require.Empty(t, r.Missing)
	require.Equal(t, m[0].sb.View, r.View)
}

func TestCoverOfADifferentBlock(t *testing.T) {
	for name, c := range map[string]struct {
		change func(m []*member)
		sound  bool
	}{
		"nothing says so":          {func([]*member) {}, false},
		"bits on both of U":        {func(m []*member) { m[0].bits[5], m[1].bits[5] = pool.MaskOf(2), pool.MaskOf(2) }, true},
		"bit on one of U only":     {func(m []*member) { m[0].bits[5] = pool.MaskOf(2) }, false},
		"bits of another chunk":    {func(m []*member) { m[0].bits[4], m[1].bits[4] = pool.MaskOf(2), pool.MaskOf(2) }, false},
		"bits against another one": {func(m []*member) { m[0].bits[5], m[1].bits[5] = pool.MaskOf(3), pool.MaskOf(3) }, false},
		"its own intent":           {func(m []*member) { m[2].bits[5] = pool.MaskOf(2) }, true},
		"intents on U":             {func(m []*member) { m[0].bits[5], m[1].bits[5] = pool.MaskOf(0), pool.MaskOf(1) }, true},
		"bit it has against U":     {func(m []*member) { m[2].bits[5] = pool.MaskOf(0, 1) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			m := three(t)
			m[2].fill(poolSize/pool.BlockSize-1, 7) // the last block of all, in chunk 5
			c.change(m)
			r, err := audit.Files(write(t, m)...)
			require.NoError(t, err)
			require.False(t, r.Equal)
			require.Equal(t, c.sound, r.Sound)
			if !c.sound {
				require.ErrorContains(t, r.Err(), "blocks 1281 to 1281 (chunk 5)")
			}
		})
	}
}

func TestPrecision(t *testing.T) {
	m := three(t)
	m[2].fill(256, 1)
	m[2].fill(257, 1)
	for _, u := range m[:2] {
		u.bits[1], u.bits[2] = pool.MaskOf(2), pool.MaskOf(2)
	}
	m[0].bits[3] = pool.MaskOf(0)
	r, err := audit.Files(write(t, m)...)
	require.NoError(t, err)
	require.NoError(t, r.Err())
	p := r.Pairs[1] // 0 and 2
	require.Equal(t, audit.Pair{UpToDate: 0, Other: 2, Different: 8192, Dirty: 2 * mib, Intent: mib, Uncovered: []audit.Extent{}}, p)
	ratio, ok := p.Precision()
	require.True(t, ok)
	require.InDelta(t, 256, ratio, 0.001)
	var text strings.Builder
	r.Table(&text)
	require.Contains(t, text.String(), "256.0")
	require.Contains(t, text.String(), "sound; data areas equal: false")
	encoded, err := json.Marshal(r)
	require.NoError(t, err)
	require.Contains(t, string(encoded), `"different_bytes":8192`)
}

func TestHighestViewCounts(t *testing.T) {
	m := three(t)
	m[1].fill(0, 1)
	m[0].bits[0], m[0].sb.View.Number = pool.MaskOf(1), 5 // 1 was ejected and does not know
	m[0].sb.View.UpToDate, m[0].sb.View.Syncing = pool.MaskOf(0), 0
	m[0].bits[0] = pool.MaskOf(1)
	r, err := audit.Files(write(t, m)...)
	require.NoError(t, err)
	require.NoError(t, r.Err())
	require.Equal(t, uint64(5), r.View.Number)
}

func TestDamagedMapSectorCountsAsDirtyAndIsReported(t *testing.T) {
	m := three(t)
	m[2].fill(0, 1)
	paths := write(t, m)
	for _, path := range paths[:2] {
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		require.NoError(t, err)
		_, err = f.WriteAt([]byte{1}, int64(m[0].sb.MapOff)+100)
		require.NoError(t, err)
		require.NoError(t, f.Close())
	}
	r, err := audit.Files(paths...)
	require.NoError(t, err)
	require.NoError(t, r.Err())
	require.Len(t, r.Members[0].Problems, 1)
	require.Contains(t, r.Members[0].Problems[0], "crc32c")
}

// TestFillOfTheSuperblockCovers: a member that lacks everything by a word of both superblocks of U (R9.14). The fill of
// one of them alone covers nothing that the other one has.
func TestFillOfTheSuperblockCovers(t *testing.T) {
	for covered := range 3 {
		m := three(t)
		m[2].fill(0, 1)
		for id := range covered {
			m[id].sb.Fill[2] = 1
		}
		r, err := audit.Files(write(t, m)...)
		require.NoError(t, err)
		if covered < 2 {
			require.ErrorContains(t, r.Err(), "not sound")
			continue
		}
		require.NoError(t, r.Err())
		require.Equal(t, pool.Chunks(poolSize, chunkSize), r.Members[1].Dirty[2])
	}
}

func TestStoresThatDoNotBelongTogetherAreRefused(t *testing.T) {
	for want, change := range map[string]func(m *pool.Superblock){
		"store of pool":           func(s *pool.Superblock) { s.Pool = pool.UUID{1} },
		"split brain":             func(s *pool.Superblock) { s.View.Lineage = pool.UUID{1} },
		"pool size or chunk size": func(s *pool.Superblock) { s.PoolSize -= 4096 },
		"member 0, as":            func(s *pool.Superblock) { s.MemberID, s.Store = 0, pool.UUID{1} },
	} {
		m := three(t)
		change(m[1].sb)
		_, err := audit.Files(write(t, m)...)
		require.ErrorContains(t, err, want)
	}
	_, err := audit.Files(write(t, three(t)[:1])...)
	require.ErrorContains(t, err, "two or more")
	empty := filepath.Join(t.TempDir(), "empty")
	require.NoError(t, os.WriteFile(empty, make([]byte, storeSize), 0o600))
	_, err = audit.Files(empty, empty)
	require.ErrorContains(t, err, "no superblock")
	_, err = audit.Files("/nonexistent")
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestWithoutAMemberOfUThereIsNoVerdict(t *testing.T) {
	m := three(t)
	for _, x := range m {
		x.sb.View.UpToDate, x.sb.View.Syncing = pool.MaskOf(0), pool.MaskOf(1, 2)
	}
	_, err := audit.Files(write(t, m)[1:]...)
	require.ErrorContains(t, err, "no store is of a member of U")
}

func TestMissingMemberIsNamed(t *testing.T) {
	r, err := audit.Files(write(t, three(t)[1:])...)
	require.NoError(t, err)
	require.NoError(t, r.Err())
	require.Equal(t, []int{0}, r.Missing)
	require.Len(t, r.Pairs, 1)
}
