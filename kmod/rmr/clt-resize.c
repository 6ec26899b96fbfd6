// SPDX-License-Identifier: GPL-2.0-only
/*
 * The size of a pool as its client has it (R9.12): the smallest that the active members tell at the
 * first attach, and a larger one once every data member has confirmed it.
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

static int resize_refuse(struct rmr_clt_pool *pool, u64 size, struct netlink_ext_ack *extack)
{
	unsigned int i;

	if (pool->state != RMR_DEVICE_STATE_LIVE) {
		NL_SET_ERR_MSG(extack, "pool is suspended: wait for its legs");
		return -EBUSY;
	}
	if (size < pool->limits.size) {
		NL_SET_ERR_MSG_FMT(extack, "pool has %llu bytes and cannot shrink: data is lost",
				   pool->limits.size);
		return -EINVAL;
	}
	for (i = 0; i < pool->nr_legs; i++) {
		struct rmr_clt_leg *leg = &pool->leg[i];

		if (!rmr_clt_leg_used(leg) || rmr_clt_leg_votes_only(leg))
			continue;
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

static int resize_send(struct rmr_clt_pool *pool, struct rmr_clt_leg *leg, u64 size)
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
	msg->size = cpu_to_le64(size);
	call->tag = RMR_MSG_RESIZE;
	rmr_clt_call_send(call);
	return 0;
}

static const char *resize_why(int err)
{
	if (err == -ENOSPC)
		return "no room, see `rmrctl disk grow` there";
	if (err == RMR_ST_BUSY)
		return "is being copied to";
	return rmr_clt_status_text(err);
}

/* Tells every member at once and waits for all; the error of the first data member that failed. */
static int resize_tell(struct rmr_clt_pool *pool, u64 size, struct netlink_ext_ack *extack)
{
	struct rmr_clt_leg *leg;
	unsigned int i;
	int err = 0, e;
	u8 sent = 0;

	for (i = 0; i < pool->nr_legs && !err; i++) {
		leg = &pool->leg[i];
		if (!rmr_clt_leg_link(leg) || leg->failed)
			continue;
		e = resize_send(pool, leg, size);
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

int rmr_clt_resize(struct rmr_clt_pool *pool, u64 size, struct netlink_ext_ack *extack)
{
	int err;

	mutex_lock(&pool->ctl_lock);
	err = resize_refuse(pool, size, extack);
	if (!err)
		err = resize_tell(pool, size, extack);
	if (!err) {
		spin_lock_irq(&pool->lock);
		pool->limits.size = size;
		spin_unlock_irq(&pool->lock);
		rmr_clt_info(pool, "resized to %llu bytes\n", size);
	}
	mutex_unlock(&pool->ctl_lock);
	if (!err)
		rmr_clt_changed(pool);
	rmr_clt_ctl_kick(pool);
	return err;
}
EXPORT_SYMBOL_GPL(rmr_clt_resize);
