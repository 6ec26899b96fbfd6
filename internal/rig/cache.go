// SPDX-License-Identifier: Apache-2.0

package rig

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"time"
)

// Cache gives a disk of a node a write cache that a loss of power empties. The host keeps everything that a
// node writes, as it holds the file behind the disk, so the cache is made up: a log-writes target of the node's
// device mapper notes on another disk, the log, what a FLUSH or FUA made stable, in order. LosePower puts the
// disk into a state in which a real one may be then: what was stable, and of each block that was written since,
// by chance the old bytes or the new ones.
//
//	/dev/mapper/NAME -> log-writes -> /dev/ubdX (as it is), /dev/ubdY (what is stable)
type Cache struct {
	node      *Node
	disk, log int
	stable    []byte // the disk's bytes that no loss of power takes away
}

// settleTime is what the kernel's log thread needs to write down a flush that the node has seen end.
const settleTime = 500 * time.Millisecond

// NewCache is for a disk whose state now is stable, and a disk for the log, which must be large enough for all
// that is written until power is lost. Both are used by nothing else.
func NewCache(n *Node, disk, log int) (*Cache, error) {
	c := &Cache{node: n, disk: disk, log: log}
	var err error
	if c.stable, err = os.ReadFile(n.Disk(disk)); err != nil {
		return nil, fmt.Errorf("read disk %d of %s: %w", disk, n.name, err)
	}
	return c, c.emptyLog()
}

// Start makes the device in a node that has booted, and returns its path.
func (c *Cache) Start(ctx context.Context) (string, error) {
	name := fmt.Sprintf("cached%d", c.disk)
	_, err := c.node.Sh(ctx, fmt.Sprintf("modprobe dm_mod && modprobe dm_log_writes && echo '0 %d log-writes %s %s' | dmsetup create --noudevsync %s && dmsetup mknodes",
		len(c.stable)/sectorSize, c.node.DiskDevice(c.disk), c.node.DiskDevice(c.log), name))
	if err != nil {
		return "", fmt.Errorf("make write cache of disk %d: %w", c.disk, err)
	}
	return "/dev/mapper/" + name, nil
}

// LosePower kills the node, with what its cache holds. Its link is cut for a moment before, so that what it told
// others is in the log. Blocks are of 4 KiB. It returns how many of them were not stable, and how many of these
// lost what was written.
func (c *Cache) LosePower(ctx context.Context, random *rand.Rand) (unstable, lost int, err error) {
	const block = 4096
	if err := c.node.Link().Cut(); err != nil {
		return 0, 0, err
	}
	time.Sleep(settleTime)
	if err := errors.Join(c.node.Kill(), c.node.Link().Heal(ctx)); err != nil {
		return 0, 0, err
	}
	log, err := os.ReadFile(c.node.Disk(c.log))
	if err != nil {
		return 0, 0, fmt.Errorf("read log of %s: %w", c.node.name, err)
	}
	unclear, err := replay(c.stable, log)
	if err != nil {
		return 0, 0, fmt.Errorf("log of %s: %w", c.node.name, err)
	}
	now, err := os.ReadFile(c.node.Disk(c.disk))
	if err != nil {
		return 0, 0, fmt.Errorf("read disk %d of %s: %w", c.disk, c.node.name, err)
	}
	for sector := range unclear { // nothing of them is lost
		copy(c.stable[sector*sectorSize:(sector+1)*sectorSize], now[sector*sectorSize:])
	}
	for at := 0; at < len(now); at += block {
		end := min(at+block, len(now))
		if bytes.Equal(c.stable[at:end], now[at:end]) {
			continue
		}
		unstable++
		if random.IntN(2) == 0 {
			copy(c.stable[at:end], now[at:end])
		} else {
			lost++
		}
	}
	err = os.WriteFile(c.node.Disk(c.disk), c.stable, 0o600)
	c.node.logf("lost its write cache: %d of %d blocks", lost, unstable)
	return unstable, lost, errors.Join(err, c.emptyLog())
}

func (c *Cache) emptyLog() error {
	path := c.node.Disk(c.log)
	st, err := os.Stat(path)
	if err == nil {
		err = errors.Join(os.Truncate(path, 0), os.Truncate(path, st.Size()))
	}
	if err != nil {
		return fmt.Errorf("empty log of %s: %w", c.node.name, err)
	}
	return nil
}

// The log of the kernel's dm-log-writes: a sector with the superblock, then for each entry a sector with a header
// and the data. Numbers are little-endian; sectors are of 512 bytes, the logical block of the rig's disks.
const (
	logFlush   = 1 << 0
	logFUA     = 1 << 1
	logDiscard = 1 << 2
	logMark    = 1 << 3
)

// replay applies a log to a disk. The log ends at the first header of zeros; anything behind it is an error, as
// then the kernel was cut off while it wrote the log.
//
// A FUA write is logged when it ends, another one at the next flush: of two of the same sector between two flushes
// the log does not tell which came last. Such sectors are returned, unless they were written again later.
func replay(disk, log []byte) (unclear map[uint64]bool, err error) {
	at := sectorSize
	unclear = map[uint64]bool{}
	fua := map[uint64]bool{} // since the last flush
	for ; at+sectorSize <= len(log); at += sectorSize {
		header := log[at:]
		sector, count := binary.LittleEndian.Uint64(header), binary.LittleEndian.Uint64(header[8:])
		flags := binary.LittleEndian.Uint64(header[16:])
		if sector == 0 && count == 0 && flags == 0 {
			break
		}
		if flags&logMark != 0 {
			continue
		}
		space := uint64(len(disk)) / sectorSize
		if count > space || sector > space-count {
			return nil, fmt.Errorf("entry at %d: sectors %d to %d of %d", at, sector, sector+count, space)
		}
		for s := sector; s < sector+count; s++ {
			if flags&logFUA != 0 {
				fua[s] = true
				delete(unclear, s)
			} else if fua[s] {
				unclear[s] = true
			} else {
				delete(unclear, s)
			}
		}
		if flags&logFlush != 0 {
			clear(fua)
		}
		to := disk[sector*sectorSize : (sector+count)*sectorSize]
		if flags&logDiscard != 0 {
			clear(to)
			continue
		}
		if copy(to, log[at+sectorSize:]) != len(to) {
			return nil, fmt.Errorf("entry at %d: data ends early", at)
		}
		at += len(to)
	}
	if rest := bytes.TrimLeft(log[min(at, len(log)):], "\x00"); len(rest) > 0 {
		return nil, fmt.Errorf("torn at byte %d", at)
	}
	return unclear, nil
}
