// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// What is checked in is what the commands say now, file by file.
func TestGeneratedFilesAreCurrent(t *testing.T) {
	for name, c := range map[string]struct {
		write func(string) error
		dir   string
	}{
		"man":         {writeMan, "../../../docs/man"},
		"completions": {writeCompletions, "../../../packaging/completions"},
	} {
		t.Run(name, func(t *testing.T) {
			fresh := t.TempDir()
			require.NoError(t, c.write(fresh))
			require.Equal(t, contents(t, fresh), contents(t, c.dir), "run `make man completions`")
		})
	}
}

func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	all := map[string]string{}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		require.NoError(t, err)
		all[filepath.Base(f)] = string(raw)
	}
	return all
}
