// SPDX-License-Identifier: Apache-2.0

// Package sim runs whole pools in virtual time: clients, storage nodes, witnesses, disks with volatile
// caches and a network, all driven by one seed in one thread, so that every run replays exactly. Members and
// clients are built on pkg/pool and pkg/dirtymap; superblocks, map sectors and all messages but the answers of ATTACH, IO and
// RESYNC_READ pass through their encodings.
//
// What the clients saw is checked for linearizability; what the members hold is checked at every crash, at
// rest, and for reaching rest at all. Rules of the protocol can be switched off one by one (mutants) to show
// that the checks notice.
package sim
