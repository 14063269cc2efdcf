// SPDX-License-Identifier: Apache-2.0
/*
 * Handshake messages in and out. The order of the checks is the order of their cost: MACs, under
 * load what admission.c says, then one Diffie-Hellman to learn who it is, then the rest. Forged
 * messages are counted and leave no trace; the endpoint moves only for what was authentic.
 */
#include "dataplane/base/clock.h"
#include "dataplane/keying/keying_private.h"
#include "dataplane/table/capture.h"

#include <errno.h>
#include <string.h>

#include <rte_mbuf.h>

#define CLOCK_AHEAD_S (24 * 3600) /* a peer whose clock is further ahead is told of */

/* MACs are added, and the message goes to the peer's endpoint. */
static void send_message(struct keying *k, struct peer *p, void *message, size_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(k->rings->pool);
	if (m == NULL) {
		keying_count(k, COUNTER_DROP_NO_BUFFER);
		return;
	}
	cookie_macs_add(&p->keying->cookie, message, len, k->now_ns);
	memset(pkt_of(m), 0, sizeof(struct pkt));
	memcpy(rte_pktmbuf_append(m, (uint16_t)len), message, len);
	timers_handshake_sent(&p->keying->timers, k->now_ns);
	keying_timer_spoken(p);
	peer_count(&p->handshake_sent_bytes, len);
	keying_send(k, p, m);
}

/* The sender is not known, so there is no endpoint. The answer is smaller than the question: nothing is
 * amplified. Takes m over. */
static void send_cookie_reply(
	struct keying *k, struct rte_mbuf *m, const struct message_handshake_cookie *reply)
{
	struct reply_path path;
	keying_reply_path(k, m, &path);
	rte_pktmbuf_free(m);
	if (keying_reply(k, &path, (const uint8_t *)reply, sizeof(*reply)))
		keying_count(k, COUNTER_COOKIE_REPLIES_SENT);
}

/* A handshake message and where it came from. */
struct received {
	struct keying_instance *instance;
	struct rte_mbuf *mbuf;
	const uint8_t *message;
	size_t len;
	struct ip_endpoint source;
	const struct keying_message *about;
};

/* false: refused; the mbuf was taken over. */
static bool admit(struct keying *k, struct received *r)
{
	struct cookie_checker *c = &r->instance->checker;
	enum cookie_verdict macs = cookie_check(c, r->message, r->len, &r->source, k->now_ns);
	if (macs == COOKIE_MAC_INVALID) {
		keying_count(k, COUNTER_DROP_HANDSHAKE_MAC1);
		rte_pktmbuf_free(r->mbuf);
		return false;
	}
	if (!keying_is_under_load(k, r->instance, r->about))
		return true;
	enum keying_verdict verdict =
		keying_admit(k, r->instance, &r->source, macs == COOKIE_MAC2_VALID);
	if (verdict == KEYING_ADMIT)
		return true;
	struct message_handshake_cookie reply;
	keying_count(k, COUNTER_DROP_HANDSHAKE_UNDER_LOAD);
	if (verdict == KEYING_SEND_COOKIE
		&& cookie_reply_create(c, r->message, r->len, &r->source, k->now_ns, &reply) == 0)
		send_cookie_reply(k, r->mbuf, &reply);
	else
		rte_pktmbuf_free(r->mbuf);
	return false;
}

static void capture_handshake(struct keying *k, const struct received *r, const struct peer *p)
{
	capture_packet(k->rings, k->counters, r->mbuf, p, PEER_CAPTURE_OUTER, false);
}

static void note_authentic(struct keying *k, struct peer *p, const struct received *r)
{
	timers_handshake_received(&p->keying->timers, k->now_ns);
	keying_timer_answered(p);
	peer_count(&p->handshake_received_bytes, r->len);
	keying_endpoint_set(k, p, &r->source, &r->about->local, r->about->local_port);
}

/* Seconds that the sender's clock is behind ours. */
static int64_t clock_behind_s(const struct noise_initiation *opened)
{
	int64_t theirs = noise_timestamp_seconds(opened->timestamp), behind;
	if (__builtin_sub_overflow((int64_t)(clock_realtime_ns() / NS_PER_SEC), theirs, &behind))
		return theirs < 0 ? INT64_MAX : INT64_MIN;
	return behind;
}

static void refuse_initiation(
	struct keying *k, struct peer *p, const struct noise_initiation *opened, int err)
{
	switch (err) {
	case -ESTALE:
		keying_count(k, COUNTER_DROP_HANDSHAKE_OLD_TIMESTAMP);
		keying_peer_fail(k, p, PEER_FAILURE_OLD_TIMESTAMP, clock_behind_s(opened));
		break;
	case -EAGAIN:
		keying_count(k, COUNTER_DROP_HANDSHAKE_FLOOD);
		keying_peer_fail(k, p, PEER_FAILURE_FLOOD, 0);
		break;
	default:
		keying_count(k, COUNTER_DROP_HANDSHAKE_MALFORMED);
		keying_peer_fail(k, p, PEER_FAILURE_BAD_HANDSHAKE, 0);
		break;
	}
}

/* The index is h's from before the initiation was accepted. 0 or -errno. */
static int respond(struct keying *k, struct peer *p, struct noise_handshake *h, uint32_t index)
{
	struct message_handshake_response response;
	int err = noise_response_create(&p->keying->remote, h, index, &response);
	if (err == 0)
		err = keying_session_install(k, p, h);
	noise_handshake_clear(h);
	if (err != 0)
		return err;
	send_message(k, p, &response, sizeof(response));
	keying_count(k, COUNTER_HANDSHAKE_RESPONSES_SENT);
	return 0;
}

/* The status mutex: keying_peer_status() reads the timestamp. */
static int accept_initiation(struct keying *k, struct received *r, struct peer *p,
	struct noise_initiation *opened, struct noise_handshake *ret)
{
	struct noise_remote *remote = &p->keying->remote;
	int err = noise_initiation_accept(&r->instance->identity, remote, opened, k->now_ns, ret);
	if (err != 0)
		return err;
	(void)pthread_mutex_lock(&k->status_mutex);
	memcpy(p->latest_timestamp, remote->latest_timestamp, sizeof(p->latest_timestamp));
	(void)pthread_mutex_unlock(&k->status_mutex);
	return 0;
}

/* An index is there before anything is taken: a full table leaves the peer as it was. */
static void answer_initiation(
	struct keying *k, struct received *r, struct peer *p, struct noise_initiation *opened)
{
	struct noise_handshake h;
	uint32_t index;
	if (session_index_reserve(k->tables->sessions, p, &index) != 0) {
		keying_count(k, COUNTER_DROP_NO_BUFFER);
		return;
	}
	int err = accept_initiation(k, r, p, opened, &h);
	if (err != 0) {
		session_index_release(k->tables->sessions, index);
		refuse_initiation(k, p, opened, err);
		return;
	}
	note_authentic(k, p, r);
	int64_t behind_s = clock_behind_s(opened);
	if (behind_s < -CLOCK_AHEAD_S)
		keying_peer_fail(k, p, PEER_FAILURE_CLOCK_AHEAD, behind_s);
	if (respond(k, p, &h, index) != 0)
		session_index_release(k->tables->sessions, index);
}

/* Ourselves as a peer: somebody sends back what we sent, or it was configured so (W-15). */
static struct peer *sender_of(const struct received *r, const struct noise_initiation *opened)
{
	if (key_equal(&opened->remote_static, &r->instance->identity.public_key))
		return NULL;
	return keying_instance_peer(r->instance, &opened->remote_static);
}

static void receive_initiation(struct keying *k, struct received *r)
{
	struct message_handshake_initiation m;
	struct noise_initiation opened;
	memcpy(&m, r->message, sizeof(m));
	keying_count(k, COUNTER_HANDSHAKE_INITIATIONS_RECEIVED);
	if (noise_initiation_open(&r->instance->identity, &m, &opened) != 0) {
		keying_count(k, COUNTER_DROP_HANDSHAKE_MALFORMED);
		return;
	}
	struct peer *p = sender_of(r, &opened);
	if (p != NULL)
		capture_handshake(k, r, p);
	if (p == NULL) {
		keying_count(k, COUNTER_DROP_HANDSHAKE_UNKNOWN_PEER);
	} else if (p->expired != 0) {
		keying_count(k, COUNTER_DROP_PEER_EXPIRED);
	} else if (!keying_clients_yield(k, p)) {
		keying_count(k, COUNTER_DROP_HANDSHAKE_OPENVPN);
	} else if (keying_peer_wake(k, p)) {
		answer_initiation(k, r, p, &opened);
		keying_timer_visit(k, p);
	}
	explicit_bzero(&opened, sizeof(opened));
}

static void receive_response(struct keying *k, struct received *r)
{
	struct message_handshake_response m;
	memcpy(&m, r->message, sizeof(m));
	keying_count(k, COUNTER_HANDSHAKE_RESPONSES_RECEIVED);
	struct peer *p =
		session_index_peer(k->tables->sessions, message_read_le32(m.receiver_index));
	if (p != NULL && p->instance != r->instance->instance)
		p = NULL; /* another instance's */
	if (p != NULL)
		capture_handshake(k, r, p);
	if (p == NULL || p->keying == NULL || p->expired != 0
		|| noise_response_consume(&r->instance->identity, &p->keying->remote, &m) != 0) {
		keying_count(k, COUNTER_DROP_HANDSHAKE_RESPONSE);
		return;
	}
	note_authentic(k, p, r);
	if (keying_session_install(k, p, &p->keying->remote.initiation) != 0)
		return;
	timers_handshake_complete(&p->keying->timers);
	/* the responder may not send before it heard from us under the new key */
	if (p->staged_head != NULL)
		keying_peer_flush_staged(k, p);
	else
		keying_session_keepalive(k, p);
	keying_timer_visit(k, p);
	struct keying_event e = {.type = KEYING_EVENT_SESSION_UP, .peer = peer_handle(p)};
	keying_tell(k, &e);
}

static void receive_cookie_reply(struct keying *k, const struct received *r)
{
	struct message_handshake_cookie m;
	memcpy(&m, r->message, sizeof(m));
	struct peer *p =
		session_index_peer(k->tables->sessions, message_read_le32(m.receiver_index));
	bool good = p != NULL && p->keying != NULL && p->instance == r->instance->instance
		&& cookie_reply_consume(&p->keying->cookie, &m, k->now_ns);
	keying_count(k, good ? COUNTER_COOKIE_REPLIES_RECEIVED : COUNTER_DROP_COOKIE_REPLY);
}

/* classify has checked type and length. */
void keying_handshake_receive(struct keying *k, const struct keying_message *message)
{
	struct rte_mbuf *m = message->mbuf;
	struct pkt *meta = pkt_of(m);
	struct instance *i = instance_from_handle(k->tables, meta->handle);
	if (i == NULL || i->keying == NULL || !keying_instance_has_identity(i->keying)) {
		keying_count(k, COUNTER_DROP_INJECT_STALE);
		rte_pktmbuf_free(m);
		return;
	}
	struct received r = {
		.instance = i->keying,
		.mbuf = m,
		.message = rte_pktmbuf_mtod_offset(m, const uint8_t *, meta->outer_len),
		.len = (size_t)(m->data_len - meta->outer_len),
		.source = {message->remote, message->remote_port},
		.about = message,
	};
	if (r.message[0] == MESSAGE_HANDSHAKE_COOKIE) {
		receive_cookie_reply(k, &r);
	} else if (!admit(k, &r)) {
		return;
	} else if (r.message[0] == MESSAGE_HANDSHAKE_INITIATION) {
		receive_initiation(k, &r);
	} else {
		receive_response(k, &r);
	}
	rte_pktmbuf_free(m);
}

bool keying_handshake_has_way(struct keying *k, struct peer *p)
{
	struct ip_addr any = {0};
	if (p->endpoint == NULL && p->hint.port != 0)
		keying_endpoint_set(k, p, &p->hint, &any, p->instance->wireguard_port);
	return p->endpoint != NULL && keying_instance_has_identity(p->instance->keying);
}

void keying_handshake_initiate(struct keying *k, struct peer *p)
{
	const struct keying_instance *ki = p->instance->keying;
	struct message_handshake_initiation m;
	uint32_t index;
	if (session_index_reserve(k->tables->sessions, p, &index) != 0) {
		keying_count(k, COUNTER_DROP_NO_BUFFER);
		return;
	}
	keying_session_forget_initiation(k, p);
	struct noise_remote *remote = &p->keying->remote;
	if (noise_initiation_create(&ki->identity, remote, index, clock_realtime_ns(), &m) != 0) {
		session_index_release(k->tables->sessions, index);
		return;
	}
	memcpy(p->sent_timestamp, remote->sent_timestamp, sizeof(p->sent_timestamp));
	send_message(k, p, &m, sizeof(m));
	keying_count(k, COUNTER_HANDSHAKE_INITIATIONS_SENT);
}
