// SPDX-License-Identifier: Apache-2.0

// This file owns the order in which a syncing member takes its dirty chunks, and from whom.

package dirtymap

import (
	"slices"

	"github.com/rmr-block/rmr/pkg/pool"
)

// Copy is one step of a resync: chunk from member Source.
type Copy struct {
	Chunk  uint64
	Source int
	Ticket uint64 // tells two copies of one chunk apart
}

// Planner hands out copies of the chunks that a member lacks. Chunks come in rising order, several at a
// time, spread over the sources; a chunk that failed comes back after the others.
type Planner struct {
	lack    map[uint64]struct{}
	running map[uint64]Copy
	tickets uint64
	failed  map[uint64]pool.Mask // sources that failed the chunk in this round
	load    [pool.MaxMembers]int
}

// NewPlanner makes a planner without chunks.
func NewPlanner() *Planner {
	return &Planner{lack: map[uint64]struct{}{}, running: map[uint64]Copy{}, failed: map[uint64]pool.Mask{}}
}

// Add notes that the member lacks a chunk. A running copy of it is void (F_VOID).
func (p *Planner) Add(chunk uint64) {
	p.lack[chunk] = struct{}{}
	p.stop(chunk)
}

// Lacks tells whether the member lacks a chunk.
func (p *Planner) Lacks(chunk uint64) bool {
	_, ok := p.lack[chunk]
	return ok
}

// Left is the number of chunks lacked, running ones included.
func (p *Planner) Left() int { return len(p.lack) }

// Running is the number of copies handed out and not ended.
func (p *Planner) Running() int { return len(p.running) }

// Next hands out the lowest chunk that is not running, not held, and has a source: sources says for a
// chunk which members can serve it. Among them the least loaded is taken, then the lowest id. ok is false
// if there is none.
func (p *Planner) Next(held func(chunk uint64) bool, sources func(chunk uint64) pool.Mask) (c Copy, ok bool) {
	for _, chunk := range p.Chunks() {
		if _, busy := p.running[chunk]; busy || held(chunk) {
			continue
		}
		from := sources(chunk) &^ p.failed[chunk]
		if from == 0 {
			delete(p.failed, chunk) // all failed: a later round tries them again
			continue
		}
		best := -1
		for id := range from.All() {
			if best < 0 || p.load[id] < p.load[best] {
				best = id
			}
		}
		p.tickets++
		c = Copy{chunk, best, p.tickets}
		p.running[chunk] = c
		p.load[best]++
		return c, true
	}
	return Copy{}, false
}

// Done ends a copy whose data is stable. It tells false, and the chunk stays lacked, if the copy was void
// or never handed out.
func (p *Planner) Done(c Copy) bool {
	if !p.Valid(c) {
		return false
	}
	p.stop(c.Chunk)
	delete(p.lack, c.Chunk)
	delete(p.failed, c.Chunk)
	return true
}

// Valid tells whether a copy is still the running one of its chunk.
func (p *Planner) Valid(c Copy) bool {
	running, ok := p.running[c.Chunk]
	return ok && running == c
}

// Fail ends a copy without success; the source is not asked for this chunk again in this round.
func (p *Planner) Fail(c Copy) {
	if p.Valid(c) {
		p.stop(c.Chunk)
		p.failed[c.Chunk] = p.failed[c.Chunk].With(c.Source)
	}
}

func (p *Planner) stop(chunk uint64) {
	if c, ok := p.running[chunk]; ok {
		p.load[c.Source]--
		delete(p.running, chunk)
	}
}

// Reset forgets everything, as when the member joins again.
func (p *Planner) Reset() {
	tickets := p.tickets
	*p = *NewPlanner()
	p.tickets = tickets
}

// Chunks lists the chunks lacked in rising order.
func (p *Planner) Chunks() []uint64 {
	list := make([]uint64, 0, len(p.lack))
	for chunk := range p.lack {
		list = append(list, chunk)
	}
	slices.Sort(list)
	return list
}
