// SPDX-License-Identifier: Apache-2.0

// Promise: a damaged copy of a superblock costs nothing but a report; without a good copy a store
// is refused and left as it is.
//
//	client0 --- brmr0 --+--- stor0 /dev/ubda    <- its superblocks are damaged
//	                    +--- stor1 /dev/ubda

package scenario_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/rig"
)

// Distance of the copies of the superblock from the end of a store, in bytes (docs/formats.md).
var copyBack = [2]int64{4 << 10, 68 << 10}

// damage flips a bit in the middle of a copy, in the file behind the disk, and returns a function
// that takes it back.
func damage(t *testing.T, n *rig.Node, disk, copyOf int) func() {
	t.Helper()
	flip := func() {
		f, err := os.OpenFile(n.Disk(disk), os.O_RDWR, 0)
		require.NoError(t, err)
		defer f.Close()
		st, err := f.Stat()
		require.NoError(t, err)
		var b [1]byte
		at := st.Size() - copyBack[copyOf] + 700
		_, err = f.ReadAt(b[:], at)
		require.NoError(t, err)
		b[0] ^= 4
		_, err = f.WriteAt(b[:], at)
		require.NoError(t, err)
		n.MustSh(t, "blockdev --flushbufs "+n.DiskDevice(disk))
	}
	flip()
	return flip
}

func TestDamagedSuperblock(t *testing.T) {
	c := start(t, rig.Storage(2), rig.Client(1), rig.Disks(32*mib))
	p := makePool(t, c, pool{name: "vol1", legs: 2, disk: 0, size: 16 * mib})
	p.attach(t)
	p.c.Client(0).MustSh(t, "dd if=/dev/urandom of=/dev/brmr0 bs=1M count=16 oflag=direct status=none")
	p.detach(t)
	n := c.Storage(0)
	assemble := "rmrctl pool assemble " + n.DiskDevice(0)
	for bad := range 2 {
		t.Run(fmt.Sprintf("copy %d", bad), func(t *testing.T) {
			n.MustSh(t, "rmrctl pool stop vol1")
			damage(t, n, 0, bad)
			n.MustSh(t, assemble)
			require.Equal(t, []int{bad}, p.member(t, 0).Damaged)
			p.attach(t)
			p.detach(t)
			require.Empty(t, p.member(t, 0).Damaged, "writes did not replace the damaged copy")
		})
	}
	t.Run("both copies", func(t *testing.T) {
		n.MustSh(t, "rmrctl pool stop vol1")
		first, second := damage(t, n, 0, 0), damage(t, n, 0, 1)
		unchanged(t, c, func() { refuses(t, n, assemble, exitError, "superblock", "damaged") })
		unchanged(t, c, func() {
			refuses(t, n, "rmrctl pool create new --device "+n.DiskDevice(0), exitRefused, n.DiskDevice(0), "--force")
		})
		first()
		second()
		n.MustSh(t, assemble)
		require.Empty(t, p.member(t, 0).Damaged)
	})
	p.attach(t)
	p.detachEqual(t)
}
