// SPDX-License-Identifier: Apache-2.0

// This file owns the states of a leg as a table.

package pool

import "fmt"

// LegState is the client's view of one member.
type LegState uint8

// States of a leg.
const (
	LegAbsent   LegState = iota // no session
	LegPromised                 // session up, epoch promised, not in the view
	LegJoining                  // marks persisted, view with it in Y not established yet
	LegSyncing                  // in Y: gets writes, serves chunks known clean
	LegUpToDate                 // in U
	legStates
)

// LegEvent is what happens to a leg.
type LegEvent uint8

// Events of a leg.
const (
	LegConnected    LegEvent = iota // the member promised the epoch
	LegLiveUpToDate                 // attach went live with it in U
	LegLiveSyncing                  // attach went live with it in Y
	LegMarked                       // its uncertain chunks are marked on every active member
	LegEstablished                  // the view with it in Y is established
	LegGivenUp                      // its join was given up for a loss elsewhere
	LegPromoted                     // the view with it in U is established
	LegMissed                       // it answered MISSED, the view with it in Y is made
	LegLost                         // failed, stalled, or lost its link
	legEvents
)

// legTable[state][event] is the next state; absent entries are illegal.
func legTable() map[LegState]map[LegEvent]LegState {
	return map[LegState]map[LegEvent]LegState{
		LegAbsent:   {LegConnected: LegPromised, LegLost: LegAbsent},
		LegPromised: {LegLiveUpToDate: LegUpToDate, LegLiveSyncing: LegSyncing, LegMarked: LegJoining, LegLost: LegAbsent},
		LegJoining:  {LegEstablished: LegSyncing, LegGivenUp: LegPromised, LegLost: LegAbsent},
		LegSyncing:  {LegPromoted: LegUpToDate, LegMissed: LegSyncing, LegLost: LegAbsent},
		LegUpToDate: {LegMissed: LegSyncing, LegLost: LegAbsent},
	}
}

// Next is the state after an event; an illegal event is an error and the state stays.
func (s LegState) Next(e LegEvent) (LegState, error) {
	next, ok := legTable()[s][e]
	if !ok {
		return s, fmt.Errorf("leg %s: event %s: %w", s, e, ErrInvalid)
	}
	return next, nil
}

// String names the state as logs do.
func (s LegState) String() string {
	names := [...]string{"ABSENT", "PROMISED", "JOINING", "SYNCING", "UP_TO_DATE"}
	if int(s) < len(names) {
		return names[s]
	}
	return fmt.Sprintf("state-%d", uint8(s))
}

// String names the event as logs do.
func (e LegEvent) String() string {
	names := [...]string{"connected", "live-up-to-date", "live-syncing", "marked", "established", "given-up", "promoted", "missed", "lost"}
	if int(e) < len(names) {
		return names[e]
	}
	return fmt.Sprintf("event-%d", uint8(e))
}
