// SPDX-License-Identifier: Apache-2.0

// This file owns one sector of the dirty map on disk. The map itself is in pkg/dirtymap.

package pool

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

const (
	mapMagic     = 0x504d5252 // "RRMP" as bytes
	mapSectorCRC = 12         // offset of the checksum
)

// MapSectorImage is one 512-byte sector of the dirty map. It stands alone: a 4 KiB block torn between
// sectors is never taken for damage.
type MapSectorImage struct {
	Index  uint32                 // number of this sector in the map
	Tag    uint32                 // MapTag of the store
	Chunks [MapSectorChunks]uint8 // bit j: member j lacks writes; own bit: write intent
}

// MapTag ties map sectors to their store: the first four bytes of its UUID, little-endian.
func MapTag(store UUID) uint32 { return binary.LittleEndian.Uint32(store[:4]) }

func (s *MapSectorImage) walk(c *coder) {
	magic, zero := uint32(mapMagic), uint32(0)
	c.le32("magic", &magic)
	c.le32("index", &s.Index)
	c.le32("pool_tag", &s.Tag)
	c.le32("crc32c", &zero)
	b := c.next("chunk", MapSectorChunks, "bytes")
	switch c.mode {
	case decoding:
		copy(s.Chunks[:], b)
	case encoding:
		copy(b, s.Chunks[:])
	}
}

// Encode returns the 512 bytes of the sector with checksum.
func (s *MapSectorImage) Encode() []byte {
	b, _ := encodeExact("rmr_map_sector", MapSector, s.walk) // every value is legal
	binary.LittleEndian.PutUint32(b[mapSectorCRC:], crc32.Checksum(b, castagnoli))
	return b
}

// DecodeMapSector decodes sector number index of the map of the store with this tag. Errors match
// ErrLength, ErrNotOurs, ErrDamaged or ErrInvalid (another sector or another store), tested in this
// order. A sector that fails counts as all dirty.
func DecodeMapSector(b []byte, index, tag uint32) (*MapSectorImage, error) {
	s := &MapSectorImage{}
	err := decodeExact("rmr_map_sector", MapSector, b, func(c *coder) {
		le := binary.LittleEndian
		if magic := le.Uint32(b); magic != mapMagic {
			c.fail(ErrNotOurs, "magic", uint64(magic), "no map sector")
		}
		if sum := le.Uint32(b[mapSectorCRC:]); sum != mapSectorSum(b) {
			c.fail(ErrDamaged, "crc32c", uint64(sum), "does not match")
		}
		s.walk(c)
		c.check(s.Index == index, "index", uint64(s.Index), "another sector's")
		c.check(s.Tag == tag, "pool_tag", uint64(s.Tag), "another store's")
	})
	if err != nil {
		return nil, fmt.Errorf("decode map sector %d: %w", index, err)
	}
	return s, nil
}

// mapSectorSum is the checksum over the sector with the checksum field zero.
func mapSectorSum(b []byte) uint32 {
	sum := crc32.Update(0, castagnoli, b[:mapSectorCRC])
	sum = crc32.Update(sum, castagnoli, make([]byte, 4))
	return crc32.Update(sum, castagnoli, b[mapSectorCRC+4:])
}
