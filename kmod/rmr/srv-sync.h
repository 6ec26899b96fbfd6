/* SPDX-License-Identifier: GPL-2.0-only */
/* The resync of one pool's member on this node; owned by srv-sync.c. */
#ifndef RMR_SRV_SYNC_H
#define RMR_SRV_SYNC_H

#include "srv-link.h"

/* One copy under way. */
struct rmr_srv_job {
	struct work_struct	work;
	struct rmr_srv_sync	*sync;
	struct rmr_copy		copy;
	u64			generation;	/* of the track when the copy began */
	struct rmr_blocks	fine;		/* blocks the source named, or that differ */
	bool			known;		/* no other block of the chunk needs a copy */
	u32			blocks;		/* of the chunk */
	bool			busy;		/* under sync->lock */
	s64			owed_ns;	/* rest that it owes to applications */
	void			*buf;		/* RMR_SYNC_PART bytes and a tail */
};

/* A chunk that could not be copied and rests. */
struct rmr_srv_bad {
	u64	chunk;
	u64	until;			/* jiffies */
	u32	fails;
};

#define RMR_SYNC_BAD	16u

struct rmr_srv_sync {
	struct rmr_srv_pool	*pool;
	struct delayed_work	tick;
	bool			stopping;
	spinlock_t		lock;		/* guards the fields up to link */
	bool			paused;
	bool			digest;		/* compare before a copy */
	u8			pace;		/* enum rmr_pace */
	struct rmr_rate_limits	limits;
	u64			source_ns[RMR_MAX_MEMBERS];	/* latency on the sources */
	u64			source_until[RMR_MAX_MEMBERS];	/* jiffies, while that counts */
	u64			latency_ns;	/* that the rate was last set by, 0: none */
	u64			rate;		/* bytes/s allowed now */
	u64			next_ns;	/* when the next part may start */
	u64			control_ns;	/* of the controller's last step */
	u64			copied;		/* bytes since the join */
	u64			copied_from[RMR_MAX_MEMBERS];
	u64			equal;		/* bytes that need no copy */
	u64			copied_before;	/* at measured_ns */
	u64			measured_ns;
	u64			speed;		/* bytes/s measured */
	u64			chunks_done;
	u64			chunks_total;	/* lacked when the map was complete */
	u64			bad_total;	/* failed copies */
	u64			last_bad;
	struct rmr_srv_bad	bad[RMR_SYNC_BAD];
	struct rmr_map		told;		/* done, CLEAR not sent yet; 1 bit */
	u64			generation;	/* that copied and told belong to */
	u8			state;		/* enum rmr_resync_state */
	u8			reason;		/* enum rmr_reason */
	u64			stalled_since;	/* jiffies, 0: not */
	struct rmr_srv_link	*link[RMR_MAX_MEMBERS];	/* tick only; jobs read it */
	u8			ready;		/* mask of links that work, tick writes */
	u32			depth;
	struct rmr_srv_job	job[RMR_SYNC_DEPTH_MAX];
};

#define RMR_SYNC_PART	65536u		/* bytes read and written at once */

/* Percent of the time that a copy works while there is application I/O. */
u32 rmr_srv_share(void);
/* srv-pull.c */
int rmr_srv_pull(struct rmr_srv_sync *sync, unsigned int from);
void rmr_srv_tell(struct rmr_srv_sync *sync);
/* Whether every other active member has confirmed that nothing is lacked here. */
bool rmr_srv_announce(struct rmr_srv_sync *sync);
/* srv-copy.c */
void rmr_srv_copy_work(struct work_struct *work);
/*
 * Makes the chunk of a copy applying, so that nobody else writes to it until the end; *mask of the
 * blocks first .. first + count - 1, at most 32, that were not written meanwhile. False: void.
 */
bool rmr_srv_apply_begin(struct rmr_srv_job *job, u32 first, u32 count, u32 *mask);
void rmr_srv_apply_end(struct rmr_srv_job *job);
/* Waits until the rate allows so many bytes more. */
void rmr_srv_pace(struct rmr_srv_sync *sync, u32 bytes);
/* While applications do I/O, a copy works only its share of the time. */
void rmr_srv_rest(struct rmr_srv_job *job, u64 worked_ns);
/* srv-digest.c */
/* Finds the blocks of the chunk that differ from the source's: job->fine, job->known. */
int rmr_srv_compare(struct rmr_srv_job *job);

#endif /* RMR_SRV_SYNC_H */
