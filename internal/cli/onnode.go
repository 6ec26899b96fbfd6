// SPDX-License-Identifier: Apache-2.0

// Commands that concern several nodes: each part is a command of this tool, run here or, over TLS, by the daemon of
// the node that it is for.

package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/rmr-block/rmr/internal/api"
	"github.com/rmr-block/rmr/internal/rmrnl"
)

const daemonPort = "9743" // of rmr-storaged's TLS listener in the examples; NODE:PORT says another

// nodeDevice is a device of a node: NODE:/dev/NAME, NODE:PORT:/dev/NAME, or a path alone for this host.
type nodeDevice struct{ node, device string }

func parseNodeDevice(option, s string) (nodeDevice, error) {
	if strings.HasPrefix(s, "/") {
		return nodeDevice{"", s}, nil
	}
	node, device, ok := strings.Cut(s, ":/")
	if !ok || node == "" || device == "" {
		return nodeDevice{}, &usageError{fmt.Sprintf("%s %.70q: want NODE:/dev/NAME, or /dev/NAME for this host", option, s)}
	}
	return nodeDevice{node, "/" + device}, nil
}

func (d nodeDevice) String() string {
	if d.node == "" {
		return d.device
	}
	return d.node + ":" + d.device
}

// host is the node in words.
func (d nodeDevice) host() string {
	if d.node == "" {
		return "this host"
	}
	return d.node
}

// isHere tells whether a node is this host.
func (a *app) isHere(node string) (bool, error) {
	if node == "" || node == "localhost" {
		return true, nil
	}
	own, err := a.Hostname()
	if err != nil {
		return false, fmt.Errorf("host name: %w", err)
	}
	short, _, _ := strings.Cut(own, ".")
	return node == own || node == short, nil
}

// onNode runs a command of this tool on a node and returns its exit code.
func (a *app) onNode(ctx context.Context, node string, stdout, stderr io.Writer, args ...string) (int, error) {
	here, err := a.isHere(node)
	if err != nil {
		return 0, err
	}
	if here {
		env := a.Env
		env.Stdout, env.Stderr = stdout, stderr
		return Run(ctx, env, append([]string{"rmrctl"}, args...)), nil
	}
	if a.files.Cert == "" || a.files.Key == "" || a.files.CA == "" {
		return 0, hint(fmt.Errorf("%s is another host", node), "give --cert, --key and --ca for its daemon, or run this there with the device alone")
	}
	client, err := api.TLSClient(a.files)
	if err != nil {
		return 0, err
	}
	host := node
	if _, _, err := net.SplitHostPort(node); err != nil {
		host = net.JoinHostPort(strings.Trim(node, "[]"), daemonPort)
	}
	code, err := api.Run(ctx, client, "https://"+host, stdout, stderr, args)
	if err != nil {
		return 0, fmt.Errorf("daemon of %s: %w", node, err)
	}
	return code, nil
}

// pass runs a command on a node as if it had been given there: its output, and its exit code if that is not 0.
func (a *app) pass(ctx context.Context, node string, args ...string) error {
	code, err := a.onNode(ctx, node, a.Stdout, a.Stderr, args...)
	if err == nil && code != ExitOK {
		err = quietExit(code)
	}
	return err
}

// poolsOn lists the members of a pool that a node serves; none is no error.
func (a *app) poolsOn(ctx context.Context, node, name string) ([]poolView, error) {
	var out, complaint bytes.Buffer
	code, err := a.onNode(ctx, node, &out, &complaint, "pool", "show", "-o", "json")
	if err != nil {
		return nil, err
	}
	if code != ExitOK && code != ExitDegraded {
		return nil, fmt.Errorf("pool show on %s: %s", orDash(node), strings.TrimSpace(complaint.String()))
	}
	var list, named []poolView
	if err := json.Unmarshal(out.Bytes(), &list); err != nil {
		return nil, fmt.Errorf("pool show on %s: %w", orDash(node), err)
	}
	for _, p := range list {
		if p.Name == name {
			named = append(named, p)
		}
	}
	return named, nil
}

// peersKnown are the addresses of a pool's members as this host's kernel knows them; none is no error.
func (a *app) peersKnown(ctx context.Context, name string) (list []string, err error) {
	err = a.kernel(func(c *rmrnl.Client) error {
		pools, err := c.Pools(ctx)
		if err != nil {
			return err
		}
		for _, p := range pools {
			for _, m := range p.Member {
				if p.Name == name && len(m.Addr) > 0 {
					list = append(list, m.Addr[0])
				}
			}
			if len(list) > 0 {
				return nil
			}
		}
		legs, err := c.Legs(ctx)
		for _, l := range legs {
			if l.PoolName == name && l.Addr != "" {
				list = append(list, l.Addr)
			}
		}
		return err
	})
	return list, err
}
