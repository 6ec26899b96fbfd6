// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations of the driver on the wire and disk formats. A structure that passes its check is printed
 * as the core would write it, anything else as the errno and the field.
 */
#include <stdlib.h>

#include "codec.h"
#include "driver.h"

#define BUF_SIZE	16384

/* The exact length, so that a sanitizer sees any byte read behind it. */
static void *load(const char *text, size_t *len)
{
	static u8 buf[BUF_SIZE];
	u8 *p;

	*len = driver_hex(text, buf, sizeof(buf));
	p = malloc(*len ? *len : 1);
	if (!p)
		driver_die("memory", text);
	memcpy(p, buf, *len);
	return p;
}

static void answer(int err, const struct rmr_fault *fault, const void *data, size_t len)
{
	if (err)
		printf("%d %s", err, fault->field);
	else
		driver_print_hex(data, len);
}

static void rewrite_view(struct rmr_view_le *le)
{
	struct rmr_view view;

	rmr_view_get(&view, le);
	rmr_view_put(le, &view);
}

static void sb(const struct driver_args *a)
{
	struct rmr_fault fault = { .field = "length" };
	int err = -EINVAL;
	size_t len;
	struct rmr_sb *s = load(a->text[1], &len);

	if (len == sizeof(*s))
		err = rmr_sb_check(s, a->num[0], &fault);
	if (!err) {
		rewrite_view(&s->view);
		s->crc32c = 0;
		rmr_sb_seal(s);
	}
	answer(err, &fault, s, len);
	free(s);
}

static void sector(const struct driver_args *a)
{
	struct rmr_fault fault = { .field = "length" };
	struct rmr_map_sector out;
	int err = -EINVAL;
	size_t len;
	struct rmr_map_sector *s = load(a->text[2], &len);

	if (len == sizeof(*s))
		err = rmr_map_sector_check(s, a->num[0], a->num[1], &fault);
	if (!err) {
		rmr_map_sector_init(&out, a->num[0], a->num[1]);
		memcpy(out.chunk, s->chunk, sizeof(out.chunk));
		rmr_map_sector_seal(&out);
		*s = out;
	}
	answer(err, &fault, s, len);
	free(s);
}

static void msg(const struct driver_args *a)
{
	struct rmr_fault fault = { 0 };
	size_t len;
	void *m = load(a->text[0], &len);
	int err = rmr_msg_check(m, len, &fault);

	if (!err && le16_to_cpu(((struct rmr_msg_hdr *)m)->type) == RMR_MSG_VIEW)
		rewrite_view(&((struct rmr_msg_view *)m)->view);
	answer(err, &fault, m, len);
	free(m);
}

static void rsp_hello(const struct driver_args *a)
{
	struct rmr_fault fault = { 0 };
	size_t len;
	void *m = load(a->text[0], &len);

	answer(rmr_rsp_hello_check(m, len, &fault), &fault, m, len);
	free(m);
}

static void rsp_pool(const struct driver_args *a)
{
	struct rmr_fault fault = { 0 };
	size_t len;
	struct rmr_rsp_pool *m = load(a->text[0], &len);
	int err = rmr_rsp_pool_check(m, len, &fault);

	if (!err)
		rewrite_view(&m->view);
	answer(err, &fault, m, len);
	free(m);
}

/* The checks of answers that repeat what was asked. */
static void paged(const struct driver_args *a,
		  int (*check)(const void *rsp, size_t len, u64 asked, struct rmr_fault *fault))
{
	struct rmr_fault fault = { 0 };
	size_t len;
	void *m = load(a->text[1], &len);

	answer(check(m, len, a->num[0], &fault), &fault, m, len);
	free(m);
}

static void rsp_map_pull(const struct driver_args *a)
{
	paged(a, rmr_rsp_map_pull_check);
}

static void rsp_list(const struct driver_args *a)
{
	paged(a, rmr_rsp_list_check);
}

static void rsp_fine(const struct driver_args *a)
{
	paged(a, rmr_rsp_fine_check);
}

static void rsp_digest(const struct driver_args *a)
{
	paged(a, rmr_rsp_digest_check);
}

static void rsp_keepalive(const struct driver_args *a)
{
	struct rmr_fault fault = { 0 };
	size_t len;
	void *m = load(a->text[0], &len);

	answer(rmr_rsp_keepalive_check(m, len, &fault), &fault, m, len);
	free(m);
}

static void layout(const struct driver_args *a)
{
	u64 store = a->num[0], size = rmr_pool_size_max(store, a->num[1]);

	printf("%llu", (unsigned long long)size);
	if (size)
		printf(" %llu %llu", (unsigned long long)rmr_chunks(size, a->num[1]),
		       (unsigned long long)rmr_map_len(rmr_chunks(size, a->num[1])));
}

const struct driver_op driver_codec_ops[] = {
	{ "sb", 2, sb },
	{ "sector", 3, sector },
	{ "msg", 1, msg },
	{ "rsp_hello", 1, rsp_hello },
	{ "rsp_pool", 1, rsp_pool },
	{ "rsp_map_pull", 2, rsp_map_pull },
	{ "rsp_list", 2, rsp_list },
	{ "rsp_fine", 2, rsp_fine },
	{ "rsp_digest", 2, rsp_digest },
	{ "rsp_keepalive", 1, rsp_keepalive },
	{ "layout", 2, layout },
	{ 0 }
};
