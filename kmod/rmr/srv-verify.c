// SPDX-License-Identifier: GPL-2.0-only
/*
 * Verify: a member of U compares digests of its chunks with those of the other members of U, while
 * applications go on, and moves no data (R5.11).
 *
 * A pass goes through all chunks. A block that differs counts only if no write can be the reason,
 * which core/verify.h decides from what both members knew. To know it here, a chunk is watched
 * while it is compared: no write waits for that, one that comes only makes the comparison void if
 * it found a difference. Such a chunk is compared again, at once a few times and then in later
 * rounds; one that never had a quiet moment is told as busy.
 *
 * Repair: chunks whose own copy is the wrong one go into track->wrong. The next keepalives fail, so
 * that the client takes the leg out and back; when it promises again, they are part of its
 * uncertain set, are marked on all others, and are copied as any (R5.1, R5.2, R5.5). A promise to a
 * new client forgets them: there the own copy could become the source (R6.2).
 *
 * Locks: cmd_lock > link_lock; verify->lock > track->lock. Context: process, one work item for each
 * chunk under way. The last job of a pass ends it.
 *
 * End: no start any more (ended) -> jobs see stopping, at the latest after the answer to a peer
 * -> they are flushed -> links are put -> memory. It comes before the end of the track.
 */
#include <linux/delay.h>
#include <linux/ktime.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "srv-sync.h"
#include "srv-verify.h"

static unsigned int verify_depth = 2;
module_param(verify_depth, uint, 0644);
MODULE_PARM_DESC(verify_depth, "chunks that a member compares at once, 1 to 8 (default 2)");

#define TRIES		4u		/* of a part, before the chunk is left for a later round */
#define ROUNDS		8u		/* through what was left */
#define REST_NS		(500 * NSEC_PER_USEC)
#define CONTROL_NS	(250 * NSEC_PER_MSEC)

static struct workqueue_struct *verify_wq;	/* not for memory reclaim */

/* ---- what the track asks and is asked; callers hold track->lock ---- */

/* Whether the member is in U and its copy of a chunk is not to be doubted for another reason. */
bool rmr_srv_verify_steady(const struct rmr_srv_track *t, u64 chunk)
{
	return !t->fresh && !t->attaching && t->map_ok && (t->view.up_to_date & t->self) &&
	       !rmr_map_get(&t->kept, chunk) && !rmr_plan_lacks(&t->plan, chunk);
}

/* A write of chunks first..last has arrived. */
void rmr_srv_verify_written(struct rmr_srv_track *t, u64 first, u64 last)
{
	unsigned int i;

	for (i = 0; i < RMR_VERIFY_DEPTH_MAX; i++)
		if (t->watch[i].used && t->watch[i].chunk >= first && t->watch[i].chunk <= last)
			t->watch[i].written = true;
}

/*
 * A promise; same: to the client that had it. What is wrong here becomes uncertain, and the copy is
 * not to be preferred by anybody; it is copied from those who have it right. Without memory for
 * that it stays as it is, to be found again. The next promise forgets whom it is copied from.
 */
void rmr_srv_verify_promised(struct rmr_srv_track *t, bool same)
{
	u64 chunk;
	u8 bits;

	rmr_map_clear(&t->right, 0, U64_MAX, 0xff, GFP_ATOMIC);
	for (chunk = rmr_map_next(&t->wrong, 0, 0xff, &bits); same && chunk != RMR_NO_CHUNK;
	     chunk = rmr_map_next(&t->wrong, chunk + 1, 0xff, &bits)) {
		if (rmr_map_set(&t->right, chunk, chunk, bits, GFP_ATOMIC) < 0 ||
		    rmr_map_set(&t->kept, chunk, chunk, 1, GFP_ATOMIC) < 0)
			break;
		t->restarted = true;
	}
	rmr_map_clear(&t->wrong, 0, U64_MAX, 0xff, GFP_ATOMIC);
	t->rejoin = false;
}

/* Those of some members that a chunk may be copied from. */
u8 rmr_srv_verify_sources(const struct rmr_srv_track *t, u64 chunk, u8 members)
{
	u8 right = rmr_map_get(&t->right, chunk);

	return right ? members & right : members;
}

static void watch_begin(struct rmr_verify_job *job)
{
	struct rmr_srv_track *t = &job->verify->pool->track;
	struct rmr_verify_facts *f = &job->facts;
	struct rmr_srv_watch *watch = &t->watch[job->watch];
	unsigned long flags;

	spin_lock_irqsave(&t->lock, flags);
	watch->chunk = job->chunk;
	watch->written = false;
	watch->used = true;
	t->watching++;
	job->generation = t->generation;
	f->self = t->id;
	f->view = t->view.number;
	f->quiet = !rmr_window_touches(&t->window, job->chunk);
	f->steady = rmr_srv_verify_steady(t, job->chunk);
	spin_unlock_irqrestore(&t->lock, flags);
}

static void watch_end(struct rmr_verify_job *job)
{
	struct rmr_srv_track *t = &job->verify->pool->track;
	struct rmr_verify_facts *f = &job->facts;
	struct rmr_srv_watch *watch = &t->watch[job->watch];
	unsigned long flags;

	spin_lock_irqsave(&t->lock, flags);
	f->quiet = f->quiet && !watch->written;
	f->steady = f->steady && job->generation == t->generation &&
		    rmr_srv_verify_steady(t, job->chunk);
	f->view_end = t->view.number;
	f->below = t->window.below;
	f->dirty = rmr_map_get(&t->dirty, job->chunk);
	watch->used = false;
	t->watching--;
	spin_unlock_irqrestore(&t->lock, flags);
}

/* ---- pace ---- */

static void sleep_ns(struct rmr_srv_verify *v, u64 ns)
{
	u64 until = ktime_get_ns() + ns, now;

	while ((now = ktime_get_ns()) < until && !READ_ONCE(v->stopping)) {
		if (until - now < 20 * NSEC_PER_MSEC)
			usleep_range(div_u64(until - now, NSEC_PER_USEC) + 1,
				     div_u64(until - now, NSEC_PER_USEC) + 200);
		else
			msleep(min_t(u64, div_u64(until - now, NSEC_PER_MSEC), 100));
	}
}

/* Once in a while: what was reached, and what is allowed by the latency of applications here. */
static void control(struct rmr_srv_verify *v, u64 now)
{
	struct rmr_rate_facts facts = {
		.latency_ns = rmr_srv_latency_ns(&v->pool->track),
		.resting = rmr_srv_share() < 100,
	};

	if (now - v->measured_ns >= NSEC_PER_SEC) {
		v->speed = div64_u64((v->compared - v->compared_before) * 1000,
				     div_u64(now - v->measured_ns, NSEC_PER_MSEC));
		v->compared_before = v->compared;
		v->measured_ns = now;
	}
	if (now - v->control_ns < CONTROL_NS)
		return;
	v->control_ns = now;
	facts.speed = v->speed;
	rmr_rate_step(&v->limits, &facts, &v->rate);
}

static void pace(struct rmr_srv_verify *v, u32 bytes)
{
	u64 now = ktime_get_ns(), at;
	unsigned long flags;

	spin_lock_irqsave(&v->lock, flags);
	v->compared += bytes;
	control(v, now);
	at = max(v->next_ns, now - 50 * NSEC_PER_MSEC);
	v->next_ns = at + div64_u64((u64)bytes * NSEC_PER_SEC, max(v->rate, 1ull));
	spin_unlock_irqrestore(&v->lock, flags);
	if (at > now)
		sleep_ns(v, at - now);
}

/* While applications do I/O, a job works only its share of the time; the floor is kept. */
static void rest(struct rmr_verify_job *job, u64 worked_ns)
{
	struct rmr_srv_verify *v = job->verify;
	u64 begin;

	if (!rmr_srv_latency_ns(&v->pool->track) ||
	    READ_ONCE(v->speed) < READ_ONCE(v->limits.floor)) {
		job->owed_ns = 0;
		return;
	}
	job->owed_ns += rmr_rate_rest_ns(worked_ns, rmr_srv_share());
	while (job->owed_ns > REST_NS && !READ_ONCE(v->stopping)) {
		begin = ktime_get_ns();
		sleep_ns(v, job->owed_ns);
		job->owed_ns -= ktime_get_ns() - begin;
	}
}

/* ---- one chunk ---- */

/* Those of a mask that can be asked now; begins to connect the others. */
static u8 links_ready(struct rmr_srv_verify *v, u8 want)
{
	unsigned int id;
	u8 ready = 0;

	mutex_lock(&v->link_lock);
	for (id = 0; id < RMR_MAX_MEMBERS; id++) {
		if (!(want & BIT(id)))
			continue;
		if (!v->link[id])
			v->link[id] = rmr_srv_link_get(v->pool->sb->member[id].addr[0]);
		if (v->link[id] && rmr_srv_link_ready(v->link[id]))
			ready |= BIT(id);
	}
	mutex_unlock(&v->link_lock);
	return ready;
}

static void set_state(struct rmr_srv_verify *v, u8 state)
{
	struct rmr_srv_pool *pool = v->pool;
	unsigned long flags;
	bool news;

	spin_lock_irqsave(&v->lock, flags);
	news = v->state != state;
	v->state = state;
	spin_unlock_irqrestore(&v->lock, flags);
	if (!news)
		return;
	mutex_lock(&pool->lock);
	rmr_srv_pool_notify(pool);
	mutex_unlock(&pool->lock);
}

/* Waits until there is somebody to compare with. Returns whom, 0 at the end. */
static u8 wait_targets(struct rmr_srv_verify *v)
{
	struct rmr_srv_track *t = &v->pool->track;
	u8 want, all = v->legs & rmr_srv_data_members(v->pool->sb) & ~t->self;
	unsigned long flags;
	bool may;

	while (!READ_ONCE(v->stopping)) {
		spin_lock_irqsave(&t->lock, flags);
		may = !t->fresh && (t->view.up_to_date & t->self);
		want = t->view.up_to_date & all;
		spin_unlock_irqrestore(&t->lock, flags);
		if (may && want && links_ready(v, want) == want) {
			spin_lock_irqsave(&v->lock, flags);
			v->skipped |= all & ~want;
			spin_unlock_irqrestore(&v->lock, flags);
			set_state(v, RMR_VERIFY_STATE_RUNNING);
			return want;
		}
		set_state(v, RMR_VERIFY_STATE_WAITING);
		msleep(100);
	}
	return 0;
}

static void fill_message(struct rmr_verify_job *job, u32 first, u32 count)
{
	struct rmr_srv_pool *pool = job->verify->pool;
	struct rmr_msg_digest *msg = &job->msg;
	unsigned long flags;

	memset(msg, 0, sizeof(*msg));
	rmr_msg_init(&msg->hdr, RMR_MSG_DIGEST, RMR_NO_HANDLE);
	memcpy(msg->pool_uuid, pool->sb->pool_uuid, RMR_UUID_LEN);
	spin_lock_irqsave(&pool->track.lock, flags);
	rmr_epoch_put(&msg->epoch, &pool->track.promised);
	spin_unlock_irqrestore(&pool->track.lock, flags);
	msg->chunk = cpu_to_le64(job->chunk);
	msg->from = pool->id;
	msg->first = cpu_to_le16(first);
	msg->count = cpu_to_le16(count);
	/* One key for all, so that the others' copies can be compared with each other too. */
	get_random_bytes(msg->key, sizeof(msg->key));
}

static int ask(struct rmr_verify_job *job, unsigned int id)
{
	struct rmr_rsp_digest *rsp = job->rsp[id];
	struct rmr_fault fault;
	int err;

	if (!rsp) {
		rsp = kmalloc(sizeof(*rsp), GFP_NOIO);
		if (!rsp)
			return -ENOMEM;
		job->rsp[id] = rsp;
	}
	err = rmr_srv_link_call(job->verify->link[id], &job->msg, sizeof(job->msg), rsp,
				sizeof(*rsp));
	if (!err)
		err = rmr_rsp_digest_check(rsp, sizeof(*rsp), job->chunk, &fault);
	if (!err && (rsp->first != job->msg.first || rsp->count != job->msg.count))
		err = -EPROTO;
	return err;
}

/* The digests of everybody, and what was known around them. */
static int gather(struct rmr_verify_job *job, u8 targets, u32 first, u32 count)
{
	struct rmr_srv_pool *pool = job->verify->pool;
	u64 off = (job->chunk << pool->track.chunk_shift) + (u64)first * RMR_BLOCK_SIZE;
	unsigned int id;
	int err;

	fill_message(job, first, count);
	watch_begin(job);
	err = rmr_srv_digest_read(pool, off, count, job->msg.key, job->own);
	if (!err)
		err = rmr_srv_trigger_chunk(RMR_SRV_POINT_VERIFY, pool->id, job->chunk);
	job->unreadable = err == -EIO;
	for (id = 0; id < RMR_MAX_MEMBERS && !err; id++)
		if (targets & BIT(id))
			err = ask(job, id);
	job->unreadable |= err == -EIO;
	watch_end(job);
	return err;
}

static bool counts(struct rmr_verify_job *job, unsigned int id)
{
	const struct rmr_rsp_digest *rsp = job->rsp[id];
	struct rmr_verify_facts *f = &job->facts;

	f->other = id;
	f->view_other = le64_to_cpu(rsp->view);
	f->newest_other = le64_to_cpu(rsp->newest);
	f->dirty_other = rsp->dirty;
	f->steady_other = rsp->flags & RMR_DIGEST_F_STEADY;
	return rmr_verify_counts(f);
}

/* Those of the targets that have the same bytes of a block as one of them. */
static u8 equal_to(const struct rmr_verify_job *job, u8 targets, unsigned int one, u32 block)
{
	unsigned int id;
	u8 mask = 0;

	for (id = 0; id < RMR_MAX_MEMBERS; id++)
		if ((targets & BIT(id)) &&
		    !memcmp(&job->rsp[id]->digest[block * RMR_DIGEST_LEN],
			    &job->rsp[one]->digest[block * RMR_DIGEST_LEN], RMR_DIGEST_LEN))
			mask |= BIT(id);
	return mask;
}

/*
 * Who has the right bytes of a block that differs here, as the operator wants it decided; 0: the
 * own copy is right, or that is not known. Who was not asked may have anything: of all members,
 * more than half have to agree.
 */
static u8 right_ones(const struct rmr_verify_job *job, u8 targets, u32 block, u8 differs)
{
	u8 group[RMR_MAX_MEMBERS + 1] = { RMR_MAX_MEMBERS }, left = targets, same, best = 0;
	unsigned int id, n, total = hweight8(rmr_srv_data_members(job->verify->pool->sb));

	if (job->verify->from == RMR_FROM_NONE)
		return 0;
	if (job->verify->from != RMR_FROM_MOST)
		return differs & BIT(job->verify->from) ?
			equal_to(job, targets, job->verify->from, block) : 0;
	for (n = 1; left; left &= ~same) {
		id = __ffs(left);
		same = equal_to(job, left, id, block);
		if (hweight8(same) > hweight8(best))
			best = same;
		memset(&group[n], differs & BIT(id) ? id : group[0], hweight8(same));
		n += hweight8(same);
	}
	for (; n < total; n++)
		group[n] = RMR_MAX_MEMBERS + n;
	return rmr_verify_outvoted(group, n) ? best : 0;
}

/* Notes the blocks of a part that differ. -EAGAIN: they may be being written. */
static int judge(struct rmr_verify_job *job, u8 targets, u32 first, u32 count)
{
	u32 i, at;
	unsigned int id;
	u8 differs, right;

	for (i = 0; i < count; i++) {
		at = i * RMR_DIGEST_LEN;
		differs = 0;
		for (id = 0; id < RMR_MAX_MEMBERS; id++)
			if ((targets & BIT(id)) && memcmp(&job->own[at], &job->rsp[id]->digest[at],
							  RMR_DIGEST_LEN))
				differs |= BIT(id);
		for (id = 0; id < RMR_MAX_MEMBERS; id++)
			if ((differs & BIT(id)) && !counts(job, id))
				return -EAGAIN;
		job->differs[first + i] = differs;
		right = differs ? right_ones(job, targets, i, differs) : 0;
		if (right) {
			job->sources &= right;
			job->wrong = true;
		}
	}
	return 0;
}

static int compare_part(struct rmr_verify_job *job, u8 targets, u32 first, u32 count)
{
	struct rmr_srv_verify *v = job->verify;
	int err = -EAGAIN;
	unsigned int i;
	u64 begin;

	for (i = 0; i < TRIES && err; i++) {
		if (i)
			sleep_ns(v, 30 * NSEC_PER_MSEC);
		pace(v, count * RMR_BLOCK_SIZE);
		if (READ_ONCE(v->stopping))
			return -ECANCELED;
		begin = ktime_get_ns();
		err = gather(job, targets, first, count);
		if (!err)
			err = judge(job, targets, first, count);
		rest(job, ktime_get_ns() - begin);
	}
	return err;
}

static u32 blocks_of_chunk(const struct rmr_srv_pool *pool, u64 chunk)
{
	u64 size = READ_ONCE(pool->size), off = chunk << pool->track.chunk_shift;

	/* The pool may have become smaller. */
	return off < size ? min(size - off, 1ull << pool->track.chunk_shift) / RMR_BLOCK_SIZE : 0;
}

/* Adds a block to the list, which has room for some ranges. Caller: verify->lock. */
static void note_block(struct rmr_srv_verify *v, u64 block, u8 members)
{
	struct rmr_verify_range *last = v->ranges ? &v->range[v->ranges - 1] : NULL;

	v->differences++;
	if (last && last->first + last->count == block && last->members == members)
		last->count++;
	else if (v->ranges < RMR_DIFFERENCES)
		v->range[v->ranges++] = (struct rmr_verify_range){ block, 1, members };
}

static void chunk_done(struct rmr_verify_job *job, u32 blocks)
{
	struct rmr_srv_verify *v = job->verify;
	u64 first = (job->chunk << v->pool->track.chunk_shift) / RMR_BLOCK_SIZE;
	unsigned long flags;
	u64 before;
	u32 i;

	spin_lock_irqsave(&v->lock, flags);
	v->left--;
	before = v->differences;
	for (i = 0; i < blocks; i++)
		if (job->differs[i])
			note_block(v, first + i, job->differs[i]);
	/* Without memory, or somebody who has all of it right, it stays, and is found again. */
	if (job->wrong && job->sources)
		rmr_map_set(&v->wrong, job->chunk, job->chunk, job->sources, GFP_ATOMIC);
	before = v->differences - before;
	spin_unlock_irqrestore(&v->lock, flags);
	if (!before)
		return;
	rmr_srv_warn(v->pool, "verify: chunk %llu differs in %llu blocks\n", job->chunk, before);
	mutex_lock(&v->pool->lock);
	rmr_srv_pool_notify(v->pool);
	mutex_unlock(&v->pool->lock);
}

/* Without memory for it the chunk counts as one that was never quiet. */
static void chunk_later(struct rmr_verify_job *job)
{
	struct rmr_srv_verify *v = job->verify;
	unsigned long flags;

	spin_lock_irqsave(&v->lock, flags);
	rmr_map_set(&v->todo, job->chunk, job->chunk, 1, GFP_ATOMIC);
	v->failures += job->unreadable;
	spin_unlock_irqrestore(&v->lock, flags);
}

static void compare_chunk(struct rmr_verify_job *job)
{
	struct rmr_srv_verify *v = job->verify;
	u32 blocks = blocks_of_chunk(v->pool, job->chunk), first, count;
	u8 targets = wait_targets(v);
	int err = targets ? 0 : -ECANCELED;

	job->wrong = false;
	job->sources = 0xff;
	job->unreadable = false;
	for (first = 0; first < blocks && !err; first += count) {
		count = min_t(u32, blocks - first, RMR_DIGESTS);
		err = compare_part(job, targets, first, count);
	}
	if (err)
		chunk_later(job);
	else
		chunk_done(job, blocks);
}

/* ---- a pass ---- */

/* Takes the next chunk. 1: job->chunk, 0: a new round, or no memory now, -1: no more. */
static int next_chunk(struct rmr_srv_verify *v, struct rmr_verify_job *job)
{
	unsigned long flags;
	int ret = 1;
	u8 bits;

	spin_lock_irqsave(&v->lock, flags);
	job->chunk = rmr_map_next(&v->todo, v->cursor, 1, &bits);
	if (job->chunk != RMR_NO_CHUNK) {
		if (rmr_map_clear(&v->todo, job->chunk, job->chunk, 1, GFP_ATOMIC) < 0)
			ret = 0;
		else
			v->cursor = job->chunk + 1;
	} else if (v->round < ROUNDS && rmr_map_any(&v->todo, 1)) {
		v->cursor = 0;
		v->round++;
		ret = 0;
	} else {
		ret = -1;
	}
	spin_unlock_irqrestore(&v->lock, flags);
	return ret;
}

/* Persists when everything was compared with everybody (what was busy is counted, and told). */
static void remember(struct rmr_srv_verify *v)
{
	struct rmr_srv_pool *pool = v->pool;

	mutex_lock(&pool->lock);
	if (!pool->gone && pool->state != RMR_POOL_STATE_FAILED) {
		rmr_srv_sb_begin(pool);
		pool->sb_next->verified = cpu_to_le64(max(ktime_get_real_seconds(), 1));
		pool->sb_next->verify_differences = cpu_to_le64(v->differences);
		rmr_srv_sb_commit(pool);
	}
	mutex_unlock(&pool->lock);
}

/*
 * Has the client take this leg out and back, with the wrong chunks as its uncertain set; not if it
 * is the last one of U, and not if nobody would.
 */
static void repair(struct rmr_srv_verify *v)
{
	struct rmr_srv_track *t = &v->pool->track;
	unsigned long flags;
	u64 chunk, n = 0;
	u8 bits;

	spin_lock_irqsave(&v->lock, flags);
	spin_lock(&t->lock);
	rmr_map_clear(&t->wrong, 0, U64_MAX, 0xff, GFP_ATOMIC);
	for (chunk = rmr_map_next(&v->wrong, 0, 0xff, &bits);
	     chunk != RMR_NO_CHUNK && (t->view.up_to_date & ~t->self) && !t->fresh;
	     chunk = rmr_map_next(&v->wrong, chunk + 1, 0xff, &bits))
		n += rmr_map_set(&t->wrong, chunk, chunk, bits, GFP_ATOMIC) >= 0;
	t->rejoin = n;
	spin_unlock(&t->lock);
	v->repaired = n;
	spin_unlock_irqrestore(&v->lock, flags);
	if (n)
		rmr_srv_info(v->pool, "verify: leaves to come back without %llu chunks\n", n);
}

static void put_links(struct rmr_srv_verify *v)
{
	unsigned int id;

	mutex_lock(&v->link_lock);
	for (id = 0; id < RMR_MAX_MEMBERS; id++) {
		rmr_srv_link_put(v->link[id]);
		v->link[id] = NULL;
	}
	mutex_unlock(&v->link_lock);
}

/* The last job of a pass. */
static void pass_end(struct rmr_srv_verify *v)
{
	u8 others = rmr_srv_data_members(v->pool->sb) & ~BIT(v->pool->id);
	bool whole = !READ_ONCE(v->stopping), all = !(others & ~v->legs) && !v->skipped;

	put_links(v);
	if (whole && v->from != RMR_FROM_NONE)
		repair(v);
	if (whole && all)
		remember(v);
	rmr_srv_info(v->pool, "verify %s: %llu blocks differ, %llu chunks left out\n",
		     whole ? "done" : "stopped", v->differences, v->left);
	set_state(v, whole ? RMR_VERIFY_STATE_DONE : RMR_VERIFY_STATE_STOPPED);
}

static void verify_work(struct work_struct *work)
{
	struct rmr_verify_job *job = container_of(work, struct rmr_verify_job, work);
	struct rmr_srv_verify *v = job->verify;
	int next = 0;

	while (!READ_ONCE(v->stopping) && next >= 0) {
		next = next_chunk(v, job);
		if (next > 0)
			compare_chunk(job);
		else if (!next)
			sleep_ns(v, clamp_t(u64, v->round, 1, 4) * 500 * NSEC_PER_MSEC);
	}
	if (atomic_dec_and_test(&v->running))
		pass_end(v);
}

/* ---- commands ---- */

/* Waits for the jobs and gives their memory back. Caller: cmd_lock. */
static void jobs_end(struct rmr_srv_verify *v)
{
	struct rmr_verify_job *job;
	unsigned int i, id;

	for (i = 0; i < RMR_VERIFY_DEPTH_MAX; i++) {
		job = v->job[i];
		if (!job)
			continue;
		flush_work(&job->work);
		for (id = 0; id < RMR_MAX_MEMBERS; id++)
			kfree(job->rsp[id]);
		kfree(job);
		v->job[i] = NULL;
	}
}

static int jobs_make(struct rmr_srv_verify *v, unsigned int depth)
{
	unsigned int i;

	for (i = 0; i < depth; i++) {
		v->job[i] = kzalloc(sizeof(*v->job[i]), GFP_KERNEL);
		if (!v->job[i])
			return -ENOMEM;
		INIT_WORK(&v->job[i]->work, verify_work);
		v->job[i]->verify = v;
		v->job[i]->watch = i;
	}
	return 0;
}

/* Figures of a new pass. Caller: cmd_lock; no job runs. */
static int reset(struct rmr_srv_verify *v, const struct rmr_pool_spec *spec)
{
	struct rmr_map todo, wrong, old_todo, old_wrong;
	u64 chunks = v->pool->track.dirty.chunks;
	unsigned long flags;
	int err;

	err = rmr_map_init(&todo, chunks, 0, GFP_KERNEL) ?:
	      rmr_map_init(&wrong, chunks, 0, GFP_KERNEL);
	if (err)
		return err;
	todo.transient = true;
	wrong.transient = true;
	err = min(rmr_map_set_all(&todo, 1, GFP_KERNEL), 0);
	spin_lock_irqsave(&v->lock, flags);
	old_todo = v->todo;
	old_wrong = v->wrong;
	v->todo = todo;
	v->wrong = wrong;
	v->cursor = 0;
	v->round = 0;
	v->left = chunks;
	v->legs = spec->legs ?: 0xff;
	v->from = spec->from;
	v->skipped = 0;
	v->failures = 0;
	v->differences = 0;
	v->repaired = 0;
	v->ranges = 0;
	v->compared = 0;
	v->compared_before = 0;
	v->measured_ns = ktime_get_ns();
	v->speed = 0;
	v->limits.ceiling = spec->limit == U64_MAX ? 0 : spec->limit;
	v->limits.floor = v->pool->sync->limits.floor;
	v->limits.target_ns = v->pool->sync->limits.target_ns;
	v->rate = max(v->limits.floor, 1ull);
	v->next_ns = 0;
	v->control_ns = 0;
	v->stopping = false;
	spin_unlock_irqrestore(&v->lock, flags);
	rmr_map_destroy(&old_todo);
	rmr_map_destroy(&old_wrong);
	return err;
}

/* What a start must name rightly. */
static int start_check(struct rmr_srv_pool *pool, const struct rmr_pool_spec *spec,
		       struct netlink_ext_ack *extack)
{
	u8 others = rmr_srv_data_members(pool->sb) & ~BIT(pool->id);

	if (pool->witness || !others) {
		NL_SET_ERR_MSG(extack, "nothing to compare: no other member has data");
		return -EINVAL;
	}
	if (spec->legs & ~others) {
		NL_SET_ERR_MSG(extack, "no such other member with data");
		return -EINVAL;
	}
	if (spec->from == RMR_FROM_NONE)
		return 0;
	if (spec->from == pool->id) {
		NL_SET_ERR_MSG(extack, "a member repairs itself: run it where the wrong copy is");
		return -EINVAL;
	}
	if (spec->from == RMR_FROM_MOST && hweight8(spec->legs ?: others) < 2) {
		NL_SET_ERR_MSG(extack, "two copies have no majority: name whose copy counts");
		return -EINVAL;
	}
	if (spec->from != RMR_FROM_MOST && !((spec->legs ?: others) & BIT(spec->from))) {
		NL_SET_ERR_MSG(extack, "the copy that counts is no other member with data");
		return -EINVAL;
	}
	if (!pool->attach) {
		NL_SET_ERR_MSG(extack, "repair needs a client: map the pool first");
		return -ENOTCONN;
	}
	return 0;
}

static int start(struct rmr_srv_verify *v, const struct rmr_pool_spec *spec,
		 struct netlink_ext_ack *extack)
{
	unsigned int i, depth = clamp(READ_ONCE(verify_depth), 1u, RMR_VERIFY_DEPTH_MAX);
	int err;

	if (v->ended)
		return -ENOENT;
	if (atomic_read(&v->running)) {
		NL_SET_ERR_MSG(extack, "a verify is under way");
		return -EBUSY;
	}
	mutex_lock(&v->pool->lock);
	err = start_check(v->pool, spec, extack);
	mutex_unlock(&v->pool->lock);
	if (err)
		return err;
	jobs_end(v);
	err = reset(v, spec) ?: jobs_make(v, depth);
	if (err) {
		jobs_end(v);
		return err;
	}
	rmr_srv_info(v->pool, "verify started\n");
	set_state(v, RMR_VERIFY_STATE_WAITING);
	atomic_set(&v->running, depth);
	for (i = 0; i < depth; i++)
		queue_work(verify_wq, &v->job[i]->work);
	return 0;
}

int rmr_srv_verify_command(const struct rmr_pool_spec *spec, struct netlink_ext_ack *extack)
{
	struct rmr_srv_pool *pool = rmr_srv_pool_named(spec, extack);
	struct rmr_srv_verify *v;
	int err = 0;

	if (IS_ERR(pool))
		return PTR_ERR(pool);
	v = pool->verify;
	mutex_lock(&v->cmd_lock);
	if (spec->verify) {
		err = start(v, spec, extack);
	} else {
		WRITE_ONCE(v->stopping, true);
		jobs_end(v);
	}
	mutex_unlock(&v->cmd_lock);
	rmr_srv_pool_put(pool);
	return err;
}

/* Lets no pass begin until rmr_srv_verify_let(); false if one is under way. */
bool rmr_srv_verify_hold(struct rmr_srv_pool *pool)
{
	struct rmr_srv_verify *v = pool->verify;

	if (!mutex_trylock(&v->cmd_lock))
		return false;
	if (!atomic_read(&v->running))
		return true;
	mutex_unlock(&v->cmd_lock);
	return false;
}

void rmr_srv_verify_let(struct rmr_srv_pool *pool)
{
	mutex_unlock(&pool->verify->cmd_lock);
}

/* Caller: pool->lock. */
void rmr_srv_verify_info(struct rmr_srv_pool *pool, struct rmr_pool_info *info)
{
	struct rmr_srv_verify *v = pool->verify;
	u64 chunks = pool->track.dirty.chunks, done;
	unsigned long flags;

	info->verified = le64_to_cpu(pool->sb->verified);
	info->verified_differences = le64_to_cpu(pool->sb->verify_differences);
	if (!v)
		return;
	spin_lock_irqsave(&v->lock, flags);
	info->verify_state = v->state;
	if (v->state != RMR_VERIFY_STATE_NONE) {
		info->verify_legs = v->legs & rmr_srv_data_members(pool->sb) & ~BIT(pool->id);
		info->verify_skipped = v->skipped;
		info->verify_total = pool->size;
		done = (chunks - min(v->left, chunks)) << pool->track.chunk_shift;
		info->verify_done = min(done, pool->size);
	}
	if (v->state == RMR_VERIFY_STATE_DONE)
		info->verify_busy = v->left;
	if (v->state == RMR_VERIFY_STATE_RUNNING) {
		info->verify_rate = v->speed;
		if (v->speed)
			info->verify_eta_ms = div64_u64((pool->size - info->verify_done) * 1000,
							v->speed);
	}
	info->verify_limit = v->limits.ceiling;
	info->verify_differences = v->differences;
	info->verify_failures = v->failures;
	info->verify_repaired = v->repaired;
	spin_unlock_irqrestore(&v->lock, flags);
}

int rmr_srv_verify_difference(struct rmr_srv_pool *pool, unsigned int i,
			      struct rmr_difference_info *info)
{
	struct rmr_srv_verify *v = pool->verify;
	unsigned long flags;
	int err = -ENOENT;

	memset(info, 0, sizeof(*info));
	strscpy(info->name, pool->name, sizeof(info->name));
	info->member_id = pool->id;
	spin_lock_irqsave(&v->lock, flags);
	if (i < v->ranges) {
		info->offset = v->range[i].first * RMR_BLOCK_SIZE;
		info->length = v->range[i].count * RMR_BLOCK_SIZE;
		info->members = v->range[i].members;
		err = 0;
	}
	spin_unlock_irqrestore(&v->lock, flags);
	return err;
}

/* ---- life time ---- */

int rmr_srv_verify_init(struct rmr_srv_pool *pool)
{
	struct rmr_srv_verify *v = kzalloc(sizeof(*v), GFP_KERNEL);

	if (!v)
		return -ENOMEM;
	v->pool = pool;
	v->from = RMR_FROM_NONE;
	mutex_init(&v->cmd_lock);
	mutex_init(&v->link_lock);
	spin_lock_init(&v->lock);
	pool->verify = v;
	return 0;
}

/* No job runs afterwards, and none starts. */
void rmr_srv_verify_stop(struct rmr_srv_pool *pool)
{
	struct rmr_srv_verify *v = pool->verify;

	if (!v)
		return;
	mutex_lock(&v->cmd_lock);
	v->ended = true;
	WRITE_ONCE(v->stopping, true);
	jobs_end(v);
	mutex_unlock(&v->cmd_lock);
}

void rmr_srv_verify_free(struct rmr_srv_pool *pool)
{
	struct rmr_srv_verify *v = pool->verify;

	if (!v)
		return;
	rmr_srv_verify_stop(pool);
	rmr_map_destroy(&v->todo);
	rmr_map_destroy(&v->wrong);
	mutex_destroy(&v->link_lock);
	mutex_destroy(&v->cmd_lock);
	kfree(v);
	pool->verify = NULL;
}

int rmr_srv_verify_module_init(void)
{
	verify_wq = alloc_workqueue("rmr_srv_verify", WQ_UNBOUND, 0);
	return verify_wq ? 0 : -ENOMEM;
}

void rmr_srv_verify_module_exit(void)
{
	destroy_workqueue(verify_wq);
}
