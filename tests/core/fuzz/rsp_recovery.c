// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz target: replies to KEEPALIVE, MAP_PULL, LIST, FINE and DIGEST. Input: which of them, the chunk
 * that was asked for (le64), the reply.
 */
#include "fuzz.h"

/* A requester that follows next ends, and sees each chunk at most once. */
static void page(u64 first, u64 next, u64 end, u64 asked)
{
	PROMISE(first == asked);
	PROMISE(next > asked && next >= end);
}

static void map_pull(const struct rmr_rsp_map_pull *r, u64 asked)
{
	u32 count = le16_to_cpu(r->count), i;
	u64 end = asked;

	PROMISE(count <= RMR_MAP_RUNS);
	for (i = 0; i < count; i++) {
		PROMISE(r->run[i].bits && r->run[i].count && le64_to_cpu(r->run[i].first) >= end);
		end = le64_to_cpu(r->run[i].first) + le32_to_cpu(r->run[i].count);
		PROMISE(end <= le64_to_cpu(r->chunks));
	}
	page(le64_to_cpu(r->first), le64_to_cpu(r->next), end, asked);
}

static void list(const struct rmr_rsp_list *r, u64 asked)
{
	u32 count = le16_to_cpu(r->count), i;
	u64 end = asked;

	PROMISE(count <= RMR_LIST_RANGES);
	for (i = 0; i < count; i++) {
		PROMISE(r->range[i].count && le64_to_cpu(r->range[i].first) >= end);
		end = le64_to_cpu(r->range[i].first) + le64_to_cpu(r->range[i].count);
		PROMISE(end <= RMR_POOL_SIZE_MAX / RMR_CHUNK_SIZE_MIN);
	}
	page(le64_to_cpu(r->first), le64_to_cpu(r->next), end, asked);
}

static void digest(const struct rmr_rsp_digest *r, u64 asked)
{
	u32 first = le16_to_cpu(r->first), count = le16_to_cpu(r->count);

	PROMISE(le64_to_cpu(r->chunk) == asked);
	PROMISE(count && count <= RMR_DIGESTS && first + count <= 4096);
}

static int check(u8 kind, const void *rsp, size_t size, u64 asked, struct rmr_fault *fault)
{
	int err;

	switch (kind % 5) {
	case 0:
		err = rmr_rsp_map_pull_check(rsp, size, asked, fault);
		if (!err)
			map_pull(rsp, asked);
		return err;
	case 1:
		err = rmr_rsp_list_check(rsp, size, asked, fault);
		if (!err)
			list(rsp, asked);
		return err;
	case 2:
		err = rmr_rsp_fine_check(rsp, size, asked, fault);
		PROMISE(err || le64_to_cpu(((const struct rmr_rsp_fine *)rsp)->chunk) == asked);
		return err;
	case 3:
		err = rmr_rsp_digest_check(rsp, size, asked, fault);
		if (!err)
			digest(rsp, asked);
		return err;
	}
	return rmr_rsp_keepalive_check(rsp, size, fault);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rmr_fault fault = { 0 };
	__le64 asked;
	void *rsp;
	int err;
	u8 kind;

	fuzz_take(&data, &size, &kind, 1);
	fuzz_take(&data, &size, &asked, sizeof(asked));
	rsp = malloc(size ? size : 1);	/* aligned, and exactly as long */
	PROMISE(rsp);
	memcpy(rsp, data, size);
	err = check(kind, rsp, size, le64_to_cpu(asked), &fault);
	if (err) {
		PROMISE(err == -EPROTO);
		fuzz_refused(&fault);
	}
	free(rsp);
	return 0;
}
