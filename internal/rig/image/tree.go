// SPDX-License-Identifier: Apache-2.0

package image

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strings"

	"github.com/cavaliergopher/cpio"
)

// entry is one file, directory or symbolic link of an image.
type entry struct {
	mode   cpio.FileMode
	source string // file on the host with the content, or
	data   []byte // the content itself
	link   string // target of a symbolic link
}

// tree is the content of an image by absolute path.
type tree struct {
	entries map[string]entry
}

func (t *tree) add(name string, e entry) {
	if dir := path.Dir(name); dir != "/" {
		t.addDir(dir)
	}
	t.entries[name] = e
}

func (t *tree) addDir(name string) {
	if _, ok := t.entries[name]; !ok {
		t.add(name, entry{mode: cpio.TypeDir | 0o755})
	}
}

func (t *tree) addSymlink(name, target string) {
	t.add(name, entry{mode: cpio.TypeSymlink | 0o777, link: target})
}

func (t *tree) addData(name string, mode cpio.FileMode, data []byte) {
	t.add(name, entry{mode: cpio.TypeReg | mode, data: data})
}

func (t *tree) addFile(name, source string) error {
	info, err := os.Stat(source)
	if err != nil {
		return fmt.Errorf("add %s to the image: %w", name, err)
	}
	t.add(name, entry{mode: cpio.TypeReg | cpio.FileMode(info.Mode().Perm()), source: source})
	return nil
}

// paths returns all paths; a directory comes before what is in it.
func (t *tree) paths() []string {
	paths := make([]string, 0, len(t.entries))
	for name := range t.entries {
		paths = append(paths, name)
	}
	sort.Strings(paths)
	return paths
}

// extract writes the regular files below prefix to the host directory dir.
func (t *tree) extract(prefix, dir string) error {
	for _, name := range t.paths() {
		rel, below := strings.CutPrefix(name, prefix+"/")
		if !below || t.entries[name].source == "" {
			continue
		}
		if err := copyFile(t.entries[name].source, filepath.Join(dir, rel)); err != nil {
			return fmt.Errorf("stage %s: %w", name, err)
		}
	}
	return nil
}

func copyFile(src, dst string) error {
	if err := os.MkdirAll(filepath.Dir(dst), 0o755); err != nil {
		return err
	}
	in, err := os.Open(src)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(dst)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}

// write makes the cpio archive that the kernel unpacks.
func (t *tree) write(file string) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer f.Close()
	buf := bufio.NewWriterSize(f, 1<<20)
	w := cpio.NewWriter(buf)
	for i, name := range t.paths() {
		if err := writeEntry(w, name, int64(i+1), t.entries[name]); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	if err := buf.Flush(); err != nil {
		return err
	}
	return f.Close()
}

func writeEntry(w *cpio.Writer, name string, inode int64, e entry) error {
	content := e.data
	if e.link != "" {
		content = []byte(e.link) // the format stores a link's target as its content
	}
	h := &cpio.Header{Name: name[1:], Mode: e.mode, Inode: inode, Links: 1, Size: int64(len(content))}
	if e.source == "" {
		if err := w.WriteHeader(h); err != nil {
			return err
		}
		_, err := w.Write(content)
		return err
	}
	f, err := os.Open(e.source)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	h.Size = info.Size()
	if err := w.WriteHeader(h); err != nil {
		return err
	}
	_, err = io.Copy(w, f)
	return err
}
