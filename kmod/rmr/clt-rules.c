// SPDX-License-Identifier: GPL-2.0-only
/* Rules of views and of attach; see clt-rules.h. Pure. */
#include "clt-rules.h"

static bool within(u8 a, u8 b)
{
	return !(a & ~b);
}

static bool majority(const struct rmr_voters *v, u8 got)
{
	u8 all = v->data | v->witnesses;

	return !v->quorum || 2 * hweight8(got & all) > hweight8(all);
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
	return !rmr_view_cmp(&vm->proposed, &vm->established) && !vm->broken;
}

u8 rmr_viewmaker_sending(const struct rmr_viewmaker *vm)
{
	return rmr_view_active(&vm->established) & ~vm->ejected;
}

u8 rmr_viewmaker_targets(const struct rmr_viewmaker *vm)
{
	return (rmr_view_active(&vm->proposed) | vm->voters.data | vm->voters.witnesses) &
	       ~vm->persisted;
}

/* The view that follows the established one by the present change. */
static bool make_view(struct rmr_viewmaker *vm)
{
	struct rmr_view next = vm->established;
	u8 up = next.up_to_date & ~vm->ejected & ~vm->demoted;

	if (!up) {
		vm->broken = true;
		return false;
	}
	next.syncing |= next.up_to_date & vm->demoted;
	next.syncing = ((next.syncing & ~vm->ejected) | vm->joined) & ~vm->promoted;
	next.up_to_date = up | vm->promoted;
	next.number = ++vm->number;
	vm->proposed = next;
	vm->persisted = 0;
	return true;
}

bool rmr_viewmaker_lose(struct rmr_viewmaker *vm, u8 ejected, u8 demoted)
{
	u8 active = rmr_view_active(&vm->established);
	u8 was_ejected = vm->ejected, was_demoted = vm->demoted;
	bool grown = vm->joined || vm->promoted, repeated;

	vm->joined = 0;
	vm->promoted = 0;
	vm->ejected |= ejected & active;
	vm->demoted = (vm->demoted | (demoted & active)) & ~vm->ejected;
	/* Each MISSED makes a view of its own. */
	repeated = demoted & active & ~vm->ejected;
	if (vm->ejected == was_ejected && vm->demoted == was_demoted && !repeated && !grown)
		return false;
	return make_view(vm);
}

bool rmr_viewmaker_grow(struct rmr_viewmaker *vm, u8 joined, u8 promoted)
{
	if (!rmr_viewmaker_settled(vm))
		return false;
	joined &= ~rmr_view_active(&vm->established);
	promoted &= vm->established.syncing;
	if (!joined && !promoted)
		return false;
	vm->joined = joined;
	vm->promoted = promoted;
	return make_view(vm);
}

bool rmr_viewmaker_persisted(struct rmr_viewmaker *vm, u8 member, u64 number)
{
	if (number != vm->proposed.number || rmr_viewmaker_settled(vm) || vm->broken)
		return false;
	vm->persisted |= 1u << member;
	if (!within(rmr_view_active(&vm->proposed), vm->persisted) ||
	    !majority(&vm->voters, vm->persisted))
		return false;
	vm->established = vm->proposed;
	vm->ejected = 0;
	vm->demoted = 0;
	vm->joined = 0;
	vm->promoted = 0;
	return true;
}

bool rmr_may_promote(const struct rmr_promotion *f)
{
	return f->syncing && f->map_complete && !f->lacking && !f->missed_pending &&
	       within(f->others, f->cleared_on);
}

/* One source for all chunks, because two would leave nobody in U (F_SRCU, F_DEMOTE). */
static void reconcile(const struct rmr_voters *voters, u8 restarted, struct rmr_attachment *a)
{
	u8 candidates = a->first.up_to_date;

	if (candidates & ~restarted)
		candidates &= ~restarted;
	a->source = __builtin_ctz(candidates);
	a->marked = voters->data & ~(1u << a->source);
	a->demoted = a->first.up_to_date & ~(1u << a->source);
	if (!a->demoted)
		return;
	a->live.number++;
	a->live.up_to_date &= ~a->demoted;
	a->live.syncing |= a->demoted;
}

int rmr_attach_decide(const struct rmr_voters *voters, const struct rmr_epoch *epoch,
		      const struct rmr_promise *promises, unsigned int count,
		      struct rmr_attachment *a)
{
	bool uncertain = false, enough;
	u8 restarted = 0, up;
	unsigned int i;

	memset(a, 0, sizeof(*a));
	a->source = -1;
	for (i = 0; i < count; i++) {
		const struct rmr_promise *p = &promises[i];

		a->promised |= 1u << p->member;
		if (!a->highest.up_to_date || rmr_view_cmp(&p->view, &a->highest) > 0)
			a->highest = p->view;
		if (p->restarted)
			restarted |= 1u << p->member;
		uncertain = uncertain || p->uncertain;
	}
	for (i = 0; i < count; i++)
		if (memcmp(promises[i].view.lineage, a->highest.lineage, RMR_UUID_LEN))
			return -EMEDIUMTYPE;
	up = a->highest.up_to_date & a->promised;
	enough = voters->quorum ? majority(voters, a->promised) :
				  within(a->highest.up_to_date, a->promised);
	if (!enough || !up)
		return -ENOTCONN;
	a->must_wait = !within(rmr_view_active(&a->highest), a->promised);
	a->first = a->highest;
	a->first.epoch = *epoch;
	a->first.number = a->highest.number + 1;
	a->first.up_to_date = up;
	a->first.syncing = a->highest.syncing & a->promised;
	a->live = a->first;
	if (uncertain)
		reconcile(voters, restarted, a);
	return 0;
}
