/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * On-disk formats of a store. Shared by the kernel modules, the userspace build of the core
 * and, through fixtures in testdata/, by the Go packages. Append-only: a retired value stays as
 * a comment. All fields little-endian; reserved fields are written as zero and refused when not
 * zero. All offsets in the comments are bytes.
 *
 * Layout of a store of S usable bytes, S = device size rounded down to RMR_MD_BLOCK:
 *
 *	0                    data area, pool size bytes
 *	sb.map_off           dirty map: sb.map_len bytes, whole RMR_MD_BLOCKs
 *	S - 68 KiB           superblock, copy 1
 *	S -  4 KiB           superblock, copy 0
 *
 * The copies are found from the end of the device alone. Write n goes to copy n mod 2 and is
 * stable before the state in it counts; then the other copy gets the same, so that at rest a
 * damaged copy costs nothing. The valid copy with the higher write_seq is the superblock; a
 * damaged copy is reported and replaced by the next write.
 *
 * The store of a witness has superblocks only: map_off and map_len are 0, RMR_MD_TAIL is enough.
 *
 * With RMR_FEAT_INCOMPAT_EXT_MD the store has two devices: superblocks and map lie on the metadata
 * device, by the layout above from its end, and all offsets of the superblock count there; the data
 * area is the data device from its start. If the data device has 4 KiB behind the pool's data, its
 * last whole 4 KiB block is a struct rmr_stub, which tells whose data it is.
 *
 * The map lies below the superblocks, with room behind it in a store that was grown: map_off stays
 * and map_len grows with the pool, up to sb.room bytes of data.
 */
#ifndef RMR_ONDISK_H
#define RMR_ONDISK_H

#include <linux/types.h>

#define RMR_MD_BLOCK		4096u
#define RMR_SB_COPIES		2u
/* Distance of the start of copy n from the usable end of the store. */
#define RMR_SB_COPY0_BACK	(4u * 1024u)
#define RMR_SB_COPY1_BACK	(68u * 1024u)
/* Bytes at the end of a store that hold neither data nor map. */
#define RMR_MD_TAIL		(128u * 1024u)

#define RMR_SB_MAGIC		"RMRSTORE"	/* 8 bytes, no terminator */
#define RMR_SB_VERSION		1u

#define RMR_MAX_MEMBERS		8u
#define RMR_NO_MEMBER		0xffu
#define RMR_UUID_LEN		16u
#define RMR_NAME_LEN		64u		/* with terminator */
#define RMR_ADDR_LEN		64u		/* with terminator, "192.0.2.1" or "fe80::1%eth0" */
#define RMR_MEMBER_ADDRS	2u

#define RMR_BLOCK_SIZE		4096u		/* grain of the fine map and of the pool size */
#define RMR_CHUNK_SIZE_MIN	(64u * 1024u)
#define RMR_CHUNK_SIZE_MAX	(16u * 1024u * 1024u)
#define RMR_CHUNK_SIZE_DEFAULT	(1024u * 1024u)
#define RMR_POOL_SIZE_MIN	(1024u * 1024u)
#define RMR_POOL_SIZE_MAX	(1ull << 56)

/* Feature bits. Unknown incompat bits: refused. Unknown ro bits: read only tools go on. */
#define RMR_FEAT_INCOMPAT_EXT_MD	(1ull << 0)	/* data on a device of its own */
#define RMR_FEAT_INCOMPAT_KNOWN	0x1ull
#define RMR_FEAT_RO_KNOWN	0ull
#define RMR_FEAT_COMPAT_KNOWN	0ull

/*
 * struct rmr_sb.flags. CLEAN: detached cleanly, no write may differ between legs. ZEROED: the data
 * area read as zeros when the member was made. USED: a client has attached at least once. QUORUM:
 * the pool asks for a majority of its voters, members and witnesses; the same on all of them.
 * DISCARDED: an operator gave this member's history up; it lacks everything until it has joined Y.
 * DATA_CRC: data of writes and of resync carries a checksum; the same on all members. LEFT: the
 * member left by its policy, as its disk failed too often; it serves nobody until told to.
 */
#define RMR_SB_F_CLEAN		(1u << 0)
#define RMR_SB_F_ZEROED		(1u << 1)
#define RMR_SB_F_USED		(1u << 2)
#define RMR_SB_F_QUORUM		(1u << 3)
#define RMR_SB_F_DISCARDED	(1u << 4)
#define RMR_SB_F_DATA_CRC	(1u << 8)
#define RMR_SB_F_LEFT		(1u << 9)
#define RMR_SB_F_ALL		0x31fu

/* struct rmr_sb.on_error: what the member does about errors of its disk (R3.10) */
#define RMR_SB_REPAIR		0u
#define RMR_SB_DETACH		1u
#define RMR_SB_PASS_ON		2u
#define RMR_SB_ON_ERROR_MAX	2u

/* struct rmr_sb_member.state */
#define RMR_MEMBER_NONE		0u		/* slot never used or freed: only generation */
#define RMR_MEMBER_DATA		1u
#define RMR_MEMBER_WITNESS	2u

/*
 * struct rmr_sb_member.flags, wishes of an operator (R9.2). LEAVING: to be removed. MAINTENANCE:
 * not in any view.
 */
#define RMR_SLOT_F_LEAVING	(1u << 0)
#define RMR_SLOT_F_MAINTENANCE	(1u << 1)
#define RMR_SLOT_F_ALL		(RMR_SLOT_F_LEAVING | RMR_SLOT_F_MAINTENANCE)

/*
 * struct rmr_sb_member.generation counts the stores that the slot has seen in its high bits and the
 * wishes about the present one in its low ones: a wish never outranks another store (F_SLOT).
 */
#define RMR_SLOT_WISH_BITS	16u

/* Epoch of one client attachment, ordered by (seq, client). Zero: no client yet. */
struct rmr_epoch_le {
	__le64	seq;				/*  0 */
	__le64	client;				/*  8 random id of the attaching client */
};						/* 16 */

struct rmr_view_le {
	struct rmr_epoch_le epoch;		/*  0 */
	__le64	number;				/* 16 */
	__u8	up_to_date;			/* 24 mask U of member ids */
	__u8	syncing;			/* 25 mask Y, disjoint from U */
	__u8	reserved[6];			/* 26 */
	__u8	lineage[RMR_UUID_LEN];		/* 32 */
};						/* 48 */

struct rmr_sb_member {
	__u8	state;				/*   0 RMR_MEMBER_* */
	__u8	flags;				/*   1 RMR_SLOT_F_* */
	__u8	successor;			/*   2 id + 1 of who takes its place, 0: nobody */
	__u8	reserved[5];			/*   3 */
	__u8	store_uuid[RMR_UUID_LEN];	/*   8 */
	__le64	generation;			/*  24 stores and wishes, see above */
	char	node[RMR_NAME_LEN];		/*  32 host name, for people */
	char	addr[RMR_MEMBER_ADDRS][RMR_ADDR_LEN];	/*  96 where clients and peers find it */
};						/* 224 */

struct rmr_sb {
	char	magic[8];			/*    0 RMR_SB_MAGIC */
	__le32	version;			/*    8 RMR_SB_VERSION */
	__le32	flags;				/*   12 RMR_SB_F_* */
	__le64	feat_compat;			/*   16 */
	__le64	feat_incompat;			/*   24 */
	__le64	feat_ro;			/*   32 */
	__le64	write_seq;			/*   40 1, 2, ... */
	__u8	pool_uuid[RMR_UUID_LEN];	/*   48 */
	__u8	store_uuid[RMR_UUID_LEN];	/*   64 */
	char	pool_name[RMR_NAME_LEN];	/*   80 */
	__le64	pool_size;			/*  144 bytes, multiple of RMR_BLOCK_SIZE */
	__le32	chunk_size;			/*  152 bytes, power of two */
	__u8	member_id;			/*  156 this store's place */
	__u8	on_error;			/*  157 RMR_SB_REPAIR, ... */
	__u8	reserved0[2];			/*  158 */
	__le64	map_off;			/*  160 bytes from the start of the store */
	__le64	map_len;			/*  168 bytes */
	__le64	store_size;			/*  176 usable bytes S when written */
	__le64	created;			/*  184 seconds since 1970, UTC */
	struct rmr_epoch_le promised;		/*  192 highest epoch promised */
	struct rmr_view_le view;		/*  208 highest view known */
	__le64	table_version;			/*  256 of the member table, +1 at each change */
	__le64	verified;			/*  264 end of the last verify, as created */
	__le64	verify_differences;		/*  272 blocks of 4 KiB that differed in it */
	__le32	cuts;				/*  280 of the last shrink it knows (R9.12) */
	__u8	reserved1[4];			/*  284 */
	__le64	data_size;			/*  288 EXT_MD: bytes of the data device, else 0 */
	__u8	data_label[RMR_UUID_LEN];	/*  296 EXT_MD: random, in the stub too, else 0 */
	__le64	room;				/*  312 see above; behind the pool: zeros; or 0 */
	__le32	fill[RMR_MAX_MEMBERS];		/*  320 of member j, see below; 0: none */
	__u8	reserved3[160];			/*  352 */
	struct rmr_sb_member member[RMR_MAX_MEMBERS];	/*  512 */
	__u8	reserved2[1788];		/* 2304 */
	__le32	crc32c;				/* 4092 over bytes 0..4091, CRC-32C, see below */
};						/* 4096 */

/* On the data device of a store with RMR_FEAT_INCOMPAT_EXT_MD. */
#define RMR_STUB_MAGIC		"RMRDATA1"	/* 8 bytes, no terminator */

struct rmr_stub {
	char	magic[8];			/*    0 RMR_STUB_MAGIC */
	__u8	pool_uuid[RMR_UUID_LEN];	/*    8 */
	__u8	store_uuid[RMR_UUID_LEN];	/*   24 */
	__u8	label[RMR_UUID_LEN];		/*   40 struct rmr_sb.data_label */
	__le64	data_size;			/*   56 bytes of the device when written */
	__u8	reserved[4028];			/*   64 */
	__le32	crc32c;				/* 4092 over bytes 0..4091 */
};						/* 4096 */

/*
 * Dirty map on disk: an array of RMR_MD_BLOCKs, each of eight sectors that stand alone, so that a
 * block torn between sectors is never taken for damage. Chunk c lives in sector
 * c / RMR_MAP_SECTOR_CHUNKS. A sector that fails its check counts as all dirty and is reported.
 *
 * struct rmr_sb.fill[j] of f > 0: bit j counts as set for every chunk of sector f - 1 and of all
 * behind it, whatever these sectors say (R9.14). Of data members other than the store's own only.
 *
 * CRC-32C everywhere: polynomial 0x1edc6f41 reflected, initial value and final XOR all ones
 * (RFC 3720), stored little-endian.
 */
#define RMR_MAP_SECTOR		512u
#define RMR_MAP_SECTOR_CHUNKS	496u
#define RMR_MAP_BLOCK_SECTORS	(RMR_MD_BLOCK / RMR_MAP_SECTOR)
#define RMR_MAP_BLOCK_CHUNKS	(RMR_MAP_SECTOR_CHUNKS * RMR_MAP_BLOCK_SECTORS)
#define RMR_MAP_MAGIC		0x504d5252u	/* "RRMP" as bytes */

struct rmr_map_sector {
	__le32	magic;				/*   0 RMR_MAP_MAGIC */
	__le32	index;				/*   4 number of this sector in the map */
	__le32	pool_tag;			/*   8 first four bytes of the store UUID */
	__le32	crc32c;				/*  12 over the sector with this field zero */
	__u8	chunk[RMR_MAP_SECTOR_CHUNKS];	/*  16 bit j: j lacks writes; own: intent */
};						/* 512 */

#define RMR_ASSERT_SIZE(type, size) \
	_Static_assert(sizeof(type) == (size), "size of " #type)
#define RMR_ASSERT_OFF(type, field, off) \
	_Static_assert(__builtin_offsetof(type, field) == (off), "offset of " #type "." #field)

RMR_ASSERT_SIZE(struct rmr_epoch_le, 16);
RMR_ASSERT_SIZE(struct rmr_view_le, 48);
RMR_ASSERT_OFF(struct rmr_view_le, lineage, 32);
RMR_ASSERT_SIZE(struct rmr_sb_member, 224);
RMR_ASSERT_OFF(struct rmr_sb_member, generation, 24);
RMR_ASSERT_OFF(struct rmr_sb_member, addr, 96);
RMR_ASSERT_SIZE(struct rmr_sb, 4096);
RMR_ASSERT_OFF(struct rmr_sb, write_seq, 40);
RMR_ASSERT_OFF(struct rmr_sb, pool_size, 144);
RMR_ASSERT_OFF(struct rmr_sb, map_off, 160);
RMR_ASSERT_OFF(struct rmr_sb, promised, 192);
RMR_ASSERT_OFF(struct rmr_sb, view, 208);
RMR_ASSERT_OFF(struct rmr_sb, table_version, 256);
RMR_ASSERT_OFF(struct rmr_sb, verified, 264);
RMR_ASSERT_OFF(struct rmr_sb, data_size, 288);
RMR_ASSERT_OFF(struct rmr_sb, room, 312);
RMR_ASSERT_OFF(struct rmr_sb, fill, 320);
RMR_ASSERT_OFF(struct rmr_sb, member, 512);
RMR_ASSERT_OFF(struct rmr_sb, reserved2, 2304);
RMR_ASSERT_OFF(struct rmr_sb, crc32c, 4092);
RMR_ASSERT_SIZE(struct rmr_stub, 4096);
RMR_ASSERT_OFF(struct rmr_stub, crc32c, 4092);
RMR_ASSERT_SIZE(struct rmr_map_sector, RMR_MAP_SECTOR);
RMR_ASSERT_OFF(struct rmr_map_sector, chunk, 16);

#endif /* RMR_ONDISK_H */
