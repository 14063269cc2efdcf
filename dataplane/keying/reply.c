// SPDX-License-Identifier: Apache-2.0
/*
 * Answers to whoever sent a handshake or a control packet, also before anybody knows who it is: the
 * headers of the packet turned round, so that no route or neighbour is asked for a stranger's sake.
 */
#include "dataplane/keying/keying_private.h"
#include "dataplane/table/underlay.h"

#include <string.h>

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_udp.h>

enum {
	HOP_LIMIT = 64,
};

static void turn_round_ipv4(const uint8_t *ip, struct reply_path *ret)
{
	struct rte_ipv4_hdr *to = (struct rte_ipv4_hdr *)(ret->header + RTE_ETHER_HDR_LEN);
	to->version_ihl = RTE_IPV4_VHL_DEF;
	to->fragment_offset = RTE_BE16(RTE_IPV4_HDR_DF_FLAG);
	to->time_to_live = HOP_LIMIT;
	to->next_proto_id = IPPROTO_UDP;
	memcpy(&to->src_addr, ip + 16, 4);
	memcpy(&to->dst_addr, ip + 12, 4);
	ret->header_len = RTE_ETHER_HDR_LEN + sizeof(*to) + sizeof(struct rte_udp_hdr);
}

static void turn_round_ipv6(const uint8_t *ip, struct reply_path *ret)
{
	struct rte_ipv6_hdr *to = (struct rte_ipv6_hdr *)(ret->header + RTE_ETHER_HDR_LEN);
	to->vtc_flow = RTE_BE32(6U << 28);
	to->proto = IPPROTO_UDP;
	to->hop_limits = HOP_LIMIT;
	memcpy(to->src_addr, ip + 24, 16);
	memcpy(to->dst_addr, ip + 8, 16);
	ret->header_len = RTE_ETHER_HDR_LEN + sizeof(*to) + sizeof(struct rte_udp_hdr);
}

void keying_reply_path(const struct keying *k, struct rte_mbuf *m, struct reply_path *ret)
{
	const struct pkt *meta = pkt_of(m);
	const uint8_t *frame = rte_pktmbuf_mtod(m, const uint8_t *);
	const struct rte_ether_hdr *eth = (const struct rte_ether_hdr *)frame;
	memset(ret, 0, sizeof(*ret));
	ret->port = meta->port;
	ret->is_v6 = meta->outer_v6;
	struct rte_ether_hdr *to = (struct rte_ether_hdr *)ret->header;
	to->dst_addr = eth->src_addr;
	memcpy(to->src_addr.addr_bytes, k->tables->port[meta->port].mac, RTE_ETHER_ADDR_LEN);
	to->ether_type = eth->ether_type;
	if (ret->is_v6)
		turn_round_ipv6(frame + RTE_ETHER_HDR_LEN, ret);
	else
		turn_round_ipv4(frame + RTE_ETHER_HDR_LEN, ret);
	const uint8_t *udp = frame + meta->outer_len - sizeof(struct rte_udp_hdr);
	memcpy(ret->header + ret->header_len - 8, udp + 2, 2);
	memcpy(ret->header + ret->header_len - 6, udp, 2);
}

bool keying_reply_path_to_endpoint(
	const struct keying *k, const struct endpoint *e, struct reply_path *ret)
{
	struct reply_path path = {.header_len = e->header_len, .is_v6 = e->is_v6 != 0};
	memcpy(path.header, e->header, sizeof(path.header));
	const struct port *port = underlay_adjacency_port(k->tables, e->adjacency, path.header);
	if (port == NULL)
		return false;
	path.port = (uint8_t)(port - k->tables->port);
	*ret = path;
	return true;
}

static void finish_headers(uint8_t *frame, const struct reply_path *path, size_t len)
{
	uint16_t udp_len = (uint16_t)(len + sizeof(struct rte_udp_hdr));
	struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(frame + path->header_len) - 1;
	udp->dgram_len = rte_cpu_to_be_16(udp_len);
	udp->dgram_cksum = 0;
	if (path->is_v6) {
		struct rte_ipv6_hdr *ip = (struct rte_ipv6_hdr *)(frame + RTE_ETHER_HDR_LEN);
		ip->payload_len = udp->dgram_len;
		udp->dgram_cksum = rte_ipv6_udptcp_cksum(ip, udp);
		return;
	}
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(frame + RTE_ETHER_HDR_LEN);
	ip->total_length = rte_cpu_to_be_16((uint16_t)(udp_len + sizeof(*ip)));
	ip->hdr_checksum = 0; /* an endpoint's template has one */
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	udp->dgram_cksum = rte_ipv4_udptcp_cksum(ip, udp);
}

bool keying_reply(
	struct keying *k, const struct reply_path *path, const uint8_t *payload, size_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(k->rings->pool);
	uint8_t *frame = NULL;
	if (m != NULL)
		frame = (uint8_t *)rte_pktmbuf_append(m, (uint16_t)(path->header_len + len));
	if (frame == NULL) {
		rte_pktmbuf_free(m);
		keying_count(k, COUNTER_DROP_NO_BUFFER);
		return false;
	}
	memcpy(frame, path->header, path->header_len);
	memcpy(frame + path->header_len, payload, len);
	finish_headers(frame, path, len);
	struct pkt *meta = pkt_of(m);
	memset(meta, 0, sizeof(*meta));
	meta->port = path->port;
	meta->inject = PKT_INJECT_TX;
	if (rings_inject_put(k->rings, port_queue_worker(path->port, 0, k->tables->workers), m))
		return true;
	keying_count(k, COUNTER_DROP_INJECT_FULL);
	rte_pktmbuf_free(m);
	return false;
}
