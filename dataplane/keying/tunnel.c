// SPDX-License-Identifier: Apache-2.0
/*
 * What a client's session gives to the path: a peer id and data keys. The tunnel becomes the peer's with
 * the first key, and whatever the peer had until then, an older client or WireGuard sessions, ends: one
 * peer speaks one protocol at a time, from one place.
 */
#include "dataplane/base/clock.h"
#include "dataplane/keying/openvpn_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int keying_tunnel_new(struct keying *k, struct client *c, struct peer *p)
{
	struct tunnel *t = aligned_alloc(64, sizeof(*t));
	if (t == NULL)
		return -ENOMEM;
	memset(t, 0, sizeof(*t));
	t->peer = p;
	t->peer_slot = p->slot;
	t->client = c;
	t->is_tcp = c->listener->config.is_tcp;
	if (!t->is_tcp && !ovpn_session_has_data_v2(c->session)) {
		t->remote = c->remote;
		t->local_port = c->local_port;
	}
	int err = tunnel_publish(k->tables->tunnels, t);
	if (err != 0) {
		free(t);
		return err;
	}
	c->peer = p;
	c->tunnel = t;
	return 0;
}

static void free_key(void *object)
{
	struct data_key *key = object;
	data_receive_fini(&key->receive);
	data_send_fini(&key->send);
	free(key);
}

static enum data_compression compression_of(enum push_compression c)
{
	switch (c) {
	case PUSH_COMPRESSION_LZO_NO:
		return DATA_COMPRESSION_LZO_NO;
	case PUSH_COMPRESSION_STUB_V2:
		return DATA_COMPRESSION_STUB_V2;
	case PUSH_COMPRESSION_ABSENT:
		break;
	}
	return DATA_COMPRESSION_NONE;
}

static int make_key(struct keying *k, const struct client *c, const struct ovpn_session_key *from,
	struct data_key **ret)
{
	struct cipher_engine *e = k->openvpn->cipher;
	struct data_header header = {.key_id = from->key_id,
		.peer_id = c->tunnel->id,
		.len = ovpn_session_has_data_v2(c->session) ? DATA_V2_HEADER_LEN
							    : DATA_V1_HEADER_LEN};
	struct data_key *key = calloc(1, sizeof(*key));
	if (key == NULL)
		return -ENOMEM;
	key->key_id = from->key_id;
	int err = data_receive_init(&key->receive, e, &from->suite,
		key_block_slots(&from->block, KEY_BLOCK_CLIENT_TO_SERVER), c->tunnel->is_tcp);
	if (err == 0) {
		err = data_send_init(&key->send, e, &from->suite,
			key_block_slots(&from->block, KEY_BLOCK_SERVER_TO_CLIENT), &header);
		if (err != 0)
			data_receive_fini(&key->receive);
	}
	if (err != 0) {
		free(key);
		return err;
	}
	*ret = key;
	return 0;
}

int keying_tunnel_key_ready(struct keying *k, struct client *c, const struct ovpn_session_key *from)
{
	struct data_key *key;
	if (c->tunnel == NULL)
		return -ENOTCONN;
	int err = make_key(k, c, from, &key);
	if (err != 0)
		return err;
	keying_tunnel_key_expired(k, c, key->key_id);
	if (!c->is_up) /* it stays the same for the whole session */
		c->tunnel->compression = compression_of(ovpn_session_compression(c->session));
	c->key[key->key_id] = key;
	if (!c->is_up)
		keying_tunnel_take_over(k, c);
	atomic_store_explicit(&c->tunnel->receive[key->key_id], key, memory_order_release);
	return 0;
}

void keying_tunnel_key_active(struct keying *k, struct client *c, uint8_t key_id)
{
	if (c->key[key_id] != NULL)
		atomic_store_explicit(&c->tunnel->send, c->key[key_id], memory_order_release);
}

void keying_tunnel_key_expired(struct keying *k, struct client *c, uint8_t key_id)
{
	struct data_key *key = c->key[key_id];
	if (key == NULL)
		return;
	c->key[key_id] = NULL;
	atomic_store_explicit(&c->tunnel->receive[key_id], NULL, memory_order_release);
	if (c->tunnel->send == key)
		atomic_store_explicit(&c->tunnel->send, NULL, memory_order_release);
	keying_defer(k, key, free_key);
}

/* Its handshakes are not answered while OpenVPN is in use, and it begins none. */
static void leave_wireguard(struct keying *k, struct peer *p)
{
	keying_sessions_drop(k, p);
	keying_peer_purge_staged(k, p);
	keying_peer_rest(k, p);
}

void keying_tunnel_take_over(struct keying *k, struct client *c)
{
	struct peer *p = c->peer;
	c->is_up = true;
	keying_clients_replaced(k, c);
	leave_wireguard(k, p);
	atomic_store_explicit(&p->tunnel, c->tunnel, memory_order_release);
	keying_endpoint_set(k, p, &c->remote, &c->local, c->local_port);
	atomic_store_explicit(
		&p->last_handshake_realtime_ns, clock_realtime_ns(), memory_order_relaxed);
	keying_client_note_up(k, c);
	keying_timer_visit(k, p);
	keying_count(k, COUNTER_OVPN_SESSIONS_UP);
	struct keying_event e = {.type = KEYING_EVENT_SESSION_UP, .peer = peer_handle(p)};
	keying_tell(k, &e);
}

void keying_tunnel_free(struct keying *k, struct client *c)
{
	struct tunnel *t = c->tunnel;
	if (t == NULL)
		return;
	if (c->peer->tunnel == t) {
		atomic_store_explicit(&c->peer->tunnel, NULL, memory_order_release);
		if (peer_has_wireguard(c->peer))
			keying_endpoint_drop(k, c->peer); /* WireGuard has no business there */
	}
	tunnel_unlink(k->tables->tunnels, t);
	for (unsigned int n = 0; n < TUNNEL_KEYS; n++)
		keying_tunnel_key_expired(k, c, (uint8_t)n);
	c->tunnel = NULL;
	keying_defer(k, t, free);
}
