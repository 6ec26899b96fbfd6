/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	docs/netlink/rmr.yaml */
/* YNL-GEN kernel header */

#ifndef _LINUX_RMR_GEN_H
#define _LINUX_RMR_GEN_H

#include <net/netlink.h>
#include <net/genetlink.h>

#include <uapi/linux/rmr.h>

int rmr_nl_pool_create_doit(struct sk_buff *skb, struct genl_info *info);
int rmr_nl_pool_join_doit(struct sk_buff *skb, struct genl_info *info);
int rmr_nl_pool_assemble_doit(struct sk_buff *skb, struct genl_info *info);
int rmr_nl_pool_stop_doit(struct sk_buff *skb, struct genl_info *info);
int rmr_nl_pool_get_doit(struct sk_buff *skb, struct genl_info *info);
int rmr_nl_pool_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int rmr_nl_device_map_doit(struct sk_buff *skb, struct genl_info *info);
int rmr_nl_device_unmap_doit(struct sk_buff *skb, struct genl_info *info);
int rmr_nl_device_resize_doit(struct sk_buff *skb, struct genl_info *info);
int rmr_nl_pool_grow_doit(struct sk_buff *skb, struct genl_info *info);
int rmr_nl_device_get_doit(struct sk_buff *skb, struct genl_info *info);
int rmr_nl_device_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int rmr_nl_leg_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int rmr_nl_pool_resync_doit(struct sk_buff *skb, struct genl_info *info);
int rmr_nl_leg_eject_doit(struct sk_buff *skb, struct genl_info *info);
int rmr_nl_leg_return_doit(struct sk_buff *skb, struct genl_info *info);
int rmr_nl_pool_resolve_doit(struct sk_buff *skb, struct genl_info *info);
int rmr_nl_pool_peek_doit(struct sk_buff *skb, struct genl_info *info);
int rmr_nl_pool_replace_doit(struct sk_buff *skb, struct genl_info *info);
int rmr_nl_pool_member_doit(struct sk_buff *skb, struct genl_info *info);
int rmr_nl_leg_set_doit(struct sk_buff *skb, struct genl_info *info);
int rmr_nl_pool_verify_doit(struct sk_buff *skb, struct genl_info *info);
int rmr_nl_difference_get_dumpit(struct sk_buff *skb,
				 struct netlink_callback *cb);
int rmr_nl_pool_disk_doit(struct sk_buff *skb, struct genl_info *info);
int rmr_nl_latency_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);

enum {
	RMR_NLGRP_NOTIFY,
};

extern struct genl_family rmr_nl_family;

#endif /* _LINUX_RMR_GEN_H */
