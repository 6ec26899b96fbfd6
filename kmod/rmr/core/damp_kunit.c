// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guards the damping of legs that come and go (R5.8): one loss costs nothing, many cost more each,
 * the wait is bounded, and all is forgiven with time or by command.
 */
#include <kunit/test.h>

#include "damp.h"

#define LAST	100u

static void a_leg_that_fails_once_comes_back_at_once(struct kunit *test)
{
	struct rmr_damp damp = {};

	KUNIT_EXPECT_EQ(test, rmr_damp_left(&damp, 5), 0);
	rmr_damp_lost(&damp, 1000);
	KUNIT_EXPECT_EQ(test, rmr_damp_left(&damp, 1000), 0);
	KUNIT_EXPECT_EQ(test, damp.state, RMR_DAMP_WATCHED);
	rmr_damp_pass(&damp, 1000 + RMR_DAMP_DECAY_MS);
	KUNIT_EXPECT_EQ(test, damp.state, RMR_DAMP_CALM);
	/* So does one that fails once in a while. */
	rmr_damp_lost(&damp, 1000 + RMR_DAMP_DECAY_MS);
	KUNIT_EXPECT_EQ(test, rmr_damp_left(&damp, 1000 + RMR_DAMP_DECAY_MS), 0);
}

static void each_further_loss_doubles_the_wait(struct kunit *test)
{
	const u32 want[] = { 0, 2, 4, 8, 16, 32, 60, 60, 60 };
	struct rmr_damp damp = {};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(want); i++) {
		rmr_damp_lost(&damp, 7000);
		KUNIT_EXPECT_EQ(test, rmr_damp_left(&damp, 7000), want[i] * 1000);
		KUNIT_EXPECT_EQ(test, damp.state, i ? RMR_DAMP_DAMPED : RMR_DAMP_WATCHED);
	}
	KUNIT_EXPECT_EQ(test, rmr_damp_left(&damp, 66999), 1);
	rmr_damp_pass(&damp, 66999);
	KUNIT_EXPECT_EQ(test, damp.state, RMR_DAMP_DAMPED);
	KUNIT_EXPECT_EQ(test, rmr_damp_left(&damp, 67000), 0);
	rmr_damp_pass(&damp, 67000);
	KUNIT_EXPECT_EQ(test, damp.state, RMR_DAMP_WATCHED);
}

/* A leg that fails whenever it is back is tried for ever, and never more seldom than a minute. */
static void a_leg_that_flaps_for_ever_is_tried_for_ever(struct kunit *test)
{
	struct rmr_damp damp = {};
	u64 now = 0, left, most = 0;
	unsigned int i;

	for (i = 0; i < LAST; i++) {
		rmr_damp_lost(&damp, now);
		left = rmr_damp_left(&damp, now);
		most = max(most, left);
		KUNIT_EXPECT_LE(test, left, 60000);
		if (i > 10)
			KUNIT_EXPECT_GE(test, left, 32000);
		now += left + 3000;
		KUNIT_EXPECT_EQ(test, rmr_damp_left(&damp, now), 0);
	}
	KUNIT_EXPECT_EQ(test, most, 60000);
}

static void time_takes_the_losses_off_one_by_one(struct kunit *test)
{
	struct rmr_damp damp = {};
	unsigned int i;

	for (i = 0; i < 5; i++)
		rmr_damp_lost(&damp, 0);
	KUNIT_EXPECT_EQ(test, damp.level, 5);
	rmr_damp_pass(&damp, 2 * RMR_DAMP_DECAY_MS + 1);
	KUNIT_EXPECT_EQ(test, damp.level, 3);
	rmr_damp_lost(&damp, 2 * RMR_DAMP_DECAY_MS + 1);
	KUNIT_EXPECT_EQ(test, rmr_damp_left(&damp, 2 * RMR_DAMP_DECAY_MS + 1), 8000);
	rmr_damp_pass(&damp, ~0ull / 2);
	KUNIT_EXPECT_EQ(test, damp.level, 0);
	KUNIT_EXPECT_EQ(test, damp.state, RMR_DAMP_CALM);
}

static void a_command_ends_the_wait(struct kunit *test)
{
	struct rmr_damp damp = {};
	unsigned int i;

	for (i = 0; i < 5; i++)
		rmr_damp_lost(&damp, 1);
	rmr_damp_force(&damp);
	KUNIT_EXPECT_EQ(test, rmr_damp_left(&damp, 1), 0);
	KUNIT_EXPECT_EQ(test, damp.state, RMR_DAMP_CALM);
	rmr_damp_lost(&damp, 2);
	KUNIT_EXPECT_EQ(test, rmr_damp_left(&damp, 2), 0);
}

static void the_table_has_no_dead_end(struct kunit *test)
{
	unsigned int state;

	for (state = 0; state < RMR_DAMP_STATES; state++) {
		KUNIT_EXPECT_EQ(test, rmr_damp_next(state, RMR_DAMP_FORCED), RMR_DAMP_CALM);
		KUNIT_EXPECT_EQ(test, rmr_damp_next(state, RMR_DAMP_DECAYED), RMR_DAMP_CALM);
		KUNIT_EXPECT_NE(test, rmr_damp_next(state, RMR_DAMP_WAITED), RMR_DAMP_DAMPED);
		KUNIT_EXPECT_NE(test, rmr_damp_next(state, RMR_DAMP_LOST), RMR_DAMP_CALM);
		KUNIT_EXPECT_EQ(test, rmr_damp_next(state, RMR_DAMP_EVENTS), state);
	}
	KUNIT_EXPECT_EQ(test, rmr_damp_next(RMR_DAMP_STATES, RMR_DAMP_LOST), RMR_DAMP_STATES);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_leg_that_fails_once_comes_back_at_once),
	KUNIT_CASE(each_further_loss_doubles_the_wait),
	KUNIT_CASE(a_leg_that_flaps_for_ever_is_tried_for_ever),
	KUNIT_CASE(time_takes_the_losses_off_one_by_one),
	KUNIT_CASE(a_command_ends_the_wait),
	KUNIT_CASE(the_table_has_no_dead_end),
	{}
};

static struct kunit_suite suite = {
	.name = "rmr_damp",
	.test_cases = cases,
};

kunit_test_suite(suite);
