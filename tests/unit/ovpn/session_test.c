// SPDX-License-Identifier: Apache-2.0
/* How a session comes up: every wrapping, UDP and TCP, every kind of client. */
#include "dataplane/ovpn/tls_crypt_v2.h"
#include "tests/unit/ovpn/session_world.h"
#include "tests/unit/ovpn/vectors.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static const char reply_2_6[] = "PUSH_REPLY,topology subnet,route-gateway 10.8.0.1,ping 10,"
				"ping-restart 60,ifconfig 10.8.0.2 255.255.255.0,peer-id 7,"
				"cipher AES-256-GCM,protocol-flags cc-exit tls-ekm\n";
static const char reply_2_5[] = "PUSH_REPLY,topology subnet,route-gateway 10.8.0.1,ping 10,"
				"ping-restart 60,ifconfig 10.8.0.2 255.255.255.0,peer-id 7,"
				"cipher AES-256-GCM\n";
static const char reply_router[] = "PUSH_REPLY,topology subnet,route-gateway 10.8.0.1,ping 10,"
				   "ping-restart 60,ifconfig 10.8.0.2 255.255.255.0\n";
static const char router_options[] =
	"V4,dev-type tun,link-mtu 1559,tun-mtu 1500,proto TCPv4_CLIENT,cipher AES-256-CBC,"
	"auth SHA1,keysize 256,key-method 2,tls-client";
static const char *captures;

static void connects(enum wrap_mode mode, bool is_tcp, int tls)
{
	struct world w;
	world_init(&w, mode);
	w.setup.is_tcp = is_tcp;
	w.setup.tls_min = w.setup.tls_max = tls;
	world_connect(&w);
	assert_string_equal(w.client.heard, reply_2_6);
	assert_string_equal(w.name, "alice");
	assert_true(w.has_certificate);
	assert_string_equal(ovpn_session_cipher(w.session), "AES-256-GCM");
	assert_string_equal(ovpn_session_peer_info(w.session)->version, "2.6.14");
	assert_true(ovpn_session_has_data_v2(w.session));
	assert_int_equal(ovpn_session_compression(w.session), PUSH_COMPRESSION_ABSENT);
	struct session_id own = ovpn_session_own_id(w.session);
	assert_true(session_id_equal(&own, &w.client.server));
	world_keys_agree(&w, 0, true);
	assert_true(w.longest <= 1250 - 28); /* with IPv4 and UDP */
	world_fini(&w);
}

static void every_wrapping_on_udp(void **state)
{
	for (unsigned int m = WRAP_NONE; m <= WRAP_TLS_CRYPT_V2; m++) {
		connects((enum wrap_mode)m, false, TLS1_2_VERSION);
		connects((enum wrap_mode)m, false, TLS1_3_VERSION);
	}
}

static void every_wrapping_on_tcp(void **state)
{
	for (unsigned int m = WRAP_NONE; m <= WRAP_TLS_CRYPT_V2; m++) {
		connects((enum wrap_mode)m, true, TLS1_2_VERSION);
		connects((enum wrap_mode)m, true, TLS1_3_VERSION);
	}
}

/* 2.4 and 2.5 ack alone, and what they say next carries no ack. */
static void acks_come_alone(void **state)
{
	struct world w;
	world_init(&w, WRAP_TLS_AUTH);
	w.setup.acks_alone = true;
	w.setup.peer_info = "IV_VER=2.5.11\nIV_NCP=2\n"
			    "IV_CIPHERS=AES-256-GCM:AES-128-GCM\nIV_PROTO=6\n";
	world_connect(&w);
	assert_string_equal(w.client.heard, reply_2_5);
	world_keys_agree(&w, 0, false);
	assert_memory_not_equal(w.keys[0].block.bytes, w.client.key[0].exported.bytes, 32);
	world_fini(&w);
}

static void router(struct world *w, const char *peer_info)
{
	world_init(w, WRAP_NONE);
	w->setup.is_tcp = true;
	w->setup.tls_max = TLS1_2_VERSION;
	w->setup.peer_info = peer_info;
	w->setup.options = router_options;
	w->setup.who = NULL;
	w->setup.username = "site-1";
	w->setup.password = "secret";
	w->config.requires_certificate = false;
	w->config.requires_password = true;
	w->right_password = "secret";
}

/* RouterOS 6: the second reset is an empty packet, and nothing is said of itself. */
static void router_with_two_resets(void **state)
{
	struct world w;
	router(&w, NULL);
	w.setup.double_reset = true;
	world_connect(&w);
	assert_string_equal(w.client.heard, reply_router);
	assert_string_equal(w.username, "site-1");
	assert_false(w.has_certificate);
	assert_false(ovpn_session_has_data_v2(w.session));
	assert_int_equal(w.keys[0].suite.algorithm, CIPHER_AES_256_CBC);
	assert_int_equal(w.keys[0].suite.digest, CIPHER_HMAC_SHA1);
	world_keys_agree(&w, 0, false);
	unsigned int resets = 0;
	for (unsigned int i = 0; i < w.kept_count; i++)
		resets += !w.kept[i].to_session && w.kept[i].data[0] >> 3 == 8 ? 1 : 0;
	assert_int_equal(resets, 1);
	world_fini(&w);
}

/* RouterOS 7.1: says hello before it has heard of us. */
static void router_with_early_hello(void **state)
{
	struct world w;
	router(&w, "IV_PROTO=2\n");
	w.setup.early_hello = true;
	world_connect(&w);
	assert_true(ovpn_session_has_data_v2(w.session));
	assert_null(strstr(w.client.heard, "cipher"));
	assert_non_null(strstr(w.client.heard, ",peer-id 7"));
	world_fini(&w);
}

/* PUSH_REQUEST in the same breath as key method 2. */
static void push_request_at_once(void **state)
{
	struct world w;
	router(&w, NULL);
	w.setup.push_with_key_method = true;
	world_connect(&w);
	assert_string_equal(w.client.heard, reply_router);
	world_fini(&w);
}

static void an_unasked_reply(void **state)
{
	struct world w;
	world_init(&w, WRAP_TLS_CRYPT);
	w.setup.does_not_pull = true; /* IV_PROTO_REQUEST_PUSH stands in its peer info */
	world_connect(&w);
	assert_string_equal(w.client.heard, reply_2_6);
	world_fini(&w);
}

/* Who does not ask and did not announce it gets none, and is not kept for ever. */
static void who_never_asks(void **state)
{
	struct world w;
	world_init(&w, WRAP_TLS_CRYPT);
	w.setup.does_not_pull = true;
	w.setup.peer_info = "IV_NCP=2\nIV_PROTO=2\n";
	world_start(&w);
	world_expect(&w, 59, "AUTHENTICATE READY0 ACTIVE0");
	assert_int_equal(w.client.heard_len, 0);
	world_expect(&w, 2, "AUTHENTICATE READY0 ACTIVE0 FAILED");
	assert_int_equal(w.failure, OVPN_FAILURE_TIMEOUT);
	assert_string_equal(w.text, "the client did not ask for its configuration");
	assert_true(ovpn_session_is_over(w.session));
	world_fini(&w);
}

static void accepted_later(void **state)
{
	struct world w;
	world_init(&w, WRAP_TLS_CRYPT);
	w.defers = true;
	world_start(&w);
	world_expect(&w, 20, "AUTHENTICATE");
	assert_true(w.client.key[0].has_heard); /* our key method 2 does not wait */
	assert_int_equal(w.client.heard_len, 0); /* but nothing is pushed */
	assert_int_equal(ovpn_session_accept(w.session, &w.push, w.now_ns), 0);
	assert_int_equal(ovpn_session_accept(w.session, &w.push, w.now_ns), -ENOTCONN);
	world_expect(&w, 5, "AUTHENTICATE READY0 ACTIVE0 CONNECTED");
	assert_string_equal(w.client.heard, reply_2_6);
	world_fini(&w);
}

static void accepted_too_late(void **state)
{
	struct world w;
	world_init(&w, WRAP_TLS_CRYPT);
	w.defers = true;
	world_start(&w);
	world_expect(&w, 61, "AUTHENTICATE FAILED");
	assert_int_equal(w.failure, OVPN_FAILURE_TIMEOUT);
	assert_int_equal(ovpn_session_accept(w.session, &w.push, w.now_ns), -ENOTCONN);
	assert_true(ovpn_session_is_over(w.session));
	world_fini(&w);
}

/* Repeats of one question are one answer; later it is answered the same. */
static void push_requests_repeat(void **state)
{
	struct world w;
	world_init(&w, WRAP_TLS_CRYPT);
	world_connect(&w);
	world_forget(&w);
	for (unsigned int i = 0; i < 5; i++) {
		session_client_say(&w.client, "PUSH_REQUEST", 13);
		world_expect(&w, 4, "");
	}
	assert_int_equal(w.client.heard_len, 0);
	world_run(&w, 10);
	session_client_say(&w.client, "PUSH_REQUEST\0PUSH_REQUEST", 26);
	world_expect(&w, 1, "");
	assert_string_equal(w.client.heard, reply_2_6);
	world_fini(&w);
}

static void a_reply_in_many_parts(void **state)
{
	struct world w;
	struct ip_prefix routes[200];
	unsigned int parts = 0, told = 0;
	world_init(&w, WRAP_TLS_CRYPT);
	for (unsigned int i = 0; i < 200; i++) {
		char text[32];
		(void)snprintf(text, sizeof(text), "10.%u.0.0/16", i + 10);
		assert_int_equal(ip_prefix_parse(text, &routes[i]), 0);
	}
	w.push.routes = routes;
	w.push.route_count = 200;
	world_start(&w);
	world_run(&w, 1);
	memset(routes, 0xff, sizeof(routes)); /* borrowed until accept alone */
	world_run(&w, 9);
	for (const char *at = w.client.heard; (at = strstr(at, "route 10.")) != NULL; at++)
		told++;
	for (const char *at = w.client.heard; (at = strstr(at, "PUSH_REPLY,")) != NULL; at++)
		parts++;
	assert_int_equal(told, 200);
	assert_true(parts > 4);
	assert_non_null(strstr(w.client.heard, "push-continuation 2\n"));
	assert_string_equal(w.client.heard + w.client.heard_len - 20, "push-continuation 1\n");
	assert_true(w.longest <= 1250 - 28);
	world_fini(&w);
}

static void compression_is_met(void **state)
{
	struct world w;
	world_init(&w, WRAP_TLS_CRYPT);
	w.setup.options = "V4,dev-type tun,comp-lzo,cipher AES-256-GCM,auth SHA1,key-method 2";
	world_connect(&w);
	assert_non_null(strstr(w.client.heard, ",comp-lzo no"));
	assert_int_equal(ovpn_session_compression(w.session), PUSH_COMPRESSION_LZO_NO);
	world_fini(&w);
}

static void loss_doubles_and_disorder(void **state)
{
	for (unsigned int seed = 1; seed <= 40; seed++) {
		struct world w;
		world_init(&w, (enum wrap_mode)(seed % 4));
		w.seed = seed;
		w.lost = w.doubled = w.late = 20;
		world_start(&w);
		world_expect(&w, 59, "AUTHENTICATE READY0 ACTIVE0 CONNECTED");
		assert_string_equal(w.client.heard, reply_2_6);
		world_keys_agree(&w, 0, true);
		world_fini(&w);
	}
}

/* Records and messages end anywhere in a packet. */
static void in_small_pieces(void **state)
{
	static const size_t chunks[] = {1, 5, 37, 500};
	for (unsigned int i = 0; i < 4; i++) {
		struct world w;
		char password[1000];
		world_init(&w, WRAP_TLS_CRYPT);
		memset(password, 'p', sizeof(password));
		password[sizeof(password) - 1] = '\0';
		w.setup.chunk = chunks[i];
		w.setup.username = "alice";
		w.setup.password = w.right_password = password;
		world_start(&w);
		world_expect(&w, 59, "AUTHENTICATE READY0 ACTIVE0 CONNECTED");
		assert_string_equal(w.client.heard, reply_2_6);
		world_fini(&w);
	}
}

/* On TCP nothing is said twice. */
static void no_repeats_on_tcp(void **state)
{
	struct world w;
	world_init(&w, WRAP_NONE);
	w.setup.is_tcp = true;
	w.config.renegotiate_s = 0;
	world_connect(&w);
	w.cut = true;
	w.sent_by_session = 0;
	assert_int_equal(ovpn_session_command(w.session, "INFO,hello", w.now_ns), 0);
	world_run(&w, 100);
	assert_int_equal(w.sent_by_session, 1);
	world_fini(&w);
}

/* Sides of a captured session, as it was on the wire: the real client's hello is answered. */
static unsigned int answers_to(const char *name, struct wrap wrap)
{
	static char line[8192];
	static uint8_t wire[CONTROL_PACKET_MAX], out[CONTROL_PACKET_MAX];
	struct world w;
	struct ovpn_session_begin b = {.config = &w.config, .wrap = wrap, .wrap_time = 1800000000};
	unsigned int taken = 0, answered = 0;
	FILE *f = fopen(captures, "r");
	assert_non_null(f);
	world_init(&w, WRAP_NONE);
	world_start(&w);
	while (answered == 0 && fgets(line, sizeof(line), f) != NULL) {
		char *save = NULL;
		const char *of = strtok_r(line, " \n", &save);
		if (of == NULL || strcmp(of, name) != 0)
			continue;
		bool is_client = strtok_r(NULL, " \n", &save)[0] == 'c';
		size_t len = unhex(strtok_r(NULL, " \n", &save), wire, sizeof(wire));
		if (taken == 0 || session_id_is_zero(&b.own))
			memcpy(is_client ? &b.client : &b.own, wire + 1, SESSION_ID_LEN);
		taken++;
		if (!is_client || session_id_is_zero(&b.own))
			continue;
		if (w.session == NULL)
			assert_int_equal(ovpn_session_new(&b, w.now_ns, &w.session), 0);
		assert_int_equal(ovpn_session_receive(w.session, wire, len, w.now_ns), 0);
		assert_int_equal(ovpn_session_receive(w.session, wire, len, w.now_ns), -EALREADY);
		while (ovpn_session_take(w.session, out, sizeof(out), w.now_ns, 1800000000) > 0)
			answered += out[0] >> 3 == P_CONTROL_V1 ? 1 : 0;
	}
	(void)fclose(f);
	world_fini(&w);
	return answered;
}

static void captured_clients_are_answered(void **state)
{
	struct static_key k;
	struct wrap wrap;
	struct wrap_config c = {WRAP_TLS_AUTH, WRAP_SHA256, KEY_DIRECTION_0, false, &k};
	assert_int_equal(unhex(vector_static_key, k.bytes, sizeof(k.bytes)), STATIC_KEY_LEN);
	assert_int_equal(wrap_init(&wrap, &c), 0);
	assert_true(answers_to("tls-auth", wrap) > 0);
	c.mode = WRAP_TLS_CRYPT;
	assert_int_equal(wrap_init(&wrap, &c), 0);
	assert_true(answers_to("tls-crypt", wrap) > 0);
	c.mode = WRAP_TLS_CRYPT_V2;
	assert_int_equal(unhex(tls_crypt_v2_kc, k.bytes, sizeof(k.bytes)), STATIC_KEY_LEN);
	assert_int_equal(wrap_init(&wrap, &c), 0);
	assert_true(answers_to("tls-crypt-v2", wrap) > 0);
}

static void what_cannot_begin(void **state)
{
	struct world w;
	struct ovpn_session *s;
	world_init(&w, WRAP_NONE);
	world_start(&w);
	struct ovpn_session_begin b = {.config = &w.config, .own = {{1}}};
	assert_int_equal(ovpn_session_new(&b, 0, &s), -EINVAL); /* whose client? */
	b = (struct ovpn_session_begin){.config = &w.config, .client = {{1}}};
	assert_int_equal(ovpn_session_new(&b, 0, &s), -EINVAL);
	w.config.is_tcp = true;
	assert_int_equal(ovpn_session_new(&b, 0, &s), -EINVAL);
	w.config.hand_window_s = 0;
	b = (struct ovpn_session_begin){.config = &w.config};
	assert_int_equal(ovpn_session_new(&b, 0, &s), -EINVAL);
	ovpn_session_free(NULL);
	world_fini(&w);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_wrapping_on_udp),
		cmocka_unit_test(every_wrapping_on_tcp),
		cmocka_unit_test(acks_come_alone),
		cmocka_unit_test(router_with_two_resets),
		cmocka_unit_test(router_with_early_hello),
		cmocka_unit_test(push_request_at_once),
		cmocka_unit_test(an_unasked_reply),
		cmocka_unit_test(who_never_asks),
		cmocka_unit_test(accepted_later),
		cmocka_unit_test(accepted_too_late),
		cmocka_unit_test(push_requests_repeat),
		cmocka_unit_test(a_reply_in_many_parts),
		cmocka_unit_test(compression_is_met),
		cmocka_unit_test(loss_doubles_and_disorder),
		cmocka_unit_test(in_small_pieces),
		cmocka_unit_test(no_repeats_on_tcp),
		cmocka_unit_test(captured_clients_are_answered),
		cmocka_unit_test(what_cannot_begin),
	};
	if (argc != 2)
		return 1;
	captures = argv[1];
	return cmocka_run_group_tests(tests, world_certificates_make, world_certificates_free);
}
