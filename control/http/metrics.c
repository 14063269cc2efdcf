// SPDX-License-Identifier: Apache-2.0
/*
 * Prometheus text format 0.0.4. Peers have the names and labels that wireguard exporters use, and those
 * that are there by OpenVPN also the ones of openvpn_exporter, so that dashboards made for them work;
 * what is ours begins with nave_. A peer's bytes are of all its sessions, by whatever protocol.
 */
#include "control/http/api_internal.h"
#include "control/http/request.h"
#include "control/http/resources.h"
#include "control/store/dns_name.h"
#include "control/store/hub.h"
#include "control/store/instance.h"
#include "control/store/peer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct metrics {
	FILE *out;
	int64_t now;
	const struct metric *metric; /* that is being written */
	struct store *store;
	const struct instance *instance; /* borrowed; whose peers are being written */
	unsigned int clients; /* of it, that are there by OpenVPN */
};

/* A label's value: backslash, quote and newline are escaped. */
static void print_value(FILE *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '\\' || *text == '"')
			(void)fputc('\\', out);
		if (*text == '\n')
			(void)fputs("\\n", out);
		else
			(void)fputc(*text, out);
	}
}

static void print_label(FILE *out, const char *name, const char *value)
{
	(void)fprintf(out, "%s=\"", name);
	print_value(out, value);
	(void)fputc('"', out);
}

/* One family: its lines stand together, as the format wants it. */
struct metric {
	const char *name, *type, *help;
	bool (*is_of)(const struct metrics *m, const struct peer *p);
	void (*print_labels)(const struct metrics *m, const struct peer *p);
	uint64_t (*of_peer)(const struct metrics *m, const struct peer *p);
};

static uint64_t received(const struct metrics *m, const struct peer *p)
{
	return p->status.rx_bytes;
}

static uint64_t sent(const struct metrics *m, const struct peer *p)
{
	return p->status.tx_bytes;
}

static uint64_t handshake(const struct metrics *m, const struct peer *p)
{
	return (uint64_t)p->status.last_handshake_at;
}

static uint64_t is_connected(const struct metrics *m, const struct peer *p)
{
	return peer_is_connected(p, m->now);
}

static uint64_t last_seen(const struct metrics *m, const struct peer *p)
{
	return (uint64_t)p->status.last_seen_at;
}

static bool is_any(const struct metrics *m, const struct peer *p)
{
	return true;
}

static bool is_of_wireguard(const struct metrics *m, const struct peer *p)
{
	return peer_speaks_wireguard(p);
}

/* A client whom an OpenVPN server would list. */
static bool is_openvpn_client(const struct metrics *m, const struct peer *p)
{
	return strcmp(p->status.protocol, "openvpn") == 0 && peer_is_connected(p, m->now);
}

static void print_interface(const struct metrics *m, const char *label)
{
	char interface[32];
	(void)snprintf(interface, sizeof(interface), "nave%u", (unsigned int)m->instance->number);
	print_label(m->out, label, interface);
}

/* Ours, behind those of an exporter. */
static void print_names(const struct metrics *m, const struct peer *p)
{
	(void)fputc(',', m->out);
	print_label(m->out, "friendly_name", p->name);
	(void)fputc(',', m->out);
	print_label(m->out, "instance_hostname", m->instance->hostname);
}

static void print_wireguard_labels(const struct metrics *m, const struct peer *p)
{
	char key[KEY_BASE64_TEXT] = "";
	if (peer_speaks_wireguard(p))
		(void)key_to_base64(&p->public_key, key);
	print_interface(m, "interface");
	(void)fputc(',', m->out);
	print_label(m->out, "public_key", key);
	print_names(m, p);
}

/* The management interface calls the client that, too. */
static void print_client_labels(const struct metrics *m, const struct peer *p)
{
	char id[UUID_TEXT], address[IP_ADDR_TEXT];
	print_label(m->out, "common_name",
		p->username[0] != '\0' ? p->username : uuid_format(&p->id, id));
	(void)fputc(',', m->out);
	print_label(m->out, "real_address", p->status.endpoint);
	(void)fputc(',', m->out);
	print_interface(m, "status_path");
	(void)fputc(',', m->out);
	print_label(m->out, "virtual_address", ip_addr_format(&p->addresses[0], address));
	print_names(m, p);
}

static void print_session_labels(const struct metrics *m, const struct peer *p)
{
	(void)fprintf(m->out, "connection_time=\"%lld\",", (long long)p->status.last_handshake_at);
	print_label(m->out, "username", p->username[0] != '\0' ? p->username : "UNDEF");
	(void)fputc(',', m->out);
	print_client_labels(m, p);
}

static const struct metric peer_metrics[] = {
	{"wireguard_received_bytes_total", "counter", "Bytes received from the peer",
		is_of_wireguard, print_wireguard_labels, received},
	{"wireguard_sent_bytes_total", "counter", "Bytes sent to the peer", is_of_wireguard,
		print_wireguard_labels, sent},
	{"wireguard_latest_handshake_seconds", "gauge", "UNIX time of the last handshake, 0: never",
		is_of_wireguard, print_wireguard_labels, handshake},
	{"nave_peer_connected", "gauge", "An authenticated packet came lately", is_any,
		print_wireguard_labels, is_connected},
	{"openvpn_server_client_received_bytes_total", "counter",
		"Bytes received from a client that is connected by OpenVPN", is_openvpn_client,
		print_session_labels, received},
	{"openvpn_server_client_sent_bytes_total", "counter",
		"Bytes sent to a client that is connected by OpenVPN", is_openvpn_client,
		print_session_labels, sent},
	{"openvpn_server_route_last_reference_time_seconds", "gauge",
		"UNIX time at which a packet came from the client", is_openvpn_client,
		print_client_labels, last_seen},
};

static int print_peer(void *ctx, const struct peer *p)
{
	struct metrics *m = ctx;
	if (!m->metric->is_of(m, p))
		return 0;
	(void)fprintf(m->out, "%s{", m->metric->name);
	m->metric->print_labels(m, p);
	(void)fprintf(m->out, "} %llu\n", (unsigned long long)m->metric->of_peer(m, p));
	return 0;
}

static int print_peers(void *ctx, const struct instance *i)
{
	struct metrics *m = ctx;
	const struct peer_filter filter = {.instance_id = &i->id};
	m->instance = i;
	return peer_list(m->store, &filter, print_peer, m);
}

static void print_head(FILE *out, const char *name, const char *type, const char *help)
{
	(void)fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static int print_instance(void *ctx, const struct instance *i)
{
	const struct metrics *m = ctx;
	(void)fputs("nave_instance_ready{", m->out);
	print_label(m->out, "hostname", i->hostname);
	(void)fprintf(m->out, "} %d\n", i->state == INSTANCE_READY);
	return 0;
}

static int count_client(void *ctx, const struct peer *p)
{
	struct metrics *m = ctx;
	m->clients += is_openvpn_client(m, p);
	return 0;
}

static int print_clients(void *ctx, const struct instance *i)
{
	struct metrics *m = ctx;
	const struct peer_filter filter = {.instance_id = &i->id};
	m->instance = i;
	m->clients = 0;
	int rc = peer_list(m->store, &filter, count_client, m);
	(void)fputs("openvpn_server_connected_clients{", m->out);
	print_interface(m, "status_path");
	(void)fputc(',', m->out);
	print_label(m->out, "instance_hostname", i->hostname);
	(void)fprintf(m->out, "} %u\n", m->clients);
	return rc;
}

static int print_hub(void *ctx, const struct hub *h)
{
	const struct metrics *m = ctx;
	(void)fputs("nave_hub_connected{", m->out);
	print_label(m->out, "hub", h->name);
	(void)fprintf(m->out, "} %d\n", hub_is_connected(h, m->now));
	return 0;
}

/* The dataplane's rule (dataplane/api/counter.h). */
static bool is_gauge(const char *name)
{
	size_t len = strlen(name);
	return len > 4 && strcmp(name + len - 4, "_now") == 0;
}

static void print_counters(const struct metrics *m, const struct hub *h, bool gauges)
{
	const char *name;
	json_t *value;
	json_object_foreach(h->counters, name, value)
	{
		if (is_gauge(name) != gauges)
			continue;
		(void)fputs(gauges ? "nave_dataplane{" : "nave_dataplane_total{", m->out);
		print_label(m->out, "hub", h->name);
		(void)fputc(',', m->out);
		print_label(m->out, gauges ? "gauge" : "counter", name);
		(void)fprintf(m->out, "} %lld\n", (long long)json_integer_value(value));
	}
}

static int print_totals(void *ctx, const struct hub *h)
{
	print_counters(ctx, h, false);
	return 0;
}

static int print_gauges(void *ctx, const struct hub *h)
{
	print_counters(ctx, h, true);
	return 0;
}

/* What the DNS server has not confirmed; the names of instances that are gone are told nowhere else. */
static int print_dns(struct metrics *m)
{
	int64_t waiting = 0, leaving = 0;
	int rc = dns_names_count(m->store, &waiting, &leaving);
	print_head(m->out, "nave_dns_names_waiting", "gauge",
		"Names of instances whose records the DNS server has not confirmed");
	(void)fprintf(m->out, "nave_dns_names_waiting %lld\n", (long long)waiting);
	print_head(m->out, "nave_dns_names_leaving", "gauge",
		"Names that no instance has any more, still to be removed from DNS");
	(void)fprintf(m->out, "nave_dns_names_leaving %lld\n", (long long)leaving);
	return rc;
}

static int print_all(struct metrics *m)
{
	static const struct instance_filter all;
	static const struct uuid first;
	int rc = 0;
	for (size_t n = 0; rc == 0 && n < sizeof(peer_metrics) / sizeof(peer_metrics[0]); n++) {
		m->metric = &peer_metrics[n];
		print_head(m->out, m->metric->name, m->metric->type, m->metric->help);
		rc = instance_list(m->store, &all, print_peers, m);
	}
	print_head(m->out, "openvpn_server_connected_clients", "gauge",
		"Peers of the instance that are connected by OpenVPN");
	if (rc == 0)
		rc = instance_list(m->store, &all, print_clients, m);
	print_head(m->out, "nave_instance_ready", "gauge", "The hub carries the instance");
	if (rc == 0)
		rc = instance_list(m->store, &all, print_instance, m);
	print_head(m->out, "nave_hub_connected", "gauge", "The hub has reported lately");
	if (rc == 0)
		rc = hub_list(m->store, &first, print_hub, m);
	print_head(m->out, "nave_dataplane_total", "counter",
		"Packets by what became of them, drops and times, since the dataplane started");
	if (rc == 0)
		rc = hub_list(m->store, &first, print_totals, m);
	print_head(m->out, "nave_dataplane", "gauge",
		"What there is in the dataplane now; of longest times: since the last report");
	if (rc == 0)
		rc = hub_list(m->store, &first, print_gauges, m);
	if (rc == 0)
		rc = print_dns(m);
	(void)fprintf(m->out, "# TYPE nave_build_info gauge\nnave_build_info{version=\"%s\"} 1\n",
		NAVE_VERSION);
	return rc;
}

int metrics_get(struct request *rq)
{
	char *text = NULL;
	size_t len = 0;
	struct metrics m = {
		.out = open_memstream(&text, &len),
		.now = store_now(rq->api->store),
		.store = rq->api->store,
	};
	if (m.out == NULL)
		return -ENOMEM;
	int rc = print_all(&m);
	if (fclose(m.out) != 0)
		rc = -ENOMEM;
	if (rc < 0) {
		free(text);
		return rc;
	}
	response_text(&rq->rs, "text/plain; version=0.0.4; charset=utf-8", text, len);
	return 0;
}
