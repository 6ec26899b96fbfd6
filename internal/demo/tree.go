// SPDX-License-Identifier: Apache-2.0

// The file tree that is copied, its manifest, and the comparison of disk images.

package demo

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
)

// What the main job promises about its input.
const (
	minFiles = 5000
	minBytes = 200 << 20
)

// tree is a directory of the host with the SHA-256 of each regular file, by path below root.
type tree struct {
	root  string
	files int
	bytes int64
	sums  map[string]string
}

// newTree takes the Go toolchain, a tree that is on every machine that can build the project.
func newTree(ctx context.Context) (*tree, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return nil, fmt.Errorf("find the Go toolchain: %w", err)
	}
	root, err := filepath.EvalSymlinks(strings.TrimSpace(string(out)))
	if err != nil {
		return nil, fmt.Errorf("find the Go toolchain: %w", err)
	}
	t := &tree{root: root, sums: map[string]string{}}
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		return t.add(path)
	})
	if err != nil {
		return nil, fmt.Errorf("hash %s: %w", root, err)
	}
	if t.files < minFiles || t.bytes < minBytes {
		return nil, fmt.Errorf("tree %s: %d files of %d bytes are too few for the job: want %d of %d",
			root, t.files, t.bytes, minFiles, minBytes)
	}
	return t, nil
}

func (t *tree) add(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	if err != nil {
		return err
	}
	rel, err := filepath.Rel(t.root, path)
	if err != nil {
		return err
	}
	t.sums[rel] = fmt.Sprintf("%x", h.Sum(nil))
	t.files++
	t.bytes += n
	return nil
}

// compare takes the output of sha256sum for the copy.
func (t *tree) compare(manifest string) error {
	var wrong []string
	seen := 0
	for line := range strings.Lines(manifest) {
		sum, name, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		if !ok {
			return fmt.Errorf("manifest: odd line %q", line)
		}
		name = strings.TrimPrefix(name, "./")
		if t.sums[name] != sum {
			wrong = append(wrong, name)
		}
		seen++
	}
	if seen != t.files {
		return fmt.Errorf("manifest: %d files in the copy, %d in the original", seen, t.files)
	}
	if len(wrong) > 0 {
		sort.Strings(wrong)
		return fmt.Errorf("manifest: %d files differ, first %s", len(wrong), wrong[0])
	}
	return nil
}

// equalFiles compares the first size bytes of two files.
func equalFiles(a, b string, size int64) error {
	fa, err := os.Open(a)
	if err != nil {
		return err
	}
	defer fa.Close()
	fb, err := os.Open(b)
	if err != nil {
		return err
	}
	defer fb.Close()
	const part = 1 << 20
	bufA, bufB := make([]byte, part), make([]byte, part)
	for off := int64(0); off < size; off += part {
		n := min(part, size-off)
		if _, err := fa.ReadAt(bufA[:n], off); err != nil {
			return fmt.Errorf("read %s at %d: %w", a, off, err)
		}
		if _, err := fb.ReadAt(bufB[:n], off); err != nil {
			return fmt.Errorf("read %s at %d: %w", b, off, err)
		}
		if !bytes.Equal(bufA[:n], bufB[:n]) {
			return fmt.Errorf("the legs differ in the MiB at byte %d", off)
		}
	}
	return nil
}
