// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a storage node remembers of writes: dirty bits, intents, the window of the session, what it
 * lacks itself. The rules are those of the pure core; here they meet requests and locks.
 *
 * Lock: track->lock, innermost, any context. A write passes: arrival in the window -> behind a
 * copy that is being written to one of its chunks (blocked) -> bits and intents set in memory ->
 * behind the map's way to disk unless it is there already (unstable) -> store -> answer. In the
 * healthy case that is one short hold of the lock before and one after the store.
 */
#include <linux/slab.h>

#include "srv-pri.h"

/* A second copy of a running write: answered with it (F_DUP). */
struct dup {
	struct list_head	entry;
	struct rmr_srv_attach	*attach;
	void			*op;
	u64			seq;
};

/* Chunks with overlay and fine bits that are kept in memory at most. */
#define OVERLAY_CHUNKS	262144u
#define FINE_CHUNKS	262144u

static u32 blocks_per_chunk(const struct rmr_srv_track *t)
{
	return 1u << (t->chunk_shift - ilog2(RMR_BLOCK_SIZE));
}

int rmr_srv_track_init(struct rmr_srv_pool *pool)
{
	struct rmr_srv_track *t = &pool->track;
	u32 chunk_size = le32_to_cpu(pool->sb->chunk_size);
	u64 chunks = pool->witness ? 0 : rmr_chunks(pool->size, chunk_size);
	int err;

	spin_lock_init(&t->lock);
	init_waitqueue_head(&t->wait);
	mutex_init(&t->flush_lock);
	mutex_init(&t->place);
	INIT_LIST_HEAD(&t->blocked);
	INIT_LIST_HEAD(&t->unstable);
	INIT_LIST_HEAD(&t->copies);
	INIT_WORK(&t->map_work, rmr_srv_map_work);
	INIT_DELAYED_WORK(&t->lazy_work, rmr_srv_lazy_work);
	t->self = BIT(pool->id);
	t->id = pool->id;
	t->chunk_shift = ilog2(chunk_size);
	rmr_srv_table_note(pool);
	rmr_epoch_get(&t->promised, &pool->sb->promised);
	rmr_view_get(&t->view, &pool->sb->view);
	t->seen = t->view;
	t->fresh = true;
	t->restarted = !(le32_to_cpu(pool->sb->flags) & RMR_SB_F_CLEAN);
	rmr_window_init(&t->window);
	rmr_intents_init(&t->intents);
	rmr_blocks_init(&t->fine, blocks_per_chunk(t), FINE_CHUNKS);
	rmr_blocks_init(&t->overlay, blocks_per_chunk(t), OVERLAY_CHUNKS);
	t->buf = kmalloc(RMR_MD_BLOCK, GFP_KERNEL);
	err = t->buf ? rmr_plan_init(&t->plan, chunks, GFP_KERNEL) : -ENOMEM;
	if (!err)
		err = rmr_map_init(&t->kept, chunks, 0, GFP_KERNEL);
	t->kept.transient = true;
	if (!err)
		err = rmr_map_init(&t->wrong, chunks, 0, GFP_KERNEL) ?:
		      rmr_map_init(&t->right, chunks, 0, GFP_KERNEL);
	t->wrong.transient = true;
	t->right.transient = true;
	if (!err)
		err = rmr_map_init(&t->dirty, chunks, get_unaligned_le32(pool->sb->store_uuid),
				   GFP_KERNEL);
	if (!err)
		err = rmr_srv_map_load(pool);
	/* The superblock may have lost a member that the map still knew. */
	if (!err && chunks)
		err = min(rmr_map_clear(&t->dirty, 0, chunks - 1, ~(t->members | t->self),
					GFP_KERNEL), 0);
	t->running = true;
	return err;
}

/* Nothing uses the pool any more. Process context, sleeps. */
void rmr_srv_track_exit(struct rmr_srv_pool *pool)
{
	struct rmr_srv_track *t = &pool->track;

	if (!t->running && !t->buf)
		return;
	cancel_delayed_work_sync(&t->lazy_work);
	cancel_work_sync(&t->map_work);
	if (t->dirty.page) {
		rmr_window_reset(&t->window);
		rmr_intents_reset(&t->intents);
		rmr_blocks_reset(&t->fine);
		rmr_blocks_reset(&t->overlay);
		rmr_plan_destroy(&t->plan);
		rmr_map_destroy(&t->kept);
		rmr_map_destroy(&t->wrong);
		rmr_map_destroy(&t->right);
		rmr_map_destroy(&t->since);
		rmr_map_destroy(&t->dirty);
	}
	kfree(t->buf);
	t->buf = NULL;
	t->running = false;
}

/* Whether the member must take a chunk for dirty. Caller: track->lock. */
bool rmr_srv_lacks(const struct rmr_srv_track *t, u64 chunk)
{
	return !t->map_ok || rmr_plan_lacks(&t->plan, chunk);
}

static bool may_serve(const struct rmr_srv_track *t, u64 first, u64 last)
{
	u64 chunk;

	if (t->fresh)
		return false;		/* R5.9 */
	chunk = rmr_plan_next_lacked(&t->plan, first);
	return rmr_may_serve(&t->view, t->id, t->map_ok, chunk <= last);
}

bool rmr_srv_may_serve(struct rmr_srv_pool *pool, u64 first, u64 last)
{
	struct rmr_srv_track *t = &pool->track;
	unsigned long flags;
	bool may;

	spin_lock_irqsave(&t->lock, flags);
	may = may_serve(t, first, last);
	spin_unlock_irqrestore(&t->lock, flags);
	return may;
}

/* Notes the view of a message (F_WVIEW). Caller: track->lock. */
void rmr_srv_see(struct rmr_srv_track *t, const struct rmr_epoch *epoch, u64 number)
{
	struct rmr_view view = { .epoch = *epoch, .number = number };

	if (rmr_view_cmp(&view, &t->seen) > 0) {
		t->seen.epoch = view.epoch;
		t->seen.number = view.number;
	}
}

/* Sets bits of others. 0 or -ENOMEM. Caller: track->lock. */
int rmr_srv_mark(struct rmr_srv_track *t, u64 first, u64 last, u8 bits)
{
	int err;

	/* Of a member that is not known here yet all is marked before it joins. */
	bits &= t->members & ~t->self;
	err = rmr_map_mark(&t->dirty, first, last, bits, GFP_ATOMIC);
	if (err >= 0 && t->since_on)
		err = rmr_map_set(&t->since, first, last, bits, GFP_ATOMIC);
	return min(err, 0);
}

/* Takes the blocks of chunks first..last out of a set. Caller: track->lock. */
void rmr_srv_drop_blocks(struct rmr_blocks *set, u64 first, u64 last)
{
	struct rmr_tree_node *node = rmr_tree_from(&set->chunks, first), *next;

	for (; node && node->key <= last; node = next) {
		next = rmr_tree_next(node);
		rmr_blocks_drop(set, node->key);
	}
}

/* What every data request tells: the view it was made under, and how far writes are complete. */
static void hear(struct rmr_srv_track *t, const struct rmr_msg_io *msg)
{
	u64 below = le64_to_cpu(msg->completed_below);

	t->attaching = false;
	rmr_srv_see(t, &t->promised, le64_to_cpu(msg->view));
	rmr_window_completed(&t->window, below);
}

static u64 chunk_of(const struct rmr_srv_track *t, u64 off)
{
	return off >> t->chunk_shift;
}

/* A read or flush may go on: 0, or RMR_ST_STALE. */
int rmr_srv_track_read(struct rmr_srv_pool *pool, const struct rmr_msg_io *msg)
{
	struct rmr_srv_track *t = &pool->track;
	u64 off = le64_to_cpu(msg->offset);
	u32 len = le32_to_cpu(msg->length);
	unsigned long flags;
	bool ok = true;

	spin_lock_irqsave(&t->lock, flags);
	hear(t, msg);
	if (msg->op == RMR_OP_READ)
		ok = may_serve(t, chunk_of(t, off), chunk_of(t, off + len - 1));
	spin_unlock_irqrestore(&t->lock, flags);
	if (!ok)
		this_cpu_inc(pool->stats->stale);
	return ok ? 0 : RMR_ST_STALE;
}

/* ---- writes ---- */

/* Blocks of a write inside one of its chunks; partly written ones count. */
static void blocks_of(const struct rmr_srv_track *t, const struct rmr_store_io *io, u64 chunk,
		      u32 *first, u32 *last)
{
	u64 base = chunk << t->chunk_shift, end = io->offset + io->length - 1;

	*first = chunk == io->first ? (io->offset - base) / RMR_BLOCK_SIZE : 0;
	*last = chunk == io->last ? (end - base) / RMR_BLOCK_SIZE : blocks_per_chunk(t) - 1;
}

static bool is_applying(const struct rmr_srv_track *t, const struct rmr_store_io *io)
{
	unsigned int i;

	for (i = 0; i < t->applying; i++)
		if (t->applying_chunk[i] >= io->first && t->applying_chunk[i] <= io->last)
			return true;
	return false;
}

/* Notes who does not get the write, in bits and in blocks. */
static int note_missing(struct rmr_srv_track *t, const struct rmr_store_io *io)
{
	u32 first, last;
	u64 chunk;

	if (!io->missing)
		return 0;
	for (chunk = io->first; chunk <= io->last && t->map_ok && !t->fresh; chunk++) {
		blocks_of(t, io, chunk, &first, &last);
		rmr_fine_note(&t->fine, chunk, first, last,
			      rmr_map_get(&t->dirty, chunk) & ~t->self, GFP_ATOMIC);
	}
	return rmr_srv_mark(t, io->first, io->last, io->missing);
}

/*
 * Remembers a write to chunks that are lacked. False: no room, or the write covers a block only in
 * part, whose rest is still to be copied.
 */
static bool overlay(struct rmr_srv_track *t, const struct rmr_store_io *io)
{
	bool whole = !((io->offset | io->length) & (RMR_BLOCK_SIZE - 1));
	u32 first, last;
	u64 chunk;

	for (chunk = io->first; chunk <= io->last; chunk++) {
		if (!rmr_srv_lacks(t, chunk))
			continue;
		blocks_of(t, io, chunk, &first, &last);
		if (!whole || rmr_blocks_add(&t->overlay, chunk, first, last, GFP_ATOMIC))
			return false;
	}
	return true;
}

/*
 * The write was not applied here (R3.6). The copy of its chunks waits until every write that has
 * arrived by now has ended: some of them may not have been remembered as overlaid. Returns
 * RMR_ST_MISSED, or -EIO: the leg has to go and come back.
 */
static int miss(struct rmr_srv_track *t, const struct rmr_store_io *io)
{
	u32 first, last;
	u64 chunk;

	for (chunk = io->first; chunk <= io->last; chunk++) {
		blocks_of(t, io, chunk, &first, &last);
		/* Blocks are known to the source only: here a chunk is lacked as a whole. */
		if (rmr_plan_missed(&t->plan, &t->fine, &t->overlay, chunk, first, last,
				    GFP_ATOMIC))
			return -EIO;
		rmr_blocks_drop(&t->fine, chunk);
	}
	t->hold_below = max(t->hold_below, t->highest_seq + 1);
	return RMR_ST_MISSED;
}

/* Sets the intents of a write and tracks them; false if there is no memory for that. */
static bool intend(struct rmr_srv_track *t, const struct rmr_store_io *io)
{
	u64 chunk;

	if (rmr_map_set(&t->dirty, io->first, io->last, t->self, GFP_ATOMIC) < 0)
		return false;
	for (chunk = io->first; chunk <= io->last; chunk++) {
		if (!rmr_intent_begin(&t->intents, chunk, io->seq, GFP_ATOMIC))
			continue;
		while (chunk-- > io->first)
			rmr_intent_applied(&t->intents, chunk);
		return false;
	}
	return true;
}

/* Everything between arrival and store. io->status says what to do once the map is stable. */
static enum rmr_srv_go start(struct rmr_srv_track *t, struct rmr_store_io *io)
{
	if (is_applying(t, io)) {
		list_add_tail(&io->entry, &t->blocked);
		return RMR_SRV_WAIT;
	}
	io->status = 1;
	if (t->broken || note_missing(t, io))
		io->status = -EIO;
	else if (!overlay(t, io) || !intend(t, io))
		io->status = miss(t, io);
	if (io->status != -EIO && !rmr_map_stable(&t->dirty, io->first, io->last)) {
		list_add_tail(&io->entry, &t->unstable);
		queue_work(system_unbound_wq, &t->map_work);
		return RMR_SRV_WAIT;
	}
	return io->status == 1 ? RMR_SRV_SUBMIT : RMR_SRV_ANSWER;
}

static enum rmr_srv_go add_dup(struct rmr_srv_track *t, struct rmr_store_io *io)
{
	struct dup *dup = kmalloc(sizeof(*dup), GFP_ATOMIC);

	if (!dup) {
		io->status = -EIO;
		return RMR_SRV_ANSWER;
	}
	dup->attach = io->attach;
	dup->op = io->tp_op;
	dup->seq = io->seq;
	list_add_tail(&dup->entry, &t->copies);
	/* The io itself is of no use any more; its owner frees it. */
	io->tp_op = NULL;
	return RMR_SRV_ANSWER;
}

/*
 * A write, discard or write-zeroes arrived. SUBMIT: to the store now; WAIT: srv-track.c goes on
 * with it later; ANSWER: with io->status, or not at all if io->tp_op is NULL.
 */
enum rmr_srv_go rmr_srv_track_write(struct rmr_srv_pool *pool, struct rmr_store_io *io,
				    const struct rmr_msg_io *msg)
{
	struct rmr_srv_track *t = &pool->track;
	enum rmr_srv_go go = RMR_SRV_ANSWER;
	unsigned long flags;
	int arrival;

	io->first = chunk_of(t, io->offset);
	io->last = chunk_of(t, io->offset + io->length - 1);
	spin_lock_irqsave(&t->lock, flags);
	hear(t, msg);
	arrival = rmr_window_arrive(&t->window, io->seq, io->first, io->last, &io->status,
				    GFP_ATOMIC);
	if (arrival == RMR_ARRIVAL_NEW) {
		t->highest_seq = max(t->highest_seq, io->seq);
		if (t->watching)
			rmr_srv_verify_written(t, io->first, io->last);
		go = start(t, io);
		if (go == RMR_SRV_ANSWER)
			rmr_window_answer(&t->window, io->seq, io->status);
	} else if (arrival == RMR_ARRIVAL_RUNNING) {
		go = add_dup(t, io);
	} else if (arrival < 0) {
		io->status = -EIO;
	}
	spin_unlock_irqrestore(&t->lock, flags);
	if (go == RMR_SRV_ANSWER && io->status == RMR_ST_MISSED)
		this_cpu_inc(pool->stats->missed);
	return go;
}

static void answer_dups(struct rmr_srv_track *t, u64 seq, int status)
{
	struct dup *dup, *next;
	LIST_HEAD(list);
	unsigned long flags;

	spin_lock_irqsave(&t->lock, flags);
	list_for_each_entry_safe(dup, next, &t->copies, entry)
		if (dup->seq == seq)
			list_move_tail(&dup->entry, &list);
	spin_unlock_irqrestore(&t->lock, flags);
	list_for_each_entry_safe(dup, next, &list, entry) {
		dup->attach->sess->tp->respond(dup->op, status);
		percpu_ref_put(&dup->attach->io);
		kfree(dup);
	}
}

/* The store has ended a write. Returns the status to answer. Any context. */
int rmr_srv_track_written(struct rmr_srv_pool *pool, struct rmr_store_io *io, int status)
{
	struct rmr_srv_track *t = &pool->track;
	unsigned long flags;
	bool dups;
	u64 chunk;

	spin_lock_irqsave(&t->lock, flags);
	for (chunk = io->first; chunk <= io->last; chunk++)
		rmr_intent_applied(&t->intents, chunk);
	if (status)
		status = miss(t, io);
	rmr_window_answer(&t->window, io->seq, status);
	dups = !list_empty(&t->copies);
	spin_unlock_irqrestore(&t->lock, flags);
	if (dups)
		answer_dups(t, io->seq, status);
	if (status == RMR_ST_MISSED)
		this_cpu_inc(pool->stats->missed);
	return status;
}

/* Takes one write off the waiting lists that may go on now. Caller: track->lock. */
static struct rmr_store_io *next_ready(struct rmr_srv_track *t, enum rmr_srv_go *go)
{
	struct rmr_store_io *io;

	list_for_each_entry(io, &t->unstable, entry) {
		if (!t->broken && !rmr_map_stable(&t->dirty, io->first, io->last))
			continue;
		list_del_init(&io->entry);
		if (t->broken)
			io->status = -EIO;
		*go = io->status == 1 ? RMR_SRV_SUBMIT : RMR_SRV_ANSWER;
		return io;
	}
	list_for_each_entry(io, &t->blocked, entry) {
		if (is_applying(t, io))
			continue;
		list_del_init(&io->entry);
		*go = start(t, io);
		return io;
	}
	return NULL;
}

/* Goes on with writes that waited for the map or for a copy. Process context. */
void rmr_srv_track_release(struct rmr_srv_pool *pool)
{
	struct rmr_srv_track *t = &pool->track;
	struct rmr_store_io *io;
	enum rmr_srv_go go;
	unsigned long flags;

	for (;;) {
		spin_lock_irqsave(&t->lock, flags);
		io = next_ready(t, &go);
		if (io && go == RMR_SRV_ANSWER)
			rmr_window_answer(&t->window, io->seq, io->status);
		spin_unlock_irqrestore(&t->lock, flags);
		if (!io)
			return;
		if (go == RMR_SRV_SUBMIT)
			rmr_srv_io_submit(pool, io);
		if (go != RMR_SRV_ANSWER)
			continue;
		answer_dups(t, io->seq, io->status);
		rmr_srv_io_answer(pool, io, io->status);
	}
}

/* ---- promise and view ---- */

/*
 * A promise was persisted and everything of the session before has ended: what is uncertain is
 * kept, numbers start anew, running copies are void (F_ATTVOID) and none is still being written
 * when this returns. Caller: pool->lock.
 */
int rmr_srv_track_promise(struct rmr_srv_pool *pool, const struct rmr_epoch *epoch)
{
	struct rmr_srv_track *t = &pool->track;
	unsigned long flags;
	int err = 0;
	u64 chunk;

	lockdep_assert_held(&pool->lock);
	spin_lock_irqsave(&t->lock, flags);
	for (chunk = rmr_window_next_uncertain(&t->window, 0); chunk != RMR_NO_UNCERTAIN && !err;
	     chunk = rmr_window_next_uncertain(&t->window, chunk + 1))
		err = min(rmr_map_set(&t->kept, chunk, chunk, 1, GFP_ATOMIC), 0);
	rmr_srv_verify_promised(t, !rmr_epoch_cmp(&t->promised, epoch));
	t->promised = *epoch;
	if (!err) {
		rmr_window_reset(&t->window);
		rmr_intents_hold(&t->intents);
	}
	t->highest_seq = 0;
	t->hold_below = 0;
	t->mark_top = 0;
	t->mark_seen = 0;
	t->cleared_on = 0;
	t->attaching = true;
	t->fresh = true;
	t->pull_ok = false;
	t->generation++;
	spin_unlock_irqrestore(&t->lock, flags);
	wait_event(t->wait, !READ_ONCE(t->applying));
	return err;
}

/* Which of the memories a view takes away. */
struct dropped {
	struct rmr_map		since;
	struct rmr_blocks	fine, overlay;
};

static void drop_blocks(struct rmr_srv_track *t, struct dropped *old)
{
	old->fine = t->fine;
	old->overlay = t->overlay;
	rmr_blocks_init(&t->fine, blocks_per_chunk(t), FINE_CHUNKS);
	rmr_blocks_init(&t->overlay, blocks_per_chunk(t), OVERLAY_CHUNKS);
	rmr_plan_reset(&t->plan);
	t->generation++;
}

/* R2.12, R5.2, R5.3, F_REPULL: what a newer view does to map, overlay and copies. */
static void enter(struct rmr_srv_track *t, const struct rmr_view *view, struct rmr_map *since,
		  struct dropped *old)
{
	bool up = view->up_to_date & t->self, syncing = view->syncing & t->self;

	t->view = *view;
	t->cleared_on = 0;
	t->blank = t->blank && !up;
	if (!up && !syncing) {
		t->generation++;
		rmr_plan_reset(&t->plan);
		t->map_ok = false;
		t->pull_ok = false;
		return;
	}
	if (t->fresh && up) {
		t->fresh = false;
		t->map_ok = true;
		drop_blocks(t, old);
		old->since = t->since;
		memset(&t->since, 0, sizeof(t->since));
		t->since_on = false;
	} else if (t->fresh || (t->attaching && syncing)) {
		t->fresh = false;
		t->map_ok = false;
		drop_blocks(t, old);
		old->since = t->since;
		t->since = *since;
		memset(since, 0, sizeof(*since));
		t->since_on = true;
	}
}

/* A view was persisted. Caller: pool->lock. */
int rmr_srv_track_view(struct rmr_srv_pool *pool, const struct rmr_view *view)
{
	struct rmr_srv_track *t = &pool->track;
	struct dropped old = {};
	struct rmr_map since;
	unsigned long flags;
	int err;

	lockdep_assert_held(&pool->lock);
	err = rmr_map_init(&since, t->dirty.chunks, 0, GFP_NOIO);
	if (err)
		return err;
	since.transient = true;
	spin_lock_irqsave(&t->lock, flags);
	rmr_srv_see(t, &view->epoch, view->number);
	if (rmr_view_cmp(view, &t->view))
		enter(t, view, &since, &old);
	spin_unlock_irqrestore(&t->lock, flags);
	wait_event(t->wait, !READ_ONCE(t->applying));
	rmr_map_destroy(&since);
	rmr_map_destroy(&old.since);
	rmr_blocks_reset(&old.fine);
	rmr_blocks_reset(&old.overlay);
	return 0;
}

/* No source of anything until a view is told (R2.16, as R5.9). Caller: pool->lock. */
void rmr_srv_track_silence(struct rmr_srv_pool *pool)
{
	struct rmr_srv_track *t = &pool->track;
	unsigned long flags;

	lockdep_assert_held(&pool->lock);
	spin_lock_irqsave(&t->lock, flags);
	t->fresh = true;
	t->map_ok = false;
	t->generation++;
	spin_unlock_irqrestore(&t->lock, flags);
	wait_event(t->wait, !READ_ONCE(t->applying));
}

/* The client ended every write and every leg is flushed: no intent is needed any more. */
void rmr_srv_track_clean(struct rmr_srv_pool *pool)
{
	struct rmr_srv_track *t = &pool->track;
	unsigned long flags;

	spin_lock_irqsave(&t->lock, flags);
	rmr_window_completed(&t->window, U64_MAX);
	spin_unlock_irqrestore(&t->lock, flags);
	rmr_srv_clear_intents(pool, U64_MAX);
}
