// SPDX-License-Identifier: GPL-2.0-only
/*
 * Marks and late acknowledgements: who lacks which chunks is persisted on every sending leg before
 * a write that a leg missed is acknowledged (R3.4c), and before a returning leg joins (R5.2).
 *
 * One set of marks is under way at a time, as one message to each leg; what comes meanwhile makes
 * up the next set. A leg that joins meanwhile gets the set too, and what was marked before it
 * joined is marked again while it is not acknowledged (F_MARKALL).
 *
 * Locks: called by the controller under ctl_lock; pool->lock for pool->acks.
 */
#include "clt-pri.h"

/* Gathers what writes with the same misses need. Caller: pool->lock. */
static void gather_acks(struct rmr_clt_pool *pool)
{
	struct rmr_clt_marks *m = &pool->marks;
	struct rmr_clt_req *req;

	list_for_each_entry(req, &pool->acks, queue) {
		struct rmr_range *r = &m->range[m->count];

		if (!req->miss || req->marked || req->in_marks)
			continue;
		if (m->count && req->miss != m->bits)
			continue;
		if (m->count == RMR_MSG_RANGES)
			break;
		m->bits = req->miss;
		r->first = div_u64(req->offset, pool->limits.chunk_size);
		r->count = div_u64(req->last, pool->limits.chunk_size) - r->first + 1;
		req->in_marks = true;
		m->count++;
	}
}

static void gather_returning(struct rmr_clt_pool *pool, struct rmr_clt_link *link)
{
	struct rmr_clt_marks *m = &pool->marks;

	if (link->marked_joins != pool->joins) {
		link->marked = 0;
		link->marked_joins = pool->joins;
	}
	m->returning = link;
	m->bits = BIT(link->leg->id);
	m->count = min_t(unsigned int, link->nr_uncertain - link->marked, RMR_MSG_RANGES);
	memcpy(m->range, link->uncertain + link->marked, m->count * sizeof(m->range[0]));
}

/* Starts the next set of marks. False: there is none. */
static bool marks_begin(struct rmr_clt_pool *pool)
{
	struct rmr_clt_marks *m = &pool->marks;
	unsigned int i;

	m->on = 0;
	m->count = 0;
	m->returning = NULL;
	spin_lock_irq(&pool->lock);
	gather_acks(pool);
	spin_unlock_irq(&pool->lock);
	for (i = 0; i < pool->nr_legs && !m->count; i++) {
		struct rmr_clt_link *link = rmr_clt_leg_link(&pool->leg[i]);

		/* F_TABLE: nobody hears of bits of a member that it does not know. */
		if (link && pool->leg[i].state == RMR_LEG_STATE_PROMISED && pool->table_ok &&
		    rmr_clt_leg_wanted(&pool->leg[i]) &&
		    (link->marked < link->nr_uncertain ||
		     (link->nr_uncertain && link->marked_joins != pool->joins)))
			gather_returning(pool, link);
	}
	m->active = m->count;
	if (m->active)
		m->id++;
	return m->active;
}

static void marks_end(struct rmr_clt_pool *pool)
{
	struct rmr_clt_marks *m = &pool->marks;
	struct rmr_clt_req *req;

	m->active = false;
	if (m->returning) {
		m->returning->marked += m->count;
		return;
	}
	spin_lock_irq(&pool->lock);
	list_for_each_entry(req, &pool->acks, queue) {
		if (!req->in_marks)
			continue;
		req->in_marks = false;
		req->marked = true;
	}
	spin_unlock_irq(&pool->lock);
}

static void send_marks(struct rmr_clt_pool *pool, struct rmr_clt_link *link)
{
	struct rmr_clt_marks *m = &pool->marks;
	struct rmr_clt_call *call = &link->mark;
	struct rmr_msg_mark *msg = rmr_clt_call_msg(call, RMR_MSG_MARK, sizeof(*msg), 0);
	unsigned int i;

	rmr_epoch_put(&msg->epoch, &pool->epoch);
	msg->view = cpu_to_le64(pool->vm.proposed.number);
	msg->number = cpu_to_le64(++link->marks);
	msg->bits = m->bits & ~BIT(link->leg->id);
	msg->count = cpu_to_le16(m->count);
	for (i = 0; i < m->count; i++) {
		msg->range[i].first = cpu_to_le64(m->range[i].first);
		msg->range[i].count = cpu_to_le64(m->range[i].count);
	}
	call->tag = m->id;
	rmr_clt_call_send(call);
}

static void marks_on_leg(struct rmr_clt_pool *pool, struct rmr_clt_link *link)
{
	struct rmr_clt_marks *m = &pool->marks;
	struct rmr_clt_call *call = &link->mark;
	u8 bit = BIT(link->leg->id);

	if (rmr_clt_call_state(call) == RMR_CALL_DONE) {
		call->state = RMR_CALL_IDLE;
		if (call->status) {
			rmr_clt_leg_failed(link->leg, link->gen,
					   rmr_clt_status_reason(call->status));
			return;
		}
		if (m->active && call->tag == m->id)
			m->on |= bit;
	}
	if (!m->active || (m->on & bit) || call->state != RMR_CALL_IDLE)
		return;
	/* What a member lacks itself it has noted when it answered MISSED. */
	if (!(m->bits & ~bit))
		m->on |= bit;
	else
		send_marks(pool, link);
}

/* Is the leg that the marks are of still waiting for them? */
static bool returning_gone(struct rmr_clt_pool *pool)
{
	struct rmr_clt_marks *m = &pool->marks;
	unsigned int i;

	if (!m->returning)
		return false;
	for (i = 0; i < pool->nr_legs; i++)
		if (rmr_clt_leg_link(&pool->leg[i]) == m->returning)
			return pool->leg[i].state != RMR_LEG_STATE_PROMISED;
	return true;
}

void rmr_clt_marks_run(struct rmr_clt_pool *pool)
{
	struct rmr_clt_marks *m = &pool->marks;
	unsigned int i;
	u8 sending;

	for (;;) {
		if (m->active && returning_gone(pool))
			m->active = false;
		if (!m->active)
			marks_begin(pool);
		sending = rmr_viewmaker_sending(&pool->vm);
		for (i = 0; i < pool->nr_legs; i++) {
			struct rmr_clt_link *link = rmr_clt_leg_link(&pool->leg[i]);

			if (link && (sending & BIT(pool->leg[i].id)) && !pool->leg[i].failed)
				marks_on_leg(pool, link);
		}
		if (!m->active || !sending || (sending & ~m->on))
			return;
		marks_end(pool);
	}
}

/* A leg joined: whatever waits to be acknowledged is to be marked on it too. */
void rmr_clt_acks_remark(struct rmr_clt_pool *pool)
{
	struct rmr_clt_req *req;

	spin_lock_irq(&pool->lock);
	list_for_each_entry(req, &pool->acks, queue)
		req->marked = false;
	spin_unlock_irq(&pool->lock);
}

/* Acknowledges what the view and the marks allow (R3.4). */
void rmr_clt_acks_run(struct rmr_clt_pool *pool)
{
	struct rmr_clt_req *req, *next;
	LIST_HEAD(done);

	spin_lock_irq(&pool->lock);
	list_for_each_entry_safe(req, next, &pool->acks, queue) {
		if (!pool->settled || (req->miss && !req->marked))
			continue;
		list_del_init(&req->queue);
		rmr_clt_end_locked(req, 0, &done);
	}
	spin_unlock_irq(&pool->lock);
	rmr_clt_end_list(&done);
}
