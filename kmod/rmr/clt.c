// SPDX-License-Identifier: GPL-2.0-only
/*
 * rmr_client.ko: attach, recovery and detach of a pool (protocol section 2).
 *
 * This version keeps the simplest correct rule: every data member of the pool must take part. A
 * leg that fails suspends the pool; recovery makes new sessions, attaches all legs with a new
 * epoch and a new view, and only then sends again what was under way.
 *
 * Locks: pool->ctl_lock serialises attach, recovery and detach; pool->lock (clt-io.c) is taken
 * inside it. Process context; recovery runs in rmr_clt_recover_wq.
 *
 * End of a pool: closing set, recovery cancelled -> wait until no request is left -> detach ->
 * legs off their sessions -> cancel kick -> free.
 */
#include <linux/module.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/utsname.h>

#include "clt-pri.h"

/* Time between attempts to make a suspended pool live. */
#define RECOVER_MS	1000

struct workqueue_struct *rmr_clt_wq;
/* Opens and closes sessions, which no memory reserve backs: not for WQ_MEM_RECLAIM. */
struct workqueue_struct *rmr_clt_recover_wq;

/* Why an attach was refused, for the user of the command or for the log. */
struct refusal {
	struct netlink_ext_ack *extack;		/* NULL in recovery */
	u8	reason;
};

static const char *status_text(int err)
{
	switch (err) {
	case RMR_ST_NOPOOL:	return "no such pool there";
	case RMR_ST_BUSY:	return "in use by another client";
	case RMR_ST_FENCED:	return "fenced by a newer client";
	case RMR_ST_VERSION:	return "protocol version or transport";
	case RMR_ST_MALFORMED:	return "malformed answer";
	case -ECONNREFUSED:	return "connection refused";
	case -ECONNABORTED:	return "connection lost";
	case -ETIMEDOUT:	return "no answer";
	case -EINVAL:		return "bad address";
	}
	return "not reachable";
}

static u8 err_reason(int err)
{
	switch (err) {
	case RMR_ST_FENCED:	return RMR_REASON_FENCED;
	case RMR_ST_VERSION:	return RMR_REASON_VERSION;
	case -ETIMEDOUT:	return RMR_REASON_TIMEOUT;
	case RMR_ST_NOPOOL:
	case RMR_ST_BUSY:
	case RMR_ST_MALFORMED:	return RMR_REASON_REFUSED;
	}
	return RMR_REASON_CONNECT;
}

static int leg_refused(struct rmr_clt_leg *leg, struct refusal *why, int err)
{
	why->reason = err_reason(err);
	leg->reason = why->reason;
	if (why->extack)
		NL_SET_ERR_MSG_FMT(why->extack, "member %u (%.20s): %s (%d)", leg->id,
				   leg->member.addr[0], status_text(err), err);
	return err;
}

static int leg_identity(struct rmr_clt_leg *leg, struct refusal *why, const char *text)
{
	why->reason = RMR_REASON_IDENTITY;
	leg->reason = why->reason;
	if (why->extack)
		NL_SET_ERR_MSG_FMT(why->extack, "member %u (%.16s): %s", leg->id,
				   leg->member.node, text);
	return -EMEDIUMTYPE;
}

/* ---- one leg ---- */

static struct rmr_clt_sess *leg_sess(struct rmr_clt_leg *leg)
{
	return rcu_dereference_protected(leg->sess, lockdep_is_held(&leg->pool->ctl_lock));
}

/* Connects the leg by the first of its addresses that works. */
static int leg_connect(struct rmr_clt_leg *leg)
{
	struct rmr_clt_pool *pool = leg->pool;
	struct rmr_clt_sess *sess;
	int err = -EINVAL;
	unsigned int i;

	if (leg_sess(leg) && !READ_ONCE(leg->failed))
		return 0;
	rmr_clt_sess_del_leg(leg);
	for (i = 0; i < RMR_MEMBER_ADDRS && leg->member.addr[i][0]; i++) {
		sess = rmr_clt_sess_get(pool->transport, leg->member.addr[i], pool->port,
					pool->node);
		if (!IS_ERR(sess)) {
			rmr_clt_sess_add_leg(sess, leg);
			return 0;
		}
		err = PTR_ERR(sess);
	}
	return err;
}

/* Does the member that answered belong where the table says? */
static int leg_check(struct rmr_clt_leg *leg, const struct rmr_rsp_pool *rsp,
		     struct refusal *why)
{
	struct rmr_clt_pool *pool = leg->pool;
	u64 boot = leg_sess(leg)->conn.peer_boot;

	if (memcmp(rsp->pool_uuid, pool->uuid, RMR_UUID_LEN))
		return leg_identity(leg, why, "pool with another UUID");
	if (rsp->member_id != leg->id ||
	    memcmp(rsp->store_uuid, leg->member.store_uuid, RMR_UUID_LEN))
		return leg_identity(leg, why, "another store than the pool's table names");
	if (le64_to_cpu(rsp->pool_size) != pool->limits.size ||
	    le32_to_cpu(rsp->chunk_size) != pool->limits.chunk_size)
		return leg_identity(leg, why, "size or chunk size differs");
	if (le64_to_cpu(rsp->table_version) != pool->table_version)
		return leg_identity(leg, why, "member table differs: repeat the join");
	/* A restart may have lost what a volatile cache held; only a resync could tell. */
	if (leg->known && leg->peer_boot != boot && leg->limits.write_cache) {
		leg_identity(leg, why, "node restarted with a volatile cache");
		return -EUCLEAN;
	}
	leg->known = true;
	leg->peer_boot = boot;
	return 0;
}

/* Learns what the member knows. */
static int leg_ask(struct rmr_clt_leg *leg, struct rmr_rsp_pool *rsp, struct refusal *why)
{
	int err = leg_connect(leg);

	if (!err)
		err = rmr_conn_pool_info(&leg_sess(leg)->conn, NULL, leg->pool->uuid, rsp);
	if (err)
		return leg_refused(leg, why, err);
	err = leg_check(leg, rsp, why);
	if (err)
		return err;
	rmr_epoch_get(&leg->promised, &rsp->promised);
	rmr_view_get(&leg->view, &rsp->view);
	leg->busy = rsp->busy;
	leg->limits = rsp->limits;
	leg->max_io = leg_sess(leg)->conn.attrs.max_io;
	return 0;
}

static int leg_attach(struct rmr_clt_leg *leg, bool takeover, struct refusal *why)
{
	struct rmr_clt_pool *pool = leg->pool;
	struct rmr_msg_attach msg = {};
	struct rmr_rsp_pool *rsp;
	struct rmr_fault fault;
	int err;

	rsp = kzalloc(sizeof(*rsp), GFP_NOIO);
	if (!rsp)
		return -ENOMEM;
	rmr_msg_init(&msg.hdr, RMR_MSG_ATTACH, RMR_NO_HANDLE);
	memcpy(msg.pool_uuid, pool->uuid, RMR_UUID_LEN);
	rmr_epoch_put(&msg.epoch, &pool->epoch);
	msg.flags = cpu_to_le32(takeover ? RMR_ATTACH_F_TAKEOVER : 0);
	msg.member_id = leg->id;
	strscpy(msg.node, pool->node, sizeof(msg.node));
	err = rmr_conn_call(&leg_sess(leg)->conn, &msg, sizeof(msg), rsp, sizeof(*rsp));
	if (!err)
		err = rmr_rsp_pool_check(rsp, sizeof(*rsp), &fault);
	if (!err)
		leg->handle = le32_to_cpu(rsp->handle);
	kfree(rsp);
	return err ? leg_refused(leg, why, err) : 0;
}

static int leg_view(struct rmr_clt_leg *leg, struct refusal *why)
{
	struct rmr_msg_view msg = {};
	int err;

	rmr_msg_init(&msg.hdr, RMR_MSG_VIEW, leg->handle);
	rmr_view_put(&msg.view, &leg->pool->view);
	err = rmr_conn_call(&leg_sess(leg)->conn, &msg, sizeof(msg), NULL, 0);
	return err ? leg_refused(leg, why, err) : 0;
}

static void leg_set_up(struct rmr_clt_leg *leg)
{
	struct rmr_clt_pool *pool = leg->pool;

	spin_lock_irq(&pool->lock);
	leg->failed = false;
	leg->reason = RMR_REASON_NONE;
	WRITE_ONCE(leg->state, RMR_LEG_STATE_UP_TO_DATE);
	spin_unlock_irq(&pool->lock);
	rmr_clt_info(pool, "leg %u: connecting -> up-to-date reason 0\n", leg->id);
}

/* ---- all legs ---- */

static void notify_all(struct rmr_clt_pool *pool)
{
	if (pool->ops)
		pool->ops->changed(pool->priv);
}

/* The pool may be attached if all legs agree and the last client left cleanly or was us. */
static int legs_agree(struct rmr_clt_pool *pool, u32 sb_flags, bool takeover,
		      struct refusal *why)
{
	bool again = pool->epoch.client != 0;
	unsigned int i;
	u8 all = 0;

	for (i = 0; i < pool->nr_legs; i++)
		all |= BIT(pool->leg[i].id);
	for (i = 0; i < pool->nr_legs; i++) {
		struct rmr_clt_leg *leg = &pool->leg[i];

		if (again && leg->promised.client != pool->client_id)
			return leg_refused(leg, why, RMR_ST_FENCED);
		/* While a client is attached the pool is unclean too: that is not the reason. */
		if (!again && leg->busy && !takeover)
			return leg_refused(leg, why, RMR_ST_BUSY);
		if (leg->view.up_to_date != all)
			return leg_identity(leg, why, "members are not all up to date");
	}
	if (again || (sb_flags & RMR_SB_F_CLEAN))
		return 0;
	why->reason = RMR_REASON_UNCLEAN;
	if (why->extack)
		NL_SET_ERR_MSG(why->extack,
			       "last client did not unmap: legs may differ, reconcile not built yet");
	return -EUCLEAN;
}

/* Picks the epoch and view of this attachment from what the legs told. */
static void choose_epoch(struct rmr_clt_pool *pool)
{
	struct rmr_view newest = pool->leg[0].view;
	u64 seq = pool->epoch.seq;
	unsigned int i;

	for (i = 0; i < pool->nr_legs; i++) {
		seq = max(seq, pool->leg[i].promised.seq);
		if (rmr_view_cmp(&pool->leg[i].view, &newest) > 0)
			newest = pool->leg[i].view;
	}
	pool->epoch.seq = seq + 1;
	pool->epoch.client = pool->client_id;
	pool->view = newest;
	pool->view.epoch = pool->epoch;
	pool->view.number = newest.number + 1;
}

/* Ask all -> promise of all -> view on all. Caller: ctl_lock. */
static int attach_legs(struct rmr_clt_pool *pool, bool takeover, struct refusal *why)
{
	struct rmr_rsp_pool *rsp = kzalloc(sizeof(*rsp), GFP_NOIO);
	u32 flags = RMR_SB_F_CLEAN;
	unsigned int i;
	int err = 0;

	if (!rsp)
		return -ENOMEM;
	for (i = 0; i < pool->nr_legs && !err; i++) {
		err = leg_ask(&pool->leg[i], rsp, why);
		flags &= le32_to_cpu(rsp->sb_flags);
	}
	kfree(rsp);
	if (!err)
		err = legs_agree(pool, flags, takeover, why);
	if (err)
		return err;
	choose_epoch(pool);
	for (i = 0; i < pool->nr_legs && !err; i++)
		err = leg_attach(&pool->leg[i], takeover, why);
	for (i = 0; i < pool->nr_legs && !err; i++)
		err = leg_view(&pool->leg[i], why);
	for (i = 0; i < pool->nr_legs && !err; i++)
		leg_set_up(&pool->leg[i]);
	return err;
}

/* Tells every attached leg; the members flush and note a clean end. Caller: ctl_lock. */
static int detach_legs(struct rmr_clt_pool *pool)
{
	struct rmr_msg_detach msg = {};
	unsigned int i;
	int err = 0, e;

	msg.flags = cpu_to_le32(RMR_DETACH_F_CLEAN);
	rmr_epoch_put(&msg.epoch, &pool->epoch);
	for (i = 0; i < pool->nr_legs; i++) {
		if (!pool->leg[i].handle)
			continue;
		rmr_msg_init(&msg.hdr, RMR_MSG_DETACH, pool->leg[i].handle);
		e = rmr_conn_call(&leg_sess(&pool->leg[i])->conn, &msg, sizeof(msg), NULL, 0);
		if (e)
			rmr_clt_warn(pool, "leg %u: detach failed: %d\n", pool->leg[i].id, e);
		err = err ?: e;
	}
	return err;
}

static void recover_work(struct work_struct *work)
{
	struct rmr_clt_pool *pool = container_of(to_delayed_work(work), struct rmr_clt_pool,
						 recover);
	struct refusal why = {};
	int err;

	mutex_lock(&pool->ctl_lock);
	if (pool->closing || READ_ONCE(pool->state) != RMR_DEVICE_STATE_SUSPENDED)
		goto unlock;
	notify_all(pool);
	err = attach_legs(pool, false, &why);
	if (!err) {
		rmr_clt_info(pool, "suspended -> live epoch %llu view %llu\n", pool->epoch.seq,
			     pool->view.number);
		rmr_clt_resume(pool);
		notify_all(pool);
	} else {
		pool->reason = why.reason;
		queue_delayed_work(rmr_clt_recover_wq, &pool->recover,
				   msecs_to_jiffies(RECOVER_MS));
	}
unlock:
	mutex_unlock(&pool->ctl_lock);
}

/* ---- open ---- */

static void le32_max(__le32 *a, __le32 b)
{
	*a = cpu_to_le32(max(le32_to_cpu(*a), le32_to_cpu(b)));
}

static void le32_min(__le32 *a, __le32 b)
{
	*a = cpu_to_le32(min(le32_to_cpu(*a), le32_to_cpu(b)));
}

/* Every limit that holds on all legs. */
static void common_limits(struct rmr_clt_pool *pool)
{
	struct rmr_clt_limits *l = &pool->limits;
	struct rmr_limits_le *s = &l->store;
	unsigned int i;

	for (i = 0; i < pool->nr_legs; i++) {
		struct rmr_clt_leg *leg = &pool->leg[i];
		const struct rmr_tp_attrs *a = &leg_sess(leg)->conn.attrs;
		const struct rmr_limits_le *m = &leg->limits;

		if (!i) {
			*s = *m;
			l->max_io = a->max_io;
			l->max_segments = a->max_segments;
			l->queue_depth = a->queue_depth;
			continue;
		}
		le32_max(&s->logical_block, m->logical_block);
		le32_max(&s->physical_block, m->physical_block);
		le32_max(&s->io_min, m->io_min);
		le32_max(&s->io_opt, m->io_opt);
		le32_min(&s->discard_max, m->discard_max);
		le32_max(&s->discard_granularity, m->discard_granularity);
		le32_min(&s->zeroes_max, m->zeroes_max);
		s->write_cache |= m->write_cache;
		s->fua &= m->fua;
		s->rotational |= m->rotational;
		l->max_io = min(l->max_io, a->max_io);
		l->max_segments = min(l->max_segments, a->max_segments);
		l->queue_depth = min(l->queue_depth, a->queue_depth);
	}
}

/* Fills the pool and its legs from the first member that answers. */
static int pool_learn(struct rmr_clt_pool *pool, const struct rmr_device_spec *spec,
		      struct rmr_rsp_pool *rsp, struct netlink_ext_ack *extack)
{
	struct rmr_clt_sess *sess;
	int err = -EINVAL;
	unsigned int i;

	for (i = 0; i < spec->addr_cnt; i++) {
		sess = rmr_clt_sess_get(pool->transport, spec->addr[i], pool->port, pool->node);
		err = PTR_ERR_OR_ZERO(sess);
		if (!err) {
			err = rmr_conn_pool_info(&sess->conn, spec->name, NULL, rsp);
			rmr_clt_sess_put(sess);
		}
		if (!err)
			break;
		NL_SET_ERR_MSG_FMT(extack, "%.39s: %s (%d)", spec->addr[i], status_text(err), err);
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
	pool->table_version = le64_to_cpu(rsp->table_version);
	for (i = 0; i < RMR_MAX_MEMBERS; i++) {
		struct rmr_clt_leg *leg = &pool->leg[pool->nr_legs];
		const struct rmr_sb_member *m = &rsp->member[i];

		if (m->state != RMR_MEMBER_DATA)
			continue;
		leg->id = i;
		leg->member.kind = m->state;
		memcpy(leg->member.store_uuid, m->store_uuid, RMR_UUID_LEN);
		strscpy(leg->member.node, m->node, RMR_NAME_LEN);
		memcpy(leg->member.addr, m->addr, sizeof(m->addr));
		pool->nr_legs++;
	}
	return 0;
}

static void pool_free(struct rmr_clt_pool *pool)
{
	unsigned int i;

	mutex_lock(&pool->ctl_lock);
	for (i = 0; i < pool->nr_legs; i++)
		rmr_clt_sess_del_leg(&pool->leg[i]);
	mutex_unlock(&pool->ctl_lock);
	cancel_work_sync(&pool->kick);
	cancel_delayed_work_sync(&pool->recover);
	for (i = 0; i < RMR_MAX_MEMBERS; i++)
		free_percpu(pool->leg[i].stats);
	free_percpu(pool->stats);
	mutex_destroy(&pool->ctl_lock);
	kvfree(pool);
}

static struct rmr_clt_pool *pool_alloc(const struct rmr_device_spec *spec)
{
	struct rmr_clt_pool *pool = kvzalloc(sizeof(*pool), GFP_KERNEL);
	unsigned int i;
	bool ok;

	if (!pool)
		return NULL;
	rmr_clt_io_init(pool);
	mutex_init(&pool->ctl_lock);
	INIT_DELAYED_WORK(&pool->recover, recover_work);
	pool->state = RMR_DEVICE_STATE_ATTACHING;
	pool->port = spec->port;
	do {
		pool->client_id = get_random_u64();
	} while (!pool->client_id);
	strscpy(pool->name, spec->name, sizeof(pool->name));
	strscpy(pool->transport, spec->transport, sizeof(pool->transport));
	rmr_node_name(pool->node, spec->node ?: init_utsname()->nodename);
	pool->stats = alloc_percpu(struct rmr_io_stats);
	ok = pool->stats;
	for (i = 0; i < RMR_MAX_MEMBERS; i++) {
		struct rmr_clt_leg *leg = &pool->leg[i];

		leg->pool = pool;
		INIT_LIST_HEAD(&leg->sess_entry);
		leg->stats = alloc_percpu(struct rmr_io_stats);
		ok = ok && leg->stats;
	}
	if (ok)
		return pool;
	pool_free(pool);
	return NULL;
}

struct rmr_clt_pool *rmr_clt_open(const struct rmr_device_spec *spec,
				  const struct rmr_clt_pool_ops *ops, void *priv,
				  struct netlink_ext_ack *extack)
{
	struct rmr_clt_pool *pool = pool_alloc(spec);
	struct rmr_rsp_pool *rsp = kzalloc(sizeof(*rsp), GFP_KERNEL);
	struct refusal why = { .extack = extack };
	int err = -ENOMEM;

	if (!pool || !rsp)
		goto fail;
	err = pool_learn(pool, spec, rsp, extack);
	if (err)
		goto fail;
	mutex_lock(&pool->ctl_lock);
	err = attach_legs(pool, spec->takeover, &why);
	if (!err) {
		common_limits(pool);
		pool->ops = ops;
		pool->priv = priv;
		rmr_clt_info(pool, "attached, %u legs, epoch %llu view %llu\n", pool->nr_legs,
			     pool->epoch.seq, pool->view.number);
		rmr_clt_resume(pool);
	} else {
		/* Nothing was written, so a leg that had promised already is clean again. */
		detach_legs(pool);
	}
	mutex_unlock(&pool->ctl_lock);
	if (err)
		goto fail;
	kfree(rsp);
	return pool;
fail:
	if (pool)
		pool_free(pool);
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
	rmr_clt_fail_queued(pool);
}
EXPORT_SYMBOL_GPL(rmr_clt_abort);

int rmr_clt_close(struct rmr_clt_pool *pool)
{
	int err = -EUCLEAN;
	bool live;

	mutex_lock(&pool->ctl_lock);
	pool->closing = true;
	mutex_unlock(&pool->ctl_lock);
	cancel_delayed_work_sync(&pool->recover);
	wait_event(pool->idle, !READ_ONCE(pool->inflight));
	spin_lock_irq(&pool->lock);
	live = pool->state == RMR_DEVICE_STATE_LIVE && !pool->aborted;
	WRITE_ONCE(pool->state, RMR_DEVICE_STATE_DETACHING);
	spin_unlock_irq(&pool->lock);
	mutex_lock(&pool->ctl_lock);
	if (live)
		err = detach_legs(pool);
	mutex_unlock(&pool->ctl_lock);
	rmr_clt_info(pool, "detached%s\n", err ? ", not cleanly" : "");
	pool_free(pool);
	return err;
}
EXPORT_SYMBOL_GPL(rmr_clt_close);

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
	info->up_to_date = pool->view.up_to_date;
	info->syncing = pool->view.syncing;
	spin_unlock_irq(&pool->lock);
	sum_stats(pool->stats, &info->stats);
}
EXPORT_SYMBOL_GPL(rmr_clt_device_info);

int rmr_clt_leg_info(struct rmr_clt_pool *pool, unsigned int id, struct rmr_leg_info *info)
{
	struct rmr_clt_leg *leg = NULL;
	struct rmr_clt_sess *sess;
	unsigned int i;

	for (i = 0; i < pool->nr_legs; i++)
		if (pool->leg[i].id == id)
			leg = &pool->leg[i];
	if (!leg)
		return -ENOENT;
	memset(info, 0, sizeof(*info));
	strscpy(info->pool_name, pool->name, sizeof(info->pool_name));
	info->member_id = leg->id;
	memcpy(info->store_uuid, leg->member.store_uuid, RMR_UUID_LEN);
	strscpy(info->node, leg->member.node, sizeof(info->node));
	strscpy(info->addr, leg->member.addr[0], sizeof(info->addr));
	rcu_read_lock();
	sess = rcu_dereference(leg->sess);
	if (sess)
		strscpy(info->addr, sess->addr, sizeof(info->addr));
	rcu_read_unlock();
	info->state = READ_ONCE(leg->state);
	info->reason = READ_ONCE(leg->reason);
	info->inflight = atomic_read(&leg->inflight);
	info->latency_ns = READ_ONCE(leg->latency_ns);
	info->max_io = leg->max_io;
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
