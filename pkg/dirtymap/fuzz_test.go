// SPDX-License-Identifier: Apache-2.0

package dirtymap

import (
	"bytes"
	"errors"
	"testing"

	"github.com/rmr-block/rmr/internal/fuzzbound"

	"github.com/rmr-block/rmr/pkg/pool"
)

// FuzzMapLoad: whatever a map sector on disk holds, loading it returns; what is accepted is written back
// byte for byte, what is refused counts as all dirty and names the field.
func FuzzMapLoad(f *testing.F) {
	image := pool.MapSectorImage{Index: 1, Tag: 7}
	image.Chunks[3] = 0x81
	f.Add(image.Encode(), uint16(600), uint8(1), uint32(7), false)
	f.Add([]byte{}, uint16(1), uint8(0), uint32(0), true)
	f.Fuzz(func(t *testing.T, b []byte, chunks uint16, index uint8, tag uint32, seal bool) {
		if seal && len(b) == pool.MapSector {
			image := pool.MapSectorImage{Index: uint32(index), Tag: tag}
			copy(image.Chunks[:], b[16:])
			b = image.Encode()
		}
		m := New(uint64(chunks), tag)
		var err error
		fuzzbound.Allocates(t, 8<<10, func() { err = m.Load(uint32(index), b) })
		if err == nil {
			got, _ := m.Image(uint32(index))
			if !bytes.Equal(got.Encode(), b) {
				t.Fatal("accepted sector is not written back")
			}
			return
		}
		var fe *pool.FieldError
		if uint32(index) >= m.Sectors() {
			return
		}
		if !errors.As(err, &fe) || fe.Field == "" {
			t.Fatalf("refusal does not name its field: %v", err)
		}
		first := uint64(index) * pool.MapSectorChunks
		if want := min(pool.MapSectorChunks, uint64(chunks)-first); m.Count(0xff) != want || m.Get(first) != 0xff {
			t.Fatalf("refused sector: %d chunks dirty, want %d", m.Count(0xff), want)
		}
	})
}
