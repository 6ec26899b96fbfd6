// SPDX-License-Identifier: Apache-2.0

package recorder

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/pkg/pool"
)

var testPool = pool.UUID{1, 2, 3}

const limit = time.Minute

// record runs a short load on a file; the file system must know direct I/O.
func record(t *testing.T, dir string, l Load) *Log {
	t.Helper()
	l.Device, l.Pool, l.Log = filepath.Join(dir, "device"), testPool, filepath.Join(dir, fmt.Sprintf("log%d", l.Writer))
	f, err := os.OpenFile(l.Device, os.O_CREATE|os.O_RDWR, 0o600)
	require.NoError(t, err)
	require.NoError(t, f.Truncate(1<<20))
	require.NoError(t, f.Close())
	require.NoError(t, Run(t.Context(), l))
	log, err := ReadLog(l.Log)
	require.NoError(t, err)
	return log
}

func TestGoodRunHasNoProblem(t *testing.T) {
	dir := t.TempDir()
	first := record(t, dir, Load{Writer: 1, Blocks: 16, Stride: 3, Workers: 4, Seed: 1, Duration: 300 * time.Millisecond, Reads: 50, FUA: 10, Flush: 2})
	second := record(t, dir, Load{Writer: 2, Blocks: 32, Stride: 1, Workers: 2, Seed: 2, Duration: 200 * time.Millisecond, Reads: 50})
	h := History{Logs: []*Log{first, second}}
	f, err := os.Open(filepath.Join(dir, "device"))
	require.NoError(t, err)
	defer f.Close()
	require.NoError(t, h.AddRest(f))
	v := h.Check(limit)
	t.Log(v)
	require.NoError(t, v.Err())
	require.Positive(t, v.Reads)
	require.Positive(t, v.Writes)
	require.Positive(t, v.Flushes)
	require.Positive(t, v.Gap)
	require.Equal(t, len(h.written()), v.AtRest)
	require.True(t, first.Complete)
}

func TestNonsenseLoadsAreRefused(t *testing.T) {
	for _, l := range []Load{
		{},
		{Writer: 1, Blocks: 1, Stride: 1, Workers: 1},
		{Writer: 1, Blocks: 1, Stride: 1, Workers: 1, Duration: 1, Reads: 101},
		{Writer: 1, Blocks: 1 << 50, Stride: 1 << 50, Workers: 1, Duration: 1},
		{Writer: 1, Blocks: 1, Stride: 1, Workers: 1000, Duration: 1},
	} {
		require.Error(t, Run(context.Background(), l), "%+v", l)
	}
}

func TestWrongBytesAreNamed(t *testing.T) {
	good := make([]byte, BlockSize)
	Stamp{7, 9}.encode(good, testPool, 5)
	s, err := decode(good, testPool, 5)
	require.NoError(t, err)
	require.Equal(t, Stamp{7, 9}, s)
	s, err = decode(make([]byte, BlockSize), testPool, 5)
	require.NoError(t, err)
	require.Zero(t, s)
	for name, change := range map[string]func(b []byte){
		"magic":    func(b []byte) { b[0]++ },
		"checksum": func(b []byte) { clear(b[2048:]) }, // the second half of the write never arrived
		"version":  func(b []byte) { b[8] = 2; seal(b) },
		"reserved": func(b []byte) { b[100] = 1; seal(b) },
		"writer":   func(b []byte) { clear(b[40:48]); seal(b) },
	} {
		bad := bytes.Clone(good)
		change(bad)
		_, err := decode(bad, testPool, 5)
		require.ErrorContains(t, err, name)
	}
	_, err = decode(good, testPool, 6)
	require.ErrorContains(t, err, "address")
	_, err = decode(good, pool.UUID{9}, 5)
	require.ErrorContains(t, err, "pool")
	for bit := range 8 * BlockSize {
		bad := bytes.Clone(good)
		bad[bit/8] ^= 1 << (bit % 8)
		_, err := decode(bad, testPool, 5)
		require.Error(t, err, "bit %d", bit)
	}
}

func seal(b []byte) { binary.LittleEndian.PutUint32(b[stampCRC:], stampSum(b)) }

// script makes a log from lines like "write 5 1 10-20", operation, block, sequence and times in ms; "10-" has no
// end, "10!20" failed then.
func script(t *testing.T, writer uint32, lines ...string) *Log {
	t.Helper()
	l := &Log{Name: fmt.Sprintf("client%d", writer), Writer: writer, Pool: testPool, First: 1 << 62}
	for _, line := range lines {
		var op, times string
		o := Operation{Outcome: outcomeOK}
		var by uint32
		_, err := fmt.Sscanf(line, "%s %d %d.%d %s", &op, &o.Block, &by, &o.Stamp.Sequence, &times)
		require.NoError(t, err, line)
		if o.Op = opNames[op]; by != 0 {
			o.Stamp.Writer = by
		}
		begin, end, failed := strings.Cut(times, "!")
		if !failed {
			begin, end, _ = strings.Cut(times, "-")
		}
		if _, err := fmt.Sscan(begin, &o.Begin); err != nil {
			t.Fatal(err)
		}
		if end != "" {
			_, err = fmt.Sscan(end, &o.End)
			require.NoError(t, err)
		}
		switch {
		case end == "":
			o.Outcome = ""
		case failed:
			o.Outcome = outcomeError
		}
		o.Begin, o.End = o.Begin*int64(time.Millisecond), o.End*int64(time.Millisecond)
		l.First, l.Last = min(l.First, o.Begin), max(l.Last, o.Begin, o.End)
		l.Operations = append(l.Operations, o)
	}
	return l
}

func TestPlantedViolationsAreFound(t *testing.T) {
	for name, c := range map[string]struct {
		a, b []string
		bad  bool
	}{
		"good":                             {a: []string{"write 1 1.1 0-10", "read 1 1.1 11-12"}},
		"acknowledged write lost":          {a: []string{"write 1 1.1 0-10", "read 1 0.0 11-12"}, bad: true},
		"stale read":                       {a: []string{"write 1 1.1 0-10", "write 1 1.2 11-12", "read 1 1.1 13-14"}, bad: true},
		"new then old":                     {a: []string{"write 1 1.1 0-1", "write 1 1.2 2-90", "read 1 1.2 10-11", "read 1 1.1 12-13"}, bad: true},
		"never written":                    {a: []string{"write 1 1.1 0-1", "read 1 1.9 2-3"}, bad: true},
		"unanswered, seen by the next":     {a: []string{"write 1 1.1 0-"}, b: []string{"read 1 1.1 1000-1001", "read 1 1.1 1002-1003"}},
		"unanswered, not seen":             {a: []string{"write 1 1.1 0-"}, b: []string{"read 1 0.0 1000-1001", "write 1 2.1 1002-1003", "read 1 2.1 1004-1005"}},
		"unanswered, seen and gone":        {a: []string{"write 1 1.1 0-"}, b: []string{"read 1 1.1 1000-1001", "read 1 0.0 1002-1003"}, bad: true},
		"unanswered, after a newer":        {a: []string{"write 1 1.1 0-"}, b: []string{"write 1 2.1 1000-1001", "read 1 1.1 1002-1003"}, bad: true},
		"unanswered, before a newer":       {a: []string{"write 1 1.1 0-"}, b: []string{"read 1 0.0 999-1000", "read 1 1.1 1001-1002", "write 1 2.1 1003-1004"}},
		"failed, after a newer":            {a: []string{"write 1 1.1 0!5", "write 1 1.2 6-7", "read 1 1.1 8-9"}, bad: true},
		"failed, no effect":                {a: []string{"write 1 1.1 0!5", "write 1 1.2 6-7", "read 1 1.2 8-9"}},
		"second client reads what was":     {a: []string{"write 1 1.1 0-1", "write 1 1.2 2-3"}, b: []string{"read 1 1.1 1000-1001"}, bad: true},
		"other block is no matter":         {a: []string{"write 1 1.1 0-1", "read 2 0.0 2-3"}},
		"clocks of two clients may differ": {a: []string{"write 1 1.1 0-1", "write 1 1.2 30-40"}, b: []string{"read 1 1.1 45-46"}},
	} {
		h := History{Logs: []*Log{script(t, 1, c.a...)}}
		if c.b != nil {
			h.Logs = append(h.Logs, script(t, 2, c.b...))
		}
		err := h.Check(limit).Err()
		if c.bad {
			require.ErrorContains(t, err, "not-linearizable", name)
		} else {
			require.NoError(t, err, name)
		}
	}
}

func TestCorruptReadIsAProblem(t *testing.T) {
	l := script(t, 1, "write 1 1.1 0-1", "read 1 1.1 2-3")
	l.Operations[1].Outcome, l.Operations[1].Error = outcomeCorrupt, "address: block was written at byte 0"
	err := (&History{Logs: []*Log{l}}).Check(limit).Err()
	require.ErrorContains(t, err, "corrupt block 1: address")
}

func TestRestIsHeldAgainstTheHistory(t *testing.T) {
	l := script(t, 1, "write 1 1.1 0-1", "write 1 1.2 2-3", "write 2 1.3 4-")
	at := func(sequence uint32) []byte {
		b := make([]byte, 3*BlockSize)
		Stamp{1, sequence}.encode(b[BlockSize:2*BlockSize], testPool, 1)
		return b
	}
	good := History{Logs: []*Log{l}}
	require.NoError(t, good.AddRest(bytes.NewReader(at(2))))
	require.NoError(t, good.Check(limit).Err())
	bad := History{Logs: []*Log{l}}
	require.NoError(t, bad.AddRest(bytes.NewReader(at(1))))
	require.ErrorContains(t, bad.Check(limit).Err(), "not-linearizable block 1")
	foreign := History{Logs: []*Log{l}}
	require.NoError(t, foreign.AddRest(bytes.NewReader(bytes.Repeat([]byte{7}, 3*BlockSize))))
	require.ErrorContains(t, foreign.Check(limit).Err(), "corrupt block 1: magic")
}

// The environment variable makes this test binary a load that runs until it is killed.
const loadEnv = "RMR_RECORDER_TEST_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(loadEnv); dir != "" {
		l := Load{
			Device: filepath.Join(dir, "device"), Pool: testPool, Log: filepath.Join(dir, "log1"), Writer: 1, Blocks: 16, Stride: 1, Workers: 4,
			Seed: 1, Duration: time.Hour, Reads: 50,
		}
		fmt.Fprintln(os.Stderr, Run(context.Background(), l))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func TestKilledLoadIsJudgedWithItsSuccessor(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "device"), make([]byte, 1<<20), 0o600))
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), loadEnv+"="+dir)
	require.NoError(t, cmd.Start())
	require.Eventually(t, func() bool {
		log, err := ReadLog(filepath.Join(dir, "log1"))
		return err == nil && len(log.Operations) > 200
	}, limit, 10*time.Millisecond)
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait())
	killed, err := ReadLog(filepath.Join(dir, "log1"))
	require.NoError(t, err)
	require.False(t, killed.Complete)
	time.Sleep(2 * clockSkew)
	next := record(t, dir, Load{Writer: 2, Blocks: 16, Stride: 1, Workers: 4, Seed: 2, Duration: 200 * time.Millisecond, Reads: 70})
	h := History{Logs: []*Log{killed, next}}
	f, err := os.Open(filepath.Join(dir, "device"))
	require.NoError(t, err)
	defer f.Close()
	require.NoError(t, h.AddRest(f))
	v := h.Check(limit)
	t.Log(v)
	require.NoError(t, v.Err())
	// A copy that lost one block of the dead client's is noticed: the last write of somebody goes back to zeros.
	old := make([]byte, BlockSize)
	h.Rest = nil
	device, err := os.ReadFile(filepath.Join(dir, "device"))
	require.NoError(t, err)
	copy(device[5*BlockSize:], old)
	require.NoError(t, h.AddRest(bytes.NewReader(device)))
	require.ErrorContains(t, h.Check(limit).Err(), "not-linearizable block 5")
}

func TestLongestGap(t *testing.T) {
	v := (&History{Logs: []*Log{script(t, 1, "write 1 1.1 0-10", "write 1 1.2 11!400", "write 1 1.3 500-700", "write 2 1.4 701-702")}}).Check(limit)
	require.NoError(t, v.Err())
	require.Equal(t, 690*time.Millisecond, v.Gap)
	require.Equal(t, 1, v.Errors)
}

func TestLogOfAKilledClient(t *testing.T) {
	open := `{"t":1,"event":"open","block":0,"writer":1,"pool":"` + testPool.String() + `"}` + "\n"
	begin := `{"t":2,"event":"begin","id":1,"op":"write","block":4,"stamp":{"writer":1,"sequence":1}}` + "\n"
	l, err := parseLog("log", []byte(open+begin+`{"t":3,"event":"en`))
	require.NoError(t, err)
	require.False(t, l.Complete)
	require.Len(t, l.Operations, 1)
	require.Zero(t, l.Operations[0].End)
	v := (&History{Logs: []*Log{l}}).Check(limit)
	require.NoError(t, v.Err())
	require.Equal(t, 1, v.Unanswered)
	for name, text := range map[string]string{
		"no open":       begin,
		"empty":         "",
		"two opens":     open + open,
		"begins twice":  open + begin + begin,
		"no such begin": open + `{"t":3,"event":"end","id":7,"outcome":"ok"}` + "\n",
		"torn inside":   open + `{"t":3,"ev` + "\n" + begin,
		"unknown event": open + `{"t":3,"event":"pause"}` + "\n",
		"no stamp":      open + `{"t":2,"event":"begin","id":1,"op":"write","block":4}` + "\n",
		"ends before":   open + begin + `{"t":1,"event":"end","id":1,"outcome":"ok"}` + "\n",
	} {
		_, err := parseLog("log", []byte(text))
		require.Error(t, err, name)
	}
}
