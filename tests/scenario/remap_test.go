// SPDX-License-Identifier: Apache-2.0

// Promise: a client that crashed and booted again maps its pools at once, time after time, though the storage nodes
// still hold the connections of its previous life and refuse queue pair numbers that it uses again.
//
//	client0 --- brmr0 --+--- stor0
//	   ^                +--- stor1
//	   crashes          +--- stor2

package scenario_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/rig"
)

// RTRS's own wait for a connection that it has destroyed already is 30 s, a map was given up after 15 s.
func TestMapsAtOnceAfterCrashes(t *testing.T) {
	const limit = 10 * time.Second
	c := start(t, rig.Storage(3), rig.Client(1), rig.Disks(48*mib))
	p := makePool(t, c, pool{name: "again", legs: 3, disk: 0, size: 40 * mib})
	p.attach(t)
	p.opts = "--takeover"
	rounds := 8
	if everyCase() {
		rounds = 25
	}
	var longest time.Duration
	maps := 0
	for round := range rounds {
		require.NoError(t, c.Client(0).Kill())
		require.NoError(t, c.Client(0).Restart(t.Context()))
		bringUp(t, c.Client(0))
		for i := range 2 + round%3 { // the numbers in use when it crashes differ
			if i > 0 {
				p.detach(t)
			}
			begin := time.Now()
			p.attach(t)
			took := time.Since(begin)
			require.Less(t, took, limit)
			longest = max(longest, took)
			maps++
		}
	}
	t.Logf("longest map of %d: %v", maps, longest)
	p.detach(t)
}
