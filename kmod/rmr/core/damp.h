/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * When a leg that was lost may come back. One loss costs nothing; each further one doubles the
 * wait, up to a minute, and a minute takes one loss off again. Pure: no locks, any context; the
 * clock is the caller's, in ms, and never goes back.
 */
#ifndef RMR_DAMP_H
#define RMR_DAMP_H

#include "port.h"

#define RMR_DAMP_DECAY_MS	60000u	/* takes one loss off */
#define RMR_DAMP_LEVEL_MAX	7u	/* losses that count */

enum rmr_damp_state {
	RMR_DAMP_CALM,			/* nothing held against the leg */
	RMR_DAMP_WATCHED,		/* lost lately; the next loss is damped */
	RMR_DAMP_DAMPED,		/* has to wait */
	RMR_DAMP_STATES,
};

enum rmr_damp_event {
	RMR_DAMP_LOST,			/* an active leg was taken out of the view */
	RMR_DAMP_WAITED,		/* its wait is over */
	RMR_DAMP_DECAYED,		/* no loss counts any more */
	RMR_DAMP_FORCED,		/* an operator wants it back */
	RMR_DAMP_EVENTS,
};

/* All zeros: calm. */
struct rmr_damp {
	u64	level_ms;		/* when level was last set */
	u64	until_ms;		/* end of the wait */
	u8	level;			/* losses that count */
	u8	state;			/* enum rmr_damp_state */
};

/* The state after an event; an event that means nothing there leaves it. */
enum rmr_damp_state rmr_damp_next(enum rmr_damp_state state, enum rmr_damp_event event);
void rmr_damp_lost(struct rmr_damp *damp, u64 now_ms);
void rmr_damp_force(struct rmr_damp *damp);
/* Takes note of the time that has passed. */
void rmr_damp_pass(struct rmr_damp *damp, u64 now_ms);
/* Milliseconds it still has to wait, 0: none. */
u64 rmr_damp_left(const struct rmr_damp *damp, u64 now_ms);

#endif /* RMR_DAMP_H */
