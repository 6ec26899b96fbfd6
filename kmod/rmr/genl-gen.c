// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Do not edit directly, auto-generated from: */
/*	docs/netlink/rmr.yaml */
/* YNL-GEN kernel source */

#include <net/netlink.h>
#include <net/genetlink.h>

#include "genl-gen.h"

#include <uapi/linux/rmr.h>

/* Integer value ranges */
static const struct netlink_range_validation rmr_a_pool_resync_target_ns_range = {
	.min	= 100000ULL,
	.max	= 10000000000ULL,
};

static const struct netlink_range_validation rmr_a_device_stall_ms_range = {
	.min	= 1000ULL,
	.max	= 60000ULL,
};

/* RMR_CMD_POOL_CREATE - do */
static const struct nla_policy rmr_pool_create_nl_policy[RMR_A_POOL_DATA_CHECKSUMS + 1] = {
	[RMR_A_POOL_NAME] = { .type = NLA_NUL_STRING, .len = RMR_NAME_MAX, },
	[RMR_A_POOL_UUID] = NLA_POLICY_EXACT_LEN(16),
	[RMR_A_POOL_SIZE] = { .type = NLA_U64, },
	[RMR_A_POOL_CHUNK_SIZE] = { .type = NLA_U32, },
	[RMR_A_POOL_DEVICE] = { .type = NLA_NUL_STRING, .len = RMR_PATH_MAX, },
	[RMR_A_POOL_METADATA_DEVICE] = { .type = NLA_NUL_STRING, .len = RMR_PATH_MAX, },
	[RMR_A_POOL_NODE] = { .type = NLA_NUL_STRING, .len = RMR_NAME_MAX, },
	[RMR_A_POOL_ADDR] = { .type = NLA_STRING, .len = RMR_NAME_MAX, },
	[RMR_A_POOL_ZEROED] = { .type = NLA_FLAG, },
	[RMR_A_POOL_FORCE] = { .type = NLA_FLAG, },
	[RMR_A_POOL_QUORUM] = NLA_POLICY_MAX(NLA_U8, 1),
	[RMR_A_POOL_ON_ERROR] = NLA_POLICY_MAX(NLA_U8, 2),
	[RMR_A_POOL_DATA_CHECKSUMS] = { .type = NLA_FLAG, },
};

/* RMR_CMD_POOL_JOIN - do */
static const struct nla_policy rmr_pool_join_nl_policy[RMR_A_POOL_ON_ERROR + 1] = {
	[RMR_A_POOL_NAME] = { .type = NLA_NUL_STRING, .len = RMR_NAME_MAX, },
	[RMR_A_POOL_UUID] = NLA_POLICY_EXACT_LEN(16),
	[RMR_A_POOL_DEVICE] = { .type = NLA_NUL_STRING, .len = RMR_PATH_MAX, },
	[RMR_A_POOL_METADATA_DEVICE] = { .type = NLA_NUL_STRING, .len = RMR_PATH_MAX, },
	[RMR_A_POOL_MEMBER_ID] = NLA_POLICY_MAX(NLA_U8, 7),
	[RMR_A_POOL_NODE] = { .type = NLA_NUL_STRING, .len = RMR_NAME_MAX, },
	[RMR_A_POOL_ADDR] = { .type = NLA_STRING, .len = RMR_NAME_MAX, },
	[RMR_A_POOL_PEER] = { .type = NLA_STRING, .len = RMR_NAME_MAX, },
	[RMR_A_POOL_PORT] = { .type = NLA_U16, },
	[RMR_A_POOL_TRANSPORT] = { .type = NLA_NUL_STRING, .len = 15, },
	[RMR_A_POOL_ZEROED] = { .type = NLA_FLAG, },
	[RMR_A_POOL_FORCE] = { .type = NLA_FLAG, },
	[RMR_A_POOL_DRY_RUN] = { .type = NLA_FLAG, },
	[RMR_A_POOL_WITNESS] = { .type = NLA_FLAG, },
	[RMR_A_POOL_REPLACES] = NLA_POLICY_MAX(NLA_U8, 7),
	[RMR_A_POOL_ON_ERROR] = NLA_POLICY_MAX(NLA_U8, 2),
};

/* RMR_CMD_POOL_ASSEMBLE - do */
static const struct nla_policy rmr_pool_assemble_nl_policy[RMR_A_POOL_METADATA_DEVICE + 1] = {
	[RMR_A_POOL_DEVICE] = { .type = NLA_NUL_STRING, .len = RMR_PATH_MAX, },
	[RMR_A_POOL_METADATA_DEVICE] = { .type = NLA_NUL_STRING, .len = RMR_PATH_MAX, },
	[RMR_A_POOL_STORE_SIZE] = { .type = NLA_U64, },
	[RMR_A_POOL_NAME] = { .type = NLA_NUL_STRING, .len = RMR_NAME_MAX, },
	[RMR_A_POOL_UUID] = NLA_POLICY_EXACT_LEN(16),
};

/* RMR_CMD_POOL_STOP - do */
static const struct nla_policy rmr_pool_stop_nl_policy[RMR_A_POOL_LEG + 1] = {
	[RMR_A_POOL_NAME] = { .type = NLA_NUL_STRING, .len = RMR_NAME_MAX, },
	[RMR_A_POOL_UUID] = NLA_POLICY_EXACT_LEN(16),
	[RMR_A_POOL_WIPE] = { .type = NLA_FLAG, },
	[RMR_A_POOL_FORCE] = { .type = NLA_FLAG, },
	[RMR_A_POOL_LEG] = NLA_POLICY_MAX(NLA_U8, 7),
};

/* RMR_CMD_POOL_GET - do */
static const struct nla_policy rmr_pool_get_nl_policy[RMR_A_POOL_NAME + 1] = {
	[RMR_A_POOL_NAME] = { .type = NLA_NUL_STRING, .len = RMR_NAME_MAX, },
};

/* RMR_CMD_DEVICE_MAP - do */
static const struct nla_policy rmr_device_map_nl_policy[RMR_A_DEVICE_SUSPEND_MS + 1] = {
	[RMR_A_DEVICE_NAME] = { .type = NLA_NUL_STRING, .len = RMR_NAME_MAX, },
	[RMR_A_DEVICE_UUID] = NLA_POLICY_EXACT_LEN(16),
	[RMR_A_DEVICE_ADDR] = { .type = NLA_STRING, .len = RMR_NAME_MAX, },
	[RMR_A_DEVICE_PORT] = { .type = NLA_U16, },
	[RMR_A_DEVICE_TRANSPORT] = { .type = NLA_NUL_STRING, .len = 15, },
	[RMR_A_DEVICE_NODE] = { .type = NLA_NUL_STRING, .len = RMR_NAME_MAX, },
	[RMR_A_DEVICE_TAKEOVER] = { .type = NLA_FLAG, },
	[RMR_A_DEVICE_STALL_MS] = NLA_POLICY_FULL_RANGE(NLA_U32, &rmr_a_device_stall_ms_range),
	[RMR_A_DEVICE_SUSPEND_MS] = { .type = NLA_U32, },
	[RMR_A_DEVICE_FORCE] = { .type = NLA_FLAG, },
};

/* RMR_CMD_DEVICE_UNMAP - do */
static const struct nla_policy rmr_device_unmap_nl_policy[RMR_A_DEVICE_FORCE + 1] = {
	[RMR_A_DEVICE_INDEX] = { .type = NLA_U32, },
	[RMR_A_DEVICE_NAME] = { .type = NLA_NUL_STRING, .len = RMR_NAME_MAX, },
	[RMR_A_DEVICE_FORCE] = { .type = NLA_FLAG, },
};

/* RMR_CMD_DEVICE_RESIZE - do */
static const struct nla_policy rmr_device_resize_nl_policy[RMR_A_DEVICE_SIZE + 1] = {
	[RMR_A_DEVICE_NAME] = { .type = NLA_NUL_STRING, .len = RMR_NAME_MAX, },
	[RMR_A_DEVICE_SIZE] = { .type = NLA_U64, },
	[RMR_A_DEVICE_FORCE] = { .type = NLA_FLAG, },
};

/* RMR_CMD_POOL_GROW - do */
static const struct nla_policy rmr_pool_grow_nl_policy[RMR_A_POOL_ZEROED + 1] = {
	[RMR_A_POOL_NAME] = { .type = NLA_NUL_STRING, .len = RMR_NAME_MAX, },
	[RMR_A_POOL_UUID] = NLA_POLICY_EXACT_LEN(16),
	[RMR_A_POOL_MEMBER_ID] = NLA_POLICY_MAX(NLA_U8, 7),
	[RMR_A_POOL_SIZE] = { .type = NLA_U64, },
	[RMR_A_POOL_ZEROED] = { .type = NLA_FLAG, },
};

/* RMR_CMD_DEVICE_GET - do */
static const struct nla_policy rmr_device_get_nl_policy[RMR_A_DEVICE_NAME + 1] = {
	[RMR_A_DEVICE_INDEX] = { .type = NLA_U32, },
	[RMR_A_DEVICE_NAME] = { .type = NLA_NUL_STRING, .len = RMR_NAME_MAX, },
};

/* RMR_CMD_POOL_RESYNC - do */
static const struct nla_policy rmr_pool_resync_nl_policy[RMR_A_POOL_LEG + 1] = {
	[RMR_A_POOL_NAME] = { .type = NLA_NUL_STRING, .len = RMR_NAME_MAX, },
	[RMR_A_POOL_UUID] = NLA_POLICY_EXACT_LEN(16),
	[RMR_A_POOL_RESYNC_PAUSE] = NLA_POLICY_MAX(NLA_U8, 1),
	[RMR_A_POOL_RESYNC_LIMIT] = { .type = NLA_U64, },
	[RMR_A_POOL_RESYNC_FLOOR] = NLA_POLICY_MIN(NLA_U64, 1),
	[RMR_A_POOL_RESYNC_TARGET_NS] = NLA_POLICY_FULL_RANGE(NLA_U64, &rmr_a_pool_resync_target_ns_range),
	[RMR_A_POOL_RESYNC_DIGEST] = NLA_POLICY_MAX(NLA_U8, 1),
	[RMR_A_POOL_LEG] = NLA_POLICY_MAX(NLA_U8, 7),
};

/* RMR_CMD_LEG_EJECT - do */
static const struct nla_policy rmr_leg_eject_nl_policy[RMR_A_LEG_FORCE + 1] = {
	[RMR_A_LEG_POOL_NAME] = { .type = NLA_NUL_STRING, .len = RMR_NAME_MAX, },
	[RMR_A_LEG_MEMBER_ID] = NLA_POLICY_MAX(NLA_U8, 7),
	[RMR_A_LEG_FORCE] = { .type = NLA_FLAG, },
};

/* RMR_CMD_LEG_RETURN - do */
static const struct nla_policy rmr_leg_return_nl_policy[RMR_A_LEG_MEMBER_ID + 1] = {
	[RMR_A_LEG_POOL_NAME] = { .type = NLA_NUL_STRING, .len = RMR_NAME_MAX, },
	[RMR_A_LEG_MEMBER_ID] = NLA_POLICY_MAX(NLA_U8, 7),
};

/* RMR_CMD_POOL_RESOLVE - do */
static const struct nla_policy rmr_pool_resolve_nl_policy[RMR_A_POOL_MEMBER_ID + 1] = {
	[RMR_A_POOL_NAME] = { .type = NLA_NUL_STRING, .len = RMR_NAME_MAX, },
	[RMR_A_POOL_UUID] = NLA_POLICY_EXACT_LEN(16),
	[RMR_A_POOL_MEMBER_ID] = NLA_POLICY_MAX(NLA_U8, 7),
};

/* RMR_CMD_POOL_PEEK - do */
static const struct nla_policy rmr_pool_peek_nl_policy[RMR_A_POOL_TRANSPORT + 1] = {
	[RMR_A_POOL_NAME] = { .type = NLA_NUL_STRING, .len = RMR_NAME_MAX, },
	[RMR_A_POOL_UUID] = NLA_POLICY_EXACT_LEN(16),
	[RMR_A_POOL_PEER] = { .type = NLA_STRING, .len = RMR_NAME_MAX, },
	[RMR_A_POOL_PORT] = { .type = NLA_U16, },
	[RMR_A_POOL_TRANSPORT] = { .type = NLA_NUL_STRING, .len = 15, },
};

/* RMR_CMD_POOL_REPLACE - do */
static const struct nla_policy rmr_pool_replace_nl_policy[RMR_A_POOL_LEG + 1] = {
	[RMR_A_POOL_NAME] = { .type = NLA_NUL_STRING, .len = RMR_NAME_MAX, },
	[RMR_A_POOL_UUID] = NLA_POLICY_EXACT_LEN(16),
	[RMR_A_POOL_LEG] = NLA_POLICY_MAX(NLA_U8, 7),
	[RMR_A_POOL_DEVICE] = { .type = NLA_NUL_STRING, .len = RMR_PATH_MAX, },
	[RMR_A_POOL_NODE] = { .type = NLA_NUL_STRING, .len = RMR_NAME_MAX, },
	[RMR_A_POOL_ADDR] = { .type = NLA_STRING, .len = RMR_NAME_MAX, },
	[RMR_A_POOL_PEER] = { .type = NLA_STRING, .len = RMR_NAME_MAX, },
	[RMR_A_POOL_PORT] = { .type = NLA_U16, },
	[RMR_A_POOL_TRANSPORT] = { .type = NLA_NUL_STRING, .len = 15, },
	[RMR_A_POOL_FORCE] = { .type = NLA_FLAG, },
	[RMR_A_POOL_DRY_RUN] = { .type = NLA_FLAG, },
};

/* RMR_CMD_POOL_MEMBER - do */
static const struct nla_policy rmr_pool_member_nl_policy[RMR_A_POOL_MAINTENANCE + 1] = {
	[RMR_A_POOL_NAME] = { .type = NLA_NUL_STRING, .len = RMR_NAME_MAX, },
	[RMR_A_POOL_UUID] = NLA_POLICY_EXACT_LEN(16),
	[RMR_A_POOL_LEG] = NLA_POLICY_MAX(NLA_U8, 7),
	[RMR_A_POOL_MEMBER_ID] = NLA_POLICY_MAX(NLA_U8, 7),
	[RMR_A_POOL_LEAVING] = { .type = NLA_FLAG, },
	[RMR_A_POOL_MAINTENANCE] = NLA_POLICY_MAX(NLA_U8, 1),
	[RMR_A_POOL_DRY_RUN] = { .type = NLA_FLAG, },
};

/* RMR_CMD_LEG_SET - do */
static const struct nla_policy rmr_leg_set_nl_policy[RMR_A_LEG_MAINTENANCE + 1] = {
	[RMR_A_LEG_POOL_NAME] = { .type = NLA_NUL_STRING, .len = RMR_NAME_MAX, },
	[RMR_A_LEG_MEMBER_ID] = NLA_POLICY_MAX(NLA_U8, 7),
	[RMR_A_LEG_LEAVING] = { .type = NLA_FLAG, },
	[RMR_A_LEG_MAINTENANCE] = NLA_POLICY_MAX(NLA_U8, 1),
};

/* RMR_CMD_POOL_VERIFY - do */
static const struct nla_policy rmr_pool_verify_nl_policy[RMR_A_POOL_VERIFY_LIMIT + 1] = {
	[RMR_A_POOL_NAME] = { .type = NLA_NUL_STRING, .len = RMR_NAME_MAX, },
	[RMR_A_POOL_UUID] = NLA_POLICY_EXACT_LEN(16),
	[RMR_A_POOL_LEG] = NLA_POLICY_MAX(NLA_U8, 7),
	[RMR_A_POOL_VERIFY_RUN] = NLA_POLICY_MAX(NLA_U8, 1),
	[RMR_A_POOL_VERIFY_FROM] = NLA_POLICY_MAX(NLA_U8, 8),
	[RMR_A_POOL_VERIFY_LEGS] = { .type = NLA_U8, },
	[RMR_A_POOL_VERIFY_LIMIT] = { .type = NLA_U64, },
};

/* RMR_CMD_POOL_DISK - do */
static const struct nla_policy rmr_pool_disk_nl_policy[RMR_A_POOL_DISK_RETURN + 1] = {
	[RMR_A_POOL_NAME] = { .type = NLA_NUL_STRING, .len = RMR_NAME_MAX, },
	[RMR_A_POOL_UUID] = NLA_POLICY_EXACT_LEN(16),
	[RMR_A_POOL_MEMBER_ID] = NLA_POLICY_MAX(NLA_U8, 7),
	[RMR_A_POOL_ON_ERROR] = NLA_POLICY_MAX(NLA_U8, 2),
	[RMR_A_POOL_DISK_RETURN] = { .type = NLA_FLAG, },
};

/* Ops table for rmr */
static const struct genl_split_ops rmr_nl_ops[] = {
	{
		.cmd		= RMR_CMD_POOL_CREATE,
		.doit		= rmr_nl_pool_create_doit,
		.policy		= rmr_pool_create_nl_policy,
		.maxattr	= RMR_A_POOL_DATA_CHECKSUMS,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= RMR_CMD_POOL_JOIN,
		.doit		= rmr_nl_pool_join_doit,
		.policy		= rmr_pool_join_nl_policy,
		.maxattr	= RMR_A_POOL_ON_ERROR,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= RMR_CMD_POOL_ASSEMBLE,
		.doit		= rmr_nl_pool_assemble_doit,
		.policy		= rmr_pool_assemble_nl_policy,
		.maxattr	= RMR_A_POOL_METADATA_DEVICE,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= RMR_CMD_POOL_STOP,
		.doit		= rmr_nl_pool_stop_doit,
		.policy		= rmr_pool_stop_nl_policy,
		.maxattr	= RMR_A_POOL_LEG,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= RMR_CMD_POOL_GET,
		.doit		= rmr_nl_pool_get_doit,
		.policy		= rmr_pool_get_nl_policy,
		.maxattr	= RMR_A_POOL_NAME,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd	= RMR_CMD_POOL_GET,
		.dumpit	= rmr_nl_pool_get_dumpit,
		.flags	= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= RMR_CMD_DEVICE_MAP,
		.doit		= rmr_nl_device_map_doit,
		.policy		= rmr_device_map_nl_policy,
		.maxattr	= RMR_A_DEVICE_SUSPEND_MS,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= RMR_CMD_DEVICE_UNMAP,
		.doit		= rmr_nl_device_unmap_doit,
		.policy		= rmr_device_unmap_nl_policy,
		.maxattr	= RMR_A_DEVICE_FORCE,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= RMR_CMD_DEVICE_RESIZE,
		.doit		= rmr_nl_device_resize_doit,
		.policy		= rmr_device_resize_nl_policy,
		.maxattr	= RMR_A_DEVICE_SIZE,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= RMR_CMD_POOL_GROW,
		.doit		= rmr_nl_pool_grow_doit,
		.policy		= rmr_pool_grow_nl_policy,
		.maxattr	= RMR_A_POOL_ZEROED,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= RMR_CMD_DEVICE_GET,
		.doit		= rmr_nl_device_get_doit,
		.policy		= rmr_device_get_nl_policy,
		.maxattr	= RMR_A_DEVICE_NAME,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd	= RMR_CMD_DEVICE_GET,
		.dumpit	= rmr_nl_device_get_dumpit,
		.flags	= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd	= RMR_CMD_LEG_GET,
		.dumpit	= rmr_nl_leg_get_dumpit,
		.flags	= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= RMR_CMD_POOL_RESYNC,
		.doit		= rmr_nl_pool_resync_doit,
		.policy		= rmr_pool_resync_nl_policy,
		.maxattr	= RMR_A_POOL_LEG,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= RMR_CMD_LEG_EJECT,
		.doit		= rmr_nl_leg_eject_doit,
		.policy		= rmr_leg_eject_nl_policy,
		.maxattr	= RMR_A_LEG_FORCE,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= RMR_CMD_LEG_RETURN,
		.doit		= rmr_nl_leg_return_doit,
		.policy		= rmr_leg_return_nl_policy,
		.maxattr	= RMR_A_LEG_MEMBER_ID,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= RMR_CMD_POOL_RESOLVE,
		.doit		= rmr_nl_pool_resolve_doit,
		.policy		= rmr_pool_resolve_nl_policy,
		.maxattr	= RMR_A_POOL_MEMBER_ID,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= RMR_CMD_POOL_PEEK,
		.doit		= rmr_nl_pool_peek_doit,
		.policy		= rmr_pool_peek_nl_policy,
		.maxattr	= RMR_A_POOL_TRANSPORT,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= RMR_CMD_POOL_REPLACE,
		.doit		= rmr_nl_pool_replace_doit,
		.policy		= rmr_pool_replace_nl_policy,
		.maxattr	= RMR_A_POOL_LEG,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= RMR_CMD_POOL_MEMBER,
		.doit		= rmr_nl_pool_member_doit,
		.policy		= rmr_pool_member_nl_policy,
		.maxattr	= RMR_A_POOL_MAINTENANCE,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= RMR_CMD_LEG_SET,
		.doit		= rmr_nl_leg_set_doit,
		.policy		= rmr_leg_set_nl_policy,
		.maxattr	= RMR_A_LEG_MAINTENANCE,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= RMR_CMD_POOL_VERIFY,
		.doit		= rmr_nl_pool_verify_doit,
		.policy		= rmr_pool_verify_nl_policy,
		.maxattr	= RMR_A_POOL_VERIFY_LIMIT,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd	= RMR_CMD_DIFFERENCE_GET,
		.dumpit	= rmr_nl_difference_get_dumpit,
		.flags	= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= RMR_CMD_POOL_DISK,
		.doit		= rmr_nl_pool_disk_doit,
		.policy		= rmr_pool_disk_nl_policy,
		.maxattr	= RMR_A_POOL_DISK_RETURN,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd	= RMR_CMD_LATENCY_GET,
		.dumpit	= rmr_nl_latency_get_dumpit,
		.flags	= GENL_CMD_CAP_DUMP,
	},
};

static const struct genl_multicast_group rmr_nl_mcgrps[] = {
	[RMR_NLGRP_NOTIFY] = { "notify", },
};

struct genl_family rmr_nl_family __ro_after_init = {
	.name		= RMR_FAMILY_NAME,
	.version	= RMR_FAMILY_VERSION,
	.netnsok	= true,
	.parallel_ops	= true,
	.module		= THIS_MODULE,
	.split_ops	= rmr_nl_ops,
	.n_split_ops	= ARRAY_SIZE(rmr_nl_ops),
	.mcgrps		= rmr_nl_mcgrps,
	.n_mcgrps	= ARRAY_SIZE(rmr_nl_mcgrps),
};
