/* SPDX-License-Identifier: GPL-2.0-only */
/* Internal to rmr_server.ko. */
#ifndef RMR_SRV_PRI_H
#define RMR_SRV_PRI_H

#include <linux/completion.h>
#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/percpu-refcount.h>
#include <linux/xarray.h>

#include <rmr/conn.h>
#include <rmr/rmr.h>
#include <uapi/linux/rmr.h>
#include "core/codec.h"

struct rmr_srv_stats {
	u64	reads;
	u64	writes;
	u64	flushes;
	u64	discards;
	u64	read_bytes;
	u64	write_bytes;
	u64	errors;
	u64	refused;
	s64	inflight;			/* sum over CPUs */
};

/* One member of a pool, served by this node. */
struct rmr_srv_pool {
	struct list_head	entry;		/* of rmr_srv_pools, under rmr_srv_lock */
	struct kref		ref;
	struct mutex		lock;		/* guards the fields up to stats */
	struct rmr_sb		*sb;		/* as last written */
	struct rmr_sb		*sb_next;	/* being written */
	struct rmr_srv_attach	*attach;
	bool			gone;		/* stopped; nothing may start any more */
	u8			state;
	u8			reason;
	u8			damaged;
	struct rmr_srv_stats __percpu *stats;
	/* constant while the pool exists */
	const struct rmr_store_ops *ops;
	void			*store;
	struct rmr_limits_le	limits;
	u64			size;
	u32			block_mask;	/* logical block - 1 */
	u32			max_io;
	u8			id;
	char			name[RMR_NAME_LEN];
	char			addr[RMR_ADDR_LEN];
	char			device[RMR_PATH_LEN];
	struct rcu_head		rcu;
};

/* A client's hold on a pool: one session, one epoch. */
struct rmr_srv_attach {
	struct kref		ref;
	struct percpu_ref	io;		/* requests under way */
	struct completion	drained;
	struct rmr_srv_pool	*pool;		/* holds a reference */
	struct rmr_srv_sess	*sess;		/* valid while pool->attach is this */
	struct rmr_epoch	epoch;
	u32			handle;
	bool			live;		/* a view of this epoch is persisted here */
	char			node[RMR_NAME_LEN];
	struct rcu_head		rcu;
};

/* A transport session of a client or peer. */
struct rmr_srv_sess {
	struct rmr_transport_srv *tp;
	struct xarray		handles;	/* struct rmr_srv_attach */
	u32			next_handle;
	bool			hello;
	u64			peer_boot;
	char			addr[RMR_ADDR_LEN];	/* node asked for, "" if only one */
	char			peer_node[RMR_NAME_LEN];
};

#define rmr_srv_info(pool, fmt, ...) do {						\
	const struct rmr_srv_pool *_pool = (pool);					\
	pr_info("rmr %s/%u: " fmt, _pool->name, _pool->id, ##__VA_ARGS__);		\
} while (0)
#define rmr_srv_warn(pool, fmt, ...) do {						\
	const struct rmr_srv_pool *_pool = (pool);					\
	pr_warn_ratelimited("rmr %s/%u: " fmt, _pool->name, _pool->id, ##__VA_ARGS__);	\
} while (0)

/* srv.c */
extern char rmr_srv_node[RMR_NAME_LEN];
int rmr_srv_listen(void);
void rmr_srv_refused(struct rmr_srv_sess *sess, const struct rmr_fault *fault);

/* srv-io.c */
void rmr_srv_io(struct rmr_srv_sess *sess, void *op, const struct rmr_msg_io *msg, void *data,
		size_t len);

/* srv-attach.c: messages about a pool; each returns an RMR_ST_* or errno. */
int rmr_srv_pool_info_msg(struct rmr_srv_sess *sess, const void *msg, void *rsp);
int rmr_srv_attach_msg(struct rmr_srv_sess *sess, const void *msg, void *rsp);
int rmr_srv_view_msg(struct rmr_srv_sess *sess, const void *msg);
int rmr_srv_detach_msg(struct rmr_srv_sess *sess, const void *msg);
int rmr_srv_keepalive_msg(struct rmr_srv_sess *sess, const void *msg);
int rmr_srv_member_set_msg(struct rmr_srv_sess *sess, const void *msg);
void rmr_srv_attach_end(struct rmr_srv_pool *pool);
void rmr_srv_sess_detach(struct rmr_srv_sess *sess);

/* srv-pool.c */
struct rmr_srv_pool *rmr_srv_pool_find(struct rmr_srv_sess *sess, const char *name,
				       const u8 *uuid);
void rmr_srv_pool_put(struct rmr_srv_pool *pool);
/* Writes pool->sb_next as the next superblock and makes it pool->sb. Caller: pool->lock. */
int rmr_srv_sb_commit(struct rmr_srv_pool *pool);
void rmr_srv_sb_begin(struct rmr_srv_pool *pool);
void rmr_srv_pool_state(struct rmr_srv_pool *pool, u8 state, u8 reason);
void rmr_srv_pool_notify(struct rmr_srv_pool *pool);
extern struct rmr_srv_ctl rmr_srv_commands;
void rmr_srv_pools_stop(void);

#endif /* RMR_SRV_PRI_H */
