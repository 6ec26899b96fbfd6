// SPDX-License-Identifier: Apache-2.0

// This file owns virtual time: the event queue, the random source, the network between nodes, and the
// counters of a run. One goroutine runs a world; nothing here is shared.

package sim

import (
	"container/heap"
	"fmt"
	"io"
	"math/rand/v2"

	"github.com/rmr-block/rmr/pkg/pool"
)

// Time is virtual time in microseconds.
type Time int64

// Virtual durations.
const (
	Millisecond Time = 1000
	Second      Time = 1000 * Millisecond
)

const (
	maxNodes = 32
	leaseT   = 100 * Millisecond // a client reads only while its legs answered within this
	callTime = 60 * Millisecond  // an unanswered request is a failed leg after this
	tickTime = 20 * Millisecond  // keepalives and everything periodic
)

type event struct {
	at  Time
	seq uint64
	fn  func()
}

type eventHeap []event

func (h eventHeap) Len() int { return len(h) }
func (h eventHeap) Less(i, j int) bool {
	return h[i].at < h[j].at || h[i].at == h[j].at && h[i].seq < h[j].seq
}
func (h eventHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *eventHeap) Push(x any)   { *h = append(*h, x.(event)) }
func (h *eventHeap) Pop() any {
	old := *h
	e := old[len(old)-1]
	old[len(old)-1] = event{}
	*h = old[:len(old)-1]
	return e
}

// Stats counts what a run did.
type Stats struct {
	Ops    int // completed client operations
	Faults int // injected
	Events int
}

// World is one simulated pool with everything around it.
type World struct {
	cfg       Config
	rng       *rand.Rand
	now       Time
	queue     eventHeap
	seq       uint64
	cut       [maxNodes][maxNodes]bool
	forking   bool      // an operator is forcing an attach or settling what came of it
	gone      pool.Mask // members that are away meanwhile
	members   []*Member // data members, then the witness if there is one
	clients   []*Client
	exchanges []exchange
	voters    pool.Voters
	lineage   pool.UUID
	hist      history
	stats     Stats
	calm      bool // no more faults
	handles   int
	values    uint32
	trace     io.Writer
	failure   *Violation

	established pool.View // newest view any client established, for the checks only
}

// Violation is a promise that was broken.
type Violation struct {
	Seed    uint64
	Promise string // I1 .. I10
	Symptom string
}

func (v *Violation) Error() string {
	return fmt.Sprintf("seed %d: %s: %s", v.Seed, v.Promise, v.Symptom)
}

func (w *World) fail(promise, format string, args ...any) {
	if w.failure == nil {
		w.failure = &Violation{w.cfg.Seed, promise, fmt.Sprintf(format, args...)}
		w.logf("VIOLATION %s", w.failure.Symptom)
	}
}

func (w *World) logf(format string, args ...any) {
	if w.trace != nil {
		fmt.Fprintf(w.trace, "%9d %s\n", w.now, fmt.Sprintf(format, args...))
	}
}

// on tells whether a rule is in force.
func (w *World) on(r Rule) bool { return w.cfg.Mutant != r }

func (w *World) chance(p float64) bool { return w.rng.Float64() < p }

// between is a random time from a to b.
func (w *World) between(a, b Time) Time { return a + Time(w.rng.Int64N(int64(b-a)+1)) }

// number is a fresh number for handles and requests.
func (w *World) number() int {
	w.handles++
	return w.handles
}

func (w *World) after(d Time, fn func()) {
	w.seq++
	heap.Push(&w.queue, event{w.now + d, w.seq, fn})
}

// run processes events until stop says so, the time is over, or a promise is broken.
func (w *World) run(until Time, stop func() bool) {
	for len(w.queue) > 0 && w.failure == nil && w.queue[0].at <= until {
		e := heap.Pop(&w.queue).(event)
		w.now = e.at
		w.stats.Events++
		e.fn()
		if stop != nil && stop() {
			return
		}
	}
	if w.failure == nil {
		w.now = max(w.now, until)
	}
}

// Node is a place that can crash.
type Node struct {
	index int
	up    bool
	boot  int
}

// later runs fn on a node after d, unless it crashed in between.
func (w *World) later(n *Node, d Time, fn func()) {
	boot := n.boot
	w.after(d, func() {
		if n.up && n.boot == boot {
			fn()
		}
	})
}

// delay is the time of one message: short, now and then long enough to overtake others.
func (w *World) delay() Time {
	slow := w.cfg.Slow
	if w.calm && w.cfg.Split {
		slow = 0 // two slow messages in a row are a failed leg, so these are a fault that ends
	}
	if w.chance(slow) {
		return w.between(Millisecond, 40*Millisecond)
	}
	return w.between(20, 400)
}

// call sends a request from one node to another. serve runs at the destination, perhaps twice, perhaps
// never; done runs once at the source, with ok false if no answer came in time.
func (w *World) call(src, dst *Node, serve func(reply func(any)), done func(v any, ok bool)) {
	if !src.up {
		return
	}
	srcBoot, dstBoot, finished := src.boot, dst.boot, false
	finish := func(v any, ok bool) {
		if !finished && src.up && src.boot == srcBoot {
			finished = true
			done(v, ok)
		}
	}
	deliver := func(d Time) {
		w.after(d, func() {
			if (w.cut[src.index][dst.index] && src != dst) || !dst.up || dst.boot != dstBoot {
				return
			}
			serve(func(v any) {
				w.after(w.delay(), func() {
					if !w.cut[dst.index][src.index] || src == dst {
						finish(v, true)
					}
				})
			})
		})
	}
	deliver(w.delay())
	if w.chance(w.cfg.Duplicate) {
		deliver(w.delay() + w.delay())
	}
	w.after(callTime, func() { finish(nil, false) })
}
