// SPDX-License-Identifier: Apache-2.0
/*
 * The hub's own inner address: echo requests are answered here (RFC 792, RFC 4443 section 4.2),
 * so that "ping the hub" works without Linux; the rest goes to the host through the TUN.
 */
#include "dataplane/path/host_ring.h"
#include "dataplane/path/output.h"
#include "dataplane/path/path.h"
#include "dataplane/table/instance.h"

#include <netinet/in.h>
#include <string.h>

#include <rte_ip.h>

enum {
	ICMP_HEADER_LEN = 8,
	ICMP4_ECHO_REQUEST = 8,
	ICMP4_ECHO_REPLY = 0,
	ICMP6_ECHO_REQUEST_TYPE = 128,
	ICMP6_ECHO_REPLY_TYPE = 129,
	REPLY_TTL = 64,
};

static bool is_echo4(const uint8_t *ip, uint16_t len)
{
	uint16_t header = (uint16_t)((ip[0] & 0x0f) * 4);
	bool fragment = ((ip[6] << 8 | ip[7]) & 0x3fff) != 0;
	return ip[9] == IPPROTO_ICMP && !fragment && header == sizeof(struct rte_ipv4_hdr)
		&& len >= header + ICMP_HEADER_LEN && ip[header] == ICMP4_ECHO_REQUEST
		&& ip[header + 1] == 0;
}

static bool is_echo6(const uint8_t *ip, uint16_t len)
{
	return ip[6] == IPPROTO_ICMPV6 && len >= sizeof(struct rte_ipv6_hdr) + ICMP_HEADER_LEN
		&& ip[40] == ICMP6_ECHO_REQUEST_TYPE && ip[41] == 0;
}

static void swap_bytes(uint8_t *a, uint8_t *b, size_t len)
{
	uint8_t t[16];
	memcpy(t, a, len);
	memcpy(a, b, len);
	memcpy(b, t, len);
}

static void answer4(uint8_t *ip, uint16_t len)
{
	swap_bytes(ip + 12, ip + 16, 4);
	ip[8] = REPLY_TTL;
	memset(ip + 10, 0, 2);
	uint16_t sum = rte_ipv4_cksum((const struct rte_ipv4_hdr *)ip);
	memcpy(ip + 10, &sum, 2);
	uint8_t *icmp = ip + 20;
	icmp[0] = ICMP4_ECHO_REPLY;
	memset(icmp + 2, 0, 2);
	sum = (uint16_t)~rte_raw_cksum(icmp, len - 20U);
	memcpy(icmp + 2, &sum, 2);
}

static void answer6(uint8_t *ip)
{
	swap_bytes(ip + 8, ip + 24, 16);
	ip[7] = REPLY_TTL;
	uint8_t *icmp = ip + 40;
	icmp[0] = ICMP6_ECHO_REPLY_TYPE;
	memset(icmp + 2, 0, 2);
	uint16_t sum = rte_ipv6_udptcp_cksum((const struct rte_ipv6_hdr *)ip, icmp);
	memcpy(icmp + 2, &sum, 2);
}

void host(struct path *p, struct vector *in)
{
	for (uint16_t n = 0; n < in->count; n++) {
		struct rte_mbuf *m = in->packet[n];
		struct pkt *k = pkt_of(m);
		uint8_t *ip = rte_pktmbuf_mtod(m, uint8_t *);
		bool echo = k->inner_v6 ? is_echo6(ip, k->inner_len) : is_echo4(ip, k->inner_len);
		if (!echo) {
			k->handle = instance_handle(k->instance);
			host_ring_put(p, m, PKT_HOST_TUN);
			continue;
		}
		if (k->inner_v6)
			answer6(ip);
		else
			answer4(ip, k->inner_len);
		counter_add(p->counters, COUNTER_ECHO_REPLIES, 1);
		k->to = k->from;
		path_push(p, output_stage(k->to), m);
	}
}
