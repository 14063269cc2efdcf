// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/clock.h"
#include "dataplane/ovpn/session_private.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	OUTER_LEN = 40 + 8, /* IPv6 and UDP */
	/* in front of the payload, with as many acks as go with one */
	INNER_LEN = CONTROL_PACKET_MIN + 4 * RELIABILITY_ACKS_WITH_PAYLOAD + SESSION_ID_LEN,
};

struct session_key *session_key_new(
	struct ovpn_session *s, uint8_t key_id, uint32_t next_id, uint64_t now_ns)
{
	struct session_key *k = calloc(1, sizeof(*k));
	if (k == NULL)
		return NULL;
	if (tls_new(s->config->tls, &k->tls) != 0) {
		free(k);
		return NULL;
	}
	k->key_id = key_id;
	k->serial = ++s->last_serial;
	k->deadline_ns = now_ns + s->config->hand_window_s * NS_PER_SEC;
	reliability_init(&k->reliability, next_id, next_id, !s->config->is_tcp);
	return k;
}

void session_key_free(struct session_key *k)
{
	if (k == NULL)
		return;
	tls_free(k->tls);
	OPENSSL_cleanse(k, sizeof(*k));
	free(k);
}

bool session_key_is_flushed(const struct session_key *k)
{
	return tls_pending(k->tls) == 0 && reliability_all_acked(&k->reliability);
}

void session_key_fill(const struct ovpn_session *s, struct session_key *k)
{
	uint8_t buf[RELIABILITY_PAYLOAD_MAX];
	/* the whole IP packet is what must not be too long */
	size_t most = RELIABILITY_PAYLOAD_MAX - OUTER_LEN - INNER_LEN - wrap_overhead(&s->wrap);
	while (reliability_room(&k->reliability) > 0) {
		size_t n = tls_take(k->tls, buf, most);
		if (n == 0 || reliability_queue(&k->reliability, P_CONTROL_V1, buf, n) != 0)
			return;
	}
}

int session_key_say(struct session_key *k, const char *text, size_t len)
{
	if (k->is_tls_over)
		return -ENOTCONN;
	if (tls_pending(k->tls) > SESSION_OUT_MAX)
		return -ENOBUFS;
	while (len > 0) {
		size_t n = strnlen(text, len - 1) + 1;
		int err = tls_write(k->tls, (const uint8_t *)text, n);
		if (err != 0)
			return err;
		text += n;
		len -= n;
	}
	return 0;
}

int session_key_answer(const struct ovpn_session *s, struct session_key *k, const char *options)
{
	uint8_t message[KEY_METHOD_SERVER_MAX];
	char answer[KEY_METHOD_OPTIONS_MAX];
	ssize_t n = options_answer(options, answer, sizeof(answer));
	if (n < 0)
		return (int)n;
	if (n == 0)
		(void)snprintf(answer, sizeof(answer),
			"V4,dev-type tun,tun-mtu %u,key-method 2,tls-server",
			(unsigned int)s->config->tun_mtu);
	int err = key_source_random_make(&k->source.server);
	if (err != 0)
		return err;
	n = key_method_write_server(&k->source.server, answer, message, sizeof(message));
	err = n < 0 ? (int)n : tls_write(k->tls, message, (size_t)n);
	OPENSSL_cleanse(message, sizeof(message));
	k->has_answered = err == 0;
	return err;
}

int session_key_derive(const struct ovpn_session *s, struct session_key *k)
{
	int err = s->exports_keys
		? tls_export(k->tls, &k->data.block)
		: key_block_derive(&k->source, &s->client, &s->own, &k->data.block);
	key_source_wipe(&k->source);
	k->data.key_id = k->key_id;
	k->data.suite = s->cipher.suite;
	return err;
}

static enum ovpn_session_failure kind_of(const struct session_key *k)
{
	return tls_refused_certificate(k->tls) ? OVPN_FAILURE_CERTIFICATE : OVPN_FAILURE_TLS;
}

/* Who it would have been; people are told. Who was let in stays who he was. */
static void read_refused(struct ovpn_session *s, const struct session_key *k)
{
	struct session_identity *i = &s->identity;
	if (!s->is_accepted)
		i->has_certificate = tls_refused_fingerprint(k->tls, i->fingerprint) == 0;
}

/* A control channel that was in use is gone; what it agreed upon holds, and a new one is made. */
static void lost(struct ovpn_session *s, struct session_key *k, uint64_t now_ns)
{
	const char *text = tls_failure(k->tls);
	k->is_tls_over = true;
	if (tls_refused_certificate(k->tls))
		read_refused(s, k);
	if (k == s->negotiating)
		session_key_failed(s, kind_of(k), text[0] != '\0' ? text : "TLS was ended", now_ns);
	else if (k == s->current && s->is_connected && s->renegotiate_ns > now_ns)
		s->renegotiate_ns = now_ns;
}

static void take_record(struct ovpn_session *s, struct session_key *k, const uint8_t *record,
	size_t len, uint64_t now_ns)
{
	if (k->state == SESSION_KEY_SILENT)
		session_take_key_method(s, record, len, now_ns);
	else
		session_take_commands(s, k, record, len, now_ns);
}

static void progress(struct ovpn_session *s, struct session_key *k, uint64_t now_ns)
{
	uint8_t record[SESSION_RECORD_MAX];
	ssize_t n = 0;
	if (k->state == SESSION_KEY_HANDSHAKE) {
		int err = tls_handshake(k->tls);
		if (err == -EPROTO)
			lost(s, k, now_ns);
		if (err != 0)
			return;
		k->state = SESSION_KEY_SILENT;
	}
	while (!k->is_tls_over && (n = tls_read(k->tls, record, sizeof(record))) > 0)
		take_record(s, k, record, (size_t)n, now_ns);
	OPENSSL_cleanse(record, sizeof(record)); /* key method 2 was in it */
	if (!k->is_tls_over && n < 0 && n != -EAGAIN)
		lost(s, k, now_ns);
}

void session_key_take(struct ovpn_session *s, struct session_key *k, const uint8_t *data,
	size_t len, uint64_t now_ns)
{
	if (k->is_tls_over || k->state == SESSION_KEY_FAILED)
		return;
	if (tls_receive(k->tls, data, len) != 0)
		lost(s, k, now_ns);
	else
		progress(s, k, now_ns);
}
