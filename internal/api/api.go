// SPDX-License-Identifier: Apache-2.0

// Package api runs commands of rmrctl on another process's side: a client sends the arguments as JSON over HTTP, the
// server runs the very same tool and streams what it prints, as lines of JSON, and its exit code. Who may connect is
// the listener's business: a Unix socket of root or TLS with certificates of both sides (listen.go).
package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	path      = "/v1/run"
	bodyMax   = 64 << 10 // bytes of a request
	argsMax   = 256
	lineMax   = 1 << 20 // bytes of a line of an answer
	writeMax  = 32 << 10
	readLimit = 10 * time.Second
	runsMax   = 16 // commands at a time; watches count too
)

// Runner runs the tool with arguments as after its name, and returns its exit code.
type Runner func(ctx context.Context, stdout, stderr io.Writer, args []string) int

// request is the body of POST /v1/run.
type request struct {
	Args []string `json:"args"`
}

// line is one of an answer. The last one has the code.
type line struct {
	Stdout string `json:"stdout,omitempty"`
	Stderr string `json:"stderr,omitempty"`
	Code   *int   `json:"code,omitempty"`
}

// Options of the client's side, which no request may have: servers do not go on to others.
var Options = []string{"--socket", "--server", "--cert", "--key", "--ca"}

func (r request) check() error {
	if len(r.Args) > argsMax {
		return fmt.Errorf("args: more than %d", argsMax)
	}
	for _, a := range r.Args {
		name, _, _ := strings.Cut(a, "=")
		if slices.Contains(Options, name) {
			return fmt.Errorf("args: %s is not for a server", name)
		}
		if strings.ContainsRune(a, 0) {
			return errors.New("args: a zero byte")
		}
	}
	return nil
}

func decode(body io.Reader) (r request, err error) {
	dec := json.NewDecoder(body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(&r); err != nil {
		return r, err
	}
	if dec.More() {
		return r, errors.New("more than one document")
	}
	return r, r.check()
}

// stream writes lines; its lock keeps them whole.
type stream struct {
	mu  sync.Mutex
	out *json.Encoder
	rc  *http.ResponseController
}

func (s *stream) send(l line) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.out.Encode(l); err != nil {
		return err
	}
	return s.rc.Flush()
}

// part is one of the two outputs of a command.
type part struct {
	s    *stream
	line func(text string) line
}

func (p part) Write(b []byte) (n int, err error) {
	for chunk := range slices.Chunk(b, writeMax) {
		if err := p.s.send(p.line(string(chunk))); err != nil {
			return n, err
		}
		n += len(chunk)
	}
	return n, nil
}

// Handler serves POST /v1/run. A command ends with its connection.
func Handler(run Runner) http.Handler {
	slots := make(chan struct{}, runsMax)
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) {
		// A request comes at once; what is read of the connection after it only tells that the client has left.
		rc := http.NewResponseController(w)
		_ = rc.SetReadDeadline(time.Now().Add(readLimit))
		req, err := decode(http.MaxBytesReader(w, r.Body, bodyMax))
		_ = rc.SetReadDeadline(time.Time{})
		if err != nil {
			http.Error(w, "request refused: "+err.Error(), http.StatusBadRequest)
			return
		}
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
		default:
			http.Error(w, fmt.Sprintf("%d commands run already", runsMax), http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "application/x-ndjson")
		w.Header().Set("Cache-Control", "no-store")
		s := &stream{out: json.NewEncoder(w), rc: rc}
		code := run(r.Context(), part{s, func(t string) line { return line{Stdout: t} }},
			part{s, func(t string) line { return line{Stderr: t} }}, req.Args)
		_ = s.send(line{Code: &code}) // a reader that left is no error
	})
	return mux
}

// Run has a server run the tool and copies what it prints; base is the URL without path. The error says that the
// command's end is unknown.
func Run(ctx context.Context, client *http.Client, base string, stdout, stderr io.Writer, args []string) (int, error) {
	body, err := json.Marshal(request{Args: args})
	if err != nil {
		return 0, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+path, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 512))
		return 0, fmt.Errorf("%s: %s", resp.Status, strings.TrimSpace(string(text)))
	}
	return copyLines(resp.Body, stdout, stderr)
}

func copyLines(body io.Reader, stdout, stderr io.Writer) (int, error) {
	sc := bufio.NewScanner(body)
	sc.Buffer(nil, lineMax)
	for sc.Scan() {
		var l line
		if err := json.Unmarshal(sc.Bytes(), &l); err != nil {
			return 0, fmt.Errorf("answer: %w", err)
		}
		if _, err := io.WriteString(stdout, l.Stdout); err != nil {
			return 0, err
		}
		if _, err := io.WriteString(stderr, l.Stderr); err != nil {
			return 0, err
		}
		if l.Code != nil {
			return *l.Code, nil
		}
	}
	if err := sc.Err(); err != nil {
		return 0, fmt.Errorf("answer: %w", err)
	}
	return 0, errors.New("the connection ended before the command did")
}
