/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Members and their stores (docs/protocol.md, section 9): what tables of several members say
 * together, which store is which member, and what the client that holds the epoch does next about
 * wishes. Pure, as view.h: no locks, no clock, no I/O, no allocation. pkg/pool has the same in Go.
 * A table is an array of RMR_MAX_MEMBERS slots, as superblocks and messages have it.
 */
#ifndef RMR_TABLE_H
#define RMR_TABLE_H

#include "view.h"

/*
 * What is known of the slots. Who is in them is told by the member with the highest view, of equal
 * ones by the one that knows most changes (F_LINE); wishes come from anybody (F_SLOT).
 */
struct rmr_table {
	struct rmr_sb_member slot[RMR_MAX_MEMBERS];
	struct rmr_epoch epoch;		/* of the view of who told the stores */
	u64	number;			/* of that view */
	bool	known;			/* somebody told something */
	bool	held;			/* by the client of the epoch: it alone changes stores */
};

/* Who a store is, as the table has it (R9.5). */
enum rmr_identity {
	RMR_STORE_MEMBER,		/* the store of its slot */
	RMR_STORE_CLAIM,		/* blank, and may be taken up (F_CLAIM) */
	RMR_STORE_REPLACED,		/* another store has its place */
	RMR_STORE_REMOVED,		/* its slot is free */
	RMR_STORE_UNKNOWN,		/* of no slot that it could be in */
};

/* What the client does next (R9.6 to R9.8); see rmr_table_next(). */
enum rmr_table_act {
	RMR_TABLE_NOTHING,
	RMR_TABLE_EJECT,		/* the leg leaves the view */
	RMR_TABLE_FREE,			/* the slot becomes free: rmr_slot_free() */
	RMR_TABLE_TAKE,			/* the slot becomes what the claim says */
};

/* What the client that holds the epoch knows when it asks for the next act. */
struct rmr_table_state {
	const struct rmr_sb_member *slot;	/* the table */
	const struct rmr_sb_member *claim;	/* of each id, judged a claim; NONE: no */
	const struct rmr_view *view;		/* established */
	bool	settled;		/* no other view is under way */
	bool	quorum;
	u8	persisted;		/* members that confirmed this table to this client */
	u8	answering;		/* voters that answer and whose history counts */
	u8	joining;		/* legs that are about to enter the view */
};

/* How many stores the slot has seen, the present one included. */
u64 rmr_slot_stores(const struct rmr_sb_member *slot);
/* The same store in the same place: they differ in wishes at most. */
bool rmr_slot_same_store(const struct rmr_sb_member *a, const struct rmr_sb_member *b);
/* The slot without a store, of the generation that follows. */
void rmr_slot_free(struct rmr_sb_member *slot);
/*
 * The generation of a claim to the slot: two stores on, because it is freed first, so that at no
 * time more than one voter changes (F_ONEVOTER).
 */
__le64 rmr_slot_claim_generation(const struct rmr_sb_member *slot);
/*
 * Whether the node of a member may change its slot from old to wish by itself: the same store, one
 * wish later, and leaving if it was. 0, or -EINVAL; -ERANGE: no generation is left for wishes about
 * this store.
 */
int rmr_slot_wish_check(const struct rmr_sb_member *old, const struct rmr_sb_member *wish);

/* What a wish of an operator comes to. */
enum rmr_wished {
	RMR_WISHED_ALREADY,		/* the slot is like that */
	RMR_WISHED_BACK,		/* the pool gets back what it went without */
	RMR_WISHED_AWAY,		/* the pool has to do without the member */
};

/*
 * The slot of a member as an operator wishes it, one generation on unless it is like that already:
 * leaving, or as it is; maintenance 1 begins, 0 ends, -1 as it is. Who is to leave forgets a
 * successor whose slot is free, or it would wait for nobody.
 */
enum rmr_wished rmr_slot_wished(const struct rmr_sb_member slot[RMR_MAX_MEMBERS], unsigned int id,
				bool leaving, int maintenance, struct rmr_sb_member *wish);
/* The wish that store id takes the place of the slot's store (R9.13), one generation on. */
void rmr_slot_succeeded(struct rmr_sb_member *slot, unsigned int id);
/*
 * The member whose successor is id, or RMR_NO_MEMBER. Whoever else came to that place would be
 * taken for the successor, and the member would go.
 */
u8 rmr_table_succeeds(const struct rmr_sb_member slot[RMR_MAX_MEMBERS], unsigned int id);
/*
 * A place for a store that replaces a member, or RMR_NO_MEMBER for nobody: free, not among those
 * that blank stores were heard to claim, and kept for no successor of another one. RMR_NO_MEMBER if
 * there is none.
 */
u8 rmr_table_place(const struct rmr_sb_member slot[RMR_MAX_MEMBERS], u8 claimed, u8 replaces);
/*
 * A wish of a node about a slot, for a member that has it as theirs: one on from theirs, or theirs
 * if they have it. succession: that of a blank successor, which adds to theirs, and is one that
 * they have if their store leaves anyhow. False: another store is there, so there is nothing to
 * wish; whatever was said would be heard as its claim.
 */
bool rmr_slot_tell(const struct rmr_sb_member *mine, const struct rmr_sb_member *theirs,
		   bool succession, struct rmr_sb_member *say);

/*
 * What a member's slot becomes when the client of its epoch tells it: another store always; of the
 * same store the later wish, or one that came in meanwhile would be lost (F_SLOT), and leaving if
 * either says so (F_LEAVING). False: it stays as it is.
 */
bool rmr_slot_told(const struct rmr_sb_member *told, const struct rmr_sb_member *mine,
		   struct rmr_sb_member *slot);
/* A checksum of the table: another one means that there is news (R9.10). */
u64 rmr_table_sum(const struct rmr_sb_member slot[RMR_MAX_MEMBERS]);
/* Who votes. */
struct rmr_voters rmr_table_voters(const struct rmr_sb_member slot[RMR_MAX_MEMBERS], bool quorum);
/*
 * Adds what a member tells: its slots and its view, NULL if its history was given up, so that it
 * knows nothing of stores. Returns the slots that changed. The answer of a store that is no
 * member must not come here: its own claim is a wish, see rmr_table_identity().
 */
u8 rmr_table_merge(struct rmr_table *table, const struct rmr_sb_member said[RMR_MAX_MEMBERS],
		   const struct rmr_view *view);
/*
 * Who a store is that answers as member id; own: its own slot as it tells it; blank: its history
 * was given up or never was (R9.3).
 */
enum rmr_identity rmr_table_identity(const struct rmr_sb_member slot[RMR_MAX_MEMBERS],
				     unsigned int id, const struct rmr_sb_member *own, bool blank);
/* Every change is where it has to be before the next one, or before a removed store is told. */
bool rmr_table_complete(const struct rmr_table_state *state);
/*
 * Whether the wishes about a member let it be taken into the view: not in maintenance, and not
 * leaving, unless its successor is not up to date.
 */
bool rmr_table_may_join(const struct rmr_sb_member slot[RMR_MAX_MEMBERS],
			const struct rmr_view *view, unsigned int id);
/* The one next act, and the member it is about. */
enum rmr_table_act rmr_table_next(const struct rmr_table_state *state, unsigned int *id);
const char *rmr_identity_name(enum rmr_identity identity);

#endif /* RMR_TABLE_H */
