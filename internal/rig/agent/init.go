// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"syscall"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Main is the entry point of a node's first process; args[1], if any, is the role of a child.
// The first process only reaps children: os/exec cannot share a process with that.
func Main(args []string) int {
	if len(args) > 1 && args[1] == "serve" {
		if err := serve(); err != nil {
			fmt.Fprintln(os.Stderr, "rig agent:", err)
			return 1
		}
		return 0
	}
	if os.Getpid() != 1 {
		fmt.Fprintln(os.Stderr, "rig agent: this is the first process of a rig node, not a command")
		return 2
	}
	err := initNode()
	// The host sees the end of the channel and reads the reason on the console.
	fmt.Fprintln(os.Stderr, "rig agent: node ends:", err)
	unix.Sync()
	_ = unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
	return 1
}

// initNode mounts the file systems, starts the serving child and reaps until that child ends.
func initNode() error {
	if err := mountAll(); err != nil {
		return err
	}
	child, err := os.StartProcess("/proc/self/exe", []string{"agent", "serve"}, &os.ProcAttr{
		Dir: "/", Env: defaultEnv, Files: []*os.File{os.Stdin, os.Stdout, os.Stderr},
		Sys: &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		return fmt.Errorf("start serving process: %w", err)
	}
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, 0, nil)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return fmt.Errorf("wait for children: %w", err)
		case pid == child.Pid && (status.Exited() || status.Signaled()):
			return fmt.Errorf("serving process ended with status %#x", uint32(status))
		}
	}
}

type mountPoint struct {
	source, target, fstype string
	flags                  uintptr
	data                   string
}

var mounts = []mountPoint{
	{"proc", "/proc", "proc", 0, ""},
	{"sys", "/sys", "sysfs", 0, ""},
	{"dev", "/dev", "devtmpfs", 0, ""},
	{"devpts", "/dev/pts", "devpts", 0, ""},
	{"shm", "/dev/shm", "tmpfs", 0, ""},
	{"run", "/run", "tmpfs", 0, ""},
	{"tmp", "/tmp", "tmpfs", 0, ""},
	{"debugfs", "/sys/kernel/debug", "debugfs", 0, ""},
	{"configfs", "/sys/kernel/config", "configfs", 0, ""},
	{"host", "/host", "hostfs", unix.MS_RDONLY | unix.MS_NOSUID, "/"},
}

func mountAll() error {
	for _, m := range mounts {
		if err := mountOne(m); err != nil {
			return err
		}
	}
	return nil
}

func mountOne(m mountPoint) error {
	// sysfs refuses mkdir, but has the directories that are mounted upon.
	if err := os.MkdirAll(m.target, 0o755); err != nil {
		return fmt.Errorf("make mount point %s: %w", m.target, err)
	}
	if err := unix.Mount(m.source, m.target, m.fstype, m.flags, m.data); err != nil {
		return fmt.Errorf("mount %s at %s: %w", m.fstype, m.target, err)
	}
	return nil
}

// setup makes the node what s says. It is called once.
func setup(s Setup) error {
	if err := unix.Sethostname([]byte(s.Hostname)); err != nil {
		return fmt.Errorf("set host name %q: %w", s.Hostname, err)
	}
	if s.Share != "" {
		if err := mountOne(mountPoint{"share", "/share", "hostfs", unix.MS_NOSUID, s.Share}); err != nil {
			return err
		}
	}
	files := map[string][]byte{"/etc/hosts": hostsFile(s.Hosts), "/etc/modprobe.d/rig.conf": moduleConf(s.ModuleOpts)}
	for path, content := range s.Files {
		files[path] = content
	}
	for path, content := range files {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("make directory of %s: %w", path, err)
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			return fmt.Errorf("write %s: %w", path, err)
		}
	}
	if err := linkUp("lo", ""); err != nil {
		return err
	}
	return linkUp("vec0", s.Address)
}

func hostsFile(hosts map[string]string) []byte {
	lines := []string{}
	for name, address := range hosts {
		lines = append(lines, address+" "+name+"\n")
	}
	sort.Strings(lines)
	return []byte("127.0.0.1 localhost\n" + strings.Join(lines, ""))
}

func moduleConf(opts map[string][]string) []byte {
	lines := []string{}
	for module, params := range opts {
		lines = append(lines, "options "+module+" "+strings.Join(params, " ")+"\n")
	}
	sort.Strings(lines)
	return []byte(strings.Join(lines, ""))
}

func linkUp(name, cidr string) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return fmt.Errorf("find link %s: %w", name, err)
	}
	if cidr != "" {
		addr, err := netlink.ParseAddr(cidr)
		if err != nil {
			return fmt.Errorf("address %q of %s: %w", cidr, name, err)
		}
		if err := netlink.AddrReplace(link, addr); err != nil {
			return fmt.Errorf("add address %s to %s: %w", cidr, name, err)
		}
	}
	if err := netlink.LinkSetUp(link); err != nil {
		return fmt.Errorf("bring %s up: %w", name, err)
	}
	return nil
}
