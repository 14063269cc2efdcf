// SPDX-License-Identifier: Apache-2.0
/*
 * Handshake messages in and out. The order of the checks is the order of their cost: MACs, then
 * one Diffie-Hellman to learn who it is, then the rest. Under load a message without a valid
 * MAC2 gets a cookie instead of a Diffie-Hellman. Forged messages are counted and leave no trace;
 * the endpoint moves only for what was authentic.
 */
#include "dataplane/base/clock.h"
#include "dataplane/keying/keying_private.h"

#include <errno.h>
#include <string.h>

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <rte_udp.h>

enum {
	UNDER_LOAD_MESSAGES = 512, /* an eighth of the ring */
};

/* Sticky for a second, so that it does not flicker. */
static bool is_under_load(struct keying *k)
{
	if (rte_ring_count(k->rings->keying) >= UNDER_LOAD_MESSAGES)
		k->under_load_until_ns = k->now_ns + NS_PER_SEC;
	return k->now_ns < k->under_load_until_ns;
}

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
	keying_inject(k, p, m, PKT_INJECT_PEER_OUTER);
}

/*
 * The sender is not known, so there is no endpoint: the received frame is turned round. The
 * answer is smaller than the question: nothing is amplified.
 */
static void send_cookie_reply(
	struct keying *k, struct rte_mbuf *m, const struct message_handshake_cookie *reply)
{
	struct pkt *meta = pkt_of(m);
	uint16_t udp_len = sizeof(struct rte_udp_hdr) + sizeof(*reply);
	uint8_t *frame = rte_pktmbuf_mtod(m, uint8_t *);
	struct rte_ether_hdr *eth = (struct rte_ether_hdr *)frame;
	struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(frame + meta->outer_len) - 1;
	memcpy(frame + meta->outer_len, reply, sizeof(*reply));
	(void)rte_pktmbuf_trim(m, (uint16_t)(m->data_len - meta->outer_len - sizeof(*reply)));
	eth->dst_addr = eth->src_addr;
	memcpy(eth->src_addr.addr_bytes, k->tables->port[meta->port].mac, RTE_ETHER_ADDR_LEN);
	uint16_t port = udp->src_port;
	udp->src_port = udp->dst_port;
	udp->dst_port = port;
	udp->dgram_len = rte_cpu_to_be_16(udp_len);
	udp->dgram_cksum = 0;
	if (meta->outer_v6) {
		struct rte_ipv6_hdr *ip = (struct rte_ipv6_hdr *)(eth + 1);
		uint8_t source[16];
		memcpy(source, ip->src_addr, 16);
		memcpy(ip->src_addr, ip->dst_addr, 16);
		memcpy(ip->dst_addr, source, 16);
		ip->hop_limits = 64;
		ip->payload_len = rte_cpu_to_be_16(udp_len);
		udp->dgram_cksum = rte_ipv6_udptcp_cksum(ip, udp);
	} else {
		struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(eth + 1);
		rte_be32_t source = ip->src_addr;
		ip->src_addr = ip->dst_addr;
		ip->dst_addr = source;
		ip->time_to_live = 64;
		ip->total_length = rte_cpu_to_be_16((uint16_t)(m->data_len - RTE_ETHER_HDR_LEN));
		ip->hdr_checksum = 0;
		ip->hdr_checksum = rte_ipv4_cksum(ip);
	}
	meta->inject = PKT_INJECT_TX;
	if (rings_inject_put(k->rings, port_queue_worker(meta->port, 0, k->tables->workers), m)) {
		keying_count(k, COUNTER_COOKIE_REPLIES_SENT);
		return;
	}
	keying_count(k, COUNTER_DROP_INJECT_FULL);
	rte_pktmbuf_free(m);
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
static bool macs_are_good(struct keying *k, struct received *r)
{
	struct cookie_checker *c = &r->instance->checker;
	enum cookie_verdict verdict = cookie_check(c, r->message, r->len, &r->source, k->now_ns);
	if (verdict == COOKIE_MAC_INVALID) {
		keying_count(k, COUNTER_DROP_HANDSHAKE_MAC1);
		rte_pktmbuf_free(r->mbuf);
		return false;
	}
	if (verdict == COOKIE_MAC2_VALID || !is_under_load(k))
		return true;
	struct message_handshake_cookie reply;
	keying_count(k, COUNTER_DROP_HANDSHAKE_UNDER_LOAD);
	if (cookie_reply_create(c, r->message, r->len, &r->source, k->now_ns, &reply) == 0)
		send_cookie_reply(k, r->mbuf, &reply);
	else
		rte_pktmbuf_free(r->mbuf);
	return false;
}

static void note_authentic(struct keying *k, struct peer *p, const struct received *r)
{
	timers_handshake_received(&p->keying->timers, k->now_ns);
	keying_endpoint_set(k, p, &r->source, &r->about->local, r->about->local_port);
}

static void refuse_initiation(struct keying *k, struct peer *p, int err)
{
	switch (err) {
	case -ESTALE:
		keying_count(k, COUNTER_DROP_HANDSHAKE_OLD_TIMESTAMP);
		keying_peer_fail(k, p, PEER_FAILURE_OLD_TIMESTAMP);
		break;
	case -EAGAIN:
		keying_count(k, COUNTER_DROP_HANDSHAKE_FLOOD);
		keying_peer_fail(k, p, PEER_FAILURE_FLOOD);
		break;
	default:
		keying_count(k, COUNTER_DROP_HANDSHAKE_MALFORMED);
		keying_peer_fail(k, p, PEER_FAILURE_BAD_HANDSHAKE);
		break;
	}
}

static void respond(struct keying *k, struct peer *p)
{
	struct message_handshake_response response;
	uint32_t index;
	session_index_release(k->tables->sessions, p->keying->remote.local_index);
	if (session_index_reserve(k->tables->sessions, p, &index) != 0)
		return;
	int err = noise_response_create(&p->keying->remote, index, &response);
	if (err == 0)
		err = keying_session_install(k, p);
	if (err != 0) {
		session_index_release(k->tables->sessions, index);
		return;
	}
	send_message(k, p, &response, sizeof(response));
	keying_count(k, COUNTER_HANDSHAKE_RESPONSES_SENT);
}

/*
 * The status mutex: keying_peer_status() reads the timestamp. An initiation of ours that is on
 * its way ends here: its index is given back.
 */
static int accept_initiation(
	struct keying *k, struct received *r, struct peer *p, const struct noise_initiation *opened)
{
	struct noise_remote *remote = &p->keying->remote;
	uint32_t ours = remote->local_index;
	int err = noise_initiation_accept(&r->instance->identity, remote, opened, k->now_ns);
	if (err != 0)
		return err;
	(void)pthread_mutex_lock(&k->status_mutex);
	memcpy(p->latest_timestamp, remote->latest_timestamp, sizeof(p->latest_timestamp));
	(void)pthread_mutex_unlock(&k->status_mutex);
	session_index_release(k->tables->sessions, ours);
	return 0;
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
	struct peer *p = keying_instance_peer(r->instance, &opened.remote_static);
	if (p == NULL || p->expired != 0) {
		keying_count(k,
			p == NULL ? COUNTER_DROP_HANDSHAKE_UNKNOWN_PEER
				  : COUNTER_DROP_PEER_EXPIRED);
	} else if (keying_peer_wake(k, p)) {
		int err = accept_initiation(k, r, p, &opened);
		if (err == 0) {
			note_authentic(k, p, r);
			respond(k, p);
		} else {
			refuse_initiation(k, p, err);
		}
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
	if (p == NULL || p->keying == NULL || p->instance != r->instance->instance
		|| p->expired != 0
		|| noise_response_consume(&r->instance->identity, &p->keying->remote, &m) != 0) {
		keying_count(k, COUNTER_DROP_HANDSHAKE_RESPONSE);
		return;
	}
	note_authentic(k, p, r);
	if (keying_session_install(k, p) != 0)
		return;
	timers_handshake_complete(&p->keying->timers);
	/* the responder may not send before it heard from us under the new key */
	if (p->staged_head != NULL)
		keying_peer_flush_staged(k, p);
	else
		keying_session_keepalive(k, p);
	keying_timer_visit(k, p);
	struct keying_event e = {.type = KEYING_EVENT_SESSION_UP, .peer = peer_handle(p)};
	if (k->config.event != NULL)
		k->config.event(k->config.ctx, &e);
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
	if (i == NULL || i->keying == NULL) {
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
	} else if (!macs_are_good(k, &r)) {
		return;
	} else if (r.message[0] == MESSAGE_HANDSHAKE_INITIATION) {
		receive_initiation(k, &r);
	} else {
		receive_response(k, &r);
	}
	rte_pktmbuf_free(m);
}

void keying_handshake_initiate(struct keying *k, struct peer *p)
{
	struct keying_instance *ki = p->instance->keying;
	struct message_handshake_initiation m;
	uint32_t index;
	struct ip_addr any = {0};
	if (p->endpoint == NULL && p->hint.port != 0)
		keying_endpoint_set(k, p, &p->hint, &any, p->instance->wireguard_port);
	if (p->endpoint == NULL)
		return;
	session_index_release(k->tables->sessions, p->keying->remote.local_index);
	if (session_index_reserve(k->tables->sessions, p, &index) != 0)
		return;
	struct noise_remote *remote = &p->keying->remote;
	if (noise_initiation_create(&ki->identity, remote, index, clock_realtime_ns(), &m) != 0) {
		session_index_release(k->tables->sessions, index);
		return;
	}
	memcpy(p->sent_timestamp, remote->sent_timestamp, sizeof(p->sent_timestamp));
	send_message(k, p, &m, sizeof(m));
	keying_count(k, COUNTER_HANDSHAKE_INITIATIONS_SENT);
}
