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
	a->source = __ffs64(candidates);
	a->marked = voters->data & ~rmr_mask_of(a->source);
	a->demoted = a->first.up_to_date & ~rmr_mask_of(a->source);
	if (!a->demoted)
		return;
	a->live.number++;
	a->live.up_to_date &= ~a->demoted;
	a->live.syncing |= a->demoted;
}

/* R2.11: the last client ended its reads itself. A clean record of another epoch means nothing. */
static bool left_clean(const struct rmr_promise *promises, unsigned int count,
		       const struct rmr_epoch *epoch)
{
	unsigned int i;

	if (!epoch->seq)
		return false;
	for (i = 0; i < count; i++)
		if (!rmr_epoch_cmp(&promises[i].clean, epoch))
			return true;
	return false;
}

/* V is the highest view of the answers (R2.5). */
static int find_highest(const struct rmr_promise *promises, unsigned int count,
			struct rmr_attachment *a)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		u8 bit = rmr_mask_of(promises[i].member);

		if (!bit || (a->promised & bit))
			return -EINVAL;
		a->promised |= bit;
		if (promises[i].discarded) {
			a->discarded |= bit;
			continue;
		}
		if (!a->highest.up_to_date || rmr_view_cmp(&promises[i].view, &a->highest) > 0)
			a->highest = promises[i].view;
	}
	return 0;
}

/*
 * Who promised and knows a view. A store that never was told one is another than the one that had
 * its id in an older view: it does not stand in for that (F_STANDIN).
 */
static u8 who_knows(const struct rmr_promise *promises, unsigned int count)
{
	unsigned int i;
	u8 mask = 0;

	for (i = 0; i < count; i++)
		if (!promises[i].discarded || promises[i].view.number)
			mask |= rmr_mask_of(promises[i].member);
	return mask;
}

/* Is p to go on rather than best, when nobody of U(V) is there? Of equal views the lower id. */
static bool is_newer(const struct rmr_promise *p, const struct rmr_promise *best)
{
	int order = best ? rmr_view_cmp(&p->view, &best->view) : 1;

	return order > 0 || (!order && p->member < best->member);
}

/* The data member with the newest view, or nobody. */
static u8 newest_copy(const struct rmr_voters *voters, const struct rmr_promise *promises,
		      unsigned int count)
{
	const struct rmr_promise *best = NULL;
	unsigned int i;

	for (i = 0; i < count; i++)
		if (!promises[i].discarded && rmr_mask_has(voters->data, promises[i].member) &&
		    is_newer(&promises[i], best))
			best = &promises[i];
	return best ? rmr_mask_of(best->member) : 0;
}

/*
 * One history only (R2.15), and what is known of it; own: the lineage that a forced attach begins,
 * which some may have been told already, or NULL. False: split brain.
 */
static bool one_lineage(const struct rmr_promise *promises, unsigned int count, const u8 *own,
			u8 *restarted, bool *uncertain)
{
	const u8 *known = NULL;
	unsigned int i;

	for (i = 0; i < count; i++) {
		const struct rmr_promise *p = &promises[i];

		if (p->discarded)
			continue;
		if (!own || memcmp(p->view.lineage, own, RMR_UUID_LEN)) {
			if (known && memcmp(p->view.lineage, known, RMR_UUID_LEN))
				return false;
			known = p->view.lineage;
		}
		if (p->restarted)
			*restarted |= rmr_mask_of(p->member);
		*uncertain = *uncertain || p->uncertain;
	}
	return true;
}

/* lineage: of a forced attach, else NULL. */
static int decide(const struct rmr_voters *voters, const struct rmr_epoch *epoch, const u8 *lineage,
		  const struct rmr_promise *promises, unsigned int count, struct rmr_attachment *a)
{
	bool uncertain = false, enough;
	u8 restarted = 0, up, syncing, stores;

	memset(a, 0, sizeof(*a));
	a->source = -1;
	if (find_highest(promises, count, a))
		return -EINVAL;
	if (!one_lineage(promises, count, lineage, &restarted, &uncertain))
		return -EMEDIUMTYPE;
	stores = who_knows(promises, count);
	up = a->highest.up_to_date & a->promised & ~a->discarded;
	syncing = a->highest.syncing & a->promised & ~a->discarded;
	/* Who gave its history up knows of no view: it makes up no majority. */
	enough = voters->quorum ? rmr_majority(voters, a->promised & ~a->discarded) :
				  rmr_mask_within(a->highest.up_to_date, stores);
	if (lineage && !up) {
		up = newest_copy(voters, promises, count);
		syncing = 0;
	}
	if ((!enough && !lineage) || !up)
		return -ENOTCONN;
	/* The first view and perhaps one that demotes. */
	if (a->highest.number > U64_MAX - 2)
		return -ERANGE;
	a->must_wait = !rmr_mask_within(rmr_view_active(&a->highest), stores) &&
		       !left_clean(promises, count, &a->highest.epoch);
	a->first = a->highest;
	a->first.epoch = *epoch;
	a->first.number = a->highest.number + 1;
	a->first.up_to_date = up;
	a->first.syncing = syncing;
	if (lineage)
		memcpy(a->first.lineage, lineage, RMR_UUID_LEN);
	a->live = a->first;
	if (uncertain)
		reconcile(voters, restarted, a);
	return 0;
}

int rmr_attach_decide(const struct rmr_voters *voters, const struct rmr_epoch *epoch,
		      const struct rmr_promise *promises, unsigned int count,
		      struct rmr_attachment *a)
{
	return decide(voters, epoch, NULL, promises, count, a);
}

int rmr_attach_force(const struct rmr_voters *voters, const struct rmr_epoch *epoch,
		     const u8 lineage[RMR_UUID_LEN], const struct rmr_promise *promises,
		     unsigned int count, struct rmr_attachment *a)
{
	return decide(voters, epoch, lineage, promises, count, a);
}
