// SPDX-License-Identifier: Apache-2.0

// What rules need to say how much a node has to do once another is lost (N-1 headroom): the node behind each leg,
// and what share of a lost leg's reads each other leg takes over.

package storaged

import (
	"fmt"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rmr-block/rmr/internal/rmrnl"
)

type headroom struct{ info, takeover *prometheus.Desc }

func newHeadroom() headroom {
	return headroom{
		info: prometheus.NewDesc("rmr_leg_info", "1; the node behind the leg.", append(append([]string{}, legLabels...), "node"), nil),
		takeover: prometheus.NewDesc("rmr_leg_takeover_ratio", "Share of the reads of member lost that this leg gets once that is gone.",
			append(append([]string{}, legLabels...), "node", "lost", "lost_node"), nil),
	}
}

func (h headroom) describe(ch chan<- *prometheus.Desc) {
	ch <- h.info
	ch <- h.takeover
}

// collect has every leg, and every pair of legs that are read now: those up to date.
func (h headroom) collect(ch chan<- prometheus.Metric, legs []leg) {
	read, seen := map[uint32][]leg{}, map[string]bool{}
	for _, l := range legs {
		labels := legNames(l)
		if key := fmt.Sprintf("%q", labels); seen[key] {
			continue
		} else {
			seen[key] = true
		}
		ch <- prometheus.MustNewConstMetric(h.info, gauge, 1, append(labels, l.Node)...)
		if l.State == rmrnl.LegStateUpToDate {
			read[l.DeviceIndex] = append(read[l.DeviceIndex], l)
		}
	}
	for _, peers := range read {
		for _, l := range peers {
			for _, lost := range peers {
				if l.MemberID != lost.MemberID {
					labels := append(legNames(l), l.Node, strconv.Itoa(int(lost.MemberID)), lost.Node)
					ch <- prometheus.MustNewConstMetric(h.takeover, gauge, 1/float64(len(peers)-1), labels...)
				}
			}
		}
	}
}

func legNames(l leg) []string {
	return []string{l.PoolName, fmt.Sprintf("brmr%d", l.DeviceIndex), strconv.Itoa(int(l.MemberID))}
}
