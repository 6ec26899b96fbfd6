// SPDX-License-Identifier: Apache-2.0

package kernel

import "syscall"

// sysProcAttr gives a build its own process group, so that the whole of it can be ended.
func sysProcAttr() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
