/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the codec share. */
#ifndef RMR_CODEC_PRI_H
#define RMR_CODEC_PRI_H

#include "codec.h"

/* Says what was refused and why. Returns err. */
static inline int refuse(struct rmr_fault *fault, int err, const char *field, const char *why,
			 u64 value)
{
	fault->field = field;
	fault->why = why;
	fault->value = value;
	return err;
}

static inline bool all_zero(const void *p, size_t len)
{
	return !memchr_inv(p, 0, len);
}

/* Blocks of a chunk that a digest request or its answer is about. */
int rmr_codec_digest_range(__le16 first_le, __le16 count_le, struct rmr_fault *fault);

#endif /* RMR_CODEC_PRI_H */
