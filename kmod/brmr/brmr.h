/* SPDX-License-Identifier: GPL-2.0-only */
/* Internal to brmr_client.ko. */
#ifndef BRMR_H
#define BRMR_H

#include <linux/blk-mq.h>
#include <rmr/rmr.h>
#include <uapi/linux/rmr.h>

struct brmr_dev {
	struct list_head	entry;		/* of the list in dev.c, under its lock */
	struct kref		ref;
	struct rmr_clt_pool	*pool;
	struct blk_mq_tag_set	tag_set;
	struct gendisk		*disk;
	unsigned int		max_segments;
	int			index;
	/* under the list's lock */
	bool			mapped;		/* the disk is there */
	bool			unmapping;
	bool			closed;		/* the pool is going or gone */
	unsigned int		users;		/* commands on its legs */
	u8			told;		/* members known outside; of pool_changed() */
	char			name[RMR_NAME_LEN];
};

/* queue.c */
int brmr_queue_init(struct brmr_dev *dev);
void brmr_queue_exit(struct brmr_dev *dev);

/* dev.c */
extern const struct block_device_operations brmr_fops;

#endif /* BRMR_H */
