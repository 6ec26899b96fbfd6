// SPDX-License-Identifier: Apache-2.0

package storaged

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/rmrnl/rmrnltest"
	"github.com/rmr-block/rmr/pkg/pool"
)

// splitDisks are the two devices of a store.
func splitDisks(t *testing.T, name string, store byte) (md, data *disk) {
	t.Helper()
	sb := superblock(t, name, store)
	sb.FeatIncompat, sb.DataSize, sb.DataLabel = pool.FeatIncompatExtMD, diskSize, id(0x77)
	md, data = &disk{content: make([]byte, diskSize)}, &disk{content: make([]byte, diskSize)}
	b, err := sb.Encode()
	require.NoError(t, err)
	for i := range pool.SuperblockCopies {
		off, _ := pool.SuperblockOff(diskSize, i)
		copy(md.content[off:], b)
	}
	stub, err := (&pool.Stub{Pool: sb.Pool, Store: sb.Store, Label: sb.DataLabel, DataSize: diskSize}).Encode()
	require.NoError(t, err)
	off, ok := pool.StubOff(diskSize, sb.PoolSize)
	require.True(t, ok)
	copy(data.content[off:], stub)
	return md, data
}

func planned(t *testing.T, w *world) []Store {
	t.Helper()
	s := newScanner(w.sys, w.open)
	devs, err := s.devices(DefaultConfig())
	require.NoError(t, err)
	return plan(pairs(s.probe(devs)), nil, memory{}, func(string) bool { return false })
}

// A store on two devices did not come up at boot: its metadata alone is no store.
func TestTwoDevicesOfAStoreAreFound(t *testing.T) {
	w := newWorld(t, rmrnltest.State{})
	md, data := splitDisks(t, "vol1", 0x21)
	w.plug("sda", md)
	list := planned(t, w)
	require.Len(t, list, 1)
	require.Equal(t, StoreAmbiguous, list[0].State)
	require.Contains(t, list[0].Reason, "--metadata-device /dev/sda")
	w.plug("sdb", data)
	_, other := splitDisks(t, "vol2", 0x22)
	w.plug("sdc", other) // the data of a store whose metadata is not here
	list = planned(t, w)
	require.Len(t, list, 1)
	require.Equal(t, Store{
		Pool: "vol1", UUID: list[0].UUID, StoreUUID: list[0].StoreUUID, Device: "/dev/sdb", MDDevice: "/dev/sda", State: StoreWaiting, key: list[0].key,
	}, list[0])
	w.plug("sdd", &disk{content: append([]byte{}, data.content...)}) // a copy of the data
	list = planned(t, w)
	require.Len(t, list, 1)
	require.Equal(t, StoreAmbiguous, list[0].State)
	require.Contains(t, list[0].Reason, "2 claim")
}
