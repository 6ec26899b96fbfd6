// SPDX-License-Identifier: Apache-2.0

// Package blockdev looks at a block device before it becomes a store: who uses it, what it
// carries, how large it is; and it fills the future data area with zeros. Nothing here writes
// to a device unless Zero or WriteAt is called.
//
// A Disk belongs to one goroutine.
package blockdev

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Errors of Open, matched with errors.Is.
var (
	ErrNotBlock = errors.New("not a block device")
	ErrBusy     = errors.New("in use by another program or a kernel driver")
)

// Device is what a Disk does to the hardware.
type Device interface {
	io.ReaderAt
	io.WriterAt
	ZeroOut(off, n uint64) error // fill with zeros; both multiples of the logical block size
	Sync() error
	Close() error
}

// Disk is an open device with what was found about it.
type Disk struct {
	Facts
	Findings []Finding
	dev      Device
}

// Open looks at the block device at path and opens it so that no other program, mount or driver
// can claim it meanwhile; write asks for permission to write. A device in use comes back with
// its Facts and ErrBusy.
func Open(path string, write bool) (*Disk, error) {
	facts, err := System{Proc: "/proc", Sys: "/sys"}.facts(path)
	if err != nil {
		return nil, err
	}
	flags := os.O_RDONLY
	if write && !facts.ReadOnly {
		flags = os.O_RDWR
	}
	f, err := os.OpenFile(facts.Real, flags|unix.O_EXCL|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.EBUSY) {
		return &Disk{Facts: facts}, fmt.Errorf("open %s: %w", path, ErrBusy)
	}
	if err != nil {
		return nil, err
	}
	dev, err := measure(f, path, &facts)
	if err != nil {
		return nil, err
	}
	return New(facts, dev)
}

// measure fills in the size of an open device or file, and has the next reads come from the medium. It closes f
// if it fails.
func measure(f *os.File, path string, facts *Facts) (fileDevice, error) {
	dev := fileDevice{f}
	size, err := f.Seek(0, io.SeekEnd)
	if err == nil {
		err = dev.forget()
	}
	if err != nil {
		f.Close()
		return dev, fmt.Errorf("size of %s: %w", path, err)
	}
	facts.Size = uint64(size)
	return dev, nil
}

// New probes a device that is open already; the disk owns it from then on.
func New(facts Facts, dev Device) (*Disk, error) {
	findings, err := Probe(dev, facts.Size)
	if err != nil {
		dev.Close()
		return nil, fmt.Errorf("probe %s: %w", facts.Path, err)
	}
	return &Disk{Facts: facts, Findings: findings, dev: dev}, nil
}

// ReadAt reads the device.
func (d *Disk) ReadAt(b []byte, off int64) (int, error) { return d.dev.ReadAt(b, off) }

// WriteAt writes to a device that was opened for it.
func (d *Disk) WriteAt(b []byte, off int64) (int, error) { return d.dev.WriteAt(b, off) }

// Sync makes what was written stable. What is read later comes from the device.
func (d *Disk) Sync() error { return d.dev.Sync() }

// Forget makes the next read come from the device.
func (d *Disk) Forget() error {
	if f, ok := d.dev.(fileDevice); ok {
		return f.forget()
	}
	return nil
}

// Close gives the device back.
func (d *Disk) Close() error {
	if d.dev == nil {
		return nil
	}
	return d.dev.Close()
}

type fileDevice struct{ *os.File }

// forget drops what the page cache holds: the kernel's side writes metadata beside it.
func (f fileDevice) forget() error {
	if err := unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED); err != nil {
		return fmt.Errorf("drop cached pages of %s: %w", f.Name(), err)
	}
	return nil
}

func (f fileDevice) Sync() error {
	if err := f.File.Sync(); err != nil {
		return err
	}
	return f.forget()
}

func (f fileDevice) ZeroOut(off, n uint64) error {
	span := [2]uint64{off, n}
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, f.Fd(), unix.BLKZEROOUT, uintptr(unsafe.Pointer(&span)))
	if errno != 0 {
		return os.NewSyscallError("BLKZEROOUT", errno)
	}
	return nil
}

// rdev returns the device number behind a path, ErrNotBlock for anything else.
func rdev(path string) (real string, major, minor uint32, err error) {
	real, err = filepath.EvalSymlinks(path)
	if err != nil {
		return "", 0, 0, err
	}
	st, err := os.Stat(real)
	if err != nil {
		return "", 0, 0, err
	}
	if st.Mode()&os.ModeDevice == 0 || st.Mode()&os.ModeCharDevice != 0 {
		return "", 0, 0, fmt.Errorf("%s: %w", path, ErrNotBlock)
	}
	dev := st.Sys().(*syscall.Stat_t).Rdev
	return real, unix.Major(dev), unix.Minor(dev), nil
}
