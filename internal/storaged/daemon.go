// SPDX-License-Identifier: Apache-2.0

// Package storaged is the storage node's daemon: it looks for stores on the node's disks, has the
// kernel serve them, gives network devices their soft-RoCE links, and tells how things are over
// HTTP. The kernel does all I/O; the daemon may be killed at any moment and holds nothing that
// its next start does not find again, but for the pools that an operator stopped.
//
// One goroutine looks round after round (this file); what may hang runs in goroutines of its own
// (tasks.go, scan.go); two more wait for events (events.go) and one serves HTTP (http.go). They
// share the last report and the counters, under Daemon.mu. Run joins all of them.
package storaged

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rmr-block/rmr/internal/api"
	"github.com/rmr-block/rmr/internal/cli"
	"github.com/rmr-block/rmr/internal/rmrnl"
	"github.com/rmr-block/rmr/internal/softroce"
)

const (
	linkLimit   = 5 * time.Second        // one attempt at a link, whose port takes a moment to come up
	settleLimit = 6 * time.Second        // how long a round waits for its work
	kernelLimit = 5 * time.Second        // a dump, which only copies
	gather      = 200 * time.Millisecond // events come in groups; they are acted on together
	joinLimit   = 5 * time.Second        // goroutines that hang in the kernel do not hold up the end
)

// Env is the world around the daemon.
type Env struct {
	Dial func() (*rmrnl.Client, error)
	RDMA softroce.System
	Sys  string // mount point of sysfs
	Open opener
	// Uevents opens the kernel's device events; nil: rescans have to do.
	Uevents func() (uevents, error)
	// Resolve follows symbolic links of a device path; a path that leads nowhere comes back.
	Resolve func(path string) string
	Now     func() time.Time
	Log     *slog.Logger
	// Run runs a command of rmrctl for somebody else; nil: none are run.
	Run api.Runner
}

// Host is the machine the program runs on.
func Host(log *slog.Logger) Env {
	return Env{
		Dial: rmrnl.Dial, RDMA: softroce.Host(), Sys: "/sys", Open: openDevice, Uevents: openUevents,
		Resolve: resolve, Now: time.Now, Log: log, Run: runTool,
	}
}

// runTool runs rmrctl in this process.
func runTool(ctx context.Context, stdout, stderr io.Writer, args []string) int {
	return cli.Run(ctx, cli.Host(stdout, stderr, false), append([]string{"rmrctl"}, args...))
}

func resolve(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	return path
}

// Daemon looks after the stores of one node. Fields above mu but scan, tasks, seen, was and told, which belong
// to the goroutine that looks, do not change.
type Daemon struct {
	env   Env
	cfg   Config
	scan  *scanner
	tasks *tasks
	seen  memory
	was   map[string]bool   // modules seen loaded
	told  map[string]string // problems logged, by subject
	wake  chan struct{}

	mu       sync.Mutex
	last     Report
	rounds   uint64
	attempts map[attempt]uint64
}

// attempt is the label of a counter.
type attempt struct {
	kind string // module, link or store
	ok   bool
}

// New makes a daemon; it does nothing yet.
func New(cfg Config, env Env) *Daemon {
	d := &Daemon{
		env: env, cfg: cfg, scan: newScanner(env.Sys, env.Open), seen: memory{}, told: map[string]string{},
		was: map[string]bool{}, wake: make(chan struct{}, 1), attempts: map[attempt]uint64{},
	}
	d.tasks = newTasks(cfg.Retry, env.Now, func(kind string, err error) {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.attempts[attempt{kind, err == nil}]++
	})
	return d
}

// Once looks once, does what is to be done and returns what came of it.
func (d *Daemon) Once(ctx context.Context) Report {
	r := d.round(ctx)
	d.join()
	return r
}

// Run looks and acts until ctx ends.
func (d *Daemon) Run(ctx context.Context) {
	var wg sync.WaitGroup
	wg.Go(func() { d.serveHTTP(ctx) })
	wg.Go(func() { d.serveSocket(ctx) })
	wg.Go(func() { d.serveTLS(ctx) })
	wg.Go(func() { d.again(ctx, "netlink notifications", d.followKernel) })
	if d.env.Uevents != nil {
		wg.Go(func() { d.again(ctx, "device events", d.followDevices) })
	}
	for ctx.Err() == nil {
		d.round(ctx)
		d.idle(ctx)
	}
	wg.Wait()
	d.join()
}

// join waits for what the rounds started.
func (d *Daemon) join() {
	ended := make(chan struct{})
	go func() {
		d.tasks.wg.Wait()
		d.scan.wg.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(joinLimit):
		d.env.Log.Warn("a disk or the kernel does not answer: ending without it")
	}
}

// idle waits until something is to be done.
func (d *Daemon) idle(ctx context.Context) {
	timer := time.NewTimer(d.tasks.due(d.cfg.Rescan))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-d.tasks.done:
	case <-d.wake:
		sleep(ctx, gather)
	}
}

func sleep(ctx context.Context, t time.Duration) {
	timer := time.NewTimer(t)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// nudge makes the next round start now.
func (d *Daemon) nudge() {
	select {
	case d.wake <- struct{}{}:
	default: // one is enough
	}
}

// round looks at everything once and starts what is due.
func (d *Daemon) round(ctx context.Context) Report {
	d.tasks.begin()
	d.links(ctx)
	d.tasks.settle(settleLimit) // a listener wants its device
	d.modules(ctx)
	d.tasks.settle(settleLimit)
	all, err := d.stores(ctx)
	d.verify(ctx)
	d.grow(ctx)
	d.tasks.settle(settleLimit)
	r := d.report(ctx, all, err)
	d.tasks.sweep()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.last = r
	d.rounds++
	return r
}

func (d *Daemon) links(ctx context.Context) {
	for _, netdev := range d.cfg.SoftRoCE {
		if d.linkState(netdev) == "active" {
			continue
		}
		d.tasks.want(ctx, "link "+netdev, "link", func(ctx context.Context) error {
			ctx, cancel := context.WithTimeout(ctx, linkLimit)
			defer cancel()
			port, made, err := d.env.RDMA.Up(ctx, netdev, "rxe_"+netdev)
			if err == nil && made {
				d.env.Log.Info("soft-RoCE link added", "netdev", netdev, "device", port.Device)
			}
			return err
		})
	}
}

// linkState is the state of a network device's RDMA port, "missing" if it has none.
func (d *Daemon) linkState(netdev string) string {
	ports, err := d.env.RDMA.Ports()
	if err != nil {
		return oneLine(err.Error())
	}
	i := slices.IndexFunc(ports, func(p softroce.Port) bool { return p.Netdev == netdev })
	if i < 0 {
		return "missing"
	}
	return ports[i].State
}

func (d *Daemon) modules(ctx context.Context) {
	for _, module := range d.cfg.Modules {
		if d.loaded(module) {
			d.was[module] = true
			continue
		}
		if d.was[module] {
			clear(d.seen) // what it served is gone with it, not stopped
			d.was[module] = false
		}
		d.tasks.want(ctx, "module "+module, "module", func(ctx context.Context) error {
			err := d.env.RDMA.Kernel.Modprobe(ctx, module)
			if err == nil {
				d.env.Log.Info("module loaded", "module", module)
			}
			return err
		})
	}
}

// loaded looks in sysfs, which need not have a module that is built in.
func (d *Daemon) loaded(module string) bool {
	_, err := os.Stat(filepath.Join(d.env.Sys, "module", strings.ReplaceAll(module, "-", "_")))
	return err == nil
}

// stores scans, and starts what the plan asks for.
func (d *Daemon) stores(ctx context.Context) ([]found, error) {
	devs, err := d.scan.devices(d.cfg)
	if err != nil {
		return nil, err
	}
	pools, err := d.pools(ctx)
	if errors.Is(err, rmrnl.ErrNoFamily) {
		clear(d.seen) // gone with the module, not stopped
	}
	if err != nil {
		return nil, err
	}
	d.seen.remember(pools, devs, d.env.Resolve)
	all := pairs(d.scan.probe(d.unserved(devs, pools)))
	for _, s := range plan(all, pools, d.seen, d.scan.held) {
		d.act(ctx, s)
	}
	return all, nil
}

// unserved leaves out the disks of healthy stores: there is nothing to find on them.
func (d *Daemon) unserved(devs []blockDevice, pools []rmrnl.Pool) []blockDevice {
	served := map[string]bool{}
	for _, p := range pools {
		if p.State != rmrnl.PoolStateFailed {
			served[d.env.Resolve(p.Device)] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(devs), func(b blockDevice) bool { return served[b.Path] })
}

func (d *Daemon) act(ctx context.Context, s Store) {
	switch s.State {
	case StoreWaiting:
		d.tasks.want(ctx, s.key, "store", func(ctx context.Context) error { return d.assemble(ctx, s) })
	case StoreReturned:
		d.tasks.want(ctx, s.key, "store", func(ctx context.Context) error { return d.readd(ctx, s) })
	}
}

// assemble names the pool too: the disk may have been exchanged since it was read.
func (d *Daemon) assemble(ctx context.Context, s Store) error {
	req := &rmrnl.Request{Cmd: rmrnl.CmdPoolAssemble}
	req.Add(rmrnl.PoolAttrDevice, s.Device).AddString(rmrnl.PoolAttrMetadataDevice, s.MDDevice).Add(rmrnl.PoolAttrName, s.Pool).Add(rmrnl.PoolAttrUUID, s.UUID)
	if err := d.do(ctx, req); err != nil {
		return err
	}
	d.env.Log.Info("store served", "pool", s.Pool, "member", s.MemberID, "device", s.Device)
	return nil
}

// readd gives up the disk that failed for the one that came back. The member's client has left it
// out already, so that nothing else stops.
func (d *Daemon) readd(ctx context.Context, s Store) error {
	req := &rmrnl.Request{Cmd: rmrnl.CmdPoolStop}
	req.Add(rmrnl.PoolAttrName, s.Pool).Add(rmrnl.PoolAttrUUID, s.UUID).Add(rmrnl.PoolAttrLeg, s.MemberID).Add(rmrnl.PoolAttrForce, true)
	if err := d.do(ctx, req); err != nil {
		return err
	}
	d.env.Log.Info("failed store given up", "pool", s.Pool, "member", s.MemberID)
	return d.assemble(ctx, s)
}

func (d *Daemon) do(ctx context.Context, req *rmrnl.Request) error {
	c, err := d.env.Dial()
	if err != nil {
		return err
	}
	defer c.Close()
	return c.Do(ctx, req)
}

func (d *Daemon) pools(ctx context.Context) ([]rmrnl.Pool, error) {
	ctx, cancel := context.WithTimeout(ctx, kernelLimit)
	defer cancel()
	c, err := d.env.Dial()
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return c.Pools(ctx)
}

// again runs a follower until ctx ends, each failure followed by a pause that grows.
func (d *Daemon) again(ctx context.Context, what string, follow func(ctx context.Context) error) {
	retry := newTasks(d.cfg.Retry, d.env.Now, func(string, error) {})
	for ctx.Err() == nil {
		retry.want(ctx, what, "", follow)
		retry.wg.Wait()
		retry.collect()
		if err, _ := retry.state(what); err != nil && ctx.Err() == nil && !errors.Is(err, rmrnl.ErrNoFamily) {
			d.env.Log.Warn(what+" failed, tried again", "error", oneLine(err.Error()))
		}
		sleep(ctx, retry.due(d.cfg.Retry.Max*2))
	}
}

// tell logs problems when they begin, change and end.
func (d *Daemon) tell(now map[string]string) {
	for _, subject := range slices.Sorted(maps.Keys(now)) {
		if d.told[subject] != now[subject] {
			d.env.Log.Warn(fmt.Sprintf("%s: %s", subject, now[subject]))
		}
	}
	for _, subject := range slices.Sorted(maps.Keys(d.told)) {
		if now[subject] == "" {
			d.env.Log.Info(subject + ": well again")
		}
	}
	d.told = now
}
