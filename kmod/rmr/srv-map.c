// SPDX-License-Identifier: GPL-2.0-only
/*
 * The dirty map's way to and from disk, and the flush that lets intents go.
 *
 * One writer for each pool, map_work: it writes pending blocks one after the other, so that never
 * two writes of a block are under way, and lets the requests go on that waited for one. A pass ends
 * with the superblock if the map's fills have changed (R9.14). Work that waits for everything takes
 * a ticket and waits until a pass that began later has ended.
 *
 * Context: process. track->lock is held only around the core's calls, never over I/O.
 */
#include <linux/slab.h>

#include "srv-pri.h"

/* Intents are let go when the pool was idle for this long, or beyond so many chunks. */
#define LAZY_MS		5000
#define LAZY_CHUNKS	512u

#define ADVANCE_MS	1000		/* fills follow the copy so often */

#define LOAD_BLOCKS	16u		/* map blocks read at once */

static int load_block(struct rmr_srv_pool *pool, u32 block, const void *data)
{
	struct rmr_fault fault = {};
	u8 refused;
	int err;

	err = rmr_map_block_load(&pool->track.dirty, block, data, &refused, &fault, GFP_KERNEL);
	if (!err && refused)
		rmr_srv_warn(pool, "map block %u: sectors %#x count as dirty: %s %s\n", block,
			     refused, fault.field, fault.why);
	return err;
}

/* What an earlier life left: its intents are uncertain until the client settles them. */
static int restore_intents(struct rmr_srv_track *t)
{
	u64 chunk;
	int err = 0;
	u8 bits;

	for (chunk = rmr_map_next(&t->dirty, 0, t->self, &bits); chunk != RMR_NO_CHUNK && !err;
	     chunk = rmr_map_next(&t->dirty, chunk + 1, t->self, &bits)) {
		err = rmr_intent_restore(&t->intents, chunk, GFP_KERNEL);
		if (!err)
			err = min(rmr_map_set(&t->kept, chunk, chunk, 1, GFP_KERNEL), 0);
	}
	return err;
}

/* Reads the map. Nothing else uses the pool yet. */
int rmr_srv_map_load(struct rmr_srv_pool *pool)
{
	u64 off = le64_to_cpu(pool->sb->map_off), len = le64_to_cpu(pool->sb->map_len), done;
	size_t part = LOAD_BLOCKS * RMR_MD_BLOCK, i;
	void *buf = kmalloc(part, GFP_KERNEL);
	int err = buf ? 0 : -ENOMEM;

	for (done = 0; done < len && !err; done += part) {
		part = min_t(u64, part, len - done);
		err = pool->ops->rw_md(pool->store, false, off + done, buf, part);
		if (err)
			rmr_srv_warn(pool, "cannot read the map: %d\n", err);
		for (i = 0; i < part && !err; i += RMR_MD_BLOCK)
			err = load_block(pool, (done + i) / RMR_MD_BLOCK, buf + i);
	}
	kfree(buf);
	if (!err && len)
		err = rmr_map_fill_load(&pool->track.dirty, pool->sb->fill, GFP_KERNEL);
	if (!err)
		err = restore_intents(&pool->track);
	return err;
}

static void map_failed(struct rmr_srv_pool *pool, int err)
{
	unsigned long flags;

	rmr_srv_warn(pool, "map write failed: %d\n", err);
	spin_lock_irqsave(&pool->track.lock, flags);
	pool->track.broken = true;
	spin_unlock_irqrestore(&pool->track.lock, flags);
	wake_up_all(&pool->track.wait);
	rmr_srv_track_release(pool);
	rmr_srv_disk_broken(pool);
}

/* Writes one pending block from *block on; false if there is none. */
static bool write_block(struct rmr_srv_pool *pool, u64 *block)
{
	struct rmr_srv_track *t = &pool->track;
	struct rmr_map_block_gen gen;
	unsigned long flags;
	int err;

	mutex_lock(&t->place);
	spin_lock_irqsave(&t->lock, flags);
	*block = t->broken ? RMR_NO_SECTOR : rmr_map_next_pending_block(&t->dirty, *block);
	if (*block != RMR_NO_SECTOR)
		rmr_map_block_image(&t->dirty, *block, t->buf, &gen);
	spin_unlock_irqrestore(&t->lock, flags);
	if (*block == RMR_NO_SECTOR) {
		mutex_unlock(&t->place);
		return false;
	}
	err = rmr_srv_trigger(RMR_SRV_POINT_MAP_WRITE, pool->id);
	if (!err)
		err = pool->ops->rw_md(pool->store, true,
				       le64_to_cpu(pool->sb->map_off) + *block * RMR_MD_BLOCK,
				       t->buf, RMR_MD_BLOCK);
	mutex_unlock(&t->place);
	if (err) {
		map_failed(pool, err);
		return false;
	}
	spin_lock_irqsave(&t->lock, flags);
	rmr_map_block_persisted(&t->dirty, *block, &gen);
	spin_unlock_irqrestore(&t->lock, flags);
	rmr_srv_track_release(pool);
	return true;
}

/* Whether the superblock is to say other fills. Caller: track->lock. */
static bool fills_pending(const struct rmr_srv_track *t)
{
	return !t->broken && rmr_map_fill_pending(&t->dirty, t->members & ~t->self);
}

/* Writes the fills, if they have changed. */
static void write_fills(struct rmr_srv_pool *pool)
{
	struct rmr_srv_track *t = &pool->track;
	unsigned long flags;
	bool write;
	int err;

	spin_lock_irqsave(&t->lock, flags);
	if (time_after64(get_jiffies_64(), t->advanced + msecs_to_jiffies(ADVANCE_MS))) {
		rmr_map_fill_advance(&t->dirty);
		t->advanced = get_jiffies_64();
	}
	write = fills_pending(t);
	spin_unlock_irqrestore(&t->lock, flags);
	err = write ? rmr_srv_sb_fills(pool) : 0;
	if (err)
		map_failed(pool, err);
	/* Writes may have waited for a superblock that somebody else wrote. */
	rmr_srv_track_release(pool);
}

void rmr_srv_map_work(struct work_struct *work)
{
	struct rmr_srv_pool *pool = container_of(work, struct rmr_srv_pool, track.map_work);
	struct rmr_srv_track *t = &pool->track;
	unsigned long flags;
	u64 ticket, block;
	bool again;

	do {
		ticket = READ_ONCE(t->sync_want);
		/* Changes made before the ticket was read are seen by the pass. */
		smp_mb();
		for (block = 0; write_block(pool, &block); block++)
			;
		write_fills(pool);
		spin_lock_irqsave(&t->lock, flags);
		t->sync_done = max(t->sync_done, ticket);
		again = !t->broken && (t->dirty.pending || t->sync_want != t->sync_done ||
				       fills_pending(t));
		spin_unlock_irqrestore(&t->lock, flags);
		wake_up_all(&t->wait);
	} while (again);
}

/* Waits until the present state of the whole map is stable. 0 or -EIO. */
int rmr_srv_map_sync(struct rmr_srv_pool *pool)
{
	struct rmr_srv_track *t = &pool->track;
	unsigned long flags;
	u64 ticket;

	spin_lock_irqsave(&t->lock, flags);
	ticket = ++t->sync_want;
	spin_unlock_irqrestore(&t->lock, flags);
	queue_work(system_unbound_wq, &t->map_work);
	wait_event(t->wait, READ_ONCE(t->sync_done) >= ticket || READ_ONCE(t->broken));
	return READ_ONCE(t->broken) ? -EIO : 0;
}

/* Flushes the store; intents of what was applied before may go. */
int rmr_srv_flush(struct rmr_srv_pool *pool)
{
	struct rmr_srv_track *t = &pool->track;
	unsigned long flags;
	u64 mark;
	int err;

	spin_lock_irqsave(&t->lock, flags);
	mark = rmr_intents_flush_start(&t->intents);
	spin_unlock_irqrestore(&t->lock, flags);
	err = pool->ops->flush(pool->store);
	if (err) {
		rmr_srv_warn(pool, "flush failed: %d\n", err);
		return err;
	}
	spin_lock_irqsave(&t->lock, flags);
	rmr_intents_flushed(&t->intents, mark);
	spin_unlock_irqrestore(&t->lock, flags);
	return 0;
}

/* Takes back the intents that may go (F_INTENT) and writes the map. */
void rmr_srv_clear_intents(struct rmr_srv_pool *pool, u64 below)
{
	struct rmr_srv_track *t = &pool->track;
	unsigned long flags;
	u64 chunk = 0;

	spin_lock_irqsave(&t->lock, flags);
	for (;;) {
		chunk = rmr_intents_next_clearable(&t->intents, chunk, below);
		if (chunk == RMR_NO_INTENT ||
		    rmr_map_clear(&t->dirty, chunk, chunk, t->self, GFP_ATOMIC) < 0)
			break;
		rmr_intent_cleared(&t->intents, chunk);
	}
	spin_unlock_irqrestore(&t->lock, flags);
	rmr_srv_map_sync(pool);
}

/*
 * Lazily: a chunk that is written again and again keeps its intent. Only a pool that was idle since
 * the last pass, or one with many intents, is flushed and lets them go.
 */
void rmr_srv_lazy_work(struct work_struct *work)
{
	struct delayed_work *dwork = to_delayed_work(work);
	struct rmr_srv_pool *pool = container_of(dwork, struct rmr_srv_pool, track.lazy_work);
	struct rmr_srv_track *t = &pool->track;
	unsigned long flags;
	bool clear;
	u64 below;

	spin_lock_irqsave(&t->lock, flags);
	clear = t->intents.chunks.count && !t->broken &&
		(t->highest_seq == t->lazy_seq || t->intents.chunks.count > LAZY_CHUNKS);
	below = t->window.below;
	t->lazy_seq = t->highest_seq;
	clear &= rmr_intents_next_clearable(&t->intents, 0, below) != RMR_NO_INTENT ||
		 t->intents.flushed < t->intents.clock;
	spin_unlock_irqrestore(&t->lock, flags);
	if (clear && !rmr_srv_flush(pool))
		rmr_srv_clear_intents(pool, below);
	queue_delayed_work(system_unbound_wq, &t->lazy_work, msecs_to_jiffies(LAZY_MS));
}
