// SPDX-License-Identifier: Apache-2.0

// The directories of runs. One that was made for a run has a note of its owner, which goes when the run ends in
// order, good or bad: so a note whose process is gone tells of a run that was killed, and the next start removes
// what that left. What a failed run keeps to be looked at has no note.

package rig

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const (
	runDirPrefix = "rmr-rig-"
	ownerFile    = "owner"
)

// makeOwnedDir makes a run directory for this process under base.
func makeOwnedDir(base string) (string, error) {
	dir, err := os.MkdirTemp(base, runDirPrefix)
	if err != nil {
		return "", err
	}
	me, err := processID(os.Getpid())
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, ownerFile), []byte(me+"\n"), 0o644)
	}
	return dir, err
}

// disown ends the ownership of a run directory, if it has an owner.
func disown(dir string) error {
	if err := os.Remove(filepath.Join(dir, ownerFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("end run: %w", err)
	}
	return nil
}

// processID is unique among all processes since the host was installed: boot, number, start time in the ticks of
// proc(5). It is an error wrapping fs.ErrNotExist if there is none of that number.
func processID(pid int) (string, error) {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", fmt.Errorf("identify process %d: %w", pid, err)
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", fmt.Errorf("identify process %d: %w", pid, err)
	}
	// The name, in parentheses, may hold anything; the start time is field 22, the first behind it field 3.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	const start, state = 22 - 3, 0
	if len(fields) <= start {
		return "", fmt.Errorf("identify process %d: %q is too short", pid, stat)
	}
	if fields[state] == "Z" {
		return "", fmt.Errorf("identify process %d: it has ended: %w", pid, fs.ErrNotExist)
	}
	return fmt.Sprintf("%s %d %s", strings.TrimSpace(string(boot)), pid, fields[start]), nil
}

// removeOrphans removes the run directories under base whose owner is gone, and only those.
func removeOrphans(base string) error {
	notes, err := filepath.Glob(filepath.Join(base, runDirPrefix+"*", ownerFile))
	if err != nil {
		return fmt.Errorf("look for orphaned runs: %w", err)
	}
	var problems []error
	for _, note := range notes {
		if gone(note) {
			problems = append(problems, os.RemoveAll(filepath.Dir(note)))
		}
	}
	return errors.Join(problems...)
}

// gone is true only if the note is well-formed and its process is certainly no more.
func gone(note string) bool {
	text, err := os.ReadFile(note)
	fields := strings.Fields(string(text))
	if err != nil || len(fields) != 3 || !strings.HasSuffix(string(text), "\n") {
		return false
	}
	pid, err := strconv.Atoi(fields[1])
	if err != nil || pid <= 0 {
		return false
	}
	now, err := processID(pid)
	return errors.Is(err, fs.ErrNotExist) || err == nil && now != strings.TrimSuffix(string(text), "\n")
}
