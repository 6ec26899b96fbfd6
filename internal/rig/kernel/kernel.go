// SPDX-License-Identifier: Apache-2.0

package kernel

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
	"runtime"
	"sort"
	"strings"

	softroce "github.com/rmr-block/rmr/soft-roce"
)

// sourcePackage is the Debian package with the kernel source; its tarball unpacks to a directory
// of the same name.
const sourcePackage = "linux-source-6.12"

// Variant is a kernel configuration.
type Variant string

const (
	// Fast is uml.config: for behaviour, speed and demonstrations.
	Fast Variant = "fast"
	// Debug is uml.config and debug.config: KASAN, lockdep, sleep checks, kmemleak, KUnit, fault injection.
	Debug Variant = "debug"
)

var fragments = map[Variant][]string{
	Fast:  {"kernel/uml.config"},
	Debug: {"kernel/uml.config", "kernel/debug.config"},
}

// Variants lists the variants.
func Variants() []Variant { return []Variant{Fast, Debug} }

// Kernel is a finished build.
type Kernel struct {
	Variant Variant
	Key     string // identifies source, patches, configuration and compiler
	Source  string // patched source tree
	Out     string // build tree, KERNEL_OUT of `make -C KERNEL_OUT ARCH=um M=...`
	Linux   string // the kernel: a program
	Release string // its `uname -r`
}

// Ensure returns the kernel of the variant, building it first if it is not in the cache. A build
// is renamed into place when it is complete, and two processes never build the same one at once.
// Progress goes to log; the kernel's own build output to a file beside the build.
func Ensure(ctx context.Context, v Variant, log io.Writer) (*Kernel, error) {
	if _, ok := fragments[v]; !ok {
		return nil, fmt.Errorf("kernel variant %q: not one of %v", v, Variants())
	}
	cache, err := CacheDir()
	if err != nil {
		return nil, err
	}
	b, err := newBuild(ctx, cache, v, log)
	if err != nil {
		return nil, err
	}
	k, err := b.open()
	if !errors.Is(err, fs.ErrNotExist) {
		return k, err
	}
	unlock, err := Lock(ctx, cache, filepath.Base(b.out))
	if err != nil {
		return nil, err
	}
	defer unlock()
	if k, err := b.open(); !errors.Is(err, fs.ErrNotExist) {
		return k, err // built by somebody else while we waited
	}
	if err := b.build(ctx); err != nil {
		return nil, fmt.Errorf("build %s kernel: %w", v, err)
	}
	if err := Prune(cache); err != nil {
		return nil, err
	}
	return b.open()
}

// build is what is needed to know and to make one kernel.
type build struct {
	variant     Variant
	cache       string
	config      []byte
	key         string
	source, out string
	patches     []string // names in softroce.Kernel, in order
	log         io.Writer
}

func newBuild(ctx context.Context, cache string, v Variant, log io.Writer) (*build, error) {
	b := &build{variant: v, cache: cache, log: log}
	version, err := sourceVersion(ctx, log)
	if err != nil {
		return nil, err
	}
	compiler, err := exec.CommandContext(ctx, "gcc", "-dumpfullversion", "-dumpmachine").Output()
	if err != nil {
		return nil, fmt.Errorf("ask gcc for its version: %w", err)
	}
	if b.patches, err = fs.Glob(softroce.Kernel, "kernel/patches/*.patch"); err != nil {
		return nil, fmt.Errorf("list kernel patches: %w", err)
	}
	sort.Strings(b.patches)
	patchHash, err := hashFiles(version, b.patches)
	if err != nil {
		return nil, err
	}
	if b.key, err = hashFiles(patchHash+string(compiler), fragments[v]); err != nil {
		return nil, err
	}
	for _, name := range fragments[v] {
		text, err := fs.ReadFile(softroce.Kernel, name)
		if err != nil {
			return nil, fmt.Errorf("read kernel configuration: %w", err)
		}
		b.config = append(b.config, text...)
	}
	b.source = filepath.Join(cache, "source-"+patchHash)
	b.out = filepath.Join(cache, fmt.Sprintf("linux-%s-%s", v, b.key))
	return b, nil
}

// hashFiles returns a short hash of a seed and the named files of the rig's kernel directory.
func hashFiles(seed string, names []string) (string, error) {
	h := sha256.New()
	fmt.Fprintf(h, "%q\n", seed)
	for _, name := range names {
		text, err := fs.ReadFile(softroce.Kernel, name)
		if err != nil {
			return "", fmt.Errorf("read %s: %w", name, err)
		}
		fmt.Fprintf(h, "%s %d\n%s", name, len(text), text)
	}
	return hex.EncodeToString(h.Sum(nil))[:12], nil
}

// sourceVersion returns the version of the installed source package, which it installs if missing.
func sourceVersion(ctx context.Context, log io.Writer) (string, error) {
	query := func() string {
		out, err := exec.CommandContext(ctx, "dpkg-query", "-W", "-f=${db:Status-Status} ${Version}", sourcePackage).Output()
		version, installed := strings.CutPrefix(string(out), "installed ")
		if err != nil || !installed {
			return ""
		}
		return version
	}
	if version := query(); version != "" {
		return version, nil
	}
	fmt.Fprintf(log, "installing package %s\n", sourcePackage)
	if err := run(ctx, io.Discard, "/", "apt-get", "install", "-y", "--no-install-recommends", sourcePackage); err != nil {
		return "", fmt.Errorf("install package %s: %w", sourcePackage, err)
	}
	version := query()
	if version == "" {
		return "", fmt.Errorf("package %s is not installed after its installation", sourcePackage)
	}
	return version, nil
}

// open returns the finished build or an error that wraps fs.ErrNotExist.
func (b *build) open() (*Kernel, error) {
	release, err := os.ReadFile(filepath.Join(b.out, "include/config/kernel.release"))
	if err != nil {
		return nil, fmt.Errorf("open %s kernel: %w", b.variant, err)
	}
	return &Kernel{
		Variant: b.variant, Key: b.key, Source: b.source, Out: b.out,
		Linux: filepath.Join(b.out, "linux"), Release: strings.TrimSpace(string(release)),
	}, nil
}

// build makes the kernel. An interrupted build is continued. The caller holds the lock of b.out.
func (b *build) build(ctx context.Context) error {
	if err := b.extract(ctx); err != nil {
		return err
	}
	work := b.out + ".building"
	if err := os.MkdirAll(work, 0o755); err != nil {
		return fmt.Errorf("make build directory: %w", err)
	}
	if err := os.WriteFile(filepath.Join(work, ".config"), b.config, 0o644); err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	logFile, err := os.Create(work + ".log")
	if err != nil {
		return fmt.Errorf("create build log: %w", err)
	}
	defer logFile.Close()
	fmt.Fprintf(b.log, "building the %s kernel (minutes; log: %s)\n", b.variant, logFile.Name())
	mk := func(args ...string) error {
		args = append([]string{"-C", b.source, "ARCH=um", "O=" + work, "KBUILD_BUILD_TIMESTAMP=@0"}, args...)
		return run(ctx, logFile, b.cache, "make", args...)
	}
	if err := mk("olddefconfig"); err != nil {
		return err
	}
	if err := b.checkConfig(work); err != nil {
		return err
	}
	if err := mk(fmt.Sprintf("-j%d", runtime.NumCPU()), "linux", "modules"); err != nil {
		return err
	}
	if err := os.Rename(work, b.out); err != nil {
		return fmt.Errorf("finish build: %w", err)
	}
	return nil
}

// checkConfig fails when a wanted option did not survive olddefconfig: a rig without lockdep or
// without rxe would pass or fail for the wrong reason.
func (b *build) checkConfig(work string) error {
	text, err := os.ReadFile(filepath.Join(work, ".config"))
	if err != nil {
		return fmt.Errorf("read configuration: %w", err)
	}
	have := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		have[strings.TrimSpace(line)] = true
	}
	want := map[string]string{} // option to line; a later fragment overrides
	for line := range strings.Lines(string(b.config)) {
		line = strings.TrimSpace(line)
		if option, _, ok := strings.Cut(line, "="); ok && strings.HasPrefix(line, "CONFIG_") {
			want[option] = line
		}
	}
	missing := []string{}
	for _, line := range want {
		if !have[line] {
			missing = append(missing, line)
		}
	}
	if len(missing) > 0 {
		sort.Strings(missing)
		return fmt.Errorf("the kernel cannot be configured with %s", strings.Join(missing, ", "))
	}
	return nil
}

// extract unpacks and patches the source unless that was done before.
func (b *build) extract(ctx context.Context) error {
	unlock, err := Lock(ctx, b.cache, filepath.Base(b.source))
	if err != nil {
		return err
	}
	defer unlock()
	if _, err := os.Stat(b.source); err == nil {
		return nil
	}
	work := b.source + ".extracting"
	if err := os.RemoveAll(work); err != nil {
		return fmt.Errorf("clean up unfinished extraction: %w", err)
	}
	if err := os.MkdirAll(work, 0o755); err != nil {
		return fmt.Errorf("make source directory: %w", err)
	}
	fmt.Fprintf(b.log, "unpacking the kernel source\n")
	archive := filepath.Join("/usr/src", sourcePackage+".tar.xz")
	if err := run(ctx, io.Discard, work, "tar", "--strip-components=1", "-xf", archive); err != nil {
		return fmt.Errorf("unpack kernel source: %w", err)
	}
	for _, name := range b.patches {
		if err := b.patch(ctx, work, name); err != nil {
			return err
		}
	}
	if err := os.Rename(work, b.source); err != nil {
		return fmt.Errorf("finish extraction: %w", err)
	}
	return nil
}

func (b *build) patch(ctx context.Context, tree, name string) error {
	text, err := fs.ReadFile(softroce.Kernel, name)
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	cmd := exec.CommandContext(ctx, "patch", "-p1", "--fuzz=0", "--no-backup-if-mismatch")
	cmd.Dir, cmd.Stdin = tree, strings.NewReader(string(text))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("apply %s: %w; its output:\n%s", name, err, out)
	}
	return nil
}
