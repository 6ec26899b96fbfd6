/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A member's memory of the writes of one epoch: duplicates (F_DUP) and the uncertain list (F_LIST).
 * A write stays, answered or not, until the client says that every write below a number has ended;
 * the client's limit of writes in flight bounds the list.
 *
 * No locks: the owner serialises the calls. Nothing sleeps unless the gfp says so.
 */
#ifndef RMR_WINDOW_H
#define RMR_WINDOW_H

#include "tree.h"
#include <rmr/wire.h>

enum rmr_arrival {
	RMR_ARRIVAL_NEW,		/* apply it */
	RMR_ARRIVAL_RUNNING,		/* duplicate of a running one: join it */
	RMR_ARRIVAL_ANSWERED,		/* duplicate of an answered one: answer the same */
	RMR_ARRIVAL_REFUSED,		/* below the completion mark: refuse, change nothing */
};

struct rmr_window {
	struct rmr_tree writes;
	u64	below;			/* completion mark: all writes below have ended */
};

/* The empty window of a new epoch. */
void rmr_window_init(struct rmr_window *window);
/* Forgets all writes and starts a new epoch. */
void rmr_window_reset(struct rmr_window *window);
/*
 * Notes write seq to chunks first..last; returns enum rmr_arrival or -ENOMEM with nothing changed.
 * *status: of an answered duplicate or of a refusal, else RMR_ST_OK.
 */
int rmr_window_arrive(struct rmr_window *window, u64 seq, u64 first, u64 last, int *status,
		      gfp_t gfp);
/* Notes how a write was answered. */
void rmr_window_answer(struct rmr_window *window, u64 seq, int status);
/* Moves the completion mark, never back. Tells whether it moved. */
bool rmr_window_completed(struct rmr_window *window, u64 below);
/* Whether a write that is not known complete touches a chunk, which is not copied then (F_HOLD). */
bool rmr_window_touches(const struct rmr_window *window, u64 chunk);
/*
 * Highest number of a write that is not known complete and touches a chunk; 0: none. A copy of the
 * chunk counts as held only when the completion mark is above it (F_COPYLIST).
 */
u64 rmr_window_newest(const struct rmr_window *window, u64 chunk);
/* Lowest chunk of at least from of all writes not known complete, or RMR_NO_UNCERTAIN. */
#define RMR_NO_UNCERTAIN	U64_MAX
u64 rmr_window_next_uncertain(const struct rmr_window *window, u64 from);

#endif /* RMR_WINDOW_H */
