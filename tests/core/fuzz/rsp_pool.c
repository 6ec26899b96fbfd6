// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz target: replies to POOL_INFO and ATTACH. Input: the reply.
 */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct rmr_rsp_pool *rsp = (const void *)data;
	struct rmr_fault fault = { 0 };
	int err = rmr_rsp_pool_check(data, size, &fault), i;
	u8 active;

	if (err) {
		PROMISE(err == -EPROTO);
		fuzz_refused(&fault);
		return 0;
	}
	PROMISE(size == sizeof(*rsp));
	PROMISE(memchr(rsp->pool_name, 0, sizeof(rsp->pool_name)));
	PROMISE(rmr_chunks(le64_to_cpu(rsp->pool_size), le32_to_cpu(rsp->chunk_size)));
	fuzz_view(&rsp->view);
	active = rsp->view.up_to_date | rsp->view.syncing;
	for (i = 0; i < (int)RMR_MAX_MEMBERS; i++)
		PROMISE(!(active >> i & 1) || rsp->member[i].state == RMR_MEMBER_DATA);
	return 0;
}
