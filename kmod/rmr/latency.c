// SPDX-License-Identifier: GPL-2.0-only
/*
 * Histograms of latency and the part of the netlink family that shows them. Owns nothing: the
 * counters belong to pools, legs and stores.
 *
 * Locks: none. Counting is safe against interrupts of its CPU, and whoever sums up sees each count
 * in time. Contexts: note from any, the rest from process context.
 */
#include <linux/export.h>
#include <linux/percpu.h>
#include <linux/slab.h>

#include <uapi/linux/rmr.h>
#include "core/hist.h"
#include "rmr-pri.h"

static_assert(RMR_HIST_BUCKETS == RMR_LATENCY_BUCKETS);
static_assert((unsigned int)RMR_HIST_READ == RMR_LATENCY_OP_READ);
static_assert((unsigned int)RMR_HIST_WRITE == RMR_LATENCY_OP_WRITE);
static_assert((unsigned int)RMR_HIST_FLUSH == RMR_LATENCY_OP_FLUSH);
static_assert((unsigned int)RMR_HIST_DISCARD == RMR_LATENCY_OP_DISCARD);

void rmr_hist_note(struct rmr_hist __percpu *hist, u8 wire_op, u64 ns)
{
	enum rmr_hist_op op = rmr_hist_op(wire_op);
	u64 longest = this_cpu_read(hist->max_ns[op]), was;

	this_cpu_inc(hist->bucket[op][rmr_hist_bucket(ns)]);
	this_cpu_add(hist->sum_ns[op], ns);
	/* An interrupt, or a move to another CPU, may have come in between. */
	while (ns > longest) {
		was = this_cpu_cmpxchg(hist->max_ns[op], longest, ns);
		if (was == longest)
			break;
		longest = was;
	}
}
EXPORT_SYMBOL_GPL(rmr_hist_note);

void rmr_hist_info(struct rmr_hist __percpu *hist, enum rmr_hist_op op,
		   struct rmr_latency_info *info)
{
	unsigned int i;
	int cpu;

	info->op = op;
	for_each_possible_cpu(cpu) {
		const struct rmr_hist *h = per_cpu_ptr(hist, cpu);

		for (i = 0; i < RMR_HIST_BUCKETS; i++)
			info->bucket[i] += READ_ONCE(h->bucket[op][i]);
		info->sum_ns += READ_ONCE(h->sum_ns[op]);
		info->max_ns = max(info->max_ns, READ_ONCE(h->max_ns[op]));
	}
}
EXPORT_SYMBOL_GPL(rmr_hist_info);

static int put_number(struct sk_buff *skb, int attr, u64 value)
{
	return nla_put_u64_64bit(skb, attr, value, RMR_A_LATENCY_PAD);
}

static int put_latency(struct sk_buff *skb, const void *obj)
{
	const struct rmr_latency_info *l = obj;
	unsigned int i;

	if (nla_put_u8(skb, RMR_A_LATENCY_OF, l->of) ||
	    nla_put_string(skb, RMR_A_LATENCY_POOL_NAME, l->pool_name) ||
	    nla_put_u8(skb, RMR_A_LATENCY_OP, l->op) ||
	    put_number(skb, RMR_A_LATENCY_SUM_NS, l->sum_ns) ||
	    put_number(skb, RMR_A_LATENCY_MAX_NS, l->max_ns))
		return -EMSGSIZE;
	if (l->of != RMR_LATENCY_OF_STORE &&
	    nla_put_u32(skb, RMR_A_LATENCY_DEVICE_INDEX, l->device_index))
		return -EMSGSIZE;
	if (l->of != RMR_LATENCY_OF_DEVICE &&
	    nla_put_u8(skb, RMR_A_LATENCY_MEMBER_ID, l->member_id))
		return -EMSGSIZE;
	for (i = 0; i < RMR_HIST_BUCKETS; i++)
		if (put_number(skb, RMR_A_LATENCY_BUCKET, l->bucket[i]))
			return -EMSGSIZE;
	return 0;
}

/* The two sides have a cursor each: the client's counts in odd numbers, once the other ended. */
static int next_latency(unsigned long *cursor, void *obj)
{
	struct rmr_srv_ctl *srv = *cursor & 1 ? NULL : rmr_srv_ctl_get();
	struct rmr_clt_ctl *clt;
	unsigned long place = *cursor >> 1;
	int err = -ENOENT;

	if (srv) {
		err = srv->latency(&place, obj);
		module_put(srv->owner);
	}
	if (!err) {
		*cursor = place << 1;
		return 0;
	}
	clt = rmr_clt_ctl_get();
	if (clt) {
		place = *cursor & 1 ? *cursor >> 1 : 0;
		err = clt->latency(&place, obj);
		module_put(clt->owner);
		*cursor = place << 1 | 1;
	}
	return err;
}

int rmr_nl_latency_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct rmr_latency_info *out = kzalloc(sizeof(*out), GFP_KERNEL);
	int ret = -ENOMEM;

	if (out)
		ret = rmr_nl_dump(skb, cb, RMR_CMD_LATENCY_GET, put_latency, next_latency, out);
	kfree(out);
	return ret;
}
