// SPDX-License-Identifier: Apache-2.0

// This file owns the report for people.

package audit

import (
	"fmt"
	"io"

	"github.com/docker/go-units"
	"github.com/jedib0t/go-pretty/v6/table"
)

// Table writes the report as tables and a verdict.
func (r *Report) Table(w io.Writer) {
	fmt.Fprintf(w, "pool %s (%s), %s, chunks of %s, view %v\n\n", r.Name, r.Pool, units.BytesSize(float64(r.Size)),
		units.BytesSize(float64(r.ChunkSize)), r.View)
	members := newTable(w, table.Row{"MEMBER", "STORE", "VIEW", "CLEAN", "INTENTS", "DIRTY FOR", "PROBLEMS"})
	for _, m := range r.Members {
		dirty := ""
		for id, n := range m.Dirty {
			if n > 0 {
				dirty += fmt.Sprintf("%d:%d ", id, n)
			}
		}
		members.AppendRow(table.Row{m.ID, m.Store, m.View, m.Clean, m.Intents, dirty, len(m.Problems)})
	}
	members.Render()
	fmt.Fprintln(w)
	pairs := newTable(w, table.Row{"UP TO DATE", "OTHER", "DIFFERENT", "DIRTY", "INTENT", "DIRTY/DIFFERENT", "UNCOVERED"})
	for _, p := range r.Pairs {
		ratio := "-"
		if x, ok := p.Precision(); ok {
			ratio = fmt.Sprintf("%.1f", x)
		}
		pairs.AppendRow(table.Row{
			p.UpToDate, p.Other, units.BytesSize(float64(p.Different)), units.BytesSize(float64(p.Dirty)),
			units.BytesSize(float64(p.Intent)), ratio, len(p.Uncovered),
		})
	}
	pairs.Render()
	fmt.Fprintln(w)
	if len(r.Missing) > 0 {
		fmt.Fprintf(w, "not looked at: members %v\n", r.Missing)
	}
	if err := r.Err(); err != nil {
		fmt.Fprintln(w, "NOT SOUND:", err)
		return
	}
	fmt.Fprintf(w, "sound; data areas equal: %v\n", r.Equal)
}

func newTable(w io.Writer, header table.Row) table.Writer {
	t := table.NewWriter()
	t.SetOutputMirror(w)
	t.SetStyle(table.StyleLight)
	t.AppendHeader(header)
	return t
}
