// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rmr-block/rmr/internal/rmrnl"
	"github.com/rmr-block/rmr/pkg/pool"
)

type legMoveOptions struct {
	changeOptions
	leg       int
	to        string
	mdDevice  string
	addr      []string
	peer      []string
	port      uint16
	transport string
	onError   string
	wait      bool
}

func (a *app) legMove() *cobra.Command {
	var o legMoveOptions
	cmd := &cobra.Command{
		Use: "move POOL --leg MEMBER --to NODE:DEVICE", Short: "Move a member to another disk, of whatever node",
		Long: `Moves a member of a pool to a disk of another node, or of its own, while clients go on: the new disk becomes a
further member with a number of its own, gets all data from the others, and when it is up to date the old member is
removed. The pool never has a copy less. The work is that of "pool join --replaces" or, on the member's own node, of
"disk replace", with their checks of the disk; "--on-error" and "--metadata-device" are for another node only.

NODE is this host, by name or left out, or one whose rmr-storaged takes commands over TLS (port 9743, or NODE:PORT:/dev/...):
then --cert, --key and --ca are needed, as for --server. The addresses of the pool's members are known where it
is mapped or served, else give --peer.

Give the command again after an interruption of whatever part, or to look with --wait how far it is: it goes on with
what is there, and says so if nothing is left to do.`,
		Args: cobra.ExactArgs(1),
		Example: `  rmrctl leg move vol1 --leg 1 --to stor3:/dev/sdc --cert admin.crt --key admin.key --ca ca.crt --wait
  rmrctl leg move vol1 --leg 1 --to /dev/sdc --peer 192.0.2.1 --dry-run`,
	}
	o.flags(cmd.Flags(), "overwrite a file system, partition table or superblock on the device")
	fs := cmd.Flags()
	fs.IntVar(&o.leg, "leg", -1, "`id` of the member that moves")
	fs.StringVar(&o.to, "to", "", "where it moves: `NODE:DEVICE`, or a device of this host")
	fs.StringVar(&o.mdDevice, "metadata-device", "", "block `device` of that node for the metadata")
	fs.StringSliceVar(&o.addr, "addr", nil, "`addresses` of that node for clients and peers (default: those of its RDMA network devices)")
	fs.StringSliceVar(&o.peer, "peer", nil, "`addresses` of members that serve the pool (default: those known here)")
	fs.StringVar(&o.onError, "on-error", "", "`policy` for errors of the disk: repair (default), detach or pass-on")
	fs.BoolVar(&o.wait, "wait", false, "wait until the move has ended, and show how far it is")
	addPort(fs, &o.port, &o.transport)
	mustRequire(cmd, "leg")
	mustRequire(cmd, "to")
	return a.verb(cmd, func(ctx context.Context, args []string) error {
		if err := checkPoolName(args[0]); err != nil {
			return err
		}
		if err := o.move(ctx, a, args[0]); err != nil {
			return fmt.Errorf("leg move %s: %w", args[0], err)
		}
		return nil
	})
}

func (o *legMoveOptions) move(ctx context.Context, a *app, name string) error {
	if o.leg < 0 || o.leg >= pool.MaxMembers {
		return &usageError{fmt.Sprintf("--leg %d: must be a number from 0 to %d", o.leg, pool.MaxMembers-1)}
	}
	to, err := parseNodeDevice("--to", o.to)
	if err != nil {
		return err
	}
	if err := addOnError(&rmrnl.Request{}, o.onError); err != nil {
		return err
	}
	if len(o.peer) == 0 {
		if o.peer, err = a.peersKnown(ctx, name); err != nil {
			return err
		}
	}
	there, err := a.poolsOn(ctx, to.node, name)
	if err != nil {
		return err
	}
	own := slices.ContainsFunc(there, func(p poolView) bool { return int(p.MemberID) == o.leg })
	if !own && len(o.peer) == 0 {
		for _, p := range there {
			o.peer = append(o.peer, othersOf(p)...)
		}
	}
	if !own && len(o.peer) == 0 {
		return &usageError{"no member of the pool is known here: give --peer"}
	}
	return a.pass(ctx, to.node, o.command(name, to.device, own)...)
}

// othersOf are the addresses of the members but the one of this view.
func othersOf(p poolView) (list []string) {
	for _, m := range p.Members {
		if m.ID != p.MemberID && len(m.Addr) > 0 {
			list = append(list, m.Addr[0])
		}
	}
	return list
}

// command is what the node has to do.
func (o *legMoveOptions) command(name, device string, own bool) []string {
	leg := strconv.Itoa(o.leg)
	args := []string{"pool", "join", name, "--replaces", leg}
	if own {
		args = []string{"disk", "replace", name, "--leg", leg}
	}
	args = append(args, "--device", device)
	add := func(option, value string) {
		if value != "" {
			args = append(args, option, value)
		}
	}
	set := func(option string, on bool) {
		if on {
			args = append(args, option)
		}
	}
	add("--metadata-device", o.mdDevice)
	add("--addr", strings.Join(o.addr, ","))
	if !own {
		add("--peer", strings.Join(o.peer, ","))
	}
	add("--on-error", o.onError)
	add("--transport", o.transport)
	if o.port != 0 {
		add("--port", strconv.Itoa(int(o.port)))
	}
	set("--force", o.force)
	set("--dry-run", o.dryRun)
	set("--wait", o.wait)
	if o.output == formatJSON {
		add("-o", "json")
	}
	return args
}
