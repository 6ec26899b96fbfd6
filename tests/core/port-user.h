/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Userspace half of kmod/rmr/core/port.h. The red-black tree is libbsd's; memory comes from calloc
 * through a hook that counts it and can be told to fail, so that tests see both.
 */
#ifndef RMR_PORT_USER_H
#define RMR_PORT_USER_H

#include <bsd/sys/tree.h>
#include <endian.h>
#include <errno.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef unsigned int gfp_t;

#define U32_MAX		UINT32_MAX
#define U64_MAX		UINT64_MAX
#define GFP_KERNEL	1u
#define GFP_NOWAIT	2u

#define cpu_to_le16(v)	htole16(v)
#define cpu_to_le32(v)	htole32(v)
#define cpu_to_le64(v)	htole64(v)
#define le16_to_cpu(v)	le16toh(v)
#define le32_to_cpu(v)	le32toh(v)
#define le64_to_cpu(v)	le64toh(v)

#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define container_of(p, type, member) \
	((type *)((char *)(p) - offsetof(type, member)))
#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))
#define min(a, b)		((a) < (b) ? (a) : (b))
#define max(a, b)		((a) > (b) ? (a) : (b))
#define min_t(type, a, b)	min((type)(a), (type)(b))
#define max_t(type, a, b)	max((type)(a), (type)(b))

static inline bool is_power_of_2(unsigned long n)
{
	return n && !(n & (n - 1));
}

static inline u64 div_u64(u64 a, u32 b)
{
	return a / b;
}

static inline u64 div_u64_rem(u64 a, u32 b, u32 *rem)
{
	*rem = a % b;
	return a / b;
}

static inline unsigned int __ffs64(u64 word)
{
	return __builtin_ctzll(word);
}

/* Seed and result as they are; callers invert. */
u32 crc32c(u32 crc, const void *data, size_t len);
/* First byte that is not c, or NULL. */
void *memchr_inv(const void *data, int c, size_t len);

/* The kernel's names for libbsd's tree. */
struct rb_node {
	RB_ENTRY(rb_node) entry;
};

#define rbh_root	rb_node
#define rb_left		entry.rbe_left
#define rb_right	entry.rbe_right
#define rb_entry(p, type, member)	container_of(p, type, member)

struct rb_root {
	struct rb_node *rb_node;
};

void rb_link_node(struct rb_node *node, struct rb_node *parent, struct rb_node **link);
void rb_insert_color(struct rb_node *node, struct rb_root *root);
void rb_erase(struct rb_node *node, struct rb_root *root);
struct rb_node *rb_next(const struct rb_node *node);

/*
 * Memory: bytes and objects handed out and not freed. A fail_after of n >= 0 lets n more allocations
 * succeed and fails those after; -1 fails none.
 */
struct rmr_memory {
	size_t	bytes;
	size_t	objects;
	long	fail_after;
};

extern struct rmr_memory rmr_memory;

void *rmr_zalloc(size_t size, gfp_t gfp);
void rmr_free(const void *p);

static inline unsigned int hweight8(u8 w)
{
	return __builtin_popcount(w);
}

#endif /* RMR_PORT_USER_H */
