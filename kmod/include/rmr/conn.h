/* SPDX-License-Identifier: GPL-2.0-only */
/* A connection: a transport session that has said HELLO, and calls over it. Process context. */
#ifndef RMR_CONN_H
#define RMR_CONN_H

#include <linux/types.h>
#include <rmr/transport.h>
#include <rmr/wire.h>

/**
 * struct rmr_conn - one connection to a storage node
 * @tp: transport
 * @sess: its session
 * @attrs: what the session can carry
 * @peer_boot: boot id of the storage node
 * @peer_node: its host name
 */
struct rmr_conn {
	struct rmr_transport_clt *tp;
	void			*sess;
	struct rmr_tp_attrs	attrs;
	u64			peer_boot;
	char			peer_node[RMR_NAME_LEN];
};

/* Longest wait for the answer to a call before the connection counts as lost. */
#define RMR_CALL_TIMEOUT_MS	10000

int rmr_conn_open(struct rmr_conn *conn, const char *transport, const char *addr, u16 port,
		  const char *node, void (*lost)(void *priv), void *priv);
void rmr_conn_close(struct rmr_conn *conn);
/* Sends msg and waits; rsp_len bytes of reply go to rsp. 0, an RMR_ST_* or another errno. */
int rmr_conn_call(struct rmr_conn *conn, const void *msg, size_t len, void *rsp, size_t rsp_len);
/* POOL_INFO by name and/or uuid (NULL: any), the reply checked. */
int rmr_conn_pool_info(struct rmr_conn *conn, const char *name, const u8 *uuid,
		       struct rmr_rsp_pool *rsp);
void rmr_msg_init(struct rmr_msg_hdr *hdr, u16 type, u32 handle);

#endif /* RMR_CONN_H */
