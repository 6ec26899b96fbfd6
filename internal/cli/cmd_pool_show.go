// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/rmr-block/rmr/internal/rmrnl"
)

func (a *app) poolShow() *cobra.Command {
	var o showOptions
	cmd := &cobra.Command{
		Use: "show [NAME] [+FIELD|-FIELD]...", Short: "Show the pools this node serves",
		Long: "Shows the pools assembled on this storage node, or one of them.",
		Args: cobra.MaximumNArgs(1),
		Example: `  rmrctl pool show
  rmrctl pool show vol1 +uuid,view -client
  rmrctl pool show -o json | jq '.[] | select(.degraded)'`,
	}
	showFlags(cmd, &o, poolColumns)
	return a.verb(cmd, func(ctx context.Context, args []string) error {
		return show(ctx, a, &o, poolColumns, func(p poolView) bool { return p.Degraded },
			func(ctx context.Context) ([]poolView, error) { return a.pools(ctx, first(args)) })
	})
}

// pools lists the pools of this node, or those with a name; the kernel tells why there is none.
func (a *app) pools(ctx context.Context, name string) ([]poolView, error) {
	var views []poolView
	err := a.kernel(func(c *rmrnl.Client) error {
		list, err := c.Pools(ctx)
		if err != nil {
			return fmt.Errorf("pool show: %w", err)
		}
		latencies, err := c.Latencies(ctx)
		if err != nil {
			return fmt.Errorf("pool show: %w", err)
		}
		for _, p := range list {
			if name == "" || p.Name == name {
				views = append(views, viewPool(p, latencies, a.Now()))
			}
		}
		if name == "" || len(views) > 0 {
			return nil
		}
		req := &rmrnl.Request{Cmd: rmrnl.CmdPoolGet}
		p, err := c.DoPool(ctx, req.Add(rmrnl.PoolAttrName, name))
		if err != nil {
			return fmt.Errorf("pool show %s: %w", name, err)
		}
		views = append(views, viewPool(p, latencies, a.Now()))
		return nil
	})
	return views, err
}

func first(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}
