// SPDX-License-Identifier: Apache-2.0

package rmrnl

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestQuantilesOfAHistogram(t *testing.T) {
	l := Latency{Bucket: make([]uint64, LatencyBuckets)}
	require.Zero(t, l.Quantile(0.5))
	l.Bucket[7], l.Bucket[10], l.MaxNS = 90, 10, 1_000_000 // 64 to 128 us, 512 to 1024 us
	require.EqualValues(t, 100, l.Count())
	require.InDelta(t, 99.5, float64(l.Quantile(0.5))/1e3, 0.1, "50 of 90 through its bucket")
	require.InDelta(t, 972.8, float64(l.Quantile(0.99))/1e3, 0.1)
	require.Equal(t, time.Millisecond, l.Quantile(1), "none took longer than the longest")
	l.Bucket[LatencyBuckets-1], l.MaxNS = 1000, uint64(2*time.Minute)
	require.Equal(t, 2*time.Minute, l.Quantile(0.9), "the last bucket has no bound")
	require.Equal(t, 64*time.Microsecond, LatencyBound(6))
}
