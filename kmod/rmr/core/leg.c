// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of a leg's states; see leg.h. Pure, any context.
 */
#include "leg.h"

/* The state after an event, one up; zero: illegal. */
#define TO(state)	(RMR_LEG_##state + 1)

static const u8 table[RMR_LEG_STATES][RMR_LEG_EVENTS] = {
	[RMR_LEG_ABSENT] = {
		[RMR_LEG_EV_CONNECTED]		= TO(PROMISED),
		[RMR_LEG_EV_LOST]		= TO(ABSENT),
	},
	[RMR_LEG_PROMISED] = {
		[RMR_LEG_EV_LIVE_UP_TO_DATE]	= TO(UP_TO_DATE),
		[RMR_LEG_EV_LIVE_SYNCING]	= TO(SYNCING),
		[RMR_LEG_EV_MARKED]		= TO(JOINING),
		[RMR_LEG_EV_LOST]		= TO(ABSENT),
	},
	[RMR_LEG_JOINING] = {
		[RMR_LEG_EV_ESTABLISHED]	= TO(SYNCING),
		[RMR_LEG_EV_GIVEN_UP]		= TO(PROMISED),
		[RMR_LEG_EV_LOST]		= TO(ABSENT),
	},
	[RMR_LEG_SYNCING] = {
		[RMR_LEG_EV_PROMOTED]		= TO(UP_TO_DATE),
		[RMR_LEG_EV_MISSED]		= TO(SYNCING),
		[RMR_LEG_EV_LOST]		= TO(ABSENT),
	},
	[RMR_LEG_UP_TO_DATE] = {
		[RMR_LEG_EV_MISSED]		= TO(SYNCING),
		[RMR_LEG_EV_LOST]		= TO(ABSENT),
	},
};

static const char * const names[RMR_LEG_STATES] = {
	[RMR_LEG_ABSENT]	= "ABSENT",
	[RMR_LEG_PROMISED]	= "PROMISED",
	[RMR_LEG_JOINING]	= "JOINING",
	[RMR_LEG_SYNCING]	= "SYNCING",
	[RMR_LEG_UP_TO_DATE]	= "UP_TO_DATE",
};

static const char * const event_names[RMR_LEG_EVENTS] = {
	[RMR_LEG_EV_CONNECTED]		= "connected",
	[RMR_LEG_EV_LIVE_UP_TO_DATE]	= "live-up-to-date",
	[RMR_LEG_EV_LIVE_SYNCING]	= "live-syncing",
	[RMR_LEG_EV_MARKED]		= "marked",
	[RMR_LEG_EV_ESTABLISHED]	= "established",
	[RMR_LEG_EV_GIVEN_UP]		= "given-up",
	[RMR_LEG_EV_PROMOTED]		= "promoted",
	[RMR_LEG_EV_MISSED]		= "missed",
	[RMR_LEG_EV_LOST]		= "lost",
};

int rmr_leg_next(unsigned int state, unsigned int event)
{
	if (state >= RMR_LEG_STATES || event >= RMR_LEG_EVENTS || !table[state][event])
		return -EINVAL;
	return table[state][event] - 1;
}

const char *rmr_leg_name(unsigned int state)
{
	return state < RMR_LEG_STATES ? names[state] : "unknown";
}

const char *rmr_leg_event_name(unsigned int event)
{
	return event < RMR_LEG_EVENTS ? event_names[event] : "unknown";
}
