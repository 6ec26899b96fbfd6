// SPDX-License-Identifier: Apache-2.0

package image

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// tools are the host's programs that every node has. A missing one is an error that names its
// Debian package (`make deps` installs all of them).
var tools = map[string][]string{
	"bash":           {"bash", "sh"},
	"coreutils":      {"base64", "basename", "cat", "chmod", "comm", "cp", "cut", "date", "dd", "df", "dirname", "du", "echo", "env", "expr", "false", "head", "id", "ln", "ls", "md5sum", "mkdir", "mkfifo", "mknod", "mktemp", "mv", "nproc", "od", "paste", "printf", "pwd", "readlink", "realpath", "rm", "rmdir", "seq", "sha256sum", "shuf", "sleep", "sort", "split", "stat", "stdbuf", "stty", "sync", "tail", "tee", "test", "timeout", "touch", "tr", "true", "truncate", "tty", "uname", "uniq", "wc", "yes"},
	"diffutils":      {"cmp", "diff"},
	"dmsetup":        {"dmsetup"},
	"e2fsprogs":      {"e2fsck", "mkfs.ext4", "tune2fs", "dumpe2fs", "fsck.ext4", "resize2fs"},
	"findutils":      {"find", "xargs"},
	"fio":            {"fio"},
	"gawk|mawk":      {"awk"},
	"grep":           {"grep", "egrep"},
	"iproute2":       {"ip", "rdma", "tc", "ss", "bridge"},
	"iputils-ping":   {"ping"},
	"kmod":           {"insmod", "lsmod", "modinfo", "modprobe", "rmmod"},
	"mdadm":          {"mdadm"},
	"mount":          {"mount", "umount", "losetup"},
	"netcat-openbsd": {"nc"},
	"ncurses-bin":    {"clear"},
	"procps":         {"free", "kill", "pgrep", "pidof", "ps", "sysctl", "vmstat"},
	"sed":            {"sed"},
	"tar":            {"tar"},
	"util-linux":     {"blkdiscard", "blkid", "blockdev", "dmesg", "fallocate", "flock", "getopt", "hexdump", "lsblk", "lscpu", "mountpoint", "nsenter", "setsid", "taskset", "wipefs", "findmnt"},
}

// hostData are files of the host that the tools read.
var hostData = []string{"/etc/mke2fs.conf", "/lib/terminfo/l/linux", "/lib/terminfo/x/xterm", "/lib/terminfo/x/xterm-256color", "/lib/terminfo/s/screen", "/lib/terminfo/v/vt100"}

// MissingPackages returns the Debian packages whose programs are not on this host.
func MissingPackages() []string {
	missing := []string{}
	for pkg, programs := range tools {
		for _, program := range programs {
			if _, err := lookTool(program); err != nil {
				missing = append(missing, pkg)
				break
			}
		}
	}
	return missing
}

func isSystemFile(path string) bool {
	return strings.HasPrefix(path, "/usr/") || strings.HasPrefix(path, "/lib") || strings.HasPrefix(path, "/bin/") || strings.HasPrefix(path, "/sbin/")
}

func lookTool(name string) (string, error) {
	for _, dir := range []string{"/usr/sbin", "/usr/bin", "/sbin", "/bin"} {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode()&0o111 != 0 {
			return path, nil
		}
	}
	return "", fmt.Errorf("program %s: %w", name, os.ErrNotExist)
}

// addHostTools adds the tools and the shared libraries that they need.
func (t *tree) addHostTools(ctx context.Context) error {
	if missing := MissingPackages(); len(missing) > 0 {
		return fmt.Errorf("programs for the node image are missing: install %s (make deps)", strings.Join(missing, " "))
	}
	placed := map[string]string{} // real file to the path it has in the image
	binaries := []string{}
	for _, programs := range tools {
		for _, program := range programs {
			path, err := lookTool(program)
			if err != nil {
				return err
			}
			dest := usrMerged(path)
			if err := t.addTool(dest, path, placed); err != nil {
				return err
			}
			binaries = append(binaries, path)
		}
	}
	libraries, err := sharedLibraries(ctx, binaries)
	if err != nil {
		return err
	}
	for _, lib := range libraries {
		if err := t.addFile(usrMerged(lib), lib); err != nil {
			return err
		}
	}
	for _, path := range hostData {
		if _, err := os.Stat(path); err != nil {
			continue // terminal descriptions differ between hosts
		}
		if err := t.addFile(usrMerged(path), path); err != nil {
			return err
		}
	}
	return nil
}

// addTool adds a program, as a symbolic link if the same file is in the image under another name.
func (t *tree) addTool(dest, path string, placed map[string]string) error {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return fmt.Errorf("resolve %s: %w", path, err)
	}
	home := usrMerged(real)
	if _, ok := placed[real]; !ok {
		placed[real] = home
		if err := t.addFile(home, real); err != nil {
			return err
		}
	}
	if dest != home {
		t.addSymlink(dest, home)
	}
	return nil
}

// usrMerged is where a path of the host is in the image, where /bin, /sbin and /lib* are links.
func usrMerged(path string) string {
	for _, dir := range []string{"/bin/", "/sbin/", "/lib/", "/lib64/"} {
		if strings.HasPrefix(path, dir) {
			return "/usr" + path
		}
	}
	return path
}

var libraryLine = regexp.MustCompile(`(?m)^\s+(?:\S+ => )?(/\S+) \(0x`)

// sharedLibraries returns the paths of all shared libraries of the binaries, and the loader's.
func sharedLibraries(ctx context.Context, binaries []string) ([]string, error) {
	// ldd's exit code says that one of the files is static or a script: no error here. A library
	// that is not found is one.
	out, err := exec.CommandContext(ctx, "ldd", binaries...).Output()
	if err != nil && len(out) == 0 {
		return nil, fmt.Errorf("list shared libraries: %w", err)
	}
	if _, line, found := strings.Cut(string(out), "not found"); found {
		return nil, fmt.Errorf("list shared libraries: one is not found on the host: %q", line)
	}
	seen, libraries := map[string]bool{}, []string{}
	for _, match := range libraryLine.FindAllStringSubmatch(string(out), -1) {
		if !seen[match[1]] {
			seen[match[1]] = true
			libraries = append(libraries, match[1])
		}
	}
	return libraries, nil
}
