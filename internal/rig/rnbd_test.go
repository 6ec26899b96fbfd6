// SPDX-License-Identifier: Apache-2.0

package rig_test

import (
	"testing"

	"github.com/rmr-block/rmr/internal/rig"
)

func TestProbe(t *testing.T) {
	c := rig.Start(t, rig.Storage(1), rig.Client(1), rig.SoftRoCE())
	stor, client := c.Storage(0), c.Client(0)
	t.Log(stor.MustSh(t, `modprobe rnbd-server dev_search_path=/ ; rdma link; ip a show vec0`))
	t.Log(client.MustSh(t, `modprobe rnbd-client; cat /sys/class/infiniband/rxe0/ports/1/state; echo "sessname=s path=ip:10.77.0.11 device_path=/dev/ubda" > /sys/devices/virtual/rnbd-client/ctl/map_device; lsblk`))
	t.Log(client.MustSh(t, `for bs in 4k 64k 128k 256k; do fio --name=v --filename=/dev/rnbd0 --rw=randwrite --bs=$bs --size=16m --direct=1 --ioengine=libaio --iodepth=16 --verify=crc32c --verify_fatal=1 --do_verify=1 --verify_state_save=0 | grep -E "read:|write:|err="; done; dmesg | tail -5`))
	t.Log(client.MustSh(t, `cat /proc/lockdep_stats 2>/dev/null| grep debug_locks`+"||true"))
}
