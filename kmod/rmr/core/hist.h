/* SPDX-License-Identifier: GPL-2.0-only */
/* Where a latency counts in a histogram; see rmr/hist.h. Pure: no locks, no clock, any context. */
#ifndef RMR_CORE_HIST_H
#define RMR_CORE_HIST_H

#include "port.h"

#include <rmr/hist.h>

/* Bucket i takes what lasted at most 2^i microseconds and is in none before it. */
unsigned int rmr_hist_bucket(u64 ns);
/* The histogram that an RMR_OP_* counts in. */
enum rmr_hist_op rmr_hist_op(u8 op);

#endif /* RMR_CORE_HIST_H */
