// SPDX-License-Identifier: Apache-2.0

// Promise: an operator sees which leg is slow, and whether its disk is: every request is in one bucket of the
// histograms of the mapped pool, of the legs that it went to and of their stores; a leg behind a slow link is
// slow in its own histogram and in no other's, though applications wait for it.
//
//	client0 --- brmr0 --+--- stor0
//	 rmr-storaged       +--- stor1    <- 20 ms each way
//	                                     rmr-storaged

package scenario_test

import (
	"fmt"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/rig"
)

// histogram of one operation as the tool shows it.
type histogram struct {
	Count   uint64   `json:"count"`
	SumNS   uint64   `json:"sum_ns"`
	MaxNS   uint64   `json:"max_ns"`
	P99NS   uint64   `json:"p99_ns"`
	Buckets []uint64 `json:"buckets"`
}

// longerThan is how many requests took more than 2^log microseconds.
func (h histogram) longerThan(log int) (n uint64) {
	for _, c := range h.Buckets[log+1:] {
		n += c
	}
	return n
}

// measured is what a store, device or leg shows of its requests.
type measured struct {
	Counters struct {
		Reads    uint64 `json:"reads"`
		Writes   uint64 `json:"writes"`
		Flushes  uint64 `json:"flushes"`
		Discards uint64 `json:"discards"`
	} `json:"counters"`
	Latency struct {
		Read    histogram `json:"read"`
		Write   histogram `json:"write"`
		Flush   histogram `json:"flush"`
		Discard histogram `json:"discard"`
	} `json:"latency"`
}

// measurements of a pool: device, legs, stores.
type measurements struct {
	device measured
	legs   []measured
	stores []measured
}

func (p *pool) measurements(t *testing.T) (m measurements) {
	t.Helper()
	m.device = ask[measured](t, p.c.Client(0), "brmr show "+p.name)[0]
	m.legs = ask[measured](t, p.c.Client(0), "rmrctl leg show "+p.name)
	for i := range p.legs {
		m.stores = append(m.stores, ask[measured](t, p.c.Storage(i), "rmrctl pool show "+p.name)...)
	}
	return m
}

// requireNoneLost: every request is in one bucket, and the longest is as long as its bucket says.
func requireNoneLost(t *testing.T, m measured, who string) {
	t.Helper()
	for _, c := range []struct {
		op   string
		want uint64
		h    histogram
	}{{"read", m.Counters.Reads, m.Latency.Read}, {"write", m.Counters.Writes, m.Latency.Write}} {
		require.Equal(t, c.want, c.h.Count, "%ss of %s: %+v", c.op, who, c.h)
		last, sum := -1, uint64(0)
		for i, n := range c.h.Buckets {
			sum += n
			if n > 0 {
				last = i
			}
		}
		require.Equal(t, c.h.Count, sum, "%ss of %s", c.op, who)
		if last < 0 {
			require.Zero(t, c.h.MaxNS)
			continue
		}
		require.LessOrEqual(t, c.h.MaxNS, uint64(1000)<<last, "%ss of %s", c.op, who)
		require.Greater(t, c.h.MaxNS, uint64(1000)<<last>>1, "%ss of %s", c.op, who)
		require.LessOrEqual(t, c.h.P99NS, c.h.MaxNS)
		require.GreaterOrEqual(t, c.h.SumNS, c.h.MaxNS)
		require.LessOrEqual(t, c.h.SumNS, c.h.MaxNS*c.h.Count)
	}
}

func TestLatencyHistograms(t *testing.T) {
	c := start(t, rig.Storage(2), rig.Client(1), rig.Disks(64*mib), rig.File("/etc/rmr/storaged.yaml", []byte(storagedConfig)))
	p := makePool(t, c, pool{name: "slow", legs: 2, disk: 0, size: 48 * mib})
	dev, client := p.attach(t), c.Client(0)
	t.Run("every request counts once", func(t *testing.T) {
		client.MustSh(t, fio(dev, "--rw=randrw --bs=4k --iodepth=16 --size=32m --io_size=8m --fsync=64"))
		client.MustSh(t, "blkdiscard -z -l 1M "+dev)
		m := p.measurements(t)
		requireNoneLost(t, m.device, "the device")
		require.Equal(t, m.device.Counters.Flushes, m.device.Latency.Flush.Count)
		require.Equal(t, m.device.Counters.Discards, m.device.Latency.Discard.Count)
		require.NotZero(t, m.device.Latency.Flush.Count)
		require.NotZero(t, m.device.Latency.Discard.Count)
		for i := range p.legs {
			requireNoneLost(t, m.legs[i], fmt.Sprintf("leg %d", i))
			requireNoneLost(t, m.stores[i], fmt.Sprintf("store %d", i))
			require.Equal(t, m.device.Counters.Writes, m.legs[i].Latency.Write.Count, "each leg gets each write")
			require.Equal(t, m.legs[i].Latency.Write.Count, m.stores[i].Latency.Write.Count)
			require.Equal(t, m.device.Latency.Flush.Count, m.stores[i].Latency.Flush.Count)
		}
		require.Equal(t, m.device.Counters.Reads, m.legs[0].Latency.Read.Count+m.legs[1].Latency.Read.Count)
	})
	t.Run("a slow link is its leg's alone", func(t *testing.T) { slowLink(t, p, dev) })
	t.Run("the daemons tell the same", func(t *testing.T) { latencyMetrics(t, p) })
	p.detachEqual(t)
}

func slowLink(t *testing.T, p *pool, dev string) {
	const writes, slow = 150, 15 // more than 2^15 us = 33 ms are slow; a busy host is not that slow for long
	client := p.c.Client(0)
	before := p.measurements(t)
	require.NoError(t, p.c.Storage(1).Link().Netem(t.Context(), rig.Netem{Delay: 20 * time.Millisecond}))
	client.MustSh(t, fio(dev, fmt.Sprintf("--rw=randwrite --bs=4k --iodepth=1 --size=32m --number_ios=%d", writes)))
	require.NoError(t, p.c.Storage(1).Link().Netem(t.Context(), rig.Netem{}))
	after := p.measurements(t)
	more := func(of func(m measurements) histogram) uint64 {
		require.Equal(t, uint64(writes), of(after).Count-of(before).Count)
		return of(after).longerThan(slow) - of(before).longerThan(slow)
	}
	got := map[string]uint64{}
	for i := range p.legs {
		got[fmt.Sprintf("leg %d", i)] = more(func(m measurements) histogram { return m.legs[i].Latency.Write })
		got[fmt.Sprintf("store %d", i)] = more(func(m measurements) histogram { return m.stores[i].Latency.Write })
	}
	got["device"] = more(func(m measurements) histogram { return m.device.Latency.Write })
	t.Logf("of %d writes took more than 33 ms: %v", writes, got)
	require.EqualValues(t, writes, got["leg 1"])
	require.EqualValues(t, writes, got["device"], "applications wait for the slowest leg")
	for _, who := range []string{"leg 0", "store 0", "store 1"} {
		require.Less(t, got[who], uint64(writes/5), who)
	}
	require.Regexp(t, `MEMBER\s+WRITE-P99\n`, client.MustSh(t, "rmrctl leg show "+p.name+" --fields member,write-p99"))
}

// latencyMetrics: the client host's daemon has device and legs, the storage node's its store.
func latencyMetrics(t *testing.T, p *pool) {
	client, stor := p.c.Client(0), p.c.Storage(1)
	client.MustSh(t, "echo 'modules: [brmr_client]' >> /etc/rmr/storaged.yaml")
	startStoraged(t, client)
	startStoraged(t, stor)
	m := p.measurements(t)
	for _, c := range []struct {
		node  *rig.Node
		name  string
		label string
		h     histogram
	}{
		{client, "rmr_device_latency_seconds", `device="brmr0",op="write",pool="slow"`, m.device.Latency.Write},
		{client, "rmr_leg_latency_seconds", `device="brmr0",member="1",op="write",pool="slow"`, m.legs[1].Latency.Write},
		{stor, "rmr_pool_disk_latency_seconds", `member="1",op="write",pool="slow",store="[0-9a-f-]+"`, m.stores[1].Latency.Write},
	} {
		text := get(t, c.node, "/metrics")
		require.Regexp(t, fmt.Sprintf(`%s_count\{%s\} %d\n`, c.name, c.label, c.h.Count), text)
		require.Regexp(t, fmt.Sprintf(`%s_bucket\{%s,le="0.032768"\} %d\n`, c.name, c.label, c.h.Count-c.h.longerThan(15)), text)
		require.Regexp(t, fmt.Sprintf(`%s_bucket\{%s,le="%s"\} %d\n`, c.name, c.label, regexp.QuoteMeta("+Inf"), c.h.Count), text)
	}
}
