// SPDX-License-Identifier: GPL-2.0-only
/*
 * Handlers of the netlink family: attributes to specs, infos to attributes. Knows no state of its
 * own; commands go to the registered storage or client side. Process context; the family is
 * parallel-safe because each side serialises itself.
 *
 * The generated policies have bounded every length before a handler runs.
 */
#include "rmr-pri.h"

/* One object: a pool with the most members and the longest names needs more than a page. */
#define OBJECT_SIZE	(16u * 1024u)

int rmr_nl_missing(struct netlink_ext_ack *extack, const char *what)
{
	NL_SET_ERR_MSG_FMT(extack, "%s is missing", what);
	return -EINVAL;
}

struct rmr_srv_ctl *rmr_nl_srv_ctl(struct netlink_ext_ack *extack)
{
	struct rmr_srv_ctl *ctl = rmr_srv_ctl_get();

	if (ctl)
		return ctl;
	NL_SET_ERR_MSG(extack, "storage side not loaded: modprobe brmr_server");
	return ERR_PTR(-EOPNOTSUPP);
}

static struct rmr_clt_ctl *clt_ctl_or_err(struct netlink_ext_ack *extack)
{
	struct rmr_clt_ctl *ctl = rmr_clt_ctl_get();

	if (ctl)
		return ctl;
	NL_SET_ERR_MSG(extack, "client side not loaded: modprobe brmr_client");
	return ERR_PTR(-EOPNOTSUPP);
}

/* Collects a multi-attr string; more than max of them is an error. */
static int get_addrs(struct genl_info *info, int type, char (*addr)[RMR_ADDR_LEN],
		     unsigned int max, unsigned int *cnt)
{
	struct nlattr *attr;
	int rem;

	*cnt = 0;
	nlmsg_for_each_attr_type(attr, type, info->nlhdr, GENL_HDRLEN, rem) {
		if (*cnt == max) {
			NL_SET_ERR_MSG_FMT(info->extack, "more than %u addresses", max);
			return -E2BIG;
		}
		if (nla_strscpy(addr[*cnt], attr, RMR_ADDR_LEN) <= 0) {
			NL_SET_ERR_MSG_ATTR(info->extack, attr, "address is empty or too long");
			return -EINVAL;
		}
		(*cnt)++;
	}
	return 0;
}

static const char *str_attr(struct nlattr *attr)
{
	return attr ? nla_data(attr) : NULL;
}

static void pool_spec(struct genl_info *info, struct rmr_pool_spec *spec)
{
	struct nlattr **a = info->attrs;

	spec->leg = RMR_NO_MEMBER;
	spec->replaces = RMR_NO_MEMBER;
	spec->name = str_attr(a[RMR_A_POOL_NAME]);
	spec->device = str_attr(a[RMR_A_POOL_DEVICE]);
	if (a[RMR_A_POOL_UUID])
		spec->uuid = nla_data(a[RMR_A_POOL_UUID]);
}

/* Attributes that create, join and replace have. */
static int get_new(struct genl_info *info, struct rmr_pool_spec *spec)
{
	struct nlattr **a = info->attrs;

	if (!spec->name)
		return rmr_nl_missing(info->extack, "pool name");
	if (!spec->device)
		return rmr_nl_missing(info->extack, "device path");
	spec->node = str_attr(a[RMR_A_POOL_NODE]);
	spec->zeroed = nla_get_flag(a[RMR_A_POOL_ZEROED]);
	spec->force = nla_get_flag(a[RMR_A_POOL_FORCE]);
	spec->member_id = -1;
	spec->on_error = -1;
	return get_addrs(info, RMR_A_POOL_ADDR, spec->addr, RMR_MEMBER_ADDRS, &spec->addr_cnt);
}

/* Create and join have it. What is behind the last attribute of a command's policy is not there. */
static void get_on_error(struct genl_info *info, struct rmr_pool_spec *spec)
{
	struct nlattr *on_error = info->attrs[RMR_A_POOL_ON_ERROR];

	if (on_error)
		spec->on_error = nla_get_u8(on_error);
}

/* The member of this node that a command is about, if it says so. */
static void get_leg(struct genl_info *info, struct rmr_pool_spec *spec)
{
	struct nlattr *leg = info->attrs[RMR_A_POOL_LEG];

	if (leg)
		spec->leg = nla_get_u8(leg);
}

/* Where the others are found. */
static int get_peers(struct genl_info *info, struct rmr_pool_spec *spec)
{
	struct nlattr **a = info->attrs;

	spec->port = a[RMR_A_POOL_PORT] ? nla_get_u16(a[RMR_A_POOL_PORT]) : RMR_PORT;
	spec->transport = a[RMR_A_POOL_TRANSPORT] ? nla_data(a[RMR_A_POOL_TRANSPORT]) : "rtrs";
	return get_addrs(info, RMR_A_POOL_PEER, spec->peer, RMR_MAX_MEMBERS, &spec->peer_cnt);
}

static int put_member(struct sk_buff *skb, unsigned int id, const struct rmr_member_info *m)
{
	struct nlattr *nest = nla_nest_start(skb, RMR_A_POOL_MEMBER);
	unsigned int i;

	if (!nest)
		return -EMSGSIZE;
	if (nla_put_u8(skb, RMR_A_MEMBER_ID, id) ||
	    nla_put_u8(skb, RMR_A_MEMBER_KIND, m->kind) ||
	    nla_put(skb, RMR_A_MEMBER_STORE_UUID, RMR_UUID_LEN, m->store_uuid) ||
	    nla_put_string(skb, RMR_A_MEMBER_NODE, m->node) ||
	    nla_put_u64_64bit(skb, RMR_A_MEMBER_COPIED, m->copied, RMR_A_MEMBER_PAD) ||
	    nla_put_u64_64bit(skb, RMR_A_MEMBER_GENERATION, m->generation, RMR_A_MEMBER_PAD))
		return -EMSGSIZE;
	if ((m->leaving && nla_put_flag(skb, RMR_A_MEMBER_LEAVING)) ||
	    (m->maintenance && nla_put_flag(skb, RMR_A_MEMBER_MAINTENANCE)) ||
	    (m->successor && nla_put_u8(skb, RMR_A_MEMBER_SUCCESSOR, m->successor)))
		return -EMSGSIZE;
	for (i = 0; i < RMR_MEMBER_ADDRS; i++)
		if (m->addr[i][0] && nla_put_string(skb, RMR_A_MEMBER_ADDR, m->addr[i]))
			return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/* What create, join and assemble answer. */
static int put_pool_id(struct sk_buff *skb, const struct rmr_pool_info *p)
{
	if (nla_put_string(skb, RMR_A_POOL_NAME, p->name) ||
	    nla_put(skb, RMR_A_POOL_UUID, RMR_UUID_LEN, p->uuid) ||
	    nla_put(skb, RMR_A_POOL_STORE_UUID, RMR_UUID_LEN, p->store_uuid) ||
	    nla_put_u8(skb, RMR_A_POOL_MEMBER_ID, p->member_id) ||
	    nla_put_u64_64bit(skb, RMR_A_POOL_SIZE, p->size, RMR_A_POOL_PAD) ||
	    nla_put_u32(skb, RMR_A_POOL_CHUNK_SIZE, p->chunk_size))
		return -EMSGSIZE;
	if ((p->sb_flags & RMR_SB_F_DISCARDED) && nla_put_flag(skb, RMR_A_POOL_DISCARDED))
		return -EMSGSIZE;
	return 0;
}

static int put_pool_stats(struct sk_buff *skb, const struct rmr_pool_info *p)
{
	const struct rmr_io_stats *s = &p->stats;

	if (nla_put_u64_64bit(skb, RMR_A_POOL_READS, s->reads, RMR_A_POOL_PAD) ||
	    nla_put_u64_64bit(skb, RMR_A_POOL_WRITES, s->writes, RMR_A_POOL_PAD) ||
	    nla_put_u64_64bit(skb, RMR_A_POOL_FLUSHES, s->flushes, RMR_A_POOL_PAD) ||
	    nla_put_u64_64bit(skb, RMR_A_POOL_DISCARDS, s->discards, RMR_A_POOL_PAD) ||
	    nla_put_u64_64bit(skb, RMR_A_POOL_READ_BYTES, s->read_bytes, RMR_A_POOL_PAD) ||
	    nla_put_u64_64bit(skb, RMR_A_POOL_WRITE_BYTES, s->write_bytes, RMR_A_POOL_PAD) ||
	    nla_put_u64_64bit(skb, RMR_A_POOL_ERRORS, s->errors, RMR_A_POOL_PAD) ||
	    nla_put_u64_64bit(skb, RMR_A_POOL_REFUSED, p->refused, RMR_A_POOL_PAD) ||
	    nla_put_u32(skb, RMR_A_POOL_INFLIGHT, p->inflight) ||
	    nla_put_u64_64bit(skb, RMR_A_POOL_STORE_SIZE, p->store_size, RMR_A_POOL_PAD) ||
	    nla_put_u64_64bit(skb, RMR_A_POOL_STALE, p->stale, RMR_A_POOL_PAD) ||
	    nla_put_u64_64bit(skb, RMR_A_POOL_MISSED, p->missed, RMR_A_POOL_PAD) ||
	    nla_put_u64_64bit(skb, RMR_A_POOL_INTENTS, p->intents, RMR_A_POOL_PAD))
		return -EMSGSIZE;
	return 0;
}

static int put_pool_resync(struct sk_buff *skb, const struct rmr_pool_info *p)
{
	if (nla_put_u8(skb, RMR_A_POOL_RESYNC_STATE, p->resync_state) ||
	    nla_put_u8(skb, RMR_A_POOL_RESYNC_REASON, p->resync_reason) ||
	    nla_put_u64_64bit(skb, RMR_A_POOL_RESYNC_LEFT, p->resync_left, RMR_A_POOL_PAD) ||
	    nla_put_u64_64bit(skb, RMR_A_POOL_RESYNC_TOTAL, p->resync_total, RMR_A_POOL_PAD) ||
	    nla_put_u64_64bit(skb, RMR_A_POOL_RESYNC_COPIED, p->resync_copied, RMR_A_POOL_PAD) ||
	    nla_put_u64_64bit(skb, RMR_A_POOL_RESYNC_RATE, p->resync_rate, RMR_A_POOL_PAD) ||
	    nla_put_u64_64bit(skb, RMR_A_POOL_RESYNC_ALLOWED, p->resync_allowed,
			      RMR_A_POOL_PAD) ||
	    nla_put_u64_64bit(skb, RMR_A_POOL_RESYNC_LIMIT, p->resync_limit, RMR_A_POOL_PAD) ||
	    nla_put_u64_64bit(skb, RMR_A_POOL_RESYNC_FAILURES, p->resync_failures,
			      RMR_A_POOL_PAD) ||
	    nla_put_u8(skb, RMR_A_POOL_RESYNC_PACE, p->resync_pace) ||
	    nla_put_u64_64bit(skb, RMR_A_POOL_RESYNC_FLOOR, p->resync_floor, RMR_A_POOL_PAD) ||
	    nla_put_u64_64bit(skb, RMR_A_POOL_RESYNC_TARGET_NS, p->resync_target_ns,
			      RMR_A_POOL_PAD) ||
	    nla_put_u64_64bit(skb, RMR_A_POOL_RESYNC_LATENCY_NS, p->resync_latency_ns,
			      RMR_A_POOL_PAD) ||
	    nla_put_u8(skb, RMR_A_POOL_RESYNC_DIGEST, p->resync_digest) ||
	    nla_put_u64_64bit(skb, RMR_A_POOL_RESYNC_EQUAL, p->resync_equal, RMR_A_POOL_PAD))
		return -EMSGSIZE;
	if (p->resync_eta_ms &&
	    nla_put_u64_64bit(skb, RMR_A_POOL_RESYNC_ETA_MS, p->resync_eta_ms, RMR_A_POOL_PAD))
		return -EMSGSIZE;
	return 0;
}

static int put_pool_disk(struct sk_buff *skb, const struct rmr_pool_info *p)
{
	if (nla_put_u8(skb, RMR_A_POOL_ON_ERROR, p->on_error) ||
	    nla_put_u32(skb, RMR_A_POOL_DISK_ERRORS, p->disk_errors) ||
	    nla_put_u64_64bit(skb, RMR_A_POOL_READ_ERRORS, p->read_errors, RMR_A_POOL_PAD) ||
	    nla_put_u64_64bit(skb, RMR_A_POOL_WRITE_ERRORS, p->write_errors, RMR_A_POOL_PAD) ||
	    nla_put_u64_64bit(skb, RMR_A_POOL_WRITE_RETRIES, p->write_retries, RMR_A_POOL_PAD) ||
	    nla_put_u64_64bit(skb, RMR_A_POOL_BAD_DATA, p->bad_data, RMR_A_POOL_PAD))
		return -EMSGSIZE;
	if (p->left && nla_put_flag(skb, RMR_A_POOL_LEFT))
		return -EMSGSIZE;
	if (p->hung_ms && nla_put_u32(skb, RMR_A_POOL_HUNG_MS, p->hung_ms))
		return -EMSGSIZE;
	if ((p->sb_flags & RMR_SB_F_DATA_CRC) && nla_put_flag(skb, RMR_A_POOL_DATA_CHECKSUMS))
		return -EMSGSIZE;
	return 0;
}

static int put_pool(struct sk_buff *skb, const struct rmr_pool_info *p)
{
	unsigned int i;

	if (put_pool_id(skb, p) ||
	    nla_put_string(skb, RMR_A_POOL_DEVICE, p->device) ||
	    (p->md_device[0] &&
	     nla_put_string(skb, RMR_A_POOL_METADATA_DEVICE, p->md_device)) ||
	    nla_put_u64_64bit(skb, RMR_A_POOL_ROOM, p->room, RMR_A_POOL_PAD) ||
	    nla_put_u64_64bit(skb, RMR_A_POOL_DEVICE_GROWN, p->device_grown,
			      RMR_A_POOL_PAD) ||
	    nla_put_u8(skb, RMR_A_POOL_STATE, p->state) ||
	    nla_put_u8(skb, RMR_A_POOL_REASON, p->reason) ||
	    nla_put_u64_64bit(skb, RMR_A_POOL_EPOCH_SEQ, p->epoch_seq, RMR_A_POOL_PAD) ||
	    nla_put_u64_64bit(skb, RMR_A_POOL_EPOCH_CLIENT, p->epoch_client, RMR_A_POOL_PAD) ||
	    nla_put_u64_64bit(skb, RMR_A_POOL_VIEW, p->view, RMR_A_POOL_PAD) ||
	    nla_put_u8(skb, RMR_A_POOL_UP_TO_DATE, p->up_to_date) ||
	    nla_put_u8(skb, RMR_A_POOL_SYNCING, p->syncing) ||
	    nla_put_u8(skb, RMR_A_POOL_DAMAGED_COPIES, p->damaged) ||
	    nla_put_u8(skb, RMR_A_POOL_QUORUM, p->sb_flags & RMR_SB_F_QUORUM ?
		       RMR_QUORUM_MAJORITY : RMR_QUORUM_OFF))
		return -EMSGSIZE;
	if ((p->sb_flags & RMR_SB_F_CLEAN) && nla_put_flag(skb, RMR_A_POOL_CLEAN))
		return -EMSGSIZE;
	if ((p->sb_flags & RMR_SB_F_USED) && nla_put_flag(skb, RMR_A_POOL_USED))
		return -EMSGSIZE;
	if (put_pool_disk(skb, p))
		return -EMSGSIZE;
	if (nla_put(skb, RMR_A_POOL_LINEAGE, RMR_UUID_LEN, p->lineage) ||
	    nla_put_u64_64bit(skb, RMR_A_POOL_OTHERS_LACK, p->others_lack, RMR_A_POOL_PAD))
		return -EMSGSIZE;
	if (p->client[0] && nla_put_string(skb, RMR_A_POOL_CLIENT, p->client))
		return -EMSGSIZE;
	for (i = 0; i < RMR_MAX_MEMBERS; i++)
		if (p->member[i].kind && put_member(skb, i, &p->member[i]))
			return -EMSGSIZE;
	return put_pool_stats(skb, p) ?: put_pool_resync(skb, p) ?: rmr_nl_put_verify(skb, p);
}

static int put_dev_attrs(struct sk_buff *skb, const struct rmr_device_info *d)
{
	const struct rmr_io_stats *s = &d->stats;

	if (nla_put_u32(skb, RMR_A_DEVICE_INDEX, d->index) ||
	    nla_put_string(skb, RMR_A_DEVICE_NAME, d->name) ||
	    nla_put(skb, RMR_A_DEVICE_UUID, RMR_UUID_LEN, d->uuid) ||
	    nla_put_u8(skb, RMR_A_DEVICE_STATE, d->state) ||
	    nla_put_u8(skb, RMR_A_DEVICE_REASON, d->reason) ||
	    nla_put_u64_64bit(skb, RMR_A_DEVICE_SIZE, d->size, RMR_A_DEVICE_PAD) ||
	    nla_put_u32(skb, RMR_A_DEVICE_CHUNK_SIZE, d->chunk_size) ||
	    nla_put_u64_64bit(skb, RMR_A_DEVICE_EPOCH_SEQ, d->epoch_seq, RMR_A_DEVICE_PAD) ||
	    nla_put_u64_64bit(skb, RMR_A_DEVICE_EPOCH_CLIENT, d->epoch_client,
			      RMR_A_DEVICE_PAD) ||
	    nla_put_u64_64bit(skb, RMR_A_DEVICE_VIEW, d->view, RMR_A_DEVICE_PAD) ||
	    nla_put_u8(skb, RMR_A_DEVICE_UP_TO_DATE, d->up_to_date) ||
	    nla_put_u8(skb, RMR_A_DEVICE_SYNCING, d->syncing) ||
	    nla_put_u64_64bit(skb, RMR_A_DEVICE_READS, s->reads, RMR_A_DEVICE_PAD) ||
	    nla_put_u64_64bit(skb, RMR_A_DEVICE_WRITES, s->writes, RMR_A_DEVICE_PAD) ||
	    nla_put_u64_64bit(skb, RMR_A_DEVICE_FLUSHES, s->flushes, RMR_A_DEVICE_PAD) ||
	    nla_put_u64_64bit(skb, RMR_A_DEVICE_DISCARDS, s->discards, RMR_A_DEVICE_PAD) ||
	    nla_put_u64_64bit(skb, RMR_A_DEVICE_READ_BYTES, s->read_bytes, RMR_A_DEVICE_PAD) ||
	    nla_put_u64_64bit(skb, RMR_A_DEVICE_WRITE_BYTES, s->write_bytes,
			      RMR_A_DEVICE_PAD) ||
	    nla_put_u64_64bit(skb, RMR_A_DEVICE_ERRORS, s->errors, RMR_A_DEVICE_PAD) ||
	    nla_put_u64_64bit(skb, RMR_A_DEVICE_HELD, d->held, RMR_A_DEVICE_PAD) ||
	    nla_put_u32(skb, RMR_A_DEVICE_INFLIGHT, d->inflight))
		return -EMSGSIZE;
	return 0;
}

static int put_leg(struct sk_buff *skb, const struct rmr_leg_info *l)
{
	const struct rmr_io_stats *s = &l->stats;

	if (nla_put_u32(skb, RMR_A_LEG_DEVICE_INDEX, l->device_index) ||
	    nla_put_string(skb, RMR_A_LEG_POOL_NAME, l->pool_name) ||
	    nla_put_u8(skb, RMR_A_LEG_MEMBER_ID, l->member_id) ||
	    nla_put(skb, RMR_A_LEG_STORE_UUID, RMR_UUID_LEN, l->store_uuid) ||
	    nla_put_string(skb, RMR_A_LEG_NODE, l->node) ||
	    nla_put_string(skb, RMR_A_LEG_ADDR, l->addr) ||
	    nla_put_u8(skb, RMR_A_LEG_STATE, l->state) ||
	    nla_put_u8(skb, RMR_A_LEG_REASON, l->reason) ||
	    nla_put_u64_64bit(skb, RMR_A_LEG_READS, s->reads, RMR_A_LEG_PAD) ||
	    nla_put_u64_64bit(skb, RMR_A_LEG_WRITES, s->writes, RMR_A_LEG_PAD) ||
	    nla_put_u64_64bit(skb, RMR_A_LEG_READ_BYTES, s->read_bytes, RMR_A_LEG_PAD) ||
	    nla_put_u64_64bit(skb, RMR_A_LEG_WRITE_BYTES, s->write_bytes, RMR_A_LEG_PAD) ||
	    nla_put_u64_64bit(skb, RMR_A_LEG_ERRORS, s->errors, RMR_A_LEG_PAD) ||
	    nla_put_u32(skb, RMR_A_LEG_INFLIGHT, l->inflight) ||
	    nla_put_u64_64bit(skb, RMR_A_LEG_LATENCY_NS, l->latency_ns, RMR_A_LEG_PAD) ||
	    nla_put_u32(skb, RMR_A_LEG_MAX_IO, l->max_io) ||
	    nla_put_u64_64bit(skb, RMR_A_LEG_LACKING, l->lacking, RMR_A_LEG_PAD) ||
	    nla_put_u64_64bit(skb, RMR_A_LEG_AGE_MS, l->age_ms, RMR_A_LEG_PAD) ||
	    nla_put_u32(skb, RMR_A_LEG_EJECTIONS, l->ejections) ||
	    nla_put_u32(skb, RMR_A_LEG_RETURNS, l->returns) ||
	    nla_put_u8(skb, RMR_A_LEG_KIND, l->kind) ||
	    nla_put_u8(skb, RMR_A_LEG_CAUSE, l->cause) ||
	    nla_put_u64_64bit(skb, RMR_A_LEG_READ_ERRORS, l->read_errors, RMR_A_LEG_PAD) ||
	    nla_put_u64_64bit(skb, RMR_A_LEG_READ_REPAIRS, l->read_repairs, RMR_A_LEG_PAD) ||
	    nla_put_u64_64bit(skb, RMR_A_LEG_READ_REPAIR_FAILURES, l->read_repair_failures,
			      RMR_A_LEG_PAD) ||
	    nla_put_u64_64bit(skb, RMR_A_LEG_BAD_DATA, l->bad_data, RMR_A_LEG_PAD))
		return -EMSGSIZE;
	if (l->damped_ms && nla_put_u32(skb, RMR_A_LEG_DAMPED_MS, l->damped_ms))
		return -EMSGSIZE;
	if ((l->leaving && nla_put_flag(skb, RMR_A_LEG_LEAVING)) ||
	    nla_put_u8(skb, RMR_A_LEG_MAINTENANCE, l->maintenance) ||
	    (l->successor && nla_put_u8(skb, RMR_A_LEG_SUCCESSOR, l->successor)))
		return -EMSGSIZE;
	return 0;
}

static int put_pool_obj(struct sk_buff *skb, const void *obj)
{
	return put_pool(skb, obj);
}

static int put_pool_id_obj(struct sk_buff *skb, const void *obj)
{
	return put_pool_id(skb, obj);
}

static int put_dev_obj(struct sk_buff *skb, const void *obj)
{
	return put_dev_attrs(skb, obj);
}

static int put_leg_obj(struct sk_buff *skb, const void *obj)
{
	return put_leg(skb, obj);
}

static int reply(struct genl_info *info, rmr_put_fn put, const void *obj)
{
	struct sk_buff *skb = genlmsg_new(OBJECT_SIZE, GFP_KERNEL);
	void *hdr;

	if (!skb)
		return -ENOMEM;
	hdr = genlmsg_iput(skb, info);
	if (!hdr || put(skb, obj)) {
		nlmsg_free(skb);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return genlmsg_reply(skb, info);
}

static void notify(u8 cmd, rmr_put_fn put, const void *obj)
{
	struct sk_buff *skb;
	void *hdr;

	if (!genl_has_listeners(&rmr_nl_family, &init_net, RMR_NLGRP_NOTIFY))
		return;
	skb = genlmsg_new(OBJECT_SIZE, GFP_KERNEL);
	if (!skb)
		return;
	hdr = genlmsg_put(skb, 0, 0, &rmr_nl_family, 0, cmd);
	if (!hdr || put(skb, obj)) {
		nlmsg_free(skb);
		return;
	}
	genlmsg_end(skb, hdr);
	genlmsg_multicast(&rmr_nl_family, skb, 0, RMR_NLGRP_NOTIFY, GFP_KERNEL);
}

void rmr_notify_pool(const struct rmr_pool_info *info)
{
	notify(RMR_CMD_POOL_NTF, put_pool_obj, info);
}
EXPORT_SYMBOL_GPL(rmr_notify_pool);

void rmr_notify_device(const struct rmr_device_info *info)
{
	notify(RMR_CMD_DEVICE_NTF, put_dev_obj, info);
}
EXPORT_SYMBOL_GPL(rmr_notify_device);

void rmr_notify_leg(const struct rmr_leg_info *info)
{
	notify(RMR_CMD_LEG_NTF, put_leg_obj, info);
}
EXPORT_SYMBOL_GPL(rmr_notify_leg);

static int dump_one(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd, rmr_put_fn put,
		    const void *obj)
{
	void *hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
				&rmr_nl_family, NLM_F_MULTI, cmd);

	if (!hdr)
		return -EMSGSIZE;
	if (put(skb, obj)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

/*
 * One dump: next fills obj for *cursor and moves it on, -ENOENT at the end. An object that does
 * not fit any more is sent again in the next part; for one that is larger than a part, the part is
 * made larger, or the dump fails. An end of the dump always means that nothing was left out.
 */
int rmr_nl_dump(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd, rmr_put_fn put,
		int (*next)(unsigned long *cursor, void *obj), void *obj)
{
	unsigned long cursor = cb->args[0];
	int err;

	for (;;) {
		err = next(&cursor, obj);
		if (err)
			break;
		err = dump_one(skb, cb, cmd, put, obj);
		if (err && !skb->len && !pskb_expand_head(skb, 0, OBJECT_SIZE, GFP_KERNEL))
			err = dump_one(skb, cb, cmd, put, obj);
		if (err)
			break;
		cb->args[0] = cursor;
	}
	return err == -ENOENT || (err == -EMSGSIZE && skb->len) ? skb->len : err;
}

/* ---- commands ---- */

/* Answers with the id of the pool. */
static int answer_pool(struct genl_info *info, const struct rmr_pool_spec *spec,
		       int (*run)(const struct rmr_pool_spec *spec, struct rmr_pool_info *out,
				  struct netlink_ext_ack *extack))
{
	struct rmr_pool_info *out = kzalloc(sizeof(*out), GFP_KERNEL);
	int err;

	if (!out)
		return -ENOMEM;
	err = run(spec, out, info->extack);
	if (!err)
		err = reply(info, put_pool_id_obj, out);
	kfree(out);
	return err;
}

/*
 * A command to the storage side: act takes what it has besides the names of the pool, and may read
 * no attribute that its policy does not list.
 */
int rmr_nl_pool_command(struct genl_info *info, rmr_nl_pool_act act)
{
	struct rmr_srv_ctl *ctl = rmr_nl_srv_ctl(info->extack);
	struct rmr_pool_spec *spec;
	int err = -ENOMEM;

	if (IS_ERR(ctl))
		return PTR_ERR(ctl);
	spec = kzalloc(sizeof(*spec), GFP_KERNEL);
	if (spec) {
		pool_spec(info, spec);
		err = act(info, ctl, spec);
	}
	kfree(spec);
	module_put(ctl->owner);
	return err;
}

/* Of commands that need the name. */
int rmr_nl_named(struct genl_info *info, const struct rmr_pool_spec *spec)
{
	return spec->name ? 0 : rmr_nl_missing(info->extack, "pool name");
}

static int pool_create(struct genl_info *info, struct rmr_srv_ctl *ctl, struct rmr_pool_spec *spec)
{
	struct nlattr **a = info->attrs;
	int err = get_new(info, spec);

	if (err)
		return err;
	if (!a[RMR_A_POOL_SIZE])
		return rmr_nl_missing(info->extack, "pool size");
	get_on_error(info, spec);
	spec->md_device = str_attr(a[RMR_A_POOL_METADATA_DEVICE]);
	spec->size = nla_get_u64(a[RMR_A_POOL_SIZE]);
	spec->chunk_size = RMR_CHUNK_SIZE_DEFAULT;
	if (a[RMR_A_POOL_CHUNK_SIZE])
		spec->chunk_size = nla_get_u32(a[RMR_A_POOL_CHUNK_SIZE]);
	if (a[RMR_A_POOL_QUORUM])
		spec->quorum = nla_get_u8(a[RMR_A_POOL_QUORUM]);
	spec->data_crc = nla_get_flag(a[RMR_A_POOL_DATA_CHECKSUMS]);
	return answer_pool(info, spec, ctl->create);
}

int rmr_nl_pool_create_doit(struct sk_buff *skb, struct genl_info *info)
{
	return rmr_nl_pool_command(info, pool_create);
}

static int pool_join(struct genl_info *info, struct rmr_srv_ctl *ctl, struct rmr_pool_spec *spec)
{
	struct nlattr **a = info->attrs;
	int err = get_new(info, spec) ?: get_peers(info, spec);

	if (err)
		return err;
	if (!spec->peer_cnt)
		return rmr_nl_missing(info->extack, "address of a peer");
	get_on_error(info, spec);
	if (a[RMR_A_POOL_MEMBER_ID])
		spec->member_id = nla_get_u8(a[RMR_A_POOL_MEMBER_ID]);
	spec->md_device = str_attr(a[RMR_A_POOL_METADATA_DEVICE]);
	if (a[RMR_A_POOL_REPLACES])
		spec->replaces = nla_get_u8(a[RMR_A_POOL_REPLACES]);
	spec->witness = nla_get_flag(a[RMR_A_POOL_WITNESS]);
	spec->dry_run = nla_get_flag(a[RMR_A_POOL_DRY_RUN]);
	return answer_pool(info, spec, ctl->join);
}

int rmr_nl_pool_join_doit(struct sk_buff *skb, struct genl_info *info)
{
	return rmr_nl_pool_command(info, pool_join);
}

static int pool_assemble(struct genl_info *info, struct rmr_srv_ctl *ctl,
			 struct rmr_pool_spec *spec)
{
	struct nlattr **a = info->attrs;

	if (!spec->device)
		return rmr_nl_missing(info->extack, "device path");
	spec->md_device = str_attr(a[RMR_A_POOL_METADATA_DEVICE]);
	if (a[RMR_A_POOL_STORE_SIZE])
		spec->store_size = nla_get_u64(a[RMR_A_POOL_STORE_SIZE]);
	return answer_pool(info, spec, ctl->assemble);
}

int rmr_nl_pool_assemble_doit(struct sk_buff *skb, struct genl_info *info)
{
	return rmr_nl_pool_command(info, pool_assemble);
}

static int pool_stop(struct genl_info *info, struct rmr_srv_ctl *ctl, struct rmr_pool_spec *spec)
{
	int err = rmr_nl_named(info, spec);

	if (err)
		return err;
	get_leg(info, spec);
	spec->wipe = nla_get_flag(info->attrs[RMR_A_POOL_WIPE]);
	spec->force = nla_get_flag(info->attrs[RMR_A_POOL_FORCE]);
	return ctl->stop(spec, info->extack);
}

int rmr_nl_pool_stop_doit(struct sk_buff *skb, struct genl_info *info)
{
	return rmr_nl_pool_command(info, pool_stop);
}

static int pool_resync(struct genl_info *info, struct rmr_srv_ctl *ctl, struct rmr_pool_spec *spec)
{
	struct nlattr **a = info->attrs;
	int err = rmr_nl_named(info, spec);

	if (err)
		return err;
	get_leg(info, spec);
	spec->pause = a[RMR_A_POOL_RESYNC_PAUSE] ? nla_get_u8(a[RMR_A_POOL_RESYNC_PAUSE]) : -1;
	spec->digest = a[RMR_A_POOL_RESYNC_DIGEST] ? nla_get_u8(a[RMR_A_POOL_RESYNC_DIGEST]) : -1;
	spec->limit = a[RMR_A_POOL_RESYNC_LIMIT] ?
		nla_get_u64(a[RMR_A_POOL_RESYNC_LIMIT]) : U64_MAX;
	if (a[RMR_A_POOL_RESYNC_FLOOR])
		spec->floor = nla_get_u64(a[RMR_A_POOL_RESYNC_FLOOR]);
	if (a[RMR_A_POOL_RESYNC_TARGET_NS])
		spec->target_ns = nla_get_u64(a[RMR_A_POOL_RESYNC_TARGET_NS]);
	return ctl->resync(spec, info->extack);
}

int rmr_nl_pool_resync_doit(struct sk_buff *skb, struct genl_info *info)
{
	return rmr_nl_pool_command(info, pool_resync);
}

static int pool_resolve(struct genl_info *info, struct rmr_srv_ctl *ctl, struct rmr_pool_spec *spec)
{
	struct nlattr *id = info->attrs[RMR_A_POOL_MEMBER_ID];
	int err = rmr_nl_named(info, spec);

	if (err)
		return err;
	if (!id)
		return rmr_nl_missing(info->extack, "member id");
	spec->leg = nla_get_u8(id);
	return ctl->resolve(spec, info->extack);
}

int rmr_nl_pool_resolve_doit(struct sk_buff *skb, struct genl_info *info)
{
	return rmr_nl_pool_command(info, pool_resolve);
}

/* The pool as a peer tells of it, in the attributes of pool-get. */
static int pool_peek(struct genl_info *info, struct rmr_srv_ctl *ctl, struct rmr_pool_spec *spec)
{
	int err = rmr_nl_named(info, spec) ?: get_peers(info, spec);
	struct rmr_pool_info *out;

	if (err)
		return err;
	if (!spec->peer_cnt)
		return rmr_nl_missing(info->extack, "address of a peer");
	out = kzalloc(sizeof(*out), GFP_KERNEL);
	if (!out)
		return -ENOMEM;
	err = ctl->peek(spec, out, info->extack) ?: reply(info, put_pool_obj, out);
	kfree(out);
	return err;
}

int rmr_nl_pool_peek_doit(struct sk_buff *skb, struct genl_info *info)
{
	return rmr_nl_pool_command(info, pool_peek);
}

static int pool_replace(struct genl_info *info, struct rmr_srv_ctl *ctl, struct rmr_pool_spec *spec)
{
	int err = get_new(info, spec) ?: get_peers(info, spec);

	if (err)
		return err;
	if (!info->attrs[RMR_A_POOL_LEG])
		return rmr_nl_missing(info->extack, "member to replace");
	get_leg(info, spec);
	spec->dry_run = nla_get_flag(info->attrs[RMR_A_POOL_DRY_RUN]);
	return answer_pool(info, spec, ctl->replace);
}

int rmr_nl_pool_replace_doit(struct sk_buff *skb, struct genl_info *info)
{
	return rmr_nl_pool_command(info, pool_replace);
}

static int pool_member(struct genl_info *info, struct rmr_srv_ctl *ctl, struct rmr_pool_spec *spec)
{
	struct nlattr **a = info->attrs;
	int err = rmr_nl_named(info, spec);

	if (err)
		return err;
	if (!a[RMR_A_POOL_MEMBER_ID])
		return rmr_nl_missing(info->extack, "member id");
	get_leg(info, spec);
	spec->member_id = nla_get_u8(a[RMR_A_POOL_MEMBER_ID]);
	spec->leaving = nla_get_flag(a[RMR_A_POOL_LEAVING]);
	spec->maintenance = a[RMR_A_POOL_MAINTENANCE] ? nla_get_u8(a[RMR_A_POOL_MAINTENANCE]) : -1;
	spec->dry_run = nla_get_flag(a[RMR_A_POOL_DRY_RUN]);
	return ctl->member(spec, info->extack);
}

int rmr_nl_pool_member_doit(struct sk_buff *skb, struct genl_info *info)
{
	return rmr_nl_pool_command(info, pool_member);
}

int rmr_nl_pool_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct rmr_srv_ctl *ctl = rmr_nl_srv_ctl(info->extack);
	const char *name = str_attr(info->attrs[RMR_A_POOL_NAME]);
	struct rmr_pool_info *out;
	unsigned long cursor = 0;
	int err;

	if (IS_ERR(ctl))
		return PTR_ERR(ctl);
	out = kzalloc(sizeof(*out), GFP_KERNEL);
	err = !out ? -ENOMEM : name ? 0 : rmr_nl_missing(info->extack, "pool name");
	while (!err) {
		err = ctl->pool_info(&cursor, out);
		if (err == -ENOENT)
			NL_SET_ERR_MSG_FMT(info->extack, "no pool %s on this node", name);
		if (!err && !strcmp(out->name, name)) {
			err = reply(info, put_pool_obj, out);
			break;
		}
	}
	kfree(out);
	module_put(ctl->owner);
	return err;
}

static int next_pool(unsigned long *cursor, void *obj)
{
	struct rmr_srv_ctl *ctl = rmr_srv_ctl_get();
	int err = -ENOENT;

	if (ctl) {
		err = ctl->pool_info(cursor, obj);
		module_put(ctl->owner);
	}
	return err;
}

int rmr_nl_pool_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct rmr_pool_info *out = kzalloc(sizeof(*out), GFP_KERNEL);
	int ret = -ENOMEM;

	if (out)
		ret = rmr_nl_dump(skb, cb, RMR_CMD_POOL_GET, put_pool_obj, next_pool, out);
	kfree(out);
	return ret;
}

static int device_spec_get(struct genl_info *info, struct rmr_device_spec *spec)
{
	struct nlattr **a = info->attrs;

	spec->name = str_attr(a[RMR_A_DEVICE_NAME]);
	spec->index = a[RMR_A_DEVICE_INDEX] ? nla_get_u32(a[RMR_A_DEVICE_INDEX]) : -1;
	if (!spec->name && spec->index < 0)
		return rmr_nl_missing(info->extack, "pool name");
	return 0;
}

typedef int (*device_act)(struct genl_info *info, struct rmr_clt_ctl *ctl,
			  struct rmr_device_spec *spec);

/* As rmr_nl_pool_command(), to the client side. by_name: the index alone does not do. */
static int device_command(struct genl_info *info, bool by_name, device_act act)
{
	struct rmr_clt_ctl *ctl = clt_ctl_or_err(info->extack);
	struct rmr_device_spec *spec;
	int err;

	if (IS_ERR(ctl))
		return PTR_ERR(ctl);
	spec = kzalloc(sizeof(*spec), GFP_KERNEL);
	if (!spec)
		err = -ENOMEM;
	else if (by_name && !info->attrs[RMR_A_DEVICE_NAME])
		err = rmr_nl_missing(info->extack, "pool name");
	else
		err = device_spec_get(info, spec) ?: act(info, ctl, spec);
	kfree(spec);
	module_put(ctl->owner);
	return err;
}

static int device_map(struct genl_info *info, struct rmr_clt_ctl *ctl, struct rmr_device_spec *spec)
{
	struct nlattr **a = info->attrs;
	struct rmr_device_info out = {};
	int err;

	err = get_addrs(info, RMR_A_DEVICE_ADDR, spec->addr, RMR_MAX_MEMBERS, &spec->addr_cnt);
	if (err)
		return err;
	if (!spec->addr_cnt)
		return rmr_nl_missing(info->extack, "address of a storage node");
	spec->uuid = a[RMR_A_DEVICE_UUID] ? nla_data(a[RMR_A_DEVICE_UUID]) : NULL;
	spec->port = a[RMR_A_DEVICE_PORT] ? nla_get_u16(a[RMR_A_DEVICE_PORT]) : RMR_PORT;
	spec->transport = a[RMR_A_DEVICE_TRANSPORT] ? nla_data(a[RMR_A_DEVICE_TRANSPORT]) : "rtrs";
	spec->node = str_attr(a[RMR_A_DEVICE_NODE]);
	spec->takeover = nla_get_flag(a[RMR_A_DEVICE_TAKEOVER]);
	spec->force = nla_get_flag(a[RMR_A_DEVICE_FORCE]);
	spec->stall_ms = a[RMR_A_DEVICE_STALL_MS] ?
		nla_get_u32(a[RMR_A_DEVICE_STALL_MS]) : RMR_STALL_MS;
	spec->suspend_ms = a[RMR_A_DEVICE_SUSPEND_MS] ?
		nla_get_u32(a[RMR_A_DEVICE_SUSPEND_MS]) : RMR_SUSPEND_MS;
	return ctl->map(spec, &out, info->extack) ?: reply(info, put_dev_obj, &out);
}

int rmr_nl_device_map_doit(struct sk_buff *skb, struct genl_info *info)
{
	return device_command(info, true, device_map);
}

static int device_unmap(struct genl_info *info, struct rmr_clt_ctl *ctl,
			struct rmr_device_spec *spec)
{
	spec->force = nla_get_flag(info->attrs[RMR_A_DEVICE_FORCE]);
	return ctl->unmap(spec, info->extack);
}

int rmr_nl_device_unmap_doit(struct sk_buff *skb, struct genl_info *info)
{
	return device_command(info, false, device_unmap);
}

static int device_resize(struct genl_info *info, struct rmr_clt_ctl *ctl,
			 struct rmr_device_spec *spec)
{
	if (!info->attrs[RMR_A_DEVICE_SIZE])
		return rmr_nl_missing(info->extack, "pool size");
	spec->size = nla_get_u64(info->attrs[RMR_A_DEVICE_SIZE]);
	spec->force = nla_get_flag(info->attrs[RMR_A_DEVICE_FORCE]);
	return ctl->resize(spec, info->extack);
}

int rmr_nl_device_resize_doit(struct sk_buff *skb, struct genl_info *info)
{
	return device_command(info, true, device_resize);
}

int rmr_nl_device_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct rmr_clt_ctl *ctl = clt_ctl_or_err(info->extack);
	struct rmr_device_info out = {};
	struct rmr_device_spec spec = {};
	unsigned long cursor = 0;
	int err;

	if (IS_ERR(ctl))
		return PTR_ERR(ctl);
	err = device_spec_get(info, &spec);
	while (!err) {
		err = ctl->device_info(&cursor, &out);
		if (err == -ENOENT)
			NL_SET_ERR_MSG(info->extack, "no such device or pool is mapped here");
		if (!err && (spec.index < 0 || out.index == spec.index) &&
		    (!spec.name || !strcmp(out.name, spec.name))) {
			err = reply(info, put_dev_obj, &out);
			break;
		}
	}
	module_put(ctl->owner);
	return err;
}

static int next_device(unsigned long *cursor, void *obj)
{
	struct rmr_clt_ctl *ctl = rmr_clt_ctl_get();
	int err = -ENOENT;

	if (ctl) {
		err = ctl->device_info(cursor, obj);
		module_put(ctl->owner);
	}
	return err;
}

int rmr_nl_device_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct rmr_device_info out;

	return rmr_nl_dump(skb, cb, RMR_CMD_DEVICE_GET, put_dev_obj, next_device, &out);
}

static int next_leg(unsigned long *cursor, void *obj)
{
	struct rmr_clt_ctl *ctl = rmr_clt_ctl_get();
	int err = -ENOENT;

	if (ctl) {
		err = ctl->leg_info(cursor, obj);
		module_put(ctl->owner);
	}
	return err;
}

int rmr_nl_leg_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct rmr_leg_info out;

	return rmr_nl_dump(skb, cb, RMR_CMD_LEG_GET, put_leg_obj, next_leg, &out);
}

/* act adds what the command has besides the names of the leg, and runs it. */
static int leg_command(struct genl_info *info,
		       int (*act)(struct genl_info *info, struct rmr_clt_ctl *ctl,
				  struct rmr_leg_spec *spec))
{
	struct rmr_clt_ctl *ctl = clt_ctl_or_err(info->extack);
	struct nlattr **a = info->attrs;
	struct rmr_leg_spec spec = {};
	int err;

	if (IS_ERR(ctl))
		return PTR_ERR(ctl);
	if (!a[RMR_A_LEG_POOL_NAME]) {
		err = rmr_nl_missing(info->extack, "pool name");
	} else if (!a[RMR_A_LEG_MEMBER_ID]) {
		err = rmr_nl_missing(info->extack, "member id");
	} else {
		spec.name = nla_data(a[RMR_A_LEG_POOL_NAME]);
		spec.member_id = nla_get_u8(a[RMR_A_LEG_MEMBER_ID]);
		err = act(info, ctl, &spec);
	}
	module_put(ctl->owner);
	return err;
}

static int leg_eject(struct genl_info *info, struct rmr_clt_ctl *ctl, struct rmr_leg_spec *spec)
{
	spec->force = nla_get_flag(info->attrs[RMR_A_LEG_FORCE]);
	return ctl->leg_eject(spec, info->extack);
}

int rmr_nl_leg_eject_doit(struct sk_buff *skb, struct genl_info *info)
{
	return leg_command(info, leg_eject);
}

static int leg_return(struct genl_info *info, struct rmr_clt_ctl *ctl, struct rmr_leg_spec *spec)
{
	return ctl->leg_return(spec, info->extack);
}

int rmr_nl_leg_return_doit(struct sk_buff *skb, struct genl_info *info)
{
	return leg_command(info, leg_return);
}

static int leg_set(struct genl_info *info, struct rmr_clt_ctl *ctl, struct rmr_leg_spec *spec)
{
	struct nlattr **a = info->attrs;

	spec->leaving = nla_get_flag(a[RMR_A_LEG_LEAVING]);
	spec->maintenance = a[RMR_A_LEG_MAINTENANCE] ? nla_get_u8(a[RMR_A_LEG_MAINTENANCE]) : -1;
	return ctl->leg_set(spec, info->extack);
}

int rmr_nl_leg_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	return leg_command(info, leg_set);
}
