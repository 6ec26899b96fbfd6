// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ordered sets over the red-black tree of the surroundings; see tree.h.
 */
#include "tree.h"

static struct rmr_tree_node *node_of(struct rb_node *rb)
{
	return rb ? rb_entry(rb, struct rmr_tree_node, rb) : NULL;
}

struct rmr_tree_node *rmr_tree_from(const struct rmr_tree *tree, u64 key)
{
	struct rb_node *rb = tree->root.rb_node;
	struct rmr_tree_node *best = NULL;

	while (rb) {
		struct rmr_tree_node *node = node_of(rb);

		if (node->key < key) {
			rb = rb->rb_right;
			continue;
		}
		best = node;
		if (node->key == key)
			break;
		rb = rb->rb_left;
	}
	return best;
}

struct rmr_tree_node *rmr_tree_find(const struct rmr_tree *tree, u64 key)
{
	struct rmr_tree_node *node = rmr_tree_from(tree, key);

	return node && node->key == key ? node : NULL;
}

void rmr_tree_add(struct rmr_tree *tree, struct rmr_tree_node *node)
{
	struct rb_node **link = &tree->root.rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = node->key < node_of(parent)->key ? &parent->rb_left : &parent->rb_right;
	}
	rb_link_node(&node->rb, parent, link);
	rb_insert_color(&node->rb, &tree->root);
	tree->count++;
}

void rmr_tree_remove(struct rmr_tree *tree, struct rmr_tree_node *node)
{
	rb_erase(&node->rb, &tree->root);
	tree->count--;
}

struct rmr_tree_node *rmr_tree_next(const struct rmr_tree_node *node)
{
	return node_of(rb_next(&node->rb));
}
