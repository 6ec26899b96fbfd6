// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/rmr-block/rmr/internal/rmrnl"
)

func (a *app) legShow() *cobra.Command {
	var o showOptions
	cmd := &cobra.Command{
		Use: "show [POOL] [+FIELD|-FIELD]...", Short: "Show the legs of mapped pools",
		Long: "Shows this client's view of each member of its mapped pools, or of one pool.",
		Args: cobra.MaximumNArgs(1),
		Example: `  rmrctl leg show
  rmrctl leg show vol1 -w
  rmrctl leg show -o json`,
	}
	showFlags(cmd, &o, legColumns)
	return a.verb(cmd, func(ctx context.Context, args []string) error {
		return show(ctx, a, &o, legColumns, legView.degraded,
			func(ctx context.Context) ([]legView, error) { return a.legs(ctx, first(args)) })
	})
}

func (a *app) legs(ctx context.Context, name string) ([]legView, error) {
	var views []legView
	err := a.kernel(func(c *rmrnl.Client) error {
		legs, err := c.Legs(ctx)
		if err != nil {
			return fmt.Errorf("leg show: %w", err)
		}
		latencies, err := c.Latencies(ctx)
		if err != nil {
			return fmt.Errorf("leg show: %w", err)
		}
		for _, l := range legs {
			if name == "" || l.PoolName == name {
				views = append(views, viewLeg(l, latencies))
			}
		}
		if name == "" || len(views) > 0 {
			return nil
		}
		// The kernel has no command for the legs of one pool, but knows whether it is mapped.
		req := (&rmrnl.Request{Cmd: rmrnl.CmdDeviceGet}).Add(rmrnl.DeviceAttrName, name)
		if _, err := c.DoDevice(ctx, req); err != nil {
			return fmt.Errorf("leg show %s: %w", name, err)
		}
		return nil
	})
	return views, err
}
