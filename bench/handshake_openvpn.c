// SPDX-License-Identifier: Apache-2.0
/*
 * OpenVPN handshakes that one core answers: TLS 1.3 with certificates of P-256 on both sides, tls-crypt,
 * key method 2, PUSH_REPLY and the data keys. Clients and hub are in one process; only what the hub's
 * session does is counted.
 *
 *   bench/handshake_openvpn [HANDSHAKES]
 */
#include "bench/certificate.h"
#include "bench/session_client.h"
#include "dataplane/base/clock.h"
#include "dataplane/ovpn/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	HANDSHAKES_DEFAULT = 500,
	TURNS_MAX = 200, /* packets in a handshake, at the most */
};

struct bench {
	struct certificate ca, hub, somebody;
	struct static_key key;
	struct cipher_policy ciphers;
	struct ovpn_session_config config;
	struct ovpn_session *session;
	uint64_t started_ns, spent_ns;
	bool is_connected;
};

static void must(const char *what, int err)
{
	if (err == 0)
		return;
	(void)fprintf(stderr, "bench/handshake_openvpn: %s: %s\n", what, strerrordesc_np(-err));
	_exit(1);
}

static void clock_starts(struct bench *b)
{
	b->started_ns = clock_monotonic_ns();
}

static void clock_stops(struct bench *b)
{
	b->spent_ns += clock_monotonic_ns() - b->started_ns;
}

static void obey_events(struct bench *b)
{
	struct ovpn_session_event e;
	struct push push = {
		.ping_s = 10, .ping_restart_s = 60, .peer_id = 1, .allows_key_export = true};
	push.address_v4 =
		(struct ip_prefix){ip_addr_from_v4((const uint8_t[]){10, 0, 0, 2}), 96 + 24};
	push.gateway_v4 = ip_addr_from_v4((const uint8_t[]){10, 0, 0, 1});
	for (ovpn_session_event(b->session, &e); e.type != OVPN_SESSION_NOTHING;
		ovpn_session_event(b->session, &e)) {
		if (e.type == OVPN_SESSION_AUTHENTICATE)
			must("accept",
				ovpn_session_accept(b->session, &push, clock_monotonic_ns()));
		if (e.type == OVPN_SESSION_FAILED)
			must(e.text, -EPROTO);
		b->is_connected = b->is_connected || e.type == OVPN_SESSION_CONNECTED;
	}
}

static void begin(struct bench *b)
{
	struct ovpn_session_begin begin = {.config = &b->config};
	must("wrap",
		wrap_init(&begin.wrap,
			&(struct wrap_config){.mode = WRAP_TLS_CRYPT, .key = &b->key}));
	must("session", ovpn_session_new(&begin, clock_monotonic_ns(), &b->session));
}

/* One client, from its reset to the hub's PUSH_REPLY. */
static void shake_hands(struct bench *b)
{
	struct session_client client;
	uint8_t wire[CONTROL_PACKET_MAX];
	size_t len;
	session_client_init(&client,
		&(struct session_client_setup){
			.mode = WRAP_TLS_CRYPT,
			.is_tcp = true,
			.who = &b->somebody,
			.key = &b->key,
			.peer_info = "IV_VER=2.6.14\nIV_PROTO=990\n"
				     "IV_CIPHERS=AES-256-GCM\n",
		});
	clock_starts(b);
	begin(b);
	clock_stops(b);
	b->is_connected = false;
	for (unsigned int turn = 0; turn < TURNS_MAX && !b->is_connected; turn++) {
		uint64_t now = clock_monotonic_ns();
		uint32_t now_s = (uint32_t)(clock_realtime_ns() / NS_PER_SEC);
		while ((len = session_client_take(&client, wire, now, now_s)) > 0) {
			clock_starts(b);
			(void)ovpn_session_receive(b->session, wire, len, now);
			obey_events(b);
			clock_stops(b);
		}
		for (;;) {
			clock_starts(b);
			len = ovpn_session_take(b->session, wire, sizeof(wire), now, now_s);
			clock_stops(b);
			if (len == 0)
				break;
			session_client_receive(&client, wire, len);
		}
	}
	must("handshake", b->is_connected ? 0 : -ETIMEDOUT);
	clock_starts(b);
	ovpn_session_free(b->session);
	clock_stops(b);
	session_client_fini(&client);
}

static void prepare(struct bench *b)
{
	const char *what = "";
	b->ca = certificate_make(NULL, "ca", 2);
	b->hub = certificate_make(&b->ca, "hub", 3);
	b->somebody = certificate_make(&b->ca, "somebody", 8);
	must("key", static_key_generate(&b->key));
	b->ciphers = (struct cipher_policy){
		.ciphers = {data_cipher_find("AES-256-GCM", 11)}, .cipher_count = 1};
	struct tls_config tls = {.certificate = b->hub.certificate,
		.private_key = b->hub.private_key,
		.ca = b->ca.certificate,
		.certificate_required = true,
		.min = TLS_VERSION_1_2,
		.security_level = 1};
	b->config = (struct ovpn_session_config){.ciphers = &b->ciphers,
		.is_tcp = true,
		.requires_certificate = true,
		.hand_window_s = 60,
		.transition_window_s = 3600,
		.tun_mtu = 1420};
	must(what, tls_context_new(&tls, &b->config.tls, &what));
}

int main(int argc, char **argv)
{
	struct bench b = {0};
	unsigned long count = argc > 1 ? strtoul(argv[1], NULL, 10) : HANDSHAKES_DEFAULT;
	prepare(&b);
	shake_hands(&b); /* whatever is done once */
	b.spent_ns = 0;
	for (unsigned long n = 0; n < count; n++)
		shake_hands(&b);
	(void)printf(
		"{\"name\":\"handshake.openvpn.per_second\",\"value\":%.0f,\"unit\":\"handshakes/s\","
		"\"runs\":%lu}\n",
		(double)count * (double)NS_PER_SEC / (double)b.spent_ns, count);
	tls_context_free(b.config.tls);
	certificate_free(&b.somebody);
	certificate_free(&b.hub);
	certificate_free(&b.ca);
	return 0;
}
