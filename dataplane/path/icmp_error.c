// SPDX-License-Identifier: Apache-2.0
/*
 * Tells the sending peer why its packet was refused: RFC 792 and RFC 1812 section 4.3.2 for
 * IPv4, RFC 4443 section 2.4 for IPv6. The refused packet becomes the quotation: its buffer has
 * room in front. Never about an ICMP error, a fragment that is not the first, or a source that is
 * not one host; never more than RATE a second, for all peers together: each worker has its share.
 */
#include "dataplane/base/clock.h"
#include "dataplane/path/output.h"
#include "dataplane/path/path.h"
#include "dataplane/table/instance.h"
#include "dataplane/table/tables.h"

#include <netinet/in.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_ip.h>

enum {
	RATE = 1000, /* errors a second */
	BURST = 50,
	QUOTE_MAX4 = 576 - 20 - 8, /* RFC 1812 section 4.3.2.3 */
	QUOTE_MAX6 = 1280 - 40 - 8, /* RFC 4443 section 2.4 (c) */
	ICMP_HEADER_LEN = 8,
	ERROR_TTL = 64,
};

static bool take_token(struct path *p)
{
	uint64_t one = NS_PER_SEC / RATE * p->tables->workers, full = one * BURST; /* a share */
	p->icmp_tokens_ns += p->now_ns - p->icmp_last_ns;
	p->icmp_last_ns = p->now_ns;
	if (p->icmp_tokens_ns > full)
		p->icmp_tokens_ns = full;
	if (p->icmp_tokens_ns < one)
		return false;
	p->icmp_tokens_ns -= one;
	return true;
}

static bool may_answer4(const uint8_t *ip, uint16_t len)
{
	uint16_t header = (uint16_t)((ip[0] & 0x0f) * 4);
	if (((ip[6] << 8 | ip[7]) & 0x1fff) != 0)
		return false;
	if (ip[9] != IPPROTO_ICMP)
		return true;
	/* only queries: echo, timestamp, information */
	return len > header
		&& (ip[header] == 8 || ip[header] == 0 || ip[header] == 13 || ip[header] == 14);
}

static bool may_answer6(const uint8_t *ip, uint16_t len)
{
	/* RFC 4443 section 2.4 (e): not about errors (types below 128) or behind extension headers
	 * where one could hide */
	if (ip[6] == IPPROTO_ICMPV6)
		return len > 40 && ip[40] >= 128;
	return ip[6] == IPPROTO_TCP || ip[6] == IPPROTO_UDP;
}

void path_refuse(
	struct path *p, struct rte_mbuf *m, enum counter reason, const struct icmp_reason *why)
{
	struct pkt *k = pkt_of(m);
	const uint8_t *ip = rte_pktmbuf_mtod(m, const uint8_t *);
	bool may = k->from != NULL
		&& (k->inner_v6 ? may_answer6(ip, k->inner_len) : may_answer4(ip, k->inner_len));
	if (!may || !take_token(p)) {
		path_drop(p, m, reason);
		return;
	}
	counter_add(p->counters, reason, 1);
	k->icmp_type = k->inner_v6 ? why->type6 : why->type4;
	k->icmp_code = k->inner_v6 ? why->code6 : why->code4;
	path_push(p, STAGE_ICMP_ERROR, m);
}

/* The MTU stands in the last four bytes for "packet too big", in the last two for IPv4. */
static void write_icmp(uint8_t *icmp, const struct pkt *k, uint16_t mtu)
{
	memset(icmp, 0, ICMP_HEADER_LEN);
	icmp[0] = k->icmp_type;
	icmp[1] = k->icmp_code;
	bool too_big = k->inner_v6 ? k->icmp_type == 2 : k->icmp_type == 3 && k->icmp_code == 4;
	if (too_big) {
		icmp[6] = (uint8_t)(mtu >> 8);
		icmp[7] = (uint8_t)mtu;
	}
}

static void write_error4(uint8_t *ip, const struct pkt *k, const uint8_t *to, uint16_t len)
{
	memset(ip, 0, 20);
	ip[0] = 0x45;
	ip[1] = 0xc0; /* RFC 1812 section 4.3.2.5: internetwork control */
	ip[2] = (uint8_t)(len >> 8);
	ip[3] = (uint8_t)len;
	ip[8] = ERROR_TTL;
	ip[9] = IPPROTO_ICMP;
	memcpy(ip + 12, k->instance->address4.addr.bytes + IP_V4_OFFSET / 8, 4);
	memcpy(ip + 16, to, 4);
	uint16_t sum = rte_ipv4_cksum((const struct rte_ipv4_hdr *)ip);
	memcpy(ip + 10, &sum, 2);
	sum = (uint16_t)~rte_raw_cksum(ip + 20, len - 20U);
	memcpy(ip + 22, &sum, 2);
}

static void write_error6(uint8_t *ip, const struct pkt *k, const uint8_t *to, uint16_t len)
{
	memset(ip, 0, 40);
	ip[0] = 0x60;
	ip[4] = (uint8_t)((len - 40) >> 8);
	ip[5] = (uint8_t)(len - 40);
	ip[6] = IPPROTO_ICMPV6;
	ip[7] = ERROR_TTL;
	memcpy(ip + 8, k->instance->address6.addr.bytes, 16);
	memcpy(ip + 24, to, 16);
	uint16_t sum = rte_ipv6_udptcp_cksum((const struct rte_ipv6_hdr *)ip, ip + 40);
	memcpy(ip + 42, &sum, 2);
}

static void answer(struct path *p, struct rte_mbuf *m)
{
	struct pkt *k = pkt_of(m);
	uint8_t to[16];
	uint16_t header = k->inner_v6 ? 40 : 20, quote_max = k->inner_v6 ? QUOTE_MAX6 : QUOTE_MAX4;
	memcpy(to, rte_pktmbuf_mtod(m, uint8_t *) + (k->inner_v6 ? 8 : 12), k->inner_v6 ? 16 : 4);
	if (k->inner_len > quote_max)
		rte_pktmbuf_trim(m, (uint16_t)(k->inner_len - quote_max));
	uint8_t *ip = (uint8_t *)rte_pktmbuf_prepend(m, (uint16_t)(header + ICMP_HEADER_LEN));
	if (ip == NULL) {
		path_drop(p, m, COUNTER_DROP_NO_HEADROOM);
		return;
	}
	k->inner_len = m->data_len;
	write_icmp(ip + header, k, k->instance->mtu);
	if (k->inner_v6)
		write_error6(ip, k, to, k->inner_len);
	else
		write_error4(ip, k, to, k->inner_len);
	counter_add(p->counters, COUNTER_ICMP_ERRORS_SENT, 1);
	k->to = k->from;
	path_push(p, output_stage(k->to), m);
}

void icmp_error(struct path *p, struct vector *in)
{
	for (uint16_t n = 0; n < in->count; n++)
		answer(p, in->packet[n]);
}
