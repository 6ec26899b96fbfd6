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
#include "core/attach.h"
#include "core/blocks.h"
#include "core/codec.h"
#include "core/intent.h"
#include "core/leg.h"
#include "core/map.h"
#include "core/plan.h"
#include "core/rate.h"
#include "core/window.h"
#include "srv-trigger.h"

#define RMR_SYNC_DEPTH_MAX	16u	/* copies of a pool at once */

struct rmr_srv_stats {
	u64	reads;
	u64	writes;
	u64	flushes;
	u64	discards;
	u64	read_bytes;
	u64	write_bytes;
	u64	errors;
	u64	refused;
	u64	stale;
	u64	missed;
	s64	inflight;			/* sum over CPUs */
};

/*
 * What a member remembers of writes: dirty map, intents, window, what it lacks. Owned by
 * srv-track.c; the map's way to disk by srv-map.c.
 */
struct rmr_srv_track {
	spinlock_t		lock;		/* any context; guards the fields up to wait */
	struct rmr_epoch	promised;
	struct rmr_view		view;		/* persisted */
	struct rmr_view		seen;		/* highest of any message (F_WVIEW) */
	struct rmr_map		dirty;
	struct rmr_map		since;		/* bits of the join until the map is complete */
	struct rmr_map		kept;		/* uncertain from before the session (F_KEEP) */
	struct rmr_intents	intents;
	struct rmr_window	window;
	struct rmr_blocks	fine;
	struct rmr_blocks	overlay;
	struct rmr_plan		plan;
	u64			highest_seq;	/* of this session */
	u64			hold_below;	/* no copy starts until s is above (F_HOLD) */
	u64			mark_top;	/* highest number of a MARK of this session */
	u32			mark_seen;	/* bit i: mark_top - i was executed */
	u8			cleared_on;	/* confirmed CLEAR of all, under the view */
	bool			since_on;
	bool			fresh;		/* no view under a promise of this life (R5.9) */
	bool			map_ok;
	bool			pull_ok;	/* READY was said */
	bool			attaching;	/* promised, client not known to be live */
	bool			restarted;
	bool			broken;		/* the map cannot be written any more */
	u64			generation;	/* of the promise and view: older copies are void */
	unsigned int		applying;	/* chunks that a copy is being written to */
	u64			applying_chunk[RMR_SYNC_DEPTH_MAX];
	struct list_head	blocked;	/* writes behind a copy being written */
	struct list_head	unstable;	/* writes behind the map's way to disk */
	struct list_head	copies;		/* struct dup: copies of running writes */
	u64			sync_want;	/* tickets of the map writer */
	u64			sync_done;
	u64			latency_ns;	/* moving average of application I/O, racy */
	u64			busy_jiffies;	/* of the last application I/O, racy */
	u64			lazy_seq;	/* highest_seq at the last lazy pass */
	wait_queue_head_t	wait;		/* sync_done, applying */
	struct work_struct	map_work;
	struct delayed_work	lazy_work;
	struct mutex		flush_lock;	/* group flush of copies */
	atomic64_t		flush_want;
	u64			flush_done;	/* under flush_lock */
	void			*buf;		/* one map block, map_work only */
	u8			self;		/* mask of this member */
	u8			id;
	u32			chunk_shift;
	bool			running;
};

/* One member of a pool, served by this node. */
struct rmr_srv_pool {
	struct list_head	entry;		/* of rmr_srv_pools, under rmr_srv_lock */
	struct kref		ref;
	struct mutex		lock;		/* guards the fields up to stats */
	struct rmr_sb		*sb;		/* as last written */
	struct rmr_sb		*sb_next;	/* being written */
	struct rmr_srv_attach	*attach;
	struct rmr_srv_track	track;
	struct rmr_srv_sync	*sync;		/* of srv-sync.c; set before the pool is found */
	bool			gone;		/* stopped; nothing may start any more */
	bool			witness;	/* votes only: no data, no map */
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
	bool			forced;		/* its views may begin a new lineage (R2.15) */
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
const char *rmr_srv_transport(void);
u16 rmr_srv_port(void);
int rmr_srv_listen(void);
void rmr_srv_refused(struct rmr_srv_sess *sess, const struct rmr_fault *fault);

/* srv-io.c */
struct rmr_srv_attach *rmr_srv_attach_get(struct rmr_srv_sess *sess, u32 handle);
void rmr_srv_io_submit(struct rmr_srv_pool *pool, struct rmr_store_io *io);
void rmr_srv_io_answer(struct rmr_srv_pool *pool, struct rmr_store_io *io, int status);
void rmr_srv_io(struct rmr_srv_sess *sess, void *op, const struct rmr_msg_io *msg, void *data,
		size_t len);

/* srv-attach.c: messages about a pool; each returns an RMR_ST_* or errno. */
int rmr_srv_pool_info_msg(struct rmr_srv_sess *sess, const void *msg, void *rsp);
int rmr_srv_attach_msg(struct rmr_srv_sess *sess, const void *msg, void *rsp);
int rmr_srv_view_msg(struct rmr_srv_sess *sess, const void *msg);
int rmr_srv_detach_msg(struct rmr_srv_sess *sess, const void *msg);
int rmr_srv_member_set_msg(struct rmr_srv_sess *sess, const void *msg);
void rmr_srv_attach_end(struct rmr_srv_pool *pool);
int rmr_srv_discard(struct rmr_srv_pool *pool);
struct rmr_srv_pool *rmr_srv_handle_lock(struct rmr_srv_sess *sess, __le32 handle,
					 const struct rmr_epoch_le *epoch);
void rmr_srv_handle_unlock(struct rmr_srv_pool *pool);
void rmr_srv_sess_detach(struct rmr_srv_sess *sess);

/* srv-track.c */
enum rmr_srv_go { RMR_SRV_SUBMIT, RMR_SRV_WAIT, RMR_SRV_ANSWER };
int rmr_srv_track_init(struct rmr_srv_pool *pool);
void rmr_srv_track_exit(struct rmr_srv_pool *pool);
int rmr_srv_track_promise(struct rmr_srv_pool *pool, const struct rmr_epoch *epoch);
int rmr_srv_track_view(struct rmr_srv_pool *pool, const struct rmr_view *view);
void rmr_srv_track_clean(struct rmr_srv_pool *pool);
void rmr_srv_track_silence(struct rmr_srv_pool *pool);
bool rmr_srv_may_serve(struct rmr_srv_pool *pool, u64 first, u64 last);
int rmr_srv_track_read(struct rmr_srv_pool *pool, const struct rmr_msg_io *msg);
enum rmr_srv_go rmr_srv_track_write(struct rmr_srv_pool *pool, struct rmr_store_io *io,
				    const struct rmr_msg_io *msg);
int rmr_srv_track_written(struct rmr_srv_pool *pool, struct rmr_store_io *io, int status);
void rmr_srv_track_release(struct rmr_srv_pool *pool);
bool rmr_srv_lacks(const struct rmr_srv_track *t, u64 chunk);
void rmr_srv_see(struct rmr_srv_track *t, const struct rmr_epoch *epoch, u64 number);
void rmr_srv_drop_blocks(struct rmr_blocks *set, u64 first, u64 last);
int rmr_srv_mark(struct rmr_srv_track *t, u64 first, u64 last, u8 bits);

/* srv-map.c */
int rmr_srv_map_load(struct rmr_srv_pool *pool);
void rmr_srv_map_work(struct work_struct *work);
void rmr_srv_lazy_work(struct work_struct *work);
int rmr_srv_map_sync(struct rmr_srv_pool *pool);
int rmr_srv_flush(struct rmr_srv_pool *pool);
void rmr_srv_clear_intents(struct rmr_srv_pool *pool, u64 below);

/* srv-recover.c */
int rmr_srv_mark_msg(struct rmr_srv_sess *sess, const void *msg, void *rsp);
int rmr_srv_list_msg(struct rmr_srv_sess *sess, const void *msg, void *rsp);
int rmr_srv_settle_msg(struct rmr_srv_sess *sess, const void *msg, void *rsp);
int rmr_srv_ready_msg(struct rmr_srv_sess *sess, const void *msg, void *rsp);
int rmr_srv_prepare_msg(struct rmr_srv_sess *sess, const void *msg, void *rsp);
int rmr_srv_keepalive_msg(struct rmr_srv_sess *sess, const void *msg, void *rsp);

/* srv-digest.c */
int rmr_srv_digest_msg(struct rmr_srv_sess *sess, const void *msg, void *rsp);

/* srv-peer.c */
bool rmr_srv_same_epoch(struct rmr_srv_pool *pool, const struct rmr_epoch_le *epoch);
struct rmr_srv_pool *rmr_srv_peer_pool(struct rmr_srv_sess *sess, const u8 *uuid,
				       const struct rmr_epoch_le *epoch, u8 from);
int rmr_srv_clear_msg(struct rmr_srv_sess *sess, const void *msg, void *rsp);
int rmr_srv_map_pull_msg(struct rmr_srv_sess *sess, const void *msg, void *rsp);
int rmr_srv_fine_msg(struct rmr_srv_sess *sess, const void *msg, void *rsp);
int rmr_srv_resync_read_msg(struct rmr_srv_sess *sess, const void *msg, void *data, size_t len);
int rmr_srv_store_rw(struct rmr_srv_pool *pool, u8 op, u64 off, void *data, u32 len);

/* srv-sync.c */
int rmr_srv_sync_init(struct rmr_srv_pool *pool);
void rmr_srv_sync_stop(struct rmr_srv_pool *pool);
void rmr_srv_sync_free(struct rmr_srv_pool *pool);
void rmr_srv_sync_kick(struct rmr_srv_pool *pool);
void rmr_srv_sync_alive(struct rmr_srv_pool *pool, struct rmr_rsp_keepalive *rsp);
void rmr_srv_sync_info(struct rmr_srv_pool *pool, struct rmr_pool_info *info);
void rmr_srv_sync_set(struct rmr_srv_pool *pool, const struct rmr_pool_spec *spec);
u64 rmr_srv_latency_ns(const struct rmr_srv_track *t);
int rmr_srv_sync_module_init(void);
void rmr_srv_sync_module_exit(void);

/* srv-peek.c */
int rmr_srv_peek(const struct rmr_pool_spec *spec, struct rmr_pool_info *info,
		 struct netlink_ext_ack *extack);
u64 rmr_srv_others_lack(struct rmr_srv_pool *pool);

/* srv-make.c */
int rmr_srv_create(const struct rmr_pool_spec *spec, struct rmr_pool_info *info,
		   struct netlink_ext_ack *extack);
int rmr_srv_join(const struct rmr_pool_spec *spec, struct rmr_pool_info *info,
		 struct netlink_ext_ack *extack);

/* srv-pool.c */
extern struct mutex rmr_srv_command_lock;
struct rmr_srv_pool *rmr_srv_pool_open(const char *device, struct netlink_ext_ack *extack);
int rmr_srv_pool_publish(struct rmr_srv_pool *pool, struct rmr_pool_info *info,
			 struct netlink_ext_ack *extack);
void rmr_srv_pool_adopt_sb(struct rmr_srv_pool *pool);
void rmr_srv_pool_fill_info(struct rmr_srv_pool *pool, struct rmr_pool_info *info);
bool rmr_srv_name_taken(const char *name, const char *addr);
int rmr_srv_sb_read(struct rmr_srv_pool *pool, struct rmr_sb *copies, u8 *damaged,
		    struct rmr_fault *fault);
int rmr_srv_sb_wipe(struct rmr_srv_pool *pool);
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
