// SPDX-License-Identifier: Apache-2.0

// This file owns the messages of failure handling: marks, the uncertain set, the steps of a returning leg,
// and what members ask of each other. Their replies are in recovery_replies.go.

package pool

// Bounds of the lists in messages and replies.
const (
	MsgRanges   = 60              // ranges in a MARK or CLEAR
	MarksAtOnce = 32              // MARKs of one session that may be under way
	ListRanges  = 252             // ranges in a reply to LIST
	MapRuns     = 508             // runs in a reply to MAP_PULL
	FineBytes   = 512             // a bit for each block of the largest chunk
	NoMore      = ^uint64(0)      // next of a reply that is the last one
	chunksMax   = uint64(1) << 40 // chunks of the largest pool with the smallest chunks
)

// Range is chunks First to First+Count-1. Count is not zero.
type Range struct {
	First uint64 `json:"first"`
	Count uint64 `json:"count"`
}

func (r *Range) walk(c *coder) {
	c.le64("first", &r.First)
	c.le64("count", &r.Count)
}

// ranges walks a list of most entries of which the first n are used.
func (c *coder) ranges(list *[]Range, most, n int) {
	if c.mode == decoding {
		*list = make([]Range, n)
	}
	for i := range most {
		var r Range
		if i < len(*list) {
			r = (*list)[i]
		}
		c.group("range", func() { r.walk(c) })
		c.check(i < n || r == Range{}, "range", r.First, "unused, must be zero")
		if i < len(*list) {
			(*list)[i] = r
		}
	}
	c.check(len(*list) == n, "count", uint64(n), "does not match the list")
}

// counted walks the number of used entries of a list; least..most are legal.
func (c *coder) counted(have, least, most int) int {
	n := uint16(min(have, 0xffff))
	c.le16("count", &n)
	c.check(int(n) >= least && int(n) <= most, "count", uint64(n), "out of range")
	return min(int(n), most)
}

func checkRanges(c *coder, list []Range) {
	for _, r := range list {
		c.check(r.Count != 0 && r.Count <= chunksMax && r.First <= chunksMax-r.Count, "range", r.First, "empty or beyond the largest pool")
	}
}

// Mark sets bits on chunks and, for reconcile, removes those against its source (R6.4).
type Mark struct {
	Header Header  `json:"hdr"`
	Epoch  Epoch   `json:"epoch"`
	View   uint64  `json:"view"`   // number of the view the client acts under
	Number uint64  `json:"number"` // of this session, 1, 2, ...; executed once (R2.13)
	Bits   Mask    `json:"bits"`   // members that lack the chunks
	Source Mask    `json:"source"` // of reconcile, at most one member
	Ranges []Range `json:"range"`
}

// MsgType is MsgMark.
func (*Mark) MsgType() MsgType  { return MsgMark }
func (m *Mark) header() *Header { return &m.Header }

func (m *Mark) walk(c *coder) {
	c.group("epoch", func() { m.Epoch.walk(c) })
	c.le64("view", &m.View)
	c.le64("number", &m.Number)
	c.u8("bits", (*uint8)(&m.Bits))
	c.u8("source", (*uint8)(&m.Source))
	n := c.counted(len(m.Ranges), 1, MsgRanges)
	c.reserved("reserved", 20)
	c.ranges(&m.Ranges, MsgRanges, n)
	c.check(m.Number != 0, "number", 0, "zero")
	c.check(m.Bits|m.Source != 0, "bits", 0, "nothing to do")
	c.check(m.Bits&m.Source == 0, "source", uint64(m.Source), "is marked itself")
	c.check(m.Source&(m.Source-1) == 0, "source", uint64(m.Source), "more than one member")
	checkRanges(c, m.Ranges)
}

// peer is what messages between members have in common.
func (c *coder) peer(pool *UUID, epoch *Epoch) {
	c.uuid("pool_uuid", pool)
	c.group("epoch", func() { epoch.walk(c) })
	c.check(!pool.IsZero(), "pool_uuid", 0, "zero")
	c.check(epoch.Seq != 0, "epoch.seq", 0, "zero")
}

func (c *coder) from(id *uint8) {
	c.u8("from", id)
	c.check(*id < MaxMembers, "from", uint64(*id), "above 7")
}

// to is whom a message is for: member id + 1, 0 for any member of the pool on the node.
func (c *coder) to(id *uint8) {
	c.u8("to", id)
	c.check(*id <= MaxMembers, "to", uint64(*id), "above 8")
}

// Clear tells that the sending member holds the chunks durably (R5.5).
type Clear struct {
	Header Header  `json:"hdr"`
	Pool   UUID    `json:"pool_uuid"`
	Epoch  Epoch   `json:"epoch"`
	View   uint64  `json:"view"` // number of the sender's view
	From   uint8   `json:"from"`
	To     uint8   `json:"to"` // member id + 1 addressed; 0: any
	Ranges []Range `json:"range"`
}

// MsgType is MsgClear.
func (*Clear) MsgType() MsgType  { return MsgClear }
func (m *Clear) header() *Header { return &m.Header }

func (m *Clear) walk(c *coder) {
	c.peer(&m.Pool, &m.Epoch)
	c.le64("view", &m.View)
	c.from(&m.From)
	c.to(&m.To)
	n := c.counted(len(m.Ranges), 1, MsgRanges)
	c.reserved("reserved", 12)
	c.ranges(&m.Ranges, MsgRanges, n)
	c.check(m.View != 0, "view", 0, "zero")
	checkRanges(c, m.Ranges)
}

// MapPull asks a member of U for the bits of all members (F_FULLMAP).
type MapPull struct {
	Header Header `json:"hdr"`
	Pool   UUID   `json:"pool_uuid"`
	Epoch  Epoch  `json:"epoch"`
	First  uint64 `json:"first"` // chunk
	From   uint8  `json:"from"`
	To     uint8  `json:"to"` // member id + 1 addressed; 0: any
}

// MsgType is MsgMapPull.
func (*MapPull) MsgType() MsgType  { return MsgMapPull }
func (m *MapPull) header() *Header { return &m.Header }

func (m *MapPull) walk(c *coder) {
	c.peer(&m.Pool, &m.Epoch)
	c.le64("first", &m.First)
	c.from(&m.From)
	c.to(&m.To)
	c.reserved("reserved", 14)
}

// List asks for the uncertain set of a promise (R5.1, R6.1).
type List struct {
	Header Header `json:"hdr"`
	Epoch  Epoch  `json:"epoch"`
	First  uint64 `json:"first"` // chunk
}

// MsgType is MsgList.
func (*List) MsgType() MsgType  { return MsgList }
func (m *List) header() *Header { return &m.Header }

func (m *List) walk(c *coder) {
	c.group("epoch", func() { m.Epoch.walk(c) })
	c.le64("first", &m.First)
	c.reserved("reserved", 32)
}

// ResyncRead asks a member for data that it has. The reply is the data.
type ResyncRead struct {
	Header Header `json:"hdr"`
	Pool   UUID   `json:"pool_uuid"`
	Epoch  Epoch  `json:"epoch"`
	Offset uint64 `json:"offset"` // bytes, whole blocks
	Length uint32 `json:"length"` // bytes, whole blocks
	From   uint8  `json:"from"`
	To     uint8  `json:"to"`              // member id + 1 addressed; 0: any
	Flags  uint8  `json:"flags,omitempty"` // Resync*
}

// ResyncCRC asks for a tail of 16 bytes behind the data, which begins with the CRC-32C of it.
const (
	ResyncCRC  uint8 = 1 << 0
	resyncAll        = ResyncCRC
	ResyncTail       = 16 // bytes
)

// MsgType is MsgResyncRead.
func (*ResyncRead) MsgType() MsgType  { return MsgResyncRead }
func (m *ResyncRead) header() *Header { return &m.Header }

func (m *ResyncRead) walk(c *coder) {
	c.peer(&m.Pool, &m.Epoch)
	c.le64("offset", &m.Offset)
	c.le32("length", &m.Length)
	c.from(&m.From)
	c.to(&m.To)
	c.u8("flags", &m.Flags)
	c.reserved("reserved", 9)
	c.check(m.Flags&^resyncAll == 0, "flags", uint64(m.Flags), "unknown bit")
	c.check(m.Length != 0 && m.Length <= ChunkSizeMax && m.Length%BlockSize == 0, "length", uint64(m.Length), "zero, too long or not whole blocks")
	c.check(m.Offset%BlockSize == 0 && m.Offset <= PoolSizeMax-uint64(m.Length), "offset", m.Offset, "too high or not whole blocks")
}

// step is the body of the messages that only say how far the client is.
type step struct {
	Header Header `json:"hdr"`
	Epoch  Epoch  `json:"epoch"`
	View   uint64 `json:"view"` // number of the view the client acts under
}

func (m *step) header() *Header { return &m.Header }

func (m *step) walk(c *coder) {
	c.group("epoch", func() { m.Epoch.walk(c) })
	c.le64("view", &m.View)
	c.reserved("reserved", 32)
	c.check(m.View != 0, "view", 0, "zero")
}

// Settle says that the client is live and the marks of the uncertain set are persisted everywhere (R6.6).
type Settle struct{ step }

// MsgType is MsgSettle.
func (*Settle) MsgType() MsgType { return MsgSettle }

// Ready says that every write issued before the view has completed (F_PULLALL).
type Ready struct{ step }

// MsgType is MsgReady.
func (*Ready) MsgType() MsgType { return MsgReady }

// Prepare asks a syncing member to flush and to persist its map before its promotion (F_RETFLUSH).
type Prepare struct{ step }

// MsgType is MsgPrepare.
func (*Prepare) MsgType() MsgType { return MsgPrepare }

// Fine asks which blocks of a chunk may differ.
type Fine struct {
	Header Header `json:"hdr"`
	Pool   UUID   `json:"pool_uuid"`
	Epoch  Epoch  `json:"epoch"`
	Chunk  uint64 `json:"chunk"`
	From   uint8  `json:"from"`
	To     uint8  `json:"to"` // member id + 1 addressed; 0: any
}

// MsgType is MsgFine.
func (*Fine) MsgType() MsgType  { return MsgFine }
func (m *Fine) header() *Header { return &m.Header }

func (m *Fine) walk(c *coder) {
	c.peer(&m.Pool, &m.Epoch)
	c.le64("chunk", &m.Chunk)
	c.from(&m.From)
	c.to(&m.To)
	c.reserved("reserved", 14)
}
