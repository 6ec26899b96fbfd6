// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/rmr-block/rmr/internal/blockdev"
	"github.com/rmr-block/rmr/internal/metadata"
	"github.com/rmr-block/rmr/pkg/pool"
)

type diskDumpOptions struct {
	output outputFormat
	force  bool
}

func (a *app) diskDump() *cobra.Command {
	var o diskDumpOptions
	cmd := &cobra.Command{
		Use: "dump-md DEVICE|IMAGE FILE", Short: "Copy the metadata of a store to a file",
		Long: `Copies both superblock copies and the dirty map, byte by byte, to a new file with a checksum, so that
"disk restore-md" can put them back. Stop the pool first: the metadata of a store in use changes
while it is read, so such a store is refused. So is what is no store. The file appears whole or not
at all.`,
		Args:    cobra.ExactArgs(2),
		Example: "  rmrctl disk dump-md /dev/sdb sdb.rmrmd\n  rmrctl disk dump-md disk0.img disk0.rmrmd -o json",
	}
	o.output.flag(cmd.Flags())
	cmd.Flags().BoolVar(&o.force, "force", false, "overwrite FILE if it exists")
	return a.verb(cmd, func(_ context.Context, args []string) error { return o.dump(a, args[0], args[1]) })
}

type dumpView struct {
	Path string `json:"path"`
	File string `json:"file"`
	metadata.Header
}

func (o *diskDumpOptions) dump(a *app, path, file string) error {
	if err := o.mayWrite(file); err != nil {
		return err
	}
	d, err := a.openAlone("disk dump-md", path, false)
	if err != nil {
		return err
	}
	defer d.Close()
	var h *metadata.Header
	err = writeWhole(file, o.force, func(w io.Writer) error {
		var err error
		h, err = metadata.WriteDump(w, d, d.Size, a.Now())
		return err
	})
	switch {
	case errors.Is(err, fs.ErrExist):
		return refuse("disk dump-md: %s exists; --force overwrites it", file)
	case errors.Is(err, pool.ErrNotOurs), errors.Is(err, metadata.ErrTooSmall):
		return fmt.Errorf("disk dump-md %s: not a store: %w", path, err)
	case err != nil:
		return fmt.Errorf("disk dump-md %s: %w", path, err)
	}
	if o.output == formatJSON {
		return a.printJSON(dumpView{path, file, *h})
	}
	_, err = fmt.Fprintf(a.Stdout, "disk %s: member %d of pool %s, write %d, dumped to %s\n", path, h.MemberID, h.PoolName, h.WriteSeq, file)
	return err
}

// mayWrite refuses what stands where the file is to be; --force is for files only.
func (o *diskDumpOptions) mayWrite(file string) error {
	st, err := os.Lstat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("disk dump-md: %w", err)
	case !st.Mode().IsRegular():
		return refuse("disk dump-md: %s is not a file: the device comes first, then the file", file)
	case !o.force:
		return refuse("disk dump-md: %s exists; --force overwrites it", file)
	}
	return nil
}

// openAlone opens a device or an image that nobody else uses.
func (a *app) openAlone(verb, path string, write bool) (*blockdev.Disk, error) {
	d, err := a.OpenImage(path, write)
	if d == nil {
		return nil, fmt.Errorf("%s: %w", verb, err)
	}
	facts := d.Facts
	facts.ReadOnly = facts.ReadOnly && write
	for _, p := range blockdev.Check(facts, nil, 0) {
		d.Close()
		return nil, refuse("%s: %s", verb, p.Text)
	}
	if err != nil {
		d.Close()
		return nil, hint(fmt.Errorf("%s: %w", verb, err), "`rmrctl pool stop` ends a pool")
	}
	return d, nil
}

// writeWhole makes a file that appears with all its content or not at all, also after a power failure.
func writeWhole(path string, overwrite bool, fill func(w io.Writer) error) (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(tmp.Name())
		}
	}()
	out := bufio.NewWriterSize(tmp, 1<<20)
	err = fill(out)
	if err == nil {
		err = out.Flush()
	}
	if err == nil {
		err = tmp.Sync()
	}
	if err = errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	flags := uint(unix.RENAME_NOREPLACE)
	if overwrite {
		flags = 0
	}
	if err = unix.Renameat2(unix.AT_FDCWD, tmp.Name(), unix.AT_FDCWD, path, flags); err != nil {
		return &os.LinkError{Op: "rename", Old: tmp.Name(), New: path, Err: err}
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
