// SPDX-License-Identifier: Apache-2.0

// This file owns a member's memory of the writes of one epoch: duplicates (F_DUP) and the uncertain list
// (F_LIST).

package dirtymap

import (
	"slices"

	"github.com/rmr-block/rmr/pkg/pool"
)

// Arrival says what a member does with a write that just came in.
type Arrival int

// Arrivals.
const (
	ArrivalNew      Arrival = iota // apply it
	ArrivalRunning                 // a duplicate of a running one: join it
	ArrivalAnswered                // a duplicate of an answered one: answer the same from memory
	ArrivalRefused                 // below the completion mark: refuse, change nothing
)

// Extent is a range of chunks, first to last.
type Extent struct {
	First, Last uint64
}

// Window remembers every write of one epoch that is not known complete. The client's own limit of writes
// in flight bounds it.
type Window struct {
	below  uint64
	writes map[uint64]*write
}

type write struct {
	extent   Extent
	answered bool
	status   pool.Status
}

// NewWindow makes the empty window of a new epoch.
func NewWindow() *Window { return &Window{below: 1, writes: map[uint64]*write{}} }

// Arrive notes a write with its number and chunks, and says what to do. The status is that of an
// answered duplicate.
func (w *Window) Arrive(seq uint64, extent Extent) (Arrival, pool.Status) {
	if seq < w.below {
		return ArrivalRefused, pool.StatusFenced
	}
	known := w.writes[seq]
	switch {
	case known == nil:
		w.writes[seq] = &write{extent: extent}
		return ArrivalNew, pool.StatusOK
	case known.answered:
		return ArrivalAnswered, known.status
	}
	return ArrivalRunning, pool.StatusOK
}

// Answer notes how a write was answered. It stays in the list until it is known complete.
func (w *Window) Answer(seq uint64, status pool.Status) {
	if known := w.writes[seq]; known != nil {
		known.answered, known.status = true, status
	}
}

// Completed moves the completion mark: all writes below s have ended. It never moves back. It tells
// whether it moved.
func (w *Window) Completed(s uint64) bool {
	if s <= w.below {
		return false
	}
	w.below = s
	for seq := range w.writes {
		if seq < s {
			delete(w.writes, seq)
		}
	}
	return true
}

// Below is the completion mark.
func (w *Window) Below() uint64 { return w.below }

// Touches tells whether a write that is not known complete touches a chunk.
func (w *Window) Touches(chunk uint64) bool {
	for _, known := range w.writes {
		if known.extent.First <= chunk && chunk <= known.extent.Last {
			return true
		}
	}
	return false
}

// Newest is the highest number of a write that is not known complete and touches a chunk; 0: there is none.
// Whoever copies the chunk from here takes it for held only when the completion mark is above that number
// (F_COPYLIST): until then the legs may not agree on it.
func (w *Window) Newest(chunk uint64) uint64 {
	newest := uint64(0)
	for seq, known := range w.writes {
		if known.extent.First <= chunk && chunk <= known.extent.Last {
			newest = max(newest, seq)
		}
	}
	return newest
}

// Uncertain lists, in rising order and without repeats, the chunks of all writes not known complete.
func (w *Window) Uncertain() []uint64 {
	var list []uint64
	for _, known := range w.writes {
		for c := known.extent.First; c <= known.extent.Last; c++ {
			list = append(list, c)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// Len is the number of writes in the list.
func (w *Window) Len() int { return len(w.writes) }
