// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fills of the dirty map (R9.14): a bit of every chunk from a sector on, set by a word of the
 * superblock. A new disk lacks everything at the cost of one write. No locks here; see map.h.
 *
 * What counts on disk is sector | fill. A slot *owes* a bit that all its chunks have by the fill,
 * and on disk only those that had it before. It owes what it got while it was not pending: whatever
 * image is taken later has the bit too. A slot that is pending gets it by its sector, as without a
 * fill. Hence:
 *
 *  - the bit is persisted while the fill on disk begins at or below the sector;
 *  - cleared everywhere, an owed bit needs no write of the sector if no chunk had it before;
 *  - a write of the sector, for whatever reason, has what is left of the bit, and pays the debt;
 *  - the fill may begin behind a sector, or end, once no sector below owes.
 *
 * fill[j] is where sectors may owe, filled[j] what the superblock says and coming[j] what it says
 * once it is written: until then only the larger of the two counts, and a fill that ends has not. A
 * lower fill[j] counts when it is on disk; a higher one is written when the debts below are paid.
 */
#include "map-pri.h"

/* Marks that reach the end of the map are fills from so many sectors on, or if they are all. */
#define FILL_SECTORS	64u
/* A fill leaves sectors that owe behind, to be written, if they are one to so many that do not. */
#define FILL_BEHIND	8u

static u64 sector_of(__le32 fill)
{
	u32 n = le32_to_cpu(fill);

	return n ? n - 1 : RMR_NO_SECTOR;
}

/* From this sector on the fill is on disk, whether the write under way gets there or not. */
static u64 certain(const struct rmr_map *map, unsigned int j)
{
	return max(map->filled[j], map->coming[j]);
}

static void note_unfilled(struct rmr_map *map)
{
	unsigned int j;

	map->unfilled = 0;
	for (j = 0; j < RMR_MAX_MEMBERS; j++)
		if (map->fill[j] < certain(map, j))
			map->unfilled |= 1u << j;
}

bool rmr_map_has_fill(const struct rmr_map *map)
{
	unsigned int j;

	for (j = 0; j < RMR_MAX_MEMBERS; j++)
		if (map->fill[j] != RMR_NO_SECTOR || map->filled[j] != RMR_NO_SECTOR ||
		    map->coming[j] != RMR_NO_SECTOR)
			return true;
	return false;
}

bool rmr_map_slot_filled(const struct rmr_map *map, u64 index, const struct rmr_map_slot *slot)
{
	unsigned int j;

	if (!(slot->owed & map->unfilled))
		return true;
	for (j = 0; j < RMR_MAX_MEMBERS; j++)
		if ((slot->owed >> j & 1) && certain(map, j) > index)
			return false;
	return true;
}

/* All chunks of a slot get bits. Returns those that it owes now; *changed is set if any is new. */
static u8 slot_fill(struct rmr_map *map, u64 index, struct rmr_map_slot *slot, u8 bits,
		    bool *changed)
{
	u32 chunks = rmr_map_sector_chunks(map, index);

	bits &= ~slot->fill;
	if (!bits || !rmr_map_slot_set_whole(slot, chunks, bits))
		return 0;
	*changed = true;
	if (rmr_map_slot_pending(slot)) {
		rmr_map_slot_touch(map, index, slot);
		return 0;
	}
	rmr_map_slot_know(map, index, slot);
	slot->owed |= bits;
	return bits;
}

int rmr_map_fill(struct rmr_map *map, u64 first, u8 bits, gfp_t gfp)
{
	u64 low = div_u64(first + RMR_MAP_SECTOR_CHUNKS - 1, RMR_MAP_SECTOR_CHUNKS), i;
	bool changed = false;
	unsigned int j;
	int ret = 0;
	u8 owed = 0;

	if (!bits || first >= map->chunks)
		return 0;
	if (map->transient || low >= map->sectors)
		return rmr_map_set(map, first, map->chunks - 1, bits, gfp);
	if (rmr_map_slots_make(map, low, map->sectors - 1, gfp))
		return -ENOMEM;
	if (first < low * RMR_MAP_SECTOR_CHUNKS)
		ret = rmr_map_set(map, first, low * RMR_MAP_SECTOR_CHUNKS - 1, bits, gfp);
	if (ret < 0) {
		rmr_map_slots_trim(map, low, map->sectors - 1);
		return ret;
	}
	for (i = low; i < map->sectors; i++)
		owed |= slot_fill(map, i, rmr_map_slot(map, i), bits, &changed);
	for (j = 0; j < RMR_MAX_MEMBERS; j++)
		if (owed >> j & 1)
			map->fill[j] = min(map->fill[j], low);
	note_unfilled(map);
	return ret | changed;
}

int rmr_map_mark(struct rmr_map *map, u64 first, u64 last, u8 bits, gfp_t gfp)
{
	u64 more = first < map->chunks ? map->chunks - first : 0;

	if (!more || last < map->chunks - 1)
		return rmr_map_set(map, first, last, bits, gfp);
	if (first && more < FILL_SECTORS * RMR_MAP_SECTOR_CHUNKS)
		return rmr_map_set(map, first, last, bits, gfp);
	return rmr_map_fill(map, first, bits, gfp);
}

int rmr_map_fill_load(struct rmr_map *map, const __le32 fill[RMR_MAX_MEMBERS], gfp_t gfp)
{
	unsigned int j;
	u64 sector;
	int err;

	for (j = 0; j < RMR_MAX_MEMBERS; j++) {
		sector = sector_of(fill[j]);
		if (sector >= map->sectors)
			continue;
		err = rmr_map_fill(map, sector * RMR_MAP_SECTOR_CHUNKS, 1u << j, gfp);
		if (err < 0)
			return err;
		map->fill[j] = sector;
		map->filled[j] = sector;
		map->coming[j] = sector;
	}
	note_unfilled(map);
	return 0;
}

/* Whether a sector of from..end-1 owes bit j. */
static bool owes(const struct rmr_map *map, unsigned int j, u64 from, u64 end)
{
	const struct rmr_map_slot *slot;
	u32 at;

	for (end = min(end, map->sectors); from < end; from++) {
		slot = rmr_map_slot(map, from);
		if (!slot) {
			div_u64_rem(from, RMR_MAP_PAGE_SLOTS, &at);
			from += RMR_MAP_PAGE_SLOTS - 1 - at;
		} else if (slot->owed >> j & 1) {
			return true;
		}
	}
	return false;
}

/* Where the fill on disk may begin now. */
static u64 wanted(const struct rmr_map *map, unsigned int j, u8 members)
{
	if (!(members >> j & 1))
		return RMR_NO_SECTOR;
	if (map->fill[j] > map->filled[j] && owes(map, j, map->filled[j], map->fill[j]))
		return map->filled[j];
	return map->fill[j];
}

bool rmr_map_fill_pending(const struct rmr_map *map, u8 members)
{
	unsigned int j;
	u64 want;

	for (j = 0; j < RMR_MAX_MEMBERS; j++) {
		want = wanted(map, j, members);
		if (want != map->filled[j] || want != map->coming[j])
			return true;
	}
	return false;
}

void rmr_map_fill_put(struct rmr_map *map, u8 members, __le32 fill[RMR_MAX_MEMBERS])
{
	unsigned int j;
	u64 sector;

	for (j = 0; j < RMR_MAX_MEMBERS; j++) {
		sector = wanted(map, j, members);
		fill[j] = cpu_to_le32(sector == RMR_NO_SECTOR ? 0 : sector + 1);
		map->coming[j] = sector;
	}
	note_unfilled(map);
}

void rmr_map_fill_written(struct rmr_map *map, const __le32 fill[RMR_MAX_MEMBERS])
{
	unsigned int j;

	for (j = 0; j < RMR_MAX_MEMBERS; j++) {
		map->filled[j] = sector_of(fill[j]);
		map->coming[j] = map->filled[j];
	}
	note_unfilled(map);
}

/* Where the fill of j may begin, few sectors that owe being below; no further than it pays. */
static u64 goal(const struct rmr_map *map, unsigned int j)
{
	u64 i, best = map->fill[j], owing = 0, paid = 0;
	const struct rmr_map_slot *slot;

	for (i = map->fill[j]; i < map->sectors; i++) {
		slot = rmr_map_slot(map, i);
		if (slot && (slot->owed >> j & 1) && !rmr_map_slot_pending(slot))
			owing++;
		else if (owing * FILL_BEHIND <= ++paid)
			best = i + 1;
		if (owing > FILL_SECTORS + paid / FILL_BEHIND)
			break;
	}
	return best;
}

void rmr_map_fill_advance(struct rmr_map *map)
{
	struct rmr_map_slot *slot;
	unsigned int j;
	u64 i, to;

	for (j = 0; j < RMR_MAX_MEMBERS; j++) {
		if (map->fill[j] == RMR_NO_SECTOR)
			continue;
		to = goal(map, j);
		for (i = map->fill[j]; i < to; i++) {
			slot = rmr_map_slot(map, i);
			if (slot && (slot->owed >> j & 1) && !rmr_map_slot_pending(slot))
				rmr_map_slot_touch(map, i, slot);
		}
		map->fill[j] = to < map->sectors ? to : RMR_NO_SECTOR;
	}
	note_unfilled(map);
}

void rmr_map_fill_end(struct rmr_map *map, u8 bits)
{
	unsigned int j;

	for (j = 0; j < RMR_MAX_MEMBERS; j++)
		if (bits >> j & 1)
			map->fill[j] = RMR_NO_SECTOR;
	note_unfilled(map);
}
