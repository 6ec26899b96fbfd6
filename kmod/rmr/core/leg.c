// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of leg states and who may be asked for data; see leg.h. No locks here.
 */
#include "leg.h"

#define ILLEGAL 0

/* [state][event]: the next state plus one; 0 is illegal. */
static const u8 table[RMR_LEG_STATES][RMR_LEG_EVENTS] = {
	[RMR_LEG_ABSENT] = {
		[RMR_LEG_CONNECTED]	= RMR_LEG_PROMISED + 1,
		[RMR_LEG_LOST]		= RMR_LEG_ABSENT + 1,
	},
	[RMR_LEG_PROMISED] = {
		[RMR_LEG_LIVE_UP_TO_DATE] = RMR_LEG_UP_TO_DATE + 1,
		[RMR_LEG_LIVE_SYNCING]	= RMR_LEG_SYNCING + 1,
		[RMR_LEG_MARKED]	= RMR_LEG_JOINING + 1,
		[RMR_LEG_LOST]		= RMR_LEG_ABSENT + 1,
	},
	[RMR_LEG_JOINING] = {
		[RMR_LEG_ESTABLISHED]	= RMR_LEG_SYNCING + 1,
		[RMR_LEG_GIVEN_UP]	= RMR_LEG_PROMISED + 1,
		[RMR_LEG_LOST]		= RMR_LEG_ABSENT + 1,
	},
	[RMR_LEG_SYNCING] = {
		[RMR_LEG_PROMOTED]	= RMR_LEG_UP_TO_DATE + 1,
		[RMR_LEG_MISSED]	= RMR_LEG_SYNCING + 1,
		[RMR_LEG_LOST]		= RMR_LEG_ABSENT + 1,
	},
	[RMR_LEG_UP_TO_DATE] = {
		[RMR_LEG_MISSED]	= RMR_LEG_SYNCING + 1,
		[RMR_LEG_LOST]		= RMR_LEG_ABSENT + 1,
	},
};

int rmr_leg_next(unsigned int state, unsigned int event)
{
	if (state >= RMR_LEG_STATES || event >= RMR_LEG_EVENTS || table[state][event] == ILLEGAL)
		return -EINVAL;
	return table[state][event] - 1;
}

const char *rmr_leg_state_name(unsigned int state)
{
	static const char * const names[RMR_LEG_STATES] = {
		"ABSENT", "PROMISED", "JOINING", "SYNCING", "UP_TO_DATE",
	};

	return state < RMR_LEG_STATES ? names[state] : "?";
}

const char *rmr_leg_event_name(unsigned int event)
{
	static const char * const names[RMR_LEG_EVENTS] = {
		"connected", "live-up-to-date", "live-syncing", "marked", "established",
		"given-up", "promoted", "missed", "lost",
	};

	return event < RMR_LEG_EVENTS ? names[event] : "?";
}

bool rmr_may_promote(const struct rmr_promotion *f, const char **why)
{
	const char *text = NULL;

	if (!f->syncing)
		text = "not syncing";
	else if (!f->map_complete)
		text = "map not complete";
	else if (f->lacking)
		text = "chunks left to copy";
	else if (f->missed_pending)
		text = "a missed write is not settled";
	else if (!rmr_mask_within(f->others, f->cleared_on))
		text = "bits left on another member";
	else if (!f->flushed)
		text = "not flushed";
	if (why)
		*why = text;
	return !text;
}

u8 rmr_read_legs(const struct rmr_view *view, u8 known_clean, u8 dirty)
{
	return view->up_to_date | (view->syncing & known_clean & ~dirty);
}

u8 rmr_resync_sources(const struct rmr_view *view, u8 self, u8 dirty)
{
	return rmr_view_active(view) & ~rmr_mask_of(self) & ~dirty;
}

bool rmr_may_serve(const struct rmr_view *view, u8 self, bool map_complete, bool lacks)
{
	if (rmr_mask_has(view->up_to_date, self))
		return !lacks;
	return rmr_mask_has(view->syncing, self) && map_complete && !lacks;
}
