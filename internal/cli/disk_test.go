// SPDX-License-Identifier: Apache-2.0

// Stores for the scripts of the noun disk, and what of it no script can show.

package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/blockdev"
	"github.com/rmr-block/rmr/pkg/dirtymap"
	"github.com/rmr-block/rmr/pkg/pool"
)

// scriptPath is the file of a disk: dev/NAME.img, or NAME itself if it has a dot.
func scriptPath(name string) string {
	if strings.Contains(name, ".") {
		return filepath.Join(os.Getenv("WORK"), name)
	}
	return filepath.Join(os.Getenv("WORK"), "dev", name+".img")
}

// mkstore NAME [WORD]...: a store of 80 MiB, member 0 of a clean pool of two with chunks of 64 KiB; WORD is "attached",
// "alone", "write=N", "pool=N" or "dirty=FIRST-LAST:MASK".
func mkstore() {
	path, sb := scriptPath(os.Args[1]), storeForTests(os.Args[2:])
	fatal(os.MkdirAll(filepath.Dir(path), 0o755))
	m := dirtymap.New(sb.Chunks(), pool.MapTag(sb.Store))
	for _, word := range os.Args[2:] {
		if rest, ok := strings.CutPrefix(word, "dirty="); ok {
			var first, last uint64
			var mask uint8
			_, err := fmt.Sscanf(rest, "%d-%d:%d", &first, &last, &mask)
			fatal(err)
			m.Set(first, last, pool.Mask(mask))
		}
	}
	fatal(writeStore(path, sb, m))
}

const storeForTestsSize = 80 << 20

func storeForTests(words []string) *pool.Superblock {
	spec := pool.Spec{Name: "vol1", Size: 1200 * (64 << 10), ChunkSize: 64 << 10, Members: []pool.NewMember{
		{Node: "stor1", Addrs: []string{"192.0.2.1"}, StoreSize: storeForTestsSize},
		{Node: "stor2", Addrs: []string{"192.0.2.2"}, StoreSize: storeForTestsSize},
	}}
	ids := pool.IDs{Pool: pool.UUID{0x11}, Lineage: pool.UUID{0x22}, Stores: []pool.UUID{{0x33}, {0x44}}, Created: 1_800_000_000}
	p, err := pool.MakePlan(spec)
	fatal(err)
	sb, err := p.Superblock(0, ids)
	fatal(err)
	sb.WriteSeq, sb.Flags, sb.Promised = 43, pool.FlagUsed|pool.FlagClean, pool.Epoch{Seq: 5, Client: 0xabc}
	sb.View.Epoch, sb.View.Number, sb.View.UpToDate = sb.Promised, 12, pool.MaskOf(0, 1)
	for _, word := range words {
		key, value, _ := strings.Cut(word, "=")
		n, _ := strconv.ParseUint(value, 10, 64)
		switch key {
		case "attached":
			sb.Flags &^= pool.FlagClean
		case "successor": // of member 1, in place 0
			sb.Flags, sb.View, sb.Members[1].Successor = pool.FlagUsed|pool.FlagDiscarded, pool.View{}, 1
			sb.Members[1].Flags |= pool.SlotLeaving
		case "alone":
			sb.View.UpToDate = pool.MaskOf(0)
		case "write":
			sb.WriteSeq = n
		case "pool":
			sb.Pool = pool.UUID{byte(n)}
		}
	}
	return sb
}

func writeStore(path string, sb *pool.Superblock, m *dirtymap.Map) error {
	raw, err := sb.Encode()
	if err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	err = f.Truncate(int64(sb.StoreSize))
	put := func(b []byte, off uint64) {
		_, e := f.WriteAt(b, int64(off))
		err = errors.Join(err, e)
	}
	for i := range pool.SuperblockCopies {
		off, _ := pool.SuperblockOff(sb.StoreSize, i)
		put(raw, off)
	}
	for index := range uint32(sb.MapLen / pool.MapSector) {
		image, _ := m.Image(index)
		put(image.Encode(), sb.MapOff+uint64(index)*pool.MapSector)
	}
	return errors.Join(err, f.Close())
}

// poke NAME OFFSET TEXT|zeros=N: overwrites bytes of a disk; a negative offset counts from the end.
func poke() {
	f, err := os.OpenFile(scriptPath(os.Args[1]), os.O_RDWR, 0)
	fatal(err)
	off, err := strconv.ParseInt(os.Args[2], 10, 64)
	fatal(err)
	end, err := f.Seek(0, io.SeekEnd)
	fatal(err)
	if off < 0 {
		off += end
	}
	b := []byte(os.Args[3])
	if n, ok := strings.CutPrefix(os.Args[3], "zeros="); ok {
		count, err := strconv.Atoi(n)
		fatal(err)
		b = make([]byte, count)
	}
	_, err = f.WriteAt(b, off)
	fatal(err)
	fatal(f.Close())
}

// run runs rmrctl on this host without a kernel.
func run(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = Run(context.Background(), Host(&out, &errs, false), append([]string{"rmrctl"}, args...))
	return code, out.String(), errs.String()
}

// A real block device: shown and checked also while somebody has it, dumped and restored only when nobody has.
func TestDiskVerbsOnARealDevice(t *testing.T) {
	dir := t.TempDir()
	image, file := filepath.Join(dir, "disk.img"), filepath.Join(dir, "dump")
	sb := storeForTests([]string{"attached"})
	m := dirtymap.New(sb.Chunks(), pool.MapTag(sb.Store))
	m.Set(7, 900, pool.MaskOf(0, 1))
	require.NoError(t, writeStore(image, sb, m))
	out, err := exec.Command("losetup", "--find", "--show", image).CombinedOutput()
	if err != nil {
		t.Skipf("no loop devices on this host: %v: %s", err, out)
	}
	dev := strings.TrimSpace(string(out))
	t.Cleanup(func() { require.NoError(t, exec.Command("losetup", "--detach", dev).Run()) })

	code, _, stderr := run(t, "disk", "dump-md", image, file)
	require.Equal(t, ExitRefused, code, stderr)
	require.Contains(t, stderr, "in use by "+filepath.Base(dev))
	code, _, stderr = run(t, "disk", "check", image)
	require.Equal(t, ExitOK, code, stderr)
	require.Contains(t, stderr, "warning: "+image+" is in use")

	holder, err := blockdev.Open(dev, true)
	require.NoError(t, err)
	for _, args := range [][]string{{"disk", "dump-md", dev, file}, {"disk", "dump-md", dev, file, "--force"}} {
		code, _, stderr = run(t, args...)
		require.Equal(t, ExitRefused, code, stderr)
	}
	code, stdout, stderr := run(t, "disk", "show", dev, "-o", "json")
	require.Equal(t, ExitOK, code, stderr)
	var v diskView
	require.NoError(t, json.Unmarshal([]byte(stdout), &v))
	require.True(t, v.InUse)
	require.Equal(t, uint64(894), v.Map.Intents)
	require.NoError(t, holder.Close())

	code, _, stderr = run(t, "disk", "dump-md", dev, file)
	require.Equal(t, ExitOK, code, stderr)
	raw, err := os.OpenFile(dev, os.O_RDWR, 0)
	require.NoError(t, err)
	before := make([]byte, storeForTestsSize-int(sb.MapOff))
	_, err = raw.ReadAt(before, int64(sb.MapOff))
	require.NoError(t, err)
	_, err = raw.WriteAt(bytes.Repeat([]byte{0x5a}, len(before)), int64(sb.MapOff))
	require.NoError(t, err)
	require.NoError(t, raw.Close())
	code, _, stderr = run(t, "disk", "check", dev)
	require.Equal(t, ExitError, code, stderr)
	code, _, stderr = run(t, "disk", "restore-md", file, dev, "--unchanged", "--force")
	require.Equal(t, ExitOK, code, stderr)
	code, stdout, stderr = run(t, "disk", "check", dev)
	require.Equal(t, ExitOK, code, "%s%s", stdout, stderr)
	after, err := os.ReadFile(dev)
	require.NoError(t, err)
	for i, c := range []int{4 << 10, 68 << 10} {
		require.Equal(t, before[len(before)-c:][:4096], after[len(after)-c:][:4096], "copy %d", i)
	}
	require.Equal(t, before[:sb.MapLen], after[sb.MapOff:][:sb.MapLen])
}

// A file that another process has locked, as a machine monitor locks its disks, is in use.
func TestLockedImageIsInUse(t *testing.T) {
	dir := t.TempDir()
	image := filepath.Join(dir, "disk.img")
	sb := storeForTests(nil)
	require.NoError(t, writeStore(image, sb, dirtymap.New(sb.Chunks(), pool.MapTag(sb.Store))))
	holder, err := blockdev.OpenImage(image, true)
	require.NoError(t, err)
	code, _, stderr := run(t, "disk", "dump-md", image, filepath.Join(dir, "dump"))
	require.Equal(t, ExitRefused, code, stderr)
	require.Contains(t, stderr, "in use by another program")
	code, _, stderr = run(t, "disk", "show", image)
	require.Equal(t, ExitOK, code, stderr)
	require.Contains(t, stderr, "warning")
	require.NoError(t, holder.Close())
	code, _, stderr = run(t, "disk", "dump-md", image, filepath.Join(dir, "dump"))
	require.Equal(t, ExitOK, code, stderr)
}

// A dump that cannot be written whole leaves nothing behind.
func TestDumpAppearsWholeOrNotAtAll(t *testing.T) {
	dir := t.TempDir()
	err := writeWhole(filepath.Join(dir, "dump"), false, func(w io.Writer) error {
		if _, err := w.Write(make([]byte, 4<<20)); err != nil {
			return err
		}
		return errors.New("medium error")
	})
	require.ErrorContains(t, err, "medium error")
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, entries)
}
