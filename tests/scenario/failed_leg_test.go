// SPDX-License-Identifier: Apache-2.0

// Promise: a leg that fails costs a pause of at most six seconds, whatever way it fails. It comes back by
// itself, gets what it missed, and is read again; all legs are equal then. A crashed client's pool is
// mapped again by anybody once it is known to be dead, and its legs are made to agree first. Without any
// leg I/O waits and goes on by itself.
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
	// pauseLimit of an application: a leg that does not answer is out after the default deadline of 5 s, and some for
	// the view; the rest is what a loaded host adds.
	pauseLimit = 8 * time.Second
	// ejectLimit is for what such a leg has to lead to; it reports that this never comes, and is no figure.
	ejectLimit = 30 * time.Second
	// detectLimit: RTRS gives a silent peer up after six heartbeats of 5 s.
	detectLimit = 60 * time.Second
	// healLimit: an attempt to connect may have begun just before the link came back, and takes
	// up to 30 s in the RDMA connection manager; then comes the resync.
	healLimit = 90 * time.Second
)

func TestFailedLeg(t *testing.T) {
	c := start(t, rig.Storage(2), rig.Client(2), rig.Disks(64*mib, 64*mib, 64*mib, 64*mib))
	followEvents(t, c.Client(0), c.ShareDir())
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
	p.detachEqual(t)
}

// slowly is a verified job that lasts about limit seconds unless something makes it wait. It leaves to a recorder
// what is the recorder's.
func slowly(dev string, seconds int) string {
	return fio(dev, verified, "--rw=randwrite --bsrange=4k-64k --blockalign=4k --iodepth=32",
		fmt.Sprintf("--size=%d --rate=%dk", recorded, recorded/1024/int64(seconds)))
}

func cutLink(t *testing.T, p *pool) {
	dev, client, lost := p.attach(t), p.c.Client(0), p.c.Storage(1)
	job, recording := background(t, client, slowly(dev, 20)), p.record(t, client, dev, 20)
	time.Sleep(2 * time.Second)
	require.NoError(t, lost.Link().Cut())
	p.waitLeg(t, 1, "failed", ejectLimit)
	require.Equal(t, exitDegraded, try(t, client, "rmrctl leg show cut").Code)
	d := p.device(t)
	require.Equal(t, "live", d.State)
	require.Equal(t, "up-to-date", d.Legs[0].State)
	require.NotEqual(t, "none", d.Legs[1].Reason)
	p.goesOn(t, 0)
	time.Sleep(5 * time.Second)
	require.NoError(t, lost.Link().Heal(t.Context()))
	p.waitLeg(t, 1, "up-to-date", healLimit)
	job.wait(t, 2*time.Minute)
	recording.wait(t, time.Minute)
	p.detachEqual(t)
	require.LessOrEqual(t, p.judge(t).Gap, pauseLimit)
}

func killedStorage(t *testing.T, p *pool) {
	dev, client, killed := p.attach(t), p.c.Client(0), p.c.Storage(1)
	job, recording := background(t, client, slowly(dev, 20)), p.record(t, client, dev, 20)
	time.Sleep(2 * time.Second)
	require.NoError(t, killed.Kill())
	p.waitLeg(t, 1, "failed", ejectLimit)
	require.Equal(t, "live", p.device(t).State)
	require.NoError(t, killed.Restart(t.Context()))
	bringUp(t, killed)
	killed.MustSh(t, "rmrctl pool assemble "+killed.DiskDevice(p.disk))
	p.waitLeg(t, 1, "up-to-date", healLimit)
	job.wait(t, 2*time.Minute)
	recording.wait(t, time.Minute)
	p.detachEqual(t)
	require.LessOrEqual(t, p.judge(t).Gap, pauseLimit)
}

func crashedClient(t *testing.T, p *pool) {
	dev := p.attach(t)
	refuses(t, p.c.Client(1), p.mapCommand(), exitRefused, "in use by another client")
	p.c.Client(0).MustSh(t, fio(dev, verified, "--rw=randwrite --bs=16k --iodepth=8 --size=4m"))
	job, recording := background(t, p.c.Client(0), slowly(dev, 60)), p.record(t, p.c.Client(0), dev, 60)
	time.Sleep(2 * time.Second)
	require.NoError(t, p.c.Client(0).Kill())
	job.end(t, 10*time.Second)
	recording.end(t, 10*time.Second)
	eventually(t, func() bool { return p.member(t, 0).State == "idle" && p.member(t, 1).State == "idle" },
		detectLimit, 100*time.Millisecond, "the members never noticed that the client is gone")
	for i := range p.legs {
		require.False(t, p.member(t, i).Clean)
	}
	p.audit(t)
	dev = p.attachOn(t, p.c.Client(1))
	recording = p.record(t, p.c.Client(1), dev, 5)
	p.waitLegOn(t, p.c.Client(1), 0, "up-to-date", healLimit)
	p.waitLegOn(t, p.c.Client(1), 1, "up-to-date", healLimit)
	recording.wait(t, time.Minute)
	p.c.Client(1).MustSh(t, "brmr unmap "+p.name)
	p.requireEqualLegs(t)
	p.judge(t)
}
