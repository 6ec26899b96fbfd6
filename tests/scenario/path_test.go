// SPDX-License-Identifier: Apache-2.0

// Promise: what is written to a mapped pool is on every leg, whichever request changed it, and is
// read back from all of them.
//
//	client0 --- brmr0 ---+--- stor0 /dev/ubdX
//	                     +--- stor1 /dev/ubdX     one pool for each number of legs,
//	                     +--- stor2 /dev/ubdX     on a disk of its own
//	                     +--- stor3 /dev/ubdX

package scenario_test

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/rig"
)

func TestMainPath(t *testing.T) {
	const most = 4
	c := start(t, rig.Storage(most), rig.Client(1), rig.Disks(80*mib, 80*mib, 80*mib, 80*mib))
	for legs := 1; legs <= most; legs++ {
		t.Run(fmt.Sprintf("%d legs", legs), func(t *testing.T) {
			p := makePool(t, c, pool{name: fmt.Sprintf("vol%d", legs), legs: legs, disk: legs - 1, size: 64 * mib})
			dev := p.attach(t)
			t.Run("limits", func(t *testing.T) { checkLimits(t, p) })
			t.Run("verify", func(t *testing.T) { checkVerify(t, p, dev) })
			t.Run("zeros", func(t *testing.T) { checkZeros(t, p, dev) })
			t.Run("flush", func(t *testing.T) { checkFlush(t, p, dev) })
			t.Run("reads are spread", func(t *testing.T) { checkSpread(t, p, dev) })
			p.detachEqual(t)
			for i := range legs {
				m := p.member(t, i)
				require.True(t, m.Clean)
				require.Equal(t, "idle", m.State)
			}
		})
	}
}

// queueLimit reads a limit of a block device's queue.
func queueLimit(t *testing.T, n *rig.Node, disk, name string) int64 {
	t.Helper()
	v, err := strconv.ParseInt(n.MustSh(t, fmt.Sprintf("cat /sys/block/%s/queue/%s", disk, name)), 10, 64)
	require.NoError(t, err)
	return v
}

// checkLimits: the device promises only what every leg keeps, and pages that do not change while
// the legs read them one after the other.
func checkLimits(t *testing.T, p *pool) {
	client, disk := p.c.Client(0), p.device(t).Device[len("/dev/"):]
	require.EqualValues(t, 1, queueLimit(t, client, disk, "stable_writes"))
	client.MustSh(t, fmt.Sprintf("test $(blockdev --getsize64 /dev/%s) = %d", disk, p.size))
	for _, name := range []string{"logical_block_size", "physical_block_size", "minimum_io_size"} {
		var most int64
		for i := range p.legs {
			most = max(most, queueLimit(t, p.c.Storage(i), "ubd"+string(rune('a'+p.disk)), name))
		}
		require.Equal(t, most, queueLimit(t, client, disk, name), name)
	}
	require.Positive(t, queueLimit(t, client, disk, "discard_max_bytes"))
	require.Positive(t, queueLimit(t, client, disk, "write_zeroes_max_bytes"))
	require.Equal(t, "write back", client.MustSh(t, fmt.Sprintf("cat /sys/block/%s/queue/write_cache", disk)))
}

// checkVerify: random writes of 4 KiB to 256 KiB, discards among them, are all read back.
func checkVerify(t *testing.T, p *pool, dev string) {
	client := p.c.Client(0)
	client.MustSh(t, fio(dev, verified, "--rw=randwrite --bsrange=4k-256k --blockalign=4k --iodepth=32 --size=64m"))
	mixed := fio(dev, verified, "--rw=randwrite --bsrange=4k-64k --blockalign=4k --iodepth=32 --size=32m") +
		" --name=trim --filename=" + dev + " --ioengine=libaio --direct=1 --rw=randtrim --offset=32m --bs=16k --iodepth=32 --size=32m --io_size=16m --verify=0"
	client.MustSh(t, mixed)
	require.GreaterOrEqual(t, p.member(t, 0).Counters.Discards, uint64(1024), "discards that fio sent")
}

// checkZeros: DISCARD and WRITE_ZEROES read as zeros, next to data that stays.
func checkZeros(t *testing.T, p *pool, dev string) {
	p.c.Client(0).MustSh(t, fmt.Sprintf(`
		dd if=/dev/urandom of=/tmp/want bs=1M count=16 status=none
		dd if=/tmp/want of=%[1]s bs=1M oflag=direct status=none
		zero() { dd if=/dev/zero of=/tmp/want bs=4k seek=$1 count=$2 conv=notrunc status=none; }
		blkdiscard -o $((64*4096)) -l $((700*4096)) %[1]s; zero 64 700
		blkdiscard -z -o $((1031*4096)) -l $((517*4096)) %[1]s; zero 1031 517
		blkdiscard -z -o $((2000*4096)) -l 4096 %[1]s; zero 2000 1
		dd if=%[1]s of=/tmp/got bs=1M count=16 iflag=direct status=none
		cmp /tmp/want /tmp/got`, dev))
}

// checkFlush: a flush of the application reaches the store of every leg, and FUA writes verify.
func checkFlush(t *testing.T, p *pool, dev string) {
	flushes := make([]uint64, p.legs)
	for i := range flushes {
		flushes[i] = p.member(t, i).Counters.Flushes
	}
	p.c.Client(0).MustSh(t, fio(dev, verified, "--rw=randwrite --bs=4k --iodepth=8 --size=2m --fsync=8"))
	for i := range flushes {
		require.GreaterOrEqual(t, p.member(t, i).Counters.Flushes, flushes[i]+63, "flushes of leg %d", i)
	}
	p.c.Client(0).MustSh(t, fio(dev, verified, "--rw=randwrite --bs=4k --iodepth=8 --size=2m --sync=dsync"))
}

// checkSpread: no up-to-date leg is left out by reads.
func checkSpread(t *testing.T, p *pool, dev string) {
	before := p.device(t).Legs
	p.c.Client(0).MustSh(t, fio(dev, "--rw=randread --bs=4k --iodepth=16 --size=64m --io_size=16m"))
	after, sum := p.device(t).Legs, uint64(0)
	for i := range after {
		sum += after[i].Counters.Reads - before[i].Counters.Reads
	}
	for i := range after {
		n := after[i].Counters.Reads - before[i].Counters.Reads
		t.Logf("leg %d: %d of %d reads", after[i].ID, n, sum)
		require.Greater(t, n, sum/uint64(10*p.legs), "reads of leg %d", after[i].ID)
	}
}
