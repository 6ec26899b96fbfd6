// SPDX-License-Identifier: GPL-2.0-only
/*
 * Resync: a member that lacks chunks gets them from the others, by itself, whether a client is
 * attached or not (R5.8). One tick for each pool, a delayed work, decides; copies run beside it.
 *
 * Steps, in this order: links to the active members -> map (srv-pull.c) -> copies (srv-copy.c) ->
 * CLEAR of what is held -> CLEAR of all, confirmed by everybody -> the client promotes.
 *
 * Rate: the controller of core/rate.h sets it every quarter second by the latency of application
 * I/O on this node and on the sources.
 *
 * Locks: sync->lock, then track->lock. Context: process.
 */
#include <linux/ktime.h>
#include <linux/slab.h>

#include "srv-sync.h"

static unsigned int resync_depth = 4;
module_param(resync_depth, uint, 0644);
MODULE_PARM_DESC(resync_depth, "chunks that a member copies at once, 1 to 16 (default 4)");

static unsigned int resync_latency_us = 20000;
module_param(resync_latency_us, uint, 0644);
MODULE_PARM_DESC(resync_latency_us, "latency of application I/O that resync keeps to (default 20000)");

static unsigned long resync_floor = 4 << 20;
module_param(resync_floor, ulong, 0644);
MODULE_PARM_DESC(resync_floor, "bytes/s that resync gets in any case (default 4 MiB)");

static unsigned int resync_share = 20;
module_param(resync_share, uint, 0644);
MODULE_PARM_DESC(resync_share,
		 "percent of the time that a copy works while applications do I/O (default 20)");

static bool resync_digest;
module_param(resync_digest, bool, 0644);
MODULE_PARM_DESC(resync_digest, "copy only blocks whose digests differ, for pools started later");

#define CONTROL_NS	(250 * NSEC_PER_MSEC)
#define MEASURE_NS	NSEC_PER_SEC
#define STALL_MS	5000

static struct workqueue_struct *sync_wq;	/* ticks and copies; not for memory reclaim */

static u8 others(const struct rmr_srv_track *t)
{
	return rmr_view_active(&t->view) & ~t->self;
}

/* Connects to the active members, and only to them. A member may have moved if no copy runs. */
static void update_links(struct rmr_srv_sync *sync, u8 want, bool running)
{
	struct rmr_srv_pool *pool = sync->pool;
	unsigned int id;
	u8 ready = 0;

	for (id = 0; id < RMR_MAX_MEMBERS; id++) {
		const char *addr = pool->sb->member[id].addr[0];

		if (!running && sync->link[id] &&
		    (!(want & BIT(id)) || !rmr_srv_link_is(sync->link[id], addr))) {
			rmr_srv_link_put(sync->link[id]);
			sync->link[id] = NULL;
		}
		if (!(want & BIT(id)))
			continue;
		if (!sync->link[id])
			sync->link[id] = rmr_srv_link_get(addr);
		if (sync->link[id] && rmr_srv_link_ready(sync->link[id]))
			ready |= BIT(id);
	}
	WRITE_ONCE(sync->ready, ready);
}

static void drop_links(struct rmr_srv_sync *sync)
{
	unsigned int id;

	for (id = 0; id < RMR_MAX_MEMBERS; id++) {
		rmr_srv_link_put(sync->link[id]);
		sync->link[id] = NULL;
	}
	sync->ready = 0;
}

/* ---- rate ---- */

static_assert((int)RMR_PACE_SHARE == (int)RMR_RESYNC_PACE_SHARE);

u32 rmr_srv_share(void)
{
	return READ_ONCE(resync_share);
}

/* Latency of application I/O on this node, 0 while there is none. */
u64 rmr_srv_latency_ns(const struct rmr_srv_track *t)
{
	if (get_jiffies_64() - READ_ONCE(t->busy_jiffies) > HZ)
		return 0;
	return READ_ONCE(t->latency_ns) | 1;
}

/* The highest latency of applications, here and on the sources. Caller: sync->lock. */
static u64 worst_latency_ns(const struct rmr_srv_sync *sync)
{
	u64 worst = rmr_srv_latency_ns(&sync->pool->track);
	unsigned int i;

	for (i = 0; i < RMR_MAX_MEMBERS; i++)
		if (time_before64(get_jiffies_64(), sync->source_until[i]))
			worst = max(worst, sync->source_ns[i]);
	return worst;
}

static void control(struct rmr_srv_sync *sync, u64 now)
{
	struct rmr_rate_facts facts = {
		.speed = sync->speed,
		.latency_ns = worst_latency_ns(sync),
		.resting = rmr_srv_share() < 100,
	};

	if (now - sync->control_ns < CONTROL_NS)
		return;
	sync->control_ns = now;
	sync->latency_ns = facts.latency_ns;
	sync->pace = rmr_rate_step(&sync->limits, &facts, &sync->rate);
}

/* What is shown: the pace of copies that run. */
static u8 pace_shown(const struct rmr_srv_sync *sync)
{
	if (sync->state == RMR_RESYNC_STATE_PAUSED)
		return RMR_PACE_PAUSED;
	return sync->state == RMR_RESYNC_STATE_COPYING ? sync->pace : RMR_PACE_NONE;
}

static void measure(struct rmr_srv_sync *sync, u64 now)
{
	u64 took = now - sync->measured_ns;

	if (took < MEASURE_NS)
		return;
	sync->speed = div64_u64((sync->copied + sync->equal - sync->copied_before) * 1000,
				div_u64(took, NSEC_PER_MSEC));
	sync->copied_before = sync->copied + sync->equal;
	sync->measured_ns = now;
}

/* ---- copies ---- */

static bool chunk_held(void *owner, u64 chunk)
{
	struct rmr_srv_sync *sync = owner;
	unsigned int i;

	for (i = 0; i < RMR_SYNC_BAD; i++)
		if (sync->bad[i].fails && sync->bad[i].chunk == chunk &&
		    time_before64(get_jiffies_64(), sync->bad[i].until))
			return true;
	return false;
}

static u8 chunk_sources(void *owner, u64 chunk)
{
	struct rmr_srv_sync *sync = owner;
	const struct rmr_srv_track *t = &sync->pool->track;

	return rmr_srv_verify_sources(t, chunk, sync->ready &
				      rmr_resync_sources(&t->view, t->id,
							 rmr_map_get(&t->dirty, chunk)));
}

static const struct rmr_plan_ops plan_ops = {
	.held		= chunk_held,
	.sources	= chunk_sources,
};

static struct rmr_srv_job *free_job(struct rmr_srv_sync *sync)
{
	u32 i, depth = clamp(READ_ONCE(resync_depth), 1u, RMR_SYNC_DEPTH_MAX);

	for (i = 0; i < depth; i++)
		if (!sync->job[i].busy)
			return &sync->job[i];
	return NULL;
}

static u32 blocks_of_chunk(const struct rmr_srv_pool *pool, u64 chunk)
{
	u32 shift = pool->track.chunk_shift;
	u64 left = pool->size - (chunk << shift);

	return min_t(u64, left, 1ull << shift) / RMR_BLOCK_SIZE;
}

/* Hands a free job the next chunk. Caller: sync->lock, track->lock. */
static bool next_copy(struct rmr_srv_sync *sync, struct rmr_srv_job *job)
{
	struct rmr_srv_track *t = &sync->pool->track;

	if (t->fresh || !t->map_ok || !(t->view.syncing & t->self) ||
	    t->window.below < t->hold_below)
		return false;
	if (rmr_plan_next(&t->plan, &plan_ops, sync, &job->copy, GFP_ATOMIC) != 1)
		return false;
	job->generation = t->generation;
	job->busy = true;
	return true;
}

static void start_copies(struct rmr_srv_sync *sync)
{
	struct rmr_srv_track *t = &sync->pool->track;
	struct rmr_srv_job *job;
	unsigned long flags;
	bool more = true;

	while (more && !READ_ONCE(sync->paused)) {
		spin_lock_irqsave(&sync->lock, flags);
		spin_lock(&t->lock);
		job = free_job(sync);
		more = job && next_copy(sync, job);
		spin_unlock(&t->lock);
		spin_unlock_irqrestore(&sync->lock, flags);
		if (!more)
			return;
		job->blocks = blocks_of_chunk(sync->pool, job->copy.chunk);
		rmr_blocks_init(&job->fine, 1u << (t->chunk_shift - ilog2(RMR_BLOCK_SIZE)), 1);
		queue_work(sync_wq, &job->work);
	}
}

/* ---- tick ---- */

/* What the tick sees of the track. */
struct sight {
	u64	generation;
	u64	left;
	u8	active;			/* others */
	u8	up_to_date;
	bool	syncing;		/* told so under the present promise */
	bool	map_ok;
	bool	pull_ok;
	bool	running;		/* copies */
};

static void look(struct rmr_srv_sync *sync, struct sight *s)
{
	struct rmr_srv_track *t = &sync->pool->track;
	unsigned long flags;

	spin_lock_irqsave(&t->lock, flags);
	s->generation = t->generation;
	s->left = t->plan.left;
	s->active = others(t);
	s->up_to_date = t->view.up_to_date & ~t->self;
	s->syncing = !t->fresh && (t->view.syncing & t->self);
	s->map_ok = t->map_ok;
	s->pull_ok = t->pull_ok;
	s->running = t->plan.running;
	spin_unlock_irqrestore(&t->lock, flags);
}

/* A new join: figures start anew, and nothing of the old one is told. */
static void begin(struct rmr_srv_sync *sync, const struct sight *s)
{
	unsigned long flags;

	if (sync->generation == s->generation)
		return;
	spin_lock_irqsave(&sync->lock, flags);
	sync->generation = s->generation;
	sync->copied = 0;
	sync->copied_before = 0;
	memset(sync->copied_from, 0, sizeof(sync->copied_from));
	sync->equal = 0;
	sync->measured_ns = ktime_get_ns();
	sync->speed = 0;
	sync->chunks_done = 0;
	sync->chunks_total = s->left;
	memset(sync->bad, 0, sizeof(sync->bad));
	rmr_map_clear(&sync->told, 0, U64_MAX, 1, GFP_ATOMIC);
	spin_unlock_irqrestore(&sync->lock, flags);
}

static void pull(struct rmr_srv_sync *sync, struct sight *s)
{
	u8 from = s->up_to_date & sync->ready;
	unsigned long flags;

	if (!s->pull_ok || !from || rmr_srv_pull(sync, __ffs(from)))
		return;
	look(sync, s);
	spin_lock_irqsave(&sync->lock, flags);
	sync->chunks_total = s->left;
	spin_unlock_irqrestore(&sync->lock, flags);
}

static const char * const state_names[] = {
	[RMR_RESYNC_STATE_NONE]		= "none",
	[RMR_RESYNC_STATE_WAITING]	= "waiting",
	[RMR_RESYNC_STATE_COPYING]	= "copying",
	[RMR_RESYNC_STATE_STALLED]	= "stalled",
	[RMR_RESYNC_STATE_PAUSED]	= "paused",
	[RMR_RESYNC_STATE_DONE]		= "done",
};

static void set_state(struct rmr_srv_sync *sync, u8 state, u8 reason)
{
	struct rmr_srv_pool *pool = sync->pool;

	if (sync->state == state && sync->reason == reason)
		return;
	rmr_srv_info(pool, "resync %s -> %s reason %u chunks %llu of %llu bytes %llu failures %llu\n",
		     state_names[sync->state], state_names[state], reason, sync->chunks_done,
		     sync->chunks_total, sync->copied, sync->bad_total);
	WRITE_ONCE(sync->reason, reason);
	WRITE_ONCE(sync->state, state);
	mutex_lock(&pool->lock);
	rmr_srv_pool_notify(pool);
	mutex_unlock(&pool->lock);
}

/* Says what goes on, for people; nothing depends on it. */
static void report(struct rmr_srv_sync *sync, const struct sight *s, bool all)
{
	u64 now = get_jiffies_64();
	bool moving = s->running || all;

	if (moving || !s->syncing)
		sync->stalled_since = 0;
	else if (!sync->stalled_since)
		sync->stalled_since = now;
	if (!s->syncing)
		set_state(sync, RMR_RESYNC_STATE_NONE, RMR_REASON_NONE);
	else if (sync->paused && s->left)
		set_state(sync, RMR_RESYNC_STATE_PAUSED, RMR_REASON_ADMIN);
	else if (all)
		set_state(sync, RMR_RESYNC_STATE_DONE, RMR_REASON_NONE);
	else if (sync->stalled_since && now - sync->stalled_since > msecs_to_jiffies(STALL_MS))
		set_state(sync, RMR_RESYNC_STATE_STALLED,
			  !(s->active & sync->ready) ? RMR_REASON_CONNECT :
			  sync->bad_total ? RMR_REASON_IO_ERROR : RMR_REASON_TIMEOUT);
	else if (!s->map_ok)
		set_state(sync, RMR_RESYNC_STATE_WAITING, RMR_REASON_NONE);
	else if (sync->state != RMR_RESYNC_STATE_STALLED || moving)
		set_state(sync, RMR_RESYNC_STATE_COPYING, RMR_REASON_NONE);
}

static void tick(struct work_struct *work)
{
	struct rmr_srv_sync *sync = container_of(to_delayed_work(work), struct rmr_srv_sync, tick);
	u64 now = ktime_get_ns();
	unsigned long flags;
	bool all = false;
	struct sight s;

	if (READ_ONCE(sync->stopping))
		return;
	look(sync, &s);
	if (!s.syncing) {
		report(sync, &s, false);
		return;		/* the next view kicks */
	}
	begin(sync, &s);
	update_links(sync, s.active, s.running);
	if (!s.map_ok)
		pull(sync, &s);
	if (s.map_ok) {
		spin_lock_irqsave(&sync->lock, flags);
		measure(sync, now);
		control(sync, now);
		spin_unlock_irqrestore(&sync->lock, flags);
		start_copies(sync);
		rmr_srv_tell(sync);
		all = rmr_srv_announce(sync);
	}
	look(sync, &s);
	report(sync, &s, all);
	if (!READ_ONCE(sync->stopping))
		queue_delayed_work(sync_wq, &sync->tick, msecs_to_jiffies(all ? 1000 : 100));
}

void rmr_srv_sync_kick(struct rmr_srv_pool *pool)
{
	if (pool->sync && !READ_ONCE(pool->sync->stopping))
		mod_delayed_work(sync_wq, &pool->sync->tick, 0);
}

void rmr_srv_sync_alive(struct rmr_srv_pool *pool, struct rmr_rsp_keepalive *rsp)
{
	struct rmr_srv_sync *sync = pool->sync;
	u8 state = READ_ONCE(sync->state);

	rsp->copied = cpu_to_le64(READ_ONCE(sync->copied));
	if (state == RMR_RESYNC_STATE_STALLED)
		rsp->flags |= RMR_ALIVE_F_STALLED;
	if (state == RMR_RESYNC_STATE_PAUSED)
		rsp->flags |= RMR_ALIVE_F_PAUSED;
}

/* Figures for the control interface. Caller: pool->lock. */
void rmr_srv_sync_info(struct rmr_srv_pool *pool, struct rmr_pool_info *info)
{
	struct rmr_srv_sync *sync = pool->sync;
	unsigned long flags;
	unsigned int i;
	u64 speed;

	if (!sync)
		return;
	spin_lock_irqsave(&sync->lock, flags);
	info->resync_state = sync->state;
	info->resync_reason = sync->reason;
	info->resync_copied = sync->copied;
	speed = sync->speed;
	info->resync_rate = speed;
	info->resync_allowed = sync->rate == RMR_RATE_MAX ? 0 : sync->rate;
	info->resync_limit = sync->limits.ceiling;
	info->resync_floor = sync->limits.floor;
	info->resync_target_ns = sync->limits.target_ns;
	info->resync_latency_ns = sync->latency_ns;
	info->resync_pace = pace_shown(sync);
	info->resync_digest = sync->digest;
	info->resync_equal = sync->equal;
	for (i = 0; i < RMR_MAX_MEMBERS; i++)
		info->member[i].copied = sync->copied_from[i];
	info->resync_failures = sync->bad_total;
	info->resync_total = sync->chunks_total;
	spin_unlock_irqrestore(&sync->lock, flags);
	spin_lock_irqsave(&pool->track.lock, flags);
	info->resync_left = pool->track.map_ok ? pool->track.plan.left : 0;
	info->intents = pool->track.intents.chunks.count;
	spin_unlock_irqrestore(&pool->track.lock, flags);
	if (speed)
		info->resync_eta_ms = div64_u64((info->resync_left << pool->track.chunk_shift) *
						1000, speed);
}

void rmr_srv_sync_set(struct rmr_srv_pool *pool, const struct rmr_pool_spec *spec)
{
	struct rmr_srv_sync *sync = pool->sync;
	unsigned long flags;

	spin_lock_irqsave(&sync->lock, flags);
	if (spec->pause >= 0)
		WRITE_ONCE(sync->paused, spec->pause);
	if (spec->digest >= 0)
		WRITE_ONCE(sync->digest, spec->digest);
	if (spec->limit != U64_MAX)
		sync->limits.ceiling = spec->limit;
	if (spec->floor)
		sync->limits.floor = spec->floor;
	if (spec->target_ns)
		sync->limits.target_ns = spec->target_ns;
	sync->control_ns = 0;
	spin_unlock_irqrestore(&sync->lock, flags);
	rmr_srv_sync_kick(pool);
}

int rmr_srv_sync_init(struct rmr_srv_pool *pool)
{
	struct rmr_srv_sync *sync = kzalloc(sizeof(*sync), GFP_KERNEL);
	unsigned int i;
	int err;

	if (!sync)
		return -ENOMEM;
	sync->pool = pool;
	spin_lock_init(&sync->lock);
	INIT_DELAYED_WORK(&sync->tick, tick);
	sync->limits.floor = READ_ONCE(resync_floor);
	sync->limits.target_ns = (u64)READ_ONCE(resync_latency_us) * NSEC_PER_USEC;
	sync->digest = READ_ONCE(resync_digest);
	sync->rate = max(sync->limits.floor, 1ull);
	err = rmr_map_init(&sync->told, pool->track.dirty.chunks, 0, GFP_KERNEL);
	sync->told.transient = true;
	for (i = 0; i < RMR_SYNC_DEPTH_MAX && !err; i++) {
		struct rmr_srv_job *job = &sync->job[i];

		INIT_WORK(&job->work, rmr_srv_copy_work);
		job->sync = sync;
		job->buf = kmalloc(RMR_SYNC_PART + RMR_RESYNC_TAIL, GFP_KERNEL);
		if (!job->buf)
			err = -ENOMEM;
	}
	pool->sync = sync;
	return err;
}

/* The pool gets larger while nothing is copied. */
int rmr_srv_sync_resize(struct rmr_srv_pool *pool, u64 chunks, void **spare)
{
	struct rmr_srv_sync *sync = pool->sync;
	unsigned long flags;
	int err;

	spin_lock_irqsave(&sync->lock, flags);
	err = rmr_map_resize(&sync->told, chunks, spare, GFP_ATOMIC);
	spin_unlock_irqrestore(&sync->lock, flags);
	return err;
}

/* No tick and no copy runs afterwards. */
void rmr_srv_sync_stop(struct rmr_srv_pool *pool)
{
	struct rmr_srv_sync *sync = pool->sync;
	unsigned int i;

	if (!sync)
		return;
	WRITE_ONCE(sync->stopping, true);
	cancel_delayed_work_sync(&sync->tick);
	for (i = 0; i < RMR_SYNC_DEPTH_MAX; i++)
		if (sync->job[i].sync)
			flush_work(&sync->job[i].work);
	cancel_delayed_work_sync(&sync->tick);
	drop_links(sync);
}

void rmr_srv_sync_free(struct rmr_srv_pool *pool)
{
	struct rmr_srv_sync *sync = pool->sync;
	unsigned int i;

	if (!sync)
		return;
	rmr_srv_sync_stop(pool);
	for (i = 0; i < RMR_SYNC_DEPTH_MAX; i++)
		kfree(sync->job[i].buf);
	rmr_map_destroy(&sync->told);
	kfree(sync);
	pool->sync = NULL;
}

int rmr_srv_sync_module_init(void)
{
	int err = rmr_srv_link_module_init();

	if (err)
		return err;
	sync_wq = alloc_workqueue("rmr_srv_sync", WQ_UNBOUND, 0);
	if (sync_wq)
		return 0;
	rmr_srv_link_module_exit();
	return -ENOMEM;
}

void rmr_srv_sync_module_exit(void)
{
	destroy_workqueue(sync_wq);
	rmr_srv_link_module_exit();
}
