// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations on views, attach and legs; the protocol is in DRIVER.md.
 */
#include <stdlib.h>

#include "attach.h"
#include "driver.h"
#include "leg.h"
#include "verify.h"

static struct rmr_viewmaker vm;

static void print_view(const struct rmr_view *v)
{
	printf(" %llu:%llu/%llu %u %u", (unsigned long long)v->epoch.seq,
	       (unsigned long long)v->epoch.client, (unsigned long long)v->number, v->up_to_date,
	       v->syncing);
}

static void print_vm(bool result)
{
	printf("%d", result);
	print_view(&vm.established);
	/* A broken maker proposes nothing that counts. */
	if (!vm.broken)
		print_view(&vm.proposed);
	printf(" %d %d %u %u", rmr_viewmaker_settled(&vm), vm.broken, rmr_viewmaker_sending(&vm),
	       vm.broken ? 0 : rmr_viewmaker_targets(&vm));
}

static void vm_init(const struct driver_args *a)
{
	struct rmr_voters voters = { a->num[0], a->num[1], a->num[2] };
	struct rmr_view view = {
		.epoch = { 3, 4 }, .number = a->num[5],
		.up_to_date = a->num[3], .syncing = a->num[4],
	};

	rmr_viewmaker_init(&vm, &voters, &view);
	vm.regain = a->num[6];
	print_vm(true);
}

static void vm_lose(const struct driver_args *a)
{
	print_vm(rmr_viewmaker_lose(&vm, a->num[0], a->num[1]));
}

static void vm_grow(const struct driver_args *a)
{
	print_vm(rmr_viewmaker_grow(&vm, a->num[0], a->num[1]));
}

static void vm_tell(const struct driver_args *a)
{
	rmr_viewmaker_tell(&vm, a->num[0]);
	print_vm(vm.voters.quorum);
}

static void vm_persisted(const struct driver_args *a)
{
	print_vm(rmr_viewmaker_persisted(&vm, a->num[0], a->num[1]));
}

static void view_next(const struct driver_args *a)
{
	struct rmr_view view = {
		.number = a->num[2], .up_to_date = a->num[0], .syncing = a->num[1],
	};
	struct rmr_view_change change = { a->num[4], a->num[5], a->num[6], a->num[7] };
	int err = rmr_view_next(&view, a->num[3], &change, &view);

	printf("%d", err);
	if (!err)
		print_view(&view);
}

/* member:epoch:client:number:U:Y:lineage:restarted:uncertain:clean:client:discarded, with commas between promises. */
static unsigned int promises_of(char *text, struct rmr_promise *p)
{
	unsigned long long f[12];
	unsigned int n = 0;
	char *one, *rest;

	for (one = strtok_r(text, ",", &rest); one; one = strtok_r(NULL, ",", &rest), n++) {
		if (n == RMR_MAX_MEMBERS ||
		    sscanf(one, "%llu:%llu:%llu:%llu:%llu:%llu:%llu:%llu:%llu:%llu:%llu:%llu", &f[0],
			   &f[1], &f[2], &f[3], &f[4], &f[5], &f[6], &f[7], &f[8], &f[9],
			   &f[10], &f[11]) != 12)
			driver_die("bad promise", one);
		p[n] = (struct rmr_promise){
			.member = f[0], .restarted = f[7], .uncertain = f[8],
			.clean = { f[9], f[10] }, .discarded = f[11],
			.view = { { f[1], f[2] }, f[3], f[4], f[5], { f[6] } },
		};
	}
	return n;
}

static void attach(const struct driver_args *a)
{
	struct rmr_voters voters = { a->num[0], a->num[1], a->num[2] };
	struct rmr_promise promises[RMR_MAX_MEMBERS];
	unsigned int n = promises_of(a->text[3], promises);
	struct rmr_epoch epoch = { 1000, 7 };
	u8 lineage[RMR_UUID_LEN] = { a->num[4] };
	struct rmr_attachment at;
	int err;

	if (lineage[0])
		err = rmr_attach_force(&voters, &epoch, lineage, promises, n, &at);
	else
		err = rmr_attach_decide(&voters, &epoch, promises, n, &at);
	printf("%d", err);
	if (err)
		return;
	print_view(&at.highest);
	print_view(&at.first);
	print_view(&at.live);
	printf(" %d %u %u %u %u %d %u", at.source, at.promised, at.discarded, at.marked, at.demoted,
	       at.must_wait, at.live.lineage[0]);
}

static void lineage_told(const struct driver_args *a)
{
	struct rmr_view told = { .up_to_date = a->num[0], .lineage = { a->num[1] } };
	struct rmr_view mine = { .lineage = { a->num[2] } };

	printf("%d", rmr_lineage_told(&told, &mine, a->num[3], a->num[4], a->num[5]));
}

/* 11 numbers in the order of the facts, then the labels of the copies. */
static void verify(const struct driver_args *a)
{
	struct rmr_verify_facts f = {
		.view = a->num[0], .view_end = a->num[1], .view_other = a->num[2],
		.below = a->num[3], .newest_other = a->num[4], .self = a->num[5] / 8,
		.other = a->num[5] % 8, .dirty = a->num[6], .dirty_other = a->num[7],
		.quiet = a->num[8], .steady = a->num[9], .steady_other = a->num[10],
	};
	u8 group[RMR_MAX_MEMBERS];
	size_t count = driver_hex(a->text[11], group, sizeof(group));

	printf("%d %d", rmr_verify_counts(&f), rmr_verify_outvoted(group, count));
}

static void may_promise(const struct driver_args *a)
{
	struct rmr_epoch had = { a->num[0], a->num[1] }, asked = { a->num[2], a->num[3] };
	struct rmr_epoch next = rmr_epoch_next(&had, a->num[3]);

	printf("%d %llu:%llu", rmr_may_promise(&had, &asked), (unsigned long long)next.seq,
	       (unsigned long long)next.client);
}

static void leg_next(const struct driver_args *a)
{
	printf("%d %s %s", rmr_leg_next(a->num[0], a->num[1]), rmr_leg_state_name(a->num[0]),
	       rmr_leg_event_name(a->num[1]));
}

static void promotion(const struct driver_args *a)
{
	struct rmr_promotion f = {
		.syncing = a->num[0], .map_complete = a->num[1], .lacking = a->num[2],
		.cleared_on = a->num[3], .others = a->num[4], .flushed = a->num[5],
		.missed_pending = a->num[6],
	};
	const char *why;

	printf("%s", rmr_may_promote(&f, &why) ? "-" : why);
}

static void serving(const struct driver_args *a)
{
	struct rmr_view view = { .up_to_date = a->num[0], .syncing = a->num[1] };

	printf("%u %u %d", rmr_read_legs(&view, a->num[4], a->num[3]),
	       rmr_resync_sources(&view, a->num[2], a->num[3]),
	       rmr_may_serve(&view, a->num[2], a->num[5], a->num[6]));
}

/* The tables, for the protocol page: STATE EVENT NEXT, one a word. */
static void leg_table(const struct driver_args *a)
{
	unsigned int s, e;

	(void)a;
	for (s = 0; s < RMR_LEG_STATES; s++)
		for (e = 0; e < RMR_LEG_EVENTS; e++)
			if (rmr_leg_next(s, e) >= 0)
				printf("%s:%s:%s ", rmr_leg_state_name(s), rmr_leg_event_name(e),
				       rmr_leg_state_name(rmr_leg_next(s, e)));
}

const struct driver_op driver_view_ops[] = {
	{ "vm_init", 7, vm_init },
	{ "vm_tell", 1, vm_tell },
	{ "vm_lose", 2, vm_lose },
	{ "vm_grow", 2, vm_grow },
	{ "vm_persisted", 2, vm_persisted },
	{ "view_next", 8, view_next },
	{ "attach", 5, attach },
	{ "lineage_told", 6, lineage_told },
	{ "may_promise", 4, may_promise },
	{ "verify", 12, verify },
	{ "leg_next", 2, leg_next },
	{ "promotion", 7, promotion },
	{ "serving", 7, serving },
	{ "leg_table", 0, leg_table },
	{ 0 }
};
