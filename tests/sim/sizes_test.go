// SPDX-License-Identifier: Apache-2.0

// This file owns a model of sizes alone (R9.12), which the worlds of the simulator do not change: two data members and a
// client, every order of resizes, lost members and clients, up to a number of shrinks. Members decide by pool.Resize.Told,
// which the kernel's rule is compared with. Every state is looked at: what is before the end is equal on all of U, and
// what a growth brings is zero there.

package sim

import (
	"fmt"
	"slices"
	"testing"

	"github.com/rmr-block/rmr/pkg/pool"
)

const (
	sizeMembers = 2
	sizeUnits   = 3 // the pool has 1 to 3 units, which are written as a whole
	sizeCuts    = 4 // numbers of shrinks
)

// sizeMember is what a member has on disk, and whether it answers.
type sizeMember struct {
	Alive      bool
	Size, Room uint64 // units
	Cuts       uint32
	View       int
	UpToDate   pool.Mask
	Missed     [sizeUnits]bool // marked for it on the others
	Data       [sizeUnits]byte
}

// sizeCommand is a resize that is being told.
type sizeCommand struct {
	On         bool
	Shrink     bool
	Size, From uint64
	Cuts       uint32
	Left       pool.Mask // to be told
}

type sizeState struct {
	Member  [sizeMembers]sizeMember
	Live    bool
	Size    uint64
	Cuts    uint32
	U       pool.Mask
	Command sizeCommand
	View    int // of a witness, which is always there; for quorum
	Voted   pool.Mask
}

// sizeMutant takes a rule away.
type sizeMutant int

const (
	sizesWhole sizeMutant = iota
	sizesNoNumber
	sizesOldNumber
	sizesKeepRoom
	sizesDeviceLast
	sizesAway
	sizesNotAsked
)

type sizeModel struct {
	mutant sizeMutant
	quorum bool
}

// renumber keeps the numbers of views small: only their order counts.
func (s *sizeState) renumber() {
	var have []int
	for i := range s.Member {
		have = append(have, s.Member[i].View)
	}
	have = append(have, s.View)
	slices.Sort(have)
	have = slices.Compact(have)
	s.View = slices.Index(have, s.View)
	for i := range s.Member {
		s.Member[i].View = slices.Index(have, s.Member[i].View)
	}
}

// establish tells a view of U to all of U.
func (s *sizeState) establish(u pool.Mask) {
	top := s.View
	for i := range s.Member {
		top = max(top, s.Member[i].View)
	}
	s.U = u
	s.View, s.Voted = top+1, u
	for i := range s.Member {
		if u.Has(i) {
			s.Member[i].View, s.Member[i].UpToDate = top+1, u
		}
	}
	s.renumber()
}

// join copies what a member missed, if it is not too small.
func (s *sizeState) join(i int) {
	m := &s.Member[i]
	if !m.Alive || s.U.Has(i) || m.Size < s.Size {
		return
	}
	for from := range s.Member {
		if !s.U.Has(from) {
			continue
		}
		for unit := range s.Size {
			if m.Missed[unit] {
				m.Data[unit] = s.Member[from].Data[unit]
			}
		}
		break
	}
	m.Missed = [sizeUnits]bool{}
	s.establish(s.U.With(i))
}

func (s *sizeState) drop() {
	s.Live, s.Size, s.Cuts, s.U, s.Command = false, 0, 0, 0, sizeCommand{}
}

func (s *sizeState) lose(i int) {
	s.Member[i].Alive = false
	if !s.U.Has(i) {
		return
	}
	s.Command = sizeCommand{}
	if u := s.U.Without(i); u != 0 {
		s.establish(u)
	} else {
		s.drop()
	}
}

func (m sizeModel) attach(s *sizeState) bool {
	top, u := -1, pool.Mask(0)
	if m.quorum {
		top, u = s.View, s.Voted
	}
	for i := range s.Member {
		if s.Member[i].Alive && s.Member[i].View > top {
			top, u = s.Member[i].View, s.Member[i].UpToDate
		}
	}
	active := pool.Mask(0)
	for i := range s.Member {
		if s.Member[i].Alive && u.Has(i) {
			active = active.With(i)
		}
	}
	if active == 0 || (active != u && !m.quorum) {
		return false
	}
	s.Live, s.Size, s.Cuts = true, sizeUnits, 0
	for i := range s.Member {
		if active.Has(i) {
			s.Size, s.Cuts = min(s.Size, s.Member[i].Size), max(s.Cuts, s.Member[i].Cuts)
		}
	}
	s.establish(active)
	for i := range s.Member {
		s.join(i)
	}
	return true
}

func (s *sizeState) lastCut() uint32 {
	cuts := s.Cuts
	for i := range s.Member {
		if s.Member[i].Alive {
			cuts = max(cuts, s.Member[i].Cuts)
		}
	}
	return cuts
}

// begin gives a resize, forced if it may be a shrink.
func (m sizeModel) begin(s *sizeState, size uint64, force bool) bool {
	shrink := force && size <= s.Size
	if size < s.Size && !shrink {
		return false
	}
	for i := range s.Member {
		small := shrink && s.Member[i].Alive && s.Member[i].Size == size
		if !s.U.Has(i) && !small && m.mutant != sizesAway {
			return false
		}
	}
	cuts := s.lastCut()
	if shrink && m.mutant != sizesOldNumber {
		cuts++
	}
	if shrink && m.mutant == sizesOldNumber && size < s.Size && cuts == 0 {
		cuts = 1
	}
	if cuts >= sizeCuts {
		return false
	}
	c := sizeCommand{On: true, Shrink: shrink, Size: size, From: s.Size, Cuts: cuts, Left: s.U}
	for i := range s.Member {
		if _, err := m.told(&c, &s.Member[i]); s.U.Has(i) && err != nil && m.mutant != sizesNotAsked {
			return false
		}
	}
	s.Cuts, s.Command = cuts, c
	if shrink && m.mutant != sizesDeviceLast {
		s.Size = size
	}
	return true
}

// told is what a member makes of a command.
func (m sizeModel) told(c *sizeCommand, to *sizeMember) (pool.ResizeAct, error) {
	msg := pool.Resize{Size: c.Size, From: c.From, Cuts: c.Cuts}
	if c.Shrink {
		msg.Flags = pool.ResizeShrink
	}
	if m.mutant == sizesNoNumber {
		msg.Cuts = to.Cuts
	}
	return msg.Told(to.Size, to.Room, to.Cuts)
}

// tell has a member hear the command; the last one ends it.
func (m sizeModel) tell(s *sizeState, i int) error {
	c, to := &s.Command, &s.Member[i]
	act, err := m.told(c, to)
	if err != nil {
		s.Command = sizeCommand{}
		return nil
	}
	if act == pool.ResizeCut && m.mutant != sizesKeepRoom {
		to.Room = c.Size
	}
	to.Size, to.Cuts = c.Size, c.Cuts
	c.Left = c.Left.Without(i)
	if c.Left != 0 {
		return nil
	}
	from, size := c.From, c.Size
	s.Size, s.Command = c.Size, sizeCommand{}
	for k := range s.Member {
		for unit := from; unit < size && s.U.Has(k); unit++ {
			if s.Member[k].Data[unit] != 0 {
				return fmt.Errorf("grown from %d to %d units, member %d has old data in unit %d", from, size, k, unit)
			}
		}
	}
	for k := range s.Member { // those that were too small return
		s.join(k)
	}
	return nil
}

func (s *sizeState) check() error {
	for i := range s.Member {
		for k := range s.Member {
			for unit := range s.Size {
				if s.U.Has(i) && s.U.Has(k) && s.Member[i].Data[unit] != s.Member[k].Data[unit] {
					return fmt.Errorf("unit %d differs on members %d and %d of U", unit, i, k)
				}
			}
		}
	}
	return nil
}

// next are all states that may follow.
func (m sizeModel) next(s sizeState, yield func(what string, to sizeState, err error)) {
	try := func(what string, f func(*sizeState) bool) {
		if to := s; f(&to) {
			yield(what, to, to.check())
		}
	}
	for i := range s.Member {
		if s.Member[i].Alive {
			try(fmt.Sprint("lose ", i), func(to *sizeState) bool { to.lose(i); return true })
			try(fmt.Sprint("room ", i), func(to *sizeState) bool {
				d := &to.Member[i]
				for unit := max(d.Size, d.Room); unit < sizeUnits; unit++ {
					d.Data[unit] = 0
				}
				d.Room = sizeUnits
				return true
			})
		} else {
			try(fmt.Sprint("return ", i), func(to *sizeState) bool {
				to.Member[i].Alive = true
				if to.Live && !to.Command.On {
					to.join(i)
				}
				return !to.Command.On
			})
		}
		if s.Command.On && s.Command.Left.Has(i) {
			to := s
			err := m.tell(&to, i)
			if err == nil {
				err = to.check()
			}
			yield(fmt.Sprint("tell ", i), to, err)
		}
	}
	if !s.Live {
		try("attach", m.attach)
		return
	}
	try("client dies", func(to *sizeState) bool { to.drop(); return true })
	for size := uint64(1); size <= sizeUnits && !s.Command.On; size++ {
		try(fmt.Sprint("grow to ", size), func(to *sizeState) bool { return m.begin(to, size, false) })
		try(fmt.Sprint("shrink to ", size), func(to *sizeState) bool { return size <= to.Size && m.begin(to, size, true) })
	}
	for unit := range s.Size {
		try(fmt.Sprint("write ", unit), func(to *sizeState) bool { return m.write(to, unit) })
	}
}

// write fills a unit, on all of U; an active member that is smaller cannot (it would leave).
func (m sizeModel) write(s *sizeState, unit uint64) bool {
	for i := range s.Member {
		d := &s.Member[i]
		switch {
		case !s.U.Has(i):
			d.Missed[unit] = true
		case unit >= d.Size:
			s.lose(i)
			d.Missed[unit] = true
		default:
			d.Data[unit] = 1 + d.Data[unit]%2
		}
	}
	return s.Live
}

// search goes through all states; the way to the first bad one, or "".
func (m sizeModel) search() (way []string, states int, err error) {
	type step struct {
		from int
		what string
	}
	var first sizeState
	for i := range first.Member {
		first.Member[i] = sizeMember{Alive: true, Size: sizeUnits, Room: sizeUnits, UpToDate: pool.MaskOf(0, 1)}
		first.Member[i].Data = [sizeUnits]byte{1, 1, 1}
	}
	first.Voted = pool.MaskOf(0, 1)
	all, steps, seen := []sizeState{first}, []step{{}}, map[sizeState]bool{first: true}
	for at := 0; at < len(all) && err == nil; at++ {
		m.next(all[at], func(what string, to sizeState, bad error) {
			if err != nil || (bad == nil && seen[to]) {
				return
			}
			seen[to] = true
			all, steps = append(all, to), append(steps, step{at, what})
			if err = bad; err != nil {
				for k := len(all) - 1; k > 0; k = steps[k].from {
					way = append(way, steps[k].what)
				}
				slices.Reverse(way)
			}
		})
	}
	return way, len(all), err
}

func TestSizesNeverBringOldDataBack(t *testing.T) {
	for _, quorum := range []bool{false, true} {
		way, states, err := sizeModel{quorum: quorum}.search()
		t.Logf("quorum %v: %d states", quorum, states)
		if err != nil {
			t.Errorf("quorum %v: %v: %v", quorum, err, way)
		}
	}
}

// TestSizesNeedEachRule: without it the model finds old data, or members that differ.
func TestSizesNeedEachRule(t *testing.T) {
	for mutant, name := range map[sizeMutant]string{
		sizesNoNumber: "a member does not look at the number of the last shrink", sizesOldNumber: "a shrink that is repeated has the number of the first",
		sizesKeepRoom: "a member that shrinks keeps its room", sizesAway: "a shrink while a member is away",
		sizesNotAsked: "a growth is told to one before the others are asked", sizesDeviceLast: "the device shrinks last",
	} {
		t.Run(name, func(t *testing.T) {
			for _, quorum := range []bool{false, true} {
				way, states, err := sizeModel{mutant, quorum}.search()
				if err != nil {
					t.Logf("quorum %v: %v: %v", quorum, err, way)
					return
				}
				t.Logf("quorum %v: nothing found in %d states", quorum, states)
			}
			t.Error("the rule is not needed")
		})
	}
}
