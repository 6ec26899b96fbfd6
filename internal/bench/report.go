// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/jedib0t/go-pretty/v6/table"
)

// Figures are what a run reports.
type Figures struct {
	Rounds  int    `json:"rounds"`
	Seconds int    `json:"seconds"`
	Cells   []Cell `json:"cells"`
}

func (b *bench) figures() Figures {
	f := Figures{Rounds: b.opts.Rounds, Seconds: b.opts.Seconds}
	for l, load := range loads {
		var raw, plain float64
		for t, target := range b.opts.targets() {
			samples := b.cells[[2]int{l, t}]
			c := Cell{
				Load: load.Name, Target: target.Name,
				IOPS:      median(samples, func(s sample) float64 { return s.iops }),
				P50us:     median(samples, func(s sample) float64 { return s.p50 }),
				ClientCPU: median(samples, func(s sample) float64 { return s.cpu }),
				PacketsIO: median(samples, func(s sample) float64 { return s.packets }),
			}
			for _, s := range samples {
				c.IOPSRounds = append(c.IOPSRounds, s.iops)
			}
			if t == 0 {
				raw = c.IOPS
			}
			c.ToRaw = c.IOPS / raw
			switch target {
			case targets[2]:
				plain = c.IOPS
			case checked:
				c.ToPlain = c.IOPS / plain
			}
			f.Cells = append(f.Cells, c)
		}
	}
	return f
}

// ratio prints one, or nothing where there is none.
func ratio(r float64) string {
	if r == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f", r)
}

func (b *bench) print(out io.Writer) error {
	f := b.figures()
	if b.opts.JSON {
		return printJSON(out, f)
	}
	t := table.NewWriter()
	t.SetOutputMirror(out)
	t.SetStyle(table.StyleLight)
	t.AppendHeader(table.Row{"load", "target", "IOPS", "to raw", "to plain", "p50 us", "client CPU", "packets/I/O"})
	for i, c := range f.Cells {
		if i > 0 && i%len(b.opts.targets()) == 0 {
			t.AppendSeparator()
		}
		t.AppendRow(table.Row{
			c.Load, c.Target, fmt.Sprintf("%.0f", c.IOPS), fmt.Sprintf("%.2f", c.ToRaw),
			ratio(c.ToPlain), fmt.Sprintf("%.0f", c.P50us), fmt.Sprintf("%.0f %%", 100*c.ClientCPU), fmt.Sprintf("%.2f", c.PacketsIO),
		})
	}
	t.SetCaption("medians of %d rounds of %d s; only the ratios of one run mean something", f.Rounds, f.Seconds)
	t.Render()
	return nil
}

func printJSON(out io.Writer, figures any) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(figures)
}
