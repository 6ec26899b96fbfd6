/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sets of 4 KiB blocks inside chunks, in memory only, bounded. A fine map is such a set: blocks of
 * a dirty chunk that really differ; a dirty chunk without bits in it differs anywhere. An overlay
 * too: blocks of a lacked chunk that were written since; a block without a bit is not written.
 *
 * No locks: the owner serialises the calls. Nothing sleeps unless the gfp says so.
 */
#ifndef RMR_BLOCKS_H
#define RMR_BLOCKS_H

#include "tree.h"

#define RMR_BLOCKS_PER_CHUNK_MAX	4096u

struct rmr_blocks {
	struct rmr_tree chunks;
	u32	per_chunk;
	u64	limit;			/* chunks */
	u64	memory;			/* bytes held beside this structure */
};

/* An empty set for chunks of per_chunk blocks, 1..4096, that holds bits of at most limit chunks. */
int rmr_blocks_init(struct rmr_blocks *set, u32 per_chunk, u64 limit);
/* Empties the set. */
void rmr_blocks_reset(struct rmr_blocks *set);
/*
 * Puts blocks first..last of a chunk in. 0; nothing changed: -ERANGE (not inside a chunk), -ENOSPC
 * (bits for more chunks than the limit), -ENOMEM.
 */
int rmr_blocks_add(struct rmr_blocks *set, u64 chunk, u32 first, u32 last, gfp_t gfp);
/* Takes blocks first..last out; those outside the chunk are left out. */
void rmr_blocks_remove(struct rmr_blocks *set, u64 chunk, u32 first, u32 last);
/* Takes all blocks of a chunk out. */
void rmr_blocks_drop(struct rmr_blocks *set, u64 chunk);
bool rmr_blocks_has(const struct rmr_blocks *set, u64 chunk, u32 block);
/* Whether there are bits for a chunk. */
bool rmr_blocks_known(const struct rmr_blocks *set, u64 chunk);
/* Lowest block of at least from of a chunk, or per_chunk. */
u32 rmr_blocks_next(const struct rmr_blocks *set, u64 chunk, u32 from);
/*
 * For a fine map: blocks first..last of a chunk changed; was_dirty says whether the chunk was dirty
 * already. A dirty chunk without bits stays without, because nobody knows its other blocks; a chunk
 * that gets no bits for want of memory counts as a whole.
 */
void rmr_fine_note(struct rmr_blocks *fine, u64 chunk, u32 first, u32 last, bool was_dirty,
		   gfp_t gfp);

#endif /* RMR_BLOCKS_H */
