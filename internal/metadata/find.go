// SPDX-License-Identifier: Apache-2.0

// Looking for superblocks that are not at the end of their device, because it has grown.

package metadata

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/rmr-block/rmr/pkg/pool"
)

// Found is a superblock that is valid for a store of the size it says.
type Found struct {
	StoreSize  uint64 // bytes from the start of the device, as pool assemble takes it
	Copy       int    // 0 or 1
	Superblock *pool.Superblock
}

const findStep = 4 << 20

// Find reads a device of size bytes from its end to its start and returns every superblock that lies where a store
// that ends there has it, the last one on the device first. progress is told bytes done.
func Find(ctx context.Context, r io.ReaderAt, size uint64, progress func(done, total uint64)) ([]Found, error) {
	var list []Found
	end := pool.UsableSize(size)
	buf := make([]byte, findStep)
	for at := end; at > 0; {
		if err := ctx.Err(); err != nil {
			return list, err
		}
		from := at - min(at, findStep)
		b := buf[:at-from]
		if n, err := r.ReadAt(b, int64(from)); n < len(b) {
			return list, fmt.Errorf("read at byte %d: %w", from, err)
		}
		for off := at - pool.MDBlock; ; off -= pool.MDBlock {
			block := b[off-from : off-from+pool.MDBlock]
			if bytes.HasPrefix(block, []byte("RMRSTORE")) {
				list = append(list, foundAt(block, off)...)
			}
			if off == from {
				break
			}
		}
		at = from
		progress(end-at, end)
	}
	return list, nil
}

// foundAt tries both copies.
func foundAt(block []byte, off uint64) (list []Found) {
	for number, back := range []uint64{pool.Copy0Back, pool.Copy1Back} {
		if sb, err := pool.DecodeSuperblock(block, off+back); err == nil {
			list = append(list, Found{off + back, number, sb})
		}
	}
	return list
}
