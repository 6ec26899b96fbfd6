// SPDX-License-Identifier: Apache-2.0

// This file owns the checks on the members themselves: map soundness at crashes (I5), and rest (I4, I9).

package sim

import (
	"slices"

	"github.com/rmr-block/rmr/pkg/pool"
)

func (w *World) noteEstablished(v pool.View) {
	if v.Compare(w.established) > 0 && v.Lineage == w.lineage {
		w.established = v
	}
}

// persistedMap is a member's map as it would be read after a crash now: its sector and the fills of its superblock.
func (m *Member) persistedMap() (*pool.MapSectorImage, error) {
	image, err := pool.DecodeMapSector(m.disk.sectors[0], 0, pool.MapTag(w0(m)))
	if err != nil {
		return nil, err
	}
	for id, fill := range m.disk.superblock().Fill {
		for c := 0; fill != 0 && c < numChunks; c++ {
			image.Chunks[c] |= uint8(pool.MaskOf(id))
		}
	}
	return image, nil
}

func w0(m *Member) pool.UUID { return m.sb.Store }

// checkMaps fails the run if a chunk differs between a member and a leg of U and nothing persisted says so.
// Members of U that are down with an unknown fate of their cache are looked at as their disks are now.
func (w *World) checkMaps() {
	if w.failure != nil || w.established.UpToDate == 0 {
		return
	}
	var maps [pool.MaxMembers]*pool.MapSectorImage
	data := w.comparable()
	for id := range data.All() { // what has another history is marked when it joins (R2.16)
		if m := w.members[id]; m.sb.View.Lineage != w.lineage || m.discarded() {
			data = data.Without(id)
		}
	}
	for id := range data.All() {
		image, err := w.members[id].persistedMap()
		if err != nil {
			w.fail("I5", "member %d: map on disk: %v", id, err)
			return
		}
		maps[id] = image
	}
	for u := range (w.established.UpToDate & data).All() {
		for id := range data.Without(u).All() {
			for c := range uint64(numChunks) {
				covered := pool.Mask(maps[u].Chunks[c]).Has(id) || pool.Mask(maps[u].Chunks[c]).Has(u) || pool.Mask(maps[id].Chunks[c]).Has(id)
				if !covered && w.differ(u, id, c) {
					w.fail("I5", "chunk %d differs between member %d of U and member %d, no bit and no intent is persisted; view %v", c, u, id, w.established)
					return
				}
			}
		}
	}
}

func (w *World) differ(a, b int, c uint64) bool {
	x, y := w.members[a].disk, w.members[b].disk
	for i := int(c) * blocksPerChunk; i < int(c+1)*blocksPerChunk; i++ {
		if x.blocks[i].stable != y.blocks[i].stable || x.blocks[i].cached != y.blocks[i].cached {
			return true
		}
	}
	return false
}

// resting tells why the pool is not at rest; empty if it is.
func (w *World) resting() string {
	var view pool.View
	data, out := w.expected()
	sb := w.newestServed()
	for id := range data.All() {
		if id >= len(w.members) || w.members[id].vacant {
			return "a store is out"
		}
		if w.cfg.Change && sb != nil && !out.Has(id) && w.members[id].sb.Store != sb.Members[id].Store {
			return "another store is in the place of a member"
		}
	}
	for _, m := range w.members {
		switch {
		case m.vacant || w.cfg.Change && !data.Has(m.id) && !m.witness:
			continue
		case !m.up:
			return "a member is down"
		case m.witness:
			continue
		case out.Has(m.id):
			continue
		case m.fresh || !m.mapOK:
			return "a member has no complete map"
		case m.sb.View.UpToDate&^out != data&^out:
			return "a member is not up to date"
		case view.UpToDate != 0 && view != m.sb.View && (out == 0 || w.served()): // half told, of one that leaves: the next client ends it
			return "members have different views"
		case m.dirty.Any(0xff &^ out):
			return "bits are left in a map"
		case m.window.Len() > 0 || len(m.kept.list()) > 0 || m.active > 0:
			return "uncertain writes are left"
		}
		view = m.sb.View
	}
	if slices.ContainsFunc(w.exchanges, w.unended) {
		return "the old store of an exchange is still a member"
	}
	for _, c := range w.clients {
		if c.Node.up && c.phase != dead && (len(c.io.ops) > 0 || c.phase != live) {
			return "a client has I/O under way"
		}
	}
	return ""
}

// checkRest compares the data of all members.
func (w *World) checkRest() {
	var values [numBlocks]uint32
	data, out := w.expected()
	first := (data &^ out).Lowest()
	for id := range (data &^ out).All() {
		for b := range numBlocks {
			v := w.members[id].disk.get(b)
			if id == first {
				values[b] = v
			} else if v != values[b] {
				w.fail("I4", "at rest block %d is %d on member %d and %d on member %d", b, values[b], first, v, id)
				return
			}
		}
	}
	w.hist.rest(values)
}
