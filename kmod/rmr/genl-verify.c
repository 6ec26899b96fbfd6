// SPDX-License-Identifier: GPL-2.0-only
/*
 * The part of the netlink family about verify: its command, its figures, the list of differences.
 * Knows no state of its own, as genl.c. Process context.
 */
#include "rmr-pri.h"

static int put_number(struct sk_buff *skb, int attr, u64 value)
{
	return nla_put_u64_64bit(skb, attr, value, RMR_A_POOL_PAD);
}

int rmr_nl_put_verify(struct sk_buff *skb, const struct rmr_pool_info *p)
{
	if (nla_put_u8(skb, RMR_A_POOL_VERIFY_STATE, p->verify_state) ||
	    nla_put_u8(skb, RMR_A_POOL_VERIFY_LEGS, p->verify_legs) ||
	    nla_put_u8(skb, RMR_A_POOL_VERIFY_SKIPPED, p->verify_skipped) ||
	    put_number(skb, RMR_A_POOL_VERIFY_DONE, p->verify_done) ||
	    put_number(skb, RMR_A_POOL_VERIFY_TOTAL, p->verify_total) ||
	    put_number(skb, RMR_A_POOL_VERIFY_RATE, p->verify_rate) ||
	    put_number(skb, RMR_A_POOL_VERIFY_LIMIT, p->verify_limit) ||
	    put_number(skb, RMR_A_POOL_VERIFY_DIFFERENCES, p->verify_differences) ||
	    put_number(skb, RMR_A_POOL_VERIFY_BUSY, p->verify_busy) ||
	    put_number(skb, RMR_A_POOL_VERIFY_FAILURES, p->verify_failures) ||
	    put_number(skb, RMR_A_POOL_VERIFY_REPAIRED, p->verify_repaired) ||
	    put_number(skb, RMR_A_POOL_VERIFIED, p->verified) ||
	    put_number(skb, RMR_A_POOL_VERIFIED_DIFFERENCES, p->verified_differences))
		return -EMSGSIZE;
	if (p->verify_eta_ms && put_number(skb, RMR_A_POOL_VERIFY_ETA_MS, p->verify_eta_ms))
		return -EMSGSIZE;
	return 0;
}

static int pool_verify(struct genl_info *info, struct rmr_srv_ctl *ctl, struct rmr_pool_spec *spec)
{
	struct nlattr **a = info->attrs;
	int err = rmr_nl_named(info, spec);

	if (err)
		return err;
	if (!a[RMR_A_POOL_VERIFY_RUN])
		return rmr_nl_missing(info->extack, "start or stop");
	if (a[RMR_A_POOL_LEG])
		spec->leg = nla_get_u8(a[RMR_A_POOL_LEG]);
	spec->verify = nla_get_u8(a[RMR_A_POOL_VERIFY_RUN]);
	spec->legs = a[RMR_A_POOL_VERIFY_LEGS] ? nla_get_u8(a[RMR_A_POOL_VERIFY_LEGS]) : 0;
	spec->from = a[RMR_A_POOL_VERIFY_FROM] ?
		nla_get_u8(a[RMR_A_POOL_VERIFY_FROM]) : RMR_FROM_NONE;
	spec->limit = a[RMR_A_POOL_VERIFY_LIMIT] ?
		nla_get_u64(a[RMR_A_POOL_VERIFY_LIMIT]) : U64_MAX;
	return ctl->verify(spec, info->extack);
}

int rmr_nl_pool_verify_doit(struct sk_buff *skb, struct genl_info *info)
{
	return rmr_nl_pool_command(info, pool_verify);
}

static int put_difference(struct sk_buff *skb, const void *obj)
{
	const struct rmr_difference_info *d = obj;

	if (nla_put_string(skb, RMR_A_DIFFERENCE_POOL_NAME, d->name) ||
	    nla_put_u8(skb, RMR_A_DIFFERENCE_MEMBER_ID, d->member_id) ||
	    nla_put_u8(skb, RMR_A_DIFFERENCE_MEMBERS, d->members) ||
	    nla_put_u64_64bit(skb, RMR_A_DIFFERENCE_OFFSET, d->offset, RMR_A_DIFFERENCE_PAD) ||
	    nla_put_u64_64bit(skb, RMR_A_DIFFERENCE_LENGTH, d->length, RMR_A_DIFFERENCE_PAD))
		return -EMSGSIZE;
	return 0;
}

static int next_difference(unsigned long *cursor, void *obj)
{
	struct rmr_srv_ctl *ctl = rmr_srv_ctl_get();
	int err = -ENOENT;

	if (ctl) {
		err = ctl->difference(cursor, obj);
		module_put(ctl->owner);
	}
	return err;
}

int rmr_nl_difference_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct rmr_difference_info out;

	return rmr_nl_dump(skb, cb, RMR_CMD_DIFFERENCE_GET, put_difference, next_difference, &out);
}
