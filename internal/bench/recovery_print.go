// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"fmt"
	"io"

	"github.com/jedib0t/go-pretty/v6/table"
)

// recoveryRows is the order of the table.
var recoveryRows = []string{
	"node killed: s without acknowledgement",
	"link lost silently: s without acknowledgement",
	"random 4 KiB: s to redundancy",
	"random 4 KiB: bytes resynced / dirtied",
	"random 4 KiB: client NIC bytes / resynced",
	"one run: s to redundancy",
	"one run: bytes resynced / dirtied",
	"one run: client NIC bytes / resynced",
	"load: IOPS degraded / before",
	"load: IOPS during resync / degraded",
	"load: resync rate / undisturbed write bandwidth",
	"load: resync s",
}

func (r *recovery) print(out io.Writer) error {
	for _, result := range r.results {
		for name, values := range result.Rounds {
			result.Values[name] = middle(values)
		}
	}
	if r.opts.JSON {
		return printJSON(out, r.results)
	}
	t := table.NewWriter()
	t.SetOutputMirror(out)
	t.SetStyle(table.StyleLight)
	header := table.Row{"64 MiB missed"}
	for _, result := range r.results {
		header = append(header, result.Target)
	}
	t.AppendHeader(header)
	for _, name := range recoveryRows {
		if _, measured := r.results[0].Values[name]; r.opts.LoadOnly && !measured {
			continue
		}
		row := table.Row{name}
		for _, result := range r.results {
			cell := "-"
			if v, ok := result.Values[name]; ok {
				cell = fmt.Sprintf("%.3f", v)
			}
			row = append(row, cell)
		}
		t.AppendRow(row)
	}
	t.SetCaption("medians of %d rounds; only the ratios of one run mean something", r.opts.Rounds)
	t.Render()
	return nil
}
