// SPDX-License-Identifier: Apache-2.0

// Command formats writes the page of the disk and wire formats. Offsets, sizes and kinds come from the field
// lists that pkg/pool encodes and decodes with; meanings and numbers from the comments of the C headers, which
// a test of pkg/pool holds against the same lists.
//
//	formats HEADERS PAGE          writes the page
//	formats -check HEADERS PAGE   fails if the page is not what it would write
//
// HEADERS is the directory of ondisk.h and wire.h, PAGE docs/formats.md.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
)

func main() {
	check := flag.Bool("check", false, "change nothing, fail if the page is stale")
	flag.Parse()
	if flag.NArg() != 2 {
		fmt.Fprintln(os.Stderr, "usage: formats [-check] HEADERS PAGE")
		os.Exit(2)
	}
	if err := run(flag.Arg(0), flag.Arg(1), *check); err != nil {
		fmt.Fprintln(os.Stderr, "formats:", err)
		os.Exit(1)
	}
}

func run(headers, page string, check bool) error {
	next, err := render(headers)
	if err != nil {
		return err
	}
	old, err := os.ReadFile(page)
	switch {
	case err != nil && !errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("read page: %w", err)
	case bytes.Equal(old, next):
		return nil
	case check:
		return fmt.Errorf("%s is not up to date: make formats", page)
	}
	return os.WriteFile(page, next, 0o644)
}
