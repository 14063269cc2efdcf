// SPDX-License-Identifier: Apache-2.0
/*
 * A GET gives the profile with the private key left blank, unless a reveal has opened it within
 * the last ten minutes; a POST to reveal opens it. The preshared key is as secret as the private
 * one and comes and goes with it, when the private key was made here; a client with a key of its
 * own needs it in every profile.
 */
#include "control/profile/profile.h"

#include "control/http/api_internal.h"
#include "control/http/outcome.h"
#include "control/http/problem.h"
#include "control/http/profile_source.h"
#include "control/http/request.h"
#include "control/http/resources.h"
#include "control/store/credential.h"
#include "control/store/instance.h"
#include "control/store/openvpn.h"
#include "control/store/peer.h"

#include <errno.h>
#include <string.h>

enum format {
	FORMAT_WIREGUARD,
	FORMAT_OPENVPN,
	FORMAT_ROUTEROS,
	FORMAT_QR,
	FORMAT__COUNT,
};

struct choice {
	const char *format; /* NULL: what the peer speaks */
	const char *transport; /* NULL: UDP */
};

static bool read_choice(struct request *rq, struct choice *ret)
{
	static const char *const formats[] = {"wireguard", "openvpn", "routeros", "qr", NULL};
	static const char *const transports[] = {"udp", "tcp", NULL};
	return target_choice(&rq->target, "format", formats, &ret->format, &rq->rs)
		&& target_choice(&rq->target, "transport", transports, &ret->transport, &rq->rs);
}

static enum format find_format(const struct peer *p, const struct choice *c)
{
	if (c->format == NULL)
		return peer_speaks_wireguard(p) ? FORMAT_WIREGUARD : FORMAT_OPENVPN;
	if (strcmp(c->format, "openvpn") == 0)
		return FORMAT_OPENVPN;
	if (strcmp(c->format, "routeros") == 0)
		return FORMAT_ROUTEROS;
	return strcmp(c->format, "qr") == 0 ? FORMAT_QR : FORMAT_WIREGUARD;
}

static bool is_openvpn(enum format format)
{
	return format == FORMAT_OPENVPN || format == FORMAT_ROUTEROS;
}

/* false with a problem: the peer has no such profile. */
static bool choose_format(
	struct request *rq, const struct peer *p, const struct choice *c, enum format *ret)
{
	*ret = find_format(p, c);
	if (*ret == FORMAT_ROUTEROS && p->type != PEER_SITE) {
		problem_set(&rq->rs, PROBLEM_UNPROCESSABLE,
			"A script for RouterOS is for site peers, and this is a client.");
		return false;
	}
	if (is_openvpn(*ret) ? peer_speaks_openvpn(p) : peer_speaks_wireguard(p))
		return true;
	problem_set(&rq->rs, PROBLEM_UNPROCESSABLE, "The peer's protocol is %s: it has no %s.",
		peer_protocol_text(p->protocol),
		is_openvpn(*ret) ? "OpenVPN profile" : "WireGuard profile, and no QR code of one");
	return false;
}

struct secrets {
	struct key private_key, preshared_key;
	struct openvpn_keys keys;
	struct credential credential;
	struct credential_secrets own;
};

static int open_wireguard(struct request *rq, const struct peer *p, bool is_open,
	struct profile *profile, struct secrets *s)
{
	int rc = 0;
	if (is_open && p->has_private_key) {
		rc = peer_private_key(rq->api->store, &p->id, &s->private_key);
		profile->private_key = &s->private_key;
	}
	if (rc == 0 && ((is_open && p->has_private_key) || !p->key_is_ours)) {
		rc = peer_preshared_key(rq->api->store, &p->id, &s->preshared_key);
		profile->preshared_key = &s->preshared_key;
	}
	return rc;
}

/* Certificates are no secrets; the key that wraps is, though all peers of the listener have it. */
static int open_openvpn(struct request *rq, const struct peer *p, bool is_open,
	struct profile *profile, struct secrets *s)
{
	struct store *store = rq->api->store;
	int rc = openvpn_find_keys(store, &p->instance_id, &s->keys);
	if (rc == 0)
		rc = credential_find(store, &p->id, &s->credential);
	if (rc == 0 && is_open && p->has_openvpn_secrets) {
		rc = credential_find_secrets(store, &p->id, &s->own);
		profile->certificate_key = s->own.private_key;
		profile->password = s->own.password;
		profile->wrap_keys = s->keys.wrap[profile->transport];
	}
	profile->authority = s->keys.authority;
	profile->certificate = s->credential.certificate;
	return rc;
}

static int open_secrets(struct request *rq, const struct peer *p, enum format format,
	struct profile *profile, struct secrets *s)
{
	bool is_open = p->revealed_until > store_now(rq->api->store);
	return is_openvpn(format) ? open_openvpn(rq, p, is_open, profile, s)
				  : open_wireguard(rq, p, is_open, profile, s);
}

static int render(struct request *rq, const struct profile *profile, enum format format)
{
	static int (*const formats[FORMAT__COUNT])(const struct profile *p, char **ret) = {
		[FORMAT_WIREGUARD] = profile_wireguard,
		[FORMAT_OPENVPN] = profile_openvpn,
		[FORMAT_ROUTEROS] = profile_routeros,
		[FORMAT_QR] = profile_wireguard,
	};
	char *text, *picture;
	int rc = formats[format](profile, &text);
	if (rc == -EPROTONOSUPPORT) {
		problem_set(&rq->rs, PROBLEM_CONFLICT,
			"RouterOS cannot use the TCP listener as it is set: it needs wrap none, a cipher in"
			" CBC mode, and TLS 1.2.");
		return 0;
	}
	if (rc < 0)
		return rc;
	if (format != FORMAT_QR) {
		response_text(&rq->rs, "text/plain; charset=utf-8", text, strlen(text));
		return 0;
	}
	rc = profile_qr(text, &picture);
	profile_text_free(text);
	if (rc == -E2BIG) {
		problem_set(&rq->rs, PROBLEM_UNPROCESSABLE,
			"The profile is too long for a QR code: shorten routing.client_routes.");
		return 0;
	}
	if (rc == 0)
		response_text(&rq->rs, "text/plain; charset=utf-8", picture, strlen(picture));
	return rc;
}

static bool is_ready_for(const struct instance *i, enum format format)
{
	return !is_openvpn(format) || i->certificate_renews_at != 0;
}

static int issue(struct request *rq, const struct instance *i, struct peer *p, enum format format,
	enum openvpn_transport transport)
{
	struct profile_source source = {0};
	struct secrets secrets = {0};
	char digest[PROFILE_DIGEST_TEXT];
	int rc = is_ready_for(i, format) ? profile_source_init(&source, rq->api, i) : -EAGAIN;
	if (rc == -EAGAIN) {
		problem_set(&rq->rs, PROBLEM_CONFLICT,
			"The instance is not ready: it has no endpoint yet. Look at its conditions.");
		return 0;
	}
	if (rc < 0)
		return rc;
	profile_source_choose(&source, p);
	rc = profile_digest(&source.profile, digest);
	if (rc == 0 && strcmp(digest, p->profile_digest) != 0)
		rc = peer_set_profile_digest(rq->api->store, p, digest);
	source.profile.transport = transport;
	if (rc == 0)
		rc = open_secrets(rq, p, format, &source.profile, &secrets);
	if (rc == 0)
		rc = render(rq, &source.profile, format);
	explicit_bzero(&secrets, sizeof(secrets));
	profile_source_fini(&source);
	return rc;
}

/* Opens what was made here for ten minutes; once those are over it is forgotten for good. */
static int reveal(struct request *rq, const struct instance *i, struct peer *p)
{
	int64_t now = store_now(rq->api->store);
	bool waits = peer_speaks_openvpn(p) && i->certificate_renews_at == 0;
	if (!p->key_is_ours && !peer_speaks_openvpn(p))
		return 0;
	if (!p->has_private_key && !p->has_openvpn_secrets) {
		if (!waits)
			problem_set(&rq->rs, PROBLEM_CONFLICT,
				"The private key was revealed before and is forgotten. Make a new peer.");
		return 0;
	}
	if (p->revealed_until != 0 && p->revealed_until <= now) {
		problem_set(&rq->rs, PROBLEM_CONFLICT,
			"The private key was revealed before. Make a new peer.");
		return 0;
	}
	return p->revealed_until == 0 ? peer_reveal(rq->api->store, p, now + REVEAL_S) : 0;
}

static int give(struct request *rq, bool reveals)
{
	struct uuid instance_id, peer_id;
	struct instance i;
	struct peer p;
	struct choice choice = {0};
	enum format format;
	if (!read_choice(rq, &choice) || !request_uuid(rq, 0, &instance_id)
		|| !request_uuid(rq, 1, &peer_id))
		return 0;
	int rc = instance_find(rq->api->store, &instance_id, &i);
	if (rc < 0)
		return rc;
	rc = peer_find(rq->api->store, &instance_id, &peer_id, &p);
	if (rc == 0) {
		enum openvpn_transport transport =
			choice.transport != NULL && strcmp(choice.transport, "tcp") == 0
			? OPENVPN_TCP
			: OPENVPN_UDP;
		if (choose_format(rq, &p, &choice, &format) && reveals)
			rc = reveal(rq, &i, &p);
		if (rc == 0 && !rq->rs.is_problem)
			rc = issue(rq, &i, &p, format, transport);
		peer_fini(&p);
	}
	instance_fini(&i);
	return rc;
}

int peer_profile(struct request *rq)
{
	return give(rq, false);
}

int peer_profile_reveal(struct request *rq)
{
	return give(rq, true);
}
