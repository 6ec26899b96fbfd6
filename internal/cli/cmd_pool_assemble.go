// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/rmr-block/rmr/internal/rmrnl"
	"github.com/rmr-block/rmr/pkg/pool"
)

type poolAssembleOptions struct {
	changeOptions
	name      string
	uuid      string
	mdDevice  string
	storeSize string
}

func (a *app) poolAssemble() *cobra.Command {
	var o poolAssembleOptions
	cmd := &cobra.Command{
		Use: "assemble DEVICE", Short: "Start serving the member whose superblock is on a device",
		Long: `Starts serving the pool member whose superblock is on a device, for example after a reboot.
With --name or --uuid the device must belong to that pool.

A store with its metadata on a device of its own needs both: the one with the data, and
--metadata-device. If the data device has no room to note whose data it is, it is recognised by its
size alone: take care to give the right one.

--store-size is for a device that has grown since: its superblock is not at the end any more, and
"rmrctl disk find" tells where it is.`,
		Args:    cobra.ExactArgs(1),
		Example: "  rmrctl pool assemble /dev/sdb\n  rmrctl pool assemble /dev/sdb --name vol1",
	}
	o.flags(cmd.Flags(), "")
	cmd.Flags().StringVar(&o.name, "name", "", "`name` the pool must have")
	cmd.Flags().StringVar(&o.uuid, "uuid", "", "`UUID` the pool must have")
	cmd.Flags().StringVar(&o.mdDevice, "metadata-device", "", "`device` with the metadata, if it is not the one with the data")
	cmd.Flags().StringVar(&o.storeSize, "store-size", "", "`size` of the device when it was a store last (default: its size now)")
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
	req.Add(rmrnl.PoolAttrDevice, device)
	if err := o.addDevices(req); err != nil {
		return err
	}
	req.AddString(rmrnl.PoolAttrName, o.name).
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

// addDevices adds what only some stores need.
func (o *poolAssembleOptions) addDevices(req *rmrnl.Request) error {
	if o.mdDevice != "" {
		path, err := filepath.Abs(o.mdDevice)
		if err != nil {
			return err
		}
		req.Add(rmrnl.PoolAttrMetadataDevice, path)
	}
	if o.storeSize == "" {
		return nil
	}
	size, err := parseSize(o.storeSize)
	if err != nil {
		return &usageError{"--store-" + err.Error()}
	}
	if size%pool.MDBlock != 0 {
		return &usageError{fmt.Sprintf("--store-size %q: want a multiple of 4K", o.storeSize)}
	}
	req.Add(rmrnl.PoolAttrStoreSize, size)
	return nil
}
