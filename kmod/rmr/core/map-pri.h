/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What map.c and map-block.c share: the slot of a sector and how to reach it.
 */
#ifndef RMR_MAP_PRI_H
#define RMR_MAP_PRI_H

#include "map.h"

enum rmr_map_form {
	RMR_MAP_NONE,			/* no byte beside the fill */
	RMR_MAP_LIST,			/* up to RMR_MAP_FEW chunks, in no order */
	RMR_MAP_BYTES,			/* every chunk */
};

struct rmr_map_list {
	u16	at[RMR_MAP_FEW];
	u8	bits[RMR_MAP_FEW];
};

/* One disk sector. What is not known is as on a fresh disk: no bit, nothing to persist. */
struct rmr_map_slot {
	union {
		struct rmr_map_list *list;
		u8	*bytes;
		void	*store;
	};
	u64	gen;			/* of the last change; 0: as loaded */
	u64	persisted;		/* newest gen that is stable */
	u16	count;			/* chunks with bits of their own, not zero */
	u8	fill;			/* bits of every chunk */
	u8	owed;			/* of fill: not in the sector on disk, see map-fill.c */
	u8	form;			/* enum rmr_map_form */
	bool	known;
};

struct rmr_map_page {
	struct rmr_map_slot slot[RMR_MAP_PAGE_SLOTS];
	u32	known;			/* slots */
	u32	pending;		/* slots with gen != persisted */
};

/* The slot of a sector, or NULL if its page is not there. */
struct rmr_map_slot *rmr_map_slot(const struct rmr_map *map, u64 index);
/* Chunks that sector index holds, 1..RMR_MAP_SECTOR_CHUNKS. */
u32 rmr_map_sector_chunks(const struct rmr_map *map, u64 index);
/* The byte of chunk at within a slot. */
u8 rmr_map_slot_get(const struct rmr_map_slot *slot, u32 at);
static inline bool rmr_map_slot_pending(const struct rmr_map_slot *slot)
{
	return slot->gen != slot->persisted;
}

/* For map-fill.c: makes the slots of sectors low..high, or -ENOMEM and nothing has changed. */
int rmr_map_slots_make(struct rmr_map *map, u64 low, u64 high, gfp_t gfp);
void rmr_map_slots_trim(struct rmr_map *map, u64 low, u64 high);
/* Bits that all of a slot's chunks get at once; false if they have them. */
bool rmr_map_slot_set_whole(struct rmr_map_slot *slot, u32 chunks, u8 bits);
/* Gives the slot a new generation: its image on disk is not the present one. */
void rmr_map_slot_touch(struct rmr_map *map, u64 index, struct rmr_map_slot *slot);
/* Counts the slot as known. */
void rmr_map_slot_know(struct rmr_map *map, u64 index, struct rmr_map_slot *slot);
/* Whether what the slot owes rests on fills that are on disk. */
bool rmr_map_slot_filled(const struct rmr_map *map, u64 index, const struct rmr_map_slot *slot);
/* Nothing has these bits any more. */
void rmr_map_fill_end(struct rmr_map *map, u8 bits);
/* Forgets a slot; its page goes with the last one. */
void rmr_map_slot_drop(struct rmr_map *map, u64 index);

#endif /* RMR_MAP_PRI_H */
