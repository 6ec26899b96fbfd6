// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"errors"
	"fmt"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

const (
	rigLink  = "vec0"
	ifbLink  = "ifb0"    // carries what arrives, so that a queueing discipline can delay it
	netemCap = 1_000_000 // packets held back at most
)

// applyNetem gives the node's link the behaviour n in both directions, replacing an earlier one.
// It runs in the node because not every host kernel has netem.
func applyNetem(n Netem) error {
	link, err := netlink.LinkByName(rigLink)
	if err != nil {
		return fmt.Errorf("find link %s: %w", rigLink, err)
	}
	if err := clearNetem(link); err != nil {
		return err
	}
	if n == (Netem{}) {
		return nil
	}
	ifb, err := redirectIngress(link)
	if err != nil {
		return err
	}
	for _, l := range []netlink.Link{link, ifb} {
		attrs := netlink.QdiscAttrs{LinkIndex: l.Attrs().Index, Handle: netlink.MakeHandle(1, 0), Parent: netlink.HANDLE_ROOT}
		qdisc := netlink.NewNetem(attrs, netlink.NetemQdiscAttrs{
			Limit:   netemCap,
			Latency: uint32(n.Delay.Microseconds()), Jitter: uint32(n.Jitter.Microseconds()),
			Loss: n.Loss, ReorderProb: n.Reorder, Duplicate: n.Duplicate, CorruptProb: n.Corrupt,
		})
		if err := netlink.QdiscReplace(qdisc); err != nil {
			return fmt.Errorf("add netem to %s: %w", l.Attrs().Name, err)
		}
	}
	return nil
}

func clearNetem(link netlink.Link) error {
	index := link.Attrs().Index
	for _, q := range []netlink.Qdisc{
		&netlink.GenericQdisc{QdiscAttrs: netlink.QdiscAttrs{LinkIndex: index, Handle: netlink.MakeHandle(1, 0), Parent: netlink.HANDLE_ROOT}, QdiscType: "netem"},
		&netlink.Ingress{QdiscAttrs: netlink.QdiscAttrs{LinkIndex: index, Handle: netlink.MakeHandle(0xffff, 0), Parent: netlink.HANDLE_INGRESS}},
	} {
		// Neither is there on a link that was good so far.
		if err := netlink.QdiscDel(q); err != nil && !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.EINVAL) {
			return fmt.Errorf("remove %s from %s: %w", q.Type(), rigLink, err)
		}
	}
	ifb, err := netlink.LinkByName(ifbLink)
	if errors.As(err, &netlink.LinkNotFoundError{}) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("find link %s: %w", ifbLink, err)
	}
	if err := netlink.LinkDel(ifb); err != nil {
		return fmt.Errorf("remove %s: %w", ifbLink, err)
	}
	return nil
}

// redirectIngress sends what arrives on link through a new ifb device, which it returns.
func redirectIngress(link netlink.Link) (netlink.Link, error) {
	ifb := &netlink.Ifb{LinkAttrs: netlink.NewLinkAttrs()}
	ifb.Name, ifb.MTU = ifbLink, link.Attrs().MTU
	if err := netlink.LinkAdd(ifb); err != nil {
		return nil, fmt.Errorf("add %s: %w", ifbLink, err)
	}
	if err := netlink.LinkSetUp(ifb); err != nil {
		return nil, fmt.Errorf("bring %s up: %w", ifbLink, err)
	}
	index := link.Attrs().Index
	ingress := &netlink.Ingress{QdiscAttrs: netlink.QdiscAttrs{
		LinkIndex: index, Handle: netlink.MakeHandle(0xffff, 0), Parent: netlink.HANDLE_INGRESS,
	}}
	if err := netlink.QdiscAdd(ingress); err != nil {
		return nil, fmt.Errorf("add ingress to %s: %w", rigLink, err)
	}
	filter := &netlink.MatchAll{
		FilterAttrs: netlink.FilterAttrs{LinkIndex: index, Parent: ingress.Handle, Priority: 1, Protocol: unix.ETH_P_ALL},
		Actions:     []netlink.Action{netlink.NewMirredAction(ifb.Index)},
	}
	if err := netlink.FilterAdd(filter); err != nil {
		return nil, fmt.Errorf("redirect arrivals of %s to %s: %w", rigLink, ifbLink, err)
	}
	return ifb, nil
}
