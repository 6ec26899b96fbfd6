/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who may be asked for data, whom to ask, and who may be promoted (protocol sections 4 and 5). Pure:
 * no locks, no clock, no I/O, no allocation; any context. Masks are of member ids.
 */
#ifndef RMR_READ_H
#define RMR_READ_H

#include "view.h"

/*
 * R4.1: members that a read may be sent to: U, and those of Y that the reader takes for clean there.
 * dirty: members that the reader knows to lack the chunk.
 */
u8 rmr_read_legs(const struct rmr_view *view, u8 known_clean, u8 dirty);
/* Members that a syncing member may copy a chunk from; a dirty one is never a source (M_SRC). */
u8 rmr_resync_sources(const struct rmr_view *view, unsigned int self, u8 dirty);
/*
 * Whether a member may serve a chunk. told: it was told a view under a promise of its present life
 * (R5.9). Of Y only with a complete map (M_TRUSTY).
 */
bool rmr_may_serve(const struct rmr_view *view, unsigned int self, bool told, bool map_complete,
		   bool lacks);

/* What a promotion from Y to U rests on. */
struct rmr_promotion {
	bool	syncing;		/* in Y of the established view */
	bool	map_complete;		/* pulled a complete map (F_FULLMAP) */
	u64	lacking;		/* chunks it still lacks */
	u8	cleared_on;		/* members that confirmed its clear bits under this view */
	u8	others;			/* all other active members (F_PROMOCLR) */
	bool	flushed;		/* it flushed after that (F_RETFLUSH) */
	bool	missed_pending;		/* a MISSED of it waits for its view */
};

/* Whether a member may move from Y to U; if not, *why says why not. why may be NULL. */
bool rmr_may_promote(const struct rmr_promotion *facts, const char **why);

/*
 * Cost of one more read on a leg with so many in flight, whose answers take latency_ns: the time
 * until it would be answered, if the leg works on one after the other.
 */
u64 rmr_read_cost(u32 inflight, u64 latency_ns);
/*
 * The cheapest leg of may, an index into cost; avoid: those that answered STALE there lately, asked
 * only if nobody else is left. Of equal ones the first at or after first, round the end. -1: none.
 */
int rmr_read_choose(const u64 cost[RMR_MAX_MEMBERS], u8 may, u8 avoid, unsigned int first);
/* The average of a leg after an answer that took so long; 0 stands for "never answered". */
u64 rmr_latency_note(u64 latency_ns, u64 took_ns);
/* That of a leg that was passed over: one slow answer does not keep it out for ever. */
u64 rmr_latency_forget(u64 latency_ns);

#endif /* RMR_READ_H */
