// SPDX-License-Identifier: Apache-2.0

// Promise: the application is told that a write succeeded when, and not before, every leg that counts has it, what
// a leg missed is marked on disk for it, and the view without that leg is on disk (R3.4). Each of these is held up
// by a trigger, and the write waits as long.
//
//	client0 --- brmr0 --+--- stor0    <- holds the MARK, the view
//	                    +--- stor1    <- fails a write, dies, holds a write

package scenario_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/rig"
)

func TestAcknowledgementWaits(t *testing.T) {
	c := start(t, rig.Storage(2), rig.Client(1), rig.Disks(48*mib))
	p := makePool(t, c, pool{name: "ack", legs: 2, disk: 0, size: 40 * mib, opts: "--stall 10s"})
	dev := p.attach(t)
	recording := p.record(t, c.Client(0), dev, 3)
	recording.wait(t, time.Minute)
	t.Run("for every leg", func(t *testing.T) {
		waits(t, p, dev, 1, "write-arrived 1 write 1 hold", func() {})
	})
	t.Run("for the marks", func(t *testing.T) {
		trigger(t, c.Storage(1), "store 1 write 1 fail -5")
		waits(t, p, dev, 0, "mark any 1 hold", func() {})
	})
	t.Run("for the view", func(t *testing.T) {
		waits(t, p, dev, 0, "view any 1 hold", func() { p.kill(t, 1) })
		p.restart(t, 1)
	})
	p.finishWith(t)
}

// waits writes a block with a trigger set that holds up the acknowledgement: it comes after the release only.
func waits(t *testing.T, p *pool, dev string, holder int, line string, during func()) {
	t.Helper()
	allUpToDate(t, p)
	n := p.c.Storage(holder)
	trigger(t, n, line)
	write := background(t, p.c.Client(0), fmt.Sprintf("sleep 0.2; dd if=/dev/urandom of=%s bs=4k count=1 seek=1000 oflag=direct status=none", dev))
	during()
	eventually(t, func() bool { return try(t, n, "grep -q 'fired$' "+triggers).Code == 0 }, healLimit, 50*time.Millisecond, "never held")
	time.Sleep(2 * time.Second)
	require.True(t, write.running(), "the write was acknowledged while %s", line)
	p.audit(t)
	trigger(t, n, "release")
	write.wait(t, healLimit)
	trigger(t, n, "clear")
}
