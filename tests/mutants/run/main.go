// SPDX-License-Identifier: Apache-2.0

// Command run breaks the kernel modules, one rule at a time, and demands that a named test notices.
//
//	go run ./tests/mutants/run [-only NAME,NAME] [-core]
//
// Each line of tests/mutants/mutants.txt names a patch, the rule it breaks, the test that must fail and the
// command that runs it. The patch is applied in a copy of the checkout (out/mutants/tree). Without a patch the
// command must succeed; with it, it must fail, and its output must say that this very test did: a build that
// breaks or another test that fails is no kill. A patch that does not apply is an error.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

const (
	table   = "tests/mutants/mutants.txt"
	scratch = "out/mutants"
	// commandLimit is far above what a scenario takes; a killer that hangs has not noticed anything.
	commandLimit = 15 * time.Minute
)

// mutant is a line of the table.
type mutant struct {
	patch, rule, killer, command string
}

func main() {
	only := flag.String("only", "", "names of the mutants to run, separated by commas; all if empty")
	core := flag.Bool("core", false, "only mutants whose killer needs no rig")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, *only, *core)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, only string, core bool) error {
	mutants, err := readTable(table)
	if err != nil {
		return err
	}
	if mutants, err = choose(mutants, only, core); err != nil {
		return err
	}
	tree, err := makeTree(ctx)
	if err != nil {
		return err
	}
	clean, survivors := map[string]error{}, 0
	for _, m := range mutants {
		if _, known := clean[m.command]; !known {
			output, err := shell(ctx, tree, m.command)
			clean[m.command] = err
			if err := os.WriteFile(filepath.Join(scratch, m.patch+".clean.log"), output, 0o644); err != nil {
				return fmt.Errorf("keep output: %w", err)
			}
		}
		verdict, begin := "", time.Now()
		if clean[m.command] != nil {
			verdict = "NO VERDICT: fails without the mutant: see " + scratch + "/" + m.patch + ".clean.log"
		} else if verdict, err = m.try(ctx, tree); err != nil {
			return fmt.Errorf("mutant %s: %w", m.patch, err)
		}
		fmt.Printf("%-26s %-12s %-62s %4.0f s  %s\n", m.patch, m.rule, m.killer, time.Since(begin).Seconds(), verdict)
		if verdict != "killed" {
			survivors++
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	fmt.Printf("%d mutants, %d survived\n", len(mutants), survivors)
	if survivors > 0 {
		return fmt.Errorf("%d mutants survived", survivors)
	}
	return nil
}

// readTable reads the table; every line has four fields.
func readTable(path string) ([]mutant, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read table: %w", err)
	}
	var mutants []mutant
	for i, line := range strings.Split(string(text), "\n") {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		f := strings.Split(line, "|")
		if len(f) != 4 {
			return nil, fmt.Errorf("%s:%d: %d fields, want patch | rule | killer | command", path, i+1, len(f))
		}
		for j := range f {
			f[j] = strings.TrimSpace(f[j])
		}
		m := mutant{patch: f[0], rule: f[1], killer: f[2], command: f[3]}
		if _, err := m.sign(); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, i+1, err)
		}
		mutants = append(mutants, m)
	}
	return mutants, nil
}

func choose(mutants []mutant, only string, core bool) ([]mutant, error) {
	if core {
		mutants = slices.DeleteFunc(mutants, func(m mutant) bool { return strings.Contains(m.command, "tests/scenario") })
	}
	if only == "" {
		return mutants, nil
	}
	var chosen []mutant
	for _, name := range strings.Split(only, ",") {
		i := slices.IndexFunc(mutants, func(m mutant) bool { return m.patch == name })
		if i < 0 {
			return nil, fmt.Errorf("no mutant %q in %s", name, table)
		}
		chosen = append(chosen, mutants[i])
	}
	return chosen, nil
}

// sign is what the output of a command shows when the killer has failed.
func (m mutant) sign() (*regexp.Regexp, error) {
	kind, name, _ := strings.Cut(m.killer, ":")
	name = regexp.QuoteMeta(strings.ReplaceAll(name, " ", "_"))
	switch {
	case name == "":
	case kind == "kunit":
		return regexp.Compile(`(?m)^not ok \S+\.` + name + `$`)
	case kind == "go":
		return regexp.Compile(`(?m)^\s*--- FAIL: ` + name + ` `)
	}
	return nil, fmt.Errorf("killer %q: want kunit:NAME or go:NAME", m.killer)
}

// try runs the killer with the patch applied and takes the patch back.
func (m mutant) try(ctx context.Context, tree string) (verdict string, err error) {
	sign, err := m.sign()
	if err != nil {
		return "", err
	}
	patch, err := filepath.Abs("tests/mutants/" + m.patch + ".patch")
	if err != nil {
		return "", err
	}
	if err := git(ctx, tree, "apply", patch); err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, git(context.WithoutCancel(ctx), tree, "apply", "--reverse", patch)) }()
	output, failed := shell(ctx, tree, m.command)
	if err := os.WriteFile(filepath.Join(scratch, m.patch+".log"), output, 0o644); err != nil {
		return "", err
	}
	switch {
	case failed == nil:
		return "SURVIVED", nil
	case !sign.Match(output):
		return "NOT BY THIS TEST: see " + scratch + "/" + m.patch + ".log", nil
	}
	return "killed", nil
}

// git works on the tree as on any directory: it must not find the repository around it.
func git(ctx context.Context, tree string, args ...string) error {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir, cmd.Env = tree, append(os.Environ(), "GIT_CEILING_DIRECTORIES="+filepath.Dir(tree))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("git %s: %w: %s", strings.Join(args, " "), err, bytes.TrimSpace(out))
	}
	return nil
}

// shell runs a command of the table.
func shell(ctx context.Context, tree, command string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, commandLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", command)
	cmd.Dir, cmd.WaitDelay = tree, time.Minute
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	return cmd.CombinedOutput()
}

// makeTree copies what the repository tracks, or would, as it is now, with the time of now: what was built of a mutant is old.
func makeTree(ctx context.Context) (string, error) {
	list, err := exec.CommandContext(ctx, "git", "ls-files", "--cached", "--others", "--exclude-standard", "-z").Output()
	if err != nil {
		return "", fmt.Errorf("list files: %w", err)
	}
	tree, err := filepath.Abs(filepath.Join(scratch, "tree"))
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(tree, 0o755); err != nil {
		return "", fmt.Errorf("make tree: %w", err)
	}
	tar := exec.CommandContext(ctx, "sh", "-c", `tar -c --null --ignore-failed-read -T - | tar -x -m --unlink-first -C "$0"`, tree)
	tar.Stdin = bytes.NewReader(list)
	if out, err := tar.CombinedOutput(); err != nil {
		return "", fmt.Errorf("copy files: %w: %s", err, bytes.TrimSpace(out))
	}
	return tree, nil
}
