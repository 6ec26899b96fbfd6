// SPDX-License-Identifier: Apache-2.0

// Changing verbs: what they would do, the risk of it, --dry-run, and the refusal of what could
// lose data without --force.

package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"github.com/rmr-block/rmr/internal/rmrnl"
)

// risk is what a change may cost, from harmless to worst.
type risk int

const (
	riskNone risk = iota
	riskDegrades
	riskFullSync
	riskLoseData
)

func (r risk) String() string {
	return [...]string{"none", "degrades", "starts full sync", "could lose data"}[r]
}

// MarshalText gives the words of String.
func (r risk) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// plan is a change before it happens.
type plan struct {
	Before  []string `json:"before"`  // what the tool does itself before the request
	Request string   `json:"request"` // the command to the kernel with its attributes
	After   []string `json:"after"`   // what the tool does itself afterwards
	Risk    risk     `json:"risk"`
	Reasons []string `json:"reasons"` // for a risk other than none
}

// raise notes a reason for a risk of at least r.
func (p *plan) raise(r risk, format string, args ...any) {
	p.Risk = max(p.Risk, r)
	p.Reasons = append(p.Reasons, fmt.Sprintf(format, args...))
}

// changeOptions are the options every changing verb has.
type changeOptions struct {
	output outputFormat
	dryRun bool
	force  bool
}

func (o *changeOptions) flags(fs *pflag.FlagSet, force string) {
	o.output.flag(fs)
	fs.BoolVarP(&o.dryRun, "dry-run", "n", false, "print what would be sent and its risk, change nothing")
	if force != "" {
		fs.BoolVar(&o.force, "force", false, force)
	}
}

// proceed prints the plan for a dry run, refuses what could lose data without --force, and
// tells whether to go on.
func (a *app) proceed(o changeOptions, p plan) (bool, error) {
	if o.dryRun {
		return false, a.printPlan(o, p)
	}
	if p.Risk == riskLoseData && !o.force {
		return false, refuse("could lose data: %s; --force does it all the same", strings.Join(p.Reasons, "; "))
	}
	return true, nil
}

func (a *app) printPlan(o changeOptions, p plan) error {
	if o.output == formatJSON {
		p.Before, p.After, p.Reasons = notNil(p.Before), notNil(p.After), notNil(p.Reasons)
		return a.printJSON(p)
	}
	for _, step := range p.Before {
		fmt.Fprintf(a.Stdout, "would %s\n", step)
	}
	if p.Request != "" {
		fmt.Fprintf(a.Stdout, "would send %s\n", p.Request)
	}
	for _, step := range p.After {
		fmt.Fprintf(a.Stdout, "would %s\n", step)
	}
	line := p.Risk.String()
	if len(p.Reasons) > 0 {
		line += ": " + strings.Join(p.Reasons, "; ")
	}
	if p.Risk == riskLoseData && !o.force {
		line += " (needs --force)"
	}
	_, err := fmt.Fprintf(a.Stdout, "risk: %s\n", line)
	return err
}

// send runs a pool command and returns what the kernel answers.
func (a *app) sendPool(ctx context.Context, req *rmrnl.Request) (p rmrnl.Pool, err error) {
	err = a.kernel(func(c *rmrnl.Client) error {
		p, err = c.DoPool(ctx, req)
		return err
	})
	return p, err
}

func notNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// proceedRequest is proceed for a plan whose core is one request, checked first.
func (a *app) proceedRequest(o changeOptions, req *rmrnl.Request, p plan) (bool, error) {
	if err := req.Check(); err != nil {
		return false, err
	}
	p.Request = req.String()
	return a.proceed(o, p)
}

type doneView struct {
	Object string `json:"object"`
	Name   string `json:"name"`
	Done   string `json:"done"`
}

func (a *app) printDone(format outputFormat, object, name, done string) error {
	if format == formatJSON {
		return a.printJSON(doneView{object, name, done})
	}
	_, err := fmt.Fprintf(a.Stdout, "%s %s %s\n", object, name, done)
	return err
}
