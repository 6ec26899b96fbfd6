// SPDX-License-Identifier: Apache-2.0

// Command init is the first process of a rig node: it brings the node up and serves commands
// to the host. All of it is in package agent.
package main

import (
	"os"

	"github.com/rmr-block/rmr/internal/rig/agent"
)

func main() { os.Exit(agent.Main(os.Args)) }
