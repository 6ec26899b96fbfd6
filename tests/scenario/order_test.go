// SPDX-License-Identifier: Apache-2.0

// Promise: after a loss of power of every storage node the pool comes back in whatever order they do, and not
// before every member that was up to date is there: a member that was away before, and lacks what was written
// meanwhile, never makes it live.
//
//	client0 --- brmr0 --+--- stor0
//	                    +--- stor1
//	                    +--- stor2

package scenario_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/rig"
)

func TestOrderOfReturn(t *testing.T) {
	c := start(t, rig.Storage(3), rig.Client(1), rig.Disks(48*mib, 48*mib, 48*mib, 48*mib, 48*mib, 48*mib, 48*mib))
	followEvents(t, c.Client(0), c.ShareDir())
	t.Run("stale member first", func(t *testing.T) {
		staleFirst(t, makePool(t, c, pool{name: "stale", legs: 3, disk: 6, size: 40 * mib}))
	})
	for i, order := range [][]int{{2, 1, 0}, {0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}} {
		t.Run(fmt.Sprintf("%d %d %d", order[0], order[1], order[2]), func(t *testing.T) {
			onlyInFull(t)
			inOrder(t, makePool(t, c, pool{name: fmt.Sprintf("order%d", i), legs: 3, disk: i, size: 40 * mib}), order)
		})
	}
}

// staysSuspended: some ticks and attempts long nothing becomes live.
func (p *pool) staysSuspended(t *testing.T) {
	t.Helper()
	for begin := time.Now(); time.Since(begin) < 6*time.Second; time.Sleep(200 * time.Millisecond) {
		require.Equal(t, "suspended", p.device(t).State)
	}
}

func inOrder(t *testing.T, p *pool, order []int) {
	dev := p.attach(t)
	recording := p.record(t, p.c.Client(0), dev, 8)
	time.Sleep(2 * time.Second)
	for i := range p.legs {
		p.kill(t, i)
	}
	p.audit(t)
	p.waitDevice(t, "suspended", ejectLimit)
	p.restart(t, order[0])
	p.restart(t, order[1])
	p.staysSuspended(t)
	p.audit(t)
	p.restart(t, order[2])
	p.waitDevice(t, "live", healLimit)
	recording.wait(t, time.Minute)
	p.finishWith(t)
}

// staleFirst: leg 2 misses writes, then all die. With 2, and with 2 and 1, nothing is served; with 0 and 1, all is.
func staleFirst(t *testing.T, p *pool) {
	dev := p.attach(t)
	recording := p.record(t, p.c.Client(0), dev, 12)
	p.kill(t, 2)
	p.waitLeg(t, 2, "failed", ejectLimit)
	time.Sleep(time.Second)
	p.kill(t, 0)
	p.kill(t, 1)
	p.audit(t)
	p.waitDevice(t, "suspended", ejectLimit)
	p.restart(t, 2)
	p.staysSuspended(t)
	p.restart(t, 1)
	p.staysSuspended(t)
	p.kill(t, 2)
	p.restart(t, 0)
	p.waitDevice(t, "live", healLimit)
	p.restart(t, 2)
	recording.wait(t, time.Minute)
	p.finishWith(t)
}
