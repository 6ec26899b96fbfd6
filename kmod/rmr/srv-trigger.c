// SPDX-License-Identifier: GPL-2.0-only
/*
 * Named triggers for tests, in debugfs rmr_server/triggers. A line sets one:
 *
 *	POINT LEG NTH ACTION [ARG]
 *	copy-held 1 3 panic		the third chunk that member 1 holds: the node dies
 *	write-arrived any 10 fail -5	the tenth write fails with EIO
 *	mark any 1 delay 2000		the next MARK takes two seconds longer
 *	copy-apply 1 1 hold		stops there until "release"
 *
 * A trigger fires once. "release" lets everything go on that is held; "clear" takes all away.
 * Reading lists the triggers and how often their points were passed.
 *
 * Lock: trigger_lock (spinlock). Points are in process context and may sleep; the static key is
 * changed under write_lock (mutex).
 */
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "srv-trigger.h"

#define TRIGGERS	16u
#define ANY_LEG		0xffu
#define LINE_MAX	80u

enum action { ACT_FAIL, ACT_DELAY, ACT_HOLD, ACT_PANIC, ACT_COUNT };

struct trigger {
	bool	used;
	bool	fired;
	u8	leg;			/* or ANY_LEG */
	enum rmr_srv_point point;
	enum action action;
	u32	nth;
	u32	hits;
	int	arg;			/* errno or ms */
};

static const char * const point_names[RMR_SRV_POINT_COUNT] = {
	[RMR_SRV_POINT_WRITE_ARRIVED]	= "write-arrived",
	[RMR_SRV_POINT_MAP_WRITE]	= "map-write",
	[RMR_SRV_POINT_SB_WRITE]	= "sb-write",
	[RMR_SRV_POINT_MARK]		= "mark",
	[RMR_SRV_POINT_CLEAR]		= "clear",
	[RMR_SRV_POINT_MAP_PULL]	= "map-pull",
	[RMR_SRV_POINT_COPY_READ]	= "copy-read",
	[RMR_SRV_POINT_COPY_APPLY]	= "copy-apply",
	[RMR_SRV_POINT_COPY_HELD]	= "copy-held",
	[RMR_SRV_POINT_RESYNC_READ]	= "resync-read",
};

static const char * const action_names[] = { "fail", "delay", "hold", "panic" };

DEFINE_STATIC_KEY_FALSE(rmr_srv_triggered);
static DEFINE_SPINLOCK(trigger_lock);		/* guards triggers and released */
static struct trigger triggers[TRIGGERS];
static unsigned int released;			/* times "release" was said */
static DECLARE_WAIT_QUEUE_HEAD(hold_wait);
static DEFINE_MUTEX(write_lock);
static struct dentry *dir;

static int act(const struct trigger *t, unsigned int before)
{
	pr_info("rmr trigger %s: %s\n", point_names[t->point], action_names[t->action]);
	switch (t->action) {
	case ACT_FAIL:
		return t->arg;
	case ACT_DELAY:
		msleep(t->arg);
		return 0;
	case ACT_HOLD:
		wait_event(hold_wait, READ_ONCE(released) != before);
		return 0;
	default:
		panic("rmr trigger %s\n", point_names[t->point]);
	}
}

int rmr_srv_trigger_hit(enum rmr_srv_point point, unsigned int leg)
{
	struct trigger fire = {};
	unsigned int i, before;
	unsigned long flags;

	spin_lock_irqsave(&trigger_lock, flags);
	before = released;
	for (i = 0; i < TRIGGERS; i++) {
		struct trigger *t = &triggers[i];

		if (!t->used || t->point != point || (t->leg != ANY_LEG && t->leg != leg))
			continue;
		if (++t->hits != t->nth || fire.used)
			continue;
		t->fired = true;
		fire = *t;
	}
	spin_unlock_irqrestore(&trigger_lock, flags);
	return fire.used ? act(&fire, before) : 0;
}

static int parse(char *line, struct trigger *t)
{
	char *word[5] = {};
	unsigned int i;
	int found;

	for (i = 0; i < ARRAY_SIZE(word); i++)
		word[i] = strsep(&line, " ");
	if (!word[3] || line)
		return -EINVAL;
	found = match_string(point_names, RMR_SRV_POINT_COUNT, word[0]);
	if (found < 0)
		return -EINVAL;
	t->point = found;
	found = match_string(action_names, ACT_COUNT, word[3]);
	if (found < 0)
		return -EINVAL;
	t->action = found;
	if (!strcmp(word[1], "any"))
		t->leg = ANY_LEG;
	else if (kstrtou8(word[1], 10, &t->leg) || t->leg > 7)
		return -EINVAL;
	if (kstrtou32(word[2], 10, &t->nth) || !t->nth)
		return -EINVAL;
	if (t->action <= ACT_DELAY ? !word[4] || kstrtoint(word[4], 10, &t->arg) : !!word[4])
		return -EINVAL;
	if (t->action == ACT_FAIL ? t->arg >= 0 || t->arg < -511 : t->arg < 0 || t->arg > 60000)
		return -EINVAL;
	t->used = true;
	return 0;
}

static int add(const struct trigger *t)
{
	unsigned long flags;
	unsigned int i;
	int err = -ENOSPC;

	spin_lock_irqsave(&trigger_lock, flags);
	for (i = 0; i < TRIGGERS && err; i++) {
		if (triggers[i].used && !triggers[i].fired)
			continue;
		triggers[i] = *t;
		err = 0;
	}
	spin_unlock_irqrestore(&trigger_lock, flags);
	if (!err)
		static_branch_enable(&rmr_srv_triggered);
	return err;
}

static void release_all(bool clear)
{
	unsigned long flags;

	spin_lock_irqsave(&trigger_lock, flags);
	WRITE_ONCE(released, released + 1);
	if (clear)
		memset(triggers, 0, sizeof(triggers));
	spin_unlock_irqrestore(&trigger_lock, flags);
	wake_up_all(&hold_wait);
	if (clear)
		static_branch_disable(&rmr_srv_triggered);
}

static ssize_t triggers_write(struct file *file, const char __user *from, size_t len, loff_t *pos)
{
	char line[LINE_MAX] = {};
	struct trigger t = {};
	int err = 0;

	if (!len || len >= sizeof(line))
		return -EINVAL;
	if (copy_from_user(line, from, len))
		return -EFAULT;
	strim(line);
	mutex_lock(&write_lock);
	if (!strcmp(line, "release"))
		release_all(false);
	else if (!strcmp(line, "clear"))
		release_all(true);
	else
		err = parse(line, &t) ?: add(&t);
	mutex_unlock(&write_lock);
	return err ?: (ssize_t)len;
}

static int triggers_show(struct seq_file *seq, void *unused)
{
	struct trigger all[TRIGGERS];
	unsigned long flags;
	unsigned int i;

	spin_lock_irqsave(&trigger_lock, flags);
	memcpy(all, triggers, sizeof(all));
	spin_unlock_irqrestore(&trigger_lock, flags);
	for (i = 0; i < TRIGGERS; i++) {
		if (!all[i].used)
			continue;
		seq_printf(seq, "%s %d %u %s %d hits %u%s\n", point_names[all[i].point],
			   all[i].leg == ANY_LEG ? -1 : all[i].leg, all[i].nth,
			   action_names[all[i].action], all[i].arg, all[i].hits,
			   all[i].fired ? " fired" : "");
	}
	return 0;
}

static int triggers_open(struct inode *inode, struct file *file)
{
	return single_open(file, triggers_show, NULL);
}

static const struct file_operations triggers_ops = {
	.owner		= THIS_MODULE,
	.open		= triggers_open,
	.read		= seq_read,
	.write		= triggers_write,
	.llseek		= seq_lseek,
	.release	= single_release,
};

void rmr_srv_trigger_init(void)
{
	dir = debugfs_create_dir("rmr_server", NULL);
	debugfs_create_file("triggers", 0600, dir, NULL, &triggers_ops);
}

void rmr_srv_trigger_exit(void)
{
	debugfs_remove_recursive(dir);
	release_all(true);
}
