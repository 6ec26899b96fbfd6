// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/rmr-block/rmr/internal/rmrnl"
)

func (a *app) deviceShow(verb string) *cobra.Command {
	var o showOptions
	prefix := "rmrctl device"
	if a.name == "brmr" {
		prefix = "brmr"
	}
	cmd := &cobra.Command{
		Use: verb + " [NAME|/dev/brmrN] [+FIELD|-FIELD]...", Short: "Show the pools mapped on this host",
		Long: "Shows the pools mapped as block devices on this host, or one of them.",
		Args: cobra.MaximumNArgs(1),
		Example: fmt.Sprintf("  %[1]s %[2]s\n  %[1]s %[2]s vol1 +uuid,view\n  %[1]s %[2]s -o json -w",
			prefix, verb),
	}
	showFlags(cmd, &o, deviceColumns)
	return a.verb(cmd, func(ctx context.Context, args []string) error {
		return show(ctx, a, &o, deviceColumns, func(d deviceView) bool { return d.Degraded },
			func(ctx context.Context) ([]deviceView, error) { return a.devices(ctx, first(args)) })
	})
}

// devices lists the mapped pools, or the one that target names.
func (a *app) devices(ctx context.Context, target string) ([]deviceView, error) {
	var views []deviceView
	err := a.kernel(func(c *rmrnl.Client) error {
		var list []rmrnl.Device
		var err error
		if target == "" {
			list, err = c.Devices(ctx)
		} else {
			var d rmrnl.Device
			d, err = a.device(ctx, c, target)
			list = []rmrnl.Device{d}
		}
		if err != nil {
			return err
		}
		legs, err := c.Legs(ctx)
		if err != nil {
			return err
		}
		latencies, err := c.Latencies(ctx)
		if err != nil {
			return err
		}
		for _, d := range list {
			views = append(views, viewDevice(d, legs, latencies))
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("device show: %w", err)
	}
	return views, nil
}

// device asks for the device that a pool name or a path names.
func (a *app) device(ctx context.Context, c *rmrnl.Client, target string) (rmrnl.Device, error) {
	req := &rmrnl.Request{Cmd: rmrnl.CmdDeviceGet}
	if err := a.addTarget(req, target); err != nil {
		return rmrnl.Device{}, err
	}
	d, err := c.DoDevice(ctx, req)
	if err != nil {
		return d, fmt.Errorf("%s: %w", target, err)
	}
	return d, nil
}
