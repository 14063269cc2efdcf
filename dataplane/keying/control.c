// SPDX-License-Identifier: Apache-2.0
/*
 * A control packet over UDP: a session's, or a stranger's, of whom nothing is remembered until it has
 * shown that it gets what is sent to its address (reference/openvpn-protocol.md, section 1.4). What does
 * not fit is counted and dropped; no answer is longer than the question or comes more often.
 */
#include "dataplane/base/clock.h"
#include "dataplane/keying/openvpn_private.h"

#include <string.h>

#include <rte_mbuf.h>

enum {
	SESSION_ID_AT = 1, /* in every wrapping, behind the first byte */
};

struct stranger {
	struct keying_listener *listener;
	struct instance *instance;
	struct rte_mbuf *mbuf;
	const uint8_t *wire;
	size_t len;
	struct start_path path;
	struct wrap *wrap; /* that its packet is in: the listener's, or own */
	struct wrap own; /* of tls-crypt-v2: with the client's key */
	struct wrap_opened opened;
	struct control_packet packet;
};

static uint32_t now_s(void)
{
	return (uint32_t)(clock_realtime_ns() / NS_PER_SEC);
}

static int open_stranger(struct stranger *s)
{
	int err = 0;
	s->wrap = &s->listener->stranger;
	if (s->listener->wrap_mode == WRAP_TLS_CRYPT_V2) {
		err = keying_listener_wrap(s->listener, s->wire, s->len, &s->own);
		s->wrap = err == 0 ? &s->own : NULL;
	}
	if (err == 0)
		err = wrap_open(s->wrap, NULL, s->wire, s->len, &s->opened);
	if (err == 0)
		err = control_packet_parse(s->opened.plain, s->opened.len, &s->packet);
	return err;
}

static void answer_reset(struct keying *k, struct stranger *s)
{
	struct control_packet reply;
	struct wrap_stamp stamp = {0};
	uint8_t plain[CONTROL_PACKET_MAX], wire[CONTROL_PACKET_MAX];
	enum start_early_negotiation early = START_PLAIN;
	if (s->listener->wrap_mode == WRAP_TLS_CRYPT_V2) {
		early = START_RESEND_WKC;
		if (!early_negotiation_is_supported(s->opened.stamp.id)) {
			keying_count(k, COUNTER_DROP_OVPN_START);
			return;
		}
	}
	enum start_verdict verdict =
		start_reply(&k->openvpn->start, &s->path, &s->packet, early, k->now_ns, &reply);
	if (verdict != START_ACCEPTED || wrap_stamp_next(&stamp, now_s()) != 0) {
		keying_count(k, COUNTER_DROP_OVPN_START);
		return;
	}
	ssize_t len = control_packet_write(&reply, plain, sizeof(plain));
	if (len > 0)
		len = wrap_seal(s->wrap, &stamp, plain, (size_t)len, wire, sizeof(wire));
	if (len <= 0)
		return;
	struct reply_path path;
	keying_reply_path(k, s->mbuf, &path);
	if (keying_reply(k, &path, wire, (size_t)len))
		keying_count(k, COUNTER_OVPN_RESETS_ANSWERED);
}

static int take_wrap(struct stranger *s, struct wrap *ret)
{
	if (s->wrap == &s->own) {
		*ret = s->own;
		s->wrap = NULL; /* moved */
		return 0;
	}
	return wrap_init(ret,
		&(struct wrap_config){
			.mode = s->listener->wrap_mode,
			.digest = s->listener->digest,
			.direction = KEY_DIRECTION_0,
			.key = &s->listener->wrap_key,
		});
}

/* It has shown that it is where it says. */
static void begin_session(struct keying *k, struct stranger *s)
{
	struct ovpn_session_begin begin = {
		.config = &s->listener->config,
		.own = s->packet.remote_session_id,
		.client = s->packet.session_id,
		.wrap_time = now_s(),
	};
	if (take_wrap(s, &begin.wrap) != 0)
		return;
	struct client_way way = {.instance = s->instance,
		.listener = s->listener,
		.remote = s->path.source,
		.local = s->path.dest.addr,
		.local_port = s->path.dest.port};
	struct client *c = keying_client_new(k, &way, &begin);
	if (c == NULL)
		return;
	keying_reply_path(k, s->mbuf, &c->reply);
	if (ovpn_session_receive(c->session, s->wire, s->len, k->now_ns) != 0)
		keying_count(k, COUNTER_DROP_OVPN_CONTROL);
	keying_client_advance(k, c);
}

static void receive_stranger(struct keying *k, struct stranger *s)
{
	if (!reply_limit_allows(k->openvpn->limit, &s->path.source.addr, k->now_ns)) {
		keying_count(k, COUNTER_DROP_OVPN_FLOOD);
		return;
	}
	if (open_stranger(s) != 0)
		keying_count(k, COUNTER_DROP_OVPN_UNWRAP);
	else if (opcode_is_hard_reset(s->packet.opcode))
		answer_reset(k, s);
	else if (start_check(&k->openvpn->start, &s->path, &s->packet, k->now_ns) == START_ACCEPTED)
		begin_session(k, s);
	else
		keying_count(k, COUNTER_DROP_OVPN_START);
	if (s->wrap == &s->own)
		wrap_fini(&s->own);
}

/* A client's session, by an id that it made up: whose else it may be, the session finds out. */
static void receive_known(struct keying *k, struct stranger *s, struct client *c)
{
	if (ovpn_session_receive(c->session, s->wire, s->len, k->now_ns) != 0)
		keying_count(k, COUNTER_DROP_OVPN_CONTROL);
	else if (ip_endpoint_equal(&c->remote, &s->path.source))
		keying_reply_path(k, s->mbuf, &c->reply);
	keying_client_advance(k, c);
}

static void receive(struct keying *k, struct stranger *s)
{
	struct session_id id;
	if (s->len < SESSION_ID_AT + sizeof(id.bytes)) {
		keying_count(k, COUNTER_DROP_OVPN_LENGTH);
		return;
	}
	memcpy(id.bytes, s->wire + SESSION_ID_AT, sizeof(id.bytes));
	struct client *c = keying_client_find(k, s->instance, s->path.dest.port, &id);
	if (c != NULL)
		receive_known(k, s, c);
	else
		receive_stranger(k, s);
}

void keying_control_receive(struct keying *k, const struct keying_message *message)
{
	struct rte_mbuf *m = message->mbuf;
	const struct pkt *meta = pkt_of(m);
	struct instance *i = instance_from_handle(k->tables, meta->handle);
	struct keying_listener *l = i != NULL && i->keying != NULL
		? keying_listener_at(i->keying, message->local_port, false)
		: NULL;
	keying_count(k, COUNTER_OVPN_CONTROL_RECEIVED);
	if (l == NULL) {
		keying_count(k, COUNTER_DROP_INJECT_STALE);
	} else {
		struct stranger s = {
			.listener = l,
			.instance = i,
			.mbuf = m,
			.wire = rte_pktmbuf_mtod_offset(m, const uint8_t *, meta->outer_len),
			.len = (size_t)(m->data_len - meta->outer_len),
			.path = {.source = {message->remote, message->remote_port},
				.dest = {message->local, message->local_port}},
		};
		receive(k, &s);
	}
	rte_pktmbuf_free(m);
}
