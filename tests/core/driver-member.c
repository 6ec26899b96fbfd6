// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations of the driver on intents, the window of writes, the resync planner and error budgets.
 */
#include "driver.h"
#include "errs.h"
#include "intent.h"
#include "plan.h"
#include "window.h"

#define COPIES	16

static struct rmr_intents intents;
static struct rmr_window window = { .below = 1 };
static struct rmr_plan plan;
static struct rmr_copy copies[COPIES];
static struct rmr_errs errs;

static void print_u64(u64 v)
{
	printf("%llu", (unsigned long long)v);
}

static void intents_init(const struct driver_args *a)
{
	(void)a;
	rmr_intents_reset(&intents);
	rmr_intents_init(&intents);
	printf("ok");
}

static void intent_begin(const struct driver_args *a)
{
	printf("%d", rmr_intent_begin(&intents, a->num[0], a->num[1], GFP_KERNEL));
}

static void intent_applied(const struct driver_args *a)
{
	rmr_intent_applied(&intents, a->num[0]);
	printf("ok");
}

static void intents_flush_start(const struct driver_args *a)
{
	(void)a;
	print_u64(rmr_intents_flush_start(&intents));
}

static void intents_flushed(const struct driver_args *a)
{
	rmr_intents_flushed(&intents, a->num[0]);
	printf("ok");
}

static void intents_clearable(const struct driver_args *a)
{
	u64 c = 0;

	printf(":");
	for (; (c = rmr_intents_next_clearable(&intents, c, a->num[0])) != RMR_NO_INTENT; c++) {
		putchar(' ');
		print_u64(c);
	}
}

static void intent_cleared(const struct driver_args *a)
{
	rmr_intent_cleared(&intents, a->num[0]);
	printf("ok");
}

static void intents_hold(const struct driver_args *a)
{
	(void)a;
	rmr_intents_hold(&intents);
	printf("ok");
}

static void intent_restore(const struct driver_args *a)
{
	printf("%d", rmr_intent_restore(&intents, a->num[0], GFP_KERNEL));
}

static void intents_release(const struct driver_args *a)
{
	(void)a;
	rmr_intents_release(&intents);
	printf("ok");
}

static void window_init(const struct driver_args *a)
{
	(void)a;
	rmr_window_reset(&window);
	printf("ok");
}

static void window_arrive(const struct driver_args *a)
{
	int status, arrival;

	arrival = rmr_window_arrive(&window, a->num[0], a->num[1], a->num[2], &status, GFP_KERNEL);
	printf("%d %d", arrival, status);
}

static void window_answer(const struct driver_args *a)
{
	rmr_window_answer(&window, a->num[0], -(int)a->num[1]);
	printf("ok");
}

static void window_completed(const struct driver_args *a)
{
	printf("%d ", rmr_window_completed(&window, a->num[0]));
	print_u64(window.below);
}

static void window_touches(const struct driver_args *a)
{
	printf("%d", rmr_window_touches(&window, a->num[0]));
}

static void window_newest(const struct driver_args *a)
{
	print_u64(rmr_window_newest(&window, a->num[0]));
}

static void window_uncertain(const struct driver_args *a)
{
	u64 c = 0;

	(void)a;
	print_u64(window.writes.count);
	putchar(':');
	for (; (c = rmr_window_next_uncertain(&window, c)) != RMR_NO_UNCERTAIN; c++) {
		putchar(' ');
		print_u64(c);
	}
}

static u64 mix(u64 seed, u64 chunk)
{
	u64 v = (seed + chunk * 0x9e3779b97f4a7c15ull) * 0xbf58476d1ce4e5b9ull;

	return v ^ v >> 31;
}

static bool plan_held(void *owner, u64 chunk)
{
	return mix(*(u64 *)owner, chunk) % 4 == 0;
}

static u8 plan_sources(void *owner, u64 chunk)
{
	return mix(*(u64 *)owner, chunk) >> 8 & 0x0f;
}

static void plan_init(const struct driver_args *a)
{
	rmr_plan_destroy(&plan);
	if (rmr_plan_init(&plan, a->num[0], GFP_KERNEL))
		driver_die("plan_init", a->text[0]);
	memset(copies, 0, sizeof(copies));
	printf("ok");
}

static void plan_add(const struct driver_args *a)
{
	printf("%d", rmr_plan_add(&plan, a->num[0], a->num[1], GFP_KERNEL));
}

static void plan_next(const struct driver_args *a)
{
	static const struct rmr_plan_ops ops = { .held = plan_held, .sources = plan_sources };
	struct rmr_copy *c = &copies[a->num[0] % COPIES];
	u64 seed = a->num[1];

	if (rmr_plan_next(&plan, &ops, &seed, c, GFP_KERNEL) == 1)
		printf("%llu %u %llu", (unsigned long long)c->chunk, c->source,
		       (unsigned long long)c->ticket);
	else
		printf("-");
}

static void plan_done(const struct driver_args *a)
{
	struct rmr_copy *c = &copies[a->num[0] % COPIES];

	printf("%d ", rmr_plan_valid(&plan, c));
	printf("%d", rmr_plan_done(&plan, c, GFP_KERNEL));
}

static void plan_fail(const struct driver_args *a)
{
	rmr_plan_fail(&plan, &copies[a->num[0] % COPIES]);
	printf("ok");
}

static void plan_reset(const struct driver_args *a)
{
	(void)a;
	rmr_plan_reset(&plan);
	printf("ok");
}

static void plan_lacked(const struct driver_args *a)
{
	u64 c = 0;

	(void)a;
	printf("%llu %u:", (unsigned long long)plan.left, plan.running);
	for (; (c = rmr_plan_next_lacked(&plan, c)) != RMR_NO_CHUNK; c++) {
		putchar(' ');
		print_u64(c);
	}
}

static void print_errs(void)
{
	printf(" %u %d", errs.count, errs.state == RMR_ERRS_SPENT);
}

static void errs_failed(const struct driver_args *a)
{
	printf("%d", rmr_errs_failed(&errs, a->num[0], a->num[1]));
	print_errs();
}

static void errs_pass(const struct driver_args *a)
{
	rmr_errs_pass(&errs, a->num[0]);
	printf("ok");
	print_errs();
}

static void errs_forgive(const struct driver_args *a)
{
	(void)a;
	rmr_errs_forgive(&errs);
	printf("ok");
	print_errs();
}

const struct driver_op driver_member_ops[] = {
	{ "intents_init", 0, intents_init },
	{ "intent_begin", 2, intent_begin },
	{ "intent_applied", 1, intent_applied },
	{ "intents_flush_start", 0, intents_flush_start },
	{ "intents_flushed", 1, intents_flushed },
	{ "intents_clearable", 1, intents_clearable },
	{ "intent_cleared", 1, intent_cleared },
	{ "intents_hold", 0, intents_hold },
	{ "intent_restore", 1, intent_restore },
	{ "intents_release", 0, intents_release },
	{ "window_init", 0, window_init },
	{ "window_arrive", 3, window_arrive },
	{ "window_answer", 2, window_answer },
	{ "window_completed", 1, window_completed },
	{ "window_touches", 1, window_touches },
	{ "window_newest", 1, window_newest },
	{ "window_uncertain", 0, window_uncertain },
	{ "plan_init", 1, plan_init },
	{ "plan_add", 2, plan_add },
	{ "plan_next", 2, plan_next },
	{ "plan_done", 1, plan_done },
	{ "plan_fail", 1, plan_fail },
	{ "plan_reset", 0, plan_reset },
	{ "plan_lacked", 0, plan_lacked },
	{ "errs_failed", 2, errs_failed },
	{ "errs_pass", 1, errs_pass },
	{ "errs_forgive", 0, errs_forgive },
	{ 0 }
};
