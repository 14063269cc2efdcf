// SPDX-License-Identifier: Apache-2.0
/*
 * May this peer send there? Decided for each packet from the two peers' types, the instance's
 * rules and the sender's list of allowed destinations, before anything is sealed. A split
 * client's internet-bound packet ends here, whatever its own routes say. There is no connection
 * state: client_to_site lets the way back through, and a peer's list binds what the peer sends.
 */
#include "dataplane/path/path.h"
#include "dataplane/table/instance.h"
#include "dataplane/table/peer.h"

#include <stdatomic.h>
#include <string.h>

/* RFC 1812 section 5.2.7.1: communication administratively prohibited; RFC 4443 section 3.1. */
static const struct icmp_reason prohibited = {3, 13, 1, 1};

/* 0 (COUNTER_RX_PACKETS is no refusal) when the instance's rules let it pass. */
static enum counter refused_by_rules(const struct pkt *k)
{
	uint32_t flags = atomic_load_explicit(&k->instance->flags, memory_order_relaxed);
	bool from_site = k->from->type == PEER_TYPE_SITE, to_site = k->to->type == PEER_TYPE_SITE;
	if (from_site && to_site)
		return flags & INSTANCE_SITE_TO_SITE ? 0 : COUNTER_DROP_ACCESS_SITE_TO_SITE;
	if (!from_site && !to_site)
		return flags & INSTANCE_CLIENT_TO_CLIENT ? 0 : COUNTER_DROP_ACCESS_CLIENT_TO_CLIENT;
	return flags & INSTANCE_CLIENT_TO_SITE ? 0 : COUNTER_DROP_ACCESS_CLIENT_TO_SITE;
}

/* A site may be the instance's way out: it is the internet all the same. */
static bool refused_by_split(const struct pkt *k)
{
	return k->by_default != 0 && k->from->type == PEER_TYPE_CLIENT
		&& atomic_load_explicit(&k->from->route_all, memory_order_relaxed) == 0;
}

static enum counter refused_to_internet(const struct pkt *k)
{
	uint32_t flags = atomic_load_explicit(&k->instance->flags, memory_order_relaxed);
	uint32_t needed = k->inner_v6 ? INSTANCE_EGRESS_V6 : INSTANCE_EGRESS_V4;
	bool may = atomic_load_explicit(&k->from->route_all, memory_order_relaxed) != 0;
	return may && (flags & needed) != 0 ? 0 : COUNTER_DROP_ACCESS_INTERNET;
}

static bool destination_allowed(const struct rte_mbuf *m, const struct pkt *k)
{
	const struct peer_allowed *a =
		atomic_load_explicit(&k->from->allowed, memory_order_acquire);
	if (a == NULL)
		return true;
	const uint8_t *ip = rte_pktmbuf_mtod(m, const uint8_t *);
	struct ip_addr to;
	if (k->inner_v6)
		memcpy(to.bytes, ip + 24, sizeof(to.bytes));
	else
		to = ip_addr_from_v4(ip + 16);
	for (unsigned int i = 0; i < a->count; i++) {
		if (ip_prefix_contains(&a->prefix[i], &to))
			return true;
	}
	return false;
}

static enum counter refusal(const struct rte_mbuf *m, const struct pkt *k)
{
	if (k->from == NULL)
		return 0; /* the host's own, and what comes back from the internet: nft saw it */
	enum counter reason = k->to != NULL ? refused_by_rules(k) : refused_to_internet(k);
	if (reason == 0 && k->to != NULL && refused_by_split(k))
		reason = COUNTER_DROP_ACCESS_INTERNET;
	if (reason == 0 && !destination_allowed(m, k))
		reason = COUNTER_DROP_ACCESS_DESTINATION;
	return reason;
}

void access_check(struct path *p, struct vector *in)
{
	for (uint16_t n = 0; n < in->count; n++) {
		struct rte_mbuf *m = in->packet[n];
		enum counter reason = refusal(m, pkt_of(m));
		if (reason == 0)
			path_push(p, STAGE_FORWARD, m);
		else
			path_refuse(p, m, reason, &prohibited);
	}
}
