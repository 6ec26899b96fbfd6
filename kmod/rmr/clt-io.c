// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests of a client to the legs of a pool: order, fan-out, choice of the read leg, answers.
 * The hot path; allocates nothing.
 *
 * Of overlapping requests only the oldest runs, unless all are reads (F_WSER, F_RSER, F_RWSER), so
 * that all legs apply overlapping writes in one order and no read sees a write that is not
 * everywhere. A write goes to every sending leg at once. It ends when all have answered, if none
 * missed it and the view is settled; else it goes to pool->acks, and the controller ends it when
 * the view and the marks allow (R3.4). A read that a leg failed goes to the next leg; with no leg
 * to go to, or without lease, it is held until the controller starts it again. What another leg
 * could read is written back (clt-repair.c): a write that takes its number and its range, reads
 * under them, and is sent to the legs that failed alone (R4.4). A write whose data a leg found
 * harmed on the way is sent again to all, from a copy that nobody changes (R3.11).
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

static bool op_changes_data(u8 op)
{
	return op == RMR_OP_WRITE || op == RMR_OP_DISCARD || op == RMR_OP_WRITE_ZEROES;
}

/* What a leg is asked for now: a repair reads before it writes. */
static u8 op_now(const struct rmr_clt_req *req)
{
	return req->reading ? RMR_OP_READ : req->op;
}

static void count(struct rmr_io_stats __percpu *s, const struct rmr_clt_req *req)
{
	switch (op_now(req)) {
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

/* Does a started request stand in the way? */
static bool overlaps_running(struct rmr_clt_pool *pool, const struct rmr_clt_req *req)
{
	struct rmr_clt_req *r;

	for (r = range_iter_first(&pool->ranges, req->offset, req->last); r;
	     r = range_iter_next(r, req->offset, req->last))
		if (req->op != RMR_OP_READ || r->op != RMR_OP_READ)
			return true;
	return false;
}

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

/* What the messages of a request carry, and to whom they go. Caller: pool->lock. */
static void stamp(struct rmr_clt_pool *pool, struct rmr_clt_req *req)
{
	unsigned int i;

	req->below = rmr_clt_below(pool);
	req->epoch = pool->epoch_le;
	req->view = pool->view_le;
	req->miss = 0;
	req->marked = false;
	req->unreadable = false;
	req->bad = 0;
	req->refused = 0;
	for (i = 0; i < pool->nr_legs; i++)
		req->leg[i].gen = pool->leg[i].gen;
	if (op_now(req) == RMR_OP_READ)
		return;
	req->was_sent = true;
	req->sent = pool->sending;
	req->missing = op_changes_data(req->op) ? pool->voters.data & ~pool->sending : 0;
	atomic_set(&req->pending, hweight8(req->sent));
}

/*
 * May the request start now? If so a write takes its number, and it and a read their range.
 * Requests that wait go first, so that a stream of overlapping ones starves nobody. Caller:
 * pool->lock.
 */
static bool admit(struct rmr_clt_pool *pool, struct rmr_clt_req *req)
{
	lockdep_assert_held(&pool->lock);
	if (req->op == RMR_OP_FLUSH) {
		if (list_empty(&req->entry))
			list_add_tail(&req->entry, &pool->others);
	} else if (!req->ranged) {
		if (overlaps_running(pool, req) || overlaps_waiting(pool, req))
			return false;
		req->ranged = true;
		range_insert(req, &pool->ranges);
		if (op_changes_data(req->op)) {
			req->seq = pool->next_seq++;
			req->low = req->seq;
			list_add_tail(&req->entry, &pool->writes);
		} else {
			list_add_tail(&req->entry, &pool->others);
		}
	}
	stamp(pool, req);
	return true;
}

/* Ends a request: off the order, onto *done for rmr_clt_end_list(). Caller: pool->lock. */
void rmr_clt_end_locked(struct rmr_clt_req *req, int status, struct list_head *done)
{
	struct rmr_clt_pool *pool = req->pool;

	lockdep_assert_held(&pool->lock);
	req->status = status;
	if (req->bounce)
		rmr_clt_bounce_put(req);
	if (req->ranged) {
		range_remove(req, &pool->ranges);
		req->ranged = false;
		if (!list_empty(&pool->waiting))
			queue_work(rmr_clt_wq, &pool->kick);
	}
	list_del_init(&req->entry);
	list_add_tail(&req->queue, done);
	rmr_clt_stat_end(req);
	if (status && !req->repair)
		this_cpu_inc(pool->stats->errors);
	WRITE_ONCE(pool->inflight, pool->inflight - 1);
	if (!pool->inflight)
		wake_up(&pool->idle);
}

/* Tells the owners. The pool may be gone when this returns. */
void rmr_clt_end_list(struct list_head *done)
{
	struct rmr_clt_req *req;

	while ((req = list_first_entry_or_null(done, struct rmr_clt_req, queue))) {
		list_del_init(&req->queue);
		req->done(req, req->status);
	}
}

static void finish(struct rmr_clt_req *req, int status)
{
	struct rmr_clt_pool *pool = req->pool;
	unsigned long flags;
	LIST_HEAD(done);

	spin_lock_irqsave(&pool->lock, flags);
	rmr_clt_end_locked(req, status, &done);
	spin_unlock_irqrestore(&pool->lock, flags);
	rmr_clt_end_list(&done);
}

/* ---- sending ---- */

static void leg_done(void *priv, int status);

static void fill_msg(const struct rmr_clt_leg_req *lr, struct rmr_msg_io *msg)
{
	const struct rmr_clt_req *req = lr->req;
	u8 op = op_now(req);

	memset(msg, 0, sizeof(*msg));
	rmr_msg_init(&msg->hdr, RMR_MSG_IO, lr->handle);
	msg->epoch = req->epoch;
	msg->view = req->view;
	msg->seq = op_changes_data(op) ? cpu_to_le64(req->seq) : 0;
	msg->completed_below = cpu_to_le64(req->below);
	msg->offset = cpu_to_le64(req->offset);
	msg->length = cpu_to_le32(req->length);
	msg->op = op;
	msg->missing = op == RMR_OP_READ ? 0 : req->missing;
	msg->flags = cpu_to_le16(req->flags);
	if (op == RMR_OP_WRITE && req->pool->data_crc) {
		msg->flags |= cpu_to_le16(RMR_IO_F_CRC);
		msg->data_crc32c = cpu_to_le32(req->crc);
	}
}

/* Sends one leg's part; permit is NULL if the session has ended. */
static void transmit(struct rmr_clt_waiter *waiter, void *permit)
{
	struct rmr_clt_leg_req *lr = container_of(waiter, struct rmr_clt_leg_req, waiter);
	struct rmr_clt_req *req = lr->req;
	struct rmr_clt_sess *sess = lr->sess;
	struct rmr_msg_io msg;
	struct rmr_tp_req tp = {
		.write = op_now(req) != RMR_OP_READ,
		.msg = &msg, .msg_len = sizeof(msg),
		.done = leg_done, .priv = lr,
	};
	unsigned int i;
	int err;

	lr->permit = permit;
	if (!permit) {
		leg_done(lr, -ECONNABORTED);
		return;
	}
	fill_msg(lr, &msg);
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
	if (req->bounce) {
		tp.sg_cnt = 1;
		tp.sg = rmr_clt_bounce_sg(req, lr - req->leg);
	}
	err = sess->conn.tp->request(sess->conn.sess, permit, &tp);
	if (err)
		leg_done(lr, err);
}

/* Sends over the leg's link, unless it is another one than when the request was admitted. */
static void leg_send(struct rmr_clt_req *req, unsigned int slot)
{
	struct rmr_clt_leg_req *lr = &req->leg[slot];
	struct rmr_clt_leg *leg = &req->pool->leg[slot];
	struct rmr_clt_link *link;
	void *permit = NULL;

	atomic_inc(&leg->inflight);
	WRITE_ONCE(lr->sent_ns, ktime_get_ns());
	lr->permit = NULL;
	rcu_read_lock();
	link = rcu_dereference(leg->link);
	if (link && link->gen == lr->gen) {
		lr->handle = link->handle;
		lr->sess = link->sess;
		permit = rmr_clt_sess_permit(link->sess, &lr->waiter);
	} else {
		lr->sess = NULL;
		permit = ERR_PTR(-ECONNABORTED);
	}
	if (permit)
		transmit(&lr->waiter, IS_ERR(permit) ? NULL : permit);
	rcu_read_unlock();
}

/* ---- choice of the read leg ---- */

static int choose_read_leg(struct rmr_clt_pool *pool, u8 tried)
{
	u8 may = 0, readable = READ_ONCE(pool->readable) & ~tried;
	unsigned int i, first = READ_ONCE(pool->rr);
	u64 cost[RMR_MAX_MEMBERS] = {};
	int best;

	for (i = 0; i < pool->nr_legs; i++) {
		struct rmr_clt_leg *leg = &pool->leg[i];

		if (!(readable & BIT(leg->id)))
			continue;
		may |= BIT(i);
		cost[i] = rmr_read_cost(atomic_read(&leg->inflight), READ_ONCE(leg->latency_ns));
	}
	best = rmr_read_choose(cost, may, 0, first);
	/* Of legs that cost alike each gets its turn, however many slots between them are free. */
	WRITE_ONCE(pool->rr, best + 1);
	for (i = 0; i < pool->nr_legs; i++)
		if (i != best && (may & BIT(i)))
			WRITE_ONCE(pool->leg[i].latency_ns,
				   rmr_latency_forget(READ_ONCE(pool->leg[i].latency_ns)));
	return best;
}

/* Keeps a request until the controller starts it again. Its range stays taken. */
static void hold(struct rmr_clt_req *req)
{
	struct rmr_clt_pool *pool = req->pool;
	unsigned long flags;
	LIST_HEAD(done);

	req->answer_ns = 0;
	spin_lock_irqsave(&pool->lock, flags);
	if (pool->aborted || pool->failing) {
		rmr_clt_end_locked(req, -EIO, &done);
	} else {
		req->tried = 0;
		list_add_tail(&req->queue, &pool->held);
	}
	spin_unlock_irqrestore(&pool->lock, flags);
	rmr_clt_end_list(&done);
	/* The next tick looks at what is held, if nothing happens before. */
}

static void start_read(struct rmr_clt_req *req)
{
	int slot = choose_read_leg(req->pool, req->tried);

	if (slot >= 0) {
		req->sent = BIT(req->pool->leg[slot].id);
		atomic_set(&req->pending, 1);
		leg_send(req, slot);
	} else if (req->unreadable || req->repair) {
		finish(req, -EIO);
	} else {
		hold(req);
	}
}

/* Sends an admitted request. It may be over before this returns. */
static void start(struct rmr_clt_req *req)
{
	struct rmr_clt_pool *pool = req->pool;
	unsigned int i, n = pool->nr_legs;
	u8 sent = req->sent;

	if (op_now(req) == RMR_OP_READ) {
		start_read(req);
		return;
	}
	if (!sent) {
		hold(req);
		return;
	}
	if (req->op == RMR_OP_WRITE && pool->data_crc)
		req->crc = rmr_clt_crc(req);
	for (i = 0; i < n; i++)
		if (sent & BIT(pool->leg[i].id))
			leg_send(req, i);
}

/* ---- answers ---- */

/*
 * The leg's link is no good any more. The leg gets nothing from now on; its session is closed, so
 * that nothing can touch request pages; the controller makes a view without it. Any context.
 */
void rmr_clt_leg_failed(struct rmr_clt_leg *leg, u32 gen, u8 reason)
{
	struct rmr_clt_pool *pool = leg->pool;
	struct rmr_clt_link *link;
	unsigned long flags;
	bool first;

	rcu_read_lock();
	spin_lock_irqsave(&pool->lock, flags);
	link = rcu_dereference(leg->link);
	first = link && link->gen == gen && leg->gen == gen;
	if (first) {
		leg->gen++;
		leg->failed = true;
		leg->reason = reason;
		/* What is settled stays so if the leg was not active. */
		if (pool->sending & BIT(leg->id))
			pool->settled = false;
		WRITE_ONCE(pool->sending, pool->sending & ~BIT(leg->id));
		WRITE_ONCE(pool->readable, pool->readable & ~BIT(leg->id));
	}
	spin_unlock_irqrestore(&pool->lock, flags);
	if (first) {
		rmr_clt_sess_kill(link->sess, reason);
		rmr_clt_ctl_kick(pool);
	}
	rcu_read_unlock();
}

u8 rmr_clt_status_reason(int status)
{
	switch (status) {
	case RMR_ST_FENCED:
		return RMR_REASON_FENCED;
	case -ETIMEDOUT:
		return RMR_REASON_TIMEOUT;
	case RMR_ST_LEFT:
		return RMR_REASON_STORE_ERROR;
	case RMR_ST_HUNG:
		return RMR_REASON_TIMEOUT;
	case RMR_ST_REJOIN:
		return RMR_REASON_REPAIR;
	case RMR_ST_VERSION:
		return RMR_REASON_VERSION;
	case RMR_ST_MALFORMED:
	case RMR_ST_NOPOOL:
		return RMR_REASON_REFUSED;
	case -ECONNABORTED:
	case -ECONNRESET:
	case -ENOTCONN:
		return RMR_REASON_LINK_LOST;
	}
	return RMR_REASON_IO_ERROR;
}

/*
 * The data to write back is here, read under the range of the write (F_REPAIR). It goes to the legs
 * that failed and were there all the time; the others have it, so nobody misses anything.
 */
static void repair_write(struct rmr_clt_req *req)
{
	struct rmr_clt_pool *pool = req->pool;
	unsigned long flags;
	unsigned int i;
	u8 to = 0;

	spin_lock_irqsave(&pool->lock, flags);
	for (i = 0; i < pool->nr_legs; i++)
		if (pool->leg[i].gen == req->leg[i].gen)
			to |= BIT(pool->leg[i].id);
	to &= req->repair->to & pool->sending;
	if (pool->state != RMR_DEVICE_STATE_LIVE)
		to = 0;
	req->reading = false;
	req->was_sent = to;
	req->sent = to;
	req->missing = 0;
	atomic_set(&req->pending, hweight8(to));
	spin_unlock_irqrestore(&pool->lock, flags);
	if (to)
		start(req);
	else
		finish(req, -EIO);
}

/* A leg's store failed a read, and the member leaves it to the client what becomes of it. */
static void note_unreadable(struct rmr_clt_req *req, struct rmr_clt_leg *leg, int status)
{
	if (status == RMR_ST_STALE || rmr_clt_status_reason(status) != RMR_REASON_IO_ERROR)
		return;
	req->unreadable = true;
	atomic64_inc(&leg->read_errors);
	if (status != RMR_ST_PASSED_ON)
		req->bad |= BIT(leg->id);
}

static void read_done(struct rmr_clt_req *req, unsigned int slot, int status)
{
	struct rmr_clt_pool *pool = req->pool;

	if (status) {
		req->tried |= BIT(pool->leg[slot].id);
		note_unreadable(req, &pool->leg[slot], status);
		start(req);
	} else if (req->repair) {
		repair_write(req);
	} else if (ktime_get_ns() >= READ_ONCE(pool->lease_ns)) {
		hold(req);
	} else {
		/* The caller has its data at once; the repair is a request of its own. */
		if (req->bad)
			rmr_clt_repair_begin(req);
		finish(req, 0);
	}
}

/*
 * Some leg's data was harmed on its way, or changed while it was sent. The others may have stored
 * what it was before: so the write goes to all again, from a copy, with a new number, as the old
 * one is taken by those who have answered. What it missed so far stays missed. Until it ends,
 * every write from its first number on counts as under way, so that those keep it in their lists.
 */
static void resend(struct rmr_clt_req *req)
{
	struct rmr_clt_pool *pool = req->pool;
	bool begin = false;
	unsigned long flags;
	LIST_HEAD(done);
	u8 miss;

	req->answer_ns = 0;
	if (!rmr_clt_bounce(req))
		return;		/* it goes on when a copy is free again */
	spin_lock_irqsave(&pool->lock, flags);
	if (pool->aborted || pool->failing) {
		rmr_clt_end_locked(req, -EIO, &done);
	} else if (pool->state != RMR_DEVICE_STATE_LIVE) {
		list_add_tail(&req->queue, &pool->held);
	} else {
		miss = req->miss;
		req->resends++;
		req->seq = pool->next_seq++;
		stamp(pool, req);
		req->miss = miss;
		begin = true;
	}
	spin_unlock_irqrestore(&pool->lock, flags);
	if (begin)
		start(req);
	rmr_clt_end_list(&done);
}

/* Every leg has answered a write or flush. */
static void write_done(struct rmr_clt_req *req)
{
	struct rmr_clt_pool *pool = req->pool;
	bool wait = false;
	unsigned long flags;
	LIST_HEAD(done);

	/* A repair ends: the next read that fails begins anew. */
	if (req->refused && !req->repair) {
		resend(req);
		return;
	}
	spin_lock_irqsave(&pool->lock, flags);
	if (pool->aborted || pool->failing || req->refused ||
	    (req->repair && pool->state != RMR_DEVICE_STATE_LIVE)) {
		rmr_clt_end_locked(req, -EIO, &done);
	} else if (pool->state != RMR_DEVICE_STATE_LIVE) {
		req->answer_ns = 0;
		list_add_tail(&req->queue, &pool->held);
	} else if (!req->miss && pool->settled) {
		rmr_clt_end_locked(req, 0, &done);
	} else {
		req->answer_ns = 0;
		list_add_tail(&req->queue, &pool->acks);
		wait = true;
	}
	spin_unlock_irqrestore(&pool->lock, flags);
	if (wait)
		rmr_clt_ctl_kick(pool);
	rmr_clt_end_list(&done);
}

/* A leg did not apply a write: it missed it but lives on (R3.6), or it is lost. */
static void write_missed(struct rmr_clt_leg_req *lr, struct rmr_clt_leg *leg, int status)
{
	struct rmr_clt_req *req = lr->req;
	struct rmr_clt_pool *pool = leg->pool;
	unsigned long flags;

	if (status == RMR_ST_BAD_DATA) {
		atomic64_inc(&leg->bad_data);
		rmr_clt_warn(pool, "leg %u: data of a write arrived harmed\n", leg->id);
	}
	spin_lock_irqsave(&pool->lock, flags);
	if (status == RMR_ST_BAD_DATA && (req->resends < RMR_CLT_RESENDS || req->repair)) {
		req->refused |= BIT(leg->id);
		spin_unlock_irqrestore(&pool->lock, flags);
		return;
	}
	if (op_changes_data(req->op))
		req->miss |= BIT(leg->id);
	if (status == RMR_ST_MISSED && leg->gen == lr->gen) {
		pool->missed |= BIT(leg->id);
		pool->settled = false;
		WRITE_ONCE(pool->readable, pool->readable & ~BIT(leg->id));
	}
	spin_unlock_irqrestore(&pool->lock, flags);
	if (status != RMR_ST_MISSED || !op_changes_data(req->op))
		rmr_clt_leg_failed(leg, lr->gen, rmr_clt_status_reason(status));
}

/* One leg has answered, or will not. */
static void leg_done(void *priv, int status)
{
	struct rmr_clt_leg_req *lr = priv;
	struct rmr_clt_req *req = lr->req;
	unsigned int slot = lr - req->leg;
	struct rmr_clt_leg *leg = &req->pool->leg[slot];
	u64 sent_ns = lr->sent_ns, now = ktime_get_ns();

	WRITE_ONCE(lr->sent_ns, 0);
	if (lr->permit)
		rmr_clt_sess_unpermit(lr->sess, lr->permit);
	atomic_dec(&leg->inflight);
	if (!status) {
		WRITE_ONCE(leg->latency_ns, rmr_latency_note(READ_ONCE(leg->latency_ns),
							     now - sent_ns));
		count(leg->stats, req);
		rmr_hist_note(leg->hist, op_now(req), now - sent_ns);
	} else {
		this_cpu_inc(leg->stats->errors);
		if (op_now(req) != RMR_OP_READ)
			write_missed(lr, leg, status);
		else if (rmr_clt_status_reason(status) != RMR_REASON_IO_ERROR)
			rmr_clt_leg_failed(leg, lr->gen, rmr_clt_status_reason(status));
	}
	if (!atomic_dec_and_test(&req->pending))
		return;
	req->answer_ns = now;
	if (op_now(req) == RMR_OP_READ)
		read_done(req, slot, status);
	else
		write_done(req);
}

/* ---- entry points ---- */

/* A partition may end behind a pool that has shrunk. Caller: pool->lock. */
static bool behind_end(const struct rmr_clt_pool *pool, const struct rmr_clt_req *req)
{
	return req->length > pool->limits.size || req->offset > pool->limits.size - req->length;
}

void rmr_clt_submit(struct rmr_clt_pool *pool, struct rmr_clt_req *req)
{
	bool begin = false;
	unsigned long flags;
	LIST_HEAD(done);

	req->pool = pool;
	req->last = req->offset + max(req->length, 1u) - 1;
	req->tried = req->repair ? req->repair->to : 0;
	req->reading = req->repair;
	req->ranged = false;
	req->was_sent = false;
	req->in_marks = false;
	req->bounce = NULL;
	req->resends = 0;
	req->start_ns = ktime_get_ns();
	req->answer_ns = 0;
	atomic_set(&req->pending, 0);
	if (!req->repair)
		count(pool->stats, req);
	spin_lock_irqsave(&pool->lock, flags);
	pool->inflight++;
	if (pool->aborted || pool->failing || behind_end(pool, req) ||
	    (req->repair && (pool->no_repairs || pool->state != RMR_DEVICE_STATE_LIVE))) {
		rmr_clt_end_locked(req, -EIO, &done);
	} else if (pool->state != RMR_DEVICE_STATE_LIVE) {
		list_add_tail(&req->queue, &pool->held);
	} else if (!admit(pool, req)) {
		list_add_tail(&req->queue, &pool->waiting);
		pool->held_total++;
	} else {
		begin = true;
	}
	spin_unlock_irqrestore(&pool->lock, flags);
	if (begin)
		start(req);
	rmr_clt_end_list(&done);
}
EXPORT_SYMBOL_GPL(rmr_clt_submit);

/* Starts what can start of the held and waiting requests. */
static void kick_work(struct work_struct *work)
{
	struct rmr_clt_pool *pool = container_of(work, struct rmr_clt_pool, kick);
	struct rmr_clt_req *req, *next;
	LIST_HEAD(bounce);
	LIST_HEAD(ready);

	spin_lock_irq(&pool->lock);
	if (pool->state == RMR_DEVICE_STATE_LIVE) {
		list_splice_init(&pool->bouncing, &bounce);
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
	while ((req = list_first_entry_or_null(&bounce, struct rmr_clt_req, queue))) {
		list_del_init(&req->queue);
		resend(req);
	}
}

void rmr_clt_kick(struct rmr_clt_pool *pool)
{
	queue_work(rmr_clt_wq, &pool->kick);
}

void rmr_clt_io_init(struct rmr_clt_pool *pool)
{
	spin_lock_init(&pool->lock);
	pool->ranges = RB_ROOT_CACHED;
	INIT_LIST_HEAD(&pool->writes);
	INIT_LIST_HEAD(&pool->others);
	INIT_LIST_HEAD(&pool->waiting);
	INIT_LIST_HEAD(&pool->held);
	INIT_LIST_HEAD(&pool->acks);
	rmr_clt_bounce_init(pool);
	init_waitqueue_head(&pool->idle);
	INIT_WORK(&pool->kick, kick_work);
	rmr_clt_repair_init(pool);
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
		req->leg[i].waiter.go = transmit;
		INIT_LIST_HEAD(&req->leg[i].waiter.entry);
		if (i)
			req->leg[i].sgl = sgl + (i - 1) * pool->limits.max_segments;
	}
}
EXPORT_SYMBOL_GPL(rmr_clt_req_init);
