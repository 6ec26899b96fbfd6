// SPDX-License-Identifier: Apache-2.0

// The scan: block devices from sysfs and the superblocks on them. It only reads, beside the page
// cache, and it never waits for a disk that does not answer: such a read is left to a goroutine
// of its own, and the device is asked again only when that has ended.
//
// A scanner belongs to one goroutine.

package storaged

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/rmr-block/rmr/pkg/pool"
)

// Kernel names of devices that are never a store: this project's own and other devices of the
// network, which may not answer, and memory.
var neverStore = []string{"brmr", "rnbd", "nbd", "drbd", "ram", "zram", "fd", "sr"}

// probeLimit is how long a scan waits for the slowest device.
const probeLimit = 3 * time.Second

// blockDevice is a block device as sysfs shows it.
type blockDevice struct {
	Path    string // /dev/NAME
	Mapper  string // /dev/mapper/NAME of a device-mapper device, or ""
	Seq     string // number that no other disk of this boot had, "" if the kernel tells none
	Holders []string
}

// id tells one appearance of a disk from the next at the same path.
func (d blockDevice) id() string { return d.Path + "#" + d.Seq }

// readerAt is an open device of a size in bytes.
type readerAt interface {
	io.ReaderAt
	io.Closer
}

// found is what a look at one device gave: a superblock, or an error of interest.
type found struct {
	dev blockDevice
	sb  *pool.Superblock // nil: no store
	err error            // damaged, unreadable or silent

	// Of stores on two devices, see pairs.
	stub *pool.Stub // of a device with the data of a store
	md   string     // path of the device with the metadata, if dev has the data only
	lost string     // why the other device is not known
}

var errSilent = errors.New("device does not answer")

// opener opens a device for reading. With excl it must fail with EBUSY if a driver holds it.
type opener func(path string, excl bool) (r readerAt, size uint64, err error)

type scanner struct {
	sys     string // mount point of sysfs
	open    opener
	limit   time.Duration
	pending map[string]chan found // reads that have not ended, by the device's id
	wg      sync.WaitGroup        // of those reads
}

func newScanner(sys string, open opener) *scanner {
	return &scanner{sys: sys, open: open, limit: probeLimit, pending: map[string]chan found{}}
}

// devices lists what the configuration wants looked at, by path.
func (s *scanner) devices(c Config) ([]blockDevice, error) {
	class := filepath.Join(s.sys, "class/block")
	entries, err := os.ReadDir(class)
	if err != nil {
		return nil, fmt.Errorf("list block devices: %w", err)
	}
	var list []blockDevice
	for _, e := range entries {
		dir := filepath.Join(class, e.Name())
		// sysfs writes the slash of a name as an exclamation mark.
		d := blockDevice{Path: "/dev/" + strings.ReplaceAll(e.Name(), "!", "/")}
		if never(e.Name()) || line(dir, "size") == "0" {
			continue
		}
		if name := line(dir, "dm/name"); name != "" {
			d.Mapper = "/dev/mapper/" + name
		}
		if !c.wanted(d.Path, d.Mapper) {
			continue
		}
		d.Seq = line(dir, "diskseq")
		if real, err := filepath.EvalSymlinks(dir); d.Seq == "" && err == nil {
			d.Seq = line(filepath.Dir(real), "diskseq") // of a partition
		}
		d.Holders = names(filepath.Join(dir, "holders"))
		list = append(list, d)
	}
	slices.SortFunc(list, func(a, b blockDevice) int { return strings.Compare(a.Path, b.Path) })
	return list, nil
}

func never(name string) bool {
	return slices.ContainsFunc(neverStore, func(prefix string) bool {
		rest, ok := strings.CutPrefix(name, prefix)
		return ok && rest != "" && rest[0] >= '0' && rest[0] <= '9'
	})
}

func line(dir, file string) string {
	raw, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(raw))
}

func names(dir string) (list []string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil // a disk that just went
	}
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

// probe looks at the devices at once and returns those that are of interest, in their order.
func (s *scanner) probe(devs []blockDevice) []found {
	timer := time.NewTimer(s.limit)
	defer timer.Stop()
	asked, fresh := map[string]chan found{}, map[string]bool{}
	for _, d := range devs {
		if asked[d.id()] = s.pending[d.id()]; asked[d.id()] == nil {
			asked[d.id()], fresh[d.id()] = s.start(d), true
		}
	}
	s.pending = asked // a read of a disk that went ends for nobody
	late := false
	var list []found
	for _, d := range devs {
		result := s.pending[d.id()]
		if !late && fresh[d.id()] { // a disk that hangs is waited for once
			select {
			case f := <-result:
				list = s.take(list, d, f)
				continue
			case <-timer.C:
				late = true
			}
		}
		select {
		case f := <-result:
			list = s.take(list, d, f)
		default:
			list = append(list, found{dev: d, err: errSilent})
		}
	}
	return list
}

func (s *scanner) start(d blockDevice) chan found {
	result := make(chan found, 1) // nobody may be left to take it
	s.wg.Go(func() {
		f := found{dev: d}
		f.sb, f.stub, f.err = s.read(d.Path)
		result <- f
	})
	return result
}

// take ends a read; what the device is used by may have changed since it began.
func (s *scanner) take(list []found, d blockDevice, f found) []found {
	delete(s.pending, d.id())
	f.dev = d
	if f.sb == nil && f.stub == nil && f.err == nil {
		return list
	}
	return append(list, f)
}

// read returns the superblock of a device, or its stub, or neither and no error if it is no store.
func (s *scanner) read(path string) (*pool.Superblock, *pool.Stub, error) {
	r, size, err := s.open(path, false)
	switch {
	case errors.Is(err, unix.ENOMEDIUM), errors.Is(err, unix.ENXIO), errors.Is(err, os.ErrNotExist):
		return nil, nil, nil // no disk in it
	case err != nil:
		return nil, nil, err
	}
	defer r.Close()
	var copies [pool.SuperblockCopies][]byte
	var readErr error
	for i := range copies {
		off, ok := pool.SuperblockOff(size, i)
		if !ok {
			return nil, nil, nil
		}
		b := alignedBlock()
		if n, err := r.ReadAt(b, int64(off)); n < len(b) {
			readErr = errors.Join(readErr, err)
			continue
		}
		copies[i] = b
	}
	sb, _, err := pool.ChooseSuperblock(copies, size)
	switch {
	case err == nil:
		return sb, nil, nil
	case readErr != nil:
		return nil, nil, fmt.Errorf("read superblock: %w", readErr)
	case errors.Is(err, pool.ErrNotOurs):
		return nil, readStub(r, size), nil
	}
	return nil, nil, fmt.Errorf("both superblock copies damaged: %w", err)
}

// held tells whether a driver has the device to itself. One that is there and cannot be asked counts
// as held.
func (s *scanner) held(path string) bool {
	r, _, err := s.open(path, true)
	if err == nil {
		err = r.Close()
	}
	return err != nil && !errors.Is(err, os.ErrNotExist) && !errors.Is(err, unix.ENXIO) && !errors.Is(err, unix.ENODEV)
}

// alignedBlock is a superblock's room at an address that direct I/O takes on every disk.
func alignedBlock() []byte {
	b := make([]byte, 2*pool.SuperblockSize)
	skip := -int(uintptr(unsafe.Pointer(&b[0]))) & (pool.SuperblockSize - 1)
	return b[skip : skip+pool.SuperblockSize]
}

// openDevice opens a block device past the page cache: the kernel's side writes superblocks
// without it.
func openDevice(path string, excl bool) (readerAt, uint64, error) {
	flags := os.O_RDONLY | unix.O_DIRECT | unix.O_CLOEXEC
	if excl {
		flags |= unix.O_EXCL
	}
	st, err := os.Stat(path)
	if err != nil {
		return nil, 0, err
	}
	if st.Mode()&(os.ModeDevice|os.ModeCharDevice) != os.ModeDevice {
		return nil, 0, fmt.Errorf("%s: %w", path, syscall.ENOTBLK)
	}
	f, err := os.OpenFile(path, flags, 0)
	if err != nil {
		return nil, 0, err
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, uint64(size), nil
}
