/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_TABLE_TUNNEL_H
#define DATAPLANE_TABLE_TUNNEL_H

#include "dataplane/base/ip.h"
#include "dataplane/ovpn/data_format.h"
#include "dataplane/ovpn/data_payload.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdint.h>

struct peer;
struct tables;

enum {
	TUNNEL_KEYS = 8, /* key ids */
	TUNNEL_SLOTS_LOG2 = 17,
	TUNNEL_SLOT_MASK = (1 << TUNNEL_SLOTS_LOG2) - 1,
	TUNNEL_ID_BITS = 24, /* of P_DATA_V2; all ones is none */
	TUNNEL_ADDRESSES = 1 << 14, /* buckets */
};

/* A data key in use. set: keying at birth; afterwards the owner's: the worker that owns the peer, of TCP
 * the thread of the stream. */
struct data_key {
	struct data_receive receive;
	struct data_send send;
	uint8_t key_id;
	_Atomic uint8_t told; /* set: owner when it asked keying for another key; never cleared */
};

/*
 * What the path has of an OpenVPN session that is up. Its peer id is ours: the low bits are its slot in
 * an array, the high bits a generation, so that a client that was replaced finds nobody. A peer has at
 * most one: a newly authenticated session takes the place of the older one.
 */
struct tunnel {
	/* line 0. set: keying at birth; read: workers */
	struct peer *peer;
	uint32_t peer_slot; /* of it: says who owns the tunnel */
	uint32_t id; /* peer id, host byte order */
	enum data_compression compression;
	bool is_tcp; /* its packets go to its stream, not to the port */
	uint16_t inner_max; /* bytes of IP packet that the client takes */
	void *client; /* keying thread only: whose it is */
	_Atomic(struct data_key *) send; /* set: keying; read: owner */
	_Atomic uint8_t exiting; /* set: owner when it told keying that the client goes */
	/* of a client of P_DATA_V1, which is known by where it is; set: keying at birth, else zero */
	struct ip_endpoint remote;
	uint16_t local_port; /* host byte order */
	_Atomic(struct tunnel *) address_next; /* set: keying; read: workers */
	/* by key id. set: keying; read: owner */
	_Atomic(struct data_key *) receive[TUNNEL_KEYS] __attribute__((aligned(64)));
} __attribute__((aligned(64)));

static_assert(DATA_NO_PEER_ID == (1U << TUNNEL_ID_BITS) - 1);

struct tunnel_table {
	/* set: keying; read: workers */
	_Atomic(struct tunnel *) slot[1 << TUNNEL_SLOTS_LOG2];
	_Atomic(struct tunnel *) by_address[TUNNEL_ADDRESSES];
	uint64_t seed; /* random: addresses come from outside */
	/* keying thread only */
	uint32_t next, count;
	uint8_t generation[1 << TUNNEL_SLOTS_LOG2];
};

/* 0, -ENOMEM, or -errno of the random source. */
int tunnel_table_new(struct tunnel_table **ret);
void tunnel_table_free(struct tunnel_table *t);

/* Keying thread. A peer id of its own for t, which is published under it, and under its remote where it
 * has one. -ENOSPC. */
int tunnel_publish(struct tunnel_table *table, struct tunnel *t);
/* Keying thread. No worker finds it any more once a grace period is over. */
void tunnel_unlink(struct tunnel_table *table, struct tunnel *t);

/* Worker. Before tunnel_lookup(). */
static inline void tunnel_prefetch(const struct tunnel_table *t, uint32_t id)
{
	__builtin_prefetch((const void *)&t->slot[id & TUNNEL_SLOT_MASK]);
}

/* Worker. The tunnel in that slot, or NULL. The caller still compares the whole id. */
static inline struct tunnel *tunnel_lookup(const struct tunnel_table *t, uint32_t id)
{
	return atomic_load_explicit(&t->slot[id & TUNNEL_SLOT_MASK], memory_order_acquire);
}

/* Worker. The tunnel of a client of P_DATA_V1, or NULL. */
struct tunnel *tunnel_find_address(
	const struct tunnel_table *t, const struct ip_endpoint *remote, uint16_t local_port);

#endif
