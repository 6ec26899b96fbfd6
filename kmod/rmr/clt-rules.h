/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rules of views and of attach as pkg/pool has them in Go: how views follow one another, when one
 * is established, what the promises of an attach allow. Pure: no locks, no clock, no I/O, no
 * allocation. Masks are of member ids.
 */
#ifndef RMR_CLT_RULES_H
#define RMR_CLT_RULES_H

#include "core/codec.h"

struct rmr_range {
	u64	first;			/* chunk */
	u64	count;			/* not zero */
};

/* Whose persisted copies decide. */
struct rmr_voters {
	u8	data;			/* members that hold data */
	u8	witnesses;		/* members that only vote */
	bool	quorum;			/* false: no majority is asked for */
};

static inline u8 rmr_view_active(const struct rmr_view *view)
{
	return view->up_to_date | view->syncing;
}

/* The last established view of an attachment and the one being established. */
struct rmr_viewmaker {
	struct rmr_voters voters;
	struct rmr_view	established;
	struct rmr_view	proposed;
	u8	persisted;		/* members that confirmed proposed */
	u8	ejected;		/* and the next three: the change between the two */
	u8	demoted;
	u8	joined;
	u8	promoted;
	u64	number;			/* highest used */
	bool	broken;			/* no up-to-date member is left: attach again */
};

void rmr_viewmaker_init(struct rmr_viewmaker *vm, const struct rmr_voters *voters,
			const struct rmr_view *established);
/* The newest view is established. */
bool rmr_viewmaker_settled(const struct rmr_viewmaker *vm);
/* Members that get new writes. */
u8 rmr_viewmaker_sending(const struct rmr_viewmaker *vm);
/* Members that still have to persist the proposed view. */
u8 rmr_viewmaker_targets(const struct rmr_viewmaker *vm);
/* Takes members out or to Y; a join or promotion under way is given up. True: a view was made. */
bool rmr_viewmaker_lose(struct rmr_viewmaker *vm, u8 ejected, u8 demoted);
/* Starts a join or a promotion. False unless the present view is established. */
bool rmr_viewmaker_grow(struct rmr_viewmaker *vm, u8 joined, u8 promoted);
/* A member persisted the view of that number. True: this established it. */
bool rmr_viewmaker_persisted(struct rmr_viewmaker *vm, u8 member, u64 number);

/* What a promotion from Y to U rests on (R5.6). */
struct rmr_promotion {
	bool	syncing;		/* in Y of the established view */
	bool	map_complete;
	u64	lacking;		/* chunks */
	u8	cleared_on;		/* members that confirmed under this view */
	u8	others;			/* all other active members */
	bool	missed_pending;		/* a MISSED of it waits for its view */
};

bool rmr_may_promote(const struct rmr_promotion *facts);

/* A member's answer to an attach. */
struct rmr_promise {
	u8	member;			/* id */
	struct rmr_view	view;		/* highest it knows */
	bool	restarted;
	bool	uncertain;		/* its uncertain set is not empty */
};

/* What the promises allow. */
struct rmr_attachment {
	struct rmr_view	highest;	/* V */
	u8	promised;
	int	source;			/* member of the uncertain chunks; -1: there are none */
	u8	marked;			/* members to be marked there: all but the source */
	u8	demoted;		/* members a second view moves from U to Y (F_TWOVIEWS) */
	bool	must_wait;		/* for the lease to be over, before any view is told */
	struct rmr_view	first;		/* to be established first (F_ATTACH) */
	struct rmr_view	live;		/* first, or the one after it that demotes */
};

/* 0; -ENOTCONN: needed members have not promised; -EMEDIUMTYPE: different histories. */
int rmr_attach_decide(const struct rmr_voters *voters, const struct rmr_epoch *epoch,
		      const struct rmr_promise *promises, unsigned int count,
		      struct rmr_attachment *a);

#endif /* RMR_CLT_RULES_H */
