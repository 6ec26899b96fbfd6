/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Named points where tests make a storage node fail, wait or stop; debugfs rmr_server/triggers. Without a
 * trigger a point costs one read of a flag.
 */
#ifndef RMR_SRV_TRIGGER_H
#define RMR_SRV_TRIGGER_H

#include <linux/jump_label.h>
#include <linux/types.h>

/* Where a trigger may sit; the name in debugfs is the word in lower case with '-'. */
#define RMR_SRV_POINTS(X)							\
	X(WRITE_ARRIVED, "write-arrived")	/* before it is tracked */	\
	X(MAP_WRITE, "map-write")		/* before a map block is written */ \
	X(SB_WRITE, "sb-write")			/* before a superblock copy is written */ \
	X(MARK, "mark")				/* a MARK arrived */		\
	X(CLEAR, "clear")			/* a CLEAR arrived */		\
	X(MAP_PULL, "map-pull")			/* before the map is asked for */ \
	X(COPY_READ, "copy-read")		/* before a part is asked for */ \
	X(COPY_APPLY, "copy-apply")		/* before a part is written */	\
	X(COPY_HELD, "copy-held")		/* data stable, chunk not held yet */ \
	X(RESYNC_READ, "resync-read")		/* a peer asks for data */

enum rmr_srv_point {
#define RMR_SRV_POINT_ENUM(name, text) RMR_SRV_POINT_##name,
	RMR_SRV_POINTS(RMR_SRV_POINT_ENUM)
#undef RMR_SRV_POINT_ENUM
	RMR_SRV_POINT_COUNT,
};

DECLARE_STATIC_KEY_FALSE(rmr_srv_triggered);

int rmr_srv_trigger_hit(enum rmr_srv_point point, unsigned int leg);

/* 0, or the error to fail with. Process context, may sleep. leg: the member on this node. */
static inline int rmr_srv_trigger(enum rmr_srv_point point, unsigned int leg)
{
	return static_branch_unlikely(&rmr_srv_triggered) ? rmr_srv_trigger_hit(point, leg) : 0;
}

void rmr_srv_trigger_init(void);
void rmr_srv_trigger_exit(void);

#endif /* RMR_SRV_TRIGGER_H */
