// SPDX-License-Identifier: Apache-2.0

// Command rmrctl controls the rmr kernel modules; under the name brmr it is the client host's
// tool.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"

	"github.com/rmr-block/rmr/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The second signal ends the process at once.
	context.AfterFunc(ctx, stop)
	env := cli.Host(os.Stdout, os.Stderr, term.IsTerminal(int(os.Stderr.Fd())) && term.IsTerminal(int(os.Stdout.Fd())))
	os.Exit(cli.Run(ctx, env, os.Args))
}
