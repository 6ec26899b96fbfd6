// SPDX-License-Identifier: Apache-2.0

// This file owns sets of 4 KiB blocks inside chunks, in memory only. A fine map is such a set (blocks of a
// dirty chunk that really differ), an overlay too (blocks of a dirty chunk written since it became dirty).

package dirtymap

import (
	"iter"
	"math/bits"
)

// Blocks is a set of 4 KiB blocks of some chunks, bounded in the number of chunks it holds bits for.
type Blocks struct {
	perChunk int
	limit    int
	chunks   map[uint64][]uint64
}

// NewBlocks makes an empty set for chunks of perChunk blocks (1 to 4096) that will hold bits for at most
// limit chunks.
func NewBlocks(perChunk, limit int) *Blocks {
	return &Blocks{perChunk: perChunk, limit: limit, chunks: map[uint64][]uint64{}}
}

// Add puts blocks first to last of a chunk into the set. It tells false, and changes nothing, if that
// would need bits for more chunks than the limit or the range is not inside the chunk.
func (b *Blocks) Add(chunk uint64, first, last int) bool {
	if first < 0 || first > last || last >= b.perChunk {
		return false
	}
	words := b.chunks[chunk]
	if words == nil {
		if len(b.chunks) >= b.limit {
			return false
		}
		words = make([]uint64, (b.perChunk+63)/64)
		b.chunks[chunk] = words
	}
	for i := first; i <= last; i++ {
		words[i/64] |= 1 << (i % 64)
	}
	return true
}

// Remove takes blocks first to last of a chunk out of the set; blocks outside the chunk are left out.
func (b *Blocks) Remove(chunk uint64, first, last int) {
	words := b.chunks[chunk]
	if words == nil {
		return
	}
	left := uint64(0)
	for i := max(first, 0); i <= min(last, b.perChunk-1); i++ {
		words[i/64] &^= 1 << (i % 64)
	}
	for _, w := range words {
		left |= w
	}
	if left == 0 {
		delete(b.chunks, chunk)
	}
}

// Drop removes all blocks of a chunk.
func (b *Blocks) Drop(chunk uint64) { delete(b.chunks, chunk) }

// Reset empties the set.
func (b *Blocks) Reset() { clear(b.chunks) }

// Has tells whether a block of a chunk is in the set.
func (b *Blocks) Has(chunk uint64, block int) bool {
	words := b.chunks[chunk]
	return words != nil && block >= 0 && block < b.perChunk && words[block/64]>>(block%64)&1 == 1
}

// Known tells whether the set has bits for a chunk.
func (b *Blocks) Known(chunk uint64) bool { return b.chunks[chunk] != nil }

// Len is the number of chunks with bits.
func (b *Blocks) Len() int { return len(b.chunks) }

// Of iterates over the blocks of a chunk in rising order.
func (b *Blocks) Of(chunk uint64) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i, w := range b.chunks[chunk] {
			for ; w != 0; w &= w - 1 {
				if !yield(i*64 + bits.TrailingZeros64(w)) {
					return
				}
			}
		}
	}
}
