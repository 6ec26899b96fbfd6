// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/rmr-block/rmr/internal/blockdev"
	"github.com/rmr-block/rmr/internal/metadata"
)

type diskCheckOptions struct{ output outputFormat }

func (a *app) diskCheck() *cobra.Command {
	var o diskCheckOptions
	cmd := &cobra.Command{
		Use: "check DEVICE|IMAGE", Short: "Check the metadata of a store, change nothing",
		Long: `Decodes every superblock copy and every sector of the dirty map, holds them against each other, the
member table and the size of the device, and lists what is wrong, where, and what to do. Never
writes. A note needs nothing; what is repairable the product repairs by itself (exit code 3); what
is broken it refuses, or must not be trusted with (exit code 1).

A store in use is checked with a warning: reading harms nobody. What is seen there counts only if
it is seen three times, because writes go on meanwhile.`,
		Args:    cobra.ExactArgs(1),
		Example: "  rmrctl disk check /dev/sdb\n  rmrctl disk check disk0.img -o json | jq '.findings[] | select(.severity != \"note\")'",
	}
	o.output.flag(cmd.Flags())
	return a.verb(cmd, func(ctx context.Context, args []string) error { return o.check(ctx, a, args[0]) })
}

type checkView struct {
	Path     string             `json:"path"`
	InUse    bool               `json:"in_use"`
	Verdict  string             `json:"verdict"` // good, repairable or broken
	Findings []metadata.Finding `json:"findings"`
}

func (o *diskCheckOptions) check(ctx context.Context, a *app, path string) error {
	d, inUse, err := a.openToLook("disk check", path)
	if err != nil {
		return err
	}
	defer d.Close()
	v := checkView{Path: path, InUse: inUse, Verdict: "good"}
	if v.Findings, err = findings(ctx, d, inUse); err != nil {
		return fmt.Errorf("disk check %s: %w", path, err)
	}
	code := ExitOK
	for _, f := range v.Findings {
		switch {
		case f.Severity == metadata.Broken:
			v.Verdict, code = f.Severity.String(), ExitError
		case f.Severity == metadata.Repairable && code == ExitOK:
			v.Verdict, code = f.Severity.String(), ExitDegraded
		}
	}
	if err := o.print(a, v); err != nil || code == ExitOK {
		return err
	}
	return quietExit(code)
}

// findings checks a store; one in use three times, and what was not there each time was a write under way.
func findings(ctx context.Context, d *blockdev.Disk, inUse bool) (list []metadata.Finding, err error) {
	for round := 0; ; round++ {
		s, err := metadata.Read(d, d.Size)
		if err != nil {
			return nil, err
		}
		now := metadata.Check(s)
		if round == 0 {
			list = notNil(now)
		}
		list = slices.DeleteFunc(list, func(f metadata.Finding) bool {
			return !slices.ContainsFunc(now, func(g metadata.Finding) bool { return f.Object == g.Object && f.Field == g.Field })
		})
		if !inUse || round == 2 || len(list) == 0 {
			return list, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
		if err := d.Forget(); err != nil {
			return nil, err
		}
	}
}

func (o *diskCheckOptions) print(a *app, v checkView) error {
	if o.output == formatJSON {
		return a.printJSON(v)
	}
	for _, f := range v.Findings {
		fmt.Fprintf(a.Stdout, "%-10s  %s, byte %d: %s\n            -> %s\n", f.Severity, f.Object, f.Offset, f.Problem, f.Todo)
	}
	_, err := fmt.Fprintf(a.Stdout, "%s: %s\n", v.Path, v.Verdict)
	return err
}
