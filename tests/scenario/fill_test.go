// SPDX-License-Identifier: Apache-2.0

// Promise: a new disk that lacks everything is taken up at once, however large the pool is: the members that have the
// data write a word of their superblocks and not their maps (R9.14). The copy goes on near where it was when the node
// with the only good copy dies and comes back; what is on its disk then says at every moment what the new disk lacks.
//
//	client0 --- brmr0 --+--- stor0 /dev/ubda..
//	                    +--- stor1 /dev/ubda.. -> /dev/ubdb..

package scenario_test

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/metadata"
	"github.com/rmr-block/rmr/internal/rig"
	rmrpool "github.com/rmr-block/rmr/pkg/pool"
)

func TestNewDiskIsTakenUpAtOnce(t *testing.T) {
	c := start(t, rig.Storage(2), rig.Client(1), rig.Disks(300*mib, 300*mib, 66000*mib, 66000*mib))
	t.Run("and the copy survives the only source", func(t *testing.T) { fillSourceDies(t, sparsePool(t, c, "half", 0, 256*mib)) })
	t.Run("of 64 GiB", func(t *testing.T) { fillLarge(t, sparsePool(t, c, "large", 2, 64*1024*mib)) })
}

// sparsePool has the smallest chunks, so that its map is large.
func sparsePool(t *testing.T, c *rig.Cluster, name string, disk int, size int64) *pool {
	t.Helper()
	device := c.Storage(0).DiskDevice(disk)
	c.Storage(0).MustSh(t, fmt.Sprintf("rmrctl pool create %s --device %s --size %d --chunk-size 64K --assume-zeroed", name, device, size))
	c.Storage(1).MustSh(t, fmt.Sprintf("rmrctl pool join %s --device %s --peer %s --assume-zeroed", name, device, c.Storage(0).Address()))
	return &pool{c: c, name: name, legs: 2, disk: disk, size: size}
}

// newDisk gives member 1, whose disk is gone, the next disk of its node.
func (p *pool) newDisk(t *testing.T) {
	t.Helper()
	n := p.c.Storage(1)
	n.MustSh(t, fmt.Sprintf("rmrctl disk replace %s --leg 1 --device %s --peer %s", p.name, n.DiskDevice(p.disk+1), p.c.Storage(0).Address()))
	p.nowOn(place{0, p.disk}, place{1, p.disk + 1})
}

// loseDisk takes the store of member 1 away.
func (p *pool) loseDisk(t *testing.T) {
	t.Helper()
	p.c.Storage(1).MustSh(t, fmt.Sprintf("rmrctl pool stop %s --force", p.name))
	p.waitLeg(t, 1, "failed", ejectLimit)
}

// written are the bytes that a node has written to the pool's disk since it booted.
func (p *pool) written(t *testing.T, node int) int64 {
	t.Helper()
	n := p.c.Storage(node)
	stat := strings.Fields(n.MustSh(t, fmt.Sprintf("cat /sys/block/%s/stat", strings.TrimPrefix(n.DiskDevice(p.disk), "/dev/"))))
	require.Greater(t, len(stat), 6)
	sectors, err := strconv.ParseInt(stat[6], 10, 64)
	require.NoError(t, err)
	return sectors * 512
}

// marked are the chunks that count as marked for a member on the disk of another one. Without the data, which is large.
func (p *pool) marked(t *testing.T, on, id int) uint64 {
	t.Helper()
	f, err := os.Open(p.path(on))
	require.NoError(t, err)
	defer f.Close()
	info, err := f.Stat()
	require.NoError(t, err)
	md, err := metadata.Read(f, uint64(info.Size()))
	require.NoError(t, err)
	require.NoError(t, md.Err)
	return md.Map.Count(rmrpool.MaskOf(id))
}

// fillLarge: until the new disk is in Y and about to ask for the map, the map of the other one was not written.
func fillLarge(t *testing.T, p *pool) {
	const mapBytes = 265 * 4096 // 1048576 chunks, 3968 in a block
	dev, target := p.attach(t), p.c.Storage(1)
	p.c.Client(0).MustSh(t, fmt.Sprintf("dd if=/dev/urandom of=%s bs=1M count=8 oflag=direct status=none", dev))
	p.loseDisk(t)
	trigger(t, target, "map-pull 1 1 hold")
	before := p.written(t, 0)
	p.newDisk(t)
	waitTrigger(t, target, "map-pull")
	joined := p.written(t, 0) - before
	t.Logf("%d bytes written on the other node until the new disk had joined, the map has %d", joined, mapBytes)
	require.Equal(t, uint64(p.size)/(64<<10), p.marked(t, 0, 1), "the new disk does not lack everything")
	require.Less(t, joined, int64(mapBytes/8))
	trigger(t, target, "clear")
	p.detach(t)
	for i := range 2 {
		p.c.Storage(i).MustSh(t, fmt.Sprintf("rmrctl pool stop %s --force", p.name))
	}
}

var mapComplete = regexp.MustCompile(`map complete, from member 0: (\d+) chunks lacked`)

// fillSourceDies: half is copied when the node with the only good copy dies.
func fillSourceDies(t *testing.T, p *pool) {
	chunks := uint64(p.size) / (64 << 10)
	dev, target := p.attach(t), p.c.Storage(1)
	p.c.Client(0).MustSh(t, fmt.Sprintf("dd if=/dev/urandom of=%s bs=1M count=24 oflag=direct status=none", dev))
	p.loseDisk(t)
	trigger(t, target, fmt.Sprintf("copy-held 1 %d hold", chunks/2))
	p.newDisk(t)
	waitTrigger(t, target, "copy-held")
	p.kill(t, 0)
	r := p.audit(t)
	t.Logf("%d of %d chunks are marked when half is copied", r.Members[0].Dirty[1], chunks)
	require.Less(t, r.Members[0].Dirty[1], chunks*3/4, "a crash takes the copy back")
	require.GreaterOrEqual(t, r.Members[0].Dirty[1], chunks/2-64)
	p.waitDevice(t, "suspended", ejectLimit)
	trigger(t, target, "release")
	p.restart(t, 0)
	p.waitDevice(t, "live", healLimit)
	allUpToDate(t, p)
	trigger(t, target, "clear")
	lacked := mapComplete.FindAllStringSubmatch(target.MustSh(t, fmt.Sprintf("dmesg | grep 'rmr %s/1: '", p.name)), -1)
	require.GreaterOrEqual(t, len(lacked), 2, "the map was not pulled again")
	again, err := strconv.ParseUint(lacked[len(lacked)-1][1], 10, 64)
	require.NoError(t, err)
	require.Less(t, again, chunks*3/4, "the copy began anew")
	p.detach(t)
	end := p.audit(t)
	require.True(t, end.Equal, "data areas differ")
	require.Zero(t, end.Members[0].Dirty[1])
	for i := range 2 {
		p.c.Storage(i).MustSh(t, "rmrctl pool stop "+p.name)
	}
}
