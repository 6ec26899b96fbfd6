// SPDX-License-Identifier: GPL-2.0-only
/*
 * Blank stores (protocol R9.2, R9.3): a store that becomes a member of a pool that was used, in a
 * free place or in that of a store of this node. It is discarded from its first superblock on and
 * says where it is until a client has taken it up (srv-table.c).
 *
 * Whom it replaces is in its own table from that superblock on, as a wish about that member: there
 * is no moment at which it is a store and nobody knows that the other one goes. Telling others is
 * only quicker, so what interrupts the command after that interrupts nothing.
 *
 * Runs under rmr_srv_command_lock. Messages to peers wait, so pool->lock is not held meanwhile.
 */
#include <linux/slab.h>

#include "srv-pri.h"

/* ---- telling others ---- */

/*
 * What is to be told of a slot to a member that answered rsp: a claim of this store, or a wish. 0,
 * or -ESTALE: the wish is about a store that is not there any more.
 */
static int slot_msg(const struct rmr_sb *sb, unsigned int id, const struct rmr_rsp_pool *rsp,
		    struct rmr_msg_member_set *msg)
{
	bool blank = le32_to_cpu(sb->flags) & RMR_SB_F_DISCARDED;
	bool succession = blank && sb->member[id].successor == sb->member_id + 1;

	rmr_msg_init(&msg->hdr, RMR_MSG_MEMBER_SET, RMR_NO_HANDLE);
	memcpy(msg->pool_uuid, sb->pool_uuid, RMR_UUID_LEN);
	msg->table_version = rsp->table_version;
	msg->member_id = id;
	msg->member = sb->member[id];
	if (id != sb->member_id &&
	    !rmr_slot_tell(&sb->member[id], &rsp->member[id], succession, &msg->member))
		return -ESTALE;
	return 0;
}

/* Tells member to of slot id. Sleeps for long if it is dead. */
int rmr_srv_tell_slot(const struct rmr_sb *sb, unsigned int to, unsigned int id)
{
	struct rmr_rsp_pool *rsp = kzalloc(sizeof(*rsp), GFP_KERNEL);
	struct rmr_msg_member_set *msg = kzalloc(sizeof(*msg), GFP_KERNEL);
	struct rmr_conn conn;
	int err = -ENOMEM;

	if (!rsp || !msg)
		goto free;
	err = rmr_conn_open(&conn, rmr_srv_transport(), sb->member[to].addr[0], rmr_srv_port(),
			    rmr_srv_node, NULL, NULL);
	if (err)
		goto free;
	err = rmr_conn_pool_info(&conn, NULL, sb->pool_uuid, rsp) ?: slot_msg(sb, id, rsp, msg);
	if (!err)
		err = rmr_conn_call(&conn, msg, sizeof(*msg), NULL, 0);
	rmr_conn_close(&conn);
free:
	kfree(msg);
	kfree(rsp);
	return err;
}

/* Any member in reach has to hear it. The last error if none did. */
static int tell_anyone(const struct rmr_sb *sb, unsigned int id)
{
	int err = -ENOTCONN;
	unsigned int i;

	for (i = 0; i < RMR_MAX_MEMBERS && err; i++)
		if (i != sb->member_id && sb->member[i].state != RMR_MEMBER_NONE)
			err = rmr_srv_tell_slot(sb, i, id);
	return err;
}

/* ---- the blank superblock ---- */

static int blank_fill(struct rmr_srv_pool *pool, const struct rmr_pool_spec *spec,
		      const struct rmr_rsp_pool *rsp, int id, struct netlink_ext_ack *extack)
{
	u32 keep = RMR_SB_F_QUORUM | RMR_SB_F_USED | RMR_SB_F_DATA_CRC;
	struct rmr_sb *sb = pool->sb;
	int err;

	memcpy(sb->pool_uuid, rsp->pool_uuid, RMR_UUID_LEN);
	memcpy(sb->pool_name, rsp->pool_name, RMR_NAME_LEN);
	memcpy(sb->member, rsp->member, sizeof(sb->member));
	memset(&sb->member[id], 0, sizeof(sb->member[id]));
	sb->member[id].generation = rmr_slot_claim_generation(&rsp->member[id]);
	sb->promised = rsp->promised;
	sb->table_version = rsp->table_version;
	/* Its own view stays zero: it stands for no store of an older view (F_STANDIN). */
	if (!(rsp->view.up_to_date & ~BIT(id))) {
		NL_SET_ERR_MSG_FMT(extack, "no other member is up to date: %d has all", id);
		return -EBUSY;
	}
	err = rmr_srv_sb_fill(pool, spec, le64_to_cpu(rsp->pool_size),
			      le32_to_cpu(rsp->chunk_size), id, extack);
	/* It ended no client's work, so it is never clean (R2.11). */
	sb->flags = rsp->sb_flags & cpu_to_le32(keep);
	sb->flags |= cpu_to_le32(RMR_SB_F_DISCARDED);
	if (spec->replaces != RMR_NO_MEMBER && spec->replaces != id)
		rmr_slot_succeeded(&sb->member[spec->replaces], id);
	return err;
}

/* The device with a blank superblock, written unless it is a dry run; or an error pointer. */
static struct rmr_srv_pool *blank_make(const struct rmr_pool_spec *spec,
				       const struct rmr_rsp_pool *rsp, int id,
				       struct netlink_ext_ack *extack)
{
	struct rmr_srv_pool *pool = rmr_srv_pool_open(spec, extack);
	int err;

	if (IS_ERR(pool))
		return pool;
	err = rmr_srv_refuse_store(pool, spec->force, extack);
	if (!err)
		err = blank_fill(pool, spec, rsp, id, extack);
	if (!err && spec->dry_run)
		rmr_srv_pool_adopt_sb(pool);
	else if (!err)
		err = rmr_srv_format(pool, extack);
	if (!err)
		return pool;
	rmr_srv_pool_put(pool);
	return ERR_PTR(err);
}

static int show(struct rmr_srv_pool *pool, struct rmr_pool_info *info)
{
	mutex_lock(&pool->lock);
	rmr_srv_pool_fill_info(pool, info);
	mutex_unlock(&pool->lock);
	rmr_srv_pool_put(pool);
	return 0;
}

/* Places that a blank store was heard lately to want. */
static u8 claimed(const struct rmr_rsp_pool *rsp)
{
	return rsp->claim.state != RMR_MEMBER_NONE ? rmr_mask_of(rsp->claim_id) : 0;
}

/* Is somebody in the place, or about to come? */
static bool is_held(const struct rmr_rsp_pool *rsp, unsigned int id)
{
	return rsp->member[id].state != RMR_MEMBER_NONE || rmr_mask_has(claimed(rsp), id);
}

/* A place for a store that may replace a member, or -ENOSPC. */
int rmr_srv_free_place(const struct rmr_rsp_pool *rsp, u8 replaces)
{
	u8 id = rmr_table_place(rsp->member, claimed(rsp), replaces);

	return id == RMR_NO_MEMBER ? -ENOSPC : id;
}

/* Why the slot cannot be given up for another store; 0: it can. */
static int may_succeed(const struct rmr_rsp_pool *rsp, unsigned int id, bool witness,
		       struct netlink_ext_ack *extack)
{
	const struct rmr_sb_member *slot = &rsp->member[id];

	if (slot->state == RMR_MEMBER_NONE) {
		NL_SET_ERR_MSG_FMT(extack, "pool has no member %u", id);
		return -ENOENT;
	}
	/* One that was never heard of again leaves room for another. */
	if (slot->successor && is_held(rsp, slot->successor - 1)) {
		NL_SET_ERR_MSG_FMT(extack, "member %u is being replaced by member %u already", id,
				   slot->successor - 1);
		return -EBUSY;
	}
	if (!slot->successor && (slot->flags & RMR_SLOT_F_LEAVING)) {
		NL_SET_ERR_MSG_FMT(extack, "member %u is being removed", id);
		return -EBUSY;
	}
	if (slot->state != (witness ? RMR_MEMBER_WITNESS : RMR_MEMBER_DATA)) {
		NL_SET_ERR_MSG_FMT(extack, "member %u is %s witness", id, witness ? "no" : "a");
		return -EINVAL;
	}
	return 0;
}

/* ---- join of a pool that was used ---- */

/* Says at once whom the store replaces, rather than with its next claim. */
static void succeed(struct rmr_srv_pool *pool, unsigned int id)
{
	struct rmr_sb *sb;

	if (rmr_srv_trigger(RMR_SRV_POINT_CLAIM, pool->id))
		return;
	sb = kmemdup(pool->sb, sizeof(*pool->sb), GFP_KERNEL);
	if (sb)
		tell_anyone(sb, id);
	kfree(sb);
}

int rmr_srv_blank_join(const struct rmr_pool_spec *spec, const struct rmr_rsp_pool *rsp, int id,
		       struct rmr_pool_info *info, struct netlink_ext_ack *extack)
{
	bool replaces = spec->replaces != RMR_NO_MEMBER;
	struct rmr_srv_pool *pool;
	int err = replaces ? may_succeed(rsp, spec->replaces, spec->witness, extack) : 0;

	if (err)
		return err;
	pool = blank_make(spec, rsp, id, extack);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	if (spec->dry_run)
		return show(pool, info);
	err = tell_anyone(pool->sb, id);
	if (err)
		rmr_srv_join_refused(err, extack, rsp->member[rsp->member_id].addr[0]);
	if (!err)
		err = rmr_srv_pool_publish(pool, info, extack);
	if (err) {
		rmr_srv_sb_wipe(pool);
		rmr_srv_pool_put(pool);
		return err;
	}
	if (replaces)
		succeed(pool, spec->replaces);
	return 0;
}

/* ---- replace ---- */

/* The old store works: the new one comes beside it and takes its place when it is up to date. */
static int replace_alive(struct rmr_srv_pool *old, const struct rmr_pool_spec *spec,
			 const struct rmr_rsp_pool *rsp, struct rmr_pool_info *info,
			 struct netlink_ext_ack *extack)
{
	int id = rmr_srv_free_place(rsp, spec->replaces), err;
	struct rmr_sb_member slot;
	struct rmr_srv_pool *pool;

	if (id < 0) {
		NL_SET_ERR_MSG_FMT(extack,
				   "pool has %u members: no place for the new disk beside the old",
				   RMR_MAX_MEMBERS);
		return -EBUSY;
	}
	pool = blank_make(spec, rsp, id, extack);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	if (spec->dry_run)
		return show(pool, info);
	err = rmr_srv_pool_publish(pool, info, extack);
	if (err) {
		rmr_srv_sb_wipe(pool);
		rmr_srv_pool_put(pool);
		return err;
	}
	mutex_lock(&old->lock);
	slot = old->sb->member[old->id];
	rmr_slot_succeeded(&slot, id);
	err = rmr_srv_slot_wish(old, old->id, &slot);
	if (!err)
		err = rmr_srv_claim_heard(old, id, &pool->sb->member[id]);
	mutex_unlock(&old->lock);
	if (err)
		rmr_srv_info(old, "could not note its successor (%d): it says so itself\n", err);
	return 0;
}

/* The old store is dead or not served: the new one gets its place. */
static int replace_dead(struct rmr_srv_pool *old, const struct rmr_pool_spec *spec,
			const struct rmr_rsp_pool *rsp, struct rmr_pool_info *info,
			struct netlink_ext_ack *extack)
{
	struct rmr_srv_pool *pool = blank_make(spec, rsp, spec->leg, extack);
	int err;

	if (IS_ERR(pool))
		return PTR_ERR(pool);
	if (spec->dry_run)
		return show(pool, info);
	if (old)
		rmr_srv_pool_end(old);
	err = rmr_srv_pool_publish(pool, info, extack);
	if (err) {
		rmr_srv_sb_wipe(pool);
		rmr_srv_pool_put(pool);
	}
	return err;
}

/* What is known of the pool: by this node's member, failed or not, else by a peer. */
static int replace_learn(struct rmr_srv_pool *old, const struct rmr_pool_spec *spec,
			 struct rmr_rsp_pool *rsp, struct netlink_ext_ack *extack)
{
	const struct rmr_sb_member *slot = &rsp->member[spec->leg];
	int err = 0;

	if (old) {
		mutex_lock(&old->lock);
		rmr_srv_fill_pool(old, rsp, RMR_NO_HANDLE);
		mutex_unlock(&old->lock);
		return 0;
	}
	if (!spec->peer_cnt) {
		NL_SET_ERR_MSG_FMT(extack, "no member %u of %.30s here: name a peer, --peer",
				   spec->leg, spec->name);
		return -ENOENT;
	}
	err = rmr_srv_join_ask(spec, rsp, extack);
	if (!err && slot->state != RMR_MEMBER_NONE && strcmp(slot->addr[0], spec->addr[0])) {
		NL_SET_ERR_MSG_FMT(extack, "member %u is on node %.30s, %.39s", spec->leg,
				   slot->node, slot->addr[0]);
		err = -EINVAL;
	}
	return err;
}

int rmr_srv_replace(const struct rmr_pool_spec *orig, struct rmr_pool_info *info,
		    struct netlink_ext_ack *extack)
{
	struct rmr_rsp_pool *rsp = kzalloc(sizeof(*rsp), GFP_KERNEL);
	struct rmr_pool_spec *spec = kmemdup(orig, sizeof(*orig), GFP_KERNEL);
	struct rmr_srv_pool *old = NULL;
	bool alive;
	int err = -ENOMEM;

	if (!rsp || !spec)
		goto free;
	mutex_lock(&rmr_srv_command_lock);
	old = rmr_srv_pool_find(NULL, spec->name, spec->uuid, spec->leg);
	err = replace_learn(old, spec, rsp, extack);
	if (err)
		goto unlock;
	spec->witness = rsp->member[spec->leg].state == RMR_MEMBER_WITNESS;
	err = may_succeed(rsp, spec->leg, spec->witness, extack);
	if (err)
		goto unlock;
	alive = old && READ_ONCE(old->state) != RMR_POOL_STATE_FAILED;
	spec->replaces = spec->leg;
	err = alive ? replace_alive(old, spec, rsp, info, extack) :
		      replace_dead(old, spec, rsp, info, extack);
unlock:
	mutex_unlock(&rmr_srv_command_lock);
	if (old)
		rmr_srv_pool_put(old);
free:
	kfree(spec);
	kfree(rsp);
	return err;
}
