// SPDX-License-Identifier: GPL-2.0-only
/*
 * Damping of legs that come and go; see damp.h. No locks here.
 */
#include "damp.h"

static const u8 table[RMR_DAMP_STATES][RMR_DAMP_EVENTS] = {
	[RMR_DAMP_CALM] = {
		[RMR_DAMP_LOST]		= RMR_DAMP_WATCHED,
		[RMR_DAMP_WAITED]	= RMR_DAMP_CALM,
		[RMR_DAMP_DECAYED]	= RMR_DAMP_CALM,
		[RMR_DAMP_FORCED]	= RMR_DAMP_CALM,
	},
	[RMR_DAMP_WATCHED] = {
		[RMR_DAMP_LOST]		= RMR_DAMP_DAMPED,
		[RMR_DAMP_WAITED]	= RMR_DAMP_WATCHED,
		[RMR_DAMP_DECAYED]	= RMR_DAMP_CALM,
		[RMR_DAMP_FORCED]	= RMR_DAMP_CALM,
	},
	[RMR_DAMP_DAMPED] = {
		[RMR_DAMP_LOST]		= RMR_DAMP_DAMPED,
		[RMR_DAMP_WAITED]	= RMR_DAMP_WATCHED,
		[RMR_DAMP_DECAYED]	= RMR_DAMP_CALM,
		[RMR_DAMP_FORCED]	= RMR_DAMP_CALM,
	},
};

/* Seconds to wait, by the losses that count. */
static const u8 wait_s[RMR_DAMP_LEVEL_MAX + 1] = { 0, 0, 2, 4, 8, 16, 32, 60 };

enum rmr_damp_state rmr_damp_next(enum rmr_damp_state state, enum rmr_damp_event event)
{
	if (state >= RMR_DAMP_STATES || event >= RMR_DAMP_EVENTS)
		return state;
	return table[state][event];
}

static void step(struct rmr_damp *damp, enum rmr_damp_event event)
{
	damp->state = rmr_damp_next(damp->state, event);
}

void rmr_damp_pass(struct rmr_damp *damp, u64 now_ms)
{
	u64 off = div_u64(now_ms - damp->level_ms, RMR_DAMP_DECAY_MS);

	if (damp->state == RMR_DAMP_DAMPED && now_ms >= damp->until_ms)
		step(damp, RMR_DAMP_WAITED);
	if (!damp->level || !off)
		return;
	damp->level -= min_t(u64, damp->level, off);
	damp->level_ms += off * RMR_DAMP_DECAY_MS;
	if (!damp->level)
		step(damp, RMR_DAMP_DECAYED);
}

void rmr_damp_lost(struct rmr_damp *damp, u64 now_ms)
{
	rmr_damp_pass(damp, now_ms);
	if (!damp->level)
		damp->level_ms = now_ms;
	damp->level = min_t(u8, damp->level + 1, RMR_DAMP_LEVEL_MAX);
	damp->until_ms = now_ms + wait_s[damp->level] * 1000u;
	step(damp, RMR_DAMP_LOST);
}

void rmr_damp_force(struct rmr_damp *damp)
{
	damp->level = 0;
	step(damp, RMR_DAMP_FORCED);
}

u64 rmr_damp_left(const struct rmr_damp *damp, u64 now_ms)
{
	if (damp->state != RMR_DAMP_DAMPED || now_ms >= damp->until_ms)
		return 0;
	return damp->until_ms - now_ms;
}
