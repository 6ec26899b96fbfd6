/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The order in which a syncing member takes the chunks it lacks, from whom, and which 4 KiB blocks
 * of them. Chunks come in rising order, several at a time, spread over the sources; a chunk that
 * failed comes back after the others. What is lacked is kept as a dirty map of one bit, so that a
 * replaced disk costs no more than any.
 *
 * No locks: the owner serialises the calls. Nothing sleeps unless the gfp says so.
 */
#ifndef RMR_PLAN_H
#define RMR_PLAN_H

#include "blocks.h"
#include "map.h"

struct rmr_plan {
	struct rmr_map lack;
	struct rmr_tree special;	/* chunks with a running copy or a failed source */
	u64	left;			/* chunks lacked, running ones included */
	u64	low;			/* no chunk below is lacked */
	u64	tickets;
	u32	running;		/* copies */
	u32	load[RMR_MAX_MEMBERS];	/* running copies of each source */
};

/* One step: a chunk from a member. The ticket tells two copies of one chunk apart. */
struct rmr_copy {
	u64	chunk;
	u64	ticket;
	u8	source;
};

/* What the plan asks its owner. */
struct rmr_plan_ops {
	/* Whether the chunk is not to be copied now (F_HOLD). */
	bool	(*held)(void *owner, u64 chunk);
	/* Mask of members that can serve the chunk. */
	u8	(*sources)(void *owner, u64 chunk);
};

int rmr_plan_init(struct rmr_plan *plan, u64 chunks, gfp_t gfp);
/* Makes room for more chunks, which are not lacked; as rmr_map_resize(). */
int rmr_plan_resize(struct rmr_plan *plan, u64 chunks, void **spare, gfp_t gfp);
void rmr_plan_destroy(struct rmr_plan *plan);
/* Forgets everything, as when the member joins again; tickets go on. */
void rmr_plan_reset(struct rmr_plan *plan);
/*
 * Notes that the member lacks chunks first..last. Running copies of them are void (F_VOID), even on
 * -ENOMEM. Chunks past the end are left out.
 */
int rmr_plan_add(struct rmr_plan *plan, u64 first, u64 last, gfp_t gfp);
/* Notes every chunk that has a bit of mask in a map of the same size. 0, -EINVAL or -ENOMEM. */
int rmr_plan_add_map(struct rmr_plan *plan, const struct rmr_map *map, u8 mask, gfp_t gfp);
bool rmr_plan_lacks(const struct rmr_plan *plan, u64 chunk);
/* Lowest chunk lacked of at least from, or RMR_NO_CHUNK. */
u64 rmr_plan_next_lacked(const struct rmr_plan *plan, u64 from);

/*
 * Hands out the lowest chunk that is not running, not held, and has a source that did not fail it:
 * the least loaded, then the lowest id. 1: *copy is set, 0: none now, -ENOMEM.
 */
int rmr_plan_next(struct rmr_plan *plan, const struct rmr_plan_ops *ops, void *owner,
		  struct rmr_copy *copy, gfp_t gfp);
/* Whether a copy is still the running one of its chunk. */
bool rmr_plan_valid(const struct rmr_plan *plan, const struct rmr_copy *copy);
/*
 * Ends a copy whose data is stable. 1: the chunk is no longer lacked; 0: the copy was void or never
 * handed out; -ENOMEM: the copy still runs, end it again.
 */
int rmr_plan_done(struct rmr_plan *plan, const struct rmr_copy *copy, gfp_t gfp);
/* Ends a copy without success; its source is not asked for this chunk again in this round. */
void rmr_plan_fail(struct rmr_plan *plan, const struct rmr_copy *copy);

/*
 * Next run of blocks of a chunk to copy: those of the fine map, or all if it does not know the
 * chunk, without those of the overlay. count: blocks of the chunk, fewer in a short last one.
 * False: nothing from block from on; else blocks *first..*last.
 */
bool rmr_plan_run(const struct rmr_blocks *fine, const struct rmr_blocks *overlay, u64 chunk,
		  u32 from, u32 count, u32 *first, u32 *last);
/*
 * A write to blocks first..last of a chunk was MISSED here: the chunk is lacked, its running copy
 * void (F_VOID), the blocks leave the overlay (F_OVLMISS) and enter the fine map. 0; -ENOMEM: the
 * plan does not know that the chunk is lacked, so the member has to leave and come back.
 */
int rmr_plan_missed(struct rmr_plan *plan, struct rmr_blocks *fine, struct rmr_blocks *overlay,
		    u64 chunk, u32 first, u32 last, gfp_t gfp);

#endif /* RMR_PLAN_H */
