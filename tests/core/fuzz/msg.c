// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz target: requests of any type. Input: the message.
 */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct rmr_msg_hdr *hdr = (const void *)data;
	struct rmr_fault fault = { 0 };
	int err = rmr_msg_check(data, size, &fault);

	if (err) {
		PROMISE(err == -EPROTO || err == -EPROTONOSUPPORT);
		fuzz_refused(&fault);
		return 0;
	}
	PROMISE(size <= RMR_MSG_MAX);
	PROMISE(strcmp(rmr_msg_name(le16_to_cpu(hdr->type)), "unknown"));
	if (le16_to_cpu(hdr->type) == RMR_MSG_VIEW)
		fuzz_view(&((const struct rmr_msg_view *)data)->view);
	if (le16_to_cpu(hdr->type) == RMR_MSG_IO)
		PROMISE(strcmp(rmr_op_name(((const struct rmr_msg_io *)data)->op), "unknown"));
	return 0;
}
