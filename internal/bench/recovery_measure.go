// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// nicBytes is what the client's network device has moved in both directions.
func (r *recovery) nicBytes(ctx context.Context) (float64, error) {
	out, err := r.client.Sh(ctx, "cat /sys/class/net/vec0/statistics/rx_bytes /sys/class/net/vec0/statistics/tx_bytes")
	if err != nil {
		return 0, err
	}
	sum := 0.0
	for _, f := range strings.Fields(out) {
		n, err := strconv.ParseFloat(f, 64)
		if err != nil {
			return 0, fmt.Errorf("read counters of the network device: %w", err)
		}
		sum += n
	}
	return sum, nil
}

// measureResync lets the leg miss 64 MiB, each block once, and come back to an idle device.
func (r *recovery) measureResync(ctx context.Context, s *subject, into *Recovery, pattern string, fio ...string) error {
	if err := s.lose(ctx); err != nil {
		return fmt.Errorf("lose a leg of %s: %w", s.Name, err)
	}
	argv := append([]string{
		"fio", "--name=dirty", "--filename=" + s.Device, "--ioengine=libaio", "--direct=1",
		"--io_size=" + strconv.Itoa(dirtied), "--randseed=" + strconv.Itoa(1+len(into.Rounds[pattern+": s to redundancy"])),
	}, fio...)
	if _, err := r.client.Run(ctx, argv...); err != nil {
		return fmt.Errorf("write to %s without a leg: %w", s.Name, err)
	}
	nic, err := r.nicBytes(ctx)
	if err != nil {
		return err
	}
	if err := s.back(ctx); err != nil {
		return fmt.Errorf("bring a leg of %s back: %w", s.Name, err)
	}
	took, err := until(ctx, s.Name+" to be whole", s.whole)
	if err != nil {
		return err
	}
	nicNow, err := r.nicBytes(ctx)
	if err != nil {
		return err
	}
	copied, err := s.copied(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(r.log, "%s, %s: whole after %v, copied %.1f MiB, client moved %.2f MiB\n", s.Name, pattern,
		took.Round(time.Millisecond), copied/(1<<20), (nicNow-nic)/(1<<20))
	into.add(pattern+": s to redundancy", took.Seconds())
	into.add(pattern+": bytes resynced / dirtied", copied/dirtied)
	into.add(pattern+": client NIC bytes / resynced", (nicNow-nic)/copied)
	return nil
}

// loadScript runs until it is told to end and leaves completions per 250 ms of its run.
const loadScript = `cd /tmp && rm -f load_iops.1.log && echo $$ > load.pid && exec fio --name=load --filename=%s --rw=randwrite --bs=4k ` +
	`--iodepth=8 --ioengine=libaio --direct=1 --size=96m --time_based --runtime=150 --write_iops_log=load --log_avg_msec=250 --output=/dev/null`

// measureLoad has application I/O run before, without and during the return of a leg.
func (r *recovery) measureLoad(ctx context.Context, s *subject, into *Recovery) error {
	undisturbed, err := r.fio(ctx, s.target, load{RW: "write", BS: "128k", Depth: 8}, "--size="+fileSize, "--time_based", "--runtime=4")
	if err != nil {
		return err
	}
	bandwidth := undisturbed.Jobs[0].Write.IOPS * 128 * 1024
	ended := make(chan error, 1)
	begin := time.Now()
	go func() {
		_, err := r.client.Sh(ctx, fmt.Sprintf(loadScript, s.Device))
		ended <- err
	}()
	window, copied, err := r.loadPhases(ctx, s, begin)
	_, kerr := r.client.Sh(ctx, "kill -INT $(cat /tmp/load.pid)")
	<-ended // fio's code tells only that it was interrupted
	if err := errors.Join(err, kerr); err != nil {
		return fmt.Errorf("load on %s: %w", s.Name, err)
	}
	iops, err := r.readLoad(ctx, window)
	if err != nil {
		return err
	}
	rate := copied / (window[2][1] - window[2][0]).Seconds()
	fmt.Fprintf(r.log, "%s: IOPS %.0f before, %.0f degraded, %.0f during %v of resync at %.1f MiB/s; undisturbed %.1f MiB/s\n", s.Name,
		iops[0], iops[1], iops[2], (window[2][1] - window[2][0]).Round(time.Millisecond), rate/(1<<20), bandwidth/(1<<20))
	into.add("load: IOPS degraded / before", iops[1]/iops[0])
	into.add("load: IOPS during resync / degraded", iops[2]/iops[1])
	into.add("load: resync rate / undisturbed write bandwidth", rate/bandwidth)
	into.add("load: resync s", (window[2][1] - window[2][0]).Seconds())
	return nil
}

// loadPhases returns the times since begin between which the load ran before, degraded and during resync.
func (r *recovery) loadPhases(ctx context.Context, s *subject, begin time.Time) (window [3][2]time.Duration, copied float64, err error) {
	const settle, measure = 2 * time.Second, 5 * time.Second
	phase := func(i int) {
		time.Sleep(settle)
		window[i][0] = time.Since(begin)
		time.Sleep(measure)
		window[i][1] = time.Since(begin)
	}
	phase(0)
	if err := s.lose(ctx); err != nil {
		return window, 0, err
	}
	phase(1)
	if _, err := r.client.Sh(ctx, "dd if=/dev/urandom of="+s.Device+" bs=1M seek=128 count=64 oflag=direct status=none"); err != nil {
		return window, 0, err
	}
	if err := s.back(ctx); err != nil {
		return window, 0, err
	}
	before, err := s.copied(ctx) // of an earlier resync: a new one starts from nothing
	if err != nil {
		return window, 0, err
	}
	started := func(ctx context.Context) (bool, error) {
		n, err := s.copied(ctx)
		return n > 0 && n != before, err
	}
	if _, err := until(ctx, "resync to start", started); err != nil {
		return window, 0, err
	}
	window[2][0] = time.Since(begin)
	paces := map[string]int{}
	whole := func(ctx context.Context) (bool, error) {
		if s.pace != nil {
			pace, err := s.pace(ctx)
			if err != nil {
				return false, err
			}
			paces[pace]++
		}
		return s.whole(ctx)
	}
	if _, err := until(ctx, "redundancy", whole); err != nil {
		return window, 0, err
	}
	fmt.Fprintf(r.log, "%s: what set the rate, of looks: %v\n", s.Name, paces)
	window[2][1] = time.Since(begin)
	copied, err = s.copied(ctx)
	return window, copied, err
}

// readLoad averages fio's samples of each window.
func (r *recovery) readLoad(ctx context.Context, window [3][2]time.Duration) (iops [3]float64, err error) {
	out, err := r.client.Sh(ctx, "cat /tmp/load_iops.1.log")
	if err != nil {
		return iops, err
	}
	var count [3]int
	for line := range strings.Lines(out) {
		fields := strings.Split(line, ",")
		if len(fields) < 2 {
			return iops, fmt.Errorf("fio's log: %q", line)
		}
		ms, err1 := strconv.ParseFloat(strings.TrimSpace(fields[0]), 64)
		n, err2 := strconv.ParseFloat(strings.TrimSpace(fields[1]), 64)
		if err1 != nil || err2 != nil {
			return iops, fmt.Errorf("fio's log: %q", line)
		}
		at := time.Duration(ms * float64(time.Millisecond))
		for i, w := range window {
			if at >= w[0] && at < w[1] {
				iops[i] += n
				count[i]++
			}
		}
	}
	for i := range iops {
		if count[i] == 0 || iops[i] == 0 {
			return iops, fmt.Errorf("no sample between %v and %v", window[i][0], window[i][1])
		}
		iops[i] /= float64(count[i])
	}
	return iops, nil
}

// measureOutages kills the node of a leg, and cuts its link, under writes one after the other: the
// longest of them is the time without acknowledgements.
func (r *recovery) measureOutages(ctx context.Context, s *subject, into *Recovery) error {
	leg := r.cluster.Storage(3)
	for _, how := range []struct {
		name       string
		fail, heal func(ctx context.Context) error
	}{
		{"link lost silently", func(context.Context) error { return leg.Link().Cut() }, func(ctx context.Context) error { return r.heal(ctx, leg) }},
		{"node killed", func(context.Context) error { return leg.Kill() }, func(ctx context.Context) error {
			if err := leg.Restart(ctx); err != nil {
				return err
			}
			_, err := leg.Sh(ctx, "modprobe brmr_server; for d in a c d; do rmrctl pool assemble /dev/ubd$d; done")
			return err
		}},
	} {
		longest, err := r.outage(ctx, s, how.fail)
		if err != nil {
			return fmt.Errorf("%s: %w", how.name, err)
		}
		if err := how.heal(ctx); err != nil {
			return err
		}
		for _, name := range []string{"bench", "small", "large"} {
			if err := r.waitLeg(ctx, name, "up-to-date"); err != nil {
				return err
			}
		}
		fmt.Fprintf(r.log, "%s, %s: nothing acknowledged for %v\n", s.Name, how.name, longest)
		into.add(how.name+": s without acknowledgement", longest.Seconds())
	}
	return nil
}

func (r *recovery) outage(ctx context.Context, s *subject, fail func(ctx context.Context) error) (time.Duration, error) {
	type end struct {
		out *fioOutput
		err error
	}
	ended := make(chan end, 1)
	go func() {
		out, err := r.fio(ctx, s.target, load{RW: "randwrite", BS: "4k", Depth: 1}, "--size="+fileSize, "--time_based", "--runtime=14")
		ended <- end{out, err}
	}()
	time.Sleep(4 * time.Second)
	failed := fail(ctx)
	e := <-ended
	if err := errors.Join(failed, e.err); err != nil {
		return 0, err
	}
	return time.Duration(e.out.Jobs[0].Write.LatNS.Max), nil
}
