package scenario

import (
	"os"
	"testing"

	"github.com/rmr-block/rmr/internal/rig"
)

func TestFirst(t *testing.T) {
	probe, err := os.ReadFile("/tmp/probe")
	if err != nil {
		t.Fatal(err)
	}
	c := rig.Start(t, rig.Storage(2), rig.Client(1), rig.SoftRoCE())
	if err := os.WriteFile(c.ShareDir()+"/probe", probe, 0o755); err != nil {
		t.Fatal(err)
	}
	s0, s1, cl := c.Storage(0), c.Storage(1), c.Client(0)
	t.Log(s0.MustSh(t, `cp /share/probe /usr/bin/; modprobe brmr_server; probe create vol1 /dev/ubda 134217728 10.77.0.11; probe pools`))
	t.Log(s1.MustSh(t, `cp /share/probe /usr/bin/; modprobe brmr_server; probe join vol1 /dev/ubda 10.77.0.12 10.77.0.11; probe pools`))
	t.Log(cl.MustSh(t, `cp /share/probe /usr/bin/; modprobe brmr_client; probe map vol1 10.77.0.11; lsblk; probe devs; probe legs`))
	t.Log(cl.MustSh(t, `for bs in 4k 64k 256k; do fio --name=v --filename=/dev/brmr0 --rw=randwrite --bs=$bs --size=16m --direct=1 --ioengine=libaio --iodepth=16 --verify=crc32c --verify_fatal=1 --do_verify=1 --verify_state_save=0 | grep -E "read:|write:|err="; done; probe legs; dmesg | tail`))
	t.Log(cl.MustSh(t, `mkfs.ext4 -q /dev/brmr0; mount /dev/brmr0 /mnt; cp -r /usr/bin /mnt; umount /mnt; e2fsck -fn /dev/brmr0; probe unmap vol1; rmmod brmr_client rmr_client; lsmod`))
	t.Log(s0.MustSh(t, `probe pools; sync; dmesg | tail; probe stop vol1; rmmod brmr_server rmr_server rmr_rtrs_server; lsmod`))
	t.Log(s1.MustSh(t, `probe stop vol1; sync; cmp -n 134217728 /dev/ubda /dev/ubda`))
	if out, err := exec("cmp", "-n", "134217728", s0.Disk(0), s1.Disk(0)); err != nil {
		t.Fatal(out, err)
	}
}
