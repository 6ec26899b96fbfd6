// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/rmr-block/rmr/internal/rmrnl"
)

type poolStopOptions struct {
	changeOptions
	uuid string
	leg  int
}

func (a *app) poolStop() *cobra.Command {
	var o poolStopOptions
	cmd := &cobra.Command{
		Use: "stop NAME", Short: "Stop serving a pool on this node",
		Long: `Stops serving a pool on this node. Its data and superblocks stay; "rmrctl pool assemble" starts
it again. With --force a pool that a client uses is stopped too: the client loses this leg.`,
		Args:    cobra.ExactArgs(1),
		Example: "  rmrctl pool stop vol1\n  rmrctl pool stop vol1 --force",
	}
	o.flags(cmd.Flags(), "stop it although a client uses it")
	cmd.Flags().StringVar(&o.uuid, "uuid", "", "`UUID` the pool must have")
	addLeg(cmd.Flags(), &o.leg)
	return a.verb(cmd, func(ctx context.Context, args []string) error { return o.stop(ctx, a, args[0], false) })
}

func (a *app) poolDelete() *cobra.Command {
	var o poolStopOptions
	cmd := &cobra.Command{
		Use: "delete NAME --force", Short: "Stop a pool and delete its superblocks on this node",
		Long: `Stops serving a pool on this node and overwrites this member's superblocks: the data of this
member is lost. The other members are not told and keep their data. Needs --force.`,
		Args:    cobra.ExactArgs(1),
		Example: "  rmrctl pool delete vol1 --dry-run\n  rmrctl pool delete vol1 --force",
	}
	o.flags(cmd.Flags(), "lose this member's data, also when a client uses it")
	cmd.Flags().StringVar(&o.uuid, "uuid", "", "`UUID` the pool must have")
	addLeg(cmd.Flags(), &o.leg)
	return a.verb(cmd, func(ctx context.Context, args []string) error { return o.stop(ctx, a, args[0], true) })
}

// stop serves both verbs: deletion is a stop that wipes.
func (o *poolStopOptions) stop(ctx context.Context, a *app, name string, wipe bool) error {
	verb := "stop"
	if wipe {
		verb = "delete"
	}
	if err := checkPoolName(name); err != nil {
		return err
	}
	id, err := parseUUID(o.uuid)
	if err != nil {
		return err
	}
	req := &rmrnl.Request{Cmd: rmrnl.CmdPoolStop}
	req.Add(rmrnl.PoolAttrName, name).
		AddUUID(rmrnl.PoolAttrUUID, id).
		Add(rmrnl.PoolAttrWipe, wipe).
		Add(rmrnl.PoolAttrForce, o.force)
	found, err := a.member(ctx, name, o.leg)
	if err != nil {
		return fmt.Errorf("pool %s: %w", verb, err)
	}
	if o.leg >= 0 {
		req.Add(rmrnl.PoolAttrLeg, found.MemberID)
	}
	var p plan
	if wipe {
		p.raise(riskLoseData, "the data of member %d on %s is lost", found.MemberID, found.Device)
	}
	if client := found.Client; client != "" {
		p.raise(riskDegrades, "client %s loses this leg", client)
	}
	if goOn, err := a.proceedRequest(o.changeOptions, req, p); !goOn {
		return err
	}
	err = a.kernel(func(c *rmrnl.Client) error { return c.Do(ctx, req) })
	if err != nil {
		return fmt.Errorf("pool %s %s: %w", verb, name, err)
	}
	done := map[bool]string{false: "stopped", true: "deleted"}[wipe]
	return a.printDone(o.output, "pool", name, done)
}
