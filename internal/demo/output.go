// SPDX-License-Identifier: Apache-2.0

// What the run prints: progress of long steps, the closing table.

package demo

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/cheggaaa/pb/v3"
	"github.com/jedib0t/go-pretty/v6/table"
)

type result struct {
	name   string
	took   time.Duration
	detail string
	err    error
}

// watch runs work and shows how far done is of total until work ends.
func (d *Demo) watch(ctx context.Context, what string, total int64, done func() (int64, error), work func() error) error {
	finished := make(chan error, 1)
	go func() { finished <- work() }()
	bar := pb.New64(total).Set(pb.Bytes, true).SetWriter(d.out).Set("prefix", "        "+what+" ")
	if d.terminal {
		bar.Start()
		defer bar.Finish()
	}
	every := time.Second
	if !d.terminal {
		every = 5 * time.Second
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case err := <-finished:
			if err == nil && d.terminal {
				bar.SetCurrent(total)
			}
			return err
		case <-tick.C:
			n, err := done()
			if err != nil {
				continue // the work itself reports what is wrong
			}
			if d.terminal {
				bar.SetCurrent(min(n, total))
			} else {
				fmt.Fprintf(d.out, "        %s: %d %%\n", what, 100*min(n, total)/total)
			}
		case <-ctx.Done():
			return <-finished
		}
	}
}

func (d *Demo) table(took time.Duration, err error) {
	t := table.NewWriter()
	t.SetOutputMirror(d.out)
	t.SetStyle(table.StyleLight)
	t.AppendHeader(table.Row{"step", "seconds", "result"})
	for _, r := range d.results {
		detail := r.detail
		if r.err != nil {
			detail = "FAILED"
		}
		t.AppendRow(table.Row{r.name, fmt.Sprintf("%.1f", r.took.Seconds()), detail})
	}
	verdict := "all steps passed"
	if err != nil {
		verdict = "FAILED"
	}
	t.AppendFooter(table.Row{"total", fmt.Sprintf("%.1f", took.Seconds()), verdict})
	t.Render()
}

// indent puts the rig's own progress under the step.
type indent struct{ w io.Writer }

func (i indent) Write(p []byte) (int, error) {
	for _, line := range bytes.Split(bytes.TrimRight(p, "\n"), []byte("\n")) {
		if _, err := fmt.Fprintf(i.w, "        %s\n", line); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}
