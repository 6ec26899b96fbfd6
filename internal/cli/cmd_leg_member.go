// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/rmr-block/rmr/internal/rmrnl"
)

type legMemberOptions struct {
	changeOptions
	wait bool
}

func (a *app) legRemove() *cobra.Command {
	var o legMemberOptions
	cmd := &cobra.Command{
		Use: "remove POOL MEMBER", Short: "Remove a member from a pool for good",
		Long: `Removes a member from a pool, while clients go on: it is ejected, its place in the member table becomes free,
the others forget what it lacks, and its superblocks are deleted if its node is in reach. A witness is removed
in the same way. Works on a client that has the pool mapped and on any storage node that serves it; a client
carries it out, the next one to attach if there is none. Saying it again changes nothing.

The last up-to-date member is refused, and so is one without which no majority would be left. A member
whose successor is not up to date yet goes when that is ("rmrctl disk replace", "rmrctl pool join --replaces").`,
		Args:    cobra.ExactArgs(2),
		Example: "  rmrctl leg remove vol1 2 --dry-run\n  rmrctl leg remove vol1 2 --wait",
	}
	o.flags(cmd.Flags(), "")
	cmd.Flags().BoolVar(&o.wait, "wait", false, "wait until the member is gone")
	return a.verb(cmd, func(ctx context.Context, args []string) error {
		p := plan{}
		p.raise(riskDegrades, "the pool has a copy or a vote less, for good")
		return o.set(ctx, a, p, args, "leaving", func(req *rmrnl.Request, leaving, _ uint16) { req.Add(leaving, true) })
	})
}

func (a *app) legMaintenance() *cobra.Command {
	var o legMemberOptions
	cmd := &cobra.Command{
		Use: "maintenance POOL MEMBER on|off", Short: "Keep a member out of the pool while its node is worked on",
		Long: `With "on" a member is ejected, and no client takes it back, a later one neither, before "off". Then it copies
what it missed. Unlike "leg eject" this is kept in the member table. Works where "leg remove" does. The last
up-to-date member is refused, and so is one without which no majority would be left.`,
		Args:    cobra.ExactArgs(3),
		Example: "  rmrctl leg maintenance vol1 1 on\n  rmrctl leg maintenance vol1 1 off",
	}
	o.flags(cmd.Flags(), "")
	return a.verb(cmd, func(ctx context.Context, args []string) error {
		on := slices.Index([]string{"off", "on"}, args[2])
		if on < 0 {
			return &usageError{fmt.Sprintf("%q: want on or off", args[2])}
		}
		p := plan{}
		if on > 0 {
			p.raise(riskDegrades, "the pool has a leg less, which has to copy what it misses")
		}
		return o.set(ctx, a, p, args, "maintenance "+args[2], func(req *rmrnl.Request, _, maintenance uint16) { req.Add(maintenance, uint8(on)) })
	})
}

// set asks the client half of the kernel if the pool is mapped here, else the storage half.
func (o *legMemberOptions) set(ctx context.Context, a *app, p plan, args []string, done string, fill func(req *rmrnl.Request, leaving, maintenance uint16)) error {
	req, err := legRequest(rmrnl.CmdLegSet, args)
	if err != nil {
		return err
	}
	mapped, err := a.mapped(ctx, args[0])
	if err != nil {
		return err
	}
	if mapped {
		fill(req, rmrnl.LegAttrLeaving, rmrnl.LegAttrMaintenance)
	} else {
		id := req.Fields[1].Value
		req = (&rmrnl.Request{Cmd: rmrnl.CmdPoolMember}).Add(rmrnl.PoolAttrName, args[0]).Add(rmrnl.PoolAttrMemberID, id)
		fill(req, rmrnl.PoolAttrLeaving, rmrnl.PoolAttrMaintenance)
	}
	if goOn, err := a.proceedRequest(o.changeOptions, req, p); !goOn {
		return err
	}
	if err := a.kernel(func(c *rmrnl.Client) error { return c.Do(ctx, req) }); err != nil {
		return fmt.Errorf("leg %s of %s: %w", args[1], args[0], err)
	}
	if o.wait {
		if err := a.waitRemoved(ctx, args[0], args[1], mapped); err != nil {
			return fmt.Errorf("leg %s of %s: %w", args[1], args[0], err)
		}
		done = "removed"
	}
	return a.printDone(o.output, "leg", args[0]+" "+args[1], done)
}

func (a *app) mapped(ctx context.Context, name string) (found bool, err error) {
	err = a.kernel(func(c *rmrnl.Client) error {
		list, err := c.Devices(ctx)
		for _, d := range list {
			found = found || d.Name == name
		}
		return err
	})
	return found, err
}

// waitRemoved waits until the member is in no table here.
func (a *app) waitRemoved(ctx context.Context, name, id string, mapped bool) error {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		there, err := a.hasMember(ctx, name, id, mapped)
		if err != nil || !there {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait: %w; the work goes on", ctx.Err())
		case <-tick.C:
		}
	}
}

func (a *app) hasMember(ctx context.Context, name, id string, mapped bool) (bool, error) {
	if mapped {
		legs, err := a.legs(ctx, name)
		return slices.ContainsFunc(legs, func(l legView) bool { return num(uint64(l.MemberID)) == id }), err
	}
	list, err := a.pools(ctx, name)
	for _, p := range list {
		if slices.ContainsFunc(p.Members, func(m memberView) bool { return num(uint64(m.ID)) == id }) {
			return true, err
		}
	}
	return false, err
}
