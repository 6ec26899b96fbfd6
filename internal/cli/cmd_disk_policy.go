// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/rmr-block/rmr/internal/rmrnl"
	"github.com/rmr-block/rmr/pkg/pool"
)

// onErrorNames are the policies by number.
var onErrorNames = []string{rmrnl.OnErrorRepair.String(), rmrnl.OnErrorDetach.String(), rmrnl.OnErrorPassOn.String()}

// addOnError adds a policy; "" leaves it out.
func addOnError(req *rmrnl.Request, name string) error {
	if name == "" {
		return nil
	}
	policy := slices.Index(onErrorNames, name)
	if policy < 0 {
		return &usageError{fmt.Sprintf("--on-error %q: want repair, detach or pass-on", name)}
	}
	req.Add(rmrnl.PoolAttrOnError, uint8(policy))
	return nil
}

type diskChangeOptions struct {
	changeOptions
	leg     int
	onError string
}

func (o *diskChangeOptions) request(name string) (*rmrnl.Request, error) {
	if err := checkPoolName(name); err != nil {
		return nil, err
	}
	req := (&rmrnl.Request{Cmd: rmrnl.CmdPoolDisk}).Add(rmrnl.PoolAttrName, name)
	if o.leg >= pool.MaxMembers || o.leg < -1 {
		return nil, &usageError{fmt.Sprintf("--leg %d: must be a number from 0 to %d", o.leg, pool.MaxMembers-1)}
	}
	if o.leg >= 0 {
		req.Add(rmrnl.PoolAttrMemberID, uint8(o.leg))
	}
	return req, nil
}

func (o *diskChangeOptions) change(ctx context.Context, a *app, req *rmrnl.Request, p plan, name, done string) error {
	if goOn, err := a.proceedRequest(o.changeOptions, req, p); !goOn {
		return err
	}
	if err := a.kernel(func(c *rmrnl.Client) error { return c.Do(ctx, req) }); err != nil {
		return fmt.Errorf("disk of %s: %w", name, err)
	}
	return a.printDone(o.output, "pool", name, done)
}

func (a *app) diskPolicy() *cobra.Command {
	var o diskChangeOptions
	cmd := &cobra.Command{
		Use: "policy POOL --on-error repair|detach|pass-on", Short: "Set what this node's member does about errors of its disk",
		Long: `Sets what this node's member of a pool does about errors of its disk; kept in its superblock.

repair (default): a write that the disk fails is tried once more, in blocks; then the member lacks it and copies
it later. What could not be read is read elsewhere and written back.
detach: the same, but when 8 places of the disk (64 KiB each) failed within 10 minutes the member leaves: it
serves nobody until "rmrctl disk return". The last up-to-date member never leaves.
pass-on: every error goes to the client at once. Nothing is tried again, written back or counted; reads are
still served by another leg that has the data.`,
		Args:    cobra.ExactArgs(1),
		Example: "  rmrctl disk policy vol1 --on-error detach\n  rmrctl pool show vol1 +on-error,failed-places,left",
	}
	o.flags(cmd.Flags(), "")
	cmd.Flags().StringVar(&o.onError, "on-error", "", "`policy`: repair, detach or pass-on")
	addLeg(cmd.Flags(), &o.leg)
	mustRequire(cmd, "on-error")
	return a.verb(cmd, func(ctx context.Context, args []string) error {
		req, err := o.request(args[0])
		if err == nil {
			err = addOnError(req, o.onError)
		}
		if err != nil {
			return err
		}
		return o.change(ctx, a, req, plan{}, args[0], o.onError)
	})
}

func (a *app) diskReturn() *cobra.Command {
	var o diskChangeOptions
	cmd := &cobra.Command{
		Use: "return POOL", Short: "Let a member return that left because its disk failed",
		Long: `Lets this node's member return that left by its policy, and forgets the errors of its disk. The client
takes it back by itself; it copies what it missed before it is read.`,
		Args:    cobra.ExactArgs(1),
		Example: "  rmrctl disk return vol1",
	}
	o.flags(cmd.Flags(), "")
	addLeg(cmd.Flags(), &o.leg)
	return a.verb(cmd, func(ctx context.Context, args []string) error {
		req, err := o.request(args[0])
		if err != nil {
			return err
		}
		return o.change(ctx, a, req.Add(rmrnl.PoolAttrDiskReturn, true), plan{}, args[0], "returning")
	})
}
