/* SPDX-License-Identifier: GPL-2.0-only */
/* Internal to rmr.ko: what main.c and genl.c share. */
#ifndef RMR_PRI_H
#define RMR_PRI_H

#include <rmr/rmr.h>
#include "genl-gen.h"

/* main.c: the registered side with a reference on its module, or NULL. */
struct rmr_srv_ctl *rmr_srv_ctl_get(void);
struct rmr_clt_ctl *rmr_clt_ctl_get(void);

#endif /* RMR_PRI_H */
