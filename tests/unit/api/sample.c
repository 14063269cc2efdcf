// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/api/sample.h"

#include "dataplane/api/address.h"
#include "dataplane/api/capture.h"
#include "dataplane/api/counter.h"
#include "dataplane/api/event.h"
#include "dataplane/api/hello.h"
#include "dataplane/api/instance.h"
#include "dataplane/api/listener.h"
#include "dataplane/api/neighbour.h"
#include "dataplane/api/peer.h"
#include "dataplane/api/port.h"
#include "dataplane/api/push.h"
#include "dataplane/api/route.h"
#include "dataplane/api/sync.h"
#include "dataplane/api/underlay_route.h"

#include <string.h>

static const struct uuid id_a = {{0xaa, 1, 2, 3}};
static const struct uuid id_b = {{0xbb, 1, 2, 3}};

/* IPv4 a.b.c.d/len with len as people write it. */
static struct ip_prefix v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint8_t len)
{
	return (struct ip_prefix){.addr = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d}},
		.len = (uint8_t)(IP_V4_OFFSET + len)};
}

static struct ip_prefix v6(uint8_t last, uint8_t len)
{
	return (struct ip_prefix){
		.addr = {{0xfd, 0x12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last}}, .len = len};
}

static size_t put(uint8_t *buf, const void *payload, size_t len)
{
	memcpy(buf, payload, len);
	return len;
}

static size_t put_peer_set(uint8_t *buf)
{
	struct dp_peer_set m = {
		.id = id_b,
		.instance = id_a,
		.public_key = {{9, 8, 7}},
		.preshared_key = {{5, 5}},
		.expires_at = 1900000000,
		.called_s = 1800000000,
		.endpoint = {v4(203, 0, 113, 5, 32).addr, 51820},
		.timestamp = {0x40},
		.keepalive_s = 25,
		.allowed_count = 2,
		.type = DP_PEER_CLIENT,
		.route_all = 1,
		.has_preshared_key = 1,
		.has_openvpn = 1,
		.openvpn = {.certificate = {0xce},
			.username = "amber-fox-7",
			.salt = {0x5a},
			.password = {0xfa},
			.address4 = v4(10, 200, 0, 2, 32).addr,
			.address6 = v6(2, 128).addr},
		.allowed = {v4(192, 168, 10, 0, 24), v6(0, 64)},
	};
	return put(buf, &m, dp_peer_set_size(&m));
}

static size_t put_peer(uint8_t *buf)
{
	struct dp_peer m = {
		.id = id_b,
		.instance = id_a,
		.public_key = {{9, 8, 7}},
		.allowed_count = 1,
		.type = DP_PEER_SITE,
		.allowed = {v4(192, 168, 10, 0, 24)},
	};
	return put(buf, &m, dp_peer_size(&m));
}

static size_t put_instance_set(uint8_t *buf)
{
	struct dp_instance_set m = {
		.id = id_a,
		.wireguard_private_key = {{1, 2, 3}},
		.number = 1,
		.flags = DP_INSTANCE_SITE_TO_SITE | DP_INSTANCE_EGRESS_V4,
		.wireguard_port = 51820,
		.mtu = 1420,
		.address4 = v4(10, 200, 0, 1, 20),
		.address6 = v6(1, 64),
	};
	return put(buf, &m, sizeof(m));
}

static size_t put_route_set(uint8_t *buf)
{
	struct dp_route_set m = {
		.instance = id_a,
		.peer = id_b,
		.prefix = v4(10, 200, 0, 2, 32),
		.target = DP_ROUTE_PEER,
	};
	return put(buf, &m, sizeof(m));
}

static size_t put_listener_set(uint8_t *buf)
{
	struct dp_listener_set m = {
		.id = id_b,
		.instance = id_a,
		.wrap_key = {0x11, 0x22},
		.renegotiate_s = 3600,
		.port = 1194,
		.transport = DP_TRANSPORT_UDP,
		.wrap = DP_WRAP_TLS_CRYPT_V2,
		.tls_minimum = DP_TLS_1_2,
		.security_level = 2,
		.flags = DP_LISTENER_CERTIFICATE,
		.cipher = {DP_CIPHER_AES_256_GCM, DP_CIPHER_AES_128_CBC},
		.ca_len = 3,
		.certificate_len = 6,
		.private_key_len = 4,
		.pem = "ca\0shown\0key",
	};
	return put(buf, &m, dp_listener_set_size(&m));
}

static size_t put_push_set(uint8_t *buf)
{
	struct dp_push_set m = {
		.instance = id_a,
		.dns = {v4(10, 200, 0, 1, 32).addr, v6(1, 128).addr},
		.domain = {"corp.example", "lab.example"},
		.route_count = 2,
		.route = {v4(192, 168, 10, 0, 24), v6(0, 64)},
	};
	return put(buf, &m, dp_push_set_size(&m));
}

static size_t put_address(uint8_t *buf)
{
	struct dp_address_set m = {.prefix = v4(203, 0, 113, 1, 24), .port = 0};
	return put(buf, &m, sizeof(m));
}

static size_t put_neighbour_set(uint8_t *buf)
{
	struct dp_neighbour_set m = {
		.addr = v4(203, 0, 113, 254, 32).addr,
		.mac = {2, 0, 0, 0, 0, 1},
		.state = DP_NEIGHBOUR_REACHABLE,
	};
	return put(buf, &m, sizeof(m));
}

static size_t put_underlay_route_set(uint8_t *buf)
{
	struct dp_underlay_route_set m = {
		.prefix = v4(0, 0, 0, 0, 0), .gateway = v4(203, 0, 113, 254, 32).addr};
	return put(buf, &m, sizeof(m));
}

static size_t put_sync_begin(uint8_t *buf)
{
	struct dp_sync_begin m = {.epoch = id_a, .generation = 7, .scope = DP_SYNC_DESIRED};
	return put(buf, &m, sizeof(m));
}

static size_t put_underlay_request(enum dp_msg_type type, uint8_t *buf)
{
	if (type == DP_MSG_ADDRESS_SET)
		return put_address(buf);
	if (type == DP_MSG_NEIGHBOUR_SET)
		return put_neighbour_set(buf);
	if (type == DP_MSG_UNDERLAY_ROUTE_SET)
		return put_underlay_route_set(buf);
	return 0;
}

static size_t put_sync_request(enum dp_msg_type type, uint8_t *buf)
{
	if (type == DP_MSG_SYNC_BEGIN)
		return put_sync_begin(buf);
	if (type == DP_MSG_SYNC_END) {
		struct dp_sync_end m = {.scope = DP_SYNC_DESIRED, .allow_empty = 1};
		return put(buf, &m, sizeof(m));
	}
	if (type == DP_MSG_GENERATION_SET) {
		struct dp_generation_set m = {.epoch = id_a, .after = 7, .generation = 9};
		return put(buf, &m, sizeof(m));
	}
	return put_underlay_request(type, buf);
}

static size_t put_openvpn_request(enum dp_msg_type type, uint8_t *buf)
{
	if (type == DP_MSG_LISTENER_SET)
		return put_listener_set(buf);
	if (type == DP_MSG_LISTENER_DEL || type == DP_MSG_LISTENER_SOCKET_SET)
		return put(buf, &id_b, sizeof(id_b));
	if (type == DP_MSG_PUSH_SET)
		return put_push_set(buf);
	return put_sync_request(type, buf);
}

size_t sample_request(enum dp_msg_type type, uint8_t *buf)
{
	if (type == DP_MSG_HELLO) {
		struct dp_hello m = {.version = DP_API_VERSION, .pid = 1};
		return put(buf, &m, sizeof(m));
	}
	if (type == DP_MSG_INSTANCE_SET)
		return put_instance_set(buf);
	if (type == DP_MSG_INSTANCE_DEL || type == DP_MSG_PEER_DEL || type == DP_MSG_PEER_RESET
		|| type == DP_MSG_PEER_LIST || type == DP_MSG_PEER_STATS_LIST
		|| type == DP_MSG_ROUTE_LIST || type == DP_MSG_TUN_SET || type == DP_MSG_UAPI_SET
		|| type == DP_MSG_MANAGEMENT_SET)
		return put(buf, &id_a, sizeof(id_a));
	if (type == DP_MSG_CAPTURE_SET) {
		struct dp_capture_set m = {
			.peer = id_b, .seconds = 30, .max_bytes = 65536, .side = DP_CAPTURE_INNER};
		return put(buf, &m, sizeof(m));
	}
	if (type == DP_MSG_PEER_SET)
		return put_peer_set(buf);
	if (type == DP_MSG_ROUTE_SET)
		return put_route_set(buf);
	if (type == DP_MSG_ROUTE_DEL) {
		struct dp_route_del m = {.instance = id_a, .prefix = v6(0, 0)};
		m.prefix.addr = (struct ip_addr){0};
		return put(buf, &m, sizeof(m));
	}
	if (type == DP_MSG_TAP_SET) {
		struct dp_tap_set m = {.port = 1};
		return put(buf, &m, sizeof(m));
	}
	return put_openvpn_request(type, buf);
}

static size_t put_stats(uint8_t *buf)
{
	struct dp_peer_stats m = {.id = id_b,
		.instance = id_a,
		.last_failure = DP_FAILURE_FLOOD,
		.protocol = DP_PROTOCOL_OPENVPN};
	return put(buf, &m, sizeof(m));
}

static size_t put_port(uint8_t *buf)
{
	struct dp_port m = {.name = "wan0", .mtu = 1500, .mac = {2}, .link_up = 1};
	return put(buf, &m, sizeof(m));
}

static size_t put_event(uint8_t *buf)
{
	struct dp_event m = {.type = DP_EVENT_HANDSHAKE_FAILED,
		.peer = id_b,
		.instance = id_a,
		.failure = DP_FAILURE_BAD_HANDSHAKE};
	return put(buf, &m, sizeof(m));
}

static size_t put_instance(uint8_t *buf)
{
	struct dp_instance m = {
		.id = id_a, .number = 1, .wireguard_port = 51820, .mtu = 1420, .has_tun = 1};
	return put(buf, &m, sizeof(m));
}

static size_t put_listener(uint8_t *buf)
{
	struct dp_listener m = {
		.id = id_b,
		.instance = id_a,
		.sessions = 3,
		.port = 1194,
		.transport = DP_TRANSPORT_TCP,
		.wrap = DP_WRAP_TLS_AUTH,
		.has_socket = 1,
	};
	return put(buf, &m, sizeof(m));
}

size_t sample_reply(enum dp_msg_type type, uint8_t *buf)
{
	if (type == DP_MSG_HELLO) {
		struct dp_hello m = {.version = DP_API_VERSION, .pid = 1, .boot_id = id_a};
		return put(buf, &m, sizeof(m));
	}
	if (type == DP_MSG_SYNC_STATE) {
		struct dp_sync_state m = {.epoch = id_a, .generation = 7};
		return put(buf, &m, sizeof(m));
	}
	if (type == DP_MSG_COUNTER_LIST) {
		struct dp_counter m = {.name = "drop_no_route", .value = 3};
		return put(buf, &m, sizeof(m));
	}
	if (type == DP_MSG_INSTANCE_LIST)
		return put_instance(buf);
	if (type == DP_MSG_PEER_LIST)
		return put_peer(buf);
	if (type == DP_MSG_PEER_STATS_LIST)
		return put_stats(buf);
	if (type == DP_MSG_ROUTE_LIST)
		return put_route_set(buf);
	if (type == DP_MSG_LISTENER_LIST)
		return put_listener(buf);
	if (type == DP_MSG_PORT_LIST)
		return put_port(buf);
	return type == DP_MSG_EVENT ? put_event(buf) : 0;
}
