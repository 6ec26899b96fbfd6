// SPDX-License-Identifier: GPL-2.0-only
/*
 * The error budget of a disk; see errs.h. No locks here.
 */
#include "errs.h"

static const u8 table[RMR_ERRS_STATES][RMR_ERRS_EVENTS] = {
	[RMR_ERRS_CALM] = {
		[RMR_ERRS_FAILED]	= RMR_ERRS_WATCHED,
		[RMR_ERRS_OVERRUN]	= RMR_ERRS_SPENT,
		[RMR_ERRS_FORGOTTEN]	= RMR_ERRS_CALM,
		[RMR_ERRS_FORGIVEN]	= RMR_ERRS_CALM,
	},
	[RMR_ERRS_WATCHED] = {
		[RMR_ERRS_FAILED]	= RMR_ERRS_WATCHED,
		[RMR_ERRS_OVERRUN]	= RMR_ERRS_SPENT,
		[RMR_ERRS_FORGOTTEN]	= RMR_ERRS_CALM,
		[RMR_ERRS_FORGIVEN]	= RMR_ERRS_CALM,
	},
	[RMR_ERRS_SPENT] = {
		[RMR_ERRS_FAILED]	= RMR_ERRS_SPENT,
		[RMR_ERRS_OVERRUN]	= RMR_ERRS_SPENT,
		[RMR_ERRS_FORGOTTEN]	= RMR_ERRS_SPENT,
		[RMR_ERRS_FORGIVEN]	= RMR_ERRS_CALM,
	},
};

enum rmr_errs_state rmr_errs_next(enum rmr_errs_state state, enum rmr_errs_event event)
{
	if (state >= RMR_ERRS_STATES || event >= RMR_ERRS_EVENTS)
		return state;
	return table[state][event];
}

void rmr_errs_pass(struct rmr_errs *errs, u64 now_ms)
{
	u8 i, left = 0;

	for (i = 0; i < errs->count; i++) {
		if (now_ms - errs->at_ms[i] >= RMR_ERRS_FORGET_MS)
			continue;
		errs->place[left] = errs->place[i];
		errs->at_ms[left] = errs->at_ms[i];
		left++;
	}
	errs->count = left;
	if (!left)
		errs->state = rmr_errs_next(errs->state, RMR_ERRS_FORGOTTEN);
}

bool rmr_errs_failed(struct rmr_errs *errs, u64 place, u64 now_ms)
{
	enum rmr_errs_event event = RMR_ERRS_FAILED;
	bool spent = errs->state == RMR_ERRS_SPENT;
	u8 i;

	rmr_errs_pass(errs, now_ms);
	for (i = 0; i < errs->count && errs->place[i] != place; i++)
		;
	if (i < RMR_ERRS_MAX) {
		errs->place[i] = place;
		errs->at_ms[i] = now_ms;
		errs->count = max_t(u8, errs->count, i + 1);
	}
	if (errs->count == RMR_ERRS_MAX)
		event = RMR_ERRS_OVERRUN;
	errs->state = rmr_errs_next(errs->state, event);
	return !spent && errs->state == RMR_ERRS_SPENT;
}

void rmr_errs_forgive(struct rmr_errs *errs)
{
	errs->count = 0;
	errs->state = rmr_errs_next(errs->state, RMR_ERRS_FORGIVEN);
}
