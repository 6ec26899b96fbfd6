// SPDX-License-Identifier: Apache-2.0

// The decision whether a device may become a store: pure, from what Open and Probe found.

package blockdev

import (
	"fmt"
	"strings"
)

// Facts are what the system knows about a device without reading it.
type Facts struct {
	Path     string   `json:"path"`      // as given
	Real     string   `json:"real"`      // after symbolic links
	Size     uint64   `json:"size"`      // bytes
	ReadOnly bool     `json:"read_only"` // the kernel refuses writes
	Mounts   []string `json:"mounts"`    // mount points of it or its partitions
	Holders  []string `json:"holders"`   // devices built on it or its partitions
	Swap     bool     `json:"swap"`      // in use as swap
}

// Class says what may be done about a problem.
type Class int

// Classes of problems.
const (
	Never Class = iota // --force does not help
	Force              // the operator may insist
)

// Problem is one reason against using a device.
type Problem struct {
	Class Class
	Text  string // one line, what is wrong and what to do
}

// Check lists what speaks against making the device a store of at least minSize bytes; empty
// means nothing does.
func Check(f Facts, findings []Finding, minSize uint64) []Problem {
	var list []Problem
	never := func(format string, args ...any) {
		list = append(list, Problem{Never, f.Path + ": " + fmt.Sprintf(format, args...)})
	}
	if len(f.Mounts) > 0 {
		never("mounted on %s: unmount it or take another device", strings.Join(f.Mounts, ", "))
	}
	if f.Swap {
		never("in use as swap: swapoff it or take another device")
	}
	if len(f.Holders) > 0 {
		never("in use by %s: stop that first or take another device", strings.Join(f.Holders, ", "))
	}
	if f.ReadOnly {
		never("read-only: make it writable (blockdev --setrw) or take another device")
	}
	if f.Size < minSize {
		never("too small: %d bytes, at least %d are needed", f.Size, minSize)
	}
	for _, finding := range findings {
		list = append(list, Problem{Force, f.Path + ": " + describe(finding)})
	}
	return list
}

func describe(f Finding) string {
	switch f.Kind {
	case Store:
		return fmt.Sprintf("is a store already: %s; `rmrctl pool assemble` starts it, --force overwrites it", f.Name)
	case DamagedStore:
		return fmt.Sprintf("carries a damaged superblock (%s); look at `rmrctl pool assemble` first, --force overwrites it", f.Name)
	}
	return fmt.Sprintf("carries a %s (%s, byte %d); --force overwrites it", f.Kind, f.Name, f.Offset)
}
