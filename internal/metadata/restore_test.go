// SPDX-License-Identifier: Apache-2.0

// Guards of R2.17 (docs/protocol.md): metadata that was kept aside comes back byte for byte, and never where it would
// hide a difference (I5), take a promise back (I7) or make a stale member enough (I6).

package metadata_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rmr-block/rmr/internal/metadata"
	"github.com/rmr-block/rmr/pkg/dirtymap"
	"github.com/rmr-block/rmr/pkg/pool"
)

var newLineage = pool.UUID{0xaa, 0xbb}

func restore(t require.TestingT, x *image, d *metadata.Dump, unchanged bool) *metadata.Restore {
	p, err := metadata.PlanRestore(d, x, x.size, unchanged, newLineage)
	require.NoError(t, err)
	require.NoError(t, p.Apply(x))
	again, err := metadata.PlanRestore(d, x, x.size, unchanged, newLineage)
	if p.Mode == metadata.Exact {
		require.NoError(t, err)
		require.True(t, again.Nothing(), "restored once, and still something to do")
	}
	return p
}

// scribble overwrites a random part of what lies behind the data area, or all of it.
func scribble(t *rapid.T, x *image) {
	end := x.size
	from := rapid.Uint64Range(x.sb.PoolSize, end-1).Draw(t, "scribble from")
	length := rapid.Uint64Range(1, end-from).Draw(t, "scribble length")
	b := make([]byte, length)
	rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	if rapid.Bool().Draw(t, "zeros") {
		clear(b)
	}
	x.write(t, from, b)
}

// Dump, scribble, restore: when nothing ran on the store meanwhile and the operator says so, every byte of the
// metadata is as it was.
func TestRestoredMetadataIsByteIdentical(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		sb, device := randomSuperblock(t)
		x := writeImage(t, dir, sb, device, randomMap(t, sb))
		defer x.Close()
		if rapid.Bool().Draw(t, "written in part") { // power failed between the copies
			older := *sb
			older.WriteSeq--
			x.writeCopy(t, int(older.WriteSeq%2), &older)
		}
		sections := func() (all []byte) {
			for _, p := range parse(t, x.dump(t)).Header.Sections {
				all = append(all, x.read(t, p.Offset, p.Length)...)
			}
			return all
		}
		before, d := sections(), parse(t, x.dump(t))
		for range rapid.IntRange(1, 4).Draw(t, "scribbles") {
			scribble(t, x)
		}
		p := restore(t, x, d, true)
		require.Equal(t, metadata.Exact, p.Mode)
		require.Equal(t, before, sections())
		require.NotEqual(t, metadata.Broken, worst(metadata.Check(x.store(t))))
	})
}

// The store went on after the dump. Whatever is lost afterwards: no restore makes a chunk look clean, takes a promise
// back, or lets the member be believed.
func TestOldDumpNeverHidesADifference(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		sb, device := randomSuperblock(t)
		before := randomMap(t, sb)
		x := writeImage(t, dir, sb, device, before)
		defer x.Close()
		d := parse(t, x.dump(t))
		after := *sb
		later := dirtymap.New(sb.Chunks(), pool.MapTag(sb.Store))
		require.NoError(t, later.Merge(before, 0xff))
		again := rapid.Bool().Draw(t, "attached again")
		if again {
			after.WriteSeq += rapid.Uint64Range(1, 9).Draw(t, "writes")
			after.Flags = after.Flags&^pool.FlagClean | pool.FlagUsed
			after.Promised.Seq++
		}
		if sb.MapLen > 0 && (again || sb.Flags&pool.FlagClean == 0) { // or the dump was made of a snapshot below a running store
			chunk := rapid.Uint64Range(0, sb.Chunks()-1).Draw(t, "written")
			later.Set(chunk, chunk, sb.DataMembers())
		}
		for i := range pool.SuperblockCopies {
			x.writeCopy(t, i, &after)
		}
		x.writeMap(t, later)
		for range rapid.IntRange(1, 3).Draw(t, "scribbles") {
			scribble(t, x)
		}
		p, err := metadata.PlanRestore(d, x, x.size, false, newLineage)
		if err != nil {
			var refusal *metadata.Refusal
			require.ErrorAs(t, err, &refusal)
			return
		}
		require.NoError(t, p.Apply(x))
		s := x.store(t)
		require.NotNil(t, s.Superblock)
		for chunk, bits := range later.Dirty(0xff) {
			require.True(t, bits.Within(s.Map.Get(chunk)), "chunk %d had %v and has %v", chunk, bits, s.Map.Get(chunk))
		}
		if s.Superblock.WriteSeq <= sb.WriteSeq && p.Mode == metadata.Exact {
			require.Equal(t, after.Promised, s.Superblock.Promised, "a promise was taken back")
			return
		}
		requireStranger(t, s, sb)
	})
}

// requireStranger: the store is believed by nobody and knows nothing.
func requireStranger(t require.TestingT, s *metadata.Store, dumped *pool.Superblock) {
	sb := s.Superblock
	require.Equal(t, newLineage, sb.View.Lineage)
	require.Equal(t, dumped.DataMembers(), sb.View.UpToDate, "it must not be enough without the others")
	require.Zero(t, sb.View.Syncing)
	require.Zero(t, sb.Flags&pool.FlagClean)
	require.NotZero(t, sb.Flags&pool.FlagUsed)
	if sb.MapLen > 0 {
		require.Equal(t, sb.Chunks(), s.Map.Count(pool.MaskOf(int(sb.MemberID))), "every chunk is uncertain")
	}
	for id := range sb.DataMembers().All() {
		require.True(t, sb.MapLen == 0 || s.Map.Count(pool.MaskOf(id)) == sb.Chunks(), s.Map.Count(pool.MaskOf(id)), "every chunk is marked for member %d", id)
	}
	require.Empty(t, s.Faults)
	for _, c := range s.Copies {
		require.NoError(t, c.Err)
	}
}

// A restored stranger beside another member, and alone: no attach.
func TestStoreOfAnOldDumpIsNeverEnough(t *testing.T) {
	x := fixed(t, nil)
	d := parse(t, x.dump(t))
	x.write(t, x.sb.MapOff, make([]byte, x.size-x.sb.MapOff))
	p := restore(t, x, d, false)
	require.Equal(t, metadata.Uncertain, p.Mode)
	require.Equal(t, uint32(3), p.AllDirty)
	s := x.store(t)
	requireStranger(t, s, x.sb)
	voters := pool.Voters{Data: s.Superblock.DataMembers()}
	asked := pool.Epoch{Seq: 9, Client: 1}
	mine := pool.Promise{Member: 0, View: s.Superblock.View, Restarted: true}
	_, err := pool.DecideAttach(voters, asked, []pool.Promise{mine})
	require.ErrorIs(t, err, pool.ErrMissingMembers)
	for _, number := range []uint64{1, 12, 99} {
		other := pool.Promise{Member: 1, View: pool.View{Epoch: x.sb.View.Epoch, Number: number, UpToDate: pool.MaskOf(1), Lineage: x.sb.View.Lineage}}
		_, err = pool.DecideAttach(voters, asked, []pool.Promise{mine, other})
		require.ErrorIs(t, err, pool.ErrSplitBrain)
	}
}

// The only data member of its pool goes on alone, with every chunk uncertain.
func TestOnlyMemberComesBackFromAnOldDump(t *testing.T) {
	x := fixed(t, func(sb *pool.Superblock, _ *dirtymap.Map) { sb.Members[1] = pool.Member{} })
	d := parse(t, x.dump(t))
	x.write(t, x.sb.MapOff, make([]byte, x.size-x.sb.MapOff))
	restore(t, x, d, false)
	s := x.store(t)
	requireStranger(t, s, x.sb)
	a, err := pool.DecideAttach(pool.Voters{Data: pool.MaskOf(0)}, pool.Epoch{Seq: 9}, []pool.Promise{{View: s.Superblock.View, Restarted: true, Uncertain: []uint64{0}}})
	require.NoError(t, err)
	require.Equal(t, 0, a.Source)
}

// What the store still has counts, not the dump: sectors of a clean store that are gone come from the dump, those of
// one that was attached become dirty, because they may have had bits that the dump does not know.
func TestLostSectorsOfAnAttachedStoreBecomeDirty(t *testing.T) {
	for _, clean := range []bool{true, false} {
		x := fixed(t, func(sb *pool.Superblock, _ *dirtymap.Map) {
			if !clean {
				sb.Flags &^= pool.FlagClean
			}
		})
		d := parse(t, x.dump(t))
		before := x.metadata(t)
		x.write(t, x.sb.MapOff+512+200, []byte{0x55}) // sector 1
		x.writeCopy(t, 1, x.sb)
		off, _ := pool.SuperblockOff(x.size, 0)
		x.write(t, off, make([]byte, 4096))
		p := restore(t, x, d, false)
		require.Equal(t, metadata.Exact, p.Mode)
		require.True(t, p.Proven)
		require.Equal(t, []int{0}, p.Copies)
		require.Equal(t, uint32(1), p.Sectors)
		s := x.store(t)
		if clean {
			require.Zero(t, p.AllDirty)
			require.Equal(t, before, x.metadata(t))
			continue
		}
		require.Equal(t, uint32(1), p.AllDirty)
		require.Equal(t, uint64(496), s.Map.Count(pool.MaskOf(0)))
		require.Equal(t, uint64(496+21+1), s.Map.Count(pool.MaskOf(1)))
	}
}

func TestDumpThatDoesNotBelongOnTheDeviceIsRefused(t *testing.T) {
	other := func(change func(sb *pool.Superblock)) func(t *testing.T, x *image) {
		return func(t *testing.T, x *image) {
			sb := *x.sb
			change(&sb)
			for i := range pool.SuperblockCopies {
				x.writeCopy(t, i, &sb)
			}
		}
	}
	for want, change := range map[string]func(t *testing.T, x *image){
		"the device is member 0 of pool vol1 (07": other(func(sb *pool.Superblock) { sb.Pool = pool.UUID{7} }),
		"the device is member 1 of pool vol1":     other(func(sb *pool.Superblock) { sb.MemberID, sb.Store = 1, pool.UUID{4} }),
		"store 08000000":                          other(func(sb *pool.Superblock) { sb.Store, sb.Members[0].Store = pool.UUID{8}, pool.UUID{8} }),
		"of another moment (write 44, the dump":   other(func(sb *pool.Superblock) { sb.WriteSeq = 44 }),
		"of another moment (write 42, the dump":   other(func(sb *pool.Superblock) { sb.WriteSeq = 42 }),
		"of another moment (write 43, the dump":   other(func(sb *pool.Superblock) { sb.Promised.Seq = 6 }),
		"map sector 2 on the device is of another": func(t *testing.T, x *image) {
			x.write(t, x.size-pool.MDTail, make([]byte, pool.MDTail))
			sector := pool.MapSectorImage{Index: 2, Tag: 77}
			x.write(t, x.sb.MapOff+2*512, sector.Encode())
		},
		"the store went on after the dump was made: 1 sectors": func(t *testing.T, x *image) {
			x.write(t, x.size-pool.MDTail, make([]byte, pool.MDTail))
			sector := pool.MapSectorImage{Index: 2, Tag: pool.MapTag(x.sb.Store)}
			sector.Chunks[7] = 3
			x.write(t, x.sb.MapOff+2*512, sector.Encode())
		},
	} {
		t.Run(want, func(t *testing.T) {
			x := fixed(t, nil)
			d := parse(t, x.dump(t))
			change(t, x)
			before := x.metadata(t)
			_, err := metadata.PlanRestore(d, x, x.size, true, newLineage)
			var refusal *metadata.Refusal
			require.ErrorAs(t, err, &refusal)
			require.ErrorContains(t, err, want)
			require.Equal(t, before, x.metadata(t))
		})
	}
	x := fixed(t, nil)
	d := parse(t, x.dump(t))
	for _, size := range []uint64{x.size - 4096, x.size + 4096, 0, 4096, 1 << 50} {
		_, err := metadata.PlanRestore(d, x, size, true, newLineage)
		require.ErrorContains(t, err, fmt.Sprintf("the dump is of a store of %d bytes", x.size), "device of %d bytes", size)
	}
}

// A dump made of a damaged copy or sector puts no damage back.
func TestDamageInADumpIsNotRestored(t *testing.T) {
	x := fixed(t, nil)
	off, _ := pool.SuperblockOff(x.size, 0)
	x.write(t, off+100, []byte{0xee})
	x.write(t, x.sb.MapOff+100, []byte{0xee})
	d := parse(t, x.dump(t))
	x.write(t, x.sb.MapOff, make([]byte, x.size-x.sb.MapOff))
	p := restore(t, x, d, true)
	require.Equal(t, uint32(1), p.AllDirty)
	require.Less(t, worst(metadata.Check(x.store(t))), metadata.Repairable)
}

// A write that fails or is lost is told, and a restore that was cut short leaves no superblock over a missing map.
func TestRestoreThatIsCutShortLeavesNoStore(t *testing.T) {
	x := fixed(t, nil)
	d := parse(t, x.dump(t))
	x.write(t, x.sb.MapOff, make([]byte, x.size-x.sb.MapOff))
	p, err := metadata.PlanRestore(d, x, x.size, true, newLineage)
	require.NoError(t, err)
	require.ErrorContains(t, p.Apply(&cutShort{image: x, writes: 0}), "write map at byte")
	require.Nil(t, x.store(t).Superblock)
	require.ErrorContains(t, p.Apply(&cutShort{image: x, writes: 1}), "write superblock copy 0")
	require.Nil(t, x.store(t).Superblock)
	require.ErrorContains(t, p.Apply(&cutShort{image: x, writes: 1, silent: true}), "does not read as it was written")
	require.NoError(t, p.Apply(x))
	require.NotNil(t, x.store(t).Superblock)
}

// cutShort takes so many writes and fails the rest, or loses them.
type cutShort struct {
	*image
	writes int
	silent bool
}

func (c *cutShort) WriteAt(b []byte, off int64) (int, error) {
	if c.writes--; c.writes >= 0 {
		return c.image.WriteAt(b, off)
	}
	if c.silent {
		return len(b), nil
	}
	return 0, fmt.Errorf("no space")
}
