// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/creack/pty"
	"github.com/hashicorp/yamux"
	"golang.org/x/sys/unix"
)

const controlLine = "/dev/ttyS0"

// sessionConfig is the yamux configuration of both ends. A node may be stopped for minutes, so
// silence is no error: the host learns of a node's death from the end of the socket.
func sessionConfig() *yamux.Config {
	c := yamux.DefaultConfig()
	c.EnableKeepAlive = false
	c.ConnectionWriteTimeout = 24 * time.Hour
	c.StreamOpenTimeout = 0
	c.StreamCloseTimeout = 24 * time.Hour
	c.LogOutput = io.Discard
	return c
}

// serve answers the host until the control line ends.
func serve() error {
	line, err := openRaw(controlLine)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(line, Banner); err != nil {
		return fmt.Errorf("write banner: %w", err)
	}
	session, err := yamux.Server(line, sessionConfig())
	if err != nil {
		return fmt.Errorf("start session: %w", err)
	}
	for {
		stream, err := session.Accept()
		if err != nil {
			return fmt.Errorf("control line ended: %w", err)
		}
		go handle(stream) // ends with its stream; the process ends with the session
	}
}

// openRaw opens a serial line in raw mode. Blocking reads: the poller cannot wait on every tty.
func openRaw(path string) (*os.File, error) {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open control line %s: %w", path, err)
	}
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return nil, fmt.Errorf("read mode of %s: %w", path, err)
	}
	t.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
	t.Oflag &^= unix.OPOST
	t.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	t.Cflag = t.Cflag&^(unix.CSIZE|unix.PARENB|unix.HUPCL) | unix.CS8 | unix.CLOCAL
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, t); err != nil {
		return nil, fmt.Errorf("set raw mode of %s: %w", path, err)
	}
	return os.NewFile(uintptr(fd), path), nil
}

func handle(stream net.Conn) {
	defer stream.Close()
	dec, out := gob.NewDecoder(stream), &frameWriter{enc: gob.NewEncoder(stream)}
	var req Request
	if err := dec.Decode(&req); err != nil {
		return // the host went away
	}
	var code int
	var err error
	switch req.Op {
	case opSetup:
		err = setup(req.Setup)
	case opNetem:
		err = applyNetem(req.Netem)
	case opExec:
		code, err = runCommand(req.Exec, dec, out)
	default:
		err = fmt.Errorf("unknown operation %d", req.Op)
	}
	last := frame{Kind: frameExit, Code: code}
	if err != nil {
		last.Err = err.Error()
	}
	out.send(last)
}

// frameWriter lets several goroutines send frames. Errors mean that the host went away; the
// reader of the stream notices that.
type frameWriter struct {
	mu  sync.Mutex
	enc *gob.Encoder
}

func (w *frameWriter) send(f frame) { _ = w.trySend(f) }

func (w *frameWriter) trySend(f frame) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.enc.Encode(f)
}

// stdio returns an io.Writer that sends what is written as frames of the kind.
func (w *frameWriter) stdio(kind frameKind) io.Writer { return frameStream{w, kind} }

type frameStream struct {
	w    *frameWriter
	kind frameKind
}

func (s frameStream) Write(p []byte) (int, error) {
	s.w.send(frame{Kind: s.kind, Data: p})
	return len(p), nil
}

// runCommand runs one command to its end and returns its exit code.
func runCommand(x Exec, dec *gob.Decoder, out *frameWriter) (int, error) {
	if len(x.Argv) == 0 {
		return 0, errors.New("empty command")
	}
	cmd := exec.Command(x.Argv[0], x.Argv[1:]...)
	cmd.Env = append(append([]string{}, defaultEnv...), x.Env...)
	cmd.Dir = "/"
	if x.Dir != "" {
		cmd.Dir = x.Dir
	}
	if x.TTY {
		return runTTY(cmd, x, dec, out)
	}
	cmd.Stdout, cmd.Stderr = out.stdio(frameStdout), out.stdio(frameStderr)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	stdin := io.WriteCloser(nil)
	if x.Stdin {
		var err error
		if stdin, err = cmd.StdinPipe(); err != nil {
			return 0, fmt.Errorf("open standard input: %w", err)
		}
	}
	// Children that keep the output open after the command ended are not waited for for ever.
	cmd.WaitDelay = 2 * time.Second
	if err := cmd.Start(); err != nil {
		return 0, fmt.Errorf("start %q: %w", x.Argv[0], err)
	}
	p := &pump{pid: cmd.Process.Pid, stdin: stdin}
	go p.run(dec) // ends with the stream
	defer p.over.Store(true)
	return exitCode(cmd.Wait())
}

func runTTY(cmd *exec.Cmd, x Exec, dec *gob.Decoder, out *frameWriter) (int, error) {
	terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: x.Rows, Cols: x.Cols})
	if err != nil {
		return 0, fmt.Errorf("start %q in a terminal: %w", x.Argv[0], err)
	}
	defer terminal.Close()
	p := &pump{pid: cmd.Process.Pid, stdin: terminal, terminal: terminal}
	go p.run(dec) // ends with the stream
	defer p.over.Store(true)
	_, _ = io.Copy(out.stdio(frameStdout), terminal) // ends with EIO when the last user of the terminal ends
	return exitCode(cmd.Wait())
}

// pump carries the host's frames to a command.
type pump struct {
	pid      int // also the session and process group of the command
	stdin    io.WriteCloser
	terminal *os.File    // nil without a terminal
	over     atomic.Bool // the command was waited for; what it left in the background may stay
}

// run ends with the stream. A host that gave the command up gets its process group killed.
func (p *pump) run(dec *gob.Decoder) {
	for {
		var f frame
		if err := dec.Decode(&f); err != nil {
			if !p.over.Load() {
				_ = unix.Kill(-p.pid, unix.SIGKILL)
			}
			return
		}
		switch {
		case f.Kind == frameStdin && p.stdin != nil:
			_, _ = p.stdin.Write(f.Data) // a command may end before it read everything
		case f.Kind == frameStdinEOF && p.stdin != nil && p.terminal == nil:
			_ = p.stdin.Close()
		case f.Kind == frameResize && p.terminal != nil:
			_ = pty.Setsize(p.terminal, &pty.Winsize{Rows: f.Rows, Cols: f.Cols})
		}
	}
}

// exitCode turns the result of exec.Cmd.Wait into the code a shell would show.
func exitCode(err error) (int, error) {
	var exit *exec.ExitError
	switch {
	case err == nil, errors.Is(err, exec.ErrWaitDelay):
		return 0, nil
	case !errors.As(err, &exit):
		return 0, fmt.Errorf("wait for command: %w", err)
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	if ok && status.Signaled() {
		return 128 + int(status.Signal()), nil
	}
	return exit.ExitCode(), nil
}
