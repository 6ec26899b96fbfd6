// SPDX-License-Identifier: Apache-2.0

package rigcli

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// interruptible reads a terminal until it is stopped, so that a key typed after a node's command
// ended goes to the rig's own shell and is not eaten by a reader left behind.
type interruptible struct {
	file        *os.File
	wake, waker *os.File // ends of a pipe: closing waker ends a Read
}

func newInterruptible(f *os.File) (*interruptible, error) {
	wake, waker, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make pipe: %w", err)
	}
	return &interruptible{file: f, wake: wake, waker: waker}, nil
}

func (r *interruptible) Read(p []byte) (int, error) {
	fds := []unix.PollFd{
		{Fd: int32(r.file.Fd()), Events: unix.POLLIN},
		{Fd: int32(r.wake.Fd()), Events: unix.POLLIN},
	}
	for {
		_, err := unix.Poll(fds, -1)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return 0, fmt.Errorf("wait for input: %w", err)
		case fds[1].Revents != 0:
			return 0, io.EOF
		default:
			return r.file.Read(p)
		}
	}
}

// stop ends the reader; a Read that waits returns io.EOF.
func (r *interruptible) stop() { r.waker.Close() }
