// SPDX-License-Identifier: GPL-2.0-only
/*
 * Client half of transport "rtrs": sessions of the kernel's RTRS client, one path each. RTRS's own
 * reconnect is off: a session that lost its link is closed and a new one opened by the caller,
 * because after a loss the storage node decides anew what may be served.
 *
 * Contexts: request() and put_permit() from any, done() from softirq or RTRS's workqueue, lost()
 * from a work item of ours, since RTRS reports it from a context that may not close the session.
 */
#include <linux/delay.h>
#include <linux/if_arp.h>
#include <linux/inet.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <net/arp.h>
#include <net/neighbour.h>
#include <net/net_namespace.h>
#include <net/route.h>

#include <rtrs.h>
#include <rmr/transport.h>

struct rtrs_sess {
	struct rtrs_clt_sess	*rtrs;
	void			(*lost)(void *priv);
	void			*priv;
	struct work_struct	lost_work;
};

static void rtrs_sess_lost_work(struct work_struct *work)
{
	struct rtrs_sess *sess = container_of(work, struct rtrs_sess, lost_work);

	sess->lost(sess->priv);
}

static void rtrs_sess_link_ev(void *priv, enum rtrs_clt_link_ev ev)
{
	struct rtrs_sess *sess = priv;

	if (ev == RTRS_CLT_LINK_EV_DISCONNECTED)
		schedule_work(&sess->lost_work);
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

/*
 * A storage node that still holds connections of this node's previous life refuses the first ones
 * that happen to reuse their queue pair numbers, and forgets the old ones by that: tried again.
 *
 * rtrs waits interruptibly, and signals that mean nothing to an operator are common: Go's runtime
 * preempts its threads with one. Only a kill ends the wait.
 */
static struct rtrs_clt_sess *connect_path(struct rtrs_clt_ops *ops, const char *name,
					  const struct rtrs_addr *path, u16 port)
{
	struct rtrs_clt_sess *rtrs;
	unsigned int tries = 3;
	sigset_t all, saved;

	siginitsetinv(&all, sigmask(SIGKILL));
	sigprocmask(SIG_BLOCK, &all, &saved);
	do {
		rtrs = rtrs_clt_open(ops, name, path, 1, port, 0, 1, 0, 0);
	} while (PTR_ERR_OR_ZERO(rtrs) == -ECONNRESET && --tries);
	sigprocmask(SIG_SETMASK, &saved, NULL);
	return rtrs;
}

static void *rtrs_sess_open(const struct rmr_tp_open *open)
{
	struct sockaddr_storage dst = {};
	struct rtrs_addr path = { .dst = &dst };
	struct rtrs_clt_ops ops = { .link_ev = rtrs_sess_link_ev };
	struct rtrs_sess *sess;
	char port[8];
	int err;

	snprintf(port, sizeof(port), "%u", open->port);
	err = inet_pton_with_scope(&init_net, AF_UNSPEC, open->addr, port, &dst);
	if (err)
		return ERR_PTR(-EINVAL);
	err = resolve_next_hop(&dst);
	if (err)
		return ERR_PTR(err);
	sess = kzalloc(sizeof(*sess), GFP_KERNEL);
	if (!sess)
		return ERR_PTR(-ENOMEM);
	sess->lost = open->lost;
	sess->priv = open->priv;
	INIT_WORK(&sess->lost_work, rtrs_sess_lost_work);
	ops.priv = sess;
	sess->rtrs = connect_path(&ops, open->name, &path, open->port);
	if (IS_ERR(sess->rtrs)) {
		err = PTR_ERR(sess->rtrs);
		cancel_work_sync(&sess->lost_work);
		kfree(sess);
		return ERR_PTR(err);
	}
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
	return rmr_transport_clt_register(&rtrs_transport);
}

static void __exit rmr_rtrs_client_exit(void)
{
	rmr_transport_clt_unregister(&rtrs_transport);
}

module_init(rmr_rtrs_client_init);
module_exit(rmr_rtrs_client_exit);

MODULE_DESCRIPTION("Reliable multicast replication: RTRS transport, client half");
MODULE_LICENSE("GPL");
MODULE_ALIAS("rmr-transport-clt-rtrs");
