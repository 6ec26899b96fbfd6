// SPDX-License-Identifier: Apache-2.0

// Command rmr-rig builds and drives the soft-RoCE rig: clusters of User-Mode Linux nodes that run the
// real RDMA stack and the project's modules on any Linux host.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/rmr-block/rmr/internal/rig/rigcli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := rigcli.New().ExecuteContext(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "rmr-rig:", err)
	}
	os.Exit(rigcli.ExitCode(err))
}
