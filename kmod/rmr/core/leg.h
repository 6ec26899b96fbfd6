/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The states of a leg, the client's view of one member, as one table. Section 9 of docs/protocol.md
 * is made from it. Pure; any context; the owner of the state serialises its changes.
 */
#ifndef RMR_LEG_H
#define RMR_LEG_H

#include "port.h"

enum rmr_leg {
	RMR_LEG_ABSENT,			/* no session, or no promise */
	RMR_LEG_PROMISED,		/* promised the epoch, not in the view */
	RMR_LEG_JOINING,		/* marks persisted, view with it in Y not established yet */
	RMR_LEG_SYNCING,		/* in Y: gets writes, serves chunks known clean */
	RMR_LEG_UP_TO_DATE,		/* in U */
	RMR_LEG_STATES,
};

enum rmr_leg_event {
	RMR_LEG_EV_CONNECTED,		/* the member promised the epoch */
	RMR_LEG_EV_LIVE_UP_TO_DATE,	/* attach went live with it in U (R6.3) */
	RMR_LEG_EV_LIVE_SYNCING,	/* attach went live with it in Y */
	RMR_LEG_EV_MARKED,		/* its uncertain chunks are marked everywhere (R5.2) */
	RMR_LEG_EV_ESTABLISHED,		/* the view with it in Y is established */
	RMR_LEG_EV_GIVEN_UP,		/* its join was given up for a loss elsewhere (R2.4) */
	RMR_LEG_EV_PROMOTED,		/* the view with it in U is established (R5.7) */
	RMR_LEG_EV_MISSED,		/* it answered MISSED, the view with it in Y is made (R3.6) */
	RMR_LEG_EV_LOST,		/* failed, stalled, or lost its link (R3.5) */
	RMR_LEG_EVENTS,
};

/* The state after an event; -EINVAL: illegal there, the leg stays as it is. */
int rmr_leg_next(unsigned int state, unsigned int event);
/* As logs and the protocol page name it; "unknown" of anything else. */
const char *rmr_leg_name(unsigned int state);
const char *rmr_leg_event_name(unsigned int event);

#endif /* RMR_LEG_H */
