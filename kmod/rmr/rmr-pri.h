/* SPDX-License-Identifier: GPL-2.0-only */
/* Internal to rmr.ko: what main.c and the files of the netlink family share. */
#ifndef RMR_PRI_H
#define RMR_PRI_H

#include <rmr/rmr.h>
#include "genl-gen.h"

/* main.c: the registered side with a reference on its module, or NULL. */
struct rmr_srv_ctl *rmr_srv_ctl_get(void);
struct rmr_clt_ctl *rmr_clt_ctl_get(void);

/* genl.c: one dump, see there. */
typedef int (*rmr_put_fn)(struct sk_buff *skb, const void *obj);
int rmr_nl_dump(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd, rmr_put_fn put,
		int (*next)(unsigned long *cursor, void *obj), void *obj);

/* genl.c, for its other files: the storage side or an error; -EINVAL. Both with an extack text. */
struct rmr_srv_ctl *rmr_nl_srv_ctl(struct netlink_ext_ack *extack);
int rmr_nl_missing(struct netlink_ext_ack *extack, const char *what);
typedef int (*rmr_nl_pool_act)(struct genl_info *info, struct rmr_srv_ctl *ctl,
			       struct rmr_pool_spec *spec);
int rmr_nl_pool_command(struct genl_info *info, rmr_nl_pool_act act);
int rmr_nl_named(struct genl_info *info, const struct rmr_pool_spec *spec);

/* genl-verify.c */
int rmr_nl_put_verify(struct sk_buff *skb, const struct rmr_pool_info *p);

#endif /* RMR_PRI_H */
