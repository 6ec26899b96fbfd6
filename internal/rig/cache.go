// SPDX-License-Identifier: Apache-2.0

package rig

import (
	"bytes"
	"context"
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
type Cache struct {
	*WriteLog
	stable []byte // the disk's bytes that no loss of power takes away
}

// settleTime is what the kernel's log thread needs to write down a flush that the node has seen end.
const settleTime = 500 * time.Millisecond

// NewCache is for a disk whose state now is stable, and a disk for the log; see NewWriteLog.
func NewCache(n *Node, disk, log int) (*Cache, error) {
	stable, err := os.ReadFile(n.Disk(disk))
	if err != nil {
		return nil, fmt.Errorf("read disk %d of %s: %w", disk, n.name, err)
	}
	w, err := NewWriteLog(n, disk, log)
	return &Cache{w, stable}, err
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
	return unstable, lost, errors.Join(err, c.empty())
}
