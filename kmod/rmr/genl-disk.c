// SPDX-License-Identifier: GPL-2.0-only
/*
 * The part of the netlink family about the disk under a member: its growth, what is done about its
 * errors. Knows no state of its own, as genl.c. Process context.
 */
#include <linux/slab.h>

#include "rmr-pri.h"

int rmr_nl_pool_grow_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct rmr_srv_ctl *ctl = rmr_nl_srv_ctl(info->extack);
	struct nlattr **a = info->attrs;
	struct rmr_pool_spec *spec;
	int err;

	if (IS_ERR(ctl))
		return PTR_ERR(ctl);
	spec = kzalloc(sizeof(*spec), GFP_KERNEL);
	err = spec ? rmr_nl_pool_spec(info, spec) : -ENOMEM;
	if (!err && !spec->name)
		err = rmr_nl_missing(info->extack, "pool name");
	if (!err) {
		if (a[RMR_A_POOL_MEMBER_ID])
			spec->leg = nla_get_u8(a[RMR_A_POOL_MEMBER_ID]);
		if (a[RMR_A_POOL_SIZE])
			spec->size = nla_get_u64(a[RMR_A_POOL_SIZE]);
		spec->zeroed = nla_get_flag(a[RMR_A_POOL_ZEROED]);
		err = ctl->grow(spec, info->extack);
	}
	kfree(spec);
	module_put(ctl->owner);
	return err;
}

int rmr_nl_pool_disk_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct rmr_srv_ctl *ctl = rmr_nl_srv_ctl(info->extack);
	struct nlattr **a = info->attrs;
	struct rmr_pool_spec *spec;
	int err;

	if (IS_ERR(ctl))
		return PTR_ERR(ctl);
	spec = kzalloc(sizeof(*spec), GFP_KERNEL);
	err = spec ? rmr_nl_pool_spec(info, spec) : -ENOMEM;
	if (!err && !spec->name)
		err = rmr_nl_missing(info->extack, "pool name");
	if (!err && !a[RMR_A_POOL_ON_ERROR] && !nla_get_flag(a[RMR_A_POOL_DISK_RETURN]))
		err = rmr_nl_missing(info->extack, "what to do with the disk");
	if (!err) {
		if (a[RMR_A_POOL_MEMBER_ID])
			spec->leg = nla_get_u8(a[RMR_A_POOL_MEMBER_ID]);
		spec->on_error = a[RMR_A_POOL_ON_ERROR] ?
			nla_get_u8(a[RMR_A_POOL_ON_ERROR]) : -1;
		spec->disk_return = nla_get_flag(a[RMR_A_POOL_DISK_RETURN]);
		err = ctl->disk(spec, info->extack);
	}
	kfree(spec);
	module_put(ctl->owner);
	return err;
}
