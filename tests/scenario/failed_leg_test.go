// SPDX-License-Identifier: Apache-2.0

// Promise of this version: a leg that fails suspends the pool; I/O waits and is not lost, and the
// pool goes on by itself once every leg is back. Where that cannot be (a storage node that lost
// what a volatile cache held, a client that crashed) the pool says why and refuses to serve data
// that may differ between legs.
//
//	client0 --- brmr0 --+--- stor0 /dev/ubda..
//	client1             +--- stor1 /dev/ubda..    <- its cable is cut, its power fails
//
// Bugs guarded: recovery ran in a WQ_MEM_RECLAIM queue and waited there for the RTRS client's
// queue, which is none: the kernel warned at the first lost link. A pool in use elsewhere was refused as one whose client crashed.

package scenario_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/rig"
)

const (
	// detectLimit: RTRS gives a silent peer up after six heartbeats of 5 s; RDMA retries are
	// faster where requests are under way.
	detectLimit = 60 * time.Second
	// healLimit: an attempt to connect may have begun just before the link came back, and takes
	// up to 30 s in the RDMA connection manager.
	healLimit = 60 * time.Second
	// forceLimit: unmap --force fails what waits; it may have to wait for one attempt to connect.
	forceLimit = 40 * time.Second
)

func TestFailedLeg(t *testing.T) {
	c := start(t, rig.Storage(2), rig.Client(2), rig.Disks(64*mib, 64*mib, 64*mib, 64*mib))
	t.Run("unmap of a used device is refused", func(t *testing.T) {
		unmapWhileUsed(t, makePool(t, c, pool{name: "used", legs: 2, disk: 0, size: 32 * mib}))
	})
	t.Run("cut link", func(t *testing.T) {
		cutLink(t, makePool(t, c, pool{name: "cut", legs: 2, disk: 1, size: 48 * mib}))
	})
	t.Run("killed storage node", func(t *testing.T) {
		killedStorage(t, makePool(t, c, pool{name: "killed", legs: 2, disk: 2, size: 32 * mib}))
	})
	t.Run("crashed client", func(t *testing.T) {
		crashedClient(t, makePool(t, c, pool{name: "crashed", legs: 2, disk: 3, size: 32 * mib}))
	})
}

func unmapWhileUsed(t *testing.T, p *pool) {
	dev, client := p.attach(t), p.c.Client(0)
	client.MustSh(t, "mkfs.ext4 -q "+dev+" && mkdir -p /mnt && mount "+dev+" /mnt && echo hello > /mnt/file")
	refuses(t, client, "brmr unmap used", exitRefused, "open or mounted", "unmount it")
	refuses(t, p.c.Storage(1), "rmrctl pool stop used", exitRefused, "in use by client client0")
	client.MustSh(t, "test $(cat /mnt/file) = hello && umount /mnt")
	holder := background(t, client, "sleep 1000 < "+dev)
	client.MustSh(t, "until ls -l /proc/[0-9]*/fd 2>/dev/null | grep -q "+dev+"; do sleep 0.1; done")
	refuses(t, client, "brmr unmap used", exitRefused, "open or mounted")
	client.MustSh(t, "kill $(pidof sleep)")
	holder.end(t, 10*time.Second)
	p.detach(t)
	p.requireEqualLegs(t)
}

// slowly is a verified job that lasts about limit seconds unless something makes it wait.
func slowly(dev string, seconds int) string {
	return fio(dev, verified, "--rw=randwrite --bsrange=4k-64k --blockalign=4k --iodepth=32 --size=32m",
		fmt.Sprintf("--rate=%dk", 32*1024/seconds))
}

func cutLink(t *testing.T, p *pool) {
	dev, client, lost := p.attach(t), p.c.Client(0), p.c.Storage(1)
	job := background(t, client, slowly(dev, 6))
	time.Sleep(2 * time.Second)
	require.NoError(t, lost.Link().Cut())
	d := p.waitDevice(t, "suspended", detectLimit)
	require.NotEqual(t, "none", d.Reason)
	require.Equal(t, "up-to-date", d.Legs[0].State)
	require.Equal(t, "failed", d.Legs[1].State)
	require.NotEqual(t, "none", d.Legs[1].Reason)
	require.Equal(t, exitDegraded, try(t, client, "rmrctl leg show cut").Code)
	before := p.device(t).Legs[0].Counters.Writes
	time.Sleep(3 * time.Second)
	require.Equal(t, before, p.device(t).Legs[0].Counters.Writes, "writes while suspended")
	require.True(t, job.running(), "fio ended while its I/O should wait")
	require.NoError(t, lost.Link().Heal(t.Context()))
	d = p.waitDevice(t, "live", healLimit)
	require.Equal(t, "none", d.Reason)
	job.wait(t, 2*time.Minute)
	p.detach(t)
	p.requireEqualLegs(t)
}

func killedStorage(t *testing.T, p *pool) {
	dev, client, killed := p.attach(t), p.c.Client(0), p.c.Storage(1)
	job := background(t, client, slowly(dev, 6))
	time.Sleep(2 * time.Second)
	require.NoError(t, killed.Kill())
	p.waitDevice(t, "suspended", detectLimit)
	require.NoError(t, killed.Restart(t.Context()))
	bringUp(t, killed)
	killed.MustSh(t, "rmrctl pool assemble "+killed.DiskDevice(p.disk))
	require.Eventually(t, func() bool { return p.device(t).Legs[1].Reason == "identity" }, healLimit, 100*time.Millisecond,
		"a node that restarted with a volatile cache is refused")
	d := p.device(t)
	require.Equal(t, "suspended", d.State)
	require.Equal(t, "identity", d.Reason)
	require.True(t, job.running(), "fio ended while its I/O should wait")
	refuses(t, client, "brmr unmap killed", exitRefused, "--force")
	begin := time.Now()
	client.MustSh(t, "brmr unmap killed --force")
	job.end(t, forceLimit)
	t.Logf("unmap --force took %v", time.Since(begin).Round(time.Millisecond))
	require.Less(t, time.Since(begin), forceLimit)
	require.Error(t, job.err, "waiting I/O must fail")
	require.Contains(t, job.result.Stdout+job.result.Stderr, "Input/output error")
	require.Empty(t, client.MustSh(t, "ls /dev | grep '^brmr[0-9]' || true"))
	require.Eventually(t, func() bool { return p.member(t, 0).State == "idle" }, detectLimit, 100*time.Millisecond)
	refuses(t, client, p.mapCommand(), exitRefused, "did not unmap")
}

func crashedClient(t *testing.T, p *pool) {
	dev := p.attach(t)
	refuses(t, p.c.Client(1), p.mapCommand(), exitRefused, "in use by another client")
	p.c.Client(0).MustSh(t, fio(dev, verified, "--rw=randwrite --bs=16k --iodepth=8 --size=4m"))
	job := background(t, p.c.Client(0), slowly(dev, 60))
	time.Sleep(2 * time.Second)
	require.NoError(t, p.c.Client(0).Kill())
	job.end(t, 10*time.Second)
	require.Eventually(t, func() bool { return p.member(t, 0).State == "idle" && p.member(t, 1).State == "idle" },
		detectLimit, 100*time.Millisecond, "the members never noticed that the client is gone")
	for i := range p.legs {
		require.False(t, p.member(t, i).Clean)
	}
	refuses(t, p.c.Client(1), p.mapCommand(), exitRefused, "did not unmap")
	require.Empty(t, p.c.Client(1).MustSh(t, "ls /dev | grep '^brmr[0-9]' || true"))
}
