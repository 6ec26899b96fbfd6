// SPDX-License-Identifier: Apache-2.0

// Package image builds the initial RAM disk of a rig node: the agent as first process, tools
// copied from the host with their shared libraries, the kernel's modules, the project's modules
// and its rmrctl. Images are kept in the rig's cache under a hash of all their inputs.
package image

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/rmr-block/rmr/internal/rig/kernel"
)

// Spec says what goes into an image besides the host's tools.
type Spec struct {
	Kernel  *kernel.Kernel
	Root    string   // checkout of the project: module sources, agent and rmrctl
	Modules []string // *.ko files of the project
}

// Ensure returns the path of the image for the spec, building it if it is not in the cache. The image stays there
// until release is called.
func Ensure(ctx context.Context, spec Spec, log io.Writer) (path string, release func(), err error) {
	cache, err := kernel.CacheDir()
	if err != nil {
		return "", nil, err
	}
	work, err := os.MkdirTemp(cache, "image-work-")
	if err != nil {
		return "", nil, fmt.Errorf("make work directory: %w", err)
	}
	defer os.RemoveAll(work)
	tree, err := newTree(ctx, spec, work)
	if err != nil {
		return "", nil, err
	}
	key, err := tree.hash(spec.Kernel.Key)
	if err != nil {
		return "", nil, err
	}
	path = filepath.Join(cache, fmt.Sprintf("image-%s-%s.cpio", spec.Kernel.Variant, key))
	if release, err = kernel.Use(path); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return path, release, err
	}
	if err = build(ctx, tree, spec, work, path, log); err != nil {
		return "", nil, err
	}
	if release, err = kernel.Use(path); err != nil {
		return "", nil, err
	}
	return path, release, kernel.Prune(cache)
}

// build writes the image and puts it into the cache in one step.
func build(ctx context.Context, tree *tree, spec Spec, work, path string, log io.Writer) error {
	fmt.Fprintf(log, "building the node image\n")
	if err := tree.addModules(ctx, spec, work); err != nil {
		return err
	}
	unfinished := filepath.Join(work, "image.cpio")
	if err := tree.write(unfinished); err != nil {
		return fmt.Errorf("write node image: %w", err)
	}
	if err := os.Rename(unfinished, path); err != nil {
		return fmt.Errorf("finish node image: %w", err)
	}
	return nil
}

// newTree collects everything but the kernel's modules, whose identity is in the kernel's key.
func newTree(ctx context.Context, spec Spec, work string) (*tree, error) {
	t := &tree{entries: map[string]entry{}}
	for _, dir := range []string{
		"/proc", "/sys", "/dev", "/run", "/tmp", "/root", "/host", "/share", "/mnt", "/etc/modprobe.d",
		"/var/tmp", "/var/lib", "/usr/bin", "/usr/sbin", "/usr/lib", "/usr/lib64",
	} {
		t.addDir(dir)
	}
	for link, target := range map[string]string{
		"/bin": "usr/bin", "/sbin": "usr/sbin", "/lib": "usr/lib", "/lib64": "usr/lib64",
		"/var/run": "/run", "/etc/mtab": "/proc/self/mounts",
	} {
		t.addSymlink(link, target)
	}
	t.addData("/etc/passwd", 0o644, []byte("root:x:0:0:root:/root:/bin/bash\n"))
	t.addData("/etc/group", 0o644, []byte("root:x:0:\ndisk:x:6:\n"))
	t.addData("/etc/nsswitch.conf", 0o644, []byte("hosts: files\n"))
	if err := t.addHostTools(ctx); err != nil {
		return nil, err
	}
	if err := t.addProject(ctx, spec, work); err != nil {
		return nil, err
	}
	for _, ko := range spec.Modules {
		if err := t.addFile(moduleDir(spec.Kernel)+"/updates/"+filepath.Base(ko), ko); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// addProject builds the Go programs of the node.
func (t *tree) addProject(ctx context.Context, spec Spec, work string) error {
	agent := filepath.Join(work, "init")
	if err := goBuild(ctx, spec.Root, "./soft-roce/init", agent); err != nil {
		return err
	}
	if err := t.addFile("/init", agent); err != nil {
		return err
	}
	recorder := filepath.Join(work, "rmr-recorder")
	if err := goBuild(ctx, spec.Root, "./soft-roce/recorder", recorder); err != nil {
		return err
	}
	if err := t.addFile("/usr/sbin/rmr-recorder", recorder); err != nil {
		return err
	}
	for _, program := range []string{"rmrctl", "rmr-storaged"} {
		if _, err := os.Stat(filepath.Join(spec.Root, "cmd", program)); err != nil {
			continue // not written yet
		}
		binary := filepath.Join(work, program)
		if err := goBuild(ctx, spec.Root, "./cmd/"+program, binary); err != nil {
			return err
		}
		if err := t.addFile("/usr/sbin/"+program, binary); err != nil {
			return err
		}
		if program == "rmrctl" {
			t.addSymlink("/usr/sbin/brmr", program)
		}
	}
	return nil
}

// goBuild makes a static, reproducible binary.
func goBuild(ctx context.Context, root, pkg, out string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", out, pkg)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOFLAGS=")
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w; its output:\n%s", pkg, err, output)
	}
	return nil
}

func moduleDir(k *kernel.Kernel) string { return "/usr/lib/modules/" + k.Release }

// addModules adds the kernel's modules and what modprobe needs to find them and the project's.
func (t *tree) addModules(ctx context.Context, spec Spec, work string) error {
	k, stage := spec.Kernel, filepath.Join(work, "stage")
	modules, err := k.Modules()
	if err != nil {
		return err
	}
	for _, ko := range modules {
		rel, err := filepath.Rel(k.Out, ko)
		if err != nil {
			return fmt.Errorf("module %s: %w", ko, err)
		}
		if err := t.addFile(moduleDir(k)+"/kernel/"+rel, ko); err != nil {
			return err
		}
	}
	for _, name := range []string{"modules.order", "modules.builtin", "modules.builtin.modinfo"} {
		if err := t.addFile(moduleDir(k)+"/"+name, filepath.Join(k.Out, name)); err != nil {
			return err
		}
	}
	// depmod reads a tree laid out as in the node and writes its indexes there.
	root := filepath.Join(stage, "lib/modules", k.Release)
	if err := t.extract(moduleDir(k), root); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "depmod", "-b", stage, "-F", filepath.Join(k.Out, "System.map"), "-e", k.Release)
	cmd.Env = append(os.Environ(), "PATH=/usr/sbin:/usr/bin:/sbin:/bin")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("index modules: %w; depmod's output:\n%s", err, out)
	}
	indexes, err := filepath.Glob(filepath.Join(root, "modules.*"))
	if err != nil {
		return fmt.Errorf("list module indexes: %w", err)
	}
	for _, index := range indexes {
		if err := t.addFile(moduleDir(k)+"/"+filepath.Base(index), index); err != nil {
			return err
		}
	}
	return nil
}

// hash identifies the content of the tree and the kernel.
func (t *tree) hash(kernelKey string) (string, error) {
	h := sha256.New()
	fmt.Fprintln(h, kernelKey)
	for _, path := range t.paths() {
		e := t.entries[path]
		fmt.Fprintf(h, "%q %o %q %d\n", path, e.mode, e.link, len(e.data))
		h.Write(e.data)
		if e.source == "" {
			continue
		}
		if err := hashFile(h, e.source); err != nil {
			return "", fmt.Errorf("hash %s: %w", e.source, err)
		}
	}
	return hex.EncodeToString(h.Sum(nil))[:12], nil
}

// hashFile adds a file's identity: its content if the rig made it, else size and time, as the
// host's libraries are large and change with their packages.
func hashFile(w io.Writer, path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.Mode().IsRegular() && isSystemFile(path) {
		_, err := fmt.Fprintf(w, "%s %d %d\n", path, info.Size(), info.ModTime().UnixNano())
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(w, f)
	return err
}
