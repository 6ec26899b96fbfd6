// SPDX-License-Identifier: Apache-2.0

// This file owns the commands that judge what a run left behind: stores, recorded histories, logs.

package rigcli

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/rmr-block/rmr/internal/audit"
	"github.com/rmr-block/rmr/internal/events"
	"github.com/rmr-block/rmr/internal/recorder"
)

func newAudit() *cobra.Command {
	cmd := &cobra.Command{
		Use: "audit STORE STORE...", Short: "compare the stores of a pool with their dirty maps", Args: cobra.MinimumNArgs(2),
		Long: "audit reads the backing files of the stores of one pool and compares their data areas block by block. It fails if a\n" +
			"block differs that no dirty bit and no write intent covers. Nobody may write to the stores meanwhile.",
		Example: "  rmr-rig audit run/stor0/disk0.img run/stor1/disk0.img",
	}
	asJSON := cmd.Flags().Bool("json", false, "print the whole result as JSON")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		r, err := audit.Files(args...)
		if err != nil {
			return err
		}
		if *asJSON {
			if err := json.NewEncoder(cmd.OutOrStdout()).Encode(r); err != nil {
				return err
			}
		} else {
			r.Table(cmd.OutOrStdout())
		}
		return r.Err()
	}
	return cmd
}

func newHistory() *cobra.Command {
	cmd := &cobra.Command{
		Use: "history LOG...", Short: "judge what rmr-recorder recorded", Args: cobra.MinimumNArgs(1),
		Long: "history reads the logs of all clients of one pool and decides whether every block was a linearizable register.\n" +
			"Stores given with --store are at rest: what they hold is held against the history too.",
		Example: "  rmr-rig history run/share/client0.log --store run/stor0/disk0.img",
	}
	stores := cmd.Flags().StringArray("store", nil, "backing `file` of a member")
	limit := cmd.Flags().Duration("limit", 30*time.Second, "for the search on one block")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		h := recorder.History{}
		for _, path := range args {
			l, err := recorder.ReadLog(path)
			if err != nil {
				return err
			}
			h.Logs = append(h.Logs, l)
		}
		for _, path := range *stores {
			f, err := os.Open(path)
			if err != nil {
				return err
			}
			if err := errors.Join(h.AddRest(f), f.Close()); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
		}
		v := h.Check(*limit)
		fmt.Fprintln(cmd.OutOrStdout(), v)
		return v.Err()
	}
	return cmd
}

func newEvents() *cobra.Command {
	cmd := &cobra.Command{
		Use: "events FILE", Short: "check the state changes of a log", Args: cobra.ExactArgs(1),
		Long: "events reads the console log of one node, or with --stream the output of `rmrctl events -o json`, and fails if a\n" +
			"state follows another one that no state table lets follow.",
		Example: "  rmr-rig events run/client0/console.log",
	}
	stream := cmd.Flags().Bool("stream", false, "the file is output of `rmrctl events -o json`")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		text, err := os.ReadFile(args[0])
		if err != nil {
			return err
		}
		c := events.NewChecker()
		if *stream {
			err = c.Stream(string(text))
		} else {
			c.Log(string(text))
		}
		if err != nil {
			return err
		}
		for _, v := range c.Violations() {
			fmt.Fprintln(cmd.OutOrStdout(), v)
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%d changes, %d violations\n", c.Changes, len(c.Violations()))
		return c.Err()
	}
	return cmd
}
