// SPDX-License-Identifier: Apache-2.0

// This file owns the log of one client: JSON, one entry a line, and its reader. Each entry is one write to
// the file, which the rig's shared directory passes to the host at once: what was written survives the death
// of the client.

package recorder

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/rmr-block/rmr/pkg/pool"
)

// Events of a log: the first entry, an operation that is about to start, one that ended, and the last entry.
const (
	eventOpen  = "open"
	eventBegin = "begin"
	eventEnd   = "end"
	eventClose = "close"
)

// Outcomes of an operation that ended. One without an end, or with an error, may have taken effect or not.
const (
	outcomeOK      = "ok"
	outcomeError   = "error"
	outcomeCorrupt = "corrupt" // read bytes that were never written there
)

// entry is one line.
type entry struct {
	Time    int64     `json:"t"` // ns since 1970 by the client's clock
	Event   string    `json:"event"`
	ID      uint64    `json:"id,omitempty"`    // of the operation in this log, from 1
	Op      string    `json:"op,omitempty"`    // of begin: read, write or flush
	Block   uint64    `json:"block"`           // of begin
	FUA     bool      `json:"fua,omitempty"`   // of begin
	Stamp   *Stamp    `json:"stamp,omitempty"` // of the begin of a write, of the end of a read
	Outcome string    `json:"outcome,omitempty"`
	Error   string    `json:"error,omitempty"`
	Writer  uint32    `json:"writer,omitempty"` // of open
	Pool    pool.UUID `json:"pool,omitzero"`    // of open
}

// logWriter appends entries. Its methods may be called from several goroutines.
type logWriter struct {
	mu   sync.Mutex
	out  io.Writer
	base time.Time
	err  error // first failure; nothing is written after it
}

// now is the wall clock at the start plus what passed since, so that it never steps back.
func (l *logWriter) now() int64 { return l.base.UnixNano() + int64(time.Since(l.base)) }

// put writes an entry and returns the log's error, if it has one.
func (l *logWriter) put(e entry) error {
	line, err := json.Marshal(e)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil && err == nil {
		_, err = l.out.Write(append(line, '\n'))
	}
	if err != nil && l.err == nil {
		l.err = fmt.Errorf("write log: %w", err)
	}
	return l.err
}

// Operation is one operation of a log.
type Operation struct {
	Op         pool.Op
	Block      uint64
	FUA        bool
	Stamp      Stamp // written, or read
	Begin, End int64 // ns since 1970; End 0: no answer
	Outcome    string
	Error      string
}

// acknowledged tells whether the application was told that it succeeded.
func (o Operation) acknowledged() bool { return o.Outcome == outcomeOK }

// Log is what one client recorded.
type Log struct {
	Name        string
	Writer      uint32
	Pool        pool.UUID
	Operations  []Operation // in the order of their starts
	First, Last int64       // time of the first and last entry
	Complete    bool        // the client ended by itself
}

var opNames = map[string]pool.Op{"read": pool.OpRead, "write": pool.OpWrite, "flush": pool.OpFlush}

// ReadLog reads the log file of a client, which may have been killed: its last line may be torn.
func ReadLog(path string) (*Log, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read log: %w", err)
	}
	return parseLog(path, data)
}

func parseLog(name string, data []byte) (*Log, error) {
	l := &Log{Name: name}
	known := map[uint64]int{} // id to index
	lines := bufio.NewReader(bytes.NewReader(data))
	for number := 1; ; number++ {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) { // what is left is a torn line: that operation did not start, or has no answer
			break
		}
		var e entry
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, fmt.Errorf("log %s line %d: %w", name, number, err)
		}
		if err := l.add(e, known); err != nil {
			return nil, fmt.Errorf("log %s line %d: %w", name, number, err)
		}
	}
	if l.Writer == 0 {
		return nil, fmt.Errorf("log %s: no open entry", name)
	}
	return l, nil
}

func (l *Log) add(e entry, known map[uint64]int) error {
	if (e.Event == eventOpen) != (l.Writer == 0) {
		return fmt.Errorf("event %q out of place", e.Event)
	}
	l.First, l.Last = min(l.First, e.Time), max(l.Last, e.Time)
	switch e.Event {
	case eventOpen:
		if e.Writer == 0 {
			return errors.New("writer 0")
		}
		l.Writer, l.Pool, l.First, l.Last = e.Writer, e.Pool, e.Time, e.Time
	case eventBegin:
		op, ok := opNames[e.Op]
		if _, again := known[e.ID]; again || !ok || (op == pool.OpWrite) != (e.Stamp != nil) {
			return fmt.Errorf("begin of operation %d %q", e.ID, e.Op)
		}
		known[e.ID] = len(l.Operations)
		o := Operation{Op: op, Block: e.Block, FUA: e.FUA, Begin: e.Time}
		if e.Stamp != nil {
			o.Stamp = *e.Stamp
		}
		l.Operations = append(l.Operations, o)
	case eventEnd:
		return l.end(e, known)
	case eventClose:
		l.Complete = true
	default:
		return fmt.Errorf("event %q", e.Event)
	}
	return nil
}

func (l *Log) end(e entry, known map[uint64]int) error {
	i, ok := known[e.ID]
	if !ok {
		return fmt.Errorf("end of operation %d that did not begin", e.ID)
	}
	o := &l.Operations[i]
	if o.End != 0 || e.Time < o.Begin {
		return fmt.Errorf("end of operation %d: ended before, or before it began", e.ID)
	}
	o.End, o.Outcome, o.Error = e.Time, e.Outcome, e.Error
	if o.Op == pool.OpRead && e.Outcome == outcomeOK {
		if e.Stamp == nil {
			return fmt.Errorf("end of read %d has no stamp", e.ID)
		}
		o.Stamp = *e.Stamp
	}
	return nil
}
