// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guards the rate of a resync (R5.8): it falls while application I/O is slow, not below the floor,
 * rises again, never above the ceiling, and what sets it is told.
 */
#include <kunit/test.h>

#include "rate.h"

#define MB	1048576ull
#define MS	1000000ull

static void without_application_io_only_the_ceiling_counts(struct kunit *test)
{
	struct rmr_rate_limits limits = { .floor = 4 * MB, .target_ns = 20 * MS };
	struct rmr_rate_facts facts = { .speed = 100 * MB };
	u64 rate = 4 * MB;

	KUNIT_EXPECT_EQ(test, rmr_rate_step(&limits, &facts, &rate), RMR_PACE_IDLE);
	KUNIT_EXPECT_EQ(test, rate, RMR_RATE_MAX);
	limits.ceiling = 50 * MB;
	KUNIT_EXPECT_EQ(test, rmr_rate_step(&limits, &facts, &rate), RMR_PACE_CEILING);
	KUNIT_EXPECT_EQ(test, rate, 50 * MB);
	facts.speed = 10 * MB;
	KUNIT_EXPECT_EQ(test, rmr_rate_step(&limits, &facts, &rate), RMR_PACE_SOURCE);
}

static void slow_application_io_brings_the_rate_down_to_the_floor(struct kunit *test)
{
	const struct rmr_rate_limits limits = { .floor = 4 * MB, .target_ns = 20 * MS };
	struct rmr_rate_facts facts = { .speed = 200 * MB, .latency_ns = 21 * MS };
	u64 rate = RMR_RATE_MAX;
	unsigned int steps;

	KUNIT_EXPECT_EQ(test, rmr_rate_step(&limits, &facts, &rate), RMR_PACE_LATENCY);
	KUNIT_EXPECT_EQ(test, rate, 300 * MB);
	for (steps = 1; rate > limits.floor && steps < 100; steps++) {
		facts.speed = rate;
		rmr_rate_step(&limits, &facts, &rate);
	}
	KUNIT_EXPECT_EQ(test, rate, limits.floor);
	/* Of 250 ms each: under 5 s from anywhere. */
	KUNIT_EXPECT_LT(test, steps, 20u);
	KUNIT_EXPECT_EQ(test, rmr_rate_step(&limits, &facts, &rate), RMR_PACE_FLOOR);
	KUNIT_EXPECT_EQ(test, rate, limits.floor);
}

static void the_rate_rises_again_up_to_the_ceiling(struct kunit *test)
{
	const struct rmr_rate_limits limits = {
		.floor = 1, .ceiling = 100 * MB, .target_ns = 20 * MS,
	};
	struct rmr_rate_facts facts = { .latency_ns = 20 * MS };
	enum rmr_pace pace = RMR_PACE_NONE;
	unsigned int steps;
	u64 rate = 1;

	for (steps = 0; pace != RMR_PACE_CEILING && steps < 1000; steps++) {
		facts.speed = rate;
		pace = rmr_rate_step(&limits, &facts, &rate);
		KUNIT_EXPECT_TRUE(test, pace == RMR_PACE_RISING || pace == RMR_PACE_CEILING);
		KUNIT_EXPECT_LE(test, rate, limits.ceiling);
	}
	KUNIT_EXPECT_EQ(test, rate, limits.ceiling);
	KUNIT_EXPECT_LT(test, steps, 200u);
}

static void a_ceiling_below_the_floor_wins(struct kunit *test)
{
	struct rmr_rate_limits limits = { .floor = 4 * MB, .ceiling = MB, .target_ns = MS };
	const struct rmr_rate_facts slow = { .speed = MB, .latency_ns = 9 * MS };
	const struct rmr_rate_facts fast = { .speed = MB, .latency_ns = MS };
	u64 rate = 64 * MB;

	KUNIT_EXPECT_EQ(test, rmr_rate_step(&limits, &slow, &rate), RMR_PACE_FLOOR);
	KUNIT_EXPECT_EQ(test, rate, MB);
	KUNIT_EXPECT_EQ(test, rmr_rate_step(&limits, &fast, &rate), RMR_PACE_CEILING);
	KUNIT_EXPECT_EQ(test, rate, MB);
}

static void the_rate_is_never_zero_and_never_wraps(struct kunit *test)
{
	struct rmr_rate_limits limits = { .ceiling = U64_MAX };
	struct rmr_rate_facts facts = { .latency_ns = U64_MAX };
	u64 rate = 0;

	rmr_rate_step(&limits, &facts, &rate);
	KUNIT_EXPECT_EQ(test, rate, 1);
	limits.target_ns = U64_MAX;
	rate = RMR_RATE_MAX;
	facts.speed = RMR_RATE_MAX;
	KUNIT_EXPECT_EQ(test, rmr_rate_step(&limits, &facts, &rate), RMR_PACE_CEILING);
	KUNIT_EXPECT_EQ(test, rate, RMR_RATE_MAX);
	limits.ceiling = 0;
	KUNIT_EXPECT_EQ(test, rmr_rate_step(&limits, &facts, &rate), RMR_PACE_SOURCE);
}

static void copies_that_rest_say_so(struct kunit *test)
{
	const struct rmr_rate_limits limits = { .floor = 4 * MB, .target_ns = 20 * MS };
	struct rmr_rate_facts facts = { .speed = 9 * MB, .latency_ns = MS, .resting = true };
	u64 rate = 100 * MB;

	KUNIT_EXPECT_EQ(test, rmr_rate_step(&limits, &facts, &rate), RMR_PACE_SHARE);
	facts.speed = rate;
	KUNIT_EXPECT_EQ(test, rmr_rate_step(&limits, &facts, &rate), RMR_PACE_RISING);
	facts.speed = 9 * MB;
	facts.resting = false;
	KUNIT_EXPECT_EQ(test, rmr_rate_step(&limits, &facts, &rate), RMR_PACE_SOURCE);
}

static void a_rest_is_as_long_as_the_share_says(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, rmr_rate_rest_ns(3000, 50), 3000);
	KUNIT_EXPECT_EQ(test, rmr_rate_rest_ns(3000, 25), 9000);
	KUNIT_EXPECT_EQ(test, rmr_rate_rest_ns(3000, 100), 0);
	KUNIT_EXPECT_EQ(test, rmr_rate_rest_ns(3000, 400), 0);
	KUNIT_EXPECT_EQ(test, rmr_rate_rest_ns(3000, 0), 297000);
	KUNIT_EXPECT_EQ(test, rmr_rate_rest_ns(U64_MAX, 1), U32_MAX * 99ull);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(copies_that_rest_say_so),
	KUNIT_CASE(a_rest_is_as_long_as_the_share_says),
	KUNIT_CASE(without_application_io_only_the_ceiling_counts),
	KUNIT_CASE(slow_application_io_brings_the_rate_down_to_the_floor),
	KUNIT_CASE(the_rate_rises_again_up_to_the_ceiling),
	KUNIT_CASE(a_ceiling_below_the_floor_wins),
	KUNIT_CASE(the_rate_is_never_zero_and_never_wraps),
	{}
};

static struct kunit_suite suite = {
	.name = "rmr_rate",
	.test_cases = cases,
};

kunit_test_suite(suite);
