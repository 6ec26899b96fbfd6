/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Queue limits that hold on every leg of a pool, so that all return equal bytes (R3.9). Pure; any
 * context.
 */
#ifndef RMR_LIMITS_H
#define RMR_LIMITS_H

#include "codec.h"

/*
 * Narrows *common by the limits of one more store; the first store's limits start it. Of powers of
 * two the larger one suits both; maxima are the smaller, zero if one store cannot.
 */
void rmr_limits_narrow(struct rmr_limits_le *common, const struct rmr_limits_le *store);

#endif /* RMR_LIMITS_H */
