// SPDX-License-Identifier: Apache-2.0

package rigcli

import (
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/rmr-block/rmr/internal/bench"
	"github.com/rmr-block/rmr/internal/demo"
)

func newDemo() *cobra.Command {
	return &cobra.Command{
		Use: "demo", Short: "run the main job: a pool, a file system, a verified load, equal legs", Args: cobra.NoArgs,
		Example: "  rmr-rig demo",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return demo.Run(cmd.Context(), cmd.OutOrStdout(), term.IsTerminal(int(os.Stdout.Fd())))
		},
	}
}

func newBench() *cobra.Command {
	var opts bench.Options
	cmd := &cobra.Command{
		Use: "bench", Short: "measure a pool beside md RAID1 over RNBD and raw RNBD", Args: cobra.NoArgs,
		Example: "  rmr-rig bench --rounds 5 --seconds 4",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return bench.Run(cmd.Context(), opts, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.PersistentFlags().IntVar(&opts.Rounds, "rounds", 5, "measurements of each cell; the median counts")
	cmd.PersistentFlags().BoolVar(&opts.JSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&opts.Checksums, "checksums", false, "measure a pool with data checksums too")
	cmd.Flags().IntVar(&opts.Seconds, "seconds", 4, "length of one measurement")
	cmd.AddCommand(&cobra.Command{
		Use: "recovery", Short: "measure loss and return of a leg beside md RAID1 over RNBD", Args: cobra.NoArgs,
		Example: "  rmr-rig bench recovery --rounds 3",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return bench.RunRecovery(cmd.Context(), opts, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	})
	return cmd
}
