// SPDX-License-Identifier: GPL-2.0-only
/*
 * brmr_server.ko: block devices as stores of rmr.
 *
 * A store owns its block device exclusively. One data request is one bio, allocated from the
 * store's own bio_set with its bookkeeping in front, so the data path cannot fail for lack of
 * memory. DISCARD and WRITE_ZEROES both make the range read as zeros, by the device if it can and
 * by writing otherwise, so that all legs agree; they run in a work item, because the block layer
 * offers that only as a call that waits.
 *
 * A store may have its metadata on a device of its own. What makes what stable then:
 *
 * - Metadata: rw_md writes with PREFLUSH and FUA, to the metadata device: the block is stable when
 *   it returns. Nothing that is stable on one device says anything about the other: the PREFLUSH of
 *   a metadata write covers no data, and where both are on one device nobody may rely on it either.
 * - Data: flush, a FLUSH request and FUA, to the data device alone. No metadata waits for them: its
 *   writes are stable when they return.
 *
 * So the order between the two is kept by waiting, never by a barrier: an intent or mark is stable
 * (rw_md has returned) before the data is submitted (R3.2); data is stable (flush has returned)
 * before an intent is let go, a chunk counts as held, "clean" is written or a promotion is prepared
 * (R3.8, R5.5, R5.7, R2.11). Who relies on which: rmr_srv_flush() and its callers, the group flush
 * of copies in srv-copy.c, FLUSH requests in srv-io.c on data; rmr_srv_sb_commit() and the map's
 * writer in srv-map.c on rw_md.
 *
 * Contexts: submit in process context, completion in any.
 */
#include <linux/blkdev.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include <rmr/rmr.h>

/* Largest DISCARD or WRITE_ZEROES told to clients when the device does it itself, in bytes. */
#define ZEROES_MAX	SZ_1G
#define STORE_BIOS	64

struct brmr_store {
	struct file		*file;
	struct block_device	*bdev;		/* data */
	struct file		*md_file;	/* NULL: metadata is on bdev too */
	struct block_device	*md_bdev;
	struct bio_set		bios;
};

struct brmr_io {
	struct rmr_store_io	io;
	struct brmr_store	*store;
	struct work_struct	work;
	u64			off;
	u16			flags;
	struct bio		bio;		/* last: vectors follow */
};

static struct workqueue_struct *store_wq;

static int store_check(struct block_device *bdev, struct netlink_ext_ack *extack)
{
	if (bdev_read_only(bdev)) {
		NL_SET_ERR_MSG(extack, "device is read-only");
		return -EROFS;
	}
	if (bdev_logical_block_size(bdev) > RMR_BLOCK_SIZE) {
		NL_SET_ERR_MSG(extack, "logical block size over 4096 bytes is not supported");
		return -EINVAL;
	}
	/* Enough for a witness; whether data fits is known by the pool. */
	if (bdev_nr_bytes(bdev) < RMR_MD_TAIL) {
		NL_SET_ERR_MSG(extack, "device too small for a store");
		return -ENOSPC;
	}
	return 0;
}

/* Opens a device for this store alone, each of the two with a holder of its own. */
static struct file *device_open(const char *path, void *holder, struct netlink_ext_ack *extack)
{
	struct file *file = bdev_file_open_by_path(path, BLK_OPEN_READ | BLK_OPEN_WRITE, holder,
						   NULL);
	int err;

	if (IS_ERR(file)) {
		err = PTR_ERR(file);
		if (err == -EBUSY)
			NL_SET_ERR_MSG(extack, "device is busy: mounted or used by something else");
		else
			NL_SET_ERR_MSG_FMT(extack, "cannot open the device: error %d", err);
		return file;
	}
	err = store_check(file_bdev(file), extack);
	if (!err)
		return file;
	fput(file);
	return ERR_PTR(err);
}

static int store_open_both(struct brmr_store *store, const char *path, const char *md_path,
			   struct netlink_ext_ack *extack)
{
	store->file = device_open(path, &store->file, extack);
	if (IS_ERR(store->file))
		return PTR_ERR(store->file);
	store->bdev = file_bdev(store->file);
	store->md_bdev = store->bdev;
	if (!md_path)
		return 0;
	store->md_file = device_open(md_path, &store->md_file, extack);
	if (IS_ERR(store->md_file)) {
		fput(store->file);
		return PTR_ERR(store->md_file);
	}
	store->md_bdev = file_bdev(store->md_file);
	return 0;
}

static void store_fput(struct brmr_store *store)
{
	if (store->md_file)
		fput(store->md_file);
	fput(store->file);
}

static void *store_open(const char *path, const char *md_path, struct netlink_ext_ack *extack)
{
	struct brmr_store *store = kzalloc(sizeof(*store), GFP_KERNEL);
	int err;

	if (!store)
		return ERR_PTR(-ENOMEM);
	err = store_open_both(store, path, md_path, extack);
	if (err)
		goto free;
	err = bioset_init(&store->bios, STORE_BIOS, offsetof(struct brmr_io, bio),
			  BIOSET_NEED_BVECS);
	if (!err)
		return store;
	store_fput(store);
free:
	kfree(store);
	return ERR_PTR(err);
}

static void store_close(void *priv)
{
	struct brmr_store *store = priv;

	store_fput(store);
	bioset_exit(&store->bios);
	kfree(store);
}

static u64 store_size(void *priv)
{
	struct brmr_store *store = priv;

	return round_down(bdev_nr_bytes(store->md_bdev), RMR_MD_BLOCK);
}

static u64 store_data_size(void *priv)
{
	struct brmr_store *store = priv;

	return round_down(bdev_nr_bytes(store->bdev), RMR_MD_BLOCK);
}

static void store_limits(void *priv, struct rmr_limits_le *l)
{
	struct brmr_store *store = priv;
	struct block_device *bdev = store->bdev;
	bool zeroes = bdev_write_zeroes_sectors(bdev);

	memset(l, 0, sizeof(*l));
	l->logical_block = cpu_to_le32(bdev_logical_block_size(bdev));
	l->physical_block = cpu_to_le32(bdev_physical_block_size(bdev));
	l->io_min = cpu_to_le32(bdev_io_min(bdev));
	l->io_opt = cpu_to_le32(bdev_io_opt(bdev));
	if (zeroes && bdev_max_discard_sectors(bdev)) {
		l->discard_max = cpu_to_le32(ZEROES_MAX);
		l->discard_granularity = cpu_to_le32(bdev_discard_granularity(bdev));
	}
	l->zeroes_max = cpu_to_le32(zeroes ? ZEROES_MAX : 0);
	l->write_cache = bdev_write_cache(bdev);
	l->fua = bdev_fua(bdev);
	l->rotational = !bdev_nonrot(bdev);
}

static int device_rw(struct block_device *bdev, bool write, u64 off, void *buf, size_t len)
{
	struct bio_vec vec;
	struct bio bio;
	int err;

	bio_init(&bio, bdev, &vec, 1,
		 write ? REQ_OP_WRITE | REQ_SYNC | REQ_META | REQ_PREFLUSH | REQ_FUA :
			 REQ_OP_READ | REQ_META);
	bio.bi_iter.bi_sector = off >> SECTOR_SHIFT;
	__bio_add_page(&bio, virt_to_page(buf), len, offset_in_page(buf));
	err = submit_bio_wait(&bio);
	bio_uninit(&bio);
	return err;
}

static int store_rw_md(void *priv, bool write, u64 off, void *buf, size_t len)
{
	struct brmr_store *store = priv;

	return device_rw(store->md_bdev, write, off, buf, len);
}

static int store_rw_data(void *priv, bool write, u64 off, void *buf, size_t len)
{
	struct brmr_store *store = priv;

	return device_rw(store->bdev, write, off, buf, len);
}

/* Stable when it returns. */
static int store_zero(void *priv, u64 off, u64 len)
{
	struct brmr_store *store = priv;
	int err;

	err = blkdev_issue_zeroout(store->bdev, off >> SECTOR_SHIFT, len >> SECTOR_SHIFT,
				   GFP_KERNEL, BLKDEV_ZERO_KILLABLE);
	return err ?: blkdev_issue_flush(store->bdev);
}

static int store_flush(void *priv)
{
	struct brmr_store *store = priv;

	return blkdev_issue_flush(store->bdev);
}

static void store_end_io(struct bio *bio)
{
	struct brmr_io *bio_io = container_of(bio, struct brmr_io, bio);

	bio_io->io.done(&bio_io->io, blk_status_to_errno(bio->bi_status));
	bio_put(bio);
}

static void store_zero_work(struct work_struct *work)
{
	struct brmr_io *bio_io = container_of(work, struct brmr_io, work);
	struct block_device *bdev = bio_io->store->bdev;
	unsigned int keep = bio_io->flags & RMR_IO_F_NOUNMAP ? BLKDEV_ZERO_NOUNMAP : 0;
	int err;

	err = blkdev_issue_zeroout(bdev, bio_io->off >> SECTOR_SHIFT,
				   bio_io->io.length >> SECTOR_SHIFT, GFP_NOIO, keep);
	if (!err && (bio_io->flags & RMR_IO_F_FUA))
		err = blkdev_issue_flush(bdev);
	bio_io->io.done(&bio_io->io, err);
	bio_put(&bio_io->bio);
}

static blk_opf_t store_opf(u8 op, u16 flags)
{
	blk_opf_t opf;

	if (op == RMR_OP_READ)
		opf = REQ_OP_READ;
	else if (op == RMR_OP_FLUSH)
		opf = REQ_OP_WRITE | REQ_PREFLUSH;
	else
		opf = REQ_OP_WRITE;
	if (flags & RMR_IO_F_FUA)
		opf |= REQ_FUA;
	if (flags & RMR_IO_F_SYNC)
		opf |= REQ_SYNC;
	return opf;
}

static struct rmr_store_io *store_alloc_io(void *priv, u8 op, u16 flags)
{
	struct brmr_store *store = priv;
	struct brmr_io *bio_io;
	struct bio *bio;

	bio = bio_alloc_bioset(store->bdev, 1, store_opf(op, flags), GFP_NOIO, &store->bios);
	bio_io = container_of(bio, struct brmr_io, bio);
	bio_io->store = store;
	return &bio_io->io;
}

static void store_free_io(struct rmr_store_io *io)
{
	bio_put(&container_of(io, struct brmr_io, io)->bio);
}

static void store_submit(void *priv, struct rmr_store_io *io, u16 flags, u64 off, void *data,
			 u32 len)
{
	struct brmr_io *bio_io = container_of(io, struct brmr_io, io);
	struct bio *bio = &bio_io->bio;

	if (io->op == RMR_OP_DISCARD || io->op == RMR_OP_WRITE_ZEROES) {
		bio_io->off = off;
		bio_io->flags = flags;
		INIT_WORK(&bio_io->work, store_zero_work);
		queue_work(store_wq, &bio_io->work);
		return;
	}
	bio->bi_end_io = store_end_io;
	bio->bi_iter.bi_sector = off >> SECTOR_SHIFT;
	if (len)
		__bio_add_page(bio, virt_to_page(data), len, offset_in_page(data));
	submit_bio(bio);
}

static const struct rmr_store_ops brmr_store_ops = {
	.owner		= THIS_MODULE,
	.open		= store_open,
	.close		= store_close,
	.size		= store_size,
	.data_size	= store_data_size,
	.limits		= store_limits,
	.rw_md		= store_rw_md,
	.rw_data	= store_rw_data,
	.zero		= store_zero,
	.flush		= store_flush,
	.alloc_io	= store_alloc_io,
	.free_io	= store_free_io,
	.submit		= store_submit,
};

static int __init brmr_server_init(void)
{
	int err;

	store_wq = alloc_workqueue("brmr_store", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (!store_wq)
		return -ENOMEM;
	err = rmr_srv_register_store(&brmr_store_ops);
	if (err)
		destroy_workqueue(store_wq);
	return err;
}

static void __exit brmr_server_exit(void)
{
	rmr_srv_unregister_store(&brmr_store_ops);
	destroy_workqueue(store_wq);
}

module_init(brmr_server_init);
module_exit(brmr_server_exit);

MODULE_DESCRIPTION("Block devices over reliable multicast replication: store");
MODULE_LICENSE("GPL");
