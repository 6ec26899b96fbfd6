// SPDX-License-Identifier: Apache-2.0

// Package bench measures a two-leg pool beside md RAID1 over two RNBD devices and beside one raw
// RNBD device, in one rig run, interleaved, so that only ratios count.
//
//	client0 --- stor0, stor1: rnbd_server     raw: /dev/rnbd0; md: RAID1 of /dev/rnbd1 and /dev/rnbd2
//	        \-- stor2, stor3: rmr_server      pool: /dev/brmr0
//
// Two pairs of storage nodes, because RTRS has room for one listener in a kernel.
package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rmr-block/rmr/internal/rig"
)

const (
	diskSize = 384 << 20
	poolSize = 256 << 20
	fileSize = "200m"
)

// Options of a run.
type Options struct {
	Rounds  int // measurements of each cell; the median counts
	Seconds int // of each measurement
	JSON    bool
	// Checksums adds a pool with data checksums.
	Checksums bool
	// LinkDelay is what every packet takes longer from node to node, one way.
	LinkDelay time.Duration
	// LoadOnly leaves out of recovery what has nothing to do with application I/O beside a resync.
	LoadOnly bool
	// ResyncShare is resync_share of the storage nodes in percent; 0: their default.
	ResyncShare int
}

// target is a block device on the client.
type target struct{ Name, Device string }

var targets = []target{
	{"raw rnbd", "/dev/rnbd0"},
	{"md raid1 over rnbd", "/dev/md0"},
	{"rmr, two legs", "/dev/brmr0"},
}

// checked is the pool with data checksums, on the second disks.
var checked = target{"rmr, two legs, checksums", "/dev/brmr1"}

func (o *Options) targets() []target {
	if o.Checksums {
		return append(slices.Clone(targets), checked)
	}
	return targets
}

// load is one fio job.
type load struct {
	Name, RW, BS string
	Depth        int
}

var loads = []load{
	{"4 KiB random write, depth 1", "randwrite", "4k", 1},
	{"4 KiB random write, depth 32", "randwrite", "4k", 32},
	{"128 KiB write, depth 8", "write", "128k", 8},
	{"4 KiB random read, depth 32", "randread", "4k", 32},
}

// Cell is the median of one load on one target.
type Cell struct {
	Load       string    `json:"load"`
	Target     string    `json:"target"`
	IOPS       float64   `json:"iops"`
	P50us      float64   `json:"p50_us"`                  // median completion latency, microseconds
	ClientCPU  float64   `json:"client_cpu"`              // share of the client's one CPU that was busy
	PacketsIO  float64   `json:"packets_sent_io"`         // packets the client's rxe sent per I/O
	ToRaw      float64   `json:"iops_to_raw_rnbd"`        // ratio
	ToPlain    float64   `json:"iops_to_plain,omitempty"` // ratio of a pool with data checksums to the one without
	IOPSRounds []float64 `json:"iops_rounds"`
}

type sample struct{ iops, p50, cpu, packets float64 }

type bench struct {
	opts   Options
	log    io.Writer
	client *rig.Node
	cells  map[[2]int][]sample
}

// Run boots the cluster, measures and prints to out; progress goes to log.
func Run(ctx context.Context, opts Options, out, log io.Writer) error {
	return onCluster(ctx, log, func(c *rig.Cluster) error {
		b := &bench{opts: opts, log: log, client: c.Client(0), cells: map[[2]int][]sample{}}
		return b.run(ctx, c, out)
	}, diskSize, diskSize)
}

// onCluster runs measure on a cluster whose storage nodes have disks of these sizes in bytes. What a run
// leaves behind stays only if it failed.
func onCluster(ctx context.Context, log io.Writer, measure func(c *rig.Cluster) error, disks ...int64) error {
	return onNodes(ctx, log, 4, measure, disks...)
}

func onNodes(ctx context.Context, log io.Writer, storage int, measure func(c *rig.Cluster) error, disks ...int64) error {
	c, err := rig.New(ctx, rig.Storage(storage), rig.Client(1), rig.Disks(disks...), rig.SoftRoCE(), rig.Log(log))
	if err != nil {
		return err
	}
	err = measure(c)
	if err == nil {
		err = c.CheckLogs()
	}
	if cerr := c.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = c.Remove()
	}
	return err
}

func (b *bench) run(ctx context.Context, c *rig.Cluster, out io.Writer) error {
	if err := setup(ctx, c); err != nil {
		return err
	}
	if b.opts.Checksums {
		if err := setupChecked(ctx, c); err != nil {
			return err
		}
	}
	if err := delayLinks(ctx, c, b.opts.LinkDelay); err != nil {
		return err
	}
	for _, t := range b.opts.targets() { // first writes allocate the disk files and set md's bitmap
		if _, err := b.fio(ctx, t, load{RW: "write", BS: "124k", Depth: 8}, "--size="+fileSize); err != nil {
			return err
		}
	}
	for round := range b.opts.Rounds {
		for l, load := range loads {
			for t, target := range b.opts.targets() {
				s, err := b.measure(ctx, target, load)
				if err != nil {
					return fmt.Errorf("measure %s on %s: %w", load.Name, target.Name, err)
				}
				fmt.Fprintf(b.log, "round %d: %s, %s: %.0f IOPS\n", round+1, load.Name, target.Name, s.iops)
				key := [2]int{l, t}
				b.cells[key] = append(b.cells[key], s)
			}
		}
	}
	return b.print(out)
}

// delayLinks makes packets take so much longer from node to node: half of it on either link that they pass.
func delayLinks(ctx context.Context, c *rig.Cluster, delay time.Duration) error {
	for _, n := range c.Nodes() {
		if err := n.Link().Netem(ctx, rig.Netem{Delay: delay / 2}); err != nil {
			return err
		}
	}
	return nil
}

type command struct {
	node   *rig.Node
	script string
}

func runAll(ctx context.Context, commands []command) error {
	for _, cmd := range commands {
		if _, err := cmd.node.Sh(ctx, cmd.script); err != nil {
			return fmt.Errorf("bench: set up %s: %w", cmd.node.Name(), err)
		}
	}
	return nil
}

// setupChecked maps the pool with data checksums; the modules are loaded.
func setupChecked(ctx context.Context, c *rig.Cluster) error {
	addr := func(i int) string { return c.Storage(i).Address() }
	return runAll(ctx, []command{
		{c.Storage(2), fmt.Sprintf("rmrctl pool create checked --device /dev/ubdb --size %d --addr %s --data-checksums", poolSize, addr(2))},
		{c.Storage(3), fmt.Sprintf("rmrctl pool join checked --device /dev/ubdb --peer %s --addr %s", addr(2), addr(3))},
		{c.Client(0), "brmr map checked --node " + addr(2)},
	})
}

// setup maps the three targets of every run on the client.
func setup(ctx context.Context, c *rig.Cluster) error {
	addr := func(i int) string { return c.Storage(i).Address() }
	return runAll(ctx, []command{
		{c.Storage(0), "modprobe rnbd_server"},
		{c.Storage(1), "modprobe rnbd_server"},
		{c.Storage(2), fmt.Sprintf("modprobe brmr_server; rmrctl pool create bench --device /dev/ubda --size %d --addr %s", poolSize, addr(2))},
		{c.Storage(3), fmt.Sprintf("modprobe brmr_server; rmrctl pool join bench --device /dev/ubda --peer %s --addr %s", addr(2), addr(3))},
		{c.Client(0), "modprobe rnbd_client; modprobe raid1"},
		{c.Client(0), mapRNBD("a", addr(0), "/dev/ubda")},
		{c.Client(0), mapRNBD("a", addr(0), "/dev/ubdb")},
		{c.Client(0), mapRNBD("b", addr(1), "/dev/ubdb")},
		{c.Client(0), "mdadm --create /dev/md0 --run --level=1 --raid-devices=2 --bitmap=internal --assume-clean /dev/rnbd1 /dev/rnbd2 >&2"},
		{c.Client(0), "modprobe brmr_client; brmr map bench --node " + addr(2)},
	})
}

func mapRNBD(session, addr, device string) string {
	return fmt.Sprintf("echo 'sessname=%s path=ip:%s device_path=%s' > /sys/devices/virtual/rnbd-client/ctl/map_device",
		session, addr, device)
}

// fioOutput is what we read of fio's JSON.
type fioOutput struct {
	Jobs []struct {
		Read, Write struct {
			IOPS   float64 `json:"iops"`
			Total  float64 `json:"total_ios"`
			ClatNS struct {
				Percentile map[string]float64 `json:"percentile"`
			} `json:"clat_ns"`
			LatNS struct {
				Max float64 `json:"max"`
			} `json:"lat_ns"`
		}
	} `json:"jobs"`
}

func (b *bench) fio(ctx context.Context, t target, l load, more ...string) (*fioOutput, error) {
	argv := append([]string{
		"fio", "--name=bench", "--filename=" + t.Device, "--rw=" + l.RW, "--bs=" + l.BS,
		"--iodepth=" + strconv.Itoa(l.Depth), "--ioengine=libaio", "--direct=1", "--randrepeat=1",
		"--output-format=json",
	}, more...)
	r, err := b.client.Run(ctx, argv...)
	if err != nil {
		return nil, err
	}
	var out fioOutput
	if err := json.Unmarshal([]byte(r.Stdout[strings.Index(r.Stdout, "{"):]), &out); err != nil {
		return nil, fmt.Errorf("read fio's output: %w", err)
	}
	if len(out.Jobs) != 1 {
		return nil, fmt.Errorf("fio reported %d jobs, want 1", len(out.Jobs))
	}
	return &out, nil
}

// counters returns packets sent by the client's rxe, and its busy and total CPU time in ticks.
func (b *bench) counters(ctx context.Context) (packets, busy, total float64, err error) {
	out, err := b.client.Sh(ctx, "cat /sys/class/infiniband/rxe0/ports/1/hw_counters/sent_pkts; head -1 /proc/stat")
	if err != nil {
		return 0, 0, 0, err
	}
	fields := strings.Fields(out) // packets cpu user nice system idle iowait irq softirq ...
	if len(fields) < 9 {
		return 0, 0, 0, fmt.Errorf("counters: %q is too short", out)
	}
	numbers := make([]float64, 0, len(fields))
	for _, f := range append(fields[:1:1], fields[2:]...) {
		n, err := strconv.ParseFloat(f, 64)
		if err != nil {
			return 0, 0, 0, fmt.Errorf("counters: %w", err)
		}
		numbers = append(numbers, n)
	}
	for _, n := range numbers[1:] {
		total += n
	}
	return numbers[0], total - numbers[4] - numbers[5], total, nil
}

func (b *bench) measure(ctx context.Context, t target, l load) (sample, error) {
	// What came before on the other targets let this one's bitmap or intents grow cold.
	if _, err := b.fio(ctx, t, l, "--size="+fileSize, "--time_based", "--runtime=1"); err != nil {
		return sample{}, err
	}
	p0, b0, t0, err := b.counters(ctx)
	if err != nil {
		return sample{}, err
	}
	out, err := b.fio(ctx, t, l, "--size="+fileSize, "--time_based", "--runtime="+strconv.Itoa(b.opts.Seconds))
	if err != nil {
		return sample{}, err
	}
	p1, b1, t1, err := b.counters(ctx)
	if err != nil {
		return sample{}, err
	}
	dir := out.Jobs[0].Write
	if strings.Contains(l.RW, "read") {
		dir = out.Jobs[0].Read
	}
	if dir.Total == 0 || t1 == t0 {
		return sample{}, fmt.Errorf("%s on %s: no I/O done", l.Name, t.Name)
	}
	return sample{
		iops: dir.IOPS, p50: dir.ClatNS.Percentile["50.000000"] / 1000, cpu: (b1 - b0) / (t1 - t0),
		packets: (p1 - p0) / dir.Total,
	}, nil
}

func median(samples []sample, of func(sample) float64) float64 {
	values := make([]float64, len(samples))
	for i, s := range samples {
		values[i] = of(s)
	}
	return middle(values)
}

// middle is the median of values, of an even number the upper one.
func middle(values []float64) float64 {
	return slices.Sorted(slices.Values(values))[len(values)/2]
}
