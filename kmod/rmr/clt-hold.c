// SPDX-License-Identifier: GPL-2.0-only
/*
 * What becomes of requests when no leg can serve them, and of legs that do not answer: suspend,
 * resume, failing of what waits, deadlines.
 *
 * While the pool is suspended every request ends up in pool->held: new ones at once, those under
 * way when their legs have answered, which the end of the sessions makes sure of. Only then may
 * the pool be live again. What an older attachment has sent is sent again, with new numbers, if no
 * other client was live in between; else it might take effect twice, and fails (F_REPLAY).
 *
 * Locks: pool->lock. Process context.
 */
#include "clt-pri.h"

/* No leg of U is left. Caller: ctl_lock. */
void rmr_clt_suspend(struct rmr_clt_pool *pool, u8 reason)
{
	LIST_HEAD(done);

	spin_lock_irq(&pool->lock);
	WRITE_ONCE(pool->state, RMR_DEVICE_STATE_SUSPENDED);
	pool->reason = reason;
	pool->settled = false;
	pool->missed = 0;
	WRITE_ONCE(pool->sending, 0);
	WRITE_ONCE(pool->readable, 0);
	WRITE_ONCE(pool->lease_ns, 0);
	rmr_clt_repair_abandon(pool, &done);
	list_splice_tail_init(&pool->acks, &pool->held);
	list_splice_tail_init(&pool->bouncing, &pool->held);
	spin_unlock_irq(&pool->lock);
	rmr_clt_end_list(&done);
	pool->suspended_ns = ktime_get_ns();
	if (!pool->suspend_ms)
		rmr_clt_fail_queued(pool, false);
}

/* Is no request under way to a leg? */
bool rmr_clt_drained(struct rmr_clt_pool *pool)
{
	struct rmr_clt_req *req;
	bool drained = true;

	spin_lock_irq(&pool->lock);
	list_for_each_entry(req, &pool->writes, entry)
		drained = drained && !atomic_read(&req->pending) && !list_empty(&req->queue);
	list_for_each_entry(req, &pool->others, entry)
		drained = drained && !atomic_read(&req->pending) && !list_empty(&req->queue);
	spin_unlock_irq(&pool->lock);
	return drained;
}

/*
 * The pool is live under pool->epoch and its view; alone tells that no other client was live since
 * this one was. Caller: ctl_lock, and the pool is drained.
 */
void rmr_clt_resume(struct rmr_clt_pool *pool, bool alone)
{
	struct rmr_clt_req *req, *next;
	LIST_HEAD(done);

	spin_lock_irq(&pool->lock);
	pool->next_seq = 1;
	list_for_each_entry_safe(req, next, &pool->writes, entry) {
		if (alone) {
			req->seq = pool->next_seq++;
			req->low = req->seq;
			req->in_marks = false;
			continue;
		}
		list_del_init(&req->queue);
		rmr_clt_end_locked(req, -EIO, &done);
	}
	pool->failing = false;
	WRITE_ONCE(pool->state, RMR_DEVICE_STATE_LIVE);
	pool->reason = RMR_REASON_NONE;
	spin_unlock_irq(&pool->lock);
	rmr_clt_end_list(&done);
	rmr_clt_kick(pool);
}

/*
 * Fails whatever waits; what is under way fails when its legs have answered. For good: nothing is
 * served any more. Else I/O fails until the pool is live again.
 */
void rmr_clt_fail_queued(struct rmr_clt_pool *pool, bool for_good)
{
	struct rmr_clt_req *req;
	LIST_HEAD(failed);
	LIST_HEAD(done);

	spin_lock_irq(&pool->lock);
	if (for_good)
		pool->aborted = true;
	pool->failing = true;
	list_splice_init(&pool->held, &failed);
	list_splice_tail_init(&pool->waiting, &failed);
	list_splice_tail_init(&pool->acks, &failed);
	list_splice_tail_init(&pool->bouncing, &failed);
	while ((req = list_first_entry_or_null(&failed, struct rmr_clt_req, queue))) {
		list_del_init(&req->queue);
		rmr_clt_end_locked(req, -EIO, &done);
	}
	spin_unlock_irq(&pool->lock);
	rmr_clt_end_list(&done);
}

static void check_request(struct rmr_clt_pool *pool, struct rmr_clt_req *req, u64 before_ns)
{
	unsigned int i;

	for (i = 0; i < pool->nr_legs; i++) {
		struct rmr_clt_leg_req *lr = &req->leg[i];
		struct rmr_clt_sess *sess = READ_ONCE(lr->sess);
		u64 sent_ns = READ_ONCE(lr->sent_ns);

		if (sess && sent_ns && sent_ns < before_ns)
			rmr_clt_sess_kill(sess, RMR_REASON_TIMEOUT);
	}
}

/* Ends the sessions of legs that sit on a request longer than their deadline. */
void rmr_clt_check_stalls(struct rmr_clt_pool *pool)
{
	u64 before_ns = rmr_clt_stalled_before_ns(pool);
	struct rmr_clt_req *req;

	/* RCU: a request that is answered meanwhile may have let its session go. */
	rcu_read_lock();
	spin_lock_irq(&pool->lock);
	list_for_each_entry(req, &pool->writes, entry)
		check_request(pool, req, before_ns);
	list_for_each_entry(req, &pool->others, entry)
		check_request(pool, req, before_ns);
	spin_unlock_irq(&pool->lock);
	rcu_read_unlock();
}
