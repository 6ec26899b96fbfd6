// SPDX-License-Identifier: Apache-2.0

// This file owns the comparison of the rules of members and their stores.

package diff

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/rmr-block/rmr/pkg/pool"
)

type memberTable = [pool.MaxMembers]pool.Member

// randomSlot is often near others: few stores, few generations.
func randomSlot(r *rand.Rand, id int) pool.Member {
	m := pool.Member{Generation: r.Uint64N(3)<<16 + r.Uint64N(3)}
	if r.IntN(20) == 0 {
		m.Generation |= 0xffff
	}
	if r.IntN(4) == 0 {
		return m
	}
	m.State = pool.MemberState(1 + r.IntN(2))
	m.Store = pool.UUID{0: 1, 1: byte(r.IntN(2)), 2: byte(id)}
	if r.IntN(9) == 0 {
		m.Store[2] = byte(r.IntN(8))
	}
	m.Node = []string{"a", "ab", "b"}[r.IntN(3)]
	m.Addrs[r.IntN(2)] = []string{"", "192.0.2.1", "192.0.2.10"}[r.IntN(3)]
	if r.IntN(2) == 0 {
		m.Flags = uint8(r.IntN(4))
	}
	if s := r.IntN(9); m.Flags&pool.SlotLeaving != 0 && s != id+1 && r.IntN(2) == 0 {
		m.Successor = uint8(s)
	}
	return m
}

func randomSlots(r *rand.Rand) (list memberTable) {
	for id := range list {
		list[id] = randomSlot(r, id)
	}
	return list
}

// slotHex is the slot as it stands in a message.
func slotHex(t *testing.T, id int, m pool.Member) string {
	t.Helper()
	b, err := pool.EncodeMessage(&pool.MemberSet{Header: pool.Header{Handle: pool.NoHandle}, Pool: pool.UUID{1}, MemberID: uint8(id), Member: m})
	if err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(b[len(b)-224:])
}

func slotsHex(t *testing.T, list memberTable) (text string) {
	t.Helper()
	for id, m := range list {
		text += slotHex(t, id, m)
	}
	return text
}

func tableText(changed pool.Mask, table *pool.Table) string {
	v := pool.TableVoters(&table.Slots, true)
	return fmt.Sprintf("%d %d %d %d", uint8(changed), pool.TableSum(&table.Slots), uint8(v.Data), uint8(v.Witnesses))
}

// TestTables: what members tell is put together alike, and stores are known and refused alike.
func TestTables(t *testing.T) {
	startCore(t).episodes(func(c *core, r *rand.Rand) {
		table := pool.Table{Slots: randomSlots(r), Held: r.IntN(4) == 0}
		c.want(tableText(0, &table), "table_init", oneIf(table.Held), slotsHex(t, table.Slots))
		for range 8 {
			said, told := randomSlots(r), r.IntN(4) > 0
			view := &pool.View{Epoch: pool.Epoch{Seq: r.Uint64N(3), Client: r.Uint64N(2)}, Number: r.Uint64N(3)}
			passed := view
			if !told {
				passed = nil
			}
			changed := table.Merge(&said, passed)
			c.want(tableText(changed, &table), "table_merge", oneIf(told), view.Epoch.Seq, view.Epoch.Client, view.Number, slotsHex(t, said))
			for range 4 {
				id, blank := r.IntN(9), r.IntN(2) == 0
				own := randomSlot(r, id)
				text := slotHex(t, id%8, pool.Member{})
				if own.Successor != uint8(id%8+1) {
					text = slotHex(t, id%8, own)
				} else {
					own = pool.Member{}
				}
				c.want(pool.Identify(&table.Slots, id, &own, blank), "table_identity", id, text, oneIf(blank))
			}
		}
	})
}

// TestWishes: a wish about a store is accepted alike, and generations go on alike.
func TestWishes(t *testing.T) {
	startCore(t).episodes(func(c *core, r *rand.Rand) {
		table := randomSlots(r)
		c.want(tableText(0, &pool.Table{Slots: table}), "table_init", 0, slotsHex(t, table))
		for range 100 {
			id := r.IntN(8)
			wish := table[id]
			if r.IntN(8) > 0 {
				wish.Generation++
			}
			if r.IntN(4) == 0 {
				wish = randomSlot(r, id)
			}
			answer := 0
			switch err := table[id].CheckWish(&wish); {
			case errors.Is(err, pool.ErrNoWishLeft):
				answer = -34
			case err != nil:
				answer = -22
			}
			freed := wish.Freed()
			slot, news := table[id].Told(&wish)
			c.want(fmt.Sprintf("%d %d %d %d %d %d %d", answer, wish.ClaimGeneration(), freed.Generation, oneIf(news), slot.Flags, slot.Successor, slot.Generation), "slot_wish", id, slotHex(t, id, wish))
		}
	})
}

// idOrNone is a member's id as the core has it.
func idOrNone(id int) int {
	if id < 0 {
		return pool.NoMember
	}
	return id
}

// TestWishesOfOperators: what operators wish and who takes whose place comes to the same slots.
func TestWishesOfOperators(t *testing.T) {
	seen := map[pool.Wished]int{}
	startCore(t).episodes(func(c *core, r *rand.Rand) {
		table := randomSlots(r)
		c.want(tableText(0, &pool.Table{Slots: table}), "table_init", 0, slotsHex(t, table))
		for range 50 {
			id, leaving, maintenance := r.IntN(8), r.IntN(2) == 0, pool.Maintenance(r.IntN(3)-1)
			wish, wished := pool.WishSlot(&table, id, leaving, maintenance)
			seen[wished]++
			c.want(fmt.Sprintf("%d %d %d %d", wished, wish.Flags, wish.Successor, wish.Generation), "table_wish", id, oneIf(leaving), int(maintenance)+1)

			by, claimed, succession := r.IntN(8), rareMask(r), r.IntN(2) == 0
			theirs := table[id]
			if r.IntN(4) == 0 {
				theirs = randomSlot(r, id)
			} else if theirs.Flags = uint8(r.IntN(4)); theirs.Flags&pool.SlotLeaving == 0 || theirs.State == pool.MemberNone {
				theirs.Successor = 0
			}
			if theirs.State == pool.MemberNone {
				theirs = pool.Member{Generation: theirs.Generation}
			}
			succeeded := table[id].Succeeded(by)
			say, tells := table[id].Tell(&theirs, succession)
			c.want(fmt.Sprintf("%d %d %d %d %d %d %d %d %d %d %d", oneIf(tells), idOrNone(pool.Succeeds(&table, id)), idOrNone(pool.Place(&table, claimed, by)),
				succeeded.Flags, succeeded.Successor, succeeded.Generation,
				say.State, say.Flags, say.Successor, say.Generation, say.Store[1]),
				"table_succession", id, by, uint8(claimed), slotHex(t, id, theirs), oneIf(succession))
		}
	})
	if len(seen) != 3 {
		t.Errorf("wishes came to %v", seen)
	}
}

// manyBits has three of four members.
func manyBits(r *rand.Rand) pool.Mask {
	m := randomMask(r)
	return m | randomMask(r)
}

// TestTableNext: the client's next act about wishes is the same.
func TestTableNext(t *testing.T) {
	acts := map[pool.TableAct]int{}
	c := startCore(t)
	c.episodes(func(c *core, r *rand.Rand) {
		table := randomSlots(r)
		c.want(tableText(0, &pool.Table{Slots: table}), "table_init", 0, slotsHex(t, table))
		voters := pool.TableVoters(&table, true)
		for range 20 {
			claims := memberTable{}
			for id := range claims {
				if r.IntN(3) == 0 {
					claims[id] = randomSlot(r, id)
				}
			}
			up := randomMask(r) & voters.Data
			s := pool.TableState{
				Slots: &table, Claims: &claims, View: pool.View{UpToDate: up, Syncing: randomMask(r) & voters.Data &^ up}, Settled: r.IntN(8) > 0,
				Quorum: r.IntN(2) == 0, Persisted: manyBits(r) | up,
				Answering: manyBits(r), Joining: rareMask(r),
			}
			act, id := s.Next()
			acts[act]++
			var joins pool.Mask
			for k := range table {
				if pool.MayJoin(&table, s.View, k) {
					joins = joins.With(k)
				}
			}
			c.want(fmt.Sprintf("%d %d %d", act, idOrNone(id), uint8(joins)), "table_next", uint8(s.View.UpToDate), uint8(s.View.Syncing), oneIf(s.Settled)+2*oneIf(s.Quorum),
				uint8(s.Persisted), uint8(s.Answering), uint8(s.Joining), slotsHex(t, claims))
		}
	})
	if len(acts) != 4 {
		t.Errorf("acts seen: %v", acts)
	}
}
