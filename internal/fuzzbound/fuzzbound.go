// SPDX-License-Identifier: Apache-2.0

// Package fuzzbound lets a fuzz target state how much memory hostile input may make a decoder take. It owns
// nothing and starts no goroutine.
package fuzzbound

import (
	"runtime"
	"testing"
)

// Allocates runs fn, which must be repeatable, and fails t if it allocates more than bound bytes on the heap,
// freed ones included. The counter is that of the whole process: a run above the bound is tried twice more, so
// that what another goroutine allocates meanwhile is not taken for fn's.
func Allocates(t testing.TB, bound uint64, fn func()) {
	t.Helper()
	var before, after runtime.MemStats
	var took uint64
	for range 3 {
		runtime.ReadMemStats(&before)
		fn()
		runtime.ReadMemStats(&after)
		if took = after.TotalAlloc - before.TotalAlloc; took <= bound {
			return
		}
	}
	t.Fatalf("%d bytes allocated, at most %d are justified", took, bound)
}
