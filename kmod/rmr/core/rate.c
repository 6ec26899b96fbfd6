// SPDX-License-Identifier: GPL-2.0-only
/*
 * The controller of the resync rate; see rate.h. Additive increase, multiplicative decrease: the
 * rate rises by an eighth while latency is within its target and loses a quarter when it is not.
 * Falling starts from what was reached, not from an allowance that nobody used.
 */
#include "rate.h"

static u64 falls(u64 rate, u64 used)
{
	return min_t(u64, rate, 2 * used) / 4 * 3;
}

/* Latency is within its target: what keeps the copies from being faster? */
static enum rmr_pace what_bounds(const struct rmr_rate_limits *limits,
				 const struct rmr_rate_facts *facts, u64 rate, u64 most)
{
	bool used = facts->speed >= rate / 2;

	if (used && limits->ceiling && rate == most)
		return RMR_PACE_CEILING;
	if (!facts->latency_ns)
		return most == RMR_RATE_MAX ? RMR_PACE_IDLE : RMR_PACE_SOURCE;
	if (used && rate < most)
		return RMR_PACE_RISING;
	return facts->resting ? RMR_PACE_SHARE : RMR_PACE_SOURCE;
}

enum rmr_pace rmr_rate_step(const struct rmr_rate_limits *limits,
			    const struct rmr_rate_facts *facts, u64 *rate)
{
	u64 most = limits->ceiling ? min_t(u64, limits->ceiling, RMR_RATE_MAX) : RMR_RATE_MAX;
	u64 least = max_t(u64, min_t(u64, limits->floor, most), 1);

	if (facts->latency_ns > limits->target_ns) {
		*rate = max_t(u64, falls(min_t(u64, *rate, most), max_t(u64, facts->speed, least)),
			      least);
		return *rate == least ? RMR_PACE_FLOOR : RMR_PACE_LATENCY;
	}
	*rate = facts->latency_ns ? min_t(u64, *rate + *rate / 8 + 1, most) : most;
	*rate = max_t(u64, *rate, least);
	return what_bounds(limits, facts, *rate, most);
}

u64 rmr_rate_rest_ns(u64 worked_ns, u32 share)
{
	share = min_t(u32, max_t(u32, share, 1), 100);
	return div_u64(min_t(u64, worked_ns, U32_MAX) * (100 - share), share);
}
