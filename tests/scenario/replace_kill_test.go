// SPDX-License-Identifier: Apache-2.0

// Promise: an exchange of a disk that is interrupted between the moment in which the new store is there and the one in
// which the old one is told to go still ends, without an operator's memory: the new store itself says whom it
// replaces. Before, the pool kept an extra member for ever.
//
//	client0 --- brmr0 --+--- stor0
//	                    +--- stor1 /dev/ubda.. -> another disk    <- dies in it
//	                    +--- stor2                                <- a member moves here, dies in it

package scenario_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/rig"
)

func TestInterruptedReplaceLeavesNoExtraMember(t *testing.T) {
	disks := make([]int64, 7)
	for i := range disks {
		disks[i] = 48 * mib
	}
	c := start(t, rig.Storage(3), rig.Client(1), rig.Disks(disks...), rig.File("/etc/rmr/storaged.yaml", []byte(storagedConfig)))
	for i, s := range []struct {
		name   string
		node   int    // that has the new disk, and dies
		point  string // of that node
		finish func(t *testing.T, p *pool, command string)
	}{
		{"daemon", 1, "claim 1 1 hold", func(t *testing.T, p *pool, _ string) {
			p.c.Storage(1).MustSh(t, "rmr-storaged --once || true")
		}},
		{"again", 1, "claim 1 1 hold", func(t *testing.T, p *pool, command string) {
			n := p.c.Storage(1)
			n.MustSh(t, "rmrctl pool assemble "+n.DiskDevice(p.disk))
			require.Contains(t, n.MustSh(t, command+" --dry-run"), "goes on with what was begun")
			require.Contains(t, n.MustSh(t, command), "member 2")
		}},
		{"moved", 2, "claim 2 1 hold", func(t *testing.T, p *pool, command string) {
			require.Contains(t, p.c.Storage(2).MustSh(t, command), "member 2")
		}},
	} {
		p := makePool(t, c, pool{name: s.name, legs: 2, disk: 2 * i, size: 40 * mib})
		t.Run(s.name, func(t *testing.T) {
			n := c.Storage(s.node)
			fresh := place{s.node, p.disk + 1}
			command := fmt.Sprintf("rmrctl disk replace %s --leg 1 --device %s", p.name, n.DiskDevice(fresh.disk))
			if s.node != 1 {
				command = fmt.Sprintf("rmrctl leg move %s --leg 1 --to %s --peer %s", p.name, n.DiskDevice(fresh.disk), c.Storage(0).Address())
			}
			diesBeforeTheWish(t, p, n, s.point, command)
			s.finish(t, p, command)
			p.waitGone(t, 1)
			p.waitLeg(t, 2, "up-to-date", healLimit)
			require.Len(t, p.device(t).Legs, 2, "an extra member is left")
			// Given once more it changes nothing.
			require.Contains(t, n.MustSh(t, command), "member 2")
			require.Len(t, p.device(t).Legs, 2)
			p.nowOn(place{0, p.disk}, fresh)
			p.finished(t)
		})
	}
}

// diesBeforeTheWish runs a command on a node that dies when its store is there and nobody was told whom it replaces.
func diesBeforeTheWish(t *testing.T, p *pool, n *rig.Node, point, command string) {
	t.Helper()
	dev, client := p.attach(t), p.c.Client(0)
	client.MustSh(t, fmt.Sprintf("dd if=/dev/urandom of=%s bs=1M count=16 oflag=direct status=none", dev))
	trigger(t, n, point)
	job := background(t, n, command)
	eventually(t, func() bool {
		fired := try(t, n, "grep -q '^claim .* fired$' "+triggers).Code == 0
		if !fired && !job.running() {
			t.Fatalf("the command ended before: %+v %v", job.result, job.err)
		}
		return fired
	}, healLimit, 50*time.Millisecond, "the command never came to the point")
	recording := p.record(t, client, dev, 10)
	require.NoError(t, n.Kill())
	job.end(t, time.Minute)
	time.Sleep(time.Second)
	require.NoError(t, n.Restart(t.Context()))
	bringUp(t, n)
	recording.wait(t, time.Minute)
}

// Two members of one pool on a node, as while a disk is exchanged: commands could not tell which one is meant.
func TestCommandsChooseAmongMembersOfANode(t *testing.T) {
	c := start(t, rig.Storage(2), rig.Client(1), rig.Disks(48*mib, 48*mib))
	p := makePool(t, c, pool{name: "both", legs: 2, size: 40 * mib})
	n, client := c.Storage(1), c.Client(0)
	dev := p.attach(t)
	client.MustSh(t, fmt.Sprintf("dd if=/dev/urandom of=%s bs=1M count=16 oflag=direct status=none", dev))
	trigger(t, n, "copy-read 2 3 hold")
	n.MustSh(t, "rmrctl disk replace both --leg 1 --device "+n.DiskDevice(1))
	waitTrigger(t, n, "copy-read")
	for _, command := range []string{"disk grow both", "disk policy both --on-error detach", "disk return both", "verify start both"} {
		refuses(t, n, "rmrctl "+command, exitError, "members 1, 2 of pool both are here", "--leg")
	}
	refuses(t, n, "rmrctl disk grow both --leg 0", exitError, "this node has member 1, 2")
	n.MustSh(t, "rmrctl disk grow both --leg 1 && rmrctl disk policy both --leg 2 --on-error detach && rmrctl resync limit both 1G --leg 2")
	rows := ask[struct {
		ID   int   `json:"member_id"`
		Room int64 `json:"room"`
		Disk struct {
			OnError string `json:"on_error"`
		} `json:"disk"`
	}](t, n, "rmrctl pool show both")
	require.Len(t, rows, 2)
	for _, r := range rows {
		require.Equal(t, r.ID == 1, r.Room > 0, "member %d", r.ID)
		require.Equal(t, map[int]string{1: "repair", 2: "detach"}[r.ID], r.Disk.OnError)
	}
	// About another member it is the same which one says it.
	n.MustSh(t, "rmrctl leg maintenance both 0 off")
	trigger(t, n, "release")
	p.waitGone(t, 1)
	p.waitLeg(t, 2, "up-to-date", healLimit)
	p.nowOn(place{0, 0}, place{1, 1})
	p.detachEqual(t)
}
