// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/mod/semver"

	"github.com/rmr-block/rmr/internal/rmrnl"
	"github.com/rmr-block/rmr/internal/softroce"
)

// Oldest kernel the modules are built for.
const minKernel = "6.12"

// finding is one line of the doctor: what was looked at, how it is, and what to do about it.
type finding struct {
	Check  string `json:"check"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
	Todo   string `json:"todo"` // "" for nothing; if OK, what could be done
}

type doctorOptions struct {
	output outputFormat
	role   string
}

func (a *app) doctor() *cobra.Command {
	var o doctorOptions
	cmd := &cobra.Command{
		Use: "doctor", Short: "Check what this host needs, and say what to do",
		Long: `Checks the kernel version, the modules, the RDMA devices, their ports and addresses, the control
interface, and the stores served here: devices that are larger than what is used of them, disks that are to be replaced
by one that is not there. Says what to do about each failure. Exit code 3 if a check fails.`,
		Example: "  rmrctl doctor\n  rmrctl doctor --role client -o json",
	}
	o.output.flag(cmd.Flags())
	cmd.Flags().StringVar(&o.role, "role", "any", "what the host is for: storage, client, both or any (what is loaded)")
	return a.verb(cmd, func(ctx context.Context, _ []string) error { return o.examine(ctx, a) })
}

// Modules of each role, in the order they are loaded.
var roleModules = map[string][]string{
	"storage": {"rtrs_server", "rtrs_client", "rmr", "rmr_server", "rmr_rtrs_server", "brmr_server"},
	"client":  {"rtrs_client", "rmr", "rmr_client", "rmr_rtrs_client", "brmr_client"},
}

func (o *doctorOptions) examine(ctx context.Context, a *app) error {
	roles, err := o.roles(a)
	if err != nil {
		return err
	}
	list := []finding{a.checkKernel()}
	for _, role := range roles {
		for _, module := range roleModules[role] {
			list = append(list, a.checkModule(role, module))
		}
	}
	if len(roles) == 0 {
		list = append(list, finding{
			"modules", false, "neither brmr_server nor brmr_client is loaded",
			"modprobe brmr_server on a storage node, modprobe brmr_client on a client",
		})
	}
	list = append(list, a.checkFamily())
	list = append(list, a.checkRDMA()...)
	list = append(list, a.checkStores(ctx)...)
	return a.printFindings(o.output, list)
}

func (o *doctorOptions) roles(a *app) ([]string, error) {
	switch o.role {
	case "storage", "client":
		return []string{o.role}, nil
	case "both":
		return []string{"storage", "client"}, nil
	case "any":
		var roles []string
		if a.loaded("brmr_server") {
			roles = append(roles, "storage")
		}
		if a.loaded("brmr_client") {
			roles = append(roles, "client")
		}
		return roles, nil
	}
	return nil, &usageError{fmt.Sprintf("--role %q: want storage, client, both or any", o.role)}
}

// loaded also knows modules that are built into the kernel, which sysfs may not list.
func (a *app) loaded(module string) bool {
	if _, err := os.Stat(a.path(filepath.Join("/sys/module", module))); err == nil {
		return true
	}
	release, err := os.ReadFile(a.path("/proc/sys/kernel/osrelease"))
	if err != nil {
		return false
	}
	builtin, err := os.ReadFile(a.path(filepath.Join("/lib/modules", strings.TrimSpace(string(release)), "modules.builtin")))
	if err != nil {
		return false
	}
	return strings.Contains(strings.ReplaceAll(string(builtin), "-", "_"), "/"+module+".ko")
}

func (a *app) checkModule(role, module string) finding {
	f := finding{Check: "module " + module, OK: a.loaded(module), Detail: "loaded"}
	if f.OK {
		return f
	}
	f.Detail = "not loaded, needed by a " + role
	f.Todo = "modprobe " + module
	if strings.HasPrefix(module, "rtrs_") {
		f.Todo += " (kernel option INFINIBAND_RTRS; some distributions leave it out)"
	}
	return f
}

func (a *app) checkKernel() finding {
	f := finding{Check: "kernel"}
	raw, err := os.ReadFile(a.path("/proc/sys/kernel/osrelease"))
	if err != nil {
		f.Detail, f.Todo = err.Error(), "mount proc"
		return f
	}
	f.Detail = strings.TrimSpace(string(raw))
	number, _, _ := strings.Cut(f.Detail, "-")
	number = strings.TrimRight(number, "+")
	f.OK = semver.Compare("v"+number, "v"+minKernel) >= 0
	if !f.OK {
		f.Todo = "boot kernel " + minKernel + " or later"
	}
	return f
}

func (a *app) checkFamily() finding {
	f := finding{Check: "control interface", OK: true, Detail: "netlink family " + rmrnl.FamilyName}
	c, err := a.Dial()
	if err == nil {
		c.Close()
		return f
	}
	f.OK, f.Detail = false, err.Error()
	f.Todo = "see the kernel's log: dmesg"
	if errors.Is(err, rmrnl.ErrNoFamily) {
		f.Todo = "modprobe rmr"
	}
	return f
}

func (a *app) checkRDMA() []finding {
	ports, err := a.RDMA.Ports()
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return []finding{{"RDMA devices", false, err.Error(), "mount sysfs on /sys"}}
	case len(ports) == 0:
		return []finding{{"RDMA devices", false, "none", "load the adapter's driver, or `rmrctl softroce up NETDEV`"}}
	}
	list := make([]finding, 0, len(ports))
	for _, p := range ports {
		list = append(list, checkPort(p))
	}
	return list
}

func checkPort(p softroce.Port) finding {
	f := finding{
		Check: fmt.Sprintf("RDMA port %s/%d", p.Device, p.Port), OK: true,
		Detail: fmt.Sprintf("%s on %s %s", p.State, orDash(p.Netdev), orDash(portAddrs(p))),
	}
	switch {
	case !p.Active():
		f.OK, f.Todo = false, fmt.Sprintf("check the cable; ip link set %s up", orDash(p.Netdev))
	case p.Netdev == "":
		f.OK, f.Todo = false, "give it a network device with an address (InfiniBand: modprobe ib_ipoib)"
	case len(p.Addresses) == 0:
		f.OK, f.Todo = false, fmt.Sprintf("ip address add ADDR/LEN dev %s", p.Netdev)
	}
	return f
}

// checkStores is about what an operator began, or could: growth and exchange of disks.
func (a *app) checkStores(ctx context.Context) (list []finding) {
	pools, err := a.pools(ctx, "")
	if err != nil {
		return nil // the control interface was checked already
	}
	for _, p := range pools {
		what := fmt.Sprintf("pool %s member %d", p.Name, p.MemberID)
		if p.DeviceGrown != 0 {
			list = append(list, finding{
				what, true, fmt.Sprintf("%s has %s more than the store uses", p.Device, size(p.DeviceGrown)),
				fmt.Sprintf("rmrctl disk grow %s --leg %d", p.Name, p.MemberID),
			})
		}
		for _, m := range p.unheard() {
			list = append(list, finding{
				what, false, fmt.Sprintf("member %d is to be replaced by member %d, which no client has taken up yet", m.ID, *m.Successor), unheardDo,
			})
		}
	}
	return list
}

func (a *app) printFindings(format outputFormat, list []finding) error {
	bad := false
	for _, f := range list {
		bad = bad || !f.OK
		if format == formatJSON {
			continue
		}
		mark := "ok  "
		if !f.OK {
			mark = "FAIL"
		}
		fmt.Fprintf(a.Stdout, "%s  %s: %s\n", mark, f.Check, f.Detail)
		if f.Todo != "" {
			fmt.Fprintf(a.Stdout, "      -> %s\n", f.Todo)
		}
	}
	if format == formatJSON {
		if err := a.printJSON(list); err != nil {
			return err
		}
	}
	if bad {
		return quietExit(ExitDegraded)
	}
	return nil
}
