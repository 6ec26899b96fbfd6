// SPDX-License-Identifier: Apache-2.0

// Package diff compares the pure C core (kmod/rmr/core) with the Go packages that state the same rules:
// random operations go to both, and every answer and state must agree.
//
// This file owns the driver process that the C core runs in, and the seeds. DRIVER.md has the protocol.
package diff

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var (
	opsFlag    = flag.Int("ops", 30000, "operations that each comparison does")
	seedFlag   = flag.Uint64("seed", 1, "seed of the first episode; 0: by the clock")
	driverFlag = flag.String("driver", "", "driver program; empty: build it")
)

const (
	repo      = "../../.."
	batchSize = 512
	refusal   = "a refusal" // as the wanted answer: any negative errno
)

// question is one line for the driver and the answer that the Go package gives.
type question struct {
	line, want string
}

// core is a running driver. Questions are collected and asked in batches.
type core struct {
	t         *testing.T
	in        io.WriteCloser
	out       *bufio.Reader
	batch     []question
	episode   []string // lines since the last begin
	seed      uint64   // of this episode
	questions int      // operations done
}

// startCore runs the driver until the test ends.
func startCore(t *testing.T) *core {
	t.Helper()
	path := *driverFlag
	if path == "" {
		if out, err := exec.CommandContext(t.Context(), "make", "-C", repo, "out/core/driver").CombinedOutput(); err != nil {
			t.Fatalf("build driver: %v\n%s", err, out)
		}
		path = repo + "/out/core/driver"
	}
	var messages bytes.Buffer
	cmd := exec.Command(path)
	cmd.Stderr = &messages
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start driver: %v", err)
	}
	c := &core{t: t, in: in, out: bufio.NewReaderSize(out, 1<<20)}
	t.Cleanup(func() {
		in.Close()
		// Only the end of a good run must be a good end; otherwise the driver may be cut off.
		rest, _ := io.ReadAll(c.out)
		err := cmd.Wait()
		if err != nil || messages.Len() > 0 {
			t.Errorf("driver ended with %v\n%s%s", err, messages.String(), rest)
		}
	})
	return c
}

// want asks the C core one operation, to which the Go package gave an answer.
func (c *core) want(answer any, operation string, args ...any) {
	c.t.Helper()
	line := operation
	for _, a := range args {
		line += fmt.Sprintf(" %v", a)
	}
	c.batch = append(c.batch, question{line, fmt.Sprint(answer)})
	c.questions++
	if len(c.batch) >= batchSize {
		c.settle()
	}
}

// settle asks what was collected and compares.
func (c *core) settle() {
	c.t.Helper()
	var text strings.Builder
	for _, q := range c.batch {
		fmt.Fprintln(&text, q.line)
	}
	fmt.Fprintln(&text)
	sent := make(chan error, 1)
	go func() {
		_, err := io.WriteString(c.in, text.String())
		sent <- err
	}()
	var answers []string
	for range c.batch {
		answer, err := c.out.ReadString('\n')
		if err != nil {
			break
		}
		answers = append(answers, strings.TrimSuffix(answer, "\n"))
	}
	err := <-sent
	for i, q := range c.batch {
		c.episode = append(c.episode, q.line)
		if i >= len(answers) {
			c.disagree(q, fmt.Sprintf("nothing: the driver ended, %v", err))
		}
		if answers[i] != q.want && !(q.want == refusal && strings.HasPrefix(answers[i], "-")) {
			c.disagree(q, answers[i])
		}
	}
	c.batch = c.batch[:0]
}

func (c *core) disagree(q question, got string) {
	c.t.Helper()
	file := filepath.Join(repo, "out/core", c.t.Name()+".ops")
	if err := os.WriteFile(file, []byte(strings.Join(c.episode, "\n")+"\n"), 0o644); err != nil {
		c.t.Log(err)
	}
	tail := c.episode[max(0, len(c.episode)-8):]
	c.t.Fatalf("operation %d of the episode: %s\nGo answers %s\n C answers %s\nlast operations:\n  %s\nall of them are in %s; again: go test ./tests/core/diff/ -run '^%s$' -ops 1 -seed %d",
		len(c.episode), q.line, q.want, got, strings.Join(tail, "\n  "), file, c.t.Name(), c.seed)
}

// episodes runs play with fresh objects, each time with the next seed, until enough operations were done.
func (c *core) episodes(play func(c *core, r *rand.Rand)) {
	c.t.Helper()
	c.seed = *seedFlag
	if c.seed == 0 {
		c.seed = uint64(time.Now().UnixNano())
	}
	first := c.seed
	for ; c.questions < *opsFlag; c.seed++ {
		c.episode = nil
		play(c, rand.New(rand.NewPCG(c.seed, 1)))
		c.settle()
	}
	c.t.Logf("%d operations in %d episodes agree, seeds from %d", c.questions, c.seed-first, first)
}

// numbers prints a list as the driver does.
func numbers[T any](head string, list []T) string {
	var b strings.Builder
	b.WriteString(head + ":")
	for _, v := range list {
		fmt.Fprintf(&b, " %v", v)
	}
	return b.String()
}

func oneIf(b bool) int {
	if b {
		return 1
	}
	return 0
}
