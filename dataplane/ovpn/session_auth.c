// SPDX-License-Identifier: Apache-2.0
#include "dataplane/ovpn/session_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct refusal {
	enum ovpn_session_failure why;
	const char *text; /* for people and for the client; static */
};

static bool refuse(struct refusal *r, enum ovpn_session_failure why, const char *text)
{
	*r = (struct refusal){why, text};
	return false;
}

static bool check_cipher(struct ovpn_session *s, struct refusal *r)
{
	struct cipher_offer offer = {
		.iv_ciphers = s->peer_info.has_ciphers ? s->peer_info.ciphers : NULL,
		.iv_ncp = s->peer_info.ncp,
		.occ_cipher = s->options.cipher,
		.occ_auth = s->options.auth,
	};
	enum cipher_verdict v = cipher_choose(s->config->ciphers, &offer, &s->cipher);
	return v == CIPHER_CHOSEN || refuse(r, OVPN_FAILURE_CIPHER, cipher_reason(v));
}

/* What it is configured for counts once: afterwards its options string names what was negotiated. */
static bool check_options(struct ovpn_session *s, struct refusal *r)
{
	if (options_parse(s->asked->options, &s->options) != 0)
		return refuse(r, OVPN_FAILURE_OPTIONS, "the options string is not printable");
	peer_info_parse(s->asked->peer_info, &s->peer_info);
	if (s->options.has_fragment)
		return refuse(r, OVPN_FAILURE_OPTIONS,
			"fragment is not supported: remove it from the configuration");
	if (s->options.dev_type == OPTIONS_DEV_TAP)
		return refuse(
			r, OVPN_FAILURE_OPTIONS, "dev tap is not supported: use dev tun (mode ip)");
	if ((s->peer_info.proto & IV_PROTO_NCP_P2P) != 0)
		return refuse(r, OVPN_FAILURE_OPTIONS, "the client does not pull: use client mode");
	return check_cipher(s, r);
}

static void remember(struct ovpn_session *s)
{
	const struct ovpn_credentials *c = &s->credentials;
	s->identity.has_certificate = c->has_certificate;
	memcpy(s->identity.fingerprint, c->fingerprint, sizeof(s->identity.fingerprint));
	memcpy(s->identity.username, s->asked->username, sizeof(s->identity.username));
}

/* First of all: of whom a refusal is told. */
static void read_who(struct ovpn_session *s)
{
	struct ovpn_credentials *c = &s->credentials;
	*c = (struct ovpn_credentials){.is_renewal = s->is_accepted,
		.username = s->asked->username,
		.password = s->asked->password};
	c->has_certificate = tls_peer_fingerprint(s->negotiating->tls, c->fingerprint) == 0;
	if (!s->is_accepted)
		remember(s);
}

static bool read_certificate(struct ovpn_session *s, struct refusal *r)
{
	struct ovpn_credentials *c = &s->credentials;
	const struct tls *t = s->negotiating->tls;
	if (c->has_certificate && tls_peer_name(t, c->name) == -EINVAL)
		return refuse(r, OVPN_FAILURE_CERTIFICATE, "the certificate's name is malformed");
	if (!c->has_certificate && s->config->requires_certificate)
		return refuse(r, OVPN_FAILURE_CERTIFICATE, "no certificate");
	return true;
}

static bool read_password(struct ovpn_session *s, struct refusal *r)
{
	const struct key_method_client *a = s->asked;
	if (a->username_too_long || a->password_too_long)
		return refuse(r, OVPN_FAILURE_PASSWORD, "username or password is too long");
	if (s->config->requires_password && (a->username[0] == '\0' || a->password[0] == '\0'))
		return refuse(r, OVPN_FAILURE_PASSWORD, "username and password are required");
	return true;
}

static bool check_same_peer(const struct ovpn_session *s, struct refusal *r)
{
	const struct ovpn_credentials *c = &s->credentials;
	const struct session_identity *i = &s->identity;
	if (c->has_certificate != i->has_certificate
		|| memcmp(c->fingerprint, i->fingerprint, sizeof(i->fingerprint)) != 0)
		return refuse(r, OVPN_FAILURE_CERTIFICATE, "renewed with another certificate");
	if (strcmp(c->username, i->username) != 0)
		return refuse(r, OVPN_FAILURE_PASSWORD, "renewed with another username");
	return true;
}

static bool check(struct ovpn_session *s, struct refusal *r)
{
	read_who(s);
	if (!s->is_accepted && !check_options(s, r))
		return false;
	return read_certificate(s, r) && read_password(s, r)
		&& (!s->is_accepted || check_same_peer(s, r));
}

static void ask(struct ovpn_session *s, uint64_t now_ns)
{
	struct refusal r;
	if (!check(s, &r)) {
		session_key_refused(s, r.why, r.text, r.text, now_ns);
		return;
	}
	s->negotiating->state = SESSION_KEY_ASKED;
	session_tell(s, OVPN_SESSION_AUTHENTICATE, s->negotiating);
}

void session_take_key_method(
	struct ovpn_session *s, const uint8_t *record, size_t len, uint64_t now_ns)
{
	struct session_key *k = s->negotiating;
	session_forget_question(s);
	s->asked = malloc(sizeof(*s->asked));
	if (s->asked == NULL) {
		session_key_failed(s, OVPN_FAILURE_MEMORY, "out of memory", now_ns);
		return;
	}
	if (key_method_parse_client(record, len, s->asked) != 0) {
		session_key_failed(s, OVPN_FAILURE_OPTIONS, "key method 2 cannot be read", now_ns);
		return;
	}
	memcpy(k->source.pre_master, s->asked->pre_master, sizeof(k->source.pre_master));
	k->source.client = s->asked->random;
	/* first of all, whatever becomes of it: nothing else is understood before */
	int err = session_key_answer(s, k, s->asked->options);
	if (err != 0) {
		session_key_failed(s, err == -EBADMSG ? OVPN_FAILURE_OPTIONS : OVPN_FAILURE_MEMORY,
			"key method 2 cannot be answered", now_ns);
		return;
	}
	ask(s, now_ns);
}

void session_forget_question(struct ovpn_session *s)
{
	explicit_bzero(&s->credentials, sizeof(s->credentials));
	if (s->asked == NULL)
		return;
	key_method_client_wipe(s->asked);
	free(s->asked);
	s->asked = NULL;
}

static int take_in(struct ovpn_session *s, const struct push *push)
{
	int err = 0;
	if (!s->is_accepted)
		err = push != NULL ? session_push_keep(s, push) : -EINVAL;
	if (err == 0)
		err = session_key_derive(s, s->negotiating);
	return err;
}

int ovpn_session_accept(struct ovpn_session *s, const struct push *push, uint64_t now_ns)
{
	struct session_key *k = s->negotiating;
	if (s->asked == NULL || k == NULL || k->state != SESSION_KEY_ASKED)
		return -ENOTCONN;
	if (s->is_accepted && now_ns >= k->deadline_ns) {
		session_key_failed(s, OVPN_FAILURE_TIMEOUT, "accepted too late", now_ns);
		return -ETIMEDOUT;
	}
	int err = take_in(s, push);
	session_forget_question(s);
	if (err != 0) {
		session_key_refused(s, err == -ENOMEM ? OVPN_FAILURE_MEMORY : OVPN_FAILURE_OPTIONS,
			"its configuration cannot be told", "internal error", now_ns);
		session_pump(s, k, now_ns);
		return err;
	}
	s->is_accepted = true;
	k->state = SESSION_KEY_ACCEPTED;
	k->was_told = true;
	session_tell(s, OVPN_SESSION_KEY_READY, k);
	session_pump(s, k, now_ns);
	return 0;
}

void ovpn_session_refuse(struct ovpn_session *s, enum ovpn_session_failure why,
	const char *reason_for_client, uint64_t now_ns)
{
	struct session_key *k = s->negotiating;
	if (s->is_closing)
		return;
	bool is_asked = k != NULL && k->state == SESSION_KEY_ASKED;
	if (!is_asked && s->current != NULL)
		k = s->current;
	const char *text = reason_for_client != NULL && reason_for_client[0] != '\0'
		? reason_for_client
		: "refused";
	session_end(s, k, why, text, reason_for_client, now_ns);
}
