// SPDX-License-Identifier: Apache-2.0

// This file owns a client's progress from one established view to the next.

package pool

// ViewMaker keeps the last established view of an attachment and the one being established. The owner sends
// Proposed to the members of Targets and reports who persisted it; acknowledgements wait while Settled is
// false.
type ViewMaker struct {
	voters      Voters
	established View
	proposed    View
	persisted   Mask
	number      uint64 // highest used
	change      Change // between the two
	broken      bool   // no up-to-date member left
	holders     Mask   // members that were told any view of this lineage
	regain      bool   // forced: ask for a majority once that many hold it (R2.15)
}

// NewViewMaker starts with the view that attach established.
func NewViewMaker(voters Voters, established View) *ViewMaker {
	return &ViewMaker{voters: voters, established: established, proposed: established, number: established.Number, persisted: established.Active()}
}

// Regain makes a forced pool ask for a majority again once that many hold its lineage; holders are those told before.
func (m *ViewMaker) Regain(holders Mask) { m.holders, m.regain = holders, true }

// Tell is to be called before a member is told the proposed view. In a forced pool a majority is asked for from when
// that many may hold its lineage: from then on others could be enough without this client (R2.15).
func (m *ViewMaker) Tell(id int) {
	m.holders = m.holders.With(id)
	asked := m.voters
	asked.Quorum = true
	if m.regain && asked.Majority(m.holders) {
		m.voters.Quorum = true
	}
}

// Voters says who decides now.
func (m *ViewMaker) Voters() Voters { return m.voters }

// Holders are the members that were told a view of this lineage.
func (m *ViewMaker) Holders() Mask { return m.holders }

// Established is the last established view.
func (m *ViewMaker) Established() View { return m.established }

// Proposed is the newest view made; it equals Established when settled.
func (m *ViewMaker) Proposed() View { return m.proposed }

// Settled tells whether the newest view is established.
func (m *ViewMaker) Settled() bool { return m.proposed == m.established && !m.broken }

// Broken tells whether no up-to-date member is left: the attachment has to start over.
func (m *ViewMaker) Broken() bool { return m.broken }

// Sending is the set of members that get new writes: those of the established view that were not ejected
// since. A joining member gets none before its view is established.
func (m *ViewMaker) Sending() Mask { return m.established.Active() &^ m.change.Ejected }

// Targets is the set of members that still have to persist the proposed view; voters that are not active
// are asked too, where reachable.
func (m *ViewMaker) Targets() Mask {
	return (m.proposed.Active() | m.voters.Data | m.voters.Witnesses) &^ m.persisted
}

// Lose takes members out (ejected) or to Y (demoted). A join or promotion under way is given up. It tells
// whether a new view was made.
func (m *ViewMaker) Lose(ejected, demoted Mask) bool {
	grown := m.change.Joined | m.change.Promoted
	was := m.change
	m.change.Joined, m.change.Promoted = 0, 0
	active := m.established.Active()
	m.change.Ejected |= ejected & active
	m.change.Demoted = (m.change.Demoted | demoted&active) &^ m.change.Ejected
	repeated := demoted&active&^m.change.Ejected != 0 // each MISSED makes a view of its own
	if m.change == was && !repeated && grown == 0 {
		return false
	}
	return m.make()
}

// Grow starts a join or a promotion. It is refused (false) unless the present view is established.
func (m *ViewMaker) Grow(joined, promoted Mask) bool {
	if !m.Settled() {
		return false
	}
	m.change = Change{Joined: joined &^ m.established.Active(), Promoted: promoted & m.established.Syncing}
	if m.change.Empty() {
		return false
	}
	return m.make()
}

func (m *ViewMaker) make() bool {
	next, err := m.established.Next(m.number, m.change)
	if err != nil {
		m.broken = true
		return false
	}
	m.proposed, m.number, m.persisted = next, next.Number, 0
	return true
}

// Persisted notes that a member persisted the view of that number. It tells whether this established it.
func (m *ViewMaker) Persisted(id int, number uint64) bool {
	if number != m.proposed.Number || m.Settled() || m.broken {
		return false
	}
	m.persisted = m.persisted.With(id)
	if !m.voters.Established(m.proposed, m.persisted) {
		return false
	}
	m.established, m.change = m.proposed, Change{}
	return true
}
