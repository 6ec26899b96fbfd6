// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guards what a member remembers of writes: a late duplicate never puts old data back (F_DUP), the
 * uncertain list holds every write not known complete (F_LIST), and an intent goes only when its
 * writes are complete and flushed here (F_INTENT), never while it is uncertain (F_KEEP).
 */
#include <kunit/test.h>

#include "intent.h"
#include "window.h"

static int arrive(struct rmr_window *w, u64 seq, u64 first, u64 last, int *status)
{
	return rmr_window_arrive(w, seq, first, last, status, GFP_KERNEL);
}

static void a_duplicate_is_never_applied_again(struct kunit *test)
{
	struct rmr_window w;
	int status;

	rmr_window_init(&w);
	KUNIT_EXPECT_EQ(test, arrive(&w, 0, 0, 0, &status), RMR_ARRIVAL_REFUSED);
	KUNIT_EXPECT_EQ(test, status, RMR_ST_FENCED);
	KUNIT_EXPECT_EQ(test, arrive(&w, 1, 5, 5, &status), RMR_ARRIVAL_NEW);
	KUNIT_EXPECT_EQ(test, status, RMR_ST_OK);
	KUNIT_EXPECT_EQ(test, arrive(&w, 1, 5, 5, &status), RMR_ARRIVAL_RUNNING);
	rmr_window_answer(&w, 1, RMR_ST_MISSED);
	rmr_window_answer(&w, 2, RMR_ST_OK);
	KUNIT_EXPECT_EQ(test, arrive(&w, 1, 5, 5, &status), RMR_ARRIVAL_ANSWERED);
	KUNIT_EXPECT_EQ(test, status, RMR_ST_MISSED);
	KUNIT_EXPECT_TRUE(test, rmr_window_completed(&w, 2));
	KUNIT_EXPECT_FALSE(test, rmr_window_completed(&w, 2));
	KUNIT_EXPECT_FALSE(test, rmr_window_completed(&w, 1));
	KUNIT_EXPECT_EQ(test, arrive(&w, 1, 5, 5, &status), RMR_ARRIVAL_REFUSED);
	KUNIT_EXPECT_EQ(test, w.below, 2);
	rmr_window_reset(&w);
}

static void an_answered_write_stays_uncertain(struct kunit *test)
{
	struct rmr_window w;
	int status;

	rmr_window_init(&w);
	arrive(&w, 1, 10, 12, &status);
	arrive(&w, 2, 12, 13, &status);
	arrive(&w, 3, 20, 20, &status);
	arrive(&w, U64_MAX, 30, 30, &status);
	arrive(&w, 4, 9, 8, &status);
	rmr_window_answer(&w, 1, RMR_ST_OK);
	KUNIT_EXPECT_TRUE(test, rmr_window_touches(&w, 10));
	KUNIT_EXPECT_TRUE(test, rmr_window_touches(&w, 13));
	KUNIT_EXPECT_FALSE(test, rmr_window_touches(&w, 9));
	KUNIT_EXPECT_FALSE(test, rmr_window_touches(&w, 14));
	KUNIT_EXPECT_EQ(test, rmr_window_newest(&w, 9), 0);
	KUNIT_EXPECT_EQ(test, rmr_window_newest(&w, 30), U64_MAX);
	KUNIT_EXPECT_EQ(test, rmr_window_next_uncertain(&w, 0), 10);
	KUNIT_EXPECT_EQ(test, rmr_window_next_uncertain(&w, 12), 12);
	KUNIT_EXPECT_EQ(test, rmr_window_next_uncertain(&w, 14), 20);
	KUNIT_EXPECT_EQ(test, rmr_window_next_uncertain(&w, 31), RMR_NO_UNCERTAIN);
	rmr_window_completed(&w, 2);
	KUNIT_EXPECT_EQ(test, rmr_window_next_uncertain(&w, 0), 12);
	KUNIT_EXPECT_EQ(test, w.writes.count, 4);
	rmr_window_completed(&w, U64_MAX);
	KUNIT_EXPECT_EQ(test, w.writes.count, 1);
	rmr_window_reset(&w);
	KUNIT_EXPECT_EQ(test, w.writes.count, 0);
	KUNIT_EXPECT_EQ(test, w.below, 1);
	rmr_window_reset(&w);
}

#define BEGIN(i, c, seq)	KUNIT_ASSERT_EQ(test, rmr_intent_begin(i, c, seq, GFP_KERNEL), 0)
#define CLEARABLE(i, below)	rmr_intents_next_clearable(i, 0, below)

static void an_intent_waits_for_completion_and_flush(struct kunit *test)
{
	struct rmr_intents i;
	u64 mark;

	rmr_intents_init(&i);
	BEGIN(&i, 7, 3);
	mark = rmr_intents_flush_start(&i);
	rmr_intents_flushed(&i, mark);
	KUNIT_EXPECT_EQ(test, CLEARABLE(&i, 9), RMR_NO_INTENT);
	rmr_intent_applied(&i, 7);
	rmr_intent_applied(&i, 7);
	rmr_intent_applied(&i, 8);
	KUNIT_EXPECT_EQ(test, CLEARABLE(&i, 9), RMR_NO_INTENT);
	/* A flush that began before the write reached the cache does not cover it. */
	rmr_intents_flushed(&i, mark);
	KUNIT_EXPECT_EQ(test, CLEARABLE(&i, 9), RMR_NO_INTENT);
	rmr_intents_flushed(&i, rmr_intents_flush_start(&i));
	KUNIT_EXPECT_EQ(test, CLEARABLE(&i, 3), RMR_NO_INTENT);
	KUNIT_EXPECT_EQ(test, CLEARABLE(&i, 4), 7);
	KUNIT_EXPECT_EQ(test, rmr_intents_next_clearable(&i, 8, 4), RMR_NO_INTENT);
	BEGIN(&i, 7, 2);
	KUNIT_EXPECT_EQ(test, CLEARABLE(&i, 4), RMR_NO_INTENT);
	rmr_intent_applied(&i, 7);
	KUNIT_EXPECT_EQ(test, CLEARABLE(&i, 4), RMR_NO_INTENT);
	rmr_intents_flushed(&i, rmr_intents_flush_start(&i));
	KUNIT_EXPECT_EQ(test, CLEARABLE(&i, 4), 7);
	rmr_intent_cleared(&i, 7);
	rmr_intent_cleared(&i, 7);
	KUNIT_EXPECT_EQ(test, CLEARABLE(&i, 4), RMR_NO_INTENT);
	/* A mark of the future is no mark. */
	BEGIN(&i, 1, 1);
	rmr_intents_flushed(&i, U64_MAX);
	rmr_intent_applied(&i, 1);
	KUNIT_EXPECT_EQ(test, CLEARABLE(&i, 4), RMR_NO_INTENT);
	rmr_intents_reset(&i);
}

static void uncertain_intents_are_kept(struct kunit *test)
{
	struct rmr_intents i;

	rmr_intents_init(&i);
	BEGIN(&i, 1, 5);
	rmr_intent_applied(&i, 1);
	rmr_intents_hold(&i);
	rmr_intents_flushed(&i, rmr_intents_flush_start(&i));
	KUNIT_ASSERT_EQ(test, rmr_intent_restore(&i, 2, GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, CLEARABLE(&i, 1), RMR_NO_INTENT);
	rmr_intents_release(&i);
	/* The new epoch counts from 1 again; the old number says nothing. */
	KUNIT_EXPECT_EQ(test, CLEARABLE(&i, 1), 1);
	/* What was found on disk was never flushed in this life. */
	KUNIT_EXPECT_EQ(test, rmr_intents_next_clearable(&i, 2, 1), RMR_NO_INTENT);
	rmr_intents_flushed(&i, 0);
	KUNIT_EXPECT_EQ(test, rmr_intents_next_clearable(&i, 2, 1), 2);
	KUNIT_ASSERT_EQ(test, rmr_intent_restore(&i, 1, GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, CLEARABLE(&i, 1), 2);
	rmr_intents_reset(&i);
	KUNIT_EXPECT_EQ(test, CLEARABLE(&i, 1), RMR_NO_INTENT);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_duplicate_is_never_applied_again),
	KUNIT_CASE(an_answered_write_stays_uncertain),
	KUNIT_CASE(an_intent_waits_for_completion_and_flush),
	KUNIT_CASE(uncertain_intents_are_kept),
	{}
};

static struct kunit_suite suite = {
	.name = "rmr_window",
	.test_cases = cases,
};

kunit_test_suite(suite);
