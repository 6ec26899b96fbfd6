// SPDX-License-Identifier: Apache-2.0

// The tool under test scripts: rmrctl and brmr run as commands against a kernel, disks and RDMA
// devices that live in the script's directory. kernel.json is the kernel's state, read at the
// start of each command and written at its end; kernel.log collects the changing requests.
// dev/NAME.img is a disk, dev/NAME.json its facts.

package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/rmr-block/rmr/internal/blockdev"
	"github.com/rmr-block/rmr/internal/rmrnl/rmrnltest"
	"github.com/rmr-block/rmr/internal/softroce"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"rmrctl":   func() { scriptMain("rmrctl") },
		"brmr":     func() { scriptMain("brmr") },
		"mkdisk":   mkdisk,
		"mkstore":  mkstore,
		"poke":     poke,
		"iszero":   iszero,
		"jsonkeys": jsonkeys,
	})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script", RequireExplicitExec: true, RequireUniqueNames: true,
		Cmds:          map[string]func(*testscript.TestScript, bool, []string){"exitcode": exitCode},
		UpdateScripts: os.Getenv("UPDATE_SCRIPTS") != "",
	})
}

// exitCode CODE COMMAND...: runs a command, whose output the script may compare, and fails unless
// it exits with CODE.
func exitCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exitcode CODE COMMAND...")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if fmt.Sprint(code) != args[0] {
		ts.Fatalf("exit code %d, not %s\n%s", code, args[0], ts.ReadFile("stderr"))
	}
}

func fatal(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "script support:", err)
		os.Exit(99)
	}
}

func readJSON(path string, v any) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	fatal(err)
	fatal(json.Unmarshal(raw, v))
}

func scriptMain(name string) {
	work := os.Getenv("WORK")
	var state rmrnltest.State
	readJSON(filepath.Join(work, "kernel.json"), &state)
	kernel := rmrnltest.New(state)
	env := Host(os.Stdout, os.Stderr, false)
	env.Dial = kernel.Dial
	env.Root = work
	env.Hostname = func() (string, error) { return "stor1", nil }
	env.OpenDisk = func(path string, _ bool) (*blockdev.Disk, error) { return openScriptDisk(work, path) }
	env.OpenImage = func(path string, write bool) (*blockdev.Disk, error) {
		if !strings.HasPrefix(path, "/dev/") {
			return blockdev.OpenImage(path, write)
		}
		return openScriptDisk(work, path)
	}
	env.OpenShared = func(path string) (*blockdev.Disk, error) {
		if strings.HasPrefix(path, "/dev/") {
			path = filepath.Join(work, path) + ".img"
		}
		return blockdev.OpenShared(path)
	}
	env.RDMA = scriptRDMA(work)
	code := Run(context.Background(), env, append([]string{name}, os.Args[1:]...))
	raw, err := json.MarshalIndent(kernel.State(), "", " ")
	fatal(err)
	fatal(os.WriteFile(filepath.Join(work, "kernel.json"), raw, 0o644))
	log, err := os.OpenFile(filepath.Join(work, "kernel.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	fatal(err)
	for _, line := range kernel.Log() {
		_, err = fmt.Fprintln(log, line)
		fatal(err)
	}
	fatal(log.Close())
	os.Exit(code)
}

type scriptFacts struct {
	blockdev.Facts
	Busy     bool `json:"busy"`
	NotBlock bool `json:"not_block"`
	ZeroFail bool `json:"zero_fail"`
}

type scriptDisk struct {
	*os.File
	zeroFail bool
}

func (d scriptDisk) ZeroOut(off, n uint64) error {
	if d.zeroFail {
		return syscall.EIO
	}
	_, err := d.WriteAt(make([]byte, n), int64(off))
	return err
}

func openScriptDisk(work, path string) (*blockdev.Disk, error) {
	base := filepath.Join(work, path)
	var facts scriptFacts
	readJSON(base+".json", &facts)
	facts.Path, facts.Real = path, path
	if facts.NotBlock {
		return nil, fmt.Errorf("%s: %w", path, blockdev.ErrNotBlock)
	}
	if facts.Busy {
		return &blockdev.Disk{Facts: facts.Facts}, fmt.Errorf("open %s: %w", path, blockdev.ErrBusy)
	}
	f, err := os.OpenFile(base+".img", os.O_RDWR, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: errors.Unwrap(err)}
	}
	st, err := f.Stat()
	fatal(err)
	facts.Size = uint64(st.Size())
	return blockdev.New(facts.Facts, scriptDisk{f, facts.ZeroFail})
}

// mkdisk NAME SIZE [OFFSET TEXT]...: a disk of zeros with some text on it; a negative offset
// counts from the end, TEXT may have \x escapes.
func mkdisk() {
	size, err := parseSize(os.Args[2])
	fatal(err)
	path := filepath.Join(os.Getenv("WORK"), "dev", os.Args[1]+".img")
	fatal(os.MkdirAll(filepath.Dir(path), 0o755))
	f, err := os.Create(path)
	fatal(err)
	fatal(f.Truncate(int64(size)))
	for i := 3; i+1 < len(os.Args); i += 2 {
		var off int64
		_, err := fmt.Sscan(os.Args[i], &off)
		fatal(err)
		if off < 0 {
			off += int64(size)
		}
		var text string
		fatal(json.Unmarshal([]byte(`"`+strings.ReplaceAll(os.Args[i+1], `\x`, `\u00`)+`"`), &text))
		raw := make([]byte, 0, len(text))
		for _, r := range text {
			raw = append(raw, byte(r))
		}
		_, err = f.WriteAt(raw, off)
		fatal(err)
	}
	fatal(f.Close())
}

// iszero NAME: fails if the disk holds a byte other than zero.
func iszero() {
	raw, err := os.ReadFile(filepath.Join(os.Getenv("WORK"), "dev", os.Args[1]+".img"))
	fatal(err)
	for i, b := range raw {
		if b != 0 {
			fmt.Fprintf(os.Stderr, "byte %d is %#x\n", i, b)
			os.Exit(1)
		}
	}
}

// jsonkeys prints the keys of the first object of JSON on a file, one path a line, in order.
func jsonkeys() {
	raw, err := os.ReadFile(os.Args[1])
	fatal(err)
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	var v any
	fatal(dec.Decode(&v))
	for _, line := range keyPaths("", v) {
		fmt.Println(line)
	}
}

// scriptNet is net.json.
type scriptNet struct {
	Interfaces map[string]struct {
		Up    bool         `json:"up"`
		Addrs []netip.Addr `json:"addrs"`
	} `json:"interfaces"`
	Driver     bool `json:"driver"`      // rdma_rxe is loaded
	NoModule   bool `json:"no_module"`   // there is no rdma_rxe to load
	Denied     bool `json:"denied"`      // no permission
	NeverReady bool `json:"never_ready"` // ports stay down
}

type scriptKernel struct {
	work string
	net  *scriptNet
}

func scriptRDMA(work string) softroce.System {
	net := &scriptNet{}
	readJSON(filepath.Join(work, "net.json"), net)
	return softroce.System{
		Sys: filepath.Join(work, "sys"), Kernel: scriptKernel{work, net},
		Interface: func(name string) (bool, []netip.Addr, error) {
			dev, ok := net.Interfaces[name]
			if !ok {
				return false, nil, softroce.ErrNoNetdev
			}
			return dev.Up, dev.Addrs, nil
		},
	}
}

func (k scriptKernel) AddLink(name, linkType, netdev string) error {
	if k.net.Denied {
		return syscall.EPERM
	}
	if !k.net.Driver || linkType != "rxe" {
		return syscall.EINVAL
	}
	dir := filepath.Join(k.work, "sys/class/infiniband", name)
	fatal(os.MkdirAll(filepath.Join(dir, "ports/1"), 0o755))
	fatal(os.WriteFile(filepath.Join(dir, "parent"), []byte(netdev+"\n"), 0o644))
	// Down first, then the clock: on a busy machine the other order left a port down for good. By a rename, as an
	// attribute of sysfs is never half written.
	state := filepath.Join(dir, "ports/1/state")
	if err := os.WriteFile(state, []byte("1: DOWN\n"), 0o644); err != nil || k.net.NeverReady {
		return err
	}
	time.AfterFunc(80*time.Millisecond, func() {
		fatal(os.WriteFile(filepath.Join(dir, "active"), []byte("4: ACTIVE\n"), 0o644))
		fatal(os.Rename(filepath.Join(dir, "active"), state))
	})
	return nil
}

func (k scriptKernel) DeleteLink(name string) error {
	if k.net.Denied {
		return syscall.EPERM
	}
	return os.RemoveAll(filepath.Join(k.work, "sys/class/infiniband", name))
}

func (k scriptKernel) Modprobe(_ context.Context, module string) error {
	if k.net.NoModule {
		return fmt.Errorf("modprobe %s: exit status 1: module %s not found", module, module)
	}
	k.net.Driver = true
	return nil
}

// keyPaths lists the paths of all values, arrays by their first element.
func keyPaths(prefix string, v any) []string {
	switch v := v.(type) {
	case map[string]any:
		var list []string
		for _, key := range sortedKeys(v) {
			list = append(list, keyPaths(prefix+"."+key, v[key])...)
		}
		return list
	case []any:
		if len(v) == 0 {
			return []string{prefix + "[]"}
		}
		return keyPaths(prefix+"[]", v[0])
	}
	return []string{fmt.Sprintf("%s %T", prefix, v)}
}
