/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_TABLE_SESSION_H
#define DATAPLANE_TABLE_SESSION_H

#include "dataplane/base/ip.h"
#include "dataplane/base/random.h"
#include "dataplane/wg/keypair.h"

#include <assert.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct peer;

/*
 * A keypair in use. Its receiver index is ours: the low bits are a random free slot of a sparse
 * array, the high bits are random, so that an index says nothing about how many peers there are
 * and finding a session takes one load and one compare.
 */
struct session {
	/* with the opener's part of the keypair in one cache line */
	struct peer *peer;
	uint32_t peer_slot; /* of it: says who owns the session, set at birth */
	_Atomic uint8_t
		confirmed; /* set: worker on the first packet of a responder's key; the same time it tells keying */
	struct keypair keypair;
} __attribute__((aligned(64)));

static_assert(offsetof(struct session, keypair.send_key) == 64, "the sealer's line");
static_assert(offsetof(struct session, keypair.replay) == 128, "the owner worker's lines");

enum {
	ENDPOINT_HEADER_MAX = 14 + 40 + 8,
};

/* Where a peer is and how to get there; immutable, replaced whole by keying, freed after a grace
 * period. What a packet over IPv4 reads is in front, in one cache line. */
struct endpoint {
	uint32_t adjacency; /* underlay_adjacency() */
	uint32_t underlay_generation;
	uint8_t is_v6;
	uint8_t header_len; /* Ethernet, IP, UDP */
	/* lengths, MAC addresses and the UDP checksum left zero; IPv4 checksum: as if the length were */
	uint8_t header[ENDPOINT_HEADER_MAX];
	struct ip_endpoint remote;
	struct ip_addr local; /* the address the peer talks to; replies come from it */
	uint16_t local_port; /* host byte order */
} __attribute__((aligned(64)));

enum {
	SESSION_SLOTS_LOG2 = 20,
	SESSION_SLOT_MASK = (1 << SESSION_SLOTS_LOG2) - 1,
	SESSION_HANDSHAKE_TAG = 1,
};

struct session_table {
	/* set: keying; read: workers. A session, or a peer with the tag while a handshake is on its way */
	_Atomic uintptr_t *value;
	_Atomic uint32_t count; /* of indices held; set: keying; read: server */
	/* keying thread only */
	uint32_t *index; /* the whole index that holds the slot */
	struct random_words random;
};

int session_table_new(struct session_table **ret);
void session_table_free(struct session_table *t);

/*
 * Keying thread. An index is first reserved for a peer's handshake, then bound to its session.
 * reserve: 0, -ENOSPC, or -errno of the random source.
 */
int session_index_reserve(struct session_table *t, struct peer *p, uint32_t *ret_index);
void session_index_bind(struct session_table *t, uint32_t index, struct session *s);
void session_index_release(struct session_table *t, uint32_t index);
/* Indices that are held. Any thread. */
uint32_t session_table_count(const struct session_table *t);
/* Bytes of address space that a table takes, however few are held. */
size_t session_table_reserved(void);
/* The peer whose handshake or session holds the index; NULL. Keying thread. */
struct peer *session_index_peer(const struct session_table *t, uint32_t index);

/* Worker. Before session_lookup(): the table is large, and its slots are drawn at random. */
static inline void session_prefetch(const struct session_table *t, uint32_t index)
{
	__builtin_prefetch((const void *)&t->value[index & SESSION_SLOT_MASK]);
}

/* Worker. The session in the slot of that index, or NULL. The caller still compares
 * keypair.local_index with the whole index: apart, so that a burst can prefetch in between. */
static inline struct session *session_lookup(const struct session_table *t, uint32_t index)
{
	uintptr_t value =
		atomic_load_explicit(&t->value[index & SESSION_SLOT_MASK], memory_order_acquire);
	if ((value & SESSION_HANDSHAKE_TAG) != 0)
		return NULL;
	return (struct session *)value; // NOLINT(performance-no-int-to-ptr)
}

#endif
