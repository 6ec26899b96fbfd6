// SPDX-License-Identifier: Apache-2.0

// This file owns the walk over a fixed little-endian structure. Each structure lists its fields once, in
// order; the same list decodes, encodes and describes it, so the three cannot differ.

package pool

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
)

// field describes one field of a wire or disk structure.
type field struct {
	name string // as in the headers, "member[2].state" for nested ones
	off  int    // bytes from the start of the structure
	size int    // bytes
	kind string // u8, le16, le32, le64, bytes, text, reserved
}

type coderMode int

const (
	decoding coderMode = iota
	encoding
	describing
)

// coder walks buf. The first error sticks; later calls then change nothing.
type coder struct {
	mode   coderMode
	buf    []byte
	off    int
	object string // structure, as the headers name it
	path   string // of the enclosing group
	err    *FieldError
	fields []field
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// decodeExact runs walk over buf, which must have size bytes.
func decodeExact(name string, size int, buf []byte, walk func(*coder)) error {
	if len(buf) != size {
		return &FieldError{Class: ErrLength, Struct: name, Field: "length", Value: uint64(len(buf)), Why: "wrong length"}
	}
	c := coder{mode: decoding, buf: buf, object: name}
	walk(&c)
	return c.result()
}

// encodeExact runs walk over a zeroed buffer of size bytes.
func encodeExact(name string, size int, walk func(*coder)) ([]byte, error) {
	c := coder{mode: encoding, buf: make([]byte, size), object: name}
	walk(&c)
	return c.buf, c.result()
}

func describe(walk func(*coder)) []field {
	c := coder{mode: describing}
	walk(&c)
	return c.fields
}

func (c *coder) result() error {
	if c.err == nil {
		return nil
	}
	return c.err
}

func (c *coder) fail(class error, field string, value uint64, why string) {
	if c.err == nil {
		c.err = &FieldError{Class: class, Struct: c.object, Field: c.path + field, Value: value, Why: why}
	}
}

// check refuses the field unless ok; only the first refusal is kept.
func (c *coder) check(ok bool, field string, value uint64, why string) {
	if !ok && c.mode != describing {
		c.fail(ErrInvalid, field, value, why)
	}
}

func (c *coder) group(prefix string, walk func()) {
	outer := c.path
	c.path = outer + prefix + "."
	walk()
	c.path = outer
}

// next moves over size bytes and returns them, or nil when only describing.
func (c *coder) next(name string, size int, kind string) []byte {
	off := c.off
	c.off += size
	if c.mode == describing {
		c.fields = append(c.fields, field{c.path + name, off, size, kind})
		return nil
	}
	return c.buf[off:c.off]
}

func (c *coder) u8(field string, v *uint8) {
	b := c.next(field, 1, "u8")
	switch c.mode {
	case decoding:
		*v = b[0]
	case encoding:
		b[0] = *v
	}
}

func (c *coder) le16(field string, v *uint16) {
	b := c.next(field, 2, "le16")
	switch c.mode {
	case decoding:
		*v = binary.LittleEndian.Uint16(b)
	case encoding:
		binary.LittleEndian.PutUint16(b, *v)
	}
}

func (c *coder) le32(field string, v *uint32) {
	b := c.next(field, 4, "le32")
	switch c.mode {
	case decoding:
		*v = binary.LittleEndian.Uint32(b)
	case encoding:
		binary.LittleEndian.PutUint32(b, *v)
	}
}

func (c *coder) le64(field string, v *uint64) {
	b := c.next(field, 8, "le64")
	switch c.mode {
	case decoding:
		*v = binary.LittleEndian.Uint64(b)
	case encoding:
		binary.LittleEndian.PutUint64(b, *v)
	}
}

func (c *coder) uuid(field string, v *UUID) {
	b := c.next(field, uuidLen, "bytes")
	switch c.mode {
	case decoding:
		copy(v[:], b)
	case encoding:
		copy(b, v[:])
	}
}

// text is a string with terminator, zero padded. Its content is checked by the caller.
func (c *coder) text(field string, size int, v *string) {
	b := c.next(field, size, "text")
	switch c.mode {
	case decoding:
		end := bytes.IndexByte(b, 0)
		if end < 0 {
			c.fail(ErrInvalid, field, uint64(size), "not terminated")
			return
		}
		if at := firstNonZero(b[end:]); at >= 0 {
			c.fail(ErrInvalid, field, uint64(end+at), "bytes after the terminator")
			return
		}
		*v = string(b[:end])
	case encoding:
		if len(*v) >= size || bytes.IndexByte([]byte(*v), 0) >= 0 {
			c.fail(ErrInvalid, field, uint64(len(*v)), "too long or holds a zero byte")
			return
		}
		copy(b, *v)
	}
}

func (c *coder) reserved(field string, size int) {
	b := c.next(field, size, "reserved")
	if at := firstNonZero(b); c.mode == decoding && at >= 0 {
		c.fail(ErrInvalid, field, uint64(b[at]), "reserved, must be zero")
	}
}

func firstNonZero(b []byte) int {
	for i, v := range b {
		if v != 0 {
			return i
		}
	}
	return -1
}
