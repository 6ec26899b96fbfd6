// SPDX-License-Identifier: Apache-2.0

// The formats page may not drift from the codec.

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rmr-block/rmr/pkg/pool"
)

const (
	headers = "../../kmod/include/rmr"
	page    = "../../docs/formats.md"
)

func TestFormatsPageIsCurrent(t *testing.T) {
	if err := run(headers, page, true); err != nil {
		t.Fatal(err)
	}
}

// A page with one other offset is refused by the check and put right by the generator.
func TestStalePageIsNoticed(t *testing.T) {
	b, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	stale := filepath.Join(t.TempDir(), "formats.md")
	if err := os.WriteFile(stale, bytes.Replace(b, []byte("| 8 |"), []byte("| 9 |"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	if run(headers, stale, true) == nil {
		t.Error("a stale page passes the check")
	}
	if err := run(headers, stale, false); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(stale); !bytes.Equal(got, b) {
		t.Error("the page was not written anew")
	}
}

// Every structure is on the page, and its rows cover all its bytes in order.
func TestPageCoversEveryByte(t *testing.T) {
	text, err := render(headers)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range pool.Formats() {
		_, part, found := strings.Cut(string(text), "\n### "+s.Name+", "+strconv.Itoa(s.Size)+" bytes\n")
		if !found {
			t.Errorf("%s is not on the page", s.Name)
			continue
		}
		part, _, _ = strings.Cut(part, "\n#")
		end := 0
		for line := range strings.Lines(part) {
			cells := strings.Split(line, "|")
			if len(cells) < 5 {
				continue
			}
			off, err := strconv.Atoi(strings.TrimSpace(cells[1]))
			if err != nil {
				continue // head of the table
			}
			size, err := strconv.Atoi(strings.TrimSpace(cells[2]))
			if err != nil || off != end {
				t.Errorf("%s: row %q starts at %d, previous one ends at %d", s.Name, strings.TrimSpace(line), off, end)
			}
			end = off + size
		}
		if end != s.Size {
			t.Errorf("%s: rows end at %d of %d", s.Name, end, s.Size)
		}
	}
}
