// SPDX-License-Identifier: Apache-2.0

// Package pool holds the formats and the rules of a replicated pool: superblock and member table,
// the messages between client and storage nodes, views and who may make them, the states of a leg,
// attach, promotion, the choice of a source for reads and resync, reconcile, and the plan of a new pool.
//
// Everything here is a value or a pure function: no I/O, no clock, no goroutine, no package state. All
// functions may be called from several goroutines as long as no value they are given is being changed.
//
// The formats are those of kmod/include/rmr/ondisk.h and wire.h; a test parses those headers and fails
// when an offset, a size or a constant here differs. Names like F_WVIEW in comments are rules of the
// replication protocol (docs/protocol.md).
//
// Every decoder treats its input as hostile. It returns a *FieldError that names the field as the headers
// do, never panics, and allocates no more than the decoded value itself.
package pool
