// SPDX-License-Identifier: Apache-2.0

// Objects to attributes. The generated structs have their fields in the order of the attribute
// set, without its padding, so that a walk over both needs no table.

package rmrnltest

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/mdlayher/netlink"

	"github.com/rmr-block/rmr/internal/rmrnl"
)

func encode(v any) ([]byte, error) {
	sets := map[string]rmrnl.AttrSet{
		"Pool": rmrnl.SetPool, "Member": rmrnl.SetMember, "Device": rmrnl.SetDevice, "Leg": rmrnl.SetLeg, "Difference": rmrnl.SetDifference,
		"Latency": rmrnl.SetLatency,
	}
	rv := reflect.Indirect(reflect.ValueOf(v))
	set := sets[rv.Type().Name()]
	if len(set) != rv.NumField() {
		return nil, fmt.Errorf("%s has %d fields, its attribute set %d", rv.Type(), rv.NumField(), len(set))
	}
	ae := netlink.NewAttributeEncoder()
	for i, id := range slices.Sorted(maps.Keys(set)) {
		f := rv.Field(i)
		if set[id].Multi {
			for j := range f.Len() {
				if err := encodeField(ae, id, set[id], f.Index(j)); err != nil {
					return nil, err
				}
			}
			continue
		}
		if err := encodeField(ae, id, set[id], f); err != nil {
			return nil, err
		}
	}
	return ae.Encode()
}

func encodeField(ae *netlink.AttributeEncoder, id uint16, a rmrnl.Attr, f reflect.Value) error {
	switch a.Type {
	case "string":
		ae.String(id, f.String())
	case "flag":
		ae.Flag(id, f.Bool())
	case "u8":
		ae.Uint8(id, uint8(f.Uint()))
	case "u16":
		ae.Uint16(id, uint16(f.Uint()))
	case "u32":
		ae.Uint32(id, uint32(f.Uint()))
	case "u64":
		ae.Uint64(id, f.Uint())
	case "binary":
		b := make([]byte, f.Len())
		reflect.Copy(reflect.ValueOf(b), f)
		ae.Bytes(id, b)
	case "nest":
		nested, err := encode(f.Interface())
		if err != nil {
			return err
		}
		ae.Bytes(id|netlink.Nested, nested)
	default:
		return fmt.Errorf("attribute %s: type %s", a.Name, a.Type)
	}
	return nil
}
