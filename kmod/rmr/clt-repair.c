// SPDX-License-Identifier: GPL-2.0-only
/*
 * Read repair (R4.4): what a leg could not read and another leg could is written back, so that the
 * disk of the first may put it elsewhere. The reader does not wait for it.
 *
 * A repair is an ordinary write of the client to the legs that failed alone. It takes its number
 * and holds its range before the data that it writes is read: what it reads is what every leg of U
 * has, and nothing newer comes between (F_REPAIR). The others have the data, so it names nobody as
 * missing it. Whole blocks, in parts of RMR_CLT_REPAIR_BYTES, so that no write waits for long.
 *
 * Slots and buffers are made when the pool is; what comes while all are busy is not repaired now:
 * the next read that fails begins anew. Nothing is kept over a suspension.
 *
 * Contexts: begin and done in any; parts are submitted by a work item. Lock: pool->lock.
 */
#include <linux/slab.h>

#include "clt-pri.h"

static void count_legs(struct rmr_clt_pool *pool, u8 members, bool repaired)
{
	unsigned int i;

	for (i = 0; i < pool->nr_legs; i++) {
		struct rmr_clt_leg *leg = &pool->leg[i];

		if (members & BIT(leg->id))
			atomic64_inc(repaired ? &leg->read_repairs : &leg->read_repair_failures);
	}
}

/* A slot for blocks next .. end - 1; *same: they are being repaired. Caller: pool->lock. */
static struct rmr_clt_repair *slot_for(struct rmr_clt_pool *pool, u8 to, u64 next, u64 end,
				       bool *same)
{
	struct rmr_clt_repair *found = NULL;
	unsigned int i;

	*same = false;
	if (pool->no_repairs)
		return NULL;
	for (i = 0; i < RMR_CLT_REPAIRS; i++) {
		struct rmr_clt_repair *r = &pool->repair[i];

		if (!r->busy)
			found = r;
		else if (r->next < end && next < r->end && !(to & ~r->to))
			*same = true;
	}
	return found;
}

/* A read that stores of some legs failed was served by another one. Any context. */
void rmr_clt_repair_begin(struct rmr_clt_req *read)
{
	struct rmr_clt_pool *pool = read->pool;
	u64 next = round_down(read->offset, RMR_BLOCK_SIZE);
	u64 end = min(round_up(read->last + 1, RMR_BLOCK_SIZE), pool->limits.size);
	struct rmr_clt_repair *r;
	unsigned long flags;
	bool same;

	spin_lock_irqsave(&pool->lock, flags);
	r = slot_for(pool, read->bad, next, end, &same);
	if (r && !same) {
		r->busy = true;
		r->to = read->bad;
		r->next = next;
		r->end = end;
		queue_work(rmr_clt_wq, &r->work);
	}
	spin_unlock_irqrestore(&pool->lock, flags);
	if (!r && !same)
		count_legs(pool, read->bad, false);
}

/* One part is over. Any context. */
static void repair_done(struct rmr_clt_req *req, int status)
{
	struct rmr_clt_repair *r = req->repair;
	struct rmr_clt_pool *pool = r->pool;
	bool good = !status && !req->miss, more;
	u8 to = r->to;
	unsigned long flags;

	spin_lock_irqsave(&pool->lock, flags);
	r->next = req->last + 1;
	more = good && r->next < r->end && !pool->no_repairs;
	if (more)
		queue_work(rmr_clt_wq, &r->work);
	spin_unlock_irqrestore(&pool->lock, flags);
	if (more)
		return;
	count_legs(pool, to, good);
	rmr_clt_warn(pool, "read repair of legs %#x, bytes before %llu: %s\n", to, req->last + 1,
		     good ? "written back" : "failed");
	/* The slot last: until then rmr_clt_repair_stop() waits for it. */
	spin_lock_irqsave(&pool->lock, flags);
	if (!pool->no_repairs)
		rmr_clt_changed(pool);
	r->busy = false;
	wake_up(&pool->idle);
	spin_unlock_irqrestore(&pool->lock, flags);
}

static void repair_work(struct work_struct *work)
{
	struct rmr_clt_repair *r = container_of(work, struct rmr_clt_repair, work);
	struct rmr_clt_pool *pool = r->pool;
	struct rmr_clt_req *req = r->req;
	u32 most = min(pool->limits.max_io, RMR_CLT_REPAIR_BYTES);

	req->op = RMR_OP_WRITE;
	req->flags = 0;
	req->offset = r->next;
	req->length = min_t(u64, r->end - r->next, most);
	req->repair = r;
	req->done = repair_done;
	sg_init_one(&r->sg, r->buf, req->length);
	req->sgl = &r->sg;
	req->nents = 1;
	rmr_clt_submit(pool, req);
}

/*
 * The pool is suspended: a repair that waits ends here, one that is under way when its legs have
 * answered. Caller: pool->lock.
 */
void rmr_clt_repair_abandon(struct rmr_clt_pool *pool, struct list_head *done)
{
	struct list_head * const lists[] = { &pool->acks, &pool->waiting, &pool->held,
					    &pool->bouncing };
	struct rmr_clt_req *req, *next;
	unsigned int i;

	lockdep_assert_held(&pool->lock);
	for (i = 0; i < ARRAY_SIZE(lists); i++) {
		list_for_each_entry_safe(req, next, lists[i], queue) {
			if (!req->repair)
				continue;
			list_del_init(&req->queue);
			rmr_clt_end_locked(req, -EIO, done);
		}
	}
}

static bool all_idle(struct rmr_clt_pool *pool)
{
	bool idle = true;
	unsigned int i;

	spin_lock_irq(&pool->lock);
	for (i = 0; i < RMR_CLT_REPAIRS; i++)
		idle = idle && !pool->repair[i].busy;
	spin_unlock_irq(&pool->lock);
	return idle;
}

/* No repair starts any more; waits for those under way. Process context. */
void rmr_clt_repair_stop(struct rmr_clt_pool *pool)
{
	LIST_HEAD(done);

	spin_lock_irq(&pool->lock);
	pool->no_repairs = true;
	rmr_clt_repair_abandon(pool, &done);
	spin_unlock_irq(&pool->lock);
	rmr_clt_end_list(&done);
	wait_event(pool->idle, all_idle(pool));
}

/* The pool's legs and limits are known. 0 or -ENOMEM: then there is no repair. */
int rmr_clt_repair_alloc(struct rmr_clt_pool *pool)
{
	size_t size = rmr_clt_req_size(pool);
	unsigned int i;

	for (i = 0; i < RMR_CLT_REPAIRS; i++) {
		struct rmr_clt_repair *r = &pool->repair[i];

		r->req = kvmalloc(size, GFP_KERNEL);
		/* Contiguous: one segment on every transport. */
		r->buf = kmalloc(RMR_CLT_REPAIR_BYTES, GFP_KERNEL);
		if (!r->req || !r->buf)
			return -ENOMEM;
		rmr_clt_req_init(pool, r->req);
	}
	spin_lock_irq(&pool->lock);
	pool->no_repairs = false;
	spin_unlock_irq(&pool->lock);
	return 0;
}

void rmr_clt_repair_free(struct rmr_clt_pool *pool)
{
	unsigned int i;

	for (i = 0; i < RMR_CLT_REPAIRS; i++) {
		kvfree(pool->repair[i].req);
		kfree(pool->repair[i].buf);
	}
}

void rmr_clt_repair_init(struct rmr_clt_pool *pool)
{
	unsigned int i;

	pool->no_repairs = true;
	for (i = 0; i < RMR_CLT_REPAIRS; i++) {
		pool->repair[i].pool = pool;
		INIT_WORK(&pool->repair[i].work, repair_work);
	}
}
