// SPDX-License-Identifier: Apache-2.0

// Package rmrnl speaks the generic netlink family rmr, the control interface of the kernel
// modules: commands, dumps and notifications. Numbers, tables and decoders are generated from
// docs/netlink/rmr.yaml.
//
// A Client may be used by several goroutines; it holds one socket. Errors of the kernel come as
// *KernelError with the kernel's own text; ErrNoFamily says that the module is not loaded.
package rmrnl

//go:generate go run ./gen ../../docs/netlink/rmr.yaml spec_gen.go

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/rmr-block/rmr/pkg/pool"
)

// Attr describes one attribute: its name and type in the specification and its limits in bytes
// or, for Max, in value. A limit of 0 is none.
type Attr struct {
	Name     string
	Type     string
	Multi    bool
	MinLen   int
	MaxLen   int
	ExactLen int
	Max      uint64
}

// AttrSet describes the attributes of one object, by attribute number.
type AttrSet map[uint16]Attr

// Op describes a command: its object's attributes, those that a request may carry, and whether
// a success is answered with attributes.
type Op struct {
	Name    string
	Set     AttrSet
	Reply   bool
	Request []uint16
}

// Mask is a set of small numbers, such as member ids, as bits.
type Mask uint8

// List returns the numbers in the set, ascending; never nil.
func (m Mask) List() []int {
	list := []int{}
	for i := range 8 {
		if m&(1<<i) != 0 {
			list = append(list, i)
		}
	}
	return list
}

// Has tells whether i is in the set.
func (m Mask) Has(i uint8) bool { return i < 8 && m&(1<<i) != 0 }

// String lists the numbers with commas, "-" for none.
func (m Mask) String() string {
	if m == 0 {
		return "-"
	}
	parts := make([]string, 0, 8)
	for _, i := range m.List() {
		parts = append(parts, strconv.Itoa(i))
	}
	return strings.Join(parts, ",")
}

// MarshalJSON gives an array of numbers.
func (m Mask) MarshalJSON() ([]byte, error) { return json.Marshal(m.List()) }

// UnmarshalJSON takes an array of numbers 0 to 7.
func (m *Mask) UnmarshalJSON(b []byte) error {
	var list []int
	if err := json.Unmarshal(b, &list); err != nil {
		return err
	}
	var set Mask
	for _, i := range list {
		if i < 0 || i > 7 {
			return fmt.Errorf("number %d is not 0 to 7", i)
		}
		set |= 1 << i
	}
	*m = set
	return nil
}

func enumName(names []string, v uint8) string {
	if int(v) < len(names) {
		return names[v]
	}
	// A newer kernel may know more values than this program.
	return fmt.Sprintf("unknown-%d", v)
}

func enumValue(what string, names []string, b []byte) (uint8, error) {
	i := slices.Index(names, string(b))
	if i < 0 {
		return 0, fmt.Errorf("%s %q is none of %s", what, b, strings.Join(names, ", "))
	}
	return uint8(i), nil
}

// copyUUID returns a decoder of a 16 byte attribute.
func copyUUID(to *pool.UUID) func(b []byte) error {
	return func(b []byte) error {
		if len(b) != len(to) {
			return fmt.Errorf("uuid of %d bytes, not %d", len(b), len(to))
		}
		copy(to[:], b)
		return nil
	}
}
