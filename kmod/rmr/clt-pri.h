/* SPDX-License-Identifier: GPL-2.0-only */
/* Internal to rmr_client.ko. */
#ifndef RMR_CLT_PRI_H
#define RMR_CLT_PRI_H

#include <linux/mutex.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <rmr/conn.h>
#include <rmr/rmr.h>
#include <uapi/linux/rmr.h>
#include "core/codec.h"

/* A session to a storage node, shared by the pools that have a leg there. */
struct rmr_clt_sess {
	struct list_head	entry;		/* of the list in clt-sess.c, under its lock */
	unsigned int		users;		/* under the same lock */
	struct mutex		open_lock;	/* held while the session is being opened */
	int			open_err;	/* 1: not tried yet */
	struct rmr_conn		conn;
	bool			lost;
	spinlock_t		legs_lock;	/* guards legs */
	struct list_head	legs;		/* struct rmr_clt_leg.sess_entry */
	spinlock_t		waiters_lock;	/* guards waiters */
	struct list_head	waiters;	/* struct rmr_clt_leg_req.entry, for a permit */
	struct work_struct	waiters_work;
	u16			port;
	char			transport[RMR_TRANSPORT_NAME_LEN];
	char			addr[RMR_ADDR_LEN];
};

struct rmr_clt_leg {
	struct rmr_clt_pool	*pool;
	struct rmr_clt_sess __rcu *sess;	/* changed under pool->ctl_lock */
	struct list_head	sess_entry;
	u32			handle;
	u8			id;
	u8			state;		/* enum rmr_leg_state */
	u8			reason;		/* enum rmr_reason */
	bool			failed;		/* under pool->lock; recovery renews the session */
	bool			known;		/* peer_boot is set */
	u64			peer_boot;
	u32			max_io;
	atomic_t		inflight;
	u64			latency_ns;	/* moving average, racy on purpose */
	bool			busy;		/* a client is attached; of the last answer */
	struct rmr_epoch	promised;	/* likewise */
	struct rmr_view		view;
	struct rmr_limits_le	limits;
	struct rmr_member_info	member;
	struct rmr_io_stats __percpu *stats;
};

struct rmr_clt_pool {
	/* I/O; lock may be taken in any context */
	spinlock_t		lock;		/* guards the fields up to epoch_le */
	u8			state;		/* enum rmr_device_state */
	u8			reason;
	bool			aborted;	/* nothing is served any more */
	struct rb_root_cached	ranges;		/* of running and held writes */
	struct list_head	writes;		/* the same in order of seq */
	struct list_head	waiting;	/* for an overlapping write to end */
	struct list_head	held;		/* for the pool to be live */
	unsigned int		inflight;	/* submitted, not done */
	u64			next_seq;
	u64			held_total;
	struct rmr_epoch_le	epoch_le;	/* of the view in force */
	__le64			view_le;
	wait_queue_head_t	idle;
	struct work_struct	kick;
	unsigned int		rr;		/* first leg looked at for the next read */
	struct rmr_io_stats __percpu *stats;
	/* control; process context */
	struct mutex		ctl_lock;	/* guards legs' sessions, epoch, view */
	struct delayed_work	recover;
	bool			closing;
	struct rmr_epoch	epoch;
	struct rmr_view		view;
	u64			table_version;
	u64			client_id;
	const struct rmr_clt_pool_ops *ops;
	void			*priv;
	struct rmr_clt_limits	limits;
	u8			uuid[RMR_UUID_LEN];
	u16			port;
	char			name[RMR_NAME_LEN];
	char			node[RMR_NAME_LEN];
	char			transport[RMR_TRANSPORT_NAME_LEN];
	unsigned int		nr_legs;
	struct rmr_clt_leg	leg[RMR_MAX_MEMBERS];	/* by slot, ordered by member id */
};

#define rmr_clt_info(pool, fmt, ...) \
	pr_info("rmr %s: " fmt, (pool)->name, ##__VA_ARGS__)
#define rmr_clt_warn(pool, fmt, ...) \
	pr_warn_ratelimited("rmr %s: " fmt, (pool)->name, ##__VA_ARGS__)

/* clt-sess.c */
struct rmr_clt_sess *rmr_clt_sess_get(const char *transport, const char *addr, u16 port,
				      const char *node);
void rmr_clt_sess_put(struct rmr_clt_sess *sess);
void rmr_clt_sess_add_leg(struct rmr_clt_sess *sess, struct rmr_clt_leg *leg);
void rmr_clt_sess_del_leg(struct rmr_clt_leg *leg);

/* clt-io.c */
void rmr_clt_io_init(struct rmr_clt_pool *pool);
void rmr_clt_transmit(struct rmr_clt_leg_req *lr);
void rmr_clt_leg_done(void *priv, int status);
void rmr_clt_leg_failed(struct rmr_clt_leg *leg, u8 reason);
void rmr_clt_resume(struct rmr_clt_pool *pool);
void rmr_clt_fail_queued(struct rmr_clt_pool *pool);
extern struct workqueue_struct *rmr_clt_wq;
extern struct workqueue_struct *rmr_clt_recover_wq;

#endif /* RMR_CLT_PRI_H */
