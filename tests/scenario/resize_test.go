// SPDX-License-Identifier: Apache-2.0

// Promise: a pool grows while it is used: what was there stays, the new part reads as zeros on every leg, nothing is
// copied; and wherever a node dies in it, the store is found again and the command can be given once more (R9.12).
//
//	client0 --- brmr0 --+--- stor0 /dev/mapper/grown0 on /dev/ubda    <- gets larger
//	                    +--- stor1 /dev/mapper/grown0 on /dev/ubda    <- gets larger, dies in it

package scenario_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/rig"
)

// grownPool is a pool on devices that get larger.
type grownPool struct {
	*pool
	device int64 // bytes of the devices on disk p.disk
}

func (p *grownPool) path() string { return fmt.Sprintf("/dev/mapper/grown%d", p.disk) }

// table makes the device of a node that has booted, or changes its size.
func (p *grownPool) table(t *testing.T, i int, verb string) {
	t.Helper()
	n := p.c.Storage(i)
	linear(t, n, fmt.Sprintf("grown%d", p.disk), n.DiskDevice(p.disk), p.device, verb)
}

// linear makes a device of the first bytes of another one, or changes its size.
func linear(t *testing.T, n *rig.Node, name, under string, bytes int64, verb string) {
	t.Helper()
	table := fmt.Sprintf("echo '0 %d linear %s 0'", bytes/512, under)
	if verb == "create" {
		n.MustSh(t, fmt.Sprintf("modprobe dm_mod && %s | dmsetup create --noudevsync %s && dmsetup mknodes", table, name))
		return
	}
	n.MustSh(t, fmt.Sprintf("%s | dmsetup reload %s && dmsetup suspend --noudevsync %[2]s && dmsetup resume --noudevsync %[2]s", table, name))
}

// grow makes the devices of all legs larger.
func (p *grownPool) grow(t *testing.T, size int64) {
	t.Helper()
	p.device = size
	for i := range p.legs {
		p.table(t, i, "reload")
	}
}

func makeGrownPool(t *testing.T, c *rig.Cluster, name string, disk int, size, device int64) *grownPool {
	t.Helper()
	p := &grownPool{&pool{c: c, name: name, legs: 2, disk: disk, size: size}, device}
	for i := range p.legs {
		p.table(t, i, "create")
		// What becomes data later is not zero.
		c.Storage(i).MustSh(t, fmt.Sprintf("dd if=/dev/urandom of=%s bs=1M oflag=direct status=none || true", c.Storage(i).DiskDevice(disk)))
	}
	c.Storage(0).MustSh(t, fmt.Sprintf("rmrctl pool create %s --force --device %s --size %d", name, p.path(), size))
	c.Storage(1).MustSh(t, fmt.Sprintf("rmrctl pool join %s --force --device %s --peer %s", name, p.path(), c.Storage(0).Address()))
	return p
}

func (p *grownPool) resizeCommand(size int64) string {
	return fmt.Sprintf("brmr resize %s --size %d", p.name, size)
}

// resize makes room and the pool larger.
func (p *grownPool) resize(t *testing.T, size int64) {
	t.Helper()
	for i := range p.legs {
		p.c.Storage(i).MustSh(t, "rmrctl disk grow "+p.name)
	}
	begin := time.Now()
	p.c.Client(0).MustSh(t, p.resizeCommand(size))
	t.Logf("resized to %d MiB in %v", size/mib, time.Since(begin).Round(time.Millisecond))
	p.size = size
}

func TestResize(t *testing.T) {
	const disk = 152 * mib
	c := start(t, rig.Storage(2), rig.Client(1), rig.Disks(disk, disk))
	t.Run("under load", func(t *testing.T) { resizeUnderLoad(t, makeGrownPool(t, c, "loaded", 0, 64*mib, 70*mib), disk) })
	t.Run("node dies", func(t *testing.T) { nodeDiesInResize(t, makeGrownPool(t, c, "dying", 1, 64*mib, 70*mib)) })
}

func resizeUnderLoad(t *testing.T, p *grownPool, disk int64) {
	dev, client := p.attach(t), p.c.Client(0)
	client.MustSh(t, fmt.Sprintf("dd if=/dev/urandom of=%s bs=1M count=20 oflag=direct status=none && sync", dev))
	sum := func() string {
		return client.MustSh(t, fmt.Sprintf("dd if=%s bs=1M count=20 iflag=direct status=none | sha256sum", dev))
	}
	want := sum()
	refuses(t, client, p.resizeCommand(96*mib), exitError, "member 0", "no room", "disk grow")
	refuses(t, client, p.resizeCommand(32*mib), exitRefused, "--force")
	refuses(t, p.c.Storage(0), fmt.Sprintf("rmrctl pool resize %s --size 96M", p.name), exitError, "on the client host")
	refuses(t, p.c.Storage(0), fmt.Sprintf("rmrctl disk grow %s --size 96M", p.name), exitError, "at most")
	refuses(t, p.c.Storage(0), fmt.Sprintf("rmrctl disk grow %s --leg 1", p.name), exitError, "this node has member 0")
	recording := p.record(t, client, dev, 12)
	p.grow(t, 112*mib)
	client.MustSh(t, fmt.Sprintf("rmrctl leg eject %s 1", p.name))
	p.waitLeg(t, 1, "failed", ejectLimit)
	refuses(t, client, p.resizeCommand(96*mib), exitRefused, "member 1", "not up to date")
	client.MustSh(t, fmt.Sprintf("rmrctl leg return %s 1", p.name))
	p.waitLeg(t, 1, "up-to-date", healLimit)
	_, before := p.resynced(t, 1)
	p.resize(t, 96*mib)
	p.requireZeros(t, dev, 64*mib)
	require.Equal(t, want, sum(), "data is lost")
	p.grow(t, disk)
	p.resize(t, 128*mib)
	p.requireZeros(t, dev, 96*mib)
	client.MustSh(t, fmt.Sprintf("dd if=/dev/urandom of=%s bs=1M seek=64 count=64 oflag=direct conv=fsync status=none", dev))
	recording.wait(t, time.Minute)
	for i := range p.legs {
		p.waitLeg(t, i, "up-to-date", 0)
	}
	_, after := p.resynced(t, 1)
	require.Equal(t, before, after, "the new part was copied")
	require.Equal(t, want, sum(), "data is lost")
	p.detachEqual(t)
	p.judge(t)
	// The size is that of the pool: after a restart of a node and another attachment, too.
	p.reboot(t, 1)
	dev = p.attach(t)
	require.Equal(t, fmt.Sprint(128*mib), client.MustSh(t, "blockdev --getsize64 "+dev))
	fileSystemGrows(t, p, dev)
	p.detachEqual(t)
}

// fileSystemGrows: one that fills half of the pool takes all of it.
func fileSystemGrows(t *testing.T, p *grownPool, dev string) {
	p.c.Client(0).MustSh(t, fmt.Sprintf("mkfs.ext4 -q -F -E lazy_itable_init=0,lazy_journal_init=0 %[1]s 64M && mkdir -p /mnt && mount %[1]s /mnt && "+
		"dd if=/dev/urandom of=/mnt/file bs=1M count=40 status=none && sha256sum /mnt/file > /tmp/sum && resize2fs %[1]s >&2 && "+
		"dd if=/dev/urandom of=/mnt/more bs=1M count=50 status=none && umount /mnt && e2fsck -fn %[1]s >&2 && mount %[1]s /mnt && sha256sum -c /tmp/sum && umount /mnt", dev))
}

// requireZeros reads the device from a byte to its end.
func (p *grownPool) requireZeros(t *testing.T, dev string, from int64) {
	t.Helper()
	p.c.Client(0).MustSh(t, fmt.Sprintf("[ $(blockdev --getsize64 %[1]s) = %[2]d ] && dd if=%[1]s bs=1M skip=%[3]d iflag=direct status=none | cmp -n %[4]d - /dev/zero",
		dev, p.size, from/mib, p.size-from))
	for i := range p.legs {
		data := p.data(t, i)[from:]
		require.NoError(t, sameBytes(make([]byte, len(data)), data), "leg %d", i)
	}
}

// reboot starts a storage node that is dead or idle, whose device may have grown meanwhile.
func (p *grownPool) reboot(t *testing.T, i int) {
	t.Helper()
	n := p.c.Storage(i)
	require.NoError(t, n.Restart(t.Context()))
	bringUp(t, n)
	p.table(t, i, "create")
	if r := try(t, n, "rmrctl pool assemble "+p.path()); r.Code == 0 {
		return
	} else if !strings.Contains(r.Stderr, "superblock") {
		t.Fatal(r.Stderr)
	}
	var found []struct {
		StoreSize int64 `json:"store_size"`
	}
	require.NoError(t, json.Unmarshal([]byte(n.MustSh(t, "rmrctl disk find -o json "+p.path())), &found))
	require.NotEmpty(t, found, "no superblock is left")
	t.Logf("found a store of %d bytes on a device of %d", found[0].StoreSize, p.device)
	n.MustSh(t, fmt.Sprintf("rmrctl pool assemble %s --store-size %d", p.path(), found[0].StoreSize))
}

// nodeDiesInResize: stor1 dies at each write of a superblock and of a map block that growth makes, and in full at
// random moments of it. Each time the devices get larger and the pool follows.
func nodeDiesInResize(t *testing.T, p *grownPool) {
	dev, client := p.attach(t), p.c.Client(0)
	client.MustSh(t, fmt.Sprintf("dd if=/dev/urandom of=%s bs=1M count=40 oflag=direct status=none && sync", dev))
	want := client.MustSh(t, fmt.Sprintf("dd if=%s bs=1M count=40 iflag=direct status=none | sha256sum", dev))
	points := []string{"grow sb-write 1", "grow sb-write 2", "resize sb-write 1"}
	if everyCase() {
		points = []string{
			"grow map-write 1", "grow sb-write 1", "grow sb-write 2", "grow sb-write 3", "grow sb-write 4", "resize sb-write 1", "resize sb-write 2",
		}
		for range 12 {
			points = append(points, []string{"grow random", "resize random"}[rand.IntN(2)])
		}
	}
	for _, point := range points {
		old := p.size
		p.size += 2 * mib
		p.grow(t, p.device+4*mib)
		t.Logf("dies at %s, from %d to %d MiB", point, old/mib, p.size/mib)
		done := dieAt(t, p, point)
		if done && strings.HasPrefix(point, "resize") {
			old = p.size
		}
		p.reboot(t, 1)
		p.waitLeg(t, 1, "up-to-date", healLimit)
		require.Equal(t, fmt.Sprint(old), client.MustSh(t, "blockdev --getsize64 "+dev), "the device is larger than a member")
		p.resize(t, p.size)
		p.requireZeros(t, dev, old)
		require.Equal(t, want, client.MustSh(t, fmt.Sprintf("dd if=%s bs=1M count=40 iflag=direct status=none | sha256sum", dev)), "data is lost")
	}
	p.detach(t)
	for i := range p.legs {
		p.c.Storage(i).MustSh(t, "rmrctl pool stop dying && rmrctl disk check "+p.path())
	}
	require.NoError(t, sameBytes(p.data(t, 0), p.data(t, 1)))
}

// dieAt kills stor1 at a point of the growth of its store or of the pool. At a random one the command may be done.
func dieAt(t *testing.T, p *grownPool, point string) (done bool) {
	stor, client := p.c.Storage(1), p.c.Client(0)
	what, where, _ := strings.Cut(point, " ")
	p.c.Storage(0).MustSh(t, "rmrctl disk grow "+p.name)
	node, command := stor, "rmrctl disk grow "+p.name
	if what == "resize" {
		stor.MustSh(t, command)
		node, command = client, p.resizeCommand(p.size)
	}
	if where == "random" {
		job := background(t, node, command)
		time.Sleep(time.Duration(rand.IntN(60)) * time.Millisecond)
		p.kill(t, 1)
		job.end(t, time.Minute)
		done = job.err == nil && job.result.Code == 0
	} else {
		name, nth, _ := strings.Cut(where, " ")
		trigger(t, stor, fmt.Sprintf("%s 1 %s hold", name, nth))
		job := background(t, node, command)
		waitTrigger(t, stor, name)
		p.kill(t, 1)
		job.end(t, time.Minute)
		require.False(t, job.err == nil && job.result.Code == 0, "the command was done though the node died in it")
	}
	p.waitLeg(t, 1, "failed", detectLimit)
	return done
}
