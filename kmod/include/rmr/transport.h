/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Transports: what carries messages and data between a requester and a storage node. The modules
 * above know only this interface; RDMA headers are included by transport files alone.
 *
 * A transport has two halves that may live in two modules: the client half opens sessions and
 * sends requests, the server half listens and answers. "rtrs" is the production transport,
 * "loop" carries messages inside one kernel for tests.
 */
#ifndef RMR_TRANSPORT_H
#define RMR_TRANSPORT_H

#include <linux/list.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/types.h>

#define RMR_TRANSPORT_NAME_LEN	16

/**
 * struct rmr_tp_attrs - what a session can carry
 * @max_io: bytes of data beside one message
 * @queue_depth: permits of the session
 * @max_segments: scatterlist entries of one request
 */
struct rmr_tp_attrs {
	u32	max_io;
	u32	queue_depth;
	u32	max_segments;
};

/**
 * struct rmr_tp_open - parameters of a new session
 * @addr: address of the storage node, zero-terminated
 * @port: port of the storage node
 * @name: unique name of the session on both sides, without '/' and '.'
 * @lost: called once from process context when the link is gone; every request that was
 *	under way has been or will be answered with an error
 * @priv: argument of @lost
 */
struct rmr_tp_open {
	const char	*addr;
	u16		port;
	const char	*name;
	void		(*lost)(void *priv);
	void		*priv;
};

/**
 * struct rmr_tp_req - one request
 * @write: data goes to the storage node; otherwise it comes from there into @sg
 * @msg: message, copied before the call returns
 * @msg_len: bytes of @msg
 * @sg: data; mapped until @done, private to this request
 * @sg_cnt: entries of @sg, 0 for none
 * @len: bytes of data
 * @done: called exactly once, in softirq or process context, with 0 or a negative errno; never
 *	called if the request could not be started
 * @priv: argument of @done
 */
struct rmr_tp_req {
	bool			write;
	const void		*msg;
	size_t			msg_len;
	struct scatterlist	*sg;
	unsigned int		sg_cnt;
	size_t			len;
	void			(*done)(void *priv, int status);
	void			*priv;
};

/**
 * struct rmr_transport_clt - client half of a transport
 * @name: "rtrs", "loop"
 * @owner: module held while a session is open
 * @open: connects; returns the session or an error pointer; may sleep
 * @close: ends a session; all requests are answered when it returns; may sleep
 * @query: what the session can carry
 * @get_permit: a permit to send one request, or NULL if none is free and @wait is false
 * @put_permit: gives it back; any context
 * @request: starts a request; 0 or an error, then @done is not called; any context
 * @entry: of the registry
 */
struct rmr_transport_clt {
	const char	*name;
	struct module	*owner;
	void		*(*open)(const struct rmr_tp_open *open);
	void		(*close)(void *sess);
	int		(*query)(void *sess, struct rmr_tp_attrs *attrs);
	void		*(*get_permit)(void *sess, bool wait);
	void		(*put_permit)(void *sess, void *permit);
	int		(*request)(void *sess, void *permit, const struct rmr_tp_req *req);
	struct list_head entry;
};

/**
 * struct rmr_tp_srv_ops - what a server half calls
 * @connected: a session came up; returns its private pointer or an error pointer. @addr is the
 *	local address the peer asked for if several nodes share a kernel, else NULL
 * @disconnected: the session is gone and all its requests were answered
 * @request: a request arrived. @msg and @data stay valid until rmr_transport_srv.respond().
 *	Data of a write lies in @data, the answer to a read goes there. Process context
 */
struct rmr_tp_srv_ops {
	void	*(*connected)(void *tp_sess, const char *addr);
	void	(*disconnected)(void *priv);
	void	(*request)(void *priv, void *op, const void *msg, size_t msg_len, void *data,
			   size_t len);
};

/**
 * struct rmr_transport_srv - server half of a transport
 * @name: "rtrs", "loop"
 * @owner: module held while listening
 * @listen: starts to accept sessions
 * @unlisten: ends all sessions; @disconnected was called for each when it returns
 * @respond: answers a request with 0 or a negative errno; any context
 * @entry: of the registry
 */
struct rmr_transport_srv {
	const char	*name;
	struct module	*owner;
	int		(*listen)(u16 port, const struct rmr_tp_srv_ops *ops);
	void		(*unlisten)(void);
	void		(*respond)(void *op, int status);
	struct list_head entry;
};

/* main.c: the registry. get takes a module reference and loads the module if it is missing. */
int rmr_transport_clt_register(struct rmr_transport_clt *tp);
void rmr_transport_clt_unregister(struct rmr_transport_clt *tp);
struct rmr_transport_clt *rmr_transport_clt_get(const char *name);
void rmr_transport_clt_put(struct rmr_transport_clt *tp);
int rmr_transport_srv_register(struct rmr_transport_srv *tp);
void rmr_transport_srv_unregister(struct rmr_transport_srv *tp);
struct rmr_transport_srv *rmr_transport_srv_get(const char *name);
void rmr_transport_srv_put(struct rmr_transport_srv *tp);

#endif /* RMR_TRANSPORT_H */
