// SPDX-License-Identifier: Apache-2.0

package rig

import (
	"os"
	"strings"
	"testing"
)

// Start boots a cluster for a test and ends it with the test. The test fails if a console log holds
// a kernel report that AllowLog does not name. It is skipped without root.
func Start(t testing.TB, opts ...Option) *Cluster {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("the rig needs root, for network namespaces")
	}
	c, err := New(t.Context(), append([]Option{Log(testLog{t})}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { finish(t, c) })
	return c
}

// finish checks the logs, ends the cluster and keeps the run's files if something was wrong.
func finish(t testing.TB, c *Cluster) {
	if err := c.CheckLogs(); err != nil {
		t.Error(err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if t.Failed() {
		t.Logf("consoles and disks of this run: %s", c.Dir())
		return
	}
	if err := c.Remove(); err != nil {
		t.Error(err)
	}
}

type testLog struct{ t testing.TB }

func (l testLog) Write(p []byte) (int, error) {
	l.t.Log(strings.TrimSuffix(string(p), "\n"))
	return len(p), nil
}

// MustSh runs a script as Node.Sh does and fails the test if that fails.
func (n *Node) MustSh(t testing.TB, script string) string {
	t.Helper()
	out, err := n.Sh(t.Context(), script)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
