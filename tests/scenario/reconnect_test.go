// SPDX-License-Identifier: Apache-2.0

// Promise: a leg whose link was away for long comes back within seconds of the link's return.
//
//	client0 --- brmr0 --+--- stor0 /dev/ubda
//	                    +--- stor1 /dev/ubda    <- its cable is out for 12 s
//
// Bug guarded: an attempt to connect sent its request into the dead link, as the neighbour table still
// knew the neighbour, and repeated it so rarely that a link back for 10 s went unnoticed.

package scenario_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/rig"
)

func TestReturnOfALinkIsNoticedSoon(t *testing.T) {
	c := start(t, rig.Storage(2), rig.Client(1), rig.Disks(64*mib))
	p := makePool(t, c, pool{name: "soon", legs: 2, size: 32 * mib})
	dev, link := p.attach(t), c.Storage(1).Link()
	for _, away := range []time.Duration{7 * time.Second, 10 * time.Second, 15 * time.Second} {
		require.NoError(t, link.Cut())
		begin := time.Now()
		c.Client(0).MustSh(t, "dd if=/dev/urandom of="+dev+" bs=4k count=1 oflag=direct status=none")
		p.waitLeg(t, 1, "failed", ejectLimit)
		time.Sleep(away - time.Since(begin))
		require.NoError(t, link.Heal(t.Context()))
		// An attempt a second, each with a second for the neighbour to answer; then the resync of one chunk.
		p.waitLeg(t, 1, "up-to-date", 4*time.Second)
	}
	p.detachEqual(t)
}
