// SPDX-License-Identifier: Apache-2.0

package blockdev

import (
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// What a file system's own tool made reaches as far as it was told, and what it says is believed only if it makes sense.
func TestExtentOfAFileSystem(t *testing.T) {
	const size = 300 << 20
	for _, c := range []struct {
		tool, name string
		args       []string
	}{
		{"mkfs.ext4", "ext2/3/4", []string{"-q", "-F", "DISK", fmt.Sprintf("%dk", size>>10)}},
		{"mkfs.ext4", "ext2/3/4", []string{"-q", "-F", "-b", "1024", "-O", "^64bit", "DISK", fmt.Sprintf("%dk", size>>10)}},
		{"mkfs.xfs", "xfs", []string{"-q", "-f", "-d", fmt.Sprintf("size=%d", size), "DISK"}},
	} {
		if _, err := exec.LookPath(c.tool); err != nil {
			t.Logf("%s is not installed", c.tool)
			continue
		}
		disk := image(t, 320<<20)
		for i, a := range c.args {
			if a == "DISK" {
				c.args[i] = disk
			}
		}
		out, err := exec.Command(c.tool, c.args...).CombinedOutput()
		require.NoError(t, err, "%s", out)
		f, err := os.Open(disk)
		require.NoError(t, err)
		defer f.Close()
		extent, err := Extent(f, Finding{Kind: FileSystem, Name: c.name})
		require.NoError(t, err)
		require.Equal(t, uint64(size), extent, "%s %v", c.tool, c.args)
	}
	f, err := os.Open(image(t, 1<<20))
	require.NoError(t, err)
	defer f.Close()
	for _, name := range []string{"ext2/3/4", "xfs", "ntfs"} {
		extent, err := Extent(f, Finding{Name: name})
		require.NoError(t, err)
		require.Zero(t, extent)
	}
	require.Equal(t, ^uint64(0), times(1<<40, 1<<40))
}

func TestWhatHasAnIdeaOfTheDevicesEndIsNotKept(t *testing.T) {
	for _, m := range magics {
		kept := Finding{Kind: m.kind, Name: m.name}.Kept()
		require.Equal(t, m.kind == FileSystem || m.kind == Swap || m.kind == VolumeManager || m.kind == Encryption, kept, m.name)
	}
	for _, f := range []Finding{{Kind: FileSystem, Name: "zfs"}, {Kind: Store}, {Kind: DamagedStore}, {Kind: RAID, Name: "md 1.0"}} {
		require.False(t, f.Kept(), f.Name)
	}
}
