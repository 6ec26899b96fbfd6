// SPDX-License-Identifier: Apache-2.0

// Promise: a storage node that lost its power is back in its pools when it boots with nothing but
// rmr-storaged: no command, no script. The daemon itself may be killed under I/O: no I/O fails, no leg
// leaves. /healthz and /metrics tell the truth of it.
//
//	client0 --- brmr0 --+--- stor0  rmr-storaged
//	                    +--- stor1  rmr-storaged   <- it is killed, then the node's power fails

package scenario_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/rig"
)

const storagedConfig = "softroce: [vec0]\nrescan: 5s\nretry: {first: 500ms, max: 5s}\n"

// wellLimit: modules, a link and an assembly, on whatever host.
const wellLimit = healLimit

func TestStoraged(t *testing.T) {
	c := start(t, rig.Storage(2), rig.Client(1), rig.Disks(64*mib, 64*mib), rig.File("/etc/rmr/storaged.yaml", []byte(storagedConfig)))
	t.Run("killed under io", func(t *testing.T) {
		storagedKilled(t, makePool(t, c, pool{name: "daemon", legs: 2, disk: 0, size: 32 * mib}))
	})
	t.Run("node boots with the daemon only", func(t *testing.T) {
		bootedByStoraged(t, makePool(t, c, pool{name: "boot", legs: 2, disk: 1, size: 48 * mib}))
	})
}

// startStoraged runs the daemon as the node's service manager does and waits until it says it is well.
func startStoraged(t *testing.T, n *rig.Node) {
	t.Helper()
	background(t, n, "exec rmr-storaged")
	begin := time.Now()
	for last := ""; ; {
		if last = get(t, n, "/healthz"); strings.Contains(last, " 200 OK") {
			t.Logf("%s: well after %v", n.Name(), time.Since(begin).Round(time.Millisecond))
			return
		}
		if time.Since(begin) > wellLimit {
			t.Fatalf("%s: not well after %v: %s", n.Name(), wellLimit, last)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// get asks the daemon over HTTP; "" if nobody listens.
func get(t *testing.T, n *rig.Node, path string) string {
	t.Helper()
	return try(t, n, fmt.Sprintf(`exec 3<>/dev/tcp/127.0.0.1/9742 && printf 'GET %s HTTP/1.0\r\n\r\n' >&3 && timeout 20 cat <&3`, path)).Stdout
}

const killStoraged = "kill -9 $(pidof rmr-storaged) && while pidof rmr-storaged; do sleep 0.05; done"

func storagedKilled(t *testing.T, p *pool) {
	for i := range p.legs {
		startStoraged(t, p.c.Storage(i))
	}
	dev := p.attach(t)
	job := background(t, p.c.Client(0), "rm -f /tmp/enough; until test -e /tmp/enough; do "+slowly(dev, 5)+"; done")
	time.Sleep(2 * time.Second)
	for range 3 {
		for i := range p.legs {
			n := p.c.Storage(i)
			n.MustSh(t, killStoraged)
			time.Sleep(time.Second)
			startStoraged(t, n)
		}
	}
	require.True(t, job.running(), "the load failed while daemons were killed")
	p.c.Client(0).MustSh(t, "touch /tmp/enough")
	job.wait(t, 2*time.Minute)
	for _, l := range p.device(t).Legs {
		require.Equal(t, "up-to-date", l.State)
	}
	log := p.c.Client(0).MustSh(t, "dmesg")
	require.NotContains(t, log, "-> failed", "a leg left while only daemons were killed")
	metrics := get(t, p.c.Storage(1), "/metrics")
	require.Contains(t, metrics, "rmr_up 1\n")
	require.Regexp(t, `rmr_pool_state{member="1",pool="daemon",state="attached",store="[0-9a-f-]+"} 1\n`, metrics)
	require.Regexp(t, `rmr_pool_writes_total{member="1",pool="daemon",store="[0-9a-f-]+"} [1-9]`, metrics)
	overSocket(t, p)
	p.detachEqual(t)
	// A pool that is stopped by a command is not taken back from the operator.
	n := p.c.Storage(1)
	n.MustSh(t, "rmrctl pool stop daemon")
	time.Sleep(7 * time.Second) // more than a rescan
	require.Contains(t, get(t, n, "/healthz"), `"state":"stopped"`)
	require.Empty(t, ask[poolStatus](t, n, "rmrctl pool show"))
	n.MustSh(t, "rmr-storaged --once")
	require.Equal(t, "idle", p.member(t, 1).State)
}

// overSocket: the daemon runs commands for others, and compares by its schedule.
func overSocket(t *testing.T, p *pool) {
	n := p.c.Storage(0)
	require.Equal(t, n.MustSh(t, "rmrctl pool show daemon --fields name,member,state"), n.MustSh(t, "rmrctl --socket /run/rmr/storaged.sock pool show daemon --fields name,member,state"))
	refuses(t, n, "rmrctl --socket /run/rmr/storaged.sock pool stop daemon", exitRefused, "in use by client client0")
	require.Zero(t, p.verified(t, 0).Verified)
	n.MustSh(t, killStoraged)
	n.MustSh(t, "mkdir -p /etc/rmr && echo 'verify: {every: 1h, rate: 100M}' >> /etc/rmr/storaged.yaml && rmr-storaged check-config")
	startStoraged(t, n)
	eventually(t, func() bool { return p.verified(t, 0).Verified != 0 }, verifyLimit, 200*time.Millisecond, "never compared")
	require.Regexp(t, `rmr_verify_age_seconds{member="0",pool="daemon",store="[0-9a-f-]+"} \d+\n`, get(t, n, "/metrics"))
}

func bootedByStoraged(t *testing.T, p *pool) {
	dev, client, lost := p.attach(t), p.c.Client(0), p.c.Storage(1)
	job := background(t, client, slowly(dev, 30))
	time.Sleep(2 * time.Second)
	require.NoError(t, lost.Kill())
	p.waitLeg(t, 1, "failed", ejectLimit)
	require.NoError(t, lost.Restart(t.Context()))
	begin := time.Now()
	startStoraged(t, lost)
	require.Contains(t, get(t, lost, "/healthz"), `"name":"vec0","state":"active"`)
	p.waitLeg(t, 1, "up-to-date", healLimit)
	t.Logf("up to date %v after the daemon was started", time.Since(begin).Round(time.Millisecond))
	job.wait(t, 2*time.Minute)
	p.detachEqual(t)
}

// TestStoragedMakesRoom: with "grow: auto" the daemon makes room on devices that got larger, while the pool is used; the
// pool keeps its size until a client resizes it.
func TestStoragedMakesRoom(t *testing.T) {
	c := start(t, rig.Storage(2), rig.Client(1), rig.Disks(96*mib), rig.File("/etc/rmr/storaged.yaml", []byte(storagedConfig+"grow: auto\n")))
	p := makeGrownPool(t, c, "roomy", 0, 48*mib, 52*mib)
	for i := range p.legs {
		startStoraged(t, c.Storage(i))
	}
	dev := p.attach(t)
	recording := p.record(t, c.Client(0), dev, 6)
	p.grow(t, 96*mib)
	for i := range p.legs {
		room := func() int64 {
			shown := ask[struct {
				Room int64 `json:"room"`
			}](t, c.Storage(i), "rmrctl pool show roomy")
			require.Len(t, shown, 1)
			return shown[0].Room
		}
		begin := time.Now()
		eventually(t, func() bool { return room() >= 90*mib }, wellLimit, 200*time.Millisecond, "member %d has no room", i)
		t.Logf("member %d has room after %v", i, time.Since(begin).Round(time.Millisecond))
		require.Equal(t, p.size, p.member(t, i).Size, "member %d", i)
	}
	recording.wait(t, time.Minute)
	old := p.size
	c.Client(0).MustSh(t, p.resizeCommand(90*mib))
	p.size = 90 * mib
	p.requireZeros(t, dev, old)
	p.detach(t)
	p.requireEqualLegs(t)
	p.judge(t)
}
