// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sort"
	"strings"
)

// BuildModules builds the out-of-tree modules of src, a directory with a Kbuild file, against k
// and returns the paths of the *.ko files. Sources are copied into the cache first, one copy per
// kernel and source directory, so that the checkout stays clean and variants do not disturb each
// other; only what changed is copied and compiled. Compiler warnings go to log.
func (k *Kernel) BuildModules(ctx context.Context, src string, log io.Writer) ([]string, error) {
	if _, err := os.Stat(filepath.Join(src, "Kbuild")); err != nil {
		return nil, fmt.Errorf("build modules: %w", err)
	}
	src, err := filepath.Abs(src)
	if err != nil {
		return nil, fmt.Errorf("build modules: %w", err)
	}
	cache, err := CacheDir()
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(src))
	dir := filepath.Join(cache, fmt.Sprintf("modules-%s-%s-%s", k.Variant, k.Key, hex.EncodeToString(sum[:4])))
	unlock, err := Lock(ctx, cache, filepath.Base(dir))
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make module directory: %w", err)
	}
	if err := touch(dir); err != nil {
		return nil, fmt.Errorf("touch module directory: %w", err)
	}
	if err := mirror(src, dir); err != nil {
		return nil, fmt.Errorf("copy module sources of %s: %w", src, err)
	}
	args := []string{"-C", k.Out, "ARCH=um", "M=" + dir, fmt.Sprintf("-j%d", runtime.NumCPU()), "modules"}
	if err := run(ctx, log, cache, "make", args...); err != nil {
		return nil, fmt.Errorf("build modules of %s for the %s kernel: %w", src, k.Variant, err)
	}
	return orderedModules(dir)
}

// orderedModules returns the modules that modules.order of a build directory names.
func orderedModules(dir string) ([]string, error) {
	text, err := os.ReadFile(filepath.Join(dir, "modules.order"))
	if err != nil {
		return nil, fmt.Errorf("list modules: %w", err)
	}
	paths := []string{}
	for _, name := range strings.Fields(string(text)) {
		name = strings.TrimSuffix(name, ".o") + ".ko"
		name = strings.Replace(name, ".ko.ko", ".ko", 1)
		if !filepath.IsAbs(name) {
			name = filepath.Join(dir, name)
		}
		paths = append(paths, name)
	}
	sort.Strings(paths)
	return paths, nil
}

// Modules returns the modules of the kernel itself.
func (k *Kernel) Modules() ([]string, error) { return orderedModules(k.Out) }

// productSuffixes are what the module build leaves beside the sources.
var productSuffixes = []string{".o", ".ko", ".mod", ".mod.c", ".cmd", ".d", ".symvers", ".order"}

func isProduct(name string) bool {
	for _, suffix := range productSuffixes {
		if strings.HasSuffix(name, suffix) {
			return true
		}
	}
	return false
}

// mirror makes dst hold the sources of src: changed files are written, files that went are removed,
// products of the build stay.
func mirror(src, dst string) error {
	wanted := map[string]bool{}
	err := filepath.WalkDir(src, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(src, path)
		if err != nil || (rel != "." && isProduct(rel)) {
			return err
		}
		wanted[rel] = true
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(dst, rel), 0o755)
		}
		return copyIfChanged(path, filepath.Join(dst, rel))
	})
	if err != nil {
		return err
	}
	return filepath.WalkDir(dst, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dst, path)
		if err != nil || wanted[rel] || (!d.IsDir() && isProduct(rel)) {
			return err
		}
		if err := os.RemoveAll(path); err != nil || !d.IsDir() {
			return err
		}
		return fs.SkipDir
	})
}

func copyIfChanged(src, dst string) error {
	text, err := os.ReadFile(src)
	if err != nil {
		return err
	}
	old, err := os.ReadFile(dst)
	if err == nil && bytes.Equal(old, text) {
		return nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.WriteFile(dst, text, 0o644)
}
