/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the promises of an attach allow (protocol sections 2 and 6): V, whether they are enough, the
 * wait for the lease, the first view, and reconcile. Pure: no locks, no clock, no I/O, no allocation.
 */
#ifndef RMR_ATTACH_H
#define RMR_ATTACH_H

#include "view.h"

/* A member's answer to ATTACH. */
struct rmr_promise {
	u8	member;			/* id */
	bool	restarted;		/* lost its memory since it last was active */
	bool	uncertain;		/* its uncertain set is not empty (F_LIST) */
	struct rmr_view	view;		/* highest it knows */
	struct rmr_epoch clean;		/* of the clean detach it persisted, zero: none (R2.11) */
};

/* What the promises allow. */
struct rmr_attachment {
	struct rmr_view	highest;	/* V */
	u8	promised;		/* who promised */
	/* Member the uncertain chunks are taken from; -1: there are none. */
	int	source;
	/*
	 * Members that the uncertain chunks are marked for, on every active one (F_ABSENT): all
	 * data members but the source, whose own bits are removed there.
	 */
	u8	marked;
	u8	demoted;		/* moved from U to Y before the marks (F_DEMOTE) */
	bool	must_wait;		/* tell no view to anybody before the lease is over (R2.10) */
	struct rmr_view	first;		/* to be established before anything else (F_ATTACH) */
	/* To go live under: first, or the one after it that demotes (F_TWOVIEWS). */
	struct rmr_view	live;
};

/*
 * Applies R2.6, R2.7, R2.10, R2.11, R6.2 and R6.4 to count promises. 0; -ENOTCONN: members without
 * which nobody may go on have not promised (*a tells V and who did); -EMEDIUMTYPE: different
 * lineages, split brain; -EINVAL: a member answered twice, or is no member; -ERANGE: no number left.
 */
int rmr_attach_decide(const struct rmr_voters *voters, const struct rmr_epoch *epoch,
		      const struct rmr_promise *promises, unsigned int count,
		      struct rmr_attachment *a);

#endif /* RMR_ATTACH_H */
