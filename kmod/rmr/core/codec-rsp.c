// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checks of the answers of members; see codec.h. Pure, any context.
 */
#include "codec-pri.h"

int rmr_rsp_keepalive_check(const void *data, size_t len, struct rmr_fault *fault)
{
	const struct rmr_rsp_keepalive *r = data;

	if (len != sizeof(*r))
		return refuse(fault, -EPROTO, "length", "wrong", len);
	if (r->flags & ~RMR_ALIVE_F_ALL)
		return refuse(fault, -EPROTO, "flags", "unknown bits", r->flags);
	if (!all_zero(r->reserved0, sizeof(r->reserved0)))
		return refuse(fault, -EPROTO, "reserved0", "not zero", 0);
	if (!all_zero(r->reserved1, sizeof(r->reserved1)))
		return refuse(fault, -EPROTO, "reserved1", "not zero", 0);
	return 0;
}

/* A page of an answer: it starts where asked and goes on behind its last entry, or ends. */
static int page_check(__le64 first, __le64 next, u64 asked, u64 end, struct rmr_fault *fault)
{
	if (le64_to_cpu(first) != asked)
		return refuse(fault, -EPROTO, "first", "not as asked", le64_to_cpu(first));
	if (le64_to_cpu(next) < end || le64_to_cpu(next) <= asked)
		return refuse(fault, -EPROTO, "next", "does not move on", le64_to_cpu(next));
	return 0;
}

int rmr_rsp_map_pull_check(const void *data, size_t len, u64 asked, struct rmr_fault *fault)
{
	const struct rmr_rsp_map_pull *r = data;
	u64 chunks, end;
	u32 i, count;

	if (len != sizeof(*r))
		return refuse(fault, -EPROTO, "length", "wrong", len);
	chunks = le64_to_cpu(r->chunks);
	count = le16_to_cpu(r->count);
	if (chunks > RMR_POOL_SIZE_MAX / RMR_CHUNK_SIZE_MIN)
		return refuse(fault, -EPROTO, "chunks", "more than any pool has", chunks);
	if (count > RMR_MAP_RUNS)
		return refuse(fault, -EPROTO, "count", "out of range", count);
	end = le64_to_cpu(r->first);
	for (i = 0; i < count; i++) {
		const struct rmr_map_run_le *run = &r->run[i];
		u64 first = le64_to_cpu(run->first);

		if (!run->count || !run->bits || !all_zero(run->reserved, sizeof(run->reserved)))
			return refuse(fault, -EPROTO, "run", "empty or reserved field not zero", i);
		if (first < end || first >= chunks || le32_to_cpu(run->count) > chunks - first)
			return refuse(fault, -EPROTO, "run", "out of order or range", first);
		end = first + le32_to_cpu(run->count);
	}
	if (!all_zero(r->reserved, sizeof(r->reserved)))
		return refuse(fault, -EPROTO, "reserved", "not zero", 0);
	if (!all_zero(&r->run[count], (RMR_MAP_RUNS - count) * sizeof(r->run[0])))
		return refuse(fault, -EPROTO, "run", "unused one is not zero", count);
	return page_check(r->first, r->next, asked, end, fault);
}

int rmr_rsp_list_check(const void *data, size_t len, u64 asked, struct rmr_fault *fault)
{
	const struct rmr_rsp_list *r = data;
	u64 most = RMR_POOL_SIZE_MAX / RMR_CHUNK_SIZE_MIN, end;
	u32 i, count;

	if (len != sizeof(*r))
		return refuse(fault, -EPROTO, "length", "wrong", len);
	count = le16_to_cpu(r->count);
	if (count > RMR_LIST_RANGES)
		return refuse(fault, -EPROTO, "count", "out of range", count);
	if (r->flags & ~RMR_LIST_F_ALL)
		return refuse(fault, -EPROTO, "flags", "unknown bits", r->flags);
	end = le64_to_cpu(r->first);
	for (i = 0; i < count; i++) {
		u64 first = le64_to_cpu(r->range[i].first), n = le64_to_cpu(r->range[i].count);

		if (first < end || !n || n > most || first > most - n)
			return refuse(fault, -EPROTO, "range", "out of order or range", first);
		end = first + n;
	}
	if (!all_zero(r->reserved, sizeof(r->reserved)))
		return refuse(fault, -EPROTO, "reserved", "not zero", 0);
	if (!all_zero(&r->range[count], (RMR_LIST_RANGES - count) * sizeof(r->range[0])))
		return refuse(fault, -EPROTO, "range", "unused one is not zero", count);
	return page_check(r->first, r->next, asked, end, fault);
}

int rmr_rsp_fine_check(const void *data, size_t len, u64 asked, struct rmr_fault *fault)
{
	const struct rmr_rsp_fine *r = data;

	if (len != sizeof(*r))
		return refuse(fault, -EPROTO, "length", "wrong", len);
	if (le64_to_cpu(r->chunk) != asked)
		return refuse(fault, -EPROTO, "chunk", "not as asked", le64_to_cpu(r->chunk));
	if (r->known > 1)
		return refuse(fault, -EPROTO, "known", "not 0 or 1", r->known);
	if (!r->known && !all_zero(r->block, sizeof(r->block)))
		return refuse(fault, -EPROTO, "block", "not zero", 0);
	if (!all_zero(r->reserved0, sizeof(r->reserved0)))
		return refuse(fault, -EPROTO, "reserved0", "not zero", 0);
	if (!all_zero(r->reserved1, sizeof(r->reserved1)))
		return refuse(fault, -EPROTO, "reserved1", "not zero", 0);
	return 0;
}

int rmr_rsp_digest_check(const void *data, size_t len, u64 asked, struct rmr_fault *fault)
{
	const struct rmr_rsp_digest *r = data;
	u32 count;
	int err;

	if (len != sizeof(*r))
		return refuse(fault, -EPROTO, "length", "wrong", len);
	if (le64_to_cpu(r->chunk) != asked)
		return refuse(fault, -EPROTO, "chunk", "not as asked", le64_to_cpu(r->chunk));
	err = rmr_codec_digest_range(r->first, r->count, fault);
	if (err)
		return err;
	if (r->flags & ~RMR_DIGEST_F_ALL)
		return refuse(fault, -EPROTO, "flags", "unknown bits", r->flags);
	if (!all_zero(r->reserved0, sizeof(r->reserved0)))
		return refuse(fault, -EPROTO, "reserved0", "not zero", 0);
	if (!all_zero(r->reserved1, sizeof(r->reserved1)))
		return refuse(fault, -EPROTO, "reserved1", "not zero", 0);
	count = le16_to_cpu(r->count);
	if (!all_zero(&r->digest[count * RMR_DIGEST_LEN], (RMR_DIGESTS - count) * RMR_DIGEST_LEN))
		return refuse(fault, -EPROTO, "digest", "unused one is not zero", count);
	return 0;
}
