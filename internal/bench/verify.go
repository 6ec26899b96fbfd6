// SPDX-License-Identifier: Apache-2.0

// This file owns the figures of a comparison of copies: how fast it is, and what it costs applications.

package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/rmr-block/rmr/internal/rig"
)

// Rows of the table of verify, in order.
const (
	verifyIdleRate   = "verify alone: MB/s"
	verifyLoadRate   = "verify beside the writes: MB/s"
	verifyShare      = "verify beside the writes / alone"
	verifyIOPS       = "4 KiB writes: IOPS with verify / without"
	verifyP50        = "4 KiB writes: p50 us without verify"
	verifyP50With    = "4 KiB writes: p50 us with verify"
	verifyP50Ratio   = "4 KiB writes: p50 with verify / without"
	verifyP99        = "4 KiB writes: p99 us without verify"
	verifyP99With    = "4 KiB writes: p99 us with verify"
	verifyP99Ratio   = "4 KiB writes: p99 with verify / without"
	verifyDifference = "differences found"
)

var verifyRows = []string{
	verifyIdleRate, verifyLoadRate, verifyShare, verifyIOPS, verifyP50, verifyP50With, verifyP50Ratio, verifyP99, verifyP99With,
	verifyP99Ratio, verifyDifference,
}

// Verify are the figures of a run: medians, and the rounds behind them; names end in the unit or are ratios.
type Verify struct {
	Values map[string]float64   `json:"values"`
	Rounds map[string][]float64 `json:"rounds"`
}

type verifyBench struct {
	*bench
	node   *rig.Node // whose member compares
	result Verify
}

// RunVerify boots a pool of two legs, measures a verify with and without writes beside it, and prints to out.
func RunVerify(ctx context.Context, opts Options, out, log io.Writer) error {
	measure := func(c *rig.Cluster) error {
		v := &verifyBench{
			bench: &bench{opts: opts, log: log, client: c.Client(0)}, node: c.Storage(0), result: Verify{map[string]float64{}, map[string][]float64{}},
		}
		return v.run(ctx, c, out)
	}
	return onNodes(ctx, log, 2, measure, diskSize)
}

func (v *verifyBench) run(ctx context.Context, c *rig.Cluster, out io.Writer) error {
	addr := func(i int) string { return c.Storage(i).Address() }
	err := runAll(ctx, []command{
		{c.Storage(0), fmt.Sprintf("modprobe brmr_server; rmrctl pool create bench --device /dev/ubda --size %d --addr %s", poolSize, addr(0))},
		{c.Storage(1), fmt.Sprintf("modprobe brmr_server; rmrctl pool join bench --device /dev/ubda --peer %s --addr %s", addr(0), addr(1))},
		{c.Client(0), "modprobe brmr_client; brmr map bench --node " + addr(0)},
		// What was never written is a hole of the disk's file and costs less to read.
		{c.Client(0), "dd if=/dev/urandom of=/dev/brmr0 bs=1M oflag=direct status=none || test $(blockdev --getsize64 /dev/brmr0) = " + strconv.Itoa(poolSize)},
	})
	if err == nil {
		err = delayLinks(ctx, c, v.opts.LinkDelay)
	}
	for round := 0; err == nil && round < v.opts.Rounds; round++ {
		if err = v.round(ctx); err != nil {
			err = fmt.Errorf("round %d: %w", round+1, err)
		}
	}
	if err != nil {
		return err
	}
	return v.print(out)
}

func (v *verifyBench) add(name string, value float64) {
	v.result.Rounds[name] = append(v.result.Rounds[name], value)
}

// round measures a verify alone, writes alone, and both together.
func (v *verifyBench) round(ctx context.Context) error {
	begin := time.Now()
	if _, err := v.node.Sh(ctx, "rmrctl verify start bench -w 2>/dev/null"); err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	alone := poolSize / time.Since(begin).Seconds()
	writes := load{"4 KiB random write, depth 8", "randwrite", "4k", 8}
	without, err := v.writes(ctx, writes)
	if err != nil {
		return err
	}
	with, beside, err := v.both(ctx, writes)
	if err != nil {
		return err
	}
	found, err := v.ask(ctx)
	if err != nil {
		return err
	}
	v.add(verifyIdleRate, alone/1e6)
	v.add(verifyLoadRate, beside/1e6)
	v.add(verifyShare, beside/alone)
	v.add(verifyIOPS, with.iops/without.iops)
	v.add(verifyP50, without.p50)
	v.add(verifyP50With, with.p50)
	v.add(verifyP50Ratio, with.p50/without.p50)
	v.add(verifyP99, without.p99)
	v.add(verifyP99With, with.p99)
	v.add(verifyP99Ratio, with.p99/without.p99)
	v.add(verifyDifference, found.Differences)
	fmt.Fprintf(v.log, "verify %.1f MB/s alone, %.1f beside writes; IOPS %.0f without, %.0f with\n", alone/1e6, beside/1e6, without.iops, with.iops)
	return nil
}

// written is what fio says of writes, times in microseconds.
type written struct{ iops, p50, p99 float64 }

func (v *verifyBench) writes(ctx context.Context, l load) (written, error) {
	out, err := v.fio(ctx, target{"pool", "/dev/brmr0"}, l, "--size="+fileSize, "--time_based", "--ramp_time=1", "--runtime="+strconv.Itoa(v.opts.Seconds))
	if err != nil {
		return written{}, err
	}
	w := out.Jobs[0].Write
	if w.IOPS == 0 {
		return written{}, errors.New("no write was done")
	}
	return written{w.IOPS, w.ClatNS.Percentile["50.000000"] / 1e3, w.ClatNS.Percentile["99.000000"] / 1e3}, nil
}

// verifying compares again and again, and counts.
const verifying = `rm -f /tmp/end; n=0; echo 0 > /tmp/runs
while test ! -e /tmp/end; do rmrctl verify start bench -w > /dev/null 2>&1 || test $? = 3; n=$((n + 1)); echo $n > /tmp/runs.new; mv /tmp/runs.new /tmp/runs; done`

// both has writes while a verify runs all the time, and returns what they were, and the bytes compared a second.
func (v *verifyBench) both(ctx context.Context, l load) (with written, rate float64, err error) {
	ended := make(chan error, 1)
	go func() {
		_, err := v.node.Sh(ctx, verifying)
		ended <- err
	}()
	defer func() {
		_, stop := v.node.Sh(ctx, "touch /tmp/end; rmrctl verify stop bench > /dev/null")
		err = errors.Join(err, stop, <-ended)
	}()
	_, err = until(ctx, "the verify to run", func(ctx context.Context) (bool, error) {
		now, err := v.ask(ctx)
		return now.State == "running", err
	})
	if err != nil {
		return with, 0, err
	}
	begin := time.Now()
	before, err := v.compared(ctx)
	if err != nil {
		return with, 0, err
	}
	if with, err = v.writes(ctx, l); err != nil {
		return with, 0, err
	}
	after, err := v.compared(ctx)
	return with, (after - before) / time.Since(begin).Seconds(), err
}

// verifyNow is what the node says of its verify.
type verifyNow struct {
	State       string  `json:"state"`
	Done        float64 `json:"done"` // bytes
	Differences float64 `json:"differences"`
}

func (v *verifyBench) ask(ctx context.Context) (verifyNow, error) {
	var rows []verifyNow
	if err := askJSON(ctx, v.node, "rmrctl verify show bench", &rows); err != nil {
		return verifyNow{}, fmt.Errorf("ask for the verify: %w", err)
	}
	if len(rows) != 1 {
		return verifyNow{}, fmt.Errorf("%d members of the pool on one node", len(rows))
	}
	return rows[0], nil
}

// compared is the number of bytes compared since the loop began; between two runs it may be short by a part.
func (v *verifyBench) compared(ctx context.Context) (float64, error) {
	now, err := v.ask(ctx)
	if err != nil {
		return 0, err
	}
	text, err := v.node.Sh(ctx, "cat /tmp/runs")
	if err != nil {
		return 0, err
	}
	runs, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil {
		return 0, fmt.Errorf("count of runs: %w", err)
	}
	if now.State != "running" {
		now.Done = 0
	}
	return runs*poolSize + now.Done, nil
}

func (v *verifyBench) print(out io.Writer) error {
	for name, values := range v.result.Rounds {
		v.result.Values[name] = middle(values)
	}
	if v.opts.JSON {
		return printJSON(out, v.result)
	}
	t := table.NewWriter()
	t.SetOutputMirror(out)
	t.SetStyle(table.StyleLight)
	t.AppendHeader(table.Row{"two legs", "median"})
	for _, name := range verifyRows {
		t.AppendRow(table.Row{name, fmt.Sprintf("%.3f", v.result.Values[name])})
	}
	t.SetCaption("medians of %d rounds of %d s; only the ratios of one run mean something", v.opts.Rounds, v.opts.Seconds)
	t.Render()
	return nil
}
