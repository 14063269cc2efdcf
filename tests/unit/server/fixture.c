// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/server/fixture.h"

#include "dataplane/keying/client_status.h"
#include "dataplane/keying/listener.h"
#include "dataplane/server/server.h"
#include "dataplane/table/instance.h"
#include "dataplane/table/peer.h"
#include "dataplane/table/rings.h"
#include "dataplane/table/tables.h"
#include "dataplane/worker/host_io.h"
#include "dataplane/worker/worker.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>
#include <rte_eal.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

struct fake fake;

/* The fakes: they take the place of the threads that make keys and read devices. */
int keying_instance_set(struct keying *k, struct instance *i, const struct key *private_key)
{
	fake.instances_set++;
	fake.last_private_key = *private_key;
	return fake.keying_error;
}

int keying_peer_set(struct keying *k, const struct keying_peer *settings)
{
	fake.peers_set++;
	fake.last_peer = *settings;
	fake.last_peer.credential = NULL;
	free(settings->credential);
	if (!settings->keeps_keepalive)
		settings->peer->keepalive_s = settings->keepalive_s;
	if (!settings->keeps_preshared_key)
		settings->peer->preshared_key = settings->preshared_key;
	return fake.keying_error;
}

/* What a real listener would be made of is tests/unit/keying's. */
int keying_listener_new(const struct keying_listener_settings *settings,
	struct keying_listener **ret, const char **ret_what)
{
	*ret = NULL;
	return 0;
}

void keying_listener_free(struct keying_listener *l)
{
}

int keying_listener_set(struct keying *k, struct instance *i, struct keying_listener *l)
{
	fake.listeners_set++;
	return fake.keying_error;
}

int keying_listener_del(struct keying *k, struct instance *i, const struct uuid *id)
{
	fake.listeners_deleted++;
	return 0;
}

int keying_listener_socket_set(struct keying *k, struct instance *i, const struct uuid *id, int fd)
{
	(void)close(fd);
	return fake.keying_error;
}

uint32_t keying_listener_sessions(const struct instance *i, const struct uuid *id)
{
	return fake.listener_sessions;
}

void keying_client_status(struct keying *k, const uint64_t *peer, unsigned int count,
	struct keying_client_status *ret)
{
	for (unsigned int n = 0; n < count; n++) {
		const struct peer *p = peer_from_handle(fixture_tables(), peer[n]);
		ret[n] = fake.client;
		ret[n].number = p != NULL && p->tunnel != NULL ? fake.client.number : 0;
	}
}

void keying_client_load(struct keying *k, const struct instance *i, struct keying_client_load *ret)
{
	*ret = (struct keying_client_load){3, 1000, 2000};
}

unsigned int keying_clients_kill(
	struct keying *k, const struct keying_client_choice *which, bool halt)
{
	fake.kills++;
	fake.killed = *which;
	fake.halted = halt;
	(void)snprintf(fake.killed_name, sizeof(fake.killed_name), "%s",
		which->name != NULL ? which->name : "");
	return fake.kill_count;
}

int keying_push_set(struct keying *k, struct instance *i, struct keying_push *push)
{
	free(push);
	return fake.keying_error;
}

int keying_peer_reset_timestamp(struct keying *k, struct peer *p)
{
	fake.last_reset = p;
	return fake.keying_error;
}

void keying_retire(struct keying *k)
{
	fake.retired++;
}

void keying_peer_status(struct keying *k, const struct peer *p, struct keying_peer_status *ret)
{
	*ret = (struct keying_peer_status){.timestamp = {0x40}};
}

void keying_settle(struct keying *k)
{
}

void keying_private_key(const struct instance *i, struct key *ret)
{
	*ret = fake.last_private_key;
}

int host_io_tap_set(struct host_io *h, uint32_t port, int fd)
{
	fake.taps++;
	(void)close(fd);
	return fake.host_error;
}

int host_io_tun_set(struct host_io *h, const struct instance *i, int fd)
{
	fake.tuns++;
	(void)close(fd);
	return fake.host_error;
}

/* The second of two has ten times the load of the first. */
static struct worker *const two_workers[] = {NULL, (struct worker *)&fake};

void worker_load(struct worker *w, struct worker_load *ret)
{
	uint64_t times = w == NULL ? 1 : 10;
	*ret = (struct worker_load){100 * times, 200 * times, 300 * times, 4 * times, 5 * times};
}

int host_io_capture_open(struct host_io *h, const struct capture_settings *s, int fd)
{
	int place = -EBUSY;
	(void)close(fd);
	if (fake.ends_before_open != 0)
		fake.captured[fake.ends_before_open - 1] = 0;
	fake.ends_before_open = 0;
	for (int i = CAPTURES_MAX - 1; i >= 0; i--) {
		if (fake.captured[i] == s->peer)
			return -EBUSY;
		place = fake.captured[i] == 0 ? i : place;
	}
	if (place >= 0)
		fake.captured[place] = s->peer;
	return place;
}

bool host_io_capture_is_open(struct host_io *h, uint64_t peer)
{
	for (unsigned int i = 0; i < CAPTURES_MAX; i++) {
		if (fake.captured[i] == peer)
			return true;
	}
	return false;
}

void host_io_capture_close(struct host_io *h, uint64_t peer)
{
	for (unsigned int i = 0; i < CAPTURES_MAX; i++) {
		if (fake.captured[i] == peer)
			fake.captured[i] = 0;
	}
}

void host_io_tun_del(struct host_io *h, const struct instance *i)
{
	fake.tuns_deleted++;
}

static struct {
	char dir[64];
	char path[96];
	struct tables *tables;
	struct rings rings; /* only a pool, and two rings whose depth is told */
	struct server *server;
	pthread_t thread;
	int stop;
} fixture;

int fixture_start_eal(void **state)
{
	static char *args[] = {"server_test", "--no-huge", "-m", "128", "--no-pci", "--no-shconf",
		"--no-telemetry", "--iova-mode=va", "--vdev=net_null0", "-l", "0", NULL};
	return rte_eal_init((int)(sizeof(args) / sizeof(args[0])) - 1, args) < 0 ? -1 : 0;
}

int fixture_stop_eal(void **state)
{
	return rte_eal_cleanup();
}

static void *run_server(void *ctx)
{
	assert_int_equal(server_run(fixture.server, fixture.stop), 0);
	return NULL;
}

int fixture_start(void **state)
{
	memset(&fake, 0, sizeof(fake));
	(void)snprintf(fixture.dir, sizeof(fixture.dir), "/tmp/nave-server-XXXXXX");
	assert_non_null(mkdtemp(fixture.dir));
	(void)snprintf(fixture.path, sizeof(fixture.path), "%s/api.sock", fixture.dir);
	assert_int_equal(tables_new(&fixture.tables), 0);
	fixture.rings.pool = rte_pktmbuf_pool_create("packets", 63, 0, 0, 128, SOCKET_ID_ANY);
	assert_non_null(fixture.rings.pool);
	fixture.rings.keying = rte_ring_create("keying", 64, SOCKET_ID_ANY, 0);
	fixture.rings.host = rte_ring_create("host", 64, SOCKET_ID_ANY, 0);
	assert_non_null(fixture.rings.keying);
	assert_non_null(fixture.rings.host);
	fixture.tables->ports = 1;
	fixture.tables->port[0] = (struct port){.name = "wan0", .mtu = 1500, .mac = {2, 1}};
	assert_int_equal(server_new(fixture.path, fixture.tables, &fixture.server), 0);
	server_attach(fixture.server, NULL, NULL, &fixture.rings, two_workers, 2);
	fixture.stop = eventfd(0, EFD_CLOEXEC);
	assert_int_equal(pthread_create(&fixture.thread, NULL, run_server, NULL), 0);
	return 0;
}

int fixture_stop(void **state)
{
	uint64_t one = 1;
	assert_int_equal(write(fixture.stop, &one, sizeof(one)), sizeof(one));
	assert_int_equal(pthread_join(fixture.thread, NULL), 0);
	server_free(fixture.server);
	tables_free(fixture.tables);
	rte_ring_free(fixture.rings.keying);
	rte_ring_free(fixture.rings.host);
	rte_mempool_free(fixture.rings.pool);
	(void)close(fixture.stop);
	assert_int_equal(unlink(fixture.path), 0);
	return rmdir(fixture.dir);
}

struct server *fixture_server(void)
{
	return fixture.server;
}

struct tables *fixture_tables(void)
{
	return fixture.tables;
}

const char *fixture_path(void)
{
	return fixture.path;
}

struct dp_client *fixture_client(void)
{
	struct dp_client *c = NULL;
	assert_int_equal(dp_client_open(fixture.path, &c), 0);
	return c;
}

int fixture_socket(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval limit = {.tv_sec = 20};
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", fixture.path);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
	return fd;
}

struct uuid test_id(unsigned int n)
{
	return (struct uuid){{0x11, (uint8_t)(n >> 8), (uint8_t)n}};
}

struct ip_prefix test_prefix(const char *text)
{
	struct ip_prefix p;
	assert_int_equal(ip_prefix_parse(text, &p), 0);
	return p;
}

struct dp_instance_set test_instance(unsigned int n)
{
	return (struct dp_instance_set){
		.id = test_id(0x1000 + n),
		.wireguard_private_key = {{1, (uint8_t)n}},
		.number = n,
		.flags = DP_INSTANCE_SITE_TO_SITE,
		.wireguard_port = (uint16_t)(51820 + n),
		.mtu = 1420,
		.address4 = test_prefix("10.200.0.1/20"),
	};
}

struct dp_peer_set test_peer(unsigned int n, unsigned int instance)
{
	return (struct dp_peer_set){
		.id = test_id(n),
		.instance = test_id(0x1000 + instance),
		.public_key = {{9, (uint8_t)(n >> 8), (uint8_t)n}},
		.allowed_count = DP_ALLOWED_ALL,
		.type = DP_PEER_SITE,
	};
}

int set_instance(struct dp_client *c, unsigned int n)
{
	struct dp_instance_set m = test_instance(n);
	return dp_client_call(c, DP_MSG_INSTANCE_SET, &m, sizeof(m), -1, NULL);
}

int set_peer(struct dp_client *c, unsigned int n, unsigned int instance)
{
	struct dp_peer_set m = test_peer(n, instance);
	return dp_client_call(c, DP_MSG_PEER_SET, &m, dp_peer_set_size(&m), -1, NULL);
}

int set_route(struct dp_client *c, unsigned int instance, const char *prefix, unsigned int peer)
{
	struct dp_route_set m = {
		.instance = test_id(0x1000 + instance),
		.prefix = test_prefix(prefix),
		.target = peer != 0 ? DP_ROUTE_PEER : DP_ROUTE_DROP,
	};
	if (peer != 0)
		m.peer = test_id(peer);
	return dp_client_call(c, DP_MSG_ROUTE_SET, &m, sizeof(m), -1, NULL);
}

int del_peer(struct dp_client *c, unsigned int n)
{
	struct dp_peer_del m = {.id = test_id(n)};
	return dp_client_call(c, DP_MSG_PEER_DEL, &m, sizeof(m), -1, NULL);
}

int begin(struct dp_client *c, unsigned int epoch, uint64_t generation)
{
	struct dp_sync_begin m = {
		.epoch = test_id(epoch), .generation = generation, .scope = DP_SYNC_DESIRED};
	return dp_client_call(c, DP_MSG_SYNC_BEGIN, &m, sizeof(m), -1, NULL);
}

int end(struct dp_client *c, bool allow_empty)
{
	struct dp_sync_end m = {.scope = DP_SYNC_DESIRED, .allow_empty = allow_empty};
	return dp_client_call(c, DP_MSG_SYNC_END, &m, sizeof(m), -1, NULL);
}

static int count(void *ctx, const uint8_t *payload, size_t len)
{
	++*(unsigned int *)ctx;
	return 0;
}

unsigned int list_length(struct dp_client *c, enum dp_msg_type type)
{
	static const struct dp_peer_list all;
	unsigned int n = 0;
	size_t len = dp_msg_rule_find((uint16_t)type)->request.max;
	assert_int_equal(dp_client_list(c, type, &all, len, count, &n), 0);
	return n;
}

struct search {
	struct uuid id;
	bool found;
};

static int compare_id(void *ctx, const uint8_t *payload, size_t len)
{
	struct search *s = ctx;
	s->found = s->found || memcmp(payload, &s->id, sizeof(s->id)) == 0;
	return 0;
}

bool peer_exists(struct dp_client *c, unsigned int n)
{
	struct search s = {.id = test_id(n)};
	struct dp_peer_list all = {0};
	assert_int_equal(dp_client_list(c, DP_MSG_PEER_LIST, &all, sizeof(all), compare_id, &s), 0);
	return s.found;
}
