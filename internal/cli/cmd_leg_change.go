// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/rmr-block/rmr/internal/rmrnl"
	"github.com/rmr-block/rmr/pkg/pool"
)

type legChangeOptions struct{ changeOptions }

func (a *app) legEject() *cobra.Command {
	var o legChangeOptions
	cmd := &cobra.Command{
		Use: "eject POOL MEMBER", Short: "Take a leg out of a mapped pool",
		Long: `Takes a leg out of a mapped pool until "leg return": it gets no I/O and does not come back by
itself. The other legs note what it misses. The last up-to-date leg is refused without --force; I/O
then waits.`,
		Args:    cobra.ExactArgs(2),
		Example: "  rmrctl leg eject vol1 1\n  rmrctl leg eject vol1 1 --dry-run",
	}
	o.flags(cmd.Flags(), "eject even the last up-to-date leg; I/O then waits")
	return a.verb(cmd, func(ctx context.Context, args []string) error {
		req, err := legRequest(rmrnl.CmdLegEject, args)
		if err != nil {
			return err
		}
		req.Add(rmrnl.LegAttrForce, o.force)
		p := plan{}
		p.raise(riskDegrades, "the pool has a leg less, which has to copy what it misses")
		return o.change(ctx, a, req, p, args, "ejected")
	})
}

func (a *app) legReturn() *cobra.Command {
	var o legChangeOptions
	cmd := &cobra.Command{
		Use: "return POOL MEMBER", Short: "Let an ejected leg return",
		Long: `Lets a leg return that was ejected by command, and makes the next attempt to connect any leg that
is not there without delay. It copies what it missed from the other members before it is read.`,
		Args:    cobra.ExactArgs(2),
		Example: "  rmrctl leg return vol1 1",
	}
	o.flags(cmd.Flags(), "")
	return a.verb(cmd, func(ctx context.Context, args []string) error {
		req, err := legRequest(rmrnl.CmdLegReturn, args)
		if err != nil {
			return err
		}
		return o.change(ctx, a, req, plan{}, args, "returning")
	})
}

func legRequest(cmd uint8, args []string) (*rmrnl.Request, error) {
	if err := checkPoolName(args[0]); err != nil {
		return nil, err
	}
	id, err := strconv.ParseUint(args[1], 10, 8)
	if err != nil || id >= pool.MaxMembers {
		return nil, &usageError{fmt.Sprintf("member %q: must be a number from 0 to %d", args[1], pool.MaxMembers-1)}
	}
	req := &rmrnl.Request{Cmd: cmd}
	req.Add(rmrnl.LegAttrPoolName, args[0]).Add(rmrnl.LegAttrMemberID, uint8(id))
	return req, nil
}

func (o *legChangeOptions) change(ctx context.Context, a *app, req *rmrnl.Request, p plan, args []string, done string) error {
	if goOn, err := a.proceedRequest(o.changeOptions, req, p); !goOn {
		return err
	}
	if err := a.kernel(func(c *rmrnl.Client) error { return c.Do(ctx, req) }); err != nil {
		return fmt.Errorf("leg %s of %s: %w", args[1], args[0], err)
	}
	return a.printDone(o.output, "leg", args[0]+" "+args[1], done)
}
