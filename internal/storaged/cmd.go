// SPDX-License-Identifier: Apache-2.0

// The command line of the daemon.

package storaged

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/cobra"
)

// Exit codes, as of the other tools.
const (
	exitOK       = 0
	exitError    = 1
	exitUsage    = 2
	exitDegraded = 3
)

// program is one run.
type program struct {
	stdout, stderr io.Writer
	env            func(log *slog.Logger) Env
	config         string
	once           bool
	output         string
	began          bool // errors before are mistakes in the command line
}

// errDegraded ends the program with its code and no message.
var errDegraded = errors.New("something is not well")

// configError is a configuration that is refused.
type configError struct{ err error }

func (c *configError) Error() string { return "configuration refused: " + c.err.Error() }

// Main runs the daemon until ctx ends and returns its exit code.
func Main(ctx context.Context, stdout, stderr io.Writer, env func(log *slog.Logger) Env, args []string) int {
	p := &program{stdout: stdout, stderr: stderr, env: env}
	cmd := p.command()
	cmd.SetOut(stdout)
	cmd.SetErr(stderr)
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(ctx)
	var refused *configError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errDegraded):
		return exitDegraded
	case !p.began:
		fmt.Fprintf(stderr, "rmr-storaged: %s (see `rmr-storaged --help`)\n", oneLine(err.Error()))
		return exitUsage
	}
	fmt.Fprintf(stderr, "rmr-storaged: %s\n", oneLine(err.Error()))
	if errors.As(err, &refused) {
		return exitUsage
	}
	return exitError
}

// Command is the command tree, for man page and completions.
func Command() *cobra.Command { return (&program{}).command() }

const long = `rmr-storaged looks for pool members on the disks of a storage node and has the kernel serve
them, at boot and whenever a disk comes back. It loads the modules, gives network devices their soft-RoCE
links if it is told to, tries again what fails, and serves /metrics and /healthz.

The kernel does all I/O: the daemon may be stopped or killed at any moment. A pool that was stopped by a
command stays stopped until its disk comes back or the daemon starts again.

Configuration (YAML, every key may be left out; shown are the defaults):
  listen: 127.0.0.1:9742   # /metrics and /healthz; off serves neither
  modules: [brmr_server]   # loaded if missing
  softroce: []             # network devices that get a soft-RoCE link, as [eth1]
  devices: ["/dev/*", "/dev/mapper/*"]
  exclude: []              # patterns of devices never looked at
  rescan: 30s              # 1s to 1h; changes of disks are acted on at once
  retry: {first: 1s, max: 1m}
  socket: /run/rmr/storaged.sock   # rmrctl --socket has commands run here, for root; off for none
  tls: {listen: off}       # rmrctl --server: {listen: ":9743", cert: /FILE, key: /FILE, ca: /FILE}, for clients
                           # whose certificate is of the authority ca
  verify: {every: 0s, rate: none, window: ""}   # as {every: 168h, rate: 50M, window: "22:00-06:00"}: the lowest
                           # member compares itself with the others when the last time is so long ago
  grow: tell               # about a device that got larger than its store; auto makes room for a larger pool

Exit codes: 0 done, 1 error, 2 wrong usage or configuration, 3 something is not well (--once).`

func (p *program) command() *cobra.Command {
	cmd := &cobra.Command{
		Use: "rmr-storaged", Short: "Serve the pool members of a storage node",
		Long: long, Args: cobra.NoArgs, SilenceErrors: true, SilenceUsage: true, DisableAutoGenTag: true,
		Example: "  rmr-storaged\n  rmr-storaged --once -o json",
		RunE:    func(cmd *cobra.Command, _ []string) error { return p.run(cmd) },
	}
	cmd.PersistentFlags().StringVarP(&p.config, "config", "c", ConfigFile, "configuration `file`; the default one may be missing")
	cmd.Flags().BoolVar(&p.once, "once", false, "look once, do what is to be done, print a report and exit")
	cmd.Flags().StringVarP(&p.output, "output", "o", "text", "`format` of report and log: text or json")
	check := &cobra.Command{
		Use: "check-config", Short: "Check the configuration and exit", Args: cobra.NoArgs,
		Long:    "Reads the configuration as the daemon would and says in one line what is wrong with it.",
		Example: "  rmr-storaged check-config --config /etc/rmr/storaged.yaml",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, err := p.load(cmd); err != nil {
				return err
			}
			_, err := fmt.Fprintf(p.stdout, "%s: ok\n", p.config)
			return err
		},
	}
	cmd.AddCommand(check)
	return cmd
}

func (p *program) load(cmd *cobra.Command) (Config, error) {
	p.began = true
	cfg, err := LoadConfig(p.config, cmd.Flags().Changed("config"))
	if err != nil {
		return cfg, &configError{err}
	}
	return cfg, nil
}

func (p *program) run(cmd *cobra.Command) error {
	if p.output != "text" && p.output != "json" {
		return fmt.Errorf("--output %q: must be text or json", p.output)
	}
	cfg, err := p.load(cmd)
	if err != nil {
		return err
	}
	var log slog.Handler = slog.NewTextHandler(p.stderr, nil)
	if p.output == "json" {
		log = slog.NewJSONHandler(p.stderr, nil)
	}
	d := New(cfg, p.env(slog.New(log)))
	if !p.once {
		d.Run(cmd.Context())
		return nil
	}
	r := d.Once(cmd.Context())
	if err := p.print(r); err != nil {
		return err
	}
	if !r.Healthy {
		return errDegraded
	}
	return nil
}

func (p *program) print(r Report) error {
	if p.output == "json" {
		return json.NewEncoder(p.stdout).Encode(r)
	}
	for _, part := range r.Parts {
		fmt.Fprintf(p.stdout, "%s %s: %s\n", part.Kind, part.Name, part.State)
	}
	for _, s := range r.Stores {
		fmt.Fprintf(p.stdout, "%s: %s\n", s.subject(), s.State)
	}
	for _, reason := range r.Reasons {
		if _, err := fmt.Fprintln(p.stdout, "not well:", reason); err != nil {
			return err
		}
	}
	return nil
}
