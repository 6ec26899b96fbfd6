// SPDX-License-Identifier: Apache-2.0

// The real kernel: RDMA netlink and modprobe.

package softroce

import (
	"context"
	"fmt"
	"os/exec"
	"strings"

	"github.com/vishvananda/netlink"
)

// Host is the system this program runs on.
func Host() System {
	return System{Sys: "/sys", Kernel: kernel{}, Interface: Interface}
}

type kernel struct{}

func (kernel) AddLink(name, linkType, netdev string) error {
	return netlink.RdmaLinkAdd(name, linkType, netdev)
}

func (kernel) DeleteLink(name string) error { return netlink.RdmaLinkDel(name) }

// Modprobe loads a module with the distribution's tool, which knows aliases and dependencies.
func (kernel) Modprobe(ctx context.Context, module string) error {
	out, err := exec.CommandContext(ctx, "modprobe", module).CombinedOutput()
	if err != nil {
		return fmt.Errorf("modprobe %s: %w: %s", module, err, strings.TrimSpace(string(out)))
	}
	return nil
}
