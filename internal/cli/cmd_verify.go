// SPDX-License-Identifier: Apache-2.0

// Verify: compare the members of a pool while it is used.

package cli

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/rmr-block/rmr/internal/rmrnl"
	"github.com/rmr-block/rmr/pkg/pool"
)

// fromMost stands for "the copy that more than half of the members have", as in the specification.
const fromMost = 8

// verifyView is what a member says about comparing its chunks; bytes in done and total, blocks of 4 KiB
// in differences, chunks in busy and repaired, seconds since 1970 in verified.
type verifyView struct {
	State       rmrnl.VerifyState `json:"state"`
	Legs        rmrnl.Mask        `json:"legs"`
	Skipped     rmrnl.Mask        `json:"skipped"` // were not up to date at all times
	Done        uint64            `json:"done"`
	Total       uint64            `json:"total"`
	Rate        uint64            `json:"rate"`
	Limit       uint64            `json:"limit"`
	ETA         uint64            `json:"eta_seconds"`
	Differences uint64            `json:"differences"`
	Busy        uint64            `json:"busy"`
	Failures    uint64            `json:"failures"`
	Repaired    uint64            `json:"repaired"`
	Verified    uint64            `json:"verified"` // end of the last complete one, 0: never
	Age         uint64            `json:"age_seconds"`
	Before      uint64            `json:"verified_differences"`
}

func viewVerify(p rmrnl.Pool, now time.Time) verifyView {
	v := verifyView{
		State: p.VerifyState, Legs: p.VerifyLegs, Skipped: p.VerifySkipped, Done: p.VerifyDone, Total: p.VerifyTotal,
		Rate: p.VerifyRate, Limit: p.VerifyLimit, ETA: (p.VerifyEtaMs + 999) / 1000, Differences: p.VerifyDifferences,
		Busy: p.VerifyBusy, Failures: p.VerifyFailures, Repaired: p.VerifyRepaired, Verified: p.Verified,
		Before: p.VerifiedDifferences,
	}
	if p.Verified > 0 {
		v.Age = uint64(max(now.Unix()-int64(p.Verified), 0))
	}
	return v
}

// age of the last complete verify, for people.
func (v verifyView) age() string {
	if v.Verified == 0 {
		return "never"
	}
	return (time.Duration(v.Age) * time.Second).String()
}

func (v verifyView) active() bool {
	return v.State == rmrnl.VerifyStateRunning || v.State == rmrnl.VerifyStateWaiting
}

// percent of the chunks that were compared.
func (v verifyView) percent() string {
	if v.Total == 0 {
		return "-"
	}
	return fmt.Sprintf("%d%%", 100*min(v.Done, v.Total)/v.Total)
}

// differenceView is a range whose bytes differ from those of members; bytes.
type differenceView struct {
	Offset  uint64     `json:"offset"`
	Length  uint64     `json:"length"`
	Members rmrnl.Mask `json:"members"`
}

// verifyRow is the verify of one member as a row of its own.
type verifyRow struct {
	Pool     string `json:"pool"`
	MemberID uint8  `json:"member_id"`
	verifyView
	// Ranges are some of the differences; the kernel keeps a bounded list.
	Ranges []differenceView `json:"ranges"`
}

func (r verifyRow) ranges() string {
	text := ""
	for _, d := range r.Ranges {
		text += fmt.Sprintf("%d+%d(%s) ", d.Offset, d.Length, d.Members)
	}
	if text == "" {
		return "-"
	}
	return text[:len(text)-1]
}

var verifyColumns = []column[verifyRow]{
	{"pool", true, false, func(r verifyRow) string { return r.Pool }},
	{"member", true, true, func(r verifyRow) string { return num(uint64(r.MemberID)) }},
	{"state", true, false, func(r verifyRow) string { return r.State.String() }},
	{"done", true, true, func(r verifyRow) string { return r.percent() }},
	{"rate", true, true, func(r verifyRow) string { return size(r.Rate) + "/s" }},
	{"eta", true, true, func(r verifyRow) string { return num(r.ETA) + "s" }},
	{"differences", true, true, func(r verifyRow) string { return num(r.Differences) }},
	{"busy", true, true, func(r verifyRow) string { return num(r.Busy) }},
	{"age", true, true, func(r verifyRow) string { return r.age() }},
	{"ranges", true, false, verifyRow.ranges},
	{"legs", false, false, func(r verifyRow) string { return r.Legs.String() }},
	{"skipped", false, false, func(r verifyRow) string { return r.Skipped.String() }},
	{"limit", false, true, func(r verifyRow) string { return bound(r.Limit) }},
	{"repaired", false, true, func(r verifyRow) string { return num(r.Repaired) }},
	{"failures", false, true, func(r verifyRow) string { return num(r.Failures) }},
	{"before", false, true, func(r verifyRow) string { return num(r.Before) }},
}

// verifies asks for the rows of one pool, or of all.
func (a *app) verifies(ctx context.Context, name string) ([]verifyRow, error) {
	if name != "" {
		if err := checkPoolName(name); err != nil {
			return nil, err
		}
	}
	rows := []verifyRow{}
	err := a.kernel(func(c *rmrnl.Client) error {
		pools, err := c.Pools(ctx)
		if err != nil {
			return err
		}
		differences, err := c.Differences(ctx)
		if err != nil {
			return err
		}
		for _, p := range pools {
			if name == "" || p.Name == name {
				rows = append(rows, viewVerifyRow(p, differences, a.Now()))
			}
		}
		return nil
	})
	if err == nil && name != "" && len(rows) == 0 {
		err = fmt.Errorf("no pool %s on this node", name)
	}
	return rows, err
}

func viewVerifyRow(p rmrnl.Pool, differences []rmrnl.Difference, now time.Time) verifyRow {
	r := verifyRow{Pool: p.Name, MemberID: p.MemberID, verifyView: viewVerify(p, now), Ranges: []differenceView{}}
	for _, d := range differences {
		if d.PoolName == p.Name && d.MemberID == p.MemberID {
			r.Ranges = append(r.Ranges, differenceView{d.Offset, d.Length, d.Members})
		}
	}
	slices.SortFunc(r.Ranges, func(a, b differenceView) int { return int(int64(a.Offset) - int64(b.Offset)) })
	return r
}

func (a *app) verifyShow() *cobra.Command {
	var o showOptions
	cmd := &cobra.Command{
		Use: "show [POOL] [+FIELD|-FIELD]...", Short: "Show how far members were compared, and what differs",
		Long: `Shows for each member on this storage node what the last verify found, and how far one is that runs: blocks
of 4 KiB that differ from other members (differences), some of the ranges as OFFSET+LENGTH(MEMBERS), chunks that
were written all the time or could not be read and so were not compared (busy), and how long ago this member was
last compared completely, with all others (age). Exit code 3 if there are differences.`,
		Args: cobra.MaximumNArgs(1),
		Example: `  rmrctl verify show
  rmrctl verify show vol1 -o json | jq '.[].ranges'`,
	}
	showFlags(cmd, &o, verifyColumns)
	return a.verb(cmd, func(ctx context.Context, args []string) error {
		differs := func(r verifyRow) bool { return r.Differences > 0 }
		return show(ctx, a, &o, verifyColumns, differs, func(ctx context.Context) ([]verifyRow, error) {
			return a.verifies(ctx, first(args))
		})
	})
}

type verifyStartOptions struct {
	changeOptions
	member int // of this node
	leg    int
	rate   string
	repair bool
	from   int
	wait   bool
}

func (o *verifyStartOptions) bind(flags *pflag.FlagSet) {
	o.flags(flags, "")
	flags.IntVar(&o.leg, "leg", -1, "compare with this `member` alone")
	flags.IntVar(&o.member, "member", -1, "member `id` to compare, where this node has several of the pool")
	flags.StringVar(&o.rate, "rate", "none", "compare at most `size` a second")
	flags.BoolVar(&o.repair, "repair", false, "copy anew what is wrong in this node's copy")
	flags.IntVar(&o.from, "from", -1, "the `member` whose copy counts; without it more than half of the copies")
	flags.BoolVarP(&o.wait, "wait", "w", false, "wait for the end; exit code 3 if there are differences")
}

// request checks the options and makes the command of them.
func (o *verifyStartOptions) request(name string) (*rmrnl.Request, plan, error) {
	req, p := &rmrnl.Request{Cmd: rmrnl.CmdPoolVerify}, plan{}
	if err := checkPoolName(name); err != nil {
		return nil, p, err
	}
	for flag, id := range map[string]int{"--leg": o.leg, "--from": o.from, "--member": o.member} {
		if id < -1 || id >= pool.MaxMembers {
			return nil, p, &usageError{fmt.Sprintf("%s %d: must be a number from 0 to %d", flag, id, pool.MaxMembers-1)}
		}
	}
	if o.from >= 0 && !o.repair {
		return nil, p, &usageError{"--from says whose copy counts in a repair: add --repair"}
	}
	req.Add(rmrnl.PoolAttrName, name)
	if o.member >= 0 {
		req.Add(rmrnl.PoolAttrLeg, uint8(o.member))
	}
	req.Add(rmrnl.PoolAttrVerifyRun, uint8(1))
	if o.leg >= 0 {
		req.Add(rmrnl.PoolAttrVerifyLegs, uint8(1)<<o.leg)
	}
	if err := addRate(req, rmrnl.PoolAttrVerifyLimit, o.rate); err != nil {
		return nil, p, err
	}
	if o.repair {
		from, whose := uint8(fromMost), "more than half of the members agree on"
		if o.from >= 0 {
			from, whose = uint8(o.from), "member "+strconv.Itoa(o.from)+" has"
		}
		req.Add(rmrnl.PoolAttrVerifyFrom, from)
		p.raise(riskDegrades, "if its copy differs from what %s, this member leaves for a while and copies those chunks", whose)
	}
	return req, p, nil
}

func (a *app) verifyStart() *cobra.Command {
	var o verifyStartOptions
	cmd := &cobra.Command{
		Use: "start POOL", Short: "Compare this node's member with the others, in use",
		Long: `Starts to compare the chunks of this node's member with those of the other up-to-date members, by digests:
no data moves, and applications go on. A difference counts only if no write can be its reason; a chunk that is
written all the time is told as busy, never as different. The rate follows the latency of application I/O as that
of a resync does, with --rate as ceiling.

With --repair this node's copy is replaced where it is wrong, so run it on the node that has the wrong copy:
two copies that differ do not tell which one is right, so --from names the member whose copy counts. With three or
more members and without --from, a copy is wrong where more than half of them agree on other bytes. At the end of
the comparison the leg leaves the pool and returns without the wrong chunks, which it then copies.`,
		Args: cobra.ExactArgs(1),
		Example: `  rmrctl verify start vol1 --rate 100M -w
  rmrctl verify start vol1 --repair --from 0`,
	}
	o.bind(cmd.Flags())
	return a.verb(cmd, func(ctx context.Context, args []string) error {
		req, p, err := o.request(args[0])
		if err != nil {
			return err
		}
		if goOn, err := a.proceedRequest(o.changeOptions, req, p); !goOn {
			return err
		}
		if err := a.kernel(func(c *rmrnl.Client) error { return c.Do(ctx, req) }); err != nil {
			return fmt.Errorf("verify of %s: %w", args[0], err)
		}
		if !o.wait {
			return a.printDone(o.output, "verify", args[0], "started")
		}
		return a.verifyWait(ctx, o.output, args[0], o.member)
	})
}

// verifyPoll is the time between two looks at a verify that is waited for.
const verifyPoll = 200 * time.Millisecond

// verifyWait follows a verify to its end and prints what it found.
func (a *app) verifyWait(ctx context.Context, output outputFormat, name string, member int) error {
	bar := a.progress("verify " + name)
	for {
		rows, err := a.verifies(ctx, name)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(rows, func(r verifyRow) bool { return member < 0 || int(r.MemberID) == member })
		if i < 0 {
			return fmt.Errorf("member %d of pool %s is not served any more", member, name)
		}
		r := rows[i]
		bar.report(r.Done, r.Total)
		if r.active() {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(verifyPoll):
			}
			continue
		}
		bar.finish()
		word := r.State.String()
		if r.State == rmrnl.VerifyStateDone {
			word = fmt.Sprintf("done: %d blocks differ, %d chunks busy", r.Differences, r.Busy)
		}
		if err := a.printDone(output, "verify", name, word); err != nil {
			return err
		}
		if r.Differences > 0 {
			return quietExit(ExitDegraded)
		}
		return nil
	}
}

func (a *app) verifyStop() *cobra.Command {
	var o changeOptions
	var member int
	cmd := &cobra.Command{
		Use: "stop POOL", Short: "Stop the comparison of this node's member",
		Long: "Stops a verify of this node's member. What it found so far stays shown; the next one begins anew.",
		Args: cobra.ExactArgs(1), Example: "  rmrctl verify stop vol1",
	}
	o.flags(cmd.Flags(), "")
	cmd.Flags().IntVar(&member, "member", -1, "member `id`, where this node has several of the pool")
	return a.verb(cmd, func(ctx context.Context, args []string) error {
		if err := checkPoolName(args[0]); err != nil {
			return err
		}
		if err := checkLeg(member); err != nil {
			return err
		}
		req := (&rmrnl.Request{Cmd: rmrnl.CmdPoolVerify}).Add(rmrnl.PoolAttrName, args[0])
		if member >= 0 {
			req.Add(rmrnl.PoolAttrLeg, uint8(member))
		}
		req.Add(rmrnl.PoolAttrVerifyRun, uint8(0))
		if goOn, err := a.proceedRequest(o, req, plan{}); !goOn {
			return err
		}
		if err := a.kernel(func(c *rmrnl.Client) error { return c.Do(ctx, req) }); err != nil {
			return fmt.Errorf("verify of %s: %w", args[0], err)
		}
		return a.printDone(o.output, "verify", args[0], "stopped")
	})
}
