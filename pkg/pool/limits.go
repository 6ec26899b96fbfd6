// SPDX-License-Identifier: Apache-2.0

// This file owns the limits of ondisk.h, member masks, UUIDs and names.

package pool

import (
	"encoding/hex"
	"fmt"
	"iter"
	"math/bits"
	"strings"
)

// Limits and fixed sizes, all in bytes unless said otherwise (ondisk.h).
const (
	MDBlock          = 4096            // grain of everything at the end of a store
	SuperblockSize   = 4096            // one copy
	SuperblockCopies = 2               // number of copies, written in turn
	Copy0Back        = 4 << 10         // start of copy 0 before the usable end
	Copy1Back        = 68 << 10        // start of copy 1 before the usable end
	MDTail           = 128 << 10       // bytes at the end that hold neither data nor map
	MaxMembers       = 8               // members of a pool, witnesses included
	NoMember         = 0xff            // member id of nobody
	NameLen          = 64              // of a name field, with terminator
	AddrLen          = 64              // of an address field, with terminator
	MemberAddrs      = 2               // addresses of a member
	BlockSize        = 4096            // grain of the fine map and of the pool size
	ChunkSizeMin     = 64 << 10        // smallest chunk
	ChunkSizeMax     = 16 << 20        // largest chunk
	ChunkSizeDefault = 1 << 20         // chunk size when nobody asks for another
	PoolSizeMin      = 1 << 20         // smallest pool
	PoolSizeMax      = uint64(1) << 56 // largest pool
	MapSector        = 512             // one self-standing piece of the dirty map
	MapSectorChunks  = 496             // chunks in a sector
	MapBlockSectors  = MDBlock / MapSector
	MapBlockChunks   = MapSectorChunks * MapBlockSectors
	uuidLen          = 16
)

// Mask is a set of member ids: bit i is member i.
type Mask uint8

// MaskOf makes a set of the given ids; ids of MaxMembers and above are ignored.
func MaskOf(ids ...int) Mask {
	var m Mask
	for _, id := range ids {
		m |= Mask(1) << id
	}
	return m
}

// Has tells whether id is in the set.
func (m Mask) Has(id int) bool { return id >= 0 && id < MaxMembers && m>>id&1 == 1 }

// With returns the set with id added.
func (m Mask) With(id int) Mask { return m | MaskOf(id) }

// Without returns the set with id removed.
func (m Mask) Without(id int) Mask { return m &^ MaskOf(id) }

// Count is the number of members in the set.
func (m Mask) Count() int { return bits.OnesCount8(uint8(m)) }

// Within tells whether every member of m is in other.
func (m Mask) Within(other Mask) bool { return m&^other == 0 }

// All iterates over the ids in rising order.
func (m Mask) All() iter.Seq[int] {
	return func(yield func(int) bool) {
		for rest := uint8(m); rest != 0; rest &= rest - 1 {
			if !yield(bits.TrailingZeros8(rest)) {
				return
			}
		}
	}
}

// Lowest is the lowest id of the set, or -1 of an empty one.
func (m Mask) Lowest() int {
	if m == 0 {
		return -1
	}
	return bits.TrailingZeros8(uint8(m))
}

// String lists the ids, for example "{0,2}".
func (m Mask) String() string {
	var ids []string
	for id := range m.All() {
		ids = append(ids, fmt.Sprint(id))
	}
	return "{" + strings.Join(ids, ",") + "}"
}

// UUID names a pool, a store or a lineage.
type UUID [uuidLen]byte

// IsZero tells whether the UUID is the all-zero one, which names nothing.
func (u UUID) IsZero() bool { return u == UUID{} }

// String gives the usual form, 8-4-4-4-12 lower-case hex digits.
func (u UUID) String() string {
	h := hex.EncodeToString(u[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// ParseUUID reads the form that String gives, in either case.
func ParseUUID(s string) (UUID, error) {
	var u UUID
	plain := strings.ReplaceAll(s, "-", "")
	if len(s) != 36 || len(plain) != 2*uuidLen || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return u, fmt.Errorf("parse uuid %.40q: want 8-4-4-4-12 hex digits", s)
	}
	if _, err := hex.Decode(u[:], []byte(plain)); err != nil {
		return UUID{}, fmt.Errorf("parse uuid %q: %w", s, err)
	}
	return u, nil
}

// MarshalText is String; it makes UUIDs readable in JSON.
func (u UUID) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

// UnmarshalText is ParseUUID.
func (u *UUID) UnmarshalText(text []byte) (err error) {
	*u, err = ParseUUID(string(text))
	return err
}

// CheckName refuses what is no pool or node name: 1 to 63 of [A-Za-z0-9._-], not starting with . or -.
func CheckName(name string) error {
	if why := nameFault(name); why != "" {
		return fmt.Errorf("name %.70q: %s: %w", name, why, ErrInvalid)
	}
	return nil
}

func nameFault(name string) string {
	switch {
	case name == "":
		return "empty"
	case len(name) >= NameLen:
		return "longer than 63 bytes"
	case name[0] == '.' || name[0] == '-':
		return "starts with . or -"
	}
	for _, c := range []byte(name) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && c != '.' && c != '_' && c != '-' {
			return "holds a byte outside [A-Za-z0-9._-]"
		}
	}
	return ""
}
