// SPDX-License-Identifier: Apache-2.0

// What makes the daemon look at once: disks that come and go, and changes of pools.

package storaged

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/mdlayher/socket"
	"golang.org/x/sys/unix"

	"github.com/rmr-block/rmr/internal/rmrnl"
)

// uevents are the kernel's messages about devices.
type uevents interface {
	// Recvfrom waits for one message; ENOBUFS says that some were lost.
	Recvfrom(ctx context.Context, p []byte, flags int) (int, unix.Sockaddr, error)
	Close() error
}

const kernelGroup = 1 // of NETLINK_KOBJECT_UEVENT; group 2 is udev's own

func openUevents() (uevents, error) {
	s, err := socket.Socket(unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_KOBJECT_UEVENT, "uevents", nil)
	if err != nil {
		return nil, fmt.Errorf("open device events: %w", err)
	}
	if err := s.Bind(&unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: kernelGroup}); err != nil {
		s.Close()
		return nil, fmt.Errorf("bind device events: %w", err)
	}
	return s, nil
}

// followDevices nudges for every message about a block, network or RDMA device.
func (d *Daemon) followDevices(ctx context.Context) error {
	events, err := d.env.Uevents()
	if err != nil {
		return err
	}
	defer events.Close()
	buf := make([]byte, 16<<10) // the kernel's limit is 2 KiB of variables
	d.nudge()                   // for what happened before
	for {
		n, from, err := events.Recvfrom(ctx, buf, 0)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, unix.ENOBUFS):
			d.nudge()
		case err != nil:
			return fmt.Errorf("receive device event: %w", err)
		case fromKernel(from) && ofInterest(buf[:n]):
			d.nudge()
		}
	}
}

// fromKernel: any process may send to the group.
func fromKernel(from unix.Sockaddr) bool {
	nl, ok := from.(*unix.SockaddrNetlink)
	return ok && nl.Pid == 0
}

// ofInterest looks at the variables of a message, zero-terminated strings.
func ofInterest(msg []byte) bool {
	for v := range bytes.SplitSeq(msg, []byte{0}) {
		if name, ok := bytes.CutPrefix(v, []byte("SUBSYSTEM=")); ok {
			return string(name) == "block" || string(name) == "net" || string(name) == "infiniband"
		}
	}
	return false
}

// followKernel nudges for every notification about a pool of this node.
func (d *Daemon) followKernel(ctx context.Context) error {
	c, err := d.env.Dial()
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.Subscribe(); err != nil {
		return err
	}
	d.nudge()
	for {
		list, err := c.Receive(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, rmrnl.ErrLost):
			d.nudge()
		case err != nil:
			return err
		}
		for _, n := range list {
			if n.Pool != nil {
				d.nudge()
			}
		}
	}
}
