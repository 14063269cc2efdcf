// SPDX-License-Identifier: Apache-2.0
#include "bench/session_client.h"

#undef NDEBUG /* the calls that are checked stand in the checks */
#include <assert.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

static const char usual_options[] =
	"V4,dev-type tun,link-mtu 1549,tun-mtu 1500,proto UDPv4,cipher AES-256-GCM,"
	"auth [null-digest],keysize 256,key-method 2,tls-client";
static const char push_request[] = "PUSH_REQUEST";

static void use(SSL_CTX *context, const struct certificate *who)
{
	BIO *b = BIO_new_mem_buf(who->certificate, -1);
	X509 *x = PEM_read_bio_X509(b, NULL, NULL, NULL);
	assert(SSL_CTX_use_certificate(context, x) == 1);
	X509_free(x);
	BIO_free(b);
	b = BIO_new_mem_buf(who->private_key, -1);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(b, NULL, NULL, NULL);
	assert(SSL_CTX_use_PrivateKey(context, key) == 1);
	EVP_PKEY_free(key);
	BIO_free(b);
}

static struct client_key *key_begin(struct session_client *c, uint8_t key_id)
{
	struct client_key *k = &c->key[key_id];
	SSL_free(k->ssl);
	memset(k, 0, sizeof(*k));
	k->is_used = true;
	k->key_id = key_id;
	k->ssl = SSL_new(c->context);
	k->in = BIO_new(BIO_s_mem());
	k->out = BIO_new(BIO_s_mem());
	assert(k->ssl != NULL && k->in != NULL && k->out != NULL);
	SSL_set_bio(k->ssl, k->in, k->out);
	SSL_set_connect_state(k->ssl);
	reliability_init(&k->reliability, 0, 0, !c->setup.is_tcp);
	c->newest = key_id;
	/* as 2.6: no key but the newest and the one before */
	for (unsigned int i = 0; i < CLIENT_KEYS; i++)
		if (c->key[i].is_used && i != key_id && i != (key_id == 1 ? 0U : key_id - 1U)
			&& !(key_id == 1 && i == CLIENT_KEYS - 1))
			c->key[i].is_used = false;
	return k;
}

static void queue(struct client_key *k, enum opcode opcode, const uint8_t *data, size_t len)
{
	assert(reliability_queue(&k->reliability, (uint8_t)opcode, data, len) == 0);
}

void session_client_init(struct session_client *c, const struct session_client_setup *setup)
{
	enum opcode reset = setup->mode == WRAP_TLS_CRYPT_V2 ? P_CONTROL_HARD_RESET_CLIENT_V3
							     : P_CONTROL_HARD_RESET_CLIENT_V2;
	struct wrap_config w = {setup->mode, WRAP_SHA256, KEY_DIRECTION_1, true, setup->key};
	memset(c, 0, sizeof(*c));
	c->setup = *setup;
	assert(wrap_init(&c->wrap, &w) == 0);
	c->context = SSL_CTX_new(TLS_client_method());
	assert(c->context != NULL);
	SSL_CTX_set_security_level(c->context, 0);
	assert(SSL_CTX_set_min_proto_version(c->context, setup->tls_min) == 1);
	assert(SSL_CTX_set_max_proto_version(c->context, setup->tls_max) == 1);
	if (setup->who != NULL)
		use(c->context, setup->who);
	memset(c->own.bytes, 0xc1, sizeof(c->own.bytes));
	struct client_key *k = key_begin(c, 0);
	queue(k, reset, NULL, 0);
	if (setup->double_reset)
		queue(k, reset, NULL, 0);
}

void session_client_fini(struct session_client *c)
{
	for (unsigned int i = 0; i < CLIENT_KEYS; i++)
		SSL_free(c->key[i].ssl);
	SSL_CTX_free(c->context);
	wrap_fini(&c->wrap);
}

static size_t put_string(uint8_t *at, const char *text)
{
	size_t len = text != NULL && text[0] != '\0' ? strlen(text) + 1 : 0;
	write_be16(at, (uint16_t)len);
	if (len > 0)
		memcpy(at + 2, text, len);
	return 2 + len;
}

static void say_key_method(struct session_client *c, struct client_key *k)
{
	const struct session_client_setup *s = &c->setup;
	uint8_t m[6000] = {0, 0, 0, 0, 2};
	size_t n = 5;
	memset(k->source.pre_master, 0x11 + k->key_id, sizeof(k->source.pre_master));
	memset(&k->source.client, 0x22, sizeof(k->source.client));
	memcpy(m + n, k->source.pre_master, sizeof(k->source.pre_master));
	n += sizeof(k->source.pre_master);
	memcpy(m + n, &k->source.client, sizeof(k->source.client));
	n += sizeof(k->source.client);
	n += put_string(m + n, s->options != NULL ? s->options : usual_options);
	n += put_string(m + n, s->username);
	n += put_string(m + n, s->password);
	if (s->peer_info != NULL)
		n += put_string(m + n, s->peer_info);
	assert(SSL_write(k->ssl, m, (int)n) == (int)n);
	k->has_said = true;
	if (s->push_with_key_method && k->key_id == 0)
		assert(SSL_write(k->ssl, push_request, sizeof(push_request)) > 0);
}

static void hear_key_method(
	struct session_client *c, struct client_key *k, const uint8_t *record, int len)
{
	assert(len >= 5 + (int)sizeof(k->source.server) && record[4] == 2);
	memcpy(&k->source.server, record + 5, sizeof(k->source.server));
	k->has_heard = true;
	assert(key_block_derive(&k->source, &c->own, &c->server, &k->prf) == 0);
	assert(SSL_export_keying_material(k->ssl, k->exported.bytes, KEY_BLOCK_LEN,
		       "EXPORTER-OpenVPN-datakeys", 25, NULL, 0, 0)
		== 1);
	if (k->key_id == 0 && !c->setup.does_not_pull && !c->setup.push_with_key_method)
		assert(SSL_write(k->ssl, push_request, sizeof(push_request)) > 0);
}

static void hear(struct session_client *c, const uint8_t *record, int len)
{
	for (int i = 0; i < len; i++) {
		assert(c->heard_len + 1 < sizeof(c->heard));
		c->heard[c->heard_len++] = record[i] != '\0' ? (char)record[i] : '\n';
	}
	c->heard[c->heard_len] = '\0';
}

static void note_failure(struct session_client *c, const struct client_key *k, int returned)
{
	if (SSL_get_error(k->ssl, returned) != SSL_ERROR_SSL)
		return;
	c->tls_failed = true;
	if (c->tls_failure == NULL)
		c->tls_failure = ERR_reason_error_string(ERR_peek_error());
}

static void speak_tls(struct session_client *c, struct client_key *k)
{
	uint8_t record[20000];
	int n;
	ERR_clear_error(); /* the server may have left some, on the same thread */
	n = SSL_do_handshake(k->ssl);
	if (n != 1) {
		note_failure(c, k, n);
		return;
	}
	if (!k->has_said)
		say_key_method(c, k);
	while ((n = SSL_read(k->ssl, record, sizeof(record))) > 0) {
		if (!k->has_heard)
			hear_key_method(c, k, record, n);
		else
			hear(c, record, n);
	}
	note_failure(c, k, n);
}

static void fill(struct session_client *c, struct client_key *k)
{
	uint8_t buf[900];
	int n, chunk = c->setup.chunk > 0 ? (int)c->setup.chunk : (int)sizeof(buf);
	bool may_speak = k->reliability.receive_next > 0 || c->setup.early_hello;
	if (may_speak)
		speak_tls(c, k);
	while (reliability_room(&k->reliability) > 0 && (n = BIO_read(k->out, buf, chunk)) > 0) {
		queue(k, c->sends_wkc ? P_CONTROL_WKC_V1 : P_CONTROL_V1, buf, (size_t)n);
		c->sends_wkc = false;
	}
}

static void take_in(struct session_client *c, struct client_key *k)
{
	const struct reliability_in *in;
	while ((in = reliability_deliver(&k->reliability)) != NULL) {
		if (in->opcode == P_CONTROL_HARD_RESET_SERVER_V2 && in->len == 6)
			c->sends_wkc = true; /* it asks for the key once more */
		if (in->opcode == P_CONTROL_V1)
			assert(BIO_write(k->in, in->payload, in->len) == in->len);
	}
}

void session_client_receive(struct session_client *c, const uint8_t *wire, size_t len)
{
	struct wrap_opened o;
	struct control_packet p;
	if (wrap_open(&c->wrap, &c->replay, wire, len, &o) != 0
		|| control_packet_parse(o.plain, o.len, &p) != 0
		|| (p.ack_count > 0 && !session_id_equal(&p.remote_session_id, &c->own))
		|| (c->knows_server && !session_id_equal(&p.session_id, &c->server))) {
		c->refused++;
		return;
	}
	struct client_key *k = &c->key[p.key_id];
	if (!c->knows_server && p.opcode == P_CONTROL_HARD_RESET_SERVER_V2) {
		c->server = p.session_id;
		c->knows_server = true;
	}
	if (p.opcode == P_CONTROL_SOFT_RESET_V1 && p.packet_id == 0
		&& p.key_id == c->newest % (CLIENT_KEYS - 1) + 1 && c->key[c->newest].has_heard) {
		k = key_begin(c, p.key_id);
		queue(k, P_CONTROL_SOFT_RESET_V1, NULL, 0);
	}
	if (!k->is_used) {
		c->refused++;
		return;
	}
	reliability_acked(&k->reliability, p.ack, p.ack_count);
	if (p.opcode != P_ACK_V1)
		(void)reliability_receive(
			&k->reliability, p.packet_id, (uint8_t)p.opcode, p.payload, p.payload_len);
	take_in(c, k);
}

size_t session_client_wrap(
	struct session_client *c, const struct control_packet *p, uint8_t *buf, uint32_t now_s)
{
	uint8_t plain[CONTROL_PACKET_MAX];
	ssize_t n = control_packet_write(p, plain, sizeof(plain));
	assert(n > 0 && wrap_stamp_next(&c->stamp, now_s) == 0);
	n = wrap_seal(&c->wrap, &c->stamp, plain, (size_t)n, buf, CONTROL_PACKET_MAX);
	assert(n > 0);
	if (p->opcode == P_CONTROL_WKC_V1 || p->opcode == P_CONTROL_HARD_RESET_CLIENT_V3) {
		memcpy(buf + n, c->setup.wkc, c->setup.wkc_len);
		n += (ssize_t)c->setup.wkc_len;
	}
	return (size_t)n;
}

static size_t take_from(struct session_client *c, struct client_key *k, uint8_t *buf,
	uint64_t now_ns, uint32_t now_s)
{
	struct reliability *r = &k->reliability;
	bool alone = c->setup.acks_alone && r->ack_count > 0;
	const struct reliability_out *out = alone ? NULL : reliability_send(r, now_ns);
	struct control_packet p = {.opcode = P_ACK_V1, .key_id = k->key_id, .session_id = c->own};
	p.ack_count = (uint8_t)reliability_take_acks(r, p.ack, out != NULL ? 4 : 8);
	if (p.ack_count > 0) {
		k->acked = p.ack[p.ack_count - 1];
		k->has_acked = true;
	} else if (out != NULL && k->has_acked && !c->setup.acks_alone) {
		p.ack[p.ack_count++] = k->acked;
	}
	p.remote_session_id = p.ack_count > 0 ? c->server : (struct session_id){{0}};
	if (out == NULL)
		return p.ack_count > 0 ? session_client_wrap(c, &p, buf, now_s) : 0;
	p.opcode = (enum opcode)out->opcode;
	p.packet_id = out->id;
	p.payload = out->payload;
	p.payload_len = out->len;
	return session_client_wrap(c, &p, buf, now_s);
}

size_t session_client_take(struct session_client *c, uint8_t *buf, uint64_t now_ns, uint32_t now_s)
{
	for (unsigned int i = 0; i < CLIENT_KEYS; i++) {
		if (!c->key[i].is_used)
			continue;
		fill(c, &c->key[i]);
		size_t n = take_from(c, &c->key[i], buf, now_ns, now_s);
		if (n > 0)
			return n;
	}
	return 0;
}

uint64_t session_client_deadline(const struct session_client *c)
{
	uint64_t at = UINT64_MAX;
	for (unsigned int i = 0; i < CLIENT_KEYS; i++) {
		uint64_t next = c->key[i].is_used ? reliability_next_ns(&c->key[i].reliability)
						  : UINT64_MAX;
		at = next < at ? next : at;
	}
	return at;
}

void session_client_say(struct session_client *c, const void *record, size_t len)
{
	assert(SSL_write(c->key[c->newest].ssl, record, (int)len) == (int)len);
}

void session_client_renegotiate(struct session_client *c)
{
	struct client_key *k = key_begin(c, c->newest % (CLIENT_KEYS - 1) + 1);
	queue(k, P_CONTROL_SOFT_RESET_V1, NULL, 0);
}
