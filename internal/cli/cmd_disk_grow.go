// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/rmr-block/rmr/internal/rmrnl"
	"github.com/rmr-block/rmr/pkg/pool"
)

type diskGrowOptions struct {
	changeOptions
	leg          int
	size         string
	assumeZeroed bool
}

func (a *app) diskGrow() *cobra.Command {
	var o diskGrowOptions
	cmd := &cobra.Command{
		Use: "grow POOL", Short: "Make room on a store of this node for a larger pool",
		Long: `Makes room for a larger pool on the store that this node serves, while it is served: looks at the
size of its device, moves the metadata to the end of it and zeroes what becomes data. The pool keeps
its size until "rmrctl pool resize" on the client, which needs the room on every member.

Make the device larger first (lvextend, a larger virtual disk). If the command is interrupted, by a
loss of power too, give it again. If it is interrupted in the one moment in which the superblock
moves, or if the device grew while the node was down, "rmrctl disk find" tells where the superblock is.

Of a store with a metadata device, the one with the data grows; the other one too if the larger map does not fit: how
large it has to be is said then. A data device that grew while the node was down is recognised by itself, unless the
pool takes all of it.`,
		Args:    cobra.ExactArgs(1),
		Example: "  rmrctl disk grow vol1\n  rmrctl disk grow vol1 --leg 1 --size 20G",
	}
	o.flags(cmd.Flags(), "")
	fs := cmd.Flags()
	addLeg(fs, &o.leg)
	fs.StringVar(&o.size, "size", "", "`size` of the pool to make room for (default: the largest that fits)")
	fs.BoolVar(&o.assumeZeroed, "assume-zeroed", false, "do not zero what becomes data: it reads as zeros already")
	return a.verb(cmd, func(ctx context.Context, args []string) error { return o.grow(ctx, a, args[0]) })
}

func (o *diskGrowOptions) grow(ctx context.Context, a *app, name string) error {
	if err := checkPoolName(name); err != nil {
		return err
	}
	if o.leg < -1 || o.leg >= pool.MaxMembers {
		return &usageError{fmt.Sprintf("--leg %d: want 0 to %d", o.leg, pool.MaxMembers-1)}
	}
	req := &rmrnl.Request{Cmd: rmrnl.CmdPoolGrow}
	req.Add(rmrnl.PoolAttrName, name)
	if o.leg >= 0 {
		req.Add(rmrnl.PoolAttrMemberID, uint8(o.leg))
	}
	if o.size != "" {
		want, err := parseSize(o.size)
		if err != nil {
			return &usageError{"--" + err.Error()}
		}
		req.Add(rmrnl.PoolAttrSize, want)
	}
	req.Add(rmrnl.PoolAttrZeroed, o.assumeZeroed)
	if goOn, err := a.proceedRequest(o.changeOptions, req, plan{}); !goOn {
		return err
	}
	if err := a.kernel(func(c *rmrnl.Client) error { return c.Do(ctx, req) }); err != nil {
		return fmt.Errorf("disk grow %s: %w", name, err)
	}
	return a.printDone(o.output, "disk", name, "has room")
}
