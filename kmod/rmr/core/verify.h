/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * When a difference between the digests of two members of U counts (R5.11), and which of several
 * copies is the wrong one. Pure: no locks, no clock, any context.
 */
#ifndef RMR_VERIFY_H
#define RMR_VERIFY_H

#include "port.h"
#include <rmr/ondisk.h>

/*
 * What two members knew of a chunk around a comparison. "At the end": once the digests of the other
 * member were here; "there": on the other member, once it had read its data.
 */
struct rmr_verify_facts {
	u64	view;		/* number of this member's view, before its data was read */
	u64	view_end;	/* and at the end */
	u64	view_other;	/* there */
	u64	below;		/* completion mark at the end */
	u64	newest_other;	/* highest number of a write of the chunk listed there */
	u8	self, other;	/* member ids */
	u8	dirty;		/* bits of the chunk at the end */
	u8	dirty_other;	/* there */
	bool	quiet;		/* no write of the chunk was listed before, none came since */
	bool	steady;		/* in U, settled, one promise from before to the end */
	bool	steady_other;	/* in U and settled there */
};

/* Whether blocks that differ are different copies; else the comparison is to be done again. */
bool rmr_verify_counts(const struct rmr_verify_facts *facts);

/*
 * Whether one copy is wrong by majority: group[i] is a label that copies with equal bytes share,
 * group[0] that of the copy in question. More than half of all count copies agree on other bytes.
 */
bool rmr_verify_outvoted(const u8 *group, unsigned int count);

#endif /* RMR_VERIFY_H */
