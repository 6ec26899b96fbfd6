// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/rmr-block/rmr/internal/rmrnl"
)

type deviceUnmapOptions struct{ changeOptions }

func (a *app) deviceUnmap() *cobra.Command {
	var o deviceUnmapOptions
	prefix := "rmrctl device"
	if a.name == "brmr" {
		prefix = "brmr"
	}
	cmd := &cobra.Command{
		Use: "unmap NAME|/dev/brmrN", Short: "Flush, detach and remove a block device",
		Long: `Flushes and detaches a mapped pool and removes its block device and its link. With --force also
a device that is open or suspended: I/O that waits fails, and data not yet written is lost.`,
		Args:    cobra.ExactArgs(1),
		Example: fmt.Sprintf("  %[1]s unmap vol1\n  %[1]s unmap /dev/brmr0 --force", prefix),
	}
	o.flags(cmd.Flags(), "remove it although it is open or I/O waits; that I/O fails")
	return a.verb(cmd, func(ctx context.Context, args []string) error { return o.detach(ctx, a, args[0]) })
}

func (o *deviceUnmapOptions) detach(ctx context.Context, a *app, target string) error {
	var d rmrnl.Device
	err := a.kernel(func(c *rmrnl.Client) (err error) {
		d, err = a.device(ctx, c, target)
		return err
	})
	if err != nil {
		return fmt.Errorf("unmap %w", err)
	}
	// By index and name: another pool may have taken the number meanwhile.
	req := &rmrnl.Request{Cmd: rmrnl.CmdDeviceUnmap}
	req.Add(rmrnl.DeviceAttrIndex, d.Index).
		Add(rmrnl.DeviceAttrName, d.Name).
		Add(rmrnl.DeviceAttrForce, o.force)
	p := plan{After: []string{fmt.Sprintf("remove the link %s/%s", byNameDir, d.Name)}}
	if o.force {
		p.raise(riskLoseData, "I/O that waits fails")
	}
	if goOn, err := a.proceedRequest(o.changeOptions, req, p); !goOn {
		return err
	}
	err = a.kernel(func(c *rmrnl.Client) error {
		err := c.Do(ctx, req)
		// A device can go although detaching failed on a leg: its link must not stay.
		if _, getErr := a.device(ctx, c, d.Name); errors.Is(getErr, syscall.ENOENT) {
			err = errors.Join(err, a.unlinkName(d.Name, d.Index))
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("unmap %s: %w", target, err)
	}
	return a.printDone(o.output, "device", d.Name, "unmapped")
}
