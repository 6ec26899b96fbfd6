// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pools on a storage node: commands, superblock, life time.
 *
 * Locks: rmr_srv_command_lock (mutex) serialises the commands that make and end pools; rmr_srv_lock
 * (mutex) guards the list; pool->lock the superblock and attachment. Order: command lock ->
 * rmr_srv_lock, command lock -> pool->lock; rmr_srv_lock and pool->lock are never held together.
 * pool->sb_lock (mutex) is held from rmr_srv_sb_begin() to the end of the write, inside pool->lock;
 * the map's writer, for which others wait with pool->lock held, takes it alone and changes nothing
 * of the superblock but its fills (R9.14).
 * Messages of peers take no command lock, so nodes that join each other cannot wait in a circle.
 *
 * End of a pool: off the list -> gone, attachment ended under pool->lock -> close the store when
 * the last reference goes.
 */
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/uuid.h>

#include "srv-pri.h"

DEFINE_MUTEX(rmr_srv_command_lock);		/* outermost */
static DEFINE_MUTEX(rmr_srv_lock);
static LIST_HEAD(rmr_srv_pools);
static const struct rmr_store_ops *store_ops;	/* under rmr_srv_lock */

int rmr_srv_register_store(const struct rmr_store_ops *ops)
{
	int err = 0;

	mutex_lock(&rmr_srv_lock);
	if (store_ops)
		err = -EBUSY;
	else
		store_ops = ops;
	mutex_unlock(&rmr_srv_lock);
	return err;
}
EXPORT_SYMBOL_GPL(rmr_srv_register_store);

void rmr_srv_unregister_store(const struct rmr_store_ops *ops)
{
	mutex_lock(&rmr_srv_lock);
	store_ops = NULL;
	mutex_unlock(&rmr_srv_lock);
}
EXPORT_SYMBOL_GPL(rmr_srv_unregister_store);

static const struct rmr_store_ops *store_ops_get(struct netlink_ext_ack *extack)
{
	const struct rmr_store_ops *ops;

	mutex_lock(&rmr_srv_lock);
	ops = store_ops;
	if (ops && !try_module_get(ops->owner))
		ops = NULL;
	mutex_unlock(&rmr_srv_lock);
	if (!ops)
		NL_SET_ERR_MSG(extack, "no store module: modprobe brmr_server");
	return ops;
}

/* ---- life time ---- */

static struct rmr_srv_pool *pool_alloc(void)
{
	struct rmr_srv_pool *pool = kzalloc(sizeof(*pool), GFP_KERNEL);

	if (!pool)
		return NULL;
	pool->sb = kzalloc(sizeof(*pool->sb), GFP_KERNEL);
	pool->sb_next = kzalloc(sizeof(*pool->sb_next), GFP_KERNEL);
	pool->stats = alloc_percpu(struct rmr_srv_stats);
	pool->hist = alloc_percpu(struct rmr_hist);
	kref_init(&pool->ref);
	mutex_init(&pool->lock);
	mutex_init(&pool->sb_lock);
	INIT_LIST_HEAD(&pool->entry);
	return pool;
}

static void pool_free(struct kref *ref)
{
	struct rmr_srv_pool *pool = container_of(ref, struct rmr_srv_pool, ref);

	rmr_srv_verify_free(pool);
	rmr_srv_sync_free(pool);
	rmr_srv_track_exit(pool);
	if (pool->store) {
		pool->ops->close(pool->store);
		module_put(pool->ops->owner);
	}
	free_percpu(pool->hist);
	free_percpu(pool->stats);
	kfree(pool->sb_next);
	kfree(pool->sb);
	mutex_destroy(&pool->sb_lock);
	mutex_destroy(&pool->lock);
	kfree_rcu(pool, rcu);
}

void rmr_srv_pool_put(struct rmr_srv_pool *pool)
{
	kref_put(&pool->ref, pool_free);
}

/* Opens the device of a new pool object. */
struct rmr_srv_pool *rmr_srv_pool_open(const struct rmr_pool_spec *spec,
				       struct netlink_ext_ack *extack)
{
	struct rmr_srv_pool *pool = pool_alloc();
	int err = -ENOMEM;

	if (!pool)
		return ERR_PTR(-ENOMEM);
	if (!pool->sb || !pool->sb_next || !pool->stats || !pool->hist)
		goto put;
	err = -EOPNOTSUPP;
	pool->ops = store_ops_get(extack);
	if (!pool->ops)
		goto put;
	pool->store = pool->ops->open(spec->device, spec->md_device, extack);
	if (IS_ERR(pool->store)) {
		err = PTR_ERR(pool->store);
		pool->store = NULL;
		module_put(pool->ops->owner);
		goto put;
	}
	strscpy(pool->device, spec->device, sizeof(pool->device));
	if (spec->md_device)
		strscpy(pool->md_device, spec->md_device, sizeof(pool->md_device));
	pool->ops->limits(pool->store, &pool->limits);
	pool->block_mask = le32_to_cpu(pool->limits.logical_block) - 1;
	return pool;
put:
	rmr_srv_pool_put(pool);
	return ERR_PTR(err);
}

/* Sessions that name no node see all pools; otherwise only those of that node's address. */
static bool pool_matches(const struct rmr_srv_pool *pool, const struct rmr_srv_sess *sess,
			 const char *name, const u8 *uuid, u8 id)
{
	return !pool->retired && (!name || !strcmp(pool->name, name)) &&
	       (!uuid || !memcmp(pool->sb->pool_uuid, uuid, RMR_UUID_LEN)) &&
	       (id == RMR_NO_MEMBER || pool->id == id) &&
	       (!sess || !sess->addr[0] || !strcmp(pool->addr, sess->addr));
}

/*
 * A pool of this node, with a reference. A node may hold several members of a pool; of those that
 * match the first one is found. id: RMR_NO_MEMBER for any.
 */
struct rmr_srv_pool *rmr_srv_pool_find(struct rmr_srv_sess *sess, const char *name,
				       const u8 *uuid, u8 id)
{
	struct rmr_srv_pool *pool, *found = NULL;

	mutex_lock(&rmr_srv_lock);
	list_for_each_entry(pool, &rmr_srv_pools, entry) {
		if (!pool_matches(pool, sess, name, uuid, id))
			continue;
		kref_get(&pool->ref);
		found = pool;
		break;
	}
	mutex_unlock(&rmr_srv_lock);
	return found;
}

/* Why none of the members that are here, a mask, is the one that is meant. */
static struct rmr_srv_pool *named_refuse(const struct rmr_pool_spec *spec, u8 ids,
					 struct netlink_ext_ack *extack)
{
	char list[3 * RMR_MAX_MEMBERS] = "";
	unsigned int i, len = 0;

	for (i = 0; i < RMR_MAX_MEMBERS; i++)
		if (ids & BIT(i))
			len += scnprintf(list + len, sizeof(list) - len, len ? ", %u" : "%u", i);
	if (!ids) {
		NL_SET_ERR_MSG_FMT(extack, "no pool %s%s on this node", spec->name,
				   spec->uuid ? " with this UUID" : "");
		return ERR_PTR(-ENOENT);
	}
	if (spec->leg != RMR_NO_MEMBER)
		NL_SET_ERR_MSG_FMT(extack, "this node has member %s of pool %.20s, not %u", list,
				   spec->name, spec->leg);
	else
		NL_SET_ERR_MSG_FMT(extack, "members %s of pool %.16s are here: use --leg", list,
				   spec->name);
	return ERR_PTR(-EINVAL);
}

/* The one member that a command names, with a reference, or an error pointer. */
struct rmr_srv_pool *rmr_srv_pool_named(const struct rmr_pool_spec *spec,
					struct netlink_ext_ack *extack)
{
	struct rmr_srv_pool *pool, *found = NULL;
	unsigned int n = 0;
	u8 ids = 0;

	mutex_lock(&rmr_srv_lock);
	list_for_each_entry(pool, &rmr_srv_pools, entry) {
		if (!pool_matches(pool, NULL, spec->name, spec->uuid, RMR_NO_MEMBER))
			continue;
		ids |= BIT(pool->id);
		if (spec->leg != RMR_NO_MEMBER && spec->leg != pool->id)
			continue;
		found = found ?: pool;
		n++;
	}
	if (n == 1)
		kref_get(&found->ref);
	mutex_unlock(&rmr_srv_lock);
	return n == 1 ? found : named_refuse(spec, ids, extack);
}

/*
 * For what is the same whichever of this node's members does it: the named one, else one that has
 * a client, else one that has the pool's history, with a reference; or an error pointer.
 */
struct rmr_srv_pool *rmr_srv_pool_teller(const struct rmr_pool_spec *spec,
					 struct netlink_ext_ack *extack)
{
	struct rmr_srv_pool *pool, *found = NULL;
	int rank, best = -1;

	mutex_lock(&rmr_srv_lock);
	list_for_each_entry(pool, &rmr_srv_pools, entry) {
		if (!pool_matches(pool, NULL, spec->name, spec->uuid, spec->leg))
			continue;
		rank = READ_ONCE(pool->state) == RMR_POOL_STATE_FAILED ? 0 :
		       le32_to_cpu(READ_ONCE(pool->sb->flags)) & RMR_SB_F_DISCARDED ? 1 :
		       READ_ONCE(pool->state) == RMR_POOL_STATE_ATTACHED ? 3 : 2;
		if (rank > best)
			found = pool;
		best = max(best, rank);
	}
	if (found)
		kref_get(&found->ref);
	mutex_unlock(&rmr_srv_lock);
	return found ?: rmr_srv_pool_named(spec, extack);
}

void rmr_srv_pool_fill_info(struct rmr_srv_pool *pool, struct rmr_pool_info *info)
{
	const struct rmr_sb *sb = pool->sb;
	struct rmr_view view;
	unsigned int i;
	s64 inflight = 0;
	int cpu;

	/* Whoever waits for a disk that hangs changes nothing meanwhile. */
	if (!rmr_srv_disk_hangs(pool))
		lockdep_assert_held(&pool->lock);
	memset(info, 0, sizeof(*info));
	strscpy(info->name, pool->name, sizeof(info->name));
	memcpy(info->uuid, sb->pool_uuid, RMR_UUID_LEN);
	memcpy(info->store_uuid, sb->store_uuid, RMR_UUID_LEN);
	strscpy(info->device, pool->device, sizeof(info->device));
	if (pool->attach && !rmr_srv_disk_hangs(pool))
		strscpy(info->client, pool->attach->node, sizeof(info->client));
	info->size = pool->size;
	info->store_size = pool->ops->size(pool->store);
	info->room = le64_to_cpu(sb->room);
	info->device_grown = rmr_srv_device_grown(pool);
	strscpy(info->md_device, pool->md_device, sizeof(info->md_device));
	info->chunk_size = le32_to_cpu(sb->chunk_size);
	info->sb_flags = le32_to_cpu(sb->flags);
	info->member_id = pool->id;
	info->state = pool->state;
	info->reason = pool->reason;
	info->damaged = pool->damaged;
	info->epoch_seq = le64_to_cpu(sb->promised.seq);
	info->epoch_client = le64_to_cpu(sb->promised.client);
	rmr_view_get(&view, &sb->view);
	info->view = view.number;
	memcpy(info->lineage, view.lineage, RMR_UUID_LEN);
	info->others_lack = rmr_srv_others_lack(pool);
	info->up_to_date = view.up_to_date;
	info->syncing = view.syncing;
	for (i = 0; i < RMR_MAX_MEMBERS; i++) {
		info->member[i].kind = sb->member[i].state;
		memcpy(info->member[i].store_uuid, sb->member[i].store_uuid, RMR_UUID_LEN);
		memcpy(info->member[i].node, sb->member[i].node, RMR_NAME_LEN);
		memcpy(info->member[i].addr, sb->member[i].addr, sizeof(info->member[i].addr));
		info->member[i].generation = le64_to_cpu(sb->member[i].generation);
		info->member[i].leaving = sb->member[i].flags & RMR_SLOT_F_LEAVING;
		info->member[i].maintenance = sb->member[i].flags & RMR_SLOT_F_MAINTENANCE;
		info->member[i].successor = sb->member[i].successor;
	}
	for_each_possible_cpu(cpu) {
		const struct rmr_srv_stats *s = per_cpu_ptr(pool->stats, cpu);

		info->stats.reads += s->reads;
		info->stats.writes += s->writes;
		info->stats.flushes += s->flushes;
		info->stats.discards += s->discards;
		info->stats.read_bytes += s->read_bytes;
		info->stats.write_bytes += s->write_bytes;
		info->stats.errors += s->errors;
		info->refused += s->refused;
		info->stale += s->stale;
		info->missed += s->missed;
		inflight += s->inflight;
	}
	info->inflight = max_t(s64, inflight, 0);
	rmr_srv_disk_info(pool, info);
	rmr_srv_sync_info(pool, info);
	rmr_srv_verify_info(pool, info);
}

/* Caller: pool->lock. */
void rmr_srv_pool_notify(struct rmr_srv_pool *pool)
{
	struct rmr_pool_info *info = kzalloc(sizeof(*info), GFP_NOIO);

	if (!info)
		return;
	rmr_srv_pool_fill_info(pool, info);
	rmr_notify_pool(info);
	kfree(info);
}

static const char * const state_names[] = {
	[RMR_POOL_STATE_IDLE]		= "idle",
	[RMR_POOL_STATE_ATTACHED]	= "attached",
	[RMR_POOL_STATE_FAILED]		= "failed",
};

/* One line per state change, in the grammar that people and tests parse. Caller: pool->lock. */
void rmr_srv_pool_state(struct rmr_srv_pool *pool, u8 state, u8 reason)
{
	lockdep_assert_held(&pool->lock);
	if (pool->state == state)
		return;
	rmr_srv_info(pool, "state %s -> %s reason %u\n", state_names[pool->state],
		     state_names[state], reason);
	pool->state = state;
	pool->reason = reason;
	rmr_srv_pool_notify(pool);
}

/* ---- superblock ---- */

void rmr_srv_sb_begin(struct rmr_srv_pool *pool)
{
	lockdep_assert_held(&pool->lock);
	mutex_lock(&pool->sb_lock);
	*pool->sb_next = *pool->sb;
}

/* What was begun is not written. */
void rmr_srv_sb_abandon(struct rmr_srv_pool *pool)
{
	mutex_unlock(&pool->sb_lock);
}

/* The fills as the map has them now, of the members of the table that is being written. */
static void sb_put_fills(struct rmr_srv_pool *pool)
{
	struct rmr_srv_track *t = &pool->track;
	unsigned long flags;
	u8 members;

	if (!t->running)
		return;
	spin_lock_irqsave(&t->lock, flags);
	members = rmr_srv_data_members(pool->sb_next) & ~t->self & ~pool->parting;
	rmr_map_fill_put(&t->dirty, members, pool->sb_next->fill);
	spin_unlock_irqrestore(&t->lock, flags);
}

/* One copy of the next superblock is stable: it counts. Caller: sb_lock. */
static void sb_written(struct rmr_srv_pool *pool)
{
	struct rmr_srv_track *t = &pool->track;
	unsigned long flags;

	if (!t->running)
		return;
	spin_lock_irqsave(&t->lock, flags);
	rmr_map_fill_written(&t->dirty, pool->sb_next->fill);
	spin_unlock_irqrestore(&t->lock, flags);
}

/*
 * Writes both copies, one after the other. The state counts once the first is stable; the second
 * makes a copy that is damaged later cost nothing: alone, the older copy would take a promise or
 * a view back. whole: what is in it besides the fills has changed too. Caller: sb_lock.
 */
static int sb_write(struct rmr_srv_pool *pool, bool whole)
{
	struct rmr_sb *next = pool->sb_next;
	u64 seq = le64_to_cpu(pool->sb->write_seq) + 1, size = le64_to_cpu(next->store_size);
	unsigned int i, copy;
	int err = pool->wiped ? -ESHUTDOWN : 0;

	lockdep_assert_held(&pool->sb_lock);
	if (err)
		return err;
	sb_put_fills(pool);
	next->write_seq = cpu_to_le64(seq);
	rmr_sb_seal(next);
	for (i = 0; i < RMR_SB_COPIES && !err; i++) {
		copy = (seq + i) % RMR_SB_COPIES;
		err = rmr_srv_trigger(RMR_SRV_POINT_SB_WRITE, pool->id);
		if (!err)
			err = pool->ops->rw_md(pool->store, true, rmr_sb_off(size, copy), next,
					       sizeof(*next));
		if (err) {
			rmr_srv_warn(pool, "write of superblock copy %u failed: %d\n", copy, err);
			break;
		}
		if (whole) {
			*pool->sb = *next;
			pool->damaged &= ~BIT(copy);
		} else {
			memcpy(pool->sb->fill, next->fill, sizeof(next->fill));
			pool->sb->write_seq = next->write_seq;
			pool->sb->crc32c = next->crc32c;
		}
		sb_written(pool);
	}
	return err;
}

int rmr_srv_sb_commit(struct rmr_srv_pool *pool)
{
	int err;

	lockdep_assert_held(&pool->lock);
	err = sb_write(pool, true);
	mutex_unlock(&pool->sb_lock);
	if (err)
		rmr_srv_pool_state(pool, RMR_POOL_STATE_FAILED, RMR_REASON_STORE_ERROR);
	else if (pool->track.running)
		rmr_srv_table_note(pool);
	return err;
}

int rmr_srv_sb_fills(struct rmr_srv_pool *pool)
{
	int err;

	mutex_lock(&pool->sb_lock);
	if (!pool->wiped)
		*pool->sb_next = *pool->sb;
	err = sb_write(pool, false);
	mutex_unlock(&pool->sb_lock);
	return err;
}

/*
 * Reads both copies of a store of that size; the number of the better one or an error, with
 * *damaged and *fault.
 */
int rmr_srv_sb_read(struct rmr_srv_pool *pool, u64 size, struct rmr_sb *copies, u8 *damaged,
		    struct rmr_fault *fault)
{
	unsigned int i;
	int err;

	if (size < RMR_MD_TAIL)
		return -ENODATA;
	for (i = 0; i < RMR_SB_COPIES; i++) {
		err = pool->ops->rw_md(pool->store, false, rmr_sb_off(size, i), &copies[i],
				       sizeof(copies[i]));
		if (err)
			memset(&copies[i], 0, sizeof(copies[i]));
	}
	return rmr_sb_choose(copies, size, damaged, fault);
}

/* Makes the pool object match its superblock. */
void rmr_srv_pool_adopt_sb(struct rmr_srv_pool *pool)
{
	const struct rmr_sb *sb = pool->sb;

	strscpy(pool->name, sb->pool_name, sizeof(pool->name));
	pool->id = sb->member_id;
	pool->size = le64_to_cpu(sb->pool_size);
	pool->witness = sb->member[pool->id].state == RMR_MEMBER_WITNESS;
	pool->data_crc = le32_to_cpu(sb->flags) & RMR_SB_F_DATA_CRC;
	strscpy(pool->addr, sb->member[sb->member_id].addr[0], sizeof(pool->addr));
}

/* Overwrites both copies, so that the device is no store any more. */
int rmr_srv_sb_wipe(struct rmr_srv_pool *pool)
{
	u64 size = le64_to_cpu(pool->sb->store_size);
	unsigned int i;
	int err = 0, e;

	mutex_lock(&pool->sb_lock);
	pool->wiped = true;
	memset(pool->sb_next, 0, sizeof(*pool->sb_next));
	for (i = 0; i < RMR_SB_COPIES; i++) {
		e = pool->ops->rw_md(pool->store, true, rmr_sb_off(size, i), pool->sb_next,
				     sizeof(*pool->sb_next));
		err = err ?: e;
	}
	err = err ?: rmr_srv_device_wipe(pool);
	mutex_unlock(&pool->sb_lock);
	return err;
}

/* ---- commands ---- */

/* Reads the map and makes what runs beside the requests of a pool. */
static int pool_prepare(struct rmr_srv_pool *pool, struct netlink_ext_ack *extack)
{
	int err = rmr_srv_track_init(pool);

	rmr_srv_disk_init(pool);
	if (!err)
		err = rmr_srv_sync_init(pool) ?: rmr_srv_verify_init(pool);
	if (err)
		NL_SET_ERR_MSG_FMT(extack, "cannot load the dirty map: error %d", err);
	return err;
}

/* Publishes a finished pool and reports it. Caller: rmr_srv_command_lock. */
int rmr_srv_pool_publish(struct rmr_srv_pool *pool, struct rmr_pool_info *info,
			 struct netlink_ext_ack *extack)
{
	int err = pool_prepare(pool, extack);

	if (err)
		return err;
	mutex_lock(&rmr_srv_lock);
	list_add_tail(&pool->entry, &rmr_srv_pools);
	mutex_unlock(&rmr_srv_lock);
	err = rmr_srv_listen();
	if (err) {
		NL_SET_ERR_MSG_FMT(extack, "cannot listen (%d): no rmr_rtrs_server or port taken",
				   err);
		mutex_lock(&rmr_srv_lock);
		list_del_init(&pool->entry);
		mutex_unlock(&rmr_srv_lock);
		return err;
	}
	__module_get(THIS_MODULE);
	mutex_lock(&pool->lock);
	rmr_srv_pool_fill_info(pool, info);
	rmr_notify_pool(info);
	mutex_unlock(&pool->lock);
	queue_delayed_work(system_unbound_wq, &pool->track.lazy_work, HZ);
	rmr_srv_claim_start(pool);
	rmr_srv_disk_start(pool);
	rmr_srv_sync_kick(pool);
	return 0;
}

/*
 * A name may serve one pool per node address, and of that pool any members, but each only once.
 * uuid: NULL for a new pool.
 */
bool rmr_srv_name_taken(const char *name, const char *addr, const u8 *uuid, u8 id)
{
	struct rmr_srv_pool *pool;
	bool taken = false;

	mutex_lock(&rmr_srv_lock);
	list_for_each_entry(pool, &rmr_srv_pools, entry)
		taken |= !strcmp(pool->name, name) && !strcmp(pool->addr, addr) &&
			 (!uuid || pool->id == id ||
			  memcmp(pool->sb->pool_uuid, uuid, RMR_UUID_LEN));
	mutex_unlock(&rmr_srv_lock);
	return taken;
}

/* ---- assemble, stop, show ---- */

static int assemble_refused(int err, const struct rmr_fault *fault,
			    struct netlink_ext_ack *extack)
{
	if (err == -ENODATA)
		NL_SET_ERR_MSG(extack, "device has no superblock: not a store");
	else
		NL_SET_ERR_MSG_FMT(extack, "both superblock copies damaged: %.20s %.30s",
				   fault->field, fault->why);
	return err;
}

static int assemble_check(struct rmr_srv_pool *pool, const struct rmr_pool_spec *spec,
			  struct netlink_ext_ack *extack)
{
	struct rmr_sb *copies = kcalloc(RMR_SB_COPIES, sizeof(*copies), GFP_KERNEL);
	struct rmr_fault fault = {};
	u64 size;
	int which;

	if (!copies)
		return -ENOMEM;
	size = pool->ops->size(pool->store);
	if (spec->store_size && spec->store_size > size) {
		NL_SET_ERR_MSG_FMT(extack, "device has %llu bytes only", size);
		kfree(copies);
		return -ENOSPC;
	}
	which = rmr_srv_sb_read(pool, spec->store_size ?: size, copies, &pool->damaged, &fault);
	if (which >= 0)
		*pool->sb = copies[which];
	kfree(copies);
	if (which < 0)
		return assemble_refused(which, &fault, extack);
	rmr_srv_pool_adopt_sb(pool);
	if (pool->damaged)
		rmr_srv_warn(pool, "superblock copy %u of %s damaged (%s %s), other one used\n",
			     pool->damaged >> 1, pool->device, fault.field, fault.why);
	if (spec->name && strcmp(spec->name, pool->name)) {
		NL_SET_ERR_MSG_FMT(extack, "device belongs to pool %.50s", pool->name);
		return -EMEDIUMTYPE;
	}
	if (spec->uuid && memcmp(spec->uuid, pool->sb->pool_uuid, RMR_UUID_LEN)) {
		NL_SET_ERR_MSG(extack, "device belongs to a pool with another UUID");
		return -EMEDIUMTYPE;
	}
	if (rmr_srv_name_taken(pool->name, pool->addr, pool->sb->pool_uuid, pool->id)) {
		NL_SET_ERR_MSG_FMT(extack, "pool %s exists on this node", pool->name);
		return -EEXIST;
	}
	return rmr_srv_device_check(pool, extack);
}

static int pool_assemble(const struct rmr_pool_spec *spec, struct rmr_pool_info *info,
			 struct netlink_ext_ack *extack)
{
	struct rmr_srv_pool *pool;
	u8 damaged;
	int err;

	mutex_lock(&rmr_srv_command_lock);
	pool = rmr_srv_pool_open(spec, extack);
	err = PTR_ERR_OR_ZERO(pool);
	if (err)
		goto unlock;
	err = assemble_check(pool, spec, extack);
	damaged = pool->damaged;
	if (!err && damaged) {
		/* Replaced at once, and reported until the next change. */
		mutex_lock(&pool->lock);
		rmr_srv_sb_begin(pool);
		err = rmr_srv_sb_commit(pool);
		pool->damaged = damaged;
		mutex_unlock(&pool->lock);
	}
	if (!err)
		err = rmr_srv_pool_publish(pool, info, extack);
	if (err)
		rmr_srv_pool_put(pool);
unlock:
	mutex_unlock(&rmr_srv_command_lock);
	return err;
}

/* Takes the list's reference. Caller: rmr_srv_command_lock. */
void rmr_srv_pool_end(struct rmr_srv_pool *pool)
{
	mutex_lock(&rmr_srv_lock);
	list_del_init(&pool->entry);
	mutex_unlock(&rmr_srv_lock);
	mutex_lock(&pool->lock);
	pool->gone = true;
	rmr_srv_attach_end(pool);
	mutex_unlock(&pool->lock);
	rmr_srv_claim_stop(pool);
	rmr_srv_verify_stop(pool);
	rmr_srv_sync_stop(pool);
	cancel_delayed_work_sync(&pool->track.lazy_work);
	rmr_srv_disk_stop(pool);
	rmr_srv_pool_put(pool);
	module_put(THIS_MODULE);
}

/* Ends the pools whose stores are members no more. */
void rmr_srv_pools_reap(void)
{
	struct rmr_srv_pool *pool, *found;

	mutex_lock(&rmr_srv_command_lock);
	do {
		found = NULL;
		mutex_lock(&rmr_srv_lock);
		list_for_each_entry(pool, &rmr_srv_pools, entry)
			if (READ_ONCE(pool->retired))
				found = pool;
		mutex_unlock(&rmr_srv_lock);
		if (found)
			rmr_srv_pool_end(found);
	} while (found);
	mutex_unlock(&rmr_srv_command_lock);
}

static int pool_stop(const struct rmr_pool_spec *spec, struct netlink_ext_ack *extack)
{
	struct rmr_srv_pool *pool;
	int err = 0;

	mutex_lock(&rmr_srv_command_lock);
	pool = rmr_srv_pool_named(spec, extack);
	if (IS_ERR(pool)) {
		err = PTR_ERR(pool);
		goto unlock;
	}
	/* Ending its requests would wait for the disk, and nobody could see or do anything then. */
	if (rmr_srv_disk_hangs(pool) || rmr_srv_disk_lock(pool)) {
		NL_SET_ERR_MSG_FMT(extack, "disk %.40s does not answer; its requests hold the pool",
				   pool->device);
		err = -ETIMEDOUT;
		goto put;
	}
	if (pool->attach && !spec->force) {
		NL_SET_ERR_MSG_FMT(extack, "pool is in use by client %.30s: unmap it there first",
				   pool->attach->node);
		err = -EBUSY;
	} else if (pool->attach) {
		rmr_srv_attach_end(pool);
	}
	if (!err && spec->wipe)
		err = rmr_srv_sb_wipe(pool);
	mutex_unlock(&pool->lock);
	if (!err)
		rmr_srv_pool_end(pool);
put:
	rmr_srv_pool_put(pool);
unlock:
	mutex_unlock(&rmr_srv_command_lock);
	return err;
}

static int pool_resync(const struct rmr_pool_spec *spec, struct netlink_ext_ack *extack)
{
	struct rmr_srv_pool *pool = rmr_srv_pool_named(spec, extack);

	if (IS_ERR(pool))
		return PTR_ERR(pool);
	rmr_srv_sync_set(pool, spec);
	rmr_srv_pool_put(pool);
	return 0;
}

static int pool_resolve(const struct rmr_pool_spec *spec, struct netlink_ext_ack *extack)
{
	struct rmr_srv_pool *pool = rmr_srv_pool_named(spec, extack);
	int err;

	if (IS_ERR(pool))
		return PTR_ERR(pool);
	mutex_lock(&pool->lock);
	err = 0;
	if (pool->attach) {
		NL_SET_ERR_MSG_FMT(extack, "pool is in use by client %.30s: unmap it there first",
				   pool->attach->node);
		err = -EBUSY;
	} else {
		err = rmr_srv_discard(pool);
	}
	mutex_unlock(&pool->lock);
	if (!err)
		mod_delayed_work(system_unbound_wq, &pool->claim_work, 0);
	rmr_srv_pool_put(pool);
	return err;
}

static int pool_disk(const struct rmr_pool_spec *spec, struct netlink_ext_ack *extack)
{
	struct rmr_srv_pool *pool = rmr_srv_pool_named(spec, extack);
	int err;

	if (IS_ERR(pool))
		return PTR_ERR(pool);
	err = rmr_srv_disk_command(pool, spec, extack);
	rmr_srv_pool_put(pool);
	return err;
}

/* The pool at this place of the list, with a reference; NULL at the end. */
static struct rmr_srv_pool *pool_at(unsigned long place)
{
	struct rmr_srv_pool *pool, *found = NULL;
	unsigned long i = 0;

	mutex_lock(&rmr_srv_lock);
	list_for_each_entry(pool, &rmr_srv_pools, entry) {
		if (i++ == place) {
			kref_get(&pool->ref);
			found = pool;
			break;
		}
	}
	mutex_unlock(&rmr_srv_lock);
	return found;
}

/* *cursor is the place of the pool, then of the difference in its list. */
static int pool_difference(unsigned long *cursor, struct rmr_difference_info *info)
{
	struct rmr_srv_pool *pool;
	int err;

	while ((pool = pool_at(*cursor / RMR_DIFFERENCES))) {
		err = rmr_srv_verify_difference(pool, *cursor % RMR_DIFFERENCES, info);
		rmr_srv_pool_put(pool);
		if (!err) {
			(*cursor)++;
			return 0;
		}
		*cursor = (*cursor / RMR_DIFFERENCES + 1) * RMR_DIFFERENCES;
	}
	return -ENOENT;
}

/* *cursor is pool times operations plus operation. A witness has no data. */
static int pool_latency(unsigned long *cursor, struct rmr_latency_info *info)
{
	struct rmr_srv_pool *pool;
	bool data;

	while ((pool = pool_at(*cursor / RMR_HIST_OPS))) {
		memset(info, 0, sizeof(*info));
		info->of = RMR_LATENCY_OF_STORE;
		info->member_id = pool->id;
		strscpy(info->pool_name, pool->name, sizeof(info->pool_name));
		rmr_hist_info(pool->hist, (*cursor)++ % RMR_HIST_OPS, info);
		data = !pool->witness;
		rmr_srv_pool_put(pool);
		if (data)
			return 0;
	}
	return -ENOENT;
}

static int pool_info(unsigned long *cursor, struct rmr_pool_info *info)
{
	struct rmr_srv_pool *found = pool_at(*cursor);
	bool locked;

	if (!found)
		return -ENOENT;
	(*cursor)++;
	locked = !rmr_srv_disk_lock(found);
	rmr_srv_pool_fill_info(found, info);
	if (locked)
		mutex_unlock(&found->lock);
	rmr_srv_pool_put(found);
	return 0;
}

struct rmr_srv_ctl rmr_srv_commands = {
	.owner		= THIS_MODULE,
	.create		= rmr_srv_create,
	.join		= rmr_srv_join,
	.assemble	= pool_assemble,
	.stop		= pool_stop,
	.resync		= pool_resync,
	.resolve	= pool_resolve,
	.peek		= rmr_srv_peek,
	.replace	= rmr_srv_replace,
	.member		= rmr_srv_member,
	.grow		= rmr_srv_grow,
	.disk		= pool_disk,
	.pool_info	= pool_info,
	.verify		= rmr_srv_verify_command,
	.difference	= pool_difference,
	.latency	= pool_latency,
};

/* Module exit: no pool is left, as each holds the module; the list is checked all the same. */
void rmr_srv_pools_stop(void)
{
	rmr_srv_table_exit();
	WARN_ON(!list_empty(&rmr_srv_pools));
}
