// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guards the error budget of a disk (R3.10): one bad place never spends it, many within a time do,
 * time forgives places but not a budget that is spent.
 */
#include <kunit/test.h>

#include "errs.h"

static void one_bad_sector_never_spends_the_budget(struct kunit *test)
{
	struct rmr_errs errs = {};
	unsigned int i;

	for (i = 0; i < 10000; i++)
		KUNIT_EXPECT_FALSE(test, rmr_errs_failed(&errs, 77, i * 1000));
	KUNIT_EXPECT_EQ(test, errs.count, 1);
	KUNIT_EXPECT_EQ(test, errs.state, RMR_ERRS_WATCHED);
}

static void many_places_within_a_time_spend_it_once(struct kunit *test)
{
	struct rmr_errs errs = {};
	unsigned int i;

	for (i = 0; i < RMR_ERRS_MAX - 1; i++)
		KUNIT_EXPECT_FALSE(test, rmr_errs_failed(&errs, i, 10 + i));
	KUNIT_EXPECT_EQ(test, errs.state, RMR_ERRS_WATCHED);
	KUNIT_EXPECT_TRUE(test, rmr_errs_failed(&errs, 1000, 20));
	KUNIT_EXPECT_EQ(test, errs.state, RMR_ERRS_SPENT);
	KUNIT_EXPECT_FALSE(test, rmr_errs_failed(&errs, 2000, 21));
	KUNIT_EXPECT_EQ(test, errs.count, RMR_ERRS_MAX);
}

/* A disk that loses a place now and then, but never many within the time, stays. */
static void seldom_errors_are_forgotten(struct kunit *test)
{
	struct rmr_errs errs = {};
	u64 now = 5, step = RMR_ERRS_FORGET_MS / (RMR_ERRS_MAX - 1);
	unsigned int i;

	for (i = 0; i < 1000; i++, now += step + 1)
		KUNIT_EXPECT_FALSE(test, rmr_errs_failed(&errs, i, now));
	KUNIT_EXPECT_EQ(test, errs.state, RMR_ERRS_WATCHED);
	rmr_errs_pass(&errs, now + RMR_ERRS_FORGET_MS);
	KUNIT_EXPECT_EQ(test, errs.count, 0);
	KUNIT_EXPECT_EQ(test, errs.state, RMR_ERRS_CALM);
}

static void a_spent_budget_waits_for_an_operator(struct kunit *test)
{
	struct rmr_errs errs = {};
	unsigned int i;

	for (i = 0; i < RMR_ERRS_MAX; i++)
		rmr_errs_failed(&errs, i, 0);
	rmr_errs_pass(&errs, ~0ull / 2);
	KUNIT_EXPECT_EQ(test, errs.count, 0);
	KUNIT_EXPECT_EQ(test, errs.state, RMR_ERRS_SPENT);
	KUNIT_EXPECT_FALSE(test, rmr_errs_failed(&errs, 3, ~0ull / 2));
	rmr_errs_forgive(&errs);
	KUNIT_EXPECT_EQ(test, errs.state, RMR_ERRS_CALM);
	KUNIT_EXPECT_EQ(test, errs.count, 0);
	KUNIT_EXPECT_FALSE(test, rmr_errs_failed(&errs, 3, ~0ull / 2));
}

static void the_table_of_errors_has_no_dead_end(struct kunit *test)
{
	unsigned int state, event;

	for (state = 0; state < RMR_ERRS_STATES; state++) {
		KUNIT_EXPECT_EQ(test, rmr_errs_next(state, RMR_ERRS_FORGIVEN), RMR_ERRS_CALM);
		KUNIT_EXPECT_EQ(test, rmr_errs_next(state, RMR_ERRS_OVERRUN), RMR_ERRS_SPENT);
		KUNIT_EXPECT_EQ(test, rmr_errs_next(state, RMR_ERRS_EVENTS), state);
	}
	for (event = 0; event < RMR_ERRS_FORGIVEN; event++)
		KUNIT_EXPECT_EQ(test, rmr_errs_next(RMR_ERRS_SPENT, event), RMR_ERRS_SPENT);
	KUNIT_EXPECT_EQ(test, rmr_errs_next(RMR_ERRS_STATES, RMR_ERRS_FAILED), RMR_ERRS_STATES);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(one_bad_sector_never_spends_the_budget),
	KUNIT_CASE(many_places_within_a_time_spend_it_once),
	KUNIT_CASE(seldom_errors_are_forgotten),
	KUNIT_CASE(a_spent_budget_waits_for_an_operator),
	KUNIT_CASE(the_table_of_errors_has_no_dead_end),
	{}
};

static struct kunit_suite suite = {
	.name = "rmr_errs",
	.test_cases = cases,
};

kunit_test_suite(suite);
