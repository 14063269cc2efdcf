// SPDX-License-Identifier: Apache-2.0
/*
 * The clients of all listeners: one session each, whatever happens in it, and its end. A client is
 * nobody until it has authenticated, so it disturbs no other; then its tunnel takes the place of an
 * older one of the same peer (tunnel.c).
 */
#include "dataplane/base/clock.h"
#include "dataplane/keying/stream.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <rte_mbuf.h>

enum {
	CLIENTS_MAX = 65536,
	STRANGERS_MAX =
		2048, /* of both transports: half of the streams stay for those who are known */
	HAND_WINDOW_S = 60,
};

#define LOOK_NS (NS_PER_SEC / 20)
#define PING_NS (10 * NS_PER_SEC)
#define SILENCE_NS (120 * NS_PER_SEC) /* twice the client's: it notices first */
#define YIELD_NS (10 * NS_PER_SEC)

int keying_openvpn_init(struct keying *k)
{
	struct keying_openvpn *o = calloc(1, sizeof(*o));
	if (o == NULL)
		return -ENOMEM;
	int err = hash_init(&o->by_session_id);
	if (err == 0)
		err = start_init(&o->start, HAND_WINDOW_S);
	if (err == 0)
		err = reply_limit_new(&o->limit);
	if (err == 0)
		err = cipher_engine_new(&o->cipher);
	o->epoll_fd = -1;
	k->openvpn = o;
	if (err == 0)
		err = keying_streams_init(k);
	if (err != 0)
		keying_openvpn_fini(k);
	return err;
}

void keying_openvpn_fini(struct keying *k)
{
	struct keying_openvpn *o = k->openvpn;
	if (o == NULL)
		return;
	keying_streams_fini(k);
	cipher_engine_free(o->cipher);
	reply_limit_free(o->limit);
	start_fini(&o->start);
	hash_fini(&o->by_session_id);
	free(o);
	k->openvpn = NULL;
}

static struct client *client_of(struct hash_entry *e)
{
	return (struct client *)((char *)e - offsetof(struct client, by_session_id));
}

struct client *keying_client_find(struct keying *k, const struct instance *i, uint16_t local_port,
	const struct session_id *client_id)
{
	const struct hash *h = &k->openvpn->by_session_id;
	struct hash_entry *e =
		hash_first(h, hash_of(h, client_id->bytes, sizeof(client_id->bytes)));
	for (; e != NULL; e = hash_next(e)) {
		struct client *c = client_of(e);
		if (c->instance == i && c->stream == NULL && c->local_port == local_port
			&& !c->is_gone && session_id_equal(&c->client_id, client_id))
			return c;
	}
	return NULL;
}

static void link_client(struct keying_openvpn *o, struct client *c)
{
	struct hash *h = &o->by_session_id;
	if (c->stream == NULL) /* of TCP its stream finds it, and all have the same id: none */
		hash_add(h, &c->by_session_id,
			hash_of(h, c->client_id.bytes, sizeof(c->client_id.bytes)));
	c->next = o->clients;
	c->prev = &o->clients;
	if (o->clients != NULL)
		o->clients->prev = &c->next;
	o->clients = c;
	o->count++;
}

bool keying_stranger_enter(struct keying_openvpn *o, const struct ip_addr *from)
{
	if (o->strangers >= STRANGERS_MAX || !network_enter(o->limit, from))
		return false;
	o->strangers++;
	return true;
}

void keying_stranger_leave(struct keying_openvpn *o, const struct ip_addr *from)
{
	o->strangers--;
	network_leave(o->limit, from);
}

struct client *keying_client_new(
	struct keying *k, const struct client_way *way, struct ovpn_session_begin *begin)
{
	struct keying_openvpn *o = k->openvpn;
	if (o->count >= CLIENTS_MAX || !keying_stranger_enter(o, &way->remote.addr)) {
		keying_count(k, COUNTER_DROP_OVPN_FLOOD);
		wrap_fini(&begin->wrap);
		return NULL;
	}
	struct client *c = calloc(1, sizeof(*c));
	if (c == NULL) {
		wrap_fini(&begin->wrap);
	} else if (ovpn_session_new(begin, k->now_ns, &c->session) != 0) {
		free(c);
		c = NULL;
	}
	if (c == NULL) {
		keying_count(k, COUNTER_DROP_NO_BUFFER);
		keying_stranger_leave(o, &way->remote.addr);
		return NULL;
	}
	c->instance = way->instance;
	c->listener = keying_listener_ref(way->listener);
	c->stream = way->stream;
	c->client_id = begin->client;
	c->stranger_at = way->remote.addr;
	c->remote = way->remote;
	c->local = way->local;
	c->local_port = way->local_port;
	c->number = ++o->last_number;
	link_client(o, c);
	return c;
}

/* It has shown who it is, or it goes: it is no stranger any more, and never one again. */
static void leave_strangers(struct keying_openvpn *o, struct client *c)
{
	if (c->is_known)
		return;
	c->is_known = true;
	keying_stranger_leave(o, &c->stranger_at);
}

/* The tunnel is the peer's no more, and nothing of it is left in the path. */
static void take_down(struct keying *k, struct client *c)
{
	if (c->is_up)
		keying_client_note_down(c);
	c->is_up = false;
	keying_tunnel_free(k, c);
}

void keying_client_free(struct keying *k, struct client *c)
{
	struct keying_openvpn *o = k->openvpn;
	take_down(k, c);
	leave_strangers(o, c);
	if (c->stream != NULL) { /* it is closed when what waits has been tried once */
		c->stream->client = NULL;
		c->stream->ends = true;
		keying_stream_ready(k, c->stream);
	} else {
		hash_del(&o->by_session_id, &c->by_session_id);
	}
	*c->prev = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	o->count--;
	ovpn_session_free(c->session);
	keying_listener_unref(c->listener);
	free(c);
}

static void authenticate(struct keying *k, struct client *c, const struct ovpn_credentials *said)
{
	enum ovpn_session_failure why;
	struct push push;
	struct peer *p = keying_credential_check(c, said, &why);
	bool is_another = p != NULL && c->peer != NULL && p != c->peer;
	if (c->is_gone)
		return; /* it is somebody else's turn, and this one is freed soon */
	if (p == NULL || is_another) {
		ovpn_session_refuse(
			c->session, is_another ? OVPN_FAILURE_PASSWORD : why, "", k->now_ns);
		return;
	}
	if (c->tunnel == NULL && keying_tunnel_new(k, c, p) != 0) {
		ovpn_session_refuse(c->session, OVPN_FAILURE_MEMORY, "", k->now_ns);
		return;
	}
	keying_push_write(c, &push);
	(void)ovpn_session_accept(c->session, &push, k->now_ns);
}

/* Also of one that did not get in: of the peer that it said it is. */
static void tell_failure(
	struct keying *k, const struct client *c, const struct ovpn_session_event *e)
{
	static const enum peer_failure of[OVPN_FAILURE__COUNT] = {
		[OVPN_FAILURE_TIMEOUT] = PEER_FAILURE_OPENVPN_TIMEOUT,
		[OVPN_FAILURE_TLS] = PEER_FAILURE_OPENVPN_TLS,
		[OVPN_FAILURE_CERTIFICATE] = PEER_FAILURE_OPENVPN_CERTIFICATE,
		[OVPN_FAILURE_PASSWORD] = PEER_FAILURE_OPENVPN_PASSWORD,
		[OVPN_FAILURE_CIPHER] = PEER_FAILURE_OPENVPN_CIPHER,
		[OVPN_FAILURE_OPTIONS] = PEER_FAILURE_OPENVPN_OPTIONS,
	};
	struct peer *p = c->peer != NULL ? c->peer : keying_credential_owner(c, e->credentials);
	if (p == NULL && e->failure == OVPN_FAILURE_CERTIFICATE)
		p = keying_credential_owner_anywhere(k, e->credentials);
	if (p != NULL && of[e->failure] != PEER_FAILURE_NONE)
		keying_peer_fail(k, p, of[e->failure], 0);
}

/* true: the client goes. */
static bool obey_event(struct keying *k, struct client *c, const struct ovpn_session_event *e)
{
	switch (e->type) {
	case OVPN_SESSION_AUTHENTICATE:
		authenticate(k, c, e->credentials);
		break;
	case OVPN_SESSION_KEY_READY:
		if (keying_tunnel_key_ready(k, c, e->key) != 0)
			keying_count(k, COUNTER_DROP_NO_BUFFER);
		break;
	case OVPN_SESSION_KEY_ACTIVE:
		keying_tunnel_key_active(k, c, e->key_id);
		break;
	case OVPN_SESSION_KEY_EXPIRED:
		keying_tunnel_key_expired(k, c, e->key_id);
		break;
	case OVPN_SESSION_EXITED:
		return true;
	case OVPN_SESSION_FAILED:
		tell_failure(k, c, e);
		take_down(k, c);
		break;
	case OVPN_SESSION_CONNECTED:
	case OVPN_SESSION_NOTHING:
		break;
	}
	return false;
}

static void put_into_stream(struct keying *k, struct stream *s, const uint8_t *wire, size_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(k->rings->pool);
	void *to = m != NULL ? rte_pktmbuf_append(m, (uint16_t)len) : NULL;
	if (to == NULL) {
		rte_pktmbuf_free(m);
		keying_count(k, COUNTER_DROP_NO_BUFFER);
		return; /* the session says it again */
	}
	memcpy(to, wire, len);
	if (keying_stream_put(k, s, m))
		keying_count(k, COUNTER_OVPN_CONTROL_SENT);
}

static void send_what_waits(struct keying *k, struct client *c)
{
	uint8_t wire[CONTROL_PACKET_MAX];
	uint32_t now_s = (uint32_t)(clock_realtime_ns() / NS_PER_SEC);
	size_t len;
	while ((len = ovpn_session_take(c->session, wire, sizeof(wire), k->now_ns, now_s)) > 0) {
		if (c->stream != NULL)
			put_into_stream(k, c->stream, wire, len);
		else if (keying_reply(k, &c->reply, wire, len))
			keying_count(k, COUNTER_OVPN_CONTROL_SENT);
	}
}

void keying_client_advance(struct keying *k, struct client *c)
{
	struct ovpn_session_event e;
	bool goes = false;
	for (ovpn_session_event(c->session, &e); e.type != OVPN_SESSION_NOTHING;
		ovpn_session_event(c->session, &e))
		goes = obey_event(k, c, &e) || goes;
	send_what_waits(k, c);
	if (goes || ovpn_session_is_over(c->session))
		keying_client_free(k, c);
}

static bool fits(const struct client *c, const struct client_filter *which)
{
	return (which->instance == NULL || which->instance == c->instance)
		&& (which->peer == NULL || which->peer == c->peer)
		&& (which->listener == NULL || uuid_equal(which->listener, &c->listener->id));
}

void keying_client_end(struct keying *k, struct client *c, const char *command)
{
	if (ovpn_session_command(c->session, command, k->now_ns) == 0)
		send_what_waits(k, c);
	keying_client_free(k, c);
}

void keying_clients_end(struct keying *k, struct client_filter which)
{
	struct client *next;
	for (struct client *c = k->openvpn->clients; c != NULL; c = next) {
		next = c->next;
		if (fits(c, &which))
			keying_client_end(k, c, "RESTART");
	}
}

void keying_clients_cut(struct keying *k, const struct peer *p)
{
	if (p->credential
		!= NULL) /* nobody looks through all clients for a peer that can have none */
		keying_clients_end(k, (struct client_filter){.peer = p});
}

struct client *keying_client_of_peer(const struct peer *p)
{
	return p->tunnel != NULL ? p->tunnel->client : NULL;
}

void keying_clients_replaced(struct keying *k, struct client *by)
{
	struct client *c = keying_client_of_peer(by->peer);
	leave_strangers(k->openvpn, by);
	if (c == NULL || c == by)
		return;
	take_down(k, c);
	c->is_gone = true; /* freed by keying_clients_run(): somebody may stand on it */
}

/* A worker's stamp may be a moment later than the beginning of this round. */
static uint64_t passed_ns(const struct keying *k, uint64_t since_ns)
{
	return k->now_ns > since_ns ? k->now_ns - since_ns : 0;
}

static uint64_t silence_ns(const struct keying *k, const struct client *c)
{
	uint64_t received =
		atomic_load_explicit(&c->peer->received.last_any_ns, memory_order_relaxed);
	return passed_ns(k, received > c->up_ns ? received : c->up_ns);
}

bool keying_clients_yield(struct keying *k, const struct peer *p)
{
	if (p->tunnel == NULL)
		return true;
	struct client *c = keying_client_of_peer(p);
	if (c == NULL || silence_ns(k, c) < YIELD_NS)
		return false;
	keying_client_free(k, c);
	return true;
}

void keying_clients_push(struct keying *k, const struct instance *i)
{
	struct client *next;
	for (struct client *c = k->openvpn->clients; c != NULL; c = next) {
		next = c->next;
		struct push push;
		if (c->instance != i || !c->is_up)
			continue;
		keying_push_write(c, &push);
		if (ovpn_session_push_update(c->session, &push, k->now_ns) == 0)
			keying_client_advance(k, c);
	}
}

void keying_client_exited(struct keying *k, struct peer *p, uint32_t tunnel_id)
{
	struct client *c = keying_client_of_peer(p);
	if (c != NULL && c->tunnel->id == tunnel_id)
		keying_client_free(k, c);
}

void keying_client_renew(struct keying *k, struct peer *p, uint32_t tunnel_id)
{
	struct client *c = keying_client_of_peer(p);
	if (c == NULL || c->tunnel->id != tunnel_id)
		return;
	ovpn_session_renegotiate(c->session, k->now_ns);
	keying_client_advance(k, c);
}

bool keying_client_may_move(const struct peer *p, const struct keying_message *to)
{
	const struct client *c = keying_client_of_peer(p);
	return c == NULL || (c->stream == NULL && c->local_port == to->local_port);
}

void keying_client_moved(struct keying *k, struct peer *p)
{
	struct client *c = keying_client_of_peer(p);
	if (c == NULL || p->endpoint == NULL)
		return;
	c->remote = p->endpoint->remote;
	c->local = p->endpoint->local;
	(void)keying_reply_path_to_endpoint(k, p->endpoint, &c->reply);
}

void keying_clients_forget(struct keying *k)
{
	struct keying_openvpn *o = k->openvpn;
	struct client *next;
	struct start fresh;
	for (struct client *c = o->clients; c != NULL; c = next) {
		next = c->next;
		keying_client_free(k, c);
	}
	if (start_init(&fresh, HAND_WINDOW_S) != 0)
		return; /* no random bytes: the cookies that the twin knows end with their window */
	start_fini(&o->start);
	o->start = fresh;
}

static void ping(struct keying *k, struct client *c)
{
	uint64_t sent = atomic_load_explicit(&c->peer->sent.last_any_ns, memory_order_relaxed);
	if (passed_ns(k, sent > c->pinged_ns ? sent : c->pinged_ns) < PING_NS)
		return;
	c->pinged_ns = k->now_ns;
	struct rte_mbuf *m = rte_pktmbuf_alloc(k->rings->pool);
	if (m == NULL) {
		keying_count(k, COUNTER_DROP_NO_BUFFER);
		return;
	}
	memset(pkt_of(m), 0, sizeof(struct pkt));
	keying_inject(k, c->peer, m, PKT_INJECT_PEER_INNER);
}

static void look_after(struct keying *k, struct client *c)
{
	if (c->is_gone || c->exits || (c->is_up && silence_ns(k, c) > SILENCE_NS)) {
		keying_client_free(k, c);
		return;
	}
	if (c->is_up)
		ping(k, c);
	if (c->wants_renewal) {
		c->wants_renewal = false;
		ovpn_session_renegotiate(c->session, k->now_ns);
	}
	if (ovpn_session_deadline(c->session) > k->now_ns)
		return;
	ovpn_session_tick(c->session, k->now_ns);
	keying_client_advance(k, c);
}

void keying_clients_run(struct keying *k)
{
	struct keying_openvpn *o = k->openvpn;
	if (k->now_ns - o->looked_ns < LOOK_NS)
		return;
	o->looked_ns = k->now_ns;
	struct client *next;
	for (struct client *c = o->clients; c != NULL; c = next) {
		next = c->next;
		look_after(k, c);
	}
}
