// SPDX-License-Identifier: Apache-2.0

package rig

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
)

// entry is one of a log of dm-log-writes.
func entry(sector, count, flags uint64, fill byte) []byte {
	b := make([]byte, sectorSize)
	for i, v := range []uint64{sector, count, flags} {
		binary.LittleEndian.PutUint64(b[8*i:], v)
	}
	for range count * sectorSize {
		if flags&logDiscard == 0 {
			b = append(b, fill)
		}
	}
	return b
}

func logOf(entries ...[]byte) []byte {
	log := make([]byte, sectorSize)
	for _, e := range entries {
		log = append(log, e...)
	}
	return append(log, make([]byte, 8*sectorSize)...)
}

func TestReplayOfAWriteLog(t *testing.T) {
	disk := make([]byte, 8*sectorSize)
	unclear, err := replay(disk, logOf(entry(1, 3, 0, 0xaa), entry(2, 1, 2, 0xbb), entry(0, 0, 1, 0), entry(3, 1, logDiscard, 0), entry(7, 1, 0, 0xcc)))
	require.NoError(t, err)
	require.Empty(t, unclear)
	for sector, want := range []byte{0, 0xaa, 0xbb, 0, 0, 0, 0, 0xcc} {
		require.Equal(t, want, disk[sector*sectorSize], "sector %d", sector)
		require.Equal(t, want, disk[sector*sectorSize+sectorSize-1], "sector %d", sector)
	}
}

// TestOrderOfAFUAWriteIsUnclear: bug guarded: a write that came before a FUA write of the same block and was flushed
// after it looked like the newer one, and the FUA write like lost.
func TestOrderOfAFUAWriteIsUnclear(t *testing.T) {
	disk := make([]byte, 8*sectorSize)
	unclear, err := replay(disk, logOf(
		entry(1, 1, logFUA, 2), entry(1, 2, 0, 1), entry(0, 0, logFlush, 0), // sector 1: which came first?
		entry(4, 1, logFUA, 2), entry(0, 0, logFlush, 0), entry(4, 1, 0, 3), entry(0, 0, logFlush, 0), // clear
		entry(5, 1, logFUA, 2), entry(5, 1, 0, 1), entry(0, 0, logFlush, 0), entry(5, 1, 0, 4), entry(0, 0, logFlush, 0), // clear in the end
	))
	require.NoError(t, err)
	require.Equal(t, map[uint64]bool{1: true}, unclear)
}

func TestABadWriteLogIsRefused(t *testing.T) {
	disk := make([]byte, 8*sectorSize)
	hole := append(logOf(entry(1, 1, 0, 1)), entry(2, 1, 0, 2)...)
	for words, log := range map[string][]byte{
		"of 8":            logOf(entry(7, 2, 0, 1)),
		"sectors":         logOf(entry(1<<62, 1, 0, 1)),
		"torn":            hole,
		"data ends early": append(make([]byte, sectorSize), entry(1, 2, 0, 1)[:2*sectorSize]...),
	} {
		_, err := replay(disk, log)
		require.ErrorContains(t, err, words)
	}
}

// marked is a mark of a log of dm-log-writes.
func marked(text string) []byte {
	b := entry(0, 0, logMark, 0)
	binary.LittleEndian.PutUint64(b[24:], uint64(len(text)))
	copy(b[logHeader:], text)
	return b
}

func TestEntriesAndMarksOfAWriteLog(t *testing.T) {
	list, err := readLog(bytes.NewReader(logOf(entry(1, 2, logFUA|logFlush, 7), marked("hello"), entry(0, 0, logFlush, 0), marked(logEndMark), entry(1, 1, 0, 1))), 8)
	require.NoError(t, err)
	require.Len(t, list, 3)
	require.Equal(t, LogEntry{Sector: 1, Count: 2, Flush: true, FUA: true, Data: bytes.Repeat([]byte{7}, 2*sectorSize)}, list[0])
	require.Equal(t, "hello", list[1].Mark)
	require.Equal(t, LogEntry{Flush: true, Data: []byte{}}, list[2])
	for words, log := range map[string][]byte{
		"not ended":     logOf(entry(1, 1, 0, 1)),
		"sectors":       logOf(entry(8, 1, 0, 1), marked(logEndMark)),
		"mark of":       logOf(entry(0, 0, logMark, 0)),
		"no superblock": nil,
	} {
		_, err := readLog(bytes.NewReader(log), 8)
		require.ErrorContains(t, err, words)
	}
}
