// SPDX-License-Identifier: Apache-2.0
/* An instance and its peers in the words of https://www.wireguard.com/xplatform/. */
#include "dataplane/server/uapi_get.h"

#include "dataplane/base/clock.h"
#include "dataplane/keying/keying.h"
#include "dataplane/server/bounds.h"
#include "dataplane/server/socket_text.h"
#include "dataplane/server/state.h"
#include "dataplane/table/instance.h"
#include "dataplane/table/peer.h"
#include "dataplane/table/route.h"
#include "dataplane/table/tables.h"

#include <errno.h>
#include <stdlib.h>

static uint32_t count_peers(const struct instance *i)
{
	uint32_t n = 0;
	for (const struct peer *p = i->peers; p != NULL; p = p->instance_next)
		n++;
	return n;
}

static void tell_instance(struct server *s, const struct instance *i, struct socket_text *out)
{
	struct key private_key;
	keying_settle(s->keying);
	keying_private_key(i, &private_key);
	if (!key_is_zero(&private_key))
		socket_text_add_key(out, "private_key", &private_key);
	key_wipe(&private_key);
	socket_text_add(out, "listen_port=%u\n", (unsigned int)i->wireguard_port);
}

int uapi_get_begin(
	struct uapi_get *g, struct server *s, const struct instance *i, struct socket_text *out)
{
	uint32_t count = count_peers(i);
	uint64_t *handles = calloc(count + 1, sizeof(*handles));
	if (handles == NULL)
		return -ENOMEM;
	*g = (struct uapi_get){.peer = handles, .open = true};
	for (const struct peer *p = i->peers; p != NULL; p = p->instance_next)
		g->peer[g->count++] = peer_handle(p);
	tell_instance(s, i, out);
	return 0;
}

static void tell_peer(struct server *s, const struct peer *p, struct socket_text *out)
{
	struct keying_peer_status status;
	char text[IP_ENDPOINT_TEXT];
	uint64_t handshake = p->last_handshake_realtime_ns;
	keying_peer_status(s->keying, p, &status);
	socket_text_add_key(out, "public_key", &p->public_key);
	socket_text_add_key(out, "preshared_key", &p->preshared_key);
	socket_text_add(out, "protocol_version=1\npersistent_keepalive_interval=%u\n",
		(unsigned int)p->keepalive_s);
	if (status.endpoint.port != 0)
		socket_text_add(out, "endpoint=%s\n", ip_endpoint_format(&status.endpoint, text));
	socket_text_add(out, "last_handshake_time_sec=%llu\nlast_handshake_time_nsec=%llu\n",
		(unsigned long long)(handshake / NS_PER_SEC),
		(unsigned long long)(handshake % NS_PER_SEC));
	socket_text_add(out, "tx_bytes=%llu\nrx_bytes=%llu\n",
		(unsigned long long)peer_sent_bytes(p), (unsigned long long)peer_received_bytes(p));
	for (const struct route *r = p->routes; r != NULL; r = r->peer_next)
		socket_text_add(out, "allowed_ip=%s\n", ip_prefix_format(&r->prefix, text));
}

void uapi_get_continue(struct uapi_get *g, struct server *s, struct socket_text *out)
{
	if (!g->open)
		return;
	keying_settle(s->keying);
	while (g->at < g->count && out->len < UAPI_CHUNK) {
		const struct peer *p = peer_from_handle(s->tables, g->peer[g->at++]);
		if (p != NULL)
			tell_peer(s, p, out);
	}
	if (g->at < g->count)
		return;
	socket_text_add(out, "errno=0\n\n");
	uapi_get_end(g);
}

bool uapi_get_is_over(const struct uapi_get *g)
{
	return !g->open;
}

void uapi_get_end(struct uapi_get *g)
{
	free(g->peer);
	*g = (struct uapi_get){0};
}
