// SPDX-License-Identifier: GPL-2.0-only
/*
 * Links, and the control messages on them. A call is part of its link, so that sending one needs no
 * memory; its buffers stay until the transport has given them back, whatever became of the leg.
 *
 * Contexts: a call is sent from process context and answered in any. Answers wake pool->ctl_wait
 * and kick the controller.
 */
#include <linux/slab.h>

#include "clt-pri.h"

static void link_release(struct kref *ref)
{
	struct rmr_clt_link *link = container_of(ref, struct rmr_clt_link, ref);
	struct rmr_clt_pool *pool = link->leg->pool;

	kfree(link->table.rsp);
	kfree(link->alive.rsp);
	kfree(link->set_view.rsp);
	kfree(link->mark.rsp);
	kfree(link->step.rsp);
	kvfree(link->uncertain);
	kfree_rcu(link, rcu);
	/* The pool may be gone after this. */
	atomic_dec(&pool->links);
}

void rmr_clt_link_put(struct rmr_clt_link *link)
{
	kref_put(&link->ref, link_release);
}

static void call_finish(struct rmr_clt_call *call, int status)
{
	struct rmr_clt_link *link = call->link;
	struct rmr_clt_pool *pool = link->leg->pool;

	call->status = status;
	/* Pairs with the acquire of who reads the answer. */
	smp_store_release(&call->state, RMR_CALL_DONE);
	wake_up(&pool->ctl_wait);
	rmr_clt_ctl_kick(pool);
	rmr_clt_link_put(link);
}

static void call_answered(void *priv, int status)
{
	struct rmr_clt_call *call = priv;

	rmr_clt_sess_unpermit(call->link->sess, call->permit);
	call_finish(call, status);
}

static void call_go(struct rmr_clt_waiter *waiter, void *permit)
{
	struct rmr_clt_call *call = container_of(waiter, struct rmr_clt_call, waiter);
	struct rmr_clt_sess *sess = call->link->sess;
	struct rmr_tp_req req = {
		.msg = call->msg, .msg_len = call->len, .len = call->rsp_len,
		.done = call_answered, .priv = call,
	};
	int err;

	if (!permit) {
		call_finish(call, -ECONNABORTED);
		return;
	}
	call->permit = permit;
	if (call->rsp_len) {
		sg_init_one(&call->sg, call->rsp, call->rsp_len);
		req.sg = &call->sg;
		req.sg_cnt = 1;
	} else {
		req.write = true;
	}
	err = sess->conn.tp->request(sess->conn.sess, permit, &req);
	if (err)
		call_answered(call, err);
}

/* The zeroed message of an idle call, its header filled. */
void *rmr_clt_call_msg(struct rmr_clt_call *call, u16 type, size_t len, size_t rsp_len)
{
	if (WARN_ON(len > RMR_CALL_MSG || rsp_len > RMR_CALL_RSP))
		return NULL;
	memset(call->msg, 0, sizeof(call->msg));
	memset(call->rsp, 0, rsp_len);
	call->len = len;
	call->rsp_len = rsp_len;
	rmr_msg_init((struct rmr_msg_hdr *)call->msg, type, call->link->handle);
	return call->msg;
}

/* Sends what rmr_clt_call_msg() prepared. The call is DONE later, or at once. */
void rmr_clt_call_send(struct rmr_clt_call *call)
{
	void *permit;

	kref_get(&call->link->ref);
	call->sent_ns = ktime_get_ns();
	call->permit = NULL;
	WRITE_ONCE(call->state, RMR_CALL_SENT);
	rcu_read_lock();
	permit = rmr_clt_sess_permit(call->link->sess, &call->waiter);
	if (permit)
		call_go(&call->waiter, IS_ERR(permit) ? NULL : permit);
	rcu_read_unlock();
}

/* Waits for the answer: its status, or -ETIMEDOUT, and then the session is killed. */
int rmr_clt_call_wait(struct rmr_clt_call *call, unsigned int ms)
{
	struct rmr_clt_pool *pool = call->link->leg->pool;

	if (!wait_event_timeout(pool->ctl_wait,
				rmr_clt_call_state(call) == RMR_CALL_DONE,
				msecs_to_jiffies(ms))) {
		rmr_clt_sess_kill(call->link->sess, RMR_REASON_TIMEOUT);
		return -ETIMEDOUT;
	}
	call->state = RMR_CALL_IDLE;
	return call->status;
}

static bool call_init(struct rmr_clt_link *link, struct rmr_clt_call *call)
{
	call->link = link;
	call->waiter.go = call_go;
	INIT_LIST_HEAD(&call->waiter.entry);
	call->rsp = kzalloc(RMR_CALL_RSP, GFP_NOIO);
	return call->rsp;
}

/* A link of a leg over a session, whose reference it takes over; NULL without memory. */
struct rmr_clt_link *rmr_clt_link_new(struct rmr_clt_leg *leg, struct rmr_clt_sess *sess)
{
	struct rmr_clt_link *link = kzalloc(sizeof(*link), GFP_NOIO);
	bool ok;

	if (!link)
		return NULL;
	kref_init(&link->ref);
	atomic_inc(&leg->pool->links);
	link->leg = leg;
	link->sess = sess;
	link->handle = RMR_NO_HANDLE;
	INIT_LIST_HEAD(&link->sess_entry);
	ok = call_init(link, &link->table);
	ok = call_init(link, &link->alive) && ok;
	ok = call_init(link, &link->set_view) && ok;
	ok = call_init(link, &link->mark) && ok;
	ok = call_init(link, &link->step) && ok;
	if (!ok) {
		rmr_clt_link_put(link);
		return NULL;
	}
	spin_lock_irq(&leg->pool->lock);
	link->gen = leg->gen;
	spin_unlock_irq(&leg->pool->lock);
	spin_lock_irq(&sess->lock);
	if (!sess->dead) {
		kref_get(&link->ref);
		list_add_tail(&link->sess_entry, &sess->links);
	}
	spin_unlock_irq(&sess->lock);
	return link;
}

/* The link's user is done with it: off its session, references given up. */
void rmr_clt_link_drop(struct rmr_clt_link *link)
{
	struct rmr_clt_sess *sess = link->sess;
	bool listed;

	spin_lock_irq(&sess->lock);
	listed = !list_empty(&link->sess_entry);
	list_del_init(&link->sess_entry);
	spin_unlock_irq(&sess->lock);
	if (listed)
		rmr_clt_link_put(link);
	rmr_clt_sess_put(sess);
	rmr_clt_link_put(link);
}
