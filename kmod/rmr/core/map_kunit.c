// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guards the dirty map: no bit is lost, none counts as persisted before its image is stable, a
 * damaged sector counts as all dirty, a new disk costs one write, memory follows what is dirty.
 * Runs in the kernel and, through tests/core, in userspace.
 */
#include <kunit/test.h>

#include "map.h"

#define CHUNKS	10000u
#define TAG	0x11223344u

static void make(struct kunit *test, struct rmr_map *map, u64 chunks)
{
	KUNIT_ASSERT_EQ(test, rmr_map_init(map, chunks, TAG, GFP_KERNEL), 0);
}

static int set(struct rmr_map *map, u64 first, u64 last, u8 bits)
{
	return rmr_map_set(map, first, last, bits, GFP_KERNEL);
}

static int clear(struct rmr_map *map, u64 first, u64 last, u8 bits)
{
	return rmr_map_clear(map, first, last, bits, GFP_KERNEL);
}

/* Writes every pending block; tells how many. */
static u32 persist(struct rmr_map *map)
{
	struct rmr_map_sector sector[RMR_MAP_BLOCK_SECTORS];
	struct rmr_map_block_gen gen;
	u64 block = 0;
	u32 n = 0;

	for (; (block = rmr_map_next_pending_block(map, block)) != RMR_NO_SECTOR; block++, n++) {
		rmr_map_block_image(map, block, sector, &gen);
		rmr_map_block_persisted(map, block, &gen);
	}
	return n;
}

struct range_case {
	const char *name;
	u64	first, last;
	u8	bits;
	int	changed;
	u64	count;			/* chunks with one of the bits afterwards */
};

static const struct range_case ranges[] = {
	{ "one", 7, 7, 1, 1, 1 },
	{ "the same again", 7, 7, 1, 0, 1 },
	{ "another bit of it", 7, 7, 2, 1, 1 },
	{ "fills the short list", 0, 9, 4, 1, 10 },
	{ "one more than the short list", 20, 20, 4, 1, 11 },
	{ "across a sector", 490, 500, 8, 1, 11 },
	{ "a whole sector", 992, 1487, 16, 1, 496 },
	{ "inside a filled sector", 1000, 1010, 16, 0, 496 },
	{ "several sectors", 100, 5000, 32, 1, 4901 },
	{ "past the end", 9999, 20000, 64, 1, 1 },
	{ "behind the end", 10000, 10001, 64, 0, 1 },
	{ "upside down", 5, 4, 128, 0, 0 },
	{ "no bit", 0, 9999, 0, 0, 0 },
	{ "everything", 0, 9999, 128, 1, 10000 },
};

static void set_ranges(struct kunit *test)
{
	struct rmr_map map;
	unsigned int i;
	u64 c;

	make(test, &map, CHUNKS);
	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		const struct range_case *r = &ranges[i];

		KUNIT_EXPECT_EQ_MSG(test, set(&map, r->first, r->last, r->bits), r->changed,
				    "%s", r->name);
		KUNIT_EXPECT_EQ_MSG(test, rmr_map_count(&map, r->bits), r->count, "%s", r->name);
		for (c = r->first; c <= r->last && c < CHUNKS; c += 7)
			KUNIT_EXPECT_EQ_MSG(test, rmr_map_get(&map, c) & r->bits, r->bits,
					    "%s", r->name);
	}
	KUNIT_EXPECT_EQ(test, rmr_map_get(&map, CHUNKS), 0);
	rmr_map_destroy(&map);
}

static void clear_keeps_the_neighbours(struct kunit *test)
{
	struct rmr_map map;

	make(test, &map, CHUNKS);
	KUNIT_EXPECT_EQ(test, clear(&map, 0, CHUNKS, 0xff), 0);
	KUNIT_EXPECT_EQ(test, rmr_map_set_all(&map, 3, GFP_KERNEL), 1);
	KUNIT_EXPECT_EQ(test, clear(&map, 10, 10, 1), 1);
	KUNIT_EXPECT_EQ(test, rmr_map_get(&map, 10), 2);
	KUNIT_EXPECT_EQ(test, rmr_map_get(&map, 9), 3);
	KUNIT_EXPECT_EQ(test, rmr_map_count(&map, 1), CHUNKS - 1);
	KUNIT_EXPECT_EQ(test, clear(&map, 10, 10, 1), 0);
	KUNIT_EXPECT_EQ(test, clear(&map, 5000, U64_MAX, 2), 1);
	KUNIT_EXPECT_EQ(test, rmr_map_count(&map, 2), 5000);
	KUNIT_EXPECT_EQ(test, clear(&map, 0, U64_MAX, 3), 1);
	KUNIT_EXPECT_FALSE(test, rmr_map_any(&map, 0xff));
	set(&map, 3, 3, 5);
	set(&map, 4, 4, 1);
	KUNIT_EXPECT_EQ(test, clear(&map, 3, 3, 1), 1);
	KUNIT_EXPECT_EQ(test, rmr_map_get(&map, 3), 4);
	KUNIT_EXPECT_EQ(test, clear(&map, 3, 3, 2), 0);
	KUNIT_EXPECT_EQ(test, clear(&map, 3, 3, 4), 1);
	KUNIT_EXPECT_EQ(test, rmr_map_get(&map, 3), 0);
	KUNIT_EXPECT_EQ(test, rmr_map_get(&map, 4), 1);
	rmr_map_destroy(&map);
}

static void next_finds_each_dirty_chunk_once(struct kunit *test)
{
	static const u64 dirty[] = { 0, 3, 495, 496, 991, 60000, 70000, 70008, 99999 };
	struct rmr_map map;
	unsigned int i;
	u64 at = 0;
	u8 bits;

	make(test, &map, 100000);
	for (i = 0; i < ARRAY_SIZE(dirty); i++)
		set(&map, dirty[i], dirty[i], 1 << (i % 8));
	/* Makes the sector keep all its bytes. */
	set(&map, 70001, 70050, 0x40);
	clear(&map, 70001, 70050, 0x40);
	for (i = 0; i < ARRAY_SIZE(dirty); i++, at++) {
		at = rmr_map_next(&map, at, 0xff, &bits);
		KUNIT_EXPECT_EQ(test, at, dirty[i]);
		KUNIT_EXPECT_EQ(test, bits, 1 << (i % 8));
	}
	KUNIT_EXPECT_EQ(test, rmr_map_next(&map, 100000, 0xff, &bits), RMR_NO_CHUNK);
	KUNIT_EXPECT_EQ(test, rmr_map_next(&map, 0, 0, &bits), RMR_NO_CHUNK);
	KUNIT_EXPECT_EQ(test, rmr_map_next(&map, 4, 1, &bits), 99999);
	KUNIT_EXPECT_EQ(test, bits, 1);
	rmr_map_destroy(&map);
}

static void merge_takes_the_masked_bits(struct kunit *test)
{
	struct rmr_map a, b, other;

	make(test, &a, CHUNKS);
	make(test, &b, CHUNKS);
	make(test, &other, CHUNKS + 1);
	KUNIT_EXPECT_EQ(test, rmr_map_merge(&a, &other, 0xff, GFP_KERNEL), -EINVAL);
	rmr_map_set_all(&b, 2, GFP_KERNEL);
	set(&b, 5, 5, 5);
	set(&b, 600, 700, 1);
	set(&a, 5, 5, 8);
	KUNIT_EXPECT_EQ(test, rmr_map_merge(&a, &b, 3, GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, rmr_map_get(&a, 5), 8 | 2 | 1);
	KUNIT_EXPECT_EQ(test, rmr_map_get(&a, 650), 3);
	KUNIT_EXPECT_EQ(test, rmr_map_count(&a, 2), CHUNKS);
	KUNIT_EXPECT_EQ(test, rmr_map_count(&a, 4), 0);
	rmr_map_destroy(&a);
	rmr_map_destroy(&b);
	rmr_map_destroy(&other);
}

static void a_bit_is_persisted_only_by_its_own_image(struct kunit *test)
{
	struct rmr_map_sector sector;
	struct rmr_map map;
	u64 old, gen;

	make(test, &map, CHUNKS);
	KUNIT_EXPECT_TRUE(test, rmr_map_stable(&map, 0, CHUNKS));
	KUNIT_EXPECT_EQ(test, rmr_map_next_pending(&map, 0), RMR_NO_SECTOR);
	set(&map, 500, 500, 1);
	KUNIT_EXPECT_EQ(test, rmr_map_next_pending(&map, 0), 1);
	KUNIT_EXPECT_EQ(test, rmr_map_next_pending(&map, 2), RMR_NO_SECTOR);
	KUNIT_EXPECT_EQ(test, rmr_map_next_pending(&map, 1u << 20), RMR_NO_SECTOR);
	old = rmr_map_image(&map, 1, &sector);
	set(&map, 501, 501, 1);
	KUNIT_EXPECT_FALSE(test, rmr_map_stable(&map, 501, 501));
	rmr_map_persisted(&map, 1, old);
	KUNIT_EXPECT_FALSE(test, rmr_map_stable(&map, 501, 501));
	KUNIT_EXPECT_TRUE(test, rmr_map_stable(&map, 0, 495));
	KUNIT_EXPECT_TRUE(test, rmr_map_stable(&map, 4, 3));
	gen = rmr_map_image(&map, 1, &sector);
	rmr_map_persisted(&map, 1, gen + 1);
	KUNIT_EXPECT_FALSE(test, rmr_map_stable(&map, 500, 500));
	rmr_map_persisted(&map, 1, gen);
	rmr_map_persisted(&map, 1, old);
	KUNIT_EXPECT_TRUE(test, rmr_map_stable(&map, 0, U64_MAX));
	rmr_map_persisted(&map, 77, gen);
	rmr_map_persisted(&map, 0, gen);
	KUNIT_EXPECT_EQ(test, map.pending, 0);
	rmr_map_destroy(&map);
}

/*
 * A sector whose bits were all cleared and persisted is forgotten. Its generations began again at
 * 1, so the late report of an old image made a new bit count as persisted that was never written.
 */
static void late_report_after_the_sector_was_forgotten(struct kunit *test)
{
	struct rmr_map_sector sector;
	struct rmr_map map;
	u64 old;

	make(test, &map, CHUNKS);
	set(&map, 0, 0, 1);
	old = rmr_map_image(&map, 0, &sector);
	clear(&map, 0, 0, 1);
	rmr_map_persisted(&map, 0, rmr_map_image(&map, 0, &sector));
	KUNIT_EXPECT_EQ(test, rmr_map_image(&map, 0, &sector), 0);
	set(&map, 1, 1, 1);
	rmr_map_persisted(&map, 0, old);
	KUNIT_EXPECT_FALSE(test, rmr_map_stable(&map, 1, 1));
	rmr_map_destroy(&map);
}

static void memory_goes_with_the_last_bit(struct kunit *test)
{
	struct rmr_map map;
	u64 empty, c;

	make(test, &map, 1ull << 24);
	empty = map.memory;
	for (c = 0; c < 1u << 24; c += 1667)
		set(&map, c, c, 2);
	KUNIT_EXPECT_GT(test, map.memory, empty);
	set(&map, 0, U64_MAX, 4);
	KUNIT_EXPECT_LT(test, map.memory, 4u << 20);
	clear(&map, 0, U64_MAX, 6);
	KUNIT_EXPECT_GT(test, persist(&map), 0);
	KUNIT_EXPECT_EQ(test, map.memory, empty);
	KUNIT_EXPECT_EQ(test, persist(&map), 0);
	rmr_map_destroy(&map);
}

static void too_many_chunks_are_refused(struct kunit *test)
{
	struct rmr_map map;

	KUNIT_EXPECT_EQ(test, rmr_map_init(&map, RMR_MAP_CHUNKS_MAX + 1, TAG, GFP_KERNEL), -EINVAL);
	rmr_map_destroy(&map);
	make(test, &map, 0);
	KUNIT_EXPECT_EQ(test, rmr_map_set_all(&map, 1, GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, set(&map, 0, 0, 1), 0);
	KUNIT_EXPECT_TRUE(test, rmr_map_stable(&map, 0, 0));
	rmr_map_destroy(&map);
}

static void a_block_survives_the_disk(struct kunit *test)
{
	struct rmr_map_sector sector[RMR_MAP_BLOCK_SECTORS];
	struct rmr_map_block_gen gen;
	struct rmr_map map, back;
	struct rmr_fault fault;
	u8 refused, bits;
	u64 c;

	make(test, &map, 600);
	make(test, &back, 600);
	set(&map, 0, 0, 1);
	set(&map, 400, 599, 0x82);
	KUNIT_EXPECT_EQ(test, rmr_map_next_pending_block(&map, 0), 0);
	KUNIT_EXPECT_EQ(test, rmr_map_next_pending_block(&map, 1), RMR_NO_SECTOR);
	rmr_map_block_image(&map, 0, sector, &gen);
	rmr_map_block_persisted(&map, 0, &gen);
	KUNIT_EXPECT_EQ(test, map.pending, 0);
	KUNIT_EXPECT_EQ(test, rmr_map_block_load(&back, 0, sector, &refused, &fault, GFP_KERNEL),
			0);
	KUNIT_EXPECT_EQ(test, refused, 0);
	KUNIT_EXPECT_EQ(test, back.pending, 0);
	for (c = 0; c < 600; c++)
		KUNIT_EXPECT_EQ(test, rmr_map_get(&back, c), rmr_map_get(&map, c));
	KUNIT_EXPECT_EQ(test, rmr_map_next(&back, 1, 0xff, &bits), 400);
	rmr_map_destroy(&back);
	rmr_map_destroy(&map);
}

static void setting_what_a_whole_sector_has_changes_nothing(struct kunit *test)
{
	struct rmr_map map;

	make(test, &map, 2);
	KUNIT_EXPECT_EQ(test, rmr_map_set(&map, 0, 0, 3, GFP_KERNEL), 1);
	KUNIT_EXPECT_EQ(test, rmr_map_set(&map, 1, 1, 2, GFP_KERNEL), 1);
	KUNIT_EXPECT_EQ(test, rmr_map_set(&map, 0, 1, 2, GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, rmr_map_set_all(&map, 1, GFP_KERNEL), 1);
	KUNIT_EXPECT_EQ(test, rmr_map_set_all(&map, 3, GFP_KERNEL), 0);
	rmr_map_destroy(&map);
}

struct damage_case {
	const char *field;		/* as the fault names it */
	u32	at;			/* byte to flip in sector 1 of a map of 600 chunks */
	bool	seal;			/* put the right checksum afterwards */
	int	err;
};

static const struct damage_case damages[] = {
	{ "magic", 0, true, -ENODATA },
	{ "crc32c", 12, false, -EBADMSG },
	{ "crc32c", 16, false, -EBADMSG },
	{ "index", 4, true, -EINVAL },
	{ "pool_tag", 8, true, -EINVAL },
	{ "chunk", 16 + 104, true, -EINVAL },
};

static void a_damaged_sector_counts_as_all_dirty(struct kunit *test)
{
	struct rmr_map_sector sector[RMR_MAP_BLOCK_SECTORS];
	struct rmr_map_block_gen gen;
	struct rmr_fault fault;
	struct rmr_map map;
	unsigned int i;
	u8 refused;

	for (i = 0; i < ARRAY_SIZE(damages); i++) {
		const struct damage_case *d = &damages[i];

		make(test, &map, 600);
		rmr_map_block_image(&map, 0, sector, &gen);
		((u8 *)&sector[1])[d->at] ^= 0x10;
		if (d->seal)
			rmr_map_sector_seal(&sector[1]);
		KUNIT_EXPECT_EQ(test, rmr_map_load(&map, 1, &sector[1], &fault, GFP_KERNEL),
				d->err);
		KUNIT_EXPECT_STREQ(test, fault.field, d->field);
		KUNIT_EXPECT_EQ(test, rmr_map_count(&map, 0x80), 104);
		KUNIT_EXPECT_EQ(test, rmr_map_get(&map, 599), 0xff);
		KUNIT_EXPECT_FALSE(test, rmr_map_stable(&map, 599, 599));
		fault.field = NULL;
		KUNIT_EXPECT_EQ(test, rmr_map_block_load(&map, 0, sector, &refused, &fault,
							 GFP_KERNEL), 0);
		KUNIT_EXPECT_EQ(test, refused, 2);
		KUNIT_EXPECT_STREQ(test, fault.field, d->field);
		rmr_map_destroy(&map);
	}
	make(test, &map, 600);
	KUNIT_EXPECT_EQ(test, rmr_map_load(&map, 2, &sector[0], &fault, GFP_KERNEL), -ERANGE);
	KUNIT_EXPECT_STREQ(test, fault.field, "index");
	KUNIT_EXPECT_FALSE(test, rmr_map_any(&map, 0xff));
	memset(sector, 0, sizeof(sector));
	KUNIT_EXPECT_EQ(test, rmr_map_block_load(&map, 0, sector, &refused, &fault, GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, refused, 3);
	KUNIT_EXPECT_EQ(test, rmr_map_count(&map, 1), 600);
	rmr_map_destroy(&map);
}

static int resize(struct rmr_map *map, u64 chunks)
{
	void *spare = rmr_map_spare(chunks, GFP_KERNEL);
	int err = rmr_map_resize(map, chunks, &spare, GFP_KERNEL);

	rmr_free(spare);
	return err;
}

/* Grows by less and by more than a sector, past a page; what all of the last sector had stays. */
static void a_larger_map_keeps_its_bits_and_is_clean_behind(struct kunit *test)
{
	static const u64 sizes[] = { 700, 992, 993, 5000, RMR_MAP_PAGE_SLOTS * 496u + 3, 200000 };
	struct rmr_map_sector sector;
	struct rmr_map map;
	unsigned int i;
	u64 old = 600;

	make(test, &map, old);
	KUNIT_EXPECT_EQ(test, rmr_map_set_all(&map, 4, GFP_KERNEL), 1);
	KUNIT_EXPECT_EQ(test, set(&map, 599, 599, 2), 1);
	persist(&map);
	KUNIT_EXPECT_EQ(test, resize(&map, RMR_MAP_CHUNKS_MAX + 1), -EINVAL);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		KUNIT_EXPECT_EQ(test, resize(&map, sizes[i]), 0);
		KUNIT_EXPECT_EQ(test, map.chunks, sizes[i]);
		KUNIT_EXPECT_EQ(test, rmr_map_count(&map, 4), old);
		KUNIT_EXPECT_EQ(test, rmr_map_get(&map, 599), 6);
		KUNIT_EXPECT_EQ(test, rmr_map_get(&map, old), 0);
		KUNIT_EXPECT_EQ(test, rmr_map_get(&map, sizes[i] - 1), 0);
		KUNIT_EXPECT_TRUE(test, rmr_map_stable(&map, 0, sizes[i]));
	}
	rmr_map_image(&map, 1, &sector);
	KUNIT_EXPECT_EQ(test, sector.chunk[599 - 496], 6);
	KUNIT_EXPECT_EQ(test, sector.chunk[600 - 496], 0);
	KUNIT_EXPECT_EQ(test, set(&map, 199999, 199999, 1), 1);
	KUNIT_EXPECT_EQ(test, rmr_map_get(&map, 199999), 1);
	KUNIT_EXPECT_EQ(test, clear(&map, 0, U64_MAX, 0xff), 1);
	persist(&map);
	KUNIT_EXPECT_EQ(test, rmr_map_count(&map, 0xff), 0);
	rmr_map_destroy(&map);
	KUNIT_EXPECT_EQ(test, map.memory, 0);
}

/* Shrinks inside a sector, to its end, and by pages; what comes back when it grows is clean. */
static void a_smaller_map_forgets_what_is_behind(struct kunit *test)
{
	static const u64 sizes[] = { RMR_MAP_PAGE_SLOTS * 496u + 3, 5000, 993, 992, 700, 1 };
	struct rmr_map_sector sector;
	struct rmr_map map;
	unsigned int i;

	make(test, &map, 200000);
	KUNIT_EXPECT_EQ(test, rmr_map_set_all(&map, 4, GFP_KERNEL), 1);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		u64 end = sizes[i];

		KUNIT_EXPECT_EQ(test, set(&map, end, end, 2), 1);
		persist(&map);
		KUNIT_EXPECT_EQ(test, resize(&map, end), 0);
		KUNIT_EXPECT_EQ(test, rmr_map_count(&map, 4), end);
		KUNIT_EXPECT_EQ(test, rmr_map_count(&map, 2), 0);
		KUNIT_EXPECT_EQ(test, rmr_map_get(&map, end), 0);
		/* On disk the last sector has bits behind its new end. */
		KUNIT_EXPECT_EQ(test, map.pending, !!(end % 496));
		rmr_map_image(&map, (end - 1) / 496, &sector);
		KUNIT_EXPECT_EQ(test, sector.chunk[(end - 1) % 496], 4);
		KUNIT_EXPECT_TRUE(test, !(end % 496) || !sector.chunk[end % 496]);
		KUNIT_EXPECT_EQ(test, resize(&map, end + 600), 0);
		KUNIT_EXPECT_EQ(test, rmr_map_count(&map, 0xff), end);
		KUNIT_EXPECT_EQ(test, rmr_map_get(&map, end), 0);
	}
	KUNIT_EXPECT_EQ(test, set(&map, 300, 300, 1), 1);
	KUNIT_EXPECT_EQ(test, resize(&map, 200), 0);
	KUNIT_EXPECT_EQ(test, rmr_map_count(&map, 1), 0);
	rmr_map_destroy(&map);
	KUNIT_EXPECT_EQ(test, map.memory, 0);
}

/* Writes the superblock; tells what it says of member j. */
static u32 write_fills(struct rmr_map *map, unsigned int j)
{
	__le32 fill[RMR_MAX_MEMBERS];

	rmr_map_fill_put(map, 0xff, fill);
	rmr_map_fill_written(map, fill);
	return le32_to_cpu(fill[j]);
}

/* 16 TiB of 64 KiB chunks: 256 MiB of map were written before a new disk could join. */
static void a_new_disk_costs_one_write(struct kunit *test)
{
	const u64 chunks = 1ull << 20, sectors = 2115;
	struct rmr_map map;
	u64 s;

	make(test, &map, chunks);
	KUNIT_EXPECT_EQ(test, rmr_map_mark(&map, 0, chunks - 1, 4, GFP_KERNEL), 1);
	KUNIT_EXPECT_EQ(test, map.pending, 0);
	KUNIT_EXPECT_EQ(test, rmr_map_count(&map, 4), chunks);
	KUNIT_EXPECT_FALSE(test, rmr_map_stable(&map, 5, 5));
	KUNIT_EXPECT_TRUE(test, rmr_map_fill_pending(&map, 0xff));
	KUNIT_EXPECT_EQ(test, write_fills(&map, 2), 1);
	KUNIT_EXPECT_TRUE(test, rmr_map_stable(&map, 0, chunks - 1));
	KUNIT_EXPECT_FALSE(test, rmr_map_fill_pending(&map, 0xff));
	KUNIT_EXPECT_EQ(test, rmr_map_mark(&map, 0, chunks - 1, 4, GFP_KERNEL), 0);
	for (s = 0; s < 1000; s++)
		clear(&map, s * 496, s * 496 + 495, 4);
	KUNIT_EXPECT_EQ(test, map.pending, 0);
	clear(&map, s * 496, s * 496 + 9, 4);
	KUNIT_EXPECT_EQ(test, map.pending, 1);
	rmr_map_fill_advance(&map);
	KUNIT_EXPECT_EQ(test, write_fills(&map, 2), 1);
	KUNIT_EXPECT_EQ(test, persist(&map), 1);
	KUNIT_EXPECT_EQ(test, write_fills(&map, 2), 1002);
	clear(&map, 0, U64_MAX, 4);
	persist(&map);
	KUNIT_EXPECT_TRUE(test, rmr_map_fill_pending(&map, 0xff));
	KUNIT_EXPECT_EQ(test, write_fills(&map, 2), 0);
	KUNIT_EXPECT_FALSE(test, rmr_map_has_fill(&map));
	KUNIT_EXPECT_EQ(test, map.sectors, sectors);
	rmr_map_destroy(&map);
	KUNIT_EXPECT_EQ(test, map.memory, 0);
}

/* An image that was taken before the fill has not got its bits: it must not pay for them. */
static void an_older_image_does_not_pay_for_a_fill(struct kunit *test)
{
	struct rmr_map_sector sector;
	struct rmr_map map;
	u64 gen;

	make(test, &map, 400);
	set(&map, 3, 3, 2);
	gen = rmr_map_image(&map, 0, &sector);
	KUNIT_EXPECT_EQ(test, rmr_map_mark(&map, 0, 399, 4, GFP_KERNEL), 1);
	write_fills(&map, 2);
	rmr_map_persisted(&map, 0, gen);
	KUNIT_EXPECT_FALSE(test, rmr_map_stable(&map, 3, 3));
	rmr_map_image(&map, 0, &sector);
	KUNIT_EXPECT_EQ(test, sector.chunk[3], 6);
	KUNIT_EXPECT_EQ(test, sector.chunk[4], 4);
	KUNIT_EXPECT_EQ(test, persist(&map), 1);
	KUNIT_EXPECT_TRUE(test, rmr_map_stable(&map, 0, 399));
	rmr_map_destroy(&map);
}

/* A block is written for another sector of it: what a sector owes stays off the disk. */
static void a_neighbour_leaves_what_is_owed_alone(struct kunit *test)
{
	struct rmr_map_sector sector[RMR_MAP_BLOCK_SECTORS];
	struct rmr_map_block_gen gen;
	struct rmr_map map;

	make(test, &map, 1000);
	rmr_map_mark(&map, 0, 999, 4, GFP_KERNEL);
	write_fills(&map, 2);
	set(&map, 600, 600, 2);
	rmr_map_block_image(&map, 0, sector, &gen);
	KUNIT_EXPECT_EQ(test, sector[0].chunk[7], 0);
	KUNIT_EXPECT_EQ(test, sector[1].chunk[600 - 496], 6);
	KUNIT_EXPECT_EQ(test, sector[1].chunk[0], 4);
	rmr_map_block_persisted(&map, 0, &gen);
	clear(&map, 0, U64_MAX, 4);
	KUNIT_EXPECT_EQ(test, map.pending, 1);
	rmr_map_destroy(&map);
}

/* Only what the superblock says before and after a write of it counts meanwhile. */
static void a_fill_under_way_counts_as_little_as_it_may(struct kunit *test)
{
	__le32 fill[RMR_MAX_MEMBERS];
	struct rmr_map map;
	void *spare = NULL;

	make(test, &map, 1000);
	rmr_map_fill(&map, 496, 4, GFP_KERNEL);
	write_fills(&map, 2);
	KUNIT_EXPECT_TRUE(test, rmr_map_stable(&map, 500, 999));
	KUNIT_EXPECT_EQ(test, rmr_map_resize(&map, 2000, &spare, GFP_KERNEL), -EBUSY);
	clear(&map, 0, U64_MAX, 4);
	rmr_map_fill_put(&map, 0xff, fill);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(fill[2]), 0);
	KUNIT_EXPECT_TRUE(test, rmr_map_fill_pending(&map, 0xff));
	rmr_map_mark(&map, 0, 999, 4, GFP_KERNEL);
	KUNIT_EXPECT_FALSE(test, rmr_map_stable(&map, 500, 500));
	rmr_map_fill_written(&map, fill);
	KUNIT_EXPECT_FALSE(test, rmr_map_stable(&map, 500, 500));
	KUNIT_EXPECT_EQ(test, write_fills(&map, 2), 1);
	KUNIT_EXPECT_TRUE(test, rmr_map_stable(&map, 0, 999));
	rmr_map_fill_put(&map, 0xfb, fill);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(fill[2]), 0);
	rmr_map_destroy(&map);
}

/* Sectors that owe are written, not waited for, when a few lie behind a copy that went on. */
static void a_stuck_chunk_does_not_hold_the_fill(struct kunit *test)
{
	const u64 chunks = 200 * 496;
	struct rmr_map map, back;
	struct rmr_map_sector sector;
	struct rmr_fault fault;
	__le32 fill[RMR_MAX_MEMBERS];
	u64 i;

	make(test, &map, chunks);
	make(test, &back, chunks);
	rmr_map_mark(&map, 0, chunks - 1, 4, GFP_KERNEL);
	write_fills(&map, 2);
	clear(&map, 3 * 496, 100 * 496 - 1, 4);
	rmr_map_fill_advance(&map);
	KUNIT_EXPECT_EQ(test, map.pending, 3);
	KUNIT_EXPECT_EQ(test, write_fills(&map, 2), 1);
	KUNIT_EXPECT_EQ(test, persist(&map), 1);
	rmr_map_fill_put(&map, 0xff, fill);
	rmr_map_fill_written(&map, fill);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(fill[2]), 101);
	for (i = 0; i < map.sectors; i++) {
		rmr_map_image(&map, i, &sector);
		KUNIT_EXPECT_EQ(test, rmr_map_load(&back, i, &sector, &fault, GFP_KERNEL), 0);
	}
	KUNIT_EXPECT_EQ(test, rmr_map_count(&back, 4), 3 * 496);
	KUNIT_EXPECT_EQ(test, rmr_map_fill_load(&back, fill, GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, rmr_map_count(&back, 4), chunks - 97 * 496);
	KUNIT_EXPECT_TRUE(test, rmr_map_stable(&back, 0, chunks - 1));
	rmr_map_destroy(&map);
	rmr_map_destroy(&back);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(set_ranges),
	KUNIT_CASE(clear_keeps_the_neighbours),
	KUNIT_CASE(next_finds_each_dirty_chunk_once),
	KUNIT_CASE(merge_takes_the_masked_bits),
	KUNIT_CASE(a_bit_is_persisted_only_by_its_own_image),
	KUNIT_CASE(late_report_after_the_sector_was_forgotten),
	KUNIT_CASE(memory_goes_with_the_last_bit),
	KUNIT_CASE(too_many_chunks_are_refused),
	KUNIT_CASE(a_block_survives_the_disk),
	KUNIT_CASE(setting_what_a_whole_sector_has_changes_nothing),
	KUNIT_CASE(a_damaged_sector_counts_as_all_dirty),
	KUNIT_CASE(a_larger_map_keeps_its_bits_and_is_clean_behind),
	KUNIT_CASE(a_smaller_map_forgets_what_is_behind),
	KUNIT_CASE(a_new_disk_costs_one_write),
	KUNIT_CASE(an_older_image_does_not_pay_for_a_fill),
	KUNIT_CASE(a_neighbour_leaves_what_is_owed_alone),
	KUNIT_CASE(a_fill_under_way_counts_as_little_as_it_may),
	KUNIT_CASE(a_stuck_chunk_does_not_hold_the_fill),
	{}
};

static struct kunit_suite suite = {
	.name = "rmr_map",
	.test_cases = cases,
};

kunit_test_suite(suite);
