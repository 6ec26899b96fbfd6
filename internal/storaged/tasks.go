// SPDX-License-Identifier: Apache-2.0

// Work that may fail or hang: each piece in a goroutine of its own, once at a time, tried again
// with back-off for as long as somebody wants it.
//
// A tasks value belongs to one goroutine; what it starts reports through channels.

package storaged

import (
	"context"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
)

type task struct {
	running chan error // nil: not running; room for the result
	wait    *backoff.ExponentialBackOff
	next    time.Time // not before
	err     error     // of the last attempt
	tried   int
	wanted  bool // in this round
	fresh   bool // started in this round: worth waiting for
}

type tasks struct {
	retry Retry
	now   func() time.Time
	all   map[string]*task
	done  chan struct{} // something ended
	wg    sync.WaitGroup
	count func(kind string, err error)
}

func newTasks(retry Retry, now func() time.Time, count func(kind string, err error)) *tasks {
	return &tasks{retry: retry, now: now, all: map[string]*task{}, done: make(chan struct{}, 1), count: count}
}

// begin starts a round: what want does not name until sweep is forgotten.
func (t *tasks) begin() {
	for _, k := range t.all {
		k.wanted, k.fresh = false, false
	}
}

// want runs fn unless it runs already or failed too short a time ago. kind is its name in metrics.
func (t *tasks) want(ctx context.Context, key, kind string, fn func(context.Context) error) {
	k := t.all[key]
	if k == nil {
		k = &task{wait: backoff.NewExponentialBackOff()}
		k.wait.InitialInterval, k.wait.MaxInterval, k.wait.Multiplier = t.retry.First, t.retry.Max, 2
		k.wait.Reset()
		t.all[key] = k
	}
	k.wanted = true
	if k.running != nil || t.now().Before(k.next) || ctx.Err() != nil {
		return
	}
	result := make(chan error, 1)
	k.running, k.fresh = result, true
	k.tried++
	t.wg.Go(func() {
		err := fn(ctx)
		t.count(kind, err)
		result <- err
		select {
		case t.done <- struct{}{}:
		default:
		}
	})
}

// settle waits until everything that this round started has ended, or for the limit: what hangs
// is waited for once.
func (t *tasks) settle(limit time.Duration) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for t.collect(); t.running() > 0; t.collect() {
		select {
		case <-t.done:
		case <-timer.C:
			for _, k := range t.all {
				k.fresh = false
			}
		}
	}
}

// collect takes the results that are there.
func (t *tasks) collect() {
	for _, k := range t.all {
		select {
		case k.err = <-k.running: // never ready when nil
			k.running = nil
			k.next = t.now().Add(k.wait.NextBackOff())
		default:
		}
	}
}

// running counts what settle waits for.
func (t *tasks) running() (n int) {
	for _, k := range t.all {
		if k.running != nil && k.fresh {
			n++
		}
	}
	return n
}

// sweep forgets what is no longer wanted, but never a goroutine that still runs.
func (t *tasks) sweep() {
	for key, k := range t.all {
		if !k.wanted && k.running == nil {
			delete(t.all, key)
		}
	}
}

// state is the error of the last attempt and whether one is under way.
func (t *tasks) state(key string) (err error, running bool) {
	k := t.all[key]
	if k == nil {
		return nil, false
	}
	return k.err, k.running != nil
}

// worked tells whether the last attempt of this round or an earlier one was good.
func (t *tasks) worked(key string) bool {
	k := t.all[key]
	return k != nil && k.running == nil && k.tried > 0 && k.err == nil
}

// due is the time until the next attempt, at most limit.
func (t *tasks) due(limit time.Duration) time.Duration {
	for _, k := range t.all {
		if k.running == nil {
			limit = min(limit, max(k.next.Sub(t.now()), 0))
		}
	}
	return limit
}
