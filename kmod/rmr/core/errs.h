/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * When a disk has failed too often. Places count, not errors: a bad sector that is asked for again
 * and again is one place, and stays one while it fails. A place is forgotten RMR_ERRS_FORGET_MS
 * after it failed last. With RMR_ERRS_MAX places the budget is spent, and stays so until an
 * operator forgives (R3.10). Pure: no locks, any context; the clock is the caller's, in ms, and
 * never goes back.
 */
#ifndef RMR_ERRS_H
#define RMR_ERRS_H

#include "port.h"

#define RMR_ERRS_MAX		8u		/* places that spend the budget */
#define RMR_ERRS_FORGET_MS	600000u		/* without an error there */
#define RMR_ERRS_PLACE_SHIFT	16u		/* bytes of a place: 64 KiB */

enum rmr_errs_state {
	RMR_ERRS_CALM,			/* no place counts */
	RMR_ERRS_WATCHED,		/* some do */
	RMR_ERRS_SPENT,			/* too many did */
	RMR_ERRS_STATES,
};

enum rmr_errs_event {
	RMR_ERRS_FAILED,		/* one place more, and there is room */
	RMR_ERRS_OVERRUN,		/* one place more, and there is none */
	RMR_ERRS_FORGOTTEN,		/* no place counts any more */
	RMR_ERRS_FORGIVEN,		/* by an operator, or another disk */
	RMR_ERRS_EVENTS,
};

/* All zeros: calm. */
struct rmr_errs {
	u64	place[RMR_ERRS_MAX];
	u64	at_ms[RMR_ERRS_MAX];	/* when it failed last */
	u8	count;			/* places that count, the first ones of the array */
	u8	state;			/* enum rmr_errs_state */
};

/* The state after an event; an event that means nothing there leaves it. */
enum rmr_errs_state rmr_errs_next(enum rmr_errs_state state, enum rmr_errs_event event);
/* A request failed at a place; whether that spent the budget just now. */
bool rmr_errs_failed(struct rmr_errs *errs, u64 place, u64 now_ms);
/* Takes note of the time that has passed. */
void rmr_errs_pass(struct rmr_errs *errs, u64 now_ms);
void rmr_errs_forgive(struct rmr_errs *errs);

#endif /* RMR_ERRS_H */
