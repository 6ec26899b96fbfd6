// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guards the comparison of members (R5.11): a write under way is never taken for a difference, and
 * a copy is wrong only if more than half of the others agree against it.
 */
#include <kunit/test.h>

#include "verify.h"

static const struct rmr_verify_facts settled = {
	.view = 7, .view_end = 7, .view_other = 7, .below = 100, .self = 0, .other = 1,
	.quiet = true, .steady = true, .steady_other = true,
};

static void a_write_under_way_is_no_difference(struct kunit *test)
{
	struct rmr_verify_facts f = settled;

	KUNIT_EXPECT_TRUE(test, rmr_verify_counts(&f));
	f.quiet = false;
	KUNIT_EXPECT_FALSE(test, rmr_verify_counts(&f));
	/* It is on the other member only: not complete, or completed without this one. */
	f = settled;
	f.newest_other = 100;
	KUNIT_EXPECT_FALSE(test, rmr_verify_counts(&f));
	f.newest_other = 99;
	KUNIT_EXPECT_TRUE(test, rmr_verify_counts(&f));
}

static void what_a_member_lacks_is_no_difference(struct kunit *test)
{
	struct rmr_verify_facts f = settled;

	f.dirty = 0x02;
	KUNIT_EXPECT_FALSE(test, rmr_verify_counts(&f));
	f = settled;
	f.dirty_other = 0x01;
	KUNIT_EXPECT_FALSE(test, rmr_verify_counts(&f));
	/* Bits of third members, and the own intent, say nothing of these two. */
	f = settled;
	f.dirty = 0xfd;
	f.dirty_other = 0xfe;
	KUNIT_EXPECT_TRUE(test, rmr_verify_counts(&f));
}

static void members_that_are_not_settled_may_differ(struct kunit *test)
{
	struct rmr_verify_facts f = settled;

	f.steady = false;
	KUNIT_EXPECT_FALSE(test, rmr_verify_counts(&f));
	f = settled;
	f.steady_other = false;
	KUNIT_EXPECT_FALSE(test, rmr_verify_counts(&f));
	f = settled;
	f.view_end = 8;
	KUNIT_EXPECT_FALSE(test, rmr_verify_counts(&f));
	f = settled;
	f.view_other = 6;
	KUNIT_EXPECT_FALSE(test, rmr_verify_counts(&f));
}

static void a_copy_is_wrong_by_more_than_half(struct kunit *test)
{
	static const struct {
		unsigned int	count;
		u8		group[4];
		bool		outvoted;
	} rows[] = {
		{ 1, { 0 }, false },
		{ 2, { 0, 0 }, false },
		{ 2, { 0, 1 }, false },		/* one word against another */
		{ 3, { 0, 1, 1 }, true },
		{ 3, { 0, 0, 1 }, false },
		{ 3, { 0, 1, 2 }, false },
		{ 4, { 0, 1, 1, 0 }, false },	/* even */
		{ 4, { 0, 1, 1, 1 }, true },
		{ 4, { 0, 1, 1, 2 }, false },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		KUNIT_EXPECT_EQ_MSG(test, rmr_verify_outvoted(rows[i].group, rows[i].count),
				    rows[i].outvoted, "row %u", i);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_write_under_way_is_no_difference),
	KUNIT_CASE(what_a_member_lacks_is_no_difference),
	KUNIT_CASE(members_that_are_not_settled_may_differ),
	KUNIT_CASE(a_copy_is_wrong_by_more_than_half),
	{}
};

static struct kunit_suite suite = {
	.name = "rmr_verify",
	.test_cases = cases,
};

kunit_test_suite(suite);
