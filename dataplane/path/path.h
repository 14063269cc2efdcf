/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_PATH_PATH_H
#define DATAPLANE_PATH_PATH_H

#include "dataplane/table/counter.h"
#include "dataplane/table/pkt.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

struct aead;
struct cipher_engine;
struct keying_message;
struct peer;
struct reassembly;
struct rings;
struct tables;

/*
 * The packet's way. Each worker owns one struct path and runs it to completion: it puts packets
 * into the vector of a stage, and path_run() calls the stages in the order of path.c. A stage
 * takes its whole vector and appends each packet to the vector of a later stage, or drops it
 * with a reason. No lock, log, system call or allocation in here; no assert: every packet is
 * hostile.
 */
enum stage {
	STAGE_CLASSIFY,
	STAGE_REASSEMBLE,
	STAGE_HANDOFF,
	STAGE_WG_INPUT,
	STAGE_OVPN_INPUT,
	STAGE_SOURCE_CHECK,
	STAGE_ROUTE_LOOKUP,
	STAGE_ACCESS,
	STAGE_FORWARD,
	STAGE_HOST,
	STAGE_EGRESS,
	STAGE_ICMP_ERROR,
	STAGE_WG_OUTPUT,
	STAGE_OVPN_OUTPUT,
	STAGE_UDP_OUTPUT,
	STAGE_FRAGMENT,
	STAGE_TO_KEYING,
	STAGE_PUNT,
	STAGE_TX,
	STAGE__COUNT,
};

enum {
	PATH_VECTOR = 256, /* most packets in one run */
};

struct vector {
	uint16_t count;
	struct rte_mbuf *packet[PATH_VECTOR];
};

/* Where the burst that begins there ends; first may be behind the vector. */
static inline unsigned int vector_burst_end(
	const struct vector *v, unsigned int first, unsigned int burst)
{
	return first + burst < v->count ? first + burst : v->count;
}

struct path {
	struct tables *tables;
	struct rings *rings;
	struct counters *counters;
	struct aead *aead;
	struct cipher_engine *cipher;
	struct reassembly *reassembly;
	unsigned int worker; /* its number */
	unsigned int workers; /* of all */
	enum stage data_stage; /* where classify sends data: one worker hands nothing over */
	uint64_t now_ns; /* CLOCK_MONOTONIC at the start of the run */
	uint64_t icmp_tokens_ns; /* icmp_error.c: how much of the rate limit is saved up */
	uint64_t icmp_last_ns;
	uint8_t tos_mask; /* of an inner packet's type of service: what its outer one gets */
	uint16_t packets; /* in this run, so far */
	struct vector vector[STAGE__COUNT];
	struct vector dropped;
};

/* Borrows all three until path_fini; worker: whose path it is, below t->workers. Makes the path's
 * own seal and open queue: 0 or -errno. */
int path_init(
	struct path *p, struct tables *t, struct rings *r, struct counters *c, unsigned int worker);
void path_fini(struct path *p);

/* Puts packets that a port received into the path; at most PATH_VECTOR a run with those of
 * path_inject(). pkt.port tells the port. */
void path_receive(struct path *p, uint8_t port, struct rte_mbuf *const *packets, uint16_t count);
/* Puts packets of the worker's inject and handoff rings into the stage that pkt.inject names. */
void path_inject(struct path *p, struct rte_mbuf *const *packets, uint16_t count);
/* Runs every stage once. Afterwards all packets are sent, handed over or freed, but fragments that
 * wait for others. */
void path_run(struct path *p, uint64_t now_ns);
/* Something waits: path_run() must go on being called, also without packets. */
bool path_waits(const struct path *p);

/* For the stages. */
static inline void path_push(struct path *p, enum stage to, struct rte_mbuf *m)
{
	struct vector *v = &p->vector[to];
	v->packet[v->count++] = m;
}

/* The stage that opens what a tunnel brings. */
static inline enum stage input_stage(const struct pkt *k)
{
	return k->is_openvpn ? STAGE_OVPN_INPUT : STAGE_WG_INPUT;
}

/* Counted, and freed after the run at the latest. Cold, so that what leads here is kept off the hot
 * way. */
__rte_cold void path_drop(struct path *p, struct rte_mbuf *m, enum counter reason);

/* How many packets may be made out of one another in this run: no vector holds more. */
static inline unsigned int path_room(const struct path *p)
{
	return p->packets < PATH_VECTOR ? (unsigned int)(PATH_VECTOR - p->packets) : 0;
}

/* Tells keying once: while *told is set, it knows, and it clears it when it has done its part. */
__rte_cold void path_tell_keying(
	struct path *p, _Atomic uint8_t *told, const struct keying_message *m);
/* The peer's key still serves, but it is time for the next one. */
__rte_cold void path_ask_for_rekey(struct path *p, struct peer *peer);

/* An authentic packet of the peer, of which m is the frame, did not come from its endpoint. */
__rte_cold void path_tell_roaming(struct path *p, struct peer *peer, const struct rte_mbuf *m);

/* Into the handoff ring of another worker; what does not fit is dropped. pkt.inject says what to do
 * there, and no pointer in struct pkt counts any more. */
void path_hand_over(struct path *p, unsigned int worker, struct rte_mbuf **packets, uint16_t count);

/* Drops, and tells the sender why by ICMP where that is allowed: type and code of RFC 792 and
 * RFC 4443 (the IPv6 ones are taken for IPv6 packets). */
struct icmp_reason {
	uint8_t type4, code4, type6, code6;
};
__rte_cold void path_refuse(
	struct path *p, struct rte_mbuf *m, enum counter reason, const struct icmp_reason *why);

void classify(struct path *p, struct vector *in);
void reassemble(struct path *p, struct vector *in);
void handoff(struct path *p, struct vector *in);
void wg_input(struct path *p, struct vector *in);
void ovpn_input(struct path *p, struct vector *in);
void source_check(struct path *p, struct vector *in);
void route_lookup(struct path *p, struct vector *in);
void access_check(struct path *p, struct vector *in);
void forward(struct path *p, struct vector *in);
void host(struct path *p, struct vector *in);
void egress(struct path *p, struct vector *in);
void icmp_error(struct path *p, struct vector *in);
void wg_output(struct path *p, struct vector *in);
void ovpn_output(struct path *p, struct vector *in);
void udp_output(struct path *p, struct vector *in);
void fragment(struct path *p, struct vector *in);
void to_keying(struct path *p, struct vector *in);
void punt(struct path *p, struct vector *in);
void tx(struct path *p, struct vector *in);

#endif
