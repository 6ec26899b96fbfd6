// SPDX-License-Identifier: GPL-2.0-only
/*
 * Named triggers for tests, in debugfs rmr_server/triggers. A line sets one:
 *
 *	POINT LEG [OPERATION] NTH [FIRST-LAST] ACTION [ARG]
 *	copy-held 1 3 panic		the third chunk that member 1 holds: the node dies
 *	write-arrived any 10 fail -5	the tenth write fails with EIO
 *	write-arrived 1 discard 1 4-7 hold	a discard in chunks 4 to 7 stops until "release"
 *	mark any 1 delay 2000		the next MARK takes two seconds longer
 *	data 1 write 2 corrupt		a bit of the second write's data is turned as it arrives
 *
 * A trigger counts the passages that match it and fires once, at the NTH. "release" lets everything
 * go on that is held; "clear" takes all away. Reading lists the triggers and their hits. An
 * operation or chunks are refused at a point that does not know them. docs/testing.md has more.
 *
 * Lock: trigger_lock (spinlock). Points are in process context and may sleep; the static key is
 * changed under write_lock (mutex).
 */
#include <linux/ctype.h>
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

#include "srv-pri.h"
#include "srv-trigger.h"

#define TRIGGERS	16u
#define ANY_LEG		0xffu
#define ANY_OP		0xffu
#define LINE_MAX	96u
#define WORDS		7u		/* of a line at most */

enum action { ACT_FAIL, ACT_DELAY, ACT_HOLD, ACT_PANIC, ACT_CORRUPT, ACT_COUNT };

struct trigger {
	bool	used;
	bool	fired;
	u8	leg;			/* or ANY_LEG */
	u8	op;			/* or ANY_OP */
	u64	first;			/* chunks; all: 0 to U64_MAX */
	u64	last;
	enum rmr_srv_point point;
	enum action action;
	u32	nth;
	u32	hits;
	int	arg;			/* errno or ms */
};

/* What a point is passed with, other than the member. */
#define HAS_OP		BIT(0)
#define HAS_CHUNK	BIT(1)
#define HAS_DATA	BIT(2)		/* takes "corrupt" and nothing else */

static const struct {
	const char	*name;
	u8		has;
} points[RMR_SRV_POINT_COUNT] = {
	[RMR_SRV_POINT_WRITE_ARRIVED]	= { "write-arrived", HAS_OP | HAS_CHUNK },
	[RMR_SRV_POINT_DATA]		= { "data", HAS_OP | HAS_CHUNK | HAS_DATA },
	[RMR_SRV_POINT_STORE]		= { "store", HAS_OP | HAS_CHUNK },
	[RMR_SRV_POINT_DISK]		= { "disk", HAS_OP | HAS_CHUNK },
	[RMR_SRV_POINT_PROMISE]		= { "promise", 0 },
	[RMR_SRV_POINT_VIEW]		= { "view", 0 },
	[RMR_SRV_POINT_MAP_WRITE]	= { "map-write", 0 },
	[RMR_SRV_POINT_SB_WRITE]	= { "sb-write", 0 },
	[RMR_SRV_POINT_MARK]		= { "mark", 0 },
	[RMR_SRV_POINT_CLEAR]		= { "clear", HAS_CHUNK },
	[RMR_SRV_POINT_MAP_PULL]	= { "map-pull", 0 },
	[RMR_SRV_POINT_COPY_READ]	= { "copy-read", HAS_CHUNK },
	[RMR_SRV_POINT_COPY_DATA]	= { "copy-data", HAS_CHUNK | HAS_DATA },
	[RMR_SRV_POINT_COPY_APPLY]	= { "copy-apply", HAS_CHUNK },
	[RMR_SRV_POINT_COPY_HELD]	= { "copy-held", HAS_CHUNK },
	[RMR_SRV_POINT_RESYNC_READ]	= { "resync-read", HAS_CHUNK },
	[RMR_SRV_POINT_CLAIM]		= { "claim", 0 },
	[RMR_SRV_POINT_SLOT_TOLD]	= { "slot-told", 0 },
	[RMR_SRV_POINT_SLOT_FREED]	= { "slot-freed", 0 },
	[RMR_SRV_POINT_VERIFY]		= { "verify", HAS_CHUNK },
};

static const char * const action_names[] = { "fail", "delay", "hold", "panic", "corrupt" };

DEFINE_STATIC_KEY_FALSE(rmr_srv_triggered);
static DEFINE_SPINLOCK(trigger_lock);		/* guards triggers and released */
static struct trigger triggers[TRIGGERS];
static unsigned int released;			/* times "release" was said */
static DECLARE_WAIT_QUEUE_HEAD(hold_wait);
static DEFINE_MUTEX(write_lock);
static struct dentry *dir;

static int act(const struct trigger *t, unsigned int before)
{
	pr_info("rmr trigger %s: %s\n", points[t->point].name, action_names[t->action]);
	switch (t->action) {
	case ACT_FAIL:
		return t->arg;
	case ACT_DELAY:
		msleep(t->arg);
		return 0;
	case ACT_HOLD:
		wait_event(hold_wait, READ_ONCE(released) != before);
		return 0;
	case ACT_CORRUPT:
		return 1;
	default:
		panic("rmr trigger %s\n", points[t->point].name);
	}
}

static bool matches(const struct trigger *t, enum rmr_srv_point point,
		    const struct rmr_srv_where *where)
{
	return t->used && t->point == point && (t->leg == ANY_LEG || t->leg == where->leg) &&
	       (t->op == ANY_OP || t->op == where->op) && t->first <= where->last &&
	       where->first <= t->last;
}

int rmr_srv_trigger_hit(enum rmr_srv_point point, const struct rmr_srv_where *where)
{
	struct trigger fire = {};
	unsigned int i, before;
	unsigned long flags;

	spin_lock_irqsave(&trigger_lock, flags);
	before = released;
	for (i = 0; i < TRIGGERS; i++) {
		struct trigger *t = &triggers[i];

		if (!matches(t, point, where) || ++t->hits != t->nth || fire.used)
			continue;
		t->fired = true;
		fire = *t;
	}
	spin_unlock_irqrestore(&trigger_lock, flags);
	return fire.used ? act(&fire, before) : 0;
}

static int parse_point(const char *word, struct trigger *t)
{
	unsigned int i;

	for (i = 0; i < RMR_SRV_POINT_COUNT; i++) {
		if (strcmp(points[i].name, word))
			continue;
		t->point = i;
		return 0;
	}
	return -EINVAL;
}

static int parse_leg(const char *word, struct trigger *t)
{
	t->leg = ANY_LEG;
	if (!strcmp(word, "any"))
		return 0;
	return kstrtou8(word, 10, &t->leg) || t->leg >= RMR_MAX_MEMBERS ? -EINVAL : 0;
}

/* Takes an operation if the word is one. */
static bool parse_op(const char *word, struct trigger *t)
{
	u8 op;

	for (op = 0; op <= RMR_OP_MAX; op++)
		if (!strcmp(rmr_op_name(op), word))
			t->op = op;
	return t->op != ANY_OP;
}

/* Takes chunks, FIRST-LAST, if the word begins with a digit. 0: not chunks, 1: taken. */
static int parse_chunks(char *word, struct trigger *t)
{
	char *last = word;

	if (!isdigit(*word))
		return 0;
	strsep(&last, "-");
	if (!last || kstrtou64(word, 10, &t->first) || kstrtou64(last, 10, &t->last) ||
	    t->first > t->last)
		return -EINVAL;
	return 1;
}

static int parse_action(const char *word, const char *arg, struct trigger *t)
{
	int found = match_string(action_names, ACT_COUNT, word);

	if (found < 0)
		return -EINVAL;
	t->action = found;
	if (t->action > ACT_DELAY)
		return arg ? -EINVAL : 0;
	if (!arg || kstrtoint(arg, 10, &t->arg))
		return -EINVAL;
	if (t->action == ACT_FAIL)
		return t->arg >= 0 || t->arg < -511 ? -EINVAL : 0;
	return t->arg < 0 || t->arg > 60000 ? -EINVAL : 0;
}

static int parse(char *line, struct trigger *t)
{
	char *word[WORDS] = {};
	unsigned int i, n = 0;
	int taken;

	t->op = ANY_OP;
	t->last = U64_MAX;
	for (i = 0; i < WORDS && line; i++)
		word[i] = strsep(&line, " ");
	if (line || !word[3] || parse_point(word[n++], t) || parse_leg(word[n++], t))
		return -EINVAL;
	if (parse_op(word[n], t))
		n++;
	if (kstrtou32(word[n++], 10, &t->nth) || !t->nth || !word[n])
		return -EINVAL;
	taken = parse_chunks(word[n], t);
	if (taken < 0 || (taken && !(points[t->point].has & HAS_CHUNK)) ||
	    (t->op != ANY_OP && !(points[t->point].has & HAS_OP)))
		return -EINVAL;
	n += taken;
	if (word[n] && !strcmp(word[n], action_names[ACT_CORRUPT]) !=
	    !!(points[t->point].has & HAS_DATA))
		return -EINVAL;
	if (!word[n] || (n + 2 < WORDS && word[n + 2]) ||
	    parse_action(word[n], n + 1 < WORDS ? word[n + 1] : NULL, t))
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

static void show(struct seq_file *seq, const struct trigger *t)
{
	seq_printf(seq, "%s ", points[t->point].name);
	if (t->leg == ANY_LEG)
		seq_puts(seq, "any ");
	else
		seq_printf(seq, "%u ", t->leg);
	if (t->op != ANY_OP)
		seq_printf(seq, "%s ", rmr_op_name(t->op));
	seq_printf(seq, "%u ", t->nth);
	if (t->first || t->last != U64_MAX)
		seq_printf(seq, "%llu-%llu ", t->first, t->last);
	seq_puts(seq, action_names[t->action]);
	if (t->action <= ACT_DELAY)
		seq_printf(seq, " %d", t->arg);
	seq_printf(seq, " hits %u%s\n", t->hits, t->fired ? " fired" : "");
}

static int triggers_show(struct seq_file *seq, void *unused)
{
	struct trigger all[TRIGGERS];
	unsigned long flags;
	unsigned int i;

	spin_lock_irqsave(&trigger_lock, flags);
	memcpy(all, triggers, sizeof(all));
	spin_unlock_irqrestore(&trigger_lock, flags);
	for (i = 0; i < TRIGGERS; i++)
		if (all[i].used)
			show(seq, &all[i]);
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
