// SPDX-License-Identifier: Apache-2.0

// Package softroce carries the rig's kernel configuration and patches into the programs that
// build the rig.
package softroce

import "embed"

// Kernel holds kernel/uml.config, kernel/debug.config and kernel/patches.
//
//go:embed kernel
var Kernel embed.FS
