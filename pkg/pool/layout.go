// SPDX-License-Identifier: Apache-2.0

// This file owns where things lie on a store: chunk counts, map and superblock offsets, and the largest
// pool a store can hold.

package pool

import "math/bits"

// UsableSize rounds the size of a device, in bytes, down to whole 4 KiB blocks.
func UsableSize(deviceSize uint64) uint64 { return deviceSize &^ (MDBlock - 1) }

// Chunks is the number of chunks of a pool, the last one perhaps short. It is 0 for a chunk size of 0.
func Chunks(poolSize uint64, chunkSize uint32) uint64 {
	if chunkSize == 0 {
		return 0
	}
	n := poolSize / uint64(chunkSize)
	if poolSize%uint64(chunkSize) != 0 {
		n++
	}
	return n
}

// MapLen is the size in bytes of the dirty map of so many chunks, whole 4 KiB blocks.
func MapLen(chunks uint64) uint64 {
	blocks := chunks / MapBlockChunks
	if chunks%MapBlockChunks != 0 {
		blocks++
	}
	return blocks * MDBlock
}

// MapOff is the start of the map of a store: right below the tail. It is 0 if the store is too small.
func MapOff(storeSize, mapLen uint64) uint64 {
	s := UsableSize(storeSize)
	if s < MDTail || s-MDTail < mapLen {
		return 0
	}
	return s - MDTail - mapLen
}

// SuperblockOff is the start of superblock copy 0 or 1 on a store, in bytes; ok is false if the store
// is too small to hold the tail or there is no such copy.
func SuperblockOff(storeSize uint64, copyNumber int) (off uint64, ok bool) {
	s := UsableSize(storeSize)
	switch {
	case s < MDTail:
		return 0, false
	case copyNumber == 0:
		return s - Copy0Back, true
	case copyNumber == 1:
		return s - Copy1Back, true
	}
	return 0, false
}

// PoolSizeMaxOn is the largest pool, in bytes, that a store of storeSize bytes can hold with this chunk
// size; 0: none.
func PoolSizeMaxOn(storeSize uint64, chunkSize uint32) uint64 {
	s := UsableSize(storeSize)
	if chunkSizeFault(chunkSize) != "" || s <= MDTail {
		return 0
	}
	room := min(s-MDTail, PoolSizeMax+MapLen(Chunks(PoolSizeMax, chunkSize)))
	size := min(room, PoolSizeMax)
	// The map shrinks with the pool, so each step overshoots downwards at most by the map of the
	// difference; going up block by block then ends within a few steps.
	for size > 0 && size+MapLen(Chunks(size, chunkSize)) > room {
		size = room - MapLen(Chunks(size, chunkSize))
	}
	for size+BlockSize <= PoolSizeMax && size+BlockSize+MapLen(Chunks(size+BlockSize, chunkSize)) <= room {
		size += BlockSize
	}
	if size < PoolSizeMin {
		return 0
	}
	return size
}

func chunkSizeFault(chunkSize uint32) string {
	switch {
	case bits.OnesCount32(chunkSize) != 1:
		return "not a power of two"
	case chunkSize < ChunkSizeMin || chunkSize > ChunkSizeMax:
		return "outside 64 KiB to 16 MiB"
	}
	return ""
}
