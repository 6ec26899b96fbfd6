// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads operations on the pure core from stdin, one a line, and answers each with a line, for
 * comparison with the Go packages. See DRIVER.md. Objects belong to the files of the operations.
 */
#include <stdlib.h>

#include "driver.h"

#define LINE_SIZE	65536

void driver_die(const char *what, const char *arg)
{
	fprintf(stderr, "driver: %s: %s\n", what, arg);
	exit(2);
}

static const char digits[] = "0123456789abcdef";

static u8 nibble(char c, const char *text)
{
	const char *at = c ? strchr(digits, c) : NULL;

	if (!at)
		driver_die("bad hex", text);
	return at - digits;
}

size_t driver_hex(const char *text, void *buf, size_t size)
{
	size_t len = strlen(text) / 2, i;

	if (!strcmp(text, "-"))
		return 0;
	if (strlen(text) % 2 || len > size)
		driver_die("bad hex", text);
	for (i = 0; i < len; i++)
		((u8 *)buf)[i] = nibble(text[2 * i], text) << 4 | nibble(text[2 * i + 1], text);
	return len;
}

void driver_print_hex(const void *buf, size_t len)
{
	const u8 *p = buf;

	for (; len--; p++) {
		putchar(digits[*p >> 4]);
		putchar(digits[*p & 15]);
	}
}

static const struct driver_op *find(const char *name)
{
	static const struct driver_op * const tables[] = {
		driver_map_ops, driver_member_ops, driver_codec_ops, driver_view_ops,
		driver_table_ops,
	};
	const struct driver_op *op;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(tables); i++)
		for (op = tables[i]; op->name; op++)
			if (!strcmp(op->name, name))
				return op;
	driver_die("unknown operation", name);
}

static void run_line(char *line)
{
	const struct driver_op *op;
	struct driver_args a = { 0 };
	char *word, *rest;

	word = strtok_r(line, " \n", &rest);
	if (!word) {
		fflush(stdout);
		return;
	}
	op = find(word);
	while ((word = strtok_r(NULL, " \n", &rest))) {
		if (a.n == DRIVER_ARGS)
			driver_die("too many arguments", op->name);
		a.num[a.n] = strtoull(word, NULL, 10);
		a.text[a.n++] = word;
	}
	if (a.n != op->args)
		driver_die("wrong number of arguments", op->name);
	op->run(&a);
	putchar('\n');
}

int main(void)
{
	static char line[LINE_SIZE];

	while (fgets(line, sizeof(line), stdin)) {
		if (!strchr(line, '\n'))
			driver_die("line too long", "");
		run_line(line);
	}
	return 0;
}
