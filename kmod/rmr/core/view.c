// SPDX-License-Identifier: GPL-2.0-only
/*
 * Views and their succession; see view.h. No locks here.
 */
#include "view.h"

bool rmr_majority(const struct rmr_voters *voters, u8 got)
{
	u8 all = voters->data | voters->witnesses;

	return !voters->quorum || 2 * hweight8(got & all) > hweight8(all);
}

bool rmr_view_established(const struct rmr_voters *voters, const struct rmr_view *view,
			  u8 persisted)
{
	return view->up_to_date && rmr_mask_within(rmr_view_active(view), persisted) &&
	       rmr_majority(voters, persisted);
}

bool rmr_lease_holds(const struct rmr_voters *voters, const struct rmr_view *view, u8 fresh)
{
	if (voters->quorum)
		return rmr_majority(voters, fresh);
	return view->up_to_date && rmr_mask_within(view->up_to_date, fresh);
}

int rmr_view_next(const struct rmr_view *view, u64 number, const struct rmr_view_change *change,
		  struct rmr_view *next)
{
	u8 grow = change->joined | change->promoted, lost = change->ejected | change->demoted;
	u64 used = max(number, view->number);
	u8 up = view->up_to_date & ~lost, syncing;

	if ((grow & lost) || (change->joined & rmr_view_active(view)) ||
	    !rmr_mask_within(change->promoted, view->syncing))
		return -EINVAL;
	if (!up)
		return -ENODATA;
	if (used == U64_MAX)
		return -ERANGE;
	syncing = (view->syncing | (view->up_to_date & change->demoted)) & ~change->ejected;
	*next = *view;
	next->number = used + 1;
	next->syncing = (syncing | change->joined) & ~change->promoted;
	next->up_to_date = up | change->promoted;
	return 0;
}

static bool same_content(const struct rmr_view *a, const struct rmr_view *b)
{
	return a->up_to_date == b->up_to_date && a->syncing == b->syncing &&
	       !memcmp(a->lineage, b->lineage, RMR_UUID_LEN);
}

int rmr_view_told(const struct rmr_view *told, const struct rmr_view *mine,
		  const struct rmr_epoch *promised, u8 data)
{
	int order = rmr_view_cmp(told, mine);

	if (!told->up_to_date || (told->up_to_date & told->syncing) ||
	    !rmr_mask_within(rmr_view_active(told), data))
		return RMR_ST_MALFORMED;
	if (rmr_epoch_cmp(&told->epoch, promised) || order < 0)
		return RMR_ST_FENCED;
	if (order > 0)
		return 0;
	return same_content(told, mine) ? 1 : RMR_ST_FENCED;
}

bool rmr_lineage_told(const struct rmr_view *told, const struct rmr_view *mine, unsigned int self,
		      bool forced, bool discarded)
{
	if (discarded)
		return !rmr_mask_has(told->up_to_date, self);
	return !memcmp(told->lineage, mine->lineage, RMR_UUID_LEN) ||
	       (forced && rmr_mask_has(rmr_view_active(told), self));
}

void rmr_viewmaker_init(struct rmr_viewmaker *vm, const struct rmr_voters *voters,
			const struct rmr_view *established)
{
	memset(vm, 0, sizeof(*vm));
	vm->voters = *voters;
	vm->established = *established;
	vm->proposed = *established;
	vm->number = established->number;
	vm->persisted = rmr_view_active(established);
}

bool rmr_viewmaker_settled(const struct rmr_viewmaker *vm)
{
	return vm->proposed.number == vm->established.number && !vm->broken;
}

u8 rmr_viewmaker_sending(const struct rmr_viewmaker *vm)
{
	return rmr_view_active(&vm->established) & ~vm->change.ejected;
}

u8 rmr_viewmaker_targets(const struct rmr_viewmaker *vm)
{
	return (rmr_view_active(&vm->proposed) | vm->voters.data | vm->voters.witnesses) &
	       ~vm->persisted;
}

static bool propose(struct rmr_viewmaker *vm)
{
	if (rmr_view_next(&vm->established, vm->number, &vm->change, &vm->proposed)) {
		vm->broken = true;
		return false;
	}
	vm->number = vm->proposed.number;
	vm->persisted = 0;
	return true;
}

bool rmr_viewmaker_lose(struct rmr_viewmaker *vm, u8 ejected, u8 demoted)
{
	struct rmr_view_change was = vm->change;
	u8 active = rmr_view_active(&vm->established);
	bool grown = was.joined || was.promoted, repeated;

	vm->change.joined = 0;
	vm->change.promoted = 0;
	vm->change.ejected |= ejected & active;
	vm->change.demoted = (was.demoted | (demoted & active)) & ~vm->change.ejected;
	/* Each MISSED makes a view of its own. */
	repeated = demoted & active & ~vm->change.ejected;
	if (vm->change.ejected == was.ejected && vm->change.demoted == was.demoted && !grown &&
	    !repeated)
		return false;
	return propose(vm);
}

bool rmr_viewmaker_grow(struct rmr_viewmaker *vm, u8 joined, u8 promoted)
{
	if (!rmr_viewmaker_settled(vm))
		return false;
	joined &= ~rmr_view_active(&vm->established);
	promoted &= vm->established.syncing;
	vm->change = (struct rmr_view_change){ .joined = joined, .promoted = promoted };
	if (!joined && !promoted)
		return false;
	return propose(vm);
}

void rmr_viewmaker_tell(struct rmr_viewmaker *vm, u8 member)
{
	struct rmr_voters asked = vm->voters;

	vm->holders |= rmr_mask_of(member);
	asked.quorum = true;
	if (vm->regain && rmr_majority(&asked, vm->holders))
		vm->voters.quorum = true;
}

bool rmr_viewmaker_persisted(struct rmr_viewmaker *vm, u8 member, u64 number)
{
	if (number != vm->proposed.number || rmr_viewmaker_settled(vm) || vm->broken)
		return false;
	vm->persisted |= rmr_mask_of(member);
	if (!rmr_view_established(&vm->voters, &vm->proposed, vm->persisted))
		return false;
	vm->established = vm->proposed;
	vm->change = (struct rmr_view_change){ 0 };
	return true;
}
