// SPDX-License-Identifier: Apache-2.0

// Package softroce finds the RDMA ports of network devices and gives a network device one in
// software: a link of the kernel's rdma_rxe driver.
//
// The kernel tells which network device a port belongs to through sysfs; links are made through
// RDMA netlink. Values of this package are safe to copy; nothing is kept between calls.
package softroce

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Errors, matched with errors.Is.
var (
	ErrNoNetdev = errors.New("no such network device")
	ErrNoRDMA   = errors.New("network device has no RDMA device")
	ErrHardware = errors.New("RDMA device is no soft-RoCE link")
)

// Port is one port of an RDMA device.
type Port struct {
	Device    string       `json:"device"`
	Port      int          `json:"port"`
	Netdev    string       `json:"netdev"`    // "" if the port has none, as InfiniBand without IPoIB
	State     string       `json:"state"`     // "active" when usable
	Soft      bool         `json:"soft"`      // made by rdma_rxe
	Addresses []netip.Addr `json:"addresses"` // of the network device; link-local last
}

// Active tells whether the port can carry traffic.
func (p Port) Active() bool { return p.State == "active" }

// Kernel makes and deletes links and loads modules.
type Kernel interface {
	AddLink(name, linkType, netdev string) error
	DeleteLink(name string) error
	Modprobe(ctx context.Context, module string) error
}

// System is where the package looks and acts.
type System struct {
	Sys    string // mount point of sysfs
	Kernel Kernel
	// Interface returns a network device and its addresses; an error that errors.Is
	// ErrNoNetdev if there is none.
	Interface func(name string) (up bool, addrs []netip.Addr, err error)
}

// Ports lists the ports of all RDMA devices, by device name and port number.
func (s System) Ports() ([]Port, error) {
	class := filepath.Join(s.Sys, "class/infiniband")
	paths, err := filepath.Glob(filepath.Join(class, "*/ports/*"))
	if err != nil {
		return nil, err
	}
	var list []Port
	for _, path := range paths {
		rel := strings.Split(strings.TrimPrefix(path, class+"/"), "/")
		number, err := strconv.Atoi(rel[2])
		if err != nil {
			return nil, fmt.Errorf("list RDMA ports: %s: %w", path, err)
		}
		p := Port{Device: rel[0], Port: number, Addresses: []netip.Addr{}}
		if err := s.fill(&p, path); err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

func (s System) fill(p *Port, path string) error {
	state, err := readLine(filepath.Join(path, "state")) // "4: ACTIVE"
	if err != nil {
		return fmt.Errorf("state of RDMA port %s/%d: %w", p.Device, p.Port, err)
	}
	_, name, _ := strings.Cut(state, ": ")
	p.State = strings.ToLower(name)
	// Only rdma_rxe's devices have this attribute.
	parent, err := readLine(filepath.Join(s.Sys, "class/infiniband", p.Device, "parent"))
	p.Soft = err == nil
	p.Netdev = parent
	if !p.Soft {
		p.Netdev = s.gidNetdev(path)
	}
	if p.Netdev == "" {
		return nil
	}
	_, addrs, err := s.Interface(p.Netdev)
	if err != nil && !errors.Is(err, ErrNoNetdev) {
		return fmt.Errorf("addresses of %s: %w", p.Netdev, err)
	}
	slices.SortStableFunc(addrs, func(a, b netip.Addr) int { return rank(a) - rank(b) })
	p.Addresses = append(p.Addresses, addrs...)
	return nil
}

// gidNetdev reads the network device of a port's GID table; reading an unused entry fails.
func (s System) gidNetdev(path string) string {
	entries, _ := filepath.Glob(filepath.Join(path, "gid_attrs/ndevs/*"))
	for _, e := range entries {
		if name, err := readLine(e); err == nil && name != "" {
			return name
		}
	}
	return ""
}

func rank(a netip.Addr) int {
	switch {
	case a.IsLinkLocalUnicast():
		return 2
	case a.Is6():
		return 1
	}
	return 0
}

// Addresses lists the addresses at which this node can be reached over RDMA: those of network
// devices with an active port, link-local ones only where there are no others.
func (s System) Addresses() ([]netip.Addr, error) {
	ports, err := s.Ports()
	if err != nil {
		return nil, err
	}
	var wide, local []netip.Addr
	for _, p := range ports {
		for _, a := range p.Addresses {
			switch {
			case !p.Active() || a.IsLoopback():
			case a.IsLinkLocalUnicast():
				local = append(local, a)
			case !slices.Contains(wide, a):
				wide = append(wide, a)
			}
		}
	}
	if len(wide) == 0 {
		return local, nil
	}
	return wide, nil
}

// find returns the first port of a network or RDMA device.
func (s System) find(name string) (Port, error) {
	ports, err := s.Ports()
	if err != nil {
		return Port{}, err
	}
	for _, p := range ports {
		if p.Netdev == name || p.Device == name {
			return p, nil
		}
	}
	return Port{}, fmt.Errorf("%s: %w", name, ErrNoRDMA)
}

// Up gives the network device an RDMA device named name, unless it has one, and waits until its
// port is active or ctx ends. made tells whether the link is new.
func (s System) Up(ctx context.Context, netdev, name string) (p Port, made bool, err error) {
	up, addrs, err := s.Interface(netdev)
	switch {
	case err != nil:
		return Port{}, false, fmt.Errorf("%s: %w", netdev, err)
	case !up:
		return Port{}, false, fmt.Errorf("%s is down: ip link set %s up", netdev, netdev)
	case len(addrs) == 0:
		return Port{}, false, fmt.Errorf("%s has no address: ip address add ADDR/LEN dev %s", netdev, netdev)
	}
	if _, err = s.find(netdev); errors.Is(err, ErrNoRDMA) {
		made = true
		err = s.addLink(ctx, name, netdev)
	}
	if err != nil {
		return Port{}, false, err
	}
	p, err = s.waitActive(ctx, netdev)
	return p, made, err
}

// addLink asks the kernel, and once more after loading the driver: a kernel with the driver
// built in has no module to look for first.
func (s System) addLink(ctx context.Context, name, netdev string) error {
	err := s.Kernel.AddLink(name, "rxe", netdev)
	if err == nil || errors.Is(err, os.ErrPermission) || errors.Is(err, os.ErrExist) {
		return linkError("add", name, err)
	}
	if modErr := s.Kernel.Modprobe(ctx, "rdma_rxe"); modErr != nil {
		return fmt.Errorf("add RDMA link %s: %w; loading rdma_rxe: %w", name, err, modErr)
	}
	return linkError("add", name, s.Kernel.AddLink(name, "rxe", netdev))
}

func linkError(what, name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s RDMA link %s: %w", what, name, err)
}

func (s System) waitActive(ctx context.Context, netdev string) (Port, error) {
	for {
		p, err := s.find(netdev)
		if err == nil && p.Active() {
			return p, nil
		}
		if err != nil && !errors.Is(err, ErrNoRDMA) {
			return Port{}, err
		}
		select {
		case <-ctx.Done():
			if err == nil {
				err = fmt.Errorf("port of %s is %s, not active: check its carrier and address", p.Device, p.State)
			}
			return p, err
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Down deletes the soft-RoCE link of a network or RDMA device and returns what it was.
func (s System) Down(name string) (Port, error) {
	p, err := s.find(name)
	if err != nil {
		return p, err
	}
	if !p.Soft {
		return p, fmt.Errorf("%s: %w", p.Device, ErrHardware)
	}
	return p, linkError("delete", p.Device, s.Kernel.DeleteLink(p.Device))
}

// Interface returns a network device of this host.
func Interface(name string) (up bool, addrs []netip.Addr, err error) {
	dev, err := net.InterfaceByName(name)
	if err != nil {
		if _, statErr := os.Stat("/sys/class/net/" + name); errors.Is(statErr, fs.ErrNotExist) {
			err = ErrNoNetdev
		}
		return false, nil, err
	}
	list, err := dev.Addrs()
	if err != nil {
		return false, nil, err
	}
	for _, a := range list {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil {
			addr := prefix.Addr().Unmap()
			if addr.Is6() && addr.IsLinkLocalUnicast() {
				addr = addr.WithZone(name)
			}
			addrs = append(addrs, addr)
		}
	}
	return dev.Flags&net.FlagUp != 0, addrs, nil
}

func readLine(path string) (string, error) {
	raw, err := os.ReadFile(path)
	return strings.TrimSpace(string(raw)), err
}
