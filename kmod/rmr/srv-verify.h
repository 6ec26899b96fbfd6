/* SPDX-License-Identifier: GPL-2.0-only */
/* The comparison of one pool's member on this node with others; owned by srv-verify.c. */
#ifndef RMR_SRV_VERIFY_H
#define RMR_SRV_VERIFY_H

#include "srv-link.h"

#define RMR_CHUNK_BLOCKS_MAX	(RMR_CHUNK_SIZE_MAX / RMR_BLOCK_SIZE)

/* One chunk that is being compared. */
struct rmr_verify_job {
	struct work_struct	work;
	struct rmr_srv_verify	*verify;
	u64			chunk;
	u64			generation;	/* of the track when the comparison began */
	unsigned int		watch;		/* of track->watch */
	bool			wrong;		/* the own copy of a block is to be replaced */
	u8			sources;	/* members that have all such blocks right */
	bool			unreadable;	/* one of the copies, at the last try */
	s64			owed_ns;	/* rest that it owes to applications */
	struct rmr_verify_facts	facts;
	struct rmr_msg_digest	msg;
	u8			own[RMR_DIGEST_BYTES];
	struct rmr_rsp_digest	*rsp[RMR_MAX_MEMBERS];	/* of members that were asked */
	u8			differs[RMR_CHUNK_BLOCKS_MAX];	/* for each block, who differs */
};

/* Blocks that differ, all from the same members. */
struct rmr_verify_range {
	u64	first;			/* block of the pool */
	u64	count;
	u8	members;
};

struct rmr_srv_verify {
	struct rmr_srv_pool	*pool;
	struct mutex		cmd_lock;	/* start, stop */
	struct mutex		link_lock;	/* guards link */
	struct rmr_srv_link	*link[RMR_MAX_MEMBERS];	/* jobs that were told them read it */
	bool			stopping;
	bool			ended;		/* the pool goes: no start any more */
	atomic_t		running;	/* jobs; the last one ends the pass */
	spinlock_t		lock;		/* guards what follows */
	u8			state;		/* enum rmr_verify_state */
	u8			legs;		/* asked for */
	u8			skipped;	/* members that some chunk was not compared with */
	int			from;
	struct rmr_map		todo;		/* chunks, 1 bit; a chunk under way is not in it */
	struct rmr_map		wrong;		/* chunks to be replaced: from whom */
	u64			cursor;
	u32			round;
	u64			left;		/* chunks, those under way included */
	u64			failures;
	u64			differences;
	u64			repaired;
	struct rmr_verify_range	range[RMR_DIFFERENCES];
	u32			ranges;
	u64			compared;	/* bytes, all rounds */
	u64			compared_before;	/* at measured_ns */
	u64			measured_ns;
	u64			speed;
	struct rmr_rate_limits	limits;
	u64			rate;		/* bytes/s allowed now */
	u64			next_ns;	/* when the next part may start */
	u64			control_ns;
	struct rmr_verify_job	*job[RMR_VERIFY_DEPTH_MAX];	/* while one runs */
};

#endif /* RMR_SRV_VERIFY_H */
