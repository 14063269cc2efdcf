// SPDX-License-Identifier: Apache-2.0
/*
 * WireGuard data (paper, section 5.4.6): the index finds the session, a burst opens all packets
 * at once, and only then, for what was authentic, the replay window moves, the peer may have
 * roamed, and a responder's new key is confirmed. An endpoint moves even if the inner source is
 * refused later: the packet was the peer's.
 */
#include "dataplane/crypto/aead.h"
#include "dataplane/path/came_from.h"
#include "dataplane/path/path.h"
#include "dataplane/table/capture.h"
#include "dataplane/table/instance.h"
#include "dataplane/table/peer.h"
#include "dataplane/table/rings.h"
#include "dataplane/table/session.h"
#include "dataplane/table/tables.h"
#include "dataplane/wg/messages.h"

#include <stdatomic.h>
#include <string.h>

enum {
	OVERHEAD = sizeof(struct message_data) + AEAD_TAG_LEN,
};

/*
 * Both are done a burst at a time and ahead of the burst that is opened, so that memory answers while
 * the AEAD computes: session first, and what it names a burst later.
 */
static void find_sessions(struct path *p, const struct vector *in, unsigned int first)
{
	for (unsigned int n = first, end = vector_burst_end(in, first, AEAD_BURST); n < end; n++) {
		struct pkt *k = pkt_of(in->packet[n]);
		const uint8_t *message =
			rte_pktmbuf_mtod_offset(in->packet[n], const uint8_t *, k->outer_len);
		k->session = session_lookup(p->tables->sessions, message_read_le32(message + 4));
		if (k->session == NULL)
			continue;
		rte_prefetch0(k->session);
		rte_prefetch0(
			replay_word(&k->session->keypair.replay, message_read_le64(message + 8)));
	}
}

static void prefetch_senders(const struct vector *in, unsigned int first)
{
	for (unsigned int n = first, end = vector_burst_end(in, first, AEAD_BURST); n < end; n++) {
		const struct session *s = pkt_of(in->packet[n])->session;
		if (s == NULL)
			continue;
		rte_prefetch0(s->peer);
		rte_prefetch0(&s->peer->received);
		rte_prefetch0(&s->peer->sent);
		rte_prefetch0(&s->keypair.replay);
	}
}

/* What can be refused before any cryptography. */
static enum counter refusal(const struct path *p, const struct pkt *k, const uint8_t *message)
{
	const struct session *s = k->session;
	if (s == NULL || s->keypair.local_index != message_read_le32(message + 4)
		|| s->peer->instance != k->instance)
		return COUNTER_DROP_WG_UNKNOWN_INDEX;
	if (keypair_expired(&s->keypair, p->now_ns))
		return COUNTER_DROP_WG_KEY_EXPIRED;
	if (message_read_le64(message + 8) >= REJECT_AFTER_MESSAGES)
		return COUNTER_DROP_WG_REPLAY;
	return 0;
}

static void fill_job(struct aead_job *job, const struct session *s, uint8_t *message, uint16_t len)
{
	job->key = &s->keypair.receive_key;
	job->data = message + sizeof(struct message_data);
	job->len = (uint32_t)(len - OVERHEAD);
	memset(job->nonce, 0, 4);
	memcpy(job->nonce + 4, message + 8, 8);
}

/* The first packet under a key that we made as responder shows that the peer has it too. */
static __rte_cold void confirm_session(struct path *p, struct session *s)
{
	struct keying_message message = {.type = KEYING_PROMOTE,
		.peer = peer_handle(s->peer),
		.index = s->keypair.local_index};
	path_tell_keying(p, &s->confirmed, &message);
}

static void stamp(struct path *p, struct peer *peer, uint32_t len)
{
	peer_stamp(&peer->received, &peer->sent, len > 0, p->now_ns);
	peer_count(&peer->received.packets, 1);
	peer_count(&peer->received.bytes, len + OVERHEAD);
}

/* The packet is authentic and new. */
static __rte_always_inline void accept_packet(
	struct path *p, struct rte_mbuf *m, const struct aead_job *job)
{
	struct pkt *k = pkt_of(m);
	struct session *s = k->session;
	struct peer *peer = s->peer;
	const struct endpoint *e = atomic_load_explicit(&peer->endpoint, memory_order_acquire);
	if (e == NULL || !came_from(e, rte_pktmbuf_mtod(m, const uint8_t *), k))
		path_tell_roaming(p, peer, m);
	if (atomic_load_explicit(&s->confirmed, memory_order_relaxed) == 0)
		confirm_session(p, s);
	stamp(p, peer, job->len);
	if (keypair_wants_rekey_on_receive(&s->keypair, p->now_ns)
		&& atomic_load_explicit(&peer->current, memory_order_relaxed) == s)
		path_ask_for_rekey(p, peer);
	if (job->len == 0) {
		path_drop(p, m, COUNTER_KEEPALIVES_RECEIVED);
		return;
	}
	k->outer_len = (uint16_t)(k->outer_len + sizeof(struct message_data));
	pkt_cut(m, k->outer_len, (uint16_t)job->len);
	capture_packet(p->rings, p->counters, m, peer, PEER_CAPTURE_INNER, false);
	k->from = peer;
	path_push(p, STAGE_SOURCE_CHECK, m);
}

static void open_burst(
	struct path *p, struct rte_mbuf **packets, struct aead_job *jobs, unsigned int count)
{
	aead_chacha20_poly1305_open(p->aead, jobs, count);
	for (unsigned int n = 0; n < count; n++) {
		struct rte_mbuf *m = packets[n];
		struct session *s = pkt_of(m)->session;
		uint64_t counter = message_read_le64(jobs[n].nonce + 4);
		if (!jobs[n].ok)
			path_drop(p, m, COUNTER_DROP_WG_AUTH);
		else if (!replay_accept(&s->keypair.replay, counter))
			path_drop(p, m, COUNTER_DROP_WG_REPLAY);
		else if (atomic_load_explicit(&s->peer->expired, memory_order_relaxed) != 0)
			path_drop(p, m, COUNTER_DROP_PEER_EXPIRED);
		else
			accept_packet(p, m, &jobs[n]);
	}
}

void wg_input(struct path *p, struct vector *in)
{
	struct rte_mbuf *packets[AEAD_BURST];
	struct aead_job jobs[AEAD_BURST];
	unsigned int count = 0;
	find_sessions(p, in, 0);
	find_sessions(p, in, AEAD_BURST);
	prefetch_senders(in, 0);
	for (uint16_t n = 0; n < in->count; n++) {
		if (n % AEAD_BURST == 0) {
			find_sessions(p, in, n + 2U * AEAD_BURST);
			prefetch_senders(in, n + AEAD_BURST);
		}
		struct rte_mbuf *m = in->packet[n];
		struct pkt *k = pkt_of(m);
		uint8_t *message = rte_pktmbuf_mtod_offset(m, uint8_t *, k->outer_len);
		enum counter reason = refusal(p, k, message);
		if (reason != 0) {
			path_drop(p, m, reason);
			continue;
		}
		capture_packet(
			p->rings, p->counters, m, k->session->peer, PEER_CAPTURE_OUTER, false);
		/* what is read when the burst is open */
		rte_prefetch0(
			atomic_load_explicit(&k->session->peer->endpoint, memory_order_relaxed));
		packets[count] = m;
		fill_job(&jobs[count++], k->session, message,
			(uint16_t)(m->data_len - k->outer_len));
		if (count == AEAD_BURST) {
			open_burst(p, packets, jobs, count);
			count = 0;
		}
	}
	if (count > 0)
		open_burst(p, packets, jobs, count);
}
