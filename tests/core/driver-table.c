// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations on member tables; the protocol is in DRIVER.md.
 */
#include "driver.h"
#include "table.h"

static struct rmr_table table;

static void slots_of(const char *text, struct rmr_sb_member slot[RMR_MAX_MEMBERS])
{
	if (driver_hex(text, slot, RMR_MAX_MEMBERS * sizeof(*slot)) !=
	    RMR_MAX_MEMBERS * sizeof(*slot))
		driver_die("bad table", text);
}

static void print_table(u8 changed)
{
	struct rmr_voters voters = rmr_table_voters(table.slot, true);

	printf("%u %llu %u %u", changed, (unsigned long long)rmr_table_sum(table.slot),
	       voters.data, voters.witnesses);
}

static void table_init(const struct driver_args *a)
{
	memset(&table, 0, sizeof(table));
	slots_of(a->text[1], table.slot);
	table.held = a->num[0];
	print_table(0);
}

static void table_merge(const struct driver_args *a)
{
	struct rmr_view view = { .epoch = { a->num[1], a->num[2] }, .number = a->num[3] };
	struct rmr_sb_member said[RMR_MAX_MEMBERS];

	slots_of(a->text[4], said);
	print_table(rmr_table_merge(&table, said, a->num[0] ? &view : NULL));
}

static void table_identity(const struct driver_args *a)
{
	struct rmr_sb_member own;

	if (driver_hex(a->text[1], &own, sizeof(own)) != sizeof(own))
		driver_die("bad slot", a->text[1]);
	printf("%s", rmr_identity_name(rmr_table_identity(table.slot, a->num[0], &own,
							  a->num[2])));
}

static void slot_wish(const struct driver_args *a)
{
	struct rmr_sb_member own, slot;
	bool told;

	if (driver_hex(a->text[1], &own, sizeof(own)) != sizeof(own))
		driver_die("bad slot", a->text[1]);
	told = rmr_slot_told(&own, &table.slot[a->num[0]], &slot);
	printf("%d %llu", rmr_slot_wish_check(&table.slot[a->num[0]], &own),
	       (unsigned long long)le64_to_cpu(rmr_slot_claim_generation(&own)));
	rmr_slot_free(&own);
	printf(" %llu %d", (unsigned long long)le64_to_cpu(own.generation), told);
	printf(" %u %u %llu", slot.flags, slot.successor,
	       (unsigned long long)le64_to_cpu(slot.generation));
}

/* ID LEAVING MAINTENANCE+1 */
static void table_wish(const struct driver_args *a)
{
	struct rmr_sb_member wish;
	enum rmr_wished wished = rmr_slot_wished(table.slot, a->num[0], a->num[1],
						 (int)a->num[2] - 1, &wish);

	printf("%d %u %u %llu", wished, wish.flags, wish.successor,
	       (unsigned long long)le64_to_cpu(wish.generation));
}

/* ID BY CLAIMED THEIRS SUCCESSION */
static void table_succession(const struct driver_args *a)
{
	struct rmr_sb_member slot = table.slot[a->num[0]], theirs, say;

	if (driver_hex(a->text[3], &theirs, sizeof(theirs)) != sizeof(theirs))
		driver_die("bad slot", a->text[3]);
	printf("%d %u %u", rmr_slot_tell(&slot, &theirs, a->num[4], &say), rmr_table_succeeds(table.slot, a->num[0]),
	       rmr_table_place(table.slot, a->num[2], a->num[1]));
	rmr_slot_succeeded(&slot, a->num[1]);
	printf(" %u %u %llu", slot.flags, slot.successor,
	       (unsigned long long)le64_to_cpu(slot.generation));
	printf(" %u %u %u %llu %u", say.state, say.flags, say.successor,
	       (unsigned long long)le64_to_cpu(say.generation), say.store_uuid[1]);
}

/* NOW ROOM CUTS SIZE FROM TOLD SHRINK */
static void resize_rule(const struct driver_args *a)
{
	struct rmr_resize r = {
		.now = a->num[0], .room = a->num[1], .cuts = a->num[2], .size = a->num[3],
		.from = a->num[4], .told = a->num[5], .shrink = a->num[6],
	};

	printf("%d", rmr_resize_rule(&r));
}

/* U Y SETTLED+2*QUORUM PERSISTED ANSWERING JOINING CLAIMS */
static void table_next(const struct driver_args *a)
{
	struct rmr_view view = { .up_to_date = a->num[0], .syncing = a->num[1] };
	struct rmr_sb_member claim[RMR_MAX_MEMBERS];
	struct rmr_table_state state = {
		.slot = table.slot, .claim = claim, .view = &view,
		.settled = a->num[2] & 1, .quorum = a->num[2] & 2,
		.persisted = a->num[3], .answering = a->num[4], .joining = a->num[5],
	};
	enum rmr_table_act act;
	unsigned int id, joins = 0;

	slots_of(a->text[6], claim);
	act = rmr_table_next(&state, &id);
	printf("%d %u", act, id);
	for (id = 0; id <= RMR_MAX_MEMBERS; id++)
		joins |= rmr_table_may_join(table.slot, &view, id) << id;
	printf(" %u", joins);
}

const struct driver_op driver_table_ops[] = {
	{ "table_init", 2, table_init },
	{ "table_merge", 5, table_merge },
	{ "table_identity", 3, table_identity },
	{ "slot_wish", 2, slot_wish },
	{ "table_wish", 3, table_wish },
	{ "table_succession", 5, table_succession },
	{ "table_next", 7, table_next },
	{ "resize_rule", 7, resize_rule },
	{ 0 }
};
