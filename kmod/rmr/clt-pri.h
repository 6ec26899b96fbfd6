/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Internal to rmr_client.ko.
 *
 * A pool has legs, one for each member, a witness too, which gets no data. A leg that has
 * promised the pool's epoch has a link: one attachment over one session. A link never comes back
 * after a failure (R2.13); the leg gets a new one. Sessions are shared by the pools that have a
 * leg on the same node.
 *
 * Who does what: clt-io.c the data path; clt-ctl.c the live pool's controller, which never sleeps
 * for an answer; clt-view.c and clt-mark.c what the controller decides; clt-leg.c connects legs,
 * one work item each, which may sleep for long; clt-attach.c makes a pool live.
 *
 * Order of locks: pool->ctl_lock (mutex) -> pool->lock -> locks of a session.
 */
#ifndef RMR_CLT_PRI_H
#define RMR_CLT_PRI_H

#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <rmr/conn.h>
#include <rmr/rmr.h>
#include <uapi/linux/rmr.h>
#include "core/codec.h"
#include "core/attach.h"
#include "core/damp.h"
#include "core/leg.h"
#include "core/limits.h"
#include "core/read.h"
#include "core/table.h"

/* How often the controller looks at clocks, in ms. */
#define RMR_CLT_TICK_MS		250
#define RMR_CLT_ALIVE_MS	1000	/* between keepalives of a leg */
#define RMR_CLT_LEASE_MS	3000	/* T of R2.9 */
#define RMR_CLT_LEASE_MARGIN_MS	300	/* for clocks that run at different speed */
#define RMR_CLT_RETRY_MS	1000	/* least time between two attempts to connect a leg */
#define RMR_CLT_REPAIRS		4	/* read repairs of a pool at once */
#define RMR_CLT_REPAIR_BYTES	65536u	/* held, read and written back at once */

/* Chunks first .. first + count - 1. */
struct rmr_range {
	u64	first;
	u64	count;
};

/* A session to a storage node. Freed after a grace period when the last reference goes. */
struct rmr_clt_sess {
	struct list_head	entry;		/* of the list in clt-sess.c, under its lock */
	unsigned int		users;		/* under the same lock; 0: to be closed */
	struct kref		ref;
	struct rcu_head		rcu;
	struct mutex		open_lock;	/* held while the session is being opened */
	int			open_err;	/* 1: not tried yet */
	struct rmr_conn		conn;
	spinlock_t		lock;		/* guards the fields up to waiters */
	bool			dead;		/* nothing is sent any more */
	u8			reason;
	struct list_head	links;		/* struct rmr_clt_link.sess_entry */
	struct list_head	waiters;	/* struct rmr_clt_waiter.entry */
	struct work_struct	waiters_work;
	struct work_struct	close_work;
	u16			port;
	char			transport[RMR_TRANSPORT_NAME_LEN];
	char			addr[RMR_ADDR_LEN];
};

enum rmr_call_state { RMR_CALL_IDLE, RMR_CALL_SENT, RMR_CALL_DONE };

#define RMR_CALL_MSG	sizeof(struct rmr_msg_mark)
#define RMR_CALL_RSP	sizeof(struct rmr_rsp_list)

/*
 * One message at a time of one kind on a link, with room for its answer. IDLE -> SENT by its user,
 * SENT -> DONE by the answer or the end of the session, DONE -> IDLE by its user.
 */
struct rmr_clt_call {
	struct rmr_clt_waiter	waiter;
	struct rmr_clt_link	*link;
	u8			state;		/* enum rmr_call_state */
	int			status;
	void			*permit;
	u64			sent_ns;
	u64			tag;		/* of the user */
	u16			len;
	u16			rsp_len;
	struct scatterlist	sg;
	u8			msg[RMR_CALL_MSG];
	u8			*rsp;		/* RMR_CALL_RSP bytes, own allocation */
};

/* One attachment of a leg. References: the leg, its session's list, each call under way. */
struct rmr_clt_link {
	struct kref		ref;
	struct rcu_head		rcu;
	struct rmr_clt_leg	*leg;
	struct rmr_clt_sess	*sess;
	struct list_head	sess_entry;
	u32			gen;		/* of the leg, when the link was made */
	u32			handle;
	/* what the member told when it promised */
	struct rmr_epoch	promised;
	struct rmr_view		view;
	struct rmr_limits_le	limits;
	u64			size;		/* bytes of the pool */
	u32			cuts;		/* number of the last shrink it knows (R9.12) */
	u32			sb_flags;
	bool			busy;
	bool			restarted;
	bool			discarded;	/* lacks everything (R2.16) */
	struct rmr_sb_member	slot[RMR_MAX_MEMBERS];	/* its table, as told by it or to it */
	struct rmr_range	*uncertain;
	unsigned int		nr_uncertain;
	/* the rest belongs to the controller */
	u64			told;		/* number of the last view sent */
	u64			join_seq;	/* first write the leg got as an active one */
	u64			alive_ns;	/* when the last answered keepalive was sent */
	u64			next_alive_ns;
	u64			marks;		/* MARKs sent */
	unsigned int		marked;		/* ranges of uncertain persisted everywhere */
	u64			marked_joins;	/* pool->joins when that began */
	bool			settle;		/* SETTLE is to be sent */
	bool			joined;		/* active since now: join_seq is to be set */
	bool			ready_sent;
	bool			ready;		/* READY was answered since the leg became active */
	bool			promotable;	/* of the last answered keepalive */
	u64			step_view;
	u64			prepared;	/* view it may be promoted from */
	u64			lacking;
	struct rmr_sb_member	staged[RMR_MAX_MEMBERS];	/* told, but not to count yet */
	u8			staged_ids;
	u64			table_seen;	/* checksum in the last keepalive */
	u64			table_asked;	/* the same, when the table was asked for */
	u64			table_sum;	/* of the table that was told */
	bool			retired;	/* told that its place is free */
	struct rmr_clt_call	table;
	struct rmr_clt_call	alive;
	struct rmr_clt_call	set_view;
	struct rmr_clt_call	mark;
	struct rmr_clt_call	step;
};

/* What the worker of a leg is to do. */
enum rmr_leg_goal { RMR_LEG_REST, RMR_LEG_CONNECT, RMR_LEG_PROMISE };

struct rmr_clt_leg {
	struct rmr_clt_pool	*pool;
	struct rmr_clt_link __rcu *link;	/* changed under ctl_lock and pool->lock */
	u8			id;
	/* under pool->lock */
	u8			state;		/* enum rmr_leg_state */
	u8			reason;		/* enum rmr_reason */
	u32			gen;		/* counts links that failed */
	bool			failed;		/* the controller has to take the link away */
	/* the worker, see clt-leg.c */
	struct delayed_work	work;
	u8			goal;		/* under pool->lock */
	bool			working;	/* under pool->lock */
	int			result;		/* of the last attempt */
	struct rmr_clt_link	*next;		/* being made, of who may use result */
	struct rmr_sb_member	told;		/* its own slot, as who answered last has it */
	u64			told_size;	/* of the pool, and cuts, likewise */
	u32			told_cuts;
	/* under ctl_lock */
	bool			out;		/* ejected by command: does not return by itself */
	bool			hinted;		/* of a blank store that is no member yet */
	struct rmr_damp		damp;		/* of losses; read for show without lock */
	u64			since_ns;	/* in this state */
	u64			retry_ns;	/* not before */
	u32			returns;
	u32			ejections;
	u8			cause;		/* enum rmr_reason, of the last loss of U */
	/* any */
	u32			max_io;
	atomic_t		inflight;
	u64			latency_ns;	/* moving average, racy on purpose */
	atomic64_t		read_errors;
	atomic64_t		read_repairs;
	atomic64_t		read_repair_failures;
	atomic64_t		bad_data;
	struct rmr_member_info	member;
	struct rmr_io_stats __percpu *stats;
	struct rmr_hist __percpu *hist;
};

/* Marks that are being persisted on every sending leg: of writes, or of a returning leg. */
struct rmr_clt_marks {
	bool			active;
	u64			id;
	u8			bits;		/* members that lack the ranges */
	u8			on;		/* members that confirmed */
	u16			count;
	struct rmr_clt_link	*returning;	/* NULL: of writes in acks */
	struct rmr_range	range[RMR_MSG_RANGES];
};

/* Data that a leg could not read and another could, on its way back; owned by clt-repair.c. */
struct rmr_clt_repair {
	struct rmr_clt_pool	*pool;
	struct rmr_clt_req	*req;		/* own allocation */
	struct work_struct	work;		/* submits the next part */
	struct scatterlist	sg;
	void			*buf;		/* RMR_CLT_REPAIR_BYTES */
	/* under pool->lock */
	bool			busy;
	u8			to;		/* members whose store failed the read */
	u64			next;		/* bytes next .. end - 1 are left */
	u64			end;
};

#define RMR_CLT_BOUNCES		4	/* writes of a pool that are sent from a copy at once */
#define RMR_CLT_RESENDS		3	/* of a write whose data arrived harmed */

/* A copy of the data of a write, which nobody changes meanwhile; owned by clt-crc.c. */
struct rmr_clt_bounce {
	struct list_head	entry;		/* of pool->bounces, under pool->lock */
	void			*buf;		/* max_io bytes */
	struct scatterlist	sg[RMR_MAX_MEMBERS];	/* by slot */
};

struct rmr_clt_pool {
	/* I/O; lock may be taken in any context */
	spinlock_t		lock;		/* guards the fields up to epoch_le */
	u8			state;		/* enum rmr_device_state */
	u8			reason;
	bool			aborted;	/* nothing is served any more */
	bool			failing;	/* no leg for too long: I/O fails until live */
	bool			settled;	/* newest view established, no failure pending */
	u8			sending;	/* members that get new writes */
	u8			readable;	/* members that may be read */
	u8			missed;		/* MISSED, the controller has not seen it yet */
	struct rb_root_cached	ranges;		/* of started requests but flushes */
	struct list_head	writes;		/* started ones in order of seq */
	struct list_head	others;		/* started reads and flushes */
	struct list_head	waiting;	/* for an overlapping request to end */
	struct list_head	held;		/* for the pool to be live or a leg to read */
	struct list_head	acks;		/* answered, wait for a view or for marks */
	struct list_head	bounces;	/* free ones; below, requests that wait for one */
	struct list_head	bouncing;
	unsigned int		inflight;	/* submitted, not done */
	u64			next_seq;
	u64			held_total;
	struct rmr_epoch_le	epoch_le;	/* and view_le: what messages carry */
	__le64			view_le;
	u64			lease_ns;	/* reads are handed up until then; any context */
	wait_queue_head_t	idle;
	struct work_struct	kick;
	struct rmr_clt_repair	repair[RMR_CLT_REPAIRS];
	bool			no_repairs;	/* none starts: not ready yet, or closing */
	bool			data_crc;	/* data carries checksums */
	struct rmr_clt_bounce	bounce[RMR_CLT_BOUNCES];
	unsigned int		rr;		/* first leg looked at for the next read */
	struct rmr_io_stats __percpu *stats;
	struct rmr_hist __percpu *hist;
	/* control; process context */
	struct mutex		ctl_lock;	/* guards links, epoch and views */
	struct delayed_work	ctl;
	struct delayed_work	attach;
	struct work_struct	notify;
	struct work_struct	free;
	wait_queue_head_t	ctl_wait;	/* a call or a worker of a leg is done */
	atomic_t		links;		/* that exist */
	bool			closing;
	bool			takeover;	/* under lock, as epoch; read by workers */
	bool			forcing;	/* as takeover: may begin a new lineage (R2.15) */
	bool			quorum;		/* of the superblocks; a forced pool goes without */
	u8			holders;	/* forced: who was told of the new lineage */
	bool			has_lineage;	/* was live; under lock, as lineage */
	u8			lineage[RMR_UUID_LEN];	/* of the pool while mapped */
	u8			new_lineage[RMR_UUID_LEN];
	bool			superseded;	/* another client went live: never attach again */
	bool			overtaken;	/* a member promised another client: attach anew */
	bool			was_live;
	struct rmr_epoch	epoch;
	struct rmr_epoch	highest;	/* seen anywhere */
	struct rmr_epoch	before;		/* of the last attachment that went live */
	struct rmr_voters	voters;
	struct rmr_viewmaker	vm;
	u64			joins;		/* legs that became active */
	struct rmr_clt_marks	marks;
	u64			suspended_ns;
	u32			stall_ms;
	u32			suspend_ms;	/* 0: fail at once; U32_MAX: wait for ever */
	struct rmr_table	table;		/* under lock too */
	struct rmr_sb_member	claim[RMR_MAX_MEMBERS];	/* of blank stores that were met */
	bool			table_ok;	/* every change is where it has to be (R9.6) */
	u64			client_id;
	const struct rmr_clt_pool_ops *ops;
	void			*priv;
	struct rmr_clt_limits	limits;		/* size: under lock */
	u32			cuts;		/* number of the last shrink (R9.12) */
	u8			uuid[RMR_UUID_LEN];
	u16			port;
	char			name[RMR_NAME_LEN];
	char			node[RMR_NAME_LEN];
	char			transport[RMR_TRANSPORT_NAME_LEN];
	unsigned int		nr_legs;		/* slots of leg[], used or not */
	struct rmr_clt_leg	leg[RMR_MAX_MEMBERS];	/* by member id */
};

/* Why an attach was refused, for the user of the command or for the log. */
struct rmr_clt_refusal {
	struct netlink_ext_ack *extack;		/* NULL in recovery */
	u8	reason;
};

#define rmr_clt_info(pool, fmt, ...) \
	pr_info("rmr %s: " fmt, (pool)->name, ##__VA_ARGS__)
#define rmr_clt_warn(pool, fmt, ...) \
	pr_warn_ratelimited("rmr %s: " fmt, (pool)->name, ##__VA_ARGS__)

/* What was sent before this time is past its deadline; the clock starts at boot. */
static inline u64 rmr_clt_stalled_before_ns(const struct rmr_clt_pool *pool)
{
	u64 now = ktime_get_ns(), stall_ns = (u64)pool->stall_ms * NSEC_PER_MSEC;

	return now > stall_ns ? now - stall_ns : 0;
}

/* Every write with a lower number has ended. Caller: pool->lock. */
static inline u64 rmr_clt_below(struct rmr_clt_pool *pool)
{
	const struct rmr_clt_req *first;

	first = list_first_entry_or_null(&pool->writes, struct rmr_clt_req, entry);
	return first ? first->low : pool->next_seq;
}

static inline bool rmr_clt_leg_votes_only(const struct rmr_clt_leg *leg)
{
	return leg->member.kind == RMR_MEMBER_WITNESS;
}

/* Is there a member of this id? Legs appear and go while the pool is mapped. */
static inline bool rmr_clt_leg_used(const struct rmr_clt_leg *leg)
{
	return READ_ONCE(leg->member.kind) != RMR_MEMBER_NONE;
}

static inline struct rmr_clt_link *rmr_clt_leg_link(struct rmr_clt_leg *leg)
{
	return rcu_dereference_protected(leg->link, lockdep_is_held(&leg->pool->ctl_lock));
}

/* clt-sess.c */
struct rmr_clt_sess *rmr_clt_sess_get(const char *transport, const char *addr, u16 port,
				      const char *node);
void rmr_clt_sess_put(struct rmr_clt_sess *sess);
void rmr_clt_sess_kill(struct rmr_clt_sess *sess, u8 reason);
void *rmr_clt_sess_permit(struct rmr_clt_sess *sess, struct rmr_clt_waiter *waiter);
void rmr_clt_sess_unpermit(struct rmr_clt_sess *sess, void *permit);

/* Pairs with the release in call_finish(): who sees DONE sees the answer. */
static inline u8 rmr_clt_call_state(const struct rmr_clt_call *call)
{
	/* As above. */
	return smp_load_acquire(&call->state);
}

/* clt-call.c */
struct rmr_clt_link *rmr_clt_link_new(struct rmr_clt_leg *leg, struct rmr_clt_sess *sess);
void rmr_clt_link_drop(struct rmr_clt_link *link);
void rmr_clt_link_put(struct rmr_clt_link *link);
void *rmr_clt_call_msg(struct rmr_clt_call *call, u16 type, size_t len, size_t rsp_len);
void rmr_clt_call_send(struct rmr_clt_call *call);
int rmr_clt_call_wait(struct rmr_clt_call *call, unsigned int ms);

/* clt-io.c */
void rmr_clt_io_init(struct rmr_clt_pool *pool);
void rmr_clt_leg_failed(struct rmr_clt_leg *leg, u32 gen, u8 reason);
void rmr_clt_kick(struct rmr_clt_pool *pool);
void rmr_clt_end_locked(struct rmr_clt_req *req, int status, struct list_head *done);
void rmr_clt_end_list(struct list_head *done);
u8 rmr_clt_status_reason(int status);

/* clt-stat.c */
int rmr_clt_stat_alloc(struct rmr_clt_pool *pool);
void rmr_clt_stat_free(struct rmr_clt_pool *pool);
void rmr_clt_stat_end(const struct rmr_clt_req *req);

/* clt-repair.c */
void rmr_clt_repair_init(struct rmr_clt_pool *pool);
int rmr_clt_repair_alloc(struct rmr_clt_pool *pool);
void rmr_clt_repair_stop(struct rmr_clt_pool *pool);
void rmr_clt_repair_free(struct rmr_clt_pool *pool);
void rmr_clt_repair_begin(struct rmr_clt_req *read);
void rmr_clt_repair_abandon(struct rmr_clt_pool *pool, struct list_head *done);

/* clt-crc.c */
u32 rmr_clt_crc(const struct rmr_clt_req *req);
struct scatterlist *rmr_clt_bounce_sg(struct rmr_clt_req *req, unsigned int slot);
bool rmr_clt_bounce(struct rmr_clt_req *req);
void rmr_clt_bounce_put(struct rmr_clt_req *req);
void rmr_clt_bounce_init(struct rmr_clt_pool *pool);
int rmr_clt_bounce_alloc(struct rmr_clt_pool *pool);
void rmr_clt_bounce_free(struct rmr_clt_pool *pool);

/* clt-hold.c */
void rmr_clt_suspend(struct rmr_clt_pool *pool, u8 reason);
bool rmr_clt_drained(struct rmr_clt_pool *pool);
void rmr_clt_resume(struct rmr_clt_pool *pool, bool alone);
void rmr_clt_fail_queued(struct rmr_clt_pool *pool, bool for_good);
void rmr_clt_check_stalls(struct rmr_clt_pool *pool);

/* clt-leg.c */
void rmr_clt_leg_init(struct rmr_clt_leg *leg);
void rmr_clt_leg_go(struct rmr_clt_leg *leg, enum rmr_leg_goal goal, unsigned int delay_ms);
bool rmr_clt_leg_resting(struct rmr_clt_leg *leg);
void rmr_clt_leg_state(struct rmr_clt_leg *leg, u8 state, u8 reason);
int rmr_clt_link_lacks_all(struct rmr_clt_link *link);
int rmr_clt_leg_refused(struct rmr_clt_leg *leg, struct rmr_clt_refusal *why, int err);
void rmr_clt_legs_stop(struct rmr_clt_pool *pool);
const char *rmr_clt_status_text(int err);
u8 rmr_clt_err_reason(int err);

/* clt-ctl.c */
void rmr_clt_ctl_init(struct rmr_clt_pool *pool);
void rmr_clt_ctl_kick(struct rmr_clt_pool *pool);
void rmr_clt_changed(struct rmr_clt_pool *pool);
void rmr_clt_golive(struct rmr_clt_pool *pool, const struct rmr_view *view, bool alone);
void rmr_clt_drop_link(struct rmr_clt_leg *leg);
void rmr_clt_take_link(struct rmr_clt_leg *leg);
u8 rmr_clt_linked(struct rmr_clt_pool *pool);

/* clt-mark.c */
void rmr_clt_marks_run(struct rmr_clt_pool *pool);
void rmr_clt_acks_remark(struct rmr_clt_pool *pool);
void rmr_clt_acks_run(struct rmr_clt_pool *pool);

/* clt-resize.c */
void rmr_clt_clip_uncertain(struct rmr_clt_link *link, u64 chunks);
void rmr_clt_agree_size(struct rmr_clt_pool *pool, u8 active);
void rmr_clt_refuse_small(struct rmr_clt_pool *pool);

/* clt-attach.c */
int rmr_clt_attach(struct rmr_clt_pool *pool, bool takeover, struct rmr_clt_refusal *why);
void rmr_clt_attach_work(struct work_struct *work);
int rmr_clt_detach(struct rmr_clt_pool *pool, bool clean);

/* clt-table.c */
bool rmr_clt_leg_wanted(struct rmr_clt_leg *leg);
u8 rmr_clt_leg_kept_out(struct rmr_clt_leg *leg);
bool rmr_clt_legs_follow(struct rmr_clt_pool *pool);
void rmr_clt_claim_met(struct rmr_clt_leg *leg);
void rmr_clt_claim_lost(struct rmr_clt_leg *leg);
enum rmr_identity rmr_clt_identity(struct rmr_clt_leg *leg, const struct rmr_clt_link *link);
bool rmr_clt_table_gather(struct rmr_clt_pool *pool);
bool rmr_clt_link_knows(struct rmr_clt_pool *pool, const struct rmr_clt_link *link);
void rmr_clt_fill_slot(struct rmr_clt_pool *pool, struct rmr_clt_call *call, unsigned int id,
		       const struct rmr_sb_member *slot, bool more);
void rmr_clt_table_leg(struct rmr_clt_pool *pool, struct rmr_clt_link *link);
void rmr_clt_table_run(struct rmr_clt_pool *pool);

/* clt.c */
void rmr_clt_common_limits(struct rmr_clt_pool *pool);
extern struct workqueue_struct *rmr_clt_wq;
extern struct workqueue_struct *rmr_clt_recover_wq;

#endif /* RMR_CLT_PRI_H */
