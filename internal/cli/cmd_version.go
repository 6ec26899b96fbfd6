// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// Version is set by the build: -ldflags "-X github.com/rmr-block/rmr/internal/cli.Version=1.2.3".
var Version = ""

type versionView struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
	Go      string `json:"go"`
}

func (a *app) version() *cobra.Command {
	var format outputFormat
	cmd := &cobra.Command{
		Use: "version", Short: "Show the version of this tool",
		Long:    "Shows the version of this tool, its commit and its compiler.",
		Example: "  " + a.name + " version -o json",
	}
	format.flag(cmd.Flags())
	return a.verb(cmd, func(context.Context, []string) error {
		v := versionView{Version: Version, Go: runtime.Version()}
		if info, ok := debug.ReadBuildInfo(); ok {
			for _, s := range info.Settings {
				if s.Key == "vcs.revision" {
					v.Commit = s.Value
				}
			}
			if v.Version == "" {
				v.Version = info.Main.Version
			}
		}
		if format == formatJSON {
			return a.printJSON(v)
		}
		_, err := fmt.Fprintf(a.Stdout, "%s %s commit %s %s\n", a.name, v.Version, orDash(v.Commit), v.Go)
		return err
	})
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
