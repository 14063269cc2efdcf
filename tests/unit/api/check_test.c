// SPDX-License-Identifier: Apache-2.0
/*
 * What each check refuses: a good message with one thing wrong, and the reason that must come. The
 * good messages pass, so that it is the one thing that is refused. With --write-corpus FOLDER it
 * writes them all as inputs of tests/fuzz/fuzz_api_codec instead: after a change of a message.
 */
#include "dataplane/api/address.h"
#include "dataplane/api/capture.h"
#include "dataplane/api/counter.h"
#include "dataplane/api/event.h"
#include "dataplane/api/hello.h"
#include "dataplane/api/instance.h"
#include "dataplane/api/listener.h"
#include "dataplane/api/msg.h"
#include "dataplane/api/neighbour.h"
#include "dataplane/api/peer.h"
#include "dataplane/api/port.h"
#include "dataplane/api/push.h"
#include "dataplane/api/route.h"
#include "dataplane/api/sync.h"
#include "dataplane/api/underlay_route.h"
#include "tests/unit/api/sample.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Bytes at the field's start that make the message wrong. */
struct fault {
	enum dp_msg_type type;
	size_t offset;
	uint8_t bytes[40];
	size_t len;
	const char *reason;
};

#define AT(struct_name, field) offsetof(struct struct_name, field)
#define BYTES(...) {__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__})
#define ZERO(n) {0}, n
#define V4(...) 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, __VA_ARGS__
#define HOST_BITS "prefix has host bits or a wrong length"

static const struct fault request_faults[] = {
	{DP_MSG_HELLO, AT(dp_hello, boot_id), BYTES(1), "boot_id is not zero"},

	{DP_MSG_INSTANCE_SET, AT(dp_instance_set, id), ZERO(16), "id is zero"},
	{DP_MSG_INSTANCE_SET, AT(dp_instance_set, wireguard_private_key), ZERO(32),
		"wireguard_private_key is zero"},
	{DP_MSG_INSTANCE_SET, AT(dp_instance_set, number), ZERO(4), "number is not in 1..65535"},
	{DP_MSG_INSTANCE_SET, AT(dp_instance_set, number), BYTES(0, 0, 1, 0),
		"number is not in 1..65535"},
	{DP_MSG_INSTANCE_SET, AT(dp_instance_set, flags), BYTES(0x20), "unknown flags"},
	{DP_MSG_INSTANCE_SET, AT(dp_instance_set, wireguard_port), ZERO(2),
		"wireguard_port is zero"},
	{DP_MSG_INSTANCE_SET, AT(dp_instance_set, mtu), BYTES(0xff, 0x04),
		"mtu is not in 1280..9000"}, /* 1279 */
	{DP_MSG_INSTANCE_SET, AT(dp_instance_set, mtu), BYTES(0x29, 0x23),
		"mtu is not in 1280..9000"}, /* 9001 */
	{DP_MSG_INSTANCE_SET, AT(dp_instance_set, pad), BYTES(0, 1), "pad is not zero"},
	{DP_MSG_INSTANCE_SET, AT(dp_instance_set, address4), ZERO(34), "no address"},
	{DP_MSG_INSTANCE_SET, AT(dp_instance_set, address4), BYTES(V4(224, 0, 0, 1)),
		"address4 is not an IPv4 host address with a length"},
	{DP_MSG_INSTANCE_SET, AT(dp_instance_set, address4), BYTES(V4(127, 0, 0, 1)),
		"address4 is not an IPv4 host address with a length"},
	{DP_MSG_INSTANCE_SET, AT(dp_instance_set, address4), BYTES(V4(0, 0, 0, 0)),
		"address4 is not an IPv4 host address with a length"},
	{DP_MSG_INSTANCE_SET, AT(dp_instance_set, address4), BYTES(0xfd),
		"address4 is not an IPv4 host address with a length"},
	{DP_MSG_INSTANCE_SET, AT(dp_instance_set, address4.len), BYTES(96),
		"address4 is not an IPv4 host address with a length"},
	{DP_MSG_INSTANCE_SET, AT(dp_instance_set, address4.len), BYTES(129),
		"address4 is not an IPv4 host address with a length"},
	{DP_MSG_INSTANCE_SET, AT(dp_instance_set, address6), BYTES(V4(10, 0, 0, 1), 128),
		"address6 is not an IPv6 host address with a length"},
	{DP_MSG_INSTANCE_SET, AT(dp_instance_set, address6), BYTES(0xff),
		"address6 is not an IPv6 host address with a length"},
	{DP_MSG_INSTANCE_SET, AT(dp_instance_set, address6.len), BYTES(0),
		"address6 is not an IPv6 host address with a length"},
	{DP_MSG_INSTANCE_DEL, 0, ZERO(16), "id is zero"},

	{DP_MSG_PEER_SET, AT(dp_peer_set, id), ZERO(16), "id is zero"},
	{DP_MSG_PEER_SET, AT(dp_peer_set, instance), ZERO(16), "instance is zero"},
	{DP_MSG_PEER_SET, AT(dp_peer_set, type), BYTES(0), "unknown type"},
	{DP_MSG_PEER_SET, AT(dp_peer_set, type), BYTES(3), "unknown type"},
	{DP_MSG_PEER_SET, AT(dp_peer_set, route_all), BYTES(2), "route_all is not 0 or 1"},
	{DP_MSG_PEER_SET, AT(dp_peer_set, pad), BYTES(0, 1), "pad is not zero"},
	{DP_MSG_PEER_SET, AT(dp_peer_set, public_key), BYTES(1, 0, 0),
		"public_key is a point of small order"},
	{DP_MSG_PEER_SET, AT(dp_peer_set, public_key),
		BYTES(0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1,
			0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86,
			0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x80),
		"public_key is a point of small order"}, /* with the bit that X25519 ignores */
	{DP_MSG_PEER_SET, AT(dp_peer_set, has_preshared_key), BYTES(2),
		"has_preshared_key is not 0 or 1"},
	{DP_MSG_PEER_SET, AT(dp_peer_set, has_preshared_key), BYTES(0),
		"preshared_key without has_preshared_key"},
	{DP_MSG_PEER_SET, AT(dp_peer_set, preshared_key), ZERO(32), "preshared_key is zero"},
	{DP_MSG_PEER_SET, AT(dp_peer_set, endpoint.port), ZERO(2), "endpoint has no port"},
	{DP_MSG_PEER_SET, AT(dp_peer_set, endpoint), BYTES(V4(0, 0, 0, 0)),
		"endpoint is not the address of a host"},
	{DP_MSG_PEER_SET, AT(dp_peer_set, endpoint), ZERO(16),
		"endpoint is not the address of a host"},
	{DP_MSG_PEER_SET, AT(dp_peer_set, endpoint), BYTES(V4(239, 1, 1, 1)),
		"endpoint is not the address of a host"},
	{DP_MSG_PEER_SET, AT(dp_peer_set, endpoint), BYTES(0xff, 0x02),
		"endpoint is not the address of a host"},
	{DP_MSG_PEER_SET, AT(dp_peer_set, endpoint), BYTES(V4(255, 255, 255, 255)),
		"endpoint is not the address of a host"},
	{DP_MSG_PEER_SET, AT(dp_peer_set, endpoint), BYTES(V4(127, 0, 0, 1)),
		"endpoint is not the address of a host"},
	{DP_MSG_PEER_SET, AT(dp_peer_set, allowed_count), BYTES(65, 0), "allowed_count is over 64"},
	{DP_MSG_PEER_SET, AT(dp_peer_set, allowed_count), BYTES(0xfe, 0xff),
		"allowed_count is over 64"},
	{DP_MSG_PEER_SET, AT(dp_peer_set, allowed_count), BYTES(1, 0),
		"allowed_count does not fit the length"},
	{DP_MSG_PEER_SET, AT(dp_peer_set, allowed_count), BYTES(3, 0),
		"allowed_count does not fit the length"},
	{DP_MSG_PEER_SET, AT(dp_peer_set, allowed_count), BYTES(0xff, 0xff),
		"allowed_count does not fit the length"},
	{DP_MSG_PEER_SET, AT(dp_peer_set, allowed[1]) + 15, BYTES(1),
		"allowed has a prefix with host bits or a wrong length"},
	{DP_MSG_PEER_SET, AT(dp_peer_set, allowed[0]) + 16, BYTES(129),
		"allowed has a prefix with host bits or a wrong length"},
	{DP_MSG_PEER_SET, AT(dp_peer_set, has_openvpn), BYTES(2), "has_openvpn is not 0 or 1"},
	{DP_MSG_PEER_SET, AT(dp_peer_set, has_openvpn), BYTES(0), "openvpn without has_openvpn"},
	{DP_MSG_PEER_SET, AT(dp_peer_set, openvpn.username), BYTES(0x1b), "username is not a name"},
	{DP_MSG_PEER_SET, AT(dp_peer_set, openvpn.username) + 31, BYTES('x'),
		"username is not a name"},
	{DP_MSG_PEER_SET, AT(dp_peer_set, openvpn.username), ZERO(32),
		"username and password do not come together"},
	{DP_MSG_PEER_SET, AT(dp_peer_set, openvpn.password), ZERO(32),
		"username and password do not come together"},
	{DP_MSG_PEER_SET, AT(dp_peer_set, openvpn.address4), ZERO(32), "openvpn has no address"},
	{DP_MSG_PEER_SET, AT(dp_peer_set, openvpn.address4), BYTES(0xfd),
		"address4 is not one of IPv4"},
	{DP_MSG_PEER_SET, AT(dp_peer_set, openvpn.address6), BYTES(V4(10, 0, 0, 1)),
		"address6 is one of IPv4"},
	{DP_MSG_PEER_DEL, 0, ZERO(16), "id is zero"},
	{DP_MSG_PEER_RESET, 0, ZERO(16), "id is zero"},

	{DP_MSG_LISTENER_SET, AT(dp_listener_set, id), ZERO(16), "id or instance is zero"},
	{DP_MSG_LISTENER_SET, AT(dp_listener_set, instance), ZERO(16), "id or instance is zero"},
	{DP_MSG_LISTENER_SET, AT(dp_listener_set, port), ZERO(2), "port is zero"},
	{DP_MSG_LISTENER_SET, AT(dp_listener_set, pad), BYTES(0, 1), "pad is not zero"},
	{DP_MSG_LISTENER_SET, AT(dp_listener_set, transport), BYTES(0), "unknown transport"},
	{DP_MSG_LISTENER_SET, AT(dp_listener_set, transport), BYTES(DP_TRANSPORT__COUNT),
		"unknown transport"},
	{DP_MSG_LISTENER_SET, AT(dp_listener_set, wrap), BYTES(DP_WRAP__COUNT),
		"unknown wrap or wrap_digest"},
	{DP_MSG_LISTENER_SET, AT(dp_listener_set, wrap_digest), BYTES(DP_DIGEST__COUNT),
		"unknown wrap or wrap_digest"},
	{DP_MSG_LISTENER_SET, AT(dp_listener_set, wrap_key), ZERO(2), "wrap_key is zero"},
	{DP_MSG_LISTENER_SET, AT(dp_listener_set, wrap_key) + 128, BYTES(1),
		"wrap_key is longer than that of its mode"},
	{DP_MSG_LISTENER_SET, AT(dp_listener_set, wrap), BYTES(DP_WRAP_NONE),
		"wrap_key is longer than that of its mode"},
	{DP_MSG_LISTENER_SET, AT(dp_listener_set, tls_minimum), BYTES(DP_TLS__COUNT),
		"unknown tls_minimum or security_level"},
	{DP_MSG_LISTENER_SET, AT(dp_listener_set, security_level), BYTES(6),
		"unknown tls_minimum or security_level"},
	{DP_MSG_LISTENER_SET, AT(dp_listener_set, flags), BYTES(0),
		"flags ask for nothing, or are unknown"},
	{DP_MSG_LISTENER_SET, AT(dp_listener_set, flags), BYTES(4),
		"flags ask for nothing, or are unknown"},
	{DP_MSG_LISTENER_SET, AT(dp_listener_set, cipher), BYTES(0), "no cipher"},
	{DP_MSG_LISTENER_SET, AT(dp_listener_set, cipher), BYTES(DP_CIPHER__COUNT),
		"a cipher is unknown, or named twice"},
	{DP_MSG_LISTENER_SET, AT(dp_listener_set, cipher), BYTES(1, 1),
		"a cipher is unknown, or named twice"},
	{DP_MSG_LISTENER_SET, AT(dp_listener_set, cipher) + 7, BYTES(1),
		"a cipher behind the last one"},
	{DP_MSG_LISTENER_SET, AT(dp_listener_set, ca_len), BYTES(4),
		"the lengths of pem do not fit that of the message"},
	{DP_MSG_LISTENER_SET, AT(dp_listener_set, private_key_len), BYTES(3),
		"the lengths of pem do not fit that of the message"},
	{DP_MSG_LISTENER_SET, AT(dp_listener_set, ca_len), BYTES(4, 0, 5),
		"a text of pem does not end with its NUL"},
	{DP_MSG_LISTENER_SET, AT(dp_listener_set, ca_len), BYTES(1, 0, 8),
		"a text of pem does not end with its NUL"},
	{DP_MSG_LISTENER_SET, AT(dp_listener_set, ca_len), BYTES(0, 0, 9),
		"a text of pem does not end with its NUL"},
	{DP_MSG_LISTENER_SET, AT(dp_listener_set, pem), BYTES(0),
		"a text of pem does not end with its NUL"},
	{DP_MSG_LISTENER_SET, AT(dp_listener_set, pem) + 12, BYTES('x'),
		"a text of pem does not end with its NUL"},
	{DP_MSG_LISTENER_DEL, 0, ZERO(16), "id is zero"},
	{DP_MSG_LISTENER_SOCKET_SET, 0, ZERO(16), "id is zero"},

	{DP_MSG_PUSH_SET, AT(dp_push_set, instance), ZERO(16), "instance is zero"},
	{DP_MSG_PUSH_SET, AT(dp_push_set, pad), BYTES(0, 0, 0, 0, 0, 1), "pad is not zero"},
	{DP_MSG_PUSH_SET, AT(dp_push_set, route_count), BYTES(1),
		"route_count does not fit the length"},
	{DP_MSG_PUSH_SET, AT(dp_push_set, route_count), BYTES(3),
		"route_count does not fit the length"},
	{DP_MSG_PUSH_SET, AT(dp_push_set, route_count), BYTES(1, 2),
		"route_count does not fit the length"},
	{DP_MSG_PUSH_SET, AT(dp_push_set, route[1]) + 15, BYTES(1),
		"route has a prefix with host bits or a wrong length"},
	{DP_MSG_PUSH_SET, AT(dp_push_set, route[0]) + 16, BYTES(129),
		"route has a prefix with host bits or a wrong length"},
	{DP_MSG_PUSH_SET, AT(dp_push_set, dns[0]), ZERO(16),
		"dns is not the address of a host, or not the next one"},
	{DP_MSG_PUSH_SET, AT(dp_push_set, dns[1]), BYTES(0xff),
		"dns is not the address of a host, or not the next one"},
	{DP_MSG_PUSH_SET, AT(dp_push_set, dns[3]), BYTES(0xfd),
		"dns is not the address of a host, or not the next one"},
	{DP_MSG_PUSH_SET, AT(dp_push_set, domain[0]), ZERO(13),
		"domain is not a name, or not the next one"},
	{DP_MSG_PUSH_SET, AT(dp_push_set, domain[1]), BYTES('a', '\n'),
		"domain is not a name, or not the next one"},
	{DP_MSG_PUSH_SET, AT(dp_push_set, domain[1]) + 127, BYTES('x'),
		"domain is not a name, or not the next one"},
	{DP_MSG_PUSH_SET, AT(dp_push_set, domain[3]), BYTES('x'),
		"domain is not a name, or not the next one"},

	{DP_MSG_ROUTE_SET, AT(dp_route_set, instance), ZERO(16), "instance is zero"},
	{DP_MSG_ROUTE_SET, AT(dp_route_set, peer), ZERO(16), "peer and target do not fit"},
	{DP_MSG_ROUTE_SET, AT(dp_route_set, target), BYTES(DP_ROUTE_DROP),
		"peer and target do not fit"},
	{DP_MSG_ROUTE_SET, AT(dp_route_set, target), BYTES(0), "unknown target"},
	{DP_MSG_ROUTE_SET, AT(dp_route_set, target), BYTES(DP_ROUTE__COUNT), "unknown target"},
	{DP_MSG_ROUTE_SET, AT(dp_route_set, prefix.len), BYTES(120), HOST_BITS},
	{DP_MSG_ROUTE_SET, AT(dp_route_set, prefix.len), BYTES(129), HOST_BITS},
	{DP_MSG_ROUTE_SET, AT(dp_route_set, prefix), BYTES(V4(224, 0, 0, 5)),
		"prefix is multicast"},
	{DP_MSG_ROUTE_DEL, AT(dp_route_del, instance), ZERO(16), "instance is zero"},
	{DP_MSG_ROUTE_DEL, AT(dp_route_del, prefix), BYTES(1), HOST_BITS},

	{DP_MSG_TAP_SET, AT(dp_tap_set, port), BYTES(64, 0), "port is over 63"},
	{DP_MSG_TAP_SET, AT(dp_tap_set, pad), BYTES(0, 0, 0, 0, 0, 1), "pad is not zero"},
	{DP_MSG_TUN_SET, 0, ZERO(16), "instance is zero"},
	{DP_MSG_UAPI_SET, 0, ZERO(16), "instance is zero"},
	{DP_MSG_MANAGEMENT_SET, 0, ZERO(16), "instance is zero"},

	{DP_MSG_ADDRESS_SET, AT(dp_address_set, pad), BYTES(1), "pad is not zero"},
	{DP_MSG_ADDRESS_SET, AT(dp_address_set, port), BYTES(64, 0), "port is over 63"},
	{DP_MSG_ADDRESS_SET, AT(dp_address_set, prefix), BYTES(V4(127, 0, 0, 1)),
		"prefix is not the address of a host with a length"},
	{DP_MSG_ADDRESS_SET, AT(dp_address_set, prefix), ZERO(16),
		"prefix is not the address of a host with a length"},

	{DP_MSG_CAPTURE_SET, AT(dp_capture_set, peer), ZERO(16), "peer is zero"},
	{DP_MSG_CAPTURE_SET, AT(dp_capture_set, seconds), ZERO(4), "seconds is not 1 to 300"},
	{DP_MSG_CAPTURE_SET, AT(dp_capture_set, seconds), BYTES(0x2d, 1),
		"seconds is not 1 to 300"},
	{DP_MSG_CAPTURE_SET, AT(dp_capture_set, max_bytes), BYTES(0, 0, 0),
		"max_bytes is not 4096 to 16777216"},
	{DP_MSG_CAPTURE_SET, AT(dp_capture_set, max_bytes), BYTES(1, 0, 0, 1),
		"max_bytes is not 4096 to 16777216"},
	{DP_MSG_CAPTURE_SET, AT(dp_capture_set, side), BYTES(0), "side is unknown"},
	{DP_MSG_CAPTURE_SET, AT(dp_capture_set, side), BYTES(3), "side is unknown"},
	{DP_MSG_CAPTURE_SET, AT(dp_capture_set, pad), BYTES(1), "pad is not zero"},

	{DP_MSG_NEIGHBOUR_SET, AT(dp_neighbour_set, pad), BYTES(1), "pad is not zero"},
	{DP_MSG_NEIGHBOUR_SET, AT(dp_neighbour_set, state), BYTES(0), "unknown state"},
	{DP_MSG_NEIGHBOUR_SET, AT(dp_neighbour_set, state), BYTES(3), "unknown state"},
	{DP_MSG_NEIGHBOUR_SET, AT(dp_neighbour_set, state), BYTES(DP_NEIGHBOUR_FAILED),
		"failed neighbour with a mac"},
	{DP_MSG_NEIGHBOUR_SET, AT(dp_neighbour_set, mac), ZERO(6), "mac is zero or multicast"},
	{DP_MSG_NEIGHBOUR_SET, AT(dp_neighbour_set, mac), BYTES(0xff), "mac is zero or multicast"},
	{DP_MSG_NEIGHBOUR_SET, AT(dp_neighbour_set, port), BYTES(64, 0), "port is over 63"},
	{DP_MSG_NEIGHBOUR_SET, AT(dp_neighbour_set, addr), BYTES(V4(224, 0, 0, 1)),
		"addr is not the address of a host"},

	{DP_MSG_UNDERLAY_ROUTE_SET, AT(dp_underlay_route_set, pad), BYTES(1), "pad is not zero"},
	{DP_MSG_UNDERLAY_ROUTE_SET, AT(dp_underlay_route_set, port), BYTES(64, 0),
		"port is over 63"},
	{DP_MSG_UNDERLAY_ROUTE_SET, AT(dp_underlay_route_set, prefix) + 15, BYTES(1), HOST_BITS},
	{DP_MSG_UNDERLAY_ROUTE_SET, AT(dp_underlay_route_set, prefix), BYTES(V4(224, 0, 0, 0), 100),
		"prefix is multicast"},
	{DP_MSG_UNDERLAY_ROUTE_SET, AT(dp_underlay_route_set, gateway), BYTES(V4(224, 0, 0, 1)),
		"gateway is not the address of a host"},
	{DP_MSG_UNDERLAY_ROUTE_SET, AT(dp_underlay_route_set, gateway), BYTES(0xfd, 0),
		"gateway is of another family"},

	{DP_MSG_SYNC_BEGIN, AT(dp_sync_begin, epoch), ZERO(16), "epoch is zero"},
	{DP_MSG_SYNC_BEGIN, AT(dp_sync_begin, scope), BYTES(0), "unknown scope"},
	{DP_MSG_SYNC_BEGIN, AT(dp_sync_begin, scope), BYTES(3), "unknown scope"},
	{DP_MSG_SYNC_BEGIN, AT(dp_sync_begin, scope), BYTES(DP_SYNC_UNDERLAY),
		"the underlay has no epoch and generation"},
	{DP_MSG_SYNC_BEGIN, AT(dp_sync_begin, pad), BYTES(1), "pad is not zero"},
	{DP_MSG_SYNC_END, AT(dp_sync_end, scope), BYTES(0), "unknown scope"},
	{DP_MSG_SYNC_END, AT(dp_sync_end, allow_empty), BYTES(2), "allow_empty is not 0 or 1"},
	{DP_MSG_SYNC_END, AT(dp_sync_end, pad), BYTES(1), "pad is not zero"},
	{DP_MSG_GENERATION_SET, AT(dp_generation_set, epoch), ZERO(16), "epoch is zero"},
	{DP_MSG_GENERATION_SET, AT(dp_generation_set, generation), BYTES(6),
		"generation is before after"},
};

static const struct fault reply_faults[] = {
	{DP_MSG_HELLO, AT(dp_hello, boot_id), ZERO(16), "boot_id is zero"},
	{DP_MSG_INSTANCE_LIST, AT(dp_instance, id), ZERO(16), "id is zero"},
	{DP_MSG_INSTANCE_LIST, AT(dp_instance, has_uapi), BYTES(2),
		"has_tun, has_uapi or has_management is not 0 or 1"},
	{DP_MSG_INSTANCE_LIST, AT(dp_instance, has_management), BYTES(2),
		"has_tun, has_uapi or has_management is not 0 or 1"},
	{DP_MSG_INSTANCE_LIST, AT(dp_instance, pad), BYTES(0, 1), "pad is not zero"},
	{DP_MSG_PEER_LIST, AT(dp_peer, id), ZERO(16), "id or instance is zero"},
	{DP_MSG_PEER_LIST, AT(dp_peer, type), BYTES(9), "unknown type, or route_all is not 0 or 1"},
	{DP_MSG_PEER_LIST, AT(dp_peer, pad), BYTES(1), "pad is not zero"},
	{DP_MSG_PEER_LIST, AT(dp_peer, allowed_count), BYTES(2, 0),
		"allowed_count does not fit the length"},
	{DP_MSG_PEER_STATS_LIST, AT(dp_peer_stats, instance), ZERO(16), "id or instance is zero"},
	{DP_MSG_PEER_STATS_LIST, AT(dp_peer_stats, last_failure), BYTES(DP_FAILURE__COUNT),
		"unknown last_failure or protocol"},
	{DP_MSG_PEER_STATS_LIST, AT(dp_peer_stats, protocol), BYTES(DP_PROTOCOL__COUNT),
		"unknown last_failure or protocol"},
	{DP_MSG_ROUTE_LIST, AT(dp_route_set, target), BYTES(0), "unknown target"},
	{DP_MSG_LISTENER_LIST, AT(dp_listener, id), ZERO(16), "id or instance is zero"},
	{DP_MSG_LISTENER_LIST, AT(dp_listener, instance), ZERO(16), "id or instance is zero"},
	{DP_MSG_LISTENER_LIST, AT(dp_listener, transport), BYTES(0),
		"unknown transport, wrap or has_socket"},
	{DP_MSG_LISTENER_LIST, AT(dp_listener, wrap), BYTES(DP_WRAP__COUNT),
		"unknown transport, wrap or has_socket"},
	{DP_MSG_LISTENER_LIST, AT(dp_listener, has_socket), BYTES(2),
		"unknown transport, wrap or has_socket"},
	{DP_MSG_LISTENER_LIST, AT(dp_listener, pad), BYTES(0, 1), "pad is not zero"},
	{DP_MSG_PORT_LIST, AT(dp_port, name), ZERO(4), "name is not a name"},
	{DP_MSG_PORT_LIST, AT(dp_port, name), BYTES('a', '\n'), "name is not a name"},
	{DP_MSG_PORT_LIST, AT(dp_port, name) + 31, BYTES('x'), "name is not a name"},
	{DP_MSG_PORT_LIST, AT(dp_port, id), BYTES(64), "id is over 63"},
	{DP_MSG_PORT_LIST, AT(dp_port, has_tap), BYTES(2), "link_up or has_tap is not 0 or 1"},
	{DP_MSG_SYNC_STATE, AT(dp_sync_state, epoch), ZERO(16), "generation without epoch"},
	{DP_MSG_COUNTER_LIST, AT(dp_counter, name), BYTES(0x1b), "name is not a name"},
	{DP_MSG_EVENT, AT(dp_event, type), BYTES(0), "unknown type"},
	{DP_MSG_EVENT, AT(dp_event, failure), BYTES(DP_FAILURE__COUNT), "unknown failure"},
	{DP_MSG_EVENT, AT(dp_event, protocol), BYTES(3), "unknown protocol, or pad is not zero"},
	{DP_MSG_EVENT, AT(dp_event, pad), BYTES(1), "unknown protocol, or pad is not zero"},
};

static int check_request(
	enum dp_msg_type type, const uint8_t *payload, size_t len, const char **reason)
{
	struct dp_header h = {.type = (uint16_t)type, .payload_len = (uint32_t)len};
	const struct dp_msg_rule *rule = dp_msg_rule_find(h.type);
	return dp_request_check(&h, payload, rule->takes_file ? 1 : 0, reason);
}

static int check_reply(
	enum dp_msg_type type, const uint8_t *payload, size_t len, const char **reason)
{
	const struct dp_msg_rule *rule = dp_msg_rule_find((uint16_t)type);
	struct dp_header h = {.type = (uint16_t)type, .payload_len = (uint32_t)len};
	h.flags =
		rule->is_event ? DP_FLAG_EVENT : DP_FLAG_REPLY | (rule->is_list ? 0 : DP_FLAG_DONE);
	return dp_reply_check(&h, payload, reason);
}

static void test_requests_refused(void **state)
{
	static uint8_t buf[DP_PAYLOAD_MAX];
	for (size_t i = 0; i < sizeof(request_faults) / sizeof(request_faults[0]); i++) {
		const struct fault *f = &request_faults[i];
		const char *reason = "not refused";
		size_t len = sample_request(f->type, buf);
		assert_int_equal(check_request(f->type, buf, len, &reason), 0);
		memcpy(buf + f->offset, f->bytes, f->len);
		int err = check_request(f->type, buf, len, &reason);
		assert_string_equal(reason, f->reason);
		assert_int_equal(err, -EINVAL);
	}
}

static void test_replies_refused(void **state)
{
	static uint8_t buf[DP_PAYLOAD_MAX];
	for (size_t i = 0; i < sizeof(reply_faults) / sizeof(reply_faults[0]); i++) {
		const struct fault *f = &reply_faults[i];
		const char *reason = "not refused";
		size_t len = sample_reply(f->type, buf);
		assert_int_equal(check_reply(f->type, buf, len, &reason), 0);
		memcpy(buf + f->offset, f->bytes, f->len);
		int err = check_reply(f->type, buf, len, &reason);
		assert_string_equal(reason, f->reason);
		assert_int_equal(err, -EINVAL);
	}
}

/* The edges that must pass. */
static void test_good_edges(void **state)
{
	const char *reason = "";
	struct dp_peer_set peer = {0};
	uint8_t buf[sizeof(peer)];
	size_t len = sample_request(DP_MSG_PEER_SET, buf);
	memcpy(&peer, buf, len);
	peer.allowed_count = DP_ALLOWED_ALL;
	assert_int_equal(dp_peer_set_size(&peer), offsetof(struct dp_peer_set, allowed));
	memcpy(buf, &peer, sizeof(peer));
	assert_int_equal(check_request(DP_MSG_PEER_SET, buf, dp_peer_set_size(&peer), &reason), 0);

	peer.allowed_count = DP_ALLOWED_MAX;
	for (unsigned int i = 0; i < DP_ALLOWED_MAX; i++)
		peer.allowed[i] = peer.allowed[0];
	memset(&peer.endpoint, 0, sizeof(peer.endpoint));
	memset(&peer.preshared_key, 0, sizeof(peer.preshared_key));
	peer.has_preshared_key = 0;
	assert_int_equal(dp_peer_set_size(&peer), sizeof(peer));
	memcpy(buf, &peer, sizeof(peer));
	assert_int_equal(check_request(DP_MSG_PEER_SET, buf, sizeof(peer), &reason), 0);

	struct dp_instance_set instance;
	len = sample_request(DP_MSG_INSTANCE_SET, buf);
	memcpy(&instance, buf, len);
	memset(&instance.address4, 0, sizeof(instance.address4));
	instance.mtu = DP_MTU_MAX;
	instance.number = DP_INSTANCE_NUMBER_MAX;
	memcpy(buf, &instance, len);
	assert_int_equal(check_request(DP_MSG_INSTANCE_SET, buf, len, &reason), 0);

	struct dp_neighbour_set failed;
	len = sample_request(DP_MSG_NEIGHBOUR_SET, buf);
	memcpy(&failed, buf, len);
	memset(failed.mac, 0, sizeof(failed.mac));
	failed.state = DP_NEIGHBOUR_FAILED;
	memcpy(buf, &failed, len);
	assert_int_equal(check_request(DP_MSG_NEIGHBOUR_SET, buf, len, &reason), 0);
}

static const char *reason_of(enum dp_msg_type type, const void *payload, size_t len)
{
	const char *reason = "good";
	int r = check_request(type, payload, len, &reason);
	assert_int_equal(r, strcmp(reason, "good") == 0 ? 0 : -EINVAL);
	return reason;
}

/* A key, a certificate and a username in all their mixtures. */
static void test_peer_credentials(void **state)
{
	static struct dp_peer_set peer, m;
	size_t len = sample_request(DP_MSG_PEER_SET, (uint8_t *)&peer);
	for (unsigned int has = 0; has < 16; has++) {
		m = peer;
		m.has_openvpn = has & 1;
		if ((has & 1) == 0)
			memset(&m.openvpn, 0, sizeof(m.openvpn));
		if ((has & 2) == 0)
			memset(&m.public_key, 0, sizeof(m.public_key));
		if ((has & 4) == 0)
			memset(m.openvpn.certificate, 0, DP_SHA256_LEN);
		if ((has & 8) == 0)
			memset(m.openvpn.username, 0, offsetof(struct dp_openvpn, address4) - 32);
		const char *want = (has & 3) == 0 ? "public_key is zero"
			: (has & 13) == 1	  ? "openvpn has neither certificate nor username"
						  : "good";
		assert_string_equal(reason_of(DP_MSG_PEER_SET, &m, len), want);
	}
}

/* The longest texts, every wrap with a key of its length, and none. */
static void test_listener_edges(void **state)
{
	static const size_t key_len[DP_WRAP__COUNT] = {0, 256, 256, 128};
	static struct dp_listener_set m;
	sample_request(DP_MSG_LISTENER_SET, (uint8_t *)&m);
	m.ca_len = DP_PEM_MAX - 4;
	m.certificate_len = m.private_key_len = 2;
	memset(m.pem, 'x', sizeof(m.pem));
	m.pem[m.ca_len - 1] = m.pem[m.ca_len + 1] = m.pem[DP_PEM_MAX - 1] = '\0';
	for (unsigned int n = 0; n < DP_CIPHERS_MAX; n++)
		m.cipher[n] = n + 1U < DP_CIPHER__COUNT ? (uint8_t)(DP_CIPHER__COUNT - 1 - n) : 0;
	for (uint8_t wrap = 0; wrap < (uint8_t)DP_WRAP__COUNT; wrap++) {
		m.wrap = wrap;
		memset(m.wrap_key, 0, sizeof(m.wrap_key));
		if (key_len[wrap] > 0)
			m.wrap_key[key_len[wrap] - 1] = 1;
		assert_int_equal(dp_listener_set_size(&m), sizeof(m));
		assert_string_equal(reason_of(DP_MSG_LISTENER_SET, &m, sizeof(m)), "good");
	}
}

static void test_push_edges(void **state)
{
	static struct dp_push_set m;
	sample_request(DP_MSG_PUSH_SET, (uint8_t *)&m);
	for (unsigned int n = 0; n < DP_PUSH_ROUTES_MAX; n++)
		m.route[n] = m.route[0];
	m.route_count = DP_PUSH_ROUTES_MAX;
	for (unsigned int n = 0; n < DP_PUSH_DNS_MAX; n++)
		m.dns[n] = m.dns[0];
	for (unsigned int n = 0; n < DP_PUSH_DOMAINS_MAX; n++)
		memset(m.domain[n], 'x', DP_PUSH_DOMAIN_LEN - 1);
	assert_string_equal(reason_of(DP_MSG_PUSH_SET, &m, sizeof(m)), "good");
	m = (struct dp_push_set){.instance = m.instance};
	assert_string_equal(reason_of(DP_MSG_PUSH_SET, &m, dp_push_set_size(&m)), "good");
}

static void test_failure_names(void **state)
{
	assert_string_equal(dp_failure_name(DP_FAILURE_NONE), "none");
	for (unsigned int f = 0; f < DP_FAILURE__COUNT; f++)
		assert_non_null(dp_failure_name((uint8_t)f));
	assert_null(dp_failure_name(DP_FAILURE__COUNT));
	assert_null(dp_failure_name(255));
}

static int write_input(
	const char *folder, const char *name, const struct dp_header *h, const uint8_t *payload)
{
	char path[512];
	uint8_t header[DP_HEADER_LEN];
	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *f = fopen(path, "we");
	if (f == NULL)
		return 1;
	dp_header_encode(h, header);
	(void)fwrite(header, sizeof(header), 1, f);
	(void)fwrite(payload, 1, h->payload_len, f);
	return fclose(f) == 0 ? 0 : 1;
}

static uint16_t reply_flags(const struct dp_msg_rule *rule)
{
	if (rule->is_event)
		return DP_FLAG_EVENT;
	return (uint16_t)(DP_FLAG_REPLY | (rule->is_list ? 0 : DP_FLAG_DONE));
}

static int write_samples(const char *folder)
{
	static uint8_t buf[DP_PAYLOAD_MAX];
	int bad = 0;
	for (uint16_t type = 1; type < (uint16_t)DP_MSG__COUNT; type++) {
		const struct dp_msg_rule *rule = dp_msg_rule_find(type);
		char name[64];
		struct dp_header h = {.type = type};
		h.payload_len = (uint32_t)sample_request(type, buf);
		(void)snprintf(name, sizeof(name), "request_%s", rule->name);
		bad |= write_input(folder, name, &h, buf);
		h.flags = reply_flags(rule);
		h.payload_len = (uint32_t)sample_reply(type, buf);
		(void)snprintf(name, sizeof(name), "reply_%s", rule->name);
		bad |= write_input(folder, name, &h, buf);
	}
	return bad;
}

static int write_faults(const char *folder, const struct fault *faults, size_t count, bool reply)
{
	static uint8_t buf[DP_PAYLOAD_MAX];
	int bad = 0;
	for (size_t i = 0; i < count; i++) {
		const struct fault *f = &faults[i];
		const struct dp_msg_rule *rule = dp_msg_rule_find((uint16_t)f->type);
		char name[64];
		struct dp_header h = {.type = (uint16_t)f->type};
		h.flags = reply ? reply_flags(rule) : 0;
		h.payload_len = (uint32_t)(reply ? sample_reply(f->type, buf)
						 : sample_request(f->type, buf));
		memcpy(buf + f->offset, f->bytes, f->len);
		(void)snprintf(name, sizeof(name), "%s_fault_%s_%zu", reply ? "reply" : "request",
			rule->name, i);
		bad |= write_input(folder, name, &h, buf);
	}
	return bad;
}

static int write_corpus(const char *folder)
{
	size_t requests = sizeof(request_faults) / sizeof(request_faults[0]);
	size_t replies = sizeof(reply_faults) / sizeof(reply_faults[0]);
	return write_samples(folder) | write_faults(folder, request_faults, requests, false)
		| write_faults(folder, reply_faults, replies, true);
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "--write-corpus") == 0)
		return write_corpus(argv[2]);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests_refused),
		cmocka_unit_test(test_replies_refused),
		cmocka_unit_test(test_good_edges),
		cmocka_unit_test(test_peer_credentials),
		cmocka_unit_test(test_listener_edges),
		cmocka_unit_test(test_push_edges),
		cmocka_unit_test(test_failure_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
