// SPDX-License-Identifier: Apache-2.0

// This file has what the scenarios of failures share: the choice between all of them and a part, how a node
// comes back, what a leg misses while it is away, and jobs that must end in time.

package scenario_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/rig"
)

// everyCase tells whether every case of a matrix is wanted, or the part that stands for the others.
func everyCase() bool { return os.Getenv("RMR_SCENARIOS") == "full" }

// onlyInFull skips a case that `go test` alone leaves out.
func onlyInFull(t *testing.T) {
	t.Helper()
	if !everyCase() {
		t.Skip("one case of a matrix: RMR_SCENARIOS=full or make rig-test runs it")
	}
}

// restart boots a storage node again and has it serve the pool's store.
func (p *pool) restart(t *testing.T, i int) {
	t.Helper()
	n := p.c.Storage(i)
	require.NoError(t, n.Restart(t.Context()))
	bringUp(t, n)
	n.MustSh(t, "rmrctl pool assemble "+n.DiskDevice(p.disk))
}

// undamp lets a leg that a scenario takes away again and again come back at once, as an operator does.
func (p *pool) undamp(t *testing.T, i int) {
	t.Helper()
	p.c.Client(0).MustSh(t, fmt.Sprintf("rmrctl leg return %s %d", p.name, i))
}

// kill ends a storage node at once.
func (p *pool) kill(t *testing.T, i int) {
	t.Helper()
	require.NoError(t, p.c.Storage(i).Kill())
}

// missedChunks of a leg that missWhileDead killed: those below the recorder's and the recorder's.
const missedChunks = 22 + 8

// missWhileDead fills the chunks below the recorder's, kills leg i, and writes blocks in missedChunks chunks.
func (p *pool) missWhileDead(t *testing.T, dev string, i int) {
	t.Helper()
	client := p.c.Client(0)
	client.MustSh(t, fmt.Sprintf("dd if=/dev/urandom of=%s bs=1M count=24 oflag=direct status=none && sync", dev))
	allUpToDate(t, p) // else the pool may have only leg i
	p.kill(t, i)
	client.MustSh(t, fmt.Sprintf("for i in $(seq 0 21); do dd if=/dev/urandom of=%s bs=4k count=1 seek=$((i*257)) oflag=direct status=none; done", dev))
	p.waitLeg(t, i, "failed", ejectLimit)
	// Not before: it would wait for the ejection, and have written to a few chunks when its time is over.
	p.record(t, client, dev, 2).wait(t, time.Minute)
	p.audit(t)
}

// goesOn checks that writes end while the pool is as it is now, and that a leg gets them. They go behind what loads and
// recorders have, which may have ended long ago on a slow host.
func (p *pool) goesOn(t *testing.T, leg int) {
	t.Helper()
	before := p.device(t).Legs[leg].Counters.Writes
	job := background(t, p.c.Client(0), fmt.Sprintf("for i in $(seq 6); do dd if=/dev/urandom of=/dev/brmr/by-name/%s bs=4k count=1 seek=%d oflag=direct status=none; done",
		p.name, p.size/4096-1))
	job.wait(t, ejectLimit)
	require.Greater(t, p.device(t).Legs[leg].Counters.Writes, before+5, "the leg did not get the writes")
}

// writesOn has the client write behind what loads and recorders have, until the returned function is called.
func (p *pool) writesOn(t *testing.T) (enough func()) {
	t.Helper()
	client := p.c.Client(0)
	job := background(t, client, fmt.Sprintf("rm -f /tmp/enough; until test -e /tmp/enough; do dd if=/dev/urandom of=/dev/brmr/by-name/%s bs=4k count=1 seek=%d oflag=direct status=none; done",
		p.name, p.size/4096-1))
	return func() {
		client.MustSh(t, "touch /tmp/enough")
		job.wait(t, ejectLimit)
	}
}

// finishWith ends a scenario whose recorders have ended: every leg up to date, equal bytes, a verdict.
func (p *pool) finishWith(t *testing.T) {
	t.Helper()
	p.detachEqual(t)
	p.judge(t)
}

// within runs a command that must come to an end in time, whatever its result is, which is returned.
func within(t *testing.T, n *rig.Node, limit time.Duration, command string) rig.Result {
	t.Helper()
	begin, j := time.Now(), background(t, n, command)
	j.end(t, limit)
	t.Logf("%s: %s: exit code %d after %v: %s", n.Name(), command, j.result.Code, time.Since(begin).Round(time.Millisecond), j.result.Stderr)
	return j.result
}

// eventually waits until a condition holds, asked again each tick. Unlike the library's it asks in the test's own
// goroutine, so that a condition may end the test, and none is asked any more after its end.
func eventually(t *testing.T, condition func() bool, limit, tick time.Duration, message ...any) {
	t.Helper()
	for begin := time.Now(); !condition(); time.Sleep(tick) {
		if time.Since(begin) > limit {
			require.Fail(t, fmt.Sprintf("not within %v", limit), message...)
		}
	}
}

// ends runs a command that waits for a change to end, which must not take for ever.
func ends(t *testing.T, n *rig.Node, command string) {
	t.Helper()
	require.Zero(t, within(t, n, healLimit, command).Code)
}

// waitTrigger waits until a trigger of a node has fired.
func waitTrigger(t *testing.T, n *rig.Node, point string) {
	t.Helper()
	eventually(t, func() bool { return try(t, n, "grep -q '^"+point+" .* fired$' "+triggers).Code == 0 }, healLimit, 50*time.Millisecond,
		"trigger %s of %s never fired", point, n.Name())
}
