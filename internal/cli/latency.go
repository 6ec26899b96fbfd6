// SPDX-License-Identifier: Apache-2.0

// Histograms of latency in what the read verbs show.

package cli

import (
	"fmt"

	"github.com/rmr-block/rmr/internal/rmrnl"
)

// histogramView is one operation's histogram; number i of buckets counts what took at most 2^i microseconds and is in
// none before it, the last one all that took longer. Quantiles are interpolated inside of a bucket.
type histogramView struct {
	Count   uint64   `json:"count"`
	SumNS   uint64   `json:"sum_ns"`
	MaxNS   uint64   `json:"max_ns"`
	P50NS   uint64   `json:"p50_ns"`
	P99NS   uint64   `json:"p99_ns"`
	Buckets []uint64 `json:"buckets"`
}

// latencyView has the histograms of a store, device or leg, by operation.
type latencyView struct {
	Read    histogramView `json:"read"`
	Write   histogramView `json:"write"`
	Flush   histogramView `json:"flush"`
	Discard histogramView `json:"discard"`
}

// viewLatency picks the histograms of one object; none of its operations is missing in the result.
func viewLatency(all []rmrnl.Latency, is func(rmrnl.Latency) bool) latencyView {
	var v latencyView
	ops := map[rmrnl.LatencyOp]*histogramView{
		rmrnl.LatencyOpRead: &v.Read, rmrnl.LatencyOpWrite: &v.Write, rmrnl.LatencyOpFlush: &v.Flush, rmrnl.LatencyOpDiscard: &v.Discard,
	}
	for _, h := range ops {
		h.Buckets = []uint64{}
	}
	for _, l := range all {
		if h := ops[l.Op]; h != nil && is(l) {
			*h = histogramView{
				l.Count(), l.SumNS, l.MaxNS,
				uint64(l.Quantile(0.5)), uint64(l.Quantile(0.99)), notNil(l.Bucket),
			}
		}
	}
	return v
}

func storeLatency(all []rmrnl.Latency, p rmrnl.Pool) latencyView {
	return viewLatency(all, func(l rmrnl.Latency) bool {
		return l.Of == rmrnl.LatencyOfStore && l.PoolName == p.Name && l.MemberID == p.MemberID
	})
}

func deviceLatency(all []rmrnl.Latency, d rmrnl.Device) latencyView {
	return viewLatency(all, func(l rmrnl.Latency) bool {
		return l.Of == rmrnl.LatencyOfDevice && l.DeviceIndex == d.Index
	})
}

func legLatency(all []rmrnl.Latency, leg rmrnl.Leg) latencyView {
	return viewLatency(all, func(l rmrnl.Latency) bool {
		return l.Of == rmrnl.LatencyOfLeg && l.DeviceIndex == leg.DeviceIndex && l.MemberID == leg.MemberID
	})
}

// latencyColumns are fields such as read-p50, of each operation but discards, which the JSON has.
func latencyColumns[T any](of func(T) latencyView) []column[T] {
	var cols []column[T]
	for _, op := range []struct {
		name string
		of   func(latencyView) histogramView
	}{
		{"read", func(v latencyView) histogramView { return v.Read }},
		{"write", func(v latencyView) histogramView { return v.Write }},
		{"flush", func(v latencyView) histogramView { return v.Flush }},
	} {
		for _, part := range []struct {
			name string
			of   func(histogramView) uint64
		}{
			{"p50", func(h histogramView) uint64 { return h.P50NS }},
			{"p99", func(h histogramView) uint64 { return h.P99NS }},
			{"max", func(h histogramView) uint64 { return h.MaxNS }},
		} {
			cols = append(cols, column[T]{fmt.Sprintf("%s-%s", op.name, part.name), false, true, func(v T) string {
				h := op.of(of(v))
				if h.Count == 0 {
					return ""
				}
				return micro(part.of(h))
			}})
		}
	}
	return cols
}
