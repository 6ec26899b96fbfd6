// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bits of the dirty map; see map.h. What is persisted of them is in map-block.c. No locks here.
 */
#include "map-pri.h"

struct span {
	u64	low, high;		/* sectors */
	u32	from, to;		/* chunk in the first, in the last sector */
};

static void *map_zalloc(struct rmr_map *map, size_t size, gfp_t gfp)
{
	void *p = rmr_zalloc(size, gfp);

	if (p)
		map->memory += size;
	return p;
}

static void map_free(struct rmr_map *map, void *p, size_t size)
{
	rmr_free(p);
	map->memory -= size;
}

static u64 page_count(const struct rmr_map *map)
{
	return div_u64(map->sectors + RMR_MAP_PAGE_SLOTS - 1, RMR_MAP_PAGE_SLOTS);
}

int rmr_map_init(struct rmr_map *map, u64 chunks, u32 tag, gfp_t gfp)
{
	memset(map, 0, sizeof(*map));
	if (chunks > RMR_MAP_CHUNKS_MAX)
		return -EINVAL;
	map->chunks = chunks;
	map->sectors = div_u64(chunks + RMR_MAP_SECTOR_CHUNKS - 1, RMR_MAP_SECTOR_CHUNKS);
	map->tag = tag;
	memset(map->fill, 0xff, sizeof(map->fill));
	memset(map->filled, 0xff, sizeof(map->filled));
	memset(map->coming, 0xff, sizeof(map->coming));
	map->page = map_zalloc(map, (page_count(map) + 1) * sizeof(*map->page), gfp);
	if (map->page)
		return 0;
	memset(map, 0, sizeof(*map));
	return -ENOMEM;
}

static size_t store_size(u8 form)
{
	return form == RMR_MAP_LIST ? sizeof(struct rmr_map_list) : RMR_MAP_SECTOR_CHUNKS;
}

static void slot_empty(struct rmr_map *map, struct rmr_map_slot *slot)
{
	if (slot->form != RMR_MAP_NONE)
		map_free(map, slot->store, store_size(slot->form));
	slot->store = NULL;
	slot->form = RMR_MAP_NONE;
	slot->count = 0;
}

void rmr_map_destroy(struct rmr_map *map)
{
	u64 i;
	u32 n;

	for (i = 0; map->page && i < page_count(map); i++) {
		if (!map->page[i])
			continue;
		for (n = 0; n < RMR_MAP_PAGE_SLOTS; n++)
			slot_empty(map, &map->page[i]->slot[n]);
		rmr_free(map->page[i]);
	}
	rmr_free(map->page);
	memset(map, 0, sizeof(*map));
}

struct rmr_map_slot *rmr_map_slot(const struct rmr_map *map, u64 index)
{
	struct rmr_map_page *page;
	u32 at;

	page = map->page[div_u64_rem(index, RMR_MAP_PAGE_SLOTS, &at)];
	return page ? &page->slot[at] : NULL;
}

u32 rmr_map_sector_chunks(const struct rmr_map *map, u64 index)
{
	return min_t(u64, RMR_MAP_SECTOR_CHUNKS, map->chunks - index * RMR_MAP_SECTOR_CHUNKS);
}

/* Place of a chunk in a list, or -1. */
static int list_find(const struct rmr_map_slot *slot, u32 at)
{
	int i;

	for (i = 0; i < slot->count; i++)
		if (slot->list->at[i] == at)
			return i;
	return -1;
}

u8 rmr_map_slot_get(const struct rmr_map_slot *slot, u32 at)
{
	int i;

	if (slot->form == RMR_MAP_BYTES)
		return slot->fill | slot->bytes[at];
	if (slot->form == RMR_MAP_NONE)
		return slot->fill;
	i = list_find(slot, at);
	return i < 0 ? slot->fill : slot->fill | slot->list->bits[i];
}

u8 rmr_map_get(const struct rmr_map *map, u64 chunk)
{
	const struct rmr_map_slot *slot;
	u32 at;

	if (chunk >= map->chunks)
		return 0;
	slot = rmr_map_slot(map, div_u64_rem(chunk, RMR_MAP_SECTOR_CHUNKS, &at));
	return slot ? rmr_map_slot_get(slot, at) : 0;
}

static bool span_of(const struct rmr_map *map, u64 first, u64 last, struct span *span)
{
	if (first > last || first >= map->chunks)
		return false;
	last = min(last, map->chunks - 1);
	span->low = div_u64_rem(first, RMR_MAP_SECTOR_CHUNKS, &span->from);
	span->high = div_u64_rem(last, RMR_MAP_SECTOR_CHUNKS, &span->to);
	return true;
}

/* First and last chunk of a span in one of its sectors. Tells whether that is the whole sector. */
static bool span_part(const struct rmr_map *map, const struct span *span, u64 index,
		      u32 *from, u32 *to)
{
	u32 end = rmr_map_sector_chunks(map, index) - 1;

	*from = index == span->low ? span->from : 0;
	*to = index == span->high ? span->to : end;
	return !*from && *to == end;
}

static struct rmr_map_slot *slot_make(struct rmr_map *map, u64 index, gfp_t gfp)
{
	struct rmr_map_page **page;
	u32 at;

	page = &map->page[div_u64_rem(index, RMR_MAP_PAGE_SLOTS, &at)];
	if (!*page)
		*page = map_zalloc(map, sizeof(**page), gfp);
	return *page ? &(*page)->slot[at] : NULL;
}

static struct rmr_map_page *page_of(const struct rmr_map *map, u64 index)
{
	return map->page[div_u64(index, RMR_MAP_PAGE_SLOTS)];
}

static void page_trim(struct rmr_map *map, u64 index)
{
	struct rmr_map_page **page = &map->page[div_u64(index, RMR_MAP_PAGE_SLOTS)];

	if (!*page || (*page)->known)
		return;
	map_free(map, *page, sizeof(**page));
	*page = NULL;
}

void rmr_map_slot_drop(struct rmr_map *map, u64 index)
{
	struct rmr_map_slot *slot = rmr_map_slot(map, index);

	slot_empty(map, slot);
	if (slot->known)
		page_of(map, index)->known--;
	memset(slot, 0, sizeof(*slot));
	page_trim(map, index);
}

void rmr_map_slot_know(struct rmr_map *map, u64 index, struct rmr_map_slot *slot)
{
	if (!slot->known)
		page_of(map, index)->known++;
	slot->known = true;
}

/* In a transient map the slot may be gone afterwards. */
void rmr_map_slot_touch(struct rmr_map *map, u64 index, struct rmr_map_slot *slot)
{
	struct rmr_map_page *page = page_of(map, index);

	rmr_map_slot_know(map, index, slot);
	if (!rmr_map_slot_pending(slot)) {
		page->pending++;
		map->pending++;
	}
	slot->gen = ++map->clock;
	if (map->transient)
		rmr_map_persisted(map, index, slot->gen);
}

static int slot_to_bytes(struct rmr_map *map, struct rmr_map_slot *slot, gfp_t gfp)
{
	u8 *bytes;
	int i;

	if (slot->form == RMR_MAP_BYTES)
		return 0;
	bytes = map_zalloc(map, RMR_MAP_SECTOR_CHUNKS, gfp);
	if (!bytes)
		return -ENOMEM;
	if (slot->form == RMR_MAP_LIST) {
		for (i = 0; i < slot->count; i++)
			bytes[slot->list->at[i]] = slot->list->bits[i];
		map_free(map, slot->list, sizeof(*slot->list));
	}
	slot->bytes = bytes;
	slot->form = RMR_MAP_BYTES;
	return 0;
}

/* Makes room so that slot_set of the same range cannot fail. */
static int slot_reserve(struct rmr_map *map, struct rmr_map_slot *slot, u32 from, u32 to,
			gfp_t gfp)
{
	u32 more = to - from + 1, at;

	if (slot->form == RMR_MAP_BYTES)
		return 0;
	if (more <= RMR_MAP_FEW && slot->form == RMR_MAP_LIST)
		for (at = from; at <= to; at++)
			more -= list_find(slot, at) >= 0;
	if (slot->count + more > RMR_MAP_FEW)
		return slot_to_bytes(map, slot, gfp);
	if (slot->form == RMR_MAP_LIST)
		return 0;
	slot->list = map_zalloc(map, sizeof(*slot->list), gfp);
	if (!slot->list)
		return -ENOMEM;
	slot->form = RMR_MAP_LIST;
	return 0;
}

/* Adds bits to one chunk of a slot with room for it. */
static void slot_add(struct rmr_map_slot *slot, u32 at, u8 bits)
{
	int i;

	if (slot->form == RMR_MAP_BYTES) {
		slot->count += !slot->bytes[at];
		slot->bytes[at] |= bits;
		return;
	}
	i = list_find(slot, at);
	if (i < 0) {
		i = slot->count++;
		slot->list->at[i] = at;
		slot->list->bits[i] = 0;
	}
	slot->list->bits[i] |= bits;
}

static bool slot_set(struct rmr_map_slot *slot, u32 from, u32 to, u8 bits)
{
	bool changed = false;
	u32 at;

	for (at = from; at <= to; at++) {
		if (!(bits & ~rmr_map_slot_get(slot, at)))
			continue;
		slot_add(slot, at, bits);
		changed = true;
	}
	return changed;
}

/* The same for all chunks at once; those with bits of their own keep them too. */
bool rmr_map_slot_set_whole(struct rmr_map_slot *slot, u32 chunks, u8 bits)
{
	u32 at = 0;

	while (at < chunks && !(bits & ~rmr_map_slot_get(slot, at)))
		at++;
	if (at == chunks)
		return false;
	slot->fill |= bits;
	return true;
}

/* Takes back what a failed reservation made and nobody uses. */
static void span_trim(struct rmr_map *map, const struct span *span)
{
	struct rmr_map_slot *slot;
	u64 i;

	for (i = span->low; i <= span->high; i++) {
		slot = rmr_map_slot(map, i);
		if (slot && !slot->count)
			slot_empty(map, slot);
		page_trim(map, i);
	}
}

static int span_reserve(struct rmr_map *map, const struct span *span, u8 bits, gfp_t gfp)
{
	struct rmr_map_slot *slot;
	u32 from, to;
	bool whole;
	u64 i;

	for (i = span->low; i <= span->high; i++) {
		whole = span_part(map, span, i, &from, &to);
		slot = slot_make(map, i, gfp);
		if (!slot)
			return -ENOMEM;
		if (!whole && (bits & ~slot->fill) && slot_reserve(map, slot, from, to, gfp))
			return -ENOMEM;
	}
	return 0;
}

void rmr_map_slots_trim(struct rmr_map *map, u64 low, u64 high)
{
	struct span span = { .low = low, .high = high };

	span_trim(map, &span);
}

int rmr_map_slots_make(struct rmr_map *map, u64 low, u64 high, gfp_t gfp)
{
	u64 i;

	for (i = low; i <= high; i++) {
		if (slot_make(map, i, gfp))
			continue;
		rmr_map_slots_trim(map, low, high);
		return -ENOMEM;
	}
	return 0;
}

int rmr_map_set(struct rmr_map *map, u64 first, u64 last, u8 bits, gfp_t gfp)
{
	struct rmr_map_slot *slot;
	struct span span;
	u32 from, to;
	int ret = 0;
	bool hit;
	u64 i;

	if (!bits || !span_of(map, first, last, &span))
		return 0;
	if (first == last && !(bits & ~rmr_map_get(map, first)))
		return 0;
	if (span_reserve(map, &span, bits, gfp)) {
		span_trim(map, &span);
		return -ENOMEM;
	}
	for (i = span.low; i <= span.high; i++) {
		hit = span_part(map, &span, i, &from, &to);
		slot = rmr_map_slot(map, i);
		if (!(bits & ~slot->fill))
			continue;
		if (hit)
			hit = rmr_map_slot_set_whole(slot, to + 1, bits);
		else
			hit = slot_set(slot, from, to, bits);
		if (!hit)
			continue;
		rmr_map_slot_touch(map, i, slot);
		ret = 1;
	}
	return ret;
}

int rmr_map_set_all(struct rmr_map *map, u8 bits, gfp_t gfp)
{
	return map->chunks ? rmr_map_set(map, 0, map->chunks - 1, bits, gfp) : 0;
}

/* Moves bits from the fill to the chunks, so that some of these can lose them. */
static int slot_spread(struct rmr_map *map, u64 index, struct rmr_map_slot *slot, u8 bits,
		       gfp_t gfp)
{
	u32 at;

	bits &= slot->fill;
	if (!bits)
		return 0;
	if (slot_to_bytes(map, slot, gfp))
		return -ENOMEM;
	for (at = 0; at < rmr_map_sector_chunks(map, index); at++)
		slot_add(slot, at, bits);
	slot->fill &= ~bits;
	return 0;
}

static u64 sectors_of(u64 chunks)
{
	return div_u64(chunks + RMR_MAP_SECTOR_CHUNKS - 1, RMR_MAP_SECTOR_CHUNKS);
}

static u64 entries_of(u64 chunks)
{
	return div_u64(sectors_of(chunks) + RMR_MAP_PAGE_SLOTS - 1, RMR_MAP_PAGE_SLOTS) + 1;
}

void *rmr_map_spare(u64 chunks, gfp_t gfp)
{
	if (chunks > RMR_MAP_CHUNKS_MAX)
		return NULL;
	return rmr_zalloc(entries_of(chunks) * sizeof(struct rmr_map_page *), gfp);
}

static bool slot_clear(struct rmr_map *map, struct rmr_map_slot *slot, u32 from, u32 to, u8 bits);

/* Forgets a sector that no chunk is in any more. */
static void slot_gone(struct rmr_map *map, u64 index)
{
	struct rmr_map_slot *slot = rmr_map_slot(map, index);

	if (!slot || !slot->known)
		return;
	if (rmr_map_slot_pending(slot)) {
		page_of(map, index)->pending--;
		map->pending--;
	}
	rmr_map_slot_drop(map, index);
}

static void page_gone(struct rmr_map *map, u64 i)
{
	struct rmr_map_page *page = map->page[i];
	u32 n;

	if (!page)
		return;
	for (n = 0; n < RMR_MAP_PAGE_SLOTS; n++)
		slot_empty(map, &page->slot[n]);
	map->pending -= page->pending;
	map_free(map, page, sizeof(*page));
	map->page[i] = NULL;
}

/* Forgets what is behind a smaller end; needs no memory. */
static void map_cut(struct rmr_map *map, u64 chunks)
{
	u64 left = sectors_of(chunks), pages = entries_of(chunks) - 1, i;
	u32 old = left < map->sectors ? RMR_MAP_SECTOR_CHUNKS :
		  rmr_map_sector_chunks(map, left - 1);
	struct rmr_map_slot *slot;

	for (i = left; i < min(map->sectors, pages * RMR_MAP_PAGE_SLOTS); i++)
		slot_gone(map, i);
	for (i = pages; i < page_count(map); i++)
		page_gone(map, i);
	map->chunks = chunks;
	map->sectors = left;
	slot = left ? rmr_map_slot(map, left - 1) : NULL;
	if (!slot || !slot->known || rmr_map_sector_chunks(map, left - 1) == old)
		return;
	/* On disk its new end has what all of its chunks have. */
	if (slot_clear(map, slot, rmr_map_sector_chunks(map, left - 1), old - 1, 0xff) ||
	    slot->fill)
		rmr_map_slot_touch(map, left - 1, slot);
}

static void map_shrink(struct rmr_map *map, u64 chunks, void **spare)
{
	u64 old = page_count(map) + 1, left = entries_of(chunks);
	struct rmr_map_page **page = *spare;

	map_cut(map, chunks);
	if (left == old)
		return;
	memcpy(page, map->page, left * sizeof(*page));
	*spare = map->page;
	map->page = page;
	map->memory -= (old - left) * sizeof(*page);
}

int rmr_map_resize(struct rmr_map *map, u64 chunks, void **spare, gfp_t gfp)
{
	u64 old = page_count(map) + 1, last = map->sectors - 1;
	struct rmr_map_page **page = *spare;
	struct rmr_map_slot *slot;

	if (chunks > RMR_MAP_CHUNKS_MAX)
		return -EINVAL;
	if (rmr_map_has_fill(map))
		return -EBUSY;
	if (chunks < map->chunks) {
		map_shrink(map, chunks, spare);
		return 0;
	}
	/* What every chunk of the last sector has is not what its new ones have. */
	slot = map->sectors ? rmr_map_slot(map, last) : NULL;
	if (slot && slot_spread(map, last, slot, slot->fill, gfp))
		return -ENOMEM;
	if (entries_of(chunks) > old) {
		memcpy(page, map->page, old * sizeof(*page));
		*spare = map->page;
		map->page = page;
		map->memory += (entries_of(chunks) - old) * sizeof(*page);
	}
	map->chunks = chunks;
	map->sectors = sectors_of(chunks);
	return 0;
}

/* Takes bits from the chunks' own bytes; tells whether there were any. */
static bool slot_clear(struct rmr_map *map, struct rmr_map_slot *slot, u32 from, u32 to, u8 bits)
{
	struct rmr_map_list *list = slot->list;
	bool hit = false;
	u32 at;
	int i;

	for (at = from; slot->form == RMR_MAP_BYTES && at <= to; at++) {
		if (!(slot->bytes[at] & bits))
			continue;
		hit = true;
		slot->bytes[at] &= ~bits;
		slot->count -= !slot->bytes[at];
	}
	for (i = slot->count - 1; slot->form == RMR_MAP_LIST && i >= 0; i--) {
		if (list->at[i] < from || list->at[i] > to || !(list->bits[i] & bits))
			continue;
		hit = true;
		list->bits[i] &= ~bits;
		if (list->bits[i])
			continue;
		slot->count--;
		list->at[i] = list->at[slot->count];
		list->bits[i] = list->bits[slot->count];
	}
	if (!slot->count)
		slot_empty(map, slot);
	return hit;
}

/*
 * Takes bits from a whole slot. Those that it owes are not in its sector on disk, but for chunks
 * that have them of their own: if there is no such chunk, the sector is right as it is.
 */
static bool slot_clear_whole(struct rmr_map *map, u64 index, struct rmr_map_slot *slot, u8 bits)
{
	bool pending = rmr_map_slot_pending(slot), own;
	u8 hit = slot->fill & bits, owed = slot->owed;

	slot->fill &= ~bits;
	slot->owed &= ~bits;
	own = slot_clear(map, slot, 0, rmr_map_sector_chunks(map, index) - 1, bits);
	if (!hit && !own)
		return false;
	if (own || pending || (hit & ~owed))
		rmr_map_slot_touch(map, index, slot);
	else if (!slot->count && !slot->fill)
		rmr_map_slot_drop(map, index);
	return true;
}

int rmr_map_clear(struct rmr_map *map, u64 first, u64 last, u8 bits, gfp_t gfp)
{
	struct rmr_map_slot *slot;
	struct span span;
	u32 from, to;
	int ret = 0;
	u64 i;

	if (!span_of(map, first, last, &span))
		return 0;
	for (i = span.low; i <= span.high; i++) {
		slot = rmr_map_slot(map, i);
		if (!slot || !slot->known)
			continue;
		if (span_part(map, &span, i, &from, &to)) {
			ret |= slot_clear_whole(map, i, slot, bits);
			continue;
		}
		if (slot_spread(map, i, slot, bits, gfp))
			return -ENOMEM;
		if (!slot_clear(map, slot, from, to, bits))
			continue;
		rmr_map_slot_touch(map, i, slot);
		ret = 1;
	}
	if (!first && last >= map->chunks - 1)
		rmr_map_fill_end(map, bits);
	return ret;
}

/* Lowest chunk of at least at in a slot with a bit of mask, or end. */
static u32 slot_next(const struct rmr_map_slot *slot, u32 at, u32 end, u8 mask)
{
	u64 word, all = 0x0101010101010101ull * mask;
	u32 best = end;
	int i;

	if (slot->fill & mask)
		return min(at, end);
	if (slot->form == RMR_MAP_LIST)
		for (i = 0; i < slot->count; i++)
			if (slot->list->at[i] >= at && slot->list->at[i] < best &&
			    slot->list->bits[i] & mask)
				best = slot->list->at[i];
	if (slot->form != RMR_MAP_BYTES)
		return best;
	for (; at < end; at++) {
		for (; !(at % 8) && at + 8 <= end; at += 8) {
			memcpy(&word, slot->bytes + at, sizeof(word));
			if (word & all)
				break;
		}
		if (at < end && slot->bytes[at] & mask)
			return at;
	}
	return end;
}

u64 rmr_map_next(const struct rmr_map *map, u64 from, u8 mask, u8 *bits)
{
	const struct rmr_map_slot *slot;
	u32 at, end, slot_at;
	u64 index;

	if (!mask || from >= map->chunks)
		return RMR_NO_CHUNK;
	index = div_u64_rem(from, RMR_MAP_SECTOR_CHUNKS, &at);
	for (; index < map->sectors; index++, at = 0) {
		slot = rmr_map_slot(map, index);
		if (!slot) {
			div_u64_rem(index, RMR_MAP_PAGE_SLOTS, &slot_at);
			index += RMR_MAP_PAGE_SLOTS - 1 - slot_at;
			continue;
		}
		if (!slot->fill && !slot->count)
			continue;
		end = rmr_map_sector_chunks(map, index);
		at = slot_next(slot, at, end, mask);
		if (at >= end)
			continue;
		*bits = rmr_map_slot_get(slot, at);
		return index * RMR_MAP_SECTOR_CHUNKS + at;
	}
	return RMR_NO_CHUNK;
}

static u32 slot_count(const struct rmr_map_slot *slot, u32 chunks, u8 mask)
{
	u32 at, n = 0;

	if (slot->fill & mask)
		return chunks;
	for (at = 0; slot->form == RMR_MAP_BYTES && at < chunks; at++)
		n += !!(slot->bytes[at] & mask);
	for (at = 0; slot->form == RMR_MAP_LIST && at < slot->count; at++)
		n += !!(slot->list->bits[at] & mask);
	return n;
}

u64 rmr_map_count(const struct rmr_map *map, u8 mask)
{
	const struct rmr_map_slot *slot;
	u64 i, n = 0;

	for (i = 0; i < map->sectors; i++) {
		slot = rmr_map_slot(map, i);
		if (slot)
			n += slot_count(slot, rmr_map_sector_chunks(map, i), mask);
	}
	return n;
}

bool rmr_map_any(const struct rmr_map *map, u8 mask)
{
	u8 bits;

	return rmr_map_next(map, 0, mask, &bits) != RMR_NO_CHUNK;
}

/* Adds one sector of another map. */
static int merge_sector(struct rmr_map *map, const struct rmr_map_slot *slot, u64 index, u8 mask,
			gfp_t gfp)
{
	u64 base = index * RMR_MAP_SECTOR_CHUNKS;
	u32 end = rmr_map_sector_chunks(map, index), at;
	int err;

	err = rmr_map_set(map, base, base + end - 1, slot->fill & mask, gfp);
	if (err < 0 || slot->form == RMR_MAP_NONE)
		return err;
	for (at = 0; at < end; at++) {
		err = rmr_map_set(map, base + at, base + at, rmr_map_slot_get(slot, at) & mask,
				  gfp);
		if (err < 0)
			return err;
	}
	return 0;
}

int rmr_map_merge(struct rmr_map *map, const struct rmr_map *from, u8 mask, gfp_t gfp)
{
	const struct rmr_map_slot *slot;
	u64 i;
	int err;

	if (from->chunks != map->chunks)
		return -EINVAL;
	for (i = 0; i < from->sectors; i++) {
		slot = rmr_map_slot(from, i);
		if (!slot)
			continue;
		err = merge_sector(map, slot, i, mask, gfp);
		if (err < 0)
			return err;
	}
	return 0;
}
