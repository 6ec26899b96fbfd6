// SPDX-License-Identifier: Apache-2.0

package rig

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/rmr-block/rmr/internal/rig/kernel"
)

// CheckDebug asks the debug kernels of all nodes that are up what they do not say by themselves: memory
// leaks, and whether lockdep is still on (it turns itself off after its first report and when it
// runs out of memory, and would find nothing more). It returns nil with the fast kernel.
func (c *Cluster) CheckDebug(ctx context.Context) error {
	if c.kernel.Variant != kernel.Debug {
		return nil
	}
	problems := []error{}
	for _, n := range c.nodes {
		if n.Up() {
			problems = append(problems, n.checkLockdep(ctx), n.checkLeaks(ctx))
		}
	}
	return errors.Join(problems...)
}

func (n *Node) checkLockdep(ctx context.Context) error {
	stats, err := n.Sh(ctx, "cat /proc/lockdep_stats")
	if err != nil {
		return fmt.Errorf("check lockdep: %w", err)
	}
	for line := range strings.Lines(stats) {
		name, value, _ := strings.Cut(line, ":")
		if strings.TrimSpace(name) == "debug_locks" && strings.TrimSpace(value) == "1" {
			return nil
		}
	}
	return fmt.Errorf("lockdep of %s is off", n.name)
}

// checkLeaks scans twice, some seconds apart: an object is reported only if it is still unreferenced the
// second time, and kmemleak passes over objects younger than five seconds.
func (n *Node) checkLeaks(ctx context.Context) error {
	report, err := n.Sh(ctx, `f=/sys/kernel/debug/kmemleak; sleep 5; echo scan > $f; echo scan > $f; cat $f`)
	if err != nil {
		return fmt.Errorf("check for leaks: %w", err)
	}
	if report != "" {
		return fmt.Errorf("%s leaks memory:\n%s", n.name, clip(report))
	}
	return nil
}
