// SPDX-License-Identifier: GPL-2.0-only
/* Where a latency counts; see hist.h. */
#include "hist.h"

#include <rmr/wire.h>

unsigned int rmr_hist_bucket(u64 ns)
{
	u64 us = ns ? div_u64(ns - 1, 1000) : 0;
	unsigned int i = 0;

	/* As fls64(), which userspace lacks; what matters is small. */
	while (us && i < RMR_HIST_BUCKETS - 1) {
		us >>= 1;
		i++;
	}
	return i;
}

enum rmr_hist_op rmr_hist_op(u8 op)
{
	switch (op) {
	case RMR_OP_READ:
		return RMR_HIST_READ;
	case RMR_OP_WRITE:
		return RMR_HIST_WRITE;
	case RMR_OP_FLUSH:
		return RMR_HIST_FLUSH;
	}
	return RMR_HIST_DISCARD;
}
