// SPDX-License-Identifier: Apache-2.0

// The metrics: asked of the kernel at each scrape, nothing is kept between two. Names carry their
// unit; counters that start anew with a pool or a session end in _total all the same, as a
// restart of a process does.

package storaged

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rmr-block/rmr/internal/rmrnl"
	"github.com/rmr-block/rmr/pkg/pool"
)

const (
	gauge   = prometheus.GaugeValue
	counter = prometheus.CounterValue
)

// metric is one value of an object of type T. A metric without a value is left out.
type metric[T any] struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(T) (v float64, ok bool)
}

func define[T any](kind prometheus.ValueType, labels []string, name, help string, value func(T) float64) metric[T] {
	return metric[T]{
		prometheus.NewDesc("rmr_"+name, help, labels, nil), kind,
		func(v T) (float64, bool) { return value(v), true },
	}
}

func (m metric[T]) when(ok func(T) bool) metric[T] {
	value := m.value
	m.value = func(v T) (float64, bool) {
		n, _ := value(v)
		return n, ok(v)
	}
	return m
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// states are one metric with a label state, 1 for the state that is.
type states[T any] struct {
	desc *prometheus.Desc
	all  int // number of states
	name func(i uint8) string
	is   func(T) uint8
}

func defineStates[T any](labels []string, name, help string, all int, text func(uint8) string, is func(T) uint8) states[T] {
	return states[T]{prometheus.NewDesc("rmr_"+name, help, append(append([]string{}, labels...), "state"), nil), all, text, is}
}

// family is what is said about objects of one type.
type family[T any] struct {
	labels  func(T) []string
	metrics []metric[T]
	states  []states[T]
}

func (f family[T]) describe(ch chan<- *prometheus.Desc) {
	for _, m := range f.metrics {
		ch <- m.desc
	}
	for _, s := range f.states {
		ch <- s.desc
	}
}

// collect leaves out a second object with the same labels, which would spoil the whole scrape.
func (f family[T]) collect(ch chan<- prometheus.Metric, list []T) {
	seen := map[string]bool{}
	for _, v := range list {
		labels := f.labels(v)
		if key := fmt.Sprintf("%q", labels); seen[key] {
			continue
		} else {
			seen[key] = true
		}
		for _, m := range f.metrics {
			if n, ok := m.value(v); ok {
				ch <- prometheus.MustNewConstMetric(m.desc, m.kind, n, labels...)
			}
		}
		for _, s := range f.states {
			for i := range uint8(s.all) {
				ch <- prometheus.MustNewConstMetric(s.desc, gauge, truth(s.is(v) == i), append(append([]string{}, labels...), s.name(i))...)
			}
		}
	}
}

// leg is a leg with the device it belongs to.
type leg struct {
	rmrnl.Leg
	chunk uint32
}

// device is a mapped pool with what its legs say of it.
type device struct {
	rmrnl.Device
	atRisk uint64 // bytes
}

// bytesAtRisk is what the loss of one more leg could take away: nothing while two legs are up to date, all if no
// other leg is on its way, else what the one that lacks least still lacks.
func bytesAtRisk(d rmrnl.Device, legs []rmrnl.Leg) uint64 {
	good, least := 0, d.Size
	for _, l := range legs {
		switch {
		case l.DeviceIndex != d.Index:
		case l.State == rmrnl.LegStateUpToDate:
			good++
		case l.State == rmrnl.LegStateSyncing:
			least = min(least, l.Lacking*uint64(d.ChunkSize))
		}
	}
	switch {
	case good > 1:
		return 0
	case good == 0:
		return d.Size
	}
	return least
}

// node is what the daemon itself knows.
type node struct {
	up       bool
	last     Report
	rounds   uint64
	attempts map[attempt]uint64
}

var (
	poolLabels   = []string{"pool", "member", "store"}
	deviceLabels = []string{"pool", "device"}
	legLabels    = []string{"pool", "device", "member"}
)

func countMembers(p rmrnl.Pool, ok func(rmrnl.Member) bool) (n float64) {
	for _, m := range p.Member {
		n += truth(pool.MemberState(m.Kind) == pool.MemberData && ok(m))
	}
	return n
}

func bits(m rmrnl.Mask) float64 { return float64(len(m.List())) }

func syncing(p rmrnl.Pool) bool { return p.ResyncState != rmrnl.ResyncStateNone }

func poolFamily(now func() time.Time) family[rmrnl.Pool] {
	type P = rmrnl.Pool
	g := func(name, help string, v func(P) float64) metric[P] { return define(gauge, poolLabels, name, help, v) }
	c := func(name, help string, v func(P) uint64) metric[P] {
		return define(counter, poolLabels, name, help, func(p P) float64 { return float64(v(p)) })
	}
	return family[P]{
		labels: func(p P) []string { return []string{p.Name, strconv.Itoa(int(p.MemberID)), p.StoreUUID.String()} },
		states: []states[P]{
			defineStates(poolLabels, "pool_state", "State of the pool on this node, 1 for the one that is.", 3,
				func(i uint8) string { return rmrnl.PoolState(i).String() }, func(p P) uint8 { return uint8(p.State) }),
			defineStates(poolLabels, "resync_state", "State of this member's resync, 1 for the one that is.", 6,
				func(i uint8) string { return rmrnl.ResyncState(i).String() }, func(p P) uint8 { return uint8(p.ResyncState) }),
			defineStates(poolLabels, "verify_state", "State of this member's comparison with others, 1 for the one that is.", 5,
				func(i uint8) string { return rmrnl.VerifyState(i).String() }, func(p P) uint8 { return uint8(p.VerifyState) }),
			defineStates(poolLabels, "resync_pace", "What sets the rate of this member's resync, 1 for the one that does.", 9,
				func(i uint8) string { return rmrnl.ResyncPace(i).String() }, func(p P) uint8 { return uint8(p.ResyncPace) }),
		},
		metrics: []metric[P]{
			g("pool_size_bytes", "Size of the volume.", func(p P) float64 { return float64(p.Size) }),
			g("pool_store_size_bytes", "Usable size of this member's store, metadata included.", func(p P) float64 { return float64(p.StoreSize) }),
			g("pool_device_grown_bytes", "Bytes of this member's device that its store does not use.", func(p P) float64 { return float64(p.DeviceGrown) }),
			g("pool_chunk_size_bytes", "Size of a chunk, the unit of dirty tracking.", func(p P) float64 { return float64(p.ChunkSize) }),
			g("pool_members", "Members that hold a copy.", func(p P) float64 { return countMembers(p, func(rmrnl.Member) bool { return true }) }),
			g("pool_members_up_to_date", "Members in the view's up-to-date set, as this member knows it.", func(p P) float64 { return bits(p.UpToDate) }),
			g("pool_members_syncing", "Members in the view's syncing set, as this member knows it.", func(p P) float64 { return bits(p.Syncing) }),
			g("pool_degraded", "1 if a member that holds a copy is not up to date, or this one failed.", func(p P) float64 {
				missing := countMembers(p, func(m rmrnl.Member) bool { return !p.UpToDate.Has(m.ID) })
				return truth(missing > 0 || p.State == rmrnl.PoolStateFailed)
			}),
			g("pool_discarded", "1 if this member's history was given up and it has not joined since.", func(p P) float64 { return truth(p.Discarded) }),
			g("pool_view_number", "Number of the highest view this member knows.", func(p P) float64 { return float64(p.View) }),
			g("pool_damaged_superblock_copies", "Superblock copies found damaged at assembly and not rewritten since.", func(p P) float64 { return bits(p.DamagedCopies) }),
			g("pool_clean", "1 if the last client detached cleanly.", func(p P) float64 { return truth(p.Clean) }),
			g("pool_intent_chunks", "Chunks with a write intent.", func(p P) float64 { return float64(p.Intents) }),
			g("pool_inflight_requests", "Requests being served.", func(p P) float64 { return float64(p.Inflight) }),
			c("pool_reads_total", "Reads served since assembly.", func(p P) uint64 { return p.Reads }),
			c("pool_writes_total", "Writes served since assembly.", func(p P) uint64 { return p.Writes }),
			c("pool_flushes_total", "Flushes served since assembly.", func(p P) uint64 { return p.Flushes }),
			c("pool_discards_total", "Discards and writes of zeros served since assembly.", func(p P) uint64 { return p.Discards }),
			c("pool_read_bytes_total", "Bytes read since assembly.", func(p P) uint64 { return p.ReadBytes }),
			c("pool_written_bytes_total", "Bytes written since assembly.", func(p P) uint64 { return p.WriteBytes }),
			c("pool_errors_total", "Requests answered with an error since assembly.", func(p P) uint64 { return p.Errors }),
			c("pool_refused_messages_total", "Messages refused by a check or by the fence.", func(p P) uint64 { return p.Refused }),
			c("pool_stale_reads_total", "Reads refused because the chunk is lacked here.", func(p P) uint64 { return p.Stale }),
			g("pool_disk_failed_places", "Places of the disk that failed lately; at 8 the policy detach lets the member leave.", func(p P) float64 { return float64(p.DiskErrors) }),
			g("pool_disk_left", "1 if the member left by its policy, as its disk failed too often.", func(p P) float64 { return truth(p.Left) }),
			g("pool_disk_hung_seconds", "Time that the disk has not answered a request that is past its deadline; 0 if it answers.", func(p P) float64 { return float64(p.HungMs) / 1e3 }),
			c("pool_disk_read_errors_total", "Reads of clients that the disk failed.", func(p P) uint64 { return p.ReadErrors }),
			c("pool_disk_write_errors_total", "Writes of clients that the disk failed at the first try.", func(p P) uint64 { return p.WriteErrors }),
			c("pool_disk_write_retries_total", "Writes of clients that the disk took at the second try.", func(p P) uint64 { return p.WriteRetries }),
			c("pool_bad_data_total", "Messages whose data did not match its checksum; it was not stored.", func(p P) uint64 { return p.BadData }),
			c("pool_missed_writes_total", "Writes that could not be applied here.", func(p P) uint64 { return p.Missed }),
			g("resync_lacking_bytes", "Bytes of the chunks this member lacks, while it syncs.", func(p P) float64 { return float64(p.ResyncLeft) * float64(p.ChunkSize) }).when(syncing),
			g("resync_lacked_bytes", "Bytes of the chunks this member lacked when its resync began.", func(p P) float64 { return float64(p.ResyncTotal) * float64(p.ChunkSize) }).when(syncing),
			c("resync_copied_bytes_total", "Bytes copied since the member joined the view.", func(p P) uint64 { return p.ResyncCopied }),
			c("resync_failures_total", "Copies that failed and are tried again.", func(p P) uint64 { return p.ResyncFailures }),
			g("resync_speed_bytes_per_second", "Bytes copied in the last second.", func(p P) float64 { return float64(p.ResyncRate) }),
			g("resync_allowed_bytes_per_second", "Bytes per second that the controller allows; absent if it sets no bound.", func(p P) float64 { return float64(p.ResyncAllowed) }).when(func(p P) bool { return p.ResyncAllowed > 0 }),
			g("resync_limit_bytes_per_second", "Bytes per second that an operator allows; absent if there is no bound.", func(p P) float64 { return float64(p.ResyncLimit) }).when(func(p P) bool { return p.ResyncLimit > 0 }),
			g("resync_floor_bytes_per_second", "Bytes per second that resync gets however long application I/O takes.", func(p P) float64 { return float64(p.ResyncFloor) }),
			g("resync_target_latency_seconds", "Latency of application I/O that resync keeps to.", func(p P) float64 { return float64(p.ResyncTargetNS) / 1e9 }),
			c("resync_equal_bytes_total", "Bytes found equal by digests and not copied since the member joined the view.", func(p P) uint64 { return p.ResyncEqual }),
			g("verify_age_seconds", "Time since this member was last compared completely with all others; absent if never.", func(p P) float64 { return max(float64(now().Unix())-float64(p.Verified), 0) }).when(func(p P) bool { return p.Verified > 0 }),
			g("verify_last_different_blocks", "Blocks of 4 KiB that differed then.", func(p P) float64 { return float64(p.VerifiedDifferences) }).when(func(p P) bool { return p.Verified > 0 }),
			g("verify_different_blocks", "Blocks of 4 KiB that the present or last comparison found to differ.", func(p P) float64 { return float64(p.VerifyDifferences) }),
			g("verify_busy_chunks", "Chunks that the last comparison left out, as they were written all the time or could not be read.", func(p P) float64 { return float64(p.VerifyBusy) }),
			g("verify_compared_bytes", "Bytes compared by the present or last comparison.", func(p P) float64 { return float64(p.VerifyDone) }),
			g("verify_to_compare_bytes", "Bytes that it is to compare.", func(p P) float64 { return float64(p.VerifyTotal) }),
			g("verify_speed_bytes_per_second", "Bytes compared in the last second.", func(p P) float64 { return float64(p.VerifyRate) }),
			g("verify_remaining_seconds", "Time left of a comparison at the present speed; absent if unknown.", func(p P) float64 { return float64(p.VerifyEtaMs) / 1e3 }).when(func(p P) bool { return p.VerifyEtaMs > 0 }),
			g("resync_remaining_seconds", "Time left at the present speed; absent if unknown.", func(p P) float64 { return float64(p.ResyncEtaMs) / 1e3 }).when(func(p P) bool { return p.ResyncEtaMs > 0 }),
		},
	}
}

func deviceFamily() family[device] {
	type D = device
	g := func(name, help string, v func(D) float64) metric[D] {
		return define(gauge, deviceLabels, name, help, v)
	}
	c := func(name, help string, v func(D) uint64) metric[D] {
		return define(counter, deviceLabels, name, help, func(d D) float64 { return float64(v(d)) })
	}
	return family[D]{
		labels: func(d D) []string { return []string{d.Name, fmt.Sprintf("brmr%d", d.Index)} },
		states: []states[D]{defineStates(deviceLabels, "device_state", "State of the mapped pool, 1 for the one that is.", 4,
			func(i uint8) string { return rmrnl.DeviceState(i).String() }, func(d D) uint8 { return uint8(d.State) })},
		metrics: []metric[D]{
			g("device_size_bytes", "Size of the mapped pool.", func(d D) float64 { return float64(d.Size) }),
			g("device_suspended", "1 if I/O waits because no up-to-date leg or no majority is left.", func(d D) float64 { return truth(d.State == rmrnl.DeviceStateSuspended) }),
			g("device_bytes_at_risk", "Bytes that the loss of one more leg could take away, as this client knows it.", func(d D) float64 { return float64(d.atRisk) }),
			g("device_up_to_date_legs", "Legs that hold all of the data, as this client sees them.", func(d D) float64 { return bits(d.UpToDate) }),
			g("device_inflight_requests", "Requests that are under way.", func(d D) float64 { return float64(d.Inflight) }),
			c("device_reads_total", "Reads.", func(d D) uint64 { return d.Reads }),
			c("device_writes_total", "Writes.", func(d D) uint64 { return d.Writes }),
			c("device_flushes_total", "Flushes.", func(d D) uint64 { return d.Flushes }),
			c("device_discards_total", "Discards and writes of zeros.", func(d D) uint64 { return d.Discards }),
			c("device_read_bytes_total", "Bytes read.", func(d D) uint64 { return d.ReadBytes }),
			c("device_written_bytes_total", "Bytes written.", func(d D) uint64 { return d.WriteBytes }),
			c("device_errors_total", "Requests that failed.", func(d D) uint64 { return d.Errors }),
			c("device_held_requests_total", "Requests that waited for an overlapping one.", func(d D) uint64 { return d.Held }),
		},
	}
}

func legFamily() family[leg] {
	g := func(name, help string, v func(leg) float64) metric[leg] {
		return define(gauge, legLabels, name, help, v)
	}
	c := func(name, help string, v func(leg) uint64) metric[leg] {
		return define(counter, legLabels, name, help, func(l leg) float64 { return float64(v(l)) })
	}
	return family[leg]{
		labels: legNames,
		states: []states[leg]{defineStates(legLabels, "leg_state", "State of the leg as this client sees it, 1 for the one that is.", 7,
			func(i uint8) string { return rmrnl.LegState(i).String() }, func(l leg) uint8 { return uint8(l.State) })},
		metrics: []metric[leg]{
			g("leg_latency_average_seconds", "Moving average of the time from a request to its answer.", func(l leg) float64 { return float64(l.LatencyNS) / 1e9 }),
			g("leg_state_age_seconds", "Time in the present state.", func(l leg) float64 { return float64(l.AgeMs) / 1e3 }),
			g("leg_damped_seconds", "Time that the leg still waits because it failed repeatedly.", func(l leg) float64 { return float64(l.DampedMs) / 1e3 }),
			g("leg_lacking_bytes", "Bytes of the chunks the member still has to copy, as it said last.", func(l leg) float64 { return float64(l.Lacking) * float64(l.chunk) }).when(func(l leg) bool { return l.chunk > 0 }),
			g("leg_split_brain", "1 if the member has another history than the pool as it is mapped here.", func(l leg) float64 { return truth(l.Reason == rmrnl.ReasonSplitBrain) }),
			g("leg_inflight_requests", "Requests that are under way.", func(l leg) float64 { return float64(l.Inflight) }),
			c("leg_reads_total", "Reads sent to the leg.", func(l leg) uint64 { return l.Reads }),
			c("leg_writes_total", "Writes sent to the leg.", func(l leg) uint64 { return l.Writes }),
			c("leg_read_bytes_total", "Bytes read from the leg.", func(l leg) uint64 { return l.ReadBytes }),
			c("leg_written_bytes_total", "Bytes written to the leg.", func(l leg) uint64 { return l.WriteBytes }),
			c("leg_errors_total", "Requests of the leg that failed.", func(l leg) uint64 { return l.Errors }),
			c("leg_read_errors_total", "Reads that the leg's disk failed; another leg was asked.", func(l leg) uint64 { return l.ReadErrors }),
			c("leg_read_repairs_total", "Ranges that were unreadable on the leg and were written back.", func(l leg) uint64 { return l.ReadRepairs }),
			c("leg_read_repair_failures_total", "Ranges that were unreadable on the leg and could not be written back.", func(l leg) uint64 { return l.ReadRepairFailures }),
			c("leg_bad_data_total", "Writes that the leg refused because their data did not match its checksum.", func(l leg) uint64 { return l.BadData }),
			c("leg_ejections_total", "Times the leg was taken out of the view.", func(l leg) uint64 { return uint64(l.Ejections) }),
			c("leg_returns_total", "Times the leg came back into the view.", func(l leg) uint64 { return uint64(l.Returns) }),
		},
	}
}

// nodeMetrics are those of the daemon itself.
type nodeMetrics struct {
	up, healthy, last, rounds, stores, attempts *prometheus.Desc
}

func newNodeMetrics() nodeMetrics {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("rmr_"+name, help, labels, nil)
	}
	return nodeMetrics{
		up:       desc("up", "1 if the kernel answered this scrape."),
		healthy:  desc("storaged_healthy", "1 if /healthz answers 200."),
		last:     desc("storaged_last_scan_timestamp_seconds", "End of the last look at the node, seconds since 1970."),
		rounds:   desc("storaged_scans_total", "Looks at the node since the daemon started."),
		stores:   desc("storaged_stores", "Stores and devices of interest on this node, by state.", "state"),
		attempts: desc("storaged_attempts_total", "Attempts to load a module, add a link or serve a store, by result.", "kind", "result"),
	}
}

func (m nodeMetrics) describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.up, m.healthy, m.last, m.rounds, m.stores, m.attempts} {
		ch <- d
	}
}

func (m nodeMetrics) collect(ch chan<- prometheus.Metric, n node) {
	add := func(d *prometheus.Desc, kind prometheus.ValueType, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, kind, v, labels...)
	}
	add(m.up, gauge, truth(n.up))
	add(m.healthy, gauge, truth(n.last.Healthy))
	add(m.rounds, counter, float64(n.rounds))
	if !n.last.Time.IsZero() {
		add(m.last, gauge, float64(n.last.Time.UnixMilli())/1e3)
	}
	byState := map[StoreState]float64{}
	for _, s := range n.last.Stores {
		byState[s.State]++
	}
	for _, s := range []StoreState{StoreServed, StoreWaiting, StoreStopped, StoreFailed, StoreReturned, StoreAmbiguous, StoreReplaced, StoreBroken} {
		add(m.stores, gauge, byState[s], string(s))
	}
	for _, kind := range []string{"link", "module", "store", "verify"} {
		add(m.attempts, counter, float64(n.attempts[attempt{kind, true}]), kind, "good")
		add(m.attempts, counter, float64(n.attempts[attempt{kind, false}]), kind, "failed")
	}
}

// collector implements prometheus.Collector. It holds no state of its own.
type collector struct {
	d       *Daemon
	pools   family[rmrnl.Pool]
	devices family[device]
	legs    family[leg]
	hist    histograms
	room    headroom
	node    nodeMetrics
}

func newCollector(d *Daemon) *collector {
	return &collector{d, poolFamily(d.env.Now), deviceFamily(), legFamily(), newHistograms(), newHeadroom(), newNodeMetrics()}
}

// Describe names every metric.
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	c.pools.describe(ch)
	c.devices.describe(ch)
	c.legs.describe(ch)
	c.hist.describe(ch)
	c.room.describe(ch)
	c.node.describe(ch)
}

// Collect asks the kernel. If it does not answer, what the daemon knows is told all the same, and
// rmr_up is 0.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), kernelLimit)
	defer cancel()
	k, err := c.ask(ctx)
	n := node{up: err == nil, last: c.d.Health()}
	c.d.mu.Lock()
	n.rounds, n.attempts = c.d.rounds, maps.Clone(c.d.attempts)
	c.d.mu.Unlock()
	c.node.collect(ch, n)
	c.pools.collect(ch, k.pools)
	c.devices.collect(ch, k.devices)
	c.legs.collect(ch, k.legs)
	c.hist.collect(ch, k.latencies, k.pools)
	c.room.collect(ch, k.legs)
}

// kernelSays is what one scrape learns of the kernel.
type kernelSays struct {
	pools     []rmrnl.Pool
	devices   []device
	legs      []leg
	latencies []rmrnl.Latency
}

// ask returns what it has learnt until the first error.
func (c *collector) ask(ctx context.Context) (k kernelSays, err error) {
	client, err := c.d.env.Dial()
	if err != nil {
		return k, err
	}
	defer client.Close()
	if k.pools, err = client.Pools(ctx); err != nil {
		return k, err
	}
	mapped, err := client.Devices(ctx)
	if err != nil {
		return k, err
	}
	list, err := client.Legs(ctx)
	chunks := map[uint32]uint32{}
	for _, d := range mapped {
		chunks[d.Index] = d.ChunkSize
		k.devices = append(k.devices, device{d, bytesAtRisk(d, list)})
	}
	for _, l := range list {
		k.legs = append(k.legs, leg{l, chunks[l.DeviceIndex]})
	}
	if err != nil {
		return k, err
	}
	k.latencies, err = client.Latencies(ctx)
	return k, err
}
