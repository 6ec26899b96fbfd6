// SPDX-License-Identifier: Apache-2.0

// Commands for another host: --socket and --server have a daemon there run the tool, and print what it says.

package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/rmr-block/rmr/internal/api"
)

// remoteOptions say whose side a command runs on; empty ones: here.
type remoteOptions struct {
	socket, server string
	files          api.Files
}

func (o *remoteOptions) flags(flags *pflag.FlagSet) {
	flags.StringVar(&o.socket, "socket", "", "have the daemon run the command that listens on this Unix `socket`")
	flags.StringVar(&o.server, "server", "", "have the daemon at `host:port` run it, over TLS")
	flags.StringVar(&o.files.Cert, "cert", "", "own certificate `file` for --server")
	flags.StringVar(&o.files.Key, "key", "", "key `file` of the certificate")
	flags.StringVar(&o.files.CA, "ca", "", "`file` with the authority of the server's certificate")
}

// splitRemote takes the options out of the arguments, wherever they stand before "--".
func splitRemote(args []string) (o remoteOptions, rest []string, err error) {
	values := map[string]*string{
		"--socket": &o.socket, "--server": &o.server, "--cert": &o.files.Cert, "--key": &o.files.Key, "--ca": &o.files.CA,
	}
	for i := 0; i < len(args); i++ {
		if args[i] == "--" {
			return o, append(rest, args[i:]...), nil
		}
		name, value, ok := strings.Cut(args[i], "=")
		to := values[name]
		if to == nil {
			rest = append(rest, args[i])
			continue
		}
		if !ok {
			if i++; i == len(args) {
				return o, nil, fmt.Errorf("flag needs an argument: %s", name)
			}
			value = args[i]
		}
		if value == "" {
			return o, nil, fmt.Errorf("%s is empty", name)
		}
		*to = value
	}
	return o, rest, nil
}

func (o remoteOptions) client() (*http.Client, string, error) {
	switch {
	case o.socket != "" && o.server != "":
		return nil, "", errors.New("--socket and --server exclude each other")
	case o.socket != "":
		return api.UnixClient(o.socket), "http://storaged", nil
	case o.server == "":
		return nil, "", errors.New("--cert, --key and --ca are for --server, `leg move` and `pool create --leg`")
	case o.files.Cert == "" || o.files.Key == "" || o.files.CA == "":
		return nil, "", errors.New("--server needs --cert, --key and --ca")
	}
	client, err := api.TLSClient(o.files)
	return client, "https://" + o.server, err
}

// goesToNodes tells whether a command itself has daemons run others.
func goesToNodes(args []string) bool {
	return len(args) > 1 && (args[0] == "leg" && args[1] == "move" || args[0] == "pool" && args[1] == "create")
}

// remote runs the command there and returns its exit code.
func (a *app) remote(ctx context.Context, o remoteOptions, args []string) int {
	client, base, err := o.client()
	if err != nil {
		fmt.Fprintf(a.Stderr, "%s: %v\n", a.name, err)
		return ExitUsage
	}
	code, err := api.Run(ctx, client, base, a.Stdout, a.Stderr, args)
	if err != nil {
		fmt.Fprintf(a.Stderr, "%s: daemon at %s: %v\n", a.name, o.socket+o.server, err)
		return ExitError
	}
	return code
}

// addRemote shows the options in help and manuals; Run has taken them out before cobra looks.
func addRemote(root *cobra.Command) {
	new(remoteOptions).flags(root.PersistentFlags())
}
