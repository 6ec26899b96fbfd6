// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attachments: epochs, views, and the messages that change them (protocol sections 2 and 4).
 *
 * Locks: pool->lock for everything that changes an attachment or the superblock; the handles of a
 * session are read under RCU by the data path. Process context, sleeps.
 *
 * End of an attachment: out of sess->handles (no new request finds it) -> kill attach->io -> wait
 * until every request under way is answered -> free after a grace period. Only after that is a
 * promise of a newer epoch persisted, so a delayed request of the old one never meets the new.
 */
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "srv-pri.h"

static void attach_free(struct kref *ref)
{
	struct rmr_srv_attach *attach = container_of(ref, struct rmr_srv_attach, ref);

	percpu_ref_exit(&attach->io);
	rmr_srv_pool_put(attach->pool);
	kfree_rcu(attach, rcu);
}

static void attach_drained(struct percpu_ref *io)
{
	complete(&container_of(io, struct rmr_srv_attach, io)->drained);
}

static struct rmr_srv_attach *attach_new(struct rmr_srv_pool *pool, struct rmr_srv_sess *sess,
					 const struct rmr_msg_attach *msg)
{
	struct rmr_srv_attach *attach = kzalloc(sizeof(*attach), GFP_NOIO);
	int err;

	if (!attach)
		return NULL;
	err = percpu_ref_init(&attach->io, attach_drained, 0, GFP_NOIO);
	if (err) {
		kfree(attach);
		return NULL;
	}
	kref_init(&attach->ref);
	init_completion(&attach->drained);
	kref_get(&pool->ref);
	attach->pool = pool;
	attach->sess = sess;
	rmr_epoch_get(&attach->epoch, &msg->epoch);
	attach->forced = le32_to_cpu(msg->flags) & RMR_ATTACH_F_FORCE;
	strscpy(attach->node, msg->node, sizeof(attach->node));
	return attach;
}

/* Ends the attachment of a pool, if there is one. Caller: pool->lock. */
void rmr_srv_attach_end(struct rmr_srv_pool *pool)
{
	struct rmr_srv_attach *attach = pool->attach;

	lockdep_assert_held(&pool->lock);
	if (!attach)
		return;
	xa_erase(&attach->sess->handles, attach->handle);
	percpu_ref_kill(&attach->io);
	wait_for_completion(&attach->drained);
	pool->attach = NULL;
	rmr_srv_info(pool, "client %s detached\n", attach->node);
	kref_put(&attach->ref, attach_free);
	if (pool->state == RMR_POOL_STATE_ATTACHED)
		rmr_srv_pool_state(pool, RMR_POOL_STATE_IDLE, RMR_REASON_NONE);
}

static struct rmr_srv_attach *sess_first_attach(struct rmr_srv_sess *sess)
{
	struct rmr_srv_attach *attach;
	unsigned long index = 0;

	rcu_read_lock();
	attach = xa_find(&sess->handles, &index, ULONG_MAX, XA_PRESENT);
	if (attach && !kref_get_unless_zero(&attach->ref))
		attach = NULL;
	rcu_read_unlock();
	return attach;
}

/* The session is gone: ends whatever it held. */
void rmr_srv_sess_detach(struct rmr_srv_sess *sess)
{
	struct rmr_srv_attach *attach;
	struct rmr_srv_pool *pool;

	while (!xa_empty(&sess->handles)) {
		attach = sess_first_attach(sess);
		if (!attach) {
			/* Being ended by somebody who holds pool->lock. */
			cond_resched();
			continue;
		}
		pool = attach->pool;
		mutex_lock(&pool->lock);
		if (pool->attach == attach)
			rmr_srv_attach_end(pool);
		mutex_unlock(&pool->lock);
		kref_put(&attach->ref, attach_free);
	}
}

/* What a member tells of itself and the pool. Caller: pool->lock. */
void rmr_srv_fill_pool(struct rmr_srv_pool *pool, struct rmr_rsp_pool *rsp, u32 handle)
{
	const struct rmr_sb_member *claim = rmr_srv_claim(pool);
	const struct rmr_sb *sb = pool->sb;

	memset(rsp, 0, sizeof(*rsp));
	memcpy(rsp->pool_uuid, sb->pool_uuid, RMR_UUID_LEN);
	memcpy(rsp->pool_name, sb->pool_name, RMR_NAME_LEN);
	rsp->pool_size = sb->pool_size;
	rsp->chunk_size = sb->chunk_size;
	rsp->member_id = sb->member_id;
	rsp->busy = !!pool->attach;
	rsp->sb_flags = sb->flags;
	rsp->handle = cpu_to_le32(handle);
	rsp->cuts = sb->cuts;
	rsp->table_version = sb->table_version;
	rsp->promised = sb->promised;
	rsp->view = sb->view;
	rsp->limits = pool->limits;
	memcpy(rsp->store_uuid, sb->store_uuid, RMR_UUID_LEN);
	memcpy(rsp->member, sb->member, sizeof(rsp->member));
	rsp->others_lack = cpu_to_le64(rmr_srv_others_lack(pool));
	if (claim) {
		rsp->claim = *claim;
		rsp->claim_id = pool->claim_id;
	}
}

int rmr_srv_pool_info_msg(struct rmr_srv_sess *sess, const void *data, void *rsp)
{
	static const u8 any[RMR_UUID_LEN];
	const struct rmr_msg_pool_info *msg = data;
	struct rmr_srv_pool *pool;
	int err;

	pool = rmr_srv_pool_find(sess, msg->name[0] ? msg->name : NULL,
				 memcmp(msg->uuid, any, sizeof(any)) ? msg->uuid : NULL,
				 rmr_srv_to(msg->to));
	if (!pool)
		return RMR_ST_NOPOOL;
	err = rmr_srv_disk_lock(pool) ? RMR_ST_HUNG : 0;
	if (!err) {
		rmr_srv_fill_pool(pool, rsp, RMR_NO_HANDLE);
		mutex_unlock(&pool->lock);
	}
	rmr_srv_pool_put(pool);
	return err;
}

/* Persists the promise and makes the attachment. Caller: pool->lock. */
static int attach_promise(struct rmr_srv_pool *pool, struct rmr_srv_sess *sess,
			  const struct rmr_msg_attach *msg)
{
	struct rmr_srv_attach *attach = attach_new(pool, sess, msg);
	int err;

	if (!attach)
		return -ENOMEM;
	err = rmr_srv_trigger(RMR_SRV_POINT_PROMISE, pool->id);
	if (!err) {
		rmr_srv_sb_begin(pool);
		pool->sb_next->promised = msg->epoch;
		err = rmr_srv_sb_commit(pool);
	}
	if (!err)
		err = rmr_srv_track_promise(pool, &attach->epoch);
	if (!err)
		err = xa_alloc_cyclic(&sess->handles, &attach->handle, attach,
				      XA_LIMIT(1, INT_MAX), &sess->next_handle, GFP_NOIO);
	if (err < 0) {
		kref_put(&attach->ref, attach_free);
		return err;
	}
	pool->attach = attach;
	rmr_srv_info(pool, "client %s attached, epoch %llu\n", attach->node, attach->epoch.seq);
	rmr_srv_pool_state(pool, RMR_POOL_STATE_ATTACHED, RMR_REASON_NONE);
	return 0;
}

int rmr_srv_attach_msg(struct rmr_srv_sess *sess, const void *data, void *rsp)
{
	const struct rmr_msg_attach *msg = data;
	struct rmr_epoch epoch, promised;
	struct rmr_srv_pool *pool;
	int err = 0;

	pool = rmr_srv_pool_find(sess, NULL, msg->pool_uuid, msg->member_id);
	if (!pool)
		return RMR_ST_NOPOOL;
	rmr_epoch_get(&epoch, &msg->epoch);
	err = rmr_srv_disk_refuses(pool);
	if (err || rmr_srv_disk_lock(pool)) {
		rmr_srv_pool_put(pool);
		return err ?: RMR_ST_HUNG;
	}
	rmr_epoch_get(&promised, &pool->sb->promised);
	if (pool->gone)
		err = RMR_ST_NOPOOL;
	else if (pool->state == RMR_POOL_STATE_FAILED)
		err = -EIO;
	else if (rmr_epoch_cmp(&epoch, &promised) < 0)
		err = RMR_ST_FENCED;
	else if (pool->attach && pool->attach->epoch.client != epoch.client &&
		 !(le32_to_cpu(msg->flags) & RMR_ATTACH_F_TAKEOVER))
		err = RMR_ST_BUSY;
	if (!err) {
		rmr_srv_attach_end(pool);
		err = attach_promise(pool, sess, msg);
	}
	if (!err)
		rmr_srv_fill_pool(pool, rsp, pool->attach->handle);
	mutex_unlock(&pool->lock);
	rmr_srv_pool_put(pool);
	return err;
}

/*
 * The pool that a handle of this session is attached to, locked, with a reference; NULL if the
 * handle is not or no longer valid, or of another epoch than the one given.
 */
struct rmr_srv_pool *rmr_srv_handle_lock(struct rmr_srv_sess *sess, __le32 handle,
					 const struct rmr_epoch_le *epoch_le)
{
	struct rmr_epoch epoch;
	struct rmr_srv_attach *attach;
	struct rmr_srv_pool *pool;

	rcu_read_lock();
	attach = xa_load(&sess->handles, le32_to_cpu(handle));
	if (attach && !kref_get_unless_zero(&attach->ref))
		attach = NULL;
	rcu_read_unlock();
	if (!attach)
		return NULL;
	pool = attach->pool;
	kref_get(&pool->ref);
	mutex_lock(&pool->lock);
	rmr_epoch_get(&epoch, epoch_le);
	if (pool->attach != attach || rmr_epoch_cmp(&epoch, &attach->epoch)) {
		mutex_unlock(&pool->lock);
		rmr_srv_pool_put(pool);
		pool = NULL;
	}
	kref_put(&attach->ref, attach_free);
	return pool;
}

void rmr_srv_handle_unlock(struct rmr_srv_pool *pool)
{
	mutex_unlock(&pool->lock);
	rmr_srv_pool_put(pool);
}

/*
 * A view counts here once it is persisted. It must be of this epoch and not older; we need not be
 * in it, as a voter is told too. The same one again is answered well.
 */
static int view_check(struct rmr_srv_pool *pool, const struct rmr_view *view)
{
	bool discarded = le32_to_cpu(pool->sb->flags) & RMR_SB_F_DISCARDED;
	struct rmr_view now;

	rmr_view_get(&now, &pool->sb->view);
	if (!rmr_lineage_told(view, &now, pool->id, pool->attach->forced, discarded))
		return RMR_ST_FENCED;
	if (rmr_epoch_cmp(&view->epoch, &pool->attach->epoch))
		return RMR_ST_FENCED;
	if (rmr_view_cmp(view, &now) < 0)
		return RMR_ST_FENCED;
	if (!view->up_to_date || (view->up_to_date & view->syncing) ||
	    ((view->up_to_date | view->syncing) & ~rmr_srv_data_members(pool->sb)))
		return RMR_ST_MALFORMED;
	return 0;
}

int rmr_srv_view_msg(struct rmr_srv_sess *sess, const void *data)
{
	const struct rmr_msg_view *msg = data;
	struct rmr_srv_pool *pool = rmr_srv_handle_lock(sess, msg->hdr.handle, &msg->view.epoch);
	struct rmr_view view;
	u32 flags;
	int err;

	if (!pool)
		return RMR_ST_FENCED;
	rmr_view_get(&view, &msg->view);
	err = rmr_srv_disk_refuses(pool) ?: view_check(pool, &view) ?:
	      rmr_srv_trigger(RMR_SRV_POINT_VIEW, pool->id);
	if (!err) {
		rmr_srv_sb_begin(pool);
		pool->sb_next->view = msg->view;
		flags = le32_to_cpu(pool->sb->flags);
		flags = (flags | RMR_SB_F_USED) & ~RMR_SB_F_CLEAN;
		/* Everything was marked for it before it was taken into Y (R2.16). */
		if (pool->witness || (view.syncing & BIT(pool->id))) {
			if (flags & RMR_SB_F_DISCARDED)
				WRITE_ONCE(pool->track.blank, true);
			flags &= ~RMR_SB_F_DISCARDED;
		}
		pool->sb_next->flags = cpu_to_le32(flags);
		err = rmr_srv_sb_commit(pool);
	}
	if (!err)
		err = rmr_srv_track_view(pool, &view);
	if (!err) {
		/* A witness may be told of a clean end (R2.11); it has no data to serve. */
		WRITE_ONCE(pool->attach->live, pool->witness ||
			   ((view.up_to_date | view.syncing) & BIT(pool->id)));
		rmr_srv_pool_notify(pool);
		rmr_srv_sync_kick(pool);
	}
	rmr_srv_handle_unlock(pool);
	return err;
}

/*
 * Persists that nothing is uncertain (R2.11): the cache is flushed, no intent is left, and the
 * epoch is that of the view on disk.
 */
static int detach_clean(struct rmr_srv_pool *pool)
{
	int err = rmr_srv_flush(pool);

	if (err)
		return err;
	rmr_srv_track_clean(pool);
	rmr_srv_sb_begin(pool);
	pool->sb_next->flags |= cpu_to_le32(RMR_SB_F_CLEAN);
	return rmr_srv_sb_commit(pool);
}

int rmr_srv_detach_msg(struct rmr_srv_sess *sess, const void *data)
{
	const struct rmr_msg_detach *msg = data;
	struct rmr_srv_pool *pool = rmr_srv_handle_lock(sess, msg->hdr.handle, &msg->epoch);
	int err = 0;

	if (!pool)
		return RMR_ST_FENCED;
	if ((le32_to_cpu(msg->flags) & RMR_DETACH_F_CLEAN) && READ_ONCE(pool->attach->live))
		err = detach_clean(pool);
	if (!err)
		rmr_srv_attach_end(pool);
	rmr_srv_handle_unlock(pool);
	return err;
}

/* By command: this member's history is given up (R2.16). Caller: pool->lock. */
int rmr_srv_discard(struct rmr_srv_pool *pool)
{
	u32 flags = le32_to_cpu(pool->sb->flags);
	int err;

	lockdep_assert_held(&pool->lock);
	rmr_srv_sb_begin(pool);
	flags = (flags | RMR_SB_F_DISCARDED) & ~RMR_SB_F_CLEAN;
	pool->sb_next->flags = cpu_to_le32(flags);
	err = rmr_srv_sb_commit(pool);
	if (err)
		return err;
	rmr_srv_track_silence(pool);
	rmr_srv_info(pool, "history discarded\n");
	rmr_srv_pool_notify(pool);
	return 0;
}
