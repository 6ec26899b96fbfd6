// SPDX-License-Identifier: GPL-2.0-only
/*
 * rmr_client.ko: pools of a client from open to close, what is shown of them, commands for legs.
 *
 * Locks: ctl_lock for everything that changes legs; pool->lock for what is shown.
 *
 * End of a pool: no request is left -> closing set, which ends waits of attach -> controller and
 * attach cancelled -> detach -> links dropped. The rest needs time if a node is dead, so it is left
 * to a work item: legs' workers end -> the last link goes -> freed.
 */
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/utsname.h>
#include <linux/uuid.h>

#include "clt-pri.h"

#define OPEN_TRIES	3		/* a leg may fail while the pool is attached */

struct workqueue_struct *rmr_clt_wq;
/* Opens and closes sessions, which no memory reserve backs: not for WQ_MEM_RECLAIM. */
struct workqueue_struct *rmr_clt_recover_wq;

/* ---- open ---- */

/* Every limit that holds on all legs that are there. */
void rmr_clt_common_limits(struct rmr_clt_pool *pool)
{
	struct rmr_clt_limits *l = &pool->limits;
	struct rmr_limits_le *s = &l->store;
	unsigned int i;

	for (i = 0; i < pool->nr_legs; i++) {
		struct rmr_clt_link *link = rmr_clt_leg_link(&pool->leg[i]);
		const struct rmr_limits_le *m;
		const struct rmr_tp_attrs *a;

		if (!link || rmr_clt_leg_votes_only(&pool->leg[i]))
			continue;
		a = &link->sess->conn.attrs;
		m = &link->limits;
		if (!l->max_io) {
			*s = *m;
			l->max_io = a->max_io;
			l->max_segments = a->max_segments;
			l->queue_depth = a->queue_depth;
			continue;
		}
		rmr_limits_narrow(s, m);
		l->max_io = min(l->max_io, a->max_io);
		l->max_segments = min(l->max_segments, a->max_segments);
		l->queue_depth = min(l->queue_depth, a->queue_depth);
	}
}

/* What is known of the members before they are asked themselves. */
static void table_learn(struct rmr_clt_pool *pool, const struct rmr_rsp_pool *rsp)
{
	pool->quorum = le32_to_cpu(rsp->sb_flags) & RMR_SB_F_QUORUM;
	pool->data_crc = le32_to_cpu(rsp->sb_flags) & RMR_SB_F_DATA_CRC;
	pool->voters.quorum = pool->quorum;
	mutex_lock(&pool->ctl_lock);
	memcpy(pool->table.slot, rsp->member, sizeof(rsp->member));
	rmr_clt_legs_follow(pool);
	mutex_unlock(&pool->ctl_lock);
}

/*
 * Asks a member. The session may be of a pool that is mapped already, to a node that has restarted
 * since: it is dead then, and a new one answers.
 */
static int pool_ask(struct rmr_clt_pool *pool, const struct rmr_device_spec *spec,
		    const char *addr, struct rmr_rsp_pool *rsp)
{
	unsigned int tries = 2;
	struct rmr_clt_sess *sess;
	bool lost;
	int err;

	do {
		sess = rmr_clt_sess_get(pool->transport, addr, pool->port, pool->node);
		if (IS_ERR(sess))
			return PTR_ERR(sess);
		err = rmr_conn_pool_info(&sess->conn, spec->name, NULL, rsp);
		lost = err && rmr_clt_status_reason(err) == RMR_REASON_LINK_LOST;
		if (lost)
			rmr_clt_sess_kill(sess, RMR_REASON_LINK_LOST);
		rmr_clt_sess_put(sess);
	} while (lost && --tries);
	return err;
}

/* Fills the pool and its legs from the first member that answers. */
static int pool_learn(struct rmr_clt_pool *pool, const struct rmr_device_spec *spec,
		      struct rmr_rsp_pool *rsp, struct netlink_ext_ack *extack)
{
	int err = -EINVAL;
	unsigned int i;

	for (i = 0; i < spec->addr_cnt; i++) {
		err = pool_ask(pool, spec, spec->addr[i], rsp);
		if (!err)
			break;
		NL_SET_ERR_MSG_FMT(extack, "%.39s: %s (%d)", spec->addr[i],
				   rmr_clt_status_text(err), err);
	}
	if (err)
		return err;
	if (spec->uuid && memcmp(spec->uuid, rsp->pool_uuid, RMR_UUID_LEN)) {
		NL_SET_ERR_MSG_FMT(extack, "pool %.40s has another UUID", spec->name);
		return -EMEDIUMTYPE;
	}
	memcpy(pool->uuid, rsp->pool_uuid, RMR_UUID_LEN);
	pool->limits.size = le64_to_cpu(rsp->pool_size);
	pool->limits.chunk_size = le32_to_cpu(rsp->chunk_size);
	table_learn(pool, rsp);
	return 0;
}

static void pool_free(struct rmr_clt_pool *pool)
{
	unsigned int i;

	rmr_clt_repair_free(pool);
	rmr_clt_bounce_free(pool);
	rmr_clt_stat_free(pool);
	for (i = 0; i < RMR_MAX_MEMBERS; i++)
		free_percpu(pool->leg[i].stats);
	free_percpu(pool->stats);
	mutex_destroy(&pool->ctl_lock);
	kvfree(pool);
}

/* Waits for what needs time when a node is dead: connecting, closing of sessions. */
static void free_work(struct work_struct *work)
{
	struct rmr_clt_pool *pool = container_of(work, struct rmr_clt_pool, free);

	rmr_clt_legs_stop(pool);
	/* Calls whose session is being closed; the last touch of a link is this count. */
	while (atomic_read(&pool->links))
		msleep(20);
	cancel_delayed_work_sync(&pool->ctl);
	cancel_work_sync(&pool->kick);
	cancel_work_sync(&pool->notify);
	pool_free(pool);
}

/* Ends a pool that serves nothing any more. It is freed later. */
static void pool_end(struct rmr_clt_pool *pool)
{
	unsigned int i;

	WRITE_ONCE(pool->closing, true);
	wake_up(&pool->ctl_wait);
	mutex_lock(&pool->ctl_lock);
	for (i = 0; i < pool->nr_legs; i++)
		rmr_clt_drop_link(&pool->leg[i]);
	mutex_unlock(&pool->ctl_lock);
	cancel_work_sync(&pool->notify);
	queue_work(rmr_clt_recover_wq, &pool->free);
}

static struct rmr_clt_pool *pool_alloc(const struct rmr_device_spec *spec)
{
	struct rmr_clt_pool *pool = kvzalloc(sizeof(*pool), GFP_KERNEL);
	unsigned int i;
	bool ok;

	if (!pool)
		return NULL;
	rmr_clt_io_init(pool);
	rmr_clt_ctl_init(pool);
	INIT_DELAYED_WORK(&pool->attach, rmr_clt_attach_work);
	INIT_WORK(&pool->free, free_work);
	pool->state = RMR_DEVICE_STATE_ATTACHING;
	pool->stall_ms = spec->stall_ms;
	pool->suspend_ms = spec->suspend_ms;
	pool->port = spec->port;
	pool->forcing = spec->force;
	rmr_lineage_new(pool->new_lineage);
	do {
		pool->client_id = get_random_u64();
	} while (!pool->client_id);
	strscpy(pool->name, spec->name, sizeof(pool->name));
	strscpy(pool->transport, spec->transport, sizeof(pool->transport));
	pool->nr_legs = RMR_MAX_MEMBERS;
	rmr_node_name(pool->node, spec->node ?: init_utsname()->nodename);
	pool->stats = alloc_percpu(struct rmr_io_stats);
	ok = pool->stats && !rmr_clt_stat_alloc(pool);
	for (i = 0; i < RMR_MAX_MEMBERS; i++) {
		struct rmr_clt_leg *leg = &pool->leg[i];

		leg->pool = pool;
		leg->id = i;
		rmr_clt_leg_init(leg);
		leg->stats = alloc_percpu(struct rmr_io_stats);
		ok = ok && leg->stats;
	}
	if (ok)
		return pool;
	pool_free(pool);
	return NULL;
}

/* Attaches; a leg that fails meanwhile is a reason to start over, without it (R2.7). */
static int pool_attach(struct rmr_clt_pool *pool, bool takeover, struct rmr_clt_refusal *why)
{
	unsigned int i;
	int err = 0;

	mutex_lock(&pool->ctl_lock);
	for (i = 0; i < OPEN_TRIES; i++) {
		err = rmr_clt_attach(pool, takeover, why);
		/* A reset: the node took us for what we were before a restart. */
		if (err != -ECONNABORTED && err != -ECONNRESET && err != -ETIMEDOUT &&
		    err != RMR_ST_FENCED)
			break;
	}
	/* Nothing was written: members that promised are free again, as clean as they were. */
	if (err)
		rmr_clt_detach(pool, false);
	mutex_unlock(&pool->ctl_lock);
	return err;
}

struct rmr_clt_pool *rmr_clt_open(const struct rmr_device_spec *spec,
				  const struct rmr_clt_pool_ops *ops, void *priv,
				  struct netlink_ext_ack *extack)
{
	struct rmr_clt_pool *pool = pool_alloc(spec);
	struct rmr_rsp_pool *rsp = kzalloc(sizeof(*rsp), GFP_KERNEL);
	struct rmr_clt_refusal why = { .extack = extack };
	int err = -ENOMEM;

	if (!pool || !rsp)
		goto fail;
	err = pool_learn(pool, spec, rsp, extack);
	if (err)
		goto fail;
	pool->ops = ops;
	pool->priv = priv;
	err = pool_attach(pool, spec->takeover, &why);
	if (err)
		goto fail;
	if (pool->data_crc)
		err = rmr_clt_bounce_alloc(pool);
	if (err) {
		rmr_clt_close(pool);
		pool = NULL;
		goto fail;
	}
	/* Without memory for it there is no repair, and that is counted. */
	if (rmr_clt_repair_alloc(pool))
		rmr_clt_warn(pool, "no memory for read repair\n");
	kfree(rsp);
	return pool;
fail:
	if (pool)
		pool_end(pool);
	kfree(rsp);
	return ERR_PTR(err);
}
EXPORT_SYMBOL_GPL(rmr_clt_open);

const struct rmr_clt_limits *rmr_clt_limits(struct rmr_clt_pool *pool)
{
	return &pool->limits;
}
EXPORT_SYMBOL_GPL(rmr_clt_limits);

bool rmr_clt_is_live(struct rmr_clt_pool *pool)
{
	return READ_ONCE(pool->state) == RMR_DEVICE_STATE_LIVE;
}
EXPORT_SYMBOL_GPL(rmr_clt_is_live);

/* ---- close ---- */

void rmr_clt_abort(struct rmr_clt_pool *pool)
{
	rmr_clt_fail_queued(pool, true);
}
EXPORT_SYMBOL_GPL(rmr_clt_abort);

/* A view under way, as of a leg that just returns, is no reason to leave the pool unclean. */
static void wait_settled(struct rmr_clt_pool *pool)
{
	unsigned long end = jiffies + msecs_to_jiffies(2 * pool->stall_ms);

	while (rmr_clt_is_live(pool) && !READ_ONCE(pool->settled) && time_before(jiffies, end))
		msleep(20);
}

int rmr_clt_close(struct rmr_clt_pool *pool)
{
	int err = -EUCLEAN;
	bool live;

	rmr_clt_repair_stop(pool);
	wait_event(pool->idle, !READ_ONCE(pool->inflight));
	if (!READ_ONCE(pool->aborted))
		wait_settled(pool);
	WRITE_ONCE(pool->closing, true);
	wake_up(&pool->ctl_wait);
	cancel_delayed_work_sync(&pool->attach);
	mutex_lock(&pool->ctl_lock);
	spin_lock_irq(&pool->lock);
	live = pool->state == RMR_DEVICE_STATE_LIVE && !pool->aborted && pool->settled;
	WRITE_ONCE(pool->state, RMR_DEVICE_STATE_DETACHING);
	spin_unlock_irq(&pool->lock);
	cancel_delayed_work(&pool->ctl);
	if (live)
		err = rmr_clt_detach(pool, true);
	mutex_unlock(&pool->ctl_lock);
	rmr_clt_info(pool, "detached%s\n", err ? ", not cleanly" : "");
	pool_end(pool);
	return err;
}
EXPORT_SYMBOL_GPL(rmr_clt_close);

/* ---- commands for legs ---- */

static struct rmr_clt_leg *leg_find(struct rmr_clt_pool *pool, unsigned int id,
				    struct netlink_ext_ack *extack)
{
	if (id < RMR_MAX_MEMBERS && rmr_clt_leg_used(&pool->leg[id]))
		return &pool->leg[id];
	NL_SET_ERR_MSG_FMT(extack, "pool %.40s has no member %u", pool->name, id);
	return NULL;
}

int rmr_clt_leg_eject(struct rmr_clt_pool *pool, unsigned int id, bool force,
		      struct netlink_ext_ack *extack)
{
	struct rmr_clt_leg *leg = leg_find(pool, id, extack);
	struct rmr_clt_link *link;
	int err = 0;
	u8 left;

	if (!leg)
		return -ENOENT;
	mutex_lock(&pool->ctl_lock);
	link = rmr_clt_leg_link(leg);
	left = rmr_clt_linked(pool) & ~BIT(id);
	if (!force && link && !rmr_majority(&pool->voters, left)) {
		NL_SET_ERR_MSG(extack, "no majority without it: I/O would wait; use --force");
		err = -EBUSY;
	} else if (!force && !(pool->vm.established.up_to_date & ~BIT(id))) {
		NL_SET_ERR_MSG(extack, "last up-to-date leg: I/O would wait; use --force");
		err = -EBUSY;
	} else {
		leg->out = true;
		if (link)
			rmr_clt_leg_failed(leg, link->gen, RMR_REASON_ADMIN);
		else
			rmr_clt_leg_state(leg, RMR_LEG_STATE_FAILED, RMR_REASON_ADMIN);
	}
	mutex_unlock(&pool->ctl_lock);
	return err;
}
EXPORT_SYMBOL_GPL(rmr_clt_leg_eject);

int rmr_clt_leg_return(struct rmr_clt_pool *pool, unsigned int id, struct netlink_ext_ack *extack)
{
	struct rmr_clt_leg *leg = leg_find(pool, id, extack);

	if (!leg)
		return -ENOENT;
	mutex_lock(&pool->ctl_lock);
	leg->out = false;
	rmr_damp_force(&leg->damp);
	leg->retry_ns = 0;
	mutex_unlock(&pool->ctl_lock);
	rmr_clt_ctl_kick(pool);
	return 0;
}
EXPORT_SYMBOL_GPL(rmr_clt_leg_return);

/* ---- show ---- */

static void sum_stats(struct rmr_io_stats __percpu *stats, struct rmr_io_stats *out)
{
	int cpu;

	memset(out, 0, sizeof(*out));
	for_each_possible_cpu(cpu) {
		const struct rmr_io_stats *s = per_cpu_ptr(stats, cpu);

		out->reads += s->reads;
		out->writes += s->writes;
		out->flushes += s->flushes;
		out->discards += s->discards;
		out->read_bytes += s->read_bytes;
		out->write_bytes += s->write_bytes;
		out->errors += s->errors;
	}
}

void rmr_clt_device_info(struct rmr_clt_pool *pool, struct rmr_device_info *info)
{
	memset(info, 0, sizeof(*info));
	strscpy(info->name, pool->name, sizeof(info->name));
	memcpy(info->uuid, pool->uuid, RMR_UUID_LEN);
	info->size = pool->limits.size;
	info->chunk_size = pool->limits.chunk_size;
	spin_lock_irq(&pool->lock);
	info->state = pool->state;
	info->reason = pool->reason;
	info->inflight = pool->inflight;
	info->held = pool->held_total;
	info->epoch_seq = le64_to_cpu(pool->epoch_le.seq);
	info->epoch_client = le64_to_cpu(pool->epoch_le.client);
	info->view = le64_to_cpu(pool->view_le);
	info->up_to_date = pool->vm.established.up_to_date;
	info->syncing = pool->vm.established.syncing;
	spin_unlock_irq(&pool->lock);
	sum_stats(pool->stats, &info->stats);
}
EXPORT_SYMBOL_GPL(rmr_clt_device_info);

int rmr_clt_leg_info(struct rmr_clt_pool *pool, unsigned int id, struct rmr_leg_info *info)
{
	struct rmr_clt_leg *leg;
	struct rmr_clt_link *link;

	if (id >= RMR_MAX_MEMBERS || !rmr_clt_leg_used(&pool->leg[id]))
		return -ENOENT;
	leg = &pool->leg[id];
	memset(info, 0, sizeof(*info));
	strscpy(info->pool_name, pool->name, sizeof(info->pool_name));
	info->member_id = id;
	spin_lock_irq(&pool->lock);
	info->kind = leg->member.kind;
	memcpy(info->store_uuid, leg->member.store_uuid, RMR_UUID_LEN);
	strscpy(info->node, leg->member.node, sizeof(info->node));
	strscpy(info->addr, leg->member.addr[0], sizeof(info->addr));
	info->leaving = pool->table.slot[id].flags & RMR_SLOT_F_LEAVING;
	info->maintenance = pool->table.slot[id].flags & RMR_SLOT_F_MAINTENANCE;
	info->successor = pool->table.slot[id].successor;
	spin_unlock_irq(&pool->lock);
	rcu_read_lock();
	link = rcu_dereference(leg->link);
	if (link) {
		strscpy(info->addr, link->sess->addr, sizeof(info->addr));
		info->lacking = READ_ONCE(link->lacking);
	}
	rcu_read_unlock();
	info->state = READ_ONCE(leg->state);
	info->reason = READ_ONCE(leg->reason);
	info->inflight = atomic_read(&leg->inflight);
	info->latency_ns = READ_ONCE(leg->latency_ns);
	info->max_io = leg->max_io;
	info->age_ms = div_u64(ktime_get_ns() - leg->since_ns, NSEC_PER_MSEC);
	info->cause = leg->cause;
	if (info->state == RMR_LEG_STATE_FAILED && !leg->out)
		info->damped_ms = rmr_damp_left(&leg->damp,
						div_u64(ktime_get_ns(), NSEC_PER_MSEC));
	if (info->damped_ms)
		info->reason = RMR_REASON_DAMPED;
	info->ejections = leg->ejections;
	info->returns = leg->returns;
	info->bad_data = atomic64_read(&leg->bad_data);
	info->read_errors = atomic64_read(&leg->read_errors);
	info->read_repairs = atomic64_read(&leg->read_repairs);
	info->read_repair_failures = atomic64_read(&leg->read_repair_failures);
	sum_stats(leg->stats, &info->stats);
	return 0;
}
EXPORT_SYMBOL_GPL(rmr_clt_leg_info);

static int __init rmr_client_init(void)
{
	rmr_clt_wq = alloc_workqueue("rmr_client", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (!rmr_clt_wq)
		return -ENOMEM;
	rmr_clt_recover_wq = alloc_workqueue("rmr_client_recover", WQ_UNBOUND, 0);
	if (rmr_clt_recover_wq)
		return 0;
	destroy_workqueue(rmr_clt_wq);
	return -ENOMEM;
}

static void __exit rmr_client_exit(void)
{
	destroy_workqueue(rmr_clt_recover_wq);
	destroy_workqueue(rmr_clt_wq);
}

module_init(rmr_client_init);
module_exit(rmr_client_exit);

MODULE_DESCRIPTION("Reliable multicast replication: client side");
MODULE_LICENSE("GPL");
