// SPDX-License-Identifier: GPL-2.0-only
/*
 * The resync planner; see plan.h. No locks here.
 */
#include "plan.h"

#define LACKED	1u			/* the only bit of the map of lacked chunks */

/* A chunk of which more is known than that it is lacked. */
struct special {
	struct rmr_tree_node node;	/* by chunk */
	u64	ticket;			/* of the running copy, 0: none runs */
	u8	source;			/* of the running copy */
	u8	failed;			/* mask of sources that failed it in this round */
};

static struct special *special_of(struct rmr_tree_node *node)
{
	return node ? container_of(node, struct special, node) : NULL;
}

static struct special *find(const struct rmr_plan *plan, u64 chunk)
{
	return special_of(rmr_tree_find(&plan->special, chunk));
}

static void forget(struct rmr_plan *plan, struct special *s)
{
	rmr_tree_remove(&plan->special, &s->node);
	rmr_free(s);
}

static void stop(struct rmr_plan *plan, struct special *s)
{
	if (!s->ticket)
		return;
	plan->load[s->source]--;
	plan->running--;
	s->ticket = 0;
}

int rmr_plan_init(struct rmr_plan *plan, u64 chunks, gfp_t gfp)
{
	int err;

	memset(plan, 0, sizeof(*plan));
	err = rmr_map_init(&plan->lack, chunks, 0, gfp);
	plan->lack.transient = true;
	return err;
}

int rmr_plan_resize(struct rmr_plan *plan, u64 chunks, void **spare, gfp_t gfp)
{
	return rmr_map_resize(&plan->lack, chunks, spare, gfp);
}

void rmr_plan_reset(struct rmr_plan *plan)
{
	struct rmr_tree_node *node;

	while ((node = rmr_tree_from(&plan->special, 0)))
		forget(plan, special_of(node));
	/* Whole sectors lose their bits without memory. */
	rmr_map_clear(&plan->lack, 0, U64_MAX, LACKED, GFP_NOWAIT);
	plan->left = 0;
	plan->low = 0;
	plan->running = 0;
	memset(plan->load, 0, sizeof(plan->load));
}

void rmr_plan_destroy(struct rmr_plan *plan)
{
	rmr_plan_reset(plan);
	rmr_map_destroy(&plan->lack);
}

/* Ends the running copies of chunks first..last. */
static void void_copies(struct rmr_plan *plan, u64 first, u64 last)
{
	struct rmr_tree_node *node = rmr_tree_from(&plan->special, first), *next;

	for (; node && node->key <= last; node = next) {
		struct special *s = special_of(node);

		next = rmr_tree_next(node);
		stop(plan, s);
		if (!s->failed)
			forget(plan, s);
	}
}

int rmr_plan_add(struct rmr_plan *plan, u64 first, u64 last, gfp_t gfp)
{
	u64 chunk, known = 0;
	int err;

	void_copies(plan, first, last);
	if (first > last || first >= plan->lack.chunks)
		return 0;
	last = min(last, plan->lack.chunks - 1);
	for (chunk = rmr_plan_next_lacked(plan, first); chunk <= last;
	     chunk = rmr_plan_next_lacked(plan, chunk + 1))
		known++;
	err = rmr_map_set(&plan->lack, first, last, LACKED, gfp);
	if (err < 0)
		return err;
	plan->low = min(plan->low, first);
	plan->left += last - first + 1 - known;
	return 0;
}

int rmr_plan_add_map(struct rmr_plan *plan, const struct rmr_map *map, u8 mask, gfp_t gfp)
{
	u64 first, last, next;
	u8 bits;
	int err;

	if (map->chunks != plan->lack.chunks)
		return -EINVAL;
	first = rmr_map_next(map, 0, mask, &bits);
	while (first != RMR_NO_CHUNK) {
		last = first;
		while ((next = rmr_map_next(map, last + 1, mask, &bits)) == last + 1)
			last = next;
		err = rmr_plan_add(plan, first, last, gfp);
		if (err)
			return err;
		first = next;
	}
	return 0;
}

bool rmr_plan_lacks(const struct rmr_plan *plan, u64 chunk)
{
	return rmr_map_get(&plan->lack, chunk);
}

u64 rmr_plan_next_lacked(const struct rmr_plan *plan, u64 from)
{
	u8 bits;

	return rmr_map_next(&plan->lack, max(from, plan->low), LACKED, &bits);
}

/* Of the sources left of a chunk the least loaded, or -1; then a later round tries all again. */
static int choose(struct rmr_plan *plan, struct special *s, u8 sources)
{
	int id, best = -1;

	if (s)
		sources &= ~s->failed;
	for (id = 0; id < (int)RMR_MAX_MEMBERS; id++)
		if (sources >> id & 1 && (best < 0 || plan->load[id] < plan->load[best]))
			best = id;
	if (best < 0 && s)
		forget(plan, s);
	return best;
}

static int start(struct rmr_plan *plan, struct special *s, u64 chunk, u8 source,
		 struct rmr_copy *copy, gfp_t gfp)
{
	if (!s) {
		s = rmr_zalloc(sizeof(*s), gfp);
		if (!s)
			return -ENOMEM;
		s->node.key = chunk;
		rmr_tree_add(&plan->special, &s->node);
	}
	s->ticket = ++plan->tickets;
	s->source = source;
	plan->load[source]++;
	plan->running++;
	copy->chunk = chunk;
	copy->ticket = s->ticket;
	copy->source = source;
	return 1;
}

int rmr_plan_next(struct rmr_plan *plan, const struct rmr_plan_ops *ops, void *owner,
		  struct rmr_copy *copy, gfp_t gfp)
{
	struct special *s;
	u64 chunk;
	int source;

	chunk = rmr_plan_next_lacked(plan, 0);
	plan->low = min(chunk, plan->lack.chunks);
	for (; chunk != RMR_NO_CHUNK; chunk = rmr_plan_next_lacked(plan, chunk + 1)) {
		s = find(plan, chunk);
		if ((s && s->ticket) || ops->held(owner, chunk))
			continue;
		source = choose(plan, s, ops->sources(owner, chunk));
		if (source >= 0)
			return start(plan, s, chunk, source, copy, gfp);
	}
	return 0;
}

bool rmr_plan_valid(const struct rmr_plan *plan, const struct rmr_copy *copy)
{
	const struct special *s = find(plan, copy->chunk);

	return s && s->ticket && s->ticket == copy->ticket && s->source == copy->source;
}

int rmr_plan_done(struct rmr_plan *plan, const struct rmr_copy *copy, gfp_t gfp)
{
	struct special *s;
	int err;

	if (!rmr_plan_valid(plan, copy))
		return 0;
	err = rmr_map_clear(&plan->lack, copy->chunk, copy->chunk, LACKED, gfp);
	if (err < 0)
		return err;
	s = find(plan, copy->chunk);
	stop(plan, s);
	forget(plan, s);
	plan->left--;
	return 1;
}

void rmr_plan_fail(struct rmr_plan *plan, const struct rmr_copy *copy)
{
	struct special *s;

	if (!rmr_plan_valid(plan, copy))
		return;
	s = find(plan, copy->chunk);
	stop(plan, s);
	s->failed |= 1u << copy->source;
}

static bool to_copy(const struct rmr_blocks *fine, const struct rmr_blocks *overlay, u64 chunk,
		    bool known, u32 block)
{
	return (!known || rmr_blocks_has(fine, chunk, block)) &&
	       !rmr_blocks_has(overlay, chunk, block);
}

bool rmr_plan_run(const struct rmr_blocks *fine, const struct rmr_blocks *overlay, u64 chunk,
		  u32 from, u32 count, u32 *first, u32 *last)
{
	bool known = rmr_blocks_known(fine, chunk);

	while (from < count && !to_copy(fine, overlay, chunk, known, from))
		from++;
	*first = from;
	while (from < count && to_copy(fine, overlay, chunk, known, from))
		from++;
	*last = from - 1;
	return from > *first;
}

int rmr_plan_missed(struct rmr_plan *plan, struct rmr_blocks *fine, struct rmr_blocks *overlay,
		    u64 chunk, u32 first, u32 last, gfp_t gfp)
{
	bool lacked = rmr_plan_lacks(plan, chunk);

	rmr_blocks_remove(overlay, chunk, first, last);
	rmr_fine_note(fine, chunk, first, last, lacked, gfp);
	return rmr_plan_add(plan, chunk, chunk, gfp);
}
