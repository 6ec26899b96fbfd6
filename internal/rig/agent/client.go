// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"bufio"
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/hashicorp/yamux"
)

// ErrGone means that the node ended or was killed while a request was under way.
var ErrGone = errors.New("node is gone")

// pastDeadline ends reads at once.
var pastDeadline = time.Unix(1, 0)

// Client is the host's end of a node's control channel. It may be used from many goroutines.
type Client struct {
	session *yamux.Session
}

// Dial waits for the node's banner on conn and starts the session. It fails when ctx ends first
// or when the node closes the channel, that is, ends.
func Dial(ctx context.Context, conn net.Conn) (*Client, error) {
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	// One byte at a time: what follows the banner belongs to the session.
	line, err := bufio.NewReaderSize(byteReader{conn}, 16).ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("wait for node: %w", errors.Join(context.Cause(ctx), err))
	}
	if line != Banner {
		return nil, fmt.Errorf("wait for node: unexpected banner %q", line)
	}
	session, err := yamux.Client(conn, sessionConfig())
	if err != nil {
		return nil, fmt.Errorf("start session: %w", err)
	}
	return &Client{session: session}, nil
}

type byteReader struct{ r io.Reader }

func (b byteReader) Read(p []byte) (int, error) { return b.r.Read(p[:1]) }

// Close ends the session and with it every command that runs.
func (c *Client) Close() error { return c.session.Close() }

// Setup tells the node what it is.
func (c *Client) Setup(ctx context.Context, s Setup) error {
	_, err := c.call(ctx, Request{Op: opSetup, Setup: s}, Stdio{})
	return err
}

// Netem sets what the node's link does to packets.
func (c *Client) Netem(ctx context.Context, n Netem) error {
	_, err := c.call(ctx, Request{Op: opNetem, Netem: n}, Stdio{})
	return err
}

// Stdio connects a command. Nil members are empty input and discarded output. Resize carries
// {rows, columns} of the terminal.
type Stdio struct {
	In       io.Reader
	Out, Err io.Writer
	Resize   <-chan [2]uint16
}

// Exec runs a command and returns its exit code. When ctx ends the command is killed and the
// error wraps context.Cause(ctx); ErrGone says that the node ended.
func (c *Client) Exec(ctx context.Context, x Exec, stdio Stdio) (int, error) {
	x.Stdin = stdio.In != nil
	return c.call(ctx, Request{Op: opExec, Exec: x}, stdio)
}

func (c *Client) call(ctx context.Context, req Request, stdio Stdio) (int, error) {
	if err := context.Cause(ctx); err != nil {
		return 0, err
	}
	stream, err := c.session.Open()
	if err != nil {
		return 0, fmt.Errorf("open stream: %w: %w", ErrGone, err)
	}
	// Closing the stream makes the node kill the command. The read side is ended too, so that
	// the loop below returns even if the node is stopped.
	var once sync.Once
	closeStream := func() { once.Do(func() { stream.SetReadDeadline(pastDeadline); stream.Close() }) }
	defer closeStream()
	stop := context.AfterFunc(ctx, closeStream)
	defer stop()

	enc := &frameWriter{enc: gob.NewEncoder(stream)}
	if err := enc.enc.Encode(req); err != nil {
		return 0, callError(ctx, err)
	}
	done := make(chan struct{})
	defer close(done)
	if stdio.In != nil {
		go sendInput(enc, stdio.In) // ends with its input or with the stream
	}
	if stdio.Resize != nil {
		go sendResize(enc, stdio.Resize, done)
	}
	return receive(ctx, gob.NewDecoder(stream), stdio)
}

func receive(ctx context.Context, dec *gob.Decoder, stdio Stdio) (int, error) {
	for {
		var f frame
		if err := dec.Decode(&f); err != nil {
			return 0, callError(ctx, err)
		}
		var w io.Writer
		switch f.Kind {
		case frameStdout:
			w = stdio.Out
		case frameStderr:
			w = stdio.Err
		case frameExit:
			if f.Err != "" {
				return 0, errors.New(f.Err)
			}
			return f.Code, nil
		}
		if w == nil {
			continue
		}
		if _, err := w.Write(f.Data); err != nil {
			return 0, fmt.Errorf("write output of command: %w", err)
		}
	}
}

func callError(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return fmt.Errorf("%w: %w", ErrGone, err)
}

func sendInput(enc *frameWriter, in io.Reader) {
	buf := make([]byte, 16<<10)
	for {
		n, err := in.Read(buf)
		if n > 0 {
			if enc.trySend(frame{Kind: frameStdin, Data: buf[:n]}) != nil {
				return
			}
		}
		if err != nil {
			enc.send(frame{Kind: frameStdinEOF})
			return
		}
	}
}

func sendResize(enc *frameWriter, sizes <-chan [2]uint16, done <-chan struct{}) {
	for {
		select {
		case <-done:
			return
		case s, ok := <-sizes:
			if !ok {
				return
			}
			enc.send(frame{Kind: frameResize, Rows: s[0], Cols: s[1]})
		}
	}
}
