// SPDX-License-Identifier: Apache-2.0
#include "control/node/report.h"

#include "control/node/id_list.h"
#include "dataplane/api/counter.h"
#include "dataplane/base/clock.h"
#include "dataplane/base/hex.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct reading {
	struct report_peer *peer;
	unsigned int count, room;
	struct memory *memory;
};

static int take_stats(void *ctx, const uint8_t *payload, size_t len)
{
	struct reading *r = ctx;
	if (r->count == r->room) {
		unsigned int room = r->room == 0 ? 64 : r->room * 2;
		struct report_peer *new = reallocarray(r->peer, room, sizeof(*new));
		if (new == NULL)
			return -ENOMEM;
		r->peer = new;
		r->room = room;
	}
	struct report_peer *p = &r->peer[r->count++];
	memset(p, 0, sizeof(*p));
	memcpy(&p->now, payload, sizeof(p->now));
	memory_note(r->memory, &p->now);
	return 0;
}

static int take_counter(void *ctx, const uint8_t *payload, size_t len)
{
	struct dp_counter c;
	memcpy(&c, payload, sizeof(c));
	return json_object_set_new(ctx, c.name, json_integer((json_int_t)c.value)) == 0 ? 0
											: -ENOMEM;
}

/* Carries over what was told of the peers that are still there. */
static void replace_peers(struct report *r, struct reading *in)
{
	if (in->count > 0)
		qsort(in->peer, in->count, sizeof(in->peer[0]), id_compare);
	for (unsigned int i = 0, old = 0; i < in->count; i++) {
		while (old < r->peers && id_compare(&r->peer[old], &in->peer[i]) < 0)
			old++;
		if (old == r->peers || id_compare(&r->peer[old], &in->peer[i]) != 0)
			continue;
		in->peer[i].told = r->peer[old].told;
		in->peer[i].is_telling = r->peer[old].is_telling;
	}
	free(r->peer);
	r->peer = in->peer;
	r->peers = in->count;
}

int report_read(struct report *r, struct dp_client *dp, struct memory *memory)
{
	struct reading in = {.memory = memory};
	struct dp_peer_list all = {0};
	json_t *counters = json_object();
	int err = counters == NULL ? -ENOMEM : 0;
	if (err == 0)
		err = dp_client_list(
			dp, DP_MSG_PEER_STATS_LIST, &all, sizeof(all), take_stats, &in);
	if (err == 0)
		err = dp_client_list(dp, DP_MSG_COUNTER_LIST, NULL, 0, take_counter, counters);
	if (err != 0) {
		free(in.peer);
		json_decref(counters);
		return err;
	}
	replace_peers(r, &in);
	json_decref(r->counters);
	r->counters = counters;
	return 0;
}

void report_take_event(struct report *r, const struct dp_event *e, struct memory *memory)
{
	struct report_peer *p = r->peers == 0
		? NULL
		: bsearch(&e->peer, r->peer, r->peers, sizeof(r->peer[0]), id_compare);
	if (p == NULL)
		return;
	if (e->type == DP_EVENT_HANDSHAKE_FAILED) {
		p->now.last_failure = e->failure;
		p->now.last_failure_ns = e->at_ns;
		p->now.last_failure_clock_s = 0; /* the next reading tells */
		return;
	}
	if (e->type == DP_EVENT_PEER_SEEN) {
		p->now.last_handshake_ns = e->at_ns;
		p->now.last_rx_ns = e->at_ns;
	}
	if (e->endpoint.port == 0)
		return;
	/* an event tells no timestamp, and the one read last may have been reset since */
	const struct dp_peer_stats seen = {
		.id = e->peer, .endpoint = e->endpoint, .protocol = e->protocol};
	p->now.endpoint = e->endpoint;
	memory_note(memory, &seen);
}

/* The dataplane makes it from two clocks: each reading gives it a little other. */
static bool seen_again(uint64_t now_ns, uint64_t told_ns)
{
	return now_ns > told_ns ? now_ns - told_ns >= NS_PER_SEC : told_ns - now_ns >= NS_PER_SEC;
}

/* Only what the control daemon is told counts, as exactly as it is told. */
static bool is_news(const struct report_peer *p)
{
	const struct dp_peer_stats *a = &p->now, *b = &p->told;
	return !uuid_equal(&a->id, &b->id) || a->rx_bytes != b->rx_bytes
		|| a->last_failure_clock_s != b->last_failure_clock_s || a->tx_bytes != b->tx_bytes
		|| a->rx_packets != b->rx_packets || a->tx_packets != b->tx_packets
		|| a->last_failure != b->last_failure || a->protocol != b->protocol
		|| a->last_failure_ns / NS_PER_SEC != b->last_failure_ns / NS_PER_SEC
		|| a->last_handshake_ns / NS_PER_SEC != b->last_handshake_ns / NS_PER_SEC
		|| seen_again(a->last_rx_ns, b->last_rx_ns)
		|| !ip_endpoint_equal(&a->endpoint, &b->endpoint)
		|| memcmp(a->timestamp, b->timestamp, sizeof(a->timestamp)) != 0;
}

bool report_has_news(const struct report *r)
{
	for (unsigned int i = 0; i < r->peers; i++) {
		if (is_news(&r->peer[i]))
			return true;
	}
	return false;
}

unsigned int report_period_ms(const struct report *r)
{
	return REPORT_PERIOD_MS * (1 + r->peers / REPORT_PEERS_A_PERIOD);
}

static json_t *time_or_null(uint64_t ns)
{
	return ns == 0 ? json_null() : json_integer((json_int_t)(ns / NS_PER_SEC));
}

static json_t *failure_or_null(const struct dp_peer_stats *s)
{
	const char *reason = dp_failure_name(s->last_failure);
	if (s->last_failure_ns == 0 || reason == NULL)
		return json_null();
	return json_pack("{sssIsI}", "reason", reason, "at",
		(json_int_t)(s->last_failure_ns / NS_PER_SEC), "detail",
		(json_int_t)s->last_failure_clock_s);
}

/* NULL: it has no session. */
static const char *protocol_name(uint8_t protocol)
{
	static const char *const names[DP_PROTOCOL__COUNT] = {
		[DP_PROTOCOL_WIREGUARD] = "wireguard",
		[DP_PROTOCOL_OPENVPN] = "openvpn",
	};
	return protocol < DP_PROTOCOL__COUNT ? names[protocol] : NULL;
}

static json_t *peer_json(const struct dp_peer_stats *s)
{
	char id[UUID_TEXT], endpoint[IP_ENDPOINT_TEXT];
	char timestamp[2 * DP_TIMESTAMP_LEN + 1];
	hex_encode(s->timestamp, sizeof(s->timestamp), timestamp);
	return json_pack("{ssss?sososIsIsIsIsssoss?}", "id", uuid_format(&s->id, id), "endpoint",
		s->endpoint.port == 0 ? NULL : ip_endpoint_format(&s->endpoint, endpoint),
		"last_handshake_at", time_or_null(s->last_handshake_ns), "last_seen_at",
		time_or_null(s->last_rx_ns), "rx_bytes", (json_int_t)s->rx_bytes, "tx_bytes",
		(json_int_t)s->tx_bytes, "rx_packets", (json_int_t)s->rx_packets, "tx_packets",
		(json_int_t)s->tx_packets, "timestamp", timestamp, "last_failure",
		failure_or_null(s), "protocol_in_use", protocol_name(s->protocol));
}

/* Begins where the last one ended: when there is more news than room, everybody has a turn. */
static json_t *peers_json(struct report *r)
{
	json_t *peers = json_array();
	unsigned int first = r->next < r->peers ? r->next : 0;
	for (unsigned int i = 0; i < r->peers && json_array_size(peers) < REPORT_PEERS_MAX; i++) {
		unsigned int at = (first + i) % r->peers;
		struct report_peer *p = &r->peer[at];
		if (!is_news(p))
			continue;
		p->is_telling = true;
		p->told = p->now;
		(void)json_array_append_new(peers, peer_json(&p->now));
		r->next = at + 1;
	}
	return peers;
}

static json_t *instances_json(const struct desired *d, const struct faults *faults)
{
	json_t *instances = json_array();
	for (unsigned int i = 0; i < d->instances; i++) {
		char id[UUID_TEXT];
		const char *reason = faults_find(faults, &d->instance[i].id);
		(void)json_array_append_new(instances,
			json_pack("{ssssss}", "id", uuid_format(&d->instance[i].id, id), "state",
				reason == NULL ? "ready" : "failed", "reason",
				reason == NULL ? "" : reason));
	}
	return instances;
}

static json_t *addresses_json(const struct underlay *u)
{
	json_t *addresses = json_array();
	for (unsigned int i = 0; i < u->addresses; i++) {
		char text[IP_ADDR_TEXT];
		(void)json_array_append_new(
			addresses, json_string(ip_addr_format(&u->address[i], text)));
	}
	return addresses;
}

char *report_text(struct report *r, const struct desired *d, uint64_t generation,
	const struct uuid *boot_id, const struct underlay *u, const struct faults *faults)
{
	char boot[UUID_TEXT], epoch[UUID_TEXT];
	json_t *o = json_pack("{sssssIsssos{sbsb}sososO?}", "boot_id", uuid_format(boot_id, boot),
		"epoch", uuid_format(&d->epoch, epoch), "generation", (json_int_t)generation,
		"version", NAVE_VERSION, "addresses", addresses_json(u), "egress", "ipv4",
		u->hub.egress4, "ipv6", u->hub.egress6, "instances", instances_json(d, faults),
		"peers", peers_json(r), "counters", r->counters);
	char *text = o != NULL ? json_dumps(o, JSON_COMPACT) : NULL;
	json_decref(o);
	return text;
}

static void forget(struct report_peer *p)
{
	memset(&p->told, 0, sizeof(p->told));
}

void report_note(struct report *r, bool taken)
{
	for (unsigned int i = 0; i < r->peers; i++) {
		struct report_peer *p = &r->peer[i];
		if (p->is_telling && !taken)
			forget(p);
		p->is_telling = false;
	}
}

void report_forget(struct report *r)
{
	for (unsigned int i = 0; i < r->peers; i++)
		forget(&r->peer[i]);
}

void report_fini(struct report *r)
{
	free(r->peer);
	json_decref(r->counters);
	memset(r, 0, sizeof(*r));
}
