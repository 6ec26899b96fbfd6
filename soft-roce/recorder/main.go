// SPDX-License-Identifier: Apache-2.0

// Command rmr-recorder is a load for rig nodes that records what it sees of a block device, for
// judgement on the host. All of it is in package recorder.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/spf13/pflag"
	"golang.org/x/sys/unix"

	"github.com/rmr-block/rmr/internal/recorder"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGINT, unix.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "rmr-recorder:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	l := recorder.Load{}
	flags := pflag.NewFlagSet("rmr-recorder", pflag.ContinueOnError)
	flags.StringVar(&l.Device, "device", "", "block device")
	flags.StringVar(&l.Log, "log", "", "file to make")
	flags.TextVar(&l.Pool, "pool", l.Pool, "UUID to stamp blocks with")
	flags.Uint32Var(&l.Writer, "writer", 1, "number of this client, another one for each log of a history")
	flags.Uint64Var(&l.First, "first", 0, "first 4 KiB block")
	flags.Uint64Var(&l.Blocks, "blocks", 64, "number of blocks")
	flags.Uint64Var(&l.Stride, "stride", 1, "from one block to the next")
	flags.IntVar(&l.Workers, "workers", 4, "operations at a time")
	flags.Uint64Var(&l.Seed, "seed", 1, "of the order of operations")
	flags.DurationVar(&l.Duration, "duration", 10*time.Second, "no operation starts after that")
	flags.IntVar(&l.Reads, "reads", 50, "percent of reads")
	flags.IntVar(&l.FUA, "fua", 0, "percent of writes with FUA")
	flags.IntVar(&l.Flush, "flush", 0, "percent of flushes")
	flags.DurationVar(&l.Pause, "pause", 0, "of a worker between two operations")
	if err := flags.Parse(args); err != nil {
		return err
	}
	return recorder.Run(ctx, l)
}
