// SPDX-License-Identifier: GPL-2.0-only
/*
 * The member table of a mapped pool (protocol section 9): what members tell of it, wishes that are
 * carried out, legs that appear and go.
 *
 * One change of the table at a time: it is made here, told to every member with a link, and only
 * then is the next one made, a new member marked or let in. A member's table is asked for when its
 * keepalive says that there is news.
 *
 * A leg that leaves is taken out of the view with its link left alone, because other members of the
 * same node share its session; then its slot is freed, the others are told, and once that counts
 * the store itself (F_TOLDLAST), which takes its promise with it.
 *
 * Locks: ctl_lock for all of it; pool->lock too for what workers of legs and the data path read:
 * pool->table, pool->voters, leg->member.
 */
#include <linux/delay.h>

#include "clt-pri.h"

#define HINT_MS		3000	/* between two looks at a claim that a member tells of */

static const struct rmr_sb_member *slot_of(struct rmr_clt_pool *pool, unsigned int id)
{
	return &pool->table.slot[id];
}

/* ---- who is in it ---- */

/* Who votes now. Caller: ctl_lock. */
static void voters_follow(struct rmr_clt_pool *pool)
{
	struct rmr_voters voters = rmr_table_voters(pool->table.slot, pool->voters.quorum);

	lockdep_assert_held(&pool->ctl_lock);
	spin_lock_irq(&pool->lock);
	pool->voters = voters;
	pool->vm.voters.data = voters.data;
	pool->vm.voters.witnesses = voters.witnesses;
	spin_unlock_irq(&pool->lock);
}

/* The entry of a member that nobody uses meanwhile. */
static bool leg_idle(struct rmr_clt_leg *leg)
{
	return !rmr_clt_leg_link(leg) && rmr_clt_leg_resting(leg);
}

static void forget_next(struct rmr_clt_leg *leg)
{
	if (leg->next)
		rmr_clt_link_drop(leg->next);
	leg->next = NULL;
	leg->result = 0;
}

/* Makes an idle entry the leg of this member. */
static void leg_set(struct rmr_clt_leg *leg, const struct rmr_sb_member *m)
{
	forget_next(leg);
	leg->retry_ns = 0;
	leg->out = false;
	spin_lock_irq(&leg->pool->lock);
	memcpy(leg->member.store_uuid, m->store_uuid, RMR_UUID_LEN);
	strscpy(leg->member.node, m->node, RMR_NAME_LEN);
	memcpy(leg->member.addr, m->addr, sizeof(m->addr));
	WRITE_ONCE(leg->member.kind, m->state);
	spin_unlock_irq(&leg->pool->lock);
	if (m->state != RMR_MEMBER_NONE)
		rmr_clt_leg_state(leg, RMR_LEG_STATE_CONNECTING, RMR_REASON_NONE);
	rmr_clt_changed(leg->pool);
}

static bool same_store(const struct rmr_clt_leg *leg, const struct rmr_sb_member *m)
{
	return leg->member.kind == m->state &&
	       !memcmp(leg->member.store_uuid, m->store_uuid, RMR_UUID_LEN);
}

/*
 * Legs become what the table says, entries of members that are gone become free, as far as they are
 * idle. True: there is a leg that was not there before.
 */
bool rmr_clt_legs_follow(struct rmr_clt_pool *pool)
{
	bool fresh = false;
	unsigned int id;

	for (id = 0; id < RMR_MAX_MEMBERS; id++) {
		const struct rmr_sb_member *m = slot_of(pool, id);
		struct rmr_clt_leg *leg = &pool->leg[id];
		bool wanted = m->state != RMR_MEMBER_NONE, right = same_store(leg, m);

		if (!wanted)
			right = !rmr_clt_leg_used(leg) || leg->hinted ||
				pool->claim[id].state != RMR_MEMBER_NONE;
		if (right || !leg_idle(leg))
			continue;
		leg->hinted = false;
		leg_set(leg, m);
		fresh = fresh || wanted;
	}
	return fresh;
}

/* R9.7, R9.8: a leg that is to be outside is not taken back. */
bool rmr_clt_leg_wanted(struct rmr_clt_leg *leg)
{
	const struct rmr_sb_member *m = slot_of(leg->pool, leg->id);

	if (!rmr_clt_leg_used(leg) || leg->out)
		return false;
	if (m->state == RMR_MEMBER_NONE)
		return leg->hinted || leg->pool->claim[leg->id].state != RMR_MEMBER_NONE;
	if (m->state == RMR_MEMBER_WITNESS)
		return !m->flags;
	return rmr_table_may_join(leg->pool->table.slot, &leg->pool->vm.established, leg->id);
}

/* Why a leg is outside by an operator's wish. */
u8 rmr_clt_leg_kept_out(struct rmr_clt_leg *leg)
{
	const struct rmr_sb_member *m = slot_of(leg->pool, leg->id);

	if (m->flags & RMR_SLOT_F_LEAVING)
		return RMR_REASON_LEAVING;
	return m->flags & RMR_SLOT_F_MAINTENANCE ? RMR_REASON_MAINTENANCE : RMR_REASON_ADMIN;
}

/* ---- what members tell ---- */

/* A blank store was heard of: it is asked itself, and counts once it answers. */
static void hint(struct rmr_clt_pool *pool, unsigned int id, const struct rmr_sb_member *claim)
{
	struct rmr_clt_leg *leg = &pool->leg[id];

	if (claim->state == RMR_MEMBER_NONE || rmr_clt_leg_used(leg) || !leg_idle(leg) ||
	    rmr_table_identity(pool->table.slot, id, claim, true) != RMR_STORE_CLAIM)
		return;
	rmr_clt_info(pool, "blank store on %s wants to be member %u\n", claim->node, id);
	leg->hinted = true;
	leg_set(leg, claim);
}

/* The worker met a blank store in the place of a leg. */
void rmr_clt_claim_met(struct rmr_clt_leg *leg)
{
	struct rmr_clt_pool *pool = leg->pool;

	pool->claim[leg->id] = leg->told;
	rmr_clt_leg_state(leg, RMR_LEG_STATE_CONNECTING, RMR_REASON_NONE);
}

/* It is not there any more, or it is no blank store. */
void rmr_clt_claim_lost(struct rmr_clt_leg *leg)
{
	memset(&leg->pool->claim[leg->id], 0, sizeof(leg->pool->claim[leg->id]));
	leg->hinted = false;
}

/* Adds what a member that counts told. */
static u8 merge(struct rmr_clt_pool *pool, const struct rmr_clt_link *link)
{
	u8 changed;

	spin_lock_irq(&pool->lock);
	changed = rmr_table_merge(&pool->table, link->slot, link->discarded ? NULL : &link->view);
	spin_unlock_irq(&pool->lock);
	return changed;
}

enum rmr_identity rmr_clt_identity(struct rmr_clt_leg *leg, const struct rmr_clt_link *link)
{
	struct rmr_clt_pool *pool = leg->pool;
	enum rmr_identity who;

	spin_lock_irq(&pool->lock);
	who = rmr_table_identity(pool->table.slot, leg->id, &leg->told, link->discarded);
	spin_unlock_irq(&pool->lock);
	return who;
}

/*
 * Attach: what those that are connected say together (R9.9), who of them is a member, and which
 * legs there are. True: some are to be connected yet.
 */
bool rmr_clt_table_gather(struct rmr_clt_pool *pool)
{
	struct rmr_clt_link *next;
	struct rmr_clt_leg *leg;
	enum rmr_identity who;
	unsigned int i;

	for (i = 0; i < pool->nr_legs; i++)
		if (rmr_clt_leg_resting(&pool->leg[i]) && pool->leg[i].next &&
		    !pool->leg[i].result)
			merge(pool, pool->leg[i].next);
	for (i = 0; i < pool->nr_legs; i++) {
		leg = &pool->leg[i];
		next = rmr_clt_leg_resting(leg) && !leg->result ? leg->next : NULL;
		if (!next)
			continue;
		who = rmr_clt_identity(leg, next);
		if (who == RMR_STORE_MEMBER)
			continue;
		rmr_clt_info(pool, "leg %u: the store there is %s\n", i, rmr_identity_name(who));
		forget_next(leg);
		if (who == RMR_STORE_CLAIM)
			rmr_clt_claim_met(leg);
		else
			rmr_clt_leg_state(leg, RMR_LEG_STATE_FAILED, RMR_REASON_REPLACED);
		leg->result = -EKEYREVOKED;
	}
	voters_follow(pool);
	return rmr_clt_legs_follow(pool);
}

/* ---- telling ---- */

/* Does the member know the table as it is? */
bool rmr_clt_link_knows(struct rmr_clt_pool *pool, const struct rmr_clt_link *link)
{
	return !memcmp(link->slot, pool->table.slot, sizeof(link->slot));
}

/* more: it counts only together with slots that follow (F_WHOLE). */
void rmr_clt_fill_slot(struct rmr_clt_pool *pool, struct rmr_clt_call *call, unsigned int id,
		       const struct rmr_sb_member *slot, bool more)
{
	struct rmr_msg_member_set *msg;

	msg = rmr_clt_call_msg(call, RMR_MSG_MEMBER_SET, sizeof(*msg), 0);
	memcpy(msg->pool_uuid, pool->uuid, RMR_UUID_LEN);
	rmr_epoch_put(&msg->epoch, &pool->epoch);
	msg->member_id = id;
	msg->more = more;
	msg->member = *slot;
}

enum { TAG_ASK, TAG_TELL, TAG_RETIRE };

static void ask(struct rmr_clt_pool *pool, struct rmr_clt_link *link)
{
	struct rmr_clt_call *call = &link->table;
	struct rmr_msg_pool_info *msg;

	msg = rmr_clt_call_msg(call, RMR_MSG_POOL_INFO, sizeof(*msg), sizeof(struct rmr_rsp_pool));
	msg->hdr.handle = cpu_to_le32(RMR_NO_HANDLE);
	memcpy(msg->uuid, pool->uuid, RMR_UUID_LEN);
	msg->to = link->leg->id + 1;
	call->tag = TAG_ASK;
	link->table_asked = link->table_seen;
	rmr_clt_call_send(call);
}

static void asked(struct rmr_clt_pool *pool, struct rmr_clt_link *link)
{
	const struct rmr_rsp_pool *rsp = (void *)link->table.rsp;
	struct rmr_fault fault;
	u8 changed;

	if (rmr_rsp_pool_check(rsp, sizeof(*rsp), &fault) || rsp->member_id != link->leg->id ||
	    memcmp(rsp->pool_uuid, pool->uuid, RMR_UUID_LEN)) {
		rmr_clt_leg_failed(link->leg, link->gen, RMR_REASON_REFUSED);
		return;
	}
	link->table_sum = link->table_asked;
	memcpy(link->slot, rsp->member, sizeof(link->slot));
	changed = merge(pool, link);
	if (changed) {
		rmr_clt_info(pool, "wishes about members %#x, told by member %u\n", changed,
			     link->leg->id);
		rmr_clt_changed(pool);
	}
	hint(pool, rsp->claim_id, &rsp->claim);
}

/* A slot was taken; the last one of several makes them all count. */
static void told(struct rmr_clt_link *link, const struct rmr_msg_member_set *msg)
{
	unsigned int id;

	link->staged[msg->member_id] = msg->member;
	link->staged_ids |= BIT(msg->member_id);
	if (msg->more)
		return;
	for (id = 0; id < RMR_MAX_MEMBERS; id++)
		if (link->staged_ids & BIT(id))
			link->slot[id] = link->staged[id];
	link->staged_ids = 0;
}

/* Slots that the member does not have as they are. */
static u8 news_for(struct rmr_clt_pool *pool, const struct rmr_clt_link *link)
{
	unsigned int id;
	u8 ids = 0;

	for (id = 0; id < RMR_MAX_MEMBERS; id++) {
		const struct rmr_sb_member *has = link->staged_ids & BIT(id) ? &link->staged[id] :
							&link->slot[id];

		if (memcmp(has, slot_of(pool, id), sizeof(*has)))
			ids |= BIT(id);
	}
	return ids;
}

static void table_done(struct rmr_clt_pool *pool, struct rmr_clt_link *link)
{
	struct rmr_clt_call *call = &link->table;
	const struct rmr_msg_member_set *msg = (void *)call->msg;

	if (call->tag == TAG_RETIRE) {
		/* It may have gone before it could answer. */
		link->retired = true;
		return;
	}
	if (call->status)
		rmr_clt_leg_failed(link->leg, link->gen, rmr_clt_status_reason(call->status));
	else if (call->tag == TAG_ASK)
		asked(pool, link);
	else
		told(link, msg);
}

/* The upper half of the checksum tells of a claim, which may be heard of too early to be met. */
static bool wants_asking(const struct rmr_clt_link *link)
{
	u64 again_ns = link->table.sent_ns + HINT_MS * NSEC_PER_MSEC;

	return link->table_seen != link->table_sum ||
	       (link->table_seen >> 32 && again_ns < ktime_get_ns());
}

/* The store of a slot that was freed: told once the others can do without it (F_TOLDLAST). */
static void tell_removed(struct rmr_clt_pool *pool, struct rmr_clt_link *link)
{
	unsigned int id = link->leg->id;

	if (!pool->table_ok)
		return;
	rmr_clt_fill_slot(pool, &link->table, id, slot_of(pool, id), false);
	link->table.tag = TAG_RETIRE;
	rmr_clt_call_send(&link->table);
}

/* The table call of one link: what was answered, what is to be asked or told next. */
void rmr_clt_table_leg(struct rmr_clt_pool *pool, struct rmr_clt_link *link)
{
	struct rmr_clt_call *call = &link->table;
	unsigned int id;
	u8 news;

	if (rmr_clt_call_state(call) == RMR_CALL_DONE) {
		call->state = RMR_CALL_IDLE;
		table_done(pool, link);
	}
	if (call->state != RMR_CALL_IDLE || link->retired || link->leg->failed)
		return;
	if (slot_of(pool, link->leg->id)->state == RMR_MEMBER_NONE) {
		tell_removed(pool, link);
		return;
	}
	if (!link->staged_ids && wants_asking(link)) {
		ask(pool, link);
		return;
	}
	news = news_for(pool, link) ?: link->staged_ids;
	if (!news)
		return;
	id = __ffs(news);
	rmr_clt_fill_slot(pool, call, id, slot_of(pool, id), news & ~BIT(id));
	call->tag = TAG_TELL;
	rmr_clt_call_send(call);
}

/* ---- carrying wishes out ---- */

static void eject(struct rmr_clt_pool *pool, unsigned int id)
{
	struct rmr_clt_leg *leg = &pool->leg[id];
	struct rmr_viewmaker *vm = &pool->vm;

	if (!rmr_viewmaker_lose(vm, BIT(id), 0))
		return;
	leg->ejections++;
	leg->cause = RMR_REASON_ADMIN;
	rmr_clt_leg_state(leg, RMR_LEG_STATE_FAILED, rmr_clt_leg_kept_out(leg));
	rmr_clt_info(pool, "view %llu proposed: up-to-date %#x syncing %#x\n", vm->proposed.number,
		     vm->proposed.up_to_date, vm->proposed.syncing);
	rmr_clt_changed(pool);
}

/* A slot changes, and with it who votes. */
static void change(struct rmr_clt_pool *pool, unsigned int id, const struct rmr_sb_member *slot)
{
	spin_lock_irq(&pool->lock);
	pool->table.slot[id] = *slot;
	spin_unlock_irq(&pool->lock);
	voters_follow(pool);
	pool->table_ok = false;
	rmr_clt_changed(pool);
}

static void free_slot(struct rmr_clt_pool *pool, unsigned int id)
{
	struct rmr_sb_member slot = *slot_of(pool, id);

	rmr_slot_free(&slot);
	rmr_clt_info(pool, "member %u is removed\n", id);
	change(pool, id, &slot);
	rmr_clt_legs_follow(pool);
}

static void take(struct rmr_clt_pool *pool, unsigned int id)
{
	struct rmr_clt_leg *leg = &pool->leg[id];
	struct rmr_sb_member slot = pool->claim[id];

	if (!leg_idle(leg))
		return;
	rmr_clt_info(pool, "the store on %s is member %u from now on\n", slot.node, id);
	rmr_clt_claim_lost(leg);
	change(pool, id, &slot);
	leg_set(leg, &slot);
}

static void see(struct rmr_clt_pool *pool, struct rmr_table_state *s)
{
	u8 linked = rmr_clt_linked(pool);
	unsigned int i;

	for (i = 0; i < pool->nr_legs; i++) {
		struct rmr_clt_leg *leg = &pool->leg[i];
		struct rmr_clt_link *link = rmr_clt_leg_link(leg);

		if (!link || !(linked & BIT(i)))
			continue;
		if (rmr_clt_link_knows(pool, link))
			s->persisted |= BIT(i);
		if (!link->discarded)
			s->answering |= BIT(i);
		if ((leg->state == RMR_LEG_STATE_PROMISED && rmr_clt_leg_wanted(leg)) ||
		    leg->state == RMR_LEG_STATE_JOINING)
			s->joining |= BIT(i);
	}
}

/* A witness and its vote stay, and who is yet to be told that its slot is free. */
static bool may_let_go(struct rmr_clt_pool *pool, struct rmr_clt_leg *leg)
{
	const struct rmr_sb_member *m = slot_of(pool, leg->id);

	if (m->state == RMR_MEMBER_NONE)
		return rmr_clt_leg_link(leg)->retired;
	return !rmr_clt_leg_wanted(leg) && !(m->flags & RMR_SLOT_F_LEAVING) &&
	       rmr_majority(&pool->voters, rmr_clt_linked(pool) & ~BIT(leg->id));
}

/* A leg that is kept out and in no view any more is let go. */
static void let_go(struct rmr_clt_pool *pool)
{
	u8 active = rmr_view_active(&pool->vm.established) | rmr_view_active(&pool->vm.proposed);
	unsigned int i;

	for (i = 0; i < pool->nr_legs; i++) {
		struct rmr_clt_leg *leg = &pool->leg[i];
		u8 reason = rmr_clt_leg_kept_out(leg);

		if (!rmr_clt_leg_link(leg) || (active & BIT(i)) || leg->failed ||
		    !may_let_go(pool, leg))
			continue;
		if (slot_of(pool, i)->state == RMR_MEMBER_NONE)
			reason = RMR_REASON_LEAVING;
		rmr_clt_drop_link(leg);
		rmr_clt_leg_state(leg, RMR_LEG_STATE_FAILED, reason);
	}
}

/* One step of what the table asks for. Caller: the controller. */
void rmr_clt_table_run(struct rmr_clt_pool *pool)
{
	struct rmr_table_state s = {
		.slot = pool->table.slot, .claim = pool->claim, .view = &pool->vm.established,
		.settled = rmr_viewmaker_settled(&pool->vm), .quorum = pool->voters.quorum,
	};
	unsigned int id;

	see(pool, &s);
	pool->table_ok = rmr_table_complete(&s);
	if (s.settled)
		let_go(pool);
	rmr_clt_legs_follow(pool);
	switch (rmr_table_next(&s, &id)) {
	case RMR_TABLE_EJECT:
		eject(pool, id);
		break;
	case RMR_TABLE_FREE:
		free_slot(pool, id);
		break;
	case RMR_TABLE_TAKE:
		take(pool, id);
		break;
	case RMR_TABLE_NOTHING:
		break;
	}
}

/* ---- by command ---- */

/* Why a member must stay; NULL: it may go. */
static const char *must_stay(struct rmr_clt_pool *pool, const struct rmr_clt_leg *leg, bool forever)
{
	struct rmr_voters voters = pool->voters;
	u8 bit = BIT(leg->id);

	if (forever) {
		voters.data &= ~bit;
		voters.witnesses &= ~bit;
	}
	if (!rmr_clt_leg_votes_only(leg) && !(voters.data & ~bit))
		return "it is the last member with data";
	if (!rmr_clt_leg_votes_only(leg) && !(pool->vm.established.up_to_date & ~bit))
		return "it is the last up-to-date leg";
	if (!rmr_majority(&voters, rmr_clt_linked(pool) & ~bit))
		return "no majority would be left without it";
	return NULL;
}

/* 0: the wish is in the table; 1: it was; or an error. Caller: ctl_lock. */
static int wish(struct rmr_clt_pool *pool, struct rmr_clt_leg *leg, const struct rmr_leg_spec *spec,
		struct netlink_ext_ack *extack)
{
	enum rmr_wished wished;
	struct rmr_sb_member slot;
	const char *why;

	wished = rmr_slot_wished(pool->table.slot, leg->id, spec->leaving, spec->maintenance,
				 &slot);
	if (wished == RMR_WISHED_ALREADY)
		return 1;
	why = wished == RMR_WISHED_AWAY ? must_stay(pool, leg, spec->leaving) : NULL;
	if (why) {
		NL_SET_ERR_MSG_FMT(extack, "member %u: %s", leg->id, why);
		return -EBUSY;
	}
	if (rmr_slot_wish_check(slot_of(pool, leg->id), &slot)) {
		NL_SET_ERR_MSG(extack, "not a member yet, or changed too often");
		return -EBUSY;
	}
	spin_lock_irq(&pool->lock);
	pool->table.slot[leg->id] = slot;
	spin_unlock_irq(&pool->lock);
	rmr_clt_changed(pool);
	return 0;
}

/* Has every member of the view noted it? */
static bool noted(struct rmr_clt_pool *pool, unsigned int id, u64 generation)
{
	u8 active;
	unsigned int i;
	bool all = true;

	mutex_lock(&pool->ctl_lock);
	active = rmr_view_active(&pool->vm.established);
	for (i = 0; i < pool->nr_legs; i++) {
		struct rmr_clt_link *link = rmr_clt_leg_link(&pool->leg[i]);

		if ((active & BIT(i)) && link &&
		    le64_to_cpu(link->slot[id].generation) < generation)
			all = false;
	}
	mutex_unlock(&pool->ctl_lock);
	return all;
}

int rmr_clt_leg_set(struct rmr_clt_pool *pool, const struct rmr_leg_spec *spec,
		    struct netlink_ext_ack *extack)
{
	struct rmr_clt_leg *leg = &pool->leg[spec->member_id % RMR_MAX_MEMBERS];
	unsigned long end;
	u64 generation;
	int err;

	mutex_lock(&pool->ctl_lock);
	if (!rmr_clt_leg_used(leg)) {
		NL_SET_ERR_MSG_FMT(extack, "pool %.40s has no member %u", pool->name,
				   spec->member_id);
		err = -ENOENT;
	} else if (READ_ONCE(pool->state) != RMR_DEVICE_STATE_LIVE) {
		NL_SET_ERR_MSG(extack, "I/O is not served: nobody can carry it out");
		err = -EBUSY;
	} else {
		err = wish(pool, leg, spec, extack);
	}
	generation = le64_to_cpu(slot_of(pool, leg->id)->generation);
	mutex_unlock(&pool->ctl_lock);
	rmr_clt_ctl_kick(pool);
	if (err)
		return min(err, 0);
	end = jiffies + msecs_to_jiffies(2 * pool->stall_ms);
	while (!noted(pool, leg->id, generation)) {
		if (time_after(jiffies, end)) {
			NL_SET_ERR_MSG(extack, "not every member has noted it yet; told again");
			return -ETIMEDOUT;
		}
		msleep(20);
	}
	return 0;
}
EXPORT_SYMBOL_GPL(rmr_clt_leg_set);
