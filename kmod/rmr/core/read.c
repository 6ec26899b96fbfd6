// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which leg a read goes to; see read.h. Pure, any context.
 */
#include "read.h"

/* Slower legs all cost alike; keeps a cost within 64 bits. They are ejected as stalled anyway. */
#define LATENCY_MAX	U32_MAX		/* ns, 4.3 s */

/* Answers of about the last 8 count; a leg passed over is half forgotten after about 44 reads. */
#define NOTE_SHIFT	3
#define FORGET_SHIFT	6

u64 rmr_read_cost(u32 inflight, u64 latency_ns)
{
	/* A leg that never answered costs least, so that it is tried. */
	return ((u64)inflight + 1) * (min_t(u64, latency_ns, LATENCY_MAX) | 1);
}

int rmr_read_choose(const u64 cost[RMR_MAX_MEMBERS], u8 may, u8 avoid, unsigned int first)
{
	unsigned int i, at;
	int best = -1;

	if (may & ~avoid)
		may &= ~avoid;
	for (i = 0; i < RMR_MAX_MEMBERS; i++) {
		at = (first % RMR_MAX_MEMBERS + i) % RMR_MAX_MEMBERS;
		if ((may >> at & 1) && (best < 0 || cost[at] < cost[best]))
			best = at;
	}
	return best;
}

u64 rmr_latency_note(u64 latency_ns, u64 took_ns)
{
	if (!latency_ns)
		return took_ns;
	return latency_ns - (latency_ns >> NOTE_SHIFT) + (took_ns >> NOTE_SHIFT);
}

u64 rmr_latency_forget(u64 latency_ns)
{
	return latency_ns - (latency_ns >> FORGET_SHIFT);
}
