// SPDX-License-Identifier: Apache-2.0

package rig_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/rig"
	"github.com/rmr-block/rmr/internal/rig/agent"
)

// reaches says whether from gets an answer of to within two seconds.
func reaches(t *testing.T, from, to *rig.Node) bool {
	t.Helper()
	r, err := from.Run(t.Context(), "ping", "-c", "1", "-W", "2", to.Name())
	var exit *rig.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return r.Code == 0
}

// mustReach waits until from gets an answer of to: a failed address resolution is remembered for a moment.
func mustReach(t *testing.T, from, to *rig.Node) {
	t.Helper()
	require.Eventually(t, func() bool { return reaches(t, from, to) }, time.Minute, 100*time.Millisecond,
		"%s does not reach %s", from.Name(), to.Name())
}

// TestCluster shares one cluster between subtests that leave it as they found it.
func TestCluster(t *testing.T) {
	c := rig.Start(t, rig.Storage(2), rig.Client(1))
	for name, test := range map[string]func(*testing.T, *rig.Cluster){
		"a command's output and exit code arrive":                      testExec,
		"a command gets its input":                                     testStdin,
		"a command is killed when its context ends":                    testCancel,
		"a terminal is a terminal":                                     testTTY,
		"more input and output than all buffers hold arrives complete": testBulkOutput,
		"the host's files are read-only and /share is not":             testHostFiles,
		"a cut link is cut until it is healed":                         testCut,
		"two separated nodes reach the third":                          testSeparate,
		"packet faults hold in both directions":                        testNetem,
		"a paused node answers after it was resumed":                   testPause,
		"a killed node comes back with its disks and faults":           testRestart,
		"large frames pass with TCP and UDP":                           testLargeFrames,
		"a command in a node that dies says so":                        testDeath,
	} {
		t.Run(name, func(t *testing.T) { test(t, c) })
	}
}

func testExec(t *testing.T, c *rig.Cluster) {
	r, err := c.Client(0).Run(t.Context(), "bash", "-c", "echo out; echo err >&2; exit 7")
	var exit *rig.ExitError
	require.ErrorAs(t, err, &exit)
	assert.Equal(t, rig.Result{Code: 7, Stdout: "out\n", Stderr: "err\n"}, r)
	assert.Equal(t, r, exit.Result)

	r, err = c.Client(0).Run(t.Context(), "bash", "-c", "kill -9 $$")
	require.ErrorAs(t, err, &exit)
	assert.Equal(t, 128+9, r.Code)

	_, err = c.Client(0).Run(t.Context(), "no-such-program")
	assert.ErrorContains(t, err, "no-such-program")
	assert.Equal(t, "client0", c.Client(0).MustSh(t, "uname -n"))
}

func testStdin(t *testing.T, c *rig.Cluster) {
	var out bytes.Buffer
	input := strings.Repeat("0123456789abcde\n", 10000)
	code, err := c.Storage(1).Exec(t.Context(), rig.Command{Argv: []string{"cat"}},
		rig.Stdio{In: strings.NewReader(input), Out: &out})
	require.NoError(t, err)
	assert.Zero(t, code)
	assert.Equal(t, input, out.String())
}

func testCancel(t *testing.T, c *rig.Cluster) {
	n := c.Client(0)
	ctx, cancel := context.WithCancel(t.Context())
	out, w := io.Pipe()
	result := make(chan error, 1)
	go func() {
		_, err := n.Exec(ctx, rig.Command{Argv: []string{"bash", "-c", "echo $$; sleep 1000 | cat"}}, rig.Stdio{Out: w})
		result <- err
	}()
	pid := make([]byte, 16)
	size, err := out.Read(pid)
	require.NoError(t, err)
	cancel()
	require.ErrorIs(t, <-result, context.Canceled)
	// The node learns of it a moment later.
	group := strings.TrimSpace(string(pid[:size]))
	assert.Eventually(t, func() bool { return n.MustSh(t, "pgrep -g "+group+" || true") == "" }, time.Minute, 50*time.Millisecond)
}

func testTTY(t *testing.T, c *rig.Cluster) {
	var out bytes.Buffer
	command := rig.Command{Argv: []string{"bash", "-c", "tty; stty size"}, TTY: true, Rows: 31, Cols: 77}
	code, err := c.Client(0).Exec(t.Context(), command, rig.Stdio{Out: &out})
	require.NoError(t, err)
	assert.Zero(t, code)
	assert.Contains(t, out.String(), "/dev/pts/")
	assert.Contains(t, out.String(), "31 77")
}

func testBulkOutput(t *testing.T, c *rig.Cluster) {
	n := c.Client(0)
	n.MustSh(t, "dd if=/dev/urandom of=/tmp/bulk bs=1K count=300 status=none")
	want := n.MustSh(t, "sha256sum < /tmp/bulk; base64 -w0 /tmp/bulk | sha256sum; rm -f /tmp/copy")
	encoded := n.MustSh(t, "base64 -w0 /tmp/bulk; rm /tmp/bulk")
	var out bytes.Buffer
	_, err := n.Exec(t.Context(), rig.Command{Argv: []string{"bash", "-c", "tee /tmp/copy | base64 -d | sha256sum; sha256sum < /tmp/copy; rm /tmp/copy"}},
		rig.Stdio{In: strings.NewReader(encoded), Out: &out})
	require.NoError(t, err)
	assert.Equal(t, want+"\n", out.String())
}

func testHostFiles(t *testing.T, c *rig.Cluster) {
	n := c.Storage(0)
	file := filepath.Join(t.TempDir(), "from-host")
	require.NoError(t, os.WriteFile(file, []byte("hello"), 0o644))
	assert.Equal(t, "hello", n.MustSh(t, "cat /host"+file))
	_, err := n.Sh(t.Context(), "echo x > /host"+file)
	assert.ErrorContains(t, err, "Read-only")

	n.MustSh(t, "echo shared > /share/file")
	text, err := os.ReadFile(filepath.Join(c.ShareDir(), "file"))
	require.NoError(t, err)
	assert.Equal(t, "shared\n", string(text))
	assert.Equal(t, "shared", c.Client(0).MustSh(t, "cat /share/file"))
}

func testCut(t *testing.T, c *rig.Cluster) {
	stor, other, client := c.Storage(0), c.Storage(1), c.Client(0)
	mustReach(t, client, stor)
	require.NoError(t, stor.Link().Cut())
	assert.False(t, reaches(t, client, stor))
	assert.False(t, reaches(t, stor, other))
	mustReach(t, client, other)
	require.NoError(t, stor.Link().Heal(t.Context()))
	mustReach(t, client, stor)
}

func testSeparate(t *testing.T, c *rig.Cluster) {
	a, b, client := c.Storage(0), c.Storage(1), c.Client(0)
	require.NoError(t, c.Separate(a, b))
	assert.False(t, reaches(t, a, b))
	assert.False(t, reaches(t, b, a))
	mustReach(t, client, a)
	mustReach(t, client, b)
	require.NoError(t, c.Join(a, b))
	mustReach(t, a, b)

	require.NoError(t, c.SeparateOneWay(a, b))
	before := b.MustSh(t, "cat /sys/class/net/vec0/statistics/tx_packets")
	assert.False(t, reaches(t, b, a), "the answer must not arrive")
	assert.NotEqual(t, before, b.MustSh(t, "cat /sys/class/net/vec0/statistics/tx_packets"))
	require.NoError(t, c.Join(a, b))
	mustReach(t, b, a)
}

// meanRTT returns the average round trip of five pings in milliseconds.
func meanRTT(t *testing.T, from, to *rig.Node) string {
	return from.MustSh(t, "ping -c 5 -i 0.05 "+to.Name()+" | awk -F/ '/^rtt/ {printf \"%d\", $5}'")
}

func testNetem(t *testing.T, c *rig.Cluster) {
	a, b := c.Storage(0), c.Storage(1)
	mustReach(t, a, b) // addresses are resolved
	require.NoError(t, a.Link().Netem(t.Context(), rig.Netem{Delay: 50 * time.Millisecond}))
	for _, rtt := range []string{meanRTT(t, a, b), meanRTT(t, b, a)} {
		assert.GreaterOrEqual(t, len(rtt), 3, "round trip of %s ms: 50 ms each way make 100", rtt)
	}
	require.NoError(t, a.Link().Netem(t.Context(), rig.Netem{Loss: 100}))
	assert.False(t, reaches(t, a, b))
	require.NoError(t, a.Link().Netem(t.Context(), rig.Netem{Duplicate: 100}))
	assert.Contains(t, b.MustSh(t, "ping -c 2 -i 0.05 -w 20 stor0"), "DUP!")
	require.NoError(t, a.Link().Heal(t.Context()))
	assert.NotContains(t, b.MustSh(t, "ping -c 2 -i 0.05 stor0"), "DUP!")
	assert.Empty(t, a.MustSh(t, "ip -o link show type ifb"), "nothing of the faults is left")
}

func testPause(t *testing.T, c *rig.Cluster) {
	stor, client := c.Storage(0), c.Client(0)
	require.NoError(t, stor.Pause())
	assert.False(t, reaches(t, client, stor))
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := stor.Run(ctx, "true")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NoError(t, stor.Resume())
	mustReach(t, client, stor)
	stor.MustSh(t, "true")
}

func testRestart(t *testing.T, c *rig.Cluster) {
	n, client := c.Storage(1), c.Client(0)
	boot := n.MustSh(t, "cat /proc/sys/kernel/random/boot_id")
	n.MustSh(t, `mkfs.ext4 -q /dev/ubda; mount /dev/ubda /mnt; echo kept > /mnt/file; sync`)
	require.NoError(t, n.Link().Netem(t.Context(), rig.Netem{Loss: 100}))
	require.NoError(t, n.Kill())
	assert.False(t, n.Up())
	_, err := n.Run(t.Context(), "true")
	require.ErrorContains(t, err, "not up")
	require.NoError(t, n.Restart(t.Context()))
	assert.NotEqual(t, boot, n.MustSh(t, "cat /proc/sys/kernel/random/boot_id"))
	assert.False(t, reaches(t, client, n), "packet faults hold after a restart")
	require.NoError(t, n.Link().Heal(t.Context()))
	mustReach(t, client, n)
	assert.Equal(t, "kept", n.MustSh(t, `e2fsck -p /dev/ubda >&2 || [ $? = 1 ]; mount /dev/ubda /mnt; cat /mnt/file; umount /mnt`))

	disk, err := os.Stat(n.Disk(0))
	require.NoError(t, err)
	assert.EqualValues(t, 256<<20, disk.Size())
	n.MustSh(t, "blkdiscard /dev/ubda")
	assert.Equal(t, "", n.MustSh(t, "blkid -p /dev/ubda || true"))
}

// testLargeFrames sends packets as large as the link takes, and larger ones in fragments, and 8 MiB by TCP.
func testLargeFrames(t *testing.T, c *rig.Cluster) {
	a, b := c.Storage(0), c.Storage(1)
	for _, size := range []string{"8972 -M do", "60000"} {
		assert.Contains(t, a.MustSh(t, "ping -c 1 -W 20 -s "+size+" stor1"), " 0% packet loss")
	}
	b.MustSh(t, "dd if=/dev/urandom of=/tmp/f bs=1M count=8 status=none")
	received := make(chan string, 1)
	go func() {
		sum, err := a.Sh(t.Context(), "nc -l -p 5000 | sha256sum")
		assert.NoError(t, err)
		received <- sum
	}()
	require.Eventually(t, func() bool { return strings.Contains(a.MustSh(t, "ss -ltn"), ":5000") }, time.Minute, 50*time.Millisecond)
	assert.Equal(t, b.MustSh(t, "sha256sum < /tmp/f; nc -N stor0 5000 < /tmp/f; rm /tmp/f"), <-received)
}

func testDeath(t *testing.T, c *rig.Cluster) {
	n := c.Storage(1)
	result := make(chan error, 1)
	go func() {
		_, err := n.Run(t.Context(), "sleep", "1000")
		result <- err
	}()
	require.Eventually(t, func() bool { return n.MustSh(t, "pgrep sleep || true") != "" }, time.Minute, 20*time.Millisecond)
	require.NoError(t, n.Kill())
	require.ErrorIs(t, <-result, agent.ErrGone)
	require.NoError(t, n.Restart(t.Context()))
}
