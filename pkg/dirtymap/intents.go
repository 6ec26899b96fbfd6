// SPDX-License-Identifier: Apache-2.0

// This file owns when a write intent may be cleared (F_INTENT). The intents themselves are bits of the Map.

package dirtymap

import "slices"

// Intents tracks, per chunk with an intent, the newest write and whether the leg flushed since.
type Intents struct {
	clock  uint64 // rises with every write that reached the store
	chunks map[uint64]*intent
}

type intent struct {
	seq     uint64 // highest write number
	applied uint64 // clock of the last write that reached the store
	running int    // writes on their way to the store
	flushed bool
	held    bool // uncertain: stays until NewEpoch
}

// NewIntents makes a tracker without chunks.
func NewIntents() *Intents { return &Intents{chunks: map[uint64]*intent{}} }

// Begin notes a write to a chunk before its data is submitted.
func (t *Intents) Begin(chunk, seq uint64) {
	i := t.chunks[chunk]
	if i == nil {
		i = &intent{}
		t.chunks[chunk] = i
	}
	i.seq = max(i.seq, seq)
	i.running++
	i.flushed = false
}

// Applied notes that a write begun before has reached the store's cache, or failed.
func (t *Intents) Applied(chunk uint64) {
	if i := t.chunks[chunk]; i != nil && i.running > 0 {
		t.clock++
		i.running--
		i.applied = t.clock
		i.flushed = false
	}
}

// FlushStart returns a mark to hand to Flushed when the flush that starts now has succeeded.
func (t *Intents) FlushStart() uint64 { return t.clock }

// Flushed notes that everything applied up to the mark is stable on this leg.
func (t *Intents) Flushed(mark uint64) {
	for _, i := range t.chunks {
		if i.running == 0 && i.applied <= mark {
			i.flushed = true
		}
	}
}

// Clearable lists the chunks, in rising order, whose intents may be cleared: all their writes are below
// the completion mark and flushed here.
func (t *Intents) Clearable(below uint64) []uint64 {
	var list []uint64
	for chunk, i := range t.chunks {
		if i.running == 0 && i.flushed && !i.held && i.seq < below {
			list = append(list, chunk)
		}
	}
	slices.Sort(list)
	return list
}

// Cleared forgets a chunk whose intent was cleared.
func (t *Intents) Cleared(chunk uint64) { delete(t.chunks, chunk) }

// Hold keeps the intents of all chunks tracked now until Release: their writes belong to an older epoch,
// session or life, and nobody knows yet whether the legs agree on them (F_KEEP).
func (t *Intents) Hold() {
	for _, i := range t.chunks {
		i.seq, i.held = 0, true
	}
}

// Restore tracks a chunk whose intent was found on disk. It is held and not flushed.
func (t *Intents) Restore(chunk uint64) { t.chunks[chunk] = &intent{held: true} }

// Release ends Hold: the client said that the marks of all uncertain chunks are persisted everywhere.
func (t *Intents) Release() {
	for _, i := range t.chunks {
		i.held = false
	}
}
