// SPDX-License-Identifier: GPL-2.0-only
/*
 * Data requests on a storage node: fence, bounds, store, answer. The hot path; allocates only
 * the store's io, from its pool.
 *
 * Context: rmr_srv_io() in the transport's process context, io_done() in any. A request holds
 * attach->io, so ending an attachment waits for it.
 */
#include <linux/rcupdate.h>

#include "srv-pri.h"

static struct rmr_srv_attach *attach_get(struct rmr_srv_sess *sess, u32 handle)
{
	struct rmr_srv_attach *attach;

	rcu_read_lock();
	attach = xa_load(&sess->handles, handle);
	if (attach && !percpu_ref_tryget_live(&attach->io))
		attach = NULL;
	rcu_read_unlock();
	return attach;
}

static void io_done(struct rmr_store_io *io, int status)
{
	struct rmr_srv_attach *attach = io->attach;
	struct rmr_srv_pool *pool = attach->pool;
	struct rmr_transport_srv *tp = attach->sess->tp;
	void *op = io->tp_op;

	if (status) {
		this_cpu_inc(pool->stats->errors);
		rmr_srv_warn(pool, "%s of %u bytes failed: %d\n", rmr_op_name(io->op), io->length,
			     status);
		/* One error for all, as some errno have a meaning of their own on the wire. */
		status = -EIO;
	}
	this_cpu_dec(pool->stats->inflight);
	/* Answer first: a drained attachment has answered everything. */
	tp->respond(op, status);
	percpu_ref_put(&attach->io);
}

static void count(struct rmr_srv_pool *pool, u8 op, u32 len)
{
	struct rmr_srv_stats __percpu *s = pool->stats;

	switch (op) {
	case RMR_OP_READ:
		this_cpu_inc(s->reads);
		this_cpu_add(s->read_bytes, len);
		break;
	case RMR_OP_WRITE:
		this_cpu_inc(s->writes);
		this_cpu_add(s->write_bytes, len);
		break;
	case RMR_OP_FLUSH:
		this_cpu_inc(s->flushes);
		break;
	default:
		this_cpu_inc(s->discards);
	}
	this_cpu_inc(s->inflight);
}

/* Bounds that need the pool; the codec has checked what the message alone shows. */
static int io_check(struct rmr_srv_pool *pool, const struct rmr_msg_io *msg, size_t len)
{
	u64 off = le64_to_cpu(msg->offset);
	u32 length = le32_to_cpu(msg->length);
	bool has_data = msg->op == RMR_OP_READ || msg->op == RMR_OP_WRITE;

	if (len != (has_data ? length : 0))
		return RMR_ST_MALFORMED;
	if (msg->op == RMR_OP_FLUSH)
		return 0;
	if (length > pool->size || off > pool->size - length)
		return RMR_ST_MALFORMED;
	if ((off | length) & pool->block_mask)
		return RMR_ST_MALFORMED;
	return 0;
}

void rmr_srv_io(struct rmr_srv_sess *sess, void *op, const struct rmr_msg_io *msg, void *data,
		size_t len)
{
	struct rmr_srv_attach *attach = attach_get(sess, le32_to_cpu(msg->hdr.handle));
	u16 flags = le16_to_cpu(msg->flags);
	struct rmr_epoch epoch;
	struct rmr_srv_pool *pool;
	struct rmr_store_io *io;
	int err;

	if (!attach) {
		sess->tp->respond(op, RMR_ST_FENCED);
		return;
	}
	pool = attach->pool;
	rmr_epoch_get(&epoch, &msg->epoch);
	if (rmr_epoch_cmp(&epoch, &attach->epoch) || !READ_ONCE(attach->live))
		err = RMR_ST_FENCED;
	else
		err = io_check(pool, msg, len);
	if (err) {
		this_cpu_inc(pool->stats->refused);
		sess->tp->respond(op, err);
		percpu_ref_put(&attach->io);
		return;
	}
	io = pool->ops->alloc_io(pool->store, msg->op, flags);
	io->done = io_done;
	io->attach = attach;
	io->tp_op = op;
	io->op = msg->op;
	io->length = le32_to_cpu(msg->length);
	count(pool, io->op, io->length);
	pool->ops->submit(pool->store, io, flags, le64_to_cpu(msg->offset), data, io->length);
}
