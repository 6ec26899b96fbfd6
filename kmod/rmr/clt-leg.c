// SPDX-License-Identifier: GPL-2.0-only
/*
 * Legs: each has a worker that connects it, checks who answers, asks for the promise and for the
 * uncertain set, and leaves the result in leg->next. It may sleep for long (RTRS needs up to 30 s
 * to find out that a node is dead), so it holds no lock meanwhile and nobody has to wait for it:
 * attach does for a while, the controller takes what is there.
 *
 * Locks: pool->lock for goal, working and state. leg->next, leg->result: of the worker while
 * working is set, else of who holds ctl_lock.
 */
#include <linux/slab.h>

#include "clt-pri.h"

#define PROMISE_MS	10000		/* a member drains older requests before it promises */

const char *rmr_clt_status_text(int err)
{
	switch (err) {
	case RMR_ST_NOPOOL:	return "no such pool there";
	case RMR_ST_BUSY:	return "in use by another client";
	case RMR_ST_FENCED:	return "fenced by a newer client";
	case RMR_ST_VERSION:	return "protocol version or transport";
	case RMR_ST_MALFORMED:	return "malformed answer";
	case -ECONNREFUSED:	return "connection refused";
	case -ECONNABORTED:	return "connection lost";
	case -EIO:		return "its store failed";
	case RMR_ST_LEFT:	return "left the pool: its disk failed too often";
	case RMR_ST_HUNG:	return "its disk does not answer";
	case -ETIMEDOUT:	return "no answer";
	case -EMEDIUMTYPE:	return "another pool, store or size than expected";
	case -EFBIG:		return "smaller than the device: repeat its shrink";
	case -ENOTUNIQ:		return "another history: split brain";
	case -EKEYREVOKED:	return "another store has its place";
	case -ERANGE:		return "its queue limits do not fit the mapped device";
	case -EINVAL:		return "bad address";
	}
	return "not reachable";
}

u8 rmr_clt_err_reason(int err)
{
	switch (err) {
	case RMR_ST_FENCED:	return RMR_REASON_FENCED;
	case RMR_ST_VERSION:	return RMR_REASON_VERSION;
	case -EIO:
	case RMR_ST_LEFT:	return RMR_REASON_STORE_ERROR;
	case RMR_ST_HUNG:
	case -ETIMEDOUT:	return RMR_REASON_TIMEOUT;
	case -EMEDIUMTYPE:	return RMR_REASON_IDENTITY;
	case -EFBIG:		return RMR_REASON_TOO_SMALL;
	case -ENOTUNIQ:		return RMR_REASON_SPLIT_BRAIN;
	case -EKEYREVOKED:	return RMR_REASON_REPLACED;
	case -ERANGE:		return RMR_REASON_LIMITS;
	case RMR_ST_NOPOOL:
	case RMR_ST_BUSY:
	case RMR_ST_MALFORMED:	return RMR_REASON_REFUSED;
	}
	return RMR_REASON_CONNECT;
}

/* Notes why an attach cannot use the leg. */
int rmr_clt_leg_refused(struct rmr_clt_leg *leg, struct rmr_clt_refusal *why, int err)
{
	why->reason = rmr_clt_err_reason(err);
	if (why->extack)
		NL_SET_ERR_MSG_FMT(why->extack, "member %u (%.20s): %s (%d)", leg->id,
				   leg->member.addr[0], rmr_clt_status_text(err), err);
	return err;
}

static const char * const state_names[] = {
	[RMR_LEG_STATE_CONNECTING]	= "connecting",
	[RMR_LEG_STATE_UP_TO_DATE]	= "up-to-date",
	[RMR_LEG_STATE_FAILED]		= "failed",
	[RMR_LEG_STATE_PROMISED]	= "promised",
	[RMR_LEG_STATE_JOINING]		= "joining",
	[RMR_LEG_STATE_SYNCING]		= "syncing",
	[RMR_LEG_STATE_VOTING]		= "voting",
};

/* States without promise differ only in what is shown. */
static const u8 core_state[] = {
	[RMR_LEG_STATE_CONNECTING]	= RMR_LEG_ABSENT,
	[RMR_LEG_STATE_UP_TO_DATE]	= RMR_LEG_UP_TO_DATE,
	[RMR_LEG_STATE_FAILED]		= RMR_LEG_ABSENT,
	[RMR_LEG_STATE_PROMISED]	= RMR_LEG_PROMISED,
	[RMR_LEG_STATE_JOINING]		= RMR_LEG_JOINING,
	[RMR_LEG_STATE_SYNCING]		= RMR_LEG_SYNCING,
	[RMR_LEG_STATE_VOTING]		= RMR_LEG_PROMISED,
};

/* Does any event lead there? */
static bool change_is_legal(u8 from, u8 to)
{
	unsigned int event;

	for (event = 0; event < RMR_LEG_EVENTS; event++)
		if (rmr_leg_next(core_state[from], event) == core_state[to])
			return true;
	return false;
}

/* The one place where the state of a leg changes. One line for each change of state. */
void rmr_clt_leg_state(struct rmr_clt_leg *leg, u8 state, u8 reason)
{
	struct rmr_clt_pool *pool = leg->pool;
	u8 old;

	spin_lock_irq(&pool->lock);
	old = leg->state;
	WRITE_ONCE(leg->state, state);
	leg->reason = reason;
	spin_unlock_irq(&pool->lock);
	if (old == state)
		return;
	WARN_ONCE(!change_is_legal(old, state), "leg %u: %s -> %s\n", leg->id, state_names[old],
		  state_names[state]);
	leg->since_ns = ktime_get_ns();
	rmr_clt_info(pool, "leg %u: %s -> %s reason %u\n", leg->id, state_names[old],
		     state_names[state], reason);
}

/* ---- the worker ---- */

static int leg_connect(struct rmr_clt_leg *leg)
{
	struct rmr_clt_pool *pool = leg->pool;
	struct rmr_clt_sess *sess;
	int err = -EINVAL;
	unsigned int i;

	for (i = 0; i < RMR_MEMBER_ADDRS && leg->member.addr[i][0]; i++) {
		sess = rmr_clt_sess_get(pool->transport, leg->member.addr[i], pool->port,
					pool->node);
		err = PTR_ERR_OR_ZERO(sess);
		if (err)
			continue;
		leg->next = rmr_clt_link_new(leg, sess);
		if (leg->next)
			return 0;
		rmr_clt_sess_put(sess);
		return -ENOMEM;
	}
	return err;
}

/* Can the pool's device, made with other legs, be served by this one too? */
static bool limits_fit(const struct rmr_clt_pool *pool, const struct rmr_limits_le *leg,
		       const struct rmr_tp_attrs *attrs)
{
	const struct rmr_limits_le *all = &pool->limits.store;

	return attrs->max_io >= pool->limits.max_io &&
	       attrs->max_segments >= pool->limits.max_segments &&
	       le32_to_cpu(leg->logical_block) <= le32_to_cpu(all->logical_block) &&
	       le32_to_cpu(leg->discard_max) >= le32_to_cpu(all->discard_max);
}

/* R2.15: nobody of another lineage is asked for a promise by a pool that was live. */
static bool same_history(struct rmr_clt_pool *pool, const u8 *lineage)
{
	bool same;

	spin_lock_irq(&pool->lock);
	same = !pool->has_lineage || !memcmp(pool->lineage, lineage, RMR_UUID_LEN);
	spin_unlock_irq(&pool->lock);
	return same;
}

/* R9.5; -EINPROGRESS: a blank store that may be taken up. */
static int identity(struct rmr_clt_leg *leg, const struct rmr_clt_link *link)
{
	switch (rmr_clt_identity(leg, link)) {
	case RMR_STORE_MEMBER:
		return 0;
	case RMR_STORE_CLAIM:
		return -EINPROGRESS;
	default:
		return -EKEYREVOKED;
	}
}

/*
 * Does who answered belong to the pool? Takes over what it told. An attach asks before it knows the
 * table, and looks at the identity itself.
 */
static int leg_learn(struct rmr_clt_leg *leg, struct rmr_clt_call *call, u8 goal)
{
	const struct rmr_rsp_pool *rsp = (void *)call->rsp;
	struct rmr_clt_link *link = leg->next;
	struct rmr_clt_pool *pool = leg->pool;
	struct rmr_fault fault;
	int err;

	if (rmr_rsp_pool_check(rsp, sizeof(*rsp), &fault)) {
		rmr_clt_warn(pool, "leg %u: answer refused: %s %s\n", leg->id, fault.field,
			     fault.why);
		return RMR_ST_MALFORMED;
	}
	if (memcmp(rsp->pool_uuid, pool->uuid, RMR_UUID_LEN) || rsp->member_id != leg->id ||
	    le32_to_cpu(rsp->chunk_size) != pool->limits.chunk_size ||
	    !(le32_to_cpu(rsp->sb_flags) & RMR_SB_F_QUORUM) != !pool->quorum ||
	    !(le32_to_cpu(rsp->sb_flags) & RMR_SB_F_DATA_CRC) != !pool->data_crc)
		return -EMEDIUMTYPE;
	link->size = le64_to_cpu(rsp->pool_size);
	link->cuts = le32_to_cpu(rsp->cuts);
	WRITE_ONCE(leg->told_size, link->size);
	WRITE_ONCE(leg->told_cuts, link->cuts);
	if (pool->was_live && link->size < pool->limits.size && !rmr_clt_leg_votes_only(leg))
		return -EFBIG;
	link->discarded = le32_to_cpu(rsp->sb_flags) & RMR_SB_F_DISCARDED;
	memcpy(link->slot, rsp->member, sizeof(link->slot));
	leg->told = rsp->member[leg->id];
	err = goal == RMR_LEG_CONNECT ? 0 : identity(leg, link);
	if (err && err != -EINPROGRESS)
		return err;
	if (!link->discarded && !same_history(pool, rsp->view.lineage))
		return -ENOTUNIQ;
	if (pool->limits.max_io && leg->told.state != RMR_MEMBER_WITNESS &&
	    !limits_fit(pool, &rsp->limits, &link->sess->conn.attrs))
		return -ERANGE;
	if (err)
		return err;
	rmr_epoch_get(&link->promised, &rsp->promised);
	rmr_view_get(&link->view, &rsp->view);
	link->limits = rsp->limits;
	link->sb_flags = le32_to_cpu(rsp->sb_flags);
	link->busy = rsp->busy;
	link->handle = le32_to_cpu(rsp->handle);
	leg->max_io = link->sess->conn.attrs.max_io;
	return 0;
}

static int leg_ask(struct rmr_clt_leg *leg, u8 goal)
{
	struct rmr_clt_call *call = &leg->next->step;
	struct rmr_msg_pool_info *msg;
	int err;

	msg = rmr_clt_call_msg(call, RMR_MSG_POOL_INFO, sizeof(*msg), sizeof(struct rmr_rsp_pool));
	memcpy(msg->uuid, leg->pool->uuid, RMR_UUID_LEN);
	msg->to = leg->id + 1;
	rmr_clt_call_send(call);
	err = rmr_clt_call_wait(call, leg->pool->stall_ms);
	return err ?: leg_learn(leg, call, goal);
}

static int leg_promise(struct rmr_clt_leg *leg)
{
	struct rmr_clt_call *call = &leg->next->step;
	struct rmr_clt_pool *pool = leg->pool;
	struct rmr_msg_attach *msg;
	int err;

	leg->next->handle = RMR_NO_HANDLE;
	msg = rmr_clt_call_msg(call, RMR_MSG_ATTACH, sizeof(*msg), sizeof(struct rmr_rsp_pool));
	memcpy(msg->pool_uuid, pool->uuid, RMR_UUID_LEN);
	spin_lock_irq(&pool->lock);
	rmr_epoch_put(&msg->epoch, &pool->epoch);
	msg->flags = cpu_to_le32((pool->takeover ? RMR_ATTACH_F_TAKEOVER : 0) |
				 (pool->forcing ? RMR_ATTACH_F_FORCE : 0));
	spin_unlock_irq(&pool->lock);
	msg->member_id = leg->id;
	strscpy(msg->node, pool->node, sizeof(msg->node));
	rmr_clt_call_send(call);
	err = rmr_clt_call_wait(call, PROMISE_MS);
	return err ?: leg_learn(leg, call, RMR_LEG_PROMISE);
}

static int uncertain_add(struct rmr_clt_link *link, const struct rmr_rsp_list *rsp, u64 chunks)
{
	unsigned int n = le16_to_cpu(rsp->count), i;
	struct rmr_range *ranges;

	ranges = kvmalloc_array(link->nr_uncertain + n + 1, sizeof(*ranges), GFP_NOIO);
	if (!ranges)
		return -ENOMEM;
	if (link->nr_uncertain)
		memcpy(ranges, link->uncertain, link->nr_uncertain * sizeof(*ranges));
	for (i = 0; i < n; i++) {
		struct rmr_range *r = &ranges[link->nr_uncertain + i];

		r->first = le64_to_cpu(rsp->range[i].first);
		r->count = le64_to_cpu(rsp->range[i].count);
		if (r->first >= chunks || r->count > chunks - r->first) {
			kvfree(ranges);
			return RMR_ST_MALFORMED;
		}
	}
	kvfree(link->uncertain);
	link->uncertain = ranges;
	link->nr_uncertain += n;
	return 0;
}

/* Asks for the chunks whose writes the member does not know complete (R5.1, R6.1). */
static int leg_list(struct rmr_clt_leg *leg)
{
	struct rmr_clt_link *link = leg->next;
	struct rmr_clt_pool *pool = leg->pool;
	struct rmr_clt_call *call = &link->step;
	struct rmr_rsp_list *rsp = (void *)call->rsp;
	struct rmr_msg_list *msg;
	struct rmr_fault fault;
	u64 first = 0, chunks;
	int err;

	/* A member that is larger was told of a resize (R9.12). */
	chunks = rmr_chunks(max(link->size, pool->limits.size), pool->limits.chunk_size);
	link->nr_uncertain = 0;
	do {
		msg = rmr_clt_call_msg(call, RMR_MSG_LIST, sizeof(*msg), sizeof(*rsp));
		spin_lock_irq(&pool->lock);
		rmr_epoch_put(&msg->epoch, &pool->epoch);
		spin_unlock_irq(&pool->lock);
		msg->first = cpu_to_le64(first);
		rmr_clt_call_send(call);
		err = rmr_clt_call_wait(call, pool->stall_ms);
		if (!err && rmr_rsp_list_check(rsp, sizeof(*rsp), first, &fault))
			err = RMR_ST_MALFORMED;
		if (!err)
			err = uncertain_add(link, rsp, chunks);
		if (err)
			return err;
		link->restarted = rsp->flags & RMR_LIST_F_RESTARTED;
		first = le64_to_cpu(rsp->next);
	} while (first != RMR_NO_MORE);
	if (pool->was_live)
		rmr_clt_clip_uncertain(link, rmr_chunks(pool->limits.size,
							pool->limits.chunk_size));
	return 0;
}

/* R2.16: everything is uncertain, so everything is marked before the leg joins. */
int rmr_clt_link_lacks_all(struct rmr_clt_link *link)
{
	struct rmr_clt_pool *pool = link->leg->pool;

	link->nr_uncertain = 0;
	kvfree(link->uncertain);
	link->uncertain = kvmalloc(sizeof(*link->uncertain), GFP_NOIO);
	if (!link->uncertain)
		return -ENOMEM;
	link->uncertain->first = 0;
	link->uncertain->count = rmr_chunks(pool->limits.size, pool->limits.chunk_size);
	link->nr_uncertain = 1;
	return 0;
}

static int leg_try(struct rmr_clt_leg *leg, u8 goal)
{
	bool ask = goal == RMR_LEG_CONNECT;
	int err = 0;

	if (!leg->next || READ_ONCE(leg->next->sess->dead)) {
		if (leg->next)
			rmr_clt_link_drop(leg->next);
		leg->next = NULL;
		err = leg_connect(leg);
		ask = true;
	}
	/* Again, too: what it told before a refused attach may have changed since. */
	if (!err && ask)
		err = leg_ask(leg, goal);
	/* Connecting takes long: a pool that was closed meanwhile holds no member. */
	if (!err && READ_ONCE(leg->pool->closing))
		err = -ESHUTDOWN;
	if (!err && goal == RMR_LEG_PROMISE)
		err = leg_promise(leg);
	if (!err && goal == RMR_LEG_PROMISE)
		err = leg->next->discarded && !rmr_clt_leg_votes_only(leg) ?
			rmr_clt_link_lacks_all(leg->next) : leg_list(leg);
	return err;
}

static void leg_work(struct work_struct *work)
{
	struct rmr_clt_leg *leg = container_of(to_delayed_work(work), struct rmr_clt_leg, work);
	struct rmr_clt_pool *pool = leg->pool;
	u8 goal;
	int err = -ESHUTDOWN;

	spin_lock_irq(&pool->lock);
	goal = leg->goal;
	spin_unlock_irq(&pool->lock);
	if (goal != RMR_LEG_REST && !READ_ONCE(pool->closing))
		err = leg_try(leg, goal);
	spin_lock_irq(&pool->lock);
	leg->result = err;
	leg->goal = RMR_LEG_REST;
	leg->working = false;
	spin_unlock_irq(&pool->lock);
	wake_up(&pool->ctl_wait);
	rmr_clt_ctl_kick(pool);
}

/* Has the worker try; without effect while it works. */
void rmr_clt_leg_go(struct rmr_clt_leg *leg, enum rmr_leg_goal goal, unsigned int delay_ms)
{
	struct rmr_clt_pool *pool = leg->pool;
	bool go;

	spin_lock_irq(&pool->lock);
	go = !leg->working;
	if (go) {
		leg->working = true;
		leg->goal = goal;
	}
	spin_unlock_irq(&pool->lock);
	if (go)
		queue_delayed_work(rmr_clt_recover_wq, &leg->work, msecs_to_jiffies(delay_ms));
}

bool rmr_clt_leg_resting(struct rmr_clt_leg *leg)
{
	bool resting;

	spin_lock_irq(&leg->pool->lock);
	resting = !leg->working;
	spin_unlock_irq(&leg->pool->lock);
	return resting;
}

/* Ends all workers. One that connects to a dead node is left to RTRS's own limit of 30 s. */
void rmr_clt_legs_stop(struct rmr_clt_pool *pool)
{
	unsigned int i;

	for (i = 0; i < pool->nr_legs; i++) {
		struct rmr_clt_leg *leg = &pool->leg[i];

		cancel_delayed_work_sync(&leg->work);
		if (leg->next)
			rmr_clt_link_drop(leg->next);
		leg->next = NULL;
	}
}

void rmr_clt_leg_init(struct rmr_clt_leg *leg)
{
	INIT_DELAYED_WORK(&leg->work, leg_work);
}
