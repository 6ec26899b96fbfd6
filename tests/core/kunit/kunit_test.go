// SPDX-License-Identifier: Apache-2.0

// Package kunit runs the KUnit suites of the pure core where they matter: in a node with the debug kernel,
// under KASAN, UBSan, lockdep and kmemleak.
//
//	stor0: modprobe rmr_kunit, then the results of each suite
package kunit

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/rig"
)

const sources = "../../../kmod/rmr/core/*_kunit.c"

var (
	suiteName = regexp.MustCompile(`(?m)^\t\.name = "(\w+)"`)
	caseName  = regexp.MustCompile(`KUNIT_CASE\((\w+)\)`)
	// A line of KTAP that gives a result: of a suite without indent, of a case with it.
	resultLine = regexp.MustCompile(`^( *)(ok|not ok) \d+ ([\w-]+)(.*)$`)
)

// wanted are the cases of each suite, read from the sources, so that none can get lost.
func wanted(t *testing.T) map[string][]string {
	t.Helper()
	files, err := filepath.Glob(sources)
	require.NoError(t, err)
	require.NotEmpty(t, files)
	suites := map[string][]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		name := suiteName.FindSubmatch(text)
		require.NotNil(t, name, "%s names no suite", file)
		for _, c := range caseName.FindAllSubmatch(text, -1) {
			suites[string(name[1])] = append(suites[string(name[1])], string(c[1]))
		}
	}
	return suites
}

// failures are what is wrong with the results of a suite: a case that failed, was skipped, is missing or
// is not wanted, and a suite without a result of its own.
func failures(suite string, cases []string, ktap string) []string {
	var bad []string
	left := map[string]bool{suite: true}
	for _, c := range cases {
		left[c] = true
	}
	for line := range strings.Lines(ktap) {
		m := resultLine.FindStringSubmatch(strings.TrimRight(line, "\n"))
		switch {
		case m == nil:
		case m[2] != "ok" || strings.Contains(m[4], "SKIP"):
			bad = append(bad, strings.TrimSpace(line))
		case !left[m[3]]:
			bad = append(bad, "unknown or repeated: "+strings.TrimSpace(line))
		}
		if m != nil {
			delete(left, m[3])
		}
	}
	for name := range left {
		bad = append(bad, "no result of "+name)
	}
	return bad
}

func TestResultsAreJudged(t *testing.T) {
	good := "KTAP version 1\n1..1\n    KTAP version 1\n    # Subtest: s\n    1..2\n    ok 1 a\n    ok 2 b\n# s: pass:2\nok 1 s\n"
	cases := []string{"a", "b"}
	assert.Empty(t, failures("s", cases, good))
	for _, change := range [][2]string{
		{"ok 2 b", "not ok 2 b"},
		{"ok 1 s", "not ok 1 s"},
		{"    ok 2 b\n", ""},
		{"ok 1 s\n", ""},
		{"ok 1 a", "ok 1 a # SKIP"},
		{"ok 1 a", "ok 1 c"},
	} {
		assert.NotEmpty(t, failures("s", cases, strings.Replace(good, change[0], change[1], 1)), change)
	}
	assert.NotEmpty(t, failures("s", cases, ""))
}

// TestSuitesInTheKernel also fails if the kernel reported anything: the rig reads its log.
func TestSuitesInTheKernel(t *testing.T) {
	suites := wanted(t)
	c := rig.Start(t, rig.Debug(), rig.Storage(1))
	n := c.Storage(0)
	n.MustSh(t, "modprobe rmr_kunit; mountpoint -q /sys/kernel/debug || mount -t debugfs none /sys/kernel/debug")
	for suite, cases := range suites {
		t.Run(suite, func(t *testing.T) {
			ktap := n.MustSh(t, fmt.Sprintf("cat /sys/kernel/debug/kunit/%s/results", suite))
			assert.Empty(t, failures(suite, cases, ktap), ktap)
			t.Logf("%d cases", len(cases))
		})
	}
	n.MustSh(t, "modprobe -r rmr_kunit")
	require.NoError(t, c.CheckDebug(t.Context()))
	require.NoError(t, c.CheckLogs())
}
