// SPDX-License-Identifier: Apache-2.0

// This file owns a simulated disk: blocks with a volatile cache, and the metadata areas as real bytes. It
// outlives crashes of its node.

package sim

import "github.com/rmr-block/rmr/pkg/pool"

// Geometry of every simulated pool: the smallest the formats allow.
const (
	chunkSize      = pool.ChunkSizeMin
	poolSize       = pool.PoolSizeMin
	blocksPerChunk = chunkSize / pool.BlockSize
	numBlocks      = poolSize / pool.BlockSize
	numChunks      = poolSize / chunkSize
	storeSize      = 2 << 20
)

type block struct {
	cached, stable       uint32
	cachedVer, stableVer uint64
}

// Disk holds the number of the last write in each block instead of its data.
type Disk struct {
	blocks   [numBlocks]block
	version  uint64
	sb       [pool.SuperblockCopies][]byte
	sectors  [1][]byte
	inflight func(keep bool) // metadata write on its way
	dataWay  map[uint64]func()
	ways     uint64
	reborn   bool // the node crashed since it last became part of U, for the checks only
	lost     bool // and the disk lost its cache
	wiped    bool // its superblocks were deleted
}

func (d *Disk) settled() { d.reborn, d.lost = false, false }

func (d *Disk) put(b int, v uint32) {
	d.version++
	d.blocks[b].cached, d.blocks[b].cachedVer = v, d.version
}

func (d *Disk) get(b int) uint32 { return d.blocks[b].cached }

func (b *block) writeBack(v uint32, ver uint64) {
	if ver > b.stableVer {
		b.stable, b.stableVer = v, ver
	}
}

// snapshot is what a flush that starts now makes stable.
func (d *Disk) snapshot() [numBlocks]block { return d.blocks }

func (d *Disk) flushed(s *[numBlocks]block) {
	for i := range s {
		d.blocks[i].writeBack(s[i].cached, s[i].cachedVer)
	}
}

// crash ends what was on its way: each metadata write is lost, torn or done, each data write lost or done.
// With power loss, unflushed blocks fall back one by one.
func (d *Disk) crash(w *World, power bool) {
	if d.inflight != nil {
		d.inflight(w.chance(0.5))
		d.inflight = nil
	}
	for way := uint64(1); way <= d.ways; way++ {
		if fn := d.dataWay[way]; fn != nil && w.chance(0.5) {
			fn()
		}
	}
	clear(d.dataWay)
	d.reborn = true
	if !power {
		return
	}
	d.lost = true
	for i := range d.blocks {
		b := &d.blocks[i]
		if b.cachedVer != b.stableVer && w.chance(0.7) {
			b.cached, b.cachedVer = b.stable, b.stableVer
		}
		b.stable, b.stableVer = b.cached, b.cachedVer
	}
}
