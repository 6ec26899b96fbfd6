// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a syncing member says to others: it pulls the map, and tells with CLEAR what it holds
 * (R5.3, R5.5, R5.6). Called by the tick of srv-sync.c alone. Context: process, sleeps.
 */
#include <linux/slab.h>

#include "srv-sync.h"

static void drop_overlay_of_clean(struct rmr_srv_track *t, u64 first, u64 end)
{
	struct rmr_tree_node *node = rmr_tree_from(&t->overlay.chunks, first), *next;

	for (; node && node->key < end; node = next) {
		next = rmr_tree_next(node);
		if (!rmr_plan_lacks(&t->plan, node->key))
			rmr_blocks_drop(&t->overlay, node->key);
	}
}

/* One run of a page. Caller: track->lock. */
static int take_run(struct rmr_srv_track *t, const struct rmr_map_run_le *run)
{
	u64 first = le64_to_cpu(run->first), last = first + le32_to_cpu(run->count) - 1;
	int err;

	err = rmr_map_mark(&t->dirty, first, last, run->bits & t->members & ~t->self, GFP_ATOMIC);
	if (err < 0)
		return err;
	rmr_srv_drop_blocks(&t->fine, first, last);
	return run->bits & t->self ? rmr_plan_add(&t->plan, first, last, GFP_ATOMIC) : 0;
}

/*
 * Takes chunks first..end-1 as told, and adds what was learned since the join (F_PULLADD).
 * Caller: track->lock.
 */
static int take_page(struct rmr_srv_track *t, u64 first, u64 end,
		     const struct rmr_rsp_map_pull *rsp)
{
	u32 i, count = le16_to_cpu(rsp->count);
	u64 chunk;
	int err;
	u8 bits;

	err = min(rmr_map_clear(&t->dirty, first, end - 1, ~t->self, GFP_ATOMIC), 0);
	for (i = 0; i < count && !err; i++)
		err = take_run(t, &rsp->run[i]);
	for (chunk = rmr_map_next(&t->since, first, 0xff, &bits); !err && chunk < end;
	     chunk = rmr_map_next(&t->since, chunk + 1, 0xff, &bits))
		err = min(rmr_map_set(&t->dirty, chunk, chunk, bits & ~t->self, GFP_ATOMIC), 0);
	if (!err)
		drop_overlay_of_clean(t, first, end);
	return err;
}

/* The last page was taken: the map is complete. */
static int pull_end(struct rmr_srv_sync *sync, u64 generation)
{
	struct rmr_srv_track *t = &sync->pool->track;
	struct rmr_map since = {};
	unsigned long flags;
	bool done;

	spin_lock_irqsave(&t->lock, flags);
	done = t->generation == generation && !t->map_ok && !t->fresh;
	if (done) {
		t->map_ok = true;
		t->since_on = false;
		since = t->since;
		memset(&t->since, 0, sizeof(t->since));
	}
	spin_unlock_irqrestore(&t->lock, flags);
	rmr_map_destroy(&since);
	queue_work(system_unbound_wq, &t->map_work);
	return done ? 0 : -EAGAIN;
}

static int pull_page(struct rmr_srv_sync *sync, unsigned int from, u64 generation, u64 *first,
		     struct rmr_rsp_map_pull *rsp)
{
	struct rmr_srv_pool *pool = sync->pool;
	struct rmr_srv_track *t = &pool->track;
	struct rmr_msg_map_pull msg = {};
	struct rmr_fault fault;
	unsigned long flags;
	u64 end;
	int err;

	rmr_msg_init(&msg.hdr, RMR_MSG_MAP_PULL, RMR_NO_HANDLE);
	memcpy(msg.pool_uuid, pool->sb->pool_uuid, RMR_UUID_LEN);
	spin_lock_irqsave(&t->lock, flags);
	rmr_epoch_put(&msg.epoch, &t->promised);
	spin_unlock_irqrestore(&t->lock, flags);
	msg.first = cpu_to_le64(*first);
	msg.from = pool->id;
	msg.to = from + 1;
	err = rmr_srv_link_call(sync->link[from], &msg, sizeof(msg), rsp, sizeof(*rsp));
	if (err)
		return err;
	err = rmr_rsp_map_pull_check(rsp, sizeof(*rsp), *first, &fault);
	/* Members that were told of a resize have more chunks, which are clean (R9.12). */
	if (err) {
		rmr_srv_warn(pool, "map of member %u refused\n", from);
		return -EPROTO;
	}
	end = min(le64_to_cpu(rsp->next), t->dirty.chunks);
	spin_lock_irqsave(&t->lock, flags);
	if (t->generation != generation || !t->since_on)
		err = -EAGAIN;
	else
		err = take_page(t, *first, end, rsp);
	spin_unlock_irqrestore(&t->lock, flags);
	*first = le64_to_cpu(rsp->next);
	return err;
}

/* Gets a complete map from a member of U. */
int rmr_srv_pull(struct rmr_srv_sync *sync, unsigned int from)
{
	struct rmr_rsp_map_pull *rsp = kmalloc(sizeof(*rsp), GFP_NOIO);
	u64 generation = READ_ONCE(sync->pool->track.generation), first = 0;
	int err = rsp ? rmr_srv_trigger(RMR_SRV_POINT_MAP_PULL, sync->pool->id) : -ENOMEM;

	while (!err && first < sync->pool->track.dirty.chunks)
		err = pull_page(sync, from, generation, &first, rsp);
	kfree(rsp);
	if (!err)
		err = pull_end(sync, generation);
	if (err)
		rmr_srv_warn(sync->pool, "map pull from member %u: %d\n", from, err);
	else
		rmr_srv_info(sync->pool, "map complete, from member %u: %llu chunks lacked\n",
			     from, sync->pool->track.plan.left);
	return err;
}

static void clear_init(struct rmr_srv_pool *pool, struct rmr_msg_clear *msg)
{
	memset(msg, 0, sizeof(*msg));
	rmr_msg_init(&msg->hdr, RMR_MSG_CLEAR, RMR_NO_HANDLE);
	memcpy(msg->pool_uuid, pool->sb->pool_uuid, RMR_UUID_LEN);
	msg->from = pool->id;
}

/* Moves up to a message's worth of finished chunks into it. Returns whom to tell. */
static u8 gather(struct rmr_srv_sync *sync, struct rmr_msg_clear *msg)
{
	struct rmr_srv_track *t = &sync->pool->track;
	u64 chunk, end = 0;
	unsigned long flags;
	u32 n = 0;
	u8 bits, to;

	spin_lock_irqsave(&sync->lock, flags);
	spin_lock(&t->lock);
	rmr_epoch_put(&msg->epoch, &t->promised);
	msg->view = cpu_to_le64(t->view.number);
	to = rmr_view_active(&t->view) & ~t->self;
	for (chunk = rmr_map_next(&sync->told, 0, 1, &bits); chunk != RMR_NO_CHUNK;
	     chunk = rmr_map_next(&sync->told, chunk + 1, 1, &bits)) {
		if (n == RMR_MSG_RANGES && chunk != end)
			break;
		rmr_map_clear(&sync->told, chunk, chunk, 1, GFP_ATOMIC);
		if (rmr_srv_lacks(t, chunk))
			continue;
		if (n && chunk == end) {
			le64_add_cpu(&msg->range[n - 1].count, 1);
		} else {
			msg->range[n].first = cpu_to_le64(chunk);
			msg->range[n++].count = cpu_to_le64(1);
		}
		end = chunk + 1;
	}
	msg->count = cpu_to_le16(n);
	spin_unlock(&t->lock);
	spin_unlock_irqrestore(&sync->lock, flags);
	return n ? to : 0;
}

/* Tells the others what was copied since the last time. What gets lost is told by announce. */
void rmr_srv_tell(struct rmr_srv_sync *sync)
{
	struct rmr_msg_clear *msg = kmalloc(sizeof(*msg), GFP_NOIO);
	unsigned int id;
	u8 to;

	if (!msg)
		return;
	for (;;) {
		clear_init(sync->pool, msg);
		to = gather(sync, msg) & sync->ready;
		if (!msg->count)
			break;
		for (id = 0; id < RMR_MAX_MEMBERS; id++)
			if (to & BIT(id)) {
				msg->to = id + 1;
				rmr_srv_link_call(sync->link[id], msg, sizeof(*msg), NULL, 0);
			}
	}
	kfree(msg);
}

/* Fills in a CLEAR of everything; the members that have not confirmed it, 0 if not now. */
static u8 announce_to(struct rmr_srv_sync *sync, struct rmr_msg_clear *msg, bool *all)
{
	struct rmr_srv_track *t = &sync->pool->track;
	unsigned long flags;
	u8 to = 0;

	*all = false;
	spin_lock_irqsave(&t->lock, flags);
	if (!t->fresh && t->map_ok && (t->view.syncing & t->self) && !t->plan.left &&
	    rmr_view_cmp(&t->seen, &t->view) <= 0) {
		to = rmr_view_active(&t->view) & ~t->self & ~t->cleared_on;
		*all = !to;
	}
	rmr_epoch_put(&msg->epoch, &t->promised);
	msg->view = cpu_to_le64(t->view.number);
	msg->range[0].count = cpu_to_le64(t->dirty.chunks);
	msg->count = cpu_to_le16(1);
	spin_unlock_irqrestore(&t->lock, flags);
	return to;
}

bool rmr_srv_announce(struct rmr_srv_sync *sync)
{
	struct rmr_msg_clear *msg = kmalloc(sizeof(*msg), GFP_NOIO);
	struct rmr_srv_track *t = &sync->pool->track;
	struct rmr_epoch epoch;
	unsigned long flags;
	unsigned int id;
	bool all = false;
	u8 to;

	if (!msg)
		return false;
	clear_init(sync->pool, msg);
	to = announce_to(sync, msg, &all) & sync->ready;
	rmr_epoch_get(&epoch, &msg->epoch);
	for (id = 0; id < RMR_MAX_MEMBERS; id++) {
		msg->to = id + 1;
		if (!(to & BIT(id)) ||
		    rmr_srv_link_call(sync->link[id], msg, sizeof(*msg), NULL, 0))
			continue;
		spin_lock_irqsave(&t->lock, flags);
		if (!t->fresh && !t->plan.left && !rmr_epoch_cmp(&t->promised, &epoch) &&
		    t->view.number == le64_to_cpu(msg->view))
			t->cleared_on |= BIT(id);
		spin_unlock_irqrestore(&t->lock, flags);
	}
	kfree(msg);
	return all;
}
