// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attach and reconcile; see attach.h. No locks here.
 */
#include "attach.h"

bool rmr_may_promise(const struct rmr_epoch *promised, const struct rmr_epoch *asked)
{
	return rmr_epoch_cmp(asked, promised) > 0;
}

struct rmr_epoch rmr_epoch_next(const struct rmr_epoch *highest, u64 client)
{
	return (struct rmr_epoch){ .seq = highest->seq + 1, .client = client };
}

/*
 * One source for all chunks, because two would leave nobody in U: a member of U(V) (F_SRCU), one
 * that did not restart before one that did, then the lowest id. Bits that others hold against it do
 * not count (F_SRCBITS).
 */
static void reconcile(const struct rmr_voters *voters, u8 restarted, struct rmr_attachment *a)
{
	u8 candidates = a->first.up_to_date;

	if (candidates & ~restarted)
		candidates &= ~restarted;
	a->source = __builtin_ctz(candidates);
	a->marked = voters->data & ~(1u << a->source);
	a->demoted = a->first.up_to_date & ~(1u << a->source);
	if (!a->demoted)
		return;
	a->live.number++;
	a->live.up_to_date &= ~a->demoted;
	a->live.syncing |= a->demoted;
}

/* V is the highest view of the answers (R2.5). */
static void find_highest(const struct rmr_promise *promises, unsigned int count,
			 struct rmr_attachment *a)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		a->promised |= 1u << promises[i].member;
		if (!a->highest.up_to_date || rmr_view_cmp(&promises[i].view, &a->highest) > 0)
			a->highest = promises[i].view;
	}
}

int rmr_attach_decide(const struct rmr_voters *voters, const struct rmr_epoch *epoch,
		      const struct rmr_promise *promises, unsigned int count,
		      struct rmr_attachment *a)
{
	bool uncertain = false, enough;
	u8 restarted = 0, up;
	unsigned int i;

	memset(a, 0, sizeof(*a));
	a->source = -1;
	find_highest(promises, count, a);
	for (i = 0; i < count; i++) {
		if (memcmp(promises[i].view.lineage, a->highest.lineage, RMR_UUID_LEN))
			return -EMEDIUMTYPE;
		if (promises[i].restarted)
			restarted |= 1u << promises[i].member;
		uncertain = uncertain || promises[i].uncertain;
	}
	up = a->highest.up_to_date & a->promised;
	enough = voters->quorum ? rmr_majority(voters, a->promised) :
				  rmr_mask_within(a->highest.up_to_date, a->promised);
	if (!enough || !up)
		return -ENOTCONN;
	a->must_wait = !rmr_mask_within(rmr_view_active(&a->highest), a->promised);
	a->first = a->highest;
	a->first.epoch = *epoch;
	a->first.number = a->highest.number + 1;
	a->first.up_to_date = up;
	a->first.syncing = a->highest.syncing & a->promised;
	a->live = a->first;
	if (uncertain)
		reconcile(voters, restarted, a);
	return 0;
}
