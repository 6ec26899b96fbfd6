/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How fast a syncing member copies (R5.8): between a floor and a ceiling, by the latency of
 * application I/O, which has a target. Pure: no locks, no clock, any context.
 */
#ifndef RMR_RATE_H
#define RMR_RATE_H

#include "port.h"

#define RMR_RATE_MAX	(64ull << 30)	/* bytes/s, stands for no bound */

/* What sets the rate; in the order of enum rmr_resync_pace of the control interface. */
enum rmr_pace {
	RMR_PACE_NONE,			/* nothing is being copied */
	RMR_PACE_IDLE,			/* no application I/O, no ceiling */
	RMR_PACE_RISING,		/* latency within its target */
	RMR_PACE_LATENCY,		/* held back by latency */
	RMR_PACE_FLOOR,			/* held back by latency as far as it goes */
	RMR_PACE_CEILING,
	RMR_PACE_SOURCE,		/* the copies do not reach what is allowed */
	RMR_PACE_PAUSED,
	RMR_PACE_SHARE,			/* the copies rest, to leave room for applications */
	RMR_PACES,
};

struct rmr_rate_limits {
	u64	floor;			/* bytes/s; a lower ceiling wins */
	u64	ceiling;		/* bytes/s, 0: none */
	u64	target_ns;
};

struct rmr_rate_facts {
	u64	speed;			/* bytes/s reached lately */
	u64	latency_ns;		/* of application I/O, 0: there is none */
	bool	resting;		/* the copies rest while there is application I/O */
};

/*
 * One step of the controller, at fixed intervals: *rate, in bytes/s, becomes what is allowed until
 * the next. Returns what set it, an RMR_PACE_*.
 */
enum rmr_pace rmr_rate_step(const struct rmr_rate_limits *limits,
			    const struct rmr_rate_facts *facts, u64 *rate);

/*
 * How long a copy rests after it worked for so long, so that it works share percent of the time.
 * This holds the load back where no latency tells of it, as when processors are short.
 */
u64 rmr_rate_rest_ns(u64 worked_ns, u32 share);

#endif /* RMR_RATE_H */
