// SPDX-License-Identifier: Apache-2.0

// Package dirtymap holds what a member tracks about writes: the dirty map with one byte per chunk, write
// intents, 4 KiB bits of a chunk (fine map and overlay), the window of writes that are not known complete,
// and the order in which a resync takes chunks.
//
// All of it is plain data without locks, clock or I/O: the owner serialises the calls and does the I/O the
// results ask for. Chunk and block numbers count from 0; ranges are in bytes where a parameter says so.
//
// Names like F_LIST in comments are rules of the replication protocol (docs/protocol.md).
package dirtymap
