// SPDX-License-Identifier: Apache-2.0

// Package agent is both ends of the rig's control channel: the first process of a node (Main) and
// the host's handle on it (Client).
//
// The channel is a byte stream, a serial line of the node that is a socket pair on the host, so
// it works when the rig network is cut. It starts with the node's Banner; from then on it is a
// yamux session in which every request is one stream. A stream begins with a gob-encoded
// Request of the host; what follows depends on the operation:
//
//   - opSetup, opNetem: the node answers with one Frame (frameExit) and closes;
//   - opExec: the host sends frameStdin, frameStdinEOF and frameResize, the node frameStdout and
//     frameStderr and last frameExit. A host that closes the stream kills the command and
//     everything in its session.
package agent

import "time"

// Banner is the line with which the node opens the channel, after the line was made raw.
const Banner = "RMR-RIG-NODE 1\n"

// Env is the environment of commands that bring none of their own.
var defaultEnv = []string{
	"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C", "TERM=linux",
	"DM_DISABLE_UDEV=1", // no udev in a node: dmsetup makes its device nodes itself
}

type op uint8

const (
	opSetup op = iota + 1
	opExec
	opNetem
)

// Request opens a stream. Only the member named by Op is used.
type Request struct {
	Op    op
	Setup Setup
	Exec  Exec
	Netem Netem
}

// Setup is what a node learns about itself once, right after boot.
type Setup struct {
	Hostname   string
	Address    string              // CIDR, for vec0
	Hosts      map[string]string   // name to address, for /etc/hosts
	Share      string              // host directory mounted read-write at /share
	ModuleOpts map[string][]string // module to "parameter=value", for modprobe
	Files      map[string][]byte   // absolute path to content
}

// Exec is one command.
type Exec struct {
	Argv       []string
	Env        []string // "name=value", added to a small default environment
	Dir        string   // "/" if empty
	Stdin      bool     // false: the command reads end of file
	TTY        bool     // run in a pseudo-terminal; its output comes as stdout
	Rows, Cols uint16   // size of the terminal
}

// Netem is what the node's link does to packets, in both directions; the zero value is a good
// link. Percentages are 0 to 100.
type Netem struct {
	Delay     time.Duration // added to every packet, one way
	Jitter    time.Duration // of the delay, plus or minus; packets may overtake each other
	Loss      float32       // per cent of packets dropped
	Reorder   float32       // per cent of packets sent at once while the others wait for Delay
	Duplicate float32       // per cent of packets sent twice
	Corrupt   float32       // per cent of packets with one flipped bit
}

type frameKind uint8

const (
	frameStdin frameKind = iota + 1
	frameStdinEOF
	frameResize
	frameStdout
	frameStderr
	frameExit
)

// frame is one message within a stream.
type frame struct {
	Kind       frameKind
	Data       []byte // frameStdin, frameStdout, frameStderr
	Rows, Cols uint16 // frameResize
	Code       int    // frameExit: exit code, 128 + signal number if killed by one
	Err        string // frameExit: why the request could not be carried out, else empty
}
