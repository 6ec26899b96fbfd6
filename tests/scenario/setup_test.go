// SPDX-License-Identifier: Apache-2.0

// Package scenario_test tries the promises of the product in the rig: User-Mode Linux nodes with
// soft-RoCE, the real modules and the real command line tool. It needs root.
//
// This file brings clusters and pools up and asks the tool; a test reads as what an operator does.
package scenario_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/rig"
)

const (
	mib = int64(1) << 20
	// Exit codes of the tool.
	exitError, exitUsage, exitDegraded, exitRefused = 1, 2, 3, 4
)

// start boots a cluster whose nodes have their RDMA device and modules.
func start(t *testing.T, opts ...rig.Option) *rig.Cluster {
	t.Helper()
	c := rig.Start(t, opts...)
	for _, n := range c.Nodes() {
		bringUp(t, n)
	}
	checkEvents(t, c)
	return c
}

// bringUp is what the service files of a node do at boot.
func bringUp(t *testing.T, n *rig.Node) {
	t.Helper()
	module := "brmr_client"
	if strings.HasPrefix(n.Name(), "stor") {
		module = "brmr_server"
	}
	n.MustSh(t, "rmrctl softroce up vec0 && modprobe "+module)
}

// pool is a pool of the first legs storage nodes of a cluster, on the same disk of each.
type pool struct {
	c    *rig.Cluster
	name string
	legs int
	disk int
	// witness: the pool asks for a majority, and the node behind those of the legs votes without data.
	witness bool
	quorum  bool     // the pool asks for a majority
	size    int64    // bytes
	uuid    string   // of the pool, once recorded
	logs    []string // of its recorders, on the host
	area    int64    // start of the recorder's part in bytes, 0: recorded
	opts    string   // of brmr map
	places  []place  // of the members with data, where they are not disk of the first legs nodes
}

// place is a disk of a storage node.
type place struct{ node, disk int }

// path is the image of the i-th member's disk on the host.
func (p *pool) path(i int) string {
	if p.places != nil {
		return p.c.Storage(p.places[i].node).Disk(p.places[i].disk)
	}
	return p.c.Storage(i).Disk(p.disk)
}

// nowOn says where the members with data are from now on.
func (p *pool) nowOn(places ...place) {
	p.places, p.legs = places, len(places)
}

// makePool creates a pool on stor0 and joins the others.
func makePool(t *testing.T, c *rig.Cluster, p pool) *pool {
	t.Helper()
	p.c = c
	device, quorum := c.Storage(0).DiskDevice(p.disk), ""
	if p.witness || p.quorum {
		quorum = " --quorum majority"
	}
	c.Storage(0).MustSh(t, fmt.Sprintf("rmrctl pool create %s --device %s --size %d%s", p.name, device, p.size, quorum))
	for i := 1; i < p.legs; i++ {
		c.Storage(i).MustSh(t, fmt.Sprintf("rmrctl pool join %s --device %s --peer %s", p.name, device,
			c.Storage(0).Address()))
	}
	if p.witness {
		c.Storage(p.legs).MustSh(t, fmt.Sprintf("rmrctl pool join %s --device %s --peer %s --witness", p.name, device, c.Storage(0).Address()))
	}
	return &p
}

// attach maps the pool on the first client and returns the path of its block device.
func (p *pool) attach(t *testing.T) string {
	t.Helper()
	return p.attachOn(t, p.c.Client(0))
}

// attachOn maps the pool on any client.
func (p *pool) attachOn(t *testing.T, client *rig.Node) string {
	t.Helper()
	out := client.MustSh(t, p.mapCommand())
	require.Regexp(t, `^/dev/brmr\d+$`, out)
	return out
}

// mapCommand asks only the first member: the others are learned from it.
func (p *pool) mapCommand() string {
	return fmt.Sprintf("brmr map %s --node %s %s", p.name, p.c.Storage(0).Address(), p.opts)
}

// detach unmaps the pool.
func (p *pool) detach(t *testing.T) {
	t.Helper()
	p.c.Client(0).MustSh(t, "brmr unmap "+p.name)
}

// detachEqual unmaps the pool when no leg is behind, whatever a loaded host has done to their links meanwhile, and
// compares them.
func (p *pool) detachEqual(t *testing.T) {
	t.Helper()
	for _, l := range p.device(t).Legs {
		rest := "up-to-date"
		if l.Kind == "witness" {
			rest = "voting"
		}
		p.waitLeg(t, l.ID, rest, healLimit)
	}
	p.detach(t)
	p.requireEqualLegs(t)
}

// requireEqualLegs compares the data areas of all legs, on the host, and that there is data at all.
func (p *pool) requireEqualLegs(t *testing.T) {
	t.Helper()
	first := p.data(t, 0)
	require.NotEqual(t, make([]byte, len(first)), first, "nothing was written")
	for i := 1; i < p.legs; i++ {
		require.NoError(t, sameBytes(first, p.data(t, i)), "legs 0 and %d", i)
	}
	p.auditAtRest(t)
}

// data is the data area of a leg.
func (p *pool) data(t *testing.T, leg int) []byte {
	t.Helper()
	f, err := os.Open(p.path(leg))
	require.NoError(t, err)
	defer f.Close()
	buf := make([]byte, p.size)
	_, err = io.ReadFull(f, buf)
	require.NoError(t, err)
	return buf
}

// sameBytes names the first place that differs.
func sameBytes(a, b []byte) error {
	if bytes.Equal(a, b) {
		return nil
	}
	for i := range a {
		if a[i] != b[i] {
			return fmt.Errorf("byte %d (block %d) differs: %#02x, %#02x", i, i/4096, a[i], b[i])
		}
	}
	return errors.New("lengths differ")
}

// What the tool shows as JSON, as far as the tests look at it.
type (
	poolStatus struct {
		Name     string `json:"name"`
		State    string `json:"state"`
		Degraded bool   `json:"degraded"`
		Clean    bool   `json:"clean"`
		// Lineage names the member's history; Discarded: it was given up.
		Lineage   string `json:"lineage"`
		Discarded bool   `json:"discarded"`
		// OthersLack are chunks that a member outside the view lacks.
		OthersLack uint64 `json:"others_lack"`
		Used       bool   `json:"used"`
		Client     string `json:"client"`
		Damaged    []int  `json:"damaged_copies"`
		UpToDate   []int  `json:"up_to_date"`
		Syncing    []int  `json:"syncing"`
		Intents    uint64 `json:"intents"`
		Size       int64  `json:"size"`
		UUID       string `json:"uuid"`
		Reason     string `json:"reason"`
		Missed     uint64 `json:"missed"`
		BadData    uint64 `json:"bad_data"`
		Checksums  bool   `json:"data_checksums"`
		Disk       struct {
			OnError      string `json:"on_error"`
			Left         bool   `json:"left"`
			FailedPlaces int    `json:"failed_places"`
			ReadErrors   uint64 `json:"read_errors"`
			WriteErrors  uint64 `json:"write_errors"`
			WriteRetries uint64 `json:"write_retries"`
			HungMS       uint32 `json:"hung_ms"`
		} `json:"disk"`
		Counters struct {
			Reads    uint64 `json:"reads"`
			Writes   uint64 `json:"writes"`
			Flushes  uint64 `json:"flushes"`
			Discards uint64 `json:"discards"`
		} `json:"counters"`
	}
	deviceStatus struct {
		Name   string      `json:"name"`
		Device string      `json:"device"`
		State  string      `json:"state"`
		Reason string      `json:"reason"`
		Legs   []legStatus `json:"legs"`
	}
	legStatus struct {
		ID       int    `json:"member_id"`
		Kind     string `json:"kind"`
		State    string `json:"state"`
		Reason   string `json:"reason"`
		Cause    string `json:"cause"`
		Damped   uint32 `json:"damped_ms"`
		Ejected  uint32 `json:"ejections"`
		Counters struct {
			Reads      uint64 `json:"reads"`
			Writes     uint64 `json:"writes"`
			Inflight   uint64 `json:"inflight"`
			ReadErrors uint64 `json:"read_errors"`
			Repairs    uint64 `json:"read_repairs"`
			Unrepaired uint64 `json:"read_repair_failures"`
			BadData    uint64 `json:"bad_data"`
		} `json:"counters"`
	}
)

// ask runs a read verb; degraded is no error of the command.
func ask[T any](t *testing.T, n *rig.Node, command string) []T {
	t.Helper()
	r := try(t, n, command+" -o json")
	require.Contains(t, []int{0, exitDegraded}, r.Code, r.Stderr)
	var list []T
	require.NoError(t, json.Unmarshal([]byte(r.Stdout), &list), r.Stdout)
	return list
}

func (p *pool) device(t *testing.T) deviceStatus {
	t.Helper()
	list := ask[deviceStatus](t, p.c.Client(0), "brmr show "+p.name)
	require.Len(t, list, 1)
	return list[0]
}

func (p *pool) member(t *testing.T, i int) poolStatus {
	t.Helper()
	list := ask[poolStatus](t, p.c.Storage(i), "rmrctl pool show "+p.name)
	require.Len(t, list, 1)
	return list[0]
}

// waitDevice waits for a state of the mapped pool and returns what is shown then.
func (p *pool) waitDevice(t *testing.T, state string, limit time.Duration) deviceStatus {
	t.Helper()
	begin := time.Now()
	for {
		d := p.device(t)
		if d.State == state {
			t.Logf("%s after %v", state, time.Since(begin).Round(time.Millisecond))
			return d
		}
		if time.Since(begin) > limit {
			t.Fatalf("pool %s is %s (%s) and not %s after %v", p.name, d.State, d.Reason, state, limit)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// waitLeg waits for a state of a leg as the first client sees it.
func (p *pool) waitLeg(t *testing.T, id int, state string, limit time.Duration) legStatus {
	t.Helper()
	return p.waitLegOn(t, p.c.Client(0), id, state, limit)
}

func (p *pool) waitLegOn(t *testing.T, client *rig.Node, id int, state string, limit time.Duration) legStatus {
	t.Helper()
	begin := time.Now()
	for {
		list := ask[deviceStatus](t, client, "brmr show "+p.name)
		require.Len(t, list, 1)
		for _, l := range list[0].Legs {
			if l.ID == id && l.State == state {
				t.Logf("leg %d is %s (%s) after %v", id, state, l.Reason, time.Since(begin).Round(time.Millisecond))
				return l
			}
		}
		if time.Since(begin) > limit {
			t.Fatalf("leg %d of pool %s is not %s after %v: %+v", id, p.name, state, limit, list[0].Legs)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// neverFailed checks that a leg never failed, but for links that a loaded host took the time of their heartbeats from.
func (p *pool) neverFailed(t *testing.T, leg int) {
	t.Helper()
	const linkLost = 3
	log := p.c.Client(0).MustSh(t, "dmesg")
	for _, m := range regexp.MustCompile(fmt.Sprintf(`rmr %s: leg %d: [a-z-]+ -> failed reason (\d+)`, p.name, leg)).FindAllStringSubmatch(log, -1) {
		require.Equal(t, strconv.Itoa(linkLost), m[1], m[0])
	}
}

// hangLimit is for a script that would keep the whole run: it reports a hang, and is no figure.
const hangLimit = 10 * time.Minute

// try runs a script and returns what came of it; only a node that is gone, or hangs, ends the test.
func try(t *testing.T, n *rig.Node, script string) rig.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), hangLimit)
	defer cancel()
	r, err := n.Run(ctx, "bash", "-c", script)
	var exit *rig.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%s: %v", script, err)
	}
	return r
}

// refuses runs a command that must fail with this code and one line that has all of words in it.
func refuses(t *testing.T, n *rig.Node, command string, code int, words ...string) {
	t.Helper()
	r := try(t, n, command)
	text := strings.TrimSuffix(r.Stderr, "\n")
	t.Logf("%s: exit code %d: %s", command, r.Code, text)
	require.Equal(t, code, r.Code, "exit code of %q: %s", command, r.Stderr)
	require.Empty(t, r.Stdout)
	require.NotContains(t, text, "\n", "more than one line")
	for _, w := range words {
		require.Contains(t, text, w)
	}
}

// unchanged runs fn and fails the test if it changed a byte of the disks of the storage nodes.
func unchanged(t *testing.T, c *rig.Cluster, fn func()) {
	t.Helper()
	before := hashDisks(t, c)
	fn()
	require.Equal(t, before, hashDisks(t, c), "the disks changed")
}

// A checksum that the processor computes itself: what is looked for is an accident, not a forger.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func hashDisks(t *testing.T, c *rig.Cluster) map[string]string {
	t.Helper()
	sums := map[string]string{}
	for _, n := range c.Nodes() {
		if n.Up() {
			n.MustSh(t, "sync")
		}
		for i := 0; ; i++ {
			f, err := os.Open(n.Disk(i))
			if errors.Is(err, os.ErrNotExist) {
				break
			}
			require.NoError(t, err)
			h := crc32.New(castagnoli)
			_, err = io.Copy(h, f)
			require.NoError(t, errors.Join(err, f.Close()))
			sums[fmt.Sprintf("%s disk %d", n.Name(), i)] = fmt.Sprintf("%x", h.Sum(nil))
		}
	}
	return sums
}

// job is a command that runs in the background of a test.
type job struct {
	done   chan struct{}
	result rig.Result
	err    error
}

// background starts a script; the test's end stops and joins it.
func background(t *testing.T, n *rig.Node, script string) *job {
	ctx, cancel := context.WithCancel(t.Context())
	j := &job{done: make(chan struct{})}
	go func() {
		defer close(j.done)
		j.result, j.err = n.Run(ctx, "bash", "-ec", script)
	}()
	t.Cleanup(func() { cancel(); <-j.done })
	return j
}

func (j *job) running() bool {
	select {
	case <-j.done:
		return false
	default:
		return true
	}
}

// wait fails the test if the job has not ended well within the limit.
func (j *job) wait(t *testing.T, limit time.Duration) {
	t.Helper()
	j.end(t, limit)
	require.NoError(t, j.err)
}

// end waits for the end of the job, good or bad.
func (j *job) end(t *testing.T, limit time.Duration) {
	t.Helper()
	select {
	case <-j.done:
	case <-time.After(limit):
		t.Fatalf("still running after %v", limit)
	}
}

// fio is a command line of fio on a device, with what all uses have in common.
func fio(device string, options ...string) string {
	return "fio --name=io --filename=" + device + " --ioengine=libaio --direct=1 --verify_state_save=0 " +
		"--group_reporting " + strings.Join(options, " ")
}

// verified makes fio check every block it wrote.
const verified = "--verify=crc32c --verify_fatal=1 --do_verify=1"
