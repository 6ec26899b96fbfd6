// SPDX-License-Identifier: GPL-2.0-only
/*
 * Block requests to pool requests and back. Owns the tag set and the disk's limits.
 *
 * Each tag carries a pool request and its scatterlist, sized when the disk is made, so nothing is
 * allocated per I/O. A request never times out here: it waits in the pool while the pool is
 * suspended, and unmap --force ends that.
 */
#include "brmr.h"

/* Requests in flight on one disk; the session's depth bounds it too. */
#define BRMR_DEPTH	128
/* WRITE_ZEROES that some leg must write out, in bytes. */
#define BRMR_ZEROES_SLOW	(16u << 20)

struct brmr_cmd {
	int			status;
	struct rmr_clt_req	req;		/* last: rmr_clt_req_size() bytes, then the sgl */
};

static void brmr_req_done(struct rmr_clt_req *req, int status)
{
	struct brmr_cmd *cmd = container_of(req, struct brmr_cmd, req);

	cmd->status = status;
	blk_mq_complete_request(blk_mq_rq_from_pdu(cmd));
}

static void brmr_complete(struct request *rq)
{
	struct brmr_cmd *cmd = blk_mq_rq_to_pdu(rq);

	blk_mq_end_request(rq, errno_to_blk_status(cmd->status));
}

static int brmr_op(struct request *rq, u8 *op, u16 *flags)
{
	*flags = 0;
	switch (req_op(rq)) {
	case REQ_OP_READ:
		*op = RMR_OP_READ;
		break;
	case REQ_OP_WRITE:
		*op = RMR_OP_WRITE;
		break;
	case REQ_OP_FLUSH:
		*op = RMR_OP_FLUSH;
		return 0;
	case REQ_OP_DISCARD:
		*op = RMR_OP_DISCARD;
		return 0;
	case REQ_OP_WRITE_ZEROES:
		*op = RMR_OP_WRITE_ZEROES;
		if (rq->cmd_flags & REQ_NOUNMAP)
			*flags |= RMR_IO_F_NOUNMAP;
		break;
	default:
		return -EOPNOTSUPP;
	}
	if (*op != RMR_OP_READ && (rq->cmd_flags & REQ_FUA))
		*flags |= RMR_IO_F_FUA;
	if (op_is_sync(rq->cmd_flags))
		*flags |= RMR_IO_F_SYNC;
	return 0;
}

static blk_status_t brmr_queue_rq(struct blk_mq_hw_ctx *hctx,
				  const struct blk_mq_queue_data *bd)
{
	struct brmr_dev *dev = hctx->queue->queuedata;
	struct request *rq = bd->rq;
	struct brmr_cmd *cmd = blk_mq_rq_to_pdu(rq);
	struct rmr_clt_req *req = &cmd->req;

	if (brmr_op(rq, &req->op, &req->flags))
		return BLK_STS_NOTSUPP;
	blk_mq_start_request(rq);
	req->offset = blk_rq_pos(rq) << SECTOR_SHIFT;
	req->length = blk_rq_bytes(rq);
	req->nents = 0;
	if (req->op == RMR_OP_FLUSH) {
		req->offset = 0;
		req->length = 0;
	} else if (req->op == RMR_OP_READ || req->op == RMR_OP_WRITE) {
		sg_init_table(req->sgl, dev->max_segments);
		req->nents = blk_rq_map_sg(hctx->queue, rq, req->sgl);
	}
	rmr_clt_submit(dev->pool, req);
	return BLK_STS_OK;
}

static int brmr_init_request(struct blk_mq_tag_set *set, struct request *rq, unsigned int hctx,
			     unsigned int node)
{
	struct brmr_dev *dev = set->driver_data;
	struct brmr_cmd *cmd = blk_mq_rq_to_pdu(rq);

	rmr_clt_req_init(dev->pool, &cmd->req);
	cmd->req.sgl = (void *)&cmd->req + rmr_clt_req_size(dev->pool);
	cmd->req.done = brmr_req_done;
	return 0;
}

static enum blk_eh_timer_return brmr_timeout(struct request *rq)
{
	return BLK_EH_RESET_TIMER;
}

/*
 * A flush of ours may end inside the end of a flush of a store in the same kernel (transport loop):
 * another queue's lock of the same class otherwise.
 */
static struct lock_class_key brmr_fq_lock_key;

static int brmr_init_hctx(struct blk_mq_hw_ctx *hctx, void *driver_data, unsigned int index)
{
	blk_mq_hctx_set_fq_lock_class(hctx, &brmr_fq_lock_key);
	return 0;
}

static const struct blk_mq_ops brmr_mq_ops = {
	.queue_rq	= brmr_queue_rq,
	.complete	= brmr_complete,
	.init_hctx	= brmr_init_hctx,
	.init_request	= brmr_init_request,
	.timeout	= brmr_timeout,
};

static void brmr_limits(struct brmr_dev *dev, struct queue_limits *lim)
{
	const struct rmr_clt_limits *l = rmr_clt_limits(dev->pool);
	const struct rmr_limits_le *s = &l->store;
	u32 zeroes = le32_to_cpu(s->zeroes_max);

	memset(lim, 0, sizeof(*lim));
	lim->logical_block_size = le32_to_cpu(s->logical_block);
	lim->physical_block_size = max_t(u32, le32_to_cpu(s->physical_block),
					 lim->logical_block_size);
	lim->io_min = le32_to_cpu(s->io_min);
	lim->io_opt = le32_to_cpu(s->io_opt);
	lim->max_hw_sectors = l->max_io >> SECTOR_SHIFT;
	lim->max_segments = l->max_segments;
	/* One memory region per request: no gap inside it. */
	lim->virt_boundary_mask = SZ_4K - 1;
	/* No read or write crosses a chunk. */
	lim->chunk_sectors = l->chunk_size >> SECTOR_SHIFT;
	if (s->discard_max) {
		lim->max_hw_discard_sectors = le32_to_cpu(s->discard_max) >> SECTOR_SHIFT;
		lim->discard_granularity = max_t(u32, le32_to_cpu(s->discard_granularity),
						 lim->logical_block_size);
	}
	lim->max_write_zeroes_sectors = (zeroes ?: BRMR_ZEROES_SLOW) >> SECTOR_SHIFT;
	/* The legs read the pages at different times; they must not change in between. */
	lim->features = BLK_FEAT_STABLE_WRITES;
	if (s->write_cache)
		lim->features |= BLK_FEAT_WRITE_CACHE | BLK_FEAT_FUA;
	if (s->rotational)
		lim->features |= BLK_FEAT_ROTATIONAL;
}

int brmr_queue_init(struct brmr_dev *dev)
{
	const struct rmr_clt_limits *l = rmr_clt_limits(dev->pool);
	struct blk_mq_tag_set *set = &dev->tag_set;
	struct queue_limits lim;
	struct gendisk *disk;
	int err;

	dev->max_segments = l->max_segments;
	set->ops = &brmr_mq_ops;
	set->queue_depth = min_t(u32, l->queue_depth, BRMR_DEPTH);
	set->numa_node = NUMA_NO_NODE;
	set->nr_hw_queues = num_online_cpus();
	set->cmd_size = offsetof(struct brmr_cmd, req) + rmr_clt_req_size(dev->pool) +
			l->max_segments * sizeof(struct scatterlist);
	set->flags = BLK_MQ_F_SHOULD_MERGE;
	set->driver_data = dev;
	err = blk_mq_alloc_tag_set(set);
	if (err)
		return err;
	brmr_limits(dev, &lim);
	disk = blk_mq_alloc_disk(set, &lim, dev);
	if (IS_ERR(disk)) {
		blk_mq_free_tag_set(set);
		return PTR_ERR(disk);
	}
	dev->disk = disk;
	dev->disk->fops = &brmr_fops;
	dev->disk->private_data = dev;
	set_capacity(dev->disk, l->size >> SECTOR_SHIFT);
	return 0;
}

void brmr_queue_exit(struct brmr_dev *dev)
{
	put_disk(dev->disk);
	blk_mq_free_tag_set(&dev->tag_set);
}
