// SPDX-License-Identifier: GPL-2.0-only
/*
 * When a difference counts; see verify.h. Pure, any context.
 */
#include "verify.h"

bool rmr_verify_counts(const struct rmr_verify_facts *f)
{
	/* A write came here, or was under way, while the data was read. */
	if (!f->quiet)
		return false;
	/* One of the two may differ by right: promise, view or join are not settled. */
	if (!f->steady || !f->steady_other || f->view != f->view_end || f->view != f->view_other)
		return false;
	/* One of the two knows that the other lacks the chunk. */
	if ((f->dirty & (1u << f->other)) || (f->dirty_other & (1u << f->self)))
		return false;
	/* A write is there that is not known complete, so it may still be on its way here. */
	return !f->newest_other || f->newest_other < f->below;
}

bool rmr_verify_outvoted(const u8 *group, unsigned int count)
{
	unsigned int i, j, agree;

	for (i = 1; i < count; i++) {
		if (group[i] == group[0])
			continue;
		for (agree = 0, j = 0; j < count; j++)
			agree += group[j] == group[i];
		if (2 * agree > count)
			return true;
	}
	return false;
}
