// SPDX-License-Identifier: Apache-2.0

package storaged

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/rmrnl"
	"github.com/rmr-block/rmr/internal/rmrnl/rmrnltest"
)

// busyLatencies are one of each kind, one twice, and one of a store that is gone.
func busyLatencies() []rmrnl.Latency {
	counts := func(at ...int) []uint64 {
		list := make([]uint64, rmrnl.LatencyBuckets)
		for _, i := range at {
			list[i]++
		}
		return list
	}
	leg := rmrnl.Latency{
		Of: rmrnl.LatencyOfLeg, PoolName: "vol9", MemberID: 1, Op: rmrnl.LatencyOpWrite, SumNS: 70_000_000_000, MaxNS: 69_000_000_000,
		Bucket: counts(1, 1, 20, rmrnl.LatencyBuckets-1),
	}
	return []rmrnl.Latency{
		leg, leg,
		{Of: rmrnl.LatencyOfDevice, PoolName: "vol9", Op: rmrnl.LatencyOpRead, SumNS: 3000, Bucket: counts(2)},
		{Of: rmrnl.LatencyOfStore, PoolName: "vol1", Op: rmrnl.LatencyOpFlush, SumNS: 3000, Bucket: counts(2)},
		{Of: rmrnl.LatencyOfStore, PoolName: "gone", Op: rmrnl.LatencyOpFlush, SumNS: 3000, Bucket: counts(2)},
	}
}

// busyNode has something to say in every metric.
func busyNode(t *testing.T) *Daemon {
	t.Helper()
	p := member("vol1", 0x21, "/dev/sdb")
	p.UpToDate, p.Syncing, p.WriteBytes, p.Writes = 1, 2, 1<<20, 7
	s := member("vol2", 0x22, "/dev/sdc")
	s.ResyncState, s.ResyncLeft, s.ResyncTotal, s.ResyncEtaMs, s.ResyncAllowed, s.ResyncLimit = rmrnl.ResyncStateStalled, 3, 5, 1500, 1, 2
	s.Verified, s.VerifyEtaMs, s.VerifyDifferences = 1_700_000_000, 1000, 2
	s.ResyncPace, s.ResyncFloor, s.ResyncTargetNS = rmrnl.ResyncPaceFloor, 4<<20, 20_000_000
	w := newWorld(t, rmrnltest.State{
		Pools:     []rmrnl.Pool{p, s, s}, // the second vol2 must not spoil the scrape
		Devices:   []rmrnl.Device{{Index: 0, Name: "vol9", State: rmrnl.DeviceStateSuspended, ChunkSize: 1 << 20}},
		Legs:      []rmrnl.Leg{{PoolName: "vol9", MemberID: 1, State: rmrnl.LegStateSyncing, LatencyNS: 250_000, Lacking: 2, AgeMs: 1500, DampedMs: 7500}},
		Latencies: busyLatencies(),
	})
	d := w.daemon("")
	d.Once(t.Context())
	return d
}

func TestMetricsFollowTheConventions(t *testing.T) {
	problems, err := testutil.CollectAndLint(newCollector(busyNode(t)))
	require.NoError(t, err)
	require.Empty(t, problems)
}

// promtool of the Debian package prometheus says the same about the whole page.
func TestPromtoolAcceptsTheMetrics(t *testing.T) {
	tool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not installed; the library's linter has its own test")
	}
	rec := httptest.NewRecorder()
	busyNode(t).handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	require.Equal(t, http.StatusOK, rec.Code, rec.Body.String())
	require.Contains(t, rec.Body.String(), "process_start_time_seconds")
	cmd := exec.CommandContext(t.Context(), tool, "check", "metrics")
	cmd.Stdin = bytes.NewReader(rec.Body.Bytes())
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	require.Empty(t, string(out))
}

func TestMetricsSayWhatTheKernelSays(t *testing.T) {
	d := busyNode(t)
	store1, store2 := id(0x21).String(), id(0x22).String()
	want := strings.NewReplacer("S1", `pool="vol1",store="`+store1+`"`, "S2", `pool="vol2",store="`+store2+`"`).Replace(`
# HELP rmr_device_suspended 1 if I/O waits because no up-to-date leg or no majority is left.
# TYPE rmr_device_suspended gauge
rmr_device_suspended{device="brmr0",pool="vol9"} 1
# HELP rmr_leg_damped_seconds Time that the leg still waits because it failed repeatedly.
# TYPE rmr_leg_damped_seconds gauge
rmr_leg_damped_seconds{device="brmr0",member="1",pool="vol9"} 7.5
# HELP rmr_leg_lacking_bytes Bytes of the chunks the member still has to copy, as it said last.
# TYPE rmr_leg_lacking_bytes gauge
rmr_leg_lacking_bytes{device="brmr0",member="1",pool="vol9"} 2.097152e+06
# HELP rmr_leg_latency_average_seconds Moving average of the time from a request to its answer.
# TYPE rmr_leg_latency_average_seconds gauge
rmr_leg_latency_average_seconds{device="brmr0",member="1",pool="vol9"} 0.00025
# HELP rmr_pool_degraded 1 if a member that holds a copy is not up to date, or this one failed.
# TYPE rmr_pool_degraded gauge
rmr_pool_degraded{member="0",S1} 1
rmr_pool_degraded{member="0",S2} 0
# HELP rmr_pool_written_bytes_total Bytes written since assembly.
# TYPE rmr_pool_written_bytes_total counter
rmr_pool_written_bytes_total{member="0",S1} 1.048576e+06
rmr_pool_written_bytes_total{member="0",S2} 0
# HELP rmr_resync_lacking_bytes Bytes of the chunks this member lacks, while it syncs.
# TYPE rmr_resync_lacking_bytes gauge
rmr_resync_lacking_bytes{member="0",S2} 3.145728e+06
# HELP rmr_resync_remaining_seconds Time left at the present speed; absent if unknown.
# TYPE rmr_resync_remaining_seconds gauge
rmr_resync_remaining_seconds{member="0",S2} 1.5
# HELP rmr_storaged_healthy 1 if /healthz answers 200.
# TYPE rmr_storaged_healthy gauge
rmr_storaged_healthy 1
# HELP rmr_up 1 if the kernel answered this scrape.
# TYPE rmr_up gauge
rmr_up 1
`)
	require.NoError(t, testutil.CollectAndCompare(newCollector(d), strings.NewReader(want),
		"rmr_device_suspended", "rmr_leg_lacking_bytes", "rmr_leg_latency_average_seconds", "rmr_pool_degraded", "rmr_pool_written_bytes_total",
		"rmr_leg_damped_seconds", "rmr_resync_lacking_bytes", "rmr_resync_remaining_seconds", "rmr_storaged_healthy", "rmr_up"))
}

// Three legs that are read: each of the others takes half of what a lost one had. A fourth is not read.
func TestWhoTakesOverFromWhom(t *testing.T) {
	state, legs := rmrnltest.State{}, []rmrnl.Leg{}
	for i, s := range []rmrnl.LegState{rmrnl.LegStateUpToDate, rmrnl.LegStateUpToDate, rmrnl.LegStateSyncing, rmrnl.LegStateUpToDate} {
		legs = append(legs, rmrnl.Leg{PoolName: "p", MemberID: uint8(i), Node: fmt.Sprintf("stor%d", i), State: s})
	}
	state.Legs = append(legs, rmrnl.Leg{PoolName: "alone", DeviceIndex: 1, Node: "stor0", State: rmrnl.LegStateUpToDate})
	state.Devices = []rmrnl.Device{{Name: "p"}, {Name: "alone", Index: 1}}
	collector := newCollector(newWorld(t, state).daemon(""))
	require.Equal(t, 6, testutil.CollectAndCount(collector, "rmr_leg_takeover_ratio"))
	require.Equal(t, 5, testutil.CollectAndCount(collector, "rmr_leg_info"))
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(collector)
	families, err := reg.Gather()
	require.NoError(t, err)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == "rmr_leg_takeover_ratio" {
				require.InDelta(t, 0.5, m.GetGauge().GetValue(), 1e-9, m)
			}
		}
	}
}

// The kernel counts each request in one bucket; Prometheus wants all up to a bound, in seconds.
func TestHistogramsAreThoseOfTheKernel(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(newCollector(busyNode(t)))
	families, err := reg.Gather()
	require.NoError(t, err)
	got := map[string][]string{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			h := m.GetHistogram()
			if h == nil {
				continue
			}
			labels := ""
			for _, l := range m.GetLabel() {
				labels += l.GetValue() + " "
			}
			text := fmt.Sprintf("%s%d %g:", labels, h.GetSampleCount(), h.GetSampleSum())
			require.Len(t, h.GetBucket(), rmrnl.LatencyBuckets-1)
			for i, b := range h.GetBucket() {
				if i == 0 || b.GetCumulativeCount() != h.GetBucket()[i-1].GetCumulativeCount() {
					text += fmt.Sprintf(" %d<=%g", b.GetCumulativeCount(), b.GetUpperBound())
				}
			}
			got[f.GetName()] = append(got[f.GetName()], text)
		}
	}
	require.Equal(t, map[string][]string{
		"rmr_leg_latency_seconds":       {"brmr0 1 write vol9 4 70: 0<=1e-06 2<=2e-06 3<=1.048576"},
		"rmr_device_latency_seconds":    {"brmr0 read vol9 1 3e-06: 0<=1e-06 1<=4e-06"},
		"rmr_pool_disk_latency_seconds": {"0 flush vol1 " + id(0x21).String() + " 1 3e-06: 0<=1e-06 1<=4e-06"},
	}, got)
}

// A state that the table of states does not know would be in no series.
func TestEveryStateHasAName(t *testing.T) {
	for name, all := range map[string]struct {
		n    int
		name func(uint8) string
	}{
		"pool":   {3, func(i uint8) string { return rmrnl.PoolState(i).String() }},
		"resync": {6, func(i uint8) string { return rmrnl.ResyncState(i).String() }},
		"verify": {5, func(i uint8) string { return rmrnl.VerifyState(i).String() }},
		"pace":   {9, func(i uint8) string { return rmrnl.ResyncPace(i).String() }},
		"device": {4, func(i uint8) string { return rmrnl.DeviceState(i).String() }},
		"leg":    {7, func(i uint8) string { return rmrnl.LegState(i).String() }},
	} {
		require.NotContains(t, all.name(uint8(all.n-1)), "unknown", name)
		require.Contains(t, all.name(uint8(all.n)), "unknown", "%s has more states than its metric", name)
	}
}

func TestScrapeWithoutKernelTellsSo(t *testing.T) {
	w := newWorld(t, rmrnltest.State{Absent: true})
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(newCollector(w.daemon("")))
	got, err := reg.Gather()
	require.NoError(t, err)
	values := map[string]float64{}
	for _, f := range got {
		values[f.GetName()] = f.GetMetric()[0].GetGauge().GetValue()
	}
	require.Contains(t, values, "rmr_up")
	require.Zero(t, values["rmr_up"])
	require.NotContains(t, values, "rmr_pool_size_bytes")
}
