// SPDX-License-Identifier: GPL-2.0-only
/*
 * Server half of transport "rtrs": one listener of the kernel's RTRS server. RTRS has room for one
 * listener per kernel, so this module and rnbd_server exclude each other.
 *
 * Contexts: everything RTRS calls here runs in its completion workqueue; respond() from any.
 *
 * Teardown: rtrs_srv_close() ends all sessions and waits for their disconnect events.
 */
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include <rtrs.h>
#include <rmr/transport.h>

static DEFINE_MUTEX(listen_lock);		/* guards the two below */
static struct rtrs_srv_ctx *listen_ctx;
static const struct rmr_tp_srv_ops *upper;

static int rtrs_srv_request(void *priv, struct rtrs_srv_op *id, void *data, size_t datalen,
			    const void *usr, size_t usrlen);
static int rtrs_srv_link(struct rtrs_srv_sess *sess, enum rtrs_srv_link_ev ev, void *priv);

static struct rtrs_srv_ops rtrs_ops = {
	.rdma_ev	= rtrs_srv_request,
	.link_ev	= rtrs_srv_link,
};

static int rtrs_srv_request(void *priv, struct rtrs_srv_op *id, void *data, size_t datalen,
			    const void *usr, size_t usrlen)
{
	if (!priv)
		return -ENOTCONN;
	upper->request(priv, id, usr, usrlen, data, datalen);
	return 0;
}

static int rtrs_srv_link(struct rtrs_srv_sess *sess, enum rtrs_srv_link_ev ev, void *priv)
{
	void *mine;

	switch (ev) {
	case RTRS_SRV_LINK_EV_CONNECTED:
		mine = upper->connected(sess, NULL);
		if (IS_ERR(mine))
			return PTR_ERR(mine);
		rtrs_srv_set_sess_priv(sess, mine);
		return 0;
	case RTRS_SRV_LINK_EV_DISCONNECTED:
		if (priv)
			upper->disconnected(priv);
		return 0;
	}
	return -EINVAL;
}

static int rtrs_srv_listen(u16 port, const struct rmr_tp_srv_ops *ops)
{
	int err = 0;

	mutex_lock(&listen_lock);
	if (listen_ctx) {
		err = -EADDRINUSE;
		goto out;
	}
	upper = ops;
	listen_ctx = rtrs_srv_open(&rtrs_ops, port);
	if (IS_ERR(listen_ctx)) {
		err = PTR_ERR(listen_ctx);
		listen_ctx = NULL;
	}
out:
	mutex_unlock(&listen_lock);
	return err;
}

static void rtrs_srv_unlisten(void)
{
	mutex_lock(&listen_lock);
	if (listen_ctx)
		rtrs_srv_close(listen_ctx);
	listen_ctx = NULL;
	mutex_unlock(&listen_lock);
}

static void rtrs_srv_respond(void *op, int status)
{
	rtrs_srv_resp_rdma(op, status);
}

static struct rmr_transport_srv rtrs_transport = {
	.name		= "rtrs",
	.owner		= THIS_MODULE,
	.listen		= rtrs_srv_listen,
	.unlisten	= rtrs_srv_unlisten,
	.respond	= rtrs_srv_respond,
};

static int __init rmr_rtrs_server_init(void)
{
	return rmr_transport_srv_register(&rtrs_transport);
}

static void __exit rmr_rtrs_server_exit(void)
{
	rmr_transport_srv_unregister(&rtrs_transport);
}

module_init(rmr_rtrs_server_init);
module_exit(rmr_rtrs_server_exit);

MODULE_DESCRIPTION("Reliable multicast replication: RTRS transport, server half");
MODULE_LICENSE("GPL");
MODULE_ALIAS("rmr-transport-srv-rtrs");
