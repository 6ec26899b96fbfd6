// SPDX-License-Identifier: GPL-2.0-only
/*
 * brmr_client.ko: block devices of mapped pools; commands map and unmap, their status.
 *
 * Locks: dev_lock (mutex) guards the list and the flags of a device; it is not held while a pool is
 * attached or a disk goes, which may take long.
 *
 * Unmap: unmapping set -> del_gendisk() (flushes, waits for requests) -> pool detached -> off the
 * list -> disk and tags freed when the last reference goes. With force, requests that wait for a
 * lost leg fail first.
 */
#include <linux/idr.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include "brmr.h"

static DEFINE_MUTEX(dev_lock);
static LIST_HEAD(dev_list);
static DEFINE_IDA(dev_ida);
static DECLARE_WAIT_QUEUE_HEAD(dev_idle);	/* a command on a leg has ended */

const struct block_device_operations brmr_fops = {
	.owner	= THIS_MODULE,
};

static const char * const state_names[] = {
	[RMR_DEVICE_STATE_ATTACHING]	= "attaching",
	[RMR_DEVICE_STATE_LIVE]		= "live",
	[RMR_DEVICE_STATE_SUSPENDED]	= "suspended",
	[RMR_DEVICE_STATE_DETACHING]	= "detaching",
};

/* ---- read-only status in /sys/block/brmrN/brmr/ ---- */

static ssize_t pool_show(struct device *d, struct device_attribute *attr, char *buf)
{
	struct brmr_dev *dev = dev_to_disk(d)->private_data;

	return sysfs_emit(buf, "%s\n", dev->name);
}
static DEVICE_ATTR_RO(pool);

static ssize_t state_show(struct device *d, struct device_attribute *attr, char *buf)
{
	struct brmr_dev *dev = dev_to_disk(d)->private_data;
	struct rmr_device_info info;

	rmr_clt_device_info(dev->pool, &info);
	return sysfs_emit(buf, "%s\n", state_names[info.state]);
}
static DEVICE_ATTR_RO(state);

static struct attribute *brmr_attrs[] = {
	&dev_attr_pool.attr,
	&dev_attr_state.attr,
	NULL
};

static const struct attribute_group brmr_group = {
	.name	= "brmr",
	.attrs	= brmr_attrs,
};

static const struct attribute_group *brmr_groups[] = {
	&brmr_group,
	NULL
};

/* ---- life time ---- */

static void dev_release(struct kref *ref)
{
	struct brmr_dev *dev = container_of(ref, struct brmr_dev, ref);

	kfree(dev);
	module_put(THIS_MODULE);
}

static void dev_put(struct brmr_dev *dev)
{
	kref_put(&dev->ref, dev_release);
}

static void info_fill(struct brmr_dev *dev, struct rmr_device_info *info)
{
	rmr_clt_device_info(dev->pool, info);
	info->index = dev->index;
}

/* The pool or one of its legs changed. Called by the pool, so it exists. */
/* The last word of a leg whose member was removed. */
static void leg_gone(struct brmr_dev *dev, unsigned int id, struct rmr_leg_info *leg)
{
	memset(leg, 0, sizeof(*leg));
	strscpy(leg->pool_name, dev->name, sizeof(leg->pool_name));
	leg->member_id = id;
	leg->kind = RMR_MEMBER_NONE;
	leg->state = RMR_LEG_STATE_FAILED;
	leg->reason = RMR_REASON_LEAVING;
	dev->told &= ~BIT(id);
}

/* Those that whoever asks sees from now on; before the device is mapped. */
static void legs_known(struct brmr_dev *dev)
{
	struct rmr_leg_info leg;
	unsigned int id;

	for (id = 0; id < RMR_MAX_MEMBERS; id++)
		if (!rmr_clt_leg_info(dev->pool, id, &leg))
			dev->told |= BIT(id);
}

static void pool_changed(void *priv)
{
	struct brmr_dev *dev = priv;
	struct rmr_device_info info;
	struct rmr_leg_info leg;
	unsigned int id;

	if (!READ_ONCE(dev->mapped))
		return;
	info_fill(dev, &info);
	rmr_notify_device(&info);
	for (id = 0; id < RMR_MAX_MEMBERS; id++) {
		if (!rmr_clt_leg_info(dev->pool, id, &leg))
			dev->told |= BIT(id);
		else if (dev->told & BIT(id))
			leg_gone(dev, id, &leg);
		else
			continue;
		leg.device_index = dev->index;
		rmr_notify_leg(&leg);
	}
}

/*
 * Nobody opens the disk while its lock is held. Tried only: who opens it may wait for I/O, and that
 * for whoever calls. Partitions are looked for anew at the next open.
 */
static int pool_shrink(void *priv, u64 size)
{
	struct brmr_dev *dev = priv;
	int err = -EBUSY;

	if (!mutex_trylock(&dev->disk->open_mutex))
		return err;
	if (!disk_openers(dev->disk))
		err = rmr_clt_cap(dev->pool, size);
	if (!err) {
		set_capacity_and_notify(dev->disk, size >> SECTOR_SHIFT);
		set_bit(GD_NEED_PART_SCAN, &dev->disk->state);
	}
	mutex_unlock(&dev->disk->open_mutex);
	return err;
}

static const struct rmr_clt_pool_ops pool_ops = {
	.changed	= pool_changed,
	.shrink		= pool_shrink,
};

static struct brmr_dev *dev_find(const struct rmr_device_spec *spec)
{
	struct brmr_dev *dev;

	lockdep_assert_held(&dev_lock);
	list_for_each_entry(dev, &dev_list, entry) {
		if (spec->index >= 0 && dev->index != spec->index)
			continue;
		if (spec->name && strcmp(dev->name, spec->name))
			continue;
		return dev;
	}
	return NULL;
}

/* Takes a place in the list for the pool's name, so that a pool is mapped once. */
static struct brmr_dev *dev_reserve(const struct rmr_device_spec *spec,
				    struct netlink_ext_ack *extack)
{
	struct brmr_dev *dev = kzalloc(sizeof(*dev), GFP_KERNEL), *old;

	if (!dev)
		return ERR_PTR(-ENOMEM);
	kref_init(&dev->ref);
	strscpy(dev->name, spec->name, sizeof(dev->name));
	mutex_lock(&dev_lock);
	old = dev_find(spec);
	if (old) {
		NL_SET_ERR_MSG_FMT(extack, "pool %.40s is mapped as brmr%d", dev->name, old->index);
		goto unlock;
	}
	dev->index = ida_alloc(&dev_ida, GFP_KERNEL);
	if (dev->index < 0)
		goto unlock;
	list_add_tail(&dev->entry, &dev_list);
	mutex_unlock(&dev_lock);
	__module_get(THIS_MODULE);
	return dev;
unlock:
	mutex_unlock(&dev_lock);
	kfree(dev);
	return ERR_PTR(old ? -EEXIST : -ENOSPC);
}

static void dev_unlist(struct brmr_dev *dev)
{
	mutex_lock(&dev_lock);
	list_del(&dev->entry);
	mutex_unlock(&dev_lock);
	ida_free(&dev_ida, dev->index);
	dev_put(dev);
}

/* ---- commands ---- */

static int brmr_map(const struct rmr_device_spec *spec, struct rmr_device_info *info,
		    struct netlink_ext_ack *extack)
{
	struct rmr_device_spec by_name = *spec;
	struct rmr_clt_pool *pool;
	struct brmr_dev *dev;
	int err;

	by_name.index = -1;
	dev = dev_reserve(&by_name, extack);
	if (IS_ERR(dev))
		return PTR_ERR(dev);
	pool = rmr_clt_open(spec, &pool_ops, dev, extack);
	if (IS_ERR(pool)) {
		err = PTR_ERR(pool);
		goto unlist;
	}
	dev->pool = pool;
	err = brmr_queue_init(dev);
	if (err) {
		NL_SET_ERR_MSG_FMT(extack, "cannot make the block device: error %d", err);
		goto close;
	}
	snprintf(dev->disk->disk_name, sizeof(dev->disk->disk_name), "brmr%d", dev->index);
	info_fill(dev, info);
	err = device_add_disk(NULL, dev->disk, brmr_groups);
	if (err)
		goto queue;
	legs_known(dev);
	mutex_lock(&dev_lock);
	WRITE_ONCE(dev->mapped, true);
	mutex_unlock(&dev_lock);
	rmr_notify_device(info);
	return 0;
queue:
	brmr_queue_exit(dev);
close:
	rmr_clt_close(pool);
unlist:
	dev_unlist(dev);
	return err;
}

/* May the device go now? Marks it as going. */
static int unmap_begin(struct brmr_dev *dev, bool force, struct netlink_ext_ack *extack)
{
	lockdep_assert_held(&dev_lock);
	if (dev->unmapping) {
		/* Somebody waits for requests that may never end by themselves. */
		if (force && !dev->closed)
			rmr_clt_abort(dev->pool);
		NL_SET_ERR_MSG(extack, "device is being unmapped already");
		return -EALREADY;
	}
	if (!force && disk_openers(dev->disk)) {
		NL_SET_ERR_MSG(extack, "device is open or mounted: close it first");
		return -EBUSY;
	}
	if (!force && !rmr_clt_is_live(dev->pool)) {
		NL_SET_ERR_MSG(extack, "pool is suspended: wait for its legs or use --force");
		return -EBUSY;
	}
	dev->unmapping = true;
	return 0;
}

static int brmr_unmap(const struct rmr_device_spec *spec, struct netlink_ext_ack *extack)
{
	struct rmr_device_info info;
	struct brmr_dev *dev;
	int err = -ENODEV;

	mutex_lock(&dev_lock);
	dev = dev_find(spec);
	if (dev && !dev->mapped)
		dev = NULL;
	if (dev)
		err = unmap_begin(dev, spec->force, extack);
	else
		NL_SET_ERR_MSG(extack, "no such device or pool is mapped here");
	mutex_unlock(&dev_lock);
	if (err)
		return err;
	if (spec->force && !rmr_clt_is_live(dev->pool))
		rmr_clt_abort(dev->pool);
	del_gendisk(dev->disk);
	mutex_lock(&dev_lock);
	dev->closed = true;
	mutex_unlock(&dev_lock);
	wait_event(dev_idle, !READ_ONCE(dev->users));
	info_fill(dev, &info);
	info.state = RMR_DEVICE_STATE_DETACHING;
	rmr_notify_device(&info);
	brmr_queue_exit(dev);
	err = rmr_clt_close(dev->pool);
	dev_unlist(dev);
	if (err && !spec->force) {
		NL_SET_ERR_MSG_FMT(extack, "unmapped, but not cleanly on every leg: error %d", err);
		return err;
	}
	return 0;
}

/* The n-th mapped device; one not yet or no longer usable is left out. */
static struct brmr_dev *dev_nth(unsigned long n)
{
	struct brmr_dev *dev;

	lockdep_assert_held(&dev_lock);
	list_for_each_entry(dev, &dev_list, entry)
		if (dev->mapped && !dev->closed && !n--)
			return dev;
	return NULL;
}

static int brmr_device_info(unsigned long *cursor, struct rmr_device_info *info)
{
	struct brmr_dev *dev;

	mutex_lock(&dev_lock);
	dev = dev_nth((*cursor)++);
	if (dev)
		info_fill(dev, info);
	mutex_unlock(&dev_lock);
	return dev ? 0 : -ENOENT;
}

/*
 * The next thing of a kind of which each device has at most so many; the cursor is device times
 * that plus which.
 */
static int next_of(unsigned long *cursor, unsigned int most, void *info,
		   int (*get)(struct brmr_dev *dev, unsigned int which, void *info))
{
	struct brmr_dev *dev;
	int err = -ENOENT;

	mutex_lock(&dev_lock);
	while (err && (dev = dev_nth(*cursor / most)))
		err = get(dev, (*cursor)++ % most, info);
	mutex_unlock(&dev_lock);
	return err;
}

static int get_leg(struct brmr_dev *dev, unsigned int id, void *obj)
{
	struct rmr_leg_info *info = obj;
	int err = rmr_clt_leg_info(dev->pool, id, info);

	info->device_index = dev->index;
	return err;
}

static int brmr_leg_info(unsigned long *cursor, struct rmr_leg_info *info)
{
	return next_of(cursor, RMR_MAX_MEMBERS, info, get_leg);
}

static int get_latency(struct brmr_dev *dev, unsigned int nr, void *obj)
{
	struct rmr_latency_info *info = obj;
	int err = rmr_clt_latency(dev->pool, nr, info);

	info->device_index = dev->index;
	return err;
}

static int brmr_latency(unsigned long *cursor, struct rmr_latency_info *info)
{
	return next_of(cursor, RMR_CLT_LATENCIES, info, get_latency);
}

/* The mapped device of a pool, with a reference, so that it does not go meanwhile. */
static struct brmr_dev *dev_get(const char *name, struct netlink_ext_ack *extack)
{
	struct rmr_device_spec by_name = { .name = name, .index = -1 };
	struct brmr_dev *dev;

	mutex_lock(&dev_lock);
	dev = dev_find(&by_name);
	if (dev && dev->mapped && !dev->closed)
		dev->users++;
	else
		dev = NULL;
	mutex_unlock(&dev_lock);
	if (!dev)
		NL_SET_ERR_MSG(extack, "no such device or pool is mapped here");
	return dev;
}

static void dev_done(struct brmr_dev *dev)
{
	mutex_lock(&dev_lock);
	if (!--dev->users)
		wake_up(&dev_idle);
	mutex_unlock(&dev_lock);
}

static int brmr_leg_eject(const struct rmr_leg_spec *spec, struct netlink_ext_ack *extack)
{
	struct brmr_dev *dev = dev_get(spec->name, extack);
	int err;

	if (!dev)
		return -ENODEV;
	err = rmr_clt_leg_eject(dev->pool, spec->member_id, spec->force, extack);
	dev_done(dev);
	return err;
}

static int brmr_leg_return(const struct rmr_leg_spec *spec, struct netlink_ext_ack *extack)
{
	struct brmr_dev *dev = dev_get(spec->name, extack);
	int err;

	if (!dev)
		return -ENODEV;
	err = rmr_clt_leg_return(dev->pool, spec->member_id, extack);
	dev_done(dev);
	return err;
}

static int brmr_leg_set(const struct rmr_leg_spec *spec, struct netlink_ext_ack *extack)
{
	struct brmr_dev *dev = dev_get(spec->name, extack);
	int err;

	if (!dev)
		return -ENODEV;
	err = rmr_clt_leg_set(dev->pool, spec, extack);
	dev_done(dev);
	return err;
}

/*
 * A larger one: the members first, so that what the block layer may send is there on all of them.
 * A smaller one: the disk first, see pool_shrink().
 */
static int brmr_resize(const struct rmr_device_spec *spec, struct netlink_ext_ack *extack)
{
	struct brmr_dev *dev = dev_get(spec->name, extack);
	int err;

	if (!dev)
		return -ENODEV;
	err = rmr_clt_resize(dev->pool, spec->size, spec->force, extack);
	if (!err)
		set_capacity_and_notify(dev->disk, spec->size >> SECTOR_SHIFT);
	dev_done(dev);
	return err;
}

static struct rmr_clt_ctl brmr_commands = {
	.owner		= THIS_MODULE,
	.map		= brmr_map,
	.unmap		= brmr_unmap,
	.resize		= brmr_resize,
	.device_info	= brmr_device_info,
	.leg_info	= brmr_leg_info,
	.latency	= brmr_latency,
	.leg_eject	= brmr_leg_eject,
	.leg_return	= brmr_leg_return,
	.leg_set	= brmr_leg_set,
};

static int __init brmr_client_init(void)
{
	return rmr_clt_ctl_register(&brmr_commands);
}

static void __exit brmr_client_exit(void)
{
	rmr_clt_ctl_unregister(&brmr_commands);
	WARN_ON(!list_empty(&dev_list));
	ida_destroy(&dev_ida);
}

module_init(brmr_client_init);
module_exit(brmr_client_exit);

MODULE_DESCRIPTION("Block devices over reliable multicast replication: client");
MODULE_LICENSE("GPL");
