/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the driver share; the protocol is in DRIVER.md.
 */
#ifndef RMR_DRIVER_H
#define RMR_DRIVER_H

#include <stdio.h>

#include "port.h"

#define DRIVER_ARGS	12

struct driver_args {
	unsigned int n;
	char	*text[DRIVER_ARGS];
	u64	num[DRIVER_ARGS];	/* of those that are numbers */
};

struct driver_op {
	const char *name;
	unsigned int args;
	void	(*run)(const struct driver_args *a);	/* prints the answer without newline */
};

extern const struct driver_op driver_map_ops[];
extern const struct driver_op driver_member_ops[];
extern const struct driver_op driver_codec_ops[];
extern const struct driver_op driver_view_ops[];
extern const struct driver_op driver_table_ops[];

/* Ends the program with a message on stderr: the caller broke the protocol. */
void driver_die(const char *what, const char *arg) __attribute__((noreturn));
/* Bytes of a hex argument into a buffer of size bytes; "-" is none. Returns how many. */
size_t driver_hex(const char *text, void *buf, size_t size);
void driver_print_hex(const void *buf, size_t len);

#endif /* RMR_DRIVER_H */
