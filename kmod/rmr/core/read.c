// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who may be asked for data, whom to ask, who may be promoted; see read.h. Pure, any context.
 */
#include "read.h"

/* Slower legs all cost alike; keeps a cost within 64 bits. They are ejected as stalled anyway. */
#define LATENCY_MAX	U32_MAX		/* ns, 4.3 s */

/* Answers of about the last 8 count; a leg passed over is half forgotten after about 44 reads. */
#define NOTE_SHIFT	3
#define FORGET_SHIFT	6

u8 rmr_read_legs(const struct rmr_view *view, u8 known_clean, u8 dirty)
{
	return view->up_to_date | (view->syncing & known_clean & ~dirty);
}

u8 rmr_resync_sources(const struct rmr_view *view, unsigned int self, u8 dirty)
{
	u8 active = rmr_view_active(view);

	if (rmr_mask_has(active, self))
		active &= ~(1u << self);
	return active & ~dirty;
}

bool rmr_may_serve(const struct rmr_view *view, unsigned int self, bool told, bool map_complete,
		   bool lacks)
{
	if (!told || lacks)
		return false;
	return rmr_mask_has(view->up_to_date, self) ||
	       (rmr_mask_has(view->syncing, self) && map_complete);
}

bool rmr_may_promote(const struct rmr_promotion *f, const char **why)
{
	const struct {
		bool	holds;
		const char *or_else;
	} needed[] = {
		{ f->syncing, "not syncing" },
		{ f->map_complete, "map not complete" },
		{ !f->lacking, "chunks left to copy" },
		{ !f->missed_pending, "a missed write is not settled" },
		{ rmr_mask_within(f->others, f->cleared_on), "bits left on another member" },
		{ f->flushed, "not flushed" },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(needed); i++) {
		if (needed[i].holds)
			continue;
		if (why)
			*why = needed[i].or_else;
		return false;
	}
	return true;
}

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
		if (rmr_mask_has(may, at) && (best < 0 || cost[at] < cost[best]))
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
