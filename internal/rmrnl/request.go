// SPDX-License-Identifier: Apache-2.0

// Requests: what a command sends, built field by field, checked against the specification's
// limits before it is sent, and printable for a dry run.

package rmrnl

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mdlayher/netlink"
	"github.com/rmr-block/rmr/pkg/pool"
)

// Field is one attribute of a request. Value is a string, bool, pool.UUID or unsigned integer of
// the attribute's size.
type Field struct {
	Attr  uint16
	Value any
}

// Request is a command with its attributes in the order they are sent.
type Request struct {
	Cmd    uint8
	Fields []Field
}

// Add appends an attribute; a false flag is no attribute.
func (r *Request) Add(attr uint16, value any) *Request {
	if flag, ok := value.(bool); ok && !flag {
		return r
	}
	r.Fields = append(r.Fields, Field{attr, value})
	return r
}

// AddString appends s unless it is empty.
func (r *Request) AddString(attr uint16, s string) *Request {
	if s == "" {
		return r
	}
	return r.Add(attr, s)
}

// AddStrings appends one attribute for each string.
func (r *Request) AddStrings(attr uint16, list []string) *Request {
	for _, s := range list {
		r.Add(attr, s)
	}
	return r
}

// AddUUID appends id unless it is nil.
func (r *Request) AddUUID(attr uint16, id *pool.UUID) *Request {
	if id == nil {
		return r
	}
	return r.Add(attr, *id)
}

// String prints the request as one line: the command, then name=value pairs; flags bare.
func (r *Request) String() string {
	op := Ops[r.Cmd]
	var b strings.Builder
	b.WriteString(op.Name)
	for _, f := range r.Fields {
		name := op.Set[f.Attr].Name
		if _, flag := f.Value.(bool); flag {
			fmt.Fprintf(&b, " %s", name)
			continue
		}
		fmt.Fprintf(&b, " %s=%v", name, f.Value)
	}
	return b.String()
}

// FieldError says which attribute of a request breaks which limit of the specification.
type FieldError struct {
	Field string
	Why   string
}

func (e *FieldError) Error() string { return e.Field + " " + e.Why }

// Check compares the request with the specification. The error is a *FieldError.
func (r *Request) Check() error {
	op, ok := Ops[r.Cmd]
	if !ok {
		return &FieldError{"command", fmt.Sprintf("%d is unknown", r.Cmd)}
	}
	for _, f := range r.Fields {
		a := op.Set[f.Attr]
		if !slices.Contains(op.Request, f.Attr) {
			return &FieldError{a.Name, "is no part of " + op.Name}
		}
		if why := a.check(f.Value); why != "" {
			return &FieldError{a.Name, why}
		}
	}
	return nil
}

func (a Attr) check(value any) string {
	types := map[string]string{
		"string": "string", "flag": "bool", "binary": "pool.UUID",
		"u8": "uint8", "u16": "uint16", "u32": "uint32", "u64": "uint64",
	}
	if got := fmt.Sprintf("%T", value); got != types[a.Type] {
		return fmt.Sprintf("has Go type %s, not %s", got, types[a.Type])
	}
	switch v := value.(type) {
	case string:
		switch {
		case len(v) < a.MinLen:
			return "is empty"
		case a.MaxLen > 0 && len(v) > a.MaxLen:
			return fmt.Sprintf("has %d bytes, at most %d are allowed", len(v), a.MaxLen)
		case strings.ContainsRune(v, 0):
			return "has a zero byte"
		}
	case uint8:
		if a.Max > 0 && uint64(v) > a.Max {
			return fmt.Sprintf("is %d, at most %d is allowed", v, a.Max)
		}
	}
	return ""
}

func (r *Request) marshal() ([]byte, error) {
	if err := r.Check(); err != nil {
		return nil, err
	}
	ae := netlink.NewAttributeEncoder()
	for _, f := range r.Fields {
		switch v := f.Value.(type) {
		case string:
			ae.String(f.Attr, v)
		case bool:
			ae.Flag(f.Attr, v)
		case pool.UUID:
			ae.Bytes(f.Attr, v[:])
		case uint8:
			ae.Uint8(f.Attr, v)
		case uint16:
			ae.Uint16(f.Attr, v)
		case uint32:
			ae.Uint32(f.Attr, v)
		case uint64:
			ae.Uint64(f.Attr, v)
		}
	}
	return ae.Encode()
}
