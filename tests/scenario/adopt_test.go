// SPDX-License-Identifier: Apache-2.0

// Promise: a device with data becomes the first member of a pool as it is: not a byte of the data is touched, and the
// pool gives it back.
//
//	client0 --- brmr0 --+--- stor0 /dev/ubda    <- has a file system before it is a store
//	                    +--- stor1 /dev/ubda    <- reads as zeros: not equal, whatever it says

package scenario_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/rig"
)

func TestAdopt(t *testing.T) {
	c := start(t, rig.Storage(2), rig.Client(1), rig.Disks(64*mib, 64*mib))
	const size = 48 * mib
	p := &pool{c: c, name: "adopted", legs: 1, size: size}
	stor, client := c.Storage(0), c.Client(0)
	mkfs := "mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0 %s %s && mkdir -p /mnt && mount %[1]s /mnt && " +
		"for i in 1 2 3; do dd if=/dev/urandom of=/mnt/file$i bs=1M count=$((i*3)) status=none; done; (cd /mnt && sha256sum file*); umount /mnt"
	want := stor.MustSh(t, fmt.Sprintf(mkfs, stor.DiskDevice(0), "48M"))
	before := p.data(t, 0)

	stor.MustSh(t, fmt.Sprintf(mkfs, stor.DiskDevice(1), "")) // of all of the disk
	unchanged(t, c, func() {
		refuses(t, stor, fmt.Sprintf("rmrctl pool create whole --adopt --device %s", stor.DiskDevice(1)), exitRefused, "needs --size")
		refuses(t, stor, fmt.Sprintf("rmrctl pool create whole --adopt --force --device %s --size 48M", stor.DiskDevice(1)), exitRefused, "takes up 67108864 bytes")
		refuses(t, stor, fmt.Sprintf("rmrctl pool create adopted --device %s --size %d", stor.DiskDevice(0), size), exitRefused, "carries a file system")
		stor.MustSh(t, "mount -o ro,noload "+stor.DiskDevice(0)+" /mnt")
		refuses(t, stor, fmt.Sprintf("rmrctl pool create adopted --adopt --device %s --size %d", stor.DiskDevice(0), size), exitRefused, "mounted on /mnt")
		stor.MustSh(t, "umount /mnt")
	})
	stor.MustSh(t, fmt.Sprintf("rmrctl pool create adopted --adopt --device %s --size %d", stor.DiskDevice(0), size))
	require.NoError(t, sameBytes(before, p.data(t, 0)), "create touched the data")
	dev := p.attach(t)
	got := client.MustSh(t, fmt.Sprintf("e2fsck -fn %s >&2 && mkdir -p /mnt && mount -o ro,noload %[1]s /mnt && (cd /mnt && sha256sum file*); umount /mnt", dev))
	require.Equal(t, want, got)
	require.NoError(t, sameBytes(before, p.data(t, 0)), "reading touched the data")
	client.MustSh(t, fmt.Sprintf("mount %s /mnt && echo more > /mnt/more && umount /mnt && e2fsck -fn %[1]s", dev))
	p.detach(t)
	adoptedByTwo(t, p)
}

// adoptedByTwo: a zeroed store beside adopted data is never taken for equal. As long as only zeroed pools can be joined
// it is refused; a store that may join lacks everything and gets a full copy (R9.3).
func adoptedByTwo(t *testing.T, p *pool) {
	r := try(t, p.c.Storage(1), fmt.Sprintf("rmrctl pool join adopted --assume-zeroed --device %s --peer %s", p.c.Storage(1).DiskDevice(0), p.c.Storage(0).Address()))
	if r.Code != 0 {
		require.Contains(t, r.Stderr, "only unused pools with zeroed stores can be joined yet")
		return
	}
	p.legs = 2
	p.attach(t)
	p.waitLeg(t, 1, "up-to-date", healLimit)
	p.detachEqual(t)
}
