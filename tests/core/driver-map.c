// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations of the driver on dirty maps and block sets.
 */
#include "blocks.h"
#include "driver.h"
#include "map.h"

#define IMAGES	16

/* Two maps: operations work on the first, merge adds the second to it. */
static struct rmr_map map[2];
static struct rmr_blocks blocks;

static struct {
	u32	index;
	u64	gen;
} image[IMAGES];

static void map_init(const struct driver_args *a)
{
	int i;

	for (i = 0; i < 2; i++) {
		rmr_map_destroy(&map[i]);
		if (rmr_map_init(&map[i], a->num[0], a->num[1], GFP_KERNEL))
			driver_die("map_init", a->text[0]);
	}
	memset(image, 0, sizeof(image));
	printf("ok");
}

static void map_resize(const struct driver_args *a)
{
	int err = 0, i;

	for (i = 0; i < 2 && !err; i++) {
		void *spare = rmr_map_spare(a->num[0], GFP_KERNEL);

		err = rmr_map_resize(&map[i], a->num[0], &spare, GFP_KERNEL);
		rmr_free(spare);
	}
	printf("%d", err);
}

static void map_swap(const struct driver_args *a)
{
	struct rmr_map m = map[0];

	(void)a;
	map[0] = map[1];
	map[1] = m;
	memset(image, 0, sizeof(image));
	printf("ok");
}

static void map_set(const struct driver_args *a)
{
	printf("%d", rmr_map_set(&map[0], a->num[0], a->num[1], a->num[2], GFP_KERNEL));
}

static void map_set_all(const struct driver_args *a)
{
	printf("%d", rmr_map_set_all(&map[0], a->num[0], GFP_KERNEL));
}

static void map_clear(const struct driver_args *a)
{
	printf("%d", rmr_map_clear(&map[0], a->num[0], a->num[1], a->num[2], GFP_KERNEL));
}

static void map_merge(const struct driver_args *a)
{
	printf("%d", rmr_map_merge(&map[0], &map[1], a->num[0], GFP_KERNEL));
}

static void map_get(const struct driver_args *a)
{
	printf("%u", rmr_map_get(&map[0], a->num[0]));
}

static void map_next(const struct driver_args *a)
{
	u8 bits;
	u64 chunk = rmr_map_next(&map[0], a->num[0], a->num[1], &bits);

	if (chunk == RMR_NO_CHUNK)
		printf("-");
	else
		printf("%llu %u", (unsigned long long)chunk, bits);
}

static void map_count(const struct driver_args *a)
{
	printf("%llu", (unsigned long long)rmr_map_count(&map[0], a->num[0]));
}

static void map_digest(const struct driver_args *a)
{
	u64 chunk = 0, n = 0;
	u32 crc = ~0u;
	__le64 le;
	u8 bits;

	(void)a;
	for (; (chunk = rmr_map_next(&map[0], chunk, 0xff, &bits)) != RMR_NO_CHUNK; chunk++, n++) {
		le = cpu_to_le64(chunk);
		crc = crc32c(crc, &le, sizeof(le));
		crc = crc32c(crc, &bits, 1);
	}
	printf("%llu %u", (unsigned long long)n, ~crc);
}

static void map_stable(const struct driver_args *a)
{
	printf("%d", rmr_map_stable(&map[0], a->num[0], a->num[1]));
}

static void map_pending(const struct driver_args *a)
{
	u64 i = 0;

	(void)a;
	printf("%llu:", (unsigned long long)map[0].pending);
	for (; (i = rmr_map_next_pending(&map[0], i)) != RMR_NO_SECTOR; i++)
		printf(" %llu", (unsigned long long)i);
}

static void map_image(const struct driver_args *a)
{
	struct rmr_map_sector sector;
	u64 slot = a->num[0] % IMAGES;

	image[slot].index = a->num[1];
	image[slot].gen = rmr_map_image(&map[0], a->num[1], &sector);
	printf("%u", le32_to_cpu(sector.crc32c));
}

static void map_persisted(const struct driver_args *a)
{
	u64 slot = a->num[0] % IMAGES;

	rmr_map_persisted(&map[0], image[slot].index, image[slot].gen);
	printf("ok");
}

static void map_load(const struct driver_args *a)
{
	struct rmr_map_sector sector;
	struct rmr_fault fault;
	int err;

	if (driver_hex(a->text[1], &sector, sizeof(sector)) != sizeof(sector))
		driver_die("map_load", "not a sector");
	err = rmr_map_load(&map[0], a->num[0], &sector, &fault, GFP_KERNEL);
	printf("%s", err ? fault.field : "ok");
}

static void map_mark(const struct driver_args *a)
{
	printf("%d", rmr_map_mark(&map[0], a->num[0], a->num[1], a->num[2], GFP_KERNEL));
}

static void map_fill(const struct driver_args *a)
{
	printf("%d", rmr_map_fill(&map[0], a->num[0], a->num[1], GFP_KERNEL));
}

static void map_fill_advance(const struct driver_args *a)
{
	(void)a;
	rmr_map_fill_advance(&map[0]);
	printf("ok");
}

static void print_fills(const __le32 *fill)
{
	unsigned int j;

	for (j = 0; j < RMR_MAX_MEMBERS; j++)
		printf("%s%u", j ? " " : "", le32_to_cpu(fill[j]));
}

static void map_fill_put(const struct driver_args *a)
{
	__le32 fill[RMR_MAX_MEMBERS];

	printf("%d ", rmr_map_fill_pending(&map[0], a->num[0]));
	rmr_map_fill_put(&map[0], a->num[0], fill);
	print_fills(fill);
}

static void take_fills(const struct driver_args *a, __le32 *fill)
{
	if (driver_hex(a->text[0], fill, RMR_MAX_MEMBERS * 4) != RMR_MAX_MEMBERS * 4)
		driver_die("fills", "not eight words");
}

static void map_fill_written(const struct driver_args *a)
{
	__le32 fill[RMR_MAX_MEMBERS];

	take_fills(a, fill);
	rmr_map_fill_written(&map[0], fill);
	printf("ok");
}

static void map_fill_load(const struct driver_args *a)
{
	__le32 fill[RMR_MAX_MEMBERS];

	take_fills(a, fill);
	printf("%d", rmr_map_fill_load(&map[0], fill, GFP_KERNEL));
}

static void blocks_init(const struct driver_args *a)
{
	rmr_blocks_reset(&blocks);
	if (rmr_blocks_init(&blocks, a->num[0], a->num[1]))
		driver_die("blocks_init", a->text[0]);
	printf("ok");
}

static void blocks_add(const struct driver_args *a)
{
	printf("%d", !rmr_blocks_add(&blocks, a->num[0], a->num[1], a->num[2], GFP_KERNEL));
}

static void blocks_remove(const struct driver_args *a)
{
	rmr_blocks_remove(&blocks, a->num[0], a->num[1], a->num[2]);
	printf("ok");
}

static void blocks_drop(const struct driver_args *a)
{
	rmr_blocks_drop(&blocks, a->num[0]);
	printf("ok");
}

static void blocks_reset(const struct driver_args *a)
{
	(void)a;
	rmr_blocks_reset(&blocks);
	printf("ok");
}

static void blocks_of(const struct driver_args *a)
{
	u32 b = 0;

	printf("%d %llu:", rmr_blocks_known(&blocks, a->num[0]),
	       (unsigned long long)blocks.chunks.count);
	for (; (b = rmr_blocks_next(&blocks, a->num[0], b)) < blocks.per_chunk; b++) {
		if (!rmr_blocks_has(&blocks, a->num[0], b))
			driver_die("blocks_of", "next and has disagree");
		printf(" %u", b);
	}
}

const struct driver_op driver_map_ops[] = {
	{ "map_init", 2, map_init },
	{ "map_resize", 1, map_resize },
	{ "map_swap", 0, map_swap },
	{ "map_set", 3, map_set },
	{ "map_set_all", 1, map_set_all },
	{ "map_clear", 3, map_clear },
	{ "map_merge", 1, map_merge },
	{ "map_get", 1, map_get },
	{ "map_next", 2, map_next },
	{ "map_count", 1, map_count },
	{ "map_digest", 0, map_digest },
	{ "map_stable", 2, map_stable },
	{ "map_pending", 0, map_pending },
	{ "map_image", 2, map_image },
	{ "map_persisted", 1, map_persisted },
	{ "map_load", 2, map_load },
	{ "map_mark", 3, map_mark },
	{ "map_fill", 2, map_fill },
	{ "map_fill_advance", 0, map_fill_advance },
	{ "map_fill_put", 1, map_fill_put },
	{ "map_fill_written", 1, map_fill_written },
	{ "map_fill_load", 1, map_fill_load },
	{ "blocks_init", 2, blocks_init },
	{ "blocks_add", 3, blocks_add },
	{ "blocks_remove", 3, blocks_remove },
	{ "blocks_drop", 1, blocks_drop },
	{ "blocks_reset", 0, blocks_reset },
	{ "blocks_of", 1, blocks_of },
	{ 0 }
};
