// SPDX-License-Identifier: Apache-2.0
/* The server's TLS against OpenSSL as a client, both in memory. */
#include "dataplane/ovpn/tls.h"

#include "bench/certificate.h"

#include <errno.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct certificate ca, other_ca, server, alice, nul_name, stranger;

struct client {
	SSL_CTX *context;
	SSL *ssl;
	BIO *in, *out;
};

/* who: NULL shows no certificate. */
static struct client client_new(int min, int max, const struct certificate *who)
{
	struct client c = {.context = SSL_CTX_new(TLS_client_method())};
	assert_non_null(c.context);
	SSL_CTX_set_security_level(c.context, 0);
	assert_int_equal(SSL_CTX_set_min_proto_version(c.context, min), 1);
	assert_int_equal(SSL_CTX_set_max_proto_version(c.context, max), 1);
	if (who != NULL) {
		BIO *b = BIO_new_mem_buf(who->certificate, -1);
		X509 *x = PEM_read_bio_X509(b, NULL, NULL, NULL);
		assert_int_equal(SSL_CTX_use_certificate(c.context, x), 1);
		X509_free(x);
		BIO_free(b);
		b = BIO_new_mem_buf(who->private_key, -1);
		EVP_PKEY *key = PEM_read_bio_PrivateKey(b, NULL, NULL, NULL);
		assert_int_equal(SSL_CTX_use_PrivateKey(c.context, key), 1);
		EVP_PKEY_free(key);
		BIO_free(b);
	}
	c.ssl = SSL_new(c.context);
	c.in = BIO_new(BIO_s_mem());
	c.out = BIO_new(BIO_s_mem());
	SSL_set_bio(c.ssl, c.in, c.out);
	SSL_set_connect_state(c.ssl);
	return c;
}

static void client_free(struct client *c)
{
	SSL_free(c->ssl);
	SSL_CTX_free(c->context);
}

static struct tls_config config(void)
{
	return (struct tls_config){
		.certificate = server.certificate,
		.private_key = server.private_key,
		.ca = ca.certificate,
		.certificate_required = true,
		.min = TLS_VERSION_1_2,
		.security_level = 1,
	};
}

static struct tls_context *context_of(const struct tls_config *c)
{
	struct tls_context *context;
	const char *what = NULL;
	assert_int_equal(tls_context_new(c, &context, &what), 0);
	assert_null(what);
	return context;
}

/* What the client has to say, at most step bytes at a time. */
static void to_server(struct client *c, struct tls *t, size_t step)
{
	uint8_t buf[4096];
	int n;
	while ((n = BIO_read(c->out, buf, (int)(step < sizeof(buf) ? step : sizeof(buf)))) > 0)
		assert_int_equal(tls_receive(t, buf, (size_t)n), 0);
}

static void to_client(struct client *c, struct tls *t)
{
	uint8_t buf[300];
	size_t n;
	while ((n = tls_take(t, buf, sizeof(buf))) > 0)
		assert_int_equal(BIO_write(c->in, buf, (int)n), (int)n);
	assert_int_equal(tls_pending(t), 0);
}

/* Both sides until nothing moves any more: what the server's last call said. */
static int shake_hands(struct client *c, struct tls *t, size_t step)
{
	int err = -EAGAIN;
	for (unsigned int round = 0; round < 8 && err != -EPROTO; round++) {
		(void)SSL_do_handshake(c->ssl);
		to_server(c, t, step);
		err = tls_handshake(t);
		to_client(c, t);
	}
	return err;
}

struct pair {
	struct tls_context *context;
	struct tls *tls;
	struct client client;
};

static struct pair pair_new(
	const struct tls_config *c, int min, int max, const struct certificate *who)
{
	struct pair p = {.context = context_of(c), .client = client_new(min, max, who)};
	assert_int_equal(tls_new(p.context, &p.tls), 0);
	return p;
}

static struct pair connected(int version)
{
	struct tls_config c = config();
	struct pair p = pair_new(&c, version, version, &alice);
	assert_int_equal(shake_hands(&p.client, p.tls, 4096), 0);
	assert_int_equal(SSL_is_init_finished(p.client.ssl), 1);
	assert_int_equal(SSL_version(p.client.ssl), version);
	return p;
}

static void pair_free(struct pair *p)
{
	client_free(&p->client);
	tls_free(p->tls);
	tls_context_free(p->context);
}

static void client_says(struct pair *p, const void *data, size_t len)
{
	assert_int_equal(SSL_write(p->client.ssl, data, (int)len), (int)len);
}

static void a_message_is_a_record(void **state)
{
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
	for (unsigned int v = 0; v < 2; v++) {
		uint8_t buf[2048];
		struct pair p = connected(versions[v]);
		assert_int_equal(tls_read(p.tls, buf, sizeof(buf)), -EAGAIN);
		client_says(&p, "key method", 10);
		client_says(&p, "PUSH_REQUEST", 13);
		to_server(&p.client, p.tls, 4096);
		assert_int_equal(tls_read(p.tls, buf, sizeof(buf)), 10);
		assert_memory_equal(buf, "key method", 10);
		assert_int_equal(tls_read(p.tls, buf, sizeof(buf)), 13);
		assert_memory_equal(buf, "PUSH_REQUEST", 13);
		assert_int_equal(tls_read(p.tls, buf, sizeof(buf)), -EAGAIN);
		assert_int_equal(tls_write(p.tls, (const uint8_t *)"PUSH_REPLY", 11), 0);
		to_client(&p.client, p.tls);
		assert_int_equal(SSL_read(p.client.ssl, buf, sizeof(buf)), 11);
		assert_string_equal((char *)buf, "PUSH_REPLY");
		pair_free(&p);
	}
}

static void bytes_may_come_one_by_one(void **state)
{
	struct tls_config c = config();
	struct pair p = pair_new(&c, TLS1_2_VERSION, TLS1_3_VERSION, &alice);
	assert_int_equal(shake_hands(&p.client, p.tls, 1), 0);
	pair_free(&p);
}

static void both_export_the_same(void **state)
{
	struct key_block ours, theirs;
	struct tls_config c = config();
	struct pair p = pair_new(&c, TLS1_2_VERSION, TLS1_3_VERSION, &alice);
	assert_int_equal(tls_export(p.tls, &ours), -ENOTCONN);
	assert_int_equal(tls_write(p.tls, (const uint8_t *)"x", 1), -ENOTCONN);
	assert_int_equal(shake_hands(&p.client, p.tls, 4096), 0);
	assert_int_equal(tls_export(p.tls, &ours), 0);
	assert_int_equal(SSL_export_keying_material(p.client.ssl, theirs.bytes,
				 sizeof(theirs.bytes), "EXPORTER-OpenVPN-datakeys", 25, NULL, 0, 0),
		1);
	assert_memory_equal(ours.bytes, theirs.bytes, sizeof(ours.bytes));
	pair_free(&p);
}

static void the_certificate_is_told(void **state)
{
	char name[TLS_NAME_MAX + 1];
	uint8_t print[TLS_FINGERPRINT_LEN], zero[TLS_FINGERPRINT_LEN] = {0};
	struct pair p = connected(TLS1_3_VERSION);
	assert_int_equal(tls_peer_name(p.tls, name), 0);
	assert_string_equal(name, "alice");
	assert_int_equal(tls_peer_fingerprint(p.tls, print), 0);
	assert_memory_not_equal(print, zero, sizeof(print));
	pair_free(&p);
}

static void a_name_with_a_nul_is_no_name(void **state)
{
	char name[TLS_NAME_MAX + 1];
	struct tls_config c = config();
	struct pair p = pair_new(&c, TLS1_2_VERSION, TLS1_3_VERSION, &nul_name);
	assert_int_equal(shake_hands(&p.client, p.tls, 4096), 0);
	assert_int_equal(tls_peer_name(p.tls, name), -EINVAL);
	pair_free(&p);
}

static void no_certificate_where_none_is_asked_for(void **state)
{
	char name[TLS_NAME_MAX + 1];
	uint8_t print[TLS_FINGERPRINT_LEN];
	struct tls_config c = config();
	c.certificate_required = false;
	struct pair p = pair_new(&c, TLS1_2_VERSION, TLS1_3_VERSION, NULL);
	assert_int_equal(shake_hands(&p.client, p.tls, 4096), 0);
	assert_int_equal(tls_peer_name(p.tls, name), -ENOENT);
	assert_int_equal(tls_peer_fingerprint(p.tls, print), -ENOENT);
	pair_free(&p);
}

/* Nobody's, where TLS came to nothing before the certificate. */
static void assert_refused_is(const struct pair *p, const struct certificate *who)
{
	uint8_t told[TLS_FINGERPRINT_LEN], shown[TLS_FINGERPRINT_LEN];
	unsigned int len = 0;
	if (who == NULL || !tls_refused_certificate(p->tls)) {
		assert_int_equal(tls_refused_fingerprint(p->tls, told), -ENOENT);
		return;
	}
	X509_digest(SSL_get_certificate(p->client.ssl), EVP_sha256(), shown, &len);
	assert_int_equal(tls_refused_fingerprint(p->tls, told), 0);
	assert_memory_equal(told, shown, sizeof(told));
	assert_int_equal(tls_peer_fingerprint(p->tls, told), -ENOENT); /* it is not theirs */
}

static void refused(const struct tls_config *c, int min, int max, const struct certificate *who,
	const char *words)
{
	uint8_t buf[64];
	struct pair p = pair_new(c, min, max, who);
	assert_int_equal(shake_hands(&p.client, p.tls, 4096), -EPROTO);
	assert_non_null(strstr(tls_failure(p.tls), words));
	/* for good */
	assert_int_equal(tls_handshake(p.tls), -EPROTO);
	assert_int_equal(tls_read(p.tls, buf, sizeof(buf)), -EPROTO);
	assert_int_equal(tls_write(p.tls, buf, 1), -EPROTO);
	assert_refused_is(&p, who);
	pair_free(&p);
}

static void who_may_not_come_in(void **state)
{
	struct tls_config c = config();
	refused(&c, TLS1_2_VERSION, TLS1_2_VERSION, NULL, "certificate");
	refused(&c, TLS1_3_VERSION, TLS1_3_VERSION, NULL, "certificate");
	refused(&c, TLS1_2_VERSION, TLS1_2_VERSION, &stranger, "issuer certificate");
	refused(&c, TLS1_3_VERSION, TLS1_3_VERSION, &stranger, "issuer certificate");
	c.certificate_required = false; /* a wrong one is still wrong */
	refused(&c, TLS1_3_VERSION, TLS1_3_VERSION, &stranger, "issuer certificate");
}

/* Of the right CA, and still not right. */
static void certificates_have_a_time_and_a_purpose(void **state)
{
	static const struct {
		enum certificate_oddity odd;
		const char *words;
	} wrong[] = {
		{CERTIFICATE_EXPIRED, "expired"},
		{CERTIFICATE_NOT_YET, "not yet valid"},
		{CERTIFICATE_OF_SERVER, "purpose"},
	};
	struct tls_config c = config();
	for (size_t n = 0; n < sizeof(wrong) / sizeof(wrong[0]); n++) {
		struct certificate who = certificate_make_odd(&ca, "alice", wrong[n].odd);
		refused(&c, TLS1_2_VERSION, TLS1_2_VERSION, &who, wrong[n].words);
		refused(&c, TLS1_3_VERSION, TLS1_3_VERSION, &who, wrong[n].words);
		certificate_free(&who);
	}
}

/* Four from the root to the client, no more. */
static void a_chain_has_a_greatest_length(void **state)
{
	struct certificate link[3], who;
	char bundle[8000];
	struct tls_config c = config();
	c.ca = bundle;
	(void)snprintf(bundle, sizeof(bundle), "%s", ca.certificate);
	for (unsigned int n = 0; n < 3; n++) {
		char name[] = {'c', 'a', (char)('1' + n), 0};
		link[n] =
			certificate_make_odd(n == 0 ? &ca : &link[n - 1], name, CERTIFICATE_SIGNS);
		size_t len = strlen(bundle);
		(void)snprintf(bundle + len, sizeof(bundle) - len, "%s", link[n].certificate);
	}
	who = certificate_make(&link[1], "alice", 5);
	struct pair p = pair_new(&c, TLS1_3_VERSION, TLS1_3_VERSION, &who);
	assert_int_equal(shake_hands(&p.client, p.tls, 4096), 0);
	pair_free(&p);
	certificate_free(&who);
	who = certificate_make(&link[2], "alice", 5);
	refused(&c, TLS1_3_VERSION, TLS1_3_VERSION, &who, "chain too long");
	certificate_free(&who);
	for (unsigned int n = 0; n < 3; n++)
		certificate_free(&link[n]);
}

static void versions_have_a_minimum(void **state)
{
	struct tls_config c = config();
	refused(&c, TLS1_VERSION, TLS1_1_VERSION, &alice, "protocol");
	c.min = TLS_VERSION_1_3;
	refused(&c, TLS1_2_VERSION, TLS1_2_VERSION, &alice, "protocol");
	c.min = TLS_VERSION_1_0;
	c.security_level = 0;
	struct pair p = pair_new(&c, TLS1_VERSION, TLS1_VERSION, &alice);
	assert_int_equal(shake_hands(&p.client, p.tls, 4096), 0);
	pair_free(&p);
}

static void nothing_is_resumed(void **state)
{
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
	for (unsigned int v = 0; v < 2; v++) {
		struct pair p = connected(versions[v]);
		/* the client reads whatever would bring a ticket */
		char byte;
		(void)SSL_read(p.client.ssl, &byte, 1);
		SSL_SESSION *kept = SSL_get1_session(p.client.ssl);
		struct tls *again;
		struct client c = client_new(versions[v], versions[v], &alice);
		assert_int_equal(tls_new(p.context, &again), 0);
		(void)SSL_set_session(c.ssl, kept);
		assert_int_equal(shake_hands(&c, again, 4096), 0);
		assert_int_equal(SSL_session_reused(c.ssl), 0);
		tls_free(again);
		client_free(&c);
		SSL_SESSION_free(kept);
		pair_free(&p);
	}
}

static unsigned int alerts_heard;

/* OpenSSL's callback for what happens to the client. */
static void note_alert(const SSL *ssl, int where, int alert)
{
	if (where == SSL_CB_READ_ALERT && alert == (SSL3_AL_WARNING << 8 | SSL_AD_NO_RENEGOTIATION))
		alerts_heard++;
}

/* O-22. The client is told no, and what was agreed upon goes on; it is the client that gives up then. */
static void a_renegotiation_inside_is_refused(void **state)
{
	uint8_t buf[64];
	struct key_block before, after;
	struct pair p = connected(TLS1_2_VERSION);
	assert_int_equal(tls_export(p.tls, &before), 0);
	SSL_set_info_callback(p.client.ssl, note_alert);
	alerts_heard = 0;
	client_says(&p, "before", 6);
	assert_int_equal(SSL_renegotiate(p.client.ssl), 1);
	(void)SSL_do_handshake(p.client.ssl);
	to_server(&p.client, p.tls, 4096);
	assert_int_equal(tls_read(p.tls, buf, sizeof(buf)), 6);
	assert_int_equal(tls_read(p.tls, buf, sizeof(buf)), -EAGAIN);
	assert_string_equal(tls_failure(p.tls), "");
	assert_int_equal(tls_handshake(p.tls), 0);
	assert_int_equal(tls_write(p.tls, (const uint8_t *)"after", 5), 0);
	assert_int_equal(tls_export(p.tls, &after), 0);
	assert_memory_equal(before.bytes, after.bytes, sizeof(before.bytes));
	to_client(&p.client, p.tls);
	assert_true(SSL_do_handshake(p.client.ssl) <= 0);
	assert_int_equal(alerts_heard, 1);
	pair_free(&p);
}

static void rubbish_ends_it(void **state)
{
	uint8_t rubbish[200];
	memset(rubbish, 0x5a, sizeof(rubbish));
	struct tls_config c = config();
	struct pair p = pair_new(&c, TLS1_2_VERSION, TLS1_3_VERSION, &alice);
	assert_int_equal(tls_receive(p.tls, rubbish, sizeof(rubbish)), 0);
	assert_int_equal(tls_handshake(p.tls), -EPROTO);
	assert_true(strlen(tls_failure(p.tls)) > 0);
	pair_free(&p);
	p = connected(TLS1_3_VERSION);
	assert_int_equal(tls_receive(p.tls, rubbish, sizeof(rubbish)), 0);
	assert_int_equal(tls_read(p.tls, rubbish, sizeof(rubbish)), -EPROTO);
	pair_free(&p);
}

static void the_end_is_told(void **state)
{
	uint8_t buf[16];
	struct pair p = connected(TLS1_2_VERSION);
	(void)SSL_shutdown(p.client.ssl);
	to_server(&p.client, p.tls, 4096);
	assert_int_equal(tls_read(p.tls, buf, sizeof(buf)), -EPIPE);
	pair_free(&p);
}

static void a_message_has_a_greatest_length(void **state)
{
	static uint8_t large[3000];
	uint8_t buf[2048];
	struct pair p = connected(TLS1_3_VERSION);
	client_says(&p, large, sizeof(buf));
	to_server(&p.client, p.tls, 4096);
	assert_int_equal(tls_read(p.tls, buf, sizeof(buf)), sizeof(buf));
	client_says(&p, large, sizeof(buf) + 1);
	to_server(&p.client, p.tls, 4096);
	assert_int_equal(tls_read(p.tls, buf, sizeof(buf)), -EMSGSIZE);
	assert_int_equal(tls_read(p.tls, buf, sizeof(buf)), -EPROTO);
	pair_free(&p);
}

static void what_waits_is_bounded(void **state)
{
	static uint8_t flood[TLS_PENDING_MAX];
	struct tls_config c = config();
	struct pair p = pair_new(&c, TLS1_2_VERSION, TLS1_3_VERSION, &alice);
	assert_int_equal(tls_receive(p.tls, flood, sizeof(flood) - 1), 0);
	assert_int_equal(tls_receive(p.tls, flood, 2), -ENOBUFS);
	assert_int_equal(tls_receive(p.tls, flood, 1), 0);
	assert_int_equal(tls_receive(p.tls, flood, 1), -ENOBUFS);
	assert_int_equal(tls_receive(p.tls, NULL, 0), 0);
	pair_free(&p);
}

static void is_refused(const struct tls_config *c, const char *part)
{
	struct tls_context *context;
	const char *what = NULL;
	assert_int_equal(tls_context_new(c, &context, &what), -EINVAL);
	assert_string_equal(what, part);
}

static void a_wrong_part_is_named(void **state)
{
	struct tls_config c = config();
	c.certificate = "no PEM";
	is_refused(&c, "certificate");
	c = config();
	c.private_key = alice.private_key;
	is_refused(&c, "private key");
	c.private_key = NULL;
	is_refused(&c, "private key");
	c = config();
	c.ca = "";
	is_refused(&c, "CA");
	c.ca = NULL;
	is_refused(&c, "CA");
	c = config();
	c.ciphers = "NO-SUCH-CIPHER";
	is_refused(&c, "TLS ciphers");
	c = config();
	c.security_level = 6;
	is_refused(&c, "TLS version or security level");
}

static int set_up(void **state)
{
	ca = certificate_make(NULL, "Nave CA", 7);
	other_ca = certificate_make(NULL, "Other CA", 8);
	server = certificate_make(&ca, "hub", 3);
	alice = certificate_make(&ca, "alice", 5);
	nul_name = certificate_make(&ca, "alice\0mallory", 13);
	stranger = certificate_make(&other_ca, "alice", 5);
	return 0;
}

static int tear_down(void **state)
{
	struct certificate *all[] = {&ca, &other_ca, &server, &alice, &nul_name, &stranger};
	for (unsigned int i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		certificate_free(all[i]);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_is_a_record),
		cmocka_unit_test(bytes_may_come_one_by_one),
		cmocka_unit_test(both_export_the_same),
		cmocka_unit_test(the_certificate_is_told),
		cmocka_unit_test(a_name_with_a_nul_is_no_name),
		cmocka_unit_test(no_certificate_where_none_is_asked_for),
		cmocka_unit_test(who_may_not_come_in),
		cmocka_unit_test(certificates_have_a_time_and_a_purpose),
		cmocka_unit_test(a_chain_has_a_greatest_length),
		cmocka_unit_test(versions_have_a_minimum),
		cmocka_unit_test(nothing_is_resumed),
		cmocka_unit_test(a_renegotiation_inside_is_refused),
		cmocka_unit_test(rubbish_ends_it),
		cmocka_unit_test(the_end_is_told),
		cmocka_unit_test(a_message_has_a_greatest_length),
		cmocka_unit_test(what_waits_is_bounded),
		cmocka_unit_test(a_wrong_part_is_named),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
