// SPDX-License-Identifier: GPL-2.0-only
/*
 * Userspace half of the port; see port-user.h.
 */
#include <malloc.h>
#include <stdlib.h>

#include "port.h"

/* libbsd's functions take the head by the name of the tree, here struct rb_root. */
static int cmp_unused(const struct rb_node *a, const struct rb_node *b)
{
	return a < b ? -1 : a > b;
}

RB_PROTOTYPE_INTERNAL(rb_root, rb_node, entry, cmp_unused, __attribute__((unused)) static)
RB_GENERATE_INTERNAL(rb_root, rb_node, entry, cmp_unused, __attribute__((unused)) static)

struct rmr_memory rmr_memory = { .fail_after = -1 };

void rb_link_node(struct rb_node *node, struct rb_node *parent, struct rb_node **link)
{
	RB_SET(node, parent, entry);
	*link = node;
}

void rb_insert_color(struct rb_node *node, struct rb_root *root)
{
	rb_root_RB_INSERT_COLOR(root, node);
}

void rb_erase(struct rb_node *node, struct rb_root *root)
{
	rb_root_RB_REMOVE(root, node);
}

struct rb_node *rb_next(const struct rb_node *node)
{
	return rb_root_RB_NEXT((struct rb_node *)node);
}

u32 crc32c(u32 crc, const void *data, size_t len)
{
	static u32 table[256];
	const u8 *p = data;
	unsigned int i, bit;

	for (i = 1; !table[255] && i < 256; i++) {
		u32 v = i;

		for (bit = 0; bit < 8; bit++)
			v = v >> 1 ^ (v & 1 ? 0x82f63b78u : 0);
		table[i] = v;
	}
	while (len--)
		crc = crc >> 8 ^ table[(crc ^ *p++) & 0xff];
	return crc;
}

void *memchr_inv(const void *data, int c, size_t len)
{
	const u8 *p = data;

	for (; len; len--, p++)
		if (*p != (u8)c)
			return (void *)p;
	return NULL;
}

void *rmr_zalloc(size_t size, gfp_t gfp)
{
	void *p;

	(void)gfp;
	if (!rmr_memory.fail_after)
		return NULL;
	if (rmr_memory.fail_after > 0)
		rmr_memory.fail_after--;
	p = calloc(1, size);
	if (!p)
		return NULL;
	rmr_memory.bytes += malloc_usable_size(p);
	rmr_memory.objects++;
	return p;
}

void rmr_free(const void *p)
{
	if (!p)
		return;
	rmr_memory.bytes -= malloc_usable_size((void *)p);
	rmr_memory.objects--;
	free((void *)p);
}
