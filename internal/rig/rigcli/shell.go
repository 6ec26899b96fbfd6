// SPDX-License-Identifier: Apache-2.0

package rigcli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/rmr-block/rmr/internal/rig"
)

const shellHelp = `commands:
  nodes                     the nodes, their addresses and whether they are up
  NODE                      a shell on that node; exit or Ctrl-D comes back here
  NODE COMMAND...           run a command line on that node (with bash)
  cut NODE                  pull the node's cable            heal NODE   put it back, end packet faults
  separate NODE NODE        the two cannot reach each other  join NODE NODE
  netem NODE KEY=VALUE...   packet faults: delay=5ms jitter=1ms loss=1 reorder=5 duplicate=1 corrupt=0.1 (per cent)
  kill NODE                 power off at once                restart NODE  boot again with the same disks
  pause NODE                stop the processor               resume NODE
  logs NODE                 the console log's path and end
  check                     look for kernel reports in all console logs
  help                      this text
  exit                      end the cluster
`

func newShell() *cobra.Command {
	f := &clusterFlags{}
	cmd := &cobra.Command{
		Use: "shell", Short: "start a cluster to play with", Args: cobra.NoArgs,
		Long:    "shell starts a cluster and reads commands for its nodes and links.\n\n" + shellHelp,
		Example: "  rmr-rig shell --storage 2 --client 1 --rxe",
	}
	f.register(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := rig.New(cmd.Context(), f.options(cmd)...)
		if err != nil {
			return err
		}
		s := &shell{cluster: c, in: cmd.InOrStdin(), out: cmd.OutOrStdout()}
		return errors.Join(s.loop(cmd.Context()), end(c))
	}
	return cmd
}

// shell is the interactive command loop.
type shell struct {
	cluster *rig.Cluster
	in      io.Reader
	out     io.Writer
}

var errExit = errors.New("exit")

// loop reads commands until exit or the end of the input. Errors of commands are printed.
func (s *shell) loop(ctx context.Context) error {
	fmt.Fprintf(s.out, "nodes: %s; run directory %s; \"help\" for help\n", nodeNames(s.cluster), s.cluster.Dir())
	next := s.lineReader()
	for ctx.Err() == nil {
		line, err := next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read command: %w", err)
		}
		err = s.execute(ctx, strings.TrimSpace(line))
		if errors.Is(err, errExit) {
			return nil
		}
		if err != nil {
			fmt.Fprintln(s.out, err)
		}
	}
	return nil
}

// lineReader reads with editing and history from a terminal, else plain lines.
func (s *shell) lineReader() func() (string, error) {
	f, ok := s.in.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return plainLines(s.in)
	}
	terminal := term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{f, s.out}, "rig> ")
	return func() (string, error) {
		// Raw only while a line is typed: output of commands needs the normal mode.
		state, err := term.MakeRaw(int(f.Fd()))
		if err != nil {
			return "", err
		}
		defer term.Restore(int(f.Fd()), state)
		if width, height, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			_ = terminal.SetSize(width, height) // only the display of long lines depends on it
		}
		return terminal.ReadLine()
	}
}

// plainLines reads a byte at a time, so that a command run in a node gets the input after its line.
func plainLines(r io.Reader) func() (string, error) {
	return func() (string, error) {
		var line []byte
		var b [1]byte
		for {
			n, err := r.Read(b[:])
			switch {
			case n == 1 && b[0] == '\n':
				return string(line), nil
			case n == 1:
				line = append(line, b[0])
			case errors.Is(err, io.EOF) && len(line) > 0:
				return string(line), nil
			case err != nil:
				return "", err
			}
		}
	}
}

// verb is a shell command about nodes.
type verb struct {
	nodes int // how many node names it takes
	do    func(s *shell, ctx context.Context, nodes []*rig.Node, args []string) error
}

var verbs = map[string]verb{
	"nodes":   {0, (*shell).showNodes},
	"check":   {0, (*shell).check},
	"help":    {0, (*shell).help},
	"exit":    {0, func(*shell, context.Context, []*rig.Node, []string) error { return errExit }},
	"cut":     {1, func(_ *shell, _ context.Context, n []*rig.Node, _ []string) error { return n[0].Link().Cut() }},
	"heal":    {1, func(_ *shell, ctx context.Context, n []*rig.Node, _ []string) error { return n[0].Link().Heal(ctx) }},
	"kill":    {1, func(_ *shell, _ context.Context, n []*rig.Node, _ []string) error { return n[0].Kill() }},
	"restart": {1, func(_ *shell, ctx context.Context, n []*rig.Node, _ []string) error { return n[0].Restart(ctx) }},
	"pause":   {1, func(_ *shell, _ context.Context, n []*rig.Node, _ []string) error { return n[0].Pause() }},
	"resume":  {1, func(_ *shell, _ context.Context, n []*rig.Node, _ []string) error { return n[0].Resume() }},
	"separate": {2, func(s *shell, _ context.Context, n []*rig.Node, _ []string) error {
		return s.cluster.Separate(n[0], n[1])
	}},
	"join":  {2, func(s *shell, _ context.Context, n []*rig.Node, _ []string) error { return s.cluster.Join(n[0], n[1]) }},
	"logs":  {1, (*shell).logs},
	"netem": {1, (*shell).netem},
}

func (s *shell) execute(ctx context.Context, line string) error {
	words := strings.Fields(line)
	if len(words) == 0 {
		return nil
	}
	if node := s.cluster.Node(words[0]); node != nil {
		command := strings.TrimSpace(strings.TrimPrefix(line, words[0]))
		return s.runOn(ctx, node, command)
	}
	v, ok := verbs[words[0]]
	if !ok {
		return fmt.Errorf("unknown command %q; \"help\" lists them, nodes are %s", words[0], nodeNames(s.cluster))
	}
	if len(words)-1 < v.nodes {
		return fmt.Errorf("%s: name %d of the nodes %s", words[0], v.nodes, nodeNames(s.cluster))
	}
	nodes := []*rig.Node{}
	for _, name := range words[1 : 1+v.nodes] {
		node := s.cluster.Node(name)
		if node == nil {
			return fmt.Errorf("%s: node %q: there are %s", words[0], name, nodeNames(s.cluster))
		}
		nodes = append(nodes, node)
	}
	return v.do(s, ctx, nodes, words[1+v.nodes:])
}

func (s *shell) help(context.Context, []*rig.Node, []string) error {
	fmt.Fprint(s.out, shellHelp)
	return nil
}

func (s *shell) showNodes(context.Context, []*rig.Node, []string) error {
	for _, n := range s.cluster.Nodes() {
		state := "down"
		if n.Up() {
			state = "up"
		}
		fmt.Fprintf(s.out, "%-10s %-14s %s\n", n.Name(), n.Address(), state)
	}
	return nil
}

func (s *shell) check(context.Context, []*rig.Node, []string) error {
	if err := s.cluster.CheckLogs(); err != nil {
		return err
	}
	fmt.Fprintln(s.out, "no kernel reports")
	return nil
}

func (s *shell) logs(_ context.Context, nodes []*rig.Node, _ []string) error {
	fmt.Fprintf(s.out, "%s\n%s\n", nodes[0].ConsolePath(), nodes[0].ConsoleTail(20))
	return nil
}

func (s *shell) netem(ctx context.Context, nodes []*rig.Node, args []string) error {
	faults, err := parseNetem(args)
	if err != nil {
		return err
	}
	return nodes[0].Link().Netem(ctx, faults)
}

// parseNetem reads KEY=VALUE words: durations for delay and jitter, per cent for the others.
func parseNetem(args []string) (rig.Netem, error) {
	var n rig.Netem
	times := map[string]*time.Duration{"delay": &n.Delay, "jitter": &n.Jitter}
	shares := map[string]*float32{"loss": &n.Loss, "reorder": &n.Reorder, "duplicate": &n.Duplicate, "corrupt": &n.Corrupt}
	for _, arg := range args {
		key, value, _ := strings.Cut(arg, "=")
		if d, ok := times[key]; ok {
			var err error
			if *d, err = time.ParseDuration(value); err != nil || *d < 0 {
				return n, fmt.Errorf("netem: %s: %q is no duration such as 5ms", key, value)
			}
			continue
		}
		share, ok := shares[key]
		if !ok {
			return n, fmt.Errorf("netem: unknown key %q", key)
		}
		percent, err := strconv.ParseFloat(value, 32)
		if err != nil || percent < 0 || percent > 100 {
			return n, fmt.Errorf("netem: %s: %q is not 0 to 100 per cent", key, value)
		}
		*share = float32(percent)
	}
	return n, nil
}

// runOn runs a command line on a node, or an interactive shell if it is empty.
func (s *shell) runOn(ctx context.Context, n *rig.Node, line string) error {
	command := rig.Command{Argv: []string{"bash", "-l"}}
	if line != "" {
		command.Argv = []string{"bash", "-c", line}
	}
	stdio := rig.Stdio{Out: s.out, Err: s.out}
	if f, ok := s.in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return s.runTerminal(ctx, n, f, command)
	}
	if line == "" {
		return errors.New("a shell on a node needs a terminal")
	}
	return shown(n.Exec(ctx, command, stdio))
}

func shown(code int, err error) error {
	if err == nil && code != 0 {
		return exitCode(code)
	}
	return err
}

// runTerminal connects this terminal to the command.
func (s *shell) runTerminal(ctx context.Context, n *rig.Node, f *os.File, command rig.Command) error {
	width, height, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return fmt.Errorf("read size of terminal: %w", err)
	}
	state, err := term.MakeRaw(int(f.Fd()))
	if err != nil {
		return fmt.Errorf("set terminal mode: %w", err)
	}
	defer term.Restore(int(f.Fd()), state)
	command.TTY, command.Rows, command.Cols = true, uint16(height), uint16(width)
	in, err := newInterruptible(f)
	if err != nil {
		return err
	}
	defer in.stop()
	resized := make(chan os.Signal, 1)
	signal.Notify(resized, syscall.SIGWINCH)
	defer signal.Stop(resized)
	return shown(n.Exec(ctx, command, rig.Stdio{In: in, Out: s.out, Resize: sizes(ctx, f, resized)}))
}

// sizes turns window change signals into sizes. Its goroutine ends with the context or the process.
func sizes(ctx context.Context, f *os.File, resized <-chan os.Signal) <-chan [2]uint16 {
	out := make(chan [2]uint16, 1)
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-resized:
				if width, height, err := term.GetSize(int(f.Fd())); err == nil {
					select {
					case out <- [2]uint16{uint16(height), uint16(width)}:
					default: // the one before was not taken yet; the node gets the next
					}
				}
			}
		}
	}()
	return out
}

func nodeNames(c *rig.Cluster) string {
	names := []string{}
	for _, n := range c.Nodes() {
		names = append(names, n.Name())
	}
	return strings.Join(names, ", ")
}
