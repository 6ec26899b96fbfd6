// SPDX-License-Identifier: GPL-2.0-only
/* Guards the histograms of latency: bounds of the buckets, no operation left out. */
#include <kunit/test.h>

#include "hist.h"

#include <rmr/wire.h>

static void a_latency_counts_in_the_first_bucket_that_takes_it(struct kunit *test)
{
	unsigned int i;

	KUNIT_EXPECT_EQ(test, rmr_hist_bucket(0), 0u);
	KUNIT_EXPECT_EQ(test, rmr_hist_bucket(1000), 0u);
	for (i = 0; i < RMR_HIST_BUCKETS - 1; i++) {
		u64 bound = 1000ull << i;

		KUNIT_EXPECT_EQ(test, rmr_hist_bucket(bound), i);
		KUNIT_EXPECT_EQ(test, rmr_hist_bucket(bound + 1), i + 1);
	}
	KUNIT_EXPECT_EQ(test, rmr_hist_bucket(U64_MAX), RMR_HIST_BUCKETS - 1);
}

static void every_operation_has_a_histogram(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, rmr_hist_op(RMR_OP_READ), RMR_HIST_READ);
	KUNIT_EXPECT_EQ(test, rmr_hist_op(RMR_OP_WRITE), RMR_HIST_WRITE);
	KUNIT_EXPECT_EQ(test, rmr_hist_op(RMR_OP_FLUSH), RMR_HIST_FLUSH);
	KUNIT_EXPECT_EQ(test, rmr_hist_op(RMR_OP_DISCARD), RMR_HIST_DISCARD);
	KUNIT_EXPECT_EQ(test, rmr_hist_op(RMR_OP_WRITE_ZEROES), RMR_HIST_DISCARD);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_latency_counts_in_the_first_bucket_that_takes_it),
	KUNIT_CASE(every_operation_has_a_histogram),
	{}
};

static struct kunit_suite suite = {
	.name = "rmr_hist",
	.test_cases = cases,
};

kunit_test_suite(suite);
