// SPDX-License-Identifier: Apache-2.0

// Promise: a pool shrinks by force alone, and only while nobody has its device open: what is before the new end stays,
// what was behind it never comes back, on no leg, however the pool grows again; and wherever a node or the client dies
// in it, the command can be given once more (R9.12).
//
//	client0 --- brmr0 --+--- stor0
//	                    +--- stor1   <- dies in it

package scenario_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/rig"
)

// shrunkPool is a pool on plain disks, whose first bytes have a known sum.
type shrunkPool struct {
	*pool
	dev, sum string
}

// kept is how much of a shrunkPool is never behind an end; the recorder's part is in it.
const kept = 34 * mib

func (p *shrunkPool) keptSum(t *testing.T) string {
	t.Helper()
	return p.c.Client(0).MustSh(t, fmt.Sprintf("dd if=%s bs=1M count=%d iflag=direct status=none | sha256sum", p.dev, kept/mib))
}

// fill writes the device full, the part that is kept but for the recorder's included.
func (p *shrunkPool) fill(t *testing.T, from int64) {
	t.Helper()
	p.c.Client(0).MustSh(t, fmt.Sprintf("dd if=/dev/urandom of=%s bs=1M seek=%d count=%d oflag=direct status=none && sync", p.dev, from/mib, (p.size-from)/mib))
}

func (p *shrunkPool) command(size int64) string {
	return fmt.Sprintf("brmr resize %s --size %d --force", p.name, size)
}

// is requires that the device and the given members have a size.
func (p *shrunkPool) is(t *testing.T, size int64, members ...int) {
	t.Helper()
	require.Equal(t, fmt.Sprint(size), p.c.Client(0).MustSh(t, "blockdev --getsize64 "+p.dev))
	for _, i := range members {
		require.Equal(t, size, p.member(t, i).Size, "member %d", i)
	}
}

// growsEmpty makes room on every leg and the pool larger, which reads as zeros behind its old end.
func (p *shrunkPool) growsEmpty(t *testing.T, size int64) {
	t.Helper()
	old := p.size
	for i := range p.legs {
		p.c.Storage(i).MustSh(t, "rmrctl disk grow "+p.name)
	}
	p.c.Client(0).MustSh(t, fmt.Sprintf("brmr resize %s --size %d", p.name, size))
	p.size = size
	p.is(t, size, p.all()...)
	p.c.Client(0).MustSh(t, fmt.Sprintf("dd if=%s bs=4k skip=%d iflag=direct status=none | cmp -n %d - /dev/zero", p.dev, old/4096, size-old))
	for i := range p.legs {
		data := p.data(t, i)[old:]
		require.NoError(t, sameBytes(make([]byte, len(data)), data), "leg %d", i)
	}
	require.Equal(t, p.sum, p.keptSum(t), "data is lost")
}

// shrinks, after which everything is as small.
func (p *shrunkPool) shrinks(t *testing.T, size int64) {
	t.Helper()
	p.shrinksFor(t, size, p.all()...)
}

// all are the members with data.
func (p *shrunkPool) all() (members []int) {
	for i := range p.legs {
		members = append(members, i)
	}
	return members
}

// shrinksFor: after which the device and these members are as small.
func (p *shrunkPool) shrinksFor(t *testing.T, size int64, members ...int) {
	t.Helper()
	begin := time.Now()
	p.c.Client(0).MustSh(t, p.command(size))
	t.Logf("shrunk to %d KiB in %v", size>>10, time.Since(begin).Round(time.Millisecond))
	p.size = size
	p.is(t, size, members...)
	require.Equal(t, p.sum, p.keptSum(t), "data is lost")
}

func TestShrink(t *testing.T) {
	c := start(t, rig.Storage(2), rig.Client(1), rig.Disks(80*mib))
	p := &shrunkPool{pool: makePool(t, c, pool{name: "small", legs: 2, size: 64 * mib})}
	p.dev = p.attach(t)
	recording := p.record(t, c.Client(0), p.dev, 6)
	p.refused(t)
	recording.wait(t, time.Minute)
	p.fill(t, kept)
	p.sum = p.keptSum(t)
	// Inside a chunk, so that a part of one is cut off.
	p.shrinks(t, 48*mib+12<<10)
	refuses(t, c.Client(0), fmt.Sprintf("brmr resize small --size %d", 64*mib), exitError, "no room", "disk grow")
	p.growsEmpty(t, 64*mib)
	p.fill(t, kept)
	p.nodeDiesInShrink(t)
	p.clientDiesInShrink(t)
	p.shrinks(t, 40*mib)
	p.detach(t)
	p.requireEqualLegs(t)
	p.judge(t)
	for i := range p.legs {
		c.Storage(i).MustSh(t, fmt.Sprintf("rmrctl pool stop small && rmrctl disk check %s", c.Storage(i).DiskDevice(0)))
	}
}

// refused: without force, while somebody has it open, and while a member is away.
func (p *shrunkPool) refused(t *testing.T) {
	client := p.c.Client(0)
	refuses(t, client, "brmr resize small --size 48M", exitRefused, "--force")
	refuses(t, client, p.command(48*mib), exitRefused, "open")
	p.is(t, p.size, 0, 1)
	client.MustSh(t, "rmrctl leg eject small 1")
	p.waitLeg(t, 1, "failed", ejectLimit)
	refuses(t, client, p.command(48*mib), exitRefused, "member 1", "not up to date")
	client.MustSh(t, "rmrctl leg return small 1")
	p.waitLeg(t, 1, "up-to-date", healLimit)
}

// nodeDiesInShrink: stor1 dies before it has persisted the smaller size. What it has too much is not taken for zeros
// when the pool grows, and the command ends the shrink.
func (p *shrunkPool) nodeDiesInShrink(t *testing.T) {
	client, stor := p.c.Client(0), p.c.Storage(1)
	old, size := p.size, 44*mib+4096
	trigger(t, stor, "sb-write 1 1 hold")
	job := background(t, client, p.command(size))
	waitTrigger(t, stor, "sb-write")
	p.kill(t, 1)
	job.end(t, time.Minute)
	require.False(t, job.err == nil && job.result.Code == 0, "the command was done though the node died in it")
	p.waitLeg(t, 1, "failed", detectLimit)
	p.is(t, size, 0)
	p.restart(t, 1)
	p.waitLeg(t, 1, "up-to-date", healLimit)
	require.Equal(t, old, p.member(t, 1).Size)
	// As large as the pool is to be again, but with old data.
	p.c.Storage(0).MustSh(t, "rmrctl disk grow small")
	refuses(t, client, fmt.Sprintf("brmr resize small --size %d", old), exitError, "member 1", "not told of a shrink")
	p.is(t, size, 0)
	p.shrinks(t, size)
	p.growsEmpty(t, old)
	p.fill(t, kept)
}

// clientDiesInShrink: with stor1, in the middle of it. The next client takes the size of those that were told.
func (p *shrunkPool) clientDiesInShrink(t *testing.T) {
	client, stor := p.c.Client(0), p.c.Storage(1)
	old, size := p.size, 36*mib
	trigger(t, stor, "sb-write 1 1 hold")
	job := background(t, client, p.command(size))
	waitTrigger(t, stor, "sb-write")
	eventually(t, func() bool { return p.member(t, 0).Size == size }, detectLimit, 50*time.Millisecond, "member 0 was not told")
	p.kill(t, 1)
	require.NoError(t, client.Kill())
	job.end(t, time.Minute)
	p.restart(t, 1)
	require.NoError(t, client.Restart(t.Context()))
	bringUp(t, client)
	p.dev = p.attach(t)
	p.waitLeg(t, 1, "up-to-date", healLimit)
	p.is(t, size, 0)
	require.Equal(t, old, p.member(t, 1).Size)
	p.shrinks(t, size)
	p.growsEmpty(t, old)
	p.fill(t, kept)
}
