// SPDX-License-Identifier: Apache-2.0

// How far what a device carries reaches, as it says itself: for a device that is adopted with its data.

package blockdev

import (
	"encoding/binary"
	"fmt"
	"io"
)

// Kept tells whether a device with this finding may be adopted as it is: what it carries stays in its place. A
// partition table, a RAID member or another system's metadata has its own idea of the end of the device.
func (f Finding) Kept() bool {
	switch f.Kind {
	case FileSystem, Swap, VolumeManager, Encryption:
		return f.Name != "zfs" // has labels at the end of the device
	}
	return false
}

// Extent is how many bytes from its start a finding of Probe takes up, 0 if that cannot be told. It knows ext2/3/4 and
// xfs, by their superblocks.
func Extent(r io.ReaderAt, f Finding) (uint64, error) {
	switch f.Name {
	case "ext2/3/4":
		// At byte 1024: s_blocks_count_lo at 4, s_log_block_size at 24, s_feature_incompat at 96 (64 bit: 0x80),
		// s_blocks_count_hi at 336.
		b := make([]byte, 1024)
		if _, err := r.ReadAt(b, 1024); err != nil {
			return 0, fmt.Errorf("read superblock of %s: %w", f.Name, err)
		}
		blocks, shift := uint64(binary.LittleEndian.Uint32(b[4:])), binary.LittleEndian.Uint32(b[24:])
		if binary.LittleEndian.Uint32(b[96:])&0x80 != 0 {
			blocks |= uint64(binary.LittleEndian.Uint32(b[336:])) << 32
		}
		if shift > 6 { // no block is larger than 64 KiB
			return 0, nil
		}
		return times(blocks, 1024<<shift), nil
	case "xfs":
		// Big-endian: sb_blocksize at 4, sb_dblocks at 8.
		b := make([]byte, 16)
		if _, err := r.ReadAt(b, 0); err != nil {
			return 0, fmt.Errorf("read superblock of %s: %w", f.Name, err)
		}
		return times(binary.BigEndian.Uint64(b[8:]), uint64(binary.BigEndian.Uint32(b[4:]))), nil
	}
	return 0, nil
}

// times is a product that is larger than any device if it overflows.
func times(a, b uint64) uint64 {
	if b != 0 && a > ^uint64(0)/b {
		return ^uint64(0)
	}
	return a * b
}
