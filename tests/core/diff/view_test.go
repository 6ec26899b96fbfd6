// SPDX-License-Identifier: Apache-2.0

// This file owns the comparison of views, attach, legs and the rules of who serves.

package diff

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/rmr-block/rmr/pkg/pool"
)

func viewText(v pool.View) string {
	return fmt.Sprintf(" %d:%d/%d %d %d", v.Epoch.Seq, v.Epoch.Client, v.Number, uint8(v.UpToDate), uint8(v.Syncing))
}

func makerText(result bool, m *pool.ViewMaker) string {
	s := fmt.Sprint(oneIf(result)) + viewText(m.Established())
	targets := pool.Mask(0)
	if !m.Broken() {
		s += viewText(m.Proposed())
		targets = m.Targets()
	}
	return s + fmt.Sprintf(" %d %d %d %d", oneIf(m.Settled()), oneIf(m.Broken()), uint8(m.Sending()), uint8(targets))
}

func randomMask(r *rand.Rand) pool.Mask { return pool.Mask(r.Uint32N(256)) }

// rareMask is mostly empty.
func rareMask(r *rand.Rand) pool.Mask {
	if r.IntN(3) == 0 {
		return someBits(r)
	}
	return 0
}

// TestViewMaker: losses, joins, promotions and confirmations in any order make the same views in both languages.
func TestViewMaker(t *testing.T) {
	startCore(t).episodes(func(c *core, r *rand.Rand) {
		voters := pool.Voters{Data: randomMask(r) | 1, Quorum: r.IntN(2) == 0}
		voters.Witnesses = randomMask(r) &^ voters.Data
		up := randomMask(r)&voters.Data | 1
		view := pool.View{Epoch: pool.Epoch{Seq: 3, Client: 4}, Number: r.Uint64N(5) + 1, UpToDate: up, Syncing: randomMask(r) & voters.Data &^ up}
		m, regain := pool.NewViewMaker(voters, view), r.IntN(2)
		if regain == 1 {
			m.Regain(0)
		}
		c.want(makerText(true, m), "vm_init", uint8(voters.Data), uint8(voters.Witnesses), oneIf(voters.Quorum), uint8(view.UpToDate),
			uint8(view.Syncing), view.Number, regain)
		for range 60 {
			switch r.IntN(8) {
			case 0:
				ejected, demoted := rareMask(r), rareMask(r)
				c.want(makerText(m.Lose(ejected, demoted), m), "vm_lose", uint8(ejected), uint8(demoted))
			case 1, 2:
				joined, promoted := rareMask(r)&voters.Data, rareMask(r)
				c.want(makerText(m.Grow(joined, promoted), m), "vm_grow", uint8(joined), uint8(promoted))
			case 3:
				id := r.IntN(8)
				m.Tell(id)
				c.want(makerText(m.Voters().Quorum, m), "vm_tell", id)
			default:
				id, number := r.IntN(8), m.Proposed().Number
				if m.Broken() {
					return
				}
				if r.IntN(8) == 0 {
					number -= r.Uint64N(2)
				}
				c.want(makerText(m.Persisted(id, number), m), "vm_persisted", id, number)
			}
		}
	})
}

// TestViewNext: every change of a view is judged alike.
func TestViewNext(t *testing.T) {
	startCore(t).episodes(func(c *core, r *rand.Rand) {
		for range 400 {
			up := randomMask(r)
			v := pool.View{Number: r.Uint64N(9) + 1, UpToDate: up, Syncing: randomMask(r) &^ up}
			change := pool.Change{Ejected: rareMask(r), Demoted: rareMask(r), Joined: rareMask(r), Promoted: rareMask(r)}
			used := r.Uint64N(12)
			next, err := v.Next(used, change)
			answer := "0" + viewText(next)
			switch {
			case errors.Is(err, pool.ErrNoUpToDate):
				answer = "-61"
			case err != nil:
				answer = "-22"
			}
			c.want(answer, "view_next", uint8(v.UpToDate), uint8(v.Syncing), v.Number, used, uint8(change.Ejected),
				uint8(change.Demoted), uint8(change.Joined), uint8(change.Promoted))
		}
	})
}

// randomPromises are answers of some members, with views near each other.
func randomPromises(r *rand.Rand, members pool.Mask) []pool.Promise {
	var list []pool.Promise
	for id := range members.All() {
		up := randomMask(r)&members | pool.MaskOf(r.IntN(8))
		p := pool.Promise{Member: id, Restarted: r.IntN(3) == 0, View: pool.View{
			Epoch: pool.Epoch{Seq: r.Uint64N(3), Client: r.Uint64N(3)}, Number: 1 + r.Uint64N(3), UpToDate: up, Syncing: randomMask(r) &^ up,
		}}
		if r.IntN(20) == 0 {
			p.View.Lineage[0] = 1
		}
		if p.Discarded = r.IntN(6) == 0; p.Discarded && r.IntN(2) == 0 {
			p.View.Number = 0
		}
		if r.IntN(3) == 0 {
			p.Clean = pool.Epoch{Seq: r.Uint64N(3), Client: r.Uint64N(3)}
		}
		if r.IntN(2) == 0 {
			p.Uncertain = []uint64{r.Uint64N(9)}
		}
		list = append(list, p)
	}
	return list
}

// TestAttach: the same promises allow the same attachment.
func TestAttach(t *testing.T) {
	startCore(t).episodes(func(c *core, r *rand.Rand) {
		for range 300 {
			voters := pool.Voters{Data: randomMask(r) | pool.MaskOf(r.IntN(8)), Quorum: r.IntN(2) == 0}
			voters.Witnesses = randomMask(r) &^ voters.Data
			promises := randomPromises(r, randomMask(r)|pool.MaskOf(r.IntN(8)))
			a, err := pool.DecideAttach(voters, pool.Epoch{Seq: 1000, Client: 7}, promises)
			lineage := 0
			if r.IntN(3) == 0 {
				lineage = 7
				a, err = pool.ForceAttach(voters, pool.Epoch{Seq: 1000, Client: 7}, pool.UUID{7}, promises)
			}
			answer := "0" + viewText(a.Highest) + viewText(a.First) + viewText(a.Live()) +
				fmt.Sprintf(" %d %d %d %d %d %d %d", a.Source, uint8(a.Promised), uint8(a.Discarded), uint8(a.Marked), uint8(a.Demoted),
					oneIf(a.MustWait), a.Live().Lineage[0])
			switch {
			case errors.Is(err, pool.ErrSplitBrain):
				answer = "-124"
			case err != nil:
				answer = "-107"
			}
			var text []string
			for _, p := range promises {
				text = append(text, fmt.Sprintf("%d:%d:%d:%d:%d:%d:%d:%d:%d:%d:%d:%d", p.Member, p.View.Epoch.Seq, p.View.Epoch.Client, p.View.Number,
					uint8(p.View.UpToDate), uint8(p.View.Syncing), p.View.Lineage[0], oneIf(p.Restarted), oneIf(len(p.Uncertain) > 0), p.Clean.Seq, p.Clean.Client, oneIf(p.Discarded)))
			}
			c.want(answer, "attach", uint8(voters.Data), uint8(voters.Witnesses), oneIf(voters.Quorum), strings.Join(text, ","), lineage)
		}
	})
}

// TestLineageTold: who may take another lineage over.
func TestLineageTold(t *testing.T) {
	startCore(t).episodes(func(c *core, r *rand.Rand) {
		for range 300 {
			told, mine := pool.View{UpToDate: randomMask(r), Lineage: pool.UUID{byte(r.IntN(2))}}, pool.View{Lineage: pool.UUID{byte(r.IntN(2))}}
			self, forced, discarded := r.IntN(8), r.IntN(2) == 0, r.IntN(2) == 0
			c.want(fmt.Sprint(oneIf(mine.LineageTold(told, self, forced, discarded))), "lineage_told", uint8(told.UpToDate), told.Lineage[0],
				mine.Lineage[0], self, oneIf(forced), oneIf(discarded))
		}
	})
}

// TestLegTable: every state and event, and some beyond.
func TestLegTable(t *testing.T) {
	c := startCore(t)
	legal := 0
	for s := range 6 {
		for e := range 10 {
			state, event := pool.LegState(s), pool.LegEvent(e)
			next, err := state.Next(event)
			answer := fmt.Sprintf("%d %s %s", next, state, event)
			if err != nil {
				answer = refusal
			} else {
				legal++
			}
			c.want(answer, "leg_next", s, e)
		}
	}
	c.settle()
	if legal != 14 {
		t.Errorf("%d legal transitions", legal)
	}
}

// TestServing: who may be asked, who may serve, who may be promoted, which epoch may be promised.
func TestServing(t *testing.T) {
	startCore(t).episodes(func(c *core, r *rand.Rand) {
		flip := func() bool { return r.IntN(2) == 0 }
		for range 300 {
			up := randomMask(r)
			v, self, dirty, known := pool.View{UpToDate: up, Syncing: randomMask(r) &^ up}, r.IntN(8), randomMask(r), randomMask(r)
			complete, lacks := flip(), flip()
			c.want(fmt.Sprintf("%d %d %d", uint8(pool.ReadLegs(v, known, dirty)), uint8(pool.ResyncSources(v, self, dirty)),
				oneIf(pool.MayServe(v, self, complete, lacks))), "serving", uint8(v.UpToDate), uint8(v.Syncing), self, uint8(dirty), uint8(known),
				oneIf(complete), oneIf(lacks))
			f := pool.PromotionFacts{
				Syncing: r.IntN(9) > 0, MapComplete: r.IntN(9) > 0, Lacking: max(0, r.IntN(5)-3), ClearedOn: randomMask(r) | 0xfe,
				OthersActive: randomMask(r), Flushed: flip(), MissedPending: r.IntN(9) == 0,
			}
			_, why := pool.MayPromote(f)
			if why == "" {
				why = "-"
			}
			c.want(why, "promotion", oneIf(f.Syncing), oneIf(f.MapComplete), f.Lacking, uint8(f.ClearedOn), uint8(f.OthersActive), oneIf(f.Flushed),
				oneIf(f.MissedPending))
			had, asked := pool.Epoch{Seq: r.Uint64N(3), Client: r.Uint64N(3)}, pool.Epoch{Seq: r.Uint64N(3), Client: r.Uint64N(3)}
			next := pool.NextEpoch(had, asked.Client)
			c.want(fmt.Sprintf("%d %d:%d", oneIf(pool.MayPromise(had, asked)), next.Seq, next.Client), "may_promise", had.Seq, had.Client, asked.Seq, asked.Client)
		}
	})
}

// TestVerify: when a difference between two members counts, and whose copy is the wrong one.
func TestVerify(t *testing.T) {
	startCore(t).episodes(func(c *core, r *rand.Rand) {
		mostly := func() bool { return r.IntN(12) > 0 }
		for range 300 {
			f := pool.VerifyFacts{
				View: 5, ViewEnd: 5 + r.Uint64N(6)/5, ViewOther: 5 + r.Uint64N(6)/5, Below: 3 + r.Uint64N(3), NewestOther: r.Uint64N(7),
				Self: r.IntN(8), Other: r.IntN(8), Dirty: randomMask(r) &^ 0x55, DirtyOther: randomMask(r) &^ 0xaa,
				Quiet: mostly(), Steady: mostly(), SteadyOther: mostly(),
			}
			labels := make([]byte, r.IntN(9))
			for i := range labels {
				labels[i] = byte(r.IntN(3))
			}
			text := hex.EncodeToString(labels)
			if text == "" {
				text = "-"
			}
			c.want(fmt.Sprintf("%d %d", oneIf(f.Counts()), oneIf(pool.Outvoted(labels))), "verify", f.View, f.ViewEnd, f.ViewOther, f.Below, f.NewestOther,
				8*f.Self+f.Other, uint8(f.Dirty), uint8(f.DirtyOther), oneIf(f.Quiet), oneIf(f.Steady), oneIf(f.SteadyOther), text)
		}
	})
}
