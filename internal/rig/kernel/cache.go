// SPDX-License-Identifier: Apache-2.0

// Package kernel builds and caches the rig's User-Mode Linux kernels and, against them, the
// project's modules. Nothing of it is written into the checkout.
package kernel

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// CacheDir returns the rig's cache directory, made if missing: $RMR_RIG_CACHE, else rmr-rig in the
// user's cache directory.
func CacheDir() (string, error) {
	dir := os.Getenv("RMR_RIG_CACHE")
	if dir == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("find cache directory: %w", err)
		}
		dir = filepath.Join(base, "rmr-rig")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("find cache directory: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("make cache directory: %w", err)
	}
	return dir, nil
}

// Lock takes the cache's lock of that name, waiting for other processes, and returns its release.
func Lock(ctx context.Context, cache, name string) (func(), error) {
	path := filepath.Join(cache, name+".lock")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|unix.O_CLOEXEC, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open lock: %w", err)
	}
	taken := make(chan error, 1)
	go func() { // not to be interrupted: ends when the holder releases the lock, and lets it go if too late
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX)
		if ctx.Err() != nil {
			f.Close()
		}
		taken <- err
	}()
	select {
	case err := <-taken:
		if err != nil {
			f.Close()
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		return func() { f.Close() }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("lock %s: %w", path, context.Cause(ctx))
	}
}

// run executes a command of the build, its output going to log, and quotes the end of the output
// if it fails.
func run(ctx context.Context, log io.Writer, dir, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	tail := &tailBuffer{limit: 4000}
	cmd.Stdout, cmd.Stderr = io.MultiWriter(log, tail), io.MultiWriter(log, tail)
	cmd.Cancel = func() error { return unix.Kill(-cmd.Process.Pid, unix.SIGTERM) }
	cmd.SysProcAttr = sysProcAttr()
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("run %s: %w; its last output:\n%s", filepath.Base(name), err, tail.buf)
	}
	return nil
}

// tailBuffer keeps the last limit bytes.
type tailBuffer struct {
	limit int
	buf   []byte
}

func (t *tailBuffer) Write(p []byte) (int, error) {
	t.buf = append(t.buf, p...)
	if over := len(t.buf) - t.limit; over > 0 {
		t.buf = append(t.buf[:0], t.buf[over:]...)
	}
	return len(p), nil
}
