// SPDX-License-Identifier: Apache-2.0

package fuzzbound

import (
	"runtime"
	"testing"
)

// refusals notes that the check failed, instead of failing the test.
type refusals struct {
	testing.TB
	n int
}

func (r *refusals) Helper()               {}
func (r *refusals) Fatalf(string, ...any) { r.n++ }

var sink []byte

// A decoder that trusts a length is caught, one that does not passes.
func TestAllocationBeyondTheBoundIsNoticed(t *testing.T) {
	r := &refusals{TB: t}
	Allocates(r, 4096, func() { sink = make([]byte, 1024) })
	if r.n != 0 {
		t.Error("1 KiB was refused under a bound of 4 KiB")
	}
	Allocates(r, 4096, func() { sink = make([]byte, 1<<20) })
	if r.n != 1 {
		t.Error("1 MiB passed a bound of 4 KiB")
	}
	runtime.KeepAlive(sink)
}
