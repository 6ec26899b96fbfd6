// SPDX-License-Identifier: Apache-2.0

// Facts from proc and sysfs: mounts, swap, holders and the read-only flag of a device and of its
// partitions.

package blockdev

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// System says where proc and sysfs are.
type System struct {
	Proc string
	Sys  string
}

func (s System) facts(path string) (Facts, error) {
	real, major, minor, err := rdev(path)
	if err != nil {
		return Facts{}, err
	}
	f := Facts{Path: path, Real: real}
	return f, s.fill(&f, fmt.Sprintf("%d:%d", major, minor))
}

// fill adds what the kernel says about device number dev, "major:minor".
func (s System) fill(f *Facts, dev string) error {
	dir := filepath.Join(s.Sys, "dev/block", dev)
	ro, err := os.ReadFile(filepath.Join(dir, "ro"))
	if err != nil {
		return fmt.Errorf("facts of %s: %w", f.Path, err)
	}
	f.ReadOnly = strings.TrimSpace(string(ro)) != "0"
	parts, err := filepath.Glob(filepath.Join(dir, "*/partition"))
	if err != nil {
		return err
	}
	devs := map[string]bool{dev: true}
	dirs := []string{dir}
	for _, part := range parts {
		dirs = append(dirs, filepath.Dir(part))
		number, err := os.ReadFile(filepath.Join(filepath.Dir(part), "dev"))
		if err != nil {
			return fmt.Errorf("facts of %s: %w", f.Path, err)
		}
		devs[strings.TrimSpace(string(number))] = true
	}
	for _, d := range dirs {
		holders, err := os.ReadDir(filepath.Join(d, "holders"))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("holders of %s: %w", f.Path, err)
		}
		for _, h := range holders {
			f.Holders = append(f.Holders, h.Name())
		}
	}
	if f.Mounts, err = s.mounts(devs); err != nil {
		return err
	}
	f.Swap, err = s.swap(f.Real)
	return err
}

// mounts lists the mount points of the devices, from mountinfo: the third field is the number
// of the mounted device, the fifth the mount point.
func (s System) mounts(devs map[string]bool) ([]string, error) {
	raw, err := os.ReadFile(filepath.Join(s.Proc, "self/mountinfo"))
	if err != nil {
		return nil, fmt.Errorf("list mounts: %w", err)
	}
	var list []string
	for line := range strings.Lines(string(raw)) {
		if w := strings.Fields(line); len(w) > 4 && devs[w[2]] {
			list = append(list, w[4])
		}
	}
	return list, nil
}

func (s System) swap(real string) (bool, error) {
	raw, err := os.ReadFile(filepath.Join(s.Proc, "swaps"))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil // a kernel without swap
	}
	if err != nil {
		return false, fmt.Errorf("list swap: %w", err)
	}
	for line := range strings.Lines(string(raw)) {
		if w := strings.Fields(line); len(w) > 0 && w[0] == real {
			return true, nil
		}
	}
	return false, nil
}
