// SPDX-License-Identifier: Apache-2.0

// This file owns the bodies of request messages and their checks.

package pool

import "fmt"

// Op is the operation of an IO message.
type Op uint8

// Operations.
const (
	OpRead        Op = 0
	OpWrite       Op = 1
	OpFlush       Op = 2
	OpDiscard     Op = 3 // reads as zeros afterwards, may free space
	OpWriteZeroes Op = 4 // reads as zeros afterwards
)

// Modifies tells whether the operation changes data and is tracked as a write.
func (o Op) Modifies() bool { return o == OpWrite || o == OpDiscard || o == OpWriteZeroes }

// String names the operation as logs do.
func (o Op) String() string {
	names := [...]string{"READ", "WRITE", "FLUSH", "DISCARD", "WRITE_ZEROES"}
	if int(o) < len(names) {
		return names[o]
	}
	return fmt.Sprintf("op-%d", uint8(o))
}

// Flags of an IO message.
const (
	IOFUA     uint16 = 1 << 0 // stable before the answer; WRITE and WRITE_ZEROES only
	IONoUnmap uint16 = 1 << 1 // WRITE_ZEROES: keep the space allocated
	IOSync    uint16 = 1 << 2 // hint: somebody waits for it
	IOCRC     uint16 = 1 << 3 // WRITE: the message has the CRC-32C of the data
	ioAll            = IOFUA | IONoUnmap | IOSync | IOCRC
)

// IO is one read, write, flush, discard or write-zeroes. Data travels beside it.
type IO struct {
	Header         Header `json:"hdr"`
	Epoch          Epoch  `json:"epoch"`
	View           uint64 `json:"view"`            // number of the view the client acts under (F_WVIEW)
	Seq            uint64 `json:"seq"`             // of this write, 1, 2, ...; 0 for reads and flushes
	CompletedBelow uint64 `json:"completed_below"` // every write with a lower number has ended
	Offset         uint64 `json:"offset"`          // bytes into the pool; 0 for FLUSH
	Length         uint32 `json:"length"`          // bytes; 0 for FLUSH
	Op             Op     `json:"op"`
	Missing        Mask   `json:"missing"`               // members that do not get this write
	Flags          uint16 `json:"flags"`                 // IO*
	DataCRC        uint32 `json:"data_crc32c,omitempty"` // of the data, with IOCRC
}

// MsgType is MsgIO.
func (*IO) MsgType() MsgType  { return MsgIO }
func (m *IO) header() *Header { return &m.Header }

func (m *IO) walk(c *coder) {
	c.group("epoch", func() { m.Epoch.walk(c) })
	c.le64("view", &m.View)
	c.le64("seq", &m.Seq)
	c.le64("completed_below", &m.CompletedBelow)
	c.le64("offset", &m.Offset)
	c.le32("length", &m.Length)
	c.u8("op", (*uint8)(&m.Op))
	c.u8("missing", (*uint8)(&m.Missing))
	c.le16("flags", &m.Flags)
	c.le32("data_crc32c", &m.DataCRC)
	c.reserved("reserved", 12)
	c.check(m.DataCRC == 0 || m.Flags&IOCRC != 0, "data_crc32c", uint64(m.DataCRC), "not zero without its flag")
	c.check(m.Op <= OpWriteZeroes, "op", uint64(m.Op), "unknown")
	c.check(m.Flags&^ioAll == 0, "flags", uint64(m.Flags), "unknown bit")
	c.check(m.Flags&IOFUA == 0 || m.Op == OpWrite || m.Op == OpWriteZeroes, "flags", uint64(m.Flags), "FUA on this operation")
	c.check(m.Flags&IOCRC == 0 || m.Op == OpWrite, "flags", uint64(m.Flags), "CRC on this operation")
	c.check(m.Flags&IONoUnmap == 0 || m.Op == OpWriteZeroes, "flags", uint64(m.Flags), "NOUNMAP on this operation")
	m.checkRange(c)
}

func (m *IO) checkRange(c *coder) {
	if m.Op == OpFlush {
		c.check(m.Offset == 0, "offset", m.Offset, "not zero in FLUSH")
		c.check(m.Length == 0, "length", uint64(m.Length), "not zero in FLUSH")
	} else {
		c.check(m.Length != 0 && m.Length%512 == 0, "length", uint64(m.Length), "zero or not whole 512-byte sectors")
		c.check(m.Offset%512 == 0, "offset", m.Offset, "not a multiple of 512")
		c.check(m.Offset <= PoolSizeMax-uint64(m.Length), "offset", m.Offset, "range beyond the largest pool")
	}
	if m.Op.Modifies() {
		c.check(m.Seq != 0, "seq", 0, "zero in a write")
		c.check(m.CompletedBelow <= m.Seq, "completed_below", m.CompletedBelow, "above the number of this write")
	} else {
		c.check(m.Seq == 0, "seq", m.Seq, "not zero in a read or flush")
		c.check(m.Missing == 0, "missing", uint64(m.Missing), "not zero in a read or flush")
	}
}

// Hello opens a session.
type Hello struct {
	Header    Header `json:"hdr"`
	Features  uint64 `json:"features"`  // offered
	Requester uint64 `json:"requester"` // random id of the requesting node's boot
	Node      string `json:"node"`      // host name, for people
}

// MsgType is MsgHello.
func (*Hello) MsgType() MsgType  { return MsgHello }
func (m *Hello) header() *Header { return &m.Header }

func (m *Hello) walk(c *coder) {
	c.le64("features", &m.Features)
	c.le64("requester", &m.Requester)
	c.name("node", &m.Node)
	c.reserved("reserved", 40)
}

// name is a node or pool name that must be there and well formed.
func (c *coder) name(field string, v *string) {
	c.text(field, NameLen, v)
	why := nameFault(*v)
	c.check(why == "", field, uint64(len(*v)), why)
}

// PoolInfo asks what a member knows of a pool, by name, by UUID, or by both.
type PoolInfo struct {
	Header Header `json:"hdr"`
	Name   string `json:"name"`
	UUID   UUID   `json:"uuid"`
	To     uint8  `json:"to"` // member id + 1 that is asked; 0: any
}

// MsgType is MsgPoolInfo.
func (*PoolInfo) MsgType() MsgType  { return MsgPoolInfo }
func (m *PoolInfo) header() *Header { return &m.Header }

func (m *PoolInfo) walk(c *coder) {
	c.text("name", NameLen, &m.Name)
	c.uuid("uuid", &m.UUID)
	c.to(&m.To)
	c.reserved("reserved", 39)
	if m.Name != "" {
		why := nameFault(m.Name)
		c.check(why == "", "name", uint64(len(m.Name)), why)
	}
	c.check(m.Name != "" || !m.UUID.IsZero(), "name", 0, "neither name nor UUID given")
}

// Flags of an Attach message.
const (
	AttachTakeover uint32 = 1 << 0 // even if a client is connected
	AttachForce    uint32 = 1 << 1 // its views may begin a new lineage
	attachAll             = AttachTakeover | AttachForce
)

// Attach asks a member to promise an epoch (F_EPOCH).
type Attach struct {
	Header   Header `json:"hdr"`
	Pool     UUID   `json:"pool_uuid"`
	Epoch    Epoch  `json:"epoch"`     // higher than any promised before
	Flags    uint32 `json:"flags"`     // Attach*
	MemberID uint8  `json:"member_id"` // whom the client believes to talk to
	Node     string `json:"node"`      // host name of the client, for people
}

// MsgType is MsgAttach.
func (*Attach) MsgType() MsgType  { return MsgAttach }
func (m *Attach) header() *Header { return &m.Header }

func (m *Attach) walk(c *coder) {
	c.uuid("pool_uuid", &m.Pool)
	c.group("epoch", func() { m.Epoch.walk(c) })
	c.le32("flags", &m.Flags)
	c.u8("member_id", &m.MemberID)
	c.reserved("reserved", 19)
	c.name("node", &m.Node)
	c.check(!m.Pool.IsZero(), "pool_uuid", 0, "zero")
	c.check(m.Epoch.Seq != 0, "epoch.seq", 0, "zero")
	c.check(m.Flags&^attachAll == 0, "flags", uint64(m.Flags), "unknown bit")
	c.check(m.MemberID < MaxMembers, "member_id", uint64(m.MemberID), "above 7")
}

// ViewSet asks a member to persist a view.
type ViewSet struct {
	Header Header `json:"hdr"`
	View   View   `json:"view"`
}

// MsgType is MsgView.
func (*ViewSet) MsgType() MsgType  { return MsgView }
func (m *ViewSet) header() *Header { return &m.Header }

func (m *ViewSet) walk(c *coder) {
	c.group("view", func() { m.View.walk(c) })
	c.reserved("reserved", 8)
	c.check(m.View.Number != 0, "view.number", 0, "zero")
	c.check(m.View.Epoch.Seq != 0, "view.epoch.seq", 0, "zero")
}

// Flags of a Detach message.
const (
	DetachClean uint32 = 1 << 0 // flushed everywhere, every write has ended
	detachAll          = DetachClean
)

// Detach ends an attachment.
type Detach struct {
	Header Header `json:"hdr"`
	Epoch  Epoch  `json:"epoch"`
	Flags  uint32 `json:"flags"` // Detach*
}

// MsgType is MsgDetach.
func (*Detach) MsgType() MsgType  { return MsgDetach }
func (m *Detach) header() *Header { return &m.Header }

func (m *Detach) walk(c *coder) {
	c.group("epoch", func() { m.Epoch.walk(c) })
	c.le32("flags", &m.Flags)
	c.reserved("reserved", 36)
	c.check(m.Flags&^detachAll == 0, "flags", uint64(m.Flags), "unknown bit")
}

// Keepalive carries the lease and, when idle, the completion mark.
type Keepalive struct {
	Header         Header `json:"hdr"`
	Epoch          Epoch  `json:"epoch"`
	View           uint64 `json:"view"`
	CompletedBelow uint64 `json:"completed_below"`
}

// MsgType is MsgKeepalive.
func (*Keepalive) MsgType() MsgType  { return MsgKeepalive }
func (m *Keepalive) header() *Header { return &m.Header }

func (m *Keepalive) walk(c *coder) {
	c.group("epoch", func() { m.Epoch.walk(c) })
	c.le64("view", &m.View)
	c.le64("completed_below", &m.CompletedBelow)
	c.reserved("reserved", 24)
}

// MemberSet sets one slot of the member table. With a handle it comes from the client that holds Epoch, which tells
// the slot as it is (R9.4). Without one it is a wish or makes members of a pool that no client has used, and is
// refused unless TableVersion is the member's own.
type MemberSet struct {
	Header       Header `json:"hdr"`
	Pool         UUID   `json:"pool_uuid"`
	TableVersion uint64 `json:"table_version"` // before the change; with a handle 0
	MemberID     uint8  `json:"member_id"`
	More         bool   `json:"more"`   // others follow, all are persisted with the last one (F_WHOLE); only with a handle
	Epoch        Epoch  `json:"epoch"`  // with a handle, else zero
	Member       Member `json:"member"` // state MemberNone frees the slot
}

// MsgType is MsgMemberSet.
func (*MemberSet) MsgType() MsgType  { return MsgMemberSet }
func (m *MemberSet) header() *Header { return &m.Header }

func (m *MemberSet) walk(c *coder) {
	c.uuid("pool_uuid", &m.Pool)
	c.le64("table_version", &m.TableVersion)
	c.u8("member_id", &m.MemberID)
	c.flag("more", &m.More)
	c.reserved("reserved", 6)
	c.group("epoch", func() { m.Epoch.walk(c) })
	c.group("member", func() { m.Member.walk(c, int(m.MemberID)) })
	c.check(!m.Pool.IsZero(), "pool_uuid", 0, "zero")
	c.check(m.MemberID < MaxMembers, "member_id", uint64(m.MemberID), "above 7")
	held := m.Header.Handle != NoHandle
	c.check(held == (m.Epoch.Seq != 0) && (held || m.Epoch.Client == 0), "epoch.seq", m.Epoch.Seq, "missing or not expected")
	c.check(held || !m.More, "more", 1, "without a handle")
	c.check(!held || m.TableVersion == 0, "table_version", m.TableVersion, "not expected with a handle")
}
