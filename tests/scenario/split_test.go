// SPDX-License-Identifier: Apache-2.0

// Promise: a store may keep its metadata on a device of its own; all of the other device is data, and two devices that
// do not belong together are refused.
//
//	client0 --- brmr0 --+--- stor0 /dev/ubda data, /dev/ubdb metadata    <- has a file system before it is a store
//	                    +--- stor1 /dev/ubda data, /dev/ubdb metadata    <- dies and returns

package scenario_test

import (
	"fmt"
	"hash/crc32"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/rig"
)

func TestMetadataDevice(t *testing.T) {
	c := start(t, rig.Storage(2), rig.Client(1), rig.Disks(64*mib, 4*mib, 64*mib, 4*mib))
	stor, peer, client := c.Storage(0), c.Storage(1), c.Client(0)
	p := &pool{c: c, name: "split", legs: 2, size: 64*mib - 4096}
	data, md := stor.DiskDevice(0), stor.DiskDevice(1)
	devices := fmt.Sprintf("--device %s --metadata-device %s", data, md)
	unchanged(t, c, func() {
		refuses(t, stor, fmt.Sprintf("rmrctl pool create split --device %s --metadata-device %[1]s", data), exitRefused, "are the same")
		refuses(t, stor, fmt.Sprintf("rmrctl pool create split --size 65M %s", devices), exitRefused, "at most 67108864 fit")
	})
	stor.MustSh(t, "rmrctl pool create split "+devices)
	peer.MustSh(t, fmt.Sprintf("rmrctl pool join split %s --peer %s", devices, stor.Address()))
	require.Equal(t, p.size, p.member(t, 0).Size)
	refuses(t, stor, fmt.Sprintf("rmrctl pool create other --device %s --metadata-device %s", stor.DiskDevice(2), md), exitRefused, "in use")

	dev := p.attach(t)
	recording := p.record(t, client, dev, 10)
	p.kill(t, 1)
	p.waitLeg(t, 1, "failed", ejectLimit)
	client.MustSh(t, fmt.Sprintf("dd if=/dev/urandom of=%s bs=1M count=20 oflag=direct status=none", dev))
	require.NoError(t, peer.Restart(t.Context()))
	bringUp(t, peer)
	t.Run("wrong devices", func(t *testing.T) { wrongDevices(t, p) })
	peer.MustSh(t, fmt.Sprintf("rmrctl pool assemble %s --metadata-device %s", data, md))
	p.waitLeg(t, 1, "up-to-date", healLimit)
	recording.wait(t, time.Minute)
	p.detach(t)
	p.judge(t)
	require.NoError(t, sameBytes(p.data(t, 0), p.data(t, 1)))
	for i := range p.legs {
		c.Storage(i).MustSh(t, fmt.Sprintf("rmrctl pool stop split && rmrctl disk check %s", md))
	}
	stor.MustSh(t, fmt.Sprintf("rmrctl pool assemble %s --metadata-device %s && rmrctl pool delete split --force", data, md))
	refuses(t, stor, fmt.Sprintf("rmrctl pool assemble %s --metadata-device %s", data, md), exitError, "not a store")
}

// wrongDevices: another store has devices of the same sizes.
func wrongDevices(t *testing.T, p *pool) {
	n := p.c.Storage(1)
	data, md, otherData, otherMD := n.DiskDevice(0), n.DiskDevice(1), n.DiskDevice(2), n.DiskDevice(3)
	n.MustSh(t, fmt.Sprintf("rmrctl pool create other --assume-zeroed --device %s --metadata-device %s && rmrctl pool stop other", otherData, otherMD))
	before := hashOf(t, n, 0, 1, 2, 3)
	defer func() { require.Equal(t, before, hashOf(t, n, 0, 1, 2, 3), "the disks changed") }()
	for words, devices := range map[string][2]string{
		"not a store":          {md, data},      // swapped
		"pool_uuid of another": {otherData, md}, // another store's data
		"give its data device": {md, ""},        // the metadata alone
		"no superblock":        {data, ""},      // the data alone
		"not the data device":  {md, otherMD},   // of another size
	} {
		command := "rmrctl pool assemble " + devices[0]
		if devices[1] != "" {
			command += " --metadata-device " + devices[1]
		}
		refuses(t, n, command, exitError, words)
	}
	refuses(t, n, fmt.Sprintf("rmrctl pool create third --device %s --metadata-device %s --assume-zeroed", data, otherMD), exitRefused, "--force")
}

// hashOf is of the bytes of disks of a node.
func hashOf(t *testing.T, n *rig.Node, disks ...int) (sums []uint32) {
	t.Helper()
	for _, d := range disks {
		b, err := os.ReadFile(n.Disk(d))
		require.NoError(t, err)
		sums = append(sums, crc32.Checksum(b, castagnoli))
	}
	return sums
}

// TestAdoptWhole: a device that is full has no room for anything of the product.
func TestAdoptWhole(t *testing.T) {
	c := start(t, rig.Storage(1), rig.Client(1), rig.Disks(64*mib, 4*mib))
	stor, client := c.Storage(0), c.Client(0)
	p := &pool{c: c, name: "whole", legs: 1, size: 64 * mib}
	data, md := stor.DiskDevice(0), stor.DiskDevice(1)
	stor.MustSh(t, fmt.Sprintf("mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0 %s && mkdir -p /mnt && mount %[1]s /mnt && dd if=/dev/urandom of=/mnt/file bs=1M count=40 status=none && umount /mnt", data))
	before := p.data(t, 0)
	stor.MustSh(t, fmt.Sprintf("rmrctl pool create whole --adopt --device %s --metadata-device %s", data, md))
	require.NoError(t, sameBytes(before, p.data(t, 0)), "create touched the data")
	stor.MustSh(t, fmt.Sprintf("rmrctl pool stop whole && rmrctl pool assemble %s --metadata-device %s", data, md))
	dev := p.attach(t)
	client.MustSh(t, fmt.Sprintf("e2fsck -fn %s >&2", dev))
	p.detach(t)
	require.NoError(t, sameBytes(before, p.data(t, 0)), "reading touched the data")
}
