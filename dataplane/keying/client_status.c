// SPDX-License-Identifier: Apache-2.0
/*
 * Sessions for those who watch: the server thread waits while its question is answered here, so it never
 * holds a client that may be freed. Bytes are the peer's counters less what they were when the session
 * came up: the path counts once.
 */
#include "dataplane/keying/client_status.h"

#include "dataplane/base/clock.h"
#include "dataplane/keying/openvpn_private.h"

#include <stdio.h>
#include <string.h>

/* Where the sessions of its listener are counted; NULL: it is being taken away. */
static struct keying_listener *counted_at(const struct client *c)
{
	const struct keying_instance *ki = c->instance->keying;
	return ki != NULL ? keying_listener_find(ki, &c->listener->id) : NULL;
}

void keying_client_note_up(const struct keying *k, struct client *c)
{
	struct keying_listener *l = counted_at(c);
	c->up_ns = k->now_ns;
	c->up_realtime_ns = clock_realtime_ns();
	c->received_before = peer_received_bytes(c->peer);
	c->sent_before = peer_sent_bytes(c->peer);
	if (l != NULL)
		l->sessions++;
}

static uint64_t received_by(const struct client *c)
{
	return peer_received_bytes(c->peer) - c->received_before;
}

static uint64_t sent_by(const struct client *c)
{
	return peer_sent_bytes(c->peer) - c->sent_before;
}

void keying_client_note_down(const struct client *c)
{
	struct keying_instance *ki = c->instance->keying;
	struct keying_listener *l = counted_at(c);
	if (l != NULL)
		l->sessions--;
	if (ki == NULL)
		return;
	ki->ended_received_bytes += received_by(c);
	ki->ended_sent_bytes += sent_by(c);
}

static const char *name_of(const struct client *c, char ret[KEYING_CLIENT_NAME_LEN])
{
	static_assert((int)KEYING_USERNAME_LEN <= (int)KEYING_CLIENT_NAME_LEN);
	const struct keying_credential *who = c->peer->credential;
	if (who == NULL || who->username[0] == '\0')
		return uuid_format(&c->peer->id, ret);
	(void)snprintf(ret, KEYING_CLIENT_NAME_LEN, "%s", who->username);
	return ret;
}

static void tell(const struct client *c, struct keying_client_status *ret)
{
	const struct keying_credential *who = c->peer->credential;
	ret->number = c->number;
	ret->since_ns = c->up_realtime_ns;
	ret->received_bytes = received_by(c);
	ret->sent_bytes = sent_by(c);
	ret->remote = c->peer->endpoint != NULL ? c->peer->endpoint->remote : c->remote;
	ret->peer_id = c->tunnel->id;
	(void)name_of(c, ret->name);
	(void)snprintf(ret->cipher, sizeof(ret->cipher), "%s", ovpn_session_cipher(c->session));
	if (who == NULL)
		return;
	ret->address4 = who->address4;
	ret->address6 = who->address6;
	memcpy(ret->username, who->username, sizeof(ret->username));
}

struct question {
	const uint64_t *peer;
	unsigned int count;
	struct keying_client_status *status;
	const struct instance *instance;
	struct keying_client_load *load;
	const struct keying_client_choice *which;
	bool halt;
	unsigned int killed;
};

static void answer_status(struct keying *k, void *ctx)
{
	const struct question *q = ctx;
	for (unsigned int n = 0; n < q->count; n++) {
		const struct peer *p = peer_from_handle(k->tables, q->peer[n]);
		const struct client *c = p != NULL ? keying_client_of_peer(p) : NULL;
		q->status[n] = (struct keying_client_status){0};
		if (c != NULL)
			tell(c, &q->status[n]);
	}
}

void keying_client_status(struct keying *k, const uint64_t *peer, unsigned int count,
	struct keying_client_status *ret)
{
	struct question q = {.peer = peer, .count = count, .status = ret};
	keying_call(k, answer_status, &q);
}

static void answer_load(struct keying *k, void *ctx)
{
	const struct question *q = ctx;
	const struct keying_instance *ki = q->instance->keying;
	*q->load = (struct keying_client_load){0};
	if (ki == NULL)
		return;
	q->load->received_bytes = ki->ended_received_bytes;
	q->load->sent_bytes = ki->ended_sent_bytes;
	for (const struct client *c = k->openvpn->clients; c != NULL; c = c->next) {
		if (c->instance != q->instance || !c->is_up)
			continue;
		q->load->sessions++;
		q->load->received_bytes += received_by(c);
		q->load->sent_bytes += sent_by(c);
	}
}

void keying_client_load(struct keying *k, const struct instance *i, struct keying_client_load *ret)
{
	struct question q = {.instance = i, .load = ret};
	keying_call(k, answer_load, &q);
}

static bool is_chosen(const struct client *c, const struct keying_client_choice *which)
{
	char name[KEYING_CLIENT_NAME_LEN];
	const struct endpoint *e = c->is_up ? c->peer->endpoint : NULL;
	if (!c->is_up || c->instance != which->instance)
		return false;
	if (which->number != 0 && which->number != c->number)
		return false;
	if (which->remote.port != 0
		&& !ip_endpoint_equal(&which->remote, e != NULL ? &e->remote : &c->remote))
		return false;
	return which->name == NULL || strcmp(which->name, name_of(c, name)) == 0;
}

static void kill_chosen(struct keying *k, void *ctx)
{
	struct question *q = ctx;
	struct client *next;
	for (struct client *c = k->openvpn->clients; c != NULL; c = next) {
		next = c->next;
		if (!is_chosen(c, q->which))
			continue;
		keying_client_end(k, c, q->halt ? "HALT" : "RESTART");
		q->killed++;
	}
}

unsigned int keying_clients_kill(
	struct keying *k, const struct keying_client_choice *which, bool halt)
{
	struct question q = {.which = which, .halt = halt};
	keying_call(k, kill_chosen, &q);
	return q.killed;
}
