// SPDX-License-Identifier: Apache-2.0

// Promise: whoever dies at whatever moment while a member is added, removed or gets another disk, or while the pool
// gets larger, the pool goes on or comes back without anything lost, and the change ends: by itself if it was noted,
// else by saying it again.
//
//	client0 --- brmr0 --+--- stor0
//	                    +--- stor1    <- one of all four dies at a random moment
//	                    +--- stor2

package scenario_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/rig"
)

// crashes is how many random moments a loop takes: RMR_CRASHES, so that a long run can be had in parts.
func crashes(t *testing.T, plain, full int) int {
	t.Helper()
	if text := os.Getenv("RMR_CRASHES"); text != "" {
		n, err := strconv.Atoi(text)
		require.NoError(t, err, "RMR_CRASHES")
		require.Positive(t, n, "RMR_CRASHES")
		return n
	}
	if everyCase() {
		return full
	}
	return plain
}

// TestMembersKilled is a loop over random moments: 6 in a plain run, 204 in the full one, RMR_CRASHES of them if that is
// set. Every pool serves for some rounds, so that the oracles have short histories.
func TestMembersKilled(t *testing.T) {
	const perPool = 6
	c := start(t, rig.Storage(3), rig.Client(1), rig.Disks(48*mib, 48*mib))
	rounds := (crashes(t, perPool, 204) + perPool - 1) / perPool * perPool
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	var k *killed
	for round := range rounds {
		if round%perPool == 0 {
			k = newKilled(t, c, fmt.Sprintf("killed%d", round/perPool), random)
		}
		ok := t.Run(fmt.Sprintf("round %d", round), func(t *testing.T) { k.round(t) })
		if !ok {
			return
		}
		if round%perPool == perPool-1 {
			k.end(t)
		}
	}
}

// killed is a pool whose members change; at says which store each member has.
type killed struct {
	*pool
	random *rand.Rand
	dev    string
	at     map[int]place
	change int
}

func newKilled(t *testing.T, c *rig.Cluster, name string, random *rand.Rand) *killed {
	t.Helper()
	p := makePool(t, c, pool{name: name, legs: 2, disk: 0, size: 40 * mib})
	k := &killed{pool: p, random: random, at: map[int]place{0: {0, 0}, 1: {1, 0}}}
	k.dev = p.attach(t)
	allUpToDate(t, p)
	c.Client(0).MustSh(t, fmt.Sprintf("dd if=/dev/urandom of=%s bs=1M count=16 oflag=direct status=none", k.dev))
	return k
}

// pick is one of the members, but no other than asked for if there are several.
func (k *killed) pick(not ...int) int {
	var ids []int
	for id := range k.at {
		if !slices.Contains(not, id) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids[k.random.IntN(len(ids))]
}

// free is a disk that no member has, on a node that has no member, or on that of a member.
func (k *killed) free(beside int) place {
	used := map[place]bool{}
	nodes := map[int]bool{}
	for _, p := range k.at {
		used[p], nodes[p.node] = true, true
	}
	for node := range 3 {
		for disk := range 2 {
			at := place{node, disk}
			if !used[at] && (beside >= 0 && node == k.at[beside].node || beside < 0 && !nodes[node]) {
				return at
			}
		}
	}
	panic("no free disk")
}

// act is one change: the command, where it is said, whether it has been carried out, and what is so afterwards.
type act struct {
	name    string
	node    *rig.Node
	command string
	gone    int   // member that has to go, or -1
	fresh   place // of the store that has to come
	adds    bool
	size    int64 // that the pool has to have, 0: as it was
}

func (k *killed) next() act {
	k.change++
	c, peer := k.c, func(not int) string {
		for id := range 8 {
			if at, there := k.at[id]; there && id != not {
				return k.c.Storage(at.node).Address()
			}
		}
		panic("alone")
	}
	switch {
	case k.change%4 == 0:
		return k.larger()
	case len(k.at) == 2 && k.change%2 == 1:
		at := k.free(-1)
		n := c.Storage(at.node)
		return act{"add", n, fmt.Sprintf("rmrctl pool join %s --device %s --peer %s --force", k.name, n.DiskDevice(at.disk), peer(-1)), -1, at, true, 0}
	case len(k.at) == 3 && k.change%3 == 0:
		id := k.pick()
		n := c.Storage(k.at[k.pick(id)].node)
		return act{"remove", n, fmt.Sprintf("rmrctl leg remove %s %d", k.name, id), id, place{}, false, 0}
	default:
		id := k.pick()
		at := k.free(id)
		n := c.Storage(at.node)
		return act{"replace", n, fmt.Sprintf("rmrctl disk replace %s --leg %d --device %s --force", k.name, id, n.DiskDevice(at.disk)), id, at, true, 0}
	}
}

// larger is a growth of the pool by a mebibyte, on stores that have the room. What is interrupted is, by chance, the
// command that makes room on a node or that of the client.
func (k *killed) larger() act {
	size := k.size + mib
	client := act{"resize", k.c.Client(0), fmt.Sprintf("brmr resize %s --size %d", k.name, size), -1, place{}, false, size}
	id := k.pick()
	if k.random.IntN(2) == 0 {
		return act{"grow", k.c.Storage(k.at[id].node), k.room(id), -1, place{}, false, size}
	}
	return client
}

// room is the command that makes room on the store of a member.
func (k *killed) room(id int) string { return fmt.Sprintf("rmrctl disk grow %s --leg %d", k.name, id) }

// makeRoom has the stores of all members grow; one that is away is told again later.
func (k *killed) makeRoom(t *testing.T) {
	t.Helper()
	for id, at := range k.at {
		try(t, k.c.Storage(at.node), k.room(id))
	}
}

func (k *killed) round(t *testing.T) {
	a := k.next()
	victims := append(slices.Clone(k.c.Nodes()), a.node)
	victim := victims[k.random.IntN(len(victims))]
	delay := time.Duration(k.random.IntN(2500)) * time.Millisecond
	if k.random.IntN(3) == 0 {
		delay /= 10
	}
	t.Logf("%s: %s on %s, %s dies after %v; members %v", a.name, a.command, a.node.Name(), victim.Name(), delay, k.at)
	told := consoles(t, k.c)
	recording := k.record(t, k.c.Client(0), k.dev, 8)
	if a.name == "resize" {
		k.makeRoom(t)
	}
	said := background(t, a.node, a.command)
	time.Sleep(delay)
	died := time.Now()
	require.NoError(t, victim.Kill())
	time.Sleep(time.Duration(k.random.IntN(2000)) * time.Millisecond)
	if victim == a.node {
		said.end(t, time.Minute)
	}
	k.heal(t, victim)
	said.end(t, 2*time.Minute)
	t.Logf("said: %v", said.err)
	k.until(t, a)
	recording.end(t, time.Minute)
	if victim == k.c.Client(0) {
		return // the recorder died with it
	}
	require.NoError(t, recording.err)
	k.onePause(t, died, told)
}

// heal boots the victim again; a storage node serves every store that it finds.
func (k *killed) heal(t *testing.T, victim *rig.Node) {
	t.Helper()
	require.NoError(t, victim.Restart(t.Context()))
	bringUp(t, victim)
	if victim == k.c.Client(0) {
		k.opts = "--takeover"
		j := background(t, victim, fmt.Sprintf("until brmr map %s --node %s --takeover; do sleep 0.5; done", k.name, k.anyAddress()))
		j.wait(t, 2*time.Minute)
		k.dev = strings.TrimSpace(victim.MustSh(t, "ls /dev/brmr[0-9]* | head -1"))
		return
	}
	for disk := range 2 {
		try(t, victim, "rmrctl pool assemble "+victim.DiskDevice(disk))
	}
}

// anyAddress is a list of all members' addresses.
func (k *killed) anyAddress() string {
	var list []string
	for _, at := range k.at {
		list = append(list, k.c.Storage(at.node).Address())
	}
	return strings.Join(list, ",")
}

// shown is what the client shows of the legs.
func (k *killed) shown(t *testing.T) (legs []shownLeg) {
	t.Helper()
	list := ask[struct {
		Legs []shownLeg `json:"legs"`
	}](t, k.c.Client(0), "brmr show "+k.name)
	require.Len(t, list, 1)
	return list[0].Legs
}

type shownLeg struct {
	ID      int    `json:"member_id"`
	State   string `json:"state"`
	Reason  string `json:"reason"`
	Leaving bool   `json:"leaving"`
	Store   string `json:"store_uuid"`
}

// until waits for the end of a change, and says it again if nobody noted it.
func (k *killed) until(t *testing.T, a act) {
	t.Helper()
	begin, again := time.Now(), time.Now()
	for {
		legs := k.shown(t)
		done, left := k.ended(t, a, legs)
		if done {
			break
		}
		if time.Since(begin) > 2*healLimit {
			t.Fatalf("%s has not ended: %+v", a.name, legs)
		}
		if time.Since(again) > 8*time.Second && !left {
			again = time.Now()
			r := try(t, a.node, a.command)
			t.Logf("said again: %d %s", r.Code, strings.TrimSpace(r.Stderr))
		}
		if a.size != 0 {
			k.makeRoom(t)
			try(t, k.c.Client(0), fmt.Sprintf("brmr resize %s --size %d", k.name, a.size))
		}
		for _, l := range legs {
			try(t, k.c.Client(0), fmt.Sprintf("rmrctl leg return %s %d", k.name, l.ID)) // it may be gone by now
		}
		time.Sleep(300 * time.Millisecond)
	}
	delete(k.at, a.gone)
	for _, l := range k.shown(t) {
		if _, known := k.at[l.ID]; !known {
			k.at[l.ID] = a.fresh
		}
	}
	k.size = max(k.size, a.size)
	t.Logf("ended after %v: %v", time.Since(begin).Round(time.Millisecond), k.at)
	k.sweep(t, true)
}

// sweep ends what nodes serve of the pool that is no member: stores that were dead when they were removed; or all.
func (k *killed) sweep(t *testing.T, stale bool) {
	t.Helper()
	for node := range 3 {
		n := k.c.Storage(node)
		served := ask[struct {
			Name   string `json:"name"`
			ID     int    `json:"member_id"`
			Device string `json:"device"`
		}](t, n, "rmrctl pool show")
		for _, s := range served {
			at, member := k.at[s.ID]
			if stale && member && at.node == node && n.DiskDevice(at.disk) == s.Device {
				continue
			}
			t.Logf("%s still served member %d on %s", n.Name(), s.ID, s.Device)
			n.MustSh(t, fmt.Sprintf("rmrctl pool delete %s --force --leg %d", s.Name, s.ID))
		}
	}
}

// ended tells whether everybody who is to be there is up to date, and whether the change was noted at all.
func (k *killed) ended(t *testing.T, a act, legs []shownLeg) (done, noted bool) {
	t.Helper()
	want := len(k.at)
	if a.adds {
		want++
	}
	if a.gone >= 0 {
		want--
	}
	up, fresh, gone := 0, false, true
	for _, l := range legs {
		if l.State == "up-to-date" && !l.Leaving {
			up++
		}
		if _, known := k.at[l.ID]; !known {
			fresh = true
		}
		if l.ID == a.gone {
			gone = false
			noted = noted || l.Leaving
		}
	}
	done = len(legs) == want && up == want && gone && fresh == a.adds
	if a.size != 0 {
		got := strings.TrimSpace(k.c.Client(0).MustSh(t, "blockdev --getsize64 "+k.dev))
		return done && got == fmt.Sprint(a.size), true
	}
	return done, noted || fresh
}

func (k *killed) end(t *testing.T) {
	t.Helper()
	var places []place
	for id := range 8 {
		if at, there := k.at[id]; there {
			places = append(places, at)
		}
	}
	k.nowOn(places...)
	k.finished(t)
	k.sweep(t, false)
	for node := range 3 {
		n := k.c.Storage(node)
		for disk := range 2 {
			n.MustSh(t, "blkdiscard -z "+n.DiskDevice(disk))
		}
	}
}
