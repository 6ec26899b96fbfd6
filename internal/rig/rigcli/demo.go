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
	cmd.PersistentFlags().IntVar(&opts.Seconds, "seconds", 4, "length of one measurement")
	cmd.PersistentFlags().DurationVar(&opts.LinkDelay, "link-delay", 0, "what every packet takes longer from node to node, one way")
	cmd.AddCommand(&cobra.Command{
		Use: "verify", Short: "measure a comparison of copies, with and without writes beside it", Args: cobra.NoArgs,
		Example: "  rmr-rig bench verify --rounds 3",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return bench.RunVerify(cmd.Context(), opts, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	})
	cmd.AddCommand(newBenchRecovery(&opts))
	return cmd
}

func newBenchRecovery(opts *bench.Options) *cobra.Command {
	cmd := &cobra.Command{
		Use: "recovery", Short: "measure loss and return of a leg beside md RAID1 over RNBD", Args: cobra.NoArgs,
		Example: "  rmr-rig bench recovery --rounds 3\n  rmr-rig bench recovery --load-only --link-delay 500us",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return bench.RunRecovery(cmd.Context(), *opts, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().BoolVar(&opts.LoadOnly, "load-only", false, "measure application I/O beside a resync, and nothing else")
	cmd.Flags().IntVar(&opts.ResyncShare, "resync-share", 0, "`percent` of the time that copies work beside application I/O; 0: the default")
	return cmd
}
