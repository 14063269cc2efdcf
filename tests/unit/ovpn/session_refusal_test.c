// SPDX-License-Identifier: Apache-2.0
/* Who does not come in, what the client is told, and what people are. */
#include "tests/unit/ovpn/session_world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void refused(struct world *w, enum ovpn_session_failure why, const char *heard)
{
	world_start(w);
	world_run(w, 4);
	assert_int_equal(w->failure, why);
	assert_string_equal(w->client.heard, heard);
	assert_false(w->has_key[0]);
	assert_null(strstr(w->said, "CONNECTED"));
	assert_true(ovpn_session_is_over(w->session)); /* it was heard */
	assert_true(w->text[0] != '\0');
	assert_int_equal(ovpn_session_accept(w->session, &w->push, w->now_ns), -ENOTCONN);
	assert_int_equal(ovpn_session_command(w->session, "HALT", w->now_ns), -ENOTCONN);
	world_fini(w);
}

static void by_password(struct world *w, const char *username, const char *password)
{
	world_init(w, WRAP_TLS_CRYPT);
	w->config.requires_password = true;
	w->setup.username = username;
	w->setup.password = password;
	w->right_password = "secret";
}

static void wrong_passwords(void **state)
{
	static char long_one[2000];
	struct world w;
	by_password(&w, "alice", "Secret");
	refused(&w, OVPN_FAILURE_PASSWORD, "AUTH_FAILED,wrong password\n");
	assert_string_equal(w.said, "AUTHENTICATE FAILED");
	by_password(&w, "alice", NULL);
	refused(&w, OVPN_FAILURE_PASSWORD, "AUTH_FAILED,username and password are required\n");
	assert_string_equal(w.said, "FAILED");
	by_password(&w, NULL, "secret");
	refused(&w, OVPN_FAILURE_PASSWORD, "AUTH_FAILED,username and password are required\n");
	memset(long_one, 'x', sizeof(long_one) - 1);
	by_password(&w, "alice", long_one);
	refused(&w, OVPN_FAILURE_PASSWORD, "AUTH_FAILED,username or password is too long\n");
	by_password(&w, long_one, "secret");
	w.config.requires_password = false;
	refused(&w, OVPN_FAILURE_PASSWORD, "AUTH_FAILED,username or password is too long\n");
}

/* An old client hears it when it has our key method 2, not before. */
static void an_old_client_is_told(void **state)
{
	struct world w;
	by_password(&w, "site", "wrong");
	w.setup.peer_info = NULL;
	w.setup.is_tcp = true;
	w.setup.options = "V4,dev-type tun,cipher AES-256-CBC,auth SHA1,key-method 2,tls-client";
	refused(&w, OVPN_FAILURE_PASSWORD, "AUTH_FAILED,wrong password\n");
	assert_true(w.client.key[0].has_heard);
}

static void certificates(void **state)
{
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
	for (unsigned int v = 0; v < 2; v++) {
		for (unsigned int none = 0; none < 2; none++) {
			struct world w;
			world_init(&w, WRAP_TLS_CRYPT);
			w.setup.tls_min = w.setup.tls_max = versions[v];
			w.setup.who = none == 1 ? NULL : &world_stranger;
			world_start(&w);
			world_expect(&w, 4, "FAILED");
			assert_int_equal(w.failure, OVPN_FAILURE_CERTIFICATE);
			assert_non_null(w.client.tls_failure); /* an alert told it */
			assert_non_null(strstr(w.client.tls_failure,
				none == 0				? "unknown ca"
					: versions[v] == TLS1_3_VERSION ? "certificate required"
									: "handshake failure"));
			assert_int_equal(w.has_certificate, none == 0); /* so it is known whose */
			assert_true(ovpn_session_is_over(w.session));
			world_fini(&w);
		}
	}
}

/* The listener asks for none in TLS, and yet one is required. */
static void a_certificate_is_required(void **state)
{
	struct world w;
	world_init(&w, WRAP_TLS_CRYPT);
	w.setup.who = NULL;
	w.config.requires_certificate = false;
	world_start(&w);
	w.config.requires_certificate = true; /* the context stays as it is */
	world_run(&w, 4);
	assert_int_equal(w.failure, OVPN_FAILURE_CERTIFICATE);
	assert_string_equal(w.client.heard, "AUTH_FAILED,no certificate\n");
	world_fini(&w);
}

static void only(struct world *w, const char *cipher)
{
	world_init(w, WRAP_TLS_CRYPT);
	w->ciphers.ciphers[0] = data_cipher_find(cipher, strlen(cipher));
	w->ciphers.cipher_count = 1;
}

static void ciphers(void **state)
{
	struct world w;
	only(&w, "AES-192-GCM");
	refused(&w, OVPN_FAILURE_CIPHER,
		"AUTH_FAILED,Data channel cipher negotiation failed (no shared cipher)\n");
	only(&w, "AES-256-GCM");
	w.setup.peer_info = NULL;
	w.setup.options = "V4,dev-type tun,cipher BF-CBC,auth SHA1";
	refused(&w, OVPN_FAILURE_CIPHER,
		"AUTH_FAILED,Data channel cipher negotiation failed (64-bit block cipher, use "
		"AES)\n");
	only(&w, "AES-256-GCM");
	w.setup.peer_info = NULL;
	w.setup.options = "V4,dev-type tun,cipher [null-cipher],auth [null-digest]";
	refused(&w, OVPN_FAILURE_CIPHER,
		"AUTH_FAILED,Data channel cipher negotiation failed (cipher none is not "
		"allowed)\n");
	only(&w, "AES-256-CBC");
	w.ciphers.digest_count = 1; /* SHA512 */
	w.setup.peer_info = NULL;
	w.setup.options = "V4,dev-type tun,cipher AES-256-CBC,auth SHA1";
	refused(&w, OVPN_FAILURE_CIPHER,
		"AUTH_FAILED,Data channel cipher negotiation failed (auth digest not allowed)\n");
}

static void options(void **state)
{
	struct world w;
	world_init(&w, WRAP_TLS_CRYPT);
	w.setup.options = "V4,dev-type tun,mtu-dynamic,cipher AES-256-GCM";
	refused(&w, OVPN_FAILURE_OPTIONS,
		"AUTH_FAILED,fragment is not supported: remove it from the configuration\n");
	world_init(&w, WRAP_TLS_CRYPT);
	w.setup.options = "V4,dev-type tap,cipher AES-256-GCM";
	refused(&w, OVPN_FAILURE_OPTIONS,
		"AUTH_FAILED,dev tap is not supported: use dev tun (mode ip)\n");
	world_init(&w, WRAP_TLS_CRYPT);
	w.setup.peer_info = "IV_NCP=2\nIV_PROTO=34\n";
	refused(&w, OVPN_FAILURE_OPTIONS,
		"AUTH_FAILED,the client does not pull: use client mode\n");
}

/* What cannot be read cannot be answered. */
static void unreadable(void **state)
{
	struct world w;
	world_init(&w, WRAP_TLS_CRYPT);
	w.setup.options = "V4,dev-type \x01tun";
	world_start(&w);
	world_expect(&w, 6, "FAILED");
	assert_int_equal(w.failure, OVPN_FAILURE_OPTIONS);
	world_fini(&w);
	for (unsigned int i = 0; i < 3; i++) {
		static const char *const records[] = {"", "GET / HTTP/1.0\r\n\r\n", "PUSH_REQUEST"};
		world_init(&w, WRAP_NONE);
		world_start(&w);
		w.client.key[0].has_said = true; /* and now something else */
		world_run(&w, 1);
		assert_int_equal(w.failure, OVPN_FAILURE_NONE);
		if (i == 0)
			(void)SSL_shutdown(w.client.key[0].ssl);
		else
			session_client_say(&w.client, records[i], strlen(records[i]) + 1);
		world_expect(&w, 6, "FAILED");
		assert_int_equal(w.failure, i == 0 ? OVPN_FAILURE_TLS : OVPN_FAILURE_OPTIONS);
		assert_true(ovpn_session_is_over(w.session));
		world_fini(&w);
	}
}

static void a_reply_that_cannot_be_written(void **state)
{
	struct world w;
	world_init(&w, WRAP_TLS_CRYPT);
	w.defers = true;
	world_start(&w);
	world_expect(&w, 2, "AUTHENTICATE");
	w.push.domains[0] = "not a domain";
	w.push.domain_count = 1;
	assert_int_equal(ovpn_session_accept(w.session, &w.push, w.now_ns), -EINVAL);
	world_expect(&w, 2, "AUTHENTICATE FAILED");
	assert_string_equal(w.client.heard, "AUTH_FAILED,internal error\n");
	assert_true(ovpn_session_is_over(w.session));
	world_fini(&w);
}

/* Nobody is there: no more than a hand window. */
static void silence(void **state)
{
	struct world w;
	world_init(&w, WRAP_TLS_CRYPT);
	w.setup.is_tcp = true;
	world_start(&w);
	world_run_ms(&w, 15); /* its reset has come */
	assert_non_null(w.session);
	w.cut = true;
	w.under_way = 0;
	world_expect(&w, 59, "");
	world_expect(&w, 2, "FAILED");
	assert_int_equal(w.failure, OVPN_FAILURE_TIMEOUT);
	assert_string_equal(w.text, "no key within the hand window");
	assert_true(ovpn_session_is_over(w.session));
	assert_int_equal(ovpn_session_deadline(w.session), UINT64_MAX);
	world_fini(&w);
}

/* The farewell is not acked: it ends all the same. */
static void a_farewell_nobody_hears(void **state)
{
	struct world w;
	world_init(&w, WRAP_TLS_CRYPT);
	w.defers = true;
	world_start(&w);
	world_run(&w, 2);
	w.cut = true;
	ovpn_session_refuse(w.session, OVPN_FAILURE_PASSWORD, "no\x7f", w.now_ns);
	ovpn_session_refuse(w.session, OVPN_FAILURE_CIPHER, "no more", w.now_ns);
	world_expect(&w, 4, "AUTHENTICATE FAILED");
	assert_int_equal(w.failure, OVPN_FAILURE_PASSWORD);
	assert_false(ovpn_session_is_over(w.session));
	world_run(&w, 2);
	assert_true(ovpn_session_is_over(w.session));
	world_fini(&w);
}

/* A peer that is removed while it is connected. */
static void while_connected(void **state)
{
	struct world w;
	world_init(&w, WRAP_TLS_CRYPT);
	world_connect(&w);
	world_forget(&w);
	ovpn_session_refuse(w.session, OVPN_FAILURE_PASSWORD, NULL, w.now_ns);
	world_expect(&w, 1, "FAILED");
	assert_string_equal(w.client.heard, "AUTH_FAILED\n");
	assert_true(ovpn_session_is_over(w.session));
	world_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_passwords),
		cmocka_unit_test(an_old_client_is_told),
		cmocka_unit_test(certificates),
		cmocka_unit_test(a_certificate_is_required),
		cmocka_unit_test(ciphers),
		cmocka_unit_test(options),
		cmocka_unit_test(unreadable),
		cmocka_unit_test(a_reply_that_cannot_be_written),
		cmocka_unit_test(silence),
		cmocka_unit_test(a_farewell_nobody_hears),
		cmocka_unit_test(while_connected),
	};
	return cmocka_run_group_tests(tests, world_certificates_make, world_certificates_free);
}
