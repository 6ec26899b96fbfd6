// SPDX-License-Identifier: Apache-2.0

// This file owns a simulated client's attachment: attach and reconcile, its legs, views, keepalives, return
// and promotion of legs. Its I/O is in clientio.go. A storage node's recovery attachment is the same client
// without I/O.

package sim

import (
	"errors"

	"github.com/rmr-block/rmr/pkg/pool"
)

// leg is the client's view of one member.
type leg struct {
	state     pool.LegState
	handle    int
	alive     Time // when the last answered keepalive was sent
	uncertain []uint64
	markedOn  pool.Mask
	marking   pool.Mask
	joinSeq   uint64 // first write that the leg got after its join
	readySent bool
	preparing bool
	told      uint64 // view number sent and not failed yet
	strange   bool   // it promised to a forced attach and keeps its history until everything is marked for it
	asking    bool
	blank     bool // its history counts for nothing
}

type phase int

const (
	idle phase = iota
	attaching
	live
	dead // crashed, superseded or done
)

// Client is one attachment of an application host, or of a storage node that recovers the pool.
type Client struct {
	*Node
	w        *World
	id       uint64
	name     string
	polite   bool // recovery attachment: yields to any real client
	force    bool // an operator lets it go on without members that are missing (R2.15)
	forced   bool // it did, and no majority is asked for since
	holders  pool.Mask
	forks    byte // lineages it began
	phase    phase
	epoch    pool.Epoch
	highest  pool.Epoch
	before   pool.Epoch // of this client's last attachment that went live
	legs     []leg
	vm       *pool.ViewMaker
	round    int // of attach, so that answers to an older one are dropped
	promises []pool.Promise
	said     map[int]saysReply // with the promises
	tab      clientTable
	ejects   int // as wished
	asked    int
	answered int
	io       clientIO
}

func (c *Client) log(format string, args ...any) {
	if c.w.trace != nil {
		c.w.logf("client "+c.name+" "+format, args...)
	}
}

// start begins an attach. Epoch and everything of an older attempt are dropped.
func (c *Client) start() {
	if c.phase == dead {
		return
	}
	c.phase = attaching
	c.round++
	c.vm = nil
	c.legs = make([]leg, len(c.w.members))
	c.promises, c.asked, c.answered = nil, 0, 0
	c.said = map[int]saysReply{}
	c.io.reset()
	c.epoch = pool.NextEpoch(c.highest, c.id)
	if !c.w.on(FEpoch) {
		c.epoch.Client = 0
	}
	c.highest = c.epoch
	c.log("attaches with epoch %v", c.epoch)
	for _, m := range c.w.members {
		if m.vacant {
			continue
		}
		c.asked++
		c.promise(m)
	}
}

// again starts over after a while.
func (c *Client) again(why string) {
	if c.phase == dead {
		return
	}
	c.log("starts over: %s", why)
	c.phase = attaching
	c.round++
	c.vm = nil
	round := c.round
	c.w.later(c.Node, c.w.between(10*Millisecond, 80*Millisecond), func() {
		if c.round == round {
			c.start()
		}
	})
}

func (c *Client) promise(m *Member) {
	round, epoch := c.round, c.epoch
	c.w.call(c.Node, &m.Node, func(reply func(any)) { m.attach(epoch, c, reply) }, func(v any, ok bool) {
		if c.round != round || c.phase != attaching {
			return
		}
		c.answered++
		if r, _ := v.(promiseReply); ok {
			if r.promised.Compare(c.highest) > 0 {
				c.highest = r.promised
			}
			if r.busy {
				c.stop("another client holds the pool")
				return
			}
			if r.ok {
				c.legs[m.id].handle = r.handle
				c.event(m.id, pool.LegConnected)
				c.promises = append(c.promises, r.promise)
				c.said[m.id] = r.says
				c.legs[m.id].blank = r.promise.Discarded
				if r.promise.Discarded && c.w.on(RDiscard) && c.w.on(RBlank) {
					c.legs[m.id].uncertain = everything()
				}
			}
		}
		if c.answered == c.asked {
			c.decide()
		}
	})
}

func (c *Client) stop(why string) {
	if c.phase != dead {
		c.log("ends: %s", why)
		c.phase = dead
		c.round++
		c.io.stop()
	}
}

// decide applies the rules of attach to the answers.
func (c *Client) decide() {
	if c.highest.Compare(c.epoch) > 0 && c.polite {
		c.stop("a newer client exists")
		return
	}
	c.mergePromises()
	if c.outcast() {
		c.stop("its node's store is no member any more")
		return
	}
	a, err := c.rules()
	if err != nil {
		if !errors.Is(err, pool.ErrMissingMembers) && !(c.w.cfg.Force && errors.Is(err, pool.ErrSplitBrain)) {
			c.w.fail("I9", "%v", err)
		}
		c.again(err.Error())
		return
	}
	if c.replaced(a.Highest) {
		c.stop("superseded")
		return
	}
	reborn, lost := true, false // a member cannot tell a crash that kept the disk's cache from one that lost it
	for id := range (a.Highest.UpToDate & a.Promised).All() {
		d := c.w.members[id].disk
		reborn, lost = reborn && d.reborn, lost || d.lost
	}
	lost = lost && reborn
	c.log("V=%v promised %v source %d uncertain %v wait %v", a.Highest, a.Promised, a.Source, a.Uncertain, a.MustWait)
	wait := Time(0)
	if a.MustWait && c.w.on(FLease) {
		wait = leaseT + 2*Millisecond
	}
	round := c.round
	c.w.later(c.Node, wait, func() {
		if c.round == round {
			c.establish(a, lost)
		}
	})
}

// establish makes the attach's own views count, first the one with all of U (F_ATTACH), then the one that
// demotes (F_TWOVIEWS); then come the marks, a flush, and the device is live.
func (c *Client) establish(a pool.Attachment, lost bool) {
	if !c.w.on(FAttach) { // the mutant acts under V, of which the members need no persisting
		a.First.Number = a.Highest.Number
		c.golive(a, a.First, lost)
		return
	}
	first, live := a.First, a.Live()
	if !c.w.on(FTwoViews) {
		first = live
	}
	c.firstView(a, first, func() {
		if first == live {
			c.settle(a, live, lost)
			return
		}
		c.firstView(a, live, func() { c.settle(a, live, lost) })
	})
}

// firstView establishes one of the views of an attach; if an active member fails, the attach starts over.
func (c *Client) firstView(a pool.Attachment, v pool.View, next func()) {
	told := a.Promised
	if c.forced { // nobody takes the new lineage over before everything is marked for it
		told &= v.Active()
	}
	got, left := pool.Mask(0), told.Count()
	round, done := c.round, false
	for id := range told.All() {
		c.tellView(id, v, func(ok bool) {
			if c.round != round || done {
				return
			}
			left--
			if ok {
				got = got.With(id)
			} else if v.Active().Has(id) {
				done = true
				c.again("an active member failed before the device was live")
				return
			}
			if left > 0 {
				return
			}
			done = true
			if !c.voters().Established(v, got) && c.w.on(MNoMaj) {
				c.again("no majority for the first view")
				return
			}
			c.w.noteEstablished(v)
			next()
		})
	}
}

// settle persists the marks of reconcile everywhere and flushes, then goes live.
func (c *Client) settle(a pool.Attachment, live pool.View, lost bool) {
	round, left, failed := c.round, live.Active().Count(), false
	step := func(ok bool) {
		if c.round != round || failed {
			return
		}
		left--
		if !ok {
			failed = true
			c.again("marking or flushing failed")
		} else if left == 0 {
			c.golive(a, live, lost)
		}
	}
	for id := range live.Active().All() {
		flush := func() { c.sendPrepare(id, live.Number, step) }
		if len(a.Uncertain) == 0 || !c.w.on(MNoRec) {
			flush()
			continue
		}
		c.sendMark(id, live, a.Marked, pool.MaskOf(a.Source), a.Uncertain, func(ok bool) {
			if !ok {
				step(false)
				return
			}
			if c.round == round {
				flush()
			}
		})
	}
}

// request is a call to a member whose answer is a yes or no.
func (c *Client) request(id int, serve func(reply func(any)), done func(ok bool)) {
	c.w.call(c.Node, &c.w.members[id].Node, serve, func(v any, ok bool) {
		yes, _ := v.(bool)
		done(ok && yes)
	})
}

// ghost tells whether no up-to-date leg takes anything of this client any more: what goes live then
// is a ghost, and what it found lost is no loss of its own.
func (c *Client) ghost(view pool.View) bool {
	for id := range view.UpToDate.All() {
		if c.w.members[id].sb.Promised == c.epoch {
			return false
		}
	}
	return true
}

func (c *Client) golive(a pool.Attachment, view pool.View, lost bool) {
	if lost && !c.ghost(view) {
		c.w.hist.loss(c.w.now)
	}
	for id := range view.Active().All() {
		if view.UpToDate.Has(id) {
			c.w.members[id].settled(c.legs[id].handle)
		}
	}
	c.phase = live
	if c.forced && view.Lineage != c.w.lineage {
		c.w.forkHistory(c, view)
		c.forks++
	}
	if c.force && c.w.forking {
		c.force = false
		c.w.afterForce()
	}
	voters := c.voters()
	voters.Quorum = voters.Quorum && c.w.on(MNoMaj)
	c.vm = pool.NewViewMaker(voters, view)
	c.log("is live with %v", view)
	for _, p := range c.promises {
		if c.forced && c.w.on(RDiscard) && p.View.Lineage != view.Lineage && !view.Active().Has(p.Member) {
			c.legs[p.Member].uncertain, c.legs[p.Member].strange = everything(), true
		}
	}
	if c.forced {
		c.holders |= view.Active()
		c.vm.Regain(c.holders)
	}
	for id := range a.Promised.All() {
		l := &c.legs[id]
		l.alive = c.w.now - leaseT
		switch {
		case view.UpToDate.Has(id):
			c.event(id, pool.LegLiveUpToDate)
		case view.Syncing.Has(id):
			c.event(id, pool.LegLiveSyncing)
		default:
			continue
		}
		c.sendSettle(id, view.Number)
		c.becameActive(id)
	}
	c.io.golive(a.Highest.Epoch == c.before)
	c.before = c.epoch
	c.keepalives()
}

// event moves a leg along the table of states; the table must know whatever happens.
func (c *Client) event(id int, e pool.LegEvent) {
	next, err := c.legs[id].state.Next(e)
	if err != nil {
		c.w.fail("leg table", "client %s: leg %d: %v", c.name, id, err)
	}
	c.legs[id].state = next
}

// becameActive starts what a leg in Y waits for.
func (c *Client) becameActive(id int) {
	l := &c.legs[id]
	l.joinSeq, l.readySent, l.preparing = c.io.nextSeq, false, false
}

func (c *Client) sendView(id int, v pool.View, done func(ok bool)) {
	m, handle := c.w.members[id], c.legs[id].handle
	wire, err := pool.EncodeMessage(&pool.ViewSet{Header: pool.Header{Handle: uint32(handle)}, View: v})
	if err != nil {
		c.w.fail("I10", "client made a bad view: %v", err)
		return
	}
	c.request(id, func(reply func(any)) { m.setView(handle, wire, reply) }, done)
}

// pushView sends the proposed view to everybody who still has to persist it.
func (c *Client) pushView() {
	if c.phase != live || c.vm.Broken() {
		return
	}
	v := c.vm.Proposed()
	for id := range c.vm.Targets().All() {
		l := &c.legs[id]
		if l.handle == 0 || l.told == v.Number || l.strange && !v.Active().Has(id) || !c.knowsTable(id, c.pushView) {
			continue
		}
		l.told = v.Number
		c.tell(id)
		round, handle := c.round, l.handle
		c.sendView(id, v, func(ok bool) {
			if c.round != round || l.handle != handle {
				return
			}
			if !ok {
				l.told = 0
				if c.vm.Proposed().Number == v.Number && v.Active().Has(id) || c.vm.Established().Active().Has(id) {
					c.lose(id, "view not persisted")
				}
				return
			}
			if m := c.w.members[id]; m.witness { // it knows a view now
				l.blank = false
			}
			if c.vm.Persisted(id, v.Number) {
				c.viewEstablished()
			}
		})
	}
}

func (c *Client) viewEstablished() {
	v := c.vm.Established()
	c.log("established %v", v)
	c.w.noteEstablished(v)
	for id := range c.legs {
		l, m := &c.legs[id], c.w.members[id]
		switch {
		case v.UpToDate.Has(id):
			if l.state == pool.LegSyncing {
				m.settled(l.handle)
				c.event(id, pool.LegPromoted)
			}
		case v.Syncing.Has(id) && l.state == pool.LegJoining:
			l.blank = false
			c.event(id, pool.LegEstablished)
			c.sendSettle(id, v.Number)
			c.becameActive(id)
		}
		l.preparing = false
	}
	c.io.check()
}

// lose ends the session of a leg and, if it is active, ejects it.
func (c *Client) lose(id int, why string) {
	l := &c.legs[id]
	if c.phase != live || l.handle == 0 {
		return
	}
	c.log("loses leg %d: %s", id, why)
	c.event(id, pool.LegLost)
	c.legs[id] = leg{state: l.state}
	if c.vm.Proposed().Active().Has(id) || c.vm.Established().Active().Has(id) {
		c.changed(c.vm.Lose(pool.MaskOf(id), 0))
	}
	c.io.legLost(id)
}

func (c *Client) changed(bool) {
	// A join or promotion that was given up puts its leg back.
	for id := range c.legs {
		l := &c.legs[id]
		if l.state == pool.LegJoining && !c.vm.Proposed().Active().Has(id) {
			c.event(id, pool.LegGivenUp)
			l.markedOn = 0
		}
		l.preparing = false
	}
	if c.vm.Broken() {
		c.again("no up-to-date leg left")
		return
	}
	if !c.w.on(FPromo) { // the mutant builds on what was only proposed
		c.vm = pool.NewViewMaker(c.voters(), c.vm.Proposed())
	}
	c.pushView()
}

// keepalives runs every tick: leases, completion mark, returns, promotions.
func (c *Client) keepalives() {
	round := c.round
	c.w.later(c.Node, c.w.between(tickTime*3/4, tickTime*5/4), func() {
		if c.round == round && c.phase == live {
			c.keepalives()
		}
	})
	for id := range c.legs {
		if c.legs[id].handle == 0 {
			c.meet(id)
			continue
		}
		c.keepalive(id)
	}
	c.pushView()
	c.tables()
	if c.phase != live {
		return
	}
	c.joins()
	c.io.pump()
}

func (c *Client) keepalive(id int) {
	l, m := &c.legs[id], c.w.members[id]
	sent, handle, round := c.w.now, l.handle, c.round
	wire, err := pool.EncodeMessage(&pool.Keepalive{
		Header: pool.Header{Handle: uint32(handle)}, Epoch: c.epoch,
		View: c.vm.Proposed().Number, CompletedBelow: c.io.below(),
	})
	if err != nil {
		c.w.fail("I10", "client made a bad keepalive: %v", err)
		return
	}
	if l.state == pool.LegSyncing && !l.readySent && (c.io.below() >= l.joinSeq || !c.w.on(FPullAll)) {
		l.readySent = true
		c.sendReady(id, func(ok bool) {
			if !ok && c.legs[id].handle == handle {
				c.legs[id].readySent = false
			}
		})
	}
	c.w.call(c.Node, &m.Node, func(reply func(any)) { m.keepalive(handle, wire, reply) }, func(v any, ok bool) {
		if c.round != round || c.phase != live || c.legs[id].handle != handle {
			return
		}
		wire, _ := v.([]byte)
		if !ok || wire == nil { // no answer, or fenced
			c.lose(id, "keepalive")
			return
		}
		c.legs[id].alive = max(c.legs[id].alive, sent)
		r, err := pool.DecodeKeepaliveReply(wire)
		c.news(id, must(c.w, r, err).Table)
		c.promote(id, r)
	})
}

// promote asks a synced leg to flush and, if it may, moves it to U.
func (c *Client) promote(id int, r *pool.KeepaliveReply) {
	l, v := &c.legs[id], c.vm.Established()
	facts := pool.PromotionFacts{
		Syncing: v.Syncing.Has(id) && l.state == pool.LegSyncing, MapComplete: r.Flags&pool.AliveMap != 0, Lacking: int(r.Lacking), ClearedOn: r.ClearedOn,
		OthersActive: v.Active().Without(id), Flushed: true, MissedPending: c.io.missedBy(id) && c.w.on(FMissView),
	}
	if !c.w.on(FPromoClr) {
		facts.ClearedOn = 0xff
	}
	if !c.w.on(MPromoteAny) {
		facts.MapComplete, facts.Lacking, facts.ClearedOn = true, 0, 0xff
	}
	may, _ := pool.MayPromote(facts)
	if !may || l.preparing || !c.vm.Settled() || r.View != v.Number {
		return
	}
	l.preparing = true
	handle := l.handle
	c.sendPrepare(id, v.Number, func(ok bool) {
		if c.phase != live || c.legs[id].handle != handle {
			return
		}
		still := c.legs[id].preparing && c.vm.Settled() && c.vm.Established() == v
		c.legs[id].preparing = false
		if ok && still && !(c.io.missedBy(id) && c.w.on(FMissView)) && c.vm.Grow(0, pool.MaskOf(id)) {
			c.log("promotes leg %d", id)
			c.pushView()
		}
	})
}

// connect opens a session to an absent member.
func (c *Client) connect(id int) {
	l, m := &c.legs[id], c.w.members[id]
	if l.asking {
		return
	}
	l.asking = true
	round, epoch := c.round, c.epoch
	c.w.call(c.Node, &m.Node, func(reply func(any)) { m.attach(epoch, c, reply) }, func(v any, ok bool) {
		if c.round != round || c.phase != live {
			return
		}
		l := &c.legs[id]
		l.asking = false
		r, _ := v.(promiseReply)
		switch {
		case !ok:
		case r.promised.Compare(c.epoch) > 0:
			c.highest = r.promised
			if c.w.on(FYield) {
				c.superseded()
			} else {
				c.again("fenced")
			}
		case r.ok && c.stranger(r.promise):
			c.log("member %d has another history", id)
		case r.ok && l.handle == 0:
			if r.promise.Discarded && c.w.on(RDiscard) && c.w.on(RBlank) {
				r.promise.Uncertain = everything()
			}
			if c.w.cfg.Change && c.identify(id, r.says) != pool.StoreMember {
				return
			}
			*l = leg{state: l.state, handle: r.handle, alive: c.w.now - leaseT, uncertain: r.promise.Uncertain, blank: r.promise.Discarded}
			c.forgetTable(id)
			if !c.w.on(MRetNoUnc) {
				l.uncertain = nil
			}
			c.event(id, pool.LegConnected)
			c.pushView()
		}
	})
}

// superseded: a newer attachment exists. If an application host holds it, this client never comes back by
// itself (F_YIELD); a storage node's recovery gives way.
func (c *Client) superseded() {
	if c.highest.Client >= recoveryID && !c.polite {
		c.again("a storage node recovers the pool")
		return
	}
	c.stop("superseded")
}

// recoveryID marks the ids of recovery attachments.
const recoveryID = 100

// replaced tells whether another application host went live since this client did.
func (c *Client) replaced(highest pool.View) bool {
	e := highest.Epoch
	return !c.before.IsZero() && e != c.before && e.Client < recoveryID && c.w.on(FYield) && c.w.on(FReplay)
}

// joins marks what returning legs are uncertain about, then takes them into Y.
func (c *Client) joins() {
	if c.phase != live {
		return
	}
	var join pool.Mask
	for id := range c.legs {
		l := &c.legs[id]
		if l.state != pool.LegPromised || c.w.members[id].witness || !c.stays(id) {
			continue
		}
		if c.markReturning(id) {
			join = join.With(id)
		}
	}
	if join == 0 || !c.vm.Grow(join, 0) {
		return
	}
	for id := range join.All() {
		c.event(id, pool.LegMarked)
	}
	c.log("joins %v", join)
	c.pushView()
}

// markReturning tells whether the uncertain chunks of a returning leg are marked on all active members.
func (c *Client) markReturning(id int) bool {
	l := &c.legs[id]
	sending := c.vm.Sending()
	if c.w.cfg.Change && c.w.on(FTable) {
		for k := range sending.All() {
			if c.tab.legs[k].knows != c.tab.version {
				return false
			}
		}
	}
	if len(l.uncertain) == 0 || sending.Within(l.markedOn) {
		return true
	}
	handle := l.handle
	for k := range (sending &^ l.markedOn &^ l.marking).All() {
		l.marking = l.marking.With(k)
		c.sendMark(k, c.vm.Proposed(), pool.MaskOf(id), 0, l.uncertain, func(ok bool) {
			if c.phase != live || c.legs[id].handle != handle {
				return
			}
			c.legs[id].marking = c.legs[id].marking.Without(k)
			if ok {
				c.legs[id].markedOn = c.legs[id].markedOn.With(k)
			}
		})
	}
	return false
}

// leased tells whether the client may serve reads now (F_LEASE).
func (c *Client) leased() bool {
	var fresh pool.Mask
	for id := range c.legs {
		if c.legs[id].handle != 0 && c.w.now-c.legs[id].alive < leaseT {
			fresh = fresh.With(id)
		}
	}
	if v := c.voters(); v.Quorum {
		return v.Majority(fresh)
	}
	return c.vm.Established().UpToDate.Within(fresh)
}

// rules decides the attach, with one rule switched off if the run says so.
func (c *Client) rules() (pool.Attachment, error) {
	w, promises, voters := c.w, append([]pool.Promise{}, c.promises...), c.voters()
	if !w.on(FOrder) {
		for i := range promises {
			promises[i].View.Epoch = pool.Epoch{}
		}
	}
	if !w.on(MNoMaj) { // whoever promised is a majority of itself
		var promised pool.Mask
		for _, p := range promises {
			promised = promised.With(p.Member)
		}
		voters.Data, voters.Witnesses = voters.Data&promised, voters.Witnesses&promised
	}
	if !w.on(MOneU) && len(promises) > 0 {
		promises[0].View.UpToDate = promises[0].View.UpToDate & pool.MaskOf(promises[0].Member)
		promises = promises[:1]
	}
	if !w.on(FStandIn) {
		for i := range promises {
			promises[i].View.Number = max(promises[i].View.Number, 1)
		}
	}
	if !w.on(MNoRec) {
		for i := range promises {
			promises[i].Uncertain = nil
		}
	}
	if !w.on(RLineage) {
		for i := range promises {
			promises[i].View.Lineage = w.lineage
		}
	}
	a, err := pool.DecideAttach(voters, c.epoch, promises)
	if c.force && err != nil {
		if a, err = pool.ForceAttach(voters, c.epoch, pool.UUID{3, byte(c.id), c.forks}, promises); err == nil {
			c.forced = true
		}
	}
	if err != nil || a.Source < 0 {
		return a, err
	}
	switch {
	case !w.on(FAbsent):
		a.Marked &= a.Promised
	case !w.on(FDemote):
		a.Demoted = 0
	case !w.on(FSrcU):
		a.Source = (a.Promised & voters.Data).Lowest()
		a.Marked = voters.Data.Without(a.Source)
		a.First.UpToDate = a.First.UpToDate.With(a.Source)
		a.First.Syncing = a.First.Syncing.Without(a.Source)
		a.Demoted = a.First.UpToDate.Without(a.Source)
	}
	return a, nil
}
