// SPDX-License-Identifier: Apache-2.0

package blockdev

import (
	"bytes"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rmr-block/rmr/internal/fuzzbound"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/pkg/pool"
)

// What the owners' own tools put on a disk is found, under their name. A tool that is not
// installed leaves out its case; those of the base system are always there.
func TestDeviceWithForeignOwnerIsFound(t *testing.T) {
	for _, c := range []struct {
		tool string
		args []string // DISK stands for the image
		kind Kind
		name string
	}{
		{"mkfs.ext4", []string{"-q", "-F", "DISK"}, FileSystem, "ext2/3/4"},
		{"mkfs.xfs", []string{"-q", "-f", "DISK"}, FileSystem, "xfs"},
		{"mkfs.btrfs", []string{"-q", "-f", "DISK"}, FileSystem, "btrfs"},
		{"mkfs.vfat", []string{"DISK"}, FileSystem, "fat"},
		{"mkfs.f2fs", []string{"-q", "-f", "DISK"}, FileSystem, "f2fs"},
		{"mkswap", []string{"DISK"}, Swap, "swap"},
		{"sgdisk", []string{"-n", "1:0:0", "DISK"}, PartitionTable, "gpt backup"},
		{"cryptsetup", []string{"luksFormat", "-q", "--type", "luks2", "--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000", "DISK"}, Encryption, "luks"},
		{"sgdisk", []string{"-n", "1:0:0", "--gpttombr", "1", "DISK"}, PartitionTable, "dos or boot sector"},
		{"drbdmeta", []string{"--force", "0", "v08", "DISK", "internal", "create-md"}, Replication, "drbd"},
		{"drbdmeta", []string{"--force", "0", "v09", "DISK", "internal", "create-md", "2"}, Replication, "drbd"},
	} {
		t.Run(c.tool+"_"+c.name, func(t *testing.T) {
			if _, err := exec.LookPath(c.tool); err != nil {
				t.Skipf("%s is not installed", c.tool)
			}
			disk := image(t, 320<<20)
			args := make([]string, len(c.args))
			for i, a := range c.args {
				args[i] = a
				if a == "DISK" {
					args[i] = disk
				}
			}
			cmd := exec.Command(c.tool, args...)
			cmd.Stdin = bytes.NewReader(bytes.Repeat([]byte("yes\n"), 10))
			out, err := cmd.CombinedOutput()
			require.NoError(t, err, "%s", out)
			requireFound(t, probeFile(t, disk), c.kind, c.name)
		})
	}
}

// Signatures whose tools want a real block device, written as their formats say.
func TestSignatureAtItsPlaceIsFound(t *testing.T) {
	const size = 64<<20 + 5*512
	md := "\xfc\x4e\x2b\xa9"
	for _, c := range []struct {
		name string
		kind Kind
		off  uint64
		text string
	}{
		{"md 0.90", RAID, size&^0xffff - 0x10000, md},
		{"md 0.90", RAID, size&^0xffff - 0x10000, "\xa9\x2b\x4e\xfc"},
		{"md 1.0", RAID, (size/512 - 16) &^ 7 * 512, md},
		{"md 1.1", RAID, 0, md},
		{"md 1.2", RAID, 4096, md},
		{"lvm2", VolumeManager, 512, "LABELONE"},
		{"zfs", FileSystem, 128<<10 + 5*1024, "\x0c\xb1\xba\x00\x00\x00\x00\x00"},
		{"zfs", FileSystem, size&^(256<<10-1) - 128<<10, "\x00\x00\x00\x00\x00\xba\xb1\x0c"},
		{"intel matrix", RAID, size - 1024, "Intel Raid ISM Cfg Sig. 1.3"},
		{"ddf", RAID, size - 512, "\xde\x11\xde\x11"},
		{"bluestore", FileSystem, 0, "bluestore block device\n"},
		{"stratis", VolumeManager, 516, "!Stra0tis\x86\xff\x02^\x41rh"},
	} {
		t.Run(c.name, func(t *testing.T) {
			disk := make(memory, size)
			copy(disk[c.off:], c.text)
			findings, err := Probe(disk, size)
			require.NoError(t, err)
			requireFound(t, findings, c.kind, c.name)
		})
	}
}

func TestOwnSuperblockIsFoundOnEitherCopy(t *testing.T) {
	const size = 16 << 20
	sb := testSuperblock(size)
	raw, err := sb.Encode()
	require.NoError(t, err)
	for copyNumber := range pool.SuperblockCopies {
		disk := make(memory, size)
		off, ok := pool.SuperblockOff(size, copyNumber)
		require.True(t, ok)
		copy(disk[off:], raw)
		findings, err := Probe(disk, size)
		require.NoError(t, err)
		requireFound(t, findings, Store, "member 0 of pool vol1")

		disk[off+100] ^= 1
		findings, err = Probe(disk, size)
		require.NoError(t, err)
		require.Len(t, findings, 1)
		require.Equal(t, DamagedStore, findings[0].Kind)
	}
}

func testSuperblock(size uint64) *pool.Superblock {
	sb := &pool.Superblock{
		WriteSeq: 1, Pool: pool.UUID{1}, Store: pool.UUID{2}, Name: "vol1",
		PoolSize: 4 << 20, ChunkSize: pool.ChunkSizeDefault, StoreSize: size, Created: 1, TableVersion: 1,
	}
	sb.MapLen = pool.MapLen(sb.Chunks())
	sb.MapOff = pool.MapOff(size, sb.MapLen)
	sb.View = pool.View{Number: 1, UpToDate: 1, Lineage: pool.UUID{3}}
	sb.Members[0] = pool.Member{State: pool.MemberData, Store: sb.Store, Node: "stor1"}
	sb.Members[0].Addrs[0] = "192.0.2.1"
	return sb
}

// Blank devices of any size, also too small for any signature, carry nothing.
func TestBlankDeviceIsBlank(t *testing.T) {
	for _, size := range []uint64{0, 1, 511, 512, 4095, 4096, 65535, 65536, 1 << 20, 1<<20 + 512, 64 << 20} {
		findings, err := Probe(make(memory, size), size)
		require.NoError(t, err)
		require.Empty(t, findings, "size %d", size)
	}
}

// A device whose end cannot be read is an error, not a blank device.
func TestUnreadableDeviceIsNotBlank(t *testing.T) {
	_, err := Probe(make(memory, 1<<20), 2<<20)
	require.ErrorIs(t, err, io.EOF)
	_, err = Probe(broken{}, 1<<20)
	require.ErrorIs(t, err, os.ErrInvalid)
}

// Any content whatsoever is probed without a panic or a read outside the device.
func FuzzProbe(f *testing.F) {
	f.Add([]byte("LABELONE"), uint16(512), uint32(1<<16))
	f.Add([]byte("RMRSTORE"), uint16(0), uint32(1<<17))
	f.Fuzz(func(t *testing.T, text []byte, off uint16, size uint32) {
		size %= 2 << 20
		disk := make(memory, size)
		if int(off) < len(disk) {
			copy(disk[off:], text)
		}
		if tail := len(disk) - len(text) - int(off); tail >= 0 {
			copy(disk[tail:], text)
		}
		var findings []Finding
		var err error
		// The places read are four ZFS rings of 128 KiB, two superblocks and some magics, whatever is there.
		fuzzbound.Allocates(t, 1<<20, func() { findings, err = Probe(strict{t, disk}, uint64(size)) })
		require.NoError(t, err)
		for _, found := range findings {
			require.Less(t, found.Offset, uint64(size))
		}
	})
}

// strict fails on reads outside the device.
type strict struct {
	t    *testing.T
	disk memory
}

func (s strict) ReadAt(b []byte, off int64) (int, error) {
	require.True(s.t, off >= 0 && off+int64(len(b)) <= int64(len(s.disk)), "read of %d at %d", len(b), off)
	return s.disk.ReadAt(b, off)
}

// memory is a device in memory.
type memory []byte

func (m memory) ReadAt(b []byte, off int64) (int, error) { return bytes.NewReader(m).ReadAt(b, off) }

func (m memory) WriteAt(b []byte, off int64) (int, error) { return copy(m[off:], b), nil }

func (m memory) ZeroOut(off, n uint64) error {
	clear(m[off : off+n])
	return nil
}

func (memory) Sync() error  { return nil }
func (memory) Close() error { return nil }

type broken struct{}

func (broken) ReadAt([]byte, int64) (int, error) { return 0, os.ErrInvalid }

func image(t *testing.T, size int64) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "disk.img")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	require.NoError(t, os.Truncate(path, size))
	return path
}

func probeFile(t *testing.T, path string) []Finding {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	st, err := f.Stat()
	require.NoError(t, err)
	findings, err := Probe(f, uint64(st.Size()))
	require.NoError(t, err)
	return findings
}

func requireFound(t *testing.T, findings []Finding, kind Kind, name string) {
	t.Helper()
	for _, f := range findings {
		if f.Kind == kind && f.Name == name {
			return
		}
	}
	t.Fatalf("no %s %s in %v", kind, name, findings)
}

func fillRandom(b []byte) {
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range b {
		b[i] = byte(rng.Uint32()) | 1
	}
}
