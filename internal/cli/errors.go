// SPDX-License-Identifier: Apache-2.0

// Exit codes and error lines: every error becomes one line that says what to do.

package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"github.com/rmr-block/rmr/internal/blockdev"
	"github.com/rmr-block/rmr/internal/rmrnl"
	"github.com/rmr-block/rmr/internal/softroce"
)

// Exit codes.
const (
	ExitOK       = 0 // done
	ExitError    = 1 // failed
	ExitUsage    = 2 // the command line is wrong
	ExitDegraded = 3 // a status verb worked and shows something degraded
	ExitRefused  = 4 // refused for safety; nothing was changed
)

const exitHelp = `Exit codes: 0 done, 1 error, 2 wrong usage, 3 something is degraded (status verbs),
4 refused for safety.`

// quietExit ends the tool with a code and no message.
type quietExit int

func (q quietExit) Error() string { return fmt.Sprintf("exit %d", int(q)) }

// refusal is an error that leaves the tool with ExitRefused.
type refusal struct{ text string }

func (r *refusal) Error() string { return r.text }

func refuse(format string, args ...any) error { return &refusal{fmt.Sprintf(format, args...)} }

// hinted adds what to do to an error.
type hinted struct {
	err  error
	hint string
}

func (h *hinted) Error() string { return h.err.Error() + "; " + h.hint }
func (h *hinted) Unwrap() error { return h.err }

func hint(err error, format string, args ...any) error {
	return &hinted{err, fmt.Sprintf(format, args...)}
}

// Hints for errors that say what is wrong but not what to do, first match wins.
var hints = []struct {
	match error
	hint  string
}{
	{rmrnl.ErrNoFamily, "load the modules: `modprobe brmr_server` on a storage node, `modprobe brmr_client` on a client"},
	{softroce.ErrNoNetdev, "`ip link` lists the network devices"},
	{softroce.ErrNoRDMA, "`rmrctl softroce up NETDEV` gives it one in software"},
	{softroce.ErrHardware, "only links made by rdma_rxe can be deleted"},
	{blockdev.ErrNotBlock, "give the path of a disk, partition or volume under /dev"},
	{os.ErrPermission, "run it as root (CAP_NET_ADMIN, and CAP_SYS_ADMIN for disks)"},
}

// Hints for refusals of the kernel, by command and errno. Its own text often says enough.
var kernelHints = map[uint8]map[syscall.Errno]string{
	rmrnl.CmdPoolCreate: {
		syscall.ENOSPC: "choose a smaller --size or a larger device",
		syscall.EEXIST: "`rmrctl pool show` lists the pools here",
	},
	rmrnl.CmdPoolJoin: {
		syscall.ENOSPC:       "take a larger device",
		syscall.EHOSTUNREACH: "check --peer, the link and `rmrctl doctor` on both nodes",
		syscall.ETIMEDOUT:    "check --peer, the link and `rmrctl doctor` on both nodes",
		syscall.ECONNREFUSED: "no pool is served there: check --peer and `rmrctl pool show` on the peer",
		syscall.ECONNRESET:   "no pool is served there: check --peer and `rmrctl pool show` on the peer",
	},
	rmrnl.CmdPoolAssemble: {
		syscall.ENODATA:     "`rmrctl pool create` or `join` makes it one",
		syscall.EMEDIUMTYPE: "leave --name and --uuid out to take what the device holds",
		syscall.EBADMSG:     "both copies are unusable: restore the device, or make the store anew with `rmrctl pool join --force`",
		syscall.EEXIST:      "it is served already: `rmrctl pool show`",
	},
	rmrnl.CmdPoolStop: {
		syscall.ENOENT: "`rmrctl pool show` lists the pools here",
		syscall.EBUSY:  "--force stops it under the client, whose I/O then waits",
	},
	rmrnl.CmdPoolGet: {
		syscall.ENOENT: "`rmrctl pool show` lists the pools here",
	},
	rmrnl.CmdPoolResync: {
		syscall.ENOENT: "`rmrctl pool show` lists the pools here",
	},
	rmrnl.CmdPoolResolve: {
		syscall.ENOENT: "`rmrctl pool show` lists the pools here",
		syscall.EINVAL: "`rmrctl pool show` tells the member of this node",
	},
	rmrnl.CmdPoolMember: {
		syscall.ENOENT: "`rmrctl pool show` lists the pools here and their members",
	},
	rmrnl.CmdPoolVerify: {
		syscall.EINVAL: "`rmrctl verify show` lists the members here; of several, --member names the one to compare",
	},
	rmrnl.CmdPoolReplace: {
		syscall.ENOSPC:       "take a larger device",
		syscall.EHOSTUNREACH: "check --peer, the link and `rmrctl doctor` on both nodes",
		syscall.ETIMEDOUT:    "check --peer, the link and `rmrctl doctor` on both nodes",
		syscall.ECONNREFUSED: "no pool is served there: check --peer and `rmrctl pool show` on the peer",
	},
	rmrnl.CmdLegSet: {
		syscall.ENOENT: "`rmrctl leg show` lists the legs of what is mapped here",
	},
	rmrnl.CmdLegEject: {
		syscall.ENOENT: "`rmrctl leg show` lists the legs of what is mapped here",
	},
	rmrnl.CmdLegReturn: {
		syscall.ENOENT: "`rmrctl leg show` lists the legs of what is mapped here",
	},
	rmrnl.CmdDeviceMap: {
		syscall.ENOENT:       "check the pool's name, and `rmrctl pool show` on the storage nodes",
		syscall.EEXIST:       "`brmr list` shows what is mapped here",
		syscall.EBUSY:        "another client holds it: unmap it there, or --takeover if that host is gone",
		syscall.ENOTUNIQ:     "`rmrctl pool show +lineage,view` on the storage nodes, then `rmrctl pool resolve` on those to give up",
		syscall.EMEDIUMTYPE:  "check --uuid and --node, and `rmrctl pool show` on the storage nodes",
		syscall.EUCLEAN:      "the data begins at byte 0 of each leg's device: copy it from one leg and make the pool anew",
		syscall.ESTALE:       "another client took the pool over meanwhile: unmap it there",
		syscall.EHOSTUNREACH: "check --node, the link and `rmrctl doctor`",
		syscall.ETIMEDOUT:    "check --node, the link and `rmrctl doctor`",
		syscall.ECONNREFUSED: "no pool is served there: check --node and `rmrctl pool show` on the storage nodes",
		syscall.ECONNRESET:   "no pool is served there: check --node and `rmrctl pool show` on the storage nodes",
	},
	rmrnl.CmdDeviceUnmap: {
		syscall.ENOENT: "`brmr list` shows what is mapped here",
		syscall.ENODEV: "`brmr list` shows what is mapped here",
		syscall.EBUSY:  "unmount it and close what uses it, or --force, which fails I/O that waits",
	},
	rmrnl.CmdDeviceResize: {
		syscall.ENODEV: "give it on the client host that has the pool mapped; on a storage node `rmrctl disk grow` makes room",
	},
	rmrnl.CmdPoolGrow: {
		syscall.ENOENT: "`rmrctl pool show` lists the pools here",
	},
	rmrnl.CmdDeviceGet: {
		syscall.ENOENT: "`brmr list` shows what is mapped here",
	},
}

// noPort adds the cause the kernel cannot tell from a peer that is away: no RDMA port here.
func (a *app) noPort(err error) error {
	if !errors.Is(err, syscall.EHOSTUNREACH) {
		return err
	}
	if ports, e := a.RDMA.Ports(); len(ports) > 0 || (e != nil && !errors.Is(e, fs.ErrNotExist)) {
		return err
	}
	return hint(err, "no RDMA port on this host: `rmrctl softroce up NETDEV` makes one in software")
}

// explain makes the one line and the exit code of an error.
func explain(err error) (line string, code int) {
	line, code = err.Error(), ExitError
	var r *refusal
	var u *usageError
	var k *rmrnl.KernelError
	switch {
	case errors.As(err, &r), errors.Is(err, blockdev.ErrBusy):
		code = ExitRefused
	case errors.As(err, &u):
		code = ExitUsage
	case errors.As(err, &k):
		return explainKernel(err, k)
	case errors.Is(err, context.Canceled):
		return "interrupted: " + line, ExitError
	}
	for _, h := range hints {
		if errors.Is(err, h.match) {
			return oneLine(line + "; " + h.hint), code
		}
	}
	return oneLine(line), code
}

func explainKernel(err error, k *rmrnl.KernelError) (line string, code int) {
	line, code = err.Error(), ExitError
	// The kernel refuses with EBUSY what is in use, with EUCLEAN to map what may differ between
	// legs, and names --force where data is in the way.
	unclean := k.Errno == syscall.EUCLEAN && k.Op == rmrnl.Ops[rmrnl.CmdDeviceMap].Name
	if k.Errno == syscall.EBUSY || unclean || strings.Contains(k.Text, "--force") {
		code = ExitRefused
	}
	var own *hinted
	switch text := kernelHint(k); {
	case errors.As(err, &own):
	case text != "":
		line += "; " + text
	case k.Errno == syscall.EPERM || k.Errno == syscall.EACCES:
		line += "; run it as root (CAP_NET_ADMIN)"
	case k.Errno == 0:
		line += "; the kernel gave no reason, its log may: dmesg"
	case k.Text == "":
		line += fmt.Sprintf(" (%s); the kernel's log may say more: dmesg", k.Op)
	}
	return oneLine(line), code
}

func kernelHint(k *rmrnl.KernelError) string {
	for cmd, op := range rmrnl.Ops {
		// A text that names a command or an option has its own advice.
		if op.Name == k.Op && !strings.Contains(k.Text, "--") && !strings.Contains(k.Text, "modprobe") {
			return kernelHints[cmd][k.Errno]
		}
	}
	return ""
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
