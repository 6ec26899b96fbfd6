// SPDX-License-Identifier: Apache-2.0

// This file lets the oracles judge a scenario: what clients saw (internal/recorder), whether the dirty maps
// covered every difference (internal/audit), and whether states changed as the tables say (internal/events).

package scenario_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/audit"
	"github.com/rmr-block/rmr/internal/events"
	"github.com/rmr-block/rmr/internal/recorder"
	"github.com/rmr-block/rmr/internal/rig"
)

// The recorder has the 8 MiB from recorded on, or from the pool's own area on, a block in every 64 KiB; nobody else
// writes there. fio, beside it, has what is below.
const (
	recorded       = 24 * mib
	recordedBlocks = 128
	recordedStride = 16
	// searchLimit is for the search on the history of one block, far above what it takes.
	searchLimit = time.Minute
)

// record starts a recording load of some seconds on a device of the pool; judge looks at all of them. It is one
// writer more for each call.
func (p *pool) record(t *testing.T, client *rig.Node, dev string, seconds int) *job {
	t.Helper()
	writer, area := len(p.logs)+1, p.area
	if area == 0 {
		area = recorded
	}
	if p.uuid == "" { // member 0 may be away later
		p.uuid = p.member(t, 0).UUID
	}
	name := fmt.Sprintf("%s-%d.log", p.name, writer)
	p.logs = append(p.logs, filepath.Join(p.c.ShareDir(), name))
	j := background(t, client, fmt.Sprintf("rmr-recorder --device %s --log /share/%s --pool %s --writer %d --first %d --blocks %d --stride %d "+
		"--workers 4 --seed %d --duration %ds --pause 8ms --flush 1 --fua 5", dev, name, p.uuid, writer, area/4096, recordedBlocks,
		recordedStride, writer, seconds))
	eventually(t, func() bool {
		log, err := recorder.ReadLog(p.logs[writer-1])
		return err == nil && len(log.Operations) > 10 || !j.running()
	}, healLimit, 50*time.Millisecond, "the recorder does not start")
	return j
}

// judge decides what all recorders of the pool saw, with the blocks of all legs at rest.
func (p *pool) judge(t *testing.T) *recorder.Verdict {
	t.Helper()
	h := recorder.History{}
	for _, path := range p.logs {
		log, err := recorder.ReadLog(path)
		require.NoError(t, err)
		h.Logs = append(h.Logs, log)
	}
	for i := range p.legs {
		f, err := os.Open(p.path(i))
		require.NoError(t, err)
		require.NoError(t, errors.Join(h.AddRest(f), f.Close()))
	}
	v := h.Check(searchLimit)
	t.Logf("recorded on %s: %v", p.name, v)
	require.NoError(t, v.Err())
	require.Positive(t, v.Writes)
	require.Positive(t, v.Reads)
	return v
}

// audit holds the dirty maps of all legs against their data. Nobody writes meanwhile, or the nodes are dead.
func (p *pool) audit(t *testing.T) *audit.Report {
	t.Helper()
	var paths []string
	for i := range p.legs {
		paths = append(paths, p.path(i))
	}
	r, err := audit.Files(paths...)
	require.NoError(t, err)
	var text strings.Builder
	if r.Table(&text); r.Err() != nil || !r.Equal {
		t.Logf("audit of %s:\n%s", p.name, text.String())
	}
	require.NoError(t, r.Err())
	for _, m := range r.Members {
		require.Empty(t, m.Problems, "member %d", m.ID)
	}
	return r
}

// auditAtRest wants more after a clean detach: equal bytes, and nothing marked for a leg that is up to date.
func (p *pool) auditAtRest(t *testing.T) {
	t.Helper()
	if p.legs < 2 {
		return // nothing to compare
	}
	r := p.audit(t)
	require.True(t, r.Equal, "data areas differ")
	for _, m := range r.Members {
		for id, chunks := range m.Dirty {
			if r.View.UpToDate.Has(id) {
				require.Zero(t, chunks, "member %d has chunks marked for member %d, which is in U of %v", m.ID, id, r.View)
			}
		}
	}
}

// checkEvents makes the test fail at its end if a state of a node changed as no state table says.
func checkEvents(t *testing.T, c *rig.Cluster) {
	t.Helper()
	t.Cleanup(func() {
		for _, n := range c.Nodes() {
			text, err := os.ReadFile(n.ConsolePath())
			if err != nil {
				t.Error(err)
				continue
			}
			checker := events.NewChecker()
			checker.Log(string(text))
			if err := checker.Err(); err != nil {
				t.Errorf("console of %s: %v", n.Name(), err)
			}
			t.Logf("%s: %d changes of state", n.Name(), checker.Changes)
		}
	})
}

// followEvents does the same for what `rmrctl events` tells on a node until it ends.
func followEvents(t *testing.T, n *rig.Node, share string) {
	t.Helper()
	name := "events-" + n.Name() + ".json"
	t.Cleanup(func() { // after the job below was ended
		text, err := os.ReadFile(filepath.Join(share, name))
		if err != nil {
			t.Error(err)
			return
		}
		whole := string(text[:strings.LastIndexByte(string(text), '\n')+1]) // the last line may be torn
		checker := events.NewChecker()
		if err := errors.Join(checker.Stream(whole), checker.Err()); err != nil {
			t.Errorf("events of %s: %v", n.Name(), err)
		}
		if checker.Changes == 0 {
			t.Errorf("events of %s told nothing", n.Name())
		}
	})
	background(t, n, "exec rmrctl events -o json > /share/"+name)
}
