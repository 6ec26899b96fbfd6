// SPDX-License-Identifier: Apache-2.0

// Promise (R5.11): members compare themselves while they are used. What was planted is found, all of it and nothing
// else, on whichever leg it lies; a repair makes the wrong copy right by the rules of a return; a write under way is
// never taken for a difference; a comparison ends, waits or goes on whatever happens to nodes.
//
//	client0 --- brmr0 --+--- stor0   <- compares; bytes of its disk change behind its back
//	                    +--- stor1   <- likewise; is killed, ejected
//	                    +--- stor2   (with a majority, and while another leg syncs)

package scenario_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/rig"
)

type (
	verifyStatus struct {
		State       string        `json:"state"`
		Skipped     []int         `json:"skipped"`
		Done        int64         `json:"done"`
		Total       int64         `json:"total"`
		Rate        int64         `json:"rate"`
		Differences int           `json:"differences"`
		Busy        int           `json:"busy"`
		Repaired    int           `json:"repaired"`
		Verified    int64         `json:"verified"`
		Before      int           `json:"verified_differences"`
		Ranges      []verifyRange `json:"ranges"`
	}
	verifyRange struct {
		Offset  int64 `json:"offset"`
		Length  int64 `json:"length"`
		Members []int `json:"members"`
	}
)

const verifyLimit = time.Minute

func (p *pool) verified(t *testing.T, i int) verifyStatus {
	t.Helper()
	list := ask[verifyStatus](t, p.c.Storage(i), "rmrctl verify show "+p.name)
	require.Len(t, list, 1)
	return list[0]
}

// compare runs a verify on a storage node to its end; the exit code has to say whether there are differences.
func (p *pool) compare(t *testing.T, i int, options string) verifyStatus {
	t.Helper()
	r := within(t, p.c.Storage(i), verifyLimit, fmt.Sprintf("rmrctl verify start %s -w %s", p.name, options))
	s := p.verified(t, i)
	t.Logf("verify of %s/%d %s: %+v", p.name, i, options, s)
	code := 0
	if s.Differences > 0 {
		code = exitDegraded
	}
	require.Equal(t, code, r.Code, r.Stderr)
	require.Equal(t, "done", s.State)
	require.Equal(t, s.Total, s.Done+int64(s.Busy)*mib)
	return s
}

// plant changes blocks of a leg behind the back of everybody.
func (p *pool) plant(t *testing.T, leg int, blocks ...int64) {
	t.Helper()
	f, err := os.OpenFile(p.c.Storage(leg).Disk(p.disk), os.O_RDWR, 0)
	require.NoError(t, err)
	defer f.Close()
	for _, b := range blocks {
		buf := make([]byte, 4096)
		_, err := f.ReadAt(buf, b*4096)
		require.NoError(t, err)
		buf[b%4096] ^= 0x40
		_, err = f.WriteAt(buf, b*4096)
		require.NoError(t, err)
	}
}

// blocksOf lists the blocks of ranges.
func blocksOf(ranges []verifyRange) (list []int64) {
	for _, r := range ranges {
		for b := r.Offset / 4096; b < (r.Offset+r.Length)/4096; b++ {
			list = append(list, b)
		}
	}
	return list
}

func TestVerify(t *testing.T) {
	c := start(t, rig.Storage(3), rig.Client(1), rig.Disks(64*mib, 64*mib, 128*mib, 64*mib, 64*mib))
	two := func(name string, disk int, size int64) *pool {
		return makePool(t, c, pool{name: name, legs: 2, disk: disk, size: size, area: 36 * mib})
	}
	t.Run("planted differences are found and repaired", func(t *testing.T) { plantedOnTwo(t, two("planted", 0, 48*mib)) })
	t.Run("the majority is right", func(t *testing.T) {
		plantedOnThree(t, makePool(t, c, pool{name: "major", legs: 3, disk: 1, size: 48 * mib, area: 36 * mib}))
	})
	t.Run("under a write load", func(t *testing.T) { verifyUnderLoad(t, two("load", 2, 96*mib)) })
	t.Run("written between the digests", func(t *testing.T) { writtenBetweenDigests(t, two("between", 3, 48*mib)) })
	t.Run("stopped and killed", func(t *testing.T) { verifyKilled(t, two("ends", 4, 48*mib)) })
}

func (p *pool) fill(t *testing.T) string {
	t.Helper()
	dev := p.attach(t)
	p.c.Client(0).MustSh(t, fmt.Sprintf("dd if=/dev/urandom of=%s bs=1M count=32 oflag=direct status=none && sync", dev))
	return dev
}

func plantedOnTwo(t *testing.T, p *pool) {
	p.fill(t)
	require.Zero(t, p.compare(t, 0, "").Differences)
	require.NotZero(t, p.verified(t, 0).Verified)
	require.Zero(t, p.verified(t, 1).Verified, "the other member compared nothing by itself")
	refuses(t, p.c.Storage(0), "rmrctl verify start planted --repair --from 0", exitError, "run it where the wrong copy is")
	refuses(t, p.c.Storage(0), "rmrctl verify start planted --repair", exitError, "two copies have no majority")
	refuses(t, p.c.Storage(0), "rmrctl verify start planted --leg 2", exitError, "no such other member")
	events := background(t, p.c.Storage(1), "timeout 30 rmrctl events --count 1000 > /tmp/events || true")
	p.detach(t)
	before := p.data(t, 0)
	for leg, blocks := range [][]int64{{3*256 + 5, 3*256 + 6, 9 * 256, 31*256 + 255}, {0, 47*256 + 255, 20*256 + 17}} {
		p.plant(t, leg, blocks...)
	}
	p.attach(t)
	want := []int64{0, 3*256 + 5, 3*256 + 6, 9 * 256, 20*256 + 17, 31*256 + 255, 47*256 + 255}
	for i := range 2 {
		s := p.compare(t, i, "")
		require.Equal(t, len(want), s.Differences)
		require.Equal(t, want, blocksOf(s.Ranges))
		require.Equal(t, len(want), s.Before, "of the superblock")
		require.Equal(t, exitDegraded, try(t, p.c.Storage(i), "rmrctl verify show planted").Code)
	}
	require.Contains(t, p.c.Storage(1).MustSh(t, "cat /tmp/events"), "verify planted/1 name:planted state:done reason:none differences:7 busy:0")
	require.True(t, events.running())
	// The operator knows: the first half of the pool is right on leg 1, the second on leg 0. A repair takes all of a
	// copy, so leg 0 is made right by hand where leg 1 is wrong.
	p.detach(t)
	p.plant(t, 1, 0, 47*256+255, 20*256+17)
	p.attach(t)
	s := p.compare(t, 0, "--repair --from 1")
	require.Equal(t, 4, s.Differences)
	require.Equal(t, 3, s.Repaired)
	p.waitReturned(t, 0, 1)
	require.Equal(t, "repair", p.device(t).Legs[0].Cause, "nothing failed: the leg left to copy anew")
	require.Zero(t, p.compare(t, 1, "").Differences)
	require.Zero(t, p.compare(t, 0, "").Differences)
	p.detachEqual(t)
	require.NoError(t, sameBytes(before, p.data(t, 0)), "not what was written")
}

// waitReturned waits for a leg that leaves by itself, so many times by now, and comes back.
func (p *pool) waitReturned(t *testing.T, leg, times int) {
	t.Helper()
	log := fmt.Sprintf("test $(dmesg | grep -c 'rmr %s: leg %d: .* -> failed') -ge %d", p.name, leg, times)
	eventually(t, func() bool {
		return try(t, p.c.Client(0), log).Code == 0
	}, ejectLimit, 50*time.Millisecond, "leg %d does not leave", leg)
	p.waitLeg(t, leg, "up-to-date", healLimit)
}

func plantedOnThree(t *testing.T, p *pool) {
	p.fill(t)
	p.detach(t)
	before := p.data(t, 1)
	p.plant(t, 2, 26*256+1, 27*256)
	dev := p.attach(t)
	recording := p.record(t, p.c.Client(0), dev, 15)
	s := p.compare(t, 0, "--repair")
	require.Equal(t, []int64{26*256 + 1, 27 * 256}, blocksOf(s.Ranges))
	require.Equal(t, []int{2}, s.Ranges[0].Members)
	require.Zero(t, s.Repaired, "the copy of the majority was given up")
	s = p.compare(t, 2, "--repair")
	require.Equal(t, []int{0, 1}, s.Ranges[0].Members)
	require.Equal(t, 2, s.Repaired)
	p.waitReturned(t, 2, 1)
	recording.wait(t, time.Minute)
	require.Zero(t, p.compare(t, 2, "").Differences)
	// Two of three are wrong in the same place: each is copied from the member that was named, and from no other.
	p.plant(t, 1, 30*256, 31*256+3)
	p.plant(t, 2, 30*256, 30*256+1)
	for _, leg := range []int{2, 1} {
		s = p.compare(t, leg, "--repair --from 0")
		require.NotZero(t, s.Repaired)
		p.waitReturned(t, leg, leg) // leg 2 left before
	}
	require.Zero(t, p.compare(t, 0, "").Differences)
	// A leg that lacks chunks is left out: what it has is known to differ.
	client := p.c.Client(0)
	client.MustSh(t, "rmrctl leg eject major 1")
	p.waitLeg(t, 1, "failed", ejectLimit)
	client.MustSh(t, fmt.Sprintf("dd if=/dev/urandom of=%s bs=1M count=24 oflag=direct status=none", dev))
	p.c.Storage(1).MustSh(t, "rmrctl resync limit major 64K --floor 64K")
	client.MustSh(t, "rmrctl leg return major 1")
	p.waitLeg(t, 1, "syncing", healLimit)
	age := p.verified(t, 0).Verified
	s = p.compare(t, 0, "")
	require.Zero(t, s.Differences)
	require.Equal(t, []int{1}, s.Skipped)
	require.Equal(t, age, s.Verified, "not all were compared")
	p.c.Storage(1).MustSh(t, "rmrctl verify start major")
	require.Equal(t, "waiting", p.verified(t, 1).State)
	p.c.Storage(1).MustSh(t, "rmrctl resync limit major none --floor 4M")
	eventually(t, func() bool { return p.verified(t, 1).State == "done" }, healLimit, 200*time.Millisecond)
	require.Zero(t, p.verified(t, 1).Differences)
	// 24 MiB were written over, and the recorder has its part; the rest is what it was.
	p.finishWith(t)
	require.NoError(t, sameBytes(before[24*mib:32*mib], p.data(t, 2)[24*mib:32*mib]), "a repair took the wrong copy")
}

// latency is the mean of completion times of a load, in microseconds.
func latency(t *testing.T, n *rig.Node, dev string, seconds int, options ...string) float64 {
	t.Helper()
	options = append(options, "--time_based", fmt.Sprintf("--runtime=%d", seconds), "--output-format=json")
	var report struct {
		Jobs []struct {
			Write struct {
				Latency struct {
					Mean float64 `json:"mean"`
				} `json:"clat_ns"`
			} `json:"write"`
		} `json:"jobs"`
	}
	out := n.MustSh(t, fio(dev, options...))
	require.NoError(t, json.Unmarshal([]byte(out), &report), out)
	require.Len(t, report.Jobs, 1)
	return report.Jobs[0].Write.Latency.Mean / 1e3
}

// verifyUnderLoad: both members compare again and again while blocks are written everywhere, a part of the pool all
// the time.
func verifyUnderLoad(t *testing.T, p *pool) {
	dev, client := p.fill(t), p.c.Client(0)
	seconds := 30
	if everyCase() {
		seconds = 600
	}
	begin := time.Now()
	s := p.compare(t, 0, "")
	t.Logf("idle: %.0f MB/s", float64(s.Total)/1e6/time.Since(begin).Seconds())
	quiet := latency(t, client, dev, 5, "--rw=randwrite --bs=4k --iodepth=1 --size=64m")
	for i := range 2 {
		p.c.Storage(i).MustSh(t, "rmrctl verify start load")
	}
	during := latency(t, client, dev, 5, "--rw=randwrite --bs=4k --iodepth=1 --size=64m")
	t.Logf("4k write latency: %.0f us alone, %.0f us while both members compare, ratio %.2f, at %d B/s", quiet, during, during/quiet,
		p.verified(t, 0).Rate)
	for i := range 2 {
		p.c.Storage(i).MustSh(t, "rmrctl verify stop load")
	}
	load := background(t, client, fio(dev, "--rw=randwrite --bsrange=4k-64k --blockalign=4k --iodepth=16 --size=48m --rate=8m",
		fmt.Sprintf("--time_based --runtime=%d", seconds)))
	hot := background(t, client, fio(dev, "--rw=write --bs=4k --iodepth=4 --offset=60m --size=1m", fmt.Sprintf("--time_based --runtime=%d", seconds)))
	passes, busy := 0, 0
	for load.running() {
		for i := range 2 {
			s := p.compare(t, i, "")
			require.Zero(t, s.Differences, "a write under way was taken for a difference")
			require.Less(t, s.Busy, 48, "hardly anything was compared")
			passes++
			busy += s.Busy
		}
	}
	t.Logf("%d passes, %d chunks busy", passes, busy)
	require.Greater(t, passes, 1)
	load.wait(t, time.Minute)
	hot.wait(t, time.Minute)
	p.detachEqual(t)
}

// writtenBetweenDigests: a write comes after a member has read its data and before the other one reads.
func writtenBetweenDigests(t *testing.T, p *pool) {
	dev, stor := p.fill(t), p.c.Storage(0)
	trigger(t, stor, "verify 0 1 5-5 hold")
	stor.MustSh(t, "rmrctl verify start between")
	waitTrigger(t, stor, "verify")
	p.c.Client(0).MustSh(t, fmt.Sprintf("dd if=/dev/urandom of=%s bs=4k count=3 seek=%d oflag=direct status=none", dev, 5*256+9))
	trigger(t, stor, "release")
	eventually(t, func() bool { return p.verified(t, 0).State == "done" }, verifyLimit, 100*time.Millisecond)
	s := p.verified(t, 0)
	require.Zero(t, s.Differences, "a write under way was taken for a difference: %+v", s)
	require.Zero(t, s.Busy)
	trigger(t, stor, "clear")
	p.detachEqual(t)
}

// verifyKilled: a verify is stopped, and nodes die during one.
func verifyKilled(t *testing.T, p *pool) {
	dev, client := p.fill(t), p.c.Client(0)
	stor, other := p.c.Storage(0), p.c.Storage(1)
	require.Zero(t, p.compare(t, 0, "").Differences)
	age := p.verified(t, 0).Verified
	require.NotZero(t, age)
	slow := "rmrctl verify start ends --rate 4M"
	stor.MustSh(t, slow)
	refuses(t, stor, slow, exitRefused, "a verify is under way")
	time.Sleep(time.Second)
	stor.MustSh(t, "rmrctl verify stop ends")
	s := p.verified(t, 0)
	require.Equal(t, "stopped", s.State)
	require.Less(t, s.Done, s.Total)
	require.Equal(t, age, s.Verified)
	// The other member dies: what is left is compared when it is back.
	stor.MustSh(t, slow)
	recording := p.record(t, client, dev, 10)
	require.NoError(t, other.Kill())
	p.waitLeg(t, 1, "failed", ejectLimit)
	eventually(t, func() bool { return p.verified(t, 0).State == "waiting" }, verifyLimit, 100*time.Millisecond)
	p.restart(t, 1)
	p.waitLeg(t, 1, "up-to-date", healLimit)
	eventually(t, func() bool { return p.verified(t, 0).State == "done" }, verifyLimit, 100*time.Millisecond)
	require.Zero(t, p.verified(t, 0).Differences)
	recording.wait(t, time.Minute)
	// The member that compares dies, and knows when it last did.
	stor.MustSh(t, slow)
	time.Sleep(time.Second)
	require.NoError(t, stor.Kill())
	p.waitLeg(t, 0, "failed", ejectLimit)
	p.restart(t, 0)
	allUpToDate(t, p)
	s = p.verified(t, 0)
	require.Equal(t, "none", s.State)
	require.GreaterOrEqual(t, s.Verified, age)
	// A pool stops during a verify.
	other.MustSh(t, strings.ReplaceAll(slow, "4M", "1M"))
	p.finishWith(t)
	other.MustSh(t, "rmrctl pool stop ends")
}
