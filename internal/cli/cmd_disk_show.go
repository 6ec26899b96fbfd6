// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rmr-block/rmr/internal/metadata"
)

type diskShowOptions struct{ output outputFormat }

func (a *app) diskShow() *cobra.Command {
	var o diskShowOptions
	cmd := &cobra.Command{
		Use: "show DEVICE|IMAGE", Short: "Show the metadata of a store",
		Long: `Shows what a store says about itself: both superblock copies, which one counts and what is wrong
with the other, pool, members, view, epochs, flags, where everything lies, and what the dirty map
has marked. Reads only. A store in use is shown with a warning. Exit code 3 if a copy or a map
sector is damaged, 1 if no copy is valid.`,
		Args:    cobra.MaximumNArgs(1),
		Example: "  rmrctl disk show /dev/sdb\n  rmrctl disk show disk0.img -o json | jq .superblock.view",
	}
	o.output.flag(cmd.Flags())
	return a.verb(cmd, func(_ context.Context, args []string) error { return o.show(a, args) })
}

func (o *diskShowOptions) show(a *app, args []string) error {
	path, err := oneDisk(args)
	if err != nil {
		return err
	}
	d, inUse, err := a.openToLook("disk show", path)
	if err != nil {
		return err
	}
	defer d.Close()
	s, err := metadata.Read(d, d.Size)
	if err != nil {
		return fmt.Errorf("disk show %s: %w", path, err)
	}
	v := viewDisk(path, inUse, s)
	if o.output == formatJSON {
		err = a.printJSON(v)
	} else {
		err = v.print(a.Stdout)
	}
	switch {
	case err != nil:
		return err
	case s.Superblock == nil:
		return fmt.Errorf("disk show %s: no valid superblock: %w", path, s.Err)
	case v.Degraded:
		return quietExit(ExitDegraded)
	}
	return nil
}

var (
	copyColumns = []column[copyView]{
		{"copy", true, true, func(c copyView) string { return num(uint64(c.Copy)) }},
		{"offset", true, true, func(c copyView) string { return num(c.Offset) }},
		{"state", true, false, func(c copyView) string { return c.State }},
		{"write", true, true, func(c copyView) string {
			if c.WriteSeq == 0 {
				return ""
			}
			return num(c.WriteSeq)
		}},
		{"problem", true, false, func(c copyView) string { return c.Problem }},
	}
	memberColumns = []column[memberView]{
		{"member", true, true, func(m memberView) string { return num(uint64(m.ID)) }},
		{"kind", true, false, func(m memberView) string { return m.Kind }},
		{"node", true, false, func(m memberView) string { return m.Node }},
		{"addr", true, false, func(m memberView) string { return strings.Join(m.Addr, ",") }},
		{"store-uuid", true, false, func(m memberView) string { return m.StoreUUID.String() }},
	}
	partColumns = []column[partView]{
		{"part", true, false, func(p partView) string { return p.Name }},
		{"offset", true, true, func(p partView) string { return num(p.Offset) }},
		{"length", true, true, func(p partView) string { return num(p.Length) }},
	}
)

// print writes the view for people.
func (v *diskView) print(w io.Writer) error {
	fmt.Fprintf(w, "%s: %d bytes, %d usable\n\n", v.Path, v.DeviceSize, v.StoreSize)
	writeTable(w, copyColumns, v.Copies)
	sb := v.Superblock
	if sb == nil {
		return nil
	}
	view := sb.View
	fmt.Fprintf(w, "\npool      %s %s, %s in %d chunks of %s\n", sb.PoolName, sb.PoolUUID, size(sb.PoolSize), sb.Chunks, size(uint64(sb.ChunkSize)))
	fmt.Fprintf(w, "store     member %d, %s, made %s\n", sb.MemberID, sb.StoreUUID, time.Unix(int64(sb.Created), 0).UTC().Format(time.DateTime))
	fmt.Fprintf(w, "flags     %s\n", sb.flagNames())
	fmt.Fprintf(w, "promised  epoch %d:%s\n", sb.Promised.Seq, sb.Promised.Client)
	fmt.Fprintf(w, "view      %d of epoch %d:%s, up to date %s, syncing %s, lineage %s\n\n", view.Number, view.Epoch.Seq, view.Epoch.Client,
		orDash(view.UpToDate.String()), orDash(view.Syncing.String()), view.Lineage)
	writeTable(w, memberColumns, sb.Members)
	fmt.Fprintln(w)
	writeTable(w, partColumns, sb.Layout)
	return v.Map.print(w)
}

func (m *mapView) print(w io.Writer) error {
	fmt.Fprintf(w, "\nmap: %d sectors, %d damaged; %d chunks with a write intent\n", m.Sectors, m.DamagedSectors, m.Intents)
	for _, d := range m.Dirty {
		fmt.Fprintf(w, "  member %d lacks writes in %d chunks, %s\n", d.Member, d.Chunks, size(d.Bytes))
	}
	for _, r := range m.AllDirty {
		fmt.Fprintf(w, "  all dirty: chunks %d to %d, data bytes %d to %d\n", r.First, r.Last, r.Offset, r.Offset+r.Length-1)
	}
	if m.MoreAllDirty > 0 {
		fmt.Fprintf(w, "  and %d more chunks that are all dirty\n", m.MoreAllDirty)
	}
	return nil
}
