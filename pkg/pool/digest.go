// SPDX-License-Identifier: Apache-2.0

// This file owns the message that asks for digests of blocks, and its reply.

package pool

// Digests of blocks.
const (
	Digests         = 256 // in a reply to DIGEST
	digestLen       = 16
	digestReplySize = 64 + Digests*digestLen
	blocksMax       = ChunkSizeMax / BlockSize
)

// DigestSum is the keyed BLAKE2s-128 of a block, or the key of a request.
type DigestSum [digestLen]byte

func (d *DigestSum) walk(c *coder, field string) {
	b := c.next(field, digestLen, "bytes")
	switch c.mode {
	case decoding:
		copy(d[:], b)
	case encoding:
		copy(b, d[:])
	}
}

// digestRange walks nothing: it checks that blocks lie in a chunk and their digests in a reply.
func (c *coder) digestRange(first, count uint16) {
	c.check(first < blocksMax, "first", uint64(first), "behind the largest chunk")
	c.check(count != 0 && count <= Digests, "count", uint64(count), "zero or too many")
	c.check(uint32(first)+uint32(count) <= blocksMax, "count", uint64(count), "behind the largest chunk")
}

// Digest asks for the digests of blocks First to First+Count-1 of a chunk under a key made for this request.
type Digest struct {
	Header Header    `json:"hdr"`
	Pool   UUID      `json:"pool_uuid"`
	Epoch  Epoch     `json:"epoch"`
	Chunk  uint64    `json:"chunk"`
	From   uint8     `json:"from"`
	To     uint8     `json:"to"` // member id + 1 addressed; 0: any
	First  uint16    `json:"first"`
	Count  uint16    `json:"count"`
	Key    DigestSum `json:"key"`
}

// MsgType is MsgDigest.
func (*Digest) MsgType() MsgType  { return MsgDigest }
func (m *Digest) header() *Header { return &m.Header }

func (m *Digest) walk(c *coder) {
	c.peer(&m.Pool, &m.Epoch)
	c.le64("chunk", &m.Chunk)
	c.from(&m.From)
	c.to(&m.To)
	c.le16("first", &m.First)
	c.le16("count", &m.Count)
	c.reserved("reserved0", 10)
	m.Key.walk(c, "key")
	c.reserved("reserved1", 48)
	c.digestRange(m.First, m.Count)
}

// DigestSteady: the member is in U of a settled view and nothing of the chunk is uncertain on it.
const DigestSteady uint8 = 1 << 0

// DigestReply answers DIGEST, one digest for each block asked for, with what the member knew of the chunk once it had
// read the data (R5.11).
type DigestReply struct {
	Chunk   uint64      `json:"chunk"`  // as asked
	First   uint16      `json:"first"`  // as asked
	Dirty   Mask        `json:"dirty"`  // bits of the chunk against other members
	Flags   uint8       `json:"flags"`  // DigestSteady
	Newest  uint64      `json:"newest"` // as in FineReply
	View    uint64      `json:"view"`   // number of the member's view
	Digests []DigestSum `json:"digest"`
}

func (r *DigestReply) walk(c *coder) {
	c.le64("chunk", &r.Chunk)
	c.le16("first", &r.First)
	n := c.counted(len(r.Digests), 1, Digests)
	c.digestRange(r.First, uint16(n))
	c.u8("dirty", (*uint8)(&r.Dirty))
	c.u8("flags", &r.Flags)
	c.reserved("reserved0", 2)
	c.le64("newest", &r.Newest)
	c.le64("view", &r.View)
	c.reserved("reserved1", 32)
	c.check(r.Flags&^DigestSteady == 0, "flags", uint64(r.Flags), "unknown bit")
	b := c.next("digest", Digests*digestLen, "bytes")
	switch c.mode {
	case decoding:
		r.Digests = make([]DigestSum, n)
		for i := range r.Digests {
			copy(r.Digests[i][:], b[i*digestLen:])
		}
		c.check(firstNonZero(b[n*digestLen:]) < 0, "digest", uint64(n), "unused, must be zero")
	case encoding:
		for i := range min(n, len(r.Digests)) {
			copy(b[i*digestLen:], r.Digests[i][:])
		}
	}
}

// Encode checks the reply and returns its 4160 bytes.
func (r *DigestReply) Encode() ([]byte, error) {
	return encodeReply("DIGEST", "rmr_rsp_digest", digestReplySize, r.walk)
}

// DecodeDigestReply decodes the reply to a DIGEST that asked for a chunk. Errors match ErrLength or ErrInvalid.
func DecodeDigestReply(b []byte, asked uint64) (*DigestReply, error) {
	r := &DigestReply{}
	return r, decodeReply("DIGEST", "rmr_rsp_digest", digestReplySize, b, func(c *coder) {
		r.walk(c)
		c.check(r.Chunk == asked, "chunk", r.Chunk, "not as asked")
	})
}
