// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/rmr-block/rmr/internal/rmrnl"
)

// resyncRow is the resync of one member as a row of its own.
type resyncRow struct {
	Pool     string `json:"pool"`
	MemberID uint8  `json:"member_id"`
	resyncView
}

// done is the part of the lacking chunks that is there again, in percent.
func (r resyncRow) done() string {
	if r.Total == 0 {
		return "-"
	}
	return fmt.Sprintf("%d%%", 100*(r.Total-min(r.Left, r.Total))/r.Total)
}

// pace is what sets the rate, with the figures that it is set by.
func (r resyncRow) pace() string {
	switch r.Pace {
	case rmrnl.ResyncPaceLatency, rmrnl.ResyncPaceFloor:
		return fmt.Sprintf("%s(%s>%s)", r.Pace, milli(r.Latency), milli(r.Target))
	case rmrnl.ResyncPaceRising:
		return fmt.Sprintf("%s(%s<=%s)", r.Pace, milli(r.Latency), milli(r.Target))
	}
	return r.Pace.String()
}

// bound prints a rate whose 0 means none.
func bound(rate uint64) string {
	if rate == 0 {
		return "none"
	}
	return size(rate) + "/s"
}

var resyncColumns = []column[resyncRow]{
	{"pool", true, false, func(r resyncRow) string { return r.Pool }},
	{"member", true, true, func(r resyncRow) string { return num(uint64(r.MemberID)) }},
	{"state", true, false, func(r resyncRow) string { return r.State.String() }},
	{"reason", true, false, func(r resyncRow) string { return r.Reason.String() }},
	{"done", true, true, func(r resyncRow) string { return r.done() }},
	{"left", true, true, func(r resyncRow) string { return num(r.Left) }},
	{"total", false, true, func(r resyncRow) string { return num(r.Total) }},
	{"copied", true, true, func(r resyncRow) string { return size(r.Copied) }},
	{"rate", true, true, func(r resyncRow) string { return size(r.Rate) + "/s" }},
	{"allowed", false, true, func(r resyncRow) string { return bound(r.Allowed) }},
	{"pace", true, false, resyncRow.pace},
	{"floor", false, true, func(r resyncRow) string { return size(r.Floor) + "/s" }},
	{"target", false, true, func(r resyncRow) string { return milli(r.Target) }},
	{"latency", false, true, func(r resyncRow) string { return milli(r.Latency) }},
	{"digest", false, false, func(r resyncRow) string { return onOff(r.Digest) }},
	{"equal", false, true, func(r resyncRow) string { return size(r.Equal) }},
	{"limit", true, true, func(r resyncRow) string { return bound(r.Limit) }},
	{"eta", true, true, func(r resyncRow) string { return num(r.ETA) + "s" }},
	{"failures", false, true, func(r resyncRow) string { return num(r.Failures) }},
}

func (a *app) resyncShow() *cobra.Command {
	var o showOptions
	cmd := &cobra.Command{
		Use: "show [POOL] [+FIELD|-FIELD]...", Short: "Show what the members on this node copy from their peers",
		Long: `Shows for each member on this storage node how far it has copied what it missed: chunks left,
bytes copied, the present rate, what sets it, and the time left. A member that lacks nothing is not
degraded.

What sets the rate (pace): idle, no application I/O here and no limit; rising, application I/O is within
its target latency; latency, it takes longer and the rate falls; floor, it takes longer and the rate falls
no further; ceiling, the limit; share, the copies rest part of the time for applications; source, more is allowed than the
copies reach; paused.`,
		Args: cobra.MaximumNArgs(1),
		Example: `  rmrctl resync show
  rmrctl resync show vol1 --watch +failures`,
	}
	showFlags(cmd, &o, resyncColumns)
	return a.verb(cmd, func(ctx context.Context, args []string) error {
		lacks := func(r resyncRow) bool {
			return r.State != rmrnl.ResyncStateNone && r.State != rmrnl.ResyncStateDone
		}
		return show(ctx, a, &o, resyncColumns, lacks, func(ctx context.Context) ([]resyncRow, error) {
			list, err := a.pools(ctx, first(args))
			rows := make([]resyncRow, 0, len(list))
			for _, p := range list {
				rows = append(rows, resyncRow{p.Name, p.MemberID, p.Resync})
			}
			return rows, err
		})
	})
}

type resyncOptions struct {
	changeOptions
	leg int
}

// resyncChange makes a verb that changes the resync of one pool's member here.
func (a *app) resyncChange(cmd *cobra.Command, done string, fill func(*rmrnl.Request, *plan, []string) error) *cobra.Command {
	var o resyncOptions
	o.flags(cmd.Flags(), "")
	addLeg(cmd.Flags(), &o.leg)
	return a.verb(cmd, func(ctx context.Context, args []string) error {
		if err := checkPoolName(args[0]); err != nil {
			return err
		}
		if err := checkLeg(o.leg); err != nil {
			return err
		}
		req, p := &rmrnl.Request{Cmd: rmrnl.CmdPoolResync}, plan{}
		if err := fill(req.Add(rmrnl.PoolAttrName, args[0]), &p, args); err != nil {
			return err
		}
		if o.leg >= 0 {
			req.Add(rmrnl.PoolAttrLeg, uint8(o.leg))
		}
		if goOn, err := a.proceedRequest(o.changeOptions, req, p); !goOn {
			return err
		}
		if err := a.kernel(func(c *rmrnl.Client) error { return c.Do(ctx, req) }); err != nil {
			return fmt.Errorf("resync of %s: %w", args[0], err)
		}
		return a.printDone(o.output, "resync", args[0], done)
	})
}

func (a *app) resyncPause() *cobra.Command {
	cmd := &cobra.Command{
		Use: "pause POOL", Short: "Pause the resync of this node's member",
		Long: `Pauses the copying in the background, until "resync resume" or the node's restart. The pool stays
degraded meanwhile. I/O and what it asks for go on.`,
		Args:    cobra.ExactArgs(1),
		Example: "  rmrctl resync pause vol1",
	}
	return a.resyncChange(cmd, "paused", func(req *rmrnl.Request, p *plan, _ []string) error {
		p.raise(riskDegrades, "the member stays without what it missed until resync goes on")
		req.Add(rmrnl.PoolAttrResyncPause, uint8(1))
		return nil
	})
}

func (a *app) resyncResume() *cobra.Command {
	cmd := &cobra.Command{
		Use: "resume POOL", Short: "Let a paused resync go on",
		Long: "Lets the resync of this node's member go on that was paused.",
		Args: cobra.ExactArgs(1), Example: "  rmrctl resync resume vol1",
	}
	return a.resyncChange(cmd, "resumed", func(req *rmrnl.Request, _ *plan, _ []string) error {
		req.Add(rmrnl.PoolAttrResyncPause, uint8(0))
		return nil
	})
}

func (a *app) resyncDigest() *cobra.Command {
	cmd := &cobra.Command{
		Use: "digest POOL on|off", Short: "Compare blocks before they are copied",
		Long: `With "on", this node's member asks for digests of the blocks of a chunk that it lacks and copies only
those that differ from its own, until the node's restart: less over the network and fewer writes, but both sides
read. It helps after a restart, when much is noted and little differs. Blocks that a survivor knows to have been
written are copied as they are. The parameter resync_digest of rmr_server is the default of pools.`,
		Args:    cobra.ExactArgs(2),
		Example: "  rmrctl resync digest vol1 on\n  rmrctl resync show vol1 +digest,equal",
	}
	return a.resyncChange(cmd, "set", func(req *rmrnl.Request, _ *plan, args []string) error {
		if args[1] != "on" && args[1] != "off" {
			return &usageError{fmt.Sprintf("%q: want on or off", args[1])}
		}
		on := uint8(0)
		if args[1] == "on" {
			on = 1
		}
		req.Add(rmrnl.PoolAttrResyncDigest, on)
		return nil
	})
}

// Bounds of a target latency, as the kernel checks them.
const minTarget, maxTarget = 100 * time.Microsecond, 10 * time.Second

func onOff(b bool) string {
	if b {
		return "on"
	}
	return "off"
}

func (a *app) resyncLimit() *cobra.Command {
	var floor string
	var target time.Duration
	cmd := &cobra.Command{
		Use: "limit POOL [SIZE|none]", Short: "Bound the rate of a resync",
		Long: `Bounds the rate at which this node's member copies what it missed, in bytes a second, until the
node's restart. SIZE is the ceiling, "none" takes it away. Between --floor and the ceiling the rate follows
the latency of application I/O on this node and on the copied member: it falls while that is above
--latency. What is not given stays as it is; "resync show +floor +target" shows it.`,
		Args: cobra.RangeArgs(1, 2),
		Example: `  rmrctl resync limit vol1 50M
  rmrctl resync limit vol1 none --floor 8M --latency 5ms`,
	}
	cmd.Flags().StringVar(&floor, "floor", "", "least rate, `size` a second, however long application I/O takes")
	cmd.Flags().DurationVar(&target, "latency", 0, "`time` of application I/O that resync keeps to, 100us to 10s")
	return a.resyncChange(cmd, "limited", func(req *rmrnl.Request, _ *plan, args []string) error {
		if len(args) == 1 && floor == "" && !cmd.Flags().Changed("latency") {
			return &usageError{`nothing to limit: give a size a second, "none", --floor or --latency`}
		}
		if len(args) == 2 {
			if err := addRate(req, rmrnl.PoolAttrResyncLimit, args[1]); err != nil {
				return err
			}
		}
		if floor != "" {
			n, err := parseSize(floor)
			if err != nil {
				return &usageError{"--floor: " + err.Error() + " a second"}
			}
			req.Add(rmrnl.PoolAttrResyncFloor, n)
		}
		if cmd.Flags().Changed("latency") {
			if target < minTarget || target > maxTarget {
				return &usageError{fmt.Sprintf("--latency %v: want %v to %v", target, minTarget, maxTarget)}
			}
			req.Add(rmrnl.PoolAttrResyncTargetNS, uint64(target))
		}
		return nil
	})
}

// addRate adds a rate in bytes a second, or 0 for "none".
func addRate(req *rmrnl.Request, attr uint16, text string) error {
	rate := uint64(0)
	if text != "none" {
		n, err := parseSize(text)
		if err != nil {
			return &usageError{err.Error() + ` a second, or "none"`}
		}
		rate = n
	}
	req.Add(attr, rate)
	return nil
}
