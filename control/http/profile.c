// SPDX-License-Identifier: Apache-2.0
/*
 * A GET gives the profile with its secrets left blank, unless a reveal has opened them within the
 * last ten minutes; a POST to reveal opens them.
 */
#include "control/http/api_internal.h"
#include "control/http/problem.h"
#include "control/http/profile_make.h"
#include "control/http/request.h"
#include "control/http/resources.h"
#include "control/store/instance.h"
#include "control/store/peer.h"

#include <errno.h>
#include <string.h>

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

static enum profile_format find_format(const struct peer *p, const struct choice *c)
{
	if (c->format == NULL)
		return peer_speaks_wireguard(p) ? PROFILE_WIREGUARD : PROFILE_OPENVPN;
	if (strcmp(c->format, "openvpn") == 0)
		return PROFILE_OPENVPN;
	if (strcmp(c->format, "routeros") == 0)
		return PROFILE_ROUTEROS;
	return strcmp(c->format, "qr") == 0 ? PROFILE_QR : PROFILE_WIREGUARD;
}

/* false with a problem: the peer has no such profile. */
static bool choose_format(
	struct request *rq, const struct peer *p, const struct choice *c, enum profile_format *ret)
{
	*ret = find_format(p, c);
	if (profile_suits(p, *ret))
		return true;
	if (*ret == PROFILE_ROUTEROS && p->type != PEER_SITE)
		problem_set(&rq->rs, PROBLEM_UNPROCESSABLE,
			"A script for RouterOS is for site peers, and this is a client.");
	else
		problem_set(&rq->rs, PROBLEM_UNPROCESSABLE,
			"The peer's protocol is %s: it has no %s.", peer_protocol_text(p->protocol),
			profile_is_openvpn(*ret) ? "OpenVPN profile"
						 : "WireGuard profile, and no QR code of one");
	return false;
}

static int issue(struct request *rq, const struct instance *i, struct peer *p,
	enum profile_format format, enum openvpn_transport transport)
{
	char *text = NULL;
	int rc = profile_make(rq->api, i, p, format, transport, &text);
	switch (rc) {
	case 0:
		response_text(&rq->rs, "text/plain; charset=utf-8", text, strlen(text));
		return 0;
	case -EAGAIN:
		problem_set(&rq->rs, PROBLEM_CONFLICT,
			"The instance is not ready: it has no endpoint yet. Look at its conditions.");
		return 0;
	case -EPROTONOSUPPORT:
		problem_set(&rq->rs, PROBLEM_CONFLICT,
			"RouterOS cannot use the TCP listener as it is set: it needs wrap none, a cipher in"
			" CBC mode, and TLS 1.2.");
		return 0;
	case -E2BIG:
		problem_set(&rq->rs, PROBLEM_UNPROCESSABLE,
			"The profile is too long for a QR code: shorten routing.client_routes.");
		return 0;
	default:
		return rc;
	}
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
				"The private key is forgotten: it was revealed before, or its share link has"
				" ended. Make a new peer.");
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
	enum profile_format format;
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
