// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guards the rules of members and their stores (docs/protocol.md, section 9): each case takes the
 * trace that the rule closed.
 */
#include <kunit/test.h>

#include "table.h"

static struct rmr_sb_member store(u8 state, u8 uuid, u64 stores, u64 wishes)
{
	return (struct rmr_sb_member){
		.state = state, .store_uuid = { uuid },
		.generation = cpu_to_le64((stores << RMR_SLOT_WISH_BITS) + wishes),
	};
}

static struct rmr_view view_of(u64 seq, u64 number, u8 up_to_date, u8 syncing)
{
	return (struct rmr_view){
		.epoch = { seq, 1 }, .number = number, .up_to_date = up_to_date,
		.syncing = syncing,
	};
}

/* Data members 0, 1, 2 with stores 10, 11, 12. */
static void three(struct rmr_sb_member slot[RMR_MAX_MEMBERS])
{
	unsigned int i;

	memset(slot, 0, RMR_MAX_MEMBERS * sizeof(*slot));
	for (i = 0; i < 3; i++)
		slot[i] = store(RMR_MEMBER_DATA, 10 + i, 1, 0);
}

static struct rmr_sb_member said[RMR_MAX_MEMBERS];
static struct rmr_table table;

/* F_SLOT: an isolated node's wishes do not bring a store back that was removed meanwhile. */
static void wishes_never_outrank_another_store(struct kunit *test)
{
	struct rmr_view older = view_of(3, 5, 0x07, 0), newer = view_of(4, 6, 0x05, 0);

	three(said);
	memset(&table, 0, sizeof(table));
	rmr_slot_free(&said[1]);
	KUNIT_EXPECT_EQ(test, rmr_table_merge(&table, said, &newer), 0x07);
	three(said);
	said[1].flags = RMR_SLOT_F_LEAVING;
	said[1].generation = cpu_to_le64((1ull << RMR_SLOT_WISH_BITS) + 3);
	KUNIT_EXPECT_EQ(test, rmr_table_merge(&table, said, &older), 0);
	KUNIT_EXPECT_EQ(test, table.slot[1].state, RMR_MEMBER_NONE);
	/* About the present store they count, whoever tells them. */
	said[2].flags = RMR_SLOT_F_MAINTENANCE;
	said[2].generation = cpu_to_le64((1ull << RMR_SLOT_WISH_BITS) + 1);
	KUNIT_EXPECT_EQ(test, rmr_table_merge(&table, said, NULL), 0x04);
	KUNIT_EXPECT_EQ(test, table.slot[2].flags, RMR_SLOT_F_MAINTENANCE);
	three(said);
	KUNIT_EXPECT_EQ(test, rmr_table_merge(&table, said, &newer), 0);
}

/* F_LINE: of changes that dead clients told to one member each, only one line counts. */
static void half_told_changes_do_not_add_up(struct kunit *test)
{
	struct rmr_view older = view_of(3, 5, 0x07, 0), newer = view_of(4, 6, 0x07, 0);

	memset(&table, 0, sizeof(table));
	three(said);
	said[3] = store(RMR_MEMBER_WITNESS, 20, 2, 0);
	rmr_table_merge(&table, said, &older);
	KUNIT_EXPECT_EQ(test, table.slot[3].state, RMR_MEMBER_WITNESS);
	three(said);
	said[4] = store(RMR_MEMBER_WITNESS, 21, 2, 0);
	rmr_table_merge(&table, said, &newer);
	KUNIT_EXPECT_EQ(test, table.slot[3].state, RMR_MEMBER_NONE);
	KUNIT_EXPECT_EQ(test, table.slot[4].state, RMR_MEMBER_WITNESS);
	/* Of one view the one that knows more changes, and the client itself knows best. */
	said[5] = store(RMR_MEMBER_WITNESS, 22, 2, 0);
	KUNIT_EXPECT_EQ(test, rmr_table_merge(&table, said, &newer), 0x20);
	table.held = true;
	three(said);
	newer.number++;
	KUNIT_EXPECT_EQ(test, rmr_table_merge(&table, said, &newer), 0);
}

/* F_CLAIM: of two claims the one that was taken up stays; a disk put back in is refused. */
static void a_store_is_who_the_table_says(struct kunit *test)
{
	struct rmr_sb_member first, second, old;
	enum rmr_identity was;

	three(said);
	old = said[1];
	first = store(RMR_MEMBER_DATA, 30, 3, 0);
	second = store(RMR_MEMBER_DATA, 31, 3, 0);
	KUNIT_EXPECT_EQ(test, first.generation, rmr_slot_claim_generation(&old));
	KUNIT_EXPECT_EQ(test, rmr_table_identity(said, 1, &first, true), RMR_STORE_CLAIM);
	KUNIT_EXPECT_EQ(test, rmr_table_identity(said, 1, &first, false), RMR_STORE_REPLACED);
	KUNIT_EXPECT_EQ(test, rmr_table_identity(said, 1, &old, false), RMR_STORE_MEMBER);
	KUNIT_EXPECT_EQ(test, rmr_table_identity(said, 1, &old, true), RMR_STORE_MEMBER);
	rmr_slot_free(&said[1]);
	KUNIT_EXPECT_EQ(test, rmr_table_identity(said, 1, &old, false), RMR_STORE_REMOVED);
	KUNIT_EXPECT_EQ(test, rmr_table_identity(said, 1, &old, true), RMR_STORE_REMOVED);
	said[1] = first;
	was = rmr_table_identity(said, 1, &first, true);
	KUNIT_EXPECT_EQ(test, was, RMR_STORE_MEMBER);
	KUNIT_EXPECT_EQ(test, rmr_table_identity(said, 1, &second, true), RMR_STORE_REPLACED);
	KUNIT_EXPECT_EQ(test, rmr_table_identity(said, 1, &old, false), RMR_STORE_REPLACED);
	KUNIT_EXPECT_EQ(test, rmr_table_identity(said, 2, &first, true), RMR_STORE_UNKNOWN);
	KUNIT_EXPECT_EQ(test, rmr_table_identity(said, 8, &first, true), RMR_STORE_UNKNOWN);
	first.state = RMR_MEMBER_NONE;
	KUNIT_EXPECT_EQ(test, rmr_table_identity(said, 1, &first, true), RMR_STORE_UNKNOWN);
	KUNIT_EXPECT_STREQ(test, rmr_identity_name(RMR_STORE_REMOVED), "removed");
	KUNIT_EXPECT_STREQ(test, rmr_identity_name(RMR_STORE_UNKNOWN + 1), "unknown");
}

static void a_wish_is_about_the_present_store(struct kunit *test)
{
	struct rmr_sb_member old = store(RMR_MEMBER_DATA, 10, 4, 0), wish = old, none = { 0 }, slot;

	KUNIT_EXPECT_EQ(test, rmr_slot_wish_check(&old, &wish), -EINVAL);
	wish.flags = RMR_SLOT_F_LEAVING;
	wish.generation = cpu_to_le64((4ull << RMR_SLOT_WISH_BITS) + 1);
	KUNIT_EXPECT_EQ(test, rmr_slot_wish_check(&old, &wish), 0);
	KUNIT_EXPECT_EQ(test, rmr_slot_wish_check(&none, &none), -EINVAL);
	KUNIT_EXPECT_TRUE(test, rmr_slot_told(&wish, &old, &slot));
	KUNIT_EXPECT_FALSE(test, rmr_slot_told(&old, &wish, &slot));
	wish.store_uuid[3] = 1;
	KUNIT_EXPECT_TRUE(test, rmr_slot_told(&old, &wish, &slot));
	KUNIT_EXPECT_EQ(test, rmr_slot_wish_check(&old, &wish), -EINVAL);
	old = store(RMR_MEMBER_DATA, 10, 4, 0xffff);
	wish = store(RMR_MEMBER_DATA, 10, 4, 0xffff);
	KUNIT_EXPECT_EQ(test, rmr_slot_wish_check(&old, &wish), -ERANGE);
}

static void news_change_the_sum(struct kunit *test)
{
	struct rmr_voters voters;
	u64 sum;

	three(said);
	said[6] = store(RMR_MEMBER_WITNESS, 40, 1, 0);
	voters = rmr_table_voters(said, true);
	KUNIT_EXPECT_EQ(test, voters.data, 0x07);
	KUNIT_EXPECT_EQ(test, voters.witnesses, 0x40);
	KUNIT_EXPECT_TRUE(test, voters.quorum);
	sum = rmr_table_sum(said);
	said[1].flags = RMR_SLOT_F_LEAVING;
	KUNIT_EXPECT_NE(test, rmr_table_sum(said), sum);
	said[1].flags = 0;
	KUNIT_EXPECT_EQ(test, rmr_table_sum(said), sum);
}

static struct rmr_sb_member claim[RMR_MAX_MEMBERS];

/* Three members with quorum, all well, everything told to all. */
static struct rmr_table_state calm(const struct rmr_view *view)
{
	three(said);
	memset(claim, 0, sizeof(claim));
	return (struct rmr_table_state){
		.slot = said, .claim = claim, .view = view, .settled = true, .quorum = true,
		.persisted = 0x07, .answering = 0x07,
	};
}

static void expect_act(struct kunit *test, const struct rmr_table_state *state,
		       enum rmr_table_act want, unsigned int want_id)
{
	enum rmr_table_act act;
	unsigned int id;

	act = rmr_table_next(state, &id);
	KUNIT_EXPECT_EQ(test, act, want);
	KUNIT_EXPECT_EQ(test, id, want_id);
}

/* R9.7: ejected, then freed, each only when it may be; R9.8: ejected and kept. */
static void a_leaving_member_goes_step_by_step(struct kunit *test)
{
	struct rmr_view view = view_of(3, 5, 0x07, 0);
	struct rmr_table_state state = calm(&view);

	expect_act(test, &state, RMR_TABLE_NOTHING, RMR_NO_MEMBER);
	said[1].flags = RMR_SLOT_F_LEAVING;
	state.settled = false;
	expect_act(test, &state, RMR_TABLE_NOTHING, RMR_NO_MEMBER);
	state.settled = true;
	expect_act(test, &state, RMR_TABLE_EJECT, 1);
	view.up_to_date = 0x05;
	expect_act(test, &state, RMR_TABLE_FREE, 1);
	state.joining = 0x02;
	expect_act(test, &state, RMR_TABLE_NOTHING, RMR_NO_MEMBER);
	state.joining = 0;
	/* Without 1 the votes of 0 and 2 are needed. */
	state.answering = 0x03;
	expect_act(test, &state, RMR_TABLE_NOTHING, RMR_NO_MEMBER);
	state.quorum = false;
	expect_act(test, &state, RMR_TABLE_FREE, 1);
	KUNIT_EXPECT_FALSE(test, rmr_table_may_join(said, &view, 1));
	said[1].successor = 0 + 1;
	KUNIT_EXPECT_FALSE(test, rmr_table_may_join(said, &view, 1));
	/* Its successor is lost again: it is needed for a while. */
	view.up_to_date = 0x04;
	KUNIT_EXPECT_TRUE(test, rmr_table_may_join(said, &view, 1));
	said[1].flags = RMR_SLOT_F_MAINTENANCE;
	expect_act(test, &state, RMR_TABLE_NOTHING, RMR_NO_MEMBER);
	KUNIT_EXPECT_FALSE(test, rmr_table_may_join(said, &view, 1));
	KUNIT_EXPECT_FALSE(test, rmr_table_may_join(said, &view, 5));
}

static void the_last_of_u_stays(struct kunit *test)
{
	struct rmr_view view = view_of(3, 5, 0x02, 0x05);
	struct rmr_table_state state = calm(&view);

	said[1].flags = RMR_SLOT_F_LEAVING | RMR_SLOT_F_MAINTENANCE;
	expect_act(test, &state, RMR_TABLE_NOTHING, RMR_NO_MEMBER);
	/* A syncing one may go. */
	said[2].flags = RMR_SLOT_F_MAINTENANCE;
	expect_act(test, &state, RMR_TABLE_EJECT, 2);
}

static void a_successor_has_to_be_ready(struct kunit *test)
{
	struct rmr_view view = view_of(3, 5, 0x06, 0);
	struct rmr_table_state state = calm(&view);

	said[1].flags = RMR_SLOT_F_LEAVING;
	said[1].successor = 0 + 1;
	expect_act(test, &state, RMR_TABLE_NOTHING, RMR_NO_MEMBER);
	view.syncing = 0x01;
	expect_act(test, &state, RMR_TABLE_NOTHING, RMR_NO_MEMBER);
	view = view_of(3, 6, 0x07, 0);
	expect_act(test, &state, RMR_TABLE_EJECT, 1);
	view.up_to_date = 0x05;
	expect_act(test, &state, RMR_TABLE_FREE, 1);
	view = view_of(3, 7, 0x04, 0);
	expect_act(test, &state, RMR_TABLE_NOTHING, RMR_NO_MEMBER);
	/* A witness moves to another witness. */
	said[1].state = RMR_MEMBER_WITNESS;
	expect_act(test, &state, RMR_TABLE_NOTHING, RMR_NO_MEMBER);
	said[0].state = RMR_MEMBER_WITNESS;
	expect_act(test, &state, RMR_TABLE_FREE, 1);
}

/* F_ONEVOTER: the next change waits for the one before, and a new store for the old one to go. */
static void one_voter_changes_at_a_time(struct kunit *test)
{
	struct rmr_view view = view_of(3, 5, 0x05, 0);
	struct rmr_table_state state = calm(&view);

	claim[1] = store(RMR_MEMBER_DATA, 30, 3, 0);
	expect_act(test, &state, RMR_TABLE_FREE, 1);
	rmr_slot_free(&said[1]);
	state.persisted = 0x01;
	expect_act(test, &state, RMR_TABLE_NOTHING, RMR_NO_MEMBER);
	/* All active members, but no majority of the voters. */
	said[4] = store(RMR_MEMBER_WITNESS, 20, 1, 0);
	said[5] = store(RMR_MEMBER_WITNESS, 21, 1, 0);
	state.persisted = 0x05;
	state.answering = 0x35;
	expect_act(test, &state, RMR_TABLE_NOTHING, RMR_NO_MEMBER);
	said[4] = (struct rmr_sb_member){ 0 };
	said[5] = (struct rmr_sb_member){ 0 };
	state.answering = 0x07;
	expect_act(test, &state, RMR_TABLE_TAKE, 1);
	/* The new store has no vote yet: three voters need 0 and 2. */
	state.answering = 0x03;
	expect_act(test, &state, RMR_TABLE_NOTHING, RMR_NO_MEMBER);
	state.answering = 0x07;
	claim[1] = store(RMR_MEMBER_DATA, 30, 2, 0);
	expect_act(test, &state, RMR_TABLE_NOTHING, RMR_NO_MEMBER);
}

/* A member that is to leave must not wait for a successor that nobody is. */
static void a_free_successor_is_forgotten(struct kunit *test)
{
	struct rmr_sb_member wish;
	enum rmr_wished wished;

	three(said);
	rmr_slot_succeeded(&said[1], 4);
	KUNIT_EXPECT_EQ(test, said[1].successor, 4 + 1);
	wished = rmr_slot_wished(said, 1, true, -1, &wish);
	KUNIT_EXPECT_EQ(test, wished, RMR_WISHED_AWAY);
	KUNIT_EXPECT_EQ(test, wish.successor, 0);
	KUNIT_EXPECT_EQ(test, wish.flags, RMR_SLOT_F_LEAVING);
	KUNIT_EXPECT_EQ(test, rmr_slot_wish_check(&said[1], &wish), 0);
	/* While it is there, the wish to leave says nothing new. */
	said[4] = store(RMR_MEMBER_DATA, 20, 2, 0);
	wished = rmr_slot_wished(said, 1, true, -1, &wish);
	KUNIT_EXPECT_EQ(test, wished, RMR_WISHED_ALREADY);
	KUNIT_EXPECT_EQ(test, memcmp(&wish, &said[1], sizeof(wish)), 0);
	/* Maintenance is another wish: it forgets nobody. */
	rmr_slot_free(&said[4]);
	wished = rmr_slot_wished(said, 1, false, 1, &wish);
	KUNIT_EXPECT_EQ(test, wished, RMR_WISHED_AWAY);
	KUNIT_EXPECT_EQ(test, wish.successor, 4 + 1);
	said[1] = wish;
	wished = rmr_slot_wished(said, 1, false, 0, &wish);
	KUNIT_EXPECT_EQ(test, wished, RMR_WISHED_BACK);
	KUNIT_EXPECT_EQ(test, wish.flags, RMR_SLOT_F_LEAVING);
}

/* F_SUCCESSION: a blank store's wish about whom it replaces is said until the others have it. */
static void a_succession_is_told_until_it_is_known(struct kunit *test)
{
	struct rmr_sb_member mine, say;

	three(said);
	mine = said[1];
	rmr_slot_succeeded(&mine, 4);
	KUNIT_EXPECT_TRUE(test, rmr_slot_tell(&mine, &said[1], true, &say));
	KUNIT_EXPECT_EQ(test, memcmp(&say, &mine, sizeof(say)), 0);
	/* Another wish came first: theirs is made later, beside that. */
	said[1].flags = RMR_SLOT_F_MAINTENANCE;
	said[1].generation = mine.generation;
	KUNIT_EXPECT_TRUE(test, rmr_slot_tell(&mine, &said[1], true, &say));
	KUNIT_EXPECT_EQ(test, say.flags, RMR_SLOT_F_LEAVING | RMR_SLOT_F_MAINTENANCE);
	KUNIT_EXPECT_EQ(test, say.successor, 4 + 1);
	KUNIT_EXPECT_EQ(test, rmr_slot_wish_check(&said[1], &say), 0);
	/* A wish of a node is told as it is, and what they have is no news. */
	KUNIT_EXPECT_TRUE(test, rmr_slot_tell(&mine, &said[1], false, &say));
	KUNIT_EXPECT_EQ(test, say.flags, RMR_SLOT_F_LEAVING);
	said[1] = say;
	KUNIT_EXPECT_TRUE(test, rmr_slot_tell(&mine, &said[1], false, &say));
	KUNIT_EXPECT_EQ(test, memcmp(&say, &said[1], sizeof(say)), 0);
	/* It leaves anyhow. */
	said[1].successor = 0;
	KUNIT_EXPECT_TRUE(test, rmr_slot_tell(&mine, &said[1], true, &say));
	KUNIT_EXPECT_EQ(test, memcmp(&say, &said[1], sizeof(say)), 0);
	/* Another store is there: it is not the one that was to go, and hears of no claim. */
	said[1] = store(RMR_MEMBER_DATA, 30, 3, 0);
	KUNIT_EXPECT_FALSE(test, rmr_slot_tell(&mine, &said[1], true, &say));
	rmr_slot_free(&said[1]);
	KUNIT_EXPECT_FALSE(test, rmr_slot_tell(&mine, &said[1], true, &say));
}

/* Whoever came to a successor's place would be taken for it. */
static void a_successors_place_is_kept(struct kunit *test)
{
	three(said);
	KUNIT_EXPECT_EQ(test, rmr_table_place(said, 0, RMR_NO_MEMBER), 3);
	KUNIT_EXPECT_EQ(test, rmr_table_place(said, 0x18, RMR_NO_MEMBER), 5);
	rmr_slot_succeeded(&said[1], 3);
	KUNIT_EXPECT_EQ(test, rmr_table_succeeds(said, 3), 1);
	KUNIT_EXPECT_EQ(test, rmr_table_succeeds(said, 4), RMR_NO_MEMBER);
	KUNIT_EXPECT_EQ(test, rmr_table_place(said, 0, RMR_NO_MEMBER), 4);
	KUNIT_EXPECT_EQ(test, rmr_table_place(said, 0, 2), 4);
	KUNIT_EXPECT_EQ(test, rmr_table_place(said, 0, 1), 3);
	KUNIT_EXPECT_EQ(test, rmr_table_place(said, 0xf8, 1), RMR_NO_MEMBER);
}

/*
 * F_LEAVING: a node that had not heard that a member leaves began its maintenance. Whichever came
 * last was all that was left, and an exchange ended with both stores.
 */
static void maintenance_does_not_undo_a_wish_to_leave(struct kunit *test)
{
	struct rmr_sb_member leaves, rests, both, slot;
	struct rmr_view view = view_of(3, 5, 0x07, 0);
	unsigned int i;

	three(said);
	leaves = said[1];
	rmr_slot_succeeded(&leaves, 4);
	rests = said[1];
	rests.flags = RMR_SLOT_F_MAINTENANCE;
	both = leaves;
	both.flags |= RMR_SLOT_F_MAINTENANCE;
	/* At once, or one later. */
	for (i = 1; i < 3; i++) {
		rests.generation = cpu_to_le64((1 << RMR_SLOT_WISH_BITS) + i);
		both.generation = rests.generation;
		KUNIT_EXPECT_TRUE(test, rmr_slot_told(&rests, &leaves, &slot));
		KUNIT_EXPECT_EQ(test, memcmp(&slot, &both, sizeof(slot)), 0);
		KUNIT_EXPECT_TRUE(test, rmr_slot_told(&leaves, &rests, &slot));
		KUNIT_EXPECT_EQ(test, memcmp(&slot, &both, sizeof(slot)), 0);
		KUNIT_EXPECT_FALSE(test, rmr_slot_told(&leaves, &both, &slot));
		memset(&table, 0, sizeof(table));
		said[1] = rests;
		rmr_table_merge(&table, said, &view);
		said[1] = leaves;
		KUNIT_EXPECT_EQ(test, rmr_table_merge(&table, said, NULL), 0x02);
		KUNIT_EXPECT_EQ(test, memcmp(&table.slot[1], &both, sizeof(slot)), 0);
	}
	/* Nor does it when it is told to a node that had heard of it. */
	KUNIT_EXPECT_TRUE(test, rmr_slot_tell(&rests, &leaves, false, &slot));
	KUNIT_EXPECT_EQ(test, slot.flags, both.flags);
	KUNIT_EXPECT_EQ(test, slot.successor, 4 + 1);
	KUNIT_EXPECT_EQ(test, rmr_slot_wish_check(&leaves, &slot), 0);
	KUNIT_EXPECT_EQ(test, rmr_slot_wish_check(&leaves, &rests), -EINVAL);
	/* Another store in the same place stays. */
	rests = store(RMR_MEMBER_DATA, 30, 3, 0);
	KUNIT_EXPECT_TRUE(test, rmr_slot_told(&rests, &leaves, &slot));
	KUNIT_EXPECT_EQ(test, slot.flags, 0);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(wishes_never_outrank_another_store),
	KUNIT_CASE(half_told_changes_do_not_add_up),
	KUNIT_CASE(a_store_is_who_the_table_says),
	KUNIT_CASE(a_wish_is_about_the_present_store),
	KUNIT_CASE(news_change_the_sum),
	KUNIT_CASE(a_leaving_member_goes_step_by_step),
	KUNIT_CASE(the_last_of_u_stays),
	KUNIT_CASE(a_successor_has_to_be_ready),
	KUNIT_CASE(one_voter_changes_at_a_time),
	KUNIT_CASE(a_free_successor_is_forgotten),
	KUNIT_CASE(a_succession_is_told_until_it_is_known),
	KUNIT_CASE(a_successors_place_is_kept),
	KUNIT_CASE(maintenance_does_not_undo_a_wish_to_leave),
	{}
};

static struct kunit_suite suite = {
	.name = "rmr_table",
	.test_cases = cases,
};

kunit_test_suite(suite);
