// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/rmr-block/rmr/internal/rmrnl"
	"github.com/rmr-block/rmr/pkg/pool"
)

type poolCreateOptions struct {
	storeOptions
	size      string
	chunk     string
	quorum    string
	checksums bool
	legs      []string // NODE:DEVICE of the members with data, if several nodes are set up
	witnesses []string
}

func (a *app) poolCreate() *cobra.Command {
	var o poolCreateOptions
	cmd := &cobra.Command{
		Use: "create NAME --device DEVICE", Short: "Make a device the first member of a new pool, or devices of several nodes all of them",
		Long: `Makes a block device the first member of a new pool and serves it. The other members join
with "rmrctl pool join". The device is checked before anything is written: it must not be in use,
and without --force it must carry nothing. Then its data area is filled with zeros.

With --quorum majority, more than half of all members have to be reached for the pool to be served,
and any of its members may be lost as long as that holds: use three or more, of which one may be a
witness ("rmrctl pool join --witness"). Without, all members that were last up to date are needed.

With --adopt, what the first --size bytes of the device hold becomes the data of the pool: nothing of
it is overwritten, and a file system or volume group there is no reason against it. The rest of the
device becomes metadata: shrink what is on it before, or give a --metadata-device. The other members get a full copy.

With --data-checksums, data carries a CRC-32C from the client to each member, and between members in a resync;
what does not match is not stored, but sent again. It is a property of the pool for good.

With --leg NODE:DEVICE for each member, a pool is set up on several nodes at once: this host, by name, and others whose
rmr-storaged takes commands over TLS (port 9743, or NODE:PORT:/dev/...) with --cert, --key and --ca. If a node fails,
give the command again: members that are there already are left as they are.`,
		Args: cobra.ExactArgs(1),
		Example: `  rmrctl pool create vol1 --device /dev/sdb
  rmrctl pool create vol1 --size 10G --leg stor1:/dev/sdb --leg stor2:/dev/sdb --cert admin.crt --key admin.key --ca ca.crt
  rmrctl pool create vol1 --device /dev/sdb --quorum majority
  rmrctl pool create vol1 --device /dev/sdb --adopt --size 10G
  rmrctl pool create vol1 --device /dev/sdb --adopt --metadata-device /dev/sdc1
  rmrctl pool create vol1 --device /dev/sdb --size 10G --addr 192.0.2.1 --dry-run`,
	}
	o.flags(cmd)
	cmd.Flags().StringVar(&o.size, "size", "", "`size` of the volume (default: the largest that fits)")
	cmd.Flags().BoolVar(&o.adopt, "adopt", false, "keep what the device holds as the data of the pool")
	cmd.Flags().StringVar(&o.chunk, "chunk-size", "1M", "unit of dirty tracking, a power of two from 64K to 16M")
	cmd.Flags().StringVar(&o.quorum, "quorum", "off", "who has to agree: off, or majority of all members")
	cmd.Flags().BoolVar(&o.checksums, "data-checksums", false, "data carries a checksum on its way to the members")
	cmd.Flags().StringArrayVar(&o.legs, "leg", nil, "`NODE:DEVICE` of a member with data; several times")
	cmd.Flags().StringArrayVar(&o.witnesses, "witness", nil, "with --leg: `NODE:DEVICE` of a member that votes only")
	cmd.MarkFlagsOneRequired("device", "leg")
	cmd.MarkFlagsMutuallyExclusive("device", "leg")
	cmd.MarkFlagsMutuallyExclusive("device", "witness")
	return a.verb(cmd, func(ctx context.Context, args []string) error {
		if len(o.legs) > 0 {
			return o.across(ctx, a, args[0])
		}
		if err := o.prepare(a, "pool create", args[0]); err != nil {
			return err
		}
		return o.create(ctx, a)
	})
}

func (o *poolCreateOptions) create(ctx context.Context, a *app) error {
	if err := o.checkAdopt(); err != nil {
		return err
	}
	chunk, err := parseSize(o.chunk)
	if err != nil || chunk < pool.ChunkSizeMin || chunk > pool.ChunkSizeMax || chunk&(chunk-1) != 0 {
		return &usageError{fmt.Sprintf("--chunk-size %q: want a power of two from 64K to 16M", o.chunk)}
	}
	quorum := slices.Index([]string{rmrnl.QuorumOff.String(), rmrnl.QuorumMajority.String()}, o.quorum)
	if quorum < 0 {
		return &usageError{fmt.Sprintf("--quorum %q: want off or majority", o.quorum)}
	}
	var want uint64
	if o.size != "" {
		if want, err = parseSize(o.size); err != nil {
			return &usageError{"--" + err.Error()}
		}
		if want%pool.BlockSize != 0 || want < pool.PoolSizeMin || want > pool.PoolSizeMax {
			return &usageError{fmt.Sprintf("--size %q: want a multiple of 4K of at least 1M", o.size)}
		}
	}
	var p plan
	disk, err := o.openStore(a, pool.PoolSizeMin+pool.MDTail+pool.MapLen(1), &p)
	if err != nil {
		return err
	}
	if want == 0 {
		want = o.most(disk, uint32(chunk), true)
	}
	most := o.most(disk, uint32(chunk), false)
	if want > most {
		disk.Close()
		return refuse("%s: store too small: pool of %d bytes, at most %d fit on %s; "+
			"choose a smaller --size or a larger device", o.verbAndObject, want, most, o.device)
	}
	req := &rmrnl.Request{Cmd: rmrnl.CmdPoolCreate}
	req.Add(rmrnl.PoolAttrName, o.name).
		Add(rmrnl.PoolAttrSize, want).
		Add(rmrnl.PoolAttrChunkSize, uint32(chunk)).
		Add(rmrnl.PoolAttrDataChecksums, o.checksums)
	if quorum > 0 {
		req.Add(rmrnl.PoolAttrQuorum, uint8(quorum))
	}
	err = o.add(a, req)
	if err == nil {
		err = o.planZero(disk, want, &p)
	}
	if err == nil && o.adopt {
		err = o.planAdopt(disk, want, uint32(chunk), &p)
	}
	if err != nil {
		disk.Close()
		return err
	}
	return o.run(ctx, a, disk, want, req, p)
}
