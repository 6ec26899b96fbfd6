// SPDX-License-Identifier: GPL-2.0-only
/*
 * Client half of transport "rtrs": sessions of the kernel's RTRS client, one path each. RTRS's own
 * reconnect is off: a session that lost its link is closed and a new one opened by the caller,
 * because after a loss the storage node decides anew what may be served.
 *
 * A connect of RTRS that fails half way, one of its connections made and the next refused, returns
 * only after 30 s: RTRS waits for the end of one that it has destroyed. A node that reboots runs
 * into this, because storage nodes refuse queue pair numbers of its previous life. So a connect
 * that takes long is left to itself and another one begun beside it; the first that succeeds
 * counts, the others are closed when they come.
 *
 * Contexts: request() and put_permit() from any, done() from softirq or RTRS's workqueue, lost()
 * from a work item of ours, since RTRS reports it from a context that may not close the session.
 * Connects run in open_wq. Locks: open->lock, then sess->lock; nothing sleeps under them.
 */
#include <linux/delay.h>
#include <linux/if_arp.h>
#include <linux/inet.h>
#include <linux/module.h>
#include <linux/refcount.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <net/arp.h>
#include <net/neighbour.h>
#include <net/net_namespace.h>
#include <net/route.h>

#include <rtrs.h>
#include <rmr/transport.h>

#define ATTEMPTS	6u	/* connects of one open() at once */
#define ATTEMPT_MS	1500u	/* before the next one begins */
#define OPEN_MS		20000u	/* for the last one */
#define NAME_LEN	64u

/* One open(): held by its caller and by each attempt. */
struct rtrs_open {
	refcount_t		ref;
	spinlock_t		lock;		/* what follows */
	wait_queue_head_t	wait;
	struct rtrs_sess	*sess;		/* the first that connected */
	unsigned int		running;
	int			err;		/* of an attempt that failed */
	bool			over;		/* nobody waits any more */
	struct sockaddr_storage	dst;
	u16			port;
};

struct rtrs_sess {
	struct rtrs_clt_sess	*rtrs;
	void			(*lost)(void *priv);
	void			*priv;
	struct work_struct	lost_work;
	spinlock_t		lock;		/* used, down */
	bool			used;		/* the caller of open() has it */
	bool			down;
	struct work_struct	open_work;
	struct rtrs_open	*open;		/* while it connects */
	char			name[NAME_LEN];
};

static struct workqueue_struct *open_wq;

static void rtrs_sess_lost_work(struct work_struct *work)
{
	struct rtrs_sess *sess = container_of(work, struct rtrs_sess, lost_work);

	sess->lost(sess->priv);
}

static void rtrs_sess_link_ev(void *priv, enum rtrs_clt_link_ev ev)
{
	struct rtrs_sess *sess = priv;
	unsigned long flags;

	if (ev != RTRS_CLT_LINK_EV_DISCONNECTED)
		return;
	spin_lock_irqsave(&sess->lock, flags);
	sess->down = true;
	if (sess->used)
		schedule_work(&sess->lost_work);
	spin_unlock_irqrestore(&sess->lock, flags);
}

/* A neighbour that cannot be asked, or that answered since. */
static bool neighbour_answers(struct neighbour *n, unsigned long since)
{
	u8 state = READ_ONCE(n->nud_state);

	if (state & (NUD_NOARP | NUD_PERMANENT))
		return true;
	return (state & NUD_VALID) && time_after_eq(READ_ONCE(n->confirmed), since);
}

/*
 * Makes the next hop known before RTRS asks for it, and sure that it is there now. The RDMA address
 * resolver sends the ARP request first and queues itself second; an answer in between is missed,
 * and RTRS then waits for its whole 30 s. And a request to connect that is sent while the cable is
 * out is repeated so rarely that the return of the cable goes unnoticed for many seconds, while the
 * neighbour table believes in the neighbour of old: so it is asked anew. IPv4 only.
 */
static int resolve_next_hop(const struct sockaddr_storage *addr)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)addr;
	unsigned long since = jiffies;
	struct flowi4 fl4 = {};
	struct neighbour *n;
	struct rtable *rt;
	unsigned int i;
	int err = 0;

	if (addr->ss_family != AF_INET)
		return 0;
	fl4.daddr = in->sin_addr.s_addr;
	rt = ip_route_output_key(&init_net, &fl4);
	if (IS_ERR(rt))
		return PTR_ERR(rt);
	n = dst_neigh_lookup(&rt->dst, &fl4.daddr);
	for (i = 0; n && i < 50 && !neighbour_answers(n, since); i++) {
		if (!(READ_ONCE(n->nud_state) & NUD_VALID))
			neigh_event_send(n, NULL);
		else if (i % 10 == 0)
			arp_send(ARPOP_REQUEST, ETH_P_ARP, *(__be32 *)n->primary_key, n->dev,
				 fl4.saddr, NULL, n->dev->dev_addr, NULL);
		msleep(20);
	}
	if (n && !neighbour_answers(n, since))
		err = -EHOSTUNREACH;
	if (n)
		neigh_release(n);
	ip_rt_put(rt);
	return err;
}

/* ---- connecting ---- */

static void open_put(struct rtrs_open *open)
{
	if (refcount_dec_and_test(&open->ref))
		kfree(open);
}

/*
 * A storage node that still holds connections of this node's previous life refuses the first ones
 * that happen to reuse their queue pair numbers, and forgets the old ones by that: tried again. So
 * does this node if it was the other one that booted; RTRS then says -ECONNABORTED.
 */
static struct rtrs_clt_sess *connect_path(struct rtrs_sess *sess)
{
	struct rtrs_clt_ops ops = { .priv = sess, .link_ev = rtrs_sess_link_ev };
	struct rtrs_addr path = { .dst = &sess->open->dst };
	struct rtrs_clt_sess *rtrs;
	unsigned int tries = 3;
	int err;

	do {
		rtrs = rtrs_clt_open(&ops, sess->name, &path, 1, sess->open->port, 0, 1, 0, 0);
		err = PTR_ERR_OR_ZERO(rtrs);
	} while ((err == -ECONNRESET || err == -ECONNABORTED) && --tries &&
		 !READ_ONCE(sess->open->over));
	return rtrs;
}

/* One attempt. It may end long after its open(); the session is closed then. */
static void open_work(struct work_struct *work)
{
	struct rtrs_sess *sess = container_of(work, struct rtrs_sess, open_work);
	struct rtrs_open *open = sess->open;
	unsigned int noio = memalloc_noio_save();
	struct rtrs_clt_sess *rtrs = connect_path(sess);
	bool first;

	spin_lock(&open->lock);
	open->running--;
	first = !IS_ERR(rtrs) && !open->sess && !open->over;
	if (first) {
		sess->rtrs = rtrs;
		open->sess = sess;
	} else if (IS_ERR(rtrs)) {
		open->err = PTR_ERR(rtrs);
	}
	wake_up(&open->wait);
	spin_unlock(&open->lock);
	if (!first) {
		if (!IS_ERR(rtrs))
			rtrs_clt_close(rtrs);
		kfree(sess);
	}
	open_put(open);
	memalloc_noio_restore(noio);
}

static int attempt_start(struct rtrs_open *open, const struct rmr_tp_open *spec, unsigned int n)
{
	struct rtrs_sess *sess = kzalloc(sizeof(*sess), GFP_NOIO);

	if (!sess)
		return -ENOMEM;
	sess->lost = spec->lost;
	sess->priv = spec->priv;
	sess->open = open;
	spin_lock_init(&sess->lock);
	INIT_WORK(&sess->lost_work, rtrs_sess_lost_work);
	INIT_WORK(&sess->open_work, open_work);
	snprintf(sess->name, sizeof(sess->name), "%s-%u", spec->name, n);
	refcount_inc(&open->ref);
	spin_lock(&open->lock);
	open->running++;
	spin_unlock(&open->lock);
	queue_work(open_wq, &sess->open_work);
	return 0;
}

/* Nobody waits from now on; the session that is there, if one is. */
static struct rtrs_sess *open_end(struct rtrs_open *open)
{
	struct rtrs_sess *sess;

	spin_lock(&open->lock);
	open->over = true;
	sess = open->sess;
	spin_unlock(&open->lock);
	if (!sess)
		return NULL;
	spin_lock_irq(&sess->lock);
	sess->open = NULL;
	sess->used = true;
	if (sess->down)
		schedule_work(&sess->lost_work);
	spin_unlock_irq(&sess->lock);
	return sess;
}

/* Only a kill ends the wait: other signals are common, Go's runtime preempts threads with one. */
static void *open_path(struct rtrs_open *open, const struct rmr_tp_open *spec)
{
	struct rtrs_sess *sess;
	unsigned int n;
	long left = 0;
	int err = 0;

	for (n = 0; n < ATTEMPTS && !left && !err; n++) {
		unsigned int ms = n + 1 < ATTEMPTS ? ATTEMPT_MS : OPEN_MS;

		err = attempt_start(open, spec, n);
		if (err && n)	/* those that run may do */
			err = 0;
		if (!err)
			left = wait_event_killable_timeout(open->wait, READ_ONCE(open->sess) ||
							   !READ_ONCE(open->running),
							   msecs_to_jiffies(ms));
		if (left < 0)
			err = -EINTR;
	}
	sess = open_end(open);
	if (sess)
		return sess;
	return ERR_PTR(err ?: READ_ONCE(open->running) ? -ETIMEDOUT : open->err);
}

static void *rtrs_sess_open(const struct rmr_tp_open *spec)
{
	struct rtrs_open *open;
	void *sess;
	char port[8];
	int err;

	open = kzalloc(sizeof(*open), GFP_NOIO);
	if (!open)
		return ERR_PTR(-ENOMEM);
	refcount_set(&open->ref, 1);
	spin_lock_init(&open->lock);
	init_waitqueue_head(&open->wait);
	open->port = spec->port;
	snprintf(port, sizeof(port), "%u", spec->port);
	err = inet_pton_with_scope(&init_net, AF_UNSPEC, spec->addr, port, &open->dst);
	if (err)
		err = -EINVAL;
	else
		err = resolve_next_hop(&open->dst);
	sess = err ? ERR_PTR(err) : open_path(open, spec);
	open_put(open);
	return sess;
}

static void rtrs_sess_close(void *priv)
{
	struct rtrs_sess *sess = priv;

	rtrs_clt_close(sess->rtrs);
	cancel_work_sync(&sess->lost_work);
	kfree(sess);
}

static int rtrs_sess_query(void *priv, struct rmr_tp_attrs *attrs)
{
	struct rtrs_sess *sess = priv;
	struct rtrs_attrs a;
	int err = rtrs_clt_query(sess->rtrs, &a);

	if (err)
		return err;
	attrs->max_io = a.max_io_size;
	attrs->queue_depth = a.queue_depth;
	attrs->max_segments = a.max_segments;
	return 0;
}

static void *rtrs_sess_get_permit(void *priv, bool wait)
{
	struct rtrs_sess *sess = priv;

	return rtrs_clt_get_permit(sess->rtrs, RTRS_IO_CON,
				   wait ? RTRS_PERMIT_WAIT : RTRS_PERMIT_NOWAIT);
}

static void rtrs_sess_put_permit(void *priv, void *permit)
{
	struct rtrs_sess *sess = priv;

	rtrs_clt_put_permit(sess->rtrs, permit);
}

static int rtrs_sess_request(void *priv, void *permit, const struct rmr_tp_req *req)
{
	struct rtrs_sess *sess = priv;
	struct kvec vec = { .iov_base = (void *)req->msg, .iov_len = req->msg_len };
	struct rtrs_clt_req_ops ops = { .priv = req->priv, .conf_fn = req->done };

	return rtrs_clt_request(req->write ? WRITE : READ, &ops, sess->rtrs, permit, &vec, 1,
				req->len, req->sg, req->sg_cnt);
}

static struct rmr_transport_clt rtrs_transport = {
	.name		= "rtrs",
	.owner		= THIS_MODULE,
	.open		= rtrs_sess_open,
	.close		= rtrs_sess_close,
	.query		= rtrs_sess_query,
	.get_permit	= rtrs_sess_get_permit,
	.put_permit	= rtrs_sess_put_permit,
	.request	= rtrs_sess_request,
};

static int __init rmr_rtrs_client_init(void)
{
	int err;

	open_wq = alloc_workqueue("rmr_rtrs_open", WQ_UNBOUND, 0);
	if (!open_wq)
		return -ENOMEM;
	err = rmr_transport_clt_register(&rtrs_transport);
	if (err)
		destroy_workqueue(open_wq);
	return err;
}

static void __exit rmr_rtrs_client_exit(void)
{
	rmr_transport_clt_unregister(&rtrs_transport);
	destroy_workqueue(open_wq);	/* waits for attempts that nobody waits for any more */
}

module_init(rmr_rtrs_client_init);
module_exit(rmr_rtrs_client_exit);

MODULE_DESCRIPTION("Reliable multicast replication: RTRS transport, client half");
MODULE_LICENSE("GPL");
MODULE_ALIAS("rmr-transport-clt-rtrs");
