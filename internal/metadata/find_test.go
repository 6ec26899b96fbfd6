// SPDX-License-Identifier: Apache-2.0

package metadata_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/metadata"
	"github.com/rmr-block/rmr/pkg/pool"
)

// A device that has grown has its superblock somewhere in it, and a copy of one that lies elsewhere is none.
func TestFindTheSuperblockOfAGrownDevice(t *testing.T) {
	x := fixed(t, nil)
	grown := x.size + 40<<20 + 512
	require.NoError(t, x.Truncate(int64(grown)))
	first := x.read(t, x.size-pool.Copy0Back, pool.SuperblockSize)
	x.write(t, x.size+8192, first) // a copy that some tool left
	s, err := metadata.Read(x, grown)
	require.NoError(t, err)
	require.Nil(t, s.Superblock)
	last := uint64(0)
	list, err := metadata.Find(t.Context(), x, grown, func(done, total uint64) {
		require.LessOrEqual(t, done, total)
		last = done
	})
	require.NoError(t, err)
	require.Equal(t, pool.UsableSize(grown), last)
	require.Len(t, list, 2)
	for i, f := range list {
		require.Equal(t, i, f.Copy)
		require.Equal(t, x.size, f.StoreSize)
		require.Equal(t, "vol1", f.Superblock.Name)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = metadata.Find(ctx, x, grown, func(uint64, uint64) {})
	require.ErrorIs(t, err, context.Canceled)
	_, err = metadata.Find(t.Context(), failing{x, 100, 200}, grown, func(uint64, uint64) {})
	require.ErrorContains(t, err, "medium error")
}
