// SPDX-License-Identifier: Apache-2.0

// Command rmr-storaged is the storage node's daemon.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/rmr-block/rmr/internal/storaged"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The second signal ends the process at once.
	context.AfterFunc(ctx, stop)
	os.Exit(storaged.Main(ctx, os.Stdout, os.Stderr, storaged.Host, os.Args[1:]))
}
