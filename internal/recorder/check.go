// SPDX-License-Identifier: Apache-2.0

// This file owns the verdict on what was recorded.

package recorder

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/rmr-block/rmr/internal/register"
	"github.com/rmr-block/rmr/pkg/pool"
)

// clockSkew is how far apart the clocks of two clients may be. It only counts where their logs overlap.
const clockSkew = 20 * time.Millisecond

// History is what several clients saw of one pool.
type History struct {
	Logs []*Log
	// Rest are the blocks as they were found on the members after the last client had detached, in any order.
	Rest []Operation
}

// AddRest reads every block that a log wrote from the data area of a member at rest. When the legs hold what
// the application was told, these are reads like any other.
func (h *History) AddRest(store io.ReaderAt) error {
	buf, last := make([]byte, BlockSize), int64(0)
	for _, l := range h.Logs {
		last = max(last, l.Last)
	}
	for _, block := range h.written() {
		if _, err := store.ReadAt(buf, int64(block)*BlockSize); err != nil {
			return fmt.Errorf("read block %d at rest: %w", block, err)
		}
		o := Operation{Op: pool.OpRead, Block: block, Begin: last + int64(clockSkew), End: last + int64(clockSkew), Outcome: outcomeOK}
		var err error
		if o.Stamp, err = decode(buf, h.Logs[0].Pool, block); err != nil {
			o.Outcome, o.Error = outcomeCorrupt, err.Error()
		}
		h.Rest = append(h.Rest, o)
	}
	return nil
}

func (h *History) written() []uint64 {
	blocks := map[uint64]bool{}
	for _, l := range h.Logs {
		for _, o := range l.Operations {
			if o.Op == pool.OpWrite {
				blocks[o.Block] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(blocks))
}

// Problem is one broken promise.
type Problem struct {
	Kind  string `json:"kind"` // corrupt, not-linearizable, undecided, log
	Block uint64 `json:"block"`
	Text  string `json:"text"`
}

// Verdict is the judgement on a history.
type Verdict struct {
	Reads      int           `json:"reads"` // acknowledged
	Writes     int           `json:"writes"`
	Flushes    int           `json:"flushes"`
	Errors     int           `json:"errors"`     // ended with an error
	Unanswered int           `json:"unanswered"` // did not end
	Blocks     int           `json:"blocks"`     // written or read
	AtRest     int           `json:"at_rest"`    // blocks looked at on members
	Gap        time.Duration `json:"gap_ns"`     // longest time of a log without an acknowledgement
	GapStart   time.Time     `json:"gap_start"`  // by the client's clock
	Problems   []Problem     `json:"problems"`
}

// Err is nil if no promise was broken, else it names the first ones.
func (v *Verdict) Err() error {
	if len(v.Problems) == 0 {
		return nil
	}
	text := ""
	for _, p := range v.Problems[:min(len(v.Problems), 3)] {
		text += fmt.Sprintf("\n%s block %d: %s", p.Kind, p.Block, p.Text)
	}
	return fmt.Errorf("%d broken promises:%s", len(v.Problems), text)
}

// String is the verdict in one line.
func (v *Verdict) String() string {
	return fmt.Sprintf("%d writes, %d reads, %d flushes acknowledged on %d blocks; %d errors, %d unanswered, %d blocks at rest; "+
		"longest gap %v; %d problems", v.Writes, v.Reads, v.Flushes, v.Blocks, v.Errors, v.Unanswered, v.AtRest,
		v.Gap.Round(time.Millisecond), len(v.Problems))
}

func (v *Verdict) problem(kind string, block uint64, format string, args ...any) {
	v.Problems = append(v.Problems, Problem{kind, block, fmt.Sprintf(format, args...)})
}

// Check judges a history; limit is for the search on one block.
func (h *History) Check(limit time.Duration) *Verdict {
	v := &Verdict{AtRest: len(h.Rest), Problems: []Problem{}}
	writers := map[uint32]bool{}
	for _, l := range h.Logs {
		if writers[l.Writer] || l.Pool != h.Logs[0].Pool {
			v.problem("log", 0, "%s: writer %d of pool %s: number used twice, or another pool", l.Name, l.Writer, l.Pool)
		}
		writers[l.Writer] = true
		v.count(l)
	}
	if len(v.Problems) > 0 {
		return v
	}
	blocks := h.perBlock(v)
	v.Blocks = len(blocks)
	for _, block := range slices.Sorted(maps.Keys(blocks)) {
		switch ops := blocks[block]; register.Check(ops, limit) {
		case register.Illegal:
			v.problem("not-linearizable", block, "%s", show(ops))
		case register.Unknown:
			v.problem("undecided", block, "history of %d operations not decided within %v", len(ops), limit)
		}
	}
	return v
}

// Gap is the longest time of a log without an acknowledgement, and its start by the client's clock.
func (l *Log) Gap() (gap time.Duration, start time.Time) {
	acknowledged := []int64{l.First, l.Last}
	for _, o := range l.Operations {
		if o.End != 0 && o.Outcome != outcomeError {
			acknowledged = append(acknowledged, o.End)
		}
	}
	slices.Sort(acknowledged)
	for i := range acknowledged[1:] {
		if d := time.Duration(acknowledged[i+1] - acknowledged[i]); d > gap {
			gap, start = d, time.Unix(0, acknowledged[i])
		}
	}
	return gap, start
}

// count adds up a log and looks for its longest gap.
func (v *Verdict) count(l *Log) {
	if gap, start := l.Gap(); gap > v.Gap {
		v.Gap, v.GapStart = gap, start
	}
	for _, o := range l.Operations {
		switch {
		case o.End == 0:
			v.Unanswered++
			continue
		case o.Outcome == outcomeError:
			v.Errors++
			continue
		case o.Op == pool.OpRead:
			v.Reads++
		case o.Op == pool.OpWrite:
			v.Writes++
		default:
			v.Flushes++
		}
	}
}

// perBlock splits the history by block and reports reads of what was never written.
func (h *History) perBlock(v *Verdict) map[uint64][]register.Op {
	blocks := map[uint64][]register.Op{}
	slack, firstRead := h.slack(), h.firstReads()
	for i, l := range h.Logs {
		for _, o := range l.Operations {
			if o.Op == pool.OpFlush {
				continue // without a lost cache a flush promises nothing that a write does not
			}
			r, ok := v.operation(o)
			if !ok {
				continue
			}
			r.Client, r.Call = i, r.Call-slack
			if r.Return == register.Never {
				r.Until = h.latest(l, o, firstRead[o.Stamp.value()])
			} else {
				r.Return += slack
			}
			blocks[o.Block] = append(blocks[o.Block], r)
		}
	}
	for _, o := range h.Rest {
		if r, ok := v.operation(o); ok {
			r.Client = len(h.Logs)
			blocks[o.Block] = append(blocks[o.Block], r)
		}
	}
	return blocks
}

// operation is o for the model. Reads that did not succeed say nothing.
func (v *Verdict) operation(o Operation) (register.Op, bool) {
	if o.Outcome == outcomeCorrupt {
		v.problem("corrupt", o.Block, "%s", o.Error)
	}
	if o.Op == pool.OpRead && !o.acknowledged() {
		return register.Op{}, false
	}
	r := register.Op{Kind: o.Op, FUA: o.FUA, Value: o.Stamp.value(), Call: o.Begin, Return: o.End}
	if !o.acknowledged() {
		r.Return = register.Never
	}
	return r, true
}

// firstReads says when the first read of each value began.
func (h *History) firstReads() map[uint64]int64 {
	first := map[uint64]int64{}
	note := func(o Operation) {
		if o.Op == pool.OpRead && o.acknowledged() {
			if at, known := first[o.Stamp.value()]; !known || o.Begin < at {
				first[o.Stamp.value()] = o.Begin
			}
		}
	}
	for _, l := range h.Logs {
		for _, o := range l.Operations {
			note(o)
		}
	}
	for _, o := range h.Rest {
		note(o)
	}
	return first
}

// latest is when a write that was not acknowledged took effect at the latest, 0 if there is no bound. When a
// newer write is acknowledged, its time is over: a read that begins after that must not be the first one to see
// it. Newer is what was issued after it had failed or, by another client, after the last sign of its own.
func (h *History) latest(l *Log, o Operation, firstRead int64) int64 {
	until := int64(0)
	for _, other := range h.Logs {
		after := o.End // 0: still under way, as far as its own client knows
		if other != l {
			after = max(o.End, l.Last) + int64(clockSkew)
		}
		for _, w := range other.Operations {
			newer := after != 0 && w.Begin > after && w.Op == pool.OpWrite && w.Block == o.Block && w.acknowledged()
			if newer && firstRead > w.End && (until == 0 || w.Begin <= until) {
				until = w.Begin - 1 // the model takes equal times for an overlap
			}
		}
	}
	return until
}

// slack is by how much operations are widened so that clocks which differ make no false alarm: not at all
// unless two logs overlap.
func (h *History) slack() int64 {
	for i, a := range h.Logs {
		for _, b := range h.Logs[:i] {
			if a.First <= b.Last+int64(clockSkew) && b.First <= a.Last+int64(clockSkew) {
				return int64(clockSkew) / 2
			}
		}
	}
	return 0
}

// show lists the end of the history of a block, times in microseconds since its first operation.
func show(ops []register.Op) string {
	const last = 12
	ops = slices.SortedFunc(slices.Values(ops), func(a, b register.Op) int { return int(min(max(a.Call-b.Call, -1), 1)) })
	first, s := ops[0].Call, ""
	for _, o := range ops[max(0, len(ops)-last):] {
		end := "?"
		if o.Return < register.Never/2 {
			end = fmt.Sprint((o.Return - first) / 1000)
		}
		s += fmt.Sprintf(" %v(%d.%d)@%d-%s", o.Kind, o.Value>>32, o.Value&(1<<32-1), (o.Call-first)/1000, end)
	}
	return fmt.Sprintf("%d operations, the last:%s", len(ops), s)
}
