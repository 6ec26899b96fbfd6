// SPDX-License-Identifier: Apache-2.0

package blockdev

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/pkg/pool"
)

func TestZeroCoversDataAreaAndTailOnly(t *testing.T) {
	const size, data = 200<<20 + 512, 130 << 20
	disk := make(memory, size)
	for i := range disk {
		disk[i] = 0xff
	}
	d := &Disk{Facts: Facts{Path: "disk", Size: size}, dev: disk}
	var last uint64
	require.NoError(t, d.Zero(context.Background(), data, func(done, total uint64) {
		require.Greater(t, done, last)
		require.LessOrEqual(t, done, total)
		last = done
	}))
	tail := pool.UsableSize(size) - pool.MDTail
	require.Equal(t, uint64(data)+size-tail, last)
	for off, want := range map[uint64]byte{
		0: 0, data - 1: 0, data: 0xff, tail - 1: 0xff, tail: 0, size - 1: 0,
	} {
		require.Equal(t, want, disk[off], "byte %d", off)
	}
}

func TestZeroStopsWhenInterrupted(t *testing.T) {
	disk := make(memory, 300<<20)
	disk[200<<20] = 1
	d := &Disk{Facts: Facts{Path: "disk", Size: 300 << 20}, dev: disk}
	ctx, cancel := context.WithCancel(context.Background())
	err := d.Zero(ctx, 256<<20, func(uint64, uint64) { cancel() })
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorContains(t, err, "stopped at byte 67108864")
	require.Equal(t, byte(1), disk[200<<20])
}

func TestZeroRefusesMoreThanFits(t *testing.T) {
	disk := make(memory, 1<<20)
	fillRandom(disk)
	before := string(disk)
	d := &Disk{Facts: Facts{Path: "disk", Size: 1 << 20}, dev: disk}
	for _, size := range []uint64{1 << 20, 1<<20 - pool.MDTail + 1, ^uint64(0)} {
		require.Error(t, d.Zero(context.Background(), size, func(uint64, uint64) {}))
	}
	require.Equal(t, before, string(disk))
}

func TestSpotCheckFindsDataAtEdges(t *testing.T) {
	const size = 32 << 20
	for _, off := range []uint64{0, 1<<20 - 1, size - 1, size - 1<<20} {
		disk := make(memory, size)
		d := &Disk{Facts: Facts{Path: "disk", Size: size}, dev: disk}
		require.NoError(t, d.SpotCheckZero(size))
		disk[off] = 1
		var bad *NotZeroError
		require.ErrorAs(t, d.SpotCheckZero(size), &bad)
		require.Equal(t, off, bad.Offset)
	}
	for _, small := range []uint64{0, 1, 4096, 1 << 20, 1<<20 + 4096, 2 << 20} {
		disk := make(memory, small)
		d := &Disk{Facts: Facts{Path: "disk", Size: small}, dev: disk}
		require.NoError(t, d.SpotCheckZero(small))
		if small > 0 {
			disk[small-1] = 1
			require.Error(t, d.SpotCheckZero(small))
		}
	}
}

func TestCheckSaysWhatForceCoversAndWhatNot(t *testing.T) {
	facts := Facts{
		Path: "/dev/x", Size: 10, ReadOnly: true, Swap: true, Mounts: []string{"/a"}, Holders: []string{"md0"},
	}
	problems := Check(facts, []Finding{{FileSystem, "xfs", 0}, {Store, "member 1 of pool p", 5}}, 100)
	var never, force []string
	for _, p := range problems {
		require.True(t, strings.HasPrefix(p.Text, "/dev/x: "))
		if p.Class == Never {
			never = append(never, p.Text)
		} else {
			force = append(force, p.Text)
		}
	}
	require.Len(t, never, 5)
	require.Len(t, force, 2)
	require.Empty(t, Check(Facts{Path: "/dev/x", Size: 100}, nil, 100))
}

// Facts come from proc and sysfs as the kernel writes them: here a tree of the test's own.
func TestFactsOfPartitionedDisk(t *testing.T) {
	root := t.TempDir()
	for path, text := range map[string]string{
		"sys/dev/block/8:16/ro":                 "1\n",
		"sys/dev/block/8:16/holders/dm-3/x":     "",
		"sys/dev/block/8:16/sdb1/partition":     "1\n",
		"sys/dev/block/8:16/sdb1/dev":           "8:17\n",
		"sys/dev/block/8:16/sdb1/holders/md0/x": "",
		"proc/self/mountinfo":                   "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n36 22 8:17 / /srv\\040x rw - xfs /dev/sdb1 rw\n",
		"proc/swaps":                            "Filename Type Size Used Priority\n/dev/sdb partition 1 0 -2\n",
	} {
		require.NoError(t, os.MkdirAll(filepath.Join(root, filepath.Dir(path)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(root, path), []byte(text), 0o644))
	}
	f := Facts{Path: "/dev/sdb", Real: "/dev/sdb"}
	require.NoError(t, System{Proc: root + "/proc", Sys: root + "/sys"}.fill(&f, "8:16"))
	require.Equal(t, Facts{
		Path: "/dev/sdb", Real: "/dev/sdb", ReadOnly: true, Swap: true,
		Mounts: []string{`/srv\040x`}, Holders: []string{"dm-3", "md0"},
	}, f)
	require.Error(t, System{Proc: root + "/proc", Sys: root + "/sys"}.fill(&f, "9:9"))
}

func TestOpenRefusesWhatIsNoBlockDevice(t *testing.T) {
	for _, path := range []string{"/dev/null", image(t, 4096), t.TempDir()} {
		_, err := Open(path, false)
		require.ErrorIs(t, err, ErrNotBlock, path)
	}
	_, err := Open("/dev/no-such-device", false)
	require.ErrorIs(t, err, os.ErrNotExist)
}

// A real block device: found blank, zeroed with BLKZEROOUT, busy while another has it open
// exclusively, and found as what mkfs made of it.
func TestRealLoopDevice(t *testing.T) {
	path, file := loopDevice(t, 32<<20)
	raw := make([]byte, 32<<20)
	fillRandom(raw)
	copy(raw[1080:], "\x53\xef")
	require.NoError(t, os.WriteFile(file, raw, 0o600))

	d, err := Open(path, true)
	require.NoError(t, err)
	require.Equal(t, uint64(32<<20), d.Size)
	requireFound(t, d.Findings, FileSystem, "ext2/3/4")
	_, err = Open(path, true)
	require.ErrorIs(t, err, ErrBusy)
	require.NoError(t, d.Zero(context.Background(), 16<<20, func(uint64, uint64) {}))
	require.NoError(t, d.Close())

	d, err = Open(path, false)
	require.NoError(t, err)
	require.Empty(t, d.Findings)
	require.NoError(t, d.SpotCheckZero(16<<20))
	require.Error(t, d.SpotCheckZero(24<<20), "behind the data area nothing was written")
	require.NoError(t, d.Close())
}

// A mounted device tells its mount point.
func TestMountedLoopDeviceIsRefused(t *testing.T) {
	path, _ := loopDevice(t, 32<<20)
	out, err := exec.Command("mkfs.ext4", "-q", path).CombinedOutput()
	require.NoError(t, err, "%s", out)
	dir := t.TempDir()
	if out, err := exec.Command("mount", path, dir).CombinedOutput(); err != nil {
		t.Skipf("this host cannot mount: %v: %s", err, out)
	}
	t.Cleanup(func() { require.NoError(t, exec.Command("umount", dir).Run()) })
	d, err := Open(path, true)
	require.ErrorIs(t, err, ErrBusy)
	require.Equal(t, []string{dir}, d.Mounts)
}

// LVM writes its label only to block devices.
func TestPhysicalVolumeIsFound(t *testing.T) {
	if _, err := exec.LookPath("pvcreate"); err != nil {
		t.Skip("pvcreate is not installed")
	}
	path, _ := loopDevice(t, 32<<20)
	out, err := exec.Command("pvcreate", "-qq", "--yes", "--devices", path, path).CombinedOutput()
	require.NoError(t, err, "%s", out)
	d, err := Open(path, false)
	require.NoError(t, err)
	requireFound(t, d.Findings, VolumeManager, "lvm2")
	require.NoError(t, d.Close())
}

func TestReadOnlyLoopDeviceIsRefused(t *testing.T) {
	path, _ := loopDevice(t, 4<<20, "--read-only")
	d, err := Open(path, true)
	require.NoError(t, err)
	require.True(t, d.ReadOnly)
	require.NoError(t, d.Close())
	require.Equal(t, Never, Check(d.Facts, nil, 0)[0].Class)
}

func loopDevice(t *testing.T, size int64, options ...string) (dev, file string) {
	t.Helper()
	file = image(t, size)
	out, err := exec.Command("losetup", append([]string{"--find", "--show", file}, options...)...).CombinedOutput()
	if err != nil {
		t.Skipf("no loop devices on this host: %v", errors.Join(err, errors.New(string(out))))
	}
	dev = strings.TrimSpace(string(out))
	t.Cleanup(func() { require.NoError(t, exec.Command("losetup", "--detach", dev).Run()) })
	return dev, file
}
