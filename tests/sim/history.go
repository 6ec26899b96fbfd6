// SPDX-License-Identifier: Apache-2.0

// This file owns the history of a run and its check against the model of a block.

package sim

import (
	"fmt"
	"time"

	"github.com/rmr-block/rmr/internal/register"
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

// Undecided is the promise of a violation that is none: the checker gave up.
const Undecided = "checker"

// perBlock splits the history by block; flushes and losses go to every block that was used. Block -1 stands
// for those that nobody wrote and somebody read as written.
func (h *history) perBlock() map[int][]register.Op {
	used := map[int]bool{}
	for _, r := range h.records {
		for b := r.first; b < r.first+r.n && r.kind.Modifies(); b++ {
			used[b] = true
		}
	}
	out := map[int][]register.Op{}
	for _, r := range h.records {
		o := register.Op{Client: r.client, Kind: r.kind, FUA: r.fua, Loss: r.isLoss, Call: r.call, Return: r.ret}
		if r.ret == 0 {
			o.Return = register.Never
		}
		switch {
		case r.isLoss || r.kind == pool.OpFlush:
			for b := range used {
				out[b] = append(out[b], o)
			}
		case r.kind == pool.OpRead:
			for i, v := range r.values {
				if o.Value = uint64(v); used[r.first+i] {
					out[r.first+i] = append(out[r.first+i], o)
				} else if v != 0 {
					out[-1] = append(out[-1], o)
				}
			}
		default:
			o.Value = uint64(r.value)
			for b := r.first; b < r.first+r.n; b++ {
				out[b] = append(out[b], o)
			}
		}
	}
	return out
}

// check fails the run if a block is not linearizable.
func (w *World) checkHistory() {
	blocks := w.hist.perBlock()
	if len(blocks[-1]) > 0 {
		w.fail("I2", "a block that nobody wrote reads as written")
		return
	}
	for b := range numBlocks {
		switch register.Check(blocks[b], 20*time.Second) {
		case register.Illegal:
			w.fail("I1-I3", "block %d is not linearizable: %s", b, w.hist.show(b))
			return
		case register.Unknown:
			w.fail(Undecided, "block %d: history of %d operations not decided", b, len(blocks[b]))
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
