// SPDX-License-Identifier: GPL-2.0-only
/*
 * Members and their stores; see table.h. No locks here.
 */
#include "table.h"

#define WISHES	((1ull << RMR_SLOT_WISH_BITS) - 1)

static u64 generation(const struct rmr_sb_member *slot)
{
	return le64_to_cpu(slot->generation);
}

u64 rmr_slot_stores(const struct rmr_sb_member *slot)
{
	return generation(slot) >> RMR_SLOT_WISH_BITS;
}

bool rmr_slot_same_store(const struct rmr_sb_member *a, const struct rmr_sb_member *b)
{
	return a->state == b->state && rmr_slot_stores(a) == rmr_slot_stores(b) &&
	       !memcmp(a->store_uuid, b->store_uuid, RMR_UUID_LEN);
}

/* So many stores later, without a wish. */
static __le64 after(const struct rmr_sb_member *slot, unsigned int stores)
{
	return cpu_to_le64((rmr_slot_stores(slot) + stores) << RMR_SLOT_WISH_BITS);
}

static __le64 next_wish(const struct rmr_sb_member *slot)
{
	return cpu_to_le64(generation(slot) + 1);
}

void rmr_slot_free(struct rmr_sb_member *slot)
{
	__le64 next = after(slot, 1);

	memset(slot, 0, sizeof(*slot));
	slot->generation = next;
}

__le64 rmr_slot_claim_generation(const struct rmr_sb_member *slot)
{
	return after(slot, 2);
}

int rmr_slot_wish_check(const struct rmr_sb_member *old, const struct rmr_sb_member *wish)
{
	if (old->state == RMR_MEMBER_NONE || !rmr_slot_same_store(old, wish))
		return -EINVAL;
	if ((generation(old) & WISHES) == WISHES)
		return -ERANGE;
	if (old->flags & ~wish->flags & RMR_SLOT_F_LEAVING)
		return -EINVAL;
	return generation(wish) == generation(old) + 1 ? 0 : -EINVAL;
}

enum rmr_wished rmr_slot_wished(const struct rmr_sb_member slot[RMR_MAX_MEMBERS], unsigned int id,
				bool leaving, int maintenance, struct rmr_sb_member *wish)
{
	const struct rmr_sb_member *old = &slot[id];

	*wish = *old;
	if (leaving) {
		wish->flags |= RMR_SLOT_F_LEAVING;
		/* Nobody is there to take its place. */
		if (wish->successor && slot[wish->successor - 1].state == RMR_MEMBER_NONE)
			wish->successor = 0;
	}
	if (maintenance == 1)
		wish->flags |= RMR_SLOT_F_MAINTENANCE;
	else if (!maintenance)
		wish->flags &= ~RMR_SLOT_F_MAINTENANCE;
	if (wish->flags == old->flags && wish->successor == old->successor)
		return RMR_WISHED_ALREADY;
	wish->generation = next_wish(wish);
	return (wish->flags & ~old->flags) || wish->successor != old->successor ?
		RMR_WISHED_AWAY : RMR_WISHED_BACK;
}

/* ---- succession (R9.13) ---- */

void rmr_slot_succeeded(struct rmr_sb_member *slot, unsigned int id)
{
	slot->flags |= RMR_SLOT_F_LEAVING;
	slot->successor = id + 1;
	slot->generation = next_wish(slot);
}

u8 rmr_table_succeeds(const struct rmr_sb_member slot[RMR_MAX_MEMBERS], unsigned int id)
{
	unsigned int i;

	for (i = 0; i < RMR_MAX_MEMBERS; i++)
		if (slot[i].state != RMR_MEMBER_NONE && slot[i].successor == id + 1)
			return i;
	return RMR_NO_MEMBER;
}

u8 rmr_table_place(const struct rmr_sb_member slot[RMR_MAX_MEMBERS], u8 claimed, u8 replaces)
{
	unsigned int i;
	u8 keeper;

	for (i = 0; i < RMR_MAX_MEMBERS; i++) {
		keeper = rmr_table_succeeds(slot, i);
		if (slot[i].state == RMR_MEMBER_NONE && !rmr_mask_has(claimed, i) &&
		    (keeper == RMR_NO_MEMBER || keeper == replaces))
			return i;
	}
	return RMR_NO_MEMBER;
}

/* F_LEAVING: a wish about the same store that knew nothing of one to leave does not undo it. */
static void keep_leaving(struct rmr_sb_member *wish, const struct rmr_sb_member *other)
{
	if (!(other->flags & RMR_SLOT_F_LEAVING) || (wish->flags & RMR_SLOT_F_LEAVING))
		return;
	wish->flags |= RMR_SLOT_F_LEAVING;
	wish->successor = other->successor;
}

bool rmr_slot_tell(const struct rmr_sb_member *mine, const struct rmr_sb_member *theirs,
		   bool succession, struct rmr_sb_member *say)
{
	*say = *mine;
	if (mine->state == RMR_MEMBER_NONE || !rmr_slot_same_store(mine, theirs))
		return false;
	keep_leaving(say, theirs);
	if (succession)
		say->flags |= theirs->flags;
	if ((succession && (theirs->flags & RMR_SLOT_F_LEAVING)) ||
	    (say->flags == theirs->flags && say->successor == theirs->successor)) {
		*say = *theirs;
		return true;
	}
	say->generation = next_wish(theirs);
	return true;
}

u64 rmr_table_sum(const struct rmr_sb_member slot[RMR_MAX_MEMBERS])
{
	u32 sum = ~crc32c(~0u, slot, RMR_MAX_MEMBERS * sizeof(*slot));

	return sum;
}

struct rmr_voters rmr_table_voters(const struct rmr_sb_member slot[RMR_MAX_MEMBERS], bool quorum)
{
	struct rmr_voters voters = { .quorum = quorum };
	unsigned int i;

	for (i = 0; i < RMR_MAX_MEMBERS; i++) {
		if (slot[i].state == RMR_MEMBER_DATA)
			voters.data |= rmr_mask_of(i);
		else if (slot[i].state == RMR_MEMBER_WITNESS)
			voters.witnesses |= rmr_mask_of(i);
	}
	return voters;
}

/* Each change of who is in a slot raises it by one. */
static u64 changes(const struct rmr_sb_member slot[RMR_MAX_MEMBERS])
{
	u64 sum = 0;
	unsigned int i;

	for (i = 0; i < RMR_MAX_MEMBERS; i++)
		sum += rmr_slot_stores(&slot[i]);
	return sum;
}

/* F_LINE: does who tells this know the stores better? */
static bool is_ahead(const struct rmr_sb_member said[RMR_MAX_MEMBERS], const struct rmr_view *view,
		     const struct rmr_table *table)
{
	int order = rmr_epoch_cmp(&view->epoch, &table->epoch);

	if (!order && view->number != table->number)
		order = view->number < table->number ? -1 : 1;
	return order > 0 || (!order && changes(said) > changes(table->slot));
}

/* Of two wishes at once any one, but the same everywhere. */
static bool is_newer_wish(const struct rmr_sb_member *said, const struct rmr_sb_member *mine)
{
	if (generation(said) != generation(mine))
		return generation(said) > generation(mine);
	return memcmp(said, mine, sizeof(*said)) > 0;
}

bool rmr_slot_told(const struct rmr_sb_member *told, const struct rmr_sb_member *mine,
		   struct rmr_sb_member *slot)
{
	bool same = rmr_slot_same_store(told, mine);

	*slot = !same || is_newer_wish(told, mine) ? *told : *mine;
	if (same) {
		keep_leaving(slot, mine);
		keep_leaving(slot, told);
	}
	return memcmp(slot, mine, sizeof(*slot));
}

u8 rmr_table_merge(struct rmr_table *table, const struct rmr_sb_member said[RMR_MAX_MEMBERS],
		   const struct rmr_view *view)
{
	bool take = view && !table->held && (!table->known || is_ahead(said, view, table));
	u8 changed = 0;
	unsigned int i;

	for (i = 0; i < RMR_MAX_MEMBERS; i++) {
		struct rmr_sb_member *mine = &table->slot[i], slot;

		if (!(take || rmr_slot_same_store(mine, &said[i])) ||
		    !rmr_slot_told(&said[i], mine, &slot))
			continue;
		*mine = slot;
		changed |= rmr_mask_of(i);
	}
	if (take) {
		table->epoch = view->epoch;
		table->number = view->number;
		table->known = true;
	}
	return changed;
}

enum rmr_identity rmr_table_identity(const struct rmr_sb_member slot[RMR_MAX_MEMBERS],
				     unsigned int id, const struct rmr_sb_member *own, bool blank)
{
	unsigned int i;

	if (id >= RMR_MAX_MEMBERS || own->state == RMR_MEMBER_NONE)
		return RMR_STORE_UNKNOWN;
	if (slot[id].state != RMR_MEMBER_NONE &&
	    !memcmp(slot[id].store_uuid, own->store_uuid, RMR_UUID_LEN))
		return RMR_STORE_MEMBER;
	for (i = 0; i < RMR_MAX_MEMBERS; i++)
		if (!memcmp(slot[i].store_uuid, own->store_uuid, RMR_UUID_LEN))
			return RMR_STORE_UNKNOWN;
	if (blank && rmr_slot_stores(own) > rmr_slot_stores(&slot[id]))
		return RMR_STORE_CLAIM;
	return slot[id].state == RMR_MEMBER_NONE ? RMR_STORE_REMOVED : RMR_STORE_REPLACED;
}

static u8 voters_of(const struct rmr_sb_member slot[RMR_MAX_MEMBERS])
{
	struct rmr_voters voters = rmr_table_voters(slot, true);

	return voters.data | voters.witnesses;
}

static bool majority_of(const struct rmr_table_state *state, u8 voters, u8 got)
{
	struct rmr_voters all = { .data = voters, .quorum = state->quorum };

	return rmr_majority(&all, got);
}

bool rmr_table_complete(const struct rmr_table_state *state)
{
	return rmr_mask_within(rmr_view_active(state->view), state->persisted) &&
	       majority_of(state, voters_of(state->slot), state->persisted);
}

/* May the leg leave the view? Never the last one of U, nor one whose successor is not ready. */
static bool may_eject(const struct rmr_table_state *state, unsigned int id)
{
	const struct rmr_sb_member *slot = &state->slot[id];

	if (!(slot->flags & (RMR_SLOT_F_LEAVING | RMR_SLOT_F_MAINTENANCE)))
		return false;
	if (!rmr_mask_has(rmr_view_active(state->view), id) ||
	    !(state->view->up_to_date & ~rmr_mask_of(id)))
		return false;
	/* Maintenance is for a while, and nobody takes the place meanwhile. */
	return (slot->flags & RMR_SLOT_F_MAINTENANCE) || !slot->successor ||
	       rmr_mask_has(state->view->up_to_date, slot->successor - 1);
}

bool rmr_table_may_join(const struct rmr_sb_member slot[RMR_MAX_MEMBERS],
			const struct rmr_view *view, unsigned int id)
{
	const struct rmr_sb_member *s;

	if (id >= RMR_MAX_MEMBERS)
		return false;
	s = &slot[id];
	if (s->state != RMR_MEMBER_DATA || (s->flags & RMR_SLOT_F_MAINTENANCE))
		return false;
	return !(s->flags & RMR_SLOT_F_LEAVING) ||
	       (s->successor && !rmr_mask_has(view->up_to_date, s->successor - 1));
}

static bool successor_ready(const struct rmr_table_state *state, const struct rmr_sb_member *slot)
{
	unsigned int id = slot->successor - 1;

	if (!slot->successor)
		return true;
	if (slot->state == RMR_MEMBER_WITNESS)
		return state->slot[id].state == RMR_MEMBER_WITNESS;
	return rmr_mask_has(state->view->up_to_date, id);
}

/* One that leaves, or that a new store in its place waits for. */
static bool may_free(const struct rmr_table_state *state, unsigned int id)
{
	const struct rmr_sb_member *slot = &state->slot[id];
	bool leaves = (slot->flags & RMR_SLOT_F_LEAVING) && successor_ready(state, slot);
	bool replaced = state->claim[id].state != RMR_MEMBER_NONE;

	if (slot->state == RMR_MEMBER_NONE || !(leaves || replaced))
		return false;
	if (rmr_mask_has(rmr_view_active(state->view) | state->joining, id))
		return false;
	return majority_of(state, voters_of(state->slot) & ~rmr_mask_of(id), state->answering);
}

/* The new one does not vote before it knows something: the others must do without it. */
static bool may_take(const struct rmr_table_state *state, unsigned int id)
{
	if (state->claim[id].state == RMR_MEMBER_NONE ||
	    state->slot[id].state != RMR_MEMBER_NONE ||
	    rmr_slot_stores(&state->claim[id]) <= rmr_slot_stores(&state->slot[id]))
		return false;
	return majority_of(state, voters_of(state->slot) | rmr_mask_of(id),
			   state->answering & ~rmr_mask_of(id));
}

static bool first_of(const struct rmr_table_state *state, unsigned int *id,
		     bool (*may)(const struct rmr_table_state *state, unsigned int id))
{
	for (*id = 0; *id < RMR_MAX_MEMBERS; (*id)++)
		if (may(state, *id))
			return true;
	return false;
}

enum rmr_table_act rmr_table_next(const struct rmr_table_state *state, unsigned int *id)
{
	if (state->settled && first_of(state, id, may_eject))
		return RMR_TABLE_EJECT;
	if (state->settled && rmr_table_complete(state)) {
		if (first_of(state, id, may_free))
			return RMR_TABLE_FREE;
		if (first_of(state, id, may_take))
			return RMR_TABLE_TAKE;
	}
	*id = RMR_NO_MEMBER;
	return RMR_TABLE_NOTHING;
}

const char *rmr_identity_name(enum rmr_identity identity)
{
	static const char * const names[] = {
		[RMR_STORE_MEMBER] = "member", [RMR_STORE_CLAIM] = "claim",
		[RMR_STORE_REPLACED] = "replaced", [RMR_STORE_REMOVED] = "removed",
		[RMR_STORE_UNKNOWN] = "unknown",
	};

	return identity <= RMR_STORE_UNKNOWN ? names[identity] : "unknown";
}
