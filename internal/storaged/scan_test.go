// SPDX-License-Identifier: Apache-2.0

package storaged

import (
	"errors"
	"os"
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

func TestHeldDevices(t *testing.T) {
	w := newWorld(t, rmrnltest.State{})
	w.plug("sda", &disk{content: make([]byte, diskSize)})
	w.plug("sdb", &disk{content: make([]byte, diskSize), held: true})
	s := newScanner(w.sys, w.open)
	require.False(t, s.held("/dev/sda"))
	require.True(t, s.held("/dev/sdb"))
	require.False(t, s.held("/dev/sdc"), "a disk that is gone is held by nobody")
	s.open = func(string, bool) (readerAt, uint64, error) { return nil, 0, syscall.EIO }
	require.True(t, s.held("/dev/sda"), "a disk that cannot be asked may be held")
}

// planCase is one store: what is known of it, and how it must be.
type planCase struct {
	name  string
	all   []found
	pools []rmrnl.Pool
	seen  memory
	held  string // path that a driver holds
	state StoreState
	where string
	word  string // in the reason
}

func planCases(t *testing.T) []planCase {
	sb := superblock(t, "vol1", 0x21)
	on := func(path, seq string, holders ...string) found {
		return found{dev: blockDevice{Path: path, Seq: seq, Holders: holders}, sb: sb}
	}
	bad := func(err error) []found { return []found{{dev: blockDevice{Path: "/dev/sda", Seq: "1"}, err: err}} }
	sda, snap, sdb, sdc := on("/dev/sda", "1"), on("/dev/snap", "2"), on("/dev/sdb", "2"), on("/dev/sdc", "3")
	served, failed := []rmrnl.Pool{member("vol1", 0x21, "/dev/sda")}, []rmrnl.Pool{member("vol1", 0x21, "/dev/sda")}
	failed[0].State = rmrnl.PoolStateFailed
	was := memory{id(0x21): "/dev/sda#1"}
	return []planCase{
		{name: "a store nobody serves", all: []found{sda}, state: StoreWaiting, where: "/dev/sda"},
		{name: "a served store", pools: served, state: StoreServed, where: "/dev/sda"},
		{name: "a served store and its snapshot", all: []found{snap}, pools: served, state: StoreServed, where: "/dev/sda"},
		{name: "a store and its snapshot", all: []found{sda, snap}, state: StoreAmbiguous, where: "/dev/sda", word: "/dev/sda and /dev/snap"},
		{name: "a path and its multipath device", all: []found{on("/dev/sda", "1", "dm-0"), on("/dev/dm-0", "2")}, state: StoreWaiting, where: "/dev/dm-0"},
		{name: "stopped by an operator", all: []found{sda}, seen: was, state: StoreStopped, where: "/dev/sda"},
		{name: "back after it was stopped", all: []found{on("/dev/sda", "2")}, seen: was, state: StoreWaiting, where: "/dev/sda"},
		{name: "failed, the disk is gone", pools: failed, state: StoreFailed, where: "/dev/sda"},
		{name: "failed, the disk is held", all: []found{sda}, pools: failed, held: "/dev/sda", state: StoreFailed, where: "/dev/sda"},
		// A snapshot of the store was taken for the disk that came back: older data would be served.
		{name: "failed, held, and a snapshot", all: []found{snap}, pools: failed, held: "/dev/sda", state: StoreFailed, where: "/dev/sda"},
		{name: "failed, back elsewhere", all: []found{sdb}, pools: failed, state: StoreReturned, where: "/dev/sdb"},
		{name: "failed, two claim to be back", all: []found{sdb, sdc}, pools: failed, state: StoreAmbiguous, where: "/dev/sda", word: "/dev/sdb and /dev/sdc"},
		{name: "a disk that does not answer", all: bad(errSilent), state: StoreBroken, where: "/dev/sda", word: "does not answer"},
		{name: "a disk that cannot be read", all: bad(errors.New("i/o\nerror")), state: StoreBroken, where: "/dev/sda", word: "i/o error"},
	}
}

func TestPlan(t *testing.T) {
	for _, c := range planCases(t) {
		t.Run(c.name, func(t *testing.T) {
			list := plan(c.all, c.pools, c.seen, func(path string) bool { return path == c.held })
			require.Len(t, list, 1)
			require.Equal(t, c.state, list[0].State, list[0].Reason)
			require.Equal(t, c.where, list[0].Device)
			require.Contains(t, list[0].Reason, c.word)
			require.NotEmpty(t, list[0].key)
		})
	}
}
