// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/keying/world.h"

#include "dataplane/base/clock.h"
#include "dataplane/crypto/x25519.h"
#include "dataplane/table/underlay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <rte_eal.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_ip.h>
#include <rte_ring.h>

enum {
	WG_PORT = 51820,
	INNER_LEN = 64,
	NUMBER_AT = 28, /* behind IPv4 and UDP */
	TICK_MS = 8, /* of keying's wheel */
};

#define START_NS (1000 * NS_PER_SEC)
#define START_REALTIME_NS (1790000000 * NS_PER_SEC)

static const uint8_t mac[SIDES][6] = {{2, 1}, {2, 2}};
static const char *const outer[SIDES] = {"203.0.113.1", "203.0.113.2"};
static const char *const inner[SIDES] = {"10.0.0.1", "10.0.0.2"};

static uint16_t ethdev[SIDES];
static struct rte_ring *wire[SIDES];
static uint64_t key_dice, dice;
static const struct world *current_world;
static const struct side *current_side;

static uint64_t roll(uint64_t *state)
{
	uint64_t v = *state += 0x9e3779b97f4a7c15ULL;
	v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9ULL;
	v = (v ^ v >> 27) * 0x94d049bb133111ebULL;
	return v ^ v >> 31;
}

uint64_t world_roll(void)
{
	return roll(&dice);
}

// NOLINTBEGIN(bugprone-reserved-identifier): the linker's names
ssize_t __wrap_getrandom(void *buf, size_t len, unsigned int flags);
uint64_t __wrap_clock_realtime_ns(void);

/* All of chance comes through it: keys, and the words that indices and jitter are made of. */
ssize_t __wrap_getrandom(void *buf, size_t len, unsigned int flags)
{
	uint8_t *at = buf;
	for (size_t n = 0; n < len; n++)
		at[n] = (uint8_t)(roll(&key_dice) >> 56);
	return (ssize_t)len;
}

uint64_t __wrap_clock_realtime_ns(void)
{
	int64_t off = current_side != NULL ? current_side->clock_ns : 0;
	return START_REALTIME_NS + current_world->now_ns + (uint64_t)off;
}
// NOLINTEND(bugprone-reserved-identifier)

static void open_port(unsigned int side, struct rte_mempool *pool)
{
	static const struct rte_eth_conf conf;
	static const char *const names[SIDES] = {"wire0", "wire1"},
				 *const ports[SIDES] = {"a", "b"};
	struct rte_ring *nothing = rte_ring_create(ports[side], 64, SOCKET_ID_ANY, 0);
	wire[side] = rte_ring_create(names[side], 1024, SOCKET_ID_ANY, 0);
	assert_non_null(nothing);
	assert_non_null(wire[side]);
	int id = rte_eth_from_rings(ports[side], &nothing, 1, &wire[side], 1, SOCKET_ID_ANY);
	assert_true(id >= 0);
	ethdev[side] = (uint16_t)id;
	assert_int_equal(rte_eth_dev_configure(ethdev[side], 1, 1, &conf), 0);
	assert_int_equal(rte_eth_rx_queue_setup(ethdev[side], 0, 64, SOCKET_ID_ANY, NULL, pool), 0);
	assert_int_equal(rte_eth_tx_queue_setup(ethdev[side], 0, 64, SOCKET_ID_ANY, NULL), 0);
	assert_int_equal(rte_eth_dev_start(ethdev[side]), 0);
}

void world_open(void)
{
	static char *args[] = {"simulation_test", "--no-huge", "-m", "64", "--no-pci",
		"--no-shconf", "--no-telemetry", "--iova-mode=va", "--log-level=error", "-l", "0",
		NULL};
	assert_true(rte_eal_init((int)(sizeof(args) / sizeof(args[0])) - 1, args) >= 0);
	struct rte_mempool *pool = rte_pktmbuf_pool_create(
		"unused", 63, 0, PKT_PRIVATE_SIZE, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	assert_non_null(pool);
	for (unsigned int side = 0; side < SIDES; side++)
		open_port(side, pool);
}

static struct ip_addr address(const char *text)
{
	struct ip_addr a;
	assert_int_equal(ip_addr_parse(text, &a), 0);
	return a;
}

static void set_underlay(struct side *s, unsigned int side)
{
	struct ip_prefix own;
	struct underlay_route on_link = {0};
	struct neighbour other = {.state = NEIGHBOUR_REACHABLE, .known = true};
	struct port *port = &s->tables->port[s->tables->ports++];
	*port = (struct port){.name = "wan0",
		.ethdev = ethdev[side],
		.mtu = 1500,
		.rx_queues = 1,
		.tx_queues = 1};
	memcpy(port->mac, mac[side], sizeof(port->mac));
	memcpy(other.mac, mac[1 - side], sizeof(other.mac));
	other.addr = address(outer[1 - side]);
	own = (struct ip_prefix){.addr = address(outer[side]), .len = IP_V4_OFFSET + 24};
	assert_int_equal(ip_prefix_parse("203.0.113.0/24", &on_link.prefix), 0);
	assert_int_equal(underlay_address_set(s->tables, 0, &own, 0), 0);
	assert_int_equal(underlay_route_set(s->tables, &on_link), 0);
	assert_int_equal(neighbour_set(s->tables, &other), 0);
}

static void set_instance(struct side *s, unsigned int side)
{
	struct instance_settings i = {
		.id.bytes = {1}, .number = 1, .wireguard_port = WG_PORT, .mtu = 1420};
	struct ip_addr own = address(inner[side]);
	struct ip_prefix route = ip_prefix_of(&own);
	i.address4 = (struct ip_prefix){.addr = own, .len = IP_V4_OFFSET + 24};
	assert_int_equal(instance_set(s->tables, &i, &s->instance), 0);
	assert_int_equal(route_set(s->instance, &route, ROUTE_HOST, NULL), 0);
	assert_int_equal(keying_instance_apply(&s->k, s->instance, &s->private_key), 0);
}

static void set_peer(struct side *s, unsigned int side, const struct key *public_key)
{
	struct peer_settings p = {.id.bytes = {2},
		.instance = s->instance,
		.type = PEER_TYPE_SITE,
		.public_key = *public_key,
		.allowed_any = true};
	struct ip_addr other = address(inner[1 - side]);
	struct ip_prefix route = ip_prefix_of(&other);
	bool created;
	assert_int_equal(peer_set(s->tables, &p, &s->peer, &created), 0);
	assert_int_equal(route_set(s->instance, &route, ROUTE_PEER, s->peer), 0);
}

static void note_event(void *ctx, const struct keying_event *e)
{
	struct side *s = ctx;
	s->given_up +=
		e->type == KEYING_EVENT_HANDSHAKE_FAILED && e->failure == PEER_FAILURE_NO_RESPONSE;
}

static void start_side(struct world *w, unsigned int side)
{
	struct side *s = &w->side[side];
	assert_int_equal(tables_new(&s->tables), 0);
	s->counters = counter_registry_add(&s->tables->counters);
	struct keying_config config = {.tables = s->tables,
		.rings = &w->rings,
		.counters = s->counters,
		.event = note_event,
		.ctx = s};
	assert_int_equal(keying_init(&s->k, &config), 0);
	keying_clone_close(&s->k);
	s->k.now_ns = w->now_ns;
	assert_int_equal(path_init(&s->path, s->tables, &w->rings, s->counters, 0), 0);
	assert_int_equal(x25519_generate(&s->private_key), 0);
	assert_int_equal(x25519_public(&s->private_key, &s->public_key), 0);
	set_underlay(s, side);
	set_instance(s, side);
}

void world_start(struct world *w, uint64_t seed)
{
	memset(w, 0, sizeof(*w));
	key_dice = seed;
	dice = ~seed;
	current_world = w;
	current_side = NULL;
	w->now_ns = START_NS;
	assert_int_equal(rings_init(&w->rings, 1023, 1, ETHERNET_MTU), 0);
	for (unsigned int side = 0; side < SIDES; side++)
		start_side(w, side);
	for (unsigned int side = 0; side < SIDES; side++) {
		set_peer(&w->side[side], side, &w->side[1 - side].public_key);
		world_set_keepalive(w, side, 0); /* with the endpoint: both call at once (W-28) */
	}
}

void world_end(struct world *w)
{
	uint8_t frame[FRAME_MAX];
	uint32_t number;
	for (unsigned int side = 0; side < SIDES; side++) {
		while (world_sent(w, side, frame) > 0)
			;
		while (world_delivered(w, &number))
			;
		keying_fini(&w->side[side].k);
		path_fini(&w->side[side].path);
		tables_free(w->side[side].tables);
	}
	assert_int_equal(rte_mempool_in_use_count(w->rings.pool), 0);
	rings_fini(&w->rings);
	current_world = NULL;
}

void world_work(struct world *w, unsigned int side)
{
	struct side *s = &w->side[side];
	struct rte_mbuf *m;
	bool more;
	current_side = s;
	s->k.now_ns = w->now_ns;
	do {
		more = keying_round(&s->k) > 0;
		while (rte_ring_dequeue(w->rings.inject[0], (void **)&m) == 0) {
			path_inject(&s->path, &m, 1);
			path_run(&s->path, w->now_ns);
			more = true;
		}
	} while (more);
}

static struct rte_mbuf *new_packet(struct world *w, uint16_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(w->rings.pool);
	if (m == NULL || rte_pktmbuf_append(m, len) == NULL)
		abort(); /* the pool is large */
	memset(pkt_of(m), 0, sizeof(struct pkt));
	memset(rte_pktmbuf_mtod(m, uint8_t *), 0, len);
	return m;
}

void world_receive(struct world *w, unsigned int side, const uint8_t *frame, uint16_t len)
{
	struct rte_mbuf *m = new_packet(w, len);
	memcpy(rte_pktmbuf_mtod(m, uint8_t *), frame, len);
	path_receive(&w->side[side].path, 0, &m, 1);
	path_run(&w->side[side].path, w->now_ns);
	world_work(w, side);
}

void world_send(struct world *w, unsigned int side, uint32_t number)
{
	struct rte_mbuf *m = new_packet(w, INNER_LEN);
	uint8_t *ip = rte_pktmbuf_mtod(m, uint8_t *);
	struct ip_addr from = address(inner[side]), to = address(inner[1 - side]);
	ip[0] = 0x45;
	ip[3] = INNER_LEN;
	ip[8] = 64;
	ip[9] = 17; /* UDP */
	memcpy(ip + 12, from.bytes + 12, 4);
	memcpy(ip + 16, to.bytes + 12, 4);
	uint16_t sum = rte_ipv4_cksum((const struct rte_ipv4_hdr *)ip);
	memcpy(ip + 10, &sum, sizeof(sum));
	ip[25] = INNER_LEN - 20;
	memcpy(ip + NUMBER_AT, &number, sizeof(number));
	pkt_of(m)->inject = PKT_INJECT_ROUTE;
	pkt_of(m)->handle = instance_handle(w->side[side].instance);
	path_inject(&w->side[side].path, &m, 1);
	path_run(&w->side[side].path, w->now_ns);
	world_work(w, side);
}

uint16_t world_sent(struct world *w, unsigned int side, uint8_t ret[FRAME_MAX])
{
	void *m = NULL;
	if (rte_ring_dequeue(wire[side], &m) != 0)
		return 0;
	uint16_t len = ((const struct rte_mbuf *)m)->data_len;
	assert_true(len <= FRAME_MAX);
	memcpy(ret, rte_pktmbuf_mtod((struct rte_mbuf *)m, const uint8_t *), len);
	rte_pktmbuf_free(m);
	return len;
}

bool world_delivered(struct world *w, uint32_t *ret)
{
	void *m = NULL;
	if (rte_ring_dequeue(w->rings.host, &m) != 0)
		return false;
	memcpy(ret, rte_pktmbuf_mtod_offset((struct rte_mbuf *)m, const uint8_t *, NUMBER_AT),
		sizeof(*ret));
	rte_pktmbuf_free(m);
	return true;
}

uint64_t world_due(const struct world *w, unsigned int side)
{
	const struct peer *p = w->side[side].peer;
	if (p->wheel_prev == NULL)
		return UINT64_MAX;
	uint64_t tick = TICK_MS * NS_PER_MS;
	uint64_t due = (p->wheel_deadline_ns / tick + 1) * tick;
	return due > w->now_ns ? due : (w->now_ns / tick + 1) * tick;
}

void world_set_keepalive(struct world *w, unsigned int side, uint16_t seconds)
{
	struct keying_peer kp = {.peer = w->side[side].peer,
		.keepalive_s = seconds,
		.endpoint = {address(outer[1 - side]), WG_PORT}};
	current_side = &w->side[side];
	w->side[side].k.now_ns = w->now_ns;
	keying_peer_apply(&w->side[side].k, &kp);
	world_work(w, side);
}
