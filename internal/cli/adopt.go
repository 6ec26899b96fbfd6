// SPDX-License-Identifier: Apache-2.0

// pool create --adopt: the data of a device becomes the data of the pool. Nothing of it may be overwritten, so where
// the metadata goes must be known to be unused.

package cli

import (
	"fmt"
	"slices"

	"github.com/rmr-block/rmr/internal/blockdev"
	"github.com/rmr-block/rmr/pkg/pool"
)

// checkAdopt refuses options that contradict --adopt.
func (o *poolCreateOptions) checkAdopt() error {
	switch {
	case !o.adopt:
		return nil
	case o.assumeZeroed:
		return &usageError{"--adopt keeps the data of the device, --assume-zeroed says that there is none"}
	case o.size == "" && o.mdDevice == "":
		return refuse("%s: --adopt needs --size: the map and %d bytes at the end of %s become metadata, "+
			"so say how much of its start is data, and leave room for them, or give a --metadata-device", o.verbAndObject, pool.MDTail, o.device)
	}
	return nil
}

// against are the findings that speak against using the device: with --adopt, what stays in its place does not.
func (o *storeOptions) against(findings []blockdev.Finding) []blockdev.Finding {
	if !o.adopt {
		return findings
	}
	return slices.DeleteFunc(slices.Clone(findings), blockdev.Finding.Kept)
}

// planAdopt holds the size of the data against what the device carries, and what becomes metadata against zeros.
func (o *poolCreateOptions) planAdopt(disk *blockdev.Disk, size uint64, chunk uint32, p *plan) error {
	for _, f := range disk.Findings {
		extent, err := blockdev.Extent(disk, f)
		if err != nil {
			return fmt.Errorf("%s: %s: %w", o.verbAndObject, o.device, err)
		}
		if extent > size {
			return refuse("%s: the %s (%s) on %s takes up %d bytes and the pool %d: its end would become metadata; shrink it first or "+
				"choose a larger --size", o.verbAndObject, f.Kind, f.Name, o.device, extent, size)
		}
	}
	if o.mdDevice != "" {
		return o.planAdoptSplit(disk, size, p)
	}
	store := pool.UsableSize(disk.Size)
	from := pool.MapOff(store, pool.MapLen(pool.Chunks(size, chunk)))
	if err := disk.ExpectZero(from, disk.Size-from); err != nil {
		p.raise(riskLoseData, "%v, and everything from byte %d on becomes metadata", err, from)
	}
	p.Before = append(p.Before, fmt.Sprintf("keep %s, bytes 0 to %d, as the data of the pool, and write metadata from byte %d on", o.device, size-1, from))
	return nil
}

// planAdoptSplit: all of the device is data, or all but the stub in its last block.
func (o *poolCreateOptions) planAdoptSplit(disk *blockdev.Disk, size uint64, p *plan) error {
	off, ok := pool.StubOff(disk.Size, size)
	if !ok {
		p.Before = append(p.Before, fmt.Sprintf("keep %s as the data of the pool; it has no room to note whose data it is, so it will be told by its size alone", o.device))
		return nil
	}
	if err := disk.ExpectZero(off, pool.StubSize); err != nil {
		p.raise(riskLoseData, "%v, and the last block of the device is to tell whose data it holds", err)
	}
	p.Before = append(p.Before, fmt.Sprintf("keep %s, bytes 0 to %d, as the data of the pool, and write its last block", o.device, size-1))
	return nil
}
