// SPDX-License-Identifier: Apache-2.0
/*
 * WireGuard data, the other way: the receiving peer's current session gives key and counter (one
 * atomic add a burst and session, so that any worker may seal for any peer), the packet is padded to 16 bytes but
 * never past the MTU, and a burst is sealed at once. Without a usable key the packet goes to
 * keying, which keeps it and makes one. So it does while the peer moves: see DECISIONS.md.
 */
#include "dataplane/crypto/aead.h"
#include "dataplane/path/ecn.h"
#include "dataplane/path/output.h"
#include "dataplane/path/path.h"
#include "dataplane/table/capture.h"
#include "dataplane/table/instance.h"
#include "dataplane/table/peer.h"
#include "dataplane/table/rings.h"
#include "dataplane/table/session.h"
#include "dataplane/wg/messages.h"

#include <stdatomic.h>
#include <string.h>

enum {
	OVERHEAD = sizeof(struct message_data) + AEAD_TAG_LEN,
	GROUP_SLOTS = 2 * AEAD_BURST,
};

/* false: the ring is full. */
static __rte_cold bool give_to_keying(struct path *p, struct rte_mbuf *m)
{
	struct pkt *k = pkt_of(m);
	struct keying_message message = {
		.type = KEYING_WANT_KEY, .peer = peer_handle(k->to), .mbuf = m};
	return rings_keying_put(p->rings, &message);
}

static __rte_cold void wait_for_key(struct path *p, struct rte_mbuf *m)
{
	if (!give_to_keying(p, m))
		path_drop(p, m, COUNTER_DROP_KEYING_FULL);
}

/* In the ring it is behind the news of the move, or, by another worker than told it, at worst in
 * front of it: then keying sends it back here. false: full, and the old endpoint must do. */
static inline bool waits_for_endpoint(struct path *p, struct rte_mbuf *m, struct peer *to)
{
	return atomic_load_explicit(&to->roaming, memory_order_acquire) != 0
		&& give_to_keying(p, m);
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
	uint16_t len = m->data_len;
	uint8_t *head =
		pkt_grow(m, sizeof(struct message_data), (uint16_t)(padding + AEAD_TAG_LEN));
	if (head
		!= NULL) /* one store, whatever the padding: less than 16 bytes, and the tag's 16 */
		memset(head + sizeof(struct message_data) + len, 0, MESSAGE_PADDING);
	return head;
}

/*
 * The packets of a burst that are sealed with one session. Several workers may seal for a peer, so
 * what they all write is written once a group: counters are taken and added together.
 */
struct group {
	struct session *session;
	struct peer *to;
	uint64_t counter; /* the next of those that were reserved */
	uint32_t reserved;
	uint32_t packets; /* sealed */
	bool has_data; /* not only keepalives */
	uint64_t bytes;
} __attribute__((aligned(64)));

struct burst {
	unsigned int count;
	unsigned int groups;
	struct rte_mbuf *packet[AEAD_BURST];
	struct aead_job job[AEAD_BURST];
	struct group *group_of[AEAD_BURST];
	struct group group[AEAD_BURST];
	uint8_t group_at[GROUP_SLOTS]; /* by index of the session, open addressing: number + 1 */
};

static struct group *find_group(struct burst *b, struct session *s, struct peer *to)
{
	uint32_t at = s->keypair.local_index;
	while (b->group_at[at % GROUP_SLOTS] != 0) {
		struct group *g = &b->group[b->group_at[at % GROUP_SLOTS] - 1];
		if (g->session == s)
			return g;
		at++;
	}
	struct group *g = &b->group[b->groups++];
	*g = (struct group){.session = s, .to = to};
	b->group_at[at % GROUP_SLOTS] = (uint8_t)b->groups;
	return g;
}

/* false: the packet went elsewhere. */
static bool join_group(struct path *p, struct burst *b, struct rte_mbuf *m)
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
	if (waits_for_endpoint(p, m, to))
		return false;
	k->endpoint = atomic_load_explicit(&to->endpoint, memory_order_acquire);
	if (k->endpoint == NULL) {
		path_drop(p, m, COUNTER_DROP_NO_ENDPOINT);
		return false;
	}
	struct group *g = find_group(b, s, to);
	g->reserved++;
	b->group_of[b->count] = g;
	b->packet[b->count++] = m;
	return true;
}

static void reserve_counters(struct path *p, struct burst *b)
{
	for (unsigned int n = 0; n < b->groups; n++) {
		struct group *g = &b->group[n];
		struct keypair *k = &g->session->keypair;
		g->counter = keypair_reserve(k, g->reserved);
		if (keypair_may_send(k, g->counter, p->now_ns)
			&& keypair_wants_rekey_on_send(k, g->counter + g->reserved - 1, p->now_ns))
			path_ask_for_rekey(p, g->to);
	}
}

/* RFC 6040 section 4.1, normal mode: the ECN field is copied. A keepalive has none. */
static uint8_t outer_tos(const struct path *p, const struct rte_mbuf *m)
{
	if (m->data_len == 0)
		return 0;
	return ecn_tos(rte_pktmbuf_mtod(m, const uint8_t *)) & p->tos_mask;
}

/* false: the packet went elsewhere. */
static bool prepare_job(struct path *p, struct rte_mbuf *m, struct group *g, struct aead_job *job)
{
	const struct keypair *keys = &g->session->keypair;
	uint64_t counter = g->counter++;
	if (!keypair_may_send(keys, counter, p->now_ns)) {
		wait_for_key(p, m);
		return false;
	}
	uint16_t len = m->data_len;
	pkt_of(m)->outer_tos = outer_tos(p, m);
	if (len > 0)
		capture_packet(p->rings, p->counters, m, g->to, PEER_CAPTURE_INNER, true);
	uint16_t padding = padding_of(
		len, atomic_load_explicit(&pkt_of(m)->instance->mtu, memory_order_relaxed));
	uint8_t *message = frame_message(m, padding);
	if (message == NULL) {
		path_drop(p, m, COUNTER_DROP_NO_HEADROOM);
		return false;
	}
	message_write_le32(message, MESSAGE_DATA);
	message_write_le32(message + 4, keys->remote_index);
	message_write_le64(message + 8, counter);
	job->key = &keys->send_key;
	job->data = message + sizeof(struct message_data);
	job->len = (uint32_t)(len + padding);
	memset(job->nonce, 0, 4);
	memcpy(job->nonce + 4, message + 8, 8);
	g->packets++;
	g->has_data = g->has_data || job->len > 0;
	g->bytes += job->len + OVERHEAD;
	return true;
}

static void prepare_jobs(struct path *p, struct burst *b)
{
	unsigned int count = 0;
	for (unsigned int n = 0; n < b->count; n++) {
		struct rte_mbuf *m = b->packet[n];
		if (prepare_job(p, m, b->group_of[n], &b->job[count]))
			b->packet[count++] = m;
	}
	b->count = count;
	for (unsigned int n = 0; n < b->groups; n++) {
		const struct group *g = &b->group[n];
		if (g->packets > 0)
			output_count(p, g->to, g->has_data, g->packets, g->bytes);
	}
}

static void seal_burst(struct path *p, struct burst *b)
{
	reserve_counters(p, b);
	prepare_jobs(p, b);
	aead_chacha20_poly1305_seal(p->aead, b->job, b->count);
	for (unsigned int n = 0; n < b->count; n++) {
		if (b->job[n].ok)
			path_push(p, STAGE_UDP_OUTPUT, b->packet[n]);
		else
			path_drop(p, b->packet[n], COUNTER_DROP_NO_KEY);
	}
	b->count = 0;
	b->groups = 0;
	memset(b->group_at, 0, sizeof(b->group_at));
}

static void prefetch_receiver(const struct peer *to)
{
	const struct session *s = atomic_load_explicit(&to->current, memory_order_relaxed);
	if (s != NULL) {
		rte_prefetch0(s);
		rte_prefetch0(&s->keypair.send_key);
	}
	rte_prefetch0(&to->received);
	rte_prefetch0(&to->sent);
	rte_prefetch0(atomic_load_explicit(&to->endpoint, memory_order_relaxed));
}

/* Of the burst that begins there: while one is sealed, the lines of the next are on their way. */
static void prefetch_receivers(const struct vector *in, unsigned int first)
{
	for (unsigned int n = first, end = vector_burst_end(in, first, AEAD_BURST); n < end; n++)
		prefetch_receiver(pkt_of(in->packet[n])->to);
}

void wg_output(struct path *p, struct vector *in)
{
	struct burst b;
	b.count = 0;
	b.groups = 0;
	memset(b.group_at, 0, sizeof(b.group_at));
	prefetch_receivers(in, 0);
	for (uint16_t n = 0; n < in->count; n++) {
		if (n % AEAD_BURST == 0)
			prefetch_receivers(in, n + AEAD_BURST);
		if (join_group(p, &b, in->packet[n]) && b.count == AEAD_BURST)
			seal_burst(p, &b);
	}
	if (b.count > 0)
		seal_burst(p, &b);
}
