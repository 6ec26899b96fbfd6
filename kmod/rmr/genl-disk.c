// SPDX-License-Identifier: GPL-2.0-only
/*
 * The part of the netlink family about the disk under a member: its growth, what is done about its
 * errors. Knows no state of its own, as genl.c. Process context.
 */
#include "rmr-pri.h"

static int pool_grow(struct genl_info *info, struct rmr_srv_ctl *ctl, struct rmr_pool_spec *spec)
{
	struct nlattr **a = info->attrs;
	int err = rmr_nl_named(info, spec);

	if (err)
		return err;
	if (a[RMR_A_POOL_MEMBER_ID])
		spec->leg = nla_get_u8(a[RMR_A_POOL_MEMBER_ID]);
	if (a[RMR_A_POOL_SIZE])
		spec->size = nla_get_u64(a[RMR_A_POOL_SIZE]);
	spec->zeroed = nla_get_flag(a[RMR_A_POOL_ZEROED]);
	return ctl->grow(spec, info->extack);
}

int rmr_nl_pool_grow_doit(struct sk_buff *skb, struct genl_info *info)
{
	return rmr_nl_pool_command(info, pool_grow);
}

static int pool_disk(struct genl_info *info, struct rmr_srv_ctl *ctl, struct rmr_pool_spec *spec)
{
	struct nlattr **a = info->attrs;
	int err = rmr_nl_named(info, spec);

	if (err)
		return err;
	if (!a[RMR_A_POOL_ON_ERROR] && !nla_get_flag(a[RMR_A_POOL_DISK_RETURN]))
		return rmr_nl_missing(info->extack, "what to do with the disk");
	if (a[RMR_A_POOL_MEMBER_ID])
		spec->leg = nla_get_u8(a[RMR_A_POOL_MEMBER_ID]);
	spec->on_error = a[RMR_A_POOL_ON_ERROR] ? nla_get_u8(a[RMR_A_POOL_ON_ERROR]) : -1;
	spec->disk_return = nla_get_flag(a[RMR_A_POOL_DISK_RETURN]);
	return ctl->disk(spec, info->extack);
}

int rmr_nl_pool_disk_doit(struct sk_buff *skb, struct genl_info *info)
{
	return rmr_nl_pool_command(info, pool_disk);
}
