// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes that are not known complete; see window.h. No locks here.
 */
#include "window.h"

struct write {
	struct rmr_tree_node node;	/* by number */
	u64	first, last;		/* chunks */
	int	status;
	bool	answered;
};

static struct write *write_of(struct rmr_tree_node *node)
{
	return node ? container_of(node, struct write, node) : NULL;
}

static void forget_below(struct rmr_window *window, u64 below)
{
	struct rmr_tree_node *node;

	while ((node = rmr_tree_from(&window->writes, 0)) && node->key < below) {
		rmr_tree_remove(&window->writes, node);
		rmr_free(write_of(node));
	}
}

void rmr_window_init(struct rmr_window *window)
{
	memset(window, 0, sizeof(*window));
	window->below = 1;
}

void rmr_window_reset(struct rmr_window *window)
{
	forget_below(window, U64_MAX);
	/* Only the highest number of all can be left. */
	if (window->writes.count) {
		struct rmr_tree_node *node = rmr_tree_from(&window->writes, 0);

		rmr_tree_remove(&window->writes, node);
		rmr_free(write_of(node));
	}
	window->below = 1;
}

int rmr_window_arrive(struct rmr_window *window, u64 seq, u64 first, u64 last, int *status,
		      gfp_t gfp)
{
	struct write *w;

	*status = RMR_ST_OK;
	if (seq < window->below) {
		*status = RMR_ST_FENCED;
		return RMR_ARRIVAL_REFUSED;
	}
	w = write_of(rmr_tree_find(&window->writes, seq));
	if (w) {
		if (!w->answered)
			return RMR_ARRIVAL_RUNNING;
		*status = w->status;
		return RMR_ARRIVAL_ANSWERED;
	}
	w = rmr_zalloc(sizeof(*w), gfp);
	if (!w)
		return -ENOMEM;
	w->node.key = seq;
	w->first = first;
	w->last = last;
	rmr_tree_add(&window->writes, &w->node);
	return RMR_ARRIVAL_NEW;
}

void rmr_window_answer(struct rmr_window *window, u64 seq, int status)
{
	struct write *w = write_of(rmr_tree_find(&window->writes, seq));

	if (!w)
		return;
	w->answered = true;
	w->status = status;
}

bool rmr_window_completed(struct rmr_window *window, u64 below)
{
	if (below <= window->below)
		return false;
	window->below = below;
	forget_below(window, below);
	return true;
}

bool rmr_window_touches(const struct rmr_window *window, u64 chunk)
{
	return rmr_window_next_uncertain(window, chunk) == chunk;
}

u64 rmr_window_newest(const struct rmr_window *window, u64 chunk)
{
	struct rmr_tree_node *node = rmr_tree_from(&window->writes, 0);
	u64 newest = 0;

	for (; node; node = rmr_tree_next(node)) {
		const struct write *w = write_of(node);

		if (w->first <= chunk && chunk <= w->last)
			newest = node->key;
	}
	return newest;
}

u64 rmr_window_next_uncertain(const struct rmr_window *window, u64 from)
{
	struct rmr_tree_node *node = rmr_tree_from(&window->writes, 0);
	u64 best = RMR_NO_UNCERTAIN;

	for (; node; node = rmr_tree_next(node)) {
		const struct write *w = write_of(node);

		if (w->last >= from && w->first <= w->last)
			best = min(best, max(w->first, from));
	}
	return best;
}
