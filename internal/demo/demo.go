// SPDX-License-Identifier: Apache-2.0

// Package demo runs the project's main job in the soft-RoCE rig, for people: a pool on two storage
// nodes, mapped on a client, carries a real file tree and a verified random load, and both legs end
// byte for byte equal.
package demo

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/docker/go-units"

	"github.com/rmr-block/rmr/internal/rig"
)

// Sizes of the job in bytes, and its names.
const (
	diskSize = 1280 << 20
	poolSize = 1 << 30
	fioSize  = 192 << 20
	poolName = "vol1"
	device   = "/dev/brmr0"
	mount    = "/mnt"
)

// Demo is one run.
type Demo struct {
	out      io.Writer
	terminal bool
	cluster  *rig.Cluster
	stor     []*rig.Node
	client   *rig.Node
	tree     *tree
	results  []result
}

// step is one line of the job. It returns a detail for the closing table.
type step struct {
	name string
	run  func(d *Demo, ctx context.Context) (string, error)
}

var steps = []step{
	{"boot two storage nodes and a client", (*Demo).boot},
	{"list and hash a real file tree on the host", (*Demo).hashTree},
	{"soft-RoCE link on every node", (*Demo).softroce},
	{"rmrctl pool create on stor0", (*Demo).create},
	{"rmrctl pool join on stor1", (*Demo).join},
	{"brmr map on client0", (*Demo).mapPool},
	{"mkfs.ext4", (*Demo).mkfs},
	{"copy the tree", (*Demo).copyTree},
	{"unmount, e2fsck, mount", (*Demo).fsck},
	{"compare the SHA-256 manifest", (*Demo).compareManifest},
	{"fio verify: crc32c, 4 KiB to 256 KiB, depth 32, discards", (*Demo).fio},
	{"brmr unmap", (*Demo).unmap},
	{"compare both legs byte for byte", (*Demo).compareLegs},
	{"check the kernel logs", (*Demo).checkLogs},
}

// Run does the job and prints its steps to out. It returns the first failure.
func Run(ctx context.Context, out io.Writer, terminal bool) error {
	d := &Demo{out: out, terminal: terminal}
	begin := time.Now()
	err := d.all(ctx)
	if d.cluster != nil {
		if cerr := d.end(err == nil); err == nil {
			err = cerr
		}
	}
	d.table(time.Since(begin), err)
	return err
}

func (d *Demo) all(ctx context.Context) error {
	for i, s := range steps {
		fmt.Fprintf(d.out, "[%2d/%d] %s\n", i+1, len(steps), s.name)
		begin := time.Now()
		detail, err := s.run(d, ctx)
		took := time.Since(begin)
		d.results = append(d.results, result{s.name, took, detail, err})
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		fmt.Fprintf(d.out, "        %.1f s  %s\n", took.Seconds(), detail)
	}
	return nil
}

func (d *Demo) end(remove bool) error {
	err := d.cluster.Close()
	if err == nil && remove {
		err = d.cluster.Remove()
	}
	return err
}

func (d *Demo) boot(ctx context.Context) (string, error) {
	c, err := rig.New(ctx, rig.Storage(2), rig.Client(1), rig.Disks(diskSize), rig.Log(indent{d.out}))
	if err != nil {
		return "", err
	}
	d.cluster = c
	d.stor = []*rig.Node{c.Storage(0), c.Storage(1)}
	d.client = c.Client(0)
	return "kernel " + c.Kernel().Release, nil
}

func (d *Demo) hashTree(ctx context.Context) (string, error) {
	t, err := newTree(ctx)
	if err != nil {
		return "", err
	}
	d.tree = t
	return fmt.Sprintf("%d files, %s", t.files, units.BytesSize(float64(t.bytes))), nil
}

func (d *Demo) softroce(ctx context.Context) (string, error) {
	for _, n := range d.cluster.Nodes() {
		if _, err := n.Run(ctx, "rmrctl", "softroce", "up", "vec0"); err != nil {
			return "", err
		}
	}
	return "rxe on vec0, MTU 9000", nil
}

func (d *Demo) create(ctx context.Context) (string, error) {
	n := d.stor[0]
	if _, err := n.Run(ctx, "modprobe", "brmr_server"); err != nil {
		return "", err
	}
	_, err := n.Run(ctx, "rmrctl", "pool", "create", poolName, "--device", n.DiskDevice(0),
		"--size", strconv.Itoa(poolSize), "--addr", n.Address())
	return units.BytesSize(poolSize), err
}

func (d *Demo) join(ctx context.Context) (string, error) {
	n := d.stor[1]
	if _, err := n.Run(ctx, "modprobe", "brmr_server"); err != nil {
		return "", err
	}
	_, err := n.Run(ctx, "rmrctl", "pool", "join", poolName, "--device", n.DiskDevice(0),
		"--peer", d.stor[0].Address(), "--addr", n.Address())
	return "second leg", err
}

func (d *Demo) mapPool(ctx context.Context) (string, error) {
	if _, err := d.client.Run(ctx, "modprobe", "brmr_client"); err != nil {
		return "", err
	}
	_, err := d.client.Run(ctx, "brmr", "map", poolName, "--node", d.stor[0].Address())
	return device, err
}

func (d *Demo) mkfs(ctx context.Context) (string, error) {
	_, err := d.client.Sh(ctx, "mkfs.ext4 -q "+device+" && mount "+device+" "+mount)
	return "", err
}

// copyTree copies from the host's file system, which the nodes see read-only.
func (d *Demo) copyTree(ctx context.Context) (string, error) {
	begin := time.Now()
	used := func() (int64, error) {
		out, err := d.client.Sh(ctx, "df -B1 --output=used "+mount+" | tail -1")
		if err != nil {
			return 0, err
		}
		return strconv.ParseInt(strings.TrimSpace(out), 10, 64)
	}
	err := d.watch(ctx, "copy", d.tree.bytes, used, func() error {
		_, err := d.client.Sh(ctx, fmt.Sprintf("cp -a /host%s %s/tree && sync -f %s", d.tree.root, mount, mount))
		return err
	})
	return rate(d.tree.bytes, time.Since(begin)), err
}

func (d *Demo) fsck(ctx context.Context) (string, error) {
	_, err := d.client.Sh(ctx, fmt.Sprintf("umount %s; e2fsck -fn %s >&2; mount %s %s", mount, device, device, mount))
	return "clean", err
}

func (d *Demo) compareManifest(ctx context.Context) (string, error) {
	out, err := d.client.Sh(ctx, "cd "+mount+"/tree && find . -type f -print0 | sort -z | xargs -0 sha256sum")
	if err != nil {
		return "", err
	}
	if err := d.tree.compare(out); err != nil {
		return "", err
	}
	_, err = d.client.Sh(ctx, "umount "+mount)
	return fmt.Sprintf("%d files equal", d.tree.files), err
}

// fio discards each random block before it writes it, at depth 32, so that discards and writes of
// the same places are under way together, and reads everything back with its checksums.
func (d *Demo) fio(ctx context.Context) (string, error) {
	begin := time.Now()
	moved := func() (int64, error) {
		out, err := d.client.Sh(ctx, "awk '{print ($3 + $7) * 512}' /sys/block/brmr0/stat")
		if err != nil {
			return 0, err
		}
		return strconv.ParseInt(out, 10, 64)
	}
	first, err := moved()
	if err != nil {
		return "", err
	}
	since := func() (int64, error) {
		now, err := moved()
		return now - first, err
	}
	err = d.watch(ctx, "fio", 2*fioSize, since, func() error {
		_, err := d.client.Run(ctx, "fio", "--name=verify", "--filename="+device, "--rw=randtrimwrite",
			"--bsrange=4k-256k", "--size="+strconv.Itoa(fioSize), "--iodepth=32", "--ioengine=libaio", "--direct=1",
			"--verify=crc32c", "--verify_fatal=1", "--do_verify=1", "--verify_state_save=0")
		return err
	})
	return rate(2*fioSize, time.Since(begin)), err
}

func (d *Demo) unmap(ctx context.Context) (string, error) {
	legs, err := d.client.Run(ctx, "rmrctl", "leg", "show")
	if err != nil {
		return "", err
	}
	fmt.Fprint(d.out, legs.Stdout)
	_, err = d.client.Run(ctx, "brmr", "unmap", poolName)
	return "detached cleanly", err
}

// compareLegs stops the pool on both nodes, so that everything is in the files, and reads those on
// the host.
func (d *Demo) compareLegs(ctx context.Context) (string, error) {
	for _, n := range d.stor {
		if _, err := n.Run(ctx, "rmrctl", "pool", "stop", poolName); err != nil {
			return "", err
		}
	}
	if err := equalFiles(d.stor[0].Disk(0), d.stor[1].Disk(0), poolSize); err != nil {
		return "", err
	}
	return units.BytesSize(poolSize) + " equal", nil
}

func (d *Demo) checkLogs(context.Context) (string, error) {
	return "no report", d.cluster.CheckLogs()
}

func rate(bytes int64, took time.Duration) string {
	return fmt.Sprintf("%s at %s/s", units.BytesSize(float64(bytes)), units.BytesSize(float64(bytes)/took.Seconds()))
}
