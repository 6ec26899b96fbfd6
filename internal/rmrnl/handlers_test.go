// SPDX-License-Identifier: Apache-2.0

package rmrnl

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	functionStart = regexp.MustCompile(`(?m)^(?:static )?[a-z][\w *]*?\b(\w+)\([^;{]*\)\n\{\n`)
	operation     = regexp.MustCompile(`(?s)\.(?:doit|dumpit)\s*=\s*(\w+),(?:\s*\.done\s*=\s*\w+,)?\s*\.policy\s*=\s*(\w+),\s*\.maxattr\s*=\s*(\w+),`)
	attribute     = regexp.MustCompile(`\b(?:attrs|a)\[(RMR_A_\w+)\]|get_addrs\(info, (RMR_A_\w+)`)
	word          = regexp.MustCompile(`\b\w+\b`) // a function is called, or given to one that calls it
)

// TestHandlersReadNoAttributeBehindTheirPolicy: a replace read an attribute that only create and join have; the
// kernel's array of attributes ends with the last one of the command's policy (KASAN: slab-out-of-bounds). What every
// handler and the functions that it calls read must not be behind that.
func TestHandlersReadNoAttributeBehindTheirPolicy(t *testing.T) {
	kmod := filepath.Join("..", "..", "kmod")
	header, err := os.ReadFile(filepath.Join(kmod, "include", "uapi", "linux", "rmr.h"))
	require.NoError(t, err)
	place := enumValues(string(header))
	files, err := filepath.Glob(filepath.Join(kmod, "rmr", "genl*.c"))
	require.NoError(t, err)
	bodies, source := map[string]string{}, ""
	for _, name := range files {
		b, err := os.ReadFile(name)
		require.NoError(t, err)
		source += string(b)
	}
	for _, m := range functionStart.FindAllStringSubmatchIndex(source, -1) {
		name, rest := source[m[2]:m[3]], source[m[1]:]
		bodies[name] = rest[:strings.Index(rest, "\n}\n")]
	}
	handlers := operation.FindAllStringSubmatch(source, -1)
	require.Greater(t, len(handlers), 15)
	reads := 0
	for _, h := range handlers {
		require.Contains(t, bodies, h[1])
		last, known := place[h[3]]
		require.True(t, known, h[3])
		for _, name := range readBy(bodies, h[1], map[string]bool{}) {
			at, known := place[name]
			require.True(t, known, name)
			if strings.Split(name, "_")[2] == strings.Split(h[3], "_")[2] {
				require.LessOrEqual(t, at, last, "%s reads %s, behind %s, the last one of its policy", h[1], name, h[3])
				reads++
			}
		}
	}
	t.Logf("%d handlers read %d attributes", len(handlers), reads)
	require.Greater(t, reads, 150)
}

// enumValues are the values of enumerators, which count from the last one that has a number.
func enumValues(header string) map[string]int {
	values := map[string]int{}
	for _, body := range regexp.MustCompile(`(?s)enum[\w ]*\{(.*?)\}`).FindAllStringSubmatch(header, -1) {
		next := 0
		for _, m := range regexp.MustCompile(`(?m)^\s*(\w+)(?:\s*=\s*(\d+))?,`).FindAllStringSubmatch(body[1], -1) {
			if m[2] != "" {
				next, _ = strconv.Atoi(m[2])
			}
			values[m[1]] = next
			next++
		}
	}
	return values
}

func readBy(bodies map[string]string, name string, seen map[string]bool) (attributes []string) {
	if seen[name] {
		return nil
	}
	seen[name] = true
	for _, m := range attribute.FindAllStringSubmatch(bodies[name], -1) {
		attributes = append(attributes, m[1]+m[2])
	}
	for _, called := range word.FindAllString(bodies[name], -1) {
		if _, ours := bodies[called]; ours {
			attributes = append(attributes, readBy(bodies, called, seen)...)
		}
	}
	return attributes
}
