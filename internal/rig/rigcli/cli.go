// SPDX-License-Identifier: Apache-2.0

// Package rigcli is the command line of the rig, rmr-rig.
package rigcli

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/rmr-block/rmr/internal/rig"
	"github.com/rmr-block/rmr/internal/rig/image"
	"github.com/rmr-block/rmr/internal/rig/kernel"
)

// New returns the root command.
func New() *cobra.Command {
	root := &cobra.Command{
		Use:   "rmr-rig",
		Short: "clusters of User-Mode Linux nodes with soft-RoCE",
		Long: "rmr-rig builds and drives clusters of User-Mode Linux nodes that run the real RDMA stack over soft-RoCE.\n" +
			"It needs root, and keeps kernels and images in $RMR_RIG_CACHE (~/.cache/rmr-rig).",
		SilenceUsage: true, SilenceErrors: true,
	}
	root.AddCommand(newKernel(), newModules(), newImage(), newRun(), newShell(), newDemo(), newBench(),
		newAudit(), newEvents(), newHistory())
	return root
}

// ExitCode is the exit code for an error of the command: that of the program that `run` ran, else 1.
func ExitCode(err error) int {
	var exit exitCode
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return int(exit)
	default:
		return 1
	}
}

// exitCode is the error of a command in a node that ended with that code.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("the command ended with code %d", int(e)) }

// variantFlag adds --variant. The value "all" is for commands that build.
func variantFlag(cmd *cobra.Command, def string) *string {
	return cmd.Flags().String("variant", def, "kernel: fast, debug (checkers on), or all where it makes sense")
}

func variants(name string) []kernel.Variant {
	if name == "all" {
		return kernel.Variants()
	}
	return []kernel.Variant{kernel.Variant(name)}
}

func newKernel() *cobra.Command {
	cmd := &cobra.Command{
		Use: "kernel", Short: "build the kernel if it is not in the cache; print its build tree", Args: cobra.NoArgs,
		Example: "  rmr-rig kernel --variant debug\n  make -C $(rmr-rig kernel) ARCH=um M=$PWD/my-module modules",
	}
	variant := variantFlag(cmd, string(kernel.Fast))
	source := cmd.Flags().Bool("source", false, "print the patched source tree instead of the build tree")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		for _, v := range variants(*variant) {
			k, err := kernel.Ensure(cmd.Context(), v, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			if *source {
				k.Out = k.Source
			}
			fmt.Fprintln(cmd.OutOrStdout(), k.Out)
		}
		return nil
	}
	return cmd
}

func newModules() *cobra.Command {
	cmd := &cobra.Command{
		Use: "modules [DIRECTORY]", Short: "build a directory's kernel modules (kmod); print their paths",
		Args: cobra.MaximumNArgs(1), Example: "  rmr-rig modules --variant all",
	}
	variant := variantFlag(cmd, string(kernel.Fast))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		root, err := rig.CheckoutRoot(cmd.Context())
		if err != nil {
			return err
		}
		dir := filepath.Join(root, "kmod")
		if len(args) > 0 {
			dir = args[0]
		}
		for _, v := range variants(*variant) {
			k, err := kernel.Ensure(cmd.Context(), v, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			modules, err := k.BuildModules(cmd.Context(), dir, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			for _, ko := range modules {
				fmt.Fprintln(cmd.OutOrStdout(), ko)
			}
		}
		return nil
	}
	return cmd
}

func newImage() *cobra.Command {
	cmd := &cobra.Command{
		Use: "image", Short: "build the node image if it is not in the cache; print its path", Args: cobra.NoArgs,
		Example: "  cpio -tv < $(rmr-rig image)",
	}
	variant := variantFlag(cmd, string(kernel.Fast))
	missing := cmd.Flags().Bool("missing-packages", false, "print the Debian packages that the image lacks on this host, and end")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *missing {
			for _, pkg := range image.MissingPackages() {
				fmt.Fprintln(cmd.OutOrStdout(), pkg)
			}
			return nil
		}
		for _, v := range variants(*variant) {
			path, err := rig.BuildImage(cmd.Context(), rig.Variant(v), rig.Log(cmd.ErrOrStderr()))
			if err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), path)
		}
		return nil
	}
	return cmd
}

// clusterFlags are the flags of commands that start a cluster.
type clusterFlags struct {
	storage, clients, memory, disks int
	diskMiB                         int64
	variant                         string
	rxe                             bool
	runDir                          string
}

func (f *clusterFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.IntVar(&f.storage, "storage", 2, "number of storage nodes, stor0 and so on")
	flags.IntVar(&f.clients, "client", 1, "number of client nodes, client0 and so on")
	flags.IntVar(&f.disks, "disks", 1, "disks of each storage node")
	flags.Int64Var(&f.diskMiB, "disk-size", 256, "size of each disk in MiB")
	flags.IntVar(&f.memory, "memory", 0, "memory of each node in MiB (default 512, debug 1024)")
	flags.StringVar(&f.variant, "variant", string(kernel.Fast), "kernel: fast or debug (checkers on)")
	flags.BoolVar(&f.rxe, "rxe", false, "add the rxe device on each node's link")
	flags.StringVar(&f.runDir, "run-dir", "", "keep logs and disks in this directory")
}

func (f *clusterFlags) options(cmd *cobra.Command) []rig.Option {
	sizes := make([]int64, f.disks)
	for i := range sizes {
		sizes[i] = f.diskMiB << 20
	}
	opts := []rig.Option{
		rig.Storage(f.storage), rig.Client(f.clients), rig.Disks(sizes...), rig.Variant(kernel.Variant(f.variant)),
		rig.Log(cmd.ErrOrStderr()),
	}
	if f.memory != 0 {
		opts = append(opts, rig.Memory(f.memory))
	}
	if f.rxe {
		opts = append(opts, rig.SoftRoCE())
	}
	if f.runDir != "" {
		opts = append(opts, rig.RunDir(f.runDir))
	}
	return opts
}

// end closes a cluster and reports what its consoles say.
func end(c *rig.Cluster) error {
	logs := c.CheckLogs()
	if err := errors.Join(logs, c.Close()); err != nil {
		return fmt.Errorf("%w\nconsoles and disks of this run: %s", err, c.Dir())
	}
	return c.Remove()
}

func newRun() *cobra.Command {
	f := &clusterFlags{}
	cmd := &cobra.Command{
		Use: "run [flags] NODE COMMAND [ARGUMENT...]", Short: "start a cluster, run one command in a node, end the cluster",
		Args: cobra.MinimumNArgs(2),
		Long: "run starts a cluster, runs one command in a node with this command's input and output, and ends the cluster.\n" +
			"The exit code is the command's; 1 if the cluster fails or a console holds a kernel report.",
		Example: "  rmr-rig run client0 ping -c 1 stor0\n  rmr-rig run --variant debug --rxe client0 bash -c 'rdma link'",
	}
	f.register(cmd)
	cmd.Flags().SetInterspersed(false)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := rig.New(cmd.Context(), f.options(cmd)...)
		if err != nil {
			return err
		}
		code, err := runIn(cmd, c, args[0], args[1:])
		if err := errors.Join(err, end(c)); err != nil {
			return err
		}
		if code != 0 {
			return exitCode(code)
		}
		return nil
	}
	return cmd
}

func runIn(cmd *cobra.Command, c *rig.Cluster, name string, argv []string) (int, error) {
	node := c.Node(name)
	if node == nil {
		return 0, fmt.Errorf("node %q: there are %s", name, nodeNames(c))
	}
	return node.Exec(cmd.Context(), rig.Command{Argv: argv},
		rig.Stdio{In: cmd.InOrStdin(), Out: cmd.OutOrStdout(), Err: cmd.ErrOrStderr()})
}
