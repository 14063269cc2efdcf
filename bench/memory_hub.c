// SPDX-License-Identifier: Apache-2.0
#include "bench/memory_hub.h"

#include "dataplane/base/clock.h"
#include "dataplane/table/instance.h"
#include "dataplane/table/peer.h"
#include "dataplane/table/session.h"
#include "dataplane/table/underlay.h"
#include "dataplane/wg/messages.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_ring.h>

enum {
	HUB_PORT = 51820,
	PEER_PORT = 10000,
	QUEUE_SIZE = 1024,
};

static const uint8_t peer_mac[6] = {0x02, 0, 0, 0, 0, 0x99};

static struct ip_addr address(const char *text)
{
	struct ip_addr a;
	(void)ip_addr_parse(text, &a);
	return a;
}

static struct ip_prefix prefix(const char *text)
{
	struct ip_prefix p;
	(void)ip_prefix_parse(text, &p);
	return p;
}

struct ip_addr memory_hub_address4(unsigned int peer)
{
	struct ip_prefix p = prefix("10.0.0.0/8");
	return ip_prefix_host(&p, peer + 2);
}

struct ip_addr memory_hub_address6(unsigned int peer)
{
	struct ip_prefix p = prefix("fd00::/64");
	return ip_prefix_host(&p, peer + 2);
}

static int start_eal(const char *lcores_wanted)
{
	static char name[] = "memory_hub", huge[] = "--no-huge", m[] = "-m", mb[] = "768";
	static char pci[] = "--no-pci", shconf[] = "--no-shconf", iova[] = "--iova-mode=va";
	static char telemetry[] = "--no-telemetry", level[] = "--log-level=error", lcores[64];
	(void)snprintf(
		lcores, sizeof(lcores), "--lcores=%s", lcores_wanted != NULL ? lcores_wanted : "0");
	char *argv[] = {name, huge, m, mb, pci, shconf, iova, telemetry, lcores, level, NULL};
	return rte_eal_init(10, argv) >= 0 ? 0 : -rte_errno;
}

static struct rte_ring *port_ring(const char *name, unsigned int queue, unsigned int size)
{
	char text[32];
	(void)snprintf(text, sizeof(text), "%s%u", name, queue);
	return rte_ring_create(text, size, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
}

static int open_port(struct memory_hub *h, unsigned int size)
{
	static const struct rte_eth_conf conf;
	uint16_t queues = (uint16_t)h->tables->workers;
	for (unsigned int q = 0; q < queues; q++) {
		h->arriving[q] = port_ring("arriving", q, size);
		h->sent[q] = port_ring("sent", q, size);
		if (h->arriving[q] == NULL || h->sent[q] == NULL)
			return -rte_errno;
	}
	int id = rte_eth_from_rings("memory", h->arriving, queues, h->sent, queues, SOCKET_ID_ANY);
	if (id < 0)
		return -rte_errno;
	uint16_t ethdev = (uint16_t)id;
	int err = rte_eth_dev_configure(ethdev, queues, queues, &conf);
	for (uint16_t q = 0; err == 0 && q < queues; q++) {
		err = rte_eth_rx_queue_setup(ethdev, q, 64, SOCKET_ID_ANY, NULL, h->rings.pool);
		if (err == 0)
			err = rte_eth_tx_queue_setup(ethdev, q, 64, SOCKET_ID_ANY, NULL);
	}
	if (err == 0)
		err = rte_eth_dev_start(ethdev);
	if (err != 0)
		return err;
	struct port *p = &h->tables->port[h->tables->ports++];
	*p = (struct port){.name = "memory",
		.ethdev = ethdev,
		.mtu = 1500,
		.mac = {2, 0, 0, 0, 0, 1},
		.rx_queues = queues,
		.tx_queues = queues};
	return 0;
}

static int set_underlay(struct memory_hub *h)
{
	struct ip_prefix own = prefix("203.0.113.1/24");
	struct underlay_route route = {
		.prefix = prefix("0.0.0.0/0"), .gateway = address("203.0.113.254")};
	struct neighbour gateway = {
		.addr = address("203.0.113.254"), .state = NEIGHBOUR_REACHABLE, .known = true};
	memcpy(gateway.mac, peer_mac, sizeof(peer_mac));
	int err = underlay_address_set(h->tables, 0, &own, 0);
	if (err == 0)
		err = underlay_route_set(h->tables, &route);
	return err == 0 ? neighbour_set(h->tables, &gateway) : err;
}

static int set_instance(struct memory_hub *h)
{
	struct instance_settings s = {
		.number = 1,
		.wireguard_port = HUB_PORT,
		.mtu = 1420,
		.flags = h->settings.flags,
		.address4 = prefix("10.0.0.1/8"),
		.address6 = prefix("fd00::1/64"),
	};
	s.id.bytes[0] = 1;
	int err = instance_set(h->tables, &s, &h->instance);
	struct ip_prefix own4 = ip_prefix_of(&s.address4.addr),
			 own6 = ip_prefix_of(&s.address6.addr);
	if (err == 0)
		err = route_set(h->instance, &own4, ROUTE_HOST, NULL);
	return err == 0 ? route_set(h->instance, &own6, ROUTE_HOST, NULL) : err;
}

static int give_endpoint(struct memory_hub *h, struct peer *p, unsigned int number)
{
	struct neighbour missing;
	bool is_missing;
	struct endpoint *e = slab_alloc(&h->tables->endpoint_memory);
	if (e == NULL)
		return -ENOMEM;
	e->remote.addr = address("198.51.100.1");
	e->remote.port = (uint16_t)(PEER_PORT + number % 50000);
	e->local_port = HUB_PORT;
	int err = underlay_resolve(h->tables, e, &is_missing, &missing);
	if (err != 0) {
		slab_free(e);
		return err;
	}
	p->endpoint = e;
	return 0;
}

static int give_session(struct memory_hub *h, struct peer *p)
{
	struct session *s = slab_alloc(&h->tables->session_memory);
	if (s == NULL)
		return -ENOMEM;
	s->peer = p;
	s->peer_slot = p->slot;
	s->confirmed = 1;
	s->keypair.birth_ns = h->now_ns;
	s->keypair.remote_index = 7;
	int err = key_generate(&s->keypair.receive_key);
	if (err == 0)
		err = key_generate(&s->keypair.send_key);
	if (err == 0)
		err = session_index_reserve(h->tables->sessions, p, &s->keypair.local_index);
	if (err != 0) {
		slab_free(s);
		return err;
	}
	session_index_bind(h->tables->sessions, s->keypair.local_index, s);
	p->current = s;
	return 0;
}

int memory_hub_peer_add(struct memory_hub *h, unsigned int peer)
{
	struct peer_settings s = {
		.instance = h->instance,
		.type = h->settings.sites ? PEER_TYPE_SITE : PEER_TYPE_CLIENT,
		.allowed_any = true,
	};
	bool created;
	struct ip_addr v4 = memory_hub_address4(peer), v6 = memory_hub_address6(peer);
	struct ip_prefix route4 = ip_prefix_of(&v4), route6 = ip_prefix_of(&v6);
	memcpy(s.id.bytes, &peer, sizeof(peer));
	s.id.bytes[15] = 2;
	int err = key_generate(&s.public_key);
	if (err == 0)
		err = peer_set(h->tables, &s, &h->peer[peer], &created);
	if (err == 0)
		err = route_set(h->instance, &route4, ROUTE_PEER, h->peer[peer]);
	if (err == 0)
		err = route_set(h->instance, &route6, ROUTE_PEER, h->peer[peer]);
	if (err == 0)
		err = give_endpoint(h, h->peer[peer], peer);
	return err == 0 ? give_session(h, h->peer[peer]) : err;
}

/* What keying would have let go of; no packet finds it any more. Freed with the next grace period. */
static void retire(struct memory_hub *h, struct peer *p)
{
	struct session *s = atomic_exchange(&p->current, NULL);
	struct endpoint *e = atomic_exchange(&p->endpoint, NULL);
	if (s != NULL) {
		session_index_release(h->tables->sessions, s->keypair.local_index);
		tables_retire_object(h->tables, s);
	}
	if (e != NULL)
		tables_retire_object(h->tables, e);
}

void memory_hub_peer_del(struct memory_hub *h, unsigned int peer)
{
	peer_unlink(h->tables, h->peer[peer]);
	retire(h, h->peer[peer]);
	h->peer[peer] = NULL;
	h->counter[peer] = 0;
	tables_reclaim(h->tables);
}

int memory_hub_rekey(struct memory_hub *h, unsigned int peer)
{
	struct session *old = h->peer[peer]->current;
	int err = give_session(h, h->peer[peer]);
	if (err != 0)
		return err;
	h->counter[peer] = 0;
	session_index_release(h->tables->sessions, old->keypair.local_index);
	tables_retire_object(h->tables, old);
	tables_reclaim(h->tables);
	return 0;
}

int memory_hub_instance_add(struct memory_hub *h)
{
	int err = set_instance(h);
	for (unsigned int n = 0; err == 0 && n < h->peers; n++)
		err = memory_hub_peer_add(h, n);
	return err;
}

void memory_hub_instance_del(struct memory_hub *h)
{
	instance_unlink(h->tables, h->instance);
	for (unsigned int n = 0; n < h->peers; n++) {
		retire(h, h->peer[n]);
		h->peer[n] = NULL;
		h->counter[n] = 0;
	}
	h->instance = NULL;
	tables_reclaim(h->tables);
}

static int fill(struct memory_hub *h)
{
	unsigned int size = h->settings.queue_size;
	h->peers = h->settings.peers;
	h->peer = calloc(h->peers, sizeof(struct peer *));
	h->counter = calloc(h->peers, sizeof(h->counter[0]));
	if (h->peer == NULL || h->counter == NULL)
		return -ENOMEM;
	int err = open_port(h, size != 0 ? size : QUEUE_SIZE);
	if (err == 0)
		err = set_underlay(h);
	return err == 0 ? memory_hub_instance_add(h) : err;
}

int memory_hub_new(struct memory_hub *h, const struct memory_hub_settings *s)
{
	memset(h, 0, sizeof(*h));
	h->settings = *s;
	h->now_ns = clock_monotonic_ns();
	unsigned int workers = s->workers != 0 ? s->workers : 1;
	int err = start_eal(s->lcores);
	if (err == 0)
		err = rings_init(&h->rings, s->mbufs, workers, ETHERNET_MTU);
	if (err == 0)
		err = tables_new(&h->tables);
	if (err != 0)
		return err;
	tables_set_workers(h->tables, workers);
	h->counters = counter_registry_add(&h->tables->counters);
	err = h->counters != NULL ? aead_new(&h->sealer) : -ENOMEM;
	if (err == 0)
		err = path_init(&h->path, h->tables, &h->rings, h->counters, 0);
	return err == 0 ? fill(h) : err;
}

void memory_hub_free(struct memory_hub *h)
{
	struct rte_mbuf *left[32];
	unsigned int n;
	for (unsigned int i = 0; i < h->peers; i++) {
		if (h->peer[i] != NULL)
			retire(h, h->peer[i]);
	}
	while ((n = memory_hub_sent(h, left, 32)) > 0)
		rte_pktmbuf_free_bulk(left, n);
	path_fini(&h->path);
	aead_free(h->sealer);
	tables_free(h->tables);
	rings_fini(&h->rings);
	free(h->peer);
	free(h->counter);
	(void)rte_eal_cleanup();
}

static void write_be16(uint8_t *at, uint16_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

static uint16_t checksum(const uint8_t *data, size_t len)
{
	uint32_t sum = 0;
	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)(data[i] << 8 | data[i + 1]);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t) ~((sum & 0xffff) + (sum >> 16));
}

static void write_ipv4(uint8_t *ip, uint16_t len, const uint8_t from[4], const uint8_t to[4])
{
	memset(ip, 0, 20);
	ip[0] = 0x45;
	write_be16(ip + 2, len);
	ip[8] = 64;
	ip[9] = 17; /* UDP */
	memcpy(ip + 12, from, 4);
	memcpy(ip + 16, to, 4);
	write_be16(ip + 10, checksum(ip, 20));
}

void memory_hub_inner4(
	uint8_t *ret, uint16_t len, const struct ip_addr *from, const struct ip_addr *to)
{
	memset(ret, 0, len);
	write_ipv4(ret, len, from->bytes + 12, to->bytes + 12);
	write_be16(ret + 20, 4000);
	write_be16(ret + 22, 4001);
	write_be16(ret + 24, (uint16_t)(len - 20));
}

void memory_hub_write_outer(
	struct memory_hub *h, uint8_t *frame, unsigned int from, uint16_t port, uint16_t payload)
{
	struct ip_addr remote = address("198.51.100.1"), own = address("203.0.113.1");
	memcpy(frame, h->tables->port[0].mac, 6);
	memcpy(frame + 6, peer_mac, 6);
	write_be16(frame + 12, 0x0800);
	write_ipv4(frame + 14, (uint16_t)(28 + payload), remote.bytes + 12, own.bytes + 12);
	write_be16(frame + 34, (uint16_t)(PEER_PORT + from % 50000));
	write_be16(frame + 36, port);
	write_be16(frame + 38, (uint16_t)(8 + payload));
	write_be16(frame + 40, 0); /* RFC 768: no checksum */
}

struct rte_mbuf *memory_hub_frame(
	struct memory_hub *h, unsigned int from, const uint8_t *inner, uint16_t len)
{
	const struct session *s = h->peer[from]->current;
	uint16_t padded = (uint16_t)(len + (-len & (MESSAGE_PADDING - 1)));
	uint16_t payload = (uint16_t)(sizeof(struct message_data) + padded + AEAD_TAG_LEN);
	struct rte_mbuf *m = rte_pktmbuf_alloc(h->rings.pool);
	uint8_t *frame = m != NULL
		? (uint8_t *)rte_pktmbuf_append(m, (uint16_t)(MEMORY_HUB_OUTER + payload))
		: NULL;
	if (frame == NULL)
		return NULL;
	memory_hub_write_outer(h, frame, from, HUB_PORT, payload);
	uint8_t *message = frame + MEMORY_HUB_OUTER;
	message_write_le32(message, MESSAGE_DATA);
	message_write_le32(message + 4, s->keypair.local_index);
	message_write_le64(message + 8, h->counter[from]++);
	struct aead_job job = {.key = &s->keypair.receive_key, .data = message + 16, .len = padded};
	memcpy(job.nonce + 4, message + 8, 8);
	memset(message + 16, 0, padded);
	if (len > 0)
		memcpy(message + 16, inner, len);
	aead_chacha20_poly1305_seal(h->sealer, &job, 1);
	return m;
}

void memory_hub_run(struct memory_hub *h, struct rte_mbuf **frames, uint16_t count)
{
	path_receive(&h->path, 0, frames, count);
	path_run(&h->path, clock_monotonic_ns());
}

unsigned int memory_hub_sent(struct memory_hub *h, struct rte_mbuf **ret, unsigned int max)
{
	unsigned int n = 0;
	for (unsigned int q = 0; q < h->tables->workers; q++)
		n += rte_ring_dequeue_burst(h->sent[q], (void **)ret + n, max - n, NULL);
	return n;
}

uint64_t memory_hub_count(const struct memory_hub *h, enum counter which)
{
	return counter_registry_sum(&h->tables->counters, which);
}
