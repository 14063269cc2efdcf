// SPDX-License-Identifier: Apache-2.0
#include "dataplane/ovpn/session.h"

#include "dataplane/base/clock.h"
#include "dataplane/base/random.h"
#include "dataplane/ovpn/session_private.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NEVER UINT64_MAX

enum {
	KEY_IDS = 8, /* 0 is of the first key alone */
};

static bool ids_fit(const struct ovpn_session_begin *b)
{
	bool has_own = !session_id_is_zero(&b->own), has_client = !session_id_is_zero(&b->client);
	return b->config->hand_window_s > 0 && has_own == !b->config->is_tcp
		&& has_client == !b->config->is_tcp;
}

static int make_id(struct session_id *ret)
{
	int err = random_bytes(ret->bytes, sizeof(ret->bytes));
	if (err == 0 && session_id_is_zero(ret)) /* means none on the wire */
		ret->bytes[0] = 1;
	return err;
}

static int begin(struct ovpn_session *s, const struct ovpn_session_begin *b, uint64_t now_ns)
{
	s->config = b->config;
	s->own = b->own;
	s->client = b->client;
	s->has_begun = !s->config->is_tcp;
	s->connect_by_ns = now_ns + s->config->hand_window_s * NS_PER_SEC;
	s->renegotiate_ns = s->life_ends_ns = s->linger_ns = NEVER;
	if (s->has_begun)
		s->last_stamp = (struct wrap_stamp){.id = 1, .time = b->wrap_time};
	int err = s->has_begun ? 0 : make_id(&s->own);
	if (err != 0)
		return err;
	/* statelessly both resets were exchanged, and each has the id 0 */
	s->negotiating = session_key_new(s, 0, s->has_begun ? 1 : 0, now_ns);
	return s->negotiating != NULL ? 0 : -ENOMEM;
}

int ovpn_session_new(
	const struct ovpn_session_begin *begin_with, uint64_t now_ns, struct ovpn_session **ret)
{
	struct wrap wrap = begin_with->wrap;
	struct ovpn_session *s = ids_fit(begin_with) ? calloc(1, sizeof(*s)) : NULL;
	if (s == NULL) {
		wrap_fini(&wrap);
		return ids_fit(begin_with) ? -ENOMEM : -EINVAL;
	}
	s->wrap = wrap;
	int err = begin(s, begin_with, now_ns);
	if (err != 0) {
		ovpn_session_free(s);
		return err;
	}
	*ret = s;
	return 0;
}

void ovpn_session_free(struct ovpn_session *s)
{
	if (s == NULL)
		return;
	session_forget_question(s);
	session_key_free(s->negotiating);
	session_key_free(s->current);
	session_key_free(s->lame);
	wrap_fini(&s->wrap);
	free(s->reply);
	free(s->held_update);
	OPENSSL_cleanse(s, sizeof(*s));
	free(s);
}

void session_fail(
	struct ovpn_session *s, enum ovpn_session_failure why, const char *text, uint64_t now_ns)
{
	if (s->is_closing)
		return;
	session_forget_question(s);
	s->is_closing = true;
	s->linger_ns = now_ns + SESSION_LINGER_S * NS_PER_SEC;
	s->failure = why;
	(void)snprintf(s->text, sizeof(s->text), "%s", text);
	session_tell(s, OVPN_SESSION_FAILED, NULL);
}

void session_close(struct ovpn_session *s, uint64_t now_ns)
{
	if (s->is_closing)
		return;
	session_forget_question(s);
	s->is_closing = true;
	s->linger_ns = now_ns + SESSION_LINGER_S * NS_PER_SEC; /* once: nothing moves it */
	session_tell(s, OVPN_SESSION_EXITED, NULL);
}

void session_key_failed(
	struct ovpn_session *s, enum ovpn_session_failure why, const char *text, uint64_t now_ns)
{
	struct session_key *k = s->negotiating;
	uint64_t retry_ns = now_ns + SESSION_RETRY_S * NS_PER_SEC;
	session_forget_question(s);
	k->state = SESSION_KEY_FAILED;
	k->deadline_ns = now_ns + SESSION_LINGER_S * NS_PER_SEC;
	if (s->current == NULL)
		session_fail(s, why, text, now_ns);
	else if (s->renegotiate_ns < retry_ns)
		s->renegotiate_ns = retry_ns;
}

static void owe_farewell(struct ovpn_session *s, struct session_key *k, const char *reason)
{
	ssize_t n = command_write_auth_failed(s->farewell, sizeof(s->farewell), reason);
	if (n < 0) /* the reason cannot be told */
		n = command_write_auth_failed(s->farewell, sizeof(s->farewell), NULL);
	s->farewell_len = n > 0 ? (size_t)n : 0;
	k->owes_farewell = true;
}

void session_key_refused(struct ovpn_session *s, enum ovpn_session_failure why, const char *text,
	const char *reason, uint64_t now_ns)
{
	owe_farewell(s, s->negotiating, reason);
	session_key_failed(s, why, text, now_ns);
}

void session_end(struct ovpn_session *s, struct session_key *k, enum ovpn_session_failure why,
	const char *text, const char *reason, uint64_t now_ns)
{
	/* without key method 2 there is nothing behind which it could be said */
	bool can_say = k != NULL && k->has_answered && !k->is_tls_over;
	if (can_say)
		owe_farewell(s, k, reason);
	session_fail(s, why, text, now_ns);
	if (can_say)
		session_pump(s, k, now_ns);
}

/* 90 to 100 % of what is configured: sessions that began together do not renew together. */
static uint64_t interval_ns(uint32_t seconds)
{
	uint32_t random = 0;
	uint64_t ns = seconds * NS_PER_SEC;
	(void)random_bytes(&random, sizeof(random));
	return ns - (ns / 10 >> 16) * (random >> 16);
}

static void schedule(struct ovpn_session *s, uint64_t now_ns)
{
	const struct ovpn_session_config *c = s->config;
	s->renegotiate_ns = s->life_ends_ns = NEVER;
	if (c->renegotiate_s == 0)
		return;
	s->renegotiate_ns = now_ns + interval_ns(c->renegotiate_s);
	s->life_ends_ns = now_ns
		+ ((uint64_t)c->renegotiate_s + c->transition_window_s + c->hand_window_s)
			* NS_PER_SEC;
}

static void expire_old(struct ovpn_session *s)
{
	if (s->old.is_set)
		session_tell_expired(s, s->old.key_id);
	s->old.is_set = false;
	session_key_free(s->lame);
	s->lame = NULL;
}

static void retire_current(struct ovpn_session *s, uint64_t now_ns)
{
	expire_old(s);
	s->lame = s->current;
	s->lame->deadline_ns = now_ns + s->config->hand_window_s * NS_PER_SEC;
	s->old = (struct session_old_key){
		.is_set = true,
		.key_id = s->lame->key_id,
		.expires_ns = now_ns + s->config->transition_window_s * NS_PER_SEC,
	};
}

void session_key_activate(struct ovpn_session *s, uint64_t now_ns)
{
	struct session_key *k = s->negotiating;
	if (s->current != NULL)
		retire_current(s, now_ns);
	s->current = k;
	s->negotiating = NULL;
	k->state = SESSION_KEY_ACTIVE;
	s->active_ns = now_ns;
	session_tell(s, OVPN_SESSION_KEY_ACTIVE, k);
	schedule(s, now_ns);
	session_push_reply(s, k, now_ns);
	session_push_held(s);
}

/* What waits for the client to have our key method 2. */
static void go_on(struct ovpn_session *s, struct session_key *k, uint64_t now_ns)
{
	if (k->has_answered && session_key_is_flushed(k))
		k->is_heard = true;
	if (!k->is_heard)
		return;
	if (k->owes_farewell) {
		k->owes_farewell = false;
		(void)session_key_say(k, (const char *)s->farewell, s->farewell_len);
	} else if (k->state == SESSION_KEY_ACCEPTED && !s->is_closing) {
		session_key_activate(s, now_ns);
	}
}

static bool is_for_tls(const struct reliability_in *in)
{
	/* resets are empty, whatever they carry, wherever in the order they are: RouterOS sends two */
	return (in->opcode == P_CONTROL_V1 || in->opcode == P_CONTROL_WKC_V1) && in->len > 0;
}

void session_pump(struct ovpn_session *s, struct session_key *k, uint64_t now_ns)
{
	const struct reliability_in *in;
	while (tls_pending(k->tls) <= SESSION_OUT_MAX
		&& (in = reliability_deliver(&k->reliability)) != NULL)
		if (!s->is_closing && is_for_tls(in))
			session_key_take(s, k, in->payload, in->len, now_ns);
	session_key_fill(s, k);
	go_on(s, k, now_ns);
	session_key_fill(s, k);
}

static uint8_t next_key_id(const struct ovpn_session *s)
{
	return (uint8_t)(s->current->key_id % (KEY_IDS - 1) + 1);
}

static bool may_renegotiate(const struct ovpn_session *s)
{
	return s->is_connected && !s->is_closing && s->negotiating == NULL;
}

static int begin_renegotiation(struct ovpn_session *s, uint64_t now_ns)
{
	struct session_key *k = session_key_new(s, next_key_id(s), 0, now_ns);
	if (k == NULL) {
		s->renegotiate_ns = now_ns + SESSION_RETRY_S * NS_PER_SEC;
		return -ENOMEM;
	}
	(void)reliability_queue(&k->reliability, P_CONTROL_SOFT_RESET_V1, NULL, 0);
	s->negotiating = k;
	return 0;
}

void ovpn_session_renegotiate(struct ovpn_session *s, uint64_t now_ns)
{
	if (!may_renegotiate(s))
		return;
	if (s->renegotiate_ns > now_ns)
		s->renegotiate_ns = now_ns; /* so that it is tried again */
	(void)begin_renegotiation(s, now_ns);
}

static struct session_key *find_key(const struct ovpn_session *s, uint8_t key_id)
{
	struct session_key *keys[] = {s->negotiating, s->current, s->lame};
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i] != NULL && keys[i]->key_id == key_id)
			return keys[i];
	return NULL;
}

static bool begins_renegotiation(
	const struct ovpn_session *s, const struct control_packet *p, uint64_t now_ns)
{
	/* who comes too early says it again */
	return now_ns - s->active_ns >= SESSION_RENEWAL_S * NS_PER_SEC
		&& p->opcode == P_CONTROL_SOFT_RESET_V1 && p->packet_id == 0 && may_renegotiate(s)
		&& p->key_id == next_key_id(s);
}

static bool is_first_reset(const struct control_packet *p)
{
	bool is_reset = p->opcode == P_CONTROL_HARD_RESET_CLIENT_V2
		|| p->opcode == P_CONTROL_HARD_RESET_CLIENT_V3;
	return is_reset && p->packet_id == 0 && p->ack_count == 0;
}

/* Of this session, and something that a client says there. What of ours comes back has our id. */
static bool is_ours(const struct ovpn_session *s, const struct control_packet *p, uint64_t now_ns)
{
	if (p->opcode == P_CONTROL_HARD_RESET_SERVER_V2
		|| (p->opcode == P_CONTROL_SOFT_RESET_V1 && p->key_id == 0))
		return false;
	if (!s->has_begun)
		return is_first_reset(p);
	if (!session_id_equal(&p->session_id, &s->client)
		|| (p->ack_count > 0 && !session_id_equal(&p->remote_session_id, &s->own)))
		return false;
	return find_key(s, p->key_id) != NULL || begins_renegotiation(s, p, now_ns);
}

static void begin_stream(struct ovpn_session *s, const struct control_packet *p)
{
	s->client = p->session_id;
	s->has_begun = true;
	(void)reliability_queue(
		&s->negotiating->reliability, P_CONTROL_HARD_RESET_SERVER_V2, NULL, 0);
}

static int take_packet(struct ovpn_session *s, const struct control_packet *p, uint64_t now_ns)
{
	if (!s->has_begun)
		begin_stream(s, p);
	struct session_key *k = find_key(s, p->key_id);
	if (k == NULL && begin_renegotiation(s, now_ns) == 0)
		k = s->negotiating;
	if (k == NULL)
		return -ENOMEM;
	if (p->opcode != P_ACK_V1) {
		enum reliability_verdict v = reliability_receive(&k->reliability, p->packet_id,
			(uint8_t)p->opcode, p->payload, p->payload_len);
		if (v == RELIABILITY_BEYOND || v == RELIABILITY_TOO_LONG)
			return -EBADMSG;
	}
	reliability_acked(&k->reliability, p->ack, p->ack_count);
	session_pump(s, k, now_ns);
	return 0;
}

int ovpn_session_receive(struct ovpn_session *s, const uint8_t *wire, size_t len, uint64_t now_ns)
{
	struct wrap_opened opened;
	struct control_packet p;
	/* the window moves last: other sessions may have the same key, and their packets must not */
	int err = wrap_open(&s->wrap, NULL, wire, len, &opened);
	if (err == 0)
		err = control_packet_parse(opened.plain, opened.len, &p);
	if (err != 0)
		return err;
	if (!is_ours(s, &p, now_ns))
		return -EBADMSG;
	if (s->wrap.mode != WRAP_NONE && !wrap_replay_accept(&s->replay, &opened.stamp))
		return -EALREADY;
	err = take_packet(s, &p, now_ns);
	bool has_listener = s->negotiating == NULL && s->current != NULL && !s->is_closing;
	if (err == 0 && has_listener && !s->current->is_tls_over)
		session_push_held(s);
	return err;
}

static void drop_negotiating(struct ovpn_session *s)
{
	if (s->negotiating->was_told)
		session_tell_expired(s, s->negotiating->key_id);
	session_key_free(s->negotiating);
	s->negotiating = NULL;
	if (!s->current->is_tls_over)
		session_push_held(s);
}

static void give_up(struct ovpn_session *s, const char *text, uint64_t now_ns)
{
	session_fail(s, OVPN_FAILURE_TIMEOUT, text, now_ns);
	s->is_over = true; /* who does not answer hears no farewell */
}

/* A late answer must not meet a later question, so one that is asked waits for it. */
static bool can_drop_negotiating(const struct ovpn_session *s)
{
	return s->negotiating != NULL && s->current != NULL
		&& s->negotiating->state != SESSION_KEY_ASKED;
}

static void tick_keys(struct ovpn_session *s, uint64_t now_ns)
{
	if (can_drop_negotiating(s) && now_ns >= s->negotiating->deadline_ns)
		drop_negotiating(s);
	if (s->lame != NULL && now_ns >= s->lame->deadline_ns) {
		session_key_free(s->lame);
		s->lame = NULL;
	}
	if (s->old.is_set && now_ns >= s->old.expires_ns)
		expire_old(s);
	if (may_renegotiate(s) && now_ns >= s->renegotiate_ns)
		(void)begin_renegotiation(s, now_ns);
}

void ovpn_session_tick(struct ovpn_session *s, uint64_t now_ns)
{
	if (s->is_closing) {
		s->is_over = s->is_over || now_ns >= s->linger_ns;
		return;
	}
	if (!s->is_connected && now_ns >= s->connect_by_ns)
		give_up(s,
			s->current == NULL ? "no key within the hand window"
					   : "the client did not ask for its configuration",
			now_ns);
	else if (now_ns >= s->life_ends_ns)
		give_up(s, "the key was not renewed", now_ns);
	else
		tick_keys(s, now_ns);
}

static void earlier(uint64_t *at, uint64_t other)
{
	if (other < *at)
		*at = other;
}

uint64_t ovpn_session_deadline(const struct ovpn_session *s)
{
	const struct session_key *keys[] = {s->negotiating, s->current, s->lame};
	uint64_t at = s->is_closing ? s->linger_ns : s->life_ends_ns;
	if (ovpn_session_is_over(s))
		return NEVER;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i] != NULL)
			earlier(&at, reliability_next_ns(&keys[i]->reliability));
	if (s->is_closing)
		return at;
	if (!s->is_connected)
		earlier(&at, s->connect_by_ns);
	if (can_drop_negotiating(s))
		earlier(&at, s->negotiating->deadline_ns);
	if (s->lame != NULL)
		earlier(&at, s->lame->deadline_ns);
	if (s->old.is_set)
		earlier(&at, s->old.expires_ns);
	if (may_renegotiate(s))
		earlier(&at, s->renegotiate_ns);
	return at;
}

static ssize_t write_packet(struct ovpn_session *s, struct session_key *k,
	const struct reliability_out *out, uint8_t *plain, size_t size)
{
	struct control_packet p = {
		.opcode = out != NULL ? (enum opcode)out->opcode : P_ACK_V1,
		.key_id = k->key_id,
		.session_id = s->own,
	};
	size_t most = out != NULL ? RELIABILITY_ACKS_WITH_PAYLOAD : RELIABILITY_ACKS_ALONE;
	p.ack_count = (uint8_t)reliability_take_acks(&k->reliability, p.ack, most);
	if (p.ack_count > 0)
		p.remote_session_id = s->client;
	if (out != NULL) {
		p.packet_id = out->id;
		p.payload = out->payload;
		p.payload_len = out->len;
	}
	return control_packet_write(&p, plain, size);
}

static size_t take_from(struct ovpn_session *s, struct session_key *k, uint8_t *buf, size_t size,
	uint64_t now_ns, uint32_t now_s)
{
	uint8_t plain[CONTROL_PACKET_MAX];
	session_key_fill(s, k);
	const struct reliability_out *out = reliability_send(&k->reliability, now_ns);
	if (out == NULL && k->reliability.ack_count == 0)
		return 0;
	ssize_t n = write_packet(s, k, out, plain, sizeof(plain));
	if (n < 0 || (s->wrap.mode != WRAP_NONE && wrap_stamp_next(&s->last_stamp, now_s) != 0))
		return 0;
	n = wrap_seal(&s->wrap, &s->last_stamp, plain, (size_t)n, buf, size);
	return n > 0 ? (size_t)n : 0;
}

size_t ovpn_session_take(
	struct ovpn_session *s, uint8_t *buf, size_t size, uint64_t now_ns, uint32_t now_s)
{
	struct session_key *keys[] = {s->negotiating, s->current, s->lame};
	size_t n = 0;
	if (size < CONTROL_PACKET_MAX || s->is_over)
		return 0;
	for (size_t i = 0; n == 0 && i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i] != NULL)
			n = take_from(s, keys[i], buf, size, now_ns, now_s);
	return n;
}

static bool has_said_all(const struct session_key *k)
{
	return k == NULL || (!k->owes_farewell && session_key_is_flushed(k));
}

bool ovpn_session_is_over(const struct ovpn_session *s)
{
	return s->is_over
		|| (s->failure != OVPN_FAILURE_NONE && has_said_all(s->negotiating)
			&& has_said_all(s->current));
}

const struct peer_info *ovpn_session_peer_info(const struct ovpn_session *s)
{
	return &s->peer_info;
}

enum push_compression ovpn_session_compression(const struct ovpn_session *s)
{
	return push_compression(&s->options, &s->peer_info);
}

bool ovpn_session_has_data_v2(const struct ovpn_session *s)
{
	return (s->peer_info.proto & IV_PROTO_DATA_V2) != 0;
}

const char *ovpn_session_cipher(const struct ovpn_session *s)
{
	return s->cipher.name != NULL ? s->cipher.name : "";
}

struct session_id ovpn_session_own_id(const struct ovpn_session *s)
{
	return s->own;
}
