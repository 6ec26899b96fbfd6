// SPDX-License-Identifier: Apache-2.0

// The decision what is to be done about each store: pure, from what the scan found, what the kernel
// serves and what this daemon saw served before.

package storaged

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rmr-block/rmr/internal/rmrnl"
	"github.com/rmr-block/rmr/pkg/pool"
)

// StoreState is what a store is doing, as reports and metrics show it.
type StoreState string

// States of a store.
const (
	StoreServed    StoreState = "served"    // the kernel serves it
	StoreWaiting   StoreState = "waiting"   // is to be assembled; see the reason if that failed
	StoreStopped   StoreState = "stopped"   // served before, then stopped by an operator: left alone
	StoreFailed    StoreState = "failed"    // the kernel gave it up and holds its disk
	StoreReturned  StoreState = "returned"  // failed, and its disk is back: is to be served anew
	StoreAmbiguous StoreState = "ambiguous" // several devices claim to be it: an operator decides
	StoreReplaced  StoreState = "replaced"  // another store has its place in the pool: left alone
	StoreBroken    StoreState = "broken"    // a device that cannot be read, or whose superblocks are damaged
)

// bad tells whether an operator should know.
func (s StoreState) bad() bool { return s != StoreServed && s != StoreStopped && s != StoreReplaced }

// Store is one line of a report. A broken device has no pool.
type Store struct {
	Pool      string     `json:"pool"`
	UUID      pool.UUID  `json:"uuid"`       // of the pool
	StoreUUID pool.UUID  `json:"store_uuid"` // of the member
	MemberID  uint8      `json:"member_id"`
	Device    string     `json:"device"`
	MDDevice  string     `json:"metadata_device"` // "" if it is device
	State     StoreState `json:"state"`
	Reason    string     `json:"reason"` // "" if there is nothing to say

	key string // of the work on it: a disk that comes back starts anew
}

// memory is what the daemon saw served: the appearance of the disk by store. It is lost with the
// process, which costs only that a stopped pool is started once more.
type memory map[pool.UUID]string

// plan says how every store is. held tells whether a driver has a device to itself.
func plan(all []found, pools []rmrnl.Pool, seen memory, held func(path string) bool) []Store {
	var list []Store
	candidates := map[pool.UUID][]found{}
	for _, f := range all {
		if f.sb == nil {
			list = append(list, broken(f))
			continue
		}
		candidates[f.sb.Store] = append(candidates[f.sb.Store], f)
	}
	for _, p := range pools {
		list = append(list, planServed(p, candidates[p.StoreUUID], held))
		delete(candidates, p.StoreUUID)
	}
	newest := newestStores(all, pools)
	for _, c := range candidates {
		s := planFound(c, seen)
		if own := c[0].sb.Members[s.MemberID]; own.Stores() < newest[slot{s.UUID, s.MemberID}] {
			s.State, s.Reason = StoreReplaced, fmt.Sprintf("a newer store on this node is member %d", s.MemberID)
		}
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b Store) int {
		if n := strings.Compare(a.Pool, b.Pool); n != 0 {
			return n
		}
		return strings.Compare(a.Device, b.Device)
	})
	return list
}

// slot is a place in a pool.
type slot struct {
	pool pool.UUID
	id   uint8
}

// newestStores says how many stores each place has seen, as far as the stores of this node know: the last one counts.
func newestStores(all []found, pools []rmrnl.Pool) map[slot]uint64 {
	newest := map[slot]uint64{}
	note := func(at slot, own pool.Member) { newest[at] = max(newest[at], own.Stores()) }
	for _, f := range all {
		if f.sb != nil {
			note(slot{f.sb.Pool, f.sb.MemberID}, f.sb.Members[f.sb.MemberID])
		}
	}
	for _, p := range pools {
		for _, m := range p.Member {
			if m.ID == p.MemberID {
				note(slot{p.UUID, m.ID}, pool.Member{Generation: m.Generation})
			}
		}
	}
	return newest
}

func broken(f found) Store {
	why := f.err.Error()
	if !errors.Is(f.err, errSilent) && !strings.Contains(why, "superblock") {
		why = "cannot be read: " + why
	}
	return Store{Device: f.dev.Path, State: StoreBroken, Reason: oneLine(why), key: "disk " + f.dev.id()}
}

func planServed(p rmrnl.Pool, disks []found, held func(path string) bool) Store {
	s := Store{
		Pool: p.Name, UUID: p.UUID, StoreUUID: p.StoreUUID, MemberID: p.MemberID, Device: p.Device,
		State: StoreServed, key: fmt.Sprintf("store %s", p.StoreUUID),
	}
	if p.State != rmrnl.PoolStateFailed {
		if p.DeviceGrown != 0 {
			s.Reason = fmt.Sprintf("its device has %d bytes more than the store uses: `rmrctl disk grow`", p.DeviceGrown)
		}
		return s
	}
	s.State, s.Reason = StoreFailed, p.Reason.String()
	// While the disk that the kernel gave up is here, another with the same store is a copy of it, which
	// may be older.
	if held(p.Device) {
		return s
	}
	back := slices.DeleteFunc(slices.Clone(disks), func(f found) bool { return f.lost != "" || held(f.dev.Path) })
	switch len(back) {
	case 0:
	case 1:
		s.State, s.Device, s.MDDevice, s.Reason = StoreReturned, back[0].dev.Path, back[0].md, "its disk is back"
		s.key += " " + back[0].dev.id()
	default:
		s.State, s.Reason = StoreAmbiguous, claims(back)
	}
	return s
}

// planFound is about a store that is not served. Of a device and another one built on it, as
// a path and its multipath device, the upper one counts.
func planFound(disks []found, seen memory) Store {
	if free := slices.DeleteFunc(slices.Clone(disks), func(f found) bool { return len(f.dev.Holders) > 0 }); len(free) > 0 {
		disks = free
	}
	first := disks[0]
	s := Store{
		Pool: first.sb.Name, UUID: first.sb.Pool, StoreUUID: first.sb.Store, MemberID: first.sb.MemberID,
		Device: first.dev.Path, MDDevice: first.md, State: StoreWaiting, key: fmt.Sprintf("store %s %s", first.sb.Store, first.dev.id()),
	}
	switch {
	case len(disks) > 1:
		s.State, s.Reason = StoreAmbiguous, claims(disks)
	case first.lost != "":
		s.State, s.Reason = StoreAmbiguous, first.lost
	case seen[first.sb.Store] == first.dev.id():
		s.State, s.Reason = StoreStopped, "stopped by an operator"
	}
	return s
}

func claims(disks []found) string {
	paths := map[string]bool{}
	for _, f := range disks {
		paths[f.dev.Path] = true
	}
	return "the same store is on " + strings.Join(slices.Sorted(maps.Keys(paths)), " and ") +
		": take the copies away or name them under exclude"
}

// remember notes on which appearance of its disk each store is served, and forgets what is gone
// from the machine.
func (m memory) remember(pools []rmrnl.Pool, devs []blockDevice, resolve func(path string) string) {
	ids := map[string]string{}
	present := map[string]bool{}
	for _, d := range devs {
		ids[d.Path] = d.id()
		present[d.id()] = true
	}
	for store, id := range m {
		if !present[id] {
			delete(m, store)
		}
	}
	for _, p := range pools {
		id, ok := ids[resolve(p.Device)]
		if ok && p.State != rmrnl.PoolStateFailed {
			m[p.StoreUUID] = id
		}
	}
}
