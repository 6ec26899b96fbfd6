// SPDX-License-Identifier: Apache-2.0

package storaged

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/rmr-block/rmr/internal/rmrnl"
	"github.com/rmr-block/rmr/internal/rmrnl/rmrnltest"
)

// states are the states of the stores by device.
func storeStates(r Report) map[string]StoreState {
	m := map[string]StoreState{}
	for _, s := range r.Stores {
		m[s.Device] = s.State
	}
	return m
}

// After a reboot nothing was served until somebody typed the commands.
func TestRebootedNodeServesItsStores(t *testing.T) {
	w := newWorld(t, rmrnltest.State{Stores: []rmrnl.Pool{member("vol1", 0x21, "/dev/sdb"), member("vol2", 0x22, "/dev/sdc")}})
	w.unload("brmr_server")
	w.plug("sda", &disk{content: make([]byte, diskSize)})
	w.plug("sdb", storeDisk(t, "vol1", 0x21))
	w.plug("sdc", storeDisk(t, "vol2", 0x22))
	r := w.daemon("softroce: [eth0]").Once(t.Context())
	require.Empty(t, r.Reasons)
	require.True(t, r.Healthy)
	require.Equal(t, map[string]StoreState{"/dev/sdb": StoreServed, "/dev/sdc": StoreServed}, storeStates(r))
	require.Equal(t, []Part{{"module", "brmr_server", "loaded", ""}, {"link", "eth0", "active", ""}}, r.Parts)
	require.Equal(t, []string{"brmr_server"}, w.rdma.modprobe)
	require.Contains(t, w.kernel.Log(), "pool-assemble device=/dev/sdb name=vol1 uuid="+id(0x11).String())
	// The next daemon, after any end of this one, finds everything done.
	require.True(t, w.daemon("softroce: [eth0]").Once(t.Context()).Healthy)
	require.Equal(t, 2, w.command("pool-assemble"))
}

func TestProblemsAreReportedWithTheKernelsWords(t *testing.T) {
	w := newWorld(t, rmrnltest.State{Refuse: map[string]rmrnltest.Refusal{
		"pool-assemble": {Errno: int(syscall.EBUSY), Text: "device is busy: mounted or used by something else"},
	}})
	w.unload("brmr_server")
	w.rdma.noModule = true
	w.plug("sdb", storeDisk(t, "vol1", 0x21))
	r := w.daemon("softroce: [eth7]").Once(t.Context())
	require.False(t, r.Healthy)
	require.Equal(t, []string{
		"link eth7: missing: eth7: no such network device",
		"module brmr_server: missing: modprobe brmr_server: exit status 1: module not found",
		"pool vol1 member 0 on /dev/sdb: waiting: device is busy: mounted or used by something else",
	}, r.Reasons)
	w = newWorld(t, rmrnltest.State{Absent: true})
	w.plug("sdb", storeDisk(t, "vol1", 0x21))
	r = w.daemon("").Once(t.Context())
	require.Equal(t, []string{"kernel: no netlink family rmr in the kernel"}, r.Reasons)
	require.NotNil(t, r.Stores)
}

// A pool that an operator stops was served again at the next look.
func TestStoppedPoolStaysStoppedUntilItsDiskComesBack(t *testing.T) {
	w := newWorld(t, rmrnltest.State{Stores: []rmrnl.Pool{member("vol1", 0x21, "/dev/sdb")}})
	w.plug("sdb", storeDisk(t, "vol1", 0x21))
	d := w.daemon("")
	require.Equal(t, StoreServed, storeStates(d.Once(t.Context()))["/dev/sdb"])
	d.Once(t.Context()) // sees what it did
	w.send("pool-stop", rmrnl.CmdPoolStop, "vol1")
	for range 3 {
		r := d.Once(t.Context())
		require.Equal(t, StoreStopped, storeStates(r)["/dev/sdb"])
		require.True(t, r.Healthy, "a pool that was stopped on purpose is no problem")
	}
	require.Equal(t, 1, w.command("pool-assemble"))
	w.unplug("sdb")
	require.Empty(t, d.Once(t.Context()).Stores)
	w.plug("sdb", storeDisk(t, "vol1", 0x21))
	require.Equal(t, StoreServed, storeStates(d.Once(t.Context()))["/dev/sdb"])
	require.Equal(t, 2, w.command("pool-assemble"))
}

// A disk that failed and came back waited for two commands of an operator.
func TestReturnedDiskIsServedAgain(t *testing.T) {
	failed := member("vol1", 0x21, "/dev/sdb")
	failed.State, failed.Reason, failed.Client = rmrnl.PoolStateFailed, rmrnl.ReasonStoreError, "client0"
	w := newWorld(t, rmrnltest.State{Pools: []rmrnl.Pool{failed}, Stores: []rmrnl.Pool{member("vol1", 0x21, "/dev/sdc")}})
	old := w.plug("sdb", storeDisk(t, "vol1", 0x21))
	old.held = true
	d := w.daemon("")
	r := d.Once(t.Context())
	require.Equal(t, []string{"pool vol1 member 0 on /dev/sdb: failed: store-error"}, r.Reasons)
	require.Zero(t, w.command("pool-"), "the disk is the one that failed")
	w.unplug("sdb")
	w.plug("sdc", storeDisk(t, "vol1", 0x21))
	r = d.Once(t.Context())
	require.Equal(t, map[string]StoreState{"/dev/sdc": StoreServed}, storeStates(r))
	require.True(t, r.Healthy)
	require.Equal(t, []string{
		"pool-stop name=vol1 uuid=" + id(0x11).String() + " leg=0 force",
		"pool-assemble device=/dev/sdc name=vol1 uuid=" + id(0x11).String(),
	}, w.kernel.Log())
}

// A device that got larger was noticed by nobody.
func TestGrownDeviceIsToldAndGrownIfConfigured(t *testing.T) {
	p := member("vol1", 0x21, "/dev/sdb")
	p.DeviceGrown = 4 << 20
	w := newWorld(t, rmrnltest.State{Pools: []rmrnl.Pool{p}})
	w.plug("sdb", storeDisk(t, "vol1", 0x21))
	r := w.daemon("").Once(t.Context())
	require.True(t, r.Healthy, "a larger device is no problem")
	require.Contains(t, r.Stores[0].Reason, "4194304 bytes more")
	require.Zero(t, w.command("pool-grow"), "by default it only tells")
	d := w.daemon("grow: auto")
	r = d.Once(t.Context())
	require.Contains(t, w.kernel.Log(), "pool-grow name=vol1 uuid="+id(0x11).String()+" member-id=0")
	require.Empty(t, r.Stores[0].Reason)
	d.Once(t.Context())
	require.Equal(t, 1, w.command("pool-grow"))
}

// Attempts go on for ever, but neither in a hurry nor all at the same moment.
func TestAttemptsAreSpreadAndNeverEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, rmrnltest.State{Refuse: map[string]rmrnltest.Refusal{"pool-assemble": {Errno: int(syscall.EIO)}}})
		w.plug("sdb", storeDisk(t, "vol1", 0x21))
		d := w.daemon("retry: {first: 1s, max: 1m}")
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { d.Run(ctx); close(ended) }()
		time.Sleep(10 * time.Second)
		require.GreaterOrEqual(t, w.command("pool-assemble"), 3, "slow at first")
		time.Sleep(time.Hour)
		n := w.command("pool-assemble")
		require.GreaterOrEqual(t, n, 40, "given up")
		require.LessOrEqual(t, n, 130, "in a hurry")
		require.Equal(t, 1, strings.Count(w.log.String(), "waiting"), "one line for one problem:\n%s", w.log.String())
		cancel()
		<-ended
	})
}

func TestBackoffStaysWithinItsBounds(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	k := newTasks(Retry{First: time.Second, Max: 20 * time.Second}, func() time.Time { return now }, func(string, error) {})
	bad := errors.New("bad")
	waits := map[time.Duration]bool{}
	for i := range 200 {
		k.want(t.Context(), "x", "store", func(context.Context) error { return bad })
		k.settle(time.Minute)
		wait := k.due(time.Hour)
		require.LessOrEqual(t, wait, 30*time.Second)
		require.Greater(t, wait, time.Duration(0))
		if i == 0 {
			require.LessOrEqual(t, wait, 1500*time.Millisecond)
		}
		waits[wait] = true
		k.want(t.Context(), "x", "store", func(context.Context) error { t.Error("too early"); return nil })
		now = now.Add(wait)
	}
	require.Greater(t, len(waits), 100, "every node would knock at the same moment")
	require.Equal(t, 200, k.all["x"].tried)
	k.begin()
	k.sweep()
	require.Empty(t, k.all)
}

// A command that hangs in the kernel held up all the others.
func TestHangingWorkHoldsNothingUp(t *testing.T) {
	hang := make(chan struct{})
	k := newTasks(DefaultConfig().Retry, time.Now, func(string, error) {})
	k.want(t.Context(), "hangs", "store", func(context.Context) error { <-hang; return nil })
	k.want(t.Context(), "works", "store", func(context.Context) error { return nil })
	k.settle(50 * time.Millisecond)
	_, running := k.state("hangs")
	require.True(t, running)
	_, running = k.state("works")
	require.False(t, running)
	k.begin()
	k.sweep()
	k.want(t.Context(), "hangs", "store", func(context.Context) error { t.Error("twice at once"); return nil })
	begin := time.Now()
	k.settle(time.Minute)
	require.Less(t, time.Since(begin), 30*time.Second, "waited for once more")
	close(hang)
	k.wg.Wait()
	k.collect()
	_, running = k.state("hangs")
	require.False(t, running)
}

// A module that is built into the kernel is not in sysfs; a pool that an operator stopped was served
// again because the module seemed to be away.
func TestBuiltInModuleIsNoProblem(t *testing.T) {
	w := newWorld(t, rmrnltest.State{Stores: []rmrnl.Pool{member("vol1", 0x21, "/dev/sdb")}})
	w.unload("brmr_server")
	w.rdma.builtIn = true
	w.plug("sdb", storeDisk(t, "vol1", 0x21))
	d := w.daemon("")
	for range 3 {
		require.Empty(t, d.Once(t.Context()).Reasons)
	}
	w.send("pool-stop", rmrnl.CmdPoolStop, "vol1")
	require.Equal(t, StoreStopped, storeStates(d.Once(t.Context()))["/dev/sdb"])
}

// A module that was unloaded and came back took its pools along: nobody stopped them.
func TestReloadedModuleServesItsPoolsAgain(t *testing.T) {
	w := newWorld(t, rmrnltest.State{Stores: []rmrnl.Pool{member("vol1", 0x21, "/dev/sdb")}})
	w.plug("sdb", storeDisk(t, "vol1", 0x21))
	d := w.daemon("")
	d.Once(t.Context())
	d.Once(t.Context())
	w.unload("brmr_server")
	w.send("pool-stop", rmrnl.CmdPoolStop, "vol1") // as the module's end does
	require.Equal(t, StoreServed, storeStates(d.Once(t.Context()))["/dev/sdb"])
	require.Equal(t, 2, w.command("pool-assemble"))
}

// A daemon stopped at any moment leaves no goroutine behind, and the next one finishes its work.
func TestDaemonEndsAtAnyMoment(t *testing.T) {
	for range 60 {
		synctest.Test(t, func(t *testing.T) { // fails on a goroutine that is left
			w := newWorld(t, rmrnltest.State{Stores: []rmrnl.Pool{member("vol1", 0x21, "/dev/sdb")}})
			w.plug("sdb", storeDisk(t, "vol1", 0x21))
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rand.Int64N(int64(3*time.Second))))
			defer cancel()
			w.daemon("softroce: [eth0]\nrescan: 1s").Run(ctx)
			require.True(t, w.daemon("softroce: [eth0]").Once(t.Context()).Healthy)
			require.Len(t, w.kernel.State().Pools, 1)
		})
	}
}

// fakeUevents are device events from a channel.
type fakeUevents chan []byte

func (f fakeUevents) Recvfrom(ctx context.Context, p []byte, _ int) (int, unix.Sockaddr, error) {
	select {
	case <-ctx.Done():
		return 0, nil, ctx.Err()
	case msg := <-f:
		if msg == nil {
			return 0, nil, unix.ENOBUFS
		}
		return copy(p, msg), &unix.SockaddrNetlink{Family: unix.AF_NETLINK}, nil
	}
}

func (fakeUevents) Close() error { return nil }

// A disk that was put in waited for the next rescan.
func TestDeviceEventIsActedOnAtOnce(t *testing.T) {
	for name, msg := range map[string][]byte{
		"disk added": []byte("add@/devices/x/block/sdb\x00ACTION=add\x00SUBSYSTEM=block\x00"), "events lost": nil,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, rmrnltest.State{Stores: []rmrnl.Pool{member("vol1", 0x21, "/dev/sdb")}})
				events := make(fakeUevents)
				d := w.daemon("rescan: 1h")
				d.env.Uevents = func() (uevents, error) { return events, nil }
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan struct{})
				go func() { d.Run(ctx); close(ended) }()
				time.Sleep(time.Minute)
				require.Zero(t, w.command("pool-assemble"))
				w.plug("sdb", storeDisk(t, "vol1", 0x21))
				events <- []byte("change@/x\x00SUBSYSTEM=usb\x00")
				time.Sleep(time.Second)
				require.Zero(t, w.command("pool-assemble"), "another subsystem's event")
				events <- msg
				time.Sleep(time.Second)
				require.Equal(t, 1, w.command("pool-assemble"))
				cancel()
				<-ended
			})
		})
	}
}

func TestOnlyTheKernelsEventsCount(t *testing.T) {
	require.False(t, fromKernel(&unix.SockaddrNetlink{Pid: 4711}))
	require.False(t, fromKernel(nil))
	require.False(t, ofInterest([]byte("libudev\x00garbage")))
	s, err := openUevents()
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, _, err = s.Recvfrom(ctx, make([]byte, 100), 0)
	if err != nil { // or this machine has just made an event
		require.ErrorIs(t, err, context.DeadlineExceeded)
	}
	require.NoError(t, s.Close())
}

func TestHealthzSays200Or503WithReasons(t *testing.T) {
	w := newWorld(t, rmrnltest.State{Stores: []rmrnl.Pool{member("vol1", 0x21, "/dev/sdb")}})
	w.plug("sdb", storeDisk(t, "vol1", 0x21))
	d := w.daemon("")
	now := time.Now()
	d.env.Now = func() time.Time { return now }
	h := d.handler()
	ask := func() (int, Report) {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/healthz", nil))
		var r Report
		require.NoError(t, json.Unmarshal(rec.Body.Bytes(), &r), rec.Body.String())
		require.Equal(t, "application/json", rec.Header().Get("Content-Type"))
		return rec.Code, r
	}
	code, r := ask()
	require.Equal(t, http.StatusServiceUnavailable, code)
	require.Equal(t, []string{"no look at the node has ended yet"}, r.Reasons)
	d.Once(t.Context())
	code, r = ask()
	require.Equal(t, http.StatusOK, code)
	require.True(t, r.Healthy)
	require.Empty(t, r.Reasons)
	require.Equal(t, "vol1", r.Stores[0].Pool)
	now = now.Add(10 * time.Minute)
	code, r = ask()
	require.Equal(t, http.StatusServiceUnavailable, code)
	require.Equal(t, []string{"the last look at the node ended 600 s ago"}, r.Reasons)
	w.plug("sdc", &disk{content: make([]byte, diskSize), err: syscall.EIO})
	d.Once(t.Context())
	code, r = ask()
	require.Equal(t, http.StatusServiceUnavailable, code)
	require.Equal(t, []string{"/dev/sdc: broken: read superblock: input/output error input/output error"}, r.Reasons)
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest(http.MethodPost, "/healthz", nil))
	require.Equal(t, http.StatusMethodNotAllowed, rec.Code)
}

// The daemon gave up HTTP when its port was taken at the start.
func TestTakenPortIsAskedForAgain(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	w := newWorld(t, rmrnltest.State{})
	d := w.daemon("retry: {first: 100ms, max: 200ms}")
	d.cfg.Listen = l.Addr().String()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { d.Run(ctx) })
	t.Cleanup(wg.Wait)
	t.Cleanup(cancel)
	require.Eventually(t, func() bool { return strings.Contains(w.log.String(), "address already in use") }, time.Minute, 10*time.Millisecond)
	require.NoError(t, l.Close())
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	require.Eventually(t, func() bool {
		resp, err := client.Get("http://" + l.Addr().String() + "/metrics")
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		return err == nil && strings.Contains(string(body), "rmr_up 1\n")
	}, time.Minute, 20*time.Millisecond)
}

func (w *world) unload(module string) {
	require.NoError(w.t, os.RemoveAll(filepath.Join(w.sys, "module", module)))
}

// send is a command of an operator about a pool.
func (w *world) send(what string, cmd uint8, name string) {
	c, err := w.kernel.Dial()
	require.NoError(w.t, err, what)
	defer c.Close()
	req := &rmrnl.Request{Cmd: cmd}
	require.NoError(w.t, c.Do(w.t.Context(), req.Add(rmrnl.PoolAttrName, name)), what)
}
