// SPDX-License-Identifier: GPL-2.0-only
/*
 * Growth of a store and of its pool, and a pool that gets smaller (R9.12).
 *
 * First each store makes room, by a command on its node (rmr_srv_grow), while the pool is served:
 *
 *	1. what may become data is zeroed, but for the metadata in use;
 *	2. the map is written to its new place, with room behind it, then the superblocks to the end
 *	   of the grown device: from the first of these on, the new place counts;
 *	3. the old metadata is zeroed, as it may become data too;
 *	4. "room" is written: so large the pool may become.
 *
 * A crash before 2 is complete leaves the old superblock valid, a later one the new; the command is
 * given again and begins with 1, which then zeroes what is left of the old metadata too.
 *
 * With a metadata device, data is zeroed and the map moves on devices of their own. Before the
 * superblock that names the larger data device, the stub at its new end is written; the old one,
 * which becomes data, is zeroed afterwards. So one of the two always belongs to the superblock that
 * counts. See srv-device.c.
 *
 * Then the client tells every member the new size (rmr_srv_resize_msg): the map gets longer in its
 * place, the superblock says so. The new chunks are clean, as their data is zero on every leg.
 *
 * A smaller pool: requests behind the new end are refused; its bits there are cleared on disk; the
 * superblock says the size, that there is no room for more, and the number of this shrink; the map
 * in memory is cut. What is behind the end keeps old data, so room for it is made as above.
 *
 * Locks: pool->lock for the superblock and for "growing", so that there is one of these commands
 * at a time; verify->cmd_lock, tried only, over a cut; track->place while the map moves, so that
 * its writer waits. Zeroing, which may take hours, holds none: a pool that is stopped meanwhile
 * keeps its device until that has ended.
 */
#include <linux/slab.h>

#include "srv-pri.h"

/* Writes map blocks first..end-1 to the map at off: as they are in memory. */
static int map_write(struct rmr_srv_pool *pool, u64 off, u64 first, u64 end)
{
	struct rmr_srv_track *t = &pool->track;
	void *buf = kmalloc(RMR_MD_BLOCK, GFP_NOIO);
	struct rmr_map_block_gen gen;
	unsigned long flags;
	int err = buf ? 0 : -ENOMEM;
	u64 block;

	for (block = first; block < end && !err; block++) {
		spin_lock_irqsave(&t->lock, flags);
		rmr_map_block_image(&t->dirty, block, buf, &gen);
		spin_unlock_irqrestore(&t->lock, flags);
		err = rmr_srv_trigger(RMR_SRV_POINT_MAP_WRITE, pool->id);
		if (!err)
			err = pool->ops->rw_md(pool->store, true, off + block * RMR_MD_BLOCK, buf,
					       RMR_MD_BLOCK);
	}
	kfree(buf);
	return err;
}

/* ---- room for a larger pool ---- */

/* Where the map goes on a device that is no larger than before. */
static int grow_inside(struct rmr_srv_grow *g, u64 pool_size, u64 map_len, u64 new_len,
		       struct netlink_ext_ack *extack)
{
	if (g->map_off >= g->old_off) {
		g->map_off = g->old_off;
		return 0;
	}
	/* Not over the map in use. */
	if (g->map_off + map_len > g->old_off) {
		if (g->old_off < new_len + pool_size) {
			NL_SET_ERR_MSG(extack, "no room on the device: make it larger first");
			return -ENOSPC;
		}
		g->map_off = g->old_off - new_len;
	}
	return 0;
}

int rmr_srv_grow_refuse(struct rmr_srv_pool *pool, const struct rmr_pool_spec *spec, u64 most,
			u64 *want, struct netlink_ext_ack *extack)
{
	u64 now = le64_to_cpu(pool->sb->pool_size);

	if (pool->witness) {
		NL_SET_ERR_MSG(extack, "a witness holds no data");
		return -EINVAL;
	}
	*want = spec->size ?: most;
	if (*want > most) {
		NL_SET_ERR_MSG_FMT(extack, "device too small: at most %llu bytes of data fit",
				   most);
		return -ENOSPC;
	}
	if (*want < now || (*want & (RMR_BLOCK_SIZE - 1))) {
		NL_SET_ERR_MSG_FMT(extack, "pool has %llu bytes already, or not in 4 KiB blocks",
				   now);
		return -EINVAL;
	}
	return 0;
}

static int grow_plan(struct rmr_srv_pool *pool, const struct rmr_pool_spec *spec,
		     struct rmr_srv_grow *g, struct netlink_ext_ack *extack)
{
	const struct rmr_sb *sb = pool->sb;
	u64 map_len = le64_to_cpu(sb->map_len), size = le64_to_cpu(sb->pool_size), new_len, want;
	u32 chunk_size = le32_to_cpu(sb->chunk_size);
	int err;

	if (rmr_sb_split(sb))
		return rmr_srv_device_plan(pool, spec, g, extack);
	g->store_size = pool->ops->size(pool->store);
	g->old_size = le64_to_cpu(sb->store_size);
	g->old_off = le64_to_cpu(sb->map_off);
	if (g->store_size < g->old_size) {
		NL_SET_ERR_MSG(extack, "device is smaller than the store on it");
		return -ENOSPC;
	}
	err = rmr_srv_grow_refuse(pool, spec, rmr_pool_size_max(g->store_size, chunk_size), &want,
				  extack);
	if (err)
		return err;
	new_len = rmr_map_len(rmr_chunks(want, chunk_size));
	g->map_off = rmr_map_off(g->store_size, new_len);
	if (g->store_size == g->old_size)
		err = grow_inside(g, size, map_len, new_len, extack);
	else if (g->map_off < g->old_size)
		err = -ENOSPC;
	if (err && g->store_size != g->old_size)
		NL_SET_ERR_MSG_FMT(extack, "device has grown by too little: by %llu bytes at least",
				   RMR_MD_TAIL + new_len);
	if (err)
		return err;
	g->move = g->map_off != g->old_off || g->store_size != g->old_size;
	g->from = max(size, le64_to_cpu(sb->room));
	g->room = want;
	return 0;
}

/* Zeroes a range of the device with the data; none if it is empty. */
int rmr_srv_grow_range(struct rmr_srv_pool *pool, u64 from, u64 end)
{
	return from < end ? pool->ops->zero(pool->store, from, end - from) : 0;
}

/* Step 1. What an earlier attempt left is zeroed whatever the operator says. */
static int grow_zero(struct rmr_srv_pool *pool, const struct rmr_srv_grow *g, bool zeroed)
{
	int err;

	if (g->data_size)
		return rmr_srv_device_zero(pool, g, zeroed);
	if (!g->move)
		return rmr_srv_grow_range(pool, g->from, g->map_off);
	/* What a larger pool left here is not what the operator speaks of. */
	err = rmr_srv_grow_range(pool, g->from, min(g->map_off, g->old_off));
	if (err || zeroed)
		return err;
	/* Behind the metadata in use. */
	return rmr_srv_grow_range(pool, max(g->from, g->old_size), g->map_off);
}

/* Step 2. */
static int grow_move(struct rmr_srv_pool *pool, const struct rmr_srv_grow *g)
{
	struct rmr_srv_track *t = &pool->track;
	int err;

	mutex_lock(&pool->lock);
	mutex_lock(&t->place);
	err = pool->gone ? -ESHUTDOWN : 0;
	if (!err && (g->map_off != g->old_off || g->store_size != g->old_size))
		err = map_write(pool, g->map_off, 0,
				div_u64(le64_to_cpu(pool->sb->map_len), RMR_MD_BLOCK));
	if (!err) {
		rmr_srv_sb_begin(pool);
		pool->sb_next->store_size = cpu_to_le64(g->store_size);
		pool->sb_next->map_off = cpu_to_le64(g->map_off);
		pool->sb_next->data_size = cpu_to_le64(g->data_size);
		if (g->data_size != g->old_data)
			err = rmr_srv_device_label(pool);
		if (err)
			rmr_srv_sb_abandon(pool);
		else
			err = rmr_srv_sb_commit(pool);
	}
	mutex_unlock(&t->place);
	mutex_unlock(&pool->lock);
	return err;
}

/* Step 3. */
static int grow_forget(struct rmr_srv_pool *pool, const struct rmr_srv_grow *g)
{
	if (!g->move)
		return 0;
	if (g->data_size)
		return rmr_srv_device_forget(pool, g);
	return g->store_size == g->old_size ? 0 :
	       rmr_srv_grow_range(pool, g->old_off, min(g->old_size, g->map_off));
}

/* Step 4. */
static int grow_end(struct rmr_srv_pool *pool, const struct rmr_srv_grow *g)
{
	int err = -ESHUTDOWN;

	mutex_lock(&pool->lock);
	if (pool->gone)
		goto unlock;
	rmr_srv_sb_begin(pool);
	pool->sb_next->room = cpu_to_le64(min(rmr_sb_room_max(pool->sb_next),
					      max(g->room, le64_to_cpu(pool->sb->room))));
	err = rmr_srv_sb_commit(pool);
	if (!err) {
		rmr_srv_info(pool, "room for a pool of %llu bytes\n",
			     le64_to_cpu(pool->sb->room));
		rmr_srv_pool_notify(pool);
	}
unlock:
	mutex_unlock(&pool->lock);
	return err;
}

/* May this member grow now, and how? Caller: pool->lock. */
static int grow_begin(struct rmr_srv_pool *pool, const struct rmr_pool_spec *spec,
		      struct rmr_srv_grow *g, struct netlink_ext_ack *extack)
{
	int err;

	if (pool->gone || pool->state == RMR_POOL_STATE_FAILED) {
		NL_SET_ERR_MSG(extack, "the store has failed or is being stopped");
		return -EIO;
	}
	if (pool->growing) {
		NL_SET_ERR_MSG(extack, "room is being made already");
		return -EBUSY;
	}
	err = grow_plan(pool, spec, g, extack);
	pool->growing = !err;
	return err;
}

int rmr_srv_grow(const struct rmr_pool_spec *spec, struct netlink_ext_ack *extack)
{
	struct rmr_srv_pool *pool = rmr_srv_pool_named(spec, extack);
	struct rmr_srv_grow g = {};
	int err;

	if (IS_ERR(pool))
		return PTR_ERR(pool);
	mutex_lock(&pool->lock);
	err = grow_begin(pool, spec, &g, extack);
	mutex_unlock(&pool->lock);
	if (err)
		goto put;
	err = grow_zero(pool, &g, spec->zeroed);
	if (!err && g.move)
		err = grow_move(pool, &g);
	err = err ?: grow_forget(pool, &g) ?: grow_end(pool, &g);
	if (err)
		NL_SET_ERR_MSG_FMT(extack, "error %d of the device: give the command again", err);
	mutex_lock(&pool->lock);
	pool->growing = false;
	mutex_unlock(&pool->lock);
put:
	rmr_srv_pool_put(pool);
	return err;
}

/* ---- a larger or smaller pool ---- */

/*
 * Nothing is lacked and no copy runs, so no map but the dirty one has anything; and no fill, which
 * would mean the new chunks too (R9.14).
 */
static bool at_rest(struct rmr_srv_track *t)
{
	unsigned long flags;
	bool rest;

	spin_lock_irqsave(&t->lock, flags);
	rest = t->map_ok && !t->since_on && !t->plan.left && !t->plan.running &&
	       !rmr_map_has_fill(&t->dirty);
	spin_unlock_irqrestore(&t->lock, flags);
	return rest;
}

#define MAPS	7u			/* of a member, by chunk */

static int maps_resize(struct rmr_srv_pool *pool, u64 chunks, void *spare[MAPS])
{
	struct rmr_srv_track *t = &pool->track;
	unsigned long flags;
	int err = rmr_srv_sync_resize(pool, chunks, &spare[0]);

	if (err)
		return err;
	spin_lock_irqsave(&t->lock, flags);
	err = rmr_map_resize(&t->dirty, chunks, &spare[1], GFP_ATOMIC);
	if (!err)
		err = rmr_map_resize(&t->kept, chunks, &spare[2], GFP_ATOMIC);
	if (!err && t->since.page)
		err = rmr_map_resize(&t->since, chunks, &spare[3], GFP_ATOMIC);
	if (!err)
		err = rmr_plan_resize(&t->plan, chunks, &spare[4], GFP_ATOMIC);
	if (!err)
		err = rmr_map_resize(&t->wrong, chunks, &spare[5], GFP_ATOMIC);
	if (!err)
		err = rmr_map_resize(&t->right, chunks, &spare[6], GFP_ATOMIC);
	rmr_srv_drop_blocks(&t->fine, chunks, U64_MAX);
	rmr_srv_drop_blocks(&t->overlay, chunks, U64_MAX);
	spin_unlock_irqrestore(&t->lock, flags);
	return err;
}

/*
 * A map larger than the superblock says does no harm: so this comes first when the pool grows and
 * last when it shrinks, and may be repeated.
 */
static int track_resize(struct rmr_srv_pool *pool, u64 chunks)
{
	void *spare[MAPS] = {};
	unsigned int i;
	int err = 0;

	for (i = 0; i < MAPS && !err; i++) {
		spare[i] = rmr_map_spare(chunks, GFP_NOIO);
		if (!spare[i])
			err = -ENOMEM;
	}
	if (!err)
		err = maps_resize(pool, chunks, spare);
	for (i = 0; i < MAPS; i++)
		rmr_free(spare[i]);
	return err;
}

/* Caller: pool->lock, as of all below. */
static int grow_data(struct rmr_srv_pool *pool, u64 chunks)
{
	const struct rmr_sb *sb = pool->sb;
	u64 old_len = le64_to_cpu(sb->map_len);
	int err;

	if (!at_rest(&pool->track))
		return RMR_ST_BUSY;
	err = track_resize(pool, chunks);
	/* Clean sectors, before the superblock says that they count. */
	if (!err)
		err = map_write(pool, le64_to_cpu(sb->map_off), div_u64(old_len, RMR_MD_BLOCK),
				div_u64(rmr_map_len(chunks), RMR_MD_BLOCK));
	return err;
}

/* May this member become that small now? */
static int cut_refuse(struct rmr_srv_pool *pool, u64 size)
{
	const struct rmr_sb *sb = pool->sb;
	u64 data_size = le64_to_cpu(sb->data_size);

	/* What is being zeroed would not begin where the pool ends. */
	if (pool->growing || !at_rest(&pool->track) || !rmr_srv_verify_hold(pool))
		return RMR_ST_BUSY;
	rmr_srv_verify_let(pool);
	/* A stub would be looked for where there is none. */
	if (rmr_sb_split(sb) &&
	    rmr_stub_off(data_size, le64_to_cpu(sb->pool_size)) != rmr_stub_off(data_size, size))
		return -EOPNOTSUPP;
	return 0;
}

/* Nobody is to find bits behind the end on disk. */
static int cut_bits(struct rmr_srv_pool *pool, u64 chunks)
{
	struct rmr_srv_track *t = &pool->track;
	unsigned long flags;
	int err;

	spin_lock_irqsave(&t->lock, flags);
	err = rmr_map_clear(&t->dirty, chunks, U64_MAX, 0xff, GFP_ATOMIC);
	spin_unlock_irqrestore(&t->lock, flags);
	return err < 0 ? err : rmr_srv_map_sync(pool);
}

static int size_commit(struct rmr_srv_pool *pool, const struct rmr_resize *r)
{
	u32 chunk_size = le32_to_cpu(pool->sb->chunk_size);
	int err;

	rmr_srv_sb_begin(pool);
	pool->sb_next->pool_size = cpu_to_le64(r->size);
	pool->sb_next->cuts = cpu_to_le32(r->told);
	if (!pool->witness)
		pool->sb_next->map_len = cpu_to_le64(rmr_map_len(rmr_chunks(r->size, chunk_size)));
	/* Behind the end is what the pool had there: room is to be made anew. */
	if (!pool->witness && r->size < r->now)
		pool->sb_next->room = cpu_to_le64(r->size);
	err = rmr_srv_sb_commit(pool);
	if (err)
		return err;
	WRITE_ONCE(pool->size, r->size);
	rmr_srv_info(pool, "resized to %llu bytes, shrink %u\n", r->size, r->told);
	rmr_srv_pool_notify(pool);
	return 0;
}

static int cut(struct rmr_srv_pool *pool, const struct rmr_resize *r, u64 chunks)
{
	int err = cut_refuse(pool, r->size);

	if (err)
		return err;
	if (!rmr_srv_verify_hold(pool))
		return RMR_ST_BUSY;
	/* From now on nothing is written behind the end. */
	WRITE_ONCE(pool->size, r->size);
	err = cut_bits(pool, chunks) ?: size_commit(pool, r);
	if (err)
		WRITE_ONCE(pool->size, r->now);
	rmr_srv_verify_let(pool);
	return err;
}

static int resize_data(struct rmr_srv_pool *pool, const struct rmr_resize *r, bool ask)
{
	u64 chunks = rmr_chunks(r->size, le32_to_cpu(pool->sb->chunk_size));
	int act = rmr_resize_rule(r), err = 0;

	if (act < 0)
		return act == -EINVAL ? RMR_ST_MALFORMED : act;
	if (ask && act == RMR_RESIZE_GROW)
		return at_rest(&pool->track) ? 0 : RMR_ST_BUSY;
	if (ask)
		return act == RMR_RESIZE_CUT ? cut_refuse(pool, r->size) : 0;
	if (act == RMR_RESIZE_GROW)
		err = grow_data(pool, chunks);
	if (act == RMR_RESIZE_CUT)
		err = cut(pool, r, chunks);
	else if (!err && act != RMR_RESIZE_KEEP)
		err = size_commit(pool, r);
	/* Also what a shrink before could not. */
	if (!err && chunks < pool->track.dirty.chunks)
		err = track_resize(pool, chunks);
	return err;
}

static int resize(struct rmr_srv_pool *pool, const struct rmr_msg_resize *msg)
{
	const struct rmr_sb *sb = pool->sb;
	struct rmr_resize r = {
		.now = le64_to_cpu(sb->pool_size), .room = le64_to_cpu(sb->room),
		.size = le64_to_cpu(msg->size), .from = le64_to_cpu(msg->from),
		.cuts = le32_to_cpu(sb->cuts), .told = le32_to_cpu(msg->cuts),
		.shrink = msg->flags & RMR_RESIZE_F_SHRINK,
	};
	bool ask = msg->flags & RMR_RESIZE_F_ASK;

	if (!READ_ONCE(pool->attach->live))
		return RMR_ST_FENCED;
	if (!pool->witness)
		return resize_data(pool, &r, ask);
	return ask || (r.now == r.size && r.cuts == r.told) ? 0 : size_commit(pool, &r);
}

int rmr_srv_resize_msg(struct rmr_srv_sess *sess, const void *data, void *rsp)
{
	const struct rmr_msg_resize *msg = data;
	struct rmr_srv_pool *pool = rmr_srv_handle_lock(sess, msg->hdr.handle, &msg->epoch);
	int err;

	if (!pool)
		return RMR_ST_FENCED;
	err = resize(pool, msg);
	rmr_srv_handle_unlock(pool);
	return err;
}
