// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz target: blocks of the dirty map as read from disk. Input: a mask of sectors that get a right
 * header, chunks of the map less one (le16), the block, how many allocations succeed (255: all), the
 * block's bytes.
 */
#include "fuzz.h"
#include "map.h"

#define TAG	0x31323334u

/* A refused sector is dirty everywhere and has to be written again; any other is as it was read. */
static void sector(const struct rmr_map *map, u32 index, const struct rmr_map_sector *s, bool refused)
{
	u64 chunk = (u64)index * RMR_MAP_SECTOR_CHUNKS;
	struct rmr_map_sector image;
	u32 at;

	PROMISE(rmr_map_stable(map, chunk, chunk) == !refused);
	rmr_map_image(map, index, &image);
	if (!refused) {
		PROMISE(!memcmp(&image, s, sizeof(image)));
		return;
	}
	for (at = 0; at < RMR_MAP_SECTOR_CHUNKS; at++, chunk++)
		PROMISE(image.chunk[at] == (chunk < map->chunks ? 0xff : 0));
}

static void load(struct rmr_map *map, u32 block, const struct rmr_map_sector s[RMR_MAP_BLOCK_SECTORS])
{
	u32 i, index = block * RMR_MAP_BLOCK_SECTORS;
	struct rmr_fault fault = { 0 };
	u8 refused;
	int err;

	err = rmr_map_block_load(map, block, s, &refused, &fault, GFP_KERNEL);
	if (err) {
		PROMISE(err == -ENOMEM && !rmr_memory.fail_after);
		return;
	}
	if (refused)
		fuzz_refused(&fault);
	for (i = 0; i < RMR_MAP_BLOCK_SECTORS; i++) {
		if (index + i < map->sectors)
			sector(map, index + i, &s[i], refused >> i & 1);
		else
			PROMISE(!(refused >> i & 1));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rmr_map_sector s[RMR_MAP_BLOCK_SECTORS];
	size_t objects = rmr_memory.objects;
	struct rmr_map map;
	u8 good, block, memory;
	__le16 chunks;
	u32 i;

	fuzz_take(&data, &size, &good, 1);
	fuzz_take(&data, &size, &chunks, sizeof(chunks));
	fuzz_take(&data, &size, &block, 1);
	fuzz_take(&data, &size, &memory, 1);
	fuzz_take(&data, &size, s, sizeof(s));
	for (i = 0; i < RMR_MAP_BLOCK_SECTORS; i++) {
		if (!(good >> i & 1))
			continue;
		s[i].magic = cpu_to_le32(RMR_MAP_MAGIC);
		s[i].index = cpu_to_le32(block * RMR_MAP_BLOCK_SECTORS + i);
		s[i].pool_tag = cpu_to_le32(TAG);
		rmr_map_sector_seal(&s[i]);
	}
	PROMISE(!rmr_map_init(&map, (u64)le16_to_cpu(chunks) + 1, TAG, GFP_KERNEL));
	rmr_memory.fail_after = memory == 255 ? -1 : memory;
	load(&map, block, s);
	rmr_memory.fail_after = -1;
	rmr_map_destroy(&map);
	PROMISE(rmr_memory.objects == objects);
	return 0;
}
