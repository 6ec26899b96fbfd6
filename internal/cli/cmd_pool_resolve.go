// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rmr-block/rmr/internal/rmrnl"
	"github.com/rmr-block/rmr/pkg/pool"
)

type poolResolveOptions struct {
	changeOptions
	discard int
	uuid    string
}

func (a *app) poolResolve() *cobra.Command {
	var o poolResolveOptions
	cmd := &cobra.Command{
		Use: "resolve NAME --discard MEMBER --force", Short: "Settle a split brain: give this node's copy up",
		Long: `Gives the history of this node's member up, for ever: whatever was written to it that the other
side does not have is lost. It then joins the history of the others as a member that lacks
everything, and gets a full copy. MEMBER must be the member of this node, as a guard against the
wrong host; the pool must not be in use here. Needs --force.

Members have different histories after a forced attach ("rmrctl pool attach --force"); a client that
meets both refuses, and shows the reason split-brain. Compare "rmrctl pool show +lineage,view" on
all nodes, and give up every member of the side that is to go, witnesses too.`,
		Args:    cobra.ExactArgs(1),
		Example: "  rmrctl pool resolve vol1 --discard 1 --dry-run\n  rmrctl pool resolve vol1 --discard 1 --force",
	}
	o.flags(cmd.Flags(), "lose what only this member has")
	cmd.Flags().IntVar(&o.discard, "discard", -1, "`member` id of this node, whose history is given up")
	cmd.Flags().StringVar(&o.uuid, "uuid", "", "`UUID` the pool must have")
	mustRequire(cmd, "discard")
	return a.verb(cmd, func(ctx context.Context, args []string) error { return o.resolve(ctx, a, args[0]) })
}

func (o *poolResolveOptions) resolve(ctx context.Context, a *app, name string) error {
	if err := checkPoolName(name); err != nil {
		return err
	}
	id, err := parseUUID(o.uuid)
	if err != nil {
		return err
	}
	if o.discard < 0 || o.discard >= pool.MaxMembers {
		return &usageError{fmt.Sprintf("--discard %d: must be a number from 0 to %d", o.discard, pool.MaxMembers-1)}
	}
	req := &rmrnl.Request{Cmd: rmrnl.CmdPoolResolve}
	req.Add(rmrnl.PoolAttrName, name).AddUUID(rmrnl.PoolAttrUUID, id).Add(rmrnl.PoolAttrMemberID, uint8(o.discard))
	found, err := a.pools(ctx, name)
	if err != nil {
		return fmt.Errorf("pool resolve: %w", err)
	}
	var p plan
	p.raise(riskFullSync, "member %d gets a full copy when it joins", o.discard)
	p.raise(riskLoseData, "what only member %d on %s has is lost", o.discard, found[0].Device)
	if goOn, err := a.proceedRequest(o.changeOptions, req, p); !goOn {
		return err
	}
	if err := a.kernel(func(c *rmrnl.Client) error { return c.Do(ctx, req) }); err != nil {
		return fmt.Errorf("pool resolve %s: %w", name, err)
	}
	return a.printDone(o.output, "pool", name, fmt.Sprintf("member %d discarded", o.discard))
}

// poolAttach is map under the noun whose members it is about.
func (a *app) poolAttach() *cobra.Command {
	cmd := a.deviceMap()
	cmd.Use = "attach NAME"
	cmd.Short = "Attach a pool on this host, as device map does"
	cmd.Example = strings.ReplaceAll(cmd.Example, "device map", "pool attach")
	return cmd
}
