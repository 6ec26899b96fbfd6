// SPDX-License-Identifier: GPL-2.0-only
/*
 * What of a dirty map is persisted, and its sectors and blocks on disk; see map.h. No locks here.
 */
#include "map-pri.h"

bool rmr_map_stable(const struct rmr_map *map, u64 first, u64 last)
{
	const struct rmr_map_slot *slot;
	u64 i, high;

	if (first > last || first >= map->chunks || (!map->pending && !map->unfilled))
		return true;
	high = div_u64(min(last, map->chunks - 1), RMR_MAP_SECTOR_CHUNKS);
	for (i = div_u64(first, RMR_MAP_SECTOR_CHUNKS); i <= high; i++) {
		slot = rmr_map_slot(map, i);
		if (slot && (rmr_map_slot_pending(slot) || !rmr_map_slot_filled(map, i, slot)))
			return false;
	}
	return true;
}

u64 rmr_map_next_pending(const struct rmr_map *map, u64 from)
{
	const struct rmr_map_page *page;
	u64 i, n;
	u32 at;

	if (!map->pending || from >= map->sectors)
		return RMR_NO_SECTOR;
	n = div_u64(map->sectors + RMR_MAP_PAGE_SLOTS - 1, RMR_MAP_PAGE_SLOTS);
	for (i = div_u64_rem(from, RMR_MAP_PAGE_SLOTS, &at); i < n; i++, at = 0) {
		page = map->page[i];
		if (!page || !page->pending)
			continue;
		for (; at < RMR_MAP_PAGE_SLOTS; at++)
			if (rmr_map_slot_pending(&page->slot[at]))
				return i * RMR_MAP_PAGE_SLOTS + at;
	}
	return RMR_NO_SECTOR;
}

u64 rmr_map_image(const struct rmr_map *map, u32 index, struct rmr_map_sector *sector)
{
	const struct rmr_map_slot *slot;
	struct rmr_map_slot s;
	u32 at;

	rmr_map_sector_init(sector, index, map->tag);
	slot = index < map->sectors ? rmr_map_slot(map, index) : NULL;
	if (slot) {
		s = *slot;
		/* A sector that is not pending goes out, with its block, as it is on disk. */
		if (!rmr_map_slot_pending(slot))
			s.fill &= ~s.owed;
	}
	for (at = 0; slot && at < rmr_map_sector_chunks(map, index); at++)
		sector->chunk[at] = rmr_map_slot_get(&s, at);
	rmr_map_sector_seal(sector);
	return slot ? slot->gen : 0;
}

void rmr_map_persisted(struct rmr_map *map, u32 index, u64 gen)
{
	struct rmr_map_slot *slot;

	slot = index < map->sectors ? rmr_map_slot(map, index) : NULL;
	if (!slot || !slot->known || gen > slot->gen || gen < slot->persisted)
		return;
	/* What is owed was in memory before anything newer than the last image on disk. */
	if (gen != slot->persisted)
		slot->owed = 0;
	if (gen == slot->gen && slot->persisted != gen) {
		map->page[div_u64(index, RMR_MAP_PAGE_SLOTS)]->pending--;
		map->pending--;
	}
	slot->persisted = gen;
	if (gen == slot->gen && !slot->count && !slot->fill)
		rmr_map_slot_drop(map, index);
}

/* Refuses bits of chunks that the pool does not have. */
static int past_end(const struct rmr_map_sector *sector, u32 chunks, struct rmr_fault *fault)
{
	u32 at;

	for (at = chunks; at < RMR_MAP_SECTOR_CHUNKS; at++) {
		if (!sector->chunk[at])
			continue;
		fault->field = "chunk";
		fault->why = "past the end of the pool";
		fault->value = at;
		return -EINVAL;
	}
	return 0;
}

/* A freshly read sector is its own newest image: what it sets is persisted already. */
static int take(struct rmr_map *map, u32 index, const struct rmr_map_sector *sector, gfp_t gfp)
{
	u64 base = (u64)index * RMR_MAP_SECTOR_CHUNKS, gen;
	u32 at, end = rmr_map_sector_chunks(map, index);
	int err = 0;

	for (at = 0; at < end && err >= 0; at++)
		if (sector->chunk[at])
			err = rmr_map_set(map, base + at, base + at, sector->chunk[at], gfp);
	gen = rmr_map_slot(map, index) ? rmr_map_slot(map, index)->gen : 0;
	rmr_map_persisted(map, index, gen);
	return min(err, 0);
}

int rmr_map_load(struct rmr_map *map, u32 index, const struct rmr_map_sector *sector,
		 struct rmr_fault *fault, gfp_t gfp)
{
	u64 base = (u64)index * RMR_MAP_SECTOR_CHUNKS;
	u32 chunks;
	int err;

	if (index >= map->sectors) {
		fault->field = "index";
		fault->why = "behind the end of the map";
		fault->value = index;
		return -ERANGE;
	}
	chunks = rmr_map_sector_chunks(map, index);
	err = rmr_map_sector_check(sector, index, map->tag, fault);
	if (!err)
		err = past_end(sector, chunks, fault);
	if (!err)
		return take(map, index, sector, gfp);
	if (rmr_map_set(map, base, base + chunks - 1, 0xff, gfp) < 0)
		return -ENOMEM;
	return err;
}

u64 rmr_map_next_pending_block(const struct rmr_map *map, u64 from)
{
	u64 index = rmr_map_next_pending(map, from * RMR_MAP_BLOCK_SECTORS);

	return index == RMR_NO_SECTOR ? index : div_u64(index, RMR_MAP_BLOCK_SECTORS);
}

void rmr_map_block_image(const struct rmr_map *map, u32 block,
			 struct rmr_map_sector sector[RMR_MAP_BLOCK_SECTORS],
			 struct rmr_map_block_gen *gen)
{
	u32 i;

	for (i = 0; i < RMR_MAP_BLOCK_SECTORS; i++)
		gen->gen[i] = rmr_map_image(map, block * RMR_MAP_BLOCK_SECTORS + i, &sector[i]);
}

void rmr_map_block_persisted(struct rmr_map *map, u32 block, const struct rmr_map_block_gen *gen)
{
	u32 i;

	for (i = 0; i < RMR_MAP_BLOCK_SECTORS; i++)
		rmr_map_persisted(map, block * RMR_MAP_BLOCK_SECTORS + i, gen->gen[i]);
}

int rmr_map_block_load(struct rmr_map *map, u32 block,
		       const struct rmr_map_sector sector[RMR_MAP_BLOCK_SECTORS],
		       u8 *refused, struct rmr_fault *fault, gfp_t gfp)
{
	u32 i, index = block * RMR_MAP_BLOCK_SECTORS;
	struct rmr_fault f;
	int err;

	*refused = 0;
	for (i = 0; i < RMR_MAP_BLOCK_SECTORS && index + i < map->sectors; i++) {
		err = rmr_map_load(map, index + i, &sector[i], &f, gfp);
		if (err == -ENOMEM)
			return err;
		if (err && !*refused)
			*fault = f;
		if (err)
			*refused |= 1u << i;
	}
	return 0;
}
