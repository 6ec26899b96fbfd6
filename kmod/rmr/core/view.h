/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How views follow one another (protocol section 2): when one is established, which one is next,
 * and what a member takes. The view maker holds a client's progress from one established view to the
 * next. Masks are of member ids.
 *
 * Pure: no locks, no clock, no I/O, no allocation; the owner of a view maker serialises the calls.
 */
#ifndef RMR_VIEW_H
#define RMR_VIEW_H

#include "codec.h"

/* Whose persisted copies decide. */
struct rmr_voters {
	u8	data;			/* members that hold data */
	u8	witnesses;		/* members that only vote */
	bool	quorum;			/* false: no majority is asked for, safety rests on U */
};

/* What a client wants of its next view. */
struct rmr_change {
	u8	ejected;		/* leave the view */
	u8	demoted;		/* U to Y (F_MISSVIEW); members of Y stay there */
	u8	joined;			/* absent to Y */
	u8	promoted;		/* Y to U (F_PROMO) */
};

static inline bool rmr_mask_has(u8 mask, unsigned int id)
{
	return id < RMR_MAX_MEMBERS && (mask >> id & 1);
}

/* Whether every member of a is in b. */
static inline bool rmr_mask_within(u8 a, u8 b)
{
	return !(a & ~b);
}

/* The lowest id, or -1 of an empty set. */
static inline int rmr_mask_lowest(u8 mask)
{
	return mask ? (int)__ffs64(mask) : -1;
}

/* U and Y together: the members that get every write. */
static inline u8 rmr_view_active(const struct rmr_view *view)
{
	return view->up_to_date | view->syncing;
}

/* Whether a member that promised an epoch may promise this one: only a higher one (F_EPOCH). */
bool rmr_may_promise(const struct rmr_epoch *promised, const struct rmr_epoch *asked);
/* The epoch to ask for: one above the highest seen anywhere. 0, or -ERANGE: there is none above. */
int rmr_epoch_next(struct rmr_epoch *next, const struct rmr_epoch *highest, u64 client);

/* Whether got holds more than half of all voters; without quorum always. */
bool rmr_majority(const struct rmr_voters *voters, u8 got);
/* R2.2: persisted on every active member and, with quorum, on a majority of the voters. */
bool rmr_view_established(const struct rmr_voters *voters, const struct rmr_view *view,
			  u8 persisted);
/* R2.9: whether reads may be handed up, if the members in fresh answered within the last T. */
bool rmr_lease_holds(const struct rmr_voters *voters, const struct rmr_view *view, u8 fresh);

/*
 * The view that follows established, the last established one of the client's own epoch; number is
 * the highest it used. Losses since then have to be repeated until a view with them is established; a
 * join or promotion whose view was not established is asked for again, or not (F_PROMO). 0; with
 * *next untouched: -EINVAL (the change contradicts itself or the view), -ENOTCONN (nobody would be
 * left in U, R2.3), -ERANGE (no number left).
 */
int rmr_view_next(struct rmr_view *next, const struct rmr_view *established, u64 number,
		  const struct rmr_change *change);

/*
 * What a member says to a view it is told: mine is the highest it knows, data its table's members
 * that hold data. 0: to be persisted; 1: the same again, nothing to do; RMR_ST_FENCED: another epoch
 * than promised, an older view (F_ORDER), or other content under the same number; RMR_ST_MALFORMED:
 * no view at all. A view without the member itself is told to it as a voter (R2.12).
 */
int rmr_view_told(const struct rmr_view *told, const struct rmr_view *mine,
		  const struct rmr_epoch *promised, u8 data);

/* The last established view of an attachment and the one being established. */
struct rmr_viewmaker {
	struct rmr_voters voters;
	struct rmr_view	established;
	struct rmr_view	proposed;	/* to be sent to the targets; established if settled */
	struct rmr_change change;	/* between the two */
	u8	persisted;		/* members that confirmed proposed */
	u64	number;			/* highest used */
	bool	broken;			/* no up-to-date member is left: attach again */
};

/* Starts with the view that attach established. */
void rmr_viewmaker_init(struct rmr_viewmaker *vm, const struct rmr_voters *voters,
			const struct rmr_view *established);
/* Whether the newest view is established; acknowledgements wait while it is not. */
bool rmr_viewmaker_settled(const struct rmr_viewmaker *vm);
/*
 * Members that get new writes: those of the established view that were not ejected since. A joining
 * member gets none before its view is established.
 */
u8 rmr_viewmaker_sending(const struct rmr_viewmaker *vm);
/* Members that still have to persist the proposed view, and voters to be asked where reachable. */
u8 rmr_viewmaker_targets(const struct rmr_viewmaker *vm);
/*
 * Takes members out or to Y; a join or promotion under way is given up. Each MISSED makes a view of
 * its own. True: a view was made. False with broken set: nobody is left in U.
 */
bool rmr_viewmaker_lose(struct rmr_viewmaker *vm, u8 ejected, u8 demoted);
/* Starts a join or a promotion. False unless the present view is established (R2.4). */
bool rmr_viewmaker_grow(struct rmr_viewmaker *vm, u8 joined, u8 promoted);
/* Notes that a member persisted the view of that number. True: this established it. */
bool rmr_viewmaker_persisted(struct rmr_viewmaker *vm, unsigned int member, u64 number);

#endif /* RMR_VIEW_H */
