/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_MEMORY_HUB_H
#define BENCH_MEMORY_HUB_H

#include "dataplane/crypto/aead.h"
#include "dataplane/path/path.h"
#include "dataplane/table/rings.h"
#include "dataplane/table/tables.h"

#include <stdint.h>

struct memory_hub_settings {
	unsigned int peers;
	uint32_t flags; /* enum instance_flag */
	unsigned int mbufs;
	bool sites; /* peers are sites, else clients */
	unsigned int workers; /* 0 is 1 */
	unsigned int queue_size; /* of the port, frames; a power of two; 0 is 1024 */
	const char *lcores; /* as EAL takes them; NULL: one, on core 0 */
};

/*
 * A hub without network, for bench and for the unit tests of path and worker, who bring the threads: the real
 * tables and the real path on an in-memory port (net_ring). Peers have sessions with random keys,
 * so that anybody can make their packets. One a process. Peer N (from 0) has 10.0.0.0 + N + 2 and
 * fd00::N+2, and sits at 198.51.100.1 port 10000 + N.
 */
struct memory_hub {
	struct rings rings;
	struct tables *tables;
	struct counters *counters;
	struct path path; /* worker 0's */
	struct aead *sealer; /* of the peers' side */
	struct instance *instance;
	struct peer **peer; /* owned array */
	uint64_t *counter; /* owned array: the next counter of each peer */
	unsigned int peers;
	struct memory_hub_settings settings;
	/* by queue of the port, one a worker: what comes in, and what the path has sent */
	struct rte_ring *arriving[TABLE_MAX_WORKERS], *sent[TABLE_MAX_WORKERS];
	uint64_t now_ns;
};

/* Starts the EAL. 0 or -errno. */
int memory_hub_new(struct memory_hub *h, const struct memory_hub_settings *s);
void memory_hub_free(struct memory_hub *h);
/*
 * As server and keying would, while workers run: each waits for a grace period before it frees. All
 * of the hub goes with its instance, and comes again with it. 0 or -errno.
 */
int memory_hub_peer_add(struct memory_hub *h, unsigned int peer);
void memory_hub_peer_del(struct memory_hub *h, unsigned int peer);
/* Another session in place of the one that the peer has. */
int memory_hub_rekey(struct memory_hub *h, unsigned int peer);
int memory_hub_instance_add(struct memory_hub *h);
void memory_hub_instance_del(struct memory_hub *h);
/* A peer's inner addresses. */
struct ip_addr memory_hub_address4(unsigned int peer);
struct ip_addr memory_hub_address6(unsigned int peer);
/*
 * The frame in which a peer sends this inner packet, sealed and with a fresh counter; the padding
 * is made here. NULL without buffers.
 */
struct rte_mbuf *memory_hub_frame(
	struct memory_hub *h, unsigned int from, const uint8_t *inner, uint16_t len);
enum {
	MEMORY_HUB_OUTER = 14 + 20 + 8,
};

/* Ethernet, IPv4 and UDP of a frame from that peer to a port of the hub; payload: bytes behind. */
void memory_hub_write_outer(
	struct memory_hub *h, uint8_t *frame, unsigned int from, uint16_t port, uint16_t payload);
/* An IPv4 UDP packet of len bytes from one peer to another. */
void memory_hub_inner4(
	uint8_t *ret, uint16_t len, const struct ip_addr *from, const struct ip_addr *to);
/* Runs the path over these frames. */
void memory_hub_run(struct memory_hub *h, struct rte_mbuf **frames, uint16_t count);
/* Takes back what was sent by all queues; the number of frames. */
unsigned int memory_hub_sent(struct memory_hub *h, struct rte_mbuf **ret, unsigned int max);
uint64_t memory_hub_count(const struct memory_hub *h, enum counter which);

#endif
