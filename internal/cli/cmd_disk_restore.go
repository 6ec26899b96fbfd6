// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/rmr-block/rmr/internal/blockdev"
	"github.com/rmr-block/rmr/internal/metadata"
	"github.com/rmr-block/rmr/pkg/pool"
)

type diskRestoreOptions struct {
	changeOptions
	unchanged bool
}

func (a *app) diskRestore() *cobra.Command {
	var o diskRestoreOptions
	cmd := &cobra.Command{
		Use: "restore-md FILE DEVICE|IMAGE", Short: "Put the metadata of a store back from a file",
		Long: `Puts back what "disk dump-md" kept: superblock copies and sectors of the dirty map that the device
lost. What the device still has is never replaced, and the data area is not touched.

The bytes of the dump come back as they were if a superblock copy on the device is still the one of
the dump, or if you say --unchanged: no node has served the store since. Otherwise nobody knows what
the store has missed. It then comes back as one that knows nothing: every chunk is marked for every
member, an attach needs all data members, and a history of its own makes it a split brain beside
the others. "rmrctl pool resolve" gives it up, and it gets a full copy; or "brmr map --force" serves
what it has, if it is the only one left.

Refused, whatever the options: another store's dump, another size, a device in use, and a device
whose own superblock is valid and of another moment.`,
		Args: cobra.ExactArgs(2),
		Example: `  rmrctl disk restore-md sdb.rmrmd /dev/sdb --dry-run
  rmrctl disk restore-md sdb.rmrmd /dev/sdb --unchanged --force`,
	}
	o.flags(cmd.Flags(), "write to the device")
	cmd.Flags().BoolVar(&o.unchanged, "unchanged", false, "no node has served the store since the dump was made")
	return a.verb(cmd, func(_ context.Context, args []string) error { return o.restore(a, args[0], args[1]) })
}

func (o *diskRestoreOptions) restore(a *app, file, path string) error {
	f, dump, err := readDump(file)
	if err != nil {
		return fmt.Errorf("disk restore-md: dump %s: %w", file, err)
	}
	defer f.Close()
	d, err := a.openAlone("disk restore-md", path, true)
	if err != nil {
		return err
	}
	defer d.Close()
	lineage, err := newUUID()
	if err != nil {
		return err
	}
	r, err := metadata.PlanRestore(dump, d, d.Size, o.unchanged, lineage)
	var refusal *metadata.Refusal
	if errors.As(err, &refusal) {
		return refuse("disk restore-md %s: %v", path, err)
	}
	if err != nil {
		return fmt.Errorf("disk restore-md %s: %w", path, err)
	}
	p := restorePlan(dump, d, r)
	if goOn, err := a.proceed(o.changeOptions, p); !goOn {
		return err
	}
	if r.Nothing() {
		return o.print(a, path, r)
	}
	if err := r.Apply(d); err != nil {
		return fmt.Errorf("disk restore-md %s: %w", path, err)
	}
	return o.print(a, path, r)
}

// readDump opens and checks a dump; the caller closes the file.
func readDump(file string) (*os.File, *metadata.Dump, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, nil, err
	}
	st, err := f.Stat()
	if err == nil && !st.Mode().IsRegular() {
		err = errors.New("not a file: the dump comes first, then the device")
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	dump, err := metadata.ReadDump(f, st.Size())
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, dump, nil
}

// newUUID draws a random UUID, version 4.
func newUUID() (u pool.UUID, err error) {
	if _, err := rand.Read(u[:]); err != nil {
		return u, fmt.Errorf("random UUID: %w", err)
	}
	u[6], u[8] = u[6]&0x0f|0x40, u[8]&0x3f|0x80
	return u, nil
}

// restorePlan says what will be written and what it may cost.
func restorePlan(dump *metadata.Dump, d *blockdev.Disk, r *metadata.Restore) plan {
	var p plan
	if r.Nothing() {
		return p
	}
	h := dump.Header
	if r.Sectors > 0 {
		p.Before = append(p.Before, fmt.Sprintf("write %d sectors of the map, which starts at byte %d; %d of them all dirty",
			r.Sectors, dump.Store.Superblock.MapOff, r.AllDirty))
	}
	for _, i := range r.Copies {
		p.Before = append(p.Before, fmt.Sprintf("write superblock copy %d at byte %d", i, dump.Store.Copies[i].Offset))
	}
	p.raise(riskLoseData, "metadata of %s is overwritten from a dump of member %d of pool %s, write %d, made %s",
		d.Path, h.MemberID, h.PoolName, h.WriteSeq, time.Unix(h.Made, 0).UTC().Format(time.RFC3339))
	switch {
	case r.Mode == metadata.Uncertain:
		p.raise(riskLoseData, "nothing on the device tells whether the store went on after that: it comes back with every chunk dirty and "+
			"uncertain and a history of its own: a split brain beside other members, for `rmrctl pool resolve` (--unchanged: see the manual)")
	case !r.Proven:
		p.raise(riskLoseData, "only --unchanged says that the store did not go on after that; if it did, acknowledged writes are lost")
	}
	for _, f := range d.Findings {
		own := f.Kind == blockdev.Store || f.Kind == blockdev.DamagedStore || r.Proven && f.Offset < dump.Store.Superblock.PoolSize
		if !own {
			p.raise(riskLoseData, "the device carries a %v: in the pool's data, or somebody else's", f)
		}
	}
	return p
}

type restoreView struct {
	Path      string        `json:"path"`
	Mode      metadata.Mode `json:"mode"`
	Proven    bool          `json:"proven"`
	Unchanged bool          `json:"unchanged"`
	Copies    []int         `json:"copies"`
	Sectors   uint32        `json:"sectors"`
	AllDirty  uint32        `json:"all_dirty_sectors"`
}

func (o *diskRestoreOptions) print(a *app, path string, r *metadata.Restore) error {
	if o.output == formatJSON {
		return a.printJSON(restoreView{path, r.Mode, r.Proven, r.Unchanged, notNil(r.Copies), r.Sectors, r.AllDirty})
	}
	if r.Nothing() {
		_, err := fmt.Fprintf(a.Stdout, "disk %s: nothing to restore\n", path)
		return err
	}
	_, err := fmt.Fprintf(a.Stdout, "disk %s: restored, %v: %d superblock copies, %d map sectors, %d of them all dirty\n",
		path, r.Mode, len(r.Copies), r.Sectors, r.AllDirty)
	return err
}
