/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * When a write intent may be cleared (F_INTENT), and that uncertain ones are kept (F_KEEP). The
 * intents themselves are bits of the dirty map; here is, for each chunk with one, the newest write
 * and whether this leg flushed since.
 *
 * No locks: the owner serialises the calls. Nothing sleeps unless the gfp says so.
 */
#ifndef RMR_INTENT_H
#define RMR_INTENT_H

#include "tree.h"

struct rmr_intents {
	struct rmr_tree chunks;
	u64	clock;			/* rises with every write that reached the store */
	u64	flushed;		/* highest mark that is stable */
	u64	flushes;		/* successful ones, for intents that were restored */
};

void rmr_intents_init(struct rmr_intents *intents);
/* Forgets all chunks. */
void rmr_intents_reset(struct rmr_intents *intents);
/* Notes write seq to a chunk before its data is submitted. 0, or -ENOMEM with nothing changed. */
int rmr_intent_begin(struct rmr_intents *intents, u64 chunk, u64 seq, gfp_t gfp);
/* Notes that a write begun before has reached the cache of the store, or failed. */
void rmr_intent_applied(struct rmr_intents *intents, u64 chunk);
/* The mark to hand to rmr_intents_flushed when the flush that starts now has succeeded. */
u64 rmr_intents_flush_start(const struct rmr_intents *intents);
/* Everything applied up to the mark is stable on this leg. */
void rmr_intents_flushed(struct rmr_intents *intents, u64 mark);
/*
 * Lowest chunk of at least from whose intent may be cleared: all its writes are below the
 * completion mark and flushed here. RMR_NO_INTENT if none.
 */
#define RMR_NO_INTENT	U64_MAX
u64 rmr_intents_next_clearable(const struct rmr_intents *intents, u64 from, u64 below);
/*
 * Forgets a chunk whose intent was cleared; the owner allows no begin since it was found clearable.
 */
void rmr_intent_cleared(struct rmr_intents *intents, u64 chunk);
/*
 * Keeps the intents of all chunks tracked now until release: their writes belong to an older epoch,
 * session or life, and nobody knows yet whether the legs agree on them.
 */
void rmr_intents_hold(struct rmr_intents *intents);
/* Tracks a chunk whose intent was found on disk: held, not flushed. 0 or -ENOMEM. */
int rmr_intent_restore(struct rmr_intents *intents, u64 chunk, gfp_t gfp);
/* The client said that the marks of all uncertain chunks are persisted everywhere. */
void rmr_intents_release(struct rmr_intents *intents);

#endif /* RMR_INTENT_H */
