// SPDX-License-Identifier: GPL-2.0-only
/*
 * Connections and calls: what a client and a joining storage node have in common. Owns struct
 * call, one request with its reply buffer. Process context, sleeps.
 *
 * A call that is not answered in time returns, but its buffer stays until the transport gives it
 * back, which it does at the latest when the session is closed.
 */
#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/kref.h>
#include <linux/slab.h>

#include <rmr/conn.h>
#include <rmr/rmr.h>
#include "core/codec.h"

struct call {
	struct kref		ref;		/* caller, and transport until done */
	struct completion	done;
	struct rmr_transport_clt *tp;
	void			*sess;
	void			*permit;
	int			status;
	struct scatterlist	sg;
	u8			buf[];
};

static void call_release(struct kref *ref)
{
	kfree(container_of(ref, struct call, ref));
}

static void call_done(void *priv, int status)
{
	struct call *call = priv;

	call->tp->put_permit(call->sess, call->permit);
	call->status = status;
	complete(&call->done);
	kref_put(&call->ref, call_release);
}

int rmr_conn_call(struct rmr_conn *conn, const void *msg, size_t len, void *rsp, size_t rsp_len)
{
	struct rmr_tp_req req = { .msg = msg, .msg_len = len, .len = rsp_len, .done = call_done };
	struct call *call;
	int err;

	call = kzalloc(sizeof(*call) + rsp_len, GFP_NOIO);
	if (!call)
		return -ENOMEM;
	kref_init(&call->ref);
	kref_get(&call->ref);
	init_completion(&call->done);
	call->tp = conn->tp;
	call->sess = conn->sess;
	call->permit = conn->tp->get_permit(conn->sess, true);
	if (rsp_len) {
		sg_init_one(&call->sg, call->buf, rsp_len);
		req.sg = &call->sg;
		req.sg_cnt = 1;
	} else {
		req.write = true;
	}
	req.priv = call;
	err = conn->tp->request(conn->sess, call->permit, &req);
	if (err) {
		conn->tp->put_permit(conn->sess, call->permit);
		kref_put(&call->ref, call_release);
	} else if (!wait_for_completion_timeout(&call->done,
						msecs_to_jiffies(RMR_CALL_TIMEOUT_MS))) {
		err = -ETIMEDOUT;
	} else {
		err = call->status;
		if (!err && rsp_len)
			memcpy(rsp, call->buf, rsp_len);
	}
	kref_put(&call->ref, call_release);
	return err;
}
EXPORT_SYMBOL_GPL(rmr_conn_call);

void rmr_msg_init(struct rmr_msg_hdr *hdr, u16 type, u32 handle)
{
	hdr->type = cpu_to_le16(type);
	hdr->major = RMR_PROTO_MAJOR;
	hdr->minor = RMR_PROTO_MINOR;
	hdr->handle = cpu_to_le32(handle);
}
EXPORT_SYMBOL_GPL(rmr_msg_init);

static int conn_hello(struct rmr_conn *conn, const char *node)
{
	struct rmr_msg_hello msg = {};
	struct rmr_rsp_hello rsp;
	struct rmr_fault fault;
	int err;

	rmr_msg_init(&msg.hdr, RMR_MSG_HELLO, RMR_NO_HANDLE);
	msg.requester = cpu_to_le64(rmr_boot_id());
	if (node)
		strscpy(msg.node, node, sizeof(msg.node));
	err = rmr_conn_call(conn, &msg, sizeof(msg), &rsp, sizeof(rsp));
	if (err)
		return err;
	if (rmr_rsp_hello_check(&rsp, sizeof(rsp), &fault)) {
		pr_warn_ratelimited("rmr: answer to HELLO refused: %s %s\n", fault.field,
				    fault.why);
		return RMR_ST_VERSION;
	}
	conn->peer_boot = le64_to_cpu(rsp.responder);
	strscpy(conn->peer_node, rsp.node, sizeof(conn->peer_node));
	return 0;
}

static void conn_lost_unused(void *priv)
{
}

int rmr_conn_open(struct rmr_conn *conn, const char *transport, const char *addr, u16 port,
		  const char *node, void (*lost)(void *priv), void *priv)
{
	static atomic_t serial;
	char name[48];
	struct rmr_tp_open open = {
		.addr = addr, .port = port, .name = name, .lost = lost ?: conn_lost_unused,
		.priv = priv,
	};
	int err;

	memset(conn, 0, sizeof(*conn));
	conn->tp = rmr_transport_clt_get(transport);
	if (!conn->tp)
		return -EPROTONOSUPPORT;
	snprintf(name, sizeof(name), "rmr-%016llx-%u", rmr_boot_id(),
		 (u32)atomic_inc_return(&serial));
	conn->sess = conn->tp->open(&open);
	if (IS_ERR(conn->sess)) {
		err = PTR_ERR(conn->sess);
		goto put;
	}
	err = conn->tp->query(conn->sess, &conn->attrs);
	if (!err)
		err = conn_hello(conn, node);
	if (!err)
		return 0;
	conn->tp->close(conn->sess);
put:
	rmr_transport_clt_put(conn->tp);
	conn->sess = NULL;
	return err;
}
EXPORT_SYMBOL_GPL(rmr_conn_open);

void rmr_conn_close(struct rmr_conn *conn)
{
	if (!conn->sess)
		return;
	conn->tp->close(conn->sess);
	rmr_transport_clt_put(conn->tp);
	conn->sess = NULL;
}
EXPORT_SYMBOL_GPL(rmr_conn_close);

int rmr_conn_pool_info(struct rmr_conn *conn, const char *name, const u8 *uuid,
		       struct rmr_rsp_pool *rsp)
{
	struct rmr_msg_pool_info msg = {};
	struct rmr_fault fault;
	int err;

	rmr_msg_init(&msg.hdr, RMR_MSG_POOL_INFO, RMR_NO_HANDLE);
	if (name)
		strscpy(msg.name, name, sizeof(msg.name));
	if (uuid)
		memcpy(msg.uuid, uuid, RMR_UUID_LEN);
	err = rmr_conn_call(conn, &msg, sizeof(msg), rsp, sizeof(*rsp));
	if (err)
		return err;
	if (rmr_rsp_pool_check(rsp, sizeof(*rsp), &fault)) {
		pr_warn_ratelimited("rmr: pool answer of %s refused: %s %s\n", conn->peer_node,
				    fault.field, fault.why);
		return RMR_ST_MALFORMED;
	}
	return 0;
}
EXPORT_SYMBOL_GPL(rmr_conn_pool_info);
