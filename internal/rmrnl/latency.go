// SPDX-License-Identifier: Apache-2.0

// Reading of the histograms of latency.

package rmrnl

import "time"

// LatencyBound is the longest time that bucket i counts; the last bucket has none.
func LatencyBound(i int) time.Duration { return time.Microsecond << i }

// Count is how many requests the histogram has.
func (l Latency) Count() (n uint64) {
	for _, c := range l.Bucket {
		n += c
	}
	return n
}

// Quantile is the time within which the share q of the requests (0 to 1) ended, interpolated inside of a bucket and
// never more than the longest; 0 without requests.
func (l Latency) Quantile(q float64) time.Duration {
	rank, seen := q*float64(l.Count()), 0.0
	for i, c := range l.Bucket {
		if c == 0 || seen+float64(c) < rank {
			seen += float64(c)
			continue
		}
		longest := time.Duration(l.MaxNS)
		if i >= LatencyBuckets-1 {
			return longest
		}
		from := time.Duration(0)
		if i > 0 {
			from = LatencyBound(i - 1)
		}
		part := (rank - seen) / float64(c)
		return min(from+time.Duration(part*float64(LatencyBound(i)-from)), longest)
	}
	return 0
}
