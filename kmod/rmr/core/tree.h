/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ordered sets of objects with a 64-bit key. The node is part of the object, so nothing here
 * allocates. No locks: the owner of the set serialises the calls. Any context.
 */
#ifndef RMR_TREE_H
#define RMR_TREE_H

#include "port.h"

struct rmr_tree_node {
	struct rb_node	rb;
	u64		key;
};

struct rmr_tree {
	struct rb_root	root;
	u64		count;
};

/* The node with this key, or NULL. */
struct rmr_tree_node *rmr_tree_find(const struct rmr_tree *tree, u64 key);
/* The node with the lowest key of at least key, or NULL. */
struct rmr_tree_node *rmr_tree_from(const struct rmr_tree *tree, u64 key);
/* Puts a node in, whose key must be set and not be there yet. */
void rmr_tree_add(struct rmr_tree *tree, struct rmr_tree_node *node);
void rmr_tree_remove(struct rmr_tree *tree, struct rmr_tree_node *node);
/* The node after this one, or NULL. */
struct rmr_tree_node *rmr_tree_next(const struct rmr_tree_node *node);

#endif /* RMR_TREE_H */
