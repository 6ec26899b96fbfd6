// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stores on two devices: metadata on one, nothing but data on the other. What is checked when one
 * is made or assembled, and the stub that tells whose data a device holds: under
 * rmr_srv_command_lock, before anybody can find the pool. And what srv-resize.c, which has the
 * order, does on the two devices when they get larger.
 *
 * Which flush covers which device: see kmod/brmr/store.c.
 */
#include <linux/slab.h>
#include <linux/uuid.h>

#include "srv-pri.h"

static bool split(const struct rmr_srv_pool *pool)
{
	return pool->md_device[0];
}

/* Whether the data device itself ends with superblocks. 1: yes, 0: no, or an error. */
static int data_is_store(struct rmr_srv_pool *pool, char *name)
{
	u64 size = pool->ops->data_size(pool->store);
	struct rmr_sb *copies = kcalloc(RMR_SB_COPIES, sizeof(*copies), GFP_KERNEL);
	struct rmr_fault fault;
	unsigned int i;
	int which = 0;
	u8 damaged;

	if (!copies)
		return -ENOMEM;
	for (i = 0; i < RMR_SB_COPIES && !which; i++)
		which = pool->ops->rw_data(pool->store, false, rmr_sb_off(size, i), &copies[i],
					   sizeof(copies[i]));
	if (!which)
		which = rmr_sb_choose(copies, size, &damaged, &fault);
	if (which >= 0)
		strscpy(name, copies[which].pool_name, RMR_NAME_LEN);
	kfree(copies);
	return which >= 0 ? 1 : which == -EIO || which == -ENOMEM ? which : 0;
}

/* Refuses a data device that is a store or the data of one, unless forced. */
int rmr_srv_device_refuse(struct rmr_srv_pool *pool, bool force, struct netlink_ext_ack *extack)
{
	u64 size = pool->ops->data_size(pool->store);
	char name[RMR_NAME_LEN] = "";
	struct rmr_stub *stub;
	int err;

	if (!split(pool) || force)
		return 0;
	err = data_is_store(pool, name);
	if (err) {
		NL_SET_ERR_MSG_FMT(extack, "data device is a store of %.40s; --force overwrites it",
				   err > 0 ? name : "?");
		return err > 0 ? -EEXIST : err;
	}
	stub = kmalloc(sizeof(*stub), GFP_KERNEL);
	if (!stub)
		return -ENOMEM;
	err = pool->ops->rw_data(pool->store, false, rmr_stub_off(size, 0), stub, sizeof(*stub));
	if (!err && !memcmp(stub->magic, RMR_STUB_MAGIC, sizeof(stub->magic))) {
		NL_SET_ERR_MSG(extack,
			       "device holds the data of a store already; --force overwrites it");
		err = -EEXIST;
	}
	kfree(stub);
	return err;
}

/* Where data and map are, in a superblock whose sizes are filled in. */
int rmr_srv_device_place(struct rmr_srv_pool *pool, u64 size, u32 chunk_size,
			 struct netlink_ext_ack *extack)
{
	u64 data_size = pool->ops->data_size(pool->store), md_size = pool->ops->size(pool->store);
	u64 map_len = rmr_map_len(rmr_chunks(size, chunk_size));
	struct rmr_sb *sb = pool->sb;

	if (size > data_size) {
		NL_SET_ERR_MSG_FMT(extack, "data device too small: %llu bytes, the pool has %llu",
				   data_size, size);
		return -ENOSPC;
	}
	if (md_size < RMR_MD_TAIL + map_len) {
		NL_SET_ERR_MSG_FMT(extack, "metadata device too small: %llu bytes, needs %llu",
				   md_size, RMR_MD_TAIL + map_len);
		return -ENOSPC;
	}
	sb->feat_incompat |= cpu_to_le64(RMR_FEAT_INCOMPAT_EXT_MD);
	sb->data_size = cpu_to_le64(data_size);
	generate_random_uuid(sb->data_label);
	sb->map_off = cpu_to_le64(rmr_map_off(md_size, map_len));
	sb->map_len = cpu_to_le64(map_len);
	return 0;
}

/* Writes the stub of a store that is being made, if there is room. */
int rmr_srv_device_format(struct rmr_srv_pool *pool, struct netlink_ext_ack *extack)
{
	const struct rmr_sb *sb = pool->sb;
	u64 off = rmr_stub_off(le64_to_cpu(sb->data_size), le64_to_cpu(sb->pool_size));
	struct rmr_stub *stub;
	int err;

	if (!split(pool) || off == U64_MAX)
		return 0;
	stub = kmalloc(sizeof(*stub), GFP_KERNEL);
	if (!stub)
		return -ENOMEM;
	rmr_stub_fill(stub, sb);
	err = pool->ops->rw_data(pool->store, true, off, stub, sizeof(*stub));
	if (err)
		NL_SET_ERR_MSG_FMT(extack, "cannot write to the data device: error %d", err);
	kfree(stub);
	return err;
}

/* Takes the stub away. Caller: pool->lock, sb_lock; sb_next is free. */
int rmr_srv_device_wipe(struct rmr_srv_pool *pool)
{
	const struct rmr_sb *sb = pool->sb;
	u64 off = rmr_stub_off(le64_to_cpu(sb->data_size), le64_to_cpu(sb->pool_size));

	if (!rmr_sb_split(sb) || off == U64_MAX)
		return 0;
	memset(pool->sb_next, 0, sizeof(*pool->sb_next));
	return pool->ops->rw_data(pool->store, true, off, pool->sb_next, RMR_MD_BLOCK);
}

static int stub_wanted(struct rmr_srv_pool *pool, u64 off, struct netlink_ext_ack *extack)
{
	struct rmr_stub *stub = kmalloc(sizeof(*stub), GFP_KERNEL);
	struct rmr_fault fault = {};
	int err;

	if (!stub)
		return -ENOMEM;
	err = pool->ops->rw_data(pool->store, false, off, stub, sizeof(*stub));
	if (err) {
		NL_SET_ERR_MSG_FMT(extack, "cannot read the data device: error %d", err);
	} else if (rmr_stub_check(stub, pool->sb, &fault)) {
		NL_SET_ERR_MSG_FMT(extack, "not the data device of this store: %.12s %.30s",
				   fault.field, fault.why);
		err = -EXDEV;
	}
	kfree(stub);
	return err;
}

/* Are these the two devices of the store, or is it one of one device? */
int rmr_srv_device_check(struct rmr_srv_pool *pool, struct netlink_ext_ack *extack)
{
	u64 data_size = pool->ops->data_size(pool->store);
	const struct rmr_sb *sb = pool->sb;
	char name[RMR_NAME_LEN];
	u64 off;

	if (rmr_sb_split(sb) != split(pool)) {
		if (split(pool))
			NL_SET_ERR_MSG(extack, "store has data and metadata on one device");
		else
			NL_SET_ERR_MSG(extack,
				       "metadata alone: give its data device, and this as --metadata-device");
		return -EXDEV;
	}
	if (!split(pool))
		return 0;
	/* One that grew has its stub where its end was, until "grow" makes use of it. */
	off = rmr_stub_off(le64_to_cpu(sb->data_size), le64_to_cpu(sb->pool_size));
	if (data_size < le64_to_cpu(sb->data_size) ||
	    (off == U64_MAX && data_size != le64_to_cpu(sb->data_size))) {
		NL_SET_ERR_MSG_FMT(extack, "not the data device of this store: has %llu, not %llu",
				   data_size, le64_to_cpu(sb->data_size));
		return -EXDEV;
	}
	if (off != U64_MAX)
		return stub_wanted(pool, off, extack);
	if (data_is_store(pool, name) > 0) {
		NL_SET_ERR_MSG_FMT(extack, "not the data device of this store: one of %.40s",
				   name);
		return -EXDEV;
	}
	rmr_srv_warn(pool, "data device %s was recognised by its size alone\n", pool->device);
	return 0;
}

/* ---- growth ---- */

/* Bytes that the devices have more than the store uses; whole blocks. */
u64 rmr_srv_device_grown(struct rmr_srv_pool *pool)
{
	u64 now = split(pool) ? pool->ops->data_size(pool->store) : pool->ops->size(pool->store);
	u64 used = le64_to_cpu(split(pool) ? pool->sb->data_size : pool->sb->store_size);

	return now > used && !pool->witness ? now - used : 0;
}

/*
 * Where a map of new_len bytes goes on the metadata device: it stays if it has the room, else it
 * goes below itself or, if the device has grown, behind the superblocks in use; never over them.
 */
static int plan_map(struct rmr_srv_pool *pool, struct rmr_srv_grow *g, u64 new_len,
		    struct netlink_ext_ack *extack)
{
	u64 map_len = le64_to_cpu(pool->sb->map_len), end = g->store_size - RMR_MD_TAIL;

	g->map_off = g->old_off;
	if (g->store_size == g->old_size && end - g->old_off >= new_len)
		return 0;
	if (end >= new_len)
		g->map_off = rmr_map_off(g->store_size, new_len);
	if (g->store_size == g->old_size) {
		if (end >= new_len && g->map_off + map_len <= g->old_off)
			return 0;
		g->map_off = g->old_off - new_len;
		if (g->old_off >= new_len)
			return 0;
	} else if (end >= new_len && g->map_off >= g->old_size) {
		return 0;
	}
	NL_SET_ERR_MSG_FMT(extack, "metadata device too small: %llu bytes, needs %llu",
			   g->store_size, g->old_size + RMR_MD_TAIL + new_len);
	return -ENOSPC;
}

/* The plan of rmr_srv_grow(). Caller: pool->lock. */
int rmr_srv_device_plan(struct rmr_srv_pool *pool, const struct rmr_pool_spec *spec,
			struct rmr_srv_grow *g, struct netlink_ext_ack *extack)
{
	const struct rmr_sb *sb = pool->sb;
	u64 size = le64_to_cpu(sb->pool_size), most, want;
	int err;

	g->store_size = pool->ops->size(pool->store);
	g->old_size = le64_to_cpu(sb->store_size);
	g->old_off = le64_to_cpu(sb->map_off);
	g->data_size = pool->ops->data_size(pool->store);
	g->old_data = le64_to_cpu(sb->data_size);
	g->old_stub = rmr_stub_off(g->old_data, size);
	if (g->store_size < g->old_size || g->data_size < g->old_data) {
		NL_SET_ERR_MSG(extack, "a device is smaller than the store on it");
		return -ENOSPC;
	}
	/* The stub keeps its place at the end, where there is one. */
	most = rmr_stub_off(g->data_size, size);
	most = min(most == U64_MAX ? g->data_size : most, RMR_POOL_SIZE_MAX);
	err = rmr_srv_grow_refuse(pool, spec, most, &want, extack);
	if (err)
		return err;
	err = plan_map(pool, g, rmr_map_len(rmr_chunks(want, le32_to_cpu(sb->chunk_size))), extack);
	if (err)
		return err;
	g->move = g->map_off != g->old_off || g->store_size != g->old_size ||
		  g->data_size != g->old_data;
	g->from = max(size, le64_to_cpu(sb->room));
	g->room = want;
	return 0;
}

/*
 * What becomes data, but for the stub in use. The part of the device that was there before may have
 * a stub of an earlier attempt in it, so that is zeroed whatever the operator says.
 */
int rmr_srv_device_zero(struct rmr_srv_pool *pool, const struct rmr_srv_grow *g, bool zeroed)
{
	u64 end = g->data_size == g->old_data || zeroed ? min(g->room, g->old_data) : g->room;
	int err;

	if (g->old_stub >= end)
		return rmr_srv_grow_range(pool, g->from, end);
	err = rmr_srv_grow_range(pool, g->from, g->old_stub);
	return err ?: rmr_srv_grow_range(pool, max(g->from, g->old_stub + RMR_MD_BLOCK), end);
}

/* The stub at the end of the data device that pool->sb_next names. Caller: sb_lock. */
int rmr_srv_device_label(struct rmr_srv_pool *pool)
{
	struct rmr_stub *stub = kmalloc(sizeof(*stub), GFP_NOIO);
	u64 off = rmr_stub_off(le64_to_cpu(pool->sb_next->data_size), 0);
	int err = -ENOMEM;

	if (stub) {
		rmr_stub_fill(stub, pool->sb_next);
		err = pool->ops->rw_data(pool->store, true, off, stub, sizeof(*stub));
	}
	kfree(stub);
	return err;
}

/* The stub and superblocks that count no more. */
int rmr_srv_device_forget(struct rmr_srv_pool *pool, const struct rmr_srv_grow *g)
{
	void *none = kzalloc(RMR_MD_BLOCK, GFP_KERNEL);
	unsigned int i;
	int err = none ? 0 : -ENOMEM;

	if (!err && g->data_size != g->old_data && g->old_stub != U64_MAX)
		err = pool->ops->rw_data(pool->store, true, g->old_stub, none, RMR_MD_BLOCK);
	for (i = 0; i < RMR_SB_COPIES && !err && g->store_size != g->old_size; i++)
		err = pool->ops->rw_md(pool->store, true, rmr_sb_off(g->old_size, i), none,
				       RMR_MD_BLOCK);
	kfree(none);
	return err;
}
