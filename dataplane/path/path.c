// SPDX-License-Identifier: Apache-2.0
/*
 * The table below is the product: what happens to a packet, in order. A stage only ever appends
 * to the vector of a later one, so one walk down the table empties all vectors.
 */
#include "dataplane/path/path.h"

#include "dataplane/crypto/aead.h"
#include "dataplane/crypto/cipher.h"
#include "dataplane/path/ecn.h"
#include "dataplane/path/outer.h"
#include "dataplane/path/output.h"
#include "dataplane/path/reassembly.h"
#include "dataplane/table/capture.h"
#include "dataplane/table/instance.h"
#include "dataplane/table/peer.h"
#include "dataplane/table/rings.h"
#include "dataplane/table/tables.h"

#include <stdatomic.h>
#include <string.h>

#include <rte_ring.h>

enum {
	HANDSHAKE_TOS =
		0x88, /* AF41 (RFC 2597), as elsewhere: a handshake is not to wait behind data */
};

static const struct {
	const char *name;
	void (*run)(struct path *p, struct vector *in);
} stages[STAGE__COUNT] = {
	[STAGE_CLASSIFY] = {"classify", classify}, /* outer headers: whose is the frame? */
	[STAGE_REASSEMBLE] = {"reassemble", reassemble}, /* fragments, to whole datagrams */
	[STAGE_HANDOFF] = {"handoff", handoff}, /* another worker owns the peer: its work */
	[STAGE_WG_INPUT] = {"wg_input", wg_input}, /* index, open, replay, roaming */
	[STAGE_OVPN_INPUT] = {"ovpn_input", ovpn_input}, /* peer id, key id, open, replay, float */
	[STAGE_SOURCE_CHECK] = {"source_check", source_check}, /* is the inner source the peer's? */
	[STAGE_ROUTE_LOOKUP] = {"route_lookup",
		route_lookup}, /* inner destination: peer, egress, host */
	[STAGE_ACCESS] = {"access", access_check}, /* may this peer go there? */
	[STAGE_FORWARD] = {"forward", forward}, /* TTL, MTU, MSS */
	[STAGE_HOST] = {"host", host}, /* the hub's own inner address */
	[STAGE_EGRESS] = {"egress", egress}, /* to the internet, through Linux */
	[STAGE_ICMP_ERROR] = {"icmp_error", icmp_error}, /* tell the sender what was refused */
	[STAGE_WG_OUTPUT] = {"wg_output", wg_output}, /* counter, padding, seal */
	[STAGE_OVPN_OUTPUT] = {"ovpn_output", ovpn_output}, /* framing, packet id, seal */
	[STAGE_UDP_OUTPUT] = {"udp_output", udp_output}, /* outer headers, neighbour */
	[STAGE_FRAGMENT] = {"fragment", fragment}, /* larger than the port's MTU: in pieces */
	[STAGE_TO_KEYING] = {"to_keying", to_keying}, /* handshakes */
	[STAGE_PUNT] = {"punt", punt}, /* what is the host's */
	[STAGE_TX] = {"tx", tx},
};

int path_init(
	struct path *p, struct tables *t, struct rings *r, struct counters *c, unsigned int worker)
{
	memset(p, 0, sizeof(*p));
	p->tables = t;
	p->rings = r;
	p->counters = c;
	p->worker = worker;
	p->workers = t->workers;
	p->tos_mask = t->copy_dscp ? UINT8_MAX : ECN_MASK;
	p->data_stage = t->workers > 1 ? STAGE_HANDOFF : STAGE_WG_INPUT;
	int err = reassembly_new(&p->reassembly);
	if (err == 0)
		err = aead_new(&p->aead);
	return err == 0 ? cipher_engine_new(&p->cipher) : err;
}

void path_fini(struct path *p)
{
	cipher_engine_free(p->cipher);
	p->cipher = NULL;
	aead_free(p->aead);
	p->aead = NULL;
	reassembly_free(p->reassembly);
	p->reassembly = NULL;
}

void path_receive(struct path *p, uint8_t port, struct rte_mbuf *const *packets, uint16_t count)
{
	uint64_t bytes = 0;
	for (uint16_t i = 0; i < count; i++) {
		struct pkt *k = pkt_of(packets[i]);
		memset(k, 0, sizeof(*k));
		k->port = port;
		bytes += packets[i]->data_len;
		path_push(p, STAGE_CLASSIFY, packets[i]);
	}
	p->packets = (uint16_t)(p->packets + count);
	counter_add(p->counters, COUNTER_RX_PACKETS, count);
	counter_add(p->counters, COUNTER_RX_BYTES, bytes);
}

static void free_dropped(struct path *p)
{
	rte_pktmbuf_free_bulk(p->dropped.packet, p->dropped.count);
	p->dropped.count = 0;
}

void path_drop(struct path *p, struct rte_mbuf *m, enum counter reason)
{
	counter_add(p->counters, reason, 1);
	/* pieces of packets are more than a vector: see fragment.c */
	if (p->dropped.count == PATH_VECTOR)
		free_dropped(p);
	p->dropped.packet[p->dropped.count++] = m;
}

void path_tell_keying(struct path *p, _Atomic uint8_t *told, const struct keying_message *m)
{
	if (atomic_exchange_explicit(told, 1, memory_order_relaxed) == 0
		&& !rings_keying_put(p->rings, m))
		atomic_store_explicit(
			told, 0, memory_order_relaxed); /* the next packet tries again */
}

void path_ask_for_rekey(struct path *p, struct peer *peer)
{
	struct keying_message message = {.type = KEYING_WANT_KEY, .peer = peer_handle(peer)};
	path_tell_keying(p, &peer->wants_key, &message);
}

void path_tell_roaming(struct path *p, struct peer *peer, const struct rte_mbuf *m)
{
	struct outer o;
	outer_read(m, pkt_of((struct rte_mbuf *)m), &o);
	struct keying_message message = {
		.type = KEYING_ROAM,
		.peer = peer_handle(peer),
		.remote = o.source.addr,
		.remote_port = o.source.port,
		.local = o.local,
		.local_port = o.local_port,
	};
	path_tell_keying(p, &peer->roaming, &message);
}

/* What a handle named may be gone by now: then the packet goes too. */
static void inject_to_peer(struct path *p, struct rte_mbuf *m, struct pkt *k)
{
	k->to = peer_from_handle(p->tables, k->handle);
	if (k->to == NULL) {
		path_drop(p, m, COUNTER_DROP_INJECT_STALE);
		return;
	}
	k->instance = k->to->instance;
	if (k->inject == PKT_INJECT_PEER_INNER) {
		path_push(p, output_stage(k->to), m);
		return;
	}
	k->outer_tos = HANDSHAKE_TOS;
	k->endpoint = atomic_load_explicit(&k->to->endpoint, memory_order_acquire);
	if (k->endpoint == NULL)
		path_drop(p, m, COUNTER_DROP_NO_ENDPOINT);
	else
		path_push(p, STAGE_UDP_OUTPUT, m);
}

/* Opened already, by the thread of the stream. */
static void inject_from_peer(struct path *p, struct rte_mbuf *m, struct pkt *k)
{
	k->from = peer_from_handle(p->tables, k->handle);
	if (k->from == NULL) {
		path_drop(p, m, COUNTER_DROP_INJECT_STALE);
		return;
	}
	k->instance = k->from->instance;
	capture_packet(p->rings, p->counters, m, k->from, PEER_CAPTURE_INNER, false);
	path_push(p, STAGE_SOURCE_CHECK, m);
}

static void inject_from_host(struct path *p, struct rte_mbuf *m, struct pkt *k)
{
	k->instance = instance_from_handle(p->tables, k->handle);
	if (k->instance == NULL)
		path_drop(p, m, COUNTER_DROP_INJECT_STALE);
	else
		path_push(p, STAGE_SOURCE_CHECK, m);
}

static void take_over(struct path *p, struct rte_mbuf *m, struct pkt *k)
{
	k->instance = instance_from_handle(p->tables, k->handle);
	if (k->instance == NULL)
		path_drop(p, m, COUNTER_DROP_INJECT_STALE);
	else
		path_push(p, input_stage(k), m);
}

void path_inject(struct path *p, struct rte_mbuf *const *packets, uint16_t count)
{
	p->packets = (uint16_t)(p->packets + count);
	/* another core wrote them last */
	for (uint16_t i = 0; i < count; i++) {
		rte_prefetch0(packets[i]);
		rte_prefetch0(pkt_of(packets[i]));
	}
	for (uint16_t i = 0; i < count; i++) {
		struct rte_mbuf *m = packets[i];
		struct pkt *k = pkt_of(m);
		rte_prefetch0(rte_pktmbuf_mtod(m, const void *));
		k->from = NULL;
		switch ((enum pkt_inject)k->inject) {
		case PKT_INJECT_DATA:
			take_over(p, m, k);
			break;
		case PKT_INJECT_FRAGMENT:
			path_push(p, STAGE_REASSEMBLE, m);
			break;
		case PKT_INJECT_TX:
			path_push(p, STAGE_TX, m);
			break;
		case PKT_INJECT_ROUTE:
			inject_from_host(p, m, k);
			break;
		case PKT_INJECT_FROM_PEER:
			inject_from_peer(p, m, k);
			break;
		case PKT_INJECT_PEER_INNER:
		case PKT_INJECT_PEER_OUTER:
			inject_to_peer(p, m, k);
			break;
		}
	}
}

void path_run(struct path *p, uint64_t now_ns)
{
	p->now_ns = now_ns;
	for (unsigned int s = 0; s < STAGE__COUNT; s++) {
		struct vector *in = &p->vector[s];
		if (in->count == 0)
			continue;
		stages[s].run(p, in);
		in->count = 0;
	}
	free_dropped(p);
	p->packets = 0;
	reassembly_expire(p);
}

bool path_waits(const struct path *p)
{
	return p->reassembly->used > 0;
}
