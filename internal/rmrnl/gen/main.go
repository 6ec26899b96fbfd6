// SPDX-License-Identifier: Apache-2.0

// Command gen writes the Go side of the control interface from docs/netlink/rmr.yaml: numbers,
// enumerations, attribute tables and decoders. `go generate ./internal/rmrnl` runs it; a test of
// that package fails when its output is not what is checked in.
package main

import (
	"bytes"
	"fmt"
	"go/format"
	"os"
	"strings"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: gen SPEC.yaml OUT.go|-")
		os.Exit(2)
	}
	src, err := generate(os.Args[1])
	if err == nil && os.Args[2] == "-" {
		_, err = os.Stdout.Write(src)
	} else if err == nil {
		err = os.WriteFile(os.Args[2], src, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

// generate returns the formatted Go source for the specification at path.
func generate(path string) ([]byte, error) {
	s, err := readSpec(path)
	if err != nil {
		return nil, err
	}
	w := &writer{spec: s}
	w.header()
	w.consts()
	for _, d := range s.Definitions {
		if d.Type == "enum" {
			w.enum(d)
		}
	}
	w.operations()
	for _, set := range s.Sets {
		w.set(set)
	}
	if w.err != nil {
		return nil, w.err
	}
	return format.Source(w.Bytes())
}

// writer collects source text; err keeps the first failure.
type writer struct {
	bytes.Buffer
	spec *spec
	err  error
}

func (w *writer) p(f string, args ...any) { fmt.Fprintf(w, f+"\n", args...) }

func (w *writer) num(v string) uint64 {
	n, err := w.spec.number(v)
	if err != nil && w.err == nil {
		w.err = err
	}
	return n
}

func (w *writer) header() {
	w.p("// SPDX-License-Identifier: Apache-2.0")
	w.p("// Code generated from docs/netlink/rmr.yaml by internal/rmrnl/gen. DO NOT EDIT.\n")
	w.p("package rmrnl\n")
	w.p("import (\n\t\"github.com/mdlayher/netlink\"\n\n\t\"github.com/rmr-block/rmr/pkg/pool\"\n)\n")
}

func (w *writer) consts() {
	w.p("// Names and limits of the family.\nconst (")
	w.p("// FamilyName is the generic netlink family.\nFamilyName = %q", w.spec.Name)
	for _, g := range w.spec.Groups.List {
		w.p("// Group%s is a multicast group.\nGroup%s = %q", goName(g.Name), goName(g.Name), g.Name)
	}
	for _, d := range w.spec.Definitions {
		if d.Type == "const" {
			w.p("// %s: %s\n%s = %d", goName(d.Name), oneLine(d.Doc), goName(d.Name), d.Value)
		}
	}
	w.p(")\n")
}

func (w *writer) enum(d definition) {
	t := goName(d.Name)
	w.p("// %s: %s\ntype %s uint8\n", t, oneLine(d.Doc), t)
	w.p("// Values of %s.\nconst (", t)
	for i, e := range d.Entries {
		if e.Doc != "" {
			w.p("// %s%s: %s", t, goName(e.Name), oneLine(e.Doc))
		}
		w.p("%s%s %s = %d", t, goName(e.Name), t, i)
	}
	w.p(")\n")
	w.p("var names%s = []string{", t)
	for _, e := range d.Entries {
		w.p("%q,", e.Name)
	}
	w.p("}\n")
	w.p("// String returns the name in the specification.")
	w.p("func (v %s) String() string { return enumName(names%s, uint8(v)) }\n", t, t)
	w.p("// MarshalText gives the name in the specification.")
	w.p("func (v %s) MarshalText() ([]byte, error) { return []byte(v.String()), nil }\n", t)
	w.p("// UnmarshalText takes the name in the specification.")
	w.p("func (v *%s) UnmarshalText(b []byte) error {", t)
	w.p("n, err := enumValue(%q, names%s, b)\n*v = %s(n)\nreturn err\n}\n", d.Name, t, t)
}

func (w *writer) operations() {
	w.p("// Commands.\nconst (")
	for i, op := range w.spec.Operations.List {
		doc := op.Doc
		w.p("// Cmd%s: %s\nCmd%s uint8 = %d", goName(op.Name), oneLine(doc), goName(op.Name), i+1)
	}
	w.p(")\n")
	w.p("// Ops describes the requests of every command, by command number.\nvar Ops = map[uint8]Op{")
	for _, op := range w.spec.Operations.List {
		if op.Notify != "" {
			continue
		}
		w.p("Cmd%s: {Name: %q, Set: Set%s, Reply: %t, Request: []uint16{",
			goName(op.Name), op.Name, goName(op.Set), op.Do.Reply != nil)
		for _, a := range op.Do.Request.Attrs {
			w.p("%sAttr%s,", goName(op.Set), goName(a))
		}
		w.p("}},")
	}
	w.p("}\n")
}

func (w *writer) set(s attrSet) {
	t := goName(s.Name)
	w.p("// Attributes of %s: %s\nconst (", s.Name, oneLine(s.Doc))
	for i, a := range s.Attrs {
		w.p("%sAttr%s uint16 = %d", t, goName(a.Name), i+1)
	}
	w.p(")\n")
	w.p("// Set%s describes the attributes of %s.\nvar Set%s = AttrSet{", t, s.Name, t)
	for _, a := range s.Attrs {
		if a.Type == "pad" {
			continue
		}
		w.p("%sAttr%s: {Name: %q, Type: %q, Multi: %t, MinLen: %d, MaxLen: %d, ExactLen: %d, Max: %d},",
			t, goName(a.Name), a.Name, a.Type, a.Multi, w.num(a.Checks.MinLen), w.num(a.Checks.MaxLen),
			w.num(a.Checks.ExactLen), w.num(a.Checks.Max))
	}
	w.p("}\n")
	w.structType(t, s)
	w.decoder(t, s)
}

func (w *writer) structType(t string, s attrSet) {
	w.p("// %s: %s\ntype %s struct {", t, oneLine(s.Doc), t)
	for _, a := range s.Attrs {
		if a.Type == "pad" {
			continue
		}
		if a.Doc != "" {
			w.p("// %s", oneLine(a.Doc))
		}
		w.p("%s %s `json:%q`", goName(a.Name), w.goType(a), strings.ReplaceAll(a.Name, "-", "_"))
	}
	w.p("}\n")
}

// Attributes whose u8 is a set of bits, not a number.
var masks = map[string]bool{"up-to-date": true, "syncing": true, "damaged-copies": true, "verify-legs": true, "verify-skipped": true, "members": true}

func (w *writer) goType(a attr) string {
	t := map[string]string{
		"string": "string", "u8": "uint8", "u16": "uint16", "u32": "uint32", "u64": "uint64",
		"flag": "bool", "binary": "pool.UUID",
	}[a.Type]
	switch {
	case a.Type == "nest":
		t = goName(a.Nested)
	case a.Type == "binary" && a.Checks.ExactLen != "16", t == "":
		w.err = fmt.Errorf("attribute %s: type %q is not supported", a.Name, a.Type)
	case a.Enum != "":
		t = goName(a.Enum)
	case a.Type == "u8" && masks[a.Name]:
		t = "Mask"
	}
	if a.Multi {
		t = "[]" + t
	}
	return t
}

func (w *writer) decoder(t string, s attrSet) {
	w.p("func (v *%s) decode(ad *netlink.AttributeDecoder) error {", t)
	w.p("for ad.Next() {\nswitch ad.Type() {")
	for _, a := range s.Attrs {
		if a.Type == "pad" {
			continue
		}
		w.p("case %sAttr%s:", t, goName(a.Name))
		w.decodeField(a)
	}
	w.p("}\n}\nreturn named(ad, Set%s)\n}\n", t)
}

func (w *writer) decodeField(a attr) {
	f := "v." + goName(a.Name)
	expr := map[string]string{
		"string": "ad.String()", "u8": "ad.Uint8()", "u16": "ad.Uint16()", "u32": "ad.Uint32()",
		"u64": "ad.Uint64()", "flag": "ad.Flag()",
	}[a.Type]
	switch {
	case a.Type == "nest":
		w.p("var n %s\nad.Nested(n.decode)\n%s = append(%s, n)", goName(a.Nested), f, f)
	case a.Type == "binary":
		w.p("ad.Do(copyUUID(&%s))", f)
	case a.Multi:
		w.p("%s = append(%s, %s)", f, f, expr)
	case strings.HasPrefix(w.goType(a), "uint") || a.Type == "string" || a.Type == "flag":
		w.p("%s = %s", f, expr)
	default:
		w.p("%s = %s(%s)", f, w.goType(a), expr)
	}
}

func oneLine(doc string) string {
	doc = strings.Join(strings.Fields(doc), " ")
	if doc == "" {
		return "see the specification."
	}
	return doc
}
