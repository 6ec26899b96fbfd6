// SPDX-License-Identifier: Apache-2.0

// pool create with --leg: one command sets a pool up on several nodes.

package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/rmr-block/rmr/pkg/pool"
)

// across makes the pool on the first node and has the others join, one after the other. What is there already is left
// as it is, so that the command may be given again.
func (o *poolCreateOptions) across(ctx context.Context, a *app, name string) error {
	if err := checkPoolName(name); err != nil {
		return err
	}
	if o.adopt || o.mdDevice != "" || len(o.addr) > 0 {
		return &usageError{"--adopt, --metadata-device and --addr are for one node: leave --leg out, and use `rmrctl pool join` there"}
	}
	members, err := o.nodes()
	if err != nil {
		return err
	}
	if o.dryRun {
		return o.wouldAcross(ctx, a, name, members)
	}
	var peers []string
	for i, m := range members {
		there, err := a.poolsOn(ctx, m.node, name)
		if err != nil {
			return err
		}
		if at := served(there, m.device); at != nil {
			fmt.Fprintf(a.Stderr, "%s: member %d of pool %s already\n", m, at.MemberID, name)
		} else if err := a.pass(ctx, m.node, o.command(name, members, i, peers)...); err != nil {
			return hint(fmt.Errorf("pool create %s: on %s: %w", name, m, err), "%s", o.after(i))
		}
		if i > 0 {
			continue
		}
		if there, err = a.poolsOn(ctx, m.node, name); err != nil {
			return err
		}
		first := served(there, m.device)
		if first == nil {
			return fmt.Errorf("pool create %s: %s does not serve it", name, m)
		}
		for _, member := range first.Members {
			if member.ID == first.MemberID {
				peers = member.Addr
			}
		}
	}
	return nil
}

func (o *poolCreateOptions) after(i int) string {
	if i == 0 {
		return "no pool was made"
	}
	return "see to it and give the command again: it goes on with this node"
}

// nodes are the devices of the pool's members, those with data first.
func (o *poolCreateOptions) nodes() (list []nodeDevice, err error) {
	if len(o.legs) > pool.MaxMembers {
		return nil, &usageError{fmt.Sprintf("--leg: %d members, at most %d", len(o.legs), pool.MaxMembers)}
	}
	seen := map[nodeDevice]bool{}
	for _, s := range append(append([]string{}, o.legs...), o.witnesses...) {
		m, err := parseNodeDevice("--leg or --witness", s)
		if err != nil {
			return nil, err
		}
		if seen[m] {
			return nil, &usageError{fmt.Sprintf("%s is named twice", m)}
		}
		seen[m] = true
		list = append(list, m)
	}
	return list, nil
}

func served(list []poolView, device string) *poolView {
	for i := range list {
		if list[i].Device == device {
			return &list[i]
		}
	}
	return nil
}

// command is what makes the i-th member.
func (o *poolCreateOptions) command(name string, members []nodeDevice, i int, peers []string) []string {
	args := []string{"pool", "join", name, "--device", members[i].device, "--peer", strings.Join(peers, ",")}
	if i == 0 {
		args = []string{"pool", "create", name, "--device", members[i].device, "--chunk-size", o.chunk, "--quorum", o.quorum}
		if o.size != "" {
			args = append(args, "--size", o.size)
		}
		if o.checksums {
			args = append(args, "--data-checksums")
		}
	}
	witness := i >= len(o.legs)
	for _, flag := range []struct {
		name string
		on   bool
	}{{"--witness", witness}, {"--assume-zeroed", o.assumeZeroed && !witness}, {"--force", o.force}} {
		if flag.on {
			args = append(args, flag.name)
		}
	}
	if o.onError != "" {
		args = append(args, "--on-error", o.onError)
	}
	if o.output == formatJSON {
		args = append(args, "-o", "json")
	}
	return args
}

// wouldAcross has every node look at its device, and says what would be run where.
func (o *poolCreateOptions) wouldAcross(ctx context.Context, a *app, name string, members []nodeDevice) error {
	p := plan{}
	for i, m := range members {
		// A member's own dry run asks nobody, so the address of the first one need not be known.
		look := o.command(name, members, i, []string{"192.0.2.1"})
		var out, complaint bytes.Buffer
		code, err := a.onNode(ctx, m.node, &out, &complaint, append(look, "--dry-run", "-o", "json")...)
		if err != nil {
			return fmt.Errorf("pool create %s: %w", name, err)
		}
		var theirs struct {
			Before  []string `json:"before"`
			Reasons []string `json:"reasons"`
		}
		if code != ExitOK {
			fmt.Fprintf(a.Stderr, "%s: %s", m, complaint.String())
			return quietExit(code)
		}
		if err := json.Unmarshal(out.Bytes(), &theirs); err != nil {
			return fmt.Errorf("pool create %s: dry run on %s: %w", name, m, err)
		}
		for _, step := range theirs.Before {
			p.Before = append(p.Before, fmt.Sprintf("have %s %s", m.host(), step))
		}
		for _, why := range theirs.Reasons {
			p.raise(riskLoseData, "%s: %s", m, why)
		}
		shown := o.command(name, members, i, []string{"ADDRESS"})
		p.Before = append(p.Before, fmt.Sprintf("run on %s: rmrctl %s", m.host(), strings.Join(shown, " ")))
	}
	return a.printPlan(o.changeOptions, p)
}
