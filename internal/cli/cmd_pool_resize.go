// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/rmr-block/rmr/internal/rmrnl"
	"github.com/rmr-block/rmr/pkg/pool"
)

type poolResizeOptions struct {
	changeOptions
	size string
}

func (a *app) poolResize() *cobra.Command {
	var o poolResizeOptions
	prefix := "rmrctl pool"
	if a.name == "brmr" {
		prefix = "brmr"
	}
	cmd := &cobra.Command{
		Use: "resize POOL --size SIZE", Short: "Make a mapped pool larger while it is used, or smaller",
		Long: `Makes a pool larger, on the client host that has it mapped: every member persists the new size, then
the block device grows. The new part reads as zeros; nothing is copied. Each store needs room for it
first: "rmrctl disk grow" on each storage node. All members have to be up to date. If the command is
interrupted it can be given again; until then the pool has its old size.

With --force also smaller: what lies behind the new end is lost on every member, so shrink what is on
the device first. Nobody may have the device open, and every data member has to be up to date; one
that is away has to return or be removed before. The device gets smaller first, then the members.
If the command is interrupted, give it again with the same size: until it has ended, the pool cannot
grow, and a member that was told alone is refused by a client that was not. Room for a later growth
has to be made by "rmrctl disk grow" again, which zeroes it.`,
		Args:    cobra.ExactArgs(1),
		Example: fmt.Sprintf("  %[1]s resize vol1 --size 20G\n  %[1]s resize vol1 --size 10G --force", prefix),
	}
	o.flags(cmd.Flags(), "it may be smaller: what is behind the new end is lost")
	cmd.Flags().StringVar(&o.size, "size", "", "new `size` of the volume, a multiple of 4K")
	mustRequire(cmd, "size")
	return a.verb(cmd, func(ctx context.Context, args []string) error { return o.resize(ctx, a, args[0]) })
}

func (o *poolResizeOptions) resize(ctx context.Context, a *app, name string) error {
	if err := checkPoolName(name); err != nil {
		return err
	}
	want, err := parseSize(o.size)
	if err != nil {
		return &usageError{"--" + err.Error()}
	}
	if want%pool.BlockSize != 0 || want < pool.PoolSizeMin || want > pool.PoolSizeMax {
		return &usageError{fmt.Sprintf("--size %q: want a multiple of 4K of at least 1M", o.size)}
	}
	req := &rmrnl.Request{Cmd: rmrnl.CmdDeviceResize}
	req.Add(rmrnl.DeviceAttrName, name).Add(rmrnl.DeviceAttrSize, want).Add(rmrnl.DeviceAttrForce, o.force)
	p := plan{}
	if o.force {
		p.raise(riskLoseData, "what is behind the new end, if it is smaller")
	}
	if goOn, err := a.proceedRequest(o.changeOptions, req, p); !goOn {
		return err
	}
	if err := a.kernel(func(c *rmrnl.Client) error { return c.Do(ctx, req) }); err != nil {
		err = fmt.Errorf("pool resize %s: %w", name, err)
		if errors.Is(err, syscall.EOPNOTSUPP) {
			err = hint(err, "give it on the client host that has the pool mapped; on a storage node `rmrctl disk grow` makes room")
		}
		return err
	}
	return a.printDone(o.output, "pool", name, fmt.Sprintf("resized to %d bytes", want))
}
