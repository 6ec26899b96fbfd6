// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lazy clearing of write intents; see intent.h. No locks here.
 */
#include "intent.h"

struct intent {
	struct rmr_tree_node node;	/* by chunk */
	u64	seq;			/* highest write number */
	u64	applied;		/* clock of the last write that reached the store */
	u64	restored;		/* flushes at restore + 1; 0: not restored */
	u32	running;		/* writes on their way to the store */
	bool	held;			/* uncertain */
};

static struct intent *intent_of(struct rmr_tree_node *node)
{
	return node ? container_of(node, struct intent, node) : NULL;
}

static struct intent *find(const struct rmr_intents *intents, u64 chunk)
{
	return intent_of(rmr_tree_find(&intents->chunks, chunk));
}

static struct intent *make(struct rmr_intents *intents, u64 chunk, gfp_t gfp)
{
	struct intent *i = find(intents, chunk);

	if (i)
		return i;
	i = rmr_zalloc(sizeof(*i), gfp);
	if (!i)
		return NULL;
	i->node.key = chunk;
	rmr_tree_add(&intents->chunks, &i->node);
	return i;
}

static void forget(struct rmr_intents *intents, struct intent *i)
{
	rmr_tree_remove(&intents->chunks, &i->node);
	rmr_free(i);
}

void rmr_intents_init(struct rmr_intents *intents)
{
	memset(intents, 0, sizeof(*intents));
}

void rmr_intents_reset(struct rmr_intents *intents)
{
	struct rmr_tree_node *node;

	while ((node = rmr_tree_from(&intents->chunks, 0)))
		forget(intents, intent_of(node));
}

int rmr_intent_begin(struct rmr_intents *intents, u64 chunk, u64 seq, gfp_t gfp)
{
	struct intent *i = make(intents, chunk, gfp);

	if (!i)
		return -ENOMEM;
	i->seq = max(i->seq, seq);
	i->running++;
	return 0;
}

void rmr_intent_applied(struct rmr_intents *intents, u64 chunk)
{
	struct intent *i = find(intents, chunk);

	if (!i || !i->running)
		return;
	i->running--;
	i->applied = ++intents->clock;
	i->restored = 0;
}

u64 rmr_intents_flush_start(const struct rmr_intents *intents)
{
	return intents->clock;
}

void rmr_intents_flushed(struct rmr_intents *intents, u64 mark)
{
	intents->flushed = max(intents->flushed, min(mark, intents->clock));
	intents->flushes++;
}

/* A restored intent is of an earlier life: any flush since then covers its writes. */
static bool flushed(const struct rmr_intents *intents, const struct intent *i)
{
	return i->applied <= intents->flushed && i->restored <= intents->flushes;
}

u64 rmr_intents_next_clearable(const struct rmr_intents *intents, u64 from, u64 below)
{
	struct rmr_tree_node *node = rmr_tree_from(&intents->chunks, from);

	for (; node; node = rmr_tree_next(node)) {
		const struct intent *i = intent_of(node);

		if (!i->running && !i->held && i->seq < below && flushed(intents, i))
			return node->key;
	}
	return RMR_NO_INTENT;
}

void rmr_intent_cleared(struct rmr_intents *intents, u64 chunk)
{
	struct intent *i = find(intents, chunk);

	if (i)
		forget(intents, i);
}

void rmr_intents_hold(struct rmr_intents *intents)
{
	struct rmr_tree_node *node = rmr_tree_from(&intents->chunks, 0);

	for (; node; node = rmr_tree_next(node)) {
		intent_of(node)->seq = 0;
		intent_of(node)->held = true;
	}
}

int rmr_intent_restore(struct rmr_intents *intents, u64 chunk, gfp_t gfp)
{
	struct intent *i = make(intents, chunk, gfp);

	if (!i)
		return -ENOMEM;
	i->seq = 0;
	i->applied = 0;
	i->running = 0;
	i->restored = intents->flushes + 1;
	i->held = true;
	return 0;
}

void rmr_intents_release(struct rmr_intents *intents)
{
	struct rmr_tree_node *node = rmr_tree_from(&intents->chunks, 0);

	for (; node; node = rmr_tree_next(node))
		intent_of(node)->held = false;
}
