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
