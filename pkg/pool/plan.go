// SPDX-License-Identifier: Apache-2.0

// This file owns the plan of a new pool: what was asked for, checked, and the superblocks that make it so.

package pool

import (
	"fmt"
	"net/netip"
)

// NewMember is one place in a pool to be made; its index in Spec.Members is the member id.
type NewMember struct {
	Node      string // host name
	Addrs     []string
	StoreSize uint64 // bytes of the device; 0 for a witness
	Witness   bool
	Zeroed    bool // the data area is known to read as zeros
}

// Spec is what somebody asks for.
type Spec struct {
	Name      string
	Size      uint64 // bytes, 0: as large as the smallest store allows
	ChunkSize uint32 // bytes, 0: ChunkSizeDefault
	Quorum    bool   // ask for a majority of the members; a witness needs it
	Members   []NewMember
}

// Plan is a checked spec with sizes filled in.
type Plan struct {
	Spec
	Chunks uint64 // of the pool
	MapLen uint64 // bytes of the dirty map on every store that holds data
}

// WitnessStoreSize is the smallest store that holds a witness's records, in bytes.
const WitnessStoreSize = MDTail

// MakePlan checks a spec and fills in the sizes. Errors match ErrInvalid and name what was refused.
func MakePlan(spec Spec) (*Plan, error) {
	p := &Plan{Spec: spec}
	if err := CheckName(spec.Name); err != nil {
		return nil, fmt.Errorf("plan pool: %w", err)
	}
	if p.ChunkSize == 0 {
		p.ChunkSize = ChunkSizeDefault
	}
	if why := chunkSizeFault(p.ChunkSize); why != "" {
		return nil, p.refuse("chunk_size %d: %s", p.ChunkSize, why)
	}
	if err := p.checkMembers(); err != nil {
		return nil, err
	}
	if err := p.checkSize(); err != nil {
		return nil, err
	}
	p.Chunks = Chunks(p.Size, p.ChunkSize)
	p.MapLen = MapLen(p.Chunks)
	return p, nil
}

func (p *Plan) refuse(format string, args ...any) error {
	return fmt.Errorf("plan pool %s: %s: %w", p.Name, fmt.Sprintf(format, args...), ErrInvalid)
}

func (p *Plan) checkMembers() error {
	if len(p.Members) == 0 || len(p.Members) > MaxMembers {
		return p.refuse("members: %d given, want 1 to %d", len(p.Members), MaxMembers)
	}
	data := 0
	seen := map[string]int{}
	for i, m := range p.Members {
		if why := nameFault(m.Node); why != "" {
			return p.refuse("member %d: node %.70q: %s", i, m.Node, why)
		}
		if j, twice := seen[m.Node]; twice {
			return p.refuse("member %d: node %s is member %d already", i, m.Node, j)
		}
		seen[m.Node] = i
		if len(m.Addrs) > MemberAddrs {
			return p.refuse("member %d: addr: %d given, want at most %d", i, len(m.Addrs), MemberAddrs)
		}
		for _, a := range m.Addrs {
			if _, err := netip.ParseAddr(a); err != nil || len(a) >= AddrLen {
				return p.refuse("member %d: addr %.70q is no IP address", i, a)
			}
		}
		if !m.Witness {
			data++
		} else if !p.Quorum {
			return p.refuse("member %d: a witness is of no use without quorum", i)
		}
	}
	if data == 0 {
		return p.refuse("members: none holds data")
	}
	return nil
}

// checkSize finds the size that fits every store.
func (p *Plan) checkSize() error {
	largest, at := PoolSizeMax, -1
	for i, m := range p.Members {
		room := PoolSizeMaxOn(m.StoreSize, p.ChunkSize)
		switch {
		case m.Witness && m.StoreSize != 0 && m.StoreSize < WitnessStoreSize:
			return p.refuse("member %d: store of %d bytes is too small for a witness", i, m.StoreSize)
		case m.Witness:
		case room == 0:
			return p.refuse("member %d: store of %d bytes is too small for any pool", i, m.StoreSize)
		case room < largest:
			largest, at = room, i
		}
	}
	switch {
	case p.Size == 0:
		p.Size = largest
	case p.Size%BlockSize != 0:
		return p.refuse("size %d: not a multiple of %d", p.Size, BlockSize)
	case p.Size < PoolSizeMin:
		return p.refuse("size %d: below %d", p.Size, PoolSizeMin)
	case p.Size > largest:
		return p.refuse("size %d: member %d has room for %d", p.Size, at, largest)
	}
	return nil
}

// IDs are the random names of a new pool; the caller draws them.
type IDs struct {
	Pool    UUID
	Lineage UUID
	Stores  []UUID // one for each member
	Created uint64 // seconds since 1970, UTC
}

// Superblock makes the first superblock of member id. Members whose data areas are all known to read as
// zeros start up to date together; otherwise the lowest data member does and the others join as returning
// legs that lack everything.
func (p *Plan) Superblock(id int, ids IDs) (*Superblock, error) {
	if id < 0 || id >= len(p.Members) || len(ids.Stores) != len(p.Members) {
		return nil, p.refuse("member %d of %d, %d store ids", id, len(p.Members), len(ids.Stores))
	}
	s := &Superblock{
		Flags: FlagClean, WriteSeq: 1, Pool: ids.Pool, Store: ids.Stores[id], Name: p.Name, PoolSize: p.Size, ChunkSize: p.ChunkSize,
		MemberID: uint8(id), MapLen: p.MapLen, Created: ids.Created, TableVersion: 1,
		View: View{Number: 1, UpToDate: p.firstUpToDate(), Lineage: ids.Lineage},
	}
	if p.Members[id].Zeroed || p.Members[id].Witness {
		s.Flags |= FlagZeroed
	}
	if p.Quorum {
		s.Flags |= FlagQuorum
	}
	for i, m := range p.Members {
		slot := Member{State: MemberData, Store: ids.Stores[i], Node: m.Node}
		if m.Witness {
			slot.State = MemberWitness
		}
		copy(slot.Addrs[:], m.Addrs)
		s.Members[i] = slot
	}
	s.StoreSize = UsableSize(p.Members[id].StoreSize)
	if p.Members[id].Witness {
		s.MapLen = 0
		return s, nil
	}
	s.MapOff = MapOff(s.StoreSize, s.MapLen)
	return s, nil
}

func (p *Plan) firstUpToDate() Mask {
	var data Mask
	zeroed := true
	for i, m := range p.Members {
		if !m.Witness {
			data = data.With(i)
			zeroed = zeroed && m.Zeroed
		}
	}
	if zeroed {
		return data
	}
	return MaskOf(data.Lowest())
}
