// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the promises of an attach allow; see attach.h. Pure, any context.
 */
#include "attach.h"

/* V, who promised, and who of them lost its memory. */
static int gather(struct rmr_attachment *a, const struct rmr_promise *promises,
		  unsigned int count, u8 *restarted, bool *uncertain)
{
	const struct rmr_promise *p;

	for (p = promises; p < promises + count; p++) {
		if (p->member >= RMR_MAX_MEMBERS || rmr_mask_has(a->promised, p->member))
			return -EINVAL;
		a->promised |= 1u << p->member;
		if (!a->highest.up_to_date || rmr_view_cmp(&p->view, &a->highest) > 0)
			a->highest = p->view;
		if (p->restarted)
			*restarted |= 1u << p->member;
		*uncertain |= p->uncertain;
	}
	for (p = promises; p < promises + count; p++)
		if (memcmp(p->view.lineage, a->highest.lineage, RMR_UUID_LEN))
			return -EMEDIUMTYPE;
	return 0;
}

/* R2.11: the last client ended its reads itself. A clean record of another epoch says nothing. */
static bool left_clean(const struct rmr_attachment *a, const struct rmr_promise *promises,
		       unsigned int count)
{
	static const struct rmr_epoch none;
	const struct rmr_promise *p;

	for (p = promises; p < promises + count; p++)
		if (rmr_epoch_cmp(&p->clean, &none) &&
		    !rmr_epoch_cmp(&p->clean, &a->highest.epoch))
			return true;
	return false;
}

/*
 * Picks the one source: a member of U(V) (F_SRCU) that promised, one that did not restart before one
 * that did (M_LOWID), then the lowest id. Bits that others hold against it do not count (F_SRCBITS).
 * One for all chunks, because two would leave nobody in U.
 */
static void reconcile(struct rmr_attachment *a, const struct rmr_voters *voters, u8 restarted)
{
	u8 candidates = a->first.up_to_date;

	if (candidates & ~restarted)
		candidates &= ~restarted;
	a->source = rmr_mask_lowest(candidates);
	a->marked = voters->data & ~(1u << a->source);
	a->demoted = a->first.up_to_date & ~(1u << a->source);
}

int rmr_attach_decide(const struct rmr_voters *voters, const struct rmr_epoch *epoch,
		      const struct rmr_promise *promises, unsigned int count,
		      struct rmr_attachment *a)
{
	bool uncertain = false, enough;
	u8 restarted = 0, u;
	int err;

	memset(a, 0, sizeof(*a));
	a->source = -1;
	err = gather(a, promises, count, &restarted, &uncertain);
	if (err)
		return err;
	u = a->highest.up_to_date & a->promised;
	enough = voters->quorum ? rmr_majority(voters, a->promised) :
				  rmr_mask_within(a->highest.up_to_date, a->promised);
	if (!enough || !u)
		return -ENOTCONN;
	if (a->highest.number > U64_MAX - 2)
		return -ERANGE;
	a->must_wait = !rmr_mask_within(rmr_view_active(&a->highest), a->promised) &&
		       !left_clean(a, promises, count);
	a->first = a->highest;
	a->first.epoch = *epoch;
	a->first.number++;
	a->first.up_to_date = u;
	a->first.syncing &= a->promised;
	if (uncertain)
		reconcile(a, voters, restarted);
	a->live = a->first;
	if (a->demoted) {
		a->live.number++;
		a->live.up_to_date &= ~a->demoted;
		a->live.syncing |= a->demoted;
	}
	return 0;
}
