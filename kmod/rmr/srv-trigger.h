/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Named points where tests make a storage node fail, wait or stop; debugfs rmr_server/triggers.
 * Without a trigger a point costs a patched-out jump.
 */
#ifndef RMR_SRV_TRIGGER_H
#define RMR_SRV_TRIGGER_H

#include <linux/jump_label.h>
#include <linux/types.h>

/* Where a trigger may sit; srv-trigger.c has the names, and says what each point knows. */
enum rmr_srv_point {
	RMR_SRV_POINT_WRITE_ARRIVED,	/* what changes data, before it is tracked */
	RMR_SRV_POINT_DATA,		/* data of a write arrived */
	RMR_SRV_POINT_STORE,		/* a request of a client goes to the store */
	RMR_SRV_POINT_DISK,		/* the disk has it; an error is one of the disk */
	RMR_SRV_POINT_PROMISE,		/* before a promise is persisted */
	RMR_SRV_POINT_VIEW,		/* before a view is persisted */
	RMR_SRV_POINT_MAP_WRITE,	/* before a map block is written */
	RMR_SRV_POINT_SB_WRITE,		/* before a superblock copy is written */
	RMR_SRV_POINT_MARK,		/* a MARK arrived */
	RMR_SRV_POINT_CLEAR,		/* a CLEAR arrived */
	RMR_SRV_POINT_MAP_PULL,		/* before the map is asked for */
	RMR_SRV_POINT_COPY_READ,	/* before a part is asked for */
	RMR_SRV_POINT_COPY_DATA,	/* data of a part arrived */
	RMR_SRV_POINT_COPY_APPLY,	/* before a part is written */
	RMR_SRV_POINT_COPY_HELD,	/* data stable, chunk not held yet */
	RMR_SRV_POINT_RESYNC_READ,	/* a peer asks for data */
	RMR_SRV_POINT_CLAIM,		/* a wish arrived or was made, not noted yet */
	RMR_SRV_POINT_SLOT_TOLD,	/* before a slot that the client tells is persisted */
	RMR_SRV_POINT_SLOT_FREED,	/* the same, of a slot that becomes free */
	RMR_SRV_POINT_VERIFY,		/* own digests made, others not asked yet */
	RMR_SRV_POINT_COUNT,
};

/**
 * struct rmr_srv_where - what a point is passed with
 * @leg: the member on this node
 * @op: RMR_OP_*, for points that know an operation
 * @first: first chunk, for points that know chunks
 * @last: last chunk
 */
struct rmr_srv_where {
	unsigned int	leg;
	u8		op;
	u64		first;
	u64		last;
};

DECLARE_STATIC_KEY_FALSE(rmr_srv_triggered);

int rmr_srv_trigger_hit(enum rmr_srv_point point, const struct rmr_srv_where *where);

/*
 * 0, or the error to fail with; at a point with data 1: to be harmed. Process context, may sleep.
 * leg: the member on this node.
 */
static inline int rmr_srv_trigger(enum rmr_srv_point point, unsigned int leg)
{
	const struct rmr_srv_where where = { .leg = leg };

	return static_branch_unlikely(&rmr_srv_triggered) ?
	       rmr_srv_trigger_hit(point, &where) : 0;
}

/* The same at a point that knows a chunk. */
static inline int rmr_srv_trigger_chunk(enum rmr_srv_point point, unsigned int leg, u64 chunk)
{
	const struct rmr_srv_where where = { .leg = leg, .first = chunk, .last = chunk };

	return static_branch_unlikely(&rmr_srv_triggered) ?
	       rmr_srv_trigger_hit(point, &where) : 0;
}

/* The same at a point that knows a request: its operation and chunks. */
static inline int rmr_srv_trigger_io(enum rmr_srv_point point, unsigned int leg, u8 op, u64 first,
				     u64 last)
{
	const struct rmr_srv_where where = { .leg = leg, .op = op, .first = first, .last = last };

	return static_branch_unlikely(&rmr_srv_triggered) ?
	       rmr_srv_trigger_hit(point, &where) : 0;
}

void rmr_srv_trigger_init(void);
void rmr_srv_trigger_exit(void);

#endif /* RMR_SRV_TRIGGER_H */
