/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RMR_PORT_H
#define RMR_PORT_H
#include <linux/types.h>
#include <linux/errno.h>
#include <linux/string.h>
#include <linux/unaligned.h>
#include <linux/crc32c.h>
#include <linux/log2.h>
#include <linux/math64.h>
#endif
