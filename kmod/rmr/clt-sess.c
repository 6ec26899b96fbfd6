// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sessions of a client to storage nodes, one per node, shared by all pools with a leg there.
 *
 * Locks: sess_lock (mutex) guards the list and the counts; sess->open_lock is held while the
 * session is opened, so that a dead node delays only those who want it. Requests that find no
 * permit wait in sess->waiters and are sent from waiters_work.
 *
 * A lost session leaves the list at once, so that the next get opens a new one.
 *
 * End of a session: off its legs -> grace period (requests look it up under RCU) -> last put:
 * off the list -> fail who still waits for a permit -> close (answers every request) -> grace
 * period (an answer may still be looking at the waiters) -> cancel waiters_work -> free.
 */
#include <linux/slab.h>

#include "clt-pri.h"

static DEFINE_MUTEX(sess_lock);
static LIST_HEAD(sess_list);

static void sess_waiters_work(struct work_struct *work)
{
	struct rmr_clt_sess *sess = container_of(work, struct rmr_clt_sess, waiters_work);
	struct rmr_clt_leg_req *lr;
	unsigned long flags;
	void *permit;

	for (;;) {
		spin_lock_irqsave(&sess->waiters_lock, flags);
		lr = list_first_entry_or_null(&sess->waiters, struct rmr_clt_leg_req, entry);
		permit = lr ? sess->conn.tp->get_permit(sess->conn.sess, false) : NULL;
		if (permit)
			list_del_init(&lr->entry);
		spin_unlock_irqrestore(&sess->waiters_lock, flags);
		if (!permit)
			return;
		lr->permit = permit;
		rmr_clt_transmit(lr);
	}
}

/* The transport reports the loss of the link. Process context. */
static void sess_lost(void *priv)
{
	struct rmr_clt_sess *sess = priv;
	struct rmr_clt_leg *leg;
	unsigned long flags;

	mutex_lock(&sess_lock);
	WRITE_ONCE(sess->lost, true);
	list_del_init(&sess->entry);
	mutex_unlock(&sess_lock);
	spin_lock_irqsave(&sess->legs_lock, flags);
	list_for_each_entry(leg, &sess->legs, sess_entry)
		rmr_clt_leg_failed(leg, RMR_REASON_LINK_LOST);
	spin_unlock_irqrestore(&sess->legs_lock, flags);
}

static struct rmr_clt_sess *sess_find_or_new(const char *transport, const char *addr, u16 port)
{
	struct rmr_clt_sess *sess;

	lockdep_assert_held(&sess_lock);
	list_for_each_entry(sess, &sess_list, entry) {
		if (sess->port == port && !strcmp(sess->addr, addr) &&
		    !strcmp(sess->transport, transport)) {
			sess->users++;
			return sess;
		}
	}
	sess = kzalloc(sizeof(*sess), GFP_NOIO);
	if (!sess)
		return NULL;
	sess->users = 1;
	sess->open_err = 1;
	sess->port = port;
	strscpy(sess->addr, addr, sizeof(sess->addr));
	strscpy(sess->transport, transport, sizeof(sess->transport));
	mutex_init(&sess->open_lock);
	spin_lock_init(&sess->legs_lock);
	INIT_LIST_HEAD(&sess->legs);
	spin_lock_init(&sess->waiters_lock);
	INIT_LIST_HEAD(&sess->waiters);
	INIT_WORK(&sess->waiters_work, sess_waiters_work);
	list_add_tail(&sess->entry, &sess_list);
	return sess;
}

/* A connected session with a reference, or an error pointer. */
struct rmr_clt_sess *rmr_clt_sess_get(const char *transport, const char *addr, u16 port,
				      const char *node)
{
	struct rmr_clt_sess *sess;
	int err;

	mutex_lock(&sess_lock);
	sess = sess_find_or_new(transport, addr, port);
	mutex_unlock(&sess_lock);
	if (!sess)
		return ERR_PTR(-ENOMEM);
	mutex_lock(&sess->open_lock);
	if (sess->open_err == 1)
		sess->open_err = rmr_conn_open(&sess->conn, transport, addr, port, node,
					       sess_lost, sess);
	err = sess->open_err;
	mutex_unlock(&sess->open_lock);
	if (!err && READ_ONCE(sess->lost))
		err = -ECONNABORTED;
	if (!err)
		return sess;
	mutex_lock(&sess_lock);
	list_del_init(&sess->entry);
	mutex_unlock(&sess_lock);
	rmr_clt_sess_put(sess);
	return ERR_PTR(err);
}

static void sess_fail_waiters(struct rmr_clt_sess *sess)
{
	struct rmr_clt_leg_req *lr;
	unsigned long flags;

	for (;;) {
		spin_lock_irqsave(&sess->waiters_lock, flags);
		lr = list_first_entry_or_null(&sess->waiters, struct rmr_clt_leg_req, entry);
		if (lr)
			list_del_init(&lr->entry);
		spin_unlock_irqrestore(&sess->waiters_lock, flags);
		if (!lr)
			return;
		lr->permit = NULL;
		rmr_clt_leg_done(lr, -ECONNABORTED);
	}
}

void rmr_clt_sess_put(struct rmr_clt_sess *sess)
{
	bool last;

	mutex_lock(&sess_lock);
	last = !--sess->users;
	if (last)
		list_del_init(&sess->entry);
	mutex_unlock(&sess_lock);
	if (!last)
		return;
	if (!sess->open_err) {
		sess_fail_waiters(sess);
		rmr_conn_close(&sess->conn);
	}
	synchronize_rcu();
	cancel_work_sync(&sess->waiters_work);
	kfree(sess);
}

void rmr_clt_sess_add_leg(struct rmr_clt_sess *sess, struct rmr_clt_leg *leg)
{
	unsigned long flags;

	spin_lock_irqsave(&sess->legs_lock, flags);
	rcu_assign_pointer(leg->sess, sess);
	list_add_tail(&leg->sess_entry, &sess->legs);
	spin_unlock_irqrestore(&sess->legs_lock, flags);
}

/* Takes the leg off its session and gives up its reference. */
void rmr_clt_sess_del_leg(struct rmr_clt_leg *leg)
{
	struct rmr_clt_sess *sess;
	unsigned long flags;

	sess = rcu_dereference_protected(leg->sess, lockdep_is_held(&leg->pool->ctl_lock));
	if (!sess)
		return;
	spin_lock_irqsave(&sess->legs_lock, flags);
	list_del_init(&leg->sess_entry);
	spin_unlock_irqrestore(&sess->legs_lock, flags);
	RCU_INIT_POINTER(leg->sess, NULL);
	synchronize_rcu();
	rmr_clt_sess_put(sess);
}
