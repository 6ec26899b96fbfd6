// SPDX-License-Identifier: Apache-2.0

// Promise: a resync leaves room for applications, gets room itself, and tells what sets its rate; a leg that comes
// and goes waits longer each time, says so, and returns by itself. Several sources share the work; with digests only
// what differs is copied.
//
//	client0 --- brmr0 --+--- stor0
//	                    +--- stor1   <- ejected by command and let return; its cable is cut again and again
//	                    +--- stor2   (with digests and with several sources: <- its power fails, or it is ejected)

package scenario_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/rig"
)

// resyncStatus is what a storage node says about the resync of its member.
type resyncStatus struct {
	State   string `json:"state"`
	Pace    string `json:"pace"`
	Left    uint64 `json:"left"`
	Copied  uint64 `json:"copied"`
	Rate    uint64 `json:"rate"`
	Limit   uint64 `json:"limit"`
	Floor   uint64 `json:"floor"`
	Target  uint64 `json:"target_ns"`
	Latency uint64 `json:"latency_ns"`
	Equal   uint64 `json:"equal"`
}

func (p *pool) resync(t *testing.T, i int) resyncStatus {
	t.Helper()
	list := ask[resyncStatus](t, p.c.Storage(i), "rmrctl resync show "+p.name)
	require.Len(t, list, 1)
	return list[0]
}

// waitPace polls the resync of a member until its rate is set by one of these.
func (p *pool) waitPace(t *testing.T, i int, paces ...string) resyncStatus {
	t.Helper()
	seen := map[string]bool{}
	for begin := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		s := p.resync(t, i)
		seen[s.Pace] = true
		if slices.Contains(paces, s.Pace) {
			t.Logf("pace %s: %+v", s.Pace, s)
			return s
		}
		require.Less(t, time.Since(begin), detectLimit, "pace is never one of %v, only of %v: %+v", paces, seen, s)
	}
}

func TestResyncConduct(t *testing.T) {
	c := start(t, rig.Storage(2), rig.Client(1), rig.Disks(640*mib, 320*mib, 64*mib))
	t.Run("room for applications", func(t *testing.T) {
		onlyInFull(t)
		roomForApplications(t, makePool(t, c, pool{name: "room", legs: 2, disk: 0, size: 576 * mib}))
	})
	t.Run("what sets the rate", func(t *testing.T) {
		whatSetsTheRate(t, makePool(t, c, pool{name: "pace", legs: 2, disk: 1, size: 256 * mib, area: 248 * mib}))
	})
	t.Run("flapping link", func(t *testing.T) {
		dampedLink(t, makePool(t, c, pool{name: "flap", legs: 2, disk: 2, size: 48 * mib, area: 40 * mib}))
	})
}

// measure runs fio for some seconds and returns I/Os and bytes a second.
func measure(t *testing.T, n *rig.Node, dev string, seconds int, options ...string) (iops, bandwidth float64) {
	t.Helper()
	options = append(options, "--time_based", fmt.Sprintf("--runtime=%d", seconds), "--output-format=json")
	var report struct {
		Jobs []struct {
			Write struct {
				IOPS      float64 `json:"iops"`
				Bandwidth float64 `json:"bw_bytes"`
			} `json:"write"`
		} `json:"jobs"`
	}
	out := n.MustSh(t, fio(dev, options...))
	require.NoError(t, json.Unmarshal([]byte(out), &report), out)
	require.Len(t, report.Jobs, 1)
	return report.Jobs[0].Write.IOPS, report.Jobs[0].Write.Bandwidth
}

// The bounds leave a factor of two to a host that is busy otherwise: the aims are 0.6 and 0.21. All nodes of the rig
// share the host's processors, so a second leg alone, without any resync, takes up to half of the degraded I/Os.
const (
	leastIOPS = 0.3
	leastRate = 0.1
)

func roomForApplications(t *testing.T, p *pool) {
	const seconds = 6
	dev, client := p.attach(t), p.c.Client(0)
	large := []string{"--rw=write", "--bs=64k", "--iodepth=16"}
	_, undisturbed := measure(t, client, dev, seconds, large...)
	t.Logf("undisturbed: 64k writes %.1f MB/s", undisturbed/1e6)
	for _, load := range []struct {
		name    string
		options []string
	}{
		{"4k random writes", []string{"--rw=randwrite", "--bs=4k", "--iodepth=16"}},
		{"64k writes", large},
	} {
		healthy, _ := measure(t, client, dev, seconds, load.options...)
		client.MustSh(t, fmt.Sprintf("rmrctl leg eject %s 1", p.name))
		p.waitLeg(t, 1, "failed", ejectLimit)
		client.MustSh(t, fmt.Sprintf("dd if=/dev/urandom of=%s bs=1M oflag=direct status=none || true", dev))
		degraded, _ := measure(t, client, dev, seconds, load.options...)
		client.MustSh(t, fmt.Sprintf("rmrctl leg return %s 1", p.name))
		p.waitPace(t, 1, "idle", "rising", "latency", "floor", "source", "share")
		before, begin := p.resync(t, 1), time.Now()
		during, _ := measure(t, client, dev, seconds, load.options...)
		after := p.resync(t, 1)
		rate := float64(after.Copied-before.Copied) / time.Since(begin).Seconds()
		t.Logf("%s: healthy %.0f IOPS, degraded %.0f, during resync %.0f (%.2f of healthy, %.2f of degraded), resync %.1f MB/s (%.2f of 64k writes), latency %v, pace %s, %s",
			load.name, healthy, degraded, during, during/healthy, during/degraded, rate/1e6, rate/undisturbed, time.Duration(after.Latency), after.Pace, after.State)
		require.GreaterOrEqual(t, during, leastIOPS*healthy)
		require.GreaterOrEqual(t, rate, leastRate*undisturbed)
		p.waitLeg(t, 1, "up-to-date", healLimit)
	}
	p.detachEqual(t)
}

func whatSetsTheRate(t *testing.T, p *pool) {
	dev, client, stor := p.attach(t), p.c.Client(0), p.c.Storage(1)
	client.MustSh(t, fmt.Sprintf("rmrctl leg eject %s 1", p.name))
	p.waitLeg(t, 1, "failed", ejectLimit)
	client.MustSh(t, fmt.Sprintf("dd if=/dev/urandom of=%s bs=1M count=120 oflag=direct status=none", dev))
	recording := p.record(t, client, dev, 15)
	stor.MustSh(t, fmt.Sprintf("rmrctl resync limit %s 4M --floor 2M --latency 10s && rmrctl resync pause %s", p.name, p.name))
	client.MustSh(t, fmt.Sprintf("rmrctl leg return %s 1", p.name))
	p.waitPace(t, 1, "paused")
	stor.MustSh(t, "rmrctl resync resume "+p.name)
	s := p.waitPace(t, 1, "ceiling")
	require.Equal(t, uint64(4*mib), s.Limit)
	require.Equal(t, uint64(2*mib), s.Floor)
	require.Equal(t, uint64(10*time.Second), s.Target)
	explains(t, stor, p.name, "at the limit of 4MiB/s", "client0 holds the pool")
	// Somebody writes all the time, as the recorder may not on a slow host, and no write ends within 100 us here.
	enough := p.writesOn(t)
	stor.MustSh(t, fmt.Sprintf("rmrctl resync limit %s none --latency 100us", p.name))
	s = p.waitPace(t, 1, "floor")
	enough()
	require.Greater(t, s.Latency, s.Target)
	require.Greater(t, s.Left, uint64(0))
	recording.wait(t, time.Minute)
	p.waitPace(t, 1, "idle", "source")
	p.waitLeg(t, 1, "up-to-date", healLimit)
	p.detachEqual(t)
	p.judge(t)
}

// explains waits until the tool has these words to say about the pool: what sets the rate may change from one moment to
// the next.
func explains(t *testing.T, n *rig.Node, pool string, words ...string) {
	t.Helper()
	var said string
	eventually(t, func() bool {
		r := try(t, n, "rmrctl explain "+pool)
		said = r.Stdout
		lacks := func(w string) bool { return !strings.Contains(said, w) }
		return r.Code == exitDegraded && !slices.ContainsFunc(words, lacks)
	}, detectLimit, 100*time.Millisecond, "explain does not say "+strings.Join(words, ", "))
	t.Log(said)
}

func dampedLink(t *testing.T, p *pool) {
	dev, client, link := p.attach(t), p.c.Client(0), p.c.Storage(1).Link()
	recording := p.record(t, client, dev, 60)
	flap := func() legStatus {
		require.NoError(t, link.Cut())
		l := p.waitLeg(t, 1, "failed", ejectLimit)
		require.NoError(t, link.Heal(t.Context()))
		return l
	}
	// Failing once costs nothing: it is never damped.
	require.NotEqual(t, "damped", flap().Reason)
	for begin := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		l := p.device(t).Legs[1]
		require.NotEqual(t, "damped", l.Reason, "one failure and it waits")
		if l.State == "up-to-date" {
			t.Logf("back %v after the first failure", time.Since(begin).Round(time.Millisecond))
			break
		}
		require.Less(t, time.Since(begin), healLimit)
	}
	var waits []uint32
	for range 3 {
		l := flap()
		require.Equal(t, "damped", l.Reason)
		require.Contains(t, []string{"timeout", "link-lost"}, l.Cause)
		waits = append(waits, l.Damped)
		begin := time.Now()
		p.waitLeg(t, 1, "up-to-date", healLimit)
		require.GreaterOrEqual(t, time.Since(begin), time.Duration(l.Damped)*time.Millisecond, "it did not wait")
	}
	t.Logf("waits: %v ms", waits)
	require.IsIncreasing(t, waits)
	// An operator who mended the link need not wait.
	l := flap()
	require.Equal(t, "damped", l.Reason)
	explains(t, client, p.name, fmt.Sprintf("failed %d times, so it waits", p.device(t).Legs[1].Ejected), "or at once by `rmrctl leg return flap 1`")
	require.Greater(t, l.Damped, uint32(8000))
	begin := time.Now()
	client.MustSh(t, fmt.Sprintf("rmrctl leg return %s 1", p.name))
	require.NotEqual(t, "damped", p.device(t).Legs[1].Reason)
	p.waitLeg(t, 1, "up-to-date", healLimit)
	t.Logf("back %v after the command", time.Since(begin).Round(time.Millisecond))
	recording.wait(t, 2*time.Minute)
	p.detachEqual(t)
	p.judge(t)
}

func TestResyncCopies(t *testing.T) {
	c := start(t, rig.Storage(3), rig.Client(1), rig.Disks(128*mib, 128*mib, 128*mib))
	var pools []*pool
	// All before a node dies: its next life may get the queue pair numbers of the last one, and its first connections
	// are then refused as stale.
	for i, name := range []string{"sources", "digest", "meanwhile"} {
		pools = append(pools, makePool(t, c, pool{name: name, legs: 3, disk: i, size: 96 * mib, area: 88 * mib}))
	}
	t.Run("from all that have it", func(t *testing.T) { fromAllSources(t, pools[0]) })
	t.Run("only what differs", func(t *testing.T) { onlyWhatDiffers(t, pools[1]) })
	t.Run("written while compared", func(t *testing.T) {
		// The node may be in its second life.
		stor := c.Storage(2)
		stor.MustSh(t, "code=0; rmrctl pool show meanwhile > /dev/null || code=$?; [ $code -ne 1 ] || rmrctl pool assemble "+stor.DiskDevice(2))
		writtenMeanwhile(t, pools[2])
	})
}

// noteAll kills the third node while all chunks of 64 MiB have an intent: what it lacks is hardly anything, what is
// noted for it is all.
func (p *pool) noteAll(t *testing.T, dev string) {
	t.Helper()
	p.c.Client(0).MustSh(t, fmt.Sprintf("dd if=/dev/urandom of=%s bs=1M count=64 oflag=direct status=none && sync", dev))
	require.GreaterOrEqual(t, p.member(t, 2).Intents, uint64(64))
	require.NoError(t, p.c.Storage(2).Kill())
}

// returnWithDigests boots the third node and lets it compare before it copies.
func (p *pool) returnWithDigests(t *testing.T, triggers ...string) {
	t.Helper()
	stor := p.c.Storage(2)
	require.NoError(t, stor.Restart(t.Context()))
	bringUp(t, stor)
	for _, line := range triggers {
		trigger(t, stor, line)
	}
	stor.MustSh(t, "echo 1 > /sys/module/rmr_server/parameters/resync_digest && rmrctl pool assemble "+stor.DiskDevice(p.disk))
}

// writtenMeanwhile: blocks are written on all legs between the digests of the source and the comparison with them.
func writtenMeanwhile(t *testing.T, p *pool) {
	dev, client, stor := p.attach(t), p.c.Client(0), p.c.Storage(2)
	p.noteAll(t, dev)
	p.waitLeg(t, 2, "failed", ejectLimit)
	p.returnWithDigests(t, "copy-apply 2 3 hold")
	waitTrigger(t, stor, "copy-apply")
	recording := p.record(t, client, dev, 10)
	client.MustSh(t, fmt.Sprintf("for i in $(seq 0 63); do dd if=/dev/urandom of=%s bs=64k count=1 seek=$((i*16)) oflag=direct status=none; done", dev))
	trigger(t, stor, "release")
	p.waitLeg(t, 2, "up-to-date", healLimit)
	s := p.resync(t, 2)
	t.Logf("copied %d bytes, equal %d bytes", s.Copied, s.Equal)
	require.Greater(t, s.Equal, uint64(0), "nothing was compared")
	recording.wait(t, time.Minute)
	p.detachEqual(t)
	p.judge(t)
}

// copiedFrom is how many bytes a member copied from each other one since it joined.
func (p *pool) copiedFrom(t *testing.T, i int) []int64 {
	t.Helper()
	type status struct {
		Members []struct {
			Copied int64 `json:"copied"`
		} `json:"members"`
	}
	list := ask[status](t, p.c.Storage(i), "rmrctl pool show "+p.name)
	require.Len(t, list, 1)
	var bytes []int64
	for _, m := range list[0].Members {
		bytes = append(bytes, m.Copied)
	}
	return bytes
}

func fromAllSources(t *testing.T, p *pool) {
	dev, client := p.attach(t), p.c.Client(0)
	client.MustSh(t, fmt.Sprintf("rmrctl leg eject %s 2", p.name))
	p.waitLeg(t, 2, "failed", ejectLimit)
	client.MustSh(t, fmt.Sprintf("dd if=/dev/urandom of=%s bs=1M count=80 oflag=direct status=none", dev))
	recording := p.record(t, client, dev, 5)
	client.MustSh(t, fmt.Sprintf("rmrctl leg return %s 2", p.name))
	p.waitLeg(t, 2, "up-to-date", healLimit)
	from := p.copiedFrom(t, 2)
	t.Logf("copied from members 0, 1, 2: %v", from)
	require.Len(t, from, 3)
	require.GreaterOrEqual(t, from[0]+from[1], 80*mib)
	require.GreaterOrEqual(t, from[0], (from[0]+from[1])/4, "member 0 is hardly asked")
	require.GreaterOrEqual(t, from[1], (from[0]+from[1])/4, "member 1 is hardly asked")
	require.Zero(t, from[2])
	recording.wait(t, time.Minute)
	p.detachEqual(t)
	p.judge(t)
}

func onlyWhatDiffers(t *testing.T, p *pool) {
	dev, client := p.attach(t), p.c.Client(0)
	// 1 MiB in 16 of these 64 chunks differs.
	p.noteAll(t, dev)
	client.MustSh(t, fmt.Sprintf("for i in $(seq 0 15); do dd if=/dev/urandom of=%s bs=64k count=1 seek=$((i*64+i)) oflag=direct status=none; done", dev))
	p.waitLeg(t, 2, "failed", ejectLimit)
	recording := p.record(t, client, dev, 15)
	p.returnWithDigests(t)
	p.waitLeg(t, 2, "up-to-date", healLimit)
	s := p.resync(t, 2)
	t.Logf("copied %d bytes, equal %d bytes", s.Copied, s.Equal)
	// The recorder's chunks differ as well.
	require.GreaterOrEqual(t, s.Copied, uint64(mib))
	require.LessOrEqual(t, s.Copied, uint64((1+8+2)*mib), "more was copied than differs")
	require.GreaterOrEqual(t, s.Equal, uint64(60*mib))
	recording.wait(t, time.Minute)
	p.detachEqual(t)
	p.judge(t)
}
