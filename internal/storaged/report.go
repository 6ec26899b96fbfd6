// SPDX-License-Identifier: Apache-2.0

// What a round found, as /healthz and --once show it.

package storaged

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Part is a module or a link of the configuration.
type Part struct {
	Kind   string `json:"kind"` // module or link
	Name   string `json:"name"`
	State  string `json:"state"`  // loaded or active when good
	Reason string `json:"reason"` // of the last attempt that failed, "" if none did
}

func (p Part) good() bool { return p.State == "loaded" || p.State == "active" }

// Report is how everything is. Its JSON is stable.
type Report struct {
	Healthy bool      `json:"healthy"`
	Reasons []string  `json:"reasons"` // why not; never null
	Time    time.Time `json:"time"`    // end of the round, UTC
	Parts   []Part    `json:"parts"`
	Stores  []Store   `json:"stores"`
}

// report asks the kernel once more, after the work, and says how things are. scanErr is why
// nothing is known of the stores.
func (d *Daemon) report(ctx context.Context, all []found, scanErr error) Report {
	r := Report{Reasons: []string{}, Parts: d.parts(), Stores: []Store{}}
	problems := map[string]string{}
	for _, p := range r.Parts {
		if !p.good() {
			problems[p.Kind+" "+p.Name] = strings.TrimSuffix(p.State+": "+p.Reason, ": ")
		}
	}
	pools, err := d.pools(ctx)
	if scanErr == nil {
		scanErr = err
	}
	if scanErr != nil {
		problems["kernel"] = oneLine(scanErr.Error())
	} else {
		r.Stores = plan(all, pools, d.seen, d.scan.held)
	}
	for i := range r.Stores {
		s := &r.Stores[i]
		d.explain(s)
		if s.State.bad() {
			problems[s.subject()] = strings.TrimSuffix(string(s.State)+": "+s.Reason, ": ")
		}
	}
	for subject, why := range problems {
		r.Reasons = append(r.Reasons, subject+": "+why)
	}
	if ctx.Err() == nil {
		d.tell(problems)
	}
	return r.finish(d.env.Now())
}

func (r Report) finish(now time.Time) Report {
	slices.Sort(r.Reasons)
	r.Healthy, r.Time = len(r.Reasons) == 0, now.UTC()
	return r
}

// explain adds what came of the work on a store.
func (d *Daemon) explain(s *Store) {
	if s.State != StoreWaiting && s.State != StoreReturned {
		return
	}
	switch err, running := d.tasks.state(s.key); {
	case running:
		s.Reason = "the kernel is at it"
	case err != nil:
		s.Reason = oneLine(err.Error())
	}
}

func (s Store) subject() string {
	if s.Pool == "" {
		return s.Device
	}
	return fmt.Sprintf("pool %s member %d on %s", s.Pool, s.MemberID, s.Device)
}

func (d *Daemon) parts() []Part {
	list := []Part{}
	add := func(kind, name, state string) {
		p := Part{Kind: kind, Name: name, State: state}
		if err, running := d.tasks.state(kind + " " + name); running {
			p.Reason = "the kernel is at it"
		} else if err != nil && !p.good() {
			p.Reason = oneLine(err.Error())
		}
		list = append(list, p)
	}
	for _, m := range d.cfg.Modules {
		state := "missing"
		if d.loaded(m) || d.tasks.worked("module "+m) {
			state = "loaded"
		}
		add("module", m, state)
	}
	for _, l := range d.cfg.SoftRoCE {
		add("link", l, d.linkState(l))
	}
	return list
}
