// SPDX-License-Identifier: Apache-2.0
/*
 * WireGuard handshakes a second that one core can answer: initiations as the path hands them over, one
 * round of keying after the other, responses and sessions come out. What the clients compute is made
 * before the clock starts. Twice: of peers that keying knew nothing of (five multiplications on the
 * curve), and of the same ones again (four: the secret of the two static keys is kept while a session
 * lives). One line of JSON a figure.
 *
 *   bench/handshake [PEERS]
 */
#include "dataplane/base/clock.h"
#include "dataplane/keying/keying_private.h"
#include "dataplane/table/underlay.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_ring.h>

enum {
	PEERS_DEFAULT = 4000,
	BATCH = 32, /* initiations that wait in the ring */
	OUTER = 42, /* Ethernet, IPv4, UDP */
	PACKETS = 2047,
	HUB_PORT = 51820,
	PEER_PORT = 10000,
};

struct client {
	struct noise_identity identity;
	struct noise_remote hub;
	struct cookie_maker cookie;
	struct peer *peer;
	struct message_handshake_initiation initiation;
};

static struct keying k;
static struct rings rings;
static struct tables *tables;
static struct instance *instance;
static struct key hub_public;

static void must(const char *what, int err)
{
	if (err == 0)
		return;
	(void)fprintf(stderr, "bench/handshake: %s: %s\n", what, strerrordesc_np(-err));
	_exit(1);
}

static struct ip_prefix prefix(const char *text)
{
	struct ip_prefix p;
	must(text, ip_prefix_parse(text, &p));
	return p;
}

static void start_hub(void)
{
	static char name[] = "handshake", huge[] = "--no-huge", m[] = "-m", mb[] = "64";
	static char pci[] = "--no-pci", shconf[] = "--no-shconf", iova[] = "--iova-mode=va";
	static char telemetry[] = "--no-telemetry", lcores[] = "--lcores=0",
		    level[] = "--log-level=error";
	char *argv[] = {name, huge, m, mb, pci, shconf, iova, telemetry, lcores, level, NULL};
	struct ip_prefix own = prefix("203.0.113.1/24");
	struct neighbour gateway = {.addr = prefix("203.0.113.254/32").addr,
		.mac = {2, 2},
		.state = NEIGHBOUR_REACHABLE};
	struct underlay_route route = {.prefix = prefix("0.0.0.0/0"), .gateway = gateway.addr};
	struct instance_settings s = {.id.bytes = {1},
		.number = 1,
		.wireguard_port = HUB_PORT,
		.mtu = 1420,
		.address4 = prefix("10.0.0.1/8"),
		.address6 = prefix("fd00::1/64")};
	struct key private_key;
	must("EAL", rte_eal_init(10, argv) < 0 ? -EIO : 0);
	must("packets", rings_init(&rings, PACKETS, 1, ETHERNET_MTU));
	must("tables", tables_new(&tables));
	tables->ports = 1;
	tables->port[0] = (struct port){.name = "memory", .mac = {2, 1}};
	must("address", underlay_address_set(tables, 0, &own, 0));
	must("route", underlay_route_set(tables, &route));
	must("neighbour", neighbour_set(tables, &gateway));
	struct keying_config config = {.tables = tables,
		.rings = &rings,
		.counters = counter_registry_add(&tables->counters)};
	must("keying", keying_init(&k, &config));
	k.now_ns = clock_monotonic_ns();
	must("instance", instance_set(tables, &s, &instance));
	must("key", key_generate(&private_key));
	must("identity", keying_instance_apply(&k, instance, &private_key));
	hub_public = ((struct keying_instance *)instance->keying)->identity.public_key;
}

static void stop_hub(void)
{
	keying_fini(&k);
	tables_free(tables);
	rings_fini(&rings);
}

static void add_client(struct client *c, uint32_t number)
{
	struct peer_settings s = {
		.instance = instance, .type = PEER_TYPE_SITE, .allowed_any = true};
	struct key private_key;
	bool created;
	must("key", key_generate(&private_key));
	must("identity", noise_identity_init(&c->identity, &private_key));
	noise_remote_init(&c->hub, &hub_public, &(const struct key){{0}});
	cookie_maker_init(&c->cookie, &hub_public);
	memcpy(s.id.bytes, &number, sizeof(number));
	s.id.bytes[15] = 2;
	s.public_key = c->identity.public_key;
	must("peer", peer_set(tables, &s, &c->peer, &created));
	struct keying_peer kp = {.peer = c->peer};
	keying_peer_apply(&k, &kp);
}

static void put_initiation(const struct client *c, uint32_t number)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(rings.pool);
	uint8_t *frame =
		m != NULL ? (uint8_t *)rte_pktmbuf_append(m, OUTER + sizeof(c->initiation)) : NULL;
	must("packet", frame != NULL ? 0 : -ENOMEM);
	struct ip_prefix net = prefix("198.18.0.0/15"), own = prefix("203.0.113.1/32");
	struct ip_addr from = ip_prefix_host(&net, number);
	memcpy(frame + OUTER, &c->initiation, sizeof(c->initiation));
	memset(pkt_of(m), 0, sizeof(struct pkt));
	pkt_of(m)->outer_len = OUTER;
	pkt_of(m)->handle = instance_handle(instance);
	struct keying_message message = {.type = KEYING_HANDSHAKE,
		.mbuf = m,
		.remote = from,
		.remote_port = PEER_PORT,
		.local = own.addr,
		.local_port = HUB_PORT,
		.queued_us = keying_message_time(k.now_ns)};
	must("ring", rings_keying_put(&rings, &message) ? 0 : -ENOSPC);
}

/* What went out is not our business here. */
static unsigned int take_responses(void)
{
	unsigned int n = 0;
	void *m = NULL;
	while (rte_ring_dequeue(rings.inject[0], &m) == 0) {
		n += ((const struct rte_mbuf *)m)->data_len
			== sizeof(struct message_handshake_response);
		rte_pktmbuf_free(m);
	}
	return n;
}

/* Each client once; nanoseconds in keying. */
static uint64_t answer_all(struct client *c, uint32_t clients)
{
	uint64_t spent = 0;
	uint32_t answered = 0;
	for (uint32_t at = 0; at < clients; at += BATCH) {
		uint32_t n = clients - at < BATCH ? clients - at : BATCH;
		for (uint32_t i = at; i < at + n; i++)
			put_initiation(&c[i], i);
		uint64_t start = clock_monotonic_ns();
		while (keying_round(&k) > 0)
			;
		spent += clock_monotonic_ns() - start;
		answered += take_responses();
	}
	must("responses", answered == clients ? 0 : -EPROTO);
	return spent;
}

static void make_initiations(struct client *c, uint32_t clients)
{
	for (uint32_t i = 0; i < clients; i++) {
		must("initiation",
			noise_initiation_create(&c[i].identity, &c[i].hub, i + 1,
				clock_realtime_ns(), &c[i].initiation));
		cookie_macs_add(&c[i].cookie, &c[i].initiation, sizeof(c[i].initiation), k.now_ns);
	}
}

static void print_figure(const char *name, uint32_t count, uint64_t spent_ns)
{
	(void)printf(
		"{\"name\":\"handshake.wireguard%s.per_second\",\"value\":%.0f,\"unit\":\"handshakes/s\",\"runs\":%u}\n",
		name, (double)count * (double)NS_PER_SEC / (double)spent_ns, count);
}

int main(int argc, char **argv)
{
	uint32_t clients = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : PEERS_DEFAULT;
	struct client *c = calloc(clients, sizeof(*c));
	must("PEERS", clients > 0 && c != NULL ? 0 : -EINVAL);
	start_hub();
	for (uint32_t i = 0; i < clients; i++)
		add_client(&c[i], i);
	make_initiations(c, clients);
	print_figure("", clients, answer_all(c, clients));
	k.now_ns += NS_PER_SEC;
	make_initiations(c, clients);
	print_figure(".again", clients, answer_all(c, clients));
	stop_hub();
	free(c);
	return 0;
}
