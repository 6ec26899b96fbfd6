// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module that carries the KUnit suites of the pure core. Loading it runs them; their results
 * are in the kernel log and in debugfs. It owns nothing.
 */
#include <linux/module.h>

MODULE_DESCRIPTION("KUnit suites of the replicated pool's pure core");
MODULE_LICENSE("GPL");
