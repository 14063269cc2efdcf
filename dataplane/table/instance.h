/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_TABLE_INSTANCE_H
#define DATAPLANE_TABLE_INSTANCE_H

#include "dataplane/base/ip.h"
#include "dataplane/base/key.h"
#include "dataplane/base/uuid.h"
#include "dataplane/table/hash.h"
#include "dataplane/table/route.h"

#include <stdbool.h>
#include <stdint.h>

struct listener;
struct tables;

enum instance_flag {
	INSTANCE_SITE_TO_SITE = 1 << 0,
	INSTANCE_CLIENT_TO_SITE = 1 << 1, /* and the way back */
	INSTANCE_CLIENT_TO_CLIENT = 1 << 2,
	INSTANCE_EGRESS_V4 = 1 << 3, /* the hub has a way out for IPv4 */
	INSTANCE_EGRESS_V6 = 1 << 4,
};

/* What the server is told. */
struct instance_settings {
	struct uuid id;
	const struct key *private_key; /* borrowed, only its public key is kept; NULL: none */
	uint32_t number;
	uint16_t wireguard_port; /* host byte order */
	uint16_t mtu; /* inner, bytes of IP packet */
	uint32_t flags; /* enum instance_flag */
	struct ip_prefix address4; /* the hub's inner address with the length of its network */
	struct ip_prefix address6;
};

/* An instance and all that belongs to it are isolated from every other: own routes, own peers. */
struct instance {
	/* set: server at birth; read: any */
	struct uuid id;
	uint32_t number;
	uint32_t slot, generation;
	_Atomic uint16_t wireguard_port; /* host byte order; instance_move() */
	struct ip_prefix address4, address6;
	struct route_trie routes; /* set: server; read: workers */
	/* set: server; read: workers, relaxed */
	_Atomic uint32_t flags;
	_Atomic uint16_t mtu;

	void *keying; /* keying thread only: its state of this instance */

	/* server thread only */
	struct key public_key; /* the hub's; no peer may have it */
	struct hash_entry by_id;
	struct instance *next, **prev; /* tables->instances, or tables->unlinked_instances */
	struct peer *peers; /* list of its peers */
	struct listener *listeners; /* table/listener.c */
	struct route *route_list;
	struct hash route_by_prefix;
	uint32_t sync_stamp; /* server/sync.c */
	uint64_t created_realtime_ns;
	bool has_tun; /* server/port.c */
};

/*
 * Creates or changes. Number, port and addresses of a living instance can't change (-EBUSY:
 * delete it first). -EMSGSIZE: mtu is over t->inner_max; -EEXIST: number belongs to another
 * instance; -EADDRINUSE: the port does; -ENOSPC; -ENOMEM. Nothing changes on failure.
 */
int instance_set(struct tables *t, const struct instance_settings *s, struct instance **ret);
/* To another port, as wg(8) may ask. -EADDRINUSE: it is another instance's. */
int instance_move(struct tables *t, struct instance *i, uint16_t port);
struct instance *instance_find(const struct tables *t, const struct uuid *id);
/* Unlinks the instance, its peers and its routes: no packet finds them any more. */
void instance_unlink(struct tables *t, struct instance *i);
/* Called by tables_reclaim(). */
void instance_free(struct instance *i);

/* Slot and generation in one number that may travel in rings. */
uint64_t instance_handle(const struct instance *i);
/* NULL once unlinked. The caller is a QSBR reader or the server. */
struct instance *instance_from_handle(const struct tables *t, uint64_t handle);

#endif
