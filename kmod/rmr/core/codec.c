// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checks and conversions of the wire and disk formats; see codec.h. Pure, any context.
 */
#include "codec-pri.h"

/* Bytes; offsets and lengths of requests are multiples of it. */
#define IO_GRAIN	512u

/* Zero-terminated, zeros behind. Returns the length or -1. */
static int str_len(const char *s, size_t size)
{
	size_t n = strnlen(s, size);

	return n < size && all_zero(s + n, size - n) ? (int)n : -1;
}

int rmr_epoch_cmp(const struct rmr_epoch *a, const struct rmr_epoch *b)
{
	if (a->seq != b->seq)
		return a->seq < b->seq ? -1 : 1;
	if (a->client != b->client)
		return a->client < b->client ? -1 : 1;
	return 0;
}

int rmr_view_cmp(const struct rmr_view *a, const struct rmr_view *b)
{
	int c = rmr_epoch_cmp(&a->epoch, &b->epoch);

	if (c)
		return c;
	return a->number < b->number ? -1 : a->number > b->number;
}

void rmr_epoch_get(struct rmr_epoch *epoch, const struct rmr_epoch_le *le)
{
	epoch->seq = le64_to_cpu(le->seq);
	epoch->client = le64_to_cpu(le->client);
}

void rmr_epoch_put(struct rmr_epoch_le *le, const struct rmr_epoch *epoch)
{
	le->seq = cpu_to_le64(epoch->seq);
	le->client = cpu_to_le64(epoch->client);
}

void rmr_view_get(struct rmr_view *view, const struct rmr_view_le *le)
{
	rmr_epoch_get(&view->epoch, &le->epoch);
	view->number = le64_to_cpu(le->number);
	view->up_to_date = le->up_to_date;
	view->syncing = le->syncing;
	memcpy(view->lineage, le->lineage, RMR_UUID_LEN);
}

void rmr_view_put(struct rmr_view_le *le, const struct rmr_view *view)
{
	memset(le, 0, sizeof(*le));
	rmr_epoch_put(&le->epoch, &view->epoch);
	le->number = cpu_to_le64(view->number);
	le->up_to_date = view->up_to_date;
	le->syncing = view->syncing;
	memcpy(le->lineage, view->lineage, RMR_UUID_LEN);
}

u64 rmr_chunks(u64 pool_size, u32 chunk_size)
{
	return div_u64(pool_size + chunk_size - 1, chunk_size);
}

u64 rmr_map_len(u64 chunks)
{
	return div_u64(chunks + RMR_MAP_BLOCK_CHUNKS - 1, RMR_MAP_BLOCK_CHUNKS) * RMR_MD_BLOCK;
}

u64 rmr_map_off(u64 store_size, u64 map_len)
{
	return store_size - RMR_MD_TAIL - map_len;
}

u64 rmr_sb_off(u64 store_size, unsigned int copy)
{
	return store_size - (copy ? RMR_SB_COPY1_BACK : RMR_SB_COPY0_BACK);
}

/* Bytes of a pool and its map. */
static u64 with_map(u64 size, u32 chunk_size)
{
	return size + rmr_map_len(rmr_chunks(size, chunk_size));
}

u64 rmr_pool_size_max(u64 store_size, u32 chunk_size)
{
	u64 room, size;

	store_size &= ~(u64)(RMR_MD_BLOCK - 1);
	if (store_size < RMR_MD_TAIL + RMR_MD_BLOCK + RMR_POOL_SIZE_MIN)
		return 0;
	room = store_size - RMR_MD_TAIL;
	size = min_t(u64, room, RMR_POOL_SIZE_MAX);
	if (with_map(size, chunk_size) > room)
		size = room - rmr_map_len(rmr_chunks(size, chunk_size));
	/* That was the map of a larger pool; the blocks it has too many are few. */
	while (size < RMR_POOL_SIZE_MAX &&
	       with_map(size + RMR_BLOCK_SIZE, chunk_size) <= room)
		size += RMR_BLOCK_SIZE;
	return size < RMR_POOL_SIZE_MIN ? 0 : size;
}

/* A name in a field of RMR_NAME_LEN bytes; see rmr_name_check(). */
static int name_check(const char *name, size_t size, const char *field, struct rmr_fault *fault)
{
	int i, n = str_len(name, size);

	if (n < 1 || n >= (int)RMR_NAME_LEN)
		return refuse(fault, -EINVAL, field, "empty, too long or not terminated", 0);
	for (i = 0; i < n; i++) {
		char c = name[i];
		bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			  (c >= '0' && c <= '9') || c == '_' || (i && (c == '.' || c == '-'));

		if (!ok)
			return refuse(fault, -EINVAL, field, "odd character", (u8)c);
	}
	return 0;
}

int rmr_name_check(const char *name, size_t size, struct rmr_fault *fault)
{
	return name_check(name, size, "pool_name", fault);
}

void rmr_node_name(char node[RMR_NAME_LEN], const char *host)
{
	struct rmr_fault fault;
	size_t len = strnlen(host, RMR_NAME_LEN - 1);

	memset(node, 0, RMR_NAME_LEN);
	memcpy(node, host, len);
	if (!name_check(node, RMR_NAME_LEN, "node", &fault))
		return;
	memset(node, 0, RMR_NAME_LEN);
	memcpy(node, "unnamed", sizeof("unnamed"));
}

int rmr_chunk_size_check(u32 chunk_size, struct rmr_fault *fault)
{
	if (chunk_size < RMR_CHUNK_SIZE_MIN || chunk_size > RMR_CHUNK_SIZE_MAX ||
	    !is_power_of_2(chunk_size))
		return refuse(fault, -EINVAL, "chunk_size",
			      "not a power of two from 64 KiB to 16 MiB", chunk_size);
	return 0;
}

/* Of a terminated string; whether it is an address is the resolver's business. */
static bool printable(const char *s)
{
	for (; *s; s++)
		if (*s <= ' ' || *s > '~')
			return false;
	return true;
}

int rmr_sb_member_check(const struct rmr_sb_member *m, unsigned int id, struct rmr_fault *fault)
{
	unsigned int i;

	if (!all_zero(m->reserved, sizeof(m->reserved)))
		return refuse(fault, -EINVAL, "member.reserved", "not zero", 0);
	if (str_len(m->node, sizeof(m->node)) < 0)
		return refuse(fault, -EINVAL, "member.node", "not terminated or not padded", 0);
	for (i = 0; i < RMR_MEMBER_ADDRS; i++)
		if (str_len(m->addr[i], sizeof(m->addr[i])) < 0)
			return refuse(fault, -EINVAL, "member.addr", "not terminated or not padded",
				      i);
	if (m->state > RMR_MEMBER_WITNESS)
		return refuse(fault, -EINVAL, "member.state", "unknown", m->state);
	if (m->state == RMR_MEMBER_NONE) {
		if (!all_zero(m, offsetof(struct rmr_sb_member, generation)) ||
		    !all_zero(m->node, sizeof(m->node) + sizeof(m->addr)))
			return refuse(fault, -EINVAL, "member.state", "free slot not zero", 0);
		return 0;
	}
	if (m->flags & ~RMR_SLOT_F_ALL)
		return refuse(fault, -EINVAL, "member.flags", "unknown bits", m->flags);
	if (m->successor > RMR_MAX_MEMBERS || m->successor == id + 1)
		return refuse(fault, -EINVAL, "member.successor", "out of range or itself",
			      m->successor);
	if (m->successor && !(m->flags & RMR_SLOT_F_LEAVING))
		return refuse(fault, -EINVAL, "member.successor", "of a member that stays",
			      m->successor);
	if (all_zero(m->store_uuid, sizeof(m->store_uuid)))
		return refuse(fault, -EINVAL, "member.store_uuid", "zero", 0);
	if (name_check(m->node, sizeof(m->node), "member.node", fault))
		return -EINVAL;
	for (i = 0; i < RMR_MEMBER_ADDRS; i++)
		if (!printable(m->addr[i]))
			return refuse(fault, -EINVAL, "member.addr", "not printable", i);
	return 0;
}

/* What holds of every view, wherever it stands. */
static int view_fields_check(const struct rmr_view_le *view, struct rmr_fault *fault)
{
	if (!all_zero(view->reserved, sizeof(view->reserved)))
		return refuse(fault, -EINVAL, "view.reserved", "not zero", 0);
	if (view->up_to_date & view->syncing)
		return refuse(fault, -EINVAL, "view.syncing", "overlaps up_to_date", view->syncing);
	if (view->number && !view->up_to_date)
		return refuse(fault, -EINVAL, "view.up_to_date", "empty in a numbered view", 0);
	return 0;
}

/* View and slots, each by itself. */
static int members_check(const struct rmr_sb_member *member, const struct rmr_view_le *view,
			 struct rmr_fault *fault)
{
	int err = view_fields_check(view, fault);
	unsigned int i;

	for (i = 0; i < RMR_MAX_MEMBERS && !err; i++)
		err = rmr_sb_member_check(&member[i], i, fault);
	return err;
}

/* What view and promise say about the member table. */
static int told_check(const struct rmr_sb_member *member, const struct rmr_view_le *view,
		      const struct rmr_epoch_le *promised, struct rmr_fault *fault)
{
	struct rmr_epoch made, most;
	unsigned int i;
	u8 data = 0;

	/* A store may know that a slot changed before the view that says so. */
	for (i = 0; i < RMR_MAX_MEMBERS; i++)
		if (member[i].state == RMR_MEMBER_DATA || member[i].generation)
			data |= 1u << i;
	if (view->up_to_date & ~data)
		return refuse(fault, -EINVAL, "view.up_to_date", "names no data member",
			      view->up_to_date);
	if (view->syncing & ~data)
		return refuse(fault, -EINVAL, "view.syncing", "names no data member",
			      view->syncing);
	rmr_epoch_get(&made, &view->epoch);
	rmr_epoch_get(&most, promised);
	if (rmr_epoch_cmp(&made, &most) > 0)
		return refuse(fault, -EINVAL, "view.epoch", "newer than the promised one",
			      made.seq);
	return 0;
}

static int self_check(const struct rmr_sb_member *member, u8 id, const u8 *store_uuid,
		      struct rmr_fault *fault)
{
	if (all_zero(store_uuid, RMR_UUID_LEN))
		return refuse(fault, -EINVAL, "store_uuid", "zero", 0);
	if (id >= RMR_MAX_MEMBERS)
		return refuse(fault, -EINVAL, "member_id", "out of range", id);
	if (member[id].state == RMR_MEMBER_NONE)
		return refuse(fault, -EINVAL, "member_id", "own slot is free", id);
	if (memcmp(member[id].store_uuid, store_uuid, RMR_UUID_LEN))
		return refuse(fault, -EINVAL, "store_uuid", "differs from the own slot", id);
	return 0;
}

int rmr_pool_size_check(u64 size, struct rmr_fault *fault)
{
	if (size < RMR_POOL_SIZE_MIN || size > RMR_POOL_SIZE_MAX || (size & (RMR_BLOCK_SIZE - 1)))
		return refuse(fault, -EINVAL, "pool_size", "out of range or not in 4 KiB blocks",
			      size);
	return 0;
}

/* A store of superblocks alone. */
static int sb_witness_check(const struct rmr_sb *sb, struct rmr_fault *fault)
{
	if (sb->map_len)
		return refuse(fault, -EINVAL, "map_len", "a witness has no map",
			      le64_to_cpu(sb->map_len));
	if (sb->map_off)
		return refuse(fault, -EINVAL, "map_off", "a witness has no map",
			      le64_to_cpu(sb->map_off));
	if (le64_to_cpu(sb->store_size) < RMR_MD_TAIL)
		return refuse(fault, -EINVAL, "store_size", "too small for superblocks",
			      le64_to_cpu(sb->store_size));
	return 0;
}

static bool sb_is_witness(const struct rmr_sb *sb)
{
	return sb->member_id < RMR_MAX_MEMBERS &&
	       sb->member[sb->member_id].state == RMR_MEMBER_WITNESS;
}

static int sb_layout_check(const struct rmr_sb *sb, u64 store_size, struct rmr_fault *fault)
{
	u64 size = le64_to_cpu(sb->pool_size), map_len = le64_to_cpu(sb->map_len);
	u64 mine = le64_to_cpu(sb->store_size), map_off = le64_to_cpu(sb->map_off);

	if (rmr_pool_size_check(size, fault) ||
	    rmr_chunk_size_check(le32_to_cpu(sb->chunk_size), fault))
		return -EINVAL;
	if (mine != (store_size & ~(u64)(RMR_MD_BLOCK - 1)))
		return refuse(fault, -EINVAL, "store_size", "not the size of this store", mine);
	if (sb_is_witness(sb))
		return sb_witness_check(sb, fault);
	if (map_len != rmr_map_len(rmr_chunks(size, le32_to_cpu(sb->chunk_size))))
		return refuse(fault, -EINVAL, "map_len", "does not match the pool", map_len);
	if ((map_off & (RMR_MD_BLOCK - 1)) || (!rmr_sb_split(sb) && map_off < size) ||
	    mine < RMR_MD_TAIL || map_len > mine - RMR_MD_TAIL ||
	    map_off > mine - RMR_MD_TAIL - map_len)
		return refuse(fault, -EINVAL, "map_off", "overlaps data or superblocks", map_off);
	return 0;
}

int rmr_sb_check(const struct rmr_sb *sb, u64 store_size, struct rmr_fault *fault)
{
	int err;

	if (memcmp(sb->magic, RMR_SB_MAGIC, sizeof(sb->magic)))
		return refuse(fault, -ENODATA, "magic", "not a store", 0);
	if (~crc32c(~0u, sb, offsetof(struct rmr_sb, crc32c)) != le32_to_cpu(sb->crc32c))
		return refuse(fault, -EBADMSG, "crc32c", "does not match", le32_to_cpu(sb->crc32c));
	if (le32_to_cpu(sb->version) != RMR_SB_VERSION)
		return refuse(fault, -EPROTONOSUPPORT, "version", "unknown",
			      le32_to_cpu(sb->version));
	if (le64_to_cpu(sb->feat_incompat) & ~RMR_FEAT_INCOMPAT_KNOWN)
		return refuse(fault, -EPROTONOSUPPORT, "feat_incompat", "unknown bits",
			      le64_to_cpu(sb->feat_incompat));
	if (le32_to_cpu(sb->flags) & ~RMR_SB_F_ALL)
		return refuse(fault, -EINVAL, "flags", "unknown bits", le32_to_cpu(sb->flags));
	if (sb->on_error > RMR_SB_ON_ERROR_MAX)
		return refuse(fault, -EINVAL, "on_error", "unknown", sb->on_error);
	if (!all_zero(sb->reserved0, sizeof(sb->reserved0)))
		return refuse(fault, -EINVAL, "reserved0", "not zero", 0);
	if (!all_zero(sb->reserved1, sizeof(sb->reserved1)))
		return refuse(fault, -EINVAL, "reserved1", "not zero", 0);
	if (!all_zero(sb->reserved2, sizeof(sb->reserved2)))
		return refuse(fault, -EINVAL, "reserved2", "not zero", 0);
	if (!all_zero(sb->reserved3, sizeof(sb->reserved3)))
		return refuse(fault, -EINVAL, "reserved3", "not zero", 0);
	if (!sb->write_seq)
		return refuse(fault, -EINVAL, "write_seq", "zero", 0);
	if (sb->verify_differences && !sb->verified)
		return refuse(fault, -EINVAL, "verify_differences", "of no verify",
			      le64_to_cpu(sb->verify_differences));
	if (all_zero(sb->pool_uuid, sizeof(sb->pool_uuid)))
		return refuse(fault, -EINVAL, "pool_uuid", "zero", 0);
	err = rmr_name_check(sb->pool_name, sizeof(sb->pool_name), fault);
	/* The slots first: what the store has to be follows from its own one. */
	if (!err)
		err = members_check(sb->member, &sb->view, fault);
	if (!err)
		err = sb_layout_check(sb, store_size, fault);
	if (!err)
		err = rmr_sb_device_check(sb, sb_is_witness(sb), fault);
	if (!err)
		err = self_check(sb->member, sb->member_id, sb->store_uuid, fault);
	if (!err)
		err = told_check(sb->member, &sb->view, &sb->promised, fault);
	if (!err)
		err = rmr_sb_fill_check(sb, sb_is_witness(sb), fault);
	return err;
}

void rmr_sb_seal(struct rmr_sb *sb)
{
	sb->crc32c = cpu_to_le32(~crc32c(~0u, sb, offsetof(struct rmr_sb, crc32c)));
}

int rmr_sb_choose(const struct rmr_sb copy[RMR_SB_COPIES], u64 store_size, u8 *damaged,
		  struct rmr_fault *fault)
{
	int err[RMR_SB_COPIES], best = -1;
	struct rmr_fault f;
	unsigned int i;

	*damaged = 0;
	for (i = 0; i < RMR_SB_COPIES; i++) {
		err[i] = rmr_sb_check(&copy[i], store_size, &f);
		if (err[i]) {
			*damaged |= 1u << i;
			if (!i || err[0] == -ENODATA || !err[0])
				*fault = f;
		} else if (best < 0 || le64_to_cpu(copy[i].write_seq) >
				       le64_to_cpu(copy[best].write_seq)) {
			best = i;
		}
	}
	if (best >= 0)
		return best;
	return err[0] == -ENODATA ? err[1] : err[0];
}

void rmr_map_sector_init(struct rmr_map_sector *sector, u32 index, u32 tag)
{
	memset(sector, 0, sizeof(*sector));
	sector->magic = cpu_to_le32(RMR_MAP_MAGIC);
	sector->index = cpu_to_le32(index);
	sector->pool_tag = cpu_to_le32(tag);
}

static u32 sector_crc(const struct rmr_map_sector *sector)
{
	struct rmr_map_sector s = *sector;

	s.crc32c = 0;
	return ~crc32c(~0u, &s, sizeof(s));
}

void rmr_map_sector_seal(struct rmr_map_sector *sector)
{
	sector->crc32c = cpu_to_le32(sector_crc(sector));
}

int rmr_map_sector_check(const struct rmr_map_sector *sector, u32 index, u32 tag,
			 struct rmr_fault *fault)
{
	if (le32_to_cpu(sector->magic) != RMR_MAP_MAGIC)
		return refuse(fault, -ENODATA, "magic", "not a map sector",
			      le32_to_cpu(sector->magic));
	if (le32_to_cpu(sector->crc32c) != sector_crc(sector))
		return refuse(fault, -EBADMSG, "crc32c", "does not match",
			      le32_to_cpu(sector->crc32c));
	if (le32_to_cpu(sector->index) != index)
		return refuse(fault, -EINVAL, "index", "misplaced", le32_to_cpu(sector->index));
	if (le32_to_cpu(sector->pool_tag) != tag)
		return refuse(fault, -EINVAL, "pool_tag", "of another store",
			      le32_to_cpu(sector->pool_tag));
	return 0;
}

/* ---- messages ---- */

/* Offset and length of a request, and the numbers that only writes have. */
static int io_range_check(const struct rmr_msg_io *m, struct rmr_fault *fault)
{
	u64 offset = le64_to_cpu(m->offset), seq = le64_to_cpu(m->seq);
	bool flush = m->op == RMR_OP_FLUSH, write = !flush && m->op != RMR_OP_READ;
	u32 length = le32_to_cpu(m->length);

	if (flush && offset)
		return refuse(fault, -EPROTO, "offset", "not zero in FLUSH", offset);
	if (flush ? length : !length || length % IO_GRAIN)
		return refuse(fault, -EPROTO, "length", "does not fit the op or not in sectors",
			      length);
	if (offset & (IO_GRAIN - 1))
		return refuse(fault, -EPROTO, "offset", "not in sectors", offset);
	if (offset > RMR_POOL_SIZE_MAX - length)
		return refuse(fault, -EPROTO, "offset", "beyond the largest pool", offset);
	if (write != !!seq)
		return refuse(fault, -EPROTO, "seq", "missing or not wanted", seq);
	if (write && le64_to_cpu(m->completed_below) > seq)
		return refuse(fault, -EPROTO, "completed_below", "above the number of this write",
			      le64_to_cpu(m->completed_below));
	if (!write && m->missing)
		return refuse(fault, -EPROTO, "missing", "not zero in a read or flush", m->missing);
	return 0;
}

static int io_check(const void *data, struct rmr_fault *fault)
{
	const struct rmr_msg_io *m = data;
	u16 flags = le16_to_cpu(m->flags);

	if (m->data_crc32c && !(flags & RMR_IO_F_CRC))
		return refuse(fault, -EPROTO, "data_crc32c", "not zero without its flag",
			      le32_to_cpu(m->data_crc32c));
	if (!all_zero(m->reserved, sizeof(m->reserved)))
		return refuse(fault, -EPROTO, "reserved", "not zero", 0);
	if (m->op > RMR_OP_MAX)
		return refuse(fault, -EPROTO, "op", "unknown", m->op);
	if (flags & ~RMR_IO_F_ALL)
		return refuse(fault, -EPROTO, "flags", "unknown bits", flags);
	if ((flags & RMR_IO_F_FUA) && m->op != RMR_OP_WRITE && m->op != RMR_OP_WRITE_ZEROES)
		return refuse(fault, -EPROTO, "flags", "FUA on this op", m->op);
	if ((flags & RMR_IO_F_CRC) && m->op != RMR_OP_WRITE)
		return refuse(fault, -EPROTO, "flags", "CRC on this op", m->op);
	if ((flags & RMR_IO_F_NOUNMAP) && m->op != RMR_OP_WRITE_ZEROES)
		return refuse(fault, -EPROTO, "flags", "NOUNMAP on this op", m->op);
	return io_range_check(m, fault);
}

static int hello_check(const void *data, struct rmr_fault *fault)
{
	const struct rmr_msg_hello *m = data;

	if (name_check(m->node, sizeof(m->node), "node", fault))
		return -EPROTO;
	if (!all_zero(m->reserved, sizeof(m->reserved)))
		return refuse(fault, -EPROTO, "reserved", "not zero", 0);
	return 0;
}

static int pool_info_check(const void *data, struct rmr_fault *fault)
{
	const struct rmr_msg_pool_info *m = data;

	if (str_len(m->name, sizeof(m->name)) < 0)
		return refuse(fault, -EPROTO, "name", "not terminated or not padded", 0);
	if (!all_zero(m->reserved, sizeof(m->reserved)))
		return refuse(fault, -EPROTO, "reserved", "not zero", 0);
	if (m->to > RMR_MAX_MEMBERS)
		return refuse(fault, -EPROTO, "to", "out of range", m->to);
	if (m->name[0])
		return name_check(m->name, sizeof(m->name), "name", fault) ? -EPROTO : 0;
	if (all_zero(m->uuid, sizeof(m->uuid)))
		return refuse(fault, -EPROTO, "name", "neither name nor UUID", 0);
	return 0;
}

static int attach_check(const void *data, struct rmr_fault *fault)
{
	const struct rmr_msg_attach *m = data;

	if (!all_zero(m->reserved, sizeof(m->reserved)))
		return refuse(fault, -EPROTO, "reserved", "not zero", 0);
	if (name_check(m->node, sizeof(m->node), "node", fault))
		return -EPROTO;
	if (all_zero(m->pool_uuid, sizeof(m->pool_uuid)))
		return refuse(fault, -EPROTO, "pool_uuid", "zero", 0);
	if (!m->epoch.seq)
		return refuse(fault, -EPROTO, "epoch.seq", "zero", 0);
	if (le32_to_cpu(m->flags) & ~RMR_ATTACH_F_ALL)
		return refuse(fault, -EPROTO, "flags", "unknown bits", le32_to_cpu(m->flags));
	if (m->member_id >= RMR_MAX_MEMBERS)
		return refuse(fault, -EPROTO, "member_id", "out of range", m->member_id);
	return 0;
}

static int view_check(const void *data, struct rmr_fault *fault)
{
	const struct rmr_msg_view *m = data;

	if (view_fields_check(&m->view, fault))
		return -EPROTO;
	if (!all_zero(m->reserved, sizeof(m->reserved)))
		return refuse(fault, -EPROTO, "reserved", "not zero", 0);
	if (!m->view.number)
		return refuse(fault, -EPROTO, "view.number", "zero", 0);
	if (!m->view.epoch.seq)
		return refuse(fault, -EPROTO, "view.epoch.seq", "zero", 0);
	return 0;
}

static int detach_check(const void *data, struct rmr_fault *fault)
{
	const struct rmr_msg_detach *m = data;

	if (!all_zero(m->reserved, sizeof(m->reserved)))
		return refuse(fault, -EPROTO, "reserved", "not zero", 0);
	if (le32_to_cpu(m->flags) & ~RMR_DETACH_F_ALL)
		return refuse(fault, -EPROTO, "flags", "unknown bits", le32_to_cpu(m->flags));
	return 0;
}

static int keepalive_check(const void *data, struct rmr_fault *fault)
{
	const struct rmr_msg_keepalive *m = data;

	if (!all_zero(m->reserved, sizeof(m->reserved)))
		return refuse(fault, -EPROTO, "reserved", "not zero", 0);
	return 0;
}

static int member_set_check(const void *data, struct rmr_fault *fault)
{
	const struct rmr_msg_member_set *m = data;
	bool handle = m->hdr.handle != cpu_to_le32(RMR_NO_HANDLE);

	if (!all_zero(m->reserved, sizeof(m->reserved)))
		return refuse(fault, -EPROTO, "reserved", "not zero", 0);
	if (m->member_id >= RMR_MAX_MEMBERS)
		return refuse(fault, -EPROTO, "member_id", "out of range", m->member_id);
	if (rmr_sb_member_check(&m->member, m->member_id, fault))
		return -EPROTO;
	if (all_zero(m->pool_uuid, sizeof(m->pool_uuid)))
		return refuse(fault, -EPROTO, "pool_uuid", "zero", 0);
	if (handle != !!m->epoch.seq || (!handle && m->epoch.client))
		return refuse(fault, -EPROTO, "epoch.seq", "missing or not wanted",
			      le64_to_cpu(m->epoch.seq));
	if (m->more > 1 || (m->more && !handle))
		return refuse(fault, -EPROTO, "more", "not 0 or 1, or without a handle", m->more);
	if (handle && m->table_version)
		return refuse(fault, -EPROTO, "table_version", "not wanted with a handle",
			      le64_to_cpu(m->table_version));
	return 0;
}

/* ---- messages of failure handling and resync ---- */

/* Ranges of a request: so many used, none empty or beyond every pool, the rest zero. */
static int ranges_check(const struct rmr_range_le *range, u32 count, struct rmr_fault *fault)
{
	u64 most = RMR_POOL_SIZE_MAX / RMR_CHUNK_SIZE_MIN;
	u32 i;

	if (!count || count > RMR_MSG_RANGES)
		return refuse(fault, -EPROTO, "count", "out of range", count);
	for (i = 0; i < count; i++) {
		u64 first = le64_to_cpu(range[i].first), n = le64_to_cpu(range[i].count);

		if (!n || n > most || first > most - n)
			return refuse(fault, -EPROTO, "range", "empty or beyond the largest pool",
				      first);
	}
	if (!all_zero(&range[count], (RMR_MSG_RANGES - count) * sizeof(*range)))
		return refuse(fault, -EPROTO, "range", "unused one is not zero", count);
	return 0;
}

static int mark_check(const void *data, struct rmr_fault *fault)
{
	const struct rmr_msg_mark *m = data;

	if (!m->number)
		return refuse(fault, -EPROTO, "number", "zero", 0);
	if (!m->bits && !m->source)
		return refuse(fault, -EPROTO, "bits", "nothing to do", 0);
	if (m->bits & m->source)
		return refuse(fault, -EPROTO, "source", "is marked itself", m->source);
	if (m->source & (m->source - 1))
		return refuse(fault, -EPROTO, "source", "more than one member", m->source);
	if (!all_zero(m->reserved, sizeof(m->reserved)))
		return refuse(fault, -EPROTO, "reserved", "not zero", 0);
	return ranges_check(m->range, le16_to_cpu(m->count), fault);
}

/* What messages between members have in common. */
static int peer_check(const u8 *uuid, const struct rmr_epoch_le *epoch, u8 from, u8 to,
		      struct rmr_fault *fault)
{
	if (all_zero(uuid, RMR_UUID_LEN))
		return refuse(fault, -EPROTO, "pool_uuid", "zero", 0);
	if (!epoch->seq)
		return refuse(fault, -EPROTO, "epoch.seq", "zero", 0);
	if (from >= RMR_MAX_MEMBERS)
		return refuse(fault, -EPROTO, "from", "out of range", from);
	if (to > RMR_MAX_MEMBERS)
		return refuse(fault, -EPROTO, "to", "out of range", to);
	return 0;
}

static int clear_check(const void *data, struct rmr_fault *fault)
{
	const struct rmr_msg_clear *m = data;
	int err = peer_check(m->pool_uuid, &m->epoch, m->from, m->to, fault);

	if (err)
		return err;
	if (!m->view)
		return refuse(fault, -EPROTO, "view", "zero", 0);
	if (!all_zero(m->reserved, sizeof(m->reserved)))
		return refuse(fault, -EPROTO, "reserved", "not zero", 0);
	return ranges_check(m->range, le16_to_cpu(m->count), fault);
}

static int map_pull_check(const void *data, struct rmr_fault *fault)
{
	const struct rmr_msg_map_pull *m = data;

	if (!all_zero(m->reserved, sizeof(m->reserved)))
		return refuse(fault, -EPROTO, "reserved", "not zero", 0);
	return peer_check(m->pool_uuid, &m->epoch, m->from, m->to, fault);
}

static int list_check(const void *data, struct rmr_fault *fault)
{
	const struct rmr_msg_list *m = data;

	if (!all_zero(m->reserved, sizeof(m->reserved)))
		return refuse(fault, -EPROTO, "reserved", "not zero", 0);
	return 0;
}

static int resync_read_check(const void *data, struct rmr_fault *fault)
{
	const struct rmr_msg_resync_read *m = data;
	u64 offset = le64_to_cpu(m->offset);
	u32 length = le32_to_cpu(m->length);

	if (!length || length > RMR_CHUNK_SIZE_MAX || (length & (RMR_BLOCK_SIZE - 1)))
		return refuse(fault, -EPROTO, "length", "zero, too long or not in 4 KiB blocks",
			      length);
	if ((offset & (RMR_BLOCK_SIZE - 1)) || offset > RMR_POOL_SIZE_MAX - length)
		return refuse(fault, -EPROTO, "offset", "too high or not in 4 KiB blocks", offset);
	if (m->flags & ~RMR_RESYNC_F_ALL)
		return refuse(fault, -EPROTO, "flags", "unknown bits", m->flags);
	if (!all_zero(m->reserved, sizeof(m->reserved)))
		return refuse(fault, -EPROTO, "reserved", "not zero", 0);
	return peer_check(m->pool_uuid, &m->epoch, m->from, m->to, fault);
}

static int step_check(const void *data, struct rmr_fault *fault)
{
	const struct rmr_msg_step *m = data;

	if (!m->view)
		return refuse(fault, -EPROTO, "view", "zero", 0);
	if (!all_zero(m->reserved, sizeof(m->reserved)))
		return refuse(fault, -EPROTO, "reserved", "not zero", 0);
	return 0;
}

static int fine_check(const void *data, struct rmr_fault *fault)
{
	const struct rmr_msg_fine *m = data;

	if (!all_zero(m->reserved, sizeof(m->reserved)))
		return refuse(fault, -EPROTO, "reserved", "not zero", 0);
	return peer_check(m->pool_uuid, &m->epoch, m->from, m->to, fault);
}

/* Blocks first .. first + count - 1 lie in a chunk, and their digests in a reply. */
int rmr_codec_digest_range(__le16 first_le, __le16 count_le, struct rmr_fault *fault)
{
	u32 first = le16_to_cpu(first_le), count = le16_to_cpu(count_le);

	if (first >= RMR_CHUNK_SIZE_MAX / RMR_BLOCK_SIZE)
		return refuse(fault, -EPROTO, "first", "behind the largest chunk", first);
	if (!count || count > RMR_DIGESTS)
		return refuse(fault, -EPROTO, "count", "zero or too many", count);
	if (first + count > RMR_CHUNK_SIZE_MAX / RMR_BLOCK_SIZE)
		return refuse(fault, -EPROTO, "count", "behind the largest chunk", count);
	return 0;
}

static int digest_check(const void *data, struct rmr_fault *fault)
{
	const struct rmr_msg_digest *m = data;
	int err = rmr_codec_digest_range(m->first, m->count, fault);

	if (err)
		return err;
	if (!all_zero(m->reserved0, sizeof(m->reserved0)))
		return refuse(fault, -EPROTO, "reserved0", "not zero", 0);
	if (!all_zero(m->reserved1, sizeof(m->reserved1)))
		return refuse(fault, -EPROTO, "reserved1", "not zero", 0);
	return peer_check(m->pool_uuid, &m->epoch, m->from, m->to, fault);
}

static const struct {
	const char *name;
	size_t	len;
	bool	handle;			/* carries one; the others RMR_NO_HANDLE */
	int	(*check)(const void *msg, struct rmr_fault *fault);
	bool	either;			/* with handle or without */
} msg_table[RMR_MSG_TYPE_MAX + 1] = {
	[RMR_MSG_HELLO] = { "HELLO", sizeof(struct rmr_msg_hello), false, hello_check },
	[RMR_MSG_POOL_INFO] = { "POOL_INFO", sizeof(struct rmr_msg_pool_info), false,
				pool_info_check },
	[RMR_MSG_ATTACH] = { "ATTACH", sizeof(struct rmr_msg_attach), false, attach_check },
	[RMR_MSG_VIEW] = { "VIEW", sizeof(struct rmr_msg_view), true, view_check },
	[RMR_MSG_DETACH] = { "DETACH", sizeof(struct rmr_msg_detach), true, detach_check },
	[RMR_MSG_KEEPALIVE] = { "KEEPALIVE", sizeof(struct rmr_msg_keepalive), true,
				keepalive_check },
	[RMR_MSG_IO] = { "IO", sizeof(struct rmr_msg_io), true, io_check },
	[RMR_MSG_MEMBER_SET] = { "MEMBER_SET", sizeof(struct rmr_msg_member_set), false,
				 member_set_check, .either = true },
	[RMR_MSG_MARK] = { "MARK", sizeof(struct rmr_msg_mark), true, mark_check },
	[RMR_MSG_CLEAR] = { "CLEAR", sizeof(struct rmr_msg_clear), false, clear_check },
	[RMR_MSG_MAP_PULL] = { "MAP_PULL", sizeof(struct rmr_msg_map_pull), false,
			       map_pull_check },
	[RMR_MSG_LIST] = { "LIST", sizeof(struct rmr_msg_list), true, list_check },
	[RMR_MSG_RESYNC_READ] = { "RESYNC_READ", sizeof(struct rmr_msg_resync_read), false,
				  resync_read_check },
	[RMR_MSG_DIGEST] = { "DIGEST", sizeof(struct rmr_msg_digest), false, digest_check },
	[RMR_MSG_SETTLE] = { "SETTLE", sizeof(struct rmr_msg_step), true, step_check },
	[RMR_MSG_READY] = { "READY", sizeof(struct rmr_msg_step), true, step_check },
	[RMR_MSG_PREPARE] = { "PREPARE", sizeof(struct rmr_msg_step), true, step_check },
	[RMR_MSG_FINE] = { "FINE", sizeof(struct rmr_msg_fine), false, fine_check },
	[RMR_MSG_RESIZE] = { "RESIZE", sizeof(struct rmr_msg_resize), true,
			     rmr_msg_resize_check },
};

int rmr_msg_check(const void *msg, size_t len, struct rmr_fault *fault)
{
	const struct rmr_msg_hdr *hdr = msg;
	bool with_handle;
	u16 type;

	if (len < sizeof(*hdr))
		return refuse(fault, -EPROTO, "length", "shorter than a header", len);
	type = le16_to_cpu(hdr->type);
	if (hdr->major != RMR_PROTO_MAJOR)
		return refuse(fault, -EPROTONOSUPPORT, "hdr.major", "unknown", hdr->major);
	if (type > RMR_MSG_TYPE_MAX || !msg_table[type].check)
		return refuse(fault, -EPROTO, "hdr.type", "unknown", type);
	if (hdr->minor > RMR_PROTO_MINOR && type != RMR_MSG_HELLO)
		return refuse(fault, -EPROTONOSUPPORT, "hdr.minor", "not agreed", hdr->minor);
	if (len != msg_table[type].len)
		return refuse(fault, -EPROTO, "length", "wrong", len);
	with_handle = hdr->handle != cpu_to_le32(RMR_NO_HANDLE);
	if (msg_table[type].handle != with_handle && !msg_table[type].either)
		return refuse(fault, -EPROTO, "hdr.handle", "missing or not wanted",
			      le32_to_cpu(hdr->handle));
	return msg_table[type].check(msg, fault);
}

int rmr_rsp_hello_check(const void *data, size_t len, struct rmr_fault *fault)
{
	const struct rmr_rsp_hello *r = data;

	if (len != sizeof(*r))
		return refuse(fault, -EPROTO, "length", "wrong", len);
	if (le16_to_cpu(r->major) != RMR_PROTO_MAJOR)
		return refuse(fault, -EPROTONOSUPPORT, "major", "unknown", le16_to_cpu(r->major));
	if (le16_to_cpu(r->minor) > RMR_PROTO_MINOR)
		return refuse(fault, -EPROTONOSUPPORT, "minor", "newer than offered",
			      le16_to_cpu(r->minor));
	if (name_check(r->node, sizeof(r->node), "node", fault))
		return -EPROTO;
	if (le32_to_cpu(r->max_io) < RMR_BLOCK_SIZE)
		return refuse(fault, -EPROTO, "max_io", "smaller than a block",
			      le32_to_cpu(r->max_io));
	if (!all_zero(r->reserved, sizeof(r->reserved)))
		return refuse(fault, -EPROTO, "reserved", "not zero", 0);
	return 0;
}

static int limits_check(const struct rmr_limits_le *l, struct rmr_fault *fault)
{
	u32 block = le32_to_cpu(l->logical_block);

	if (block < 512 || block > RMR_BLOCK_SIZE || !is_power_of_2(block))
		return refuse(fault, -EPROTO, "limits.logical_block", "out of range", block);
	if (l->write_cache > 1)
		return refuse(fault, -EPROTO, "limits.write_cache", "not 0 or 1", l->write_cache);
	if (l->fua > 1)
		return refuse(fault, -EPROTO, "limits.fua", "not 0 or 1", l->fua);
	if (l->rotational > 1)
		return refuse(fault, -EPROTO, "limits.rotational", "not 0 or 1", l->rotational);
	if (!all_zero(l->reserved, sizeof(l->reserved)))
		return refuse(fault, -EPROTO, "limits.reserved", "not zero", 0);
	return 0;
}

/* Where a blank store wants to be (R9.2). */
static int claim_check(const struct rmr_rsp_pool *r, struct rmr_fault *fault)
{
	if (r->claim_id >= RMR_MAX_MEMBERS)
		return refuse(fault, -EPROTO, "claim_id", "out of range", r->claim_id);
	if (rmr_sb_member_check(&r->claim, RMR_MAX_MEMBERS, fault))
		return -EPROTO;
	if (r->claim.state != RMR_MEMBER_NONE)
		return 0;
	if (r->claim_id || !all_zero(&r->claim, sizeof(r->claim)))
		return refuse(fault, -EPROTO, "claim", "not zero without a claim", r->claim_id);
	return 0;
}

int rmr_rsp_pool_check(const void *data, size_t len, struct rmr_fault *fault)
{
	const struct rmr_rsp_pool *r = data;

	if (len != sizeof(*r))
		return refuse(fault, -EPROTO, "length", "wrong", len);
	if (all_zero(r->pool_uuid, sizeof(r->pool_uuid)))
		return refuse(fault, -EPROTO, "pool_uuid", "zero", 0);
	if (r->busy > 1)
		return refuse(fault, -EPROTO, "busy", "not 0 or 1", r->busy);
	if (!all_zero(r->reserved0, sizeof(r->reserved0)))
		return refuse(fault, -EPROTO, "reserved0", "not zero", 0);
	if (le32_to_cpu(r->sb_flags) & ~RMR_SB_F_ALL)
		return refuse(fault, -EPROTO, "sb_flags", "unknown bits", le32_to_cpu(r->sb_flags));
	if (!all_zero(r->reserved1, sizeof(r->reserved1)))
		return refuse(fault, -EPROTO, "reserved1", "not zero", 0);
	if (!all_zero(r->reserved2, sizeof(r->reserved2)))
		return refuse(fault, -EPROTO, "reserved2", "not zero", 0);
	if (rmr_name_check(r->pool_name, sizeof(r->pool_name), fault) ||
	    rmr_pool_size_check(le64_to_cpu(r->pool_size), fault) ||
	    rmr_chunk_size_check(le32_to_cpu(r->chunk_size), fault) ||
	    members_check(r->member, &r->view, fault) ||
	    self_check(r->member, r->member_id, r->store_uuid, fault) ||
	    told_check(r->member, &r->view, &r->promised, fault) || claim_check(r, fault))
		return -EPROTO;
	return limits_check(&r->limits, fault);
}

const char *rmr_msg_name(u16 type)
{
	return type <= RMR_MSG_TYPE_MAX && msg_table[type].name ? msg_table[type].name : "unknown";
}

const char *rmr_op_name(u8 op)
{
	static const char * const names[] = {
		[RMR_OP_READ] = "read", [RMR_OP_WRITE] = "write", [RMR_OP_FLUSH] = "flush",
		[RMR_OP_DISCARD] = "discard", [RMR_OP_WRITE_ZEROES] = "write-zeroes",
	};

	return op <= RMR_OP_MAX ? names[op] : "unknown";
}
