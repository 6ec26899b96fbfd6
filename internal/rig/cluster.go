// SPDX-License-Identifier: Apache-2.0

// Package rig runs clusters of User-Mode Linux nodes with soft-RoCE: real kernels with the real
// RDMA stack and the project's modules, one process per node, in a network of their own.
//
//	c := rig.Start(t, rig.Storage(2), rig.Client(1), rig.Debug())
//	out, err := c.Client(0).Sh(ctx, "ping -c 1 stor0")
//
// Start is for tests and New for everything else. Both need root.
package rig

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rmr-block/rmr/internal/rig/console"
	"github.com/rmr-block/rmr/internal/rig/image"
	"github.com/rmr-block/rmr/internal/rig/kernel"
)

// Cluster is a set of nodes on one network. Its methods may be called from many goroutines.
type Cluster struct {
	config    *config
	kernel    *kernel.Kernel
	image     string
	imageSize int64 // bytes
	dir       string
	net       *network
	nodes     []*Node // storage nodes first
	partition partition
	closing   sync.Once
	releases  []func() // what the run uses of the cache
	logMu     sync.Mutex
	started   time.Time
}

// New builds what is missing (kernel, modules, image: minutes the first time), and boots the
// nodes. When it fails nothing is left running.
func New(ctx context.Context, opts ...Option) (*Cluster, error) {
	config, err := newConfig(opts)
	if err != nil {
		return nil, err
	}
	if os.Geteuid() != 0 {
		return nil, errors.New("rig: needs root, for network namespaces")
	}
	c := &Cluster{config: config, started: time.Now()}
	if err := c.prepare(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("rig: %w", err), c.Close())
	}
	if err := c.start(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("rig: start cluster in %s: %w", c.dir, err), c.Close())
	}
	return c, nil
}

// BuildImage builds what New would, and returns the image's path.
func BuildImage(ctx context.Context, opts ...Option) (string, error) {
	config, err := newConfig(append(opts, Storage(1)))
	if err != nil {
		return "", err
	}
	c := &Cluster{config: config, started: time.Now()}
	if err := errors.Join(c.prepare(ctx), c.Close()); err != nil {
		return "", fmt.Errorf("rig: %w", err)
	}
	return c.image, nil
}

// prepare makes sure that kernel, modules and image are in the cache.
func (c *Cluster) prepare(ctx context.Context) error {
	root, err := CheckoutRoot(ctx)
	if err != nil {
		return err
	}
	if c.kernel, err = kernel.Ensure(ctx, c.config.variant, c.config.log); err != nil {
		return err
	}
	if err = c.use(kernel.Use(c.kernel.Out)); err != nil {
		return err
	}
	modules, err := projectModules(ctx, c.kernel, root, c.config)
	if err != nil {
		return err
	}
	spec := image.Spec{Kernel: c.kernel, Root: root, Modules: modules}
	var release func()
	c.image, release, err = image.Ensure(ctx, spec, c.config.log)
	if err = c.use(release, err); err != nil {
		return err
	}
	file, err := os.Stat(c.image)
	if err != nil {
		return fmt.Errorf("size of the node image: %w", err)
	}
	c.imageSize = file.Size()
	return nil
}

// use keeps something in the cache until the cluster is closed.
func (c *Cluster) use(release func(), err error) error {
	if release != nil {
		c.releases = append(c.releases, release)
	}
	return err
}

func projectModules(ctx context.Context, k *kernel.Kernel, root string, config *config) ([]string, error) {
	dir := config.modulesDir
	if dir == "" {
		dir = filepath.Join(root, "kmod")
		if _, err := os.Stat(filepath.Join(dir, "Kbuild")); errors.Is(err, os.ErrNotExist) {
			return nil, nil // a rig of the base kernel alone
		}
	}
	return k.BuildModules(ctx, dir, config.log)
}

// CheckoutRoot returns the directory of the module that the program runs in.
func CheckoutRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("find the checkout: %w", err)
	}
	mod := strings.TrimSpace(string(out))
	if mod == "" || mod == os.DevNull {
		return "", errors.New("find the checkout: run this inside it")
	}
	return filepath.Dir(mod), nil
}

func (c *Cluster) start(ctx context.Context) error {
	if err := c.makeRunDir(); err != nil {
		return err
	}
	for i := range c.config.storage {
		c.nodes = append(c.nodes, newNode(c, len(c.nodes), fmt.Sprintf("stor%d", i), storageOctet+i, c.config.diskSizes))
	}
	for i := range c.config.clients {
		c.nodes = append(c.nodes, newNode(c, len(c.nodes), fmt.Sprintf("client%d", i), clientOctet+i, nil))
	}
	var err error
	if c.net, err = newNetwork(); err != nil {
		return err
	}
	for _, n := range c.nodes {
		if err := c.net.do(func() error { return addPort(n.index) }); err != nil {
			return err
		}
		if err := n.makeDisks(); err != nil {
			return err
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, n := range c.nodes {
		group.Go(func() error { return n.boot(ctx) })
	}
	return group.Wait()
}

func (c *Cluster) makeRunDir() error {
	var err error
	if c.dir = c.config.runDir; c.dir == "" {
		if err = removeOrphans(os.TempDir()); err == nil {
			c.dir, err = makeOwnedDir(os.TempDir())
		}
	} else {
		c.dir, err = filepath.Abs(c.dir)
	}
	if err == nil {
		err = os.MkdirAll(c.ShareDir(), 0o755)
	}
	if err != nil {
		return fmt.Errorf("make run directory: %w", err)
	}
	return nil
}

// Dir is the run's directory: NODE/console.log, NODE/disk0.img and so on, share/.
func (c *Cluster) Dir() string { return c.dir }

// ShareDir is the host's side of /share, which all nodes may write.
func (c *Cluster) ShareDir() string { return filepath.Join(c.dir, "share") }

// Kernel is the kernel that the nodes run.
func (c *Cluster) Kernel() *kernel.Kernel { return c.kernel }

// Storage returns storage node i. It panics if there is none, as an index into a slice does.
func (c *Cluster) Storage(i int) *Node { return c.nodes[:c.config.storage][i] }

// Client returns client node i. It panics if there is none.
func (c *Cluster) Client(i int) *Node { return c.nodes[c.config.storage:][i] }

// Nodes returns all nodes, storage nodes first.
func (c *Cluster) Nodes() []*Node { return append([]*Node{}, c.nodes...) }

// Node returns the node of that name, or nil.
func (c *Cluster) Node(name string) *Node {
	for _, n := range c.nodes {
		if n.name == name {
			return n
		}
	}
	return nil
}

// CheckLogs returns an error that quotes every kernel report in the consoles' logs since the
// start, of all boots, and names nodes that ended by themselves.
func (c *Cluster) CheckLogs() error {
	problems := []error{}
	for _, n := range c.nodes {
		text, err := os.ReadFile(n.ConsolePath())
		if err != nil {
			problems = append(problems, fmt.Errorf("read console of %s: %w", n.name, err))
			continue
		}
		for _, report := range console.Scan(string(text), c.config.allow) {
			problems = append(problems, fmt.Errorf("console of %s: %s", n.name, report))
		}
		if err := n.unexpectedEnd(); err != nil {
			problems = append(problems, err)
		}
	}
	return errors.Join(problems...)
}

// Close ends all nodes and the network. It is not a clean shutdown of the nodes. The run
// directory is left; Remove deletes it.
func (c *Cluster) Close() (err error) {
	c.closing.Do(func() {
		for _, n := range c.nodes {
			n.end()
		}
		if c.net != nil {
			c.net.close()
		}
		for _, release := range c.releases {
			release()
		}
		if c.dir != "" && c.config.runDir == "" {
			err = disown(c.dir)
		}
	})
	return err
}

// Remove deletes the run directory unless it was asked to be kept.
func (c *Cluster) Remove() error {
	if c.config.keep {
		return nil
	}
	return os.RemoveAll(c.dir)
}

// logf writes a progress line.
func (c *Cluster) logf(format string, args ...any) {
	c.logMu.Lock()
	defer c.logMu.Unlock()
	fmt.Fprintf(c.config.log, "%7.3f %s\n", time.Since(c.started).Seconds(), fmt.Sprintf(format, args...))
}
