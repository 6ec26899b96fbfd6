// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the dirty map costs, on a pool of 16 TiB with chunks of 1 MiB. Times are printed only: they are
 * of this machine and its load. Exits with 1 if memory or resync amplification breaks its bound.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "plan.h"

#define MIB		(1024.0 * 1024.0)
#define POOL_SIZE	(16ull << 40)
#define CHUNK_SIZE	(1u << 20)
#define PER_CHUNK	(CHUNK_SIZE / RMR_BLOCK_SIZE)
#define WRITES		10000
#define ROUNDS		4000000ull
#define PEER		2u		/* bit of a member that lacks writes */

static int broken;

static u64 now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static u64 next_random(void)
{
	static u64 state = 0x9e3779b97f4a7c15ull;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static void must(bool ok)
{
	if (ok)
		return;
	fprintf(stderr, "bench: out of memory\n");
	exit(2);
}

static void figure(const char *what, double value, const char *unit, const char *goal)
{
	printf("%-52s %12.3f %-6s %s\n", what, value, unit, goal);
}

static void bound(const char *what, double value, const char *unit, double least, double most)
{
	char text[64];
	bool ok = value >= least && value <= most;

	snprintf(text, sizeof(text), "bound %g..%g %s", least, most, ok ? "kept" : "BROKEN");
	figure(what, value, unit, text);
	broken |= !ok;
}

static struct rmr_map make_map(void)
{
	struct rmr_map map;

	must(!rmr_map_init(&map, rmr_chunks(POOL_SIZE, CHUNK_SIZE), 1, GFP_KERNEL));
	return map;
}

/* Sets, tests and clears of single bits; span: how many chunks they are spread over. */
static void times(const char *where, u64 span)
{
	struct rmr_map map = make_map();
	u64 i, start, dirty = 0;
	u64 *chunk = malloc(65536 * sizeof(*chunk));
	char what[80];

	must(chunk);
	for (i = 0; i < 65536; i++)
		chunk[i] = next_random() % span;
	start = now_ns();
	for (i = 0; i < 65536; i++)
		must(rmr_map_set(&map, chunk[i], chunk[i], PEER, GFP_KERNEL) >= 0);
	snprintf(what, sizeof(what), "set a bit for the first time, %s", where);
	figure(what, (double)(now_ns() - start) / 65536, "ns", "goal < 50");

	start = now_ns();
	for (i = 0; i < ROUNDS; i++)
		must(rmr_map_set(&map, chunk[i % 65536], chunk[i % 65536], PEER, GFP_KERNEL) >= 0);
	snprintf(what, sizeof(what), "set a bit that is set, %s", where);
	figure(what, (double)(now_ns() - start) / ROUNDS, "ns", "goal < 50");

	start = now_ns();
	for (i = 0; i < ROUNDS; i++)
		dirty += rmr_map_get(&map, chunk[i % 65536]) & PEER;
	snprintf(what, sizeof(what), "test a bit, %s", where);
	figure(what, (double)(now_ns() - start) / ROUNDS, "ns", "goal < 50");
	must(dirty == ROUNDS * PEER);
	free(chunk);
	rmr_map_destroy(&map);
}

/* Notes a write of 4 KiB to a random place that a peer missed. */
static void write_block(struct rmr_map *map, struct rmr_blocks *fine)
{
	u64 chunk = next_random() % map->chunks;
	u32 block = next_random() % PER_CHUNK;
	bool was_dirty = rmr_map_get(map, chunk) & PEER;

	must(rmr_map_set(map, chunk, chunk, PEER, GFP_KERNEL) >= 0);
	rmr_fine_note(fine, chunk, block, block, was_dirty, GFP_KERNEL);
}

static bool never_held(void *owner, u64 chunk)
{
	(void)owner;
	(void)chunk;
	return false;
}

static u8 from_member_0(void *owner, u64 chunk)
{
	(void)owner;
	(void)chunk;
	return 1;
}

/* Resyncs all that a map says, and returns how many blocks that copies. */
static u64 resync(const struct rmr_map *map, const struct rmr_blocks *fine)
{
	static const struct rmr_plan_ops ops = { .held = never_held, .sources = from_member_0 };
	struct rmr_blocks overlay;
	struct rmr_plan plan;
	struct rmr_copy copy;
	u32 from, first, last;
	u64 blocks = 0;

	must(!rmr_blocks_init(&overlay, PER_CHUNK, 1));
	must(!rmr_plan_init(&plan, map->chunks, GFP_KERNEL));
	must(!rmr_plan_add_map(&plan, map, PEER, GFP_KERNEL));
	while (rmr_plan_next(&plan, &ops, NULL, &copy, GFP_KERNEL) == 1) {
		for (from = 0; rmr_plan_run(fine, &overlay, copy.chunk, from, PER_CHUNK, &first,
					    &last); from = last + 1)
			blocks += last - first + 1;
		must(rmr_plan_done(&plan, &copy, GFP_KERNEL) == 1);
	}
	must(!plan.left);
	rmr_plan_destroy(&plan);
	rmr_blocks_reset(&overlay);
	return blocks;
}

static u64 count_blocks(const struct rmr_map *map, const struct rmr_blocks *fine)
{
	u64 chunk = 0, n = 0;
	u8 bits;
	u32 b;

	for (; (chunk = rmr_map_next(map, chunk, PEER, &bits)) != RMR_NO_CHUNK; chunk++)
		for (b = 0; (b = rmr_blocks_next(fine, chunk, b)) < PER_CHUNK; b++)
			n++;
	return n;
}

static void scattered(void)
{
	struct rmr_blocks fine, none;
	size_t before = rmr_memory.bytes;
	struct rmr_map map = make_map();
	u64 i, start, written, chunks;

	bound("memory of an empty map", (rmr_memory.bytes - before) / MIB, "MiB", 0, 1);
	must(!rmr_blocks_init(&fine, PER_CHUNK, 65536));
	must(!rmr_blocks_init(&none, PER_CHUNK, 0));
	for (i = 0; i < WRITES; i++)
		write_block(&map, &fine);
	bound("memory with 10,000 scattered dirty blocks, fine map", (rmr_memory.bytes - before) / MIB,
	      "MiB", 0, 4);

	chunks = rmr_map_count(&map, PEER);
	start = now_ns();
	written = count_blocks(&map, &fine);
	figure("scan of all dirty blocks", (now_ns() - start) / 1e6, "ms", "");
	start = now_ns();
	must(rmr_map_count(&map, PEER) == chunks);
	figure("scan of the sparse map", (now_ns() - start) / 1e6, "ms", "");
	printf("%-52s %12llu\n%-52s %12llu\n", "different blocks written", (unsigned long long)written,
	       "dirty chunks", (unsigned long long)chunks);

	bound("resync amplification with the fine map", (double)resync(&map, &fine) / written, "x", 1, 1);
	bound("resync amplification at chunk grain", (double)resync(&map, &none) / chunks, "x",
	      PER_CHUNK, PER_CHUNK);
	rmr_blocks_reset(&fine);
	rmr_blocks_reset(&none);
	rmr_map_destroy(&map);
	bound("memory left behind", rmr_memory.bytes - before, "bytes", 0, 0);
}

int main(void)
{
	printf("pool of 16 TiB, chunks of 1 MiB, 10,000 random writes of 4 KiB\n");
	times("within 1 GiB", 1024);
	times("within 16 TiB", rmr_chunks(POOL_SIZE, CHUNK_SIZE));
	scattered();
	return broken;
}
