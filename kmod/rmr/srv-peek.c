// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a peer tells of its member, for the operator who has to settle a split brain (R2.16): two
 * histories are compared by facts of both sides. Process context; the peer is asked without a lock.
 */
#include <linux/slab.h>

#include "srv-pri.h"

/*
 * The most chunks that one data member outside the view lacks: what was written to since that
 * member was lost. Caller: pool->lock, unless a disk that hangs holds it; sb stays as it is then.
 */
u64 rmr_srv_others_lack(struct rmr_srv_pool *pool)
{
	struct rmr_srv_track *t = &pool->track;
	unsigned long flags;
	u64 most = 0, n;
	unsigned int i;

	/* A dry run shows a pool whose map was never loaded. */
	if (pool->witness || !t->running)
		return 0;
	for (i = 0; i < RMR_MAX_MEMBERS; i++) {
		if (i == pool->id || pool->sb->member[i].state != RMR_MEMBER_DATA ||
		    ((pool->sb->view.up_to_date | pool->sb->view.syncing) & BIT(i)))
			continue;
		spin_lock_irqsave(&t->lock, flags);
		n = rmr_map_count(&t->dirty, BIT(i));
		spin_unlock_irqrestore(&t->lock, flags);
		most = max(most, n);
	}
	return most;
}

static void peek_fill(const struct rmr_rsp_pool *rsp, struct rmr_pool_info *info)
{
	struct rmr_view view;
	unsigned int i;

	rmr_view_get(&view, &rsp->view);
	strscpy(info->name, rsp->pool_name, sizeof(info->name));
	memcpy(info->uuid, rsp->pool_uuid, RMR_UUID_LEN);
	memcpy(info->store_uuid, rsp->store_uuid, RMR_UUID_LEN);
	info->size = le64_to_cpu(rsp->pool_size);
	info->chunk_size = le32_to_cpu(rsp->chunk_size);
	info->sb_flags = le32_to_cpu(rsp->sb_flags);
	info->member_id = rsp->member_id;
	info->state = rsp->busy ? RMR_POOL_STATE_ATTACHED : RMR_POOL_STATE_IDLE;
	info->epoch_seq = le64_to_cpu(rsp->promised.seq);
	info->epoch_client = le64_to_cpu(rsp->promised.client);
	info->view = view.number;
	memcpy(info->lineage, view.lineage, RMR_UUID_LEN);
	info->up_to_date = view.up_to_date;
	info->syncing = view.syncing;
	info->others_lack = le64_to_cpu(rsp->others_lack);
	for (i = 0; i < RMR_MAX_MEMBERS; i++) {
		info->member[i].kind = rsp->member[i].state;
		memcpy(info->member[i].store_uuid, rsp->member[i].store_uuid, RMR_UUID_LEN);
		memcpy(info->member[i].node, rsp->member[i].node, RMR_NAME_LEN);
		memcpy(info->member[i].addr, rsp->member[i].addr, sizeof(info->member[i].addr));
	}
}

int rmr_srv_peek(const struct rmr_pool_spec *spec, struct rmr_pool_info *info,
		 struct netlink_ext_ack *extack)
{
	struct rmr_rsp_pool *rsp = kzalloc(sizeof(*rsp), GFP_KERNEL);
	struct rmr_conn conn;
	int err;

	if (!rsp)
		return -ENOMEM;
	err = rmr_conn_open(&conn, spec->transport, spec->peer[0], spec->port, rmr_srv_node, NULL,
			    NULL);
	if (err) {
		NL_SET_ERR_MSG_FMT(extack, "cannot connect to %.39s: error %d", spec->peer[0], err);
		goto free;
	}
	err = rmr_conn_pool_info(&conn, spec->name, spec->uuid, rsp);
	rmr_conn_close(&conn);
	if (err)
		NL_SET_ERR_MSG_FMT(extack, "%.39s tells nothing of the pool: error %d",
				   spec->peer[0], err);
	else
		peek_fill(rsp, info);
free:
	kfree(rsp);
	return err;
}
