// SPDX-License-Identifier: GPL-2.0-only
/*
 * Digests of blocks: a source makes them, a syncing member compares them with its own and copies
 * only blocks that differ. Off unless an operator wants it. Members that verify (srv-verify.c) ask
 * for them too.
 *
 * An equal block counts as copied under the rules of a copy: it is compared while the chunk is
 * "applying", it is none that was written meanwhile (overlay), the copy may become void until its
 * end (F_VOID), and the flush at the end makes stable what is held already (R5.5). Equality rests
 * on BLAKE2s with a random key of each request, see wire.h.
 *
 * Context: process, sleeps.
 */
#include <crypto/blake2s.h>
#include <linux/ktime.h>
#include <linux/random.h>
#include <linux/slab.h>

#include "srv-sync.h"

#define PART_BLOCKS	(RMR_SYNC_PART / RMR_BLOCK_SIZE)

static void digest_block(u8 *digest, const void *block, const u8 *key)
{
	blake2s(digest, block, key, RMR_DIGEST_LEN, RMR_BLOCK_SIZE, RMR_DIGEST_LEN);
}

/* ---- source ---- */

int rmr_srv_digest_read(struct rmr_srv_pool *pool, u64 off, u32 count, const u8 *key, u8 *digest)
{
	void *buf = kmalloc(RMR_SYNC_PART, GFP_NOIO);
	int err = buf ? 0 : -ENOMEM;
	u32 at, n, i;

	for (at = 0; at < count && !err; at += n) {
		n = min_t(u32, count - at, PART_BLOCKS);
		err = rmr_srv_area_read(pool, off + (u64)at * RMR_BLOCK_SIZE, buf,
					n * RMR_BLOCK_SIZE);
		for (i = 0; i < n && !err; i++)
			digest_block(digest + (at + i) * RMR_DIGEST_LEN, buf + i * RMR_BLOCK_SIZE,
				     key);
	}
	kfree(buf);
	return err;
}

static int make_digests(struct rmr_srv_pool *pool, const struct rmr_msg_digest *msg,
			struct rmr_rsp_digest *rsp)
{
	u64 off = (le64_to_cpu(msg->chunk) << pool->track.chunk_shift) +
		  (u64)le16_to_cpu(msg->first) * RMR_BLOCK_SIZE;

	return rmr_srv_digest_read(pool, off, le16_to_cpu(msg->count), msg->key, rsp->digest);
}

/* After the data was read: what came before, and is not complete, is listed still. */
static void tell_facts(struct rmr_srv_track *t, u64 chunk, struct rmr_rsp_digest *rsp)
{
	unsigned long flags;

	spin_lock_irqsave(&t->lock, flags);
	rsp->dirty = rmr_map_get(&t->dirty, chunk) & ~t->self;
	rsp->flags = rmr_srv_verify_steady(t, chunk) ? RMR_DIGEST_F_STEADY : 0;
	rsp->newest = cpu_to_le64(rmr_window_newest(&t->window, chunk));
	rsp->view = cpu_to_le64(t->view.number);
	spin_unlock_irqrestore(&t->lock, flags);
}

/* Are the blocks inside the chunk? */
static bool range_fits(const struct rmr_srv_pool *pool, const struct rmr_msg_digest *msg)
{
	u32 last = le16_to_cpu(msg->first) + le16_to_cpu(msg->count);

	return le64_to_cpu(msg->chunk) < RMR_MAP_CHUNKS_MAX &&
	       last <= 1u << (pool->track.chunk_shift - ilog2(RMR_BLOCK_SIZE));
}

/* Digests of blocks of a chunk, if it was here before and after they were read. */
int rmr_srv_digest_msg(struct rmr_srv_sess *sess, const void *data, void *rsp_data)
{
	const struct rmr_msg_digest *msg = data;
	struct rmr_rsp_digest *rsp = rsp_data;
	u64 chunk = le64_to_cpu(msg->chunk);
	struct rmr_srv_pool *pool;
	int err;

	pool = rmr_srv_peer_pool(sess, msg->pool_uuid, &msg->epoch, msg->from, msg->to);
	if (!pool)
		return RMR_ST_FENCED;
	memset(rsp, 0, sizeof(*rsp));
	rsp->chunk = msg->chunk;
	rsp->first = msg->first;
	rsp->count = msg->count;
	if (!range_fits(pool, msg))
		err = RMR_ST_MALFORMED;
	else if (!rmr_srv_may_serve(pool, chunk, chunk))
		err = RMR_ST_STALE;
	else
		err = rmr_srv_trigger_chunk(RMR_SRV_POINT_RESYNC_READ, pool->id, chunk) ?:
		      make_digests(pool, msg, rsp);
	if (!err)
		tell_facts(&pool->track, chunk, rsp);
	if (!err && !rmr_srv_may_serve(pool, chunk, chunk))
		err = RMR_ST_STALE;
	if (!err && !rmr_srv_same_epoch(pool, &msg->epoch))
		err = RMR_ST_FENCED;
	rmr_srv_pool_put(pool);
	return err;
}

/* ---- syncing member ---- */

struct ask {
	struct rmr_msg_digest	msg;
	struct rmr_rsp_digest	rsp;
};

static int ask_digests(struct rmr_srv_job *job, struct ask *ask, u32 first, u32 count)
{
	struct rmr_srv_pool *pool = job->sync->pool;
	struct rmr_msg_digest *msg = &ask->msg;
	struct rmr_fault fault;
	unsigned long flags;
	int err;

	memset(msg, 0, sizeof(*msg));
	rmr_msg_init(&msg->hdr, RMR_MSG_DIGEST, RMR_NO_HANDLE);
	memcpy(msg->pool_uuid, pool->sb->pool_uuid, RMR_UUID_LEN);
	spin_lock_irqsave(&pool->track.lock, flags);
	rmr_epoch_put(&msg->epoch, &pool->track.promised);
	spin_unlock_irqrestore(&pool->track.lock, flags);
	msg->chunk = cpu_to_le64(job->copy.chunk);
	msg->from = pool->id;
	msg->to = job->copy.source + 1;
	msg->first = cpu_to_le16(first);
	msg->count = cpu_to_le16(count);
	get_random_bytes(msg->key, sizeof(msg->key));
	err = rmr_srv_link_call(job->sync->link[job->copy.source], msg, sizeof(*msg), &ask->rsp,
				sizeof(ask->rsp));
	if (!err)
		err = rmr_rsp_digest_check(&ask->rsp, sizeof(ask->rsp), job->copy.chunk, &fault);
	if (!err && (ask->rsp.first != msg->first || ask->rsp.count != msg->count))
		err = -EPROTO;
	return err;
}

/*
 * Compares blocks first .. first + count - 1, whose digests start at *digest, and notes those that
 * differ. A block that cannot be read here differs.
 */
static int compare_part(struct rmr_srv_job *job, const struct ask *ask, const u8 *digest, u32 first,
			u32 count)
{
	struct rmr_srv_sync *sync = job->sync;
	u64 off = (job->copy.chunk << sync->pool->track.chunk_shift) +
		  (u64)first * RMR_BLOCK_SIZE;
	u32 mask, i, equal = 0;
	unsigned long flags;
	u8 own[RMR_DIGEST_LEN];
	int unreadable, err = 0;

	if (!rmr_srv_apply_begin(job, first, count, &mask))
		return -ECANCELED;
	unreadable = mask ? rmr_srv_store_rw(sync->pool, RMR_OP_READ, off, job->buf,
					     count * RMR_BLOCK_SIZE) : 0;
	for (i = 0; i < count && !err; i++) {
		if (!(mask & BIT(i)))
			continue;
		digest_block(own, job->buf + i * RMR_BLOCK_SIZE, ask->msg.key);
		if (!unreadable && !memcmp(own, digest + i * RMR_DIGEST_LEN, sizeof(own)))
			equal++;
		else
			err = rmr_blocks_add(&job->fine, job->copy.chunk, first + i, first + i,
					     GFP_NOIO);
	}
	rmr_srv_apply_end(job);
	spin_lock_irqsave(&sync->lock, flags);
	sync->equal += equal * RMR_BLOCK_SIZE;
	spin_unlock_irqrestore(&sync->lock, flags);
	return err;
}

/* What one reply holds. */
static int compare_blocks(struct rmr_srv_job *job, struct ask *ask, u32 first, u32 count)
{
	u8 id = job->sync->pool->id;
	u32 at, n;
	int err;

	err = rmr_srv_trigger_chunk(RMR_SRV_POINT_COPY_READ, id, job->copy.chunk);
	if (!err)
		err = ask_digests(job, ask, first, count);
	if (!err)
		err = rmr_srv_trigger_chunk(RMR_SRV_POINT_COPY_APPLY, id, job->copy.chunk);
	for (at = 0; at < count && !err; at += n) {
		n = min_t(u32, count - at, PART_BLOCKS);
		err = compare_part(job, ask, &ask->rsp.digest[at * RMR_DIGEST_LEN], first + at, n);
	}
	return err;
}

int rmr_srv_compare(struct rmr_srv_job *job)
{
	struct ask *ask = kmalloc(sizeof(*ask), GFP_NOIO);
	int err = ask ? 0 : -ENOMEM;
	u32 first, count;
	u64 begin;

	for (first = 0; first < job->blocks && !err; first += count) {
		count = min_t(u32, job->blocks - first, RMR_DIGESTS);
		rmr_srv_pace(job->sync, count * RMR_BLOCK_SIZE);
		if (READ_ONCE(job->sync->stopping))
			err = -ECANCELED;
		begin = ktime_get_ns();
		if (!err)
			err = compare_blocks(job, ask, first, count);
		rmr_srv_rest(job, ktime_get_ns() - begin);
	}
	job->known = !err;
	kfree(ask);
	return err;
}
