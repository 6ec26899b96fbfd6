// SPDX-License-Identifier: Apache-2.0

// This file owns the replies to the messages of failure handling and their checks.

package pool

import "fmt"

const (
	keepaliveReplySize = 64
	mapReplySize       = 8192
	listReplySize      = 4096
	fineReplySize      = 576
)

// Flags of a KeepaliveReply.
const (
	AliveMap     uint8 = 1 << 0 // the member's map is complete
	AliveStalled uint8 = 1 << 1 // resync has work and gets nowhere
	AlivePaused  uint8 = 1 << 2 // resync was paused by a command
	aliveAll           = AliveMap | AliveStalled | AlivePaused
)

// KeepaliveReply is what a client needs to decide on a promotion.
type KeepaliveReply struct {
	View      uint64 `json:"view"`       // number of the member's view
	Lacking   uint64 `json:"lacking"`    // chunks, running copies included
	Copied    uint64 `json:"copied"`     // bytes since the member joined
	ClearedOn Mask   `json:"cleared_on"` // members that confirmed CLEAR of all
	Flags     uint8  `json:"flags"`      // Alive*
	Table     uint64 `json:"table"`      // checksum of the member table (R9.10)
}

func (r *KeepaliveReply) walk(c *coder) {
	c.le64("view", &r.View)
	c.le64("lacking", &r.Lacking)
	c.le64("copied", &r.Copied)
	c.u8("cleared_on", (*uint8)(&r.ClearedOn))
	c.u8("flags", &r.Flags)
	c.reserved("reserved0", 6)
	c.le64("table", &r.Table)
	c.reserved("reserved1", 24)
	c.check(r.Flags&^aliveAll == 0, "flags", uint64(r.Flags), "unknown bit")
}

// Encode checks the reply and returns its 64 bytes.
func (r *KeepaliveReply) Encode() ([]byte, error) {
	return encodeReply("KEEPALIVE", "rmr_rsp_keepalive", keepaliveReplySize, r.walk)
}

// DecodeKeepaliveReply decodes a reply to KEEPALIVE. Errors match ErrLength or ErrInvalid.
func DecodeKeepaliveReply(b []byte) (*KeepaliveReply, error) {
	r := &KeepaliveReply{}
	return r, decodeReply("KEEPALIVE", "rmr_rsp_keepalive", keepaliveReplySize, b, r.walk)
}

func encodeReply(to, structure string, size int, walk func(*coder)) ([]byte, error) {
	b, err := encodeExact(structure, size, walk)
	if err != nil {
		return nil, fmt.Errorf("encode reply to %s: %w", to, err)
	}
	return b, nil
}

func decodeReply(to, structure string, size int, b []byte, walk func(*coder)) error {
	if err := decodeExact(structure, size, b, walk); err != nil {
		return fmt.Errorf("decode reply to %s: %w", to, err)
	}
	return nil
}

// MapRun is chunks First to First+Count-1 with the same bits.
type MapRun struct {
	First uint64 `json:"first"`
	Count uint32 `json:"count"` // not zero
	Bits  Mask   `json:"bits"`  // not zero
}

func (r *MapRun) walk(c *coder) {
	c.le64("first", &r.First)
	c.le32("count", &r.Count)
	c.u8("bits", (*uint8)(&r.Bits))
	c.reserved("reserved", 3)
}

// MapReply answers MAP_PULL: runs in rising order; chunks between them have no bit.
type MapReply struct {
	First  uint64   `json:"first"`  // as asked
	Next   uint64   `json:"next"`   // chunk to go on with, NoMore: complete
	Chunks uint64   `json:"chunks"` // of the pool
	Runs   []MapRun `json:"run"`
}

func (r *MapReply) walk(c *coder) {
	c.le64("first", &r.First)
	c.le64("next", &r.Next)
	c.le64("chunks", &r.Chunks)
	n := c.counted(len(r.Runs), 0, MapRuns)
	c.reserved("reserved", 38)
	if c.mode == decoding {
		r.Runs = make([]MapRun, n)
	}
	for i := range MapRuns {
		var run MapRun
		if i < len(r.Runs) {
			run = r.Runs[i]
		}
		c.group("run", func() { run.walk(c) })
		c.check(i < n || run == MapRun{}, "run", run.First, "unused, must be zero")
		if i < len(r.Runs) {
			r.Runs[i] = run
		}
	}
	c.check(r.Chunks <= chunksMax, "chunks", r.Chunks, "more than any pool has")
	end := r.First
	for _, run := range r.Runs {
		c.check(run.Count != 0 && run.Bits != 0, "run", run.First, "empty")
		c.check(run.First >= end && run.First < r.Chunks && uint64(run.Count) <= r.Chunks-run.First, "run", run.First, "out of order or range")
		end = run.First + uint64(run.Count)
	}
	checkPage(c, r.First, r.Next, end)
}

// checkPage refuses a page that does not move on behind its last entry.
func checkPage(c *coder, first, next, end uint64) {
	c.check(next >= end && next > first, "next", next, "does not move on")
}

// Encode checks the reply and returns its 8192 bytes.
func (r *MapReply) Encode() ([]byte, error) {
	return encodeReply("MAP_PULL", "rmr_rsp_map_pull", mapReplySize, r.walk)
}

// DecodeMapReply decodes the reply to a MAP_PULL that asked from chunk asked on. Errors match ErrLength
// or ErrInvalid.
func DecodeMapReply(b []byte, asked uint64) (*MapReply, error) {
	r := &MapReply{}
	return r, decodeReply("MAP_PULL", "rmr_rsp_map_pull", mapReplySize, b, func(c *coder) {
		r.walk(c)
		c.check(r.First == asked, "first", r.First, "not as asked")
	})
}

// Flags of a ListReply.
const (
	ListRestarted uint8 = 1 << 0 // the member lost its memory since it last was settled
	listAll             = ListRestarted
)

// ListReply answers LIST: ranges of uncertain chunks in rising order.
type ListReply struct {
	First  uint64  `json:"first"` // as asked
	Next   uint64  `json:"next"`  // chunk to go on with, NoMore: complete
	Flags  uint8   `json:"flags"` // List*
	Ranges []Range `json:"range"`
}

func (r *ListReply) walk(c *coder) {
	c.le64("first", &r.First)
	c.le64("next", &r.Next)
	n := c.counted(len(r.Ranges), 0, ListRanges)
	c.u8("flags", &r.Flags)
	c.reserved("reserved", 45)
	c.ranges(&r.Ranges, ListRanges, n)
	c.check(r.Flags&^listAll == 0, "flags", uint64(r.Flags), "unknown bit")
	end := r.First
	checkRanges(c, r.Ranges)
	for _, e := range r.Ranges {
		c.check(e.First >= end, "range", e.First, "out of order")
		end = e.First + e.Count
	}
	checkPage(c, r.First, r.Next, end)
}

// Encode checks the reply and returns its 4096 bytes.
func (r *ListReply) Encode() ([]byte, error) {
	return encodeReply("LIST", "rmr_rsp_list", listReplySize, r.walk)
}

// DecodeListReply decodes the reply to a LIST that asked from chunk asked on. Errors match ErrLength or
// ErrInvalid.
func DecodeListReply(b []byte, asked uint64) (*ListReply, error) {
	r := &ListReply{}
	return r, decodeReply("LIST", "rmr_rsp_list", listReplySize, b, func(c *coder) {
		r.walk(c)
		c.check(r.First == asked, "first", r.First, "not as asked")
	})
}

// FineReply answers FINE. Bit b%8 of byte b/8 of Blocks stands for block b of the chunk.
type FineReply struct {
	Chunk  uint64 `json:"chunk"`  // as asked
	Known  bool   `json:"known"`  // false: any block may differ, and no bit is set
	Newest uint64 `json:"newest"` // write of this epoch that touches the chunk and is not known complete, 0: none (F_COPYLIST)
	// Latency of application I/O at the member in ns, 0: there is none.
	Latency uint64          `json:"latency_ns"`
	Blocks  [FineBytes]byte `json:"block"`
}

func (r *FineReply) walk(c *coder) {
	c.le64("chunk", &r.Chunk)
	c.flag("known", &r.Known)
	c.reserved("reserved0", 7)
	c.le64("newest", &r.Newest)
	c.le64("latency_ns", &r.Latency)
	c.reserved("reserved1", 32)
	b := c.next("block", FineBytes, "bytes")
	switch c.mode {
	case decoding:
		copy(r.Blocks[:], b)
	case encoding:
		copy(b, r.Blocks[:])
	}
	c.check(r.Known || r.Blocks == [FineBytes]byte{}, "block", 0, "not zero")
}

// Encode checks the reply and returns its 576 bytes.
func (r *FineReply) Encode() ([]byte, error) {
	return encodeReply("FINE", "rmr_rsp_fine", fineReplySize, r.walk)
}

// DecodeFineReply decodes the reply to a FINE that asked for a chunk. Errors match ErrLength or ErrInvalid.
func DecodeFineReply(b []byte, asked uint64) (*FineReply, error) {
	r := &FineReply{}
	return r, decodeReply("FINE", "rmr_rsp_fine", fineReplySize, b, func(c *coder) {
		r.walk(c)
		c.check(r.Chunk == asked, "chunk", r.Chunk, "not as asked")
	})
}
