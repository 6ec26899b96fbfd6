// SPDX-License-Identifier: GPL-2.0-only
/* Stores on two devices, and room for a larger pool. */
#include <kunit/test.h>

#include "codec.h"

#define CHUNK	RMR_CHUNK_SIZE_MIN
#define MD	0x100000ull
#define DATA	0x40000000ull

static void fill(struct rmr_sb *sb)
{
	memset(sb, 0, sizeof(*sb));
	sb->feat_incompat = cpu_to_le64(RMR_FEAT_INCOMPAT_EXT_MD);
	memset(sb->pool_uuid, 9, RMR_UUID_LEN);
	memset(sb->store_uuid, 8, RMR_UUID_LEN);
	memset(sb->data_label, 7, RMR_UUID_LEN);
	sb->chunk_size = cpu_to_le32(CHUNK);
	sb->pool_size = cpu_to_le64(DATA / 2);
	sb->data_size = cpu_to_le64(DATA);
	sb->store_size = cpu_to_le64(MD);
	sb->map_len = cpu_to_le64(rmr_map_len(rmr_chunks(DATA / 2, CHUNK)));
	sb->map_off = cpu_to_le64(MD / 2);
}

static void fields_about_devices_are_held_against_each_other(struct kunit *test)
{
	struct rmr_sb *sb = rmr_zalloc(sizeof(*sb), GFP_KERNEL);
	struct rmr_fault fault = {};

	KUNIT_ASSERT_NOT_NULL(test, sb);
	fill(sb);
	KUNIT_EXPECT_TRUE(test, rmr_sb_split(sb));
	KUNIT_EXPECT_EQ(test, rmr_sb_device_check(sb, false, &fault), 0);
	KUNIT_EXPECT_EQ(test, rmr_sb_device_check(sb, true, &fault), -EINVAL);
	KUNIT_EXPECT_STREQ(test, fault.field, "feat_incompat");
	sb->data_size = cpu_to_le64(DATA / 2 - 4096);
	KUNIT_EXPECT_EQ(test, rmr_sb_device_check(sb, false, &fault), -EINVAL);
	KUNIT_EXPECT_STREQ(test, fault.field, "data_size");
	fill(sb);
	memset(sb->data_label, 0, RMR_UUID_LEN);
	KUNIT_EXPECT_EQ(test, rmr_sb_device_check(sb, false, &fault), -EINVAL);
	KUNIT_EXPECT_STREQ(test, fault.field, "data_label");
	fill(sb);
	sb->feat_incompat = 0;
	KUNIT_EXPECT_EQ(test, rmr_sb_device_check(sb, false, &fault), -EINVAL);
	KUNIT_EXPECT_STREQ(test, fault.field, "data_size");
	sb->data_size = 0;
	KUNIT_EXPECT_EQ(test, rmr_sb_device_check(sb, false, &fault), -EINVAL);
	KUNIT_EXPECT_STREQ(test, fault.field, "data_label");
	rmr_free(sb);
}

static void room_is_what_map_and_data_have(struct kunit *test)
{
	struct rmr_sb *sb = rmr_zalloc(sizeof(*sb), GFP_KERNEL);
	struct rmr_fault fault = {};
	u64 blocks;

	KUNIT_ASSERT_NOT_NULL(test, sb);
	fill(sb);
	KUNIT_EXPECT_EQ(test, rmr_sb_room_max(sb), DATA);
	sb->room = cpu_to_le64(DATA);
	KUNIT_EXPECT_EQ(test, rmr_sb_device_check(sb, false, &fault), 0);
	sb->room = cpu_to_le64(DATA + 4096);
	KUNIT_EXPECT_EQ(test, rmr_sb_device_check(sb, false, &fault), -EINVAL);
	KUNIT_EXPECT_STREQ(test, fault.field, "room");
	sb->room = cpu_to_le64(DATA / 2 - 4096);
	KUNIT_EXPECT_EQ(test, rmr_sb_device_check(sb, false, &fault), -EINVAL);
	/* The map is the limit. */
	fill(sb);
	sb->data_size = cpu_to_le64(1ull << 50);
	blocks = (MD / 2 - RMR_MD_TAIL) / RMR_MD_BLOCK;
	KUNIT_EXPECT_EQ(test, rmr_sb_room_max(sb), blocks * RMR_MAP_BLOCK_CHUNKS * CHUNK);
	/* One device: data ends where the map begins. */
	sb->feat_incompat = 0;
	KUNIT_EXPECT_EQ(test, rmr_sb_room_max(sb), MD / 2);
	rmr_free(sb);
}

static void a_stub_of_another_device_is_refused_by_field(struct kunit *test)
{
	struct rmr_stub *stub = rmr_zalloc(sizeof(*stub), GFP_KERNEL);
	struct rmr_sb *sb = rmr_zalloc(sizeof(*sb), GFP_KERNEL);
	struct rmr_fault fault = {};

	KUNIT_ASSERT_NOT_NULL(test, stub);
	KUNIT_ASSERT_NOT_NULL(test, sb);
	fill(sb);
	KUNIT_EXPECT_EQ(test, rmr_stub_off(DATA, DATA / 2), DATA - 4096);
	KUNIT_EXPECT_EQ(test, rmr_stub_off(DATA + 4095, DATA - 4096), DATA - 4096);
	KUNIT_EXPECT_EQ(test, rmr_stub_off(DATA, DATA - 4095), U64_MAX);
	KUNIT_EXPECT_EQ(test, rmr_stub_off(4095, 0), U64_MAX);
	KUNIT_EXPECT_EQ(test, rmr_stub_check(stub, sb, &fault), -ENODATA);
	rmr_stub_fill(stub, sb);
	KUNIT_EXPECT_EQ(test, rmr_stub_check(stub, sb, &fault), 0);
	stub->reserved[0] = 1;
	KUNIT_EXPECT_EQ(test, rmr_stub_check(stub, sb, &fault), -EBADMSG);
	sb->data_size = cpu_to_le64(DATA * 2);
	rmr_stub_fill(stub, sb);
	fill(sb);
	KUNIT_EXPECT_EQ(test, rmr_stub_check(stub, sb, &fault), -EINVAL);
	KUNIT_EXPECT_STREQ(test, fault.field, "data_size");
	rmr_stub_fill(stub, sb);
	sb->data_label[3] = 1;
	KUNIT_EXPECT_EQ(test, rmr_stub_check(stub, sb, &fault), -EINVAL);
	KUNIT_EXPECT_STREQ(test, fault.field, "label");
	sb->store_uuid[3] = 1;
	KUNIT_EXPECT_EQ(test, rmr_stub_check(stub, sb, &fault), -EINVAL);
	KUNIT_EXPECT_STREQ(test, fault.field, "store_uuid");
	sb->pool_uuid[3] = 1;
	KUNIT_EXPECT_EQ(test, rmr_stub_check(stub, sb, &fault), -EINVAL);
	KUNIT_EXPECT_STREQ(test, fault.field, "pool_uuid");
	rmr_free(sb);
	rmr_free(stub);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(fields_about_devices_are_held_against_each_other),
	KUNIT_CASE(room_is_what_map_and_data_have),
	KUNIT_CASE(a_stub_of_another_device_is_refused_by_field),
	{}
};

static struct kunit_suite suite = {
	.name = "rmr_layout",
	.test_cases = cases,
};

kunit_test_suite(suite);
