/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rules of attach and reconcile (docs/protocol.md, R2.5 to R2.11 and section 6): which epoch to ask
 * for, what the promises allow, whose data uncertain chunks get. Pure, as view.h.
 */
#ifndef RMR_ATTACH_H
#define RMR_ATTACH_H

#include "view.h"

/* A member's answer to an attach. */
struct rmr_promise {
	struct rmr_view	view;		/* highest it knows */
	u8	member;			/* id */
	bool	restarted;		/* lost its memory since it last was active */
	bool	uncertain;		/* its uncertain set is not empty */
	bool	discarded;		/* its history was given up: it counts, its copy does not */
	struct rmr_epoch clean;		/* of the clean detach it persisted, zero: none (R2.11) */
};

/* What the promises allow. */
struct rmr_attachment {
	struct rmr_view	highest;	/* V */
	struct rmr_view	first;		/* to be established before anything else (F_ATTACH) */
	struct rmr_view	live;		/* first, or the one after it that demotes (F_TWOVIEWS) */
	int	source;			/* member the uncertain chunks are taken from; -1: none */
	u8	promised;		/* who promised */
	u8	discarded;		/* of these, who lacks everything (R2.16) */
	u8	marked;			/* members to mark there: all data members but the source */
	u8	demoted;		/* members that live moves from U to Y (F_DEMOTE) */
	bool	must_wait;		/* for the lease to be over, before any view is told */
};

/* A member that promised one epoch may promise the other: it is higher (F_EPOCH). */
bool rmr_may_promise(const struct rmr_epoch *promised, const struct rmr_epoch *asked);
/* One above the highest seen anywhere. */
struct rmr_epoch rmr_epoch_next(const struct rmr_epoch *highest, u64 client);
/*
 * Applies the rules to the promises. 0; -ENOTCONN: members without which nobody may go on have
 * not promised; -EMEDIUMTYPE: different lineages, a split brain; -EINVAL: a member answers twice or
 * is none; -ERANGE: no view number is left. Of *a only highest and promised count without 0.
 */
int rmr_attach_decide(const struct rmr_voters *voters, const struct rmr_epoch *epoch,
		      const struct rmr_promise *promises, unsigned int count,
		      struct rmr_attachment *a);
/*
 * The same by an operator's word, without the members that are missing (R2.15): who of U(V)
 * promised goes on; if nobody did, the one data member with the newest view, alone. The views
 * begin a new lineage; a member that has it already was told by an attempt that failed. Who is
 * not active in the first view lacks everything. -ENOTCONN: no data member promised whose history
 * was not given up.
 */
int rmr_attach_force(const struct rmr_voters *voters, const struct rmr_epoch *epoch,
		     const u8 lineage[RMR_UUID_LEN], const struct rmr_promise *promises,
		     unsigned int count, struct rmr_attachment *a);

#endif /* RMR_ATTACH_H */
