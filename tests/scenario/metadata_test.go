// SPDX-License-Identifier: Apache-2.0

// Promise: metadata that was kept aside comes back byte for byte where nothing ran on the store since; where something
// did, the store is a split brain beside the others and, once it was given up, comes back by copying all of its data
// (R2.17). On the host, the data areas are then equal bytes and the maps are sound.
//
//	client0 --- brmr0 --+--- stor0
//	                    +--- stor1 /dev/ubda    <- its metadata is dumped, lost and restored

package scenario_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/rig"
)

// lost overwrites the last 256 KiB of a store, which nobody has open, and returns what was there.
func lost(t *testing.T, n *rig.Node, disk int) (before []byte) {
	t.Helper()
	f, err := os.OpenFile(n.Disk(disk), os.O_RDWR, 0)
	require.NoError(t, err)
	defer f.Close()
	st, err := f.Stat()
	require.NoError(t, err)
	before = make([]byte, 256<<10)
	_, err = f.ReadAt(before, st.Size()-int64(len(before)))
	require.NoError(t, err)
	_, err = f.WriteAt(make([]byte, len(before)), st.Size()-int64(len(before)))
	require.NoError(t, err)
	n.MustSh(t, "blockdev --flushbufs "+n.DiskDevice(disk))
	return before
}

func TestRestoredMetadata(t *testing.T) {
	c := start(t, rig.Storage(2), rig.Client(1), rig.Disks(32*mib))
	p := makePool(t, c, pool{name: "vol1", legs: 2, disk: 0, size: 24 * mib})
	n, client := c.Storage(1), c.Client(0)
	disk := n.DiskDevice(0)
	write := func(dev string, at int) {
		client.MustSh(t, fmt.Sprintf("dd if=/dev/urandom of=%s bs=1M count=8 seek=%d oflag=direct status=none && sync", dev, at))
	}
	dev := p.attach(t)
	write(dev, 0)
	refuses(t, n, "rmrctl disk dump-md "+disk+" /tmp/dump", exitRefused, "in use")
	n.MustSh(t, "rmrctl disk check "+disk)
	p.detach(t)
	n.MustSh(t, "rmrctl pool stop vol1 && rmrctl disk dump-md "+disk+" /tmp/dump")

	t.Run("nothing ran since", func(t *testing.T) {
		before := lost(t, n, 0)
		refuses(t, n, "rmrctl pool assemble "+disk, exitError, "superblock")
		n.MustSh(t, "rmrctl disk restore-md /tmp/dump "+disk+" --unchanged --force && rmrctl disk check "+disk)
		after := lost(t, n, 0)
		require.NoError(t, sameBytes(before, after))
		n.MustSh(t, "rmrctl disk restore-md /tmp/dump "+disk+" --unchanged --force && rmrctl pool assemble "+disk)
		p.attach(t)
		p.waitLeg(t, 0, "up-to-date", detectLimit)
		p.waitLeg(t, 1, "up-to-date", detectLimit)
		p.detachEqual(t)
	})
	t.Run("the store went on", func(t *testing.T) {
		dev := p.attach(t)
		n.MustSh(t, "rmrctl pool stop vol1 --force")
		write(dev, 4) // the leg misses it
		p.waitLeg(t, 1, "failed", detectLimit)
		refuses(t, n, "rmrctl disk restore-md /tmp/dump "+disk+" --unchanged --force", exitRefused, "of another moment")
		lost(t, n, 0)
		refuses(t, n, "rmrctl disk restore-md /tmp/dump "+disk, exitRefused, "could lose data")
		n.MustSh(t, "rmrctl disk restore-md /tmp/dump "+disk+" --force && rmrctl disk check "+disk)
		n.MustSh(t, "rmrctl pool assemble "+disk)
		requireSplitBrain(t, p, 1)
		p.discard(t, 1)
		p.waitLeg(t, 1, "up-to-date", healLimit)
		chunks, _ := p.resynced(t, 1)
		require.Equal(t, p.size/mib, chunks, "not all of it was copied")
		p.detachEqual(t)
	})
	t.Run("beside another member", func(t *testing.T) {
		n.MustSh(t, "rmrctl pool stop vol1")
		lost(t, n, 0)
		n.MustSh(t, "rmrctl disk restore-md /tmp/dump "+disk+" --force && rmrctl pool assemble "+disk)
		refuses(t, client, p.mapCommand(), exitError, "different histories: split brain")
		p.discard(t, 1)
		p.attach(t)
		p.waitLeg(t, 1, "up-to-date", healLimit)
		p.detachEqual(t)
	})
}
