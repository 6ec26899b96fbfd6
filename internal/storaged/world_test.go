// SPDX-License-Identifier: Apache-2.0

// The world of the tests: a scripted kernel, a sysfs of files, and disks that are files.

package storaged

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/rmrnl"
	"github.com/rmr-block/rmr/internal/rmrnl/rmrnltest"
	"github.com/rmr-block/rmr/internal/softroce"
	"github.com/rmr-block/rmr/pkg/pool"
)

const diskSize = 8 << 20

// world is a node. Its lock guards the disks.
type world struct {
	t      *testing.T
	kernel *rmrnltest.Kernel
	sys    string
	log    safeBuffer
	rdma   *fakeRDMA

	mu    sync.Mutex
	disks map[string]*disk
	seq   int
}

// disk is what is behind a path.
type disk struct {
	content []byte
	held    bool          // by a driver
	err     error         // of every read
	silent  chan struct{} // reads wait until it is closed
}

func newWorld(t *testing.T, state rmrnltest.State) *world {
	t.Helper()
	w := &world{t: t, kernel: rmrnltest.New(state), sys: t.TempDir(), disks: map[string]*disk{}}
	w.rdma = &fakeRDMA{sys: w.sys}
	w.module("brmr_server")
	require.NoError(t, os.MkdirAll(filepath.Join(w.sys, "class/block"), 0o755))
	return w
}

func (w *world) module(name string) {
	require.NoError(w.t, os.MkdirAll(filepath.Join(w.sys, "module", name), 0o755))
}

// plug puts a disk in; each has a sequence number of its own.
func (w *world) plug(name string, d *disk) *disk {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seq++
	w.disks["/dev/"+name] = d
	w.sysfs(name, "size", fmt.Sprint(len(d.content)/512))
	w.sysfs(name, "diskseq", fmt.Sprint(w.seq))
	require.NoError(w.t, os.MkdirAll(filepath.Join(w.sys, "class/block", name, "holders"), 0o755))
	return d
}

func (w *world) unplug(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.disks, "/dev/"+name)
	require.NoError(w.t, os.RemoveAll(filepath.Join(w.sys, "class/block", name)))
}

func (w *world) sysfs(name, file, value string) {
	path := filepath.Join(w.sys, "class/block", name, file)
	require.NoError(w.t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(w.t, os.WriteFile(path, []byte(value+"\n"), 0o644))
}

type openDisk struct {
	*bytes.Reader
	d *disk
}

func (o openDisk) ReadAt(b []byte, off int64) (int, error) {
	if o.d.silent != nil {
		<-o.d.silent
	}
	if o.d.err != nil {
		return 0, o.d.err
	}
	return o.Reader.ReadAt(b, off)
}

func (openDisk) Close() error { return nil }

func (w *world) open(path string, excl bool) (readerAt, uint64, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	d := w.disks[path]
	switch {
	case d == nil:
		return nil, 0, &os.PathError{Op: "open", Path: path, Err: syscall.ENOENT}
	case excl && d.held:
		return nil, 0, &os.PathError{Op: "open", Path: path, Err: syscall.EBUSY}
	}
	return openDisk{bytes.NewReader(d.content), d}, uint64(len(d.content)), nil
}

func (w *world) env() Env {
	return Env{
		Dial: w.kernel.Dial, RDMA: w.rdma.system(), Sys: w.sys, Open: w.open, Now: time.Now,
		Resolve: func(path string) string { return path }, Log: slog.New(slog.NewTextHandler(&w.log, nil)),
	}
}

// daemon makes one with a configuration on top of the defaults.
func (w *world) daemon(config string) *Daemon {
	w.t.Helper()
	cfg, err := ParseConfig([]byte("listen: off\nsocket: off\n" + config))
	require.NoError(w.t, err)
	return New(cfg, w.env())
}

// command counts the requests of a kind that the kernel got.
func (w *world) command(name string) (n int) {
	for _, line := range w.kernel.Log() {
		if strings.HasPrefix(line, name) {
			n++
		}
	}
	return n
}

func id(b byte) (u pool.UUID) {
	for i := range u {
		u[i] = b
	}
	return u
}

// superblock is that of member 0 of a pool of two.
func superblock(t *testing.T, name string, store byte) *pool.Superblock {
	t.Helper()
	p, err := pool.MakePlan(pool.Spec{
		Name: name, ChunkSize: pool.ChunkSizeDefault,
		Members: []pool.NewMember{
			{Node: "stor1", Addrs: []string{"192.0.2.1"}, StoreSize: diskSize, Zeroed: true},
			{Node: "stor2", Addrs: []string{"192.0.2.2"}, StoreSize: diskSize, Zeroed: true},
		},
	})
	require.NoError(t, err)
	sb, err := p.Superblock(0, pool.IDs{Pool: id(0x11), Lineage: id(0x12), Stores: []pool.UUID{id(store), id(0xee)}, Created: 1})
	require.NoError(t, err)
	return sb
}

// storeDisk is a disk with the store of a pool.
func storeDisk(t *testing.T, name string, store byte) *disk {
	t.Helper()
	d := &disk{content: make([]byte, diskSize)}
	raw, err := superblock(t, name, store).Encode()
	require.NoError(t, err)
	for i := range pool.SuperblockCopies {
		off, ok := pool.SuperblockOff(diskSize, i)
		require.True(t, ok)
		copy(d.content[off:], raw)
	}
	return d
}

// member is how the kernel tells of the store.
func member(name string, store byte, device string) rmrnl.Pool {
	return rmrnl.Pool{
		Name: name, UUID: id(0x11), StoreUUID: id(store), Device: device, Size: 4 << 20, ChunkSize: 1 << 20, UpToDate: 3,
		StoreSize: diskSize, Member: []rmrnl.Member{
			{ID: 0, Kind: 1, StoreUUID: id(store), Node: "stor1"}, {ID: 1, Kind: 1, StoreUUID: id(0xee), Node: "stor2"},
		},
	}
}

// fakeRDMA plays RDMA netlink and modprobe.
type fakeRDMA struct {
	sys string

	mu       sync.Mutex
	noModule bool
	builtIn  bool // the module is no directory in sysfs
	modprobe []string
}

func (f *fakeRDMA) system() softroce.System {
	return softroce.System{
		Sys: f.sys, Kernel: f,
		Interface: func(name string) (bool, []netip.Addr, error) {
			if name != "eth0" {
				return false, nil, softroce.ErrNoNetdev
			}
			return true, []netip.Addr{netip.MustParseAddr("192.0.2.1")}, nil
		},
	}
}

func (f *fakeRDMA) AddLink(name, _, netdev string) error {
	dir := filepath.Join(f.sys, "class/infiniband", name)
	return errors.Join(os.MkdirAll(filepath.Join(dir, "ports/1"), 0o755),
		os.WriteFile(filepath.Join(dir, "parent"), []byte(netdev+"\n"), 0o644),
		os.WriteFile(filepath.Join(dir, "ports/1/state"), []byte("4: ACTIVE\n"), 0o644))
}

func (f *fakeRDMA) DeleteLink(name string) error {
	return os.RemoveAll(filepath.Join(f.sys, "class/infiniband", name))
}

func (f *fakeRDMA) Modprobe(_ context.Context, module string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.modprobe = append(f.modprobe, module)
	if f.noModule {
		return fmt.Errorf("modprobe %s: exit status 1: module not found", module)
	}
	if f.builtIn {
		return nil
	}
	return os.MkdirAll(filepath.Join(f.sys, "module", module), 0o755)
}

// safeBuffer is a log that several goroutines write.
type safeBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
