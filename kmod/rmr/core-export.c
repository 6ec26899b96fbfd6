// SPDX-License-Identifier: GPL-2.0-only
/* What the other modules use of the pure core, which itself knows nothing of modules. */
#include <linux/export.h>

#include "core/attach.h"
#include "core/blocks.h"
#include "core/damp.h"
#include "core/codec.h"
#include "core/errs.h"
#include "core/hist.h"
#include "core/intent.h"
#include "core/leg.h"
#include "core/limits.h"
#include "core/map.h"
#include "core/plan.h"
#include "core/rate.h"
#include "core/read.h"
#include "core/table.h"
#include "core/verify.h"
#include "core/view.h"
#include "core/window.h"

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
EXPORT_SYMBOL_GPL(rmr_pool_size_check);
EXPORT_SYMBOL_GPL(rmr_resize_rule);
EXPORT_SYMBOL_GPL(rmr_sb_split);
EXPORT_SYMBOL_GPL(rmr_sb_room_max);
EXPORT_SYMBOL_GPL(rmr_sb_device_check);
EXPORT_SYMBOL_GPL(rmr_stub_off);
EXPORT_SYMBOL_GPL(rmr_stub_fill);
EXPORT_SYMBOL_GPL(rmr_stub_check);
EXPORT_SYMBOL_GPL(rmr_sb_check);
EXPORT_SYMBOL_GPL(rmr_sb_seal);
EXPORT_SYMBOL_GPL(rmr_sb_choose);
EXPORT_SYMBOL_GPL(rmr_map_sector_init);
EXPORT_SYMBOL_GPL(rmr_map_sector_seal);
EXPORT_SYMBOL_GPL(rmr_map_sector_check);
EXPORT_SYMBOL_GPL(rmr_msg_check);
EXPORT_SYMBOL_GPL(rmr_rsp_hello_check);
EXPORT_SYMBOL_GPL(rmr_rsp_pool_check);
EXPORT_SYMBOL_GPL(rmr_rsp_keepalive_check);
EXPORT_SYMBOL_GPL(rmr_rsp_map_pull_check);
EXPORT_SYMBOL_GPL(rmr_rsp_list_check);
EXPORT_SYMBOL_GPL(rmr_rsp_fine_check);
EXPORT_SYMBOL_GPL(rmr_rsp_digest_check);
EXPORT_SYMBOL_GPL(rmr_msg_name);
EXPORT_SYMBOL_GPL(rmr_op_name);
EXPORT_SYMBOL_GPL(rmr_tree_find);
EXPORT_SYMBOL_GPL(rmr_tree_from);
EXPORT_SYMBOL_GPL(rmr_tree_next);

EXPORT_SYMBOL_GPL(rmr_map_init);
EXPORT_SYMBOL_GPL(rmr_map_destroy);
EXPORT_SYMBOL_GPL(rmr_map_spare);
EXPORT_SYMBOL_GPL(rmr_map_resize);
EXPORT_SYMBOL_GPL(rmr_plan_resize);
EXPORT_SYMBOL_GPL(rmr_map_get);
EXPORT_SYMBOL_GPL(rmr_map_set);
EXPORT_SYMBOL_GPL(rmr_map_set_all);
EXPORT_SYMBOL_GPL(rmr_map_clear);
EXPORT_SYMBOL_GPL(rmr_map_merge);
EXPORT_SYMBOL_GPL(rmr_map_next);
EXPORT_SYMBOL_GPL(rmr_map_count);
EXPORT_SYMBOL_GPL(rmr_map_any);
EXPORT_SYMBOL_GPL(rmr_map_stable);
EXPORT_SYMBOL_GPL(rmr_map_next_pending);
EXPORT_SYMBOL_GPL(rmr_map_mark);
EXPORT_SYMBOL_GPL(rmr_map_fill);
EXPORT_SYMBOL_GPL(rmr_map_has_fill);
EXPORT_SYMBOL_GPL(rmr_map_fill_load);
EXPORT_SYMBOL_GPL(rmr_map_fill_pending);
EXPORT_SYMBOL_GPL(rmr_map_fill_put);
EXPORT_SYMBOL_GPL(rmr_map_fill_written);
EXPORT_SYMBOL_GPL(rmr_map_fill_advance);
EXPORT_SYMBOL_GPL(rmr_map_image);
EXPORT_SYMBOL_GPL(rmr_map_persisted);
EXPORT_SYMBOL_GPL(rmr_map_load);
EXPORT_SYMBOL_GPL(rmr_map_next_pending_block);
EXPORT_SYMBOL_GPL(rmr_map_block_image);
EXPORT_SYMBOL_GPL(rmr_map_block_persisted);
EXPORT_SYMBOL_GPL(rmr_map_block_load);

EXPORT_SYMBOL_GPL(rmr_blocks_init);
EXPORT_SYMBOL_GPL(rmr_blocks_reset);
EXPORT_SYMBOL_GPL(rmr_blocks_add);
EXPORT_SYMBOL_GPL(rmr_blocks_remove);
EXPORT_SYMBOL_GPL(rmr_blocks_drop);
EXPORT_SYMBOL_GPL(rmr_blocks_has);
EXPORT_SYMBOL_GPL(rmr_blocks_known);
EXPORT_SYMBOL_GPL(rmr_blocks_next);
EXPORT_SYMBOL_GPL(rmr_fine_note);

EXPORT_SYMBOL_GPL(rmr_intents_init);
EXPORT_SYMBOL_GPL(rmr_intents_reset);
EXPORT_SYMBOL_GPL(rmr_intent_begin);
EXPORT_SYMBOL_GPL(rmr_intent_applied);
EXPORT_SYMBOL_GPL(rmr_intents_flush_start);
EXPORT_SYMBOL_GPL(rmr_intents_flushed);
EXPORT_SYMBOL_GPL(rmr_intents_next_clearable);
EXPORT_SYMBOL_GPL(rmr_intent_cleared);
EXPORT_SYMBOL_GPL(rmr_intents_hold);
EXPORT_SYMBOL_GPL(rmr_intent_restore);
EXPORT_SYMBOL_GPL(rmr_intents_release);

EXPORT_SYMBOL_GPL(rmr_window_init);
EXPORT_SYMBOL_GPL(rmr_window_reset);
EXPORT_SYMBOL_GPL(rmr_window_arrive);
EXPORT_SYMBOL_GPL(rmr_window_answer);
EXPORT_SYMBOL_GPL(rmr_window_completed);
EXPORT_SYMBOL_GPL(rmr_window_newest);
EXPORT_SYMBOL_GPL(rmr_window_next_uncertain);
EXPORT_SYMBOL_GPL(rmr_window_touches);

EXPORT_SYMBOL_GPL(rmr_plan_init);
EXPORT_SYMBOL_GPL(rmr_plan_destroy);
EXPORT_SYMBOL_GPL(rmr_plan_reset);
EXPORT_SYMBOL_GPL(rmr_plan_add);
EXPORT_SYMBOL_GPL(rmr_plan_add_map);
EXPORT_SYMBOL_GPL(rmr_plan_lacks);
EXPORT_SYMBOL_GPL(rmr_plan_next_lacked);
EXPORT_SYMBOL_GPL(rmr_plan_next);
EXPORT_SYMBOL_GPL(rmr_plan_valid);
EXPORT_SYMBOL_GPL(rmr_plan_done);
EXPORT_SYMBOL_GPL(rmr_plan_fail);
EXPORT_SYMBOL_GPL(rmr_plan_run);
EXPORT_SYMBOL_GPL(rmr_plan_missed);

EXPORT_SYMBOL_GPL(rmr_majority);
EXPORT_SYMBOL_GPL(rmr_view_established);
EXPORT_SYMBOL_GPL(rmr_lease_holds);
EXPORT_SYMBOL_GPL(rmr_view_next);
EXPORT_SYMBOL_GPL(rmr_view_told);
EXPORT_SYMBOL_GPL(rmr_viewmaker_init);
EXPORT_SYMBOL_GPL(rmr_viewmaker_settled);
EXPORT_SYMBOL_GPL(rmr_viewmaker_sending);
EXPORT_SYMBOL_GPL(rmr_viewmaker_targets);
EXPORT_SYMBOL_GPL(rmr_viewmaker_lose);
EXPORT_SYMBOL_GPL(rmr_viewmaker_grow);
EXPORT_SYMBOL_GPL(rmr_viewmaker_persisted);
EXPORT_SYMBOL_GPL(rmr_may_promise);
EXPORT_SYMBOL_GPL(rmr_epoch_next);
EXPORT_SYMBOL_GPL(rmr_attach_decide);
EXPORT_SYMBOL_GPL(rmr_attach_force);
EXPORT_SYMBOL_GPL(rmr_lineage_told);
EXPORT_SYMBOL_GPL(rmr_viewmaker_tell);
EXPORT_SYMBOL_GPL(rmr_leg_next);
EXPORT_SYMBOL_GPL(rmr_leg_state_name);
EXPORT_SYMBOL_GPL(rmr_leg_event_name);
EXPORT_SYMBOL_GPL(rmr_may_promote);
EXPORT_SYMBOL_GPL(rmr_read_legs);
EXPORT_SYMBOL_GPL(rmr_resync_sources);
EXPORT_SYMBOL_GPL(rmr_may_serve);
EXPORT_SYMBOL_GPL(rmr_read_cost);
EXPORT_SYMBOL_GPL(rmr_read_choose);
EXPORT_SYMBOL_GPL(rmr_latency_note);
EXPORT_SYMBOL_GPL(rmr_latency_forget);
EXPORT_SYMBOL_GPL(rmr_limits_narrow);
EXPORT_SYMBOL_GPL(rmr_rate_step);
EXPORT_SYMBOL_GPL(rmr_rate_rest_ns);
EXPORT_SYMBOL_GPL(rmr_damp_next);
EXPORT_SYMBOL_GPL(rmr_damp_lost);
EXPORT_SYMBOL_GPL(rmr_damp_force);
EXPORT_SYMBOL_GPL(rmr_damp_pass);
EXPORT_SYMBOL_GPL(rmr_damp_left);
EXPORT_SYMBOL_GPL(rmr_slot_stores);
EXPORT_SYMBOL_GPL(rmr_slot_same_store);
EXPORT_SYMBOL_GPL(rmr_slot_free);
EXPORT_SYMBOL_GPL(rmr_slot_claim_generation);
EXPORT_SYMBOL_GPL(rmr_slot_wish_check);
EXPORT_SYMBOL_GPL(rmr_table_sum);
EXPORT_SYMBOL_GPL(rmr_table_voters);
EXPORT_SYMBOL_GPL(rmr_table_merge);
EXPORT_SYMBOL_GPL(rmr_table_identity);
EXPORT_SYMBOL_GPL(rmr_table_complete);
EXPORT_SYMBOL_GPL(rmr_table_next);
EXPORT_SYMBOL_GPL(rmr_identity_name);
EXPORT_SYMBOL_GPL(rmr_table_may_join);
EXPORT_SYMBOL_GPL(rmr_verify_counts);
EXPORT_SYMBOL_GPL(rmr_verify_outvoted);
EXPORT_SYMBOL_GPL(rmr_errs_next);
EXPORT_SYMBOL_GPL(rmr_errs_failed);
EXPORT_SYMBOL_GPL(rmr_errs_pass);
EXPORT_SYMBOL_GPL(rmr_errs_forgive);
EXPORT_SYMBOL_GPL(rmr_slot_told);
EXPORT_SYMBOL_GPL(rmr_slot_wished);
EXPORT_SYMBOL_GPL(rmr_slot_succeeded);
EXPORT_SYMBOL_GPL(rmr_slot_tell);
EXPORT_SYMBOL_GPL(rmr_table_succeeds);
EXPORT_SYMBOL_GPL(rmr_table_place);
EXPORT_SYMBOL_GPL(rmr_hist_bucket);
EXPORT_SYMBOL_GPL(rmr_hist_op);
