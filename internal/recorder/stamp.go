// SPDX-License-Identifier: Apache-2.0

// Package recorder records what an application sees of a block device, and judges it afterwards.
//
// The load (Run) writes and reads 4 KiB blocks, each write with a stamp that tells who wrote it, where and
// when, and logs every operation before it starts and after it ended, so that the log of a client that was
// killed is complete. The checker (Check) reads the logs of one or several clients, and the blocks at rest
// if asked to, and decides whether every block was a linearizable register (docs/protocol.md, I1 to I3).
//
// This file owns the stamp.
package recorder

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/rand/v2"

	"github.com/rmr-block/rmr/pkg/pool"
)

// BlockSize is the size of a block in bytes.
const BlockSize = pool.BlockSize

// Layout of a stamped block, little-endian, bytes:
//
//	0    8    magic
//	8    4    version
//	12   4    CRC-32C over the block with this field zero
//	16   16   pool UUID
//	32   8    address in bytes
//	40   8    writer
//	48   8    sequence
//	56   72   reserved, zero
//	128  3968 filling made from address, writer and sequence, so that a torn block is noticed
const (
	stampMagic   = "RMRSTAMP"
	stampVersion = 1
	stampCRC     = 12
	stampUsed    = 56
	stampFilling = 128
)

// A checksum that the processor computes itself.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Stamp says who wrote a block. The zero Stamp stands for a block of zeros, as pools begin.
type Stamp struct {
	Writer   uint32 `json:"writer,omitempty"`   // number of the log, from 1
	Sequence uint32 `json:"sequence,omitempty"` // of the writer, from 1
}

// value is the stamp as a register value.
func (s Stamp) value() uint64 { return uint64(s.Writer)<<32 | uint64(s.Sequence) }

// String is "writer.sequence".
func (s Stamp) String() string { return fmt.Sprintf("%d.%d", s.Writer, s.Sequence) }

// encode fills b, BlockSize bytes, for block number block of a pool.
func (s Stamp) encode(b []byte, id pool.UUID, block uint64) {
	le := binary.LittleEndian
	clear(b[:stampFilling])
	copy(b, stampMagic)
	le.PutUint32(b[8:], stampVersion)
	copy(b[16:], id[:])
	le.PutUint64(b[32:], block*BlockSize)
	le.PutUint64(b[40:], uint64(s.Writer))
	le.PutUint64(b[48:], uint64(s.Sequence))
	r := rand.NewPCG(block, s.value())
	for at := stampFilling; at < BlockSize; at += 8 {
		le.PutUint64(b[at:], r.Uint64())
	}
	le.PutUint32(b[stampCRC:], stampSum(b))
}

func stampSum(b []byte) uint32 {
	sum := crc32.Update(0, castagnoli, b[:stampCRC])
	sum = crc32.Update(sum, castagnoli, make([]byte, 4))
	return crc32.Update(sum, castagnoli, b[stampCRC+4:])
}

// decode returns the stamp of a block that was read. An error names what is wrong: these bytes were never
// written there as a whole.
func decode(b []byte, id pool.UUID, block uint64) (Stamp, error) {
	le := binary.LittleEndian
	switch {
	case len(b) != BlockSize:
		return Stamp{}, fmt.Errorf("length: %d bytes", len(b))
	case isZero(b):
		return Stamp{}, nil
	case string(b[:8]) != stampMagic:
		return Stamp{}, fmt.Errorf("magic: %x is none", b[:8])
	case le.Uint32(b[stampCRC:]) != stampSum(b):
		return Stamp{}, fmt.Errorf("checksum: %#08x does not match", le.Uint32(b[stampCRC:]))
	case le.Uint32(b[8:]) != stampVersion:
		return Stamp{}, fmt.Errorf("version: %d is unknown", le.Uint32(b[8:]))
	case pool.UUID(b[16:32]) != id:
		return Stamp{}, fmt.Errorf("pool: %s is another one", pool.UUID(b[16:32]))
	case le.Uint64(b[32:]) != block*BlockSize:
		return Stamp{}, fmt.Errorf("address: block was written at byte %d", le.Uint64(b[32:]))
	case !isZero(b[stampUsed:stampFilling]):
		return Stamp{}, fmt.Errorf("reserved: not zero")
	}
	writer, sequence := le.Uint64(b[40:]), le.Uint64(b[48:])
	if writer == 0 || writer>>32 != 0 || sequence == 0 || sequence>>32 != 0 {
		return Stamp{}, fmt.Errorf("writer, sequence: %d, %d", writer, sequence)
	}
	return Stamp{uint32(writer), uint32(sequence)}, nil
}

func isZero(b []byte) bool {
	for _, v := range b {
		if v != 0 {
			return false
		}
	}
	return true
}
