// SPDX-License-Identifier: Apache-2.0

// Command statetables writes the state tables of the C core into the protocol page, between its markers.
//
//	statetables DRIVER PAGE          writes them
//	statetables -check DRIVER PAGE   fails if they are not what the page says
//
// DRIVER is the core's driver program (make out/core/driver), PAGE docs/protocol.md.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

const (
	begin = "<!-- state tables: generated -->\n"
	end   = "<!-- end -->\n"
)

func main() {
	check := flag.Bool("check", false, "change nothing, fail if the page is stale")
	flag.Parse()
	if flag.NArg() != 2 {
		fmt.Fprintln(os.Stderr, "usage: statetables [-check] DRIVER PAGE")
		os.Exit(2)
	}
	if err := run(flag.Arg(0), flag.Arg(1), *check); err != nil {
		fmt.Fprintln(os.Stderr, "statetables:", err)
		os.Exit(1)
	}
}

func run(driver, page string, check bool) error {
	table, err := legTable(driver)
	if err != nil {
		return err
	}
	old, err := os.ReadFile(page)
	if err != nil {
		return fmt.Errorf("read page: %w", err)
	}
	head, rest, ok := bytes.Cut(old, []byte(begin))
	_, tail, ok2 := bytes.Cut(rest, []byte(end))
	if !ok || !ok2 {
		return fmt.Errorf("%s has no markers for the state tables", page)
	}
	next := slices.Concat(head, []byte(begin), []byte(table), []byte(end), tail)
	switch {
	case bytes.Equal(old, next):
		return nil
	case check:
		return fmt.Errorf("state tables of %s are not up to date: make state-tables", page)
	}
	return os.WriteFile(page, next, 0o644)
}

// legTable asks the driver for every legal transition, STATE:EVENT:NEXT, and lays them out.
func legTable(driver string) (string, error) {
	cmd := exec.Command(driver)
	cmd.Stdin = strings.NewReader("leg_table\n\n")
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("ask %s: %w", driver, err)
	}
	var states, events []string
	next := map[string]string{}
	for _, word := range strings.Fields(string(out)) {
		part := strings.Split(word, ":")
		if len(part) != 3 {
			return "", fmt.Errorf("driver says %q", word)
		}
		if !slices.Contains(states, part[0]) {
			states = append(states, part[0])
		}
		if !slices.Contains(events, part[1]) {
			events = append(events, part[1])
		}
		next[part[0]+" "+part[1]] = part[2]
	}
	if len(next) == 0 {
		return "", fmt.Errorf("driver told no transition")
	}
	var b strings.Builder
	b.WriteString("\nStates of a leg, as the client sees it (`kmod/rmr/core/leg.c`). An empty field is an illegal event.\n\n")
	fmt.Fprintf(&b, "| state | %s |\n|---|%s\n", strings.Join(events, " | "), strings.Repeat("---|", len(events)))
	for _, s := range states {
		fmt.Fprintf(&b, "| %s |", s)
		for _, e := range events {
			fmt.Fprintf(&b, " %s |", next[s+" "+e])
		}
		b.WriteString("\n")
	}
	b.WriteString("\n")
	return b.String(), nil
}
