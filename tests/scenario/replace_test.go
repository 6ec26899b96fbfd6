// SPDX-License-Identifier: Apache-2.0

// Promise: a disk is exchanged while the pool is in use. A dead one gives its place to a new one, also while its node
// sees nobody else; wherever the old one comes back it is refused and changes nothing. One that works stays until the
// new one is up to date, and about as much is copied as was ever written.
//
//	client0 --- brmr0 --+--- stor0 /dev/ubda..
//	                    +--- stor1 /dev/mapper/bad over /dev/ubda.. -> /dev/ubdc

package scenario_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/rig"
)

func TestReplacedDisks(t *testing.T) {
	c := start(t, rig.Storage(2), rig.Client(1), rig.Disks(64*mib, 64*mib, 64*mib, 64*mib, 1024*mib, 1024*mib),
		rig.AllowLog("I/O error, dev dm-", "Buffer I/O error on dev dm-", "lost async page write"))
	c.Storage(1).MustSh(t, "modprobe dm_mod")
	followEvents(t, c.Client(0), c.ShareDir())
	t.Run("dead", func(t *testing.T) { replaceDead(t, badPool(t, c, 0, ""), 2, false) })
	t.Run("dead and alone", func(t *testing.T) { replaceDead(t, badPool(t, c, 1, ""), 3, true) })
	t.Run("alive", func(t *testing.T) {
		replaceAlive(t, makePool(t, c, pool{name: "alive", legs: 2, disk: 4, size: 1000 * mib, area: 960 * mib}), 5)
	})
}

// replaceDead: the disk under leg 1 dies and gets a new one in its place.
func replaceDead(t *testing.T, p *pool, fresh int, alone bool) {
	dev, client, n := p.attach(t), p.c.Client(0), p.c.Storage(1)
	client.MustSh(t, fmt.Sprintf("dd if=/dev/urandom of=%s bs=1M count=20 oflag=direct status=none", dev))
	recording := p.record(t, client, dev, 12)
	table(t, p, fmt.Sprintf("0 %d error", diskSectors))
	p.waitLeg(t, 1, "failed", ejectLimit)
	eventually(t, func() bool { return p.member(t, 1).State == "failed" }, healLimit, 100*time.Millisecond, "the store did not fail")
	if alone {
		require.NoError(t, n.Link().Cut())
	}
	command := fmt.Sprintf("rmrctl disk replace %s --leg 1 --device %s", p.name, n.DiskDevice(fresh))
	n.MustSh(t, command+" --dry-run && "+command)
	if alone {
		time.Sleep(time.Second)
		require.NoError(t, n.Link().Heal(t.Context()))
	}
	p.waitLeg(t, 1, "up-to-date", healLimit)
	recording.wait(t, time.Minute)
	// The old disk works again and comes back in the place of the new one.
	recording = p.record(t, client, dev, 12)
	table(t, p, good(n.DiskDevice(p.disk)))
	refuses(t, n, "rmrctl pool assemble /dev/mapper/"+p.name, exitError, "exists")
	n.MustSh(t, fmt.Sprintf("rmrctl pool stop %s --force && rmrctl pool assemble /dev/mapper/%s", p.name, p.name))
	p.undamp(t, 1)
	eventually(t, func() bool { l, _ := p.leg(t, 1); return l.Reason == "replaced" }, healLimit, 100*time.Millisecond,
		"the old store was not recognised")
	require.Zero(t, p.member(t, 1).Counters.Writes+p.member(t, 1).Counters.Reads, "the old store was used")
	n.MustSh(t, fmt.Sprintf("rmrctl pool stop %s && rmrctl pool assemble %s", p.name, n.DiskDevice(fresh)))
	p.undamp(t, 1)
	p.waitLeg(t, 1, "up-to-date", healLimit)
	recording.wait(t, time.Minute)
	p.nowOn(place{0, p.disk}, place{1, fresh})
	p.finished(t)
}

// fioOps is the rate of small random I/O over some seconds, in operations a second.
func (p *pool) fioOps(t *testing.T, dev string, seconds int) float64 {
	t.Helper()
	out := p.c.Client(0).MustSh(t, fio(dev, fmt.Sprintf("--rw=randrw --bs=4k --iodepth=8 --size=64m --time_based --runtime=%d --output-format=json", seconds)))
	var report struct {
		Jobs []struct {
			Read, Write struct{ Iops float64 }
		}
	}
	require.NoError(t, json.Unmarshal([]byte(out[strings.IndexByte(out, '{'):]), &report))
	return report.Jobs[0].Read.Iops + report.Jobs[0].Write.Iops
}

// replaceAlive: 64 MiB of a sparse pool were ever written. All of it stays readable on both legs meanwhile.
func replaceAlive(t *testing.T, p *pool, fresh int) {
	const written = 64 * mib
	dev, client, n := p.attach(t), p.c.Client(0), p.c.Storage(1)
	client.MustSh(t, fmt.Sprintf("dd if=/dev/urandom of=%s bs=1M count=%d oflag=direct status=none", dev, written/mib))
	before := p.fioOps(t, dev, 3)
	command := fmt.Sprintf("rmrctl disk replace %s --leg 1 --device %s", p.name, n.DiskDevice(fresh))
	begin := time.Now()
	out := n.MustSh(t, command)
	require.Contains(t, out, "member 2", "the new number is not told")
	require.Contains(t, n.MustSh(t, command), "member 2", "given again it is the same exchange")
	refuses(t, n, "rmrctl pool stop alive", exitRefused, "--leg")
	recording := p.record(t, client, dev, 5)
	during := p.fioOps(t, dev, 3)
	least := 2
	eventually(t, func() bool {
		up := 0
		for _, l := range p.device(t).Legs {
			if l.State == "up-to-date" {
				up++
			}
		}
		least = min(least, up)
		_, there := p.leg(t, 1)
		return !there
	}, 2*healLimit, 100*time.Millisecond, "the old disk is still a member")
	require.Equal(t, 2, least, "the pool had a copy less for a while")
	require.Equal(t, "up-to-date", p.waitLeg(t, 2, "up-to-date", healLimit).State)
	took := time.Since(begin)
	_, copied := p.resyncedOn(t, 1, 2)
	recording.wait(t, time.Minute)
	t.Logf("replaced in %v: %d bytes copied of %d written, %.3f; %.0f operations a second before, %.0f while copying",
		took.Round(time.Millisecond), copied, written, float64(copied)/float64(written), before, during)
	require.LessOrEqual(t, float64(copied), 1.1*float64(written))
	refuses(t, n, "rmrctl pool assemble "+n.DiskDevice(p.disk), exitError, "no superblock")
	p.nowOn(place{0, p.disk}, place{1, fresh})
	p.finished(t)
}
