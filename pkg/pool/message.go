// SPDX-License-Identifier: Apache-2.0

// This file owns the message header, the kinds of messages, status codes, and the entry points that
// encode and decode any message. The bodies are in messages.go and replies.go.

package pool

import (
	"encoding/binary"
	"fmt"
)

// Protocol numbers (wire.h).
const (
	ProtoMajor = 1          // differs: refused
	ProtoMinor = 0          // differs: the lower one is spoken
	Port       = 7420       // RDMA CM port of storage nodes
	MsgMax     = 2048       // bytes of the largest request message
	NoHandle   = 0xffffffff // handle of messages that are not bound to an attached pool
	headerSize = 8
)

// MsgType is the type of a request message.
type MsgType uint16

// Message types. Numbers of retired types are never used again; 15 is reserved.
const (
	MsgHello      MsgType = 1
	MsgPoolInfo   MsgType = 2
	MsgAttach     MsgType = 3
	MsgView       MsgType = 4
	MsgDetach     MsgType = 5
	MsgKeepalive  MsgType = 6
	MsgIO         MsgType = 7
	MsgMemberSet  MsgType = 8
	MsgMark       MsgType = 9
	MsgClear      MsgType = 10
	MsgMapPull    MsgType = 11
	MsgList       MsgType = 12
	MsgResyncRead MsgType = 13
	MsgDigest     MsgType = 14
	MsgSettle     MsgType = 16
	MsgReady      MsgType = 17
	MsgPrepare    MsgType = 18
	MsgFine       MsgType = 19
	MsgResize     MsgType = 20
	msgTypeMax            = MsgResize
)

// msgKind is what the header checks need to know of a type.
type msgKind struct {
	name       string
	structure  string
	size       int
	withHandle bool
	make       func() Message
	either     bool // with a handle or without
}

// kindOf is the table of message types; ok is false for an unknown one.
func kindOf(t MsgType) (k msgKind, ok bool) {
	switch t {
	case MsgHello:
		k = msgKind{"HELLO", "rmr_msg_hello", 128, false, func() Message { return &Hello{} }, false}
	case MsgPoolInfo:
		k = msgKind{"POOL_INFO", "rmr_msg_pool_info", 128, false, func() Message { return &PoolInfo{} }, false}
	case MsgAttach:
		k = msgKind{"ATTACH", "rmr_msg_attach", 128, false, func() Message { return &Attach{} }, false}
	case MsgView:
		k = msgKind{"VIEW", "rmr_msg_view", 64, true, func() Message { return &ViewSet{} }, false}
	case MsgDetach:
		k = msgKind{"DETACH", "rmr_msg_detach", 64, true, func() Message { return &Detach{} }, false}
	case MsgKeepalive:
		k = msgKind{"KEEPALIVE", "rmr_msg_keepalive", 64, true, func() Message { return &Keepalive{} }, false}
	case MsgIO:
		k = msgKind{"IO", "rmr_msg_io", 80, true, func() Message { return &IO{} }, false}
	case MsgMemberSet:
		k = msgKind{"MEMBER_SET", "rmr_msg_member_set", 280, false, func() Message { return &MemberSet{} }, true}
	case MsgMark:
		k = msgKind{"MARK", "rmr_msg_mark", 1024, true, func() Message { return &Mark{} }, false}
	case MsgClear:
		k = msgKind{"CLEAR", "rmr_msg_clear", 1024, false, func() Message { return &Clear{} }, false}
	case MsgMapPull:
		k = msgKind{"MAP_PULL", "rmr_msg_map_pull", 64, false, func() Message { return &MapPull{} }, false}
	case MsgList:
		k = msgKind{"LIST", "rmr_msg_list", 64, true, func() Message { return &List{} }, false}
	case MsgResyncRead:
		k = msgKind{"RESYNC_READ", "rmr_msg_resync_read", 64, false, func() Message { return &ResyncRead{} }, false}
	case MsgDigest:
		k = msgKind{"DIGEST", "rmr_msg_digest", 128, false, func() Message { return &Digest{} }, false}
	case MsgSettle:
		k = msgKind{"SETTLE", "rmr_msg_step", 64, true, func() Message { return &Settle{} }, false}
	case MsgReady:
		k = msgKind{"READY", "rmr_msg_step", 64, true, func() Message { return &Ready{} }, false}
	case MsgPrepare:
		k = msgKind{"PREPARE", "rmr_msg_step", 64, true, func() Message { return &Prepare{} }, false}
	case MsgResize:
		k = msgKind{"RESIZE", "rmr_msg_resize", 64, true, func() Message { return &Resize{} }, false}
	case MsgFine:
		k = msgKind{"FINE", "rmr_msg_fine", 64, false, func() Message { return &Fine{} }, false}
	}
	return k, k.make != nil
}

// String is the name of the type in logs.
func (t MsgType) String() string {
	if k, ok := kindOf(t); ok {
		return k.name
	}
	return fmt.Sprintf("type-%d", uint16(t))
}

// Size is the exact length of a message of this type in bytes, 0 for an unknown type.
func (t MsgType) Size() int {
	k, _ := kindOf(t)
	return k.size
}

// Header opens every request message. EncodeMessage sets type and major version.
type Header struct {
	Minor  uint8  `json:"minor"`  // spoken minor; in HELLO the highest known
	Handle uint32 `json:"handle"` // from ATTACH, else NoHandle
}

// Message is one request: a pointer to Hello, PoolInfo, Attach, ViewSet, Detach, Keepalive, IO, MemberSet, Mark,
// Clear, MapPull, List, ResyncRead, Digest, Settle, Ready, Prepare, Fine or Resize.
type Message interface {
	// MsgType is the type that goes into the header.
	MsgType() MsgType
	header() *Header
	walk(c *coder)
}

func walkMessage(c *coder, m Message) {
	c.group("hdr", func() { m.header().walk(c, m.MsgType()) })
	m.walk(c)
}

func (h *Header) walk(c *coder, t MsgType) {
	k, _ := kindOf(t)
	number, major := uint16(t), uint8(ProtoMajor)
	c.le16("type", &number)
	c.u8("major", &major)
	c.u8("minor", &h.Minor)
	c.le32("handle", &h.Handle)
	c.check(k.either || (h.Handle == NoHandle) != k.withHandle, "handle", uint64(h.Handle), "missing or not expected in this type")
}

// EncodeMessage checks a message and returns its bytes. Errors match ErrInvalid.
func EncodeMessage(m Message) ([]byte, error) {
	k, _ := kindOf(m.MsgType())
	b, err := encodeExact(k.structure, k.size, func(c *coder) { walkMessage(c, m) })
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", k.name, err)
	}
	return b, nil
}

// DecodeMessage decodes a request of any type. Errors match ErrLength, ErrVersion or ErrInvalid.
func DecodeMessage(b []byte) (Message, error) {
	if len(b) < headerSize {
		return nil, fmt.Errorf("decode message: %w", &FieldError{Class: ErrLength, Struct: "rmr_msg_hdr", Field: "length", Value: uint64(len(b)), Why: "shorter than a header"})
	}
	t := MsgType(binary.LittleEndian.Uint16(b))
	k, known := kindOf(t)
	if major := b[2]; major != ProtoMajor {
		return nil, fmt.Errorf("decode message: %w", &FieldError{Class: ErrVersion, Struct: "rmr_msg_hdr", Field: "hdr.major", Value: uint64(major), Why: "unknown protocol version"})
	}
	if !known {
		return nil, fmt.Errorf("decode message: %w", invalid("rmr_msg_hdr", "hdr.type", uint64(t), "unknown type"))
	}
	if minor := b[3]; t != MsgHello && minor > ProtoMinor {
		return nil, fmt.Errorf("decode %s: %w", k.name, &FieldError{Class: ErrVersion, Struct: k.structure, Field: "hdr.minor", Value: uint64(minor), Why: "above the highest known"})
	}
	m := k.make()
	if err := decodeExact(k.structure, k.size, b, func(c *coder) { walkMessage(c, m) }); err != nil {
		return nil, fmt.Errorf("decode %s: %w", k.name, err)
	}
	return m, nil
}

// Status is the answer to a request: 0, or a negative errno. Other values than these are errors of the
// store or the transport.
type Status int32

// Status codes with a meaning of their own (wire.h).
const (
	StatusOK        Status = 0
	StatusFenced    Status = -116 // ESTALE: not the promised epoch
	StatusMissed    Status = -61  // ENODATA: write not applied here, the leg goes on
	StatusStale     Status = -117 // EUCLEAN: chunk dirty here, read elsewhere
	StatusBusy      Status = -16  // EBUSY: another client holds the pool
	StatusNoPool    Status = -2   // ENOENT: no such pool on this node
	StatusMalformed Status = -71  // EPROTO: message refused by a check
	StatusVersion   Status = -93  // EPROTONOSUPPORT: protocol version
	StatusPassedOn  Status = -121 // EREMOTEIO: read failed here, nothing to be done about it
	StatusLeft      Status = -112 // EHOSTDOWN: left by its policy, its disk failed too often
	StatusHung      Status = -62  // ETIME: the disk does not answer
	StatusBadData   Status = -84  // EILSEQ: data does not match its checksum; not applied
	StatusRejoin    Status = -85  // ERESTART: take the leg out and back, it copies anew
)

// String names the status as logs do.
func (s Status) String() string {
	switch s {
	case StatusOK:
		return "ok"
	case StatusFenced:
		return "fenced"
	case StatusMissed:
		return "missed"
	case StatusStale:
		return "stale"
	case StatusBusy:
		return "busy"
	case StatusNoPool:
		return "no-pool"
	case StatusMalformed:
		return "malformed"
	case StatusVersion:
		return "version"
	case StatusPassedOn:
		return "passed-on"
	case StatusLeft:
		return "left"
	case StatusHung:
		return "hung"
	case StatusBadData:
		return "bad-data"
	case StatusRejoin:
		return "rejoin"
	}
	return fmt.Sprintf("errno-%d", -int32(s))
}
