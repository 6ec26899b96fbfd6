// SPDX-License-Identifier: Apache-2.0

package rig

import (
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

const (
	bridgeName = "br0"
	linkMTU    = 9000
	txQueue    = 4096
)

// network is the cluster's private network namespace with a bridge and one veth pair per node:
//
//	stor0            stor1           client0      User-Mode Linux processes
//	  | vec0           | vec0           | vec0
//	  n0               n1               n2        read and written by the processes
//	  |                |                |
//	  p0               p1               p2        unplugged from the bridge by Link.Cut
//	  +------ br0 -----+----------------+
//
// The namespace has no name: it belongs to one operating system thread, on which everything in it
// is done and from which the node processes are started. When the thread ends, or the whole
// program is killed, the nodes get SIGKILL (their parent death signal) and the namespace goes.
type network struct {
	work chan func()
	done chan struct{}
}

func newNetwork() (*network, error) {
	n := &network{work: make(chan func()), done: make(chan struct{})}
	started := make(chan error)
	go n.thread(started)
	if err := <-started; err != nil {
		return nil, err
	}
	if err := n.do(setupBridge); err != nil {
		n.close()
		return nil, err
	}
	return n, nil
}

// thread owns the namespace. It never unlocks its thread, so that the runtime ends that with it.
func (n *network) thread(started chan<- error) {
	defer close(n.done)
	runtime.LockOSThread()
	handle, err := netns.New()
	if err != nil {
		started <- fmt.Errorf("make network namespace (needs root): %w", err)
		return
	}
	defer handle.Close()
	started <- nil
	for f := range n.work {
		f()
	}
}

// do runs f in the namespace.
func (n *network) do(f func() error) error {
	result := make(chan error, 1)
	select {
	case n.work <- func() { result <- f() }:
		return <-result
	case <-n.done:
		return errors.New("rig network is closed")
	}
}

// close ends the thread, and with it processes started from it that still run.
func (n *network) close() {
	close(n.work)
	<-n.done
}

func setupBridge() error {
	// No autoconfiguration traffic on the host's side of the rig, no packet filter in its bridge.
	for path, value := range map[string]string{
		"/proc/sys/net/ipv6/conf/default/disable_ipv6":  "1",
		"/proc/sys/net/bridge/bridge-nf-call-iptables":  "0",
		"/proc/sys/net/bridge/bridge-nf-call-ip6tables": "0",
		"/proc/sys/net/bridge/bridge-nf-call-arptables": "0",
	} {
		if err := os.WriteFile(path, []byte(value), 0); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("set %s: %w", path, err)
		}
	}
	if lo, err := netlink.LinkByName("lo"); err != nil {
		return fmt.Errorf("find lo: %w", err)
	} else if err := netlink.LinkSetUp(lo); err != nil {
		return fmt.Errorf("bring lo up: %w", err)
	}
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.MTU = bridgeName, linkMTU
	snooping := false
	bridge := &netlink.Bridge{LinkAttrs: attrs, MulticastSnooping: &snooping}
	if err := netlink.LinkAdd(bridge); err != nil {
		return fmt.Errorf("add bridge: %w", err)
	}
	if err := netlink.LinkSetUp(bridge); err != nil {
		return fmt.Errorf("bring bridge up: %w", err)
	}
	return nil
}

func nodeVeth(index int) string   { return fmt.Sprintf("n%d", index) }
func bridgePort(index int) string { return fmt.Sprintf("p%d", index) }

// nodeMAC is locally administered, and the same in every run.
func nodeMAC(index int) net.HardwareAddr {
	return net.HardwareAddr{0x02, 0x52, 0x4d, 0x52, 0x00, byte(index + 1)}
}

// addPort makes the veth pair of the node with that index.
func addPort(index int) error {
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.MTU, attrs.TxQLen = nodeVeth(index), linkMTU, txQueue
	veth := &netlink.Veth{LinkAttrs: attrs, PeerName: bridgePort(index)}
	if err := netlink.LinkAdd(veth); err != nil {
		return fmt.Errorf("add veth %s: %w", attrs.Name, err)
	}
	port, err := netlink.LinkByName(bridgePort(index))
	if err != nil {
		return fmt.Errorf("find %s: %w", bridgePort(index), err)
	}
	if err := netlink.LinkSetMTU(port, linkMTU); err != nil {
		return fmt.Errorf("set MTU of %s: %w", bridgePort(index), err)
	}
	// The node has a MAC address of its own behind this device.
	if err := netlink.SetPromiscOn(veth); err != nil {
		return fmt.Errorf("make %s promiscuous: %w", attrs.Name, err)
	}
	for _, link := range []netlink.Link{veth, port} {
		if err := netlink.LinkSetUp(link); err != nil {
			return fmt.Errorf("bring %s up: %w", link.Attrs().Name, err)
		}
	}
	return plug(index, true)
}

// plug connects a node's port to the bridge or takes it off.
func plug(index int, connected bool) error {
	port, err := netlink.LinkByName(bridgePort(index))
	if err != nil {
		return fmt.Errorf("find %s: %w", bridgePort(index), err)
	}
	if !connected {
		if err := netlink.LinkSetNoMaster(port); err != nil {
			return fmt.Errorf("unplug %s: %w", bridgePort(index), err)
		}
		return nil
	}
	bridge, err := netlink.LinkByName(bridgeName)
	if err != nil {
		return fmt.Errorf("find %s: %w", bridgeName, err)
	}
	if err := netlink.LinkSetMaster(port, bridge); err != nil {
		return fmt.Errorf("plug %s: %w", bridgePort(index), err)
	}
	return nil
}

// socketBuffer holds the frames that a node has not read yet, 64 MiB: the peers may have a few
// hundred RDMA writes of 128 KiB under way to it at once, and a lost frame costs rxe half a second.
const socketBuffer = 64 << 20

// openPort returns the socket through which the node with that index sends and receives frames.
// The rig opens it, not User-Mode Linux, for the buffer, and so that frames carry no offload
// headers: what a node sends is complete, with checksums.
func openPort(index int) (*os.File, error) {
	link, err := netlink.LinkByName(nodeVeth(index))
	if err != nil {
		return nil, fmt.Errorf("find %s: %w", nodeVeth(index), err)
	}
	// Protocol 0: nothing arrives before the socket is bound to its device.
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open packet socket: %w", err)
	}
	f := os.NewFile(uintptr(fd), nodeVeth(index))
	for _, option := range []struct{ level, name, value int }{
		{unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, socketBuffer},
		{unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, socketBuffer},
		{unix.SOL_PACKET, unix.PACKET_QDISC_BYPASS, 1},
	} {
		if err := unix.SetsockoptInt(fd, option.level, option.name, option.value); err != nil {
			f.Close()
			return nil, fmt.Errorf("set option %d of packet socket: %w", option.name, err)
		}
	}
	const all = unix.ETH_P_ALL<<8&0xff00 | unix.ETH_P_ALL>>8 // network byte order
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: link.Attrs().Index}); err != nil {
		f.Close()
		return nil, fmt.Errorf("bind packet socket to %s: %w", nodeVeth(index), err)
	}
	return f, nil
}
