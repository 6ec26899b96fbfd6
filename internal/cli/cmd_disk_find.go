// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/rmr-block/rmr/internal/metadata"
	"github.com/rmr-block/rmr/pkg/pool"
)

type diskFindOptions struct{ output outputFormat }

func (a *app) diskFind() *cobra.Command {
	var o diskFindOptions
	cmd := &cobra.Command{
		Use: "find DEVICE|IMAGE", Short: "Search a grown device for its superblock",
		Long: `Reads a whole device and lists the superblocks on it, with the size of the store that each belongs
to: "rmrctl pool assemble --store-size" takes it. Use it if a device has grown while nobody served
it. The list begins at the end of the device; of two stores that of the higher write counts.`,
		Args:    cobra.ExactArgs(1),
		Example: "  rmrctl disk find /dev/sdb\n  rmrctl disk find disk0.img -o json",
	}
	o.output.flag(cmd.Flags())
	return a.verb(cmd, func(ctx context.Context, args []string) error { return o.find(ctx, a, args[0]) })
}

type foundView struct {
	StoreSize uint64    `json:"store_size"` // bytes
	Copy      int       `json:"copy"`
	WriteSeq  uint64    `json:"write_seq"`
	Name      string    `json:"name"`
	UUID      pool.UUID `json:"uuid"`
	StoreUUID pool.UUID `json:"store_uuid"`
	MemberID  uint8     `json:"member_id"`
	AtEnd     bool      `json:"at_end"` // found without a search
}

func (o *diskFindOptions) find(ctx context.Context, a *app, path string) error {
	d, _, err := a.openToLook("disk find", path)
	if err != nil {
		return err
	}
	defer d.Close()
	progress := a.progress("reading " + path)
	found, err := metadata.Find(ctx, d, d.Size, progress.report)
	progress.finish()
	if err != nil {
		return fmt.Errorf("disk find %s: %w", path, err)
	}
	list := []foundView{}
	for _, f := range found {
		sb := f.Superblock
		list = append(list, foundView{
			f.StoreSize, f.Copy, sb.WriteSeq, sb.Name, sb.Pool, sb.Store, sb.MemberID, f.StoreSize == pool.UsableSize(d.Size),
		})
	}
	if o.output == formatJSON {
		return a.printJSON(list)
	}
	if len(list) == 0 {
		return fmt.Errorf("disk find %s: no superblock on it", path)
	}
	for _, f := range list {
		fmt.Fprintf(a.Stdout, "store-size %d copy %d write %d: member %d of pool %s\n", f.StoreSize, f.Copy, f.WriteSeq, f.MemberID, f.Name)
	}
	return nil
}
