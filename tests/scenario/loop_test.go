// SPDX-License-Identifier: Apache-2.0

// Promise: a failed allocation, wherever it strikes, is an error or a wait, never a crash, a leak or
// a difference between legs. Transport loop: two members and the client in one kernel.
//
//	stor0: brmr0 ---+--- 192.0.2.1 /dev/ubda
//	                +--- 192.0.2.2 /dev/ubdb

package scenario_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/rig"
)

// placeStep is the distance of two places. A place is the number of bytes that the tasks of a command may take from
// the kmalloc caches before one allocation fails.
const placeStep = 500

func TestFailedAllocations(t *testing.T) {
	c := rig.Start(t, rig.Debug(), rig.Storage(1), rig.Disks(32*mib, 32*mib))
	n := c.Storage(0)
	n.MustSh(t, "modprobe rmr_loop && modprobe rmr_server transport=loop && modprobe brmr_server && modprobe brmr_client")
	n.MustSh(t, "rmrctl pool create vol1 --device /dev/ubda --size 16M --addr 192.0.2.1")
	n.MustSh(t, "rmrctl pool join vol1 --device /dev/ubdb --peer 192.0.2.1 --addr 192.0.2.2 --transport loop")
	// Only tasks that ask for it, only what the modules take too, sleeping allocations as well.
	n.MustSh(t, "cd /sys/kernel/debug/failslab && echo Y > task-filter && echo Y > cache-filter && echo N > ignore-gfp-wait && echo 0 > verbose && "+
		"echo 100 > probability && for f in /sys/kernel/slab/kmalloc-*/failslab; do echo 1 > $f; done")
	mapIt := "brmr map vol1 --node 192.0.2.1 --transport loop"
	use := "dd if=/dev/urandom of=/dev/brmr0 bs=64k count=16 oflag=direct conv=fsync status=none"
	walk(t, n, 40, mapIt, "", "brmr unmap vol1 --force")
	walk(t, n, 5, use, mapIt, "brmr unmap vol1 --force")
	walk(t, n, 10, "brmr unmap vol1", mapIt, "brmr unmap vol1 --force")
	n.MustSh(t, mapIt+" && "+use+" && brmr unmap vol1 && cmp -n 16777216 /dev/ubda /dev/ubdb")
	n.MustSh(t, "rmrctl pool stop vol1 --leg 1 && rmrctl pool stop vol1 && modprobe -r brmr_client brmr_server rmr_loop rmr && ! lsmod | grep rmr")
	require.NoError(t, c.CheckDebug(t.Context()))
}

// walk lets a command fail at one place after the other, until it is through before its allocations reach the
// place. before and after put the node back where it was.
func walk(t *testing.T, n *rig.Node, places int, command, before, after string) {
	t.Helper()
	hit, failed := 0, 0
	for i := range places {
		if before != "" {
			n.MustSh(t, before)
		}
		r := try(t, n, fmt.Sprintf("cd /sys/kernel/debug/failslab; echo %d > space; echo 1 > times; echo 1 > /proc/self/make-it-fail; exec %s",
			i*placeStep, command))
		left := n.MustSh(t, "cd /sys/kernel/debug/failslab; cat times; echo 0 > times")
		if left == "0" {
			hit++
		}
		if r.Code != 0 {
			failed++
			// Any other code: the failure hit the start of the program itself.
			if r.Code == exitError || r.Code == exitRefused {
				require.NotEmpty(t, strings.TrimSpace(r.Stderr), "with %d bytes: exit code %d, no reason given", i*placeStep, r.Code)
			}
		}
		if after != "" {
			try(t, n, after)
		}
		require.Empty(t, n.MustSh(t, "rmrctl device show -o json | grep vol1 || true"), "still mapped")
		if left != "0" {
			break
		}
	}
	t.Logf("%s: %d allocations failed, %d of them failed the command", command, hit, failed)
	require.Positive(t, hit, "no allocation failed")
}

// A dump that met an object larger than a message ended as if there were no more pools. The largest one there is, with
// all members, names and paths as long as they may be, is shown whole, by dump and by name.
func TestPoolWithTheLongestNamesIsShown(t *testing.T) {
	const sectors, mdSectors = 8 << 11, 512
	c := rig.Start(t, rig.Storage(1), rig.Disks(96*mib))
	n := c.Storage(0)
	dir := "/tmp/" + strings.Repeat("p", 120) + "/" + strings.Repeat("q", 120)
	name := strings.Repeat("n", 63)
	n.MustSh(t, "modprobe dm_mod && modprobe rmr_loop && modprobe rmr_server transport=loop && modprobe brmr_server && echo "+strings.Repeat("h", 63)+" > /proc/sys/kernel/hostname && mkdir -p "+dir)
	addr := func(i int) string {
		host := fmt.Sprintf("fe80::%d%%", i+1)
		return host + strings.Repeat("z", 63-len(host))
	}
	for i := range 8 {
		n.MustSh(t, fmt.Sprintf("echo 0 %d linear /dev/ubda %d | dmsetup create --noudevsync d%d && echo 0 %d linear /dev/ubda %d | dmsetup create --noudevsync m%[3]d && dmsetup mknodes && "+
			"ln -s /dev/mapper/d%[3]d %[6]s/d%[3]d && ln -s /dev/mapper/m%[3]d %[6]s/m%[3]d", sectors, i*(sectors+mdSectors), i, mdSectors, i*(sectors+mdSectors)+sectors, dir))
		command := fmt.Sprintf("rmrctl pool join %s --transport loop --peer %s", name, addr(0))
		if i == 0 {
			command = "rmrctl pool create " + name
		}
		n.MustSh(t, fmt.Sprintf("%s --assume-zeroed --device %s/d%d --metadata-device %[2]s/m%[3]d --addr %s,%s", command, dir, i, addr(i), addr(i+100)))
	}
	type shown struct {
		ID      int `json:"member_id"`
		Members []struct {
			Node string   `json:"node"`
			Addr []string `json:"addr"`
		} `json:"members"`
	}
	list := ask[shown](t, n, "rmrctl pool show")
	require.Len(t, list, 8, "the dump ended early")
	for _, s := range list {
		require.Len(t, s.Members, 8)
		for _, m := range s.Members {
			require.Len(t, m.Node, 63)
			require.Len(t, m.Addr, 2)
		}
	}
	require.Len(t, ask[shown](t, n, "rmrctl pool show "+name), 8)
}
