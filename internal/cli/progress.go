// SPDX-License-Identifier: Apache-2.0

// Progress of long work: a bar with rate and ETA on a terminal, plain lines elsewhere.

package cli

import (
	"fmt"
	"time"

	"github.com/cheggaaa/pb/v3"
)

// Without a terminal there is one line in so much time, and one at the end.
const progressEvery = 5 * time.Second

type progress struct {
	a     *app
	what  string
	bar   *pb.ProgressBar
	start time.Time
	last  time.Time
	first uint64 // bytes done at the start: no part of the rate
	done  uint64
	total uint64
}

func (a *app) progress(what string) *progress {
	now := a.Now()
	return &progress{a: a, what: what, start: now, last: now}
}

// report tells bytes done of bytes in all, which may change; 0 in all: not known yet, nothing is shown.
func (p *progress) report(done, total uint64) {
	if total == 0 {
		return
	}
	if p.total == 0 {
		p.first, p.start = done, p.a.Now()
	}
	p.done, p.total = min(done, total), total
	if p.a.Terminal {
		p.draw()
		return
	}
	if now := p.a.Now(); now.Sub(p.last) >= progressEvery {
		p.last = now
		p.line()
	}
}

func (p *progress) draw() {
	if p.bar == nil {
		p.bar = pb.New64(int64(p.total)).Set(pb.Bytes, true).Set(pb.Terminal, true).SetWriter(p.a.Stderr).
			Set("prefix", p.what).SetTemplate(pb.Full)
		p.bar.SetCurrent(int64(p.done)).Start()
	}
	p.bar.SetTotal(int64(p.total)).SetCurrent(int64(p.done))
}

func (p *progress) line() {
	seconds := p.a.Now().Sub(p.start).Seconds()
	rate, eta := "-", "-"
	if seconds > 0 && p.done > p.first {
		perSecond := float64(p.done-p.first) / seconds
		rate = size(uint64(perSecond)) + "/s"
		eta = (time.Duration(float64(p.total-p.done)/perSecond) * time.Second).String()
	}
	fmt.Fprintf(p.a.Stderr, "%s: %d of %d bytes, %s, %s left\n", p.what, p.done, p.total, rate, eta)
}

func (p *progress) finish() {
	switch {
	case p.bar != nil:
		p.bar.Finish()
	case p.total > 0:
		p.line()
	}
}
