// SPDX-License-Identifier: Apache-2.0

// Stores with their metadata on a device of its own: what speaks against such a device, and how large a pool fits.

package cli

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/rmr-block/rmr/internal/blockdev"
	"github.com/rmr-block/rmr/pkg/pool"
)

// checkMetadataDevice looks at the device for the metadata as at one that becomes a store. The kernel opens it itself.
func (o *storeOptions) checkMetadataDevice(a *app, p *plan) error {
	if sameDevice(o.device, o.mdDevice) {
		return refuse("%s: --device and --metadata-device are the same; leave --metadata-device out", o.verbAndObject)
	}
	disk, err := a.OpenDisk(o.mdDevice, false)
	if disk == nil {
		return fmt.Errorf("%s: %w", o.verbAndObject, err)
	}
	defer disk.Close()
	for _, problem := range blockdev.Check(disk.Facts, disk.Findings, o.minStore(err, pool.MDTail+pool.MapLen(1))) {
		if problem.Class == blockdev.Never {
			return refuse("%s: %s", o.verbAndObject, problem.Text)
		}
		p.raise(riskLoseData, "%s", strings.TrimSuffix(problem.Text, "; --force overwrites it"))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", o.verbAndObject, err)
	}
	o.mdSize = disk.Size
	return nil
}

// sameDevice compares paths behind symbolic links.
func sameDevice(a, b string) bool {
	x, errX := filepath.EvalSymlinks(a)
	y, errY := filepath.EvalSymlinks(b)
	if errX != nil || errY != nil { // opening it says what is wrong
		return a == b
	}
	return x == y
}

// most is the largest pool that fits; by default it leaves room for the stub that tells whose data the device holds.
func (o *storeOptions) most(disk *blockdev.Disk, chunk uint32, byDefault bool) uint64 {
	if o.mdDevice == "" {
		return pool.PoolSizeMaxOn(disk.Size, chunk)
	}
	return pool.PoolSizeMaxSplit(disk.Size, o.mdSize, chunk, byDefault && !o.adopt)
}
