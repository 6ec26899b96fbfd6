// SPDX-License-Identifier: Apache-2.0

// Package register holds what a 4 KiB block promises, as a model for Porcupine: it is a linearizable
// register whose unflushed values may fall back when every leg of U lost its cache at once
// (docs/protocol.md, I1 to I3). The simulator and the checker of recorded histories share it.
//
// Everything here is a pure function of its input; nothing is kept between calls.
package register

import (
	"slices"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/rmr-block/rmr/pkg/pool"
)

// Op is one operation on one block. A flush or a loss is given to every block that it concerns.
type Op struct {
	Client int     // operations of one client do not overlap
	Kind   pool.Op // read, flush, or what modifies
	FUA    bool
	Loss   bool   // no operation of a client: every leg of U lost its cache
	Value  uint64 // written or read; 0 is the value at the beginning
	Call   int64  // any clock that all operations share
	Return int64  // Never: no answer; a read without one has no place in a history
	Until  int64  // of an operation without an answer: it takes effect before, or never; 0: no such bound
}

// Never is the return of an operation without an answer.
const Never = int64(1) << 62

// Result is the verdict on a history.
type Result = porcupine.CheckResult

// Verdicts: Unknown means that the checker gave up, which is no proof of anything.
const (
	Legal   = porcupine.Ok
	Illegal = porcupine.Illegal
	Unknown = porcupine.Unknown
)

// Check decides the history of one block.
func Check(ops []Op, limit time.Duration) Result {
	losses, lastLoss := 0, int64(0)
	for _, o := range ops {
		if o.Loss {
			losses, lastLoss = losses+1, max(lastLoss, o.Return)
		}
	}
	return porcupine.CheckOperationsTimeout(model(losses), prune(ops, lastLoss), limit)
}

// unread stands for all values that nobody ever read: they cannot be told apart.
const unread = ^uint64(0)

// prune keeps the check fast and changes no verdict. A write without an answer took effect before the first
// read of its value returned; if nobody ever read its value, which no other write has, it may as well never
// have taken effect. A flush that was still running when the last loss was over may as well have taken
// effect after it, where it changes nothing: left out, the same values can be lost and more.
func prune(ops []Op, lastLoss int64) []porcupine.Operation {
	firstRead := map[uint64]int64{}
	for _, o := range ops {
		if o.Kind == pool.OpRead && !o.Loss {
			if at, known := firstRead[o.Value]; !known || o.Return < at {
				firstRead[o.Value] = o.Return
			}
		}
	}
	out := make([]porcupine.Operation, 0, len(ops))
	for _, o := range ops {
		read, known := firstRead[o.Value]
		switch {
		case o.Loss || o.Kind == pool.OpRead:
		case o.Kind == pool.OpFlush:
			if o.Return > lastLoss {
				continue
			}
		case o.Return == Never && o.Value != 0:
			if !known {
				continue
			}
			if o.Return = read; o.Until != 0 {
				o.Return = min(read, o.Until)
			}
		case !known:
			o.Value = unread
		}
		out = append(out, porcupine.Operation{ClientId: o.Client, Input: o, Call: o.Call, Output: o.Value, Return: o.Return})
	}
	return out
}

// state is what is known of a block: the values it may fall back to if caches are lost, the last one being
// the present one, and how many losses are still to come. Without any it has its present value only, so that
// histories that differ in nothing that matters any more are one state.
type state struct {
	losses int
	values []uint64
}

// write makes v the present value; what was present may come back. The order of those does not matter.
func (r state) write(v uint64) state {
	if r.losses == 0 {
		return state{0, []uint64{v}}
	}
	next := make([]uint64, 0, len(r.values)+1)
	for _, old := range r.values {
		if old != v {
			next = append(next, old)
		}
	}
	slices.Sort(next)
	return state{r.losses, append(next, v)}
}

func (r state) only(v uint64) state { return state{r.losses, []uint64{v}} }

// model: without a loss in the history nothing can fall back, a block is a plain register and flushes do not
// matter, which makes the check much faster.
func model(losses int) porcupine.Model {
	if losses > 0 {
		m := lossy(losses)
		return m.ToModel()
	}
	return porcupine.Model{
		Init: func() any { return uint64(0) },
		Step: func(now, input, output any) (bool, any) {
			if o := input.(Op); o.Kind != pool.OpRead {
				return true, o.Value
			}
			return output.(uint64) == now.(uint64), now
		},
	}
}

func lossy(losses int) porcupine.NondeterministicModel {
	return porcupine.NondeterministicModel{
		Init: func() []any { return []any{state{losses, []uint64{0}}} },
		Step: func(now, input, output any) []any { return now.(state).step(input.(Op), output.(uint64)) },
		Equal: func(a, b any) bool {
			x, y := a.(state), b.(state)
			return x.losses == y.losses && slices.Equal(x.values, y.values)
		},
	}
}

func (r state) step(o Op, output uint64) []any {
	now := r.values[len(r.values)-1]
	switch {
	case o.Loss:
		var all []any
		for _, v := range r.values {
			all = append(all, state{r.losses - 1, []uint64{v}})
		}
		return all
	case o.Kind == pool.OpRead:
		if output == now {
			return []any{r}
		}
		return nil
	case o.Kind == pool.OpFlush:
		return []any{r.only(now)}
	case o.FUA:
		return []any{r.only(o.Value)}
	}
	return []any{r.write(o.Value)}
}
