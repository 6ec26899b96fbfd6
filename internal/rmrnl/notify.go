// SPDX-License-Identifier: Apache-2.0

// Notifications of the multicast group notify.

package rmrnl

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
)

// ErrLost says that notifications were dropped because the reader was too slow; the present
// state has to be asked for again.
var ErrLost = errors.New("notifications were lost")

// Notification tells that an object appeared, changed its state or went: one of the pointers
// is set, to the object as it was then.
type Notification struct {
	Pool   *Pool   `json:"pool,omitempty"`
	Device *Device `json:"device,omitempty"`
	Leg    *Leg    `json:"leg,omitempty"`
}

// Subscribe joins the group. The client must not run commands afterwards: answers and
// notifications share its socket.
func (c *Client) Subscribe() error {
	for _, g := range c.family.Groups {
		if g.Name == GroupNotify {
			return c.conn.JoinGroup(g.ID)
		}
	}
	return fmt.Errorf("family %s has no multicast group %s", FamilyName, GroupNotify)
}

// Receive waits for notifications until ctx ends. Unknown commands are left out. After ErrLost
// the caller may go on.
func (c *Client) Receive(ctx context.Context) ([]Notification, error) {
	defer c.bound(ctx)()
	msgs, _, err := c.conn.Receive()
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, context.DeadlineExceeded
	case errors.Is(err, syscall.ENOBUFS):
		return nil, ErrLost
	case err != nil:
		return nil, fmt.Errorf("receive notifications: %w", err)
	}
	var list []Notification
	for _, m := range msgs {
		n, err := decodeNotification(m.Header.Command, m.Data)
		if err != nil {
			return nil, err
		}
		if n != (Notification{}) {
			list = append(list, n)
		}
	}
	return list, nil
}

func decodeNotification(cmd uint8, data []byte) (n Notification, err error) {
	switch cmd {
	case CmdPoolNtf:
		n.Pool = new(Pool)
		*n.Pool, err = decode[Pool]("pool-ntf", data)
	case CmdDeviceNtf:
		n.Device = new(Device)
		*n.Device, err = decode[Device]("device-ntf", data)
	case CmdLegNtf:
		n.Leg = new(Leg)
		*n.Leg, err = decode[Leg]("leg-ntf", data)
	}
	return n, err
}
