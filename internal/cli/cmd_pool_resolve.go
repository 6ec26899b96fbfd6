// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rmr-block/rmr/internal/rmrnl"
	"github.com/rmr-block/rmr/pkg/pool"
)

type poolResolveOptions struct {
	changeOptions
	discard   int
	uuid      string
	policy    string
	peer      []string
	port      uint16
	transport string
}

func (a *app) poolResolve() *cobra.Command {
	var o poolResolveOptions
	cmd := &cobra.Command{
		Use: "resolve NAME {--discard MEMBER | --policy POLICY --peer ADDR} --force", Short: "Settle a split brain: give this node's copy up",
		Long: `Gives the history of this node's member up, for ever: whatever was written to it that the other
side does not have is lost. It then joins the history of the others as a member that lacks
everything, and gets a full copy. MEMBER must be the member of this node, as a guard against the
wrong host; the pool must not be in use here. Needs --force.

Members have different histories after a forced attach ("rmrctl pool attach --force"); a client that
meets both refuses, and shows the reason split-brain. Compare "rmrctl pool show +lineage,view" on
all nodes, and give up every member of the side that is to go, witnesses too.

With --policy the facts decide which side goes. This node's member is compared with the one at ADDR,
which must be of the other side, and is given up if the policy says so; otherwise nothing is changed
and the command says that this side stays. Give the same command on every node, each with a peer of
the other side. The policies:

  discard-younger        the history that began later, by the clocks of the hosts that forced
  discard-older          the history that began earlier
  discard-fewer-changes  the side that wrote to fewer chunks since it lost the other one`,
		Args: cobra.ExactArgs(1),
		Example: `  rmrctl pool resolve vol1 --discard 1 --dry-run
  rmrctl pool resolve vol1 --discard 1 --force
  rmrctl pool resolve vol1 --policy discard-younger --peer 192.0.2.1 --dry-run`,
	}
	o.flags(cmd.Flags(), "lose what only this member has")
	cmd.Flags().IntVar(&o.discard, "discard", -1, "`member` id of this node, whose history is given up")
	cmd.Flags().StringVar(&o.uuid, "uuid", "", "`UUID` the pool must have")
	cmd.Flags().StringVar(&o.policy, "policy", "", "`policy` that chooses the side to go")
	cmd.Flags().StringSliceVar(&o.peer, "peer", nil, "`address` of a member of the other side (with --policy)")
	addPort(cmd.Flags(), &o.port, &o.transport)
	cmd.MarkFlagsOneRequired("discard", "policy")
	cmd.MarkFlagsMutuallyExclusive("discard", "policy")
	cmd.MarkFlagsRequiredTogether("policy", "peer")
	if err := cmd.RegisterFlagCompletionFunc("policy", cobra.FixedCompletions(policyNames(), cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // the flag was defined just before
	}
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
	if o.policy != "" {
		stays, err := o.compare(ctx, a, name, id)
		if err != nil || stays != "" {
			return errors.Join(err, a.sayStays(o.output, name, stays))
		}
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

// compare asks both sides for their facts. It sets the member to discard, or tells why this side stays.
func (o *poolResolveOptions) compare(ctx context.Context, a *app, name string, id *pool.UUID) (stays string, err error) {
	policy := pool.ResolvePolicy(o.policy)
	if !slices.Contains(pool.ResolvePolicies, policy) {
		return "", &usageError{fmt.Sprintf("--policy %s: want one of %s", o.policy, strings.Join(policyNames(), ", "))}
	}
	if err := checkAddrs("--peer", o.peer); err != nil {
		return "", err
	}
	found, err := a.pools(ctx, name)
	if err != nil {
		return "", fmt.Errorf("pool resolve: %w", err)
	}
	if id == nil {
		id = &found[0].UUID
	}
	req := &rmrnl.Request{Cmd: rmrnl.CmdPoolPeek}
	req.Add(rmrnl.PoolAttrName, name).AddUUID(rmrnl.PoolAttrUUID, id).AddStrings(rmrnl.PoolAttrPeer, o.peer)
	addTransport(req, rmrnl.PoolAttrPort, rmrnl.PoolAttrTransport, o.port, o.transport)
	var peer rmrnl.Pool
	err = a.kernel(func(c *rmrnl.Client) error {
		peer, err = c.DoPool(ctx, req)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("pool resolve %s: ask %s: %w", name, o.peer[0], err)
	}
	mine := pool.Side{Lineage: found[0].Lineage, OthersLack: found[0].OthersLack, Discarded: found[0].Discarded}
	theirs := pool.Side{Lineage: peer.Lineage, OthersLack: peer.OthersLack, Discarded: peer.Discarded}
	goes, err := policy.GivesUp(mine, theirs)
	if err != nil {
		return "", refuse("pool resolve %s: %v; choose with --discard on the nodes of the side to go", name, err)
	}
	o.discard = int(found[0].MemberID)
	if goes {
		return "", nil
	}
	return fmt.Sprintf("member %d stays by %s; give the same command on the nodes of the other side", o.discard, policy), nil
}

// sayStays prints that nothing was done, and why; without a reason nothing.
func (a *app) sayStays(format outputFormat, name, stays string) error {
	if stays == "" {
		return nil
	}
	return a.printDone(format, "pool", name, stays)
}

func policyNames() []string {
	names := make([]string, len(pool.ResolvePolicies))
	for i, p := range pool.ResolvePolicies {
		names[i] = string(p)
	}
	return names
}

// poolAttach is map under the noun whose members it is about.
func (a *app) poolAttach() *cobra.Command {
	cmd := a.deviceMap()
	cmd.Use = "attach NAME"
	cmd.Short = "Attach a pool on this host, as device map does"
	cmd.Example = strings.ReplaceAll(cmd.Example, "device map", "pool attach")
	return cmd
}
