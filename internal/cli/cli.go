// SPDX-License-Identifier: Apache-2.0

// Package cli is the command line tool: rmrctl, and brmr for client hosts.
//
// Each verb lives in cmd_<noun>_<verb>.go: its options, its command with help, and a function
// that does it. Everything the tool touches outside itself comes in an Env, so the tests run the
// same code against a kernel of their own.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/rmr-block/rmr/internal/api"
	"github.com/rmr-block/rmr/internal/blockdev"
	"github.com/rmr-block/rmr/internal/rmrnl"
	"github.com/rmr-block/rmr/internal/softroce"
)

// Env is the world around the tool.
type Env struct {
	Stdout, Stderr io.Writer
	// Terminal tells that Stderr is a terminal: progress bars instead of lines.
	Terminal bool
	Getenv   func(key string) string
	Hostname func() (string, error)
	Dial     func() (*rmrnl.Client, error)
	OpenDisk func(path string, write bool) (*blockdev.Disk, error)
	// OpenImage opens a device or an image file that nobody uses, OpenShared one that somebody does.
	OpenImage  func(path string, write bool) (*blockdev.Disk, error)
	OpenShared func(path string) (*blockdev.Disk, error)
	RDMA       softroce.System
	// Root is put before the paths of /dev, /etc, /proc and /sys; "" outside tests.
	Root string
	Now  func() time.Time
}

// Host is the machine the program runs on.
func Host(stdout, stderr io.Writer, terminal bool) Env {
	return Env{
		Stdout: stdout, Stderr: stderr, Terminal: terminal,
		Getenv: os.Getenv, Hostname: os.Hostname, Dial: rmrnl.Dial,
		OpenDisk: blockdev.Open, OpenImage: blockdev.OpenImage, OpenShared: blockdev.OpenShared, RDMA: softroce.Host(), Now: time.Now,
	}
}

// app is one run of the tool.
type app struct {
	Env
	name  string    // rmrctl or brmr
	files api.Files // certificate for the daemons of other nodes, of commands that concern several
	// started is set when a verb begins: errors before that are mistakes in the command line.
	started bool
}

// Run executes the tool under the name in args[0] and returns its exit code.
func Run(ctx context.Context, env Env, args []string) int {
	a := &app{Env: env, name: "rmrctl"}
	root := a.rmrctl()
	if filepath.Base(args[0]) == "brmr" {
		a.name = "brmr"
		root = a.brmr()
	} else if where, rest, err := splitRemote(args[1:]); err != nil {
		fmt.Fprintf(env.Stderr, "%s: %v (see `%s --help`)\n", a.name, err, a.name)
		return ExitUsage
	} else if where.files != (api.Files{}) && where.socket == "" && where.server == "" && goesToNodes(rest) {
		a.files, args = where.files, append(args[:1:1], rest...)
	} else if where != (remoteOptions{}) {
		return a.remote(ctx, where, rest)
	}
	root.SetOut(env.Stdout)
	root.SetErr(env.Stderr)
	root.SetArgs(rewriteFields(root, args[1:]))
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return ExitOK
	}
	var quiet quietExit
	if errors.As(err, &quiet) {
		return int(quiet)
	}
	if !a.started {
		fmt.Fprintf(env.Stderr, "%s: %v (see `%s --help`)\n", a.name, err, cmd.CommandPath())
		return ExitUsage
	}
	line, code := explain(a.noPort(err))
	fmt.Fprintf(env.Stderr, "%s: %s\n", a.name, line)
	return code
}

// Commands returns the command trees of both names, for man pages.
func Commands(env Env) []*cobra.Command {
	return []*cobra.Command{
		(&app{Env: env, name: "rmrctl"}).rmrctl(),
		(&app{Env: env, name: "brmr"}).brmr(),
	}
}

func (a *app) root(name, short, long string) *cobra.Command {
	return &cobra.Command{
		Use: name, Short: short, Long: long + "\n\n" + exitHelp,
		SilenceErrors: true, SilenceUsage: true, DisableAutoGenTag: true,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return cmd.Help()
		},
	}
}

func (a *app) rmrctl() *cobra.Command {
	root := a.root("rmrctl", "Control replicated block devices",
		"rmrctl controls the rmr kernel modules: pools on storage nodes, mapped devices and their legs on\nclient hosts. A noun without a verb shows.")
	addRemote(root)
	root.AddCommand(a.noun("pool", "Pools of this storage node", a.poolShow(), a.poolCreate(), a.poolJoin(),
		a.poolAssemble(), a.poolStop(), a.poolDelete(), a.poolAttach(), a.poolResolve(), a.poolResize()))
	root.AddCommand(a.noun("disk", "Stores: metadata without the kernel, exchange, growth, what is done about errors", a.diskShow(), a.diskCheck(),
		a.diskDump(), a.diskRestore(), a.diskReplace(), a.diskFind(), a.diskGrow(), a.diskPolicy(), a.diskReturn()))
	root.AddCommand(a.noun("leg", "Legs of the pools mapped on this host", a.legShow(), a.legEject(), a.legReturn(), a.legRemove(), a.legMove(), a.legMaintenance()))
	root.AddCommand(a.noun("resync", "Copying of what members of this storage node missed", a.resyncShow(), a.resyncWait(), a.resyncPause(),
		a.resyncResume(), a.resyncLimit(), a.resyncDigest()))
	root.AddCommand(a.noun("verify", "Comparing of members of this storage node with others", a.verifyShow(), a.verifyStart(), a.verifyStop()))
	root.AddCommand(a.noun("device", "Pools mapped as block devices on this host", a.deviceShow("show"),
		a.deviceMap(), a.deviceUnmap(), a.poolResize()))
	root.AddCommand(a.noun("softroce", "RDMA in software on ordinary network devices", a.softroceShow(),
		a.softroceUp(), a.softroceDown()))
	root.AddCommand(a.explainPool(), a.events(), a.doctor(), a.version())
	return root
}

func (a *app) brmr() *cobra.Command {
	root := a.root("brmr", "Map replicated pools as block devices",
		"brmr maps pools as block devices on a client host. It is rmrctl's noun \"device\" under a shorter name.")
	list := a.deviceShow("list")
	list.Short = "List the mapped pools"
	root.AddCommand(a.deviceMap(), a.deviceUnmap(), a.poolResize(), list, a.deviceShow("show"), a.version())
	return root
}

// noun groups verbs; without one it runs the first, which shows.
func (a *app) noun(name, short string, show *cobra.Command, rest ...*cobra.Command) *cobra.Command {
	noun := &cobra.Command{
		Use: name, Short: short, Args: cobra.NoArgs,
		Long:    short + ". Without a verb: " + name + " show.",
		Example: show.Example,
		RunE:    func(cmd *cobra.Command, _ []string) error { return show.RunE(cmd, nil) },
	}
	noun.Annotations = show.Annotations
	noun.Flags().AddFlagSet(show.Flags())
	noun.AddCommand(append([]*cobra.Command{show}, rest...)...)
	return noun
}

// verb makes run the command's action and marks where usage errors end.
func (a *app) verb(cmd *cobra.Command, run func(ctx context.Context, args []string) error) *cobra.Command {
	if cmd.Args == nil {
		cmd.Args = cobra.NoArgs
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		a.started = true
		return run(cmd.Context(), args)
	}
	return cmd
}

// kernel dials, runs fn and hangs up.
func (a *app) kernel(fn func(c *rmrnl.Client) error) error {
	c, err := a.Dial()
	if err != nil {
		return err
	}
	defer c.Close()
	return fn(c)
}

// path puts Root before an absolute path.
func (a *app) path(p string) string { return filepath.Join("/", a.Root, p) }
