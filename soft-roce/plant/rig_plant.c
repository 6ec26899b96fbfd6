// SPDX-License-Identifier: GPL-2.0-only
/*
 * rig_plant - plants one kernel report, so that the rig's console matcher is tested on real ones.
 *
 * `modprobe rig_plant what=NAME` makes the report in process context. Loading fails with -EINVAL for
 * an unknown name. Nothing here is meant to be loaded outside a test.
 */
#include <linux/bug.h>
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

static char *what = "";
module_param(what, charp, 0);
MODULE_PARM_DESC(what, "report to plant");

static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);
static DEFINE_SPINLOCK(spin);

static void plant_warning(void)
{
	WARN(1, "planted\n");
}

static void plant_bug(void)
{
	BUG();
}

static void plant_kasan(void)
{
	u8 *p = kmalloc(16, GFP_KERNEL);

	if (!p)
		return;
	kfree(p);
	WRITE_ONCE(*p, 1);
}

/* Two orders of two locks: a deadlock that did not happen yet. */
static void plant_lockdep(void)
{
	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);
	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
}

static void plant_sleep(void)
{
	spin_lock(&spin);
	might_sleep();
	spin_unlock(&spin);
}

static void plant_refcount(void)
{
	refcount_t r = REFCOUNT_INIT(1);

	refcount_dec(&r);
}

static void plant_list(void)
{
	struct list_head head, entry;

	INIT_LIST_HEAD(&head);
	list_add(&entry, &head);
	head.next = &head;
	list_del(&entry);
}

static void plant_ubsan(void)
{
	volatile int shift = 40;
	volatile int value = 1;

	value <<= shift;
}

/*
 * Several: a stale pointer somewhere on a stack may hide one. Cleared: an object as it comes from the
 * allocator still holds the free list's pointer to the next one, so that a single live neighbour would
 * hide them all. kmemleak finds them at its next scan.
 */
static void plant_leak(void)
{
	static void *leaked;
	int i;

	for (i = 0; i < 16; i++)
		WRITE_ONCE(leaked, kzalloc(333, GFP_KERNEL));
	WRITE_ONCE(leaked, NULL);
}

static void expired(struct timer_list *timer)
{
}

static void plant_odebug(void)
{
	struct work_struct *work = kmalloc(sizeof(*work), GFP_KERNEL);
	struct timer_list *timer = kmalloc(sizeof(*timer), GFP_KERNEL);

	if (work && timer) {
		timer_setup(timer, expired, 0);
		mod_timer(timer, jiffies + 3600 * HZ);
	}
	kfree(timer);
	kfree(work);
}

static int hang(void *never)
{
	wait_for_completion(never);
	return 0;
}

static void plant_hang(void)
{
	static DECLARE_COMPLETION(never);

	kthread_run(hang, &never, "rig_hang");
}

static void plant_oops(void)
{
	u8 *p = (u8 *)16;

	WRITE_ONCE(*p, 1);
}

static const struct {
	const char *name;
	void (*plant)(void);
} plants[] = {
	{ "warning", plant_warning },
	{ "bug", plant_bug },
	{ "kasan", plant_kasan },
	{ "lockdep", plant_lockdep },
	{ "sleep", plant_sleep },
	{ "refcount", plant_refcount },
	{ "list", plant_list },
	{ "ubsan", plant_ubsan },
	{ "leak", plant_leak },
	{ "odebug", plant_odebug },
	{ "hang", plant_hang },
	{ "oops", plant_oops },
};

static int __init rig_plant_init(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(plants); i++) {
		if (!strcmp(plants[i].name, what)) {
			plants[i].plant();
			return 0;
		}
	}
	return -EINVAL;
}
module_init(rig_plant_init);

/* Needed for rmmod only. A thread planted by "hang" stays, so this module must stay then too. */
static void __exit rig_plant_exit(void)
{
}
module_exit(rig_plant_exit);

MODULE_DESCRIPTION("Plants kernel reports for tests of the rig");
MODULE_LICENSE("GPL");
