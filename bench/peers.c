// SPDX-License-Identifier: Apache-2.0
/*
 * What many peers cost the API socket: the real server thread and the real keying thread, one client that
 * pipelines. Each peer comes with its two tunnel addresses as routes, in one story from SYNC_BEGIN to SYNC_END;
 * then, with all of them there, single peers are added and removed one by one; then all are listed and deleted.
 * No worker runs, so a grace period costs nothing here. One line of JSON a figure.
 *
 *   bench/peers [PEERS]
 */
#include "dataplane/api/client.h"
#include "dataplane/api/instance.h"
#include "dataplane/api/peer.h"
#include "dataplane/api/route.h"
#include "dataplane/api/sync.h"
#include "dataplane/base/clock.h"
#include "dataplane/keying/keying.h"
#include "dataplane/server/server.h"
#include "dataplane/table/counter.h"
#include "dataplane/table/rings.h"
#include "dataplane/table/tables.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <rte_eal.h>

enum {
	PEERS_DEFAULT = 100000,
	SINGLES = 2000, /* of each kind */
	PACKETS = 2048,
	NAP_US = 100,
};

static struct hub {
	char directory[32], socket[64];
	struct rings rings;
	struct tables *tables;
	struct keying *keying;
	struct server *server;
	pthread_t thread;
	int stop;
} hub;

static void die(const char *what, int err)
{
	(void)fprintf(stderr, "bench/peers: %s: %s\n", what, strerrordesc_np(-err));
	_exit(1);
}

static void must(const char *what, int err)
{
	if (err != 0)
		die(what, err);
}

static void *run_server(void *arg)
{
	must("server", server_run(hub.server, hub.stop));
	return NULL;
}

static void start_hub(void)
{
	static char name[] = "peers", huge[] = "--no-huge", m[] = "-m", mb[] = "64";
	static char pci[] = "--no-pci", shconf[] = "--no-shconf", iova[] = "--iova-mode=va";
	static char telemetry[] = "--no-telemetry", lcores[] = "--lcores=0",
		    level[] = "--log-level=error";
	char *argv[] = {name, huge, m, mb, pci, shconf, iova, telemetry, lcores, level, NULL};
	if (rte_eal_init(10, argv) < 0)
		die("EAL", -EIO);
	(void)snprintf(hub.directory, sizeof(hub.directory), "/tmp/nave-bench-XXXXXX");
	if (mkdtemp(hub.directory) == NULL)
		die("directory", -errno);
	(void)snprintf(hub.socket, sizeof(hub.socket), "%s/api.sock", hub.directory);
	must("packets", rings_init(&hub.rings, PACKETS, 1, ETHERNET_MTU));
	must("tables", tables_new(&hub.tables));
	must("socket", server_new(hub.socket, hub.tables, &hub.server));
	struct keying_config config = {
		.tables = hub.tables,
		.rings = &hub.rings,
		.counters = counter_registry_add(&hub.tables->counters),
		.idle_sleep_us = NAP_US,
		.event = server_event,
		.ctx = hub.server,
	};
	must("keying", keying_start(&config, &hub.keying));
	server_attach(hub.server, hub.keying, NULL, &hub.rings, NULL, 0);
	hub.stop = eventfd(0, EFD_CLOEXEC);
	must("thread", -pthread_create(&hub.thread, NULL, run_server, NULL));
}

static void stop_hub(void)
{
	uint64_t one = 1;
	if (write(hub.stop, &one, sizeof(one)) != sizeof(one))
		die("stop", -errno);
	(void)pthread_join(hub.thread, NULL);
	keying_stop(hub.keying);
	server_free(hub.server);
	tables_free(hub.tables);
	rings_fini(&hub.rings);
	(void)close(hub.stop);
	(void)unlink(hub.socket);
	(void)rmdir(hub.directory);
}

static size_t resident_bytes(void)
{
	char line[128];
	FILE *f = fopen("/proc/self/statm", "re");
	if (f == NULL || fgets(line, sizeof(line), f) == NULL)
		die("/proc/self/statm", -EIO);
	(void)fclose(f);
	char *resident = strchr(line, ' ');
	if (resident == NULL)
		die("/proc/self/statm", -EIO);
	return strtoul(resident, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE);
}

static void take_reply(struct dp_client *c)
{
	struct dp_reply reply;
	must("connection", dp_client_receive(c, &reply));
	must(dp_client_error(c), reply.status);
}

static void pipeline(struct dp_client *c, enum dp_msg_type type, const void *payload, size_t len)
{
	if (dp_client_in_flight(c) == DP_CLIENT_WINDOW)
		take_reply(c);
	must(dp_client_error(c), dp_client_send(c, type, payload, len, -1, NULL));
}

static void drain(struct dp_client *c)
{
	while (dp_client_in_flight(c) > 0)
		take_reply(c);
}

static struct uuid peer_id(unsigned int n)
{
	struct uuid id = {{2}};
	memcpy(id.bytes + 4, &n, sizeof(n));
	return id;
}

static const struct uuid instance_id = {{1}};

static struct ip_prefix parse(const char *text)
{
	struct ip_prefix p;
	must(text, ip_prefix_parse(text, &p));
	return p;
}

static void set_instance(struct dp_client *c)
{
	struct dp_instance_set m = {
		.id = instance_id,
		.wireguard_private_key = {{1}},
		.number = 1,
		.flags = DP_INSTANCE_SITE_TO_SITE,
		.wireguard_port = 51820,
		.mtu = 1420,
		.address4 = parse("10.0.0.1/8"),
		.address6 = parse("fd00::1/64"),
	};
	pipeline(c, DP_MSG_INSTANCE_SET, &m, sizeof(m));
}

static void set_peer(struct dp_client *c, unsigned int n)
{
	struct dp_peer_set m = {
		.id = peer_id(n),
		.instance = instance_id,
		.public_key = {{0, 7}},
		.allowed_count = DP_ALLOWED_ALL,
		.type = DP_PEER_CLIENT,
	};
	memcpy(m.public_key.bytes + 4, &n, sizeof(n));
	pipeline(c, DP_MSG_PEER_SET, &m, dp_peer_set_size(&m));
	const struct ip_prefix networks[] = {parse("10.0.0.0/8"), parse("fd00::/64")};
	for (unsigned int i = 0; i < 2; i++) {
		struct ip_addr own = ip_prefix_host(&networks[i], n + 2);
		struct dp_route_set r = {.instance = instance_id,
			.peer = m.id,
			.prefix = ip_prefix_of(&own),
			.target = DP_ROUTE_PEER};
		pipeline(c, DP_MSG_ROUTE_SET, &r, sizeof(r));
	}
}

static void del_peer(struct dp_client *c, unsigned int n)
{
	struct dp_peer_del m = {.id = peer_id(n)};
	pipeline(c, DP_MSG_PEER_DEL, &m, sizeof(m));
}

static void load(struct dp_client *c, unsigned int peers)
{
	struct dp_sync_begin begin = {.epoch = {{3}}, .generation = 1, .scope = DP_SYNC_DESIRED};
	struct dp_sync_end end = {.scope = DP_SYNC_DESIRED};
	pipeline(c, DP_MSG_SYNC_BEGIN, &begin, sizeof(begin));
	set_instance(c);
	for (unsigned int n = 0; n < peers; n++)
		set_peer(c, n);
	pipeline(c, DP_MSG_SYNC_END, &end, sizeof(end));
	drain(c);
}

/* A deletion waits for keying: when it is answered, keying has done all that came before. */
static void settle(struct dp_client *c)
{
	set_peer(c, UINT32_MAX >> 9);
	del_peer(c, UINT32_MAX >> 9);
	drain(c);
}

static void report(unsigned int peers, const char *what, double value, const char *unit)
{
	(void)printf("{\"name\":\"peers.%u.%s\",\"value\":%.3f,\"unit\":\"%s\"}\n", peers, what,
		value, unit);
}

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

static void report_singles(unsigned int peers, const char *what, uint64_t *took_ns)
{
	char name[32];
	const uint64_t *median = took_ns + SINGLES / 2, *p99 = took_ns + SINGLES * 99 / 100;
	qsort(took_ns, SINGLES, sizeof(took_ns[0]), compare);
	(void)snprintf(name, sizeof(name), "%s_median_us", what);
	report(peers, name, (double)*median / 1e3, "us");
	(void)snprintf(name, sizeof(name), "%s_p99_us", what);
	report(peers, name, (double)*p99 / 1e3, "us");
}

/* One by one, each answered before the next. */
static void measure_singles(struct dp_client *c, unsigned int peers)
{
	static uint64_t set[SINGLES], del[SINGLES];
	for (unsigned int i = 0; i < SINGLES; i++) {
		uint64_t start = clock_monotonic_ns();
		set_peer(c, peers + i);
		drain(c);
		set[i] = clock_monotonic_ns() - start;
	}
	for (unsigned int i = 0; i < SINGLES; i++) {
		uint64_t start = clock_monotonic_ns();
		del_peer(c, peers + i);
		drain(c);
		del[i] = clock_monotonic_ns() - start;
	}
	report_singles(peers, "add_one", set);
	report_singles(peers, "remove_one", del);
}

static int count(void *ctx, const uint8_t *payload, size_t len)
{
	++*(unsigned int *)ctx;
	return 0;
}

static double seconds_since(uint64_t start_ns)
{
	return (double)(clock_monotonic_ns() - start_ns) / 1e9;
}

static void measure_list(struct dp_client *c, unsigned int peers)
{
	struct dp_peer_list all = {0};
	unsigned int n = 0;
	uint64_t start = clock_monotonic_ns();
	must("list", dp_client_list(c, DP_MSG_PEER_STATS_LIST, &all, sizeof(all), count, &n));
	if (n != peers)
		die("the list is not whole", -EIO);
	report(peers, "list_seconds", seconds_since(start), "s");
}

static void measure_delete(struct dp_client *c, unsigned int peers)
{
	uint64_t start = clock_monotonic_ns();
	for (unsigned int n = 0; n < peers; n++)
		del_peer(c, n);
	drain(c);
	report(peers, "delete_seconds", seconds_since(start), "s");
}

int main(int argc, char **argv)
{
	unsigned int peers = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 10) : PEERS_DEFAULT;
	if (peers == 0 || peers > TABLE_MAX_PEERS - SINGLES)
		die("PEERS", -EINVAL);
	start_hub();
	struct dp_client *c;
	must("connect", dp_client_open(hub.socket, &c));
	set_instance(c);
	settle(c);
	size_t before = resident_bytes();
	uint64_t start = clock_monotonic_ns();
	load(c, peers);
	settle(c);
	report(peers, "load_seconds", seconds_since(start), "s");
	report(peers, "bytes_per_peer", (double)(resident_bytes() - before) / peers, "bytes");
	measure_singles(c, peers);
	measure_list(c, peers);
	measure_delete(c, peers);
	dp_client_free(c);
	stop_hub();
	return 0;
}
