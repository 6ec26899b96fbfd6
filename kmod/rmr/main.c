// SPDX-License-Identifier: GPL-2.0-only
/*
 * rmr.ko: what client and storage side share. Owns the registry of transports, the registration
 * of the two control sides and the netlink family. All in process context.
 *
 * Locks: registry_lock (mutex) guards the lists and the two control pointers; a user of an entry
 * holds a reference on its module, so the entry outlives the lock.
 */
#include <linux/init.h>
#include <linux/kmod.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/random.h>
#include <linux/timekeeping.h>
#include <linux/unaligned.h>
#include <linux/uuid.h>

#include "rmr-pri.h"

static DEFINE_MUTEX(registry_lock);
static LIST_HEAD(clt_transports);
static LIST_HEAD(srv_transports);
static struct rmr_srv_ctl *srv_ctl;
static struct rmr_clt_ctl *clt_ctl;
static u64 boot_id;

u64 rmr_boot_id(void)
{
	return boot_id;
}
EXPORT_SYMBOL_GPL(rmr_boot_id);

/* A random UUID of version 7: its first 48 bits are the milliseconds since 1970 at its making. */
void rmr_lineage_new(u8 lineage[RMR_UUID_LEN])
{
	u64 ms = div_u64(ktime_get_real_ns(), NSEC_PER_MSEC);

	generate_random_uuid(lineage);
	put_unaligned_be32(ms >> 16, lineage);
	put_unaligned_be16(ms, lineage + 4);
	lineage[6] = (lineage[6] & 0x0f) | 0x70;
}
EXPORT_SYMBOL_GPL(rmr_lineage_new);

int rmr_transport_clt_register(struct rmr_transport_clt *tp)
{
	mutex_lock(&registry_lock);
	list_add_tail(&tp->entry, &clt_transports);
	mutex_unlock(&registry_lock);
	return 0;
}
EXPORT_SYMBOL_GPL(rmr_transport_clt_register);

void rmr_transport_clt_unregister(struct rmr_transport_clt *tp)
{
	mutex_lock(&registry_lock);
	list_del(&tp->entry);
	mutex_unlock(&registry_lock);
}
EXPORT_SYMBOL_GPL(rmr_transport_clt_unregister);

int rmr_transport_srv_register(struct rmr_transport_srv *tp)
{
	mutex_lock(&registry_lock);
	list_add_tail(&tp->entry, &srv_transports);
	mutex_unlock(&registry_lock);
	return 0;
}
EXPORT_SYMBOL_GPL(rmr_transport_srv_register);

void rmr_transport_srv_unregister(struct rmr_transport_srv *tp)
{
	mutex_lock(&registry_lock);
	list_del(&tp->entry);
	mutex_unlock(&registry_lock);
}
EXPORT_SYMBOL_GPL(rmr_transport_srv_unregister);

static struct rmr_transport_clt *transport_clt_find(const char *name)
{
	struct rmr_transport_clt *tp, *found = NULL;

	mutex_lock(&registry_lock);
	list_for_each_entry(tp, &clt_transports, entry) {
		if (!strcmp(tp->name, name) && try_module_get(tp->owner)) {
			found = tp;
			break;
		}
	}
	mutex_unlock(&registry_lock);
	return found;
}

/**
 * rmr_transport_clt_get - client half of a transport, with a reference on its module
 * @name: "rtrs" or "loop"
 *
 * Return: the transport, or NULL if there is none even after loading its module.
 */
struct rmr_transport_clt *rmr_transport_clt_get(const char *name)
{
	struct rmr_transport_clt *tp = transport_clt_find(name);

	if (!tp) {
		request_module("rmr-transport-clt-%s", name);
		tp = transport_clt_find(name);
	}
	return tp;
}
EXPORT_SYMBOL_GPL(rmr_transport_clt_get);

void rmr_transport_clt_put(struct rmr_transport_clt *tp)
{
	module_put(tp->owner);
}
EXPORT_SYMBOL_GPL(rmr_transport_clt_put);

static struct rmr_transport_srv *transport_srv_find(const char *name)
{
	struct rmr_transport_srv *tp, *found = NULL;

	mutex_lock(&registry_lock);
	list_for_each_entry(tp, &srv_transports, entry) {
		if (!strcmp(tp->name, name) && try_module_get(tp->owner)) {
			found = tp;
			break;
		}
	}
	mutex_unlock(&registry_lock);
	return found;
}

/**
 * rmr_transport_srv_get - server half of a transport, with a reference on its module
 * @name: "rtrs" or "loop"
 *
 * Return: the transport, or NULL if there is none even after loading its module.
 */
struct rmr_transport_srv *rmr_transport_srv_get(const char *name)
{
	struct rmr_transport_srv *tp = transport_srv_find(name);

	if (!tp) {
		request_module("rmr-transport-srv-%s", name);
		tp = transport_srv_find(name);
	}
	return tp;
}
EXPORT_SYMBOL_GPL(rmr_transport_srv_get);

void rmr_transport_srv_put(struct rmr_transport_srv *tp)
{
	module_put(tp->owner);
}
EXPORT_SYMBOL_GPL(rmr_transport_srv_put);

int rmr_srv_ctl_register(struct rmr_srv_ctl *ctl)
{
	mutex_lock(&registry_lock);
	srv_ctl = ctl;
	mutex_unlock(&registry_lock);
	return 0;
}
EXPORT_SYMBOL_GPL(rmr_srv_ctl_register);

void rmr_srv_ctl_unregister(struct rmr_srv_ctl *ctl)
{
	mutex_lock(&registry_lock);
	srv_ctl = NULL;
	mutex_unlock(&registry_lock);
}
EXPORT_SYMBOL_GPL(rmr_srv_ctl_unregister);

int rmr_clt_ctl_register(struct rmr_clt_ctl *ctl)
{
	mutex_lock(&registry_lock);
	clt_ctl = ctl;
	mutex_unlock(&registry_lock);
	return 0;
}
EXPORT_SYMBOL_GPL(rmr_clt_ctl_register);

void rmr_clt_ctl_unregister(struct rmr_clt_ctl *ctl)
{
	mutex_lock(&registry_lock);
	clt_ctl = NULL;
	mutex_unlock(&registry_lock);
}
EXPORT_SYMBOL_GPL(rmr_clt_ctl_unregister);

struct rmr_srv_ctl *rmr_srv_ctl_get(void)
{
	struct rmr_srv_ctl *ctl;

	mutex_lock(&registry_lock);
	ctl = srv_ctl;
	if (ctl && !try_module_get(ctl->owner))
		ctl = NULL;
	mutex_unlock(&registry_lock);
	return ctl;
}

struct rmr_clt_ctl *rmr_clt_ctl_get(void)
{
	struct rmr_clt_ctl *ctl;

	mutex_lock(&registry_lock);
	ctl = clt_ctl;
	if (ctl && !try_module_get(ctl->owner))
		ctl = NULL;
	mutex_unlock(&registry_lock);
	return ctl;
}

static int __init rmr_init(void)
{
	do {
		boot_id = get_random_u64();
	} while (!boot_id);
	return genl_register_family(&rmr_nl_family);
}

static void __exit rmr_exit(void)
{
	genl_unregister_family(&rmr_nl_family);
}

module_init(rmr_init);
module_exit(rmr_exit);

MODULE_DESCRIPTION("Reliable multicast replication: core");
MODULE_LICENSE("GPL");
MODULE_ALIAS_GENL_FAMILY(RMR_FAMILY_NAME);
