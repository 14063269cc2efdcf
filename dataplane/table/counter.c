// SPDX-License-Identifier: Apache-2.0
#include "dataplane/table/counter.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[COUNTER__COUNT] = {
	[COUNTER_RX_PACKETS] = "rx_packets",
	[COUNTER_RX_BYTES] = "rx_bytes",
	[COUNTER_TX_PACKETS] = "tx_packets",
	[COUNTER_TX_BYTES] = "tx_bytes",
	[COUNTER_FORWARDED_PACKETS] = "forwarded_packets",
	[COUNTER_PUNTED_PACKETS] = "punted_packets",
	[COUNTER_HANDED_OVER_PACKETS] = "handed_over_packets",
	[COUNTER_REASSEMBLED_DATAGRAMS] = "reassembled_datagrams",
	[COUNTER_FRAGMENTED_DATAGRAMS] = "fragmented_datagrams",
	[COUNTER_KEEPALIVES_RECEIVED] = "keepalives_received",
	[COUNTER_ECHO_REPLIES] = "echo_replies",
	[COUNTER_ICMP_ERRORS_SENT] = "icmp_errors_sent",
	[COUNTER_HANDSHAKE_INITIATIONS_RECEIVED] = "handshake_initiations_received",
	[COUNTER_HANDSHAKE_INITIATIONS_SENT] = "handshake_initiations_sent",
	[COUNTER_HANDSHAKE_RESPONSES_RECEIVED] = "handshake_responses_received",
	[COUNTER_HANDSHAKE_RESPONSES_SENT] = "handshake_responses_sent",
	[COUNTER_HANDSHAKES_COMPLETED] = "handshakes_completed",
	[COUNTER_COOKIE_REPLIES_SENT] = "cookie_replies_sent",
	[COUNTER_COOKIE_REPLIES_RECEIVED] = "cookie_replies_received",
	[COUNTER_OVPN_PINGS_RECEIVED] = "ovpn_pings_received",
	[COUNTER_OVPN_CONTROL_RECEIVED] = "ovpn_control_received",
	[COUNTER_OVPN_CONTROL_SENT] = "ovpn_control_sent",
	[COUNTER_OVPN_RESETS_ANSWERED] = "ovpn_resets_answered",
	[COUNTER_OVPN_SESSIONS_UP] = "ovpn_sessions_up",
	[COUNTER_OVPN_STREAMS_ACCEPTED] = "ovpn_streams_accepted",
	[COUNTER_OVPN_STREAMS_REFUSED] = "ovpn_streams_refused",
	[COUNTER_OVPN_STREAMS_STALLED] = "ovpn_streams_stalled",
	[COUNTER_CAPTURE_LOST] = "capture_lost",
	[COUNTER_DROP_FRAME_SHORT] = "drop_frame_short",
	[COUNTER_DROP_FRAME_OWN] = "drop_frame_own",
	[COUNTER_DROP_FRAME_NOT_OURS] = "drop_frame_not_ours",
	[COUNTER_DROP_FRAME_TRUNCATED] = "drop_frame_truncated",
	[COUNTER_DROP_OUTER_MALFORMED] = "drop_outer_malformed",
	[COUNTER_DROP_OUTER_CHECKSUM] = "drop_outer_checksum",
	[COUNTER_DROP_OUTER_SOURCE] = "drop_outer_source",
	[COUNTER_DROP_FRAGMENT_MALFORMED] = "drop_fragment_malformed",
	[COUNTER_DROP_FRAGMENT_DUPLICATE] = "drop_fragment_duplicate",
	[COUNTER_DROP_FRAGMENT_OVERLAP] = "drop_fragment_overlap",
	[COUNTER_DROP_FRAGMENT_TOO_LARGE] = "drop_fragment_too_large",
	[COUNTER_DROP_FRAGMENT_TIMEOUT] = "drop_fragment_timeout",
	[COUNTER_DROP_FRAGMENT_CROWDED] = "drop_fragment_crowded",
	[COUNTER_DROP_ECN] = "drop_ecn",
	[COUNTER_DROP_WG_TYPE] = "drop_wg_type",
	[COUNTER_DROP_WG_LENGTH] = "drop_wg_length",
	[COUNTER_DROP_WG_UNKNOWN_INDEX] = "drop_wg_unknown_index",
	[COUNTER_DROP_WG_KEY_EXPIRED] = "drop_wg_key_expired",
	[COUNTER_DROP_WG_AUTH] = "drop_wg_auth",
	[COUNTER_DROP_WG_REPLAY] = "drop_wg_replay",
	[COUNTER_DROP_HANDSHAKE_MAC1] = "drop_handshake_mac1",
	[COUNTER_DROP_HANDSHAKE_MALFORMED] = "drop_handshake_malformed",
	[COUNTER_DROP_HANDSHAKE_UNKNOWN_PEER] = "drop_handshake_unknown_peer",
	[COUNTER_DROP_HANDSHAKE_OLD_TIMESTAMP] = "drop_handshake_old_timestamp",
	[COUNTER_DROP_HANDSHAKE_FLOOD] = "drop_handshake_flood",
	[COUNTER_DROP_HANDSHAKE_RESPONSE] = "drop_handshake_response",
	[COUNTER_DROP_HANDSHAKE_UNDER_LOAD] = "drop_handshake_under_load",
	[COUNTER_DROP_HANDSHAKE_OPENVPN] = "drop_handshake_openvpn",
	[COUNTER_DROP_COOKIE_REPLY] = "drop_cookie_reply",
	[COUNTER_DROP_OVPN_OPCODE] = "drop_ovpn_opcode",
	[COUNTER_DROP_OVPN_LENGTH] = "drop_ovpn_length",
	[COUNTER_DROP_OVPN_UNKNOWN_PEER] = "drop_ovpn_unknown_peer",
	[COUNTER_DROP_OVPN_UNKNOWN_KEY] = "drop_ovpn_unknown_key",
	[COUNTER_DROP_OVPN_AUTH] = "drop_ovpn_auth",
	[COUNTER_DROP_OVPN_REPLAY] = "drop_ovpn_replay",
	[COUNTER_DROP_OVPN_PAYLOAD] = "drop_ovpn_payload",
	[COUNTER_DROP_OVPN_UNWRAP] = "drop_ovpn_unwrap",
	[COUNTER_DROP_OVPN_START] = "drop_ovpn_start",
	[COUNTER_DROP_OVPN_CONTROL] = "drop_ovpn_control",
	[COUNTER_DROP_OVPN_FLOOD] = "drop_ovpn_flood",
	[COUNTER_DROP_INNER_MALFORMED] = "drop_inner_malformed",
	[COUNTER_DROP_SPOOFED_SOURCE] = "drop_spoofed_source",
	[COUNTER_DROP_NO_ROUTE] = "drop_no_route",
	[COUNTER_DROP_ROUTE_DROP] = "drop_route_drop",
	[COUNTER_DROP_ROUTE_BACK] = "drop_route_back",
	[COUNTER_DROP_RECURSIVE] = "drop_recursive",
	[COUNTER_DROP_INNER_DESTINATION] = "drop_inner_destination",
	[COUNTER_DROP_TTL] = "drop_ttl",
	[COUNTER_DROP_MTU] = "drop_mtu",
	[COUNTER_DROP_ACCESS_SITE_TO_SITE] = "drop_access_site_to_site",
	[COUNTER_DROP_ACCESS_CLIENT_TO_SITE] = "drop_access_client_to_site",
	[COUNTER_DROP_ACCESS_CLIENT_TO_CLIENT] = "drop_access_client_to_client",
	[COUNTER_DROP_ACCESS_INTERNET] = "drop_access_internet",
	[COUNTER_DROP_ACCESS_DESTINATION] = "drop_access_destination",
	[COUNTER_DROP_PEER_EXPIRED] = "drop_peer_expired",
	[COUNTER_DROP_NO_KEY] = "drop_no_key",
	[COUNTER_DROP_STAGED_FULL] = "drop_staged_full",
	[COUNTER_DROP_NO_ENDPOINT] = "drop_no_endpoint",
	[COUNTER_DROP_NEIGHBOUR_MISSING] = "drop_neighbour_missing",
	[COUNTER_DROP_NO_HEADROOM] = "drop_no_headroom",
	[COUNTER_DROP_NO_DEVICE] = "drop_no_device",
	[COUNTER_DROP_NO_BUFFER] = "drop_no_buffer",
	[COUNTER_DROP_HANDOFF_FULL] = "drop_handoff_full",
	[COUNTER_DROP_KEYING_FULL] = "drop_keying_full",
	[COUNTER_DROP_STREAM_FULL] = "drop_stream_full",
	[COUNTER_DROP_HOST_FULL] = "drop_host_full",
	[COUNTER_DROP_HOST_WRITE] = "drop_host_write",
	[COUNTER_DROP_INJECT_STALE] = "drop_inject_stale",
	[COUNTER_DROP_INJECT_FULL] = "drop_inject_full",
	[COUNTER_DROP_TX_FULL] = "drop_tx_full",
};

struct counters *counter_registry_add(struct counter_registry *r)
{
	if (r->blocks == COUNTER_MAX_THREADS)
		return NULL;
	struct counters *c = aligned_alloc(64, sizeof(*c));
	if (c == NULL)
		return NULL;
	memset(c, 0, sizeof(*c));
	r->block[r->blocks++] = c;
	return c;
}

void counter_registry_fini(struct counter_registry *r)
{
	while (r->blocks > 0)
		free(r->block[--r->blocks]);
}

uint64_t counter_registry_sum(const struct counter_registry *r, enum counter which)
{
	uint64_t sum = 0;
	for (unsigned int i = 0; i < r->blocks; i++)
		sum += atomic_load_explicit(&r->block[i]->value[which], memory_order_relaxed);
	return sum;
}

const char *counter_name(enum counter which)
{
	return names[which];
}
