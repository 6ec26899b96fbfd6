// SPDX-License-Identifier: Apache-2.0

// Promise: write-back under memory pressure goes on through the loss of a leg and its resync. The client has
// less memory than the files it writes, so memory comes free only when the device has written pages back.
//
//	client0 (320 MiB of memory, 128 MiB of it its root): ext4 on brmr0 --+--- stor0
//	                                   +--- stor1    <- killed, comes back

package scenario_test

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/rig"
)

func TestWriteBackUnderMemoryPressure(t *testing.T) {
	onlyInFull(t)
	memory := 320 // the node's root is 128 MiB of it
	if os.Getenv("RMR_RIG_VARIANT") == "debug" {
		memory = 768 // KASAN's shadow and its quarantine
	}
	c := start(t, rig.Storage(2), rig.Client(1), rig.Disks(512*mib), rig.Memory(memory), rig.ModuleParam("rtrs_server", "sess_queue_depth=64"))
	p := makePool(t, c, pool{name: "pressure", legs: 2, disk: 0, size: 400 * mib})
	dev, client := p.attach(t), c.Client(0)
	client.MustSh(t, "mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0 "+dev+" && mount "+dev+" /mnt")
	// Dirty pages up to the most that the kernel allows, and a memory eater beside them.
	client.MustSh(t, "echo 80 > /proc/sys/vm/dirty_ratio; echo 60 > /proc/sys/vm/dirty_background_ratio")
	eater := background(t, client, "mount -t tmpfs -o size=48m none /var/tmp && dd if=/dev/zero of=/var/tmp/eater bs=1M count=48 status=none; exec sleep 600")
	writer := background(t, client, `for i in 1 2; do
		for f in $(seq 8); do head -c 32M /dev/urandom | tee /mnt/f$f | sha256sum | cut -c1-64 > /mnt/f$f.sum; done
	done; sync`)
	time.Sleep(4 * time.Second)
	require.True(t, writer.running())
	p.kill(t, 1)
	p.waitLeg(t, 1, "failed", 2*ejectLimit)
	p.audit(t)
	p.restart(t, 1)
	p.waitLeg(t, 1, "up-to-date", 2*healLimit)
	writer.wait(t, 5*time.Minute)
	t.Log(client.MustSh(t, "free -m | sed -n 2p"))
	require.True(t, eater.running(), "the memory eater was ended")
	client.MustSh(t, `echo 3 > /proc/sys/vm/drop_caches
		for f in $(seq 8); do test $(sha256sum < /mnt/f$f | cut -c1-64) = $(cat /mnt/f$f.sum) || exit 1; done; umount /mnt && e2fsck -fn `+dev)
	p.detachEqual(t)
}
