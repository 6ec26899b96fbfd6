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
	u32	tag;			/* of the store, first four bytes of its UUID */
	bool	transient;		/* never written: each change counts as persisted at once */
	struct rmr_map_page **page;
};

/* An empty map. 0, -EINVAL (more chunks than any pool has) or -ENOMEM. */
int rmr_map_init(struct rmr_map *map, u64 chunks, u32 tag, gfp_t gfp);
/* What a resize to so many chunks needs, for one that must not sleep; NULL without memory. */
void *rmr_map_spare(u64 chunks, gfp_t gfp);
/*
 * Makes the map larger; the new chunks have no bit and count as persisted. 0, -EINVAL (smaller, or
 * more chunks than any pool has) or -ENOMEM; nothing has changed then. *spare is of
 * rmr_map_spare(); what is there afterwards is freed by the caller with rmr_free().
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

/* The same for a whole block of RMR_MAP_BLOCK_SECTORS sectors, the grain of writes. */
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
