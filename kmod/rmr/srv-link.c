// SPDX-License-Identifier: GPL-2.0-only
/*
 * Connections of this storage node to others, one for each address, shared by all pools.
 *
 * Locks: links_lock (mutex) guards the list and the counts; link->sem is held for reading by calls
 * and for writing while the connection is opened or closed. A dead peer delays only those who call
 * it: opening happens in a work item of the link, with back-off.
 */
#include <linux/slab.h>

#include "srv-link.h"

#define BACKOFF_MIN_MS	250u
#define BACKOFF_MAX_MS	8000u

struct rmr_srv_link {
	struct list_head	entry;		/* of links, under links_lock, with users */
	unsigned int		users;
	struct rw_semaphore	sem;		/* guards conn */
	struct rmr_conn		conn;
	bool			open;
	bool			lost;
	u32			backoff_ms;
	unsigned long		retry_at;	/* jiffies */
	struct work_struct	open_work;
	char			addr[RMR_ADDR_LEN];
};

static DEFINE_MUTEX(links_lock);
static LIST_HEAD(links);
static struct workqueue_struct *link_wq;

/* The transport reports the loss of the link. Process context. */
static void link_lost(void *priv)
{
	struct rmr_srv_link *link = priv;

	WRITE_ONCE(link->lost, true);
}

static void link_close(struct rmr_srv_link *link)
{
	if (link->open)
		rmr_conn_close(&link->conn);
	WRITE_ONCE(link->open, false);
}

static void link_open_work(struct work_struct *work)
{
	struct rmr_srv_link *link = container_of(work, struct rmr_srv_link, open_work);
	int err = 0;

	down_write(&link->sem);
	if (link->lost)
		link_close(link);
	if (!link->open) {
		WRITE_ONCE(link->lost, false);
		err = rmr_conn_open(&link->conn, rmr_srv_transport(), link->addr, rmr_srv_port(),
				    rmr_srv_node, link_lost, link);
		WRITE_ONCE(link->open, !err);
	}
	link->backoff_ms = err ? clamp(link->backoff_ms * 2, BACKOFF_MIN_MS, BACKOFF_MAX_MS) : 0;
	WRITE_ONCE(link->retry_at, jiffies + msecs_to_jiffies(link->backoff_ms));
	up_write(&link->sem);
}

struct rmr_srv_link *rmr_srv_link_get(const char *addr)
{
	struct rmr_srv_link *link;

	mutex_lock(&links_lock);
	list_for_each_entry(link, &links, entry) {
		if (!strcmp(link->addr, addr)) {
			link->users++;
			goto out;
		}
	}
	link = kzalloc(sizeof(*link), GFP_KERNEL);
	if (link) {
		link->users = 1;
		link->retry_at = jiffies;
		init_rwsem(&link->sem);
		INIT_WORK(&link->open_work, link_open_work);
		strscpy(link->addr, addr, sizeof(link->addr));
		list_add_tail(&link->entry, &links);
	}
out:
	mutex_unlock(&links_lock);
	return link;
}

/* Is it the connection to that address? */
bool rmr_srv_link_is(const struct rmr_srv_link *link, const char *addr)
{
	return !strcmp(link->addr, addr);
}

void rmr_srv_link_put(struct rmr_srv_link *link)
{
	bool last;

	if (!link)
		return;
	mutex_lock(&links_lock);
	last = !--link->users;
	if (last)
		list_del(&link->entry);
	mutex_unlock(&links_lock);
	if (!last)
		return;
	cancel_work_sync(&link->open_work);
	link_close(link);
	kfree(link);
}

/* Whether calls are possible now; begins to connect otherwise. */
bool rmr_srv_link_ready(struct rmr_srv_link *link)
{
	if (READ_ONCE(link->open) && !READ_ONCE(link->lost))
		return true;
	if (time_after_eq(jiffies, READ_ONCE(link->retry_at)))
		queue_work(link_wq, &link->open_work);
	return false;
}

/* Errors that a peer never answers: the session is of no use any more. */
static bool is_broken(int err)
{
	return err == -ETIMEDOUT || err == -ECONNABORTED || err == -ECONNRESET ||
	       err == -ENOTCONN || err == -EPIPE || err == -EHOSTUNREACH;
}

/* As rmr_conn_call; -ENOTCONN at once if there is no connection. */
int rmr_srv_link_call(struct rmr_srv_link *link, const void *msg, size_t len, void *rsp,
		      size_t rsp_len)
{
	int err = -ENOTCONN;

	down_read(&link->sem);
	if (link->open && !READ_ONCE(link->lost))
		err = rmr_conn_call(&link->conn, msg, len, rsp, rsp_len);
	if (is_broken(err))
		WRITE_ONCE(link->lost, true);
	up_read(&link->sem);
	return err;
}

int rmr_srv_link_module_init(void)
{
	/* Not for memory reclaim: opening a session waits for the transport's own queues. */
	link_wq = alloc_workqueue("rmr_srv_link", WQ_UNBOUND, 0);
	return link_wq ? 0 : -ENOMEM;
}

void rmr_srv_link_module_exit(void)
{
	WARN_ON(!list_empty(&links));
	destroy_workqueue(link_wq);
}
