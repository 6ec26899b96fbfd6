// SPDX-License-Identifier: Apache-2.0

// Promise: what holds for a shrink of two plain legs holds for other pools (R9.12): stores with a metadata device keep
// the label of their data, a witness follows and none has to be there, a member that was told of a shrink which the pool
// never was is refused and taken back when the command is given again, and a partition that ends behind the new end
// fails there and harms nothing.
//
//	client0 --- brmr0 --+--- stor0 /dev/ubda..   /dev/mapper/grown2 + /dev/mapper/meta2
//	                    +--- stor1 /dev/ubda..   the same
//	                    +--- stor2 /dev/ubda..   a leg, or the witness
//	                    +--- stor3 /dev/ubda     the witness of three legs

package scenario_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/rig"
)

func TestShrinkOfOtherPools(t *testing.T) {
	c := start(t, rig.Storage(4), rig.Client(1), rig.Disks(56*mib, 56*mib, 56*mib, 2*mib, 56*mib))
	t.Run("metadata device", func(t *testing.T) { shrinkSplit(t, c) })
	t.Run("partition", func(t *testing.T) {
		shrinkUnderPartition(t, &shrunkPool{pool: makePool(t, c, pool{name: "parted", legs: 2, disk: 4, size: 48 * mib})})
	})
	t.Run("three legs and a witness", func(t *testing.T) {
		shrinkWithWitness(t, &shrunkPool{pool: makePool(t, c, pool{name: "three", legs: 3, disk: 0, size: 48 * mib, witness: true})})
	})
	t.Run("told to one alone", func(t *testing.T) {
		toldToOneAlone(t, &shrunkPool{pool: makePool(t, c, pool{name: "told", legs: 2, disk: 1, size: 44 * mib, witness: true})})
	})
}

// use attaches the pool, records for some seconds what a client sees of it, and writes the rest of the device.
func (p *shrunkPool) use(t *testing.T) {
	t.Helper()
	p.dev = p.attach(t)
	allUpToDate(t, p.pool)
	p.record(t, p.c.Client(0), p.dev, 2).wait(t, time.Minute)
	p.c.Client(0).MustSh(t, fmt.Sprintf("dd if=/dev/urandom of=%s bs=1M count=8 oflag=direct status=none", p.dev))
	p.fill(t, kept)
	p.sum = p.keptSum(t)
}

// label is the last block of a data device.
func (p *splitPool) label(t *testing.T, i int) []byte {
	t.Helper()
	f, err := os.Open(p.pool.path(i))
	require.NoError(t, err)
	defer f.Close()
	block := make([]byte, 4096)
	_, err = f.ReadAt(block, p.device-int64(len(block)))
	require.NoError(t, err)
	return block
}

// shrinkSplit: a store whose data device has no room for a label is refused, as one that gets smaller would be looked
// for by a label that is not there. With one, that stays as it is and the store is found by it.
func shrinkSplit(t *testing.T, c *rig.Cluster) {
	s := &splitPool{&grownPool{&pool{c: c, name: "split", legs: 2, disk: 2, size: 48 * mib}, 48 * mib}, mib}
	s.make(t)
	p, client := &shrunkPool{pool: s.pool}, c.Client(0)
	p.use(t)
	refuses(t, client, p.command(40*mib), exitError, "member 0", "without a label, grow it")
	p.is(t, 48*mib, 0, 1)
	s.grow(t, 48*mib+8192)
	for i := range p.legs {
		c.Storage(i).MustSh(t, "rmrctl disk grow split")
	}
	labels := [][]byte{s.label(t, 0), s.label(t, 1)}
	require.NotEqual(t, make([]byte, 4096), labels[0], "no label was written")
	require.NotEqual(t, labels[0], labels[1], "two stores have one label")
	p.shrinks(t, 40*mib+12<<10)
	for i := range p.legs {
		require.True(t, bytes.Equal(labels[i], s.label(t, i)), "the label of member %d has changed", i)
	}
	p.kill(t, 1)
	p.waitLeg(t, 1, "failed", detectLimit)
	s.rebootBoth(t, 1)
	p.undamp(t, 1)
	p.waitLeg(t, 1, "up-to-date", healLimit)
	p.is(t, p.size, 0, 1)
	p.growsEmpty(t, 48*mib)
	p.fill(t, kept)
	p.shrinks(t, 36*mib)
	p.record(t, client, p.dev, 2).wait(t, time.Minute)
	p.detach(t)
	require.NoError(t, sameBytes(p.data(t, 0), p.data(t, 1)))
	p.judge(t)
	for i := range p.legs {
		c.Storage(i).MustSh(t, "rmrctl pool stop split && rmrctl disk check "+s.mdPath())
	}
}

// shrinkWithWitness: each leg has to be there, the witness has not.
func shrinkWithWitness(t *testing.T, p *shrunkPool) {
	p.use(t)
	p.whole(t)
	client, old := p.c.Client(0), p.size
	p.kill(t, 2)
	p.waitLeg(t, 2, "failed", detectLimit)
	refuses(t, client, p.command(40*mib), exitRefused, "member 2", "not up to date")
	p.is(t, old, 0, 1)
	p.restart(t, 2)
	p.undamp(t, 2)
	p.whole(t)
	p.shrinks(t, 44*mib+4096)
	require.Equal(t, p.size, p.member(t, 3).Size, "the witness was not told")
	p.kill(t, 3)
	p.waitLeg(t, 3, "failed", detectLimit)
	p.shrinks(t, 40*mib)
	p.restart(t, 3)
	p.undamp(t, 3)
	p.whole(t)
	p.growsEmpty(t, old)
	p.record(t, client, p.dev, 2).wait(t, time.Minute)
	p.detachEqual(t)
	p.judge(t)
}

// toldToOneAlone: client and both legs die when member 1 was told and member 0 was not. Member 0 and the witness are a
// majority with one of the up-to-date set (R2.6): the pool has its old size, and the shrink never was.
func toldToOneAlone(t *testing.T, p *shrunkPool) {
	p.use(t)
	p.whole(t)
	client, old, size := p.c.Client(0), p.size, 38*mib+4096
	trigger(t, p.c.Storage(0), "sb-write 0 1 hold")
	job := background(t, client, p.command(size))
	waitTrigger(t, p.c.Storage(0), "sb-write")
	p.c.Storage(1).MustSh(t, fmt.Sprintf("for i in $(seq 100); do dmesg | grep -q 'told.*: resized to %d bytes' && exit; sleep 0.1; done; exit 1", size))
	require.NoError(t, client.Kill())
	p.kill(t, 0)
	p.kill(t, 1)
	job.end(t, time.Minute)
	p.restart(t, 0)
	require.NoError(t, client.Restart(t.Context()))
	bringUp(t, client)
	p.dev = client.MustSh(t, p.mapCommand()+" --takeover")
	p.is(t, old, 0)
	require.Equal(t, p.sum, p.keptSum(t), "data is lost")
	p.record(t, client, p.dev, 2).wait(t, time.Minute)
	p.fill(t, kept)
	p.sum = p.keptSum(t)

	p.restart(t, 1)
	eventually(t, func() bool { return p.device(t).Legs[1].Reason == "too-small" }, healLimit, 100*time.Millisecond, "member 1 is not refused as too small")
	require.Equal(t, size, p.member(t, 1).Size)
	require.Contains(t, try(t, client, "rmrctl explain told").Stdout, "brmr resize told --size")
	for _, other := range []string{p.command(36 * mib), p.command(old), fmt.Sprintf("brmr resize told --size %d", old+4096)} {
		refuses(t, client, other, exitRefused, "member 1", fmt.Sprintf("%d bytes: shrink to that", size))
	}
	p.is(t, old, 0)
	p.shrinksFor(t, size, 0, 1)
	p.undamp(t, 1)
	p.whole(t)
	p.is(t, size, 0, 1)
	require.Equal(t, p.sum, p.keptSum(t), "data is lost")
	p.growsEmpty(t, old)
	p.record(t, client, p.dev, 2).wait(t, time.Minute)
	p.detachEqual(t)
	p.judge(t)
}

// partitions writes a table of two, one before and one around what becomes the end, and has the kernel read it.
func (p *shrunkPool) partitions(t *testing.T, parts ...[2]int64) {
	t.Helper()
	block := make([]byte, 512)
	for i, part := range parts {
		entry := block[446+16*i:]
		entry[4] = 0x83 // Linux
		binary.LittleEndian.PutUint32(entry[8:], uint32(part[0]/512))
		binary.LittleEndian.PutUint32(entry[12:], uint32(part[1]/512))
	}
	copy(block[510:], "\x55\xaa")
	require.NoError(t, os.WriteFile(filepath.Join(p.c.ShareDir(), p.name+".mbr"), block, 0o644))
	p.c.Client(0).MustSh(t, fmt.Sprintf("dd if=/share/%s.mbr of=%s bs=512 conv=fsync status=none && blockdev --rereadpt %[2]s", p.name, p.dev))
}

// shrinkUnderPartition: who has one open is in the way. Then it is cut off, and who finds it as it was gets errors.
func shrinkUnderPartition(t *testing.T, p *shrunkPool) {
	const begin, length, end = 34 * mib, 13 * mib, 40 * mib
	p.use(t)
	p.partitions(t, [2]int64{mib, 20 * mib}, [2]int64{begin, length})
	p.sum = p.keptSum(t)
	client, old := p.c.Client(0), p.size
	part := p.dev + "p2"
	require.Equal(t, fmt.Sprint(length), client.MustSh(t, "blockdev --getsize64 "+part))
	open := background(t, client, "sleep 1000 < "+part+" & echo $! > /tmp/opener; wait; true")
	eventually(t, func() bool { return try(t, client, "test -s /tmp/opener").Code == 0 }, healLimit, 50*time.Millisecond, "nobody has it open")
	refuses(t, client, p.command(end), exitRefused, "open")
	p.is(t, old, 0, 1)
	client.MustSh(t, "kill $(cat /tmp/opener)")
	open.wait(t, time.Minute)

	// Who opens a partition first after that has it as it was, and the kernel looks for partitions anew.
	behind := int64(end-begin) / 4096
	r := within(t, client, healLimit, fmt.Sprintf("%s && exec 3<>%s && dd if=/dev/urandom bs=4096 count=1 seek=%d oflag=direct conv=notrunc >&3 || "+
		"dd of=/dev/null bs=4096 count=1 skip=%[3]d iflag=direct <&3", p.command(end), part, behind))
	require.Equal(t, 1, r.Code, "I/O behind the end was done")
	require.Equal(t, 2, strings.Count(r.Stderr, "Input/output error"), r.Stderr)
	p.size = end
	p.is(t, end, 0, 1)
	require.Equal(t, fmt.Sprint(end-begin), client.MustSh(t, "blockdev --getsize64 "+part))
	require.NotZero(t, try(t, client, fmt.Sprintf("dd if=/dev/urandom of=%s bs=4096 count=1 seek=%d oflag=direct", part, behind)).Code)
	client.MustSh(t, fmt.Sprintf("for i in 1 2; do dd if=/dev/urandom of=/tmp/some bs=1M count=3 status=none && dd if=/tmp/some of=%sp$i bs=1M oflag=direct status=none && "+
		"dd if=%[1]sp$i bs=1M count=3 iflag=direct status=none | cmp - /tmp/some; done", p.dev))
	p.sum = p.keptSum(t)
	p.growsEmpty(t, old)
	client.MustSh(t, "blockdev --rereadpt "+p.dev)
	require.Equal(t, fmt.Sprint(length), client.MustSh(t, "blockdev --getsize64 "+part))
	for i := range p.legs {
		p.neverFailed(t, i)
	}
	p.record(t, client, p.dev, 2).wait(t, time.Minute)
	p.detachEqual(t)
	p.judge(t)
}
