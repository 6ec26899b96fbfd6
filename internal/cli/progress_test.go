// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// screen is what a terminal got; the bar draws from a goroutine of its own.
type screen struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.String()
}

// TestBarWithoutETA: bug guarded: a terminal saw a bar without the time left, and full at once if the amount was not
// known at its first drawing.
func TestBarWithoutETA(t *testing.T) {
	out := &screen{}
	a := &app{Env: Env{Stderr: out, Terminal: true, Now: time.Now}}
	p := a.progress("copying")
	p.report(0, 0)
	require.Nil(t, p.bar, "nothing is known yet")
	for i := range uint64(12) {
		p.report(i<<20, 100<<20)
		time.Sleep(100 * time.Millisecond)
	}
	require.Eventually(t, func() bool {
		p.report(12<<20, 100<<20)
		return bytes.Contains([]byte(out.String()), []byte("ETA "))
	}, time.Minute, 50*time.Millisecond)
	p.finish()
	require.Regexp(t, `copying .*MiB / 100\.00 MiB \[.*\] +\d+\.\d+% .*MiB p/s ETA \d`, out.String())
	require.NotContains(t, out.String(), "100.00%")
}

func TestProgressWithoutATerminal(t *testing.T) {
	now, out := time.Unix(1000, 0), &screen{}
	a := &app{Env: Env{Stderr: out, Now: func() time.Time { return now }}}
	p := a.progress("copying")
	for _, done := range []uint64{40, 40, 100, 160, 220} { // 40 were there before
		p.report(done, 640)
		now = now.Add(3 * time.Second)
	}
	p.report(700, 640) // more than all
	p.finish()
	require.Equal(t, `copying: 100 of 640 bytes, 10B/s, 54s left
copying: 220 of 640 bytes, 15B/s, 28s left
copying: 640 of 640 bytes, 40B/s, 0s left
`, out.String())
}
