// SPDX-License-Identifier: Apache-2.0

// This file owns the load: workers that each have one operation under way. They share the log, which has a
// lock of its own, and two counters.

package recorder

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"github.com/rmr-block/rmr/pkg/pool"
)

// Load says what to do. Which blocks: Blocks of them, Stride apart, from First on; numbers are of 4 KiB blocks.
type Load struct {
	Device   string
	Log      string // file that is made; it must not exist
	Pool     pool.UUID
	Writer   uint32 // from 1, another one for each log of a history
	First    uint64
	Blocks   uint64
	Stride   uint64
	Workers  int
	Seed     uint64
	Duration time.Duration // what is under way then is waited for, however long it takes
	Reads    int           // percent of operations that read
	FUA      int           // percent of writes with FUA
	Flush    int           // percent of operations that are a flush instead
	Pause    time.Duration // of a worker between two operations
}

func (l *Load) check() error {
	percent := func(v int) bool { return v >= 0 && v <= 100 }
	switch {
	case l.Writer == 0:
		return errors.New("writer: must not be 0")
	case l.Blocks == 0 || l.Stride == 0:
		return errors.New("blocks, stride: must not be 0")
	case l.Blocks-1 > (uint64(1)<<40-l.First)/l.Stride || l.First > uint64(1)<<40:
		return errors.New("first, blocks, stride: past any device")
	case l.Workers < 1 || l.Workers > 256:
		return fmt.Errorf("workers: %d is not in 1..256", l.Workers)
	case l.Duration <= 0:
		return fmt.Errorf("duration: %v is not positive", l.Duration)
	case !percent(l.Reads) || !percent(l.FUA) || !percent(l.Flush):
		return errors.New("reads, fua, flush: must be percentages")
	}
	return nil
}

// runner is a load under way.
type runner struct {
	load *Load
	fd   int
	log  *logWriter
	ids  atomic.Uint64
	seq  atomic.Uint32
}

// Run does the load until its duration is over or ctx ends. I/O errors are logged and no errors of Run.
func Run(ctx context.Context, l Load) error {
	if err := l.check(); err != nil {
		return fmt.Errorf("load: %w", err)
	}
	fd, err := unix.Open(l.Device, unix.O_RDWR|unix.O_DIRECT|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open %s: %w", l.Device, err)
	}
	defer unix.Close(fd)
	file, err := os.OpenFile(l.Log, os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o644)
	if err != nil {
		return fmt.Errorf("make log: %w", err)
	}
	r := &runner{load: &l, fd: fd, log: &logWriter{out: file, base: time.Now()}}
	err = r.log.put(entry{Time: r.log.now(), Event: eventOpen, Writer: l.Writer, Pool: l.Pool})
	if err == nil {
		err = r.work(ctx)
	}
	if err == nil {
		err = r.log.put(entry{Time: r.log.now(), Event: eventClose})
	}
	return errors.Join(err, file.Close())
}

func (r *runner) work(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, r.load.Duration)
	defer cancel()
	group, ctx := errgroup.WithContext(ctx)
	for i := range r.load.Workers {
		group.Go(func() error { return r.worker(ctx, rand.New(rand.NewPCG(r.load.Seed, uint64(i)))) })
	}
	return group.Wait()
}

// worker owns one buffer, aligned as direct I/O wants it.
func (r *runner) worker(ctx context.Context, random *rand.Rand) error {
	buf, err := unix.Mmap(-1, 0, BlockSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return fmt.Errorf("make buffer: %w", err)
	}
	defer unix.Munmap(buf)
	for ctx.Err() == nil {
		failed, err := r.one(random, buf)
		if err != nil {
			return err
		}
		pause := r.load.Pause
		if failed { // a device that refuses everything is not asked as fast as it can answer
			pause = max(pause, 10*time.Millisecond)
		}
		if pause > 0 {
			select {
			case <-ctx.Done():
			case <-time.After(pause):
			}
		}
	}
	return nil
}

// one does one operation and tells whether it failed; an error is the log's.
func (r *runner) one(random *rand.Rand, buf []byte) (failed bool, err error) {
	l := r.load
	chance := func(percent int) bool { return random.IntN(100) < percent }
	e := entry{Event: eventBegin, ID: r.ids.Add(1), Block: l.First + random.Uint64N(l.Blocks)*l.Stride}
	switch {
	case chance(l.Flush):
		e.Op, e.Block = "flush", 0
	case chance(l.Reads):
		e.Op = "read"
	default:
		e.Op, e.FUA, e.Stamp = "write", chance(l.FUA), &Stamp{l.Writer, r.seq.Add(1)}
		e.Stamp.encode(buf, l.Pool, e.Block)
	}
	e.Time = r.log.now()
	if err := r.log.put(e); err != nil {
		return false, err
	}
	ioErr := transfer(r.fd, e, buf)
	end := entry{Time: r.log.now(), Event: eventEnd, ID: e.ID, Outcome: outcomeOK}
	switch {
	case ioErr != nil:
		end.Outcome, end.Error = outcomeError, ioErr.Error()
	case e.Op == "read":
		stamp, err := decode(buf, l.Pool, e.Block)
		if end.Stamp = &stamp; err != nil {
			end.Outcome, end.Error = outcomeCorrupt, err.Error()
		}
	}
	return ioErr != nil, r.log.put(end)
}

func transfer(fd int, e entry, buf []byte) error {
	var n int
	var err error
	at := int64(e.Block) * BlockSize
	switch {
	case e.Op == "flush":
		return unix.Fsync(fd)
	case e.Op == "read":
		n, err = unix.Pread(fd, buf, at)
	case e.FUA:
		n, err = unix.Pwritev2(fd, [][]byte{buf}, at, unix.RWF_DSYNC)
	default:
		n, err = unix.Pwrite(fd, buf, at)
	}
	if err == nil && n != BlockSize {
		err = fmt.Errorf("short transfer: %d bytes", n)
	}
	return err
}
