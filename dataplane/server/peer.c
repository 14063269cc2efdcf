// SPDX-License-Identifier: Apache-2.0
/*
 * Peers. A set is the whole object. Lists show no secrets. What keying alone knows (endpoint,
 * timestamp) it is asked for.
 */
#include "dataplane/table/peer.h"

#include "dataplane/api/peer.h"
#include "dataplane/base/clock.h"
#include "dataplane/keying/keying.h"
#include "dataplane/server/request.h"
#include "dataplane/server/state.h"
#include "dataplane/table/instance.h"
#include "dataplane/table/route.h"
#include "dataplane/table/tables.h"
#include "dataplane/table/underlay.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static_assert((int)DP_PEER_SITE == (int)PEER_TYPE_SITE
	&& (int)DP_PEER_CLIENT == (int)PEER_TYPE_CLIENT
	&& (int)DP_ALLOWED_MAX == (int)PEER_ALLOWED_MAX);

static struct peer_settings settings_from_set(const struct dp_peer_set *m, struct instance *i)
{
	bool any = m->allowed_count == DP_ALLOWED_ALL;
	return (struct peer_settings){
		.id = m->id,
		.instance = i,
		.type = (enum peer_type)m->type,
		.route_all = m->route_all == 1,
		.public_key = m->public_key,
		.expires_at_s = m->expires_at,
		.allowed_any = any,
		.allowed_count = any ? 0 : m->allowed_count,
		.allowed = m->allowed,
	};
}

static int refuse_set(struct request *q, const struct dp_peer_set *m, int error)
{
	char id[UUID_TEXT];
	(void)uuid_format(&m->id, id);
	if (error == -EEXIST)
		return request_refuse(q, error, "peer %s: public_key is another peer's", id);
	if (error == -EBUSY)
		return request_refuse(
			q, error, "peer %s: instance and public_key cannot change", id);
	if (error == -EADDRINUSE)
		return request_refuse(q, -EINVAL, "peer %s: endpoint is the hub itself", id);
	if (error == -EKEYREJECTED)
		return request_refuse(q, -EINVAL, "peer %s: public_key is the hub's own", id);
	return request_refuse(q, error, "peer %s: %s", id, strerrordesc_np(-error));
}

/* NULL without has_openvpn. -ENOMEM. */
static int credential_from_set(const struct dp_peer_set *m, struct keying_credential **ret)
{
	static_assert(sizeof((*ret)->username) == sizeof(m->openvpn.username)
		&& sizeof((*ret)->salt) == sizeof(m->openvpn.salt)
		&& sizeof((*ret)->password) == sizeof(m->openvpn.password)
		&& sizeof((*ret)->certificate) == sizeof(m->openvpn.certificate));
	*ret = NULL;
	if (m->has_openvpn == 0)
		return 0;
	struct keying_credential *c = calloc(1, sizeof(*c));
	if (c == NULL)
		return -ENOMEM;
	static const uint8_t none[sizeof(c->certificate)];
	c->has_certificate = memcmp(m->openvpn.certificate, none, sizeof(none)) != 0;
	memcpy(c->certificate, m->openvpn.certificate, sizeof(c->certificate));
	memcpy(c->username, m->openvpn.username, sizeof(c->username));
	memcpy(c->salt, m->openvpn.salt, sizeof(c->salt));
	memcpy(c->password, m->openvpn.password, sizeof(c->password));
	c->address4 = m->openvpn.address4;
	c->address6 = m->openvpn.address6;
	*ret = c;
	return 0;
}

static int tell_keying(struct server *s, struct peer *p, const struct dp_peer_set *m)
{
	struct keying_peer k = {
		.peer = p,
		.has_preshared_key = m->has_preshared_key == 1,
		.preshared_key = m->preshared_key,
		.keepalive_s = m->keepalive_s,
		.called_s = m->called_s,
		.endpoint = m->endpoint,
	};
	static_assert(sizeof(k.timestamp) == sizeof(m->timestamp));
	memcpy(k.timestamp, m->timestamp, sizeof(k.timestamp));
	int err = credential_from_set(m, &k.credential);
	if (err == 0)
		err = keying_peer_set(s->keying, &k);
	explicit_bzero(&k, sizeof(k));
	return err;
}

static int create_or_change(struct request *q, const struct dp_peer_set *m, struct instance *i)
{
	struct server *s = q->server;
	struct peer_settings settings = settings_from_set(m, i);
	struct peer *p;
	bool created;
	int err = peer_set(s->tables, &settings, &p, &created);
	if (err != 0)
		return err;
	err = tell_keying(s, p, m);
	if (err != 0) {
		if (created)
			peer_unlink(s->tables, p);
		return err;
	}
	sync_name(q, &p->sync_stamp);
	return 0;
}

static int set_peer(struct request *q, const struct dp_peer_set *m)
{
	struct tables *t = q->server->tables;
	struct instance *i = instance_find(t, &m->instance);
	struct peer *p = peer_find(t, &m->id);
	sync_count_peer(q);
	if (p != NULL)
		sync_name(q, &p->sync_stamp);
	if (i == NULL)
		return request_refuse_unknown(q, "instance", &m->instance);
	if (m->endpoint.port != 0 && underlay_is_local(t, &m->endpoint.addr))
		return refuse_set(q, m, -EADDRINUSE);
	int err = create_or_change(q, m, i);
	return err != 0 ? refuse_set(q, m, err) : 0;
}

int serve_peer_set(struct request *q)
{
	struct dp_peer_set m = {0};
	memcpy(&m, q->payload, q->header.payload_len);
	int err = set_peer(q, &m);
	explicit_bzero(&m, sizeof(m));
	return err;
}

int serve_peer_del(struct request *q)
{
	struct dp_peer_del m;
	memcpy(&m, q->payload, sizeof(m));
	struct peer *p = peer_find(q->server->tables, &m.id);
	if (p != NULL)
		peer_unlink(q->server->tables, p);
	return 0;
}

int serve_peer_reset(struct request *q)
{
	struct dp_peer_reset m;
	memcpy(&m, q->payload, sizeof(m));
	struct peer *p = peer_find(q->server->tables, &m.id);
	return p != NULL ? keying_peer_reset_timestamp(q->server->keying, p)
			 : request_refuse_unknown(q, "peer", &m.id);
}

static int list_peer(struct request *q, const struct peer *p)
{
	const struct peer_allowed *allowed = p->allowed;
	struct keying_peer_status status;
	keying_peer_status(q->server->keying, p, &status);
	struct dp_peer m = {
		.id = p->id,
		.instance = p->instance->id,
		.public_key = p->public_key,
		.expires_at = p->expires_at_s,
		.endpoint = status.endpoint,
		.allowed_count = allowed != NULL ? (uint16_t)allowed->count : DP_ALLOWED_ALL,
		.type = p->type,
		.route_all = p->route_all,
	};
	memcpy(m.timestamp, status.timestamp, sizeof(m.timestamp));
	if (allowed != NULL && allowed->count > 0)
		memcpy(m.allowed, allowed->prefix, allowed->count * sizeof(m.allowed[0]));
	return request_reply_object(q, &m, dp_peer_size(&m));
}

static uint8_t protocol_of(const struct peer *p)
{
	if (p->tunnel != NULL)
		return DP_PROTOCOL_OPENVPN;
	return p->current != NULL ? DP_PROTOCOL_WIREGUARD : DP_PROTOCOL_NONE;
}

static int list_stats(struct request *q, const struct peer *p)
{
	struct keying_peer_status status;
	keying_peer_status(q->server->keying, p, &status);
	uint64_t last_rx_ns = p->received.last_any_ns;
	struct dp_peer_stats m = {
		.id = p->id,
		.instance = p->instance->id,
		.last_handshake_ns = p->last_handshake_realtime_ns,
		.last_rx_ns = clock_realtime_from_monotonic_ns(last_rx_ns),
		.rx_bytes = peer_received_bytes(p),
		.tx_bytes = peer_sent_bytes(p),
		.rx_packets = p->received.packets,
		.tx_packets = p->sent.packets,
		.last_failure_ns = p->last_failure_realtime_ns,
		.last_failure_clock_s = p->last_failure_clock_s,
		.endpoint = status.endpoint,
		.last_failure = p->last_failure,
		.protocol = protocol_of(p),
	};
	memcpy(m.timestamp, status.timestamp, sizeof(m.timestamp));
	return request_reply_object(q, &m, sizeof(m));
}

/* Each peer of the instances that the request asks for. */
static int list_peers(struct request *q, int (*list)(struct request *q, const struct peer *p))
{
	struct dp_peer_list m;
	memcpy(&m, q->payload, sizeof(m));
	for (const struct instance *i = q->server->tables->instances; i != NULL; i = i->next) {
		if (!uuid_is_zero(&m.instance) && !uuid_equal(&m.instance, &i->id))
			continue;
		for (const struct peer *p = i->peers; p != NULL; p = p->instance_next) {
			int err = list(q, p);
			if (err != 0)
				return err;
		}
	}
	return 0;
}

int serve_peer_list(struct request *q)
{
	return list_peers(q, list_peer);
}

int serve_peer_stats_list(struct request *q)
{
	return list_peers(q, list_stats);
}
