// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checksums of data on its way to the legs (R3.11), and the copies that a write is sent from when
 * its own data does not stay as it is.
 *
 * The checksum is made once for all legs, when a write is sent. Data that a program changes
 * meanwhile, or that is harmed on the way, does not match it where it arrives; the leg stores
 * nothing. Then the write is sent again from a copy. A pool has RMR_CLT_BOUNCES of them, made with
 * it; a write that finds none waits in pool->bouncing, and pool->kick goes on with it.
 *
 * Context: any. Lock: pool->lock for the lists.
 */
#include <linux/crc32c.h>
#include <linux/slab.h>

#include "clt-pri.h"

/* CRC-32C of the data that is sent, as the formats have it. */
u32 rmr_clt_crc(const struct rmr_clt_req *req)
{
	struct sg_mapping_iter miter;
	u32 crc = ~0u;

	if (req->bounce)
		return ~crc32c(crc, req->bounce->buf, req->length);
	sg_miter_start(&miter, req->sgl, req->nents, SG_MITER_ATOMIC | SG_MITER_FROM_SG);
	while (sg_miter_next(&miter))
		crc = crc32c(crc, miter.addr, miter.length);
	sg_miter_stop(&miter);
	return ~crc;
}

/* The list that one leg may map. */
struct scatterlist *rmr_clt_bounce_sg(struct rmr_clt_req *req, unsigned int slot)
{
	struct scatterlist *sg = &req->bounce->sg[slot];

	sg_init_one(sg, req->bounce->buf, req->length);
	return sg;
}

/* Copies the data of a request, unless it is copied. False: no copy is free, it waits for one. */
bool rmr_clt_bounce(struct rmr_clt_req *req)
{
	struct rmr_clt_pool *pool = req->pool;
	struct rmr_clt_bounce *bounce;
	bool wait = false;
	unsigned long flags;

	if (req->bounce)
		return true;
	spin_lock_irqsave(&pool->lock, flags);
	bounce = list_first_entry_or_null(&pool->bounces, struct rmr_clt_bounce, entry);
	if (bounce)
		list_del_init(&bounce->entry);
	else if (!pool->aborted && !pool->failing)
		wait = true;	/* else it fails, and needs none */
	if (wait)
		list_add_tail(&req->queue, &pool->bouncing);
	req->bounce = bounce;
	spin_unlock_irqrestore(&pool->lock, flags);
	if (bounce)
		sg_copy_to_buffer(req->sgl, req->nents, bounce->buf, req->length);
	return !wait;
}

/* Caller: pool->lock. */
void rmr_clt_bounce_put(struct rmr_clt_req *req)
{
	struct rmr_clt_pool *pool = req->pool;

	lockdep_assert_held(&pool->lock);
	list_add(&req->bounce->entry, &pool->bounces);
	req->bounce = NULL;
	if (!list_empty(&pool->bouncing))
		queue_work(rmr_clt_wq, &pool->kick);
}

void rmr_clt_bounce_init(struct rmr_clt_pool *pool)
{
	INIT_LIST_HEAD(&pool->bounces);
	INIT_LIST_HEAD(&pool->bouncing);
}

/* The pool's limits are known. 0 or -ENOMEM. */
int rmr_clt_bounce_alloc(struct rmr_clt_pool *pool)
{
	unsigned int i;

	for (i = 0; i < RMR_CLT_BOUNCES; i++) {
		struct rmr_clt_bounce *bounce = &pool->bounce[i];

		/* Contiguous: one segment on every transport. */
		bounce->buf = kmalloc(pool->limits.max_io, GFP_KERNEL);
		if (!bounce->buf)
			return -ENOMEM;
		list_add(&bounce->entry, &pool->bounces);
	}
	return 0;
}

void rmr_clt_bounce_free(struct rmr_clt_pool *pool)
{
	unsigned int i;

	for (i = 0; i < RMR_CLT_BOUNCES; i++)
		kfree(pool->bounce[i].buf);
}
