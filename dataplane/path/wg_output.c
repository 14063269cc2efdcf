// SPDX-License-Identifier: Apache-2.0
/*
 * WireGuard data, the other way: the receiving peer's current session gives key and counter (one
 * atomic add, so that any worker may seal for any peer), the packet is padded to 16 bytes but
 * never past the MTU, and a burst is sealed at once. Without a usable key the packet goes to
 * keying, which keeps it and makes one.
 */
#include "dataplane/crypto/aead.h"
#include "dataplane/path/path.h"
#include "dataplane/table/instance.h"
#include "dataplane/table/peer.h"
#include "dataplane/table/rings.h"
#include "dataplane/table/session.h"
#include "dataplane/wg/messages.h"

#include <stdatomic.h>
#include <string.h>

enum {
	OVERHEAD = sizeof(struct message_data) + AEAD_TAG_LEN,
};

static void wait_for_key(struct path *p, struct rte_mbuf *m)
{
	struct pkt *k = pkt_of(m);
	struct keying_message message = {
		.type = KEYING_WANT_KEY, .peer = peer_handle(k->to), .mbuf = m};
	if (!rings_keying_put(p->rings, &message))
		path_drop(p, m, COUNTER_DROP_KEYING_FULL);
}

/* The key still serves, but it is time for the next one: keying is told once. */
static void ask_for_rekey(struct path *p, struct peer *to)
{
	struct keying_message message = {.type = KEYING_WANT_KEY, .peer = peer_handle(to)};
	if (atomic_exchange_explicit(&to->wants_key, 1, memory_order_relaxed) == 0
		&& !rings_keying_put(p->rings, &message))
		atomic_store_explicit(&to->wants_key, 0, memory_order_relaxed);
}

static uint16_t padding_of(uint16_t len, uint16_t mtu)
{
	uint16_t padded = (uint16_t)(len + (-len & (MESSAGE_PADDING - 1)));
	if (padded > mtu)
		padded = len > mtu ? len : mtu;
	return (uint16_t)(padded - len);
}

/* Header in front, padding and room for the tag behind. */
static uint8_t *frame_message(struct rte_mbuf *m, uint16_t padding)
{
	uint8_t *tail = (uint8_t *)rte_pktmbuf_append(m, (uint16_t)(padding + AEAD_TAG_LEN));
	uint8_t *head = (uint8_t *)rte_pktmbuf_prepend(m, sizeof(struct message_data));
	if (tail == NULL || head == NULL)
		return NULL;
	memset(tail, 0, padding);
	return head;
}

static void stamp(struct path *p, struct peer *to, uint32_t len)
{
	struct timer_stamps *t = &to->stamps;
	t->last_any_sent_ns = p->now_ns;
	t->first_data_received_since_send_ns = 0;
	if (len > 0) {
		t->last_data_sent_ns = p->now_ns;
		if (t->first_data_sent_since_receive_ns == 0)
			t->first_data_sent_since_receive_ns = p->now_ns;
	}
	peer_count(&to->tx_packets, 1);
	peer_count(&to->tx_bytes, len + OVERHEAD);
}

/* false: the packet went elsewhere. */
static bool prepare_job(struct path *p, struct rte_mbuf *m, struct aead_job *job)
{
	struct pkt *k = pkt_of(m);
	struct peer *to = k->to;
	struct session *s = atomic_load_explicit(&to->current, memory_order_acquire);
	if (atomic_load_explicit(&to->expired, memory_order_relaxed) != 0) {
		path_drop(p, m, COUNTER_DROP_PEER_EXPIRED);
		return false;
	}
	if (s == NULL || keypair_expired(&s->keypair, p->now_ns)) {
		wait_for_key(p, m);
		return false;
	}
	k->endpoint = atomic_load_explicit(&to->endpoint, memory_order_acquire);
	if (k->endpoint == NULL) {
		path_drop(p, m, COUNTER_DROP_NO_ENDPOINT);
		return false;
	}
	uint64_t counter =
		atomic_fetch_add_explicit(&s->keypair.send_counter, 1, memory_order_relaxed);
	if (!keypair_may_send(&s->keypair, counter, p->now_ns)) {
		wait_for_key(p, m);
		return false;
	}
	if (keypair_wants_rekey_on_send(&s->keypair, counter, p->now_ns))
		ask_for_rekey(p, to);
	uint16_t len = m->data_len;
	uint16_t padding =
		padding_of(len, atomic_load_explicit(&k->instance->mtu, memory_order_relaxed));
	uint8_t *message = frame_message(m, padding);
	if (message == NULL) {
		path_drop(p, m, COUNTER_DROP_NO_HEADROOM);
		return false;
	}
	message_write_le32(message, MESSAGE_DATA);
	message_write_le32(message + 4, s->keypair.remote_index);
	message_write_le64(message + 8, counter);
	job->key = &s->keypair.send_key;
	job->data = message + sizeof(struct message_data);
	job->len = (uint32_t)(len + padding);
	memset(job->nonce, 0, 4);
	memcpy(job->nonce + 4, message + 8, 8);
	stamp(p, to, job->len);
	return true;
}

static void seal_burst(
	struct path *p, struct rte_mbuf **packets, struct aead_job *jobs, unsigned int count)
{
	aead_chacha20_poly1305_seal(p->aead, jobs, count);
	for (unsigned int n = 0; n < count; n++) {
		if (jobs[n].ok)
			path_push(p, STAGE_UDP_OUTPUT, packets[n]);
		else
			path_drop(p, packets[n], COUNTER_DROP_NO_KEY);
	}
}

void wg_output(struct path *p, struct vector *in)
{
	struct rte_mbuf *packets[AEAD_BURST];
	struct aead_job jobs[AEAD_BURST];
	unsigned int count = 0;
	for (uint16_t n = 0; n < in->count; n++)
		rte_prefetch0(pkt_of(in->packet[n])->to->current);
	for (uint16_t n = 0; n < in->count; n++) {
		if (!prepare_job(p, in->packet[n], &jobs[count]))
			continue;
		packets[count++] = in->packet[n];
		if (count == AEAD_BURST) {
			seal_burst(p, packets, jobs, count);
			count = 0;
		}
	}
	if (count > 0)
		seal_burst(p, packets, jobs, count);
}
