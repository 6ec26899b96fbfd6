// SPDX-License-Identifier: GPL-2.0-only
/*
 * What other members ask of this one: the map, blocks and data of chunks, and to forget bits
 * (protocol section 5). They name pool and epoch; only the promised epoch is served.
 *
 * Context: process, sleeps.
 */
#include <linux/completion.h>
#include <linux/crc32c.h>

#include "srv-pri.h"

bool rmr_srv_same_epoch(struct rmr_srv_pool *pool, const struct rmr_epoch_le *epoch_le)
{
	struct rmr_epoch epoch;
	unsigned long flags;
	bool same;

	rmr_epoch_get(&epoch, epoch_le);
	spin_lock_irqsave(&pool->track.lock, flags);
	same = !rmr_epoch_cmp(&epoch, &pool->track.promised);
	spin_unlock_irqrestore(&pool->track.lock, flags);
	return same;
}

/* The pool a peer names, with a reference, if it serves that epoch. */
struct rmr_srv_pool *rmr_srv_peer_pool(struct rmr_srv_sess *sess, const u8 *uuid,
				       const struct rmr_epoch_le *epoch_le, u8 from,
				       u8 to)
{
	struct rmr_srv_pool *pool = rmr_srv_pool_find(sess, NULL, uuid, rmr_srv_to(to));

	if (!pool)
		return NULL;
	if (rmr_srv_same_epoch(pool, epoch_le) && from != pool->id && !READ_ONCE(pool->gone) &&
	    !rmr_srv_disk_refuses(pool))
		return pool;
	rmr_srv_pool_put(pool);
	return NULL;
}

/* A view older than the highest one seen clears nothing (M_CLRALL). Caller: track->lock. */
static int clear_all(struct rmr_srv_track *t, const struct rmr_msg_clear *msg)
{
	struct rmr_view view = { .number = le64_to_cpu(msg->view) };
	u32 i, count = le16_to_cpu(msg->count);
	int err = 0;

	rmr_epoch_get(&view.epoch, &msg->epoch);
	if (rmr_epoch_cmp(&view.epoch, &t->promised) || rmr_view_cmp(&view, &t->seen) < 0 ||
	    t->fresh || !t->map_ok)
		return RMR_ST_FENCED;
	for (i = 0; i < count && err >= 0; i++) {
		u64 first = le64_to_cpu(msg->range[i].first);
		u64 n = le64_to_cpu(msg->range[i].count);

		/* A sender that is larger was told of a resize (R9.12): more has no bit. */
		err = rmr_map_clear(&t->dirty, first, first + n - 1, BIT(msg->from), GFP_ATOMIC);
	}
	return min(err, 0);
}

/* Members send ranges in rising order. */
static int clear_trigger(struct rmr_srv_pool *pool, const struct rmr_msg_clear *msg)
{
	const struct rmr_range_le *first = &msg->range[0];
	const struct rmr_range_le *last = &msg->range[le16_to_cpu(msg->count) - 1];

	return rmr_srv_trigger_io(RMR_SRV_POINT_CLEAR, pool->id, 0, le64_to_cpu(first->first),
				  le64_to_cpu(last->first) + le64_to_cpu(last->count) - 1);
}

int rmr_srv_clear_msg(struct rmr_srv_sess *sess, const void *data, void *rsp)
{
	const struct rmr_msg_clear *msg = data;
	struct rmr_srv_pool *pool = rmr_srv_peer_pool(sess, msg->pool_uuid, &msg->epoch,
						      msg->from, msg->to);
	unsigned long flags;
	int err;

	if (!pool)
		return RMR_ST_FENCED;
	err = clear_trigger(pool, msg);
	spin_lock_irqsave(&pool->track.lock, flags);
	if (!err)
		err = clear_all(&pool->track, msg);
	spin_unlock_irqrestore(&pool->track.lock, flags);
	if (!err)
		err = rmr_srv_map_sync(pool);
	rmr_srv_pool_put(pool);
	return err;
}

/* A page of the map from chunk first on, without this member's intents. Caller: track->lock. */
static void map_fill(const struct rmr_srv_track *t, u64 first, struct rmr_rsp_map_pull *rsp)
{
	u8 bits, mask = t->members & ~t->self, run_bits = 0;
	u64 chunk, end = first, next = RMR_NO_MORE;
	u32 n = 0;

	for (chunk = rmr_map_next(&t->dirty, first, mask, &bits); chunk != RMR_NO_CHUNK;
	     chunk = rmr_map_next(&t->dirty, chunk + 1, mask, &bits)) {
		bits &= mask;
		if (n && chunk == end && bits == run_bits) {
			le32_add_cpu(&rsp->run[n - 1].count, 1);
			end = chunk + 1;
			continue;
		}
		if (n == RMR_MAP_RUNS) {
			next = chunk;
			break;
		}
		rsp->run[n].first = cpu_to_le64(chunk);
		rsp->run[n].count = cpu_to_le32(1);
		rsp->run[n].bits = bits;
		run_bits = bits;
		n++;
		end = chunk + 1;
	}
	rsp->first = cpu_to_le64(first);
	rsp->next = cpu_to_le64(next);
	rsp->chunks = cpu_to_le64(t->dirty.chunks);
	rsp->count = cpu_to_le16(n);
}

int rmr_srv_map_pull_msg(struct rmr_srv_sess *sess, const void *data, void *rsp)
{
	const struct rmr_msg_map_pull *msg = data;
	struct rmr_srv_pool *pool = rmr_srv_peer_pool(sess, msg->pool_uuid, &msg->epoch,
						      msg->from, msg->to);
	struct rmr_srv_track *t;
	unsigned long flags;
	int err = 0;

	if (!pool)
		return RMR_ST_FENCED;
	t = &pool->track;
	memset(rsp, 0, sizeof(struct rmr_rsp_map_pull));
	spin_lock_irqsave(&t->lock, flags);
	if (t->fresh || !(t->view.up_to_date & t->self))
		err = RMR_ST_STALE;
	else if (le64_to_cpu(msg->first) >= t->dirty.chunks)
		err = RMR_ST_MALFORMED;
	else
		map_fill(t, le64_to_cpu(msg->first), rsp);
	spin_unlock_irqrestore(&t->lock, flags);
	rmr_srv_pool_put(pool);
	return err;
}

/* Blocks that the fine map names. Caller: track->lock. */
static void fine_fill(const struct rmr_srv_track *t, u64 chunk, struct rmr_rsp_fine *rsp)
{
	u32 block;

	rsp->chunk = cpu_to_le64(chunk);
	rsp->known = rmr_blocks_known(&t->fine, chunk);
	rsp->latency_ns = cpu_to_le64(rmr_srv_latency_ns(t));
	rsp->newest = cpu_to_le64(rmr_window_newest(&t->window, chunk));
	for (block = rmr_blocks_next(&t->fine, chunk, 0); block < t->fine.per_chunk;
	     block = rmr_blocks_next(&t->fine, chunk, block + 1))
		rsp->block[block / 8] |= BIT(block % 8);
}

int rmr_srv_fine_msg(struct rmr_srv_sess *sess, const void *data, void *rsp)
{
	const struct rmr_msg_fine *msg = data;
	struct rmr_srv_pool *pool = rmr_srv_peer_pool(sess, msg->pool_uuid, &msg->epoch,
						      msg->from, msg->to);
	u64 chunk = le64_to_cpu(msg->chunk);
	struct rmr_srv_track *t;
	unsigned long flags;
	int err = 0;

	if (!pool)
		return RMR_ST_FENCED;
	t = &pool->track;
	memset(rsp, 0, sizeof(struct rmr_rsp_fine));
	if (chunk >= RMR_MAP_CHUNKS_MAX)
		err = RMR_ST_MALFORMED;
	else if (!rmr_srv_may_serve(pool, chunk, chunk))
		err = RMR_ST_STALE;
	spin_lock_irqsave(&t->lock, flags);
	if (!err)
		fine_fill(t, chunk, rsp);
	spin_unlock_irqrestore(&t->lock, flags);
	rmr_srv_pool_put(pool);
	return err;
}

struct sync_io {
	struct completion	done;
	int			status;
};

static void sync_done(struct rmr_store_io *io, int status)
{
	struct sync_io *sync = io->data;

	sync->status = status;
	complete(&sync->done);
}

/* Reads or writes the data area and waits. */
int rmr_srv_store_rw(struct rmr_srv_pool *pool, u8 op, u64 off, void *data, u32 len)
{
	struct rmr_store_io *io = pool->ops->alloc_io(pool->store, op, 0);
	struct sync_io sync;

	init_completion(&sync.done);
	io->done = sync_done;
	io->data = &sync;
	io->op = op;
	io->length = len;
	pool->ops->submit(pool->store, io, 0, off, data, len);
	wait_for_completion(&sync.done);
	return sync.status;
}

/* As a peer reads it that was told of a larger pool before (R9.12): zeros behind the end. */
int rmr_srv_area_read(struct rmr_srv_pool *pool, u64 off, void *data, u32 len)
{
	u64 size = READ_ONCE(pool->size);
	u32 here = off < size ? min_t(u64, len, size - off) : 0;

	memset(data + here, 0, len - here);
	return here ? rmr_srv_store_rw(pool, RMR_OP_READ, off, data, here) : 0;
}

/* Behind the data, whose buffer has room for it. */
static void put_tail(void *data, u32 length)
{
	__le32 *tail = data + length;

	memset(tail, 0, RMR_RESYNC_TAIL);
	*tail = cpu_to_le32(~crc32c(~0u, data, length));
}

/* Data of a chunk, if it was here before and after it was read. */
int rmr_srv_resync_read_msg(struct rmr_srv_sess *sess, const void *msg_data, void *data, size_t len)
{
	const struct rmr_msg_resync_read *msg = msg_data;
	u64 off = le64_to_cpu(msg->offset);
	u32 length = le32_to_cpu(msg->length);
	bool crc = msg->flags & RMR_RESYNC_F_CRC;
	struct rmr_srv_pool *pool;
	u64 first, last;
	int err;

	if (len != length + (crc ? RMR_RESYNC_TAIL : 0))
		return RMR_ST_MALFORMED;
	pool = rmr_srv_peer_pool(sess, msg->pool_uuid, &msg->epoch, msg->from, msg->to);
	if (!pool)
		return RMR_ST_FENCED;
	first = off >> pool->track.chunk_shift;
	last = (off + length - 1) >> pool->track.chunk_shift;
	if (first != last)
		err = RMR_ST_MALFORMED;
	else if (!rmr_srv_may_serve(pool, first, last))
		err = RMR_ST_STALE;
	else
		err = rmr_srv_trigger_chunk(RMR_SRV_POINT_RESYNC_READ, pool->id, first) ?:
		      rmr_srv_area_read(pool, off, data, length);
	if (!err && !rmr_srv_may_serve(pool, first, last))
		err = RMR_ST_STALE;
	if (!err && !rmr_srv_same_epoch(pool, &msg->epoch))
		err = RMR_ST_FENCED;
	if (!err && crc)
		put_tail(data, length);
	rmr_srv_pool_put(pool);
	return err;
}
