/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rules of views (docs/protocol.md, section 2): whose copies decide, how one view follows another,
 * and a client's way from one established view to the next. Pure: no locks, no clock, no I/O, no
 * allocation; the owner serialises the calls. Masks are of member ids. pkg/pool has the same in Go.
 */
#ifndef RMR_VIEW_H
#define RMR_VIEW_H

#include "codec.h"

/* Whose persisted copies decide. */
struct rmr_voters {
	u8	data;			/* members that hold data */
	u8	witnesses;		/* members that only vote */
	bool	quorum;			/* false: no majority is asked for */
};

/* What a client wants of its next view. */
struct rmr_view_change {
	u8	ejected;		/* leave the view */
	u8	demoted;		/* U to Y: answered MISSED (F_MISSVIEW) */
	u8	joined;			/* absent to Y */
	u8	promoted;		/* Y to U (F_PROMO) */
};

/* The last established view of an attachment and the one being established. */
struct rmr_viewmaker {
	struct rmr_voters voters;
	struct rmr_view	established;
	struct rmr_view	proposed;
	u64	number;			/* highest used */
	struct rmr_view_change change;	/* between the two */
	u8	persisted;		/* members that confirmed proposed */
	u8	holders;		/* members that were told any view of this lineage */
	bool	regain;			/* forced: a majority once that many hold it (R2.15) */
	bool	broken;			/* nobody is left in U: attach again */
};

static inline bool rmr_mask_has(u8 mask, unsigned int id)
{
	return id < RMR_MAX_MEMBERS && (mask >> id & 1);
}

/* The set of one member; of no member it is empty. */
static inline u8 rmr_mask_of(unsigned int id)
{
	return id < RMR_MAX_MEMBERS ? 1u << id : 0;
}

static inline bool rmr_mask_within(u8 mask, u8 in)
{
	return !(mask & ~in);
}

/* U and Y: the members that get every write. */
static inline u8 rmr_view_active(const struct rmr_view *view)
{
	return view->up_to_date | view->syncing;
}

/* More than half of all voters; without quorum always true. */
bool rmr_majority(const struct rmr_voters *voters, u8 got);
/* The view counts: persisted by all active members and a majority (R2.2). */
bool rmr_view_established(const struct rmr_voters *voters, const struct rmr_view *view,
			  u8 persisted);
/* Reads may be handed up if the members in fresh answered within the last T (R2.9). */
bool rmr_lease_holds(const struct rmr_voters *voters, const struct rmr_view *view, u8 fresh);
/*
 * The view that follows an established one; number is the highest used. 0; -EINVAL: the change
 * breaks a rule; -ENODATA: nobody would be left in U (R2.3); -ERANGE: no number is left. On error
 * *next is not touched.
 */
int rmr_view_next(const struct rmr_view *view, u64 number, const struct rmr_view_change *change,
		  struct rmr_view *next);

/*
 * What a member says to a view it is told: mine is the highest it knows, data the members that hold
 * data. 0: to be persisted; 1: the same again, nothing to do; RMR_ST_FENCED: not of the promised
 * epoch, older (F_ORDER), or other content under the same number; RMR_ST_MALFORMED: no view. One
 * without the member itself is told to it as a voter (R2.12).
 */
int rmr_view_told(const struct rmr_view *told, const struct rmr_view *mine,
		  const struct rmr_epoch *promised, u8 data);

/*
 * Whether a member whose history is mine may take a view of another lineage over (R2.15, R2.16):
 * told by a forced attachment and active in it, or if its history was given up. One that was
 * given up is never in U.
 */
bool rmr_lineage_told(const struct rmr_view *told, const struct rmr_view *mine, unsigned int self,
		      bool forced, bool discarded);

void rmr_viewmaker_init(struct rmr_viewmaker *vm, const struct rmr_voters *voters,
			const struct rmr_view *established);
/* The newest view is established. */
bool rmr_viewmaker_settled(const struct rmr_viewmaker *vm);
/* Members that get new writes; a joining one gets none before its view is established. */
u8 rmr_viewmaker_sending(const struct rmr_viewmaker *vm);
/* Members that still have to persist the proposed view. */
u8 rmr_viewmaker_targets(const struct rmr_viewmaker *vm);
/* Takes members out or to Y; a join or promotion under way is given up. True: a view was made. */
bool rmr_viewmaker_lose(struct rmr_viewmaker *vm, u8 ejected, u8 demoted);
/* Starts a join or a promotion. False unless the present view is established. */
bool rmr_viewmaker_grow(struct rmr_viewmaker *vm, u8 joined, u8 promoted);
/*
 * To be called before a member is told the proposed view. In a forced pool a majority is asked
 * for from when that many may hold its lineage: from then on others could be enough without this
 * client.
 */
void rmr_viewmaker_tell(struct rmr_viewmaker *vm, u8 member);
/* A member persisted the view of that number. True: this established it. */
bool rmr_viewmaker_persisted(struct rmr_viewmaker *vm, u8 member, u64 number);

#endif /* RMR_VIEW_H */
