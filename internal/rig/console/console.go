// SPDX-License-Identifier: Apache-2.0

// Package console finds the reports in a node's console log that must fail a run: kernel bugs,
// warnings and everything the debug kernel's checkers print.
package console

import (
	"fmt"
	"regexp"
	"strings"
)

// pattern is one kind of report. Patterns are tried in order; the first that fits names it.
type pattern struct {
	kind string
	re   *regexp.Regexp
}

// patterns are anchored after the time stamp where the kernel's text allows it, so that a program
// that logs the word "bug" is no report.
var patterns = []pattern{
	{"kasan", regexp.MustCompile(`BUG: KASAN: `)},
	{"lockdep", regexp.MustCompile(`WARNING: (possible circular locking|possible recursive locking|inconsistent lock state|possible irq lock inversion|suspicious RCU usage|lock held when returning to user space|bad unlock balance|held lock freed|nested lock was not taken|.*HARDIRQ-safe|.*SOFTIRQ-safe)|BUG: (MAX_LOCKDEP|MAX_STACK_TRACE|MAX_LOCK_DEPTH|MAX_LOCKDEP_CHAINS)|INFO: trying to register non-static key|=+\[ BUG: |BUG: Invalid wait context|\[ BUG: Invalid wait context \]|BUG: .*lock .* freed|turning off the locking correctness validator`)},
	{"bug", regexp.MustCompile(`(^|\] )(kernel )?BUG[: ]`)},
	{"warning", regexp.MustCompile(`(^|\] )WARNING: `)},
	{"hung task", regexp.MustCompile(`INFO: task .* blocked for more than \d+ seconds`)},
	{"rcu stall", regexp.MustCompile(`INFO: rcu_?\w* (self-)?detected|rcu: INFO: .*stall`)},
	{"info", regexp.MustCompile(`(^|\] )INFO: (possible|suspicious|trying to register|inconsistent)`)},
	{"refcount", regexp.MustCompile(`refcount_t: `)},
	{"kmemleak", regexp.MustCompile(`kmemleak: .*(new suspected memory leaks|disabled)|unreferenced object 0x`)},
	{"ubsan", regexp.MustCompile(`UBSAN: `)},
	{"debug objects", regexp.MustCompile(`ODEBUG: `)},
	{"list corruption", regexp.MustCompile(`list_(add|del) corruption|slab .*corruption|Slab .*(Redzone|Poison)`)},
	{"oops", regexp.MustCompile(`(^|\] )(Oops|general protection fault|Unable to handle kernel|Internal error)|Segfault with no mm|Kernel mode fault at addr`)},
	{"panic", regexp.MustCompile(`Kernel panic - not syncing`)},
	{"page allocator", regexp.MustCompile(`Bad page state|page allocation failure`)},
	{"out of memory", regexp.MustCompile(`Out of memory: Killed process|invoked oom-killer`)},
	{"workqueue", regexp.MustCompile(`workqueue: .* is flushing|BUG: workqueue leaked`)},
	{"soft lockup", regexp.MustCompile(`watchdog: BUG: soft lockup`)},
	{"agent", regexp.MustCompile(`^rig agent: `)},
}

// Report is one finding: the line that gives it away and what follows it.
type Report struct {
	Kind    string
	Line    int      // 1-based number of the first line
	Context []string // the line and up to contextLines after it
}

const contextLines = 40

func (r Report) String() string {
	return fmt.Sprintf("%s at line %d:\n\t%s", r.Kind, r.Line, strings.Join(r.Context, "\n\t"))
}

// Scan returns the reports of a log. Lines matching one of allow, and those within the report that
// such a line starts, are passed over. A report's own further lines, up to its end marker or
// contextLines, are part of it and not counted again.
func Scan(log string, allow []*regexp.Regexp) []Report {
	lines := strings.Split(strings.ReplaceAll(log, "\r", ""), "\n")
	reports := []Report{}
	for i := 0; i < len(lines); i++ {
		kind := classify(lines[i])
		if kind == "" {
			continue
		}
		end := reportEnd(lines, i)
		if !anyMatch(allow, strings.Join(lines[i:end], "\n")) {
			reports = append(reports, Report{Kind: kind, Line: i + 1, Context: lines[i:end]})
		}
		i = end - 1
	}
	return reports
}

func classify(line string) string {
	for _, p := range patterns {
		if p.re.MatchString(line) {
			return p.kind
		}
	}
	return ""
}

var (
	reportEnded = regexp.MustCompile(`---\[ end trace|---\[ end Kernel panic`)
	separator   = regexp.MustCompile(`^(\[ *\d+\.\d+\] )?=+$`)
)

// reportEnd returns the index after the last line of the report that starts at i. A further
// report of another kind inside it ends it, so that none hides behind an allowed one.
func reportEnd(lines []string, i int) int {
	limit := min(len(lines), i+1+contextLines)
	for j := i + 1; j < limit; j++ {
		if reportEnded.MatchString(lines[j]) || (separator.MatchString(lines[j]) && j > i+1) {
			return j + 1
		}
		if classify(lines[j]) != "" {
			return j
		}
	}
	return limit
}

func anyMatch(res []*regexp.Regexp, text string) bool {
	for _, re := range res {
		if re.MatchString(text) {
			return true
		}
	}
	return false
}
