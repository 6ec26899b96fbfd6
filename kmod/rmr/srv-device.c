// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stores on two devices: metadata on one, nothing but data on the other. What is checked when one
 * is made or assembled, and the stub that tells whose data a device holds. Runs under
 * rmr_srv_command_lock, before anybody can find the pool.
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

/* Takes the stub away. Caller: pool->lock; sb_next is free. */
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
	if (data_size != le64_to_cpu(sb->data_size)) {
		NL_SET_ERR_MSG_FMT(extack, "not the data device of this store: has %llu, not %llu",
				   data_size, le64_to_cpu(sb->data_size));
		return -EXDEV;
	}
	off = rmr_stub_off(data_size, le64_to_cpu(sb->pool_size));
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
