/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	docs/netlink/rmr.yaml */
/* YNL-GEN uapi header */

#ifndef _UAPI_LINUX_RMR_H
#define _UAPI_LINUX_RMR_H

#define RMR_FAMILY_NAME		"rmr"
#define RMR_FAMILY_VERSION	1

#define RMR_NAME_MAX	63
#define RMR_PATH_MAX	255

/**
 * enum rmr_pool_state - State of a pool on a storage node.
 * @RMR_POOL_STATE_IDLE: Assembled, no client attached.
 * @RMR_POOL_STATE_ATTACHED: A client holds an epoch and is served.
 * @RMR_POOL_STATE_FAILED: The store no longer works; see reason.
 */
enum rmr_pool_state {
	RMR_POOL_STATE_IDLE,
	RMR_POOL_STATE_ATTACHED,
	RMR_POOL_STATE_FAILED,
};

/**
 * enum rmr_device_state - State of a mapped device on a client.
 * @RMR_DEVICE_STATE_LIVE: I/O is served.
 * @RMR_DEVICE_STATE_SUSPENDED: No up-to-date leg is left; I/O waits for one to
 *   return.
 */
enum rmr_device_state {
	RMR_DEVICE_STATE_ATTACHING,
	RMR_DEVICE_STATE_LIVE,
	RMR_DEVICE_STATE_SUSPENDED,
	RMR_DEVICE_STATE_DETACHING,
};

/**
 * enum rmr_leg_state - State of a leg as the client sees it.
 * @RMR_LEG_STATE_UP_TO_DATE: Connected, in the view, serves reads and gets
 *   every write.
 * @RMR_LEG_STATE_FAILED: Not connected or refused; see reason.
 * @RMR_LEG_STATE_PROMISED: Connected again; chunks it may lack are being
 *   marked on the others.
 * @RMR_LEG_STATE_JOINING: The view that takes it in is being established.
 * @RMR_LEG_STATE_SYNCING: Gets every write and copies what it lacks from other
 *   members; not read.
 * @RMR_LEG_STATE_VOTING: A connected witness; it holds no data.
 */
enum rmr_leg_state {
	RMR_LEG_STATE_CONNECTING,
	RMR_LEG_STATE_UP_TO_DATE,
	RMR_LEG_STATE_FAILED,
	RMR_LEG_STATE_PROMISED,
	RMR_LEG_STATE_JOINING,
	RMR_LEG_STATE_SYNCING,
	RMR_LEG_STATE_VOTING,
};

/**
 * enum rmr_resync_state - What a syncing member does about the chunks it
 *   lacks.
 * @RMR_RESYNC_STATE_NONE: Not syncing.
 * @RMR_RESYNC_STATE_WAITING: In the syncing set; the map is not complete yet.
 * @RMR_RESYNC_STATE_STALLED: Chunks are lacked and nothing moves; see
 *   resync-reason.
 * @RMR_RESYNC_STATE_PAUSED: Paused by a command.
 * @RMR_RESYNC_STATE_DONE: Nothing is lacked and every other active member
 *   knows; the client promotes.
 */
enum rmr_resync_state {
	RMR_RESYNC_STATE_NONE,
	RMR_RESYNC_STATE_WAITING,
	RMR_RESYNC_STATE_COPYING,
	RMR_RESYNC_STATE_STALLED,
	RMR_RESYNC_STATE_PAUSED,
	RMR_RESYNC_STATE_DONE,
};

/**
 * enum rmr_resync_pace - What sets the present rate of a resync.
 * @RMR_RESYNC_PACE_NONE: Nothing is being copied.
 * @RMR_RESYNC_PACE_IDLE: No application I/O here and no ceiling; as fast as
 *   the copies get.
 * @RMR_RESYNC_PACE_RISING: Application I/O stays below its target latency, the
 *   rate rises.
 * @RMR_RESYNC_PACE_LATENCY: Application I/O takes longer than its target, the
 *   rate falls.
 * @RMR_RESYNC_PACE_FLOOR: Application I/O takes longer than its target, the
 *   rate is at its floor.
 * @RMR_RESYNC_PACE_CEILING: At the ceiling that an operator set.
 * @RMR_RESYNC_PACE_SOURCE: More is allowed than the copies reach; the depth,
 *   the sources, disks or links bound it.
 * @RMR_RESYNC_PACE_PAUSED: Paused by a command.
 * @RMR_RESYNC_PACE_SHARE: Application I/O goes on, so the copies rest part of
 *   the time; its latency is within the target.
 */
enum rmr_resync_pace {
	RMR_RESYNC_PACE_NONE,
	RMR_RESYNC_PACE_IDLE,
	RMR_RESYNC_PACE_RISING,
	RMR_RESYNC_PACE_LATENCY,
	RMR_RESYNC_PACE_FLOOR,
	RMR_RESYNC_PACE_CEILING,
	RMR_RESYNC_PACE_SOURCE,
	RMR_RESYNC_PACE_PAUSED,
	RMR_RESYNC_PACE_SHARE,
};

/**
 * enum rmr_verify_state - What a member does about comparing its chunks with
 *   those of others.
 * @RMR_VERIFY_STATE_NONE: Not asked for since the node serves the pool.
 * @RMR_VERIFY_STATE_WAITING: Not in the up-to-date set of a view told by a
 *   client, or none of the others is reached.
 * @RMR_VERIFY_STATE_STOPPED: Stopped by a command before its end.
 */
enum rmr_verify_state {
	RMR_VERIFY_STATE_NONE,
	RMR_VERIFY_STATE_WAITING,
	RMR_VERIFY_STATE_RUNNING,
	RMR_VERIFY_STATE_DONE,
	RMR_VERIFY_STATE_STOPPED,
};

/**
 * enum rmr_reason - Why something is in its state. One list for pools, devices
 *   and legs.
 * @RMR_REASON_DAMPED: The leg failed repeatedly and waits before it returns;
 *   see damped-ms.
 * @RMR_REASON_LEAVING: The member is being removed from the pool.
 * @RMR_REASON_MAINTENANCE: The member is kept out by command until its
 *   maintenance ends.
 * @RMR_REASON_REPLACED: Another store holds the member's place; this one is
 *   none of the pool any more.
 * @RMR_REASON_LIMITS: The queue limits of the member's store do not fit the
 *   device that is mapped.
 * @RMR_REASON_TOO_SMALL: The member's store holds a smaller pool than the
 *   device has.
 * @RMR_REASON_REPAIR: The leg left to copy anew what a verify found wrong in
 *   it.
 */
enum rmr_reason {
	RMR_REASON_NONE,
	RMR_REASON_ADMIN,
	RMR_REASON_CONNECT,
	RMR_REASON_LINK_LOST,
	RMR_REASON_IO_ERROR,
	RMR_REASON_TIMEOUT,
	RMR_REASON_FENCED,
	RMR_REASON_REFUSED,
	RMR_REASON_VERSION,
	RMR_REASON_IDENTITY,
	RMR_REASON_STORE_ERROR,
	RMR_REASON_DAMAGED_SUPERBLOCK,
	RMR_REASON_UNCLEAN,
	RMR_REASON_NO_LEG,
	RMR_REASON_SPLIT_BRAIN,
	RMR_REASON_NO_QUORUM,
	RMR_REASON_DAMPED,
	RMR_REASON_LEAVING,
	RMR_REASON_MAINTENANCE,
	RMR_REASON_REPLACED,
	RMR_REASON_LIMITS,
	RMR_REASON_TOO_SMALL,
	RMR_REASON_REPAIR,
};

/**
 * enum rmr_quorum - How many members have to agree before a view counts.
 * @RMR_QUORUM_OFF: All of the last up-to-date set; no majority is asked for.
 * @RMR_QUORUM_MAJORITY: More than half of all members, witnesses included.
 */
enum rmr_quorum {
	RMR_QUORUM_OFF,
	RMR_QUORUM_MAJORITY,
};

/**
 * enum rmr_on_error - What a member does about errors of its disk.
 * @RMR_ON_ERROR_REPAIR: A write is tried again once, what was unreadable is
 *   written back; the member stays.
 * @RMR_ON_ERROR_DETACH: As repair; after too many errors the member leaves
 *   until pool-disk lets it return.
 * @RMR_ON_ERROR_PASS_ON: Errors go to the client at once; nothing is tried
 *   again, written back or counted.
 */
enum rmr_on_error {
	RMR_ON_ERROR_REPAIR,
	RMR_ON_ERROR_DETACH,
	RMR_ON_ERROR_PASS_ON,
};

#define RMR_LATENCY_BUCKETS	28

/**
 * enum rmr_latency_of - What a histogram of latency is about.
 * @RMR_LATENCY_OF_STORE: Requests of clients at the store of a member on this
 *   node, until its disk has ended them.
 * @RMR_LATENCY_OF_DEVICE: Requests to a mapped pool, from submission to their
 *   end.
 * @RMR_LATENCY_OF_LEG: Requests to a leg that it answered well, from sending
 *   to the answer.
 */
enum rmr_latency_of {
	RMR_LATENCY_OF_STORE,
	RMR_LATENCY_OF_DEVICE,
	RMR_LATENCY_OF_LEG,
};

/**
 * enum rmr_latency_op - Operations that are counted apart.
 * @RMR_LATENCY_OP_DISCARD: DISCARD and WRITE_ZEROES.
 */
enum rmr_latency_op {
	RMR_LATENCY_OP_READ,
	RMR_LATENCY_OP_WRITE,
	RMR_LATENCY_OP_FLUSH,
	RMR_LATENCY_OP_DISCARD,
};

enum {
	RMR_A_MEMBER_ID = 1,
	RMR_A_MEMBER_KIND,
	RMR_A_MEMBER_STORE_UUID,
	RMR_A_MEMBER_NODE,
	RMR_A_MEMBER_ADDR,
	RMR_A_MEMBER_COPIED,
	RMR_A_MEMBER_PAD,
	RMR_A_MEMBER_GENERATION,
	RMR_A_MEMBER_LEAVING,
	RMR_A_MEMBER_MAINTENANCE,
	RMR_A_MEMBER_SUCCESSOR,

	__RMR_A_MEMBER_MAX,
	RMR_A_MEMBER_MAX = (__RMR_A_MEMBER_MAX - 1)
};

enum {
	RMR_A_POOL_NAME = 1,
	RMR_A_POOL_UUID,
	RMR_A_POOL_SIZE,
	RMR_A_POOL_CHUNK_SIZE,
	RMR_A_POOL_DEVICE,
	RMR_A_POOL_STORE_UUID,
	RMR_A_POOL_MEMBER_ID,
	RMR_A_POOL_NODE,
	RMR_A_POOL_ADDR,
	RMR_A_POOL_PEER,
	RMR_A_POOL_PORT,
	RMR_A_POOL_TRANSPORT,
	RMR_A_POOL_ZEROED,
	RMR_A_POOL_FORCE,
	RMR_A_POOL_STATE,
	RMR_A_POOL_REASON,
	RMR_A_POOL_MEMBER,
	RMR_A_POOL_EPOCH_SEQ,
	RMR_A_POOL_EPOCH_CLIENT,
	RMR_A_POOL_VIEW,
	RMR_A_POOL_UP_TO_DATE,
	RMR_A_POOL_SYNCING,
	RMR_A_POOL_CLEAN,
	RMR_A_POOL_USED,
	RMR_A_POOL_CLIENT,
	RMR_A_POOL_DAMAGED_COPIES,
	RMR_A_POOL_READS,
	RMR_A_POOL_WRITES,
	RMR_A_POOL_FLUSHES,
	RMR_A_POOL_DISCARDS,
	RMR_A_POOL_READ_BYTES,
	RMR_A_POOL_WRITE_BYTES,
	RMR_A_POOL_ERRORS,
	RMR_A_POOL_REFUSED,
	RMR_A_POOL_INFLIGHT,
	RMR_A_POOL_STORE_SIZE,
	RMR_A_POOL_WIPE,
	RMR_A_POOL_PAD,
	RMR_A_POOL_STALE,
	RMR_A_POOL_MISSED,
	RMR_A_POOL_INTENTS,
	RMR_A_POOL_RESYNC_STATE,
	RMR_A_POOL_RESYNC_REASON,
	RMR_A_POOL_RESYNC_LEFT,
	RMR_A_POOL_RESYNC_TOTAL,
	RMR_A_POOL_RESYNC_COPIED,
	RMR_A_POOL_RESYNC_RATE,
	RMR_A_POOL_RESYNC_ALLOWED,
	RMR_A_POOL_RESYNC_LIMIT,
	RMR_A_POOL_RESYNC_ETA_MS,
	RMR_A_POOL_RESYNC_FAILURES,
	RMR_A_POOL_RESYNC_PAUSE,
	RMR_A_POOL_DRY_RUN,
	RMR_A_POOL_QUORUM,
	RMR_A_POOL_WITNESS,
	RMR_A_POOL_RESYNC_PACE,
	RMR_A_POOL_RESYNC_FLOOR,
	RMR_A_POOL_RESYNC_TARGET_NS,
	RMR_A_POOL_RESYNC_LATENCY_NS,
	RMR_A_POOL_RESYNC_DIGEST,
	RMR_A_POOL_RESYNC_EQUAL,
	RMR_A_POOL_LINEAGE,
	RMR_A_POOL_DISCARDED,
	RMR_A_POOL_OTHERS_LACK,
	RMR_A_POOL_LEG,
	RMR_A_POOL_REPLACES,
	RMR_A_POOL_LEAVING,
	RMR_A_POOL_MAINTENANCE,
	RMR_A_POOL_VERIFY_STATE,
	RMR_A_POOL_VERIFY_RUN,
	RMR_A_POOL_VERIFY_FROM,
	RMR_A_POOL_VERIFY_LEGS,
	RMR_A_POOL_VERIFY_SKIPPED,
	RMR_A_POOL_VERIFY_DONE,
	RMR_A_POOL_VERIFY_TOTAL,
	RMR_A_POOL_VERIFY_RATE,
	RMR_A_POOL_VERIFY_LIMIT,
	RMR_A_POOL_VERIFY_ETA_MS,
	RMR_A_POOL_VERIFY_DIFFERENCES,
	RMR_A_POOL_VERIFY_BUSY,
	RMR_A_POOL_VERIFY_FAILURES,
	RMR_A_POOL_VERIFY_REPAIRED,
	RMR_A_POOL_VERIFIED,
	RMR_A_POOL_VERIFIED_DIFFERENCES,
	RMR_A_POOL_METADATA_DEVICE,
	RMR_A_POOL_ROOM,
	RMR_A_POOL_ON_ERROR,
	RMR_A_POOL_LEFT,
	RMR_A_POOL_DISK_RETURN,
	RMR_A_POOL_DISK_ERRORS,
	RMR_A_POOL_READ_ERRORS,
	RMR_A_POOL_WRITE_ERRORS,
	RMR_A_POOL_WRITE_RETRIES,
	RMR_A_POOL_HUNG_MS,
	RMR_A_POOL_DATA_CHECKSUMS,
	RMR_A_POOL_BAD_DATA,
	RMR_A_POOL_DEVICE_GROWN,

	__RMR_A_POOL_MAX,
	RMR_A_POOL_MAX = (__RMR_A_POOL_MAX - 1)
};

enum {
	RMR_A_DEVICE_INDEX = 1,
	RMR_A_DEVICE_NAME,
	RMR_A_DEVICE_UUID,
	RMR_A_DEVICE_ADDR,
	RMR_A_DEVICE_PORT,
	RMR_A_DEVICE_TRANSPORT,
	RMR_A_DEVICE_NODE,
	RMR_A_DEVICE_TAKEOVER,
	RMR_A_DEVICE_FORCE,
	RMR_A_DEVICE_STATE,
	RMR_A_DEVICE_REASON,
	RMR_A_DEVICE_SIZE,
	RMR_A_DEVICE_CHUNK_SIZE,
	RMR_A_DEVICE_EPOCH_SEQ,
	RMR_A_DEVICE_EPOCH_CLIENT,
	RMR_A_DEVICE_VIEW,
	RMR_A_DEVICE_UP_TO_DATE,
	RMR_A_DEVICE_SYNCING,
	RMR_A_DEVICE_READS,
	RMR_A_DEVICE_WRITES,
	RMR_A_DEVICE_FLUSHES,
	RMR_A_DEVICE_DISCARDS,
	RMR_A_DEVICE_READ_BYTES,
	RMR_A_DEVICE_WRITE_BYTES,
	RMR_A_DEVICE_ERRORS,
	RMR_A_DEVICE_HELD,
	RMR_A_DEVICE_INFLIGHT,
	RMR_A_DEVICE_PAD,
	RMR_A_DEVICE_STALL_MS,
	RMR_A_DEVICE_SUSPEND_MS,

	__RMR_A_DEVICE_MAX,
	RMR_A_DEVICE_MAX = (__RMR_A_DEVICE_MAX - 1)
};

enum {
	RMR_A_LEG_DEVICE_INDEX = 1,
	RMR_A_LEG_POOL_NAME,
	RMR_A_LEG_MEMBER_ID,
	RMR_A_LEG_STORE_UUID,
	RMR_A_LEG_NODE,
	RMR_A_LEG_ADDR,
	RMR_A_LEG_STATE,
	RMR_A_LEG_REASON,
	RMR_A_LEG_READS,
	RMR_A_LEG_WRITES,
	RMR_A_LEG_READ_BYTES,
	RMR_A_LEG_WRITE_BYTES,
	RMR_A_LEG_ERRORS,
	RMR_A_LEG_INFLIGHT,
	RMR_A_LEG_LATENCY_NS,
	RMR_A_LEG_MAX_IO,
	RMR_A_LEG_PAD,
	RMR_A_LEG_LACKING,
	RMR_A_LEG_AGE_MS,
	RMR_A_LEG_EJECTIONS,
	RMR_A_LEG_RETURNS,
	RMR_A_LEG_FORCE,
	RMR_A_LEG_KIND,
	RMR_A_LEG_DAMPED_MS,
	RMR_A_LEG_CAUSE,
	RMR_A_LEG_LEAVING,
	RMR_A_LEG_MAINTENANCE,
	RMR_A_LEG_SUCCESSOR,
	RMR_A_LEG_READ_ERRORS,
	RMR_A_LEG_READ_REPAIRS,
	RMR_A_LEG_READ_REPAIR_FAILURES,
	RMR_A_LEG_BAD_DATA,

	__RMR_A_LEG_MAX,
	RMR_A_LEG_MAX = (__RMR_A_LEG_MAX - 1)
};

enum {
	RMR_A_DIFFERENCE_POOL_NAME = 1,
	RMR_A_DIFFERENCE_MEMBER_ID,
	RMR_A_DIFFERENCE_MEMBERS,
	RMR_A_DIFFERENCE_OFFSET,
	RMR_A_DIFFERENCE_LENGTH,
	RMR_A_DIFFERENCE_PAD,

	__RMR_A_DIFFERENCE_MAX,
	RMR_A_DIFFERENCE_MAX = (__RMR_A_DIFFERENCE_MAX - 1)
};

enum {
	RMR_A_LATENCY_OF = 1,
	RMR_A_LATENCY_POOL_NAME,
	RMR_A_LATENCY_DEVICE_INDEX,
	RMR_A_LATENCY_MEMBER_ID,
	RMR_A_LATENCY_OP,
	RMR_A_LATENCY_SUM_NS,
	RMR_A_LATENCY_MAX_NS,
	RMR_A_LATENCY_BUCKET,
	RMR_A_LATENCY_PAD,

	__RMR_A_LATENCY_MAX,
	RMR_A_LATENCY_MAX = (__RMR_A_LATENCY_MAX - 1)
};

enum {
	RMR_CMD_POOL_CREATE = 1,
	RMR_CMD_POOL_JOIN,
	RMR_CMD_POOL_ASSEMBLE,
	RMR_CMD_POOL_STOP,
	RMR_CMD_POOL_GET,
	RMR_CMD_POOL_NTF,
	RMR_CMD_DEVICE_MAP,
	RMR_CMD_DEVICE_UNMAP,
	RMR_CMD_DEVICE_RESIZE,
	RMR_CMD_POOL_GROW,
	RMR_CMD_DEVICE_GET,
	RMR_CMD_DEVICE_NTF,
	RMR_CMD_LEG_GET,
	RMR_CMD_LEG_NTF,
	RMR_CMD_POOL_RESYNC,
	RMR_CMD_LEG_EJECT,
	RMR_CMD_LEG_RETURN,
	RMR_CMD_POOL_RESOLVE,
	RMR_CMD_POOL_PEEK,
	RMR_CMD_POOL_REPLACE,
	RMR_CMD_POOL_MEMBER,
	RMR_CMD_LEG_SET,
	RMR_CMD_POOL_VERIFY,
	RMR_CMD_DIFFERENCE_GET,
	RMR_CMD_POOL_DISK,
	RMR_CMD_LATENCY_GET,

	__RMR_CMD_MAX,
	RMR_CMD_MAX = (__RMR_CMD_MAX - 1)
};

#define RMR_MCGRP_NOTIFY	"notify"

#endif /* _UAPI_LINUX_RMR_H */
