// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sessions of a client to storage nodes, one per node, shared by all pools with a leg there.
 *
 * Locks: sess_lock (spinlock, any context) guards the list and the counts of users;
 * sess->open_lock is held while the session is being opened, so that a dead node delays only
 * those who want it; sess->lock guards state, links and who waits for a permit.
 *
 * Sending: under RCU, after a look at sess->dead. Who finds no permit queues as a waiter; permits
 * are handed out in order of arrival, to data and control messages alike.
 *
 * End of a session: killed, from any context: off the list, dead set -> close_work: its links'
 * legs fail -> grace period (nobody is about to send) -> who waits for a permit fails -> transport
 * closed, which answers every request: from here on nothing touches request pages -> the last
 * reference frees it. Closing a dead node's session takes RTRS up to 30 s, but it answers the
 * requests at once; so nobody waits for close_work but the end of the module.
 */
#include <linux/slab.h>

#include "clt-pri.h"

static DEFINE_SPINLOCK(sess_lock);
static LIST_HEAD(sess_list);

static void sess_release(struct kref *ref)
{
	kfree_rcu(container_of(ref, struct rmr_clt_sess, ref), rcu);
}

/* ---- permits ---- */

static void sess_waiters_work(struct work_struct *work)
{
	struct rmr_clt_sess *sess = container_of(work, struct rmr_clt_sess, waiters_work);
	struct rmr_clt_waiter *waiter;
	unsigned long flags;
	void *permit;

	for (;;) {
		permit = NULL;
		rcu_read_lock();
		spin_lock_irqsave(&sess->lock, flags);
		waiter = list_first_entry_or_null(&sess->waiters, struct rmr_clt_waiter, entry);
		if (waiter && !sess->dead)
			permit = sess->conn.tp->get_permit(sess->conn.sess, false);
		if (permit)
			list_del_init(&waiter->entry);
		spin_unlock_irqrestore(&sess->lock, flags);
		if (permit)
			waiter->go(waiter, permit);
		rcu_read_unlock();
		if (!permit)
			return;
	}
}

/*
 * A permit; NULL: waiter->go() is called later, with NULL if the session ends; an error pointer if
 * it has ended. Caller: rcu_read_lock.
 */
void *rmr_clt_sess_permit(struct rmr_clt_sess *sess, struct rmr_clt_waiter *waiter)
{
	void *permit = NULL;
	unsigned long flags;

	if (READ_ONCE(sess->dead))
		return ERR_PTR(-ECONNABORTED);
	if (list_empty_careful(&sess->waiters))
		permit = sess->conn.tp->get_permit(sess->conn.sess, false);
	if (permit)
		return permit;
	spin_lock_irqsave(&sess->lock, flags);
	if (sess->dead)
		permit = ERR_PTR(-ECONNABORTED);
	else
		list_add_tail(&waiter->entry, &sess->waiters);
	spin_unlock_irqrestore(&sess->lock, flags);
	/* A permit may have come back before it could see us wait. */
	if (!permit)
		queue_work(rmr_clt_wq, &sess->waiters_work);
	return permit;
}

/* The session is not closed before the request that holds the permit was answered. */
void rmr_clt_sess_unpermit(struct rmr_clt_sess *sess, void *permit)
{
	rcu_read_lock();
	sess->conn.tp->put_permit(sess->conn.sess, permit);
	/* Pairs with the list_add in rmr_clt_sess_permit(): it gets it or we see it wait. */
	smp_mb();
	if (!list_empty_careful(&sess->waiters))
		queue_work(rmr_clt_wq, &sess->waiters_work);
	rcu_read_unlock();
}

static void sess_fail_waiters(struct rmr_clt_sess *sess)
{
	struct rmr_clt_waiter *waiter;
	unsigned long flags;

	for (;;) {
		spin_lock_irqsave(&sess->lock, flags);
		waiter = list_first_entry_or_null(&sess->waiters, struct rmr_clt_waiter, entry);
		if (waiter)
			list_del_init(&waiter->entry);
		spin_unlock_irqrestore(&sess->lock, flags);
		if (!waiter)
			return;
		waiter->go(waiter, NULL);
	}
}

/* ---- end ---- */

static void sess_fail_legs(struct rmr_clt_sess *sess)
{
	struct rmr_clt_link *link;
	unsigned long flags;

	for (;;) {
		spin_lock_irqsave(&sess->lock, flags);
		link = list_first_entry_or_null(&sess->links, struct rmr_clt_link, sess_entry);
		if (link)
			list_del_init(&link->sess_entry);
		spin_unlock_irqrestore(&sess->lock, flags);
		if (!link)
			return;
		rmr_clt_leg_failed(link->leg, link->gen, sess->reason);
		rmr_clt_link_put(link);
	}
}

static void sess_close_work(struct work_struct *work)
{
	struct rmr_clt_sess *sess = container_of(work, struct rmr_clt_sess, close_work);

	sess_fail_legs(sess);
	synchronize_rcu();
	sess_fail_waiters(sess);
	mutex_lock(&sess->open_lock);
	if (!sess->open_err)
		rmr_conn_close(&sess->conn);
	sess->open_err = -ECONNABORTED;
	mutex_unlock(&sess->open_lock);
	synchronize_rcu();
	cancel_work_sync(&sess->waiters_work);
	kref_put(&sess->ref, sess_release);
}

/*
 * Nothing is sent on the session any more; it is closed soon and every request on it answered. Any
 * context; the caller has a reference, or holds rcu_read_lock since it saw a request under way.
 */
void rmr_clt_sess_kill(struct rmr_clt_sess *sess, u8 reason)
{
	unsigned long flags;
	bool first;

	spin_lock_irqsave(&sess_lock, flags);
	spin_lock(&sess->lock);
	first = !sess->dead;
	if (first) {
		kref_get(&sess->ref);
		sess->reason = reason;
		WRITE_ONCE(sess->dead, true);
		list_del_init(&sess->entry);
	}
	spin_unlock(&sess->lock);
	spin_unlock_irqrestore(&sess_lock, flags);
	if (first)
		queue_work(rmr_clt_recover_wq, &sess->close_work);
}

/* The transport reports the loss of the link. Process context, before its close() returns. */
static void sess_lost(void *priv)
{
	rmr_clt_sess_kill(priv, RMR_REASON_LINK_LOST);
}

/* ---- get and put ---- */

static struct rmr_clt_sess *sess_find(const char *transport, const char *addr, u16 port)
{
	struct rmr_clt_sess *sess;

	lockdep_assert_held(&sess_lock);
	list_for_each_entry(sess, &sess_list, entry) {
		if (sess->port == port && !strcmp(sess->addr, addr) &&
		    !strcmp(sess->transport, transport))
			return sess;
	}
	return NULL;
}

static struct rmr_clt_sess *sess_new(const char *transport, const char *addr, u16 port)
{
	struct rmr_clt_sess *sess = kzalloc(sizeof(*sess), GFP_NOIO);

	if (!sess)
		return NULL;
	kref_init(&sess->ref);
	sess->open_err = 1;
	sess->port = port;
	strscpy(sess->addr, addr, sizeof(sess->addr));
	strscpy(sess->transport, transport, sizeof(sess->transport));
	mutex_init(&sess->open_lock);
	spin_lock_init(&sess->lock);
	INIT_LIST_HEAD(&sess->entry);
	INIT_LIST_HEAD(&sess->links);
	INIT_LIST_HEAD(&sess->waiters);
	INIT_WORK(&sess->waiters_work, sess_waiters_work);
	INIT_WORK(&sess->close_work, sess_close_work);
	return sess;
}

static struct rmr_clt_sess *sess_find_or_new(const char *transport, const char *addr, u16 port)
{
	struct rmr_clt_sess *fresh = sess_new(transport, addr, port), *sess;

	if (!fresh)
		return NULL;
	spin_lock_irq(&sess_lock);
	sess = sess_find(transport, addr, port);
	if (!sess) {
		sess = fresh;
		fresh = NULL;
		list_add_tail(&sess->entry, &sess_list);
	}
	sess->users++;
	kref_get(&sess->ref);
	spin_unlock_irq(&sess_lock);
	/* The list itself holds no reference: the creator's goes here, or the unused session. */
	kref_put(fresh ? &fresh->ref : &sess->ref, sess_release);
	return sess;
}

/* A connected session with a reference, or an error pointer. As slow as RTRS's connect. */
struct rmr_clt_sess *rmr_clt_sess_get(const char *transport, const char *addr, u16 port,
				      const char *node)
{
	struct rmr_clt_sess *sess = sess_find_or_new(transport, addr, port);
	int err;

	if (!sess)
		return ERR_PTR(-ENOMEM);
	mutex_lock(&sess->open_lock);
	if (sess->open_err == 1)
		sess->open_err = rmr_conn_open(&sess->conn, transport, addr, port, node,
					       sess_lost, sess);
	err = sess->open_err;
	mutex_unlock(&sess->open_lock);
	if (!err && READ_ONCE(sess->dead))
		err = -ECONNABORTED;
	if (!err)
		return sess;
	rmr_clt_sess_kill(sess, RMR_REASON_CONNECT);
	rmr_clt_sess_put(sess);
	return ERR_PTR(err);
}

/* Gives up a reference of rmr_clt_sess_get(); the last one has the session closed. */
void rmr_clt_sess_put(struct rmr_clt_sess *sess)
{
	unsigned long flags;
	bool last;

	spin_lock_irqsave(&sess_lock, flags);
	last = !--sess->users;
	/* Nobody may find a session that is about to be killed. */
	if (last)
		list_del_init(&sess->entry);
	spin_unlock_irqrestore(&sess_lock, flags);
	if (last)
		rmr_clt_sess_kill(sess, RMR_REASON_NONE);
	kref_put(&sess->ref, sess_release);
}
