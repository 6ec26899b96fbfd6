// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/rmr-block/rmr/internal/rmrnl"
)

type poolAssembleOptions struct {
	changeOptions
	name string
	uuid string
}

func (a *app) poolAssemble() *cobra.Command {
	var o poolAssembleOptions
	cmd := &cobra.Command{
		Use: "assemble DEVICE", Short: "Start serving the member whose superblock is on a device",
		Long: `Starts serving the pool member whose superblock is on a device, for example after a reboot.
With --name or --uuid the device must belong to that pool.`,
		Args:    cobra.ExactArgs(1),
		Example: "  rmrctl pool assemble /dev/sdb\n  rmrctl pool assemble /dev/sdb --name vol1",
	}
	o.flags(cmd.Flags(), "")
	cmd.Flags().StringVar(&o.name, "name", "", "`name` the pool must have")
	cmd.Flags().StringVar(&o.uuid, "uuid", "", "`UUID` the pool must have")
	return a.verb(cmd, func(ctx context.Context, args []string) error { return o.assemble(ctx, a, args[0]) })
}

func (o *poolAssembleOptions) assemble(ctx context.Context, a *app, device string) error {
	id, err := parseUUID(o.uuid)
	if err != nil {
		return err
	}
	if o.name != "" {
		if err := checkPoolName(o.name); err != nil {
			return err
		}
	}
	if device, err = filepath.Abs(device); err != nil {
		return err
	}
	req := &rmrnl.Request{Cmd: rmrnl.CmdPoolAssemble}
	req.Add(rmrnl.PoolAttrDevice, device).
		AddString(rmrnl.PoolAttrName, o.name).
		AddUUID(rmrnl.PoolAttrUUID, id)
	if goOn, err := a.proceedRequest(o.changeOptions, req, plan{}); !goOn {
		return err
	}
	p, err := a.sendPool(ctx, req)
	if err != nil {
		return fmt.Errorf("pool assemble %s: %w", device, err)
	}
	return a.printPoolID(o.output, p)
}
