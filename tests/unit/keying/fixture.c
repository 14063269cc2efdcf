// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/keying/fixture.h"

#include "dataplane/base/clock.h"
#include "dataplane/crypto/x25519.h"
#include "dataplane/table/underlay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <rte_eal.h>
#include <rte_rcu_qsbr.h>
#include <rte_ring.h>

struct fixture f;

int fixture_start_eal(void **state)
{
	static char *args[] = {"keying_test", "--no-huge", "-m", "64", "--no-pci", "--no-shconf",
		"--no-telemetry", "--iova-mode=va", "--log-level=error", "-l", "0", NULL};
	return rte_eal_init((int)(sizeof(args) / sizeof(args[0])) - 1, args) < 0 ? -1 : 0;
}

int fixture_stop_eal(void **state)
{
	return rte_eal_cleanup();
}

static void note_event(void *ctx, const struct keying_event *e)
{
	f.event[f.events % FIXTURE_EVENTS] = *e;
	f.events++;
}

static void set_underlay(void)
{
	struct ip_prefix own;
	struct underlay_route route = {0};
	struct neighbour gateway = {.mac = {2, 9}, .state = NEIGHBOUR_REACHABLE};
	assert_int_equal(ip_prefix_parse("203.0.113.1/24", &own), 0);
	assert_int_equal(ip_prefix_parse("0.0.0.0/0", &route.prefix), 0);
	assert_int_equal(ip_addr_parse("203.0.113.254", &route.gateway), 0);
	gateway.addr = route.gateway;
	f.tables->ports = 1;
	f.tables->port[0] = (struct port){.name = "wan0", .mac = {2, 1}};
	assert_int_equal(underlay_address_set(f.tables, 0, &own, 0), 0);
	assert_int_equal(underlay_route_set(f.tables, &route), 0);
	assert_int_equal(neighbour_set(f.tables, &gateway), 0);
}

static void set_instance(void)
{
	struct instance_settings s = {
		.id.bytes = {1}, .number = 1, .wireguard_port = 51820, .mtu = 1420};
	assert_int_equal(ip_prefix_parse("10.0.0.1/16", &s.address4), 0);
	assert_int_equal(ip_prefix_parse("fd00::1/64", &s.address6), 0);
	assert_int_equal(instance_set(f.tables, &s, &f.instance), 0);
	assert_int_equal(x25519_generate(&f.hub_private), 0);
	assert_int_equal(x25519_public(&f.hub_private, &f.hub_public), 0);
	assert_int_equal(keying_instance_apply(&f.k, f.instance, &f.hub_private), 0);
}

int fixture_start(void **state)
{
	memset(&f, 0, sizeof(f));
	assert_int_equal(rings_init(&f.rings, 2047, 1, ETHERNET_MTU), 0);
	assert_int_equal(tables_new(&f.tables), 0);
	f.counters = counter_registry_add(&f.tables->counters);
	struct keying_config config = {
		.tables = f.tables, .rings = &f.rings, .counters = f.counters, .event = note_event};
	assert_int_equal(keying_init(&f.k, &config), 0);
	f.k.now_ns = clock_monotonic_ns() + 1000 * NS_PER_SEC;
	set_underlay();
	set_instance();
	return 0;
}

int fixture_end(void **state)
{
	keying_fini(&f.k);
	unsigned int staged = f.k.staged;
	tables_free(f.tables);
	rings_fini(&f.rings);
	return staged == 0 ? 0 : -1;
}

struct peer *client_new(struct wg_client *c, uint8_t number, const char *endpoint_hint)
{
	struct key private_key;
	struct peer_settings s = {.id.bytes = {number, 7},
		.instance = f.instance,
		.type = PEER_TYPE_CLIENT,
		.allowed_any = true};
	struct peer *p = NULL;
	bool created;
	memset(c, 0, sizeof(*c));
	assert_int_equal(x25519_generate(&private_key), 0);
	assert_int_equal(noise_identity_init(&c->identity, &private_key), 0);
	noise_remote_init(&c->hub, &f.hub_public, &(const struct key){{0}});
	cookie_maker_init(&c->cookie, &f.hub_public);
	c->realtime_ns = 1790000000 * NS_PER_SEC;
	c->endpoint = "198.51.100.7:4500";
	s.public_key = c->identity.public_key;
	assert_int_equal(peer_set(f.tables, &s, &p, &created), 0);
	struct keying_peer kp = {.peer = p};
	if (endpoint_hint != NULL)
		assert_int_equal(ip_endpoint_parse(endpoint_hint, &kp.endpoint), 0);
	keying_peer_apply(&f.k, &kp);
	return p;
}

void client_initiation(struct wg_client *c, struct message_handshake_initiation *ret)
{
	memset(ret, 0, sizeof(*ret));
	c->realtime_ns += NS_PER_SEC;
	assert_int_equal(
		noise_initiation_create(&c->identity, &c->hub, 77, c->realtime_ns, ret), 0);
	cookie_macs_add(&c->cookie, ret, sizeof(*ret), f.k.now_ns);
}

void deliver(const struct wg_client *c, const void *message, size_t len)
{
	static const uint8_t ethernet[14] = {2, 1, [6] = 2, 9, [12] = 0x08};
	struct rte_mbuf *m = rte_pktmbuf_alloc(f.rings.pool);
	struct ip_endpoint from, own;
	if (m == NULL)
		abort(); /* the pool is large */
	assert_int_equal(ip_endpoint_parse(c->endpoint, &from), 0);
	assert_int_equal(ip_endpoint_parse("203.0.113.1:51820", &own), 0);
	uint8_t *frame = (uint8_t *)rte_pktmbuf_append(m, (uint16_t)(FIXTURE_OUTER + len));
	if (frame == NULL)
		abort();
	memset(frame, 0, FIXTURE_OUTER);
	memcpy(frame, ethernet, sizeof(ethernet));
	frame[14] = 0x45;
	memcpy(frame + 26, from.addr.bytes + 12, 4);
	memcpy(frame + 30, own.addr.bytes + 12, 4);
	frame[34] = (uint8_t)(from.port >> 8);
	frame[35] = (uint8_t)from.port;
	frame[36] = (uint8_t)(own.port >> 8);
	frame[37] = (uint8_t)own.port;
	memcpy(frame + FIXTURE_OUTER, message, len);
	memset(pkt_of(m), 0, sizeof(struct pkt));
	pkt_of(m)->outer_len = FIXTURE_OUTER;
	pkt_of(m)->handle = instance_handle(f.instance);
	struct keying_message about = {.type = KEYING_HANDSHAKE,
		.mbuf = m,
		.remote = from.addr,
		.remote_port = from.port,
		.local = own.addr,
		.local_port = own.port,
		.queued_us = keying_message_time(f.k.now_ns - f.queue_delay_ns)};
	keying_handshake_receive(&f.k, &about);
}

void client_handshake(struct wg_client *c)
{
	struct message_handshake_initiation i;
	struct message_handshake_response r;
	struct peer *p = keying_instance_peer(f.instance->keying, &c->identity.public_key);
	f.k.now_ns += NS_PER_SEC;
	client_initiation(c, &i);
	deliver(c, &i, sizeof(i));
	take_message(p, &r, sizeof(r));
	assert_int_equal(noise_response_consume(&c->identity, &c->hub, &r), 0);
	assert_int_equal(noise_session_begin(&c->hub.initiation, f.k.now_ns, &c->keys), 0);
}

struct rte_mbuf *take_injected(void)
{
	void *m = NULL;
	return rte_ring_dequeue(f.rings.inject[0], &m) == 0 ? m : NULL;
}

void take_message(const struct peer *p, void *ret, size_t len)
{
	struct rte_mbuf *m = take_injected();
	memset(ret, 0, len);
	assert_non_null(m);
	if (m == NULL)
		return;
	assert_int_equal(pkt_of(m)->inject, PKT_INJECT_PEER_OUTER);
	assert_true(pkt_of(m)->handle == peer_handle(p));
	assert_int_equal(m->data_len, len);
	memcpy(ret, rte_pktmbuf_mtod(m, const uint8_t *), len);
	rte_pktmbuf_free(m);
	assert_nothing_injected();
}

void assert_nothing_injected(void)
{
	assert_int_equal(rte_ring_count(f.rings.inject[0]), 0);
}

uint64_t counted(enum counter c)
{
	return counter_registry_sum(&f.tables->counters, c);
}

void assert_event(enum keying_event_type type, const struct peer *p)
{
	assert_true(f.events > 0);
	const struct keying_event *e = &f.event[(f.events - 1) % FIXTURE_EVENTS];
	assert_int_equal(e->type, type);
	assert_true(e->peer == peer_handle(p));
}
