// SPDX-License-Identifier: GPL-2.0-only
/*
 * How a store becomes a member: format, create, join. Runs under rmr_srv_command_lock; a store that
 * is being made is nobody else's. Messages to peers wait, so pool->lock is not held meanwhile.
 */
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/uuid.h>

#include "srv-pri.h"

/* An empty map: every sector valid and clean. */
static int map_format(struct rmr_srv_pool *pool, const struct rmr_sb *sb)
{
	u64 off = le64_to_cpu(sb->map_off), len = le64_to_cpu(sb->map_len), done;
	u32 tag = get_unaligned_le32(sb->store_uuid), index = 0;
	size_t part = 64 * 1024, i;
	void *buf = kmalloc(part, GFP_KERNEL);
	int err = 0;

	if (!buf)
		return -ENOMEM;
	for (done = 0; done < len && !err; done += part) {
		part = min_t(u64, part, len - done);
		for (i = 0; i < part; i += RMR_MAP_SECTOR) {
			rmr_map_sector_init(buf + i, index++, tag);
			rmr_map_sector_seal(buf + i);
		}
		err = pool->ops->rw_md(pool->store, true, off + done, buf, part);
	}
	kfree(buf);
	return err;
}

/* Refuses a device that already is a store, unless forced. */
int rmr_srv_refuse_store(struct rmr_srv_pool *pool, bool force, struct netlink_ext_ack *extack)
{
	struct rmr_sb *copies = kcalloc(RMR_SB_COPIES, sizeof(*copies), GFP_KERNEL);
	struct rmr_fault fault;
	u8 damaged;
	int which;

	if (!copies)
		return -ENOMEM;
	which = rmr_srv_sb_read(pool, pool->ops->size(pool->store), copies, &damaged, &fault);
	if (which >= 0)
		NL_SET_ERR_MSG_FMT(extack, "device is a store of pool %.40s; --force overwrites it",
				   copies[which].pool_name);
	else if (which != -ENODATA)
		NL_SET_ERR_MSG(extack, "device has a damaged superblock; --force overwrites it");
	kfree(copies);
	if (which != -ENODATA && !force)
		return -EEXIST;
	return rmr_srv_device_refuse(pool, force, extack);
}

/* Where data and map are. A witness has neither. */
static int sb_place(struct rmr_srv_pool *pool, const struct rmr_pool_spec *spec, u64 size,
		    u32 chunk_size, struct netlink_ext_ack *extack)
{
	u64 store_size = pool->ops->size(pool->store);
	u64 most = rmr_pool_size_max(store_size, chunk_size);
	u64 map_len = rmr_map_len(rmr_chunks(size, chunk_size));
	struct rmr_sb *sb = pool->sb;

	sb->pool_size = cpu_to_le64(size);
	sb->chunk_size = cpu_to_le32(chunk_size);
	sb->store_size = cpu_to_le64(store_size);
	if (pool->md_device[0])
		return rmr_srv_device_place(pool, size, chunk_size, extack);
	if (spec->witness)
		return 0;
	if (size > most) {
		NL_SET_ERR_MSG_FMT(extack, "store too small: pool of %llu bytes, at most %llu fit",
				   size, most);
		return -ENOSPC;
	}
	sb->map_off = cpu_to_le64(rmr_map_off(store_size, map_len));
	sb->map_len = cpu_to_le64(map_len);
	return 0;
}

/* What create and join have in common: the fields that only this store decides. */
int rmr_srv_sb_fill(struct rmr_srv_pool *pool, const struct rmr_pool_spec *spec, u64 size,
		    u32 chunk_size, u8 id, struct netlink_ext_ack *extack)
{
	struct rmr_sb *sb = pool->sb;
	struct rmr_sb_member *me = &sb->member[id];
	u32 flags = RMR_SB_F_CLEAN;

	if (sb_place(pool, spec, size, chunk_size, extack))
		return -ENOSPC;
	/* Of no data area one may say so too. */
	if (spec->zeroed || spec->witness)
		flags |= RMR_SB_F_ZEROED;
	if (spec->quorum)
		flags |= RMR_SB_F_QUORUM;
	if (spec->data_crc)
		flags |= RMR_SB_F_DATA_CRC;
	if (spec->on_error > 0)
		sb->on_error = spec->on_error;
	memcpy(sb->magic, RMR_SB_MAGIC, sizeof(sb->magic));
	sb->version = cpu_to_le32(RMR_SB_VERSION);
	sb->flags |= cpu_to_le32(flags);
	generate_random_uuid(sb->store_uuid);
	sb->member_id = id;
	sb->created = cpu_to_le64(ktime_get_real_seconds());
	me->state = spec->witness ? RMR_MEMBER_WITNESS : RMR_MEMBER_DATA;
	memcpy(me->store_uuid, sb->store_uuid, RMR_UUID_LEN);
	strscpy(me->node, spec->node ?: rmr_srv_node, sizeof(me->node));
	memcpy(me->addr, spec->addr, sizeof(me->addr));
	return 0;
}

/* Both copies, then the map, written for the first time. Caller: rmr_srv_command_lock. */
int rmr_srv_format(struct rmr_srv_pool *pool, struct netlink_ext_ack *extack)
{
	struct rmr_fault fault;
	unsigned int i;
	int err;

	pool->sb->write_seq = cpu_to_le64(1);
	rmr_sb_seal(pool->sb);
	err = rmr_sb_check(pool->sb, pool->ops->size(pool->store), &fault);
	if (err) {
		NL_SET_ERR_MSG_FMT(extack, "%s %s", fault.field, fault.why);
		return -EINVAL;
	}
	pool->sb->write_seq = 0;
	rmr_srv_pool_adopt_sb(pool);
	err = map_format(pool, pool->sb);
	if (!err)
		err = rmr_srv_device_format(pool, extack);
	mutex_lock(&pool->lock);
	for (i = 0; i < RMR_SB_COPIES && !err; i++) {
		rmr_srv_sb_begin(pool);
		err = rmr_srv_sb_commit(pool);
	}
	mutex_unlock(&pool->lock);
	if (err)
		NL_SET_ERR_MSG_FMT(extack, "cannot write metadata: error %d", err);
	return err;
}

/* ---- create ---- */

static int name_refuse(const struct rmr_pool_spec *spec, struct netlink_ext_ack *extack)
{
	struct rmr_fault fault;

	if (strlen(spec->name) >= RMR_NAME_LEN ||
	    rmr_name_check(spec->name, strlen(spec->name) + 1, &fault)) {
		NL_SET_ERR_MSG(extack, "pool name: 1 to 63 of A-Za-z0-9._- and no leading . or -");
		return -EINVAL;
	}
	if (!rmr_srv_name_taken(spec->name, spec->addr[0], NULL, RMR_NO_MEMBER))
		return 0;
	NL_SET_ERR_MSG_FMT(extack, "pool %s exists on this node", spec->name);
	return -EEXIST;
}

int rmr_srv_create(const struct rmr_pool_spec *spec, struct rmr_pool_info *info,
		   struct netlink_ext_ack *extack)
{
	struct rmr_srv_pool *pool;
	struct rmr_fault fault;
	struct rmr_sb *sb;
	int err;

	if (rmr_chunk_size_check(spec->chunk_size, &fault)) {
		NL_SET_ERR_MSG_FMT(extack, "chunk size %u: %s", spec->chunk_size, fault.why);
		return -EINVAL;
	}
	mutex_lock(&rmr_srv_command_lock);
	err = name_refuse(spec, extack);
	if (err)
		goto unlock;
	pool = rmr_srv_pool_open(spec, extack);
	if (IS_ERR(pool)) {
		err = PTR_ERR(pool);
		goto unlock;
	}
	err = rmr_srv_refuse_store(pool, spec->force, extack);
	sb = pool->sb;
	if (!err) {
		strscpy(sb->pool_name, spec->name, sizeof(sb->pool_name));
		if (spec->uuid)
			memcpy(sb->pool_uuid, spec->uuid, RMR_UUID_LEN);
		else
			generate_random_uuid(sb->pool_uuid);
		rmr_lineage_new(sb->view.lineage);
		sb->view.number = cpu_to_le64(1);
		sb->view.up_to_date = BIT(0);
		sb->table_version = cpu_to_le64(1);
		err = rmr_srv_sb_fill(pool, spec, spec->size, spec->chunk_size, 0, extack);
	}
	if (!err)
		err = rmr_srv_format(pool, extack);
	if (!err)
		err = rmr_srv_pool_publish(pool, info, extack);
	if (err)
		rmr_srv_pool_put(pool);
unlock:
	mutex_unlock(&rmr_srv_command_lock);
	return err;
}

/* ---- join ---- */

int rmr_srv_join_refused(int err, struct netlink_ext_ack *extack, const char *addr)
{
	const char *why = "failed";

	if (err == RMR_ST_NOPOOL)
		why = "no such pool";
	else if (err == RMR_ST_BUSY)
		why = "pool in use, used before or not zeroed";
	else if (err == -EEXIST)
		why = "member id taken";
	else if (err == RMR_ST_FENCED)
		why = "member table changed, try again";
	else if (err == -EPROTONOSUPPORT)
		why = "transport or protocol version";
	NL_SET_ERR_MSG_FMT(extack, "%.39s: %s (%d)", addr, why, err);
	return err;
}

/* Asks the peers in turn. */
int rmr_srv_join_ask(const struct rmr_pool_spec *spec, struct rmr_rsp_pool *rsp,
		     struct netlink_ext_ack *extack)
{
	struct rmr_conn conn;
	int err = -EINVAL;
	unsigned int i;

	for (i = 0; i < spec->peer_cnt; i++) {
		err = rmr_conn_open(&conn, spec->transport, spec->peer[i], spec->port,
				    rmr_srv_node, NULL, NULL);
		if (err) {
			NL_SET_ERR_MSG_FMT(extack, "cannot connect to %.39s: error %d",
					   spec->peer[i], err);
			continue;
		}
		err = rmr_conn_pool_info(&conn, spec->name, spec->uuid, rsp);
		rmr_conn_close(&conn);
		if (!err)
			return 0;
		rmr_srv_join_refused(err, extack, spec->peer[i]);
	}
	return err;
}

static int join_pick_id(const struct rmr_pool_spec *spec, const struct rmr_rsp_pool *rsp,
			struct netlink_ext_ack *extack)
{
	int id = spec->member_id >= 0 ? spec->member_id : rmr_srv_free_place(rsp, spec->replaces);
	u8 keeper;

	if (id < 0 || id >= RMR_MAX_MEMBERS) {
		NL_SET_ERR_MSG_FMT(extack, "pool has %u members already", RMR_MAX_MEMBERS);
		return -ENOSPC;
	}
	if (rsp->member[id].state) {
		NL_SET_ERR_MSG_FMT(extack, "member id %d is taken by %.30s", id,
				   rsp->member[id].node);
		return -EEXIST;
	}
	keeper = rmr_table_succeeds(rsp->member, id);
	if (keeper != RMR_NO_MEMBER && keeper != spec->replaces) {
		NL_SET_ERR_MSG_FMT(extack, "member id %d is kept for who replaces member %u", id,
				   keeper);
		return -EEXIST;
	}
	return id;
}

/* Fills the superblock of a joining store from what the peer told and the rules of member_set. */
static int join_fill(struct rmr_srv_pool *pool, const struct rmr_pool_spec *spec,
		     const struct rmr_rsp_pool *rsp, int id, struct netlink_ext_ack *extack)
{
	u32 flags = le32_to_cpu(rsp->sb_flags);
	struct rmr_sb *sb = pool->sb;

	memcpy(sb->pool_uuid, rsp->pool_uuid, RMR_UUID_LEN);
	memcpy(sb->pool_name, rsp->pool_name, RMR_NAME_LEN);
	memcpy(sb->member, rsp->member, sizeof(sb->member));
	sb->promised = rsp->promised;
	sb->view = rsp->view;
	le64_add_cpu(&sb->view.number, 1);
	if (!spec->witness)
		sb->view.up_to_date |= BIT(id);
	sb->flags = cpu_to_le32(flags & (RMR_SB_F_QUORUM | RMR_SB_F_DATA_CRC));
	sb->table_version = rsp->table_version;
	le64_add_cpu(&sb->table_version, 1);
	return rmr_srv_sb_fill(pool, spec, le64_to_cpu(rsp->pool_size),
			       le32_to_cpu(rsp->chunk_size), id, extack);
}

static int member_tell(const struct rmr_pool_spec *spec, const struct rmr_sb *sb, unsigned int to,
		       u64 version, bool add)
{
	struct rmr_msg_member_set msg = {};
	struct rmr_conn conn;
	int err;

	rmr_msg_init(&msg.hdr, RMR_MSG_MEMBER_SET, RMR_NO_HANDLE);
	memcpy(msg.pool_uuid, sb->pool_uuid, RMR_UUID_LEN);
	msg.table_version = cpu_to_le64(version);
	msg.member_id = sb->member_id;
	if (add)
		msg.member = sb->member[sb->member_id];
	err = rmr_conn_open(&conn, spec->transport, sb->member[to].addr[0], spec->port,
			    rmr_srv_node, NULL, NULL);
	if (err)
		return err;
	err = rmr_conn_call(&conn, &msg, sizeof(msg), NULL, 0);
	rmr_conn_close(&conn);
	return err;
}

/* Tells every other member; takes it back from those already told if one refuses. */
static int join_tell(const struct rmr_pool_spec *spec, const struct rmr_sb *sb,
		     struct netlink_ext_ack *extack)
{
	u64 version = le64_to_cpu(sb->table_version);
	unsigned int i;
	u8 told = 0;
	int err = 0;

	for (i = 0; i < RMR_MAX_MEMBERS && !err; i++) {
		if (i == sb->member_id || sb->member[i].state == RMR_MEMBER_NONE)
			continue;
		err = member_tell(spec, sb, i, version - 1, true);
		if (err)
			rmr_srv_join_refused(err, extack, sb->member[i].addr[0]);
		else
			told |= BIT(i);
	}
	for (i = 0; i < RMR_MAX_MEMBERS && err; i++)
		if ((told & BIT(i)) && member_tell(spec, sb, i, version, false))
			pr_warn("rmr %s: member %u still lists member %u, which did not join\n",
				sb->pool_name, i, sb->member_id);
	return err;
}

/* The part of a join that touches the device. */
static int join_device(const struct rmr_pool_spec *spec, const struct rmr_rsp_pool *rsp, int id,
		       struct rmr_pool_info *info, struct netlink_ext_ack *extack)
{
	struct rmr_srv_pool *pool = rmr_srv_pool_open(spec, extack);
	int err;

	if (IS_ERR(pool))
		return PTR_ERR(pool);
	err = rmr_srv_refuse_store(pool, spec->force, extack);
	if (!err)
		err = join_fill(pool, spec, rsp, id, extack);
	if (!err && spec->dry_run) {
		mutex_lock(&pool->lock);
		rmr_srv_pool_fill_info(pool, info);
		mutex_unlock(&pool->lock);
		rmr_srv_pool_put(pool);
		return 0;
	}
	if (!err)
		err = rmr_srv_format(pool, extack);
	if (err)
		goto put;
	err = join_tell(spec, pool->sb, extack);
	if (!err)
		err = rmr_srv_pool_publish(pool, info, extack);
	if (err)
		rmr_srv_sb_wipe(pool);
put:
	if (err)
		rmr_srv_pool_put(pool);
	return err;
}

/*
 * May the store be up to date at once? Only if the data areas of all members read as zeros; else it
 * is blank (R9.3).
 */
static bool is_equal(const struct rmr_pool_spec *spec, const struct rmr_rsp_pool *rsp, int id)
{
	u32 must = RMR_SB_F_CLEAN | RMR_SB_F_ZEROED, flags = le32_to_cpu(rsp->sb_flags);

	return !rsp->busy && !(flags & RMR_SB_F_USED) && (flags & must) == must &&
	       !rsp->member[id].generation && spec->replaces == RMR_NO_MEMBER &&
	       (spec->zeroed || spec->witness);
}

static int join(const struct rmr_pool_spec *spec, const struct rmr_rsp_pool *rsp,
		struct rmr_pool_info *info, struct netlink_ext_ack *extack)
{
	int id = join_pick_id(spec, rsp, extack);

	if (id < 0)
		return id;
	if (spec->witness && !(le32_to_cpu(rsp->sb_flags) & RMR_SB_F_QUORUM)) {
		NL_SET_ERR_MSG(extack, "a witness is of no use: pool was made without --quorum");
		return -EOPNOTSUPP;
	}
	return is_equal(spec, rsp, id) ? join_device(spec, rsp, id, info, extack) :
					 rmr_srv_blank_join(spec, rsp, id, info, extack);
}

int rmr_srv_join(const struct rmr_pool_spec *spec, struct rmr_pool_info *info,
		 struct netlink_ext_ack *extack)
{
	struct rmr_rsp_pool *rsp = kzalloc(sizeof(*rsp), GFP_KERNEL);
	int err;

	if (!rsp)
		return -ENOMEM;
	mutex_lock(&rmr_srv_command_lock);
	err = name_refuse(spec, extack);
	if (!err)
		err = rmr_srv_join_ask(spec, rsp, extack);
	if (!err)
		err = join(spec, rsp, info, extack);
	mutex_unlock(&rmr_srv_command_lock);
	kfree(rsp);
	return err;
}
