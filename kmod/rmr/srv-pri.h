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
#include "core/errs.h"
#include "core/intent.h"
#include "core/leg.h"
#include "core/map.h"
#include "core/plan.h"
#include "core/rate.h"
#include "core/table.h"
#include "core/verify.h"
#include "core/window.h"
#include "srv-trigger.h"

#define RMR_SYNC_DEPTH_MAX	16u	/* copies of a pool at once */
#define RMR_VERIFY_DEPTH_MAX	8u	/* chunks of a pool compared at once */
#define RMR_DISK_SLOTS		16u	/* of times that requests went to the disk */

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
	u64	read_errors;
	u64	write_errors;
	u64	write_retries;
	u64	bad_data;
	s64	inflight;			/* sum over CPUs, like the next */
	s64	at_disk[RMR_DISK_SLOTS];
};

/* What this node knows of the disk under a member. Owned by srv-disk.c. */
struct rmr_srv_disk {
	spinlock_t		lock;		/* guards errs and others */
	struct rmr_errs		errs;
	u64			others;		/* errors that have no place */
	u8			policy;		/* RMR_SB_REPAIR, ...; under pool->lock */
	bool			left;		/* set under pool->lock */
	atomic_t		retrying;
	struct work_struct	leave_work;
	struct delayed_work	tick;
	unsigned int		slot;		/* of now; tick only, as the next two */
	u64			slot_ns[RMR_DISK_SLOTS];	/* when it began */
	u64			hung_ns;	/* oldest late request, 0: none */
};

/* A chunk that is being compared: does a write come meanwhile? */
struct rmr_srv_watch {
	u64	chunk;
	bool	used;
	bool	written;
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
	u64			advanced;	/* jiffies, its fills; map_work only */
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
	bool			blank;		/* joined without data: compare before a copy */
	bool			broken;		/* the map cannot be written any more */
	u64			generation;	/* of the promise and view: older copies are void */
	unsigned int		applying;	/* chunks that a copy is being written to */
	u64			applying_chunk[RMR_SYNC_DEPTH_MAX];
	struct rmr_srv_watch	watch[RMR_VERIFY_DEPTH_MAX];	/* of srv-verify.c */
	unsigned int		watching;	/* of them in use */
	struct rmr_map		wrong;		/* to lack at the next return (R5.11): from whom */
	struct rmr_map		right;		/* the same of the present return */
	bool			rejoin;		/* the client is to take the leg out and back */
	struct list_head	blocked;	/* writes behind a copy being written */
	struct list_head	unstable;	/* writes behind the map's way to disk */
	struct list_head	copies;		/* struct dup: copies of running writes */
	u64			sync_want;	/* tickets of the map writer */
	u64			sync_done;
	u64			latency_ns;	/* moving average of application I/O, racy */
	u64			busy_jiffies;	/* of the last application I/O, racy */
	u64			lazy_seq;	/* highest_seq at the last lazy pass */
	wait_queue_head_t	wait;		/* sync_done, applying */
	struct mutex		place;		/* of the map on disk: held over a write of it */
	struct work_struct	map_work;
	struct delayed_work	lazy_work;
	struct mutex		flush_lock;	/* group flush of copies */
	atomic64_t		flush_want;
	u64			flush_done;	/* under flush_lock */
	void			*buf;		/* one map block, map_work only */
	u64			table_sum;	/* of the member table and a claim */
	u8			members;	/* data members of the table */
	u8			self;		/* mask of this member */
	u8			id;
	u32			chunk_shift;
	bool			running;
};

/* One member of a pool, served by this node. */
struct rmr_srv_pool {
	struct rcu_head		rcu;		/* kfree_rcu() wants it in the first 4 KiB */
	struct list_head	entry;		/* of rmr_srv_pools, under rmr_srv_lock */
	struct kref		ref;
	struct mutex		lock;		/* guards the fields up to stats */
	struct rmr_sb		*sb;		/* as last written */
	struct mutex		sb_lock;	/* inside lock or alone: a superblock write */
	struct rmr_sb		*sb_next;	/* being written; under sb_lock, as the next */
	bool			wiped;		/* no store any more */
	u8			parting;	/* members whose fills end with the present write */
	struct rmr_srv_attach	*attach;
	struct rmr_srv_track	track;
	struct rmr_srv_disk	disk;
	struct rmr_srv_sync	*sync;		/* of srv-sync.c; set before the pool is found */
	struct rmr_srv_verify	*verify;	/* of srv-verify.c, likewise */
	bool			growing;	/* room is being made, see srv-resize.c */
	bool			gone;		/* stopped; nothing may start any more */
	bool			retired;	/* no member any more; is being ended */
	struct rmr_sb_member	claim;		/* of a blank store, as it said itself */
	u64			claim_until;	/* jiffies */
	u8			claim_id;
	bool			witness;	/* votes only: no data, no map */
	bool			data_crc;	/* data carries checksums */
	u8			state;
	u8			reason;
	u8			damaged;
	struct rmr_srv_stats __percpu *stats;
	struct rmr_hist __percpu *hist;		/* of requests at the store */
	struct delayed_work	claim_work;
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
	char			md_device[RMR_PATH_LEN];	/* "": device */
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
	struct rmr_sb_member	staged[RMR_MAX_MEMBERS];	/* told, count with the last one */
	u8			staged_ids;
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

/* The member that a message is for, by its field "to". */
static inline u8 rmr_srv_to(u8 to)
{
	return to ? to - 1 : RMR_NO_MEMBER;
}

#define rmr_srv_info(pool, fmt, ...) do {						\
	const struct rmr_srv_pool *_pool = (pool);					\
	pr_info("rmr %s/%u: " fmt, _pool->name, _pool->id, ##__VA_ARGS__);		\
} while (0)
#define rmr_srv_warn(pool, fmt, ...) do {						\
	const struct rmr_srv_pool *_pool = (pool);					\
	pr_warn_ratelimited("rmr %s/%u: " fmt, _pool->name, _pool->id, ##__VA_ARGS__);	\
} while (0)

/* Members that hold data, a mask. */
static inline u8 rmr_srv_data_members(const struct rmr_sb *sb)
{
	return rmr_table_voters(sb->member, false).data;
}

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
void rmr_srv_io_end(struct rmr_srv_pool *pool, struct rmr_store_io *io, int status);
void rmr_srv_io(struct rmr_srv_sess *sess, void *op, const struct rmr_msg_io *msg, void *data,
		size_t len);

/* srv-attach.c: messages about a pool; each returns an RMR_ST_* or errno. */
int rmr_srv_pool_info_msg(struct rmr_srv_sess *sess, const void *msg, void *rsp);
int rmr_srv_attach_msg(struct rmr_srv_sess *sess, const void *msg, void *rsp);
int rmr_srv_view_msg(struct rmr_srv_sess *sess, const void *msg);
int rmr_srv_detach_msg(struct rmr_srv_sess *sess, const void *msg);
void rmr_srv_fill_pool(struct rmr_srv_pool *pool, struct rmr_rsp_pool *rsp, u32 handle);
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

/* srv-disk.c */
int rmr_srv_disk_refuses(const struct rmr_srv_pool *pool);
bool rmr_srv_disk_hangs(const struct rmr_srv_pool *pool);
int rmr_srv_disk_lock(struct rmr_srv_pool *pool);
void rmr_srv_disk_broken(struct rmr_srv_pool *pool);
bool rmr_srv_disk_failed(struct rmr_srv_pool *pool, const struct rmr_store_io *io);
int rmr_srv_disk_status(const struct rmr_srv_pool *pool, const struct rmr_store_io *io);
void rmr_srv_disk_sent(struct rmr_srv_pool *pool, struct rmr_store_io *io);
void rmr_srv_disk_answered(struct rmr_srv_pool *pool, const struct rmr_store_io *io);
void rmr_srv_disk_init(struct rmr_srv_pool *pool);
void rmr_srv_disk_start(struct rmr_srv_pool *pool);
void rmr_srv_disk_stop(struct rmr_srv_pool *pool);
int rmr_srv_disk_command(struct rmr_srv_pool *pool, const struct rmr_pool_spec *spec,
			 struct netlink_ext_ack *extack);
void rmr_srv_disk_info(struct rmr_srv_pool *pool, struct rmr_pool_info *info);

/* srv-digest.c */
int rmr_srv_digest_msg(struct rmr_srv_sess *sess, const void *msg, void *rsp);
/* Digests of count blocks of the data area from byte off on. Sleeps. */
int rmr_srv_digest_read(struct rmr_srv_pool *pool, u64 off, u32 count, const u8 *key, u8 *digest);

/* srv-verify.c */
int rmr_srv_verify_init(struct rmr_srv_pool *pool);
void rmr_srv_verify_stop(struct rmr_srv_pool *pool);
void rmr_srv_verify_free(struct rmr_srv_pool *pool);
int rmr_srv_verify_command(const struct rmr_pool_spec *spec, struct netlink_ext_ack *extack);
void rmr_srv_verify_info(struct rmr_srv_pool *pool, struct rmr_pool_info *info);
bool rmr_srv_verify_hold(struct rmr_srv_pool *pool);
void rmr_srv_verify_let(struct rmr_srv_pool *pool);
int rmr_srv_verify_difference(struct rmr_srv_pool *pool, unsigned int i,
			      struct rmr_difference_info *info);
bool rmr_srv_verify_steady(const struct rmr_srv_track *t, u64 chunk);
void rmr_srv_verify_written(struct rmr_srv_track *t, u64 first, u64 last);
void rmr_srv_verify_promised(struct rmr_srv_track *t, bool same);
u8 rmr_srv_verify_sources(const struct rmr_srv_track *t, u64 chunk, u8 members);
int rmr_srv_verify_module_init(void);
void rmr_srv_verify_module_exit(void);

/* srv-peer.c */
bool rmr_srv_same_epoch(struct rmr_srv_pool *pool, const struct rmr_epoch_le *epoch);
struct rmr_srv_pool *rmr_srv_peer_pool(struct rmr_srv_sess *sess, const u8 *uuid,
				       const struct rmr_epoch_le *epoch, u8 from, u8 to);
int rmr_srv_clear_msg(struct rmr_srv_sess *sess, const void *msg, void *rsp);
int rmr_srv_map_pull_msg(struct rmr_srv_sess *sess, const void *msg, void *rsp);
int rmr_srv_fine_msg(struct rmr_srv_sess *sess, const void *msg, void *rsp);
int rmr_srv_resync_read_msg(struct rmr_srv_sess *sess, const void *msg, void *data, size_t len);
int rmr_srv_store_rw(struct rmr_srv_pool *pool, u8 op, u64 off, void *data, u32 len);
int rmr_srv_area_read(struct rmr_srv_pool *pool, u64 off, void *data, u32 len);

/* srv-sync.c */
int rmr_srv_sync_init(struct rmr_srv_pool *pool);
void rmr_srv_sync_stop(struct rmr_srv_pool *pool);
void rmr_srv_sync_free(struct rmr_srv_pool *pool);
void rmr_srv_sync_kick(struct rmr_srv_pool *pool);
int rmr_srv_sync_resize(struct rmr_srv_pool *pool, u64 chunks, void **spare);
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
/* srv-table.c */
int rmr_srv_member_set_msg(struct rmr_srv_sess *sess, const void *msg);
int rmr_srv_member(const struct rmr_pool_spec *spec, struct netlink_ext_ack *extack);
const struct rmr_sb_member *rmr_srv_claim(const struct rmr_srv_pool *pool);
void rmr_srv_table_note(struct rmr_srv_pool *pool);
int rmr_srv_slot_wish(struct rmr_srv_pool *pool, unsigned int id, const struct rmr_sb_member *slot);
int rmr_srv_claim_heard(struct rmr_srv_pool *pool, unsigned int id,
			const struct rmr_sb_member *slot);
void rmr_srv_claim_start(struct rmr_srv_pool *pool);
void rmr_srv_claim_stop(struct rmr_srv_pool *pool);
void rmr_srv_table_exit(void);

/* srv-blank.c */
int rmr_srv_replace(const struct rmr_pool_spec *spec, struct rmr_pool_info *info,
		    struct netlink_ext_ack *extack);
int rmr_srv_blank_join(const struct rmr_pool_spec *spec, const struct rmr_rsp_pool *rsp, int id,
		       struct rmr_pool_info *info, struct netlink_ext_ack *extack);
int rmr_srv_tell_slot(const struct rmr_sb *sb, unsigned int to, unsigned int id);
int rmr_srv_free_place(const struct rmr_rsp_pool *rsp, u8 replaces);
/* srv-device.c: stores on two devices. */
struct rmr_srv_grow;
int rmr_srv_device_refuse(struct rmr_srv_pool *pool, bool force, struct netlink_ext_ack *extack);
int rmr_srv_device_place(struct rmr_srv_pool *pool, u64 size, u32 chunk_size,
			 struct netlink_ext_ack *extack);
int rmr_srv_device_format(struct rmr_srv_pool *pool, struct netlink_ext_ack *extack);
int rmr_srv_device_wipe(struct rmr_srv_pool *pool);
int rmr_srv_device_check(struct rmr_srv_pool *pool, struct netlink_ext_ack *extack);
int rmr_srv_device_plan(struct rmr_srv_pool *pool, const struct rmr_pool_spec *spec,
			struct rmr_srv_grow *g, struct netlink_ext_ack *extack);
int rmr_srv_device_zero(struct rmr_srv_pool *pool, const struct rmr_srv_grow *g, bool zeroed);
int rmr_srv_device_label(struct rmr_srv_pool *pool);
int rmr_srv_device_forget(struct rmr_srv_pool *pool, const struct rmr_srv_grow *g);
u64 rmr_srv_device_grown(struct rmr_srv_pool *pool);

/*
 * Room for a larger pool, as srv-resize.c makes it: bytes all. store_size and map_off are of the
 * device with the metadata; data_size is 0 where that is the only one.
 */
struct rmr_srv_grow {
	u64	store_size;
	u64	map_off;
	u64	room;
	u64	data_size;
	u64	old_size;
	u64	old_off;
	u64	old_data;
	u64	old_stub;		/* U64_MAX: none */
	u64	from;			/* data from here on is not known to be zero */
	bool	move;
};

/* srv-resize.c */
int rmr_srv_grow_refuse(struct rmr_srv_pool *pool, const struct rmr_pool_spec *spec, u64 most,
			u64 *want, struct netlink_ext_ack *extack);
int rmr_srv_grow_range(struct rmr_srv_pool *pool, u64 from, u64 end);
int rmr_srv_grow(const struct rmr_pool_spec *spec, struct netlink_ext_ack *extack);
int rmr_srv_resize_msg(struct rmr_srv_sess *sess, const void *msg, void *rsp);

/* srv-make.c */
int rmr_srv_refuse_store(struct rmr_srv_pool *pool, bool force, struct netlink_ext_ack *extack);
int rmr_srv_sb_fill(struct rmr_srv_pool *pool, const struct rmr_pool_spec *spec, u64 size,
		    u32 chunk_size, u8 id, struct netlink_ext_ack *extack);
int rmr_srv_format(struct rmr_srv_pool *pool, struct netlink_ext_ack *extack);
int rmr_srv_join_ask(const struct rmr_pool_spec *spec, struct rmr_rsp_pool *rsp,
		     struct netlink_ext_ack *extack);
int rmr_srv_join_refused(int err, struct netlink_ext_ack *extack, const char *addr);
int rmr_srv_create(const struct rmr_pool_spec *spec, struct rmr_pool_info *info,
		   struct netlink_ext_ack *extack);
int rmr_srv_join(const struct rmr_pool_spec *spec, struct rmr_pool_info *info,
		 struct netlink_ext_ack *extack);

/* srv-pool.c */
extern struct mutex rmr_srv_command_lock;
struct rmr_srv_pool *rmr_srv_pool_open(const struct rmr_pool_spec *spec,
				       struct netlink_ext_ack *extack);
int rmr_srv_pool_publish(struct rmr_srv_pool *pool, struct rmr_pool_info *info,
			 struct netlink_ext_ack *extack);
void rmr_srv_pool_adopt_sb(struct rmr_srv_pool *pool);
void rmr_srv_pool_fill_info(struct rmr_srv_pool *pool, struct rmr_pool_info *info);
bool rmr_srv_name_taken(const char *name, const char *addr, const u8 *uuid, u8 id);
int rmr_srv_sb_read(struct rmr_srv_pool *pool, u64 size, struct rmr_sb *copies, u8 *damaged,
		    struct rmr_fault *fault);
int rmr_srv_sb_wipe(struct rmr_srv_pool *pool);
struct rmr_srv_pool *rmr_srv_pool_find(struct rmr_srv_sess *sess, const char *name,
				       const u8 *uuid, u8 id);
struct rmr_srv_pool *rmr_srv_pool_named(const struct rmr_pool_spec *spec,
					struct netlink_ext_ack *extack);
struct rmr_srv_pool *rmr_srv_pool_teller(const struct rmr_pool_spec *spec,
					 struct netlink_ext_ack *extack);
void rmr_srv_pool_put(struct rmr_srv_pool *pool);
/*
 * Writes pool->sb_next as the next superblock and makes it pool->sb; ends what rmr_srv_sb_begin()
 * began. Caller: pool->lock.
 */
int rmr_srv_sb_commit(struct rmr_srv_pool *pool);
void rmr_srv_sb_begin(struct rmr_srv_pool *pool);
/* Ends what rmr_srv_sb_begin() began, and nothing has changed. */
void rmr_srv_sb_abandon(struct rmr_srv_pool *pool);
/* Writes what the map's fills have become, and nothing else. Caller: not pool->lock. Sleeps. */
int rmr_srv_sb_fills(struct rmr_srv_pool *pool);
void rmr_srv_pool_state(struct rmr_srv_pool *pool, u8 state, u8 reason);
void rmr_srv_pool_notify(struct rmr_srv_pool *pool);
void rmr_srv_pool_end(struct rmr_srv_pool *pool);
void rmr_srv_pools_reap(void);
extern struct rmr_srv_ctl rmr_srv_commands;
void rmr_srv_pools_stop(void);

#endif /* RMR_SRV_PRI_H */
