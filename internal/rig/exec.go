// SPDX-License-Identifier: Apache-2.0

package rig

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/rmr-block/rmr/internal/rig/agent"
)

// Command is a program to run in a node; see agent.Exec.
type Command = agent.Exec

// Stdio connects a command; see agent.Stdio.
type Stdio = agent.Stdio

// Result is what a finished command left.
type Result struct {
	Code           int // exit code, 128 + signal number if a signal ended it
	Stdout, Stderr string
}

// ExitError is the error of a command that ended with a code other than 0.
type ExitError struct {
	Node string
	Argv []string
	Result
}

func (e *ExitError) Error() string {
	return fmt.Sprintf("%s: %q ended with code %d\nstdout: %s\nstderr: %s", e.Node, strings.Join(e.Argv, " "), e.Code,
		clip(e.Stdout), clip(e.Stderr))
}

// clip keeps the end of long output.
func clip(s string) string {
	const limit = 4000
	s = strings.TrimSpace(s)
	if len(s) > limit {
		s = "... " + s[len(s)-limit:]
	}
	return s
}

// Exec runs a command with streamed input and output and returns its exit code. When ctx ends the
// command is killed, with everything in its process group. An error wrapping agent.ErrGone means
// that the node ended meanwhile.
func (n *Node) Exec(ctx context.Context, c Command, stdio Stdio) (int, error) {
	client, err := n.client()
	if err != nil {
		return 0, err
	}
	code, err := client.Exec(ctx, c, stdio)
	if err != nil {
		return 0, fmt.Errorf("%s: run %q: %w", n.name, strings.Join(c.Argv, " "), err)
	}
	return code, nil
}

// Run runs a command and collects its output. An exit code other than 0 is an *ExitError; the
// Result is there then too.
func (n *Node) Run(ctx context.Context, argv ...string) (Result, error) {
	var out, errs bytes.Buffer
	code, err := n.Exec(ctx, Command{Argv: argv}, Stdio{Out: &out, Err: &errs})
	r := Result{Code: code, Stdout: out.String(), Stderr: errs.String()}
	if err == nil && code != 0 {
		err = &ExitError{Node: n.name, Argv: argv, Result: r}
	}
	return r, err
}

// Sh runs a bash script (with -e: it ends at the first failing command) and returns its standard
// output without the last newline. Errors are those of Run.
func (n *Node) Sh(ctx context.Context, script string) (string, error) {
	r, err := n.Run(ctx, "bash", "-ec", script)
	return strings.TrimSuffix(r.Stdout, "\n"), err
}

// AddRxe adds the soft-RoCE device rxe0 on the rig network.
func (n *Node) AddRxe(ctx context.Context) error {
	_, err := n.Sh(ctx, "modprobe rdma_rxe; rdma link add rxe0 type rxe netdev vec0")
	return err
}
