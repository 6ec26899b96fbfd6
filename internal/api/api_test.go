// SPDX-License-Identifier: Apache-2.0

package api

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/api/apitest"
)

// echo prints its arguments and ends with their number; "wait" waits for the end of the connection.
func echo(ctx context.Context, stdout, stderr io.Writer, args []string) int {
	fmt.Fprintf(stdout, "%q\n", args)
	if len(args) > 0 && args[0] == "wait" {
		<-ctx.Done()
		return 99
	}
	fmt.Fprint(stderr, "done")
	return len(args)
}

// serveOn serves on a listener until the test ends.
func serveOn(t *testing.T, l net.Listener, run Runner) {
	t.Helper()
	srv, done := &http.Server{Handler: Handler(run)}, make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(l) }()
	t.Cleanup(func() { srv.Close(); <-done })
}

func TestCommandRunsOverASocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := ListenUnix(t.Context(), path)
	require.NoError(t, err)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	serveOn(t, l, echo)
	var out, errs bytes.Buffer
	code, err := Run(t.Context(), UnixClient(path), "http://storaged", &out, &errs, []string{"pool", "show", "-o", "json"})
	require.NoError(t, err)
	require.Equal(t, 4, code)
	require.Equal(t, "[\"pool\" \"show\" \"-o\" \"json\"]\n", out.String())
	require.Equal(t, "done", errs.String())
	// A second server leaves the first alone; what a dead one left is replaced.
	_, err = ListenUnix(t.Context(), path)
	require.ErrorContains(t, err, "another server listens there")
	stale := filepath.Join(t.TempDir(), "stale")
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: stale, Net: "unix"})
	require.NoError(t, err)
	dead.SetUnlinkOnClose(false)
	require.NoError(t, dead.Close())
	l, err = ListenUnix(t.Context(), stale)
	require.NoError(t, err)
	require.NoError(t, l.Close())
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err = ListenUnix(t.Context(), file)
	require.ErrorContains(t, err, "is no socket")
}

// A watch would run for ever after its client has gone.
func TestCommandEndsWithItsConnection(t *testing.T) {
	path, ended := filepath.Join(t.TempDir(), "s"), make(chan struct{})
	l, err := ListenUnix(t.Context(), path)
	require.NoError(t, err)
	serveOn(t, l, func(ctx context.Context, stdout, stderr io.Writer, args []string) int {
		defer close(ended)
		return echo(ctx, stdout, stderr, args)
	})
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	result := make(chan error, 1)
	go func() {
		_, err := Run(ctx, UnixClient(path), "http://storaged", w, io.Discard, []string{"wait"})
		result <- err
	}()
	first := make([]byte, 8)
	_, err = io.ReadFull(r, first) // streamed, not kept to the end
	require.NoError(t, err)
	require.Equal(t, `["wait"]`, string(first))
	go func() { _, _ = io.Copy(io.Discard, r) }()
	cancel()
	require.ErrorIs(t, <-result, context.Canceled)
	select {
	case <-ended:
	case <-time.After(time.Minute):
		t.Fatal("the command goes on without its client")
	}
}

func TestBadRequestsAreRefused(t *testing.T) {
	ran := false
	h := Handler(func(context.Context, io.Writer, io.Writer, []string) int { ran = true; return 0 })
	for body, want := range map[string]string{
		`{`:                             "unexpected EOF",
		`[]`:                            "cannot unmarshal",
		`{"args":["x"],"more":1}`:       "unknown field",
		`{"args":["x"]}{}`:              "more than one document",
		`{"args":["--socket","/x"]}`:    "--socket is not for a server",
		`{"args":["a","--server=h:1"]}`: "--server is not for a server",
		"{\"args\":[\"a\\u0000b\"]}":    "zero byte",
		`{"args":["` + strings.Repeat("x", bodyMax) + `"]}`:     "too large",
		`{"args":["x"` + strings.Repeat(`,"x"`, argsMax) + `]}`: "more than 256",
	} {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequest(http.MethodPost, path, strings.NewReader(body)))
		require.Equal(t, http.StatusBadRequest, rec.Code, "%.60s", body)
		require.Contains(t, rec.Body.String(), want, "%.60s", body)
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, nil))
	require.Equal(t, http.StatusMethodNotAllowed, rec.Code)
	require.False(t, ran)
}

// An answer that breaks off is no end of the command.
func TestCutAnswerIsAnError(t *testing.T) {
	for _, body := range []string{"", "{\"stdout\":\"x\"}\n", "{\"stdout\":", "no json\n"} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) }))
		_, err := Run(t.Context(), srv.Client(), srv.URL, io.Discard, io.Discard, nil)
		require.Error(t, err, body)
		srv.Close()
	}
}

func files(a *apitest.Authority, name string) Files {
	cert, key, ca := a.Make(name)
	return Files{cert, key, ca}
}

func TestOnlyCertificatesOfTheAuthorityConnect(t *testing.T) {
	ours, others := apitest.NewAuthority(t, t.TempDir()), apitest.NewAuthority(t, t.TempDir())
	l, err := ListenTLS(t.Context(), "127.0.0.1:0", files(ours, "server"))
	require.NoError(t, err)
	serveOn(t, l, echo)
	base := "https://" + l.Addr().String()
	client, err := TLSClient(files(ours, "client"))
	require.NoError(t, err)
	var out bytes.Buffer
	code, err := Run(t.Context(), client, base, &out, io.Discard, []string{"version"})
	require.NoError(t, err)
	require.Equal(t, 1, code)
	require.Contains(t, out.String(), "version")
	// A certificate of somebody else, and none at all; a server of somebody else.
	stranger := files(others, "client")
	stranger.CA = files(ours, "x").CA
	client, err = TLSClient(stranger)
	require.NoError(t, err)
	_, err = Run(t.Context(), client, base, io.Discard, io.Discard, nil)
	require.Error(t, err)
	_, err = Run(t.Context(), http.DefaultClient, base, io.Discard, io.Discard, nil)
	require.Error(t, err)
	trusting := files(ours, "y")
	trusting.CA = files(others, "z").CA
	client, err = TLSClient(trusting)
	require.NoError(t, err)
	_, err = Run(t.Context(), client, base, io.Discard, io.Discard, nil)
	require.ErrorContains(t, err, "certificate")
}

func TestMissingCertificatesAreNamed(t *testing.T) {
	_, err := ListenTLS(t.Context(), "127.0.0.1:0", Files{Cert: "/none", Key: "/none", CA: "/none"})
	require.ErrorContains(t, err, "certificate: ")
	f := files(apitest.NewAuthority(t, t.TempDir()), "server")
	f.CA = f.Key
	_, err = TLSClient(f)
	require.ErrorContains(t, err, "authority: no certificate in ")
}
