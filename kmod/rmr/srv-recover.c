// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a client asks of a member around failures: marks, the uncertain set, the steps of a leg that
 * returns, keepalives (protocol sections 5 and 6).
 *
 * Context: process; may wait for the map or the store. Each holds attach->io, so that the end of an
 * attachment waits for it, and not pool->lock, so that a keepalive never waits for a disk.
 */
#include "srv-pri.h"

/* The attachment of a handle with this epoch, its io reference taken; NULL: fenced. */
static struct rmr_srv_attach *attach_get(struct rmr_srv_sess *sess, __le32 handle,
					 const struct rmr_epoch_le *epoch_le)
{
	struct rmr_srv_attach *attach = rmr_srv_attach_get(sess, le32_to_cpu(handle));
	struct rmr_epoch epoch;

	if (!attach)
		return NULL;
	rmr_epoch_get(&epoch, epoch_le);
	if (!rmr_epoch_cmp(&epoch, &attach->epoch))
		return attach;
	percpu_ref_put(&attach->io);
	return NULL;
}

/* Whether a MARK of this number was not executed yet (R2.13); notes it. Caller: track->lock. */
static bool mark_is_new(struct rmr_srv_track *t, u64 number)
{
	u64 back;

	if (number > t->mark_top) {
		back = number - t->mark_top;
		t->mark_seen = back < RMR_MARKS_AT_ONCE ? t->mark_seen << back : 0;
		t->mark_seen |= 1;
		t->mark_top = number;
		return true;
	}
	back = t->mark_top - number;
	if (back >= RMR_MARKS_AT_ONCE || (t->mark_seen & BIT(back)))
		return false;
	t->mark_seen |= BIT(back);
	return true;
}

/* One range of a MARK. Caller: track->lock. */
static int mark_range(struct rmr_srv_track *t, const struct rmr_msg_mark *msg, u64 first, u64 last)
{
	u8 source = msg->source & ~t->self;
	int err;

	err = rmr_srv_mark(t, first, last, msg->bits);
	if (!err && source)
		err = min(rmr_map_clear(&t->dirty, first, last, source, GFP_ATOMIC), 0);
	rmr_srv_drop_blocks(&t->fine, first, last);
	/* R6.4: a member other than the source drops its overlay of the range. */
	if (msg->source && (msg->bits & t->self))
		rmr_srv_drop_blocks(&t->overlay, first, last);
	if (!err && (msg->bits & t->view.syncing & t->self))
		err = rmr_plan_add(&t->plan, first, last, GFP_ATOMIC);
	return err;
}

static int mark_all(struct rmr_srv_track *t, const struct rmr_msg_mark *msg)
{
	u32 i, count = le16_to_cpu(msg->count);
	int err = 0;

	rmr_srv_see(t, &t->promised, le64_to_cpu(msg->view));
	if (!mark_is_new(t, le64_to_cpu(msg->number)))
		return RMR_ST_FENCED;
	for (i = 0; i < count && !err; i++) {
		u64 first = le64_to_cpu(msg->range[i].first);
		u64 n = le64_to_cpu(msg->range[i].count);

		if (first >= t->dirty.chunks || n > t->dirty.chunks - first)
			return RMR_ST_MALFORMED;
		err = mark_range(t, msg, first, first + n - 1);
	}
	return err;
}

int rmr_srv_mark_msg(struct rmr_srv_sess *sess, const void *data, void *rsp)
{
	const struct rmr_msg_mark *msg = data;
	struct rmr_srv_attach *attach = attach_get(sess, msg->hdr.handle, &msg->epoch);
	struct rmr_srv_pool *pool;
	unsigned long flags;
	int err;

	if (!attach)
		return RMR_ST_FENCED;
	pool = attach->pool;
	err = rmr_srv_trigger(RMR_SRV_POINT_MARK, pool->id);
	spin_lock_irqsave(&pool->track.lock, flags);
	if (!err)
		err = mark_all(&pool->track, msg);
	spin_unlock_irqrestore(&pool->track.lock, flags);
	if (!err)
		err = rmr_srv_map_sync(pool);
	percpu_ref_put(&attach->io);
	if (!err)
		rmr_srv_sync_kick(pool);
	return err;
}

/* A page of the uncertain set from chunk first on. Caller: track->lock. */
static void list_fill(const struct rmr_srv_track *t, u64 first, struct rmr_rsp_list *rsp)
{
	u64 chunk, next = RMR_NO_MORE, end = first;
	u32 n = 0;
	u8 bits;

	for (chunk = rmr_map_next(&t->kept, first, 1, &bits); chunk != RMR_NO_CHUNK;
	     chunk = rmr_map_next(&t->kept, chunk + 1, 1, &bits)) {
		if (n && chunk == end) {
			le64_add_cpu(&rsp->range[n - 1].count, 1);
			end = chunk + 1;
			continue;
		}
		if (n == RMR_LIST_RANGES) {
			next = chunk;
			break;
		}
		rsp->range[n].first = cpu_to_le64(chunk);
		rsp->range[n].count = cpu_to_le64(1);
		n++;
		end = chunk + 1;
	}
	rsp->first = cpu_to_le64(first);
	rsp->next = cpu_to_le64(next);
	rsp->count = cpu_to_le16(n);
	rsp->flags = t->restarted ? RMR_LIST_F_RESTARTED : 0;
}

int rmr_srv_list_msg(struct rmr_srv_sess *sess, const void *data, void *rsp)
{
	const struct rmr_msg_list *msg = data;
	struct rmr_srv_attach *attach = attach_get(sess, msg->hdr.handle, &msg->epoch);
	struct rmr_srv_track *t;
	unsigned long flags;

	if (!attach)
		return RMR_ST_FENCED;
	t = &attach->pool->track;
	memset(rsp, 0, sizeof(struct rmr_rsp_list));
	spin_lock_irqsave(&t->lock, flags);
	list_fill(t, le64_to_cpu(msg->first), rsp);
	spin_unlock_irqrestore(&t->lock, flags);
	percpu_ref_put(&attach->io);
	return 0;
}

/* R6.6: the uncertain set may be dropped. */
int rmr_srv_settle_msg(struct rmr_srv_sess *sess, const void *data, void *rsp)
{
	const struct rmr_msg_step *msg = data;
	struct rmr_srv_attach *attach = attach_get(sess, msg->hdr.handle, &msg->epoch);
	struct rmr_map fresh, old;
	struct rmr_srv_track *t;
	unsigned long flags;
	int err;

	if (!attach)
		return RMR_ST_FENCED;
	t = &attach->pool->track;
	err = rmr_map_init(&fresh, t->dirty.chunks, 0, GFP_NOIO);
	if (err)
		goto put;
	fresh.transient = true;
	spin_lock_irqsave(&t->lock, flags);
	old = t->kept;
	t->kept = fresh;
	t->restarted = false;
	t->attaching = false;
	rmr_intents_release(&t->intents);
	spin_unlock_irqrestore(&t->lock, flags);
	rmr_map_destroy(&old);
put:
	percpu_ref_put(&attach->io);
	return err;
}

/* F_PULLALL: every write issued before the join has ended, the map may be pulled. */
int rmr_srv_ready_msg(struct rmr_srv_sess *sess, const void *data, void *rsp)
{
	const struct rmr_msg_step *msg = data;
	struct rmr_srv_attach *attach = attach_get(sess, msg->hdr.handle, &msg->epoch);
	struct rmr_srv_pool *pool;
	unsigned long flags;
	int err = 0;

	if (!attach)
		return RMR_ST_FENCED;
	pool = attach->pool;
	spin_lock_irqsave(&pool->track.lock, flags);
	if (pool->track.fresh || le64_to_cpu(msg->view) > pool->track.view.number) {
		err = RMR_ST_FENCED;	/* not of a join that is known here */
	} else {
		pool->track.pull_ok = true;
		pool->track.attaching = false;
	}
	spin_unlock_irqrestore(&pool->track.lock, flags);
	percpu_ref_put(&attach->io);
	if (!err)
		rmr_srv_sync_kick(pool);
	return err;
}

/* F_RETFLUSH: cache flushed and map persisted, as before a promotion or after reconcile. */
int rmr_srv_prepare_msg(struct rmr_srv_sess *sess, const void *data, void *rsp)
{
	const struct rmr_msg_step *msg = data;
	struct rmr_srv_attach *attach = attach_get(sess, msg->hdr.handle, &msg->epoch);
	int err;

	if (!attach)
		return RMR_ST_FENCED;
	err = rmr_srv_flush(attach->pool);
	if (!err)
		err = rmr_srv_map_sync(attach->pool);
	percpu_ref_put(&attach->io);
	return err;
}

int rmr_srv_keepalive_msg(struct rmr_srv_sess *sess, const void *data, void *out)
{
	const struct rmr_msg_keepalive *msg = data;
	struct rmr_srv_attach *attach = attach_get(sess, msg->hdr.handle, &msg->epoch);
	struct rmr_rsp_keepalive *rsp = out;
	struct rmr_srv_track *t;
	unsigned long flags;
	bool rejoin;
	int err;

	if (!attach)
		return RMR_ST_FENCED;
	err = rmr_srv_disk_refuses(attach->pool);
	if (err) {
		percpu_ref_put(&attach->io);
		return err;
	}
	t = &attach->pool->track;
	memset(rsp, 0, sizeof(*rsp));
	spin_lock_irqsave(&t->lock, flags);
	rejoin = t->rejoin;
	rmr_window_completed(&t->window, le64_to_cpu(msg->completed_below));
	/* A member that was told no view under this promise has none of this client. */
	rsp->view = cpu_to_le64(t->fresh ? 0 : t->view.number);
	rsp->lacking = cpu_to_le64(t->plan.left);
	rsp->cleared_on = t->cleared_on;
	rsp->flags = t->map_ok && !t->fresh ? RMR_ALIVE_F_MAP : 0;
	rsp->table = cpu_to_le64(t->table_sum);
	spin_unlock_irqrestore(&t->lock, flags);
	rmr_srv_sync_alive(attach->pool, rsp);
	percpu_ref_put(&attach->io);
	/* The leg is taken out and back, and asked what it lacks (R5.11). */
	return rejoin ? RMR_ST_REJOIN : 0;
}
