// SPDX-License-Identifier: Apache-2.0

// This file owns one run: its configuration drawn from the seed, the application, the faults, the healing
// and the verdict.

package sim

import (
	"io"
	"math/rand/v2"

	"github.com/rmr-block/rmr/pkg/pool"
)

// Config describes a run. All of it follows from the seed, see Draw.
type Config struct {
	Seed       uint64
	Mutant     Rule
	Members    int // data members, 2 to 8
	Witness    bool
	Quorum     bool
	Threads    int // of an application
	Ops        int // of all applications
	Hot        int // blocks in use
	Slow       float64
	Duplicate  float64
	WriteFault float64
	ReadFault  float64
	FlushFault float64
	Faults     int  // crashes, cuts and the like
	Unattended bool // no client is left at the end: the storage nodes must recover by themselves
	PowerLoss  bool
	Change     bool // operators add, replace and remove members and their stores
	Spare      int  // nodes without a store at first
	Force      bool // an operator forces an attach, and settles the split brain afterwards
	Split      bool // directed: clients cut off with one member, outages, crashes too short to notice, slow messages
}

// Directed is the first of the seeds whose faults aim at races that random ones rarely meet: two clients
// alive on two sides of a cut, messages much later than the views after them.
const Directed = uint64(1) << 40

// Draw makes the configuration of a seed.
func Draw(seed uint64, mutant Rule) Config {
	r := rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15))
	sizes := []int{2, 2, 2, 2, 3, 3, 3, 4, 5, 6, 7, 8}
	rate := func(p float64) float64 {
		if r.IntN(2) == 0 {
			return 0
		}
		return p * r.Float64()
	}
	c := Config{
		Seed: seed, Mutant: mutant, Members: sizes[r.IntN(len(sizes))], Witness: r.IntN(2) == 0,
		Threads: 1 + r.IntN(4), Ops: 40 + r.IntN(160), Hot: 2 + r.IntN(6),
		Slow: rate(0.1), Duplicate: rate(0.1), WriteFault: rate(0.03), ReadFault: rate(0.05), FlushFault: rate(0.03),
		Faults: 1 + r.IntN(14), Unattended: r.IntN(3) == 0, PowerLoss: r.IntN(2) == 0,
	}
	if c.Members == pool.MaxMembers {
		c.Witness = false
	}
	voters := c.Members
	if c.Witness {
		voters++
	}
	c.Quorum = voters >= 3 && r.IntN(2) == 0
	if seed >= Changing {
		c.drawChanges(r)
	} else if seed >= Forced {
		c.Force, c.Unattended, c.Faults, c.Ops = true, false, 1+r.IntN(6), 100+r.IntN(200)
	} else if seed >= Directed {
		c.Split, c.Slow, c.Faults, c.Ops = true, 0.3*r.Float64(), 4+r.IntN(10), 150+r.IntN(200)
		c.Quorum = voters >= 3 && r.IntN(4) > 0
		c.WriteFault, c.PowerLoss = 0.06*r.Float64(), true
	}
	return c
}

const (
	healTime   = 60 * Second // I9: from the last fault to rest
	firstApp   = 10          // node index of the first client
	maxClients = 8
)

// Run runs one seed and returns what it did and the violation, if any. trace may be nil.
func Run(cfg Config, trace io.Writer) (Stats, *Violation) {
	w := newWorld(cfg, trace)
	w.newClient()
	if cfg.Force {
		w.after(w.between(50*Millisecond, 700*Millisecond), w.force)
	}
	if cfg.Change {
		w.scheduleChanges()
	}
	for range cfg.Faults {
		w.after(w.between(5*Millisecond, 1500*Millisecond), w.disturb)
	}
	w.run(1500*Millisecond, nil)
	w.heal()
	w.run(w.now+healTime, func() bool { return w.stats.Events%32 == 0 && w.opsLeft() == 0 && w.resting() == "" })
	if w.failure == nil {
		if why := w.resting(); why != "" {
			w.fail("I9", "not at rest %d s after the last fault: %s", healTime/Second, why)
		} else {
			w.checkRest()
		}
	}
	if w.failure == nil {
		w.checkHistory()
	}
	return w.stats, w.failure
}

func newWorld(cfg Config, trace io.Writer) *World {
	w := &World{cfg: cfg, rng: rand.New(rand.NewPCG(cfg.Seed, 1)), trace: trace}
	w.voters.Quorum = cfg.Quorum
	sb := pool.Superblock{Name: "sim", PoolSize: poolSize, ChunkSize: chunkSize, StoreSize: storeSize, TableVersion: 1, Flags: pool.FlagZeroed}
	sb.Pool[0], w.lineage[0] = 1, 2
	if cfg.Quorum {
		sb.Flags |= pool.FlagQuorum
	}
	for id := range cfg.Members {
		w.voters.Data = w.voters.Data.With(id)
		sb.Members[id] = pool.Member{State: pool.MemberData, Store: w.store(id), Node: "node"}
		w.members = append(w.members, newMember(w, id, false))
	}
	if cfg.Witness {
		id := cfg.Members
		w.voters.Witnesses = pool.MaskOf(id)
		sb.Members[id] = pool.Member{State: pool.MemberWitness, Store: w.store(id), Node: "witness"}
		w.members = append(w.members, newMember(w, id, true))
	}
	sb.View = pool.View{Number: 1, UpToDate: w.voters.Data, Lineage: w.lineage}
	sb.MapLen = pool.MapLen(numChunks)
	sb.MapOff = pool.MapOff(storeSize, sb.MapLen)
	for _, m := range w.members {
		m.create(sb)
		m.start()
	}
	for range cfg.Spare {
		m := newMember(w, len(w.members), false)
		m.vacant = true
		w.members = append(w.members, m)
	}
	w.logf("config %+v", cfg)
	return w
}

func (w *World) store(id int) pool.UUID { return pool.UUID{byte(id) + 1, 0xaa} }

// newClient starts an application host that attaches, even if another client is connected.
func (w *World) newClient() *Client { return w.startClient(false) }

func (w *World) startClient(force bool) *Client {
	n := len(w.clients)
	c := &Client{Node: &Node{index: firstApp + n, up: true, boot: 1}, w: w, id: uint64(n + 1), name: string(rune('A' + n))}
	c.io.c, c.force = c, force
	w.clients = append(w.clients, c)
	c.start()
	for thread := range w.cfg.Threads {
		w.later(c.Node, w.between(0, 5*Millisecond), func() { w.nextOp(c, thread) })
	}
	return c
}

func (w *World) opsLeft() int {
	if w.calm && w.cfg.Unattended {
		return 0
	}
	return max(0, w.cfg.Ops-w.stats.Ops)
}

// nextOp lets an application thread submit its next request.
func (w *World) nextOp(c *Client, thread int) {
	if c.phase == dead || w.opsLeft() == 0 {
		return
	}
	// Hot blocks lie around the boundary of two chunks and in a third one.
	base := blocksPerChunk - w.cfg.Hot/2
	o := &op{first: base + w.rng.IntN(w.cfg.Hot), n: 1, thread: thread}
	if w.chance(0.2) {
		o.first += 2 * blocksPerChunk
	}
	if w.chance(0.3) {
		o.n = 2
	}
	p := w.rng.Float64()
	if w.cfg.Split && thread%2 == 0 {
		p = max(p, 0.55) // threads that only read and flush are not stopped by the first write without quorum
	}
	switch {
	case p < 0.45:
		o.kind, o.fua = pool.OpWrite, w.chance(0.1)
		w.values++
		o.value = w.values
	case p < 0.50:
		o.kind = pool.OpDiscard
	case p < 0.60:
		o.kind, o.first, o.n = pool.OpFlush, 0, 0
	default:
		o.kind = pool.OpRead
	}
	c.io.submit(o)
}

// disturb injects one fault.
func (w *World) disturb() {
	if w.calm || w.forking {
		return
	}
	w.stats.Faults++
	if w.cfg.Split {
		switch p := w.rng.Float64(); {
		case p < 0.35:
			w.split()
			return
		case p < 0.5:
			w.outage()
			return
		case p < 0.65: // back before anybody noticed
			w.crashMember(w.members[w.rng.IntN(len(w.members))], w.between(2*Millisecond, 30*Millisecond))
			return
		}
	}
	p := w.rng.IntN(100)
	switch {
	case p < 30:
		w.crashMember(w.members[w.rng.IntN(len(w.members))], w.between(5*Millisecond, 300*Millisecond))
	case p < 36:
		w.outage()
	case p < 60:
		w.partition()
	case p < 75:
		w.crashClient()
	case p < 85:
		if len(w.clients) < maxClients {
			w.newClient() // the old one may be alive and is superseded
		}
	default:
		w.cutOne()
	}
}

func (w *World) crashMember(m *Member, down Time) {
	if !m.up || m.vacant {
		return
	}
	m.crash(w.cfg.PowerLoss && w.chance(0.6))
	boot := m.boot
	w.after(down, func() {
		if !m.up && m.boot == boot && !m.vacant {
			m.start()
		}
	})
}

// outage takes everything down at about the same time; members come back in random order.
func (w *World) outage() {
	w.logf("outage")
	for _, m := range w.members {
		w.after(w.between(0, 2*Millisecond), func() { w.crashMember(m, w.between(5*Millisecond, 400*Millisecond)) })
	}
	if w.chance(0.5) {
		w.crashClient()
	}
}

func (w *World) crashClient() {
	c := w.clients[len(w.clients)-1]
	if c.up && c.phase != dead {
		w.logf("client %s crashes", c.name)
		c.up = false
		c.boot++
		c.phase = dead
		w.checkMaps()
	}
	w.after(w.between(10*Millisecond, 300*Millisecond), func() {
		if last := w.clients[len(w.clients)-1]; last.phase == dead && len(w.clients) < maxClients && !w.calm && !w.forking {
			w.newClient()
		}
	})
}

func (w *World) nodes() []int {
	var list []int
	for _, m := range w.members {
		list = append(list, m.index)
	}
	for n := range maxClients { // those that come later too
		list = append(list, firstApp+n)
	}
	return list
}

// partition cuts the nodes in two groups, in both directions, for a while.
func (w *World) partition() {
	nodes := w.nodes()
	var side [maxNodes]bool
	for _, n := range nodes {
		side[n] = w.chance(0.4)
	}
	w.logf("partition %v", side[:18])
	var pairs [][2]int
	for _, a := range nodes {
		for _, b := range nodes {
			if side[a] != side[b] {
				pairs = append(pairs, [2]int{a, b})
			}
		}
	}
	w.cutPairs(pairs)
}

// split parts the newest client and one member from all others; soon a new client comes up on the other side.
func (w *World) split() {
	client, member := w.clients[len(w.clients)-1].index, w.rng.IntN(len(w.members))
	inside := func(n int) bool { return n == client || n == member }
	var pairs [][2]int
	for _, a := range w.nodes() {
		for _, b := range w.nodes() {
			if inside(a) != inside(b) {
				pairs = append(pairs, [2]int{a, b})
			}
		}
	}
	w.logf("split: node %d and member %d alone", client, member)
	w.cutFor(pairs, w.between(100*Millisecond, 500*Millisecond))
	if len(w.clients) < maxClients && w.chance(0.7) {
		w.after(w.between(Millisecond, 40*Millisecond), func() {
			if !w.calm && len(w.clients) < maxClients {
				w.newClient()
			}
		})
	}
}

// cutOne cuts one direction between two nodes, or both.
func (w *World) cutOne() {
	nodes := w.nodes()
	a, b := nodes[w.rng.IntN(len(nodes))], nodes[w.rng.IntN(len(nodes))]
	pairs := [][2]int{{a, b}}
	if w.chance(0.5) {
		pairs = append(pairs, [2]int{b, a})
	}
	w.logf("cut %v", pairs)
	w.cutPairs(pairs)
}

func (w *World) cutPairs(pairs [][2]int) {
	w.cutFor(pairs, w.between(10*Millisecond, 400*Millisecond))
}

func (w *World) cutFor(pairs [][2]int, d Time) {
	for _, p := range pairs {
		w.cut[p[0]][p[1]] = true
	}
	w.after(d, func() {
		for _, p := range pairs {
			w.cut[p[0]][p[1]] = false
		}
	})
}

// heal ends all faults. Then either a client is there, or the storage nodes are on their own.
func (w *World) heal() {
	w.calm = true
	w.cut = [maxNodes][maxNodes]bool{}
	w.logf("all faults end")
	if w.cfg.Change {
		w.healStores()
	}
	for _, m := range w.members {
		if !m.up && !m.vacant {
			m.start()
		}
	}
	last := w.clients[len(w.clients)-1]
	switch {
	case w.cfg.Unattended:
		for _, c := range w.clients {
			c.up, c.phase = false, dead
			c.boot++
		}
	case last.phase == dead:
		last = w.startClient(w.cfg.Force)
	}
	if w.cfg.Force {
		w.endForce(last)
	}
}

// recover starts a recovery attachment if no client is there and the pool needs one.
func (m *Member) recover() {
	w := m.w
	if w.cfg.Change && (m.discarded() || m.retired || m.outcast) {
		return
	}
	needed := m.sb.View.UpToDate != m.wanted() || m.window.Len() > 0 || len(m.kept.list()) > 0 || m.restarted || m.fresh || !m.mapOK ||
		m.dirty.Any(m.self()) // intents held for a client that died before it released them
	if m.own != nil && m.own.phase == dead {
		m.own = nil
	}
	if m.own != nil && m.own.phase == live && !needed && w.chance(0.2) {
		m.own.stop("recovered")
	}
	if m.own != nil || !needed || m.w.now-m.heard < 15*tickTime || !w.chance(0.05) {
		return
	}
	m.own = &Client{Node: &m.Node, w: w, id: uint64(recoveryID + m.id), name: "recovery-" + string(rune('0'+m.id)), polite: true}
	m.own.highest = m.sb.Promised
	m.own.io.c = m.own
	m.own.start()
}
