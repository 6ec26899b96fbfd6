// SPDX-License-Identifier: GPL-2.0-only
/* What the other modules use of the pure core, which itself knows nothing of modules. */
#include <linux/export.h>

#include "core/codec.h"

EXPORT_SYMBOL_GPL(rmr_epoch_cmp);
EXPORT_SYMBOL_GPL(rmr_view_cmp);
EXPORT_SYMBOL_GPL(rmr_epoch_get);
EXPORT_SYMBOL_GPL(rmr_epoch_put);
EXPORT_SYMBOL_GPL(rmr_view_get);
EXPORT_SYMBOL_GPL(rmr_view_put);
EXPORT_SYMBOL_GPL(rmr_chunks);
EXPORT_SYMBOL_GPL(rmr_map_len);
EXPORT_SYMBOL_GPL(rmr_map_off);
EXPORT_SYMBOL_GPL(rmr_pool_size_max);
EXPORT_SYMBOL_GPL(rmr_sb_off);
EXPORT_SYMBOL_GPL(rmr_name_check);
EXPORT_SYMBOL_GPL(rmr_node_name);
EXPORT_SYMBOL_GPL(rmr_chunk_size_check);
EXPORT_SYMBOL_GPL(rmr_sb_check);
EXPORT_SYMBOL_GPL(rmr_sb_seal);
EXPORT_SYMBOL_GPL(rmr_sb_choose);
EXPORT_SYMBOL_GPL(rmr_map_sector_init);
EXPORT_SYMBOL_GPL(rmr_map_sector_seal);
EXPORT_SYMBOL_GPL(rmr_map_sector_check);
EXPORT_SYMBOL_GPL(rmr_msg_check);
EXPORT_SYMBOL_GPL(rmr_rsp_hello_check);
EXPORT_SYMBOL_GPL(rmr_rsp_pool_check);
EXPORT_SYMBOL_GPL(rmr_msg_name);
EXPORT_SYMBOL_GPL(rmr_op_name);
