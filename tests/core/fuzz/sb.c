// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz target: superblocks and the choice between two copies. Input: a byte of switches, the size of
 * the store in 4 KiB blocks (le32), what the second copy adds to write_seq (one byte, signed), copy 0.
 * The second copy is the first with the changes that the switches ask for.
 */
#include "fuzz.h"

enum {
	SEAL_0 = 1 << 0,		/* checksums, so that the checks behind them are reached */
	SEAL_1 = 1 << 1,
	NO_MAGIC_1 = 1 << 2,
	DAMAGE_1 = 1 << 3,
	NO_MAGIC_0 = 1 << 4,
};

static void accepted(const struct rmr_sb *sb, u64 store_size)
{
	u64 size = le64_to_cpu(sb->pool_size), map_off = le64_to_cpu(sb->map_off);
	u64 chunks = rmr_chunks(size, le32_to_cpu(sb->chunk_size));
	struct rmr_sb again = *sb;
	struct rmr_view view;

	PROMISE(chunks && chunks * le32_to_cpu(sb->chunk_size) >= size);
	PROMISE(map_off + rmr_map_len(chunks) <= store_size - RMR_MD_TAIL);
	PROMISE(size <= (rmr_sb_split(sb) ? le64_to_cpu(sb->data_size) : map_off));
	PROMISE(rmr_sb_split(sb) ||
		size <= rmr_pool_size_max(store_size, le32_to_cpu(sb->chunk_size)));
	PROMISE(le64_to_cpu(sb->room) <= rmr_sb_room_max(sb) && size <= rmr_sb_room_max(sb));
	PROMISE(memchr(sb->pool_name, 0, sizeof(sb->pool_name)));
	fuzz_view(&sb->view);
	rmr_view_get(&view, &sb->view);
	rmr_view_put(&again.view, &view);
	again.crc32c = 0;
	rmr_sb_seal(&again);
	PROMISE(!memcmp(&again, sb, sizeof(again)));
}

static int check(const struct rmr_sb *sb, u64 store_size)
{
	struct rmr_fault fault = { 0 };
	int err = rmr_sb_check(sb, store_size, &fault);

	if (err) {
		PROMISE(err == -ENODATA || err == -EBADMSG || err == -EPROTONOSUPPORT ||
			err == -EINVAL);
		fuzz_refused(&fault);
	} else {
		accepted(sb, store_size);
	}
	return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rmr_fault fault = { 0 };
	struct rmr_sb copy[2];
	u8 flags, damaged;
	int best, err[2];
	__le32 blocks;
	u64 store;
	int8_t more;

	fuzz_take(&data, &size, &flags, 1);
	fuzz_take(&data, &size, &blocks, sizeof(blocks));
	fuzz_take(&data, &size, &more, 1);
	fuzz_take(&data, &size, &copy[0], sizeof(copy[0]));
	store = (u64)le32_to_cpu(blocks) * RMR_MD_BLOCK;
	if (flags & SEAL_0)
		rmr_sb_seal(&copy[0]);
	copy[1] = copy[0];
	copy[1].write_seq = cpu_to_le64(le64_to_cpu(copy[0].write_seq) + more);
	if (flags & SEAL_1)
		rmr_sb_seal(&copy[1]);
	copy[1].pool_uuid[0] ^= !!(flags & DAMAGE_1);
	copy[1].magic[0] ^= !!(flags & NO_MAGIC_1);
	copy[0].magic[0] ^= !!(flags & NO_MAGIC_0);

	err[0] = check(&copy[0], store);
	err[1] = check(&copy[1], store);
	best = rmr_sb_choose(copy, store, &damaged, &fault);
	PROMISE(damaged == (!!err[0] | !!err[1] << 1));
	if (best < 0) {
		PROMISE(err[0] && err[1] && best == (err[0] == -ENODATA ? err[1] : err[0]));
		fuzz_refused(&fault);
		return 0;
	}
	PROMISE(best < 2 && !err[best]);
	PROMISE(err[!best] ||
		le64_to_cpu(copy[best].write_seq) >= le64_to_cpu(copy[!best].write_seq));
	return 0;
}
