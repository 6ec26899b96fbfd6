// SPDX-License-Identifier: Apache-2.0

package rig

import (
	"fmt"
	"io"
	"os"
	"regexp"

	"github.com/rmr-block/rmr/internal/rig/kernel"
)

// Option changes what New and Start make.
type Option func(*config)

type config struct {
	storage, clients int
	diskSizes        []int64 // bytes, for each storage node
	memoryMiB        int     // 0: by variant
	variant          kernel.Variant
	moduleOpts       map[string][]string
	modulesDir       string // "": kmod of the checkout, if it has a Kbuild
	kernelArgs       []string
	allow            []*regexp.Regexp
	rxe              bool
	runDir           string // "": a new one
	keep             bool
	files            map[string][]byte
	log              io.Writer
}

const (
	defaultDisk   = 256 << 20
	fastMemory    = 512
	debugMemory   = 1024
	maxNodes      = 32
	maxDisks      = 8
	minMemoryMiB  = 192
	variantEnv    = "RMR_RIG_VARIANT"
	keepEnv       = "RMR_RIG_KEEP"
	sectorSize    = 512
	storageOctet  = 11  // stor0 is 10.77.0.11
	clientOctet   = 101 // client0 is 10.77.0.101
	networkPrefix = "10.77.0."
)

// RTRS allocates sess_queue_depth requests of 128 KiB and more for every session: its default of
// 512 would fill a small node.
var defaultModuleOpts = map[string][]string{"rtrs_server": {"sess_queue_depth=128"}}

func newConfig(opts []Option) (*config, error) {
	c := &config{
		diskSizes: []int64{defaultDisk}, variant: kernel.Fast, log: io.Discard,
		moduleOpts: map[string][]string{}, files: map[string][]byte{}, keep: os.Getenv(keepEnv) != "",
	}
	if v := os.Getenv(variantEnv); v != "" {
		c.variant = kernel.Variant(v)
	}
	for module, params := range defaultModuleOpts {
		c.moduleOpts[module] = params
	}
	for _, opt := range opts {
		opt(c)
	}
	if c.memoryMiB == 0 {
		c.memoryMiB = fastMemory
		if c.variant == kernel.Debug {
			c.memoryMiB = debugMemory
		}
	}
	return c, c.check()
}

func (c *config) check() error {
	switch {
	case c.storage < 0 || c.clients < 0 || c.storage+c.clients < 1 || c.storage+c.clients > maxNodes:
		return fmt.Errorf("rig: %d storage nodes and %d clients: want 1 to %d nodes", c.storage, c.clients, maxNodes)
	case c.memoryMiB < minMemoryMiB:
		return fmt.Errorf("rig: memory %d MiB: a node needs %d", c.memoryMiB, minMemoryMiB)
	case len(c.diskSizes) > maxDisks:
		return fmt.Errorf("rig: %d disks: at most %d for each node", len(c.diskSizes), maxDisks)
	}
	for i, size := range c.diskSizes {
		if size <= 0 || size%sectorSize != 0 {
			return fmt.Errorf("rig: size of disk %d: %d bytes is not a positive multiple of %d", i, size, sectorSize)
		}
	}
	return nil
}

// Storage asks for n storage nodes, stor0 and so on, which have disks.
func Storage(n int) Option { return func(c *config) { c.storage = n } }

// Client asks for n client nodes, client0 and so on, which have none.
func Client(n int) Option { return func(c *config) { c.clients = n } }

// Disks gives every storage node disks of these sizes in bytes; without it each has one of 256 MiB.
// The files on the host are sparse.
func Disks(sizes ...int64) Option { return func(c *config) { c.diskSizes = sizes } }

// Memory sets the memory of each node in MiB; without it 512, or 1024 with the debug kernel.
func Memory(mib int) Option { return func(c *config) { c.memoryMiB = mib } }

// Debug chooses the debug kernel. The environment variable RMR_RIG_VARIANT sets what is used
// without this option.
func Debug() Option { return Variant(kernel.Debug) }

// Variant chooses the kernel.
func Variant(v kernel.Variant) Option { return func(c *config) { c.variant = v } }

// ModuleParam sets a parameter that a module gets whenever it is loaded, for example
// ModuleParam("rtrs_server", "sess_queue_depth=64"). It replaces the rig's own for that module.
func ModuleParam(module string, params ...string) Option {
	return func(c *config) { c.moduleOpts[module] = params }
}

// Modules builds and installs the modules of that source directory instead of the checkout's kmod.
func Modules(dir string) Option { return func(c *config) { c.modulesDir = dir } }

// KernelArgs adds to the kernel's command line.
func KernelArgs(args ...string) Option {
	return func(c *config) { c.kernelArgs = append(c.kernelArgs, args...) }
}

// AllowLog lets a run pass with reports in the console logs that match one of the expressions,
// for tests that cause them on purpose.
func AllowLog(expressions ...string) Option {
	return func(c *config) {
		for _, e := range expressions {
			c.allow = append(c.allow, regexp.MustCompile(e))
		}
	}
}

// SoftRoCE makes every node add its rxe device, rxe0, after each boot, as raw RDMA tests want.
// Product tests leave that to `rmrctl softroce up`.
func SoftRoCE() Option { return func(c *config) { c.rxe = true } }

// RunDir keeps the run's logs and disks in dir, which must not be in use by another run. Without
// it a temporary directory is used, which is removed after a good run unless RMR_RIG_KEEP is set.
func RunDir(dir string) Option { return func(c *config) { c.runDir, c.keep = dir, true } }

// File puts a file into every node's root before the first command.
func File(path string, content []byte) Option {
	return func(c *config) { c.files[path] = content }
}

// Log sends progress lines (builds, boots, faults) to w.
func Log(w io.Writer) Option { return func(c *config) { c.log = w } }
