// SPDX-License-Identifier: Apache-2.0

// Zeroing a future data area, and the spot check for callers that say it is zero already.

package blockdev

import (
	"context"
	"fmt"

	"github.com/rmr-block/rmr/pkg/pool"
)

// ZeroStep is how many bytes are zeroed between two reports of progress: small enough that an
// interrupt is noticed within a second on a slow disk.
const ZeroStep = 64 << 20

// Zero fills the first dataSize bytes and everything from the start of the metadata tail on with
// zeros, reports bytes done after each step, and makes it stable. What it had written stays
// when ctx ends or a write fails.
func (d *Disk) Zero(ctx context.Context, dataSize uint64, progress func(done, total uint64)) error {
	usable := pool.UsableSize(d.Size)
	if usable < pool.MDTail || dataSize > usable-pool.MDTail {
		return fmt.Errorf("zero %s: %d bytes do not fit", d.Path, dataSize)
	}
	// A signature in the tail would outlive the data area's zeros.
	tail := usable - pool.MDTail
	return d.zeroSpans(ctx, [][2]uint64{{0, dataSize}, {tail, (d.Size - tail) &^ 511}}, progress)
}

// ZeroData is Zero for a device that holds data alone: all of it.
func (d *Disk) ZeroData(ctx context.Context, progress func(done, total uint64)) error {
	return d.zeroSpans(ctx, [][2]uint64{{0, d.Size &^ 511}}, progress)
}

// zeroSpans takes offsets and lengths.
func (d *Disk) zeroSpans(ctx context.Context, spans [][2]uint64, progress func(done, total uint64)) error {
	total, done := uint64(0), uint64(0)
	for _, span := range spans {
		total += span[1]
	}
	for _, span := range spans {
		for off, end := span[0], span[0]+span[1]; off < end; {
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("zero %s: stopped at byte %d: %w", d.Path, off, err)
			}
			n := min(end-off, ZeroStep)
			if err := d.dev.ZeroOut(off, n); err != nil {
				return fmt.Errorf("zero %s at byte %d: %w", d.Path, off, err)
			}
			off += n
			done += n
			progress(done, total)
		}
	}
	if err := d.dev.Sync(); err != nil {
		return fmt.Errorf("flush %s: %w", d.Path, err)
	}
	return nil
}

// NotZeroError is the first byte found that is not zero.
type NotZeroError struct {
	Path   string
	Offset uint64
}

func (e *NotZeroError) Error() string {
	return fmt.Sprintf("%s: byte %d is not zero", e.Path, e.Offset)
}

// SpotCheckZero reads the first and last MiB of the first dataSize bytes and 64 blocks between
// and returns *NotZeroError if one of them has data. It cannot prove that the rest is zero.
func (d *Disk) SpotCheckZero(dataSize uint64) error {
	const edge, spots, spot = 1 << 20, 64, 4096
	dataSize = min(dataSize, d.Size)
	if err := d.ExpectZero(0, min(edge, dataSize)); err != nil {
		return err
	}
	if dataSize <= 2*edge {
		return d.ExpectZero(min(edge, dataSize), dataSize-min(edge, dataSize))
	}
	step := (dataSize - 2*edge) / spots
	for i := range uint64(spots) {
		if err := d.ExpectZero(edge+i*step, min(spot, step)); err != nil {
			return err
		}
	}
	return d.ExpectZero(dataSize-edge, edge)
}

// ExpectZero returns *NotZeroError if one of n bytes from off on is not zero.
func (d *Disk) ExpectZero(off, n uint64) error {
	const step = 1 << 20
	b := make([]byte, min(n, step))
	for end := off + n; off < end; off += uint64(len(b)) {
		b = b[:min(end-off, step)]
		if got, err := d.dev.ReadAt(b, int64(off)); got < len(b) {
			return fmt.Errorf("read %s at byte %d: %w", d.Path, off, err)
		}
		for i, v := range b {
			if v != 0 {
				return &NotZeroError{d.Path, off + uint64(i)}
			}
		}
	}
	return nil
}
