// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guards the rules of views, attach and legs (docs/protocol.md): each case takes the trace that the
 * rule closed.
 */
#include <kunit/test.h>

#include "attach.h"
#include "leg.h"

static const struct rmr_voters two = { .data = 0x03 };
static const struct rmr_voters three = { .data = 0x07, .quorum = true };
static const struct rmr_voters witness = { .data = 0x03, .witnesses = 0x04, .quorum = true };

static struct rmr_view view_of(u64 number, u8 up_to_date, u8 syncing)
{
	return (struct rmr_view){
		.epoch = { 3, 9 }, .number = number, .up_to_date = up_to_date,
		.syncing = syncing,
	};
}

/* R2.2: every active member, and a majority of the voters where there is a quorum. */
static void a_view_counts_when_enough_persisted_it(struct kunit *test)
{
	struct rmr_view both = view_of(1, 0x03, 0), one = view_of(2, 0x01, 0);

	KUNIT_EXPECT_FALSE(test, rmr_view_established(&two, &both, 0x01));
	KUNIT_EXPECT_TRUE(test, rmr_view_established(&two, &both, 0x03));
	KUNIT_EXPECT_TRUE(test, rmr_view_established(&two, &one, 0x01));
	KUNIT_EXPECT_FALSE(test, rmr_view_established(&three, &one, 0x01));
	KUNIT_EXPECT_TRUE(test, rmr_view_established(&three, &one, 0x05));
	KUNIT_EXPECT_FALSE(test, rmr_view_established(&witness, &one, 0x01));
	KUNIT_EXPECT_TRUE(test, rmr_view_established(&witness, &one, 0x05));
	KUNIT_EXPECT_FALSE(test, rmr_view_established(&witness, &one, 0x06));
	one.up_to_date = 0;
	KUNIT_EXPECT_FALSE(test, rmr_view_established(&two, &one, 0xff));
}

/* R2.3: a syncing leg never takes the place of the last up-to-date one. */
static void the_last_of_u_is_never_replaced(struct kunit *test)
{
	struct rmr_view v = view_of(4, 0x01, 0x02), next = view_of(77, 0xf0, 0);
	struct rmr_view_change change = { .ejected = 0x01 };
	struct rmr_viewmaker vm;

	KUNIT_EXPECT_EQ(test, rmr_view_next(&v, 4, &change, &next), -ENODATA);
	change.promoted = 0x02;
	KUNIT_EXPECT_EQ(test, rmr_view_next(&v, 4, &change, &next), -ENODATA);
	KUNIT_EXPECT_EQ(test, next.number, 77);
	rmr_viewmaker_init(&vm, &two, &v);
	KUNIT_EXPECT_FALSE(test, rmr_viewmaker_lose(&vm, 0x01, 0));
	KUNIT_EXPECT_TRUE(test, vm.broken);
	KUNIT_EXPECT_FALSE(test, rmr_viewmaker_settled(&vm));
	KUNIT_EXPECT_FALSE(test, rmr_viewmaker_persisted(&vm, 1, 4));
	KUNIT_EXPECT_FALSE(test, rmr_viewmaker_grow(&vm, 0x04, 0));
}

static void impossible_changes_are_refused(struct kunit *test)
{
	struct rmr_view v = view_of(4, 0x05, 0x02), next;
	const struct rmr_view_change bad[] = {
		{ .ejected = 0x02, .promoted = 0x02 },
		{ .demoted = 0x01, .joined = 0x01 },
		{ .joined = 0x02 },
		{ .joined = 0x01 },
		{ .promoted = 0x08 },
		{ .promoted = 0x01 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		KUNIT_EXPECT_EQ_MSG(test, rmr_view_next(&v, 4, &bad[i], &next), -EINVAL,
				    "change %u", i);
}

/* F_PROMO: a promotion that was told to one member only does not count when a leg is lost. */
static void a_half_told_promotion_is_given_up(struct kunit *test)
{
	struct rmr_view v = view_of(3, 0x01, 0x02);
	struct rmr_viewmaker vm;

	rmr_viewmaker_init(&vm, &two, &v);
	KUNIT_EXPECT_TRUE(test, rmr_viewmaker_grow(&vm, 0, 0x02));
	KUNIT_EXPECT_EQ(test, vm.proposed.up_to_date, 0x03);
	KUNIT_EXPECT_EQ(test, rmr_viewmaker_targets(&vm), 0x03);
	KUNIT_EXPECT_FALSE(test, rmr_viewmaker_persisted(&vm, 1, vm.proposed.number));
	/* Leg 0, all of the established U, is lost: not {1}, but nobody. */
	KUNIT_EXPECT_FALSE(test, rmr_viewmaker_lose(&vm, 0x01, 0));
	KUNIT_EXPECT_TRUE(test, vm.broken);
}

static void a_loss_replaces_a_join_under_way(struct kunit *test)
{
	struct rmr_view v = view_of(3, 0x03, 0);
	struct rmr_viewmaker vm;

	rmr_viewmaker_init(&vm, &three, &v);
	KUNIT_EXPECT_TRUE(test, rmr_viewmaker_grow(&vm, 0x04, 0));
	KUNIT_EXPECT_EQ(test, rmr_viewmaker_sending(&vm), 0x03);
	KUNIT_EXPECT_FALSE(test, rmr_viewmaker_grow(&vm, 0x04, 0));
	KUNIT_EXPECT_TRUE(test, rmr_viewmaker_lose(&vm, 0x02, 0));
	KUNIT_EXPECT_EQ(test, vm.proposed.number, 5);
	KUNIT_EXPECT_EQ(test, rmr_view_active(&vm.proposed), 0x01);
	KUNIT_EXPECT_EQ(test, rmr_viewmaker_sending(&vm), 0x01);
	/* An answer to the view that was given up changes nothing. */
	KUNIT_EXPECT_FALSE(test, rmr_viewmaker_persisted(&vm, 0, 4));
	KUNIT_EXPECT_FALSE(test, rmr_viewmaker_persisted(&vm, 0, 5));
	KUNIT_EXPECT_TRUE(test, rmr_viewmaker_persisted(&vm, 2, 5));
	KUNIT_EXPECT_TRUE(test, rmr_viewmaker_settled(&vm));
	KUNIT_EXPECT_FALSE(test, rmr_viewmaker_persisted(&vm, 2, 5));
	KUNIT_EXPECT_FALSE(test, rmr_viewmaker_grow(&vm, 0, 0));
}

/* F_MISSVIEW: each MISSED makes a view, also of a leg that is in Y already. */
static void a_missed_write_makes_a_view(struct kunit *test)
{
	struct rmr_view v = view_of(3, 0x01, 0x02);
	struct rmr_viewmaker vm;

	rmr_viewmaker_init(&vm, &two, &v);
	KUNIT_EXPECT_TRUE(test, rmr_viewmaker_lose(&vm, 0, 0x02));
	KUNIT_EXPECT_EQ(test, vm.proposed.syncing, 0x02);
	KUNIT_EXPECT_EQ(test, vm.proposed.number, 4);
	KUNIT_EXPECT_TRUE(test, rmr_viewmaker_lose(&vm, 0, 0x02));
	KUNIT_EXPECT_EQ(test, vm.proposed.number, 5);
	KUNIT_EXPECT_TRUE(test, rmr_viewmaker_lose(&vm, 0x02, 0));
	KUNIT_EXPECT_FALSE(test, rmr_viewmaker_lose(&vm, 0x02, 0x02));
	KUNIT_EXPECT_EQ(test, vm.proposed.syncing, 0);
	KUNIT_EXPECT_FALSE(test, rmr_viewmaker_lose(&vm, 0x08, 0));
}

static void epochs_rise(struct kunit *test)
{
	struct rmr_epoch a = { 2, 5 }, b = { 2, 6 }, c = { 3, 1 };
	struct rmr_epoch next = rmr_epoch_next(&b, 9);

	/* F_EPOCH: equal numbers of two clients differ. */
	KUNIT_EXPECT_TRUE(test, rmr_may_promise(&a, &b));
	KUNIT_EXPECT_FALSE(test, rmr_may_promise(&b, &a));
	KUNIT_EXPECT_FALSE(test, rmr_may_promise(&a, &a));
	KUNIT_EXPECT_TRUE(test, rmr_may_promise(&b, &c));
	KUNIT_EXPECT_EQ(test, next.seq, 3);
	KUNIT_EXPECT_EQ(test, next.client, 9);
}

static const struct rmr_epoch mine = { 10, 1 };

/* R2.6: without quorum all of U(V); with it a majority and one of U(V). */
static void attach_needs_enough_promises(struct kunit *test)
{
	struct rmr_promise p[3] = {
		{ .member = 0, .view = view_of(3, 0x03, 0) },
		{ .member = 1, .view = view_of(2, 0x03, 0) },
		{ .member = 2, .view = view_of(3, 0x03, 0) },
	};
	struct rmr_attachment a;

	KUNIT_EXPECT_EQ(test, rmr_attach_decide(&two, &mine, p, 0, &a), -ENOTCONN);
	KUNIT_EXPECT_EQ(test, rmr_attach_decide(&two, &mine, p, 1, &a), -ENOTCONN);
	KUNIT_EXPECT_EQ(test, rmr_attach_decide(&two, &mine, p, 2, &a), 0);
	KUNIT_EXPECT_FALSE(test, a.must_wait);
	KUNIT_EXPECT_EQ(test, a.source, -1);
	KUNIT_EXPECT_EQ(test, a.first.number, 4);
	KUNIT_EXPECT_EQ(test, a.first.epoch.seq, 10);
	KUNIT_EXPECT_EQ(test, a.live.number, 4);
	KUNIT_EXPECT_EQ(test, rmr_attach_decide(&three, &mine, p, 1, &a), -ENOTCONN);
	KUNIT_EXPECT_EQ(test, rmr_attach_decide(&three, &mine, p + 1, 2, &a), 0);
	/* R2.10: member 0 may still serve a client with a lease. */
	KUNIT_EXPECT_TRUE(test, a.must_wait);
	KUNIT_EXPECT_EQ(test, a.first.up_to_date, 0x02);
	p[1].view.up_to_date = 0x01;
	p[1].view.number = 9;
	KUNIT_EXPECT_EQ(test, rmr_attach_decide(&three, &mine, p + 1, 2, &a), -ENOTCONN);
	p[1].view.lineage[3] = 1;
	KUNIT_EXPECT_EQ(test, rmr_attach_decide(&three, &mine, p, 3, &a), -EMEDIUMTYPE);
}

/* F_SRCU, F_DEMOTE, F_TWOVIEWS, F_ABSENT. */
static void uncertain_chunks_have_one_source(struct kunit *test)
{
	struct rmr_promise p[3] = {
		{ .member = 0, .view = view_of(3, 0x03, 0x04), .restarted = true },
		{ .member = 1, .view = view_of(3, 0x03, 0x04), .uncertain = true },
		{ .member = 2, .view = view_of(3, 0x03, 0x04) },
	};
	struct rmr_attachment a;

	KUNIT_EXPECT_EQ(test, rmr_attach_decide(&three, &mine, p, 3, &a), 0);
	/* Not 0, which restarted; not 2, which V does not hold up to date. */
	KUNIT_EXPECT_EQ(test, a.source, 1);
	KUNIT_EXPECT_EQ(test, a.marked, 0x05);
	KUNIT_EXPECT_EQ(test, a.demoted, 0x01);
	KUNIT_EXPECT_EQ(test, a.first.up_to_date, 0x03);
	KUNIT_EXPECT_EQ(test, a.live.up_to_date, 0x02);
	KUNIT_EXPECT_EQ(test, a.live.syncing, 0x05);
	KUNIT_EXPECT_EQ(test, a.live.number, a.first.number + 1);
	p[1].restarted = true;
	KUNIT_EXPECT_EQ(test, rmr_attach_decide(&three, &mine, p, 3, &a), 0);
	KUNIT_EXPECT_EQ(test, a.source, 0);
	/* An absent member is marked too. */
	KUNIT_EXPECT_EQ(test, rmr_attach_decide(&three, &mine, p, 2, &a), 0);
	KUNIT_EXPECT_EQ(test, a.marked, 0x06);
	p[0].view.up_to_date = 0x01;
	p[0].view.number = 8;
	KUNIT_EXPECT_EQ(test, rmr_attach_decide(&three, &mine, p, 3, &a), 0);
	KUNIT_EXPECT_EQ(test, a.demoted, 0);
	KUNIT_EXPECT_EQ(test, a.live.number, a.first.number);
}

/* R2.11, M_CLEANANY: only a clean end of the epoch of V tells that its lease is over. */
static void a_clean_record_of_another_epoch_means_nothing(struct kunit *test)
{
	const struct rmr_epoch other[] = { { 0, 0 }, { 3, 8 }, { 2, 9 }, { 4, 9 } };
	struct rmr_promise p = { .member = 0, .view = view_of(3, 0x01, 0x02) };
	struct rmr_attachment a;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(other); i++) {
		p.clean = other[i];
		KUNIT_EXPECT_EQ(test, rmr_attach_decide(&two, &mine, &p, 1, &a), 0);
		KUNIT_EXPECT_TRUE_MSG(test, a.must_wait, "record %u", i);
	}
	p.clean = p.view.epoch;
	KUNIT_EXPECT_EQ(test, rmr_attach_decide(&two, &mine, &p, 1, &a), 0);
	KUNIT_EXPECT_FALSE(test, a.must_wait);
	/* Of a pool that no client ever attached, no record is no clean record either. */
	memset(&p.view.epoch, 0, sizeof(p.view.epoch));
	memset(&p.clean, 0, sizeof(p.clean));
	KUNIT_EXPECT_EQ(test, rmr_attach_decide(&two, &mine, &p, 1, &a), 0);
	KUNIT_EXPECT_TRUE(test, a.must_wait);
}

/* I10: answers that no member gives change nothing and go no further. */
static void odd_promises_are_refused(struct kunit *test)
{
	struct rmr_promise p[2] = {
		{ .member = 0, .view = view_of(3, 0x01, 0) },
		{ .member = 0, .view = view_of(3, 0x01, 0) },
	};
	const u8 ids[] = { 0, 8, 31, 32, RMR_NO_MEMBER };
	struct rmr_attachment a;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		p[1].member = ids[i];
		KUNIT_EXPECT_EQ(test, rmr_attach_decide(&two, &mine, p, 2, &a), -EINVAL);
	}
	p[0].view.number = U64_MAX - 1;
	KUNIT_EXPECT_EQ(test, rmr_attach_decide(&two, &mine, p, 1, &a), -ERANGE);
	p[0].view.number = U64_MAX - 2;
	p[0].uncertain = true;
	KUNIT_EXPECT_EQ(test, rmr_attach_decide(&two, &mine, p, 1, &a), 0);
}

/* A number that wrapped would order a new view before all older ones (F_ORDER). */
static void numbers_never_wrap(struct kunit *test)
{
	struct rmr_view v = view_of(U64_MAX - 1, 0x03, 0);
	struct rmr_viewmaker vm;

	rmr_viewmaker_init(&vm, &two, &v);
	KUNIT_EXPECT_TRUE(test, rmr_viewmaker_lose(&vm, 0, 0x02));
	KUNIT_EXPECT_EQ(test, vm.proposed.number, U64_MAX);
	KUNIT_EXPECT_FALSE(test, rmr_viewmaker_lose(&vm, 0, 0x02));
	KUNIT_EXPECT_TRUE(test, vm.broken);
	rmr_viewmaker_init(&vm, &two, &v);
	KUNIT_EXPECT_TRUE(test, rmr_viewmaker_lose(&vm, 0, 0x02));
	KUNIT_EXPECT_FALSE(test, rmr_viewmaker_persisted(&vm, RMR_NO_MEMBER, U64_MAX));
	KUNIT_EXPECT_EQ(test, vm.persisted, 0);
}

/* R2.9: with quorum a majority, without it all of U, answered within the last T (M_LEASEONE). */
static void a_lease_needs_all_who_could_let_another_in(struct kunit *test)
{
	struct rmr_view v = view_of(3, 0x03, 0x04);

	KUNIT_EXPECT_FALSE(test, rmr_lease_holds(&two, &v, 0x05));
	KUNIT_EXPECT_TRUE(test, rmr_lease_holds(&two, &v, 0x03));
	KUNIT_EXPECT_FALSE(test, rmr_lease_holds(&three, &v, 0x01));
	KUNIT_EXPECT_TRUE(test, rmr_lease_holds(&three, &v, 0x05));
	KUNIT_EXPECT_TRUE(test, rmr_lease_holds(&witness, &v, 0x05));
	KUNIT_EXPECT_FALSE(test, rmr_lease_holds(&witness, &v, 0xf8));
	v.up_to_date = 0;
	KUNIT_EXPECT_FALSE(test, rmr_lease_holds(&two, &v, 0xff));
}

/* R2.1, R2.13, F_ORDER, I7: a member takes what is newer and of its promise, and nothing twice. */
static void a_member_takes_only_newer_views_of_its_promise(struct kunit *test)
{
	struct rmr_view mine_now = view_of(5, 0x03, 0), told = view_of(6, 0x01, 0x02);
	struct rmr_epoch promised = { 3, 9 };

	KUNIT_EXPECT_EQ(test, rmr_view_told(&told, &mine_now, &promised, 0x03), 0);
	/* A second copy is answered well, other content under its number is not. */
	KUNIT_EXPECT_EQ(test, rmr_view_told(&told, &told, &promised, 0x03), 1);
	mine_now = told;
	mine_now.syncing = 0;
	KUNIT_EXPECT_EQ(test, rmr_view_told(&told, &mine_now, &promised, 0x03), RMR_ST_FENCED);
	mine_now = told;
	mine_now.lineage[15] = 1;
	KUNIT_EXPECT_EQ(test, rmr_view_told(&told, &mine_now, &promised, 0x03), RMR_ST_FENCED);
	mine_now.number = 7;
	KUNIT_EXPECT_EQ(test, rmr_view_told(&told, &mine_now, &promised, 0x03), RMR_ST_FENCED);
	promised.client = 10;
	mine_now.number = 5;
	KUNIT_EXPECT_EQ(test, rmr_view_told(&told, &mine_now, &promised, 0x03), RMR_ST_FENCED);
	/* A view of an older epoch is older whatever its number. */
	mine_now.epoch.seq = 2;
	mine_now.number = 99;
	promised.client = 9;
	KUNIT_EXPECT_EQ(test, rmr_view_told(&told, &mine_now, &promised, 0x03), 0);
	KUNIT_EXPECT_EQ(test, rmr_view_told(&told, &mine_now, &promised, 0x01), RMR_ST_MALFORMED);
	told.syncing = 0x01;
	KUNIT_EXPECT_EQ(test, rmr_view_told(&told, &mine_now, &promised, 0x03), RMR_ST_MALFORMED);
	told.up_to_date = 0;
	KUNIT_EXPECT_EQ(test, rmr_view_told(&told, &mine_now, &promised, 0x03), RMR_ST_MALFORMED);
}

static void legs_follow_the_table(struct kunit *test)
{
	unsigned int s, e, legal = 0;

	for (s = 0; s <= RMR_LEG_STATES; s++)
		for (e = 0; e <= RMR_LEG_EVENTS; e++)
			legal += rmr_leg_next(s, e) >= 0;
	KUNIT_EXPECT_EQ(test, legal, 14);
	KUNIT_EXPECT_EQ(test, rmr_leg_next(RMR_LEG_ABSENT, RMR_LEG_PROMOTED), -EINVAL);
	KUNIT_EXPECT_EQ(test, rmr_leg_next(RMR_LEG_SYNCING, RMR_LEG_PROMOTED),
			RMR_LEG_UP_TO_DATE);
	KUNIT_EXPECT_EQ(test, rmr_leg_next(RMR_LEG_UP_TO_DATE, RMR_LEG_MISSED),
			RMR_LEG_SYNCING);
	for (s = 0; s < RMR_LEG_STATES; s++)
		KUNIT_EXPECT_EQ(test, rmr_leg_next(s, RMR_LEG_LOST), RMR_LEG_ABSENT);
	KUNIT_EXPECT_STREQ(test, rmr_leg_state_name(RMR_LEG_JOINING), "JOINING");
	KUNIT_EXPECT_STREQ(test, rmr_leg_state_name(99), "?");
	KUNIT_EXPECT_STREQ(test, rmr_leg_event_name(RMR_LEG_LOST), "lost");
	KUNIT_EXPECT_STREQ(test, rmr_leg_event_name(99), "?");
}

/* R5.6, R5.7: each fact alone keeps a leg out of U. */
static void a_leg_is_promoted_only_when_all_is_done(struct kunit *test)
{
	const struct rmr_promotion good = {
		.syncing = true, .map_complete = true, .cleared_on = 0x05, .others = 0x05,
		.flushed = true,
	};
	const struct {
		const char *why;
		struct rmr_promotion f;
	} bad[] = {
		{ "not syncing", { .map_complete = true, .flushed = true } },
		{ "map not complete", { .syncing = true, .flushed = true } },
		{ "chunks left to copy", { .syncing = true, .map_complete = true, .lacking = 1,
					   .flushed = true } },
		{ "a missed write is not settled", { .syncing = true, .map_complete = true,
						     .missed_pending = true, .flushed = true } },
		{ "bits left on another member", { .syncing = true, .map_complete = true,
						   .cleared_on = 0x01, .others = 0x05,
						   .flushed = true } },
		{ "not flushed", { .syncing = true, .map_complete = true } },
	};
	const char *why = "";
	unsigned int i;

	KUNIT_EXPECT_TRUE(test, rmr_may_promote(&good, &why));
	KUNIT_EXPECT_TRUE(test, !why);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		KUNIT_EXPECT_FALSE(test, rmr_may_promote(&bad[i].f, NULL));
		KUNIT_EXPECT_FALSE(test, rmr_may_promote(&bad[i].f, &why));
		KUNIT_EXPECT_STREQ(test, why, bad[i].why);
	}
}

/* I6: who lacks a chunk neither serves it nor is a source. */
static void a_stale_member_is_silent(struct kunit *test)
{
	struct rmr_view v = view_of(3, 0x01, 0x06);

	KUNIT_EXPECT_EQ(test, rmr_read_legs(&v, 0x02, 0x00), 0x03);
	KUNIT_EXPECT_EQ(test, rmr_read_legs(&v, 0x06, 0x02), 0x05);
	KUNIT_EXPECT_EQ(test, rmr_resync_sources(&v, 1, 0x04), 0x01);
	KUNIT_EXPECT_EQ(test, rmr_resync_sources(&v, 0, 0x00), 0x06);
	KUNIT_EXPECT_TRUE(test, rmr_may_serve(&v, 0, false, false));
	KUNIT_EXPECT_FALSE(test, rmr_may_serve(&v, 0, true, true));
	KUNIT_EXPECT_FALSE(test, rmr_may_serve(&v, 1, false, false));
	KUNIT_EXPECT_FALSE(test, rmr_may_serve(&v, 1, true, true));
	KUNIT_EXPECT_TRUE(test, rmr_may_serve(&v, 1, true, false));
	KUNIT_EXPECT_FALSE(test, rmr_may_serve(&v, 3, true, false));
	v.up_to_date = 0xff;
	KUNIT_EXPECT_FALSE(test, rmr_may_serve(&v, RMR_NO_MEMBER, true, false));
	KUNIT_EXPECT_EQ(test, rmr_resync_sources(&v, RMR_NO_MEMBER, 0x7f), 0x80);
}

/* R2.15: the operator's word stands for the members that are missing, and begins a new lineage. */
static void a_forced_attach_begins_a_new_lineage(struct kunit *test)
{
	static const u8 lineage[RMR_UUID_LEN] = { 9 };
	const struct rmr_epoch mine = { 7, 1 };
	struct rmr_promise p[2] = {
		{ .member = 1, .view = view_of(5, 0x03, 0x04) },
		{ .member = 2, .view = view_of(6, 0x01, 0) },
	};
	struct rmr_attachment a;

	/* Leg 1 alone: of U(V), goes on as it is. */
	KUNIT_EXPECT_EQ(test, rmr_attach_decide(&witness, &mine, p, 1, &a), -ENOTCONN);
	KUNIT_EXPECT_EQ(test, rmr_attach_force(&witness, &mine, lineage, p, 1, &a), 0);
	KUNIT_EXPECT_EQ(test, a.live.up_to_date, 0x02);
	KUNIT_EXPECT_EQ(test, a.live.number, 6);
	KUNIT_EXPECT_EQ(test, a.live.lineage[0], 9);
	KUNIT_EXPECT_TRUE(test, a.must_wait);
	/* Nobody of U(V): the newest copy alone, the other one has to give up. */
	KUNIT_EXPECT_EQ(test, rmr_attach_force(&three, &mine, lineage, p, 2, &a), 0);
	KUNIT_EXPECT_EQ(test, rmr_view_active(&a.live), 0x04);
	/* A view of the same attempt that only some were told is no other history. */
	memcpy(p[0].view.lineage, lineage, RMR_UUID_LEN);
	p[0].view.number = 7;
	KUNIT_EXPECT_EQ(test, rmr_attach_decide(&three, &mine, p, 2, &a), -EMEDIUMTYPE);
	KUNIT_EXPECT_EQ(test, rmr_attach_force(&three, &mine, lineage, p, 2, &a), 0);
	KUNIT_EXPECT_EQ(test, a.live.number, 8);
	/* Two histories are no question of force. */
	memset(p[0].view.lineage, 0, RMR_UUID_LEN);
	p[0].view.lineage[3] = 1;
	KUNIT_EXPECT_EQ(test, rmr_attach_force(&three, &mine, lineage, p, 2, &a), -EMEDIUMTYPE);
	p[0].discarded = true;
	p[1].discarded = true;
	KUNIT_EXPECT_EQ(test, rmr_attach_force(&three, &mine, lineage, p, 2, &a), -ENOTCONN);
}

/* R2.15: as soon as so many may hold the new lineage that they could do without this client. */
static void a_forced_pool_asks_for_a_majority_again(struct kunit *test)
{
	struct rmr_voters voters = { .data = 0x03, .witnesses = 0x04 };
	struct rmr_view v = view_of(4, 0x01, 0);
	struct rmr_viewmaker vm;

	rmr_viewmaker_init(&vm, &voters, &v);
	vm.regain = true;
	rmr_viewmaker_tell(&vm, 0);
	KUNIT_EXPECT_FALSE(test, vm.voters.quorum);
	KUNIT_EXPECT_TRUE(test, rmr_viewmaker_grow(&vm, 0x02, 0));
	rmr_viewmaker_tell(&vm, 0);
	KUNIT_EXPECT_FALSE(test, vm.voters.quorum);
	rmr_viewmaker_tell(&vm, 1);
	KUNIT_EXPECT_TRUE(test, vm.voters.quorum);
	KUNIT_EXPECT_FALSE(test, rmr_viewmaker_persisted(&vm, 0, 5));
	KUNIT_EXPECT_TRUE(test, rmr_viewmaker_persisted(&vm, 1, 5));
	/* The other leg is lost: not by this client's word alone any more. */
	KUNIT_EXPECT_TRUE(test, rmr_viewmaker_lose(&vm, 0x02, 0));
	KUNIT_EXPECT_FALSE(test, rmr_viewmaker_persisted(&vm, 0, 6));
	KUNIT_EXPECT_TRUE(test, rmr_viewmaker_persisted(&vm, 2, 6));
}

/* R2.16: who gave its history up is counted, and neither read nor believed. */
static void a_discarded_history_counts_for_nothing(struct kunit *test)
{
	const struct rmr_epoch mine = { 7, 1 };
	struct rmr_promise p[2] = {
		{ .member = 0, .view = view_of(5, 0x01, 0) },
		{ .member = 1, .view = view_of(9, 0x03, 0), .uncertain = true, .discarded = true },
	};
	struct rmr_view told = view_of(6, 0x01, 0x02), old = view_of(9, 0x03, 0);
	struct rmr_attachment a;

	p[1].view.lineage[0] = 1;
	KUNIT_EXPECT_EQ(test, rmr_attach_decide(&witness, &mine, p, 2, &a), -ENOTCONN);
	KUNIT_EXPECT_EQ(test, rmr_attach_decide(&two, &mine, p, 2, &a), 0);
	KUNIT_EXPECT_EQ(test, a.highest.number, 5);
	KUNIT_EXPECT_EQ(test, rmr_view_active(&a.live), 0x01);
	KUNIT_EXPECT_EQ(test, a.discarded, 0x02);
	KUNIT_EXPECT_EQ(test, a.source, -1);
	/* Even where V names it, it is not taken for up to date. */
	p[0].view = view_of(5, 0x03, 0);
	KUNIT_EXPECT_EQ(test, rmr_attach_decide(&two, &mine, p, 2, &a), 0);
	KUNIT_EXPECT_EQ(test, rmr_view_active(&a.live), 0x01);
	p[0].view = view_of(5, 0x02, 0);
	KUNIT_EXPECT_EQ(test, rmr_attach_decide(&two, &mine, p, 2, &a), -ENOTCONN);

	old.lineage[0] = 1;
	KUNIT_EXPECT_FALSE(test, rmr_lineage_told(&told, &old, 1, false, false));
	KUNIT_EXPECT_TRUE(test, rmr_lineage_told(&told, &old, 1, true, false));
	KUNIT_EXPECT_FALSE(test, rmr_lineage_told(&told, &old, 2, true, false));
	KUNIT_EXPECT_TRUE(test, rmr_lineage_told(&told, &old, 1, false, true));
	KUNIT_EXPECT_FALSE(test, rmr_lineage_told(&told, &old, 0, false, true));
	KUNIT_EXPECT_FALSE(test, rmr_lineage_told(&told, &told, 0, true, true));
	KUNIT_EXPECT_TRUE(test, rmr_lineage_told(&told, &told, 0, false, false));
}

/* F_STANDIN: a blank store is another one than the one of its id in an older view. */
static void a_blank_store_stands_for_nobody(struct kunit *test)
{
	const struct rmr_voters voters = { .data = 0x07 };
	struct rmr_promise promises[] = {
		{ .member = 2, .view = view_of(3, 0x06, 0) },
		{ .member = 1, .discarded = true },
	};
	struct rmr_attachment a;

	KUNIT_EXPECT_EQ(test, rmr_attach_decide(&voters, &mine, promises, 2, &a), -ENOTCONN);
	/* One whose history an operator gave up does count (R2.16). */
	promises[1].view = view_of(2, 0x06, 0);
	KUNIT_EXPECT_EQ(test, rmr_attach_decide(&voters, &mine, promises, 2, &a), 0);
	KUNIT_EXPECT_EQ(test, a.first.up_to_date, 0x04);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_view_counts_when_enough_persisted_it),
	KUNIT_CASE(the_last_of_u_is_never_replaced),
	KUNIT_CASE(impossible_changes_are_refused),
	KUNIT_CASE(a_half_told_promotion_is_given_up),
	KUNIT_CASE(a_loss_replaces_a_join_under_way),
	KUNIT_CASE(a_missed_write_makes_a_view),
	KUNIT_CASE(epochs_rise),
	KUNIT_CASE(attach_needs_enough_promises),
	KUNIT_CASE(a_blank_store_stands_for_nobody),
	KUNIT_CASE(uncertain_chunks_have_one_source),
	KUNIT_CASE(a_clean_record_of_another_epoch_means_nothing),
	KUNIT_CASE(odd_promises_are_refused),
	KUNIT_CASE(numbers_never_wrap),
	KUNIT_CASE(a_lease_needs_all_who_could_let_another_in),
	KUNIT_CASE(a_member_takes_only_newer_views_of_its_promise),
	KUNIT_CASE(legs_follow_the_table),
	KUNIT_CASE(a_leg_is_promoted_only_when_all_is_done),
	KUNIT_CASE(a_stale_member_is_silent),
	KUNIT_CASE(a_forced_attach_begins_a_new_lineage),
	KUNIT_CASE(a_forced_pool_asks_for_a_majority_again),
	KUNIT_CASE(a_discarded_history_counts_for_nothing),
	{}
};

static struct kunit_suite suite = {
	.name = "rmr_view",
	.test_cases = cases,
};

kunit_test_suite(suite);
