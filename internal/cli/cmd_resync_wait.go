// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/rmr-block/rmr/internal/rmrnl"
)

func (a *app) resyncWait() *cobra.Command {
	leg, output := -1, formatText
	cmd := &cobra.Command{
		Use: "wait POOL", Short: "Wait until this node's member is up to date",
		Long: `Waits until this node's member of the pool is up to date and shows how far it is: a bar with rate and time left
on a terminal, else a line every few seconds. Ends at once if it is up to date, and with an error if it fails or its
resync is paused. An interrupt ends only the waiting.`,
		Args:    cobra.ExactArgs(1),
		Example: "  rmrctl resync wait vol1\n  rmrctl resync wait vol1 --leg 1 -o json",
	}
	addLeg(cmd.Flags(), &leg)
	output.flag(cmd.Flags())
	return a.verb(cmd, func(ctx context.Context, args []string) error {
		if err := checkPoolName(args[0]); err != nil {
			return err
		}
		p, err := a.member(ctx, args[0], leg)
		if err != nil {
			return fmt.Errorf("resync wait: %w", err)
		}
		paused := func(list []poolView) error {
			for _, other := range list {
				if other.StoreUUID == p.StoreUUID && other.Resync.State == rmrnl.ResyncStatePaused {
					return refuse("resync of %s is paused: `rmrctl resync resume %s`", p.Name, p.Name)
				}
			}
			return nil
		}
		if err := a.waitUpToDate(ctx, p.Name, p.StoreUUID, paused, func([]poolView) bool { return true }); err != nil {
			return fmt.Errorf("resync wait: %w", err)
		}
		return a.printDone(output, "resync", p.Name, "up to date")
	})
}
