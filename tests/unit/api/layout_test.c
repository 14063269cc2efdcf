// SPDX-License-Identifier: Apache-2.0
/*
 * The layout of every struct of the API as text, compared with tests/data/api.layout. After a
 * change: raise DP_API_VERSION and run this program with --write FILE, which refuses a file of the
 * same version that says something else.
 */
#include "dataplane/api/address.h"
#include "dataplane/api/capture.h"
#include "dataplane/api/counter.h"
#include "dataplane/api/event.h"
#include "dataplane/api/hello.h"
#include "dataplane/api/instance.h"
#include "dataplane/api/listener.h"
#include "dataplane/api/management.h"
#include "dataplane/api/msg.h"
#include "dataplane/api/neighbour.h"
#include "dataplane/api/peer.h"
#include "dataplane/api/port.h"
#include "dataplane/api/push.h"
#include "dataplane/api/route.h"
#include "dataplane/api/sync.h"
#include "dataplane/api/uapi.h"
#include "dataplane/api/underlay_route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FIELD(type, field)                                                                     \
	{                                                                                      \
#type, #field, offsetof(struct type, field), sizeof(((struct type *)0)->field) \
	}
#define SIZE(type)                                \
	{                                         \
#type, "", 0, sizeof(struct type) \
	}

static const struct line {
	const char *type, *field;
	size_t offset, size;
} lines[] = {
	SIZE(dp_header),
	FIELD(dp_header, type),
	FIELD(dp_header, flags),
	FIELD(dp_header, request_id),
	FIELD(dp_header, status),
	FIELD(dp_header, payload_len),
	SIZE(dp_hello),
	FIELD(dp_hello, version),
	FIELD(dp_hello, pid),
	FIELD(dp_hello, boot_id),
	SIZE(dp_instance_set),
	FIELD(dp_instance_set, id),
	FIELD(dp_instance_set, wireguard_private_key),
	FIELD(dp_instance_set, number),
	FIELD(dp_instance_set, flags),
	FIELD(dp_instance_set, wireguard_port),
	FIELD(dp_instance_set, mtu),
	FIELD(dp_instance_set, address4),
	FIELD(dp_instance_set, address6),
	FIELD(dp_instance_set, pad),
	SIZE(dp_instance_del),
	FIELD(dp_instance_del, id),
	SIZE(dp_instance),
	FIELD(dp_instance, id),
	FIELD(dp_instance, number),
	FIELD(dp_instance, flags),
	FIELD(dp_instance, wireguard_port),
	FIELD(dp_instance, mtu),
	FIELD(dp_instance, address4),
	FIELD(dp_instance, address6),
	FIELD(dp_instance, has_tun),
	FIELD(dp_instance, has_uapi),
	FIELD(dp_instance, has_management),
	FIELD(dp_instance, pad),
	SIZE(dp_openvpn),
	FIELD(dp_openvpn, certificate),
	FIELD(dp_openvpn, username),
	FIELD(dp_openvpn, salt),
	FIELD(dp_openvpn, password),
	FIELD(dp_openvpn, address4),
	FIELD(dp_openvpn, address6),
	SIZE(dp_peer_set),
	FIELD(dp_peer_set, id),
	FIELD(dp_peer_set, instance),
	FIELD(dp_peer_set, public_key),
	FIELD(dp_peer_set, preshared_key),
	FIELD(dp_peer_set, expires_at),
	FIELD(dp_peer_set, called_s),
	FIELD(dp_peer_set, endpoint),
	FIELD(dp_peer_set, timestamp),
	FIELD(dp_peer_set, keepalive_s),
	FIELD(dp_peer_set, allowed_count),
	FIELD(dp_peer_set, type),
	FIELD(dp_peer_set, route_all),
	FIELD(dp_peer_set, has_preshared_key),
	FIELD(dp_peer_set, has_openvpn),
	FIELD(dp_peer_set, pad),
	FIELD(dp_peer_set, openvpn),
	FIELD(dp_peer_set, allowed),
	SIZE(dp_peer_del),
	FIELD(dp_peer_del, id),
	SIZE(dp_peer_reset),
	FIELD(dp_peer_reset, id),
	SIZE(dp_peer_list),
	FIELD(dp_peer_list, instance),
	SIZE(dp_peer),
	FIELD(dp_peer, id),
	FIELD(dp_peer, instance),
	FIELD(dp_peer, public_key),
	FIELD(dp_peer, expires_at),
	FIELD(dp_peer, endpoint),
	FIELD(dp_peer, timestamp),
	FIELD(dp_peer, allowed_count),
	FIELD(dp_peer, type),
	FIELD(dp_peer, route_all),
	FIELD(dp_peer, pad),
	FIELD(dp_peer, allowed),
	SIZE(dp_peer_stats),
	FIELD(dp_peer_stats, id),
	FIELD(dp_peer_stats, instance),
	FIELD(dp_peer_stats, last_handshake_ns),
	FIELD(dp_peer_stats, last_rx_ns),
	FIELD(dp_peer_stats, rx_bytes),
	FIELD(dp_peer_stats, tx_bytes),
	FIELD(dp_peer_stats, rx_packets),
	FIELD(dp_peer_stats, tx_packets),
	FIELD(dp_peer_stats, last_failure_ns),
	FIELD(dp_peer_stats, last_failure_clock_s),
	FIELD(dp_peer_stats, endpoint),
	FIELD(dp_peer_stats, timestamp),
	FIELD(dp_peer_stats, last_failure),
	FIELD(dp_peer_stats, protocol),
	SIZE(dp_listener_set),
	FIELD(dp_listener_set, id),
	FIELD(dp_listener_set, instance),
	FIELD(dp_listener_set, wrap_key),
	FIELD(dp_listener_set, renegotiate_s),
	FIELD(dp_listener_set, port),
	FIELD(dp_listener_set, transport),
	FIELD(dp_listener_set, wrap),
	FIELD(dp_listener_set, wrap_digest),
	FIELD(dp_listener_set, tls_minimum),
	FIELD(dp_listener_set, security_level),
	FIELD(dp_listener_set, flags),
	FIELD(dp_listener_set, cipher),
	FIELD(dp_listener_set, ca_len),
	FIELD(dp_listener_set, certificate_len),
	FIELD(dp_listener_set, private_key_len),
	FIELD(dp_listener_set, pad),
	FIELD(dp_listener_set, pem),
	SIZE(dp_listener_del),
	FIELD(dp_listener_del, id),
	SIZE(dp_listener),
	FIELD(dp_listener, id),
	FIELD(dp_listener, instance),
	FIELD(dp_listener, sessions),
	FIELD(dp_listener, port),
	FIELD(dp_listener, transport),
	FIELD(dp_listener, wrap),
	FIELD(dp_listener, has_socket),
	FIELD(dp_listener, pad),
	SIZE(dp_listener_socket_set),
	FIELD(dp_listener_socket_set, id),
	SIZE(dp_push_set),
	FIELD(dp_push_set, instance),
	FIELD(dp_push_set, dns),
	FIELD(dp_push_set, domain),
	FIELD(dp_push_set, route_count),
	FIELD(dp_push_set, pad),
	FIELD(dp_push_set, route),
	SIZE(dp_route_set),
	FIELD(dp_route_set, instance),
	FIELD(dp_route_set, peer),
	FIELD(dp_route_set, prefix),
	FIELD(dp_route_set, target),
	SIZE(dp_route_del),
	FIELD(dp_route_del, instance),
	FIELD(dp_route_del, prefix),
	SIZE(dp_route_list),
	FIELD(dp_route_list, instance),
	SIZE(dp_port),
	FIELD(dp_port, name),
	FIELD(dp_port, id),
	FIELD(dp_port, mtu),
	FIELD(dp_port, mac),
	FIELD(dp_port, link_up),
	FIELD(dp_port, has_tap),
	SIZE(dp_tap_set),
	FIELD(dp_tap_set, port),
	FIELD(dp_tap_set, pad),
	SIZE(dp_capture_set),
	FIELD(dp_capture_set, peer),
	FIELD(dp_capture_set, seconds),
	FIELD(dp_capture_set, max_bytes),
	FIELD(dp_capture_set, side),
	FIELD(dp_capture_set, pad),
	SIZE(dp_tun_set),
	FIELD(dp_tun_set, instance),
	SIZE(dp_uapi_set),
	FIELD(dp_uapi_set, instance),
	SIZE(dp_management_set),
	FIELD(dp_management_set, instance),
	SIZE(dp_address_set),
	FIELD(dp_address_set, prefix),
	FIELD(dp_address_set, pad),
	FIELD(dp_address_set, port),
	SIZE(dp_neighbour_set),
	FIELD(dp_neighbour_set, addr),
	FIELD(dp_neighbour_set, port),
	FIELD(dp_neighbour_set, mac),
	FIELD(dp_neighbour_set, state),
	FIELD(dp_neighbour_set, pad),
	SIZE(dp_underlay_route_set),
	FIELD(dp_underlay_route_set, prefix),
	FIELD(dp_underlay_route_set, pad),
	FIELD(dp_underlay_route_set, port),
	FIELD(dp_underlay_route_set, gateway),
	SIZE(dp_sync_begin),
	FIELD(dp_sync_begin, epoch),
	FIELD(dp_sync_begin, generation),
	FIELD(dp_sync_begin, scope),
	FIELD(dp_sync_begin, pad),
	SIZE(dp_sync_end),
	FIELD(dp_sync_end, scope),
	FIELD(dp_sync_end, allow_empty),
	FIELD(dp_sync_end, pad),
	SIZE(dp_generation_set),
	FIELD(dp_generation_set, epoch),
	FIELD(dp_generation_set, after),
	FIELD(dp_generation_set, generation),
	SIZE(dp_sync_state),
	FIELD(dp_sync_state, epoch),
	FIELD(dp_sync_state, generation),
	SIZE(dp_counter),
	FIELD(dp_counter, name),
	FIELD(dp_counter, value),
	SIZE(dp_event),
	FIELD(dp_event, at_ns),
	FIELD(dp_event, lost),
	FIELD(dp_event, peer),
	FIELD(dp_event, instance),
	FIELD(dp_event, endpoint),
	FIELD(dp_event, port),
	FIELD(dp_event, type),
	FIELD(dp_event, failure),
	FIELD(dp_event, protocol),
	FIELD(dp_event, pad),
};

enum {
	TEXT_MAX = 32768,
};

/* Structs with their fields, then the numbers of the messages. */
static void print_layout(char text[TEXT_MAX])
{
	FILE *f = fmemopen(text, TEXT_MAX, "w");
	assert_non_null(f);
	(void)fprintf(f, "version %d\n", DP_API_VERSION);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		const struct line *l = &lines[i];
		if (l->field[0] == '\0')
			(void)fprintf(f, "struct %s %zu\n", l->type, l->size);
		else
			(void)fprintf(f, "\t%s at %zu, %zu\n", l->field, l->offset, l->size);
	}
	for (unsigned int type = 0; type < DP_MSG__COUNT; type++) {
		const struct dp_msg_rule *r = dp_msg_rule_find((uint16_t)type);
		if (r != NULL)
			(void)fprintf(f, "message %u %s\n", type, r->name);
	}
	(void)fclose(f);
}

static void read_file(const char *path, char text[TEXT_MAX])
{
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	size_t n = fread(text, 1, TEXT_MAX - 1, f);
	text[n] = '\0';
	(void)fclose(f);
}

static void test_layout_is_the_golden_one(void **state)
{
	static char now[TEXT_MAX], golden[TEXT_MAX];
	print_layout(now);
	read_file(API_LAYOUT, golden);
	assert_string_equal(now, golden);
}

/* Fields lie behind each other without a hole: every pad has a name. */
static void test_no_hidden_padding(void **state)
{
	size_t end = 0, size = 0;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		const struct line *l = &lines[i];
		if (l->field[0] == '\0') {
			assert_int_equal(end, size);
			size = l->size;
			end = 0;
			continue;
		}
		assert_int_equal(l->offset, end);
		end += l->size;
	}
	assert_int_equal(end, size);
}

static int write_layout(const char *path)
{
	static char now[TEXT_MAX], old[TEXT_MAX];
	char version[32];
	print_layout(now);
	(void)snprintf(version, sizeof(version), "version %d\n", DP_API_VERSION);
	FILE *f = fopen(path, "r");
	if (f != NULL) {
		(void)fclose(f);
		read_file(path, old);
		if (strncmp(old, version, strlen(version)) == 0 && strcmp(old, now) != 0) {
			(void)fprintf(stderr, "the layout changed: raise DP_API_VERSION\n");
			return 1;
		}
	}
	f = fopen(path, "w");
	if (f == NULL)
		return 1;
	(void)fputs(now, f);
	return fclose(f) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layout_is_the_golden_one),
		cmocka_unit_test(test_no_hidden_padding),
	};
	if (argc == 3 && strcmp(argv[1], "--write") == 0)
		return write_layout(argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
