// SPDX-License-Identifier: Apache-2.0

// This file owns the history of a run and its check: every 4 KiB block is a linearizable register whose
// unflushed writes may fall back when every leg of U lost its cache at once.

package sim

import (
	"fmt"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/rmr-block/rmr/pkg/pool"
)

type record struct {
	client    int
	kind      pool.Op
	fua       bool
	first, n  int
	value     uint32
	values    []uint32
	call, ret int64
	isLoss    bool
}

type history struct {
	clock   int64 // orders calls and returns, so that no two share a moment
	records []record
}

func (h *history) tick() int64 { h.clock++; return h.clock }

func (h *history) begin(c *Client, o *op) int {
	h.records = append(h.records, record{
		client: int(c.id)*16 + o.thread, kind: o.kind, fua: o.fua, first: o.first, n: o.n, value: o.value, call: h.tick(),
	})
	return len(h.records) - 1
}

func (h *history) end(i int, values []uint32) {
	h.records[i].ret = h.tick()
	h.records[i].values = append([]uint32{}, values...)
}

// loss notes that all legs of U that answered an attach had lost their caches.
func (h *history) loss(Time) {
	h.records = append(h.records, record{isLoss: true, call: h.tick(), ret: h.tick()})
}

// rest notes the values found on the disks when everything is at rest.
func (h *history) rest(values [numBlocks]uint32) {
	for b, v := range values {
		h.records = append(h.records, record{kind: pool.OpRead, first: b, n: 1, values: []uint32{v}, call: h.tick(), ret: h.tick()})
	}
}

type action struct {
	kind pool.Op
	fua  bool
	loss bool
	v    uint32
}

// register is the state of a block: the values it may fall back to if caches are lost, the last one being the
// present one, and how many losses are still to come. Without any it has its present value only, so that
// histories that differ in nothing that matters any more are one state.
type register struct {
	losses int
	values []uint32
}

// write makes v the present value; what was present may come back. The order of those does not matter.
func (r register) write(v uint32) register {
	if r.losses == 0 {
		return register{0, []uint32{v}}
	}
	next := make([]uint32, 0, len(r.values)+1)
	for _, old := range r.values {
		if old != v {
			next = append(next, old)
		}
	}
	slices.Sort(next)
	return register{r.losses, append(next, v)}
}

func (r register) only(v uint32) register { return register{r.losses, []uint32{v}} }

// unread stands for all values that nobody ever read: they cannot be told apart.
const unread = ^uint32(0)

// Without a loss in the history nothing can fall back: then a block is a plain register and flushes do not
// matter, which makes the check much faster.
func model(losses int) porcupine.Model {
	if losses == 0 {
		return porcupine.Model{
			Init: func() any { return uint32(0) },
			Step: func(state, input, output any) (bool, any) {
				if a := input.(action); a.kind != pool.OpRead {
					return true, a.v
				}
				return output.(uint32) == state.(uint32), state
			},
		}
	}
	m := porcupine.NondeterministicModel{
		Init: func() []any { return []any{register{losses, []uint32{0}}} },
		Step: func(state, input, output any) []any {
			r, a := state.(register), input.(action)
			now := r.values[len(r.values)-1]
			switch {
			case a.loss:
				var all []any
				for _, v := range r.values {
					all = append(all, register{r.losses - 1, []uint32{v}})
				}
				return all
			case a.kind == pool.OpRead:
				if output.(uint32) == now {
					return []any{r}
				}
				return nil
			case a.kind == pool.OpFlush:
				return []any{r.only(now)}
			case a.fua:
				return []any{r.only(a.v)}
			}
			return []any{r.write(a.v)}
		},
		Equal: func(a, b any) bool {
			x, y := a.(register), b.(register)
			return x.losses == y.losses && slices.Equal(x.values, y.values)
		},
	}
	return m.ToModel()
}

// Undecided is the promise of a violation that is none: the checker gave up.
const Undecided = "checker"

const never = int64(1) << 60

// losses counts the losses and says when the last one was over.
func (h *history) losses() (n int, end int64) {
	for _, r := range h.records {
		if r.isLoss {
			n, end = n+1, r.ret
		}
	}
	return n, end
}

// perBlock splits the history by block; flushes and losses go to every block that was used.
func (h *history) perBlock() map[int][]porcupine.Operation {
	used := map[int]bool{}
	for _, r := range h.records {
		for b := r.first; b < r.first+r.n && r.kind.Modifies(); b++ {
			used[b] = true
		}
	}
	out := map[int][]porcupine.Operation{}
	_, lastLoss := h.losses()
	firstRead := h.firstReads()
	add := func(b int, r record, v uint32) {
		ret := r.ret
		if ret == 0 {
			ret = never
		}
		out[b] = append(out[b], porcupine.Operation{ClientId: r.client, Input: action{r.kind, r.fua, r.isLoss, v}, Call: r.call, Output: v, Return: ret})
	}
	for _, r := range h.records {
		switch {
		case r.isLoss || r.kind == pool.OpFlush:
			// A flush that was still running when the last loss was over may as well have taken effect after
			// it, where it changes nothing: left out, the same values can be lost and more.
			if r.ret != 0 && r.ret <= lastLoss {
				for b := range used {
					add(b, r, 0)
				}
			}
		case r.kind == pool.OpRead:
			for i, v := range r.values {
				if used[r.first+i] {
					add(r.first+i, r, v)
				} else if v != 0 {
					out[-1] = append(out[-1], porcupine.Operation{})
				}
			}
		default:
			for b := r.first; b < r.first+r.n; b++ {
				o := r
				if r.ret == 0 && r.value != 0 {
					if o.ret = firstRead[valueAt{b, r.value}]; o.ret == 0 {
						continue
					}
				}
				v := o.value
				if _, read := firstRead[valueAt{b, v}]; !read {
					v = unread
				}
				add(b, o, v)
			}
		}
	}
	return out
}

type valueAt struct {
	block int
	value uint32
}

// firstReads says when the first read of each value returned. A write without an answer took effect before
// that; if nobody ever read its value, which no other write has, it may as well never have taken effect.
// Knowing this keeps the check fast and changes no verdict.
func (h *history) firstReads() map[valueAt]int64 {
	first := map[valueAt]int64{}
	for _, r := range h.records {
		for i, v := range r.values {
			k := valueAt{r.first + i, v}
			if at, known := first[k]; !known || r.ret < at {
				first[k] = r.ret
			}
		}
	}
	return first
}

// check fails the run if a block is not linearizable.
func (w *World) checkHistory() {
	blocks := w.hist.perBlock()
	if len(blocks[-1]) > 0 {
		w.fail("I2", "a block that nobody wrote reads as written")
		return
	}
	losses, _ := w.hist.losses()
	m := model(losses)
	for b := range numBlocks {
		ops := blocks[b]
		if len(ops) == 0 {
			continue
		}
		switch porcupine.CheckOperationsTimeout(m, ops, 20*time.Second) {
		case porcupine.Illegal:
			w.fail("I1-I3", "block %d is not linearizable: %s", b, w.hist.show(b))
			return
		case porcupine.Unknown:
			w.fail(Undecided, "block %d: history of %d operations not decided", b, len(ops))
			return
		}
	}
}

// show lists the history of a block, one operation each, shortened to the last ones.
func (h *history) show(b int) string {
	s := ""
	for _, r := range h.records {
		if r.isLoss || r.kind == pool.OpFlush || r.first <= b && b < r.first+r.n {
			v := fmt.Sprint(r.value)
			if r.kind == pool.OpRead && len(r.values) > 0 {
				v = fmt.Sprint(r.values[b-r.first])
			}
			name := r.kind.String()
			if r.isLoss {
				name = "LOSS"
			}
			s += fmt.Sprintf(" %s(%s)@%d-%d", name, v, r.call, r.ret)
		}
	}
	if len(s) > 1500 {
		s = "..." + s[len(s)-1500:]
	}
	return s
}
