// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/rmr-block/rmr/internal/rmrnl"
	"github.com/rmr-block/rmr/pkg/pool"
)

type poolJoinOptions struct {
	storeOptions
	peer      []string
	id        int
	replaces  int
	witness   bool
	zero      bool
	wait      bool
	port      uint16
	transport string
}

func (a *app) poolJoin() *cobra.Command {
	var o poolJoinOptions
	cmd := &cobra.Command{
		Use: "join NAME --device DEVICE --peer ADDR", Short: "Make a device a further member of a pool",
		Long: `Makes a block device a further member of a pool that another storage node serves, and serves
it. Size, chunk size and UUID come from the peer. The device is checked as by "rmrctl pool create".

Of a pool that no client has used, the device is zeroed first and is up to date at once. A pool that was
used, or is in use, takes it as a blank member: it gets all data from the others, while clients go on, and
is up to date when they say so ("rmrctl resync show"). Blocks that are equal already are not copied, so
what is on the device counts for nothing and --zero only saves transfers where the pool was never written.
Without a client the copying begins when one attaches.

With --replaces the new member takes the place of another one, on whatever node: that one stays until the new
one is up to date, then it is removed. "rmrctl leg move" does this from anywhere. Given again after an interruption it goes on.

With --witness the member holds no data, only its vote: 128 KiB are enough, and nothing is zeroed.
The pool must have been created with --quorum majority. Give a witness a node of its own.`,
		Args: cobra.ExactArgs(1),
		Example: `  rmrctl pool join vol1 --device /dev/sdb --peer 192.0.2.1
  rmrctl pool join vol1 --device /dev/sdb --peer 192.0.2.1 --id 2 --dry-run
  rmrctl pool join vol1 --device /dev/sdb --peer 192.0.2.1 --replaces 0
  rmrctl pool join vol1 --device /dev/vda3 --peer 192.0.2.1 --witness`,
	}
	o.flags(cmd)
	fs := cmd.Flags()
	fs.StringSliceVar(&o.peer, "peer", nil, "`addresses` of members that serve the pool, asked in turn")
	fs.IntVar(&o.id, "id", -1, "member `id`, 0 to 7 (default: the lowest free one)")
	fs.IntVar(&o.replaces, "replaces", -1, "`id` of the member whose place it takes")
	fs.BoolVar(&o.zero, "zero", false, "zero the device even if the pool was used")
	fs.BoolVar(&o.witness, "witness", false, "vote only, hold no data")
	fs.BoolVar(&o.wait, "wait", false, "with --replaces: wait until the move has ended, and show how far it is")
	mustRequire(cmd, "device")
	addPort(fs, &o.port, &o.transport)
	mustRequire(cmd, "peer")
	return a.verb(cmd, func(ctx context.Context, args []string) error {
		if err := o.prepare(a, "pool join", args[0]); err != nil {
			return err
		}
		return o.join(ctx, a)
	})
}

func (o *poolJoinOptions) join(ctx context.Context, a *app) error {
	if err := checkAddrs("--peer", o.peer); err != nil {
		return err
	}
	if o.id < -1 || o.id >= pool.MaxMembers {
		return &usageError{fmt.Sprintf("--id %d: want 0 to %d", o.id, pool.MaxMembers-1)}
	}
	req := &rmrnl.Request{Cmd: rmrnl.CmdPoolJoin}
	req.Add(rmrnl.PoolAttrName, o.name)
	if o.id >= 0 {
		req.Add(rmrnl.PoolAttrMemberID, uint8(o.id))
	}
	if err := checkLeg(o.replaces); err != nil {
		return err
	}
	if o.replaces >= 0 {
		req.Add(rmrnl.PoolAttrReplaces, uint8(o.replaces))
	}
	if o.wait && o.replaces < 0 {
		return &usageError{"--wait is for --replaces; `rmrctl resync show -w` shows how far a member is"}
	}
	req.AddStrings(rmrnl.PoolAttrPeer, o.peer)
	addTransport(req, rmrnl.PoolAttrPort, rmrnl.PoolAttrTransport, o.port, o.transport)
	if err := o.add(a, req); err != nil {
		return err
	}
	if o.replaces >= 0 {
		if done, err := o.again(ctx, a, o.replaces, o.wait); done || err != nil {
			return err
		}
	}
	if o.witness {
		return o.joinWitness(ctx, a, req)
	}
	var p plan
	disk, err := o.openStore(a, pool.PoolSizeMin+pool.MDTail+pool.MapLen(1), &p)
	if err != nil {
		return err
	}
	// The pool's size is known to the peer alone: all that could become data area gets zeros.
	dataSize := pool.UsableSize(disk.Size)
	if o.mdDevice == "" {
		dataSize -= pool.MDTail
	}
	if err := o.planZero(disk, dataSize, &p); err != nil {
		disk.Close()
		return err
	}
	o.zeroBlank = o.zero
	if o.replaces >= 0 {
		p.raise(riskFullSync, "all data is compared with the other members and copied where it differs; then member %d is removed", o.replaces)
	}
	if err := o.run(ctx, a, disk, dataSize, req, p); err != nil || o.made == nil || !o.wait {
		return err
	}
	return o.waitPlaced(ctx, a, *o.made, o.replaces)
}

// joinWitness needs no data area, so nothing is zeroed.
func (o *poolJoinOptions) joinWitness(ctx context.Context, a *app, req *rmrnl.Request) error {
	req.Add(rmrnl.PoolAttrWitness, true)
	var p plan
	disk, err := o.openStore(a, pool.WitnessStoreSize, &p)
	if err != nil {
		return err
	}
	o.assumeZeroed = true
	return o.run(ctx, a, disk, 0, req, p)
}
