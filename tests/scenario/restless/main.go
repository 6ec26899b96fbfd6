// SPDX-License-Identifier: Apache-2.0

// Command restless writes to a block device from a buffer that it changes all the time, also while it is being written,
// as a program with a memory-mapped buffer may. It fails if a write fails.
//
//	restless DEVICE WRITES
package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

const (
	length = 128 << 10
	area   = 8 << 20 // from the start of the device
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "restless:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("want a device and a number of writes")
	}
	writes, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	fd, err := unix.Open(args[0], unix.O_WRONLY|unix.O_DIRECT, 0)
	if err != nil {
		return fmt.Errorf("open %s: %w", args[0], err)
	}
	defer unix.Close(fd)
	buf, err := unix.Mmap(-1, 0, length, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return err
	}
	done := make(chan struct{})
	var changer sync.WaitGroup
	changer.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				buf[rand.IntN(length)]++
			}
		}
	})
	for i := range writes {
		if _, err = unix.Pwrite(fd, buf, int64(rand.IntN(area/length))*length); err != nil {
			err = fmt.Errorf("write %d: %w", i, err)
			break
		}
	}
	close(done)
	changer.Wait()
	return err
}
