// SPDX-License-Identifier: Apache-2.0

// Promise: with data checksums, what is harmed between the client and a disk is not stored, on any leg and in a resync
// alike; it is sent again, and a leg that never gets it unharmed goes. Nothing is refused that is not harmed, and a
// program that changes data while it is written leaves legs that are equal.
//
//	client0 --- brmr0 --+--- stor0
//	                    +--- stor1

package scenario_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/rig"
)

func TestDataChecksums(t *testing.T) {
	c := start(t, rig.Storage(2), rig.Client(1), rig.Disks(64*mib, 64*mib, 64*mib, 64*mib, 64*mib))
	t.Run("nothing good is refused", func(t *testing.T) { nothingGoodRefused(t, checkedPool(t, c, 0)) })
	t.Run("harmed on each leg", func(t *testing.T) { harmedOnEachLeg(t, checkedPool(t, c, 1)) })
	t.Run("harmed for good", func(t *testing.T) { harmedForGood(t, checkedPool(t, c, 2)) })
	t.Run("harmed in a resync", func(t *testing.T) { harmedInResync(t, checkedPool(t, c, 3)) })
	t.Run("a buffer that changes", func(t *testing.T) { restless(t, checkedPool(t, c, 4)) })
}

// checkedPool is a pool of two legs with data checksums.
func checkedPool(t *testing.T, c *rig.Cluster, disk int) *pool {
	t.Helper()
	p := &pool{c: c, name: fmt.Sprintf("crc%d", disk), legs: 2, disk: disk, size: 48 * mib}
	for i := range 2 {
		command := fmt.Sprintf("rmrctl pool create %s --size %d --data-checksums", p.name, p.size)
		if i > 0 {
			command = fmt.Sprintf("rmrctl pool join %s --peer %s", p.name, c.Storage(0).Address())
		}
		c.Storage(i).MustSh(t, command+" --device "+c.Storage(i).DiskDevice(disk))
		require.True(t, p.member(t, i).Checksums)
	}
	return p
}

// refusedData is how many messages each side found harmed: the legs by the client's count, the members by their own.
func refusedData(t *testing.T, p *pool) (legs, members [2]uint64) {
	t.Helper()
	for i := range 2 {
		legs[i], members[i] = p.device(t).Legs[i].Counters.BadData, p.member(t, i).BadData
	}
	return legs, members
}

func nothingGoodRefused(t *testing.T, p *pool) {
	dev, client := p.attach(t), p.c.Client(0)
	recording := p.record(t, client, dev, 5)
	client.MustSh(t, fio(dev, verified, "--rw=randrw --bsrange=512-128k --bs_unaligned=0 --blockalign=512 --iodepth=16 --size=20m --fsync=16"))
	client.MustSh(t, fmt.Sprintf("mkfs.ext4 -q -F %s 20M && mkdir -p /mnt && mount %s /mnt && cp /usr/sbin/rmr-recorder /mnt/a && sync && cmp /usr/sbin/rmr-recorder /mnt/a; umount /mnt && e2fsck -fn %s", dev, dev, dev))
	recording.wait(t, time.Minute)
	legs, members := refusedData(t, p)
	require.Equal(t, [4]uint64{}, [4]uint64{legs[0], legs[1], members[0], members[1]}, "good data was refused")
	p.finishWith(t)
}

func harmedOnEachLeg(t *testing.T, p *pool) {
	dev, client := p.attach(t), p.c.Client(0)
	recording := p.record(t, client, dev, 4)
	for i := range 2 {
		for _, nth := range []int{2, 9, 10, 40} {
			trigger(t, p.c.Storage(i), fmt.Sprintf("data %d write %d 0-19 corrupt", i, nth+i))
		}
	}
	client.MustSh(t, fio(dev, verified, "--rw=randwrite --bsrange=4k-128k --blockalign=4k --iodepth=8 --size=16m"))
	recording.wait(t, time.Minute)
	legs, members := refusedData(t, p)
	require.Equal(t, [2]uint64{4, 4}, legs)
	require.Equal(t, [2]uint64{4, 4}, members)
	for i := range 2 {
		p.neverFailed(t, i)
		p.waitLeg(t, i, "up-to-date", healLimit)
		trigger(t, p.c.Storage(i), "clear")
	}
	p.finishWith(t)
}

// harmedForGood: one write never reaches leg 1 unharmed. It is sent four times; then the leg goes, and comes back.
func harmedForGood(t *testing.T, p *pool) {
	dev, client, n := p.attach(t), p.c.Client(0), p.c.Storage(1)
	recording := p.record(t, client, dev, 6)
	for nth := 1; nth <= 4; nth++ {
		trigger(t, n, fmt.Sprintf("data 1 write %d 3-3 corrupt", nth))
	}
	within(t, client, commandLimit, fmt.Sprintf("dd if=/dev/urandom of=%s bs=64k count=1 seek=48 oflag=direct", dev))
	legs, _ := refusedData(t, p)
	require.Equal(t, [2]uint64{0, 4}, legs)
	require.Contains(t, client.MustSh(t, "dmesg"), "rmr "+p.name+": leg 1: up-to-date -> failed")
	p.waitLeg(t, 1, "up-to-date", healLimit)
	recording.wait(t, time.Minute)
	trigger(t, n, "clear")
	p.finishWith(t)
}

func harmedInResync(t *testing.T, p *pool) {
	dev, client, n := p.attach(t), p.c.Client(0), p.c.Storage(1)
	client.MustSh(t, fmt.Sprintf("rmrctl leg eject %s 1", p.name))
	p.waitLeg(t, 1, "failed", ejectLimit)
	recording := p.record(t, client, dev, 2)
	client.MustSh(t, fmt.Sprintf("dd if=/dev/urandom of=%s bs=1M count=16 oflag=direct status=none", dev))
	recording.wait(t, time.Minute)
	for _, nth := range []int{1, 5, 20} {
		trigger(t, n, fmt.Sprintf("copy-data 1 %d corrupt", nth))
	}
	client.MustSh(t, fmt.Sprintf("rmrctl leg return %s 1", p.name))
	p.waitLeg(t, 1, "up-to-date", healLimit)
	_, members := refusedData(t, p)
	require.Equal(t, [2]uint64{0, 3}, members)
	trigger(t, n, "clear")
	p.finishWith(t)
}

// restless: what a leg stores is one state of the buffer, the same on both legs.
func restless(t *testing.T, p *pool) {
	program := filepath.Join(p.c.ShareDir(), "restless")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-o", program, "./restless")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	dev, client := p.attach(t), p.c.Client(0)
	recording := p.record(t, client, dev, 4)
	client.MustSh(t, fmt.Sprintf("/share/restless %s 300", dev))
	recording.wait(t, time.Minute)
	legs, _ := refusedData(t, p)
	t.Logf("legs refused %v writes", legs)
	require.Positive(t, legs[0]+legs[1], "the buffer never changed under a write")
	for i := range 2 {
		p.neverFailed(t, i)
		p.waitLeg(t, i, "up-to-date", healLimit)
	}
	p.finishWith(t)
}
