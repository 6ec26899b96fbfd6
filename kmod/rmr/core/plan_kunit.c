// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guards the resync: a void copy never ends a chunk's lack (F_VOID), a MISSED block is copied
 * (F_OVLMISS), a held chunk is not (F_HOLD), written blocks are not overwritten, and what is copied
 * is no more than the 4 KiB blocks that differ.
 */
#include <kunit/test.h>

#include "plan.h"

#define CHUNKS	2000u
#define BLOCKS	256u

struct owner {
	u64	held;
	u8	sources;
};

static bool held(void *data, u64 chunk)
{
	return ((struct owner *)data)->held == chunk;
}

static u8 sources(void *data, u64 chunk)
{
	(void)chunk;
	return ((struct owner *)data)->sources;
}

static const struct rmr_plan_ops ops = { .held = held, .sources = sources };

static int next(struct rmr_plan *p, struct owner *o, struct rmr_copy *c)
{
	return rmr_plan_next(p, &ops, o, c, GFP_KERNEL);
}

static int add(struct rmr_plan *p, u64 first, u64 last)
{
	return rmr_plan_add(p, first, last, GFP_KERNEL);
}

static void make(struct kunit *test, struct rmr_plan *p)
{
	KUNIT_ASSERT_EQ(test, rmr_plan_init(p, CHUNKS, GFP_KERNEL), 0);
}

static void copies_are_spread_over_the_sources(struct kunit *test)
{
	struct owner o = { .held = 5, .sources = 0x0a };
	struct rmr_copy c[4], none;
	struct rmr_plan p;

	make(test, &p);
	KUNIT_EXPECT_EQ(test, next(&p, &o, &none), 0);
	KUNIT_EXPECT_EQ(test, add(&p, 3, 6), 0);
	KUNIT_EXPECT_EQ(test, add(&p, 5, 9), 0);
	KUNIT_EXPECT_EQ(test, add(&p, 5000, 5001), 0);
	KUNIT_EXPECT_EQ(test, add(&p, 9, 8), 0);
	KUNIT_EXPECT_EQ(test, p.left, 7);
	KUNIT_EXPECT_EQ(test, next(&p, &o, &c[0]), 1);
	KUNIT_EXPECT_EQ(test, next(&p, &o, &c[1]), 1);
	KUNIT_EXPECT_EQ(test, next(&p, &o, &c[2]), 1);
	KUNIT_EXPECT_EQ(test, c[0].chunk, 3);
	KUNIT_EXPECT_EQ(test, c[0].source, 1);
	KUNIT_EXPECT_EQ(test, c[1].source, 3);
	KUNIT_EXPECT_EQ(test, c[2].chunk, 6);
	KUNIT_EXPECT_EQ(test, c[2].source, 1);
	KUNIT_EXPECT_EQ(test, p.running, 3);
	KUNIT_EXPECT_EQ(test, rmr_plan_done(&p, &c[0], GFP_KERNEL), 1);
	KUNIT_EXPECT_EQ(test, rmr_plan_done(&p, &c[0], GFP_KERNEL), 0);
	KUNIT_EXPECT_FALSE(test, rmr_plan_lacks(&p, 3));
	KUNIT_EXPECT_EQ(test, rmr_plan_next_lacked(&p, 0), 4);
	KUNIT_EXPECT_EQ(test, p.left, 6);
	o.sources = 0;
	KUNIT_EXPECT_EQ(test, next(&p, &o, &c[3]), 0);
	rmr_plan_destroy(&p);
}

static void a_void_copy_does_not_end_the_lack(struct kunit *test)
{
	struct owner o = { .held = RMR_NO_CHUNK, .sources = 1 };
	struct rmr_copy old, new;
	struct rmr_plan p;

	make(test, &p);
	add(&p, 1, 1);
	KUNIT_EXPECT_EQ(test, next(&p, &o, &old), 1);
	KUNIT_EXPECT_TRUE(test, rmr_plan_valid(&p, &old));
	add(&p, 1, 1);
	KUNIT_EXPECT_FALSE(test, rmr_plan_valid(&p, &old));
	KUNIT_EXPECT_EQ(test, rmr_plan_done(&p, &old, GFP_KERNEL), 0);
	rmr_plan_fail(&p, &old);
	KUNIT_EXPECT_TRUE(test, rmr_plan_lacks(&p, 1));
	KUNIT_EXPECT_EQ(test, next(&p, &o, &new), 1);
	KUNIT_EXPECT_EQ(test, rmr_plan_done(&p, &old, GFP_KERNEL), 0);
	rmr_plan_reset(&p);
	KUNIT_EXPECT_EQ(test, p.left, 0);
	KUNIT_EXPECT_EQ(test, rmr_plan_done(&p, &new, GFP_KERNEL), 0);
	add(&p, 1, 1);
	/* A ticket of before the reset is never given again. */
	KUNIT_EXPECT_EQ(test, next(&p, &o, &old), 1);
	KUNIT_EXPECT_NE(test, old.ticket, new.ticket);
	rmr_plan_destroy(&p);
}

static void a_failed_source_is_left_out_for_a_round(struct kunit *test)
{
	struct owner o = { .held = RMR_NO_CHUNK, .sources = 3 };
	struct rmr_copy c;
	struct rmr_plan p;

	make(test, &p);
	add(&p, 1, 1);
	KUNIT_EXPECT_EQ(test, next(&p, &o, &c), 1);
	KUNIT_EXPECT_EQ(test, c.source, 0);
	rmr_plan_fail(&p, &c);
	KUNIT_EXPECT_EQ(test, p.running, 0);
	KUNIT_EXPECT_EQ(test, next(&p, &o, &c), 1);
	KUNIT_EXPECT_EQ(test, c.source, 1);
	/* A write voids the copy; the failed source is still left out. */
	add(&p, 1, 1);
	KUNIT_EXPECT_EQ(test, next(&p, &o, &c), 1);
	KUNIT_EXPECT_EQ(test, c.source, 1);
	rmr_plan_fail(&p, &c);
	KUNIT_EXPECT_EQ(test, next(&p, &o, &c), 0);
	KUNIT_EXPECT_EQ(test, next(&p, &o, &c), 1);
	KUNIT_EXPECT_EQ(test, c.source, 0);
	KUNIT_EXPECT_EQ(test, rmr_plan_done(&p, &c, GFP_KERNEL), 1);
	KUNIT_EXPECT_EQ(test, p.left, 0);
	rmr_plan_destroy(&p);
}

static void a_pulled_map_is_taken_whole(struct kunit *test)
{
	struct rmr_map map, other;
	struct rmr_plan p;

	make(test, &p);
	KUNIT_ASSERT_EQ(test, rmr_map_init(&map, CHUNKS, 0, GFP_KERNEL), 0);
	KUNIT_ASSERT_EQ(test, rmr_map_init(&other, CHUNKS - 1, 0, GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, rmr_plan_add_map(&p, &other, 1, GFP_KERNEL), -EINVAL);
	rmr_map_set_all(&map, 4, GFP_KERNEL);
	rmr_map_set(&map, 10, 20, 1, GFP_KERNEL);
	rmr_map_set(&map, 600, 600, 2, GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, rmr_plan_add_map(&p, &map, 3, GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, p.left, 12);
	KUNIT_EXPECT_EQ(test, rmr_plan_next_lacked(&p, 21), 600);
	KUNIT_EXPECT_EQ(test, rmr_plan_add_map(&p, &map, 4, GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, p.left, CHUNKS);
	KUNIT_EXPECT_LT(test, p.lack.memory, 8192);
	rmr_map_destroy(&map);
	rmr_map_destroy(&other);
	rmr_plan_destroy(&p);
}

static void only_blocks_that_differ_are_copied(struct kunit *test)
{
	struct rmr_blocks fine, overlay;
	u32 first, last;

	KUNIT_ASSERT_EQ(test, rmr_blocks_init(&fine, BLOCKS, 10), 0);
	KUNIT_ASSERT_EQ(test, rmr_blocks_init(&overlay, BLOCKS, 10), 0);
	/* Nothing known: the whole chunk, which may be short. */
	KUNIT_EXPECT_TRUE(test, rmr_plan_run(&fine, &overlay, 1, 0, 100, &first, &last));
	KUNIT_EXPECT_EQ(test, first, 0);
	KUNIT_EXPECT_EQ(test, last, 99);
	KUNIT_EXPECT_FALSE(test, rmr_plan_run(&fine, &overlay, 1, 100, 100, &first, &last));
	rmr_blocks_add(&overlay, 1, 0, 9, GFP_KERNEL);
	KUNIT_EXPECT_TRUE(test, rmr_plan_run(&fine, &overlay, 1, 0, 100, &first, &last));
	KUNIT_EXPECT_EQ(test, first, 10);
	rmr_fine_note(&fine, 1, 8, 12, false, GFP_KERNEL);
	rmr_fine_note(&fine, 1, 64, 64, true, GFP_KERNEL);
	KUNIT_EXPECT_TRUE(test, rmr_plan_run(&fine, &overlay, 1, 0, BLOCKS, &first, &last));
	KUNIT_EXPECT_EQ(test, first, 10);
	KUNIT_EXPECT_EQ(test, last, 12);
	KUNIT_EXPECT_TRUE(test, rmr_plan_run(&fine, &overlay, 1, 13, BLOCKS, &first, &last));
	KUNIT_EXPECT_EQ(test, first, 64);
	KUNIT_EXPECT_EQ(test, last, 64);
	rmr_blocks_reset(&fine);
	rmr_blocks_reset(&overlay);
	KUNIT_EXPECT_EQ(test, fine.memory + overlay.memory, 0);
}

static void a_missed_block_is_copied_again(struct kunit *test)
{
	struct owner o = { .held = RMR_NO_CHUNK, .sources = 1 };
	struct rmr_blocks fine, overlay;
	struct rmr_copy c;
	struct rmr_plan p;
	u32 first, last;

	make(test, &p);
	KUNIT_ASSERT_EQ(test, rmr_blocks_init(&fine, BLOCKS, 10), 0);
	KUNIT_ASSERT_EQ(test, rmr_blocks_init(&overlay, BLOCKS, 10), 0);
	KUNIT_EXPECT_EQ(test, rmr_plan_missed(&p, &fine, &overlay, 4, 3, 3, GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, next(&p, &o, &c), 1);
	rmr_blocks_add(&overlay, 4, 5, 6, GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, rmr_plan_missed(&p, &fine, &overlay, 4, 6, 6, GFP_KERNEL), 0);
	KUNIT_EXPECT_FALSE(test, rmr_plan_valid(&p, &c));
	KUNIT_EXPECT_TRUE(test, rmr_plan_run(&fine, &overlay, 4, 4, BLOCKS, &first, &last));
	KUNIT_EXPECT_EQ(test, first, 6);
	KUNIT_EXPECT_EQ(test, last, 6);
	/* A chunk lacked as a whole stays so. */
	add(&p, 9, 9);
	KUNIT_EXPECT_EQ(test, rmr_plan_missed(&p, &fine, &overlay, 9, 3, 3, GFP_KERNEL), 0);
	KUNIT_EXPECT_FALSE(test, rmr_blocks_known(&fine, 9));
	rmr_blocks_reset(&fine);
	rmr_blocks_reset(&overlay);
	rmr_plan_destroy(&p);
}

static void block_sets_are_bounded(struct kunit *test)
{
	struct rmr_blocks set;

	KUNIT_EXPECT_EQ(test, rmr_blocks_init(&set, 0, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, rmr_blocks_init(&set, RMR_BLOCKS_PER_CHUNK_MAX + 1, 1), -EINVAL);
	KUNIT_ASSERT_EQ(test, rmr_blocks_init(&set, 70, 2), 0);
	KUNIT_EXPECT_EQ(test, rmr_blocks_add(&set, 1, 5, 4, GFP_KERNEL), -ERANGE);
	KUNIT_EXPECT_EQ(test, rmr_blocks_add(&set, 1, 0, 70, GFP_KERNEL), -ERANGE);
	KUNIT_EXPECT_EQ(test, rmr_blocks_add(&set, 1, 0, 69, GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, rmr_blocks_add(&set, 2, 63, 64, GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, rmr_blocks_add(&set, 3, 0, 0, GFP_KERNEL), -ENOSPC);
	KUNIT_EXPECT_TRUE(test, rmr_blocks_has(&set, 2, 64));
	KUNIT_EXPECT_FALSE(test, rmr_blocks_has(&set, 2, 65));
	KUNIT_EXPECT_FALSE(test, rmr_blocks_has(&set, 2, 70));
	KUNIT_EXPECT_FALSE(test, rmr_blocks_has(&set, 3, 0));
	KUNIT_EXPECT_EQ(test, rmr_blocks_next(&set, 2, 0), 63);
	KUNIT_EXPECT_EQ(test, rmr_blocks_next(&set, 2, 64), 64);
	KUNIT_EXPECT_EQ(test, rmr_blocks_next(&set, 2, 65), 70);
	KUNIT_EXPECT_EQ(test, rmr_blocks_next(&set, 2, 70), 70);
	KUNIT_EXPECT_EQ(test, rmr_blocks_next(&set, 3, 0), 70);
	rmr_blocks_remove(&set, 1, 10, 1000);
	KUNIT_EXPECT_TRUE(test, rmr_blocks_has(&set, 1, 9));
	KUNIT_EXPECT_FALSE(test, rmr_blocks_has(&set, 1, 10));
	rmr_blocks_remove(&set, 1, 71, 1000);
	rmr_blocks_remove(&set, 3, 0, 1);
	rmr_blocks_remove(&set, 1, 0, 9);
	KUNIT_EXPECT_FALSE(test, rmr_blocks_known(&set, 1));
	rmr_blocks_drop(&set, 1);
	rmr_blocks_drop(&set, 2);
	KUNIT_EXPECT_EQ(test, set.memory, 0);
	rmr_blocks_reset(&set);
}

/* A chunk that got no bits must not look as if only its later blocks differed. */
static void a_lost_fine_map_means_the_whole_chunk(struct kunit *test)
{
	struct rmr_blocks fine;

	KUNIT_ASSERT_EQ(test, rmr_blocks_init(&fine, BLOCKS, 1), 0);
	rmr_fine_note(&fine, 1, 0, 0, false, GFP_KERNEL);
	rmr_fine_note(&fine, 2, 0, 0, false, GFP_KERNEL);
	KUNIT_EXPECT_FALSE(test, rmr_blocks_known(&fine, 2));
	rmr_blocks_drop(&fine, 1);
	rmr_fine_note(&fine, 2, 7, 7, true, GFP_KERNEL);
	KUNIT_EXPECT_FALSE(test, rmr_blocks_known(&fine, 2));
	rmr_fine_note(&fine, 3, 7, 7, false, GFP_KERNEL);
	rmr_fine_note(&fine, 3, 9, 9, false, GFP_KERNEL);
	KUNIT_EXPECT_FALSE(test, rmr_blocks_has(&fine, 3, 7));
	/* A range that makes no sense leaves nothing half known. */
	rmr_fine_note(&fine, 3, 9, BLOCKS, true, GFP_KERNEL);
	KUNIT_EXPECT_FALSE(test, rmr_blocks_known(&fine, 3));
	rmr_blocks_reset(&fine);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(copies_are_spread_over_the_sources),
	KUNIT_CASE(a_void_copy_does_not_end_the_lack),
	KUNIT_CASE(a_failed_source_is_left_out_for_a_round),
	KUNIT_CASE(a_pulled_map_is_taken_whole),
	KUNIT_CASE(only_blocks_that_differ_are_copied),
	KUNIT_CASE(a_missed_block_is_copied_again),
	KUNIT_CASE(block_sets_are_bounded),
	KUNIT_CASE(a_lost_fine_map_means_the_whole_chunk),
	{}
};

static struct kunit_suite suite = {
	.name = "rmr_plan",
	.test_cases = cases,
};

kunit_test_suite(suite);
