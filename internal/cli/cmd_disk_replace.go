// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/rmr-block/rmr/internal/rmrnl"
	"github.com/rmr-block/rmr/pkg/pool"
)

type diskReplaceOptions struct {
	storeOptions
	leg       int
	peer      []string
	port      uint16
	transport string
	wait      bool
}

func (a *app) diskReplace() *cobra.Command {
	var o diskReplaceOptions
	cmd := &cobra.Command{
		Use: "replace POOL --leg MEMBER --device DEVICE", Short: "Exchange the disk of a member of this node",
		Long: `Gives a member of this node another disk, while clients go on.

A member whose disk is dead, or was stopped, gets the new disk in its own place: it keeps its number, lacks
everything and copies all data from the others. If the pool is not served here any more, --peer names a node
that still serves it; the old disk is refused from then on wherever it comes back.

A member that works stays until the new disk is up to date, so that the pool never has a copy less: the new disk
becomes a further member with a number of its own, which is printed, takes the place of the old one, and the old one
is removed from the pool and its superblocks are deleted. This needs a free number: at most 8 members.

Blocks of the new disk that are equal to those of the pool are not copied. What else it carries is lost.

The new disk itself says whom it replaces, so an interruption costs nothing: it goes on once the disk is served again,
by rmr-storaged or by this command, which may be given again at any time.`,
		Args: cobra.ExactArgs(1),
		Example: `  rmrctl disk replace vol1 --leg 1 --device /dev/sdc
  rmrctl disk replace vol1 --leg 1 --device /dev/sdc --wait
  rmrctl disk replace vol1 --leg 1 --device /dev/sdc --peer 192.0.2.1`,
	}
	o.storeOptions.flags(cmd)
	fs := cmd.Flags()
	if err := fs.MarkHidden("assume-zeroed"); err != nil {
		panic(err) // the flag was defined just before
	}
	fs.IntVar(&o.leg, "leg", -1, "`id` of the member whose disk is exchanged")
	fs.StringSliceVar(&o.peer, "peer", nil, "`addresses` of other members, if this node serves the pool no more")
	fs.BoolVar(&o.wait, "wait", false, "wait until the new disk is up to date, and show how far it is")
	addPort(fs, &o.port, &o.transport)
	mustRequire(cmd, "leg")
	mustRequire(cmd, "device")
	return a.verb(cmd, func(ctx context.Context, args []string) error {
		if err := o.prepare(a, "disk replace", args[0]); err != nil {
			return err
		}
		return o.replace(ctx, a)
	})
}

func (o *diskReplaceOptions) replace(ctx context.Context, a *app) error {
	if err := checkAddrs("--peer", o.peer); err != nil {
		return err
	}
	if o.leg < 0 || o.leg >= pool.MaxMembers {
		return &usageError{fmt.Sprintf("--leg %d: must be a number from 0 to %d", o.leg, pool.MaxMembers-1)}
	}
	if o.mdDevice != "" || o.onError != "" {
		return &usageError{"--metadata-device and --on-error are not for an exchange on the same node: the new store has one device, and `rmrctl disk policy` sets the policy"}
	}
	req := &rmrnl.Request{Cmd: rmrnl.CmdPoolReplace}
	req.Add(rmrnl.PoolAttrName, o.name).Add(rmrnl.PoolAttrLeg, uint8(o.leg)).AddStrings(rmrnl.PoolAttrPeer, o.peer)
	addTransport(req, rmrnl.PoolAttrPort, rmrnl.PoolAttrTransport, o.port, o.transport)
	if err := o.addBlank(a, req); err != nil {
		return err
	}
	if done, err := o.again(ctx, a, o.leg, o.wait); done || err != nil {
		return err
	}
	var p plan
	p.raise(riskFullSync, "all data is compared with the other members and copied where it differs")
	disk, err := o.openStore(a, pool.PoolSizeMin+pool.MDTail+pool.MapLen(1), &p)
	if err != nil {
		return err
	}
	if err := disk.Close(); err != nil {
		return fmt.Errorf("%s: close %s: %w", o.verbAndObject, o.device, err)
	}
	p.Request = req.String()
	if goOn, err := a.proceed(o.changeOptions, p); !goOn {
		return err
	}
	made, err := a.sendPool(ctx, req)
	if err != nil {
		return fmt.Errorf("%s: %w", o.verbAndObject, err)
	}
	if err := a.printPoolID(o.output, made); err != nil || !o.wait {
		return err
	}
	return o.waitPlaced(ctx, a, made, o.leg)
}
