/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Upper interfaces of rmr. brmr is the first user; nothing here knows bios or requests.
 *
 * Client half: rmr_clt_open() attaches a pool, rmr_clt_submit() reads and writes it,
 * rmr_clt_close() detaches it. Server half: a module registers how to open a store, rmr keeps
 * the metadata and calls it for data.
 */
#ifndef RMR_RMR_H
#define RMR_RMR_H

#include <linux/list.h>
#include <linux/module.h>
#include <linux/netlink.h>
#include <linux/rbtree.h>
#include <linux/scatterlist.h>
#include <linux/types.h>

#include <rmr/hist.h>
#include <rmr/wire.h>
#include <rmr/transport.h>

/* ---- what the control interface shows ---- */

struct rmr_member_info {
	u8	kind;
	u8	store_uuid[RMR_UUID_LEN];
	char	node[RMR_NAME_LEN];
	char	addr[RMR_MEMBER_ADDRS][RMR_ADDR_LEN];
	u64	copied;				/* bytes from it since the join */
	u64	generation;
	bool	leaving;
	bool	maintenance;
	u8	successor;			/* id + 1, or 0 */
};

struct rmr_io_stats {
	u64	reads;
	u64	writes;
	u64	flushes;
	u64	discards;
	u64	read_bytes;
	u64	write_bytes;
	u64	errors;
};

#define RMR_PATH_LEN	256

/* A pool on a storage node; view_* of the highest view known. */
struct rmr_pool_info {
	char	name[RMR_NAME_LEN];
	u8	uuid[RMR_UUID_LEN];
	u8	store_uuid[RMR_UUID_LEN];
	char	device[RMR_PATH_LEN];
	char	md_device[RMR_PATH_LEN];	/* "": device */
	u64	room;				/* the pool may grow to it, 0: not prepared */
	u64	device_grown;			/* bytes of the device behind the store */
	char	client[RMR_NAME_LEN];
	u64	size;
	u64	store_size;
	u32	chunk_size;
	u32	sb_flags;
	u32	inflight;
	u8	member_id;
	u8	state;
	u8	reason;
	u8	damaged;
	u64	epoch_seq;
	u64	epoch_client;
	u64	view;
	u8	lineage[RMR_UUID_LEN];
	u8	up_to_date;
	u8	syncing;
	u64	refused;
	u64	stale;
	u64	missed;
	u64	intents;
	u64	read_errors;			/* of the disk, like the next two */
	u64	write_errors;
	u64	write_retries;
	u64	bad_data;
	u32	disk_errors;			/* places that count */
	u32	hung_ms;			/* 0: the disk answers */
	u8	on_error;			/* RMR_SB_REPAIR, ... */
	bool	left;
	u64	resync_left;			/* chunks, like total */
	u64	resync_total;
	u64	resync_copied;			/* bytes */
	u64	resync_rate;			/* bytes/s */
	u64	resync_allowed;
	u64	resync_limit;
	u64	resync_eta_ms;			/* 0: unknown */
	u64	resync_failures;
	u8	resync_state;			/* enum rmr_resync_state */
	u8	resync_reason;
	u8	resync_pace;			/* enum rmr_resync_pace */
	u8	resync_digest;
	u64	resync_floor;			/* bytes/s */
	u64	resync_target_ns;
	u64	resync_latency_ns;
	u64	resync_equal;			/* bytes */
	u64	others_lack;			/* chunks, see struct rmr_rsp_pool */
	u8	verify_state;			/* enum rmr_verify_state */
	u8	verify_legs;			/* mask, as skipped */
	u8	verify_skipped;
	u64	verify_done;			/* bytes, as total */
	u64	verify_total;
	u64	verify_rate;			/* bytes/s, as limit */
	u64	verify_limit;
	u64	verify_eta_ms;			/* 0: unknown */
	u64	verify_differences;		/* blocks */
	u64	verify_busy;			/* chunks */
	u64	verify_failures;
	u64	verify_repaired;		/* chunks */
	u64	verified;			/* seconds since 1970, 0: never */
	u64	verified_differences;
	struct rmr_io_stats stats;
	struct rmr_member_info member[RMR_MAX_MEMBERS];
};

#define RMR_DIFFERENCES	64u		/* listed of one verify */

/* Blocks of a member on this node that differ from those of others. */
struct rmr_difference_info {
	char	name[RMR_NAME_LEN];
	u8	member_id;
	u8	members;			/* mask of those others */
	u64	offset;				/* bytes, as length */
	u64	length;
};

/* A mapped pool on a client. */
struct rmr_device_info {
	u32	index;
	char	name[RMR_NAME_LEN];
	u8	uuid[RMR_UUID_LEN];
	u8	state;
	u8	reason;
	u8	up_to_date;
	u8	syncing;
	u32	chunk_size;
	u32	inflight;
	u64	size;
	u64	epoch_seq;
	u64	epoch_client;
	u64	view;
	u64	held;
	struct rmr_io_stats stats;
};

struct rmr_leg_info {
	u32	device_index;
	char	pool_name[RMR_NAME_LEN];
	u8	member_id;
	u8	kind;				/* RMR_MEMBER_* */
	u8	state;
	u8	reason;
	u8	store_uuid[RMR_UUID_LEN];
	char	node[RMR_NAME_LEN];
	char	addr[RMR_ADDR_LEN];
	u32	inflight;
	u32	max_io;
	u64	latency_ns;
	u64	lacking;
	u64	age_ms;
	u32	ejections;
	u32	returns;
	u32	damped_ms;			/* 0: not damped */
	u8	cause;				/* of the last ejection */
	bool	leaving;
	bool	maintenance;
	u8	successor;			/* id + 1, or 0 */
	u64	read_errors;			/* reads that its store failed */
	u64	read_repairs;			/* ranges written back after that */
	u64	read_repair_failures;		/* ranges that were not */
	u64	bad_data;			/* writes it refused by their checksum */
	struct rmr_io_stats stats;
};

/* One operation's histogram of a store, a mapped pool or a leg. */
struct rmr_latency_info {
	u8	of;				/* enum rmr_latency_of */
	u8	op;				/* enum rmr_hist_op */
	u8	member_id;			/* not of a mapped pool */
	u32	device_index;			/* not of a store */
	char	pool_name[RMR_NAME_LEN];
	u64	sum_ns;
	u64	max_ns;
	u64	bucket[RMR_HIST_BUCKETS];
};

/* ---- commands, as the control interface passes them on ---- */

struct rmr_pool_spec {
	const char	*name;
	const char	*device;
	const char	*md_device;		/* NULL: metadata on device too */
	const char	*node;
	const char	*transport;
	const u8	*uuid;			/* NULL: any or new */
	u64		size;
	u64		store_size;		/* assemble: where to look, 0: at the end */
	u32		chunk_size;
	int		member_id;		/* -1: lowest free */
	u8		leg;			/* that the command is about; RMR_NO_MEMBER: any */
	u8		replaces;		/* join: whose place it takes; as leg */
	u16		port;
	bool		zeroed;
	bool		force;
	bool		wipe;
	bool		quorum;			/* create: a majority is asked for */
	bool		witness;		/* join: no data */
	int		pause;			/* resync: -1: as it is */
	int		digest;			/* as pause */
	u64		limit;			/* bytes/s, 0: none, U64_MAX: as it is */
	u64		floor;			/* bytes/s, 0: as it is */
	u64		target_ns;		/* 0: as it is */
	bool		dry_run;		/* join, replace, member: check only */
	bool		leaving;		/* member: remove it */
	int		maintenance;		/* member: 1 begin, 0 end, -1: as it is */
	int		verify;			/* 1: start, 0: stop */
	u8		legs;			/* verify: mask to compare with, 0: all */
	int		from;			/* verify: RMR_FROM_*, or whose copy counts */
	bool		data_crc;		/* create: data carries checksums */
	bool		disk_return;		/* let a member return that left */
	int		on_error;		/* RMR_SB_REPAIR, ...; -1: as it is, or repair */
	unsigned int	addr_cnt;
	unsigned int	peer_cnt;
	char		addr[RMR_MEMBER_ADDRS][RMR_ADDR_LEN];
	char		peer[RMR_MAX_MEMBERS][RMR_ADDR_LEN];
};

#define RMR_FROM_NONE	-1		/* verify: do not repair */
#define RMR_FROM_MOST	8		/* verify: more than half of the copies */

#define RMR_STALL_MS	5000		/* a leg that does not answer for so long is ejected */
#define RMR_SUSPEND_MS	600000		/* without a leg, I/O waits so long before it fails */

struct rmr_device_spec {
	const char	*name;
	const char	*transport;
	const char	*node;
	const u8	*uuid;
	int		index;			/* -1: by name */
	u16		port;
	u32		stall_ms;
	u64		size;			/* resize: bytes */
	u32		suspend_ms;		/* 0: fail at once; U32_MAX: wait for ever */
	bool		takeover;
	bool		force;
	unsigned int	addr_cnt;
	char		addr[RMR_MAX_MEMBERS][RMR_ADDR_LEN];
};

/* One leg of a mapped pool, to be ejected, let return, removed or maintained. */
struct rmr_leg_spec {
	const char	*name;
	u8		member_id;
	bool		force;
	bool		leaving;
	int		maintenance;		/* 1 begin, 0 end, -1: as it is */
};

/*
 * Commands of the storage side, by rmr_server. A failing one sets an extack text. pool_info fills
 * *info with the first pool at or after *cursor and moves it behind; -ENOENT at the end.
 */
struct rmr_srv_ctl {
	struct module	*owner;
	int	(*create)(const struct rmr_pool_spec *spec, struct rmr_pool_info *info,
			  struct netlink_ext_ack *extack);
	int	(*join)(const struct rmr_pool_spec *spec, struct rmr_pool_info *info,
			struct netlink_ext_ack *extack);
	int	(*assemble)(const struct rmr_pool_spec *spec, struct rmr_pool_info *info,
			    struct netlink_ext_ack *extack);
	int	(*stop)(const struct rmr_pool_spec *spec, struct netlink_ext_ack *extack);
	int	(*resync)(const struct rmr_pool_spec *spec, struct netlink_ext_ack *extack);
	int	(*resolve)(const struct rmr_pool_spec *spec, struct netlink_ext_ack *extack);
	int	(*peek)(const struct rmr_pool_spec *spec, struct rmr_pool_info *info,
			struct netlink_ext_ack *extack);
	int	(*replace)(const struct rmr_pool_spec *spec, struct rmr_pool_info *info,
			   struct netlink_ext_ack *extack);
	int	(*member)(const struct rmr_pool_spec *spec, struct netlink_ext_ack *extack);
	int	(*grow)(const struct rmr_pool_spec *spec, struct netlink_ext_ack *extack);
	int	(*disk)(const struct rmr_pool_spec *spec, struct netlink_ext_ack *extack);
	int	(*pool_info)(unsigned long *cursor, struct rmr_pool_info *info);
	int	(*verify)(const struct rmr_pool_spec *spec, struct netlink_ext_ack *extack);
	int	(*difference)(unsigned long *cursor, struct rmr_difference_info *info);
	int	(*latency)(unsigned long *cursor, struct rmr_latency_info *info);
};

/* Commands of the client side, by brmr_client. */
struct rmr_clt_ctl {
	struct module	*owner;
	int	(*map)(const struct rmr_device_spec *spec, struct rmr_device_info *info,
		       struct netlink_ext_ack *extack);
	int	(*unmap)(const struct rmr_device_spec *spec, struct netlink_ext_ack *extack);
	int	(*resize)(const struct rmr_device_spec *spec, struct netlink_ext_ack *extack);
	int	(*device_info)(unsigned long *cursor, struct rmr_device_info *info);
	int	(*leg_info)(unsigned long *cursor, struct rmr_leg_info *info);
	int	(*latency)(unsigned long *cursor, struct rmr_latency_info *info);
	int	(*leg_eject)(const struct rmr_leg_spec *spec, struct netlink_ext_ack *extack);
	int	(*leg_return)(const struct rmr_leg_spec *spec, struct netlink_ext_ack *extack);
	int	(*leg_set)(const struct rmr_leg_spec *spec, struct netlink_ext_ack *extack);
};

int rmr_srv_ctl_register(struct rmr_srv_ctl *ctl);
void rmr_srv_ctl_unregister(struct rmr_srv_ctl *ctl);
int rmr_clt_ctl_register(struct rmr_clt_ctl *ctl);
void rmr_clt_ctl_unregister(struct rmr_clt_ctl *ctl);

void rmr_notify_pool(const struct rmr_pool_info *info);
void rmr_notify_device(const struct rmr_device_info *info);
void rmr_notify_leg(const struct rmr_leg_info *info);

/* Random id of this boot of the modules; tells a restarted node from a reconnected one. */
u64 rmr_boot_id(void);
void rmr_lineage_new(u8 lineage[RMR_UUID_LEN]);

/* ---- client ---- */

struct rmr_clt_pool;
struct rmr_clt_req;
struct rmr_clt_repair;
struct rmr_clt_bounce;
struct rmr_clt_sess;

/* Somebody who waits for a permit of a session. Owned by clt-sess.c. */
struct rmr_clt_waiter {
	struct list_head	entry;
	/* Process context, under RCU; permit is NULL if the session has ended. */
	void			(*go)(struct rmr_clt_waiter *waiter, void *permit);
};

/* The part of a request that goes to one leg. Owned by clt-io.c. */
struct rmr_clt_leg_req {
	struct rmr_clt_req	*req;
	struct rmr_clt_sess	*sess;
	struct rmr_clt_waiter	waiter;
	void			*permit;
	struct scatterlist	*sgl;		/* own copy; NULL: the request's own */
	u64			sent_ns;	/* 0: not under way */
	u32			gen;		/* of the leg when the request was admitted */
	u32			handle;
};

/**
 * struct rmr_clt_req - one request to a pool
 * @op: RMR_OP_*
 * @flags: RMR_IO_F_*
 * @offset: bytes
 * @length: bytes
 * @sgl: data of READ and WRITE; left alone by the caller until @done
 * @nents: entries of @sgl
 * @done: called once, any context, with 0 or a negative errno
 *
 * The fields from @pool on belong to rmr. A request takes rmr_clt_req_size() bytes and is
 * prepared once by rmr_clt_req_init(), then used any number of times.
 */
struct rmr_clt_req {
	u8			op;
	u16			flags;
	u64			offset;
	u32			length;
	struct scatterlist	*sgl;
	unsigned int		nents;
	void			(*done)(struct rmr_clt_req *req, int status);

	/* private: */
	struct rmr_clt_pool	*pool;
	struct list_head	entry;		/* of pool->writes or ->others, once started */
	struct list_head	queue;		/* of pool->waiting, ->held or ->acks */
	struct rb_node		rb;		/* of pool->ranges, once started */
	u64			last;		/* last byte of the range */
	u64			subtree_last;
	u64			seq;
	u64			low;		/* first number it had, until it is sent anew */
	u64			below;		/* every write below this number had ended */
	u64			start_ns;	/* when it was submitted */
	u64			answer_ns;	/* of its last leg; 0 once it waits for something */
	struct rmr_epoch_le	epoch;		/* and view: in force when it was admitted */
	__le64			view;
	atomic_t		pending;	/* legs that have not answered */
	int			status;
	u8			sent;		/* members it was sent to, this time */
	u8			missing;	/* members that do not get it */
	u8			miss;		/* members that were to get it and did not */
	u8			tried;		/* members that failed a read */
	u8			bad;		/* those of them whose store did */
	struct rmr_clt_repair	*repair;	/* NULL: of the caller; see clt-repair.c */
	struct rmr_clt_bounce	*bounce;	/* its data, if not in sgl; see clt-crc.c */
	u32			crc;		/* of the data, if the pool has checksums */
	u8			refused;	/* members that its data did not reach unharmed */
	u8			resends;
	bool			reading;	/* a repair that has not got its data yet */
	bool			ranged;		/* in pool->ranges */
	bool			was_sent;	/* at any time */
	bool			unreadable;	/* a store failed the read */
	bool			in_marks;	/* of pool->marks */
	bool			marked;		/* who lacks it is persisted everywhere */
	struct rmr_clt_leg_req	leg[];		/* by slot of pool->leg */
};

/* What the legs have in common. */
struct rmr_clt_limits {
	u64	size;
	u32	chunk_size;
	u32	max_io;
	u32	max_segments;
	u32	queue_depth;
	struct rmr_limits_le store;		/* every field the common denominator */
};

struct rmr_clt_pool_ops {
	/* State, a leg or its reason changed; process context, no lock held. */
	void	(*changed)(void *priv);
	/*
	 * The pool is to shrink to so many bytes: takes them off the device if nobody has it open,
	 * and calls rmr_clt_cap() while nobody can open it. 0 or -EBUSY. Process context.
	 */
	int	(*shrink)(void *priv, u64 size);
};

struct rmr_clt_pool *rmr_clt_open(const struct rmr_device_spec *spec,
				  const struct rmr_clt_pool_ops *ops, void *priv,
				  struct netlink_ext_ack *extack);
const struct rmr_clt_limits *rmr_clt_limits(struct rmr_clt_pool *pool);
size_t rmr_clt_req_size(struct rmr_clt_pool *pool);
void rmr_clt_req_init(struct rmr_clt_pool *pool, struct rmr_clt_req *req);
void rmr_clt_submit(struct rmr_clt_pool *pool, struct rmr_clt_req *req);
/* No request may be submitted any more; what still waits for a lost leg fails. */
void rmr_clt_abort(struct rmr_clt_pool *pool);
bool rmr_clt_is_live(struct rmr_clt_pool *pool);
/* Detaches, cleanly if the pool is live, and frees the pool. */
int rmr_clt_close(struct rmr_clt_pool *pool);
void rmr_clt_device_info(struct rmr_clt_pool *pool, struct rmr_device_info *info);
/* By command: every data member and then the pool are size bytes large from now on. */
/* force: it may be smaller. Then ops->shrink is called. */
int rmr_clt_resize(struct rmr_clt_pool *pool, u64 size, bool force, struct netlink_ext_ack *extack);
/* From ops->shrink alone: no request behind size is taken. -EBUSY: there are requests. */
int rmr_clt_cap(struct rmr_clt_pool *pool, u64 size);
/* By command: takes a leg out until it is told to return. */
int rmr_clt_leg_eject(struct rmr_clt_pool *pool, unsigned int id, bool force,
		      struct netlink_ext_ack *extack);
int rmr_clt_leg_return(struct rmr_clt_pool *pool, unsigned int id, struct netlink_ext_ack *extack);
/* By command: removes the member, or begins or ends its maintenance (R9.2). */
int rmr_clt_leg_set(struct rmr_clt_pool *pool, const struct rmr_leg_spec *spec,
		    struct netlink_ext_ack *extack);
/* Fills *info for member id; -ENOENT if the pool has no such leg. */
int rmr_clt_leg_info(struct rmr_clt_pool *pool, unsigned int id, struct rmr_leg_info *info);

#define RMR_CLT_LATENCIES	((1 + RMR_MAX_MEMBERS) * RMR_HIST_OPS)

/* Histogram nr of the pool, first its own, then those of legs; -ENOENT if that leg is none. */
int rmr_clt_latency(struct rmr_clt_pool *pool, unsigned int nr, struct rmr_latency_info *info);

/* ---- server ---- */

/**
 * struct rmr_store_io - one data request to a store
 * @done: called once, any context, with 0 or a negative errno; the store frees the io afterwards
 *
 * Allocated by rmr_store_ops.alloc_io; the fields below @done belong to rmr.
 */
struct rmr_store_io {
	void	(*done)(struct rmr_store_io *io, int status);
	/* private: */
	void	*attach;
	void	*tp_op;
	void	*data;
	struct list_head entry;		/* of a waiting list of srv-track.c */
	u64	offset;
	u64	seq;
	u64	first, last;		/* chunks of a write */
	u64	start_ns;
	u64	sent_ns;		/* to the store; 0: not yet */
	int	status;			/* to answer when the map is stable; 1: submit then */
	u32	length;
	u16	flags;
	u8	op;
	u8	missing;
	u8	slot;			/* of srv-disk.c */
};

/**
 * struct rmr_store_ops - how rmr uses a store
 * @owner: module held while a store is open
 * @open: opens the store exclusively, its metadata on md_path unless that is NULL; sets an extack
 *	text on failure
 * @close: closes it
 * @size: usable bytes of the device with the metadata, a multiple of RMR_MD_BLOCK
 * @data_size: the same of the device with the data
 * @limits: queue limits of the store
 * @rw_md: reads or writes metadata blocks, stable when it returns; may sleep
 * @rw_data: the same for blocks of the device with the data
 * @zero: makes a range of the data device read as zeros, stable when it returns; may sleep for long
 * @flush: makes all completed writes of data stable, says nothing of metadata; may sleep
 * @alloc_io: never fails; may sleep for an earlier io to end
 * @free_io: gives back an io that was not submitted
 * @submit: starts @io; data is contiguous in the kernel's linear mapping
 */
struct rmr_store_ops {
	struct module	*owner;
	void	*(*open)(const char *path, const char *md_path, struct netlink_ext_ack *extack);
	void	(*close)(void *store);
	u64	(*size)(void *store);
	u64	(*data_size)(void *store);
	void	(*limits)(void *store, struct rmr_limits_le *limits);
	int	(*rw_md)(void *store, bool write, u64 off, void *buf, size_t len);
	int	(*rw_data)(void *store, bool write, u64 off, void *buf, size_t len);
	int	(*zero)(void *store, u64 off, u64 len);
	int	(*flush)(void *store);
	struct rmr_store_io *(*alloc_io)(void *store, u8 op, u16 flags);
	void	(*free_io)(struct rmr_store_io *io);
	void	(*submit)(void *store, struct rmr_store_io *io, u16 flags, u64 off, void *data,
			  u32 len);
};

int rmr_srv_register_store(const struct rmr_store_ops *ops);
void rmr_srv_unregister_store(const struct rmr_store_ops *ops);

#endif /* RMR_RMR_H */
