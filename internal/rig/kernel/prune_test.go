// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// entry makes one that was used so many hours ago.
func entry(t *testing.T, cache, name string, dir bool, hours int) string {
	t.Helper()
	path := filepath.Join(cache, name)
	if dir {
		require.NoError(t, os.Mkdir(path, 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(path, "linux"), nil, 0o644))
	} else {
		require.NoError(t, os.WriteFile(path, nil, 0o644))
	}
	at := time.Now().Add(-time.Duration(hours) * time.Hour)
	require.NoError(t, os.Chtimes(path, at, at))
	return path
}

func names(t *testing.T, cache string) (list []string) {
	t.Helper()
	entries, err := os.ReadDir(cache)
	require.NoError(t, err)
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

// TestCacheGrowsWithoutBound: bug guarded: 25 GB of node images after a day's work.
func TestCacheGrowsWithoutBound(t *testing.T) {
	cache := t.TempDir()
	for i := range 9 {
		entry(t, cache, fmt.Sprintf("image-fast-00000000000%d.cpio", i), false, 10+i)
		entry(t, cache, fmt.Sprintf("image-debug-00000000000%d.cpio", i), false, 1) // lately used: all stay
		entry(t, cache, fmt.Sprintf("linux-fast-00000000000%d", i), true, 10+i)
	}
	entry(t, cache, "image-work-123", true, 10)
	entry(t, cache, "linux-fast-123456789abc.removed", true, 10)
	others := []string{"b-fast", "linux-source-6.12", "source-000000000000", "linux-fast-000000000008.lock", "image-fast-mine.cpio"}
	for _, name := range others {
		entry(t, cache, name, name != "linux-fast-000000000008.lock", 1000)
	}
	require.NoError(t, Prune(cache))
	want := append([]string{}, others...)
	for i := range 9 {
		want = append(want, fmt.Sprintf("image-debug-00000000000%d.cpio", i))
		if i < 4 {
			want = append(want, fmt.Sprintf("image-fast-00000000000%d.cpio", i))
		}
		if i < 3 {
			want = append(want, fmt.Sprintf("linux-fast-00000000000%d", i))
		}
	}
	require.ElementsMatch(t, want, names(t, cache))
}

func TestWhatIsInUseIsNotPruned(t *testing.T) {
	cache := t.TempDir()
	for i := range 4 {
		entry(t, cache, fmt.Sprintf("image-fast-00000000000%d.cpio", i), false, 10)
		entry(t, cache, fmt.Sprintf("linux-fast-00000000000%d", i), true, 10)
	}
	image, tree := filepath.Join(cache, "image-fast-000000000009.cpio"), filepath.Join(cache, "linux-fast-000000000009")
	_, err := Use(image)
	require.ErrorIs(t, err, fs.ErrNotExist)
	entry(t, cache, filepath.Base(image), false, 20)
	entry(t, cache, filepath.Base(tree), true, 20)
	var releases []func()
	for _, path := range []string{image, image, tree} { // two rigs of one image
		release, err := Use(path)
		require.NoError(t, err)
		releases = append(releases, release)
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.WithinDuration(t, time.Now(), info.ModTime(), time.Minute, "using it touches it")
	}
	// As a rig that has run for long.
	later := time.Now().Add(time.Minute)
	old := func(path string) {
		at := time.Now().Add(-100 * time.Hour)
		require.NoError(t, os.Chtimes(path, at, at))
	}
	old(image)
	old(tree)
	releases[0]()
	require.NoError(t, prune(cache, later))
	require.FileExists(t, image)
	require.FileExists(t, filepath.Join(tree, "linux"))
	releases[1]()
	releases[2]()
	require.NoError(t, prune(cache, later))
	require.NoFileExists(t, image)
	require.NoDirExists(t, tree)
	require.Len(t, names(t, cache), 4+3)
}
