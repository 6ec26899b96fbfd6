// SPDX-License-Identifier: Apache-2.0

package rig_test

import (
	"testing"
	"time"

	"github.com/rmr-block/rmr/internal/rig"
)

func TestSmoke(t *testing.T) {
	b := time.Now()
	c := rig.Start(t, rig.Storage(1), rig.Client(1))
	t.Log("started", time.Since(b))
	t.Log(c.Client(0).MustSh(t, "uname -a; ip a; df; cat /proc/mounts; ping -c 3 -i 0.2 stor0; free -m; lsblk; ls -la /"))
	b = time.Now()
	for range 20 {
		c.Client(0).MustSh(t, "true")
	}
	t.Log("sh true", time.Since(b)/20)
	b = time.Now()
	for range 20 {
		c.Client(0).Run(t.Context(), "/bin/true")
	}
	t.Log("true", time.Since(b)/20)
}
