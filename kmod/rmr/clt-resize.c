// SPDX-License-Identifier: GPL-2.0-only
/*
 * The size of a pool as its client has it (R9.12): the smallest that the active members tell at the
 * first attach, and a larger one once every data member has confirmed it. A smaller one before the
 * first is told: from then on it is that, and the command is given again until all have confirmed.
 *
 * Each shrink has a number that none before had. A growth tells that of the last one, so that a
 * member that is larger and was not told of it refuses: what it has too much is not zero. All are
 * asked before one is told: else the others might grow, and the next client take their size for
 * the smallest.
 *
 * Locks: ctl_lock throughout, so that no leg comes, goes or changes meanwhile. Process context.
 */
#include "clt-pri.h"

/* Uncertain chunks that the device does not have are of no interest: nobody wrote them. */
void rmr_clt_clip_uncertain(struct rmr_clt_link *link, u64 chunks)
{
	unsigned int i, n = 0;

	for (i = 0; i < link->nr_uncertain; i++) {
		struct rmr_range r = link->uncertain[i];

		if (r.first >= chunks)
			continue;
		r.count = min(r.count, chunks - r.first);
		link->uncertain[n++] = r;
	}
	link->nr_uncertain = n;
}

/* At the first attach: who is larger was told of a resize that did not come to its end. */
void rmr_clt_agree_size(struct rmr_clt_pool *pool, u8 active)
{
	struct rmr_clt_link *link;
	u64 size = U64_MAX, chunks;
	unsigned int i;

	for (i = 0; i < pool->nr_legs; i++) {
		link = rmr_clt_leg_link(&pool->leg[i]);
		if (link && (active & BIT(pool->leg[i].id)))
			size = min(size, link->size);
		if (link && (active & BIT(pool->leg[i].id)))
			pool->cuts = max(pool->cuts, link->cuts);
	}
	if (size == U64_MAX)
		return;
	spin_lock_irq(&pool->lock);
	pool->limits.size = size;
	spin_unlock_irq(&pool->lock);
	chunks = rmr_chunks(size, pool->limits.chunk_size);
	for (i = 0; i < pool->nr_legs; i++) {
		link = rmr_clt_leg_link(&pool->leg[i]);
		if (!link)
			continue;
		rmr_clt_clip_uncertain(link, chunks);
		if (link->size != size && !rmr_clt_leg_votes_only(&pool->leg[i]))
			rmr_clt_info(pool, "leg %u has %llu bytes, the pool %llu: resize it again\n",
				     pool->leg[i].id, link->size, size);
	}
}

/* Whoever promised at the first attach, is in no view yet and too small must not join. */
void rmr_clt_refuse_small(struct rmr_clt_pool *pool)
{
	unsigned int i;

	for (i = 0; i < pool->nr_legs; i++) {
		struct rmr_clt_leg *leg = &pool->leg[i];
		struct rmr_clt_link *link = rmr_clt_leg_link(leg);

		if (link && !rmr_clt_leg_votes_only(leg) && link->size < pool->limits.size)
			rmr_clt_leg_failed(leg, link->gen, RMR_REASON_TOO_SMALL);
	}
}

/* Smaller than the device, so refused, and just as large as the device is to be. */
static bool shrunk_already(const struct rmr_clt_leg *leg, u64 size)
{
	return leg->reason == RMR_REASON_TOO_SMALL && READ_ONCE(leg->told_size) == size;
}

static int resize_refuse(struct rmr_clt_pool *pool, u64 size, bool shrink,
			 struct netlink_ext_ack *extack)
{
	unsigned int i;

	if (pool->state != RMR_DEVICE_STATE_LIVE) {
		NL_SET_ERR_MSG(extack, "pool is suspended: wait for its legs");
		return -EBUSY;
	}
	if (size < pool->limits.size && !shrink) {
		NL_SET_ERR_MSG_FMT(extack, "pool has %llu bytes; --force gives up what is behind",
				   pool->limits.size);
		return -EINVAL;
	}
	for (i = 0; i < pool->nr_legs; i++) {
		struct rmr_clt_leg *leg = &pool->leg[i];

		if (!rmr_clt_leg_used(leg) || rmr_clt_leg_votes_only(leg))
			continue;
		if (shrink && shrunk_already(leg, size))
			continue;
		if (leg->reason == RMR_REASON_TOO_SMALL) {
			NL_SET_ERR_MSG_FMT(extack,
					   "member %u (%.16s) has %llu bytes: shrink to that",
					   leg->id, leg->member.node, READ_ONCE(leg->told_size));
			return -EBUSY;
		}
		if (!rmr_clt_leg_link(leg) || leg->failed ||
		    leg->state != RMR_LEG_STATE_UP_TO_DATE) {
			NL_SET_ERR_MSG_FMT(extack, "member %u (%.30s) is not up to date",
					   leg->id, leg->member.node);
			return -EBUSY;
		}
	}
	if (!READ_ONCE(pool->settled)) {
		NL_SET_ERR_MSG(extack, "a view is being established: try again");
		return -EAGAIN;
	}
	return 0;
}

/* What every member is told. */
struct resize {
	u64	size, from;
	u32	cuts;
	u8	flags;
};

static int resize_send(struct rmr_clt_pool *pool, struct rmr_clt_leg *leg, const struct resize *r)
{
	struct rmr_clt_link *link = rmr_clt_leg_link(leg);
	struct rmr_clt_call *call = &link->step;
	struct rmr_msg_resize *msg;

	/* What the controller sent last; it looks at the state of the leg again, not at this. */
	if (call->state == RMR_CALL_SENT)
		rmr_clt_call_wait(call, pool->stall_ms);
	if (rmr_clt_call_state(call) == RMR_CALL_SENT)
		return -ETIMEDOUT;
	msg = rmr_clt_call_msg(call, RMR_MSG_RESIZE, sizeof(*msg), 0);
	rmr_epoch_put(&msg->epoch, &pool->epoch);
	msg->size = cpu_to_le64(r->size);
	msg->from = cpu_to_le64(r->from);
	msg->cuts = cpu_to_le32(r->cuts);
	msg->flags = r->flags;
	call->tag = RMR_MSG_RESIZE;
	rmr_clt_call_send(call);
	return 0;
}

static const char *resize_why(int err)
{
	if (err == -ENOSPC)
		return "no room, see `rmrctl disk grow` there";
	if (err == RMR_ST_BUSY)
		return "is being copied to, compared or grown";
	if (err == -ESTALE)
		return "not told of a shrink, repeat that";
	if (err == -EOPNOTSUPP)
		return "data device without a label, grow it";
	return rmr_clt_status_text(err);
}

/* Tells every member at once and waits for all; the error of the first data member that failed. */
static int resize_tell(struct rmr_clt_pool *pool, const struct resize *r,
		       struct netlink_ext_ack *extack)
{
	struct rmr_clt_leg *leg;
	unsigned int i;
	int err = 0, e;
	u8 sent = 0;

	for (i = 0; i < pool->nr_legs && !err; i++) {
		leg = &pool->leg[i];
		if (!rmr_clt_leg_link(leg) || leg->failed)
			continue;
		e = resize_send(pool, leg, r);
		if (!e)
			sent |= BIT(leg->id);
		else if (!rmr_clt_leg_votes_only(leg))
			err = e;
	}
	for (i = 0; i < pool->nr_legs; i++) {
		leg = &pool->leg[i];
		if (!(sent & BIT(leg->id)))
			continue;
		e = rmr_clt_call_wait(&rmr_clt_leg_link(leg)->step, pool->stall_ms);
		if (!e || rmr_clt_leg_votes_only(leg) || err)
			continue;
		err = e;
		NL_SET_ERR_MSG_FMT(extack, "member %u (%.20s): %.40s (%d); try again", leg->id,
				   leg->member.node, resize_why(e), e);
	}
	return err;
}

/* The last shrink that the pool or a member knows of. */
static u32 last_cut(struct rmr_clt_pool *pool)
{
	u32 cuts = pool->cuts;
	unsigned int i;

	for (i = 0; i < pool->nr_legs; i++)
		if (rmr_clt_leg_used(&pool->leg[i]))
			cuts = max(cuts, READ_ONCE(pool->leg[i].told_cuts));
	return cuts;
}

int rmr_clt_cap(struct rmr_clt_pool *pool, u64 size)
{
	int err = 0;

	lockdep_assert_held(&pool->ctl_lock);
	spin_lock_irq(&pool->lock);
	if (pool->inflight)
		err = -EBUSY;
	else
		pool->limits.size = size;
	spin_unlock_irq(&pool->lock);
	return err;
}
EXPORT_SYMBOL_GPL(rmr_clt_cap);

/* Whoever is told of it first makes it the size of the pool, so the device comes before. */
static int shrink(struct rmr_clt_pool *pool, u64 size, struct netlink_ext_ack *extack)
{
	struct resize r = {
		.size = size, .from = pool->limits.size, .cuts = last_cut(pool) + 1,
		.flags = RMR_RESIZE_F_SHRINK | RMR_RESIZE_F_ASK,
	};
	int err;

	if (!r.cuts)
		return -EOVERFLOW;
	err = resize_tell(pool, &r, extack);
	if (err)
		return err;
	if (size < pool->limits.size) {
		err = pool->ops->shrink(pool->priv, size);
		if (err) {
			NL_SET_ERR_MSG(extack, "device is open or mounted: close it first");
			return err;
		}
		rmr_clt_info(pool, "shrinks to %llu bytes\n", size);
	}
	pool->cuts = r.cuts;
	r.flags = RMR_RESIZE_F_SHRINK;
	return resize_tell(pool, &r, extack);
}

static int grow(struct rmr_clt_pool *pool, u64 size, struct netlink_ext_ack *extack)
{
	struct resize r = {
		.size = size, .from = pool->limits.size, .cuts = last_cut(pool),
		.flags = RMR_RESIZE_F_ASK,
	};
	int err;

	pool->cuts = r.cuts;
	err = resize_tell(pool, &r, extack);
	if (err)
		return err;
	r.flags = 0;
	err = resize_tell(pool, &r, extack);
	if (err)
		return err;
	spin_lock_irq(&pool->lock);
	pool->limits.size = size;
	spin_unlock_irq(&pool->lock);
	return 0;
}

int rmr_clt_resize(struct rmr_clt_pool *pool, u64 size, bool force, struct netlink_ext_ack *extack)
{
	bool smaller;
	int err;

	mutex_lock(&pool->ctl_lock);
	/* As large as it is: a shrink that did not come to its end. */
	smaller = force && size <= pool->limits.size;
	err = resize_refuse(pool, size, smaller, extack);
	if (!err)
		err = smaller ? shrink(pool, size, extack) : grow(pool, size, extack);
	if (!err)
		rmr_clt_info(pool, "resized to %llu bytes\n", size);
	mutex_unlock(&pool->ctl_lock);
	if (!err)
		rmr_clt_changed(pool);
	rmr_clt_ctl_kick(pool);
	return err;
}
EXPORT_SYMBOL_GPL(rmr_clt_resize);
