/* SPDX-License-Identifier: GPL-2.0-only */
/* Connections between storage nodes. Process context. */
#ifndef RMR_SRV_LINK_H
#define RMR_SRV_LINK_H

#include "srv-pri.h"

struct rmr_srv_link;

/* The link to an address with a reference, or NULL without memory. */
struct rmr_srv_link *rmr_srv_link_get(const char *addr);
/* Sleeps; the last one closes the connection. NULL is allowed. */
bool rmr_srv_link_is(const struct rmr_srv_link *link, const char *addr);
void rmr_srv_link_put(struct rmr_srv_link *link);
bool rmr_srv_link_ready(struct rmr_srv_link *link);
int rmr_srv_link_call(struct rmr_srv_link *link, const void *msg, size_t len, void *rsp,
		      size_t rsp_len);
int rmr_srv_link_module_init(void);
void rmr_srv_link_module_exit(void);

#endif /* RMR_SRV_LINK_H */
