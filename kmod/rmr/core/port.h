/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the pure core takes from its surroundings, in the kernel and in userspace: types, byte
 * order, CRC-32C (seed and result as they are, without inversion), bit and string helpers, and
 * zeroed memory. The userspace half serves sanitizers, fuzzing and comparison with the Go packages.
 */
#ifndef RMR_PORT_H
#define RMR_PORT_H

#ifdef __KERNEL__

#include <linux/bitops.h>
#include <linux/crc32c.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/rbtree.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/types.h>
#include <linux/unaligned.h>

/* Zeroed memory or NULL; sleeps only if gfp says so. */
static inline void *rmr_zalloc(size_t size, gfp_t gfp)
{
	return kvzalloc(size, gfp);
}

/* Only memory larger than a page may make this sleep. */
static inline void rmr_free(const void *p)
{
	kvfree(p);
}

#else

#include "port-user.h"

#endif

#endif /* RMR_PORT_H */
