// SPDX-License-Identifier: Apache-2.0

// Promise: with a majority asked for, two legs and a witness outlive the loss of any one of them. A client
// that cannot reach a majority serves nothing and says why; it goes on by itself when it can, unless another
// client went live meanwhile, whose writes it then never undoes. A stale member that boots alone, or with the
// witness, is refused. After an outage of all three, the first two that can serve do.
//
//	client0 --- brmr0 --+--- stor0 /dev/ubda..
//	client1             +--- stor1 /dev/ubda..
//	                    +--- stor2 /dev/ubda..   <- witness: votes, holds no data
//
// Bug guarded: a client cut off from the majority asked the one member it still reached for a promise, again
// and again; that fenced the client that served the pool through the others.

package scenario_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/rig"
)

func TestQuorum(t *testing.T) {
	c := start(t, rig.Storage(3), rig.Client(2), rig.Disks(64*mib, 64*mib, 64*mib, 64*mib, 64*mib))
	followEvents(t, c.Client(0), c.ShareDir())
	pool3 := func(name string, disk int) *pool {
		return makePool(t, c, pool{name: name, legs: 2, disk: disk, size: 32 * mib, witness: true})
	}
	t.Run("leg killed", func(t *testing.T) { legKilled(t, pool3("killed", 0)) })
	t.Run("witness killed", func(t *testing.T) { witnessKilled(t, pool3("lonely", 1)) })
	t.Run("stale minority", func(t *testing.T) { staleMinority(t, pool3("stale", 2)) })
	t.Run("every member, in any order", func(t *testing.T) {
		onlyInFull(t)
		everyMember(t, pool3("all", 3))
	})
	t.Run("client cut from the majority", func(t *testing.T) { cutFromMajority(t, pool3("cut", 4)) })
}

// whole waits until every member of the pool takes part.
func (p *pool) whole(t *testing.T) {
	t.Helper()
	allUpToDate(t, p)
	p.waitLeg(t, p.legs, "voting", healLimit)
}

func legKilled(t *testing.T, p *pool) {
	dev, client := p.attach(t), p.c.Client(0)
	p.whole(t)
	require.Equal(t, "witness", p.device(t).Legs[2].Kind)
	job, recording := background(t, client, slowly(dev, 25)), p.record(t, client, dev, 25)
	time.Sleep(2 * time.Second)
	require.NoError(t, p.c.Storage(0).Kill())
	p.waitLeg(t, 0, "failed", ejectLimit)
	require.Equal(t, "live", p.device(t).State)
	p.goesOn(t, 1)
	require.Equal(t, []int{1}, p.member(t, 2).UpToDate, "the witness was told nothing")
	p.restart(t, 0)
	p.whole(t)
	job.wait(t, 2*time.Minute)
	recording.wait(t, time.Minute)
	require.Zero(t, p.device(t).Legs[2].Counters.Writes, "a witness got data")
	p.detach(t)
	require.True(t, p.member(t, 2).Clean)
	p.requireEqualLegs(t)
	require.LessOrEqual(t, p.judge(t).Gap, pauseLimit)
}

func witnessKilled(t *testing.T, p *pool) {
	dev, client := p.attach(t), p.c.Client(0)
	p.whole(t)
	job, recording := background(t, client, slowly(dev, 40)), p.record(t, client, dev, 40)
	require.NoError(t, p.c.Storage(2).Kill())
	p.waitLeg(t, 2, "failed", ejectLimit)
	p.goesOn(t, 0)
	refuses(t, client, "rmrctl leg eject lonely 1", exitRefused, "no majority", "--force")
	require.NoError(t, p.c.Storage(1).Kill())
	require.Equal(t, "no-quorum", p.waitDevice(t, "suspended", ejectLimit).Reason)
	p.audit(t)
	time.Sleep(5 * time.Second)
	require.True(t, job.running(), "fio ended while its I/O should wait")
	d := p.device(t)
	require.Equal(t, "no-quorum", d.Reason)
	require.Contains(t, []string{"no-quorum", "none"}, d.Legs[0].Reason)
	p.restart(t, 2)
	p.waitDevice(t, "live", healLimit)
	p.goesOn(t, 0)
	p.restart(t, 1)
	p.whole(t)
	job.wait(t, 2*time.Minute)
	recording.wait(t, time.Minute)
	p.detachEqual(t)
	p.judge(t)
}

// mapFrom asks one member for the pool, so that the others may be away.
func (p *pool) mapFrom(i int) string {
	return fmt.Sprintf("brmr map %s --node %s", p.name, p.c.Storage(i).Address())
}

func staleMinority(t *testing.T, p *pool) {
	dev, client := p.attach(t), p.c.Client(0)
	p.whole(t)
	client.MustSh(t, fio(dev, "--rw=write --bs=64k --iodepth=8 --size=4m"))
	require.NoError(t, p.c.Storage(1).Kill())
	p.waitLeg(t, 1, "failed", ejectLimit)
	client.MustSh(t, fio(dev, "--rw=write --bs=64k --iodepth=8 --size=8m"))
	recording := p.record(t, client, dev, 5)
	recording.wait(t, time.Minute)
	p.detach(t)
	require.NoError(t, p.c.Storage(0).Kill())
	require.NoError(t, p.c.Storage(2).Kill())
	p.restart(t, 1)
	refuses(t, client, p.mapFrom(1), exitError, "no majority, 1 of 3")
	p.restart(t, 2)
	refuses(t, client, p.mapFrom(1), exitError, "member 0")
	require.NotContains(t, try(t, client, "brmr list").Stdout, p.name)
	p.restart(t, 0)
	dev = p.attach(t)
	p.whole(t)
	p.record(t, client, dev, 3).wait(t, time.Minute)
	p.detachEqual(t)
	p.judge(t)
}

func everyMember(t *testing.T, p *pool) {
	dev, client := p.attach(t), p.c.Client(0)
	p.whole(t)
	for _, order := range [][]int{{2, 0, 1}, {1, 0, 2}, {1, 2, 0}} {
		job, recording := background(t, client, slowly(dev, 10)), p.record(t, client, dev, 10)
		time.Sleep(2 * time.Second)
		for i := range 3 {
			require.NoError(t, p.c.Storage(i).Kill())
		}
		p.audit(t)
		require.Equal(t, "no-quorum", p.waitDevice(t, "suspended", detectLimit).Reason)
		p.restart(t, order[0])
		time.Sleep(3 * time.Second)
		d := p.device(t)
		require.Equal(t, "suspended", d.State, "one of three served the pool")
		require.Equal(t, "no-quorum", d.Reason)
		p.restart(t, order[1])
		p.waitDevice(t, "live", healLimit)
		p.restart(t, order[2])
		p.whole(t)
		job.wait(t, 2*time.Minute)
		recording.wait(t, time.Minute)
		t.Logf("returned in the order %v", order)
	}
	p.detachEqual(t)
	p.judge(t)
}

// apart cuts two nodes from each other and from nobody else: neither knows where frames for the other go.
func apart(t *testing.T, a, b *rig.Node) (heal func()) {
	t.Helper()
	cut := func(from, to *rig.Node) {
		from.MustSh(t, fmt.Sprintf("ip neigh replace %s lladdr 02:de:ad:00:00:01 dev vec0 nud permanent", to.Address()))
	}
	cut(a, b)
	cut(b, a)
	return func() {
		a.MustSh(t, fmt.Sprintf("ip neigh del %s dev vec0", b.Address()))
		b.MustSh(t, fmt.Sprintf("ip neigh del %s dev vec0", a.Address()))
	}
}

func cutFromMajority(t *testing.T, p *pool) {
	dev, client, other := p.attach(t), p.c.Client(0), p.c.Client(1)
	p.whole(t)
	job, recording := background(t, client, slowly(dev, 20)), p.record(t, client, dev, 20)
	time.Sleep(2 * time.Second)
	heal := []func(){apart(t, client, p.c.Storage(2)), apart(t, client, p.c.Storage(1))}
	require.Equal(t, "no-quorum", p.waitDevice(t, "suspended", detectLimit).Reason)
	time.Sleep(5 * time.Second)
	require.True(t, job.running(), "fio ended while its I/O should wait")
	require.Equal(t, "no-quorum", p.device(t).Reason)
	for _, h := range heal {
		h()
	}
	p.waitDevice(t, "live", healLimit)
	p.whole(t)
	job.wait(t, 2*time.Minute)
	recording.wait(t, time.Minute)

	// The same once more, and this time somebody else takes the pool over through the others. The witness goes
	// first: with its vote, leg 1 would be left out of the view and be of no use to anybody.
	recording = p.record(t, client, dev, 15)
	heal = []func(){apart(t, client, p.c.Storage(2)), apart(t, client, p.c.Storage(1)), apart(t, other, p.c.Storage(0))}
	require.Equal(t, "no-quorum", p.waitDevice(t, "suspended", detectLimit).Reason)
	out := other.MustSh(t, p.mapFrom(1)+" --takeover")
	second := p.record(t, other, out, 30)
	time.Sleep(5 * time.Second)
	require.Equal(t, "no-quorum", p.device(t).Reason, "a client without majority asked for promises")
	for _, h := range heal {
		h()
	}
	p.waitLegOn(t, other, 0, "up-to-date", healLimit)
	second.wait(t, time.Minute)
	eventually(t, func() bool { return p.device(t).Reason == "fenced" }, detectLimit, 100*time.Millisecond,
		"the first client does not know that another one went live")
	client.MustSh(t, "brmr unmap --force "+p.name)
	recording.end(t, time.Minute)
	other.MustSh(t, "brmr unmap "+p.name)
	p.requireEqualLegs(t)
	p.judge(t)
}
