// SPDX-License-Identifier: Apache-2.0

// Promise: what an operator must not do while disks are exchanged and pools grow is refused with a reason, and no byte
// of any disk changes: a wrong disk, one of another pool, a mounted one, the last good leg, a second exchange of the
// same member, a resize without all legs.
//
//	client0 --- brmr0 --+--- stor0 /dev/ubda: pool mist
//	                    +--- stor1 /dev/ubda: pool mist, /dev/ubdb: another pool's, mounted, then the new disk
//	                    +--- stor2 /dev/ubda: where the member is to move too

package scenario_test

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/rig"
)

// atRest waits until nothing is written any more: intents are let go, copies have ended.
func atRest(t *testing.T, c *rig.Cluster) {
	t.Helper()
	before := hashDisks(t, c)
	eventually(t, func() bool {
		time.Sleep(2 * time.Second) // more than the pass that lets intents go
		now := hashDisks(t, c)
		same := maps.Equal(before, now)
		before = now
		return same
	}, healLimit, 100*time.Millisecond, "the disks change and change")
}

func TestMistakesChangeNothing(t *testing.T) {
	c := start(t, rig.Storage(3), rig.Client(1), rig.Disks(48*mib, 48*mib, 48*mib, 16*mib))
	p := makePool(t, c, pool{name: "mist", legs: 2, size: 32 * mib})
	client, n := c.Client(0), c.Storage(1)
	dev := p.attach(t)
	client.MustSh(t, fmt.Sprintf("dd if=/dev/urandom of=%s bs=1M count=16 oflag=direct status=none && sync", dev))
	for i := range p.legs {
		c.Storage(i).MustSh(t, "rmrctl disk grow mist")
		eventually(t, func() bool { return p.member(t, i).Intents == 0 }, intentLimit, 200*time.Millisecond, "intents stay")
	}
	client.MustSh(t, "rmrctl leg eject mist 1")
	p.waitLeg(t, 1, "failed", ejectLimit)
	atRest(t, c)
	replace := "rmrctl disk replace mist --leg 1 --device "
	t.Run("a leg is out", func(t *testing.T) {
		runRefusals(t, c, []refusal{
			{name: "last good leg removed", node: "client0", command: "rmrctl leg remove mist 0", code: exitRefused, words: []string{"last up-to-date leg"}},
			{name: "last good leg removed, on its node", node: "stor0", command: "rmrctl leg remove mist 0", code: exitRefused, words: []string{"last up-to-date member"}},
			{name: "resize with a leg out", node: "client0", command: "brmr resize mist --size 40M", code: exitRefused, words: []string{"member 1", "not up to date"}},
			{name: "wrong disk: too small", node: "stor1", command: replace + "/dev/ubdd", code: exitError, words: []string{"too small"}},
			{name: "wrong disk: its own", node: "stor1", command: replace + "/dev/ubda --force", code: exitRefused, words: []string{"/dev/ubda", "use"}},
			{
				name: "foreign superblock", node: "stor1", before: "rmrctl pool create other --device /dev/ubdb --assume-zeroed && rmrctl pool stop other",
				command: replace + "/dev/ubdb", code: exitRefused, words: []string{"/dev/ubdb", "pool other", "--force"}, after: "blkdiscard -z /dev/ubdb",
			},
			{
				name: "mounted", node: "stor1", before: "mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0 /dev/ubdb; mkdir -p /mnt; mount -o ro /dev/ubdb /mnt; sync",
				command: replace + "/dev/ubdb --force", code: exitRefused, words: []string{"/dev/ubdb", "mounted"}, after: "umount /mnt; blkdiscard -z /dev/ubdb",
			},
		})
	})
	p.undamp(t, 1)
	p.waitLeg(t, 1, "up-to-date", healLimit)
	trigger(t, n, "copy-read 2 2 hold")
	n.MustSh(t, replace+"/dev/ubdb")
	waitTrigger(t, n, "copy-read")
	atRest(t, c) // all but the copy that is held has ended
	unchanged(t, c, func() {
		refuses(t, n, replace+"/dev/ubdc", exitRefused, "member 1 is being replaced by member 2 already")
		refuses(t, c.Storage(2), "rmrctl leg move mist --leg 1 --to /dev/ubda --peer "+c.Storage(0).Address(), exitRefused, "replaced by member 2")
		refuses(t, c.Storage(2), "rmrctl pool join mist --device /dev/ubda --id 2 --peer "+c.Storage(0).Address(), exitError, "member id 2 is taken")
		refuses(t, client, "brmr resize mist --size 40M", exitRefused, "member 2", "not up to date")
	})
	trigger(t, n, "release")
	p.waitGone(t, 1)
	p.waitLeg(t, 2, "up-to-date", healLimit)
	require.Len(t, p.device(t).Legs, 2)
	p.nowOn(place{0, 0}, place{1, 1})
	p.detachEqual(t)
}
