// SPDX-License-Identifier: GPL-2.0-only
/*
 * The member table of a pool on a storage node (protocol section 9): slots that the client tells,
 * wishes that other nodes tell, and the end of a member whose place is gone.
 *
 * Locks: pool->lock for the table, which is in the superblock; track->lock for what requests need
 * of it. Process context, sleeps.
 *
 * End of a member: told, after the others, that its slot is free or another's -> its superblocks
 * are wiped, under pool->lock -> reap_work ends the pool.
 */
#include <linux/crc32c.h>
#include <linux/slab.h>

#include "srv-pri.h"

#define CLAIM_LASTS	(15 * HZ)	/* what a blank store said counts so long */
#define CLAIM_AGAIN	(3 * HZ)

/* What a blank store said lately, or NULL. Caller: pool->lock. */
const struct rmr_sb_member *rmr_srv_claim(const struct rmr_srv_pool *pool)
{
	bool holds = time_before64(get_jiffies_64(), pool->claim_until) &&
		     rmr_table_identity(pool->sb->member, pool->claim_id, &pool->claim, true) ==
		     RMR_STORE_CLAIM;

	return holds ? &pool->claim : NULL;
}

/* Hands the table to the requests. Caller: pool->lock, or nobody else has the pool. */
void rmr_srv_table_note(struct rmr_srv_pool *pool)
{
	struct rmr_srv_track *t = &pool->track;
	u64 sum = rmr_table_sum(pool->sb->member);
	const struct rmr_sb_member *claim = rmr_srv_claim(pool);
	unsigned int i;
	unsigned long flags;
	u8 members = 0;

	/* That of the table has 32 bits: a claim is news too. */
	if (claim)
		sum |= (u64)crc32c(~0u, claim, sizeof(*claim)) << 32;
	for (i = 0; i < RMR_MAX_MEMBERS; i++)
		if (pool->sb->member[i].state == RMR_MEMBER_DATA)
			members |= BIT(i);
	spin_lock_irqsave(&t->lock, flags);
	t->table_sum = sum;
	t->members = members;
	spin_unlock_irqrestore(&t->lock, flags);
}

/* ---- the end of a member ---- */

static void reap(struct work_struct *work)
{
	rmr_srv_pools_reap();
}

static DECLARE_WORK(reap_work, reap);

void rmr_srv_table_exit(void)
{
	cancel_work_sync(&reap_work);
}

/* This store is no member any more. Caller: pool->lock. */
static void retire(struct rmr_srv_pool *pool, u8 reason)
{
	rmr_srv_info(pool, "is a member no more\n");
	/* What it knows goes with the superblocks, not before (F_RETIRE). */
	if (rmr_srv_sb_wipe(pool))
		rmr_srv_warn(pool, "the superblocks of %s could not be deleted\n", pool->device);
	pool->retired = true;
	rmr_srv_pool_state(pool, RMR_POOL_STATE_FAILED, reason);
	schedule_work(&reap_work);
}

/* ---- slots ---- */

/* Nobody lacks anything who is no member any more. */
static int forget_bits(struct rmr_srv_pool *pool, u8 bits)
{
	struct rmr_srv_track *t = &pool->track;
	unsigned long flags;
	int err;

	if (!t->dirty.chunks)
		return 0;
	spin_lock_irqsave(&t->lock, flags);
	err = rmr_map_clear(&t->dirty, 0, t->dirty.chunks - 1, bits, GFP_ATOMIC);
	if (err >= 0 && t->since_on)
		err = rmr_map_clear(&t->since, 0, t->dirty.chunks - 1, bits, GFP_ATOMIC);
	spin_unlock_irqrestore(&t->lock, flags);
	return err < 0 ? err : rmr_srv_map_sync(pool);
}

/* Makes slots what is told, in one step (F_WHOLE). Caller: pool->lock. */
static int slots_set(struct rmr_srv_pool *pool, const struct rmr_sb_member *slot, u8 ids)
{
	unsigned int id;
	int err;
	u8 left = 0;

	rmr_srv_sb_begin(pool);
	for (id = 0; id < RMR_MAX_MEMBERS; id++) {
		const struct rmr_sb_member *mine = &pool->sb->member[id];

		if (!(ids & BIT(id)))
			continue;
		if (mine->state != RMR_MEMBER_NONE && !rmr_slot_same_store(mine, &slot[id]))
			left |= BIT(id);
		pool->sb_next->member[id] = slot[id];
		le64_add_cpu(&pool->sb_next->table_version, 1);
		rmr_srv_info(pool, "slot %u: state %u flags %#x generation %#llx\n", id,
			     slot[id].state, slot[id].flags, le64_to_cpu(slot[id].generation));
	}
	/* What stood for the old store must not be there for the next one (R9.7). */
	pool->parting = left;
	err = rmr_srv_sb_commit(pool);
	if (!err && left)
		err = forget_bits(pool, left);
	pool->parting = 0;
	if (err)
		return err;
	rmr_srv_pool_notify(pool);
	return 0;
}

static int slot_set(struct rmr_srv_pool *pool, unsigned int id, const struct rmr_sb_member *slot)
{
	struct rmr_sb_member *all = kcalloc(RMR_MAX_MEMBERS, sizeof(*all), GFP_NOIO);
	int err;

	if (!all)
		return -ENOMEM;
	all[id] = *slot;
	err = slots_set(pool, all, BIT(id));
	kfree(all);
	return err;
}

/*
 * What the client that holds the epoch says counts (R9.4), unless there is a newer wish about the
 * same store here, of which the client learns. Caller: pool->lock.
 */
static int slot_told(struct rmr_srv_pool *pool, const struct rmr_msg_member_set *msg)
{
	const struct rmr_sb_member *mine = &pool->sb->member[msg->member_id];
	struct rmr_srv_attach *attach = pool->attach;
	unsigned int id = msg->member_id;
	int err;
	u8 ids;

	if (id == pool->id && !rmr_slot_same_store(&msg->member, mine)) {
		err = rmr_srv_trigger(RMR_SRV_POINT_SLOT_FREED, pool->id);
		if (!err)
			retire(pool, RMR_REASON_REPLACED);
		return err;
	}
	if (rmr_slot_told(&msg->member, mine, &attach->staged[id]))
		attach->staged_ids |= BIT(id);
	else
		attach->staged_ids &= ~BIT(id);
	if (msg->more || !attach->staged_ids)
		return 0;
	ids = attach->staged_ids;
	attach->staged_ids = 0;
	err = rmr_srv_trigger(msg->member.state == RMR_MEMBER_NONE ? RMR_SRV_POINT_SLOT_FREED :
			      RMR_SRV_POINT_SLOT_TOLD, pool->id);
	return err ?: slots_set(pool, attach->staged, ids);
}

/*
 * A member of a pool that no client has used: every data area still reads as zeros, so the new
 * member is up to date.
 */
static int unused_set(struct rmr_srv_pool *pool, const struct rmr_msg_member_set *msg)
{
	u32 must = RMR_SB_F_CLEAN | RMR_SB_F_ZEROED;
	struct rmr_sb *next = pool->sb_next;
	u8 id = msg->member_id;
	int err;

	if (msg->member.state != RMR_MEMBER_NONE && (le32_to_cpu(pool->sb->flags) & must) != must)
		return RMR_ST_BUSY;
	if (!msg->member.state == !pool->sb->member[id].state)
		return -EEXIST;
	rmr_srv_sb_begin(pool);
	next->member[id] = msg->member;
	le64_add_cpu(&next->table_version, 1);
	le64_add_cpu(&next->view.number, 1);
	if (msg->member.state == RMR_MEMBER_DATA)
		next->view.up_to_date |= BIT(id);
	else
		next->view.up_to_date &= ~BIT(id);
	err = rmr_srv_sb_commit(pool);
	if (!err)
		rmr_srv_pool_notify(pool);
	return err;
}

/*
 * A blank store says where it is (R9.2). Whoever asks this member is told; nothing is persisted, as
 * the store goes on saying it until a client has taken it up.
 */
int rmr_srv_claim_heard(struct rmr_srv_pool *pool, unsigned int id,
			const struct rmr_sb_member *slot)
{
	bool news = memcmp(&pool->claim, slot, sizeof(*slot));
	int err;

	switch (rmr_table_identity(pool->sb->member, id, slot, true)) {
	case RMR_STORE_MEMBER:
		return 0;
	case RMR_STORE_CLAIM:
		break;
	default:
		return -EEXIST;
	}
	err = rmr_srv_trigger(RMR_SRV_POINT_CLAIM, pool->id);
	if (err)
		return err;
	pool->claim = *slot;
	pool->claim_id = id;
	pool->claim_until = get_jiffies_64() + CLAIM_LASTS;
	rmr_srv_table_note(pool);
	if (news)
		rmr_srv_info(pool, "a blank store on %s wants to be member %u\n", slot->node, id);
	return 0;
}

/* By another node, so it is no client's word. Caller: pool->lock. */
static int member_set(struct rmr_srv_pool *pool, const struct rmr_msg_member_set *msg)
{
	const struct rmr_sb_member *slot = &msg->member, *mine = &pool->sb->member[msg->member_id];
	bool same = mine->state != RMR_MEMBER_NONE && rmr_slot_same_store(mine, slot);

	if (slot->state == RMR_MEMBER_WITNESS &&
	    !(le32_to_cpu(pool->sb->flags) & RMR_SB_F_QUORUM))
		return RMR_ST_MALFORMED;
	if (!same && slot->state != RMR_MEMBER_NONE && slot->generation)
		return rmr_srv_claim_heard(pool, msg->member_id, slot);
	if (msg->table_version != pool->sb->table_version)
		return RMR_ST_FENCED;
	if (same && !memcmp(mine, slot, sizeof(*slot)))
		return 0;
	if (same && !rmr_slot_wish_check(mine, slot))
		return slot_set(pool, msg->member_id, slot);
	if (pool->attach || (le32_to_cpu(pool->sb->flags) & RMR_SB_F_USED) ||
	    msg->member_id == pool->id || slot->generation || mine->generation)
		return RMR_ST_BUSY;
	return unused_set(pool, msg);
}

int rmr_srv_member_set_msg(struct rmr_srv_sess *sess, const void *data)
{
	const struct rmr_msg_member_set *msg = data;
	struct rmr_srv_pool *pool;
	int err;

	if (le32_to_cpu(msg->hdr.handle) != RMR_NO_HANDLE) {
		pool = rmr_srv_handle_lock(sess, msg->hdr.handle, &msg->epoch);
		if (!pool)
			return RMR_ST_FENCED;
		err = slot_told(pool, msg);
		rmr_srv_handle_unlock(pool);
		return err;
	}
	pool = rmr_srv_pool_find(sess, NULL, msg->pool_uuid, RMR_NO_MEMBER);
	if (!pool)
		return RMR_ST_NOPOOL;
	mutex_lock(&pool->lock);
	err = pool->gone || pool->retired ? RMR_ST_NOPOOL : member_set(pool, msg);
	mutex_unlock(&pool->lock);
	rmr_srv_pool_put(pool);
	return err;
}

/* ---- the claim of this node's store ---- */

/*
 * Says to every member in reach that this blank store is here, and whom it replaces; once they all
 * refuse it, it is nobody's any more.
 */
static void claim_work(struct work_struct *work)
{
	struct rmr_srv_pool *pool = container_of(to_delayed_work(work), struct rmr_srv_pool,
						 claim_work);
	struct rmr_sb *sb = NULL;
	unsigned int i;
	bool blank;
	u8 old;

	mutex_lock(&pool->lock);
	blank = (le32_to_cpu(pool->sb->flags) & RMR_SB_F_DISCARDED) && !pool->gone &&
		!pool->retired;
	if (blank && !pool->attach)
		sb = kmemdup(pool->sb, sizeof(*pool->sb), GFP_KERNEL);
	mutex_unlock(&pool->lock);
	old = sb ? rmr_table_succeeds(sb->member, sb->member_id) : RMR_NO_MEMBER;
	for (i = 0; sb && i < RMR_MAX_MEMBERS; i++) {
		if (i == sb->member_id || sb->member[i].state == RMR_MEMBER_NONE)
			continue;
		if (!rmr_srv_tell_slot(sb, i, sb->member_id) && old != RMR_NO_MEMBER)
			rmr_srv_tell_slot(sb, i, old);
	}
	kfree(sb);
	if (blank)
		queue_delayed_work(system_unbound_wq, &pool->claim_work, CLAIM_AGAIN);
}

/* The pool is served from now on. */
void rmr_srv_claim_start(struct rmr_srv_pool *pool)
{
	INIT_DELAYED_WORK(&pool->claim_work, claim_work);
	queue_delayed_work(system_unbound_wq, &pool->claim_work, CLAIM_AGAIN);
}

/* Nothing is told any more. */
void rmr_srv_claim_stop(struct rmr_srv_pool *pool)
{
	cancel_delayed_work_sync(&pool->claim_work);
}

/* ---- wishes of this node ---- */

/* Why a member must not go, or NULL: the last copy, as far as this node knows. */
static const char *must_stay(const struct rmr_sb *sb, unsigned int id)
{
	u8 others = 0;
	unsigned int i;

	for (i = 0; i < RMR_MAX_MEMBERS; i++)
		if (i != id && sb->member[i].state == RMR_MEMBER_DATA && !sb->member[i].flags)
			others |= BIT(i);
	if (sb->member[id].state == RMR_MEMBER_WITNESS)
		return NULL;
	if (!others)
		return "it is the last member with data";
	if (sb->view.up_to_date && !(sb->view.up_to_date & others))
		return "it is the last up-to-date member";
	return NULL;
}

/* The slot with what an operator wishes. 0: *slot differs, 1: nothing to do, or an error. */
static int slot_wished(const struct rmr_sb *sb, const struct rmr_pool_spec *spec,
		       struct rmr_sb_member *slot, struct netlink_ext_ack *extack)
{
	const char *why = NULL;

	if (sb->member[spec->member_id].state == RMR_MEMBER_NONE) {
		NL_SET_ERR_MSG_FMT(extack, "pool has no member %d", spec->member_id);
		return -ENOENT;
	}
	switch (rmr_slot_wished(sb->member, spec->member_id, spec->leaving, spec->maintenance,
				slot)) {
	case RMR_WISHED_ALREADY:
		return 1;
	case RMR_WISHED_BACK:
		break;
	case RMR_WISHED_AWAY:
		why = must_stay(sb, spec->member_id);
		break;
	}
	if (why) {
		NL_SET_ERR_MSG_FMT(extack, "member %d: %s", spec->member_id, why);
		return -EBUSY;
	}
	return 0;
}

/* Tells the others, as far as they are in reach: a client may be attached to them alone. */
static void tell_wish(const struct rmr_sb *sb, unsigned int id)
{
	unsigned int i;

	for (i = 0; i < RMR_MAX_MEMBERS; i++)
		if (i != sb->member_id && i != id && sb->member[i].state != RMR_MEMBER_NONE)
			rmr_srv_tell_slot(sb, i, id);
}

/* A wish of this node about a store that is there. Caller: pool->lock. */
int rmr_srv_slot_wish(struct rmr_srv_pool *pool, unsigned int id, const struct rmr_sb_member *slot)
{
	int err = rmr_slot_wish_check(&pool->sb->member[id], slot);

	return err ?: rmr_srv_trigger(RMR_SRV_POINT_CLAIM, pool->id) ?: slot_set(pool, id, slot);
}

/* pool-member: by command, about any member of the pool. */
int rmr_srv_member(const struct rmr_pool_spec *spec, struct netlink_ext_ack *extack)
{
	struct rmr_srv_pool *pool = rmr_srv_pool_teller(spec, extack);
	struct rmr_sb *sb = NULL;
	struct rmr_sb_member slot;
	int err;

	if (IS_ERR(pool))
		return PTR_ERR(pool);
	mutex_lock(&pool->lock);
	err = slot_wished(pool->sb, spec, &slot, extack);
	if (!err && !spec->dry_run)
		err = rmr_srv_slot_wish(pool, spec->member_id, &slot);
	if (!err && !spec->dry_run && !pool->attach)
		sb = kmemdup(pool->sb, sizeof(*pool->sb), GFP_KERNEL);
	mutex_unlock(&pool->lock);
	if (sb)
		tell_wish(sb, spec->member_id);
	kfree(sb);
	rmr_srv_pool_put(pool);
	return min(err, 0);
}
