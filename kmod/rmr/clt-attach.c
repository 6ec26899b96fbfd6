// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attach, reconcile and detach (protocol sections 2 and 6): connect every leg that can be reached,
 * promises, first view, the view that demotes, marks, flush, live. Also what a suspended pool does
 * to become live again, which is the same with a new epoch.
 *
 * Locks: the caller holds ctl_lock throughout; the controller stands still meanwhile. Process
 * context, in rmr_clt_recover_wq or a command. Every wait is bounded and ends when the pool closes.
 */
#include <linux/delay.h>

#include "clt-pri.h"

#define CONNECT_MS	5000		/* for legs to connect; later ones return when live */
#define PROMISE_MS	12000
#define DRAIN_MS	30000

static bool leg_connected(struct rmr_clt_leg *leg)
{
	return rmr_clt_leg_resting(leg) && leg->next && !leg->result;
}

static u8 connected(struct rmr_clt_pool *pool)
{
	unsigned int i;
	u8 mask = 0;

	for (i = 0; i < pool->nr_legs; i++)
		if (leg_connected(&pool->leg[i]))
			mask |= BIT(i);
	return mask;
}

/*
 * Who served the pool when it was live last is there: the others can return when it is live again,
 * and one that does not answer must not keep applications waiting.
 */
static bool enough_connected(struct rmr_clt_pool *pool)
{
	u8 mask = connected(pool);

	return pool->was_live && !(rmr_view_active(&pool->vm.established) & ~mask) &&
	       rmr_majority(&pool->voters, mask);
}

/* Waits for the workers of the legs in mask, or until enough are connected if that will do. */
static void wait_legs(struct rmr_clt_pool *pool, u8 mask, bool enough, unsigned int ms)
{
	unsigned long end = jiffies + msecs_to_jiffies(ms);
	unsigned int i;

	for (i = 0; i < pool->nr_legs; i++)
		if (mask & BIT(i))
			wait_event_timeout(pool->ctl_wait,
					   rmr_clt_leg_resting(&pool->leg[i]) ||
					   (enough && enough_connected(pool)) ||
					   READ_ONCE(pool->closing),
					   max_t(long, (long)(end - jiffies), 1));
}

static void forget_failed(struct rmr_clt_leg *leg)
{
	if (!rmr_clt_leg_resting(leg) || !leg->result)
		return;
	rmr_clt_leg_state(leg, RMR_LEG_STATE_FAILED, rmr_clt_err_reason(leg->result));
	if (leg->next)
		rmr_clt_link_drop(leg->next);
	leg->next = NULL;
}

static void connect_legs(struct rmr_clt_pool *pool, bool all)
{
	unsigned int i;

	for (i = 0; i < pool->nr_legs; i++) {
		struct rmr_clt_leg *leg = &pool->leg[i];

		/* Who is to leave may be the last one that has all data. */
		if (rmr_clt_leg_used(leg) && !leg->out && (all || !leg_connected(leg)))
			rmr_clt_leg_go(leg, RMR_LEG_CONNECT, 0);
	}
	wait_legs(pool, 0xff, true, CONNECT_MS);
	for (i = 0; i < pool->nr_legs; i++)
		forget_failed(&pool->leg[i]);
}

/* Until nobody tells of a member that was not asked. */
static void meet_legs(struct rmr_clt_pool *pool)
{
	unsigned int round = 0;

	do {
		connect_legs(pool, !round);
	} while (rmr_clt_table_gather(pool) && ++round < RMR_MAX_MEMBERS);
}

/* Picks the epoch of this attachment from what the legs told (R2.5). */
static int choose_epoch(struct rmr_clt_pool *pool, bool takeover, struct rmr_clt_refusal *why)
{
	struct rmr_epoch highest = pool->highest;
	unsigned int i;

	for (i = 0; i < pool->nr_legs; i++) {
		struct rmr_clt_leg *leg = &pool->leg[i];

		if (!leg_connected(leg))
			continue;
		/* Courtesy only, and before anybody has promised anything. */
		if (leg->next->busy && !pool->was_live && !takeover)
			return rmr_clt_leg_refused(leg, why, RMR_ST_BUSY);
		if (rmr_epoch_cmp(&leg->next->promised, &highest) > 0)
			highest = leg->next->promised;
	}
	spin_lock_irq(&pool->lock);
	pool->highest = highest;
	pool->epoch.seq = highest.seq + 1;
	pool->epoch.client = pool->client_id;
	pool->highest.seq++;
	pool->takeover = takeover;
	spin_unlock_irq(&pool->lock);
	return 0;
}

/* What the connected legs told of themselves, as if they had promised. */
static unsigned int gather_told(struct rmr_clt_pool *pool, struct rmr_promise *told)
{
	unsigned int i, n = 0;

	for (i = 0; i < pool->nr_legs; i++) {
		if (!leg_connected(&pool->leg[i]))
			continue;
		told[n].member = pool->leg[i].id;
		told[n].discarded = pool->leg[i].next->discarded;
		told[n++].view = pool->leg[i].next->view;
	}
	return n;
}

static unsigned int gather_promises(struct rmr_clt_pool *pool, struct rmr_promise *promises)
{
	unsigned int i, n = 0;
	u8 asked = connected(pool);

	for (i = 0; i < pool->nr_legs; i++)
		if (asked & BIT(i))
			rmr_clt_leg_go(&pool->leg[i], RMR_LEG_PROMISE, 0);
	wait_legs(pool, asked, false, PROMISE_MS);
	for (i = 0; i < pool->nr_legs; i++)
		forget_failed(&pool->leg[i]);
	/* What was promised decides, not what was told before. */
	rmr_clt_table_gather(pool);
	for (i = 0; i < pool->nr_legs; i++) {
		struct rmr_clt_leg *leg = &pool->leg[i];
		struct rmr_clt_link *link = leg->next;

		if (!leg_connected(leg) || link->handle == RMR_NO_HANDLE ||
		    rmr_epoch_cmp(&link->promised, &pool->epoch))
			continue;
		rmr_clt_take_link(leg);
		promises[n].member = leg->id;
		promises[n].view = link->view;
		promises[n].restarted = link->restarted;
		promises[n].discarded = link->discarded;
		promises[n].uncertain = link->nr_uncertain;
		/* The mark of a clean end is of the epoch of the view it lies beside (R2.11). */
		if (link->sb_flags & RMR_SB_F_CLEAN)
			promises[n].clean = link->view.epoch;
		n++;
	}
	return n;
}

/* Why there are not enough promises: the first leg that did not give one. */
static int not_enough(struct rmr_clt_pool *pool, u8 promised, struct rmr_clt_refusal *why)
{
	u8 voters = pool->voters.data | pool->voters.witnesses;
	struct rmr_clt_leg *leg;
	unsigned int i;
	int err;

	for (i = 0; i < pool->nr_legs; i++)
		if ((voters & BIT(i)) && !(promised & BIT(i)))
			break;
	if (i == pool->nr_legs)
		return -ENOTCONN;
	leg = &pool->leg[i];
	err = !rmr_clt_leg_resting(leg) ? -ETIMEDOUT : leg->result ?: -ENOTCONN;
	rmr_clt_leg_refused(leg, why, err);
	if (rmr_majority(&pool->voters, promised))
		return err;
	why->reason = RMR_REASON_NO_QUORUM;
	for (i = 0; i < pool->nr_legs; i++)
		if (pool->leg[i].state == RMR_LEG_STATE_CONNECTING)
			rmr_clt_leg_state(&pool->leg[i], RMR_LEG_STATE_CONNECTING,
					  RMR_REASON_NO_QUORUM);
	if (why->extack)
		NL_SET_ERR_MSG_FMT(why->extack, "no majority, %u of %u: member %u: %s (%d)",
				   hweight8(promised), hweight8(voters), leg->id,
				   rmr_clt_status_text(err), err);
	return err;
}

/* ---- messages to several legs at once ---- */

typedef void (*fill_fn)(struct rmr_clt_pool *pool, struct rmr_clt_call *call, const void *arg);

/*
 * Sends to the members of mask and waits for all; the error of one of need that failed. Another one
 * that fails is lost, no more.
 */
static int call_all(struct rmr_clt_pool *pool, u8 mask, u8 need, fill_fn fill, const void *arg,
		    struct rmr_clt_refusal *why)
{
	struct rmr_clt_link *link;
	unsigned int i;
	int err = 0, e;

	for (i = 0; i < pool->nr_legs; i++) {
		link = rmr_clt_leg_link(&pool->leg[i]);
		if (!link || !(mask & BIT(pool->leg[i].id)))
			continue;
		/* An answer that nobody waited for any more. */
		if (link->step.state == RMR_CALL_SENT)
			rmr_clt_call_wait(&link->step, pool->stall_ms);
		if (rmr_clt_call_state(&link->step) == RMR_CALL_SENT)
			return rmr_clt_leg_refused(&pool->leg[i], why, -ETIMEDOUT);
		fill(pool, &link->step, arg);
		rmr_clt_call_send(&link->step);
	}
	for (i = 0; i < pool->nr_legs; i++) {
		link = rmr_clt_leg_link(&pool->leg[i]);
		if (!(mask & BIT(pool->leg[i].id)))
			continue;
		e = link ? rmr_clt_call_wait(&link->step, pool->stall_ms) : -ENOTCONN;
		if (!e)
			link->alive_ns = link->step.sent_ns;
		else if (need & BIT(pool->leg[i].id))
			err = rmr_clt_leg_refused(&pool->leg[i], why, e);
		else if (link)
			rmr_clt_leg_failed(&pool->leg[i], link->gen, rmr_clt_status_reason(e));
	}
	return err;
}

static void fill_view(struct rmr_clt_pool *pool, struct rmr_clt_call *call, const void *arg)
{
	struct rmr_msg_view *msg = rmr_clt_call_msg(call, RMR_MSG_VIEW, sizeof(*msg), 0);

	rmr_view_put(&msg->view, arg);
}

struct mark_args {
	const struct rmr_attachment *a;
	const struct rmr_range *range;
	unsigned int count;
};

static void fill_mark(struct rmr_clt_pool *pool, struct rmr_clt_call *call, const void *arg)
{
	struct rmr_msg_mark *msg = rmr_clt_call_msg(call, RMR_MSG_MARK, sizeof(*msg), 0);
	const struct mark_args *args = arg;
	unsigned int i;

	rmr_epoch_put(&msg->epoch, &pool->epoch);
	msg->view = cpu_to_le64(args->a->live.number);
	msg->number = cpu_to_le64(++call->link->marks);
	msg->bits = args->a->marked;
	msg->source = BIT(args->a->source);
	msg->count = cpu_to_le16(args->count);
	for (i = 0; i < args->count; i++) {
		msg->range[i].first = cpu_to_le64(args->range[i].first);
		msg->range[i].count = cpu_to_le64(args->range[i].count);
	}
}

static void fill_prepare(struct rmr_clt_pool *pool, struct rmr_clt_call *call, const void *arg)
{
	struct rmr_msg_step *msg = rmr_clt_call_msg(call, RMR_MSG_PREPARE, sizeof(*msg), 0);
	const struct rmr_attachment *a = arg;

	rmr_epoch_put(&msg->epoch, &pool->epoch);
	msg->view = cpu_to_le64(a->live.number);
}

static void fill_keepalive(struct rmr_clt_pool *pool, struct rmr_clt_call *call, const void *arg)
{
	struct rmr_msg_keepalive *msg;
	const struct rmr_attachment *a = arg;

	msg = rmr_clt_call_msg(call, RMR_MSG_KEEPALIVE, sizeof(*msg),
			       sizeof(struct rmr_rsp_keepalive));
	rmr_epoch_put(&msg->epoch, &pool->epoch);
	msg->view = cpu_to_le64(a->live.number);
	msg->completed_below = cpu_to_le64(1);
}

static void fill_detach(struct rmr_clt_pool *pool, struct rmr_clt_call *call, const void *arg)
{
	struct rmr_msg_detach *msg = rmr_clt_call_msg(call, RMR_MSG_DETACH, sizeof(*msg), 0);
	const bool *clean = arg;

	rmr_epoch_put(&msg->epoch, &pool->epoch);
	msg->flags = cpu_to_le32(*clean ? RMR_DETACH_F_CLEAN : 0);
}

/* ---- the procedure ---- */

/* The uncertain chunks are marked for all but the source, on every active member (R6.4). */
static int mark_uncertain(struct rmr_clt_pool *pool, const struct rmr_attachment *a,
			  struct rmr_clt_refusal *why)
{
	u8 active = rmr_view_active(&a->live);
	struct mark_args args = { .a = a };
	unsigned int i, k;
	int err = 0;

	for (i = 0; i < pool->nr_legs; i++) {
		struct rmr_clt_link *link = rmr_clt_leg_link(&pool->leg[i]);

		/* All of a discarded copy is marked when it joins. */
		if (!link || link->discarded)
			continue;
		for (k = 0; k < link->nr_uncertain && !err; k += args.count) {
			args.range = link->uncertain + k;
			args.count = min_t(unsigned int, link->nr_uncertain - k, RMR_MSG_RANGES);
			err = call_all(pool, active, active, fill_mark, &args, why);
		}
	}
	return err;
}

/* Establishes a view: all active members and, with quorum, a majority of voters (R2.2). */
static int establish_view(struct rmr_clt_pool *pool, const struct rmr_attachment *a,
			  const struct rmr_view *view, struct rmr_clt_refusal *why)
{
	u8 active = rmr_view_active(view), told = pool->voters.quorum ? a->promised : active;
	int err = call_all(pool, told, active, fill_view, view, why);

	if (err || rmr_view_established(&pool->voters, view, told & rmr_clt_linked(pool)))
		return err;
	not_enough(pool, rmr_clt_linked(pool), why);
	return -ECONNABORTED;
}

static void fill_slot(struct rmr_clt_pool *pool, struct rmr_clt_call *call, const void *arg)
{
	const unsigned int *id = arg;
	bool more = *id + 1 < RMR_MAX_MEMBERS &&
		    memcmp(&call->link->slot[*id + 1], &pool->table.slot[*id + 1],
			   (RMR_MAX_MEMBERS - 1 - *id) * sizeof(pool->table.slot[0]));

	rmr_clt_fill_slot(pool, call, *id, &pool->table.slot[*id], more);
}

/* The table is told before any view (R9.4). */
static int tell_table(struct rmr_clt_pool *pool, u8 told, u8 need, struct rmr_clt_refusal *why)
{
	struct rmr_clt_link *link;
	unsigned int id, i;
	int err = 0;
	u8 mask;

	for (id = 0; id < RMR_MAX_MEMBERS && !err; id++) {
		mask = 0;
		for (i = 0; i < pool->nr_legs; i++) {
			link = rmr_clt_leg_link(&pool->leg[i]);
			if (link && (told & BIT(i)) && memcmp(&link->slot[id],
							      &pool->table.slot[id],
							      sizeof(link->slot[id])))
				mask |= BIT(i);
		}
		err = mask ? call_all(pool, mask, need & mask, fill_slot, &id, why) : 0;
		for (i = 0; i < pool->nr_legs && !err; i++) {
			link = rmr_clt_leg_link(&pool->leg[i]);
			if (link && (mask & BIT(i)))
				link->slot[id] = pool->table.slot[id];
		}
	}
	return err;
}

/* Own views, marks, flush (R6.3). Nothing is ejected: an error starts all over. */
static int establish(struct rmr_clt_pool *pool, const struct rmr_attachment *a,
		     struct rmr_clt_refusal *why)
{
	u8 active = rmr_view_active(&a->live), told = pool->voters.quorum ? a->promised : active;
	int err;

	err = tell_table(pool, a->promised, active, why);
	if (!err)
		err = establish_view(pool, a, &a->first, why);
	if (!err && a->demoted)
		err = establish_view(pool, a, &a->live, why);
	if (!err && a->source >= 0)
		err = mark_uncertain(pool, a, why);
	if (!err)
		err = call_all(pool, active, active, fill_prepare, a, why);
	if (!err)
		err = call_all(pool, told, active, fill_keepalive, a, why);
	return err;
}

static int wait_drained(struct rmr_clt_pool *pool)
{
	unsigned long end = jiffies + msecs_to_jiffies(DRAIN_MS);

	while (!rmr_clt_drained(pool)) {
		if (time_after(jiffies, end))
			return -ETIMEDOUT;
		rmr_clt_check_stalls(pool);
		msleep(20);
	}
	return 0;
}

/* What promises allow, or would. */
static int judge(struct rmr_clt_pool *pool, const struct rmr_promise *promises, unsigned int n,
		 struct rmr_attachment *a, struct rmr_clt_refusal *why)
{
	int err = rmr_attach_decide(&pool->voters, &pool->epoch, promises, n, a);

	if ((err == -ENOTCONN || err == -EMEDIUMTYPE) && pool->forcing)
		err = rmr_attach_force(&pool->voters, &pool->epoch, pool->new_lineage, promises, n,
				       a);
	if (err == -ENOTCONN)
		return not_enough(pool, a->promised, why);
	if (err == -EMEDIUMTYPE) {
		err = -ENOTUNIQ;
		why->reason = RMR_REASON_SPLIT_BRAIN;
		if (why->extack)
			NL_SET_ERR_MSG(why->extack,
				       "members have different histories: split brain");
	}
	if (err)
		return err;
	if (pool->was_live && rmr_epoch_cmp(&a->highest.epoch, &pool->before) &&
	    a->highest.epoch.client != pool->client_id) {
		pool->superseded = true;
		why->reason = RMR_REASON_FENCED;
		return RMR_ST_FENCED;
	}
	return 0;
}

/*
 * Nobody is asked for a promise unless enough members are connected: a promise fences a client that
 * may be live elsewhere, as when this one is cut from the majority.
 */
static int foresee(struct rmr_clt_pool *pool, struct rmr_clt_refusal *why)
{
	struct rmr_promise told[RMR_MAX_MEMBERS] = {};
	struct rmr_attachment a;

	return judge(pool, told, gather_told(pool, told), &a, why);
}

/* What the promises allow, and the wait of R2.10. */
static int decide(struct rmr_clt_pool *pool, struct rmr_attachment *a, struct rmr_clt_refusal *why)
{
	struct rmr_promise promises[RMR_MAX_MEMBERS] = {};
	unsigned int n = gather_promises(pool, promises);
	int err = judge(pool, promises, n, a, why);

	if (err)
		return err;
	/* Who was forced to go on without the others cannot ask for a majority. */
	if (pool->forcing && !memcmp(a->first.lineage, pool->new_lineage, RMR_UUID_LEN))
		pool->voters.quorum = false;
	if (a->must_wait)
		wait_event_timeout(pool->ctl_wait, READ_ONCE(pool->closing),
				   msecs_to_jiffies(RMR_CLT_LEASE_MS + RMR_CLT_LEASE_MARGIN_MS));
	return READ_ONCE(pool->closing) ? -ESHUTDOWN : 0;
}

/*
 * R2.15: who promised and is in no forced view keeps its history until it joins, and lacks all.
 * Nobody is told of the new lineage before everything is marked for it.
 */
static void forced_others(struct rmr_clt_pool *pool, const struct rmr_attachment *a)
{
	unsigned int i;

	for (i = 0; i < pool->nr_legs; i++) {
		struct rmr_clt_leg *leg = &pool->leg[i];
		struct rmr_clt_link *link = rmr_clt_leg_link(leg);

		if (!link || rmr_clt_leg_votes_only(leg) ||
		    (rmr_view_active(&a->live) & BIT(leg->id)) ||
		    !memcmp(link->view.lineage, a->live.lineage, RMR_UUID_LEN))
			continue;
		if (rmr_clt_link_lacks_all(link))
			rmr_clt_leg_failed(leg, link->gen, RMR_REASON_IO_ERROR);
	}
}

/* Makes the pool live. Caller: ctl_lock; nothing was sent to a leg, or the pool is suspended. */
int rmr_clt_attach(struct rmr_clt_pool *pool, bool takeover, struct rmr_clt_refusal *why)
{
	struct rmr_attachment a;
	unsigned int i;
	bool alone;
	int err;

	for (i = 0; i < pool->nr_legs; i++) {
		struct rmr_clt_leg *leg = &pool->leg[i];

		rmr_clt_drop_link(leg);
		if (rmr_clt_leg_used(leg) && leg->state != RMR_LEG_STATE_FAILED)
			rmr_clt_leg_state(leg, RMR_LEG_STATE_CONNECTING, RMR_REASON_NONE);
	}
	pool->overtaken = false;
	err = wait_drained(pool);
	if (err) {
		why->reason = RMR_REASON_TIMEOUT;
		return err;
	}
	pool->table.held = false;
	meet_legs(pool);
	err = choose_epoch(pool, takeover, why);
	if (!err)
		err = foresee(pool, why);
	if (!err)
		err = decide(pool, &a, why);
	if (!err && !pool->was_live)
		rmr_clt_agree_size(pool, rmr_view_active(&a.first));
	if (!err)
		err = establish(pool, &a, why);
	if (err)
		return err;
	forced_others(pool, &a);
	rmr_clt_refuse_small(pool);
	if (a.source >= 0)
		rmr_clt_info(pool, "reconciled from leg %d, demoted %#x\n", a.source, a.demoted);
	alone = pool->was_live && !rmr_epoch_cmp(&a.highest.epoch, &pool->before);
	if (memcmp(a.live.lineage, a.highest.lineage, RMR_UUID_LEN))
		rmr_clt_info(pool, "forced: new lineage %pUb\n", a.live.lineage);
	spin_lock_irq(&pool->lock);
	pool->forcing = false;
	pool->has_lineage = true;
	memcpy(pool->lineage, a.live.lineage, RMR_UUID_LEN);
	spin_unlock_irq(&pool->lock);
	pool->before = pool->epoch;
	pool->was_live = true;
	if (!pool->limits.max_io)
		rmr_clt_common_limits(pool);
	pool->table.held = true;
	rmr_clt_golive(pool, &a.live, alone);
	rmr_clt_info(pool, "live, epoch %llu view %llu up-to-date %#x syncing %#x\n",
		     pool->epoch.seq, a.live.number, a.live.up_to_date, a.live.syncing);
	return 0;
}

/* Tries to make a suspended pool live, again and again. */
void rmr_clt_attach_work(struct work_struct *work)
{
	struct rmr_clt_pool *pool = container_of(to_delayed_work(work), struct rmr_clt_pool,
						 attach);
	struct rmr_clt_refusal why = {};
	u64 since;

	mutex_lock(&pool->ctl_lock);
	if (READ_ONCE(pool->closing) || READ_ONCE(pool->state) != RMR_DEVICE_STATE_SUSPENDED)
		goto unlock;
	since = ktime_get_ns() - pool->suspended_ns;
	if (pool->superseded || (pool->suspend_ms != U32_MAX &&
				 since >= (u64)pool->suspend_ms * NSEC_PER_MSEC))
		rmr_clt_fail_queued(pool, false);
	if (!pool->superseded && rmr_clt_attach(pool, false, &why)) {
		pool->reason = why.reason ?: RMR_REASON_NO_LEG;
		rmr_clt_changed(pool);
		queue_delayed_work(rmr_clt_recover_wq, &pool->attach,
				   msecs_to_jiffies(RMR_CLT_RETRY_MS));
	}
unlock:
	mutex_unlock(&pool->ctl_lock);
}

/* Tells every attached leg; with clean the members flush and note a clean end. Caller: ctl_lock. */
int rmr_clt_detach(struct rmr_clt_pool *pool, bool clean)
{
	struct rmr_clt_refusal why = {};
	u8 need = clean ? rmr_view_active(&pool->vm.established) : 0xff;
	unsigned int i;
	u8 mask = 0;

	for (i = 0; i < pool->nr_legs; i++)
		if (rmr_clt_leg_link(&pool->leg[i]))
			mask |= BIT(pool->leg[i].id);
	return call_all(pool, mask, need, fill_detach, &clean, &why);
}
