// SPDX-License-Identifier: Apache-2.0

// Signatures: what a device already carries, found by reading it. The table holds the magics of
// file systems, partition tables, RAID, volume managers, encryption and other replication
// systems. It errs towards finding too much: a finding only makes the operator say --force.

package blockdev

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/rmr-block/rmr/pkg/pool"
)

// Kind says what sort of owner a signature belongs to.
type Kind string

// Kinds of owners.
const (
	FileSystem     Kind = "file system"
	PartitionTable Kind = "partition table"
	RAID           Kind = "RAID member"
	VolumeManager  Kind = "volume manager"
	Encryption     Kind = "encrypted device"
	Replication    Kind = "replication metadata"
	Swap           Kind = "swap space"
	Store          Kind = "store"              // of this project, readable
	DamagedStore   Kind = "damaged superblock" // of this project, no copy valid
)

// Finding is one signature: its owner's kind and name and the byte where it was found.
type Finding struct {
	Kind   Kind   `json:"kind"`
	Name   string `json:"name"`
	Offset uint64 `json:"offset"`
}

func (f Finding) String() string {
	return fmt.Sprintf("%s %s at byte %d", f.Kind, f.Name, f.Offset)
}

// A magic at a fixed place; a negative offset counts from the end of the device.
type magic struct {
	kind   Kind
	name   string
	offset int64
	bytes  string
}

var magics = []magic{
	{FileSystem, "ext2/3/4", 0x438, "\x53\xef"},
	{FileSystem, "xfs", 0, "XFSB"},
	{FileSystem, "btrfs", 0x10040, "_BHRfS_M"},
	{FileSystem, "bcachefs or bcache", 0x1018, "\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65"},
	{FileSystem, "f2fs", 0x400, "\x10\x20\xf5\xf2"},
	{FileSystem, "nilfs2", 0x406, "\x34\x34"},
	{FileSystem, "reiserfs", 0x10034, "ReIsEr"},
	{FileSystem, "reiserfs", 0x2034, "ReIsEr"},
	{FileSystem, "jfs", 0x8000, "JFS1"},
	{FileSystem, "ntfs", 3, "NTFS    "},
	{FileSystem, "exfat", 3, "EXFAT   "},
	{FileSystem, "fat", 0x36, "FAT1"},
	{FileSystem, "fat", 0x36, "FAT     "},
	{FileSystem, "fat", 0x52, "FAT32   "},
	{FileSystem, "iso9660", 0x8001, "CD001"},
	{FileSystem, "udf", 0x8001, "BEA01"},
	{FileSystem, "udf", 0x8001, "NSR0"},
	{FileSystem, "squashfs", 0, "hsqs"},
	{FileSystem, "erofs", 0x400, "\xe2\xe1\xf5\xe0"},
	{FileSystem, "cramfs", 0, "\x45\x3d\xcd\x28"},
	{FileSystem, "gfs2", 0x10000, "\x01\x16\x19\x70"},
	{FileSystem, "ocfs2", 0x400, "OCFSV2"},
	{FileSystem, "ocfs2", 0x800, "OCFSV2"},
	{FileSystem, "ocfs2", 0x1000, "OCFSV2"},
	{FileSystem, "ocfs2", 0x2000, "OCFSV2"},
	{FileSystem, "hfs", 0x400, "BD"},
	{FileSystem, "hfsplus", 0x400, "H+\x00"},
	{FileSystem, "hfsplus", 0x400, "HX\x00"},
	{FileSystem, "apfs", 32, "NXSB"},
	{FileSystem, "vmfs", 0x100000, "\x0d\xd0\x01\xc0"},
	{FileSystem, "zonefs", 0, "SFOZ"},
	{FileSystem, "bluestore", 0, "bluestore block device"},
	{FileSystem, "oracle asm", 32, "ORCLDISK"},
	{FileSystem, "minix", 0x410, "\x7f\x13"},
	{FileSystem, "minix", 0x410, "\x8f\x13"},
	{FileSystem, "minix", 0x410, "\x68\x24"},
	{FileSystem, "minix", 0x410, "\x78\x24"},
	{FileSystem, "minix", 0x418, "\x5a\x4d"},
	{FileSystem, "ufs", 0x255c, "\x19\x01\x54\x19"},
	{FileSystem, "ufs", 0x1055c, "\x19\x01\x54\x19"},
	{Swap, "swap", 4086, "SWAPSPACE2"},
	{Swap, "swap", 4086, "SWAP-SPACE"},
	{Swap, "swap", 65526, "SWAPSPACE2"},
	{Swap, "hibernation image", 4086, "S1SUSPEND"},
	{VolumeManager, "lvm2", 0, "LABELONE"},
	{VolumeManager, "lvm2", 512, "LABELONE"},
	{VolumeManager, "lvm2", 1024, "LABELONE"},
	{VolumeManager, "lvm2", 1536, "LABELONE"},
	{VolumeManager, "lvm1", 0, "HM\x01\x00"},
	{VolumeManager, "lvm1", 0, "HM\x02\x00"},
	{VolumeManager, "stratis", 516, "!Stra0tis"},
	{VolumeManager, "stratis", 516 + 8*512, "!Stra0tis"},
	{VolumeManager, "vdo", 0, "dmvdo001"},
	{VolumeManager, "dm-thin or dm-cache", 32, "\x18\x09\x87\x01"},
	{VolumeManager, "dm-integrity", 0, "integrt\x00"},
	{VolumeManager, "dm-verity", 0, "verity\x00\x00"},
	{VolumeManager, "dm-snapshot", 0, "SnAp"},
	{Encryption, "luks", 0, "LUKS\xba\xbe"},
	{Encryption, "luks second header", 0x4000, "SKUL\xba\xbe"},
	{Encryption, "bitlocker", 3, "-FVE-FS-"},
	{RAID, "md 1.1", 0, "\xfc\x4e\x2b\xa9"},
	{RAID, "md 1.2", 4096, "\xfc\x4e\x2b\xa9"},
	{RAID, "ddf", -512, "\xde\x11\xde\x11"},
	{RAID, "intel matrix", -1024, "Intel Raid ISM Cfg Sig."},
	{PartitionTable, "gpt", 512, "EFI PART"},
	{PartitionTable, "gpt", 4096, "EFI PART"},
	{PartitionTable, "gpt backup", -512, "EFI PART"},
	{PartitionTable, "gpt backup", -4096, "EFI PART"},
	{PartitionTable, "dos or boot sector", 0x1fe, "\x55\xaa"},
	{PartitionTable, "sun", 0x1fc, "\xda\xbe"},
	{PartitionTable, "sgi", 0, "\x0b\xe5\xa9\x41"},
	{PartitionTable, "apple", 512, "PM\x00\x00"},
	{PartitionTable, "bsd", 512, "\x57\x45\x56\x82"},
	{PartitionTable, "windows ldm", 0xc00, "PRIVHEAD"},
}

// Probe reads a device of size bytes and returns every signature on it, in the order of the
// table. Only the places where signatures live are read.
func Probe(r io.ReaderAt, size uint64) ([]Finding, error) {
	p := &prober{r: r, size: size}
	for _, m := range magics {
		off := uint64(m.offset)
		if m.offset < 0 {
			off += size
		}
		if p.match(off, []byte(m.bytes)) {
			p.found(m.kind, m.name, off)
		}
	}
	for _, special := range []func(*prober){probeMD, probeDRBD, probeZFS, probeStore} {
		special(p)
	}
	if p.err != nil {
		return nil, fmt.Errorf("read signatures: %w", p.err)
	}
	return p.findings, nil
}

// prober collects findings; the first read error stops it.
type prober struct {
	r        io.ReaderAt
	size     uint64
	findings []Finding
	err      error
}

func (p *prober) found(kind Kind, name string, off uint64) {
	p.findings = append(p.findings, Finding{kind, name, off})
}

// read returns n bytes at off, nil if they are not all on the device.
func (p *prober) read(off uint64, n int) []byte {
	if p.err != nil || off > p.size || p.size-off < uint64(n) {
		return nil
	}
	b := make([]byte, n)
	// A device that ends before its size is no blank device.
	if got, err := p.r.ReadAt(b, int64(off)); got < n {
		p.err = fmt.Errorf("%d bytes at byte %d: %w", n, off, err)
		return nil
	}
	return b
}

func (p *prober) match(off uint64, want []byte) bool {
	b := p.read(off, len(want))
	return b != nil && bytes.Equal(b, want)
}

// md superblocks 0.90 and 1.0 live near the end, at places that depend on the size.
func probeMD(p *prober) {
	le, be := []byte{0xfc, 0x4e, 0x2b, 0xa9}, []byte{0xa9, 0x2b, 0x4e, 0xfc}
	if off := p.size&^0xffff - 0x10000; p.size >= 0x10000 && (p.match(off, le) || p.match(off, be)) {
		p.found(RAID, "md 0.90", off)
	}
	if sectors := p.size / 512; sectors > 16 {
		if off := (sectors - 16) &^ 7 * 512; p.match(off, le) {
			p.found(RAID, "md 1.0", off)
		}
	}
}

// DRBD keeps its internal metadata block in the last whole 4 KiB; its magic, big-endian
// 0x8374026a and up by version, follows fields whose number depends on the version.
func probeDRBD(p *prober) {
	if p.size < 4096 {
		return
	}
	off := p.size&^4095 - 4096
	b := p.read(off, 4096)
	for at := 0; at+4 <= min(len(b), 128); at += 4 {
		if v := binary.BigEndian.Uint32(b[at:]); v >= 0x8374026a && v <= 0x83740270 {
			p.found(Replication, "drbd", off+uint64(at))
			return
		}
	}
}

// ZFS has four labels of 256 KiB, two at each end; the second half of each is a ring of
// uberblocks that start with 0x00bab10c in either byte order.
func probeZFS(p *prober) {
	const label, ring = 256 << 10, 128 << 10
	end := p.size &^ (label - 1)
	if end < 4*label {
		return
	}
	for _, start := range []uint64{0, label, end - 2*label, end - label} {
		b := p.read(start+ring, ring)
		for at := 0; at < len(b); at += 1024 {
			if binary.LittleEndian.Uint64(b[at:]) == 0xbab10c || binary.BigEndian.Uint64(b[at:]) == 0xbab10c {
				p.found(FileSystem, "zfs", start+ring+uint64(at))
				return
			}
		}
	}
}

// probeStore looks for this project's own superblocks.
func probeStore(p *prober) {
	var copies [pool.SuperblockCopies][]byte
	first := uint64(0)
	for i := range copies {
		off, ok := pool.SuperblockOff(p.size, i)
		if !ok {
			return
		}
		copies[i] = p.read(off, pool.SuperblockSize)
		if i == 0 {
			first = off
		}
	}
	if p.err != nil {
		return
	}
	sb, _, err := pool.ChooseSuperblock(copies, p.size)
	switch {
	case err == nil:
		p.found(Store, fmt.Sprintf("member %d of pool %s", sb.MemberID, sb.Name), first)
	case !errors.Is(err, pool.ErrNotOurs):
		p.found(DamagedStore, err.Error(), first)
	}
}
