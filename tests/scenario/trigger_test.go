// SPDX-License-Identifier: Apache-2.0

// Promise: resync survives failures at its own awkward moments. The moments are made by named triggers of the
// storage side (debugfs), not by luck.
//
//	client0 --- brmr0 --+--- stor0   <- fails reads of its peer
//	                    +--- stor1   <- dies with a chunk copied and not yet counted as held

package scenario_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/rig"
)

const triggers = "/sys/kernel/debug/rmr_server/triggers"

// trigger sets one on a node.
func trigger(t *testing.T, n *rig.Node, line string) {
	t.Helper()
	n.MustSh(t, "mountpoint -q /sys/kernel/debug || mount -t debugfs none /sys/kernel/debug; echo '"+line+"' > "+triggers)
}

func waitFired(t *testing.T, n *rig.Node) {
	t.Helper()
	eventually(t, func() bool { return strings.Contains(n.MustSh(t, "cat "+triggers), "fired") }, healLimit, 100*time.Millisecond,
		"the trigger never fired")
}

func TestFailuresDuringResync(t *testing.T) {
	c := start(t, rig.Storage(2), rig.Client(1), rig.Disks(128*mib, 128*mib))
	t.Run("unreadable block on the source", func(t *testing.T) {
		p := makePool(t, c, pool{name: "badread", legs: 2, disk: 0, size: 64 * mib, area: 48 * mib})
		dev := missWhileCut(t, p)
		trigger(t, c.Storage(0), "resync-read any 3 fail -5")
		require.NoError(t, c.Storage(1).Link().Heal(t.Context()))
		waitFired(t, c.Storage(0))
		p.waitLeg(t, 1, "up-to-date", healLimit)
		require.Contains(t, c.Storage(1).MustSh(t, "dmesg"), "failed: -5")
		trigger(t, c.Storage(0), "clear")
		finish(t, p, dev)
	})
	t.Run("node dies before a copied chunk counts", func(t *testing.T) {
		p := makePool(t, c, pool{name: "dies", legs: 2, disk: 1, size: 64 * mib, area: 48 * mib})
		dev := missWhileCut(t, p)
		trigger(t, c.Storage(1), "copy-held 1 2 hold")
		require.NoError(t, c.Storage(1).Link().Heal(t.Context()))
		waitFired(t, c.Storage(1))
		require.NotContains(t, p.member(t, 0).UpToDate, 1)
		require.NoError(t, c.Storage(1).Kill())
		p.waitLeg(t, 1, "failed", ejectLimit)
		p.audit(t)
		require.NoError(t, c.Storage(1).Restart(t.Context()))
		bringUp(t, c.Storage(1))
		c.Storage(1).MustSh(t, "rmrctl pool assemble "+c.Storage(1).DiskDevice(p.disk))
		p.waitLeg(t, 1, "up-to-date", healLimit)
		finish(t, p, dev)
	})
}

func TestTriggersRefuseNonsense(t *testing.T) {
	c := start(t, rig.Storage(1))
	trigger(t, c.Storage(0), "clear")
	for _, line := range []string{
		"", "x", "mark any 1", "mark any 0 hold", "mark 8 1 hold", "mark any 1 fail 5", "mark any 1 fail -600",
		"mark any 1 delay", "mark any 1 hold 3", "nowhere any 1 hold", "mark any 1 delay 5 6", strings.Repeat("m", 200),
		"write-arrived any erase 1 hold", "write-arrived any write hold", "write-arrived any write 1", "write-arrived any write 1 3-4",
		"write-arrived any 1 4-3 hold", "write-arrived any 1 4- hold", "write-arrived any 1 -4 hold", "write-arrived any 1 4 hold",
		"write-arrived any 1 1-99999999999999999999 hold", "write-arrived any write 1 3-4 fail -5 6", "write-arrived any 1 write 3-4 hold",
		"mark any write 1 hold", "mark any 1 corrupt", "data any write 1 hold", "data any 1 corrupt 3", "mark any 1 0-1 hold", "copy-read any read 1 hold", "write-arrived any write 1 3-4 hold x y",
	} {
		r := try(t, c.Storage(0), "echo '"+line+"' > "+triggers)
		require.NotZero(t, r.Code, "%q was accepted", line)
	}
	require.Empty(t, c.Storage(0).MustSh(t, "cat "+triggers))
	for line, shown := range map[string]string{
		"mark any 1 hold": "mark any 1 hold hits 0",
		"write-arrived 7 write-zeroes 12 3-4 fail -511": "write-arrived 7 write-zeroes 12 3-4 fail -511 hits 0",
		"copy-read 0 4294967295 0-0 delay 60000":        "copy-read 0 4294967295 0-0 delay 60000 hits 0",
		"store any flush 1 panic":                       "store any flush 1 panic hits 0",
		"data 1 write 2 3-4 corrupt":                    "data 1 write 2 3-4 corrupt hits 0",
	} {
		trigger(t, c.Storage(0), line)
		require.Equal(t, shown, c.Storage(0).MustSh(t, "cat "+triggers))
		trigger(t, c.Storage(0), "clear")
	}
}

// missWhileCut cuts leg 1 off and writes a block in each of 30 chunks.
func missWhileCut(t *testing.T, p *pool) (dev string) {
	t.Helper()
	dev = p.attach(t)
	client := p.c.Client(0)
	client.MustSh(t, fmt.Sprintf("dd if=/dev/urandom of=%s bs=1M count=40 oflag=direct status=none && sync", dev))
	require.NoError(t, p.c.Storage(1).Link().Cut())
	client.MustSh(t, fmt.Sprintf("for i in $(seq 0 29); do dd if=/dev/urandom of=%s bs=4k count=1 seek=$((i*257)) oflag=direct status=none; done", dev))
	p.waitLeg(t, 1, "failed", ejectLimit)
	p.audit(t)
	return dev
}

func finish(t *testing.T, p *pool, dev string) {
	t.Helper()
	recording := p.record(t, p.c.Client(0), dev, 3)
	p.c.Client(0).MustSh(t, fio(dev, verified, "--rw=randwrite --bs=16k --iodepth=8 --size=8m"))
	recording.wait(t, time.Minute)
	p.detachEqual(t)
	p.judge(t)
}
