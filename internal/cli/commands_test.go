// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"io"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"
)

// Each verb says in help what it does and how it is used, and its examples name real commands
// and real options.
func TestEveryVerbHasWorkingExamples(t *testing.T) {
	for _, root := range Commands(Host(io.Discard, io.Discard, false)) {
		for _, cmd := range leaves(root) {
			t.Run(strings.ReplaceAll(cmd.CommandPath(), " ", "_"), func(t *testing.T) {
				require.NotEmpty(t, cmd.Short)
				require.NotEmpty(t, cmd.Long)
				require.NotEmpty(t, cmd.Example)
				for line := range strings.Lines(cmd.Example) {
					checkExample(t, line)
				}
			})
		}
	}
}

func checkExample(t *testing.T, line string) {
	t.Helper()
	line, _, _ = strings.Cut(strings.TrimSpace(line), " | ")
	words := strings.Fields(line)
	for _, root := range Commands(Host(io.Discard, io.Discard, false)) {
		if root.Name() != words[0] {
			continue
		}
		args := rewriteFields(root, words[1:])
		cmd, rest, err := root.Find(args)
		require.NoError(t, err, line)
		require.False(t, cmd.HasSubCommands(), "%s: no verb", line)
		require.NoError(t, cmd.ParseFlags(rest), line)
		require.NoError(t, cmd.ValidateArgs(cmd.Flags().Args()), line)
		require.NoError(t, cmd.ValidateRequiredFlags(), line)
		return
	}
	t.Fatalf("%s: no such program", line)
}

func leaves(cmd *cobra.Command) (list []*cobra.Command) {
	if !cmd.HasSubCommands() {
		return []*cobra.Command{cmd}
	}
	for _, sub := range cmd.Commands() {
		list = append(list, leaves(sub)...)
	}
	return list
}
