/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Histograms of latency, one of reads, writes, flushes and discards each: of a mapped pool, of its
 * legs and of stores. Kept for each CPU, so that counting takes no lock and shares no cache line;
 * only show sums them up.
 */
#ifndef RMR_HIST_H
#define RMR_HIST_H

#include <linux/types.h>

#define RMR_HIST_BUCKETS	28u	/* the last one counts what is above 2^26 us */

/* In the order of enum rmr_latency_op of the control interface. */
enum rmr_hist_op {
	RMR_HIST_READ,
	RMR_HIST_WRITE,
	RMR_HIST_FLUSH,
	RMR_HIST_DISCARD,		/* and WRITE_ZEROES */
	RMR_HIST_OPS,
};

struct rmr_hist {
	__u64	bucket[RMR_HIST_OPS][RMR_HIST_BUCKETS];
	__u64	sum_ns[RMR_HIST_OPS];
	__u64	max_ns[RMR_HIST_OPS];
};

#ifdef __KERNEL__

struct rmr_latency_info;

/* latency.c: any context. */
void rmr_hist_note(struct rmr_hist __percpu *hist, u8 op, u64 ns);
/* latency.c: one operation of a histogram, for show; process context. */
void rmr_hist_info(struct rmr_hist __percpu *hist, enum rmr_hist_op op,
		   struct rmr_latency_info *info);

#endif

#endif /* RMR_HIST_H */
