/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The dirty map of one store in memory, and which of its sectors are persisted. For each chunk one
 * byte: bit j set if member j lacks writes there; the bit of the store's own member is its write
 * intent. Rules: docs/protocol.md. The Go counterpart is pkg/dirtymap.
 *
 * Shape: a directory of pages on demand, a page of slots, a slot for each disk sector. A slot keeps
 * a fill (bits that every chunk of the sector has, so that "all dirty" costs no bytes) and, for the
 * chunks that have more, a short list or, when that is full, all bytes.
 *
 * Persistence: every change gives the slot a new generation, never used before in this map. The
 * owner writes the image of a pending sector and reports its generation once that image is stable;
 * only then does a bit count as persisted. The owner has at most one write of a sector under way,
 * because two may reach the disk in either order.
 *
 * No locks: the owner serialises all calls on one map, readers too. Nothing sleeps unless the gfp
 * says so; a call that cannot get memory changes no bit. Chunks count from 0, masks are of members.
 */
#ifndef RMR_MAP_H
#define RMR_MAP_H

#include "codec.h"

#define RMR_NO_CHUNK		U64_MAX
#define RMR_NO_SECTOR		U64_MAX
#define RMR_MAP_PAGE_SLOTS	120u	/* whole blocks, and a page stays below 4 KiB */
#define RMR_MAP_FEW		10u
/* Chunks of a pool of RMR_POOL_SIZE_MAX with the smallest chunks. */
#define RMR_MAP_CHUNKS_MAX	(RMR_POOL_SIZE_MAX / RMR_CHUNK_SIZE_MIN)

struct rmr_map_page;

struct rmr_map {
	u64	chunks;
	u64	sectors;		/* that hold chunks */
	u64	pending;		/* sectors whose last change is not persisted */
	u64	clock;			/* last generation given */
	u64	memory;			/* bytes held beside this structure */
	u64	fill[RMR_MAX_MEMBERS];	/* sectors that may owe bit j begin here; RMR_NO_SECTOR */
	u64	filled[RMR_MAX_MEMBERS];	/* those whose bit j the superblock sets */
	u64	coming[RMR_MAX_MEMBERS];	/* the same, once it is written */
	u32	tag;			/* of the store, first four bytes of its UUID */
	u8	unfilled;		/* bits j with sectors that owe and are not on disk so */
	bool	transient;		/* never written: each change counts as persisted at once */
	struct rmr_map_page **page;
};

/* An empty map. 0, -EINVAL (more chunks than any pool has) or -ENOMEM. */
int rmr_map_init(struct rmr_map *map, u64 chunks, u32 tag, gfp_t gfp);
/* What a resize to so many chunks needs, for one that must not sleep; NULL without memory. */
void *rmr_map_spare(u64 chunks, gfp_t gfp);
/*
 * Makes the map larger or smaller. New chunks have no bit and count as persisted; what is known of
 * chunks behind a smaller end is forgotten, and a sector with some of both is pending if it had
 * bits there. 0, -EINVAL (more chunks than any pool has), -EBUSY (it has a fill, which is to the
 * end) or -ENOMEM (not of a smaller one); nothing has changed then. *spare is of rmr_map_spare();
 * what is there afterwards is freed by the caller with rmr_free().
 */
int rmr_map_resize(struct rmr_map *map, u64 chunks, void **spare, gfp_t gfp);
/* Frees all; the map may be made again afterwards. */
void rmr_map_destroy(struct rmr_map *map);

/* The byte of a chunk; 0 past the end. */
u8 rmr_map_get(const struct rmr_map *map, u64 chunk);
/* Adds bits to chunks first..last, those past the end left out. 1: changed, 0: not, -ENOMEM. */
int rmr_map_set(struct rmr_map *map, u64 first, u64 last, u8 bits, gfp_t gfp);
/* Adds bits to every chunk, as for a replaced disk. */
int rmr_map_set_all(struct rmr_map *map, u8 bits, gfp_t gfp);
/*
 * Removes bits from chunks first..last. 1: changed, 0: not, -ENOMEM (some of the bits may be gone).
 * A clear may be persisted at leisure: losing it only costs a resync of the chunk.
 */
int rmr_map_clear(struct rmr_map *map, u64 first, u64 last, u8 bits, gfp_t gfp);
/* Adds the bits of from that are in mask. 0, -EINVAL (other size) or -ENOMEM (a part is added). */
int rmr_map_merge(struct rmr_map *map, const struct rmr_map *from, u8 mask, gfp_t gfp);

/* Lowest chunk of at least from with a bit of mask, *bits its byte; RMR_NO_CHUNK if none. */
u64 rmr_map_next(const struct rmr_map *map, u64 from, u8 mask, u8 *bits);
/* Chunks with a bit of mask. */
u64 rmr_map_count(const struct rmr_map *map, u8 mask);
bool rmr_map_any(const struct rmr_map *map, u8 mask);

/*
 * Whether the present state of chunks first..last is persisted. May say false because of a
 * neighbour in a sector, never true wrongly.
 */
bool rmr_map_stable(const struct rmr_map *map, u64 first, u64 last);
/* Lowest sector of at least from whose last change is not persisted, or RMR_NO_SECTOR. */
u64 rmr_map_next_pending(const struct rmr_map *map, u64 from);
/* Fills in sector index as it has to be written, sealed. Returns its generation. */
u64 rmr_map_image(const struct rmr_map *map, u32 index, struct rmr_map_sector *sector);
/* Notes that the image of a generation is stable. One older than noted before is ignored. */
void rmr_map_persisted(struct rmr_map *map, u32 index, u64 gen);
/*
 * Takes sector index, as read from disk, into a map that was just made. 0; -ERANGE: no such sector,
 * nothing changed; -ENOMEM: the map is of no use; else the error of the check with *fault set: the
 * sector now counts as dirty in every bit, own intent included, and the caller reports it.
 */
int rmr_map_load(struct rmr_map *map, u32 index, const struct rmr_map_sector *sector,
		 struct rmr_fault *fault, gfp_t gfp);

/*
 * Fills (R9.14, map-fill.c): bits of all chunks from a sector on that the superblock sets at once,
 * struct rmr_sb.fill. They are for other members, never for the own intent.
 */

/*
 * Adds bits to chunks first..last, by a fill if that is the whole map, or most of it and its end.
 * As rmr_map_set() in all else.
 */
int rmr_map_mark(struct rmr_map *map, u64 first, u64 last, u8 bits, gfp_t gfp);
/* Adds bits to chunk first and all behind it: by a fill, but for a sector it is inside of. */
int rmr_map_fill(struct rmr_map *map, u64 first, u8 bits, gfp_t gfp);
/* Takes the fills of a superblock that passed its check, after every sector. 0 or -ENOMEM. */
int rmr_map_fill_load(struct rmr_map *map, const __le32 fill[RMR_MAX_MEMBERS], gfp_t gfp);
bool rmr_map_has_fill(const struct rmr_map *map);
/* Whether the superblock is to say something else about these members. */
bool rmr_map_fill_pending(const struct rmr_map *map, u8 members);
/*
 * What the superblock is to say; of others than members nothing. It is about to be written: until
 * that is reported, only what it says before and after counts as persisted.
 */
void rmr_map_fill_put(struct rmr_map *map, u8 members, __le32 fill[RMR_MAX_MEMBERS]);
/* The superblock with these fills is stable. */
void rmr_map_fill_written(struct rmr_map *map, const __le32 fill[RMR_MAX_MEMBERS]);
/*
 * Lets fills begin behind what is cleared or in its own sectors by now, so that a crash does not
 * take that back. A few sectors may be pending afterwards; the superblock follows them.
 */
void rmr_map_fill_advance(struct rmr_map *map);

/* Images for a whole block of RMR_MAP_BLOCK_SECTORS sectors, the grain of writes. */
struct rmr_map_block_gen {
	u64	gen[RMR_MAP_BLOCK_SECTORS];
};

/* Lowest block of at least from with a pending sector, or RMR_NO_SECTOR. */
u64 rmr_map_next_pending_block(const struct rmr_map *map, u64 from);
void rmr_map_block_image(const struct rmr_map *map, u32 block,
			 struct rmr_map_sector sector[RMR_MAP_BLOCK_SECTORS],
			 struct rmr_map_block_gen *gen);
void rmr_map_block_persisted(struct rmr_map *map, u32 block, const struct rmr_map_block_gen *gen);
/*
 * Takes a block read from disk; sectors behind the last one of the map are ignored. 0 or
 * -ENOMEM: the map is of no use.
 * *refused: mask of sectors that count as all dirty now, *fault of the first of them.
 */
int rmr_map_block_load(struct rmr_map *map, u32 block,
		       const struct rmr_map_sector sector[RMR_MAP_BLOCK_SECTORS],
		       u8 *refused, struct rmr_fault *fault, gfp_t gfp);

#endif /* RMR_MAP_H */
