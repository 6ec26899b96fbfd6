// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the parts of a store lie that may be on two devices or may have grown: the data device and
 * its stub, room for a larger pool. Pure, any context. The rest of the layout is in codec.c.
 */
#include "codec.h"

static int refuse(struct rmr_fault *fault, int err, const char *field, const char *why, u64 value)
{
	fault->field = field;
	fault->why = why;
	fault->value = value;
	return err;
}

bool rmr_sb_split(const struct rmr_sb *sb)
{
	return le64_to_cpu(sb->feat_incompat) & RMR_FEAT_INCOMPAT_EXT_MD;
}

/* Bytes of the device that the data area is on. */
static u64 data_end(const struct rmr_sb *sb)
{
	return rmr_sb_split(sb) ? le64_to_cpu(sb->data_size) : le64_to_cpu(sb->map_off);
}

u64 rmr_sb_room_max(const struct rmr_sb *sb)
{
	u64 end = le64_to_cpu(sb->store_size) - RMR_MD_TAIL, off = le64_to_cpu(sb->map_off);
	u64 blocks = off < end ? div_u64(end - off, RMR_MD_BLOCK) : 0;
	u32 chunk_size = le32_to_cpu(sb->chunk_size);
	u64 most = div_u64(RMR_POOL_SIZE_MAX, chunk_size);
	u64 chunks = blocks > div_u64(most, RMR_MAP_BLOCK_CHUNKS) ? most :
		     blocks * RMR_MAP_BLOCK_CHUNKS;

	return min(chunks * chunk_size, data_end(sb) & ~(u64)(RMR_BLOCK_SIZE - 1));
}

static int data_check(const struct rmr_sb *sb, bool witness, struct rmr_fault *fault)
{
	u64 data_size = le64_to_cpu(sb->data_size);

	if (!rmr_sb_split(sb)) {
		if (data_size)
			return refuse(fault, -EINVAL, "data_size", "without a data device",
				      data_size);
		if (memchr_inv(sb->data_label, 0, RMR_UUID_LEN))
			return refuse(fault, -EINVAL, "data_label", "without a data device", 0);
		return 0;
	}
	if (witness)
		return refuse(fault, -EINVAL, "feat_incompat", "a witness has no data device", 0);
	if ((data_size & (RMR_MD_BLOCK - 1)) || data_size < le64_to_cpu(sb->pool_size))
		return refuse(fault, -EINVAL, "data_size", "smaller than the pool or not in blocks",
			      data_size);
	if (!memchr_inv(sb->data_label, 0, RMR_UUID_LEN))
		return refuse(fault, -EINVAL, "data_label", "zero", 0);
	return 0;
}

int rmr_sb_device_check(const struct rmr_sb *sb, bool witness, struct rmr_fault *fault)
{
	u64 room = le64_to_cpu(sb->room);

	if (data_check(sb, witness, fault))
		return -EINVAL;
	if (!room)
		return 0;
	if (witness || (room & (RMR_BLOCK_SIZE - 1)) || room < le64_to_cpu(sb->pool_size) ||
	    room > RMR_POOL_SIZE_MAX)
		return refuse(fault, -EINVAL, "room", "smaller than the pool or out of range",
			      room);
	if (le64_to_cpu(sb->store_size) < RMR_MD_TAIL || room > rmr_sb_room_max(sb))
		return refuse(fault, -EINVAL, "room", "more than data area or map have", room);
	return 0;
}

int rmr_sb_fill_check(const struct rmr_sb *sb, bool witness, struct rmr_fault *fault)
{
	u64 chunks = rmr_chunks(le64_to_cpu(sb->pool_size), le32_to_cpu(sb->chunk_size));
	u64 sectors = div_u64(chunks + RMR_MAP_SECTOR_CHUNKS - 1, RMR_MAP_SECTOR_CHUNKS);
	unsigned int j;
	u32 fill;

	for (j = 0; j < RMR_MAX_MEMBERS; j++) {
		fill = le32_to_cpu(sb->fill[j]);
		if (!fill)
			continue;
		if (witness || j == sb->member_id || sb->member[j].state != RMR_MEMBER_DATA)
			return refuse(fault, -EINVAL, "fill", "not of another data member", fill);
		if (fill > sectors)
			return refuse(fault, -EINVAL, "fill", "behind the end of the map", fill);
	}
	return 0;
}

u64 rmr_stub_off(u64 data_size, u64 pool_size)
{
	data_size &= ~(u64)(RMR_MD_BLOCK - 1);
	if (data_size < RMR_MD_BLOCK || data_size - RMR_MD_BLOCK < pool_size)
		return U64_MAX;
	return data_size - RMR_MD_BLOCK;
}

static u32 stub_crc(const struct rmr_stub *stub)
{
	return ~crc32c(~0u, stub, offsetof(struct rmr_stub, crc32c));
}

void rmr_stub_fill(struct rmr_stub *stub, const struct rmr_sb *sb)
{
	memset(stub, 0, sizeof(*stub));
	memcpy(stub->magic, RMR_STUB_MAGIC, sizeof(stub->magic));
	memcpy(stub->pool_uuid, sb->pool_uuid, RMR_UUID_LEN);
	memcpy(stub->store_uuid, sb->store_uuid, RMR_UUID_LEN);
	memcpy(stub->label, sb->data_label, RMR_UUID_LEN);
	stub->data_size = sb->data_size;
	stub->crc32c = cpu_to_le32(stub_crc(stub));
}

int rmr_stub_check(const struct rmr_stub *stub, const struct rmr_sb *sb, struct rmr_fault *fault)
{
	if (memcmp(stub->magic, RMR_STUB_MAGIC, sizeof(stub->magic)))
		return refuse(fault, -ENODATA, "magic", "not the data of a store", 0);
	if (le32_to_cpu(stub->crc32c) != stub_crc(stub))
		return refuse(fault, -EBADMSG, "crc32c", "does not match",
			      le32_to_cpu(stub->crc32c));
	if (memcmp(stub->pool_uuid, sb->pool_uuid, RMR_UUID_LEN))
		return refuse(fault, -EINVAL, "pool_uuid", "of another pool", 0);
	if (memcmp(stub->store_uuid, sb->store_uuid, RMR_UUID_LEN))
		return refuse(fault, -EINVAL, "store_uuid", "of another store", 0);
	if (memcmp(stub->label, sb->data_label, RMR_UUID_LEN))
		return refuse(fault, -EINVAL, "label", "of another time", 0);
	if (stub->data_size != sb->data_size)
		return refuse(fault, -EINVAL, "data_size", "of a device of another size",
			      le64_to_cpu(stub->data_size));
	if (memchr_inv(stub->reserved, 0, sizeof(stub->reserved)))
		return refuse(fault, -EINVAL, "reserved", "not zero", 0);
	return 0;
}

int rmr_msg_resize_check(const void *data, struct rmr_fault *fault)
{
	const struct rmr_msg_resize *m = data;

	if (!m->epoch.seq)
		return refuse(fault, -EPROTO, "epoch.seq", "zero", 0);
	if (rmr_pool_size_check(le64_to_cpu(m->size), fault))
		return refuse(fault, -EPROTO, "size", "out of range or not in 4 KiB blocks",
			      le64_to_cpu(m->size));
	if (rmr_pool_size_check(le64_to_cpu(m->from), fault))
		return refuse(fault, -EPROTO, "from", "out of range or not in 4 KiB blocks",
			      le64_to_cpu(m->from));
	if (m->flags & ~RMR_RESIZE_F_ALL)
		return refuse(fault, -EPROTO, "flags", "unknown bits", m->flags);
	if (!(m->flags & RMR_RESIZE_F_SHRINK) && le64_to_cpu(m->size) < le64_to_cpu(m->from))
		return refuse(fault, -EPROTO, "size", "smaller than the pool, and no shrink",
			      le64_to_cpu(m->size));
	if (m->flags & RMR_RESIZE_F_SHRINK && le64_to_cpu(m->size) > le64_to_cpu(m->from))
		return refuse(fault, -EPROTO, "size", "larger than the pool, and a shrink",
			      le64_to_cpu(m->size));
	if (memchr_inv(m->reserved, 0, sizeof(m->reserved)))
		return refuse(fault, -EPROTO, "reserved", "not zero", 0);
	return 0;
}

static int shrink_rule(const struct rmr_resize *r)
{
	if (r->now < r->size)
		return -EINVAL;
	if (r->now == r->size)
		return r->cuts == r->told ? RMR_RESIZE_KEEP : RMR_RESIZE_NOTE;
	return RMR_RESIZE_CUT;
}

int rmr_resize_rule(const struct rmr_resize *r)
{
	if (r->shrink)
		return shrink_rule(r);
	if (r->size < r->now || r->now < r->from)
		return -EINVAL;
	/* What it has too much is of before a shrink, and not zero. */
	if (r->now > r->from && r->cuts != r->told)
		return -ESTALE;
	if (r->size == r->now)
		return r->cuts == r->told ? RMR_RESIZE_KEEP : RMR_RESIZE_NOTE;
	return r->size > r->room ? -ENOSPC : RMR_RESIZE_GROW;
}
