// SPDX-License-Identifier: Apache-2.0

// This file owns the log of what reaches a disk: a log-writes target of a node's device mapper notes on another disk
// what was written, in the order in which a FLUSH or FUA made it stable, and marks that a test puts between.

package rig

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// The log of the kernel's dm-log-writes: a sector with the superblock, then for each entry a sector with a header
// and the data. Numbers are little-endian; sectors are of 512 bytes, the logical block of the rig's disks.
const (
	logFlush   = 1 << 0
	logFUA     = 1 << 1
	logDiscard = 1 << 2
	logMark    = 1 << 3

	logHeader  = 32 // bytes of an entry's header; the text of a mark follows
	logEndMark = "dm-log-writes-end"
)

// LogEntry is one entry of a write log. Entries without FUA became stable with the next one that has Flush, which
// comes right behind them; until it ended, any part of them may be on the disk.
type LogEntry struct {
	Sector, Count       uint64 // of 512 bytes
	Flush, FUA, Discard bool
	Mark                string // not "": no write, but what a test noted at this moment
	Data                []byte // Count sectors; nil of a discard
}

// readEntry reads the next entry of a log of a disk of that many sectors. io.EOF: the log ends here.
func readEntry(r io.Reader, space uint64) (*LogEntry, error) {
	var header [sectorSize]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return nil, io.EOF
	}
	flags, length := binary.LittleEndian.Uint64(header[16:]), binary.LittleEndian.Uint64(header[24:])
	e := &LogEntry{
		Sector: binary.LittleEndian.Uint64(header[0:]), Count: binary.LittleEndian.Uint64(header[8:]),
		Flush: flags&logFlush != 0, FUA: flags&logFUA != 0, Discard: flags&logDiscard != 0,
	}
	switch {
	case flags&logMark != 0:
		if length == 0 || length > sectorSize-logHeader {
			return nil, fmt.Errorf("mark of %d bytes", length)
		}
		e.Mark = string(header[logHeader : logHeader+length])
		return e, nil
	case e.Sector == 0 && e.Count == 0 && flags == 0:
		return nil, io.EOF
	case e.Count > space || e.Sector > space-e.Count:
		return nil, fmt.Errorf("sectors %d to %d of %d", e.Sector, e.Sector+e.Count, space)
	case e.Discard:
		return e, nil
	}
	e.Data = make([]byte, e.Count*sectorSize)
	if _, err := io.ReadFull(r, e.Data); err != nil {
		return nil, errors.New("data ends early")
	}
	return e, nil
}

// WriteLog is a disk of a node whose writes are noted on another disk of it.
//
//	/dev/mapper/NAME -> log-writes -> /dev/ubdX (as it is), /dev/ubdY (the log)
type WriteLog struct {
	node      *Node
	disk, log int
}

// NewWriteLog empties the log, which must be large enough for all that is written. Both disks are used by nothing else.
func NewWriteLog(n *Node, disk, log int) (*WriteLog, error) {
	w := &WriteLog{node: n, disk: disk, log: log}
	return w, w.empty()
}

func (w *WriteLog) name() string { return fmt.Sprintf("cached%d", w.disk) }

// Start makes the device in a node that has booted, and returns its path.
func (w *WriteLog) Start(ctx context.Context) (string, error) {
	_, err := w.node.Sh(ctx, fmt.Sprintf("modprobe dm_mod && modprobe dm_log_writes && echo '0 %d log-writes %s %s' | dmsetup create --noudevsync %s && dmsetup mknodes",
		w.node.disks[w.disk]/sectorSize, w.node.DiskDevice(w.disk), w.node.DiskDevice(w.log), w.name()))
	if err != nil {
		return "", fmt.Errorf("log the writes of disk %d: %w", w.disk, err)
	}
	return "/dev/mapper/" + w.name(), nil
}

// Mark notes a text in the log: whatever a FLUSH or FUA had made stable before the call lies before it. The text has
// neither blanks, quotes nor backslashes.
func (w *WriteLog) Mark(ctx context.Context, text string) error {
	if strings.ContainsAny(text, " \t\n'\\") || len(text) > sectorSize-logHeader || text == logEndMark {
		return fmt.Errorf("mark %q: not a text for the log", text)
	}
	if _, err := w.node.Sh(ctx, fmt.Sprintf("dmsetup message %s 0 mark '%s'", w.name(), text)); err != nil {
		return fmt.Errorf("mark %q: %w", text, err)
	}
	return nil
}

// End takes the device away, which nobody uses any more, and returns the whole log: the kernel has written it then.
func (w *WriteLog) End(ctx context.Context) ([]LogEntry, error) {
	if _, err := w.node.Sh(ctx, "dmsetup remove --noudevsync "+w.name()); err != nil {
		return nil, fmt.Errorf("end the log of disk %d: %w", w.disk, err)
	}
	f, err := os.Open(w.node.Disk(w.log))
	if err != nil {
		return nil, fmt.Errorf("open log of %s: %w", w.node.name, err)
	}
	defer f.Close()
	list, err := readLog(bufio.NewReaderSize(f, 1<<20), uint64(w.node.disks[w.disk]/sectorSize))
	if err != nil {
		return nil, fmt.Errorf("log of %s: %w", w.node.name, err)
	}
	return list, nil
}

// readLog reads a log that was ended, without its last mark.
func readLog(r io.Reader, space uint64) ([]LogEntry, error) {
	if _, err := io.CopyN(io.Discard, r, sectorSize); err != nil {
		return nil, errors.New("no superblock")
	}
	var list []LogEntry
	for {
		e, err := readEntry(r, space)
		switch {
		case err == io.EOF:
			return nil, fmt.Errorf("entry %d: the log was not ended", len(list))
		case err != nil:
			return nil, fmt.Errorf("entry %d: %w", len(list), err)
		case e.Mark == logEndMark:
			return list, nil
		}
		list = append(list, *e)
	}
}

// empty makes the log one without an entry.
func (w *WriteLog) empty() error {
	path := w.node.Disk(w.log)
	st, err := os.Stat(path)
	if err == nil {
		err = errors.Join(os.Truncate(path, 0), os.Truncate(path, st.Size()))
	}
	if err != nil {
		return fmt.Errorf("empty log of %s: %w", w.node.name, err)
	}
	return nil
}

// replay applies a log to a disk. The log ends at the first header of zeros; anything behind it is an error, as
// then the kernel was cut off while it wrote the log.
//
// A FUA write is logged when it ends, another one at the next flush: of two of the same sector between two flushes
// the log does not tell which came last. Such sectors are returned, unless they were written again later.
func replay(disk, log []byte) (unclear map[uint64]bool, err error) {
	unclear = map[uint64]bool{}
	fua := map[uint64]bool{} // since the last flush
	r := bytes.NewReader(log)
	_, _ = r.Seek(sectorSize, io.SeekStart) // no error: what follows is then empty
	for {
		at := int(r.Size()) - r.Len()
		e, err := readEntry(r, uint64(len(disk))/sectorSize)
		if err == io.EOF {
			if rest := bytes.TrimLeft(log[min(at, len(log)):], "\x00"); len(rest) > 0 {
				return nil, fmt.Errorf("torn at byte %d", at)
			}
			return unclear, nil
		}
		if err != nil {
			return nil, fmt.Errorf("entry at %d: %w", at, err)
		}
		if e.Mark == "" {
			e.order(fua, unclear)
			e.applyTo(disk)
		}
	}
}

// order notes for which sectors the log does not tell which write came last.
func (e *LogEntry) order(fua, unclear map[uint64]bool) {
	for s := e.Sector; s < e.Sector+e.Count; s++ {
		if e.FUA {
			fua[s] = true
			delete(unclear, s)
		} else if fua[s] {
			unclear[s] = true
		} else {
			delete(unclear, s)
		}
	}
	if e.Flush {
		clear(fua)
	}
}

func (e *LogEntry) applyTo(disk []byte) {
	to := disk[e.Sector*sectorSize : (e.Sector+e.Count)*sectorSize]
	if e.Discard {
		clear(to)
		return
	}
	copy(to, e.Data)
}
