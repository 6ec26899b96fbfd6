// SPDX-License-Identifier: Apache-2.0

// Promise: with three legs I/O survives the loss of two, one after the other; a node that says nothing
// any more is out within the deadline even if nobody writes; when every storage node loses its power at
// once, I/O waits, no acknowledged block is lost that a flush covered, and everything goes on by itself
// when the nodes are back.
//
//	client0 --- brmr0 --+--- stor0
//	                    +--- stor1    <- lost first
//	                    +--- stor2    <- then this one, then all
//
// Figures behind the limits: a deadline of 5 s, keepalives each second, looked at each 250 ms.

package scenario_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/rig"
)

func TestOutage(t *testing.T) {
	c := start(t, rig.Storage(3), rig.Client(1), rig.Disks(64*mib, 64*mib, 64*mib, 64*mib))
	followEvents(t, c.Client(0), c.ShareDir())
	t.Run("two of three legs", func(t *testing.T) {
		twoOfThree(t, makePool(t, c, pool{name: "three", legs: 3, disk: 0, size: 48 * mib}))
	})
	t.Run("silent idle node", func(t *testing.T) {
		silentNode(t, makePool(t, c, pool{name: "silent", legs: 3, disk: 1, size: 32 * mib}))
	})
	t.Run("leg ejected by command", func(t *testing.T) {
		ejectedLeg(t, makePool(t, c, pool{name: "ejected", legs: 3, disk: 2, size: 32 * mib}))
	})
	t.Run("every storage node", func(t *testing.T) {
		everyNode(t, makePool(t, c, pool{name: "all", legs: 3, disk: 3, size: 32 * mib}))
	})
}

// allUpToDate waits until no leg is behind, whatever a loaded host has done to its links.
func allUpToDate(t *testing.T, p *pool) {
	t.Helper()
	for i := range p.legs {
		p.waitLeg(t, i, "up-to-date", healLimit)
	}
}

func twoOfThree(t *testing.T, p *pool) {
	dev := p.attach(t)
	job, recording := background(t, p.c.Client(0), slowly(dev, 40)), p.record(t, p.c.Client(0), dev, 40)
	time.Sleep(2 * time.Second)
	require.NoError(t, p.c.Storage(1).Link().Cut())
	p.waitLeg(t, 1, "failed", ejectLimit)
	require.NoError(t, p.c.Storage(2).Link().Cut())
	p.waitLeg(t, 2, "failed", ejectLimit)
	require.Equal(t, "live", p.device(t).State)
	p.goesOn(t, 0)
	require.NoError(t, p.c.Storage(2).Link().Heal(t.Context()))
	require.NoError(t, p.c.Storage(1).Link().Heal(t.Context()))
	allUpToDate(t, p)
	job.wait(t, 2*time.Minute)
	recording.wait(t, time.Minute)
	p.detachEqual(t)
	require.LessOrEqual(t, p.judge(t).Gap, pauseLimit)
}

func silentNode(t *testing.T, p *pool) {
	dev := p.attach(t)
	p.c.Client(0).MustSh(t, fio(dev, "--rw=write --bs=64k --iodepth=8 --size=4m"))
	allUpToDate(t, p)
	require.NoError(t, p.c.Storage(2).Link().Cut())
	l := p.waitLeg(t, 2, "failed", ejectLimit)
	require.Contains(t, []string{"timeout", "link-lost"}, l.Reason)
	p.c.Client(0).MustSh(t, fio(dev, verified, "--rw=write --bs=64k --iodepth=8 --size=8m --offset=8m"))
	p.audit(t)
	require.NoError(t, p.c.Storage(2).Link().Heal(t.Context()))
	p.detachEqual(t)
}

func ejectedLeg(t *testing.T, p *pool) {
	dev, client := p.attach(t), p.c.Client(0)
	client.MustSh(t, "rmrctl leg eject ejected 1")
	require.Equal(t, "admin", p.waitLeg(t, 1, "failed", ejectLimit).Reason)
	client.MustSh(t, fio(dev, verified, "--rw=randwrite --bs=16k --iodepth=8 --size=8m"))
	time.Sleep(5 * time.Second)
	require.Equal(t, "failed", p.device(t).Legs[1].State, "an ejected leg came back by itself")
	client.MustSh(t, "rmrctl leg eject ejected 2")
	p.waitLeg(t, 2, "failed", ejectLimit)
	refuses(t, client, "rmrctl leg eject ejected 0", exitRefused, "last up-to-date leg", "--force")
	refuses(t, client, "rmrctl leg return ejected 5", exitError, "no member 5")
	client.MustSh(t, "rmrctl leg return ejected 1 && rmrctl leg return ejected 2")
	p.detachEqual(t)
}

func everyNode(t *testing.T, p *pool) {
	dev := p.attach(t)
	job, recording := background(t, p.c.Client(0), slowly(dev, 15)), p.record(t, p.c.Client(0), dev, 15)
	time.Sleep(2 * time.Second)
	for i := range p.legs {
		require.NoError(t, p.c.Storage(i).Kill())
	}
	p.audit(t)
	p.waitDevice(t, "suspended", detectLimit)
	require.True(t, job.running(), "fio ended while its I/O should wait")
	for i := range p.legs {
		n := p.c.Storage(i)
		require.NoError(t, n.Restart(t.Context()))
		bringUp(t, n)
		n.MustSh(t, "rmrctl pool assemble "+n.DiskDevice(p.disk))
	}
	p.waitDevice(t, "live", healLimit)
	allUpToDate(t, p)
	job.wait(t, 2*time.Minute)
	recording.wait(t, time.Minute)
	p.detachEqual(t)
	p.judge(t)
}
