// SPDX-License-Identifier: Apache-2.0
/* The clients of an instance as OpenVPN's multi_print_status() tells them, in its three formats. */
#include "dataplane/server/management_status.h"

#include "dataplane/base/clock.h"
#include "dataplane/keying/client_status.h"
#include "dataplane/server/bounds.h"
#include "dataplane/server/socket_text.h"
#include "dataplane/server/state.h"
#include "dataplane/table/instance.h"
#include "dataplane/table/peer.h"
#include "dataplane/table/route.h"
#include "dataplane/table/tables.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	BATCH = 128, /* clients that keying is asked about at a time */
	TIME_TEXT = 64,
};

enum stage {
	STAGE_HEAD,
	STAGE_CLIENTS,
	STAGE_ROUTES_HEAD,
	STAGE_ROUTES,
	STAGE_TAIL,
};

int management_status_begin(
	struct management_status *g, const struct instance *i, unsigned int version)
{
	uint32_t count = 0;
	for (const struct peer *p = i->peers; p != NULL; p = p->instance_next)
		count += p->tunnel != NULL;
	uint64_t *handles = calloc(count + 1, sizeof(*handles));
	if (handles == NULL)
		return -ENOMEM;
	*g = (struct management_status){.peer = handles, .version = (uint8_t)version};
	/* keying lets more come meanwhile */
	for (const struct peer *p = i->peers; p != NULL && g->count < count; p = p->instance_next) {
		if (p->tunnel != NULL)
			g->peer[g->count++] = peer_handle(p);
	}
	return 0;
}

/* UTC. Not gmtime_r(): the C library would look for a file of time zones, which the sandbox forbids. */
static const char *time_text(uint64_t at_s, char ret[TIME_TEXT])
{
	unsigned int in_day = (unsigned int)(at_s % 86400);
	/* days since 0000-03-01, in eras of 400 years, so that a leap day is the last of its year */
	unsigned int days = (unsigned int)(at_s / 86400 % 3000000) + 719468;
	unsigned int era = days / 146097, of_era = days % 146097;
	unsigned int year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	unsigned int of_year = of_era - (365 * year + year / 4 - year / 100);
	unsigned int month = (5 * of_year + 2) / 153; /* from March */
	unsigned int day = of_year - (153 * month + 2) / 5 + 1;
	year += 400 * era + (month >= 10 ? 1 : 0);
	(void)snprintf(ret, TIME_TEXT, "%04u-%02u-%02u %02u:%02u:%02u", year % 10000,
		month >= 10 ? month - 9 : month + 3, day, in_day / 3600, in_day / 60 % 60,
		in_day % 60);
	return ret;
}

static char separator_of(const struct management_status *g)
{
	return g->version == 3 ? '\t' : ',';
}

/* Words that commas part, with the format's own separator. */
static void add_words(const struct management_status *g, struct socket_text *out, const char *words)
{
	char line[256];
	(void)snprintf(line, sizeof(line), "%s\r\n", words);
	for (char *c = line; *c != '\0'; c++)
		*c = *c == ',' ? separator_of(g) : *c;
	socket_text_add(out, "%s", line);
}

static void tell_head(const struct management_status *g, struct socket_text *out)
{
	uint64_t now_s = clock_realtime_ns() / NS_PER_SEC;
	char now[TIME_TEXT], sep = separator_of(g);
	(void)time_text(now_s, now);
	if (g->version == 1) {
		socket_text_add(out, "OpenVPN CLIENT LIST\r\nUpdated,%s\r\n", now);
		add_words(g, out,
			"Common Name,Real Address,Bytes Received,Bytes Sent,Connected Since");
		return;
	}
	socket_text_add(out, "TITLE%c" MANAGEMENT_TITLE "\r\nTIME%c%s%c%llu\r\n", sep, sep, now,
		sep, (unsigned long long)now_s);
	add_words(g, out,
		"HEADER,CLIENT_LIST,Common Name,Real Address,Virtual Address,Virtual IPv6 Address,"
		"Bytes Received,Bytes Sent,Connected Since,Connected Since (time_t),Username,"
		"Client ID,Peer ID,Data Channel Cipher");
}

/* As OpenVPN has it: an IPv6 address stands without its port. */
static const char *remote_text(const struct ip_endpoint *e, char ret[IP_ENDPOINT_TEXT])
{
	if (ip_addr_is_v4(&e->addr))
		return ip_endpoint_format(e, ret);
	return ip_addr_format(&e->addr, ret);
}

static const char *inner_text(const struct ip_addr *a, char ret[IP_ADDR_TEXT])
{
	ret[0] = '\0';
	return ip_addr_is_zero(a) ? ret : ip_addr_format(a, ret);
}

static void tell_client(const struct management_status *g, const struct keying_client_status *c,
	struct socket_text *out)
{
	char remote[IP_ENDPOINT_TEXT], v4[IP_ADDR_TEXT], v6[IP_ADDR_TEXT], since[TIME_TEXT];
	char sep = separator_of(g);
	unsigned long long since_s = c->since_ns / NS_PER_SEC;
	unsigned long long received = c->received_bytes, sent = c->sent_bytes;
	(void)remote_text(&c->remote, remote);
	(void)time_text(since_s, since);
	if (g->version == 1) {
		socket_text_add(
			out, "%s,%s,%llu,%llu,%s\r\n", c->name, remote, received, sent, since);
		return;
	}
	socket_text_add(out, "CLIENT_LIST%c%s%c%s%c%s%c%s%c%llu%c%llu", sep, c->name, sep, remote,
		sep, inner_text(&c->address4, v4), sep, inner_text(&c->address6, v6), sep, received,
		sep, sent);
	socket_text_add(out, "%c%s%c%llu%c%s%c%llu%c%u%c%s\r\n", sep, since, sep, since_s, sep,
		c->username[0] != '\0' ? c->username : "UNDEF", sep, (unsigned long long)c->number,
		sep, (unsigned int)c->peer_id, sep, c->cipher);
}

/* Alone, an address has no length. */
static const char *network_text(const struct ip_prefix *p, char ret[IP_PREFIX_TEXT])
{
	bool is_host = ip_prefix_len(p) == (ip_prefix_is_v4(p) ? 32 : 128);
	return is_host ? ip_addr_format(&p->addr, ret) : ip_prefix_format(p, ret);
}

static void tell_route(const struct management_status *g, const struct keying_client_status *c,
	const struct route *r, uint64_t last_s, struct socket_text *out)
{
	char remote[IP_ENDPOINT_TEXT], network[IP_PREFIX_TEXT], last[TIME_TEXT];
	char sep = separator_of(g);
	if (g->version > 1)
		socket_text_add(out, "ROUTING_TABLE%c", sep);
	socket_text_add(out, "%s%c%s%c%s%c%s", network_text(&r->prefix, network), sep, c->name, sep,
		remote_text(&c->remote, remote), sep, time_text(last_s, last));
	if (g->version > 1)
		socket_text_add(out, "%c%llu", sep, (unsigned long long)last_s);
	socket_text_add(out, "\r\n");
}

static void tell_routes(const struct management_status *g, const struct keying_client_status *c,
	const struct peer *p, struct socket_text *out)
{
	uint64_t heard_ns = clock_realtime_from_monotonic_ns(p->received.last_any_ns);
	uint64_t last_ns = heard_ns > c->since_ns ? heard_ns : c->since_ns;
	for (const struct route *r = p->routes; r != NULL; r = r->peer_next)
		tell_route(g, c, r, last_ns / NS_PER_SEC, out);
}

static void tell_batch(struct management_status *g, const struct server *s, struct socket_text *out)
{
	struct keying_client_status status[BATCH];
	unsigned int count = g->count - g->at < BATCH ? g->count - g->at : BATCH;
	if (count > 0)
		keying_client_status(s->keying, &g->peer[g->at], count, status);
	for (unsigned int n = 0; n < count; n++) {
		const struct peer *p = peer_from_handle(s->tables, g->peer[g->at + n]);
		if (p == NULL || status[n].number == 0)
			continue;
		if (g->stage == STAGE_CLIENTS)
			tell_client(g, &status[n], out);
		else
			tell_routes(g, &status[n], p, out);
	}
	g->at += count;
	if (g->at < g->count)
		return;
	g->at = 0;
	g->stage++;
}

static void tell_routes_head(const struct management_status *g, struct socket_text *out)
{
	if (g->version == 1)
		socket_text_add(out,
			"ROUTING TABLE\r\nVirtual Address,Common Name,Real Address,Last Ref\r\n");
	else
		add_words(g, out,
			"HEADER,ROUTING_TABLE,Virtual Address,Common Name,Real Address,Last Ref,"
			"Last Ref (time_t)");
}

/* There is no queue of broadcasts here. */
static void tell_tail(const struct management_status *g, struct socket_text *out)
{
	if (g->version == 1)
		socket_text_add(out, "GLOBAL STATS\r\nMax bcast/mcast queue length,0\r\n");
	else
		add_words(g, out, "GLOBAL_STATS,Max bcast/mcast queue length,0");
	socket_text_add(out, "END\r\n");
}

void management_status_continue(
	struct management_status *g, struct server *s, struct socket_text *out)
{
	while (g->version != 0 && out->len < UAPI_CHUNK) {
		switch ((enum stage)g->stage) {
		case STAGE_HEAD:
			tell_head(g, out);
			g->stage++;
			break;
		case STAGE_ROUTES_HEAD:
			tell_routes_head(g, out);
			g->stage++;
			break;
		case STAGE_CLIENTS:
		case STAGE_ROUTES:
			tell_batch(g, s, out);
			break;
		case STAGE_TAIL:
			tell_tail(g, out);
			management_status_end(g);
			break;
		}
	}
}

bool management_status_is_over(const struct management_status *g)
{
	return g->version == 0;
}

void management_status_end(struct management_status *g)
{
	free(g->peer);
	*g = (struct management_status){0};
}
