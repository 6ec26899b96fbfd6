// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rmr-block/rmr/internal/rmrnl"
	"github.com/rmr-block/rmr/pkg/pool"
)

// answer says of one thing of a pool why it is as it is, and what to do if something is to be done.
type answer struct {
	Object   string `json:"object"` // device, leg N, member N, resync N, attach
	State    string `json:"state"`
	Reason   string `json:"reason"`
	Degraded bool   `json:"degraded"`
	Why      string `json:"why"`
	Do       string `json:"do"` // "" for nothing
}

var answerColumns = []column[answer]{
	{"object", true, false, func(f answer) string { return f.Object }},
	{"state", true, false, func(f answer) string { return f.State }},
	{"reason", false, false, func(f answer) string { return f.Reason }},
	{"degraded", false, false, func(f answer) string { return yesNo(f.Degraded) }},
	{"why", true, false, func(f answer) string { return f.Why }},
	{"do", true, false, func(f answer) string { return f.Do }},
}

func (a *app) explainPool() *cobra.Command {
	var o showOptions
	cmd := &cobra.Command{
		Use: "explain POOL [+FIELD|-FIELD]...", Short: "Say why a pool is as it is, and what to do",
		Long: `Says what this host knows of a pool: why each leg is in its state (on a client), why the resync of a member
runs at its rate (on a storage node), and what an attach would meet now. All of it comes from the states and
reasons that the kernel keeps; no other host is asked.`,
		Args: cobra.ExactArgs(1),
		Example: `  rmrctl explain vol1
  rmrctl explain vol1 -o json | jq '.[] | select(.degraded)'`,
	}
	showFlags(cmd, &o, answerColumns)
	return a.verb(cmd, func(ctx context.Context, args []string) error {
		if err := checkPoolName(args[0]); err != nil {
			return err
		}
		degraded := func(f answer) bool { return f.Degraded }
		return show(ctx, a, &o, answerColumns, degraded, func(ctx context.Context) ([]answer, error) {
			return a.answers(ctx, args[0])
		})
	})
}

// answers asks both halves of the kernel; a host may be client and storage node at once.
func (a *app) answers(ctx context.Context, name string) ([]answer, error) {
	var list []answer
	err := a.kernel(func(c *rmrnl.Client) error {
		devices, err := c.Devices(ctx)
		if err != nil {
			return err
		}
		legs, err := c.Legs(ctx)
		if err != nil {
			return err
		}
		pools, err := c.Pools(ctx)
		if err != nil {
			return err
		}
		for _, d := range devices {
			if d.Name == name {
				list = append(list, explainDevice(viewDevice(d, legs, nil))...)
			}
		}
		for _, p := range pools {
			if p.Name == name {
				list = append(list, explainMember(viewPool(p, nil, a.Now()))...)
			}
		}
		return nil
	})
	if err == nil && len(list) == 0 {
		err = hint(fmt.Errorf("no pool %s is mapped or served on this host", name),
			"`brmr list` shows what is mapped here, `rmrctl pool show` what is served")
	}
	if err != nil {
		return nil, fmt.Errorf("explain %s: %w", name, err)
	}
	return list, nil
}

// causes says in words what a reason stands for.
func causes(r rmrnl.Reason) string {
	return map[rmrnl.Reason]string{
		rmrnl.ReasonAdmin:             "by command",
		rmrnl.ReasonConnect:           "the node cannot be reached",
		rmrnl.ReasonLinkLost:          "the link was lost",
		rmrnl.ReasonIOError:           "its store failed a request",
		rmrnl.ReasonTimeout:           "it did not answer in time",
		rmrnl.ReasonFenced:            "a newer client holds the pool",
		rmrnl.ReasonRefused:           "the member refused",
		rmrnl.ReasonVersion:           "it speaks another version or transport",
		rmrnl.ReasonIdentity:          "another pool, store or size answered there",
		rmrnl.ReasonTooSmall:          "it holds a smaller pool than the device has",
		rmrnl.ReasonStoreError:        "the store failed",
		rmrnl.ReasonDamagedSuperblock: "a superblock copy is damaged",
		rmrnl.ReasonUnclean:           "the last client did not detach",
		rmrnl.ReasonNoLeg:             "no up-to-date leg is left",
		rmrnl.ReasonNoQuorum:          "no majority of members and witnesses can be reached",
		rmrnl.ReasonSplitBrain:        "members have different histories",
		rmrnl.ReasonDamped:            "it failed repeatedly",
		rmrnl.ReasonLeaving:           "it is being removed",
		rmrnl.ReasonMaintenance:       "it is kept out for maintenance",
		rmrnl.ReasonReplaced:          "another store has its place, or it was removed",
		rmrnl.ReasonLimits:            "its queue limits do not fit the mapped device",
		rmrnl.ReasonRepair:            "a verify found its copy wrong, it copies anew",
	}[r]
}

// since adds the words of a reason to a text, if it has any.
func since(text string, r rmrnl.Reason) string {
	if words := causes(r); words != "" {
		return text + ": " + words
	}
	return text
}

func explainDevice(d deviceView) []answer {
	f := answer{Object: "device", State: d.State.String(), Reason: d.Reason.String(), Degraded: d.State != rmrnl.DeviceStateLive}
	gone := []string{}
	list := make([]answer, 0, len(d.Legs))
	for _, l := range d.Legs {
		if l.degraded() && d.UpToDate.Has(l.MemberID) {
			gone = append(gone, fmt.Sprintf("%d (%s)", l.MemberID, l.Node))
		}
		list = append(list, explainLeg(d.Name, l))
	}
	switch d.State {
	case rmrnl.DeviceStateLive:
		f.Why = "I/O is served; up to date: " + d.UpToDate.String()
	case rmrnl.DeviceStateSuspended:
		f.Why = since("I/O waits", d.Reason)
		if len(gone) > 0 {
			f.Do = "bring back member " + strings.Join(gone, ", ")
		}
	default:
		f.Why = since("I/O waits for the end of this", d.Reason)
	}
	attach := answer{
		Object: "attach", State: "busy",
		Why: "this host holds the pool; another client is refused, --takeover there would end this one's I/O",
	}
	if d.State == rmrnl.DeviceStateSuspended {
		attach.State = "trying"
		attach.Why = fmt.Sprintf("this host attaches by itself; it needs members of the last up-to-date set (%s)", d.UpToDate)
	}
	return append(append([]answer{f}, list...), attach)
}

func explainLeg(name string, l legView) answer {
	f := answer{
		Object: fmt.Sprintf("leg %d (%s)", l.MemberID, l.Node), State: l.State.String(), Reason: l.Reason.String(), Degraded: l.degraded(),
	}
	switch l.State {
	case rmrnl.LegStateUpToDate:
		f.Why = "serves reads, gets every write"
		if c := l.Counters; c.ReadErrors != 0 {
			f.Why += fmt.Sprintf("; its disk failed %d reads, %d ranges were written back, %d were not", c.ReadErrors, c.Repairs, c.Unrepaired)
		}
	case rmrnl.LegStateVoting:
		f.Why = "a witness: votes, holds no data"
	case rmrnl.LegStateSyncing:
		f.Why = fmt.Sprintf("gets every write, copies %d chunks that it lacks; not read", l.Lacking)
		if l.Cause != rmrnl.ReasonNone {
			f.Why = since(f.Why+"; it left the up-to-date set", l.Cause)
		}
		f.Do = fmt.Sprintf("`rmrctl explain %s` on %s says why its resync runs as it does", name, l.Node)
	case rmrnl.LegStatePromised:
		f.Why = "connected again; chunks that it may lack are being noted on the others"
	case rmrnl.LegStateJoining:
		f.Why = "connected again; the others have to agree to the view that takes it in"
	case rmrnl.LegStateConnecting:
		f.Why = "being connected"
	default:
		f.Why, f.Do = explainFailed(name, l)
	}
	if wish := explainWish(l); wish != "" && l.State != rmrnl.LegStateFailed {
		f.Why += "; " + wish
	}
	return f
}

// explainWish says what is to become of a leg that still takes part.
func explainWish(l legView) string {
	switch {
	case l.Successor != nil:
		return fmt.Sprintf("member %d takes its place as soon as that is up to date", *l.Successor)
	case l.Leaving:
		return "to be removed, but it is the last up-to-date leg"
	case l.Maintenance:
		return "to be kept out, but it is the last up-to-date leg"
	}
	return ""
}

func explainFailed(name string, l legView) (why, do string) {
	back := fmt.Sprintf("`rmrctl leg return %s %d`", name, l.MemberID)
	switch l.Reason {
	case rmrnl.ReasonAdmin:
		return "ejected by command, does not return by itself", back
	case rmrnl.ReasonDamped:
		why = since(fmt.Sprintf("failed %d times, so it waits %d s more", l.Ejections, (l.DampedMS+999)/1000), l.Cause)
		return why, "see to its link; it returns by itself, or at once by " + back
	case rmrnl.ReasonMaintenance:
		return "kept out for maintenance, by any client", fmt.Sprintf("`rmrctl leg maintenance %s %d off`", name, l.MemberID)
	case rmrnl.ReasonLeaving:
		return "being removed; its place becomes free when every other member has noted it", ""
	case rmrnl.ReasonReplaced:
		return "another store answers there than the pool's", fmt.Sprintf("assemble the present store on %s; the old one is of no use any more", l.Node)
	case rmrnl.ReasonLimits:
		return "the device that is mapped asks for more than its store can do", "map the pool anew, or give the member a disk like the others"
	case rmrnl.ReasonTooSmall:
		return since("not taken back", l.Reason), fmt.Sprintf("if it was told of a shrink and the pool was not, give `brmr resize %s --size SIZE --force` again, "+
			"with the size that `rmrctl pool show %s +size` tells on %s; if its metadata is old, put another store in its place", name, name, l.Node)
	case rmrnl.ReasonStoreError:
		return "its disk failed, so that it left or cannot write its metadata; it does not return by itself",
			fmt.Sprintf("see to its disk; then `rmrctl disk return %s` on %s, or stop and assemble the pool there", name, l.Node)
	case rmrnl.ReasonIdentity, rmrnl.ReasonVersion, rmrnl.ReasonSplitBrain, rmrnl.ReasonRefused:
		return since("tried again and again", l.Reason), fmt.Sprintf("see `rmrctl pool show` and the kernel's log on %s", l.Node)
	}
	return since("tried each second or so", l.Reason), fmt.Sprintf("see to node %s and its link; it returns by itself", l.Node)
}

func explainMember(p poolView) []answer {
	f := answer{
		Object: fmt.Sprintf("member %d", p.MemberID), State: p.State.String(), Reason: p.Reason.String(),
		Degraded: p.Degraded, Why: since("served here", p.Reason),
	}
	switch {
	case p.Disk.Left:
		f.Why = "left by its policy (detach): too many places of " + p.Device + " failed; serves nobody, does not return by itself"
		f.Do = fmt.Sprintf("see to the disk or exchange it, then `rmrctl disk return %s`", p.Name)
	case p.Disk.HungMS != 0:
		f.Why = fmt.Sprintf("%s has not answered a request for %d s; everything is refused until it does", p.Device, (p.Disk.HungMS+999)/1000)
		f.Do = "see to the disk; the pool cannot be stopped before it answers"
	case p.State == rmrnl.PoolStateFailed:
		f.Why, f.Do = since("no longer served", p.Reason), "look at "+p.Device+", then stop and assemble the pool, or exchange the disk"
	case p.Discarded:
		f.Why += ", blank: it has no data of the pool yet, or its history was given up"
		if old := p.predecessor(); old >= 0 {
			f.Why += fmt.Sprintf("; it takes the place of member %d when it is up to date", old)
		}
		f.Do = "a client that has the pool mapped takes it up by itself; see `rmrctl explain` there"
	case p.Kind == pool.MemberWitness.String():
		f.Why = "a witness: votes, holds no data"
	case p.UpToDate.Has(p.MemberID):
		f.Why += ", up to date"
	case p.Syncing.Has(p.MemberID):
		f.Why += ", copies what it lacks"
	default:
		f.Why += ", not in the view: its data is old until a client takes it in"
		f.Do = "let a client attach, or see why it does not: `rmrctl explain` there"
	}
	if n := p.Disk.FailedPlaces; n != 0 && !p.Disk.Left {
		f.Why += fmt.Sprintf("; %d places of its disk failed lately (policy %s)", n, p.Disk.OnError)
	}
	if p.DamagedCopies != 0 {
		f.Why += "; a superblock copy was damaged and rewritten"
		f.Do = "check " + p.Device
	}
	if p.DeviceGrown != 0 && p.State != rmrnl.PoolStateFailed {
		f.Why += fmt.Sprintf("; its device has %s more than the store uses", size(p.DeviceGrown))
		if f.Do == "" {
			f.Do = fmt.Sprintf("`rmrctl disk grow %s --leg %d` makes room of it", p.Name, p.MemberID)
		}
	}
	list := append([]answer{f}, explainWaiting(p)...)
	if p.Resync.State != rmrnl.ResyncStateNone {
		list = append(list, explainResync(p))
	}
	if p.Verify.State != rmrnl.VerifyStateNone || p.Verify.Verified > 0 {
		list = append(list, explainVerify(p))
	}
	return append(list, explainAttach(p))
}

// predecessor is the member whose place this one takes, or -1.
func (p poolView) predecessor() int {
	for _, m := range p.Members {
		if m.Successor != nil && *m.Successor == int(p.MemberID) {
			return int(m.ID)
		}
	}
	return -1
}

// unheard are members that are to be replaced by one that is no member, which is so until its store was taken up.
func (p poolView) unheard() (list []memberView) {
	for _, m := range p.Members {
		if m.Successor == nil {
			continue
		}
		if !slices.ContainsFunc(p.Members, func(o memberView) bool { return int(o.ID) == *m.Successor }) {
			list = append(list, m)
		}
	}
	return list
}

const unheardDo = "serve the new disk (`rmrctl pool assemble`, or the command that began it again); `rmrctl leg remove` lets the old one go without it"

// explainWaiting is about members whose successor is not there.
func explainWaiting(p poolView) (list []answer) {
	for _, m := range p.unheard() {
		list = append(list, answer{
			Object: fmt.Sprintf("member %d", m.ID), State: "waiting", Reason: rmrnl.ReasonNone.String(), Degraded: true,
			Why: fmt.Sprintf("to be replaced by member %d, which no client has taken up yet", *m.Successor), Do: unheardDo,
		})
	}
	return list
}

func explainVerify(p poolView) answer {
	v := p.Verify
	f := answer{
		Object: fmt.Sprintf("verify %d", p.MemberID), State: v.State.String(), Reason: rmrnl.ReasonNone.String(),
		Degraded: v.Differences > 0 || v.Before > 0,
	}
	switch {
	case v.State == rmrnl.VerifyStateWaiting:
		f.Why = "compares once this member is up to date under a client, and the others are reached"
	case v.State == rmrnl.VerifyStateRunning:
		f.Why = fmt.Sprintf("%s compared, %d s left", v.percent(), v.ETA)
	case v.Verified == 0:
		f.Why = "never compared completely with all others"
	default:
		f.Why = fmt.Sprintf("compared completely with all others %s ago, %d blocks differed", v.age(), v.Before)
	}
	if v.Differences > 0 {
		f.Why += fmt.Sprintf("; %d blocks differ now", v.Differences)
	}
	if f.Degraded {
		f.Do = fmt.Sprintf("find out whose copy is wrong: `rmrctl verify show %s` has ranges; `rmrctl verify start --repair` there", p.Name)
	}
	return f
}

func explainResync(p poolView) answer {
	r := p.Resync
	f := answer{
		Object: fmt.Sprintf("resync %d", p.MemberID), State: r.State.String(), Reason: r.Reason.String(),
		Degraded: r.State != rmrnl.ResyncStateDone,
	}
	left := fmt.Sprintf("%d of %d chunks left", r.Left, r.Total)
	switch r.State {
	case rmrnl.ResyncStateWaiting:
		f.Why = "the client has to end the writes from before this member joined, then the map is fetched"
	case rmrnl.ResyncStatePaused:
		f.Why, f.Do = left+"; paused by command", fmt.Sprintf("`rmrctl resync resume %s`", p.Name)
	case rmrnl.ResyncStateStalled:
		f.Why = left + ", nothing moves: " + map[rmrnl.Reason]string{
			rmrnl.ReasonConnect: "no other member can be reached",
			rmrnl.ReasonIOError: "no reachable member could deliver what is left",
		}[r.Reason]
		if r.Reason == rmrnl.ReasonTimeout {
			f.Why = left + ", nothing moves: no reachable member has them, or a client has to complete its writes first"
		}
		f.Do = "see to the other members; it goes on by itself"
	case rmrnl.ResyncStateDone:
		f.Why = "nothing is lacked; the client takes it into the up-to-date set"
	default:
		f.Why = fmt.Sprintf("%s, %s/s, %d s; %s", left, size(r.Rate), r.ETA, explainPace(r))
	}
	return f
}

// explainPace says what sets the rate.
func explainPace(r resyncView) string {
	switch r.Pace {
	case rmrnl.ResyncPaceIdle:
		return "no application I/O here and no limit: as fast as the copies get"
	case rmrnl.ResyncPaceRising:
		return fmt.Sprintf("rising: application I/O takes %s, at most %s is wanted", milli(r.Latency), milli(r.Target))
	case rmrnl.ResyncPaceLatency:
		return fmt.Sprintf("held back: application I/O takes %s, more than %s", milli(r.Latency), milli(r.Target))
	case rmrnl.ResyncPaceFloor:
		return fmt.Sprintf("at the floor of %s/s: application I/O takes %s, more than %s", size(r.Floor), milli(r.Latency), milli(r.Target))
	case rmrnl.ResyncPaceCeiling:
		return fmt.Sprintf("at the limit of %s/s", size(r.Limit))
	case rmrnl.ResyncPaceSource:
		return "more is allowed than links, disks and the number of copies at once give"
	case rmrnl.ResyncPaceShare:
		return "copies rest part of the time, for applications"
	}
	return "begins"
}

// explainAttach says what a client would meet that attached now, as far as this member knows (R2.6, R2.14).
func explainAttach(p poolView) answer {
	f := answer{Object: "attach", State: "possible", Reason: p.Reason.String()}
	needs := fmt.Sprintf("needs each member of the last up-to-date set, as this one knows it: %s", p.UpToDate)
	if p.Quorum == rmrnl.QuorumMajority {
		needs = fmt.Sprintf("needs a majority of members and witnesses, and one of the last up-to-date set, as this one knows it: %s", p.UpToDate)
	}
	switch {
	case p.State == rmrnl.PoolStateFailed:
		f.State, f.Why = "refused", "the store no longer works here"
	case p.Client != "":
		f.State, f.Why = "busy", fmt.Sprintf("%s holds the pool; --takeover would end its I/O", p.Client)
	case !p.Used:
		f.Why = "no client has used the pool yet"
	case !p.UpToDate.Has(p.MemberID):
		f.State, f.Why = "refused", needs+"; this member alone is refused"
	case p.Clean:
		f.Why = needs + "; the last client detached cleanly, nothing is to be reconciled"
	default:
		f.Why = needs + "; the last client did not detach, what it had under way is made equal first"
	}
	return f
}
