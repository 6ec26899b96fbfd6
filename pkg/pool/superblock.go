// SPDX-License-Identifier: Apache-2.0

// This file owns the superblock of a store and its member table: encoding, checks, and the choice
// between the two copies.

package pool

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

const (
	sbMagic   = "RMRSTORE"
	sbVersion = 1
	sbCRCOff  = SuperblockSize - 4
)

// Flags of a superblock.
const (
	FlagClean  uint32 = 1 << 0 // detached cleanly: no write may differ between legs
	FlagZeroed uint32 = 1 << 1 // data area read as zeros when the member was made
	FlagUsed   uint32 = 1 << 2 // a client has attached the pool at least once
	FlagQuorum uint32 = 1 << 3 // the pool asks for a majority of its voters; the same on every member
	// FlagDiscarded: an operator gave this member's history up; it lacks everything until it has joined Y.
	FlagDiscarded uint32 = 1 << 4
	FlagDataCRC   uint32 = 1 << 8 // data of writes and of resync carries a checksum; the same on every member
	FlagLeft      uint32 = 1 << 9 // the member left by its policy: its disk failed too often
	flagsAll             = FlagClean | FlagZeroed | FlagUsed | FlagQuorum | FlagDiscarded | FlagDataCRC | FlagLeft
)

// OnError is what a member does about errors of its disk (R3.10).
type OnError uint8

// Policies.
const (
	OnErrorRepair OnError = 0 // tries a write again, lets reads be repaired, stays
	OnErrorDetach OnError = 1 // as repair; leaves when the error budget is spent
	OnErrorPassOn OnError = 2 // passes every error on to the client and does nothing else
)

// Feature bits this code knows, by class.
const (
	FeatIncompatExtMD uint64 = 1 << 0 // data on a device of its own
	FeatIncompatKnown        = FeatIncompatExtMD
	FeatROKnown       uint64 = 0
	FeatCompatKnown   uint64 = 0
)

// MemberState is the use of a slot of the member table.
type MemberState uint8

// States of a slot.
const (
	MemberNone    MemberState = 0 // never used or freed: the slot is zero but for its generation
	MemberData    MemberState = 1 // holds a copy
	MemberWitness MemberState = 2 // votes, holds no data
)

// String names the state as the CLI does.
func (s MemberState) String() string {
	switch s {
	case MemberNone:
		return "none"
	case MemberData:
		return "data"
	case MemberWitness:
		return "witness"
	}
	return fmt.Sprintf("state-%d", uint8(s))
}

// Flags of a slot: wishes of an operator (R9.2).
const (
	SlotLeaving     uint8 = 1 << 0 // to be removed
	SlotMaintenance uint8 = 1 << 1 // in no view
	slotAll               = SlotLeaving | SlotMaintenance
)

// Member is one slot of the member table.
type Member struct {
	State      MemberState         `json:"state"`
	Flags      uint8               `json:"flags"`     // Slot*
	Successor  uint8               `json:"successor"` // id + 1 of the member that takes its place; 0: nobody
	Store      UUID                `json:"store_uuid"`
	Generation uint64              `json:"generation"` // stores the slot has seen, and wishes about the present one (R9.1)
	Node       string              `json:"node"`       // host name, for people
	Addrs      [MemberAddrs]string `json:"addr"`       // where clients and peers find it; unused ones are empty
}

var addrFields = [MemberAddrs]string{"addr[0]", "addr[1]"}

var fillFields = [MaxMembers]string{"fill[0]", "fill[1]", "fill[2]", "fill[3]", "fill[4]", "fill[5]", "fill[6]", "fill[7]"}

var memberFields = [MaxMembers]string{
	"member[0]", "member[1]", "member[2]", "member[3]", "member[4]", "member[5]", "member[6]", "member[7]",
}

func (c *coder) members(table *[MaxMembers]Member) {
	for i, field := range memberFields {
		c.group(field, func() { table[i].walk(c, i) })
	}
}

// walk is for the slot of this id.
func (m *Member) walk(c *coder, id int) {
	c.u8("state", (*uint8)(&m.State))
	c.u8("flags", &m.Flags)
	c.u8("successor", &m.Successor)
	c.reserved("reserved", 5)
	c.uuid("store_uuid", &m.Store)
	c.le64("generation", &m.Generation)
	c.text("node", NameLen, &m.Node)
	for i, field := range addrFields {
		c.text(field, AddrLen, &m.Addrs[i])
	}
	c.check(m.State <= MemberWitness, "state", uint64(m.State), "unknown")
	if m.State == MemberNone {
		c.check(*m == Member{Generation: m.Generation}, "state", 0, "slot is free but not zero")
		return
	}
	c.check(m.Flags&^slotAll == 0, "flags", uint64(m.Flags), "unknown bit")
	c.check(m.Successor <= MaxMembers && int(m.Successor) != id+1, "successor", uint64(m.Successor), "out of range or itself")
	c.check(m.Successor == 0 || m.Flags&SlotLeaving != 0, "successor", uint64(m.Successor), "of a member that stays")
	c.check(!m.Store.IsZero(), "store_uuid", 0, "zero")
	why := nameFault(m.Node)
	c.check(why == "", "node", 0, why)
	for i, addr := range m.Addrs {
		why := addrFault(addr)
		c.check(why == "", addrFields[i], 0, why)
	}
}

// addrFault accepts the empty address and the characters of IP addresses with a zone. Whether it is one
// is the resolver's business.
func addrFault(addr string) string {
	for _, b := range []byte(addr) {
		if b <= ' ' || b > '~' {
			return "holds a byte that is not printable"
		}
	}
	return ""
}

// Superblock is what a store knows of its pool, one 4 KiB block in two copies.
type Superblock struct {
	Flags        uint32  `json:"flags"` // Flag*
	FeatCompat   uint64  `json:"feat_compat"`
	FeatIncompat uint64  `json:"feat_incompat"`
	FeatRO       uint64  `json:"feat_ro"`
	WriteSeq     uint64  `json:"write_seq"` // 1, 2, ...; write n goes to copy n mod 2
	Pool         UUID    `json:"pool_uuid"`
	Store        UUID    `json:"store_uuid"`
	Name         string  `json:"pool_name"`
	PoolSize     uint64  `json:"pool_size"`  // bytes
	ChunkSize    uint32  `json:"chunk_size"` // bytes
	MemberID     uint8   `json:"member_id"`  // this store's slot
	OnError      OnError `json:"on_error,omitempty"`
	MapOff       uint64  `json:"map_off"`    // bytes from the start of the store
	MapLen       uint64  `json:"map_len"`    // bytes
	StoreSize    uint64  `json:"store_size"` // usable bytes when written
	Created      uint64  `json:"created"`    // seconds since 1970, UTC
	Promised     Epoch   `json:"promised"`   // highest epoch promised (F_EPOCH)
	View         View    `json:"view"`       // highest view known
	TableVersion uint64  `json:"table_version"`
	// Verified is the end of the last complete verify (R5.11), seconds since 1970; 0: none yet.
	Verified uint64 `json:"verified"`
	// VerifyDifferences are the blocks of 4 KiB that differed in it.
	VerifyDifferences uint64 `json:"verify_differences"`
	DataSize          uint64 `json:"data_size,omitempty"` // FeatIncompatExtMD: bytes of the data device
	DataLabel         UUID   `json:"data_label,omitzero"` // FeatIncompatExtMD: random, in the stub too
	Room              uint64 `json:"room,omitempty"`      // the pool may grow to it; behind the pool: zeros
	Cuts              uint32 `json:"cuts,omitempty"`      // number of the last shrink it knows (R9.12)
	// Fill of member j: 0, or its bit counts as set for every chunk of map sector Fill[j]-1 and of all behind it (R9.14).
	Fill    [MaxMembers]uint32 `json:"fill,omitzero"`
	Members [MaxMembers]Member `json:"member"`
}

// Chunks is the number of chunks of the pool, the last one perhaps short.
func (s *Superblock) Chunks() uint64 { return Chunks(s.PoolSize, s.ChunkSize) }

// DataMembers is the set of slots that hold data.
func (s *Superblock) DataMembers() Mask { return membersIn(&s.Members, MemberData) }

// Witnesses is the set of slots that only vote.
func (s *Superblock) Witnesses() Mask { return membersIn(&s.Members, MemberWitness) }

// Voters says whose copies of a view decide in this pool (R2.2).
func (s *Superblock) Voters() Voters {
	return Voters{Data: s.DataMembers(), Witnesses: s.Witnesses(), Quorum: s.Flags&FlagQuorum != 0}
}

// isWitness tells whether this store holds superblocks alone.
func (s *Superblock) isWitness() bool {
	return s.MemberID < MaxMembers && s.Members[s.MemberID].State == MemberWitness
}

func membersIn(table *[MaxMembers]Member, state MemberState) Mask {
	var m Mask
	for i := range table {
		if table[i].State == state {
			m = m.With(i)
		}
	}
	return m
}

// known is the set of slots that a view may name: those with data, and those that changed since it was made.
func known(table *[MaxMembers]Member) Mask {
	m := membersIn(table, MemberData)
	for i := range table {
		if table[i].Generation != 0 {
			m = m.With(i)
		}
	}
	return m
}

func (s *Superblock) walk(c *coder) {
	c.magic(sbMagic)
	version := uint32(sbVersion)
	c.le32("version", &version)
	c.le32("flags", &s.Flags)
	c.le64("feat_compat", &s.FeatCompat)
	c.le64("feat_incompat", &s.FeatIncompat)
	c.le64("feat_ro", &s.FeatRO)
	c.le64("write_seq", &s.WriteSeq)
	c.uuid("pool_uuid", &s.Pool)
	c.uuid("store_uuid", &s.Store)
	c.text("pool_name", NameLen, &s.Name)
	c.le64("pool_size", &s.PoolSize)
	c.le32("chunk_size", &s.ChunkSize)
	c.u8("member_id", &s.MemberID)
	c.u8("on_error", (*uint8)(&s.OnError))
	c.reserved("reserved0", 2)
	c.le64("map_off", &s.MapOff)
	c.le64("map_len", &s.MapLen)
	c.le64("store_size", &s.StoreSize)
	c.le64("created", &s.Created)
	c.group("promised", func() { s.Promised.walk(c) })
	c.group("view", func() { s.View.walk(c) })
	c.le64("table_version", &s.TableVersion)
	c.le64("verified", &s.Verified)
	c.le64("verify_differences", &s.VerifyDifferences)
	c.le32("cuts", &s.Cuts)
	c.reserved("reserved1", 4)
	c.le64("data_size", &s.DataSize)
	c.uuid("data_label", &s.DataLabel)
	c.le64("room", &s.Room)
	for i, field := range fillFields {
		c.le32(field, &s.Fill[i])
	}
	c.reserved("reserved3", 160)
	c.members(&s.Members)
	c.reserved("reserved2", 1788)
	c.crc("crc32c")
}

func (c *coder) magic(want string) {
	b := c.next("magic", len(want), "bytes")
	if c.mode == encoding {
		copy(b, want)
	}
}

// crc is the last field; it covers everything before it.
func (c *coder) crc(field string) {
	sum := uint32(0)
	if c.mode == encoding {
		sum = crc32.Checksum(c.buf[:c.off], castagnoli)
	}
	c.le32(field, &sum)
}

// check looks at fields together; it is the half that needs the size of the store the block was found on.
func (s *Superblock) check(c *coder, storeSize uint64) {
	c.check(s.Flags&^flagsAll == 0, "flags", uint64(s.Flags), "unknown bit")
	c.check(s.OnError <= OnErrorPassOn, "on_error", uint64(s.OnError), "unknown")
	c.check(s.WriteSeq != 0, "write_seq", 0, "zero")
	c.check(s.VerifyDifferences == 0 || s.Verified != 0, "verify_differences", s.VerifyDifferences, "of no verify")
	c.check(!s.Pool.IsZero(), "pool_uuid", 0, "zero")
	c.check(!s.Store.IsZero(), "store_uuid", 0, "zero")
	why := nameFault(s.Name)
	c.check(why == "", "pool_name", 0, why)
	s.checkSizes(c, storeSize)
	c.check(s.MemberID < MaxMembers, "member_id", uint64(s.MemberID), "above 7")
	if c.err != nil {
		return
	}
	self := &s.Members[s.MemberID]
	c.check(self.State != MemberNone, "member_id", uint64(s.MemberID), "own slot is free")
	c.check(self.Store == s.Store, "store_uuid", 0, "differs from the own slot of the member table")
	data := known(&s.Members)
	c.check(s.View.UpToDate.Within(data), "view.up_to_date", uint64(s.View.UpToDate), "names a slot without data")
	c.check(s.View.Syncing.Within(data), "view.syncing", uint64(s.View.Syncing), "names a slot without data")
	c.check(s.View.Epoch.Compare(s.Promised) <= 0, "view.epoch", s.View.Epoch.Seq, "newer than the promised epoch")
	s.checkFills(c)
}

// Fillable are the members whose bits this store's map may have by a fill: those with data, but for itself.
func (s *Superblock) Fillable() Mask {
	if s.isWitness() {
		return 0
	}
	return s.DataMembers().Without(int(s.MemberID))
}

func (s *Superblock) checkFills(c *coder) {
	sectors := (s.Chunks() + MapSectorChunks - 1) / MapSectorChunks
	for id, fill := range s.Fill {
		if fill != 0 {
			c.check(s.Fillable().Has(id), fillFields[id], uint64(fill), "not of another data member")
			c.check(uint64(fill) <= sectors, fillFields[id], uint64(fill), "behind the end of the map")
		}
	}
}

func (s *Superblock) checkSizes(c *coder, storeSize uint64) {
	c.check(s.PoolSize%BlockSize == 0, "pool_size", s.PoolSize, "not a multiple of 4096")
	c.check(s.PoolSize >= PoolSizeMin && s.PoolSize <= PoolSizeMax, "pool_size", s.PoolSize, "out of range")
	why := chunkSizeFault(s.ChunkSize)
	c.check(why == "", "chunk_size", uint64(s.ChunkSize), why)
	c.check(s.StoreSize == UsableSize(storeSize), "store_size", s.StoreSize, "not the size of this store")
	if c.err != nil {
		return
	}
	if s.isWitness() {
		c.check(s.MapLen == 0, "map_len", s.MapLen, "a witness has no map")
		c.check(s.MapOff == 0, "map_off", s.MapOff, "a witness has no map")
		c.check(s.StoreSize >= WitnessStoreSize, "store_size", s.StoreSize, "too small for superblocks")
		s.checkDevices(c)
		return
	}
	c.check(s.MapLen == MapLen(s.Chunks()), "map_len", s.MapLen, "does not match the pool")
	c.check(s.MapLen <= s.StoreSize, "map_len", s.MapLen, "larger than the store")
	c.check(s.MapOff%MDBlock == 0 && (s.Split() || s.MapOff >= s.PoolSize), "map_off", s.MapOff, "not aligned or inside the data area")
	c.check(s.MapOff <= s.StoreSize && s.StoreSize-s.MapOff >= s.MapLen+MDTail, "map_off", s.MapOff,
		"map reaches into the tail or past the end")
	s.checkDevices(c)
}

// Encode checks the superblock and returns its 4096 bytes with checksum.
func (s *Superblock) Encode() ([]byte, error) {
	b, err := encodeExact("rmr_sb", SuperblockSize, func(c *coder) {
		s.walk(c)
		s.check(c, s.StoreSize)
	})
	if err != nil {
		return nil, fmt.Errorf("encode superblock: %w", err)
	}
	return b, nil
}

// DecodeSuperblock decodes one copy found on a store of storeSize bytes (rounded down to 4 KiB here).
// Errors match ErrLength, ErrNotOurs, ErrDamaged, ErrVersion or ErrInvalid, tested in this order.
func DecodeSuperblock(b []byte, storeSize uint64) (*Superblock, error) {
	s := &Superblock{}
	err := decodeExact("rmr_sb", SuperblockSize, b, func(c *coder) {
		if c.superblockHeader(); c.err == nil {
			s.walk(c)
			s.check(c, storeSize)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("decode superblock: %w", err)
	}
	return s, nil
}

// superblockHeader tests what must hold before any other byte means something.
func (c *coder) superblockHeader() {
	le := binary.LittleEndian
	c.sealedHeader(sbMagic)
	if v := le.Uint32(c.buf[8:]); v != sbVersion {
		c.fail(ErrVersion, "version", uint64(v), "unknown version")
	}
	if f := le.Uint64(c.buf[24:]); f&^FeatIncompatKnown != 0 {
		c.fail(ErrVersion, "feat_incompat", f, "unknown feature")
	}
}

// sealedHeader tests magic and checksum of a block of 4096 bytes.
func (c *coder) sealedHeader(magic string) {
	le := binary.LittleEndian
	if string(c.buf[:8]) != magic {
		c.fail(ErrNotOurs, "magic", le.Uint64(c.buf), "no superblock")
	}
	if sum := le.Uint32(c.buf[sbCRCOff:]); sum != crc32.Checksum(c.buf[:sbCRCOff], castagnoli) {
		c.fail(ErrDamaged, "crc32c", uint64(sum), "does not match")
	}
}

// Writable tells whether this code may write to the store: no read-only-compatible feature is unknown.
func (s *Superblock) Writable() bool { return s.FeatRO&^FeatROKnown == 0 }

// ChooseSuperblock takes both copies and returns the newest valid one and the mask of copies that are not
// valid (bit 0: copy 0). An empty or short slice counts as an unreadable copy. When none is valid the
// error is that of copy 0, or of copy 1 if copy 0 has no magic.
func ChooseSuperblock(copies [SuperblockCopies][]byte, storeSize uint64) (*Superblock, uint8, error) {
	var best *Superblock
	var damaged uint8
	var errs [SuperblockCopies]error
	for i, b := range copies {
		s, err := DecodeSuperblock(b, storeSize)
		if err != nil {
			errs[i] = fmt.Errorf("copy %d: %w", i, err)
			damaged |= 1 << i
			continue
		}
		if best == nil || s.WriteSeq > best.WriteSeq {
			best = s
		}
	}
	if best != nil {
		return best, damaged, nil
	}
	if errors.Is(errs[0], ErrNotOurs) {
		return nil, damaged, errs[1]
	}
	return nil, damaged, errs[0]
}
