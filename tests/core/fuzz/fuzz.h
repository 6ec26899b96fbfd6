/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the fuzz targets share. A target gets hostile bytes, hands them to one decoder of the pure core,
 * and checks what the decoder promises; a broken promise traps, so that the fuzzer keeps the input.
 */
#ifndef RMR_FUZZ_H
#define RMR_FUZZ_H

#include <stdio.h>
#include <stdlib.h>

#include "codec.h"

#define PROMISE(what) do { \
	if (!(what)) { \
		fprintf(stderr, "%s:%d: broken promise: %s\n", __FILE__, __LINE__, #what); \
		abort(); \
	} \
} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The next len bytes of the input, zeros behind its end. */
static inline void fuzz_take(const uint8_t **data, size_t *size, void *to, size_t len)
{
	size_t n = *size < len ? *size : len;

	memset(to, 0, len);
	memcpy(to, *data, n);
	*data += n;
	*size -= n;
}

/* A refusal names a field and a reason. */
static inline void fuzz_refused(const struct rmr_fault *fault)
{
	PROMISE(fault->field && *fault->field);
	PROMISE(fault->why && *fault->why);
}

/* A view in memory is all of an accepted view on the wire or the disk. */
static inline void fuzz_view(const struct rmr_view_le *le)
{
	struct rmr_view_le again;
	struct rmr_view view;

	PROMISE(!(le->up_to_date & le->syncing));
	rmr_view_get(&view, le);
	rmr_view_put(&again, &view);
	PROMISE(!memcmp(&again, le, sizeof(again)));
	PROMISE(!rmr_view_cmp(&view, &view));
}

#endif /* RMR_FUZZ_H */
