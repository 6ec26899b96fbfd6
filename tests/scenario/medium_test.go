// SPDX-License-Identifier: Apache-2.0

// Promise: an unreadable block is put right where it is, from a leg that has it, and never over something newer; one
// bad sector costs no leg; a disk that fails too often leaves once, if its policy says so, and comes back by an
// operator's word alone; a disk that does not answer holds nobody for long, and nothing but itself. Disks are
// device-mapper targets: dust (unreadable blocks that a write cures), error, a suspended device.
//
//	client0 --- brmr0 --+--- stor0 /dev/ubda..
//	                    +--- stor1 /dev/mapper/bad over /dev/ubda..

package scenario_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/rig"
)

const (
	// hungLimit: the deadline of the disk (3 s), what its ring of times is coarse by, a keepalive and the way to the client.
	hungLimit = 6 * time.Second
	// answerLimit of a command that meets a disk that does not answer.
	answerLimit = 10 * time.Second
)

func mediumCluster(t *testing.T, disks int) *rig.Cluster {
	t.Helper()
	sizes := make([]int64, disks)
	for i := range sizes {
		sizes[i] = 64 * mib
	}
	c := start(t, rig.Storage(2), rig.Client(1), rig.Disks(sizes...),
		rig.AllowLog("I/O error, dev dm-", "Buffer I/O error on dev dm-", "lost async page write"))
	c.Storage(1).MustSh(t, "modprobe dm_mod && modprobe dm_dust && modprobe dm_delay")
	return c
}

// dust makes blocks of 4 KiB of the bad part of leg 1's disk unreadable, as many as told, 28 KiB apart.
func dust(t *testing.T, p *pool, blocks int) {
	t.Helper()
	n := p.c.Storage(1)
	table(t, p, part(n.DiskDevice(p.disk), fmt.Sprintf("dust %s %d 4096", n.DiskDevice(p.disk), badStart)))
	n.MustSh(t, fmt.Sprintf("for b in $(seq %d 7 %d); do dmsetup message %s %d addbadblock $b; done > /dev/null; dmsetup message %s %d enable",
		badStart/8, badStart/8+7*(blocks-1), p.name, badStart, p.name, badStart))
}

// badBlocks is how many blocks are still unreadable.
func badBlocks(t *testing.T, p *pool) string {
	t.Helper()
	n := p.c.Storage(1)
	out := n.MustSh(t, fmt.Sprintf("dmsetup message %s %d countbadblocks", p.name, badStart))
	return strings.TrimPrefix(strings.TrimSpace(out), "countbadblocks: ")
}

// readAll reads the first 20 MiB until leg 1 was asked for everything, and compares it with what was written.
func readAll(t *testing.T, p *pool, dev string) {
	t.Helper()
	p.c.Client(0).MustSh(t, fmt.Sprintf("for i in $(seq 6); do dd if=%s bs=64k count=320 iflag=direct status=none | md5sum > /tmp/got; cmp /tmp/want /tmp/got || exit 1; done", dev))
}

func fill(t *testing.T, p *pool, dev string) {
	t.Helper()
	p.c.Client(0).MustSh(t, fmt.Sprintf("dd if=/dev/urandom of=%s bs=1M count=20 oflag=direct status=none && sync && dd if=%s bs=1M count=20 iflag=direct status=none | md5sum > /tmp/want", dev, dev))
}

func (p *pool) leg1(t *testing.T) legStatus { return p.device(t).Legs[1] }

func (p *pool) policy(t *testing.T, policy string) {
	t.Helper()
	p.c.Storage(1).MustSh(t, fmt.Sprintf("rmrctl disk policy %s --leg 1 --on-error %s", p.name, policy))
	require.Equal(t, policy, p.member(t, 1).Disk.OnError)
}

func TestReadRepair(t *testing.T) {
	c := mediumCluster(t, 4)
	t.Run("one bad sector is rewritten", func(t *testing.T) { oneBadSector(t, badPool(t, c, 0, "")) })
	t.Run("many under load", func(t *testing.T) { manyBadSectors(t, badPool(t, c, 1, "")) })
	t.Run("never over a newer write", func(t *testing.T) { repairAndWrite(t, badPool(t, c, 2, "")) })
	t.Run("passed on", func(t *testing.T) { passedOn(t, badPool(t, c, 3, "")) })
}

func oneBadSector(t *testing.T, p *pool) {
	dev := p.attach(t)
	fill(t, p, dev)
	p.policy(t, "detach") // one sector is no reason to leave
	dust(t, p, 1)
	recording := p.record(t, p.c.Client(0), dev, 2)
	eventually(t, func() bool { readAll(t, p, dev); return p.leg1(t).Counters.Repairs > 0 }, healLimit, 50*time.Millisecond, "nothing was written back")
	require.Equal(t, "0 badblock(s) found", badBlocks(t, p))
	leg, member := p.leg1(t), p.member(t, 1)
	p.waitLeg(t, 1, "up-to-date", healLimit)
	p.neverFailed(t, 1)
	require.Zero(t, leg.Counters.Unrepaired)
	require.Positive(t, member.Disk.ReadErrors)
	require.Equal(t, 1, member.Disk.FailedPlaces)
	require.False(t, member.Disk.Left)
	require.Contains(t, try(t, p.c.Client(0), "rmrctl explain "+p.name).Stdout, "ranges were written back")
	recording.wait(t, time.Minute)
	p.finishWith(t)
}

func manyBadSectors(t *testing.T, p *pool) {
	dev := p.attach(t)
	fill(t, p, dev)
	dust(t, p, 40)
	recording := p.record(t, p.c.Client(0), dev, 4)
	readAll(t, p, dev)
	// What came while every slot was busy is found by the next read of it.
	eventually(t, func() bool { readAll(t, p, dev); return badBlocks(t, p) == "0 badblock(s) found" }, healLimit, 100*time.Millisecond)
	recording.wait(t, time.Minute)
	leg := p.leg1(t)
	t.Logf("%d reads failed, %d ranges written back, %d not", leg.Counters.ReadErrors, leg.Counters.Repairs, leg.Counters.Unrepaired)
	require.Equal(t, "up-to-date", leg.State)
	p.finishWith(t)
}

// repairAndWrite: the repair stops on its way to leg 1's disk. A write of the application to the block waits for it,
// else the older data of the repair would come after it (F_REPAIR).
func repairAndWrite(t *testing.T, p *pool) {
	dev, client, n := p.attach(t), p.c.Client(0), p.c.Storage(1)
	fill(t, p, dev)
	dust(t, p, 1)
	trigger(t, n, "write-arrived 1 write 1 10-10 hold")
	// Several at once, so that both legs are asked.
	reading := background(t, client, fio(dev, fmt.Sprintf("--rw=randread --bs=4k --iodepth=8 --offset=%d --size=28k --time_based --runtime=5", badStart*512)))
	waitTrigger(t, n, "write-arrived")
	// What is held there holds up all that goes to stor1; the other leg would get the write if it were sent.
	trigger(t, p.c.Storage(0), "write-arrived 0 write 1 10-10 delay 1")
	writing := background(t, client, fmt.Sprintf("dd if=/dev/urandom of=%s bs=4k count=1 seek=%d oflag=direct status=none", dev, badStart/8))
	time.Sleep(time.Second)
	require.True(t, writing.running(), "a write overtook the repair of its range")
	require.NotZero(t, try(t, p.c.Storage(0), "grep -q fired$ "+triggers).Code, "a write was sent while its range was being repaired")
	trigger(t, n, "release")
	writing.wait(t, commandLimit)
	require.Zero(t, try(t, p.c.Storage(0), "grep -q fired$ "+triggers).Code)
	reading.wait(t, commandLimit)
	trigger(t, n, "clear")
	trigger(t, p.c.Storage(0), "clear")
	recording := p.record(t, client, dev, 2)
	recording.wait(t, time.Minute)
	p.finishWith(t)
}

func passedOn(t *testing.T, p *pool) {
	dev := p.attach(t)
	fill(t, p, dev)
	p.policy(t, "pass-on")
	dust(t, p, 20)
	readAll(t, p, dev)
	leg, member := p.leg1(t), p.member(t, 1)
	require.Positive(t, leg.Counters.ReadErrors)
	require.Zero(t, leg.Counters.Repairs+leg.Counters.Unrepaired)
	require.Equal(t, "20 badblock(s) found", badBlocks(t, p))
	require.Zero(t, member.Disk.FailedPlaces)
	require.Equal(t, "up-to-date", leg.State)
	trigger(t, p.c.Storage(1), "disk 1 write 1 0-0 fail -5")
	p.c.Client(0).MustSh(t, fmt.Sprintf("dd if=/dev/urandom of=%s bs=4k count=1 oflag=direct status=none", dev))
	require.Equal(t, uint64(1), p.member(t, 1).Missed)
	require.Zero(t, p.member(t, 1).Disk.WriteRetries)
	p.waitLeg(t, 1, "up-to-date", healLimit)
	trigger(t, p.c.Storage(1), "clear")
	recording := p.record(t, p.c.Client(0), dev, 2)
	recording.wait(t, time.Minute)
	table(t, p, good(p.c.Storage(1).DiskDevice(p.disk)))
	p.finishWith(t)
}

func TestDiskPolicies(t *testing.T) {
	c := mediumCluster(t, 5)
	t.Run("a write is tried again", func(t *testing.T) { triedAgain(t, badPool(t, c, 0, "")) })
	t.Run("one bad sector for good", func(t *testing.T) { oneForGood(t, badPool(t, c, 1, "")) })
	t.Run("leaves once", func(t *testing.T) { leavesOnce(t, badPool(t, c, 2, "")) })
	t.Run("the last leg stays", func(t *testing.T) { lastStays(t, badPool(t, c, 3, "")) })
	t.Run("hung", func(t *testing.T) { hungDisk(t, badPool(t, c, 4, "")) })
}

func triedAgain(t *testing.T, p *pool) {
	dev, client, n := p.attach(t), p.c.Client(0), p.c.Storage(1)
	fill(t, p, dev)
	recording := p.record(t, client, dev, 4)
	write := fmt.Sprintf("dd if=/dev/urandom of=%s bs=64k count=1 oflag=direct status=none", dev)
	trigger(t, n, "disk 1 write 1 0-0 fail -5")
	client.MustSh(t, write)
	m := p.member(t, 1)
	require.Equal(t, [3]uint64{1, 1, 0}, [3]uint64{m.Disk.WriteErrors, m.Disk.WriteRetries, m.Missed})
	require.Equal(t, "up-to-date", p.leg1(t).State)
	trigger(t, n, "disk 1 write-zeroes 1 0-0 fail -5")
	client.MustSh(t, "blkdiscard --zeroout --length 65536 "+dev)
	m = p.member(t, 1)
	require.Equal(t, [3]uint64{2, 2, 0}, [3]uint64{m.Disk.WriteErrors, m.Disk.WriteRetries, m.Missed})
	trigger(t, n, "disk 1 write 1 0-0 fail -5")
	trigger(t, n, "disk 1 write 2 0-0 fail -5")
	client.MustSh(t, write)
	m = p.member(t, 1)
	require.Equal(t, [3]uint64{3, 2, 1}, [3]uint64{m.Disk.WriteErrors, m.Disk.WriteRetries, m.Missed})
	p.waitLeg(t, 1, "up-to-date", healLimit)
	recording.wait(t, time.Minute)
	trigger(t, n, "clear")
	p.neverFailed(t, 1)
	p.finishWith(t)
}

// oneForGood: a sector that takes no write and gives no read. The leg copies around it for ever, and neither leaves nor comes and goes.
func oneForGood(t *testing.T, p *pool) {
	dev, client, n := p.attach(t), p.c.Client(0), p.c.Storage(1)
	fill(t, p, dev)
	p.policy(t, "detach")
	under := n.DiskDevice(p.disk)
	table(t, p, fmt.Sprintf(`0 %d linear %s 0\n%d 8 error\n%d %d linear %s %d`, badStart, under, badStart, badStart+8, diskSectors-badStart-8, under, badStart+8))
	recording := p.record(t, client, dev, 6)
	client.MustSh(t, fmt.Sprintf("for i in $(seq 20); do dd if=/dev/urandom of=%s bs=4k count=1 seek=%d oflag=direct status=none; dd if=%s of=/dev/null bs=4k count=1 skip=%d iflag=direct status=none; sleep 0.2; done",
		dev, badStart/8, dev, badStart/8))
	leg, m := p.leg1(t), p.member(t, 1)
	require.Equal(t, "syncing", leg.State)
	p.neverFailed(t, 1)
	require.Equal(t, 1, m.Disk.FailedPlaces)
	require.False(t, m.Disk.Left)
	recording.wait(t, time.Minute)
	p.audit(t)
	table(t, p, good(under))
	p.waitLeg(t, 1, "up-to-date", healLimit)
	p.finishWith(t)
}

func leavesOnce(t *testing.T, p *pool) {
	dev, client, n := p.attach(t), p.c.Client(0), p.c.Storage(1)
	fill(t, p, dev)
	p.policy(t, "detach")
	table(t, p, part(n.DiskDevice(p.disk), "error"))
	recording := p.record(t, client, dev, 8)
	client.MustSh(t, fio(dev, verified, "--rw=randwrite --bs=16k --iodepth=8 --size=20m"))
	leg := p.waitLeg(t, 1, "failed", ejectLimit)
	eventually(t, func() bool { return p.leg1(t).Reason == "store-error" }, healLimit, 50*time.Millisecond, "%+v", leg)
	m := p.member(t, 1)
	require.True(t, m.Disk.Left)
	require.Equal(t, [2]string{"failed", "store-error"}, [2]string{m.State, m.Reason})
	require.Contains(t, try(t, client, "rmrctl explain "+p.name).Stdout, "rmrctl disk return "+p.name)
	require.Contains(t, try(t, n, "rmrctl explain "+p.name).Stdout, "left by its policy")
	recording.wait(t, time.Minute)
	p.audit(t)
	// The disk is good again, the node forgot everything it had in memory: nothing comes back by itself.
	table(t, p, good(n.DiskDevice(p.disk)))
	n.MustSh(t, fmt.Sprintf("rmrctl pool stop %s && rmrctl pool assemble /dev/mapper/%s", p.name, p.name))
	time.Sleep(4 * time.Second)
	require.Equal(t, [2]string{"failed", "store-error"}, [2]string{p.leg1(t).State, p.leg1(t).Reason})
	require.Equal(t, uint32(1), p.leg1(t).Ejected, "it came and went")
	n.MustSh(t, "rmrctl disk return "+p.name)
	p.waitLeg(t, 1, "up-to-date", healLimit)
	require.False(t, p.member(t, 1).Disk.Left)
	p.finishWith(t)
}

func lastStays(t *testing.T, p *pool) {
	dev, client := p.attach(t), p.c.Client(0)
	fill(t, p, dev)
	p.policy(t, "detach")
	client.MustSh(t, fmt.Sprintf("rmrctl leg eject %s 0", p.name))
	p.waitLeg(t, 0, "failed", ejectLimit)
	dust(t, p, 40)
	// Every bad block fails for the application: nobody else has it. What is written is readable again.
	try(t, client, fmt.Sprintf("for i in $(seq 0 7 280); do dd if=%s of=/dev/null bs=4k count=1 skip=$((%d+i)) iflag=direct status=none; done", dev, badStart/8))
	m := p.member(t, 1)
	require.GreaterOrEqual(t, m.Disk.FailedPlaces, 8)
	require.False(t, m.Disk.Left, "the last leg left")
	require.Equal(t, "live", p.device(t).State)
	client.MustSh(t, fmt.Sprintf("dd if=/dev/urandom of=%s bs=1M count=20 oflag=direct status=none", dev))
	recording := p.record(t, client, dev, 2)
	recording.wait(t, time.Minute)
	client.MustSh(t, fmt.Sprintf("rmrctl leg return %s 0", p.name))
	p.waitLeg(t, 0, "up-to-date", healLimit)
	p.finishWith(t)
}

// hungDisk: the disk of leg 1 takes requests and answers none. The leg goes before the stall of the client (5 s) would
// find it, commands on its node answer, and it comes back by itself.
func hungDisk(t *testing.T, p *pool) {
	dev, client, n := p.attach(t), p.c.Client(0), p.c.Storage(1)
	fill(t, p, dev)
	recording := p.record(t, client, dev, 12)
	n.MustSh(t, "dmsetup suspend --noflush --nolockfs --noudevsync "+p.name)
	hung := time.Now()
	p.waitLeg(t, 1, "failed", hungLimit)
	show := within(t, n, answerLimit, "rmrctl pool show "+p.name+" -o json")
	require.Equal(t, exitDegraded, show.Code, show.Stderr)
	m := p.member(t, 1)
	require.Positive(t, m.Disk.HungMS)
	t.Logf("hung for %v, known for %d ms", time.Since(hung).Round(time.Millisecond), m.Disk.HungMS)
	stop := within(t, n, answerLimit, "rmrctl pool stop "+p.name+" --force")
	require.Equal(t, exitError, stop.Code)
	require.Contains(t, stop.Stderr, "does not answer; its requests hold the pool")
	require.Contains(t, within(t, n, answerLimit, "rmrctl explain "+p.name).Stdout, "has not answered a request")
	time.Sleep(2 * time.Second)
	require.Equal(t, "failed", p.leg1(t).State)
	n.MustSh(t, "dmsetup resume --noudevsync "+p.name)
	p.waitLeg(t, 1, "up-to-date", healLimit)
	recording.wait(t, time.Minute)
	require.Zero(t, p.member(t, 1).Disk.HungMS)
	p.detachEqual(t)
	require.LessOrEqual(t, p.judge(t).Gap, pauseLimit)
}
