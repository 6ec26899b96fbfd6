// SPDX-License-Identifier: Apache-2.0

// This file owns the comparison of dirty maps, block sets, intents, windows and planners.

package diff

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/rmr-block/rmr/pkg/dirtymap"
	"github.com/rmr-block/rmr/pkg/pool"
)

const (
	episodeOps = 3000
	slots      = 16 // of the driver, for images and copies
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// maps are the two maps of the driver.
type maps struct {
	m, other *dirtymap.Map
	tag      uint32
	image    [slots]struct {
		index uint32
		gen   uint64
	}
	fills dirtymap.Fills // last put into a superblock
}

// mapSizes are below, at and above a sector, a page of the C core, and several of them.
var mapSizes = []uint64{1, 2, 7, 495, 496, 497, 992, 1500, 3 * 4096, 120 * 496, 120*496 + 1, 300 * 496}

func (s *maps) digest() string {
	n, sum := 0, uint32(0)
	for chunk, bits := range s.m.Dirty(0xff) {
		le := binary.LittleEndian.AppendUint64(nil, chunk)
		sum = crc32.Update(sum, castagnoli, append(le, uint8(bits)))
		n++
	}
	return fmt.Sprintf("%d %d", n, sum)
}

// chunkRange is mostly short, sometimes everything, sometimes past the end or upside down.
func chunkRange(r *rand.Rand, chunks uint64) (first, last uint64) {
	first = r.Uint64N(chunks + 1)
	switch r.IntN(8) {
	case 0:
		return first, first + r.Uint64N(chunks+4)
	case 1:
		first -= first % pool.MapSectorChunks // whole sectors
		return first, first + pool.MapSectorChunks*(1+r.Uint64N(3)) - 1
	case 2:
		return first, r.Uint64N(chunks + 1)
	case 3, 4:
		return first, first + r.Uint64N(12)
	}
	return first, first
}

// someBits is one member, several, or none.
func someBits(r *rand.Rand) pool.Mask {
	if r.IntN(3) == 0 {
		return pool.Mask(r.Uint32N(256))
	}
	return 1 << r.IntN(8)
}

func (s *maps) change(c *core, r *rand.Rand) {
	first, last := chunkRange(r, s.m.Chunks())
	bits := someBits(r)
	switch r.IntN(16) {
	case 0:
		c.want(oneIf(s.m.SetAll(bits)), "map_set_all", uint8(bits))
	case 1:
		c.want(oneIf(s.m.Clear(0, s.m.Chunks(), bits)), "map_clear", 0, s.m.Chunks(), uint8(bits))
	case 2:
		if err := s.m.Merge(s.other, bits); err != nil {
			c.t.Fatal(err)
		}
		c.want(0, "map_merge", uint8(bits))
	case 3:
		s.m, s.other = s.other, s.m
		clear(s.image[:])
		c.want("ok", "map_swap")
	case 4, 5, 6, 7, 8, 9:
		c.want(oneIf(s.m.Set(first, last, bits)), "map_set", first, last, uint8(bits))
	default:
		c.want(oneIf(s.m.Clear(first, last, bits)), "map_clear", first, last, uint8(bits))
	}
}

func (s *maps) look(c *core, r *rand.Rand) {
	first, last := chunkRange(r, s.m.Chunks())
	mask := someBits(r)
	switch r.IntN(4) {
	case 0:
		c.want(uint8(s.m.Get(first)), "map_get", first)
	case 1:
		next := "-"
		for chunk, bits := range s.m.DirtyFrom(first, mask) {
			next = fmt.Sprintf("%d %d", chunk, uint8(bits))
			break
		}
		c.want(next, "map_next", first, uint8(mask))
	case 2:
		c.want(s.m.Count(mask), "map_count", uint8(mask))
	case 3:
		c.want(oneIf(s.m.Stable(first, last)), "map_stable", first, last)
	}
}

func fillsHex(f dirtymap.Fills) string {
	var b []byte
	for _, n := range f {
		b = binary.LittleEndian.AppendUint32(b, n)
	}
	return hex.EncodeToString(b)
}

// fill works on what the superblock says of whole regions.
func (s *maps) fill(c *core, r *rand.Rand) {
	bits := someBits(r)
	switch r.IntN(8) {
	case 0:
		c.want(oneIf(s.m.Mark(0, s.m.Chunks()-1, bits)), "map_mark", 0, s.m.Chunks()-1, uint8(bits))
	case 1:
		first, last := chunkRange(r, s.m.Chunks())
		c.want(oneIf(s.m.Mark(first, last, bits)), "map_mark", first, last, uint8(bits))
	case 2:
		first := r.Uint64N(s.m.Chunks() + 2)
		c.want(oneIf(s.m.Fill(first, bits)), "map_fill", first, uint8(bits))
	case 3:
		s.m.AdvanceFills()
		c.want("ok", "map_fill_advance")
	case 4, 5:
		members := ^someBits(r)
		pending := oneIf(s.m.FillsPending(members))
		s.fills = s.m.PutFills(members)
		c.want(fmt.Sprintf("%v %s", pending, strings.Trim(fmt.Sprint(s.fills), "[]")), "map_fill_put", uint8(members))
	case 6, 7:
		s.m.FillsWritten(s.fills)
		c.want("ok", "map_fill_written", fillsHex(s.fills))
	}
}

// persist writes an image of a sector or reports one, in any order.
func (s *maps) persist(c *core, r *rand.Rand) {
	slot := r.IntN(slots)
	index := r.Uint32N(s.m.Sectors())
	if pending := s.m.Pending(); len(pending) > 0 && r.IntN(4) > 0 {
		index = pending[r.IntN(len(pending))]
	}
	if r.IntN(2) == 0 {
		image, gen := s.m.Image(index)
		s.image[slot].index, s.image[slot].gen = index, gen
		c.want(binary.LittleEndian.Uint32(image.Encode()[12:]), "map_image", slot, index)
		return
	}
	s.m.Persisted(s.image[slot].index, s.image[slot].gen)
	c.want("ok", "map_persisted", slot)
}

// resize makes both maps larger or smaller, sometimes by less than a sector.
func (s *maps) resize(c *core, r *rand.Rand) {
	if s.other.HasFill() {
		return // the two would differ in size
	}
	chunks := s.m.Chunks() + r.Uint64N(3)*r.Uint64N(700)
	if r.IntN(8) == 0 {
		chunks = 1 + r.Uint64N(s.m.Chunks())
	}
	answer := 0
	if err := s.m.Resize(chunks); errors.Is(err, dirtymap.ErrFill) {
		answer = -int(unix.EBUSY)
	} else if err != nil {
		c.t.Fatal(err)
	} else if err := s.other.Resize(chunks); err != nil {
		c.t.Fatal(err)
	}
	c.want(answer, "map_resize", chunks)
	s.compare(c)
}

// forget clears everything and persists it, so that sectors are forgotten while images of them that were
// taken before are still under way.
func (s *maps) forget(c *core) {
	c.want(oneIf(s.m.SetAll(0)), "map_set_all", 0)
	c.want(oneIf(s.m.Clear(0, s.m.Chunks(), 0xff)), "map_clear", 0, s.m.Chunks(), 0xff)
	for _, index := range s.m.Pending() {
		image, gen := s.m.Image(index)
		s.image[0].index, s.image[0].gen = index, gen
		c.want(binary.LittleEndian.Uint32(image.Encode()[12:]), "map_image", 0, index)
		s.m.Persisted(index, gen)
		c.want("ok", "map_persisted", 0)
	}
}

// restart loads both maps anew from the sectors of the first, some of them damaged.
func (s *maps) restart(c *core, r *rand.Rand) {
	old := s.m
	s.m, s.other = dirtymap.New(old.Chunks(), s.tag), dirtymap.New(old.Chunks(), s.tag)
	clear(s.image[:])
	c.want("ok", "map_init", old.Chunks(), s.tag)
	for index := range old.Sectors() + 1 {
		image, _ := old.Image(index)
		switch r.IntN(12) {
		case 0:
			image.Index++
		case 1:
			image.Tag ^= 1
		case 2:
			image.Chunks[r.IntN(len(image.Chunks))] ^= 1 << r.IntN(8) // perhaps past the end
		}
		b := image.Encode()
		if r.IntN(12) == 0 {
			b[r.IntN(len(b))] ^= 1 << r.IntN(8)
		}
		answer := "ok"
		if err := s.m.Load(index, b); err != nil {
			answer = fieldOf(err)
		}
		c.want(answer, "map_load", index, hex.EncodeToString(b))
	}
	if r.IntN(2) == 0 {
		s.m.LoadFills(s.fills)
		c.want(0, "map_fill_load", fillsHex(s.fills))
	}
}

// fieldOf is the refused field as the C core names it: without the place in a table.
func fieldOf(err error) string {
	var fe *pool.FieldError
	if !errors.As(err, &fe) {
		return "index" // a sector that the map does not have
	}
	return plainField(fe.Field)
}

func plainField(name string) string {
	if rest, found := strings.CutPrefix(name, "claim."); found {
		name = "member." + rest // a slot is a slot to the C core
	}
	for {
		from, to := strings.IndexByte(name, '['), strings.IndexByte(name, ']')
		if from < 0 || to < from {
			return name
		}
		name = name[:from] + name[to+1:]
	}
}

func (s *maps) compare(c *core) {
	c.want(s.digest(), "map_digest")
	pending := s.m.Pending()
	c.want(numbers(fmt.Sprint(len(pending)), pending), "map_pending")
}

func TestMapsAgree(t *testing.T) {
	c := startCore(t)
	c.episodes(func(c *core, r *rand.Rand) {
		chunks, tag := mapSizes[r.IntN(len(mapSizes))], r.Uint32()
		s := &maps{m: dirtymap.New(chunks, tag), other: dirtymap.New(chunks, tag), tag: tag}
		c.want("ok", "map_init", chunks, tag)
		every := 1 + int(chunks/1500) // a digest of a large map costs too much to ask for each time
		for i := range episodeOps / every {
			switch r.IntN(16) {
			case 0, 1, 2, 3, 4, 5, 6:
				s.change(c, r)
			case 7, 8, 9:
				s.look(c, r)
			default:
				s.persist(c, r)
			}
			if r.IntN(12) == 0 {
				s.forget(c)
			}
			if i/300%2 == 1 && r.IntN(6) == 0 {
				s.fill(c, r)
			}
			if i%400 == 399 && chunks < 20000 {
				s.restart(c, r)
			}
			if r.IntN(150) == 0 && s.m.Chunks() < 1<<18 {
				s.resize(c, r)
			}
			if i%every == 0 {
				s.compare(c)
			}
		}
		s.compare(c)
	})
}

func TestBlockSetsAgree(t *testing.T) {
	c := startCore(t)
	c.episodes(func(c *core, r *rand.Rand) {
		perChunk, limit := []int{1, 16, 63, 64, 65, 256, 4096}[r.IntN(7)], r.IntN(6)
		b := dirtymap.NewBlocks(perChunk, limit)
		c.want("ok", "blocks_init", perChunk, limit)
		for range episodeOps {
			chunk, first := r.Uint64N(8), r.IntN(perChunk+1)
			last := first + r.IntN(1+r.IntN(perChunk))
			if r.IntN(20) == 0 {
				first, last = last, first
			}
			switch r.IntN(12) {
			case 0:
				b.Drop(chunk)
				c.want("ok", "blocks_drop", chunk)
			case 1, 2, 3, 4:
				b.Remove(chunk, first, last)
				c.want("ok", "blocks_remove", chunk, first, last)
			case 5:
				if r.IntN(10) == 0 {
					b.Reset()
					c.want("ok", "blocks_reset")
				}
			default:
				c.want(oneIf(b.Add(chunk, first, last)), "blocks_add", chunk, first, last)
			}
			head := fmt.Sprintf("%d %d", oneIf(b.Known(chunk)), b.Len())
			c.want(numbers(head, slices.Collect(b.Of(chunk))), "blocks_of", chunk)
		}
	})
}

func TestIntentsAgree(t *testing.T) {
	c := startCore(t)
	c.episodes(func(c *core, r *rand.Rand) {
		n := dirtymap.NewIntents()
		c.want("ok", "intents_init")
		marks, seq := []uint64{0}, uint64(1)
		for range episodeOps {
			chunk := r.Uint64N(12)
			switch r.IntN(14) {
			case 0, 1, 2, 3:
				seq += r.Uint64N(3)
				n.Begin(chunk, seq)
				c.want(0, "intent_begin", chunk, seq)
			case 4, 5, 6, 7:
				n.Applied(chunk)
				c.want("ok", "intent_applied", chunk)
			case 8:
				marks = append(marks, n.FlushStart())
				c.want(n.FlushStart(), "intents_flush_start")
			case 9, 10:
				mark := marks[max(0, len(marks)-1-r.IntN(3))]
				n.Flushed(mark)
				c.want("ok", "intents_flushed", mark)
			case 11:
				n.Cleared(chunk)
				c.want("ok", "intent_cleared", chunk)
			case 12:
				switch r.IntN(6) {
				case 0:
					n.Hold()
					c.want("ok", "intents_hold")
				case 1:
					n.Restore(chunk)
					c.want(0, "intent_restore", chunk)
				}
			case 13:
				n.Release()
				c.want("ok", "intents_release")
			}
			for _, below := range []uint64{r.Uint64N(seq + 2), math.MaxUint64} {
				c.want(numbers("", n.Clearable(below)), "intents_clearable", below)
			}
		}
	})
}

func TestWindowsAgree(t *testing.T) {
	c := startCore(t)
	c.episodes(func(c *core, r *rand.Rand) {
		w := dirtymap.NewWindow()
		c.want("ok", "window_init")
		for range episodeOps {
			seq, first := w.Below()+r.Uint64N(24), r.Uint64N(40)
			seq -= min(seq, r.Uint64N(4))
			last := first + r.Uint64N(5)
			switch r.IntN(8) {
			case 0, 1, 2:
				what, status := w.Arrive(seq, dirtymap.Extent{First: first, Last: last})
				c.want(fmt.Sprintf("%d %d", what, int32(status)), "window_arrive", seq, first, last)
			case 3, 4:
				errno := []int32{0, 5, 61, 116}[r.IntN(4)]
				w.Answer(seq, pool.Status(-errno))
				c.want("ok", "window_answer", seq, errno)
			case 5:
				below := w.Below() + r.Uint64N(6) - min(w.Below(), 2)
				moved := oneIf(w.Completed(below))
				c.want(fmt.Sprintf("%d %d", moved, w.Below()), "window_completed", below)
			default:
				c.want(oneIf(w.Touches(first)), "window_touches", first)
				c.want(fmt.Sprint(w.Newest(first)), "window_newest", first)
			}
			c.want(numbers(fmt.Sprint(w.Len()), w.Uncertain()), "window_uncertain")
		}
	})
}

// mix decides about a chunk as the driver does, see DRIVER.md.
func mix(seed, chunk uint64) uint64 {
	v := (seed + chunk*0x9e3779b97f4a7c15) * 0xbf58476d1ce4e5b9
	return v ^ v>>31
}

func TestPlannersAgree(t *testing.T) {
	c := startCore(t)
	c.episodes(func(c *core, r *rand.Rand) {
		chunks := []uint64{1, 5, 40, 600}[r.IntN(4)]
		p := dirtymap.NewPlanner()
		var copies [slots]dirtymap.Copy
		c.want("ok", "plan_init", chunks)
		for range episodeOps {
			slot := r.IntN(slots)
			switch r.IntN(12) {
			case 0, 1:
				first := r.Uint64N(chunks + 1)
				last := first + r.Uint64N(1+r.Uint64N(chunks+2))
				for chunk := first; chunk <= last && chunk < chunks; chunk++ {
					p.Add(chunk)
				}
				c.want(0, "plan_add", first, last)
			case 2, 3, 4, 5, 6:
				planNext(c, r, p, &copies[slot], slot)
			case 7, 8, 9:
				valid := oneIf(p.Valid(copies[slot]))
				c.want(fmt.Sprintf("%d %d", valid, oneIf(p.Done(copies[slot]))), "plan_done", slot)
			case 10:
				p.Fail(copies[slot])
				c.want("ok", "plan_fail", slot)
			case 11:
				if r.IntN(20) == 0 {
					p.Reset()
					c.want("ok", "plan_reset")
				}
			}
			c.want(numbers(fmt.Sprintf("%d %d", p.Left(), p.Running()), p.Chunks()), "plan_lacked")
		}
	})
}

func planNext(c *core, r *rand.Rand, p *dirtymap.Planner, to *dirtymap.Copy, slot int) {
	seed, answer := r.Uint64(), "-"
	held := func(chunk uint64) bool { return mix(seed, chunk)%4 == 0 }
	sources := func(chunk uint64) pool.Mask { return pool.Mask(mix(seed, chunk) >> 8 & 0x0f) }
	if next, ok := p.Next(held, sources); ok {
		*to = next
		answer = fmt.Sprintf("%d %d %d", next.Chunk, next.Source, next.Ticket)
	}
	c.want(answer, "plan_next", slot, seed)
}
