// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests of a client to the legs of a pool: order, fan-out, choice of the read leg, answers.
 * The hot path; allocates nothing.
 *
 * A write goes to every leg at once and ends when all have answered. It waits while it overlaps a
 * running write (F_WSER), and so does a read (F_RSER), so that all legs apply overlapping writes
 * in one order and no read sees a write that is not everywhere. A write that a leg failed is held
 * and sent again to every leg once the pool is live again; the caller sees no error, because the
 * write may already be on some leg. A read that a leg failed goes to the next leg.
 *
 * Contexts: submit from any that may take pool->lock, answers from softirq or process context.
 * Locks: pool->lock guards order and state, never held while sending or completing.
 */
#include <linux/interval_tree_generic.h>
#include <linux/ktime.h>
#include <linux/rcupdate.h>

#include "clt-pri.h"

#define RANGE_START(req)	((req)->offset)
#define RANGE_LAST(req)		((req)->last)

INTERVAL_TREE_DEFINE(struct rmr_clt_req, rb, u64, subtree_last, RANGE_START, RANGE_LAST,
		     static __maybe_unused, range)

/* Errors of the link or of the protocol; any other one is the store's. */
static bool status_is_link(int status)
{
	return status == -ECONNABORTED || status == -ECONNRESET || status == -ENOTCONN ||
	       status == -ETIMEDOUT || status == RMR_ST_FENCED || status == RMR_ST_MALFORMED ||
	       status == RMR_ST_NOPOOL || status == RMR_ST_VERSION;
}

static bool op_changes_data(u8 op)
{
	return op == RMR_OP_WRITE || op == RMR_OP_DISCARD || op == RMR_OP_WRITE_ZEROES;
}

static void count(struct rmr_io_stats __percpu *s, const struct rmr_clt_req *req)
{
	switch (req->op) {
	case RMR_OP_READ:
		this_cpu_inc(s->reads);
		this_cpu_add(s->read_bytes, req->length);
		break;
	case RMR_OP_WRITE:
		this_cpu_inc(s->writes);
		this_cpu_add(s->write_bytes, req->length);
		break;
	case RMR_OP_FLUSH:
		this_cpu_inc(s->flushes);
		break;
	default:
		this_cpu_inc(s->discards);
	}
}

/* ---- order ---- */

static bool overlaps_waiting(struct rmr_clt_pool *pool, const struct rmr_clt_req *req)
{
	struct rmr_clt_req *w;

	list_for_each_entry(w, &pool->waiting, queue) {
		if (w == req)
			return false;
		if (w->offset <= req->last && req->offset <= w->last)
			return true;
	}
	return false;
}

/* What the messages of a request carry. Caller: pool->lock. */
static void stamp(struct rmr_clt_pool *pool, struct rmr_clt_req *req)
{
	struct rmr_clt_req *first;

	first = list_first_entry_or_null(&pool->writes, struct rmr_clt_req, entry);
	req->below = first ? first->seq : pool->next_seq;
	req->epoch = pool->epoch_le;
	req->view = pool->view_le;
}

/*
 * May the request start now? If so a write takes its number and its range. Requests that wait go
 * first, so that a stream of overlapping ones starves nobody. Caller: pool->lock.
 */
static bool admit(struct rmr_clt_pool *pool, struct rmr_clt_req *req)
{
	lockdep_assert_held(&pool->lock);
	if (!req->ranged && req->op != RMR_OP_FLUSH) {
		if (range_iter_first(&pool->ranges, req->offset, req->last) ||
		    overlaps_waiting(pool, req))
			return false;
		if (op_changes_data(req->op)) {
			req->seq = pool->next_seq++;
			req->ranged = true;
			range_insert(req, &pool->ranges);
			list_add_tail(&req->entry, &pool->writes);
		}
	}
	stamp(pool, req);
	return true;
}

static void finish(struct rmr_clt_req *req, int status)
{
	struct rmr_clt_pool *pool = req->pool;
	unsigned long flags;

	spin_lock_irqsave(&pool->lock, flags);
	if (req->ranged) {
		range_remove(req, &pool->ranges);
		list_del_init(&req->entry);
		req->ranged = false;
		if (!list_empty(&pool->waiting))
			queue_work(rmr_clt_wq, &pool->kick);
	}
	if (status)
		this_cpu_inc(pool->stats->errors);
	WRITE_ONCE(pool->inflight, pool->inflight - 1);
	if (!pool->inflight)
		wake_up(&pool->idle);
	spin_unlock_irqrestore(&pool->lock, flags);
	/* The pool may be gone from here on. */
	req->done(req, status);
}

/* ---- sending ---- */

/* Caller: rcu_read_lock. */
static void put_permit(struct rmr_clt_sess *sess, void *permit)
{
	sess->conn.tp->put_permit(sess->conn.sess, permit);
	/* Pairs with the list_add in leg_send(): either it gets the permit or we see it wait. */
	smp_mb();
	if (!list_empty_careful(&sess->waiters))
		queue_work(rmr_clt_wq, &sess->waiters_work);
}

static void fill_msg(struct rmr_clt_leg *leg, const struct rmr_clt_req *req,
		     struct rmr_msg_io *msg)
{
	memset(msg, 0, sizeof(*msg));
	rmr_msg_init(&msg->hdr, RMR_MSG_IO, leg->handle);
	msg->epoch = req->epoch;
	msg->view = req->view;
	msg->seq = op_changes_data(req->op) ? cpu_to_le64(req->seq) : 0;
	msg->completed_below = cpu_to_le64(req->below);
	msg->offset = cpu_to_le64(req->offset);
	msg->length = cpu_to_le32(req->length);
	msg->op = req->op;
	msg->flags = cpu_to_le16(req->flags);
}

/* Sends one leg's part; it has its permit. */
void rmr_clt_transmit(struct rmr_clt_leg_req *lr)
{
	struct rmr_clt_req *req = lr->req;
	struct rmr_clt_leg *leg = &req->pool->leg[lr - req->leg];
	struct rmr_clt_sess *sess = lr->sess;
	struct rmr_msg_io msg;
	struct rmr_tp_req tp = {
		.write = req->op != RMR_OP_READ,
		.msg = &msg, .msg_len = sizeof(msg),
		.done = rmr_clt_leg_done, .priv = lr,
	};
	unsigned int i;
	int err;

	fill_msg(leg, req, &msg);
	if (req->nents) {
		tp.len = req->length;
		tp.sg_cnt = req->nents;
		tp.sg = req->sgl;
		/* Each leg maps its list for its own device; only one may use the request's. */
		if (lr->sgl && op_changes_data(req->op)) {
			sg_init_table(lr->sgl, req->nents);
			for (i = 0; i < req->nents; i++)
				sg_set_page(&lr->sgl[i], sg_page(&req->sgl[i]),
					    req->sgl[i].length, req->sgl[i].offset);
			tp.sg = lr->sgl;
		}
	}
	lr->sent_ns = ktime_get_ns();
	err = sess->conn.tp->request(sess->conn.sess, lr->permit, &tp);
	if (err)
		rmr_clt_leg_done(lr, err);
}

/* Gets a permit or waits for one without blocking. */
static void leg_send(struct rmr_clt_req *req, unsigned int slot)
{
	struct rmr_clt_leg_req *lr = &req->leg[slot];
	struct rmr_clt_leg *leg = &req->pool->leg[slot];
	struct rmr_clt_sess *sess;
	unsigned long flags;

	atomic_inc(&leg->inflight);
	lr->permit = NULL;
	rcu_read_lock();
	sess = rcu_dereference(leg->sess);
	lr->sess = sess;
	if (!sess) {
		rcu_read_unlock();
		rmr_clt_leg_done(lr, -ECONNABORTED);
		return;
	}
	if (list_empty_careful(&sess->waiters))
		lr->permit = sess->conn.tp->get_permit(sess->conn.sess, false);
	if (!lr->permit) {
		spin_lock_irqsave(&sess->waiters_lock, flags);
		list_add_tail(&lr->entry, &sess->waiters);
		spin_unlock_irqrestore(&sess->waiters_lock, flags);
		/* A permit may have come back before it could see us wait. */
		queue_work(rmr_clt_wq, &sess->waiters_work);
	} else {
		rmr_clt_transmit(lr);
	}
	rcu_read_unlock();
}

/* ---- choice of the read leg ---- */

/*
 * Load times latency. The average of a leg that is passed over decays, so that one slow answer
 * does not keep it out for ever.
 */
static int choose_read_leg(struct rmr_clt_pool *pool, u8 tried)
{
	unsigned int i, slot, first = READ_ONCE(pool->rr);
	u64 cost, best_cost = 0;
	int best = -1;

	WRITE_ONCE(pool->rr, first + 1);
	for (i = 0; i < pool->nr_legs; i++) {
		struct rmr_clt_leg *leg;
		u64 lat;

		slot = (first + i) % pool->nr_legs;
		leg = &pool->leg[slot];
		if ((tried & BIT(slot)) || READ_ONCE(leg->state) != RMR_LEG_STATE_UP_TO_DATE)
			continue;
		lat = READ_ONCE(leg->latency_ns);
		cost = (atomic_read(&leg->inflight) + 1) * (lat | 1);
		if (best < 0 || cost < best_cost) {
			best = slot;
			best_cost = cost;
		}
		WRITE_ONCE(leg->latency_ns, lat - (lat >> 6));
	}
	return best;
}

static void hold(struct rmr_clt_req *req);

/* Sends an admitted request. It may be over before this returns. */
static void start(struct rmr_clt_req *req)
{
	struct rmr_clt_pool *pool = req->pool;
	unsigned int i, n = pool->nr_legs;
	int slot;

	if (req->op == RMR_OP_READ) {
		slot = choose_read_leg(pool, req->tried);
		if (slot < 0) {
			hold(req);
			return;
		}
		req->sent = BIT(slot);
		atomic_set(&req->pending, 1);
		leg_send(req, slot);
		return;
	}
	req->sent = GENMASK(n - 1, 0);
	atomic_set(&req->pending, n);
	for (i = 0; i < n; i++)
		leg_send(req, i);
}

/* ---- suspend, hold, resume ---- */

static const char * const leg_state_names[] = {
	[RMR_LEG_STATE_CONNECTING]	= "connecting",
	[RMR_LEG_STATE_UP_TO_DATE]	= "up-to-date",
	[RMR_LEG_STATE_FAILED]		= "failed",
};

/* A leg cannot be used: the pool is suspended until recovery has made all legs work. */
void rmr_clt_leg_failed(struct rmr_clt_leg *leg, u8 reason)
{
	struct rmr_clt_pool *pool = leg->pool;
	unsigned long flags;
	bool first = false;

	spin_lock_irqsave(&pool->lock, flags);
	if (!leg->failed) {
		first = true;
		leg->failed = true;
		leg->reason = reason;
		rmr_clt_info(pool, "leg %u: %s -> failed reason %u\n", leg->id,
			     leg_state_names[leg->state], reason);
		WRITE_ONCE(leg->state, RMR_LEG_STATE_FAILED);
	}
	if (pool->state == RMR_DEVICE_STATE_LIVE) {
		WRITE_ONCE(pool->state, RMR_DEVICE_STATE_SUSPENDED);
		pool->reason = reason;
	}
	spin_unlock_irqrestore(&pool->lock, flags);
	if (first)
		mod_delayed_work(rmr_clt_recover_wq, &pool->recover, 0);
}

/* Keeps a request until the pool is live again. Its range stays taken. */
static void hold(struct rmr_clt_req *req)
{
	struct rmr_clt_pool *pool = req->pool;
	unsigned long flags;
	bool aborted, live;

	spin_lock_irqsave(&pool->lock, flags);
	aborted = pool->aborted;
	live = pool->state == RMR_DEVICE_STATE_LIVE;
	if (!aborted) {
		req->tried = 0;
		list_add_tail(&req->queue, &pool->held);
	}
	spin_unlock_irqrestore(&pool->lock, flags);
	if (aborted)
		finish(req, -EIO);
	else if (live)
		/* Resumed in between: nobody else would look at the list again. */
		queue_work(rmr_clt_wq, &pool->kick);
}

static u8 status_reason(int status)
{
	if (status == RMR_ST_FENCED)
		return RMR_REASON_FENCED;
	if (status == -ETIMEDOUT)
		return RMR_REASON_TIMEOUT;
	if (status == RMR_ST_MALFORMED || status == RMR_ST_VERSION)
		return RMR_REASON_REFUSED;
	return status_is_link(status) ? RMR_REASON_LINK_LOST : RMR_REASON_IO_ERROR;
}

static void read_done(struct rmr_clt_req *req, unsigned int slot, int status)
{
	struct rmr_clt_pool *pool = req->pool;
	u8 all = GENMASK(pool->nr_legs - 1, 0);

	if (!status) {
		finish(req, 0);
		return;
	}
	req->tried |= BIT(slot);
	if (status_is_link(status)) {
		rmr_clt_leg_failed(&pool->leg[slot], status_reason(status));
		hold(req);
	} else if (req->tried != all) {
		start(req);
	} else {
		finish(req, -EIO);
	}
}

static void write_done(struct rmr_clt_req *req)
{
	struct rmr_clt_pool *pool = req->pool;
	bool failed = false;
	unsigned int i;

	for (i = 0; i < pool->nr_legs; i++) {
		int status = req->leg[i].status;

		if (status) {
			failed = true;
			rmr_clt_leg_failed(&pool->leg[i], status_reason(status));
		}
	}
	if (failed)
		hold(req);
	else
		finish(req, 0);
}

static void update_latency(struct rmr_clt_leg *leg, u64 sent_ns)
{
	u64 took = ktime_get_ns() - sent_ns, old = READ_ONCE(leg->latency_ns);

	WRITE_ONCE(leg->latency_ns, old ? old - (old >> 3) + (took >> 3) : took);
}

/* One leg has answered, or will not. */
void rmr_clt_leg_done(void *priv, int status)
{
	struct rmr_clt_leg_req *lr = priv;
	struct rmr_clt_req *req = lr->req;
	unsigned int slot = lr - req->leg;
	struct rmr_clt_leg *leg = &req->pool->leg[slot];

	if (lr->permit) {
		rcu_read_lock();
		put_permit(lr->sess, lr->permit);
		rcu_read_unlock();
	}
	atomic_dec(&leg->inflight);
	if (!status) {
		update_latency(leg, lr->sent_ns);
		count(leg->stats, req);
	} else {
		this_cpu_inc(leg->stats->errors);
	}
	lr->status = status;
	if (!atomic_dec_and_test(&req->pending))
		return;
	if (req->op == RMR_OP_READ)
		read_done(req, slot, status);
	else
		write_done(req);
}

/* ---- entry points ---- */

void rmr_clt_submit(struct rmr_clt_pool *pool, struct rmr_clt_req *req)
{
	enum { START, WAIT, FAIL } what = START;
	unsigned long flags;

	req->pool = pool;
	req->last = req->offset + max(req->length, 1u) - 1;
	req->tried = 0;
	req->ranged = false;
	count(pool->stats, req);
	spin_lock_irqsave(&pool->lock, flags);
	pool->inflight++;
	if (pool->aborted) {
		what = FAIL;
	} else if (pool->state != RMR_DEVICE_STATE_LIVE) {
		list_add_tail(&req->queue, &pool->held);
		what = WAIT;
	} else if (!admit(pool, req)) {
		list_add_tail(&req->queue, &pool->waiting);
		pool->held_total++;
		what = WAIT;
	}
	spin_unlock_irqrestore(&pool->lock, flags);
	if (what == START)
		start(req);
	else if (what == FAIL)
		finish(req, -EIO);
}
EXPORT_SYMBOL_GPL(rmr_clt_submit);

/* Starts what can start of the held and waiting requests. */
static void kick_work(struct work_struct *work)
{
	struct rmr_clt_pool *pool = container_of(work, struct rmr_clt_pool, kick);
	struct rmr_clt_req *req, *next;
	LIST_HEAD(ready);

	spin_lock_irq(&pool->lock);
	if (pool->state == RMR_DEVICE_STATE_LIVE) {
		list_for_each_entry_safe(req, next, &pool->held, queue) {
			if (admit(pool, req))
				list_move_tail(&req->queue, &ready);
			else
				list_move_tail(&req->queue, &pool->waiting);
		}
		list_for_each_entry_safe(req, next, &pool->waiting, queue)
			if (admit(pool, req))
				list_move_tail(&req->queue, &ready);
	}
	spin_unlock_irq(&pool->lock);
	while ((req = list_first_entry_or_null(&ready, struct rmr_clt_req, queue))) {
		list_del_init(&req->queue);
		start(req);
	}
}

/* The pool is live under pool->epoch and pool->view. Caller: pool->ctl_lock. */
void rmr_clt_resume(struct rmr_clt_pool *pool)
{
	spin_lock_irq(&pool->lock);
	rmr_epoch_put(&pool->epoch_le, &pool->epoch);
	pool->view_le = cpu_to_le64(pool->view.number);
	WRITE_ONCE(pool->state, RMR_DEVICE_STATE_LIVE);
	pool->reason = RMR_REASON_NONE;
	spin_unlock_irq(&pool->lock);
	queue_work(rmr_clt_wq, &pool->kick);
}

/* Fails whatever waits; what is under way fails when its legs answer. */
void rmr_clt_fail_queued(struct rmr_clt_pool *pool)
{
	struct rmr_clt_req *req;
	LIST_HEAD(failed);

	spin_lock_irq(&pool->lock);
	pool->aborted = true;
	list_splice_init(&pool->held, &failed);
	list_splice_tail_init(&pool->waiting, &failed);
	spin_unlock_irq(&pool->lock);
	while ((req = list_first_entry_or_null(&failed, struct rmr_clt_req, queue))) {
		list_del_init(&req->queue);
		finish(req, -EIO);
	}
}

void rmr_clt_io_init(struct rmr_clt_pool *pool)
{
	spin_lock_init(&pool->lock);
	pool->ranges = RB_ROOT_CACHED;
	INIT_LIST_HEAD(&pool->writes);
	INIT_LIST_HEAD(&pool->waiting);
	INIT_LIST_HEAD(&pool->held);
	init_waitqueue_head(&pool->idle);
	INIT_WORK(&pool->kick, kick_work);
	pool->next_seq = 1;
}

size_t rmr_clt_req_size(struct rmr_clt_pool *pool)
{
	const struct rmr_clt_req *req = NULL;

	return struct_size(req, leg, pool->nr_legs) +
	       (pool->nr_legs - 1) * pool->limits.max_segments * sizeof(struct scatterlist);
}
EXPORT_SYMBOL_GPL(rmr_clt_req_size);

void rmr_clt_req_init(struct rmr_clt_pool *pool, struct rmr_clt_req *req)
{
	struct scatterlist *sgl = (void *)&req->leg[pool->nr_legs];
	unsigned int i;

	memset(req, 0, struct_size(req, leg, pool->nr_legs));
	INIT_LIST_HEAD(&req->entry);
	INIT_LIST_HEAD(&req->queue);
	for (i = 0; i < pool->nr_legs; i++) {
		req->leg[i].req = req;
		req->leg[i].member = pool->leg[i].id;
		INIT_LIST_HEAD(&req->leg[i].entry);
		if (i)
			req->leg[i].sgl = sgl + (i - 1) * pool->limits.max_segments;
	}
}
EXPORT_SYMBOL_GPL(rmr_clt_req_init);
