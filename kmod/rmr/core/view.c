// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules of epochs and views, and the view maker; see view.h. Pure, any context.
 */
#include "view.h"

static unsigned int count(u8 mask)
{
	return hweight8(mask);
}

bool rmr_may_promise(const struct rmr_epoch *promised, const struct rmr_epoch *asked)
{
	return rmr_epoch_cmp(asked, promised) > 0;
}

int rmr_epoch_next(struct rmr_epoch *next, const struct rmr_epoch *highest, u64 client)
{
	if (highest->seq == U64_MAX)
		return -ERANGE;
	next->seq = highest->seq + 1;
	next->client = client;
	return 0;
}

bool rmr_majority(const struct rmr_voters *voters, u8 got)
{
	u8 all = voters->data | voters->witnesses;

	return !voters->quorum || 2 * count(got & all) > count(all);
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

int rmr_view_next(struct rmr_view *next, const struct rmr_view *established, u64 number,
		  const struct rmr_change *change)
{
	u8 lost = change->ejected | change->demoted;
	u8 grown = change->joined | change->promoted;
	u8 u = established->up_to_date & ~lost;
	u8 y = (established->syncing | (established->up_to_date & change->demoted)) &
	       ~change->ejected;

	if ((grown & lost) || (change->joined & rmr_view_active(established)) ||
	    !rmr_mask_within(change->promoted, established->syncing))
		return -EINVAL;
	if (!u)
		return -ENOTCONN;
	number = max(number, established->number);
	if (number == U64_MAX)
		return -ERANGE;
	*next = *established;
	next->number = number + 1;
	next->up_to_date = u | change->promoted;
	next->syncing = (y | change->joined) & ~change->promoted;
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

/* ---- view maker ---- */

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
	return !vm->broken && !rmr_view_cmp(&vm->proposed, &vm->established);
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

static bool make_view(struct rmr_viewmaker *vm)
{
	if (rmr_view_next(&vm->proposed, &vm->established, vm->number, &vm->change)) {
		vm->broken = true;
		return false;
	}
	vm->number = vm->proposed.number;
	vm->persisted = 0;
	return true;
}

bool rmr_viewmaker_lose(struct rmr_viewmaker *vm, u8 ejected, u8 demoted)
{
	struct rmr_change *c = &vm->change, was = *c;
	u8 active = rmr_view_active(&vm->established);
	u8 missed;

	c->joined = 0;
	c->promoted = 0;
	c->ejected |= ejected & active;
	c->demoted = (c->demoted | (demoted & active)) & ~c->ejected;
	missed = demoted & active & ~c->ejected;
	if (!missed && !memcmp(c, &was, sizeof(was)))
		return false;
	return make_view(vm);
}

bool rmr_viewmaker_grow(struct rmr_viewmaker *vm, u8 joined, u8 promoted)
{
	joined &= ~rmr_view_active(&vm->established);
	promoted &= vm->established.syncing;
	if (!rmr_viewmaker_settled(vm) || !(joined | promoted))
		return false;
	vm->change = (struct rmr_change){ .joined = joined, .promoted = promoted };
	return make_view(vm);
}

bool rmr_viewmaker_persisted(struct rmr_viewmaker *vm, unsigned int member, u64 number)
{
	if (member >= RMR_MAX_MEMBERS || number != vm->proposed.number || vm->broken ||
	    rmr_viewmaker_settled(vm))
		return false;
	vm->persisted |= 1u << member;
	if (!rmr_view_established(&vm->voters, &vm->proposed, vm->persisted))
		return false;
	vm->established = vm->proposed;
	memset(&vm->change, 0, sizeof(vm->change));
	return true;
}
