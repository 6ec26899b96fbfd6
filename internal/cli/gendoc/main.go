// SPDX-License-Identifier: Apache-2.0

// Command gendoc writes the man pages and the shell completions of rmrctl, brmr and
// rmr-storaged from their commands. `make man completions` runs it; a test fails when its output is not what is checked
// in.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/rmr-block/rmr/internal/cli"
	"github.com/rmr-block/rmr/internal/storaged"
)

// Shown at the foot of the pages; not the day of the build, which would change them each time.
var pageDate = time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: gendoc man|completions DIR")
		os.Exit(2)
	}
	write, ok := map[string]func(string) error{"man": writeMan, "completions": writeCompletions}[os.Args[1]]
	if !ok {
		fmt.Fprintf(os.Stderr, "gendoc: %s is neither man nor completions\n", os.Args[1])
		os.Exit(2)
	}
	if err := write(os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "gendoc:", err)
		os.Exit(1)
	}
}

func roots() []*cobra.Command {
	return append(cli.Commands(cli.Host(os.Stdout, os.Stderr, false)), storaged.Command())
}

// writeMan fills a directory with one page for each command.
func writeMan(dir string) error {
	for _, root := range roots() {
		header := &doc.GenManHeader{Section: "8", Date: &pageDate, Source: "rmr", Manual: "rmr manual"}
		if err := doc.GenManTree(root, header, dir); err != nil {
			return fmt.Errorf("man pages of %s: %w", root.Name(), err)
		}
	}
	return nil
}

// writeCompletions fills a directory with one script for each shell and name.
func writeCompletions(dir string) error {
	for _, root := range roots() {
		for shell, gen := range map[string]func(string) error{
			"bash": func(f string) error { return root.GenBashCompletionFileV2(f, true) },
			"zsh":  root.GenZshCompletionFile,
			"fish": func(f string) error { return root.GenFishCompletionFile(f, true) },
		} {
			if err := gen(filepath.Join(dir, root.Name()+"."+shell)); err != nil {
				return fmt.Errorf("%s completion of %s: %w", shell, root.Name(), err)
			}
		}
	}
	return nil
}
