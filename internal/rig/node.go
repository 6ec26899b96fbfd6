// SPDX-License-Identifier: Apache-2.0

package rig

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rmr-block/rmr/internal/rig/agent"
	"github.com/rmr-block/rmr/internal/rig/kernel"
)

// bootTimeout is far above the about two seconds that a debug kernel takes on a quiet machine.
const bootTimeout = 3 * time.Minute

// Node is one machine of a cluster. Its methods may be called from many goroutines.
type Node struct {
	cluster *Cluster
	index   int
	name    string
	address string
	dir     string
	disks   []int64
	link    *Link

	mu      sync.Mutex // guards what follows; not held while a node boots or a command runs
	machine *machine   // nil before the first boot
}

// machine is one boot of a node.
type machine struct {
	process  *os.Process
	client   *agent.Client // nil until the node answered
	expected bool          // its end was asked for; guarded by Node.mu
	done     chan struct{} // closed when the process is gone
	state    *os.ProcessState
}

func newNode(c *Cluster, index int, name string, octet int, disks []int64) *Node {
	n := &Node{
		cluster: c, index: index, name: name, disks: disks,
		address: fmt.Sprintf("%s%d", networkPrefix, octet),
		dir:     filepath.Join(c.dir, name),
	}
	n.link = &Link{node: n}
	return n
}

// Name is the node's host name: stor0, client0 and so on.
func (n *Node) Name() string { return n.name }

// Address is the node's IPv4 address on the rig network.
func (n *Node) Address() string { return n.address }

// Link is the node's cable.
func (n *Node) Link() *Link { return n.link }

// Disk is the host's path of the backing file of disk i, in the node /dev/ubda, /dev/ubdb and so on.
func (n *Node) Disk(i int) string { return filepath.Join(n.dir, fmt.Sprintf("disk%d.img", i)) }

// DiskDevice is the path of disk i in the node.
func (n *Node) DiskDevice(i int) string { return "/dev/ubd" + string(rune('a'+i)) }

// ConsolePath is the host's path of the console log, of all boots.
func (n *Node) ConsolePath() string { return filepath.Join(n.dir, "console.log") }

func (n *Node) logf(format string, args ...any) {
	n.cluster.logf("%s: %s", n.name, fmt.Sprintf(format, args...))
}

func (n *Node) makeDisks() error {
	if err := os.MkdirAll(n.dir, 0o755); err != nil {
		return fmt.Errorf("make directory of %s: %w", n.name, err)
	}
	for i, size := range n.disks {
		f, err := os.OpenFile(n.Disk(i), os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return fmt.Errorf("create disk %d of %s: %w", i, n.name, err)
		}
		err = errors.Join(f.Truncate(size), f.Close())
		if err != nil {
			return fmt.Errorf("size disk %d of %s: %w", i, n.name, err)
		}
	}
	return nil
}

// arguments is the kernel's command line.
func (n *Node) arguments() []string {
	c := n.cluster
	args := []string{
		fmt.Sprintf("mem=%dM", n.memoryMiB()), "initrd=" + c.image, "rdinit=/init",
		"con=null", "con0=null,fd:1", "ssl=null", "ssl0=fd:3", "loglevel=7",
		"uml_dir=" + n.dir + "/", "umid=uml",
		// A node that is stopped for minutes by a test must not look stuck when it goes on.
		"rcupdate.rcu_cpu_stall_timeout=300", "ifb.numifbs=0", "hostname=" + n.name,
		fmt.Sprintf("vec0:transport=fd,fd=4,depth=128,gro=0,mtu=%d,mac=%s", linkMTU, nodeMAC(n.index)),
	}
	for i := range n.disks {
		args = append(args, fmt.Sprintf("ubd%d=%s", i, n.Disk(i)))
	}
	if c.config.variant == kernel.Debug {
		args = append(args, "retain_initrd")
	}
	return append(args, c.config.kernelArgs...)
}

// memoryMiB is the node's memory in MiB. A debug kernel keeps its initrd, on top of what the node has
// otherwise: kmemleak takes the memory of a freed one for an object for ever, scans whatever is there
// later, its own records too, and so passes over every leak whose record it keeps there.
func (n *Node) memoryMiB() int {
	c := n.cluster
	if c.config.variant != kernel.Debug {
		return c.config.memoryMiB
	}
	return c.config.memoryMiB + int(c.imageSize>>20) + 1
}

// boot starts the node and waits until it takes commands.
func (n *Node) boot(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, bootTimeout)
	defer cancel()
	begin := time.Now()
	conn, m, err := n.spawn()
	if err != nil {
		return fmt.Errorf("start %s: %w", n.name, err)
	}
	n.mu.Lock()
	n.machine = m
	n.mu.Unlock()
	client, err := agent.Dial(ctx, conn)
	if err == nil {
		err = client.Setup(ctx, n.setup())
	}
	if err == nil {
		err = n.link.reapply(ctx, client)
	}
	if err != nil {
		conn.Close()
		n.end()
		return fmt.Errorf("boot %s: %w; the end of its console:\n%s", n.name, err, n.ConsoleTail(30))
	}
	n.mu.Lock()
	m.client = client
	n.mu.Unlock()
	n.logf("up after %d ms", time.Since(begin).Milliseconds())
	if n.cluster.config.rxe {
		return n.AddRxe(ctx)
	}
	return nil
}

func (n *Node) setup() agent.Setup {
	hosts := map[string]string{}
	for _, other := range n.cluster.nodes {
		hosts[other.name] = other.address
	}
	return agent.Setup{
		Hostname: n.name, Address: n.address + "/24", Hosts: hosts, Share: n.cluster.ShareDir(),
		ModuleOpts: n.cluster.config.moduleOpts, Files: n.cluster.config.files,
	}
}

// spawn starts the kernel's process. It is the first process of a PID namespace: whatever ends it
// ends the helper processes of User-Mode Linux too.
func (n *Node) spawn() (net.Conn, *machine, error) {
	console, err := os.OpenFile(n.ConsolePath(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, nil, fmt.Errorf("open console log: %w", err)
	}
	defer console.Close()
	conn, remote, err := socketPair()
	if err != nil {
		return nil, nil, err
	}
	defer remote.Close()
	var port *os.File
	err = n.cluster.net.do(func() (err error) { port, err = openPort(n.index); return err })
	if err != nil {
		conn.Close()
		return nil, nil, err
	}
	defer port.Close()
	cmd := exec.Command(n.cluster.kernel.Linux, n.arguments()...)
	cmd.Dir, cmd.Env = n.dir, []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/"}
	cmd.Stdout, cmd.Stderr = console, console
	cmd.ExtraFiles = []*os.File{remote, port} // descriptors 3 and 4
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Setsid: true, Cloneflags: unix.CLONE_NEWPID, Pdeathsig: unix.SIGKILL,
	}
	if err := n.cluster.net.do(cmd.Start); err != nil {
		conn.Close()
		return nil, nil, err
	}
	m := &machine{process: cmd.Process, done: make(chan struct{})}
	go func() { // ends with the process
		_ = cmd.Wait() // its result is in ProcessState
		m.state = cmd.ProcessState
		close(m.done)
	}()
	return conn, m, nil
}

func socketPair() (net.Conn, *os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("make control channel: %w", err)
	}
	local, remote := os.NewFile(uintptr(fds[0]), "control"), os.NewFile(uintptr(fds[1]), "control")
	defer local.Close()
	conn, err := net.FileConn(local)
	if err != nil {
		remote.Close()
		return nil, nil, fmt.Errorf("make control channel: %w", err)
	}
	return conn, remote, nil
}

// client returns the control channel of a node that is up.
func (n *Node) client() (*agent.Client, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.machine == nil || n.machine.client == nil {
		return nil, fmt.Errorf("node %s is not up", n.name)
	}
	return n.machine.client, nil
}

// Kill ends the node at once, as a loss of power does, except that what its disks have completed
// is kept: the host holds it. It is no error if the node is down.
func (n *Node) Kill() error {
	n.logf("killed")
	n.end()
	return nil
}

// end kills the node's process and waits until it is gone.
func (n *Node) end() {
	n.mu.Lock()
	m := n.machine
	if m != nil {
		m.expected = true
	}
	n.mu.Unlock()
	if m == nil {
		return
	}
	_ = m.process.Kill() // it may have ended already
	<-m.done
	n.mu.Lock()
	defer n.mu.Unlock()
	if m.client != nil {
		_ = m.client.Close() // the other end is gone
		m.client = nil
	}
}

// Restart kills the node if it is up and boots it again with the same disks.
func (n *Node) Restart(ctx context.Context) error {
	n.logf("restarted")
	n.end()
	return n.boot(ctx)
}

// Pause stops the node's processor: it answers nothing, and timers stand still until Resume, when
// its clock jumps. Disk requests that it had handed to the host still complete.
func (n *Node) Pause() error { return n.signal("pause", unix.SIGSTOP) }

// Resume lets a paused node go on.
func (n *Node) Resume() error { return n.signal("resume", unix.SIGCONT) }

func (n *Node) signal(verb string, s syscall.Signal) error {
	n.logf("%s", verb)
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.machine == nil {
		return fmt.Errorf("%s %s: not up", verb, n.name)
	}
	if err := n.machine.process.Signal(s); err != nil {
		return fmt.Errorf("%s %s: %w", verb, n.name, err)
	}
	return nil
}

// Up says whether the node takes commands, which includes a paused one.
func (n *Node) Up() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.machine == nil || n.machine.client == nil {
		return false
	}
	select {
	case <-n.machine.done:
		return false
	default:
		return true
	}
}

// unexpectedEnd returns an error if the node ended without being told to.
func (n *Node) unexpectedEnd() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.machine == nil || n.machine.expected {
		return nil
	}
	select {
	case <-n.machine.done:
		return fmt.Errorf("node %s ended by itself (%s); the end of its console:\n%s", n.name, n.machine.state, n.ConsoleTail(30))
	default:
		return nil
	}
}

// ConsoleTail returns the last lines of the console log.
func (n *Node) ConsoleTail(lines int) string {
	text, err := os.ReadFile(n.ConsolePath())
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimSpace(strings.ReplaceAll(string(text), "\r", "")), "\n")
	return "\t" + strings.Join(all[max(0, len(all)-lines):], "\n\t")
}
