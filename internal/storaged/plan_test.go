// SPDX-License-Identifier: Apache-2.0

package storaged

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/rmrnl"
	"github.com/rmr-block/rmr/pkg/pool"
)

// A disk that was exchanged and is plugged in again was served in the place of the new one after a boot.
func TestReplacedStoreIsLeftAlone(t *testing.T) {
	old, fresh := superblock(t, "vol1", 0x21), superblock(t, "vol1", 0x22)
	claim := pool.Member{Generation: old.Members[old.MemberID].ClaimGeneration()}
	fresh.Members[fresh.MemberID].Generation = claim.Generation
	both := []found{{dev: blockDevice{Path: "/dev/sdb"}, sb: old}, {dev: blockDevice{Path: "/dev/sdc"}, sb: fresh}}
	free := func(string) bool { return false }
	states := func(list []Store) map[string]StoreState { return storeStates(Report{Stores: list}) }
	require.Equal(t, map[string]StoreState{"/dev/sdb": StoreReplaced, "/dev/sdc": StoreWaiting}, states(plan(both, nil, memory{}, free)))

	served := member("vol1", 0x22, "/dev/sdc")
	served.Member[0].Generation = claim.Generation
	list := plan(both[:1], []rmrnl.Pool{served}, memory{}, free)
	require.Equal(t, map[string]StoreState{"/dev/sdb": StoreReplaced, "/dev/sdc": StoreServed}, states(list))
	for _, s := range list {
		require.False(t, s.State.bad())
	}
	// Alone it is all that this node knows.
	require.Equal(t, map[string]StoreState{"/dev/sdb": StoreWaiting}, states(plan(both[:1], nil, memory{}, free)))
}
