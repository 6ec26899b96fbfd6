// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guards the formats: what a correct writer makes passes, each spoiled field is refused by name,
 * the newest valid superblock is found, and the largest pool of a store is one that fits.
 */
#include <kunit/test.h>

#include "codec.h"

#define STORE		0x40000000ull
#define CHUNK		RMR_CHUNK_SIZE_DEFAULT
#define AT(type, field)	offsetof(type, field)

/* A change of one byte and what the check must say of it. */
struct spoil {
	size_t	at;
	u8	value;
	int	err;
	const char *field;
};

static void fill_member(struct rmr_sb_member *m)
{
	m->state = RMR_MEMBER_DATA;
	memset(m->store_uuid, 7, sizeof(m->store_uuid));
	memcpy(m->node, "stor-0.example_A", 16);
	memcpy(m->addr[0], "192.0.2.1", 9);
}

static void fill_sb(struct rmr_sb *sb)
{
	u64 size = rmr_pool_size_max(STORE, CHUNK), map_len = rmr_map_len(rmr_chunks(size, CHUNK));

	memset(sb, 0, sizeof(*sb));
	memcpy(sb->magic, RMR_SB_MAGIC, sizeof(sb->magic));
	sb->version = cpu_to_le32(RMR_SB_VERSION);
	sb->write_seq = cpu_to_le64(1);
	memset(sb->pool_uuid, 9, sizeof(sb->pool_uuid));
	fill_member(&sb->member[0]);
	memcpy(sb->store_uuid, sb->member[0].store_uuid, RMR_UUID_LEN);
	memcpy(sb->pool_name, "vol1", 4);
	sb->pool_size = cpu_to_le64(size);
	sb->chunk_size = cpu_to_le32(CHUNK);
	sb->map_len = cpu_to_le64(map_len);
	sb->map_off = cpu_to_le64(rmr_map_off(STORE, map_len));
	sb->store_size = cpu_to_le64(STORE);
	sb->view.number = cpu_to_le64(1);
	sb->view.up_to_date = 1;
	rmr_sb_seal(sb);
}

static const struct spoil sb_spoils[] = {
	{ AT(struct rmr_sb, magic), 'X', -ENODATA, "magic" },
	{ AT(struct rmr_sb, version), 2, -EPROTONOSUPPORT, "version" },
	{ AT(struct rmr_sb, feat_incompat), 2, -EPROTONOSUPPORT, "feat_incompat" },
	{ AT(struct rmr_sb, flags), 0x80, -EINVAL, "flags" },
	{ AT(struct rmr_sb, on_error), 3, -EINVAL, "on_error" },
	{ AT(struct rmr_sb, reserved0), 1, -EINVAL, "reserved0" },
	{ AT(struct rmr_sb, reserved1), 1, -EINVAL, "reserved1" },
	{ AT(struct rmr_sb, reserved2), 1, -EINVAL, "reserved2" },
	{ AT(struct rmr_sb, write_seq), 0, -EINVAL, "write_seq" },
	{ AT(struct rmr_sb, verify_differences), 1, -EINVAL, "verify_differences" },
	{ AT(struct rmr_sb, pool_name), 0, -EINVAL, "pool_name" },
	{ AT(struct rmr_sb, pool_name), '.', -EINVAL, "pool_name" },
	{ AT(struct rmr_sb, pool_name) + 1, '/', -EINVAL, "pool_name" },
	{ AT(struct rmr_sb, pool_name) + 63, 'x', -EINVAL, "pool_name" },
	{ AT(struct rmr_sb, pool_size), 1, -EINVAL, "pool_size" },
	{ AT(struct rmr_sb, pool_size) + 7, 0x80, -EINVAL, "pool_size" },
	{ AT(struct rmr_sb, chunk_size), 1, -EINVAL, "chunk_size" },
	{ AT(struct rmr_sb, chunk_size) + 2, 0, -EINVAL, "chunk_size" },
	{ AT(struct rmr_sb, chunk_size) + 3, 2, -EINVAL, "chunk_size" },
	{ AT(struct rmr_sb, store_size), 1, -EINVAL, "store_size" },
	{ AT(struct rmr_sb, map_len) + 2, 1, -EINVAL, "map_len" },
	{ AT(struct rmr_sb, map_off), 1, -EINVAL, "map_off" },
	{ AT(struct rmr_sb, map_off) + 3, 0, -EINVAL, "map_off" },
	{ AT(struct rmr_sb, map_off) + 7, 0x80, -EINVAL, "map_off" },
	{ AT(struct rmr_sb, member_id), 8, -EINVAL, "member_id" },
	{ AT(struct rmr_sb, member_id), 1, -EINVAL, "member_id" },
	{ AT(struct rmr_sb, store_uuid), 8, -EINVAL, "store_uuid" },
	{ AT(struct rmr_sb, view.syncing), 1, -EINVAL, "view.syncing" },
	{ AT(struct rmr_sb, view.syncing), 2, -EINVAL, "view.syncing" },
	{ AT(struct rmr_sb, view.up_to_date), 2, -EINVAL, "view.up_to_date" },
	{ AT(struct rmr_sb, view.up_to_date), 0, -EINVAL, "view.up_to_date" },
	{ AT(struct rmr_sb, view.reserved), 1, -EINVAL, "view.reserved" },
	{ AT(struct rmr_sb, view.epoch), 1, -EINVAL, "view.epoch" },
	{ AT(struct rmr_sb, view.epoch) + 8, 1, -EINVAL, "view.epoch" },
	{ AT(struct rmr_sb, member[0].state), 3, -EINVAL, "member.state" },
	{ AT(struct rmr_sb, member[0].reserved), 3, -EINVAL, "member.reserved" },
	{ AT(struct rmr_sb, member[0].flags), 4, -EINVAL, "member.flags" },
	{ AT(struct rmr_sb, member[0].successor), 2, -EINVAL, "member.successor" },
	{ AT(struct rmr_sb, member[0].node), 0, -EINVAL, "member.node" },
	{ AT(struct rmr_sb, member[0].node), ' ', -EINVAL, "member.node" },
	{ AT(struct rmr_sb, member[0].addr) + 1, ' ', -EINVAL, "member.addr" },
	{ AT(struct rmr_sb, member[0].addr) + 1, 0x7f, -EINVAL, "member.addr" },
	{ AT(struct rmr_sb, member[0].addr) + 70, 'x', -EINVAL, "member.addr" },
	{ AT(struct rmr_sb, member[7].store_uuid), 1, -EINVAL, "member.state" },
	{ AT(struct rmr_sb, member[7].state), 1, -EINVAL, "member.store_uuid" },
};

static void a_spoiled_superblock_is_refused_by_field(struct kunit *test)
{
	struct rmr_fault fault;
	struct rmr_sb *sb = rmr_zalloc(sizeof(*sb), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, sb);
	fill_sb(sb);
	KUNIT_EXPECT_EQ(test, rmr_sb_check(sb, STORE, &fault), 0);
	KUNIT_EXPECT_EQ(test, rmr_sb_check(sb, STORE + 4095, &fault), 0);
	KUNIT_EXPECT_EQ(test, rmr_sb_check(sb, STORE + 4096, &fault), -EINVAL);
	for (i = 0; i < ARRAY_SIZE(sb_spoils); i++) {
		const struct spoil *s = &sb_spoils[i];

		fill_sb(sb);
		((u8 *)sb)[s->at] = s->value;
		KUNIT_EXPECT_NE_MSG(test, rmr_sb_check(sb, STORE, &fault), 0, "row %u", i);
		rmr_sb_seal(sb);
		KUNIT_EXPECT_EQ_MSG(test, rmr_sb_check(sb, STORE, &fault), s->err, "row %u", i);
		KUNIT_EXPECT_STREQ_MSG(test, fault.field, s->field, "row %u", i);
	}
	fill_sb(sb);
	memset(sb->pool_uuid, 0, sizeof(sb->pool_uuid));
	rmr_sb_seal(sb);
	KUNIT_EXPECT_EQ(test, rmr_sb_check(sb, STORE, &fault), -EINVAL);
	KUNIT_EXPECT_STREQ(test, fault.field, "pool_uuid");
	rmr_free(sb);
}

static void a_witness_has_neither_data_nor_map(struct kunit *test)
{
	static const struct spoil spoils[] = {
		{ AT(struct rmr_sb, map_len) + 1, 0x10, -EINVAL, "map_len" },
		{ AT(struct rmr_sb, map_off) + 1, 0x10, -EINVAL, "map_off" },
		{ AT(struct rmr_sb, view.up_to_date), 2, -EINVAL, "view.up_to_date" },
		{ AT(struct rmr_sb, member_id), 0, -EINVAL, "map_len" },
	};
	struct rmr_sb *sb = rmr_zalloc(2 * sizeof(*sb), GFP_KERNEL), *good = sb + 1;
	struct rmr_fault fault;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, sb);
	fill_sb(good);
	good->flags = cpu_to_le32(RMR_SB_F_QUORUM);
	good->member_id = 1;
	good->member[1] = good->member[0];
	good->member[1].state = RMR_MEMBER_WITNESS;
	good->map_len = 0;
	good->map_off = 0;
	good->store_size = cpu_to_le64(RMR_MD_TAIL);
	rmr_sb_seal(good);
	KUNIT_EXPECT_EQ(test, rmr_sb_check(good, RMR_MD_TAIL, &fault), 0);
	KUNIT_EXPECT_EQ(test, rmr_sb_check(good, RMR_MD_TAIL - 1, &fault), -EINVAL);
	for (i = 0; i < ARRAY_SIZE(spoils); i++) {
		*sb = *good;
		((u8 *)sb)[spoils[i].at] = spoils[i].value;
		rmr_sb_seal(sb);
		KUNIT_EXPECT_EQ_MSG(test, rmr_sb_check(sb, RMR_MD_TAIL, &fault), spoils[i].err,
				    "row %u", i);
		KUNIT_EXPECT_STREQ_MSG(test, fault.field, spoils[i].field, "row %u", i);
	}
	*sb = *good;
	sb->store_size = cpu_to_le64(RMR_MD_TAIL - RMR_MD_BLOCK);
	rmr_sb_seal(sb);
	KUNIT_EXPECT_EQ(test, rmr_sb_check(sb, RMR_MD_TAIL - RMR_MD_BLOCK, &fault), -EINVAL);
	KUNIT_EXPECT_STREQ(test, fault.field, "store_size");
	rmr_free(sb);
}

static void the_newest_valid_superblock_is_chosen(struct kunit *test)
{
	struct rmr_sb *copy = rmr_zalloc(2 * sizeof(*copy), GFP_KERNEL);
	struct rmr_fault fault;
	u8 damaged;

	KUNIT_ASSERT_NOT_NULL(test, copy);
	fill_sb(&copy[0]);
	fill_sb(&copy[1]);
	copy[1].write_seq = cpu_to_le64(2);
	rmr_sb_seal(&copy[1]);
	KUNIT_EXPECT_EQ(test, rmr_sb_choose(copy, STORE, &damaged, &fault), 1);
	KUNIT_EXPECT_EQ(test, damaged, 0);
	copy[1].pool_uuid[0]++;
	KUNIT_EXPECT_EQ(test, rmr_sb_choose(copy, STORE, &damaged, &fault), 0);
	KUNIT_EXPECT_EQ(test, damaged, 2);
	KUNIT_EXPECT_STREQ(test, fault.field, "crc32c");
	copy[0].magic[0]++;
	KUNIT_EXPECT_EQ(test, rmr_sb_choose(copy, STORE, &damaged, &fault), -EBADMSG);
	KUNIT_EXPECT_EQ(test, damaged, 3);
	KUNIT_EXPECT_STREQ(test, fault.field, "crc32c");
	copy[1].magic[0]++;
	KUNIT_EXPECT_EQ(test, rmr_sb_choose(copy, STORE, &damaged, &fault), -ENODATA);
	rmr_free(copy);
}

/* One request message with everything that its type needs; hdr.handle by type. */
static size_t fill_msg(u8 *buf, u16 type)
{
	static const size_t len[] = {
		[RMR_MSG_HELLO] = sizeof(struct rmr_msg_hello),
		[RMR_MSG_POOL_INFO] = sizeof(struct rmr_msg_pool_info),
		[RMR_MSG_ATTACH] = sizeof(struct rmr_msg_attach),
		[RMR_MSG_VIEW] = sizeof(struct rmr_msg_view),
		[RMR_MSG_DETACH] = sizeof(struct rmr_msg_detach),
		[RMR_MSG_KEEPALIVE] = sizeof(struct rmr_msg_keepalive),
		[RMR_MSG_IO] = sizeof(struct rmr_msg_io),
		[RMR_MSG_MEMBER_SET] = sizeof(struct rmr_msg_member_set),
	};
	struct rmr_msg_hdr *hdr = (void *)buf;
	struct rmr_msg_io *io = (void *)buf;
	bool handle = type == RMR_MSG_IO || (type >= RMR_MSG_VIEW && type <= RMR_MSG_KEEPALIVE);

	memset(buf, 0, RMR_MSG_MAX);
	hdr->type = cpu_to_le16(type);
	hdr->major = RMR_PROTO_MAJOR;
	hdr->handle = cpu_to_le32(handle ? 5 : RMR_NO_HANDLE);
	if (type == RMR_MSG_HELLO)
		((struct rmr_msg_hello *)buf)->node[0] = 'c';
	if (type == RMR_MSG_POOL_INFO)
		((struct rmr_msg_pool_info *)buf)->name[0] = 'p';
	if (type == RMR_MSG_ATTACH) {
		((struct rmr_msg_attach *)buf)->pool_uuid[3] = 1;
		((struct rmr_msg_attach *)buf)->epoch.seq = cpu_to_le64(1);
		((struct rmr_msg_attach *)buf)->node[0] = 'c';
	}
	if (type == RMR_MSG_VIEW) {
		((struct rmr_msg_view *)buf)->view.epoch.seq = cpu_to_le64(1);
		((struct rmr_msg_view *)buf)->view.number = cpu_to_le64(1);
		((struct rmr_msg_view *)buf)->view.up_to_date = 1;
	}
	if (type == RMR_MSG_MEMBER_SET) {
		((struct rmr_msg_member_set *)buf)->pool_uuid[3] = 1;
		fill_member(&((struct rmr_msg_member_set *)buf)->member);
	}
	if (type == RMR_MSG_IO) {
		io->op = RMR_OP_WRITE;
		io->seq = cpu_to_le64(3);
		io->completed_below = cpu_to_le64(3);
		io->length = cpu_to_le32(512);
	}
	return len[type];
}

static const struct {
	u16	type;
	struct spoil s;
} msg_spoils[] = {
	{ RMR_MSG_IO, { AT(struct rmr_msg_io, hdr.type), 0xff, -EPROTO, "hdr.type" } },
	{ RMR_MSG_IO, { AT(struct rmr_msg_io, hdr.type), 0, -EPROTO, "hdr.type" } },
	{ RMR_MSG_IO, { AT(struct rmr_msg_io, hdr.major), 2, -EPROTONOSUPPORT, "hdr.major" } },
	{ RMR_MSG_IO, { AT(struct rmr_msg_io, hdr.minor), 1, -EPROTONOSUPPORT, "hdr.minor" } },
	{ RMR_MSG_HELLO, { AT(struct rmr_msg_hello, hdr.handle), 1, -EPROTO, "hdr.handle" } },
	{ RMR_MSG_HELLO, { AT(struct rmr_msg_hello, node), 0, -EPROTO, "node" } },
	{ RMR_MSG_HELLO, { AT(struct rmr_msg_hello, reserved), 1, -EPROTO, "reserved" } },
	{ RMR_MSG_POOL_INFO, { AT(struct rmr_msg_pool_info, name), 0, -EPROTO, "name" } },
	{ RMR_MSG_POOL_INFO, { AT(struct rmr_msg_pool_info, name), '-', -EPROTO, "name" } },
	{ RMR_MSG_POOL_INFO, { AT(struct rmr_msg_pool_info, name) + 9, 'x', -EPROTO, "name" } },
	{ RMR_MSG_POOL_INFO, { AT(struct rmr_msg_pool_info, reserved), 1, -EPROTO, "reserved" } },
	{ RMR_MSG_ATTACH, { AT(struct rmr_msg_attach, pool_uuid) + 3, 0, -EPROTO, "pool_uuid" } },
	{ RMR_MSG_ATTACH, { AT(struct rmr_msg_attach, epoch), 0, -EPROTO, "epoch.seq" } },
	{ RMR_MSG_ATTACH, { AT(struct rmr_msg_attach, flags), 4, -EPROTO, "flags" } },
	{ RMR_MSG_ATTACH, { AT(struct rmr_msg_attach, member_id), 8, -EPROTO, "member_id" } },
	{ RMR_MSG_ATTACH, { AT(struct rmr_msg_attach, reserved), 1, -EPROTO, "reserved" } },
	{ RMR_MSG_ATTACH, { AT(struct rmr_msg_attach, node), '(', -EPROTO, "node" } },
	{ RMR_MSG_VIEW, { AT(struct rmr_msg_view, view.syncing), 1, -EPROTO, "view.syncing" } },
	{ RMR_MSG_VIEW, { AT(struct rmr_msg_view, view.number), 0, -EPROTO, "view.number" } },
	{ RMR_MSG_VIEW, { AT(struct rmr_msg_view, view.epoch), 0, -EPROTO, "view.epoch.seq" } },
	{ RMR_MSG_VIEW, { AT(struct rmr_msg_view, reserved), 1, -EPROTO, "reserved" } },
	{ RMR_MSG_DETACH, { AT(struct rmr_msg_detach, flags), 2, -EPROTO, "flags" } },
	{ RMR_MSG_DETACH, { AT(struct rmr_msg_detach, reserved), 1, -EPROTO, "reserved" } },
	{ RMR_MSG_KEEPALIVE, { AT(struct rmr_msg_keepalive, reserved), 1, -EPROTO, "reserved" } },
	{ RMR_MSG_MEMBER_SET, { AT(struct rmr_msg_member_set, pool_uuid) + 3, 0, -EPROTO,
				"pool_uuid" } },
	{ RMR_MSG_MEMBER_SET, { AT(struct rmr_msg_member_set, member_id), 8, -EPROTO,
				"member_id" } },
	{ RMR_MSG_MEMBER_SET, { AT(struct rmr_msg_member_set, reserved), 1, -EPROTO, "reserved" } },
	{ RMR_MSG_MEMBER_SET, { AT(struct rmr_msg_member_set, epoch), 1, -EPROTO, "epoch.seq" } },
	{ RMR_MSG_POOL_INFO, { AT(struct rmr_msg_pool_info, to), 9, -EPROTO, "to" } },
	{ RMR_MSG_MEMBER_SET, { AT(struct rmr_msg_member_set, member.state), 9, -EPROTO,
				"member.state" } },
	{ RMR_MSG_IO, { AT(struct rmr_msg_io, op), 5, -EPROTO, "op" } },
	{ RMR_MSG_IO, { AT(struct rmr_msg_io, op), RMR_OP_READ, -EPROTO, "seq" } },
	{ RMR_MSG_IO, { AT(struct rmr_msg_io, op), RMR_OP_FLUSH, -EPROTO, "length" } },
	{ RMR_MSG_IO, { AT(struct rmr_msg_io, flags), 16, -EPROTO, "flags" } },
	{ RMR_MSG_IO, { AT(struct rmr_msg_io, flags), RMR_IO_F_NOUNMAP, -EPROTO, "flags" } },
	{ RMR_MSG_IO, { AT(struct rmr_msg_io, data_crc32c), 1, -EPROTO, "data_crc32c" } },
	{ RMR_MSG_IO, { AT(struct rmr_msg_io, reserved), 1, -EPROTO, "reserved" } },
	{ RMR_MSG_IO, { AT(struct rmr_msg_io, length), 1, -EPROTO, "length" } },
	{ RMR_MSG_IO, { AT(struct rmr_msg_io, length) + 1, 0, -EPROTO, "length" } },
	{ RMR_MSG_IO, { AT(struct rmr_msg_io, offset), 1, -EPROTO, "offset" } },
	{ RMR_MSG_IO, { AT(struct rmr_msg_io, offset) + 7, 1, -EPROTO, "offset" } },
	{ RMR_MSG_IO, { AT(struct rmr_msg_io, seq), 0, -EPROTO, "seq" } },
	{ RMR_MSG_IO, { AT(struct rmr_msg_io, completed_below), 4, -EPROTO, "completed_below" } },
};

static void a_spoiled_request_is_refused_by_field(struct kunit *test)
{
	u8 *buf = rmr_zalloc(RMR_MSG_MAX, GFP_KERNEL);
	struct rmr_fault fault;
	unsigned int i;
	size_t len;
	u16 type;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	for (type = 1; type <= RMR_MSG_MEMBER_SET; type++) {
		len = fill_msg(buf, type);
		KUNIT_EXPECT_EQ_MSG(test, rmr_msg_check(buf, len, &fault), 0, "type %u", type);
		KUNIT_EXPECT_EQ(test, rmr_msg_check(buf, len + 1, &fault), -EPROTO);
		KUNIT_EXPECT_EQ(test, rmr_msg_check(buf, len - 1, &fault), -EPROTO);
		KUNIT_EXPECT_EQ(test, rmr_msg_check(buf, sizeof(struct rmr_msg_hdr) - 1, &fault),
				-EPROTO);
		KUNIT_EXPECT_STREQ(test, fault.field, "length");
	}
	for (i = 0; i < ARRAY_SIZE(msg_spoils); i++) {
		const struct spoil *s = &msg_spoils[i].s;

		len = fill_msg(buf, msg_spoils[i].type);
		buf[s->at] = s->value;
		KUNIT_EXPECT_EQ_MSG(test, rmr_msg_check(buf, len, &fault), s->err, "row %u", i);
		KUNIT_EXPECT_STREQ_MSG(test, fault.field, s->field, "row %u", i);
	}
	rmr_free(buf);
}

static void a_read_or_flush_carries_nothing_of_a_write(struct kunit *test)
{
	u8 *buf = rmr_zalloc(RMR_MSG_MAX, GFP_KERNEL);
	struct rmr_msg_io *io = (void *)buf;
	struct rmr_fault fault;
	size_t len;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	len = fill_msg(buf, RMR_MSG_IO);
	io->op = RMR_OP_READ;
	io->seq = 0;
	KUNIT_EXPECT_EQ(test, rmr_msg_check(io, len, &fault), 0);
	io->missing = 1;
	KUNIT_EXPECT_EQ(test, rmr_msg_check(io, len, &fault), -EPROTO);
	KUNIT_EXPECT_STREQ(test, fault.field, "missing");
	io->missing = 0;
	io->flags = cpu_to_le16(RMR_IO_F_FUA);
	KUNIT_EXPECT_EQ(test, rmr_msg_check(io, len, &fault), -EPROTO);
	KUNIT_EXPECT_STREQ(test, fault.field, "flags");
	io->flags = 0;
	io->op = RMR_OP_FLUSH;
	io->length = 0;
	KUNIT_EXPECT_EQ(test, rmr_msg_check(io, len, &fault), 0);
	io->offset = cpu_to_le64(512);
	KUNIT_EXPECT_EQ(test, rmr_msg_check(io, len, &fault), -EPROTO);
	KUNIT_EXPECT_STREQ(test, fault.field, "offset");
	rmr_free(buf);
}

static void fill_rsp_pool(struct rmr_rsp_pool *r)
{
	memset(r, 0, sizeof(*r));
	r->pool_uuid[0] = 1;
	r->pool_name[0] = 'p';
	r->pool_size = cpu_to_le64(RMR_POOL_SIZE_MIN);
	r->chunk_size = cpu_to_le32(CHUNK);
	r->view.number = cpu_to_le64(1);
	r->view.up_to_date = 1;
	r->limits.logical_block = cpu_to_le32(512);
	fill_member(&r->member[0]);
	memcpy(r->store_uuid, r->member[0].store_uuid, RMR_UUID_LEN);
}

static const struct spoil pool_spoils[] = {
	{ AT(struct rmr_rsp_pool, pool_uuid), 0, -EPROTO, "pool_uuid" },
	{ AT(struct rmr_rsp_pool, pool_name), 0, -EPROTO, "pool_name" },
	{ AT(struct rmr_rsp_pool, pool_size), 1, -EPROTO, "pool_size" },
	{ AT(struct rmr_rsp_pool, chunk_size), 1, -EPROTO, "chunk_size" },
	{ AT(struct rmr_rsp_pool, member_id), 8, -EPROTO, "member_id" },
	{ AT(struct rmr_rsp_pool, busy), 2, -EPROTO, "busy" },
	{ AT(struct rmr_rsp_pool, reserved0), 1, -EPROTO, "reserved0" },
	{ AT(struct rmr_rsp_pool, sb_flags), 32, -EPROTO, "sb_flags" },
	{ AT(struct rmr_rsp_pool, view.syncing), 1, -EPROTO, "view.syncing" },
	{ AT(struct rmr_rsp_pool, limits.logical_block) + 1, 0, -EPROTO, "limits.logical_block" },
	{ AT(struct rmr_rsp_pool, limits.logical_block), 1, -EPROTO, "limits.logical_block" },
	{ AT(struct rmr_rsp_pool, limits.logical_block) + 1, 32, -EPROTO, "limits.logical_block" },
	{ AT(struct rmr_rsp_pool, limits.write_cache), 2, -EPROTO, "limits.write_cache" },
	{ AT(struct rmr_rsp_pool, limits.fua), 2, -EPROTO, "limits.fua" },
	{ AT(struct rmr_rsp_pool, limits.rotational), 2, -EPROTO, "limits.rotational" },
	{ AT(struct rmr_rsp_pool, limits.reserved), 2, -EPROTO, "limits.reserved" },
	{ AT(struct rmr_rsp_pool, reserved1), 1, -EPROTO, "reserved1" },
};

static void a_spoiled_answer_is_refused_by_field(struct kunit *test)
{
	struct rmr_rsp_pool *r = rmr_zalloc(sizeof(*r), GFP_KERNEL);
	struct rmr_rsp_hello h = { .major = cpu_to_le16(1), .max_io = cpu_to_le32(4096) };
	struct rmr_fault fault;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, r);
	fill_rsp_pool(r);
	KUNIT_EXPECT_EQ(test, rmr_rsp_pool_check(r, sizeof(*r), &fault), 0);
	KUNIT_EXPECT_EQ(test, rmr_rsp_pool_check(r, sizeof(*r) - 1, &fault), -EPROTO);
	for (i = 0; i < ARRAY_SIZE(pool_spoils); i++) {
		const struct spoil *s = &pool_spoils[i];

		fill_rsp_pool(r);
		((u8 *)r)[s->at] = s->value;
		KUNIT_EXPECT_EQ_MSG(test, rmr_rsp_pool_check(r, sizeof(*r), &fault), s->err,
				    "row %u", i);
		KUNIT_EXPECT_STREQ_MSG(test, fault.field, s->field, "row %u", i);
	}
	rmr_free(r);
	KUNIT_EXPECT_EQ(test, rmr_rsp_hello_check(&h, sizeof(h), &fault), -EPROTO);
	KUNIT_EXPECT_STREQ(test, fault.field, "node");
	h.node[0] = 's';
	KUNIT_EXPECT_EQ(test, rmr_rsp_hello_check(&h, sizeof(h), &fault), 0);
	KUNIT_EXPECT_EQ(test, rmr_rsp_hello_check(&h, sizeof(h) - 1, &fault), -EPROTO);
	h.max_io = cpu_to_le32(4095);
	KUNIT_EXPECT_EQ(test, rmr_rsp_hello_check(&h, sizeof(h), &fault), -EPROTO);
	h.max_io = cpu_to_le32(4096);
	h.reserved[39] = 1;
	KUNIT_EXPECT_EQ(test, rmr_rsp_hello_check(&h, sizeof(h), &fault), -EPROTO);
	h.reserved[39] = 0;
	h.minor = cpu_to_le16(1);
	KUNIT_EXPECT_EQ(test, rmr_rsp_hello_check(&h, sizeof(h), &fault), -EPROTONOSUPPORT);
	h.major = 0;
	KUNIT_EXPECT_EQ(test, rmr_rsp_hello_check(&h, sizeof(h), &fault), -EPROTONOSUPPORT);
	KUNIT_EXPECT_STREQ(test, fault.field, "major");
}

static void an_odd_host_name_becomes_a_node_name(struct kunit *test)
{
	char node[RMR_NAME_LEN];

	rmr_node_name(node, "host-a");
	KUNIT_EXPECT_STREQ(test, node, "host-a");
	rmr_node_name(node, "(none)");
	KUNIT_EXPECT_STREQ(test, node, "unnamed");
	rmr_node_name(node, "");
	KUNIT_EXPECT_STREQ(test, node, "unnamed");
}

static void the_largest_pool_fits_and_the_next_does_not(struct kunit *test)
{
	u64 store, size, room;
	u32 chunk;

	KUNIT_EXPECT_EQ(test, rmr_pool_size_max(RMR_POOL_SIZE_MIN, CHUNK), 0);
	KUNIT_EXPECT_EQ(test, rmr_pool_size_max(U64_MAX, CHUNK), RMR_POOL_SIZE_MAX);
	for (store = 2 << 20; store < 1ull << 55; store = store * 3 + 12345) {
		for (chunk = RMR_CHUNK_SIZE_MIN; chunk <= RMR_CHUNK_SIZE_MAX; chunk *= 2) {
			size = rmr_pool_size_max(store, chunk);
			room = (store & ~4095ull) - RMR_MD_TAIL;
			KUNIT_EXPECT_LE(test, size + rmr_map_len(rmr_chunks(size, chunk)), room);
			size += RMR_BLOCK_SIZE;
			KUNIT_EXPECT_GT(test, size + rmr_map_len(rmr_chunks(size, chunk)), room);
		}
	}
}

static void names_for_people(struct kunit *test)
{
	struct rmr_view a = { .number = 1 }, b = a;

	KUNIT_EXPECT_STREQ(test, rmr_msg_name(RMR_MSG_IO), "IO");
	KUNIT_EXPECT_STREQ(test, rmr_msg_name(0), "unknown");
	KUNIT_EXPECT_STREQ(test, rmr_msg_name(77), "unknown");
	KUNIT_EXPECT_STREQ(test, rmr_op_name(RMR_OP_DISCARD), "discard");
	KUNIT_EXPECT_STREQ(test, rmr_op_name(77), "unknown");
	KUNIT_EXPECT_EQ(test, rmr_view_cmp(&a, &b), 0);
	b.number = 2;
	KUNIT_EXPECT_LT(test, rmr_view_cmp(&a, &b), 0);
	KUNIT_EXPECT_GT(test, rmr_view_cmp(&b, &a), 0);
	a.epoch.client = 1;
	KUNIT_EXPECT_GT(test, rmr_view_cmp(&a, &b), 0);
	b.epoch.seq = 1;
	KUNIT_EXPECT_LT(test, rmr_view_cmp(&a, &b), 0);
	KUNIT_EXPECT_GT(test, rmr_view_cmp(&b, &a), 0);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_spoiled_superblock_is_refused_by_field),
	KUNIT_CASE(a_witness_has_neither_data_nor_map),
	KUNIT_CASE(the_newest_valid_superblock_is_chosen),
	KUNIT_CASE(a_spoiled_request_is_refused_by_field),
	KUNIT_CASE(a_read_or_flush_carries_nothing_of_a_write),
	KUNIT_CASE(a_spoiled_answer_is_refused_by_field),
	KUNIT_CASE(an_odd_host_name_becomes_a_node_name),
	KUNIT_CASE(the_largest_pool_fits_and_the_next_does_not),
	KUNIT_CASE(names_for_people),
	{}
};

static struct kunit_suite suite = {
	.name = "rmr_codec",
	.test_cases = cases,
};

kunit_test_suite(suite);
