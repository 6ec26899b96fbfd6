// SPDX-License-Identifier: Apache-2.0

// The socket: finding the family, commands, dumps, and errors with the kernel's text.

package rmrnl

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/mdlayher/genetlink"
	"github.com/mdlayher/netlink"
)

// ErrNoFamily says that the kernel has no family rmr: the module is not loaded.
var ErrNoFamily = errors.New("no netlink family rmr in the kernel")

// KernelError is a command that the kernel refused. errors.Is finds its Errno.
type KernelError struct {
	Op    string        // command, as in the specification
	Errno syscall.Errno // 0 if the kernel gave a number that is none
	Text  string        // the kernel's own words, may be empty
	Field string        // the attribute it complains about, if it says so
}

func (e *KernelError) Error() string {
	text := e.Text
	if text == "" {
		text = e.Errno.Error()
	}
	if e.Field != "" {
		text = e.Field + ": " + text
	}
	return text
}

// Unwrap gives the errno.
func (e *KernelError) Unwrap() error { return e.Errno }

// Client is a connection to the family.
type Client struct {
	conn   *genetlink.Conn
	family genetlink.Family
}

// Dial connects to the kernel's family rmr. The kernel loads the module rmr by itself where the
// caller may do so. The error is ErrNoFamily if there is none.
func Dial() (*Client, error) {
	conn, err := netlink.Dial(syscall.NETLINK_GENERIC, nil)
	if err != nil {
		return nil, fmt.Errorf("open netlink socket: %w", err)
	}
	for _, opt := range []netlink.ConnOption{netlink.ExtendedAcknowledge, netlink.GetStrictCheck} {
		if err := conn.SetOption(opt, true); err != nil {
			conn.Close()
			return nil, fmt.Errorf("set netlink option %d: %w", opt, err)
		}
	}
	return New(conn)
}

// New uses an open generic netlink connection, which the client owns from then on.
func New(conn *netlink.Conn) (*Client, error) {
	c := genetlink.NewConn(conn)
	family, err := c.GetFamily(FamilyName)
	if err == nil {
		return &Client{conn: c, family: family}, nil
	}
	c.Close()
	if errors.Is(err, os.ErrNotExist) {
		return nil, ErrNoFamily
	}
	return nil, fmt.Errorf("find netlink family %s: %w", FamilyName, err)
}

// Close ends the connection and every Receive on it.
func (c *Client) Close() error { return c.conn.Close() }

// bound makes ctx end a receive that waits; the result undoes it.
func (c *Client) bound(ctx context.Context) func() {
	deadline, _ := ctx.Deadline()
	c.deadline(deadline)
	ran := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		c.deadline(time.Unix(1, 0))
		close(ran)
	})
	return func() {
		if !stop() {
			<-ran // or it could end the next receive
		}
	}
}

// deadline sets when a receive ends; the zero time is never.
func (c *Client) deadline(t time.Time) {
	// Setting it fails only on a closed socket, on which nothing waits.
	_ = c.conn.SetReadDeadline(t)
}

// exchange sends one request and returns the answers. A command that answers with attributes
// sends no acknowledgement besides: it would be read as the answer to the next command.
func (c *Client) exchange(ctx context.Context, req *Request, flags netlink.HeaderFlags) ([]genetlink.Message, error) {
	op := Ops[req.Cmd]
	data, err := req.marshal()
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	defer c.bound(ctx)()
	msg := genetlink.Message{Header: genetlink.Header{Command: req.Cmd, Version: c.family.Version}, Data: data}
	msgs, err := c.conn.Execute(msg, c.family.ID, netlink.Request|flags)
	if err == nil {
		return msgs, nil
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("%w: the kernel may still finish %s", ctx.Err(), op.Name)
	}
	return nil, kernelError(op, data, err)
}

// kernelError makes a *KernelError of an answer of the kernel; other errors keep their kind.
func kernelError(op Op, data []byte, err error) error {
	var oe *netlink.OpError
	var errno syscall.Errno
	var sys *os.SyscallError
	if !errors.As(err, &oe) || errors.As(oe.Err, &sys) || !errors.As(oe.Err, &errno) {
		return fmt.Errorf("%s: %w", op.Name, err)
	}
	if int(int32(errno)) < 0 {
		errno = 0
	}
	return &KernelError{Op: op.Name, Errno: errno, Text: oe.Message, Field: fieldAt(op, data, oe.Offset)}
}

// fieldAt names the attribute at an offset from the start of the netlink message, "" for none.
func fieldAt(op Op, data []byte, offset int) string {
	const headers = 16 + 4 // netlink, generic netlink
	attrs, err := netlink.UnmarshalAttributes(data)
	if err != nil {
		return ""
	}
	at := headers
	for _, a := range attrs {
		if offset >= at && offset < at+int(a.Length) {
			return op.Set[a.Type].Name
		}
		at += (int(a.Length) + 3) &^ 3
	}
	return ""
}

// Do runs a command that answers nothing, or whose answer is not wanted.
func (c *Client) Do(ctx context.Context, req *Request) error {
	_, err := c.do(ctx, req)
	return err
}

func (c *Client) do(ctx context.Context, req *Request) ([]byte, error) {
	flags := netlink.Acknowledge
	if Ops[req.Cmd].Reply {
		flags = 0
	}
	msgs, err := c.exchange(ctx, req, flags)
	if err != nil {
		return nil, err
	}
	if !Ops[req.Cmd].Reply {
		return nil, nil
	}
	if len(msgs) != 1 {
		return nil, fmt.Errorf("%s: the kernel sent %d answers, not 1", Ops[req.Cmd].Name, len(msgs))
	}
	return msgs[0].Data, nil
}

// decoder is a generated type.
type decoder[T any] interface {
	*T
	decode(ad *netlink.AttributeDecoder) error
}

func decode[T any, P decoder[T]](what string, data []byte) (T, error) {
	var v T
	ad, err := netlink.NewAttributeDecoder(data)
	if err != nil {
		err = fmt.Errorf("attributes: %w", err)
	} else {
		err = P(&v).decode(ad)
	}
	if err != nil {
		return v, fmt.Errorf("decode %s: %w", what, err)
	}
	return v, nil
}

// named says which attribute of a set the decoder stopped at.
func named(ad *netlink.AttributeDecoder, set AttrSet) error {
	err := ad.Err()
	if err == nil {
		return nil
	}
	if a, known := set[ad.Type()]; known {
		return fmt.Errorf("%s: %w", a.Name, err)
	}
	return fmt.Errorf("attribute %d: %w", ad.Type(), err)
}

func doDecode[T any, P decoder[T]](ctx context.Context, c *Client, req *Request) (T, error) {
	data, err := c.do(ctx, req)
	if err != nil {
		var none T
		return none, err
	}
	return decode[T, P](Ops[req.Cmd].Name, data)
}

func dump[T any, P decoder[T]](ctx context.Context, c *Client, cmd uint8) ([]T, error) {
	msgs, err := c.exchange(ctx, &Request{Cmd: cmd}, netlink.Dump)
	if err != nil {
		return nil, err
	}
	list := make([]T, 0, len(msgs))
	for _, m := range msgs {
		v, err := decode[T, P](Ops[cmd].Name, m.Data)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, nil
}

// DoPool runs a pool command that answers with the pool.
func (c *Client) DoPool(ctx context.Context, req *Request) (Pool, error) {
	return doDecode[Pool](ctx, c, req)
}

// DoDevice runs a device command that answers with the device.
func (c *Client) DoDevice(ctx context.Context, req *Request) (Device, error) {
	return doDecode[Device](ctx, c, req)
}

// Pools lists the pools assembled on this node.
func (c *Client) Pools(ctx context.Context) ([]Pool, error) {
	return dump[Pool](ctx, c, CmdPoolGet)
}

// Devices lists the pools mapped on this client.
func (c *Client) Devices(ctx context.Context) ([]Device, error) {
	return dump[Device](ctx, c, CmdDeviceGet)
}

// Differences lists ranges that differ from other members, as the last verify of each pool on this node found them.
func (c *Client) Differences(ctx context.Context) ([]Difference, error) {
	return dump[Difference](ctx, c, CmdDifferenceGet)
}

// Latencies lists the histograms of the stores, mapped pools and legs of this node.
func (c *Client) Latencies(ctx context.Context) ([]Latency, error) {
	return dump[Latency](ctx, c, CmdLatencyGet)
}

// Legs lists the legs of the pools mapped on this client.
func (c *Client) Legs(ctx context.Context) ([]Leg, error) {
	return dump[Leg](ctx, c, CmdLegGet)
}
