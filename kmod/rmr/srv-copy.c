// SPDX-License-Identifier: GPL-2.0-only
/*
 * The copy of one chunk from another member: ask which blocks, read them in parts, write around the
 * overlay, make it stable, and only then take the chunk for held (R5.5).
 *
 * A part is written while the chunk is "applying": writes of the client to it wait, and a promise
 * waits for the end. Between parts they go on, and are remembered in the overlay.
 *
 * Context: work item, process; one for each copy under way.
 */
#include <linux/crc32c.h>
#include <linux/delay.h>
#include <linux/ktime.h>
#include <linux/slab.h>

#include "srv-sync.h"

#define COMPLETE_TRIES	250u		/* of 20 ms */
#define REST_NS		(500 * NSEC_PER_USEC)	/* shorter rests are put together */
#define PART_TRIES	3u		/* of a part that arrives harmed */
#define PART_BLOCKS	(RMR_SYNC_PART / RMR_BLOCK_SIZE)

/* Sleeps for about so long, or for a part of it if it is long. */
static void sleep_ns(u64 ns)
{
	u64 us = div_u64(ns, NSEC_PER_USEC) + 1;

	if (us < 20 * USEC_PER_MSEC)
		usleep_range(us, us + us / 4);
	else
		msleep(min_t(u64, div_u64(us, USEC_PER_MSEC), 100));
}

void rmr_srv_pace(struct rmr_srv_sync *sync, u32 bytes)
{
	u64 now = ktime_get_ns(), at;
	unsigned long flags;

	spin_lock_irqsave(&sync->lock, flags);
	at = max(sync->next_ns, now - 50 * NSEC_PER_MSEC);
	sync->next_ns = at + div64_u64((u64)bytes * NSEC_PER_SEC, max(sync->rate, 1ull));
	spin_unlock_irqrestore(&sync->lock, flags);
	while (at > now && !READ_ONCE(sync->stopping)) {
		sleep_ns(at - now);
		now = ktime_get_ns();
	}
}

/* The floor is kept. */
void rmr_srv_rest(struct rmr_srv_job *job, u64 worked_ns)
{
	struct rmr_srv_sync *sync = job->sync;
	u64 begin;

	if (!READ_ONCE(sync->latency_ns) ||
	    READ_ONCE(sync->speed) < READ_ONCE(sync->limits.floor)) {
		job->owed_ns = 0;
		return;
	}
	job->owed_ns += rmr_rate_rest_ns(worked_ns, rmr_srv_share());
	while (job->owed_ns > REST_NS && !READ_ONCE(sync->stopping)) {
		begin = ktime_get_ns();
		sleep_ns(job->owed_ns);
		job->owed_ns -= ktime_get_ns() - begin;
	}
}

/* Caller: track->lock. */
static bool is_valid(const struct rmr_srv_job *job)
{
	const struct rmr_srv_track *t = &job->sync->pool->track;

	return t->generation == job->generation && rmr_plan_valid(&t->plan, &job->copy);
}

/* The latency of applications at the source counts like that here. */
static void note_latency(struct rmr_srv_sync *sync, unsigned int id, u64 latency_ns)
{
	unsigned long flags;

	spin_lock_irqsave(&sync->lock, flags);
	sync->source_ns[id] = latency_ns;
	sync->source_until[id] = get_jiffies_64() + 2 * HZ;
	spin_unlock_irqrestore(&sync->lock, flags);
}

/* What the source knows of the chunk. */
static int ask_fine(struct rmr_srv_job *job, struct rmr_rsp_fine *rsp)
{
	struct rmr_srv_pool *pool = job->sync->pool;
	struct rmr_msg_fine msg = {};
	struct rmr_fault fault;
	unsigned long flags;
	int err;

	rmr_msg_init(&msg.hdr, RMR_MSG_FINE, RMR_NO_HANDLE);
	memcpy(msg.pool_uuid, pool->sb->pool_uuid, RMR_UUID_LEN);
	spin_lock_irqsave(&pool->track.lock, flags);
	rmr_epoch_put(&msg.epoch, &pool->track.promised);
	spin_unlock_irqrestore(&pool->track.lock, flags);
	msg.chunk = cpu_to_le64(job->copy.chunk);
	msg.from = pool->id;
	msg.to = job->copy.source + 1;
	err = rmr_srv_link_call(job->sync->link[job->copy.source], &msg, sizeof(msg), rsp,
				sizeof(*rsp));
	err = err ?: rmr_rsp_fine_check(rsp, sizeof(*rsp), job->copy.chunk, &fault);
	if (!err)
		note_latency(job->sync, job->copy.source, le64_to_cpu(rsp->latency_ns));
	return err;
}

/* The blocks that may differ, as the source knows them. */
static int learn_blocks(struct rmr_srv_job *job)
{
	struct rmr_rsp_fine rsp;
	int err = ask_fine(job, &rsp);
	u32 b;

	job->known = !err && rsp.known;
	for (b = 0; b < job->fine.per_chunk && !err && rsp.known; b++)
		if (rsp.block[b / 8] & BIT(b % 8))
			err = rmr_blocks_add(&job->fine, job->copy.chunk, b, b, GFP_NOIO);
	return err;
}

/* Is the part what the source read (R3.11)? */
static int check_part(struct rmr_srv_job *job, u32 len)
{
	struct rmr_srv_pool *pool = job->sync->pool;
	const __le32 *tail = job->buf + len;

	if (rmr_srv_trigger_chunk(RMR_SRV_POINT_COPY_DATA, pool->id, job->copy.chunk))
		*(u8 *)job->buf ^= BIT(3);
	if (!pool->data_crc || ~crc32c(~0u, job->buf, len) == le32_to_cpu(*tail))
		return 0;
	this_cpu_inc(pool->stats->bad_data);
	rmr_srv_warn(pool, "part of chunk %llu arrived harmed from member %u\n", job->copy.chunk,
		     job->copy.source);
	return -EILSEQ;
}

static int ask_part(struct rmr_srv_job *job, u32 first, u32 count)
{
	struct rmr_srv_pool *pool = job->sync->pool;
	u32 len = count * RMR_BLOCK_SIZE;
	struct rmr_msg_resync_read msg = {};
	u64 off = (job->copy.chunk << pool->track.chunk_shift) + (u64)first * RMR_BLOCK_SIZE;
	unsigned long flags;

	rmr_msg_init(&msg.hdr, RMR_MSG_RESYNC_READ, RMR_NO_HANDLE);
	memcpy(msg.pool_uuid, pool->sb->pool_uuid, RMR_UUID_LEN);
	spin_lock_irqsave(&pool->track.lock, flags);
	rmr_epoch_put(&msg.epoch, &pool->track.promised);
	spin_unlock_irqrestore(&pool->track.lock, flags);
	msg.offset = cpu_to_le64(off);
	msg.length = cpu_to_le32(len);
	msg.from = pool->id;
	msg.to = job->copy.source + 1;
	msg.flags = pool->data_crc ? RMR_RESYNC_F_CRC : 0;
	return rmr_srv_link_call(job->sync->link[job->copy.source], &msg, sizeof(msg), job->buf,
				 len + (pool->data_crc ? RMR_RESYNC_TAIL : 0));
}

static int read_part(struct rmr_srv_job *job, u32 first, u32 count)
{
	unsigned int tries = PART_TRIES;
	int err;

	do {
		err = ask_part(job, first, count);
		if (!err)
			err = check_part(job, count * RMR_BLOCK_SIZE);
	} while (err == -EILSEQ && --tries);
	return err;
}

bool rmr_srv_apply_begin(struct rmr_srv_job *job, u32 first, u32 count, u32 *mask)
{
	struct rmr_srv_track *t = &job->sync->pool->track;
	unsigned long flags;
	bool valid;
	u32 i;

	*mask = 0;
	spin_lock_irqsave(&t->lock, flags);
	valid = is_valid(job);
	if (valid) {
		t->applying_chunk[t->applying++] = job->copy.chunk;
		for (i = 0; i < count; i++)
			if (!rmr_blocks_has(&t->overlay, job->copy.chunk, first + i))
				*mask |= BIT(i);
	}
	spin_unlock_irqrestore(&t->lock, flags);
	return valid;
}

void rmr_srv_apply_end(struct rmr_srv_job *job)
{
	struct rmr_srv_track *t = &job->sync->pool->track;
	unsigned long flags;
	unsigned int i;

	spin_lock_irqsave(&t->lock, flags);
	for (i = 0; t->applying_chunk[i] != job->copy.chunk; i++)
		;
	t->applying_chunk[i] = t->applying_chunk[t->applying - 1];
	WRITE_ONCE(t->applying, t->applying - 1);
	spin_unlock_irqrestore(&t->lock, flags);
	wake_up_all(&t->wait);
	rmr_srv_track_release(job->sync->pool);
}

/* Writes the blocks of a part that nobody wrote meanwhile. 0, -ECANCELED: void, or an error. */
static int apply_part(struct rmr_srv_job *job, u32 first, u32 count)
{
	struct rmr_srv_pool *pool = job->sync->pool;
	u64 off = (job->copy.chunk << pool->track.chunk_shift) + (u64)first * RMR_BLOCK_SIZE;
	u32 mask, i, n;
	int err = 0;

	if (!rmr_srv_apply_begin(job, first, count, &mask))
		return -ECANCELED;
	for (i = 0; i < count && !err; i += n) {
		n = 1;
		if (!(mask & BIT(i)))
			continue;
		while (i + n < count && (mask & BIT(i + n)))
			n++;
		err = rmr_srv_store_rw(pool, RMR_OP_WRITE, off + (u64)i * RMR_BLOCK_SIZE,
				       job->buf + i * RMR_BLOCK_SIZE, n * RMR_BLOCK_SIZE);
	}
	rmr_srv_apply_end(job);
	return err;
}

/* Next blocks to copy from *first on, at most a part of them. */
static bool next_part(struct rmr_srv_job *job, u32 *first, u32 *count)
{
	struct rmr_srv_track *t = &job->sync->pool->track;
	unsigned long flags;
	u32 last;
	bool more;

	spin_lock_irqsave(&t->lock, flags);
	more = rmr_plan_run(&job->fine, &t->overlay, job->copy.chunk, *first, job->blocks, first,
			    &last);
	spin_unlock_irqrestore(&t->lock, flags);
	if (more)
		*count = min(last - *first + 1, PART_BLOCKS);
	return more;
}

static int copy_part(struct rmr_srv_job *job, u32 first, u32 count)
{
	struct rmr_srv_sync *sync = job->sync;
	unsigned long flags;
	int err;

	err = rmr_srv_trigger_chunk(RMR_SRV_POINT_COPY_READ, sync->pool->id, job->copy.chunk);
	if (!err)
		err = read_part(job, first, count);
	if (!err)
		err = rmr_srv_trigger_chunk(RMR_SRV_POINT_COPY_APPLY, sync->pool->id,
					    job->copy.chunk);
	if (!err)
		err = apply_part(job, first, count);
	if (err)
		return err;
	spin_lock_irqsave(&sync->lock, flags);
	sync->copied += count * RMR_BLOCK_SIZE;
	sync->copied_from[job->copy.source] += count * RMR_BLOCK_SIZE;
	spin_unlock_irqrestore(&sync->lock, flags);
	return 0;
}

static int copy_chunk(struct rmr_srv_job *job)
{
	struct rmr_srv_sync *sync = job->sync;
	int err = learn_blocks(job);
	u32 first, count;
	u64 begin;

	/* What the fine map names was written meanwhile: it hardly is equal. */
	if (!err && !job->known &&
	    (READ_ONCE(sync->digest) || READ_ONCE(sync->pool->track.blank)))
		err = rmr_srv_compare(job);
	/* A set without blocks would stand for all of them. */
	if (!err && job->known && !rmr_blocks_known(&job->fine, job->copy.chunk))
		return 0;
	for (first = 0; !err && next_part(job, &first, &count); first += count) {
		rmr_srv_pace(sync, count * RMR_BLOCK_SIZE);
		if (READ_ONCE(sync->stopping))
			return -ECANCELED;
		begin = ktime_get_ns();
		err = copy_part(job, first, count);
		rmr_srv_rest(job, ktime_get_ns() - begin);
	}
	return err;
}

/* One flush for all copies that ended while the one before ran. */
static int group_flush(struct rmr_srv_pool *pool)
{
	struct rmr_srv_track *t = &pool->track;
	u64 mine = atomic64_inc_return(&t->flush_want), snap;
	int err = 0;

	mutex_lock(&t->flush_lock);
	if (t->flush_done < mine) {
		snap = atomic64_read(&t->flush_want);
		err = rmr_srv_flush(pool);
		if (!err)
			t->flush_done = snap;
	}
	mutex_unlock(&t->flush_lock);
	return err;
}

/* Whether every write below newest + 1 has ended, or the copy is void. */
static int is_complete(struct rmr_srv_job *job, u64 newest)
{
	struct rmr_srv_track *t = &job->sync->pool->track;
	unsigned long flags;
	int ret;

	spin_lock_irqsave(&t->lock, flags);
	ret = !is_valid(job) ? -ECANCELED : t->window.below > newest;
	spin_unlock_irqrestore(&t->lock, flags);
	return ret;
}

/*
 * The copy may contain writes that the source has and other legs never got: the chunk is not held
 * before they are known complete (F_COPYLIST). Without a client that does not come; the copy is
 * then tried again later.
 */
static int wait_complete(struct rmr_srv_job *job)
{
	struct rmr_rsp_fine rsp;
	unsigned int i;
	u64 newest;
	int err = ask_fine(job, &rsp);

	if (err)
		return err;
	newest = le64_to_cpu(rsp.newest);
	for (i = 0; i < COMPLETE_TRIES; i++) {
		err = newest ? is_complete(job, newest) : 1;
		if (err)
			return min(err, 0);
		if (READ_ONCE(job->sync->stopping))
			return -ECANCELED;
		msleep(20);
	}
	return -EAGAIN;
}

/* The data is stable: the chunk is held, and the others may know. */
static int copy_done(struct rmr_srv_job *job)
{
	struct rmr_srv_sync *sync = job->sync;
	struct rmr_srv_track *t = &sync->pool->track;
	unsigned long flags;
	int done = 0;

	spin_lock_irqsave(&sync->lock, flags);
	spin_lock(&t->lock);
	if (is_valid(job))
		done = rmr_plan_done(&t->plan, &job->copy, GFP_ATOMIC);
	if (done == 1) {
		rmr_blocks_drop(&t->overlay, job->copy.chunk);
		rmr_map_clear(&t->right, job->copy.chunk, job->copy.chunk, 0xff, GFP_ATOMIC);
		sync->chunks_done++;
		/* Without memory for it, announce tells the chunk at the end. */
		rmr_map_set(&sync->told, job->copy.chunk, job->copy.chunk, 1, GFP_ATOMIC);
	}
	spin_unlock(&t->lock);
	spin_unlock_irqrestore(&sync->lock, flags);
	return done == 1 ? 0 : done ?: -ECANCELED;
}

/* A chunk that failed rests for a while; the others go on. */
static void copy_failed(struct rmr_srv_job *job, int err)
{
	struct rmr_srv_sync *sync = job->sync;
	struct rmr_srv_track *t = &sync->pool->track;
	struct rmr_srv_bad *bad = &sync->bad[0];
	unsigned long flags;
	unsigned int i;

	spin_lock_irqsave(&sync->lock, flags);
	for (i = 0; i < RMR_SYNC_BAD && err != -ECANCELED; i++) {
		if (sync->bad[i].fails && sync->bad[i].chunk == job->copy.chunk) {
			bad = &sync->bad[i];
			break;
		}
		if (sync->bad[i].until < bad->until)
			bad = &sync->bad[i];
	}
	if (err != -ECANCELED) {
		if (bad->chunk != job->copy.chunk)
			bad->fails = 0;
		bad->chunk = job->copy.chunk;
		bad->fails = min(bad->fails + 1, 8u);
		bad->until = get_jiffies_64() + (HZ / 8 << bad->fails);
		sync->bad_total++;
		sync->last_bad = job->copy.chunk;
	}
	spin_lock(&t->lock);
	if (is_valid(job))
		rmr_plan_fail(&t->plan, &job->copy);
	spin_unlock(&t->lock);
	spin_unlock_irqrestore(&sync->lock, flags);
	if (err != -ECANCELED)
		rmr_srv_warn(sync->pool, "copy of chunk %llu from member %u failed: %d\n",
			     job->copy.chunk, job->copy.source, err);
}

void rmr_srv_copy_work(struct work_struct *work)
{
	struct rmr_srv_job *job = container_of(work, struct rmr_srv_job, work);
	struct rmr_srv_sync *sync = job->sync;
	unsigned long flags;
	int err;

	err = copy_chunk(job);
	if (!err)
		err = group_flush(sync->pool);
	if (!err)
		err = wait_complete(job);
	if (!err)
		err = rmr_srv_trigger_chunk(RMR_SRV_POINT_COPY_HELD, sync->pool->id,
					    job->copy.chunk);
	if (!err)
		err = copy_done(job);
	if (err)
		copy_failed(job, err);
	rmr_blocks_reset(&job->fine);
	spin_lock_irqsave(&sync->lock, flags);
	job->busy = false;
	spin_unlock_irqrestore(&sync->lock, flags);
	rmr_srv_sync_kick(sync->pool);
}
