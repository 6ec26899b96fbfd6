// SPDX-License-Identifier: Apache-2.0

package storaged

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/api"
	"github.com/rmr-block/rmr/internal/rmrnl/rmrnltest"
)

// The daemon runs commands of its socket and stays able to end while one of them has no end.
func TestDaemonRunsCommandsOfItsSocket(t *testing.T) {
	w := newWorld(t, rmrnltest.State{})
	d := w.daemon("")
	d.cfg.Socket = filepath.Join(t.TempDir(), "run", "s")
	d.env.Run = func(ctx context.Context, stdout, _ io.Writer, args []string) int {
		fmt.Fprintln(stdout, args)
		if args[0] == "events" {
			<-ctx.Done()
		}
		return 3
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); d.Run(ctx) }()
	var out bytes.Buffer
	require.Eventually(t, func() bool {
		out.Reset()
		code, err := api.Run(ctx, api.UnixClient(d.cfg.Socket), "http://storaged", &out, io.Discard, []string{"pool", "show"})
		return err == nil && code == 3
	}, time.Minute, 20*time.Millisecond)
	require.Equal(t, "[pool show]\n", out.String())
	watch := make(chan error, 1)
	go func() {
		_, err := api.Run(t.Context(), api.UnixClient(d.cfg.Socket), "http://storaged", io.Discard, io.Discard, []string{"events"})
		watch <- err
	}()
	time.Sleep(100 * time.Millisecond)
	cancel()
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		t.Fatal("the daemon does not end")
	}
	require.Error(t, <-watch, "cut off, and not told")
}
