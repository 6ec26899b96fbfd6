// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/spf13/cobra"

	"github.com/rmr-block/rmr/internal/rmrnl"
	"github.com/rmr-block/rmr/pkg/pool"
)

type deviceMapOptions struct {
	changeOptions
	node      []string
	uuid      string
	takeover  bool
	port      uint16
	transport string
	timeout   time.Duration
	stall     time.Duration
	onNoLeg   string
}

func (a *app) deviceMap() *cobra.Command {
	var o deviceMapOptions
	prefix := "rmrctl device"
	if a.name == "brmr" {
		prefix = "brmr"
	}
	cmd := &cobra.Command{
		Use: "map NAME", Short: "Attach a pool and make its block device",
		Long: `Attaches a pool and makes its block device /dev/brmrN, with a link /dev/brmr/by-name/NAME.
The storage nodes to ask come from --node, else from the environment variable RMR_NODES (addresses
with commas), else from /etc/rmr/nodes.yaml.

With --force the pool is served although members are missing without which it is refused: those that
were last up to date, or a majority. What only they have is lost, and the pool goes on with a history
of its own: members that come back later are a split brain, which "rmrctl pool resolve" settles.
Nothing is forced if enough members are there.`,
		Args:    cobra.ExactArgs(1),
		Example: fmt.Sprintf("  %[1]s map vol1 --node 192.0.2.1,192.0.2.2\n  %[1]s map vol1 --takeover\n  %[1]s map vol1 --force --dry-run", prefix),
	}
	o.flags(cmd.Flags(), "serve without the members that are missing; what only they have is lost")
	fs := cmd.Flags()
	fs.StringSliceVar(&o.node, "node", nil, "`addresses` of storage nodes to ask for the pool")
	fs.StringVar(&o.uuid, "uuid", "", "`UUID` the pool must have")
	fs.BoolVar(&o.takeover, "takeover", false, "attach although another client is connected, which loses the pool")
	fs.DurationVar(&o.timeout, "timeout", 10*time.Second, "how long to wait for the device node")
	fs.DurationVar(&o.stall, "stall", 0, "eject a leg that does not answer for so long (1s to 60s; default 5s)")
	fs.StringVar(&o.onNoLeg, "on-no-leg", "", "what I/O does without any up-to-date leg: `error`, wait, or wait so long (default 10m)")
	addPort(fs, &o.port, &o.transport)
	return a.verb(cmd, func(ctx context.Context, args []string) error { return o.attach(ctx, a, args[0]) })
}

type mappedView struct {
	Name   string    `json:"name"`
	Device string    `json:"device"`
	Link   string    `json:"link"`
	Index  uint32    `json:"index"`
	UUID   pool.UUID `json:"uuid"`
	Size   uint64    `json:"size"`
}

func (o *deviceMapOptions) request(a *app, name string) (*rmrnl.Request, error) {
	if err := checkPoolName(name); err != nil {
		return nil, err
	}
	id, err := parseUUID(o.uuid)
	if err != nil {
		return nil, err
	}
	nodes, err := a.storageNodes(name, o.node)
	if err != nil {
		return nil, err
	}
	host, err := a.nodeName()
	if err != nil {
		return nil, err
	}
	req := &rmrnl.Request{Cmd: rmrnl.CmdDeviceMap}
	req.Add(rmrnl.DeviceAttrName, name).
		AddUUID(rmrnl.DeviceAttrUUID, id).
		AddStrings(rmrnl.DeviceAttrAddr, nodes)
	addTransport(req, rmrnl.DeviceAttrPort, rmrnl.DeviceAttrTransport, o.port, o.transport)
	req.AddString(rmrnl.DeviceAttrNode, host).
		Add(rmrnl.DeviceAttrTakeover, o.takeover).
		Add(rmrnl.DeviceAttrForce, o.force)
	return req, o.addTimes(req)
}

// addTimes adds the deadline of legs and what happens without any; those not given are the kernel's.
func (o *deviceMapOptions) addTimes(req *rmrnl.Request) error {
	if o.stall != 0 {
		if o.stall < time.Second || o.stall > time.Minute {
			return &usageError{fmt.Sprintf("--stall %v: must be from 1s to 60s", o.stall)}
		}
		req.Add(rmrnl.DeviceAttrStallMs, uint32(o.stall.Milliseconds()))
	}
	switch o.onNoLeg {
	case "":
	case "error":
		req.Add(rmrnl.DeviceAttrSuspendMs, uint32(0))
	case "wait":
		req.Add(rmrnl.DeviceAttrSuspendMs, uint32(math.MaxUint32))
	default:
		d, err := time.ParseDuration(o.onNoLeg)
		if err != nil || d <= 0 || d.Milliseconds() >= math.MaxUint32 {
			return &usageError{fmt.Sprintf("--on-no-leg %q: must be error, wait or a time such as 5m", o.onNoLeg)}
		}
		req.Add(rmrnl.DeviceAttrSuspendMs, uint32(d.Milliseconds()))
	}
	return nil
}

func (o *deviceMapOptions) attach(ctx context.Context, a *app, name string) error {
	req, err := o.request(a, name)
	if err != nil {
		return err
	}
	p := plan{After: []string{fmt.Sprintf("link %s/%s to the device", byNameDir, name)}}
	if o.takeover {
		p.raise(riskDegrades, "another client that uses the pool loses it")
	}
	if o.force {
		p.raise(riskLoseData, "what only missing members have is lost; they are a split brain when they return")
	}
	if goOn, err := a.proceedRequest(o.changeOptions, req, p); !goOn {
		return err
	}
	var d rmrnl.Device
	err = a.kernel(func(c *rmrnl.Client) error {
		d, err = c.DoDevice(ctx, req)
		return err
	})
	if err != nil {
		return fmt.Errorf("map %s: %w", name, err)
	}
	if err := a.waitNode(ctx, d.Index, o.timeout); err != nil {
		return fmt.Errorf("map %s: %w", name, err)
	}
	link, err := a.linkName(name, d.Index)
	if err != nil {
		return fmt.Errorf("map %s: mapped as %s, but its link failed: %w", name, devicePath(d.Index), err)
	}
	if o.output == formatJSON {
		return a.printJSON(mappedView{d.Name, devicePath(d.Index), link, d.Index, d.UUID, d.Size})
	}
	_, err = fmt.Fprintln(a.Stdout, devicePath(d.Index))
	return err
}
