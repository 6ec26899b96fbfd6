// SPDX-License-Identifier: Apache-2.0

// Histograms of latency among the metrics: the kernel's own counts, with their bounds.

package storaged

import (
	"fmt"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rmr-block/rmr/internal/rmrnl"
)

// histograms are one metric for each kind of object that the kernel keeps histograms of.
type histograms struct {
	store, device, leg *prometheus.Desc
}

func newHistograms() histograms {
	desc := func(name, help string, labels []string) *prometheus.Desc {
		return prometheus.NewDesc("rmr_"+name, help, append(append([]string{}, labels...), "op"), nil)
	}
	return histograms{
		store: desc("pool_disk_latency_seconds", "Requests of clients at this member's disk, from sending to their end.", poolLabels),
		device: desc("device_latency_seconds", "Requests to the mapped pool, from submission to their end.",
			deviceLabels),
		leg: desc("leg_latency_seconds", "Requests that the leg answered well, from sending to the answer.", legLabels),
	}
}

func (h histograms) describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{h.store, h.device, h.leg} {
		ch <- d
	}
}

// collect leaves out what the list of stores does not know, and a second histogram of the same object.
func (h histograms) collect(ch chan<- prometheus.Metric, list []rmrnl.Latency, pools []rmrnl.Pool) {
	stores := map[string]string{}
	for _, p := range pools {
		stores[fmt.Sprint(p.Name, "/", p.MemberID)] = p.StoreUUID.String()
	}
	seen := map[string]bool{}
	for _, l := range list {
		member, dev := strconv.Itoa(int(l.MemberID)), fmt.Sprintf("brmr%d", l.DeviceIndex)
		var desc *prometheus.Desc
		var labels []string
		switch l.Of {
		case rmrnl.LatencyOfStore:
			desc, labels = h.store, []string{l.PoolName, member, stores[l.PoolName+"/"+member]}
			if labels[2] == "" {
				continue // gone since
			}
		case rmrnl.LatencyOfDevice:
			desc, labels = h.device, []string{l.PoolName, dev}
		case rmrnl.LatencyOfLeg:
			desc, labels = h.leg, []string{l.PoolName, dev, member}
		default:
			continue
		}
		labels = append(labels, l.Op.String())
		if key := fmt.Sprintf("%d %q", l.Of, labels); !seen[key] {
			seen[key] = true
			ch <- prometheus.MustNewConstHistogram(desc, l.Count(), float64(l.SumNS)/1e9, cumulative(l), labels...)
		}
	}
}

// cumulative has the count up to each bound in seconds; what took longer than the last one is in the total alone.
func cumulative(l rmrnl.Latency) map[float64]uint64 {
	buckets, sum := map[float64]uint64{}, uint64(0)
	for i, n := range l.Bucket {
		sum += n
		if i < rmrnl.LatencyBuckets-1 {
			buckets[rmrnl.LatencyBound(i).Seconds()] = sum
		}
	}
	return buckets
}
