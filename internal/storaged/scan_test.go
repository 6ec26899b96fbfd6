// SPDX-License-Identifier: Apache-2.0

package storaged

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/rmrnl"
	"github.com/rmr-block/rmr/internal/rmrnl/rmrnltest"
	"github.com/rmr-block/rmr/pkg/pool"
)

func scanAll(t *testing.T, w *world, s *scanner, c Config) map[string]found {
	t.Helper()
	devs, err := s.devices(c)
	require.NoError(t, err)
	byPath := map[string]found{}
	for _, f := range s.probe(devs) {
		byPath[f.dev.Path] = f
	}
	return byPath
}

func TestScanFindsStoresAndOnlyThose(t *testing.T) {
	w := newWorld(t, rmrnltest.State{})
	w.plug("sdb", storeDisk(t, "vol1", 0x21))
	w.plug("sda", &disk{content: make([]byte, diskSize)})
	w.plug("sr0", storeDisk(t, "cdrom", 0x22))
	w.plug("brmr0", storeDisk(t, "own", 0x23))
	w.plug("sdq", storeDisk(t, "excluded", 0x24))
	w.plug("tiny", &disk{content: make([]byte, 4096)})
	w.plug("empty", &disk{})
	half := w.plug("sdc", storeDisk(t, "half", 0x25))
	off, _ := pool.SuperblockOff(diskSize, 0)
	half.content[off+100] ^= 1
	broken := w.plug("sdd", storeDisk(t, "gone", 0x26))
	for i := range pool.SuperblockCopies {
		off, _ := pool.SuperblockOff(diskSize, i)
		broken.content[off+100] ^= 1
	}
	w.plug("sde", &disk{content: make([]byte, diskSize), err: syscall.EIO})
	c := DefaultConfig()
	c.Exclude = []string{"/dev/sdq"}
	s := newScanner(w.sys, w.open)
	all := scanAll(t, w, s, c)
	require.Len(t, all, 4)
	require.Equal(t, "vol1", all["/dev/sdb"].sb.Name)
	require.Equal(t, "half", all["/dev/sdc"].sb.Name)
	require.ErrorIs(t, all["/dev/sdd"].err, pool.ErrDamaged)
	require.ErrorIs(t, all["/dev/sde"].err, syscall.EIO)
}

// A disk that hangs was waited for by everything.
func TestSilentDiskHoldsNothingUp(t *testing.T) {
	w := newWorld(t, rmrnltest.State{})
	w.plug("sdb", storeDisk(t, "vol1", 0x21))
	silent := make(chan struct{})
	w.plug("sda", &disk{content: make([]byte, diskSize), silent: silent})
	s := newScanner(w.sys, w.open)
	s.limit = 50 * time.Millisecond
	for range 3 {
		all := scanAll(t, w, s, DefaultConfig())
		require.Equal(t, "vol1", all["/dev/sdb"].sb.Name)
		require.ErrorIs(t, all["/dev/sda"].err, errSilent)
		require.Len(t, s.pending, 1, "asked again while it hangs")
	}
	// A disk that takes its place is read although the old one still hangs.
	w.plug("sda", storeDisk(t, "vol2", 0x22))
	require.Equal(t, "vol2", scanAll(t, w, s, DefaultConfig())["/dev/sda"].sb.Name)
	close(silent)
	s.wg.Wait()
}

func TestBlocksAreAlignedForDirectIO(t *testing.T) {
	for range 50 {
		b := alignedBlock()
		require.Len(t, b, pool.SuperblockSize)
		require.Zero(t, uintptr(unsafe.Pointer(&b[0]))%pool.SuperblockSize)
	}
}

func TestOnlyBlockDevicesAreOpened(t *testing.T) {
	_, _, err := openDevice("/dev/null", false)
	require.ErrorIs(t, err, syscall.ENOTBLK)
	_, _, err = openDevice("/dev/there/is/none", false)
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestPlan(t *testing.T) {
	dev := func(path, seq string, holders ...string) blockDevice {
		return blockDevice{Path: path, Seq: seq, Holders: holders}
	}
	sb := superblock(t, "vol1", 0x21)
	served, failed := member("vol1", 0x21, "/dev/sda"), member("vol1", 0x21, "/dev/sda")
	failed.State = rmrnl.PoolStateFailed
	for name, c := range map[string]struct {
		all   []found
		pools []rmrnl.Pool
		seen  memory
		held  string // paths that a driver holds
		state StoreState
		where string
		word  string // in the reason
	}{
		"a store nobody serves":           {all: []found{{dev("/dev/sda", "1"), sb, nil}}, state: StoreWaiting, where: "/dev/sda"},
		"a served store":                  {pools: []rmrnl.Pool{served}, state: StoreServed, where: "/dev/sda"},
		"a served store and its snapshot": {all: []found{{dev("/dev/snap", "2"), sb, nil}}, pools: []rmrnl.Pool{served}, state: StoreServed, where: "/dev/sda"},
		"a store and its snapshot": {
			all: []found{{dev("/dev/sda", "1"), sb, nil}, {dev("/dev/snap", "2"), sb, nil}}, state: StoreAmbiguous, where: "/dev/sda", word: "/dev/sda and /dev/snap",
		},
		"a path and its multipath device": {
			all: []found{{dev("/dev/sda", "1", "dm-0"), sb, nil}, {dev("/dev/dm-0", "2"), sb, nil}}, state: StoreWaiting, where: "/dev/dm-0",
		},
		"stopped by an operator": {
			all: []found{{dev("/dev/sda", "1"), sb, nil}}, seen: memory{id(0x21): "/dev/sda#1"}, state: StoreStopped, where: "/dev/sda",
		},
		"back after it was stopped": {
			all: []found{{dev("/dev/sda", "2"), sb, nil}}, seen: memory{id(0x21): "/dev/sda#1"}, state: StoreWaiting, where: "/dev/sda",
		},
		"failed, the disk is gone": {pools: []rmrnl.Pool{failed}, state: StoreFailed, where: "/dev/sda"},
		"failed, the disk is held": {
			all: []found{{dev("/dev/sda", "1"), sb, nil}}, pools: []rmrnl.Pool{failed}, held: "/dev/sda", state: StoreFailed, where: "/dev/sda",
		},
		"failed, the disk is back elsewhere": {
			all: []found{{dev("/dev/sdb", "2"), sb, nil}}, pools: []rmrnl.Pool{failed}, state: StoreReturned, where: "/dev/sdb",
		},
		"failed, two disks claim to be back": {
			all: []found{{dev("/dev/sdb", "2"), sb, nil}, {dev("/dev/sdc", "3"), sb, nil}}, pools: []rmrnl.Pool{failed}, state: StoreAmbiguous, where: "/dev/sda", word: "/dev/sdb and /dev/sdc",
		},
		"a disk that does not answer": {all: []found{{dev("/dev/sda", "1"), nil, errSilent}}, state: StoreBroken, where: "/dev/sda", word: "does not answer"},
		"a disk that cannot be read": {
			all: []found{{dev("/dev/sda", "1"), nil, errors.New("i/o\nerror")}}, state: StoreBroken, where: "/dev/sda", word: "i/o error",
		},
	} {
		t.Run(name, func(t *testing.T) {
			held := func(path string) bool { return c.held != "" && strings.Contains(c.held, path) }
			list := plan(c.all, c.pools, c.seen, held)
			require.Len(t, list, 1)
			require.Equal(t, c.state, list[0].State, list[0].Reason)
			require.Equal(t, c.where, list[0].Device)
			require.Contains(t, list[0].Reason, c.word)
			require.NotEmpty(t, list[0].key)
		})
	}
}
