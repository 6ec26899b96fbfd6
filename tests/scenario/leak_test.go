// SPDX-License-Identifier: Apache-2.0

// Promise: mapping and unmapping, loading and unloading leave nothing behind, however often.
//
//	client0 --- brmr0 --+--- stor0 /dev/ubda
//	                    +--- stor1 /dev/ubda
//
// The debug kernel watches: KASAN, lockdep, object and reference checks in the log, kmemleak, the
// slab caches and the reference counts of the modules.

package scenario_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/rig"
)

// slabSlack is what a slab cache may grow by: caches of the system breathe, by 30 objects at times; one of
// ours that leaks grows by an object each round.
const slabSlack = 50

// loopRounds is how often each loop runs.
func loopRounds() int {
	if everyCase() {
		return 100
	}
	return slabSlack + 10
}

func TestNothingIsLeftBehind(t *testing.T) {
	// With checks of consistency no slab belongs to a processor, whose free objects would count as used.
	c := start(t, rig.Debug(), rig.Storage(2), rig.Client(1), rig.Disks(32*mib), rig.KernelArgs("slab_debug=F"))
	p := makePool(t, c, pool{name: "loop", legs: 2, disk: 0, size: 16 * mib})
	t.Run("commands for legs and resync", func(t *testing.T) { everyOtherCommand(t, p) })
	t.Run("map and unmap", func(t *testing.T) {
		leavesNothing(t, c, func(n int) {
			c.Client(0).MustSh(t, fmt.Sprintf(`for i in $(seq %d); do
				dev=$(%s) && dd if=/dev/urandom of=$dev bs=64k count=4 oflag=direct status=none && brmr unmap loop || exit 1
			done`, n, p.mapCommand()))
		})
	})
	t.Run("load and unload", func(t *testing.T) {
		leavesNothing(t, c, func(n int) {
			jobs := []*job{background(t, c.Client(0), fmt.Sprintf(`for i in $(seq %d); do
				modprobe -r brmr_client rmr_rtrs_client rmr && ! lsmod | grep rmr && modprobe brmr_client || exit 1
			done`, n))}
			for i := range 2 {
				jobs = append(jobs, background(t, c.Storage(i), fmt.Sprintf(`for i in $(seq %d); do
					rmrctl pool stop loop && modprobe -r brmr_server rmr_rtrs_server rmr_rtrs_client rmr && ! lsmod | grep rmr &&
					modprobe brmr_server && rmrctl pool assemble %s || exit 1
				done`, n, c.Storage(i).DiskDevice(0))))
			}
			for _, j := range jobs {
				j.wait(t, 10*time.Minute)
			}
		})
	})
	c.Client(0).MustSh(t, "dd if=/dev/urandom of="+p.attach(t)+" bs=1M count=4 oflag=direct status=none")
	p.detachEqual(t)
}

// everyOtherCommand: what the loops do not use. The kernel looks at what it reads.
//
// Bug guarded: handlers shared by commands read attributes behind the end of the array of one of them.
func everyOtherCommand(t *testing.T, p *pool) {
	p.attach(t)
	p.c.Client(0).MustSh(t, "rmrctl leg eject loop 1")
	p.waitLeg(t, 1, "failed", ejectLimit)
	p.c.Client(0).MustSh(t, "rmrctl leg return loop 1")
	p.c.Storage(1).MustSh(t, "rmrctl resync pause loop && rmrctl resync resume loop && rmrctl resync limit loop 50M && rmrctl resync limit loop none && rmrctl resync")
	allUpToDate(t, p)
	p.detach(t)
}

// leavesNothing runs a loop and fails if a node holds more afterwards than before it. A short run comes
// first, so that what the first rounds set up for good does not count. A cache that grew is looked at a second
// time: the kernel fills its own stock once, a leak grows with every round.
func leavesNothing(t *testing.T, c *rig.Cluster, loop func(rounds int)) {
	loop(5)
	before := allHeld(t, c)
	suspects := grownBy(t, c, before, loop)
	if len(suspects) > 0 {
		before = allHeld(t, c)
		again := grownBy(t, c, before, loop)
		for suspect := range suspects {
			assert.NotContains(t, again, suspect, "grew by %d and %d objects in two runs", suspects[suspect], again[suspect])
		}
	}
	require.NoError(t, c.CheckDebug(t.Context()))
}

// grownBy runs the loop and returns the slab caches that grew much, as node and cache.
func grownBy(t *testing.T, c *rig.Cluster, before map[string]holding, loop func(rounds int)) map[string]int {
	t.Helper()
	begin, rounds := time.Now(), loopRounds()
	loop(rounds)
	t.Logf("%d rounds in %v", rounds, time.Since(begin).Round(time.Millisecond))
	grown := map[string]int{}
	for _, n := range c.Nodes() {
		after := heldBy(t, n)
		cache, growth := after.most(before[n.Name()])
		for tries := 0; growth >= slabSlack && tries < 10; tries++ { // what waits for RCU goes, a leak stays
			time.Sleep(2 * time.Second)
			after = heldBy(t, n)
			cache, growth = after.most(before[n.Name()])
		}
		require.Equal(t, before[n.Name()].modules, after.modules, "modules of %s", n.Name())
		t.Logf("%s: slab cache %s grew by %d objects, no other by more", n.Name(), cache, growth)
		for name, objects := range after.slabs {
			if by := objects - before[n.Name()].slabs[name]; by >= slabSlack && name != poolOfFree {
				grown[n.Name()+" "+name] = by
			}
		}
	}
	return grown
}

func allHeld(t *testing.T, c *rig.Cluster) map[string]holding {
	t.Helper()
	held := map[string]holding{}
	for _, n := range c.Nodes() {
		held[n.Name()] = heldBy(t, n)
	}
	return held
}

// poolOfFree is a cache whose objects the kernel keeps for later.
const poolOfFree = "debug_objects_cache"

// holding is what a node's kernel holds.
type holding struct {
	modules string         // name and users of each
	slabs   map[string]int // objects in use
}

// most is the slab cache that grew the most.
func (h holding) most(before holding) (cache string, growth int) {
	for name, objects := range h.slabs {
		if grew := objects - before.slabs[name]; grew > growth && name != poolOfFree {
			cache, growth = name, grew
		}
	}
	return cache, growth
}

func heldBy(t *testing.T, n *rig.Node) holding {
	t.Helper()
	h := holding{slabs: map[string]int{}}
	h.modules = n.MustSh(t, "lsmod | awk '{print $1, $3, $4}' | sort")
	// Shrinking also ends KASAN's quarantine of freed objects, which count as used.
	text := n.MustSh(t, "for f in /sys/kernel/slab/*/shrink; do echo 1 > $f; done; tail -n +3 /proc/slabinfo")
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		require.Greater(t, len(f), 2, line)
		objects, err := strconv.Atoi(f[1])
		require.NoError(t, err, line)
		h.slabs[f[0]] += objects
	}
	// Areas of vmalloc that are free but not handed back yet, as many as 32 MiB of them, stay in the list.
	areas, err := strconv.Atoi(n.MustSh(t, "grep -vc unpurged /proc/vmallocinfo"))
	require.NoError(t, err)
	h.slabs["vmap_area"] = areas
	delete(h.slabs, "kmemleak_object") // kmemleak's own, for each object that it watches
	delete(h.slabs, "kmemleak_scan_area")
	return h
}
