// SPDX-License-Identifier: Apache-2.0

// The socket in memory: netlink and generic netlink framing, the family controller, policies,
// extended acknowledgements, dumps in several parts, and notifications.

package rmrnltest

import (
	"encoding/binary"
	"iter"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/mdlayher/netlink"

	"github.com/rmr-block/rmr/internal/rmrnl"
	"github.com/rmr-block/rmr/pkg/pool"
)

const (
	portID     = 1
	familyID   = 0x20
	groupID    = 7
	controller = 0x10 // GENL_ID_CTRL
	getFamily  = 3    // CTRL_CMD_GETFAMILY
	genlHeader = 4
	nlHeader   = 16
)

// socket implements netlink.Socket. Its lock guards the queue and the deadline.
type socket struct {
	k      *Kernel
	mu     sync.Mutex
	wake   chan struct{} // closed and replaced at every change
	queue  [][]netlink.Message
	joined bool
	closed bool
	limit  time.Time
}

func newSocket(k *Kernel) *socket { return &socket{k: k, wake: make(chan struct{})} }

func (s *socket) changed() {
	close(s.wake)
	s.wake = make(chan struct{})
}

func (s *socket) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.changed()
	return nil
}

func (s *socket) JoinGroup(group uint32) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if group != groupID {
		return os.NewSyscallError("setsockopt", syscall.EINVAL)
	}
	s.joined = true
	return nil
}

func (s *socket) LeaveGroup(uint32) error { return os.NewSyscallError("setsockopt", syscall.EINVAL) }

func (s *socket) SetDeadline(t time.Time) error { return s.SetReadDeadline(t) }

func (s *socket) SetWriteDeadline(time.Time) error { return nil }

func (s *socket) SetReadDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limit = t
	s.changed()
	return nil
}

func (s *socket) Send(m netlink.Message) error { return s.SendMessages([]netlink.Message{m}) }

func (s *socket) SendMessages(list []netlink.Message) error {
	for _, m := range list {
		parts := s.k.answer(m)
		s.mu.Lock()
		s.queue = append(s.queue, parts...)
		s.changed()
		s.mu.Unlock()
	}
	return nil
}

func (s *socket) ReceiveIter() iter.Seq2[netlink.Message, error] {
	return func(yield func(netlink.Message, error) bool) {
		list, err := s.Receive()
		if err != nil {
			yield(netlink.Message{}, err)
			return
		}
		for _, m := range list {
			if !yield(m, nil) {
				return
			}
		}
	}
}

func (s *socket) Receive() ([]netlink.Message, error) {
	for {
		s.mu.Lock()
		wake, limit, joined := s.wake, s.limit, s.joined
		if s.closed {
			s.mu.Unlock()
			return nil, os.ErrClosed
		}
		if len(s.queue) > 0 {
			list := s.queue[0]
			s.queue = s.queue[1:]
			s.mu.Unlock()
			return list, nil
		}
		s.mu.Unlock()
		if joined {
			if m, ok := s.k.nextEvent(); ok {
				return []netlink.Message{m}, nil
			}
		}
		if !wait(wake, limit) {
			return nil, os.ErrDeadlineExceeded
		}
	}
}

// wait waits for a change; false if the deadline, unless zero, comes first.
func wait(wake <-chan struct{}, limit time.Time) bool {
	if limit.IsZero() {
		<-wake
		return true
	}
	t := time.NewTimer(time.Until(limit))
	defer t.Stop()
	select {
	case <-wake:
		return true
	case <-t.C:
		return false
	}
}

func (k *Kernel) nextEvent() (netlink.Message, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.state.Events) == 0 {
		return netlink.Message{}, false
	}
	n := k.state.Events[0]
	k.state.Events = k.state.Events[1:]
	if len(k.state.Events) == 0 && k.state.After != nil {
		k.state = *k.state.After
	}
	switch {
	case n.Pool != nil:
		return object(netlink.Header{}, rmrnl.CmdPoolNtf, n.Pool), true
	case n.Device != nil:
		return object(netlink.Header{}, rmrnl.CmdDeviceNtf, n.Device), true
	}
	return object(netlink.Header{}, rmrnl.CmdLegNtf, n.Leg), true
}

// answer is what the kernel sends back to one request, in the parts it sends them.
func (k *Kernel) answer(m netlink.Message) [][]netlink.Message {
	k.mu.Lock()
	defer k.mu.Unlock()
	cmd, data := m.Data[0], m.Data[genlHeader:]
	if m.Header.Type == controller {
		return k.answerController(m, cmd)
	}
	if k.state.Absent || m.Header.Type != familyID {
		return [][]netlink.Message{{failure(m, &Refusal{Errno: int(syscall.ENOENT)})}}
	}
	if m.Header.Flags&netlink.Dump == netlink.Dump {
		return k.dump(m, cmd)
	}
	req, bad := parse(cmd, data)
	var reply any
	if bad == nil {
		reply, bad = k.run(req)
	}
	switch {
	case bad != nil:
		return [][]netlink.Message{{failure(m, bad)}}
	case reply != nil:
		list := [][]netlink.Message{{object(m.Header, cmd, reply)}}
		if m.Header.Flags&netlink.Acknowledge != 0 {
			list = append(list, []netlink.Message{failure(m, &Refusal{})})
		}
		return list
	}
	return [][]netlink.Message{{failure(m, &Refusal{})}}
}

func (k *Kernel) answerController(m netlink.Message, cmd uint8) [][]netlink.Message {
	if k.state.Absent || cmd != getFamily {
		return [][]netlink.Message{{failure(m, &Refusal{Errno: int(syscall.ENOENT)})}}
	}
	ae := netlink.NewAttributeEncoder()
	ae.Uint16(1, familyID)
	ae.String(2, rmrnl.FamilyName)
	ae.Uint32(3, 1)
	ae.Nested(7, func(groups *netlink.AttributeEncoder) error {
		groups.Nested(1, func(g *netlink.AttributeEncoder) error {
			g.String(1, rmrnl.GroupNotify)
			g.Uint32(2, groupID)
			return nil
		})
		return nil
	})
	return [][]netlink.Message{{message(m.Header, controller, 1, must(ae.Encode()))}}
}

func (k *Kernel) dump(m netlink.Message, cmd uint8) [][]netlink.Message {
	if r, ok := k.state.Refuse[rmrnl.Ops[cmd].Name+" dump"]; ok {
		return [][]netlink.Message{{failure(m, &r)}}
	}
	var parts [][]netlink.Message
	add := func(v any) {
		msg := object(m.Header, cmd, v)
		msg.Header.Flags |= netlink.Multi
		parts = append(parts, []netlink.Message{msg})
	}
	switch cmd {
	case rmrnl.CmdPoolGet:
		for i := range k.state.Pools {
			add(&k.state.Pools[i])
		}
	case rmrnl.CmdDeviceGet:
		for i := range k.state.Devices {
			add(&k.state.Devices[i])
		}
	case rmrnl.CmdDifferenceGet:
		for i := range k.state.Differences {
			add(&k.state.Differences[i])
		}
	case rmrnl.CmdLatencyGet:
		for i := range k.state.Latencies {
			add(&k.state.Latencies[i])
		}
	case rmrnl.CmdLegGet:
		for i := range k.state.Legs {
			add(&k.state.Legs[i])
		}
	}
	done := message(m.Header, netlink.Done, 0, nil)
	done.Data = make([]byte, 4)
	done.Header.Flags |= netlink.Multi
	return append(parts, []netlink.Message{done})
}

// parse checks a request as the generated policies do.
func parse(cmd uint8, data []byte) (*rmrnl.Request, *Refusal) {
	op, ok := rmrnl.Ops[cmd]
	if !ok {
		return nil, refusal(syscall.EOPNOTSUPP, "")
	}
	attrs, err := netlink.UnmarshalAttributes(data)
	if err != nil {
		return nil, refusal(syscall.EINVAL, "invalid attributes")
	}
	req := &rmrnl.Request{Cmd: cmd}
	for _, a := range attrs {
		d, known := op.Set[a.Type]
		if !known || !slices.Contains(op.Request, a.Type) {
			return nil, &Refusal{int(syscall.EINVAL), "Unknown attribute type", d.Name}
		}
		v, ok := decodeValue(d, a.Data)
		if !ok {
			return nil, &Refusal{int(syscall.ERANGE), "Attribute failed policy validation", d.Name}
		}
		req.Add(a.Type, v)
	}
	if err := req.Check(); err != nil {
		return nil, refusal(syscall.EINVAL, err.Error())
	}
	return req, nil
}

func decodeValue(d rmrnl.Attr, b []byte) (any, bool) {
	sizes := map[string]int{"u8": 1, "u16": 2, "u32": 4, "u64": 8, "flag": 0, "binary": d.ExactLen}
	if n, fixed := sizes[d.Type]; fixed && len(b) != n {
		return nil, false
	}
	switch d.Type {
	case "string":
		if len(b) == 0 || b[len(b)-1] != 0 {
			return nil, false
		}
		return string(b[:len(b)-1]), true
	case "flag":
		return true, true
	case "binary":
		return pool.UUID(b), true
	case "u8":
		return b[0], true
	case "u16":
		return binary.NativeEndian.Uint16(b), true
	case "u32":
		return binary.NativeEndian.Uint32(b), true
	case "u64":
		return binary.NativeEndian.Uint64(b), true
	}
	return nil, false
}

func message(to netlink.Header, kind netlink.HeaderType, cmd uint8, data []byte) netlink.Message {
	m := netlink.Message{
		Header: netlink.Header{Type: kind, Sequence: to.Sequence, PID: to.PID},
		Data:   append([]byte{cmd, 1, 0, 0}, data...),
	}
	m.Header.Length = uint32(nlHeader + len(m.Data))
	return m
}

func object(to netlink.Header, cmd uint8, v any) netlink.Message {
	return message(to, familyID, cmd, must(encode(v)))
}

// failure is an error message with extended acknowledgement; errno 0 is an acknowledgement.
func failure(m netlink.Message, r *Refusal) netlink.Message {
	data := make([]byte, 4, 4+nlHeader+len(m.Data))
	binary.NativeEndian.PutUint32(data, uint32(-r.Errno))
	data = append(data, must(m.MarshalBinary())...)
	out := netlink.Message{
		Header: netlink.Header{Type: netlink.Error, Sequence: m.Header.Sequence, PID: m.Header.PID},
		Data:   data,
	}
	if r.Text != "" {
		ae := netlink.NewAttributeEncoder()
		ae.String(1, r.Text) // NLMSGERR_ATTR_MSG
		if off := offsetOf(m, r.Field); off > 0 {
			ae.Uint32(2, off) // NLMSGERR_ATTR_OFFS
		}
		out.Data = append(out.Data, must(ae.Encode())...)
		out.Header.Flags |= netlink.AcknowledgeTLVs
	}
	out.Header.Length = uint32(nlHeader + len(out.Data))
	return out
}

func offsetOf(m netlink.Message, field string) uint32 {
	off := uint32(nlHeader + genlHeader)
	for _, a := range must(netlink.UnmarshalAttributes(m.Data[genlHeader:])) {
		if field != "" && rmrnl.Ops[m.Data[0]].Set[a.Type].Name == field {
			return off
		}
		off += (uint32(a.Length) + 3) &^ 3
	}
	return 0
}

// must is for what cannot fail with this package's own data.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
