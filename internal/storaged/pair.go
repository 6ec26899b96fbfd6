// SPDX-License-Identifier: Apache-2.0

// Stores on two devices: the superblock on one names a stub on the other.

package storaged

import (
	"fmt"

	"github.com/rmr-block/rmr/pkg/pool"
)

// readStub returns the stub of a device that is no store, nil if it has none.
func readStub(r readerAt, size uint64) *pool.Stub {
	off, ok := pool.StubOff(size, 0)
	if !ok {
		return nil
	}
	b := alignedBlock()
	if n, err := r.ReadAt(b, int64(off)); n < len(b) || err != nil {
		return nil
	}
	stub, err := pool.DecodeStub(b)
	if err != nil {
		return nil
	}
	return stub
}

// pairs puts the two devices of a store together: what is left of it counts as the device with the data, which the
// kernel shows too, and md is the other one. One that is not complete says why.
func pairs(all []found) []found {
	data := map[pool.Stub][]found{} // by all but the size
	list := make([]found, 0, len(all))
	for _, f := range all {
		if f.stub != nil {
			key := *f.stub
			key.DataSize = 0
			data[key] = append(data[key], f)
			continue
		}
		list = append(list, f)
	}
	for i, f := range list {
		if f.sb == nil || !f.sb.Split() {
			continue
		}
		mine := data[pool.Stub{Pool: f.sb.Pool, Store: f.sb.Store, Label: f.sb.DataLabel}]
		free := mine[:0:0]
		for _, d := range mine {
			// One that is larger was to grow when its node died; the kernel looks at its old end.
			if len(d.dev.Holders) == 0 && d.stub.DataSize >= f.sb.DataSize {
				free = append(free, d)
			}
		}
		if len(free) != 1 {
			list[i].lost = fmt.Sprintf("the device with its data was not recognised, %d claim to be it: "+
				"`rmrctl pool assemble DEVICE --metadata-device %s`", len(free), f.dev.Path)
			continue
		}
		list[i].md, list[i].dev = f.dev.Path, free[0].dev
	}
	return list
}
