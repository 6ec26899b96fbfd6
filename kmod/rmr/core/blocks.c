// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sets of 4 KiB blocks; see blocks.h. No locks here.
 */
#include "blocks.h"

struct chunk {
	struct rmr_tree_node node;
	u64	word[];
};

static struct chunk *find(const struct rmr_blocks *set, u64 chunk)
{
	struct rmr_tree_node *node = rmr_tree_find(&set->chunks, chunk);

	return node ? container_of(node, struct chunk, node) : NULL;
}

static u32 words(const struct rmr_blocks *set)
{
	return (set->per_chunk + 63) / 64;
}

static size_t chunk_size(const struct rmr_blocks *set)
{
	return sizeof(struct chunk) + words(set) * sizeof(u64);
}

/* Bits of word w that blocks first..last cover; w is one that they touch. */
static u64 word_mask(u32 w, u32 first, u32 last)
{
	u64 mask = ~0ull;

	if (w == first / 64)
		mask &= ~0ull << (first % 64);
	if (w == last / 64)
		mask &= ~0ull >> (63 - last % 64);
	return mask;
}

int rmr_blocks_init(struct rmr_blocks *set, u32 per_chunk, u64 limit)
{
	memset(set, 0, sizeof(*set));
	if (!per_chunk || per_chunk > RMR_BLOCKS_PER_CHUNK_MAX)
		return -EINVAL;
	set->per_chunk = per_chunk;
	set->limit = limit;
	return 0;
}

static void chunk_drop(struct rmr_blocks *set, struct chunk *c)
{
	rmr_tree_remove(&set->chunks, &c->node);
	rmr_free(c);
	set->memory -= chunk_size(set);
}

void rmr_blocks_reset(struct rmr_blocks *set)
{
	struct rmr_tree_node *node;

	while ((node = rmr_tree_from(&set->chunks, 0)))
		chunk_drop(set, container_of(node, struct chunk, node));
}

int rmr_blocks_add(struct rmr_blocks *set, u64 chunk, u32 first, u32 last, gfp_t gfp)
{
	struct chunk *c;
	u32 w;

	if (first > last || last >= set->per_chunk)
		return -ERANGE;
	c = find(set, chunk);
	if (!c) {
		if (set->chunks.count >= set->limit)
			return -ENOSPC;
		c = rmr_zalloc(chunk_size(set), gfp);
		if (!c)
			return -ENOMEM;
		set->memory += chunk_size(set);
		c->node.key = chunk;
		rmr_tree_add(&set->chunks, &c->node);
	}
	for (w = first / 64; w <= last / 64; w++)
		c->word[w] |= word_mask(w, first, last);
	return 0;
}

void rmr_blocks_remove(struct rmr_blocks *set, u64 chunk, u32 first, u32 last)
{
	struct chunk *c = find(set, chunk);
	u64 left = 0;
	u32 w;

	if (!c)
		return;
	last = min(last, set->per_chunk - 1);
	for (w = first / 64; first <= last && w <= last / 64; w++)
		c->word[w] &= ~word_mask(w, first, last);
	for (w = 0; w < words(set); w++)
		left |= c->word[w];
	if (!left)
		chunk_drop(set, c);
}

void rmr_blocks_drop(struct rmr_blocks *set, u64 chunk)
{
	struct chunk *c = find(set, chunk);

	if (c)
		chunk_drop(set, c);
}

bool rmr_blocks_has(const struct rmr_blocks *set, u64 chunk, u32 block)
{
	const struct chunk *c = find(set, chunk);

	return c && block < set->per_chunk && (c->word[block / 64] >> (block % 64) & 1);
}

bool rmr_blocks_known(const struct rmr_blocks *set, u64 chunk)
{
	return find(set, chunk);
}

u32 rmr_blocks_next(const struct rmr_blocks *set, u64 chunk, u32 from)
{
	const struct chunk *c = find(set, chunk);
	u64 word;
	u32 w;

	if (!c || from >= set->per_chunk)
		return set->per_chunk;
	for (w = from / 64; w < words(set); w++) {
		word = c->word[w];
		if (w == from / 64)
			word &= ~0ull << (from % 64);
		if (word)
			return w * 64 + __ffs64(word);
	}
	return set->per_chunk;
}

void rmr_fine_note(struct rmr_blocks *fine, u64 chunk, u32 first, u32 last, bool was_dirty,
		   gfp_t gfp)
{
	if (was_dirty && !rmr_blocks_known(fine, chunk))
		return;
	/* Bits left of an earlier time say nothing about a chunk that was clean meanwhile. */
	if (!was_dirty)
		rmr_blocks_drop(fine, chunk);
	if (rmr_blocks_add(fine, chunk, first, last, gfp))
		rmr_blocks_drop(fine, chunk);
}
