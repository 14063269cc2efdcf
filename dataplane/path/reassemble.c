// SPDX-License-Identifier: Apache-2.0
/*
 * Outer fragments (RFC 791 section 3.2, RFC 8200 section 4.5) of UDP datagrams to an address of
 * ours. What turns out to be for a listener is put together in the buffer of its first fragment
 * and classified again as the frame that it would have been; fragments of everything else go on to
 * the host as they came. Overlapping fragments are nobody's honest work: the whole datagram is
 * dropped, with what comes of it later (RFC 5722, RFC 8900 section 3.7).
 */
#include "dataplane/base/clock.h"
#include "dataplane/base/random.h"
#include "dataplane/path/ecn.h"
#include "dataplane/path/path.h"
#include "dataplane/path/reassembly.h"
#include "dataplane/table/rings.h"
#include "dataplane/table/tables.h"
#include "dataplane/table/underlay.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_jhash.h>
#include <rte_ring.h>
#include <rte_udp.h>

enum {
	IP_LEN_MAX = 65535,
};

static const uint64_t timeout_ns = REASSEMBLY_TIMEOUT_MS * (NS_PER_SEC / 1000);

/* RFC 8200 section 4.5. */
struct fragment_header {
	uint8_t next;
	uint8_t reserved;
	rte_be16_t offset_and_more;
	rte_be32_t id;
} __attribute__((packed));

/* One fragment, as its headers tell it. */
struct fragment {
	struct datagram_key key;
	uint32_t offset, len; /* of what stands behind the headers */
	uint16_t headers; /* bytes from the frame's start */
	uint8_t ecn;
	bool more;
};

int reassembly_new(struct reassembly **ret)
{
	struct reassembly *r = calloc(1, sizeof(*r));
	if (r == NULL)
		return -ENOMEM;
	int err = random_bytes(&r->seed, sizeof(r->seed));
	if (err != 0) {
		free(r);
		return err;
	}
	*ret = r;
	return 0;
}

void reassembly_free(struct reassembly *r)
{
	if (r == NULL)
		return;
	for (unsigned int n = 0; n < REASSEMBLY_SETS * REASSEMBLY_WAYS; n++) {
		struct datagram *d = &r->datagram[n / REASSEMBLY_WAYS][n % REASSEMBLY_WAYS];
		for (unsigned int i = 0; i < d->pieces; i++)
			rte_pktmbuf_free(d->piece[i].mbuf);
	}
	free(r);
}

static void drop_pieces(struct path *p, struct datagram *d, enum counter reason)
{
	for (unsigned int i = 0; i < d->pieces; i++)
		rte_pktmbuf_free(d->piece[i].mbuf);
	counter_add(p->counters, reason, d->pieces);
	d->pieces = 0;
}

static void release(struct path *p, struct datagram *d)
{
	d->state = DATAGRAM_NONE;
	p->reassembly->used--;
}

void reassembly_expire(struct path *p)
{
	struct reassembly *r = p->reassembly;
	if (r->used == 0 || p->now_ns < r->next_sweep_ns)
		return;
	r->next_sweep_ns = p->now_ns + REASSEMBLY_SWEEP_MS * (NS_PER_SEC / 1000);
	for (unsigned int n = 0; n < REASSEMBLY_SETS * REASSEMBLY_WAYS; n++) {
		struct datagram *d = &r->datagram[n / REASSEMBLY_WAYS][n % REASSEMBLY_WAYS];
		if (d->state == DATAGRAM_NONE || p->now_ns - d->since_ns < timeout_ns)
			continue;
		drop_pieces(p, d, COUNTER_DROP_FRAGMENT_TIMEOUT);
		release(p, d);
	}
}

/* classify checked the header, and that the frame ends where the packet does. */
static void read_ipv4(const struct rte_mbuf *m, struct fragment *ret)
{
	const struct rte_ipv4_hdr *ip =
		rte_pktmbuf_mtod_offset(m, const struct rte_ipv4_hdr *, RTE_ETHER_HDR_LEN);
	uint16_t where = rte_be_to_cpu_16(ip->fragment_offset);
	ret->key.source = ip_addr_from_v4((const uint8_t *)&ip->src_addr);
	ret->key.destination = ip_addr_from_v4((const uint8_t *)&ip->dst_addr);
	ret->key.id = ip->packet_id;
	ret->headers = (uint16_t)(RTE_ETHER_HDR_LEN + (ip->version_ihl & 0x0f) * 4);
	ret->offset = (where & RTE_IPV4_HDR_OFFSET_MASK) * RTE_IPV4_HDR_OFFSET_UNITS;
	ret->more = (where & RTE_IPV4_HDR_MF_FLAG) != 0;
	ret->ecn = ip->type_of_service & ECN_MASK;
}

/* false: not a fragment of UDP. */
static bool read_ipv6(const struct rte_mbuf *m, struct fragment *ret)
{
	const struct rte_ipv6_hdr *ip =
		rte_pktmbuf_mtod_offset(m, const struct rte_ipv6_hdr *, RTE_ETHER_HDR_LEN);
	const struct fragment_header *f = (const struct fragment_header *)(ip + 1);
	ret->headers = RTE_ETHER_HDR_LEN + sizeof(*ip) + sizeof(*f);
	if (m->data_len < ret->headers || f->next != IPPROTO_UDP)
		return false;
	uint16_t where = rte_be_to_cpu_16(f->offset_and_more);
	memcpy(ret->key.source.bytes, ip->src_addr, 16);
	memcpy(ret->key.destination.bytes, ip->dst_addr, 16);
	ret->key.id = f->id;
	ret->key.is_v6 = 1;
	ret->offset = where & 0xfff8;
	ret->more = (where & 1) != 0;
	ret->ecn = (rte_be_to_cpu_32(ip->vtc_flow) >> 20) & ECN_MASK;
	return true;
}

static bool is_well_formed(const struct fragment *f)
{
	bool units = !f->more || f->len % RTE_IPV4_HDR_OFFSET_UNITS == 0;
	bool ports = f->offset > 0 || f->len >= sizeof(struct rte_udp_hdr);
	return f->len > 0 && units && ports
		&& f->offset + f->len + sizeof(struct rte_ipv4_hdr) <= IP_LEN_MAX;
}

/* Fragments of one datagram may come by any queue: one worker has them all. */
static unsigned int worker_of(const struct path *p, const struct datagram_key *k)
{
	return rte_jhash(k, offsetof(struct datagram_key, id), 0) % p->tables->workers;
}

static struct datagram *set_of(const struct path *p, const struct datagram_key *k)
{
	struct reassembly *r = p->reassembly;
	uint32_t sets = REASSEMBLY_SETS / p->tables->workers;
	return r->datagram[rte_jhash(k, offsetof(struct datagram_key, id), r->seed) % sets];
}

/* The datagram of a fragment: the one that waits for it, or a new one in the place of the oldest. */
static struct datagram *find_datagram(struct path *p, const struct fragment *f)
{
	struct datagram *set = set_of(p, &f->key), *victim = set;
	for (unsigned int n = 0; n < REASSEMBLY_WAYS; n++) {
		struct datagram *d = &set[n];
		if (d->state != DATAGRAM_NONE && p->now_ns - d->since_ns >= timeout_ns) {
			drop_pieces(p, d, COUNTER_DROP_FRAGMENT_TIMEOUT);
			release(p, d);
		}
		if (d->state != DATAGRAM_NONE && memcmp(&d->key, &f->key, sizeof(d->key)) == 0)
			return d;
		if (victim->state != DATAGRAM_NONE
			&& (d->state == DATAGRAM_NONE || d->since_ns < victim->since_ns))
			victim = d;
	}
	if (victim->state != DATAGRAM_NONE) {
		drop_pieces(p, victim, COUNTER_DROP_FRAGMENT_CROWDED);
		release(p, victim);
	}
	*victim =
		(struct datagram){.key = f->key, .since_ns = p->now_ns, .state = DATAGRAM_UNKNOWN};
	p->reassembly->used++;
	return victim;
}

/* RFC 5722: with all of its fragments, also those that are yet to come. */
static void refuse(struct path *p, struct datagram *d, struct rte_mbuf *m, enum counter reason)
{
	drop_pieces(p, d, reason);
	d->state = DATAGRAM_REFUSED;
	d->refused = reason;
	path_drop(p, m, reason);
}

/* Those that waited are not of this run: no vector has room for them. */
static void pass_to_host(struct path *p, struct rte_mbuf *m)
{
	pkt_of(m)->host = PKT_HOST_TAP;
	counter_add(p->counters, COUNTER_PUNTED_PACKETS, 1);
	if (rte_ring_enqueue(p->rings->host, m) == 0)
		return;
	counter_add(p->counters, COUNTER_DROP_HOST_FULL, 1);
	rte_pktmbuf_free(m);
}

static void give_to_host(struct path *p, struct datagram *d, struct rte_mbuf *m)
{
	for (unsigned int i = 0; i < d->pieces; i++)
		pass_to_host(p, d->piece[i].mbuf);
	d->pieces = 0;
	d->state = DATAGRAM_HOST;
	pass_to_host(p, m);
}

/* 0 (COUNTER_RX_PACKETS is no refusal): it fits to what is there. */
static enum counter conflict(const struct datagram *d, const struct fragment *f)
{
	uint32_t end = f->offset + f->len;
	if (d->total != 0 && (f->more ? end >= d->total : end != d->total))
		return COUNTER_DROP_FRAGMENT_OVERLAP;
	for (unsigned int i = 0; i < d->pieces; i++) {
		const struct piece *other = &d->piece[i];
		uint32_t other_end = (uint32_t)other->offset + other->len;
		if (other->offset == f->offset && other->len == f->len)
			return COUNTER_DROP_FRAGMENT_DUPLICATE;
		if (f->offset < other_end && other->offset < end)
			return COUNTER_DROP_FRAGMENT_OVERLAP;
		if (!f->more && other_end > end)
			return COUNTER_DROP_FRAGMENT_OVERLAP;
	}
	return 0;
}

/* More than a buffer, or a place in the table, holds. */
static bool is_too_large(
	const struct datagram *d, const struct fragment *f, const struct rte_mbuf *m)
{
	uint32_t room = m->buf_len - RTE_PKTMBUF_HEADROOM - RTE_ETHER_HDR_LEN;
	return d->pieces == REASSEMBLY_PIECES || f->offset + f->len > room;
}

static bool is_for_listener(const struct path *p, const struct rte_mbuf *m, uint16_t headers)
{
	const struct rte_udp_hdr *udp =
		rte_pktmbuf_mtod_offset(m, const struct rte_udp_hdr *, headers);
	return atomic_load_explicit(
		       &p->tables->listener[rte_be_to_cpu_16(udp->dst_port)], memory_order_acquire)
		!= NULL;
}

static bool is_complete(const struct datagram *d)
{
	uint32_t sum = 0;
	for (unsigned int i = 0; i < d->pieces; i++)
		sum += d->piece[i].len;
	return d->total != 0 && sum == d->total; /* nothing overlaps */
}

static const struct piece *piece_at(const struct datagram *d, uint32_t offset)
{
	for (unsigned int i = 0; i < d->pieces; i++) {
		if (d->piece[i].offset == offset)
			return &d->piece[i];
	}
	return NULL;
}

/* RFC 3168 section 5.3. false: congestion was met, and the sender would not understand. */
static bool congestion_of_whole(const struct datagram *d, bool *ret_met)
{
	*ret_met = (d->ecn_seen & 1 << ECN_CE) != 0;
	return !*ret_met || (d->ecn_seen & 1 << ECN_NOT_ECT) == 0;
}

static void finish_ipv4(struct rte_mbuf *m, bool congestion)
{
	struct rte_ipv4_hdr *ip =
		rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, RTE_ETHER_HDR_LEN);
	if (congestion)
		ip->type_of_service |= ECN_CE;
	ip->fragment_offset = 0;
	ip->total_length = rte_cpu_to_be_16((uint16_t)(m->data_len - RTE_ETHER_HDR_LEN));
	ip->hdr_checksum = 0;
	ip->hdr_checksum = (uint16_t)~rte_raw_cksum(ip, (size_t)(ip->version_ihl & 0x0f) * 4);
}

/* The fragment header goes. */
static void finish_ipv6(struct rte_mbuf *m, bool congestion)
{
	const uint16_t headers = RTE_ETHER_HDR_LEN + sizeof(struct rte_ipv6_hdr);
	uint8_t *frame = rte_pktmbuf_mtod(m, uint8_t *);
	memmove(frame + sizeof(struct fragment_header), frame, headers);
	(void)rte_pktmbuf_adj(m, sizeof(struct fragment_header));
	struct rte_ipv6_hdr *ip =
		rte_pktmbuf_mtod_offset(m, struct rte_ipv6_hdr *, RTE_ETHER_HDR_LEN);
	if (congestion)
		ip->vtc_flow |= rte_cpu_to_be_32(ECN_CE << 20);
	ip->proto = IPPROTO_UDP;
	ip->payload_len = rte_cpu_to_be_16((uint16_t)(m->data_len - headers));
}

/* Into the buffer of the first fragment. NULL when it is too small. */
static struct rte_mbuf *join_pieces(const struct datagram *d)
{
	const struct piece *at = piece_at(d, 0);
	struct rte_mbuf *m = at->mbuf;
	for (uint32_t end = at->len; end < d->total; end += at->len) {
		at = piece_at(d, end);
		char *to = rte_pktmbuf_append(m, at->len);
		if (to == NULL)
			return NULL;
		const struct rte_mbuf *from = at->mbuf;
		memcpy(to, rte_pktmbuf_mtod_offset(from, const char *, from->data_len - at->len),
			at->len);
	}
	return m;
}

/* All is there: back to the beginning. */
static void complete(struct path *p, struct datagram *d, struct vector *whole)
{
	bool congestion;
	bool understood = congestion_of_whole(d, &congestion);
	struct rte_mbuf *m = understood ? join_pieces(d) : NULL;
	release(p, d);
	if (m == NULL) {
		drop_pieces(p, d, understood ? COUNTER_DROP_FRAGMENT_TOO_LARGE : COUNTER_DROP_ECN);
		return;
	}
	for (unsigned int i = 0; i < d->pieces; i++) {
		if (d->piece[i].mbuf != m)
			rte_pktmbuf_free(d->piece[i].mbuf);
	}
	d->pieces = 0;
	if (d->key.is_v6)
		finish_ipv6(m, congestion);
	else
		finish_ipv4(m, congestion);
	counter_add(p->counters, COUNTER_REASSEMBLED_DATAGRAMS, 1);
	whole->packet[whole->count++] = m;
}

static void add(struct path *p, struct rte_mbuf *m, const struct fragment *f, struct vector *whole)
{
	struct datagram *d = find_datagram(p, f);
	if (d->state == DATAGRAM_HOST) {
		pass_to_host(p, m);
		return;
	}
	if (d->state == DATAGRAM_REFUSED) {
		path_drop(p, m, d->refused);
		return;
	}
	enum counter reason = conflict(d, f);
	if (reason == COUNTER_DROP_FRAGMENT_DUPLICATE) {
		path_drop(p, m, reason);
		return;
	}
	if (reason != 0) {
		refuse(p, d, m, reason);
		return;
	}
	if (f->offset == 0)
		d->state = is_for_listener(p, m, f->headers) ? DATAGRAM_TUNNEL : DATAGRAM_HOST;
	bool too_large = is_too_large(d, f, m);
	if (d->state == DATAGRAM_HOST || (d->state == DATAGRAM_UNKNOWN && too_large)) {
		give_to_host(p, d, m);
		return;
	}
	if (too_large) {
		refuse(p, d, m, COUNTER_DROP_FRAGMENT_TOO_LARGE);
		return;
	}
	d->piece[d->pieces++] = (struct piece){m, (uint16_t)f->offset, (uint16_t)f->len};
	d->ecn_seen |= (uint8_t)(1 << f->ecn);
	if (!f->more)
		d->total = (uint16_t)(f->offset + f->len);
	if (is_complete(d))
		complete(p, d, whole);
}

static void reassemble_one(struct path *p, struct rte_mbuf *m, struct vector *whole)
{
	struct fragment f = {0};
	bool is_udp = true;
	if (rte_pktmbuf_mtod(m, const struct rte_ether_hdr *)->ether_type
		== RTE_BE16(RTE_ETHER_TYPE_IPV4))
		read_ipv4(m, &f);
	else
		is_udp = read_ipv6(m, &f);
	if (!is_udp || !underlay_is_local(p->tables, &f.key.destination)) {
		pass_to_host(p, m);
		return;
	}
	unsigned int worker = worker_of(p, &f.key);
	if (worker != p->worker) {
		pkt_of(m)->inject = PKT_INJECT_FRAGMENT;
		path_hand_over(p, worker, &m, 1);
		return;
	}
	f.len = (uint32_t)m->data_len - f.headers;
	if (!is_well_formed(&f)) {
		path_drop(p, m, COUNTER_DROP_FRAGMENT_MALFORMED);
		return;
	}
	if (f.offset > 0 || f.more) {
		add(p, m, &f, whole);
		return;
	}
	finish_ipv6(m, false); /* RFC 6946: whole as it is, whatever waits under the same number */
	whole->packet[whole->count++] = m;
}

void reassemble(struct path *p, struct vector *in)
{
	struct vector whole;
	whole.count = 0;
	for (uint16_t n = 0; n < in->count; n++)
		reassemble_one(p, in->packet[n], &whole);
	classify(p, &whole);
}
