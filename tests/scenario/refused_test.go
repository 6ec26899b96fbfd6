// SPDX-License-Identifier: Apache-2.0

// Promise: what cannot be done is refused with one line that says what to do, an exit code that
// tells why (1 error, 2 usage, 4 refused for safety), and no byte of any disk changed.
//
//	client0 --- no pool --- stor0 /dev/ubda: pool vol1, /dev/ubdb..: free, small, in use
//	                        stor1 /dev/ubda..: free, small, in use

package scenario_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/rig"
)

// Disks of every storage node of this test.
const (
	ubda = iota // pool vol1 on stor0, free on stor1
	ubdb        // put in somebody's way by a case
	ubdc        // never a store: 1 MiB
	ubdd        // a store, but too small for vol1
	ubde        // random bytes that look like nothing
)

// refusal is a command that must be refused.
type refusal struct {
	name    string
	node    string
	before  string // script that puts something in the way
	command string
	code    int
	words   []string
	after   string // script that takes it away
}

// A kernel without the module, rather than one that loads it by itself when asked.
const (
	noAutoload = "echo /bin/false > /proc/sys/kernel/modprobe"
	autoload   = "echo /sbin/modprobe > /proc/sys/kernel/modprobe"
)

func TestRefusedBeforeSetUp(t *testing.T) {
	c := rig.Start(t, rig.Storage(1), rig.Client(1))
	runRefusals(t, c, []refusal{
		{
			name: "no module", node: "stor0", before: noAutoload, command: "rmrctl pool show",
			code: exitError, words: []string{"modprobe brmr_server"}, after: autoload,
		},
		{
			name: "no module on the client", node: "client0", before: noAutoload, command: "brmr map vol1 --node 10.77.0.11",
			code: exitError, words: []string{"modprobe", "brmr_client"}, after: autoload,
		},
		{
			name: "core module alone", node: "stor0", before: "modprobe rmr", command: "rmrctl pool assemble /dev/ubda",
			code: exitError, words: []string{"modprobe brmr_server"},
		},
		{
			name: "core module alone on the client", node: "client0", before: "modprobe rmr",
			command: "brmr map vol1 --node 10.77.0.11", code: exitError, words: []string{"modprobe brmr_client"},
		},
		{
			name: "server module without stores", node: "stor0", before: "modprobe rmr_server",
			command: "rmrctl pool assemble /dev/ubda", code: exitError, words: []string{"modprobe brmr_server"},
		},
		{
			name: "create without RDMA device", node: "stor0", before: "modprobe brmr_server",
			command: "rmrctl pool create vol1 --device /dev/ubda", code: exitError, words: []string{"softroce up"},
		},
		{
			name: "map without RDMA device", node: "client0", before: "modprobe brmr_client",
			command: "brmr map vol1 --node 10.77.0.11", code: exitError, words: []string{"10.77.0.11", "softroce up"},
		},
		{
			name: "soft-RoCE on a missing device", node: "stor0", command: "rmrctl softroce up eth9", code: exitError,
			words: []string{"eth9", "ip link"},
		},
	})
}

func TestRefused(t *testing.T) {
	c := start(t, rig.Storage(2), rig.Client(1), rig.Disks(64*mib, 64*mib, 1*mib, 32*mib, 16*mib))
	noise := make([]byte, 16*mib)
	for i := range noise {
		noise[i] = byte(i * i >> 7)
	}
	for i := range 2 {
		require.NoError(t, os.WriteFile(c.Storage(i).Disk(ubde), noise, 0o600))
	}
	p := makePool(t, c, pool{name: "vol1", legs: 1, disk: ubda, size: 48 * mib})
	t.Run("create", func(t *testing.T) { runRefusals(t, c, createRefusals) })
	t.Run("join", func(t *testing.T) { runRefusals(t, c, joinRefusals) })
	t.Run("assemble and stop", func(t *testing.T) { runRefusals(t, c, assembleRefusals) })
	t.Run("map", func(t *testing.T) { runRefusals(t, c, mapRefusals) })
	p.attach(t)
	t.Run("mapped", func(t *testing.T) { runRefusals(t, c, mappedRefusals) })
	p.detach(t)
	t.Run("used", func(t *testing.T) { runRefusals(t, c, usedRefusals) })
}

// runRefusals tries each case: the pools shown and all disks must be the same afterwards.
func runRefusals(t *testing.T, c *rig.Cluster, cases []refusal) {
	for _, r := range cases {
		t.Run(r.name, func(t *testing.T) {
			n := c.Node(r.node)
			if r.before != "" {
				n.MustSh(t, r.before)
			}
			// All but the time since a leg's last change.
			show := "(rmrctl pool show -o json; rmrctl device show -o json; rmrctl leg show -o json) | sed -E 's/\"age_ms\":[0-9]+//g'"
			before, begin := try(t, n, show), time.Now()
			unchanged(t, c, func() { refuses(t, n, r.command, r.code, r.words...) })
			require.Equal(t, before, try(t, n, show))
			t.Logf("%v", time.Since(begin).Round(time.Millisecond))
			if r.after != "" {
				n.MustSh(t, r.after)
			}
		})
	}
}

const nameRule = "1 to 63 of A-Z a-z 0-9 . _ -"

var createRefusals = []refusal{
	{name: "name taken", node: "stor0", command: "rmrctl pool create vol1 --device /dev/ubdb", code: exitError, words: []string{"exists", "pool show"}},
	{name: "empty name", node: "stor0", command: "rmrctl pool create '' --device /dev/ubdb", code: exitUsage, words: []string{nameRule}},
	{name: "long name", node: "stor0", command: "rmrctl pool create " + strings.Repeat("x", 64) + " --device /dev/ubdb", code: exitUsage, words: []string{nameRule}},
	{name: "slash", node: "stor0", command: "rmrctl pool create a/b --device /dev/ubdb", code: exitUsage, words: []string{nameRule}},
	{name: "leading dot", node: "stor0", command: "rmrctl pool create .a --device /dev/ubdb", code: exitUsage, words: []string{nameRule}},
	{name: "leading dash", node: "stor0", command: "rmrctl pool create --device /dev/ubdb -- -a", code: exitUsage, words: []string{nameRule}},
	{name: "newline", node: "stor0", command: "rmrctl pool create $'a\\nb' --device /dev/ubdb", code: exitUsage, words: []string{nameRule}},
	{name: "UTF-8", node: "stor0", command: "rmrctl pool create völ --device /dev/ubdb", code: exitUsage, words: []string{nameRule}},
	{name: "bad UUID", node: "stor0", command: "rmrctl pool create new --device /dev/ubdb --uuid 123", code: exitUsage, words: []string{"--uuid", "8-4-4-4-12"}},
	{name: "chunk size", node: "stor0", command: "rmrctl pool create new --device /dev/ubdb --chunk-size 3M", code: exitUsage, words: []string{"chunk"}},
	{name: "size over the device", node: "stor0", command: "rmrctl pool create new --device /dev/ubdb --size 1G", code: exitRefused, words: []string{"/dev/ubdb", "too small"}},
	{name: "missing device", node: "stor0", command: "rmrctl pool create new --device /dev/nope", code: exitError, words: []string{"/dev/nope"}},
	{name: "no block device", node: "stor0", command: "rmrctl pool create new --device /etc/passwd", code: exitError, words: []string{"/etc/passwd", "under /dev"}},
	{name: "tiny device", node: "stor0", command: "rmrctl pool create new --device /dev/ubdc", code: exitRefused, words: []string{"/dev/ubdc", "small"}},
	{name: "device of another pool", node: "stor0", command: "rmrctl pool create new --device /dev/ubda --force", code: exitRefused, words: []string{"/dev/ubda", "use"}},
	{
		name: "mounted device", node: "stor0", before: "mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0 /dev/ubdb; mkdir -p /mnt; mount -o ro /dev/ubdb /mnt; sync",
		command: "rmrctl pool create new --device /dev/ubdb --force", code: exitRefused, words: []string{"/dev/ubdb", "mounted"}, after: "umount /mnt",
	},
	{name: "file system", node: "stor0", command: "rmrctl pool create new --device /dev/ubdb", code: exitRefused, words: []string{"/dev/ubdb", "ext2/3/4", "--force"}},
	{
		name: "partition table", node: "stor0",
		before: `blkdiscard -z /dev/ubdb; printf '\x80\x01\x01\x00\x83\x01\x01\x00\x00\x08\x00\x00\x00\x40\x00\x00' | dd of=/dev/ubdb bs=1 seek=446 status=none
			printf '\x55\xaa' | dd of=/dev/ubdb bs=1 seek=510 conv=fsync status=none`,
		command: "rmrctl pool create new --device /dev/ubdb", code: exitRefused, words: []string{"/dev/ubdb", "partition table", "--force"},
	},
	{
		name: "held by device mapper", node: "stor0", before: "modprobe dm_mod; blkdiscard -z /dev/ubdb; echo '0 8192 linear /dev/ubdb 0' | dmsetup create --noudevsync held",
		command: "rmrctl pool create new --device /dev/ubdb --force", code: exitRefused, words: []string{"/dev/ubdb", "use"}, after: "dmsetup remove --noudevsync held",
	},
	{
		name: "held by MD", node: "stor0", before: "modprobe raid1; mdadm --create /dev/md0 --run --metadata=1.2 --level=1 --raid-devices=2 /dev/ubdb missing 2>/dev/null; sync",
		command: "rmrctl pool create new --device /dev/ubdb --force", code: exitRefused, words: []string{"/dev/ubdb", "use"}, after: "mdadm --stop /dev/md0 2>/dev/null",
	},
	{name: "MD superblock", node: "stor0", command: "rmrctl pool create new --device /dev/ubdb", code: exitRefused, words: []string{"/dev/ubdb", "RAID", "--force"}, after: "blkdiscard -z /dev/ubdb"},
}

var joinRefusals = []refusal{
	{name: "unknown pool", node: "stor1", command: "rmrctl pool join nope --device /dev/ubde --peer 10.77.0.11", code: exitError, words: []string{"10.77.0.11", "no such pool"}},
	{name: "wrong UUID", node: "stor1", command: "rmrctl pool join vol1 --uuid 00000000-0000-4000-8000-000000000001 --device /dev/ubda --peer 10.77.0.11", code: exitError, words: []string{"no such pool"}},
	{name: "id taken", node: "stor1", command: "rmrctl pool join vol1 --id 0 --device /dev/ubda --peer 10.77.0.11", code: exitError, words: []string{"member id 0 is taken by stor0"}},
	{name: "id out of range", node: "stor1", command: "rmrctl pool join vol1 --id 8 --device /dev/ubda --peer 10.77.0.11", code: exitUsage, words: []string{"0 to 7"}},
	{name: "store smaller than the pool", node: "stor1", command: "rmrctl pool join vol1 --device /dev/ubdd --peer 10.77.0.11", code: exitError, words: []string{"too small", "larger device"}},
	{name: "peer is no address", node: "stor1", command: "rmrctl pool join vol1 --device /dev/ubda --peer stor0", code: exitUsage, words: []string{"--peer", "IP address"}},
	{name: "nobody at the peer's address", node: "stor1", command: "rmrctl pool join vol1 --device /dev/ubda --peer 10.77.0.99", code: exitError, words: []string{"10.77.0.99", "check --peer"}},
	{name: "peer without the modules", node: "stor1", command: "rmrctl pool join vol1 --device /dev/ubda --peer 10.77.0.101", code: exitError, words: []string{"10.77.0.101", "check --peer"}},
}

var assembleRefusals = []refusal{
	{name: "no superblock", node: "stor0", command: "rmrctl pool assemble /dev/ubdb", code: exitError, words: []string{"no superblock", "pool create"}},
	{name: "served already", node: "stor0", command: "rmrctl pool assemble /dev/ubda", code: exitRefused, words: []string{"busy"}},
	{name: "stop of an unknown pool", node: "stor0", command: "rmrctl pool stop nope", code: exitError, words: []string{"nope", "pool show"}},
	{name: "stop of another UUID", node: "stor0", command: "rmrctl pool stop vol1 --uuid 00000000-0000-4000-8000-000000000001", code: exitError, words: []string{"UUID"}},
	{name: "delete without force", node: "stor0", command: "rmrctl pool delete vol1", code: exitRefused, words: []string{"--force"}},
	{
		name: "other name", node: "stor0", before: "rmrctl pool stop vol1", command: "rmrctl pool assemble /dev/ubda --name vol2",
		code: exitError, words: []string{"belongs to pool vol1"},
	},
	{
		name: "other UUID", node: "stor0", command: "rmrctl pool assemble /dev/ubda --uuid 00000000-0000-4000-8000-000000000001",
		code: exitError, words: []string{"another UUID"},
	},
	{
		name: "create over a stopped store", node: "stor0", command: "rmrctl pool create new --device /dev/ubda", code: exitRefused,
		words: []string{"/dev/ubda", "vol1", "--force"}, after: "rmrctl pool assemble /dev/ubda",
	},
}

var mapRefusals = []refusal{
	{name: "unknown pool", node: "client0", command: "brmr map nope --node 10.77.0.11", code: exitError, words: []string{"10.77.0.11", "no such pool"}},
	{name: "wrong UUID", node: "client0", command: "brmr map vol1 --uuid 00000000-0000-4000-8000-000000000001 --node 10.77.0.11", code: exitError, words: []string{"another UUID", "--uuid"}},
	{name: "no node given", node: "client0", command: "brmr map vol1", code: exitUsage, words: []string{"--node"}},
	{name: "node is no address", node: "client0", command: "brmr map vol1 --node stor0", code: exitUsage, words: []string{"--node", "IP address"}},
	{name: "node that serves nothing", node: "client0", command: "brmr map vol1 --node 10.77.0.12", code: exitError, words: []string{"10.77.0.12", "--node"}},
	{name: "nobody at the address", node: "client0", command: "brmr map vol1 --node 10.77.0.99", code: exitError, words: []string{"10.77.0.99", "check --node"}},
	{name: "unmap of what is not mapped", node: "client0", command: "brmr unmap vol1", code: exitError, words: []string{"brmr list"}},
	{name: "unmap of a device that is not there", node: "client0", command: "brmr unmap /dev/brmr9", code: exitError, words: []string{"brmr list"}},
}

var mappedRefusals = []refusal{
	{name: "map twice", node: "client0", command: "brmr map vol1 --node 10.77.0.11", code: exitError, words: []string{"mapped as brmr0", "brmr list"}},
	{name: "the only member removed", node: "client0", command: "rmrctl leg remove vol1 0", code: exitRefused, words: []string{"last member with data"}},
	{name: "the only member removed on its node", node: "stor0", command: "rmrctl leg remove vol1 0", code: exitRefused, words: []string{"last member with data"}},
	{name: "maintenance of the only member", node: "client0", command: "rmrctl leg maintenance vol1 0 on", code: exitRefused, words: []string{"last member with data"}},
	{name: "maintenance neither on nor off", node: "client0", command: "rmrctl leg maintenance vol1 0 maybe", code: exitUsage, words: []string{"on or off"}},
	{name: "a member that is none removed", node: "client0", command: "rmrctl leg remove vol1 3", code: exitError, words: []string{"no member 3", "leg show"}},
	{name: "a member that is none removed on a storage node", node: "stor0", command: "rmrctl leg remove vol1 3", code: exitError, words: []string{"no member 3", "pool show"}},
	{name: "join that replaces nobody", node: "stor1", command: "rmrctl pool join vol1 --device /dev/ubda --peer 10.77.0.11 --replaces 5", code: exitError, words: []string{"no member 5"}},
	{name: "witness in the place of data", node: "stor1", command: "rmrctl pool join vol1 --device /dev/ubda --peer 10.77.0.11 --replaces 0 --witness", code: exitError, words: []string{"witness"}},
	{name: "join with a store too small", node: "stor1", command: "rmrctl pool join vol1 --device /dev/ubdd --peer 10.77.0.11", code: exitError, words: []string{"too small"}},
	{name: "replace with a store too small", node: "stor0", command: "rmrctl disk replace vol1 --leg 0 --device /dev/ubdd", code: exitError, words: []string{"too small"}},
	{name: "replace with the same disk", node: "stor0", command: "rmrctl disk replace vol1 --leg 0 --device /dev/ubda --force", code: exitRefused, words: []string{"/dev/ubda", "use"}},
	{
		name: "replace with a mounted disk", node: "stor0", before: "mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0 /dev/ubdb; mkdir -p /mnt; mount -o ro /dev/ubdb /mnt; sync",
		command: "rmrctl disk replace vol1 --leg 0 --device /dev/ubdb --force", code: exitRefused, words: []string{"/dev/ubdb", "mounted"}, after: "umount /mnt",
	},
	{name: "replace with a file system", node: "stor0", command: "rmrctl disk replace vol1 --leg 0 --device /dev/ubdb", code: exitRefused, words: []string{"/dev/ubdb", "ext2/3/4", "--force"}},
	{
		name: "replace with a store of another pool", node: "stor0", before: "rmrctl pool create other --device /dev/ubdb --force 2>/dev/null && rmrctl pool stop other",
		command: "rmrctl disk replace vol1 --leg 0 --device /dev/ubdb", code: exitRefused, words: []string{"/dev/ubdb", "other", "--force"}, after: "blkdiscard -z /dev/ubdb",
	},
	{name: "replace of a member that is elsewhere", node: "stor1", command: "rmrctl disk replace vol1 --leg 0 --device /dev/ubda --peer 10.77.0.11", code: exitError, words: []string{"member 0 is on node stor0"}},
	{name: "replace without anybody who knows", node: "stor1", command: "rmrctl disk replace vol1 --leg 0 --device /dev/ubda", code: exitError, words: []string{"--peer"}},
	{name: "replace on a missing disk", node: "stor0", command: "rmrctl disk replace vol1 --leg 0 --device /dev/nope", code: exitError, words: []string{"/dev/nope"}},
}

var usedRefusals = []refusal{
	{name: "the only member removed", node: "stor0", command: "rmrctl leg remove vol1 0", code: exitRefused, words: []string{"last member with data"}},
	{
		name: "replace of the only copy, dead", node: "stor0", before: "rmrctl pool stop vol1", command: "rmrctl disk replace vol1 --leg 0 --device /dev/ubdb",
		code: exitError, words: []string{"--peer"}, after: "rmrctl pool assemble /dev/ubda",
	},
}

// A disk that works is exchanged by a member beside it, so it needs a free place.
func TestReplaceNeedsAPlace(t *testing.T) {
	const sectors = 8 << 11 // of each disk
	c := rig.Start(t, rig.Storage(1), rig.Disks(9*8*mib))
	n := c.Storage(0)
	disk := func(i int) string { return fmt.Sprintf("/dev/mapper/d%d", i) }
	n.MustSh(t, "modprobe dm_mod")
	for i := range 9 {
		n.MustSh(t, fmt.Sprintf("echo 0 %d linear /dev/ubda %d | dmsetup create --noudevsync d%d", sectors, i*sectors, i))
	}
	n.MustSh(t, "modprobe rmr_loop && modprobe rmr_server transport=loop && modprobe brmr_server")
	n.MustSh(t, "rmrctl pool create full --device "+disk(0)+" --addr 192.0.2.1")
	for i := 1; i < 8; i++ {
		n.MustSh(t, fmt.Sprintf("rmrctl pool join full --device %s --peer 192.0.2.1 --addr 192.0.2.%d --transport loop", disk(i), i+1))
	}
	runRefusals(t, c, []refusal{
		{
			name: "eight members", node: "stor0", command: fmt.Sprintf("rmrctl disk replace full --leg 3 --device %s --addr 192.0.2.4", disk(8)),
			code: exitRefused, words: []string{"8 members", "no place"},
		},
		{
			name: "a ninth member", node: "stor0", command: fmt.Sprintf("rmrctl pool join full --device %s --peer 192.0.2.1 --addr 192.0.2.9 --transport loop", disk(8)),
			code: exitError, words: []string{"8 members"},
		},
	})
}
