// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/rmr-block/rmr/internal/rmrnl"
)

type eventsOptions struct {
	output  outputFormat
	recheck time.Duration
	count   int
}

func (a *app) events() *cobra.Command {
	var o eventsOptions
	cmd := &cobra.Command{
		Use: "events", Short: "Follow state changes",
		Long: `Prints the present state as "exists" lines, then the line "exists -", then a line for every
change: "create", "change" or "destroy", the kind of object, and its key and state. Ends when interrupted.
The kernel tells of most changes at once; what it does not tell is noticed within --recheck.`,
		Example: "  rmrctl events\n  rmrctl events -o json | jq -c 'select(.action != \"exists\")'",
	}
	o.output.flag(cmd.Flags())
	cmd.Flags().DurationVar(&o.recheck, "recheck", 5*time.Second, "time between two full comparisons")
	cmd.Flags().IntVar(&o.count, "count", 0, "end after so many `changes`, 0: never")
	return a.verb(cmd, func(ctx context.Context, _ []string) error { return o.follow(ctx, a) })
}

// event is one line. State holds the reported state; of "destroy" the last known one.
type event struct {
	Action string `json:"action"` // exists, create, change or destroy
	Object string `json:"object"` // pool, verify, device or leg; "-" ends the present state
	Key    string `json:"key"`    // unique among objects of a kind
	Name   string `json:"name"`   // of the pool
	State  string `json:"state"`
	Reason string `json:"reason"`
	Detail string `json:"detail"` // other state as name:value, for people
}

func (e event) id() string { return e.Object + " " + e.Key }

func poolEvent(p rmrnl.Pool) event {
	return event{
		Object: "pool", Key: fmt.Sprintf("%s/%d", p.Name, p.MemberID), Name: p.Name,
		State: p.State.String(), Reason: p.Reason.String(),
		Detail: fmt.Sprintf("view:%d up-to-date:%s client:%s", p.View, p.UpToDate, orDash(p.Client)),
	}
}

// verifyEvent tells of a comparison with other members; its state changes with what is found.
func verifyEvent(p rmrnl.Pool) event {
	return event{
		Object: "verify", Key: fmt.Sprintf("%s/%d", p.Name, p.MemberID), Name: p.Name,
		State: p.VerifyState.String(), Reason: rmrnl.ReasonNone.String(),
		Detail: fmt.Sprintf("differences:%d busy:%d repaired:%d", p.VerifyDifferences, p.VerifyBusy, p.VerifyRepaired),
	}
}

// poolEvents are all that is told of a pool; of a verify only once there was one.
func poolEvents(p rmrnl.Pool) []event {
	if p.VerifyState == rmrnl.VerifyStateNone {
		return []event{poolEvent(p)}
	}
	return []event{poolEvent(p), verifyEvent(p)}
}

func deviceEvent(d rmrnl.Device) event {
	return event{
		Object: "device", Key: fmt.Sprintf("brmr%d", d.Index), Name: d.Name,
		State: d.State.String(), Reason: d.Reason.String(),
		Detail: fmt.Sprintf("view:%d up-to-date:%s", d.View, d.UpToDate),
	}
}

func legEvent(l rmrnl.Leg) event {
	return event{
		Object: "leg", Key: fmt.Sprintf("brmr%d/%d", l.DeviceIndex, l.MemberID), Name: l.PoolName,
		State: l.State.String(), Reason: l.Reason.String(),
		Detail: fmt.Sprintf("node:%s addr:%s", orDash(l.Node), orDash(l.Addr)),
	}
}

// follower knows the objects it has printed. It belongs to one goroutine.
type follower struct {
	a     *app
	o     *eventsOptions
	known map[string]event
	order []string
	left  int // changes until the end, negative: no end
}

var errEventsDone = errors.New("all events asked for are printed")

func (o *eventsOptions) follow(ctx context.Context, a *app) error {
	f := &follower{a: a, o: o, known: map[string]event{}, left: o.count}
	if o.count == 0 {
		f.left = -1
	}
	err := a.kernel(func(sub *rmrnl.Client) error {
		// Joined before the dump, so that no change falls between the two.
		if err := sub.Subscribe(); err != nil {
			return fmt.Errorf("events: %w", err)
		}
		return a.kernel(func(query *rmrnl.Client) error { return f.run(ctx, sub, query) })
	})
	if errors.Is(err, errEventsDone) {
		return nil
	}
	return watchEnd(ctx, err)
}

func (f *follower) run(ctx context.Context, sub, query *rmrnl.Client) error {
	if err := f.compare(ctx, query, "exists"); err != nil {
		return err
	}
	if err := f.print(event{Action: "exists", Object: "-"}); err != nil {
		return err
	}
	next := time.Now().Add(f.o.recheck)
	for {
		list, err := f.receive(ctx, sub, next)
		again := errors.Is(err, rmrnl.ErrLost) || errors.Is(err, context.DeadlineExceeded)
		if err != nil && !again {
			return err
		}
		for _, n := range list {
			// The last word of a device; whether it is gone, the comparison finds out.
			again = again || n.Device != nil && n.Device.State == rmrnl.DeviceStateDetaching
			if err := f.tell(n); err != nil {
				return err
			}
		}
		if again || time.Now().After(next) {
			if err := f.compare(ctx, query, "create"); err != nil {
				return err
			}
			next = time.Now().Add(f.o.recheck)
		}
	}
}

// tell prints what a notification says. A leg without a kind is one whose member was removed; it is named as it was
// known, for the kernel has no more of it than its place.
func (f *follower) tell(n rmrnl.Notification) error {
	if n.Leg != nil && n.Leg.Kind == 0 {
		return f.destroy(legEvent(*n.Leg).id(), n.Leg.Reason.String())
	}
	for _, e := range notified(n) {
		if err := f.change(e); err != nil {
			return err
		}
	}
	return nil
}

// destroy prints the end of an object, if it is known, with the reason told or else the last one.
func (f *follower) destroy(id, reason string) error {
	e, known := f.known[id]
	if !known {
		return nil
	}
	e.Action = "destroy"
	if reason != "" {
		e.Reason = reason
	}
	delete(f.known, id)
	f.order = slices.DeleteFunc(f.order, func(other string) bool { return other == id })
	return f.count(e)
}

// receive waits for notifications until the time of the next comparison.
func (f *follower) receive(ctx context.Context, sub *rmrnl.Client, until time.Time) ([]rmrnl.Notification, error) {
	bound, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	list, err := sub.Receive(bound)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return list, err
}

func notified(n rmrnl.Notification) []event {
	switch {
	case n.Pool != nil:
		return poolEvents(*n.Pool)
	case n.Device != nil:
		return []event{deviceEvent(*n.Device)}
	}
	return []event{legEvent(*n.Leg)}
}

// change prints an object's new state if it differs from the known one.
func (f *follower) change(e event) error {
	old, known := f.known[e.id()]
	e.Action = "change"
	if !known {
		e.Action = "create"
		f.order = append(f.order, e.id())
	} else {
		old.Action = "change"
		if old == e {
			return nil
		}
	}
	f.known[e.id()] = e
	return f.count(e)
}

// compare asks for everything and prints what differs; action is that of unknown objects.
func (f *follower) compare(ctx context.Context, query *rmrnl.Client, action string) error {
	present, err := snapshot(ctx, query)
	if err != nil {
		return err
	}
	there := map[string]bool{}
	for _, e := range present {
		there[e.id()] = true
		if action == "exists" {
			e.Action = action
			f.known[e.id()] = e
			f.order = append(f.order, e.id())
			err = f.print(e)
		} else {
			err = f.change(e)
		}
		if err != nil {
			return err
		}
	}
	return f.destroyMissing(there)
}

// destroyMissing goes backwards: legs before their device.
func (f *follower) destroyMissing(there map[string]bool) error {
	for i := len(f.order) - 1; i >= 0; i-- {
		id := f.order[i]
		if there[id] {
			continue
		}
		if err := f.destroy(id, ""); err != nil {
			return err
		}
	}
	return nil
}

func snapshot(ctx context.Context, c *rmrnl.Client) ([]event, error) {
	var list []event
	pools, err := c.Pools(ctx)
	if err != nil {
		return nil, err
	}
	devices, err := c.Devices(ctx)
	if err != nil {
		return nil, err
	}
	legs, err := c.Legs(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range pools {
		list = append(list, poolEvents(p)...)
	}
	for _, d := range devices {
		list = append(list, deviceEvent(d))
	}
	for _, l := range legs {
		list = append(list, legEvent(l))
	}
	return list, nil
}

// count prints a change and ends the verb after the number asked for.
func (f *follower) count(e event) error {
	if err := f.print(e); err != nil {
		return err
	}
	if f.left--; f.left == 0 {
		return errEventsDone
	}
	return nil
}

func (f *follower) print(e event) error {
	if f.o.output == formatJSON {
		return f.a.printJSON(e)
	}
	if e.Object == "-" {
		_, err := fmt.Fprintln(f.a.Stdout, "exists -")
		return err
	}
	_, err := fmt.Fprintf(f.a.Stdout, "%s %s %s name:%s state:%s reason:%s %s\n",
		e.Action, e.Object, e.Key, e.Name, e.State, e.Reason, e.Detail)
	return err
}
