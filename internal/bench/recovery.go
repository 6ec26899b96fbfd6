// SPDX-License-Identifier: Apache-2.0

// This file owns the figures of failure and return: how long nothing is acknowledged, what a resync
// copies and how long it takes, and what application I/O has meanwhile, beside md RAID1 over RNBD.

package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/rmr-block/rmr/internal/rig"
)

const (
	dirtied    = 64 << 20               // bytes that a missing leg misses
	returnTime = 3 * time.Minute        // limit for full redundancy
	pollEvery  = 100 * time.Millisecond // of a state
	smallPool  = 1 << 30
	largePool  = 64 << 30
	metadata   = 16 << 20 // more than the metadata of either
)

// subject is a device with two legs of which one can go away and come back.
type subject struct {
	target
	lose   func(ctx context.Context) error            // returns when the device goes on without the leg
	back   func(ctx context.Context) error            // starts its return
	whole  func(ctx context.Context) (bool, error)    // full redundancy again
	copied func(ctx context.Context) (float64, error) // bytes written to the leg by resync since it came back
	pace   func(ctx context.Context) (string, error)  // what sets the rate of the resync now; nil: not told
}

// Recovery are medians of one run; names end in the unit.
type Recovery struct {
	Target string             `json:"target"`
	Values map[string]float64 `json:"values"`
	Rounds map[string][]float64
}

func (r *Recovery) add(name string, value float64) { r.Rounds[name] = append(r.Rounds[name], value) }

type recovery struct {
	*bench
	cluster  *rig.Cluster
	subjects []*subject
	results  []*Recovery
}

// RunRecovery boots the cluster, measures failure and return, and prints to out.
func RunRecovery(ctx context.Context, opts Options, out, log io.Writer) error {
	return onCluster(ctx, log, func(c *rig.Cluster) error {
		r := &recovery{bench: &bench{opts: opts, log: log, client: c.Client(0)}, cluster: c}
		return r.run(ctx, out)
	}, diskSize, diskSize, smallPool+metadata, largePool+metadata)
}

func (r *recovery) run(ctx context.Context, out io.Writer) error {
	if err := r.setup(ctx); err != nil {
		return err
	}
	if r.opts.LoadOnly {
		return r.runLoad(ctx, out)
	}
	small, err := r.addPool(ctx, "small", 2, smallPool)
	if err != nil {
		return err
	}
	large, err := r.addPool(ctx, "large", 3, largePool)
	if err != nil {
		return err
	}
	if err := r.begin(ctx, small, large); err != nil {
		return err
	}
	for round := range r.opts.Rounds {
		if err := r.round(ctx, round+1, small, large); err != nil {
			return fmt.Errorf("round %d: %w", round+1, err)
		}
	}
	return r.print(out)
}

// setup maps what is measured.
func (r *recovery) setup(ctx context.Context) error {
	if err := setup(ctx, r.cluster); err != nil || r.opts.ResyncShare == 0 {
		return err
	}
	set := fmt.Sprintf("echo %d > /sys/module/rmr_server/parameters/resync_share", r.opts.ResyncShare)
	return runAll(ctx, []command{{r.cluster.Storage(2), set}, {r.cluster.Storage(3), set}})
}

// begin slows links down, and writes everything once: first writes allocate the disk files and set md's bitmap.
func (r *recovery) begin(ctx context.Context, more ...*subject) error {
	if err := delayLinks(ctx, r.cluster, r.opts.LinkDelay); err != nil {
		return err
	}
	r.subjects = []*subject{r.poolSubject("bench", targets[2]), r.mdSubject(targets[1])}
	for _, s := range append(slices.Clone(r.subjects), more...) {
		r.results = append(r.results, &Recovery{Target: s.Name, Rounds: map[string][]float64{}, Values: map[string]float64{}})
	}
	for _, s := range r.subjects {
		if _, err := r.fio(ctx, s.target, load{RW: "write", BS: "124k", Depth: 8}, "--size="+fileSize); err != nil {
			return err
		}
	}
	return nil
}

// runLoad measures application I/O beside a resync alone.
func (r *recovery) runLoad(ctx context.Context, out io.Writer) error {
	if err := r.begin(ctx); err != nil {
		return err
	}
	for round := range r.opts.Rounds {
		for i, s := range r.subjects {
			fmt.Fprintf(r.log, "round %d: %s\n", round+1, s.Name)
			if err := r.measureLoad(ctx, s, r.results[i]); err != nil {
				return fmt.Errorf("round %d: %w", round+1, err)
			}
		}
	}
	return r.print(out)
}

// round measures everything once.
func (r *recovery) round(ctx context.Context, n int, small, large *subject) error {
	for i, s := range r.subjects {
		fmt.Fprintf(r.log, "round %d: %s\n", n, s.Name)
		if err := r.measureResync(ctx, s, r.results[i], "random 4 KiB", "--rw=randwrite", "--bs=4k", "--iodepth=32", "--size="+fileSize); err != nil {
			return err
		}
		if err := r.measureResync(ctx, s, r.results[i], "one run", "--rw=write", "--bs=128k", "--iodepth=8", "--offset=32m", "--size=64m"); err != nil {
			return err
		}
		if err := r.measureLoad(ctx, s, r.results[i]); err != nil {
			return err
		}
	}
	for i, s := range []*subject{small, large} {
		fmt.Fprintf(r.log, "round %d: %s\n", n, s.Name)
		if err := r.measureResync(ctx, s, r.results[len(r.subjects)+i], "random 4 KiB", "--rw=randwrite", "--bs=4k", "--iodepth=32", "--size=1000m"); err != nil {
			return err
		}
	}
	return r.measureOutages(ctx, r.subjects[0], r.results[0])
}

// addPool makes one more pool on stor2 and stor3 and maps it.
func (r *recovery) addPool(ctx context.Context, name string, disk int, size int64) (*subject, error) {
	first, second := r.cluster.Storage(2), r.cluster.Storage(3)
	for _, cmd := range []struct {
		node   *rig.Node
		script string
	}{
		{first, fmt.Sprintf("rmrctl pool create %s --device %s --size %d --assume-zeroed", name, first.DiskDevice(disk), size)},
		{second, fmt.Sprintf("rmrctl pool join %s --device %s --peer %s --assume-zeroed", name, second.DiskDevice(disk), first.Address())},
	} {
		if _, err := cmd.node.Sh(ctx, cmd.script); err != nil {
			return nil, fmt.Errorf("make pool %s: %w", name, err)
		}
	}
	device, err := r.client.Sh(ctx, fmt.Sprintf("brmr map %s --node %s", name, first.Address()))
	if err != nil {
		return nil, fmt.Errorf("map pool %s: %w", name, err)
	}
	return r.poolSubject(name, target{fmt.Sprintf("rmr, %d GiB", size>>30), device}), nil
}

// heal puts the cable of a node back, which is as slow as before.
func (r *recovery) heal(ctx context.Context, n *rig.Node) error {
	return errors.Join(n.Link().Heal(ctx), n.Link().Netem(ctx, rig.Netem{Delay: r.opts.LinkDelay / 2}))
}

// poolSubject loses the link of stor3, leg 1 of every pool, without a word.
func (r *recovery) poolSubject(name string, t target) *subject {
	leg := r.cluster.Storage(3)
	return &subject{
		target: t,
		lose: func(ctx context.Context) error {
			if err := leg.Link().Cut(); err != nil {
				return err
			}
			return r.waitLeg(ctx, name, "failed")
		},
		// A leg that was lost a short while ago waits before it returns; an operator ends that, as here the
		// loss is the bench's own.
		back: func(ctx context.Context) error {
			if err := r.heal(ctx, leg); err != nil {
				return err
			}
			_, err := r.client.Sh(ctx, "rmrctl leg return "+name+" 1")
			return err
		},
		whole: func(ctx context.Context) (bool, error) { return r.legIs(ctx, name, "up-to-date") },
		copied: func(ctx context.Context) (float64, error) {
			now, err := askResync(ctx, leg, name)
			return now.Copied, err
		},
		pace: func(ctx context.Context) (string, error) {
			now, err := askResync(ctx, leg, name)
			return now.Pace, err
		},
	}
}

// resyncNow is what a node says of its member's resync.
type resyncNow struct {
	Copied float64 `json:"copied"` // bytes
	Pace   string  `json:"pace"`
}

func askResync(ctx context.Context, n *rig.Node, pool string) (resyncNow, error) {
	var pools []struct {
		Resync resyncNow `json:"resync"`
	}
	if err := askJSON(ctx, n, "rmrctl pool show "+pool, &pools); err != nil {
		return resyncNow{}, fmt.Errorf("ask %s for pool %s: %w", n.Name(), pool, err)
	}
	if len(pools) != 1 {
		return resyncNow{}, fmt.Errorf("%s has %d pools %s", n.Name(), len(pools), pool)
	}
	return pools[0].Resync, nil
}

// mdSubject takes the second device out of the array by command: RNBD would find out in half a minute.
func (r *recovery) mdSubject(t target) *subject {
	const device = "/dev/rnbd2"
	var before float64
	// What the second device got beyond the application's writes, which the first got as well.
	written := func(ctx context.Context) (float64, error) {
		out, err := r.client.Sh(ctx, "awk '{ print $7 }' /sys/block/rnbd1/stat /sys/block/rnbd2/stat")
		if err != nil {
			return 0, err
		}
		var first, second float64
		if _, err := fmt.Sscan(out, &first, &second); err != nil {
			return 0, fmt.Errorf("read statistics of %s: %q: %w", device, out, err)
		}
		return (second - first) * 512, nil
	}
	return &subject{
		target: t,
		lose: func(ctx context.Context) error {
			_, err := r.client.Sh(ctx, "mdadm --quiet /dev/md0 --fail "+device+" && sleep 0.2 && mdadm --quiet /dev/md0 --remove "+device)
			return err
		},
		back: func(ctx context.Context) (err error) {
			if before, err = written(ctx); err != nil {
				return err
			}
			_, err = r.client.Sh(ctx, "mdadm --quiet /dev/md0 --re-add "+device)
			return err
		},
		whole: func(ctx context.Context) (bool, error) {
			out, err := r.client.Sh(ctx, "cat /sys/block/md0/md/degraded")
			return out == "0", err
		},
		copied: func(ctx context.Context) (float64, error) {
			now, err := written(ctx)
			return now - before, err
		},
	}
}

// askJSON runs a read verb; exit code 3 (degraded) is no error.
func askJSON(ctx context.Context, n *rig.Node, command string, into any) error {
	out, err := n.Sh(ctx, command+" -o json || test $? = 3")
	if err != nil {
		return err
	}
	return json.Unmarshal([]byte(out), into)
}

func (r *recovery) legIs(ctx context.Context, pool, state string) (bool, error) {
	var devices []struct {
		Legs []struct {
			ID    int    `json:"member_id"`
			State string `json:"state"`
		} `json:"legs"`
	}
	if err := askJSON(ctx, r.client, "brmr show "+pool, &devices); err != nil {
		return false, err
	}
	for _, d := range devices {
		for _, l := range d.Legs {
			if l.ID == 1 {
				return l.State == state, nil
			}
		}
	}
	return false, fmt.Errorf("pool %s has no leg 1", pool)
}

func (r *recovery) waitLeg(ctx context.Context, pool, state string) error {
	_, err := until(ctx, fmt.Sprintf("leg 1 of %s to be %s", pool, state), func(ctx context.Context) (bool, error) {
		return r.legIs(ctx, pool, state)
	})
	return err
}

// until polls and returns how long it took.
func until(ctx context.Context, what string, is func(ctx context.Context) (bool, error)) (time.Duration, error) {
	begin := time.Now()
	for {
		ok, err := is(ctx)
		if err != nil || ok {
			return time.Since(begin), err
		}
		if time.Since(begin) > returnTime {
			return 0, fmt.Errorf("waited %v for %s", returnTime, what)
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(pollEvery):
		}
	}
}
