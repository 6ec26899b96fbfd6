// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a member does about errors of its disk (R3.10): a second try of a write, the error budget,
 * leaving, a disk that does not answer.
 *
 * A write that the disk failed, zeros and discards too, is tried once more, a moment later and data
 * in blocks, by a work item; then it is missed. Errors are counted by place (core/errs.h). With the
 * policy "detach" a member whose budget is spent leaves: it answers every request with RMR_ST_LEFT,
 * is no source, keeps what it knows of itself and others in memory and on disk, and says in its
 * superblock that it left, if that still can be written. An operator lets it return. The last leg
 * of U does not leave: a bad copy is better than none.
 *
 * A disk that has not answered a request for disk_deadline_ms hangs: from then on every message is
 * refused with RMR_ST_HUNG, so that the client ejects the leg and asks others, until the disk has
 * answered all that is late. The late request itself is answered by the end of its session alone:
 * the disk may still write into its buffer, so nobody may use that before.
 *
 * Requests at the disk are counted by the time they were sent, in a ring of slots, so that their
 * age is known without a list of them.
 *
 * Locks: disk->lock (spinlock, any context) for the budget; pool->lock for leaving and returning.
 */
#include <linux/delay.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "srv-pri.h"

#define RETRY_MS	20u		/* before the second try */
#define RETRIES		32		/* second tries of a pool at once */
/* Places that are none of the data area, each error its own. */
#define PLACE_NONE	BIT_ULL(63)

static uint disk_deadline_ms = 3000;
module_param(disk_deadline_ms, uint, 0644);
MODULE_PARM_DESC(disk_deadline_ms,
		 "a disk that does not answer for so long hangs (default 3000, 0: none)");

static u64 now_ms(void)
{
	return div_u64(ktime_get_ns(), NSEC_PER_MSEC);
}

/* ---- state ---- */

/* 0, or the status that every message to this member is refused with. */
int rmr_srv_disk_refuses(const struct rmr_srv_pool *pool)
{
	if (READ_ONCE(pool->disk.left))
		return RMR_ST_LEFT;
	return READ_ONCE(pool->disk.hung_ns) ? RMR_ST_HUNG : 0;
}

bool rmr_srv_disk_hangs(const struct rmr_srv_pool *pool)
{
	return READ_ONCE(pool->disk.hung_ns);
}

/* Takes pool->lock; -EBUSY if its holder waits for a disk that hangs. */
int rmr_srv_disk_lock(struct rmr_srv_pool *pool)
{
	while (!mutex_trylock(&pool->lock)) {
		if (rmr_srv_disk_hangs(pool))
			return -EBUSY;
		msleep(20);
	}
	return 0;
}

/* Caller: pool->lock. */
static void leave(struct rmr_srv_pool *pool)
{
	u32 flags = le32_to_cpu(pool->sb->flags) | RMR_SB_F_LEFT;

	lockdep_assert_held(&pool->lock);
	WRITE_ONCE(pool->disk.left, true);
	rmr_srv_warn(pool, "disk %s failed at %u places: the member leaves\n", pool->device,
		     READ_ONCE(pool->disk.errs.count));
	rmr_srv_pool_state(pool, RMR_POOL_STATE_FAILED, RMR_REASON_STORE_ERROR);
	rmr_srv_track_silence(pool);
	rmr_srv_sb_begin(pool);
	pool->sb_next->flags = cpu_to_le32(flags);
	/* If it cannot be written, the next assembly does not know; the disk then fails again. */
	rmr_srv_sb_commit(pool);
	rmr_srv_pool_notify(pool);
}

/* Is this member all that serves the pool? */
static bool is_last(struct rmr_srv_pool *pool)
{
	unsigned long flags;
	bool last;

	spin_lock_irqsave(&pool->track.lock, flags);
	last = pool->track.view.up_to_date == pool->track.self;
	spin_unlock_irqrestore(&pool->track.lock, flags);
	return last;
}

static void leave_work(struct work_struct *work)
{
	struct rmr_srv_pool *pool = container_of(work, struct rmr_srv_pool, disk.leave_work);

	mutex_lock(&pool->lock);
	if (READ_ONCE(pool->track.broken))
		rmr_srv_pool_state(pool, RMR_POOL_STATE_FAILED, RMR_REASON_STORE_ERROR);
	if (!pool->gone && !pool->disk.left && pool->disk.policy == RMR_SB_DETACH &&
	    READ_ONCE(pool->disk.errs.state) == RMR_ERRS_SPENT && !is_last(pool))
		leave(pool);
	mutex_unlock(&pool->lock);
}

/* The map cannot be written any more: the pool has failed, as by its superblock. Any context. */
void rmr_srv_disk_broken(struct rmr_srv_pool *pool)
{
	queue_work(system_unbound_wq, &pool->disk.leave_work);
}

/* A request failed at a place. Any context. */
static void note_error(struct rmr_srv_pool *pool, u64 place)
{
	struct rmr_srv_disk *disk = &pool->disk;
	unsigned long flags;
	bool spent;

	if (READ_ONCE(disk->policy) == RMR_SB_PASS_ON)
		return;
	spin_lock_irqsave(&disk->lock, flags);
	rmr_errs_failed(&disk->errs, place == PLACE_NONE ? place + disk->others++ : place,
			now_ms());
	spent = disk->errs.state == RMR_ERRS_SPENT;
	spin_unlock_irqrestore(&disk->lock, flags);
	/* Not only the first time: it may have been the last leg of U until now. */
	if (spent && READ_ONCE(disk->policy) == RMR_SB_DETACH && !READ_ONCE(disk->left))
		queue_work(system_unbound_wq, &disk->leave_work);
}

/* ---- the second try ---- */

/* The io of the store is gone when its end was told, so the try has its own. */
struct retry {
	struct work_struct	work;
	struct rmr_srv_pool	*pool;
	struct rmr_store_io	io;
};

/* Data in blocks, so that what the disk can take is taken; zeros, which may be many, at once. */
static int write_again(struct rmr_srv_pool *pool, const struct rmr_store_io *io)
{
	u32 at, n;
	int err = 0;

	if (io->op != RMR_OP_WRITE)
		err = rmr_srv_store_rw(pool, io->op, io->offset, NULL, io->length);
	for (at = 0; io->op == RMR_OP_WRITE && at < io->length && !err; at += n) {
		n = RMR_BLOCK_SIZE - ((io->offset + at) & (RMR_BLOCK_SIZE - 1));
		n = min(n, io->length - at);
		err = rmr_srv_store_rw(pool, RMR_OP_WRITE, io->offset + at, io->data + at, n);
	}
	if (!err && (io->flags & RMR_IO_F_FUA))
		err = pool->ops->flush(pool->store);
	return err;
}

static void retry_work(struct work_struct *work)
{
	struct retry *retry = container_of(work, struct retry, work);
	struct rmr_srv_pool *pool = retry->pool;
	struct rmr_store_io *io = &retry->io;
	int err;

	msleep(RETRY_MS);
	err = rmr_srv_trigger_io(RMR_SRV_POINT_DISK, pool->id, io->op, io->first, io->last);
	if (!err)
		err = write_again(pool, io);
	if (!err)
		this_cpu_inc(pool->stats->write_retries);
	atomic_dec(&pool->disk.retrying);
	rmr_srv_io_end(pool, io, err);
	kfree(retry);
}

/*
 * The disk failed a request of a client. True: it is tried again, and ends later; a read is
 * tried elsewhere, a flush is not: what it lost is not known. Any context.
 */
bool rmr_srv_disk_failed(struct rmr_srv_pool *pool, const struct rmr_store_io *io)
{
	struct rmr_srv_disk *disk = &pool->disk;
	struct retry *retry = NULL;

	if (io->op == RMR_OP_READ)
		this_cpu_inc(pool->stats->read_errors);
	else
		this_cpu_inc(pool->stats->write_errors);
	note_error(pool, io->op == RMR_OP_FLUSH ? PLACE_NONE : io->offset >> RMR_ERRS_PLACE_SHIFT);
	if (io->op == RMR_OP_READ || io->op == RMR_OP_FLUSH ||
	    READ_ONCE(disk->policy) == RMR_SB_PASS_ON)
		return false;
	if (atomic_inc_return(&disk->retrying) <= RETRIES)
		retry = kmalloc(sizeof(*retry), GFP_ATOMIC | __GFP_NOWARN);
	if (!retry) {
		atomic_dec(&disk->retrying);
		return false;
	}
	INIT_WORK(&retry->work, retry_work);
	retry->pool = pool;
	retry->io = *io;
	queue_work(system_unbound_wq, &retry->work);
	return true;
}

/* What a failed read is answered with. */
int rmr_srv_disk_status(const struct rmr_srv_pool *pool, const struct rmr_store_io *io)
{
	if (io->op == RMR_OP_READ && READ_ONCE(pool->disk.policy) == RMR_SB_PASS_ON)
		return RMR_ST_PASSED_ON;
	/* One error for all, as some errno have a meaning of their own on the wire. */
	return -EIO;
}

/* ---- a disk that does not answer ---- */

void rmr_srv_disk_sent(struct rmr_srv_pool *pool, struct rmr_store_io *io)
{
	io->slot = READ_ONCE(pool->disk.slot);
	this_cpu_inc(pool->stats->at_disk[io->slot]);
}

void rmr_srv_disk_answered(struct rmr_srv_pool *pool, const struct rmr_store_io *io)
{
	this_cpu_dec(pool->stats->at_disk[io->slot]);
}

static s64 at_disk(struct rmr_srv_pool *pool, unsigned int slot)
{
	s64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(pool->stats, cpu)->at_disk[slot]);
	return sum;
}

/* Least age of the oldest request at the disk; 0: none, or it came just now. */
static u64 oldest_ns(struct rmr_srv_pool *pool, u64 now)
{
	struct rmr_srv_disk *disk = &pool->disk;
	unsigned int i, slot;

	for (i = 1; i < RMR_DISK_SLOTS; i++) {
		slot = (disk->slot + i) % RMR_DISK_SLOTS;
		if (at_disk(pool, slot) > 0)
			return now - disk->slot_ns[(slot + 1) % RMR_DISK_SLOTS];
	}
	return 0;
}

static void set_hung(struct rmr_srv_pool *pool, u64 since_ns)
{
	struct rmr_srv_disk *disk = &pool->disk;
	bool was = disk->hung_ns;

	WRITE_ONCE(disk->hung_ns, since_ns);
	if (was == !!since_ns)
		return;
	rmr_srv_warn(pool, "disk %s %s\n", pool->device,
		     since_ns ? "does not answer" : "answers again");
	if (since_ns)
		note_error(pool, PLACE_NONE);
}

static void tick_work(struct work_struct *work)
{
	struct rmr_srv_pool *pool = container_of(to_delayed_work(work), struct rmr_srv_pool,
						 disk.tick);
	struct rmr_srv_disk *disk = &pool->disk;
	u64 deadline_ns = (u64)READ_ONCE(disk_deadline_ms) * NSEC_PER_MSEC, now = ktime_get_ns();
	unsigned int next = (disk->slot + 1) % RMR_DISK_SLOTS;
	u64 age;

	/* A slot that is not empty yet is not used anew. */
	if (at_disk(pool, next) <= 0) {
		disk->slot_ns[next] = now;
		WRITE_ONCE(disk->slot, next);
	}
	age = deadline_ns ? oldest_ns(pool, now) : 0;
	set_hung(pool, age && age >= deadline_ns ? now - age : 0);
	spin_lock_irq(&disk->lock);
	rmr_errs_pass(&disk->errs, now_ms());
	spin_unlock_irq(&disk->lock);
	queue_delayed_work(system_unbound_wq, &disk->tick,
			   nsecs_to_jiffies(deadline_ns / (RMR_DISK_SLOTS - 4)) ?: HZ);
}

/* ---- life time, command, show ---- */

/* The superblock is known; nothing uses the pool yet. */
void rmr_srv_disk_init(struct rmr_srv_pool *pool)
{
	struct rmr_srv_disk *disk = &pool->disk;

	spin_lock_init(&disk->lock);
	INIT_WORK(&disk->leave_work, leave_work);
	INIT_DELAYED_WORK(&disk->tick, tick_work);
	disk->policy = pool->sb->on_error;
	disk->left = le32_to_cpu(pool->sb->flags) & RMR_SB_F_LEFT;
	if (!disk->left)
		return;
	pool->state = RMR_POOL_STATE_FAILED;
	pool->reason = RMR_REASON_STORE_ERROR;
}

void rmr_srv_disk_start(struct rmr_srv_pool *pool)
{
	queue_delayed_work(system_unbound_wq, &pool->disk.tick, 0);
}

/* No request of a client is left. */
void rmr_srv_disk_stop(struct rmr_srv_pool *pool)
{
	cancel_delayed_work_sync(&pool->disk.tick);
	cancel_work_sync(&pool->disk.leave_work);
}

/* A member that left may be asked again; its errors are forgotten. Caller: pool->lock. */
static int disk_return(struct rmr_srv_pool *pool, struct netlink_ext_ack *extack)
{
	struct rmr_srv_disk *disk = &pool->disk;
	u32 flags = le32_to_cpu(pool->sb->flags) & ~RMR_SB_F_LEFT;
	int err;

	rmr_srv_sb_begin(pool);
	pool->sb_next->flags = cpu_to_le32(flags);
	err = rmr_srv_sb_commit(pool);
	if (err) {
		NL_SET_ERR_MSG_FMT(extack, "disk %s does not take the superblock: error %d",
				   pool->device, err);
		return err;
	}
	spin_lock_irq(&disk->lock);
	rmr_errs_forgive(&disk->errs);
	spin_unlock_irq(&disk->lock);
	if (!disk->left)
		return 0;
	WRITE_ONCE(disk->left, false);
	rmr_srv_pool_state(pool, pool->attach ? RMR_POOL_STATE_ATTACHED : RMR_POOL_STATE_IDLE,
			   RMR_REASON_NONE);
	return 0;
}

static int disk_policy(struct rmr_srv_pool *pool, u8 policy, struct netlink_ext_ack *extack)
{
	int err;

	rmr_srv_sb_begin(pool);
	pool->sb_next->on_error = policy;
	err = rmr_srv_sb_commit(pool);
	if (err) {
		NL_SET_ERR_MSG_FMT(extack, "cannot write the superblock: error %d", err);
		return err;
	}
	WRITE_ONCE(pool->disk.policy, policy);
	rmr_srv_pool_notify(pool);
	return 0;
}

/* By command: another policy, or the return of a member that left. */
int rmr_srv_disk_command(struct rmr_srv_pool *pool, const struct rmr_pool_spec *spec,
			 struct netlink_ext_ack *extack)
{
	int err = 0;

	if (pool->witness) {
		NL_SET_ERR_MSG(extack, "this member is a witness: it has no data");
		return -EOPNOTSUPP;
	}
	if (rmr_srv_disk_lock(pool)) {
		NL_SET_ERR_MSG_FMT(extack, "disk %s does not answer", pool->device);
		return -ETIMEDOUT;
	}
	if (spec->on_error >= 0)
		err = disk_policy(pool, spec->on_error, extack);
	if (!err && spec->disk_return)
		err = disk_return(pool, extack);
	mutex_unlock(&pool->lock);
	return err;
}

void rmr_srv_disk_info(struct rmr_srv_pool *pool, struct rmr_pool_info *info)
{
	u64 hung_ns = READ_ONCE(pool->disk.hung_ns);
	int cpu;

	info->on_error = READ_ONCE(pool->disk.policy);
	info->left = READ_ONCE(pool->disk.left);
	info->disk_errors = READ_ONCE(pool->disk.errs.count);
	if (hung_ns)
		info->hung_ms = max_t(u64, 1, div_u64(ktime_get_ns() - hung_ns, NSEC_PER_MSEC));
	for_each_possible_cpu(cpu) {
		const struct rmr_srv_stats *s = per_cpu_ptr(pool->stats, cpu);

		info->read_errors += s->read_errors;
		info->write_errors += s->write_errors;
		info->write_retries += s->write_retries;
		info->bad_data += s->bad_data;
	}
}
