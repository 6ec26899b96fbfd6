// SPDX-License-Identifier: Apache-2.0

// The noun softroce: its three verbs are short and share their table.

package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rmr-block/rmr/internal/softroce"
)

var portColumns = []column[softroce.Port]{
	{"device", true, false, func(p softroce.Port) string { return p.Device }},
	{"port", true, true, func(p softroce.Port) string { return num(uint64(p.Port)) }},
	{"netdev", true, false, func(p softroce.Port) string { return p.Netdev }},
	{"state", true, false, func(p softroce.Port) string { return p.State }},
	{"soft", true, false, func(p softroce.Port) string { return yesNo(p.Soft) }},
	{"addresses", true, false, portAddrs},
}

func portAddrs(p softroce.Port) string {
	list := make([]string, 0, len(p.Addresses))
	for _, a := range p.Addresses {
		list = append(list, a.String())
	}
	return strings.Join(list, ",")
}

func (a *app) softroceShow() *cobra.Command {
	var o showOptions
	cmd := &cobra.Command{
		Use: "show [+FIELD|-FIELD]...", Short: "Show RDMA devices and their network devices",
		Long: "Shows every RDMA port of this host, in hardware or software, with its network device.",
		Example: `  rmrctl softroce show
  rmrctl softroce show -o json`,
	}
	showFlags(cmd, &o, portColumns)
	return a.verb(cmd, func(ctx context.Context, _ []string) error {
		return show(ctx, a, &o, portColumns, func(p softroce.Port) bool { return !p.Active() },
			func(context.Context) ([]softroce.Port, error) { return a.RDMA.Ports() })
	})
}

type softroceOptions struct {
	changeOptions
	name    string
	timeout time.Duration
}

func (a *app) softroceUp() *cobra.Command {
	var o softroceOptions
	cmd := &cobra.Command{
		Use: "up NETDEV", Short: "Give a network device an RDMA device in software",
		Long: `Adds a soft-RoCE link (driver rdma_rxe) to a network device and waits until its port is active.
Loads the driver if it is missing. A network device that has an RDMA device already keeps it.`,
		Args:    cobra.ExactArgs(1),
		Example: "  rmrctl softroce up eth0",
	}
	o.flags(cmd.Flags(), "")
	cmd.Flags().StringVar(&o.name, "name", "", "`name` of the RDMA device (default: rxe_NETDEV)")
	cmd.Flags().DurationVar(&o.timeout, "timeout", 10*time.Second, "how long to wait for the port")
	return a.verb(cmd, func(ctx context.Context, args []string) error { return o.up(ctx, a, args[0]) })
}

func (o *softroceOptions) up(ctx context.Context, a *app, netdev string) error {
	if o.name == "" {
		o.name = "rxe_" + netdev
	}
	p := plan{Before: []string{fmt.Sprintf("add RDMA link %s type rxe netdev %s, unless %s has an RDMA device", o.name, netdev, netdev)}}
	if goOn, err := a.proceed(o.changeOptions, p); !goOn {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	port, made, err := a.RDMA.Up(ctx, netdev, o.name)
	if err != nil {
		return fmt.Errorf("softroce up: %w", err)
	}
	if o.output == formatJSON {
		return a.printJSON(port)
	}
	word := map[bool]string{false: "exists", true: "added"}[made]
	_, err = fmt.Fprintf(a.Stdout, "%s on %s %s, port %d %s\n", port.Device, port.Netdev, word, port.Port, port.State)
	return err
}

func (a *app) softroceDown() *cobra.Command {
	var o softroceOptions
	cmd := &cobra.Command{
		Use: "down NETDEV|DEVICE", Short: "Delete a soft-RoCE link",
		Long:    "Deletes the soft-RoCE link of a network device. Sessions that use it break.",
		Args:    cobra.ExactArgs(1),
		Example: "  rmrctl softroce down eth0",
	}
	o.flags(cmd.Flags(), "")
	return a.verb(cmd, func(_ context.Context, args []string) error {
		p := plan{Before: []string{"delete the RDMA link of " + args[0]}}
		p.raise(riskDegrades, "sessions that use it break")
		if goOn, err := a.proceed(o.changeOptions, p); !goOn {
			return err
		}
		port, err := a.RDMA.Down(args[0])
		if err != nil {
			return fmt.Errorf("softroce down: %w", err)
		}
		return a.printDone(o.output, "softroce", port.Device, "deleted")
	})
}
