// SPDX-License-Identifier: Apache-2.0

// What the cache keeps. An entry (a node image, a build tree, a copy of modules) is touched when it is used, and
// locked for as long as a rig runs from it; of each kind only the most recently used ones stay.

package kernel

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// keepUnused is how long everything stays: between its making and its lock, and for programs that take no lock.
const keepUnused = 3 * time.Hour

// kind of entries, by name; keep is how many of them stay however old they are.
type kind struct {
	name *regexp.Regexp
	keep int
}

func kinds() []kind {
	list := []kind{
		{regexp.MustCompile(`^image-work-[0-9]+$`), 0}, // of a build that was killed
		{regexp.MustCompile(`\.removed$`), 0},          // of a removal that was
	}
	for _, v := range Variants() {
		of := func(prefix, rest string, keep int) kind {
			return kind{regexp.MustCompile("^" + prefix + "-" + string(v) + "-[0-9a-f]{12}" + rest + "$"), keep}
		}
		list = append(list,
			of("image", `\.cpio`, 4),
			of("linux", "", 3), of("linux", `\.building`, 1), of("linux", `\.building\.log`, 3),
			of("modules", "-[0-9a-f]{8}", 8),
		)
	}
	return list
}

// Use touches an entry of the cache and keeps Prune off it until release is called or the process ends. The error
// wraps fs.ErrNotExist if there is none.
func Use(path string) (release func(), err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("use cache: %w", err)
	}
	if err = unix.Flock(int(f.Fd()), unix.LOCK_SH); err == nil {
		err = stillThere(f, path)
	}
	if err == nil {
		err = touch(path)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("use cache: %w", err)
	}
	return func() { f.Close() }, nil
}

// stillThere: it may have been removed between the opening and the lock.
func stillThere(f *os.File, path string) error {
	opened, err := f.Stat()
	if err != nil {
		return err
	}
	named, err := os.Stat(path)
	if err == nil && !os.SameFile(opened, named) {
		err = &fs.PathError{Op: "lock", Path: path, Err: fs.ErrNotExist}
	}
	return err
}

func touch(path string) error {
	now := time.Now()
	return os.Chtimes(path, now, now)
}

// Prune removes entries of the cache that were not used lately, but the most recently used ones of each kind.
func Prune(cache string) error { return prune(cache, time.Now().Add(-keepUnused)) }

func prune(cache string, since time.Time) error {
	entries, err := os.ReadDir(cache)
	if err != nil {
		return fmt.Errorf("prune cache: %w", err)
	}
	var problems []error
	for _, k := range kinds() {
		var list []fs.FileInfo
		for _, e := range entries {
			if info, err := e.Info(); err == nil && k.name.MatchString(e.Name()) {
				list = append(list, info) // else another process has just removed it
			}
		}
		slices.SortFunc(list, func(a, b fs.FileInfo) int { return b.ModTime().Compare(a.ModTime()) })
		for _, info := range list[min(k.keep, len(list)):] {
			if info.ModTime().Before(since) {
				problems = append(problems, remove(filepath.Join(cache, info.Name()), since))
			}
		}
	}
	return errors.Join(problems...)
}

// remove takes an entry away unless somebody uses it, or has used it since it was listed.
func remove(path string, since time.Time) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return fmt.Errorf("prune cache: %w", err)
	}
	defer f.Close()
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); errors.Is(err, unix.EWOULDBLOCK) {
		return nil
	} else if err != nil {
		return fmt.Errorf("prune cache: lock %s: %w", path, err)
	}
	if info, err := f.Stat(); err != nil || !info.ModTime().Before(since) {
		return err
	}
	// Gone by its name at once, so that nobody finds half of a tree.
	doomed := path + ".removed"
	if err := os.Rename(path, doomed); err != nil {
		return fmt.Errorf("prune cache: %w", err)
	}
	return os.RemoveAll(doomed)
}
