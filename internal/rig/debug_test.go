// SPDX-License-Identifier: Apache-2.0

package rig_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/rig"
	"github.com/rmr-block/rmr/internal/rig/console"
)

// TestReportsAreNoticed plants one report of each kind in a debug kernel: a check that notices nothing
// would make every other test worthless.
func TestReportsAreNoticed(t *testing.T) {
	root, err := rig.CheckoutRoot(t.Context())
	require.NoError(t, err)
	c := rig.Start(t, rig.Debug(), rig.Storage(1), rig.Modules(filepath.Join(root, "soft-roce", "plant")), rig.AllowLog(`(?s).`))
	n := c.Storage(0)
	require.NoError(t, c.CheckDebug(t.Context()))
	t.Run("leak", func(t *testing.T) { requireLeaksNoticed(t, c, n) })
	for _, plant := range []struct{ what, words string }{
		{"lockdep", "circular locking"}, // first: the other reports turn lockdep off
		{"warning", "WARNING: "},
		{"kasan", "BUG: KASAN: slab-use-after-free"},
		{"sleep", "BUG: sleeping function"},
		{"refcount", "refcount_t: "},
		{"list", "list_del corruption"},
		{"ubsan", "UBSAN: shift-out-of-bounds"},
		{"odebug", "ODEBUG: free active"},
	} {
		t.Run(plant.what, func(t *testing.T) {
			requireReport(t, n, plant.words, func() {
				n.MustSh(t, "modprobe rig_plant what="+plant.what+" && modprobe -r rig_plant")
			})
		})
	}
	t.Run("lockdep turned off", func(t *testing.T) {
		require.ErrorContains(t, c.CheckDebug(t.Context()), "lockdep of stor0 is off")
	})
	t.Run("hang", func(t *testing.T) {
		requireReport(t, n, "INFO: task rig_hang", func() {
			n.MustSh(t, "echo 3 > /proc/sys/kernel/hung_task_timeout_secs && modprobe rig_plant what=hang")
		})
	})
}

// requireLeaksNoticed plants leaks several times, as memory of other places is used each time: a record of
// kmemleak that lay in memory which it scans hid the leak it was for.
func requireLeaksNoticed(t *testing.T, c *rig.Cluster, n *rig.Node) {
	for range 3 {
		n.MustSh(t, "modprobe rig_plant what=leak && sleep 6")
		err := c.CheckDebug(t.Context())
		n.MustSh(t, "modprobe -r rig_plant && echo clear >/sys/kernel/debug/kmemleak")
		require.ErrorContains(t, err, "stor0 leaks memory")
	}
}

// requireReport waits for a report with these words after fn has run.
func requireReport(t *testing.T, n *rig.Node, words string, fn func()) {
	t.Helper()
	before, err := os.ReadFile(n.ConsolePath())
	require.NoError(t, err)
	fn()
	require.Eventually(t, func() bool {
		text, err := os.ReadFile(n.ConsolePath())
		require.NoError(t, err)
		for _, r := range console.Scan(string(text[len(before):]), nil) {
			if strings.Contains(r.String(), words) {
				return true
			}
		}
		return false
	}, time.Minute, 100*time.Millisecond, "nothing noticed")
}
