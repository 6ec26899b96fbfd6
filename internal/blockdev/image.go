// SPDX-License-Identifier: Apache-2.0

// Devices and image files alike, for tools that work on a store while nobody serves it; and a way to read one that
// somebody does.

package blockdev

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// OpenImage is Open for a device or a regular file. A file that is the backing file of a loop device, or that another
// process has locked as a machine monitor does with its disks, comes back with its Facts and ErrBusy; else it stays
// locked until Close.
func OpenImage(path string, write bool) (*Disk, error) {
	facts, regular, err := imageFacts(path)
	if err != nil {
		return nil, err
	}
	if !regular {
		return Open(path, write)
	}
	if len(facts.Holders) > 0 {
		return &Disk{Facts: facts}, fmt.Errorf("open %s: %w", path, ErrBusy)
	}
	flags, lock := os.O_RDONLY, int16(unix.F_RDLCK)
	if write {
		flags, lock = os.O_RDWR, unix.F_WRLCK
	}
	f, err := os.OpenFile(facts.Real, flags|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	for _, cmd := range []int{unix.F_OFD_SETLK, unix.F_SETLK} {
		err = unix.FcntlFlock(f.Fd(), cmd, &unix.Flock_t{Type: lock, Whence: io.SeekStart})
		if !errors.Is(err, unix.EINVAL) { // a kernel without the first kind
			break
		}
	}
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
		f.Close()
		return &Disk{Facts: facts}, fmt.Errorf("open %s: locked: %w", path, ErrBusy)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return New(facts, fileDevice{f})
}

// OpenShared opens a device or a file for reading though somebody may be writing to it. It is not probed.
func OpenShared(path string) (*Disk, error) {
	facts, regular, err := imageFacts(path)
	if err == nil && !regular {
		facts, err = System{Proc: "/proc", Sys: "/sys"}.facts(path)
	}
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(facts.Real, os.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	dev, err := measure(f, path, &facts)
	if err != nil {
		return nil, err
	}
	return &Disk{Facts: facts, dev: dev}, nil
}

// imageFacts are the facts of a regular file; regular is false, and nothing is filled in, for anything else.
func imageFacts(path string) (f Facts, regular bool, err error) {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return Facts{}, false, err
	}
	if real, err = filepath.Abs(real); err != nil {
		return Facts{}, false, err
	}
	st, err := os.Stat(real)
	if err != nil || !st.Mode().IsRegular() {
		return Facts{}, false, err
	}
	f = Facts{Path: path, Real: real, Size: uint64(st.Size())}
	backing, err := filepath.Glob("/sys/block/loop*/loop/backing_file")
	if err != nil {
		return Facts{}, false, err
	}
	for _, name := range backing {
		if raw, err := os.ReadFile(name); err == nil && strings.TrimSuffix(string(raw), "\n") == real {
			f.Holders = append(f.Holders, filepath.Base(filepath.Dir(filepath.Dir(name))))
		}
	}
	return f, true, nil
}
