/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which of the legs that may be read is asked (R4.1). Pure: no locks, no clock, no I/O, no
 * allocation; any context. Legs are the bits of a mask and the indices of costs, in any order the
 * caller likes.
 */
#ifndef RMR_READ_H
#define RMR_READ_H

#include "leg.h"

/*
 * Cost of one more read on a leg with so many in flight, whose answers take latency_ns: the time
 * until it would be answered, if the leg works on one after the other.
 */
u64 rmr_read_cost(u32 inflight, u64 latency_ns);
/*
 * The cheapest leg of may, an index into cost; avoid: those that answered STALE there lately, asked
 * only if nobody else is left. Of equal ones the first at or after first, round the end. -1: none.
 */
int rmr_read_choose(const u64 cost[RMR_MAX_MEMBERS], u8 may, u8 avoid, unsigned int first);
/* The average of a leg after an answer that took so long; 0 stands for "never answered". */
u64 rmr_latency_note(u64 latency_ns, u64 took_ns);
/* That of a leg that was passed over: one slow answer does not keep it out for ever. */
u64 rmr_latency_forget(u64 latency_ns);

#endif /* RMR_READ_H */
