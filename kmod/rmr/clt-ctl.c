// SPDX-License-Identifier: GPL-2.0-only
/*
 * The controller of a live pool: takes note of legs that failed or missed a write, makes and
 * establishes views, keeps leases, lets legs return and promotes them (protocol sections 2, 3, 5).
 *
 * It is one work item, run whenever something was answered or failed and at every tick. Each run
 * looks at the state and sends what is to be sent next; it never waits for an answer, allocates
 * nothing and runs in a queue with a rescuer, because writes may wait for it under memory pressure.
 * Notes to user space are sent from another queue.
 *
 * Locks: ctl_lock is held for a run; pool->lock for what the data path shares.
 */
#include "clt-pri.h"

void rmr_clt_ctl_kick(struct rmr_clt_pool *pool)
{
	if (READ_ONCE(pool->state) == RMR_DEVICE_STATE_LIVE)
		mod_delayed_work(rmr_clt_wq, &pool->ctl, 0);
}

/* The state of the pool or of a leg changed: user space is told. */
void rmr_clt_changed(struct rmr_clt_pool *pool)
{
	queue_work(rmr_clt_recover_wq, &pool->notify);
}

static void notify_work(struct work_struct *work)
{
	struct rmr_clt_pool *pool = container_of(work, struct rmr_clt_pool, notify);

	if (pool->ops && !READ_ONCE(pool->closing))
		pool->ops->changed(pool->priv);
}

/* ---- what the data path may do ---- */

/* Members whose links have sent a keepalive at that time or later that was answered. */
static u8 fresh_since(struct rmr_clt_pool *pool, u64 since_ns)
{
	unsigned int i;
	u8 fresh = 0;

	for (i = 0; i < pool->nr_legs; i++) {
		struct rmr_clt_link *link = rmr_clt_leg_link(&pool->leg[i]);

		if (link && link->alive_ns >= since_ns)
			fresh |= BIT(pool->leg[i].id);
	}
	return fresh;
}

/*
 * Time until which the members that the lease rests on, each leg of U or with quorum a majority,
 * are known not to have promised anything newer (R2.9).
 */
static u64 lease_end(struct rmr_clt_pool *pool)
{
	struct rmr_viewmaker *vm = &pool->vm;
	unsigned int i;
	u64 best = 0;

	for (i = 0; i < pool->nr_legs; i++) {
		struct rmr_clt_link *link = rmr_clt_leg_link(&pool->leg[i]);

		if (link && link->alive_ns > best &&
		    rmr_lease_holds(&vm->voters, &vm->established,
				    fresh_since(pool, link->alive_ns)))
			best = link->alive_ns;
	}
	return best ? best + (u64)RMR_CLT_LEASE_MS * NSEC_PER_MSEC : 0;
}

/* Hands the views and the lease to the data path. */
static void publish(struct rmr_clt_pool *pool)
{
	struct rmr_viewmaker *vm = &pool->vm;
	u64 lease = lease_end(pool), now = ktime_get_ns();
	u8 good = 0, pending = 0;
	bool kick, was_settled;
	unsigned int i;

	spin_lock_irq(&pool->lock);
	for (i = 0; i < pool->nr_legs; i++) {
		struct rmr_clt_leg *leg = &pool->leg[i];
		struct rmr_clt_link *link = rmr_clt_leg_link(leg);

		if (leg->failed)
			pending |= BIT(leg->id);
		else if (link)
			good |= BIT(leg->id);
		/* Every write that did not name the leg has a lower number. */
		if (link && link->joined) {
			link->join_seq = pool->next_seq;
			link->joined = false;
		}
	}
	rmr_epoch_put(&pool->epoch_le, &vm->proposed.epoch);
	pool->view_le = cpu_to_le64(vm->proposed.number);
	WRITE_ONCE(pool->sending, rmr_viewmaker_sending(vm) & good);
	WRITE_ONCE(pool->readable, vm->established.up_to_date & vm->proposed.up_to_date & good &
		   ~pool->missed);
	was_settled = pool->settled;
	pool->settled = rmr_viewmaker_settled(vm) && !pool->missed &&
			!(pending & rmr_view_active(&vm->established));
	kick = !list_empty(&pool->held) && lease > now;
	kick = kick || (pool->settled && !was_settled);
	WRITE_ONCE(pool->lease_ns, lease);
	spin_unlock_irq(&pool->lock);
	if (kick)
		rmr_clt_kick(pool);
}

/* ---- failures ---- */

/* Members with a link that has not failed. Caller: ctl_lock. */
u8 rmr_clt_linked(struct rmr_clt_pool *pool)
{
	unsigned int i;
	u8 mask = 0;

	spin_lock_irq(&pool->lock);
	for (i = 0; i < pool->nr_legs; i++)
		if (rmr_clt_leg_link(&pool->leg[i]) && !pool->leg[i].failed)
			mask |= BIT(pool->leg[i].id);
	spin_unlock_irq(&pool->lock);
	return mask;
}

/* Takes the link of a failed leg away; its session is being closed. Caller: ctl_lock. */
void rmr_clt_drop_link(struct rmr_clt_leg *leg)
{
	struct rmr_clt_link *link = rmr_clt_leg_link(leg);
	struct rmr_clt_pool *pool = leg->pool;

	spin_lock_irq(&pool->lock);
	RCU_INIT_POINTER(leg->link, NULL);
	if (link && leg->gen == link->gen)
		leg->gen++;
	leg->failed = false;
	spin_unlock_irq(&pool->lock);
	if (link)
		rmr_clt_link_drop(link);
}

/* When to try again: at most once a second, more seldom for a leg that comes and goes. */
static void set_retry(struct rmr_clt_leg *leg, bool was_active)
{
	u64 now = ktime_get_ns(), now_ms = div_u64(now, NSEC_PER_MSEC);

	if (was_active && !leg->out)
		rmr_damp_lost(&leg->damp, now_ms);
	leg->retry_ns = now + NSEC_PER_MSEC *
			max_t(u64, RMR_CLT_RETRY_MS, rmr_damp_left(&leg->damp, now_ms));
}

static void leg_lost(struct rmr_clt_leg *leg, u8 reason)
{
	bool was_active = leg->state == RMR_LEG_STATE_UP_TO_DATE ||
			  leg->state == RMR_LEG_STATE_SYNCING;

	rmr_clt_drop_link(leg);
	if (was_active) {
		leg->ejections++;
		leg->cause = reason;
	}
	set_retry(leg, was_active);
	rmr_clt_leg_state(leg, RMR_LEG_STATE_FAILED, reason);
	rmr_clt_changed(leg->pool);
}

/* A leg in Y whose copy of the data is behind from now on (R5.3). */
static void leg_behind(struct rmr_clt_leg *leg, u8 reason)
{
	struct rmr_clt_link *link = rmr_clt_leg_link(leg);

	if (reason)
		leg->cause = reason;
	rmr_clt_leg_state(leg, RMR_LEG_STATE_SYNCING, reason);
	link->joined = true;
	link->ready_sent = false;
	link->ready = false;
	link->prepared = 0;
	rmr_clt_changed(leg->pool);
}

/* Legs whose join was given up are where they were before. */
static void undo_joins(struct rmr_clt_pool *pool)
{
	unsigned int i;

	for (i = 0; i < pool->nr_legs; i++) {
		struct rmr_clt_leg *leg = &pool->leg[i];
		struct rmr_clt_link *link = rmr_clt_leg_link(leg);

		if (link)
			link->prepared = 0;
		if (leg->state == RMR_LEG_STATE_JOINING &&
		    !(rmr_view_active(&pool->vm.proposed) & BIT(leg->id))) {
			link->marked = 0;
			rmr_clt_leg_state(leg, RMR_LEG_STATE_PROMISED, RMR_REASON_NONE);
		}
	}
}

/* Legs that failed or missed a write since the last run. */
static void take_failures(struct rmr_clt_pool *pool)
{
	struct rmr_viewmaker *vm = &pool->vm;
	u8 lost = 0, missed, active;
	unsigned int i;

	active = rmr_view_active(&vm->proposed) | rmr_view_active(&vm->established);
	spin_lock_irq(&pool->lock);
	missed = pool->missed;
	pool->missed = 0;
	for (i = 0; i < pool->nr_legs; i++)
		if (pool->leg[i].failed)
			lost |= BIT(pool->leg[i].id);
	spin_unlock_irq(&pool->lock);
	for (i = 0; i < pool->nr_legs; i++) {
		struct rmr_clt_leg *leg = &pool->leg[i];

		if (lost & BIT(leg->id))
			leg_lost(leg, leg->reason);
		else if ((missed & BIT(leg->id)) && leg->state == RMR_LEG_STATE_UP_TO_DATE)
			leg_behind(leg, RMR_REASON_IO_ERROR);
	}
	missed &= ~lost;
	if (!(lost & active) && !missed)
		return;
	if (rmr_viewmaker_lose(vm, lost, missed))
		rmr_clt_info(pool, "view %llu proposed: up-to-date %#x syncing %#x\n",
			     vm->proposed.number, vm->proposed.up_to_date, vm->proposed.syncing);
	undo_joins(pool);
}

/* ---- views ---- */

static void send_view(struct rmr_clt_pool *pool, struct rmr_clt_link *link)
{
	struct rmr_clt_call *call = &link->set_view;
	struct rmr_msg_view *msg;

	msg = rmr_clt_call_msg(call, RMR_MSG_VIEW, sizeof(*msg), 0);
	rmr_view_put(&msg->view, &pool->vm.proposed);
	call->tag = pool->vm.proposed.number;
	link->told = call->tag;
	rmr_viewmaker_tell(&pool->vm, link->leg->id);
	pool->holders = pool->vm.holders;
	if (pool->vm.voters.quorum && !pool->voters.quorum)
		rmr_clt_info(pool, "a majority is asked for again\n");
	pool->voters.quorum = pool->vm.voters.quorum;
	rmr_clt_call_send(call);
}

static void established(struct rmr_clt_pool *pool)
{
	const struct rmr_view *view = &pool->vm.established;
	unsigned int i;

	for (i = 0; i < pool->nr_legs; i++) {
		struct rmr_clt_leg *leg = &pool->leg[i];
		struct rmr_clt_link *link = rmr_clt_leg_link(leg);

		if (!link)
			continue;
		if (view->up_to_date & BIT(leg->id)) {
			rmr_clt_leg_state(leg, RMR_LEG_STATE_UP_TO_DATE, RMR_REASON_NONE);
		} else if ((view->syncing & BIT(leg->id)) &&
			   leg->state == RMR_LEG_STATE_JOINING) {
			link->settle = true;
			link->discarded = false;
			leg->returns++;
			pool->joins++;
			leg_behind(leg, RMR_REASON_NONE);
			rmr_clt_acks_remark(pool);
		}
		link->prepared = 0;
	}
	rmr_clt_info(pool, "view %llu counts: up-to-date %#x syncing %#x\n", view->number,
		     view->up_to_date, view->syncing);
	rmr_clt_changed(pool);
}

static bool call_done(struct rmr_clt_call *call)
{
	if (rmr_clt_call_state(call) != RMR_CALL_DONE)
		return false;
	call->state = RMR_CALL_IDLE;
	return true;
}

static void fail_link(struct rmr_clt_link *link, int status)
{
	rmr_clt_leg_failed(link->leg, link->gen, rmr_clt_status_reason(status));
}

/*
 * Is the leg told the proposed view? Active ones are; if the pool asks for a majority, or did
 * before it was forced, all that promised (R2.2) but those of an older lineage, for whom all is
 * being marked.
 */
static bool is_told(struct rmr_clt_pool *pool, struct rmr_clt_link *link)
{
	const struct rmr_viewmaker *vm = &pool->vm;
	u8 bit = BIT(link->leg->id);

	if (!(rmr_viewmaker_targets(vm) & bit) || link->told == vm->proposed.number ||
	    !rmr_clt_link_knows(pool, link))
		return false;	/* F_TABLE */
	if (rmr_view_active(&vm->proposed) & bit)
		return !rmr_viewmaker_settled(vm);
	return pool->quorum && (link->discarded ||
	       !memcmp(link->view.lineage, vm->proposed.lineage, RMR_UUID_LEN));
}

static void run_view(struct rmr_clt_pool *pool, struct rmr_clt_link *link)
{
	struct rmr_viewmaker *vm = &pool->vm;
	struct rmr_clt_call *call = &link->set_view;

	if (call_done(call)) {
		/* A blank witness knows something from now on. */
		if (!call->status && rmr_clt_leg_votes_only(link->leg))
			link->discarded = false;
		if (!call->status)
			memcpy(link->view.lineage, vm->established.lineage, RMR_UUID_LEN);
		if (call->status)
			fail_link(link, call->status);
		else if (rmr_viewmaker_persisted(vm, link->leg->id, call->tag))
			established(pool);
	}
	if (call->state == RMR_CALL_IDLE && is_told(pool, link))
		send_view(pool, link);
}

/* ---- keepalive and promotion ---- */

static u64 completed_below(struct rmr_clt_pool *pool)
{
	u64 below;

	spin_lock_irq(&pool->lock);
	below = rmr_clt_below(pool);
	spin_unlock_irq(&pool->lock);
	return below;
}

static bool misses_something(struct rmr_clt_pool *pool, u8 bit)
{
	struct rmr_clt_req *req;
	bool found;

	spin_lock_irq(&pool->lock);
	found = pool->missed & bit;
	list_for_each_entry(req, &pool->writes, entry)
		found = found || (req->miss & bit);
	spin_unlock_irq(&pool->lock);
	return found;
}

static bool may_promote(struct rmr_clt_pool *pool, struct rmr_clt_link *link,
			const struct rmr_rsp_keepalive *rsp)
{
	const struct rmr_view *view = &pool->vm.established;
	u8 bit = BIT(link->leg->id);
	struct rmr_promotion facts = {
		.syncing = (view->syncing & bit) && link->leg->state == RMR_LEG_STATE_SYNCING,
		.map_complete = rsp->flags & RMR_ALIVE_F_MAP,
		.lacking = le64_to_cpu(rsp->lacking),
		.cleared_on = rsp->cleared_on,
		.others = rmr_view_active(view) & ~bit,
		.flushed = true,	/* PREPARE comes before the view */
		.missed_pending = misses_something(pool, bit),
	};

	return rmr_viewmaker_settled(&pool->vm) && le64_to_cpu(rsp->view) == view->number &&
	       rmr_may_promote(&facts, NULL);
}

static void run_alive(struct rmr_clt_pool *pool, struct rmr_clt_link *link)
{
	struct rmr_clt_call *call = &link->alive;
	const struct rmr_rsp_keepalive *rsp = (void *)call->rsp;
	struct rmr_msg_keepalive *msg;
	struct rmr_fault fault;
	u64 now = ktime_get_ns();

	if (call_done(call)) {
		if (!call->status && rmr_rsp_keepalive_check(rsp, sizeof(*rsp), &fault))
			call->status = RMR_ST_MALFORMED;
		if (call->status) {
			fail_link(link, call->status);
			return;
		}
		link->alive_ns = call->sent_ns;
		link->table_seen = le64_to_cpu(rsp->table);
		link->lacking = le64_to_cpu(rsp->lacking);
		link->promotable = may_promote(pool, link, rsp);
	}
	if (call->state != RMR_CALL_IDLE || now < link->next_alive_ns)
		return;
	link->next_alive_ns = now + (u64)RMR_CLT_ALIVE_MS * NSEC_PER_MSEC;
	msg = rmr_clt_call_msg(call, RMR_MSG_KEEPALIVE, sizeof(*msg), sizeof(*rsp));
	rmr_epoch_put(&msg->epoch, &pool->epoch);
	msg->view = cpu_to_le64(pool->vm.proposed.number);
	msg->completed_below = cpu_to_le64(completed_below(pool));
	rmr_clt_call_send(call);
}

/* ---- SETTLE, READY, PREPARE ---- */

static void send_step(struct rmr_clt_pool *pool, struct rmr_clt_link *link, u16 type)
{
	struct rmr_clt_call *call = &link->step;
	struct rmr_msg_step *msg = rmr_clt_call_msg(call, type, sizeof(*msg), 0);

	rmr_epoch_put(&msg->epoch, &pool->epoch);
	msg->view = cpu_to_le64(pool->vm.proposed.number);
	call->tag = type;
	link->step_view = pool->vm.proposed.number;
	rmr_clt_call_send(call);
}

static void step_done(struct rmr_clt_pool *pool, struct rmr_clt_link *link)
{
	struct rmr_viewmaker *vm = &pool->vm;
	u8 bit = BIT(link->leg->id);

	switch (link->step.tag) {
	case RMR_MSG_SETTLE:
		link->settle = false;
		break;
	case RMR_MSG_READY:
		/* Unless the leg has joined anew or missed something since. */
		link->ready = link->ready_sent;
		break;
	case RMR_MSG_PREPARE:
		link->promotable = false;
		if (link->prepared != vm->established.number || misses_something(pool, bit) ||
		    !rmr_viewmaker_grow(vm, 0, bit))
			break;
		rmr_clt_info(pool, "view %llu proposed: promotes leg %u\n", vm->proposed.number,
			     link->leg->id);
	}
}

static void run_step(struct rmr_clt_pool *pool, struct rmr_clt_link *link)
{
	struct rmr_viewmaker *vm = &pool->vm;
	struct rmr_clt_call *call = &link->step;
	bool syncing = link->leg->state == RMR_LEG_STATE_SYNCING;

	if (call_done(call)) {
		if (call->status) {
			fail_link(link, call->status);
			return;
		}
		step_done(pool, link);
	}
	if (call->state != RMR_CALL_IDLE)
		return;
	if (link->settle) {
		send_step(pool, link, RMR_MSG_SETTLE);
	} else if (syncing && !link->ready && !link->joined && rmr_viewmaker_settled(vm) &&
		   completed_below(pool) >= link->join_seq) {
		link->ready_sent = true;
		send_step(pool, link, RMR_MSG_READY);
	} else if (syncing && link->ready && link->promotable && rmr_viewmaker_settled(vm)) {
		link->prepared = vm->established.number;
		send_step(pool, link, RMR_MSG_PREPARE);
	}
}

/* ---- return ---- */

/* The member promised: from now on the leg has a link, but gets no writes yet. */
void rmr_clt_take_link(struct rmr_clt_leg *leg)
{
	struct rmr_clt_link *link = leg->next;

	leg->next = NULL;
	link->told = 0;
	link->marked = 0;
	link->marked_joins = leg->pool->joins;
	spin_lock_irq(&leg->pool->lock);
	/* A worker connects only a leg without link, so nobody has counted gen up. */
	WARN_ON(link->gen != leg->gen);
	leg->failed = false;
	rcu_assign_pointer(leg->link, link);
	spin_unlock_irq(&leg->pool->lock);
	rmr_clt_leg_state(leg, rmr_clt_leg_votes_only(leg) ? RMR_LEG_STATE_VOTING :
			  RMR_LEG_STATE_PROMISED, RMR_REASON_NONE);
	rmr_clt_changed(leg->pool);
	/* It may have died before anybody could see the link. */
	if (READ_ONCE(link->sess->dead))
		rmr_clt_leg_failed(leg, link->gen, RMR_REASON_LINK_LOST);
}

/*
 * The member promised another client. Whether that one went live, and this one may never come back
 * by itself (F_YIELD), attach finds out by the views; it may have been cut off before that.
 */
static bool is_overtaken(struct rmr_clt_pool *pool, struct rmr_clt_leg *leg)
{
	const struct rmr_clt_link *link = leg->next;

	return leg->result == RMR_ST_FENCED && link &&
	       link->promised.client != pool->client_id &&
	       rmr_epoch_cmp(&link->promised, &pool->epoch) > 0;
}

/* The worker's last attempt failed: shown, and told if that is news. */
static void absent_failed(struct rmr_clt_leg *leg)
{
	u8 reason = rmr_clt_err_reason(leg->result);

	if (leg->reason != reason && reason == RMR_REASON_SPLIT_BRAIN)
		rmr_clt_info(leg->pool, "leg %u has another history: split brain\n", leg->id);
	if (leg->reason != reason)
		rmr_clt_changed(leg->pool);
	rmr_clt_leg_state(leg, RMR_LEG_STATE_FAILED, reason);
}

static void run_absent(struct rmr_clt_pool *pool, struct rmr_clt_leg *leg)
{
	struct rmr_clt_link *next;

	if (!rmr_clt_leg_resting(leg) || !rmr_clt_leg_used(leg))
		return;
	if (!rmr_clt_leg_wanted(leg)) {
		if (leg->next)
			rmr_clt_link_drop(leg->next);
		leg->next = NULL;
		leg->result = 0;
		rmr_clt_leg_state(leg, RMR_LEG_STATE_FAILED, rmr_clt_leg_kept_out(leg));
		return;
	}
	next = leg->next;
	if (next && !leg->result && !READ_ONCE(next->sess->dead) &&
	    !rmr_epoch_cmp(&next->promised, &pool->epoch) && next->handle != RMR_NO_HANDLE) {
		rmr_clt_take_link(leg);
		return;
	}
	if (leg->result == -EINPROGRESS) {
		rmr_clt_claim_met(leg);
		if (next)
			rmr_clt_link_drop(next);
		leg->next = NULL;
		leg->result = 0;
		leg->retry_ns = ktime_get_ns() + (u64)RMR_CLT_RETRY_MS * NSEC_PER_MSEC;
	} else if (leg->result) {
		rmr_clt_claim_lost(leg);
		if (is_overtaken(pool, leg))
			pool->overtaken = true;
		absent_failed(leg);
		if (next)
			rmr_clt_link_drop(next);
		leg->next = NULL;
		leg->result = 0;
		leg->retry_ns = max(leg->retry_ns, ktime_get_ns() +
				    (u64)RMR_CLT_RETRY_MS * NSEC_PER_MSEC);
	}
	rmr_damp_pass(&leg->damp, div_u64(ktime_get_ns(), NSEC_PER_MSEC));
	if (ktime_get_ns() < leg->retry_ns)
		return;
	rmr_clt_leg_go(leg, RMR_LEG_PROMISE, 0);
}

/* Takes legs whose uncertain chunks are marked everywhere into Y (R5.2). */
static void run_joins(struct rmr_clt_pool *pool)
{
	struct rmr_viewmaker *vm = &pool->vm;
	unsigned int i;
	u8 join = 0;

	/* F_TABLE: who is told a view knows who is in it. */
	if (!rmr_viewmaker_settled(vm) || !pool->table_ok)
		return;
	for (i = 0; i < pool->nr_legs; i++) {
		struct rmr_clt_link *link = rmr_clt_leg_link(&pool->leg[i]);

		if (!link || pool->leg[i].state != RMR_LEG_STATE_PROMISED ||
		    pool->leg[i].failed || !rmr_clt_leg_wanted(&pool->leg[i]) ||
		    !rmr_clt_link_knows(pool, link) || link->marked < link->nr_uncertain ||
		    (link->nr_uncertain && link->marked_joins != pool->joins))
			continue;
		join |= BIT(pool->leg[i].id);
	}
	if (!join || !rmr_viewmaker_grow(vm, join, 0))
		return;
	for (i = 0; i < pool->nr_legs; i++)
		if (join & BIT(pool->leg[i].id))
			rmr_clt_leg_state(&pool->leg[i], RMR_LEG_STATE_JOINING, RMR_REASON_NONE);
	rmr_clt_info(pool, "view %llu proposed: up-to-date %#x syncing %#x\n", vm->proposed.number,
		     vm->proposed.up_to_date, vm->proposed.syncing);
}

/* ---- the run ---- */

static void check_call(const struct rmr_clt_call *call, u64 before_ns)
{
	if (call->state == RMR_CALL_SENT && call->sent_ns < before_ns)
		rmr_clt_sess_kill(call->link->sess, RMR_REASON_TIMEOUT);
}

/* Deadlines of control messages. */
static void check_calls(struct rmr_clt_pool *pool)
{
	u64 before_ns = rmr_clt_stalled_before_ns(pool);
	unsigned int i;

	for (i = 0; i < pool->nr_legs; i++) {
		struct rmr_clt_link *link = rmr_clt_leg_link(&pool->leg[i]);

		if (!link)
			continue;
		check_call(&link->table, before_ns);
		check_call(&link->alive, before_ns);
		check_call(&link->set_view, before_ns);
		check_call(&link->mark, before_ns);
		check_call(&link->step, before_ns);
	}
}

static void run_legs(struct rmr_clt_pool *pool)
{
	unsigned int i;

	for (i = 0; i < pool->nr_legs; i++) {
		struct rmr_clt_link *link = rmr_clt_leg_link(&pool->leg[i]);

		if (!link) {
			run_absent(pool, &pool->leg[i]);
			continue;
		}
		run_alive(pool, link);
		run_step(pool, link);
		rmr_clt_table_leg(pool, link);
	}
	rmr_clt_table_run(pool);
	run_joins(pool);
	/* After all that may have made a view. */
	for (i = 0; i < pool->nr_legs; i++) {
		struct rmr_clt_link *link = rmr_clt_leg_link(&pool->leg[i]);

		if (link)
			run_view(pool, link);
	}
}

/* Why the pool cannot be served under this epoch any more; RMR_REASON_NONE: it can. */
static u8 why_suspend(struct rmr_clt_pool *pool)
{
	if (pool->overtaken)
		return RMR_REASON_FENCED;
	if (!rmr_majority(&pool->voters, rmr_clt_linked(pool)))
		return RMR_REASON_NO_QUORUM;
	return pool->vm.broken ? RMR_REASON_NO_LEG : RMR_REASON_NONE;
}

static void ctl_work(struct work_struct *work)
{
	struct rmr_clt_pool *pool = container_of(to_delayed_work(work), struct rmr_clt_pool, ctl);
	u8 reason;

	/* Attach or detach holds it for long and needs no controller. */
	if (!mutex_trylock(&pool->ctl_lock)) {
		mod_delayed_work(rmr_clt_wq, &pool->ctl, msecs_to_jiffies(10));
		return;
	}
	if (READ_ONCE(pool->state) != RMR_DEVICE_STATE_LIVE || READ_ONCE(pool->closing))
		goto unlock;
	take_failures(pool);
	if (!pool->vm.broken)
		run_legs(pool);
	reason = why_suspend(pool);
	if (reason != RMR_REASON_NONE) {
		rmr_clt_info(pool, "live -> suspended: reason %u\n", reason);
		rmr_clt_suspend(pool, reason);
		rmr_clt_changed(pool);
		mod_delayed_work(rmr_clt_recover_wq, &pool->attach, 0);
		goto unlock;
	}
	publish(pool);
	rmr_clt_marks_run(pool);
	rmr_clt_acks_run(pool);
	check_calls(pool);
	rmr_clt_check_stalls(pool);
	queue_delayed_work(rmr_clt_wq, &pool->ctl, msecs_to_jiffies(RMR_CLT_TICK_MS));
unlock:
	mutex_unlock(&pool->ctl_lock);
}

/* The device is live under a view that attach has established. Caller: ctl_lock, pool drained. */
void rmr_clt_golive(struct rmr_clt_pool *pool, const struct rmr_view *view, bool alone)
{
	unsigned int i;

	rmr_viewmaker_init(&pool->vm, &pool->voters, view);
	pool->holders |= rmr_view_active(view);
	pool->vm.holders = pool->holders;
	pool->vm.regain = pool->quorum && !pool->voters.quorum;
	memset(&pool->marks, 0, sizeof(pool->marks));
	for (i = 0; i < pool->nr_legs; i++) {
		struct rmr_clt_leg *leg = &pool->leg[i];
		struct rmr_clt_link *link = rmr_clt_leg_link(leg);

		if (!link)
			continue;
		link->settle = true;
		if (pool->voters.quorum || (rmr_view_active(view) & BIT(leg->id)))
			link->told = view->number;
		if (view->up_to_date & BIT(leg->id))
			rmr_clt_leg_state(leg, RMR_LEG_STATE_UP_TO_DATE, RMR_REASON_NONE);
		else if (view->syncing & BIT(leg->id))
			leg_behind(leg, RMR_REASON_NONE);
		else
			link->settle = false;
	}
	spin_lock_irq(&pool->lock);
	pool->missed = 0;
	pool->next_seq = 1;
	spin_unlock_irq(&pool->lock);
	publish(pool);
	rmr_clt_resume(pool, alone);
	rmr_clt_ctl_kick(pool);
	rmr_clt_changed(pool);
}

void rmr_clt_ctl_init(struct rmr_clt_pool *pool)
{
	mutex_init(&pool->ctl_lock);
	init_waitqueue_head(&pool->ctl_wait);
	INIT_DELAYED_WORK(&pool->ctl, ctl_work);
	INIT_WORK(&pool->notify, notify_work);
}
