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
	done  uint64
	total uint64
}

func (a *app) progress(what string) *progress {
	now := a.Now()
	return &progress{a: a, what: what, start: now, last: now}
}

// report tells bytes done of bytes in all.
func (p *progress) report(done, total uint64) {
	p.done, p.total = done, total
	if p.a.Terminal {
		if p.bar == nil {
			p.bar = pb.New64(int64(total)).Set(pb.Bytes, true).SetWriter(p.a.Stderr).Set("prefix", p.what+" ")
			p.bar.Start()
		}
		p.bar.SetCurrent(int64(done))
		return
	}
	if now := p.a.Now(); now.Sub(p.last) >= progressEvery {
		p.last = now
		p.line()
	}
}

func (p *progress) line() {
	seconds := p.a.Now().Sub(p.start).Seconds()
	rate, eta := "-", "-"
	if seconds > 0 && p.done > 0 {
		perSecond := float64(p.done) / seconds
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
