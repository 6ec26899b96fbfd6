// SPDX-License-Identifier: GPL-2.0-only
/*
 * Transport "loop": carries messages inside one kernel, for tests without RDMA. Several storage
 * nodes may live in the kernel; the address a session asks for tells them apart.
 *
 * A session owns a fixed set of slots, each with room for a message and its data; a slot is the
 * permit and the operation at once. Data is copied, so both sides see what a wire would show.
 *
 * Locks: loop_lock (mutex) guards the listener and the list of sessions; sess->lock (spinlock)
 * guards the free slots, the state and the count of running requests. respond() and put_permit()
 * may be called from any context; requests are delivered from a workqueue.
 */
#include <linux/bitmap.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <rmr/transport.h>
#include <rmr/wire.h>

#define LOOP_DEPTH	64
#define LOOP_MAX_IO	(128 * 1024)
#define LOOP_SEGMENTS	128

struct loop_sess;

struct loop_slot {
	struct loop_sess	*sess;
	struct work_struct	work;
	struct rmr_tp_req	req;
	void			*data;
	u8			msg[RMR_MSG_MAX];
};

struct loop_sess {
	struct list_head	entry;
	spinlock_t		lock;		/* guards used, running, dead */
	wait_queue_head_t	wait;
	DECLARE_BITMAP(used, LOOP_DEPTH);
	unsigned int		running;
	bool			dead;
	void			*upper_priv;
	void			(*lost)(void *priv);
	void			*lost_priv;
	struct work_struct	lost_work;
	struct loop_slot	slot[LOOP_DEPTH];
};

static DEFINE_MUTEX(loop_lock);
static LIST_HEAD(loop_sessions);
static const struct rmr_tp_srv_ops *loop_upper;
static struct workqueue_struct *loop_wq;

static void loop_deliver(struct work_struct *work)
{
	struct loop_slot *slot = container_of(work, struct loop_slot, work);
	struct rmr_tp_req *req = &slot->req;

	loop_upper->request(slot->sess->upper_priv, slot, slot->msg, req->msg_len, slot->data,
			    req->len);
}

static void loop_lost(struct work_struct *work)
{
	struct loop_sess *sess = container_of(work, struct loop_sess, lost_work);

	sess->lost(sess->lost_priv);
}

static void loop_free(struct loop_sess *sess)
{
	unsigned int i;

	for (i = 0; i < LOOP_DEPTH; i++)
		kvfree(sess->slot[i].data);
	kvfree(sess);
}

static struct loop_sess *loop_alloc(const struct rmr_tp_open *open)
{
	struct loop_sess *sess = kvzalloc(sizeof(*sess), GFP_KERNEL);
	unsigned int i;

	if (!sess)
		return NULL;
	spin_lock_init(&sess->lock);
	init_waitqueue_head(&sess->wait);
	sess->lost = open->lost;
	sess->lost_priv = open->priv;
	INIT_WORK(&sess->lost_work, loop_lost);
	for (i = 0; i < LOOP_DEPTH; i++) {
		sess->slot[i].sess = sess;
		INIT_WORK(&sess->slot[i].work, loop_deliver);
		/* Stores want contiguous memory, so no fallback to vmalloc. */
		sess->slot[i].data = kmalloc(LOOP_MAX_IO, GFP_KERNEL);
		if (!sess->slot[i].data) {
			loop_free(sess);
			return NULL;
		}
	}
	return sess;
}

static void *loop_open(const struct rmr_tp_open *open)
{
	struct loop_sess *sess;
	void *priv;

	sess = loop_alloc(open);
	if (!sess)
		return ERR_PTR(-ENOMEM);
	mutex_lock(&loop_lock);
	priv = loop_upper ? loop_upper->connected(sess, open->addr) : ERR_PTR(-ECONNREFUSED);
	if (!IS_ERR(priv)) {
		sess->upper_priv = priv;
		list_add_tail(&sess->entry, &loop_sessions);
	}
	mutex_unlock(&loop_lock);
	if (IS_ERR(priv)) {
		loop_free(sess);
		return priv;
	}
	return sess;
}

/* No new request starts; waits for the running ones; tells the server. Caller: loop_lock. */
static void loop_disconnect(struct loop_sess *sess)
{
	lockdep_assert_held(&loop_lock);
	spin_lock_irq(&sess->lock);
	sess->dead = true;
	spin_unlock_irq(&sess->lock);
	wait_event(sess->wait, !READ_ONCE(sess->running));
	if (sess->upper_priv) {
		loop_upper->disconnected(sess->upper_priv);
		sess->upper_priv = NULL;
		list_del(&sess->entry);
	}
}

static void loop_close(void *priv)
{
	struct loop_sess *sess = priv;

	mutex_lock(&loop_lock);
	loop_disconnect(sess);
	mutex_unlock(&loop_lock);
	cancel_work_sync(&sess->lost_work);
	/* The last respond() may still hold the lock it dropped running under. */
	spin_lock_irq(&sess->lock);
	spin_unlock_irq(&sess->lock);
	loop_free(sess);
}

static int loop_query(void *priv, struct rmr_tp_attrs *attrs)
{
	attrs->max_io = LOOP_MAX_IO;
	attrs->queue_depth = LOOP_DEPTH;
	attrs->max_segments = LOOP_SEGMENTS;
	return 0;
}

static void *loop_try_permit(struct loop_sess *sess)
{
	unsigned long flags;
	unsigned int i;

	spin_lock_irqsave(&sess->lock, flags);
	i = find_first_zero_bit(sess->used, LOOP_DEPTH);
	if (i < LOOP_DEPTH)
		__set_bit(i, sess->used);
	spin_unlock_irqrestore(&sess->lock, flags);
	return i < LOOP_DEPTH ? &sess->slot[i] : NULL;
}

static void *loop_get_permit(void *priv, bool wait)
{
	struct loop_sess *sess = priv;
	void *permit = loop_try_permit(sess);

	if (!permit && wait)
		wait_event(sess->wait, (permit = loop_try_permit(sess)));
	return permit;
}

static void loop_put_permit(void *priv, void *permit)
{
	struct loop_sess *sess = priv;
	struct loop_slot *slot = permit;
	unsigned long flags;

	spin_lock_irqsave(&sess->lock, flags);
	__clear_bit(slot - sess->slot, sess->used);
	wake_up(&sess->wait);
	spin_unlock_irqrestore(&sess->lock, flags);
}

static int loop_request(void *priv, void *permit, const struct rmr_tp_req *req)
{
	struct loop_sess *sess = priv;
	struct loop_slot *slot = permit;
	unsigned long flags;
	bool dead;

	if (req->msg_len > RMR_MSG_MAX || req->len > LOOP_MAX_IO)
		return -EMSGSIZE;
	spin_lock_irqsave(&sess->lock, flags);
	dead = sess->dead;
	if (!dead)
		WRITE_ONCE(sess->running, sess->running + 1);
	spin_unlock_irqrestore(&sess->lock, flags);
	if (dead)
		return -ECONNABORTED;
	slot->req = *req;
	memcpy(slot->msg, req->msg, req->msg_len);
	if (req->write && req->len)
		sg_copy_to_buffer(req->sg, req->sg_cnt, slot->data, req->len);
	queue_work(loop_wq, &slot->work);
	return 0;
}

static void loop_respond(void *op, int status)
{
	struct loop_slot *slot = op;
	struct loop_sess *sess = slot->sess;
	struct rmr_tp_req *req = &slot->req;
	unsigned long flags;

	if (!status && !req->write && req->len)
		sg_copy_from_buffer(req->sg, req->sg_cnt, slot->data, req->len);
	req->done(req->priv, status);
	spin_lock_irqsave(&sess->lock, flags);
	WRITE_ONCE(sess->running, sess->running - 1);
	if (!sess->running)
		wake_up(&sess->wait);
	spin_unlock_irqrestore(&sess->lock, flags);
}

static int loop_listen(u16 port, const struct rmr_tp_srv_ops *ops)
{
	int err = 0;

	mutex_lock(&loop_lock);
	if (loop_upper)
		err = -EADDRINUSE;
	else
		loop_upper = ops;
	mutex_unlock(&loop_lock);
	return err;
}

static void loop_unlisten(void)
{
	struct loop_sess *sess, *next;

	mutex_lock(&loop_lock);
	list_for_each_entry_safe(sess, next, &loop_sessions, entry) {
		loop_disconnect(sess);
		schedule_work(&sess->lost_work);
	}
	loop_upper = NULL;
	mutex_unlock(&loop_lock);
}

static struct rmr_transport_clt loop_clt = {
	.name		= "loop",
	.owner		= THIS_MODULE,
	.open		= loop_open,
	.close		= loop_close,
	.query		= loop_query,
	.get_permit	= loop_get_permit,
	.put_permit	= loop_put_permit,
	.request	= loop_request,
};

static struct rmr_transport_srv loop_srv = {
	.name		= "loop",
	.owner		= THIS_MODULE,
	.listen		= loop_listen,
	.unlisten	= loop_unlisten,
	.respond	= loop_respond,
};

static int __init rmr_loop_init(void)
{
	loop_wq = alloc_workqueue("rmr_loop", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (!loop_wq)
		return -ENOMEM;
	rmr_transport_clt_register(&loop_clt);
	rmr_transport_srv_register(&loop_srv);
	return 0;
}

static void __exit rmr_loop_exit(void)
{
	rmr_transport_srv_unregister(&loop_srv);
	rmr_transport_clt_unregister(&loop_clt);
	destroy_workqueue(loop_wq);
}

module_init(rmr_loop_init);
module_exit(rmr_loop_exit);

MODULE_DESCRIPTION("Reliable multicast replication: loop transport for tests");
MODULE_LICENSE("GPL");
MODULE_ALIAS("rmr-transport-clt-loop");
MODULE_ALIAS("rmr-transport-srv-loop");
