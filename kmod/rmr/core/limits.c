// SPDX-License-Identifier: GPL-2.0-only
/*
 * Queue limits that hold on every leg; see limits.h. Pure, any context.
 */
#include "limits.h"

static void larger(__le32 *common, __le32 store)
{
	*common = cpu_to_le32(max(le32_to_cpu(*common), le32_to_cpu(store)));
}

static void smaller(__le32 *common, __le32 store)
{
	*common = cpu_to_le32(min(le32_to_cpu(*common), le32_to_cpu(store)));
}

void rmr_limits_narrow(struct rmr_limits_le *common, const struct rmr_limits_le *store)
{
	larger(&common->logical_block, store->logical_block);
	larger(&common->physical_block, store->physical_block);
	larger(&common->io_min, store->io_min);
	larger(&common->io_opt, store->io_opt);
	smaller(&common->discard_max, store->discard_max);
	larger(&common->discard_granularity, store->discard_granularity);
	smaller(&common->zeroes_max, store->zeroes_max);
	common->write_cache |= store->write_cache;
	common->fua &= store->fua;
	common->rotational |= store->rotational;
}
