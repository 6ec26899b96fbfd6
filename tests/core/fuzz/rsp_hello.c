// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz target: replies to HELLO. Input: the reply.
 */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct rmr_rsp_hello *rsp = (const void *)data;
	struct rmr_fault fault = { 0 };
	int err = rmr_rsp_hello_check(data, size, &fault);

	if (err) {
		PROMISE(err == -EPROTO || err == -EPROTONOSUPPORT);
		fuzz_refused(&fault);
		return 0;
	}
	PROMISE(size == sizeof(*rsp));
	PROMISE(memchr(rsp->node, 0, sizeof(rsp->node)));
	return 0;
}
