// SPDX-License-Identifier: Apache-2.0

// Promise: a leg of three fails, I/O goes on; it returns and copies from the others what it missed and no
// more, 4 KiB blocks where a survivor kept its memory, and is up to date again without an operator. On the
// host, the data areas of all legs are then equal bytes.
//
//	client0 --- brmr0 --+--- stor0
//	                    +--- stor1   <- its cable is cut, its power fails
//	                    +--- stor2

package scenario_test

import (
	"fmt"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/rig"
)

// intentLimit: two passes of 5 s, the client's word that the writes are complete, and a loaded machine.
const intentLimit = 30 * time.Second

func TestReturnOfALeg(t *testing.T) {
	c := start(t, rig.Storage(3), rig.Client(1), rig.Disks(128*mib, 128*mib))
	t.Run("cut link", func(t *testing.T) {
		p := makePool(t, c, pool{name: "cut", legs: 3, disk: 0, size: 96 * mib, area: 84 * mib})
		missedOnly(t, p, func(n *rig.Node) func() {
			require.NoError(t, n.Link().Cut())
			return func() { require.NoError(t, n.Link().Heal(t.Context())) }
		})
	})
	t.Run("killed storage node", func(t *testing.T) {
		p := makePool(t, c, pool{name: "killed", legs: 3, disk: 1, size: 96 * mib, area: 84 * mib})
		missedOnly(t, p, func(n *rig.Node) func() {
			require.NoError(t, n.Kill())
			return func() {
				require.NoError(t, n.Restart(t.Context()))
				bringUp(t, n)
				n.MustSh(t, "rmrctl pool assemble "+n.DiskDevice(p.disk))
			}
		})
	})
}

// missedOnly: leg 1 misses one block in each of 40 chunks, then comes back under a write load elsewhere.
func missedOnly(t *testing.T, p *pool, fail func(n *rig.Node) (heal func())) {
	const chunks = 40
	dev, client := p.attach(t), p.c.Client(0)
	client.MustSh(t, fmt.Sprintf("dd if=/dev/urandom of=%s bs=1M count=60 oflag=direct status=none && sync", dev))
	// A member that restarts is uncertain about every chunk with an intent; these go when it is idle.
	eventually(t, func() bool { return p.member(t, 1).Intents == 0 }, intentLimit, 200*time.Millisecond, "intents stay")
	heal := fail(p.c.Storage(1))
	// The first write finds out; the chunk that it lies in is marked as a whole.
	client.MustSh(t, fmt.Sprintf("dd if=/dev/urandom of=%s bs=4k count=1 oflag=direct status=none", dev))
	p.waitLeg(t, 1, "failed", ejectLimit)
	client.MustSh(t, fmt.Sprintf("for i in $(seq 1 %d); do dd if=/dev/urandom of=%s bs=4k count=1 seek=$((i*256+i)) oflag=direct status=none; done",
		chunks-1, dev))
	p.requirePrecise(t, 1, chunks)
	recording := p.record(t, client, dev, 10)
	load := background(t, client, fio(dev, verified, "--rw=randwrite --bs=4k --iodepth=8 --offset=64m --size=16m --rate=1m"))
	begin := time.Now()
	heal()
	p.waitLeg(t, 1, "up-to-date", healLimit)
	t.Logf("up to date %v after healing", time.Since(begin).Round(time.Millisecond))
	load.wait(t, 3*time.Minute)
	recording.wait(t, time.Minute)
	done, bytes := p.resynced(t, 1)
	t.Logf("copied %d chunks, %d bytes", done, bytes)
	require.GreaterOrEqual(t, done, int64(chunks))
	// What the load and the recorder wrote meanwhile is missed as well: at most their 16 and 8 chunks.
	require.LessOrEqual(t, done, int64(chunks+16+8+2))
	require.LessOrEqual(t, bytes, (2+16+8)*mib+chunks*4096, "more was copied than was missed")
	p.detachEqual(t)
	p.judge(t)
}

// requirePrecise: with a leg away and nobody writing, the others have marked for it what it missed, and no more
// than the chunks where that lies.
func (p *pool) requirePrecise(t *testing.T, lost int, chunks uint64) {
	t.Helper()
	for _, pair := range p.audit(t).Pairs {
		if pair.Other != lost {
			continue
		}
		ratio, ok := pair.Precision()
		require.True(t, ok, "leg %d missed nothing", lost)
		t.Logf("member %d: %d bytes differ from member %d, %d are marked: %.1f for each", pair.UpToDate, pair.Different, lost, pair.Dirty, ratio)
		require.LessOrEqual(t, pair.Dirty, chunks*uint64(mib))
	}
}

// A resync ends in done, or straight in none if the leg counts as up to date before its state is told.
var resyncDone = regexp.MustCompile(`resync copying -> (?:done|none) reason \d+ chunks (\d+) of \d+ bytes (\d+)`)

// resynced is what the kernel log of a member says about its largest resync: on a slow host a leg may leave and
// come back once more, and then lacks less.
func (p *pool) resynced(t *testing.T, i int) (chunks, bytes int64) {
	t.Helper()
	return p.resyncedOn(t, i, i)
}

func (p *pool) resyncedOn(t *testing.T, node, i int) (chunks, bytes int64) {
	t.Helper()
	log := p.c.Storage(node).MustSh(t, fmt.Sprintf("dmesg | grep 'rmr %s/%d: '", p.name, i))
	all := resyncDone.FindAllStringSubmatch(log, -1)
	require.NotEmpty(t, all, log)
	for _, m := range all {
		c, err := strconv.ParseInt(m[1], 10, 64)
		require.NoError(t, err)
		b, err := strconv.ParseInt(m[2], 10, 64)
		require.NoError(t, err)
		if c > chunks {
			chunks, bytes = c, b
		}
	}
	return chunks, bytes
}
