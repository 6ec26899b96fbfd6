/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Messages between a client and a storage node and between storage nodes. Little-endian, fixed
 * sizes, append-only; reserved fields are sent as zero and refused when not zero.
 *
 * A message is a request; the transport answers each with a status (0 or a negative errno of the
 * list below) and, for messages with a reply, with a body that it places in memory the requester
 * offered. Data of WRITE and READ goes beside the message, not in it. No message is larger than
 * RMR_MSG_MAX, no reply larger than the transport's maximum I/O size.
 *
 * A session starts with HELLO. ATTACH binds one pool to one session and one epoch and returns the
 * handle that every later message of that pool carries.
 */
#ifndef RMR_WIRE_H
#define RMR_WIRE_H

#include <linux/types.h>
#include <rmr/ondisk.h>

#define RMR_PROTO_MAJOR		1u		/* differs: refused */
#define RMR_PROTO_MINOR		0u		/* differs: the lower one is spoken */
#define RMR_PORT		7420u		/* RDMA CM port of storage nodes */
#define RMR_MSG_MAX		2048u		/* bytes of the largest request message */
#define RMR_NO_HANDLE		0xffffffffu

/* Message types. Retired numbers are never used again. */
#define RMR_MSG_HELLO		1u		/* session: versions, feature bits */
#define RMR_MSG_POOL_INFO	2u		/* by name or UUID, no handle */
#define RMR_MSG_ATTACH		3u		/* promise an epoch, get a handle */
#define RMR_MSG_VIEW		4u		/* persist a view */
#define RMR_MSG_DETACH		5u
#define RMR_MSG_KEEPALIVE	6u		/* also carries completed_below when idle */
#define RMR_MSG_IO		7u
#define RMR_MSG_MEMBER_SET	8u		/* set one slot of the member table */
#define RMR_MSG_MARK		9u		/* set bits; client to member */
#define RMR_MSG_CLEAR		10u		/* chunks are held durably; member to member */
#define RMR_MSG_MAP_PULL	11u		/* bits of all members; member to member */
#define RMR_MSG_LIST		12u		/* uncertain set of a promise; client to member */
#define RMR_MSG_RESYNC_READ	13u		/* data of a chunk; member to member */
#define RMR_MSG_DIGEST		14u		/* digests of blocks; member to member */
/* 15: AUTH (reserved) */
#define RMR_MSG_SETTLE		16u		/* marks are stable everywhere; client to member */
#define RMR_MSG_READY		17u		/* the map may be pulled; client to member */
#define RMR_MSG_PREPARE		18u		/* flush before a promotion; client to member */
#define RMR_MSG_FINE		19u		/* blocks of a dirty chunk; member to member */
#define RMR_MSG_RESIZE		20u		/* persist a larger pool; client to member */
#define RMR_MSG_TYPE_MAX	20u

/* struct rmr_msg_io.op */
#define RMR_OP_READ		0u
#define RMR_OP_WRITE		1u
#define RMR_OP_FLUSH		2u
#define RMR_OP_DISCARD		3u		/* reads as zeros afterwards, may free space */
#define RMR_OP_WRITE_ZEROES	4u		/* reads as zeros afterwards */
#define RMR_OP_MAX		4u

/* struct rmr_msg_io.flags */
#define RMR_IO_F_FUA		(1u << 0)	/* stable before the answer; no READ */
#define RMR_IO_F_NOUNMAP	(1u << 1)	/* WRITE_ZEROES: keep the space allocated */
#define RMR_IO_F_SYNC		(1u << 2)	/* hint: somebody waits for it */
#define RMR_IO_F_CRC		(1u << 3)	/* WRITE: data_crc32c is of the data */
#define RMR_IO_F_ALL		(RMR_IO_F_FUA | RMR_IO_F_NOUNMAP | RMR_IO_F_SYNC | RMR_IO_F_CRC)

/*
 * Status of an answer, as negative errno (the transport carries 0..511). Any other value is an
 * error of the store or the transport.
 */
#define RMR_ST_OK		0
#define RMR_ST_FENCED		(-116)	/* ESTALE: not the promised epoch */
#define RMR_ST_MISSED		(-61)	/* ENODATA: write not applied here, leg goes on */
#define RMR_ST_STALE		(-117)	/* EUCLEAN: chunk dirty here, read elsewhere */
#define RMR_ST_BUSY		(-16)	/* EBUSY: another client holds the pool */
#define RMR_ST_NOPOOL		(-2)	/* ENOENT: no such pool on this node */
#define RMR_ST_MALFORMED	(-71)	/* EPROTO: message refused by a check */
#define RMR_ST_PASSED_ON	(-121)	/* EREMOTEIO: read failed here, not to be repaired */
#define RMR_ST_LEFT		(-112)	/* EHOSTDOWN: left by its policy, its disk failed */
#define RMR_ST_HUNG		(-62)	/* ETIME: the disk does not answer */
#define RMR_ST_BAD_DATA		(-84)	/* EILSEQ: data does not match its checksum; not applied */
#define RMR_ST_REJOIN		(-85)	/* ERESTART: take the leg out and back, it copies anew */
#define RMR_ST_VERSION		(-93)	/* EPROTONOSUPPORT: protocol version */

struct rmr_msg_hdr {
	__le16	type;				/*  0 RMR_MSG_* */
	__u8	major;				/*  2 RMR_PROTO_MAJOR */
	__u8	minor;				/*  3 spoken minor; in HELLO the highest known */
	__le32	handle;				/*  4 from ATTACH, else RMR_NO_HANDLE */
};						/*  8 */

/* One read, write, flush, discard or write-zeroes. */
struct rmr_msg_io {
	struct rmr_msg_hdr hdr;			/*  0 */
	struct rmr_epoch_le epoch;		/*  8 */
	__le64	view;				/* 24 number of the view the client acts under */
	__le64	seq;				/* 32 of this write, 1, 2, ...; 0 for reads */
	__le64	completed_below;		/* 40 every write with a lower number has ended */
	__le64	offset;				/* 48 bytes into the pool; 0 for FLUSH */
	__le32	length;				/* 56 bytes; 0 for FLUSH */
	__u8	op;				/* 60 RMR_OP_* */
	__u8	missing;			/* 61 mask of members that do not get this write */
	__le16	flags;				/* 62 RMR_IO_F_* */
	__le32	data_crc32c;			/* 64 with RMR_IO_F_CRC, else 0 */
	__u8	reserved[12];			/* 68 */
};						/* 80 */

struct rmr_msg_hello {
	struct rmr_msg_hdr hdr;			/*  0 */
	__le64	features;			/*  8 offered by the requester */
	__le64	requester;			/* 16 random id of the requesting node's boot */
	char	node[RMR_NAME_LEN];		/* 24 host name of the requester, for people */
	__u8	reserved[40];			/* 88 */
};						/* 128 */

struct rmr_rsp_hello {
	__le16	major;				/*  0 */
	__le16	minor;				/*  2 to be spoken */
	__le32	max_io;				/*  4 bytes of the largest READ or WRITE */
	__le64	features;			/*  8 agreed */
	__le64	responder;			/* 16 random id of the answering node's boot */
	char	node[RMR_NAME_LEN];		/* 24 */
	__u8	reserved[40];			/* 88 */
};						/* 128 */

struct rmr_msg_pool_info {
	struct rmr_msg_hdr hdr;			/*  0 */
	char	name[RMR_NAME_LEN];		/*  8 empty: by UUID */
	__u8	uuid[RMR_UUID_LEN];		/* 72 zero: by name; both given: both must match */
	__u8	to;				/* 88 member id + 1 that is asked, 0: any */
	__u8	reserved[39];			/* 89 */
};						/* 128 */

/* Queue limits of a store, as its block device reports them. Zero: not supported. */
struct rmr_limits_le {
	__le32	logical_block;			/*  0 bytes, power of two, 512..4096 */
	__le32	physical_block;			/*  4 bytes */
	__le32	io_min;				/*  8 bytes */
	__le32	io_opt;				/* 12 bytes, 0: none */
	__le32	discard_max;			/* 16 bytes in one request */
	__le32	discard_granularity;		/* 20 bytes */
	__le32	zeroes_max;			/* 24 bytes in one request, by the device */
	__u8	write_cache;			/* 28 1: volatile cache, FLUSH needed */
	__u8	fua;				/* 29 1: native FUA */
	__u8	rotational;			/* 30 */
	__u8	reserved[33];			/* 31 */
};						/* 64 */

/* Reply to POOL_INFO and ATTACH: what this member knows of the pool. */
struct rmr_rsp_pool {
	__u8	pool_uuid[RMR_UUID_LEN];	/*    0 */
	char	pool_name[RMR_NAME_LEN];	/*   16 */
	__le64	pool_size;			/*   80 bytes */
	__le32	chunk_size;			/*   88 bytes */
	__u8	member_id;			/*   92 of the answering member */
	__u8	busy;				/*   93 1: a client holds the pool */
	__u8	reserved0[2];			/*   94 */
	__le32	sb_flags;			/*   96 RMR_SB_F_* */
	__le32	handle;				/*  100 ATTACH only, else RMR_NO_HANDLE */
	__le64	table_version;			/*  104 */
	struct rmr_epoch_le promised;		/*  112 */
	struct rmr_view_le view;		/*  128 */
	struct rmr_limits_le limits;		/*  176 */
	__u8	store_uuid[RMR_UUID_LEN];	/*  240 */
	struct rmr_sb_member member[RMR_MAX_MEMBERS];	/*  256 */
	__le64	others_lack;			/* 2048 chunks that one outside the view lacks */
	struct rmr_sb_member claim;		/* 2056 of a blank store heard lately, else zero */
	__u8	claim_id;			/* 2280 place that it wants; 0 without a claim */
	__u8	reserved1[3];			/* 2281 */
	__le32	cuts;				/* 2284 struct rmr_sb.cuts */
	__u8	reserved2[16];			/* 2288 */
};						/* 2304 */

/* struct rmr_msg_attach.flags */
#define RMR_ATTACH_F_TAKEOVER	(1u << 0)	/* even if a client is connected */
#define RMR_ATTACH_F_FORCE	(1u << 1)	/* its views may begin a new lineage */
#define RMR_ATTACH_F_ALL	(RMR_ATTACH_F_TAKEOVER | RMR_ATTACH_F_FORCE)

struct rmr_msg_attach {
	struct rmr_msg_hdr hdr;			/*  0 */
	__u8	pool_uuid[RMR_UUID_LEN];	/*  8 */
	struct rmr_epoch_le epoch;		/* 24 higher than any promised before */
	__le32	flags;				/* 40 RMR_ATTACH_F_* */
	__u8	member_id;			/* 44 whom the client believes to talk to */
	__u8	reserved[19];			/* 45 */
	char	node[RMR_NAME_LEN];		/* 64 host name of the client, for people */
};						/* 128 */

struct rmr_msg_view {
	struct rmr_msg_hdr hdr;			/*  0 with handle */
	struct rmr_view_le view;		/*  8 */
	__u8	reserved[8];			/* 56 */
};						/* 64 */

/* struct rmr_msg_detach.flags */
#define RMR_DETACH_F_CLEAN	(1u << 0)	/* flushed everywhere, every write has ended */
#define RMR_DETACH_F_ALL	RMR_DETACH_F_CLEAN

struct rmr_msg_detach {
	struct rmr_msg_hdr hdr;			/*  0 with handle */
	struct rmr_epoch_le epoch;		/*  8 */
	__le32	flags;				/* 24 RMR_DETACH_F_* */
	__u8	reserved[36];			/* 28 */
};						/* 64 */

struct rmr_msg_keepalive {
	struct rmr_msg_hdr hdr;			/*  0 with handle */
	struct rmr_epoch_le epoch;		/*  8 */
	__le64	view;				/* 24 */
	__le64	completed_below;		/* 32 */
	__u8	reserved[24];			/* 40 */
};						/* 64 */

/* struct rmr_rsp_keepalive.flags */
#define RMR_ALIVE_F_MAP		(1u << 0)	/* the member's map is complete */
#define RMR_ALIVE_F_STALLED	(1u << 1)	/* resync has work and gets nowhere; see reason */
#define RMR_ALIVE_F_PAUSED	(1u << 2)	/* resync was paused by a command */
#define RMR_ALIVE_F_ALL		(RMR_ALIVE_F_MAP | RMR_ALIVE_F_STALLED | RMR_ALIVE_F_PAUSED)

/*
 * What a client needs to decide on a promotion (R5.6): nothing lacked, map complete, and the bits
 * of this member cleared on every other active one, under the view named here.
 */
struct rmr_rsp_keepalive {
	__le64	view;				/*  0 number of the member's view */
	__le64	lacking;			/*  8 chunks, running copies included */
	__le64	copied;				/* 16 bytes copied since the member joined */
	__u8	cleared_on;			/* 24 members that confirmed CLEAR of all */
	__u8	flags;				/* 25 RMR_ALIVE_F_* */
	__u8	reserved0[6];			/* 26 */
	__le64	table;				/* 32 checksum of the member table, R9.10 */
	__u8	reserved1[24];			/* 40 */
};						/* 64 */

/* Chunks first .. first + count - 1. count is not zero. */
struct rmr_range_le {
	__le64	first;				/*  0 */
	__le64	count;				/*  8 */
};						/* 16 */

#define RMR_MSG_RANGES		60u		/* in one message; unused ones are zero */

/*
 * Sets bits on chunks and, for reconcile, removes the bits against its source (R6.4); persisted
 * before the answer. number: of this session, 1, 2, ...; a copy of one executed changes nothing
 * and is refused (R2.13). At most RMR_MARKS_AT_ONCE may be under way.
 */
#define RMR_MARKS_AT_ONCE	32u

struct rmr_msg_mark {
	struct rmr_msg_hdr hdr;			/*  0 with handle */
	struct rmr_epoch_le epoch;		/*  8 */
	__le64	view;				/* 24 number of the view the client acts under */
	__le64	number;				/* 32 */
	__u8	bits;				/* 40 mask of members that lack the chunks */
	__u8	source;				/* 41 of reconcile, a mask; else 0 */
	__le16	count;				/* 42 ranges used, 1..RMR_MSG_RANGES */
	__u8	reserved[20];			/* 44 */
	struct rmr_range_le range[RMR_MSG_RANGES];	/* 64 */
};						/* 1024 */

/* The sending member holds the chunks durably: its bit goes. Stable before the answer. */
struct rmr_msg_clear {
	struct rmr_msg_hdr hdr;			/*  0 */
	__u8	pool_uuid[RMR_UUID_LEN];	/*  8 */
	struct rmr_epoch_le epoch;		/* 24 */
	__le64	view;				/* 40 number of the sender's view */
	__u8	from;				/* 48 sending member */
	__u8	to;				/* 49 member id + 1 addressed, 0: any */
	__le16	count;				/* 50 ranges used, 1..RMR_MSG_RANGES */
	__u8	reserved[12];			/* 52 */
	struct rmr_range_le range[RMR_MSG_RANGES];	/* 64 */
};						/* 1024 */

/* Bits of all members on chunks of at least first, from a member of U. */
struct rmr_msg_map_pull {
	struct rmr_msg_hdr hdr;			/*  0 */
	__u8	pool_uuid[RMR_UUID_LEN];	/*  8 */
	struct rmr_epoch_le epoch;		/* 24 */
	__le64	first;				/* 40 chunk */
	__u8	from;				/* 48 asking member */
	__u8	to;				/* 49 member id + 1 addressed, 0: any */
	__u8	reserved[14];			/* 50 */
};						/* 64 */

/* Chunks first .. first + count - 1 have these bits. */
struct rmr_map_run_le {
	__le64	first;				/*  0 */
	__le32	count;				/*  8 not zero */
	__u8	bits;				/* 12 not zero */
	__u8	reserved[3];			/* 13 */
};						/* 16 */

#define RMR_MAP_RUNS		508u
#define RMR_NO_MORE		0xffffffffffffffffull

/* Runs in rising order without overlap; chunks between them have no bit. */
struct rmr_rsp_map_pull {
	__le64	first;				/*  0 as asked */
	__le64	next;				/*  8 chunk to go on with; RMR_NO_MORE: complete */
	__le64	chunks;				/* 16 of the pool */
	__le16	count;				/* 24 runs used */
	__u8	reserved[38];			/* 26 */
	struct rmr_map_run_le run[RMR_MAP_RUNS];	/* 64 */
};						/* 8192 */

/* The chunks whose writes the member does not know complete (R5.1, R6.1), from chunk first on. */
struct rmr_msg_list {
	struct rmr_msg_hdr hdr;			/*  0 with handle */
	struct rmr_epoch_le epoch;		/*  8 */
	__le64	first;				/* 24 chunk */
	__u8	reserved[32];			/* 32 */
};						/* 64 */

/* struct rmr_rsp_list.flags */
#define RMR_LIST_F_RESTARTED	(1u << 0)	/* lost its memory since it last was settled */
#define RMR_LIST_F_ALL		RMR_LIST_F_RESTARTED

#define RMR_LIST_RANGES		252u

/* Ranges in rising order without overlap. */
struct rmr_rsp_list {
	__le64	first;				/*  0 as asked */
	__le64	next;				/*  8 chunk to go on with; RMR_NO_MORE: complete */
	__le16	count;				/* 16 ranges used */
	__u8	flags;				/* 18 RMR_LIST_F_* */
	__u8	reserved[45];			/* 19 */
	struct rmr_range_le range[RMR_LIST_RANGES];	/* 64 */
};						/* 4096 */

/* struct rmr_msg_resync_read.flags */
#define RMR_RESYNC_F_CRC	(1u << 0)	/* a tail with the checksum follows the data */
#define RMR_RESYNC_F_ALL	RMR_RESYNC_F_CRC

/* Data of a range inside one chunk, from a member that has it. The reply is the data. */
struct rmr_msg_resync_read {
	struct rmr_msg_hdr hdr;			/*  0 */
	__u8	pool_uuid[RMR_UUID_LEN];	/*  8 */
	struct rmr_epoch_le epoch;		/* 24 */
	__le64	offset;				/* 40 bytes, multiple of RMR_BLOCK_SIZE */
	__le32	length;				/* 48 bytes, multiple of RMR_BLOCK_SIZE, not zero */
	__u8	from;				/* 52 asking member */
	__u8	to;				/* 53 member id + 1 addressed, 0: any */
	__u8	flags;				/* 54 RMR_RESYNC_F_* */
	__u8	reserved[9];			/* 55 */
};						/* 64 */

/* Bytes behind the data with RMR_RESYNC_F_CRC: the data's CRC-32C as le32, the rest zero. */
#define RMR_RESYNC_TAIL		16u

/*
 * SETTLE: the client is live and the marks of the uncertain set are persisted everywhere; the set
 * may be dropped (R6.6). READY: every write issued before the view has completed, the member may
 * pull its map (R5.3). PREPARE: flush and persist the map, for a promotion (R5.7).
 */
struct rmr_msg_step {
	struct rmr_msg_hdr hdr;			/*  0 with handle */
	struct rmr_epoch_le epoch;		/*  8 */
	__le64	view;				/* 24 number of the view the client acts under */
	__u8	reserved[32];			/* 32 */
};						/* 64 */

/* struct rmr_msg_resize.flags */
#define RMR_RESIZE_F_SHRINK	(1u << 0)	/* what is behind the size is given up */
#define RMR_RESIZE_F_ASK	(1u << 1)	/* nothing changes, but would it do? */
#define RMR_RESIZE_F_ALL	(RMR_RESIZE_F_SHRINK | RMR_RESIZE_F_ASK)

/*
 * The pool is that large from now on (R9.12). Answered when it is persisted; again, by a member
 * that has that size already. -ENOSPC: the store has no room, see struct rmr_sb.room. -ESTALE: the
 * member was not told of the last shrink. See rmr_resize_rule().
 */
struct rmr_msg_resize {
	struct rmr_msg_hdr hdr;			/*  0 with handle */
	struct rmr_epoch_le epoch;		/*  8 */
	__le64	size;				/* 24 bytes */
	__le64	from;				/* 32 bytes of the pool as its client has it */
	__le32	cuts;				/* 40 of the last shrink, or of this one */
	__u8	flags;				/* 44 RMR_RESIZE_F_* */
	__u8	reserved[19];			/* 45 */
};						/* 64 */

/* Which blocks of a chunk may differ, as far as the asked member knows (fine map). */
struct rmr_msg_fine {
	struct rmr_msg_hdr hdr;			/*  0 */
	__u8	pool_uuid[RMR_UUID_LEN];	/*  8 */
	struct rmr_epoch_le epoch;		/* 24 */
	__le64	chunk;				/* 40 */
	__u8	from;				/* 48 asking member */
	__u8	to;				/* 49 member id + 1 addressed, 0: any */
	__u8	reserved[14];			/* 50 */
};						/* 64 */

#define RMR_FINE_BYTES		512u		/* a bit for each block of the largest chunk */

/*
 * newest is the highest number of a write of this epoch that touches the chunk and is not known
 * complete here, 0 for none. Whoever copies asks once more after it read the data (F_COPYLIST).
 */
struct rmr_rsp_fine {
	__le64	chunk;				/*  0 as asked */
	__u8	known;				/*  8 0: any block may differ, no bit is set */
	__u8	reserved0[7];			/*  9 */
	__le64	newest;				/* 16 see above */
	__le64	latency_ns;			/* 24 of application I/O here, 0: there is none */
	__u8	reserved1[32];			/* 32 */
	__u8	block[RMR_FINE_BYTES];		/* 64 block b: bit b % 8 of byte b / 8 */
};						/* 576 */

#define RMR_DIGESTS		256u		/* in one reply */
#define RMR_DIGEST_LEN		16u
#define RMR_DIGEST_BYTES	4096u		/* RMR_DIGESTS of them */

/*
 * Digests of blocks first .. first + count - 1 of a chunk, from a member that has it: BLAKE2s with
 * 128 bits, keyed. The key is random and of this request alone, so that nobody who writes data can
 * know of two blocks that have the same digest; then they are equal but for a chance of 2^-128.
 */
struct rmr_msg_digest {
	struct rmr_msg_hdr hdr;			/*   0 */
	__u8	pool_uuid[RMR_UUID_LEN];	/*   8 */
	struct rmr_epoch_le epoch;		/*  24 */
	__le64	chunk;				/*  40 */
	__u8	from;				/*  48 asking member */
	__u8	to;				/*  49 member id + 1 addressed, 0: any */
	__le16	first;				/*  50 block of the chunk */
	__le16	count;				/*  52 1..RMR_DIGESTS */
	__u8	reserved0[10];			/*  54 */
	__u8	key[RMR_DIGEST_LEN];		/*  64 */
	__u8	reserved1[48];			/*  80 */
};						/* 128 */

/* struct rmr_rsp_digest.flags. STEADY: in U, settled, and nothing of the chunk is uncertain. */
#define RMR_DIGEST_F_STEADY	(1u << 0)
#define RMR_DIGEST_F_ALL	0x1u

/* What the member knew of the chunk once it had read the data (R5.11) stands before the digests. */
struct rmr_rsp_digest {
	__le64	chunk;				/*    0 as asked, like first and count */
	__le16	first;				/*    8 */
	__le16	count;				/*   10 */
	__u8	dirty;				/*   12 bits of the chunk against other members */
	__u8	flags;				/*   13 RMR_DIGEST_F_* */
	__u8	reserved0[2];			/*   14 */
	__le64	newest;				/*   16 as in struct rmr_rsp_fine */
	__le64	view;				/*   24 number of the member's view */
	__u8	reserved1[32];			/*   32 */
	__u8	digest[RMR_DIGEST_BYTES];	/*   64 one after the other, unused ones are zero */
};						/* 4160 */

/*
 * Sets slot member_id of the member table. With the handle of an attachment, by the client that
 * holds its epoch: the slot as it is (R9.4). Without one it is a wish or makes members of a pool
 * that no client has used, and is refused unless table_version is the member's own. Slots that
 * differ are told together: those with more stay in memory and are persisted with the last one
 * (F_WHOLE).
 */
struct rmr_msg_member_set {
	struct rmr_msg_hdr hdr;			/*   0 with handle or without */
	__u8	pool_uuid[RMR_UUID_LEN];	/*   8 */
	__le64	table_version;			/*  24 before the change; with handle 0 */
	__u8	member_id;			/*  32 */
	__u8	more;				/*  33 1: others follow; only with handle */
	__u8	reserved[6];			/*  34 */
	struct rmr_epoch_le epoch;		/*  40 with handle, else zero */
	struct rmr_sb_member member;		/*  56 state RMR_MEMBER_NONE frees the slot */
};						/* 280 */

RMR_ASSERT_SIZE(struct rmr_msg_hdr, 8);
RMR_ASSERT_SIZE(struct rmr_msg_io, 80);
RMR_ASSERT_OFF(struct rmr_msg_io, offset, 48);
RMR_ASSERT_OFF(struct rmr_msg_io, data_crc32c, 64);
RMR_ASSERT_SIZE(struct rmr_msg_hello, 128);
RMR_ASSERT_SIZE(struct rmr_rsp_hello, 128);
RMR_ASSERT_SIZE(struct rmr_msg_pool_info, 128);
RMR_ASSERT_SIZE(struct rmr_limits_le, 64);
RMR_ASSERT_OFF(struct rmr_limits_le, write_cache, 28);
RMR_ASSERT_SIZE(struct rmr_rsp_pool, 2304);
RMR_ASSERT_OFF(struct rmr_rsp_pool, view, 128);
RMR_ASSERT_OFF(struct rmr_rsp_pool, others_lack, 2048);
RMR_ASSERT_OFF(struct rmr_rsp_pool, member, 256);
RMR_ASSERT_OFF(struct rmr_rsp_pool, claim, 2056);
RMR_ASSERT_SIZE(struct rmr_msg_attach, 128);
RMR_ASSERT_OFF(struct rmr_msg_attach, node, 64);
RMR_ASSERT_SIZE(struct rmr_msg_view, 64);
RMR_ASSERT_SIZE(struct rmr_msg_detach, 64);
RMR_ASSERT_SIZE(struct rmr_msg_keepalive, 64);
RMR_ASSERT_SIZE(struct rmr_rsp_keepalive, 64);
RMR_ASSERT_OFF(struct rmr_rsp_keepalive, table, 32);
RMR_ASSERT_SIZE(struct rmr_range_le, 16);
RMR_ASSERT_SIZE(struct rmr_msg_mark, 1024);
RMR_ASSERT_OFF(struct rmr_msg_mark, range, 64);
RMR_ASSERT_SIZE(struct rmr_msg_clear, 1024);
RMR_ASSERT_OFF(struct rmr_msg_clear, range, 64);
RMR_ASSERT_SIZE(struct rmr_msg_map_pull, 64);
RMR_ASSERT_SIZE(struct rmr_map_run_le, 16);
RMR_ASSERT_SIZE(struct rmr_rsp_map_pull, 8192);
RMR_ASSERT_OFF(struct rmr_rsp_map_pull, run, 64);
RMR_ASSERT_SIZE(struct rmr_msg_list, 64);
RMR_ASSERT_SIZE(struct rmr_rsp_list, 4096);
RMR_ASSERT_OFF(struct rmr_rsp_list, range, 64);
RMR_ASSERT_SIZE(struct rmr_msg_resync_read, 64);
RMR_ASSERT_SIZE(struct rmr_msg_step, 64);
RMR_ASSERT_SIZE(struct rmr_msg_resize, 64);
RMR_ASSERT_SIZE(struct rmr_msg_fine, 64);
RMR_ASSERT_SIZE(struct rmr_rsp_fine, 576);
RMR_ASSERT_SIZE(struct rmr_msg_digest, 128);
RMR_ASSERT_OFF(struct rmr_msg_digest, key, 64);
RMR_ASSERT_SIZE(struct rmr_rsp_digest, 4160);
RMR_ASSERT_OFF(struct rmr_rsp_digest, newest, 16);
RMR_ASSERT_OFF(struct rmr_rsp_digest, digest, 64);
RMR_ASSERT_SIZE(struct rmr_msg_member_set, 280);
RMR_ASSERT_OFF(struct rmr_msg_member_set, epoch, 40);
RMR_ASSERT_OFF(struct rmr_msg_member_set, member, 56);

#endif /* RMR_WIRE_H */
