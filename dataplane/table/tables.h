/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_TABLE_TABLES_H
#define DATAPLANE_TABLE_TABLES_H

#include "dataplane/table/counter.h"
#include "dataplane/table/hash.h"
#include "dataplane/table/port.h"
#include "dataplane/table/slab.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct instance;
struct peer;
struct rte_rcu_qsbr;
struct session_table;
struct tunnel_table;
struct underlay;

/*
 * All that the packet path reads. Written by the server thread (instances, peers, routes, ports,
 * underlay) and by keying threads (sessions, endpoints); read by workers under QSBR.
 *
 * Deletion has three steps, so that no reader ever meets freed memory: unlink (server thread:
 * out of every lookup, onto `unlinked`), retire (keying threads let go of what they hold), and
 * tables_reclaim() (one grace period for the whole batch, then free).
 *
 * Rings between threads never carry a peer or an instance pointer, only a handle (slot and
 * generation), which is resolved by the receiver and is NULL once the object was unlinked.
 */
enum {
	TABLE_MAX_INSTANCES = 4096,
	TABLE_MAX_PEERS = 1 << 20,
	TABLE_MAX_READERS = 64, /* QSBR threads */
	TABLE_MAX_WORKERS = 32,
	OWNER_GROUPS = 256,
	UDP_PORTS = 65536,
};

/*
 * Owner: what is received for a peer has one writer, the worker owner[slot & 255]: the replay
 * windows of its sessions, its receive counters and stamps. Another worker that gets its packets
 * hands them over. A group may be given to another worker while the old owner stands still.
 */
struct tables {
	struct rte_rcu_qsbr *qsbr;
	/* listener[UDP port], network byte order of nothing: index is the host-order port. set: server; read: workers */
	_Atomic(struct instance *) *listener;
	/* the same of OpenVPN over UDP; no port is in both */
	_Atomic(struct instance *) *openvpn_port;
	/* by slot; set: server; read: any thread through *_from_handle() */
	_Atomic(struct instance *) *instance_slot;
	_Atomic(struct peer *) *peer_slot;
	struct session_table *sessions;
	struct tunnel_table *tunnels;
	struct underlay *underlay;
	struct port port[PORT_MAX];
	unsigned int ports;
	uint16_t inner_max; /* the largest mtu of an instance; set: main before threads start */
	bool copy_dscp; /* of inner packets to the outer ones; set: main before threads start */
	struct counter_registry counters;
	struct slab peer_memory, session_memory, endpoint_memory, route_memory;
	unsigned int workers; /* set: main, before they start */
	_Atomic uint8_t owner[OWNER_GROUPS]; /* number of a worker; read: workers, keying */

	/* the rest: server thread only */
	struct hash instance_by_id;
	struct hash peer_by_id;
	struct hash peer_by_key; /* (instance, public key) */
	struct instance *instances; /* list */
	uint32_t instance_next_slot, peer_next_slot, generation;
	unsigned int peer_count;
	struct instance *unlinked_instances;
	struct peer *unlinked_peers;
	struct retired *retired; /* smaller things that wait for a grace period */
};

/* 0 or -errno. Needs a running EAL. */
int tables_new(struct tables **ret);
/* All readers must be gone. */
void tables_free(struct tables *t);

/* Gives the owner groups to that many workers, in turns; until then worker 0 owns all. Before the
 * threads start. */
void tables_set_workers(struct tables *t, unsigned int workers);
/* The worker that owns what a peer receives. slot: of the peer. */
static inline unsigned int tables_owner(const struct tables *t, uint32_t slot)
{
	return atomic_load_explicit(&t->owner[slot % OWNER_GROUPS], memory_order_relaxed);
}

/*
 * Frees what was unlinked before the call, after one grace period. Server thread; the keying
 * threads must have let go first (keying_retire()). Cheap when nothing waits.
 */
void tables_reclaim(struct tables *t);
/* Hands memory to the next tables_reclaim(); freed with free(). Server thread. -ENOMEM: then a
 * grace period is waited for at once instead, so the call always succeeds. */
void tables_retire(struct tables *t, void *memory);
/* The same with what came from a slab: freed with slab_free(). */
void tables_retire_object(struct tables *t, void *object);

/* How much there is, and what the objects of it take; lists of destinations, and what keying has of a
 * peer that is awake, are not in it. */
struct tables_use {
	uint64_t instances, peers, routes;
	uint64_t sessions; /* and handshakes that hold an index */
	uint64_t peers_bytes, routes_bytes;
	uint64_t sessions_bytes; /* and endpoints */
	uint64_t reserved_bytes; /* of address space, touched as it fills */
};
/* Server thread. */
void tables_use(struct tables *t, struct tables_use *ret);

#endif
