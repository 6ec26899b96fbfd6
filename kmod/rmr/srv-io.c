// SPDX-License-Identifier: GPL-2.0-only
/*
 * Data requests on a storage node: fence, bounds, tracking (srv-track.c), store, answer. The hot
 * path; allocates the store's io, from its pool, and what the window remembers of a write.
 *
 * Context: rmr_srv_io() in the transport's process context, io_done() in any. A request holds
 * attach->io, so ending an attachment waits for it.
 */
#include <linux/crc32c.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/rcupdate.h>

#include "srv-pri.h"

/* The attachment of a handle with its io reference taken, or NULL. */
struct rmr_srv_attach *rmr_srv_attach_get(struct rmr_srv_sess *sess, u32 handle)
{
	struct rmr_srv_attach *attach;

	rcu_read_lock();
	attach = xa_load(&sess->handles, handle);
	if (attach && !percpu_ref_tryget_live(&attach->io))
		attach = NULL;
	rcu_read_unlock();
	return attach;
}

/* Answers a request whose io was not submitted, or is ending. */
static void respond(struct rmr_srv_pool *pool, struct rmr_store_io *io, int status)
{
	struct rmr_srv_attach *attach = io->attach;
	struct rmr_transport_srv *tp = attach->sess->tp;

	this_cpu_dec(pool->stats->inflight);
	/* Answer first: a drained attachment has answered everything. */
	tp->respond(io->tp_op, status);
	percpu_ref_put(&attach->io);
}

void rmr_srv_io_answer(struct rmr_srv_pool *pool, struct rmr_store_io *io, int status)
{
	/* A copy of a running write is answered with that one, and keeps its reference. */
	if (io->tp_op)
		respond(pool, io, status);
	else
		this_cpu_dec(pool->stats->inflight);
	pool->ops->free_io(io);
}

static void note_latency(struct rmr_srv_pool *pool, const struct rmr_store_io *io)
{
	struct rmr_srv_track *t = &pool->track;
	u64 now = ktime_get_ns(), took = now - io->start_ns, old = READ_ONCE(t->latency_ns);

	if (io->sent_ns)
		rmr_hist_note(pool->hist, io->op, now - io->sent_ns);
	WRITE_ONCE(t->latency_ns, old - (old >> 4) + (took >> 4));
	WRITE_ONCE(t->busy_jiffies, get_jiffies_64());
}

static bool modifies(u8 op)
{
	return op == RMR_OP_WRITE || op == RMR_OP_DISCARD || op == RMR_OP_WRITE_ZEROES;
}

static void flushed(struct rmr_srv_track *t, u64 mark)
{
	unsigned long flags;

	spin_lock_irqsave(&t->lock, flags);
	rmr_intents_flushed(&t->intents, mark);
	spin_unlock_irqrestore(&t->lock, flags);
}

/* The end of a request that was at the store, after a second try if there was one. Any context. */
void rmr_srv_io_end(struct rmr_srv_pool *pool, struct rmr_store_io *io, int status)
{
	note_latency(pool, io);
	if (status) {
		this_cpu_inc(pool->stats->errors);
		rmr_srv_warn(pool, "%s of %u bytes failed: %d\n", rmr_op_name(io->op), io->length,
			     status);
		status = rmr_srv_disk_status(pool, io);
	}
	if (modifies(io->op))
		status = rmr_srv_track_written(pool, io, status);
	else if (io->op == RMR_OP_FLUSH && !status)
		flushed(&pool->track, io->seq);
	respond(pool, io, status);
}

static void io_done(struct rmr_store_io *io, int status)
{
	struct rmr_srv_attach *attach = io->attach;
	struct rmr_srv_pool *pool = attach->pool;

	rmr_srv_disk_answered(pool, io);
	if (!status || !rmr_srv_disk_failed(pool, io))
		rmr_srv_io_end(pool, io, status);
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

	if (pool->witness || len != (has_data ? length : 0))
		return RMR_ST_MALFORMED;
	if (msg->op == RMR_OP_FLUSH)
		return 0;
	if (length > pool->size || off > pool->size - length)
		return RMR_ST_MALFORMED;
	if (msg->op == RMR_OP_WRITE &&
	    !(msg->flags & cpu_to_le16(RMR_IO_F_CRC)) != !pool->data_crc)
		return RMR_ST_MALFORMED;
	if ((off | length) & pool->block_mask)
		return RMR_ST_MALFORMED;
	return 0;
}

static int trigger(enum rmr_srv_point point, struct rmr_srv_pool *pool,
		   const struct rmr_store_io *io)
{
	u64 end = io->offset + max(io->length, 1u) - 1;
	u8 shift = pool->track.chunk_shift;

	return rmr_srv_trigger_io(point, pool->id, io->op, io->offset >> shift, end >> shift);
}

/* Process context. */
void rmr_srv_io_submit(struct rmr_srv_pool *pool, struct rmr_store_io *io)
{
	int err = trigger(RMR_SRV_POINT_STORE, pool, io);

	if (err) {
		rmr_srv_io_end(pool, io, err);
		pool->ops->free_io(io);
		return;
	}
	rmr_srv_disk_sent(pool, io);
	io->sent_ns = ktime_get_ns();
	err = trigger(RMR_SRV_POINT_DISK, pool, io);
	if (!err) {
		pool->ops->submit(pool->store, io, io->flags, io->offset, io->data, io->length);
		return;
	}
	io->done(io, err);
	pool->ops->free_io(io);
}

/* Fence, bounds and, for reads, whether the data is here. */
static int io_refuse(struct rmr_srv_attach *attach, const struct rmr_msg_io *msg, size_t len)
{
	struct rmr_epoch epoch;
	int err;

	err = rmr_srv_disk_refuses(attach->pool);
	if (err)
		return err;
	rmr_epoch_get(&epoch, &msg->epoch);
	if (rmr_epoch_cmp(&epoch, &attach->epoch) || !READ_ONCE(attach->live))
		return RMR_ST_FENCED;
	err = io_check(attach->pool, msg, len);
	if (err || modifies(msg->op))
		return err;
	return rmr_srv_track_read(attach->pool, msg);
}

/*
 * Is the data of a write what the client sent (R3.11)? Checked before anything is remembered of the
 * write: it was never here, and is sent again with another number.
 */
static int check_data(struct rmr_srv_pool *pool, const struct rmr_msg_io *msg, void *data, u32 len)
{
	u64 first = le64_to_cpu(msg->offset) >> pool->track.chunk_shift;
	u64 last = (le64_to_cpu(msg->offset) + len - 1) >> pool->track.chunk_shift;

	if (rmr_srv_trigger_io(RMR_SRV_POINT_DATA, pool->id, msg->op, first, last))
		*((u8 *)data + len / 2) ^= BIT(3);
	if (!pool->data_crc || ~crc32c(~0u, data, len) == le32_to_cpu(msg->data_crc32c))
		return 0;
	this_cpu_inc(pool->stats->bad_data);
	rmr_srv_warn(pool, "write of %u bytes arrived harmed: refused\n", len);
	return RMR_ST_BAD_DATA;
}

static struct rmr_store_io *io_new(struct rmr_srv_attach *attach, void *op,
				   const struct rmr_msg_io *msg, void *data)
{
	struct rmr_srv_pool *pool = attach->pool;
	struct rmr_srv_track *t = &pool->track;
	u16 flags = le16_to_cpu(msg->flags);
	struct rmr_store_io *io = pool->ops->alloc_io(pool->store, msg->op, flags);

	io->done = io_done;
	io->attach = attach;
	io->tp_op = op;
	io->data = data;
	io->offset = le64_to_cpu(msg->offset);
	io->length = le32_to_cpu(msg->length);
	io->seq = le64_to_cpu(msg->seq);
	io->flags = flags;
	io->op = msg->op;
	io->missing = msg->missing;
	io->start_ns = ktime_get_ns();
	io->sent_ns = 0;
	if (msg->op == RMR_OP_FLUSH) {
		unsigned long irq;

		/* Everything applied up to this mark is stable when the flush has ended. */
		spin_lock_irqsave(&t->lock, irq);
		io->seq = rmr_intents_flush_start(&t->intents);
		spin_unlock_irqrestore(&t->lock, irq);
	}
	return io;
}

void rmr_srv_io(struct rmr_srv_sess *sess, void *op, const struct rmr_msg_io *msg, void *data,
		size_t len)
{
	struct rmr_srv_attach *attach = rmr_srv_attach_get(sess, le32_to_cpu(msg->hdr.handle));
	enum rmr_srv_go go = RMR_SRV_SUBMIT;
	struct rmr_srv_pool *pool;
	struct rmr_store_io *io;
	int err;

	if (!attach) {
		sess->tp->respond(op, RMR_ST_FENCED);
		return;
	}
	pool = attach->pool;
	err = io_refuse(attach, msg, len);
	if (!err && msg->op == RMR_OP_WRITE)
		err = check_data(pool, msg, data, len);
	if (err) {
		if (err != RMR_ST_STALE && err != RMR_ST_BAD_DATA)
			this_cpu_inc(pool->stats->refused);
		sess->tp->respond(op, err);
		percpu_ref_put(&attach->io);
		return;
	}
	io = io_new(attach, op, msg, data);
	count(pool, io->op, io->length);
	io->status = modifies(io->op) ? trigger(RMR_SRV_POINT_WRITE_ARRIVED, pool, io) : 0;
	if (io->status)
		go = RMR_SRV_ANSWER;
	else if (modifies(io->op))
		go = rmr_srv_track_write(pool, io, msg);
	if (go == RMR_SRV_SUBMIT)
		rmr_srv_io_submit(pool, io);
	else if (go == RMR_SRV_ANSWER)
		rmr_srv_io_answer(pool, io, io->status);
}
