// SPDX-License-Identifier: Apache-2.0
/*
 * The handlers of the API socket without a client: a row of requests of two connections (the highest bit of
 * a request's id says whose), over the real tables and the real keying thread. After each request the counts
 * of the tables agree with what hangs in their lists.
 */
#include "dataplane/base/log.h"
#include "dataplane/keying/keying.h"
#include "dataplane/server/connection.h"
#include "dataplane/server/request.h"
#include "dataplane/server/server.h"
#include "dataplane/server/state.h"
#include "dataplane/table/counter.h"
#include "dataplane/table/instance.h"
#include "dataplane/table/peer.h"
#include "dataplane/table/rings.h"
#include "dataplane/table/tables.h"
#include "dataplane/worker/host_io.h"
#include "tests/fuzz/datagrams.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <rte_eal.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool held)
{
	if (!held)
		abort();
}

static struct rings rings;
static char path[64];

static void start_dpdk(void)
{
	static char *args[] = {"fuzz_server", "--no-huge", "-m", "64", "--no-pci", "--no-shconf",
		"--no-telemetry", "--iova-mode=va", "--log-level=emerg", "-l", "0", NULL};
	log_init("fuzz_server", LOG_LEVEL_ERROR);
	must(rte_eal_init((int)(sizeof(args) / sizeof(args[0])) - 1, args) >= 0);
	must(rings_init(&rings, 1023, 1, ETHERNET_MTU) == 0);
	(void)snprintf(path, sizeof(path), "/tmp/nave-fuzz-%d.sock", (int)getpid());
}

static unsigned int count_peers(const struct instance *i)
{
	unsigned int peers = 0, to_peers = 0;
	for (const struct peer *p = i->peers; p != NULL; p = p->instance_next) {
		unsigned int routes = 0;
		for (const struct route *r = p->routes; r != NULL; r = r->peer_next)
			routes++;
		must(routes == p->route_count && p->instance == i);
		to_peers += routes;
		peers++;
	}
	size_t all = 0;
	for (const struct route *r = i->route_list; r != NULL; r = r->next) {
		all++;
		to_peers -= r->peer != NULL;
	}
	must(all == i->route_by_prefix.count && to_peers == 0);
	return peers;
}

static void check_tables(const struct tables *t)
{
	unsigned int peers = 0;
	for (const struct instance *i = t->instances; i != NULL; i = i->next) {
		must(t->listener[i->wireguard_port] == i);
		peers += count_peers(i);
	}
	must(peers == t->peer_count && peers == t->peer_by_id.count);
	must(t->unlinked_peers == NULL && t->unlinked_instances == NULL);
}

/* A file comes with what takes one. */
static void serve(struct connection *c, const uint8_t *datagram, size_t len)
{
	struct dp_header h;
	memcpy(&h, datagram, sizeof(h));
	const struct dp_msg_rule *rule = dp_msg_rule_find(h.type);
	bool takes_file = rule != NULL && rule->takes_file;
	int file = takes_file ? dup(STDIN_FILENO) : -1;
	request_dispatch(c, datagram, len, file, takes_file ? 1 : 0);
	must(c->closing || c->dead || output_pending(&c->out) > 0); /* each request is answered */
	output_fini(&c->out);
	c->closing = c->dead = c->subscribed = false;
}

static struct server *start_server(void)
{
	struct tables *t = NULL;
	struct server *s = NULL;
	struct keying *k = NULL;
	struct host_io *h = NULL;
	must(tables_new(&t) == 0 && server_new(path, t, &s) == 0);
	t->ports = 1;
	t->port[0] = (struct port){.name = "wan0", .mtu = 1500, .mac = {2, 1}};
	struct keying_config c = {
		.tables = t,
		.rings = &rings,
		.counters = counter_registry_add(&t->counters),
		.idle_sleep_us = 10,
		.event = server_event,
		.ctx = s,
	};
	must(c.counters != NULL && keying_start(&c, &k) == 0);
	must(host_io_start(t, &rings, c.counters, 1000, &h) == 0);
	server_attach(s, k, h, &rings, NULL, 0);
	return s;
}

static void stop_server(struct server *s)
{
	struct tables *t = s->tables;
	host_io_stop(s->host_io);
	keying_stop(s->keying);
	server_free(s);
	tables_free(t);
	(void)unlink(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t datagram[DP_MSG_MAX];
	if (rings.pool == NULL)
		start_dpdk();
	struct server *s = start_server();
	struct connection client[2] = {
		{.server = s, .fd = -1, .greeted = true}, {.server = s, .fd = -1, .greeted = true}};
	for (size_t len; (len = next_datagram(&data, &size, datagram)) > 0;) {
		serve(&client[datagram[7] >> 7], datagram, len);
		server_reclaim(s);
		check_tables(s->tables);
	}
	stop_server(s);
	return 0;
}
