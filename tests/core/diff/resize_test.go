// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"errors"
	"math/rand/v2"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/rmr-block/rmr/pkg/pool"
)

// TestResizeRule: a member makes the same of a RESIZE, and every answer is seen.
func TestResizeRule(t *testing.T) {
	seen := map[int]int{}
	startCore(t).episodes(func(c *core, r *rand.Rand) {
		for range 200 {
			size := func() uint64 { return pool.PoolSizeMin + pool.BlockSize*r.Uint64N(4) }
			now, room, cuts := size(), size(), r.Uint32N(3)
			m := pool.Resize{Size: size(), From: size(), Cuts: r.Uint32N(3), Flags: uint8(r.IntN(2)) * pool.ResizeShrink}
			act, err := m.Told(now, room, cuts)
			answer := int(act)
			switch {
			case errors.Is(err, pool.ErrResizeSize):
				answer = -int(unix.EINVAL)
			case errors.Is(err, pool.ErrResizeStale):
				answer = -int(unix.ESTALE)
			case errors.Is(err, pool.ErrResizeRoom):
				answer = -int(unix.ENOSPC)
			}
			seen[answer]++
			c.want(answer, "resize_rule", now, room, cuts, m.Size, m.From, m.Cuts, m.Flags&pool.ResizeShrink)
		}
	})
	if len(seen) != 7 {
		t.Errorf("answers seen: %v", seen)
	}
}
