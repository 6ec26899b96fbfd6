// SPDX-License-Identifier: Apache-2.0

package rig

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestKilledRunsLeaveTheirDirectories(t *testing.T) {
	base := t.TempDir()
	mine, err := makeOwnedDir(base)
	require.NoError(t, err)
	kept, err := makeOwnedDir(base)
	require.NoError(t, err)
	require.NoError(t, disown(kept))
	require.NoError(t, disown(kept), "once is enough")

	cmd := exec.CommandContext(t.Context(), "sleep", "1000")
	require.NoError(t, cmd.Start())
	theirs, err := processID(cmd.Process.Pid)
	require.NoError(t, err)
	owned := func(name, note string) string {
		dir := filepath.Join(base, name)
		require.NoError(t, os.MkdirAll(filepath.Join(dir, "share"), 0o755))
		if note != "" {
			require.NoError(t, os.WriteFile(filepath.Join(dir, ownerFile), []byte(note), 0o644))
		}
		return dir
	}
	killed := owned(runDirPrefix+"killed", theirs+"\n")
	require.NoError(t, removeOrphans(base))
	require.DirExists(t, killed, "its owner lives")

	fields := strings.Fields(theirs)
	stay := []string{
		mine, kept,
		owned(runDirPrefix+"no-note", ""), owned(runDirPrefix+"half-a-note", strings.Join(fields[:2], " ")),
		owned(runDirPrefix+"no-end", theirs), owned(runDirPrefix+"garbage", "a b c\n"), owned("other", theirs+"\n"),
	}
	reused := owned(runDirPrefix+"reused", fmt.Sprintf("%s %s 1\n", fields[0], fields[1]))
	reboot := owned(runDirPrefix+"reboot", fmt.Sprintf("00000000-0000-0000-0000-000000000000 %s %s\n", fields[1], fields[2]))
	require.NoError(t, removeOrphans(base))
	require.NoDirExists(t, reused, "another process has the number now")
	require.NoDirExists(t, reboot, "the host was started anew since")
	require.DirExists(t, killed)

	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait())
	require.NoError(t, removeOrphans(base))
	require.NoDirExists(t, killed)
	for _, dir := range stay {
		require.DirExists(t, dir)
	}
}
