/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_TABLE_RINGS_H
#define DATAPLANE_TABLE_RINGS_H

#include "dataplane/base/ip.h"
#include "dataplane/table/tables.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

struct rte_mbuf;
struct rte_mempool;
struct rte_ring;

/*
 * The bounded rings between threads. Messages are tagged, name peers and instances by handle, and
 * own at most one mbuf; a full ring makes the sender drop and count.
 */
enum keying_message_type {
	KEYING_HANDSHAKE, /* mbuf: the frame of a message of type 1, 2 or 3; pkt filled by classify */
	KEYING_WANT_KEY, /* mbuf (may be NULL): an inner packet that waits for a key, or for
			  * the endpoint that an earlier KEYING_ROAM brings; peer */
	KEYING_PROMOTE, /* peer, index: first packet under a responder's key */
	KEYING_ROAM, /* peer, remote, local: an authenticated packet came from a new address */
	KEYING_STALE_ENDPOINT, /* peer: the underlay changed since its endpoint was made */
	KEYING_OPENVPN, /* mbuf: the frame of a control packet; pkt filled by classify */
	KEYING_TUNNEL_EXIT, /* peer, index: of its tunnel; the client goes */
	KEYING_TUNNEL_RENEW, /* peer, index: of its tunnel; a data key is nearly used up */
};

/* Worker to keying. */
struct keying_message {
	uint8_t type;
	uint8_t pad[3];
	uint32_t index;
	uint64_t peer;
	struct rte_mbuf *mbuf;
	struct ip_addr remote, local;
	uint16_t remote_port, local_port; /* host byte order */
	uint32_t queued_us; /* of KEYING_HANDSHAKE: keying_message_time() when it was put in */
};

static_assert(sizeof(struct keying_message) == 64, "one cache line");

/* Microseconds, of which only differences count: they wrap around after an hour. */
static inline uint32_t keying_message_time(uint64_t monotonic_ns)
{
	return (uint32_t)(monotonic_ns / 1000);
}

struct rings {
	struct rte_mempool *pool; /* packets; shared by all threads */
	struct rte_ring *keying; /* struct keying_message; producers: workers; consumer: keying */
	/* struct rte_mbuf *, inner packets for TCP streams, pkt.handle: peer; producers: workers; consumer: keying */
	struct rte_ring *stream;
	struct rte_ring *host; /* struct rte_mbuf *; producers: workers; consumer: host I/O */
	/* struct rte_mbuf *, pkt.inject says what; one ring a worker, which is its consumer. Apart,
	 * so that a flood of data leaves room for handshakes */
	struct rte_ring *inject[TABLE_MAX_WORKERS]; /* producers: keying, host I/O */
	struct rte_ring *handoff[TABLE_MAX_WORKERS]; /* producers: the other workers */
};

/* mtu: the largest of all ports; mbufs: size of the pool; workers: 1 to TABLE_MAX_WORKERS. 0 or -errno. */
int rings_init(struct rings *r, unsigned int mbufs, unsigned int workers, unsigned int mtu);
/* Frees what is still inside. */
void rings_fini(struct rings *r);

/* false: full; the caller keeps the mbuf. */
bool rings_keying_put(struct rings *r, const struct keying_message *m);
bool rings_keying_get(struct rings *r, struct keying_message *ret);
bool rings_inject_put(struct rings *r, unsigned int worker, struct rte_mbuf *m);

#endif
