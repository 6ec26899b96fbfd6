// SPDX-License-Identifier: Apache-2.0

// The part of a generic netlink specification that the generator needs, read from YAML.
// Keys the generator does not use are ignored: the kernel's own generators check them.

package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

type spec struct {
	Name        string       `yaml:"name"`
	Definitions []definition `yaml:"definitions"`
	Sets        []attrSet    `yaml:"attribute-sets"`
	Operations  struct {
		List []operation `yaml:"list"`
	} `yaml:"operations"`
	Groups struct {
		List []named `yaml:"list"`
	} `yaml:"mcast-groups"`
}

type named struct {
	Name string `yaml:"name"`
	Doc  string `yaml:"doc"`
}

// An entry of a list that is either a plain string or a mapping with name and doc.
type entry named

func (e *entry) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		e.Name = n.Value
		return nil
	}
	return n.Decode((*named)(e))
}

type definition struct {
	named   `yaml:",inline"`
	Type    string  `yaml:"type"`
	Value   uint64  `yaml:"value"`
	Entries []entry `yaml:"entries"`
}

type attrSet struct {
	named `yaml:",inline"`
	Attrs []attr `yaml:"attributes"`
}

type attr struct {
	named  `yaml:",inline"`
	Type   string `yaml:"type"`
	Multi  bool   `yaml:"multi-attr"`
	Enum   string `yaml:"enum"`
	Nested string `yaml:"nested-attributes"`
	Checks struct {
		MinLen   string `yaml:"min-len"`
		MaxLen   string `yaml:"max-len"`
		ExactLen string `yaml:"exact-len"`
		Max      string `yaml:"max"`
	} `yaml:"checks"`
}

type operation struct {
	named  `yaml:",inline"`
	Set    string `yaml:"attribute-set"`
	Notify string `yaml:"notify"`
	Do     struct {
		Request struct {
			Attrs []string `yaml:"attributes"`
		} `yaml:"request"`
		Reply *struct{} `yaml:"reply"`
	} `yaml:"do"`
}

func readSpec(path string) (*spec, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	s := &spec{}
	if err := yaml.Unmarshal(raw, s); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if s.Name == "" || len(s.Sets) == 0 || len(s.Operations.List) == 0 {
		return nil, fmt.Errorf("read %s: no family, attribute set or operation in it", path)
	}
	return s, nil
}

// number resolves a check's value: a number or the name of a constant.
func (s *spec) number(v string) (uint64, error) {
	if v == "" {
		return 0, nil
	}
	for _, d := range s.Definitions {
		if d.Type == "const" && d.Name == v {
			return d.Value, nil
		}
	}
	n, err := strconv.ParseUint(v, 0, 64)
	if err != nil {
		return 0, fmt.Errorf("check value %q: neither a number nor a constant", v)
	}
	return n, nil
}

// goName makes an exported Go name of a name of the specification.
func goName(name string) string {
	var b strings.Builder
	for _, part := range strings.Split(name, "-") {
		switch part {
		case "uuid", "id", "io", "ns":
			b.WriteString(strings.ToUpper(part))
		default:
			b.WriteString(strings.ToUpper(part[:1]) + part[1:])
		}
	}
	return b.String()
}
