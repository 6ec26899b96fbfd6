// SPDX-License-Identifier: Apache-2.0

package storaged

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/rmrnl"
	"github.com/rmr-block/rmr/internal/rmrnl/rmrnltest"
)

func TestCommandLine(t *testing.T) {
	dir := t.TempDir()
	good, bad := filepath.Join(dir, "good.yaml"), filepath.Join(dir, "bad.yaml")
	require.NoError(t, os.WriteFile(good, []byte("listen: off\n"), 0o644))
	require.NoError(t, os.WriteFile(bad, []byte("rescam: 5s\n"), 0o644))
	for name, c := range map[string]struct {
		args []string
		code int
		out  string // part of stdout, or of stderr for codes 1 and 2
	}{
		"check of a good file":  {[]string{"check-config", "-c", good}, exitOK, good + ": ok\n"},
		"check of a bad file":   {[]string{"check-config", "-c", bad}, exitUsage, "configuration refused: " + bad},
		"run with a bad file":   {[]string{"-c", bad}, exitUsage, "rescam"},
		"file that is missing":  {[]string{"-c", dir + "/none.yaml", "--once"}, exitUsage, "no such file"},
		"unknown flag":          {[]string{"--onc"}, exitUsage, "unknown flag"},
		"argument":              {[]string{"start"}, exitUsage, "unknown command"},
		"output":                {[]string{"-o", "xml", "-c", good, "--once"}, exitUsage, "must be text or json"},
		"help":                  {[]string{"--help"}, exitOK, "rmr-storaged --once -o json"},
		"once with a problem":   {[]string{"--once", "-c", good}, exitDegraded, "not well: /dev/sdc: broken: both superblock copies damaged"},
		"once, what was served": {[]string{"--once", "-c", good}, exitDegraded, "pool vol1 member 0 on /dev/sdb: served\n"},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := runOnce(t, c.args)
			require.Equal(t, c.code, code, "%s%s", stdout, stderr)
			if code == exitError || code == exitUsage {
				require.Contains(t, stderr, c.out)
				require.Empty(t, stdout)
				require.Equal(t, 1, bytes.Count([]byte(stderr), []byte("\n")), stderr)
				return
			}
			require.Contains(t, stdout, c.out)
		})
	}
	code, stdout, _ := runOnce(t, []string{"--once", "-o", "json", "-c", good})
	require.Equal(t, exitDegraded, code)
	var r Report
	require.NoError(t, json.Unmarshal([]byte(stdout), &r))
	require.Len(t, r.Stores, 2)
	require.Len(t, r.Reasons, 1)
}

// runOnce runs the program on a node with one good store and one with damaged superblocks.
func runOnce(t *testing.T, args []string) (code int, stdout, stderr string) {
	t.Helper()
	w := newWorld(t, rmrnltest.State{Stores: []rmrnl.Pool{member("vol1", 0x21, "/dev/sdb")}})
	w.plug("sdb", storeDisk(t, "vol1", 0x21))
	broken := w.plug("sdc", storeDisk(t, "vol2", 0x22))
	for i := range broken.content {
		if broken.content[i] != 0 && i%4096 > 100 {
			broken.content[i] ^= 0xff
		}
	}
	var out, errs bytes.Buffer
	code = Main(t.Context(), &out, &errs, func(*slog.Logger) Env { return w.env() }, args)
	return code, out.String(), errs.String()
}
