// SPDX-License-Identifier: Apache-2.0

// This file owns stores on two devices and room for a larger pool: the fields of the superblock about them, the stub
// that tells whose data a device holds, and the message that makes a pool larger.

package pool

import (
	"errors"
	"fmt"
)

const stubMagic = "RMRDATA1"

// StubSize is the size in bytes of a Stub on its device.
const StubSize = 4096

// Stub is the last whole 4 KiB block of the data device of a store with FeatIncompatExtMD, if the pool leaves room.
type Stub struct {
	Pool     UUID   `json:"pool_uuid"`
	Store    UUID   `json:"store_uuid"`
	Label    UUID   `json:"label"`     // Superblock.DataLabel
	DataSize uint64 `json:"data_size"` // bytes of the device when written
}

func (s *Stub) walk(c *coder) {
	c.magic(stubMagic)
	c.uuid("pool_uuid", &s.Pool)
	c.uuid("store_uuid", &s.Store)
	c.uuid("label", &s.Label)
	c.le64("data_size", &s.DataSize)
	c.reserved("reserved", 4028)
	c.crc("crc32c")
}

// Encode returns the 4096 bytes with checksum.
func (s *Stub) Encode() ([]byte, error) {
	b, err := encodeExact("rmr_stub", StubSize, s.walk)
	if err != nil {
		return nil, fmt.Errorf("encode stub: %w", err)
	}
	return b, nil
}

// DecodeStub decodes the last block of a device. Errors match ErrLength, ErrNotOurs, ErrDamaged or ErrInvalid.
func DecodeStub(b []byte) (*Stub, error) {
	s := &Stub{}
	err := decodeExact("rmr_stub", StubSize, b, func(c *coder) {
		if c.sealedHeader(stubMagic); c.err == nil {
			s.walk(c)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("decode stub: %w", err)
	}
	return s, nil
}

// Of tells whether the stub is of the data device of a store.
func (s *Stub) Of(sb *Superblock) bool {
	return *s == Stub{sb.Pool, sb.Store, sb.DataLabel, sb.DataSize}
}

// StubOff is where the stub lies on a data device, in bytes; ok is false if the pool leaves no room for it.
func StubOff(dataSize, poolSize uint64) (off uint64, ok bool) {
	s := UsableSize(dataSize)
	if s < StubSize || s-StubSize < poolSize {
		return 0, false
	}
	return s - StubSize, true
}

// PoolSizeMaxSplit is the largest pool, in bytes, whose data fits on a device of dataSize bytes and whose map on one of
// mdSize bytes; 0: none. With stub it leaves room for a Stub.
func PoolSizeMaxSplit(dataSize, mdSize uint64, chunkSize uint32, stub bool) uint64 {
	data, md := UsableSize(dataSize), UsableSize(mdSize)
	if stub {
		data -= min(data, StubSize)
	}
	if chunkSizeFault(chunkSize) != "" || md < MDTail {
		return 0
	}
	chunks := PoolSizeMax / uint64(chunkSize)
	if blocks := (md - MDTail) / MDBlock; blocks <= chunks/MapBlockChunks {
		chunks = blocks * MapBlockChunks
	}
	size := min(data, chunks*uint64(chunkSize))
	if size < PoolSizeMin {
		return 0
	}
	return size
}

// Split tells whether data and metadata lie on two devices.
func (s *Superblock) Split() bool { return s.FeatIncompat&FeatIncompatExtMD != 0 }

// RoomMax is the largest pool whose map fits where the map is, and whose data fits on the device.
func (s *Superblock) RoomMax() uint64 {
	blocks := uint64(0)
	if end := s.StoreSize - MDTail; s.MapOff < end {
		blocks = (end - s.MapOff) / MDBlock
	}
	chunks := PoolSizeMax / uint64(s.ChunkSize)
	if blocks <= chunks/MapBlockChunks {
		chunks = blocks * MapBlockChunks
	}
	end := s.MapOff
	if s.Split() {
		end = s.DataSize
	}
	return min(chunks*uint64(s.ChunkSize), end&^(BlockSize-1))
}

func (s *Superblock) checkDevices(c *coder) {
	if s.Split() {
		c.check(!s.isWitness(), "feat_incompat", s.FeatIncompat, "a witness has no data device")
		c.check(s.DataSize%MDBlock == 0 && s.DataSize >= s.PoolSize, "data_size", s.DataSize, "smaller than the pool or not in blocks")
		c.check(!s.DataLabel.IsZero(), "data_label", 0, "zero")
	} else {
		c.check(s.DataSize == 0, "data_size", s.DataSize, "without a data device")
		c.check(s.DataLabel.IsZero(), "data_label", 0, "without a data device")
	}
	if s.Room == 0 || c.err != nil {
		return
	}
	c.check(!s.isWitness() && s.Room%BlockSize == 0 && s.Room >= s.PoolSize && s.Room <= PoolSizeMax, "room", s.Room, "smaller than the pool or out of range")
	c.check(s.Room <= s.RoomMax(), "room", s.Room, "more than data area or map have")
}

// Flags of Resize.
const (
	ResizeShrink uint8 = 1 << iota // what is behind the size is given up
	ResizeAsk                      // nothing changes, but would it do?
	resizeAll    = ResizeShrink | ResizeAsk
)

// Resize tells a member the size of the pool from now on (R9.12).
type Resize struct {
	Header Header `json:"hdr"`
	Epoch  Epoch  `json:"epoch"`
	Size   uint64 `json:"size"`  // bytes
	From   uint64 `json:"from"`  // bytes of the pool as its client has it
	Cuts   uint32 `json:"cuts"`  // number of the pool's last shrink, this one's
	Flags  uint8  `json:"flags"` // Resize*
}

// MsgType is MsgResize.
func (*Resize) MsgType() MsgType  { return MsgResize }
func (m *Resize) header() *Header { return &m.Header }

func (m *Resize) walk(c *coder) {
	c.group("epoch", func() { m.Epoch.walk(c) })
	c.le64("size", &m.Size)
	c.le64("from", &m.From)
	c.le32("cuts", &m.Cuts)
	c.u8("flags", &m.Flags)
	c.reserved("reserved", 19)
	shrink := m.Flags&ResizeShrink != 0
	c.check(m.Epoch.Seq != 0, "epoch.seq", 0, "zero")
	c.check(m.Size%BlockSize == 0 && m.Size >= PoolSizeMin && m.Size <= PoolSizeMax, "size", m.Size, "out of range or not in 4 KiB blocks")
	c.check(m.From%BlockSize == 0 && m.From >= PoolSizeMin && m.From <= PoolSizeMax, "from", m.From, "out of range or not in 4 KiB blocks")
	c.check(m.Flags&^resizeAll == 0, "flags", uint64(m.Flags), "unknown bits")
	c.check(shrink || m.Size >= m.From, "size", m.Size, "smaller than the pool, and no shrink")
	c.check(!shrink || m.Size <= m.From, "size", m.Size, "larger than the pool, and a shrink")
}

// ResizeAct is what a data member does when it is told a Resize.
type ResizeAct int

// The acts.
const (
	ResizeKeep ResizeAct = iota // it is so already
	ResizeNote                  // persists the number of the last shrink
	ResizeGrow
	ResizeCut
)

// Why a data member refuses a Resize.
var (
	// ErrResizeSize: smaller without a shrink, or the member is smaller than the pool.
	ErrResizeSize = errors.New("the size does not fit the member")
	// ErrResizeStale: the member is larger than the pool and was not told of its last shrink.
	ErrResizeStale = errors.New("the member was not told of a shrink")
	// ErrResizeRoom: the store has no room.
	ErrResizeRoom = errors.New("no room")
)

// Told is what a data member of so many bytes, with room for so many and of a number of shrinks, makes of the message.
func (m *Resize) Told(now, room uint64, cuts uint32) (ResizeAct, error) {
	known := ResizeNote
	if cuts == m.Cuts {
		known = ResizeKeep
	}
	switch shrink := m.Flags&ResizeShrink != 0; {
	case shrink && now < m.Size, !shrink && (m.Size < now || now < m.From):
		return 0, ErrResizeSize
	case shrink && now > m.Size:
		return ResizeCut, nil
	case !shrink && now > m.From && cuts != m.Cuts: // what it has too much is of before a shrink, and not zero
		return 0, ErrResizeStale
	case now == m.Size:
		return known, nil
	case m.Size > room:
		return 0, ErrResizeRoom
	}
	return ResizeGrow, nil
}
