// SPDX-License-Identifier: Apache-2.0

// Promise: every patch of the table is there, applies to the code as it is, and names a killer that can be
// recognised; no patch lies about unused.

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const root = "../../.."

func TestEveryPatchApplies(t *testing.T) {
	mutants, err := readTable(filepath.Join(root, table))
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(mutants), 12)
	var names []string
	for _, m := range mutants {
		names = append(names, m.patch)
		cmd := exec.CommandContext(t.Context(), "git", "apply", "--check", "tests/mutants/"+m.patch+".patch")
		cmd.Dir = root
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s: %s", m.patch, out)
	}
	files, err := filepath.Glob(filepath.Join(root, "tests/mutants/*.patch"))
	require.NoError(t, err)
	for _, f := range files {
		require.True(t, slices.Contains(names, strings.TrimSuffix(filepath.Base(f), ".patch")), "%s is not in the table", f)
	}
}

func TestTableRefusesNonsense(t *testing.T) {
	for _, line := range []string{"a | b | go:C", "a | b | go:C | d | e", "a | b | C | d", "a | b | go: | d", "a | b | perl:C | d"} {
		path := filepath.Join(t.TempDir(), "table")
		require.NoError(t, os.WriteFile(path, []byte(line), 0o600))
		_, err := readTable(path)
		require.ErrorContains(t, err, "table:1: ", line)
	}
}

func TestSignOfAKill(t *testing.T) {
	for _, c := range []struct {
		killer, output string
		killed         bool
	}{
		{"kunit:a_b", "ok rmr_view.x\nnot ok rmr_view.a_b\n2 cases", true},
		{"kunit:a_b", "not ok rmr_view.a_b_c\n", false},
		{"kunit:a_b", "ok rmr_view.a_b\n", false},
		{"go:TestA/one two", "--- FAIL: TestA (1s)\n    --- FAIL: TestA/one_two (0.1s)\n", true},
		{"go:TestA/one two", "--- FAIL: TestA (1s)\n    --- FAIL: TestA/one_three (0.1s)\n", false},
		{"go:TestA", "--- FAIL: TestAB (1s)\n", false},
		{"go:TestA", "FAIL\tbuild failed\n", false},
	} {
		sign, err := mutant{killer: c.killer}.sign()
		require.NoError(t, err)
		require.Equal(t, c.killed, sign.MatchString(c.output), "%s in %q", c.killer, c.output)
	}
}
