// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guards the choice of the leg that is read (R4.1), and the limits of a pool (R3.9): no leg is kept
 * out for ever by one slow answer, one that answered STALE is asked last, and nothing that one leg
 * cannot do is offered.
 */
#include <kunit/test.h>

#include "limits.h"
#include "read.h"

static void the_leg_that_answers_first_is_asked(struct kunit *test)
{
	u64 cost[RMR_MAX_MEMBERS] = { [0] = rmr_read_cost(3, 100), [1] = rmr_read_cost(0, 500) };

	KUNIT_EXPECT_EQ(test, rmr_read_choose(cost, 0x03, 0, 0), 0);
	cost[0] = rmr_read_cost(9, 100);
	KUNIT_EXPECT_EQ(test, rmr_read_choose(cost, 0x03, 0, 0), 1);
	KUNIT_EXPECT_EQ(test, rmr_read_choose(cost, 0x01, 0, 0), 0);
	KUNIT_EXPECT_EQ(test, rmr_read_choose(cost, 0, 0, 0), -1);
	/* Nothing is known of it: it is tried. */
	cost[7] = rmr_read_cost(0, 0);
	KUNIT_EXPECT_EQ(test, rmr_read_choose(cost, 0x83, 0, 1), 7);
}

static void equal_legs_take_turns(struct kunit *test)
{
	const u64 cost[RMR_MAX_MEMBERS] = { 0 };

	KUNIT_EXPECT_EQ(test, rmr_read_choose(cost, 0x83, 0, 0), 0);
	KUNIT_EXPECT_EQ(test, rmr_read_choose(cost, 0x83, 0, 1), 1);
	KUNIT_EXPECT_EQ(test, rmr_read_choose(cost, 0x83, 0, 2), 7);
	KUNIT_EXPECT_EQ(test, rmr_read_choose(cost, 0x83, 0, 8), 0);
	KUNIT_EXPECT_EQ(test, rmr_read_choose(cost, 0x83, 0, ~0u), 7);
	KUNIT_EXPECT_EQ(test, rmr_read_choose(cost, 0xff, 0, ~0u), 7);
}

/* A stale hint is only a hint: with nobody else left, the leg is asked all the same. */
static void a_leg_that_answered_stale_is_asked_last(struct kunit *test)
{
	const u64 cost[RMR_MAX_MEMBERS] = { 1, 900, 900 };

	KUNIT_EXPECT_EQ(test, rmr_read_choose(cost, 0x07, 0, 1), 0);
	KUNIT_EXPECT_EQ(test, rmr_read_choose(cost, 0x07, 0x01, 1), 1);
	KUNIT_EXPECT_EQ(test, rmr_read_choose(cost, 0x07, 0x03, 0), 2);
	KUNIT_EXPECT_EQ(test, rmr_read_choose(cost, 0x07, 0xff, 0), 0);
	KUNIT_EXPECT_EQ(test, rmr_read_choose(cost, 0x02, 0x02, 0), 1);
}

static void a_cost_never_wraps(struct kunit *test)
{
	KUNIT_EXPECT_TRUE(test, rmr_read_cost(U32_MAX, U64_MAX) >
				rmr_read_cost(U32_MAX - 1, U64_MAX));
	KUNIT_EXPECT_TRUE(test, rmr_read_cost(0, U64_MAX) > rmr_read_cost(0, 1000));
}

static void one_slow_answer_is_forgotten(struct kunit *test)
{
	u64 usual = 100000, slow, passed;

	KUNIT_EXPECT_EQ(test, rmr_latency_note(0, usual), usual);
	KUNIT_EXPECT_EQ(test, rmr_latency_note(usual, usual), usual);
	slow = rmr_latency_note(usual, 100 * usual);
	KUNIT_EXPECT_TRUE(test, slow > 10 * usual);
	for (passed = 0; slow > usual && passed < 1000; passed++)
		slow = rmr_latency_forget(slow);
	KUNIT_EXPECT_TRUE(test, passed > 100 && passed < 200);
}

static struct rmr_limits_le limits_of(u32 block, u32 discard, u32 zeroes, u8 cache, u8 fua)
{
	return (struct rmr_limits_le){
		.logical_block = cpu_to_le32(block), .physical_block = cpu_to_le32(2 * block),
		.io_min = cpu_to_le32(block), .io_opt = cpu_to_le32(4 * block),
		.discard_max = cpu_to_le32(discard), .discard_granularity = cpu_to_le32(block),
		.zeroes_max = cpu_to_le32(zeroes), .write_cache = cache, .fua = fua,
	};
}

/* R3.9: what is offered holds on every leg, in whatever order they are looked at. */
static void what_one_leg_cannot_do_is_not_offered(struct kunit *test)
{
	struct rmr_limits_le a = limits_of(512, 1 << 20, 4096, 0, 1);
	struct rmr_limits_le b = limits_of(4096, 0, 1 << 20, 1, 0);
	const struct rmr_limits_le want = {
		.logical_block = cpu_to_le32(4096), .physical_block = cpu_to_le32(8192),
		.io_min = cpu_to_le32(4096), .io_opt = cpu_to_le32(16384),
		.discard_granularity = cpu_to_le32(4096), .zeroes_max = cpu_to_le32(4096),
		.write_cache = 1, .rotational = 1,
	};
	struct rmr_limits_le ab = a, ba = b;

	a.rotational = 1;
	ab.rotational = 1;
	rmr_limits_narrow(&ab, &b);
	rmr_limits_narrow(&ba, &a);
	KUNIT_EXPECT_MEMEQ(test, &ab, &want, sizeof(want));
	KUNIT_EXPECT_MEMEQ(test, &ba, &want, sizeof(want));
	rmr_limits_narrow(&ab, &ba);
	KUNIT_EXPECT_MEMEQ(test, &ab, &want, sizeof(want));
}

static struct kunit_case cases[] = {
	KUNIT_CASE(the_leg_that_answers_first_is_asked),
	KUNIT_CASE(equal_legs_take_turns),
	KUNIT_CASE(a_leg_that_answered_stale_is_asked_last),
	KUNIT_CASE(a_cost_never_wraps),
	KUNIT_CASE(one_slow_answer_is_forgotten),
	KUNIT_CASE(what_one_leg_cannot_do_is_not_offered),
	{}
};

static struct kunit_suite suite = {
	.name = "rmr_read",
	.test_cases = cases,
};

kunit_test_suite(suite);
