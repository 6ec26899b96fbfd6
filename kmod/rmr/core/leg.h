/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * States of a leg as the protocol sees it, as a table, and who may be asked for data. Pure, as
 * view.h.
 */
#ifndef RMR_LEG_H
#define RMR_LEG_H

#include "view.h"

enum rmr_leg_state_id {
	RMR_LEG_ABSENT,			/* no session */
	RMR_LEG_PROMISED,		/* session up, epoch promised, not in the view */
	RMR_LEG_JOINING,		/* marked everywhere, its view is not established yet */
	RMR_LEG_SYNCING,		/* in Y: gets writes, serves chunks known clean */
	RMR_LEG_UP_TO_DATE,		/* in U */
	RMR_LEG_STATES,
};

enum rmr_leg_event {
	RMR_LEG_CONNECTED,		/* the member promised the epoch */
	RMR_LEG_LIVE_UP_TO_DATE,	/* attach went live with it in U (R6.3) */
	RMR_LEG_LIVE_SYNCING,		/* attach went live with it in Y */
	RMR_LEG_MARKED,			/* its uncertain chunks are marked on all active members */
	RMR_LEG_ESTABLISHED,		/* the view with it in Y is established */
	RMR_LEG_GIVEN_UP,		/* its join was given up for a loss elsewhere (R2.4) */
	RMR_LEG_PROMOTED,		/* the view with it in U is established */
	RMR_LEG_MISSED,			/* it answered MISSED, a view with it in Y is made */
	RMR_LEG_LOST,			/* failed, stalled, or lost its link */
	RMR_LEG_EVENTS,
};

/* The state after an event, or -EINVAL: an illegal event, the state stays. */
int rmr_leg_next(unsigned int state, unsigned int event);
const char *rmr_leg_state_name(unsigned int state);
const char *rmr_leg_event_name(unsigned int event);

/* What a promotion from Y to U rests on (R5.6, R5.7). */
struct rmr_promotion {
	u64	lacking;		/* chunks */
	u8	cleared_on;		/* members that confirmed under this view (F_PROMOCLR) */
	u8	others;			/* all other active members */
	bool	syncing;		/* in Y of the established view */
	bool	map_complete;		/* it pulled a complete map (F_FULLMAP) */
	bool	missed_pending;		/* a MISSED of it waits for its view */
	bool	flushed;		/* it flushed after that (F_RETFLUSH) */
};

/* A member may move from Y to U; if not, *why says why not. why may be NULL. */
bool rmr_may_promote(const struct rmr_promotion *facts, const char **why);

/*
 * Members a read may be sent to (R4.1): all of U, and those of Y known clean for the range. dirty:
 * what the reader knows of the chunk.
 */
u8 rmr_read_legs(const struct rmr_view *view, u8 known_clean, u8 dirty);
/* Members a syncing member may copy a chunk from (R5.5): active, and clean there. */
u8 rmr_resync_sources(const struct rmr_view *view, u8 self, u8 dirty);
/* Whether a member may serve a chunk (R4.1). */
bool rmr_may_serve(const struct rmr_view *view, u8 self, bool map_complete, bool lacks);

#endif /* RMR_LEG_H */
