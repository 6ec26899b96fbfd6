// SPDX-License-Identifier: Apache-2.0

// This file owns the operator's part in a run: a forced attach without members that are gone, their return with
// the old history, and its end (R2.15, R2.16). What is read afterwards has to follow from what the forced side
// had: blocks of the other side never come back.

package sim

import "github.com/rmr-block/rmr/pkg/pool"

// Forced is the first of the seeds in which an operator forces an attach.
const Forced = uint64(1) << 41

// force ends every client and takes some members away; then a client attaches by force. No other fault and no
// other client comes in between, as two clients with two histories would both be right.
func (w *World) force() {
	if w.calm || w.forking {
		return
	}
	w.forking = true
	w.stats.Faults++
	w.cut = [maxNodes][maxNodes]bool{}
	for _, c := range w.clients {
		c.up, c.phase = false, dead
		c.boot++
	}
	stay := w.rng.IntN(w.cfg.Members)
	for _, m := range w.members {
		if m.id != stay && (m.witness || w.chance(0.7)) {
			w.gone = w.gone.With(m.id)
			if m.up {
				m.crash(w.cfg.PowerLoss && w.chance(0.6))
			} else {
				m.boot++ // whoever was to start it again does not
			}
		}
	}
	w.logf("operator: members %v are gone", w.gone)
	w.after(w.between(50*Millisecond, 150*Millisecond), func() { w.startClient(true) })
}

// afterForce lets the members that were gone return when the forced client is live, and gives their history up if
// it is another one by now.
func (w *World) afterForce() {
	for id := range w.gone.All() {
		w.after(w.between(5*Millisecond, 100*Millisecond), func() {
			if m := w.members[id]; !m.up {
				m.start()
			}
		})
	}
	w.gone = 0
	w.after(w.between(150*Millisecond, 400*Millisecond), func() {
		w.discardOthers()
		w.forking = false
	})
}

// discardOthers gives up every history but that of the pool.
func (w *World) discardOthers() {
	for _, m := range w.members {
		if m.up && m.sb.View.Lineage != w.lineage {
			m.discard()
		}
	}
}

// discard is what an operator does to a member of the side that goes.
func (m *Member) discard() {
	m.w.logf("operator: member %d discards its history %v", m.id, m.sb.View)
	m.sb.Flags |= pool.FlagDiscarded
	m.handle, m.fresh, m.mapOK = 0, true, false
	m.plan.Reset()
	m.syncSB(func() {})
}

func (m *Member) discarded() bool { return m.sb.Flags&pool.FlagDiscarded != 0 }

// mayBeTold tells whether the member takes a view of that lineage over.
func (m *Member) mayBeTold(v pool.View) bool {
	return !m.w.on(RLineage) || m.sb.View.LineageTold(v, m.id, m.forced, m.discarded())
}

// forkHistory begins the history anew with what the forced side has; its caches were flushed before it went live.
func (w *World) forkHistory(c *Client, view pool.View) {
	w.lineage, w.established, c.holders = view.Lineage, view, 0
	old := w.hist.perBlock()
	for i := range w.hist.records { // their places stay: requests of this client wait in theirs
		if r := &w.hist.records[i]; r.client/16 != int(c.id) || r.ret != 0 {
			*r = record{kind: pool.OpRead, call: r.call, ret: r.call}
		}
	}
	source := w.members[view.UpToDate.Lowest()]
	for b := range numBlocks {
		if v := source.disk.get(b); v != 0 && len(old[b]) > 0 {
			w.hist.records = append(w.hist.records, record{
				client: -1, kind: pool.OpWrite, fua: true, first: b, n: 1, value: v, call: w.hist.tick(), ret: w.hist.tick(),
			})
		}
	}
	w.logf("operator: the history goes on from member %d", source.id)
}

// voters are those of the pool; a client that was forced asks for no majority.
func (c *Client) voters() pool.Voters {
	v := c.w.voters
	if c.w.cfg.Change {
		v = pool.TableVoters(&c.tab.table.Slots, v.Quorum)
	}
	v.Quorum = v.Quorum && !c.forced
	return v
}

// stranger tells whether a member has another history than the pool that this client serves.
func (c *Client) stranger(p pool.Promise) bool {
	return c.w.on(RLineage) && !p.Discarded && p.View.Lineage != c.vm.Established().Lineage
}

// everything is what is uncertain about a member whose history was given up.
func everything() []uint64 {
	list := make([]uint64, numChunks)
	for i := range list {
		list[i] = uint64(i)
	}
	return list
}

// tell notes who is about to hold the forced lineage; when they are enough, a majority is asked for again.
func (c *Client) tell(id int) {
	if c.vm.Tell(id); !c.forced {
		return
	}
	c.holders |= c.vm.Holders()
	if c.w.voters.Quorum && c.vm.Voters().Quorum {
		c.log("asks for a majority again")
		c.forced = false
	}
}

// endForce ends what the operator left unfinished, by force again if it must be.
func (w *World) endForce(last *Client) {
	for _, c := range w.clients {
		if c != last {
			c.up, c.phase = false, dead
			c.boot++
		}
	}
	for _, m := range w.members { // an attempt that never was live may have left a history of its own
		if !m.witness && m.sb.View.Lineage == w.lineage && !m.discarded() {
			w.discardOthers()
			break
		}
	}
	w.forking, last.force = true, true
	if last.phase == live {
		w.afterForce()
	}
	w.after(2*Second, func() { // a storage node's recovery may have ended the client before the others joined
		if last.phase == dead && len(w.clients) < maxClients+2 {
			w.endForce(w.startClient(true))
		}
	})
}
