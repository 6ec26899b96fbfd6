// SPDX-License-Identifier: Apache-2.0

// Promise: a store with a metadata device grows as one of a single device does, while it is used; a metadata device
// that is too small for the larger map is refused with the size it needs; and wherever its node dies, both devices are
// found again and the command can be given once more (R9.12).
//
//	client0 --- brmr0 --+--- stor0 /dev/mapper/grown0 + /dev/mapper/meta0   <- get larger
//	                    +--- stor1 /dev/mapper/grown0 + /dev/mapper/meta0   <- the same, dies in it

package scenario_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/rig"
)

// splitPool is a pool whose stores have a data device that gets larger, and a metadata device on the disk behind it.
type splitPool struct {
	*grownPool
	md int64 // bytes of the metadata devices
}

func (p *splitPool) mdPath() string { return fmt.Sprintf("/dev/mapper/meta%d", p.disk) }

func (p *splitPool) mdTable(t *testing.T, i int, verb string) {
	t.Helper()
	n := p.c.Storage(i)
	linear(t, n, fmt.Sprintf("meta%d", p.disk), n.DiskDevice(p.disk+1), p.md, verb)
}

func (p *splitPool) rebootBoth(t *testing.T, i int) {
	t.Helper()
	n := p.c.Storage(i)
	require.NoError(t, n.Restart(t.Context()))
	bringUp(t, n)
	p.table(t, i, "create")
	p.mdTable(t, i, "create")
	n.MustSh(t, fmt.Sprintf("rmrctl pool assemble %s --metadata-device %s", p.path(), p.mdPath()))
}

func TestResizeWithMetadataDevice(t *testing.T) {
	// One block of map has 3,968 chunks of 64 KiB, 248 MiB.
	c := start(t, rig.Storage(2), rig.Client(1), rig.Disks(300*mib, 2*mib))
	p := &splitPool{&grownPool{&pool{c: c, name: "split", legs: 2, size: 64 * mib}, 64*mib + 8192}, 132 << 10}
	for i := range p.legs {
		p.table(t, i, "create")
		p.mdTable(t, i, "create")
		c.Storage(i).MustSh(t, fmt.Sprintf("dd if=/dev/urandom of=%s bs=1M seek=64 count=64 oflag=direct status=none", c.Storage(i).DiskDevice(0)))
	}
	devices := fmt.Sprintf("--device %s --metadata-device %s --force", p.path(), p.mdPath())
	c.Storage(0).MustSh(t, fmt.Sprintf("rmrctl pool create split %s --size %d --chunk-size 64K", devices, p.size))
	c.Storage(1).MustSh(t, fmt.Sprintf("rmrctl pool join split %s --peer %s", devices, c.Storage(0).Address()))
	dev, client := p.attach(t), c.Client(0)
	client.MustSh(t, fmt.Sprintf("dd if=/dev/urandom of=%s bs=1M count=20 oflag=direct status=none && sync", dev))
	want := client.MustSh(t, fmt.Sprintf("dd if=%s bs=1M count=20 iflag=direct status=none | sha256sum", dev))
	recording := p.record(t, client, dev, 12)
	p.grow(t, 128*mib)
	require.Contains(t, c.Storage(0).MustSh(t, "rmrctl pool show split +device-grown"), "63")
	require.Contains(t, c.Storage(0).MustSh(t, "rmrctl doctor --role storage || true"), "rmrctl disk grow split --leg 0")
	p.resize(t, 128*mib-4096)
	p.requireZerosFrom(t, dev, 64*mib)
	p.grow(t, 264*mib)
	needs := fmt.Sprintf("metadata device too small: %d bytes, needs %d", p.md, p.md+(128<<10)+2*4096)
	refuses(t, c.Storage(0), "rmrctl disk grow split", exitError, needs)
	p.md += 128<<10 + 2*4096
	for i := range p.legs {
		p.mdTable(t, i, "reload")
	}
	p.resize(t, 256*mib)
	p.requireZerosFrom(t, dev, 128*mib-4096)
	recording.wait(t, time.Minute)
	for _, point := range []string{"grow sb-write 1", "grow sb-write 2", "resize sb-write 1"} {
		p.diesAt(t, dev, point)
	}
	require.Equal(t, want, client.MustSh(t, fmt.Sprintf("dd if=%s bs=1M count=20 iflag=direct status=none | sha256sum", dev)), "data is lost")
	p.detach(t)
	require.NoError(t, sameBytes(p.data(t, 0), p.data(t, 1)))
	p.judge(t)
	for i := range p.legs {
		c.Storage(i).MustSh(t, "rmrctl pool stop split && rmrctl disk check "+p.mdPath())
	}
	// The daemon finds both devices after a growth too.
	n := c.Storage(1)
	n.MustSh(t, "rmr-storaged --once || true")
	require.Equal(t, "idle", p.member(t, 1).State)
}

// requireZerosFrom reads the device from a byte to its end, which is the pool's.
func (p *splitPool) requireZerosFrom(t *testing.T, dev string, from int64) {
	t.Helper()
	p.c.Client(0).MustSh(t, fmt.Sprintf("[ $(blockdev --getsize64 %[1]s) = %[2]d ] && dd if=%[1]s bs=1M skip=%[3]d iflag=direct,skip_bytes status=none | cmp -n %[4]d - /dev/zero",
		dev, p.size, from, p.size-from))
}

// diesAt kills stor1 at a point of the growth of its store or of the pool, and has it end afterwards.
func (p *splitPool) diesAt(t *testing.T, dev, point string) {
	t.Helper()
	old := p.size
	p.size += 8 * mib
	p.grow(t, p.device+8*mib)
	t.Logf("dies at %s, from %d to %d bytes", point, old, p.size)
	if dieAt(t, p.grownPool, point) && strings.HasPrefix(point, "resize") {
		old = p.size
	}
	p.rebootBoth(t, 1)
	p.undamp(t, 1)
	p.waitLeg(t, 1, "up-to-date", healLimit)
	p.resize(t, p.size)
	p.requireZerosFrom(t, dev, old)
}

// make creates the pool, its two legs with metadata on devices of their own.
func (p *splitPool) make(t *testing.T) {
	t.Helper()
	for i := range p.legs {
		p.table(t, i, "create")
		p.mdTable(t, i, "create")
	}
	devices := fmt.Sprintf("--device %s --metadata-device %s --force", p.path(), p.mdPath())
	p.c.Storage(0).MustSh(t, fmt.Sprintf("rmrctl pool create %s %s --size %d", p.name, devices, p.size))
	p.c.Storage(1).MustSh(t, fmt.Sprintf("rmrctl pool join %s %s --peer %s", p.name, devices, p.c.Storage(0).Address()))
}

// TestGrowthWhoseStubCannotBeWritten: the data device got larger, but its new end takes no write. The store stays as it
// was, is found so after a loss of power, and the command is given again when the device is well.
func TestGrowthWhoseStubCannotBeWritten(t *testing.T) {
	c := start(t, rig.Storage(2), rig.Client(1), rig.Disks(80*mib, 2*mib))
	p := &splitPool{&grownPool{&pool{c: c, name: "split", legs: 2, size: 48 * mib}, 48*mib + 8192}, mib}
	p.make(t)
	dev, client, stor := p.attach(t), c.Client(0), c.Storage(1)
	recording := p.record(t, client, dev, 4)
	p.grow(t, 64*mib)
	// The last block is bad: that of the stub, and nothing that becomes data.
	stor.MustSh(t, fmt.Sprintf("printf '0 %[1]d linear %[2]s 0\\n%[1]d 8 error\\n' | dmsetup reload --noudevsync grown0 && dmsetup suspend --noudevsync grown0 && dmsetup resume --noudevsync grown0",
		p.device/512-8, stor.DiskDevice(0)))
	before := stor.MustSh(t, "rmrctl disk show -o json "+p.mdPath())
	refuses(t, stor, "rmrctl disk grow split", exitError, "error -5", "again")
	require.Equal(t, before, stor.MustSh(t, "rmrctl disk show -o json "+p.mdPath()), "the metadata has changed")
	recording.wait(t, time.Minute)
	for i := range p.legs {
		p.waitLeg(t, i, "up-to-date", 0)
	}
	p.kill(t, 1)
	p.waitLeg(t, 1, "failed", detectLimit)
	p.rebootBoth(t, 1)
	p.undamp(t, 1)
	p.waitLeg(t, 1, "up-to-date", healLimit)
	old := p.size
	p.resize(t, 60*mib)
	p.requireZerosFrom(t, dev, old)
	p.detach(t)
	require.NoError(t, sameBytes(p.data(t, 0), p.data(t, 1)))
	p.judge(t)
}
