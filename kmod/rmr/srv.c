// SPDX-License-Identifier: GPL-2.0-only
/*
 * rmr_server.ko: storage side. Owns the listener, sessions and the dispatch of messages.
 *
 * Contexts: data requests are handled where the transport delivers them; every other message goes
 * to admin_wq, since it may wait for disks and for earlier I/O.
 *
 * Teardown: unregister commands -> unlisten (sessions end, their attachments drain) -> stop pools
 * -> destroy admin_wq.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/utsname.h>
#include <linux/workqueue.h>

#include "srv-pri.h"

static char *transport = "rtrs";
module_param(transport, charp, 0444);
MODULE_PARM_DESC(transport, "transport to listen on: rtrs (default) or loop");

static ushort port = RMR_PORT;
module_param(port, ushort, 0444);
MODULE_PARM_DESC(port, "port to listen on (default 7420)");

static struct workqueue_struct *admin_wq;
static struct rmr_transport_srv *listener;
static DEFINE_MUTEX(listen_lock);		/* guards listener */
char rmr_srv_node[RMR_NAME_LEN];

struct admin {
	struct work_struct	work;
	struct rmr_srv_sess	*sess;
	void			*op;
	const void		*msg;
	void			*rsp;
	size_t			rsp_len;
};

void rmr_srv_refused(struct rmr_srv_sess *sess, const struct rmr_fault *fault)
{
	pr_info_ratelimited("rmr: message of %s refused: %s %s (%llu)\n",
			    sess->peer_node[0] ? sess->peer_node : "unknown", fault->field,
			    fault->why, fault->value);
}

static int hello_msg(struct rmr_srv_sess *sess, const void *data, void *out)
{
	const struct rmr_msg_hello *msg = data;
	struct rmr_rsp_hello *rsp = out;

	strscpy(sess->peer_node, msg->node, sizeof(sess->peer_node));
	sess->peer_boot = le64_to_cpu(msg->requester);
	sess->hello = true;
	memset(rsp, 0, sizeof(*rsp));
	rsp->major = cpu_to_le16(RMR_PROTO_MAJOR);
	rsp->minor = cpu_to_le16(min_t(u8, msg->hdr.minor, RMR_PROTO_MINOR));
	/* No limit of its own: what fits beside a message is the transport's to say. */
	rsp->max_io = cpu_to_le32(round_down(U32_MAX, RMR_BLOCK_SIZE));
	rsp->responder = cpu_to_le64(rmr_boot_id());
	strscpy(rsp->node, rmr_srv_node, sizeof(rsp->node));
	return 0;
}

static int view_msg(struct rmr_srv_sess *sess, const void *msg, void *rsp)
{
	return rmr_srv_view_msg(sess, msg);
}

static int detach_msg(struct rmr_srv_sess *sess, const void *msg, void *rsp)
{
	return rmr_srv_detach_msg(sess, msg);
}

static int member_set_msg(struct rmr_srv_sess *sess, const void *msg, void *rsp)
{
	return rmr_srv_member_set_msg(sess, msg);
}

/* Every message but IO and RESYNC_READ, with the size of its reply. */
static const struct {
	int	(*run)(struct rmr_srv_sess *sess, const void *msg, void *rsp);
	size_t	rsp_len;
} admin_table[RMR_MSG_TYPE_MAX + 1] = {
	[RMR_MSG_HELLO]		= { hello_msg, sizeof(struct rmr_rsp_hello) },
	[RMR_MSG_POOL_INFO]	= { rmr_srv_pool_info_msg, sizeof(struct rmr_rsp_pool) },
	[RMR_MSG_ATTACH]	= { rmr_srv_attach_msg, sizeof(struct rmr_rsp_pool) },
	[RMR_MSG_VIEW]		= { view_msg, 0 },
	[RMR_MSG_DETACH]	= { detach_msg, 0 },
	[RMR_MSG_KEEPALIVE]	= { rmr_srv_keepalive_msg, sizeof(struct rmr_rsp_keepalive) },
	[RMR_MSG_MEMBER_SET]	= { member_set_msg, 0 },
	[RMR_MSG_MARK]		= { rmr_srv_mark_msg, 0 },
	[RMR_MSG_CLEAR]		= { rmr_srv_clear_msg, 0 },
	[RMR_MSG_MAP_PULL]	= { rmr_srv_map_pull_msg, sizeof(struct rmr_rsp_map_pull) },
	[RMR_MSG_LIST]		= { rmr_srv_list_msg, sizeof(struct rmr_rsp_list) },
	[RMR_MSG_DIGEST]	= { rmr_srv_digest_msg, sizeof(struct rmr_rsp_digest) },
	[RMR_MSG_SETTLE]	= { rmr_srv_settle_msg, 0 },
	[RMR_MSG_READY]		= { rmr_srv_ready_msg, 0 },
	[RMR_MSG_PREPARE]	= { rmr_srv_prepare_msg, 0 },
	[RMR_MSG_RESIZE]	= { rmr_srv_resize_msg, 0 },
	[RMR_MSG_FINE]		= { rmr_srv_fine_msg, sizeof(struct rmr_rsp_fine) },
};

static void admin_run(struct work_struct *work)
{
	struct admin *admin = container_of(work, struct admin, work);
	const struct rmr_msg_hdr *hdr = admin->msg;
	u16 type = le16_to_cpu(hdr->type);
	int err;

	if (type != RMR_MSG_HELLO && !admin->sess->hello)
		err = RMR_ST_MALFORMED;
	else if (type == RMR_MSG_RESYNC_READ)
		err = rmr_srv_resync_read_msg(admin->sess, admin->msg, admin->rsp, admin->rsp_len);
	else if (!admin_table[type].run || admin->rsp_len != admin_table[type].rsp_len)
		err = RMR_ST_MALFORMED;
	else
		err = admin_table[type].run(admin->sess, admin->msg, admin->rsp);
	admin->sess->tp->respond(admin->op, err);
	kfree(admin);
}

static void srv_request(void *priv, void *op, const void *msg, size_t msg_len, void *data,
			size_t len)
{
	struct rmr_srv_sess *sess = priv;
	const struct rmr_msg_hdr *hdr = msg;
	struct rmr_fault fault;
	struct admin *admin;
	int err;

	err = rmr_msg_check(msg, msg_len, &fault);
	if (err) {
		rmr_srv_refused(sess, &fault);
		sess->tp->respond(op, err);
		return;
	}
	if (hdr->type == cpu_to_le16(RMR_MSG_IO)) {
		rmr_srv_io(sess, op, msg, data, len);
		return;
	}
	admin = kzalloc(sizeof(*admin), GFP_NOIO);
	if (!admin) {
		sess->tp->respond(op, -ENOMEM);
		return;
	}
	INIT_WORK(&admin->work, admin_run);
	admin->sess = sess;
	admin->op = op;
	admin->msg = msg;
	admin->rsp = data;
	admin->rsp_len = len;
	queue_work(admin_wq, &admin->work);
}

static void *srv_connected(void *tp_sess, const char *addr)
{
	struct rmr_srv_sess *sess = kzalloc(sizeof(*sess), GFP_KERNEL);

	if (!sess)
		return ERR_PTR(-ENOMEM);
	sess->tp = listener;
	xa_init_flags(&sess->handles, XA_FLAGS_ALLOC1);
	if (addr)
		strscpy(sess->addr, addr, sizeof(sess->addr));
	return sess;
}

static void srv_disconnected(void *priv)
{
	struct rmr_srv_sess *sess = priv;

	rmr_srv_sess_detach(sess);
	xa_destroy(&sess->handles);
	kfree(sess);
}

static const struct rmr_tp_srv_ops srv_ops = {
	.connected	= srv_connected,
	.disconnected	= srv_disconnected,
	.request	= srv_request,
};

/* Members reach each other the way clients reach them. */
const char *rmr_srv_transport(void)
{
	return transport;
}

u16 rmr_srv_port(void)
{
	return port;
}

/* Starts to listen if nothing does yet. Called when the first pool appears. */
int rmr_srv_listen(void)
{
	int err = 0;

	mutex_lock(&listen_lock);
	if (!listener) {
		listener = rmr_transport_srv_get(transport);
		err = listener ? listener->listen(port, &srv_ops) : -EPROTONOSUPPORT;
		if (err && listener) {
			rmr_transport_srv_put(listener);
			listener = NULL;
		}
	}
	mutex_unlock(&listen_lock);
	return err;
}

static int __init rmr_server_init(void)
{
	int err;

	rmr_node_name(rmr_srv_node, init_utsname()->nodename);
	admin_wq = alloc_workqueue("rmr_srv_admin", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (!admin_wq)
		return -ENOMEM;
	rmr_srv_trigger_init();
	err = rmr_srv_sync_module_init();
	if (err)
		goto trigger;
	err = rmr_srv_verify_module_init();
	if (err)
		goto sync;
	err = rmr_srv_ctl_register(&rmr_srv_commands);
	if (!err)
		return 0;
	rmr_srv_verify_module_exit();
sync:
	rmr_srv_sync_module_exit();
trigger:
	rmr_srv_trigger_exit();
	destroy_workqueue(admin_wq);
	return err;
}

static void __exit rmr_server_exit(void)
{
	rmr_srv_ctl_unregister(&rmr_srv_commands);
	if (listener) {
		listener->unlisten();
		rmr_transport_srv_put(listener);
	}
	rmr_srv_pools_stop();
	rmr_srv_verify_module_exit();
	rmr_srv_sync_module_exit();
	rmr_srv_trigger_exit();
	destroy_workqueue(admin_wq);
}

module_init(rmr_server_init);
module_exit(rmr_server_exit);

MODULE_DESCRIPTION("Reliable multicast replication: storage side");
MODULE_LICENSE("GPL");
