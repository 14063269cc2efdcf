// SPDX-License-Identifier: Apache-2.0
/* Renegotiation: who begins it, what it leaves, and what does not come through by it. */
#include "tests/unit/ovpn/session_world.h"

#include <errno.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#define UP "AUTHENTICATE READY0 ACTIVE0 CONNECTED"

static void by_the_server(void **state)
{
	for (unsigned int mode = WRAP_NONE; mode <= WRAP_TLS_CRYPT_V2; mode++) {
		struct world w;
		world_init(&w, (enum wrap_mode)mode);
		w.config.renegotiate_s = 100;
		w.config.transition_window_s = 30;
		world_connect(&w);
		world_forget(&w);
		world_expect(&w, 84, ""); /* 5 s have gone by */
		world_expect(&w, 17, "AUTHENTICATE READY1 ACTIVE1");
		assert_int_equal(w.renewals, 1);
		assert_int_equal(w.client.heard_len, 0); /* nothing is pushed anew */
		world_keys_agree(&w, 0, true);
		world_keys_agree(&w, 1, true);
		assert_memory_not_equal(
			w.keys[0].block.bytes, w.keys[1].block.bytes, KEY_BLOCK_LEN);
		world_expect(&w, 31, "AUTHENTICATE READY1 ACTIVE1 EXPIRED0");
		assert_int_equal(w.refused, 0);
		world_fini(&w);
	}
}

/* What began together does not renew together. */
static void at_scattered_times(void **state)
{
	uint64_t first = UINT64_MAX, last = 0;
	for (unsigned int i = 0; i < 20; i++) {
		struct world w;
		world_init(&w, WRAP_NONE);
		w.config.renegotiate_s = 1000;
		world_connect(&w);
		uint64_t at = ovpn_session_deadline(w.session) - w.now_ns;
		assert_true(at >= 894 * NS_PER_SEC && at <= 1000 * NS_PER_SEC);
		first = at < first ? at : first;
		last = at > last ? at : last;
		world_fini(&w);
	}
	assert_true(last - first > 10 * NS_PER_SEC); /* by chance: once in 10^18 */
}

static void by_the_client(void **state)
{
	for (unsigned int tcp = 0; tcp < 2; tcp++) {
		struct world w;
		world_init(&w, WRAP_TLS_AUTH);
		w.setup.is_tcp = tcp == 1;
		w.setup.peer_info = NULL;
		w.config.renegotiate_s = 0;
		world_connect(&w);
		world_forget(&w);
		assert_int_equal(ovpn_session_deadline(w.session), UINT64_MAX);
		world_expect(&w, 100000, "");
		session_client_renegotiate(&w.client);
		world_expect(&w, 5, "AUTHENTICATE READY1 ACTIVE1");
		world_keys_agree(&w, 1, false);
		world_fini(&w);
	}
}

/* Both soft resets cross on the wire: one exchange. */
static void by_both_at_once(void **state)
{
	struct world w;
	world_init(&w, WRAP_TLS_CRYPT);
	world_connect(&w);
	world_forget(&w);
	ovpn_session_renegotiate(w.session, w.now_ns);
	session_client_renegotiate(&w.client);
	ovpn_session_renegotiate(w.session, w.now_ns);
	world_expect(&w, 5, "AUTHENTICATE READY1 ACTIVE1");
	world_keys_agree(&w, 1, true);
	assert_int_equal(w.refused, 0);
	world_fini(&w);
}

/* 1 to 7 and then 1: 0 does not come back. At no time more than three keys. */
static void key_ids_come_around(void **state)
{
	static const char *const said[] = {
		"AUTHENTICATE READY1 ACTIVE1",
		"AUTHENTICATE READY2 EXPIRED0 ACTIVE2",
		"AUTHENTICATE READY3 EXPIRED1 ACTIVE3",
		"AUTHENTICATE READY4 EXPIRED2 ACTIVE4",
		"AUTHENTICATE READY5 EXPIRED3 ACTIVE5",
		"AUTHENTICATE READY6 EXPIRED4 ACTIVE6",
		"AUTHENTICATE READY7 EXPIRED5 ACTIVE7",
		"AUTHENTICATE READY1 EXPIRED6 ACTIVE1",
		"AUTHENTICATE READY2 EXPIRED7 ACTIVE2",
	};
	struct world w;
	world_init(&w, WRAP_TLS_CRYPT);
	world_connect(&w);
	for (unsigned int i = 0; i < 9; i++) {
		world_forget(&w);
		if (i % 2 == 0)
			ovpn_session_renegotiate(w.session, w.now_ns);
		else
			session_client_renegotiate(&w.client);
		world_expect(&w, 100, said[i]);
		world_keys_agree(&w, i % 7 + 1, true);
	}
	world_fini(&w);
}

static void over_a_bad_wire(void **state)
{
	for (unsigned int seed = 1; seed <= 20; seed++) {
		struct world w;
		world_init(&w, WRAP_TLS_CRYPT);
		world_connect(&w);
		world_forget(&w);
		w.seed = seed;
		w.lost = w.doubled = w.late = 20;
		ovpn_session_renegotiate(w.session, w.now_ns);
		if (seed % 2 == 0)
			session_client_renegotiate(&w.client);
		world_expect(&w, 59, "AUTHENTICATE READY1 ACTIVE1");
		world_keys_agree(&w, 1, true);
		world_fini(&w);
	}
}

/* Nobody answers for a hand window: the key stays, and it is tried again. */
static void tried_again(void **state)
{
	struct world w;
	world_init(&w, WRAP_TLS_CRYPT);
	w.config.renegotiate_s = 100;
	world_connect(&w);
	world_forget(&w);
	w.cut = true;
	world_expect(&w, 170, "");
	w.cut = false;
	world_expect(&w, 64, "AUTHENTICATE READY1 ACTIVE1");
	world_fini(&w);
}

/* A client that begins and then says nothing is in nobody's way for long. */
static void begun_and_left(void **state)
{
	uint8_t buf[CONTROL_PACKET_MAX];
	struct world w;
	world_init(&w, WRAP_TLS_CRYPT);
	w.config.renegotiate_s = 0;
	world_connect(&w);
	world_forget(&w);
	struct control_packet p = {.opcode = P_CONTROL_SOFT_RESET_V1, .key_id = 1};
	p.session_id = w.client.own;
	size_t n = session_client_wrap(&w.client, &p, buf, 1700001005);
	w.cut = true;
	assert_int_equal(world_inject(&w, buf, n), 0);
	world_expect(&w, 61, "");
	w.cut = false;
	session_client_renegotiate(&w.client);
	world_expect(&w, 5, "AUTHENTICATE READY1 ACTIVE1");
	world_fini(&w);
}

/* The client has never acked our key method 2: what was ready is taken back. */
static void ready_and_never_active(void **state)
{
	struct world w;
	world_init(&w, WRAP_TLS_CRYPT);
	w.defers = true;
	world_start(&w);
	world_run(&w, 1);
	assert_int_equal(ovpn_session_accept(w.session, &w.push, w.now_ns), 0);
	world_expect(&w, 5, UP);
	world_forget(&w);
	ovpn_session_renegotiate(w.session, w.now_ns);
	while (w.said[0] == '\0') /* up to the question: our key method 2 is on its way */
		world_run_ms(&w, 1);
	w.cut = true;
	w.under_way = 0;
	assert_int_equal(ovpn_session_accept(w.session, NULL, w.now_ns), 0);
	world_expect(&w, 62, "AUTHENTICATE READY1 EXPIRED1");
	world_fini(&w);
}

static void another_certificate(struct world *w, const struct certificate *who)
{
	BIO *b = BIO_new_mem_buf(who->certificate, -1);
	X509 *x = PEM_read_bio_X509(b, NULL, NULL, NULL);
	BIO_free(b);
	b = BIO_new_mem_buf(who->private_key, -1);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(b, NULL, NULL, NULL);
	BIO_free(b);
	assert_int_equal(SSL_CTX_use_cert_and_key(w->client.context, x, key, NULL, 1), 1);
	X509_free(x);
	EVP_PKEY_free(key);
}

/* The renewal is refused and nobody is asked; the peer that is connected stays it. */
static void as_another_peer(void **state)
{
	for (unsigned int by_name = 0; by_name < 2; by_name++) {
		struct world w;
		world_init(&w, WRAP_TLS_CRYPT);
		w.setup.username = "alice";
		w.setup.password = "secret";
		w.config.requires_password = true;
		world_connect(&w);
		world_forget(&w);
		if (by_name == 0)
			another_certificate(&w, &world_bob);
		else
			w.client.setup.username = "bob";
		session_client_renegotiate(&w.client);
		world_expect(&w, 10, "");
		assert_string_equal(w.client.heard,
			by_name == 0 ? "AUTH_FAILED,renewed with another certificate\n"
				     : "AUTH_FAILED,renewed with another username\n");
		assert_int_equal(w.authenticated, 1);
		assert_false(ovpn_session_is_over(w.session));
		/* and as the one it was it may */
		another_certificate(&w, &world_alice);
		w.client.setup.username = "alice";
		w.client.newest = 0;
		session_client_renegotiate(&w.client);
		world_expect(&w, 10, "AUTHENTICATE READY1 ACTIVE1");
		world_fini(&w);
	}
}

/* What is not even a client of the CA breaks nothing. */
static void as_a_stranger(void **state)
{
	struct world w;
	world_init(&w, WRAP_TLS_CRYPT);
	world_connect(&w);
	world_forget(&w);
	another_certificate(&w, &world_stranger);
	session_client_renegotiate(&w.client);
	world_expect(&w, 10, "");
	assert_false(ovpn_session_is_over(w.session));
	another_certificate(&w, &world_alice);
	w.client.newest = 0;
	session_client_renegotiate(&w.client);
	world_expect(&w, 10, "AUTHENTICATE READY1 ACTIVE1");
	world_fini(&w);
}

/* Inside a renewal that is not accepted nobody speaks for the peer. */
static void exit_before_it_is_accepted(void **state)
{
	struct world w;
	world_init(&w, WRAP_TLS_CRYPT);
	world_connect(&w);
	w.defers = true;
	world_forget(&w);
	session_client_renegotiate(&w.client);
	world_expect(&w, 5, "AUTHENTICATE");
	session_client_say(&w.client, "EXIT", 5);
	session_client_say(&w.client, "PUSH_REQUEST", 13);
	world_expect(&w, 40, "AUTHENTICATE");
	assert_int_equal(w.client.heard_len, 0);
	assert_int_equal(ovpn_session_accept(w.session, NULL, w.now_ns), 0);
	world_expect(&w, 5, "AUTHENTICATE READY1 ACTIVE1");
	world_fini(&w);
}

/* An answer of the owner that is late is none to the next question. */
static void accepted_too_late(void **state)
{
	struct world w;
	world_init(&w, WRAP_TLS_CRYPT);
	world_connect(&w);
	w.defers = true;
	world_forget(&w);
	session_client_renegotiate(&w.client);
	world_expect(&w, 70, "AUTHENTICATE");
	assert_int_equal(ovpn_session_accept(w.session, NULL, w.now_ns), -ETIMEDOUT);
	assert_int_equal(ovpn_session_accept(w.session, NULL, w.now_ns), -ENOTCONN);
	world_expect(&w, 10, "AUTHENTICATE");
	w.defers = false;
	w.client.newest = 0;
	session_client_renegotiate(&w.client);
	world_expect(&w, 5, "AUTHENTICATE AUTHENTICATE READY1 ACTIVE1");
	world_fini(&w);
}

/* A peer that was removed, or has another password now: that is the end of it. */
static void refused_by_the_owner(void **state)
{
	struct world w;
	world_init(&w, WRAP_TLS_CRYPT);
	w.setup.username = "alice";
	w.setup.password = "old";
	w.right_password = "old";
	world_connect(&w);
	world_forget(&w);
	w.right_password = "new";
	session_client_renegotiate(&w.client);
	world_expect(&w, 1, "AUTHENTICATE FAILED");
	assert_int_equal(w.failure, OVPN_FAILURE_PASSWORD);
	assert_string_equal(w.client.heard, "AUTH_FAILED,wrong password\n");
	assert_true(ovpn_session_is_over(w.session));
	world_fini(&w);
}

/* The last key is not heard for ever when no other comes. */
static void a_key_has_an_end(void **state)
{
	struct world w;
	world_init(&w, WRAP_TLS_CRYPT);
	w.config.renegotiate_s = 100;
	w.config.transition_window_s = 100;
	world_connect(&w);
	world_forget(&w);
	w.cut = true;
	world_expect(&w, 250, "");
	world_expect(&w, 20, "FAILED");
	assert_int_equal(w.failure, OVPN_FAILURE_TIMEOUT);
	assert_true(ovpn_session_is_over(w.session));
	assert_int_equal(ovpn_session_deadline(w.session), UINT64_MAX);
	world_fini(&w);
}

static int soft_reset(struct world *w, uint8_t key_id, uint32_t packet_id)
{
	uint8_t buf[CONTROL_PACKET_MAX];
	struct control_packet p = {
		.opcode = P_CONTROL_SOFT_RESET_V1,
		.key_id = key_id,
		.session_id = w->client.own,
		.packet_id = packet_id,
	};
	size_t n = session_client_wrap(&w->client, &p, buf, 1700001005);
	return ovpn_session_receive(w->session, buf, n, w->now_ns);
}

/* Each costs a signature: who begins them one after the other has to wait in between. */
static void not_one_after_the_other(void **state)
{
	struct world w;
	world_init(&w, WRAP_TLS_CRYPT);
	world_connect(&w);
	world_forget(&w);
	session_client_renegotiate(&w.client);
	world_run_ms(&w, 200);
	session_client_renegotiate(&w.client);
	world_run_ms(&w, 1500);
	assert_string_equal(w.said, "AUTHENTICATE READY1 ACTIVE1");
	world_expect(&w, 5, "AUTHENTICATE READY1 ACTIVE1 AUTHENTICATE READY2 EXPIRED0 ACTIVE2");
	world_fini(&w);
}

/* A server certificate that is renewed is taken at the next renegotiation. */
static void with_another_context(void **state)
{
	static struct world w, other;
	world_init(&w, WRAP_TLS_CRYPT);
	world_connect(&w);
	world_init(&other, WRAP_TLS_CRYPT);
	world_start(&other);
	tls_context_free(w.tls);
	w.config.tls = w.tls = other.tls;
	other.tls = NULL;
	world_fini(&other);
	world_forget(&w);
	ovpn_session_renegotiate(w.session, w.now_ns);
	world_expect(&w, 5, "AUTHENTICATE READY1 ACTIVE1");
	world_fini(&w);
}

static void stray_soft_resets(void **state)
{
	struct world w;
	world_init(&w, WRAP_TLS_CRYPT);
	w.defers = true;
	world_start(&w);
	world_expect(&w, 2, "AUTHENTICATE");
	for (uint8_t id = 0; id < 8; id++) /* before there is a key */
		assert_int_equal(soft_reset(&w, id, 0), -EBADMSG);
	assert_int_equal(ovpn_session_accept(w.session, &w.push, w.now_ns), 0);
	world_expect(&w, 3, UP);
	for (uint8_t id = 0; id < 8; id++) /* all but the next */
		assert_int_equal(id != 1 ? soft_reset(&w, id, 0) : -EBADMSG, -EBADMSG);
	assert_int_equal(soft_reset(&w, 1, 1), -EBADMSG); /* and it is the first of its key */
	world_forget(&w);
	w.defers = false;
	session_client_renegotiate(&w.client);
	world_expect(&w, 2, "AUTHENTICATE READY1 ACTIVE1");
	assert_int_equal(soft_reset(&w, 1, 0), 0); /* again: acked, no more */
	world_expect(&w, 2, "AUTHENTICATE READY1 ACTIVE1");
	world_fini(&w);
}

/* While a key is made, PUSH_UPDATE waits for it: clients hear the newest alone. */
static void updates_wait_for_the_key(void **state)
{
	struct world w;
	struct ip_prefix route;
	world_init(&w, WRAP_TLS_CRYPT);
	w.setup.peer_info = "IV_NCP=2\nIV_CIPHERS=AES-256-GCM\nIV_PROTO=8094\n";
	world_connect(&w);
	world_forget(&w);
	ovpn_session_renegotiate(w.session, w.now_ns);
	assert_int_equal(ovpn_session_push_update(w.session, &w.push, w.now_ns), 0);
	assert_int_equal(ip_prefix_parse("10.9.0.0/16", &route), 0);
	w.push.routes = &route;
	w.push.route_count = 1;
	assert_int_equal(ovpn_session_push_update(w.session, &w.push, w.now_ns), 0);
	world_expect(&w, 5, "AUTHENTICATE READY1 ACTIVE1");
	const char *update = strstr(w.client.heard, "PUSH_UPDATE,");
	assert_ptr_equal(update, w.client.heard); /* one */
	assert_null(strstr(update + 1, "PUSH_UPDATE,"));
	assert_non_null(strstr(update, ",route 10.9.0.0 255.255.0.0"));
	world_fini(&w);
}

/*
 * O-22. What TLS 1.2 calls renegotiation, inside a control channel, is refused. OpenSSL's client gives its TLS up
 * over that; the session makes another, and its keys serve on.
 */
static void inside_tls_it_is_refused(void **state)
{
	struct world w;
	world_init(&w, WRAP_TLS_CRYPT);
	w.setup.tls_min = w.setup.tls_max = TLS1_2_VERSION;
	world_connect(&w);
	world_forget(&w);
	assert_int_equal(SSL_renegotiate(w.client.key[0].ssl), 1);
	world_expect(&w, 5, "AUTHENTICATE READY1 ACTIVE1");
	assert_true(w.client.tls_failed);
	assert_string_equal(w.client.tls_failure, "no renegotiation");
	assert_int_equal(w.failure, OVPN_FAILURE_NONE);
	world_keys_agree(&w, 0, true);
	world_keys_agree(&w, 1, true);
	assert_int_equal(ovpn_session_command(w.session, "HALT", w.now_ns), 0);
	world_run(&w, 1);
	assert_string_equal(w.client.heard, "HALT\n");
	world_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_the_server),
		cmocka_unit_test(at_scattered_times),
		cmocka_unit_test(by_the_client),
		cmocka_unit_test(by_both_at_once),
		cmocka_unit_test(key_ids_come_around),
		cmocka_unit_test(over_a_bad_wire),
		cmocka_unit_test(tried_again),
		cmocka_unit_test(begun_and_left),
		cmocka_unit_test(ready_and_never_active),
		cmocka_unit_test(as_another_peer),
		cmocka_unit_test(as_a_stranger),
		cmocka_unit_test(exit_before_it_is_accepted),
		cmocka_unit_test(accepted_too_late),
		cmocka_unit_test(refused_by_the_owner),
		cmocka_unit_test(a_key_has_an_end),
		cmocka_unit_test(not_one_after_the_other),
		cmocka_unit_test(with_another_context),
		cmocka_unit_test(stray_soft_resets),
		cmocka_unit_test(updates_wait_for_the_key),
		cmocka_unit_test(inside_tls_it_is_refused),
	};
	return cmocka_run_group_tests(tests, world_certificates_make, world_certificates_free);
}
