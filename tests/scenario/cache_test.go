// SPDX-License-Identifier: Apache-2.0

// Promise: a loss of power that takes the write caches of disks with it loses nothing that a leg still has, and
// nothing at all that a flush covered; the legs are equal afterwards (I1, I5, I8).
//
//	client0 --- brmr0 --+--- stor0 /dev/mapper/cached0    <- loses power with its cache, with the other one
//	                    +--- stor1 /dev/mapper/cached0    <- loses power with its cache
//
// Bug class guarded: an intent or a bit that is cleared before what it stands for is stable, a chunk that counts
// as held before its copy is, a flush that does not reach every leg.

package scenario_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/rig"
)

// cachedPool is a pool of two legs with write caches.
type cachedPool struct {
	*pool
	cache  [2]*rig.Cache
	device [2]string
	random *rand.Rand
}

func TestLostWriteCache(t *testing.T) {
	c := start(t, rig.Storage(2), rig.Client(1), rig.Disks(48*mib, 256*mib))
	p := &cachedPool{pool: &pool{c: c, name: "cached", legs: 2, disk: 0, size: 40 * mib}, random: rand.New(rand.NewPCG(1, 2))}
	for i := range p.cache {
		var err error
		p.cache[i], err = rig.NewCache(c.Storage(i), 0, 1)
		require.NoError(t, err)
		p.device[i], err = p.cache[i].Start(t.Context())
		require.NoError(t, err)
	}
	c.Storage(0).MustSh(t, fmt.Sprintf("rmrctl pool create cached --assume-zeroed --device %s --size %d", p.device[0], p.size))
	c.Storage(1).MustSh(t, fmt.Sprintf("rmrctl pool join cached --assume-zeroed --device %s --peer %s", p.device[1], c.Storage(0).Address()))
	t.Run("one leg", func(t *testing.T) { oneCache(t, p) })
	t.Run("during its resync", func(t *testing.T) { cacheInResync(t, p) })
	t.Run("every leg", func(t *testing.T) { everyCache(t, p) })
}

// losePower takes the power of a leg away.
func (p *cachedPool) losePower(t *testing.T, i int) {
	t.Helper()
	unstable, lost, err := p.cache[i].LosePower(t.Context(), p.random)
	require.NoError(t, err)
	t.Logf("leg %d lost %d of %d blocks that were not stable", i, lost, unstable)
}

// powerOn brings a leg back.
func (p *cachedPool) powerOn(t *testing.T, i int) {
	t.Helper()
	n := p.c.Storage(i)
	require.NoError(t, n.Restart(t.Context()))
	device, err := p.cache[i].Start(t.Context())
	require.NoError(t, err)
	bringUp(t, n)
	n.MustSh(t, "rmrctl pool assemble "+device)
}

// waitNoIntents waits until a leg has let its intents go, as it does when it is idle.
func (p *cachedPool) waitNoIntents(t *testing.T, i int) {
	t.Helper()
	eventually(t, func() bool { return p.member(t, i).Intents == 0 }, intentLimit, 200*time.Millisecond, "intents stay")
}

func oneCache(t *testing.T, p *cachedPool) {
	onlyInFull(t)
	dev, client := p.attach(t), p.c.Client(0)
	const rounds = 3
	job, recording := background(t, client, slowly(dev, 15*rounds)), p.record(t, client, dev, 15*rounds)
	for range rounds {
		time.Sleep(3 * time.Second)
		p.losePower(t, 1)
		p.audit(t)
		p.waitLeg(t, 1, "failed", ejectLimit)
		p.powerOn(t, 1)
		p.waitLeg(t, 1, "up-to-date", healLimit)
	}
	job.wait(t, 2*time.Minute)
	recording.wait(t, time.Minute)
	p.finishWith(t)
}

// cacheInResync: chunks count as held when power is lost, one after the other, and must be stable then.
func cacheInResync(t *testing.T, p *cachedPool) {
	dev, client := p.attach(t), p.c.Client(0)
	client.MustSh(t, fmt.Sprintf("dd if=/dev/urandom of=%s bs=1M count=24 oflag=direct status=none && sync", dev))
	p.waitNoIntents(t, 1) // else they would cover what is lost below
	p.losePower(t, 1)
	client.MustSh(t, fmt.Sprintf("dd if=/dev/urandom of=%s bs=1M count=24 oflag=direct status=none", dev))
	p.waitLeg(t, 1, "failed", ejectLimit)
	n := p.c.Storage(1)
	require.NoError(t, n.Restart(t.Context()))
	device, err := p.cache[1].Start(t.Context())
	require.NoError(t, err)
	bringUp(t, n)
	trigger(t, n, "copy-held 1 1 16-16 hold")
	n.MustSh(t, "rmrctl pool assemble "+device)
	waitTrigger(t, n, "copy-held")
	p.waitNoIntents(t, 0) // CLEARs of what is held have come by then, too
	p.losePower(t, 1)
	r := p.audit(t)
	for _, m := range r.Members {
		if m.ID == 0 {
			require.Less(t, m.Dirty[1], uint64(24), "nothing was cleared before the loss of power")
		}
	}
	p.waitLeg(t, 1, "failed", ejectLimit)
	p.powerOn(t, 1)
	recording := p.record(t, client, dev, 3)
	allUpToDate(t, p.pool)
	recording.wait(t, time.Minute)
	p.finishWith(t)
}

// everyCache: what a flush covered is there afterwards; of the rest each block is old or new, on all legs alike.
func everyCache(t *testing.T, p *cachedPool) {
	dev, client := p.attach(t), p.c.Client(0)
	sum := func() string {
		return client.MustSh(t, fmt.Sprintf("dd if=%s bs=1M count=8 iflag=direct status=none | sha256sum", dev))
	}
	client.MustSh(t, fmt.Sprintf("dd if=/dev/urandom of=%s bs=1M count=8 oflag=direct conv=fsync status=none", dev))
	want := sum()
	client.MustSh(t, fmt.Sprintf("dd if=/dev/urandom of=%s bs=1M count=12 seek=8 oflag=direct status=none", dev))
	for i := range p.cache {
		p.losePower(t, i)
	}
	p.audit(t)
	p.waitDevice(t, "suspended", detectLimit)
	for i := range p.cache {
		p.powerOn(t, i)
	}
	p.waitDevice(t, "live", healLimit)
	require.Equal(t, want, sum(), "flushed data is lost")
	allUpToDate(t, p.pool)
	require.Equal(t, want, sum(), "flushed data is lost")
	p.detachEqual(t)
}
