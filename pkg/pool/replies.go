// SPDX-License-Identifier: Apache-2.0

// This file owns the bodies of replies and their checks.

package pool

import (
	"fmt"
	"math/bits"
)

const (
	helloReplySize = 128
	poolReplySize  = 2304
)

// HelloReply answers HELLO.
type HelloReply struct {
	Major     uint16 `json:"major"`
	Minor     uint16 `json:"minor"`    // to be spoken
	MaxIO     uint32 `json:"max_io"`   // bytes of the largest READ or WRITE
	Features  uint64 `json:"features"` // agreed
	Responder uint64 `json:"responder"`
	Node      string `json:"node"`
}

func (r *HelloReply) walk(c *coder) {
	c.le16("major", &r.Major)
	c.le16("minor", &r.Minor)
	c.le32("max_io", &r.MaxIO)
	c.le64("features", &r.Features)
	c.le64("responder", &r.Responder)
	c.name("node", &r.Node)
	c.reserved("reserved", 40)
	if c.mode != describing && r.Major != ProtoMajor {
		c.fail(ErrVersion, "major", uint64(r.Major), "unknown protocol version")
	}
	if c.mode != describing && r.Minor > ProtoMinor {
		c.fail(ErrVersion, "minor", uint64(r.Minor), "above the highest known")
	}
	c.check(r.MaxIO >= BlockSize, "max_io", uint64(r.MaxIO), "smaller than a block")
}

// Encode checks the reply and returns its 128 bytes.
func (r *HelloReply) Encode() ([]byte, error) {
	b, err := encodeExact("rmr_rsp_hello", helloReplySize, r.walk)
	if err != nil {
		return nil, fmt.Errorf("encode reply to HELLO: %w", err)
	}
	return b, nil
}

// DecodeHelloReply decodes a reply to HELLO. Errors match ErrLength, ErrVersion or ErrInvalid.
func DecodeHelloReply(b []byte) (*HelloReply, error) {
	r := &HelloReply{}
	if err := decodeExact("rmr_rsp_hello", helloReplySize, b, r.walk); err != nil {
		return nil, fmt.Errorf("decode reply to HELLO: %w", err)
	}
	return r, nil
}

// Limits are the queue limits of a store, as its block device reports them. Zero: not supported.
type Limits struct {
	LogicalBlock       uint32 `json:"logical_block"`       // bytes, power of two, 512..4096
	PhysicalBlock      uint32 `json:"physical_block"`      // bytes
	IOMin              uint32 `json:"io_min"`              // bytes
	IOOpt              uint32 `json:"io_opt"`              // bytes, 0: none
	DiscardMax         uint32 `json:"discard_max"`         // bytes in one request
	DiscardGranularity uint32 `json:"discard_granularity"` // bytes
	ZeroesMax          uint32 `json:"zeroes_max"`          // bytes in one request without writing zeros out
	WriteCache         bool   `json:"write_cache"`         // volatile cache, FLUSH needed
	FUA                bool   `json:"fua"`                 // native FUA
	Rotational         bool   `json:"rotational"`
}

func (l *Limits) walk(c *coder) {
	c.le32("logical_block", &l.LogicalBlock)
	c.le32("physical_block", &l.PhysicalBlock)
	c.le32("io_min", &l.IOMin)
	c.le32("io_opt", &l.IOOpt)
	c.le32("discard_max", &l.DiscardMax)
	c.le32("discard_granularity", &l.DiscardGranularity)
	c.le32("zeroes_max", &l.ZeroesMax)
	c.flag("write_cache", &l.WriteCache)
	c.flag("fua", &l.FUA)
	c.flag("rotational", &l.Rotational)
	c.reserved("reserved", 33)
	b := l.LogicalBlock
	c.check(b >= 512 && b <= BlockSize && bits.OnesCount32(b) == 1, "logical_block", uint64(b), "not a power of two from 512 to 4096")
}

// flag is a byte that is 0 or 1.
func (c *coder) flag(field string, v *bool) {
	var b uint8
	if *v {
		b = 1
	}
	c.u8(field, &b)
	c.check(b <= 1, field, uint64(b), "neither 0 nor 1")
	*v = b == 1
}

// PoolReply answers POOL_INFO and ATTACH: what this member knows of the pool.
type PoolReply struct {
	Pool         UUID               `json:"pool_uuid"`
	Name         string             `json:"pool_name"`
	PoolSize     uint64             `json:"pool_size"`  // bytes
	ChunkSize    uint32             `json:"chunk_size"` // bytes
	MemberID     uint8              `json:"member_id"`  // of the answering member
	Busy         bool               `json:"busy"`       // a client holds the pool
	Flags        uint32             `json:"sb_flags"`   // Flag*
	Handle       uint32             `json:"handle"`     // ATTACH only, else NoHandle
	TableVersion uint64             `json:"table_version"`
	Promised     Epoch              `json:"promised"`
	View         View               `json:"view"`
	Limits       Limits             `json:"limits"`
	Store        UUID               `json:"store_uuid"`
	Members      [MaxMembers]Member `json:"member"`
	OthersLack   uint64             `json:"others_lack"` // chunks marked for a data member outside the view, of several the most
	Claim        Member             `json:"claim"`       // of a blank store that knocked lately, or zero
	ClaimID      uint8              `json:"claim_id"`    // place that it wants
	Cuts         uint32             `json:"cuts"`        // Superblock.Cuts
}

func (r *PoolReply) walk(c *coder) {
	c.uuid("pool_uuid", &r.Pool)
	c.name("pool_name", &r.Name)
	c.le64("pool_size", &r.PoolSize)
	c.le32("chunk_size", &r.ChunkSize)
	c.u8("member_id", &r.MemberID)
	c.flag("busy", &r.Busy)
	c.reserved("reserved0", 2)
	c.le32("sb_flags", &r.Flags)
	c.le32("handle", &r.Handle)
	c.le64("table_version", &r.TableVersion)
	c.group("promised", func() { r.Promised.walk(c) })
	c.group("view", func() { r.View.walk(c) })
	c.group("limits", func() { r.Limits.walk(c) })
	c.uuid("store_uuid", &r.Store)
	c.members(&r.Members)
	c.le64("others_lack", &r.OthersLack)
	c.group("claim", func() { r.Claim.walk(c, MaxMembers) })
	c.u8("claim_id", &r.ClaimID)
	c.reserved("reserved1", 3)
	c.le32("cuts", &r.Cuts)
	c.reserved("reserved2", 16)
	r.check(c)
}

func (r *PoolReply) check(c *coder) {
	c.check(!r.Pool.IsZero(), "pool_uuid", 0, "zero")
	c.check(!r.Store.IsZero(), "store_uuid", 0, "zero")
	c.check(r.PoolSize%BlockSize == 0 && r.PoolSize >= PoolSizeMin && r.PoolSize <= PoolSizeMax, "pool_size", r.PoolSize, "out of range or not whole blocks")
	why := chunkSizeFault(r.ChunkSize)
	c.check(why == "", "chunk_size", uint64(r.ChunkSize), why)
	c.check(r.Flags&^flagsAll == 0, "sb_flags", uint64(r.Flags), "unknown bit")
	c.check(r.MemberID < MaxMembers, "member_id", uint64(r.MemberID), "above 7")
	c.check(r.ClaimID < MaxMembers, "claim_id", uint64(r.ClaimID), "above 7")
	c.check(r.Claim.State != MemberNone || (r.Claim == Member{} && r.ClaimID == 0), "claim", uint64(r.ClaimID), "not zero without a claim")
	if c.err != nil || c.mode == describing {
		return
	}
	self := &r.Members[r.MemberID]
	c.check(self.State != MemberNone, "member_id", uint64(r.MemberID), "own slot is free")
	c.check(self.Store == r.Store, "store_uuid", 0, "differs from the own slot of the member table")
	data := known(&r.Members)
	c.check(r.View.UpToDate.Within(data), "view.up_to_date", uint64(r.View.UpToDate), "names a slot without data")
	c.check(r.View.Syncing.Within(data), "view.syncing", uint64(r.View.Syncing), "names a slot without data")
	c.check(r.View.Epoch.Compare(r.Promised) <= 0, "view.epoch", r.View.Epoch.Seq, "newer than the promised epoch")
}

// Encode checks the reply and returns its 2304 bytes.
func (r *PoolReply) Encode() ([]byte, error) {
	b, err := encodeExact("rmr_rsp_pool", poolReplySize, r.walk)
	if err != nil {
		return nil, fmt.Errorf("encode reply of pool %q: %w", r.Name, err)
	}
	return b, nil
}

// DecodePoolReply decodes a reply to POOL_INFO or ATTACH. Errors match ErrLength or ErrInvalid.
func DecodePoolReply(b []byte) (*PoolReply, error) {
	r := &PoolReply{}
	if err := decodeExact("rmr_rsp_pool", poolReplySize, b, r.walk); err != nil {
		return nil, fmt.Errorf("decode reply about a pool: %w", err)
	}
	return r, nil
}
