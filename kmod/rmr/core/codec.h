/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checks and conversions of the wire and disk formats. Pure: no allocation, no I/O, no clock; any
 * context. Everything that comes from a wire or a disk passes a check here before it is used.
 */
#ifndef RMR_CODEC_H
#define RMR_CODEC_H

#include "port.h"
#include <rmr/ondisk.h>
#include <rmr/wire.h>

struct rmr_epoch {
	u64	seq;
	u64	client;
};

struct rmr_view {
	struct rmr_epoch epoch;
	u64	number;
	u8	up_to_date;
	u8	syncing;
	u8	lineage[RMR_UUID_LEN];
};

/* What a check refused: the field by its name in the format header, and why, for people. */
struct rmr_fault {
	const char *field;
	const char *why;
	u64	value;
};

/* <0, 0, >0 as a is older than, equal to, newer than b. */
int rmr_epoch_cmp(const struct rmr_epoch *a, const struct rmr_epoch *b);
/* Order of views: (epoch, number). */
int rmr_view_cmp(const struct rmr_view *a, const struct rmr_view *b);

void rmr_epoch_get(struct rmr_epoch *epoch, const struct rmr_epoch_le *le);
void rmr_epoch_put(struct rmr_epoch_le *le, const struct rmr_epoch *epoch);
void rmr_view_get(struct rmr_view *view, const struct rmr_view_le *le);
void rmr_view_put(struct rmr_view_le *le, const struct rmr_view *view);

u64 rmr_chunks(u64 pool_size, u32 chunk_size);
/* Bytes of the dirty map of so many chunks, whole RMR_MD_BLOCKs. */
u64 rmr_map_len(u64 chunks);
/* Largest pool in bytes that a store of store_size bytes can hold; 0: none. */
u64 rmr_pool_size_max(u64 store_size, u32 chunk_size);
/* Where the map of a store starts: right below the tail, so that data can grow towards it. */
u64 rmr_map_off(u64 store_size, u64 map_len);
/* Start of superblock copy 0 or 1. */
u64 rmr_sb_off(u64 store_size, unsigned int copy);

/* 0, or -EINVAL with *fault set: name is 1..63 of [A-Za-z0-9._-], not starting with . or -. */
int rmr_name_check(const char *name, size_t size, struct rmr_fault *fault);
/* The name of this node for messages: host if it is one by the rule above, else "unnamed". */
void rmr_node_name(char node[RMR_NAME_LEN], const char *host);
int rmr_chunk_size_check(u32 chunk_size, struct rmr_fault *fault);
/* 0, or -EINVAL with *fault set: in range and in whole blocks. */
int rmr_pool_size_check(u64 size, struct rmr_fault *fault);

/* Of layout.c: the part of rmr_sb_check() about fills, once the rest has passed. */
int rmr_sb_fill_check(const struct rmr_sb *sb, bool witness, struct rmr_fault *fault);
/* Of layout.c. Whether data and metadata lie on two devices. */
bool rmr_sb_split(const struct rmr_sb *sb);
/* Where the stub is on a data device, or U64_MAX: the pool leaves no room for it. */
u64 rmr_stub_off(u64 data_size, u64 pool_size);
/* The stub of a store's data device, sealed. */
void rmr_stub_fill(struct rmr_stub *stub, const struct rmr_sb *sb);
/* 0, -ENODATA: no stub, -EBADMSG: damaged, -EINVAL: of another store or size. */
int rmr_stub_check(const struct rmr_stub *stub, const struct rmr_sb *sb, struct rmr_fault *fault);
/* What the fields about devices and room say; caller checked sizes and feature bits. */
int rmr_sb_device_check(const struct rmr_sb *sb, bool witness, struct rmr_fault *fault);
/* What only a RESIZE has; see rmr_msg_check(). */
int rmr_msg_resize_check(const void *msg, struct rmr_fault *fault);

/* A RESIZE and the data member that is told; bytes, and numbers of shrinks. */
struct rmr_resize {
	u64	now, room;		/* of its superblock; as cuts */
	u64	size, from;		/* of the message; as told and shrink */
	u32	cuts, told;
	bool	shrink;
};

/* What a data member does, in this order of harm. */
enum {
	RMR_RESIZE_KEEP,		/* it is so already */
	RMR_RESIZE_NOTE,		/* persists the number of the last shrink */
	RMR_RESIZE_GROW,
	RMR_RESIZE_CUT,
};

/*
 * What a RESIZE makes of a data member (R9.12). RMR_RESIZE_*; -EINVAL: smaller without a shrink, or
 * the member is smaller than the pool; -ESTALE: larger than the pool, and not told of its last
 * shrink; -ENOSPC: no room.
 */
int rmr_resize_rule(const struct rmr_resize *resize);
/* Largest pool whose map fits behind map_off and whose data fits on the device. */
u64 rmr_sb_room_max(const struct rmr_sb *sb);

/*
 * 0; -ENODATA: no magic, not ours; -EBADMSG: damaged; -EPROTONOSUPPORT: version or feature;
 * -EINVAL: bad field.
 */
int rmr_sb_check(const struct rmr_sb *sb, u64 store_size, struct rmr_fault *fault);
/* Sets the checksum. */
void rmr_sb_seal(struct rmr_sb *sb);
/*
 * Picks the newest valid of two copies: its number, or the error of copy 0 (of copy 1 if copy 0
 * is -ENODATA) when none is valid. *damaged: mask of copies that are not valid.
 */
int rmr_sb_choose(const struct rmr_sb copy[RMR_SB_COPIES], u64 store_size, u8 *damaged,
		  struct rmr_fault *fault);
/* id: of the slot; above any: not known. */
int rmr_sb_member_check(const struct rmr_sb_member *member, unsigned int id,
			struct rmr_fault *fault);

void rmr_map_sector_init(struct rmr_map_sector *sector, u32 index, u32 tag);
void rmr_map_sector_seal(struct rmr_map_sector *sector);
/* 0; -ENODATA: no magic; -EBADMSG: damaged; -EINVAL: of another place or store. */
int rmr_map_sector_check(const struct rmr_map_sector *sector, u32 index, u32 tag,
			 struct rmr_fault *fault);

/* 0, or -EPROTO / -EPROTONOSUPPORT: type, exact length, versions, enums, masks, reserved fields. */
int rmr_msg_check(const void *msg, size_t len, struct rmr_fault *fault);
int rmr_rsp_hello_check(const void *rsp, size_t len, struct rmr_fault *fault);
int rmr_rsp_pool_check(const void *rsp, size_t len, struct rmr_fault *fault);
int rmr_rsp_keepalive_check(const void *rsp, size_t len, struct rmr_fault *fault);
/* asked: the chunk that the request named; an answer that does not move on is refused. */
int rmr_rsp_map_pull_check(const void *rsp, size_t len, u64 asked, struct rmr_fault *fault);
int rmr_rsp_list_check(const void *rsp, size_t len, u64 asked, struct rmr_fault *fault);
int rmr_rsp_fine_check(const void *rsp, size_t len, u64 asked, struct rmr_fault *fault);
int rmr_rsp_digest_check(const void *rsp, size_t len, u64 asked, struct rmr_fault *fault);
const char *rmr_msg_name(u16 type);
const char *rmr_op_name(u8 op);

#endif /* RMR_CODEC_H */
