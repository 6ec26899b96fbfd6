// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a client counts of its pools and legs: how long requests take, of the pool from submission
 * to the end that its owner is told, of a leg from sending to its good answer. So the first says
 * what applications see, the second whose fault it is.
 *
 * Locks: none; the counters live as long as the pool. Contexts: noting in any, the rest in process
 * context.
 */
#include <linux/ktime.h>
#include <linux/percpu.h>

#include "clt-pri.h"

int rmr_clt_stat_alloc(struct rmr_clt_pool *pool)
{
	unsigned int i;

	pool->hist = alloc_percpu(struct rmr_hist);
	if (!pool->hist)
		return -ENOMEM;
	for (i = 0; i < RMR_MAX_MEMBERS; i++) {
		pool->leg[i].hist = alloc_percpu(struct rmr_hist);
		if (!pool->leg[i].hist)
			return -ENOMEM;
	}
	return 0;
}

/* Also after a failed alloc. */
void rmr_clt_stat_free(struct rmr_clt_pool *pool)
{
	unsigned int i;

	for (i = 0; i < RMR_MAX_MEMBERS; i++)
		free_percpu(pool->leg[i].hist);
	free_percpu(pool->hist);
}

/* A request of the owner ends. Repairs are none: nobody waits for them. */
void rmr_clt_stat_end(const struct rmr_clt_req *req)
{
	u64 now_ns = req->answer_ns ?: ktime_get_ns();

	if (!req->repair)
		rmr_hist_note(req->pool->hist, req->op, now_ns - req->start_ns);
}

int rmr_clt_latency(struct rmr_clt_pool *pool, unsigned int nr, struct rmr_latency_info *info)
{
	unsigned int id = nr / RMR_HIST_OPS - 1;
	enum rmr_hist_op op = nr % RMR_HIST_OPS;

	if (nr >= RMR_CLT_LATENCIES)
		return -ENOENT;
	memset(info, 0, sizeof(*info));
	strscpy(info->pool_name, pool->name, sizeof(info->pool_name));
	if (nr < RMR_HIST_OPS) {
		info->of = RMR_LATENCY_OF_DEVICE;
		rmr_hist_info(pool->hist, op, info);
		return 0;
	}
	if (!rmr_clt_leg_used(&pool->leg[id]) || rmr_clt_leg_votes_only(&pool->leg[id]))
		return -ENOENT;
	info->of = RMR_LATENCY_OF_LEG;
	info->member_id = id;
	rmr_hist_info(pool->leg[id].hist, op, info);
	return 0;
}
EXPORT_SYMBOL_GPL(rmr_clt_latency);
